//! Commands that reach the network.

use super::super::facts::What;
use super::super::words::Address;
use super::split::{Simple, Word};
use super::{Reader, Sources, constant, merge, path_of};

/// Flags of download tools that send something; the value follows, or stands behind `=`.
const DATA: &[&str] = &[
    "-d",
    "-F",
    "-T",
    "--data",
    "--data-binary",
    "--data-raw",
    "--data-urlencode",
    "--data-ascii",
    "--form",
    "--form-string",
    "--upload-file",
    "--post-data",
    "--post-file",
    "--body-data",
    "--body-file",
    "--json",
    "-sd",
    "-sF",
    "-sT",
    "-sSd",
];

/// Flags that name the file to be written.
const OUTPUT: &[&str] = &[
    "-o",
    "--output",
    "-O",
    "--output-document",
    "-sLo",
    "-sSLo",
    "-Lo",
    "-fsSLo",
    "-so",
    "-qO",
    "-fsSL -o",
    "-LO",
    "-sLO",
];

impl Reader {
    /// A download tool: what it fetches, sends and writes.
    pub(super) fn download(&mut self, name: &str, arguments: &[Word], line: u32, sources: &[u32]) -> Sources {
        let mut url = String::new();
        let mut sent: Sources = sources.to_vec();
        let mut sends = !sources.is_empty();
        let mut output = None;
        let mut words = arguments.iter().peekable();
        while let Some(word) = words.next() {
            let text = word.text.as_str();
            let (flag, value) = match text.split_once('=') {
                Some((flag, value)) if text.starts_with("--") => (flag, Some(value.to_owned())),
                _ => (text, None),
            };
            if DATA.contains(&flag) {
                sends = true;
                let value = value.or_else(|| words.next().map(|w| w.text.clone())).unwrap_or_default();
                let is_file = matches!(flag, "-T" | "--upload-file" | "--post-file" | "--body-file");
                let file = value.split_once('@').map(|(_, file)| file).or(is_file.then_some(value.as_str()));
                if let Some(file) = file.filter(|file| *file != "-") {
                    let read = self.add(What::FileRead, &path_of(file), line);
                    let held = self.remembered(file);
                    merge(&mut sent, &read);
                    merge(&mut sent, &held);
                }
            } else if is_output(flag) {
                // For curl `-O` takes the name from the address.
                let takes_value = name != "curl" || !flag.ends_with('O');
                output = if takes_value {
                    value.or_else(|| words.next().map(|w| w.text.clone()))
                } else {
                    Some(String::new())
                };
            } else if !text.starts_with('-')
                && url.is_empty()
                && (Address::of(&constant(text)).is_some() || text.contains("$"))
            {
                url = constant(text);
            }
        }
        // What other code put into the address goes along with it: `*` stands where such a part was.
        if sends || url.contains('*') {
            self.sink(What::NetSend, &url, line, &sent);
        }
        let received = self.add(What::NetReceive, &url, line);
        let last = url
            .split(['?', '#'])
            .next()
            .unwrap_or_default()
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned();
        let file = match output {
            Some(file) if file.is_empty() => Some(last),
            Some(file) if file == "-" => None,
            Some(file) => Some(file),
            // wget writes a file unless it is told otherwise.
            None => (name == "wget").then_some(last),
        };
        if let Some(file) = file {
            self.sink(What::FileWrite, &path_of(&file), line, &received);
            self.remember(&file, &received);
        }
        received
    }

    /// A tool that asks for a name.
    pub(super) fn name_query(&mut self, arguments: &[Word], line: u32, sources: &[u32]) -> Sources {
        let name = arguments
            .iter()
            .map(|w| constant(&w.text))
            // An address is no name: who asks for one of those tells nobody's server anything.
            .find(|text| {
                text.contains('.')
                    && !text.starts_with(['-', '@', '+'])
                    && text.parse::<std::net::IpAddr>().is_err()
            });
        let Some(name) = name else { return Sources::new() };
        self.sink(What::DnsQuery, &name, line, sources);
        if arguments.iter().any(|w| w.text.to_ascii_lowercase().contains("txt")) {
            return self.add(What::DnsReceive, &name, line);
        }
        Sources::new()
    }

    /// netcat and its like.
    pub(super) fn socket(&mut self, arguments: &[Word], simple: &Simple, sources: &[u32]) -> Sources {
        let line = simple.line;
        let text = super::commands::joined(arguments);
        let lower = text.to_ascii_lowercase();
        let executes = arguments.iter().any(|w| {
            w.text.starts_with('-') && !w.text.starts_with("--") && w.text.contains(['e', 'c'])
                || matches!(w.text.as_str(), "--exec" | "--sh-exec")
        }) || lower.contains("exec:")
            || lower.contains("system:");
        if executes && ["sh", "cmd", "powershell"].iter().any(|shell| lower.contains(shell)) {
            self.add(What::SocketToProcess, &text, line);
        }
        // `sh -i < pipe | nc host port > pipe`: what the shell prints goes out, what comes in is run.
        let pipes_back = simple.redirects.iter().any(|(mark, _)| *mark == '>') && simple.is_piped;
        if pipes_back
            && self
                .facts
                .all(What::Exec)
                .any(|fact| fact.detail.contains("mkfifo") || fact.detail.contains("mknod"))
        {
            self.add(What::SocketToProcess, &text, line);
        }
        if arguments.iter().any(|w| w.text.starts_with("-l")) {
            self.add(What::Listen, &text, line);
        }
        let host =
            arguments.iter().map(|w| constant(&w.text)).find(|w| !w.starts_with('-')).unwrap_or_default();
        if !sources.is_empty() {
            self.sink(What::NetSend, &host, line, sources);
        }
        self.add(What::ChannelReceive, &host, line)
    }
}

fn is_output(flag: &str) -> bool {
    OUTPUT.contains(&flag)
        || flag.len() < 8 && flag.starts_with('-') && !flag.starts_with("--") && flag.ends_with(['o', 'O'])
}
