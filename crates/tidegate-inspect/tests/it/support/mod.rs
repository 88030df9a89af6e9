//! A visitor that keeps what it is told, and writers that can lie.

pub(crate) mod tar;
pub(crate) mod zip;

use std::io::Write as _;

use tidegate_inspect::{
    Budgets, Flow, Format, Gap, GapKind, Leaf, Oddity, OddityKind, Role, Summary, TemporaryFiles, Visitor,
    unfold,
};

/// Bytes of a leaf that are kept.
const KEPT_BYTES: usize = 4 << 10;

/// A leaf, kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) path: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) length: usize,
    pub(crate) format: Format,
    pub(crate) role: Role,
    pub(crate) offset: u64,
}

/// Everything that was told.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) leaves: Vec<Kept>,
    pub(crate) oddities: Vec<Oddity>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) summary: Summary,
}

impl Visitor for Told {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        self.leaves.push(Kept {
            path: leaf.path.to_owned(),
            bytes: leaf.bytes[..leaf.bytes.len().min(KEPT_BYTES)].to_vec(),
            length: leaf.bytes.len(),
            format: leaf.format,
            role: leaf.place.role,
            offset: leaf.place.offset,
        });
        Flow::Continue(())
    }

    fn oddity(&mut self, oddity: Oddity) {
        self.oddities.push(oddity);
    }

    fn gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }
}

impl Told {
    /// The paths of all leaves.
    pub(crate) fn paths(&self) -> Vec<&str> {
        self.leaves.iter().map(|leaf| leaf.path.as_str()).collect()
    }

    /// Paths and contents of all leaves.
    #[track_caller]
    pub(crate) fn holds(&self, expected: &[(&str, &[u8])]) {
        let found: Vec<(&str, String)> = self
            .leaves
            .iter()
            .map(|l| (l.path.as_str(), String::from_utf8_lossy(&l.bytes).into_owned()))
            .collect();
        let expected: Vec<(&str, String)> = expected
            .iter()
            .map(|(path, bytes)| (*path, String::from_utf8_lossy(bytes).into_owned()))
            .collect();
        assert_eq!(found, expected);
    }

    /// Kinds and paths of all oddities.
    #[track_caller]
    pub(crate) fn is_odd(&self, expected: &[(OddityKind, &str)]) {
        let found: Vec<_> = self.oddities.iter().map(|o| (o.kind, o.path.as_str())).collect();
        assert_eq!(found, expected, "{:#?}", self.oddities);
    }

    /// Kinds and paths of all gaps.
    #[track_caller]
    pub(crate) fn lacks(&self, expected: &[(GapKind, &str)]) {
        let found: Vec<_> = self.gaps.iter().map(|g| (g.kind, g.path.as_str())).collect();
        assert_eq!(found, expected, "{:#?}", self.gaps);
    }
}

/// Unfolds with the default budgets.
pub(crate) fn look(name: &str, bytes: &[u8]) -> Told {
    look_within(name, bytes, &Budgets::default())
}

/// Unfolds within budgets.
pub(crate) fn look_within(name: &str, bytes: &[u8], budgets: &Budgets) -> Told {
    let mut told = Told::default();
    let summary = unfold(name, bytes, budgets, &TemporaryFiles::default(), &mut told);
    told.summary = summary;
    assert_eq!(summary.leaves, told.leaves.len() as u64);
    assert_eq!(summary.gaps, told.gaps.iter().map(|g| g.count).sum::<u64>());
    told
}

/// Bytes that do not compress, the same each time.
pub(crate) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

pub(crate) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn zlib(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) fn crc32(content: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(content);
    crc.sum()
}
