//! Finds the upstreams that this machine's clients use, so that no registry's host name stands in the source.
//!
//! For each ecosystem the order is: an explicit setting, the user's and the machine's client configuration, the
//! client's own built-in default (asked of the client), a constant of a dependency, and otherwise *not configured*
//! with an instruction. A guess is never made.
//!
//! What it refuses to do: read or keep anything from a project (`.npmrc`, `pip.conf` of a project's virtual
//! environment, `yarnPath`, `.cargo/config.toml` beside the sources), or run a project's code. A client is asked in
//! an empty folder, found on a cleaned `PATH`, with a cleared environment ([`surroundings`]).

pub mod address;
mod cargo;
mod huggingface;
mod ini;
mod mcp;
mod npm;
mod oci;
mod pypi;
pub mod remember;
pub mod saved;
pub mod surroundings;
#[cfg(test)]
mod tests;
mod vscode;

use std::fmt;

use tidegate_model::{Ecosystem, Secret};
use url::Url;

pub use address::is_self;
pub use surroundings::Surroundings;

/// The upstream found for one ecosystem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovered {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// Where the upstream begins: absolute, with a trailing slash, without credentials. npm: the registry. PyPI: the
    /// simple index. cargo: the sparse index, without `sparse+`.
    pub url: Url,
    /// The whole value of the `Authorization` request header that the client would send there. Never saved.
    pub credentials: Option<Secret<String>>,
    /// Where the address came from.
    pub source: Source,
    /// Further upstreams for a part of the names, or beside the main one.
    pub scoped: Vec<Scoped>,
    /// What a person should know: what was ignored, what tidegate cannot take over from the client.
    pub notes: Vec<String>,
}

/// An upstream beside the main one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scoped {
    /// What it serves, in the client's words: `@acme` (npm scope), `extra-index-url` (Python), a cargo registry's name.
    pub pattern: String,
    /// Where it begins, as [`Discovered::url`].
    pub url: Url,
    /// As [`Discovered::credentials`].
    pub credentials: Option<Secret<String>>,
    /// Where it stands: a file or a variable.
    pub place: String,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Source {
    /// What kind of place it is.
    pub kind: SourceKind,
    /// The file, variable or command, for a person to look at.
    pub place: String,
}

/// The kinds of places an upstream can come from, best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// tidegate's own configuration or `TIDEGATE_UPSTREAM_*`.
    Explicit,
    /// A variable of the environment that the client reads.
    Environment,
    /// A client's file in the user's home.
    UserConfiguration,
    /// A client's file for the whole machine.
    MachineConfiguration,
    /// What the client says when nothing is configured.
    ClientDefault,
    /// A constant of one of our dependencies.
    DependencyConstant,
}

impl fmt::Display for SourceKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Explicit => "set for tidegate",
            Self::Environment => "environment",
            Self::UserConfiguration => "user configuration",
            Self::MachineConfiguration => "machine configuration",
            Self::ClientDefault => "the client's own default",
            Self::DependencyConstant => "built into a dependency",
        })
    }
}

impl Source {
    pub(crate) fn new(kind: SourceKind, place: impl Into<String>) -> Self {
        Self { kind, place: place.into() }
    }
}

/// No upstream could be found for an ecosystem. Its message says what was looked at and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct NotConfigured {
    /// The ecosystem.
    pub ecosystem: Ecosystem,
    /// What was looked at and why it gave nothing.
    pub why: Vec<String>,
    /// Whether somebody set an upstream that cannot be used: what was found at another time must not stand in for it.
    pub unusable: bool,
}

impl NotConfigured {
    /// What a person can do about it, in one line.
    pub fn remedy(&self) -> String {
        format!(
            "set `TIDEGATE_UPSTREAM_{}` to the address of {} or of your mirror of it, or load an answer saved elsewhere \
             with `tidegate discover --from-json FILE`",
            self.ecosystem.as_str().to_uppercase(),
            self.ecosystem.registry_label()
        )
    }
}

impl fmt::Display for NotConfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} has no upstream: ", self.ecosystem)?;
        for reason in &self.why {
            write!(f, "{reason}; ")?;
        }
        f.write_str(&self.remedy())
    }
}

impl Discovered {
    /// A few lines for a person: the address, where it came from, what stands beside it.
    pub fn describe(&self) -> String {
        let secret = if self.credentials.is_some() { ", with credentials" } else { "" };
        let mut text = format!(
            "{:<6} {}\n       from {} ({}){secret}\n",
            self.ecosystem.as_str(),
            self.url,
            self.source.place,
            self.source.kind
        );
        for scoped in &self.scoped {
            let secret = if scoped.credentials.is_some() { ", with credentials" } else { "" };
            text.push_str(&format!(
                "       also {} {} from {}{secret}\n",
                scoped.pattern, scoped.url, scoped.place
            ));
        }
        for note in &self.notes {
            text.push_str(&format!("       note: {note}\n"));
        }
        text
    }
}

/// Finds the upstream of one ecosystem.
///
/// Blocking: it may start a client and wait for its answer (at most [`Surroundings::ask_timeout`] each).
///
/// # Errors
/// Nothing usable was found, or what was found is the door itself.
pub fn discover(ecosystem: Ecosystem, around: &Surroundings) -> Result<Discovered, NotConfigured> {
    let mut search = Search::new(ecosystem, around);
    if let Some((place, value)) = around.explicit.get(&ecosystem) {
        // A setting that cannot be used is a mistake to mend, not a reason to look elsewhere behind the user's back.
        search.offer(value, Source::new(SourceKind::Explicit, place.clone()));
        return search.finish();
    }
    match ecosystem {
        Ecosystem::Npm => npm::search(&mut search),
        Ecosystem::Pypi => pypi::search(&mut search),
        Ecosystem::Cargo => cargo::search(&mut search),
        Ecosystem::Huggingface => huggingface::search(&mut search),
        Ecosystem::Oci => oci::search(&mut search),
        Ecosystem::Vscode => vscode::search(&mut search),
        Ecosystem::Mcp => mcp::search(&mut search),
    }
    search.finish()
}

/// What was found for each ecosystem, in the order of [`Ecosystem::ALL`].
pub type Report = Vec<(Ecosystem, Result<Discovered, NotConfigured>)>;

/// Finds the upstreams of every ecosystem, at the same time.
pub fn discover_all(around: &Surroundings) -> Report {
    std::thread::scope(|scope| {
        let running =
            Ecosystem::ALL.map(|ecosystem| (ecosystem, scope.spawn(move || discover(ecosystem, around))));
        running
            .into_iter()
            .map(|(ecosystem, thread)| {
                let found = thread.join().unwrap_or_else(|_| {
                    Err(NotConfigured {
                        ecosystem,
                        why: vec!["looking for it failed inside tidegate".to_owned()],
                        unusable: false,
                    })
                });
                (ecosystem, found)
            })
            .collect()
    })
}

/// A search under way: the first usable value wins, and a value that may not be used ends it.
pub(crate) struct Search<'a> {
    pub(crate) around: &'a Surroundings,
    ecosystem: Ecosystem,
    found: Option<(address::Address, Source)>,
    scoped: Vec<Scoped>,
    notes: Vec<String>,
    why: Vec<String>,
    /// A value that the client would use and we cannot: looking further would go past the user's own mirror.
    dead_end: bool,
    /// What was found is the door itself, as after `setup`.
    names_the_door: bool,
}

impl<'a> Search<'a> {
    fn new(ecosystem: Ecosystem, around: &'a Surroundings) -> Self {
        Self {
            around,
            ecosystem,
            found: None,
            scoped: Vec::new(),
            notes: Vec::new(),
            why: Vec::new(),
            dead_end: false,
            names_the_door: false,
        }
    }

    /// Whether nothing more need be looked at.
    pub(crate) fn is_over(&self) -> bool {
        self.found.is_some() || self.dead_end
    }

    /// Considers a value for the main upstream. The first one decides: a value that is no address, or is the door
    /// itself, ends the search, because what lies behind it is not what the client would use.
    pub(crate) fn offer(&mut self, value: &str, source: Source) {
        if self.is_over() {
            return;
        }
        match address::parse(value) {
            Err(error) => self.end(format!("{} ({}) gives {error}", source.place, source.kind)),
            Ok(address) if is_self(&address.url, &self.around.own_addresses) => {
                self.names_the_door = source.kind != SourceKind::Explicit;
                self.end(format!(
                    "{} ({}) already points at this door ({}), which cannot be its own upstream",
                    source.place, source.kind, address.url
                ));
            }
            Ok(address) => self.found = Some((address, source)),
        }
    }

    /// Notes an upstream beside the main one; silently leaves out what is no address or is the door.
    pub(crate) fn beside(&mut self, pattern: &str, value: &str, place: &str) {
        match address::parse(value) {
            Ok(address) if is_self(&address.url, &self.around.own_addresses) => {}
            Ok(address) => {
                let scoped = Scoped {
                    pattern: pattern.to_owned(),
                    url: address.url,
                    credentials: address.credentials,
                    place: place.to_owned(),
                };
                if !self.scoped.iter().any(|other| other.pattern == scoped.pattern && other.url == scoped.url)
                {
                    self.scoped.push(scoped);
                }
            }
            Err(error) => self.note(format!("{place} names for {pattern} {error}; it is left out")),
        }
    }

    /// Ends the search without an upstream.
    pub(crate) fn end(&mut self, why: String) {
        self.dead_end = true;
        self.why.push(why);
    }

    /// Records that a place was looked at and gave nothing.
    pub(crate) fn missed(&mut self, why: impl Into<String>) {
        self.why.push(why.into());
    }

    /// Records something a person should know.
    pub(crate) fn note(&mut self, note: impl Into<String>) {
        let note = note.into();
        if !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Gives credentials to the main address, unless it carries its own.
    pub(crate) fn main_credentials(&mut self, credentials: Option<Secret<String>>) {
        if let Some((address, _)) = &mut self.found {
            address.credentials = address.credentials.take().or(credentials).filter(address::is_sendable);
        }
    }

    /// Looks up credentials for every address that carries none of its own.
    pub(crate) fn credentials_from(&mut self, find: impl Fn(&Url) -> Option<Secret<String>>) {
        if let Some((address, _)) = &mut self.found {
            let credentials = address.credentials.take().or_else(|| find(&address.url));
            address.credentials = credentials.filter(address::is_sendable);
        }
        for scoped in &mut self.scoped {
            let credentials = scoped.credentials.take().or_else(|| find(&scoped.url));
            scoped.credentials = credentials.filter(address::is_sendable);
        }
    }

    fn finish(self) -> Result<Discovered, NotConfigured> {
        match self.found {
            Some((address, source)) => Ok(Discovered {
                ecosystem: self.ecosystem,
                url: address.url,
                credentials: address.credentials,
                source,
                scoped: self.scoped,
                notes: self.notes,
            }),
            None => {
                let mut why = self.why;
                why.extend(self.notes);
                Err(NotConfigured {
                    ecosystem: self.ecosystem,
                    why,
                    unusable: self.dead_end && !self.names_the_door,
                })
            }
        }
    }
}
