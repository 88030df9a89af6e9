//! A compiled advisory as bytes, for sorting more of them than memory holds. These bytes never outlive the process that
//! wrote them, so they carry no version and are trusted.
//!
//! ```text
//! u32 length of id, id · i64 modified · i64 withdrawn · digest · u32 length of the text, text · the compiled rest
//! ```

use tidegate_model::facts::Severity;

use crate::advisory::{Advisory, AdvisoryKind, AffectedPackage, StatedRating};
use crate::order;
use crate::osv::range::{Bound, Interval};
use crate::segment::{Entry, RecordDigest};

/// Writes an advisory, its text and the digest of that at the end of `out`.
pub(super) fn encode(out: &mut Vec<u8>, advisory: &Advisory, digest: &RecordDigest, json: &[u8]) {
    bytes(out, advisory.id.as_bytes());
    out.extend_from_slice(&advisory.modified.to_le_bytes());
    out.extend_from_slice(&advisory.withdrawn.unwrap_or(i64::MIN).to_le_bytes());
    out.extend_from_slice(digest);
    bytes(out, json);
    for list in [&advisory.aliases, &advisory.upstream, &advisory.reporters] {
        count(out, list.len());
        list.iter().for_each(|item| bytes(out, item.as_bytes()));
    }
    let kind = AdvisoryKind::ALL.iter().position(|kind| *kind == advisory.kind).unwrap_or_default();
    let reviewed = advisory.reviewed.map_or(0, |reviewed| 1 + u8::from(reviewed));
    let label = advisory.label.map_or(0, |label| label as u8 + 1);
    out.extend_from_slice(&[u8::try_from(kind).unwrap_or_default(), reviewed, label]);
    count(out, advisory.ratings.len());
    for rating in &advisory.ratings {
        bytes(out, rating.system.as_bytes());
        bytes(out, rating.vector.as_bytes());
    }
    out.extend_from_slice(&advisory.ignored_ranges.to_le_bytes());
    count(out, advisory.affected.len());
    advisory.affected.iter().for_each(|package| affected(out, package));
}

fn affected(out: &mut Vec<u8>, package: &AffectedPackage) {
    for text in [&package.ecosystem, &package.suffix, &package.name] {
        bytes(out, text.as_bytes());
    }
    out.extend_from_slice(&[u8::from(package.not_understood), order::code(package.scheme)]);
    count(out, package.intervals.len());
    for interval in &package.intervals {
        let bit = |value: bool, place: u8| u8::from(value) << place;
        out.push(
            bit(interval.upper_inclusive, 0)
                | bit(interval.upper_is_fix, 1)
                | bit(interval.lower.is_some(), 2)
                | bit(interval.upper.is_some(), 3),
        );
        interval.lower.iter().chain(&interval.upper).for_each(|end| bound(out, end));
    }
    count(out, package.listed.len());
    package.listed.iter().for_each(|version| bound(out, version));
}

fn bound(out: &mut Vec<u8>, bound: &Bound) {
    bytes(out, bound.text.as_bytes());
    out.push(u8::from(bound.key.is_some()));
    if let Some(key) = &bound.key {
        bytes(out, key);
    }
}

fn count(out: &mut Vec<u8>, count: usize) {
    let count = u32::try_from(count).expect("INVARIANT: a record has far fewer of anything");
    out.extend_from_slice(&count.to_le_bytes());
}

fn bytes(out: &mut Vec<u8>, text: &[u8]) {
    count(out, text.len());
    out.extend_from_slice(text);
}

/// Severity words by code; the code is one more than their rank.
const LABELS: [Option<Severity>; 6] = [
    None,
    Some(Severity::None),
    Some(Severity::Low),
    Some(Severity::Medium),
    Some(Severity::High),
    Some(Severity::Critical),
];

/// What sorting and comparing need of an advisory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    pub id: &'a str,
    pub modified: i64,
    pub withdrawn: Option<i64>,
    pub digest: RecordDigest,
    /// The record as delivered.
    pub json: &'a [u8],
}

/// An advisory as bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredEntry<'a>(pub &'a [u8]);

impl<'a> StoredEntry<'a> {
    fn split(self) -> (Head<'a>, Reader<'a>) {
        let mut from = Reader(self.0);
        let id = from.text();
        let modified = from.i64();
        let withdrawn = Some(from.i64()).filter(|time| *time != i64::MIN);
        let digest = from.take(16).try_into().expect("sixteen bytes");
        let json = from.bytes();
        (Head { id, modified, withdrawn, digest, json }, from)
    }

    pub(crate) fn head(self) -> Head<'a> {
        self.split().0
    }

    /// The advisory, compiled as it was.
    pub(crate) fn entry(self) -> Entry {
        let (head, mut from) = self.split();
        let mut list = || (0..from.count()).map(|_| from.text().to_owned()).collect::<Vec<_>>();
        let (aliases, upstream, reporters) = (list(), list(), list());
        let [kind, reviewed, label] = from.take(3).try_into().expect("three bytes");
        let ratings = (0..from.count())
            .map(|_| StatedRating { system: from.text().to_owned(), vector: from.text().to_owned() })
            .collect();
        let ignored_ranges = from.u32();
        let affected = (0..from.count()).map(|_| from.affected()).collect();
        let advisory = Advisory {
            id: head.id.to_owned(),
            aliases,
            upstream,
            modified: head.modified,
            withdrawn: head.withdrawn,
            kind: AdvisoryKind::ALL[usize::from(kind)],
            reviewed: [None, Some(false), Some(true)][usize::from(reviewed)],
            label: LABELS[usize::from(label)],
            ratings,
            reporters,
            affected,
            ignored_ranges,
        };
        Entry { advisory, json: head.json.to_vec(), digest: head.digest, known_since: i64::MIN }
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) =
            self.0.split_at_checked(len).expect("INVARIANT: this process wrote the entry itself");
        self.0 = rest;
        taken
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.take(4).try_into().expect("four bytes"))
    }

    fn i64(&mut self) -> i64 {
        i64::from_le_bytes(self.take(8).try_into().expect("eight bytes"))
    }

    fn count(&mut self) -> usize {
        self.u32() as usize
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = self.count();
        self.take(len)
    }

    fn text(&mut self) -> &'a str {
        std::str::from_utf8(self.bytes()).expect("INVARIANT: this process wrote text")
    }

    fn affected(&mut self) -> AffectedPackage {
        let [ecosystem, suffix, name] = [(); 3].map(|()| self.text().to_owned());
        let [not_understood, scheme] = self.take(2).try_into().expect("two bytes");
        let intervals = (0..self.count()).map(|_| self.interval()).collect();
        let listed = (0..self.count()).map(|_| self.bound()).collect();
        let scheme = order::scheme(scheme);
        AffectedPackage {
            ecosystem,
            suffix,
            name,
            intervals,
            listed,
            not_understood: not_understood == 1,
            scheme,
        }
    }

    fn interval(&mut self) -> Interval {
        let flags = self.take(1)[0];
        Interval {
            lower: (flags & 4 != 0).then(|| self.bound()),
            upper: (flags & 8 != 0).then(|| self.bound()),
            upper_inclusive: flags & 1 != 0,
            upper_is_fix: flags & 2 != 0,
        }
    }

    fn bound(&mut self) -> Bound {
        let text = self.text().to_owned();
        let has_key = self.take(1)[0] == 1;
        Bound { text, key: has_key.then(|| self.bytes().to_vec()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::advisory::compile;

    #[test]
    fn an_advisory_comes_back_as_it_was() {
        let record = br#"{"id":"MAL-1","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z",
            "aliases":["CVE-2026-0001","GHSA-a"],"upstream":["U-1"],
            "severity":[{"type":"CVSS_V3","score":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}],
            "database_specific":{"severity":"CRITICAL","github_reviewed":true,"sources":["x","y"]},
            "affected":[{"package":{"ecosystem":"PyPI","name":"P_q"},"versions":["1.0","odd version","2.0"],
                "ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"0"},{"fixed":"1.5"},{"introduced":"2"},{"last_affected":"3"}]}]},
              {"package":{"ecosystem":"Debian:12","name":"p"},"ranges":[{"type":"ECOSYSTEM","events":[{"introduced":"1"}]}]},
              {"package":{"ecosystem":"npm","name":"n"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"},{"gone":"1"}]}]}]}"#;
        let advisory = compile(record).unwrap();
        assert!(advisory.affected.len() == 3 && advisory.withdrawn.is_some() && advisory.ignored_ranges == 1);
        for severity in [None, Some(Severity::None), Some(Severity::Critical)] {
            let advisory = Advisory { label: severity, ..advisory.clone() };
            let mut bytes = Vec::new();
            encode(&mut bytes, &advisory, &[7; 16], record);
            let entry = StoredEntry(&bytes).entry();
            assert_eq!(entry.advisory, advisory);
            assert_eq!((entry.json.as_slice(), entry.digest), (record.as_slice(), [7; 16]));
            let head = StoredEntry(&bytes).head();
            assert_eq!(
                (head.id, head.withdrawn, head.json),
                ("MAL-1", advisory.withdrawn, record.as_slice())
            );
        }
    }
}
