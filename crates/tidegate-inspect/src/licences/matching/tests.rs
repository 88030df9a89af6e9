use super::*;
use crate::licences::words;

fn text(id: &str) -> &'static str {
    spdx::license_id(id).unwrap().text()
}

fn found(file: &str) -> Vec<String> {
    let found = find(&words::words(file, FILE_WORDS));
    found.matches.iter().map(|one| one.ids.join("|")).collect()
}

#[test]
fn every_text_of_the_list_is_found_as_itself() {
    let mut others = Vec::new();
    // Some: together they take a minute unoptimised.
    for (id, text) in spdx::text::LICENSE_TEXTS.iter().step_by(25) {
        let found = find(&words::words(text, FILE_WORDS));
        let is_there = found.matches.iter().any(|one| one.ids.contains(id));
        let id = spdx::license_id(id).unwrap();
        if !is_there
            && !id.is_deprecated()
            && id.name != "NOASSERTION"
            && !id.name.ends_with("-no-copyleft-exception")
        {
            others.push(format!("{}: {:?}", id.name, found.matches.first().map(|one| one.ids)));
        }
    }
    assert!(others.is_empty(), "{others:#?}");
}

#[test]
fn close_twins_are_told_apart() {
    for id in [
        "MIT",
        "MIT-0",
        "X11",
        "ISC",
        "0BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSD-4-Clause",
        "BSD-2-Clause-Views",
        "BSD-3-Clause-Clear",
        "Apache-2.0",
        "Pixar",
        "MPL-2.0",
        "Unlicense",
        "CC0-1.0",
        "BlueOak-1.0.0",
        "Zlib",
        "PSF-2.0",
        "OpenSSL",
        "JSON",
        "MITNFA",
        "NCSA",
        "BSL-1.0",
        "WTFPL",
        "Artistic-2.0",
        "EPL-2.0",
        "PostgreSQL",
    ] {
        assert_eq!(found(text(id)), [id], "{id}");
    }
    assert_eq!(found(text("GPL-2.0-only")), ["GPL-2.0-only|GPL-2.0-or-later"]);
    assert_eq!(found(text("LGPL-3.0-or-later")), ["LGPL-3.0-only|LGPL-3.0-or-later"]);
}

#[test]
fn layout_and_holders_do_not_matter() {
    let mit = text("MIT")
        .replace("Copyright (c) <year> <copyright holders>", "Copyright © 2020-2024 Ann Example\n(c) Bob");
    for file in [
        mit.to_uppercase(),
        mit.replace('\n', "\r\n"),
        mit.lines().map(|line| format!(" * {line}\n")).collect(),
        mit.split_whitespace().collect::<Vec<_>>().join("\n// "),
        mit.replace("MIT License", "The MIT License (MIT)"),
        mit.replace('"', "\u{201c}"),
    ] {
        assert_eq!(found(&file), ["MIT"], "{file}");
    }
    let bsd = text("BSD-3-Clause")
        .replace("Neither the name of the copyright holder nor", "Neither the name of Acme Example GmbH nor")
        .replace("1. Redist", "* Redist");
    assert_eq!(found(&bsd), ["BSD-3-Clause"]);
    let apache = text("Apache-2.0");
    let terms = &apache[..apache.find("APPENDIX").unwrap()];
    assert_eq!(found(terms), ["Apache-2.0"]);
}

#[test]
fn a_file_of_several_licences_gives_each_with_its_lines() {
    let ids = ["MIT", "BSD-3-Clause", "BSD-2-Clause", "ISC", "MIT", "Apache-2.0", "Zlib", "0BSD"];
    let mut file = String::from("Third-party notices\n\n");
    let mut starts = Vec::new();
    for (number, id) in ids.iter().enumerate() {
        starts.push(file.lines().count() as u32 + 1);
        file.push_str(&format!("----\nThe component number {number} is under this:\n\n{}\n", text(id)));
    }
    assert_eq!(found(&file), ids);
    let found = find(&words::words(&file, FILE_WORDS));
    for (place, start) in found.matches.iter().zip(&starts) {
        assert!(place.lines.0 >= *start && place.lines.0 < start + 8, "{place:?} begins near {start}");
    }
    assert!(found.others < 120, "{found:?}");
}

#[test]
fn what_is_changed_or_added_is_told() {
    let mit = text("MIT");
    let changed = mit.replace("publish, distribute, ", "");
    let one = &find(&words::words(&changed, FILE_WORDS)).matches[0];
    assert!(one.ids == ["MIT"] && one.there < 1.0, "{one:?}");
    let added =
        mit.replace("The above", "It must not be used on Tuesdays, nor by cats, nor near water. The above");
    let one = &find(&words::words(&added, FILE_WORDS)).matches[0];
    assert!(one.ids == ["MIT"] && one.foreign >= 10, "{one:?}");
}

#[test]
fn what_is_no_licence_is_none() {
    let prose = "This package may be used by anybody who has bought it. ".repeat(200);
    for file in ["", "MIT", "See the file LICENSE.", &prose, &text("MIT")[..400]] {
        assert_eq!(found(file), [""; 0], "{file}");
    }
}
