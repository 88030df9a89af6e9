//! Signals about CVEs: known exploitation (KEV), its probability (EPSS), decision points (SSVC).
//!
//! Each feed is one small table, sorted by CVE, in a segment file of its own. A delivery of part of a feed is merged with
//! the table before it, so a table is always whole.

mod table;

use std::fmt;

use tidegate_model::Timestamp;

pub use table::{Cell, SignalTable};
pub(crate) use table::{TableMeta, encode as table_cell, write};

/// A CVE id, ordered by year and number.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CveId(u64);

impl CveId {
    /// Reads `CVE-2021-44228`, in any case.
    pub fn parse(text: &str) -> Option<Self> {
        const NUMBER_BITS: u32 = 44;
        let prefix = text.get(..4)?;
        let (year, number) = text.get(4..)?.split_once('-')?;
        let digits = |t: &str, len: std::ops::RangeInclusive<usize>| {
            len.contains(&t.len()) && t.bytes().all(|b| b.is_ascii_digit())
        };
        if !prefix.eq_ignore_ascii_case("CVE-") || !digits(year, 4..=4) || !digits(number, 4..=13) {
            return None;
        }
        let number: u64 = number.parse().ok()?;
        (number < 1 << NUMBER_BITS).then_some(Self(year.parse::<u64>().ok()? << NUMBER_BITS | number))
    }

    pub(crate) const fn packed(self) -> u64 {
        self.0
    }

    pub(crate) const fn from_packed(packed: u64) -> Self {
        Self(packed)
    }
}

impl fmt::Display for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CVE-{:04}-{:04}", self.0 >> 44, self.0 & ((1 << 44) - 1))
    }
}

impl fmt::Debug for CveId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a table holds of one CVE.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Signal {
    /// Listed as exploited.
    Kev(KevSignal),
    /// Probability of exploitation.
    Epss(EpssSignal),
    /// Decision points.
    Ssvc(SsvcSignal),
}

/// A row of CISA's catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
pub struct KevSignal {
    /// When it was listed.
    pub added: Timestamp,
    /// By when federal agencies must act.
    pub due: Option<Timestamp>,
    /// Whether ransomware campaigns are known to use it.
    pub ransomware: bool,
}

/// An exploit prediction score.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct EpssSignal {
    /// Probability of exploitation within 30 days, 0 to 1.
    pub score: f64,
    /// Share of CVEs with a lower or equal score, 0 to 1.
    pub percentile: f64,
}

/// How far exploitation has come (SSVC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Exploitation {
    /// No evidence.
    None,
    /// A proof of concept is public.
    Poc,
    /// It is being exploited.
    Active,
}

impl Exploitation {
    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Poc => "poc",
            Self::Active => "active",
        }
    }
}

/// What an exploit gains (SSVC).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TechnicalImpact {
    /// Some control or information.
    Partial,
    /// Everything.
    Total,
}

impl TechnicalImpact {
    /// The word in facts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Partial => "partial",
            Self::Total => "total",
        }
    }
}

/// Decision points of CISA; each may be missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SsvcSignal {
    /// How far exploitation has come.
    pub exploitation: Option<Exploitation>,
    /// Whether an attacker can automate the first steps of the kill chain.
    pub automatable: Option<bool>,
    /// What is gained.
    pub technical_impact: Option<TechnicalImpact>,
    /// When it was decided.
    pub at: Option<Timestamp>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cve_id_reads_and_prints_and_sorts_by_number() {
        for text in ["CVE-2021-44228", "CVE-1999-0001", "CVE-2026-1234567"] {
            assert_eq!(CveId::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(CveId::parse("cve-2021-44228"), CveId::parse("CVE-2021-44228"));
        assert!(CveId::parse("CVE-2021-9999") < CveId::parse("CVE-2021-10000"));
        for text in [
            "",
            "CVE-",
            "CVE-21-44228",
            "CVE-2021-1",
            "CVE-2021-4422x",
            "GHSA-2021-44228",
            "CVE-2021-99999999999999",
        ] {
            assert!(CveId::parse(text).is_none(), "{text}");
        }
    }
}
