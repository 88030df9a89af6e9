//! What each command does.

use super::super::facts::{Language, What};
use super::super::words::{self, Class};
use super::split::{Simple, Word};
use super::{Reader, Sources, constant, merge, path_of};

/// Commands that only start another one.
const WRAPPERS: &[&str] = &[
    "sudo",
    "doas",
    "nohup",
    "exec",
    "time",
    "command",
    "builtin",
    "setsid",
    "cross-env",
    "cross-env-shell",
    "busybox",
    "nice",
    "ionice",
    "stdbuf",
    "unbuffer",
    "if",
    "then",
    "do",
    "else",
    "elif",
    "while",
    "until",
    "!",
    "{",
    "}",
    "xargs",
    "npx",
    "pnpx",
    "dotenv",
    "caffeinate",
    "disown",
    "start",
    "call",
    "stdbuf",
    "timeout",
    "is-ci",
    "winpty",
    "&",
    "shx",
    "wsl",
    "rosetta",
    "trap",
    "corepack",
];

/// Commands that say nothing worth a fact by themselves.
const QUIET: &[&str] = &[
    "echo", "printf", "cd", "test", "[", "[[", "export", "true", "false", "exit", "set", "cat", "fi", "done",
    "return", "local", "shift", "unset", "pwd", ":", "rem", "@echo", "setlocal", "for", "case", "esac", "in",
    "wait", "sleep", "declare", "readonly", "pushd", "popd", "which", "type", "mkdir", "ls", "dir", "goto",
    "read",
];

impl Reader {
    /// Reads one command and tells what it prints.
    pub(super) fn command(&mut self, words: &[Word], simple: &Simple, input: &[u32]) -> Sources {
        let mut words = words;
        let mut is_detached = simple.is_background;
        let mut had_wrapper = false;
        while let Some(word) = words.first() {
            let name = program(&word.text);
            let is_wrapper = WRAPPERS.contains(&name.as_str());
            let is_setting = had_wrapper
                && (word.text.starts_with('-') || word.text.contains('=') || is_number(&word.text));
            if !is_wrapper && !is_setting {
                break;
            }
            is_detached |= matches!(name.as_str(), "nohup" | "setsid" | "start" | "disown");
            had_wrapper = true;
            words = &words[1..];
        }
        let Some((first, arguments)) = words.split_first() else { return input.to_vec() };
        let mut sources = input.to_vec();
        for word in words {
            let of_word = self.sources(word, simple.line);
            merge(&mut sources, &of_word);
        }
        let name = program(&first.text);
        if name == "env" {
            let rest = arguments.iter().position(|w| !w.text.starts_with('-') && !w.text.contains('='));
            if let Some(at) = rest {
                return self.command(&arguments[at..], simple, input);
            }
        }
        let text = joined(words);
        let sink =
            if is_detached && !QUIET.contains(&name.as_str()) { What::ExecDetached } else { What::Exec };
        if !QUIET.contains(&name.as_str()) {
            self.add(sink, &text, simple.line);
        } else if words::is_telling(&text) {
            self.add(What::Text, &text, simple.line);
        }
        self.known(&name, first, arguments, simple, &sources, input)
    }

    fn known(
        &mut self,
        name: &str,
        first: &Word,
        arguments: &[Word],
        simple: &Simple,
        sources: &[u32],
        input: &[u32],
    ) -> Sources {
        let line = simple.line;
        let text = joined(arguments);
        match name {
            "curl" | "wget" | "http" | "https" | "xh" | "aria2c" | "fetch" => {
                self.download(name, arguments, line, sources)
            }
            "sh" | "bash" | "zsh" | "dash" | "ksh" | "ash" | "fish" | "rbash" => {
                self.shell(arguments, simple, sources, input)
            }
            "node" | "nodejs" | "bun" | "deno" | "tsx" | "ts-node" | "electron" => {
                self.interpreter(Language::JavaScript, name, arguments, simple, sources, input)
            }
            "python" | "python2" | "python3" | "py" | "pypy" | "pypy3" | "pythonw" => {
                self.interpreter(Language::Python, name, arguments, simple, sources, input)
            }
            "perl" | "ruby" | "php" | "osascript" | "lua" => {
                if arguments.iter().all(|w| w.text.starts_with('-')) && simple.is_piped {
                    self.sink(What::Eval, name, line, sources);
                }
                sources.to_vec()
            }
            "eval" | "iex" => {
                self.sink(What::Eval, name, line, sources);
                self.lines(&text, sources)
            }
            "." | "source" => {
                if let Some(file) = arguments.first() {
                    self.runs(&path_of(&file.text));
                    let held = self.remembered(&file.text);
                    if !held.is_empty() || !file.inner.is_empty() {
                        self.sink(What::Eval, "source", line, &[held, sources.to_vec()].concat());
                    }
                }
                Sources::new()
            }
            "env" | "printenv" | "set" if arguments.is_empty() => self.add(What::EnvAll, name, line),
            "export" if text == "-p" => self.add(What::EnvAll, name, line),
            "whoami" | "hostname" | "id" | "uname" | "ifconfig" | "ip" | "logname" | "ipconfig"
            | "systeminfo" | "scutil" => self.add(What::HostIdentity, name, line),
            "powershell" | "pwsh" => self.powershell(arguments, line, sources),
            "cmd" => {
                let code = arguments
                    .iter()
                    .position(|w| matches!(w.text.to_ascii_lowercase().as_str(), "/c" | "/k"));
                let code = code.map_or_else(String::new, |at| joined(&arguments[at + 1..]));
                self.lines(&code, sources)
            }
            "npm" | "yarn" | "pnpm" => {
                self.script(arguments);
                sources.to_vec()
            }
            _ => self.tool(name, first, arguments, simple, sources),
        }
    }

    /// Tools that read, decode, change or delete files, or ask the network for names.
    fn tool(
        &mut self,
        name: &str,
        first: &Word,
        arguments: &[Word],
        simple: &Simple,
        sources: &[u32],
    ) -> Sources {
        let line = simple.line;
        let files = || arguments.iter().filter(|w| !w.text.starts_with('-')).map(|w| path_of(&w.text));
        let flag = |wanted: &[&str]| arguments.iter().any(|w| wanted.contains(&w.text.as_str()));
        let decoder = match name {
            "base64" | "openssl" if flag(&["-d", "-D", "--decode", "-di"]) => Some("base64"),
            "xxd" if flag(&["-r", "-p", "-rp"]) => Some("hex"),
            "gunzip" | "zcat" | "unxz" => Some("zlib"),
            "gzip" | "xz" if flag(&["-d", "-dc", "-cd"]) => Some("zlib"),
            "gpg" if flag(&["-d", "--decrypt"]) => Some("cipher"),
            "rev" => Some("reverse"),
            "tr" => Some("rot"),
            _ => None,
        };
        if let Some(decoder) = decoder {
            let mut out = self.sink(What::Decode, decoder, line, sources);
            merge(&mut out, sources);
            return out;
        }
        match name {
            "cat" | "head" | "tail" | "tar" | "zip" | "base64" | "grep" | "gzip" | "xxd" | "openssl"
            | "find" | "strings" | "jq" | "less" | "7z" | "sqlite3" | "awk" | "sed" | "sort" | "more"
            | "type" => {
                let mut out = sources.to_vec();
                for file in files().filter(|file| file.contains(['/', '.', '~'])).take(50) {
                    let held = self.remembered(&file);
                    let read = self.add(What::FileRead, &file, line);
                    merge(&mut out, &read);
                    merge(&mut out, &held);
                }
                if name == "find" && (flag(&["-delete"]) || joined(arguments).contains("rm ")) {
                    let path = files().next().unwrap_or_default();
                    self.add(What::FileDelete, &path, line);
                }
                out
            }
            "cp" | "mv" | "ln" | "install" | "rsync" | "scp" => {
                let all: Vec<String> = files().take(50).collect();
                let Some((target, from)) = all.split_last() else { return Sources::new() };
                let mut read = sources.to_vec();
                for file in from {
                    let one = self.add(What::FileRead, file, line);
                    merge(&mut read, &one);
                }
                let is_remote = matches!(name, "scp" | "rsync") && target.contains(':');
                self.sink(if is_remote { What::NetSend } else { What::FileWrite }, target, line, &read);
                Sources::new()
            }
            "tee" => {
                for file in files().take(50) {
                    self.sink(What::FileWrite, &file, line, sources);
                    self.remember(&file, sources);
                }
                sources.to_vec()
            }
            "chmod" => {
                let is_executable = arguments
                    .iter()
                    .any(|w| w.text.contains("+x") || w.text.contains('7') || w.text.contains('5'));
                let named = arguments.iter().filter(|w| !w.text.starts_with('-')).skip(1).take(50);
                for word in named.filter(|_| is_executable) {
                    let held = self.remembered(&word.text);
                    self.sink(What::MakeExecutable, &path_of(&word.text), line, &held);
                }
                Sources::new()
            }
            // Without `/s` it removes what is empty.
            "rmdir" if !files().any(|file| file.eq_ignore_ascii_case("/s")) => Sources::new(),
            "rm" | "rmdir" | "del" | "rd" | "shred" | "unlink" | "rimraf" | "erase" => {
                for file in files().filter(|file| !file.starts_with("/s") && !file.starts_with("/q")).take(50)
                {
                    self.add(What::FileDelete, &file, line);
                }
                Sources::new()
            }
            "dd" | "mkfs" | "wipefs" => {
                for file in files().filter_map(|f| {
                    f.strip_prefix("of=").map(str::to_owned).or(f.starts_with("/dev/").then_some(f))
                }) {
                    self.add(What::FileDelete, &file, line);
                }
                Sources::new()
            }
            "nslookup" | "dig" | "host" | "ping" | "resolvectl" | "drill" => {
                self.name_query(arguments, line, sources)
            }
            "nc" | "ncat" | "netcat" | "socat" | "telnet" => self.socket(arguments, simple, sources),
            "crontab" if !flag(&["-l"]) => {
                self.sink(What::FileWrite, "/var/spool/cron/", line, sources);
                Sources::new()
            }
            "security" | "secret-tool" | "cmdkey"
                if words::has(&format!("{name} {}", joined(arguments)), Class::Keychain) =>
            {
                self.add(What::KeychainRead, &format!("{name} {}", joined(arguments)), line)
            }
            "pbpaste" | "xclip" | "xsel" | "wl-paste" | "termux-clipboard-get"
                if flag(&["-o", "-out", "--output"]) || !matches!(name, "xclip" | "xsel") =>
            {
                self.add(What::ClipboardRead, name, line)
            }
            "pbcopy" | "wl-copy" | "clip" | "clip.exe" | "termux-clipboard-set" => {
                self.sink(What::ClipboardWrite, name, line, sources);
                Sources::new()
            }
            "xclip" | "xsel" if flag(&["-i", "-selection", "-b", "--input"]) => {
                self.sink(What::ClipboardWrite, name, line, sources);
                Sources::new()
            }
            "echo" | "printf" | "yes" => sources.to_vec(),
            _ => self.own_file(&first.text, arguments, simple, sources),
        }
    }

    /// A command that is a path: a file of the package, or one that was written before.
    fn own_file(&mut self, text: &str, _arguments: &[Word], simple: &Simple, sources: &[u32]) -> Sources {
        let path = path_of(text);
        let held = self.remembered(text);
        if path.contains('/') {
            self.runs(&path);
        }
        if !held.is_empty() {
            self.sink(What::Exec, &path, simple.line, &held);
        }
        sources.to_vec()
    }

    fn script(&mut self, arguments: &[Word]) {
        let words: Vec<&str> =
            arguments.iter().map(|w| w.text.as_str()).filter(|w| !w.starts_with('-')).collect();
        let name = match words[..] {
            ["run" | "run-script", name, ..] => name,
            [name @ ("test" | "start" | "build"), ..] => name,
            [name] if !matches!(name, "install" | "ci" | "i" | "publish" | "pack" | "link") => name,
            _ => return,
        };
        let name = format!("npm:{name}");
        if !self.facts.imports.contains(&name) {
            self.facts.imports.push(name);
        }
    }

    fn shell(&mut self, arguments: &[Word], simple: &Simple, sources: &[u32], input: &[u32]) -> Sources {
        let line = simple.line;
        let code = arguments
            .iter()
            .position(|w| w.text.starts_with('-') && !w.text.starts_with("--") && w.text.contains('c'));
        if let Some(word) = code.and_then(|at| arguments.get(at + 1)) {
            if !word.inner.is_empty() {
                self.sink(What::Eval, "sh -c", line, sources);
            }
            let before = self.line;
            self.line += line.saturating_sub(1);
            let printed = self.lines(&word.text, input);
            self.line = before;
            return printed;
        }
        if arguments.iter().any(|w| w.text == "-i")
            && simple.redirects.iter().any(|(_, w)| words::has(&w.text, Class::ReverseShell))
        {
            self.add(What::SocketToProcess, "sh -i", line);
        }
        let file = arguments.iter().find(|w| !w.text.starts_with('-'));
        match (file, &simple.here) {
            (Some(word), _) if !word.inner.is_empty() => {
                self.sink(What::Eval, "sh", line, sources);
            }
            (Some(word), _) => {
                let path = path_of(&word.text);
                let held = self.remembered(&word.text);
                if !held.is_empty() {
                    self.sink(What::Eval, "sh", line, &held);
                }
                self.runs(&path);
            }
            (None, Some(code)) => {
                let code = code.clone();
                self.lines(&code, &[]);
            }
            (None, None) if !sources.is_empty() => {
                self.sink(What::Eval, "sh", line, sources);
            }
            (None, None) => {}
        }
        sources.to_vec()
    }

    fn interpreter(
        &mut self,
        language: Language,
        name: &str,
        arguments: &[Word],
        simple: &Simple,
        sources: &[u32],
        input: &[u32],
    ) -> Sources {
        let line = simple.line;
        let code = arguments.iter().position(|w| {
            matches!(
                w.text.as_str(),
                "-e" | "-p" | "-pe" | "-ep" | "--eval" | "--print" | "-c" | "-Sc" | "-Ic"
            )
        });
        if let Some(word) = code.and_then(|at| arguments.get(at + 1)) {
            let code = word.text.clone();
            self.code(language, &code, line, input);
            return sources.to_vec();
        }
        let mut rest = arguments.iter().filter(|w| !w.text.starts_with('-')).peekable();
        if matches!(name, "bun" | "deno")
            && rest.peek().is_some_and(|w| matches!(w.text.as_str(), "run" | "x" | "install" | "eval"))
        {
            rest.next();
        }
        // `-r x` loads a file before.
        let loads = |w: &Word| matches!(w.text.as_str(), "-r" | "--require" | "--import" | "--loader");
        let loaded = arguments.iter().position(loads).and_then(|at| arguments.get(at + 1));
        if let Some(word) = loaded {
            self.runs(&path_of(&word.text));
            rest.next_if(|first| first.text == word.text);
        }
        match (rest.next(), &simple.here) {
            (Some(word), _) => {
                let path = path_of(&word.text);
                let held = self.remembered(&word.text);
                if !held.is_empty() {
                    self.sink(What::Exec, &format!("{name} {path}"), line, &held);
                }
                if !arguments.iter().any(|w| w.text == "-m") {
                    self.runs(&path);
                }
            }
            (None, Some(code)) => {
                let code = code.clone();
                self.code(language, &code, line, &[]);
            }
            (None, None) if !sources.is_empty() => {
                self.sink(What::Eval, name, line, sources);
            }
            (None, None) => {}
        }
        sources.to_vec()
    }
}

/// A program's name without folder, ending and version.
pub(super) fn program(text: &str) -> String {
    let name = text.rsplit(['/', '\\']).next().unwrap_or_default().to_ascii_lowercase();
    let name = [".exe", ".cmd", ".bat"]
        .iter()
        .find_map(|end| name.strip_suffix(end))
        .map_or(name.clone(), str::to_owned);
    if name.starts_with("python") && name.contains('.') { "python".to_owned() } else { name }
}

fn is_number(text: &str) -> bool {
    text.trim_end_matches(['s', 'm', 'h']).parse::<f64>().is_ok()
}

/// The words as one line, with what is not constant as `*`.
pub(super) fn joined(words: &[Word]) -> String {
    let mut text = String::new();
    for word in words {
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&constant(&word.text));
        if text.len() > super::super::facts::DETAIL_BYTES {
            break;
        }
    }
    text
}
