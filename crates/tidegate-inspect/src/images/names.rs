//! The names of a layer, kept as 48 bits each: some hundred kilobytes for the largest layers, and enough to say what of another
//! layer a name hides.
//!
//! Of a digest as short as that, two names may share one by chance, about once in ten thousand images. Then something is said to lie
//! beneath that stands in the file system; it is still told. Whoever makes two names collide on purpose hides no more than by
//! removing the file.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// Names of one layer that are kept. The budget for members is below that.
const NAMES: usize = 300_000;

/// Bytes of a hash that count.
const HASH_BYTES: usize = 6;

/// What a layer says of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Says {
    /// It is a file, a link or a device here.
    File = b'f',
    /// It is a folder here.
    Folder = b'd',
    /// It is removed here.
    Removed = b'w',
    /// It is a folder here without anything that it held before.
    Emptied = b'o',
}

/// How a layer hides something of one below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hides {
    /// It removes the file, or a folder that it lies in.
    Removes,
    /// It has another file or a link in its place, or in that of a folder that it lies in.
    Replaces,
}

/// The names of a layer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names {
    /// Sorted, each once.
    hashes: Vec<u64>,
}

impl Names {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hashes.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.hashes.is_empty()
    }

    /// Whether and how the layer hides a file of a layer below, by its path in the file system.
    #[must_use]
    pub fn hides(&self, path: &str) -> Option<Hides> {
        Asked::of(path).hidden_by(self)
    }

    fn has(&self, hash: u64) -> bool {
        self.hashes.binary_search(&hash).is_ok()
    }
}

/// A path to ask several layers about: hashed once.
pub(super) struct Asked {
    /// For the root, each folder above it and itself: the hashes of what may hide it, and how.
    hashes: Vec<(u64, Hides)>,
}

impl Asked {
    pub(super) fn of(path: &str) -> Self {
        let parts: Vec<&str> = parts(path).collect();
        let mut hashes = vec![(hash(Says::Emptied, &[]), Hides::Removes)];
        for end in 1..=parts.len() {
            let name = &parts[..end];
            hashes.push((hash(Says::Removed, name), Hides::Removes));
            hashes.push((hash(Says::File, name), Hides::Replaces));
            hashes.push(if end == parts.len() {
                (hash(Says::Folder, name), Hides::Replaces)
            } else {
                (hash(Says::Emptied, name), Hides::Removes)
            });
        }
        Self { hashes }
    }

    pub(super) fn hidden_by(&self, names: &Names) -> Option<Hides> {
        // What is replaced may be removed first, by the same layer.
        let mut hides = self.hashes.iter().filter(|(hash, _)| names.has(*hash)).map(|(_, how)| *how);
        let first = hides.next()?;
        Some(if hides.any(|how| how == Hides::Replaces) { Hides::Replaces } else { first })
    }
}

/// Collects the names of a layer.
#[derive(Debug, Default)]
pub(super) struct NamesCollector {
    hashes: Vec<u64>,
    pub(super) members: u64,
    pub(super) removes: u64,
    /// Names beyond what is kept.
    pub(super) not_kept: u64,
}

impl NamesCollector {
    /// Takes the name of a member, printable.
    pub(super) fn member(&mut self, name: &str, is_folder: bool) {
        self.members += 1;
        if self.hashes.len() >= NAMES {
            self.not_kept += 1;
            return;
        }
        let mut parts: Vec<&str> = parts(name).collect();
        let own = parts.last().copied().unwrap_or_default();
        let says = match own.strip_prefix(".wh.") {
            Some(".wh..opq") => {
                parts.pop();
                Says::Emptied
            }
            // Other names with two marks are an old driver's own notes.
            Some(rest) if rest.starts_with(".wh.") || rest.is_empty() => return,
            Some(rest) => {
                parts.pop();
                parts.push(rest);
                Says::Removed
            }
            None if is_folder => Says::Folder,
            None => Says::File,
        };
        self.removes += u64::from(matches!(says, Says::Removed | Says::Emptied));
        self.hashes.push(hash(says, &parts));
    }

    pub(super) fn finish(mut self) -> Names {
        self.hashes.sort_unstable();
        self.hashes.dedup();
        Names { hashes: self.hashes }
    }
}

/// The parts of a path: `./a//b/` is `a/b`.
fn parts(path: &str) -> impl Iterator<Item = &str> {
    path.split('/').filter(|part| !part.is_empty() && *part != ".")
}

fn hash(says: Says, parts: &[&str]) -> u64 {
    let mut hasher = Sha256::new();
    hasher.update([says as u8]);
    for part in parts {
        hasher.update(b"/");
        hasher.update(part.as_bytes());
    }
    hasher.finalize().iter().take(HASH_BYTES).fold(0, |number, byte| (number << 8) | u64::from(*byte))
}

/// As one text: each name's distance from the one before it, in groups of seven bits, lowest first, in base64.
impl Serialize for Names {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut bytes = Vec::with_capacity(self.hashes.len() * 5);
        let mut before = 0;
        for hash in &self.hashes {
            let mut distance = hash - before;
            before = *hash;
            while distance >= 0x80 {
                bytes.push(distance as u8 | 0x80);
                distance >>= 7;
            }
            bytes.push(distance as u8);
        }
        serializer.serialize_str(&STANDARD_NO_PAD.encode(bytes))
    }
}

impl<'de> Deserialize<'de> for Names {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let broken = || serde::de::Error::custom("the names of a layer are not what was written");
        let text = String::deserialize(deserializer)?;
        let bytes = STANDARD_NO_PAD.decode(text).map_err(|_| broken())?;
        let (mut hashes, mut before, mut distance, mut shift) = (Vec::new(), 0_u64, 0_u64, 0);
        for byte in bytes {
            if shift > 42 || hashes.len() >= NAMES {
                return Err(broken());
            }
            distance |= u64::from(byte & 0x7f) << shift;
            shift += 7;
            if byte & 0x80 == 0 {
                before = before.checked_add(distance).ok_or_else(broken)?;
                hashes.push(before);
                (distance, shift) = (0, 0);
            }
        }
        Ok(Self { hashes })
    }
}
