//! What an extension says of itself: `package.json` with an engine of editors, and the `extension.vsixmanifest` that galleries read.
//!
//! Unknown and damaged fields are as if they were absent. Nothing is resolved.

use std::collections::{BTreeMap, BTreeSet};

use quick_xml::events::Event;
use serde_json::{Map, Value};

use crate::behaviour::manifest::bounded;

/// Entries of each list that are kept.
const ENTRIES: usize = 500;

/// Contributions that an editor uses without running code.
const PASSIVE: &[&str] = &[
    "themes",
    "iconThemes",
    "productIconThemes",
    "snippets",
    "keybindings",
    "languages",
    "grammars",
    "localizations",
    "colors",
    "icons",
    "semanticTokenScopes",
    "semanticTokenTypes",
    "semanticTokenModifiers",
    "configurationDefaults",
    "css",
    "fonts",
];

/// Of these, what alone makes the whole extension one without code.
const LOOKS: &[&str] =
    &["themes", "iconThemes", "productIconThemes", "snippets", "keybindings", "localizations"];

/// Categories of extensions without code.
const PASSIVE_CATEGORIES: &[&str] = &["Themes", "Snippets", "Keymaps", "Language Packs"];

/// What an extension says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExtensionManifest {
    /// The nested path of the file that says it.
    pub(crate) path: String,
    pub(crate) publisher: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// Whether it has code: `main` or `browser`.
    pub(crate) has_code: bool,
    /// When it is started.
    pub(crate) activation: BTreeSet<String>,
    pub(crate) contributes: BTreeSet<String>,
    pub(crate) categories: BTreeSet<String>,
    /// Extensions that are installed with it.
    pub(crate) pack: BTreeSet<String>,
    /// Extensions that it needs.
    pub(crate) needs: BTreeSet<String>,
    /// Interfaces of the editor that are not stable.
    pub(crate) proposed: BTreeSet<String>,
    /// Settings of the editor that it changes.
    pub(crate) defaults: BTreeMap<String, Value>,
    /// Whether it runs something when it is removed.
    pub(crate) uninstalls: bool,
}

impl ExtensionManifest {
    /// Reads a `package.json`; none where it is none of an extension.
    pub(crate) fn read(text: &[u8], path: &str) -> Option<Self> {
        let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
        let value: Value = serde_json::from_slice(text).ok()?;
        let object = value.as_object()?;
        let engines = object.get("engines").and_then(Value::as_object)?;
        if !["vscode", "theia", "azdata", "positron"].iter().any(|engine| engines.contains_key(*engine)) {
            return None;
        }
        let text = |key: &str| object.get(key).and_then(Value::as_str).map(bounded).unwrap_or_default();
        let contributes = object.get("contributes").and_then(Value::as_object);
        let defaults =
            contributes.and_then(|all| all.get("configurationDefaults")).and_then(Value::as_object);
        Some(Self {
            path: path.to_owned(),
            publisher: text("publisher"),
            name: text("name"),
            version: text("version"),
            has_code: !text("main").is_empty() || !text("browser").is_empty(),
            activation: list(object, "activationEvents"),
            contributes: contributes
                .into_iter()
                .flat_map(Map::keys)
                .take(ENTRIES)
                .map(|key| bounded(key))
                .collect(),
            categories: list(object, "categories"),
            pack: list(object, "extensionPack").iter().map(|id| id.to_ascii_lowercase()).collect(),
            needs: list(object, "extensionDependencies").iter().map(|id| id.to_ascii_lowercase()).collect(),
            proposed: list(object, "enabledApiProposals"),
            defaults: flat(defaults),
            uninstalls: object
                .get("scripts")
                .is_some_and(|scripts| scripts.get("vscode:uninstall").is_some()),
        })
    }

    /// `publisher.name`, in lower case.
    pub(crate) fn id(&self) -> String {
        format!("{}.{}", self.publisher, self.name).to_ascii_lowercase()
    }

    /// Whether it starts with the editor.
    pub(crate) fn starts_with_editor(&self) -> bool {
        self.activation.iter().any(|event| matches!(event.as_str(), "*" | "onStartupFinished"))
    }

    /// Whether what it contributes needs no code.
    pub(crate) fn is_passive(&self) -> bool {
        let has = |list: &[&str]| self.contributes.iter().any(|key| list.contains(&key.as_str()));
        let only = |list: &[&str]| self.contributes.iter().all(|key| list.contains(&key.as_str()));
        let by_category = !self.categories.is_empty()
            && self.categories.iter().all(|category| PASSIVE_CATEGORIES.contains(&category.as_str()));
        has(LOOKS) && only(PASSIVE) || by_category && has(LOOKS)
    }

    /// Whether it is a collection of other extensions, and says so.
    pub(crate) fn is_collection(&self) -> bool {
        !self.pack.is_empty()
            && (self.categories.iter().any(|category| category == "Extension Packs")
                || self.contributes.is_empty())
    }

    /// Other publishers' extensions that come with it.
    pub(crate) fn others(&self) -> BTreeSet<String> {
        let own = self.publisher.to_ascii_lowercase();
        let all = self.pack.iter().chain(&self.needs);
        all.filter(|id| id.split('.').next() != Some(own.as_str())).cloned().collect()
    }
}

fn list(object: &Map<String, Value>, key: &str) -> BTreeSet<String> {
    let all = object.get(key).and_then(Value::as_array).into_iter().flatten();
    all.filter_map(Value::as_str).take(ENTRIES).map(bounded).collect()
}

/// Settings, also those that are for one language.
fn flat(defaults: Option<&Map<String, Value>>) -> BTreeMap<String, Value> {
    defaults.into_iter().flatten().take(ENTRIES).map(|(key, value)| (bounded(key), value.clone())).collect()
}

/// Who an extension is to a gallery.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) path: String,
    pub(crate) publisher: String,
    pub(crate) name: String,
    pub(crate) version: String,
    /// The machine that it is for, empty for all.
    pub(crate) platform: String,
}

impl Identity {
    /// Reads an `extension.vsixmanifest`; none without an identity.
    pub(crate) fn read(text: &[u8], path: &str) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let mut reader = quick_xml::Reader::from_str(text.trim_start_matches('\u{feff}'));
        loop {
            match reader.read_event() {
                Ok(Event::Start(start) | Event::Empty(start))
                    if start.local_name().as_ref() == "Identity" =>
                {
                    let get = |key: &str| {
                        start
                            .try_get_attribute(key)
                            .ok()
                            .flatten()
                            .map(|a| bounded(&a.value))
                            .unwrap_or_default()
                    };
                    return Some(Self {
                        path: path.to_owned(),
                        publisher: get("Publisher"),
                        name: get("Id"),
                        version: get("Version"),
                        platform: get("TargetPlatform"),
                    });
                }
                Ok(Event::Eof) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    }
}
