//! Events reach those who are to hear of them: signed, in order, whatever fails on the way and whenever the door is killed.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use base64::Engine as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use tidegate_store::catalogue::Settings as _;
use tidegate_store::catalogue::sqlite::SqliteCatalogue;

use crate::recall::{SECRET, SECRET_ENV, Site, advisory};
use crate::support::{PATIENCE, days_ago};

/// One request as it came.
#[derive(Clone, Debug)]
struct Posted {
    head: Vec<String>,
    body: Vec<u8>,
    /// What was answered.
    status: u16,
}

impl Posted {
    fn header(&self, name: &str) -> &str {
        let line = self.head.iter().find(|line| line.to_ascii_lowercase().starts_with(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("no {name} in {:?}", self.head)).split_once(':').unwrap().1.trim()
    }

    fn event(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    fn id(&self) -> String {
        self.event()["id"].as_str().unwrap().to_owned()
    }
}

type Answer = Box<dyn FnMut(&Posted) -> u16 + Send>;

/// A receiver on loopback. It answers as it is told to, and remembers everything.
struct Receiver {
    address: SocketAddr,
    posted: Arc<Mutex<Vec<Posted>>>,
    answer: Arc<Mutex<Answer>>,
    stop: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Receiver {
    fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap())
    }

    fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let posted = Arc::<Mutex<Vec<Posted>>>::default();
        let answer: Arc<Mutex<Answer>> = Arc::new(Mutex::new(Box::new(|_| 204)));
        let stop = Arc::new(AtomicBool::new(false));
        let (to, by, until) = (Arc::clone(&posted), Arc::clone(&answer), Arc::clone(&stop));
        let thread = std::thread::spawn(move || {
            while !until.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((stream, _)) => drop(receive(&stream, &to, &by)),
                    Err(_) => std::thread::sleep(Duration::from_millis(5)),
                }
            }
        });
        Self { address, posted, answer, stop, thread: Some(thread) }
    }

    fn answers(&self, answer: impl FnMut(&Posted) -> u16 + Send + 'static) {
        *self.answer.lock().unwrap() = Box::new(answer);
    }

    fn posted(&self) -> Vec<Posted> {
        self.posted.lock().unwrap().clone()
    }

    /// What was taken, in order.
    fn taken(&self) -> Vec<Posted> {
        self.posted().into_iter().filter(|posted| posted.status < 300).collect()
    }

    /// Waits for an event of a type and returns it.
    #[track_caller]
    fn wait_for(&self, kind: &str) -> Value {
        let kind = format!("dev.tidegate.{kind}");
        self.wait(&kind, || self.taken().iter().map(Posted::event).find(|event| event["type"] == *kind))
    }

    #[track_caller]
    fn wait<T>(&self, what: &str, mut found: impl FnMut() -> Option<T>) -> T {
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = found() {
                return found;
            }
            let told: Vec<_> = self.posted().iter().map(|p| (p.status, p.id())).collect();
            assert!(Instant::now() < end, "never: {what}; came: {told:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn receive(stream: &TcpStream, posted: &Mutex<Vec<Posted>>, answer: &Mutex<Answer>) -> std::io::Result<()> {
    stream.set_nonblocking(false)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let line = line.trim_end().to_owned();
        if line.is_empty() {
            break;
        }
        head.push(line);
    }
    let mut one = Posted { head, body: Vec::new(), status: 0 };
    if one.head.is_empty() {
        return Ok(());
    }
    let length: usize = one.header("content-length").parse().unwrap();
    one.body.resize(length, 0);
    reader.read_exact(&mut one.body)?;
    one.status = (*answer.lock().unwrap())(&one);
    let status = one.status;
    posted.lock().unwrap().push(one);
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
}

/// The configuration of a door that posts to a receiver, with more lines of that sink.
fn posting_to(address: SocketAddr, more: &str) -> String {
    format!(
        "[events.webhook.hook]\nurl = \"http://{address}/in/secret-path\"\nsecret_env = \"{SECRET_ENV}\"\n{more}\n"
    )
}

fn block(site: &Site, version: &str) {
    site.told(&["quarantine", "block", &format!("pkg:npm/lib@{version}"), "--reason", "calls home"]);
}

/// Ids of the events that a door tells, in order; test events and those of its start are left out.
fn told_ids(site: &Site, kind: &str) -> Vec<String> {
    let events = site.json(&["events", "--since", "0", "--type", kind]);
    events.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect()
}

/// The signature as the Standard Webhooks specification computes it, written down here once more.
fn signature(id: &str, timestamp: &str, body: &[u8]) -> String {
    let base64 = base64::engine::general_purpose::STANDARD;
    let key = base64.decode(SECRET.trim_start_matches("whsec_")).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&key).unwrap();
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", base64.encode(mac.finalize().into_bytes()))
}

#[test]
fn an_advisory_reaches_the_receiver_with_who_took_it_and_its_retraction_too() {
    let receiver = Receiver::start();
    let site = Site::open(&posting_to(receiver.address, ""));
    let (ann, bob) = (site.token("ann"), site.token("bob"));
    assert_eq!([site.take("1.0.0", &ann), site.take("1.0.0", &ann), site.take("1.0.0", &bob)], [200; 3]);
    let mut malware = advisory(false);
    malware["id"] = "MAL-2026-7".into();
    malware["aliases"] = json!([]);
    malware["affected"] =
        json!([{ "package": { "ecosystem": "npm", "name": "lib" }, "versions": ["1.0.0"] }]);
    site.import(&malware);

    let matched = receiver.wait_for("advisory.matched");
    assert_eq!(matched["subject"], "pkg:npm/lib@1.0.0");
    let data = &matched["data"];
    assert_eq!((&data["people"], &data["accesses"]), (&2.into(), &3.into()), "{matched}");
    assert_eq!(data["advisories"], json!([{ "id": "MAL-2026-7", "why": "malware" }]));
    // Before, nothing was known of anything, which warns.
    assert_eq!((&data["before"], &data["after"]), (&"warn".into(), &"block".into()), "{matched}");
    let blocked = receiver.wait_for("artifact.blocked");
    assert_eq!(blocked["data"]["record"], matched["data"]["record"], "one entry, two events");
    assert_ne!(blocked["id"], matched["id"]);
    assert_eq!(receiver.wait_for("advisories.changed")["data"]["changed"], 1);

    malware["withdrawn"] = days_ago(0).into();
    malware["modified"] = days_ago(0).into();
    site.import(&malware);
    let cleared = receiver.wait_for("advisory.cleared");
    assert_eq!(cleared["data"]["cleared"], json!(["MAL-2026-7"]));
    assert_eq!(
        (&cleared["data"]["before"], &cleared["data"]["after"]),
        (&"block".into(), &"allow".into()),
        "{cleared}"
    );
    assert_eq!(receiver.wait_for("artifact.released")["subject"], "pkg:npm/lib@1.0.0");
    // Whoever reads the stream later reads the same.
    let shown = site.told(&["events", "--type", "advisory.*"]);
    for part in ["advisory.matched", "advisory.cleared", "pkg:npm/lib@1.0.0", "MAL-2026-7", "taken 3× by 2"]
    {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // Nobody is named.
    for posted in receiver.posted() {
        let body = String::from_utf8(posted.body).unwrap();
        assert!(!body.contains("ann") && !body.contains("bob"), "{body}");
    }
}

#[test]
fn each_event_is_signed_and_the_secret_goes_nowhere() {
    let receiver = Receiver::start();
    let mut site = Site::open(&posting_to(receiver.address, "types = [\"artifact.*\", \"test\"]"));
    let tested = site.told(&["events", "test"]);
    assert!(
        tested.contains("taken") && tested.contains("every sink took it") && tested.contains("HTTP 204"),
        "{tested}"
    );
    block(&site, "1.0.0");
    let event = receiver.wait_for("artifact.blocked");
    assert_eq!(
        (&event["specversion"], &event["datacontenttype"]),
        (&"1.0".into(), &"application/json".into())
    );
    assert_eq!(event["dataschema"], "tidegate:event:artifact.blocked:1");
    for posted in receiver.posted() {
        assert!(posted.head[0].starts_with("POST /in/secret-path HTTP/1.1"), "{:?}", posted.head);
        assert_eq!(posted.header("content-type"), "application/cloudevents+json; charset=utf-8");
        assert_eq!(posted.header("webhook-id"), posted.id());
        let at: i64 = posted.header("webhook-timestamp").parse().unwrap();
        let now = tidegate::clock::Clock::system().now().unix_seconds();
        assert!((now - at).abs() < 600, "{at}");
        let expected = signature(&posted.id(), posted.header("webhook-timestamp"), &posted.body);
        assert_eq!(posted.header("webhook-signature"), expected);
    }
    let kinds: BTreeSet<String> =
        receiver.taken().iter().map(|p| p.event()["type"].as_str().unwrap().to_owned()).collect();
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), ["dev.tidegate.artifact.blocked", "dev.tidegate.test"]);
    // Not even when it fails.
    receiver.answers(|_| 500);
    let failed = site.run(&["events", "test"]).expect_failure();
    assert!(
        failed.stdout.contains("NOT taken") && failed.stdout.contains("HTTP 500: ok"),
        "{}",
        failed.output()
    );
    block(&site, "1.1.0");
    receiver.wait("a try that fails", || receiver.posted().iter().any(|p| p.status == 500).then_some(()));
    let status = site.json(&["status"]).remove(0);
    let sink = &status["event_sinks"][0];
    assert_eq!((&sink["name"], &sink["delivered"]), (&"hook".into(), &1.into()), "{sink}");
    let mut everything =
        status.to_string() + &site.told(&["status"]) + &site.told(&["events"]) + &failed.output();
    everything += &crate::support::decoded_text(site.address, "/metrics");
    site.door.signal(15);
    site.door.wait(PATIENCE).unwrap();
    let (stdout, stderr) = site.door.output_so_far();
    everything += &(stdout + &stderr);
    assert!(everything.contains("hook"), "{everything}");
    for secret in [SECRET, SECRET.trim_start_matches("whsec_"), "0123456789abcdef0123", "secret-path"] {
        assert!(!everything.contains(secret), "{secret}: {everything}");
    }
}

#[test]
fn what_a_receiver_misses_comes_later_in_order() {
    let receiver = Receiver::start();
    let site = Site::open(&posting_to(receiver.address, "types = [\"artifact.*\"]"));
    // Each event fails twice before it is taken.
    let mut failures = 0;
    receiver.answers(move |_| {
        failures = (failures + 1) % 3;
        if failures == 0 { 200 } else { 503 }
    });
    block(&site, "1.0.0");
    block(&site, "1.1.0");
    receiver.wait("both", || (receiver.taken().len() == 2).then_some(()));
    // Nobody listens any more.
    let address = receiver.address;
    let before: Vec<String> = receiver.taken().iter().map(Posted::id).collect();
    drop(receiver);
    site.told(&["quarantine", "unblock", "TIDEGATE-LOCAL-1"]);
    site.told(&["quarantine", "unblock", "TIDEGATE-LOCAL-2"]);
    let failing = || site.json(&["status"])[0]["event_sinks"][0]["last_error"].as_str().map(str::to_owned);
    let end = Instant::now() + PATIENCE;
    let error = loop {
        if let Some(error) = failing() {
            break error;
        }
        assert!(Instant::now() < end, "the failure is never told");
        std::thread::sleep(Duration::from_millis(20));
    };
    assert!(error.contains("cannot be reached"), "{error}");
    let again = Receiver::at(address);
    again.wait("the rest", || (again.taken().len() == 2).then_some(()));
    let mut all = before;
    all.extend(again.taken().iter().map(Posted::id));
    assert_eq!(all, told_ids(&site, "artifact.*"), "each once, in order");
}

#[test]
fn kill_at_any_moment_loses_no_event() {
    let receiver = Receiver::start();
    let file = "[events.file.siem]\npath = \"events.ndjson\"\ntypes = [\"artifact.*\"]\n";
    let mut site = Site::open(&(posting_to(receiver.address, "types = [\"artifact.*\"]") + file));
    // A receiver that is slow and fails now and then.
    let mut n = 0;
    receiver.answers(move |_| {
        n += 1;
        std::thread::sleep(Duration::from_millis(5));
        if n % 4 == 0 { 500 } else { 202 }
    });
    for round in 0..8u64 {
        let version = ["1.0.0", "1.1.0", "2.0.0"][(round % 3) as usize];
        block(&site, version);
        site.told(&["quarantine", "unblock", &format!("TIDEGATE-LOCAL-{}", round + 1)]);
        // Between "not begun" and "long done".
        std::thread::sleep(Duration::from_millis(round * 60));
        site.kill_and_start();
    }
    let expected = told_ids(&site, "artifact.*");
    assert_eq!(expected.len(), 16);
    let last = expected.last().unwrap().clone();
    receiver.wait("the last event", || receiver.taken().iter().any(|p| p.id() == last).then_some(()));
    let mut seen = BTreeSet::new();
    let first_time: Vec<String> =
        receiver.taken().iter().map(Posted::id).filter(|id| seen.insert(id.clone())).collect();
    assert_eq!(first_time, expected, "nothing is lost, and the order is kept");
    // The same id is the same event.
    for posted in receiver.posted() {
        let same = receiver.posted().into_iter().filter(|p| p.id() == posted.id());
        assert!(same.map(|p| p.body).all(|body| body == posted.body));
    }
    let lines = receiver.wait("the last line", || {
        let text = std::fs::read_to_string(site.data.join("events.ndjson")).unwrap();
        let ids: Vec<String> = text
            .lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .map(|event| event["id"].as_str().unwrap().to_owned())
            .collect();
        ids.contains(&last).then_some(ids)
    });
    assert_eq!(lines, expected, "in a file each stands once");
}

/// As if the door had been killed after each line and before the note of it.
#[test]
fn a_file_that_is_ahead_of_its_note_gets_nothing_twice() {
    let receiver = Receiver::start();
    let mut site = Site::open("[events.file.siem]\npath = \"events.ndjson\"\ntypes = [\"artifact.*\"]\n");
    let ids = |site: &Site| -> Vec<String> {
        let text = std::fs::read_to_string(site.data.join("events.ndjson")).unwrap();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.map(|event| event["id"].as_str().unwrap().to_owned()).collect()
    };
    block(&site, "1.0.0");
    block(&site, "1.1.0");
    receiver.wait("two lines", || (ids(&site).len() == 2).then_some(()));
    site.kill_and_start_after(|data| {
        let catalogue = SqliteCatalogue::open(&data.join("catalogue.sqlite")).unwrap();
        catalogue.set_setting("events.sink.siem", "{\"cursor\":0}").unwrap();
        // And a line that was cut.
        let mut file = std::fs::OpenOptions::new().append(true).open(data.join("events.ndjson")).unwrap();
        file.write_all(b"{\"specversion\":\"1.0\",\"id\":\"half").unwrap();
    });
    block(&site, "2.0.0");
    receiver.wait("the third", || (ids(&site).len() >= 3).then_some(()));
    assert_eq!(ids(&site), told_ids(&site, "artifact.*"));
}

#[test]
fn an_event_that_is_refused_again_and_again_does_not_stop_the_others() {
    let receiver = Receiver::start();
    receiver.answers(|posted| if posted.event()["subject"] == "pkg:npm/lib@1.0.0" { 422 } else { 200 });
    let site = Site::open(&posting_to(receiver.address, "types = [\"artifact.*\"]"));
    block(&site, "1.0.0");
    block(&site, "1.1.0");
    let taken = receiver.wait_for("artifact.blocked");
    assert_eq!(taken["subject"], "pkg:npm/lib@1.1.0");
    let tries = receiver.posted().iter().filter(|p| p.status == 422).count();
    assert_eq!(tries, 5);
    let status = &site.json(&["status"])[0];
    let sink = &status["event_sinks"][0];
    assert_eq!((&sink["parked"], &sink["off"]), (&1.into(), &Value::Null));
    assert!(sink["parked_events"][0]["why"].as_str().unwrap().contains("422"));
    let alarms = site.told(&["alarms", "list"]);
    assert!(
        alarms.contains("event sink hook refused the event") && alarms.contains("tidegate events"),
        "{alarms}"
    );
    let metrics = crate::support::decoded_text(site.address, "/metrics");
    assert!(metrics.contains("tidegate_parked_events_total{sink=\"hook\"} 1"), "{metrics}");
    assert!(metrics.contains("tidegate_delivered_events_total{sink=\"hook\"} 1"), "{metrics}");
}

#[test]
fn a_receiver_that_is_gone_is_left_alone_until_the_door_starts_again() {
    let receiver = Receiver::start();
    receiver.answers(|_| 410);
    let mut site = Site::open(&posting_to(receiver.address, "types = [\"artifact.*\"]"));
    block(&site, "1.0.0");
    receiver.wait("the answer", || (!receiver.posted().is_empty()).then_some(()));
    let off = || site.json(&["status"]).remove(0);
    receiver.wait("the sink to be off", || off()["event_sinks"][0]["off"].is_string().then_some(()));
    let degraded = off()["degraded"].to_string();
    assert!(degraded.contains("events: sink hook is off"), "{degraded}");
    assert!(site.told(&["status"]).contains("off: the receiver wants nothing more (HTTP 410"));
    block(&site, "1.1.0");
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(receiver.posted().len(), 1, "it is left alone");
    receiver.answers(|_| 200);
    site.kill_and_start();
    receiver.wait("both events", || (receiver.taken().len() == 2).then_some(()));
    assert!(!site.json(&["status"])[0]["degraded"].to_string().contains("sink hook"));
}

#[test]
fn a_new_sink_begins_now_unless_it_is_told_to_begin_with_the_oldest() {
    let receiver = Receiver::start();
    let mut site = Site::open("");
    block(&site, "1.0.0");
    let both = |begin: &str| {
        format!(
            "[events.file.{begin}]\npath = \"{begin}.ndjson\"\nbegin = \"{begin}\"\ntypes = [\"artifact.*\"]\n"
        )
    };
    std::fs::write(site.data.join("tidegate.toml"), both("now") + &both("oldest")).unwrap();
    site.kill_and_start();
    block(&site, "1.1.0");
    let subjects = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(site.data.join(name)).unwrap_or_default();
        let events = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        events.map(|event| event["subject"].as_str().unwrap().to_owned()).collect()
    };
    let both = ["pkg:npm/lib@1.0.0", "pkg:npm/lib@1.1.0"];
    receiver.wait("all of it", || (subjects("oldest.ndjson") == both).then_some(()));
    receiver.wait("the new one", || (subjects("now.ndjson") == both[1..]).then_some(()));
}

#[test]
fn the_stream_is_read_from_any_place() {
    let site = Site::open("");
    assert!(site.told(&["events", "--type", "artifact.*"]).contains("nothing happened"));
    block(&site, "1.0.0");
    block(&site, "1.1.0");
    let all = site.json(&["events"]);
    assert!(all.iter().any(|event| event["type"] == "dev.tidegate.policy.activated"));
    let blocked = site.json(&["events", "--type", "artifact.blocked"]);
    assert_eq!(blocked.len(), 2);
    let record = blocked[0]["data"]["record"].as_str().unwrap();
    let seq = record.rsplit('-').next().unwrap();
    let after = site.json(&["events", "--since", seq, "--type", "artifact.blocked"]);
    assert_eq!(after, blocked[1..]);
    let since = |time: &str| site.json(&["events", "--since", time, "--type", "artifact.blocked"]).len();
    assert_eq!((since("2020-01-01"), since("2100-01-01")), (2, 0));
    assert_eq!(since(blocked[1]["time"].as_str().unwrap()), 1, "at that time and after it");
    let shown = site.told(&["events"]);
    assert!(shown.contains("artifact.blocked") && shown.contains("pkg:npm/lib@1.0.0"), "{shown}");
    for (wrong, what) in [
        (&["events", "--type", "nothing"][..], "no event of type `nothing`"),
        (&["events", "test"][..], "no event sink is configured"),
    ] {
        let refused = site.run(wrong).expect_failure();
        assert!(refused.stderr.contains(what), "{}", refused.stderr);
    }
    assert_eq!(site.run(&["events", "--since", "yesterday"]).code(), Some(2));
}

#[test]
fn a_door_whose_sink_cannot_be_used_does_not_open() {
    let home = tidegate_testkit::process::Home::new();
    let data = home.folder("data");
    let url = "url = \"https://hooks.test/in\"";
    std::fs::write(data.join("short"), "whsec_c2hvcnQ=").unwrap();
    let short = data.join("short");
    for (section, what, remedy) in [
        (
            format!("[events.webhook.hook]\n{url}\nsecret_env = \"NOT_THERE\"\n"),
            "`NOT_THERE` is not set",
            "printf",
        ),
        (
            format!("[events.webhook.hook]\n{url}\nsecret_file = \"/nowhere/secret\"\n"),
            "/nowhere/secret",
            "printf",
        ),
        (format!("[events.webhook.hook]\n{url}\nsecret_file = {short:?}\n"), "24 to 64 bytes", "printf"),
        ("[events.file.hook]\npath = \"nowhere/events\"\n".to_owned(), "nowhere/events", "make its folder"),
    ] {
        std::fs::write(data.join("tidegate.toml"), section).unwrap();
        let up = tidegate_testkit::process::Program::new(env!("CARGO_BIN_EXE_tidegate"), &home)
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data);
        let refused = up.run().expect_failure().stderr;
        assert!(refused.contains("event sink `hook` cannot be used"), "{refused}");
        assert!(refused.contains(what) && refused.contains(remedy), "{refused}");
        assert!(!refused.contains("c2hvcnQ"), "{refused}");
    }
}
