//! Reading the configuration file, with errors that say what, where and what to do.

use std::path::{Path, PathBuf};

use super::Config;
use super::check::check;

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file `{}` cannot be read: {source}\n  create it, or leave out --config to start with the defaults", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// The file is not valid TOML, or has a key or value that does not exist.
    #[error("{}: {message}\n  `tidegate config template` prints every key with its meaning", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// Line, column and what is wrong there.
        message: String,
    },
    /// The values do not fit together.
    #[error("{}: {place}[{section}] {message}\n  {remedy}", path.display())]
    Inconsistent {
        /// Which file.
        path: PathBuf,
        /// Which line, as the message begins; empty where the file does not write it.
        place: String,
        /// Which section.
        section: String,
        /// What does not fit.
        message: String,
        /// What to do.
        remedy: String,
    },
}

/// Reads and checks a configuration file.
///
/// # Errors
/// See [`ConfigError`]; each names the file, and the line where there is one.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|source| ConfigError::Unreadable { path: path.to_owned(), source })?;
    parse(&text, path)
}

/// Checks configuration text; `path` is for messages.
///
/// # Errors
/// See [`ConfigError`].
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    let config: Config = toml::from_str(text).map_err(|e| {
        let place = e.span().map(|span| {
            let before = &text[..span.start.min(text.len())];
            let line = before.matches('\n').count() + 1;
            let column = before.rsplit('\n').next().map_or(0, |l| l.chars().count()) + 1;
            format!("line {line}, column {column}: ")
        });
        ConfigError::Invalid {
            path: path.to_owned(),
            message: format!("{}{}", place.unwrap_or_default(), e.message()),
        }
    })?;
    match check(&config) {
        Ok(()) => Ok(config),
        Err(wrong) => {
            let line = line_of(text, &wrong.place).map(|line| format!("line {line}: "));
            let mut section: Vec<&str> = wrong.place.iter().map(String::as_str).collect();
            // The key stands in the message or on the line; positions say nothing to people.
            section.truncate(if section.first() == Some(&"repository") { 2 } else { 1 });
            Err(ConfigError::Inconsistent {
                path: path.to_owned(),
                place: line.unwrap_or_default(),
                section: section.join("."),
                message: wrong.message,
                remedy: wrong.remedy,
            })
        }
    }
}

/// The line, from 1, on which what `place` leads to stands; of the nearest thing around it where it is not written.
fn line_of(text: &str, place: &[String]) -> Option<usize> {
    let document = toml_edit::Document::parse(text).ok()?;
    let (mut item, mut span) = (document.as_item(), None);
    for key in place {
        let next = match item.as_table_like().map(|table| (table, table.get_key_value(key))) {
            Some((_, Some((key, next)))) => {
                span = key.span().or(next.span()).or(span);
                next
            }
            Some(_) => break,
            None => {
                let Some(next) = key.parse::<usize>().ok().and_then(|n| item.get(n)) else { break };
                span = next.span().or(span);
                next
            }
        };
        item = next;
    }
    span.map(|span| text[..span.start.min(text.len())].matches('\n').count() + 1)
}

/// Words that are paths of the door itself.
pub(crate) const RESERVED: [&str; 11] =
    ["advisories", "api", "d", "t", "console", "ledger", "metrics", "healthz", "osv", "readyz", "v2"];

#[cfg(test)]
mod tests {
    use super::super::FileSink;
    use super::*;

    fn message(text: &str) -> String {
        parse(text, Path::new("tidegate.toml")).unwrap_err().to_string()
    }

    #[test]
    fn the_template_is_the_default_configuration() {
        assert_eq!(parse(super::super::TEMPLATE, Path::new("t")).unwrap(), Config::default());
    }

    /// Keys that have no default value: their lines in the template are examples.
    const EXAMPLES: [&str; 9] = [
        "server.public_url",
        "server.tls_certificate",
        "server.tls_key",
        "policy.file",
        "upstream.hold_seconds",
        "inspection.workers",
        "custody.deployment",
        "custody.key",
        "custody.pkcs11",
    ];

    #[test]
    fn names_are_not_kept_longer_than_what_says_who_was_seen() {
        let with = |text: &str| parse(&format!("[retention]\n{text}"), Path::new("t"));
        assert!(with("names_days = 90").is_ok() && with("access_days = 30").is_ok());
        assert!(with("access_days = 90\nnames_days = 90").is_ok());
        let told = message("[retention]\naccess_days = 30\nnames_days = 90");
        assert!(told.contains("line 3: [retention]"), "{told}");
        assert!(told.contains("give names_days at most as many days as access_days"), "{told}");
    }

    #[test]
    fn witnesses_have_keys_and_addresses_of_witnesses() {
        use tidegate_ledger::note::{KeyKind, VerifierKey};
        let key = |kind| VerifierKey::new("w.example/1", kind, [7; 32]).unwrap().to_string();
        let text = |urls: &[&str], key: &str| {
            let witness = |url: &&str| format!("{{ url = \"{url}\", key = \"{key}\" }}");
            let all: Vec<String> = urls.iter().map(witness).collect();
            format!("[ledger]\nwitnesses = [{}]\n", all.join(", "))
        };
        let (of_witness, of_log) = (key(KeyKind::Cosignature), key(KeyKind::Ed25519));
        let config = parse(&text(&["https://w.example/x/"], &of_witness), Path::new("t")).unwrap();
        assert_eq!(config.ledger.witnesses[0].key.to_string(), of_witness);
        let shown = serde_json::to_value(&config).unwrap();
        assert_eq!(shown["ledger"]["witnesses"][0]["key"], *of_witness);
        for (urls, key, says) in [
            (&["https://w.example/"][..], &of_log, "is the key of a log"),
            (&["ftp://w.example/"], &of_witness, "http:// or https://"),
            (&["https://u:p@w.example/"], &of_witness, "without user"),
            (&["https://w.example/", "https://v.example/"], &of_witness, "named twice"),
            (&["https://w.example/"], &"no key".to_owned(), "is not a verifier key"),
        ] {
            let told = message(&text(urls, key));
            assert!(told.contains(says) && told.contains("line 2") && !told.contains("u:p"), "{told}");
        }
    }

    #[test]
    fn the_sinks_of_the_template_are_usable() {
        let (_, sinks) = super::super::TEMPLATE.split_once("# [events.webhook.").unwrap();
        let (sinks, _) = sinks.split_once("\n# Servers of MCP elsewhere").unwrap();
        let sinks = format!("[events.webhook.{}", sinks.replace("\n# ", "\n").replace("\n#\n", "\n"));
        let config = parse(&sinks, Path::new("t")).unwrap();
        assert_eq!((config.events.webhook.len(), config.events.file.len()), (1, 1));
        let file = &config.events.file["siem"];
        let left_out: FileSink = toml::from_str(&format!("path = {:?}", file.path)).unwrap();
        assert_eq!(*file, left_out, "numbers that are shown are the defaults");
    }

    #[test]
    fn every_line_of_the_template_shows_the_default() {
        let default = serde_json::to_value(Config::default()).unwrap();
        let mut shown = std::collections::BTreeSet::new();
        let mut section = String::new();
        for line in super::super::TEMPLATE.lines() {
            if let Some(name) = line.strip_prefix('[') {
                section = name.trim_end_matches(']').to_owned();
                continue;
            }
            // The last part shows how to configure repositories and feeds, which have no defaults.
            if line.starts_with("# One repository per ecosystem") {
                break;
            }
            let Some((key, value)) = line.strip_prefix("# ").and_then(|l| l.split_once(" = ")) else {
                continue;
            };
            if key.contains(' ') {
                continue;
            }
            let path = format!("{section}.{key}");
            let written: toml::Table = toml::from_str(&format!("x = {value}")).unwrap();
            let expected = &default[section.as_str()][key];
            if EXAMPLES.contains(&path.as_str()) {
                assert!(expected.is_null(), "{path} has a default now: show it");
                parse(&format!("[{section}]\n{key} = {value}\n"), Path::new("t"))
                    .or_else(|e| if key.starts_with("tls_") { Ok(Config::default()) } else { Err(e) })
                    .unwrap();
            } else {
                assert_eq!(serde_json::to_value(&written["x"]).unwrap(), *expected, "{path}");
            }
            shown.insert(path);
        }
        for (path, head) in [
            ("intel.feed", "# [[intel.feed]]"),
            ("events.webhook", "# [events.webhook."),
            ("events.file", "# [events.file."),
            ("mcp.methods", "# methods = ["),
            ("mcp.server", "# [mcp.server."),
        ] {
            assert!(super::super::TEMPLATE.contains(head), "{head}");
            shown.insert(path.to_owned());
        }
        for (section, keys) in default.as_object().unwrap().iter().filter(|(s, _)| *s != "repository") {
            for key in keys.as_object().unwrap().keys() {
                assert!(
                    shown.contains(&format!("{section}.{key}")),
                    "the template leaves out {section}.{key}"
                );
            }
        }
    }

    #[test]
    fn mistakes_are_named_with_their_place() {
        let unknown = message("[server]\nlisten = \"127.0.0.1:1\"\nlisten_port = 3\n");
        assert!(unknown.contains("tidegate.toml: line 3") && unknown.contains("listen_port"), "{unknown}");
        let wrong = message("[cache]\nfresh_seconds = \"soon\"\n");
        assert!(wrong.contains("line 2"), "{wrong}");
        let tls = message("[server]\ntls_key = \"k.pem\"\n");
        assert!(tls.contains("set both"), "{tls}");
        let name = message("[repository.api]\necosystem = \"npm\"\n");
        assert!(name.contains("cannot name a repository"), "{name}");
        let ecosystem = message("[repository.mine]\n");
        assert!(ecosystem.contains("ecosystem"), "{ecosystem}");
        let secret = message("[[repository.npm.upstream]]\nurl = \"https://u:p@registry.example/\"\n");
        assert!(secret.contains("basic_env") && !secret.contains("u:p"), "{secret}");
    }
}
