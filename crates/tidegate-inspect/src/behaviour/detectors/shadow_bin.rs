//! A package installs a command under the name of a common one.
//!
//! Scripts of a project find commands of its packages first, so `git` or `node` becomes this package's program.
//!
//! **What to do:** see what the command does. **Limits:** packages that bring the program itself have it in their name. Programs of a Rust library are told as
//! low: who depends on it never gets them, and libraries keep small ones for their tests.
//! **Example:** `"bin": {"git": "cli.js"}`.

use super::common::*;
use crate::behaviour::manifest::Program;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/shadow-bin",
    catalogue: "SHADOW-BIN",
    title: "installs a command under a common name",
    severity: High,
    ecosystems: &[],
    run,
};

const COMMANDS: &[&str] = &[
    "node",
    "npm",
    "npx",
    "git",
    "sudo",
    "python",
    "python3",
    "pip",
    "pip3",
    "ssh",
    "scp",
    "curl",
    "wget",
    "bash",
    "sh",
    "zsh",
    "ls",
    "cat",
    "rm",
    "cp",
    "mv",
    "grep",
    "find",
    "sed",
    "awk",
    "tar",
    "cargo",
    "rustc",
    "docker",
    "kubectl",
    "aws",
    "gcloud",
    "az",
    "gh",
    "make",
    "gcc",
    "cc",
    "env",
    "which",
    "chmod",
    "ps",
    "kill",
    "su",
    "openssl",
    "gpg",
    "terraform",
    "go",
    "java",
    "powershell",
    "cmd",
];

fn run(package: &Package, findings: &mut Findings) {
    let Some(manifest) = &package.manifest else { return };
    let name = manifest.name.clone().unwrap_or_default().to_ascii_lowercase();
    let scripts = package.files.iter().filter_map(|file| {
        let (_, name) = file.path.split_once(".data/scripts/")?;
        Some(Program { name: name.to_owned(), target: file.path.clone() })
    });
    let scripts: Vec<Program> = scripts.collect();
    let is_rust_library = manifest.path.ends_with("Cargo.toml")
        && manifest.entries.iter().any(|entry| package.files.iter().any(|file| file.path == *entry));
    let grade = if is_rust_library { (Low, Likely) } else { (High, Likely) };
    for program in manifest.programs.iter().chain(&scripts) {
        let command = program.name.as_str();
        let says_so = name.split(['/', '-', '_', '@', '.']).any(|part| {
            part == command
                || part.starts_with(command) && command.len() >= 3
                || command.starts_with(part) && part.len() >= 3
        });
        let is_runtime = matches!(command, "npm" | "npx") && (name.contains("node") || name == "npm")
            || matches!(command, "pip" | "pip3") && name.contains("python");
        let between = COMMANDS.contains(&command).then(|| stands_between(package, program)).flatten();
        if let Some((code, fact)) = between {
            let message =
                format!("stands before the real `{command}` and sends something to {}", host(&fact.detail));
            findings.tell(code, fact, (High, Sure), &message);
        }
        if COMMANDS.contains(&command) && !says_so && !is_runtime {
            let message =
                format!("installs a command called `{command}`, which every shell knows as another program");
            findings.tell_at(&manifest.path, None, Stage::Install, grade, &message, &program.target);
        }
    }
}

/// Where a command hands on to the program of its own name and sends something to a host that is written in the code.
fn stands_between<'a>(package: &'a Package, program: &Program) -> Option<(&'a Code, &'a Fact)> {
    let target = program.target.trim_start_matches("./");
    let code = package.code.iter().find(|code| !target.is_empty() && code.path == target)?;
    let calls = code.facts.facts.iter().any(|fact| {
        let first = fact.detail.split_whitespace().next().unwrap_or_default();
        matches!(fact.what, What::Exec | What::ExecDetached)
            && first.starts_with('/')
            && first.rsplit('/').next() == Some(program.name.as_str())
    });
    let send = of_file(code, What::NetSend).find(|fact| foreign(&fact.detail).is_some())?;
    calls.then_some((code, send))
}
