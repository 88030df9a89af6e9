//! Names of nodes and of single entries.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// The node that wrote an entry: 1 to 32 characters of `a-z`, `0-9` and `-`, beginning with a letter or digit.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(Arc<str>);

/// Text that is not a node name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a node name: expected 1 to 32 characters of a-z, 0-9 and `-`", text.escape_debug())]
pub struct InvalidNodeId {
    text: String,
}

impl NodeId {
    /// The longest node name, in bytes.
    pub const MAX_BYTES: usize = 32;

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for NodeId {
    type Err = InvalidNodeId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let fits = (1..=Self::MAX_BYTES).contains(&text.len())
            && !text.starts_with('-')
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !fits {
            return Err(InvalidNodeId { text: text.chars().take(40).collect() });
        }
        Ok(Self(text.into()))
    }
}

impl fmt::Display for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> serde::Deserialize<'de> for NodeId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Names one entry for everybody: `<node>-<seq>`, the value of `X-Tidegate-Record`.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordId {
    /// Which node wrote it.
    pub node: NodeId,
    /// Its number there, from 1.
    pub seq: u64,
}

/// Text that does not name an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{}` does not name a record: expected `<node>-<number>`", text.escape_debug())]
pub struct InvalidRecordId {
    text: String,
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.node, self.seq)
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = InvalidRecordId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let invalid = || InvalidRecordId { text: text.chars().take(60).collect() };
        let (node, seq) = text.rsplit_once('-').ok_or_else(invalid)?;
        if !seq.bytes().all(|b| b.is_ascii_digit()) || seq.starts_with('0') {
            return Err(invalid());
        }
        let seq = seq.parse().map_err(|_| invalid())?;
        Ok(Self { node: node.parse().map_err(|_| invalid())?, seq })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn record_ids_round_trip_even_with_dashes_in_the_node() {
        for text in ["n1-1", "eu-west-2-18446744073709551615"] {
            assert_eq!(text.parse::<RecordId>().unwrap().to_string(), text);
        }
        for text in ["", "n1", "n1-", "n1-01", "n1-0", "n1-+1", "N1-1", "-1", "n1-18446744073709551616"] {
            assert!(text.parse::<RecordId>().is_err(), "{text}");
        }
        assert!("a".repeat(33).parse::<NodeId>().is_err());
    }
}
