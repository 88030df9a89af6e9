//! What constants mean, said once for all languages.
//!
//! A reader of a language says that a file is read and which; here stands that `~/.aws/credentials` holds credentials. Tables
//! are in `tables`; all of them are one automaton. What has no fixed words (addresses, names of variables, prompts, webhooks on any
//! host) is told by shape. Nothing here judges: a word is a hint, detectors want more than one.

mod address;
mod prose;
mod tables;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};

pub use address::{Address, is_wallet_address, webhook};
pub use prose::{asks_for_secrets, instructs, orders_line};

/// Bytes of a text that are looked at.
const LOOK_BYTES: usize = 64 << 10;

macro_rules! classes {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// A meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Class { $($(#[$doc])* $name,)* }

        impl Class {
            /// All meanings.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];
        }
    };
}

classes! {
    /// A file or folder that holds credentials of a program: of package managers, clouds, shells, git.
    CredentialFile,
    /// A `.env` file: settings, often with credentials. Ordinary in the package's own working folder.
    DotEnv,
    /// The operating system's credential store, or the command that reads it.
    Keychain,
    /// A database of a browser that holds passwords, cookies, form entries or the storage of extensions.
    BrowserStore,
    /// A profile folder of a browser. Test tools name it as well.
    BrowserFolder,
    /// A wallet: its file, or the id of the browser extension that is one.
    Wallet,
    /// Where chat and game clients keep their sessions.
    ChatStore,
    /// A webhook or bot interface of a messenger.
    Messenger,
    /// A public place where anyone can leave text for a program to fetch: pastes, calendars, chains, DNS over HTTPS.
    DeadDrop,
    /// A host that takes files from anyone.
    FileHost,
    /// A host that shows whoever made it what was sent: request bins, tunnels, collaborators.
    OutOfBand,
    /// The metadata service of a cloud machine, in any spelling.
    Imds,
    /// A service that tells the caller's public address.
    WhoAmI,
    /// The command of an AI assistant.
    AgentCli,
    /// A flag by which an AI assistant acts without asking.
    AgentFlag,
    /// A file that steers an AI assistant or lists its tools.
    AgentRules,
    /// A place from which programs start by themselves.
    Autorun,
    /// A command that registers a program to start by itself.
    AutorunCommand,
    /// A file that CI, git or an editor runs.
    CiFile,
    /// An interface or command of a code host that creates or changes repositories, gists, secrets, runners.
    CodeHost,
    /// A command that publishes a package.
    Publish,
    /// Asking a registry what somebody maintains, or who one is.
    MaintainerList,
    /// A scanner for secrets.
    SecretScanner,
    /// Miners of currency, and their protocols and pools.
    Miner,
    /// Another runtime than the one that installs.
    Runtime,
    /// A tool that downloads.
    Download,
    /// Running text in a shell, or decoding it there.
    ShellEval,
    /// An idiom of reverse shells.
    ReverseShell,
    /// Deleting or overwriting much.
    Destruct,
    /// Printing the whole environment.
    EnvDump,
    /// A pattern that recognises addresses of wallets.
    AddressPattern,
    /// Interfaces of wallets in a web page.
    WalletApi,
    /// Anonymous networks.
    Proxy,
}

/// A set of meanings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Classes(u64);

impl Classes {
    /// Whether it holds this one.
    #[must_use]
    pub const fn has(self, class: Class) -> bool {
        self.0 & (1 << class as u32) != 0
    }

    /// Whether it holds any of these.
    #[must_use]
    pub fn any(self, classes: &[Class]) -> bool {
        classes.iter().any(|class| self.has(*class))
    }

    /// Whether it holds nothing.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

struct Words {
    automaton: AhoCorasick,
    /// Of each pattern: its class, and whether its beginning and its end must be those of a word.
    patterns: Vec<(Class, bool, bool)>,
}

fn words() -> &'static Words {
    static WORDS: OnceLock<Words> = OnceLock::new();
    WORDS.get_or_init(|| {
        let mut patterns = Vec::new();
        let mut texts = Vec::new();
        for table in tables::TABLES {
            for word in table.words {
                let (word, begins) = word.strip_prefix('|').map_or((*word, false), |rest| (rest, true));
                let (word, ends) = word.strip_suffix('|').map_or((word, false), |rest| (rest, true));
                patterns.push((table.class, begins, ends));
                texts.push(word);
            }
        }
        let automaton = AhoCorasickBuilder::new()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::Standard)
            .kind(Some(AhoCorasickKind::ContiguousNFA))
            .build(texts)
            .expect("the tables make an automaton");
        Words { automaton, patterns }
    })
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_')
}

/// Calls back with each word found, until told to end.
fn each(text: &str, found: &mut dyn FnMut(Class, &str) -> bool) {
    let text = &text[..text.floor_char_boundary(LOOK_BYTES)];
    let slashed;
    let text = if text.contains('\\') {
        slashed = text.replace("\\\\", "/").replace('\\', "/");
        slashed.as_str()
    } else {
        text
    };
    let words = words();
    let bytes = text.as_bytes();
    for hit in words.automaton.find_overlapping_iter(text) {
        let (class, begins, ends) = words.patterns[hit.pattern().as_usize()];
        let before = hit.start().checked_sub(1).and_then(|at| bytes.get(at));
        if begins && is_word(before) || ends && is_word(bytes.get(hit.end())) {
            continue;
        }
        if !found(class, text.get(hit.start()..hit.end()).unwrap_or_default()) {
            return;
        }
    }
}

/// What a text means: every class of which it holds a word.
#[must_use]
pub fn classes(text: &str) -> Classes {
    let mut set = 0_u64;
    each(text, &mut |class, _| {
        set |= 1 << class as u32;
        true
    });
    Classes(set)
}

/// Whether a text holds a word of this class.
#[must_use]
pub fn has(text: &str, class: Class) -> bool {
    find(text, class).is_some()
}

/// The first word of this class.
#[must_use]
pub fn find(text: &str, wanted: Class) -> Option<String> {
    let mut word = None;
    each(text, &mut |class, found| {
        if class == wanted {
            word = Some(found.to_owned());
        }
        word.is_none()
    });
    word
}

/// Whether a text constant is worth a fact of its own: readers of languages keep such constants and no others.
#[must_use]
pub fn is_telling(text: &str) -> bool {
    if text.len() < 4 {
        return false;
    }
    let mut telling = false;
    each(text, &mut |_, _| {
        telling = true;
        false
    });
    telling || is_wallet_address(text) || has_bare_address(text) || asks_for_secrets(text) || instructs(text)
}

/// A URL whose host is a bare IPv4 address.
fn has_bare_address(text: &str) -> bool {
    text.len() < 2_000
        && text.match_indices("://").any(|(at, _)| Address::of(&text[at + 3..]).is_some_and(|a| a.is_bare()))
}

/// A variable of the environment whose name says that it holds a secret.
#[must_use]
pub fn is_secret_variable(name: &str) -> bool {
    const ENDS: &[&str] = &[
        "TOKEN",
        "SECRET",
        "PASSWORD",
        "PASSWD",
        "API_KEY",
        "APIKEY",
        "ACCESS_KEY",
        "PRIVATE_KEY",
        "CREDENTIALS",
        "AUTH",
        "SECRET_KEY",
        "MNEMONIC",
        "SEED_PHRASE",
        "PASSPHRASE",
        "PAT",
        "ACCESS_KEY_ID",
        "CONNECTION_STRING",
        "DATABASE_URL",
        "SIGNING_KEY",
        "ENCRYPTION_KEY",
        "SESSION_TOKEN",
        "CLIENT_SECRET",
        "PASS",
        "KEY",
        "CREDS",
        "MONGO_URI",
        "JWT",
        "MONGODB_URI",
        "SSH_KEY",
        "TOKENS",
        "SECRETS",
    ];
    let upper = name.to_ascii_uppercase();
    ENDS.iter().any(|end| {
        upper.strip_suffix(end).is_some_and(|rest| rest.is_empty() || rest.ends_with(['_', '-']))
            || (end.len() > 6 && upper.contains(end))
    }) || upper.contains("_TOKEN_")
        || upper.contains("_SECRET_")
        || upper.contains("AUTHTOKEN")
        || upper.contains("_AUTHTOKEN")
}

/// The service that a variable's name speaks of: its first word, in lower case. `GITHUB_TOKEN` is `github`.
#[must_use]
pub fn service_of(variable: &str) -> String {
    const SYNONYMS: &[(&str, &str)] = &[
        ("gh", "github"),
        ("node", "npm"),
        ("twine", "pypi"),
        ("gl", "gitlab"),
        ("ci", "gitlab"),
        ("hf", "huggingface"),
        ("cf", "cloudflare"),
        ("google", "google"),
        ("gcp", "google"),
        ("dd", "datadog"),
        ("do", "digitalocean"),
        ("tg", "telegram"),
    ];
    let lower = variable.to_ascii_lowercase();
    let words: Vec<&str> = lower.split(['_', '-']).filter(|word| !word.is_empty()).collect();
    // Prefixes of build tools say nothing: `VITE_SENTRY_TOKEN`.
    let first =
        words.iter().find(|w| !matches!(**w, "vite" | "next" | "public" | "react" | "app" | "input" | "my"));
    let first = first.copied().unwrap_or_default();
    SYNONYMS.iter().find(|(short, _)| *short == first).map_or(first, |(_, long)| long).to_owned()
}
