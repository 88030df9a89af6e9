//! What was discovered, as JSON lines: for `discover --json`, and for machines without clients to load again.
//!
//! Credentials are never written. A line says whether there were any, so that whoever loads it knows what to add.

use serde::{Deserialize, Serialize};
use tidegate_model::Ecosystem;
use url::Url;

use super::{Discovered, NotConfigured, Report, Scoped, Source, address, is_self};

/// One ecosystem's line.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    ecosystem: Ecosystem,
    state: State,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    source: Option<Source>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<Withheld>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scoped: Vec<ScopedLine>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    why: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remedy: Option<String>,
}

#[derive(Serialize, Deserialize, PartialEq)]
#[serde(rename_all = "snake_case")]
enum State {
    Configured,
    NotConfigured,
}

#[derive(Serialize, Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "snake_case")]
enum Withheld {
    None,
    Withheld,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopedLine {
    pattern: String,
    url: String,
    place: String,
    credentials: Withheld,
}

/// A saved answer that cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// A line is not what `discover --json` writes.
    #[error("line {line} is not what `tidegate discover --json` writes")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What the JSON reader says.
        source: serde_json::Error,
    },
    /// A line's address cannot be an upstream.
    #[error("line {line}: the address for {ecosystem} is {why}")]
    Address {
        /// Counted from 1.
        line: usize,
        /// Whose address it is.
        ecosystem: Ecosystem,
        /// What is wrong with it.
        why: String,
    },
}

fn withheld(is_there: bool) -> Withheld {
    if is_there { Withheld::Withheld } else { Withheld::None }
}

/// One ecosystem's answer as one line of JSON, without the line's end.
pub fn to_json(found: &Result<Discovered, NotConfigured>) -> String {
    let line = match found {
        Ok(found) => Line {
            ecosystem: found.ecosystem,
            state: State::Configured,
            url: Some(found.url.to_string()),
            source: Some(found.source.clone()),
            credentials: Some(withheld(found.credentials.is_some())),
            scoped: found.scoped.iter().map(scoped_line).collect(),
            notes: found.notes.clone(),
            why: Vec::new(),
            remedy: None,
        },
        Err(none) => Line {
            ecosystem: none.ecosystem,
            state: State::NotConfigured,
            url: None,
            source: None,
            credentials: None,
            scoped: Vec::new(),
            notes: Vec::new(),
            why: none.why.clone(),
            remedy: Some(none.remedy()),
        },
    };
    serde_json::to_string(&line).expect("a line is strings in a struct, which always become JSON")
}

fn scoped_line(scoped: &Scoped) -> ScopedLine {
    ScopedLine {
        pattern: scoped.pattern.clone(),
        url: scoped.url.to_string(),
        place: scoped.place.clone(),
        credentials: withheld(scoped.credentials.is_some()),
    }
}

/// Reads lines written by [`to_json`]. An ecosystem without a line is simply absent from the answer.
///
/// # Errors
/// A line of another form, or an address that cannot be an upstream (the door itself among them).
pub fn from_json(text: &str, own_addresses: &[Url]) -> Result<Report, LoadError> {
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(index, text)| {
            let number = index + 1;
            let line: Line =
                serde_json::from_str(text).map_err(|source| LoadError::Form { line: number, source })?;
            Ok((line.ecosystem, load(line, number, own_addresses)?))
        })
        .collect()
}

fn load(line: Line, number: usize, own: &[Url]) -> Result<Result<Discovered, NotConfigured>, LoadError> {
    let ecosystem = line.ecosystem;
    if line.state == State::NotConfigured {
        return Ok(Err(NotConfigured { ecosystem, why: line.why, unusable: false }));
    }
    let bad = |why: String| LoadError::Address { line: number, ecosystem, why };
    let read = |value: &str| {
        let address = address::parse(value).map_err(|error| bad(error.to_string()))?;
        if is_self(&address.url, own) {
            return Err(bad(format!("{}, this door itself", address.url)));
        }
        Ok(address)
    };
    let main = read(&line.url.ok_or_else(|| bad("missing".to_owned()))?)?;
    let mut notes = line.notes;
    if line.credentials == Some(Withheld::Withheld) && main.credentials.is_none() {
        notes.push("its credentials were not saved; set them for tidegate".to_owned());
    }
    let scoped = line
        .scoped
        .into_iter()
        .map(|scoped| {
            let address = read(&scoped.url)?;
            Ok(Scoped {
                pattern: scoped.pattern,
                url: address.url,
                credentials: address.credentials,
                place: scoped.place,
            })
        })
        .collect::<Result<_, LoadError>>()?;
    Ok(Ok(Discovered {
        ecosystem,
        url: main.url,
        credentials: main.credentials,
        source: line.source.ok_or_else(|| bad("given without a `source`".to_owned()))?,
        scoped,
        notes,
    }))
}
