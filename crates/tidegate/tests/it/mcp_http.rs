//! MCP servers elsewhere through the door, in both eras: with the kits, and with a server that records what reaches it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate::config::McpServer;
use tidegate_testkit::client::RawResponse;
use tidegate_testkit::process::Running;
use tidegate_testkit::{FakeUpstream, Style, tools};

use crate::clients_support::Site;
use crate::mcp_support::{Scripts, lines};
use crate::support::{Setup, TestDoor, json};

/// A request as it reached the server.
#[derive(Clone, Debug)]
pub(crate) struct Reached {
    pub(crate) head: String,
    pub(crate) body: String,
}

/// A server that answers what a test says, and remembers what reached it.
pub(crate) struct Stub {
    pub(crate) url: String,
    reached: Arc<Mutex<Vec<Reached>>>,
}

impl Stub {
    /// `answer` gives status line, headers and body.
    fn start(answer: impl Fn(&Reached) -> (String, String) + Send + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let url = format!("http://{}/mcp", listener.local_addr().unwrap());
        let reached = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&reached);
        // Ends with the process: nobody connects once the test is over.
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let mut head = String::new();
                while reader.read_line(&mut head).unwrap() > 2 {}
                let length = head
                    .lines()
                    .find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned)
                    })
                    .map_or(0, |length| length.trim().parse().unwrap());
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                let request = Reached { head, body: String::from_utf8(body).unwrap() };
                let (head, body) = answer(&request);
                log.lock().unwrap().push(request);
                let _ = write!(
                    stream,
                    "HTTP/1.1 {head}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                );
            }
        });
        Self { url, reached }
    }

    /// One that lists a tool and answers calls of it, as JSON.
    pub(crate) fn tools() -> Self {
        Self::start(|request| {
            let asked: Value = serde_json::from_str(&request.body).unwrap_or_default();
            let result = match asked["method"].as_str() {
                Some("tools/list") => {
                    json!({ "tools": [{ "name": "add", "description": "Adds.", "inputSchema": { "type": "object" } }] })
                }
                Some("tools/call") => json!({ "content": [{ "type": "text", "text": "3" }] }),
                _ => json!({}),
            };
            let answer = json!({ "jsonrpc": "2.0", "id": asked["id"], "result": result });
            ("200 OK\r\nContent-Type: application/json".to_owned(), answer.to_string())
        })
    }

    fn open(&self, change: impl FnOnce(&mut McpServer)) -> TestDoor {
        let upstream = FakeUpstream::start();
        let mut server = McpServer { url: self.url.parse().unwrap(), token_env: None, purl: None };
        change(&mut server);
        let setup = Setup::new(&upstream).with(|c| {
            c.server.public_url = Some("http://door.test/".parse().unwrap());
            c.mcp.server.insert("demo".to_owned(), server);
        });
        setup.open()
    }

    pub(crate) fn reached(&self) -> Vec<Reached> {
        self.reached.lock().unwrap().clone()
    }
}

fn post(door: &TestDoor, lines: &[&str], body: &Value) -> RawResponse {
    let mut all = vec!["Content-Type: application/json", "Accept: application/json, text/event-stream"];
    all.extend_from_slice(lines);
    door.send("POST", "/mcp/run/demo", &all, body.to_string().as_bytes())
}

fn request(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": 1, "method": method, "params": params })
}

/// A request of the newer revision.
fn stateless(method: &str, mut params: Value) -> Value {
    params["_meta"] = json!({ "io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {} });
    request(method, &params)
}

const VERSION: &str = "MCP-Protocol-Version: 2026-07-28";

#[test]
fn headers_that_contradict_the_body_are_refused_before_anything_happens() {
    let stub = Stub::tools();
    let door = stub.open(|_| {});
    let call = stateless("tools/call", json!({ "name": "add", "arguments": {} }));
    let list = stateless("tools/list", json!({}));
    assert!(
        json(&post(&door, &[VERSION, "Mcp-Method: tools/list"], &list))["result"]["tools"][0]["name"]
            == "add"
    );
    let good = [VERSION, "Mcp-Method: tools/call", "Mcp-Name: add"];
    assert_eq!(json(&post(&door, &good, &call))["result"]["content"][0]["text"], "3");
    let before = stub.reached().len();
    for lines in [
        vec![VERSION, "Mcp-Method: tools/list", "Mcp-Name: add"],
        vec![VERSION, "Mcp-Method: tools/call", "Mcp-Name: sub"],
        vec![VERSION, "Mcp-Method: tools/call"],
        vec!["MCP-Protocol-Version: 2025-06-18", "Mcp-Method: tools/call", "Mcp-Name: add"],
        vec![VERSION, "Mcp-Method: tools/call", "Mcp-Name: add", "Mcp-Name: sub"],
    ] {
        let told = post(&door, &lines, &call);
        assert_eq!((told.status, json(&told)["error"]["code"].as_i64()), (400, Some(-32020)), "{lines:?}");
    }
    assert_eq!(stub.reached().len(), before, "nothing of it reached the server");
    let passed = &stub.reached()[1].head.to_ascii_lowercase();
    assert!(passed.contains("mcp-name: add") && passed.contains("mcp-method: tools/call"), "{passed}");
}

#[test]
fn credentials_redirects_and_other_sites_stay_apart() {
    let stub = Stub::tools();
    let door = stub.open(|server| server.token_env = Some("PATH".into()));
    let list = request("tools/list", &json!({}));
    let token = door.token("dev", &[]);
    let told = post(&door, &[&format!("Authorization: Bearer {token}"), "Cookie: a=b"], &list);
    assert_eq!(told.status, 200);
    let head = &stub.reached()[0].head;
    let ours = format!("authorization: Bearer {}", std::env::var("PATH").unwrap());
    assert!(head.contains(&ours) && !head.contains(&token) && !head.contains("a=b"), "{head}");
    assert_eq!(post(&door, &["Origin: http://evil.example"], &list).status, 403);
    assert_eq!(door.send("POST", "/mcp/run/other", &[], list.to_string().as_bytes()).status, 404);
    assert_eq!(stub.reached().len(), 1);
    let limited = door.token("other", &["npm"]);
    let told = door.send("POST", &format!("/t/{limited}/mcp/run/demo"), &[], list.to_string().as_bytes());
    assert_eq!(told.status, 403, "a token of other repositories");

    let elsewhere = Stub::tools();
    let target = elsewhere.url.clone();
    let stub = Stub::start(move |_| {
        (
            format!(
                "307 Temporary Redirect\r\nLocation: {target}\r\nWWW-Authenticate: Bearer resource_metadata=\"{target}\""
            ),
            String::new(),
        )
    });
    let door = stub.open(|_| {});
    let told = post(&door, &[], &list);
    assert!(json(&told)["error"]["message"].as_str().unwrap().contains("not followed"), "{}", told.text());
    assert!(told.header("location").is_none() && told.header("www-authenticate").is_none());
    assert!(elsewhere.reached().is_empty(), "nobody was led past the door");
}

#[test]
fn what_a_server_answers_is_an_answer_or_nothing() {
    let hostile = [
        (
            "200 OK\r\nContent-Type: application/json",
            json!({ "jsonrpc": "2.0", "id": 2, "result": { "tools": [] } }).to_string(),
        ),
        ("200 OK\r\nContent-Type: application/json", "not json".to_owned()),
        ("200 OK\r\nContent-Type: application/json", "[]".to_owned()),
        ("200 OK\r\nContent-Type: text/html", "<html>".to_owned()),
        ("500 Oops\r\nContent-Type: text/plain", "x".to_owned()),
        ("401 No\r\nContent-Type: text/plain", "x".to_owned()),
        (
            "200 OK\r\nContent-Type: application/json",
            r#"{"jsonrpc":"2.0","id":1,"result":{"tools":[]},"result":{"tools":[{"name":"x"}]}}"#.to_owned(),
        ),
    ];
    for (head, body) in hostile {
        let answered = body.clone();
        let stub = Stub::start(move |_| (head.to_owned(), answered.clone()));
        let door = stub.open(|_| {});
        let told = json(&post(&door, &[], &request("tools/list", &json!({}))));
        assert_eq!(
            (told["id"].as_i64(), told["error"]["code"].as_i64()),
            (Some(1), Some(-32050)),
            "{head} {body}: {told}"
        );
    }
    let events = "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":9,\"result\":{\"tools\":[{\"name\":\"unasked\"}]}}\r\n\r\nid: 4\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{}}\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"tools\":[]}}\n\n";
    let stub = Stub::start(move |_| {
        ("200 OK\r\nContent-Type: text/event-stream; charset=utf-8".to_owned(), events.to_owned())
    });
    let door = stub.open(|_| {});
    let told = post(&door, &[], &request("tools/list", &json!({}))).text();
    assert!(
        !told.contains("unasked") && told.contains("notifications/message") && told.contains("id: 4"),
        "{told}"
    );
    assert!(told.contains("\"id\":1"), "{told}");
}

#[test]
fn an_advisory_on_the_package_of_a_server_elsewhere_refuses_its_next_call() {
    let stub = Stub::tools();
    let door = stub.open(|server| server.purl = Some("pkg:npm/%40acme/tickets@2.1.0".into()));
    let list = request("tools/list", &json!({}));
    let call = request("tools/call", &json!({ "name": "add", "arguments": {} }));
    assert!(json(&post(&door, &[], &list))["result"].is_object());
    assert!(json(&post(&door, &[], &call))["result"].is_object());
    let before = stub.reached().len();
    let record = json!({
        "id": "MAL-2026-8", "modified": "2026-01-02T00:00:00Z", "summary": "takes credentials",
        "affected": [{ "package": { "ecosystem": "npm", "name": "@acme/tickets" }, "versions": ["2.1.0"] }],
    });
    crate::effects::import(&door, &[record]);
    let known = Instant::now();
    let told = json(&post(&door, &[], &call));
    assert!(known.elapsed() < Duration::from_secs(2));
    assert!(told["error"]["message"].as_str().unwrap().contains("MAL-2026-8"), "{told}");
    assert_eq!(told["error"]["data"]["action"], "block");
    assert!(json(&post(&door, &[], &list))["error"].is_object());
    assert_eq!(stub.reached().len(), before, "nothing reached it any more");
}

/// The Python kit's server over HTTP, once it listens.
fn http_server(scripts: &Scripts, python: &tools::Tool) -> (Running, u16) {
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
    let program = python.called_by(&scripts.home).arg(scripts.path("server.py")).arg(port.to_string());
    let mut running = program.env("TOOL_TEXT", scripts.path("text")).spawn();
    let end = Instant::now() + Duration::from_secs(120);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < end, "{:?}", running.output_so_far());
        std::thread::sleep(Duration::from_millis(50));
    }
    (running, port)
}

#[test]
fn the_kits_over_http_in_both_eras() {
    let Some(python) = tools::mcp_python() else { return };
    let scripts = Scripts::new();
    let (_server, port) = http_server(&scripts, &python);
    let mut site = Site::closed(Style::Rich);
    let config = format!("[mcp.server.demo]\nurl = \"http://127.0.0.1:{port}/mcp\"\n");
    std::fs::write(site.data.join("tidegate.toml"), config).unwrap();
    site.start_door("127.0.0.1:0");
    let address = format!("{}mcp/run/demo", site.address());
    let steps = ["list", "call add {\"a\":1,\"b\":2}", "call fail", "call missing"];
    let mut modes = vec![(python.clone(), "client.py", "legacy"), (python, "client.py", "auto")];
    if let (Some(node), Some(_)) = (tools::node(), tools::mcp_kits()) {
        for mode in ["first", "legacy", "auto"] {
            modes.push((node.clone(), "client.mjs", mode));
        }
    }
    let count = modes.len();
    for (tool, script, mode) in modes {
        let out = scripts.client(&tool, script, mode, &steps).arg(&address).run().expect_success().stdout;
        let era = if mode == "auto" { "speaks 2026-07-28" } else { "speaks 2025-" };
        assert!(out.contains(era), "{script} {mode}: {out}");
        assert!(out.contains("list add(Adds two numbers.),echo("), "{script} {mode}: {out}");
        assert!(out.contains("called add 3") && out.contains("failed fail"), "{script} {mode}: {out}");
        let error = lines(&out, "error")[0];
        assert!(
            error.contains("-32050") && error.contains("missing is in no list"),
            "{script} {mode}: {error}"
        );
    }
    let all = site.tidegate(&site.operator, &["ledger", "export"]).run().expect_success().stdout;
    let calls: Vec<Value> = all
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|entry| entry["kind"] == "call" && entry["method"] == "tools/call")
        .collect();
    assert_eq!(calls.len(), 3 * count);
    assert!(calls.iter().all(|call| call["transport"] == "http"));
}
