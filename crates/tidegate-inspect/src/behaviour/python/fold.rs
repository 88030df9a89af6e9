//! Computes what Python would compute of constants: texts, bytes, numbers, paths, decoders. Everything is bounded; what
//! cannot be computed is simply not known.

use std::io::Read as _;
use std::rc::Rc;

use ruff_python_ast::Operator;

use super::super::braces::{self, Field};

/// Bytes that one decompression gives at most.
const UNPACKED_BYTES: u64 = 4 << 20;

/// Bytes of the name of a library's thing.
const NAME_BYTES: usize = 160;

/// A name that does not grow without end.
pub(super) fn capped(name: &str) -> Rc<str> {
    if name.len() > NAME_BYTES { "*".into() } else { name.into() }
}

/// Numbers.
pub(super) fn arithmetic(a: i64, op: Operator, b: i64) -> Option<i64> {
    match op {
        Operator::Add => a.checked_add(b),
        Operator::Sub => a.checked_sub(b),
        Operator::Mult => a.checked_mul(b),
        Operator::Mod => a.checked_rem_euclid(b),
        Operator::FloorDiv => a.checked_div_euclid(b),
        Operator::BitXor => Some(a ^ b),
        Operator::BitAnd => Some(a & b),
        Operator::BitOr => Some(a | b),
        Operator::LShift => u32::try_from(b).ok().filter(|b| *b < 48).and_then(|b| a.checked_shl(b)),
        Operator::RShift => u32::try_from(b).ok().and_then(|b| a.checked_shr(b)),
        Operator::Pow => u32::try_from(b).ok().and_then(|b| a.checked_pow(b)),
        Operator::Div => (b != 0 && a % b == 0).then(|| a / b),
        Operator::MatMult => None,
    }
}

/// Whether a number is what turns variation selectors and tag characters into bytes.
pub(super) fn is_selector_offset(by: i64) -> bool {
    matches!(by.abs(), 0xFE00 | 0xFE0F | 0xE0100 | 0xE0000 | 0xE00F0 | 0xE0020)
}

/// Whether two literals cut a word in two.
pub(super) fn splits_a_word(left: &str, right: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    left.len() <= 64
        && right.len() <= 64
        && left.chars().next_back().is_some_and(word)
        && right.chars().next().is_some_and(word)
}

/// Whether bytes are as dense as compressed or encoded data.
pub(in super::super) fn is_dense(bytes: &[u8]) -> bool {
    let sample = bytes.get(..bytes.len().min(16_384)).unwrap_or_default();
    let mut counts = [0_u32; 256];
    for byte in sample {
        counts[usize::from(*byte)] += 1;
    }
    let total = sample.len() as f64;
    let entropy: f64 = counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum();
    let breaks = sample.iter().filter(|byte| **byte == b' ').count();
    entropy > 4.8 && breaks * 40 < sample.len()
        || entropy > 3.8 && breaks == 0 && sample.iter().all(u8::is_ascii_hexdigit)
}

/// A place counted from the front or the back.
pub(super) fn index(length: usize, at: i64) -> Option<usize> {
    let at = if at < 0 { i64::try_from(length).ok()?.checked_add(at)? } else { at };
    usize::try_from(at).ok().filter(|at| *at < length)
}

/// `[lower:upper:step]`.
pub(super) fn slice<T: Clone>(
    all: &[T],
    lower: Option<i64>,
    upper: Option<i64>,
    step: Option<i64>,
) -> Option<Vec<T>> {
    let length = i64::try_from(all.len()).ok()?;
    let step = step.unwrap_or(1);
    let place = |bound: i64| if bound < 0 { bound.saturating_add(length) } else { bound };
    let (from, to) = if step > 0 {
        (lower.map_or(0, place).clamp(0, length), upper.map_or(length, place).clamp(0, length))
    } else {
        (lower.map_or(length - 1, place).clamp(-1, length - 1), upper.map_or(-1, place).clamp(-1, length - 1))
    };
    let mut out = Vec::new();
    let mut at = from;
    while step > 0 && at < to || step < 0 && at > to {
        out.push(all.get(usize::try_from(at).ok()?)?.clone());
        at = at.checked_add(step)?;
    }
    (step != 0).then_some(out)
}

/// As [`slice`], of the characters of a text.
pub(super) fn slice_text(
    text: &str,
    lower: Option<i64>,
    upper: Option<i64>,
    step: Option<i64>,
) -> Option<String> {
    let all: Vec<char> = text.chars().collect();
    Some(slice(&all, lower, upper, step)?.into_iter().collect())
}

/// `%` of a text: `*` for what is not known.
pub(super) fn percent(text: &str, parts: &[Rc<str>]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut parts = parts.iter();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if rest.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        if rest.next_if_eq(&'(').is_some() {
            for c in rest.by_ref() {
                if c == ')' {
                    break;
                }
            }
            while rest.next_if(|c| !c.is_ascii_alphabetic()).is_some() {}
            rest.next();
            out.push('*');
            continue;
        }
        while rest.next_if(|c| matches!(c, '0'..='9' | '.' | '-' | '+' | ' ' | '#')).is_some() {}
        match rest.next() {
            Some(_) => out.push_str(parts.next().map_or("*", |part| part)),
            None => out.push('%'),
        }
        if out.len() > super::value::CONSTANT_BYTES {
            break;
        }
    }
    out
}

/// `str.format`: `*` for what is not known.
pub(super) fn format(text: &str, given: &[Rc<str>], named: &[(Rc<str>, Rc<str>)]) -> String {
    braces::filled(text, super::value::CONSTANT_BYTES, |field| {
        let part = match field {
            Field::At(at) => given.get(at),
            Field::Named(name) => named.iter().find(|(known, _)| &**known == name).map(|(_, part)| part),
        };
        part.map_or_else(|| "*".to_owned(), |part| part.to_string())
    })
}

/// Parts of a path; an absolute part begins anew.
pub(super) fn join_paths<'t>(parts: impl Iterator<Item = &'t Rc<str>>) -> String {
    let mut out = String::new();
    for part in parts {
        let part = part.replace('\\', "/");
        if part.starts_with('/') {
            out.clear();
        }
        if !(out.is_empty() || out.ends_with('/')) {
            out.push('/');
        }
        out.push_str(part.strip_prefix("./").unwrap_or(&part));
        if out.len() > super::super::facts::DETAIL_BYTES * 2 {
            break;
        }
    }
    out
}

/// A path as facts tell it.
pub(in super::super) fn path_text(text: &str) -> String {
    let text = text.replace('\\', "/");
    for home in ["$HOME", "${HOME}", "%USERPROFILE%", "%HOME%"] {
        if let Some(rest) = text.strip_prefix(home) {
            return format!("~{rest}");
        }
    }
    text
}

/// A part of a path.
pub(super) fn path_part(path: &str, part: &str) -> Rc<str> {
    let (parent, name) = path.rsplit_once('/').unwrap_or(("*", path));
    match part {
        "parent" => parent.into(),
        "stem" => name.rsplit_once('.').map_or(name, |(stem, _)| stem).into(),
        "suffix" => {
            name.rsplit_once('.').map_or_else(|| "".into(), |(_, suffix)| format!(".{suffix}").into())
        }
        _ => name.into(),
    }
}

/// Every letter thirteen places on.
pub(super) fn rot13(text: &str) -> String {
    let turn = |c: char, base: u8| char::from(base + (c as u8 - base + 13) % 26);
    text.chars()
        .map(|c| match c {
            'a'..='z' => turn(c, b'a'),
            'A'..='Z' => turn(c, b'A'),
            c => c,
        })
        .collect()
}

/// Base64 in either alphabet, with or without padding and line breaks.
pub(in super::super) fn base64(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 4 * 3 + 3);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in bytes {
        let six = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            b'/' | b'_' => 63,
            b'=' => break,
            b' ' | b'\n' | b'\r' | b'\t' => continue,
            _ => return None,
        };
        bits = bits << 6 | u32::from(six);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(out)
}

/// Base32 as RFC 4648 has it.
pub(super) fn base32(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(bytes.len() / 8 * 5 + 5);
    let (mut bits, mut count) = (0_u32, 0_u32);
    for byte in bytes {
        let five = match byte.to_ascii_uppercase() {
            byte @ b'A'..=b'Z' => byte - b'A',
            byte @ b'2'..=b'7' => byte - b'2' + 26,
            b'=' => break,
            _ => return None,
        };
        bits = bits << 5 | u32::from(five);
        count += 5;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count & 0xFF) as u8);
        }
    }
    Some(out)
}

/// Base85 in Python's own alphabet (`b85`) or Adobe's (`a85`).
pub(super) fn base85(bytes: &[u8], adobe: bool) -> Option<Vec<u8>> {
    const OWN: &[u8] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let mut out = Vec::with_capacity(bytes.len() / 5 * 4 + 4);
    let mut group: Vec<u32> = Vec::with_capacity(5);
    let emit = |group: &[u32], out: &mut Vec<u8>| -> Option<()> {
        let missing = 5 - group.len();
        let mut value: u64 = 0;
        for at in 0..5 {
            value = value * 85 + u64::from(group.get(at).copied().unwrap_or(84));
        }
        let value = u32::try_from(value).ok()?;
        out.extend_from_slice(value.to_be_bytes().get(..4 - missing)?);
        Some(())
    };
    for byte in bytes {
        let digit = match byte {
            b' ' | b'\n' | b'\r' | b'\t' => continue,
            b'z' if adobe && group.is_empty() => {
                out.extend_from_slice(&[0; 4]);
                continue;
            }
            byte if adobe => u32::from(byte.checked_sub(33).filter(|digit| *digit < 85)?),
            byte => u32::try_from(OWN.iter().position(|known| known == byte)?).ok()?,
        };
        group.push(digit);
        if group.len() == 5 {
            emit(&group, &mut out)?;
            group.clear();
        }
    }
    if group.len() > 1 {
        emit(&group, &mut out)?;
    }
    Some(out)
}

/// Pairs of hexadecimal digits; spaces between them count for nothing.
pub(in super::super) fn hex(bytes: &[u8]) -> Option<Vec<u8>> {
    let digits: Vec<u8> = bytes.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if digits.len() % 2 == 1 {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    digits.chunks_exact(2).map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?)).collect()
}

/// What a compressor made, up to a bound.
pub(super) fn unpack(kind: &str, bytes: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = match kind {
        "zlib" => flate2::read::ZlibDecoder::new(bytes).take(UNPACKED_BYTES).read_to_end(&mut out),
        "deflate" => flate2::read::DeflateDecoder::new(bytes).take(UNPACKED_BYTES).read_to_end(&mut out),
        "gzip" => flate2::read::MultiGzDecoder::new(bytes).take(UNPACKED_BYTES).read_to_end(&mut out),
        "bz2" => bzip2::read::MultiBzDecoder::new(bytes).take(UNPACKED_BYTES).read_to_end(&mut out),
        _ => return None,
    };
    // What came out before an error is what an attacker's own decoder may have shown, too.
    (read.is_ok() || !out.is_empty()).then_some(out)
}
