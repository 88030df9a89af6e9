//! Reads what a gallery says of one extension, and beside it what Open VSX's own interface says.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use serde_json::{Map, Value};
use tidegate_model::{Digest, Ecosystem, FileName, ListedFile, PackageName, Stated, Version};
use url::Url;

use super::assets::{self, PACKAGE};
use super::release::{Described, Extension, Release};
use super::target::{self, UNIVERSAL, package_file};
use crate::index::MAX_FILES;
use crate::{Companion, FetchedDocument, IndexError, UpstreamBase};

/// The properties of a version that galleries write.
pub(super) const ENGINE: &str = "Microsoft.VisualStudio.Code.Engine";
pub(super) const DEPENDENCIES: &str = "Microsoft.VisualStudio.Code.ExtensionDependencies";
pub(super) const PACK: &str = "Microsoft.VisualStudio.Code.ExtensionPack";
pub(super) const PRE_RELEASE: &str = "Microsoft.VisualStudio.Code.PreRelease";

/// The most extensions that one version brings along or needs, of those that are looked at.
const MAX_BROUGHT: usize = 100;

/// Members of an extension that are passed on, beside those that are made here.
const ABOUT: [&str; 11] = [
    "extensionId",
    "displayName",
    "shortDescription",
    "statistics",
    "tags",
    "categories",
    "releaseDate",
    "publishedDate",
    "lastUpdated",
    "flags",
    "deploymentType",
];
/// The same of its publisher.
const PUBLISHER: [&str; 4] = ["publisherId", "displayName", "domain", "isDomainVerified"];

#[derive(Deserialize)]
struct Answer {
    results: Vec<ResultItem>,
}

#[derive(Deserialize)]
struct ResultItem {
    #[serde(default)]
    extensions: Vec<Map<String, Value>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawVersion {
    version: String,
    #[serde(default)]
    target_platform: Option<String>,
    #[serde(default)]
    last_updated: Option<String>,
    #[serde(default)]
    asset_uri: Option<String>,
    #[serde(default)]
    fallback_asset_uri: Option<String>,
    #[serde(default)]
    files: Option<Vec<RawFile>>,
    #[serde(default)]
    properties: Option<Vec<RawProperty>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawFile {
    asset_type: String,
    source: String,
}

#[derive(Deserialize)]
struct RawProperty {
    key: String,
    #[serde(default)]
    value: Value,
}

/// Reads an index.
pub(super) fn parse(
    package: &PackageName,
    upstream: &UpstreamBase,
    index: &FetchedDocument,
    supplement: Option<&FetchedDocument>,
) -> Result<Extension, IndexError> {
    let malformed = |why: String| IndexError::Malformed { package: package.to_string(), why };
    let answer: Answer = serde_json::from_slice(&index.body).map_err(|e| malformed(e.to_string()))?;
    let mut extensions: Vec<Map<String, Value>> =
        answer.results.into_iter().flat_map(|result| result.extensions).collect();
    let Some(at) = extensions.iter().position(|e| name_of(e).is_some_and(|(name, _, _)| name == *package))
    else {
        return Err(match extensions.first().and_then(name_of) {
            Some((other, _, _)) => {
                IndexError::OtherPackage { package: package.to_string(), found: other.to_string() }
            }
            None if extensions.is_empty() => IndexError::Absent { package: package.to_string() },
            None => malformed("its extension has no publisher and name".to_owned()),
        });
    };
    let mut raw = extensions.swap_remove(at);
    let (_, publisher, name) = name_of(&raw).expect("found by its name");
    let versions = match raw.remove("versions") {
        Some(Value::Array(versions)) => versions,
        Some(Value::Null) | None => Vec::new(),
        Some(_) => return Err(malformed("`versions` is no list".to_owned())),
    };
    if versions.len() > MAX_FILES {
        return Err(IndexError::TooMuch { package: package.to_string(), limit: "200,000 versions" });
    }
    let described = supplement.map(|document| described(package, &document.body)).unwrap_or_default();
    let mut read = Extension {
        package: package.clone(),
        about: about(&raw, &publisher),
        publisher,
        name,
        files: Vec::with_capacity(versions.len()),
        releases: Vec::with_capacity(versions.len()),
        hosts: upstream.url.host_str().map(|host| authority(&upstream.url, host)).into_iter().collect(),
        weight: index.body.len() + supplement.map_or(0, |document| document.body.len()),
    };
    let mut seen = HashSet::new();
    for version in versions {
        // A version that cannot be understood is left out.
        let Ok(version) = serde_json::from_value::<RawVersion>(version) else { continue };
        let Some((release, file)) = release(package, version, &described) else { continue };
        if !seen.insert((release.version.clone(), release.target)) {
            continue;
        }
        for url in release.companions.values().chain([&file.location]) {
            let host = url.host_str().map(|host| authority(url, host));
            if let Some(host) = host.filter(|host| !read.hosts.contains(host)) {
                read.hosts.push(host);
            }
        }
        read.releases.push(release);
        read.files.push(file);
    }
    Ok(read)
}

/// `host`, or `host:port` where the port is not the usual one: as it stands in addresses.
fn authority(url: &Url, host: &str) -> String {
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The name of an extension, and its publisher and name as written.
fn name_of(extension: &Map<String, Value>) -> Option<(PackageName, String, String)> {
    let publisher = extension.get("publisher")?.get("publisherName")?.as_str()?;
    let name = extension.get("extensionName")?.as_str()?;
    let package = PackageName::parse(Ecosystem::Vscode, &format!("{publisher}/{name}")).ok()?;
    Some((package, publisher.to_owned(), name.to_owned()))
}

/// The name of each extension of an answer, in its order, and the gallery's count of all.
pub(super) fn names(body: &[u8]) -> Result<(Vec<PackageName>, u64), serde_json::Error> {
    let whole: Value = serde_json::from_slice(body)?;
    let results = whole.get("results").and_then(Value::as_array);
    let mut names = Vec::new();
    let mut total = 0;
    for result in results.into_iter().flatten() {
        let extensions = result.get("extensions").and_then(Value::as_array);
        let found = extensions.into_iter().flatten().filter_map(|e| name_of(e.as_object()?));
        names.extend(found.map(|(name, _, _)| name));
        let counts = result.get("resultMetadata").and_then(Value::as_array);
        let items = counts.into_iter().flatten().filter_map(|m| m.get("metadataItems")?.as_array()).flatten();
        total = items
            .filter(|item| item.get("name").and_then(Value::as_str) == Some("TotalCount"))
            .find_map(|item| item.get("count")?.as_u64())
            .unwrap_or(total);
    }
    let total = total.max(names.len() as u64);
    Ok((names, total))
}

fn pick(object: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    keys.iter().filter_map(|key| Some(((*key).to_owned(), object.get(*key)?.clone()))).collect()
}

fn about(extension: &Map<String, Value>, publisher: &str) -> Map<String, Value> {
    let mut about = pick(extension, &ABOUT);
    let mut by = extension
        .get("publisher")
        .and_then(Value::as_object)
        .map(|p| pick(p, &PUBLISHER))
        .unwrap_or_default();
    by.insert("publisherName".to_owned(), publisher.into());
    about.insert("publisher".to_owned(), by.into());
    about.insert("extensionName".to_owned(), extension.get("extensionName").cloned().unwrap_or_default());
    about
}

/// One release and the file it is decided by; none where nothing of it could be fetched.
fn release(package: &PackageName, raw: RawVersion, described: &Described) -> Option<(Release, ListedFile)> {
    let target =
        target::parse(raw.target_platform.as_deref().filter(|t| !t.is_empty()).unwrap_or(UNIVERSAL))?;
    let file = FileName::parse(&package_file(package, &raw.version, target)).ok()?;
    let described = described.get(&(raw.version.clone(), target.to_owned())).cloned();
    let base = raw.fallback_asset_uri.as_deref().or(raw.asset_uri.as_deref());
    let listed = raw.files.unwrap_or_default();
    let source = |asset_type: &str| {
        listed.iter().find(|f| f.asset_type == asset_type).and_then(|f| address(&f.source))
    };
    let location = source(PACKAGE).or_else(|| asset_below(base?, PACKAGE, target))?;
    let mut companions: BTreeMap<Companion, Url> = Companion::ALL
        .into_iter()
        .filter_map(|companion| Some((companion, source(assets::gallery_type(companion)?)?)))
        .collect();
    let files = described.as_ref().and_then(|d| d.get("files")?.as_object());
    for companion in Companion::ALL {
        let told = files.and_then(|files| address(files.get(assets::rest_key(companion))?.as_str()?));
        if let Some(url) = told {
            companions.entry(companion).or_insert(url);
        }
    }
    let properties: Vec<(String, String)> = raw
        .properties
        .unwrap_or_default()
        .into_iter()
        .filter_map(|property| match property.value {
            Value::String(value) => Some((property.key, value)),
            Value::Bool(_) | Value::Number(_) => Some((property.key, property.value.to_string())),
            _ => None,
        })
        .collect();
    let release = Release {
        pre_release: properties.iter().any(|(key, value)| key == PRE_RELEASE && value == "true"),
        brings: brings(package, &properties),
        version: raw.version,
        target,
        last_updated: raw.last_updated,
        properties,
        companions,
        described,
    };
    let file = listed_file(&release, file, location);
    Some((release, file))
}

fn listed_file(release: &Release, file: FileName, location: Url) -> ListedFile {
    let text = |key: &str| release.described.as_ref().and_then(|d| d.get(key)?.as_str().map(str::to_owned));
    let time = release.last_updated.clone().or_else(|| text("timestamp"));
    let publisher = release
        .described
        .as_ref()
        .and_then(|d| d.get("publishedBy")?.get("loginName")?.as_str().map(str::to_owned));
    let is_deprecated =
        release.described.as_ref().is_some_and(|d| d.get("deprecated") == Some(&Value::Bool(true)));
    ListedFile {
        version: Version::parse(Ecosystem::Vscode, &release.version),
        file,
        location,
        digests: Vec::<Digest>::new(),
        size: None,
        published_at: time.and_then(|text| text.parse().ok()),
        yanked: None,
        deprecated: is_deprecated.then(|| "its registry says that it is deprecated".to_owned()),
        licence: match &release.described {
            Some(_) => Stated::Known(text("license").unwrap_or_default()),
            None => Stated::NotOffered,
        },
        install_script: Stated::NotOffered,
        publisher: publisher.map_or(Stated::NotOffered, Stated::Known),
        attestation: Stated::NotOffered,
        metadata_sidecar: None,
    }
}

/// An absolute address of the web.
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.host_str().is_some()).then_some(url)
}

/// The address of an asset below a version's base, as editors build it.
fn asset_below(base: &str, asset_type: &str, target: &str) -> Option<Url> {
    let mut url = address(base)?;
    url.path_segments_mut().ok()?.pop_if_empty().push(asset_type);
    if target != UNIVERSAL {
        url.query_pairs_mut().append_pair("targetPlatform", target);
    }
    Some(url)
}

/// The extensions of a pack, and those that are needed.
fn brings(package: &PackageName, properties: &[(String, String)]) -> Vec<PackageName> {
    let lists = properties.iter().filter(|(key, _)| key == PACK || key == DEPENDENCIES);
    let ids = lists.flat_map(|(_, value)| value.split(','));
    let mut brought: Vec<PackageName> = Vec::new();
    for name in ids.filter_map(|id| PackageName::parse(Ecosystem::Vscode, id.trim()).ok()) {
        if brought.len() < MAX_BROUGHT && name != *package && !brought.contains(&name) {
            brought.push(name);
        }
    }
    brought
}

/// What Open VSX says of releases. An answer that cannot be read says nothing.
fn described(package: &PackageName, body: &[u8]) -> Described {
    #[derive(Deserialize)]
    struct Told {
        #[serde(default)]
        extensions: Vec<Map<String, Value>>,
    }
    let told: Told = serde_json::from_slice(body).unwrap_or(Told { extensions: Vec::new() });
    let of = |object: &Map<String, Value>| {
        let text = |key: &str| object.get(key).and_then(Value::as_str);
        let name = format!("{}/{}", text("namespace")?, text("name")?);
        let name = PackageName::parse(Ecosystem::Vscode, &name).ok()?;
        (name == *package).then_some(())?;
        Some((text("version")?.to_owned(), text("targetPlatform").unwrap_or(UNIVERSAL).to_owned()))
    };
    told.extensions.into_iter().filter_map(|object| Some((of(&object)?, object))).collect()
}
