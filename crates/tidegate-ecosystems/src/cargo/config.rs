//! `config.json` of an upstream: where it keeps `.crate` files and its web API.

use tidegate_model::Sha256;
use url::Url;

use crate::FetchedDocument;

use super::route::prefix;

/// The largest `config.json` that is read: 64 KiB.
pub(super) const MAX_BYTES: u64 = 64 << 10;

/// An upstream's `config.json`.
#[derive(Debug, Clone)]
pub(super) struct UpstreamConfig {
    /// Template of download addresses, always with markers.
    dl: String,
    /// Root of the web API.
    pub(super) api: Option<Url>,
}

/// Why an upstream's `config.json` cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum ConfigError {
    #[error("the upstream's config.json is not the JSON object cargo describes: {0}")]
    Json(String),
    #[error("the upstream's config.json names `{0}` as `dl`, which gives no http or https address")]
    Download(String),
}

#[derive(serde::Deserialize)]
struct Written {
    dl: String,
    #[serde(default)]
    api: Option<String>,
}

const MARKERS: [&str; 5] = ["{crate}", "{version}", "{prefix}", "{lowerprefix}", "{sha256-checksum}"];

impl UpstreamConfig {
    pub(super) fn read(document: &FetchedDocument) -> Result<Self, ConfigError> {
        let written: Written =
            serde_json::from_slice(&document.body).map_err(|e| ConfigError::Json(e.to_string()))?;
        let mut dl = written.dl;
        if !MARKERS.iter().any(|marker| dl.contains(marker)) {
            dl.push_str("/{crate}/{version}/download");
        }
        let config = Self { dl, api: written.api.as_deref().and_then(web_address) };
        // Tried once here, so that a broken template is one clear error and not an index without files.
        match config.download("name", "1.0.0", Sha256::new([0; 32])) {
            Some(_) => Ok(config),
            None => Err(ConfigError::Download(config.dl.chars().take(200).collect())),
        }
    }

    /// Where a version's file is. `name` is spelled as its publisher spells it.
    pub(super) fn download(&self, name: &str, version: &str, checksum: Sha256) -> Option<Url> {
        let lower = name.to_ascii_lowercase();
        let filled = self
            .dl
            .replace("{crate}", name)
            .replace("{version}", version)
            .replace("{prefix}", &prefix(name).join("/"))
            .replace("{lowerprefix}", &prefix(&lower).join("/"))
            .replace("{sha256-checksum}", &checksum.hex());
        web_address(&filled)
    }
}

/// An absolute http(s) address without credentials.
fn web_address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let clean = url.username().is_empty() && url.password().is_none();
    (matches!(url.scheme(), "http" | "https") && url.has_host() && clean).then_some(url)
}

/// `root` extended by path segments.
pub(super) fn extend(root: &Url, segments: &[&str]) -> Url {
    let mut url = root.clone();
    url.set_query(None);
    url.set_fragment(None);
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}
