//! Compiles `applies` and `when` into a typed tree: every path resolved, every value checked against its type.

use tidegate_model::Timestamp;
use tidegate_model::facts::FactState;

use crate::file::{Param, no_expr, unknown_key};
use crate::glob::Glob;
use crate::licence::Permitted;
use crate::logic::States;
use crate::paths::{GroupId, ITEM_PATHS, PATHS, Type, nearest, severity_of};
use crate::ranges::Ranges;
use crate::source::{Entry, Node, Place, Problems, Raw};
use crate::tree::{FactLeaf, FactTest, ItemTest, Order, Quantifier, Test, Tree};

/// How deep conditions may nest.
pub const MAX_DEPTH: usize = 24;

const OPERATORS: &[&str] = &[
    "eq",
    "in",
    "glob",
    "only",
    "lt",
    "le",
    "gt",
    "ge",
    "age_lt",
    "age_ge",
    "after",
    "before",
    "licence_permits",
    "version",
    "exists",
];

pub(crate) struct ConditionCompiler<'a> {
    pub(crate) problems: &'a mut Problems,
}

impl ConditionCompiler<'_> {
    /// A table of conditions; all must hold.
    pub(crate) fn facts(&mut self, node: &Node, prefix: &str, depth: usize) -> Tree<FactLeaf> {
        let Some(entries) = self.table(node, depth) else { return Tree::All([].into()) };
        let mut parts = Vec::new();
        for Entry { key, at, node } in entries {
            match (&**key, prefix) {
                ("all", "") => parts.push(Tree::All(self.fact_list(node, depth))),
                ("any", "") => parts.push(Tree::Any(self.fact_list(node, depth))),
                ("not", "") => parts.push(Tree::Not(Box::new(self.facts(node, "", depth + 1)))),
                ("expr", "") => no_expr(at, self.problems),
                _ => self.fact(&joined(prefix, key), at, node, depth, &mut parts),
            }
        }
        single(parts)
    }

    fn fact_list(&mut self, node: &Node, depth: usize) -> Box<[Tree<FactLeaf>]> {
        match &node.value {
            Raw::Array(items) if !items.is_empty() => {
                items.iter().map(|i| self.facts(i, "", depth + 1)).collect()
            }
            _ => {
                self.problems.push(
                    &node.at,
                    "`all` and `any` are lists of conditions",
                    "write `[ { … }, { … } ]`",
                );
                Box::default()
            }
        }
    }

    fn fact(&mut self, name: &str, at: &Place, node: &Node, depth: usize, out: &mut Vec<Tree<FactLeaf>>) {
        if let Some(path) = PATHS.iter().find(|p| p.name == name) {
            let tests = self.tests(name, path.ty, node);
            out.extend(tests.into_iter().map(|test| Tree::Leaf(FactLeaf::Test(FactTest { path, test }))));
            return;
        }
        let Raw::Table(entries) = &node.value else {
            self.no_such_path(name, at);
            return;
        };
        if let Some(group) = GroupId::by_name(name) {
            let mut rest = Vec::new();
            for entry in entries {
                match (&*entry.key, group) {
                    ("state", _) => {
                        out.extend(self.states(&entry.node).map(|s| Tree::Leaf(FactLeaf::State(group, s))));
                    }
                    (word @ ("some" | "every" | "none"), GroupId::Vulnerabilities) => {
                        let quantifier = match word {
                            "some" => Quantifier::Some,
                            "every" => Quantifier::Every,
                            _ => Quantifier::None,
                        };
                        let tree = self.items(&entry.node, "", depth + 1);
                        out.push(Tree::Leaf(FactLeaf::Advisories(quantifier, tree)));
                    }
                    (key, GroupId::Vulnerabilities) => {
                        unknown_key(&entry.at, key, &["some", "every", "none", "state"], self.problems);
                    }
                    _ => rest.push(entry.clone()),
                }
            }
            if !rest.is_empty() {
                let node = Node { at: node.at.clone(), value: Raw::Table(rest) };
                out.push(self.facts(&node, name, depth + 1));
            }
        } else if PATHS.iter().any(|p| p.name.strip_prefix(name).is_some_and(|r| r.starts_with('.'))) {
            out.push(self.facts(node, name, depth + 1));
        } else {
            self.no_such_path(name, at);
        }
    }

    fn no_such_path(&mut self, name: &str, at: &Place) {
        let groups = GroupId::ENVELOPED.iter().map(|g| g.as_str());
        let remedy = match nearest(name, PATHS.iter().map(|p| p.name).chain(groups)) {
            Some(near) => format!("did you mean `{near}`?"),
            None => "see the list of facts in docs/reference/policy.md".to_owned(),
        };
        self.problems.push(at, format!("there is no fact `{}`", name.escape_debug()), remedy);
    }

    fn states(&mut self, node: &Node) -> Option<States> {
        let words = self.words(node)?;
        let mut states = States::default();
        for (word, at) in words {
            match FactState::ALL.into_iter().find(|s| s.as_str() == word) {
                Some(state) => states = states.union(States::one(state)),
                None => {
                    let known: Vec<_> = FactState::ALL.iter().map(|s| s.as_str()).collect();
                    self.problems.push(
                        &at,
                        format!("`{word}` is not a state"),
                        format!("expected one of {}", known.join(", ")),
                    );
                }
            }
        }
        Some(states)
    }

    /// Conditions on one advisory.
    fn items(&mut self, node: &Node, prefix: &str, depth: usize) -> Tree<ItemTest> {
        let Some(entries) = self.table(node, depth) else { return Tree::All([].into()) };
        let mut parts = Vec::new();
        for Entry { key, at, node } in entries {
            let name = joined(prefix, key);
            match (&**key, prefix, &node.value) {
                (word @ ("all" | "any"), "", Raw::Array(items)) => {
                    let trees = items.iter().map(|i| self.items(i, "", depth + 1)).collect();
                    parts.push(if word == "all" { Tree::All(trees) } else { Tree::Any(trees) });
                }
                ("not", "", _) => parts.push(Tree::Not(Box::new(self.items(node, "", depth + 1)))),
                _ => match ITEM_PATHS.iter().find(|p| p.name == name) {
                    Some(path) => {
                        let tests = self.tests(&name, path.ty, node);
                        parts.extend(tests.into_iter().map(|test| Tree::Leaf(ItemTest { path, test })));
                    }
                    None if matches!(name.as_str(), "vex" | "ssvc") => {
                        parts.push(self.items(node, &name, depth + 1))
                    }
                    None => {
                        let known: Vec<_> = ITEM_PATHS.iter().map(|p| p.name).collect();
                        unknown_key(at, &name, &known, self.problems);
                    }
                },
            }
        }
        single(parts)
    }

    fn table<'n>(&mut self, node: &'n Node, depth: usize) -> Option<&'n [Entry]> {
        if depth > MAX_DEPTH {
            self.problems.push(&node.at, format!("conditions nest deeper than {MAX_DEPTH}"), "flatten them");
            return None;
        }
        match &node.value {
            Raw::Table(entries) if !entries.is_empty() => Some(entries),
            Raw::Table(_) => {
                self.problems.push(&node.at, "an empty condition", "say what must hold, or take it out");
                None
            }
            other => {
                self.problems.push(
                    &node.at,
                    format!("a condition is a table, not {}", other.describe()),
                    "write `{ fact = value }`",
                );
                None
            }
        }
    }

    /// What is asked of one value: a plain value, a list of which one must fit, or operators that must all hold.
    fn tests(&mut self, name: &str, ty: Type, node: &Node) -> Vec<Test> {
        let Raw::Table(entries) = &node.value else {
            return self.equal(name, ty, node).into_iter().collect();
        };
        if entries.is_empty() {
            self.problems.push(
                &node.at,
                format!("nothing is asked of `{name}`"),
                "write a value or an operator",
            );
        }
        entries.iter().filter_map(|e| self.operator(name, ty, e)).collect()
    }

    fn operator(&mut self, name: &str, ty: Type, entry: &Entry) -> Option<Test> {
        let node = &entry.node;
        let order = match &*entry.key {
            "lt" => Some(Order::Less),
            "le" => Some(Order::AtMost),
            "gt" => Some(Order::More),
            "ge" => Some(Order::AtLeast),
            _ => None,
        };
        match (&*entry.key, ty) {
            ("eq" | "in", _) => self.equal(name, ty, node),
            ("lt" | "le" | "gt" | "ge", Type::Number) => {
                self.number(name, node).map(|n| Test::Compare(order.expect("matched above"), n))
            }
            ("lt" | "le" | "gt" | "ge", Type::Severity) => {
                let rank = self.severity(node)?;
                Some(Test::Rank(order.expect("matched above"), rank))
            }
            ("glob", Type::Text | Type::List | Type::Version | Type::Licence) => {
                let words = self.words(node)?;
                Some(Test::Glob(words.iter().map(|(w, _)| Glob::new(w)).collect()))
            }
            ("only", Type::List) => Some(Test::Only(self.boxed_words(node)?)),
            ("age_lt", Type::Time) => self.duration(node).map(Test::Younger),
            ("age_ge", Type::Time) => self.duration(node).map(Test::AtLeastOld),
            ("after", Type::Time) => self.time(node).map(Test::After),
            ("before", Type::Time) => self.time(node).map(Test::Before),
            ("licence_permits", Type::Licence) => self.permitted(node),
            ("version" | "semver", Type::Version) => self.ranges(node),
            ("exists", _) => match node.value {
                Raw::Bool(wanted) => Some(Test::Exists(wanted)),
                _ => {
                    self.problems.push(&node.at, "`exists` is true or false", "write true or false");
                    None
                }
            },
            ("expr", _) => {
                no_expr(&entry.at, self.problems);
                None
            }
            (word, _) if OPERATORS.contains(&word) || word == "semver" => {
                self.clash(&entry.at, name, ty, &format!("operator `{word}`"));
                None
            }
            (word, _) => {
                unknown_key(&entry.at, word, OPERATORS, self.problems);
                None
            }
        }
    }

    fn equal(&mut self, name: &str, ty: Type, node: &Node) -> Option<Test> {
        match (ty, &node.value) {
            (Type::Bool, Raw::Bool(wanted)) => Some(Test::Is(*wanted)),
            (Type::Number, Raw::Array(items)) if !items.is_empty() => {
                items.iter().map(|i| self.number(name, i)).collect::<Option<_>>().map(Test::Numbers)
            }
            (Type::Number, _) => self.number(name, node).map(|n| Test::Numbers([n].into())),
            (Type::Severity, Raw::Array(items)) if !items.is_empty() => {
                items.iter().map(|i| self.severity(i)).collect::<Option<_>>().map(Test::Severities)
            }
            (Type::Severity, _) => self.severity(node).map(|s| Test::Severities([s].into())),
            (Type::Word(known), Raw::Text(_) | Raw::Array(_)) => {
                let words = self.words(node)?;
                for (word, at) in &words {
                    if !known.contains(&&**word) {
                        let remedy = format!("expected one of {}", known.join(", "));
                        self.problems.push(at, format!("`{name}` is never `{word}`"), remedy);
                    }
                }
                Some(Test::OneOf(words.into_iter().map(|(w, _)| w.into()).collect()))
            }
            (Type::Text | Type::List | Type::Version | Type::Licence, Raw::Text(_) | Raw::Array(_)) => {
                self.boxed_words(node).map(Test::OneOf)
            }
            _ => {
                self.clash(&node.at, name, ty, node.value.describe());
                None
            }
        }
    }

    fn clash(&mut self, at: &Place, name: &str, ty: Type, given: &str) {
        let remedy = match ty {
            Type::Time => "use age_lt, age_ge, after, before or exists".to_owned(),
            Type::Word(words) => format!("use one or several of {}", words.join(", ")),
            Type::Bool => "write true or false".to_owned(),
            Type::Number => "write a number, or use lt, le, gt, ge, in".to_owned(),
            Type::Severity => "write a severity, or use lt, le, gt, ge, in".to_owned(),
            Type::Version => "write versions, or use version, in, glob".to_owned(),
            Type::Licence => "use licence_permits, in, glob or exists".to_owned(),
            Type::List => "write texts, or use in, glob, only".to_owned(),
            Type::Text => "write texts, or use in, glob, exists".to_owned(),
        };
        self.problems.push(
            at,
            format!("`{name}` is {}, which does not go with {given}", ty.describe()),
            remedy,
        );
    }

    fn number(&mut self, name: &str, node: &Node) -> Option<f64> {
        match &node.value {
            Raw::Number(n) if n.is_finite() => Some(*n),
            other => {
                self.problems.push(
                    &node.at,
                    format!("`{name}` is a number, not {}", other.describe()),
                    "write a number",
                );
                None
            }
        }
    }

    fn severity(&mut self, node: &Node) -> Option<tidegate_model::facts::Severity> {
        let found = match &node.value {
            Raw::Text(word) => severity_of(word),
            _ => None,
        };
        if found.is_none() {
            self.problems.push(&node.at, "not a severity", "write none, low, medium, high or critical");
        }
        found
    }

    fn words(&mut self, node: &Node) -> Option<Vec<(String, Place)>> {
        let items = match &node.value {
            Raw::Text(_) => std::slice::from_ref(node),
            Raw::Array(items) if !items.is_empty() => items,
            Raw::Array(_) => {
                self.problems.push(&node.at, "an empty list fits nothing", "name at least one value");
                return None;
            }
            other => {
                let what = format!("expected texts, not {}", other.describe());
                self.problems.push(&node.at, what, "write a text or a list of texts");
                return None;
            }
        };
        let mut words = Vec::with_capacity(items.len());
        for item in items {
            match &item.value {
                Raw::Text(text) => words.push((text.clone(), item.at.clone())),
                other => {
                    let what = format!("expected text, not {}", other.describe());
                    self.problems.push(&item.at, what, "write a text");
                    return None;
                }
            }
        }
        Some(words)
    }

    fn boxed_words(&mut self, node: &Node) -> Option<Box<[Box<str>]>> {
        Some(self.words(node)?.into_iter().map(|(w, _)| w.into()).collect())
    }

    fn permitted(&mut self, node: &Node) -> Option<Test> {
        let words = self.words(node)?;
        for (word, at) in &words {
            if !Permitted::is_listed(word) {
                self.problems.push(
                    at,
                    format!("`{word}` is not a licence of the SPDX list"),
                    "write an SPDX identifier such as MIT or `Apache-2.0 WITH LLVM-exception`",
                );
            }
        }
        Some(Test::Permits(Permitted::new(words.iter().map(|(w, _)| &**w))))
    }

    fn ranges(&mut self, node: &Node) -> Option<Test> {
        let [(text, at)] = &*self.words(node)? else {
            self.problems.push(&node.at, "`version` is one text", "join alternatives with `||`");
            return None;
        };
        match Ranges::parse(text) {
            Ok(ranges) => Some(Test::Version(ranges)),
            Err(why) => {
                self.problems.push(
                    at,
                    format!("`{text}` is not a version range: {why}"),
                    "write `>=1.2.0, <2.0.0`",
                );
                None
            }
        }
    }

    fn time(&mut self, node: &Node) -> Option<Timestamp> {
        let parsed = match &node.value {
            Raw::Text(text) | Raw::Time(text) => text.parse().ok(),
            _ => None,
        };
        if parsed.is_none() {
            self.problems.push(
                &node.at,
                "not a time",
                "write one such as \"2026-11-01T00:00:00Z\" or \"2026-11-01\"",
            );
        }
        parsed
    }

    fn duration(&mut self, node: &Node) -> Option<i64> {
        let parsed = match &node.value {
            Raw::Text(text) => seconds(text),
            _ => None,
        };
        if parsed.is_none() {
            self.problems.push(
                &node.at,
                format!("{} is not a duration", crate::file::written(node)),
                "write a whole number with its unit: 90m, 36h, 3d, 2w",
            );
        }
        parsed
    }
}

/// Seconds of `90s`, `90m`, `36h`, `3d`, `2w`.
fn seconds(text: &str) -> Option<i64> {
    let unit = match text.chars().last()? {
        's' => 1,
        'm' => 60,
        'h' => 3600,
        'd' => 86_400,
        'w' => 604_800,
        _ => return None,
    };
    let count: i64 = text[..text.len() - 1].parse().ok()?;
    (0..=36_500 * 86_400).contains(&count.checked_mul(unit)?).then_some(count * unit)
}

fn joined(prefix: &str, key: &str) -> String {
    if prefix.is_empty() { key.to_owned() } else { format!("{prefix}.{key}") }
}

fn single<L>(mut parts: Vec<Tree<L>>) -> Tree<L> {
    if parts.len() == 1 { parts.remove(0) } else { Tree::All(parts.into()) }
}

/// Puts parameters in place of `{name}`: a text that is only the placeholder becomes the value itself.
pub(crate) fn substitute(
    node: &Node,
    params: &[Param],
    problems: &mut Problems,
    used: &mut Vec<String>,
) -> Node {
    let value = match &node.value {
        Raw::Text(text) if text.contains('{') => return fill(node, text, params, problems, used),
        Raw::Array(items) => {
            Raw::Array(items.iter().map(|i| substitute(i, params, problems, used)).collect())
        }
        Raw::Table(entries) => Raw::Table(
            entries
                .iter()
                .map(|e| Entry {
                    key: e.key.clone(),
                    at: e.at.clone(),
                    node: substitute(&e.node, params, problems, used),
                })
                .collect(),
        ),
        other => other.clone(),
    };
    Node { at: node.at.clone(), value }
}

fn fill(node: &Node, text: &str, params: &[Param], problems: &mut Problems, used: &mut Vec<String>) -> Node {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        out.push_str(before);
        let Some(param) = params.iter().find(|p| p.name == name) else {
            let remedy = nearest(name, params.iter().map(|p| &*p.name))
                .map_or("declare it under `[rule.params]`".to_owned(), |n| {
                    format!("did you mean `{{{n}}}`?")
                });
            problems.push(&node.at, format!("there is no parameter `{name}`"), remedy);
            return node.clone();
        };
        used.push(param.name.clone());
        if before.is_empty() && tail.is_empty() && out.is_empty() {
            return Node { at: node.at.clone(), value: param.value.value.clone() };
        }
        out.push_str(&plain(&param.value));
        rest = tail;
    }
    out.push_str(rest);
    Node { at: node.at.clone(), value: Raw::Text(out) }
}

/// A parameter's value inside a text.
pub(crate) fn plain(node: &Node) -> String {
    match node.to_json() {
        serde_json::Value::String(text) => text,
        serde_json::Value::Array(items) => items
            .iter()
            .map(|i| i.as_str().map_or_else(|| i.to_string(), str::to_owned))
            .collect::<Vec<_>>()
            .join(", "),
        other => other.to_string(),
    }
}
