//! The list of segments in force: one small file, replaced as a whole.

use sha2::{Digest as _, Sha256};
use tidegate_model::Timestamp;

use crate::feeds::FeedKind;

/// The version of the list's format.
const FORMAT: u32 = 1;

/// What is in force.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Manifest {
    format: u32,
    pub generation: u64,
    pub feeds: Vec<ManifestFeed>,
}

/// One feed of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct ManifestFeed {
    pub name: String,
    pub kind: FeedKind,
    pub as_of: Option<Timestamp>,
    /// Base first.
    pub files: Vec<String>,
}

impl Manifest {
    pub(super) const fn new(generation: u64, feeds: Vec<ManifestFeed>) -> Self {
        Self { format: FORMAT, generation, feeds }
    }

    /// One line of JSON, one line with its SHA-256.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec(self).expect("a list of files is plain JSON");
        let digest = hex::encode(Sha256::digest(&bytes));
        bytes.push(b'\n');
        bytes.extend_from_slice(digest.as_bytes());
        bytes.push(b'\n');
        bytes
    }

    /// Reads what [`Self::to_bytes`] wrote; says what is wrong otherwise.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, String> {
        let line = bytes.iter().position(|b| *b == b'\n').ok_or("it is cut off")?;
        let (json, rest) = bytes.split_at(line);
        if rest.trim_ascii() != hex::encode(Sha256::digest(json)).as_bytes() {
            return Err("its digest does not fit".to_owned());
        }
        let manifest: Self = serde_json::from_slice(json).map_err(|e| e.to_string())?;
        if manifest.format != FORMAT {
            return Err(format!("it has format {}, this program reads format {FORMAT}", manifest.format));
        }
        let plain = |file: &String| !file.is_empty() && !file.contains(['/', '\\']) && !file.starts_with('.');
        if !manifest.feeds.iter().flat_map(|feed| &feed.files).all(plain) {
            return Err("it names a file outside its folder".to_owned());
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_and_nothing_else() {
        let feed = ManifestFeed {
            name: "osv".into(),
            kind: FeedKind::Osv,
            as_of: None,
            files: vec!["1-0.seg".into()],
        };
        let manifest = Manifest::new(7, vec![feed.clone()]);
        let bytes = manifest.to_bytes();
        assert_eq!(Manifest::parse(&bytes).unwrap(), manifest);
        for at in 0..bytes.len() - 1 {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Manifest::parse(&flipped).is_err(), "a flip at {at} went unseen");
            assert!(Manifest::parse(&bytes[..at]).is_err(), "a cut at {at} went unseen");
        }
        let outside = Manifest::new(7, vec![ManifestFeed { files: vec!["../x".into()], ..feed }]);
        assert!(Manifest::parse(&outside.to_bytes()).unwrap_err().contains("outside"));
    }
}
