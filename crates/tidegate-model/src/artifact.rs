//! Artifacts: immutable bytes, known by digest, and the subject a decision is about.

use std::fmt;
use std::sync::Arc;

use crate::{Coordinate, Sha256};

/// What kind of thing an artifact is.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum ArtifactKind {
    /// A language or system package.
    Package,
    /// A container image.
    Image,
    /// An AI model.
    Model,
    /// An editor extension.
    Extension,
    /// An MCP server.
    McpServer,
    /// An archive of no known ecosystem.
    Archive,
    /// A single file.
    File,
}

impl ArtifactKind {
    /// The word used in policies, output and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Package => "package",
            Self::Image => "image",
            Self::Model => "model",
            Self::Extension => "extension",
            Self::McpServer => "mcp_server",
            Self::Archive => "archive",
            Self::File => "file",
        }
    }
}

/// The last part of a path that names a file: never empty, never a way to another directory. In a repository of files it
/// is the path within ([`FileName::parse_path`]), which leads no further up than where it begins.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileName(Arc<str>);

/// Text that cannot be a file name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a file name: {why}", text.escape_debug())]
pub struct InvalidFileName {
    text: String,
    why: &'static str,
}

impl FileName {
    /// The longest file name, in bytes (the limit of common file systems).
    pub const MAX_BYTES: usize = 255;

    /// Reads one path segment, already percent-decoded.
    ///
    /// # Errors
    /// Empty or over-long text, `.` and `..`, separators, control characters and anything outside printable ASCII.
    pub fn parse(text: &str) -> Result<Self, InvalidFileName> {
        let invalid = |why| InvalidFileName { text: text.chars().take(80).collect(), why };
        if text.is_empty() || text == "." || text == ".." {
            return Err(invalid("it names no file"));
        }
        if text.len() > Self::MAX_BYTES {
            return Err(invalid("it is longer than 255 bytes"));
        }
        if text.bytes().any(|b| b == b'/' || b == b'\\' || b == b'%' || !(0x20..0x7f).contains(&b)) {
            return Err(invalid("separators, `%`, control and non-ASCII characters may not stand in it"));
        }
        Ok(Self(text.into()))
    }

    /// Reads a path within a repository of files, `folder/file`, already percent-decoded. Letters of any script may stand in
    /// it.
    ///
    /// # Errors
    /// Empty or over-long text, empty parts, parts that are `.` or `..`, backslashes, `%`, control characters, and those that
    /// change the direction of text.
    pub fn parse_path(text: &str) -> Result<Self, InvalidFileName> {
        let invalid = |why| InvalidFileName { text: text.chars().take(80).collect(), why };
        if text.len() > Self::MAX_PATH_BYTES {
            return Err(invalid("it is longer than 1024 bytes"));
        }
        let mut parts = 0;
        for part in text.split('/') {
            parts += 1;
            if part.is_empty() || part == "." || part == ".." || parts > Self::MAX_PATH_PARTS {
                return Err(invalid("a part of it names no file or folder, or it has more than 32"));
            }
            if part.len() > Self::MAX_BYTES {
                return Err(invalid("a part of it is longer than 255 bytes"));
            }
        }
        let turns = |c: char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
        if text.chars().any(|c| c == '\\' || c == '%' || c.is_control() || turns(c)) {
            return Err(invalid(
                "backslashes, `%`, control characters and marks of direction may not stand in it",
            ));
        }
        Ok(Self(text.into()))
    }

    /// The longest path within a repository of files, in bytes.
    pub const MAX_PATH_BYTES: usize = 1024;
    /// The most parts of such a path.
    pub const MAX_PATH_PARTS: usize = 32;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&*self.0, f)
    }
}

/// What a decision is about: one file, or a group of files that only make sense together.
///
/// A blob of a group is admitted only through a recorded decision on a group that contains it, in that repository; the
/// same blob may be admitted through one group and refused through another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// One file of a package.
    File {
        /// Which package and version.
        coordinate: Coordinate,
        /// Which file of it.
        file: FileName,
        /// Its content.
        sha256: Sha256,
    },
    /// An OCI image (index, manifests, configuration, layers) or the files of one commit of a model.
    Group {
        /// What the group is, for people: a coordinate where the ecosystem has one.
        name: String,
        /// Content digest of the document that names the members (a manifest, a commit's file list).
        root: Sha256,
        /// Content digests of everything the document names.
        members: Arc<[Sha256]>,
    },
}

impl Subject {
    /// The digest the decision is recorded under: the file's own, or the group's root.
    pub const fn digest(&self) -> Sha256 {
        match self {
            Self::File { sha256, .. } => *sha256,
            Self::Group { root, .. } => *root,
        }
    }

    /// Whether a decision on this subject can admit the blob `sha256`.
    pub fn covers(&self, sha256: &Sha256) -> bool {
        match self {
            Self::File { sha256: own, .. } => own == sha256,
            Self::Group { root, members, .. } => root == sha256 || members.contains(sha256),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_lead_nowhere_else() {
        for good in ["x-1.0.0.tgz", "a+b_1.0-py3-none-any.whl", "~x"] {
            assert_eq!(FileName::parse(good).unwrap().as_str(), good);
        }
        for bad in ["", ".", "..", "a/b", "a\\b", "a%2fb", "a\0", "a\n", "ä", &"x".repeat(256)] {
            assert!(FileName::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn paths_lead_no_further_up() {
        let deep = "a/".repeat(32) + "a";
        for good in ["config.json", "onnx/model.onnx", "data/\u{e4}\u{6f22}.bin", ".gitattributes"] {
            assert_eq!(FileName::parse_path(good).unwrap().as_str(), good);
        }
        for bad in
            ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a%2fb", "a\0b", "a\u{202e}b", &deep]
        {
            assert!(FileName::parse_path(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_group_covers_its_members_and_nothing_else() {
        let [root, layer, other] = [1, 2, 3].map(|n| Sha256::new([n; 32]));
        let group = Subject::Group { name: "image".into(), root, members: [layer].into() };
        assert!(group.covers(&root) && group.covers(&layer) && !group.covers(&other));
        assert_eq!(group.digest(), root);
    }
}
