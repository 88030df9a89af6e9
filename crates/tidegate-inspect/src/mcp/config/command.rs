//! Command lines that a client, an editor or an assistant starts: what they do, as the reader of shells sees it.

use super::super::remark::{Told, What};
use super::super::words::{self, Signal};
use crate::behaviour::detectors::sense::is_private_source;
use crate::behaviour::facts::{FileFacts, Language, What as Does};
use crate::behaviour::languages;
use crate::behaviour::words::{self as classes, Class};

/// Reads a command line; `when` says when it is started.
pub(super) fn read(subject: &str, words: &[String], when: &'static str, told: &mut Told) {
    line(subject, &joined(words), when, told);
}

/// The line that a shell would be given for these words.
pub(super) fn joined(words: &[String]) -> String {
    let quoted = words.iter().map(|word| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@,+%~".contains(c);
        if !word.is_empty() && word.chars().all(is_plain) {
            word.clone()
        } else {
            format!("'{}'", word.replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Reads a command line as it stands.
pub(crate) fn line(subject: &str, line: &str, when: &'static str, told: &mut Told) {
    let lower = line.to_ascii_lowercase();
    let windows =
        ["powershell", "pwsh", "cmd.exe", "cmd /c", "iex", "mshta", "certutil", "bitsadmin", "rundll32"];
    let mut languages = vec![Language::Shell];
    if windows.iter().any(|word| lower.contains(word)) {
        languages.push(Language::Windows);
    }
    let mut runs = words::signals(&words::plain(line)).has(Signal::Download)
        || classes::has(line, Class::ReverseShell)
        || lower.contains("mshta http")
        || lower.contains("-encodedcommand")
        || lower.contains("powershell") && lower.contains(" -enc ");
    let mut leaves = false;
    for language in languages {
        let Some(facts) = languages::read(language, line.as_bytes(), "", 0) else { continue };
        runs |= runs_what_comes(&facts);
        leaves |= sends_what_is_private(&facts);
    }
    if runs {
        told.add(What::StartsDownload(when), subject, line);
    }
    if leaves {
        told.add(What::StartsExfiltration(when), subject, line);
    }
    const PLACES: &[&str] =
        &["/tmp/", "/var/tmp/", "/dev/shm/", "%temp%", "\\temp\\", "/.cache/", "/users/public/"];
    let program = lower.split_whitespace().next().unwrap_or_default().trim_matches(['\'', '"']);
    if !runs && PLACES.iter().any(|place| program.contains(place)) {
        told.add(What::StartsByItself("a program of a folder in which anybody can put one"), subject, line);
    }
}

/// Whether what the network answers, or what was encoded, is run.
fn runs_what_comes(facts: &FileFacts) -> bool {
    let comes =
        |what| matches!(what, Does::NetReceive | Does::ChannelReceive | Does::DnsReceive | Does::Decode);
    let runs = |what| {
        matches!(
            what,
            Does::Eval
                | Does::Exec
                | Does::ExecDetached
                | Does::LibraryLoad
                | Does::DynamicImport
                | Does::MakeExecutable
        )
    };
    facts.flowing().any(|(from, to, _)| comes(from.what) && runs(to.what))
        || facts.facts.iter().any(|fact| fact.what == Does::SocketToProcess)
}

fn sends_what_is_private(facts: &FileFacts) -> bool {
    facts
        .flowing()
        .any(|(from, to, _)| is_private_source(from) && matches!(to.what, Does::NetSend | Does::DnsQuery))
}
