//! RPM (`rpmvercmp`): epoch, version, release, each in runs of letters and runs of digits, whatever separates them. Digits
//! sort above letters; `~` sorts before the end, `^` right after it. No epoch is epoch 0, no release sorts before any.

use crate::version::key::{BELOW_NUMBERS, KeyWriter, VersionKey, leading};

/// What may stand at a place, in its order; numbers come last.
const TILDE: u8 = 0x01;
const END: u8 = 0x02;
const CARET: u8 = 0x03;
const LETTERS: u8 = BELOW_NUMBERS;

/// The key of a version.
pub(in crate::version) fn key(text: &str) -> VersionKey {
    let (epoch, version) = text.split_once(':').unwrap_or(("0", text));
    let (version, release) = match version.rsplit_once('-') {
        Some((version, release)) => (version, Some(release)),
        None => (version, None),
    };
    let mut key = KeyWriter::for_length(text.len());
    part(epoch, &mut key);
    part(version, &mut key);
    if let Some(release) = release {
        key.mark(END);
        part(release, &mut key);
    }
    key.finish()
}

fn part(text: &str, key: &mut KeyWriter) {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let run;
        if first.is_ascii_digit() {
            (run, rest) = leading(rest, |b| b.is_ascii_digit());
            key.digits(run);
        } else if first.is_ascii_alphabetic() {
            (run, rest) = leading(rest, |b| b.is_ascii_alphabetic());
            key.mark(LETTERS);
            key.text(run);
        } else {
            match first {
                '~' => key.mark(TILDE),
                '^' => key.mark(CARET),
                _ => {}
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    key.mark(END);
}
