//! Reads safetensors: a head of JSON and the tensors behind it, without gaps. There is no code in it; what is looked for is a head
//! that contradicts what follows.

use std::collections::HashSet;

use tidegate_model::finding::FindingSeverity::High;

use super::remark::{Told, What};
use crate::bytes::u64_le;
use crate::json::{Scanner, Step, Token};

/// Bytes of a head; readers refuse longer ones.
const HEAD_BYTES: u64 = 100_000_000;

/// Bytes of a head that is read here.
const READ_BYTES: u64 = 32 << 20;

/// Tensors of one file.
const TENSORS: usize = 400_000;

/// Bytes behind the last tensor that are told.
const SAMPLE_BYTES: usize = 8;

/// Whether bytes are a file of this kind, or pretend to be one.
pub(super) fn matches(bytes: &[u8]) -> bool {
    bytes.get(8) == Some(&b'{')
        && u64_le(bytes, 0).is_some_and(|length| (2..HEAD_BYTES * 100).contains(&length))
        && {
            let head = &bytes[8..bytes.len().min(8 + 4096)];
            memchr::memmem::find(head, b"\"dtype\"").is_some()
                || memchr::memmem::find(head, b"\"__metadata__\"").is_some()
                // No tensor at all.
                || head.trim_ascii() == b"{}"
        }
}

#[derive(Default)]
struct Tensor {
    begin: Option<u64>,
    end: Option<u64>,
    dtype: Option<u64>,
    items: Option<u64>,
}

/// Reads a file.
pub(super) fn read(bytes: &[u8], told: &mut Told) {
    told.is_of("safetensors");
    let length = u64_le(bytes, 0).unwrap_or(0);
    let grave = |told: &mut Told, what: String| told.at(0, What::Form(what, High), None);
    if length > HEAD_BYTES {
        return grave(told, format!("its head says it has {length} bytes, more than readers take"));
    }
    let Some(head) = crate::bytes::slice(bytes, 8, length) else {
        return grave(told, format!("its head says it has {length} bytes, more than are there"));
    };
    if length > READ_BYTES {
        return told.gap("the head of a safetensors file is longer than is read");
    }
    let data = bytes.len() as u64 - 8 - length;
    let Some(mut places) = tensors(head, told) else { return };
    places.sort_unstable();
    let mut at = 0;
    for (begin, end) in places {
        if end > data {
            return grave(told, format!("a tensor ends at {end} where {data} bytes are there"));
        }
        if begin < at {
            return grave(told, format!("two tensors share bytes at {begin}"));
        }
        if begin > at {
            return grave(told, format!("no tensor covers the bytes {at} to {begin}"));
        }
        at = end;
    }
    let numbers = usize::try_from(8 + length).ok().zip(usize::try_from(8 + length + at).ok());
    told.numbers = numbers.map(|(begin, end)| begin..end);
    if at < data {
        let from = usize::try_from(8 + length + at).unwrap_or(usize::MAX);
        let sample = bytes.get(from..).map(|rest| hex::encode(&rest[..rest.len().min(SAMPLE_BYTES)]));
        told.at(from, What::Form(format!("{} bytes stand behind its last tensor", data - at), High), sample);
    }
}

/// Where the tensors lie; none where the head says too little.
fn tensors(head: &[u8], told: &mut Told) -> Option<Vec<(u64, u64)>> {
    let grave = |told: &mut Told, what: &str| told.at(8, What::Form(what.to_owned(), High), None);
    if serde_json::from_slice::<serde::de::IgnoredAny>(head).is_err() {
        grave(told, "its head is no JSON");
        return None;
    }
    let mut scanner = Scanner::new(head);
    let mut names: HashSet<Vec<u8>> = HashSet::new();
    let (mut places, mut open, mut name) = (Vec::new(), Tensor::default(), Vec::new());
    while let Some(token) = scanner.next() {
        let path = scanner.path();
        let [Step::Key(tensor), rest @ ..] = path else { continue };
        if *tensor == b"__metadata__" {
            continue;
        }
        match (token, rest) {
            (Token::Open, [Step::Key(b"")]) => {
                name = tensor.to_vec();
                open = Tensor { items: Some(1), ..Tensor::default() };
                if !names.insert(name.clone()) {
                    grave(told, "two tensors have one name");
                }
                if names.len() > TENSORS {
                    told.gap("a safetensors file has more tensors than are read");
                    return None;
                }
            }
            (Token::Word(word), [Step::Key(b"data_offsets"), Step::Item(at)]) => {
                let value = number(word);
                if *at == 0 { open.begin = value } else { open.end = value }
            }
            (Token::Word(word), [Step::Key(b"shape"), Step::Item(_)]) => {
                open.items = open.items.zip(number(word)).and_then(|(all, side)| all.checked_mul(side));
            }
            (Token::Text(text, _), [Step::Key(b"dtype")]) => open.dtype = bits(text),
            (Token::Close, []) | (Token::Close, [Step::Key(_)]) if !name.is_empty() => {
                let tensor = std::mem::take(&mut open);
                name.clear();
                let (Some(begin), Some(end)) = (tensor.begin, tensor.end) else {
                    grave(told, "a tensor has no place");
                    return None;
                };
                let fits = match (tensor.dtype, tensor.items) {
                    (Some(bits), Some(items)) => {
                        end.checked_sub(begin) == items.checked_mul(bits).map(|all| all.div_ceil(8))
                    }
                    (None, Some(_)) => begin <= end,
                    (_, None) => false,
                };
                if !fits {
                    grave(told, "a tensor has another size than its shape says");
                    return None;
                }
                places.push((begin, end));
            }
            _ => {}
        }
    }
    Some(places)
}

fn number(word: &[u8]) -> Option<u64> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Bits of one number.
fn bits(dtype: &[u8]) -> Option<u64> {
    Some(match dtype {
        b"F64" | b"I64" | b"U64" | b"C64" => 64,
        b"F32" | b"I32" | b"U32" => 32,
        b"F16" | b"BF16" | b"I16" | b"U16" => 16,
        b"F8_E5M2" | b"F8_E4M3" | b"F8_E4M3FNUZ" | b"F8_E5M2FNUZ" | b"F8_E8M0" | b"I8" | b"U8" | b"BOOL" => 8,
        b"F6_E2M3" | b"F6_E3M2" => 6,
        b"F4" => 4,
        _ => return None,
    })
}
