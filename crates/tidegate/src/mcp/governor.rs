//! Governs what passes between one client and one server, whatever carries it.
//!
//! A request is decided on before it leaves and recorded before its answer is passed on; lists lose the entries that are not let
//! through; an answer that nobody asked for goes nowhere. It keeps no message, and refuses to send anything of its own but
//! answers.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value, json};
use tidegate_inspect::mcp::change::INSTRUCTIONS;
use tidegate_inspect::mcp::tools::digest;

use super::gate::{Exchange, Gate, ItemRuling, Listing, Outcome, Ruling, Unavailable};
use super::message::{self, Id, METHOD_NOT_FOUND, Malformed, Message, REFUSED};
use super::methods::{self, Kind, Rule};
use super::secrets;

/// Requests of one session whose answer is awaited, in each direction.
pub const MAX_PENDING: usize = 1_024;

/// Entries of lists that one session remembers.
const MAX_SHOWN: usize = 4_096;

/// The longest name of an entry, in bytes.
const MAX_ITEM_BYTES: usize = 256;

/// What becomes of a message.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// It goes to the other side, as these bytes.
    Pass(Bytes),
    /// Its sender is answered with this instead.
    Answer(Value),
    /// It goes nowhere.
    Drop,
}

/// A request whose answer is awaited.
#[derive(Clone, Debug)]
struct Pending {
    rule: Rule,
    exchange: Exchange,
}

/// What one session knows.
#[derive(Debug, Default)]
struct State {
    /// Requests of the client.
    asked: HashMap<Id, Pending>,
    /// Requests of the server, of an earlier revision.
    asked_back: HashMap<Id, Pending>,
    /// The text under which the server last told entries, by their digests.
    shown: HashMap<(Kind, String), String>,
    /// What the client calls itself.
    client: Option<String>,
}

/// Governs one session.
#[derive(Debug)]
pub struct Governor<G> {
    gate: G,
    also: HashSet<String>,
    state: Mutex<State>,
}

impl<G: Gate> Governor<G> {
    /// Begins; `also` are methods that pass although the protocol does not have them.
    pub fn new(gate: G, also: impl IntoIterator<Item = String>) -> Self {
        Self { gate, also: also.into_iter().collect(), state: Mutex::default() }
    }

    /// What decides.
    pub const fn gate(&self) -> &G {
        &self.gate
    }

    /// A message of the client.
    pub async fn from_client(&self, bytes: Bytes) -> Step {
        match Message::parse(&bytes) {
            Err(malformed) => answer_malformed(&malformed),
            Ok(Message::Notification { method, params }) => {
                self.told_by_client(&method, &params, bytes).await
            }
            Ok(Message::Request { id, method, params }) => {
                self.asked_by_client(id, method, params, bytes).await
            }
            Ok(Message::Response { id, outcome }) => self.answered_by_client(id, outcome, bytes).await,
        }
    }

    /// A message of the server.
    pub async fn from_server(&self, bytes: Bytes) -> Step {
        match Message::parse(&bytes) {
            // The client cannot be told which of its requests this was meant for.
            Err(malformed) => {
                tracing::warn!("a message of the server is not passed on: {malformed}");
                Step::Drop
            }
            Ok(Message::Notification { method, .. }) => {
                if methods::is_notification(&method) || self.also.contains(&method) {
                    Step::Pass(bytes)
                } else {
                    Step::Drop
                }
            }
            Ok(Message::Request { id, method, params }) => {
                self.asked_by_server(id, method, params, bytes).await
            }
            Ok(Message::Response { id, outcome }) => self.answered_by_server(id, outcome, bytes).await,
        }
    }

    /// Records what was asked and will not be answered any more.
    pub async fn close(&self) {
        let left: Vec<Pending> = {
            let mut state = self.state();
            let State { asked, asked_back, .. } = &mut *state;
            asked.drain().chain(asked_back.drain()).map(|(_, pending)| pending).collect()
        };
        for pending in left {
            self.give_up(pending).await;
        }
    }

    /// Records one request that will not be answered any more, by its id.
    pub async fn close_request(&self, id: &Id) {
        let pending = self.state().asked.remove(id);
        if let Some(pending) = pending {
            self.give_up(pending).await;
        }
    }

    async fn give_up(&self, pending: Pending) {
        if !matches!(pending.rule, Rule::Use(_) | Rule::Record) {
            return;
        }
        let exchange = Exchange { outcome: Some(Outcome::Unanswered), ..pending.exchange };
        if let Err(error) = self.gate.end(exchange).await {
            tracing::error!("a request that was not answered could not be recorded: {error}");
        }
    }

    async fn told_by_client(&self, method: &str, params: &Value, bytes: Bytes) -> Step {
        if method == "notifications/cancelled" {
            let id = params.get("requestId").and_then(id_of);
            if let Some(id) = id {
                self.close_request(&id).await;
            }
        }
        if methods::is_notification(method) || self.also.contains(method) {
            Step::Pass(bytes)
        } else {
            Step::Drop
        }
    }

    async fn asked_by_client(&self, id: Id, method: String, params: Value, bytes: Bytes) -> Step {
        let rule = match methods::of_client(&method) {
            Rule::Unknown if self.also.contains(&method) => Rule::Record,
            rule => rule,
        };
        if rule == Rule::Unknown {
            let why = format!(
                "tidegate does not pass on `{}`: no revision of the protocol has it; `[mcp] methods` can name it",
                method.escape_debug()
            );
            return Step::Answer(message::error(&id, METHOD_NOT_FOUND, &why, None));
        }
        self.learn_client(&method, &params);
        let exchange = match self.exchange(&method, rule, params).await {
            Ok(exchange) => exchange,
            Err(why) => return Step::Answer(message::error(&id, message::INVALID_REQUEST, &why, None)),
        };
        if let Some(refused) = self.reserve(&id, rule, &exchange) {
            return Step::Answer(refused);
        }
        if rule == Rule::Pass {
            return Step::Pass(bytes);
        }
        match self.gate.ask(exchange).await {
            Ok(ruling) if ruling.passes => {
                if let Some(pending) = self.state().asked.get_mut(&id) {
                    pending.exchange.decision = ruling.decision;
                }
                Step::Pass(bytes)
            }
            Ok(ruling) => {
                self.state().asked.remove(&id);
                Step::Answer(refusal(&id, &ruling))
            }
            Err(error) => {
                self.state().asked.remove(&id);
                Step::Answer(unavailable(&id, &error))
            }
        }
    }

    /// Takes a place among those whose answer is awaited; else what is answered at once.
    fn reserve(&self, id: &Id, rule: Rule, exchange: &Exchange) -> Option<Value> {
        let mut state = self.state();
        if state.asked.len() >= MAX_PENDING {
            let why = format!("tidegate: {MAX_PENDING} requests wait for an answer already");
            return Some(message::error(id, REFUSED, &why, None));
        }
        if state.asked.contains_key(id) {
            let why = "tidegate: another request with this id waits for its answer";
            return Some(message::error(id, message::INVALID_REQUEST, why, None));
        }
        state.asked.insert(id.clone(), Pending { rule, exchange: exchange.clone() });
        None
    }

    /// What is asked of the gate about a request.
    async fn exchange(&self, method: &str, rule: Rule, params: Value) -> Result<Exchange, String> {
        let client = self.state().client.clone();
        let mut exchange = Exchange { method: method.to_owned(), client, ..Exchange::default() };
        if let Rule::Use(kind) = rule {
            let name = params.get("name").and_then(Value::as_str).filter(|n| n.len() <= MAX_ITEM_BYTES);
            let name = name.ok_or_else(|| {
                format!("tidegate: `{method}` names what it uses, in up to {MAX_ITEM_BYTES} bytes")
            })?;
            exchange.kind = Some(kind);
            exchange.shown = self.state().shown.get(&(kind, name.to_owned())).cloned();
            exchange.item = Some(name.to_owned());
        }
        if matches!(rule, Rule::Use(_) | Rule::Record) {
            let (found, digest) = looked_through(params).await;
            exchange.secrets = found;
            exchange.arguments = digest;
        }
        Ok(exchange)
    }

    fn learn_client(&self, method: &str, params: &Value) {
        let info = if method == "initialize" {
            params.get("clientInfo")
        } else {
            params.get("_meta").and_then(|meta| meta.get("io.modelcontextprotocol/clientInfo"))
        };
        if let Some(name) = info.and_then(|info| info.get("name")).and_then(Value::as_str) {
            self.state().client = Some(name.chars().filter(|c| !c.is_control()).take(100).collect());
        }
    }

    async fn asked_by_server(&self, id: Id, method: String, params: Value, bytes: Bytes) -> Step {
        let rule = match methods::server_may_ask(&method) {
            Rule::Unknown if self.also.contains(&method) => Rule::Record,
            rule => rule,
        };
        if rule == Rule::Unknown {
            let why = "tidegate does not pass this method on to the client";
            return Step::Answer(message::error(&id, METHOD_NOT_FOUND, why, None));
        }
        if rule == Rule::Record {
            let exchange = match self.exchange(&method, rule, params).await {
                Ok(exchange) => exchange,
                Err(why) => return Step::Answer(message::error(&id, message::INVALID_REQUEST, &why, None)),
            };
            match self.gate.ask(exchange.clone()).await {
                Ok(ruling) if ruling.passes => {}
                Ok(ruling) => return Step::Answer(refusal(&id, &ruling)),
                Err(error) => return Step::Answer(unavailable(&id, &error)),
            }
            let mut state = self.state();
            if state.asked_back.len() >= MAX_PENDING {
                let why = "tidegate: too many requests wait for the client's answer";
                return Step::Answer(message::error(&id, REFUSED, why, None));
            }
            state.asked_back.insert(id, Pending { rule, exchange });
        } else {
            self.state().asked_back.insert(id, Pending { rule, exchange: Exchange::default() });
        }
        Step::Pass(bytes)
    }

    async fn answered_by_client(&self, id: Option<Id>, outcome: Result<Value, Value>, bytes: Bytes) -> Step {
        let Some(id) = id else { return Step::Drop };
        let Some(pending) = self.state().asked_back.remove(&id) else { return Step::Drop };
        if pending.rule == Rule::Pass {
            return Step::Pass(bytes);
        }
        match self.ended(pending.exchange, &outcome).await {
            Ok(ruling) if ruling.passes => Step::Pass(bytes),
            Ok(ruling) => Step::Pass(encoded(&refusal(&id, &ruling))),
            Err(error) => Step::Pass(encoded(&unavailable(&id, &error))),
        }
    }

    async fn answered_by_server(&self, id: Option<Id>, outcome: Result<Value, Value>, bytes: Bytes) -> Step {
        let Some(id) = id else {
            // An error that belongs to no request: our client sent nothing that it could be about.
            return if outcome.is_err() { Step::Pass(bytes) } else { Step::Drop };
        };
        let Some(pending) = self.state().asked.remove(&id) else { return Step::Drop };
        let done = match (pending.rule, outcome) {
            (Rule::Pass | Rule::Unknown, _) => return Step::Pass(bytes),
            (Rule::Use(_) | Rule::Record, outcome) => {
                return match self.ended(pending.exchange, &outcome).await {
                    Ok(ruling) if ruling.passes => Step::Pass(bytes),
                    Ok(ruling) => Step::Pass(encoded(&refusal(&id, &ruling))),
                    Err(error) => Step::Pass(encoded(&unavailable(&id, &error))),
                };
            }
            (Rule::List(kind), Ok(result)) => self.listed(kind, result, pending.exchange).await,
            (Rule::Greeting, Ok(result)) => self.greeted(result, pending.exchange).await,
            (Rule::List(_) | Rule::Greeting, Err(_)) => {
                let exchange = Exchange { outcome: Some(Outcome::Failed), ..pending.exchange };
                let ended = self.gate.end(exchange).await;
                ended.map(|ruling| if ruling.passes { Done::AsItIs } else { Done::Refused(ruling) })
            }
        };
        match done {
            Ok(Done::AsItIs) => Step::Pass(bytes),
            Ok(Done::Changed(result)) => Step::Pass(encoded(&message::result(&id, &result))),
            Ok(Done::Refused(ruling)) => Step::Pass(encoded(&refusal(&id, &ruling))),
            Err(error) => Step::Pass(encoded(&unavailable(&id, &error))),
        }
    }

    /// The end of an exchange whose answer is data.
    async fn ended(
        &self,
        mut exchange: Exchange,
        outcome: &Result<Value, Value>,
    ) -> Result<Ruling, Unavailable> {
        let says_error =
            matches!(outcome, Ok(result) if result.get("isError").and_then(Value::as_bool) == Some(true));
        exchange.outcome =
            Some(if outcome.is_err() || says_error { Outcome::Failed } else { Outcome::Answered });
        let (Ok(value) | Err(value)) = outcome;
        exchange.answered_secrets = looked_through(value.clone()).await.0;
        self.gate.end(exchange).await
    }

    /// A page of a list.
    async fn listed(&self, kind: Kind, mut result: Value, exchange: Exchange) -> Result<Done, Unavailable> {
        let items = match result.get_mut(kind.member()).map(Value::take) {
            Some(Value::Array(items)) => items,
            Some(_) => {
                return Err(Unavailable(format!("the server's list of {}s is no list", kind.as_str())));
            }
            None => Vec::new(),
        };
        let rulings = self.judged(Listing { kind, items: items.clone() }).await?;
        let mut kept = Vec::with_capacity(items.len());
        let mut left_out = 0;
        for (item, judged) in items.into_iter().zip(rulings) {
            // What is held is remembered too: a call would reach the tool as it is now.
            if let Some(digest) = &judged.digest {
                self.show(kind, &item, digest);
            }
            if judged.ruling.passes && judged.digest.is_some() {
                kept.push(item);
            } else {
                left_out += 1;
            }
        }
        let ended = Exchange { outcome: Some(Outcome::Answered), left_out, ..exchange };
        let ruling = self.gate.end(ended).await?;
        if !ruling.passes {
            return Ok(Done::Refused(ruling));
        }
        if left_out == 0 {
            return Ok(Done::AsItIs);
        }
        result[kind.member()] = Value::Array(kept);
        if let Some(seconds) = result.get_mut("ttlMs") {
            // What was left out may be approved at any time.
            *seconds = 0.into();
        }
        Ok(Done::Changed(result))
    }

    /// What a server says of itself: its instructions are judged as a tool is.
    async fn greeted(&self, mut result: Value, exchange: Exchange) -> Result<Done, Unavailable> {
        let mut left_out = 0;
        if let Some(text) = result.get("instructions").filter(|text| !text.is_null()) {
            let item = json!({ "name": INSTRUCTIONS, "description": text });
            let judged = self.judged(Listing { kind: Kind::Instructions, items: vec![item] }).await?;
            if !judged.iter().all(|one| one.ruling.passes && one.digest.is_some()) {
                left_out = 1;
            }
        }
        let ended = Exchange { outcome: Some(Outcome::Answered), left_out, ..exchange };
        let ruling = self.gate.end(ended).await?;
        if !ruling.passes {
            return Ok(Done::Refused(ruling));
        }
        if left_out == 0 {
            return Ok(Done::AsItIs);
        }
        if let Some(members) = result.as_object_mut() {
            members.shift_remove("instructions");
        }
        Ok(Done::Changed(result))
    }

    async fn judged(&self, listing: Listing) -> Result<Vec<ItemRuling>, Unavailable> {
        let count = listing.items.len();
        let rulings = if count == 0 { Vec::new() } else { self.gate.list(listing).await? };
        if rulings.len() != count {
            return Err(Unavailable("not every entry of the list was decided on".into()));
        }
        Ok(rulings)
    }

    fn show(&self, kind: Kind, item: &Value, digest: &str) {
        let Some(name) = item.get("name").and_then(Value::as_str) else { return };
        let mut state = self.state();
        // Beyond that, the entry is judged as it was last seen by anybody.
        if state.shown.len() < MAX_SHOWN || state.shown.contains_key(&(kind, name.to_owned())) {
            state.shown.insert((kind, name.to_owned()), digest.to_owned());
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

enum Done {
    AsItIs,
    Changed(Value),
    Refused(Ruling),
}

fn answer_malformed(malformed: &Malformed) -> Step {
    Step::Answer(malformed.answer())
}

fn id_of(value: &Value) -> Option<Id> {
    match value {
        Value::Number(number) => number.as_i64().map(Id::Number),
        Value::String(text) => Some(Id::Text(text.clone())),
        _ => None,
    }
}

/// Secrets in a value, and the digest of its canonical form. Off the executor: it may be megabytes.
async fn looked_through(value: Value) -> (Vec<String>, Option<String>) {
    if value.is_null() {
        return (Vec::new(), None);
    }
    let looked = tokio::task::spawn_blocking(move || {
        let arguments = value.get("arguments").cloned().unwrap_or_else(|| without_meta(&value));
        (secrets::detectors(&value), Some(digest(&arguments)))
    });
    match looked.await {
        Ok(looked) => looked,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

fn without_meta(value: &Value) -> Value {
    let members = value.as_object().into_iter().flatten().filter(|(key, _)| *key != "_meta");
    Value::Object(members.map(|(key, value)| (key.clone(), value.clone())).collect::<Map<_, _>>())
}

fn encoded(value: &Value) -> Bytes {
    Bytes::from(value.to_string())
}

/// The error of a refusal: a sentence that a model can tell the person, and data for programs.
pub fn refusal(id: &Id, ruling: &Ruling) -> Value {
    let mut text = format!("tidegate: {}", ruling.reason);
    if !ruling.remedy.is_empty() {
        text.push_str(". What to do: ");
        text.push_str(&ruling.remedy);
    }
    let data = json!({
        "action": ruling.action, "rule": ruling.rule, "reason": ruling.reason, "remedy": ruling.remedy,
        "decision": ruling.decision,
    });
    message::error(id, REFUSED, &text, Some(data))
}

fn unavailable(id: &Id, error: &Unavailable) -> Value {
    let text = format!(
        "tidegate cannot decide and record, so nothing passes: {error}. What to do: see `tidegate status`"
    );
    message::error(id, REFUSED, &text, Some(json!({ "action": null, "reason": error.0 })))
}

/// A shared governor is one.
pub type Shared<G> = Arc<Governor<G>>;
