//! The file in which a client keeps its MCP servers, with each of them led through the door.
//!
//! Claude and Cursor keep them under `mcpServers`, VS Code under `servers` or `mcp.servers`. What stands beside a server's command or
//! address stays as it is; what cannot be led through is named and left alone. It refuses files that are no plain JSON: comments
//! would be lost.

use serde_json::{Map, Value, json};
use url::Url;

use crate::mcp::command;

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: u64 = 4 << 20;

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

/// Leads every server of a file through the door. `program` is what clients start, `door` the door's base address, `data` the
/// folder that is given to `mcp run` where it is not the usual one.
///
/// # Errors
/// What is wrong with the file, as a sentence.
pub fn lead(text: &str, program: &str, door: &Url, data: Option<&str>) -> Result<McpFile, String> {
    let mut document: Value = serde_json::from_str(text)
        .map_err(|error| format!("it is no plain JSON ({error}); take comments out first"))?;
    let mut file = McpFile { text: String::new(), led: Vec::new(), sections: Vec::new(), notes: Vec::new() };
    let mut found = false;
    for place in ["/mcpServers", "/servers", "/mcp/servers", "/mcp/mcpServers"] {
        let Some(Value::Object(servers)) = document.pointer_mut(place) else { continue };
        found = true;
        for (name, server) in servers.iter_mut() {
            match server {
                Value::Object(server) => one(name, server, program, door, data, &mut file),
                _ => file.notes.push(format!("{name} is no server and stays as it is")),
            }
        }
    }
    if !found {
        return Err("it names no MCP servers: there is no `mcpServers` and no `servers` in it".to_owned());
    }
    file.text = format!("{document:#}\n");
    Ok(file)
}

fn one(
    name: &str,
    server: &mut Map<String, Value>,
    program: &str,
    door: &Url,
    data: Option<&str>,
    file: &mut McpFile,
) {
    let safe = named(name);
    if let Some(command) = server.get("command").and_then(Value::as_str).map(str::to_owned) {
        let args = match server.get("args") {
            None => Vec::new(),
            Some(Value::Array(args)) => args.clone(),
            Some(_) => {
                return file.notes.push(format!("the arguments of {name} are no list: it stays as it is"));
            }
        };
        if is_led(&command, &args) {
            return;
        }
        let mut led: Vec<Value> = ["mcp", "run", "--name", &safe].into_iter().map(Value::from).collect();
        if let Some(data) = data {
            led.extend([Value::from("--data"), Value::from(data)]);
        }
        led.extend([Value::from("--"), Value::from(command)]);
        led.extend(args);
        server.insert("command".to_owned(), program.into());
        server.insert("args".to_owned(), Value::Array(led));
        file.led.push(name.to_owned());
        return;
    }
    let Some(address) =
        ["url", "serverUrl"].into_iter().find(|key| server.get(*key).is_some_and(Value::is_string))
    else {
        return file.notes.push(format!("{name} has neither a command nor an address: it stays as it is"));
    };
    let url = server[address].as_str().unwrap_or_default().to_owned();
    let ours = door.join("mcp/run/").map(String::from).unwrap_or_default();
    if url.starts_with(&ours) {
        return;
    }
    if server.get("type").and_then(Value::as_str) == Some("sse") {
        return file.notes.push(format!(
            "{name} speaks the transport of 2024-11-05, which the door does not: it stays as it is, and goes past the door"
        ));
    }
    let Ok(parsed) = url.parse::<Url>() else {
        return file.notes.push(format!("the address of {name} cannot be read: it stays as it is"));
    };
    let has_headers =
        server.get("headers").and_then(Value::as_object).is_some_and(|headers| !headers.is_empty());
    let mut section = format!("[mcp.server.{}]\nurl = {}\n", toml_key(&safe), json!(parsed.as_str()));
    if has_headers {
        server.remove("headers");
        section.push_str("token_env = \"NAME_OF_A_VARIABLE\"\n");
        file.notes.push(format!(
            "the headers of {name} are taken out of the file: the door sends what the variable holds as a bearer token"
        ));
    }
    file.sections.push(section);
    server.insert(address.to_owned(), format!("{ours}{safe}").into());
    file.led.push(name.to_owned());
}

/// Whether a command is the proxy already, under whatever path.
fn is_led(command: &str, args: &[Value]) -> bool {
    let base = command.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_word = |at: usize, word: &str| args.get(at).and_then(Value::as_str) == Some(word);
    base.trim_end_matches(".exe") == "tidegate" && is_word(0, "mcp") && is_word(1, "run")
}

/// A name under which the door knows a server.
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

    fn door() -> Url {
        "http://127.0.0.1:8484/".parse().unwrap()
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
            let file = lead(&text.to_string(), "/opt/tidegate", &door(), None).unwrap();
            let read: Value = serde_json::from_str(&file.text).unwrap();
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
            let again = lead(&file.text, "/elsewhere/tidegate", &door(), None).unwrap();
            assert_eq!((again.led, again.text), (Vec::<String>::new(), file.text), "once is enough");
        }
    }

    #[test]
    fn what_cannot_be_led_through_is_named() {
        let text = r#"{"mcp":{"servers":{"old":{"type":"sse","url":"https://mcp.example/sse"},"odd":{},"odder":7}}}"#;
        let file = lead(text, "tidegate", &door(), Some("/srv/door")).unwrap();
        assert_eq!(file.led, Vec::<String>::new());
        assert_eq!(file.notes.len(), 3);
        for bad in ["// a comment\n{}", "{}", "[]", r#"{"servers":[]}"#] {
            lead(bad, "tidegate", &door(), None).unwrap_err();
        }
        let file = lead(r#"{"servers":{"a":{"command":"b"}}}"#, "t", &door(), Some("/srv/door")).unwrap();
        assert!(file.text.contains("/srv/door"));
    }
}
