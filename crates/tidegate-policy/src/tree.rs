//! Conditions as a typed tree over resolved paths, and their three-valued evaluation.
//!
//! A fact that cannot be told makes its test unknown. Two states do not: a `not_applicable` fact never makes a rule
//! act, and at index time a `pending` fact is neutral, because the artifact ask resolves it before a byte leaves. Both
//! read as whatever makes the rule act less, wherever in the tree they stand.

use std::cell::Cell;

use tidegate_model::facts::{FactState, Facts, Severity, Vulnerability};
use tidegate_model::{Ecosystem, Timestamp};

use crate::glob::Glob;
use crate::licence::Permitted;
use crate::logic::{States, Tri};
use crate::paths::{GroupId, ItemSpec, NullMeans, PathSpec, Type, Value};
use crate::ranges::Ranges;

/// Which question is answered: which versions may be chosen, or whether bytes may leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// A listing is filtered; facts that need bytes are pending and neutral.
    Index,
    /// Bytes are asked for; a pending fact is unknown like any other.
    Artifact,
}

impl Stage {
    /// The stage that facts were put together for: `request.operation`.
    pub fn of(facts: &Facts) -> Self {
        if facts.request.operation == "index" { Self::Index } else { Self::Artifact }
    }
}

/// Conditions joined by logic.
#[derive(Clone, Debug)]
pub(crate) enum Tree<L> {
    All(Box<[Tree<L>]>),
    Any(Box<[Tree<L>]>),
    Not(Box<Tree<L>>),
    Leaf(L),
}

/// One condition on the facts.
#[derive(Clone, Debug)]
pub(crate) enum FactLeaf {
    Test(FactTest),
    /// Advisories, one at a time.
    Advisories(Quantifier, Tree<ItemTest>),
    /// How a group is known; always told.
    State(GroupId, States),
}

#[derive(Clone)]
pub(crate) struct FactTest {
    pub(crate) path: &'static PathSpec,
    pub(crate) test: Test,
}

#[derive(Clone)]
pub(crate) struct ItemTest {
    pub(crate) path: &'static ItemSpec,
    pub(crate) test: Test,
}

impl std::fmt::Debug for FactTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.path.name, self.test)
    }
}

impl std::fmt::Debug for ItemTest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {:?}", self.path.name, self.test)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Quantifier {
    Some,
    Every,
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    Less,
    AtMost,
    More,
    AtLeast,
}

impl Order {
    const fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        match self {
            Self::Less => ordering.is_lt(),
            Self::AtMost => ordering.is_le(),
            Self::More => ordering.is_gt(),
            Self::AtLeast => ordering.is_ge(),
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Less => "lt",
            Self::AtMost => "le",
            Self::More => "gt",
            Self::AtLeast => "ge",
        }
    }
}

/// What is asked of one value.
#[derive(Clone, Debug)]
pub(crate) enum Test {
    Is(bool),
    /// Equal to one of these; for a list, some element is.
    OneOf(Box<[Box<str>]>),
    /// Matches one of these; for a list, some element does.
    Glob(Box<[Glob]>),
    /// Every element is one of these.
    Only(Box<[Box<str>]>),
    Numbers(Box<[f64]>),
    Compare(Order, f64),
    Severities(Box<[Severity]>),
    Rank(Order, Severity),
    /// Elapsed seconds since the time are fewer.
    Younger(i64),
    /// Elapsed seconds since the time are as many or more.
    AtLeastOld(i64),
    After(Timestamp),
    Before(Timestamp),
    Permits(Permitted),
    Version(Ranges),
    Exists(bool),
}

/// Everything an evaluation reads, and the earliest later moment at which it could come out otherwise.
pub(crate) struct Context<'a> {
    pub(crate) facts: &'a Facts,
    pub(crate) now: Timestamp,
    /// When freshness is judged; differs from `now` only when looking ahead at what time alone will do.
    pub(crate) fresh_at: Timestamp,
    pub(crate) stage: Stage,
    /// Advisories that do not count because waivers name them.
    pub(crate) excluded: &'a [&'a str],
    /// Whether what is held back for what was admitted before does not count.
    without_held: bool,
    boundary: Cell<Option<Timestamp>>,
}

impl<'a> Context<'a> {
    pub(crate) const fn new(facts: &'a Facts, now: Timestamp, stage: Stage) -> Self {
        Self {
            facts,
            now,
            fresh_at: now,
            stage,
            excluded: &[],
            without_held: false,
            boundary: Cell::new(None),
        }
    }

    pub(crate) fn excluding(&self, excluded: &'a [&'a str]) -> Self {
        Self { excluded, boundary: Cell::new(None), ..*self }
    }

    /// The same facts without what is held back.
    pub(crate) fn without_held(&self) -> Self {
        Self { without_held: true, boundary: Cell::new(None), ..*self }
    }

    /// Whether anything is held back.
    pub(crate) fn holds_back(&self) -> bool {
        self.held_reports() || self.advisories().any(|item| item.held.is_some())
    }

    fn held_reports(&self) -> bool {
        self.facts.malware.value.as_ref().is_some_and(|malware| malware.held.is_some())
    }

    /// The value at a path; reports that are held back leave nothing behind.
    fn read(&self, path: &PathSpec) -> Value<'a> {
        match path.name {
            "malware.verdict" if self.without_held && self.held_reports() => Value::Text("clean"),
            "malware.reports" if self.without_held && self.held_reports() => Value::List(&[]),
            _ => (path.get)(self.facts),
        }
    }

    /// The same facts at a later time, not grown staler.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        Self { now, boundary: Cell::new(None), ..*self }
    }

    /// The earliest moment after `now` at which something evaluated so far could change.
    pub(crate) fn boundary(&self) -> Option<Timestamp> {
        self.boundary.get()
    }

    pub(crate) fn note_boundary(&self, at: Timestamp) {
        if at > self.now && self.boundary.get().is_none_or(|b| at < b) {
            self.boundary.set(Some(at));
        }
    }

    /// Advisories that count: not withdrawn, not answered by trusted VEX, not named by a waiver.
    pub(crate) fn advisories(&self) -> impl Iterator<Item = &'a Vulnerability> {
        let (excluded, without_held) = (self.excluded, self.without_held);
        let items = self.facts.vulnerabilities.value.as_ref().map_or(&[][..], |v| &v.items);
        items.iter().filter(move |item| {
            let answered = item
                .vex
                .as_ref()
                .is_some_and(|vex| vex.trusted && matches!(&*vex.status, "not_affected" | "fixed"));
            let held = without_held && item.held.is_some();
            !item.withdrawn && !answered && !held && !excluded.iter().any(|name| names(item, name))
        })
    }

    pub(crate) fn truth(&self, tree: &Tree<FactLeaf>) -> Tri {
        self.tree(tree, true)
    }

    /// `positive` says whether this part being true makes the rule act more.
    pub(crate) fn tree(&self, tree: &Tree<FactLeaf>, positive: bool) -> Tri {
        match tree {
            Tree::All(parts) => {
                let mut truth = Tri::True;
                for part in parts {
                    truth = truth.and(self.tree(part, positive));
                    if truth == Tri::False {
                        break;
                    }
                }
                truth
            }
            Tree::Any(parts) => {
                let mut truth = Tri::False;
                for part in parts {
                    truth = truth.or(self.tree(part, positive));
                    if truth == Tri::True {
                        break;
                    }
                }
                truth
            }
            Tree::Not(part) => !self.tree(part, !positive),
            Tree::Leaf(leaf) => self.leaf(leaf, positive),
        }
    }

    fn leaf(&self, leaf: &FactLeaf, positive: bool) -> Tri {
        match leaf {
            FactLeaf::Test(test) => self.test(test, positive),
            FactLeaf::Advisories(quantifier, tree) => self.quantified(*quantifier, tree, positive),
            FactLeaf::State(group, states) => states.contains(self.state(*group)).into(),
        }
    }

    pub(crate) fn state(&self, group: GroupId) -> FactState {
        let (state, fresh_until) = group.state(self.facts, self.fresh_at);
        if let Some(end) = fresh_until {
            self.note_boundary(end);
        }
        state
    }

    /// What a gap in `state` makes of a condition, before any recorded finding is looked at.
    fn gap(&self, state: FactState, positive: bool) -> Tri {
        match state {
            FactState::NotApplicable => (!positive).into(),
            FactState::Pending if self.stage == Stage::Index => (!positive).into(),
            state => Tri::unknown(state),
        }
    }

    fn test(&self, FactTest { path, test }: &FactTest, positive: bool) -> Tri {
        let state = self.state(path.group);
        if state == FactState::Known {
            let value = self.read(path);
            return self
                .value(test, path.ty, value, path.null)
                .unwrap_or_else(|| self.gap(FactState::Pending, positive));
        }
        // Stale or broken data can add doubt but never erase a finding.
        if path.group.holds_findings() && state != FactState::NotApplicable {
            let recorded = self.value(test, path.ty, self.read(path), NullMeans::NotOffered);
            if recorded == Some(Tri::from(positive)) {
                return Tri::from(positive);
            }
        }
        self.gap(state, positive)
    }

    fn quantified(&self, quantifier: Quantifier, tree: &Tree<ItemTest>, positive: bool) -> Tri {
        let state = self.state(GroupId::Vulnerabilities);
        if state == FactState::NotApplicable {
            return (!positive).into();
        }
        // `none` is the opposite of `some`, so a gap in it leans the other way.
        let leaning = positive != (quantifier == Quantifier::None);
        let rest = match state {
            FactState::Known => None,
            state => Some(self.gap(state, leaning)),
        };
        let mut truth = Tri::from(quantifier == Quantifier::Every);
        for item in self.advisories() {
            let one = self.item(tree, item);
            truth = if quantifier == Quantifier::Every { truth.and(one) } else { truth.or(one) };
        }
        if let Some(rest) = rest {
            truth = if quantifier == Quantifier::Every { truth.and(rest) } else { truth.or(rest) };
        }
        if quantifier == Quantifier::None { !truth } else { truth }
    }

    /// Whether one advisory meets a condition.
    pub(crate) fn item(&self, tree: &Tree<ItemTest>, item: &Vulnerability) -> Tri {
        match tree {
            Tree::All(parts) => parts.iter().fold(Tri::True, |t, p| t.and(self.item(p, item))),
            Tree::Any(parts) => parts.iter().fold(Tri::False, |t, p| t.or(self.item(p, item))),
            Tree::Not(part) => !self.item(part, item),
            Tree::Leaf(ItemTest { path, test }) => self
                .value(test, path.ty, (path.get)(item), path.null)
                .unwrap_or(Tri::unknown(FactState::Pending)),
        }
    }

    /// Whether a value passes a test; `None` where the value is not here yet.
    fn value(&self, test: &Test, ty: Type, value: Value<'_>, null: NullMeans) -> Option<Tri> {
        if matches!(value, Value::Null) {
            return match (null, test) {
                (NullMeans::Pending, _) => None,
                (_, Test::Exists(wanted)) => Some((!wanted).into()),
                (NullMeans::Nothing, _) => Some(Tri::False),
                (NullMeans::NotOffered, _) => Some(Tri::unknown(FactState::NotOffered)),
            };
        }
        if let (Type::Word(words), Value::Text(word)) = (ty, value)
            && !words.contains(&word)
        {
            return Some(Tri::unknown(FactState::Error));
        }
        Some(self.passes(test, value))
    }

    fn passes(&self, test: &Test, value: Value<'_>) -> Tri {
        let held = match (test, value) {
            (Test::Exists(wanted), _) => *wanted,
            (Test::Is(wanted), Value::Bool(found)) => *wanted == found,
            (Test::OneOf(words), Value::Text(found)) => words.iter().any(|w| **w == *found),
            (Test::OneOf(words), Value::List(found)) => {
                found.iter().any(|f| words.iter().any(|w| **w == **f))
            }
            (Test::Only(words), Value::List(found)) => found.iter().all(|f| words.iter().any(|w| **w == **f)),
            (Test::Glob(globs), Value::Text(found)) => globs.iter().any(|g| g.matches(found)),
            (Test::Glob(globs), Value::List(found)) => {
                found.iter().any(|f| globs.iter().any(|g| g.matches(f)))
            }
            (Test::Numbers(wanted), Value::Number(found)) => wanted.contains(&found),
            (Test::Numbers(_), Value::Never) => false,
            (Test::Compare(order, limit), Value::Number(found)) => order.accepts(found.total_cmp(limit)),
            (Test::Compare(order, _), Value::Never) => matches!(order, Order::More | Order::AtLeast),
            (Test::Severities(wanted), Value::Severity(found)) => wanted.contains(&found),
            (Test::Rank(order, limit), Value::Severity(found)) => order.accepts(found.cmp(limit)),
            (Test::Younger(seconds), Value::Time(since)) => self.younger(since, *seconds),
            (Test::AtLeastOld(seconds), Value::Time(since)) => !self.younger(since, *seconds),
            (Test::After(limit), Value::Time(found)) => found > *limit,
            (Test::Before(limit), Value::Time(found)) => found < *limit,
            (Test::Permits(list), Value::Text(expression)) => return list.permits(expression),
            (Test::Version(ranges), Value::Text(found)) => {
                return self
                    .facts
                    .artifact
                    .ecosystem
                    .map_or(Tri::unknown(FactState::NotOffered), |e: Ecosystem| ranges.contain(e, found));
            }
            // Types were checked when the policy was compiled; what still does not fit cannot be told.
            _ => return Tri::unknown(FactState::Error),
        };
        held.into()
    }

    /// Strict: an age of exactly the limit is no longer younger. A future time has a negative age.
    fn younger(&self, since: Timestamp, seconds: i64) -> bool {
        let end = since.plus_seconds(seconds);
        self.note_boundary(end);
        self.now < end
    }
}

/// Whether `name` is the advisory's id or one of its aliases.
pub(crate) fn names(item: &Vulnerability, name: &str) -> bool {
    item.id.eq_ignore_ascii_case(name) || item.aliases.iter().any(|a| a.eq_ignore_ascii_case(name))
}

impl Tree<FactLeaf> {
    /// Calls `visit` for every leaf, with whether its being true makes the rule act more.
    pub(crate) fn visit<'t>(&'t self, positive: bool, visit: &mut impl FnMut(&'t FactLeaf, bool)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|p| p.visit(positive, visit)),
            Self::Not(part) => part.visit(!positive, visit),
            Self::Leaf(leaf) => visit(leaf, positive),
        }
    }
}

impl Tree<ItemTest> {
    pub(crate) fn visit_items<'t>(&'t self, visit: &mut impl FnMut(&'t ItemTest)) {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|p| p.visit_items(visit)),
            Self::Not(part) => part.visit_items(visit),
            Self::Leaf(leaf) => visit(leaf),
        }
    }
}

impl FactLeaf {
    pub(crate) const fn group(&self) -> GroupId {
        match self {
            Self::Test(test) => test.path.group,
            Self::Advisories(..) => GroupId::Vulnerabilities,
            Self::State(group, _) => *group,
        }
    }
}
