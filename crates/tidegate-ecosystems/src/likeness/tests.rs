use proptest::prelude::*;

use super::*;

fn found(ecosystem: Ecosystem, text: &str) -> Option<(&'static str, Difference)> {
    resembles(&PackageName::parse(ecosystem, text).unwrap()).map(|r| (r.popular, r.difference))
}

fn listed(list: &str) -> Vec<&str> {
    list.lines().filter(|l| !l.starts_with('#')).collect()
}

const LISTS: [(Ecosystem, &str, usize); 3] = [
    (Ecosystem::Npm, include_str!("popular/npm.txt"), 1500),
    (Ecosystem::Pypi, include_str!("popular/pypi.txt"), 400),
    (Ecosystem::Cargo, include_str!("popular/cargo.txt"), 700),
];

#[test]
fn every_kind_of_difference_is_told() {
    use Difference::*;
    use Ecosystem::{Cargo, Npm, Pypi};
    for (ecosystem, text, popular, difference) in [
        (Npm, "lodahs", "lodash", Swap),
        (Npm, "lodash-js", "lodash", Affix),
        (Npm, "node-express", "express", Affix),
        (Npm, "expres", "express", Omission),
        (Npm, "exprress", "express", Repetition),
        (Npm, "1odash", "lodash", Lookalike),
        (Npm, "cornmander", "commander", Lookalike),
        (Npm, "reactdom", "react-dom", Separator),
        (Npm, "react_dom", "react-dom", Separator),
        (Npm, "@bable/core", "@babel/core", Scope),
        (Npm, "@babe1/core", "@babel/core", Scope),
        (Npm, "@babbel/core", "@babel/core", Scope),
        (Npm, "@types-x/node", "@types/node", Scope),
        (Npm, "@angulr/core", "@angular/core", Scope),
        (Npm, "types-node", "@types/node", Scope),
        (Pypi, "reqeusts", "requests", Swap),
        (Pypi, "djanggo", "django", Repetition),
        (Pypi, "beautifulsoup-4", "beautifulsoup4", Separator),
        (Pypi, "urlib3", "urllib3", Omission),
        (Pypi, "py-requests", "requests", Affix),
        (Pypi, "python3-dateutil", "", Affix),
        (Pypi, "sc1py-x", "", Affix),
        (Cargo, "serde_jsno", "serde_json", Swap),
        (Cargo, "rustdecimal", "rust_decimal", Separator),
        (Cargo, "tokio-rs", "tokio", Affix),
        (Cargo, "reqwset", "reqwest", Swap),
        (Cargo, "tokioo", "tokio", Repetition),
    ] {
        let expected = (!popular.is_empty()).then_some((popular, difference));
        assert_eq!(found(ecosystem, text), expected, "{ecosystem} {text}");
    }
}

#[test]
fn what_is_popular_or_short_or_merely_near_resembles_nothing() {
    for (ecosystem, names) in [
        (
            Ecosystem::Npm,
            &["lodash", "react", "preact", "debgu", "glbo", "colours", "@acme/core", "left-pad"][1..3],
        ),
        (
            Ecosystem::Npm,
            &[
                "ejss",
                "nexts",
                "reacts",
                "@acme/core",
                "@scope/express",
                "lodashy",
                "@my/lodash",
                "CSSselect",
            ],
        ),
        (Ecosystem::Pypi, &["Django", "numpy2", "tox", "toxx", "request-id"]),
        (Ecosystem::Cargo, &["serde-json", "SERDE_JSON", "sha3", "sync", "acme-tokio"]),
    ] {
        for name in names {
            assert_eq!(found(ecosystem, name), None, "{ecosystem} {name}");
        }
    }
}

#[test]
fn lists_are_sorted_normal_names_and_large_enough() {
    for (ecosystem, list, least) in LISTS {
        assert!(list.starts_with("# "), "{ecosystem}: the list says how it was made");
        let names = listed(list);
        assert!(names.len() >= least, "{ecosystem}: {}", names.len());
        assert!(names.windows(2).all(|pair| pair[0] < pair[1]), "{ecosystem}: sorted, each once");
        for name in names {
            let parsed = PackageName::parse(ecosystem, name).unwrap();
            assert_eq!(parsed.as_str(), name);
            assert!(is_popular(&parsed) && resembles(&parsed).is_none(), "{ecosystem} {name}");
        }
    }
}

/// Closures of applications that had no part in the lists. What is told about them is a false alarm: each one stands
/// here by name, so that a change that adds one is seen.
#[test]
fn real_closures_are_left_alone() {
    for (ecosystem, closure, known) in [
        (Ecosystem::Npm, include_str!("held_out/npm.txt"), &["parsejson", "parseuri", "userhome"][..]),
        (Ecosystem::Pypi, include_str!("held_out/pypi.txt"), &[]),
        (Ecosystem::Cargo, include_str!("held_out/cargo.txt"), &[]),
    ] {
        let names = listed(closure);
        let fresh = names.iter().filter(|n| !is_popular(&PackageName::parse(ecosystem, n).unwrap())).count();
        let told: Vec<&str> = names.iter().copied().filter(|n| found(ecosystem, n).is_some()).collect();
        println!("{ecosystem}: {} names, {fresh} not in the list, told: {told:?}", names.len());
        assert!(fresh >= 50, "{ecosystem}: a closure inside the list shows nothing");
        assert_eq!(told, known, "{ecosystem}");
    }
}

#[test]
fn a_missing_character_is_found_wherever_it_stood() {
    use super::neighbours::lacks_one;
    for (name, popular, expected) in [
        ("expres", "express", true),
        ("exress", "express", true),
        ("xpress", "express", false),
        ("color", "colors", false),
        ("base6", "base64", false),
        ("reactdom", "react-dom", false),
        ("expresss", "express", false),
        ("express", "express", false),
        ("", "e", false),
    ] {
        assert_eq!(lacks_one(name, popular), expected, "{name} {popular}");
    }
}

proptest! {
    /// Each single typing error in a popular name that gives no popular name is told, and names a popular name.
    #[test]
    fn one_typing_error_is_told(pick in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), kind in 0..3) {
        for (ecosystem, list, _) in LISTS {
            let names: Vec<&str> =
                listed(list).into_iter().filter(|n| n.len() > MIN_BYTES + 1 && n.len() < 60 && !n.starts_with('@') && *n == n.to_lowercase()).collect();
            let name = names[pick.index(names.len())];
            let mut typed = name.as_bytes().to_vec();
            let at = 1 + at.index(typed.len() - 1);
            match kind {
                0 => typed.swap(at - 1, at),
                1 => { typed.remove(at); }
                _ => typed.insert(at, typed[at]),
            }
            let letters = [name.as_bytes()[at - 1], name.as_bytes()[at]].iter().all(u8::is_ascii_lowercase);
            let last = at + 1 == name.len();
            let typed = String::from_utf8(typed).unwrap();
            let parsed = PackageName::parse(ecosystem, &typed).unwrap();
            if letters && !last && !is_popular(&parsed) {
                prop_assert!(resembles(&parsed).is_some(), "{} {} from {}", ecosystem, typed, name);
            }
        }
    }

    /// Any name ends in an answer.
    #[test]
    fn any_name_is_answered(text in "(@[a-zA-Z0-9._-]{1,20}/)?[a-zA-Z0-9._-]{1,110}") {
        for ecosystem in Ecosystem::ALL {
            let Ok(name) = PackageName::parse(ecosystem, &text) else { continue };
            prop_assert!(resembles(&name).is_none_or(|r| r.popular != name.as_str()));
        }
    }
}
