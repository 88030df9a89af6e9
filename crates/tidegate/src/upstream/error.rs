//! What can go wrong with an upstream, as the pipeline needs to tell it apart.

use std::time::Duration;

use tidegate_model::denial::DenialKind;

/// Why an upstream gave nothing usable. Cloneable, because one fetch may have many waiters.
#[derive(Debug, Clone, thiserror::Error)]
pub enum UpstreamError {
    /// It says the thing does not exist (404, 410, 451).
    #[error("{upstream} has no such thing (HTTP {status})")]
    Absent {
        /// Which upstream.
        upstream: String,
        /// What it answered.
        status: u16,
    },
    /// No connection, or it broke off.
    #[error("{upstream} cannot be reached: {why}")]
    Unreachable {
        /// Which upstream.
        upstream: String,
        /// What the network says.
        why: String,
    },
    /// It did not answer, or not fast enough.
    #[error("{upstream} did not answer in time: {what}")]
    Timeout {
        /// Which upstream.
        upstream: String,
        /// Which wait ended.
        what: &'static str,
    },
    /// It asks us to slow down (429).
    #[error("{upstream} asks to slow down (HTTP 429)")]
    Busy {
        /// Which upstream.
        upstream: String,
        /// How long it asks us to wait.
        retry_after: Duration,
    },
    /// It refused us (401, 403).
    #[error(
        "{upstream} refuses access (HTTP {status}); set token_env or basic_env of this upstream if it needs credentials"
    )]
    Refused {
        /// Which upstream.
        upstream: String,
        /// What it answered.
        status: u16,
    },
    /// It answered with something that cannot be used.
    #[error("{upstream} answered wrongly: {why}")]
    Broken {
        /// Which upstream.
        upstream: String,
        /// What is wrong with the answer.
        why: String,
    },
    /// The bytes are not the promised ones.
    #[error("the bytes from {upstream} are not the promised ones: {why}")]
    Integrity {
        /// Which upstream.
        upstream: String,
        /// Which digests differ.
        why: String,
    },
    /// We may not ask there.
    #[error(
        "`{host}` is not a host that {upstream} may send us to; if it is right, add it to file_hosts of this upstream"
    )]
    ForeignHost {
        /// Which upstream.
        upstream: String,
        /// The host that was not asked.
        host: String,
    },
    /// Our own disk or memory failed while fetching.
    #[error("could not keep what {upstream} sent: {why}")]
    Storage {
        /// Which upstream.
        upstream: String,
        /// What failed.
        why: String,
    },
}

impl UpstreamError {
    /// The kind of refusal a client gets. Only [`UpstreamError::Absent`] becomes 404.
    pub fn denial_kind(&self) -> DenialKind {
        match self {
            Self::Absent { .. } => DenialKind::NotFound,
            Self::Timeout { .. } => DenialKind::UpstreamTimeout,
            Self::Busy { retry_after, .. } => DenialKind::UpstreamBusy {
                retry_after_seconds: u32::try_from(retry_after.as_secs()).unwrap_or(60).clamp(1, 3600),
            },
            Self::Integrity { .. } => DenialKind::Integrity,
            Self::Storage { .. } => DenialKind::CannotRecord,
            Self::Unreachable { .. }
            | Self::Refused { .. }
            | Self::Broken { .. }
            | Self::ForeignHost { .. } => DenialKind::UpstreamBroken,
        }
    }

    /// Whether asking again at once may help.
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. })
    }
}
