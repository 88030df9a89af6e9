//! `tidegate token`: made once, shown once, taken back at once.

use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;

use super::show::{Ask, duration, list, minute, print_json, print_table, text, words};
use super::{Outcome, print};

/// Make, list and take back tokens.
#[derive(Debug, Args)]
pub struct Token {
    #[command(subcommand)]
    command: Command,
    #[command(flatten)]
    ask: Ask,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a token. It is printed once and kept nowhere.
    Create(Create),
    /// List tokens.
    List {
        /// Those that ended or were revoked too.
        #[arg(long)]
        ended: bool,
    },
    /// Take a token back, at once.
    Revoke {
        /// Its id, as `list` shows it.
        #[arg(value_name = "ID")]
        id: String,
    },
}

#[derive(Debug, Args)]
struct Create {
    /// For whom it speaks.
    #[arg(value_name = "PERSON")]
    person: String,
    /// What kind of principal.
    #[arg(long, default_value = "human")]
    kind: Kind,
    /// Groups of the principal, for rules.
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// The machine it is for.
    #[arg(long)]
    host: Option<String>,
    /// The build run it is for.
    #[arg(long)]
    run: Option<String>,
    /// What it may do.
    #[arg(long, default_value = "read")]
    scope: ScopeWord,
    /// Only through this repository; may be given more than once.
    #[arg(long = "repository", value_name = "NAME")]
    repositories: Vec<String>,
    /// How long it lasts, for example 12h or 90d, or `never`.
    #[arg(long, value_name = "TIME", default_value = "90d", value_parser = expiry)]
    expires: Expiry,
}

#[derive(Clone, Copy, Debug)]
struct Expiry(Option<u32>);

fn expiry(text: &str) -> Result<Expiry, String> {
    if text == "never" { Ok(Expiry(None)) } else { duration(text).map(|s| Expiry(Some(s))) }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    Human,
    Ci,
    Agent,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum ScopeWord {
    Read,
    Admin,
}

impl Token {
    /// Runs it.
    ///
    /// # Errors
    /// No door, or its refusal.
    pub fn run(self) -> Outcome {
        let door = self.ask.door()?;
        match &self.command {
            Command::Create(new) => {
                let word = |v: &dyn ValueName| v.word();
                let made = door.post(
                    "tokens",
                    &json!({
                        "person": new.person, "kind": word(&new.kind), "groups": new.groups, "host": new.host,
                        "run": new.run, "scope": word(&new.scope), "repositories": new.repositories,
                        "expires_in_seconds": new.expires.0,
                    }),
                )?;
                if self.ask.json {
                    print_json([&made])?;
                } else {
                    // The token alone on standard output, so that a script can keep it.
                    let end = minute(&made, "expires_at");
                    let end = if end.is_empty() { "never ends".to_owned() } else { format!("ends {end}") };
                    anstream::eprintln!(
                        "token {} for {} ({}), {end}; it is shown this once:",
                        text(&made, "id"),
                        new.person,
                        text(&made, "scope")
                    );
                    print(&format!("{}\n", text(&made, "token")))?;
                }
            }
            Command::List { ended } => {
                let told = door.get("tokens", if *ended { &[("ended", "true")] } else { &[] })?;
                let tokens = list(&told, "tokens");
                if self.ask.json {
                    print_json(tokens)?;
                } else {
                    let rows: Vec<Vec<String>> = tokens.iter().map(row).collect();
                    print_table(
                        &["ID", "PERSON", "KIND", "SCOPE", "REPOSITORIES", "HOST", "RUN", "ENDS"],
                        &rows,
                    )?;
                }
            }
            Command::Revoke { id } => {
                let told = door.delete(&format!("tokens/{}", super::segment(id)), &[])?;
                if self.ask.json {
                    print_json([&told])?;
                } else {
                    print(&format!("token {id} is revoked\n"))?;
                }
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

trait ValueName {
    fn word(&self) -> String;
}

impl<T: ValueEnum> ValueName for T {
    fn word(&self) -> String {
        self.to_possible_value().map_or_else(String::new, |v| v.get_name().to_owned())
    }
}

fn row(token: &serde_json::Value) -> Vec<String> {
    let ends = match (minute(token, "revoked_at"), minute(token, "expires_at")) {
        (revoked, _) if !revoked.is_empty() => format!("revoked {revoked}"),
        (_, end) if end.is_empty() => "never".to_owned(),
        (_, end) => end,
    };
    let repositories = words(token, "repositories");
    vec![
        text(token, "id").to_owned(),
        text(token, "person").to_owned(),
        text(token, "kind").to_owned(),
        text(token, "scope").to_owned(),
        if repositories.is_empty() { "all".to_owned() } else { repositories },
        text(token, "host").to_owned(),
        text(token, "run").to_owned(),
        ends,
    ]
}
