//! Input made to exhaust whoever reads it. Each case runs in a process of its own that may have little memory.

use std::process::Command;

use tidegate_inspect::{Budgets, Flow, Gap, GapKind, Leaf, Oddity, TemporaryFiles, Visitor, unfold};
use tidegate_sys::map::FileBytes;

use crate::support::{crc32, deflate, gzip, look_within, noise, tar, zip};

/// Memory that the unfolder may need beyond its input.
const MEMORY_KIB: u64 = 64 << 10;

/// What the process of a test needs by itself: its threads, and what the visitor keeps.
const OWN_KIB: u64 = 24 << 10;

const CASE: &str = "TIDEGATE_INSPECT_CASE";

/// Counts, and prints at the end.
#[derive(Default)]
struct Counts {
    largest: usize,
    gaps: Vec<GapKind>,
}

impl Visitor for Counts {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        self.largest = self.largest.max(leaf.bytes.len());
        Flow::Continue(())
    }

    fn oddity(&mut self, _: Oddity) {}

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap.kind);
    }
}

#[test]
#[ignore = "the other tests of this module run it in a process of its own"]
fn child() {
    let Some(path) = std::env::var_os(CASE) else { return };
    let file = std::fs::File::open(path).unwrap();
    let bytes = FileBytes::map_immutable(&file).unwrap();
    let mut counts = Counts::default();
    let summary = unfold("case", &bytes, &Budgets::default(), &TemporaryFiles::default(), &mut counts);
    counts.gaps.dedup();
    println!("RESULT largest={} gaps={:?} entries={}", counts.largest, counts.gaps, summary.entries);
}

/// Unfolds in a process that cannot have more memory than it should need.
#[track_caller]
fn within_memory(bytes: &[u8], expected: &str) {
    if !cfg!(target_os = "linux") {
        eprintln!("SKIPPED: memory is limited by the shell's `ulimit -d`, which means this on Linux only");
        return;
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let limited = format!("ulimit -d {} && exec \"$0\" \"$@\"", MEMORY_KIB + OWN_KIB);
    let output = Command::new("sh")
        .args(["-c", &limited])
        .arg(std::env::current_exe().unwrap())
        .args(["hostile::child", "--exact", "--ignored", "--nocapture", "--test-threads=1"])
        .env(CASE, file.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let result = text.lines().find_map(|line| line.split_once("RESULT ")).map(|(_, result)| result);
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {error}", output.status);
    assert!(result.unwrap().contains(expected), "{result:?}");
}

/// Something like a library: it compresses well, but not suspiciously.
fn library(length: usize) -> Vec<u8> {
    let block = noise(16 << 10, 5);
    let mut bytes = b"\x7fELF".to_vec();
    for n in 0u64.. {
        if bytes.len() >= length {
            break;
        }
        bytes.extend(noise(256, n));
        bytes.extend(&block);
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn a_native_library_of_150_megabytes_is_looked_at_whole() {
    let archive = tar::archive(&[tar::file("lib.so", &library(150 << 20))]);
    within_memory(&gzip(&archive), &format!("largest={} gaps=[] ", 150 << 20));
}

#[test]
fn bombs_of_zeros_end_early() {
    within_memory(&gzip(&vec![0; 64 << 20]), "gaps=[Ratio] ");
    let zstd = zstd::bulk::compress(&vec![0; 64 << 20], 3).unwrap();
    within_memory(&zstd, "gaps=[Ratio] ");
}

#[test]
fn decoders_get_no_window_beyond_the_budget() {
    let mut options = lzma_rust2::XzOptions::with_preset(0);
    options.lzma_options.dict_size = 24 << 20;
    let mut writer = lzma_rust2::XzWriter::new(Vec::new(), options).unwrap();
    std::io::Write::write_all(&mut writer, &library(36 << 20)).unwrap();
    within_memory(&writer.finish().unwrap(), &format!("largest={} gaps=[] ", 36 << 20));
}

#[test]
fn thousands_of_members_that_are_one_end_early() {
    let content = vec![0; 8 << 20];
    let kernel = zip::Member {
        packed: Some(deflate(&content)),
        crc: Some(crc32(&content)),
        size: Some(8 << 20),
        ..zip::Member::deflated("k", b"")
    };
    let mut directory = Vec::new();
    for n in 0..12_000 {
        directory.extend(zip::Member { name: format!("{n}").into(), ..kernel.clone() }.central(0));
    }
    let bytes = zip::finish(kernel.local(), &directory, 12_000, b"");
    within_memory(&bytes, "largest=8388608 gaps=[OverlapBytes");
}

#[test]
fn archives_in_archives_sixteen_wide_end_early() {
    let mut bytes = zip::archive(&[zip::Member::deflated("0", &vec![0; 8 << 20])]);
    for _ in 0..6 {
        let members: Vec<_> = (0..16).map(|n| zip::Member::deflated(&n.to_string(), &bytes)).collect();
        bytes = zip::archive(&members);
    }
    let budgets = Budgets { total_bytes: 128 << 20, entries: 5_000, steps: 100_000, ..Budgets::default() };
    let told = look_within("x", &bytes, &budgets);
    assert!(told.summary.unpacked_bytes <= budgets.total_bytes && told.summary.entries <= budgets.entries);
    assert!(told.gaps.iter().any(|gap| gap.kind == GapKind::TotalBytes), "{:?}", told.gaps);
}

#[test]
fn without_scratch_files_what_is_too_large_is_a_gap() {
    let mut counts = Counts::default();
    let bytes = gzip(&library(20 << 20));
    unfold("x", &bytes, &Budgets::default(), &tidegate_inspect::NoScratch, &mut counts);
    assert_eq!(counts.gaps, [GapKind::Scratch]);
    assert!(counts.largest > 8 << 20, "what fits is looked at");
}

#[test]
fn whoever_looks_may_end_it() {
    struct Impatient(Option<GapKind>);
    impl Visitor for Impatient {
        fn leaf(&mut self, _: &Leaf<'_>) -> Flow {
            Flow::Break(())
        }
        fn oddity(&mut self, _: Oddity) {}
        fn gap(&mut self, gap: Gap) {
            self.0 = Some(gap.kind);
        }
    }
    let mut visitor = Impatient(None);
    let bytes = tar::archive(&[tar::file("a", b"1"), tar::file("b", b"2")]);
    let summary = unfold("x", &bytes, &Budgets::default(), &TemporaryFiles::default(), &mut visitor);
    assert_eq!((summary.leaves, visitor.0), (1, Some(GapKind::Stopped)));
}
