//! `tidegate setup mcp` on the files in which clients keep their servers: what is written is started and called as the client does
//! it, goes through the door, and can be taken back.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{Package, Style};

use crate::clients_support::{Site, read};
use crate::mcp_http::Stub;
use crate::mcp_listed::npx;

/// A site, a client's home with a server's program, and a server elsewhere.
struct Desk {
    site: Site,
    home: Home,
    npx: PathBuf,
    elsewhere: Stub,
}

impl Desk {
    fn new() -> Self {
        let site = Site::open(Style::Rich);
        site.upstream.publish(Package::npm("files-of-test", "1.0.0"));
        let home = Home::new();
        let npx = npx(&home.folder("bin"));
        Self { site, home, npx, elsewhere: Stub::tools() }
    }

    /// A file of the client, with the program and the address where `{npx}` and `{url}` stand.
    fn file(&self, path: &str, text: &str) -> PathBuf {
        let path = self.home.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let text = text.replace("{npx}", self.npx.to_str().unwrap()).replace("{url}", &self.elsewhere.url);
        fs::write(&path, text).unwrap();
        path
    }

    fn setup(&self, file: &Path, options: &[&str]) -> Finished {
        self.site.tidegate(&self.home, &["setup", "mcp"]).arg(file).args(options).run()
    }

    /// Starts a server as its client does, lists its tools and calls one.
    fn starts(&self, server: &Value) -> String {
        let script = r#"{ printf '{"jsonrpc":"2.0","id":1,"method":"tools/list"}\n'; sleep 1; printf '{"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"add","arguments":{}}}\n'; sleep 1; } | "$0" "$@""#;
        let args = server["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
        let program = Program::new("/bin/sh", &self.home).args(["-c", script]);
        program.arg(server["command"].as_str().unwrap()).args(args).run().expect_success().stdout
    }

    /// Adds what a person was told to add to the door's configuration, and opens it anew at the same address.
    fn configure(&mut self, said: &str) {
        let sections = said.split("add to the door's configuration:\n").skip(1);
        let sections: String = sections
            .map(|section| {
                section.lines().take_while(|line| !line.starts_with("note:")).collect::<Vec<_>>().join("\n")
                    + "\n"
            })
            .collect();
        assert!(sections.contains("[mcp.server."), "{said}");
        let address = self.site.address();
        self.site.close_door();
        let file = self.site.data.join("tidegate.toml");
        fs::write(&file, read(&file) + "\n" + &sections.replace("NAME_OF_A_VARIABLE", "PATH")).unwrap();
        self.site.start_door(address.trim_start_matches("http://").trim_end_matches('/'));
    }

    /// Calls a server as its client does.
    fn calls(&self, server: &Value) -> Value {
        let url: url::Url = server["url"].as_str().or(server["serverUrl"].as_str()).unwrap().parse().unwrap();
        let list = json!({ "jsonrpc": "2.0", "id": 1, "method": "tools/list" }).to_string();
        let address = url.socket_addrs(|| None).unwrap()[0];
        let asked = format!(
            "POST {} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nContent-Length: {}\r\n\r\n{list}",
            url.path(),
            list.len()
        );
        let told = tidegate_testkit::client::exchange(address, asked.as_bytes()).unwrap();
        serde_json::from_str(&told.text()).unwrap_or_else(|_| panic!("{}", told.text()))
    }

    /// Everything that there is to hold of a file with the servers `files` and `far` below `place`.
    #[track_caller]
    fn holds(mut self, path: &str, text: &str, place: &str) {
        let file = self.file(path, text);
        let before = read(&file);
        let printed = self.setup(&file, &[]).expect_success();
        assert_eq!(read(&file), before, "nothing is written unless asked for");
        let written = self.setup(&file, &["--write"]).expect_success().stdout;
        assert_eq!(read(&file), printed.stdout, "what is printed is what is written");
        assert!(written.contains("files, far"), "{written}");

        let servers = |text: &str| plain(text).pointer(place).unwrap().clone();
        let (now, was) = (servers(&read(&file)), servers(&before));
        assert_eq!(now["files"]["env"], was["files"]["env"]);
        // Beside commands and addresses every line is the client's own.
        let mut others = before.lines().filter(|line| {
            !["command", "args", "npx", "-y", "{", "}", "url", "Url", "headers"]
                .iter()
                .any(|word| line.contains(word))
        });
        let after = read(&file);
        assert!(others.clone().count() > 3, "{before}");
        assert!(others.all(|line| after.contains(line)), "{before}\n{after}");

        let out = self.starts(&now["files"]);
        assert!(out.contains("\"name\":\"add\"") && out.contains("\"text\":\"3\""), "{out}");
        self.configure(&written);
        let reached = self.elsewhere.reached().len();
        let told = self.calls(&now["far"]);
        assert_eq!(told["result"]["tools"][0]["name"], "add", "{told}");
        assert_eq!(self.elsewhere.reached().len(), reached + 1);
        let calls =
            self.site.tidegate(&self.site.operator, &["ledger", "export"]).run().expect_success().stdout;
        let calls: Vec<Value> = calls.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of =
            |name: &str| calls.iter().filter(|one| one["kind"] == "call" && one["server"] == name).count();
        assert!(of("files") >= 2 && of("far") >= 1, "both went through the door");
        assert!(
            calls.iter().any(|one| one["kind"] == "call" && one["purl"] == "pkg:npm/files-of-test@1.0.0")
        );

        let folder = file.parent().unwrap();
        let kept = fs::read_dir(folder).unwrap().count();
        let again = self.setup(&file, &["--write"]).expect_success().stdout;
        assert!(again.contains("leads every server through the door already"), "{again}");
        assert_eq!((read(&file), fs::read_dir(folder).unwrap().count()), (after, kept), "once is enough");

        let undo = written.lines().find_map(|line| line.trim().strip_prefix("take it back: ")).unwrap();
        Program::new("/bin/sh", &self.home).args(["-c", undo]).run().expect_success();
        assert_eq!(read(&file), before);
    }
}

/// A document as editors read it: without comments on lines of their own, and without the last comma of a list.
fn plain(text: &str) -> Value {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    let mut text = lines.join(" ");
    for end in ['}', ']'] {
        while let Some(comma) =
            text.match_indices(',').map(|(at, _)| at).find(|at| text[at + 1..].trim_start().starts_with(end))
        {
            text.remove(comma);
        }
    }
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[test]
fn a_file_of_claude_is_led_through_the_door_and_back() {
    let text = r#"{
  "globalShortcut": "Ctrl+Space",
  "scale": 1.50,
  "preferences":
    [ "dark", 12345678901234567890123 ],
  "mcpServers": {
    "files": {
      "command": "{npx}",
      "args": ["-y", "files-of-test@1.0.0", "/srv"],
      "env": { "KEY": "a value" }
    },
    "far": { "type": "http", "url": "{url}" }
  }
}
"#;
    Desk::new().holds("claude_desktop_config.json", text, "/mcpServers");
}

#[test]
fn a_file_of_cursor_is_led_through_the_door_and_back() {
    let text = "{\n\t\"mcpServers\": {\n\t\t\"files\": {\n\t\t\t\"env\": {\n\t\t\t\t\"KEY\": \"${env:KEY}\"\n\t\t\t},\n\t\t\t\"envFile\": \".env\",\n\t\t\t\"disabled\": false,\n\t\t\t\"command\": \"{npx}\",\n\t\t\t\"args\": [\n\t\t\t\t\"-y\",\n\t\t\t\t\"files-of-test@1.0.0\"\n\t\t\t]\n\t\t},\n\t\t\"far\": {\n\t\t\t\"url\": \"{url}\",\n\t\t\t\"headers\": {\n\t\t\t\t\"Authorization\": \"Bearer ${env:KEY}\"}\n\t\t}\n\t}\n}";
    Desk::new().holds(".cursor/mcp.json", text, "/mcpServers");
}

#[test]
fn a_file_of_vs_code_keeps_its_comments() {
    let text = r#"// servers of this project
{
  "inputs": [
    // asked for once
    { "type": "promptString", "id": "key", "password": true },
  ],
  "servers": {
    // started here
    "files": {
      "type": "stdio",
      "command": "{npx}",
      "args": [
        // yes
        "-y",
        "files-of-test@1.0.0",
      ],
      "env": { "KEY": "${input:key}" },
    },
    // somewhere else
    "far": {
      "type": "http",
      "url": "{url}",
    },
  },
}
"#;
    Desk::new().holds(".vscode/mcp.json", text, "/servers");
}

#[test]
fn a_file_that_cannot_be_read_stays_as_it_is() {
    let desk = Desk::new();
    let deep = "[".repeat(10_000);
    for (bytes, why) in [
        (&b""[..], "line 1, column 1"),
        (b"{\n  \"mcpServers\": {\n    \"a\": { \"command\": \"x\"\n", "line 4"),
        (b"{\n  \"mcpServers\": { \"a\": { command: \"x\" } } }", "line 2, column 26"),
        (b"{ \"mcpServers\": { \"a\": { \"command\": \"x\" } } } trailing", "line 1, column 47"),
        (
            b"{ \"mcpServers\": { \"a\": { \"command\": \"x\", \"command\": \"y\" } } }",
            "`command` stands twice",
        ),
        (
            b"{ \"mcpServers\": { \"a\": { \"command\": \"x\" }, \"a\": { \"command\": \"y\" } } }",
            "`a` stands twice",
        ),
        (b"{ \"mcpServers\": [] }", "names no MCP servers"),
        (b"{ \"theme\": \"dark\" }", "names no MCP servers"),
        (b"{ \"mcpServers\": { \"a\": { \"command\": \"\xff\" } } }", "not UTF-8"),
        (deep.as_bytes(), "too deep"),
    ] {
        let folder = tempfile::tempdir_in(desk.home.path()).unwrap();
        let file = folder.path().join("mcp.json");
        fs::write(&file, bytes).unwrap();
        let refused = desk.setup(&file, &["--write"]).expect_failure();
        assert!(
            refused.stderr.contains(why) && refused.stderr.contains("mcp.json"),
            "{why}: {}",
            refused.stderr
        );
        assert!(refused.stderr.contains("is left as it is"), "{}", refused.stderr);
        assert_eq!(fs::read(&file).unwrap(), bytes, "{why}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "no copy of what stays: {why}");
    }
    for missing in ["nothing.json", "."] {
        let refused = desk.setup(&desk.home.path().join(missing), &["--write"]).expect_failure();
        assert!(
            refused.stderr.contains("name the file in which the client keeps its servers"),
            "{}",
            refused.stderr
        );
    }
}

#[test]
fn what_goes_past_the_door_is_named_and_stays() {
    let desk = Desk::new();
    let text = r#"{ "servers": { "old": { "type": "sse", "url": "https://mcp.example/sse" }, "odd": { "args": ["x"] } } }"#;
    let file = desk.file(".vscode/mcp.json", text);
    let told = desk.setup(&file, &["--write"]).expect_success().stdout;
    assert!(told.contains("stays as it was") && !told.contains("already"), "{told}");
    assert!(told.contains("note: old speaks") && told.contains("note: odd has neither"), "{told}");
    assert_eq!(read(&file), text);
}
