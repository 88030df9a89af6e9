//! Text as words that can be compared: what the SPDX matching guidelines (SPDX 3.0.1 annex B of the specification, "License
//! matching guidelines") call insignificant is taken away.
//!
//! Gone are case, punctuation, line breaks, comment markers, bullets and numbers of lists, copyright notices, the scheme of
//! addresses; spellings that mean the same are one. The build script reads this file too, so that texts and files are read
//! alike; it uses nothing of the crate.

/// Characters of a line beyond which it is a paragraph, whose words count even where it begins like a copyright notice.
const NOTICE_CHARS: usize = 240;

/// Spellings that mean the same: the first is read as the second.
const ALIKE: &[(&str, &str)] = &[
    ("licence", "license"),
    ("licences", "licenses"),
    ("licenced", "licensed"),
    ("licencing", "licensing"),
    ("sublicence", "sublicense"),
    ("sublicenced", "sublicensed"),
    ("acknowledgement", "acknowledgment"),
    ("acknowledgements", "acknowledgments"),
    ("analogue", "analog"),
    ("authorisation", "authorization"),
    ("authorised", "authorized"),
    ("favour", "favor"),
    ("fulfil", "fulfill"),
    ("initialise", "initialize"),
    ("judgement", "judgment"),
    ("labour", "labor"),
    ("merchantibility", "merchantability"),
    ("modelling", "modeling"),
    ("organisation", "organization"),
    ("organisations", "organizations"),
    ("owner", "holder"),
    ("owners", "holders"),
    ("per cent", "percent"),
    ("realise", "realize"),
    ("recognise", "recognize"),
    ("wilful", "willful"),
    // Who is meant differs from one copy to the next.
    ("authors", "holders"),
    ("author", "holder"),
    ("contributors", "holders"),
];

/// Words that are left out: schemes of addresses, and the sign of copyright written with letters.
const IDLE: &[&str] = &["http", "https", "c"];

/// One word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    /// FNV-1a of the word.
    pub(crate) hash: u32,
    /// Its line, from 1.
    pub(crate) line: u32,
}

/// The words of a text, at most so many.
pub(crate) fn words(text: &str, most: usize) -> Vec<Word> {
    let mut words = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line_number = u32::try_from(number).unwrap_or(u32::MAX - 1) + 1;
        let line = body(line);
        if is_notice(line) {
            continue;
        }
        for word in line.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
            if words.len() >= most {
                return words;
            }
            let lower = word.to_lowercase();
            if IDLE.contains(&lower.as_str()) {
                continue;
            }
            let alike = ALIKE.iter().find(|(from, _)| *from == lower).map_or(lower.as_str(), |(_, to)| to);
            words.push(Word { hash: fnv(alike.bytes()), line: line_number });
        }
    }
    words
}

/// A line without comment markers and the bullet or number of a list.
fn body(line: &str) -> &str {
    let line = line.trim_start_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '(' | '©' | '[' | '<'));
    for (open, close) in [("(", ")"), ("[", "]"), ("", "."), ("", ")")] {
        let Some(inside) = line.strip_prefix(open) else { continue };
        let Some((bullet, rest)) = inside.split_once(close) else { continue };
        let is_number = !bullet.is_empty() && bullet.len() <= 2 && bullet.bytes().all(|b| b.is_ascii_digit());
        // `(c)` at the beginning is the sign of copyright.
        let is_letter =
            matches!(bullet.as_bytes(), [b'a'..=b'z' | b'A'..=b'Z']) && !(open == "(" && bullet == "c");
        let is_roman = matches!(bullet, "ii" | "iii" | "iv" | "vi" | "vii" | "viii" | "ix");
        if (is_number || is_letter || is_roman) && rest.starts_with([' ', '\t']) {
            return rest;
        }
    }
    line
}

/// Whether a line is a copyright notice, or says that all rights are reserved, and nothing else.
fn is_notice(line: &str) -> bool {
    if line.len() > NOTICE_CHARS {
        return false;
    }
    let lower = line.to_lowercase();
    let line = lower.trim();
    if line.trim_matches(|c: char| !c.is_alphanumeric()) == "all rights reserved" {
        return true;
    }
    if line.starts_with('©') || line.starts_with("(c)") && line.len() > 4 {
        return true;
    }
    let start = line.strip_prefix("portions ").unwrap_or(line);
    let Some(rest) = start.strip_prefix("copyright").or_else(|| start.strip_prefix("copyrighted")) else {
        return false;
    };
    let rest = rest.trim_start_matches([':', ',', ' ', '\t']);
    rest.starts_with(['(', '©', '<', '[', '{', '&', '@'])
        || rest.starts_with("by ")
        || rest.starts_with("year")
        || rest.starts_with(|c: char| c.is_ascii_digit())
        || has_year(rest)
        // `Copyright The Acme Authors`.
        || rest.starts_with("the ") && rest.ends_with("authors")
}

fn has_year(text: &str) -> bool {
    text.split(|c: char| !c.is_ascii_digit())
        .any(|digits| digits.len() == 4 && (digits.starts_with("19") || digits.starts_with("20")))
}

/// FNV-1a, 32 bits.
pub(crate) fn fnv(bytes: impl Iterator<Item = u8>) -> u32 {
    bytes.fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

/// Words of a shingle, the unit in which texts are compared.
pub(crate) const SHINGLE: usize = 3;

/// The number of a word that stands in no text of the list.
pub(crate) const UNKNOWN: u16 = u16::MAX;

/// A shingle as a number; none where a word of it stands in no text of the list.
pub(crate) fn shingle(words: &[u16]) -> Option<u64> {
    words.iter().try_fold(0, |all, &word| (word != UNKNOWN).then_some(all << 16 | u64::from(word)))
}

/// A shingle as the index spells it.
pub(crate) fn digest(shingle: u64) -> u32 {
    (shingle.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}
