//! The legacy JSON document of a project (`/pypi/<name>/json`): a second source of times, sizes and the licence, and a
//! view of its own for the tools that still ask for it.
//!
//! It is a supplement: whatever is wrong with it, the index stands without it. The bytes are kept as they came and
//! read again to render a view, since hardly any client asks for one.

use std::collections::HashMap;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use tidegate_model::{Algorithm, Digest, Ecosystem, PackageName, Stated, Timestamp, Version};

use super::json::Members;
use super::listing::Listing;
use super::page::{artifact_path, check_name};
use crate::index::{MAX_FILES, Verdicts};
use crate::{FetchedDocument, Links, Rendered};

const JSON_TYPE: &str = "application/json";
/// The longest licence text that is taken for a licence's name, in bytes; some projects paste the licence itself.
const MAX_LICENCE_BYTES: usize = 256;

/// What a project's document says.
#[derive(Debug)]
pub(super) struct Project {
    body: Bytes,
    /// The version that `info` is about.
    pub(super) latest: Option<Version>,
    /// The licence of that version.
    pub(super) licence: Stated<String>,
    releases: HashMap<String, Release>,
}

/// What it says of one file.
#[derive(Debug, Default)]
pub(super) struct Release {
    /// The time as written and as read.
    pub(super) uploaded: Option<(String, Timestamp)>,
    pub(super) size: Option<u64>,
    pub(super) sha256: Option<Digest>,
    pub(super) requires_python: Option<String>,
    /// The reason, empty where there is none.
    pub(super) yanked: Option<String>,
}

#[derive(Deserialize)]
struct RawRelease {
    filename: String,
    upload_time_iso_8601: Option<String>,
    size: Option<u64>,
    #[serde(default)]
    digests: HashMap<String, Value>,
    requires_python: Option<String>,
    yanked: Option<bool>,
    yanked_reason: Option<String>,
}

impl Project {
    /// Reads a document; `None` where it is not one about `package`.
    pub(super) fn read(package: &PackageName, document: &FetchedDocument) -> Option<Self> {
        let Members(members) = serde_json::from_slice(&document.body).ok()?;
        let member = |name: &str| members.iter().find(|(key, _)| key == name).map(|(_, raw)| raw.get());
        let info: Map<String, Value> = serde_json::from_str(member("info")?).ok()?;
        check_name(package, info.get("name")?.as_str()?).ok()?;
        let mut releases = HashMap::new();
        let listed = member("releases").map(lists_of_releases).unwrap_or_default();
        let urls = member("urls").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        for raw in listed.into_iter().chain(Some(urls)).flatten().take(MAX_FILES) {
            if let Ok(release) = serde_json::from_str::<RawRelease>(raw.get()) {
                let (name, release) = release.read();
                releases.insert(name, release);
            }
        }
        let latest = info.get("version").and_then(Value::as_str);
        Some(Self {
            latest: latest.map(|version| Version::parse(Ecosystem::Pypi, version)),
            licence: Stated::Known(licence(&info)),
            releases,
            body: document.body.clone(),
        })
    }

    /// What the document says of a file.
    pub(super) fn release(&self, file: &str) -> Option<&Release> {
        self.releases.get(file)
    }

    /// The earliest upload of any file, also of those the simple page does not list.
    pub(super) fn first_published_at(&self) -> Option<Timestamp> {
        self.releases.values().filter_map(|release| release.uploaded.as_ref().map(|(_, time)| *time)).min()
    }

    pub(super) fn weight(&self) -> usize {
        self.body.len() + self.releases.len() * (size_of::<Release>() + 200)
    }
}

fn lists_of_releases(raw: &str) -> Vec<Vec<&RawValue>> {
    let Ok(Members(versions)) = serde_json::from_str(raw) else { return Vec::new() };
    versions.into_iter().filter_map(|(_, files)| serde_json::from_str(files.get()).ok()).collect()
}

impl RawRelease {
    fn read(self) -> (String, Release) {
        let uploaded = self.upload_time_iso_8601.and_then(|text| text.parse().ok().map(|time| (text, time)));
        let sha256 = self.digests.get("sha256").and_then(Value::as_str);
        let release = Release {
            uploaded,
            size: self.size,
            sha256: sha256.and_then(|digits| Digest::from_hex(Algorithm::Sha256, digits)),
            requires_python: self.requires_python.filter(|text| !text.is_empty()),
            yanked: self.yanked.unwrap_or(false).then(|| self.yanked_reason.unwrap_or_default()),
        };
        (self.filename, release)
    }
}

/// The SPDX expression (PEP 639), else the free text, else the classifiers; empty where none is declared.
fn licence(info: &Map<String, Value>) -> String {
    let text = |key| info.get(key).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    if let Some(expression) = text("license_expression") {
        return expression.to_owned();
    }
    if let Some(free) = text("license").filter(|free| free.len() <= MAX_LICENCE_BYTES && !free.contains('\n'))
    {
        return free.to_owned();
    }
    let classifiers = info.get("classifiers").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = classifiers
        .iter()
        .filter_map(|classifier| classifier.as_str()?.strip_prefix("License :: ")?.rsplit(" :: ").next())
        .filter(|name| *name != "OSI Approved")
        .collect();
    if !names.is_empty() {
        return names.join(", ");
    }
    // A pasted licence: its first line is all that can be shown of it.
    let first = text("license").and_then(|free| free.lines().next()).unwrap_or_default();
    first.chars().take(MAX_LICENCE_BYTES).collect()
}

/// Renders `/pypi/<name>/json`.
pub(super) fn render_project(listing: &Listing, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
    document(listing, verdicts, links, &|_| true)
}

/// Renders `/pypi/<name>/<version>/json`. The upstream's document describes one version, its latest; of another we
/// would have to make up what it says.
pub(super) fn render_version(
    listing: &Listing,
    version: &str,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Rendered {
    let asked = Version::parse(Ecosystem::Pypi, version);
    let positions = || (0..listing.page.files.len()).filter(|at| listing.page.files[*at].version == asked);
    let Some(first) = positions().next() else {
        return Rendered::Absent(format!("{} has no version `{version}`", listing.package));
    };
    let withheld = |at: usize| verdicts.get(at).is_none_or(|verdict| verdict.withheld);
    if positions().all(withheld) {
        return Rendered::Withheld(first);
    }
    match &listing.project {
        Some(project) if project.latest.as_ref() == Some(&asked) => {
            document(listing, verdicts, links, &|member| member != "releases")
        }
        Some(_) => Rendered::Absent(
            "the upstream's JSON API is asked for the latest version only: read `simple/<name>/` for the others".into(),
        ),
        None => Rendered::Absent(NO_JSON_API.into()),
    }
}

const NO_JSON_API: &str = "the upstream offers no JSON API";

/// The document of one version as far as the upstream's document of the project tells it: which files there are. What the
/// version says of itself is not known, so `info` holds no more than its name.
pub(super) fn of_version(
    listing: &Listing,
    asked: &Version,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Map<String, Value> {
    let view = FileView::of(listing, verdicts, links);
    let own = || (0..listing.page.files.len()).filter(|at| listing.page.files[*at].version == *asked);
    let mut info = Map::new();
    info.insert("name".into(), listing.package.as_str().into());
    let written = own().next().map_or(asked.as_str(), |at| listing.page.files[at].version.as_str());
    info.insert("version".into(), written.into());
    info.insert("yanked".into(), false.into());
    info.insert("yanked_reason".into(), Value::Null);
    let marks: Vec<Option<String>> = own().map(|at| listing.mark(at, verdicts)).collect();
    if let Some(Some(first)) = marks.first()
        && marks.iter().all(Option::is_some)
    {
        mark(&mut info, Some(first.clone()));
    }
    let members = listing.project.as_ref().map(|project| serde_json::from_slice(&project.body));
    let released = match &members {
        Some(Ok(Members(members))) => members.iter().find(|(key, _)| key == "releases"),
        _ => None,
    };
    let versions = released.and_then(|(_, raw)| serde_json::from_str::<Members<'_>>(raw.get()).ok());
    let files = versions.as_ref().and_then(|Members(versions)| {
        versions.iter().find(|(version, _)| Version::parse(Ecosystem::Pypi, version) == *asked)
    });
    let mut document = Map::new();
    document.insert("info".into(), info.into());
    document
        .insert("urls".into(), files.map_or_else(|| Value::Array(Vec::new()), |(_, raw)| view.files(raw)));
    document
}

fn document(
    listing: &Listing,
    verdicts: Verdicts<'_>,
    links: &Links,
    keep: &dyn Fn(&str) -> bool,
) -> Rendered {
    let Some(project) = &listing.project else { return Rendered::Absent(NO_JSON_API.into()) };
    let Ok(Members(members)) = serde_json::from_slice(&project.body) else {
        return Rendered::Absent(NO_JSON_API.into());
    };
    let view = FileView::of(listing, verdicts, links);
    let mut out = Map::new();
    for (key, raw) in members.into_iter().filter(|(key, _)| keep(key)) {
        let value = match key.as_str() {
            "info" => view.info(raw, project),
            "urls" => Some(view.files(raw)),
            "releases" => view.releases(raw),
            _ => serde_json::from_str(raw.get()).ok(),
        };
        if let Some(value) = value {
            out.insert(key, value);
        }
    }
    let body = serde_json::to_vec(&out).expect("maps with text keys serialize");
    Rendered::Document { content_type: JSON_TYPE, body }
}

/// How files are shown in a legacy document.
struct FileView<'a> {
    listing: &'a Listing,
    verdicts: Verdicts<'a>,
    base: &'a str,
    positions: HashMap<&'a str, usize>,
}

impl<'a> FileView<'a> {
    fn of(listing: &'a Listing, verdicts: Verdicts<'a>, links: &'a Links) -> Self {
        let files = listing.page.files.iter().enumerate();
        Self {
            listing,
            verdicts,
            base: &links.base,
            positions: files.map(|(at, file)| (file.file.as_str(), at)).collect(),
        }
    }

    /// `info`, marked as yanked where nothing of its version may be selected.
    fn info(&self, raw: &RawValue, project: &Project) -> Option<Value> {
        let mut info: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
        let files = &self.listing.page.files;
        let mut own =
            (0..files.len()).filter(|at| Some(&files[*at].version) == project.latest.as_ref()).peekable();
        if let Some(first) = own.peek().copied()
            && own.all(|at| self.verdicts.get(at).is_none_or(|verdict| verdict.withheld))
        {
            mark(&mut info, self.listing.mark(first, self.verdicts));
        }
        Some(Value::Object(info))
    }

    fn releases(&self, raw: &RawValue) -> Option<Value> {
        let Members(versions) = serde_json::from_str(raw.get()).ok()?;
        Some(Value::Object(versions.into_iter().map(|(version, raw)| (version, self.files(raw))).collect()))
    }

    /// A list of files. Those the simple page does not list are left out: nothing was decided about them.
    fn files(&self, raw: &RawValue) -> Value {
        let files: Vec<&RawValue> = serde_json::from_str(raw.get()).unwrap_or_default();
        Value::Array(files.into_iter().filter_map(|raw| self.file(raw)).collect())
    }

    fn file(&self, raw: &RawValue) -> Option<Value> {
        let mut file: Map<String, Value> = serde_json::from_str(raw.get()).ok()?;
        let position = *self.positions.get(file.get("filename")?.as_str()?)?;
        let path = artifact_path(&self.listing.package, &self.listing.page.files[position].file);
        file.insert("url".into(), format!("{}{path}", self.base).into());
        mark(&mut file, self.listing.mark(position, self.verdicts));
        Some(Value::Object(file))
    }
}

fn mark(members: &mut Map<String, Value>, reason: Option<String>) {
    let Some(reason) = reason else { return };
    members.insert("yanked".into(), true.into());
    if !reason.is_empty() {
        members.insert("yanked_reason".into(), reason.into());
    }
}
