//! Composer (`VersionParser::normalize`, then PHP's `version_compare`), for Packagist.
//!
//! Composer gives a version four numbers and one spelling of its stability; PHP then compares part by part: any other
//! word < dev < alpha < beta < RC < the end < numbers < pl. PHP takes a word by its beginning, so `patch` is a `p`.
//! Branches (`dev-main`) are no versions: they sort below all, by name.
//!
//! Text that Composer refuses is compared by PHP as it stands, but for a leading `v`; advisories hold such versions.

use crate::version::key::{ABOVE_NUMBERS, KeyWriter, VersionKey, leading, leading_digits};

const BRANCH: u8 = 0x00;
const OTHER_WORD: u8 = 0x01;
const DEV: u8 = 0x02;
const ALPHA: u8 = 0x03;
const BETA: u8 = 0x04;
const CANDIDATE: u8 = 0x05;
const END: u8 = 0x06;
const PATCH: u8 = ABOVE_NUMBERS;

/// What PHP knows, in the order in which it looks. A word is taken by its beginning, and case counts.
const WORDS: [(&str, u8); 10] = [
    ("dev", DEV),
    ("alpha", ALPHA),
    ("a", ALPHA),
    ("beta", BETA),
    ("b", BETA),
    ("RC", CANDIDATE),
    ("rc", CANDIDATE),
    ("#", END),
    ("pl", PATCH),
    ("p", PATCH),
];

/// What Composer knows, in any case, longest first where one begins another; and what PHP is to read.
const STABILITIES: [(&str, &str); 9] = [
    ("stable", ""),
    ("beta", "beta"),
    ("b", "beta"),
    ("rc", "RC"),
    ("alpha", "alpha"),
    ("a", "alpha"),
    ("patch", "patch"),
    ("pl", "patch"),
    ("p", "patch"),
];

/// The number that an `x` stands for in the name of a branch.
const ANY_NUMBER: &str = "9999999";

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> VersionKey {
    let mut key = KeyWriter::for_length(text.len() + 8);
    if let Some(name) = branch(text) {
        key.mark(BRANCH);
        key.text(name);
        return key.finish();
    }
    let version = text.strip_prefix(['v', 'V']).unwrap_or(text);
    php(normal_form(version).as_deref().unwrap_or(version), &mut key);
    key.finish()
}

/// The name of a branch, for what is one.
fn branch(text: &str) -> Option<&str> {
    match text.split_at_checked(4) {
        Some((prefix, name)) if prefix.eq_ignore_ascii_case("dev-") => Some(name),
        _ => ["master", "trunk", "default"].into_iter().find(|name| text.eq_ignore_ascii_case(name)),
    }
}

/// Composer's normal form of a version, `None` for what it refuses.
fn normal_form(version: &str) -> Option<String> {
    let version = version.split_once('+').map_or(version, |(version, _build)| version);
    let stable = |(numbers, rest): (String, &str)| Some(numbers + &stability(rest)?);
    numbered(version)
        .and_then(stable)
        .or_else(|| dated(version).and_then(stable))
        .or_else(|| wildcard(version))
}

/// One to four numbers, padded to four; the first of at most five digits. And what follows.
fn numbered(version: &str) -> Option<(String, &str)> {
    let (first, mut rest) = leading_digits(version);
    if !(1..=5).contains(&first.len()) {
        return None;
    }
    let mut numbers = vec![first];
    while numbers.len() < 4 {
        let Some((digits, behind)) = rest.strip_prefix('.').map(leading_digits) else { break };
        if digits.is_empty() {
            break;
        }
        numbers.push(digits);
        rest = behind;
    }
    numbers.resize(4, "0");
    Some((numbers.join("."), rest))
}

/// A date: four digits, then one to six pairs, then up to two groups of one to three, with `.`, `:`, `-` or nothing
/// between; the separators become dots. And what follows.
fn dated(version: &str) -> Option<(String, &str)> {
    let (year, mut rest) = version.split_at_checked(4)?;
    if !year.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let mut pairs = 0;
    let group = |rest: &mut &str, least: usize, most: usize| {
        let (digits, _) = leading_digits(rest.strip_prefix(['.', ':', '-']).unwrap_or(rest));
        let found = digits.len() >= least;
        if found {
            let separator = usize::from(!rest.starts_with(|c: char| c.is_ascii_digit()));
            *rest = &rest[separator + digits.len().min(most)..];
        }
        found
    };
    while pairs < 6 && group(&mut rest, 2, 2) {
        pairs += 1;
    }
    if pairs == 0 {
        return None;
    }
    let _ = group(&mut rest, 1, 3) && group(&mut rest, 1, 3);
    let date = &version[..version.len() - rest.len()];
    Some((date.replace(|c: char| !c.is_ascii_digit(), "."), rest))
}

/// The stability that follows the numbers, as `-beta2-dev`; `None` if something else does.
fn stability(rest: &str) -> Option<String> {
    let mut suffix = String::new();
    let body = rest.strip_prefix(['.', '_', '-']).unwrap_or(rest);
    let known = STABILITIES.iter().find_map(|&(name, word)| {
        let (start, behind) = body.split_at_checked(name.len())?;
        start.eq_ignore_ascii_case(name).then_some((word, behind))
    });
    let behind = match known {
        Some((word, behind)) => {
            let (numbers, behind) = groups(behind);
            if word.is_empty() {
                // Composer forgets everything after `stable`.
                return (behind.is_empty() || is_dev(behind)).then_some(suffix);
            }
            suffix = format!("-{word}{}", numbers.trim_start_matches(['.', '-']));
            behind
        }
        None => body,
    };
    if is_dev(behind) {
        suffix.push_str("-dev");
        return Some(suffix);
    }
    behind.is_empty().then_some(suffix)
}

/// The numbers that follow a stability: groups of digits, each after `.`, `-` or nothing.
fn groups(text: &str) -> (&str, &str) {
    let mut rest = text;
    loop {
        let (digits, behind) = leading_digits(rest.strip_prefix(['.', '-']).unwrap_or(rest));
        if digits.is_empty() {
            return text.split_at(text.len() - rest.len());
        }
        rest = behind;
    }
}

fn is_dev(text: &str) -> bool {
    text.strip_prefix(['.', '-']).unwrap_or(text).eq_ignore_ascii_case("dev")
}

/// The branch of a release line: `1.x-dev`.
fn wildcard(version: &str) -> Option<String> {
    let start = version.len().checked_sub(3)?;
    let (line, dev) = version.split_at_checked(start)?;
    if !dev.eq_ignore_ascii_case("dev") {
        return None;
    }
    let line = line.strip_suffix(['.', '-']).unwrap_or(line);
    let mut numbers = Vec::new();
    for part in line.split('.') {
        match part {
            "x" | "X" | "*" if !numbers.is_empty() => numbers.push(ANY_NUMBER),
            _ if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => numbers.push(part),
            _ => return None,
        }
    }
    if numbers.len() > 4 {
        return None;
    }
    numbers.resize(4, ANY_NUMBER);
    Some(numbers.join(".") + "-dev")
}

/// PHP's order: runs of digits and runs of letters, whatever separates them.
fn php(text: &str, key: &mut KeyWriter) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run;
        if first.is_ascii_digit() {
            (run, rest) = leading_digits(rest);
            key.digits(run);
        } else if first.is_ascii_alphabetic() {
            (run, rest) = leading(rest, |b| b.is_ascii_alphabetic());
            let known = WORDS.iter().find(|(word, _)| run.starts_with(word));
            key.mark(known.map_or(OTHER_WORD, |&(_, mark)| mark));
        } else {
            rest = &rest[first.len_utf8()..];
        }
    }
    key.mark(END);
}
