//! Open VSX's own views of an extension.
//!
//! What may not be selected is not the newest version and is listed last among all versions: its command line takes the first
//! that fits, so that ranges fall back, and whoever names a withheld version is told why when asking for it.

use std::collections::HashSet;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Map, Value, json};
use tidegate_model::{Ecosystem, ListedFile, PackageName};

use super::assets;
use super::gallery::{DEPENDENCIES, ENGINE, PACK};
use super::release::{Extension, Release};
use super::render::document;
use super::target::UNIVERSAL;
use crate::index::Verdicts;
use crate::{Companion, Links, Rendered, View};

/// One release of an extension, the newest unless one is named.
pub(super) const EXTENSION: &str = "vsx-extension";
/// Which versions there are.
pub(super) const VERSIONS: &str = "vsx-versions";
/// Releases of an extension in the answer to a query.
pub(super) const ALL: &str = "vsx-entry";
/// An extension in the answer to a search.
pub(super) const HIT: &str = "vsx-hit";

/// What Open VSX says of a release and is passed on as it is.
const TOLD: [&str; 28] = [
    "preRelease",
    "verified",
    "unrelatedPublisher",
    "namespaceAccess",
    "averageRating",
    "downloadCount",
    "reviewCount",
    "preview",
    "displayName",
    "namespaceDisplayName",
    "description",
    "engines",
    "categories",
    "extensionKind",
    "tags",
    "license",
    "homepage",
    "repository",
    "sponsorLink",
    "bugs",
    "markdown",
    "galleryColor",
    "galleryTheme",
    "localizedLanguages",
    "qna",
    "deprecated",
    "downloadable",
    "publishedWith",
];
/// The same of the account that published it.
const ACCOUNT: [&str; 3] = ["loginName", "fullName", "provider"];

/// Aliases of versions.
const NEWEST: &str = "latest";
const NEWEST_PRE_RELEASE: &str = "pre-release";

/// What stands as it is in one segment of a path.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b'@')
    .remove(b'+')
    .remove(b'$');

/// Text as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    utf8_percent_encode(text, SEGMENT).to_string()
}

/// The two halves of a view's selector; an empty one is none.
pub(super) fn halves(view: &View) -> (Option<&str>, Option<&str>) {
    let (a, b) = view.selector.as_deref().unwrap_or_default().split_once('\n').unwrap_or_default();
    (Some(a).filter(|t| !t.is_empty()), Some(b).filter(|t| !t.is_empty()))
}

/// The selector of two halves.
pub(super) fn selector(a: &str, b: &str) -> Option<String> {
    Some(format!("{a}\n{b}"))
}

/// The path of a file of a release below the door's base.
pub(super) fn file_path(publisher: &str, name: &str, file: &ListedFile, called: &str) -> String {
    let stem = file.file.as_str().strip_suffix(".vsix").unwrap_or_default();
    let target = stem.rsplit_once('@').map(|(_, target)| target);
    let parts =
        ["api", publisher, name].into_iter().chain(target).chain([file.version.as_str(), "file", called]);
    parts.map(segment).collect::<Vec<_>>().join("/")
}

fn of(extension: &Extension, links: &Links, more: &[&str]) -> String {
    let parts = ["api", &extension.publisher, &extension.name].into_iter().chain(more.iter().copied());
    format!("{}{}", links.base, parts.map(segment).collect::<Vec<_>>().join("/"))
}

/// The address of a release.
fn release_url(extension: &Extension, links: &Links, release: &Release) -> String {
    match release.target {
        UNIVERSAL => of(extension, links, &[&release.version]),
        target => of(extension, links, &[target, &release.version]),
    }
}

/// The release that a selector means.
fn chosen(extension: &Extension, view: &View, verdicts: Verdicts<'_>) -> Result<usize, Rendered> {
    let (target, version) = halves(view);
    let order = extension.newest_first(target);
    let is = |at: usize, pre_release: bool| extension.releases[at].pre_release == pre_release;
    let named: Vec<usize> = match version {
        None | Some(NEWEST) if order.iter().any(|at| is(*at, false) && selectable(verdicts, *at)) => {
            order.iter().copied().filter(|at| is(*at, false)).collect()
        }
        None | Some(NEWEST) => order,
        Some(NEWEST_PRE_RELEASE) => order.iter().copied().filter(|at| is(*at, true)).collect(),
        Some(text) => order.iter().copied().filter(|at| extension.releases[*at].version == text).collect(),
    };
    let Some(first) = named.first() else {
        let of = target.map(|target| format!(" for {target}")).unwrap_or_default();
        let what = version.unwrap_or(NEWEST).escape_debug();
        return Err(Rendered::Absent(format!(
            "{} has no version {what}{of}",
            super::id_of(&extension.package)
        )));
    };
    named.iter().copied().find(|at| selectable(verdicts, *at)).ok_or(Rendered::Withheld(*first))
}

fn selectable(verdicts: Verdicts<'_>, at: usize) -> bool {
    verdicts.get(at).is_some_and(|verdict| !verdict.withheld)
}

/// One release.
pub(super) fn extension(
    extension: &Extension,
    view: &View,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Rendered {
    match chosen(extension, view, verdicts) {
        Ok(at) => document(&Value::Object(release(extension, at, halves(view).0, verdicts, links))),
        Err(instead) => instead,
    }
}

/// Versions and their addresses, those that may be selected first.
fn versions_of(
    extension: &Extension,
    target: Option<&str>,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Map<String, Value> {
    let order = extension.newest_first(target);
    let mut all = Map::new();
    let stable = |at: &&usize| selectable(verdicts, **at) && !extension.releases[**at].pre_release;
    if order.iter().any(|at| stable(&at)) {
        let more: Vec<&str> = target.into_iter().chain([NEWEST]).collect();
        all.insert(NEWEST.to_owned(), of(extension, links, &more).into());
    }
    for wanted in [true, false] {
        for at in order.iter().filter(|at| selectable(verdicts, **at) == wanted) {
            let version = &extension.releases[*at].version;
            let url = match target {
                Some(target) => of(extension, links, &[target, version]),
                None => of(extension, links, &[version]),
            };
            all.entry(version.clone()).or_insert_with(|| url.into());
        }
    }
    all
}

/// The list of versions alone. Those that may not be selected are not in it.
pub(super) fn versions(
    extension: &Extension,
    view: &View,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Rendered {
    let (target, _) = halves(view);
    let mut all = versions_of(extension, target, verdicts, links);
    let offered: HashSet<&str> = extension
        .newest_first(target)
        .into_iter()
        .filter(|at| selectable(verdicts, *at))
        .map(|at| extension.releases[at].version.as_str())
        .collect();
    all.retain(|version, _| version == NEWEST || offered.contains(version.as_str()));
    document(&json!({ "offset": 0, "totalSize": all.len(), "versions": all }))
}

/// Releases for a query: all, or the newest for each platform; of one platform or version where the view says so. Its
/// selector holds `all` or nothing and a platform before a colon, and a version.
pub(super) fn all(extension: &Extension, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
    let (scope, version) = halves(view);
    let (which, target) = scope.unwrap_or_default().split_once(':').unwrap_or_default();
    let target = Some(target).filter(|t| !t.is_empty());
    let order: Vec<usize> = extension
        .newest_first(target)
        .into_iter()
        .filter(|at| selectable(verdicts, *at))
        .filter(|at| version.is_none_or(|version| extension.releases[*at].version == version))
        .collect();
    let mut targets = Vec::new();
    let mut is_first = |at: &usize| {
        let target = extension.releases[*at].target;
        let first = !targets.contains(&target);
        targets.push(target);
        first
    };
    let whole = which == "all" || version.is_some();
    let shown = order.into_iter().filter(|at| whole || is_first(at));
    let objects = shown.map(|at| Value::Object(release(extension, at, target, verdicts, links))).collect();
    document(&Value::Array(objects))
}

/// An extension in the answer to a search: its newest release, shortened.
pub(super) fn hit(extension: &Extension, view: &View, verdicts: Verdicts<'_>, links: &Links) -> Rendered {
    let Ok(at) = chosen(extension, view, verdicts) else { return document(&json!([])) };
    let whole = release(extension, at, halves(view).0, verdicts, links);
    let keys = [
        "url",
        "files",
        "name",
        "namespace",
        "version",
        "timestamp",
        "verified",
        "averageRating",
        "reviewCount",
        "downloadCount",
        "displayName",
        "description",
        "deprecated",
    ];
    let short: Map<String, Value> =
        keys.into_iter().filter_map(|key| Some((key.to_owned(), whole.get(key)?.clone()))).collect();
    document(&json!([short]))
}

fn release(
    extension: &Extension,
    at: usize,
    asked_target: Option<&str>,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Map<String, Value> {
    let release = &extension.releases[at];
    let mut object = Map::new();
    let mut put = |key: &str, value: Value| object.insert(key.to_owned(), value);
    put("namespaceUrl", format!("{}api/{}", links.base, segment(&extension.publisher)).into());
    put("reviewsUrl", of(extension, links, &["reviews"]).into());
    put("url", release_url(extension, links, release).into());
    put("files", files(extension, at, links).into());
    put("name", extension.name.clone().into());
    put("namespace", extension.publisher.clone().into());
    put("targetPlatform", release.target.into());
    put("version", release.version.clone().into());
    put("preRelease", release.pre_release.into());
    put("timestamp", release.last_updated.clone().into());
    put("verified", false.into());
    put("displayName", extension.about.get("displayName").cloned().unwrap_or_default());
    put("namespaceDisplayName", extension.publisher.clone().into());
    put("description", extension.about.get("shortDescription").cloned().unwrap_or_default());
    for key in ["categories", "tags"] {
        put(key, extension.about.get(key).cloned().unwrap_or_else(|| json!([])));
    }
    if let Some(engine) = release.property(ENGINE) {
        put("engines", json!({ "vscode": engine }));
    }
    put("dependencies", references(release.property(DEPENDENCIES), links));
    put("bundledExtensions", references(release.property(PACK), links));
    if let Some(told) = &release.described {
        let passes = |value: &Value| !value.is_null() && !extension.leads_past(&value.to_string());
        for key in TOLD {
            if let Some(value) = told.get(key).filter(|value| passes(value)) {
                put(key, value.clone());
            }
        }
        let by = told.get("publishedBy").and_then(Value::as_object);
        let account: Map<String, Value> = ACCOUNT
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), by?.get(*key)?.clone())))
            .filter(|(_, value)| passes(value))
            .collect();
        put("publishedBy", account.into());
    }
    let newest = |pre_release: bool| {
        let mut order = extension.newest_first(asked_target).into_iter();
        order.find(|at| selectable(verdicts, *at) && extension.releases[*at].pre_release == pre_release)
    };
    let is_newest =
        newest(release.pre_release).is_some_and(|n| extension.releases[n].version == release.version);
    let alias = if release.pre_release { NEWEST_PRE_RELEASE } else { NEWEST };
    put("versionAlias", if is_newest { json!([alias]) } else { json!([]) });
    put("allVersions", versions_of(extension, asked_target, verdicts, links).into());
    let more: Vec<&str> = asked_target.into_iter().chain(["versions"]).collect();
    put("allVersionsUrl", of(extension, links, &more).into());
    let siblings = || {
        let same =
            |at: &usize| extension.releases[*at].version == release.version && selectable(verdicts, *at);
        extension.newest_first(None).into_iter().filter(same)
    };
    let downloads: Map<String, Value> = siblings()
        .map(|at| (extension.releases[at].target.to_owned(), package_url(extension, at, links).into()))
        .collect();
    put("downloads", downloads.into());
    let targets: Vec<&str> = siblings().map(|at| extension.releases[at].target).collect();
    put("allTargetPlatformVersions", json!([{ "version": release.version, "targetPlatforms": targets }]));
    object
}

fn files(extension: &Extension, at: usize, links: &Links) -> Map<String, Value> {
    let release = &extension.releases[at];
    let package = package_file(extension, at);
    let stem = package.strip_suffix(".vsix").unwrap_or(&package);
    let file = &extension.files[at];
    let url = |called: &str| {
        let path = file_path(&extension.publisher, &extension.name, file, called);
        Value::from(format!("{}{path}", links.base))
    };
    let mut files = Map::from_iter([("download".to_owned(), url(&package))]);
    for companion in Companion::ALL.into_iter().filter(|c| release.companions.contains_key(c)) {
        files.insert(assets::rest_key(companion).to_owned(), url(&assets::file_name(companion, stem)));
    }
    files
}

/// The package's file as it is written for people.
fn package_file(extension: &Extension, at: usize) -> String {
    let release = &extension.releases[at];
    let target = if release.target == UNIVERSAL { String::new() } else { format!("@{}", release.target) };
    format!("{}.{}-{}{target}.vsix", extension.publisher, extension.name, release.version)
}

fn package_url(extension: &Extension, at: usize, links: &Links) -> String {
    let called = package_file(extension, at);
    format!(
        "{}{}",
        links.base,
        file_path(&extension.publisher, &extension.name, &extension.files[at], &called)
    )
}

/// Other extensions by their ids, with their addresses here.
fn references(ids: Option<&str>, links: &Links) -> Value {
    let known = |id: &str| PackageName::parse(Ecosystem::Vscode, id.trim()).is_ok();
    let ids = ids.unwrap_or_default().split(',').filter(|id| known(id));
    let one = |id: &str| {
        let (namespace, extension) = id.trim().split_once('.').unwrap_or_default();
        let url = format!("{}api/{}/{}", links.base, segment(namespace), segment(extension));
        json!({ "url": url, "namespace": namespace, "extension": extension })
    };
    ids.map(one).collect()
}
