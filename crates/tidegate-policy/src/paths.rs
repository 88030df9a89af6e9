//! The facts that rules can read: each path with its type, its group and how to reach it.
//!
//! A path is resolved once, when a policy is compiled; deciding follows a function pointer, never a name.

use tidegate_model::facts::{FactState, Facts, Group, Severity, Vulnerability};
use tidegate_model::{Ecosystem, Timestamp};

/// What kind of value stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Type {
    /// Free text.
    Text,
    /// One of a closed list of words.
    Word(&'static [&'static str]),
    Bool,
    Number,
    Time,
    Severity,
    /// An SPDX licence expression.
    Licence,
    /// A version, in the order of the artifact's ecosystem.
    Version,
    List,
}

impl Type {
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Word(_) => "a word of a closed list",
            Self::Bool => "true or false",
            Self::Number => "a number",
            Self::Time => "a time",
            Self::Severity => "a severity",
            Self::Licence => "a licence expression",
            Self::Version => "a version",
            Self::List => "a list of texts",
        }
    }
}

/// A value found at a path.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Value<'a> {
    Text(&'a str),
    Bool(bool),
    Number(f64),
    Time(Timestamp),
    Severity(Severity),
    List(&'a [String]),
    /// Greater than every number: "never" where days since an event are asked.
    Never,
    /// Not stated.
    Null,
}

impl Value<'_> {
    pub(crate) fn to_json(self) -> Option<serde_json::Value> {
        match self {
            Value::Text(t) => Some(t.into()),
            Value::Bool(b) => Some(b.into()),
            // Counts read as `3`, not `3.0`.
            Value::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => Some((n as i64).into()),
            Value::Number(n) => Some(n.into()),
            Value::Time(t) => Some(t.to_string().into()),
            Value::Severity(s) => Some(severity_word(s).into()),
            Value::List(l) => Some(l.into()),
            Value::Never => Some("never".into()),
            Value::Null => None,
        }
    }
}

/// What a null means at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NullMeans {
    /// Not known: the source does not say.
    NotOffered,
    /// Not known yet: it needs the bytes.
    Pending,
    /// There is none; comparisons are false.
    Nothing,
}

macro_rules! groups {
    ($($variant:ident $field:ident),* $(,)?) => {
        /// A group of facts. The first four have no envelope and are always known.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub(crate) enum GroupId { Artifact, Principal, Repository, Request, $($variant),* }

        impl GroupId {
            pub(crate) const ENVELOPED: &'static [Self] = &[$(Self::$variant),*];

            pub(crate) const fn as_str(self) -> &'static str {
                match self {
                    Self::Artifact => "artifact",
                    Self::Principal => "principal",
                    Self::Repository => "repository",
                    Self::Request => "request",
                    $(Self::$variant => stringify!($field)),*
                }
            }

            /// How the group is known at `now`, and until when that holds.
            pub(crate) fn state(self, facts: &Facts, now: Timestamp) -> (FactState, Option<Timestamp>) {
                match self {
                    Self::Artifact | Self::Principal | Self::Repository | Self::Request => (FactState::Known, None),
                    $(Self::$variant => envelope(&facts.$field, now)),*
                }
            }

            pub(crate) fn why(self, facts: &Facts) -> Option<&str> {
                match self {
                    Self::Artifact | Self::Principal | Self::Repository | Self::Request => None,
                    $(Self::$variant => facts.$field.why.as_deref()),*
                }
            }

            /// The group as canonical JSON: the schema's order of fields, nothing but what is set.
            pub(crate) fn write(self, facts: &Facts, out: &mut Vec<u8>) {
                let written = match self {
                    Self::Artifact => serde_json::to_writer(out, &facts.artifact),
                    Self::Principal => serde_json::to_writer(out, &facts.principal),
                    Self::Repository => serde_json::to_writer(out, &facts.repository),
                    Self::Request => serde_json::to_writer(out, &facts.request),
                    $(Self::$variant => serde_json::to_writer(out, &facts.$field)),*
                };
                written.expect("facts hold nothing that JSON cannot write");
            }
        }
    };
}
groups!(
    Vulnerabilities vulnerabilities,
    Malware malware,
    Contents contents,
    Licence licence,
    Provenance provenance,
    Scripts scripts,
    Binary binary,
    Secrets secrets,
    Model model,
    Extension extension,
    Mcp mcp,
    Publisher publisher,
    Lifecycle lifecycle,
    Name name,
    Approval approval,
    Application application,
);

impl GroupId {
    /// Whether what the group holds are findings: a recorded one stays a finding whatever the state.
    pub(crate) const fn holds_findings(self) -> bool {
        matches!(self, Self::Vulnerabilities | Self::Malware | Self::Contents | Self::Secrets | Self::Model)
    }

    pub(crate) const fn bit(self) -> u32 {
        1 << self as u32
    }

    pub(crate) fn by_name(name: &str) -> Option<Self> {
        Self::ENVELOPED.iter().copied().find(|g| g.as_str() == name)
    }
}

fn envelope<T>(group: &Group<T>, now: Timestamp) -> (FactState, Option<Timestamp>) {
    match (group.state, &group.value, group.fresh_until) {
        // An envelope that says known and holds nothing contradicts itself.
        (FactState::Known, None, _) => (FactState::Error, None),
        (FactState::Known, _, Some(end)) if now >= end => (FactState::Stale, None),
        (FactState::Known, _, end) => (FactState::Known, end),
        (state, ..) => (state, None),
    }
}

/// A fact of the whole document.
pub(crate) struct PathSpec {
    pub(crate) name: &'static str,
    pub(crate) group: GroupId,
    pub(crate) ty: Type,
    pub(crate) null: NullMeans,
    pub(crate) get: for<'a> fn(&'a Facts) -> Value<'a>,
}

/// A fact of one advisory.
pub(crate) struct ItemSpec {
    pub(crate) name: &'static str,
    pub(crate) ty: Type,
    pub(crate) null: NullMeans,
    pub(crate) get: for<'a> fn(&'a Vulnerability) -> Value<'a>,
}

fn text(value: Option<&String>) -> Value<'_> {
    value.map_or(Value::Null, |v| Value::Text(v))
}

/// Text where the empty string means that nothing is said.
fn said(value: &str) -> Value<'_> {
    if value.is_empty() { Value::Null } else { Value::Text(value) }
}

fn flag(value: Option<bool>) -> Value<'static> {
    value.map_or(Value::Null, Value::Bool)
}

fn time(value: Option<Timestamp>) -> Value<'static> {
    value.map_or(Value::Null, Value::Time)
}

/// Age by our own clock; what stood in the first document ever fetched has none.
fn first_seen(facts: &Facts) -> Value<'_> {
    if facts.artifact.bootstrap { Value::Null } else { time(facts.artifact.first_seen_at) }
}

pub(crate) const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::None => "none",
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

pub(crate) fn severity_of(word: &str) -> Option<Severity> {
    [Severity::None, Severity::Low, Severity::Medium, Severity::High, Severity::Critical]
        .into_iter()
        .find(|s| severity_word(*s) == word)
}

const ECOSYSTEMS: [&str; Ecosystem::ALL.len()] = {
    let mut words = [""; Ecosystem::ALL.len()];
    let mut i = 0;
    while i < words.len() {
        words[i] = Ecosystem::ALL[i].as_str();
        i += 1;
    }
    words
};
const KINDS: &[&str] = &["package", "image", "model", "extension", "mcp_server", "archive", "file"];
const VERDICTS: &[&str] = &["clean", "suspicious", "malicious"];
const PROVENANCE: &[&str] = &["verified", "offered", "absent", "unsupported", "invalid"];
const EVIDENCE: &[&str] = &["inclusion_proof", "timestamp", "promise", "key"];
const PRINCIPALS: &[&str] = &["human", "ci", "agent", "anonymous"];
const REPOSITORIES: &[&str] = &["remote", "hosted", "virtual"];
const PARTS: &[&str] = &["server", "tool", "prompt", "instructions", "call", "answer"];
const PINS: &[&str] = &["first_seen", "approved", "changed", "new", "expired", "revoked"];
const OPERATIONS: &[&str] = &["index", "artifact"];
const DIFFERENCES: &[&str] =
    &["swap", "omission", "repetition", "replacement", "separator", "affix", "scope"];
const HELD: &[&str] = &["waiting", "dismissed"];
const EXPLOITATION: &[&str] = &["none", "poc", "active"];
const IMPACT: &[&str] = &["partial", "total"];
const VEX: &[&str] = &["not_affected", "affected", "fixed", "under_investigation"];

macro_rules! path {
    ($name:literal, $group:ident, $ty:expr, $null:ident, $get:expr) => {
        PathSpec { name: $name, group: GroupId::$group, ty: $ty, null: NullMeans::$null, get: $get }
    };
}

/// Reads one field of an enveloped group.
macro_rules! of {
    ($group:ident, |$v:ident| $value:expr) => {
        |facts| facts.$group.value.as_ref().map_or(Value::Null, |$v| $value)
    };
}

/// Every path a rule can read.
pub(crate) static PATHS: &[PathSpec] = &[
    path!("artifact.kind", Artifact, Type::Word(KINDS), NotOffered, |f| f
        .artifact
        .kind
        .map_or(Value::Null, |k| Value::Text(k.as_str()))),
    path!("artifact.ecosystem", Artifact, Type::Word(&ECOSYSTEMS), NotOffered, |f| f
        .artifact
        .ecosystem
        .map_or(Value::Null, |e| Value::Text(e.as_str()))),
    path!("artifact.name", Artifact, Type::Text, NotOffered, |f| said(&f.artifact.name)),
    path!("artifact.version", Artifact, Type::Version, NotOffered, |f| said(&f.artifact.version)),
    path!("artifact.file", Artifact, Type::Text, NotOffered, |f| said(&f.artifact.file)),
    path!("artifact.purl", Artifact, Type::Text, NotOffered, |f| said(&f.artifact.purl)),
    path!("artifact.size", Artifact, Type::Number, Pending, |f| f
        .artifact
        .size
        .map_or(Value::Null, |s| Value::Number(s as f64))),
    path!("artifact.published_at", Artifact, Type::Time, NotOffered, |f| time(f.artifact.published_at)),
    path!("artifact.first_seen_at", Artifact, Type::Time, NotOffered, first_seen),
    path!("artifact.known_since", Artifact, Type::Time, NotOffered, |f| match f.artifact.published_at {
        Some(at) => Value::Time(at),
        None => first_seen(f),
    }),
    path!("artifact.project_published_at", Artifact, Type::Time, NotOffered, |f| time(
        f.artifact.project_published_at
    )),
    path!("artifact.bootstrap", Artifact, Type::Bool, NotOffered, |f| Value::Bool(f.artifact.bootstrap)),
    path!("artifact.pinned", Artifact, Type::Bool, NotOffered, |f| flag(f.artifact.pinned)),
    path!("artifact.security_fix_for", Artifact, Type::List, NotOffered, |f| Value::List(
        &f.artifact.security_fix_for
    )),
    path!("artifact.admitted_before", Artifact, Type::Bool, NotOffered, |f| Value::Bool(
        f.artifact.admitted_before
    )),
    path!("artifact.prerelease", Artifact, Type::Bool, NotOffered, |f| Value::Bool(f.artifact.prerelease)),
    path!("is_security_fix", Artifact, Type::Bool, NotOffered, |f| Value::Bool(
        !f.artifact.security_fix_for.is_empty()
    )),
    path!("malware.verdict", Malware, Type::Word(VERDICTS), NotOffered, of!(malware, |v| said(&v.verdict))),
    path!("malware.held", Malware, Type::Word(HELD), Nothing, of!(malware, |v| text(v.held.as_ref()))),
    path!("malware.reports", Malware, Type::List, NotOffered, of!(malware, |v| Value::List(&v.reports))),
    path!(
        "contents.verdict",
        Contents,
        Type::Word(VERDICTS),
        NotOffered,
        of!(contents, |v| said(&v.verdict))
    ),
    path!(
        "contents.detectors",
        Contents,
        Type::List,
        NotOffered,
        of!(contents, |v| Value::List(&v.detectors))
    ),
    path!("contents.summary", Contents, Type::Text, Nothing, of!(contents, |v| text(v.summary.as_ref()))),
    path!("contents.complete", Contents, Type::Bool, NotOffered, of!(contents, |v| flag(v.complete))),
    path!("contents.not_seen", Contents, Type::List, NotOffered, of!(contents, |v| Value::List(&v.not_seen))),
    path!(
        "licence.expression",
        Licence,
        Type::Licence,
        NotOffered,
        of!(licence, |v| text(v.expression.as_ref()))
    ),
    path!(
        "licence.declared",
        Licence,
        Type::Licence,
        NotOffered,
        of!(licence, |v| text(v.declared.as_ref()))
    ),
    path!(
        "licence.concluded",
        Licence,
        Type::Licence,
        NotOffered,
        of!(licence, |v| text(v.concluded.as_ref()))
    ),
    path!(
        "provenance.status",
        Provenance,
        Type::Word(PROVENANCE),
        NotOffered,
        of!(provenance, |v| said(&v.status))
    ),
    path!(
        "provenance.builder",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.builder.as_ref()))
    ),
    path!(
        "provenance.source",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.source.as_ref()))
    ),
    path!(
        "provenance.slsa_level",
        Provenance,
        Type::Number,
        NotOffered,
        of!(provenance, |v| v.slsa_level.map_or(Value::Null, |l| Value::Number(l.into())))
    ),
    path!(
        "provenance.issuer",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.issuer.as_ref()))
    ),
    path!(
        "provenance.reason",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.reason.as_ref()))
    ),
    path!(
        "provenance.proven",
        Provenance,
        Type::List,
        NotOffered,
        of!(provenance, |v| Value::List(&v.proven))
    ),
    path!(
        "provenance.commit",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.commit.as_ref()))
    ),
    path!(
        "provenance.workflow",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.workflow.as_ref()))
    ),
    path!(
        "provenance.evidence",
        Provenance,
        Type::Word(EVIDENCE),
        NotOffered,
        of!(provenance, |v| text(v.evidence.as_ref()))
    ),
    path!("provenance.signed_at", Provenance, Type::Time, NotOffered, of!(provenance, |v| time(v.signed_at))),
    path!(
        "provenance.source_changed",
        Provenance,
        Type::Bool,
        NotOffered,
        of!(provenance, |v| flag(v.source_changed))
    ),
    path!(
        "provenance.source_before",
        Provenance,
        Type::Text,
        NotOffered,
        of!(provenance, |v| text(v.source_before.as_ref()))
    ),
    path!(
        "provenance.builder_changed",
        Provenance,
        Type::Bool,
        NotOffered,
        of!(provenance, |v| flag(v.builder_changed))
    ),
    path!("provenance.dropped", Provenance, Type::Bool, NotOffered, of!(provenance, |v| flag(v.dropped))),
    path!("scripts.install", Scripts, Type::Bool, NotOffered, of!(scripts, |v| flag(v.install))),
    path!(
        "scripts.new_in_version",
        Scripts,
        Type::Bool,
        NotOffered,
        of!(scripts, |v| flag(v.new_in_version))
    ),
    path!("binary.native", Binary, Type::Bool, NotOffered, of!(binary, |v| flag(v.native))),
    path!(
        "secrets.count",
        Secrets,
        Type::Number,
        NotOffered,
        of!(secrets, |v| v.count.map_or(Value::Null, |c| Value::Number(c.into())))
    ),
    path!("secrets.detectors", Secrets, Type::List, NotOffered, of!(secrets, |v| Value::List(&v.detectors))),
    path!("model.formats", Model, Type::List, NotOffered, of!(model, |v| Value::List(&v.formats))),
    path!("model.unsafe_code", Model, Type::Bool, NotOffered, of!(model, |v| flag(v.unsafe_code))),
    path!("model.remote_code", Model, Type::Bool, NotOffered, of!(model, |v| flag(v.remote_code))),
    path!(
        "extension.permissions",
        Extension,
        Type::List,
        NotOffered,
        of!(extension, |v| Value::List(&v.permissions))
    ),
    path!(
        "extension.activation",
        Extension,
        Type::List,
        NotOffered,
        of!(extension, |v| Value::List(&v.activation))
    ),
    path!("extension.brings", Extension, Type::List, NotOffered, of!(extension, |v| Value::List(&v.brings))),
    path!(
        "extension.refused",
        Extension,
        Type::List,
        NotOffered,
        of!(extension, |v| Value::List(&v.refused))
    ),
    path!(
        "extension.blocked",
        Extension,
        Type::List,
        NotOffered,
        of!(extension, |v| Value::List(&v.blocked))
    ),
    path!("mcp.transport", Mcp, Type::Text, NotOffered, of!(mcp, |v| text(v.transport.as_ref()))),
    path!("mcp.tools", Mcp, Type::List, NotOffered, of!(mcp, |v| Value::List(&v.tools))),
    path!("mcp.server", Mcp, Type::Text, Nothing, of!(mcp, |v| text(v.server.as_ref()))),
    path!("mcp.part", Mcp, Type::Word(PARTS), Nothing, of!(mcp, |v| text(v.part.as_ref()))),
    path!("mcp.item", Mcp, Type::Text, Nothing, of!(mcp, |v| text(v.item.as_ref()))),
    path!("mcp.pin", Mcp, Type::Word(PINS), Nothing, of!(mcp, |v| text(v.pin.as_ref()))),
    path!(
        "publisher.account",
        Publisher,
        Type::Text,
        NotOffered,
        of!(publisher, |v| text(v.account.as_ref()))
    ),
    path!("publisher.changed", Publisher, Type::Bool, NotOffered, of!(publisher, |v| flag(v.changed))),
    path!(
        "publisher.changed_days_ago",
        Publisher,
        Type::Number,
        NotOffered,
        // Null with a known publisher means that it never changed.
        of!(publisher, |v| v.changed_days_ago.map_or(Value::Never, |d| Value::Number(d as f64)))
    ),
    path!("lifecycle.yanked", Lifecycle, Type::Bool, NotOffered, of!(lifecycle, |v| Value::Bool(v.yanked))),
    path!(
        "lifecycle.yanked_reason",
        Lifecycle,
        Type::Text,
        Nothing,
        of!(lifecycle, |v| text(v.yanked_reason.as_ref()))
    ),
    path!(
        "lifecycle.deprecated",
        Lifecycle,
        Type::Bool,
        NotOffered,
        of!(lifecycle, |v| Value::Bool(v.deprecated))
    ),
    path!(
        "lifecycle.deprecated_reason",
        Lifecycle,
        Type::Text,
        Nothing,
        of!(lifecycle, |v| text(v.deprecated_reason.as_ref()))
    ),
    path!("name.resembles", Name, Type::Text, Nothing, of!(name, |v| text(v.resembles.as_ref()))),
    path!(
        "name.difference",
        Name,
        Type::Word(DIFFERENCES),
        Nothing,
        of!(name, |v| text(v.difference.as_ref()))
    ),
    path!("approval.approved", Approval, Type::Bool, NotOffered, of!(approval, |v| Value::Bool(v.approved))),
    path!("approval.id", Approval, Type::Text, Nothing, of!(approval, |v| text(v.id.as_ref()))),
    path!("approval.expires_at", Approval, Type::Time, Nothing, of!(approval, |v| time(v.expires_at))),
    path!("principal.id", Principal, Type::Text, Nothing, |f| said(&f.principal.id)),
    path!("principal.kind", Principal, Type::Word(PRINCIPALS), NotOffered, |f| f
        .principal
        .kind
        .map_or(Value::Null, |k| Value::Text(k.as_str()))),
    path!("principal.groups", Principal, Type::List, NotOffered, |f| Value::List(&f.principal.groups)),
    path!("repository.name", Repository, Type::Text, NotOffered, |f| said(&f.repository.name)),
    path!("repository.kind", Repository, Type::Word(REPOSITORIES), NotOffered, |f| said(&f.repository.kind)),
    path!("repository.upstream", Repository, Type::Text, NotOffered, |f| text(
        f.repository.upstream.as_ref()
    )),
    path!("repository.private", Repository, Type::Bool, NotOffered, |f| Value::Bool(f.repository.private)),
    path!("application.name", Application, Type::Text, NotOffered, of!(application, |v| said(&v.name))),
    path!(
        "application.team",
        Application,
        Type::Text,
        NotOffered,
        of!(application, |v| text(v.team.as_ref()))
    ),
    path!(
        "application.stage",
        Application,
        Type::Text,
        NotOffered,
        of!(application, |v| text(v.stage.as_ref()))
    ),
    path!("request.operation", Request, Type::Word(OPERATIONS), NotOffered, |f| said(&f.request.operation)),
    path!("request.client", Request, Type::Text, NotOffered, |f| text(f.request.client.as_ref())),
];

macro_rules! item {
    ($name:literal, $ty:expr, $null:ident, $get:expr) => {
        ItemSpec { name: $name, ty: $ty, null: NullMeans::$null, get: $get }
    };
}

/// Every fact of one advisory, readable inside `some`, `every` and `none`.
pub(crate) static ITEM_PATHS: &[ItemSpec] = &[
    item!("id", Type::Text, NotOffered, |v| said(&v.id)),
    item!("aliases", Type::List, NotOffered, |v| Value::List(&v.aliases)),
    item!("severity", Type::Severity, NotOffered, |v| v.severity.map_or(Value::Null, Value::Severity)),
    item!("effective_severity", Type::Severity, NotOffered, |v| v
        .effective_severity
        .map_or(Value::Null, Value::Severity)),
    item!("rated_by", Type::Text, NotOffered, |v| text(v.rated_by.as_ref())),
    item!("cvss", Type::Text, NotOffered, |v| text(v.cvss.as_ref())),
    item!("cvss_score", Type::Number, NotOffered, |v| number(v.cvss_score)),
    item!("epss", Type::Number, NotOffered, |v| number(v.epss)),
    item!("kev", Type::Bool, NotOffered, |v| flag(v.kev)),
    item!("ssvc.exploitation", Type::Word(EXPLOITATION), NotOffered, |v| v
        .ssvc
        .as_ref()
        .map_or(Value::Null, |x| text(x.exploitation.as_ref()))),
    item!("ssvc.automatable", Type::Bool, NotOffered, |v| v
        .ssvc
        .as_ref()
        .map_or(Value::Null, |x| flag(x.automatable))),
    item!("ssvc.technical_impact", Type::Word(IMPACT), NotOffered, |v| v
        .ssvc
        .as_ref()
        .map_or(Value::Null, |x| text(x.technical_impact.as_ref()))),
    item!("fix_available", Type::Bool, NotOffered, |v| flag(v.fix_available)),
    item!("fixed_in", Type::List, NotOffered, |v| Value::List(&v.fixed_in)),
    item!("vex.status", Type::Word(VEX), Nothing, |v| v
        .vex
        .as_ref()
        .map_or(Value::Null, |x| said(&x.status))),
    item!("vex.author", Type::Text, Nothing, |v| v
        .vex
        .as_ref()
        .map_or(Value::Null, |x| text(x.author.as_ref()))),
    item!("vex.trusted", Type::Bool, Nothing, |v| v
        .vex
        .as_ref()
        .map_or(Value::Null, |x| Value::Bool(x.trusted))),
    item!("malicious", Type::Bool, NotOffered, |v| Value::Bool(v.malicious)),
    item!("known_since", Type::Time, NotOffered, |v| time(v.known_since)),
    item!("held", Type::Word(HELD), Nothing, |v| text(v.held.as_ref())),
];

/// A number that JSON let in but that is none (NaN cannot be compared) counts as not stated.
fn number(value: Option<f64>) -> Value<'static> {
    value.filter(|n| n.is_finite()).map_or(Value::Null, Value::Number)
}

/// The known name nearest to `wrong`, for "did you mean".
pub(crate) fn nearest<'a>(wrong: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known
        .into_iter()
        .map(|name| {
            // The right last part under a wrong group is a likelier slip than three changed letters.
            let same_end = name.rsplit('.').next() == wrong.rsplit('.').next();
            (distance(wrong, name).saturating_sub(if same_end { 4 } else { 0 }), name)
        })
        .filter(|(d, name)| *d <= 2.max(name.len() / 4))
        .min_by_key(|(d, _)| *d)
        .map(|(_, name)| name)
}

/// Levenshtein distance, over the first 64 bytes.
fn distance(a: &str, b: &str) -> usize {
    let [a, b] = [a, b].map(|t| &t.as_bytes()[..t.len().min(64)]);
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_of_the_facts_has_a_path() {
        let schema = serde_json::to_value(schemars::schema_for!(Facts)).unwrap();
        let defs = &schema["$defs"];
        let mut missing = Vec::new();
        for (group, property) in schema["properties"].as_object().unwrap() {
            let reference = |v: &serde_json::Value| v["$ref"].as_str().map(|r| r[8..].to_owned());
            let mut target = reference(property).unwrap();
            if target.starts_with("Group") {
                let value = &defs[&*target]["properties"]["value"];
                target = reference(&value["anyOf"][0]).or_else(|| reference(value)).unwrap();
            }
            for field in defs[&*target]["properties"].as_object().unwrap().keys() {
                let path = format!("{group}.{field}");
                if !PATHS.iter().any(|p| p.name == path) {
                    missing.push(path);
                }
            }
        }
        // Digests name the artifact and are for waivers and matching, not for rules; items are read one at a time; what a
        // server is made of was decided on part by part.
        let read_otherwise = [
            "artifact.sha256",
            "artifact.sha512",
            "artifact.promised",
            "vulnerabilities.items",
            "mcp.parts",
            "mcp.unseen",
        ];
        assert_eq!(missing, read_otherwise);
    }

    #[test]
    fn slips_find_their_path() {
        let names = || PATHS.iter().map(|p| p.name);
        for (wrong, right) in [
            ("artifact.publishd_at", "artifact.published_at"),
            ("script.install", "scripts.install"),
            ("license.expression", "licence.expression"),
            ("package.name", "artifact.name"),
        ] {
            assert!(nearest(wrong, names()).is_some_and(|n| n == right || n.ends_with(".name")), "{wrong}");
        }
        assert_eq!(nearest("zzzzzzzzzzzz", names()), None);
    }
}
