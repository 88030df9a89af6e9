//! The configuration of an image: what decides how its containers start, as facts, without a value that could be a secret.

use serde::Deserialize;

/// Bytes of a word that is told.
const WORD_BYTES: usize = 256;

/// Items of a list that are told.
const ITEMS: usize = 256;

/// How the containers of an image start. Values of its environment and arguments of its commands are left out: they may be secrets.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Config {
    /// `linux`.
    pub os: Option<String>,
    /// `amd64`, as the image format names it.
    pub architecture: Option<String>,
    /// As whom the first process runs; none is `root`.
    pub user: Option<String>,
    /// The program that is started.
    pub starts: Option<String>,
    /// Names of the environment.
    pub environment: Vec<String>,
    /// Ports that it says it listens on.
    pub ports: Vec<String>,
    /// Names of its labels.
    pub labels: Vec<String>,
    /// The unpacked layers' digests, lowest first.
    pub unpacked: Vec<String>,
    /// Commands that made it.
    pub commands: u64,
}

#[derive(Deserialize)]
struct Document {
    os: Option<String>,
    architecture: Option<String>,
    config: Option<Start>,
    rootfs: Option<Root>,
    #[serde(default)]
    history: Vec<serde::de::IgnoredAny>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "PascalCase")]
struct Start {
    user: Option<String>,
    entrypoint: Option<Vec<String>>,
    cmd: Option<Vec<String>>,
    env: Option<Vec<String>>,
    exposed_ports: Option<std::collections::BTreeMap<String, serde::de::IgnoredAny>>,
    labels: Option<std::collections::BTreeMap<String, serde::de::IgnoredAny>>,
}

#[derive(Deserialize)]
struct Root {
    #[serde(default)]
    diff_ids: Vec<String>,
}

impl Config {
    /// Reads a configuration; nothing where it is none.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let document: Document = serde_json::from_slice(bytes).ok()?;
        let start = document.config.unwrap_or_default();
        let word = |text: String| Some(text).filter(|text| is_word(text));
        let starts = start.entrypoint.into_iter().chain(start.cmd).flatten().next();
        let name = |pair: &String| pair.split('=').next().map(str::to_owned);
        let keys = |map: Option<std::collections::BTreeMap<String, _>>| {
            map.into_iter()
                .flat_map(std::collections::BTreeMap::into_keys)
                .filter(|key| is_word(key))
                .take(ITEMS)
        };
        Some(Self {
            os: document.os.and_then(word),
            architecture: document.architecture.and_then(word),
            user: start.user.filter(|user| !user.is_empty()).and_then(word),
            starts: starts.and_then(word),
            environment: start
                .env
                .iter()
                .flatten()
                .filter_map(name)
                .filter(|name| is_word(name))
                .take(ITEMS)
                .collect(),
            ports: keys(start.exposed_ports).collect(),
            labels: keys(start.labels).collect(),
            unpacked: document
                .rootfs
                .map(|root| root.diff_ids)
                .unwrap_or_default()
                .into_iter()
                .filter(|digest| is_word(digest))
                .take(super::LAYERS)
                .collect(),
            commands: document.history.len() as u64,
        })
    }
}

/// Whether a text can be told: short, and on one line.
fn is_word(text: &str) -> bool {
    text.len() <= WORD_BYTES && !text.contains(char::is_control)
}
