//! The file in which a client keeps its MCP servers, with each of them led through the door.
//!
//! Claude and Cursor keep them under `mcpServers`, Claude Code also below each of its `projects`, VS Code under `servers` or, in its
//! settings, under `mcp.servers`. Only a server's command, arguments, address and headers are edited; every other byte of the file stays,
//! comments too. What cannot be led through is named and left alone. It refuses a file that cannot be read for certain.

use std::collections::HashSet;

use serde_json::json;
use url::{Host, Url};

use super::jsonc::{self, Edits, Node, Value};
use crate::mcp::command;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

/// Where clients keep servers, as members of members; `*` stands for each.
const PLACES: [&[&str]; 6] = [
    &["mcpServers"],
    &["servers"],
    &["mcp", "servers"],
    &["mcp", "mcpServers"],
    &["settings", "mcp", "servers"],
    &["projects", "*", "mcpServers"],
];

/// What servers are led through.
#[derive(Clone, Copy, Debug)]
pub struct Through<'a> {
    /// What clients start.
    pub program: &'a str,
    /// The door's base address.
    pub door: &'a Url,
    /// A token for it, where it demands one.
    pub token: Option<&'a str>,
    /// The folder that is given to `mcp run` where it is not the usual one.
    pub data: Option<&'a str>,
}

/// A file, rewritten.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpFile {
    /// What it holds from now on.
    pub text: String,
    /// Servers that were led through the door just now.
    pub led: Vec<String>,
    /// Sections of the door's configuration that the file needs.
    pub sections: Vec<String>,
    /// What a person should know.
    pub notes: Vec<String>,
}

/// Leads every server of a file through the door.
///
/// # Errors
/// What is wrong with the file, as a sentence.
pub fn lead(text: &str, through: Through<'_>) -> Result<McpFile, String> {
    let document = jsonc::parse(text)?;
    let mut places = Vec::new();
    for place in PLACES {
        find(&document, place, &mut places)?;
    }
    let lists: Vec<&Node> =
        places.into_iter().filter(|node| matches!(node.value, Value::Object(_))).collect();
    if lists.is_empty() {
        return Err("it names no MCP servers: there is no `mcpServers` and no `servers` in it".to_owned());
    }
    let mut leading = Leading::new(text, through);
    for list in &lists {
        for server in list.members() {
            list.get(&server.key)?;
            leading.note_name(&server.node)?;
        }
    }
    for server in lists.iter().flat_map(|list| list.members()) {
        match &server.node.value {
            Value::Object(_) => leading.one(&server.key, &server.node)?,
            _ => leading.note(format!("{} is no server and stays as it is", shown(&server.key))),
        }
    }
    let Leading { edits, mut file, .. } = leading;
    file.text = edits.apply(text);
    // What is written is what clients will read.
    jsonc::parse(&file.text).map_err(|why| format!("it could not be rewritten: {why}"))?;
    Ok(file)
}

/// The values at a place.
fn find<'a>(node: &'a Node, place: &[&str], found: &mut Vec<&'a Node>) -> Result<(), String> {
    match place.split_first() {
        None => found.push(node),
        Some((&"*", rest)) => {
            for member in node.members() {
                find(&member.node, rest, found)?;
            }
        }
        Some((key, rest)) => {
            if let Some(member) = node.get(key)? {
                find(&member.node, rest, found)?;
            }
        }
    }
    Ok(())
}

/// One file on its way.
struct Leading<'a> {
    text: &'a str,
    through: Through<'a>,
    /// The base of addresses that lead through the door.
    ours: String,
    /// Names under which the door knows servers of this file.
    names: HashSet<String>,
    edits: Edits,
    file: McpFile,
}

impl<'a> Leading<'a> {
    fn new(text: &'a str, through: Through<'a>) -> Self {
        let token = through.token.map_or_else(String::new, |token| format!("t/{token}/"));
        let ours = through.door.join(&format!("{token}mcp/run/")).map(String::from).unwrap_or_default();
        let file = McpFile { text: String::new(), led: Vec::new(), sections: Vec::new(), notes: Vec::new() };
        Self { text, through, ours, names: HashSet::new(), edits: Edits::default(), file }
    }

    fn note(&mut self, note: String) {
        self.file.notes.push(note);
    }

    /// Takes note of the name of a server that is led through a door already.
    fn note_name(&mut self, server: &Node) -> Result<(), String> {
        let args = strings(server, "args")?.unwrap_or_default();
        if let Some(command) = text_of(server, "command")? {
            if self.is_led(command, &args) {
                let at = args.iter().position(|word| *word == "--name");
                self.names.extend(at.and_then(|at| args.get(at + 1)).map(|name| (*name).to_owned()));
            }
        } else if let Some((_, url)) = address(server)? {
            self.names.extend(url.parse::<Url>().ok().and_then(|url| name_at_door(&url)));
        }
        Ok(())
    }

    /// Whether a command is the proxy already, under whatever path.
    fn is_led(&self, command: &str, args: &[&str]) -> bool {
        let base = command.rsplit(['/', '\\']).next().unwrap_or_default();
        let is_us = base.trim_end_matches(".exe") == "tidegate" || command == self.through.program;
        is_us && args.starts_with(&["mcp", "run"])
    }

    fn one(&mut self, name: &str, server: &Node) -> Result<(), String> {
        if let Some(command) = text_of(server, "command")? {
            let command = command.to_owned();
            return self.command(name, server, &command);
        }
        let Some((key, url)) = address(server)? else {
            self.note(format!("{} has neither a command nor an address: it stays as it is", shown(name)));
            return Ok(());
        };
        let url = url.to_owned();
        self.address(name, server, key, &url)
    }

    fn command(&mut self, name: &str, server: &Node, command: &str) -> Result<(), String> {
        let Some(args) = strings(server, "args")? else {
            self.note(format!("the arguments of {} are no list of texts: it stays as it is", shown(name)));
            return Ok(());
        };
        if self.is_led(command, &args) {
            return Ok(());
        }
        let safe = self.name(name);
        let mut words = vec!["mcp", "run", "--name", &safe];
        words.extend(self.through.data.iter().flat_map(|data| ["--data", data]));
        words.extend(["--", command]);
        let words: Vec<String> = words.into_iter().map(|word| json!(word).to_string()).collect();
        let member = server.get("command")?.expect("it was just read");
        self.edits.replace(member.node.span.clone(), json!(self.through.program).to_string());
        match server.get("args")?.map(|args| &args.node) {
            Some(list) => match &list.value {
                Value::Array(items) if !items.is_empty() => {
                    let first = items[0].span.start;
                    // Items stand on lines of their own where the file has them so.
                    let blanks = jsonc::blanks_before(self.text, first);
                    let blanks = if blanks.is_empty() { " " } else { blanks };
                    let more: String = words.iter().map(|word| format!("{word},{blanks}")).collect();
                    self.edits.insert(first, more);
                }
                _ => self.edits.replace(list.span.clone(), format!("[{}]", words.join(", "))),
            },
            None => {
                let blanks = jsonc::blanks_before(self.text, member.start);
                let blanks = if blanks.is_empty() { " " } else { blanks };
                let list = format!(",{blanks}\"args\": [{}]", words.join(", "));
                self.edits.insert(member.node.span.end, list);
            }
        }
        self.file.led.push(name.to_owned());
        Ok(())
    }

    fn address(&mut self, name: &str, server: &Node, key: &str, url: &str) -> Result<(), String> {
        if url.starts_with(&self.ours) {
            return Ok(());
        }
        let Ok(parsed) = url.parse::<Url>() else {
            self.note(format!("the address of {} cannot be read: it stays as it is", shown(name)));
            return Ok(());
        };
        if name_at_door(&parsed).is_some() {
            let same = parsed.origin() == self.through.door.origin();
            let door = if same { "this door" } else { "another door" };
            self.note(format!("{} is led through {door} already: it stays as it is", shown(name)));
            return Ok(());
        }
        if text_of(server, "type")? == Some("sse") {
            self.note(format!(
                "{} speaks the transport of 2024-11-05, which the door does not: it stays as it is, and goes past the door",
                shown(name)
            ));
            return Ok(());
        }
        let safe = self.name(name);
        let mut section = format!("[mcp.server.{}]\nurl = {}\n", toml_key(&safe), json!(parsed.as_str()));
        let headers = server.get("headers")?;
        if headers.is_some_and(|headers| !headers.node.members().is_empty()) {
            self.edits.remove(self.text, server, "headers");
            section.push_str("token_env = \"NAME_OF_A_VARIABLE\"\n");
            self.note(format!(
                "the headers of {} are taken out of the file: the door sends what the variable holds as a bearer token",
                shown(name)
            ));
        }
        self.file.sections.push(section);
        if let Some(member) = server.get(key)? {
            self.edits.replace(member.node.span.clone(), json!(format!("{}{safe}", self.ours)).to_string());
        }
        self.file.led.push(name.to_owned());
        Ok(())
    }

    /// A name under which the door knows a server, and no other of this file.
    fn name(&mut self, name: &str) -> String {
        let safe = named(name);
        let mut free = safe.clone();
        let mut number = 2;
        while !self.names.insert(free.clone()) {
            free = format!("{}-{number}", &safe[..safe.len().min(command::MAX_NAME_BYTES - 8)]);
            number += 1;
        }
        free
    }
}

/// A name of a file as it is told: on one line.
fn shown(name: &str) -> String {
    name.escape_debug().to_string()
}

fn text_of<'a>(server: &'a Node, key: &str) -> Result<Option<&'a str>, String> {
    Ok(server.get(key)?.and_then(|member| member.node.text()))
}

/// The member that holds a server's address, and the address.
fn address(server: &Node) -> Result<Option<(&'static str, &str)>, String> {
    for key in ["url", "serverUrl"] {
        if let Some(url) = text_of(server, key)? {
            return Ok(Some((key, url)));
        }
    }
    Ok(None)
}

/// A list of texts; empty where it is missing, none where it is something else.
fn strings<'a>(server: &'a Node, key: &str) -> Result<Option<Vec<&'a str>>, String> {
    let Some(member) = server.get(key)? else { return Ok(Some(Vec::new())) };
    Ok(match &member.node.value {
        Value::Array(items) => items.iter().map(Node::text).collect(),
        _ => None,
    })
}

/// The name of a server in an address that leads through a door of this machine.
fn name_at_door(url: &Url) -> Option<String> {
    let is_here = match url.host()? {
        Host::Domain(name) => name == "localhost",
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    };
    let segments: Vec<&str> = url.path_segments()?.collect();
    match segments[..] {
        ["mcp", "run", name] | ["t", _, "mcp", "run", name] if is_here => Some(name.to_owned()),
        _ => None,
    }
}

/// A name under which the door can know a server.
fn named(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.@".contains(c) { c } else { '-' };
    let named: String =
        name.trim_start_matches('.').chars().map(plain).take(command::MAX_NAME_BYTES).collect();
    if command::is_name(&named) { named } else { "server".to_owned() }
}

fn toml_key(name: &str) -> String {
    let bare = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if bare { name.to_owned() } else { format!("\"{name}\"") }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file with its servers led through the door at a usual place.
    fn led(text: &str) -> Result<McpFile, String> {
        led_by(text, "/opt/tidegate", None)
    }

    fn led_by(text: &str, program: &str, data: Option<&str>) -> Result<McpFile, String> {
        let door = "http://127.0.0.1:8484/".parse().unwrap();
        lead(text, Through { program, door: &door, token: None, data })
    }

    #[test]
    fn servers_of_every_client_are_led_through_and_nothing_else_changes() {
        for key in ["mcpServers", "servers"] {
            let text = json!({
                "theme": "dark",
                (key): {
                    "files": { "command": "npx", "args": ["-y", "@acme/files@1.0.0", "/srv"], "env": { "KEY": "1" } },
                    "time": { "type": "stdio", "command": "uvx" },
                    "far away": { "type": "http", "url": "https://mcp.example/mcp", "headers": { "Authorization": "x" } },
                },
            });
            let file = led(&text.to_string()).unwrap();
            let read: serde_json::Value = serde_json::from_str(&file.text).unwrap();
            assert_eq!(read["theme"], "dark");
            assert_eq!(
                read[key]["files"],
                json!({
                    "command": "/opt/tidegate",
                    "args": ["mcp", "run", "--name", "files", "--", "npx", "-y", "@acme/files@1.0.0", "/srv"],
                    "env": { "KEY": "1" },
                })
            );
            assert_eq!(read[key]["time"]["args"], json!(["mcp", "run", "--name", "time", "--", "uvx"]));
            assert_eq!(
                read[key]["far away"],
                json!({ "type": "http", "url": "http://127.0.0.1:8484/mcp/run/far-away" })
            );
            assert_eq!(file.led, ["files", "time", "far away"]);
            assert!(
                file.sections[0].starts_with("[mcp.server.far-away]\nurl = \"https://mcp.example/mcp\"\n")
            );
            let again = led_by(&file.text, "/elsewhere/tidegate", None).unwrap();
            assert_eq!((again.led, again.text), (Vec::<String>::new(), file.text), "once is enough");
        }
    }

    #[test]
    fn every_other_byte_stays() {
        let text = "// mine\n{\n\t\"inputs\": [ {\"id\":\"key\"} ], // asked for\n\t\"big\": 123456789012345678901234567890, \"n\": 1.50,\n\t\"servers\": {\n\t\t\"files\": {\n\t\t\t/* the old one */\n\t\t\t\"command\": \"npx\", // start\n\t\t\t\"args\": [\n\t\t\t\t\"-y\", // yes\n\t\t\t\t\"files@1.0.0\",\n\t\t\t],\n\t\t\t\"env\": {\"KEY\":\"${input:key}\"},\n\t\t},\n\t\t\"far\": { \"type\": \"http\", \"headers\": { \"A\": \"b\" }, \"url\": \"https://mcp.example/mcp\" }\n\t},\n}\n";
        let file = led(text).unwrap();
        let expected = text
            .replace("\"npx\"", "\"/opt/tidegate\"")
            .replace(
                "\t\t\t\t\"-y\"",
                "\t\t\t\t\"mcp\",\n\t\t\t\t\"run\",\n\t\t\t\t\"--name\",\n\t\t\t\t\"files\",\n\t\t\t\t\"--\",\n\t\t\t\t\"npx\",\n\t\t\t\t\"-y\"",
            )
            .replace(" \"headers\": { \"A\": \"b\" },", "")
            .replace("https://mcp.example/mcp", "http://127.0.0.1:8484/mcp/run/far");
        assert_eq!(file.text, expected);
        assert_eq!(led(&file.text).unwrap().text, file.text);
    }

    #[test]
    fn servers_have_names_of_their_own_at_the_door() {
        let text = r#"{"mcpServers":{"a b":{"command":"x"},"a-b":{"command":"y"},"a/b":{"url":"https://mcp.example/"}}}"#;
        let file = led(text).unwrap();
        let names = |text: &str| {
            let read: serde_json::Value = serde_json::from_str(text).unwrap();
            let of = |name: &str| read["mcpServers"][name]["args"][3].as_str().unwrap_or_default().to_owned();
            (of("a b"), of("a-b"), read["mcpServers"]["a/b"]["url"].as_str().unwrap_or_default().to_owned())
        };
        let (one, other, url) = names(&file.text);
        assert_eq!((one.as_str(), other.as_str()), ("a-b", "a-b-2"));
        assert_eq!(url, "http://127.0.0.1:8484/mcp/run/a-b-3");
        // One that comes later takes no name that is taken.
        let later = file.text.replace(
            "{\"mcpServers\":{",
            "{\"mcpServers\":{\"a.-b\":{\"command\":\"z\"},\"a?b\":{\"command\":\"z\"},",
        );
        let again = led(&later).unwrap();
        let read: serde_json::Value = serde_json::from_str(&again.text).unwrap();
        assert_eq!(read["mcpServers"]["a?b"]["args"][3], "a-b-4");
        assert_eq!(names(&again.text), (one, other, url));
    }

    #[test]
    fn what_goes_through_a_door_is_not_led_through_itself() {
        for url in [
            "http://127.0.0.1:8484/mcp/run/a",
            "http://127.0.0.1:8484/t/tg_1/mcp/run/a",
            "http://localhost:9000/mcp/run/a",
            "http://[::1]:8484/mcp/run/a",
        ] {
            let text = format!(r#"{{"servers":{{"a":{{"url":"{url}"}}}}}}"#);
            let file = led(&text).unwrap();
            assert_eq!((file.text, file.led, file.sections), (text, vec![], vec![]), "{url}");
        }
        let text = r#"{"servers":{"a":{"command":"/usr/local/bin/tg","args":["mcp","run","--","x"]}}}"#;
        assert_eq!(led_by(text, "/usr/local/bin/tg", None).unwrap().led, Vec::<String>::new());
        assert_eq!(led_by(text, "/opt/tidegate", None).unwrap().led, ["a"], "another program's words");
    }

    #[test]
    fn a_door_that_demands_a_token_gets_it() {
        let door = "http://127.0.0.1:8484/".parse().unwrap();
        let through = Through { program: "tidegate", door: &door, token: Some("tg_1"), data: None };
        let file = lead(r#"{"servers":{"a":{"url":"https://mcp.example/"}}}"#, through).unwrap();
        assert!(file.text.contains("\"http://127.0.0.1:8484/t/tg_1/mcp/run/a\""), "{}", file.text);
    }

    #[test]
    fn what_cannot_be_led_through_is_named() {
        let text = r#"{"mcp":{"servers":{"old":{"type":"sse","url":"https://mcp.example/sse"},"odd":{},"odder":7}}}"#;
        let file = led(text).unwrap();
        assert_eq!(file.text, text);
        assert_eq!(file.led, Vec::<String>::new());
        assert_eq!(file.notes.len(), 3);
        for bad in [
            "",
            "// a comment\n{}",
            "{}",
            "[]",
            r#"{"servers":[]}"#,
            r#"{"servers":{"a":{"command":"x"}"#,
            r#"{"servers":{"a":{"command":"x"},"a":{"command":"y"}}}"#,
            r#"{"servers":{"a":{"command":"x","command":"y"}}}"#,
            r#"{"servers":{},"servers":{"a":{"command":"x"}}}"#,
        ] {
            led(bad).unwrap_err();
        }
        let projects = r#"{"projects":{"/srv":{"mcpServers":{"a":{"command":"b"}}}}}"#;
        assert_eq!(led(projects).unwrap().led, ["a"]);
        let file = led_by(r#"{"servers":{"a":{"command":"b"}}}"#, "t", Some("/srv/door")).unwrap();
        assert!(file.text.contains("/srv/door"));
    }
}
