//! One pass over an artifact for every detector.

use tidegate_model::Finding;

use crate::archive::{self, Remark};
use crate::inspection::{Extent, FINDINGS_KEPT, GAPS_KEPT, INSPECTOR_VERSION, Inspection, NotSeen, Request};
use crate::inventory::InventoryCollector;
use crate::licences::LicenceCollector;
use crate::report::{Flow, Gap, GapKind, Leaf, Oddity, Visitor};
use crate::secrets::{FingerprintKey, Rules};
use crate::{Budgets, Format, Scratch, unfold};

/// Looks at an artifact once, with every detector.
///
/// The same bytes and request give the same inspection. Nothing is executed, no file opened, nothing sent.
pub fn inspect(request: &Request, bytes: &[u8], budgets: &Budgets, scratch: &dyn Scratch) -> Inspection {
    let mut look = Look::new(request);
    let summary = unfold(&request.name, bytes, budgets, scratch, &mut look);
    look.extent.leaves = summary.leaves;
    look.extent.entries = summary.entries;
    look.extent.unpacked_bytes = summary.unpacked_bytes;
    look.finish()
}

/// What all detectors share of one pass.
struct Look<'r> {
    request: &'r Request,
    found: Found,
    not_seen: Vec<NotSeen>,
    gaps_untold: u64,
    extent: Extent,
    licences: LicenceCollector,
    inventory: InventoryCollector,
    secret_key: FingerprintKey,
}

impl<'r> Look<'r> {
    fn new(request: &'r Request) -> Self {
        Self {
            request,
            found: Found::default(),
            not_seen: Vec::new(),
            gaps_untold: 0,
            extent: Extent::default(),
            licences: LicenceCollector::new(),
            inventory: InventoryCollector::new(),
            secret_key: FingerprintKey::new(request.hash_key),
        }
    }

    /// Secrets of one leaf, as findings without their values.
    fn secrets(&mut self, leaf: &Leaf<'_>) {
        let mut found = Rules::builtin().look(leaf.bytes, &self.secret_key);
        // What was only counted is told with the last that was not.
        if let Some(last) = found.hits.last_mut() {
            last.times = last.times.saturating_add(u32::try_from(found.untold).unwrap_or(u32::MAX));
        }
        let is_text = matches!(leaf.format, Format::Text | Format::Json);
        for hit in &found.hits {
            self.found.add(hit.finding(leaf.path, leaf.bytes, is_text));
        }
        if found.is_cut && self.not_seen.len() < GAPS_KEPT {
            self.not_seen.push(NotSeen {
                kind: GapKind::Steps.as_str().to_owned(),
                path: leaf.path.to_owned(),
                detail: "made of the words that rules look for; not all of it was looked at for secrets"
                    .to_owned(),
                count: 1,
            });
        } else if found.is_cut {
            self.gaps_untold += 1;
        }
    }

    fn finish(mut self) -> Inspection {
        let licences = self.licences.finish();
        for finding in licences.findings(&self.request.name) {
            self.found.add(finding);
        }
        let findings = self.found.worst_first();
        Inspection {
            inspector: INSPECTOR_VERSION,
            findings,
            not_seen: self.not_seen,
            extent: self.extent,
            licences,
            inventory: self.inventory.finish(),
            ..Inspection::default()
        }
    }
}

impl Visitor for Look<'_> {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        if matches!(leaf.format, Format::Elf | Format::Pe | Format::MachO) {
            self.extent.native_files += 1;
        }
        self.licences.leaf(leaf);
        self.inventory.leaf(leaf);
        self.secrets(leaf);
        archive::judge(Remark::Leaf(leaf), &mut |finding| self.found.add(finding));
        Flow::Continue(())
    }

    fn oddity(&mut self, oddity: Oddity) {
        archive::judge(Remark::Oddity(&oddity), &mut |finding| self.found.add(finding));
    }

    fn gap(&mut self, gap: Gap) {
        archive::judge(Remark::Gap(&gap), &mut |finding| self.found.add(finding));
        if self.not_seen.len() < GAPS_KEPT {
            self.not_seen.push(NotSeen {
                kind: gap.kind.as_str().to_owned(),
                path: gap.path,
                detail: gap.detail.into_owned(),
                count: gap.count,
            });
        } else {
            self.gaps_untold += gap.count;
        }
    }
}

/// Findings so far: alike ones become one with a number, and their number is bounded.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
}

impl Found {
    fn add(&mut self, finding: Finding) {
        let alike = |other: &&mut Finding| {
            other.detector == finding.detector
                && other.severity == finding.severity
                && (other.secret_hash == finding.secret_hash)
        };
        let same_place =
            |other: &Finding| other.location == finding.location && other.message == finding.message;
        if let Some(same) = self.findings.iter_mut().filter(|f| alike(f)).find(|f| same_place(f)) {
            same.count += finding.count;
        } else if self.findings.len() < FINDINGS_KEPT {
            self.findings.push(finding);
        } else if let Some(last) = self.findings.iter_mut().rev().find(alike) {
            last.count += finding.count;
        } else if let Some(least) = self
            .findings
            .iter()
            .enumerate()
            .min_by_key(|(_, f)| (f.severity, f.confidence))
            .filter(|(_, f)| (f.severity, f.confidence) < (finding.severity, finding.confidence))
            .map(|(at, _)| at)
        {
            // A flood of small things must not keep a grave one out.
            self.findings[least] = finding;
        }
    }

    fn worst_first(mut self) -> Vec<Finding> {
        self.findings.sort_by(|a, b| {
            (b.severity, b.confidence, &a.detector, &a.location).cmp(&(
                a.severity,
                a.confidence,
                &b.detector,
                &b.location,
            ))
        });
        self.findings
    }
}
