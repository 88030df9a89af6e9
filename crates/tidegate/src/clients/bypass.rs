//! Ways past the door that a command or a project opens and that cannot be closed from outside.
//!
//! Nothing here stops a run: a private scope on another registry is a normal day. But what does not come through the
//! door is not seen, and the summary of a run says so.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use toml_edit::DocumentMut;
use url::Url;

use super::Client;
use crate::discover::{Surroundings, is_self};
use tidegate_model::Ecosystem;

/// One way past the door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bypass {
    /// What will not be seen.
    pub what: String,
    /// The file, variable or argument that opens it.
    pub place: String,
}

/// The longest file that is looked through: 4 MiB.
const MAX_FILE_BYTES: u64 = 4 << 20;

/// Options that name another source, by ecosystem.
fn source_options(ecosystem: Ecosystem) -> &'static [&'static str] {
    match ecosystem {
        Ecosystem::Npm => &["--registry", "--userconfig", "--globalconfig"],
        Ecosystem::Pypi => &[
            "-i",
            "--index-url",
            "--pypi-url",
            "--extra-index-url",
            "-f",
            "--find-links",
            "--index",
            "--default-index",
        ],
        Ecosystem::Cargo => &["--registry", "--index", "--config", "--git"],
        // No option of their clients names another hub or registry.
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp => &[],
        Ecosystem::Vscode => &["-r", "--registryUrl"],
    }
}

/// Looks through the arguments and the project for ways past the door.
pub(crate) fn find(
    client: Option<Client>,
    args: &[OsString],
    door: &Url,
    around: &Surroundings,
) -> Vec<Bypass> {
    let mut found = Vec::new();
    let ecosystem = client.map(Client::ecosystem);
    if let Some(ecosystem) = ecosystem {
        arguments(ecosystem, args, door, &mut found);
    }
    if matches!(ecosystem, Some(Ecosystem::Npm) | None) {
        npm_files(door, around, &mut found);
    }
    if matches!(ecosystem, Some(Ecosystem::Pypi) | None) {
        python_files(door, around, &mut found);
    }
    found
}

fn arguments(ecosystem: Ecosystem, args: &[OsString], door: &Url, found: &mut Vec<Bypass>) {
    let mut args = args.iter().map(|arg| arg.to_string_lossy()).take_while(|arg| arg != "--").peekable();
    while let Some(arg) = args.next() {
        let (name, value) = match arg.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (arg.to_string(), args.peek().map(ToString::to_string).unwrap_or_default()),
        };
        let scoped = name.starts_with("--@") && name.ends_with(":registry");
        if (source_options(ecosystem).contains(&name.as_str()) || scoped) && !leads_to(&value, door) {
            let what = "this argument may name another source than the door, and wins over it".to_owned();
            found.push(Bypass { what, place: format!("argument `{name}`") });
        }
    }
}

/// Whether a value is an address below the door.
fn leads_to(value: &str, door: &Url) -> bool {
    let value = value.trim().trim_matches(['"', '\'']);
    let value = value.strip_prefix("sparse+").unwrap_or(value);
    Url::parse(value).is_ok_and(|url| is_self(&url, std::slice::from_ref(door)))
}

/// The folders from the working folder up to the project's root.
fn project_folders(around: &Surroundings) -> Vec<PathBuf> {
    let here = around.work_dir.canonicalize().unwrap_or_else(|_| around.work_dir.clone());
    let root = around.project_root();
    let inside = |folder: &&Path| root.as_ref().is_some_and(|root| folder.starts_with(root));
    here.ancestors().take_while(inside).map(Path::to_owned).collect()
}

fn read(path: &Path) -> Option<String> {
    let found = std::fs::metadata(path).ok()?;
    (found.is_file() && found.len() <= MAX_FILE_BYTES).then(|| std::fs::read_to_string(path).ok()).flatten()
}

fn npm_files(door: &Url, around: &Surroundings, found: &mut Vec<Bypass>) {
    let mut files: Vec<PathBuf> =
        project_folders(around).iter().map(|folder| folder.join(".npmrc")).collect();
    files.extend(around.in_home(".npmrc"));
    for path in files {
        for line in read(&path).unwrap_or_default().lines() {
            let Some((key, value)) = line.trim().split_once('=') else { continue };
            let scope = key.trim().strip_suffix(":registry").filter(|scope| scope.starts_with('@'));
            if let Some(scope) = scope.filter(|_| !leads_to(value, door)) {
                let what = format!("packages of `{scope}` come from another registry");
                found.push(Bypass { what, place: path.display().to_string() });
            }
        }
    }
    for folder in project_folders(around) {
        for (file, key, what) in [
            (
                "pnpm-workspace.yaml",
                "registries:",
                "pnpm takes its registries from here, whatever else is said",
            ),
            (".yarnrc.yml", "npmScopes:", "packages of these scopes come from another registry"),
        ] {
            let path = folder.join(file);
            if read(&path).is_some_and(|text| text.lines().any(|line| line.starts_with(key))) {
                found.push(Bypass { what: what.to_owned(), place: path.display().to_string() });
            }
        }
    }
}

fn python_files(door: &Url, around: &Surroundings, found: &mut Vec<Bypass>) {
    for folder in project_folders(around) {
        for (file, keys) in [("pyproject.toml", &["tool", "uv"][..]), ("uv.toml", &[])] {
            let path = folder.join(file);
            let Some(document) = read(&path).and_then(|text| text.parse::<DocumentMut>().ok()) else {
                continue;
            };
            let table = keys.iter().try_fold(document.as_item(), |item, key| item.get(key));
            let indexes =
                table.and_then(|table| table.get("index")).and_then(|item| item.as_array_of_tables());
            for index in indexes.into_iter().flatten() {
                let url = index.get("url").and_then(|item| item.as_str()).unwrap_or_default();
                if !leads_to(url, door) {
                    let name = index.get("name").and_then(|item| item.as_str()).unwrap_or("without a name");
                    let what = format!("uv also asks the index `{name}` of the project");
                    found.push(Bypass { what, place: path.display().to_string() });
                }
            }
        }
    }
}

/// Options in a requirements file that name another source: pip lets them win over the environment.
pub fn in_requirements(path: &Path, door: &Url) -> Vec<Bypass> {
    let text = read(path).unwrap_or_default();
    let options = text.lines().map(str::trim).filter_map(|line| line.split_once([' ', '=']));
    options
        .filter(|(name, _)| source_options(Ecosystem::Pypi).contains(name))
        .filter(|(_, value)| !leads_to(value, door))
        .map(|(name, _)| Bypass {
            what: format!("`{name}` in a requirements file wins over the door"),
            place: path.display().to_string(),
        })
        .collect()
}
