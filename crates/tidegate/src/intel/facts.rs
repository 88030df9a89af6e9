//! From what feeds say to the facts that policy reads.

use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use tidegate_intel::matching::Package;
use tidegate_intel::signals::{CveId, Signal};
use tidegate_intel::vex::Product;
use tidegate_intel::{AdvisoryKind, FeedKind, Finding, Findings, Query};
use tidegate_model::facts::{
    FactState, Group, MalwareFacts, Severity, Vex, Vulnerability, VulnerabilityFacts,
};
use tidegate_model::severity::cvss::{CvssScores, CvssVersion};
use tidegate_model::{Ecosystem, PackageName, Timestamp};

use super::Advisories;

/// Which version is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Its ecosystem.
    pub ecosystem: Ecosystem,
    /// Name of the package.
    pub name: &'a str,
    /// The version as published.
    pub version: &'a str,
    /// When.
    pub now: Timestamp,
}

/// The same of any ecosystem that advisories speak of, whether or not there is a door for it.
#[derive(Clone, Copy, Debug)]
pub struct Named<'a> {
    /// The ecosystem: OSV's name of it, or ours.
    pub ecosystem: &'a str,
    /// Name of the package.
    pub name: &'a str,
    /// The version as published.
    pub version: &'a str,
    /// When.
    pub now: Timestamp,
}

impl<'a> From<&Asked<'a>> for Named<'a> {
    fn from(asked: &Asked<'a>) -> Self {
        Self { ecosystem: asked.ecosystem.as_str(), name: asked.name, version: asked.version, now: asked.now }
    }
}

/// What is known of a version: advisories, and reports of malice among them.
pub type Known = (Group<VulnerabilityFacts>, Group<MalwareFacts>);

/// What is known of the versions of one package. Its advisories are read once, and each version is looked up once: an
/// index may list thousands of files, and a package may have hundreds of advisories.
pub struct KnownVersions<'a> {
    advisories: &'a Advisories,
    name: &'a PackageName,
    now: Timestamp,
    package: OnceCell<Package<'a>>,
    versions: RefCell<HashMap<String, Rc<Known>>>,
}

impl<'a> KnownVersions<'a> {
    /// Nothing is looked up yet.
    pub fn new(advisories: &'a Advisories, name: &'a PackageName, now: Timestamp) -> Self {
        Self { advisories, name, now, package: OnceCell::new(), versions: RefCell::default() }
    }

    /// What is known of a version, as published.
    pub fn of(&self, version: &str) -> Rc<Known> {
        if let Some(known) = self.versions.borrow().get(version) {
            return Rc::clone(known);
        }
        let asked =
            Asked { ecosystem: self.name.ecosystem(), name: self.name.as_str(), version, now: self.now };
        let package = self
            .package
            .get_or_init(|| self.advisories.snapshot.package(asked.ecosystem.as_str(), asked.name, self.now));
        let known = Rc::new(known(self.advisories, &Named::from(&asked), &package.matches(version)));
        self.versions.borrow_mut().insert(version.to_owned(), Rc::clone(&known));
        known
    }
}

impl std::fmt::Debug for KnownVersions<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KnownVersions({})", self.name)
    }
}

/// What findings on a version come to; a gap where no feed speaks of its ecosystem.
pub fn known(advisories: &Advisories, asked: &Named<'_>, findings: &Findings) -> Known {
    if !advisories.snapshot.covers(asked.ecosystem) {
        let why = format!("no advisory feed for {} is loaded", asked.ecosystem);
        return (Group::gap(FactState::NotScanned, &why), Group::gap(FactState::NotScanned, why));
    }
    let malware = malware(advisories, findings);
    let items = findings.items.iter().map(|finding| vulnerability_of(advisories, asked, finding)).collect();
    let mut group = Group { value: Some(VulnerabilityFacts { items }), ..envelope(advisories, findings) };
    if !findings.undecided.is_empty() {
        group.state = FactState::Error;
        group.why = Some(format!(
            "it cannot be told whether {} touch this version: versions do not compare",
            findings.undecided.join(", ")
        ));
    }
    (group, malware)
}

/// What feeds say of a version.
pub fn findings(advisories: &Advisories, asked: &Asked<'_>) -> Findings {
    advisories.snapshot.matches(&Query {
        ecosystem: asked.ecosystem.as_str(),
        name: asked.name,
        version: asked.version,
        now: asked.now,
    })
}

/// Known since the oldest feed's time, until that is too old or a retraction that was announced comes into force.
fn envelope<T>(advisories: &Advisories, findings: &Findings) -> Group<T> {
    Group {
        state: FactState::Known,
        as_of: advisories.as_of(),
        fresh_until: advisories.fresh_until().into_iter().chain(findings.changes_at).min(),
        source: Some(sources(findings)),
        why: None,
        value: None,
    }
}

/// The segments that were consulted, so that a decision can be made again with the same.
fn sources(findings: &Findings) -> String {
    let cite = |segment: &tidegate_intel::SegmentRef| {
        let digest = segment.digest.hex();
        format!("{}@{}", segment.feed, &digest[..12])
    };
    findings.segments.iter().map(cite).collect::<Vec<_>>().join(" ")
}

fn malware(advisories: &Advisories, findings: &Findings) -> Group<MalwareFacts> {
    let reports: Vec<String> =
        findings.items.iter().filter(|f| f.kind == AdvisoryKind::Malware).map(|f| f.id.clone()).collect();
    let verdict = if reports.is_empty() { "clean" } else { "malicious" };
    Group { value: Some(MalwareFacts { verdict: verdict.into(), reports }), ..envelope(advisories, findings) }
}

/// One finding as a fact.
pub fn vulnerability(advisories: &Advisories, asked: &Asked<'_>, finding: &Finding) -> Vulnerability {
    vulnerability_of(advisories, &Named::from(asked), finding)
}

/// As [`vulnerability`], for any ecosystem.
pub fn vulnerability_of(advisories: &Advisories, asked: &Named<'_>, finding: &Finding) -> Vulnerability {
    let rating = rating(finding);
    let signals = Signals::of(advisories, finding);
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
        fix_available: Some(!finding.fixed.is_empty()),
        fixed_in: finding.fixed.clone(),
        vex: vex(advisories, asked, finding),
        withdrawn: false,
        malicious: finding.kind == AdvisoryKind::Malware,
        known_since: Some(finding.known_since),
    }
}

/// The score that counts.
pub struct Rating {
    /// Base score, 0–10.
    pub score: f64,
    /// The word for it.
    pub severity: Severity,
    /// What it was computed from.
    pub vector: String,
}

/// The highest base score by the newest version of CVSS that anybody used: where issuers differ, the worse counts.
pub fn rating(finding: &Finding) -> Option<Rating> {
    let scored =
        finding.ratings.iter().filter_map(|stated| Some((CvssScores::of(&stated.vector).ok()?, stated)));
    let rank = |version: CvssVersion| match version {
        CvssVersion::V2 => 0,
        // 3.0 and 3.1 differ in wording and rounding, not in meaning.
        CvssVersion::V3_0 | CvssVersion::V3_1 => 1,
        CvssVersion::V4_0 => 2,
    };
    let (scores, stated) = scored.max_by_key(|(scores, _)| (rank(scores.version), scores.base))?;
    Some(Rating {
        score: scores.base.value(),
        severity: scores.base.severity(),
        vector: stated.vector.clone(),
    })
}

/// What feeds of signals say of the CVEs of a finding.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signals {
    /// Whether one is listed as exploited; `None` where no list is loaded.
    pub kev: Option<bool>,
    /// The highest probability of exploitation; `None` where none is known.
    pub epss: Option<f64>,
}

impl Signals {
    /// Looks them up.
    pub fn of(advisories: &Advisories, finding: &Finding) -> Self {
        let ids = finding.ids.iter().chain(&finding.upstream);
        let known = ids
            .filter_map(|id| CveId::parse(id))
            .flat_map(|cve| advisories.snapshot.signals(cve).into_iter().map(|(_, signal)| signal));
        let mut signals = Self { kev: advisories.has(FeedKind::Kev).then_some(false), epss: None };
        for signal in known {
            match signal {
                Signal::Kev(_) => signals.kev = Some(true),
                Signal::Epss(epss) => {
                    signals.epss = Some(signals.epss.map_or(epss.score, |e| e.max(epss.score)))
                }
                Signal::Ssvc(_) => {}
            }
        }
        signals
    }
}

/// The newest VEX statement, of a trusted author where there is one.
fn vex(advisories: &Advisories, asked: &Named<'_>, finding: &Finding) -> Option<Vex> {
    let product = Product { ecosystem: asked.ecosystem, name: asked.name, version: asked.version };
    let statements = advisories.snapshot.vex(&finding.ids, &product);
    let is_trusted = |author: &str| advisories.trusted_vex.iter().any(|trusted| trusted == author);
    let statement =
        statements.iter().find(|statement| is_trusted(&statement.author)).or_else(|| statements.first())?;
    Some(Vex {
        status: statement.status.as_str().into(),
        author: Some(statement.author.clone()),
        trusted: is_trusted(&statement.author),
    })
}
