//! Scores of CVSS vectors, by the standards of FIRST: "A Complete Guide to the CVSS Version 2.0", and the CVSS 3.0, 3.1 and
//! 4.0 Specification Documents. The arithmetic is the `cvss` crate's.

use std::fmt;

use cvss::v3::metric::Metric as _;
use cvss::v3::metric::temporal::{ExploitCodeMaturity, RemediationLevel, ReportConfidence};
use cvss::{Cvss, v2, v3, v4};

use crate::facts::Severity;

/// The longest vector that is read, in bytes; one with every metric of version 4.0 has less than 300.
pub const MAX_VECTOR_BYTES: usize = 512;

/// Which version of the standard a vector follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum CvssVersion {
    /// CVSS 2.0 (2007), whose vectors do not name their version.
    V2,
    /// CVSS 3.0 (2015).
    V3_0,
    /// CVSS 3.1 (2019).
    V3_1,
    /// CVSS 4.0 (2023).
    V4_0,
}

/// A score from 0.0 to 10.0, to one decimal as the standards have it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Score(u8);

impl Score {
    /// A computed score; the standards have rounded it already.
    fn new(value: f64) -> Self {
        Self((value.clamp(0.0, 10.0) * 10.0).round() as u8)
    }

    /// The score as a number, 0 to 10.
    pub fn value(self) -> f64 {
        f64::from(self.0) / 10.0
    }

    /// The word for it on the qualitative scale of CVSS 3 and 4. Version 2 has no such scale; its scores get the same
    /// words, so that a 10 is critical whoever computed it.
    pub fn severity(self) -> Severity {
        match self.0 {
            0 => Severity::None,
            1..=39 => Severity::Low,
            40..=69 => Severity::Medium,
            70..=89 => Severity::High,
            _ => Severity::Critical,
        }
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.0 / 10, self.0 % 10)
    }
}

impl fmt::Debug for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a vector scores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CvssScores {
    /// The version that it follows.
    pub version: CvssVersion,
    /// From the base metrics alone (4.0: CVSS-B): the severity that publishers print.
    pub base: Score,
    /// With exploitation as known to the vector's author (2 and 3: temporal score; 4.0: CVSS-BT).
    pub threat: Score,
    /// With everything the vector says, its author's environment too (2 and 3: environmental score; 4.0: CVSS-BTE).
    pub full: Score,
}

/// Text that is no CVSS vector of a known version.
#[derive(Debug, thiserror::Error)]
pub enum InvalidVector {
    /// Its metrics do not follow the standard.
    #[error("`{0}` is no CVSS vector")]
    Metrics(String, #[source] cvss::Error),
    /// A base metric is missing; without all of them there is no score.
    #[error("the CVSS vector `{0}` lacks a base metric")]
    Incomplete(String),
    /// Longer than any vector can be.
    #[error("a CVSS vector of {0} bytes is too long (at most {MAX_VECTOR_BYTES})")]
    TooLong(usize),
}

impl CvssScores {
    /// Scores a vector, `CVSS:3.1/AV:N/…`; one without a version, also in parentheses, is of version 2.
    ///
    /// # Errors
    /// If it is no complete vector.
    pub fn of(vector: &str) -> Result<Self, InvalidVector> {
        if vector.len() > MAX_VECTOR_BYTES {
            return Err(InvalidVector::TooLong(vector.len()));
        }
        let vector = vector.trim();
        let vector = vector.strip_prefix('(').and_then(|v| v.strip_suffix(')')).unwrap_or(vector);
        match vector.parse().map_err(|source| InvalidVector::Metrics(vector.to_owned(), source))? {
            Cvss::CvssV20(parsed) => Ok(version_2(&parsed)),
            Cvss::CvssV30(parsed) if is_complete(&parsed) => Ok(version_3(CvssVersion::V3_0, &parsed)),
            Cvss::CvssV31(parsed) if is_complete(&parsed) => Ok(version_3(CvssVersion::V3_1, &parsed)),
            Cvss::CvssV40(parsed) => version_4(vector, &parsed),
            _ => Err(InvalidVector::Incomplete(vector.to_owned())),
        }
    }
}

fn version_2(vector: &v2::Vector) -> CvssScores {
    let threat = Score::new(vector.temporal_score().value());
    // With no environment stated there is no such score; its equation, which bounds the impact, may yield a lower one.
    let states_environment = vector.metrics().any(|(metric, _)| ENVIRONMENT_OF_V2.contains(&metric));
    let full = if states_environment { Score::new(vector.environmental_score().value()) } else { threat };
    CvssScores { version: CvssVersion::V2, base: Score::new(vector.score().value()), threat, full }
}

const ENVIRONMENT_OF_V2: [v2::MetricType; 5] =
    [v2::MetricType::CDP, v2::MetricType::TD, v2::MetricType::CR, v2::MetricType::IR, v2::MetricType::AR];

/// The crate takes a metric of version 3 that is missing for harmless.
fn is_complete(v: &v3::Vector) -> bool {
    v.av.is_some()
        && v.ac.is_some()
        && v.pr.is_some()
        && v.ui.is_some()
        && v.s.is_some()
        && v.c.is_some()
        && v.i.is_some()
        && v.a.is_some()
}

fn version_3(version: CvssVersion, vector: &v3::Vector) -> CvssScores {
    let base = Score::new(vector.base_score().value());
    CvssScores {
        version,
        base,
        threat: temporal_score(version, base, vector),
        full: Score::new(vector.environmental_score().value()),
    }
}

/// The one score that the crate does not have: CVSS 3.0 §8.2, 3.1 §7.2.
fn temporal_score(version: CvssVersion, base: Score, vector: &v3::Vector) -> Score {
    let weights = [
        vector.e.unwrap_or(ExploitCodeMaturity::NotDefined).score(),
        vector.rl.unwrap_or(RemediationLevel::NotDefined).score(),
        vector.rc.unwrap_or(ReportConfidence::NotDefined).score(),
    ];
    // Weights have two decimals, so this is exact: ten-millionths of a point.
    let product =
        weights.iter().fold(u64::from(base.0), |product, weight| product * (weight * 100.0).round() as u64);
    let tenths = match version {
        // Up to the next tenth.
        CvssVersion::V3_0 => product.div_ceil(1_000_000),
        // The same, but what is below five decimals does not count (3.1 §7.4, Appendix A).
        _ => ((product + 50) / 100).div_ceil(10_000),
    };
    // INVARIANT: no weight is above one, so no score is above the base score.
    Score(tenths as u8)
}

/// The metrics of version 4.0 that make CVSS-B; `E` makes it CVSS-BT.
const BASE_METRICS: [&str; 12] = ["CVSS", "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA"];
const THREAT_METRIC: &str = "E";

fn version_4(vector: &str, parsed: &v4::Vector) -> Result<CvssScores, InvalidVector> {
    // A parsed vector keeps its metrics to itself, so those that are to be left out are left out of the text.
    let score = |threat: bool| {
        let counts = |metric: &&str| {
            let name = metric.split(':').next().unwrap_or_default();
            BASE_METRICS.iter().any(|base| base.eq_ignore_ascii_case(name))
                || (threat && name.eq_ignore_ascii_case(THREAT_METRIC))
        };
        let part: Vec<&str> = vector.split('/').filter(counts).collect();
        let parsed: v4::Vector =
            part.join("/").parse().map_err(|source| InvalidVector::Metrics(vector.to_owned(), source))?;
        Ok(Score::new(parsed.score().value()))
    };
    Ok(CvssScores {
        version: CvssVersion::V4_0,
        base: score(false)?,
        threat: score(true)?,
        full: Score::new(parsed.score().value()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(vector: &str, version: CvssVersion, scores: [f64; 3], severity: Severity) {
        let of = CvssScores::of(vector).unwrap();
        assert_eq!((of.version, of.base.severity()), (version, severity), "{vector}");
        assert_eq!([of.base, of.threat, of.full].map(Score::value), scores, "{vector}");
    }

    #[test]
    fn each_version_scores_as_its_standard_shows() {
        use CvssVersion::*;
        // The worked examples of the guide to version 2, §3.3.
        let flags = "E:F/RL:OF/RC:C/CDP:H/TD:H/CR:M/IR:M";
        check(&format!("AV:N/AC:L/Au:N/C:N/I:N/A:C/{flags}/AR:H"), V2, [7.8, 6.4, 9.2], Severity::High);
        check(
            &format!("(AV:N/AC:L/Au:N/C:C/I:C/A:C/{flags}/AR:L)"),
            V2,
            [10.0, 8.3, 9.0],
            Severity::Critical,
        );
        check("AV:L/AC:L/Au:N/C:C/I:C/A:C", V2, [7.2; 3], Severity::High);
        check("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:C/C:L/I:L/A:N", V3_0, [7.2; 3], Severity::High);
        check(
            " CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H/E:U ",
            V3_1,
            [9.8, 9.0, 9.0],
            Severity::Critical,
        );
        check("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:N/A:N", V3_1, [0.0; 3], Severity::None);
        let four = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        check(four, V4_0, [9.3; 3], Severity::Critical);
        check(&format!("{four}/E:U"), V4_0, [9.3, 8.1, 8.1], Severity::Critical);
        check(&format!("{four}/E:U/MAV:L/U:Red"), V4_0, [9.3, 8.1, 6.1], Severity::Critical);
    }

    #[test]
    fn what_is_no_vector_has_no_score() {
        for (text, expected) in [
            ("", "`` is no CVSS vector"),
            ("9.8", "`9.8` is no CVSS vector"),
            ("HIGH", "`HIGH` is no CVSS vector"),
            ("CVSS:3.1/AV:N", "the CVSS vector `CVSS:3.1/AV:N` lacks a base metric"),
            ("CVSS:9.0/AV:N/AC:L", "`CVSS:9.0/AV:N/AC:L` is no CVSS vector"),
            ("CVSS:4.0/AV:N", "`CVSS:4.0/AV:N` is no CVSS vector"),
            ("AV:N/AC:L", "`AV:N/AC:L` is no CVSS vector"),
        ] {
            assert_eq!(CvssScores::of(text).unwrap_err().to_string(), expected);
        }
        let long = "x".repeat(MAX_VECTOR_BYTES + 1);
        assert_eq!(
            CvssScores::of(&long).unwrap_err().to_string(),
            "a CVSS vector of 513 bytes is too long (at most 512)"
        );
    }

    #[test]
    fn the_words_change_where_the_scale_says() {
        for (value, severity) in [
            (0.0, Severity::None),
            (0.1, Severity::Low),
            (3.9, Severity::Low),
            (4.0, Severity::Medium),
            (6.9, Severity::Medium),
            (7.0, Severity::High),
            (8.9, Severity::High),
            (9.0, Severity::Critical),
            (10.0, Severity::Critical),
        ] {
            assert_eq!(Score::new(value).severity(), severity, "{value}");
            assert_eq!(Score::new(value).to_string(), format!("{value:.1}"));
        }
    }
}
