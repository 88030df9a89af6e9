//! Examples of rules are templates, so that no token stands in the repository. This makes tokens of them, the same for the
//! same seed.
//!
//! `{base62:36}` is so many characters; `{crc32_base62}` and its like are the checksum of what was written since the last
//! space or quote; `{b64(}`…`{)}` encodes what is between. A name in braces that is none of these stands as it is.

use crate::support::crc32;

const DIGITS: &str = "0123456789";
const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// Draws numbers, the same for the same seed (xorshift).
pub(crate) struct Draw(u64);

impl Draw {
    pub(crate) fn new(seed: u64) -> Self {
        let mut draw = Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        for _ in 0..8 {
            draw.next();
        }
        draw
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 11
    }

    /// So many characters of an alphabet. Next to each other they differ, as fillers' do not.
    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let alphabet = alphabet.as_bytes();
        let mut text = String::new();
        while text.len() < length {
            let c = char::from(alphabet[(self.next() % alphabet.len() as u64) as usize]);
            if alphabet.len() < 3 || !text.ends_with(c) {
                text.push(c);
            }
        }
        text
    }

    pub(crate) fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }
}

/// Makes a text of a template.
pub(crate) fn expand(template: &str, seed: u64) -> String {
    let mut draw = Draw::new(seed);
    let mut open: Vec<(String, usize)> = Vec::new();
    let mut out = String::new();
    let mut rest = template;
    while let Some(at) = rest.find('{') {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        let Some(end) = rest.find('}') else { break };
        let name = &rest[1..end];
        if name == ")" {
            let (kind, from) = open.pop().expect("something is open");
            let inner = out.split_off(from);
            out.push_str(&encode(&kind, inner.as_bytes()));
        } else if let Some(kind) = name.strip_suffix('(').filter(|k| matches!(*k, "b64" | "b64url" | "hex")) {
            open.push((kind.to_owned(), out.len()));
        } else if let Some(made) = make(name, &out, &mut draw) {
            out.push_str(&made);
        } else {
            out.push('{');
            rest = &rest[1..];
            continue;
        }
        rest = &rest[end + 1..];
    }
    out.push_str(rest);
    assert!(open.is_empty(), "`{template}` leaves something open");
    out
}

fn encode(kind: &str, bytes: &[u8]) -> String {
    match kind {
        "b64" => base64(bytes, true),
        "b64url" => base64(bytes, false),
        "hex" => bytes.iter().map(|b| format!("{b:02x}")).collect(),
        other => panic!("`{other}(` encodes nothing"),
    }
}

fn make(name: &str, before: &str, draw: &mut Draw) -> Option<String> {
    let (name, argument) = name.split_once(':').unwrap_or((name, ""));
    let length = argument.parse().unwrap_or(0);
    let mixed = format!("{DIGITS}{UPPER}{LOWER}");
    let token = before.rsplit([' ', '"', '\'', '=', '\n', '>', '/']).next().unwrap_or_default();
    Some(match name {
        "base62" => draw.text(&mixed, length),
        "base64" => draw.text(&format!("{mixed}+/"), length),
        "base64url" => draw.text(&format!("{mixed}-_"), length),
        "base36" => draw.text(&format!("{DIGITS}{LOWER}"), length),
        "base32" => draw.text(&format!("{UPPER}234567"), length),
        "upnum" => draw.text(&format!("{DIGITS}{UPPER}"), length),
        "letters" => draw.text(&format!("{UPPER}{LOWER}"), length),
        "hex" => draw.text("0123456789abcdef", length),
        "hexup" => draw.text("0123456789ABCDEF", length),
        "digits" => draw.text(DIGITS, length),
        "lower" => draw.text(LOWER, length),
        "upper" => draw.text(UPPER, length),
        "x" => "x".repeat(length),
        "uuid" => [8, 4, 4, 4, 12].map(|n| draw.text("0123456789abcdef", n)).join("-"),
        "noise64" => base64(&draw.bytes(length), true),
        "crc32_base62" => in_base(&mixed, crc32(token.split_once('_')?.1.as_bytes()), 6),
        "crc32_hex_little" => {
            crc32(token.as_bytes()).to_le_bytes().iter().map(|b| format!("{b:02x}")).collect()
        }
        "crc32_base36" => in_base(&format!("{DIGITS}{LOWER}"), crc32(token.as_bytes()), 7),
        "bech32" => bech32(argument, draw),
        "macaroon" => base64(&[&b"\x02\x01\x10registry.example\x02"[..], &draw.bytes(100)].concat(), false),
        "jwt" => {
            jwt("HS256", "{\"sub\":\"u-81\",\"scope\":\"write\",\"iat\":1790000000,\"exp\":1990000000}", draw)
        }
        "jwt_none" => jwt("none", "{\"sub\":\"u-81\"}", draw),
        "jwt_service" => {
            jwt("HS256", "{\"iss\":\"supabase\",\"role\":\"service_role\",\"exp\":1990000000}", draw)
        }
        "der" => lines(&base64(&der(draw), true), 64, "\n"),
        "der_flat" => base64(&der(draw), true),
        "pkcs8_64" => base64(&pkcs8(draw), true),
        "openssh" => lines(&base64(&openssh("none", draw), true), 70, "\n"),
        "openssh_locked" => lines(&base64(&openssh("aes256-ctr", draw), true), 70, "\n"),
        "pgp" => lines(&base64(&[&[0x95, 3, 0x98, 4][..], &draw.bytes(900)].concat(), true), 64, "\n"),
        _ => return None,
    })
}

fn in_base(alphabet: &str, mut value: u32, width: usize) -> String {
    let alphabet = alphabet.as_bytes();
    let mut digits = Vec::new();
    for _ in 0..width {
        digits.push(char::from(alphabet[value as usize % alphabet.len()]));
        value /= alphabet.len() as u32;
    }
    digits.iter().rev().collect()
}

fn jwt(algorithm: &str, payload: &str, draw: &mut Draw) -> String {
    let header = format!("{{\"alg\":\"{algorithm}\",\"typ\":\"JWT\"}}");
    let signature = draw.bytes(32);
    [header.as_bytes(), payload.as_bytes(), &signature].map(|part| base64(part, false)).join(".")
}

/// A sequence that begins like an RSA key: a version, then a large number.
fn der(draw: &mut Draw) -> Vec<u8> {
    let number = draw.bytes(600);
    [&[0x30, 0x82, 0x02, 0x5f, 2, 1, 0, 0x02, 0x82, 0x02, 0x58][..], &number].concat()
}

/// A key in PKCS #8: version, algorithm, and noise for the key itself.
fn pkcs8(draw: &mut Draw) -> Vec<u8> {
    let algorithm = b"\x02\x01\0\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\0\x04\x82\x02\x00";
    [&[0x30, 0x82, 2, 22][..], algorithm, &draw.bytes(512)].concat()
}

fn openssh(cipher: &str, draw: &mut Draw) -> Vec<u8> {
    let length = (cipher.len() as u32).to_be_bytes();
    [&b"openssh-key-v1\0"[..], &length, cipher.as_bytes(), b"\0\0\0\x04none", &draw.bytes(200)].concat()
}

fn lines(text: &str, width: usize, end: &str) -> String {
    let lines: Vec<&str> = text.as_bytes().chunks(width).map(|l| std::str::from_utf8(l).unwrap()).collect();
    lines.join(end)
}

/// RFC 4648, padded with the standard alphabet, or not with the one for URLs.
pub(crate) fn base64(bytes: &[u8], standard: bool) -> String {
    let signs = if standard { "+/" } else { "-_" };
    let alphabet = format!("{UPPER}{LOWER}{DIGITS}{signs}");
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let value = group.iter().chain([&0, &0]).take(3).fold(0u32, |n, &b| n << 8 | u32::from(b));
        for n in 0..4 {
            if n <= group.len() {
                out.push(char::from(alphabet.as_bytes()[(value >> (18 - 6 * n) & 63) as usize]));
            } else if standard {
                out.push('=');
            }
        }
    }
    out
}

/// BIP 173, in capitals, 32 bytes under a prefix.
fn bech32(prefix: &str, draw: &mut Draw) -> String {
    let alphabet = b"qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    let mut data: Vec<u32> = (0..52).map(|_| draw.next() as u32 & 31).collect();
    let lower = prefix.to_lowercase();
    let expanded: Vec<u32> = lower
        .bytes()
        .map(|b| u32::from(b) >> 5)
        .chain([0])
        .chain(lower.bytes().map(|b| u32::from(b) & 31))
        .collect();
    let mut sum = 1u32;
    for value in expanded.iter().chain(&data).chain(&[0; 6]) {
        let top = sum >> 25;
        sum = (sum & 0x01ff_ffff) << 5 ^ value;
        for (n, generator) in
            [0x3b6a57b2u32, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3].iter().enumerate()
        {
            if top >> n & 1 == 1 {
                sum ^= generator;
            }
        }
    }
    sum ^= 1;
    data.extend((0..6).map(|n| sum >> (5 * (5 - n)) & 31));
    let text: String = data.iter().map(|&v| char::from(alphabet[v as usize])).collect();
    format!("{prefix}1{text}").to_uppercase()
}

#[test]
fn templates_expand_alike_and_leave_other_braces() {
    assert_eq!(expand("a {\"b\": {c}} ${D} {x:3}", 1), "a {\"b\": {c}} ${D} xxx");
    assert_eq!(expand("{base62:20}", 5), expand("{base62:20}", 5));
    assert_ne!(expand("{base62:20}", 5), expand("{base62:20}", 6));
    assert_eq!(expand("{b64(}user:{x:2}{)}", 1), "dXNlcjp4eA==");
    // From the announcement of GitHub's format: all of a token, with its checksum.
    assert_eq!(in_base(&format!("{DIGITS}{UPPER}{LOWER}"), u32::MAX, 6), "4gfFC3");
}
