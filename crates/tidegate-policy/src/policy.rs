//! A compiled policy: what `decide` runs on.

use sha2::Digest as _;
use tidegate_model::Sha256;
use tidegate_model::decision::Action;
use tidegate_model::facts::FactState;

use crate::file::{FileSource, Mode, RuleSource, Waivable};
use crate::logic::States;
use crate::message::Template;
use crate::paths::{GroupId, Type};
use crate::source::Place;
use crate::tree::{FactLeaf, Test, Tree};

/// The term of a waiver for malware, in hours.
pub const MALWARE_WAIVER_HOURS: i64 = 72;

/// How many people must approve a waiver for malware, beside the one who asks.
pub const MALWARE_APPROVERS: u32 = 2;

/// A compiled policy.
#[derive(Clone)]
pub struct Policy {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) enforce: bool,
    pub(crate) approvers: u32,
    pub(crate) max_days: u32,
    pub(crate) default_unknown: Action,
    /// Sorted by id, so that the order of the file cannot matter.
    pub(crate) rules: Vec<Rule>,
    /// Groups that any rule reads.
    pub(crate) reads: u32,
    pub(crate) digest: Sha256,
    pub(crate) canonical: serde_json::Value,
    pub(crate) source: FileSource,
}

/// One compiled rule.
#[derive(Clone)]
pub struct Rule {
    pub(crate) id: String,
    pub(crate) at: Place,
    pub(crate) action: Action,
    pub(crate) waivable: Waivable,
    pub(crate) mode: Mode,
    pub(crate) controls: Vec<String>,
    pub(crate) obligations: Vec<String>,
    pub(crate) remediation: Option<Template>,
    pub(crate) message: Option<Template>,
    pub(crate) cooldown: bool,
    pub(crate) sealed: bool,
    pub(crate) grace_days: Option<u32>,
    pub(crate) unknown: UnknownActions,
    pub(crate) unknown_stated: bool,
    pub(crate) condition: Tree<FactLeaf>,
    pub(crate) reads: u32,
    /// Whether the condition asks for advisories, not only for how they are known.
    pub(crate) reads_advisories: bool,
}

/// The unknown-action per state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct UnknownActions(pub(crate) [Action; FactState::ALL.len()]);

impl UnknownActions {
    /// The most restrictive of the actions of `states`.
    pub(crate) fn of(&self, states: States) -> Action {
        states.iter().map(|s| self.0[s as usize]).max().unwrap_or(Action::Quarantine)
    }
}

impl std::fmt::Debug for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Policy({} {}, {} rules, {})", self.id, self.version, self.rules.len(), self.digest)
    }
}

impl Policy {
    /// The policy's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The policy's version.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Whether decisions are enforced; false where the policy only observes.
    pub const fn enforces(&self) -> bool {
        self.enforce
    }

    /// How many people must approve a waiver, beside the one who asks.
    pub const fn approvers(&self) -> u32 {
        self.approvers
    }

    /// The longest term of a waiver, in days.
    pub const fn max_waiver_days(&self) -> u32 {
        self.max_days
    }

    /// The rules, sorted by id.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// SHA-256 of [`Policy::canonical`]; the order of rules in the file does not change it.
    pub const fn digest(&self) -> Sha256 {
        self.digest
    }

    /// The policy as canonical JSON: sorted keys, rules by id, parameters and layers put in.
    pub const fn canonical(&self) -> &serde_json::Value {
        &self.canonical
    }

    /// Whether any rule in force reads the bytes' facts, so that an index decision may differ from the artifact's.
    pub fn reads_group(&self, name: &str) -> bool {
        GroupId::by_name(name).is_some_and(|g| self.reads & g.bit() != 0)
    }
}

impl Rule {
    /// The rule's id.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Where the rule stands in its file.
    pub const fn place(&self) -> &Place {
        &self.at
    }

    /// What it does when it holds.
    pub const fn action(&self) -> Action {
        self.action
    }

    /// Whether and how a waiver can silence it.
    pub const fn waivable(&self) -> Waivable {
        self.waivable
    }

    /// Whether it is in force.
    pub const fn mode(&self) -> Mode {
        self.mode
    }

    /// What it does when a fact it needs is in `state`.
    pub fn unknown_action(&self, state: FactState) -> Action {
        self.unknown.0[state as usize]
    }

    /// Requirements that it supports.
    pub fn controls(&self) -> &[String] {
        &self.controls
    }

    /// Whether it is part of the cool-down, which a proven security fix leaves early.
    pub const fn is_cooldown(&self) -> bool {
        self.cooldown
    }

    /// Whether lower layers may not touch it.
    pub const fn is_sealed(&self) -> bool {
        self.sealed
    }

    /// Whether it reads advisories, so that a waiver must name them.
    pub const fn reads_advisories(&self) -> bool {
        self.reads_advisories
    }

    /// Whether it reads the malware group or reports of malice, so that only a waiver by digest can silence it.
    pub(crate) fn reads_malware(&self) -> bool {
        let mut found = false;
        self.condition.visit(true, &mut |leaf, _| match leaf {
            FactLeaf::Test(test) => found |= test.path.group == GroupId::Malware && !is_suspicion(&test.test),
            FactLeaf::Advisories(_, tree) => {
                tree.visit_items(&mut |item| found |= item.path.name == "malicious")
            }
            FactLeaf::State(..) => {}
        });
        found
    }

    /// Whether it holds for provenance that failed verification.
    pub(crate) fn reads_failed_provenance(&self) -> bool {
        let mut found = false;
        self.condition.visit(true, &mut |leaf, positive| {
            if let FactLeaf::Test(test) = leaf
                && let (Type::Word(_), Test::OneOf(words)) = (test.path.ty, &test.test)
            {
                found |= positive
                    && test.path.name == "provenance.status"
                    && words.iter().any(|w| &**w == "invalid");
            }
        });
        found
    }
}

/// Asking only for `suspicious` is no statement about malware.
fn is_suspicion(test: &Test) -> bool {
    matches!(test, Test::OneOf(words) if words.iter().all(|w| &**w == "suspicious"))
}

/// SHA-256 of a value's canonical JSON.
pub(crate) fn digest_of(value: &serde_json::Value) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(value.to_string().as_bytes()).into())
}

/// The effective file as canonical JSON.
pub(crate) fn canonical(source: &FileSource, policy: &Policy) -> serde_json::Value {
    let mut rules: Vec<&RuleSource> = source.rules.iter().collect();
    rules.sort_by(|a, b| a.id.cmp(&b.id));
    let rules: Vec<serde_json::Value> = rules
        .iter()
        .filter_map(|s| policy.rules.iter().find(|r| r.id == s.id).map(|r| canonical_rule(s, r)))
        .collect();
    sorted([
        ("id", policy.id.as_str().into()),
        ("version", policy.version.as_str().into()),
        ("enforce", policy.enforce.into()),
        ("approvers", policy.approvers.into()),
        ("max_days", policy.max_days.into()),
        ("default_unknown", policy.default_unknown.as_str().into()),
        ("rules", rules.into()),
    ])
}

fn canonical_rule(source: &RuleSource, rule: &Rule) -> serde_json::Value {
    let text = |t: &Option<(String, Place)>| t.as_ref().map(|(t, _)| t.as_str()).into();
    let unknown = crate::file::untold_states()
        .map(|s| (s.as_str(), rule.unknown_action(s).as_str().into()))
        .collect::<Vec<(&str, serde_json::Value)>>();
    let mut params: Vec<(&str, serde_json::Value)> =
        source.params.iter().map(|p| (&*p.name, p.value.to_json())).collect();
    params.sort_by(|a, b| a.0.cmp(b.0));
    let node = |n: &Option<crate::source::Node>| n.as_ref().map_or(serde_json::Value::Null, |n| n.to_json());
    sorted([
        ("id", rule.id.as_str().into()),
        ("action", rule.action.as_str().into()),
        ("waivable", serde_json::to_value(rule.waivable).expect("a word")),
        ("mode", serde_json::to_value(rule.mode).expect("a small table")),
        ("controls", rule.controls.clone().into()),
        ("obligations", rule.obligations.clone().into()),
        ("remediation", text(&source.remediation)),
        ("message", text(&source.message)),
        ("cooldown", rule.cooldown.into()),
        ("sealed", rule.sealed.into()),
        ("grace_days", rule.grace_days.into()),
        ("unknown", serde_json::Value::Object(unknown.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ("params", serde_json::Value::Object(params.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())),
        ("applies", node(&source.applies)),
        ("when", node(&source.when)),
    ])
}

fn sorted<const N: usize>(mut entries: [(&str, serde_json::Value); N]) -> serde_json::Value {
    entries.sort_by(|a, b| a.0.cmp(b.0));
    serde_json::Value::Object(entries.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
}
