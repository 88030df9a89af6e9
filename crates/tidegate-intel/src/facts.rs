//! From findings to the facts that policy reads.
//!
//! Severity here is what publishers state: the newest CVSS version's base score, else their word. Exploitation (KEV, EPSS)
//! stands beside it. A later rating that weighs both sets `effective_severity` anew; until then it is the stated one.

use std::cmp::Reverse;

use tidegate_model::facts::{
    FactState, Group, MalwareFacts, Severity, Vex, Vulnerability, VulnerabilityFacts,
};
use tidegate_model::severity::CvssScores;

use crate::advisory::{AdvisoryKind, StatedRating};
use crate::ecosystem::EcosystemName;
use crate::feeds::FeedKind;
use crate::feeds::openvex::VexStatus;
use crate::matching::{Finding, Findings, Query};
use crate::signals::{CveId, Signal};
use crate::snapshot::Snapshot;
use crate::vex::Product;

/// Who set the effective severity, as long as it is the stated one.
const RATED_BY: &str = "stated";

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
    /// advisory cannot be compared with the version, `error`, with what is known kept as the value.
    pub fn facts(&self, query: &Query<'_>, findings: &Findings, trusts: &dyn Fn(&str) -> bool) -> IntelFacts {
        let damaged: Vec<&str> =
            self.damaged().iter().filter(|d| d.kind.is_advisories()).map(|d| d.feed.as_str()).collect();
        let (state, why) = if !damaged.is_empty() {
            (FactState::Error, Some(format!("the files of {} are damaged", damaged.join(", "))))
        } else if !self.covers(query.ecosystem) {
            (FactState::NotScanned, Some("no feed that is loaded speaks of the ecosystem".to_owned()))
        } else if !findings.undecided.is_empty() {
            let why = format!("cannot be compared with the versions in {}", findings.undecided.join(", "));
            (FactState::Error, Some(why))
        } else {
            (FactState::Known, None)
        };
        let items: Vec<Vulnerability> =
            findings.items.iter().map(|finding| self.vulnerability(query, finding, trusts)).collect();
        let known = state == FactState::Known || !items.is_empty();
        let malware = malware(findings);
        // The oldest feed of advisories says since when nothing may be missing.
        let advisory_feeds = self.feeds().iter().filter(|feed| feed.kind().is_advisories());
        let as_of = advisory_feeds.clone().filter_map(|feed| feed.as_of()).min();
        let names: Vec<&str> = advisory_feeds.map(|feed| feed.name()).collect();
        let source = Some(names.join(", ")).filter(|names| !names.is_empty());
        IntelFacts {
            vulnerabilities: Group {
                state,
                as_of,
                fresh_until: None,
                source: source.clone(),
                why: why.clone(),
                value: known.then_some(VulnerabilityFacts { items }),
            },
            malware: Group {
                state,
                as_of,
                fresh_until: None,
                source,
                why,
                value: (known || !malware.reports.is_empty()).then_some(malware),
            },
        }
    }

    fn vulnerability(
        &self,
        query: &Query<'_>,
        finding: &Finding,
        trusts: &dyn Fn(&str) -> bool,
    ) -> Vulnerability {
        let signals = self.signals_of(finding);
        let best = best_rating(&finding.ratings);
        let stated = best.as_ref().map(|(_, scores)| scores.base.severity()).or(finding.label);
        let severity = if finding.kind == AdvisoryKind::Malware { Some(Severity::Critical) } else { stated };
        Vulnerability {
            id: finding.id.clone(),
            aliases: finding.ids.iter().filter(|id| **id != finding.id).cloned().collect(),
            severity,
            effective_severity: severity,
            rated_by: severity.map(|_| RATED_BY.to_owned()),
            cvss: best.as_ref().map(|(rating, _)| rating.vector.clone()),
            cvss_score: best.as_ref().map(|(_, scores)| scores.base.value()),
            epss: signals.epss,
            kev: signals.kev,
            fix_available: Some(!finding.fixed.is_empty()),
            fixed_in: finding.fixed.clone(),
            vex: self.vex_of(query, finding, trusts),
            withdrawn: false,
            malicious: finding.kind == AdvisoryKind::Malware,
            known_since: Some(finding.known_since),
        }
    }

    /// Exploitation of any CVE of a finding. Known only where such a feed is loaded; a finding without a CVE has no
    /// score, and is on no list of CVEs.
    fn signals_of(&self, finding: &Finding) -> Signals {
        let mut found = Signals { kev: self.has(FeedKind::Kev).then_some(false), epss: None };
        for cve in finding.ids.iter().filter_map(|id| CveId::parse(id)) {
            for (_, signal) in self.signals(cve) {
                match signal {
                    Signal::Kev(_) => found.kev = Some(true),
                    Signal::Epss(epss) => {
                        found.epss = Some(found.epss.map_or(epss.score, |known| known.max(epss.score)));
                    }
                    Signal::Ssvc(_) => {}
                }
            }
        }
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

struct Signals {
    kev: Option<bool>,
    epss: Option<f64>,
}

/// The rating to show: the newest version of the standard; of several of one version the highest, which decides.
fn best_rating(ratings: &[StatedRating]) -> Option<(&StatedRating, CvssScores)> {
    ratings
        .iter()
        .filter_map(|rating| Some((rating, CvssScores::of(&rating.vector).ok()?)))
        .max_by_key(|(rating, scores)| (scores.version, scores.base, Reverse(&rating.vector)))
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
    MalwareFacts { verdict: verdict.to_owned(), reports }
}
