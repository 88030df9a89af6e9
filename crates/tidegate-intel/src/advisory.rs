//! An advisory in the form in which it is matched: names normalised, ranges walked, boundaries turned into keys.

use std::collections::BTreeMap;

use tidegate_model::Timestamp;
use tidegate_model::facts::Severity;
use tidegate_model::version::VersionScheme;

use crate::ecosystem::{EcosystemName, normal_name};
use crate::feeds;
use crate::order;
use crate::osv::range::{Bound, Interval, intervals};
use crate::osv::{DatabaseSpecific, Rating, Record, lenient};

/// The longest record that is read, in bytes. The largest in use are a few megabytes.
pub const MAX_RECORD_BYTES: usize = 16 << 20;

/// The longest id or alias, in bytes.
pub const MAX_ID_BYTES: usize = 256;

/// The longest package name in a record, in bytes (Go module paths and Maven coordinates are the long ones).
pub const MAX_NAME_BYTES: usize = 1024;

/// The most aliases and other ids of one kind in a record.
pub const MAX_IDS: usize = 10_000;

/// The most packages in a record. Distribution advisories name thousands.
pub const MAX_AFFECTED: usize = 50_000;

/// The most events and listed versions in a record together.
pub const MAX_VERSIONS: usize = 500_000;

/// What an advisory is about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AdvisoryKind {
    /// A flaw.
    #[default]
    Vulnerability,
    /// Malicious on purpose.
    Malware,
    /// Nobody maintains the package any more (RustSec).
    Unmaintained,
    /// The interface can break memory safety, without a known way to exploit it (RustSec).
    Unsound,
    /// For information (RustSec).
    Notice,
}

impl AdvisoryKind {
    /// Every kind; the place in this list is the code in segments.
    pub const ALL: [Self; 5] =
        [Self::Vulnerability, Self::Malware, Self::Unmaintained, Self::Unsound, Self::Notice];

    /// The word in output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vulnerability => "vulnerability",
            Self::Malware => "malware",
            Self::Unmaintained => "unmaintained",
            Self::Unsound => "unsound",
            Self::Notice => "notice",
        }
    }
}

/// A severity as a publisher states it: which system, and the vector or word.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
pub struct StatedRating {
    /// `CVSS_V2`, `CVSS_V3`, `CVSS_V4` or another system's name.
    pub system: String,
    /// The vector, or the word of the system.
    pub vector: String,
}

/// One compiled advisory, on its way into a segment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Advisory {
    pub(crate) id: String,
    pub(crate) aliases: Vec<String>,
    pub(crate) upstream: Vec<String>,
    /// Milliseconds since 1970; [`i64::MIN`] where the record does not say.
    pub(crate) modified: i64,
    pub(crate) withdrawn: Option<i64>,
    pub(crate) kind: AdvisoryKind,
    /// Whether the publisher's people looked at it, where they say.
    pub(crate) reviewed: Option<bool>,
    pub(crate) label: Option<Severity>,
    pub(crate) ratings: Vec<StatedRating>,
    /// Who reported it, where the record names them: independent sources of a malware report.
    pub(crate) reporters: Vec<String>,
    pub(crate) affected: Vec<AffectedPackage>,
    /// Ranges left out because they speak of events that are not known here.
    pub(crate) ignored_ranges: u32,
}

/// One package of an advisory; entries of the record for the same package are one here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct AffectedPackage {
    pub ecosystem: String,
    pub suffix: String,
    pub name: String,
    pub intervals: Vec<Interval>,
    pub listed: Vec<Bound>,
    /// Something about the package could not be understood, so that "no match" is not known.
    pub not_understood: bool,
    /// The order of its versions.
    pub scheme: Option<VersionScheme>,
}

/// Why a record cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// It is not JSON, or not shaped like an OSV record.
    #[error("not an OSV record: {0}")]
    Shape(String),
    /// It has no usable id.
    #[error("`{0}` is not an advisory id")]
    Id(String),
    /// It exceeds a limit.
    #[error("`{id}` has {found} {what}, more than the {limit} that are read")]
    TooLarge {
        /// Whose.
        id: String,
        /// Of what.
        what: &'static str,
        /// How many there are.
        found: usize,
        /// How many are allowed.
        limit: usize,
    },
}

/// Compiles the JSON text of one OSV record.
pub(crate) fn compile(json: &[u8]) -> Result<Advisory, RecordError> {
    if json.len() > MAX_RECORD_BYTES {
        return Err(too_large("?", "bytes", json.len(), MAX_RECORD_BYTES));
    }
    let record: Record<'_> = serde_json::from_slice(json).map_err(|e| RecordError::Shape(e.to_string()))?;
    check(&record)?;
    let mut advisory = Advisory {
        id: record.id.to_string(),
        aliases: ids(&record.aliases, &record.id),
        upstream: ids(&record.upstream, &record.id),
        modified: time(&record.modified).unwrap_or(i64::MIN),
        // A retraction whose time cannot be read is none: the advisory stays in force.
        withdrawn: record.withdrawn.as_deref().and_then(time),
        ..Advisory::default()
    };
    affected(&record, &mut advisory);
    ratings(&record, &mut advisory);
    feeds::describe(&record, &mut advisory);
    Ok(advisory)
}

fn too_large(id: &str, what: &'static str, found: usize, limit: usize) -> RecordError {
    RecordError::TooLarge { id: id.to_owned(), what, found, limit }
}

/// Whether text can be an id: short, printable, without spaces.
pub(crate) fn is_id(text: &str) -> bool {
    (1..=MAX_ID_BYTES).contains(&text.len()) && text.chars().all(|c| !c.is_whitespace() && !c.is_control())
}

fn check(record: &Record<'_>) -> Result<(), RecordError> {
    if !is_id(&record.id) {
        return Err(RecordError::Id(record.id.chars().take(80).flat_map(char::escape_debug).collect()));
    }
    let versions: usize = record
        .affected
        .iter()
        .map(|a| a.versions.len() + a.ranges.iter().map(|r| r.events.len()).sum::<usize>())
        .sum();
    for (what, found, limit) in [
        ("aliases", record.aliases.len(), MAX_IDS),
        ("upstream ids", record.upstream.len(), MAX_IDS),
        ("packages", record.affected.len(), MAX_AFFECTED),
        ("events and versions", versions, MAX_VERSIONS),
    ] {
        if found > limit {
            return Err(too_large(&record.id, what, found, limit));
        }
    }
    Ok(())
}

/// Ids other than the record's own, each once, in order.
fn ids(given: &[crate::osv::Text<'_>], own: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        given.iter().filter(|id| &***id != own && is_id(id)).map(|id| id.to_string()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn time(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::unix_millis)
}

fn affected(record: &Record<'_>, advisory: &mut Advisory) {
    let mut packages: BTreeMap<(String, String, String), AffectedPackage> = BTreeMap::new();
    for affected in &record.affected {
        let Some(package) = &affected.package else { continue };
        if package.name.is_empty() || package.name.len() > MAX_NAME_BYTES || package.ecosystem.is_empty() {
            continue;
        }
        let ecosystem = EcosystemName::parse(&package.ecosystem);
        let name = normal_name(&ecosystem.word, &package.name).into_owned();
        let word = ecosystem.word.into_owned();
        let suffix = ecosystem.suffix.unwrap_or_default().to_owned();
        let stated = order::of_ecosystem(&package.ecosystem, &word);
        let entry = packages.entry((word, name, suffix)).or_default();
        let semver = affected.ranges.iter().any(|range| range.kind.eq_ignore_ascii_case("SEMVER"));
        entry.scheme = entry.scheme.or(stated).or_else(|| semver.then_some(VersionScheme::Semver));
        let scheme = entry.scheme;
        for range in &affected.ranges {
            let walked = intervals(range, scheme);
            if walked.not_understood && walked.intervals.is_empty() {
                advisory.ignored_ranges += 1;
            }
            entry.not_understood |= walked.not_understood;
            entry.intervals.extend(walked.intervals);
        }
        entry.listed.extend(
            affected.versions.iter().map(|v| Bound { text: v.to_string(), key: order::key(scheme, v) }),
        );
        // A package with nothing said of its versions: the schema matches none of them, and no one can call that clean.
        entry.not_understood |= affected.ranges.is_empty() && affected.versions.is_empty();
    }
    advisory.affected = packages
        .into_iter()
        .map(|((ecosystem, name, suffix), mut package)| {
            package.intervals.sort();
            package.intervals.dedup();
            package.listed.sort_by(|a, b| (&a.key, &a.text).cmp(&(&b.key, &b.text)));
            package.listed.dedup();
            AffectedPackage { ecosystem, suffix, name, ..package }
        })
        .collect();
}

fn ratings(record: &Record<'_>, advisory: &mut Advisory) {
    let stated = std::iter::once(record.severity).chain(record.affected.iter().map(|a| a.severity));
    for rating in stated.filter_map(lenient::<Vec<Rating<'_>>>).flatten() {
        add_rating(advisory, &rating.kind, &rating.score);
    }
    let specific: Option<DatabaseSpecific<'_>> = lenient(record.database_specific);
    advisory.label =
        specific.and_then(|s| lenient::<String>(s.severity)).and_then(|word| severity_word(&word));
}

/// Adds a rating unless it is there already.
pub(crate) fn add_rating(advisory: &mut Advisory, system: &str, vector: &str) {
    const MAX_RATING_BYTES: usize = 512;
    const MAX_RATINGS: usize = 64;
    let rating = StatedRating { system: system.to_owned(), vector: vector.to_owned() };
    let fits = !vector.is_empty() && vector.len() <= MAX_RATING_BYTES && system.len() <= MAX_RATING_BYTES;
    if fits && advisory.ratings.len() < MAX_RATINGS && !advisory.ratings.contains(&rating) {
        advisory.ratings.push(rating);
    }
}

/// The severity that a publisher's word stands for.
pub(crate) fn severity_word(word: &str) -> Option<Severity> {
    Some(match word.to_ascii_lowercase().as_str() {
        "critical" => Severity::Critical,
        "high" | "important" => Severity::High,
        "moderate" | "medium" => Severity::Medium,
        "low" => Severity::Low,
        "none" => Severity::None,
        _ => return None,
    })
}
