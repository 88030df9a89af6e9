//! Bytes that nobody meant: no mutation of a bundle panics, and none of what is signed verifies.

use serde_json::Value;
use tidegate_provenance::{Requirement, Subject, formats, testing::digests};

use crate::own::World;

/// A generator of numbers that is the same on every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % below
    }
}

/// The parts of a bundle that some signature covers, as JSON pointers.
const SIGNED: [&str; 8] = [
    "/verificationMaterial/certificate/rawBytes",
    "/verificationMaterial/tlogEntries/0/canonicalizedBody",
    "/verificationMaterial/tlogEntries/0/inclusionPromise/signedEntryTimestamp",
    "/verificationMaterial/tlogEntries/0/inclusionProof/rootHash",
    "/verificationMaterial/tlogEntries/0/inclusionProof/hashes/0",
    "/verificationMaterial/tlogEntries/0/inclusionProof/checkpoint/envelope",
    "/dsseEnvelope/payload",
    "/dsseEnvelope/signatures/0/sig",
];

#[test]
fn no_changed_byte_of_a_signed_part_verifies() {
    use base64::Engine as _;
    let engine = base64::engine::general_purpose::STANDARD;
    let world = World::new();
    let bundle = world.bundle();
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    for _ in 0..600 {
        let pointer = SIGNED[numbers.next(SIGNED.len())];
        let mut broken = bundle.clone();
        let part = broken.pointer_mut(pointer).unwrap();
        let text = part.as_str().unwrap().to_owned();
        let plain = pointer.ends_with("envelope");
        let mut bytes = if plain { text.clone().into_bytes() } else { engine.decode(&text).unwrap() };
        let at = numbers.next(bytes.len());
        bytes[at] ^= 1 << numbers.next(7);
        let changed =
            if plain { String::from_utf8_lossy(&bytes).into_owned() } else { engine.encode(&bytes) };
        // The name before the checkpoint's signature is a label; only the key's hint and the signature count.
        if plain
            && text
                .rfind('\u{2014}')
                .is_some_and(|label| at >= label && at < label + "\u{2014} rekor.test ".len())
        {
            continue;
        }
        *part = Value::String(changed);
        let found = world.check(&broken, &Requirement::default());
        assert!(!found.is_verified(), "byte {at} of {pointer}");
    }
}

#[test]
fn no_bytes_panic() {
    let world = World::new();
    let text = world.bundle().to_string().into_bytes();
    let subject = Subject::new(digests(b"x"));
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for round in 0..2000 {
        let mut bytes = text.clone();
        for _ in 0..=numbers.next(4) {
            let at = numbers.next(bytes.len());
            match round % 3 {
                0 => bytes[at] = u8::try_from(numbers.next(256)).unwrap(),
                1 => bytes.truncate(at + 1),
                _ => drop(bytes.splice(at..at, [b'[', b'{', b'"', 0xff].into_iter().take(1 + round % 4))),
            }
        }
        let requirement = Requirement::default();
        formats::bundle::verify(&bytes, &subject, &requirement, world.trust());
        formats::npm::verify(&bytes, &subject, &requirement, world.trust());
        formats::pypi::verify(&bytes, &subject, &requirement, world.trust());
    }
    let deep = "[".repeat(100_000);
    for verify in [formats::npm::verify, formats::pypi::verify] {
        let found = verify(deep.as_bytes(), &subject, &Requirement::default(), world.trust());
        assert_eq!(found[0].state.to_string(), "malformed");
    }
}
