//! What each client needs in order to use the door: for good ([`mod@setup`]), or for one command ([`mod@launch`]).
//!
//! `setup` writes into the user's own configuration, only when told to, with a backup. `launch` changes nothing of the
//! user's: it works through variables, arguments and a temporary folder, so that ending the command ends its effect.
//! Either way the door is the *only* source a client is given: a list with a second entry would be asked whenever the
//! door says no.

pub mod bypass;
pub mod child;
mod edit;
pub mod images;
mod jsonc;
pub mod launch;
pub mod locks;
pub mod mcp_file;
pub mod setup;
#[cfg(test)]
mod tests;

use std::ffi::{OsStr, OsString};
use std::path::Path;

use tidegate_model::{Ecosystem, Secret};
use url::Url;

pub use bypass::Bypass;
pub use child::{Ended, run_child};
pub use launch::{Launch, launch};
pub use locks::{LockFile, LockKind, LockMender, LockSession, find_locks};
pub use setup::{Setup, setup};

/// The name under which the door stands in the clients' configuration.
pub(crate) const REGISTRY_NAME: &str = "tidegate";

/// A package manager that tidegate knows how to lead through the door.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Client {
    /// npm and npx.
    Npm,
    /// pnpm and pnpx.
    Pnpm,
    /// Yarn, classic and modern.
    Yarn,
    /// pip, also as `python -m pip`.
    Pip,
    /// uv and uvx.
    Uv,
    /// Poetry.
    Poetry,
    /// cargo.
    Cargo,
    /// `hf`, and Python programs that load models with `huggingface_hub` or what is built on it.
    Huggingface,
    /// docker.
    Docker,
    /// podman and buildah.
    Podman,
    /// skopeo.
    Skopeo,
    /// containerd, which Kubernetes pulls with.
    Containerd,
    /// Editors and assistants that show a registry of MCP servers.
    McpRegistry,
    /// `ovsx`, the command line of Open VSX.
    Ovsx,
    /// code-server.
    CodeServer,
    /// VSCodium.
    Vscodium,
    /// Visual Studio Code.
    Vscode,
}

impl Client {
    /// All of them, in the order in which lists are shown.
    pub const ALL: [Self; 17] = [
        Self::Npm,
        Self::Pnpm,
        Self::Yarn,
        Self::Pip,
        Self::Uv,
        Self::Poetry,
        Self::Cargo,
        Self::Huggingface,
        Self::Docker,
        Self::Podman,
        Self::Skopeo,
        Self::Containerd,
        Self::McpRegistry,
        Self::Ovsx,
        Self::CodeServer,
        Self::Vscodium,
        Self::Vscode,
    ];

    /// The word a person types.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pnpm => "pnpm",
            Self::Yarn => "yarn",
            Self::Pip => "pip",
            Self::Uv => "uv",
            Self::Poetry => "poetry",
            Self::Cargo => "cargo",
            Self::Huggingface => "huggingface",
            Self::Docker => "docker",
            Self::Podman => "podman",
            Self::Skopeo => "skopeo",
            Self::Containerd => "containerd",
            Self::McpRegistry => "mcp-registry",
            Self::Ovsx => "ovsx",
            Self::CodeServer => "code-server",
            Self::Vscodium => "vscodium",
            Self::Vscode => "vscode",
        }
    }

    /// Whose packages it installs.
    pub const fn ecosystem(self) -> Ecosystem {
        match self {
            Self::Npm | Self::Pnpm | Self::Yarn => Ecosystem::Npm,
            Self::Pip | Self::Uv | Self::Poetry => Ecosystem::Pypi,
            Self::Cargo => Ecosystem::Cargo,
            Self::Huggingface => Ecosystem::Huggingface,
            Self::Docker | Self::Podman | Self::Skopeo | Self::Containerd => Ecosystem::Oci,
            Self::McpRegistry => Ecosystem::Mcp,
            Self::Ovsx | Self::CodeServer | Self::Vscodium | Self::Vscode => Ecosystem::Vscode,
        }
    }

    /// The client that a command line starts; `None` for anything else (`make`, a script).
    pub fn of_command(command: &[OsString]) -> Option<Self> {
        let program = Path::new(command.first()?).file_name().and_then(OsStr::to_str)?;
        let bare = program.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
        Some(match program {
            "npm" | "npx" => Self::Npm,
            "pnpm" | "pnpx" => Self::Pnpm,
            "yarn" | "yarnpkg" => Self::Yarn,
            "uv" | "uvx" => Self::Uv,
            "poetry" => Self::Poetry,
            "cargo" => Self::Cargo,
            "hf" | "huggingface-cli" => Self::Huggingface,
            "docker" => Self::Docker,
            "podman" | "buildah" => Self::Podman,
            "skopeo" => Self::Skopeo,
            "ovsx" => Self::Ovsx,
            "code-server" => Self::CodeServer,
            "codium" | "vscodium" => Self::Vscodium,
            "code" | "code-insiders" => Self::Vscode,
            _ if bare == "pip" => Self::Pip,
            _ if matches!(bare, "python" | "pypy") && runs_module_pip(command) => Self::Pip,
            _ => return None,
        })
    }
}

impl std::str::FromStr for Client {
    type Err = UnknownClient;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        // The name of a program means what `run` takes it for: `hf` the hub's client, `buildah` what reads podman's settings.
        Self::ALL
            .into_iter()
            .find(|client| client.as_str() == text)
            .or_else(|| Self::of_command(&[OsString::from(text)]))
            .ok_or_else(|| UnknownClient(text.to_owned()))
    }
}

/// A word that names no client tidegate knows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown client `{0}`: expected one of npm, pnpm, yarn, pip, uv, poetry, cargo, huggingface (or hf), docker, podman, buildah, skopeo, \
     containerd, mcp-registry, ovsx, code-server, vscodium, vscode"
)]
pub struct UnknownClient(String);

fn runs_module_pip(command: &[OsString]) -> bool {
    command.windows(2).any(|pair| pair[0] == "-m" && pair[1] == "pip")
        || command.iter().any(|arg| arg == "-mpip")
}

/// The address of an ecosystem's repository as a client of that ecosystem is given it. `door` is the door's base.
pub fn repository_url(door: &Url, ecosystem: Ecosystem) -> Url {
    let mut url = door.clone();
    let segments: &[&str] = match ecosystem {
        Ecosystem::Npm => &["npm", ""],
        // pip and uv write this into lock files, by custom without a slash at the end.
        Ecosystem::Pypi => &["pypi", "simple"],
        Ecosystem::Cargo => &["cargo", ""],
        // Its clients put `/api/…` behind what they are given.
        Ecosystem::Huggingface => &["huggingface"],
        // Images are named below it: `<door>/oci/<repository>`.
        Ecosystem::Oci => &["v2", "oci"],
        // Its clients put `/v0.1/servers` behind what they are given.
        Ecosystem::Mcp => &["mcp"],
        Ecosystem::Vscode => &["vscode"],
    };
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    url
}

/// The base of one of the two repositories of extensions, without a slash at the end. Their clients send no credentials, so a
/// token stands in the address.
pub(crate) fn extensions_url(door: &Url, repository: &str, token: Option<&str>) -> String {
    let mut url = door.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty();
        if let Some(token) = token {
            path.extend(["t", token]);
        }
        path.push(repository);
    }
    url.to_string()
}

/// An editor's gallery at this door, as `product.json` and code-server's variable hold it. Where single files of extensions
/// would be is named too, so that an editor asks this door, which says no, and not the place that it has of its own.
pub(crate) fn gallery(door: &Url, token: Option<&str>) -> serde_json::Value {
    let base = extensions_url(door, "vscode", token);
    serde_json::json!({
        "serviceUrl": format!("{base}/gallery"),
        "itemUrl": format!("{base}/item"),
        "resourceUrlTemplate": format!("{base}/unpkg/{{publisher}}/{{name}}/{{version}}/{{path}}"),
        "controlUrl": format!("{base}/control.json"),
    })
}

/// An address with a token as its password, for clients that take credentials in no other way.
pub(crate) fn with_token(mut url: Url, token: Option<&Secret<String>>) -> String {
    if let Some(token) = token {
        // A door's address is http(s) and has a host, so both always can be set.
        let set = url.set_username("tidegate").and_then(|()| url.set_password(Some(token.expose())));
        debug_assert!(set.is_ok());
    }
    url.to_string()
}

/// `//host:port/path/`: how npm names the place that a token is for.
pub(crate) fn npm_token_place(registry: &Url) -> String {
    let port = registry.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("//{}{port}{}", registry.host_str().unwrap_or_default(), registry.path())
}
