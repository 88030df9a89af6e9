//! Reads what assistants load: servers and their tools, lists of tools, listings of registries, configurations of clients, rules.
//!
//! A model obeys what it reads, and a client starts what its configuration names. Content decides what a document is; only files
//! that clients know by their name (`tasks.json`, `CLAUDE.md`) are known by it here. Readers tell remarks; the [detectors], one
//! file each, say what a remark means. No server is started or asked.

pub mod canonical;
pub mod change;
mod config;
pub mod detectors;
pub(crate) mod hidden;
mod judge;
mod registry;
mod relaxed;
pub(crate) mod remark;
mod rules;
mod source;
#[cfg(test)]
mod tests;
pub mod tools;
mod words;

use std::collections::BTreeSet;

use serde_json::Value;
use tidegate_model::Finding;
use tidegate_model::finding::{Confidence, FindingSeverity};

use crate::behaviour::facts::FileFacts;
use crate::behaviour::package::Package;
use crate::behaviour::stages::is_aside;
use crate::inspection::Verdict;
use crate::{Format, Leaf, Role};
use judge::{Reader, judge, parameter};
use remark::{Told, What};
use tools::ToolList;

pub(crate) use config::weak as weak_setting;

/// Findings of all leaves that are kept.
const FINDINGS: usize = 400;

/// Lists of tools of one artifact that are kept.
const LISTS: usize = 20;

/// Texts of one list of tools that are judged.
const TEXTS: usize = 20_000;

/// Depth of schemas that is read.
const DEPTH: u32 = 60;

/// Builds the tables that readers use, so that the first one does not wait for them.
pub(crate) fn prepare() {
    words::prepare();
}

/// What an artifact is to an assistant.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Mcp {
    /// What documents for assistants it holds, in the order of their names: `client-configuration`, `instructions`, `server`,
    /// `server-listing`, `tool-list`; empty where it holds none.
    pub forms: Vec<String>,
    /// Whether the artifact itself is a server, or what stands for one: its listing or its list of tools.
    pub is_server: bool,
    /// Its list of tools, where it is one or holds exactly one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolList>,
}

/// What reading an artifact came to.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) findings: Vec<Finding>,
    pub(crate) dropped: u64,
    pub(crate) mcp: Mcp,
    pub(crate) verdict: Verdict,
    /// Detectors behind the verdict.
    pub(crate) behind: Vec<String>,
}

/// Takes the leaves of one artifact.
#[derive(Debug, Default)]
pub(crate) struct McpCollector {
    findings: Vec<Finding>,
    /// What only the code of a server says to a model: texts in the source of what is none are read by people.
    of_code: Vec<Finding>,
    dropped: u64,
    forms: BTreeSet<&'static str>,
    lists: Vec<ToolList>,
    /// Whether one of its documents is all there is.
    is_whole: bool,
    /// Bytes of a source that may be parsed; none for no bound but the reader's own.
    parsed_bytes: Option<usize>,
}

impl McpCollector {
    /// Begins; `parsed_bytes` is how large a source may be that is parsed.
    pub(crate) fn new(parsed_bytes: Option<usize>) -> Self {
        Self { parsed_bytes, ..Self::default() }
    }

    /// Takes one leaf.
    pub(crate) fn leaf(&mut self, leaf: &Leaf<'_>) {
        if !matches!(leaf.place.role, Role::Member | Role::OtherReading) {
            return;
        }
        let path = crate::manifests::inner(leaf.path);
        let is_whole = leaf.place.depth == 0;
        let mut told = Told::default();
        let mut of_code = Told::default();
        match leaf.format {
            Format::Json | Format::Text | Format::Empty | Format::Binary | Format::Utf16 => {
                self.read(leaf, path, is_whole, &mut told, &mut of_code);
            }
            _ => {}
        }
        let said = self.judged(leaf.path, path, &told, self.findings.len());
        self.findings.extend(said);
        let said = self.judged(leaf.path, path, &of_code, self.of_code.len());
        self.of_code.extend(said);
    }

    fn read(&mut self, leaf: &Leaf<'_>, path: &str, is_whole: bool, told: &mut Told, of_code: &mut Told) {
        let bytes = leaf.bytes;
        if rules::is_rules(path, is_whole) {
            self.forms.insert("instructions");
            rules::read(bytes, told);
        }
        if let Some(document) = may_be_document(bytes).then(|| relaxed::read(bytes)).flatten() {
            self.document(&document, path, is_whole, told);
        } else if path.ends_with(".toml") {
            if let Some(text) =
                std::str::from_utf8(bytes).ok().filter(|_| bytes.len() < relaxed::DOCUMENT_BYTES)
                && config::read_toml(text, told)
            {
                self.forms.insert("client-configuration");
            }
        } else if self.parsed_bytes.is_none_or(|most| bytes.len() <= most) {
            source::read(path, bytes, of_code);
        }
    }

    fn document(&mut self, document: &Value, path: &str, is_whole: bool, told: &mut Told) {
        if let Some(list) = ToolList::of(document) {
            self.forms.insert("tool-list");
            self.is_whole |= is_whole;
            texts(document, told);
            if self.lists.len() < LISTS {
                self.lists.push(list);
            }
        }
        if registry::is_listing(document) {
            self.forms.insert("server-listing");
            self.is_whole |= is_whole;
            registry::read(document, told);
        }
        if let Some(server) = document.get("server").and_then(Value::as_object)
            && let Some(entry) = server.get("mcp_config").and_then(Value::as_object)
        {
            self.forms.insert("server");
            config::server("mcp_config", entry, told);
            for key in ["description", "long_description", "display_name"] {
                if let Some(text) = document.get(key).and_then(Value::as_str) {
                    judge(text, Reader::Tool)
                        .into_iter()
                        .for_each(|(what, evidence)| told.add(what, key, evidence));
                }
            }
        }
        if config::read(document, path, told) {
            self.forms.insert("client-configuration");
        }
    }

    /// The findings of one leaf, beside those that are `kept` already.
    fn judged(&mut self, full: &str, path: &str, told: &Told, kept: usize) -> Vec<Finding> {
        let mut findings = Vec::new();
        self.dropped += told.dropped;
        let aside = is_aside(path);
        for remark in &told.remarks {
            let dropped = &mut self.dropped;
            detectors::judge(remark, full, &mut |mut finding| {
                if aside {
                    // What only tests and examples hold, nobody is given.
                    finding.severity = finding.severity.min(FindingSeverity::Low);
                }
                if kept + findings.len() < FINDINGS { findings.push(finding) } else { *dropped += 1 }
            });
        }
        findings
    }

    /// What all of it comes to; `is_server` is whether its code or manifest says that it is a server.
    pub(crate) fn finish(mut self, is_server: bool) -> Read {
        if is_server {
            self.forms.insert("server");
        } else {
            // Code that only mentions servers is judged as any other code.
            self.findings.retain(|finding| !detectors::is_of_server_code(&finding.detector));
            self.of_code.retain(|finding| !detectors::is_of_server_code(&finding.detector));
            for finding in &mut self.of_code {
                finding.severity = finding.severity.min(FindingSeverity::Low);
            }
        }
        self.findings.append(&mut self.of_code);
        let (verdict, behind) = verdict(&self.findings);
        let tools = (self.lists.len() == 1).then(|| self.lists.pop()).flatten();
        let mcp = Mcp {
            forms: self.forms.iter().map(|form| (*form).to_owned()).collect(),
            is_server: is_server || self.is_whole,
            tools,
        };
        Read { findings: self.findings, dropped: self.dropped, mcp, verdict, behind }
    }
}

/// Whether a package is a server: it is built on a library for servers, or declares tools itself.
pub(crate) fn is_server(package: &Package) -> bool {
    const LIBRARIES: &[&str] = &[
        "@modelcontextprotocol/sdk",
        "@modelcontextprotocol/server",
        "@modelcontextprotocol/core",
        "fastmcp",
        "mcp",
        "mcp-framework",
        "@mcp/sdk",
        "mcp-server",
        "easy-mcp",
        "xmcp",
        "mcp-handler",
    ];
    let Some(manifest) = &package.manifest else {
        return package.code.iter().any(|code| is_of_sdk(&code.facts));
    };
    let depends = manifest.dependencies.iter().any(|dependency| {
        let name = dependency.name.split(['[', ' ', '>', '=', '<', '~', ';']).next().unwrap_or_default();
        dependency.kind != "devDependencies" && LIBRARIES.contains(&name.to_ascii_lowercase().as_str())
    });
    depends || package.code.iter().any(|code| is_of_sdk(&code.facts))
}

/// Whether a file loads a library for servers.
fn is_of_sdk(facts: &FileFacts) -> bool {
    let all = facts.imports.iter().chain(&facts.late_imports);
    all.into_iter().any(|name| {
        name.starts_with("@modelcontextprotocol/") && !name.contains("/client")
            || name.starts_with("mcp.server")
            || matches!(name.as_str(), "fastmcp" | "mcp")
            || name.starts_with("fastmcp.")
    })
}

/// Documents begin like objects or lists, or with a comment.
fn may_be_document(bytes: &[u8]) -> bool {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    matches!(start.first(), Some(b'{' | b'[')) || start.starts_with(b"//") || start.starts_with(b"/*")
}

/// Every text of a list of tools: names, descriptions, schemas, defaults, instructions.
fn texts(document: &Value, told: &mut Told) {
    let holder = document.get("result").filter(|result| result.get("tools").is_some()).unwrap_or(document);
    if let Some(text) = holder.get("instructions").and_then(Value::as_str) {
        tell(text, change::INSTRUCTIONS, told);
    }
    let tools = holder.get("tools").unwrap_or(holder).as_array();
    for tool in tools.into_iter().flatten().take(tools::TOOLS) {
        let name = tool.get("name").and_then(Value::as_str).unwrap_or("a tool without a name");
        parameters(tool, 0, name, told);
        annotations(tool, name, told);
        let mut found = Vec::new();
        strings(tool, 0, &mut found);
        found.iter().for_each(|text| tell(text, name, told));
        // Orders may be spread over the parts of one tool.
        let parts: Vec<&str> = found.iter().copied().filter(|text| text.contains(' ')).take(40).collect();
        if parts.len() > 1 && told.remarks.iter().all(|remark| remark.subject != name) {
            tell(&parts.join(" \n"), name, told);
        }
    }
}

/// What the names of parameters ask for.
fn parameters(value: &Value, depth: u32, subject: &str, told: &mut Told) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| parameters(item, depth + 1, subject, told)),
        Value::Object(members) => {
            for (key, member) in members {
                if let Some(what) = parameter(key) {
                    told.add(what, subject, key);
                }
                parameters(member, depth + 1, subject, told);
            }
        }
        _ => {}
    }
}

/// Whether a tool says of itself that it only reads, and that it does more.
fn annotations(tool: &Value, subject: &str, told: &mut Told) {
    const DOES: &[&str] = &[
        "deletes",
        "delete ",
        "removes",
        "remove ",
        "drops",
        "wipes",
        "erases",
        "purges",
        "overwrites",
        "destroys",
        "uninstalls",
    ];
    let reads = tool.pointer("/annotations/readOnlyHint") == Some(&Value::Bool(true));
    let description = tool.get("description").and_then(Value::as_str).unwrap_or_default();
    let lower: String = description.chars().take(80).collect::<String>().to_lowercase();
    if reads && DOES.iter().any(|word| lower.starts_with(word)) {
        told.add(What::Steers("it says that it only reads, and that it does more"), subject, description);
    }
}

fn tell(text: &str, subject: &str, told: &mut Told) {
    judge(text, Reader::Tool).into_iter().for_each(|(what, evidence)| told.add(what, subject, evidence));
}

fn strings<'a>(value: &'a Value, depth: u32, found: &mut Vec<&'a str>) {
    if depth > DEPTH || found.len() >= TEXTS {
        return;
    }
    match value {
        Value::String(text) => found.push(text),
        Value::Array(items) => items.iter().for_each(|item| strings(item, depth + 1, found)),
        Value::Object(members) => {
            for (key, member) in members {
                found.push(key);
                strings(member, depth + 1, found);
            }
        }
        _ => {}
    }
}

/// What a registry's listing of a server says that it should not, and what that comes to. Of a value that is no listing
/// nothing is told.
#[must_use]
pub fn listing(document: &Value) -> (Verdict, Vec<Finding>) {
    let (mut told, mut findings) = (Told::default(), Vec::new());
    registry::read(document, &mut told);
    for remark in &told.remarks {
        detectors::judge(remark, "server.json", &mut |finding| {
            if findings.len() < FINDINGS {
                findings.push(finding);
            }
        });
    }
    (verdict(&findings).0, findings)
}

/// What findings hold an artifact, and whether they leave no doubt.
pub(crate) fn verdict(findings: &[Finding]) -> (Verdict, Vec<String>) {
    let holds = |f: &&Finding| f.severity >= FindingSeverity::High && f.confidence >= Confidence::Medium;
    let is_sure = |f: &&Finding| f.severity == FindingSeverity::Critical && f.confidence == Confidence::High;
    let ids = |found: Vec<&Finding>| -> Vec<String> {
        let ids: BTreeSet<&str> = found.iter().map(|finding| finding.detector.as_str()).collect();
        ids.into_iter().map(str::to_owned).collect()
    };
    let holding: Vec<&Finding> = findings.iter().filter(holds).collect();
    let sure: Vec<&Finding> = findings.iter().filter(is_sure).collect();
    match (sure.is_empty(), holding.is_empty()) {
        (false, _) => (Verdict::Malicious, ids(sure)),
        (true, false) => (Verdict::Suspicious, ids(holding)),
        (true, true) => (Verdict::Clean, Vec::new()),
    }
}

/// What is remarkable of a tool, by the kind.
fn remarks_of(list: &ToolList, name: &str) -> Vec<std::mem::Discriminant<What>> {
    let definition = match list.tool(name) {
        Some(tool) => tool.definition.clone().unwrap_or_default(),
        None => {
            serde_json::json!({ "name": name, "description": list.instructions.clone().filter(|_| name == change::INSTRUCTIONS) })
        }
    };
    let mut told = Told::default();
    texts(&Value::Array(vec![definition]), &mut told);
    told.remarks.iter().map(|remark| std::mem::discriminant(&remark.what)).collect()
}

/// What a change between two lists of tools means, as findings beside those of the new list itself.
#[must_use]
pub fn compare(previous: &ToolList, current: &ToolList) -> Vec<Finding> {
    let changes = change::compare(previous, current);
    let mut findings: Vec<Finding> = changes.iter().filter_map(detectors::tool_changed).collect();
    for (change, finding) in changes.iter().zip(&mut findings) {
        let now = remarks_of(current, &change.tool);
        let before = remarks_of(previous, &change.tool);
        // What steered nobody when it was approved, and steers somebody now, was not approved.
        if now.iter().any(|what| !before.contains(what)) {
            finding.severity = FindingSeverity::High;
        }
    }
    findings
}
