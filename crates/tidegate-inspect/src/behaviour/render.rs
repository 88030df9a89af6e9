//! Facts as lines, and cases as blocks, for the tests of readers.

use std::fmt::Write as _;

use super::facts::{FileFacts, Reading, Scope};

/// One case of a file of cases.
pub(crate) struct Case<'t> {
    /// The whole line behind `=== `.
    pub(crate) title: &'t str,
    /// The path that the source stands under, if the title names one.
    pub(crate) path: Option<&'t str>,
    pub(crate) source: &'t str,
    pub(crate) expected: &'t str,
}

/// The cases of a file: `=== title [@path]`, source, `---`, expectation.
pub(crate) fn blocks(text: &str) -> Vec<Case<'_>> {
    let cases: Vec<Case<'_>> = text
        .split("=== ")
        .skip(1)
        .map(|block| {
            let (title, rest) = block.split_once('\n').expect("a title ends its line");
            let (source, expected) = rest.split_once("---\n").unwrap_or((rest, ""));
            let path = title.split_once(" @").map(|(_, path)| path.trim());
            Case { title, path, source, expected }
        })
        .collect();
    assert!(!cases.is_empty(), "a file of cases has cases");
    cases
}

/// One line for each fact (`what detail`, then what is special of it), each flow, each import.
pub(crate) fn rendered(file: &FileFacts) -> String {
    let word = |value: &dyn std::fmt::Debug| {
        let camel = format!("{value:?}");
        let mut out = String::new();
        for (at, c) in camel.chars().enumerate() {
            if c.is_uppercase() && at > 0 {
                out.push('_');
            }
            out.extend(c.to_lowercase());
        }
        out
    };
    let fact = |index: u32| {
        let fact = &file.facts[index as usize];
        let detail: String = fact.detail.chars().take(60).collect::<String>().escape_debug().to_string();
        format!("{} {detail}", word(&fact.what)).trim_end().to_owned()
    };
    let mut out = String::new();
    if file.reading == Reading::Tokens {
        out.push_str("tokens\n");
    }
    for (index, one) in file.facts.iter().enumerate() {
        let _ = write!(out, "{}", fact(index as u32));
        if one.scope == Scope::Call {
            out.push_str(" [call]");
        }
        if one.folded {
            out.push_str(" [folded]");
        }
        for gate in &one.gates {
            let _ = write!(out, " [{}]", word(gate));
        }
        out.push('\n');
    }
    for flow in &file.flows {
        let by = if flow.decoded { " by decoder" } else { "" };
        let _ = writeln!(out, "{} -> {}{by}", fact(flow.from), fact(flow.to));
    }
    for (name, list) in [("imports", &file.imports), ("late imports", &file.late_imports)] {
        if !list.is_empty() {
            let _ = writeln!(out, "{name} {}", list.join(" "));
        }
    }
    out
}
