//! What the code of a package does: readers of languages, the facts they give, and the detectors that judge them.

mod braces;
mod chain;
pub mod confusion;
pub mod detectors;
pub mod diff;
pub mod facts;
pub mod javascript;
pub mod languages;
mod links;
pub mod looks;
mod looks_of_text;
pub mod manifest;
pub mod modules;
pub mod package;
pub mod python;
mod record;
#[cfg(test)]
mod render;
pub mod rust_source;
pub mod shell;
pub mod stages;
pub mod verdict;
pub mod words;

/// Stack on which sources are parsed and followed, for the depth that the readers allow. All of it counts as memory of a
/// worker's own, used or not. Frames of a build without optimisation are several times as large.
pub(crate) const STACK_BYTES: usize = if cfg!(debug_assertions) { 48 << 20 } else { 16 << 20 };

use tidegate_model::Finding;

use crate::inspection::Verdict;

/// What the detectors of behaviour say of a package.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Judged {
    /// What was found.
    pub findings: Vec<Finding>,
    /// What it comes to.
    pub verdict: Verdict,
    /// Detectors behind the verdict.
    pub behind: Vec<String>,
    /// Whether installing it runs code of it; none without a manifest.
    pub install_script: Option<bool>,
    /// What the next release is compared with.
    pub summary: diff::Summary,
    /// Facts and files that did not fit the bounds: not zero means that something was not looked at.
    pub dropped: u64,
    /// Files of which only tokens were read.
    pub unparsed: Vec<String>,
}

/// Runs every detector over a package and judges what they find.
#[must_use]
pub fn judge(package: &package::Package) -> Judged {
    let observations = detectors::run(package);
    let (verdict, behind) = verdict::judge(&observations);
    Judged {
        summary: diff::Summary::of(package, &observations),
        findings: observations.into_iter().map(|observation| observation.finding).collect(),
        verdict,
        behind,
        install_script: package.has_install_code(),
        dropped: package.dropped,
        unparsed: package.unparsed.clone(),
    }
}
