//! Reads models: what happens when a program loads them.
//!
//! Content decides which reader reads, never a name, and on bytes that are several things every reader that wants them runs.
//! Readers tell remarks; the [detectors], one file each, say what a remark means. Nothing is loaded, built or run.

pub mod detectors;
mod gguf;
mod hdf5;
mod keras;
mod names;
mod npy;
mod onnx;
pub(crate) mod pickle;
mod protobuf;
pub(crate) mod remark;
mod safetensors;
mod side;
mod storages;
mod template;
mod tensorflow;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::ops::Range;

use tidegate_model::Finding;
use tidegate_model::finding::{Confidence, FindingSeverity};

use crate::bytes::{slice, u32_le};
use crate::inspection::Verdict;
use crate::{Format, Leaf};
use remark::{Told, What};
use storages::Storages;
pub(crate) use storages::may_be as may_be_storage;

/// Findings of all leaves that are kept.
const FINDINGS: usize = 400;

/// Programs beside models that are told.
const PROGRAMS: usize = 8;

/// Bytes from which the numbers of a tensor are left to those who read models: 64 MiB.
///
/// Below, every detector reads everything. Above, what a format says are numbers is only looked at by its form: it is
/// passed over by whoever loads the model, and reading gigabytes of it for words would find nothing but chance.
const NUMBERS_BYTES: usize = 64 << 20;

/// Builds the tables that readers use, so that the first one does not wait for them.
pub(crate) fn prepare() {
    let _built = pickle::globals::Table::builtin();
}

/// What the readers of models make of bytes that are one file, and nothing else looks at: for whoever measures them.
#[must_use]
pub fn alone(name: &str, bytes: &[u8]) -> Models {
    let mut collector = ModelCollector::default();
    let place = crate::Place { packed_bytes: bytes.len() as u64, ..crate::Place::default() };
    collector.leaf(&Leaf { path: name, bytes, format: Format::of_leaf(bytes), place });
    collector.finish(false).models
}

/// What an artifact holds of models.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Models {
    /// Formats of the models in it, in the order of their names; empty where it holds none.
    pub formats: Vec<String>,
    /// Whether the artifact itself is a model: a file of one, or an archive that is one.
    pub is_model: bool,
    /// Whether loading one of them runs code that is not on the safe list; none where it holds no model.
    pub unsafe_code: Option<bool>,
    /// Whether one of them asks for code of its repository; none where it holds no model.
    pub remote_code: Option<bool>,
}

/// What reading the models of an artifact came to.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) findings: Vec<Finding>,
    /// What was not looked at: path and fragment.
    pub(crate) gaps: Vec<(String, String)>,
    pub(crate) models: Models,
    pub(crate) verdict: Verdict,
    /// Detectors behind the verdict.
    pub(crate) behind: Vec<String>,
}

/// Takes the leaves of one artifact.
#[derive(Debug, Default)]
pub(crate) struct ModelCollector {
    findings: Vec<Finding>,
    gaps: Vec<(String, String)>,
    formats: BTreeSet<&'static str>,
    is_model: bool,
    unsafe_code: bool,
    remote_code: bool,
    /// Programs, which have no place beside models.
    programs: Vec<String>,
    storages: Storages,
}

impl ModelCollector {
    /// Takes one leaf, and says which of its bytes nobody else needs to read: the numbers of large tensors.
    pub(crate) fn leaf(&mut self, leaf: &Leaf<'_>) -> Option<Range<usize>> {
        if is_program(leaf) && !names::is_model(leaf.path) && self.programs.len() < PROGRAMS {
            self.programs.push(leaf.path.to_owned());
        }
        let mut told = Told::default();
        read(leaf, &mut told);
        names::read(leaf, is_program(leaf), &mut told);
        self.storages.name(leaf, std::mem::take(&mut told.storages));
        // PyTorch's files are archives too, and may lie in one.
        let depth = if leaf.place.container == Some(Format::Zip) { 2 } else { 1 };
        self.is_model |= !told.formats.is_empty() && leaf.place.depth <= depth;
        self.formats.extend(told.formats.iter().copied());
        for remark in &told.remarks {
            self.remote_code |= matches!(remark.what, What::RemoteCode(..));
            let mut found = Vec::new();
            detectors::judge(remark, leaf.path, &mut |detector, finding| {
                found.push((finding, detector.runs))
            });
            for (finding, runs) in found {
                if let Some(finding) = self.storages.wait(leaf, finding, runs) {
                    self.keep(finding, runs);
                }
            }
        }
        let dropped = (told.dropped() > 0).then(|| "more remarks on a model than are told".to_owned());
        for gap in told.gaps.into_iter().chain(dropped) {
            if self.gaps.len() < FINDINGS {
                self.gaps.push((leaf.path.to_owned(), gap));
            }
        }
        let numbers = if self.storages.knows(leaf) { Some(0..leaf.bytes.len()) } else { told.numbers };
        numbers.filter(|numbers| numbers.len() >= NUMBERS_BYTES)
    }

    fn keep(&mut self, finding: Finding, runs: bool) {
        self.unsafe_code |= runs && holds(&finding);
        if self.findings.len() < FINDINGS {
            self.findings.push(finding);
        }
    }

    /// What all of it comes to. A package that holds a model is no model.
    pub(crate) fn finish(mut self, is_package: bool) -> Read {
        for (finding, runs) in self.storages.settle() {
            self.keep(finding, runs);
        }
        if is_package {
            self.findings.iter_mut().for_each(of_package);
        } else if !self.formats.is_empty() {
            self.tell_programs();
        }
        let holds: Vec<&Finding> = self.findings.iter().filter(|finding| holds(finding)).collect();
        let is_sure =
            |f: &&&Finding| f.severity == FindingSeverity::Critical && f.confidence == Confidence::High;
        let sure: Vec<&Finding> = holds.iter().filter(is_sure).copied().collect();
        let (verdict, behind) = match (sure.is_empty(), holds.is_empty()) {
            (false, _) => (Verdict::Malicious, sure),
            (true, false) => (Verdict::Suspicious, holds),
            (true, true) => (Verdict::Clean, Vec::new()),
        };
        let behind: BTreeSet<&str> = behind.iter().map(|finding| finding.detector.as_str()).collect();
        let behind = behind.into_iter().map(str::to_owned).collect();
        let has_models = !self.formats.is_empty();
        let models = Models {
            formats: self.formats.iter().map(|format| (*format).to_owned()).collect(),
            is_model: self.is_model && !is_package,
            unsafe_code: has_models.then_some(self.unsafe_code),
            remote_code: has_models.then_some(self.remote_code),
        };
        Read { findings: self.findings, gaps: self.gaps, models, verdict, behind }
    }
}

/// Packages bring data of their tests along, written by whatever library they test. What is not surely harm holds none of them, and
/// neither does what only their tests read.
fn of_package(finding: &mut Finding) {
    let path = finding.location.path.rsplit("!/").next().unwrap_or_default();
    // What a pickle does it does wherever it is loaded; settings and templates do it only beside a model.
    let is_pickle = finding.detector.contains("pickle");
    if crate::behaviour::stages::is_aside(path) {
        finding.severity = finding.severity.min(FindingSeverity::Low);
    } else if !is_pickle || finding.severity < FindingSeverity::Critical {
        finding.severity = finding.severity.min(FindingSeverity::Medium);
    }
}

impl ModelCollector {
    fn tell_programs(&mut self) {
        for path in std::mem::take(&mut self.programs) {
            let what = What::Program("is a program, where only a model is expected");
            let remark = remark::Remark { what, offset: None, line: None, evidence: None };
            let mut found = Vec::new();
            detectors::judge(&remark, &path, &mut |detector, finding| found.push((finding, detector.runs)));
            found.into_iter().for_each(|(finding, runs)| self.keep(finding, runs));
        }
    }
}

/// Whether a leaf is a program. Two letters are not enough among numbers.
fn is_program(leaf: &Leaf<'_>) -> bool {
    let bytes = leaf.bytes;
    match leaf.format {
        Format::Elf => matches!(bytes.get(4..6), Some([1 | 2, 1 | 2])),
        Format::MachO => true,
        Format::Pe => {
            let head = u32_le(bytes, 0x3c).map_or(0, u64::from);
            // Programs for every system at once begin with a shell script instead.
            bytes.starts_with(b"MZqFpD=") || slice(bytes, head, 4) == Some(b"PE\0\0")
        }
        _ => false,
    }
}

/// Whether a finding holds an artifact.
fn holds(finding: &Finding) -> bool {
    finding.severity >= FindingSeverity::High && finding.confidence >= Confidence::Medium
}

/// Every reader that wants a leaf.
fn read(leaf: &Leaf<'_>, told: &mut Told) {
    let may_be_pickle = !matches!(
        leaf.format,
        Format::Elf | Format::Pe | Format::MachO | Format::Png | Format::Jpeg | Format::Gif | Format::Sqlite
    );
    if may_be_pickle && pickle::may_be(leaf.bytes) && pickle::read(leaf.bytes, told).is_pickle {
        told.is_of("pickle");
    }
    if safetensors::matches(leaf.bytes) {
        safetensors::read(leaf.bytes, told);
    }
    match leaf.format {
        Format::Gguf => gguf::read(leaf.bytes, told),
        Format::Npy => npy::read(leaf.bytes, told),
        Format::Hdf5 => hdf5::read(leaf.bytes, 0, told),
        Format::Json => side::read_json(leaf.bytes, told),
        Format::Text | Format::Binary => {
            protocol_buffers(leaf.bytes, told);
            if side::is_script(leaf.path, leaf.bytes) {
                side::read_script(leaf.bytes, told);
            }
            if leaf.format == Format::Text {
                if side::is_handler(leaf.path, leaf.bytes) {
                    side::read_handler(leaf.path, leaf.bytes, told);
                }
                if side::may_be_settings(leaf.path) {
                    side::read_text(leaf.path, leaf.bytes, told);
                }
            } else if let Some(begin) = hdf5::begin(leaf.bytes) {
                hdf5::read(leaf.bytes, begin, told);
            } else if memchr::memmem::find(leaf.bytes, b"\"class_name\"").is_some() {
                keras::read_texts(leaf.bytes, told);
            }
        }
        _ => {}
    }
}

fn protocol_buffers(bytes: &[u8], told: &mut Told) {
    if tensorflow::is_saved_model(bytes) {
        tensorflow::read_saved_model(bytes, told);
    } else if onnx::matches(bytes) {
        onnx::read(bytes, told);
    } else if tensorflow::is_graph(bytes) {
        tensorflow::read_graph(bytes, told);
    }
}
