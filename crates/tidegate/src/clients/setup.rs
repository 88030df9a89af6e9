//! A client's lasting configuration: shown, or merged into the user's own files.
//!
//! Only forms that fail closed are written: one registry, one index, one source. Merging keeps every other setting,
//! leaves the file as it was beside the new one, and does nothing the second time. A file that cannot be understood is
//! refused, not overwritten.

use std::path::{Path, PathBuf};

use tidegate_model::{Ecosystem, Secret};
use url::Url;

use super::{Client, REGISTRY_NAME, edit, locks::write_whole, npm_token_place, repository_url, with_token};
use crate::discover::Surroundings;

/// What a client needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setup {
    /// Files of the user's, each with what it must hold.
    pub files: Vec<SetupFile>,
    /// Commands for what lives in a project or in the client's own store.
    pub commands: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// One file of a client's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetupFile {
    /// Where it is for a person: `~/.npmrc`.
    pub shown_as: String,
    /// Which file that is.
    place: Place,
    edits: Vec<Edit>,
    /// Whether it holds a token, and must be readable by its owner alone.
    secret: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    Home(&'static str),
    Config(&'static str),
    CargoHome(&'static str),
    /// Where a variable points, else in the home folder.
    Named(&'static [&'static str], &'static str),
    /// Not ours to write: the machine's, or with something that a person must fill in.
    Shown(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Edit {
    Line(String, &'static str, Value),
    YamlListItem(&'static str, String),
    Ini(&'static str, &'static str, Value),
    Toml(Vec<&'static str>, Value),
    UvDefault(Value),
    /// The whole of it.
    Whole(Value),
}

/// A value that may hold a token.
type Value = Secret<String>;

/// What writing did to one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The file.
    pub path: PathBuf,
    /// The copy of what stood there before; `None` where there was no file.
    pub backup: Option<PathBuf>,
    /// `false` where everything stood there already.
    pub changed: bool,
}

impl Written {
    /// How to take it back, as a command.
    pub fn undo(&self) -> Option<String> {
        self.changed.then(|| match &self.backup {
            Some(backup) => format!("mv '{}' '{}'", backup.display(), self.path.display()),
            None => format!("rm '{}'", self.path.display()),
        })
    }
}

/// A client's configuration that could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Somebody else must write it.
    #[error("`{0}` is not written by tidegate: put into it what `tidegate setup` prints without --write")]
    NotOurs(String),
    /// There is no home folder to write into.
    #[error("`{0}` cannot be found: `HOME` is not set")]
    NoHome(String),
    /// The file cannot be read or written.
    #[error("`{path}` could not be read or written")]
    Io {
        /// Which one.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not what the client reads; nothing was changed in it.
    #[error("`{path}` is left as it is, because {why}; mend it, or add what `tidegate setup` prints by hand")]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// What is wrong, with the line.
        why: String,
    },
}

/// What a client needs to use the door from now on. `door` is the door's base address.
pub fn setup(client: Client, door: &Url, token: Option<&Secret<String>>) -> Setup {
    let mut setup = Setup { files: Vec::new(), commands: Vec::new(), notes: Vec::new() };
    match client {
        Client::Npm | Client::Pnpm => npm(&mut setup, door, token),
        Client::Yarn => yarn(&mut setup, door, token),
        Client::Pip => pip(&mut setup, door, token),
        Client::Uv => uv(&mut setup, door, token),
        Client::Poetry => poetry(&mut setup, door, token),
        Client::Cargo => cargo(&mut setup, door, token),
        Client::Huggingface => models(&mut setup, door, token),
        Client::Docker | Client::Podman | Client::Skopeo | Client::Containerd => {
            super::images::setup(&mut setup, client, door, token);
        }
        Client::McpRegistry => servers(&mut setup, door, token),
        Client::Ovsx | Client::CodeServer | Client::Vscodium | Client::Vscode => {
            extensions(&mut setup, client, door, token);
        }
    }
    setup
}

fn plain(text: impl Into<String>) -> Value {
    Secret::new(text.into())
}

fn npm(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let registry = repository_url(door, Ecosystem::Npm);
    let mut edits = vec![
        Edit::Line("registry".to_owned(), "=", plain(registry.as_str())),
        Edit::Line("replace-registry-host".to_owned(), "=", plain("always")),
        Edit::Line("omit-lockfile-registry-resolved".to_owned(), "=", plain("true")),
    ];
    if let Some(token) = token {
        let key = format!("{}:_authToken", npm_token_place(&registry));
        edits.push(Edit::Line(key, "=", token.clone()));
    }
    let place = Place::Named(&["npm_config_userconfig", "NPM_CONFIG_USERCONFIG"], ".npmrc");
    setup.files.push(SetupFile { shown_as: "~/.npmrc".to_owned(), place, edits, secret: token.is_some() });
    setup.notes.push(
        "an `@scope:registry=` line sends that scope past the door; a project's `.npmrc` wins over yours"
            .to_owned(),
    );
}

fn yarn(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let registry = repository_url(door, Ecosystem::Npm);
    let quoted = |text: &str| plain(format!("{text:?}"));
    let server = registry.as_str().trim_end_matches('/');
    let mut edits = vec![Edit::Line("npmRegistryServer".to_owned(), ": ", quoted(server))];
    if registry.scheme() == "http" {
        let host = registry.host_str().unwrap_or_default().to_owned();
        edits.push(Edit::YamlListItem("unsafeHttpWhitelist", host));
    }
    if let Some(token) = token {
        edits.push(Edit::Line("npmAuthToken".to_owned(), ": ", quoted(token.expose())));
        edits.push(Edit::Line("npmAlwaysAuth".to_owned(), ": ", plain("true")));
    }
    let file = SetupFile {
        shown_as: "~/.yarnrc.yml".to_owned(),
        place: Place::Home(".yarnrc.yml"),
        edits,
        secret: token.is_some(),
    };
    setup.files.push(file);
    setup.notes.push("this is for Yarn 2 and later; Yarn 1 reads `~/.npmrc` (`tidegate setup npm`) and writes the door's address into `yarn.lock`".to_owned());
}

fn pip(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let index = with_token(repository_url(door, Ecosystem::Pypi), token);
    setup.files.push(SetupFile {
        shown_as: "~/.config/pip/pip.conf".to_owned(),
        place: Place::Config("pip/pip.conf"),
        edits: vec![Edit::Ini("global", "index-url", Secret::new(index))],
        secret: token.is_some(),
    });
    setup.notes.push("an `extra-index-url` or `find-links` beside it is a way past the door".to_owned());
    if door.scheme() == "http" && !crate::discover::is_self(door, &[loopback(door)]) {
        setup.notes.push("pip refuses plain http on other machines: give the door a certificate".to_owned());
    }
}

/// This machine under the door's port.
fn loopback(door: &Url) -> Url {
    let mut url = door.clone();
    let set = url.set_host(Some("127.0.0.1"));
    debug_assert!(set.is_ok(), "an http address takes any host");
    url
}

fn uv(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let index = with_token(repository_url(door, Ecosystem::Pypi), token);
    setup.files.push(SetupFile {
        shown_as: "~/.config/uv/uv.toml".to_owned(),
        place: Place::Config("uv/uv.toml"),
        edits: vec![Edit::UvDefault(Secret::new(index))],
        secret: token.is_some(),
    });
    setup.notes.push("uv writes the door's address into `uv.lock`; `tidegate run` keeps it out, `tidegate lock rewrite` takes it out".to_owned());
}

fn poetry(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let index = repository_url(door, Ecosystem::Pypi);
    setup.commands.push(format!("poetry source add --priority=primary {REGISTRY_NAME} {index}/"));
    if token.is_some() {
        setup.commands.push(format!("poetry config http-basic.{REGISTRY_NAME} tidegate TOKEN"));
        setup.notes.push("put your token in place of `TOKEN`".to_owned());
    }
    setup.notes.push("Poetry keeps its sources in each project's `pyproject.toml`; a primary source switches its built-in one off".to_owned());
}

fn cargo(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let index = format!("sparse+{}", repository_url(door, Ecosystem::Cargo));
    let mut edits = vec![
        Edit::Toml(vec!["source", "crates-io", "replace-with"], plain(REGISTRY_NAME)),
        Edit::Toml(vec!["registries", REGISTRY_NAME, "index"], plain(index)),
    ];
    if let Some(token) = token {
        edits
            .push(Edit::Toml(vec!["registries", REGISTRY_NAME, "credential-provider"], plain("cargo:token")));
        setup.files.push(SetupFile {
            shown_as: "~/.cargo/credentials.toml".to_owned(),
            place: Place::CargoHome("credentials.toml"),
            // cargo sends a token as it stands, so the scheme is part of it.
            edits: vec![Edit::Toml(
                vec!["registries", REGISTRY_NAME, "token"],
                Secret::new(format!("Bearer {}", token.expose())),
            )],
            secret: true,
        });
    }
    let shown_as = "~/.cargo/config.toml".to_owned();
    setup
        .files
        .insert(0, SetupFile { shown_as, place: Place::CargoHome("config.toml"), edits, secret: false });
    setup.notes.push("git and path dependencies do not come through the door".to_owned());
}

/// The client reads variables alone, so there is no file to write.
fn models(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let endpoint = repository_url(door, Ecosystem::Huggingface);
    setup.commands.push(format!("export HF_ENDPOINT={endpoint}"));
    setup.commands.push("export HF_HUB_DISABLE_XET=1".to_owned());
    setup.commands.push("export HF_HUB_ETAG_TIMEOUT=60 HF_HUB_DOWNLOAD_TIMEOUT=60".to_owned());
    if token.is_some() {
        setup.commands.push("export HF_TOKEN=TOKEN".to_owned());
        setup.notes.push("put your token in place of `TOKEN`".to_owned());
    }
    setup.notes.push("put these lines where your shell, service or container gets its environment; programs that name the hub by themselves, and `git clone`, go past the door".to_owned());
}

/// What stands in an address when a token is to be put there by hand.
const TOKEN_HERE: &str = "TOKEN";

/// Editors read variables, or a file of theirs that is JSON and holds more than this: what to put there is shown.
fn extensions(setup: &mut Setup, client: Client, door: &Url, token: Option<&Secret<String>>) {
    let token = token.map(|_| TOKEN_HERE);
    let gallery = super::gallery(door, token);
    let text = |key: &str| gallery[key].as_str().unwrap_or_default().to_owned();
    match client {
        Client::Ovsx => {
            let url = super::extensions_url(door, "openvsx", token);
            setup.commands.push(format!("export OVSX_REGISTRY_URL={url}"));
        }
        Client::CodeServer => setup.commands.push(format!("export EXTENSIONS_GALLERY='{gallery}'")),
        Client::Vscodium => {
            for (name, key) in [
                ("VSCODE_GALLERY_SERVICE_URL", "serviceUrl"),
                ("VSCODE_GALLERY_ITEM_URL", "itemUrl"),
                ("VSCODE_GALLERY_CONTROL_URL", "controlUrl"),
                ("VSCODE_GALLERY_RESOURCE_URL_TEMPLATE", "resourceUrlTemplate"),
            ] {
                setup.commands.push(format!("export {name}='{}'", text(key)));
            }
            setup.notes.push(format!(
                "or put this into `~/.config/VSCodium/product.json`: {{\"extensionsGallery\": {gallery}}}"
            ));
        }
        _ => {
            let base = super::extensions_url(door, "vscode", token);
            setup.notes.push(format!(
                "set the policy `ExtensionGalleryServiceUrl` of Visual Studio Code to {base}/manifest.json (Linux: \
                 `/etc/vscode/policy.json`); its publisher lets only accounts of some of its plans use that policy"
            ));
            setup.notes.push(
                "what its own gallery offers may be used by its publisher's products alone, so behind this door stands the gallery that you \
                 set, such as one of Open VSX"
                    .to_owned(),
            );
        }
    }
    if token.is_some() {
        setup.notes.push(format!("put your token in place of `{TOKEN_HERE}`"));
    }
    setup.notes.push(
        "extensions that come in a file (`--install-extension x.vsix`) or with the editor itself go past the door".to_owned(),
    );
}

/// Editors keep the address in their settings, where people keep comments: those are not rewritten from here.
fn servers(setup: &mut Setup, door: &Url, token: Option<&Secret<String>>) {
    let registry = repository_url(door, Ecosystem::Mcp);
    setup.notes.push(format!(
        "VS Code: `\"chat.mcp.gallery.enabled\": true, \"chat.mcp.gallery.serviceUrl\": \"{registry}\"` in its user settings, or the \
         policies of the same names for all machines (`McpGalleryServiceUrl`)"
    ));
    setup.notes.push(format!(
        "GitHub Copilot for organisations: `{registry}` as \"MCP registry URL\" of the AI controls, with \"registry only\" as what may be used"
    ));
    if token.is_some() {
        setup.notes.push(
            "these clients send no token: put `/t/TOKEN` before `/mcp` in the address, or let the door listen without".to_owned(),
        );
    }
    setup.notes.push(
        "what a server's configuration already names does not ask the registry again: `tidegate check` reads such files".to_owned(),
    );
}

impl SetupFile {
    /// A file that only the machine's administrator writes.
    pub(super) fn as_root(path: &'static str, content: String) -> Self {
        Self::to_fill_in(path, content)
    }

    /// A file that a person must fill something in.
    pub(super) fn to_fill_in(path: &'static str, content: String) -> Self {
        let edits = vec![Edit::Whole(plain(content))];
        Self { shown_as: path.to_owned(), place: Place::Shown(path), edits, secret: false }
    }

    /// What the file must hold, as it would be written into an empty one. It may hold the token.
    pub fn content(&self) -> Secret<String> {
        let text = self.apply("").expect("our own settings are understood in an empty file");
        Secret::new(text)
    }

    fn apply(&self, text: &str) -> Result<String, String> {
        let mut text = text.to_owned();
        for edit in &self.edits {
            text = match edit {
                Edit::Line(key, separator, new) => edit::set_line(&text, key, separator, new.expose()),
                Edit::YamlListItem(key, item) => yaml_list_item(&text, key, item)?,
                Edit::Ini(section, key, new) => edit::set_ini(&text, section, key, new.expose()),
                Edit::Toml(path, new) => {
                    let mut document = edit::toml(&text)?;
                    edit::set_toml(&mut document, path, new.expose())?;
                    document.to_string()
                }
                Edit::Whole(new) => new.expose().clone(),
                Edit::UvDefault(new) => {
                    let mut document = edit::toml(&text)?;
                    edit::set_uv_default(&mut document, new.expose())?;
                    document.to_string()
                }
            };
        }
        Ok(text)
    }

    /// Where the file is on this machine.
    fn path(&self, around: &Surroundings) -> Option<PathBuf> {
        match &self.place {
            Place::Home(path) => around.in_home(path),
            Place::Shown(_) => None,
            Place::Config(path) => around.config_home().map(|folder| folder.join(path)),
            Place::CargoHome(path) => {
                let folder = around.file_from_var("CARGO_HOME").or_else(|| around.in_home(".cargo"));
                folder.map(|folder| {
                    // cargo also reads the older name without `.toml`, and prefers it.
                    let older = folder.join(path.trim_end_matches(".toml"));
                    if older.is_file() { older } else { folder.join(path) }
                })
            }
            Place::Named(variables, path) => {
                variables.iter().find_map(|name| around.file_from_var(name)).or_else(|| around.in_home(path))
            }
        }
    }

    /// Merges what the client needs into the user's file.
    ///
    /// # Errors
    /// The file cannot be found, read, understood or written. It is then as it was.
    pub fn write(&self, around: &Surroundings) -> Result<Written, WriteError> {
        if matches!(self.place, Place::Shown(_)) {
            return Err(WriteError::NotOurs(self.shown_as.clone()));
        }
        let path = self.path(around).ok_or_else(|| WriteError::NoHome(self.shown_as.clone()))?;
        let io = |source| WriteError::Io { path: path.clone(), source };
        let before = match std::fs::read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        let unreadable = |why: String| WriteError::Unreadable { path: path.clone(), why };
        let text = std::str::from_utf8(before.as_deref().unwrap_or_default())
            .map_err(|_| unreadable("it is not UTF-8 text".to_owned()))?;
        let after = self.apply(text).map_err(unreadable)?;
        if before.as_deref() == Some(after.as_bytes()) {
            return Ok(Written { path, backup: None, changed: false });
        }
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).map_err(io)?;
        }
        let backup = before.is_some().then(|| keep_backup(&path)).transpose().map_err(io)?;
        let mode = if self.secret { 0o600 } else { 0o644 };
        write_whole(&path, after.as_bytes(), Some(mode)).map_err(io)?;
        if self.secret {
            // A file that others could read must not receive a token and stay so.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&path, mode).map_err(io)?;
        }
        Ok(Written { path, backup, changed: true })
    }
}

/// Copies a file (its mode too) beside itself under a name that is still free.
pub(crate) fn keep_backup(path: &Path) -> std::io::Result<PathBuf> {
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut number = 1;
    let backup = loop {
        let more = if number == 1 { String::new() } else { format!("-{number}") };
        let candidate = path.with_file_name(format!("{name}.before-tidegate{more}"));
        if !candidate.exists() {
            break candidate;
        }
        number += 1;
    };
    std::fs::copy(path, &backup)?;
    Ok(backup)
}

/// Adds an item to a top-level list of a YAML file, where the list is missing or written one item a line.
fn yaml_list_item(text: &str, key: &str, item: &str) -> Result<String, String> {
    let line = format!("  - {item:?}");
    let Some(at) = text.lines().position(|line| line.starts_with(&format!("{key}:"))) else {
        let gap = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
        return Ok(format!("{text}{gap}{key}:\n{line}\n"));
    };
    let mut lines: Vec<&str> = text.lines().collect();
    if !lines[at].trim_end().ends_with(':') {
        return Err(format!("line {} has `{key}` in a form that cannot be added to", at + 1));
    }
    let items = lines[at + 1..].iter().take_while(|line| line.trim_start().starts_with('-'));
    let bare = |line: &str| line.trim().trim_start_matches('-').trim().trim_matches(['"', '\'']).to_owned();
    if items.clone().any(|line| bare(line) == item) {
        return Ok(text.to_owned());
    }
    let indent = items.clone().next().map_or(2, |line| line.len() - line.trim_start().len());
    let line = format!("{}- {item:?}", " ".repeat(indent));
    lines.insert(at + 1, &line);
    Ok(lines.join("\n") + "\n")
}
