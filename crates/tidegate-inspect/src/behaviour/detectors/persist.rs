//! The package makes something start by itself: with the shell, the session, the machine or a clock.
//!
//! What starts by itself stays when the package is removed. Programs that offer this do it when they are asked.
//!
//! **What to do:** look at the place that it names, and remove what you did not put there. **Limits:** on demand it is told as info.
//! **Example:** a postinstall that appends to `~/.bashrc`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/persist",
    catalogue: "PERSIST",
    title: "makes itself start unasked",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    settings(package, findings);
    for (code, fact) in package.facts(&[What::FileWrite, What::RegistryWrite, What::Exec, What::ExecDetached])
    {
        let words = words::classes(&fact.detail);
        let writes = matches!(fact.what, What::FileWrite | What::RegistryWrite);
        let registers = match fact.what {
            What::FileWrite => words.has(Class::Autorun),
            What::RegistryWrite => {
                words.has(Class::Autorun) || fact.detail.to_ascii_lowercase().contains("winlogon")
            }
            _ => words.has(Class::AutorunCommand) && is_register(&fact.detail),
        };
        if !registers {
            continue;
        }
        // What is written stands in the statement that writes it.
        let fetches = || {
            code.facts.facts.iter().any(|other| {
                matches!(other.what, What::Text | What::Exec | What::ExecDetached)
                    && other.line.abs_diff(fact.line) <= NEAR
                    && fetches_and_runs(&other.detail)
            })
        };
        let grade = match code.stage(fact) {
            // Tools register what they are asked to; they do not register a shell that fetches its orders.
            Stage::Call | Stage::Import if fetches() => (High, Likely),
            Stage::Install | Stage::Startup if writes => (Critical, Sure),
            Stage::Install | Stage::Startup => (Critical, Likely),
            // Programs that set up completion do it when they are started.
            Stage::Import if code.reach.is_program => (Low, Likely),
            Stage::Import if fact.scope == Scope::Load => (Critical, Likely),
            Stage::Import => (Low, Likely),
            _ => (Info, Likely),
        };
        findings.tell(code, fact, grade, &format!("makes something start by itself {}", when(code, fact)));
    }
}

/// Lines between a path that is written and what is written there.
const NEAR: u32 = 6;

/// Whether a line fetches something and hands it to a shell or an interpreter.
fn fetches_and_runs(line: &str) -> bool {
    let plain = line.to_ascii_lowercase().replace("| ", "|");
    words::has(line, Class::Download)
        && ["|sh", "|bash", "|python", "|sudo", "|zsh", "iex", "$(curl", "<(curl", "|perl", "|node"]
            .iter()
            .any(|end| plain.contains(end))
}

/// Settings outside the package that decide where packages come from or what git and build tools run are changed.
fn settings(package: &Package, findings: &mut Findings) {
    for (code, fact) in package.facts(&[What::FileWrite, What::Exec, What::ExecDetached]) {
        let is_setting = match fact.what {
            What::FileWrite => is_settings_file(&fact.detail),
            _ => sets(&fact.detail),
        };
        if !is_setting {
            continue;
        }
        let grade = match code.stage(fact) {
            Stage::Install | Stage::Startup => (Critical, Likely),
            Stage::Import if fact.scope == Scope::Load && !code.reach.is_program => (High, Likely),
            _ => (Info, Likely),
        };
        let message =
            format!("changes where packages come from or what git and build tools run {}", when(code, fact));
        findings.tell(code, fact, grade, &message);
    }
}

/// Whether a file of the user or the machine holds such settings.
fn is_settings_file(path: &str) -> bool {
    const FILES: &[&str] = &[
        "/.cargo/config",
        "/.cargo/config.toml",
        "/.cargo/env",
        "/.npmrc",
        "/.yarnrc",
        "/.yarnrc.yml",
        "/pip.conf",
        "/pip.ini",
        "/.pydistutils.cfg",
        "/uv/uv.toml",
        "/.m2/settings.xml",
        "/.gitconfig",
        "/git/config",
        "/etc/gitconfig",
        "/.condarc",
        "/.gradle/init.gradle",
        "/.rustup/settings.toml",
    ];
    let path = path.to_ascii_lowercase();
    let is_outside = path.starts_with(['~', '/']) || path.starts_with("%appdata%");
    is_outside && !path.starts_with("/tmp") && FILES.iter().any(|file| path.ends_with(file))
}

/// Whether a command changes such a setting for all projects.
fn sets(line: &str) -> bool {
    let line = line.to_ascii_lowercase();
    let of_git = line.contains("git config")
        && ["--global", "--system"].iter().any(|flag| line.contains(flag))
        && [
            "core.hookspath",
            "core.fsmonitor",
            "core.sshcommand",
            "init.templatedir",
            "insteadof",
            "core.pager",
            "credential.helper",
            "alias.",
            "include.path",
            "core.editor",
        ]
        .iter()
        .any(|key| line.contains(key));
    let of_manager = line.contains("config set")
        && ["npm ", "pip ", "pip3 ", "yarn ", "pnpm "].iter().any(|tool| line.contains(tool))
        && ["registry", "index-url", "index_url", "script-shell", "proxy", "trusted-host", "extra-index"]
            .iter()
            .any(|key| line.contains(key))
        && line.contains("://");
    of_git || of_manager
}

/// Whether the command adds something rather than listing it.
fn is_register(detail: &str) -> bool {
    let detail = detail.to_ascii_lowercase();
    let lists = ["crontab -l", "/query", "reg query", "/delete", "crontab -r"]
        .iter()
        .any(|word| detail.contains(word));
    let adds = [
        "crontab -",
        "crontab /",
        "crontab *",
        "| crontab",
        "/create",
        "register-scheduledtask",
        "launchctl load",
        "launchctl bootstrap",
        "enable",
        "currentversion/run",
        "currentversion\\run",
        "new-service",
        "sc create",
    ];
    adds.iter().any(|word| detail.contains(word))
        && (!lists || detail.contains("| crontab") || detail.contains("/create"))
}
