//! Cases: facts, waivers and a time, and what a policy must make of them.
//!
//! ```toml
//! now = "2026-11-21T09:00:00Z"          # for every case that names no other
//! [facts.artifact]                      # facts that every case starts from
//! purl = "pkg:npm/left-pad@1.3.0"
//!
//! [[case]]
//! name = "a young version is held"
//! facts.artifact.published_at = "2026-11-20T11:00:00Z"
//! [case.expect]
//! action = "quarantine"
//! rules = ["cooldown"]                  # exactly these, in any order
//! ```
//!
//! `pack = "baseline"` or `policy = '''…'''` names the policy where the file brings its own. Beside `action` and `rules`
//! a case may expect `unknown`, `waived`, `dry_run` (rule ids), `obligations`, `message` (a part of the leading
//! reason's), `until` (`selectable_from`; false for none) and `valid_until` (the same).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tidegate_model::Timestamp;
use tidegate_model::decision::{Action, Decision, Truth};
use tidegate_model::waiver::Waiver;

use crate::compile::Compiled;
use crate::decide::decide;
use crate::document::read_facts;
use crate::file::Mode;
use crate::policy::Policy;
use crate::source::PolicyErrors;
use crate::tree::{Context, Stage};
use crate::waivers::WaiverSet;

/// The most cases of one file.
pub const MAX_CASES: usize = 10_000;

/// A file of cases.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaseFile {
    /// A pack by name.
    #[serde(default)]
    pub pack: Option<String>,
    /// A policy in TOML.
    #[serde(default)]
    pub policy: Option<String>,
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(default)]
    facts: Option<Value>,
    #[serde(default)]
    waivers: Vec<Waiver>,
    #[serde(default)]
    case: Vec<Case>,
}

#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    #[serde(default)]
    now: Option<Timestamp>,
    #[serde(default)]
    facts: Option<Value>,
    #[serde(default)]
    waivers: Vec<Waiver>,
    expect: Expect,
}

#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    action: Action,
    rules: Option<BTreeSet<String>>,
    unknown: Option<BTreeSet<String>>,
    waived: Option<BTreeSet<String>>,
    dry_run: Option<BTreeSet<String>>,
    obligations: Option<BTreeSet<String>>,
    message: Option<String>,
    until: Option<Moment>,
    valid_until: Option<Moment>,
}

/// A time, or `false` for none.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(untagged)]
enum Moment {
    At(Timestamp),
    None(bool),
}

/// A case file that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum InvalidCases {
    /// It is not TOML or JSON of the described form.
    #[error("{origin}: {why}")]
    Form {
        /// The file.
        origin: String,
        /// What is wrong.
        why: String,
    },
    /// One of its cases cannot be set up.
    #[error("{origin}: case `{case}`: {why}")]
    Case {
        /// The file.
        origin: String,
        /// Which case.
        case: String,
        /// What is wrong.
        why: String,
    },
}

/// What came of a file of cases.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub struct Report {
    /// How many cases came out as expected.
    pub passed: usize,
    /// The others.
    pub failed: Vec<Failure>,
    /// Rules whose condition was never true, never false, never unknown in any case.
    pub coverage: Coverage,
}

/// A case that came out otherwise.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Failure {
    /// Which case.
    pub case: String,
    /// Each difference.
    pub differences: Vec<String>,
}

/// Which outcomes no case brought about.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Coverage {
    /// Rules that were never true.
    pub never_true: Vec<String>,
    /// Rules that were never false.
    pub never_false: Vec<String>,
    /// Rules that were never unknown: the outcome that is forgotten most.
    pub never_unknown: Vec<String>,
}

impl CaseFile {
    /// Reads a file of cases: JSON where it begins with a brace, TOML otherwise.
    ///
    /// # Errors
    /// [`InvalidCases::Form`].
    pub fn parse(source: &str, origin: &str) -> Result<Self, InvalidCases> {
        let form = |why: String| InvalidCases::Form { origin: origin.to_owned(), why };
        let value = if source.trim_start().starts_with('{') {
            serde_json::from_str(source).map_err(|e| form(e.to_string()))?
        } else {
            let table: toml::Table = toml::from_str(source).map_err(|e| form(e.to_string()))?;
            json(toml::Value::Table(table))
        };
        let file: Self = serde_json::from_value(value).map_err(|e| form(e.to_string()))?;
        if file.case.len() > MAX_CASES {
            return Err(form(format!("more than {MAX_CASES} cases")));
        }
        Ok(file)
    }

    /// The policy that the file brings, if it does.
    pub fn own_policy(&self, origin: &str) -> Option<Result<Policy, PolicyErrors>> {
        match (&self.policy, &self.pack) {
            (Some(source), _) => Some(
                Policy::compile(source, &format!("{origin}#policy")).map(|Compiled { policy, .. }| policy),
            ),
            (None, Some(pack)) => Policy::pack(pack).map(Ok),
            (None, None) => None,
        }
    }

    /// Runs the cases.
    ///
    /// # Errors
    /// [`InvalidCases::Case`] where the facts of a case cannot be read.
    pub fn run(&self, policy: &Policy, origin: &str) -> Result<Report, InvalidCases> {
        let mut report = Report::default();
        let mut seen: BTreeMap<&str, BTreeSet<&'static str>> = BTreeMap::new();
        for case in &self.case {
            let invalid =
                |why: String| InvalidCases::Case { origin: origin.to_owned(), case: case.name.clone(), why };
            let now = case.now.or(self.now).ok_or_else(|| invalid("there is no `now`".to_owned()))?;
            let mut document = self.facts.clone().unwrap_or_else(|| Value::Object(Default::default()));
            overlay(&mut document, case.facts.clone());
            let (facts, _) = read_facts(document).map_err(|e| invalid(e.to_string()))?;
            let waivers = WaiverSet::new(self.waivers.iter().chain(&case.waivers).cloned().collect());
            let context = Context::new(&facts, now, Stage::of(&facts));
            for rule in policy.rules.iter().filter(|r| r.mode != Mode::Off) {
                seen.entry(&rule.id).or_default().insert(rule.truth(&context).as_str());
            }
            let differences = case.expect.compare(&decide(policy, &facts, &waivers, now));
            if differences.is_empty() {
                report.passed += 1;
            } else {
                report.failed.push(Failure { case: case.name.clone(), differences });
            }
        }
        let missing = |word: &str| -> Vec<String> {
            seen.iter()
                .filter(|(_, truths)| !truths.contains(word))
                .map(|(rule, _)| (*rule).to_owned())
                .collect()
        };
        report.coverage = Coverage {
            never_true: missing("true"),
            never_false: missing("false"),
            never_unknown: missing("unknown"),
        };
        Ok(report)
    }
}

/// Runs the cases of a TOML or JSON file against a policy.
///
/// # Errors
/// [`InvalidCases`] where the file or one of its cases cannot be used.
pub fn run_cases(policy: &Policy, source: &str, origin: &str) -> Result<Report, InvalidCases> {
    CaseFile::parse(source, origin)?.run(policy, origin)
}

impl Expect {
    fn compare(&self, found: &Decision) -> Vec<String> {
        let mut out = Vec::new();
        let mut differ = |what: &str, expected: String, found: String| {
            if expected != found {
                out.push(format!("{what}: expected {expected}, found {found}"));
            }
        };
        differ("action", self.action.to_string(), found.action.to_string());
        let ids = |truth: Option<Truth>| -> BTreeSet<String> {
            let wanted = found.reasons.iter().filter(|r| truth.is_none_or(|t| r.truth == t));
            wanted.map(|r| r.rule.clone()).collect()
        };
        let dry = || found.dry_run.iter().flat_map(|d| d.reasons.iter().map(|r| r.rule.clone())).collect();
        for (what, expected, found) in [
            ("rules", &self.rules, ids(None)),
            ("unknown", &self.unknown, ids(Some(Truth::Unknown))),
            ("waived", &self.waived, found.waived.iter().map(|w| w.rule.clone()).collect()),
            ("dry_run", &self.dry_run, dry()),
            ("obligations", &self.obligations, found.obligations.iter().cloned().collect()),
        ] {
            if let Some(expected) = expected {
                differ(what, format!("{expected:?}"), format!("{found:?}"));
            }
        }
        for (what, expected, found) in [
            ("until", &self.until, found.selectable_from),
            ("valid_until", &self.valid_until, found.valid_until),
        ] {
            let told = |t: Option<Timestamp>| t.map_or("none".to_owned(), |t| t.to_string());
            match expected {
                Some(Moment::At(at)) => differ(what, told(Some(*at)), told(found)),
                Some(Moment::None(some)) => differ(what, some.to_string(), found.is_some().to_string()),
                None => {}
            }
        }
        if let Some(part) = &self.message {
            let message = found.leading_reason().map_or("", |r| &*r.message);
            if !message.contains(part.as_str()) {
                differ("message", format!("…{part}…"), message.to_owned());
            }
        }
        out
    }
}

/// Puts `over` on top of `base`, table by table.
fn overlay(base: &mut Value, over: Option<Value>) {
    match (base, over) {
        (Value::Object(base), Some(Value::Object(over))) => {
            for (key, value) in over {
                overlay(base.entry(key).or_insert(Value::Null), Some(value));
            }
        }
        (base, Some(over)) => *base = over,
        (_, None) => {}
    }
}

fn json(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(at) => at.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json).collect(),
        toml::Value::Table(table) => Value::Object(table.into_iter().map(|(k, v)| (k, json(v))).collect()),
    }
}
