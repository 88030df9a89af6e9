//! What was discovered, kept in the data directory.
//!
//! Once `setup --write` has made the door the upstream of a client, that client's configuration no longer says what lies
//! behind the door. So every start keeps what it found, and falls back to it where a client now names the door or says
//! nothing. Credentials are never kept: an upstream that needs them must then be set for tidegate.

use std::path::{Path, PathBuf};

use tidegate_model::Ecosystem;
use url::Url;

use super::{Discovered, NotConfigured, Report, Surroundings, discover, discover_all, saved};

/// The file in the data directory.
pub const FILE: &str = "upstreams.json";
/// The largest file that is read: 1 MiB.
const MAX_BYTES: u64 = 1 << 20;

/// What was kept cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RememberError {
    /// It cannot be read or written.
    #[error("`{}` cannot be read or written", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It is not what this program writes.
    #[error("`{}` cannot be used; delete it, or load an answer with `tidegate discover --from-json FILE`", path.display())]
    Form {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        source: saved::LoadError,
    },
}

/// Finds the upstreams of every ecosystem, with what was found before where this machine says nothing now, and keeps the
/// answer in the data directory.
///
/// # Errors
/// What was kept cannot be read, or the answer cannot be kept.
pub fn discover_and_keep(around: &Surroundings, data: &Path) -> Result<Report, RememberError> {
    let kept = kept(data, &around.own_addresses)?;
    let report = merged(discover_all(around), &kept);
    keep(data, &report, &kept)?;
    Ok(report)
}

/// As [`discover_and_keep`], without writing.
///
/// # Errors
/// What was kept cannot be read.
pub fn discover_with_kept(around: &Surroundings, data: &Path) -> Result<Report, RememberError> {
    let kept = kept(data, &around.own_addresses)?;
    Ok(merged(discover_all(around), &kept))
}

/// What is set for tidegate, else what was kept: no client is asked and nothing is looked for.
///
/// # Errors
/// What was kept cannot be read.
pub fn remembered(around: &Surroundings, data: &Path) -> Result<Report, RememberError> {
    let kept = kept(data, &around.own_addresses)?;
    let known = |ecosystem| match of(&kept, ecosystem) {
        _ if around.explicit.contains_key(&ecosystem) => discover(ecosystem, around),
        Some(before) => Ok(before.clone()),
        None => {
            let why = vec!["no earlier start found one, and no client was asked for it now".to_owned()];
            Err(NotConfigured { ecosystem, why, unusable: false })
        }
    };
    Ok(Ecosystem::ALL.into_iter().map(|ecosystem| (ecosystem, known(ecosystem))).collect())
}

/// Keeps a report loaded from elsewhere, beside what was kept for other ecosystems.
///
/// # Errors
/// It cannot be kept.
pub fn keep_loaded(data: &Path, report: &Report, own: &[Url]) -> Result<(), RememberError> {
    let kept = kept(data, own)?;
    keep(data, report, &kept)
}

fn merged(found: Report, kept: &[Discovered]) -> Report {
    found
        .into_iter()
        .map(|(ecosystem, found)| match found {
            Err(missing) if !missing.unusable => match of(kept, ecosystem) {
                Some(before) => (ecosystem, Ok(from_memory(before))),
                None => (ecosystem, Err(missing)),
            },
            other => (ecosystem, other),
        })
        .collect()
}

fn of(kept: &[Discovered], ecosystem: Ecosystem) -> Option<&Discovered> {
    kept.iter().find(|found| found.ecosystem == ecosystem)
}

fn from_memory(before: &Discovered) -> Discovered {
    let mut found = before.clone();
    let note = format!("kept from an earlier start in `{FILE}`: the clients here name no other upstream now");
    if !found.notes.contains(&note) {
        found.notes.push(note);
    }
    found
}

fn kept(data: &Path, own: &[Url]) -> Result<Vec<Discovered>, RememberError> {
    let path = data.join(FILE);
    let io = |source| RememberError::Io { path: path.clone(), source };
    match std::fs::metadata(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(io(error)),
        Ok(found) if found.len() > MAX_BYTES => return Err(io(std::io::Error::other("larger than 1 MiB"))),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(&path).map_err(io)?;
    let report =
        saved::from_json(&text, own).map_err(|source| RememberError::Form { path: path.clone(), source })?;
    Ok(report.into_iter().filter_map(|(_, found)| found.ok()).collect())
}

fn keep(data: &Path, report: &Report, kept: &[Discovered]) -> Result<(), RememberError> {
    let found = |ecosystem| {
        let new = report.iter().find(|(other, found)| *other == ecosystem && found.is_ok());
        new.and_then(|(_, found)| found.as_ref().ok()).or_else(|| of(kept, ecosystem))
    };
    let text: String = Ecosystem::ALL
        .into_iter()
        .filter_map(found)
        .map(|found| {
            let mut found = found.clone();
            found.notes.clear();
            saved::to_json(&Ok(found)) + "\n"
        })
        .collect();
    let path = data.join(FILE);
    if text.is_empty() || std::fs::read_to_string(&path).is_ok_and(|before| before == text) {
        return Ok(());
    }
    std::fs::create_dir_all(data)
        .and_then(|()| crate::clients::locks::write_whole(&path, text.as_bytes(), Some(0o600)))
        .map_err(|source| RememberError::Io { path, source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::discover::tests::Machine;

    const KEPT: &str = "https://mirror.example/npm/";

    fn npm(machine: &Machine, npmrc: &str) -> Result<Discovered, NotConfigured> {
        machine.write("home/.npmrc", npmrc);
        let report = discover_and_keep(&machine.around, &machine.path("data")).unwrap();
        report.into_iter().find(|(e, _)| *e == Ecosystem::Npm).unwrap().1
    }

    #[test]
    fn an_upstream_is_remembered_once_a_client_names_the_door() {
        let machine = Machine::new();
        assert_eq!(npm(&machine, &format!("registry={KEPT}\n")).unwrap().url.as_str(), KEPT);
        let found = npm(&machine, "registry=http://127.0.0.1:8484/npm/\n").unwrap();
        assert_eq!(found.url.as_str(), KEPT);
        assert!(found.notes.iter().any(|n| n.contains(FILE)), "{:?}", found.notes);
        // What the user set and cannot be used is a mistake to mend: nothing old stands in for it.
        assert!(npm(&machine, "registry=ftp://mirror.example/\n").is_err());
    }

    #[test]
    fn credentials_are_not_kept() {
        let machine = Machine::new();
        let text = format!("registry={KEPT}\n//mirror.example/npm/:_authToken=hush-hush\n");
        assert!(npm(&machine, &text).unwrap().credentials.is_some());
        let kept = std::fs::read_to_string(machine.path("data").join(FILE)).unwrap();
        assert!(kept.contains(KEPT) && !kept.contains("hush"), "{kept}");
    }
}
