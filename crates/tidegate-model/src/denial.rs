//! A refusal, before any ecosystem has put it into its own words.

use crate::{Action, DecisionId, Timestamp};

/// Why a request is refused. One value; each ecosystem renders it so that its clients show it.
#[derive(Clone, Debug)]
pub struct Denial {
    /// What kind of refusal, which sets the status code.
    pub kind: DenialKind,
    /// One sentence without line breaks: what is refused, by which rule, why, and what to do.
    pub reason: String,
    /// More lines: every rule, the newest compliant version, how to ask for a waiver.
    pub detail: String,
    /// The decision behind it, where one was made.
    pub decision: Option<DecisionId>,
    /// Page that explains the refusal, absolute.
    pub help: Option<String>,
}

/// What kind of refusal it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DenialKind {
    /// Policy says block or quarantine: 403.
    Policy {
        /// Which of the two.
        action: Action,
        /// From when it may be had, where that is known.
        until: Option<Timestamp>,
    },
    /// The bytes are not what was promised or first seen: 403, and an alarm.
    Integrity,
    /// No route of the ecosystem has this shape: 403.
    UnknownRoute,
    /// The path is malformed: 400.
    BadRequest,
    /// Upstream has no such thing: 404.
    NotFound,
    /// The package is there, the version or revision that was asked for is not: 404.
    NoSuchVersion,
    /// The version is there, the file that was asked for is not: 404.
    NoSuchFile,
    /// Upstream does not offer this service, and neither do we: 404.
    NotOffered,
    /// A service that must not look empty is not there: 503.
    Unavailable,
    /// The work is still going on: 503 with `Retry-After`.
    Pending {
        /// Seconds after which asking again makes sense.
        retry_after_seconds: u32,
    },
    /// Upstream answered wrongly: 502.
    UpstreamBroken,
    /// Upstream did not answer in time: 504.
    UpstreamTimeout,
    /// Upstream asks us to slow down: 503 with `Retry-After`.
    UpstreamBusy {
        /// Seconds after which asking again makes sense.
        retry_after_seconds: u32,
    },
    /// We cannot keep a record, so we serve nothing: 503.
    CannotRecord,
    /// Credentials are missing or wrong: 401.
    Unauthenticated,
}

impl DenialKind {
    /// The HTTP status of the refusal (specs: 403 for policy; an upstream failure never becomes 404).
    pub const fn status(self) -> u16 {
        match self {
            Self::Policy { .. } | Self::Integrity | Self::UnknownRoute => 403,
            Self::BadRequest => 400,
            Self::NotFound | Self::NoSuchVersion | Self::NoSuchFile | Self::NotOffered => 404,
            Self::Unavailable | Self::Pending { .. } | Self::UpstreamBusy { .. } | Self::CannotRecord => 503,
            Self::UpstreamBroken => 502,
            Self::UpstreamTimeout => 504,
            Self::Unauthenticated => 401,
        }
    }

    /// A stable code for machines.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Policy { action: Action::Block, .. } => "policy_block",
            Self::Policy { .. } => "policy_quarantine",
            Self::Integrity => "integrity",
            Self::UnknownRoute => "unknown_route",
            Self::BadRequest => "bad_request",
            Self::NotFound => "not_found",
            Self::NoSuchVersion => "no_such_version",
            Self::NoSuchFile => "no_such_file",
            Self::NotOffered => "not_offered",
            Self::Unavailable => "unavailable",
            Self::Pending { .. } => "pending",
            Self::UpstreamBroken => "upstream_broken",
            Self::UpstreamTimeout => "upstream_timeout",
            Self::UpstreamBusy { .. } => "upstream_busy",
            Self::CannotRecord => "cannot_record",
            Self::Unauthenticated => "unauthenticated",
        }
    }

    /// `Retry-After` in seconds, where waiting helps.
    pub const fn retry_after(self) -> Option<u32> {
        match self {
            Self::Pending { retry_after_seconds } | Self::UpstreamBusy { retry_after_seconds } => {
                Some(retry_after_seconds)
            }
            Self::CannotRecord => Some(5),
            _ => None,
        }
    }
}

impl Denial {
    /// The longest reason phrase that is sent, in bytes.
    pub const MAX_PHRASE_BYTES: usize = 160;

    /// The HTTP/1.1 reason phrase: [`Denial::reason`] as printable ASCII on one line, cut at a word where too long.
    pub fn phrase(&self) -> String {
        let mut phrase: String = self
            .reason
            .chars()
            .map(|c| {
                if c.is_ascii_graphic() || c == ' ' {
                    c
                } else if c.is_whitespace() {
                    ' '
                } else {
                    '?'
                }
            })
            .collect();
        if phrase.len() > Self::MAX_PHRASE_BYTES {
            let cut = phrase[..Self::MAX_PHRASE_BYTES - 3].rfind(' ').unwrap_or(Self::MAX_PHRASE_BYTES - 3);
            phrase.truncate(cut);
            phrase.push_str("...");
        }
        phrase
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phrase_is_one_short_line_of_ascii() {
        let denial = Denial {
            kind: DenialKind::UnknownRoute,
            reason: format!("blockéd\r\nX-Evil: 1 {}", "word ".repeat(60)),
            detail: String::new(),
            decision: None,
            help: None,
        };
        let phrase = denial.phrase();
        assert!(
            phrase.len() <= Denial::MAX_PHRASE_BYTES && phrase.bytes().all(|b| (0x20..0x7f).contains(&b)),
            "{phrase}"
        );
        assert!(phrase.starts_with("block?d  X-Evil"), "{phrase}");
    }
}
