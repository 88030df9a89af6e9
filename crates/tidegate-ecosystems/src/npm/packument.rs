//! Reads a packument, npm's index document, into spans.
//!
//! Nothing in the document is trusted: its versions are listed under the package that was asked for, a version whose
//! object cannot be understood is left out (and later not rendered), and members that offer versions elsewhere
//! (`stagedVersions`) are not passed on.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use tidegate_model::{
    Algorithm, Digest, Ecosystem, FileName, ListedFile, PackageName, Stated, Timestamp, Version,
};
use url::Url;

use super::manifest::RawVersion;
use super::spans::{InvalidJson, Kind, Member, Reader, Span};
use crate::index::MAX_FILES;
use crate::signed::{AttestationDocument, RegistrySignatures};
use crate::upstream::FetchedDocument;
use crate::{Index, IndexError, Links, Rendered, Verdicts, View};

/// A parsed packument: the document's own bytes, and where in them its parts stand.
#[derive(Debug)]
pub(crate) struct Packument {
    pub(super) package: PackageName,
    /// The address that answered: relative links start here.
    address: Url,
    pub(super) body: Bytes,
    pub(super) files: Vec<ListedFile>,
    /// As many as `files`, in the same order.
    pub(super) entries: Vec<Entry>,
    pub(super) members: Vec<(Part, Member)>,
    pub(super) versions: Vec<Slot>,
    pub(super) times: Vec<(Member, TimeOf)>,
    pub(super) tags: Vec<Tag>,
    /// Members of upstream's own `policyRestrictions`.
    pub(super) restrictions: Restrictions,
}

/// What a member of the document is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Name,
    Versions,
    Time,
    Tags,
    Restrictions,
    /// Versions under another roof: not passed on.
    Staged,
    Other,
}

/// One member of `versions`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Slot {
    pub(super) member: Member,
    /// The file it became; `None` where it could not be understood.
    pub(super) file: Option<u32>,
}

/// Where the parts of one version's object stand.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) object: Span,
    /// Strings to be replaced inside it, in the order of the document.
    pub(super) edits: Vec<(Span, Edit)>,
    /// Members that the abbreviated form keeps.
    pub(super) kept: Vec<Span>,
    /// Whether the abbreviated form has to be told of the install script.
    pub(super) add_install_script: bool,
}

/// What a string is replaced with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edit {
    Tarball,
    Attestations,
}

/// What an entry of `time` is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TimeOf {
    Modified,
    Version(u32),
    /// A version that could not be understood, and is left out with it.
    LeftOut,
    Other,
}

/// One distribution tag.
#[derive(Clone, Debug)]
pub(super) struct Tag {
    pub(super) member: Member,
    pub(super) name: String,
    pub(super) target: Target,
}

/// What a tag points to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    File(u32),
    /// A version the document does not list; passed on as it is.
    Elsewhere,
    /// A version that could not be understood, or no string: not passed on.
    Nothing,
}

/// Upstream's own restrictions: another door may stand behind ours.
#[derive(Clone, Debug, Default)]
pub(super) struct Restrictions {
    pub(super) message: Option<String>,
    pub(super) versions: Vec<(String, Member)>,
}

/// Why a packument is refused.
#[derive(Debug)]
enum Refusal {
    Json(InvalidJson),
    Repeated(String),
    OtherName(String),
    Kind(&'static str),
    TooMany,
}

impl From<InvalidJson> for Refusal {
    fn from(value: InvalidJson) -> Self {
        Self::Json(value)
    }
}

impl Refusal {
    fn into_error(self, package: &PackageName) -> IndexError {
        let malformed = |why: String| IndexError::Malformed { package: package.to_string(), why };
        match self {
            Self::Json(e) => malformed(e.to_string()),
            Self::Repeated(key) => malformed(format!("the member `{}` stands in it twice", shown(&key))),
            Self::Kind(what) => malformed(what.to_owned()),
            Self::OtherName(found) => {
                IndexError::OtherPackage { package: package.to_string(), found: shown(&found) }
            }
            Self::TooMany => IndexError::TooMuch { package: package.to_string(), limit: "200000 versions" },
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect::<String>().escape_debug().to_string()
}

/// Reads a packument.
pub(crate) fn parse(package: &PackageName, document: &FetchedDocument) -> Result<Packument, IndexError> {
    let refused = |refusal: Refusal| refusal.into_error(package);
    let mut frame = Frame::default();
    let mut reader = Reader::new(&document.body).map_err(|e| refused(e.into()))?;
    frame.read(&mut reader).and_then(|()| Ok(reader.end()?)).map_err(refused)?;
    frame.check(package).map_err(refused)?;
    let mut parser = Assembly { package, url: &document.url, any_attestation: false };
    Ok(parser.assemble(frame, document.body.clone()))
}

/// The document's parts as they stand, before they are connected.
#[derive(Default)]
struct Frame<'a> {
    name: Option<Cow<'a, str>>,
    members: Vec<(Part, Member)>,
    versions: Vec<(Cow<'a, str>, Member, Option<RawVersion<'a>>)>,
    times: Vec<(Cow<'a, str>, Member, Option<Cow<'a, str>>)>,
    tags: Vec<(Cow<'a, str>, Member, Option<Cow<'a, str>>)>,
    restrictions: Restrictions,
}

impl<'a> Frame<'a> {
    fn read(&mut self, reader: &mut Reader<'a>) -> Result<(), Refusal> {
        if reader.kind() != Kind::Object {
            return Err(Refusal::Kind("it is not a JSON object"));
        }
        let mut seen = Vec::new();
        reader.object(|reader, name, key| {
            let part = match &*name {
                "name" => Part::Name,
                "versions" => Part::Versions,
                "time" => Part::Time,
                "dist-tags" => Part::Tags,
                "policyRestrictions" => Part::Restrictions,
                "stagedVersions" => Part::Staged,
                _ => Part::Other,
            };
            if part != Part::Other {
                if seen.contains(&part) {
                    return Err(Refusal::Repeated(name.into_owned()));
                }
                seen.push(part);
            }
            let value = match part {
                Part::Name => {
                    let (span, text) = reader.text()?;
                    self.name = Some(text.ok_or(Refusal::Kind("its `name` is not a string"))?);
                    span
                }
                Part::Versions => self.read_versions(reader)?,
                Part::Time => read_strings(reader, "its `time` is not an object", &mut self.times)?,
                Part::Tags => read_strings(reader, "its `dist-tags` is not an object", &mut self.tags)?,
                Part::Restrictions => self.read_restrictions(reader)?,
                Part::Staged | Part::Other => reader.skip()?,
            };
            self.members.push((part, Member { key, value }));
            Ok(())
        })?;
        Ok(())
    }

    fn read_versions(&mut self, reader: &mut Reader<'a>) -> Result<Span, Refusal> {
        if reader.kind() != Kind::Object {
            return Err(Refusal::Kind("its `versions` is not an object"));
        }
        let mut seen = HashSet::new();
        reader.object(|reader, name, key| {
            if self.versions.len() == MAX_FILES {
                return Err(Refusal::TooMany);
            }
            if !seen.insert(name.clone()) {
                return Err(Refusal::Repeated(name.into_owned()));
            }
            let (value, version) = RawVersion::read(reader)?;
            self.versions.push((name, Member { key, value }, version));
            Ok(())
        })
    }

    fn read_restrictions(&mut self, reader: &mut Reader<'a>) -> Result<Span, Refusal> {
        if reader.kind() != Kind::Object {
            return Ok(reader.skip()?);
        }
        let mut seen = HashSet::new();
        let restrictions = &mut self.restrictions;
        reader.object(|reader, name, _| {
            if !seen.insert(name.clone()) {
                return Err(Refusal::Repeated(name.into_owned()));
            }
            match &*name {
                "message" => restrictions.message = reader.text()?.1.map(Cow::into_owned),
                "versions" if reader.kind() == Kind::Object => {
                    reader.object(|reader, version, key| {
                        if restrictions.versions.len() == MAX_FILES {
                            return Err(Refusal::TooMany);
                        }
                        let value = reader.skip()?;
                        restrictions.versions.push((version.into_owned(), Member { key, value }));
                        Ok::<_, Refusal>(())
                    })?;
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })
    }

    /// Whether the document is one, and about the right package.
    fn check(&self, package: &PackageName) -> Result<(), Refusal> {
        match &self.name {
            Some(name) if name != package.as_str() => Err(Refusal::OtherName(name.to_string())),
            None if !self.members.iter().any(|(part, _)| *part == Part::Versions) => {
                Err(Refusal::Kind("it has neither `name` nor `versions`"))
            }
            _ => Ok(()),
        }
    }
}

type Strings<'a> = Vec<(Cow<'a, str>, Member, Option<Cow<'a, str>>)>;

/// Reads an object whose values ought to be strings; others are noted as `None`.
fn read_strings<'a>(
    reader: &mut Reader<'a>,
    otherwise: &'static str,
    into: &mut Strings<'a>,
) -> Result<Span, Refusal> {
    if reader.kind() != Kind::Object {
        return Err(Refusal::Kind(otherwise));
    }
    let mut seen = HashSet::new();
    reader.object(|reader, name, key| {
        if !seen.insert(name.clone()) {
            return Err(Refusal::Repeated(name.into_owned()));
        }
        if into.len() == MAX_FILES {
            return Err(Refusal::TooMany);
        }
        let (value, text) = reader.text()?;
        into.push((name, Member { key, value }, text));
        Ok(())
    })
}

/// Connects the parts.
struct Assembly<'p> {
    package: &'p PackageName,
    url: &'p Url,
    any_attestation: bool,
}

impl Assembly<'_> {
    fn assemble(&mut self, frame: Frame<'_>, body: Bytes) -> Packument {
        let times: HashMap<&str, Timestamp> = frame
            .times
            .iter()
            .filter_map(|(name, _, text)| Some((&**name, text.as_ref()?.parse().ok()?)))
            .collect();
        self.any_attestation = frame.versions.iter().any(|v| v.2.as_ref().is_some_and(|raw| raw.attested));
        let mut files = Vec::with_capacity(frame.versions.len());
        let mut entries = Vec::with_capacity(frame.versions.len());
        let mut slots = Vec::with_capacity(frame.versions.len());
        let mut positions = HashMap::with_capacity(frame.versions.len());
        for (name, member, raw) in frame.versions {
            let made = raw.and_then(|raw| self.file(&name, raw, member, times.get(&*name).copied()));
            let file = made.map(|(file, entry)| {
                files.push(file);
                entries.push(entry);
                // MAX_FILES bounds the count.
                files.len() as u32 - 1
            });
            slots.push(Slot { member, file });
            positions.insert(name, file);
        }
        let times = frame.times.iter().map(|(name, member, _)| {
            let of = match positions.get(name) {
                Some(Some(file)) => TimeOf::Version(*file),
                Some(None) => TimeOf::LeftOut,
                None if name == "modified" => TimeOf::Modified,
                None => TimeOf::Other,
            };
            (*member, of)
        });
        let tags = frame.tags.iter().map(|(name, member, target)| {
            let target = match target.as_ref().map(|version| positions.get(version)) {
                Some(Some(Some(file))) => Target::File(*file),
                Some(None) => Target::Elsewhere,
                Some(Some(None)) | None => Target::Nothing,
            };
            Tag { member: *member, name: name.to_string(), target }
        });
        Packument {
            package: self.package.clone(),
            address: self.url.clone(),
            times: times.collect(),
            tags: tags.collect(),
            body,
            files,
            entries,
            members: frame.members,
            versions: slots,
            restrictions: frame.restrictions,
        }
    }

    /// One version, or `None` where its object does not hold together.
    fn file(
        &self,
        name: &str,
        raw: RawVersion<'_>,
        member: Member,
        published_at: Option<Timestamp>,
    ) -> Option<(ListedFile, Entry)> {
        if !is_plain_version(name) || raw.version.is_some_and(|version| version != name) {
            return None;
        }
        let (tarball, address) = raw.tarball?;
        let mut edits = vec![(tarball, Edit::Tarball)];
        edits.extend(raw.attestations_url.map(|span| (span, Edit::Attestations)));
        edits.sort_by_key(|(span, _)| span.start);
        let mut digests = raw.integrity.map(|sri| Digest::from_sri(&sri)).unwrap_or_default();
        digests.extend(raw.shasum.and_then(|hex| Digest::from_hex(Algorithm::Sha1, &hex)));
        digests.sort();
        digests.dedup();
        let attestation = match self.any_attestation {
            true => Stated::Known(raw.attested),
            false => Stated::NotOffered,
        };
        let file = ListedFile {
            version: Version::parse(Ecosystem::Npm, name),
            file: FileName::parse(&tarball_name(self.package, name)).ok()?,
            location: resolve(self.url, &address)?,
            digests,
            size: None,
            published_at,
            yanked: None,
            deprecated: raw.deprecated,
            licence: Stated::Known(raw.licence.unwrap_or_default()),
            install_script: Stated::Known(raw.install_script),
            publisher: raw
                .publisher
                .map_or(Stated::NotOffered, |publisher| Stated::Known(publisher.into_owned())),
            attestation,
            metadata_sidecar: None,
        };
        let add_install_script = raw.install_script && !raw.says_install_script;
        Some((file, Entry { object: member.value, edits, kept: raw.kept, add_install_script }))
    }
}

/// Whether a version's text can stand in a URL and a file name as it is. npm's own grammar allows no more.
pub(super) fn is_plain_version(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= tidegate_model::version::MAX_VERSION_BYTES
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._+~".contains(&b))
        && text.bytes().any(|b| b.is_ascii_digit())
}

/// The conventional file name of a version, which pnpm and Yarn build by themselves.
pub(super) fn tarball_name(package: &PackageName, version: &str) -> String {
    format!("{}-{version}.tgz", package.base())
}

/// An address of a document as an absolute one without credentials; `None` where it is not http(s).
pub(super) fn resolve(document: &Url, address: &str) -> Option<Url> {
    let mut url = document.join(address).ok()?;
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
        return None;
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    url.set_fragment(None);
    Some(url)
}

impl Index for Packument {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Result<Rendered, IndexError> {
        super::render::render(self, view, verdicts, links)
    }

    fn version_object(&self, position: usize) -> Option<&[u8]> {
        self.body.get(self.entries.get(position)?.object.range())
    }

    fn attestations(&self, position: usize) -> Option<AttestationDocument> {
        super::signed::attestations(self.version_object(position)?, &self.address)
    }

    fn registry_signatures(&self, position: usize) -> Option<RegistrySignatures> {
        super::signed::signatures(self.version_object(position)?)
    }

    fn weight(&self) -> usize {
        // Per version: the listed file with its texts and digests, the entry and its spans.
        const BYTES_A_VERSION: usize = 1024;
        self.body.len()
            + self.files.len() * BYTES_A_VERSION
            + self.times.len() * size_of::<(Member, TimeOf)>()
    }
}
