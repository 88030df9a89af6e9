//! A policy file as written: header and rules with their places, before conditions are compiled.

use tidegate_model::Timestamp;
use tidegate_model::decision::Action;
use tidegate_model::facts::FactState;

use crate::paths::nearest;
use crate::source::{Entry, Node, Place, Problems, Raw};

/// Whether, and how, a waiver can silence a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Waivable {
    /// By any valid waiver that names it.
    Yes,
    /// Only by a waiver for these very bytes, by two people, for 72 hours at most.
    Digest,
    /// Never.
    No,
}

/// Whether a rule is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case", tag = "mode")]
pub enum Mode {
    /// It acts.
    Enforce,
    /// It only tells what it would do, until a date where one is given.
    DryRun {
        /// From then on it acts.
        #[serde(skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
    },
    /// It is not evaluated.
    Off,
}

/// The unknown-action of a rule: one word, or one per state.
#[derive(Clone, Debug, Default)]
pub(crate) struct UnknownSource {
    pub(crate) every: Option<Action>,
    pub(crate) states: Vec<(FactState, Action)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Param {
    pub(crate) name: String,
    pub(crate) at: Place,
    pub(crate) value: Node,
    /// Range inside which a lower layer may set it.
    pub(crate) overridable: Option<(f64, f64)>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Header {
    pub(crate) id: String,
    pub(crate) version: String,
    pub(crate) at: Place,
    pub(crate) extends: Option<(String, Place)>,
    pub(crate) default_unknown: Option<Action>,
    pub(crate) enforce: Option<bool>,
    pub(crate) approvers: Option<u32>,
    pub(crate) max_days: Option<u32>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct RuleSource {
    pub(crate) id: String,
    pub(crate) at: Place,
    pub(crate) action: Option<Action>,
    pub(crate) waivable: Option<Waivable>,
    pub(crate) unknown: Option<UnknownSource>,
    pub(crate) mode: Option<Mode>,
    pub(crate) controls: Vec<String>,
    pub(crate) obligations: Vec<String>,
    pub(crate) remediation: Option<(String, Place)>,
    pub(crate) message: Option<(String, Place)>,
    pub(crate) cooldown: Option<bool>,
    pub(crate) sealed: Option<bool>,
    pub(crate) grace_days: Option<Node>,
    pub(crate) params: Vec<Param>,
    pub(crate) applies: Option<Node>,
    pub(crate) when: Option<Node>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct FileSource {
    pub(crate) header: Header,
    pub(crate) rules: Vec<RuleSource>,
}

const HEADER_KEYS: &[&str] =
    &["id", "version", "extends", "default_unknown", "enforce", "approvers", "max_days"];
const RULE_KEYS: &[&str] = &[
    "id",
    "action",
    "waivable",
    "unknown",
    "mode",
    "until",
    "controls",
    "obligations",
    "remediation",
    "message",
    "cooldown",
    "sealed",
    "grace_days",
    "params",
    "applies",
    "when",
];

/// The most rules of one policy.
pub const MAX_RULES: usize = 1000;

pub(crate) fn read(source: &str, file: &str, problems: &mut Problems) -> FileSource {
    let mut out = FileSource::default();
    let mut has_header = false;
    for entry in crate::source::parse(source, file, problems) {
        match (&*entry.key, entry.node.value) {
            ("policy", Raw::Table(entries)) => {
                has_header = true;
                out.header = header(&entry.at, entries, problems);
            }
            ("rule", Raw::Array(rules)) => {
                if rules.len() > MAX_RULES {
                    let remedy = "split the policy into layers, or join rules with `in`";
                    problems.push(&entry.at, format!("more than {MAX_RULES} rules"), remedy);
                }
                for rule in rules.into_iter().take(MAX_RULES) {
                    match rule.value {
                        Raw::Table(entries) => {
                            out.rules.push(RuleReader { problems }.rule(&rule.at, entries))
                        }
                        other => problems.push(
                            &rule.at,
                            format!("a rule is a table, not {}", other.describe()),
                            "write `[[rule]]`",
                        ),
                    }
                }
            }
            ("rule", _) => {
                problems.push(&entry.at, "`rule` is a list of tables", "write `[[rule]]`, twice bracketed")
            }
            (key, _) => unknown_key(&entry.at, key, &["policy", "rule"], problems),
        }
    }
    let start = Place { file: file.to_owned(), line: 1, column: 1 };
    if !has_header && problems.is_empty() {
        problems.push(
            &start,
            "there is no `[policy]` table",
            "begin with `[policy]`, an `id` and a `version`",
        );
    }
    let mut first: std::collections::HashMap<&str, &Place> = std::collections::HashMap::new();
    for rule in &out.rules {
        if let Some(twin) = first.insert(&rule.id, &rule.at) {
            let what = format!("rule `{}` stands at {twin} already", rule.id);
            problems.push(&rule.at, what, "give each rule its own id");
        }
    }
    out
}

fn header(at: &Place, entries: Vec<Entry>, problems: &mut Problems) -> Header {
    let mut header = Header { at: at.clone(), ..Header::default() };
    for Entry { key, at, node } in entries {
        match &*key {
            "id" => header.id = text(&key, node, problems).unwrap_or_default().0,
            "version" => header.version = text(&key, node, problems).unwrap_or_default().0,
            "extends" => header.extends = text(&key, node, problems),
            "default_unknown" => header.default_unknown = action(&key, &node, problems),
            "enforce" => header.enforce = boolean(&key, &node, problems),
            "approvers" => header.approvers = whole(&key, &node, 0..=10, problems),
            "max_days" => header.max_days = whole(&key, &node, 1..=3650, problems),
            _ => unknown_key(&at, &key, HEADER_KEYS, problems),
        }
    }
    if header.id.is_empty() {
        problems.push(at, "the policy has no `id`", "give it one, for example `id = \"org-baseline\"`");
    }
    if header.version.is_empty() {
        problems.push(
            at,
            "the policy has no `version`",
            "give it one, for example `version = \"2026.11.1\"`",
        );
    }
    header
}

struct RuleReader<'a> {
    problems: &'a mut Problems,
}

impl RuleReader<'_> {
    fn rule(&mut self, at: &Place, entries: Vec<Entry>) -> RuleSource {
        let mut rule = RuleSource { at: at.clone(), ..RuleSource::default() };
        let mut until = None;
        for Entry { key, at, node } in entries {
            let problems = &mut *self.problems;
            match &*key {
                "id" => rule.id = text(&key, node, problems).unwrap_or_default().0,
                // One that is wrong was told; the one that asks least of a rule keeps it from being told as missing too.
                "action" => rule.action = action(&key, &node, problems).or(Some(Action::Warn)),
                "waivable" => rule.waivable = waivable(&node, problems),
                "unknown" => rule.unknown = unknown(&node, problems),
                "mode" => rule.mode = mode(&node, problems),
                "until" => until = Some((time(&key, &node, problems), at)),
                "controls" => rule.controls = texts(&key, &node, problems),
                "obligations" => rule.obligations = texts(&key, &node, problems),
                "remediation" => rule.remediation = text(&key, node, problems),
                "message" => rule.message = text(&key, node, problems),
                "cooldown" => rule.cooldown = boolean(&key, &node, problems),
                "sealed" => rule.sealed = boolean(&key, &node, problems),
                "grace_days" => rule.grace_days = Some(node),
                "params" => rule.params = self.params(node),
                "applies" => rule.applies = Some(node),
                "when" => rule.when = Some(node),
                "expr" => no_expr(&at, problems),
                _ => unknown_key(&at, &key, RULE_KEYS, problems),
            }
        }
        if let Some((until, at)) = until {
            match &mut rule.mode {
                Some(Mode::DryRun { until: slot }) => *slot = until,
                _ => self.problems.push(
                    &at,
                    "`until` without `mode = \"dry-run\"`",
                    "add the mode or take `until` out",
                ),
            }
        }
        self.check_id(&rule);
        rule
    }

    fn check_id(&mut self, rule: &RuleSource) {
        let good = !rule.id.is_empty()
            && rule.id.len() <= 80
            && rule.id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b));
        if !good {
            self.problems.push(
                &rule.at,
                format!("`{}` is not a rule id", rule.id.escape_debug()),
                "use 1 to 80 letters, digits, `-`, `_`, `.`, `:`",
            );
        }
    }

    fn params(&mut self, node: Node) -> Vec<Param> {
        let Raw::Table(entries) = node.value else {
            self.problems.push(&node.at, "`params` is a table", "write `[rule.params]`");
            return Vec::new();
        };
        entries.into_iter().filter_map(|e| self.param(e)).collect()
    }

    fn param(&mut self, Entry { key, at, node }: Entry) -> Option<Param> {
        let plain = |value| Param { name: key.clone(), at: at.clone(), value, overridable: None };
        let Raw::Table(fields) = node.value else { return Some(plain(node)) };
        let mut param = None;
        let mut range = None;
        for field in fields {
            match (&*field.key, field.node.value) {
                ("value", value) => param = Some(plain(Node { at: field.node.at, value })),
                ("overridable", Raw::Table(bounds)) => {
                    let bound = |name| {
                        bounds.iter().find(|b| b.key == name).and_then(|b| match b.node.value {
                            Raw::Number(n) if n.is_finite() => Some(n),
                            _ => None,
                        })
                    };
                    range = bound("min").zip(bound("max")).filter(|(min, max)| min <= max);
                    if range.is_none() || bounds.len() != 2 {
                        self.problems.push(
                            &field.at,
                            "`overridable` needs two numbers, `min` and `max`",
                            "write `overridable = { min = 1, max = 30 }`",
                        );
                    }
                }
                (other, _) => unknown_key(&field.at, other, &["value", "overridable"], self.problems),
            }
        }
        if param.is_none() {
            self.problems.push(&at, format!("parameter `{key}` has no `value`"), "write `{ value = … }`");
        }
        param.map(|p| Param { overridable: range, ..p })
    }
}

pub(crate) fn no_expr(at: &Place, problems: &mut Problems) {
    problems.push(
        at,
        "`expr` is not offered: this build has no expression language",
        "write the condition with the operators of docs/reference/policy.md",
    );
}

pub(crate) fn unknown_key(at: &Place, key: &str, known: &[&str], problems: &mut Problems) {
    let remedy = nearest(key, known.iter().copied())
        .map_or_else(|| format!("expected one of {}", known.join(", ")), |n| format!("did you mean `{n}`?"));
    problems.push(at, format!("unknown key `{}`", key.escape_debug()), remedy);
}

fn wrong(key: &str, node: &Node, expected: &str, problems: &mut Problems) {
    problems.push(
        &node.at,
        format!("`{key}` is {expected}, not {}", node.value.describe()),
        format!("write {expected}"),
    );
}

fn text(key: &str, node: Node, problems: &mut Problems) -> Option<(String, Place)> {
    match node.value {
        Raw::Text(text) => Some((text, node.at)),
        _ => {
            wrong(key, &node, "text", problems);
            None
        }
    }
}

fn texts(key: &str, node: &Node, problems: &mut Problems) -> Vec<String> {
    let items = match &node.value {
        Raw::Array(items) => items,
        _ => {
            wrong(key, node, "a list of texts", problems);
            return Vec::new();
        }
    };
    items
        .iter()
        .filter_map(|item| match &item.value {
            Raw::Text(text) => Some(text.clone()),
            _ => {
                wrong(key, item, "text", problems);
                None
            }
        })
        .collect()
}

fn boolean(key: &str, node: &Node, problems: &mut Problems) -> Option<bool> {
    match node.value {
        Raw::Bool(value) => Some(value),
        _ => {
            wrong(key, node, "true or false", problems);
            None
        }
    }
}

fn whole(
    key: &str,
    node: &Node,
    range: std::ops::RangeInclusive<u32>,
    problems: &mut Problems,
) -> Option<u32> {
    match node.value {
        Raw::Number(n) if n.fract() == 0.0 && range.contains(&(n as u32)) && n >= 0.0 => Some(n as u32),
        _ => {
            let expected = format!("a whole number from {} to {}", range.start(), range.end());
            problems.push(&node.at, format!("`{key}` is not {expected}"), format!("write {expected}"));
            None
        }
    }
}

fn time(key: &str, node: &Node, problems: &mut Problems) -> Option<Timestamp> {
    let parsed = match &node.value {
        Raw::Text(text) | Raw::Time(text) => text.parse().ok(),
        _ => None,
    };
    if parsed.is_none() {
        problems.push(&node.at, format!("`{key}` is not a time"), "write one such as 2026-12-01T00:00:00Z");
    }
    parsed
}

const ACTIONS: [Action; 4] = [Action::Allow, Action::Warn, Action::Quarantine, Action::Block];

pub(crate) fn action(key: &str, node: &Node, problems: &mut Problems) -> Option<Action> {
    let found = match &node.value {
        Raw::Text(word) => ACTIONS.into_iter().find(|a| a.as_str() == word),
        _ => None,
    };
    if found.is_none() {
        problems.push(
            &node.at,
            format!("{} at `{key}` is not an action", written(node)),
            "write one of \"allow\", \"warn\", \"quarantine\", \"block\"",
        );
    }
    found
}

/// A value as it was written, for a message: texts in backticks, anything else as JSON, both short.
pub(crate) fn written(node: &Node) -> String {
    const LONGEST: usize = 80;
    let text = match &node.value {
        Raw::Text(text) => text.escape_debug().to_string(),
        _ => node.to_json().to_string(),
    };
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}

fn waivable(node: &Node, problems: &mut Problems) -> Option<Waivable> {
    let found = match &node.value {
        Raw::Bool(true) => Some(Waivable::Yes),
        Raw::Bool(false) => Some(Waivable::No),
        Raw::Text(word) if word == "digest" => Some(Waivable::Digest),
        _ => None,
    };
    if found.is_none() {
        problems.push(&node.at, "`waivable` is not understood", "write true, false or \"digest\"");
    }
    found
}

fn mode(node: &Node, problems: &mut Problems) -> Option<Mode> {
    let found = match &node.value {
        Raw::Text(word) => match &**word {
            "enforce" => Some(Mode::Enforce),
            "dry-run" => Some(Mode::DryRun { until: None }),
            "off" => Some(Mode::Off),
            _ => None,
        },
        _ => None,
    };
    if found.is_none() {
        problems.push(&node.at, "`mode` is not understood", "write \"enforce\", \"dry-run\" or \"off\"");
    }
    found
}

fn unknown(node: &Node, problems: &mut Problems) -> Option<UnknownSource> {
    let Raw::Table(entries) = &node.value else {
        return action("unknown", node, problems)
            .map(|every| UnknownSource { every: Some(every), states: Vec::new() });
    };
    let mut out = UnknownSource::default();
    let words: Vec<&str> = untold_states().map(FactState::as_str).chain(["default"]).collect();
    for Entry { key, at, node } in entries {
        if key == "default" {
            out.every = action(key, node, problems);
        } else if let Some(state) = untold_states().find(|s| s.as_str() == key) {
            out.states.extend(action(key, node, problems).map(|a| (state, a)));
        } else {
            unknown_key(at, key, &words, problems);
        }
    }
    Some(out)
}

/// The states that leave a condition untold.
pub(crate) fn untold_states() -> impl Iterator<Item = FactState> {
    FactState::ALL.into_iter().filter(|s| !matches!(s, FactState::Known | FactState::NotApplicable))
}
