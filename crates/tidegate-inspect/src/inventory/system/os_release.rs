//! Which distribution a system is (`os-release(5)`), and what that adds to the package URLs of its packages.

use crate::inventory::purl::encode;

/// Bytes of the file that are read.
const BYTES: usize = 64 << 10;

/// Bytes of one value.
const VALUE_BYTES: usize = 256;

/// A distribution.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Distro {
    /// Its own word, `ID`: `debian`, `alpine`, `rhel`.
    pub id: String,
    /// Its release, `VERSION_ID`: `12`, `3.19.1`; none where it has no releases.
    pub version: Option<String>,
    /// What it calls itself, `PRETTY_NAME`.
    pub name: Option<String>,
    /// The nested path of the file that says so.
    pub path: String,
}

/// Reads an `os-release`; nothing where it does not say which distribution it is.
pub(super) fn read(bytes: &[u8], path: &str) -> Option<Distro> {
    let text = String::from_utf8_lossy(bytes.get(..BYTES).unwrap_or(bytes));
    let mut distro = Distro { path: path.to_owned(), ..Distro::default() };
    for line in text.lines() {
        let Some((key, value)) = line.trim().split_once('=') else { continue };
        let value = unquoted(value.trim());
        if value.is_empty() || value.len() > VALUE_BYTES || value.contains(char::is_control) {
            continue;
        }
        match key {
            "ID" => distro.id = value.to_ascii_lowercase(),
            "VERSION_ID" => distro.version = Some(value),
            "PRETTY_NAME" => distro.name = Some(value),
            _ => {}
        }
    }
    let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    (!distro.id.is_empty() && distro.id.chars().all(is_word)).then_some(distro)
}

/// Without the quotes and escapes that shells know.
fn unquoted(value: &str) -> String {
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut out = String::new();
    let mut letters = inner.unwrap_or(value).chars();
    while let Some(letter) = letters.next() {
        out.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    out
}

impl Distro {
    /// The vendor as package URLs have it in their namespace.
    #[must_use]
    pub fn vendor(&self) -> &str {
        match self.id.as_str() {
            "rhel" => "redhat",
            "sles" | "sled" | "sle-micro" | "sl-micro" | "suse" => "suse",
            "ol" => "oracle",
            "amzn" => "amazon",
            "mariner" => "azurelinux",
            id if id.starts_with("opensuse") => "opensuse",
            id => id,
        }
    }

    /// The package URL of a system's package, with this distribution as its namespace and its qualifier `distro`. Package URLs of
    /// other types, and such as this crate does not write, come back as they are.
    #[must_use]
    pub fn placed(&self, purl: &str) -> String {
        let (path, qualifiers) = purl.split_once('?').unwrap_or((purl, ""));
        let Some((kind, name)) = path.strip_prefix("pkg:").and_then(|rest| rest.split_once('/')) else {
            return purl.to_owned();
        };
        if !matches!(kind, "deb" | "apk" | "rpm") {
            return purl.to_owned();
        }
        let name = name.rsplit('/').next().unwrap_or(name);
        let mut value = String::new();
        encode(&mut value, &self.id);
        if let Some(version) = &self.version {
            value.push('-');
            encode(&mut value, version);
        }
        let distro = format!("distro={value}");
        let others = qualifiers.split('&').filter(|q| !q.is_empty() && !q.starts_with("distro="));
        let mut all: Vec<&str> = others.chain(std::iter::once(distro.as_str())).collect();
        all.sort_unstable();
        let mut vendor = String::new();
        encode(&mut vendor, self.vendor());
        format!("pkg:{kind}/{vendor}/{name}?{}", all.join("&"))
    }
}
