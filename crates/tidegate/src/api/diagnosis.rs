//! `GET /diagnosis`: everything that may be wrong with a door, each with what to do.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tidegate_model::PackageName;
use tidegate_model::waiver::WaiverState;
use tidegate_policy::lint;
use tidegate_store::catalogue::Page;

use super::Handled;
use super::call::Call;
use crate::door::{Door, Repository};
use crate::upstream::{Upstream, UpstreamError, Validators};

/// How long an upstream may take to answer a diagnosis.
const UPSTREAM_SECONDS: u64 = 15;
/// Below this many free bytes a disk is worth a word: 1 GiB.
const LOW_DISK_BYTES: u64 = 1 << 30;
/// Waivers that end within this time are worth a word: 3 days.
const ENDING_SECONDS: i64 = 3 * 86_400;
/// A name that no registry has; asking for it shows that the registry answers.
const PROBE: &str = "tidegate-reachability-probe";

/// How a finding counts.
#[derive(Clone, Copy)]
enum Level {
    Ok,
    Note,
    Problem,
}

struct Findings(Vec<Value>);

impl Findings {
    fn add(&mut self, level: Level, area: &str, what: impl Into<String>, remedy: impl Into<String>) {
        let level = match level {
            Level::Ok => "ok",
            Level::Note => "note",
            Level::Problem => "problem",
        };
        self.0.push(json!({ "level": level, "area": area, "what": what.into(), "remedy": remedy.into() }));
    }
}

pub(crate) async fn diagnose(call: &Call) -> Handled {
    let mut findings = Findings(Vec::new());
    upstreams(&call.door, &mut findings).await;
    policy(call, &mut findings);
    ledger(&call.door, &mut findings);
    disk(&call.door, &mut findings);
    listener(&call.door, &mut findings);
    trouble(call, &mut findings).await?;
    controls(&call.door, &mut findings);
    let problems = findings.0.iter().filter(|f| f["level"] == "problem").count();
    Ok(json!({ "findings": findings.0, "problems": problems, "healthy": problems == 0 }))
}

/// Every upstream is asked at once, so that several that hang cost the time of one.
async fn upstreams(door: &Arc<Door>, findings: &mut Findings) {
    let mut asking = tokio::task::JoinSet::new();
    for repository in door.repositories.values() {
        if repository.upstreams.is_empty() {
            findings.add(
                Level::Note,
                &repository.name,
                format!("not configured: {}", repository.not_configured),
                format!("name an upstream under [repository.{}] in the configuration", repository.name),
            );
        }
        for upstream in &repository.upstreams {
            let (door, repository, upstream) =
                (Arc::clone(door), Arc::clone(repository), Arc::clone(upstream));
            asking.spawn(async move {
                let answer = ask(&door, &repository, &upstream).await;
                (repository, upstream, answer)
            });
        }
    }
    let mut answers = asking.join_all().await;
    answers.sort_by(|a, b| (&a.0.name, &a.1.name).cmp(&(&b.0.name, &b.1.name)));
    for (repository, upstream, answer) in answers {
        let place = format!("{} (from {})", upstream.base.url, upstream.source);
        match answer {
            Ok(()) => findings.add(Level::Ok, &repository.name, format!("{place} answers"), ""),
            Err(error) => {
                let remedy = match &error {
                    UpstreamError::Refused { .. } => {
                        "give it credentials: token_env or basic_env of this upstream"
                    }
                    UpstreamError::Busy { .. } => "wait, or give it credentials: it asks to slow down",
                    _ => "check the address, the network and the proxy settings of this machine",
                };
                findings.add(Level::Problem, &repository.name, format!("{place}: {error}"), remedy);
            }
        }
    }
}

async fn ask(door: &Arc<Door>, repository: &Repository, upstream: &Upstream) -> Result<(), UpstreamError> {
    let name = PackageName::parse(repository.ecosystem, PROBE).expect("the probe is a name everywhere");
    let request = match repository.protocol.prelude(&upstream.base) {
        Some(request) => request,
        None => repository.protocol.index_request(&name, &upstream.base),
    };
    let validators = Validators::default();
    let answer = door.client.document(upstream, &request, None, &validators);
    match tokio::time::timeout(Duration::from_secs(UPSTREAM_SECONDS), answer).await {
        Ok(Ok(_) | Err(UpstreamError::Absent { .. })) => Ok(()),
        Ok(Err(error)) => Err(error),
        Err(_) => Err(UpstreamError::Timeout { upstream: upstream.name.clone(), what: "an answer" }),
    }
}

fn policy(call: &Call, findings: &mut Findings) {
    let rules = call.door.rules();
    let policy = &rules.policy;
    if policy.enforces() {
        let what = format!("{} {} is enforced ({})", policy.id(), policy.version(), rules.source);
        findings.add(Level::Ok, "policy", what, "");
    } else {
        let what = format!("{} {} observes only: nothing is held", policy.id(), policy.version());
        findings.add(Level::Note, "policy", what, "put another in force: [policy] pack = \"baseline\"");
    }
    for lint in lint(policy, &rules.waivers, Some(call.now)) {
        if lint.level == tidegate_policy::Level::Warning {
            findings.add(Level::Note, "policy", format!("{}: {}", lint.place, lint.what), lint.remedy);
        }
    }
    for waiver in rules.waivers.iter().filter(|w| w.state == WaiverState::Approved) {
        if let Some(end) = waiver.expires_at
            && end > call.now
            && end.seconds_since(call.now) < ENDING_SECONDS
        {
            let what = format!("waiver {} for {} ends {}", waiver.id, waiver.purl, end.to_minute());
            findings.add(Level::Note, "waivers", what, "ask for another before it ends, or move on");
        }
    }
}

fn ledger(door: &Door, findings: &mut Findings) {
    let health = door.recorder.health();
    if !health.writable {
        let why = health.why.as_deref().unwrap_or("unknown");
        let remedy = "make room or mend the disk, then start the door anew; nothing is served until then";
        findings.add(Level::Problem, "ledger", format!("it cannot record: {why}"), remedy);
        return;
    }
    let what = format!("{} entries, mode {}", health.appended, door.recorder.mode().as_str());
    findings.add(Level::Ok, "ledger", what, "");
    if door.recorder.mode() == tidegate_ledger::Mode::Batched {
        let what = format!("a power cut may lose the last {} ms of entries", health.unsynced_window_ms);
        findings.add(Level::Note, "ledger", what, "[ledger] mode = \"durable\" loses none");
    }
}

fn disk(door: &Door, findings: &mut Findings) {
    match door.store.blobs.usage() {
        Ok(usage) => {
            let (used, quota, free) =
                (usage.used_bytes >> 20, usage.quota_bytes >> 20, usage.free_bytes >> 20);
            let what = format!("{used} MiB of {quota} MiB used, {free} MiB free on the disk");
            let low = usage.free_bytes < LOW_DISK_BYTES;
            let remedy = if low { "make room, or lower [cache] disk_gib" } else { "" };
            findings.add(if low { Level::Problem } else { Level::Ok }, "store", what, remedy);
        }
        Err(error) => {
            findings.add(
                Level::Problem,
                "store",
                format!("its size cannot be told: {error}"),
                "check the disk",
            );
        }
    }
    for reason in crate::http::operations::unready(door) {
        findings.add(Level::Problem, "readiness", reason, "see /readyz");
    }
}

fn listener(door: &Door, findings: &mut Findings) {
    let server = &door.config.server;
    if !server.listen.ip().is_loopback() && server.tls_certificate.is_none() {
        let what =
            format!("{} is reachable by others without TLS: tokens travel in the clear", server.listen);
        findings.add(
            Level::Problem,
            "listener",
            what,
            "set tls_certificate and tls_key in [server], or put a proxy with TLS in front",
        );
    }
}

async fn trouble(call: &Call, findings: &mut Findings) -> Result<(), super::Problem> {
    let alarms = call.door.catalogue(|c| c.alarms(false, Page::first(20))).await?;
    for alarm in alarms {
        let what = format!("alarm {}: {} ({}×)", alarm.number, alarm.alarm.message, alarm.count);
        let remedy = format!("look into it, then `tidegate alarms ack {}`", alarm.number);
        findings.add(Level::Problem, "alarms", what, remedy);
    }
    Ok(())
}

/// Controls that this door does not have. A control that is off says so.
fn controls(door: &Door, findings: &mut Findings) {
    for control in &*door.degraded() {
        let remedy = if control.starts_with("events:") {
            "`tidegate status` shows what the receiver said, `tidegate events test` tries it"
        } else {
            "`tidegate quarantine block PURL --reason TEXT` blocks by hand what you know of"
        };
        findings.add(Level::Note, "controls", &**control, remedy);
    }
}
