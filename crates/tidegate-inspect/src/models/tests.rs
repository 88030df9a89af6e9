//! How fast models are read. `cargo test -p tidegate-inspect --release --lib models::tests -- --ignored --nocapture` prints it.

use super::remark::Told;
use super::{gguf, pickle, safetensors};

/// Nanoseconds that this thread has been on a processor.
fn on_processor() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn speed(what: &str, bytes: &[u8], read: impl FnOnce(&mut Told)) {
    let mut told = Told::default();
    let before = on_processor();
    read(&mut told);
    let seconds = (on_processor() - before) as f64 / 1e9;
    assert_eq!((told.remarks, told.gaps), (Vec::new(), Vec::new()), "{what}");
    let megabytes = bytes.len() as f64 / 1e6;
    println!("{what}: {megabytes:.0} MB, {:.0} MB per CPU-second", megabytes / seconds.max(1e-9));
}

#[test]
#[ignore = "it measures"]
fn speed_of_readers() {
    const BYTES: usize = 200_000_000;
    // A vocabulary: short texts, each remembered, with small numbers.
    let mut words = b"\x80\x04}\x94(".to_vec();
    for number in 0_u64.. {
        if words.len() > BYTES {
            break;
        }
        words.extend(b"\x8c\x08");
        words.extend(format!("{:08x}", number.wrapping_mul(0x9e37_79b9) & 0xffff_ffff).as_bytes());
        words.extend(b"\x94M\x01\x02");
        if number % 1000 == 999 {
            words.extend(b"u(");
        }
    }
    words.extend(b"u.");
    speed("pickle of short texts", &words, |told| assert!(pickle::read(&words, told).is_pickle));
    drop(words);
    let mut numbers = b"\x80\x04]\x94(".to_vec();
    while numbers.len() < BYTES {
        numbers.extend(b"G\x3f\xf0\0\0\0\0\0\0".repeat(1000));
        numbers.extend(b"e(");
    }
    numbers.extend(b"e.");
    speed("pickle of numbers", &numbers, |told| assert!(pickle::read(&numbers, told).is_pickle));
    drop(numbers);
    let length = u32::try_from(BYTES).unwrap();
    let array = [&b"\x80\x04B"[..], &length.to_le_bytes(), &vec![0x3f; BYTES], b"."].concat();
    speed("pickle of one array", &array, |told| assert!(pickle::read(&array, told).is_pickle));
    drop(array);

    let mut head = String::from("{");
    for number in 0..100_000_u64 {
        let comma = if number == 0 { "" } else { "," };
        head.push_str(&format!(
            "{comma}\"layer.{number}\":{{\"dtype\":\"F32\",\"shape\":[2,250],\"data_offsets\":[{},{}]}}",
            number * 2000,
            number * 2000 + 2000
        ));
    }
    head.push('}');
    let tensors = [&(head.len() as u64).to_le_bytes()[..], head.as_bytes(), &vec![0x3f; BYTES]].concat();
    speed("safetensors", &tensors, |told| safetensors::read(&tensors, told));
    drop(tensors);

    let mut vocabulary = b"GGUF\x03\0\0\0".to_vec();
    vocabulary.extend([0_u64.to_le_bytes(), 1_u64.to_le_bytes()].concat());
    vocabulary
        .extend([&6_u64.to_le_bytes()[..], b"tokens", &9_u32.to_le_bytes(), &8_u32.to_le_bytes()].concat());
    let count = BYTES / 16;
    vocabulary.extend((count as u64).to_le_bytes());
    vocabulary.extend([&8_u64.to_le_bytes()[..], b"12345678"].concat().repeat(count));
    speed("GGUF of texts alone", &vocabulary, |told| gguf::read(&vocabulary, told));
}
