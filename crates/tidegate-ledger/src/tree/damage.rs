//! Names for everything that can be wrong with a ledger. They are stable: scripts and alarms use them.

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FailureKind {
    /// A tile does not hold the hashes of the entries below it.
    TileAltered,
    /// A tile is not there.
    TileMissing,
    /// A bundle does not hold the entries that the tiles commit to, or is no bundle.
    BundleAltered,
    /// A bundle is not there.
    BundleMissing,
    /// The row of the newest head does not say what its own signed note says.
    HeadAltered,
    /// A segment of the node's own ledger is not as it was written.
    SegmentAltered,
    /// An entry of the node's own ledger is not the one in the tree.
    EntryAltered,
    /// A number is left out.
    EntryMissing,
    /// A number stands there twice.
    EntryDuplicated,
    /// Entries stand in another order than their numbers.
    EntryReordered,
    /// An entry in the tree is none.
    EntryMalformed,
    /// The ledger ends before its tree does.
    LogTruncated,
    /// The log is smaller than one that was published before.
    LogRolledBack,
    /// Two signed heads of which neither continues the other.
    LogForked,
    /// The tree does not have the root that the checkpoint states.
    RootMismatch,
    /// There is no checkpoint.
    CheckpointMissing,
    /// The checkpoint is no signed note of a checkpoint.
    CheckpointMalformed,
    /// No known key signed the checkpoint, or its signature does not fit.
    CheckpointSignature,
    /// The checkpoint speaks of another log.
    CheckpointOrigin,
    /// The signature of a witness does not fit.
    Cosignature,
    /// Fewer known witnesses cosigned than were asked for.
    CosignatureMissing,
    /// A clock ran back further than tolerated.
    ClockSetBack,
    /// An hourly count does not agree with the entries that it counts.
    CountsMismatch,
    /// Entries that no hourly count speaks of, or that two speak of.
    CountsMissing,
    /// Something could not be read.
    Unreadable,
}

impl FailureKind {
    /// The stable word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TileAltered => "tile_altered",
            Self::TileMissing => "tile_missing",
            Self::BundleAltered => "bundle_altered",
            Self::BundleMissing => "bundle_missing",
            Self::HeadAltered => "head_altered",
            Self::SegmentAltered => "segment_altered",
            Self::EntryAltered => "entry_altered",
            Self::EntryMissing => "entry_missing",
            Self::EntryDuplicated => "entry_duplicated",
            Self::EntryReordered => "entry_reordered",
            Self::EntryMalformed => "entry_malformed",
            Self::LogTruncated => "log_truncated",
            Self::LogRolledBack => "log_rolled_back",
            Self::LogForked => "log_forked",
            Self::RootMismatch => "root_mismatch",
            Self::CheckpointMissing => "checkpoint_missing",
            Self::CheckpointMalformed => "checkpoint_malformed",
            Self::CheckpointSignature => "checkpoint_signature",
            Self::CheckpointOrigin => "checkpoint_origin",
            Self::Cosignature => "cosignature",
            Self::CosignatureMissing => "cosignature_missing",
            Self::ClockSetBack => "clock_set_back",
            Self::CountsMismatch => "counts_mismatch",
            Self::CountsMissing => "counts_missing",
            Self::Unreadable => "unreadable",
        }
    }

    /// What to do about it.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::TileAltered | Self::TileMissing | Self::BundleAltered | Self::BundleMissing => {
                "keep the folder as evidence; tiles and bundles can be put back from a copy or a mirror, and must then verify"
            }
            Self::HeadAltered => {
                "keep the database as evidence and put back a copy whose head is not older than any published checkpoint"
            }
            Self::SegmentAltered | Self::EntryAltered | Self::LogTruncated => {
                "keep the folder as evidence; the tree's bundles hold the entries as they were published"
            }
            Self::EntryMissing | Self::EntryDuplicated | Self::EntryReordered | Self::EntryMalformed => {
                "whoever holds the signing key published this: compare with saved checkpoints and with the node's segments"
            }
            Self::LogRolledBack => {
                "an older copy was put back: find the newest copy; never sign on from here"
            }
            Self::LogForked | Self::RootMismatch => {
                "keep both checkpoints: together they prove that the log was rewritten"
            }
            Self::CheckpointMissing
            | Self::CheckpointMalformed
            | Self::CheckpointSignature
            | Self::CheckpointOrigin => {
                "check that the right log and keys were named; else put back the checkpoint from the head's row or a saved copy"
            }
            Self::Cosignature | Self::CosignatureMissing => {
                "ask the witness for its newest cosignature of this log and compare sizes"
            }
            Self::ClockSetBack => {
                "compare with the clocks of clients; state the tolerance if the clock was mended on purpose"
            }
            Self::CountsMismatch | Self::CountsMissing => {
                "the node counted otherwise than it recorded: compare with its metrics of that hour"
            }
            Self::Unreadable => "see to it that the files can be read, then check again",
        }
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind} at {place}: {what}; {}", kind.remedy())]
pub struct Failure {
    /// What, as a stable word.
    pub kind: FailureKind,
    /// Where: a path, a leaf, a record.
    pub place: String,
    /// What is wrong there.
    pub what: String,
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, place: impl Into<String>, what: impl Into<String>) -> Self {
        Self { kind, place: place.into(), what: what.into() }
    }
}
