//! Passwords: the one part of this that has no structure, so what is left is to know what is none.

use std::ops::Range;

use super::{Judged, decoded};
use crate::secrets::{placeholder, words};
use tidegate_model::finding::Confidence;

/// What samples are made of. A password that is little more than these is one of a sample.
const SAMPLE_WORDS: &[&str] = &[
    "password",
    "passwort",
    "passwd",
    "passphrase",
    "pass",
    "pwd",
    "secret",
    "admin",
    "root",
    "username",
    "user",
    "guest",
    "test",
    "postgres",
    "postgresql",
    "mysql",
    "mariadb",
    "mongodb",
    "mongo",
    "redis",
    "rabbitmq",
    "rabbit",
    "sqlserver",
    "example",
    "sample",
    "changeme",
    "change",
    "foo",
    "bar",
    "baz",
    "qux",
    "letmein",
    "welcome",
    "token",
    "apikey",
    "key",
    "docker",
    "develop",
    "dev",
    "demo",
    "localhost",
    "local",
    "default",
    "string",
    "name",
    "your",
    "here",
    "some",
    "value",
    "super",
    "very",
    "strong",
    "long",
    "secure",
    "credentials",
    "credential",
    "login",
    "database",
    "db",
    "host",
    "server",
    "client",
    "service",
    "app",
    "my",
    "the",
    "and",
    "is",
    "placeholder",
    "dummy",
    "fake",
    "redacted",
    "hidden",
    "masked",
    "hunter",
    "correct",
    "horse",
    "battery",
    "staple",
    "monkey",
    "dragon",
    "basic",
    "auth",
    "bearer",
    "encoded",
    "pw",
    "abc",
    "xyz",
    "asdf",
    "qwerty",
    "nobody",
    "anonymous",
    "git",
    "oauth2",
];

/// Letters besides sample words that a password has at least.
const OWN_CHARACTERS: usize = 5;

/// Whether a password may be a real one. `user` is whose it is, if that is known.
pub(super) fn is_plausible(password: &[u8], user: &[u8]) -> bool {
    password.len() >= 6
        && password.len() <= 128
        && !password.eq_ignore_ascii_case(user)
        && password.iter().all(u8::is_ascii_graphic)
        && !password.iter().all(|b| b.is_ascii_digit() || b.is_ascii_punctuation())
        && !placeholder::is_placeholder(password)
        && !words::is_wordy(password)
        && own_characters(&password.to_ascii_lowercase()) >= OWN_CHARACTERS
        && own_characters(&without_disguise(password)) >= OWN_CHARACTERS
        && (words::classes(password) >= 2 || password.len() >= 12)
}

/// Letters and digits that are left when sample words are taken out.
fn own_characters(password: &[u8]) -> usize {
    let mut text = password.to_vec();
    for word in SAMPLE_WORDS.iter().filter(|word| word.len() >= 3) {
        while let Some(at) = memchr::memmem::find(&text, word.as_bytes()) {
            text.splice(at..at + word.len(), *b" ");
        }
    }
    // A number behind a word is no secret either.
    let end = text.iter().rposition(|b| !b.is_ascii_digit() && *b != b'!').map_or(0, |at| at + 1);
    text[..end].iter().filter(|b| b.is_ascii_alphanumeric()).count()
}

/// With the letters that digits and signs stand for.
fn without_disguise(password: &[u8]) -> Vec<u8> {
    let letter = |b: &u8| match b {
        b'0' => b'o',
        b'1' | b'!' => b'i',
        b'3' => b'e',
        b'4' | b'@' => b'a',
        b'5' | b'$' => b's',
        b'7' => b't',
        other => other.to_ascii_lowercase(),
    };
    password.iter().map(letter).collect()
}

/// The password of a URL, whose user stands before it.
pub(super) fn of_url(text: &[u8], password: Range<usize>) -> Option<Judged> {
    let before = &text[password.start.saturating_sub(128)..password.start];
    let user = before.strip_suffix(b":").unwrap_or(before);
    let user = user.rsplit(|b| matches!(b, b'/' | b'"' | b'\'')).next().unwrap_or_default();
    let value = &text[password.clone()];
    if !is_plausible(&without_percents(value), user) || placeholder::has_marker(user) {
        return None;
    }
    let host = &text[password.end..text.len().min(password.end + 64)];
    let is_here = [
        &b"@localhost"[..],
        b"@127.",
        b"@[::1]",
        b"@0.0.0.0",
        b"@example.",
        b"@host:",
        b"@host/",
        b"@hostname",
    ]
    .iter()
    .any(|h| host.starts_with(h));
    let confidence = is_here.then_some(Confidence::Low);
    Some(Judged { secret: password, severity: None, confidence })
}

/// Whether base64 holds `user:password`.
pub(super) fn is_basic_auth(value: &[u8]) -> bool {
    let pair = decoded(value);
    let Some(colon) = pair.iter().position(|&b| b == b':') else { return false };
    let (user, password) = (&pair[..colon], &pair[colon + 1..]);
    !user.is_empty() && user.iter().all(u8::is_ascii_graphic) && is_plausible(password, user)
}

/// Whether base64 holds a password, or is one itself.
pub(super) fn is_encoded(value: &[u8]) -> bool {
    let text = decoded(value);
    let is_text = text.iter().all(|b| matches!(b, 0x20..=0x7e));
    if is_text { is_plausible(&text, b"") } else { is_plausible(value, b"") }
}

/// Percent-encoded characters as what they stand for.
fn without_percents(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, tail)) = rest.split_first() {
        let code = tail.get(..2).and_then(|code| std::str::from_utf8(code).ok());
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                rest = &tail[2..];
            }
            None => {
                out.push(byte);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percents_stand_for_characters() {
        assert_eq!(without_percents(b"a%21b%zz%4"), b"a!b%zz%4");
        assert_eq!(without_percents(b"%41%"), b"A%");
    }

    #[test]
    fn samples_are_no_passwords() {
        for password in [
            "password",
            "p@ssw0rd",
            "s3cr3t",
            "mysecretpassword",
            "postgres",
            "hunter2",
            "changeme123",
            "<password>",
            "${PASSWORD}",
            "correct-horse-battery-staple",
            "123456789",
            "your_password",
            "Passw0rd!",
            "secret123",
            "********",
            "adminadmin",
        ] {
            assert!(!is_plausible(password.as_bytes(), b"user"), "{password}");
        }
    }

    #[test]
    fn what_nobody_would_print_may_be_one() {
        for password in ["q8Zk2vXw7RtG", "kX9-vbT3_wQz", "hG7$kd92Lm!x", "0f3b9c1d7e5a2468"] {
            assert!(is_plausible(password.as_bytes(), b"user"), "{password}");
        }
        assert!(!is_plausible(b"q8Zk2vXw7RtG", b"Q8zk2vxw7rtg"), "the user's own name");
    }
}
