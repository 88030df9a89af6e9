//! One component's answer: what the door said, and the line of `--json` that it becomes.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use tidegate_model::decision::{Gap, Reason, Truth};
use tidegate_model::facts::{FactState, Severity, Vulnerability};
use tidegate_model::{Action, Timestamp};

use super::input::{Item, sha256};
use crate::run::precheck::text;

/// One component's answer.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What would happen; `None` where it could not be decided.
    pub action: Option<Action>,
    /// Why it could not be decided, or not in full.
    pub error: Option<String>,
    /// The live rules.
    pub reasons: Vec<Reason>,
    /// What advisories say, worst first.
    pub findings: Vec<Told>,
    /// What is not known.
    pub gaps: Vec<Gap>,
    /// The nearest version that policy lets through and nothing touches.
    pub nearest: Option<String>,
    /// The highest version that policy lets through.
    pub newest: Option<String>,
    /// When time alone lets it through.
    pub selectable_from: Option<Timestamp>,
    /// The answer as a line of `--json`.
    pub json: Value,
}

/// One advisory that touches a component, as a door tells it.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Told {
    /// `vulnerability`, `malware`, `unmaintained`, `unsound` or `notice`.
    pub kind: String,
    /// Whether it certainly touches the version.
    pub certain: bool,
    /// Whether nothing speaks against it.
    pub confident: bool,
    /// The facts.
    pub vulnerability: Vulnerability,
    /// One line.
    pub summary: Option<String>,
    /// The whole text, where it was asked for.
    pub details: Option<String>,
    /// Addresses to read on.
    pub links: Vec<String>,
    /// Weaknesses, by their CWE number.
    pub cwes: Vec<u32>,
    /// Who publishes it.
    pub source: Option<String>,
    /// When it was published.
    pub published: Option<Timestamp>,
    /// When it was changed last.
    pub modified: Option<Timestamp>,
}

impl Told {
    /// Whether it is a flaw or malice, and not news of a package's upkeep.
    pub fn counts(&self) -> bool {
        matches!(self.kind.as_str(), "vulnerability" | "malware")
    }

    /// Whether a trusted author says that it does no harm here.
    pub fn is_cleared(&self) -> bool {
        let vex = self.vulnerability.vex.as_ref().filter(|vex| vex.trusted);
        vex.is_some_and(|vex| matches!(vex.status.as_str(), "not_affected" | "fixed"))
    }

    /// The severity that counts; malice is critical by itself.
    pub fn severity(&self) -> Option<Severity> {
        if self.vulnerability.malicious {
            return Some(Severity::Critical);
        }
        self.vulnerability.effective_severity.or(self.vulnerability.severity).filter(|_| self.counts())
    }

    /// The word for it in findings: what nobody rated has none.
    fn severity_word(&self) -> Option<&'static str> {
        match self.severity() {
            Some(Severity::Critical) => Some("critical"),
            Some(Severity::High) => Some("high"),
            Some(Severity::Medium) => Some("medium"),
            Some(Severity::Low) => Some("low"),
            Some(Severity::None) => Some("info"),
            None => (!self.counts()).then_some("info"),
        }
    }

    /// In what order findings are told: malice, exploited, then by severity and likelihood.
    fn rank(&self) -> impl Ord {
        let facts = &self.vulnerability;
        let epss = (facts.epss.unwrap_or(0.0) * 1e6) as u32;
        (!self.is_cleared(), facts.malicious, facts.kev == Some(true), self.severity(), epss)
    }

    /// One line: id, how bad, what, what mends it.
    pub fn line(&self) -> String {
        let facts = &self.vulnerability;
        let mut how: Vec<String> = Vec::new();
        match self.kind.as_str() {
            "malware" => how.push("malicious".into()),
            "vulnerability" => match (self.severity_word(), facts.cvss_score) {
                (Some(word), Some(score)) => how.push(format!("{word} {score:.1}")),
                (Some(word), None) => how.push(word.into()),
                (None, _) => how.push("not rated".into()),
            },
            other => how.push(other.into()),
        }
        if facts.kev == Some(true) {
            how.push("exploited".into());
        }
        if let Some(epss) = facts.epss {
            how.push(format!("EPSS {:.1} %", epss * 100.0));
        }
        if !self.certain {
            how = vec!["it cannot be told whether this version is touched".into()];
        }
        if let Some(vex) = facts.vex.as_ref().filter(|vex| vex.trusted) {
            let author = vex.author.as_deref().unwrap_or("an author");
            how.push(format!("{} says {}", author, vex.status.replace('_', " ")));
        }
        let mut line = format!("{} ({})", facts.id, how.join(", "));
        if let Some(summary) = self.summary.as_deref().filter(|summary| !summary.is_empty()) {
            line.push_str(&format!(": {summary}"));
        }
        match facts.fixed_in.as_slice() {
            [] if self.kind == "vulnerability" && self.certain => {
                line.push_str("; no fixed version is known")
            }
            [] => {}
            fixed => line.push_str(&format!("; fixed in {}", fixed.join(", "))),
        }
        line
    }

    /// The finding as `--json` tells it.
    fn json(&self, item: &Item) -> Value {
        let facts = &self.vulnerability;
        let kind = if facts.malicious { "malware" } else { "vulnerability" };
        let confidence = match (self.certain, self.confident) {
            (false, _) => "low",
            (true, false) => "medium",
            (true, true) => "high",
        };
        let effective = match self.severity() {
            Some(Severity::None) => json!("none"),
            Some(_) => json!(self.severity_word()),
            None => Value::Null,
        };
        let mut finding = Map::new();
        finding.insert("detector".into(), format!("advisories/{}", self.kind).into());
        finding.insert("kind".into(), kind.into());
        if let Some(word) = self.severity_word() {
            finding.insert("severity".into(), word.into());
        }
        finding.insert("confidence".into(), confidence.into());
        if let Some(place) = &item.place {
            finding.insert("location".into(), json!({ "path": item.input, "line": place.line }));
        }
        finding.insert("message".into(), self.line().into());
        finding.insert(
            "advisory".into(),
            json!({
                "id": facts.id, "aliases": facts.aliases, "effective_severity": effective, "severity": facts.severity,
                "cvss": facts.cvss, "cvss_score": facts.cvss_score, "kev": facts.kev, "epss": facts.epss,
                "fixed_in": facts.fixed_in, "vex": facts.vex, "known_since": facts.known_since,
                "url": self.links.first(),
            }),
        );
        finding.into()
    }
}

impl Answer {
    /// What a door told of an item.
    pub fn of(item: &Item, told: &Value) -> Self {
        let list = |value: Option<&Value>| value.cloned().filter(|value| value.is_array());
        let mut findings: Vec<Told> = list(told.get("findings"))
            .and_then(|findings| serde_json::from_value(findings).ok())
            .unwrap_or_default();
        findings.sort_by(|a, b| {
            b.rank().cmp(&a.rank()).then_with(|| a.vulnerability.id.cmp(&b.vulnerability.id))
        });
        let decision = told.get("decision").filter(|decision| decision.is_object());
        let of_decision = |key: &str| list(decision.and_then(|decision| decision.get(key)));
        let read = |value: Option<Value>| value.and_then(|value| serde_json::from_value(value).ok());
        let mut gaps: Vec<Gap> =
            of_decision("gaps").and_then(|gaps| serde_json::from_value(gaps).ok()).unwrap_or_default();
        let decided = text(told, "status") == "decided";
        let error = (!decided).then(|| text(told, "error").to_owned());
        let gap = |fact: &str, state, why: &str| Gap { fact: fact.into(), state, why: Some(why.into()) };
        if !text(told, "stale").is_empty() {
            gaps.push(gap("index", FactState::Stale, text(told, "stale")));
        }
        if let Some(error) = &error {
            gaps.push(gap("artifact", FactState::Error, error));
        }
        // What an observing policy lets through is let through; what it would have done stands beside it.
        let observed = decision.and_then(|d| d.get("enforced")).and_then(Value::as_bool) == Some(false);
        let action = (decided || decision.is_some()).then(|| {
            let would = crate::run::precheck::action(told);
            if observed { would.min(Action::Warn) } else { would }
        });
        let text_of = |key: &str| Some(text(told, key).to_owned()).filter(|text| !text.is_empty());
        let mut answer = Self {
            action,
            error,
            reasons: read(of_decision("reasons")).unwrap_or_default(),
            findings,
            gaps,
            nearest: text_of("nearest_compliant"),
            newest: text_of("newest_compliant"),
            selectable_from: text(told, "selectable_from").parse().ok(),
            json: Value::Null,
        };
        answer.json = answer.as_json(item, told, decision);
        answer
    }

    fn as_json(&self, item: &Item, told: &Value, decision: Option<&Value>) -> Value {
        let mut artifact = Map::new();
        let name = told.get("file").filter(|file| !file.is_null()).cloned();
        if let Some(name) = name.or_else(|| item.purl.is_none().then(|| item.name.clone().into())) {
            artifact.insert("name".into(), name);
        }
        if let Some(purl) = &item.purl {
            artifact.insert("purl".into(), purl.clone().into());
        } else if let Some(version) = &item.version {
            artifact.insert("version".into(), version.clone().into());
        }
        if let Some(sha256) = sha256(item) {
            artifact.insert("sha256".into(), sha256.into());
        }
        artifact.insert("kind".into(), "package".into());
        let mut line = Map::new();
        line.insert("schema".into(), super::SCHEMA.into());
        line.insert("input".into(), item.input.clone().into());
        line.insert("artifact".into(), artifact.into());
        if let Some(mut decision) = decision.cloned() {
            if let Some(decision) = decision.as_object_mut() {
                decision.insert("action".into(), json!(self.action));
                decision.remove("gaps");
            }
            line.insert("decision".into(), decision);
        }
        if let Some(error) = &self.error {
            line.insert(
                "error".into(),
                json!({ "code": told.get("code"), "message": error, "detail": told.get("detail") }),
            );
        }
        line.insert("findings".into(), self.findings.iter().map(|finding| finding.json(item)).collect());
        line.insert("gaps".into(), json!(self.gaps));
        if let Some(version) = &self.nearest {
            line.insert("nearest_compliant".into(), version.clone().into());
        }
        if let Some(version) = &self.newest {
            line.insert("newest_compliant".into(), version.clone().into());
        }
        line.into()
    }

    /// Whether advisories could be asked about it and were all there.
    pub fn is_judged_by_advisories(&self) -> bool {
        !self.gaps.iter().any(|gap| gap.fact == "vulnerabilities")
            && (self.error.is_none() || self.action.is_some())
    }

    /// Whether anybody has to do something about it.
    pub fn needs_action(&self) -> bool {
        self.action.is_none_or(|action| !action.serves())
            || self.error.is_some()
            || self.findings.iter().any(|finding| finding.counts() && !finding.is_cleared())
            || self.warns()
    }

    /// Whether it warns of something that is known, and not only of what is not.
    fn warns(&self) -> bool {
        let warnings = self.reasons.iter().filter(|reason| reason.action == Action::Warn);
        warnings.into_iter().any(is_of_something_known)
    }
}

/// Whether a rule acted on a fact, and not on the want of one.
pub(super) fn is_of_something_known(reason: &Reason) -> bool {
    let facts = &reason.because.facts;
    let of_gaps = !facts.is_empty() && facts.iter().all(|fact| fact.state != FactState::Known);
    reason.truth == Truth::True && !of_gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item() -> Item {
        Item {
            input: "pkg:npm/x@1.0.0".into(),
            purl: Some("pkg:npm/x@1.0.0".into()),
            name: "x".into(),
            version: Some("1.0.0".into()),
            ..Item::default()
        }
    }

    #[test]
    fn an_answer_has_the_shape_of_every_decision() {
        let told = json!({
            "purl": "pkg:npm/x@1.0.0", "file": "x-1.0.0.tgz", "status": "decided", "served": false, "action": "quarantine",
            "rule": "fresh", "message": "too new", "newest_compliant": "0.9.0",
            "decision": { "action": "quarantine", "enforced": true, "reasons": [], "gaps": [{ "fact": "secrets", "state": "not_scanned" }] },
            "findings": [{ "kind": "vulnerability", "certain": true, "confident": true, "summary": "reads any file",
                "vulnerability": { "id": "CVE-2026-1000", "aliases": ["GHSA-a"], "effective_severity": "high",
                    "cvss_score": 7.5, "kev": true, "epss": 0.5, "fixed_in": ["1.0.1"] } }],
        });
        let answer = Answer::of(&item(), &told);
        assert_eq!(answer.action, Some(Action::Quarantine));
        assert_eq!(answer.json["decision"]["action"], "quarantine");
        assert_eq!(answer.json["gaps"][0]["fact"], "secrets");
        assert_eq!(answer.json["artifact"]["name"], "x-1.0.0.tgz");
        let finding = &answer.json["findings"][0];
        assert_eq!((&finding["kind"], &finding["severity"]), (&json!("vulnerability"), &json!("high")));
        assert_eq!(finding["advisory"]["kev"], true);
        assert_eq!(
            answer.findings[0].line(),
            "CVE-2026-1000 (high 7.5, exploited, EPSS 50.0 %): reads any file; fixed in 1.0.1"
        );
    }

    #[test]
    fn what_cannot_be_decided_is_no_admission() {
        let told = json!({ "purl": "pkg:npm/x@1.0.0", "status": "failed", "error": "the upstream is down" });
        let answer = Answer::of(&item(), &told);
        assert_eq!(answer.action, None);
        assert_eq!(answer.json["gaps"][0]["state"], "error");
        assert!(answer.json.get("decision").is_none());
        assert!(answer.needs_action());
    }

    #[test]
    fn what_advisories_refuse_is_refused_although_nothing_else_is_known() {
        let told = json!({
            "status": "not_found", "error": "no such version", "action": "block", "served": false,
            "decision": { "action": "block", "enforced": true, "reasons": [], "gaps": [] },
            "findings": [{ "kind": "malware", "certain": true, "confident": true, "vulnerability": { "id": "MAL-1", "malicious": true } }],
        });
        let answer = Answer::of(&item(), &told);
        assert_eq!(answer.action, Some(Action::Block));
        let finding = &answer.json["findings"][0];
        assert_eq!((&finding["kind"], &finding["severity"]), (&json!("malware"), &json!("critical")));
        assert_eq!(finding["advisory"]["effective_severity"], "critical");
    }

    #[test]
    fn only_what_is_known_asks_for_action() {
        let answer = |state: &str, truth: &str| {
            Answer::of(
                &item(),
                &json!({ "status": "decided", "action": "warn", "decision": { "action": "warn", "enforced": true, "gaps": [],
                    "reasons": [{ "rule": "r", "truth": truth, "action": "warn", "message": "m",
                        "because": { "facts": [{ "path": "p", "state": state }] } }] } }),
            )
        };
        assert!(answer("known", "true").needs_action());
        assert!(!answer("not_scanned", "true").needs_action());
        assert!(!answer("known", "unknown").needs_action());
    }
}
