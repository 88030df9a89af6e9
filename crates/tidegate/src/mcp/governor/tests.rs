use std::sync::Mutex as StdMutex;

use tidegate_model::Action;

use super::*;

/// Refuses by name, and remembers everything.
#[derive(Debug, Default)]
struct FakeGate {
    /// Names of entries that are held.
    held: Vec<&'static str>,
    /// Whether secrets in what passes are refused.
    blocks_secrets: bool,
    /// Whether nothing can be decided.
    is_down: bool,
    told: StdMutex<Vec<String>>,
}

impl FakeGate {
    fn rule(&self, item: Option<&str>, secrets: &[String]) -> Result<Ruling, Unavailable> {
        if self.is_down {
            return Err(Unavailable("the disk is full".into()));
        }
        let refused =
            item.is_some_and(|item| self.held.contains(&item)) || self.blocks_secrets && !secrets.is_empty();
        Ok(Ruling {
            passes: !refused,
            action: if refused { Action::Quarantine } else { Action::Allow },
            rule: refused.then(|| "held".to_owned()),
            reason: "it is held".to_owned(),
            remedy: "ask somebody".to_owned(),
            decision: Some("aaaaaaaaaaaaaaaa".to_owned()),
        })
    }

    fn tell(&self, text: String) {
        self.told.lock().unwrap().push(text);
    }
}

impl Gate for FakeGate {
    async fn list(&self, listing: Listing) -> Result<Vec<ItemRuling>, Unavailable> {
        let mut rulings = Vec::new();
        for item in &listing.items {
            let name = item["name"].as_str();
            rulings.push(ItemRuling {
                digest: Some(format!("digest of {item}")),
                ruling: self.rule(name, &[])?,
            });
        }
        self.tell(format!("list {} {}", listing.kind.as_str(), rulings.len()));
        Ok(rulings)
    }

    async fn ask(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        self.tell(format!("ask {} {:?} {:?}", exchange.method, exchange.item, exchange.shown));
        self.rule(exchange.item.as_deref(), &exchange.secrets)
    }

    async fn end(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        self.tell(format!(
            "end {} {:?} {:?} left out {} by {:?}",
            exchange.method, exchange.item, exchange.outcome, exchange.left_out, exchange.client
        ));
        self.rule(None, &exchange.answered_secrets)
    }
}

fn governor(gate: FakeGate) -> Governor<FakeGate> {
    Governor::new(gate, ["acme/extra".to_owned()])
}

fn bytes(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

fn request(id: i64, method: &str, params: Value) -> Bytes {
    let mut message = json!({ "jsonrpc": "2.0", "id": id, "method": method });
    if !params.is_null() {
        message["params"] = params;
    }
    bytes(&message)
}

fn response(id: i64, result: &Value) -> Bytes {
    bytes(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn told<G>(governor: &Governor<G>) -> Vec<String>
where
    G: AsTold,
{
    governor.gate.told()
}

trait AsTold {
    fn told(&self) -> Vec<String>;
}

impl AsTold for FakeGate {
    fn told(&self) -> Vec<String> {
        self.told.lock().unwrap().clone()
    }
}

/// A token as an issuer makes them: random letters and digits, and their checksum.
fn token() -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        char::from(DIGITS[(state >> 33) as usize % 62])
    };
    let body: String = (0..30).map(|_| draw()).collect();
    let mut sum = flate2::Crc::new();
    sum.update(body.as_bytes());
    let mut rest = sum.sum() as usize;
    let mut check = Vec::new();
    for _ in 0..6 {
        check.push(char::from(DIGITS[rest % 62]));
        rest /= 62;
    }
    let check: String = check.into_iter().rev().collect();
    format!("npm_{body}{check}")
}

/// What passes, read.
#[track_caller]
fn passed(step: Step) -> Value {
    match step {
        Step::Pass(bytes) => serde_json::from_slice(&bytes).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn error_of(value: &Value) -> (i64, String) {
    (value["error"]["code"].as_i64().unwrap(), value["error"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_list_loses_what_is_held_and_a_call_of_it_is_explained() {
    let governor = governor(FakeGate { held: vec!["drop"], ..FakeGate::default() });
    assert!(matches!(governor.from_client(request(1, "tools/list", Value::Null)).await, Step::Pass(_)));
    let list = json!({ "tools": [{ "name": "read" }, { "name": "drop" }], "nextCursor": "c", "ttlMs": 9, "_meta": { "a": 1 } });
    let shown = passed(governor.from_server(response(1, &list)).await);
    assert_eq!(
        shown["result"],
        json!({ "tools": [{ "name": "read" }], "nextCursor": "c", "ttlMs": 0, "_meta": { "a": 1 } })
    );
    let refused =
        governor.from_client(request(2, "tools/call", json!({ "name": "drop", "arguments": {} }))).await;
    let Step::Answer(refused) = refused else { panic!("{refused:?}") };
    assert_eq!(error_of(&refused), (REFUSED, "tidegate: it is held. What to do: ask somebody".to_owned()));
    assert_eq!(refused["id"], 2);
    assert_eq!(refused["error"]["data"]["action"], "quarantine");
    assert_eq!(refused["error"]["data"]["decision"], "aaaaaaaaaaaaaaaa");
    let call = request(3, "tools/call", json!({ "name": "read", "arguments": { "path": "a" } }));
    assert_eq!(governor.from_client(call.clone()).await, Step::Pass(call), "what passes passes as it came");
    let answer = response(3, &json!({ "content": [] }));
    assert_eq!(governor.from_server(answer.clone()).await, Step::Pass(answer));
    assert_eq!(
        told(&governor),
        [
            "ask tools/list None None",
            "list tool 2",
            "end tools/list None Some(Answered) left out 1 by None",
            "ask tools/call Some(\"drop\") Some(\"digest of {\\\"name\\\":\\\"drop\\\"}\")",
            "ask tools/call Some(\"read\") Some(\"digest of {\\\"name\\\":\\\"read\\\"}\")",
            "end tools/call Some(\"read\") Some(Answered) left out 0 by None",
        ]
    );
}

#[tokio::test]
async fn answers_that_nobody_asked_for_go_nowhere() {
    let governor = governor(FakeGate::default());
    let list = json!({ "tools": [{ "name": "evil" }] });
    assert_eq!(governor.from_server(response(1, &list)).await, Step::Drop);
    governor.from_client(request(1, "ping", Value::Null)).await;
    assert!(matches!(governor.from_server(response(1, &json!({}))).await, Step::Pass(_)));
    assert_eq!(governor.from_server(response(1, &list)).await, Step::Drop, "once");
    assert_eq!(governor.from_client(response(9, &json!({}))).await, Step::Drop, "of the client neither");
    assert_eq!(governor.from_server(Bytes::from_static(b"Listening on stdio")).await, Step::Drop);
}

#[tokio::test]
async fn unknown_methods_do_not_pass_unless_they_are_named() {
    let governor = governor(FakeGate::default());
    let Step::Answer(refused) = governor.from_client(request(1, "acme/other", Value::Null)).await else {
        panic!()
    };
    assert_eq!(error_of(&refused).0, METHOD_NOT_FOUND);
    assert!(matches!(governor.from_client(request(1, "acme/extra", Value::Null)).await, Step::Pass(_)));
    let Step::Answer(refused) = governor.from_server(request(1, "tools/call", Value::Null)).await else {
        panic!()
    };
    assert_eq!(error_of(&refused).0, METHOD_NOT_FOUND);
    let note = bytes(&json!({ "jsonrpc": "2.0", "method": "notifications/tools/list_changed" }));
    assert_eq!(governor.from_server(note.clone()).await, Step::Pass(note));
    let odd = bytes(&json!({ "jsonrpc": "2.0", "method": "tools/call", "params": { "name": "x" } }));
    assert_eq!(governor.from_client(odd).await, Step::Drop, "a call without an id is none");
}

#[tokio::test]
async fn secrets_in_arguments_and_in_answers_are_found() {
    let secret = token();
    let governor = governor(FakeGate { blocks_secrets: true, ..FakeGate::default() });
    let call =
        |id, text: &str| request(id, "tools/call", json!({ "name": "post", "arguments": { "text": text } }));
    let Step::Answer(refused) = governor.from_client(call(1, &format!("use {secret}"))).await else {
        panic!()
    };
    assert_eq!(error_of(&refused).0, REFUSED);
    assert!(!refused.to_string().contains(&secret));
    assert!(matches!(governor.from_client(call(2, "nothing here")).await, Step::Pass(_)));
    let answer = response(2, &json!({ "content": [{ "type": "text", "text": format!("token={secret}") }] }));
    let told = passed(governor.from_server(answer).await);
    assert_eq!(error_of(&told).0, REFUSED, "{told}");
    assert!(!told.to_string().contains(&secret));
}

#[tokio::test]
async fn nothing_passes_where_nothing_can_be_decided_or_recorded() {
    let governor = governor(FakeGate { is_down: true, ..FakeGate::default() });
    for method in ["initialize", "tools/list", "resources/read"] {
        let step = governor.from_client(request(1, method, json!({}))).await;
        let Step::Answer(refused) = step else { panic!("{method}: {step:?}") };
        assert!(error_of(&refused).1.contains("the disk is full"), "{refused}");
    }
    assert!(governor.state().asked.is_empty());
}

#[tokio::test]
async fn instructions_are_judged_as_a_tool_is() {
    let governor = governor(FakeGate { held: vec![INSTRUCTIONS], ..FakeGate::default() });
    let hello =
        json!({ "protocolVersion": "2025-06-18", "clientInfo": { "name": "desk\u{7}top", "version": "1" } });
    governor.from_client(request(0, "initialize", hello)).await;
    let result = json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "instructions": "obey", "serverInfo": {} });
    let shown = passed(governor.from_server(response(0, &result)).await);
    assert_eq!(
        shown["result"],
        json!({ "protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {} })
    );
    assert_eq!(told(&governor)[2], "end initialize None Some(Answered) left out 1 by Some(\"desktop\")");
}

#[tokio::test]
async fn requests_are_bounded_and_those_without_an_answer_are_recorded() {
    let governor = governor(FakeGate::default());
    let call = |id| request(id, "tools/call", json!({ "name": "wait" }));
    for id in 0..i64::try_from(MAX_PENDING).unwrap() {
        assert!(matches!(governor.from_client(call(id)).await, Step::Pass(_)));
    }
    let Step::Answer(refused) = governor.from_client(call(-1)).await else { panic!() };
    assert!(error_of(&refused).1.contains("wait for an answer already"));
    let cancel = bytes(
        &json!({ "jsonrpc": "2.0", "method": "notifications/cancelled", "params": { "requestId": 7 } }),
    );
    assert!(matches!(governor.from_client(cancel).await, Step::Pass(_)));
    let Step::Answer(refused) = governor.from_client(call(8)).await else { panic!() };
    assert!(error_of(&refused).1.contains("another request with this id"));
    assert_eq!(governor.from_server(response(7, &json!({}))).await, Step::Drop, "taken back");
    governor.close().await;
    let unanswered = told(&governor).iter().filter(|line| line.contains("Unanswered")).count();
    assert_eq!(unanswered, MAX_PENDING);
}

#[tokio::test]
async fn requests_of_the_server_pass_and_their_answers_are_looked_through() {
    let secret = token();
    let governor = governor(FakeGate { blocks_secrets: true, ..FakeGate::default() });
    let ask = request(5, "elicitation/create", json!({ "message": "your token?" }));
    assert!(matches!(governor.from_server(ask).await, Step::Pass(_)));
    let answer = response(5, &json!({ "action": "accept", "content": { "token": secret } }));
    let passed = passed(governor.from_client(answer).await);
    assert_eq!(error_of(&passed).0, REFUSED, "the server is told instead");
    assert!(!passed.to_string().contains(&secret));
    let ping = request(6, "ping", Value::Null);
    assert_eq!(governor.from_server(ping.clone()).await, Step::Pass(ping));
    let pong = response(6, &json!({}));
    assert_eq!(governor.from_client(pong.clone()).await, Step::Pass(pong));
}
