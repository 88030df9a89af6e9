//! Values that only stand where a secret would: samples, fillers, markers of templates.

use sha2::{Digest as _, Sha256};

/// Words that a value has only if it is none. Each is long enough not to occur by chance.
const WORDS: &[&str] = &[
    "example",
    "xmpl",
    "sample",
    "dummy",
    "placeholder",
    "changeme",
    "change_me",
    "change-me",
    "redacted",
    "fake",
    "foobar",
    "your_",
    "your-",
    "yourtoken",
    "yourkey",
    "yoursecret",
    "yourapi",
    "my_token",
    "mytoken",
    "notreal",
    "not_real",
    "not-real",
    "invalid",
    "insert",
    "replace",
    "todo",
    "xxxx",
    "....",
    "****",
    "____",
    "----",
    "0000000000",
    "abcdef",
    "fedcba",
    "123456",
    "654321",
    "qwerty",
    "asdfgh",
    "deadbeef",
    "cafebabe",
    "test_token",
    "testtoken",
    "test-token",
    "testkey",
    "testsecret",
    "secret_key",
    "access_token",
    "api_key_here",
    "loremipsum",
    "lorem",
    "hunter2",
    "notasecret",
    "not-a-secret",
    "goeshere",
    "go_here",
    "mock",
];

/// Beginnings and middles of what a template, a shell or a formatter fills in.
const MARKERS: &[&[u8]] = &[
    b"${",
    b"{{",
    b"}}",
    b"$(",
    b"#{",
    b"<%",
    b"%(",
    b"%s",
    b"%d",
    b"%v",
    b"{0}",
    b"{1}",
    b"@@",
    b"process.env",
    b"os.environ",
    b"getenv",
];

/// SHA-256, cut to eight bytes, of values that public documentation and emulators use.
const DOCUMENTED: &[u64] = &[
    0x7f75_367e_7881_2551,
    0xda81_6f9f_2c16_e6c5,
    0xc794_fa6d_20c6_4efb,
    0x8d4e_f653_6dc8_895f,
    0x2caf_c097_0149_a84f,
    0xf2d6_ca16_5150_33e5,
    0xb147_1f54_4cee_ea31,
    0x0011_cc25_eb43_2071,
    0xaa65_4743_9583_c3a2,
    0x3543_c50b_0cb9_cea8,
    0x976b_57ee_8acd_fcf4,
    0xbc3a_e723_f57c_6b9e,
    0x82e7_4299_544e_0073,
    0x797c_0ce4_1458_6cc8,
    0xac92_65e5_6c79_b234,
    0x4367_8fe1_0ddf_c0ba,
    0x02f7_ce3c_263f_85c0,
    0x0b5d_d075_ccdd_03c4,
    0x9f4f_b7f3_4e63_78f6,
    0x7831_4b11_be2e_5815,
    0xf537_5a46_3650_89a8,
    0x60a0_9e43_5786_8c1e,
    0x0951_01cf_732c_298a,
    0xbb49_78fb_e763_8de8,
    0xf023_2219_7a19_6ceb,
    0x4247_42fc_6538_f5e7,
];

/// Share of a value, in hundredths, that one character takes in fillers only.
const ONE_CHARACTER: usize = 45;

/// Characters in ascending or descending order that are no chance.
const SEQUENCE: usize = 7;

/// Equal characters in a row that are no chance.
const RUN: usize = 7;

/// Whether the part of a secret that should be random is a filler.
pub(crate) fn is_placeholder(body: &[u8]) -> bool {
    has_word(body) || has_marker(body) || is_filler(body)
}

/// Whether a value is one that documentation uses.
pub(crate) fn is_documented(value: &[u8]) -> bool {
    let digest = Sha256::digest(value);
    let start = digest.iter().take(8).fold(0, |n, &b| n << 8 | u64::from(b));
    DOCUMENTED.contains(&start)
}

fn has_word(body: &[u8]) -> bool {
    let lower = body.to_ascii_lowercase();
    WORDS.iter().any(|word| memchr::memmem::find(&lower, word.as_bytes()).is_some())
}

/// Whether a template would fill something in.
pub(crate) fn has_marker(value: &[u8]) -> bool {
    let bracketed = |open, close| value.first() == Some(&open) && value.last() == Some(&close);
    bracketed(b'<', b'>')
        || bracketed(b'[', b']')
        || bracketed(b'{', b'}')
        || bracketed(b'%', b'%')
        || value.first() == Some(&b'$')
        || MARKERS.iter().any(|marker| memchr::memmem::find(value, marker).is_some())
}

fn is_filler(body: &[u8]) -> bool {
    let mut counts = [0usize; 256];
    for &byte in body {
        counts[usize::from(byte)] += 1;
    }
    let most = counts.iter().copied().max().unwrap_or(0);
    let distinct = counts.iter().filter(|&&n| n > 0).count();
    (body.len() >= 8 && most * 100 > body.len() * ONE_CHARACTER)
        || (body.len() >= 16 && distinct <= 5)
        || longest(body, |a, b| a == b) >= RUN
        || longest(body, |a, b| a.checked_add(1) == Some(b)) >= SEQUENCE
        || longest(body, |a, b| b.checked_add(1) == Some(a)) >= SEQUENCE
        || is_periodic(body)
        || in_steps(body)
}

/// The longest row of characters of which each follows the one before.
fn longest(body: &[u8], follows: impl Fn(u8, u8) -> bool) -> usize {
    let (mut best, mut now) = (1, 1);
    for pair in body.windows(2) {
        now = if follows(pair[0], pair[1]) { now + 1 } else { 1 };
        best = best.max(now);
    }
    best
}

/// Whether a short piece is repeated throughout.
fn is_periodic(body: &[u8]) -> bool {
    (1..=10).any(|period| {
        body.len() >= (3 * period).max(8) && body.iter().zip(&body[period..]).all(|(a, b)| a == b)
    })
}

/// Whether letters and digits go up in turns, as in `a1b2c3d4e5f6`.
fn in_steps(body: &[u8]) -> bool {
    let up = |a: u8, b: u8| a.checked_add(1) == Some(b);
    let steps = body.windows(3).filter(|w| up(w[0], w[2])).count();
    body.len() >= 8 && steps * 100 >= body.len() * 60
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fillers_are_placeholders() {
        for body in [
            "XXXXXXXXXXXXXXXX",
            "AKIDEXAMPLE",
            "abcdefghijklmnop",
            "1234567890123456",
            "0123456789abcdef",
            "a1b2c3d4e5f6g7h8",
            "deadbeefdeadbeef",
            "<your token here>",
            "${TOKEN}",
            "{{ token }}",
            "%TOKEN%",
            "$TOKEN",
            "abcabcabcabcabc",
            "aaaabbbbaaaabbbb",
            "zyxwvutsrqponmlk",
            "my-fake-token-value",
        ] {
            assert!(is_placeholder(body.as_bytes()), "{body}");
        }
    }

    #[test]
    fn noise_is_none() {
        for body in ["q8Zk2vXw7RtGj4LmNp", "0f3b9c1d7e5a2468bd", "Tr0ub4dor&3x", ""] {
            assert!(!is_placeholder(body.as_bytes()), "{body}");
        }
    }
}
