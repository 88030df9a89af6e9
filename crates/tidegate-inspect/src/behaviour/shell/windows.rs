//! PowerShell and batch files, statement by statement.

use super::super::facts::What;
use super::super::words::{self, Class};
use super::commands::joined;
use super::split::Word;
use super::{NESTED, Reader, Sources, merge, path_of};

/// Statements that are read.
const STATEMENTS: usize = 5_000;

/// Whether a text without a telling name is one for Windows.
pub(super) fn is_windows(text: &str) -> bool {
    let start = text[..text.floor_char_boundary(200)].to_ascii_lowercase();
    start.starts_with("@echo off") || start.starts_with("param(") || start.contains("$erroractionpreference")
}

/// Words by which PowerShell fetches.
const FETCHES: &[&str] = &[
    "invoke-webrequest",
    "iwr ",
    "irm ",
    "invoke-restmethod",
    "downloadstring",
    "downloadfile",
    "downloaddata",
    "start-bitstransfer",
    "bitsadmin",
    "certutil -urlcache",
    "curl ",
    "wget ",
    "getstringasync",
    "openread(",
];

/// Words by which PowerShell runs text.
const EVALS: &[&str] = &[
    "iex ",
    "iex(",
    "|iex",
    "| iex",
    "invoke-expression",
    "[scriptblock]::create",
    "reflection.assembly]::load",
    ".invokecommand.invokescript",
    "invoke-command",
];

impl Reader {
    /// `powershell` with its arguments.
    pub(super) fn powershell(&mut self, arguments: &[Word], line: u32, sources: &[u32]) -> Sources {
        let lower: Vec<String> = arguments.iter().map(|w| w.text.to_ascii_lowercase()).collect();
        let after = |at: usize| arguments.get(at + 1..).unwrap_or_default();
        if lower.iter().any(|word| word.contains("get-clipboard")) {
            self.add(What::ClipboardRead, "powershell Get-Clipboard", line);
        }
        if lower.iter().any(|word| word.contains("set-clipboard")) {
            self.sink(What::ClipboardWrite, "powershell Set-Clipboard", line, sources);
        }
        if lower
            .iter()
            .zip(lower.iter().skip(1))
            .any(|(flag, value)| flag.starts_with("-w") && value == "hidden")
        {
            self.add(What::ExecDetached, "powershell -w hidden", line);
        }
        // `-e`, `-enc`, `-EncodedCommand` and what lies between.
        let encoded = lower.iter().position(|w| {
            w.len() >= 2 && (w.starts_with("-e") && "-encodedcommand".starts_with(w.as_str()) || w == "-ec")
        });
        if let Some(at) = encoded {
            let decoded = self.add(What::Decode, "base64", line);
            self.sink(What::Eval, "powershell -EncodedCommand", line, &decoded);
            let text = after(at).first().and_then(|word| utf16_base64(&word.text));
            if let Some(text) = text.filter(|_| self.depth < NESTED) {
                self.depth += 1;
                self.windows(&text);
                self.depth -= 1;
            }
            return Sources::new();
        }
        if let Some(at) = lower.iter().position(|w| w == "-file" || w == "-f") {
            if let Some(file) = after(at).first() {
                self.runs(&path_of(&file.text));
            }
            return Sources::new();
        }
        let code = lower
            .iter()
            .position(|w| matches!(w.as_str(), "-c" | "-command" | "-com"))
            .map_or_else(|| joined(arguments), |at| joined(after(at)));
        if self.depth < NESTED {
            self.depth += 1;
            self.windows(&code);
            self.depth -= 1;
        }
        sources.to_vec()
    }

    /// Statements of a script.
    pub(super) fn windows(&mut self, text: &str) {
        for (number, line) in text.lines().enumerate() {
            let line_number = u32::try_from(number + 1).unwrap_or(u32::MAX);
            for statement in line.split([';', '&']).filter(|s| !s.trim().is_empty()) {
                if self.facts.facts.len() > STATEMENTS {
                    return;
                }
                self.statement(statement.trim(), line_number);
            }
        }
    }

    fn statement(&mut self, statement: &str, line: u32) {
        let lower = statement.to_ascii_lowercase();
        if lower.starts_with("rem ")
            || lower.starts_with("::")
            || lower.starts_with('#')
            || lower.starts_with("echo ")
        {
            return;
        }
        let mut sources = self.named(statement, line);
        if FETCHES.iter().any(|word| lower.contains(word)) {
            self.fetch(statement, &lower, line, &mut sources);
        }
        if lower.contains("env:")
            && ["gci ", "get-childitem", "dir ", "ls "].iter().any(|word| lower.contains(word))
        {
            let all = self.add(What::EnvAll, "env:", line);
            merge(&mut sources, &all);
        }
        for word in ["frombase64string", "gzipstream", "certutil -decode"] {
            if lower.contains(word) {
                let decoder = if word == "gzipstream" { "zlib" } else { "base64" };
                let decoded = self.sink(What::Decode, decoder, line, &sources);
                merge(&mut sources, &decoded);
            }
        }
        if EVALS.iter().any(|word| lower.contains(word)) {
            self.sink(What::Eval, "Invoke-Expression", line, &sources);
        }
        if ["-method post", "uploadstring", "uploadfile", "uploaddata", "-body ", "-infile", "postasync"]
            .iter()
            .any(|word| lower.contains(word))
        {
            let url = address(statement);
            self.sink(What::NetSend, &url, line, &sources);
        }
        if lower.contains("net.sockets.tcpclient") {
            self.add(What::ChannelReceive, &address(statement), line);
            if EVALS.iter().any(|word| lower.contains(word)) {
                self.add(What::SocketToProcess, "TCPClient", line);
            }
        }
        if lower.starts_with("reg add")
            || lower.contains("set-itemproperty")
            || lower.contains("new-itemproperty")
        {
            self.add(What::RegistryWrite, &statement.replace('\\', "/"), line);
        }
        if lower.contains("remove-item")
            || lower.starts_with("del ")
            || lower.starts_with("rd ")
            || lower.starts_with("rmdir ")
        {
            let path = statement
                .split_whitespace()
                .skip(1)
                .find(|w| !w.starts_with(['-', '/']))
                .map(path_of)
                .unwrap_or_default();
            self.add(What::FileDelete, &path, line);
        }
        if words::has(&lower, Class::Autorun)
            && ["copy ", "set-content", "add-content", "out-file", ">"]
                .iter()
                .any(|word| lower.contains(word))
        {
            self.add(What::FileWrite, &path_of(statement), line);
        }
        let detached = lower.contains("-windowstyle hidden")
            || lower.contains("-w hidden")
            || lower.starts_with("start /b");
        self.sink(if detached { What::ExecDetached } else { What::Exec }, statement, line, &[]);
        self.assign(statement, &sources);
        self.start(statement, &lower, line);
    }

    /// `$x = …` keeps what the statement gives.
    fn assign(&mut self, statement: &str, sources: &[u32]) {
        let target = statement.strip_prefix('$').or_else(|| statement.strip_prefix("set "));
        if let Some((name, _)) =
            target.and_then(|rest| rest.split_once('=')).filter(|_| self.variables.len() < super::REMEMBERED)
        {
            let entry = self.variables.entry(name.trim().to_ascii_lowercase()).or_default();
            merge(entry, sources);
        }
    }

    /// Sources of the variables that a statement names.
    fn named(&mut self, statement: &str, line: u32) -> Sources {
        let mut sources = Sources::new();
        for (at, mark) in statement.match_indices(['$', '%']).take(100) {
            let rest = &statement[at + mark.len()..];
            let rest = rest.strip_prefix('{').unwrap_or(rest);
            let (rest, is_env) = match rest.get(..4).filter(|start| start.eq_ignore_ascii_case("env:")) {
                Some(_) => (&rest[4..], true),
                None => (rest, mark == "%"),
            };
            let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).unwrap_or(rest.len());
            let name = &rest[..end];
            if let Some(known) = self.variables.get(&name.to_ascii_lowercase()) {
                let known = known.clone();
                merge(&mut sources, &known);
            } else if is_env && words::is_secret_variable(name) {
                let read = self.add(What::EnvRead, name, line);
                merge(&mut sources, &read);
            } else if is_env
                && matches!(name.to_ascii_uppercase().as_str(), "COMPUTERNAME" | "USERNAME" | "USERDOMAIN")
            {
                let read = self.add(What::HostIdentity, name, line);
                merge(&mut sources, &read);
            }
        }
        sources
    }

    fn fetch(&mut self, statement: &str, lower: &str, line: u32, sources: &mut Sources) {
        let url = address(statement);
        if !sources.is_empty() {
            self.sink(What::NetSend, &url, line, sources);
        }
        let received = self.add(What::NetReceive, &url, line);
        let words: Vec<&str> = statement.split([' ', ',', '(', ')']).filter(|w| !w.is_empty()).collect();
        let by_flag = words.iter().zip(words.iter().skip(1)).find(|(flag, _)| {
            matches!(flag.to_ascii_lowercase().as_str(), "-outfile" | "-o" | "-out" | "-destination" | "-of")
        });
        let file = by_flag.map(|(_, file)| *file).or_else(|| {
            let is_file = ["downloadfile", "bitsadmin", "certutil"].iter().any(|word| lower.contains(word));
            is_file.then(|| words.last().copied()).flatten()
        });
        if let Some(file) = file {
            let path = path_of(file);
            self.sink(What::FileWrite, &path, line, &received);
            self.remember(&path.to_ascii_lowercase(), &received);
        }
        merge(sources, &received);
    }

    /// A statement that starts a file which was fetched before, or one of the package.
    fn start(&mut self, statement: &str, lower: &str, line: u32) {
        let words = statement.split_whitespace().map(|w| w.trim_matches(['"', '\'', '&', ';']));
        for word in words.filter(|w| w.contains('.') || w.contains(['%', '$'])).take(20) {
            let path = path_of(word);
            let held = self.remembered(&path.to_ascii_lowercase());
            let fetches = FETCHES.iter().any(|word| lower.contains(word));
            if !held.is_empty() && !fetches {
                self.sink(What::Exec, &path, line, &held);
            }
            let ending = path.rsplit('.').next().unwrap_or_default().to_ascii_lowercase();
            if matches!(ending.as_str(), "js" | "py" | "ps1" | "bat" | "cmd" | "cjs" | "mjs")
                && !path.contains("://")
            {
                self.runs(&path.replace("*dp0", "."));
            }
        }
    }
}

/// The first address in a statement.
fn address(statement: &str) -> String {
    let start = ["https://", "http://", "ftp://"].iter().filter_map(|scheme| statement.find(scheme)).min();
    let rest = start.map_or("", |at| &statement[at..]);
    let end = rest.find(['"', '\'', ' ', ')', ',', '|', '`']).unwrap_or(rest.len());
    rest[..end].to_owned()
}

/// Text that was encoded for `-EncodedCommand`.
fn utf16_base64(text: &str) -> Option<String> {
    let bytes = super::super::languages::base64(text)?;
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_le_bytes([pair[0], pair[1]])).collect();
    Some(String::from_utf16_lossy(&units))
}
