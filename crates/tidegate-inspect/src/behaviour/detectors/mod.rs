//! The detectors of behaviour: one file each, over the facts of a package.
//!
//! The head of each file is the detector's page. Severity says how bad it is if it is true; where ordinary packages give the same
//! facts, a detector says so by a low severity, and only a combination weighs. Code that only tests and examples run is never more
//! than low. Nothing is excused by its name.

mod agent_abuse;
mod agent_poison;
mod bin_drop;
mod bin_undeclared;
mod c2_channel;
mod c2_deaddrop;
mod data_code;
mod dep_url;
mod destruct;
mod diff_capability;
mod evade;
mod eval_decoded;
mod eval_remote;
mod eval_unicode;
mod exfil_browser;
mod exfil_clipboard;
mod exfil_cred_file;
mod exfil_dns;
mod exfil_env_all;
mod exfil_env_secret;
mod exfil_git_host;
mod exfil_imds;
mod exfil_messenger;
mod exfil_tap;
mod inst_backend_intree;
mod inst_build_rs;
mod inst_detached;
mod inst_env_net;
mod inst_gyp_subst;
mod inst_hook;
mod inst_inline_eval;
mod inst_net_exec;
mod inst_pipe_shell;
mod inst_procmacro_io;
mod inst_runtime_fetch;
mod inst_setup_net;
mod meta_dormant;
mod meta_manifest_diff;
mod miner;
mod obf_homoglyph;
mod obf_offscreen;
mod obf_packed;
mod obf_split_name;
mod obf_strarray;
mod obf_tail;
mod patch_other;
mod persist;
mod pkg_bundled_hook;
mod pkg_npmrc;
mod secret_scanner_drop;
pub(crate) mod sense;
mod shadow_bin;
mod shadow_module;
mod shell_reverse;
mod shellcode;
mod start_ctor;
mod start_pth;
mod start_sitecustomize;
mod stego_read;
mod worm_ci;
mod worm_publish;

pub(crate) use c2_channel::is_argument;
use tidegate_model::Ecosystem;
use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::facts::{Fact, Gate, Stage};
use super::package::{Code, Package};

/// Findings that one detector gives of one package.
const FINDINGS: usize = 25;

/// Bytes of evidence that a finding keeps.
const EVIDENCE_BYTES: usize = 160;

/// A detector of behaviour.
#[derive(Clone, Copy, Debug)]
pub struct Detector {
    /// `behaviour/name`.
    pub id: &'static str,
    /// Its id in catalogues that people compare.
    pub catalogue: &'static str,
    /// One line.
    pub title: &'static str,
    /// The most severe that it gives.
    pub severity: FindingSeverity,
    /// Ecosystems that it is for; empty for all.
    pub ecosystems: &'static [Ecosystem],
    run: fn(&Package, &mut Findings),
}

/// Every detector of behaviour, in the order of their pages.
pub const DETECTORS: &[Detector] = &[
    inst_hook::DETECTOR,
    inst_net_exec::DETECTOR,
    inst_pipe_shell::DETECTOR,
    inst_inline_eval::DETECTOR,
    inst_env_net::DETECTOR,
    inst_gyp_subst::DETECTOR,
    inst_backend_intree::DETECTOR,
    inst_setup_net::DETECTOR,
    inst_build_rs::DETECTOR,
    inst_procmacro_io::DETECTOR,
    inst_detached::DETECTOR,
    inst_runtime_fetch::DETECTOR,
    start_pth::DETECTOR,
    start_sitecustomize::DETECTOR,
    start_ctor::DETECTOR,
    exfil_cred_file::DETECTOR,
    exfil_env_all::DETECTOR,
    exfil_env_secret::DETECTOR,
    exfil_messenger::DETECTOR,
    exfil_dns::DETECTOR,
    exfil_git_host::DETECTOR,
    exfil_browser::DETECTOR,
    exfil_imds::DETECTOR,
    exfil_clipboard::DETECTOR,
    exfil_tap::DETECTOR,
    secret_scanner_drop::DETECTOR,
    agent_abuse::DETECTOR,
    agent_poison::DETECTOR,
    worm_publish::DETECTOR,
    worm_ci::DETECTOR,
    eval_remote::DETECTOR,
    eval_decoded::DETECTOR,
    eval_unicode::DETECTOR,
    obf_strarray::DETECTOR,
    obf_offscreen::DETECTOR,
    obf_packed::DETECTOR,
    obf_split_name::DETECTOR,
    obf_homoglyph::DETECTOR,
    obf_tail::DETECTOR,
    stego_read::DETECTOR,
    data_code::DETECTOR,
    bin_drop::DETECTOR,
    bin_undeclared::DETECTOR,
    shell_reverse::DETECTOR,
    shellcode::DETECTOR,
    c2_deaddrop::DETECTOR,
    c2_channel::DETECTOR,
    persist::DETECTOR,
    miner::DETECTOR,
    destruct::DETECTOR,
    evade::DETECTOR,
    patch_other::DETECTOR,
    shadow_module::DETECTOR,
    shadow_bin::DETECTOR,
    pkg_npmrc::DETECTOR,
    pkg_bundled_hook::DETECTOR,
    dep_url::DETECTOR,
    meta_manifest_diff::DETECTOR,
    diff_capability::DETECTOR,
    meta_dormant::DETECTOR,
];

/// Ids of the catalogue that speak of names, publishers and ages rather than of bytes. They are facts about coordinates.
pub const OF_COORDINATES: &[&str] = &[
    "DEP-CONFUSION",
    "NAME-TYPO",
    "NAME-SLOP",
    "META-PROVENANCE-LOST",
    "META-NEW-MAINTAINER",
    "QUARANTINE-AGE",
    "KNOWN-BAD",
    "DIFF-REPO",
];

/// A finding, and when what it speaks of happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    /// The finding.
    pub finding: Finding,
    /// When it happens.
    pub stage: Stage,
}

/// What detectors tell.
#[derive(Debug)]
pub struct Findings {
    detector: &'static str,
    told: Vec<Observation>,
}

/// Runs every detector over a package.
#[must_use]
pub fn run(package: &Package) -> Vec<Observation> {
    let mut all = Vec::new();
    for detector in DETECTORS {
        let is_for = detector.ecosystems.is_empty()
            || package.ecosystem.is_none_or(|e| detector.ecosystems.contains(&e));
        if !is_for {
            continue;
        }
        let mut findings = Findings { detector: detector.id, told: Vec::new() };
        (detector.run)(package, &mut findings);
        all.append(&mut findings.told);
    }
    all
}

/// Evidence as it may be shown.
fn shown(evidence: &str) -> String {
    let evidence: String = evidence.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let mut evidence = sense::redacted(&evidence);
    evidence.truncate(evidence.floor_char_boundary(EVIDENCE_BYTES));
    evidence
}

/// How bad and how sure.
type Grade = (FindingSeverity, Confidence);

impl Findings {
    /// Tells of a fact.
    fn tell(&mut self, code: &Code, fact: &Fact, grade: Grade, message: &str) {
        let stage = code.stage(fact);
        let (mut severity, mut confidence) = grade;
        let hides = fact.gates.iter().any(|gate| *gate != Gate::Chance);
        if hides && stage <= Stage::Import && severity >= FindingSeverity::High {
            // Who looks first whether somebody watches has something to hide.
            severity = if severity == FindingSeverity::High && confidence > Confidence::Low {
                FindingSeverity::Critical
            } else {
                severity
            };
            confidence = confidence.max(Confidence::Medium);
        }
        let location = Location { path: code.full.clone(), line: Some(fact.line.max(1)), offset: None };
        self.add(location, stage, (severity, confidence), message, &fact.detail);
    }

    /// Tells of a file, or of a line of it.
    fn tell_at(
        &mut self,
        full: &str,
        line: Option<u32>,
        stage: Stage,
        grade: Grade,
        message: &str,
        evidence: &str,
    ) {
        let location = Location { path: full.to_owned(), line, offset: None };
        self.add(location, stage, grade, message, evidence);
    }

    fn add(
        &mut self,
        location: Location,
        stage: Stage,
        (severity, confidence): Grade,
        message: &str,
        evidence: &str,
    ) {
        // Tests, examples and documentation do not run by using the package.
        let severity = if stage == Stage::Aside { severity.min(FindingSeverity::Low) } else { severity };
        let same = |told: &&mut Observation| {
            told.finding.location.path == location.path && told.finding.message == message
        };
        if let Some(told) = self.told.iter_mut().find(same) {
            told.finding.count += 1;
            if (severity, confidence) > (told.finding.severity, told.finding.confidence) {
                (told.finding.severity, told.finding.confidence) = (severity, confidence);
                (told.finding.location, told.stage) = (location, stage);
                told.finding.evidence = Some(shown(evidence)).filter(|text| !text.is_empty());
            }
            return;
        }
        if self.told.len() >= FINDINGS {
            if let Some(last) = self.told.last_mut() {
                last.finding.count += 1;
            }
            return;
        }
        let evidence = shown(evidence);
        let finding = Finding {
            detector: self.detector.to_owned(),
            kind: FindingKind::Malware,
            severity,
            confidence,
            location,
            message: message.to_owned(),
            evidence: Some(evidence).filter(|text| !text.is_empty()),
            secret_hash: None,
            count: 1,
        };
        self.told.push(Observation { finding, stage });
    }
}

/// Common words of all detectors.
mod common {
    pub(super) use super::sense::{
        any_in, basename, early, foreign, host, in_file, is_deep, is_far, is_install, is_own_program,
        is_private_source, is_unpacking, of_file, starts_nothing, when,
    };
    pub(super) use super::{Detector, Findings, Grade};
    pub(super) use crate::behaviour::facts::{Fact, Gate, Language, Scope, Stage, What};
    pub(super) use crate::behaviour::package::{Code, Package};
    pub(super) use crate::behaviour::words::{self, Address, Class};
    pub(super) use tidegate_model::Ecosystem;
    pub(super) use tidegate_model::finding::Confidence::{High as Sure, Low as Hint, Medium as Likely};
    pub(super) use tidegate_model::finding::FindingSeverity::{Critical, High, Info, Low, Medium};
}
