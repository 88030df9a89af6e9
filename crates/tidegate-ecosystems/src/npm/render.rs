//! Shows a packument without what may not be selected.
//!
//! The document's own bytes are copied around the few strings that change: `dist.tarball` and the address of the
//! attestations lead through the door. A withheld version moves from `versions` to `policyRestrictions.versions`,
//! which npm reads: it then chooses an older version where the range allows one and else prints
//! `policyRestrictions.message`. Other clients pass the member over and do not see the version.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt::Write as _;

use tidegate_model::ListedFile;

use super::packument::{Edit, Entry, Packument, Part, Target, TimeOf, tarball_name};
use super::spans::{Member, Span, push_string};
use crate::{IndexError, Links, Rendered, Verdict, Verdicts, View};

/// The whole document.
pub(super) const FULL: &str = "npm-full";
/// What an installation needs of it.
pub(super) const ABBREVIATED: &str = "npm-abbreviated";
/// One version's object, by version or tag.
pub(super) const VERSION: &str = "npm-version";
/// Tags and their targets.
pub(super) const DIST_TAGS: &str = "npm-dist-tags";

/// The media type of the abbreviated form.
pub(super) const ABBREVIATED_TYPE: &str = "application/vnd.npm.install-v1+json";
const JSON: &str = "application/json";

/// The longest text that npm is given to print, in bytes, but for its last lines.
const MAX_MESSAGE_BYTES: usize = 4096;
/// The most versions that are named in front of one reason.
const MAX_NAMED_VERSIONS: usize = 8;

/// Renders a view.
pub(super) fn render(
    document: &Packument,
    view: &View,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Result<Rendered, IndexError> {
    // INVARIANT: one verdict a file, in the order of the files. A missing one withholds: it was never decided.
    let withheld: Vec<bool> =
        (0..document.files.len()).map(|file| verdicts.get(file).is_none_or(|v| v.withheld)).collect();
    let page = Page { document, verdicts, withheld, base: base_literal(links) };
    let made = |content_type, body| Ok(Rendered::Document { content_type, body });
    match view.form {
        FULL => made(JSON, page.full()),
        ABBREVIATED => made(ABBREVIATED_TYPE, page.abbreviated()),
        DIST_TAGS => made(JSON, page.dist_tags()),
        VERSION => Ok(page.version(view.selector.as_deref().unwrap_or("latest"))),
        other => Err(IndexError::NoSuchView(other.to_owned())),
    }
}

/// The opening of a JSON string that begins with the repository's base.
fn base_literal(links: &Links) -> Vec<u8> {
    let mut literal = Vec::new();
    push_string(&mut literal, &links.base);
    literal.pop();
    literal
}

/// One rendering.
struct Page<'a> {
    document: &'a Packument,
    verdicts: Verdicts<'a>,
    withheld: Vec<bool>,
    base: Vec<u8>,
}

/// Writes `{…}` member by member.
struct ObjectWriter<'o> {
    out: &'o mut Vec<u8>,
    first: bool,
}

impl<'o> ObjectWriter<'o> {
    fn open(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// The place for a member's key and value.
    fn member(&mut self) -> &mut Vec<u8> {
        if !std::mem::take(&mut self.first) {
            self.out.push(b',');
        }
        self.out
    }

    fn string(&mut self, key: &str, value: &str) {
        let out = self.member();
        push_string(out, key);
        out.push(b':');
        push_string(out, value);
    }

    /// Writes a key; its value follows.
    fn key(&mut self, key: &str) -> &mut Vec<u8> {
        let out = self.member();
        push_string(out, key);
        out.push(b':');
        out
    }

    fn close(self) {
        self.out.push(b'}');
    }
}

impl Page<'_> {
    fn raw(&self, span: Span) -> &[u8] {
        &self.document.body[span.range()]
    }

    fn files(&self) -> &[ListedFile] {
        &self.document.files
    }

    fn any_withheld(&self) -> bool {
        self.withheld.contains(&true)
    }

    fn full(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.document.body.len() + self.files().len() * 64);
        let mut object = ObjectWriter::open(&mut out);
        let mut restricted = false;
        for (part, member) in &self.document.members {
            let write_value: &dyn Fn(&Self, &mut Vec<u8>) = match part {
                Part::Staged => continue,
                Part::Name | Part::Other => &|page, out| out.extend_from_slice(page.raw(member.value)),
                Part::Versions => &|page, out| page.write_versions(out, Self::write_version),
                Part::Time => &Self::write_times,
                Part::Tags => &Self::write_tags,
                Part::Restrictions => {
                    restricted = true;
                    if self.any_withheld() {
                        &Self::write_restrictions
                    } else {
                        &|page, out| out.extend_from_slice(page.raw(member.value))
                    }
                }
            };
            let out = object.member();
            out.extend_from_slice(self.raw(member.key));
            out.push(b':');
            write_value(self, out);
        }
        if !restricted && self.any_withheld() {
            self.write_restrictions(object.key("policyRestrictions"));
        }
        object.close();
        out
    }

    fn abbreviated(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.document.body.len() * 3 / 4 + self.files().len() * 64);
        let mut object = ObjectWriter::open(&mut out);
        object.string("name", self.document.package.as_str());
        let modified = self.document.times.iter().find(|(_, of)| *of == TimeOf::Modified);
        if let Some((member, _)) = modified {
            object.key("modified").extend_from_slice(self.raw(member.value));
        }
        self.write_tags(object.key("dist-tags"));
        self.write_versions(object.key("versions"), Self::write_abbreviated_version);
        if !self.document.times.is_empty() {
            self.write_times(object.key("time"));
        }
        if self.any_withheld() {
            self.write_restrictions(object.key("policyRestrictions"));
        } else if let Some((_, member)) =
            self.document.members.iter().find(|(part, _)| *part == Part::Restrictions)
        {
            object.key("policyRestrictions").extend_from_slice(self.raw(member.value));
        }
        object.close();
        out
    }

    fn dist_tags(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_tags(&mut out);
        out
    }

    /// The object of the version that `selector`, a version or else a tag, names.
    fn version(&self, selector: &str) -> Rendered {
        let exact = self.files().iter().position(|file| file.version.as_str() == selector);
        let tag = || self.document.tags.iter().find(|tag| tag.name == selector);
        let position = match exact {
            Some(position) => position,
            None => match tag().map(|tag| (tag.target, self.target(&tag.name, tag.target))) {
                Some((_, Target::File(file)) | (Target::File(file), _)) => file as usize,
                _ => return Rendered::Absent(selector.to_owned()),
            },
        };
        if self.withheld[position] {
            return Rendered::Withheld(position);
        }
        let mut body = Vec::new();
        self.write_version(&mut body, position);
        Rendered::Document { content_type: JSON, body }
    }

    fn write_versions(&self, out: &mut Vec<u8>, write: fn(&Self, &mut Vec<u8>, usize)) {
        let mut object = ObjectWriter::open(out);
        for slot in &self.document.versions {
            let Some(file) = slot.file.map(|file| file as usize) else { continue };
            if self.withheld[file] {
                continue;
            }
            let out = object.member();
            out.extend_from_slice(self.raw(slot.member.key));
            out.push(b':');
            write(self, out, file);
        }
        object.close();
    }

    fn write_version(&self, out: &mut Vec<u8>, file: usize) {
        let entry = &self.document.entries[file];
        self.write_edited(out, entry.object, entry, file);
    }

    fn write_abbreviated_version(&self, out: &mut Vec<u8>, file: usize) {
        let entry = &self.document.entries[file];
        let mut object = ObjectWriter::open(out);
        for span in &entry.kept {
            self.write_edited(object.member(), *span, entry, file);
        }
        if entry.add_install_script {
            object.key("hasInstallScript").extend_from_slice(b"true");
        }
        object.close();
    }

    /// Copies a part of a version's object with its addresses changed.
    fn write_edited(&self, out: &mut Vec<u8>, span: Span, entry: &Entry, file: usize) {
        let mut from = span.start;
        for (place, edit) in entry.edits.iter().filter(|(place, _)| span.contains(*place)) {
            out.extend_from_slice(self.raw(Span { start: from, end: place.start }));
            self.write_address(out, *edit, &self.files()[file]);
            from = place.end;
        }
        out.extend_from_slice(self.raw(Span { start: from, end: span.end }));
    }

    /// Names and versions hold nothing that JSON or a URL would have to escape (`is_plain_version`), but for the
    /// base, which is escaped once.
    fn write_address(&self, out: &mut Vec<u8>, edit: Edit, file: &ListedFile) {
        let package = &self.document.package;
        let version = file.version.as_str();
        out.extend_from_slice(&self.base);
        let path = match edit {
            Edit::Tarball => tarball_path(&self.document.package, version),
            Edit::Attestations => {
                format!("-/npm/v1/attestations/{}@{version}", package.as_str().replacen('/', "%2f", 1))
            }
        };
        out.extend_from_slice(path.as_bytes());
        out.push(b'"');
    }

    fn write_times(&self, out: &mut Vec<u8>) {
        let mut object = ObjectWriter::open(out);
        for (member, of) in &self.document.times {
            let shown = match of {
                TimeOf::Version(file) => !self.withheld[*file as usize],
                TimeOf::LeftOut => false,
                TimeOf::Modified | TimeOf::Other => true,
            };
            if shown {
                let out = object.member();
                out.extend_from_slice(self.raw(member.whole()));
            }
        }
        object.close();
    }

    fn write_tags(&self, out: &mut Vec<u8>) {
        let mut object = ObjectWriter::open(out);
        for tag in &self.document.tags {
            match self.target(&tag.name, tag.target) {
                Target::Nothing => {}
                target if target == tag.target => {
                    object.member().extend_from_slice(self.raw(tag.member.whole()));
                }
                Target::File(file) => {
                    object.string(&tag.name, self.files()[file as usize].version.as_str());
                }
                Target::Elsewhere => {}
            }
        }
        object.close();
    }

    /// Where a tag points once withheld versions are gone. Only `latest` moves, and only backwards: to the highest
    /// stable version below, else to the highest pre-release below. What its publisher never called latest is not
    /// made so; npm then explains the restriction instead.
    fn target(&self, name: &str, target: Target) -> Target {
        let Target::File(old) = target else { return target };
        if !self.withheld[old as usize] {
            return target;
        }
        if name != "latest" {
            return Target::Nothing;
        }
        let old = &self.files()[old as usize].version;
        let below = |prerelease: bool| {
            (0..self.files().len())
                .filter(|file| !self.withheld[*file])
                .filter(|file| {
                    let version = &self.files()[*file].version;
                    version.is_prerelease() == prerelease && version <= old
                })
                .max_by(|a, b| self.files()[*a].version.cmp(&self.files()[*b].version))
        };
        match below(false).or_else(|| below(true)) {
            Some(file) => Target::File(file as u32),
            None => Target::Nothing,
        }
    }

    /// `{message, versions}`: ours, after what upstream itself restricts.
    fn write_restrictions(&self, out: &mut Vec<u8>) {
        let upstream = &self.document.restrictions;
        let mut message = self.message();
        if let Some(theirs) = upstream.message.as_ref().filter(|theirs| !theirs.is_empty()) {
            message = format!("{message}\nupstream says: {}", printable(cut(theirs, MAX_MESSAGE_BYTES)));
        }
        let mut object = ObjectWriter::open(out);
        object.string("message", &message);
        let mut versions = ObjectWriter::open(object.key("versions"));
        let mut named = HashSet::new();
        for (position, file) in self.files().iter().enumerate().filter(|(p, _)| self.withheld[*p]) {
            named.insert(file.version.as_str());
            let mut version = ObjectWriter::open(versions.key(file.version.as_str()));
            // npm reads `version` of what it picked, to see that it is restricted.
            version.string("name", self.document.package.as_str());
            version.string("version", file.version.as_str());
            version.string("reason", &reason(self.verdicts.get(position)));
            version.close();
        }
        for (version, member) in &upstream.versions {
            if named.insert(version) {
                self.write_member(versions.member(), *member);
            }
        }
        versions.close();
        object.close();
    }

    fn write_member(&self, out: &mut Vec<u8>, member: Member) {
        out.extend_from_slice(self.raw(member.key));
        out.push(b':');
        out.extend_from_slice(self.raw(member.value));
    }

    /// The one text that npm prints for whichever restricted version was asked for. Newest first, because those are
    /// asked for most; what does not fit can be asked for by name.
    fn message(&self) -> String {
        let mut newest: Vec<usize> = (0..self.files().len()).filter(|p| self.withheld[*p]).collect();
        newest.sort_by(|a, b| self.files()[*b].version.cmp(&self.files()[*a].version));
        let mut groups: Vec<(Cow<'_, str>, Vec<&str>)> = Vec::new();
        let mut places = std::collections::HashMap::new();
        for position in &newest {
            let reason = reason(self.verdicts.get(*position));
            let place = *places.entry(reason.clone()).or_insert_with(|| {
                groups.push((reason, Vec::new()));
                groups.len() - 1
            });
            groups[place].1.push(self.files()[*position].version.as_str());
        }
        let mut message = String::new();
        let mut untold = 0;
        for (reason, versions) in &groups {
            let line = group_line(reason, versions);
            if !message.is_empty() && message.len() + line.len() > MAX_MESSAGE_BYTES {
                untold += versions.len();
                continue;
            }
            let _ = writeln!(message, "{}", cut(&line, MAX_MESSAGE_BYTES));
        }
        let package = &self.document.package;
        if untold > 0 {
            let _ = writeln!(
                message,
                "and {untold} more versions; `tidegate why {}@<version>` tells of each",
                tidegate_model::coordinate::package_purl(package)
            );
        }
        match self.newest_allowed() {
            Some(version) => {
                let _ = write!(message, "newest version that may be had: {package}@{version}");
            }
            None => message.push_str("no version of it may be had now"),
        }
        message
    }

    fn newest_allowed(&self) -> Option<&str> {
        let allowed = || self.files().iter().enumerate().filter(|(p, _)| !self.withheld[*p]).map(|(_, f)| f);
        allowed()
            .filter(|file| !file.version.is_prerelease())
            .max_by(|a, b| a.version.cmp(&b.version))
            .or_else(|| allowed().max_by(|a, b| a.version.cmp(&b.version)))
            .map(|file| file.version.as_str())
    }
}

/// `1.1.0, 1.0.9 and 3 more: the reason`. A reason that names its one version speaks for itself.
fn group_line(reason: &str, versions: &[&str]) -> String {
    if let [version] = versions
        && reason.contains(&format!("@{version} "))
    {
        return reason.to_owned();
    }
    let mut line = versions[..versions.len().min(MAX_NAMED_VERSIONS)].join(", ");
    if versions.len() > MAX_NAMED_VERSIONS {
        let _ = write!(line, " and {} more", versions.len() - MAX_NAMED_VERSIONS);
    }
    format!("{line}: {reason}")
}

/// The length of `2026-11-24` at the front of a printed time.
const DATE_BYTES: usize = 10;

/// Why a version is withheld, in one sentence.
fn reason(verdict: Option<&Verdict>) -> Cow<'_, str> {
    let Some(verdict) = verdict else { return Cow::Borrowed("not decided yet, ask again") };
    let mut reason = match verdict.message.as_str() {
        "" => Cow::Owned(format!("withheld by policy ({})", verdict.action)),
        // A terminal shows it: one line, whoever wrote it.
        message if message.contains(char::is_control) => {
            Cow::Owned(message.chars().filter(|c| !c.is_control()).collect())
        }
        message => Cow::Borrowed(message),
    };
    if let Some(until) = verdict.until.map(|until| until.to_minute())
        && !reason.contains(&until[..DATE_BYTES])
    {
        reason = Cow::Owned(format!("{reason} (from {until} on it may be had)"));
    }
    reason
}

/// Upstream's text without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).collect()
}

/// At most `bytes` of a text, cut between characters.
fn cut(text: &str, bytes: usize) -> &str {
    &text[..text.floor_char_boundary(bytes)]
}

/// The conventional path of a version's tarball, which pnpm and Yarn build by themselves.
pub(super) fn tarball_path(package: &tidegate_model::PackageName, version: &str) -> String {
    format!("{package}/-/{}", tarball_name(package, version))
}
