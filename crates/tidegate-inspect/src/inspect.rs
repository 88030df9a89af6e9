//! One pass over an artifact for every detector.

use tidegate_model::Finding;
use tidegate_model::finding::{Confidence, FindingKind, FindingSeverity, Location};

use crate::archive::{self, Remark};
use crate::behaviour::package::{Collector, Package, Subject};
use crate::behaviour::{confusion, detectors, diff, verdict};
use crate::extensions::ExtensionCollector;
use crate::images::{self, ImageCollector, Shape};
use crate::inspection::{
    Extent, FINDINGS_KEPT, GAPS_KEPT, INSPECTOR_VERSION, Inspection, NotSeen, Request, Verdict,
};
use crate::inventory::{InventoryCollector, Whose};
use crate::licences::{LicenceCollector, Licences};
use crate::mcp::{self, McpCollector};
use crate::models::{self, ModelCollector};
use crate::report::{Flow, Gap, Leaf, Member, Oddity, Visitor};
use crate::secrets::{FingerprintKey, Revealed, Rules};
use crate::{Budgets, Format, Scratch, unfold};

/// Looks at an artifact once, with every detector.
///
/// The same bytes and request give the same inspection. Nothing is executed, no file opened, nothing sent.
pub fn inspect(request: &Request, bytes: &[u8], budgets: &Budgets, scratch: &dyn Scratch) -> Inspection {
    let mut look = Look::new(request);
    look.layers_from = if request.layer {
        Some(0)
    } else if request.ecosystem.is_none() && images::is_archive_of_images(bytes) {
        Some(2)
    } else {
        None
    };
    let summary = unfold(&request.name, bytes, budgets, scratch, &mut look);
    look.extent.leaves = summary.leaves;
    look.extent.entries = summary.entries;
    look.extent.unpacked_bytes = summary.unpacked_bytes;
    look.finish()
}

/// Builds the tables that inspections use, so that the first one does not wait for them.
pub fn prepare() {
    let _built = Rules::builtin();
    models::prepare();
    mcp::prepare();
}

/// What all detectors share of one pass.
struct Look<'r> {
    request: &'r Request,
    rules: &'static Rules,
    key: FingerprintKey,
    found: Found,
    not_seen: Vec<NotSeen>,
    package: Collector,
    licences: LicenceCollector,
    inventory: InventoryCollector,
    models: ModelCollector,
    extensions: ExtensionCollector,
    mcp: McpCollector,
    images: ImageCollector,
    /// How deep the files of layers lie, where there are layers: what code does is not judged there.
    layers_from: Option<u32>,
    extent: Extent,
    revealed: Option<Revealed>,
}

impl<'r> Look<'r> {
    fn new(request: &'r Request) -> Self {
        let subject = Subject {
            ecosystem: request.ecosystem,
            name: request.package.clone(),
            version: request.version.clone(),
            file_name: request.name.clone(),
            index_manifest: request.listed.clone(),
        };
        Self {
            request,
            rules: Rules::builtin(),
            key: FingerprintKey::new(request.hash_key),
            found: Found::default(),
            not_seen: Vec::new(),
            package: Collector::new(subject).parsing(request.parsed_bytes),
            licences: LicenceCollector::new(),
            inventory: InventoryCollector::new(),
            models: ModelCollector::default(),
            extensions: ExtensionCollector::default(),
            mcp: McpCollector::new(request.parsed_bytes),
            images: ImageCollector::new(request),
            layers_from: None,
            extent: Extent::default(),
            revealed: None,
        }
    }

    fn finish(mut self) -> Inspection {
        let package = self.package.finish();
        let (against_index, observations): (Vec<_>, Vec<_>) =
            detectors::run(&package).into_iter().partition(|o| o.finding.detector == confusion::DETECTOR);
        let (of_code, behind_code) = verdict::judge(&observations);
        let mut summary = diff::Summary::of(&package, &observations);
        observations.into_iter().for_each(|observation| self.found.add(observation.finding));
        let licences = self.licences.finish();
        unread(&package, &self.request.name, &mut self.found, &mut self.not_seen);
        if let Some(most) = self.request.parsed_bytes {
            let larger =
                package.code.iter().filter(|code| code.language.is_some() && code.bytes > most as u64);
            let (detail, larger) =
                ("sources too large to be parsed beside the others", larger.count() as u64);
            if larger > 0 {
                summary.parsed_bytes = Some(most as u64);
                lacks(&mut self.not_seen, "parse", &self.request.name, detail, larger);
            }
        }
        let images = self.images.finish(
            self.inventory.distros(),
            self.inventory.has_accounts(),
            package.manifest.is_some(),
        );
        for (detail, count) in &images.lacks {
            lacks(&mut self.not_seen, "image", &self.request.name, detail, *count);
        }
        // A system holds programs, and data of their tests, as a package does.
        let is_system = !matches!(images.shape, Shape::Other);
        let is_package = package.manifest.is_some() || self.request.ecosystem.is_some() || is_system;
        let models = self.models.finish(is_package);
        models.findings.into_iter().for_each(|finding| self.found.add(finding));
        for (path, detail) in &models.gaps {
            lacks(&mut self.not_seen, "model", path, detail, 1);
        }
        let extension = self.extensions.finish(&package);
        let mcp = self.mcp.finish(mcp::is_server(&package));
        summary.extension = extension.line;
        summary.tools.clone_from(&mcp.mcp.tools);
        extension.findings.into_iter().chain(mcp.findings).for_each(|finding| self.found.add(finding));
        if mcp.dropped > 0 {
            lacks(&mut self.not_seen, "mcp", &self.request.name, "more remarks than are told", mcp.dropped);
        }
        for (path, detail) in self.inventory.gaps() {
            lacks(&mut self.not_seen, "inventory", path, detail, 1);
        }
        if matches!(images.shape, Shape::Other) && images.config.is_none() {
            licences.findings(&self.request.name).into_iter().for_each(|finding| self.found.add(finding));
        }
        if matches!(images.shape, Shape::Layer(_)) && (images.is_asked || package.manifest.is_none()) {
            self.found.findings.retain(|finding| !images::is_natural(finding));
        }
        let whose = match images.shape {
            Shape::Images(_) => Whose::System,
            Shape::Layer(_) if images.is_asked => Whose::System,
            Shape::Layer(_) => Whose::Tree,
            Shape::Other => Whose::Package,
        };
        let mut inventory = self.inventory.finish_as(whose);
        if whose != Whose::Package && inventory.not_kept > 0 {
            let detail = "more components than are kept";
            lacks(&mut self.not_seen, "inventory", &self.request.name, detail, inventory.not_kept);
        }
        if let (Some(extension), Some(subject)) = (&extension.extension, &mut inventory.subject) {
            // Its manifest has the form of npm's, and its name is none of npm's.
            subject.name.clone_from(&extension.id);
            subject.purl = extension.purl();
        }
        let findings = self.found.worst_first();
        let of_form = form_that_holds(&findings);
        let (of_code, behind_code) = worse((of_code, behind_code), (models.verdict, models.behind));
        let (of_code, behind_code) = worse((of_code, behind_code), (extension.verdict, extension.behind));
        let (of_code, behind_code) = worse((of_code, behind_code), (mcp.verdict, mcp.behind));
        let (verdict, behind) = match (of_code, of_form.is_empty()) {
            (Verdict::Malicious, _) | (_, true) => (of_code, behind_code),
            (code, false) => (code.max(Verdict::Suspicious), [behind_code, of_form].concat()),
        };
        let inspection = Inspection {
            inspector: INSPECTOR_VERSION,
            verdict,
            behind,
            install_script: package.has_install_code(),
            findings,
            not_seen: self.not_seen,
            licences,
            inventory,
            models: models.models,
            extension: extension.extension,
            mcp: mcp.mcp,
            layer: None,
            image_config: images.config,
            image: None,
            extent: self.extent,
            summary,
            against_index: against_index.into_iter().map(|o| o.finding).collect(),
            revealed: self.revealed,
        };
        match images.shape {
            Shape::Other => inspection,
            // It has the licences of its components, and none of its own.
            Shape::Layer(layer) => {
                Inspection { layer: Some(layer), licences: Licences::default(), ..inspection }
            }
            Shape::Images(all) => {
                let inspection = Inspection { licences: Licences::default(), ..inspection };
                images::together(&self.request.name, inspection, &all, images.layers)
            }
        }
    }

    /// Every detector of what is not a model.
    fn read(&mut self, leaf: &Leaf<'_>) {
        self.secrets(leaf);
        self.inventory.leaf(leaf);
        self.images.leaf(leaf);
        if self.layers_from.is_none_or(|depth| leaf.place.depth < depth) {
            self.package.leaf(leaf);
            self.licences.leaf(leaf);
            self.extensions.leaf(leaf);
            self.mcp.leaf(leaf);
        }
    }

    fn secrets(&mut self, leaf: &Leaf<'_>) {
        let found = self.rules.look(leaf.bytes, &self.key);
        for hit in &found.hits {
            if self.request.reveal.as_ref().is_some_and(|wanted| *wanted == hit.fingerprint.to_string()) {
                self.revealed = Revealed::of(&hit.secret);
            }
            self.found.add(hit.finding(leaf.path, leaf.bytes, is_text(leaf.format)));
        }
        if found.untold > 0 {
            let detail = "more secrets than are told one by one";
            self.lacks("secrets", leaf.path, detail, found.untold);
        }
        if found.is_cut {
            self.lacks(
                "secrets",
                leaf.path,
                "the words that secrets begin with fill it; its end was not searched",
                1,
            );
        }
    }

    fn lacks(&mut self, kind: &str, path: &str, detail: &str, count: u64) {
        lacks(&mut self.not_seen, kind, path, detail, count);
    }
}

impl Visitor for Look<'_> {
    fn leaf(&mut self, leaf: &Leaf<'_>) -> Flow {
        self.extent.largest_leaf_bytes = self.extent.largest_leaf_bytes.max(leaf.bytes.len() as u64);
        if matches!(leaf.format, Format::Elf | Format::Pe | Format::MachO) {
            self.extent.native_files += 1;
        }
        archive::judge(Remark::Leaf(leaf), &mut |finding| self.found.add(finding));
        match self.models.leaf(leaf) {
            Some(numbers) => {
                self.read(&Leaf { bytes: leaf.bytes.get(..numbers.start).unwrap_or(leaf.bytes), ..*leaf });
                let behind = leaf.bytes.get(numbers.end..).unwrap_or_default();
                if !behind.is_empty() {
                    let path = format!("{}!/#behind-{}", leaf.path, numbers.end);
                    self.read(&Leaf { path: &path, bytes: behind, ..*leaf });
                }
            }
            None => self.read(leaf),
        }
        Flow::Continue(())
    }

    fn member(&mut self, member: &Member<'_>) {
        self.images.member(member);
    }

    fn oddity(&mut self, oddity: Oddity) {
        archive::judge(Remark::Oddity(&oddity), &mut |finding| self.found.add(finding));
    }

    fn gap(&mut self, gap: Gap) {
        archive::judge(Remark::Gap(&gap), &mut |finding| self.found.add(finding));
        self.lacks(gap.kind.as_str(), &gap.path, &gap.detail, gap.count);
    }
}

/// Whether lines mean something in a leaf.
fn is_text(format: Format) -> bool {
    matches!(format, Format::Text)
}

pub(crate) fn lacks(not_seen: &mut Vec<NotSeen>, kind: &str, path: &str, detail: &str, count: u64) {
    if not_seen.len() < GAPS_KEPT {
        let (kind, path, detail) = (kind.to_owned(), path.to_owned(), detail.to_owned());
        not_seen.push(NotSeen { kind, path, detail, count });
    } else if let Some(same) = not_seen.iter_mut().rev().find(|gap| gap.kind == kind) {
        same.count += count;
    } else {
        // A kind of which none is kept must not go untold.
        let (kind, path, detail) = (kind.to_owned(), path.to_owned(), detail.to_owned());
        not_seen.push(NotSeen { kind, path, detail, count });
    }
}

/// Code that was read by its tokens only is told, but it was looked at; facts that did not fit were not.
fn unread(package: &Package, name: &str, found: &mut Found, not_seen: &mut Vec<NotSeen>) {
    for path in &package.unparsed {
        found.add(Finding {
            detector: "archive/incomplete".to_owned(),
            kind: FindingKind::Archive,
            severity: FindingSeverity::Info,
            confidence: Confidence::High,
            location: Location { path: path.clone(), ..Location::default() },
            message: "does not parse, or is too large for that, so it was read by its tokens only".to_owned(),
            evidence: None,
            secret_hash: None,
            count: 1,
        });
    }
    if package.dropped > 0 {
        lacks(not_seen, "facts", name, "more code than is kept in mind", package.dropped);
    }
}

/// The worse of two verdicts, with the detectors behind it; of equal ones both.
fn worse(one: (Verdict, Vec<String>), other: (Verdict, Vec<String>)) -> (Verdict, Vec<String>) {
    match one.0.cmp(&other.0) {
        std::cmp::Ordering::Greater => one,
        std::cmp::Ordering::Less => other,
        std::cmp::Ordering::Equal => (one.0, [one.1, other.1].concat()),
    }
}

/// Detectors of an archive's form that hold an artifact.
fn form_that_holds(findings: &[Finding]) -> Vec<String> {
    let mut detectors: Vec<String> = findings
        .iter()
        .filter(|f| f.kind == FindingKind::Archive && f.severity >= FindingSeverity::High)
        .map(|f| f.detector.clone())
        .collect();
    detectors.sort_unstable();
    detectors.dedup();
    detectors
}

/// Findings so far: alike ones become one with a number, and their number is bounded.
#[derive(Default)]
pub(crate) struct Found {
    findings: Vec<Finding>,
}

impl Found {
    pub(crate) fn add(&mut self, finding: Finding) {
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

    pub(crate) fn worst_first(mut self) -> Vec<Finding> {
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
