use super::names::{self, Meaning};
use super::*;

fn check(statement: &str, expected: &str) {
    let said = match read(statement) {
        Reading::Nothing => "nothing".to_owned(),
        Reading::Expression { expression, corrected: false } => format!("={expression}"),
        Reading::Expression { expression, corrected: true } => format!("~{expression}"),
        Reading::Ambiguous { among } => format!("? {}", among.join(", ")),
        Reading::Proprietary => "proprietary".to_owned(),
        Reading::File { name } => format!("file {name}"),
        Reading::Unknown => "unknown".to_owned(),
    };
    assert_eq!(said, expected, "{statement:?}");
}

#[test]
fn valid_expressions_stay_as_they_are() {
    for text in [
        "MIT",
        "MIT OR Apache-2.0",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT",
        "GPL-2.0-or-later",
        "LicenseRef-mine",
        "MPL-2.0+",
    ] {
        check(text, &format!("={text}"));
    }
    check("(MIT OR Apache-2.0)", "=(MIT OR Apache-2.0)");
}

#[test]
fn what_has_one_meaning_is_corrected() {
    for (text, expected) in [
        ("mit", "~MIT"),
        ("MIT License", "~MIT"),
        ("The MIT License (MIT)", "~MIT"),
        ("MIT/X11", "~MIT"),
        ("Apache 2.0", "~Apache-2.0"),
        ("Apache-2", "~Apache-2.0"),
        ("Apache License, Version 2.0", "~Apache-2.0"),
        ("ASL 2.0", "~Apache-2.0"),
        ("MIT/Apache-2.0", "~MIT OR Apache-2.0"),
        ("MIT / Apache 2.0", "~MIT OR Apache-2.0"),
        ("Apache-2.0 or MIT", "=Apache-2.0 OR MIT"),
        ("MIT, or Apache-2.0", "~MIT OR Apache-2.0"),
        ("LGPL-3.0", "~LGPL-3.0-only"),
        ("LGPL-2.1+", "~LGPL-2.1-or-later"),
        ("GPLv3", "~GPL-3.0-only"),
        ("GPLv3+", "~GPL-3.0-or-later"),
        ("GPL v2 or later", "~GPL-2.0-or-later"),
        ("GPL v2 or later or MIT", "~GPL-2.0-or-later OR MIT"),
        ("GNU General Public License v3 or later (GPLv3+)", "~GPL-3.0-or-later"),
        ("GNU Lesser General Public License v2 (LGPLv2)", "~LGPL-2.0-only"),
        ("GNU Affero General Public License v3", "~AGPL-3.0-only"),
        ("3-Clause BSD License", "~BSD-3-Clause"),
        ("New BSD", "~BSD-3-Clause"),
        ("BSD-2-Clause-FreeBSD", "~BSD-2-Clause"),
        ("GPL-2.0-with-classpath-exception", "~GPL-2.0-only WITH Classpath-exception-2.0"),
        ("Mozilla Public License 2.0 (MPL 2.0)", "~MPL-2.0"),
        ("BSD-3-Clause AND (MIT OR Apache 2)", "~BSD-3-Clause AND (MIT OR Apache-2.0)"),
        ("WTFPL", "=WTFPL"),
        ("Boost Software License", "~BSL-1.0"),
        ("\"ISC\"", "=ISC"),
    ] {
        check(text, expected);
    }
}

#[test]
fn what_has_several_meanings_stays_open() {
    check("BSD", "? BSD-2-Clause, BSD-3-Clause, BSD-4-Clause");
    check("BSD License or MIT", "? BSD-2-Clause, BSD-3-Clause, BSD-4-Clause");
    check("Apache Software License", "? Apache-1.0, Apache-1.1, Apache-2.0");
    check("MIT, Apache-2.0", "? MIT AND Apache-2.0, MIT OR Apache-2.0");
    assert!(matches!(read("GPL"), Reading::Ambiguous { among } if among.len() == 5));
}

#[test]
fn nothing_is_invented() {
    for text in ["", "  ", "NONE", "NOASSERTION", "unknown"] {
        check(text, "nothing");
    }
    for text in [
        "Dual License",
        "see the file",
        "MIT OR",
        "(MIT",
        "Acme EULA",
        "MIT Acme",
        "License",
        "and",
        "\u{1f600}",
    ] {
        check(text, "unknown");
    }
    check(&"MIT OR ".repeat(400), "unknown");
    check(&"(".repeat(500), "unknown");
    check("SEE LICENSE IN LICENSE.md", "file LICENSE.md");
    check("UNLICENSED", "proprietary");
    check("Proprietary", "proprietary");
}

#[test]
fn the_table_holds_expressions_and_no_spelling_twice() {
    let mut seen = std::collections::HashMap::new();
    let mut twice = Vec::new();
    for (name, meaning) in names::entries() {
        let targets = match &meaning {
            Meaning::Is(one) => vec![one.clone()],
            Meaning::OneOf(several) => several.clone(),
            Meaning::Proprietary => Vec::new(),
        };
        for target in targets {
            assert!(is_valid(&target), "{name}: `{target}` is no expression of the list");
        }
        if let Some(before) = seen.insert(names::key(name), name) {
            twice.push((name, before));
        }
    }
    assert!(twice.is_empty(), "one spelling each: {twice:?}");
    assert!(seen.len() > 100);
}

#[test]
fn every_identifier_of_the_list_reads_as_itself() {
    for licence in spdx::identifiers::LICENSES.iter().filter(|licence| licence.name != "NOASSERTION") {
        let expected = names::in_force(licence.name);
        assert_eq!(read(licence.name).expression(), Some(&*expected), "{}", licence.name);
        assert_eq!(read(&licence.name.to_lowercase()).expression(), Some(&*expected), "{}", licence.name);
    }
}

#[test]
fn identifiers_of_an_expression_are_told_once() {
    assert_eq!(
        identifiers("(MIT OR Apache-2.0 WITH LLVM-exception) AND MIT"),
        ["MIT", "Apache-2.0 WITH LLVM-exception"]
    );
    assert_eq!(identifiers("no expression"), [""; 0]);
}
