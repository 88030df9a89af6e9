//! What reading models costs, format by format: models of some size that hold nothing bad, made in memory.
//!
//! `model_pace [--list | FORMAT [MEGABYTES]]` prints one JSON document: bytes, CPU seconds of the readers of models alone and of the
//! whole inspection, and the most memory that the readers took beside the bytes. One thread; a second is a second of the
//! kernel's count of that thread.

use std::hint::black_box;

use tidegate_inspect::{Budgets, Request, TemporaryFiles, Verdict, inspect, models, prepare};

/// Megabytes of a model where nothing else is said.
const MEGABYTES: usize = 64;

/// A maker of a model of about so many bytes.
type Make = fn(usize) -> Vec<u8>;

const FORMATS: &[(&str, Make)] = &[
    ("pickle of short texts", texts),
    ("pickle of small numbers", numbers),
    ("pickle of floats", floats),
    ("pickle of tensors", tensors),
    ("pickle of one array", array),
    ("safetensors, mostly head", safetensors),
    ("GGUF, mostly vocabulary", gguf),
    ("Keras configuration", keras),
    ("ONNX of nodes", onnx),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(name) = arguments.first().filter(|name| *name != "--list") else {
        for (name, _) in FORMATS {
            println!("{name}");
        }
        return;
    };
    let megabytes = arguments.get(1).and_then(|count| count.parse().ok()).unwrap_or(MEGABYTES);
    let Some((_, make)) = FORMATS.iter().find(|(known, _)| known == name) else {
        eprintln!("`{name}` is no format: see --list");
        std::process::exit(2);
    };
    prepare();
    let bytes = make(megabytes * 1_000_000);
    black_box(models::alone("model", &bytes[..bytes.len().min(100_000)]));
    let beside = forget_peak();
    let before = cpu_seconds();
    let alone = black_box(models::alone("model", &bytes));
    let readers = cpu_seconds() - before;
    let memory = status("VmHWM:").saturating_sub(beside);
    let request = Request { name: "model".into(), ..Request::default() };
    let before = cpu_seconds();
    let whole = inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default());
    let all = cpu_seconds() - before;
    assert!(whole.not_seen.is_empty() && whole.verdict == Verdict::Clean, "{name}: {:?}", whole.not_seen);
    let document = serde_json::json!({
        "format": name, "bytes": bytes.len(), "formats": alone.formats,
        "readers_cpu_seconds": readers, "whole_cpu_seconds": all, "memory_beside_bytes": memory,
    });
    println!("{document}");
}

/// CPU seconds of this thread, user and system, as the kernel's scheduler counts them.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split_whitespace().next().and_then(|first| first.parse::<f64>().ok());
    nanoseconds.expect("the kernel counts CPU time per thread (CONFIG_SCHEDSTATS)") / 1e9
}

/// Has the kernel forget the most memory so far, and gives the memory of now.
fn forget_peak() -> u64 {
    std::fs::write("/proc/self/clear_refs", "5").expect("the kernel keeps the peak anew");
    status("VmRSS:")
}

/// Bytes of a line of the kernel's account of this process.
fn status(line: &str) -> u64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let found = text.lines().find_map(|one| one.strip_prefix(line));
    let kibibytes =
        found.and_then(|rest| rest.split_whitespace().next()).and_then(|word| word.parse::<u64>().ok());
    kibibytes.expect("the kernel says what memory a process takes") << 10
}

/// Numbers without order, the same each time.
fn mixed(number: u64) -> u64 {
    number.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29)
}

/// A vocabulary: short texts, each remembered, with small numbers.
fn texts(bytes: usize) -> Vec<u8> {
    let mut out = b"\x80\x04}\x94(".to_vec();
    for number in 0_u64.. {
        if out.len() > bytes {
            break;
        }
        out.extend(b"\x8c\x08");
        out.extend(format!("{:08x}", mixed(number) & 0xffff_ffff).as_bytes());
        out.extend(b"\x94M\x01\x02");
        if number % 1000 == 999 {
            out.extend(b"u(");
        }
    }
    out.extend(b"u.");
    out
}

/// A list in lists of items that are as written.
fn list(bytes: usize, item: &[u8]) -> Vec<u8> {
    let mut out = b"\x80\x04]\x94(".to_vec();
    while out.len() < bytes {
        out.extend(item.repeat(1000));
        out.extend(b"e(");
    }
    out.extend(b"e.");
    out
}

fn numbers(bytes: usize) -> Vec<u8> {
    list(bytes, b"K\x07M\x01\x02J\x01\x02\x03\x04")
}

fn floats(bytes: usize) -> Vec<u8> {
    list(bytes, b"G\x3f\xf0\0\0\0\0\0\0")
}

/// The parameters of a model of very many layers, as PyTorch writes them.
fn tensors(bytes: usize) -> Vec<u8> {
    let mut out = b"\x80\x02ccollections\nOrderedDict\nq\x00)R(X\x07\0\0\0storageq\x010ctorch\nFloatStorage\nq\x020ctorch._utils\n_rebuild_tensor_v2\nq\x030X\x03\0\0\0cpuq\x040X\x01\0\0\0_".to_vec();
    out.extend(b"N");
    for number in 0_u32.. {
        if out.len() > bytes {
            break;
        }
        let (key, name) = (number.to_string(), format!("model.layers.{number}.self_attn.weight"));
        for (text, rest) in
            [(&name, &b"h\x03((h\x01h\x02"[..]), (&key, b"h\x04M\0\x10tQK\0K@K@\x86K@K\x01\x86\x89h\0)RtR")]
        {
            out.push(b'X');
            out.extend((text.len() as u32).to_le_bytes());
            out.extend(text.as_bytes());
            out.extend(rest);
        }
        if number % 1000 == 999 {
            out.extend(b"u(");
        }
    }
    out.extend(b"u.");
    out
}

fn array(bytes: usize) -> Vec<u8> {
    let length = u32::try_from(bytes).unwrap_or(u32::MAX);
    let numbers = (0..u64::from(length) / 8).flat_map(|number| mixed(number).to_le_bytes());
    let numbers: Vec<u8> = numbers.collect();
    let length = numbers.len() as u32;
    [&b"\x80\x04B"[..], &length.to_le_bytes(), &numbers, b"."].concat()
}

fn safetensors(bytes: usize) -> Vec<u8> {
    // Readers take heads of up to 100 MB, and this one reads up to 32 MiB of them.
    let mut head = String::from("{");
    let mut at = 0_u64;
    while head.len() < (bytes / 2).min(20_000_000) {
        let comma = if at == 0 { "" } else { "," };
        let (begin, end) = (at * 64, at * 64 + 64);
        head.push_str(&format!(
            "{comma}\"layer.{at}.weight\":{{\"dtype\":\"F32\",\"shape\":[4,4],\"data_offsets\":[{begin},{end}]}}"
        ));
        at += 1;
    }
    head.push('}');
    let numbers: Vec<u8> = (0..at * 8).flat_map(|number| mixed(number).to_le_bytes()).collect();
    [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &numbers].concat()
}

fn gguf(bytes: usize) -> Vec<u8> {
    let count = bytes as u64 / 16;
    let mut out = b"GGUF\x03\0\0\0".to_vec();
    out.extend([0_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    out.extend(
        [&21_u64.to_le_bytes()[..], b"tokenizer.ggml.tokens", &9_u32.to_le_bytes(), &8_u32.to_le_bytes()]
            .concat(),
    );
    out.extend(count.to_le_bytes());
    for number in 0..count {
        out.extend(8_u64.to_le_bytes());
        out.extend(format!("{:08x}", mixed(number) & 0xffff_ffff).as_bytes());
    }
    out
}

fn keras(bytes: usize) -> Vec<u8> {
    // One document may have so many layers; nothing that is built has more.
    let layer = r#"{"module":"keras.layers","class_name":"Dense","config":{"name":"dense","units":64,"activation":"relu","kernel_initializer":"glorot_uniform","dtype":"float32","trainable":true,"use_bias":true},"registered_name":null}"#;
    let count = (bytes / layer.len()).min(25_000);
    let layers = vec![layer; count].join(",");
    format!(r#"{{"module":"keras","class_name":"Sequential","registered_name":null,"config":{{"name":"s","layers":[{layers}]}}}}"#).into_bytes()
}

fn onnx(bytes: usize) -> Vec<u8> {
    let field = |number: u8, content: &[u8]| {
        let mut out = vec![number << 3 | 2];
        let mut length = content.len();
        while length >= 0x80 {
            out.push((length & 0x7f) as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend(content);
        out
    };
    let node =
        [field(1, b"hidden_in"), field(2, b"hidden_out"), field(3, b"/layers/MatMul"), field(4, b"MatMul")]
            .concat();
    let graph = [field(1, &node).repeat(bytes / (node.len() + 2)), field(2, b"graph")].concat();
    [&b"\x08\x08"[..], &field(2, b"pytorch"), &field(7, &graph), &field(8, b"\x10\x11")].concat()
}
