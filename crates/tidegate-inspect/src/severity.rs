//! How bad and how sure: the two scales of every finding.

use std::fmt;

/// How bad it is if a finding is what it seems to be, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Little can be done with it.
    Low,
    /// Something can be done with it, within limits.
    Medium,
    /// An account, a service or a machine is open.
    High,
    /// Others are reached through it: packages, infrastructure, money.
    Critical,
}

impl Severity {
    /// Its name in data and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How sure it is that a finding is what it seems to be, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// It may well be something else.
    Low,
    /// It is likely.
    Medium,
    /// Its structure leaves little doubt.
    High,
}

impl Confidence {
    /// Its name in data and on pages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Confidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
