//! Sentences for developers: templates with placeholders, checked when a policy is compiled.
//!
//! `{days}` is a parameter, `{publisher.account}` a fact, and a few words stand for what a decision knows: `{age}`,
//! `{until}`, `{advisories}`, `{fix_versions}`, `{gaps}`. A part in `[brackets]` is left out where one of its
//! placeholders has nothing to say.

use tidegate_model::Timestamp;
use tidegate_model::facts::{FactState, Vulnerability};

use crate::condition::plain;
use crate::file::Param;
use crate::paths::{GroupId, PATHS, PathSpec, Value, nearest};
use crate::source::{Place, Problems};
use crate::tree::Context;

/// The longest rendered sentence, in bytes.
const MAX_MESSAGE_BYTES: usize = 600;

const SPECIALS: &[(&str, Special)] = &[
    ("age", Special::Age),
    ("until", Special::Until),
    ("advisories", Special::Advisories),
    ("fix_versions", Special::FixVersions),
    ("gaps", Special::Gaps),
];

#[derive(Clone, Copy, Debug)]
enum Special {
    Age,
    Until,
    Advisories,
    FixVersions,
    Gaps,
}

#[derive(Clone)]
enum Part {
    Text(Box<str>),
    Fact(&'static PathSpec),
    Special(Special),
    Optional(Vec<Part>),
}

/// A compiled template.
#[derive(Clone)]
pub(crate) struct Template(Vec<Part>);

/// What a sentence can speak of beside the facts.
pub(crate) struct Seen<'a> {
    pub(crate) until: Option<Timestamp>,
    pub(crate) advisories: &'a [&'a Vulnerability],
    /// Groups that the rule reads and that are not known.
    pub(crate) groups: u32,
}

impl Template {
    pub(crate) fn compile(
        text: &str,
        at: &Place,
        params: &[Param],
        problems: &mut Problems,
        used: &mut Vec<String>,
    ) -> Self {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find('[') {
            let Some(close) = rest[open..].find(']') else { break };
            parse_into(&rest[..open], at, params, problems, used, &mut parts);
            let mut inner = Vec::new();
            parse_into(&rest[open + 1..open + close], at, params, problems, used, &mut inner);
            parts.push(Part::Optional(inner));
            rest = &rest[open + close + 1..];
        }
        parse_into(rest, at, params, problems, used, &mut parts);
        Self(parts)
    }

    pub(crate) fn render(&self, context: &Context<'_>, seen: &Seen<'_>) -> String {
        let mut out = String::new();
        for part in &self.0 {
            part.render(context, seen, &mut out);
        }
        bounded(out)
    }
}

/// One line of at most [`MAX_MESSAGE_BYTES`]: facts come from outside.
pub(crate) fn bounded(text: String) -> String {
    let mut text = if text.contains(char::is_control) {
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    } else {
        text
    };
    if text.len() > MAX_MESSAGE_BYTES {
        let cut = (0..=MAX_MESSAGE_BYTES).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        text.truncate(cut);
        text.push('…');
    }
    text
}

fn parse_into(
    text: &str,
    at: &Place,
    params: &[Param],
    problems: &mut Problems,
    used: &mut Vec<String>,
    out: &mut Vec<Part>,
) {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, tail)) = after.split_once('}') else { break };
        push_text(out, before);
        if let Some(param) = params.iter().find(|p| p.name == name) {
            used.push(param.name.clone());
            push_text(out, &plain(&param.value));
        } else if let Some((_, special)) = SPECIALS.iter().find(|(word, _)| *word == name) {
            out.push(Part::Special(*special));
        } else if let Some(path) = PATHS.iter().find(|p| p.name == name) {
            out.push(Part::Fact(path));
        } else {
            let known = SPECIALS.iter().map(|(w, _)| *w).chain(PATHS.iter().map(|p| p.name));
            let remedy = nearest(name, known.chain(params.iter().map(|p| &*p.name))).map_or_else(
                || "use a parameter, a fact, or one of age, until, advisories, fix_versions, gaps".to_owned(),
                |near| format!("did you mean `{{{near}}}`?"),
            );
            problems.push(at, format!("there is no placeholder `{{{}}}`", name.escape_debug()), remedy);
        }
        rest = tail;
    }
    push_text(out, rest);
}

fn push_text(out: &mut Vec<Part>, text: &str) {
    if !text.is_empty() {
        out.push(Part::Text(text.into()));
    }
}

impl Part {
    /// Writes the part; says whether it had something to say.
    fn render(&self, context: &Context<'_>, seen: &Seen<'_>, out: &mut String) -> bool {
        let said = match self {
            Self::Text(text) => Some(text.to_string()),
            // What is said stands in the ledger for good, and people can be forgotten.
            Self::Fact(path) if path.name == crate::reasons::NAMES_A_PERSON => {
                Some("whoever asks".to_owned())
            }
            Self::Fact(path) => shown((path.get)(context.facts)),
            Self::Special(special) => special.shown(context, seen),
            Self::Optional(parts) => {
                let before = out.len();
                if !parts.iter().all(|p| p.render(context, seen, out)) {
                    out.truncate(before);
                }
                return true;
            }
        };
        out.push_str(said.as_deref().unwrap_or("unknown"));
        said.is_some()
    }
}

impl Special {
    fn shown(self, context: &Context<'_>, seen: &Seen<'_>) -> Option<String> {
        match self {
            Self::Age => {
                let path = PATHS.iter().find(|p| p.name == "artifact.known_since").expect("the path exists");
                match (path.get)(context.facts) {
                    Value::Time(at) => Some(age(context.now.seconds_since(at))),
                    _ => None,
                }
            }
            Self::Until => seen.until.map(Timestamp::to_minute),
            Self::Advisories => {
                let ids: Vec<&str> = seen.advisories.iter().map(|a| &*a.id).collect();
                (!ids.is_empty()).then(|| list(&ids))
            }
            Self::FixVersions => {
                let mut versions: Vec<&str> =
                    seen.advisories.iter().flat_map(|a| a.fixed_in.iter().map(|v| &**v)).collect();
                versions.sort_unstable();
                versions.dedup();
                (!versions.is_empty()).then(|| list(&versions))
            }
            Self::Gaps => gaps(context, seen.groups),
        }
    }
}

/// The groups of `mask` that are not known, with how: `vulnerabilities not scanned, malware stale`.
pub(crate) fn gaps(context: &Context<'_>, mask: u32) -> Option<String> {
    let mut out = Vec::new();
    for group in GroupId::ENVELOPED.iter().filter(|g| mask & g.bit() != 0) {
        let state = context.state(*group);
        if !matches!(state, FactState::Known | FactState::NotApplicable) {
            out.push(format!("{} {}", group.as_str(), state.as_str().replace('_', " ")));
        }
    }
    (!out.is_empty()).then(|| out.join(", "))
}

fn list(items: &[&str]) -> String {
    const SHOWN: usize = 5;
    let mut text = items.iter().take(SHOWN).copied().collect::<Vec<_>>().join(", ");
    if items.len() > SHOWN {
        text.push_str(&format!(" and {} more", items.len() - SHOWN));
    }
    text
}

pub(crate) fn shown(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Time(at) => at.to_minute(),
        Value::List(items) => list(&items.iter().map(|i| &**i).collect::<Vec<_>>()),
        Value::Text(text) => text.to_owned(),
        other => other.to_json()?.to_string().trim_matches('"').to_owned(),
    })
}

/// `22 h ago`; a time to come is `3 h ahead`.
fn age(seconds: i64) -> String {
    let (magnitude, word) = if seconds < 0 { (-seconds, "ahead") } else { (seconds, "ago") };
    let (count, unit) = match magnitude {
        0..3600 => (magnitude / 60, "min"),
        3600..172_800 => (magnitude / 3600, "h"),
        _ => (magnitude / 86_400, "d"),
    };
    format!("{count} {unit} {word}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_read_like_speech() {
        for (seconds, expected) in [
            (0, "0 min ago"),
            (3599, "59 min ago"),
            (22 * 3600 + 5, "22 h ago"),
            (47 * 3600, "47 h ago"),
            (3 * 86_400, "3 d ago"),
            (-7200, "2 h ahead"),
        ] {
            assert_eq!(age(seconds), expected);
        }
    }
}
