//! Input made to exhaust whoever reads it, through a worker as the product starts it.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use serde_json::Value;
use tidegate::inspection::{Limits, Usage};

use super::{MEMORY_BYTES, TestPool, counted, crc32, deflate, gzip, gzip_as, job, tar, zip};

/// A bomb takes no longer than this, on a busy machine and without optimisation.
const TIME: Duration = Duration::from_secs(400);

/// The product's limits, with CPU time for detectors that are not optimised.
fn limits() -> Limits {
    Limits { cpu: Duration::from_secs(200), ..Limits::default() }
}

/// Looked into by a worker that stays within its bounds and lives on.
#[track_caller]
fn defused(bytes: &[u8]) -> Value {
    let pool = TestPool::real(limits());
    let (result, usage) = counted(pool.inspect("bomb", bytes));
    within_bounds(usage);
    counted(pool.inspect("behind", b"x"));
    assert_eq!(pool.pool.status().lost, 0);
    result
}

#[track_caller]
fn within_bounds(usage: Usage) {
    assert!(usage.peak_memory_bytes <= MEMORY_BYTES, "{usage:?}");
    assert!(usage.wall < TIME, "{usage:?}");
}

#[track_caller]
fn lacks(result: &Value, gap: &str) {
    let told = result["not_seen"].as_array().unwrap();
    assert!(told.iter().any(|not_seen| not_seen["kind"] == gap), "{result}");
}

/// Something like a library: it compresses well, but not suspiciously.
fn library(length: usize) -> Vec<u8> {
    let mut state = 1_u64;
    let mut noise = |count: usize| -> Vec<u8> {
        let next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56).to_le_bytes()[0]
        };
        std::iter::repeat_with(next).take(count).collect()
    };
    let block = noise(16 << 10);
    let mut bytes = b"\x7fELF".to_vec();
    while bytes.len() < length {
        bytes.extend(noise(256));
        bytes.extend(&block);
    }
    bytes.truncate(length);
    bytes
}

#[test]
fn a_zip_bomb() {
    let bomb = zip::archive(&[zip::Member::deflated("0", &vec![0; 64 << 20])]);
    lacks(&defused(&bomb), "ratio");
}

#[test]
fn a_tar_bomb_of_hundreds_of_thousands_of_files() {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(1));
    for n in 0_u32..300_000 {
        // Names differ, so that the archive compresses no better than archives do.
        let name = format!("{:x}{:x}", n.wrapping_mul(2_654_435_761), n.wrapping_mul(40_503).rotate_left(13));
        encoder.write_all(&tar::header(&name, b"00000000000", b'0', "")).unwrap();
    }
    lacks(&defused(&encoder.finish().unwrap()), "entries");
}

#[test]
fn ten_thousand_archives_one_in_the_other() {
    // Each is a header before and padding behind the next; the sizes come from within.
    let (mut headers, mut size) = (Vec::new(), 512_usize);
    for _ in 0..10_000 {
        headers.push(tar::header("a.tar", format!("{size:011o}").as_bytes(), b'0', ""));
        size += 512 + 1024;
    }
    let mut bomb: Vec<u8> = headers.into_iter().rev().flatten().collect();
    bomb.resize(size, 0);
    lacks(&defused(&bomb), "depth");
}

#[test]
fn compressed_again_and_again_as_what_contains_itself() {
    let stored = flate2::Compression::none();
    let bomb = (0..200).fold(b"x".to_vec(), |inner, _| gzip_as(stored, &inner));
    lacks(&defused(&bomb), "depth");
}

#[test]
fn members_that_share_their_bytes() {
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
    let bomb = zip::finish(kernel.local(), &directory, 12_000, b"");
    lacks(&defused(&bomb), "overlap_bytes");
}

#[test]
fn sizes_below_zero() {
    let mut header = tar::header("a", &[0xff; 12], b'0', "");
    tar::seal(&mut header);
    let result = defused(&tar::archive(&[header.to_vec(), tar::file("b", b"b")]));
    let found = result["findings"].as_array().unwrap();
    assert!(found.iter().any(|finding| finding["detector"] == "archive/tar-conflict"), "{result}");
}

#[test]
fn two_gigabytes_of_nothing() {
    let pool = TestPool::real(limits());
    let path = pool.folder.path().join("sparse");
    let mut file = File::create(&path).unwrap();
    file.write_all(b"\x7fELF").unwrap();
    file.set_len(2 << 30).unwrap();
    file.seek(SeekFrom::End(-4)).unwrap();
    file.write_all(b"last").unwrap();
    let (result, usage) = counted(pool.run(job("sparse", &path)));
    assert_eq!(result["extent"]["largest_leaf_bytes"], 2_u64 << 30);
    within_bounds(usage);
}

#[test]
fn a_native_library_of_150_megabytes_is_looked_at_whole() {
    let result = defused(&gzip(&tar::archive(&[tar::file("lib.so", &library(150 << 20))])));
    assert_eq!(result["extent"]["largest_leaf_bytes"], 150 << 20);
    assert_eq!(result["not_seen"], serde_json::json!([]));
}
