//! Questions that several detectors ask of facts.

use crate::behaviour::facts::{Fact, Stage, What};
use crate::behaviour::package::{Code, Package};
use crate::behaviour::words::{self, Address, Class};

/// Whether a fact happens without anybody calling the package.
pub(super) fn early(code: &Code, fact: &Fact) -> bool {
    code.stage(fact) <= Stage::Import
}

/// Files that lie between a source and a sink, from which on it is no longer said that what goes in is what comes out.
const FAR_FILES: u8 = 2;

/// Bytes between a source and a sink of one file, from which on the same holds: bundles hold many files in one.
const FAR_BYTES: u64 = 200_000;

/// Whether a source and a sink lie so far apart that what joins them is likely to carry much else.
pub(super) fn is_far(from: &Fact, to: &Fact) -> bool {
    from.hops.saturating_add(to.hops) >= FAR_FILES || from.offset.abs_diff(to.offset) >= FAR_BYTES
}

/// Files that lead from what is started to a file, from which on it is a library that is merely loaded along.
const DEEP_FILES: u32 = 4;

/// Whether a file is loaded through so many others that what its functions do is hardly what it is loaded for.
pub(super) fn is_deep(code: &Code) -> bool {
    code.reach.steps >= DEEP_FILES
}

/// Whether a fact happens while the package is installed or built.
pub(super) fn is_install(code: &Code, fact: &Fact) -> bool {
    code.stage(fact) == Stage::Install
}

/// When, for a sentence.
pub(super) fn when(code: &Code, fact: &Fact) -> &'static str {
    match code.stage(fact) {
        Stage::Install => "while it is installed",
        Stage::Startup => "at every start of the interpreter",
        Stage::Import => "as soon as it is loaded",
        Stage::Call => "when one of its functions is called",
        Stage::Aside => "in its tests or examples",
    }
}

/// The host of an address that is written in the code and is not this machine.
pub(super) fn foreign(detail: &str) -> Option<Address> {
    let start = ["https://", "http://", "wss://", "ws://", "ftp://", "tcp://", "udp://"]
        .iter()
        .filter_map(|scheme| detail.find(scheme))
        .min();
    let address = Address::of(start.map_or(detail, |at| &detail[at..]))?;
    (address.is_constant() && !address.is_local()).then_some(address)
}

/// The host, for a sentence.
pub(super) fn host(detail: &str) -> String {
    foreign(detail).map_or_else(
        || "an address that is made up while it runs".to_owned(),
        |address| format!("`{}`", address.host),
    )
}

/// Whether a host identity is one of a person or machine, not of a platform.
pub(super) fn is_identity(fact: &Fact) -> bool {
    const PLATFORM: &[&str] = &[
        "platform",
        "arch",
        "release",
        "type",
        "version",
        "endianness",
        "cpus",
        "machine",
        "system",
        "tmpdir",
        "eol",
        "uname -m",
        "uname -s",
        "processor",
        "python_version",
        "loadavg",
        "totalmem",
        "freemem",
        "uptime",
    ];
    let detail = fact.detail.to_ascii_lowercase();
    let call = detail.trim_end_matches("()").rsplit(['.', ':']).next().unwrap_or_default().trim().to_owned();
    fact.what == What::HostIdentity
        && !PLATFORM.contains(&call.as_str())
        && !PLATFORM.contains(&detail.as_str())
}

/// Whether a source is nobody else's business: secrets, the environment, files of credentials, who the user is.
pub(crate) fn is_private_source(fact: &Fact) -> bool {
    match fact.what {
        What::EnvAll | What::KeychainRead | What::ClipboardRead | What::Tapped => true,
        What::EnvRead => words::is_secret_variable(&fact.detail),
        What::HostIdentity => is_identity(fact),
        What::FileRead | What::FolderRead => words::classes(&fact.detail).any(&[
            Class::CredentialFile,
            Class::BrowserStore,
            Class::Wallet,
            Class::ChatStore,
            Class::DotEnv,
        ]),
        What::ExecOutput => {
            let words = words::classes(&fact.detail);
            words.any(&[Class::Keychain, Class::EnvDump, Class::CredentialFile])
                || ["whoami", "hostname", "id", "gh auth token", "npm token", "git config"].iter().any(
                    |command| {
                        fact.detail.trim() == *command || fact.detail.starts_with(&format!("{command} "))
                    },
                )
        }
        _ => false,
    }
}

/// Facts of one kind in the same file.
pub(super) fn of_file(code: &Code, what: What) -> impl Iterator<Item = &Fact> {
    code.facts.all(what)
}

/// Whether a file has a fact of one of these kinds.
pub(super) fn in_file(code: &Code, kinds: &[What]) -> bool {
    code.facts.facts.iter().any(|fact| kinds.contains(&fact.what))
}

/// The first fact of these kinds whose detail means one of these.
pub(super) fn any_in<'a>(code: &'a Code, kinds: &[What], classes: &[Class]) -> Option<&'a Fact> {
    code.facts
        .facts
        .iter()
        .find(|fact| kinds.contains(&fact.what) && words::classes(&fact.detail).any(classes))
}

/// The last part of a path, where it is constant and long enough to be compared.
pub(super) fn basename(path: &str) -> Option<&str> {
    let name = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    (name.len() >= 3 && !name.contains('*')).then_some(name)
}

/// Whether a command line starts, or a path is, the program that the package's own command stands for: it has the name of one of its
/// commands or of the package itself, and does not lie where things are hidden. Whoever installs the package does so to run it.
pub(super) fn is_own_program(package: &Package, detail: &str) -> bool {
    let Some(manifest) = &package.manifest else { return false };
    let path = detail.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
    let path = path.replace("/node_modules/.bin/", "/node_modules/");
    let hides = ["/tmp/", "temp/", "appdata", "/dev/shm", "/.", "%temp%", "programdata", "library/"];
    if path.starts_with(['~', '/', '.']) && !path.starts_with("./")
        || hides.iter().any(|place| path.contains(place))
    {
        return false;
    }
    let file = path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().trim_end_matches(".exe");
    let own = manifest.name.as_deref().and_then(|name| name.rsplit('/').next());
    let mut names = manifest.programs.iter().map(|program| program.name.as_str()).chain(own);
    // Programs for several machines carry the machine and the version behind their name.
    names.any(|name| {
        let name = name.to_ascii_lowercase();
        name.len() >= 3
            && file
                .strip_prefix(&name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['-', '_', '.']))
    })
}

/// Whether a command line only unpacks an archive, which runs nothing that is in it.
pub(super) fn is_unpacking(command: &str) -> bool {
    const UNPACKERS: &[&str] = &["tar", "bsdtar", "unzip", "gunzip", "gzip", "unxz", "xz", "7z", "7za"];
    does_only(command, UNPACKERS, &["--to-command", "--checkpoint", "--use-compress", "-I"])
}

/// Whether a command line names files and starts none of them: it unpacks an archive, or writes what it fetches.
pub(super) fn starts_nothing(command: &str) -> bool {
    is_unpacking(command) || does_only(command, &["curl", "wget", "aria2c"], &["$(", "`"])
}

/// Whether a command line is one of these programs and nothing behind it; `runs_more` stands in options that start others.
fn does_only(command: &str, programs: &[&str], runs_more: &[&str]) -> bool {
    let mut words = command.split_whitespace();
    let is_one =
        words.next().is_some_and(|program| programs.contains(&program.rsplit('/').next().unwrap_or(program)));
    let goes_on = |word: &str| ["&&", ";", "|"].iter().chain(runs_more).any(|mark| word.contains(mark));
    is_one && !words.any(goes_on)
}

/// Evidence without what may be a secret: of runs that look random only the beginning stays.
pub(crate) fn redacted(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '+');
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while !rest.is_empty() {
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        let (run, after) = rest.split_at(end);
        if is_random(run) {
            out.push_str(&run[..4]);
            out.push('…');
        } else {
            out.push_str(run);
        }
        let next = after.chars().next().map_or(0, char::len_utf8);
        out.push_str(&after[..next]);
        rest = &after[next..];
    }
    out
}

/// Whether a run of letters and digits may be a token.
fn is_random(run: &str) -> bool {
    let has = |test: fn(&u8) -> bool| run.as_bytes().iter().any(test);
    let mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
    let long = run.len() >= 20 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
    run.len() >= 12 && mixed || long || run.len() >= 32
}

#[cfg(test)]
mod tests {
    use super::redacted;

    #[test]
    fn what_may_be_a_secret_is_not_shown() {
        let token = format!("{}{}", "Ab3", "dEf9".repeat(8));
        assert_eq!(
            redacted(&format!("curl -H 'x: {token}' https://x.invalid/y")),
            "curl -H 'x: Ab3d…' https://x.invalid/y"
        );
        assert_eq!(redacted("node scripts/install.js --force"), "node scripts/install.js --force");
        assert_eq!(redacted(&"é".repeat(40)), "é".repeat(40));
    }
}
