//! Facts about a server and what it offers, for the same policy that decides on packages.

use tidegate_model::coordinate::PackageRef;
use tidegate_model::facts::{
    ArtifactFacts, FactState, Facts, Group, MalwareFacts, McpFacts, PrincipalFacts, RepositoryFacts,
    RequestFacts, SecretFacts, VulnerabilityFacts,
};
use tidegate_model::{ArtifactKind, Sha256, Timestamp};
use tidegate_store::catalogue::LocalBlock;

use super::gate::Server;
use super::pins::Pin;
use crate::door::Identity;
use crate::inspection::Seen;
use crate::intel::facts::{Asked, findings, known};
use crate::pipeline::decide::Ruleset;
use crate::pipeline::facts::approval;

/// The repository that decisions about servers name.
pub const REPOSITORY: &str = "mcp";

/// How the names begin of servers that are no package of an ecosystem.
pub const OWN_NAMES: &str = "pkg:generic/mcp/";

/// What is decided on.
#[derive(Clone, Copy, Debug)]
pub struct Part<'a> {
    /// `server`, `tool`, `prompt`, `instructions`, `call` or `answer`.
    pub part: &'static str,
    /// The entry's name.
    pub item: Option<&'a str>,
    /// The digest of its text.
    pub digest: Option<Sha256>,
    /// How its text stands to what was approved.
    pub pin: Option<Pin>,
    /// What was seen in its text; none where nobody looked.
    pub seen: Option<&'a Seen>,
    /// Whether texts are looked into at all.
    pub inspects: bool,
    /// Detectors that found secrets in what passes; none where nothing passes.
    pub secrets: Option<&'a [String]>,
}

impl Part<'_> {
    /// The server itself.
    pub const SERVER: Self = Part {
        part: "server",
        item: None,
        digest: None,
        pin: None,
        seen: None,
        inspects: false,
        secrets: None,
    };
}

/// What a server is called in records: its package, else a name of our own kind.
pub fn purl_of(server: &Server) -> String {
    let own = || {
        let name = percent_encoding::utf8_percent_encode(&server.name, percent_encoding::NON_ALPHANUMERIC);
        format!("{OWN_NAMES}{}", name.to_string().replace("%2D", "-").replace("%2E", ".").replace("%5F", "_"))
    };
    server.purl.clone().unwrap_or_else(own)
}

/// Everything that policy reads.
pub fn assemble(
    rules: &Ruleset,
    server: &Server,
    identity: &Identity,
    part: &Part<'_>,
    now: Timestamp,
) -> Facts {
    let purl = purl_of(server);
    let package = PackageRef::parse(&purl).ok();
    let (vulnerabilities, malware) = advised(rules, server, package.as_ref(), now);
    let approval = match (&server.purl, &package) {
        (Some(_), Some(_)) => {
            approval(&rules.approvals, (&purl, without_version(&purl)), None, REPOSITORY, now)
        }
        _ => Group::gap(
            FactState::NotOffered,
            "only packages are approved by name; its tools are approved one by one",
        ),
    };
    let version = package.as_ref().and_then(|package| package.version.as_ref());
    Facts {
        artifact: ArtifactFacts {
            kind: Some(ArtifactKind::McpServer),
            ecosystem: package.as_ref().map(|package| package.name.ecosystem()),
            name: server.name.clone(),
            version: version.map(|version| version.as_str().to_owned()).unwrap_or_default(),
            prerelease: version.is_some_and(tidegate_model::Version::is_prerelease),
            file: part.item.unwrap_or_default().to_owned(),
            sha256: part.digest,
            purl: purl.clone(),
            ..ArtifactFacts::default()
        },
        vulnerabilities,
        malware: blocked(&rules.blocks, &purl, part.digest, malware),
        contents: match (part.seen, part.pin, part.inspects) {
            (Some(seen), _, _) => seen.contents(&[]),
            (None, None, _) => not_applicable(),
            (None, Some(_), false) => Group::gap(FactState::NotScanned, "looking inside is switched off"),
            (None, Some(_), true) => {
                Group::gap(FactState::Error, "its text could not be looked into; see `tidegate status`")
            }
        },
        secrets: part.secrets.map_or_else(not_applicable, |detectors| {
            Group::known(SecretFacts {
                count: Some(u32::try_from(detectors.len()).unwrap_or(u32::MAX)),
                detectors: detectors.to_vec(),
            })
        }),
        mcp: Group::known(McpFacts {
            transport: Some(server.transport.clone()),
            tools: Vec::new(),
            server: Some(server.name.clone()),
            part: Some(part.part.to_owned()),
            item: part.item.map(str::to_owned),
            pin: part.pin.map(|pin| pin.as_str().to_owned()),
            ..McpFacts::default()
        }),
        principal: PrincipalFacts {
            id: identity.principal.id.clone(),
            kind: Some(identity.principal.kind),
            groups: identity.principal.groups.clone(),
        },
        repository: RepositoryFacts {
            name: REPOSITORY.to_owned(),
            kind: "remote".to_owned(),
            ..RepositoryFacts::default()
        },
        request: RequestFacts { operation: "artifact".to_owned(), client: identity.client_name.clone() },
        // What a package is made of is decided on where its bytes come in: at the door's repositories.
        licence: not_applicable(),
        provenance: not_applicable(),
        scripts: not_applicable(),
        binary: not_applicable(),
        model: not_applicable(),
        extension: not_applicable(),
        publisher: not_applicable(),
        lifecycle: not_applicable(),
        name: not_applicable(),
        application: not_applicable(),
        approval,
    }
}

fn not_applicable<T>() -> Group<T> {
    Group { state: FactState::NotApplicable, ..Group::default() }
}

type Advised = (Group<VulnerabilityFacts>, Group<MalwareFacts>);

/// What is known to be wrong with the package behind a server.
fn advised(rules: &Ruleset, server: &Server, package: Option<&PackageRef>, now: Timestamp) -> Advised {
    let gap = |state, why: &str| (Group::gap(state, why), Group::gap(state, why));
    match (&server.purl, package) {
        // A program of this machine, or a service elsewhere: no advisory names it.
        (None, _) => (not_applicable(), not_applicable()),
        (Some(_), None) => {
            gap(FactState::Unsupported, "advisories of images are told by what the image holds")
        }
        (Some(_), Some(package)) => match &package.version {
            None => gap(
                FactState::Error,
                "the command names no version, so it cannot be told what touches it; write NAME@VERSION",
            ),
            Some(version) => {
                let asked = Asked {
                    ecosystem: package.name.ecosystem(),
                    name: package.name.as_str(),
                    version: version.as_str(),
                    now,
                };
                let query = tidegate_intel::Query {
                    ecosystem: asked.ecosystem.as_str(),
                    name: asked.name,
                    version: asked.version,
                    now,
                };
                known(&rules.advisories, &query, &findings(&rules.advisories, &asked))
            }
        },
    }
}

/// The at sign of a scope is escaped.
fn without_version(purl: &str) -> &str {
    purl.rsplit_once('@').map_or(purl, |(package, _)| package)
}

/// A block by hand stands beside what feeds report.
fn blocked(
    blocks: &[LocalBlock],
    purl: &str,
    digest: Option<Sha256>,
    reported: Group<MalwareFacts>,
) -> Group<MalwareFacts> {
    let package = without_version(purl);
    let touches = |block: &&LocalBlock| {
        (block.block.purl == purl || block.block.purl == package)
            && (block.block.sha256.is_none() || block.block.sha256 == digest)
    };
    let mut reports: Vec<String> = blocks.iter().filter(touches).map(LocalBlock::id).collect();
    if reports.is_empty() {
        return reported;
    }
    reports.extend(reported.value.map(|known| known.reports).unwrap_or_default());
    Group {
        source: Some("blocked by hand".to_owned()),
        ..Group::known(MalwareFacts { verdict: "malicious".to_owned(), reports, held: None })
    }
}
