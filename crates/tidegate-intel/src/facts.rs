//! From findings to the facts that policy reads.
//!
//! Severity here is what publishers state: the newest CVSS version's base score, else their word. Exploitation (KEV, EPSS,
//! SSVC) stands beside it. A later rating that weighs both sets `effective_severity` anew; until then it is the stated one.

use std::cmp::Reverse;

use tidegate_model::facts::{
    FactState, Group, MalwareFacts, Severity, Ssvc, Vex, Vulnerability, VulnerabilityFacts,
};
use tidegate_model::severity::cvss::{CvssScores, CvssVersion};

use crate::advisory::AdvisoryKind;
use crate::ecosystem::EcosystemName;
use crate::feeds::FeedKind;
use crate::feeds::openvex::VexStatus;
use crate::matching::{Finding, Findings, Query};
use crate::signals::{CveId, Signal, SsvcSignal};
use crate::snapshot::Snapshot;
use crate::vex::Product;

/// What is known of one version, as facts.
#[derive(Clone, Debug, PartialEq)]
pub struct IntelFacts {
    /// Advisories.
    pub vulnerabilities: Group<VulnerabilityFacts>,
    /// Malware.
    pub malware: Group<MalwareFacts>,
}

impl Snapshot {
    /// The facts of a version. `trusts` says whether policy trusts an author of VEX statements.
    ///
    /// Where no feed speaks of the ecosystem, the groups are `not_scanned`; where a feed's files are damaged, or an
    /// advisory cannot be compared with the version, `error`, with what is known kept as the value. `source` cites the
    /// segments that were consulted, so that a decision can be made again with the same; until when the facts are fresh is
    /// for whoever knows when each feed was last looked at.
    pub fn facts(&self, query: &Query<'_>, findings: &Findings, trusts: &dyn Fn(&str) -> bool) -> IntelFacts {
        let (state, why) = self.state_of_knowledge(query, findings);
        let items: Vec<Vulnerability> =
            findings.items.iter().map(|finding| self.vulnerability(query, finding, trusts)).collect();
        let known = state == FactState::Known || !items.is_empty();
        let malware = malware(findings);
        // The oldest feed of advisories says since when nothing may be missing.
        let feeds = self.feeds().iter().filter(|feed| feed.kind().is_advisories());
        let as_of = feeds.filter_map(|feed| feed.as_of()).min().filter(|_| state != FactState::NotScanned);
        let source = Some(cited(findings)).filter(|_| state != FactState::NotScanned);
        IntelFacts {
            vulnerabilities: Group {
                state,
                as_of,
                fresh_until: findings.changes_at,
                source: source.clone(),
                why: why.clone(),
                value: known.then_some(VulnerabilityFacts { items }),
            },
            malware: Group {
                state,
                as_of,
                fresh_until: findings.changes_at,
                source,
                why,
                value: (known || !malware.reports.is_empty()).then_some(malware),
            },
        }
    }

    fn state_of_knowledge(&self, query: &Query<'_>, findings: &Findings) -> (FactState, Option<String>) {
        let damaged: Vec<&str> =
            self.damaged().iter().filter(|d| d.kind.is_advisories()).map(|d| d.feed.as_str()).collect();
        if !damaged.is_empty() {
            (FactState::Error, Some(format!("the files of feed {} are damaged", damaged.join(", "))))
        } else if !self.covers(query.ecosystem) {
            (FactState::NotScanned, Some(format!("no advisory feed for {} is loaded", query.ecosystem)))
        } else if !findings.undecided.is_empty() {
            let why = format!(
                "it cannot be told whether {} touch this version: versions do not compare",
                findings.undecided.join(", ")
            );
            (FactState::Error, Some(why))
        } else {
            (FactState::Known, None)
        }
    }

    /// One finding as a fact.
    pub fn vulnerability(
        &self,
        query: &Query<'_>,
        finding: &Finding,
        trusts: &dyn Fn(&str) -> bool,
    ) -> Vulnerability {
        let rating = Rating::of(finding);
        let signals = self.exploitation(finding);
        let published = rating.as_ref().map(|r| r.severity).or(finding.label);
        // What a publisher calls severe and nobody scored is as severe as he calls it.
        let effective = published.filter(|_| finding.kind == AdvisoryKind::Vulnerability);
        Vulnerability {
            id: finding.id.clone(),
            aliases: finding.ids.iter().filter(|id| **id != finding.id).cloned().collect(),
            severity: finding.label.or(published),
            effective_severity: effective,
            rated_by: effective.map(|_| if rating.is_some() { "cvss" } else { "publisher" }.into()),
            cvss: rating.as_ref().map(|r| r.vector.clone()),
            cvss_score: rating.as_ref().map(|r| r.score),
            epss: signals.epss,
            kev: signals.kev,
            ssvc: signals.ssvc,
            fix_available: Some(!finding.fixed.is_empty()),
            fixed_in: finding.fixed.clone(),
            vex: self.vex_of(query, finding, trusts),
            withdrawn: false,
            malicious: finding.kind == AdvisoryKind::Malware,
            known_since: Some(finding.known_since),
            // What is held back is the door's to say.
            held: None,
        }
    }

    /// What feeds of signals say of the CVEs of a finding. Known only where such a feed is loaded; a finding without a CVE
    /// has no score, and is on no list of CVEs.
    pub fn exploitation(&self, finding: &Finding) -> Exploited {
        let ids = finding.ids.iter().chain(&finding.upstream);
        let known = ids
            .filter_map(|id| CveId::parse(id))
            .flat_map(|cve| self.signals(cve).into_iter().map(|(_, signal)| signal));
        let mut found = Exploited { kev: self.has(FeedKind::Kev).then_some(false), ..Exploited::default() };
        let mut worst: Option<SsvcSignal> = None;
        for signal in known {
            match signal {
                Signal::Kev(_) => found.kev = Some(true),
                Signal::Epss(epss) => {
                    found.epss = Some(found.epss.map_or(epss.score, |known| known.max(epss.score)));
                }
                Signal::Ssvc(ssvc) => {
                    let worst = worst.get_or_insert_default();
                    worst.exploitation = worst.exploitation.max(ssvc.exploitation);
                    worst.automatable = worst.automatable.max(ssvc.automatable);
                    worst.technical_impact = worst.technical_impact.max(ssvc.technical_impact);
                }
            }
        }
        found.ssvc = worst.map(|points| Ssvc {
            exploitation: points.exploitation.map(|e| e.as_str().to_owned()),
            automatable: points.automatable,
            technical_impact: points.technical_impact.map(|t| t.as_str().to_owned()),
        });
        found
    }

    /// The statement that counts: a trusted one before any other, then the newest.
    fn vex_of(&self, query: &Query<'_>, finding: &Finding, trusts: &dyn Fn(&str) -> bool) -> Option<Vex> {
        let ecosystem = EcosystemName::parse(query.ecosystem);
        let product = Product { ecosystem: &ecosystem.word, name: query.name, version: query.version };
        let statements = self.vex(&finding.ids, &product);
        // Of statements of one time, the one that clears least: trust is not a reason to choose the milder.
        let milder = |status: VexStatus| matches!(status, VexStatus::NotAffected | VexStatus::Fixed);
        let statement = statements
            .into_iter()
            .min_by_key(|s| (!trusts(&s.author), Reverse(s.at), milder(s.status), s.status))?;
        Some(Vex {
            status: statement.status.as_str().to_owned(),
            author: Some(statement.author.clone()),
            trusted: trusts(&statement.author),
        })
    }
}

/// What feeds of signals say of a flaw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exploited {
    /// Whether one of its CVEs is listed as exploited; `None` where no list is loaded.
    pub kev: Option<bool>,
    /// The highest probability of exploitation within 30 days, 0 to 1; `None` where none is known.
    pub epss: Option<f64>,
    /// The worst that was decided about each point; `None` where nothing was.
    pub ssvc: Option<Ssvc>,
}

/// The score that counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// Base score, 0–10.
    pub score: f64,
    /// The word for it.
    pub severity: Severity,
    /// What it was computed from.
    pub vector: String,
}

impl Rating {
    /// The highest base score by the newest version of CVSS that anybody used: where issuers differ, the worse counts.
    pub fn of(finding: &Finding) -> Option<Self> {
        let scored =
            finding.ratings.iter().filter_map(|stated| Some((CvssScores::of(&stated.vector).ok()?, stated)));
        let rank = |version: CvssVersion| match version {
            CvssVersion::V2 => 0,
            // 3.0 and 3.1 differ in wording and rounding, not in meaning.
            CvssVersion::V3_0 | CvssVersion::V3_1 => 1,
            CvssVersion::V4_0 => 2,
        };
        let (scores, stated) = scored
            .max_by_key(|(scores, stated)| (rank(scores.version), scores.base, Reverse(&stated.vector)))?;
        Some(Self {
            score: scores.base.value(),
            severity: scores.base.severity(),
            vector: stated.vector.clone(),
        })
    }
}

fn cited(findings: &Findings) -> String {
    let cite = |segment: &crate::snapshot::SegmentRef| {
        let digest = segment.digest.hex();
        format!("{}@{}", segment.feed, &digest[..12])
    };
    findings.segments.iter().map(cite).collect::<Vec<_>>().join(" ")
}

fn malware(findings: &Findings) -> MalwareFacts {
    let mut reports: Vec<String> = findings
        .items
        .iter()
        .filter(|finding| finding.kind == AdvisoryKind::Malware)
        .map(|finding| finding.id.clone())
        .collect();
    reports.sort();
    let verdict = if reports.is_empty() { "clean" } else { "malicious" };
    MalwareFacts { verdict: verdict.to_owned(), reports, ..MalwareFacts::default() }
}
