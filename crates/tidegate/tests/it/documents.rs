//! What the documentation says is true: its commands parse, its settings load, its sessions run as they stand there.
//!
//! Every fenced block says by its info string how it is held to that:
//!
//! | info | what is done |
//! | --- | --- |
//! | `sh` | run by `/bin/sh -eu`, block after block, as one session of its page (README.md: by `cargo xtask readme`) |
//! | `sh background` | one command that stays; the session goes on once the door is open |
//! | `sh parse-only: why` | its tidegate commands are parsed by the program's own definition; the reason says why it cannot run |
//! | `text output` | what the block before printed; times, ids and ports may differ |
//! | `text from NAME` | held by the test of that name |
//! | `text diagram` | no command and no output |
//! | `toml configuration`, `toml policy`, `toml cases` | loaded by the program's own readers |
//!
//! A block without one of these fails.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser as _;
use clap::error::ErrorKind;
use tidegate::cli::Cli;
use tidegate_testkit::markdown::{Block, blocks, spans};
use tidegate_testkit::process::{Home, Program, Running};
use tidegate_testkit::{FakeUpstream, Package, tools};

use crate::clients_support::{TIDEGATE, hours_ago};

const PATIENCE: Duration = Duration::from_secs(240);

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Every file below `folder` with one of these endings; build output and other projects' files are passed over.
fn files(folder: &Path, endings: &[&str], found: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for path in entries.map(|entry| entry.unwrap().path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "node_modules" {
            files(&path, endings, found);
        } else if path.is_file() && endings.iter().any(|ending| name.ends_with(ending)) {
            found.push(path);
        }
    }
    found.sort();
}

/// Every page with its name below the root.
fn pages() -> Vec<(String, String)> {
    let mut found = Vec::new();
    files(&root(), &[".md"], &mut found);
    found
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().to_string_lossy().into_owned();
            (name, std::fs::read_to_string(path).unwrap())
        })
        .collect()
}

fn parse_only<'a>(block: &Block<'a>) -> Option<&'a str> {
    block.info.strip_prefix("sh parse-only:").map(str::trim)
}

#[test]
fn every_block_says_how_it_is_held() {
    let ci = std::fs::read_to_string(root().join(".ci/run")).unwrap();
    assert!(ci.contains("\ncargo xtask readme\n"), "README.md's commands run in CI");
    let tests = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it")).unwrap();
    let tests: String =
        tests.filter_map(|entry| std::fs::read_to_string(entry.unwrap().path()).ok()).collect();
    let mut wrong = Vec::new();
    for (page, text) in pages() {
        for block in blocks(&text) {
            let held = match block.info {
                // Run by `every_session_runs`, which takes every page but the README, below.
                "sh" | "sh background" => true,
                "text output" => page != "README.md",
                "toml configuration" | "toml policy" | "toml cases" => true,
                "text diagram" => !block.text.lines().any(|line| {
                    ["tidegate ", "cargo ", "npm ", "$ "].iter().any(|c| line.trim_start().starts_with(c))
                }),
                info => match (info.strip_prefix("text from "), parse_only(&block)) {
                    (Some(name), _) => tests.contains(&format!("\nfn {name}()")),
                    (_, Some(reason)) => reason.split_whitespace().count() >= 3,
                    _ => false,
                },
            };
            if !held {
                wrong.push(format!("{page}:{}: ```{}", block.line, block.info));
            }
        }
    }
    assert!(wrong.is_empty(), "see the head of {}:\n{}", file!(), wrong.join("\n"));
}

/// A command as the program's own definition reads it, with placeholders filled in: `…` is left out, `<word>` is a word.
fn parses(command: &str) -> Result<(), String> {
    let words: Vec<String> = shell_words(command)
        .map(|word| word.trim_matches(['[', ']']).to_owned())
        .filter(|word| word != "…" && word != "...")
        .map(|word| match word.as_str() {
            "COMMAND" => "status".to_owned(),
            "<client>" | "CLIENT" => "npm".to_owned(),
            // Alternatives, of which any must do.
            _ if word.contains('|') && word.chars().all(|c| c.is_ascii_lowercase() || c == '|') => {
                word.split('|').next().unwrap_or_default().to_owned()
            }
            _ => word,
        })
        .collect();
    match Cli::try_parse_from(&words) {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(()),
            // A command that is only named: `tidegate why`. A flag that does not exist is told before.
            ErrorKind::MissingRequiredArgument
            | ErrorKind::MissingSubcommand
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => Ok(()),
            _ => Err(error.to_string().lines().next().unwrap_or_default().to_owned()),
        },
    }
}

/// Words as a shell splits them; what stands in quotes is one.
fn shell_words(command: &str) -> impl Iterator<Item = String> {
    let (mut words, mut quote) = (vec![String::new()], None);
    for c in command.chars() {
        match quote {
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => words.push(String::new()),
            Some(open) if c == open => quote = None,
            _ => words.last_mut().unwrap().push(c),
        }
    }
    words.into_iter().filter(|word| !word.is_empty())
}

/// The tidegate commands of a shell line: what stands before a pipe, a redirection or `&&`.
fn commands(line: &str) -> impl Iterator<Item = &str> {
    let line = line.split(" #").next().unwrap_or_default();
    line.split(&['|', '>', ';'][..])
        .flat_map(|part| part.split("&&"))
        .map(|part| part.trim().trim_end_matches('&').trim())
        .filter(|part| part.starts_with("tidegate "))
}

#[test]
fn every_command_that_is_named_anywhere_parses() {
    let mut named: Vec<(String, String)> = Vec::new();
    for (page, text) in pages() {
        for block in blocks(&text).iter().filter(|block| block.info.starts_with("sh")) {
            for line in block.text.lines() {
                named.extend(commands(line).map(|c| (format!("{page}:{}", block.line), c.to_owned())));
            }
        }
        named.extend(spans(&text).into_iter().map(|(line, span)| (format!("{page}:{line}"), span)));
    }
    // Remedies in messages, comments of units and container files.
    let mut sources = Vec::new();
    files(&root().join("crates"), &[".rs"], &mut sources);
    files(&root().join("deploy"), &[""], &mut sources);
    for path in sources {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.display(), number + 1);
            named.extend(line.split('`').skip(1).step_by(2).map(|span| (place.clone(), span.to_owned())));
        }
    }
    named.retain(|(_, span)| span.starts_with("tidegate ") && !span.contains(['{', '\\']));
    assert!(named.len() > 100, "{} commands are named", named.len());
    let wrong: Vec<String> = named
        .iter()
        .filter_map(|(place, command)| {
            parses(command).err().map(|why| format!("{place}: `{command}`: {why}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for wrong in [
        "tidegate sttus",
        "tidegate status --colour",
        "tidegate lock mend FILE",
        "tidegate lock rewrite --too door",
    ] {
        assert!(parses(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn what_the_service_and_the_container_start_parses() {
    let unit = std::fs::read_to_string(root().join("deploy/tidegate.service")).unwrap();
    let start = unit.lines().find_map(|line| line.strip_prefix("ExecStart=/usr/bin/")).unwrap();
    parses(start).unwrap();
    let container = std::fs::read_to_string(root().join("deploy/Containerfile")).unwrap();
    let words = |instruction: &str| -> Vec<String> {
        let line = container.lines().rev().find_map(|line| line.strip_prefix(instruction)).unwrap();
        serde_json::from_str(line).unwrap()
    };
    assert_eq!(words("ENTRYPOINT "), ["/usr/bin/tidegate"]);
    parses(&format!("tidegate {}", words("CMD ").join(" "))).unwrap();
}

#[test]
fn configuration_and_policies_of_the_documentation_load() {
    let mut loaded = 0;
    for (page, text) in pages() {
        for block in blocks(&text).iter().filter(|block| block.info.starts_with("toml")) {
            let place = format!("{page}:{}", block.line);
            match block.info {
                "toml configuration" => {
                    tidegate::config::parse(block.text, Path::new(&page))
                        .unwrap_or_else(|e| panic!("{place}: {e}"));
                }
                "toml cases" => {
                    let cases = tidegate_policy::CaseFile::parse(block.text, &page)
                        .unwrap_or_else(|e| panic!("{place}: {e}"));
                    let policy = cases.own_policy(&page).unwrap().unwrap();
                    let report = cases.run(&policy, &page).unwrap_or_else(|e| panic!("{place}: {e}"));
                    assert!(report.failed.is_empty() && report.passed > 0, "{place}: {:?}", report.failed);
                }
                _ => {
                    // A rule alone stands for a policy that holds it.
                    let head = "[policy]\nid = \"page\"\nversion = \"1\"\n";
                    let whole = if block.text.contains("[policy]") { "" } else { head };
                    tidegate_policy::Policy::compile(&format!("{whole}{}", block.text), &page)
                        .unwrap_or_else(|e| panic!("{place}: {e}"));
                }
            }
            loaded += 1;
        }
    }
    assert!(loaded >= 5, "{loaded} blocks");
    let page = std::fs::read_to_string(root().join("docs/reference/configuration.md")).unwrap();
    assert!(
        blocks(&page).iter().any(|block| block.text == tidegate::config::TEMPLATE),
        "docs/reference/configuration.md shows the template that `tidegate config template` prints"
    );
}

/// The registry and the user of a page's session.
struct Session {
    upstream: FakeUpstream,
    home: Home,
    folder: PathBuf,
    running: Vec<Running>,
}

impl Session {
    fn new() -> Self {
        let upstream = FakeUpstream::start();
        for version in ["1.1.0", "1.2.0", "1.3.0"] {
            upstream.publish(Package::npm("left-pad", version).published("2020-01-01T00:00:00Z"));
        }
        upstream.publish(Package::npm("left-pad", "1.3.1").published(&hours_ago(22)));
        upstream.publish(Package::pypi("tomli", "2.0.1").published("2022-02-08T00:00:00Z"));
        upstream.publish(Package::cargo("itoa", "1.0.1").published("2022-02-08T00:00:00Z"));
        let home = Home::new();
        let folder = home.folder("app");
        Self { upstream, home, folder, running: Vec::new() }
    }

    fn shell(&self, script: &str) -> Program {
        let path = std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()).collect::<Vec<_>>();
        let own = Path::new(TIDEGATE).parent().unwrap().to_owned();
        let cargo = tools::cargo().and_then(|c| c.path().parent().map(Path::to_path_buf));
        let python = tools::python().and_then(|p| p.path().parent().map(Path::to_path_buf));
        let first = [Some(own), cargo, python].into_iter().flatten();
        Program::new("/bin/sh", &self.home)
            .args(["-eu", "-c", script])
            .in_folder(&self.folder)
            .env("PATH", std::env::join_paths(first.chain(path)).unwrap())
            .env("TIDEGATE_LISTEN", "127.0.0.1:0")
            .env("TIDEGATE_UPSTREAM_NPM", self.upstream.npm_url())
            .env("TIDEGATE_UPSTREAM_PYPI", self.upstream.pypi_url())
            .env("TIDEGATE_UPSTREAM_CARGO", self.upstream.cargo_url())
            .env("NO_COLOR", "1")
            .timeout(PATIENCE)
    }

    /// Runs the blocks of a page in order; each `text output` is compared with what the block before it printed.
    fn play(&mut self, page: &str, text: &str) {
        let mut printed = String::new();
        for block in blocks(text) {
            let place = format!("{page}:{}", block.line);
            match block.info {
                "sh background" => {
                    let mut running = self.shell(&format!("exec {}", block.text.trim())).spawn();
                    running.wait_for_line("tidegate is open on", PATIENCE);
                    self.running.push(running);
                }
                "sh" => {
                    let done = self.shell(block.text).run();
                    assert!(done.succeeded(), "{place} ended with {:?}\n{}", done.code(), done.output());
                    printed = done.output();
                }
                "text output" => {
                    let (expected, found) = (general(block.text), general(&printed));
                    assert!(!expected.is_empty(), "{place}: no output is shown");
                    assert!(found.contains(&expected), "{place}: expected\n{expected}\n--- found\n{found}");
                }
                _ => {}
            }
        }
    }
}

/// Ends the door that a `tidegate run` of the session started, by the process id that it wrote down.
impl Drop for Session {
    fn drop(&mut self) {
        self.running.clear();
        let file = self.home.path().join(".local/share/tidegate/pid");
        if let Ok(pid) = std::fs::read_to_string(file) {
            Program::new("/bin/kill", &self.home).arg(pid.trim()).run();
        }
    }
}

/// Text with what differs from run to run replaced, and blanks and line ends as one blank.
fn general(text: &str) -> String {
    let word = |word: &str| {
        let bare = word.trim_matches([',', ';', '.', ')', '(', ':', '"']);
        let digits = bare.chars().filter(char::is_ascii_digit).count();
        let time = digits >= 4 && bare.chars().all(|c| c.is_ascii_digit() || "-:TZ+.".contains(c));
        if let Some((before, _id)) = word.split_once("/d/") {
            return format!("{}/d/ID", without_port(before));
        }
        if let Some(at) = word.find("W-").filter(|at| word[at + 2..].len() >= 6) {
            return format!("{}W-ID", &word[..at]);
        }
        if time { word.replace(bare, "TIME") } else { without_port(word) }
    };
    text.split_whitespace().map(word).collect::<Vec<_>>().join(" ")
}

fn without_port(word: &str) -> String {
    let Some(at) = word.find("127.0.0.1:") else { return word.to_owned() };
    let (before, behind) = word.split_at(at + "127.0.0.1:".len());
    format!("{before}PORT{}", behind.trim_start_matches(|c: char| c.is_ascii_digit()))
}

#[test]
fn every_session_runs_as_it_stands_on_its_page() {
    let (mut sessions, mut left_out) = (Vec::new(), Vec::new());
    for (page, text) in pages() {
        let found = blocks(&text);
        let mut scripts = found.iter().filter(|block| block.info == "sh").peekable();
        // `cargo xtask readme` runs the README's: it builds, and it needs real registries.
        if page == "README.md" || scripts.peek().is_none() {
            continue;
        }
        let clients = [("npm", tools::npm as fn() -> Option<tools::Tool>), ("python3", tools::python)];
        let needs =
            |client: &str| found.iter().any(|block| block.info == "sh" && block.text.contains(client));
        // The tool says so itself where it is missing.
        if clients.iter().any(|(client, find)| needs(client) && find().is_none()) {
            left_out.push(page);
            continue;
        }
        let mut session = Session::new();
        session.play(&page, &text);
        sessions.push(page);
    }
    assert!(sessions.len() + left_out.len() >= 3, "sessions: {sessions:?}");
}

/// The README shows what npm prints for a version that is held.
#[test]
fn npm_prints_a_refusal_as_the_readme_shows_it() {
    if tools::npm().is_none() {
        return;
    }
    let page = std::fs::read_to_string(root().join("README.md")).unwrap();
    let shown = blocks(&page)
        .into_iter()
        .find(|block| block.info == "text from npm_prints_a_refusal_as_the_readme_shows_it")
        .unwrap();
    let session = Session::new();
    let done = session.shell("tidegate run -- npm install left-pad@1.3.1").run();
    let (expected, found) = (general(shown.text), general(&done.stderr));
    assert!(found.contains(&expected), "expected\n{expected}\n--- found\n{found}");
}
