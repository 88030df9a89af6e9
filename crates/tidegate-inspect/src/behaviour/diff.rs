//! What a release can do that the one before could not.
//!
//! Hijacked packages change little: one file, one script, one call. A [`Summary`] says what a release can do, in a few kilobytes that are kept with its
//! inspection; two of them are compared without the bytes of the older release. Only the difference is told.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_model::finding::{Confidence, Finding, FindingKind, FindingSeverity, Location};

use super::detectors::Observation;
use super::facts::{Stage, What};
use super::package::Package;
use super::words::Address;

/// Counts changes of what a summary holds. Summaries of other versions are not compared.
pub const SUMMARY_VERSION: u32 = 1;

/// Files that a summary lists.
const FILES: usize = 3_000;

/// Capabilities that a summary lists.
const CAPABILITIES: usize = 2_000;

/// Dependencies that a summary lists.
const DEPENDENCIES: usize = 1_000;

/// Findings of one comparison.
const FINDINGS: usize = 40;

/// A file of which so much more is there is told, in bytes.
const GROWTH_BYTES: u64 = 200 << 10;

/// Days after which a release ends a silence.
const SILENCE_DAYS: u64 = 365;

/// Something that code does, without the details that change with every release.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Capability {
    /// When.
    pub stage: Stage,
    /// What, as a word of the facts.
    pub what: What,
    /// Host, program or kind of path; empty where it is not constant.
    pub with: String,
}

/// Data that goes from one kind of place to another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct Passage {
    /// When.
    pub stage: Stage,
    /// Source.
    pub from: What,
    /// Sink.
    pub to: What,
    /// Host or program of the sink.
    pub with: String,
}

/// A file, for comparison.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct FileLine {
    /// Size in bytes.
    pub bytes: u64,
    /// The first eight bytes of its SHA-256, in hexadecimal.
    pub digest: String,
    /// Bits per byte, in tenths.
    pub entropy: u8,
    /// Whether it is machine code.
    pub native: bool,
    /// Line that is unlike the rest and acts, and its length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub odd_line: Option<(u32, u32)>,
}

/// What a release can do.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Summary {
    /// [`SUMMARY_VERSION`].
    pub format: u32,
    /// The release.
    pub version: String,
    /// What its code does.
    pub capabilities: BTreeSet<Capability>,
    /// Where data goes.
    pub passages: BTreeSet<Passage>,
    /// Install scripts by name.
    pub hooks: BTreeMap<String, String>,
    /// Files by path.
    pub files: BTreeMap<String, FileLine>,
    /// Dependencies that are installed with it.
    pub dependencies: BTreeSet<String>,
    /// Whether it says that it has native parts.
    pub is_native: bool,
    /// Detectors with findings of at least high severity.
    pub grave: BTreeSet<String>,
    /// Entries that did not fit.
    pub dropped: u64,
    /// Size in bytes above which sources of it were not parsed, so that what they do is not among all this; none where all were.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parsed_bytes: Option<u64>,
    /// What it is to an editor; none where it is no extension.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extension: Option<crate::extensions::Line>,
    /// Its list of tools, where it is or holds one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<crate::mcp::tools::ToolList>,
}

impl Summary {
    /// Sums a package up.
    #[must_use]
    pub fn of(package: &Package, observations: &[Observation]) -> Self {
        let manifest = package.manifest.clone().unwrap_or_default();
        let mut summary = Self {
            format: SUMMARY_VERSION,
            version: manifest.version.clone().unwrap_or_else(|| package.subject.version.clone()),
            is_native: manifest.is_native,
            ..Self::default()
        };
        for hook in manifest.hooks.iter().take(50) {
            let command = super::detectors::sense::redacted(&hook.command);
            summary.hooks.insert(hook.name.clone(), command[..command.floor_char_boundary(512)].to_owned());
        }
        let runs = |kind: &str| !matches!(kind, "devDependencies" | "dev-dependencies");
        let dependencies = manifest.dependencies.iter().filter(|d| runs(&d.kind)).map(|d| d.name.clone());
        summary.dependencies.extend(dependencies.take(DEPENDENCIES));
        summary.grave = observations
            .iter()
            .filter(|o| o.finding.severity >= FindingSeverity::High && o.stage != Stage::Aside)
            .map(|o| o.finding.detector.clone())
            .collect();
        summary.code(package);
        summary.files(package);
        summary
    }

    /// Whether it does something worth comparing without being asked: while it is installed, at start-up or when it is loaded.
    #[must_use]
    pub fn acts_unasked(&self) -> bool {
        !self.hooks.is_empty()
            || self.files.values().any(|file| file.native)
            || self.capabilities.iter().any(|c| c.stage <= Stage::Import && STRONG.contains(&c.what))
    }

    /// Whether less of its sources was parsed than of another release, so that what only the other is seen to do is no news.
    #[must_use]
    pub fn is_less_parsed_than(&self, other: &Self) -> bool {
        self.parsed_bytes.is_some_and(|most| other.parsed_bytes.is_none_or(|of_other| of_other > most))
    }

    fn code(&mut self, package: &Package) {
        for code in package.code.iter().filter(|code| code.reach.stage != Stage::Aside) {
            for fact in code.facts.facts.iter().filter(|fact| is_capability(fact.what)) {
                let capability = Capability {
                    stage: code.stage(fact),
                    what: fact.what,
                    with: with(fact.what, &fact.detail),
                };
                if self.capabilities.len() < CAPABILITIES {
                    self.capabilities.insert(capability);
                } else {
                    self.dropped += 1;
                }
            }
            for (from, to, _) in code.facts.flowing() {
                let passage = Passage {
                    stage: code.stage(to),
                    from: from.what,
                    to: to.what,
                    with: with(to.what, &to.detail),
                };
                if self.passages.len() < CAPABILITIES {
                    self.passages.insert(passage);
                } else {
                    self.dropped += 1;
                }
            }
        }
    }

    fn files(&mut self, package: &Package) {
        let odd: BTreeMap<&str, (u32, u32)> = package
            .code
            .iter()
            .filter_map(|code| {
                let (line, length) = code.facts.looks.odd_line?;
                let acts = code.facts.facts.iter().any(|fact| fact.line == line && is_capability(fact.what));
                acts.then_some((code.path.as_str(), (line, length)))
            })
            .collect();
        for file in &package.files {
            if self.files.len() >= FILES {
                self.dropped += 1;
                continue;
            }
            let line = FileLine {
                bytes: file.bytes,
                digest: file.digest.clone(),
                entropy: file.entropy,
                native: file.is_native(),
                odd_line: odd.get(file.path.as_str()).copied(),
            };
            self.files.insert(file.path.clone(), line);
        }
    }
}

fn is_capability(what: What) -> bool {
    !matches!(
        what,
        What::Text
            | What::Decode
            | What::BigConstant
            | What::EnvRead
            | What::FileRead
            | What::FolderRead
            | What::FileWrite
            | What::FileDelete
            | What::DynamicImport
    )
}

/// The part of a detail that stays the same from release to release.
fn with(what: What, detail: &str) -> String {
    match what {
        What::NetSend | What::NetReceive | What::ChannelReceive | What::DnsQuery | What::DnsReceive => {
            let start =
                detail.find("://").map_or(0, |at| detail[..at].rfind(' ').map_or(0, |space| space + 1));
            Address::of(&detail[start..])
                .filter(Address::is_constant)
                .map(|address| address.host)
                .unwrap_or_default()
        }
        What::Exec | What::ExecDetached | What::ExecOutput => {
            let program = detail.split_whitespace().next().unwrap_or_default();
            program.rsplit(['/', '\\']).next().unwrap_or_default().trim_matches('*').to_owned()
        }
        What::GlobalHook | What::Eval => detail[..detail.floor_char_boundary(32)].to_owned(),
        _ => String::new(),
    }
}

/// What a release is compared by besides its summary.
#[derive(Clone, Copy, Debug, Default)]
pub struct Between {
    /// Days between the two releases, where known.
    pub days: Option<u64>,
}

/// What the current release can do that the previous one could not. Where [less](Summary::is_less_parsed_than) of the previous
/// one was parsed, what its code does is not compared.
#[must_use]
pub fn compare(previous: &Summary, current: &Summary, between: Between) -> Vec<Finding> {
    if previous.format != SUMMARY_VERSION || current.format != SUMMARY_VERSION {
        return Vec::new();
    }
    let mut told = Told {
        findings: Vec::new(),
        step: Step::of(&previous.version, &current.version),
        from: previous.version.clone(),
        reads_code: !previous.is_less_parsed_than(current),
    };
    if told.reads_code {
        told.capabilities(previous, current);
    }
    told.hooks(previous, current);
    told.files(previous, current);
    told.dependencies(previous, current);
    if let (Some(before), Some(now)) = (&previous.extension, &current.extension) {
        told.findings.extend(crate::extensions::compare(before, now, &previous.version));
    }
    if let (Some(before), Some(now)) = (&previous.tools, &current.tools) {
        told.findings.extend(crate::mcp::compare(before, now));
    }
    let grave = told.findings.iter().any(|finding| finding.severity >= FindingSeverity::Medium);
    if grave && between.days.is_some_and(|days| days >= SILENCE_DAYS) {
        let days = between.days.unwrap_or_default();
        let message =
            format!("ends a silence of {days} days with abilities that the release before did not have");
        told.add("behaviour/meta-dormant", (FindingSeverity::Medium, Confidence::Medium), "", message, "");
    }
    told.findings
}

/// How far two releases say that they are from each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Step {
    Patch,
    Minor,
    Major,
}

impl Step {
    fn of(previous: &str, current: &str) -> Self {
        let numbers = |version: &str| -> Vec<u64> {
            version
                .trim_start_matches('v')
                .split(['.', '-', '+'])
                .map_while(|part| part.parse().ok())
                .take(3)
                .collect()
        };
        let (before, after) = (numbers(previous), numbers(current));
        match (before.first() == after.first(), before.get(1) == after.get(1)) {
            (true, true) => Self::Patch,
            (true, false) => Self::Minor,
            _ => Self::Major,
        }
    }
}

struct Told {
    findings: Vec<Finding>,
    step: Step,
    from: String,
    /// Whether what the code of both does can be compared.
    reads_code: bool,
}

/// Abilities that a release at most rarely gains without saying so in its first number.
const STRONG: &[What] = &[
    What::NetSend,
    What::Exec,
    What::ExecDetached,
    What::Eval,
    What::EnvAll,
    What::DnsQuery,
    What::SocketToProcess,
    What::LibraryLoad,
    What::ExecMemory,
    What::GlobalHook,
    What::KeychainRead,
    What::ClipboardRead,
    What::NetReceive,
    What::ChannelReceive,
];

impl Told {
    fn add(
        &mut self,
        detector: &str,
        (severity, confidence): (FindingSeverity, Confidence),
        path: &str,
        message: String,
        evidence: &str,
    ) {
        if self.findings.len() >= FINDINGS
            || self.findings.iter().any(|f| f.message == message && f.location.path == path)
        {
            return;
        }
        self.findings.push(Finding {
            detector: detector.to_owned(),
            kind: FindingKind::Malware,
            severity,
            confidence,
            location: Location { path: path.to_owned(), ..Location::default() },
            message,
            evidence: (!evidence.is_empty()).then(|| evidence.to_owned()),
            secret_hash: None,
            count: 1,
        });
    }

    fn capabilities(&mut self, previous: &Summary, current: &Summary) {
        let early = |stage: Stage| stage <= Stage::Import;
        let had_kind: BTreeSet<(bool, What)> =
            previous.capabilities.iter().map(|c| (early(c.stage), c.what)).collect();
        let hosts: BTreeSet<&str> = previous.capabilities.iter().map(|c| c.with.as_str()).collect();
        for new in current.capabilities.difference(&previous.capabilities) {
            let new_kind = !had_kind.contains(&(early(new.stage), new.what));
            if !STRONG.contains(&new.what) || !early(new.stage) || !new_kind {
                continue;
            }
            let elsewhere = previous.capabilities.iter().any(|c| c.what == new.what);
            // One ability alone is medium; what is done with it is told by the passages.
            let grade = match (new.stage, self.step, elsewhere) {
                (Stage::Install | Stage::Startup, Step::Patch | Step::Minor, false) => {
                    (FindingSeverity::High, Confidence::Medium)
                }
                (_, Step::Patch, false) if !hosts.contains(new.with.as_str()) && is_net(new.what) => {
                    (FindingSeverity::High, Confidence::Medium)
                }
                (_, Step::Major, _) => (FindingSeverity::Low, Confidence::Medium),
                _ => (FindingSeverity::Medium, Confidence::Medium),
            };
            let message =
                format!("can {} {}, which {} could not", ability(new.what), moment(new.stage), self.from);
            self.add("behaviour/diff-capability", grade, "", message, &new.with);
        }
        let had: BTreeSet<(What, What)> = previous.passages.iter().map(|p| (p.from, p.to)).collect();
        for new in current.passages.iter().filter(|p| !had.contains(&(p.from, p.to))) {
            let private = matches!(
                new.from,
                What::EnvAll
                    | What::HostIdentity
                    | What::KeychainRead
                    | What::ClipboardRead
                    | What::FileRead
                    | What::ExecOutput
            );
            let leaves = matches!(new.to, What::NetSend | What::DnsQuery);
            let remote =
                matches!(new.from, What::NetReceive | What::ChannelReceive | What::DnsReceive | What::Decode);
            let runs = matches!(new.to, What::Exec | What::ExecDetached | What::Eval | What::LibraryLoad);
            if !(private && leaves || remote && runs) {
                continue;
            }
            let grade = match (early(new.stage), self.step) {
                (true, Step::Patch | Step::Minor) => (FindingSeverity::High, Confidence::Medium),
                (false, Step::Patch) if !new.with.is_empty() && private => {
                    (FindingSeverity::High, Confidence::Low)
                }
                _ => (FindingSeverity::Medium, Confidence::Low),
            };
            let what =
                if leaves { "sends data of the machine away" } else { "runs what it fetches or decodes" };
            let message = format!("{what} {}, which {} did not", moment(new.stage), self.from);
            self.add("behaviour/diff-capability", grade, "", message, &new.with);
        }
    }

    fn hooks(&mut self, previous: &Summary, current: &Summary) {
        for (name, command) in current.hooks.iter().filter(|(name, _)| !previous.hooks.contains_key(*name)) {
            let builds = command == "node-gyp rebuild" || name.starts_with("<!");
            let grade = match self.step {
                _ if builds => (FindingSeverity::Low, Confidence::High),
                Step::Patch => (FindingSeverity::High, Confidence::Low),
                _ => (FindingSeverity::Medium, Confidence::Medium),
            };
            // A script that comes with graver findings is not there to build.
            let is_odd = self.reads_code && !current.grave.is_subset(&previous.grave);
            let grade = if is_odd && !builds { (FindingSeverity::High, Confidence::Medium) } else { grade };
            let message = format!("has a `{name}` script, which {} had not", self.from);
            self.add("behaviour/diff-capability", grade, "package.json", message, command);
        }
    }

    fn dependencies(&mut self, previous: &Summary, current: &Summary) {
        let new: Vec<&str> =
            current.dependencies.difference(&previous.dependencies).map(String::as_str).take(5).collect();
        if self.step == Step::Patch && !new.is_empty() {
            let message = format!("depends on packages that {} did not depend on", self.from);
            let grade = (FindingSeverity::Low, Confidence::High);
            self.add("behaviour/diff-capability", grade, "", message, &new.join(", "));
        }
    }

    fn files(&mut self, previous: &Summary, current: &Summary) {
        let had_native = previous.files.values().any(|file| file.native);
        for (path, file) in &current.files {
            let before = previous.files.get(path);
            if file.native && !had_native && !current.is_native {
                let message =
                    format!("holds machine code, which {} did not, and says nothing of it", self.from);
                self.add(
                    "behaviour/bin-undeclared",
                    (FindingSeverity::Medium, Confidence::High),
                    path,
                    message,
                    "",
                );
            }
            let Some(before) = before.filter(|before| before.digest != file.digest) else { continue };
            // A bundle of one line that got a comment above it has lines now, and still is that one line.
            let is_bundle = |length: u32| {
                let length = u64::from(length);
                length.saturating_mul(5) >= file.bytes.saturating_mul(4)
                    && before.bytes.saturating_mul(2) >= length
            };
            if self.reads_code
                && file.odd_line.is_some_and(|(_, length)| !is_bundle(length))
                && before.odd_line.is_none()
            {
                let grade = if self.step == Step::Major {
                    (FindingSeverity::Medium, Confidence::Low)
                } else {
                    (FindingSeverity::High, Confidence::Medium)
                };
                let message = format!(
                    "a line was added that is unlike the rest of the file and acts; {} had none",
                    self.from
                );
                self.add("behaviour/obf-tail", grade, path, message, "");
            }
            if file.bytes > before.bytes.saturating_mul(4) && file.bytes - before.bytes > GROWTH_BYTES {
                let message =
                    format!("is {} times as long as in {}", file.bytes / before.bytes.max(1), self.from);
                self.add(
                    "behaviour/diff-capability",
                    (FindingSeverity::Low, Confidence::Medium),
                    path,
                    message,
                    "",
                );
            }
            let is_script = [".js", ".mjs", ".cjs", ".py", ".rs"].iter().any(|ending| path.ends_with(ending));
            if is_script && file.entropy >= before.entropy.saturating_add(8) && file.entropy > 55 {
                let message = format!("looks much less like written code than in {}", self.from);
                self.add(
                    "behaviour/diff-capability",
                    (FindingSeverity::Medium, Confidence::Low),
                    path,
                    message,
                    "",
                );
            }
        }
    }
}

fn is_net(what: What) -> bool {
    matches!(what, What::NetSend | What::DnsQuery | What::ChannelReceive | What::NetReceive)
}

fn moment(stage: Stage) -> &'static str {
    match stage {
        Stage::Install => "while it is installed",
        Stage::Startup => "at every start of the interpreter",
        Stage::Import => "as soon as it is loaded",
        Stage::Call => "when it is called",
        Stage::Aside => "in its tests",
    }
}

fn ability(what: What) -> &'static str {
    match what {
        What::NetSend => "send to the network",
        What::NetReceive | What::ChannelReceive => "take from the network",
        What::DnsQuery => "look up names",
        What::Exec | What::ExecDetached => "start programs",
        What::Eval => "run text as code",
        What::EnvAll => "read the whole environment",
        What::SocketToProcess => "give a shell away",
        What::LibraryLoad => "load native libraries",
        What::ExecMemory => "make memory executable",
        What::GlobalHook => "replace functions that others use",
        What::KeychainRead => "read the system's credential store",
        What::ClipboardRead => "read the clipboard",
        _ => "do more",
    }
}
