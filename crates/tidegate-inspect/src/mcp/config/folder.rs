//! Files of a folder that an editor or an assistant obeys when the folder is opened: tasks, settings, hooks, containers.

use serde_json::{Map, Value};

use super::super::remark::{Told, What};
use super::{ENTRIES, command, environment};
use crate::behaviour::words::Address;

/// Depth of hooks within hooks.
const DEPTH: u32 = 6;

/// Reads a document that is one of these files by its place or its form; tells whether it was.
pub(super) fn read(document: &Value, path: &str, told: &mut Told) -> bool {
    let Some(whole) = document.as_object() else { return false };
    let name = path.rsplit('/').next().unwrap_or_default();
    let within = |folder: &str| path.split('/').rev().nth(1) == Some(folder);
    let mut read = false;
    if whole.get("tasks").is_some_and(Value::is_array)
        && (name == "tasks.json" || name.ends_with(".code-workspace"))
    {
        tasks(whole, told);
        read = true;
    }
    if let Some(inner) =
        whole.get("tasks").and_then(Value::as_object).filter(|_| name.ends_with(".code-workspace"))
    {
        tasks(inner, told);
        read = true;
    }
    if name == "settings.json"
        && (within(".vscode")
            || within("User")
            || whole.keys().any(|key| key.starts_with("editor.") || key.starts_with("chat.")))
    {
        settings(whole, told);
        read = true;
    }
    if let Some(inner) =
        whole.get("settings").and_then(Value::as_object).filter(|_| name.ends_with(".code-workspace"))
    {
        settings(inner, told);
        read = true;
    }
    if name.starts_with("devcontainer") || name == ".devcontainer.json" {
        container(whole, told);
        read = true;
    }
    let is_assistant =
        path.split('/').any(|part| matches!(part, ".claude" | ".gemini" | ".cursor" | ".codex" | ".kiro"));
    if is_assistant || whole.contains_key("permissions") && whole.contains_key("hooks") {
        assistant(whole, told);
        read = true;
    }
    read
}

/// Tasks that an editor runs.
fn tasks(whole: &Map<String, Value>, told: &mut Told) {
    for task in whole.get("tasks").and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
        let label =
            task.get("label").or_else(|| task.get("taskName")).and_then(Value::as_str).unwrap_or("a task");
        let opens = task.pointer("/runOptions/runOn").and_then(Value::as_str) == Some("folderOpen");
        let mut found = Told::default();
        let when = if opens { "when the folder is opened" } else { "when the task is run" };
        for part in
            [Some(task), task.get("linux"), task.get("osx"), task.get("windows")].into_iter().flatten()
        {
            let line = task_line(part);
            if !line.is_empty() {
                command::line(label, &line, when, &mut found);
                if opens {
                    let hides = matches!(
                        task.pointer("/presentation/reveal").and_then(Value::as_str),
                        Some("never" | "silent")
                    );
                    let what = if hides {
                        "a task that shows nothing, when the folder is opened"
                    } else {
                        "a task, when the folder is opened"
                    };
                    found.add(What::StartsByItself(what), label, line);
                }
            }
            if let Some(env) = part.pointer("/options/env").and_then(Value::as_object) {
                environment::read(label, env, &mut found);
            }
        }
        found.remarks.into_iter().for_each(|remark| told.add(remark.what, &remark.subject, remark.evidence));
    }
}

fn task_line(task: &Value) -> String {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Object(quoted) => quoted.get("value").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    };
    let command = task.get("command").and_then(word).unwrap_or_default();
    let args: Vec<String> = task
        .get("args")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .take(ENTRIES)
        .filter_map(word)
        .collect();
    if args.is_empty() { command } else { format!("{command} {}", command::joined(&args)) }
}

/// Settings of an editor that take a protection away, or name a program of the folder.
fn settings(whole: &Map<String, Value>, told: &mut Told) {
    for (key, value) in whole.iter().take(ENTRIES) {
        if let Some(harm) = weak(key, value) {
            told.add(What::WeakSetting(key.clone(), harm), "", format!("{key}: {value}"));
        }
        if key.starts_with("terminal.integrated.env.")
            && let Some(env) = value.as_object()
        {
            environment::read(key, env, told);
        }
        // Settings of assistants hold their environment as a list.
        if key.to_ascii_lowercase().ends_with("environmentvariables") {
            let text = |pair: &Value, key: &str| pair.get(key).and_then(Value::as_str).map(str::to_owned);
            let pairs = value.as_array().into_iter().flatten().take(ENTRIES);
            let list =
                pairs.filter_map(|pair| Some((text(pair, "name")?, text(pair, "value")?.into()))).collect();
            environment::read(key, &list, told);
        }
        if key.contains("terminal.integrated.profiles") || key.contains("automationProfile") {
            profiles(key, value, 0, told);
        }
    }
}

/// Shells that a terminal starts.
fn profiles(key: &str, value: &Value, depth: u32, told: &mut Told) {
    let Some(members) = value.as_object().filter(|_| depth < DEPTH) else { return };
    if let Some(path) = members.get("path").and_then(Value::as_str) {
        let args =
            members.get("args").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        let words: Vec<String> = std::iter::once(path).chain(args).take(ENTRIES).map(str::to_owned).collect();
        command::read(key, &words, "when a terminal is opened", told);
        if path.contains("${workspaceFolder}") || path.starts_with("./") {
            told.add(What::WeakSetting(key.to_owned(), false), "", path);
        }
    }
    members.values().take(ENTRIES).for_each(|value| profiles(key, value, depth + 1, told));
}

/// Whether a setting weakens its editor; true where nothing else explains it in a folder that somebody else made.
pub(crate) fn weak(key: &str, value: &Value) -> Option<bool> {
    let is = |wanted: bool| value.as_bool() == Some(wanted);
    let text = value.as_str().unwrap_or_default();
    match key {
        "security.workspace.trust.enabled"
        | "security.workspace.trust.banner"
        | "extensions.verifySignature"
            if is(false) =>
        {
            Some(true)
        }
        "security.workspace.trust.untrustedFiles" if text == "open" => Some(true),
        "chat.tools.autoApprove"
        | "chat.tools.global.autoApprove"
        | "github.copilot.chat.agent.autoApprove"
            if is(true) =>
        {
            Some(true)
        }
        "chat.tools.terminal.autoApprove"
        | "chat.tools.edits.autoApprove"
        | "chat.tools.urls.autoApprove" => {
            let all = value.as_object().is_some_and(|rules| {
                rules.iter().any(|(rule, value)| {
                    matches!(rule.as_str(), "/.*/" | "*" | "**/*" | "/^.*$/" | "/.+/" | "/./")
                        && value != &Value::Bool(false)
                })
            });
            (all || is(true)).then_some(true)
        }
        "task.allowAutomaticTasks" if text == "on" => Some(false),
        "http.proxyStrictSSL" if is(false) => Some(true),
        "http.proxy" => Address::of(text)
            .is_some_and(|address| address.is_constant() && !address.is_local())
            .then_some(false),
        "git.path"
        | "python.defaultInterpreterPath"
        | "python.pythonPath"
        | "npm.packageManager"
        | "php.validate.executablePath"
        | "rust-analyzer.server.path"
        | "eslint.runtime"
        | "typescript.npm"
            if text.contains("${workspaceFolder}") && !text.contains("venv")
                || text.starts_with("./") && !text.contains("venv") =>
        {
            Some(false)
        }
        _ => None,
    }
}

/// Commands of a development container; one of them runs outside of it.
fn container(whole: &Map<String, Value>, told: &mut Told) {
    for (key, when) in [
        ("initializeCommand", "on the host, when the folder is opened in a container"),
        ("onCreateCommand", "when the container is made"),
        ("updateContentCommand", "when the container is made"),
        ("postCreateCommand", "when the container is made"),
        ("postStartCommand", "when the container starts"),
        ("postAttachCommand", "when an editor attaches to the container"),
    ] {
        let Some(value) = whole.get(key) else { continue };
        for line in lines(value, 0) {
            // Within the container it is what a container is made for, and nothing that the host has not.
            if key == "initializeCommand" {
                command::line(key, &line, when, told);
                told.add(
                    What::StartsByItself("a command on the host, when the folder is opened in a container"),
                    key,
                    line,
                );
            } else {
                let mut found = Told::default();
                command::line(key, &line, when, &mut found);
                let leaves = found
                    .remarks
                    .into_iter()
                    .filter(|remark| matches!(remark.what, What::StartsExfiltration(_)));
                leaves.for_each(|remark| told.add(remark.what, key, remark.evidence));
            }
        }
    }
    let args = whole.get("runArgs").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    if args.into_iter().any(|arg| arg == "--privileged")
        || whole.get("privileged") == Some(&Value::Bool(true))
    {
        told.add(What::WideContainer("all rights over the host"), "runArgs", "--privileged");
    }
}

/// Command lines in any of the forms in which they stand.
fn lines(value: &Value, depth: u32) -> Vec<String> {
    match value {
        Value::String(line) => vec![line.clone()],
        Value::Array(words) => {
            vec![command::joined(
                &words.iter().take(ENTRIES).filter_map(Value::as_str).map(str::to_owned).collect::<Vec<_>>(),
            )]
        }
        Value::Object(named) if depth < DEPTH => {
            named.values().take(ENTRIES).flat_map(|value| lines(value, depth + 1)).collect()
        }
        _ => Vec::new(),
    }
}

/// Settings of an assistant: hooks, helpers, what it may do unasked.
fn assistant(whole: &Map<String, Value>, told: &mut Told) {
    if let Some(hooks) = whole.get("hooks") {
        commands(hooks, "hooks", 0, told);
    }
    for key in ["apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper"] {
        if let Some(line) = whole.get(key).and_then(Value::as_str) {
            command::line(key, line, "when the assistant starts", told);
        }
    }
    if let Some(status) = whole.get("statusLine") {
        commands(status, "statusLine", 0, told);
    }
    if let Some(env) = whole.get("env").and_then(Value::as_object) {
        environment::read("env", env, told);
    }
    for key in [
        "enableAllProjectMcpServers",
        "dangerouslySkipPermissions",
        "bypassPermissions",
        "autoAccept",
        "yolo",
    ] {
        if whole.get(key) == Some(&Value::Bool(true)) {
            told.add(What::AutoApprove(key.to_owned()), "", key);
        }
    }
    let Some(permissions) = whole.get("permissions") else { return };
    if permissions.get("defaultMode").and_then(Value::as_str) == Some("bypassPermissions") {
        told.add(What::AutoApprove("permissions.defaultMode".to_owned()), "", "bypassPermissions");
    }
    for rule in permissions.get("allow").and_then(Value::as_array).into_iter().flatten().take(ENTRIES) {
        if let Some(rule) = rule
            .as_str()
            .filter(|rule| matches!(*rule, "*" | "Bash" | "Bash(*)" | "Bash(*:*)" | "Shell(*)" | "mcp__*"))
        {
            told.add(What::AutoApprove("permissions.allow".to_owned()), "", rule);
        }
    }
}

/// Commands of hooks, however deep they stand.
fn commands(value: &Value, event: &str, depth: u32, told: &mut Told) {
    if depth > DEPTH {
        return;
    }
    match value {
        Value::Array(list) => {
            list.iter().take(ENTRIES).for_each(|value| commands(value, event, depth + 1, told))
        }
        Value::Object(members) => {
            for (key, value) in members.iter().take(ENTRIES) {
                match value {
                    Value::String(line) if matches!(key.as_str(), "command" | "bash" | "powershell") => {
                        command::line(event, line, "when the assistant works in the folder", told);
                    }
                    Value::String(_) => {}
                    value => commands(value, if depth == 0 { key } else { event }, depth + 1, told),
                }
            }
        }
        _ => {}
    }
}
