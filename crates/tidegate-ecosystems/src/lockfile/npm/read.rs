//! Reads the entries of a package-lock file, with where their addresses stand.

use std::borrow::Cow;
use std::ops::Range;

use tidegate_model::{Coordinate, Digest, Ecosystem, FileName, PackageName, Version};

use crate::lockfile::{LockError, LockedPackage, check_entries};
use crate::npm::spans::{InvalidJson, Kind, Reader, Span};

/// The newest lock file version that is known.
const NEWEST_VERSION: u32 = 3;

/// Which of the two lists an entry stands in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tree {
    Packages,
    Dependencies,
}

/// One entry.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) tree: Tree,
    /// The folder it is installed in (`node_modules/a/node_modules/b`), or the chain of names (`a > b`) in a tree.
    pub(super) place: String,
    /// Where its key begins.
    pub(super) at: usize,
    pub(super) resolved: Option<Resolved<'a>>,
    name: Option<Cow<'a, str>>,
    version: Option<Cow<'a, str>>,
    integrity: Option<Cow<'a, str>>,
    link: bool,
    bundled: bool,
}

/// The `resolved` of an entry.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub(super) text: Cow<'a, str>,
    /// The string with its quotes.
    pub(super) value: Range<usize>,
    /// What goes where the member goes: its comma and white space too.
    pub(super) member: Range<usize>,
}

/// Where an entry comes from.
#[derive(Debug)]
pub(super) enum Origin {
    /// The project itself.
    Root,
    /// A registry.
    Registry(Box<LockedPackage>),
    /// A git repository.
    Git(String),
    /// An address that no registry has for it.
    Address(String),
    /// This machine.
    Local,
    /// Another package's file.
    Bundled,
}

/// An error on the way: of the JSON, or of what it says.
enum Refusal {
    Json(InvalidJson),
    At(u32, String),
    Lock(LockError),
}

impl From<InvalidJson> for Refusal {
    fn from(value: InvalidJson) -> Self {
        Self::Json(value)
    }
}

/// Reads all entries.
pub(super) fn read(text: &str) -> Result<Vec<Entry<'_>>, LockError> {
    let mut file = File::default();
    file.read(text).map_err(|refusal| match refusal {
        Refusal::Json(e) => LockError::at_offset(text, e.at, e.why),
        Refusal::At(at, why) => LockError::at_offset(text, at as usize, why),
        Refusal::Lock(e) => e,
    })?;
    Ok(file.entries)
}

#[derive(Default)]
struct File<'a> {
    version: Option<u32>,
    lists: u32,
    entries: Vec<Entry<'a>>,
}

impl<'a> File<'a> {
    fn read(&mut self, text: &'a str) -> Result<(), Refusal> {
        let mut reader = Reader::new(text.as_bytes())?;
        let mut seen = Vec::new();
        reader.object(|reader, name, key| {
            once(&mut seen, &name, &["lockfileVersion", "packages", "dependencies"], key)?;
            match &*name {
                "lockfileVersion" => {
                    let span = reader.skip()?;
                    let version = text[span.range()].parse().ok();
                    if !version.is_some_and(|version| (1..=NEWEST_VERSION).contains(&version)) {
                        let why = format!("lockfileVersion `{}`: expected 1, 2 or 3", &text[span.range()]);
                        return Err(Refusal::At(span.start, why.chars().take(120).collect()));
                    }
                    self.version = version;
                }
                "packages" => {
                    self.lists += 1;
                    self.list(reader, Tree::Packages, "")?;
                }
                "dependencies" => {
                    self.lists += 1;
                    self.list(reader, Tree::Dependencies, "")?;
                }
                _ => {
                    reader.skip()?;
                }
            }
            Ok(())
        })?;
        reader.end()?;
        match self.version {
            None if self.lists == 0 => Err(Refusal::Lock(LockError::Malformed(
                "it has no `lockfileVersion`, `packages` or `dependencies`".into(),
            ))),
            // npm writes no list at all for a project without dependencies in version 1 only.
            Some(2..) if !self.entries.iter().any(|e| e.tree == Tree::Packages) && self.lists == 0 => {
                Err(Refusal::Lock(LockError::Malformed("it has no `packages`".into())))
            }
            _ => Ok(()),
        }
    }

    fn list(&mut self, reader: &mut Reader<'a>, tree: Tree, parent: &str) -> Result<(), Refusal> {
        reader.object(|reader, name, key| {
            check_entries(self.entries.len() + 1).map_err(Refusal::Lock)?;
            let place = if parent.is_empty() { name.into_owned() } else { format!("{parent} > {name}") };
            if reader.kind() != Kind::Object {
                return Err(Refusal::At(
                    key.start,
                    format!("`{}`: expected an object", place.escape_debug()),
                ));
            }
            self.entry(reader, tree, place, key)
        })?;
        Ok(())
    }

    fn entry(
        &mut self,
        reader: &mut Reader<'a>,
        tree: Tree,
        place: String,
        key: Span,
    ) -> Result<(), Refusal> {
        let position = self.entries.len();
        let at = key.start as usize;
        self.entries.push(Entry {
            tree,
            place,
            at,
            resolved: None,
            name: None,
            version: None,
            integrity: None,
            link: false,
            bundled: false,
        });
        let mut seen = Vec::new();
        let mut previous_end = None;
        reader.object(|reader, member, key| {
            once(
                &mut seen,
                &member,
                &["name", "version", "resolved", "integrity", "link", "dependencies"],
                key,
            )?;
            // The member before this one was `resolved` and the first: what is removed of it ends here.
            if let Some(resolved) = &mut self.entries[position].resolved
                && resolved.member.end == 0
            {
                resolved.member.end = key.start as usize;
            }
            let entry = &mut self.entries[position];
            let end = match &*member {
                "name" => text(reader, &mut entry.name)?,
                "version" => text(reader, &mut entry.version)?,
                "integrity" => text(reader, &mut entry.integrity)?,
                "resolved" => {
                    let (span, resolved) = reader.text()?;
                    // Behind another member its comma goes with it; as the first, the comma behind it.
                    let (start, end) = match previous_end {
                        Some(previous) => (previous, span.end as usize),
                        None => (key.start as usize, 0),
                    };
                    entry.resolved =
                        resolved.map(|text| Resolved { text, value: span.range(), member: start..end });
                    span.end
                }
                "link" | "bundled" | "inBundle" => {
                    let (span, yes) = reader.is_literal("true")?;
                    entry.link |= yes && member == "link";
                    entry.bundled |= yes && member != "link";
                    span.end
                }
                "dependencies" if tree == Tree::Dependencies && reader.kind() == Kind::Object => {
                    let parent = entry.place.clone();
                    self.list(reader, tree, &parent)?;
                    reader.position()
                }
                _ => reader.skip()?.end,
            };
            previous_end = Some(end as usize);
            Ok::<_, Refusal>(())
        })?;
        if let Some(resolved) = &mut self.entries[position].resolved
            && resolved.member.end == 0
        {
            resolved.member.end = resolved.value.end;
        }
        Ok(())
    }
}

fn text<'a>(reader: &mut Reader<'a>, into: &mut Option<Cow<'a, str>>) -> Result<u32, InvalidJson> {
    let (span, text) = reader.text()?;
    *into = text;
    Ok(span.end)
}

/// Refuses a member that repeats, where it is one that is read.
fn once(seen: &mut Vec<String>, name: &str, read: &[&str], key: Span) -> Result<(), Refusal> {
    if !read.contains(&name) {
        return Ok(());
    }
    if seen.iter().any(|seen| seen == name) {
        return Err(Refusal::At(key.start, format!("the member `{name}` stands twice in one object")));
    }
    seen.push(name.to_owned());
    Ok(())
}

impl Entry<'_> {
    /// The name it is installed under.
    pub(super) fn name(&self) -> &str {
        match self.tree {
            Tree::Packages => self.place.rsplit_once("node_modules/").map_or(&*self.place, |(_, name)| name),
            Tree::Dependencies => self.place.rsplit_once(" > ").map_or(&*self.place, |(_, name)| name),
        }
    }

    /// Where the entry comes from.
    pub(super) fn origin(&self, file: &str) -> Result<Origin, LockError> {
        if self.tree == Tree::Packages {
            if self.place.is_empty() {
                return Ok(Origin::Root);
            }
            if self.link || !self.place.split('/').any(|part| part == "node_modules") {
                return Ok(Origin::Local);
            }
        }
        if self.bundled {
            return Ok(Origin::Bundled);
        }
        let version = self.version.as_deref().unwrap_or_default();
        let address = self.resolved.as_ref().map(|resolved| &*resolved.text);
        // In version 1 the address may stand in `version`.
        for place in [Some(version), address].into_iter().flatten() {
            if let Some(origin) = elsewhere(place) {
                return Ok(origin);
            }
        }
        if version.starts_with("http:") || version.starts_with("https:") {
            return Ok(Origin::Address(version.to_owned()));
        }
        let (name, version) = match version.strip_prefix("npm:").and_then(|alias| alias.rsplit_once('@')) {
            Some(alias) => alias,
            None => (self.name.as_deref().unwrap_or(self.name()), version),
        };
        if version.is_empty() {
            return match address {
                Some(address) => Ok(Origin::Address(address.to_owned())),
                None => Err(self.malformed(file, "it has neither `version` nor `resolved`")),
            };
        }
        let name =
            PackageName::parse(Ecosystem::Npm, name).map_err(|e| self.malformed(file, &e.to_string()))?;
        let version = Version::parse(Ecosystem::Npm, version);
        if !version.is_valid() {
            let why = format!("`{}` is not a version", version.as_str().chars().take(80).collect::<String>());
            return Err(self.malformed(file, &why));
        }
        Ok(self.registry(name, version, address))
    }

    fn registry(&self, name: PackageName, version: Version, address: Option<&str>) -> Origin {
        let tarball = format!("{}-{version}.tgz", name.base());
        if let Some(address) = address
            && !is_conventional(address, &name, &tarball)
        {
            return Origin::Address(address.to_owned());
        }
        let mut digests = self.integrity.as_ref().map(|sri| Digest::from_sri(sri)).unwrap_or_default();
        digests.sort();
        let aliased_as = (self.name() != name.as_str()).then(|| self.name().to_owned());
        Origin::Registry(Box::new(LockedPackage {
            file: FileName::parse(&tarball).ok(),
            coordinate: Coordinate { name, version },
            digests,
            resolved: address.map(str::to_owned),
            line: None,
            aliased_as,
        }))
    }

    fn malformed(&self, file: &str, why: &str) -> LockError {
        LockError::at_offset(file, self.at, format!("`{}`: {why}", self.place.escape_debug()))
    }
}

/// Whether a version or address leads to git, to a folder or to an address of another scheme than http(s).
fn elsewhere(text: &str) -> Option<Origin> {
    let scheme = text.split_once(':').map(|(scheme, _)| scheme)?;
    match scheme {
        "http" | "https" => None,
        "npm" => None,
        "file" | "link" | "workspace" => Some(Origin::Local),
        "git" | "github" | "gitlab" | "bitbucket" | "gist" | "ssh" => Some(Origin::Git(text.to_owned())),
        scheme if scheme.starts_with("git+") => Some(Origin::Git(text.to_owned())),
        _ => Some(Origin::Address(text.to_owned())),
    }
}

/// Whether an address ends as registries have it, `/<name>/-/<base>-<version>.tgz`; some repeat the scope in the file.
fn is_conventional(address: &str, name: &PackageName, tarball: &str) -> bool {
    let Ok(url) = url::Url::parse(address) else { return false };
    let path = decoded(url.path());
    path.ends_with(&format!("/{name}/-/{tarball}"))
        || name.scope().is_some_and(|scope| path.ends_with(&format!("/{name}/-/{scope}/{tarball}")))
}

/// A path without percent escapes, for comparing.
pub(super) fn decoded(path: &str) -> Cow<'_, str> {
    percent_encoding::percent_decode_str(path).decode_utf8_lossy()
}
