//! Rendered views of indexes: made once per document, policy and client class, kept compressed, until the first moment
//! at which any decision in them can change.

use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use sha2::Digest as _;
use tidegate_ecosystems::advice::Advise;
use tidegate_ecosystems::{Links, Rendered, View};
use tidegate_ledger::entry::{View as ViewEntry, Withheld};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::decision::Decision;
use tidegate_model::{Principal, Sha256, Timestamp};

use super::brought;
use super::decide::{Ruleset, decide_all, verdicts};
use super::facts::{LocalState, Question};
use super::package::Package;
use crate::door::{Door, Identity, Repository, TENANT};
use crate::intel::told;

/// A view ready to be sent.
#[derive(Debug)]
pub struct RenderedView {
    /// What it is.
    pub shown: Shown,
    /// The first moment at which a decision in it can change.
    pub valid_until: Option<Timestamp>,
    /// Under which ruleset it was made.
    pub epoch: u64,
    /// Under which local state of the package.
    pub local_epoch: u64,
    /// From which document.
    pub document: Sha256,
    /// How many files are withheld in it.
    pub withheld: usize,
}

/// What a view shows.
#[derive(Debug)]
pub enum Shown {
    /// A document.
    Document(Encodings),
    /// The one version it is about is withheld: which file says why.
    Withheld(usize),
    /// It is about a version or tag that does not exist.
    Absent(String),
    /// It tells of vulnerabilities, and these are not known.
    Unknown(String),
}

/// One document in every coding that clients ask for.
#[derive(Debug)]
pub struct Encodings {
    /// Media type.
    pub content_type: &'static str,
    /// As it is.
    pub identity: Bytes,
    /// Hexadecimal digits that begin its entity tags.
    pub tag: String,
    gzip: OnceLock<Bytes>,
    zstd: OnceLock<Bytes>,
}

/// A content coding of views.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    /// None.
    Identity,
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

impl Coding {
    /// The word in `Content-Encoding`; none for identity.
    pub const fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Documents below this size are sent as they are, in bytes.
const COMPRESS_FROM: usize = 512;
/// The most withheld versions that one entry lists.
const MAX_LISTED: usize = 100;

impl Encodings {
    /// A document, not compressed yet.
    pub(super) fn new(content_type: &'static str, body: Vec<u8>) -> Self {
        let tag = hex::encode(&sha2::Sha256::digest(&body)[..12]);
        Self { content_type, identity: body.into(), tag, gzip: OnceLock::new(), zstd: OnceLock::new() }
    }

    /// The coding to send where the client accepts these.
    pub fn choose(&self, gzip: bool, zstd: bool) -> Coding {
        if self.identity.len() < COMPRESS_FROM {
            Coding::Identity
        } else if zstd {
            Coding::Zstd
        } else if gzip {
            Coding::Gzip
        } else {
            Coding::Identity
        }
    }

    /// The strong entity tag of a coding: two codings of one document are two representations (RFC 9110 §8.8.3.3).
    pub fn etag(&self, coding: Coding) -> String {
        match coding.as_str() {
            Some(word) => format!("\"{}-{word}\"", self.tag),
            None => format!("\"{}\"", self.tag),
        }
    }

    /// The bytes, where that coding is at hand.
    pub fn ready(&self, coding: Coding) -> Option<Bytes> {
        match coding {
            Coding::Identity => Some(self.identity.clone()),
            Coding::Gzip => self.gzip.get().cloned(),
            Coding::Zstd => self.zstd.get().cloned(),
        }
    }

    /// The bytes, compressing now where needed. Takes milliseconds for large documents: not for the executor.
    pub fn bytes(&self, coding: Coding) -> Bytes {
        match coding {
            Coding::Identity => self.identity.clone(),
            Coding::Gzip => self
                .gzip
                .get_or_init(|| {
                    let mut encoder =
                        flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::new(GZIP_LEVEL));
                    encoder.write_all(&self.identity).expect("writing to memory");
                    encoder.finish().expect("writing to memory").into()
                })
                .clone(),
            Coding::Zstd => self
                .zstd
                .get_or_init(|| {
                    zstd::bulk::compress(&self.identity, ZSTD_LEVEL).expect("compressing in memory").into()
                })
                .clone(),
        }
    }

    /// Roughly how many bytes this keeps in memory, with both codings reckoned at a quarter of the document: that is what
    /// indexes compress to at worst.
    ///
    /// INVARIANT: it never changes. The cache reckons with the weight an item came with, so codings that are made later
    /// must not show in it.
    pub fn weight(&self) -> u64 {
        (self.identity.len() + self.identity.len() / 2 + 200) as u64
    }
}

/// Fast rather than small: a view is made while somebody waits.
const GZIP_LEVEL: u32 = 2;
const ZSTD_LEVEL: i32 = 1;

impl RenderedView {
    /// Whether the view is still what would be made now.
    pub fn stands(&self, package: &Package, epoch: u64, now: Timestamp) -> bool {
        self.epoch == epoch
            && self.document == package.document
            && self.local_epoch == package.local_epoch()
            && self.valid_until.is_none_or(|until| now < until)
    }

    /// Roughly how many bytes this keeps in memory.
    pub fn weight(&self) -> u64 {
        match &self.shown {
            Shown::Document(encodings) => encodings.weight(),
            Shown::Withheld(_) | Shown::Absent(_) | Shown::Unknown(_) => 200,
        }
    }
}

/// Names a rendered view in the cache.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// Repository.
    pub repository: Arc<str>,
    /// Normalised package name.
    pub package: Arc<str>,
    /// Which form.
    pub view: View,
    /// Under which addresses its links stand.
    pub links: Links,
    /// The class of the principal, as far as the policy tells principals apart.
    pub class: u64,
}

/// The decisions on every file of a package, for somebody. Blocks.
///
/// # Errors
/// The catalogue's, as text.
pub fn decisions(
    door: &Door,
    repository: &Repository,
    package: &Package,
    rules: &Ruleset,
    identity: &Identity,
    now: Timestamp,
) -> Result<Vec<Decision>, String> {
    let client = identity.client_name.as_deref();
    decisions_for(door, repository, package, rules, (&identity.principal, client), now)
}

/// The same for a principal, by its name, and a client.
///
/// # Errors
/// As [`decisions`].
pub fn decisions_for(
    door: &Door,
    repository: &Repository,
    package: &Package,
    rules: &Ruleset,
    (principal, client): (&Principal, Option<&str>),
    now: Timestamp,
) -> Result<Vec<Decision>, String> {
    let mut local = LocalState::read(door, package).map_err(|e| format!("{e}: {}", e.cause))?;
    local.brought = brought::judge(door, repository, package, rules, (principal, client), now)?;
    let question = Question {
        repository,
        package,
        position: 0,
        local: &local,
        blocks: &rules.blocks,
        approvals: &rules.approvals,
        advisories: &rules.advisories,
        principal,
        client,
        operation: "index",
        bytes: None,
    };
    Ok(decide_all(rules, &question, now))
}

/// Which view, and under which addresses.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// The view.
    pub view: &'a View,
    /// Where its links lead.
    pub links: &'a Links,
    /// Where the door's own pages are, with a slash at the end.
    pub door_url: &'a str,
}

/// Decides on every file and renders. Blocks for milliseconds.
///
/// # Errors
/// What went wrong, as text: the catalogue, the ledger, or a view that does not exist.
pub fn render(
    door: &Door,
    repository: &Repository,
    package: &Package,
    rules: &Ruleset,
    identity: &Identity,
    wanted: &Wanted<'_>,
) -> Result<RenderedView, String> {
    let Wanted { view, links, door_url } = *wanted;
    let now = door.clock.now();
    let local_epoch = package.local_epoch();
    let decisions = decisions(door, repository, package, rules, identity, now)?;
    let verdicts = verdicts(package, &decisions);
    let mut valid_until = decisions.iter().filter_map(|d| d.valid_until).min();
    let withheld = verdicts.iter().filter(|v| v.withheld).count();
    let rendered = if package.index.tells_vulnerabilities(view) {
        // What is told ends with what it was told from.
        valid_until = valid_until.into_iter().chain(rules.advisories.fresh_until()).min();
        let advise = |package: &tidegate_model::PackageName, version: &str| {
            told::advice(&rules.advisories, package, version, door_url, now)
        };
        let known = rules.advisories.covers(package.name.ecosystem());
        let advise: Option<Advise<'_>> = if known { Some(&advise) } else { None };
        package.index.render_advised(view, &verdicts, links, advise)
    } else {
        package.index.render(view, &verdicts, links)
    };
    let rendered = rendered.map_err(|e| e.to_string())?;
    let shown = match rendered {
        Rendered::Document { content_type, body } => Shown::Document(Encodings::new(content_type, body)),
        Rendered::Withheld(position) => Shown::Withheld(position),
        Rendered::Absent(why) => Shown::Absent(why),
        Rendered::Unknown(why) => {
            // Feeds may be found current at any moment, so it is made anew each time.
            valid_until = Some(now);
            Shown::Unknown(why)
        }
    };
    record(door, repository, package, rules, view, &shown, &decisions, valid_until, now)?;
    Ok(RenderedView {
        shown,
        valid_until,
        epoch: rules.epoch,
        local_epoch,
        document: package.document,
        withheld,
    })
}

/// One entry per view that is made: what it was made from and what it withholds. `why` recomputes the rest.
#[expect(clippy::too_many_arguments, reason = "the parts of one entry, used once")]
fn record(
    door: &Door,
    repository: &Repository,
    package: &Package,
    rules: &Ruleset,
    view: &View,
    shown: &Shown,
    decisions: &[Decision],
    valid_until: Option<Timestamp>,
    now: Timestamp,
) -> Result<(), String> {
    let mut withheld: Vec<usize> = (0..decisions.len()).filter(|i| !decisions[*i].serves()).collect();
    let total = withheld.len();
    // The newest are the ones somebody asks about.
    let files = package.index.files();
    withheld.sort_by(|a, b| files[*b].version.cmp(&files[*a].version));
    withheld.truncate(MAX_LISTED);
    let mut facts = sha2::Sha256::new();
    for decision in decisions {
        facts.update(decision.facts_digest.as_bytes());
    }
    let body = match shown {
        Shown::Document(encodings) => Sha256::new(sha2::Sha256::digest(&encodings.identity).into()),
        Shown::Withheld(_) | Shown::Absent(_) | Shown::Unknown(_) => {
            Sha256::new(sha2::Sha256::digest(b"").into())
        }
    };
    let entry = ViewEntry {
        repository: repository.name.clone(),
        ecosystem: Some(repository.ecosystem),
        purl: package.purl.clone(),
        form: view.form.into(),
        document: package.document,
        view: body,
        policy: rules.policy.digest(),
        facts: Sha256::new(facts.finalize().into()),
        waivers: rules.waivers.digest(),
        releases: files.len() as u64,
        withheld: withheld
            .iter()
            .map(|i| Withheld {
                version: files[*i].version.as_str().into(),
                file: Some(files[*i].file.as_str().into()),
                action: decisions[*i].action,
                rule: decisions[*i].leading_reason().map_or("", |r| r.rule.as_str()).into(),
                until: decisions[*i].selectable_from,
            })
            .collect(),
        withheld_omitted: (total - withheld.len()) as u64,
        valid_until,
    };
    door.recorder
        .append(&EntryDraft { time: now, tenant: TENANT.into(), body: Body::View(Box::new(entry)) })
        .map(drop)
        .map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_weighs_the_same_before_and_after_it_was_compressed() {
        let encodings = Encodings::new("text/plain", b"abcdefgh".repeat(4096));
        let weight = encodings.weight();
        for coding in [Coding::Gzip, Coding::Zstd] {
            assert!(!encodings.bytes(coding).is_empty());
            assert_eq!(encodings.weight(), weight, "the cache counts with the weight an item came with");
        }
    }
}
