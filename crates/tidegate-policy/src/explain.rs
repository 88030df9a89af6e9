//! Explaining: each rule with its truth and the facts behind it, as data and as text.

use std::fmt::Write as _;

use tidegate_model::Timestamp;
use tidegate_model::decision::{Action, Decision};
use tidegate_model::facts::Facts;

use crate::decide::{Verdict, decide, judge};
use crate::file::Mode;
use crate::logic::Tri;
use crate::paths::severity_word;
use crate::policy::Policy;
use crate::tree::{Context, FactLeaf, ItemTest, Quantifier, Stage, Test, Tree};
use crate::waivers::WaiverSet;

/// A decision with the way to it.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Explanation {
    /// The decision.
    pub decision: Decision,
    /// Which policy decided.
    pub policy: String,
    /// When.
    pub at: Timestamp,
    /// Every rule, by id.
    pub rules: Vec<RuleExplanation>,
}

/// What became of one rule.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RuleExplanation {
    /// Rule id.
    pub rule: String,
    /// Whether it is in force.
    #[serde(flatten)]
    pub mode: Mode,
    /// `true`, `false` or `unknown`.
    pub truth: &'static str,
    /// What it does about it; none where it does nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// Waivers that silence it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub waived_by: Vec<String>,
    /// Its condition, part by part.
    pub condition: Part,
}

/// A part of a condition with its truth.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Part {
    /// What is asked.
    pub what: String,
    /// `true`, `false` or `unknown`.
    pub truth: &'static str,
    /// How the fact is known, for one fact.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    /// The fact's value, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<serde_json::Value>,
    /// Parts of it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Self>,
}

/// Decides, and shows every rule with the facts it read.
pub fn explain(policy: &Policy, facts: &Facts, waivers: &WaiverSet, now: Timestamp) -> Explanation {
    let context = Context::new(facts, now, Stage::of(facts));
    let scoped = waivers.in_scope(facts);
    let rules = policy.rules.iter().map(|rule| {
        let truth = rule.truth(&context);
        let (action, waived_by) = match judge(policy, rule, &scoped, &context) {
            Verdict::Silent => (None, Vec::new()),
            Verdict::Waived(ids) => (None, ids),
            Verdict::Acts { action, .. } => (Some(action), Vec::new()),
        };
        let mut condition = part(&rule.condition, true, &context);
        if rule.cooldown && !facts.artifact.security_fix_for.is_empty() {
            condition.what = format!("{}; lifted by a proven security fix", condition.what);
        }
        RuleExplanation {
            rule: rule.id.clone(),
            mode: rule.mode,
            truth: truth.as_str(),
            action,
            waived_by,
            condition,
        }
    });
    let rules = rules.collect();
    let policy_name = format!("{} {}", policy.id, policy.version);
    Explanation { decision: decide(policy, facts, waivers, now), policy: policy_name, at: now, rules }
}

fn part(tree: &Tree<FactLeaf>, positive: bool, context: &Context<'_>) -> Part {
    let truth = context.tree(tree, positive).as_str();
    let node = |what: &str, parts| Part { what: what.to_owned(), truth, state: None, value: None, parts };
    let inner = |parts: &[Tree<FactLeaf>]| parts.iter().map(|p| part(p, positive, context)).collect();
    match tree {
        Tree::All(parts) => node("all of", inner(parts)),
        Tree::Any(parts) => node("any of", inner(parts)),
        Tree::Not(inside) => node("not", vec![part(inside, !positive, context)]),
        Tree::Leaf(leaf) => {
            let state = Some(context.state(leaf.group()).as_str());
            let (value, parts) = match leaf {
                FactLeaf::Test(test) => ((test.path.get)(context.facts).to_json(), Vec::new()),
                FactLeaf::State(..) => (None, Vec::new()),
                FactLeaf::Advisories(_, items) => (None, advisories(items, context)),
            };
            Part { what: describe_leaf(leaf), truth, state, value, parts }
        }
    }
}

fn advisories(tree: &Tree<ItemTest>, context: &Context<'_>) -> Vec<Part> {
    context
        .advisories()
        .map(|item| Part {
            what: item.id.clone(),
            truth: context.item(tree, item).as_str(),
            state: None,
            value: None,
            parts: Vec::new(),
        })
        .collect()
}

/// A condition in the words of the rule file.
pub(crate) fn describe_leaf(leaf: &FactLeaf) -> String {
    match leaf {
        FactLeaf::Test(test) => format!("{} {}", test.path.name, describe(&test.test)),
        FactLeaf::State(group, states) => {
            let words: Vec<_> = states.iter().map(|s| s.as_str()).collect();
            format!("{} is {}", group.as_str(), words.join(" or "))
        }
        FactLeaf::Advisories(quantifier, tree) => {
            let word = match quantifier {
                Quantifier::Some => "some",
                Quantifier::Every => "every",
                Quantifier::None => "none",
            };
            format!("vulnerabilities {word} ({})", describe_items(tree))
        }
    }
}

fn describe_items(tree: &Tree<ItemTest>) -> String {
    let joined = |parts: &[Tree<ItemTest>], word: &str| {
        parts.iter().map(describe_items).collect::<Vec<_>>().join(word)
    };
    match tree {
        Tree::All(parts) => joined(parts, " and "),
        Tree::Any(parts) => format!("({})", joined(parts, " or ")),
        Tree::Not(part) => format!("not ({})", describe_items(part)),
        Tree::Leaf(ItemTest { path, test }) => format!("{} {}", path.name, describe(test)),
    }
}

fn describe(test: &Test) -> String {
    let words = |words: &[Box<str>]| match words {
        [one] => one.to_string(),
        many => format!("one of {}", many.join(", ")),
    };
    match test {
        Test::Is(value) => format!("= {value}"),
        Test::OneOf(list) => format!("= {}", words(list)),
        Test::Glob(globs) => {
            format!("glob {}", globs.iter().map(crate::glob::Glob::as_str).collect::<Vec<_>>().join(", "))
        }
        Test::Only(list) => format!("only {}", words(list)),
        Test::Numbers(list) => {
            format!("= {}", list.iter().map(f64::to_string).collect::<Vec<_>>().join(" or "))
        }
        Test::Compare(order, limit) => format!("{} {limit}", order.as_str()),
        Test::Severities(list) => {
            format!("= {}", list.iter().map(|s| severity_word(*s)).collect::<Vec<_>>().join(" or "))
        }
        Test::Rank(order, limit) => format!("{} {}", order.as_str(), severity_word(*limit)),
        Test::Younger(seconds) => format!("age_lt {}", duration(*seconds)),
        Test::AtLeastOld(seconds) => format!("age_ge {}", duration(*seconds)),
        Test::After(at) => format!("after {at}"),
        Test::Before(at) => format!("before {at}"),
        Test::Permits(_) => "licence_permits the list".to_owned(),
        Test::Version(ranges) => format!("version {}", ranges.as_str()),
        Test::Exists(wanted) => format!("exists = {wanted}"),
    }
}

fn duration(seconds: i64) -> String {
    match seconds {
        s if s % 86_400 == 0 => format!("{}d", s / 86_400),
        s if s % 3600 == 0 => format!("{}h", s / 3600),
        s => format!("{s}s"),
    }
}

impl Explanation {
    /// As text: the decision, then each rule as a tree. Rules that are plainly false are one line.
    pub fn to_text(&self) -> String {
        let mut out = String::new();
        let decision = &self.decision;
        // Writing to a String cannot fail.
        let _ = writeln!(out, "{} by {} at {}", decision.action, self.policy, self.at);
        for reason in &decision.reasons {
            let _ = writeln!(out, "  {} [{}] {}", reason.action, reason.rule, reason.message);
        }
        for rule in &self.rules {
            let done = match (rule.action, rule.waived_by.as_slice()) {
                (Some(action), _) => format!(" -> {action}"),
                (None, []) => String::new(),
                (None, ids) => format!(" waived by {}", ids.join(", ")),
            };
            let mode = match rule.mode {
                Mode::Enforce => "",
                Mode::DryRun { .. } => " (dry run)",
                Mode::Off => " (off)",
            };
            let _ = writeln!(out, "{:7} {}{mode}{done}", rule.truth, rule.rule);
            if rule.truth != Tri::False.as_str() {
                rule.condition.write(1, &mut out);
            }
        }
        out
    }
}

impl Part {
    fn write(&self, depth: usize, out: &mut String) {
        let _ = write!(out, "{:indent$}{:7} {}", "", self.truth, self.what, indent = depth * 2);
        match (&self.value, self.state) {
            (Some(value), _) => {
                let _ = write!(out, " (it is {value})");
            }
            (None, Some(state)) if state != "known" => {
                let _ = write!(out, " (it is {})", state.replace('_', " "));
            }
            _ => {}
        }
        out.push('\n');
        for part in &self.parts {
            part.write(depth + 1, out);
        }
    }
}
