//! Messages from the network become commands.
//!
//! Whoever sends them runs programs on the machine, for as long as the code runs.
//!
//! **What to do:** do not run it. **Limits:** servers for terminals and developers do this for their own clients, on demand; with no address in the code that is told as
//! low. **Example:** `ws.on('message', m => exec(m.toString()))`.

use super::common::*;

pub(super) const DETECTOR: Detector = Detector {
    id: "behaviour/c2-channel",
    catalogue: "C2-CHANNEL",
    title: "runs commands that somebody sends",
    severity: Critical,
    ecosystems: &[],
    run,
};

fn run(package: &Package, findings: &mut Findings) {
    for (code, from, to, _) in package.flows() {
        let commands = matches!(to.what, What::Exec | What::ExecDetached)
            || to.what == What::Eval && from.what == What::ChannelReceive;
        let is_channel =
            from.what == What::ChannelReceive || from.what == What::NetReceive && !is_install(code, to);
        if !commands || !is_channel || code.language == Some(Language::Shell) {
            continue;
        }
        // A program that is fetched when it is wanted, and known by its digest, is no order.
        if code.checks_digest && from.what == What::NetReceive && !early(code, to) {
            continue;
        }
        let abroad = foreign(&from.detail).is_some();
        let sends_back = code
            .facts
            .flowing()
            .any(|(source, sink, _)| source.what == What::ExecOutput && sink.what == What::NetSend);
        // What a program asks for when somebody starts it is not a channel.
        let is_early =
            early(code, to) && !(code.reach.is_program && from.what == What::NetReceive && !abroad);
        let is_far = is_far(from, to);
        let grade = match (is_early, abroad, from.what == What::ChannelReceive) {
            (true, true, _) if is_far && code.reach.is_program => (Medium, Likely),
            (true, true, _) => (Critical, Sure),
            // Through several files the order is a part of something larger, as often as it is all of it.
            (true, false, _) if is_far => (Medium, Likely),
            (true, false, true) if is_argument(&to.detail) => (Low, Likely),
            (true, false, true) => (Critical, Likely),
            (true, false, false) if is_install(code, to) => (High, Likely),
            (true, false, false) => (Medium, Likely),
            // An answer that is an argument of a fixed program is not a command, nor is a program that was fetched to its place.
            (false, true, false)
                if !to.detail.trim_start().starts_with('*') || to.detail.starts_with("*/") =>
            {
                (Low, Likely)
            }
            (false, true, _) if is_far => (Low, Likely),
            (false, true, _) => (High, Likely),
            (false, false, _) if sends_back => (Medium, Likely),
            _ => (Low, Hint),
        };
        findings.tell(
            code,
            to,
            grade,
            &format!("runs what {} sends as a command {}", host(&from.detail), when(code, to)),
        );
    }
}

/// Whether what comes is an argument of a program that is named, and that program runs no text.
pub(crate) fn is_argument(command: &str) -> bool {
    const RUN_TEXT: &[&str] = &[
        "sh",
        "bash",
        "zsh",
        "dash",
        "cmd",
        "powershell",
        "pwsh",
        "node",
        "python",
        "python3",
        "perl",
        "ruby",
        "php",
        "osascript",
        "env",
        "sudo",
        "nohup",
        "xargs",
    ];
    let program = command.split_whitespace().next().unwrap_or_default();
    let name = program.rsplit(['/', '\\']).next().unwrap_or_default().trim_end_matches(".exe");
    // Where packages lie is found while it runs; which file of which package it is stands there.
    let is_named = !program.contains('*') || program.contains("/node_modules/") && !name.contains('*');
    is_named && !program.is_empty() && !RUN_TEXT.contains(&name)
}
