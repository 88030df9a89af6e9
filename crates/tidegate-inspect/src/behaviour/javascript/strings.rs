//! Folding: what methods and decoders make of constants.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use oxc_syntax::operator::BinaryOperator;

use super::value::{HOLE, Shape, Value};

/// Characters that one constant may have to be folded further.
const FOLD_CHARS: usize = 1 << 18;

/// Parts into which a constant is split.
pub(super) const PARTS: usize = 20_000;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_allow_trailing_bits(true)
    .with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, LENIENT);

/// What a method gives.
pub(super) enum Folded {
    Text(String),
    Number(f64),
    Parts(Vec<String>),
    /// The receiver as it is.
    Same,
}

/// A number as the language writes it, for whole numbers and short fractions.
pub(super) fn number_text(number: f64) -> String {
    if number.is_nan() {
        "NaN".to_owned()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity".to_owned() } else { "-Infinity".to_owned() }
    } else if number == 0.0 {
        "0".to_owned()
    } else {
        format!("{number}")
    }
}

/// The text that a constant becomes.
pub(super) fn piece(value: Value<'_>) -> Option<String> {
    match value.shape {
        Shape::Text(text) => Some(text.to_owned()),
        Shape::Number(number) => Some(number_text(number)),
        Shape::Flag(flag) => Some(flag.to_string()),
        Shape::Undefined => Some(String::new()),
        _ => None,
    }
}

/// The number that a constant is, or becomes when it is counted with.
pub(super) fn arithmetic(value: Value<'_>) -> Option<f64> {
    match value.shape {
        Shape::Number(number) => Some(number),
        _ => None,
    }
}

/// The number that a constant becomes where only numbers are meant.
pub(super) fn numeric(value: Value<'_>) -> Option<f64> {
    match value.shape {
        Shape::Text(text) if text.len() < 24 => {
            let text = text.trim();
            match text.strip_prefix("0x") {
                Some(digits) => u32::from_str_radix(digits, 16).ok().map(f64::from),
                None if text.starts_with(|character: char| character.is_ascii_digit()) => text.parse().ok(),
                None => None,
            }
        }
        _ => arithmetic(value),
    }
}

/// An operator on two numbers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "as the language does for numbers of this size"
)]
pub(super) fn operate(operator: BinaryOperator, a: f64, b: f64) -> Option<f64> {
    let whole = |number: f64| (number.abs() < 9e15).then_some(number as i64 as i32);
    let bits = |f: fn(i32, i32) -> i32| Some(f64::from(f(whole(a)?, whole(b)?)));
    match operator {
        BinaryOperator::Addition => Some(a + b),
        BinaryOperator::Subtraction => Some(a - b),
        BinaryOperator::Multiplication => Some(a * b),
        BinaryOperator::Division => Some(a / b),
        BinaryOperator::Remainder => Some(a % b),
        BinaryOperator::BitwiseAnd => bits(|a, b| a & b),
        BinaryOperator::BitwiseOR => bits(|a, b| a | b),
        BinaryOperator::BitwiseXOR => bits(|a, b| a ^ b),
        BinaryOperator::ShiftLeft => bits(|a, b| a.wrapping_shl(b as u32)),
        BinaryOperator::ShiftRight => bits(|a, b| a.wrapping_shr(b as u32)),
        BinaryOperator::ShiftRightZeroFill => {
            Some(f64::from((whole(a)? as u32).wrapping_shr(whole(b)? as u32)))
        }
        _ => None,
    }
}

/// Whether arrays or texts have a method of that name.
pub(super) fn is_method(name: &str) -> bool {
    matches!(
        name,
        "at" | "concat"
            | "entries"
            | "every"
            | "fill"
            | "filter"
            | "find"
            | "flat"
            | "flatMap"
            | "forEach"
            | "includes"
            | "indexOf"
            | "join"
            | "keys"
            | "map"
            | "pop"
            | "push"
            | "reduce"
            | "replace"
            | "reverse"
            | "shift"
            | "slice"
            | "some"
            | "sort"
            | "split"
            | "splice"
            | "sub"
            | "link"
            | "big"
            | "trim"
            | "charAt"
            | "charCodeAt"
    )
}

/// A method of a constant text.
pub(super) fn method(text: &str, name: &str, arguments: &[Value<'_>]) -> Option<Folded> {
    if text.len() > FOLD_CHARS {
        return matches!(name, "toString" | "trim" | "valueOf").then_some(Folded::Same);
    }
    let first = arguments.first();
    let whole = first.and_then(Value::whole_text);
    let number = |index: usize| arguments.get(index).and_then(Value::as_number);
    Some(match name {
        "toString" | "valueOf" | "normalize" | "toWellFormed" => match whole {
            None | Some("utf8" | "utf-8" | "ascii" | "latin1" | "binary" | "ucs2") => Folded::Same,
            Some(_) => return None,
        },
        "trim" => Folded::Text(text.trim().to_owned()),
        "trimStart" | "trimLeft" => Folded::Text(text.trim_start().to_owned()),
        "trimEnd" | "trimRight" => Folded::Text(text.trim_end().to_owned()),
        "toLowerCase" | "toLocaleLowerCase" => Folded::Text(text.to_lowercase()),
        "toUpperCase" | "toLocaleUpperCase" => Folded::Text(text.to_uppercase()),
        "concat" => {
            let mut all = text.to_owned();
            for &argument in arguments {
                match piece(argument) {
                    Some(part) => all.push_str(&part),
                    None => all.push(HOLE),
                }
            }
            Folded::Text(all)
        }
        "split" => {
            let parts: Vec<String> = match (first.map(|value| value.shape), whole) {
                (_, Some("")) => text.chars().take(PARTS).map(String::from).collect(),
                (_, Some(separator)) => text.split(separator).take(PARTS).map(str::to_owned).collect(),
                (None | Some(Shape::Undefined), _) => vec![text.to_owned()],
                _ => return None,
            };
            Folded::Parts(parts)
        }
        "slice" | "substring" | "substr" => {
            let characters: Vec<char> = text.chars().collect();
            let (from, to) = range(name, characters.len(), number(0).unwrap_or(0.0), number(1));
            if arguments
                .iter()
                .take(2)
                .any(|value| value.as_number().is_none() && value.shape != Shape::Undefined)
            {
                return None;
            }
            Folded::Text(characters.get(from..to).unwrap_or_default().iter().collect())
        }
        "charAt" | "at" => {
            let index = first.and_then(Value::as_index)?;
            Folded::Text(text.chars().nth(index).map(String::from).unwrap_or_default())
        }
        "charCodeAt" | "codePointAt" => {
            let index = first.map_or(Some(0), Value::as_index)?;
            Folded::Number(
                text.chars().nth(index).map_or(f64::NAN, |character| f64::from(u32::from(character))),
            )
        }
        "replace" | "replaceAll" => {
            let (pattern, with) = (whole?, arguments.get(1).and_then(Value::as_text)?);
            if name == "replace" {
                Folded::Text(text.replacen(pattern, with, 1))
            } else if pattern.is_empty() {
                return None;
            } else {
                Folded::Text(text.replace(pattern, with))
            }
        }
        "repeat" => {
            let count = first.and_then(Value::as_index)?;
            (count * text.len() <= FOLD_CHARS).then(|| Folded::Text(text.repeat(count)))?
        }
        "padStart" | "padEnd" | "toJSON" => Folded::Same,
        _ => return None,
    })
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "clamped"
)]
fn range(name: &str, length: usize, from: f64, to: Option<f64>) -> (usize, usize) {
    let size = length as f64;
    let from_end = |number: f64| if number < 0.0 { (size + number).max(0.0) } else { number.min(size) };
    let (from, to) = match name {
        "substring" => {
            let (a, b) = (from.clamp(0.0, size), to.unwrap_or(size).clamp(0.0, size));
            (a.min(b), a.max(b))
        }
        "substr" => {
            let from = from_end(from);
            (from, (from + to.unwrap_or(size)).clamp(from, size))
        }
        _ => (from_end(from), from_end(to.unwrap_or(size))),
    };
    (from as usize, (to as usize).max(from as usize))
}

/// Decodes a constant, if it is one in that encoding.
pub(super) fn decode(encoding: &str, text: &str) -> Option<String> {
    let bytes = match encoding {
        "base64" | "base64url" => {
            let clean: Vec<u8> = text
                .bytes()
                .filter(|byte| !byte.is_ascii_whitespace())
                .map(|byte| match byte {
                    b'-' => b'+',
                    b'_' => b'/',
                    other => other,
                })
                .collect();
            STANDARD.decode(clean).ok()?
        }
        "hex" => hex::decode(text).ok()?,
        "percent" => percent_encoding::percent_decode_str(text).collect(),
        "unescape" => return unescape(text),
        _ => return None,
    };
    // Text that is none tells nothing, and would be mistaken for one.
    String::from_utf8(bytes).ok()
}

/// `%uXXXX` and `%XX`.
fn unescape(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (digits, skip) = match after.strip_prefix('u') {
            Some(digits) => (digits.get(..4)?, 5),
            None => (after.get(..2)?, 2),
        };
        out.push(u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)?);
        rest = &after[skip..];
    }
    out.push_str(rest);
    Some(out)
}

/// A path of parts, as `path.join` makes it.
pub(super) fn join_path(parts: &[String]) -> String {
    let mut path: Vec<&str> = Vec::new();
    let joined =
        parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join("/");
    let rooted = joined.starts_with('/');
    for part in joined.split(['/', '\\']) {
        match part {
            "" | "." => {}
            // What stands above something unknown is unknown too, but that it is above tells something.
            ".." if path.last().is_some_and(|last| last.contains(HOLE)) => path.push(".."),
            ".." if path.last().is_some_and(|last| *last != ".." && *last != "~") => {
                path.pop();
            }
            part => path.push(part),
        }
    }
    let path = path.join("/");
    if rooted { format!("/{path}") } else { path }
}
