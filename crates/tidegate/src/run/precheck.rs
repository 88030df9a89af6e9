//! What a lock file's entries come to, asked before the client starts, so that every refusal is told at once.

use std::collections::BTreeSet;
use std::ffi::OsString;

use serde_json::{Value, json};
use tidegate_ecosystems::lockfile;
use tidegate_model::Action;

use crate::cli::Failure;
use crate::cli::remote::Remote;
use crate::clients::{Client, LockFile};

/// How many entries are asked about in one request.
const ITEMS_A_REQUEST: usize = 2_000;

/// One lock file's entries, and what they come to.
#[derive(Debug, Default)]
pub struct Checked {
    /// The file, as shown.
    pub file: String,
    /// How many packages it pins.
    pub packages: usize,
    /// Those that are refused, each package once.
    pub refused: Vec<Refused>,
    /// How many could not be decided, and why the first of them.
    pub undecided: Option<(usize, String)>,
}

/// A pinned package that is refused.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Package URL with version.
    pub purl: String,
    /// `quarantine` or `block`.
    pub action: Action,
    /// Why, what else there is, and when it ends: one line.
    pub why: String,
}

/// Package URLs that a lock file pins, each once; empty where there is no such file or it cannot be read.
pub fn pinned(lock: &LockFile) -> BTreeSet<String> {
    entries(lock).ok().flatten().unwrap_or_default().into_iter().map(|(purl, _)| purl).collect()
}

type Entries = Vec<(String, Option<String>)>;

fn entries(lock: &LockFile) -> Result<Option<Entries>, Failure> {
    let Some(bytes) = lock.read()? else { return Ok(None) };
    let name = lock.path.to_string_lossy();
    let parsed = lockfile::parse(&name, &bytes).map_err(|e| Failure(format!("`{name}`: {e}")))?;
    let mut seen = BTreeSet::new();
    let packages = parsed.packages.into_iter().map(|package| {
        let file = package.file.map(|file| file.as_str().to_owned());
        (package.coordinate.purl(), file)
    });
    Ok(Some(packages.filter(|entry| seen.insert(entry.clone())).collect()))
}

/// Asks the door about every entry of a lock file; `None` where the file does not exist.
///
/// # Errors
/// The file cannot be read, or the door cannot be asked.
pub fn check(remote: &Remote, run: &str, lock: &LockFile) -> Result<Option<Checked>, Failure> {
    let Some(entries) = entries(lock)? else { return Ok(None) };
    let file = lock.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let packages = entries.iter().map(|(purl, _)| purl).collect::<BTreeSet<_>>().len();
    let mut checked = Checked { file, packages, ..Checked::default() };
    let mut told = BTreeSet::new();
    for part in entries.chunks(ITEMS_A_REQUEST) {
        let locked: Vec<Value> =
            part.iter().map(|(purl, file)| json!({ "purl": purl, "file": file })).collect();
        let answer = remote.post("checks", &json!({ "locked": locked, "run": run }))?;
        for item in answer.get("items").and_then(Value::as_array).into_iter().flatten() {
            checked.take(item, &mut told);
        }
    }
    Ok(Some(checked))
}

impl Checked {
    fn take(&mut self, item: &Value, told: &mut BTreeSet<String>) {
        let purl = text(item, "purl").to_owned();
        if text(item, "status") != "decided" {
            let (count, _) =
                self.undecided.get_or_insert_with(|| (0, format!("{purl}: {}", text(item, "error"))));
            *count += 1;
            return;
        }
        let served = item.get("served").and_then(Value::as_bool).unwrap_or(false);
        if !served && told.insert(purl.clone()) {
            self.refused.push(Refused { purl, action: action(item), why: why(item) });
        }
    }

    /// The status to exit with where entries are refused: 4 for a block among them, else 3.
    pub fn exit_code(&self) -> Option<u8> {
        self.refused.iter().map(|refused| if refused.action == Action::Block { 4 } else { 3 }).max()
    }
}

/// A text field of an answer; empty where it has none.
pub fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}

/// The action of an answer. One that is not understood is taken for the strictest.
pub fn action(item: &Value) -> Action {
    item.get("action").and_then(|a| serde_json::from_value(a.clone()).ok()).unwrap_or(Action::Block)
}

/// Why something is withheld, and what a person can do: `quarantine by fresh: …; selectable from …; newest compliant …`.
pub fn why(item: &Value) -> String {
    let mut line = format!("{} by {}: {}", action(item), text(item, "rule"), text(item, "message"));
    // Rules that time ends mostly say so themselves.
    if !line.contains("selectable from")
        && let Ok(from) = text(item, "selectable_from").parse::<tidegate_model::Timestamp>()
    {
        line.push_str(&format!("; selectable from {}", from.to_minute()));
    }
    if !text(item, "newest_compliant").is_empty() {
        line.push_str(&format!("; newest compliant: {}", text(item, "newest_compliant")));
    }
    line
}

/// Whether a command installs what its lock file says, so that a refused entry is certain to stop it. Commands that
/// change the lock file must start: they are how a refused entry is got rid of.
pub fn installs_as_locked(client: Client, args: &[OsString]) -> bool {
    let words: Vec<String> = args
        .iter()
        .map(|arg| arg.to_string_lossy().into_owned())
        .take_while(|arg| arg != "--")
        .filter(|arg| !arg.starts_with('-') && !arg.starts_with('+'))
        .collect();
    let first = words.first().map_or("", String::as_str);
    match client {
        Client::Npm => match first {
            "ci" | "clean-install" | "ic" | "install-clean" | "cit" | "install-ci-test" => true,
            "install" | "i" | "it" | "install-test" => words.len() == 1,
            _ => false,
        },
        Client::Pip => matches!(first, "install" | "download" | "wheel" | "pip"),
        Client::Uv => match (first, words.get(1).map(String::as_str)) {
            ("sync" | "run", _) => !args.iter().any(|arg| arg == "-U" || arg == "--upgrade"),
            ("pip", Some("sync" | "install")) => true,
            _ => false,
        },
        Client::Huggingface
        | Client::McpRegistry
        | Client::Docker
        | Client::Podman
        | Client::Skopeo
        | Client::Containerd
        | Client::Ovsx
        | Client::CodeServer
        | Client::Vscodium
        | Client::Vscode => false,
        Client::Cargo => matches!(
            first,
            "build"
                | "b"
                | "check"
                | "c"
                | "test"
                | "t"
                | "run"
                | "r"
                | "bench"
                | "doc"
                | "d"
                | "fetch"
                | "clippy"
                | "vendor"
        ),
        // Both install what the lock file says as long as it fits the project; `frozen` and `immutable` insist on it.
        Client::Pnpm => match first {
            "install" | "i" | "ci" | "clean-install" => words.len() == 1,
            _ => false,
        },
        Client::Yarn => match first {
            "" => !args.iter().any(|arg| arg == "--version" || arg == "--help"),
            "install" => words.len() == 1,
            _ => false,
        },
        Client::Poetry => matches!(first, "install" | "sync"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_change_the_lock_file_may_start() {
        let as_locked = |line: &str| {
            let command: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            installs_as_locked(Client::of_command(&command).unwrap(), &command[1..])
        };
        for line in [
            "npm ci",
            "npm install",
            "pip install -r r.txt",
            "python -m pip install -r r.txt",
            "uv sync --frozen",
            "cargo +stable build",
            "pnpm install --frozen-lockfile",
            "yarn --immutable",
            "yarn install",
            "poetry sync",
        ] {
            assert!(as_locked(line), "{line}");
        }
        for line in [
            "npm install left-pad@1.3.0",
            "npm update",
            "npm run dev",
            "uv lock --upgrade",
            "uv sync -U",
            "uv add x",
            "cargo update -p x",
            "cargo add x",
            "pnpm add x",
            "pnpm update",
            "yarn add x",
            "yarn --version",
            "poetry update",
        ] {
            assert!(!as_locked(line), "{line}");
        }
    }

    #[test]
    fn a_refusal_says_what_else_there_is_and_when_it_ends() {
        let item = json!({
            "purl": "pkg:npm/x@2.0.0", "status": "decided", "served": false, "action": "quarantine", "rule": "fresh",
            "message": "published an hour ago", "selectable_from": "2026-11-24T09:10:00Z", "newest_compliant": "1.0.0",
        });
        let mut checked = Checked::default();
        checked.take(&item, &mut BTreeSet::new());
        assert_eq!(checked.exit_code(), Some(3));
        assert_eq!(
            checked.refused[0].why,
            "quarantine by fresh: published an hour ago; selectable from 2026-11-24 09:10 UTC; newest compliant: 1.0.0"
        );
        let failed =
            json!({ "purl": "pkg:npm/y@1.0.0", "status": "failed", "error": "the upstream is down" });
        checked.take(&failed, &mut BTreeSet::new());
        assert_eq!(checked.undecided.as_ref().map(|(n, _)| *n), Some(1));
        assert_eq!(checked.refused.len(), 1, "what is not known is no refusal, and no admission either");
    }
}
