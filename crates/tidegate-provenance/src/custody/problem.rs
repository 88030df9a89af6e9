//! What can be wrong with a statement or a chain, each with a stable word.

use tidegate_model::{Sha256, Timestamp};

use crate::signing::KeyId;

use super::LedgerRecord;

/// Why a statement or a chain is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// More bytes than a bundle has, or more bundles than a chain.
    #[error("{0} are more than is read: nobody signs that much about one artifact")]
    TooLarge(String),
    /// The bundle says that it is of another version. Older ones prove less, so none is taken for another.
    #[error("the bundle calls itself `{}`, not `application/vnd.dev.sigstore.bundle.v0.3+json`; statements are made in no other form", .0.escape_debug())]
    MediaType(String),
    /// Not a bundle with a key hint and one signature, or a statement that cannot be read.
    #[error("the statement is not readable: {0}")]
    Malformed(String),
    /// The key is not on the ring.
    #[error("key `{}` is not on the key ring; get the newest edition of the ring, or do not believe it", .0.escape_debug())]
    KeyUnknown(String),
    /// The key is on the ring for something else.
    #[error("key `{0}` is not one that signs statements about artifacts")]
    KeyForOther(KeyId),
    /// The key was revoked.
    #[error("key `{0}` was revoked: somebody else may have signed with it")]
    KeyRevoked(KeyId),
    /// The statement is of a time after the key's period.
    #[error("key `{key}` ended {until}, and the statement is of {time}")]
    KeyExpired {
        /// The key.
        key: KeyId,
        /// When it ended.
        until: Timestamp,
        /// The statement's time.
        time: Timestamp,
    },
    /// The statement is of a time before the key's period.
    #[error("key `{key}` began {from}, and the statement is of {time}: it was backdated")]
    KeyEarly {
        /// The key.
        key: KeyId,
        /// When it began.
        from: Timestamp,
        /// The statement's time.
        time: Timestamp,
    },
    /// The signature does not hold.
    #[error("the signature is not by key `{0}` over these words: the statement was forged or changed")]
    Forged(KeyId),
    /// It says something that we do not state.
    #[error("a statement of type `{}` is not one that tidegate makes", .0.escape_debug())]
    OtherStatement(String),
    /// It is about other bytes.
    #[error("the statement is about another artifact than {0}")]
    OtherArtifact(Sha256),
    /// It is about the same bytes under another name.
    #[error("the statement calls the artifact `{}`, not `{}`", found.escape_debug(), expected.escape_debug())]
    OtherName {
        /// What it says.
        found: String,
        /// What was wanted.
        expected: String,
    },
    /// Another deployment made it.
    #[error("the statement is by `{}`, not by the deployment whose keys these are", .0.escape_debug())]
    OtherDeployment(String),
    /// It is of a time that has not come.
    #[error("the statement is of {time}, which is after {at}")]
    FromTheFuture {
        /// The statement's time.
        time: Timestamp,
        /// The time of the check.
        at: Timestamp,
    },
    /// Another policy was in force.
    #[error("the statement claims policy {claimed}, and {in_force} was in force: an old policy was replayed")]
    PolicyReplayed {
        /// The policy that it names.
        claimed: Sha256,
        /// The policy that was in force.
        in_force: Sha256,
    },
    /// The history does not reach the statement.
    #[error("the policy history says nothing of {0}: export it from the ledger up to then")]
    PolicyUnknown(Timestamp),
    /// What it says comes before it is not there, or it goes back in time.
    #[error("the chain is broken: {0}")]
    ChainBroken(String),
    /// Two statements name the same one before them.
    #[error("the chain forks: two records claim to follow {0}")]
    ChainForked(String),
    /// The ledger tells of an event that no statement does.
    #[error(
        "the ledger's record `{0}` is about this artifact, and no statement tells of it: one was withheld"
    )]
    ChainIncomplete(LedgerRecord),
    /// A summary that no custody record names.
    #[error("no custody record names this {0}: it belongs to no event of the chain")]
    NotInChain(String),
}

impl Problem {
    /// The stable word for it.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::TooLarge(_) => "custody_too_large",
            Self::MediaType(_) => "custody_media_type",
            Self::Malformed(_) => "custody_malformed",
            Self::KeyUnknown(_) => "custody_key_unknown",
            Self::KeyForOther(_) => "custody_key_for_other",
            Self::KeyRevoked(_) => "custody_key_revoked",
            Self::KeyExpired { .. } => "custody_key_expired",
            Self::KeyEarly { .. } => "custody_key_early",
            Self::Forged(_) => "custody_forged",
            Self::OtherStatement(_) => "custody_other_statement",
            Self::OtherArtifact(_) => "custody_other_artifact",
            Self::OtherName { .. } => "custody_other_name",
            Self::OtherDeployment(_) => "custody_other_deployment",
            Self::FromTheFuture { .. } => "custody_from_the_future",
            Self::PolicyReplayed { .. } => "custody_policy_replayed",
            Self::PolicyUnknown(_) => "custody_policy_unknown",
            Self::ChainBroken(_) => "custody_chain_broken",
            Self::ChainForked(_) => "custody_chain_forked",
            Self::ChainIncomplete(_) => "custody_chain_incomplete",
            Self::NotInChain(_) => "custody_not_in_chain",
        }
    }
}
