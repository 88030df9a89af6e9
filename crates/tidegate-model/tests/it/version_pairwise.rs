//! Keys against comparisons: the tools compare two versions part by part, so each order is written here once more in that
//! way, or taken from a crate, and must never differ.

use std::cmp::Ordering;

use proptest::prelude::*;
use tidegate_model::VersionScheme;

use crate::version_laws::version_like;

fn agree(scheme: VersionScheme, a: &str, b: &str, expected: Ordering) -> Result<(), TestCaseError> {
    if let Some(order) = scheme.compare(a, b) {
        prop_assert_eq!(order, expected, "{:?}: `{}` and `{}`", scheme, a, b);
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8192))]

    #[test]
    fn semver_is_the_crates_precedence(a in semver_text(), b in semver_text()) {
        if let (Ok(x), Ok(y)) = (semver::Version::parse(&a), semver::Version::parse(&b)) {
            prop_assert_eq!(VersionScheme::Semver.compare(&a, &b), Some(x.cmp_precedence(&y)), "`{}` and `{}`", a, b);
        }
    }

    #[test]
    fn pep440_is_the_crates_order(a in version_like(), b in version_like()) {
        if let (Ok(x), Ok(y)) = (a.parse::<pep440_rs::Version>(), b.parse::<pep440_rs::Version>()) {
            prop_assert_eq!(VersionScheme::Pypi.compare(&a, &b), Some(x.cmp(&y)), "`{}` and `{}`", a, b);
        }
    }

    #[test]
    fn dpkg_is_verrevcmp(a in version_like(), b in version_like()) {
        agree(VersionScheme::Dpkg, &a, &b, dpkg(&a, &b))?;
    }

    #[test]
    fn rpm_is_rpmvercmp(a in version_like(), b in version_like()) {
        agree(VersionScheme::Rpm, &a, &b, rpm(&a, &b))?;
    }

    #[test]
    fn rubygems_pads_with_zeros(a in "[0-2](\\.?[0-2ab]){0,6}", b in "[0-2](\\.?[0-2ab]){0,6}") {
        agree(VersionScheme::RubyGems, &a, &b, gem(&a, &b))?;
    }
}

/// Versions that the `semver` crate takes, close enough to each other to differ late.
fn semver_text() -> impl Strategy<Value = String> {
    "[0-2]\\.[0-2]\\.[0-2](-(0|1|10|a|b|a-|A)(\\.(0|2|10|a|b)){0,3})?(\\+[a-z0-9]{1,3})?"
}

/// A number of any size: without its leading zeros, the longer is the greater.
fn number(digits: &[u8]) -> (usize, &[u8]) {
    let zeros = digits.iter().position(|b| *b != b'0').unwrap_or(digits.len());
    (digits.len() - zeros, &digits[zeros..])
}

/// The bytes that `text` begins with and that `belongs` admits.
fn take<'a>(text: &mut &'a [u8], belongs: impl Fn(u8) -> bool) -> &'a [u8] {
    let length = text.iter().position(|b| !belongs(*b)).unwrap_or(text.len());
    let (run, rest) = text.split_at(length);
    *text = rest;
    run
}

/// The digits that `text` begins with.
fn digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    take(text, |b| b.is_ascii_digit())
}

fn epoch(text: &str) -> (&str, &str) {
    text.trim_ascii().split_once(':').unwrap_or(("0", text.trim_ascii()))
}

/// dpkg's `verrevcmp`, byte by byte.
fn dpkg(a: &str, b: &str) -> Ordering {
    let order = |byte: Option<&u8>| match byte {
        None => 0,
        Some(b) if b.is_ascii_digit() => 0,
        Some(b) if b.is_ascii_alphabetic() => i32::from(*b),
        Some(b'~') => -1,
        Some(b) => i32::from(*b) + 256,
    };
    let part = |a: &str, b: &str| {
        let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
        while !a.is_empty() || !b.is_empty() {
            while a.first().is_some_and(|c| !c.is_ascii_digit())
                || b.first().is_some_and(|c| !c.is_ascii_digit())
            {
                match order(a.first()).cmp(&order(b.first())) {
                    Ordering::Equal => (a, b) = (&a[1..], &b[1..]),
                    different => return different,
                }
            }
            match number(digits(&mut a)).cmp(&number(digits(&mut b))) {
                Ordering::Equal => {}
                different => return different,
            }
        }
        Ordering::Equal
    };
    let ((epoch_a, a), (epoch_b, b)) = (epoch(a), epoch(b));
    let (a, revision_a) = a.rsplit_once('-').unwrap_or((a, ""));
    let (b, revision_b) = b.rsplit_once('-').unwrap_or((b, ""));
    part(epoch_a, epoch_b).then_with(|| part(a, b)).then_with(|| part(revision_a, revision_b))
}

/// `rpmvercmp`, segment by segment.
fn rpm(a: &str, b: &str) -> Ordering {
    let part = |a: &str, b: &str| {
        let (mut a, mut b) = (a.as_bytes(), b.as_bytes());
        loop {
            let separator = |c: u8| !c.is_ascii_alphanumeric() && c != b'~' && c != b'^';
            take(&mut a, separator);
            take(&mut b, separator);
            let heads = (a.first().copied(), b.first().copied());
            match heads {
                (Some(b'~'), Some(b'~')) | (Some(b'^'), Some(b'^')) => {
                    (a, b) = (&a[1..], &b[1..]);
                    continue;
                }
                (Some(b'~'), _) => return Ordering::Less,
                (_, Some(b'~')) => return Ordering::Greater,
                (None, None) => return Ordering::Equal,
                (None, Some(_)) => return Ordering::Less,
                (Some(_), None) => return Ordering::Greater,
                (Some(b'^'), _) => return Ordering::Less,
                (_, Some(b'^')) => return Ordering::Greater,
                (Some(x), Some(y)) if x.is_ascii_digit() != y.is_ascii_digit() => {
                    return if x.is_ascii_digit() { Ordering::Greater } else { Ordering::Less };
                }
                (Some(x), Some(_)) => {
                    let order = if x.is_ascii_digit() {
                        number(digits(&mut a)).cmp(&number(digits(&mut b)))
                    } else {
                        let letters = |c: u8| c.is_ascii_alphabetic();
                        take(&mut a, letters).cmp(take(&mut b, letters))
                    };
                    if order != Ordering::Equal {
                        return order;
                    }
                }
            }
        }
    };
    let ((epoch_a, a), (epoch_b, b)) = (epoch(a), epoch(b));
    let split = |text: &'_ str| match text.rsplit_once('-') {
        Some((version, release)) => (version.to_owned(), Some(release.to_owned())),
        None => (text.to_owned(), None),
    };
    let ((a, release_a), (b, release_b)) = (split(a), split(b));
    part(epoch_a, epoch_b).then_with(|| part(&a, &b)).then_with(|| match (release_a, release_b) {
        (Some(a), Some(b)) => part(&a, &b),
        (a, b) => a.is_some().cmp(&b.is_some()),
    })
}

/// A segment of a gem's version.
#[derive(Clone, PartialEq, Debug)]
enum Segment {
    Letters(Vec<u8>),
    Number(usize, Vec<u8>),
}

const ZERO: Segment = Segment::Number(0, Vec::new());

/// `Gem::Version#<=>`: segments without the zeros that end the numbers and the whole, the rest padded with zeros.
fn gem(a: &str, b: &str) -> Ordering {
    let segments = |text: &str| {
        let mut rest = text.as_bytes();
        let mut segments = Vec::new();
        while !rest.is_empty() {
            take(&mut rest, |c| c == b'.');
            let run = digits(&mut rest);
            if !run.is_empty() {
                let (length, digits) = number(run);
                segments.push(Segment::Number(length, digits.to_vec()));
            }
            let letters = take(&mut rest, |c| c.is_ascii_alphabetic());
            if !letters.is_empty() {
                segments.push(Segment::Letters(letters.to_vec()));
            }
        }
        let first_letters =
            segments.iter().position(|s| matches!(s, Segment::Letters(_))).unwrap_or(segments.len());
        let letters = segments.split_off(first_letters);
        let without_zeros = |mut list: Vec<Segment>| {
            while list.last() == Some(&ZERO) {
                list.pop();
            }
            list
        };
        [without_zeros(segments), without_zeros(letters)].concat()
    };
    let (a, b) = (segments(a), segments(b));
    for at in 0..a.len().max(b.len()) {
        let padded = |list: &[Segment]| list.get(at).cloned().unwrap_or(ZERO);
        let order = match (padded(&a), padded(&b)) {
            (Segment::Number(a, x), Segment::Number(b, y)) => (a, x).cmp(&(b, y)),
            (Segment::Letters(a), Segment::Letters(b)) => a.cmp(&b),
            (Segment::Letters(_), Segment::Number(..)) => Ordering::Less,
            (Segment::Number(..), Segment::Letters(_)) => Ordering::Greater,
        };
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}
