//! Writes simple pages, in HTML and in JSON.
//!
//! Addresses of files are relative to the page (`../../files/…`), so that they hold under any base, also behind a
//! prefix that carries a token. Digests, times and sidecars pass as the upstream wrote them. In HTML everything that
//! came from outside is escaped; in JSON the serializer does it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;
use serde_json::{Map, Value};
use tidegate_model::ListedFile;

use super::listing::{Listing, versions};
use super::page::{Link, Pairs, artifact_path, integrity_path};
use crate::Rendered;
use crate::index::Verdicts;

/// From `simple/<name>/` up to the repository's base.
const UP: &str = "../../";
const JSON_TYPE: &str = "application/vnd.pypi.simple.v1+json";
const HTML_TYPE: &str = "text/html; charset=utf-8";
/// The API version of a page that lacks what PEP 700 makes mandatory.
const WITHOUT_SIZES: &str = "1.0";
/// The first API version with sizes and versions.
const WITH_SIZES: &str = "1.1";

pub(super) fn html(listing: &Listing, verdicts: Verdicts<'_>) -> Rendered {
    let page = &listing.page;
    let mut out = String::with_capacity(512 + page.files.len() * 512);
    out.push_str("<!DOCTYPE html>\n<html>\n  <head>\n");
    let mut meta = |name: &str, content: &str| {
        out.push_str("    <meta name=\"");
        out.push_str(name);
        attribute(&mut out, "\" content", content);
        out.push_str(">\n");
    };
    meta("pypi:repository-version", page.api_version.as_deref().unwrap_or(WITHOUT_SIZES));
    if let Some(status) = &page.status {
        meta("pypi:project-status", &status.status);
        if let Some(reason) = &status.reason {
            meta("pypi:project-status-reason", reason);
        }
    }
    page.tracks.iter().for_each(|url| meta("pypi:tracks", url));
    page.alternate_locations.iter().for_each(|url| meta("pypi:alternate-locations", url));
    let name = listing.package.as_str();
    write!(out, "    <title>Links for {name}</title>\n  </head>\n  <body>\n    <h1>Links for {name}</h1>\n")
        .expect("writing to a String does not fail");
    for (position, (file, link)) in page.files.iter().zip(&page.links).enumerate() {
        anchor(&mut out, listing, file, link, listing.mark(position, verdicts).as_deref());
    }
    out.push_str("  </body>\n</html>\n");
    Rendered::Document { content_type: HTML_TYPE, body: out.into_bytes() }
}

fn anchor(out: &mut String, listing: &Listing, file: &ListedFile, link: &Link, yanked: Option<&str>) {
    let mut href = format!("{UP}{}", artifact_path(&listing.package, &file.file));
    if let Some((algorithm, digits)) = preferred(&link.hashes) {
        href.push('#');
        href.push_str(algorithm);
        href.push('=');
        href.push_str(digits);
    }
    out.push_str("    <a");
    attribute(out, " href", &href);
    if let Some(requires) = &link.requires_python {
        attribute(out, " data-requires-python", requires);
    }
    if let Some(hashes) = &link.core_metadata {
        let value = preferred(hashes).map_or_else(|| "true".into(), |(a, digits)| format!("{a}={digits}"));
        // Both names, as PEP 714 asks: pip before 23.1 reads the old one.
        attribute(out, " data-dist-info-metadata", &value);
        attribute(out, " data-core-metadata", &value);
    }
    if let Some(signed) = link.gpg_sig {
        attribute(out, " data-gpg-sig", if signed { "true" } else { "false" });
    }
    if let Some(reason) = yanked {
        attribute(out, " data-yanked", reason);
    }
    if let Some(time) = &link.upload_time {
        attribute(out, " data-upload-time", time);
    }
    if let Some(url) = provenance(listing, file, link) {
        attribute(out, " data-provenance", &url);
    }
    out.push('>');
    escape(out, file.file.as_str());
    out.push_str("</a><br>\n");
}

/// The one hash that fits into a fragment: SHA-256 where there is one, as every client knows it.
fn preferred(hashes: &Pairs) -> Option<&(String, String)> {
    hashes.iter().find(|(algorithm, _)| algorithm == "sha256").or_else(|| hashes.first())
}

/// Below our own base where the upstream keeps it below its own; elsewhere as the upstream gave it.
fn provenance(listing: &Listing, file: &ListedFile, link: &Link) -> Option<String> {
    let url = link.provenance.as_ref().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let ours = listing.root.as_ref().is_some_and(|root| {
        url.as_str().strip_prefix(root.url.as_str()).is_some_and(|rest| rest.starts_with("integrity/"))
    });
    Some(if ours {
        format!("{UP}{}", integrity_path(&listing.package, file.version.as_str(), &file.file))
    } else {
        url.to_string()
    })
}

fn attribute(out: &mut String, name: &str, value: &str) {
    out.push_str(name);
    out.push_str("=\"");
    escape(out, value);
    out.push('"');
}

/// Text that is neither markup nor the end of an attribute.
fn escape(out: &mut String, text: &str) {
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        out.push_str(&rest[..at]);
        out.push_str(match rest.as_bytes()[at] {
            b'&' => "&amp;",
            b'<' => "&lt;",
            b'>' => "&gt;",
            b'"' => "&quot;",
            _ => "&#39;",
        });
        rest = &rest[at + 1..];
    }
    out.push_str(rest);
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonPage<'a> {
    meta: Meta<'a>,
    name: &'a str,
    versions: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    project_status: Option<JsonStatus<'a>>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    alternate_locations: &'a [String],
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
    files: Vec<JsonFile<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct Meta<'a> {
    api_version: &'a str,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tracks: &'a [String],
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

#[derive(Serialize)]
struct JsonStatus<'a> {
    status: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct JsonFile<'a> {
    filename: &'a str,
    url: String,
    hashes: BTreeMap<&'a str, &'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    requires_python: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    core_metadata: Option<OneOr<BTreeMap<&'a str, &'a str>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    gpg_sig: Option<bool>,
    yanked: OneOr<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_time: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    provenance: Option<String>,
    #[serde(flatten)]
    extra: &'a Map<String, Value>,
}

/// A boolean, or more than that.
#[derive(Serialize)]
#[serde(untagged)]
enum OneOr<T> {
    Bool(bool),
    More(T),
}

pub(super) fn json(listing: &Listing, verdicts: Verdicts<'_>) -> Rendered {
    let page = &listing.page;
    let has_sizes = page.files.iter().all(|file| file.size.is_some());
    let files = page.files.iter().zip(&page.links).enumerate();
    let document = JsonPage {
        meta: Meta {
            api_version: match page.api_version.as_deref() {
                Some(version) if has_sizes => version,
                None if has_sizes && !page.files.is_empty() => WITH_SIZES,
                _ => WITHOUT_SIZES,
            },
            tracks: &page.tracks,
            extra: &page.extra_meta,
        },
        name: listing.package.as_str(),
        versions: match &page.versions {
            Some(versions) => versions.iter().map(String::as_str).collect(),
            None => versions(&page.files).into_iter().map(tidegate_model::Version::as_str).collect(),
        },
        project_status: page
            .status
            .as_ref()
            .map(|status| JsonStatus { status: &status.status, reason: status.reason.as_deref() }),
        alternate_locations: &page.alternate_locations,
        extra: &page.extra,
        files: files
            .map(|(position, (file, link))| json_file(listing, file, link, listing.mark(position, verdicts)))
            .collect(),
    };
    let body = serde_json::to_vec(&document).expect("maps with text keys serialize");
    Rendered::Document { content_type: JSON_TYPE, body }
}

fn json_file<'a>(
    listing: &'a Listing,
    file: &'a ListedFile,
    link: &'a Link,
    yanked: Option<String>,
) -> JsonFile<'a> {
    JsonFile {
        filename: file.file.as_str(),
        url: format!("{UP}{}", artifact_path(&listing.package, &file.file)),
        hashes: map(&link.hashes),
        requires_python: link.requires_python.as_deref(),
        core_metadata: link
            .core_metadata
            .as_ref()
            .map(|hashes| if hashes.is_empty() { OneOr::Bool(true) } else { OneOr::More(map(hashes)) }),
        gpg_sig: link.gpg_sig,
        yanked: match yanked {
            None => OneOr::Bool(false),
            Some(reason) if reason.is_empty() => OneOr::Bool(true),
            Some(reason) => OneOr::More(reason),
        },
        size: file.size,
        upload_time: link.upload_time.as_deref(),
        provenance: provenance(listing, file, link),
        extra: &link.extra,
    }
}

fn map(pairs: &Pairs) -> BTreeMap<&str, &str> {
    pairs.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}
