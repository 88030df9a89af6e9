//! `tidegate setup`: a client's lasting configuration, shown or written.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use tidegate_model::Secret;
use url::Url;

use super::{Failure, Outcome, default_data, discover, print};
use crate::clients::{self, Client, mcp_file};
use crate::discover::{Surroundings, remember};

/// Print what a client needs in order to use the door from now on, or write it into the user's configuration.
#[derive(Debug, Args)]
pub struct Setup {
    /// npm, pnpm, yarn, pip, uv, poetry, cargo, huggingface, docker, podman, buildah, skopeo, containerd, mcp-registry, ovsx, code-server,
    /// vscodium or vscode; or mcp, for a client's file of MCP servers.
    pub client: Wanted,
    /// With mcp: the file in which the client keeps its servers, such as `~/.cursor/mcp.json` or `.vscode/mcp.json`.
    #[arg(value_name = "FILE", required_if_eq("client", "mcp"))]
    pub file: Option<PathBuf>,
    /// Merge it into the user's own configuration, keeping the old file beside the new one.
    #[arg(long)]
    pub write: bool,
    /// Address of the door; that of the data directory where left out.
    #[arg(long, value_name = "URL", env = "TIDEGATE_DOOR")]
    pub door: Option<Url>,
    /// Token for the door, where it demands one.
    #[arg(long, value_name = "TOKEN", env = "TIDEGATE_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Data directory.
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
}

/// What is set up.
#[derive(Clone, Copy, Debug)]
pub enum Wanted {
    /// A package manager.
    Client(Client),
    /// A file of MCP servers.
    Mcp,
}

impl std::str::FromStr for Wanted {
    type Err = UnknownWanted;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "mcp" => Ok(Self::Mcp),
            other => other.parse().map(Self::Client).map_err(UnknownWanted),
        }
    }
}

/// A word that names nothing that can be set up.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0} or mcp")]
pub struct UnknownWanted(clients::UnknownClient);

impl Setup {
    /// Runs it.
    ///
    /// # Errors
    /// A file that cannot be written; it is then as it was.
    pub fn run(self) -> Outcome {
        let explicit = self.data.clone();
        let data = self.data.unwrap_or_else(default_data);
        let own = discover::own_addresses(&data)?;
        let door = match self.door {
            Some(door) => door,
            // The address noted by a running door comes last and is the best known one.
            None => own.last().cloned().ok_or_else(|| Failure("the door has no address".into()))?,
        };
        let client = match (self.client, self.file) {
            (Wanted::Mcp, Some(file)) => {
                return mcp(&file, &door, self.token.as_deref(), explicit.as_deref(), self.write);
            }
            (Wanted::Client(client), None) => client,
            (Wanted::Mcp, None) => return Err(Failure("name the client's file of MCP servers".into())),
            (Wanted::Client(_), Some(_)) => {
                return Err(Failure("only `tidegate setup mcp` takes a file".into()));
            }
        };
        let token = self.token.map(Secret::new);
        let setup = clients::setup(client, &door, token.as_ref());
        let around = Surroundings::of_process(std::env::current_dir()?, own).explicit_from_vars();
        let mut text = String::new();
        if self.write {
            // Once the client names the door, it no longer says what lies behind it.
            remember::discover_and_keep(&around, &data)?;
            for file in &setup.files {
                let written = file.write(&around)?;
                let path = written.path.display();
                text.push_str(&match (written.changed, written.undo()) {
                    (true, Some(undo)) => format!("wrote {path}\n  take it back: {undo}\n"),
                    _ => format!("{path} holds it already\n"),
                });
            }
        } else {
            for file in &setup.files {
                text.push_str(&format!("# {}\n{}\n", file.shown_as, file.content().expose()));
            }
        }
        for command in &setup.commands {
            text.push_str(&format!("run: {command}\n"));
        }
        for note in &setup.notes {
            text.push_str(&format!("note: {note}\n"));
        }
        print(&text)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Leads the servers of a client's file through the door.
fn mcp(file: &Path, door: &Url, token: Option<&str>, data: Option<&Path>, write: bool) -> Outcome {
    let shown = file.display();
    let before = read_servers(file)?;
    // A program with windows has another PATH than a terminal, so it is told which file to start.
    let program = std::env::current_exe()?;
    let data = data.map(|data| data.canonicalize().unwrap_or_else(|_| data.to_owned()));
    let data = data.as_ref().map(|data| data.to_string_lossy().into_owned());
    let program = program.to_string_lossy();
    let through = mcp_file::Through { program: &program, door, token, data: data.as_deref() };
    let mut led = mcp_file::lead(&before, through)
        .map_err(|why| Failure(format!("`{shown}` is left as it is, because {why}")))?;
    let holds_token = token.is_some() && !led.sections.is_empty();
    if holds_token {
        led.notes.push(format!("`{shown}` holds a token then: keep it out of repositories"));
    }
    let failed = |e: std::io::Error| Failure(format!("`{shown}` cannot be written: {e}"));
    let mut said = String::new();
    for section in &led.sections {
        said.push_str(&format!("add to the door's configuration:\n{section}"));
    }
    for note in &led.notes {
        said.push_str(&format!("note: {note}\n"));
    }
    if !write {
        // What is printed is the file, so that it can be kept as one.
        print(&led.text)?;
        anstream::eprint!("{said}");
        return Ok(ExitCode::SUCCESS);
    }
    let mut text = String::new();
    if !led.led.is_empty() {
        let backup = clients::setup::keep_backup(file).map_err(failed)?;
        clients::locks::write_whole(file, led.text.as_bytes(), None).map_err(failed)?;
        if holds_token {
            // A file that others could read must not receive a token and stay so.
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(file, mode).map_err(failed)?;
        }
        let names: Vec<String> = led.led.iter().map(|name| name.escape_debug().to_string()).collect();
        text.push_str(&format!("wrote {shown}: {}\n", names.join(", ")));
        text.push_str(&format!("  take it back: mv '{}' '{shown}'\n", backup.display()));
    } else if led.notes.is_empty() {
        text.push_str(&format!("{shown} leads every server through the door already\n"));
    } else {
        text.push_str(&format!("{shown} stays as it was\n"));
    }
    print(&(text + &said))?;
    Ok(ExitCode::SUCCESS)
}

/// A client's file as text.
fn read_servers(file: &Path) -> Result<String, Failure> {
    let shown = file.display();
    let failed = |e: std::io::Error| {
        Failure(format!(
            "`{shown}` cannot be read: {e}\n  name the file in which the client keeps its servers"
        ))
    };
    let found = std::fs::metadata(file).map_err(failed)?;
    if !found.is_file() {
        return Err(Failure(format!(
            "`{shown}` is no file\n  name the file in which the client keeps its servers"
        )));
    }
    if found.len() > mcp_file::MAX_FILE_BYTES {
        let size = found.len();
        return Err(Failure(format!("`{shown}` has {size} bytes: that is no file of MCP servers")));
    }
    String::from_utf8(std::fs::read(file).map_err(failed)?)
        .map_err(|_| Failure(format!("`{shown}` is left as it is, because it is not UTF-8 text")))
}
