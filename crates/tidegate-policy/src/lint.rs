//! What could be better about a policy that compiles.
//!
//! What cannot compile (an unknown fact, a type clash, a loosening, a twin id) is an error, not lint.

use std::collections::BTreeSet;

use tidegate_model::Timestamp;
use tidegate_model::decision::Action;

use crate::file::{Mode, Waivable};
use crate::policy::{Policy, Rule};
use crate::source::Place;
use crate::tree::{FactLeaf, FactTest, Order, Test, Tree};
use crate::waivers::WaiverSet;

/// How much a finding of lint matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Something to know.
    Note,
    /// Something to mend.
    Warning,
}

/// One finding of lint.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Lint {
    /// How much it matters.
    pub level: Level,
    /// Stable name of the check.
    pub code: &'static str,
    /// The rule it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What is wrong.
    pub what: String,
    /// What to do.
    pub remedy: String,
}

impl std::fmt::Display for Lint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let level = if self.level == Level::Note { "note" } else { "warning" };
        write!(f, "{}: {level}[{}]: {}", self.place, self.code, self.what)?;
        if self.remedy.is_empty() { Ok(()) } else { write!(f, "; {}", self.remedy) }
    }
}

/// Checks a policy and the waivers that go with it; `now` lets it judge dates.
pub fn lint(policy: &Policy, waivers: &WaiverSet, now: Option<Timestamp>) -> Vec<Lint> {
    let mut out = Vec::new();
    for rule in policy.rules.iter().filter(|r| r.mode != Mode::Off) {
        let mut warn = |code, what: String, remedy: &str| {
            out.push(Lint {
                level: Level::Warning,
                code,
                rule: Some(rule.id.clone()),
                place: rule.at.clone(),
                what: format!("rule `{}` {what}", rule.id),
                remedy: remedy.to_owned(),
            });
        };
        one(rule, now, &mut warn);
        if let Some(by) = policy.rules.iter().find(|other| shadows(other, rule)) {
            let what = format!("never decides: `{}` holds whenever it does and is stricter", by.id);
            warn("shadowed", what, "take it out, or narrow the stricter rule");
        }
    }
    for waiver in waivers.iter() {
        waiver_lint(policy, waiver, &mut out);
    }
    out.push(classes(policy));
    out
}

fn one(rule: &Rule, now: Option<Timestamp>, warn: &mut impl FnMut(&'static str, String, &str)) {
    if rule.action == Action::Block && !rule.unknown_stated {
        let remedy = "add `unknown`: one action, or one per state";
        warn("no-unknown-action", "blocks, and does not say what a missing fact means".into(), remedy);
    }
    if rule.action >= Action::Quarantine && rule.remediation.is_none() {
        let remedy = "add `remediation`: one sentence for the person who is stopped";
        warn("no-remediation", "stops people and does not say what to do".into(), remedy);
    }
    if let Some(why) = contradiction(&rule.condition) {
        warn("never-fires", format!("can never hold: {why}"), "mend the condition");
    }
    let mut wide = false;
    rule.condition.visit(true, &mut |leaf, _| {
        if let FactLeaf::Test(FactTest { test: Test::Glob(globs), .. }) = leaf {
            wide |= globs.iter().any(crate::glob::Glob::matches_all);
        }
    });
    if wide {
        warn(
            "wide-glob",
            "has a glob that matches everything".into(),
            "name what is meant, or take the test out",
        );
    }
    if let (Mode::DryRun { until: Some(until) }, Some(now)) = (rule.mode, now)
        && now >= until
    {
        let what = format!("was in dry run until {}, and acts now", until.to_minute());
        warn("dry-run-over", what, "write `mode = \"enforce\"`, or a later `until`");
    }
}

fn waiver_lint(policy: &Policy, waiver: &tidegate_model::waiver::Waiver, out: &mut Vec<Lint>) {
    let mut warn = |code, what: String, remedy: &str| {
        out.push(Lint {
            level: Level::Warning,
            code,
            rule: None,
            place: Place { file: "waivers".to_owned(), line: 1, column: 1 },
            what: format!("waiver `{}` {what}", waiver.id),
            remedy: remedy.to_owned(),
        });
    };
    for id in &waiver.rules {
        let Some(rule) = policy.rules.iter().find(|r| r.id == *id && r.mode != Mode::Off) else {
            warn("waiver-without-rule", format!("names `{id}`, which is no rule in force"), "take it out");
            continue;
        };
        if rule.waivable == Waivable::No {
            warn("waiver-in-vain", format!("names `{id}`, which nothing waives"), "take it out");
        } else if rule.waivable == Waivable::Digest && waiver.digest.is_none() {
            warn(
                "waiver-in-vain",
                format!("names `{id}`, which is waived by digest only"),
                "give the digest",
            );
        } else if rule.reads_advisories && waiver.advisories.is_empty() {
            warn("waiver-in-vain", format!("names `{id}` and no advisory"), "name the advisories");
        }
    }
    if waiver.expires_at.is_none() || waiver.created_at.is_none() {
        warn("waiver-in-vain", "has no `created_at` or no `expires_at`".into(), "give both");
    }
}

fn classes(policy: &Policy) -> Lint {
    let selectors = policy.principal_selectors();
    let what = match selectors {
        0 => "the policy makes 1 principal class: index views are shared by everybody".to_owned(),
        n => format!(
            "{n} selectors read the principal or the request: up to {} principal classes",
            2u64.saturating_pow(u32::try_from(n).unwrap_or(u32::MAX))
        ),
    };
    Lint {
        level: Level::Note,
        code: "principal-classes",
        rule: None,
        place: policy.source.header.at.clone(),
        what,
        remedy: String::new(),
    }
}

/// The leaves that must all hold, with whether they must hold or must not.
fn conjuncts<'t>(tree: &'t Tree<FactLeaf>, positive: bool, out: &mut Vec<(&'t FactLeaf, bool)>) -> bool {
    match tree {
        Tree::All(parts) if positive => each_conjunct(parts, positive, out),
        Tree::Any(parts) if !positive => each_conjunct(parts, positive, out),
        Tree::All(parts) | Tree::Any(parts) if parts.len() == 1 => conjuncts(&parts[0], positive, out),
        Tree::Not(part) => conjuncts(part, !positive, out),
        Tree::Leaf(leaf) => {
            out.push((leaf, positive));
            true
        }
        // Alternatives: not a list of what must hold.
        Tree::All(_) | Tree::Any(_) => false,
    }
}

fn each_conjunct<'t>(
    parts: &'t [Tree<FactLeaf>],
    positive: bool,
    out: &mut Vec<(&'t FactLeaf, bool)>,
) -> bool {
    let mut whole = true;
    for part in parts {
        whole &= conjuncts(part, positive, out);
    }
    whole
}

/// Whether `by` holds whenever `rule` does, is stricter and in force.
fn shadows(by: &Rule, rule: &Rule) -> bool {
    if by.id == rule.id || by.mode != Mode::Enforce || by.action <= rule.action || by.grace_days.is_some() {
        return false;
    }
    if by.cooldown && !rule.cooldown {
        return false;
    }
    let (mut theirs, mut ours) = (Vec::new(), Vec::new());
    let whole = conjuncts(&by.condition, true, &mut theirs);
    conjuncts(&rule.condition, true, &mut ours);
    let ours: BTreeSet<String> = ours.iter().map(|c| format!("{c:?}")).collect();
    whole && theirs.iter().all(|c| ours.contains(&format!("{c:?}")))
}

/// Two conditions that cannot hold together, in words.
fn contradiction(tree: &Tree<FactLeaf>) -> Option<String> {
    let mut all = Vec::new();
    conjuncts(tree, true, &mut all);
    for (i, (a, a_holds)) in all.iter().enumerate() {
        for (b, b_holds) in &all[i + 1..] {
            if a_holds != b_holds && format!("{a:?}") == format!("{b:?}") {
                return Some(format!("{} is asked and denied", crate::explain::describe_leaf(a)));
            }
            let (FactLeaf::Test(x), FactLeaf::Test(y)) = (a, b) else { continue };
            // On lists any element may fit, so two tests of one list never exclude each other.
            let single = x.path.ty != crate::paths::Type::List;
            if *a_holds && *b_holds && single && x.path.name == y.path.name && disjoint(&x.test, &y.test) {
                return Some(format!(
                    "{} and {} exclude each other",
                    crate::explain::describe_leaf(a),
                    crate::explain::describe_leaf(b)
                ));
            }
        }
    }
    None
}

fn disjoint(a: &Test, b: &Test) -> bool {
    use Test::{AtLeastOld, Compare, Exists, Is, Numbers, OneOf, Rank, Severities, Younger};
    match (a, b) {
        (Is(x), Is(y)) | (Exists(x), Exists(y)) => x != y,
        (OneOf(x), OneOf(y)) => x.iter().all(|w| !y.contains(w)),
        (Severities(x), Severities(y)) => x.iter().all(|w| !y.contains(w)),
        (Numbers(x), Numbers(y)) => x.iter().all(|w| !y.contains(w)),
        (Younger(x), AtLeastOld(y)) | (AtLeastOld(y), Younger(x)) => x <= y,
        (Compare(x, m), Compare(y, n)) => apart(*x, *y, m.total_cmp(n)),
        (Rank(x, m), Rank(y, n)) => apart(*x, *y, m.cmp(n)),
        (Exists(false), _) | (_, Exists(false)) => true,
        _ => false,
    }
}

/// Whether `< m` (or `<=`) and `> n` (or `>=`) leave no room; `mn` orders m against n.
fn apart(x: Order, y: Order, mn: std::cmp::Ordering) -> bool {
    use Order::{AtLeast, AtMost, Less, More};
    match (x, y) {
        (Less, More | AtLeast) | (AtMost, More) => mn.is_le(),
        (AtMost, AtLeast) => mn.is_lt(),
        (More | AtLeast, Less) | (More, AtMost) => mn.is_ge(),
        (AtLeast, AtMost) => mn.is_gt(),
        _ => false,
    }
}
