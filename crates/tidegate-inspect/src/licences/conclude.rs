//! What follows from declarations and texts.
//!
//! The package's own declaration is the licence unless its own licence files say otherwise. Where they do, both hold, which is
//! the narrower reading. Where nothing is declared the texts together are the licence. What is brought along does not count.

use tidegate_model::licence::{Reading, identifiers};

use super::{Conflict, ConflictKind, Declared, Detected, How, Licences};

/// Conflicts that are told.
const CONFLICTS: usize = 100;

pub(super) fn conclude(licences: &mut Licences) {
    let declaration = declaration(&licences.declared);
    let texts = own_texts(&licences.detected);
    let (concluded, because, conflicts) = match declaration {
        Some((declared, Reading::Expression { expression, .. })) => beside(declared, expression, &texts),
        Some((declared, Reading::Ambiguous { among })) => narrowed(declared, among, &texts),
        Some((_, Reading::Proprietary)) => (None, "declared to grant no licence".to_owned(), Vec::new()),
        Some((declared, Reading::File { .. } | Reading::Unknown)) if texts.is_empty() => {
            (None, format!("`{}` is no licence of the SPDX list", declared.text), Vec::new())
        }
        _ if texts.is_empty() => from_tags(licences),
        _ => {
            let all = together(&texts);
            (all, "of the texts in its licence files; no declaration names it".to_owned(), Vec::new())
        }
    };
    licences.concluded = concluded;
    licences.because = because;
    licences.conflicts = conflicts;
}

/// The declaration that counts: the first of the package's own that is an expression, else the first that says anything.
fn declaration(declared: &[Declared]) -> Option<(&Declared, &Reading)> {
    let own = || declared.iter().filter(|one| one.own && one.reading != Reading::Nothing);
    let rank = |one: &&Declared| match one.reading {
        Reading::Expression { .. } => 0,
        Reading::Proprietary => 1,
        Reading::Ambiguous { .. } => 2,
        _ => 3,
    };
    // Of equals, `min_by_key` takes the first.
    own().min_by_key(rank).map(|one| (one, &one.reading))
}

fn own_texts(detected: &[Detected]) -> Vec<&Detected> {
    let of = |how: How| detected.iter().filter(move |one| one.own && one.how == how);
    let texts: Vec<&Detected> = of(How::Text).collect();
    if texts.is_empty() { of(How::Notice).collect() } else { texts }
}

/// Whether a text is one of an identifier of an expression. `X WITH Y` has the text of X; a text of an older `or-later` fits.
fn fits(text: &Detected, identifier: &str) -> bool {
    let base = identifier.split(" WITH ").next().unwrap_or(identifier).trim_end_matches('+');
    text.licences.iter().any(|id| id == base || family(id) == family(base))
        // The lesser licence is written as an addition to the general one, whose text stands beside it.
        || base.starts_with("LGPL-3.0") && text.licences.iter().any(|id| id.starts_with("GPL-3.0"))
}

/// An identifier without what its text does not show.
fn family(id: &str) -> &str {
    id.trim_end_matches("-only").trim_end_matches("-or-later")
}

/// A declared expression beside the texts.
fn beside(
    declared: &Declared,
    expression: &str,
    texts: &[&Detected],
) -> (Option<String>, String, Vec<Conflict>) {
    let names = identifiers(expression);
    let is_declared = |text: &&&Detected| names.iter().any(|name| fits(text, name));
    if texts.is_empty() {
        return (
            Some(expression.to_owned()),
            "as declared; it has no licence text of its own".to_owned(),
            Vec::new(),
        );
    }
    let agreeing = texts.iter().filter(is_declared).count();
    let kind = if agreeing == 0 { ConflictKind::Different } else { ConflictKind::Undeclared };
    let mut conflicts: Vec<Conflict> = Vec::new();
    for text in texts.iter().filter(|text| !is_declared(text)) {
        let is_told = conflicts.iter().any(|one| one.detected == text.licences && one.path == text.path);
        if !is_told && conflicts.len() < CONFLICTS {
            conflicts.push(conflict(kind, declared, expression, text));
        }
    }
    if kind == ConflictKind::Different {
        let found = together(texts).unwrap_or_default();
        let both = format!("{} AND {}", bracketed(expression), bracketed(&found));
        return (Some(both), "of what is declared and of the texts, which differ".to_owned(), conflicts);
    }
    (Some(expression.to_owned()), "as declared; the texts agree".to_owned(), conflicts)
}

/// An ambiguous declaration, which the texts may decide.
fn narrowed(
    declared: &Declared,
    among: &[String],
    texts: &[&Detected],
) -> (Option<String>, String, Vec<Conflict>) {
    // A declaration may be open between expressions too; each is there if all its texts are.
    let is_there =
        |option: &&String| identifiers(option).iter().all(|name| texts.iter().any(|text| fits(text, name)));
    let there: Vec<&String> = among.iter().filter(is_there).collect();
    match there.as_slice() {
        [one] => ((Some((*one).clone())), format!("`{}` as its text says", declared.text), Vec::new()),
        [] if !texts.is_empty() => {
            let conflicts = texts
                .iter()
                .take(CONFLICTS)
                .map(|text| conflict(ConflictKind::Different, declared, &declared.text, text))
                .collect();
            (together(texts), format!("of the texts, none of which is `{}`", declared.text), conflicts)
        }
        _ => (None, format!("`{}` can mean any of {}", declared.text, among.join(", ")), Vec::new()),
    }
}

fn conflict(kind: ConflictKind, declared: &Declared, expression: &str, text: &Detected) -> Conflict {
    Conflict {
        kind,
        declared: expression.to_owned(),
        declared_path: declared.path.clone(),
        detected: text.licences.clone(),
        path: text.path.clone(),
        line: text.line,
    }
}

/// The texts' licences joined by `AND`. A text of several licences stands for the first, which grants the least: `only`.
fn together(texts: &[&Detected]) -> Option<String> {
    let mut names: Vec<&str> = Vec::new();
    for name in texts.iter().filter_map(|text| text.licences.first()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    (!names.is_empty()).then(|| names.join(" AND "))
}

fn from_tags(licences: &Licences) -> (Option<String>, String, Vec<Conflict>) {
    let mut expressions: Vec<&str> = Vec::new();
    for expression in licences.tags.iter().filter(|tag| tag.own).filter_map(|tag| tag.reading.expression()) {
        if !expressions.contains(&expression) {
            expressions.push(expression);
        }
    }
    match expressions.as_slice() {
        [] => (None, "nothing states a licence".to_owned(), Vec::new()),
        [one] => (Some((*one).to_owned()), "of the tags in its files".to_owned(), Vec::new()),
        several => {
            let all: Vec<String> = several.iter().map(|one| bracketed(one)).collect();
            (Some(all.join(" AND ")), "of the tags in its files".to_owned(), Vec::new())
        }
    }
}

fn bracketed(expression: &str) -> String {
    if expression.contains(" OR ") { format!("({expression})") } else { expression.to_owned() }
}
