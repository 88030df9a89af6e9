//! What reading single sources costs: one JSON document a line for each file, of CPU seconds, of the most memory that the
//! reader of its language took beside the bytes, and of the facts that were found.
//!
//! `source_pace FILE…` reads `.py` and `.js` files. One thread; a second is a second of the kernel's count of that thread. A
//! file that takes too long takes all the time there is: bound it from without.

use std::hint::black_box;

use tidegate_inspect::behaviour::facts::Language;
use tidegate_inspect::behaviour::languages;
use tidegate_inspect::prepare;

fn main() {
    prepare();
    for path in std::env::args().skip(1) {
        let language = match path.rsplit_once('.') {
            Some((_, "py")) => Language::Python,
            Some((_, "js" | "mjs" | "cjs" | "ts")) => Language::JavaScript,
            _ => continue,
        };
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                eprintln!("{path}: {error}");
                continue;
            }
        };
        let beside = forget_peak();
        let before = cpu_seconds();
        let facts = black_box(languages::read(language, &bytes, &path, 0));
        let seconds = cpu_seconds() - before;
        let memory = status("VmHWM:").saturating_sub(beside);
        let document = serde_json::json!({
            "path": path, "bytes": bytes.len(), "cpu_seconds": seconds, "memory_beside_bytes": memory,
            "facts": facts.map(|facts| facts.facts.len()),
        });
        println!("{document}");
    }
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
