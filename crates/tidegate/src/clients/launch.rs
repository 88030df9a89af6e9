//! One client command through the door, without a change to any file of the user's.
//!
//! What is set and why is tried with the real clients; `docs/guides/clients.md` has the table. Where a client lets a
//! project's file win over everything that can be said from outside, that is listed as a [`Bypass`], never hidden.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use tidegate_model::{Ecosystem, Secret};
use url::Url;

use super::{Bypass, Client, REGISTRY_NAME, bypass, npm_token_place, repository_url, with_token};
use crate::discover::Surroundings;

/// A command made ready to run through the door.
pub struct Launch {
    /// The client, where it is one that we know.
    pub client: Option<Client>,
    /// The program, as the person named it.
    pub program: OsString,
    /// Its arguments, with ours among them.
    pub args: Vec<OsString>,
    /// Where it runs.
    pub work_dir: PathBuf,
    /// Variables to set. Values may hold the token.
    pub set: BTreeMap<String, Secret<OsString>>,
    /// Variables to take away: other spellings of those above, and further sources of packages.
    pub remove: Vec<String>,
    /// What a person should know about this run.
    pub notes: Vec<String>,
    /// Ways past the door that are open in this run.
    pub bypasses: Vec<Bypass>,
    /// Holds the temporary files of this run; gone when this value is.
    scratch: Option<tempfile::TempDir>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Launch")
            .field("client", &self.client)
            .field("program", &self.program)
            .field("set", &self.set.keys())
            .field("remove", &self.remove)
            .finish_non_exhaustive()
    }
}

/// A command that cannot be made ready.
#[derive(Debug, thiserror::Error)]
pub enum LaunchError {
    /// No command was given.
    #[error("no command was given: write it after `--`, as in `tidegate run -- npm ci`")]
    Empty,
    /// The temporary folder could not be made or filled.
    #[error("the temporary configuration for this run could not be written")]
    Scratch(#[source] std::io::Error),
}

/// Makes a command ready. `door` is the door's base address; `around` gives working folder, environment and home.
///
/// # Errors
/// An empty command, or no temporary folder.
pub fn launch(
    command: &[OsString],
    door: &Url,
    token: Option<&Secret<String>>,
    around: &Surroundings,
) -> Result<Launch, LaunchError> {
    let (program, args) = command.split_first().ok_or(LaunchError::Empty)?;
    let client = Client::of_command(command);
    let mut launch = Launch {
        client,
        program: program.clone(),
        args: args.to_vec(),
        work_dir: around.work_dir.clone(),
        set: BTreeMap::new(),
        remove: Vec::new(),
        notes: Vec::new(),
        bypasses: bypass::find(client, args, door, around),
        scratch: None,
    };
    match client.map(Client::ecosystem) {
        Some(Ecosystem::Npm) => npm(&mut launch, door, token, around)?,
        Some(Ecosystem::Pypi) => python(&mut launch, door, token, around),
        Some(Ecosystem::Cargo) => cargo(&mut launch, door, token),
        Some(Ecosystem::Huggingface) => models(&mut launch, door, token, around),
        // Which registries the door stands for, it says itself: see `images::lead`.
        Some(Ecosystem::Oci) => {}
        Some(Ecosystem::Vscode) => extensions(&mut launch, door, token, around),
        // No command line starts one of its clients.
        Some(Ecosystem::Mcp) | None => {
            npm(&mut launch, door, token, around)?;
            python(&mut launch, door, token, around);
            models(&mut launch, door, token, around);
            extensions(&mut launch, door, token, around);
            launch.notes.push(format!(
                "`{}` is no client that tidegate knows: npm, pip, uv, huggingface_hub, ovsx and code-server below it use the door, cargo does not (it \
                 reads its source from no variable)",
                program.to_string_lossy()
            ));
        }
    }
    no_proxy(&mut launch, door, around);
    Ok(launch)
}

impl Launch {
    pub(super) fn set(&mut self, name: &str, value: impl Into<OsString>) {
        self.set.insert(name.to_owned(), Secret::new(value.into()));
    }

    /// Sets an npm setting, and takes away its other spellings: npm reads `NPM_CONFIG_X`, `npm_config_x` and
    /// `npm_config-x` alike, and the last one in the environment's order would win.
    fn set_npm(&mut self, key: &str, value: impl Into<OsString>, around: &Surroundings) {
        let canonical = |name: &str| name.to_ascii_lowercase().replace('-', "_");
        let name = format!("npm_config_{key}");
        let others =
            around.vars.keys().filter(|other| **other != name && canonical(other) == canonical(&name));
        self.remove.extend(others.cloned());
        self.set(&name, value);
    }

    pub(super) fn write_scratch(&mut self, name: &str, text: &str) -> Result<PathBuf, LaunchError> {
        let folder = match self.scratch.take() {
            Some(folder) => folder,
            // Readable by its owner alone; so is what is written into it.
            None => {
                tempfile::Builder::new().prefix("tidegate-run-").tempdir().map_err(LaunchError::Scratch)?
            }
        };
        let path = folder.path().join(name);
        self.scratch = Some(folder);
        let mut options = std::fs::OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(options.write(true).create_new(true), 0o600);
        let mut file = options.open(&path).map_err(LaunchError::Scratch)?;
        file.write_all(text.as_bytes()).map_err(LaunchError::Scratch)?;
        Ok(path)
    }

    /// The temporary folder of this run, if one was needed.
    pub fn scratch(&self) -> Option<&Path> {
        self.scratch.as_ref().map(tempfile::TempDir::path)
    }
}

/// npm, pnpm and Yarn read much the same variables, and one starts another, so all are set for each.
fn npm(
    launch: &mut Launch,
    door: &Url,
    token: Option<&Secret<String>>,
    around: &Surroundings,
) -> Result<(), LaunchError> {
    let registry = repository_url(door, Ecosystem::Npm);
    launch.set_npm("registry", registry.as_str(), around);
    // A lock file's `resolved` names whatever registry made it. `always` leads it here, whichever it was.
    launch.set_npm("replace_registry_host", "always", around);
    // And a lock file made here must not name the door.
    launch.set_npm("omit_lockfile_registry_resolved", "true", around);
    launch.set("YARN_REGISTRY", registry.as_str());
    launch.set("YARN_NPM_REGISTRY_SERVER", registry.as_str().trim_end_matches('/'));
    if registry.scheme() == "http" {
        // Yarn 4 refuses plain http unless the host is named.
        launch.set("YARN_UNSAFE_HTTP_WHITELIST", registry.host_str().unwrap_or_default());
    }
    if let Some(token) = token {
        // The variable form of a token (`npm_config_//host/:_authToken`) is no valid shell name: pnpm does not read it, and
        // a shell between two clients drops it. So a user configuration with one more line stands in for the user's.
        let path = around
            .file_from_var("npm_config_userconfig")
            .or_else(|| around.file_from_var("NPM_CONFIG_USERCONFIG"))
            .or_else(|| around.in_home(".npmrc"));
        let users = path.and_then(|path| around.read(&path)).unwrap_or_default();
        let line = format!("{}:_authToken=${{TIDEGATE_RUN_TOKEN}}\n", npm_token_place(&registry));
        let path = launch.write_scratch("npmrc", &format!("{users}\n{line}"))?;
        launch.set_npm("userconfig", path, around);
        launch.set("TIDEGATE_RUN_TOKEN", token.expose());
        launch.set("YARN_NPM_AUTH_TOKEN", token.expose());
        launch.set("YARN_NPM_ALWAYS_AUTH", "true");
        if launch.client == Some(Client::Yarn) {
            launch.set_npm("always_auth", "true", around);
        }
    }
    if launch.client == Some(Client::Yarn) {
        launch.notes.push(
            "Yarn 1 writes the door's address into `yarn.lock`; Yarn 2 and later do not. Mend it with `tidegate lock rewrite`"
                .to_owned(),
        );
    }
    Ok(())
}

/// pip, uv and Poetry. pip and uv read credentials from the address; both keep them out of what they print and lock.
fn python(launch: &mut Launch, door: &Url, token: Option<&Secret<String>>, around: &Surroundings) {
    let index = with_token(repository_url(door, Ecosystem::Pypi), token);
    launch.set("PIP_INDEX_URL", index.as_str());
    launch.set("UV_DEFAULT_INDEX", index.as_str());
    // One blank: pip takes an empty variable for an absent one and would go on to its files; a blank is a list of nothing
    // and replaces what they say.
    launch.set("PIP_EXTRA_INDEX_URL", " ");
    let (local, remote): (Vec<_>, Vec<_>) = around
        .var("PIP_FIND_LINKS")
        .unwrap_or_default()
        .split_whitespace()
        .partition(|place| !place.contains("://"));
    if around.var("PIP_FIND_LINKS").is_some() {
        launch.set("PIP_FIND_LINKS", if local.is_empty() { " ".to_owned() } else { local.join(" ") });
    }
    for name in ["UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL"] {
        if around.var(name).is_some() {
            launch.remove.push(name.to_owned());
            launch.notes.push(format!("`{name}` is set in your environment and ignored in this run"));
        }
    }
    if around.var("PIP_EXTRA_INDEX_URL").is_some_and(|value| !value.trim().is_empty()) {
        launch
            .notes
            .push("`PIP_EXTRA_INDEX_URL` is set in your environment and ignored in this run".to_owned());
    }
    if !remote.is_empty() {
        launch.notes.push("the addresses in `PIP_FIND_LINKS` are ignored in this run".to_owned());
    }
    let places = local.iter().map(|place| ("`PIP_FIND_LINKS`", *place));
    let uv_links = around.var("UV_FIND_LINKS").unwrap_or_default();
    for (name, place) in places.chain(uv_links.split(',').map(|place| ("`UV_FIND_LINKS`", place.trim()))) {
        if !place.is_empty() {
            let what = format!("packages in the folder `{place}` are taken without asking the door");
            launch.bypasses.push(Bypass { what, place: name.to_owned() });
        }
    }
    if uv_links.contains("://") {
        launch.remove.push("UV_FIND_LINKS".to_owned());
        launch.notes.push("`UV_FIND_LINKS` holds an address and is ignored in this run".to_owned());
        launch.bypasses.retain(|bypass| bypass.place != "`UV_FIND_LINKS`");
    }
    if launch.client == Some(Client::Poetry) {
        launch.bypasses.push(Bypass {
            what: "Poetry takes its index from `pyproject.toml` alone and does not use the door in this run; `tidegate \
                   setup poetry` says what to put there"
                .to_owned(),
            place: "Poetry".to_owned(),
        });
    }
}

/// What `huggingface_hub` reads, and so `hf`, `transformers` and everything above it.
fn models(launch: &mut Launch, door: &Url, token: Option<&Secret<String>>, around: &Surroundings) {
    launch.set("HF_ENDPOINT", repository_url(door, Ecosystem::Huggingface).as_str());
    // Its storage clients fetch from other hosts by themselves. The door tells them of none, and this says so to them.
    launch.set("HF_HUB_DISABLE_XET", "1");
    // A first download is held until it is looked into, which takes longer than the ten seconds that the client has patience
    // for; who set the variables knows better.
    for name in ["HF_HUB_ETAG_TIMEOUT", "HF_HUB_DOWNLOAD_TIMEOUT"] {
        if around.var(name).is_none() {
            launch.set(name, "60");
        }
    }
    if let Some(token) = token {
        launch.set("HF_TOKEN", token.expose());
    }
    if around.var("HF_ENDPOINT").is_some() {
        launch.notes.push("`HF_ENDPOINT` is set in your environment and ignored in this run".to_owned());
    }
}

/// What Open VSX's command line, code-server and VSCodium read.
fn extensions(launch: &mut Launch, door: &Url, token: Option<&Secret<String>>, around: &Surroundings) {
    let token = token.map(|token| token.expose().as_str());
    let gallery = super::gallery(door, token);
    let text = |key: &str| gallery[key].as_str().unwrap_or_default().to_owned();
    let set = [
        ("OVSX_REGISTRY_URL", super::extensions_url(door, "openvsx", token)),
        ("EXTENSIONS_GALLERY", gallery.to_string()),
        ("VSCODE_GALLERY_SERVICE_URL", text("serviceUrl")),
        ("VSCODE_GALLERY_ITEM_URL", text("itemUrl")),
        ("VSCODE_GALLERY_CONTROL_URL", text("controlUrl")),
        ("VSCODE_GALLERY_RESOURCE_URL_TEMPLATE", text("resourceUrlTemplate")),
    ];
    for (name, value) in set {
        if around.var(name).is_some() {
            launch.notes.push(format!("`{name}` is set in your environment and ignored in this run"));
        }
        launch.set(name, value);
    }
    launch.remove.push("VSCODE_GALLERY_EXTENSION_URL_TEMPLATE".to_owned());
    if launch.client == Some(Client::Vscode) {
        launch.bypasses.push(Bypass {
            what: "Visual Studio Code takes its gallery from no variable and does not use the door in this run; `tidegate setup \
                   vscode` says what to put where"
                .to_owned(),
            place: "Visual Studio Code".to_owned(),
        });
    }
}

/// cargo reads `source.*` from no variable, so the replacement is said on the command line, before the subcommand and
/// after `+toolchain`. There it wins over every file of the project.
fn cargo(launch: &mut Launch, door: &Url, token: Option<&Secret<String>>) {
    let index = format!("sparse+{}", repository_url(door, Ecosystem::Cargo));
    let mut ours = vec![
        format!("source.crates-io.replace-with=\"{REGISTRY_NAME}\""),
        format!("source.{REGISTRY_NAME}.registry=\"{index}\""),
    ];
    if let Some(token) = token {
        // A token belongs to a named registry; cargo finds it for the source by the equal address.
        ours.push(format!("registries.{REGISTRY_NAME}.index=\"{index}\""));
        launch.set("CARGO_REGISTRIES_TIDEGATE_TOKEN", format!("Bearer {}", token.expose()));
        launch.set("CARGO_REGISTRIES_TIDEGATE_CREDENTIAL_PROVIDER", "cargo:token");
    }
    launch.remove.push("CARGO_REGISTRIES_TIDEGATE_INDEX".to_owned());
    let toolchain = launch.args.first().is_some_and(|arg| arg.to_string_lossy().starts_with('+'));
    let at = usize::from(toolchain);
    let ours = ours.into_iter().flat_map(|setting| [OsString::from("--config"), OsString::from(setting)]);
    launch.args.splice(at..at, ours);
}

/// A company's proxy must not be asked for a door on this machine.
fn no_proxy(launch: &mut Launch, door: &Url, around: &Surroundings) {
    let proxied = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"]
        .iter()
        .any(|name| around.var(name).is_some() || around.var(&name.to_lowercase()).is_some());
    let Some(host) = door.host_str().filter(|_| proxied) else { return };
    for name in ["NO_PROXY", "no_proxy"] {
        let before = around.var("NO_PROXY").or_else(|| around.var("no_proxy")).unwrap_or_default();
        let value = if before.is_empty() { host.to_owned() } else { format!("{before},{host}") };
        launch.set(name, value);
    }
}
