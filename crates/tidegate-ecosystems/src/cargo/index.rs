//! An index file: one JSON line per version.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bytes::Bytes;
use tidegate_model::{ListedFile, PackageName, Stated, Timestamp, Yanked};

use crate::index::MAX_FILES;
use crate::{FetchedDocument, Index, IndexError, Links, Rendered, Verdicts, View};

use super::LINES;
use super::config::UpstreamConfig;
use super::line::Line;

/// An index file, kept as upstream wrote it.
pub(super) struct CargoIndex {
    package: PackageName,
    body: Bytes,
    /// Each kept line with its place in `body`, terminator included; same order and number as `files`.
    lines: Vec<(Range<usize>, Line)>,
    files: Vec<ListedFile>,
}

impl CargoIndex {
    /// Reads an index file. A line that cannot be understood, is about another crate, or repeats a version is left out.
    pub(super) fn read(
        package: &PackageName,
        body: Bytes,
        config: &UpstreamConfig,
        supplement: Option<&FetchedDocument>,
    ) -> Result<Self, IndexError> {
        let extras = supplement.map(Extra::read).unwrap_or_default();
        let mut index = Self { package: package.clone(), body, lines: Vec::new(), files: Vec::new() };
        let body = index.body.clone();
        let (mut seen, mut offset) = (HashSet::new(), 0);
        let (mut other, mut strange) = (None, 0usize);
        for (number, bytes) in body.split_inclusive(|b| *b == b'\n').enumerate() {
            if number >= MAX_FILES {
                return Err(IndexError::TooMuch { package: package.to_string(), limit: "200,000 lines" });
            }
            let place = offset..offset + bytes.len();
            offset = place.end;
            if bytes.iter().all(u8::is_ascii_whitespace) {
                continue;
            }
            let Some(line) = Line::read(bytes) else {
                strange += 1;
                continue;
            };
            if !same_crate(&line.name, package.as_str()) {
                other.get_or_insert(line.name);
                continue;
            }
            let Some(location) = config.download(&line.name, line.version.as_str(), line.checksum) else {
                strange += 1;
                continue;
            };
            // Of two lines with one version the first stands: a download is looked up by version, and must be the one
            // that was shown.
            if seen.insert(line.version.as_str().to_owned()) {
                index.files.push(listed(&line, location, extras.get(line.version.as_str())));
                index.lines.push((place, line));
            }
        }
        match (index.files.is_empty(), other) {
            (true, Some(found)) => Err(IndexError::OtherPackage { package: package.to_string(), found }),
            (true, None) if strange > 0 => Err(IndexError::Malformed {
                package: package.to_string(),
                why: format!("none of its {strange} lines is a JSON object with name, vers and cksum"),
            }),
            _ => Ok(index),
        }
    }
}

/// Crate names are told apart without case, and `-` and `_` count as one (the registry keeps such names unique).
fn same_crate(a: &str, b: &str) -> bool {
    let fold = |b: u8| if b == b'_' { b'-' } else { b.to_ascii_lowercase() };
    a.len() == b.len() && a.bytes().zip(b.bytes()).all(|(a, b)| fold(a) == fold(b))
}

fn listed(line: &Line, location: url::Url, extra: Option<&Extra>) -> ListedFile {
    let stated = |value: Option<&String>| value.cloned().map_or(Stated::NotOffered, Stated::Known);
    ListedFile {
        version: line.version.clone(),
        file: line.file.clone(),
        location,
        digests: vec![line.checksum.into()],
        size: extra.and_then(|e| e.size),
        published_at: line.published_at.or_else(|| extra.and_then(|e| e.published_at)),
        yanked: line.yanked.then_some(Yanked { reason: extra.and_then(|e| e.yank_message.clone()) }),
        deprecated: None,
        licence: stated(extra.and_then(|e| e.licence.as_ref())),
        install_script: Stated::NotOffered,
        publisher: stated(extra.and_then(|e| e.publisher.as_ref())),
        attestation: Stated::NotOffered,
        metadata_sidecar: None,
    }
}

/// What the web API says of one version and the index does not.
struct Extra {
    published_at: Option<Timestamp>,
    licence: Option<String>,
    publisher: Option<String>,
    size: Option<u64>,
    yank_message: Option<String>,
}

impl Extra {
    /// Reads `versions` of a crate's page, by version; what cannot be read is not there.
    fn read(document: &FetchedDocument) -> HashMap<String, Self> {
        let page: serde_json::Value = serde_json::from_slice(&document.body).unwrap_or_default();
        let Some(versions) = page.get("versions").and_then(|v| v.as_array()) else { return HashMap::new() };
        versions
            .iter()
            .take(MAX_FILES)
            .filter_map(|version| {
                let text =
                    |value: Option<&serde_json::Value>| value.and_then(|v| v.as_str()).map(str::to_owned);
                let extra = Self {
                    published_at: text(version.get("created_at")).and_then(|t| t.parse().ok()),
                    licence: text(version.get("license")),
                    publisher: text(version.pointer("/published_by/login")),
                    size: version.get("crate_size").and_then(serde_json::Value::as_u64),
                    yank_message: text(version.get("yank_message")),
                };
                Some((text(version.get("num"))?, extra))
            })
            .collect()
    }
}

impl Index for CargoIndex {
    fn package(&self) -> &PackageName {
        &self.package
    }

    fn files(&self) -> &[ListedFile] {
        &self.files
    }

    fn version_object(&self, position: usize) -> Option<&[u8]> {
        self.body.get(self.lines.get(position)?.0.clone())
    }

    fn render(&self, view: &View, verdicts: Verdicts<'_>, _links: &Links) -> Result<Rendered, IndexError> {
        if view.form != LINES || view.selector.is_some() {
            return Err(IndexError::NoSuchView(view.form.to_owned()));
        }
        let mut body = Vec::with_capacity(self.body.len() + 32);
        for (i, (place, line)) in self.lines.iter().enumerate() {
            let bytes = &self.body[place.clone()];
            // A file without a verdict was never decided: it is not offered.
            if verdicts.get(i).is_none_or(|verdict| verdict.withheld) {
                line.write_yanked(bytes, &mut body);
            } else {
                body.extend_from_slice(bytes);
            }
        }
        Ok(Rendered::Document { content_type: "text/plain; charset=utf-8", body })
    }

    fn weight(&self) -> usize {
        let each = size_of::<ListedFile>() + size_of::<(Range<usize>, Line)>();
        let texts: usize = self.files.iter().map(|f| f.location.as_str().len() + 256).sum();
        self.body.len() + self.files.len() * each + texts
    }
}
