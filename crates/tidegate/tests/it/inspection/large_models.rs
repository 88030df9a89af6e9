//! Models of five gigabytes, through a worker as the product starts it. They are sparse: on disk they take some kilobytes.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::time::Duration;

use serde_json::Value;
use tidegate::inspection::Limits;

use super::{MEMORY_BYTES, TestPool, counted, crc32, job};

/// Bytes of numbers in each.
const NUMBERS: u64 = 5 << 30;

/// CPU time for one of them, without optimisation: their numbers are not read but for a check sum.
const CPU: Duration = Duration::from_secs(60);

/// Looks into a file that begins with `head`, goes on with the numbers, and ends with `tail`.
#[track_caller]
fn inspected(name: &str, head: &[u8], tail: &[u8]) -> Value {
    let pool = TestPool::real(Limits::default());
    let path = pool.folder.path().join(name);
    let mut file = File::create(&path).unwrap();
    file.write_all(head).unwrap();
    file.set_len(head.len() as u64 + NUMBERS).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file.write_all(tail).unwrap();
    drop(file);
    let (result, usage) = counted(pool.run(job(name, &path)));
    assert!(usage.peak_memory_bytes <= MEMORY_BYTES, "{usage:?}");
    assert!(usage.cpu <= CPU, "{usage:?}");
    println!("{name}: {usage:?}");
    result
}

#[track_caller]
fn is_whole(result: &Value, format: &str, verdict: &str) {
    assert_eq!(result["not_seen"], serde_json::json!([]), "{result}");
    assert_eq!(result["verdict"], verdict, "{result}");
    let formats = result["models"]["formats"].as_array().unwrap();
    assert!(formats.contains(&format.into()), "{formats:?}");
}

#[test]
fn safetensors() {
    let head =
        format!(r#"{{"weight":{{"dtype":"F16","shape":[2,{}],"data_offsets":[0,{NUMBERS}]}}}}"#, NUMBERS / 4);
    let head = [&(head.len() as u64).to_le_bytes()[..], head.as_bytes()].concat();
    is_whole(&inspected("model.safetensors", &head, b""), "safetensors", "clean");
    let hidden = inspected("model.safetensors", &head, b"#!/bin/sh\necho x.invalid\n");
    is_whole(&hidden, "safetensors", "suspicious");
}

#[test]
fn gguf() {
    let mut head = b"GGUF\x03\0\0\0".to_vec();
    head.extend([1_u64, 0, 5].map(u64::to_le_bytes).concat());
    head.extend(b"token");
    head.extend(1_u32.to_le_bytes());
    head.extend((NUMBERS / 4).to_le_bytes());
    head.extend(0_u32.to_le_bytes());
    head.extend(0_u64.to_le_bytes());
    head.resize(head.len().next_multiple_of(32), 0);
    is_whole(&inspected("model.gguf", &head, b""), "gguf", "clean");
}

/// The check sum of zeros, put together of those of shorter runs.
fn crc_of_zeros(count: u64) -> u32 {
    let mut run = flate2::Crc::new();
    run.update(&vec![0; 1 << 20]);
    let mut all = flate2::Crc::new();
    let mut left = count >> 20;
    assert_eq!(left << 20, count);
    while left > 0 {
        if left & 1 == 1 {
            all.combine(&run);
        }
        // It cannot be copied, so it is put together anew for being added to itself.
        let mut same = flate2::Crc::new();
        same.combine(&run);
        run.combine(&same);
        left >>= 1;
    }
    all.sum()
}

/// Both headers of a member of a zip of 64 bits; the second is for the directory.
fn headers(name: &str, crc: u32, size: u64, at: u64) -> [Vec<u8>; 2] {
    let sum = crc.to_le_bytes();
    let wide = [size.to_le_bytes(), size.to_le_bytes()].concat();
    let name_bytes = u16::try_from(name.len()).unwrap().to_le_bytes();
    let local = [b"PK\x03\x04\x2d\0\0\0\0\0\0\0\0\0", &sum[..], &[0xff; 8], &name_bytes, &[20, 0]].concat();
    let local = [&local, name.as_bytes(), &[1, 0, 16, 0], &wide].concat();
    let central = [b"PK\x01\x02\x2d\x03\x2d\0\0\0\0\0\0\0\0\0", &sum[..], &[0xff; 8], &name_bytes].concat();
    let central =
        [&central, &[28, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &[0xff; 4], name.as_bytes()].concat();
    [local, [&central[..], &[1, 0, 24, 0], &wide, &at.to_le_bytes()].concat()]
}

/// A file of PyTorch with one storage: what stands before its numbers, and what behind.
fn torch(pickle: &[u8]) -> [Vec<u8>; 2] {
    let [mut head, mut directory] = headers("model/data.pkl", crc32(pickle), pickle.len() as u64, 0);
    head.extend(pickle);
    let [local, central] = headers("model/data/0", crc_of_zeros(NUMBERS), NUMBERS, head.len() as u64);
    head.extend(local);
    directory.extend(central);
    let at = head.len() as u64 + NUMBERS;
    let length = directory.len() as u64;
    let mut tail = directory;
    tail.extend(b"PK\x06\x06");
    tail.extend(44_u64.to_le_bytes());
    tail.extend([0x2d, 3, 0x2d, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    tail.extend([2, 2, length, at].map(u64::to_le_bytes).concat());
    tail.extend(b"PK\x06\x07\0\0\0\0");
    tail.extend((at + length).to_le_bytes());
    tail.extend(1_u32.to_le_bytes());
    tail.extend(b"PK\x05\x06\0\0\0\0\x02\0\x02\0\xff\xff\xff\xff\xff\xff\xff\xff\0\0");
    [head, tail]
}

#[test]
fn pytorch() {
    let numbers = u32::try_from(NUMBERS / 4).unwrap().to_le_bytes();
    let tensor = [
        &b"\x80\x02}X\x06\0\0\0weightctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuJ"[..],
        &numbers,
        b"tQK\0J",
        &numbers,
        b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtRs",
    ]
    .concat();
    let [head, tail] = torch(&[&tensor[..], b"."].concat());
    is_whole(&inspected("model.pt", &head, &tail), "pickle", "clean");
    let [head, tail] = torch(&[&tensor[..], b"cos\nsystem\nX\x0e\0\0\0echo x.invalid\x85R0."].concat());
    is_whole(&inspected("model.pt", &head, &tail), "pickle", "malicious");
}
