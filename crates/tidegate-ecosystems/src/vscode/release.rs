//! What an index knows of one extension and its releases.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value};
use tidegate_model::{ListedFile, PackageName};
use url::Url;

use super::render;
use super::rest;
use super::target::UNIVERSAL;
use crate::index::Verdicts;
use crate::{
    AttestationDocument, AttestationForm, Companion, DocumentRequest, Index, IndexError, Links, Rendered,
    View,
};

/// The most bytes of an archive with a signature: its list of digests grows with the files of the extension.
const MAX_SIGNATURE_BYTES: u64 = 16 << 20;
/// The most bytes of a public key.
const MAX_KEY_BYTES: u64 = 64 << 10;

/// One extension. Its releases and the files they are decided by stand in the same order, that of upstream.
#[derive(Debug)]
pub(super) struct Extension {
    pub(super) package: PackageName,
    /// Publisher and name, as they are written for people.
    pub(super) publisher: String,
    pub(super) name: String,
    /// What the gallery says of the extension, without its releases.
    pub(super) about: Map<String, Value>,
    pub(super) files: Vec<ListedFile>,
    pub(super) releases: Vec<Release>,
    /// Hosts of the upstream, which no address in an answer may name.
    pub(super) hosts: Vec<String>,
    pub(super) weight: usize,
}

/// One version for one target platform.
#[derive(Debug)]
pub(super) struct Release {
    pub(super) version: String,
    pub(super) target: &'static str,
    pub(super) last_updated: Option<String>,
    /// The gallery's properties, in its order.
    pub(super) properties: Vec<(String, String)>,
    pub(super) companions: BTreeMap<Companion, Url>,
    /// What Open VSX's own interface says of it.
    pub(super) described: Option<Map<String, Value>>,
    pub(super) pre_release: bool,
    /// Extensions that are installed with it or that it needs.
    pub(super) brings: Vec<PackageName>,
}

impl Release {
    /// A property of the gallery.
    pub(super) fn property(&self, key: &str) -> Option<&str> {
        self.properties.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str())
    }
}

impl Extension {
    /// Positions of the releases for these platforms, newest version first; those for every machine before others.
    pub(super) fn newest_first(&self, target: Option<&str>) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.releases.len())
            .filter(|at| target.is_none_or(|target| self.releases[*at].target == target))
            .collect();
        order.sort_by(|a, b| {
            let place = |at: usize| (self.releases[at].target != UNIVERSAL, self.releases[at].target);
            self.files[*b].version.cmp(&self.files[*a].version).then_with(|| place(*a).cmp(&place(*b)))
        });
        order
    }

    /// Whether a text names a host of the upstream, and so would lead past the door.
    pub(super) fn leads_past(&self, text: &str) -> bool {
        self.hosts.iter().any(|host| text.contains(host.as_str()))
    }
}

impl Index for Extension {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Result<Rendered, IndexError> {
        match view.form {
            render::LATEST => Ok(render::latest(self, verdicts, links)),
            render::ENTRY => Ok(render::entry(self, view, verdicts, links)),
            rest::EXTENSION => Ok(rest::extension(self, view, verdicts, links)),
            rest::VERSIONS => Ok(rest::versions(self, view, verdicts, links)),
            rest::ALL => Ok(rest::all(self, view, verdicts, links)),
            rest::HIT => Ok(rest::hit(self, view, verdicts, links)),
            other => Err(IndexError::NoSuchView(other.to_owned())),
        }
    }

    fn weight(&self) -> usize {
        self.weight
    }

    fn companion(&self, position: usize, companion: Companion) -> Option<Url> {
        self.releases.get(position)?.companions.get(&companion).cloned()
    }

    /// Open VSX signs each package with a key of its own, and says where both lie.
    fn attestations(&self, position: usize) -> Option<AttestationDocument> {
        let ask = |companion, max_bytes| {
            Some(DocumentRequest::get(self.companion(position, companion)?, "*/*", max_bytes))
        };
        let request = ask(Companion::Signature, MAX_SIGNATURE_BYTES)?;
        let key = ask(Companion::PublicKey, MAX_KEY_BYTES)?;
        Some(AttestationDocument { form: AttestationForm::OpenVsx, request, key: Some(key) })
    }

    fn brings(&self, position: usize) -> &[PackageName] {
        self.releases.get(position).map_or(&[], |release| &release.brings)
    }
}

/// What Open VSX's own interface says of releases, by version and platform.
pub(super) type Described = HashMap<(String, String), Map<String, Value>>;
