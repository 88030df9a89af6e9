//! What holds for the order of any versions, however they are written.

use std::cmp::Ordering;

use proptest::prelude::*;
use proptest::sample::select;
use tidegate_model::VersionScheme;
use tidegate_model::version::MAX_VERSION_BYTES;

/// Pieces of which versions of every scheme are made, and some of which none is.
#[rustfmt::skip]
const PIECES: [&str; 48] = [
    "0", "1", "2", "9", "10", "00", "01", "79", "80", "255", "256", "18446744073709551615", "99999999999999999999", ".", ".",
    ".", ".", "-", "-", "_", "+", "~", "^", ":", "!", "v", "=", "a", "b", "rc", "RC", "alpha", "beta", "dev", "post", "pre", "p",
    "x", "ga", "sp", "final", "snapshot", "-r", "_git", "stable", "-dev", "ü", "\0",
];

/// Text that looks like a version.
pub(crate) fn version_like() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(select(PIECES.as_slice()), 0..8).prop_map(|pieces| pieces.concat());
    // Most orders want a number first.
    let numbered =
        ("[0-9]{1,2}(\\.[0-9]{1,2}){0,3}", pieces.clone()).prop_map(|(number, rest)| number + &rest);
    prop_oneof![3 => numbered, 1 => pieces]
}

fn scheme() -> impl Strategy<Value = VersionScheme> {
    select(VersionScheme::ALL.as_slice())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn any_text_has_a_key_or_none(scheme in scheme(), text in ".{0,300}") {
        let key = scheme.key(&text);
        prop_assert_eq!(&key, &scheme.key(&text));
        if text.trim_ascii().len() > MAX_VERSION_BYTES {
            prop_assert_eq!(key, None);
        } else if let Some(key) = key {
            prop_assert!(!key.as_bytes().is_empty());
            // Stored keys are small: no part of a version takes more than a few bytes beside its own.
            prop_assert!(key.as_bytes().len() <= 8 * text.len() + 32, "{} bytes", key.as_bytes().len());
        }
        let _ = scheme.key_without_local(&text);
    }

    #[test]
    fn the_order_is_total(scheme in scheme(), a in version_like(), b in version_like(), c in version_like()) {
        let valid: Vec<&str> =
            [&a, &b, &c].into_iter().map(String::as_str).filter(|text| scheme.key(text).is_some()).collect();
        for a in &valid {
            prop_assert_eq!(scheme.compare(a, a), Some(Ordering::Equal), "reflexive: `{}`", a);
            for b in &valid {
                let order = scheme.compare(a, b);
                prop_assert_eq!(order.is_some(), scheme.is_ordered() || a.trim_ascii() == b.trim_ascii());
                prop_assert_eq!(order.map(Ordering::reverse), scheme.compare(b, a), "antisymmetric: `{}` `{}`", a, b);
                for c in &valid {
                    if order.is_some_and(Ordering::is_le) && scheme.compare(b, c).is_some_and(Ordering::is_le) {
                        let whole = scheme.compare(a, c);
                        prop_assert!(whole.is_some_and(Ordering::is_le), "transitive: `{a}` `{b}` `{c}`");
                    }
                }
            }
        }
    }

    #[test]
    fn white_space_around_a_version_is_none_of_it(scheme in scheme(), text in version_like()) {
        prop_assert_eq!(scheme.key(&format!(" {text}\n")), scheme.key(&text));
    }

    #[test]
    fn spellings_are_equal(scheme in scheme(), numbers in prop::collection::vec(0_u64..200, 1..4), tail in select(TAILS.as_slice())) {
        let dotted: Vec<String> = numbers.iter().map(u64::to_string).collect();
        let version = dotted.join(".");
        for (a, b) in respelled(scheme, &version, tail, numbers.len()) {
            prop_assert!(scheme.key(&a).is_some(), "{scheme:?}: `{a}` should be a version");
            prop_assert_eq!(scheme.key(&a), scheme.key(&b), "{:?}: `{}` is `{}`", scheme, a, b);
        }
    }
}

/// What may follow the numbers in most schemes.
const TAILS: [&str; 4] = ["", "-alpha", "-rc.1", "-beta2"];

/// Pairs of texts that are the same version.
fn respelled(scheme: VersionScheme, version: &str, tail: &str, numbers: usize) -> Vec<(String, String)> {
    let whole = format!("{version}{tail}");
    let padded = format!("{version}{}{tail}", ".0".repeat(4 - numbers));
    let capitals = whole.to_uppercase();
    let with = |prefix: &str, suffix: &str| (whole.clone(), format!("{prefix}{whole}{suffix}"));
    match scheme {
        VersionScheme::Semver => {
            vec![with("v", ""), with("=", "+b.1"), with("0", ""), (whole.clone(), padded)]
        }
        VersionScheme::Pub => vec![with("v", ""), (whole.clone(), padded)],
        VersionScheme::NuGet => vec![with("0", "+meta"), (whole.clone(), padded), (whole.clone(), capitals)],
        VersionScheme::Pypi => {
            vec![with("V", ""), with("0!", ""), (whole.clone(), padded), (whole.clone(), capitals)]
        }
        VersionScheme::Maven => {
            vec![with("0", ""), with("", "-ga"), (whole.clone(), padded), (whole.clone(), capitals)]
        }
        VersionScheme::RubyGems => {
            vec![with("0", ""), with("", ".0"), with("", "-x86_64-linux"), (whole.clone(), padded)]
        }
        VersionScheme::Packagist => vec![with("v", "+b"), (whole.clone(), padded), (whole.clone(), capitals)],
        VersionScheme::Dpkg => vec![with("0:", ""), (format!("{version}-1"), format!("0:{version}-01"))],
        VersionScheme::Rpm => vec![with("0:", ""), (version.to_owned(), version.replace('.', "_"))],
        VersionScheme::Alpine => vec![(format!("{version}-r"), format!("0{version}-r00"))],
        VersionScheme::Cran => {
            vec![(version.to_owned(), version.replace('.', "-")), (version.to_owned(), format!("0{version}"))]
        }
        VersionScheme::Hackage => vec![(version.to_owned(), format!("0{version}"))],
        VersionScheme::Textual => vec![(whole.clone(), whole)],
    }
}
