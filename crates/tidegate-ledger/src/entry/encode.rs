//! Writes entries: by hand, because the order of the fields is part of the format and this runs for every response.

use std::io::Write as _;
use std::sync::Arc;

use serde_json::Value;
use tidegate_model::decision::{Decision, Gap, Reason, Truth, Waived};
use tidegate_model::waiver::WaiverState;
use tidegate_model::{Action, DecisionId, Ecosystem, Sha256, Timestamp};

use super::{
    Access, AdvisoriesChange, Alarm, ApprovalChange, Body, Call, ControlChange, Counts, DecisionMade,
    ENTRY_VERSION, Effect, EntryDraft, FeedInForce, HoldChange, KeyChange, MAX_ENTRY_BYTES, PersonChange,
    PolicyChange, QuarantineChange, RootChange, Start, Stop, Text, Touching, View, WaiverChange, Withheld,
};
use crate::NodeId;

/// Longest text that may come from outside, in bytes as written.
const LONG_TEXT_BYTES: usize = 1_024;
/// Longest word, such as an id or a rule's name, in bytes as written.
const SHORT_TEXT_BYTES: usize = 256;
/// Most elements of a list of words.
const MAX_WORDS: usize = 32;
/// Most elements of a list of objects.
const MAX_OBJECTS: usize = 200;
/// A list ends early once the entry is this long. What can still follow stays below 24 KiB: see `bounds_hold`.
const LIST_BUDGET_BYTES: usize = 40 * 1024;
/// Most facts and advisories of one reason.
const MAX_BECAUSE: usize = 8;

/// Appends the entry to `out`, which must hold nothing but the space for the frame's header.
pub(crate) fn encode(out: &mut Vec<u8>, node: &NodeId, seq: u64, draft: &EntryDraft) {
    let start = out.len();
    let mut json = Json { out, start };
    json.open();
    json.number("v", u64::from(ENTRY_VERSION));
    json.word("kind", draft.body.kind());
    json.key("time");
    json.time_millis(draft.time);
    json.word("node", node.as_str());
    json.number("seq", seq);
    json.short("tenant", &draft.tenant);
    match &draft.body {
        Body::Access(access) => json.access(access),
        Body::Decision(made) => json.decision_made(made),
        Body::View(view) => json.view(view),
        Body::Waiver(change) => json.waiver(change),
        Body::Approval(change) => json.approval(change),
        Body::Policy(change) => json.policy(change),
        Body::Quarantine(change) => json.quarantine(change),
        Body::Alarm(alarm) => json.alarm(alarm),
        Body::Start(node_start) => json.node_start(node_start),
        Body::Stop(stop) => json.node_stop(stop),
        Body::Person(change) => json.person(change),
        Body::Advisories(change) => json.advisories(change),
        Body::Effect(effect) => json.effect(effect),
        Body::Control(change) => json.control(change),
        Body::Hold(change) => json.hold(change),
        Body::Call(call) => json.call(call),
        Body::Counts(counts) => json.counts(counts),
        Body::Key(change) => json.signing_key(change),
        Body::Root(change) => json.trust_root(change),
    }
    json.close();
    debug_assert!(
        json.written() <= MAX_ENTRY_BYTES,
        "INVARIANT: the bounds of all fields keep entries short"
    );
}

struct Json<'a> {
    out: &'a mut Vec<u8>,
    start: usize,
}

/// Bodies, one function each; the order of the lines is the order of the fields.
impl Json<'_> {
    fn access(&mut self, a: &Access) {
        self.hex("actor", a.actor.as_bytes());
        self.word("actor_kind", a.actor_kind.as_str());
        self.hex_or_null("host", a.host.as_ref().map(|c| c.as_bytes()));
        self.hex("address", a.address.as_bytes());
        self.hex_or_null("client", a.client.as_ref().map(|c| c.as_bytes()));
        self.hex_or_null("credential", a.credential.as_ref().map(|c| c.as_bytes()));
        self.short("repository", &a.repository);
        self.ecosystem(a.ecosystem);
        self.short("method", &a.method);
        self.short("operation", &a.operation);
        self.long_or_null("purl", a.purl.as_deref());
        self.long_or_null("file", a.file.as_deref());
        self.sha256_or_null("sha256", a.sha256);
        self.number("status", u64::from(a.status));
        self.key("range");
        match a.range {
            Some(range) => self.print(format_args!("\"{}-{}\"", range.first, range.last)),
            None => self.raw(b"null"),
        }
        self.number("bytes", a.bytes);
        self.action_or_null("action", a.action);
        self.decision_id_or_null("decision", a.decision);
        self.words("rules", &a.rules);
        self.sha256_or_null("policy", a.policy);
        self.word_or_null("cache", a.cache.map(|c| c.as_str()));
        self.short_or_null("upstream", a.upstream.as_deref());
        self.flag("enforced", a.enforced);
        self.words("degraded", &a.degraded);
    }

    fn call(&mut self, c: &Call) {
        self.hex("actor", c.actor.as_bytes());
        self.word("actor_kind", c.actor_kind.as_str());
        self.hex_or_null("host", c.host.as_ref().map(|c| c.as_bytes()));
        self.hex("address", c.address.as_bytes());
        self.hex_or_null("client", c.client.as_ref().map(|c| c.as_bytes()));
        self.hex_or_null("credential", c.credential.as_ref().map(|c| c.as_bytes()));
        self.short("server", &c.server);
        self.short("transport", &c.transport);
        self.long_or_null("purl", c.purl.as_deref());
        self.short("method", &c.method);
        self.short_or_null("item", c.item.as_deref());
        self.sha256_or_null("definition", c.definition);
        self.hex_or_null("arguments", c.arguments.as_ref().map(|c| c.as_bytes()));
        self.words("secrets", &c.secrets);
        self.words("answered_secrets", &c.answered_secrets);
        self.number("left_out", c.left_out);
        self.word("outcome", c.outcome.as_str());
        self.action_or_null("action", c.action);
        self.decision_id_or_null("decision", c.decision);
        self.words("rules", &c.rules);
        self.sha256_or_null("policy", c.policy);
        self.flag("enforced", c.enforced);
        self.words("degraded", &c.degraded);
    }

    fn decision_made(&mut self, m: &DecisionMade) {
        let d: &Decision = &m.decision;
        self.decision_id_or_null("id", Some(m.id));
        self.time_or_null("decided_at", Some(m.decided_at));
        self.short("repository", &m.repository);
        self.ecosystem(m.ecosystem);
        self.long_or_null("purl", m.purl.as_deref());
        self.long_or_null("file", m.file.as_deref());
        self.sha256_or_null("sha256", m.sha256);
        self.short_or_null("upstream", m.upstream.as_deref());
        self.word_list("promised", &m.promised);
        self.action_or_null("action", Some(d.action));
        self.flag("enforced", d.enforced);
        self.time_or_null("valid_until", d.valid_until);
        self.time_or_null("selectable_from", d.selectable_from);
        self.sha256_or_null("policy", Some(d.policy_digest));
        self.sha256_or_null("facts", Some(d.facts_digest));
        self.sha256_or_null("waivers", Some(d.waivers_digest));
        self.word_list("obligations", &d.obligations);
        // The unbounded lists come last, so that nothing else is pushed out of the entry by them.
        self.objects("reasons", "reasons_omitted", &d.reasons, Self::reason);
        self.objects("waived", "waived_omitted", &d.waived, Self::waived);
        self.objects("gaps", "gaps_omitted", &d.gaps, Self::gap);
        self.action_or_null("dry_run", d.dry_run.as_ref().map(|dry| dry.action));
        let dry_reasons = d.dry_run.as_ref().map_or(&[][..], |dry| &dry.reasons);
        self.objects("dry_run_reasons", "dry_run_reasons_omitted", dry_reasons, Self::reason);
    }

    fn reason(&mut self, r: &Reason) {
        self.short("rule", &r.rule);
        self.word(
            "truth",
            match r.truth {
                Truth::True => "true",
                Truth::Unknown => "unknown",
            },
        );
        self.action_or_null("action", Some(r.action));
        self.long("message", &r.message);
        self.long_or_null("remediation", r.remediation.as_deref());
        self.key("facts");
        self.list(r.because.facts.iter().take(MAX_BECAUSE), |json, fact| {
            json.open();
            json.short("path", &fact.path);
            json.word("state", fact.state.as_str());
            json.key("value");
            json.value(fact.value.as_ref());
            json.close();
        });
        self.key("advisories");
        self.list(r.because.advisories.iter().take(MAX_BECAUSE), |json, id| json.text(id, SHORT_TEXT_BYTES));
        self.time_or_null("until", r.until);
        self.flag("waivable", r.waivable);
    }

    fn waived(&mut self, w: &Waived) {
        self.short("rule", &w.rule);
        self.word_list("waivers", &w.waivers);
    }

    fn gap(&mut self, g: &Gap) {
        self.short("fact", &g.fact);
        self.word("state", g.state.as_str());
        self.long_or_null("why", g.why.as_deref());
    }

    fn view(&mut self, v: &View) {
        self.short("repository", &v.repository);
        self.ecosystem(v.ecosystem);
        self.long("purl", &v.purl);
        self.short("form", &v.form);
        self.sha256_or_null("document", Some(v.document));
        self.sha256_or_null("view", Some(v.view));
        self.sha256_or_null("policy", Some(v.policy));
        self.sha256_or_null("facts", Some(v.facts));
        self.sha256_or_null("waivers", Some(v.waivers));
        self.number("releases", v.releases);
        self.time_or_null("valid_until", v.valid_until);
        self.objects_after("withheld", "withheld_omitted", &v.withheld, v.withheld_omitted, Self::withheld);
    }

    fn withheld(&mut self, w: &Withheld) {
        self.short("version", &w.version);
        self.short_or_null("file", w.file.as_deref());
        self.action_or_null("action", Some(w.action));
        self.short("rule", &w.rule);
        self.time_or_null("until", w.until);
    }

    fn waiver(&mut self, w: &WaiverChange) {
        self.short("id", &w.id);
        self.word("state", state_word(w.state));
        self.hex("actor", w.actor.as_bytes());
        self.words("rules", &w.rules);
        self.words("advisories", &w.advisories);
        self.long("purl", &w.purl);
        self.sha256_or_null("sha256", w.sha256);
        self.words("repositories", &w.repositories);
        self.time_or_null("expires_at", w.expires_at);
        self.sha256_or_null("document", Some(w.document));
    }

    fn approval(&mut self, a: &ApprovalChange) {
        self.short("id", &a.id);
        self.word("state", state_word(a.state));
        self.hex("actor", a.actor.as_bytes());
        self.long("purl", &a.purl);
        self.sha256_or_null("sha256", a.sha256);
        self.words("repositories", &a.repositories);
        self.time_or_null("expires_at", a.expires_at);
        self.sha256_or_null("document", Some(a.document));
    }

    fn policy(&mut self, p: &PolicyChange) {
        self.sha256_or_null("policy", Some(p.policy));
        self.sha256_or_null("previous", p.previous);
        self.short("source", &p.source);
        self.number("rules", p.rules);
        self.hex_or_null("actor", p.actor.as_ref().map(|a| a.as_bytes()));
    }

    fn quarantine(&mut self, q: &QuarantineChange) {
        self.word("operation", q.operation.as_str());
        self.hex("actor", q.actor.as_bytes());
        self.short("repository", &q.repository);
        self.long("purl", &q.purl);
        self.long_or_null("file", q.file.as_deref());
        self.sha256_or_null("sha256", q.sha256);
        self.decision_id_or_null("decision", q.decision);
    }

    fn person(&mut self, p: &PersonChange) {
        self.word("operation", p.operation.as_str());
        self.hex("person", p.person.as_bytes());
        self.hex("actor", p.actor.as_bytes());
    }

    fn advisories(&mut self, a: &AdvisoriesChange) {
        self.number("generation", a.generation);
        self.sha256_or_null("manifest", Some(a.manifest));
        self.number("changed", a.changed);
        self.number("withdrawn", a.withdrawn);
        self.number("names", a.names);
        self.hex_or_null("actor", a.actor.as_ref().map(|actor| actor.as_bytes()));
        self.objects_after("feeds", "feeds_omitted", &a.feeds, a.feeds_omitted, Self::feed_in_force);
    }

    fn feed_in_force(&mut self, f: &FeedInForce) {
        self.short("feed", &f.feed);
        self.short("kind", &f.kind);
        self.time_or_null("as_of", f.as_of);
        self.sha256_or_null("digest", Some(f.digest));
    }

    fn effect(&mut self, e: &Effect) {
        self.ecosystem(e.ecosystem);
        self.long("purl", &e.purl);
        self.action_or_null("before", e.before);
        self.action_or_null("after", e.after);
        self.flag("held", e.held);
        self.number("takers", e.takers);
        self.number("accesses", e.accesses);
        self.time_or_null("last_taken_at", e.last_taken_at);
        self.number("generation", e.generation);
        self.objects_after("new", "new_omitted", &e.new, e.new_omitted, Self::touching);
        self.items_after("gone", "gone_omitted", &e.gone, e.gone_omitted, |json, id| {
            json.text(id, SHORT_TEXT_BYTES);
        });
    }

    fn touching(&mut self, t: &Touching) {
        self.short("id", &t.id);
        self.word("why", t.why.as_str());
    }

    fn control(&mut self, c: &ControlChange) {
        self.short("control", &c.control);
        self.word("state", c.state.as_str());
        self.long("why", &c.why);
    }

    fn hold(&mut self, h: &HoldChange) {
        self.word("operation", h.operation.as_str());
        self.short("advisory", &h.advisory);
        self.word("reason", h.reason.as_str());
        self.number("downloads", h.downloads);
        self.number("downloads_in_all", h.downloads_in_all);
        self.number("sources", h.sources);
        self.number("generation", h.generation);
        self.hex_or_null("actor", h.actor.as_ref().map(|actor| actor.as_bytes()));
    }

    fn alarm(&mut self, a: &Alarm) {
        self.word("alarm", a.alarm.as_str());
        self.short("repository", &a.repository);
        self.ecosystem(a.ecosystem);
        self.long("purl", &a.purl);
        self.long_or_null("file", a.file.as_deref());
        self.word("expected", &a.expected.to_string());
        self.word("found", &a.found.to_string());
        self.short_or_null("upstream", a.upstream.as_deref());
    }

    fn node_start(&mut self, s: &Start) {
        self.short("program", &s.program);
        self.word("mode", s.mode.as_str());
        self.number("last_seq", s.last_seq);
        self.number("torn_bytes", s.torn_bytes);
    }

    fn node_stop(&mut self, s: &Stop) {
        self.number("accesses", s.accesses);
        self.number("refused", s.refused);
        self.number("bytes", s.bytes);
        self.number("store_reads", s.store_reads);
    }

    fn counts(&mut self, c: &Counts) {
        self.time_or_null("hour", Some(c.hour));
        self.number("first_seq", c.first_seq);
        self.number("last_seq", c.last_seq);
        self.key("entries");
        self.open();
        for (kind, count) in c.entries.iter() {
            self.number(kind, count);
        }
        self.close();
        self.number("refused", c.refused);
        self.number("bytes", c.bytes);
    }

    fn signing_key(&mut self, k: &KeyChange) {
        self.word("purpose", k.purpose.as_str());
        self.short("key_id", &k.key_id);
        self.long("public_key", &k.public_key);
        self.short_or_null("previous", k.previous.as_deref());
        self.hex_or_null("actor", k.actor.as_ref().map(|a| a.as_bytes()));
    }

    fn trust_root(&mut self, r: &RootChange) {
        self.short("instance", &r.instance);
        self.short("origin", &r.origin);
        self.sha256_or_null("digest", Some(r.digest));
        self.sha256_or_null("previous", r.previous);
        self.number_or_null("version", r.version);
        self.time_or_null("as_of", Some(r.as_of));
        self.hex_or_null("actor", r.actor.as_ref().map(|a| a.as_bytes()));
    }
}

/// Named values.
impl Json<'_> {
    /// A word of ours, which needs no escape and has no bound.
    fn word(&mut self, key: &str, word: &str) {
        self.key(key);
        self.raw(b"\"");
        self.raw(word.as_bytes());
        self.raw(b"\"");
    }

    fn word_or_null(&mut self, key: &str, word: Option<&str>) {
        match word {
            Some(word) => self.word(key, word),
            None => self.null(key),
        }
    }

    fn short(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text, SHORT_TEXT_BYTES);
    }

    fn short_or_null(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.short(key, text),
            None => self.null(key),
        }
    }

    fn long(&mut self, key: &str, text: &str) {
        self.key(key);
        self.text(text, LONG_TEXT_BYTES);
    }

    fn long_or_null(&mut self, key: &str, text: Option<&str>) {
        match text {
            Some(text) => self.long(key, text),
            None => self.null(key),
        }
    }

    fn number(&mut self, key: &str, number: u64) {
        self.key(key);
        self.digits(number);
    }

    fn number_or_null(&mut self, key: &str, number: Option<u64>) {
        match number {
            Some(number) => self.number(key, number),
            None => self.null(key),
        }
    }

    fn flag(&mut self, key: &str, flag: bool) {
        self.key(key);
        self.raw(if flag { b"true" } else { b"false" });
    }

    fn null(&mut self, key: &str) {
        self.key(key);
        self.raw(b"null");
    }

    fn hex(&mut self, key: &str, bytes: &[u8; 32]) {
        self.key(key);
        self.raw(b"\"");
        self.hex_digits(bytes);
        self.raw(b"\"");
    }

    fn hex_or_null(&mut self, key: &str, bytes: Option<&[u8; 32]>) {
        match bytes {
            Some(bytes) => self.hex(key, bytes),
            None => self.null(key),
        }
    }

    fn sha256_or_null(&mut self, key: &str, digest: Option<Sha256>) {
        let Some(digest) = digest else { return self.null(key) };
        self.key(key);
        self.raw(b"\"sha256:");
        self.hex_digits(digest.as_bytes());
        self.raw(b"\"");
    }

    fn action_or_null(&mut self, key: &str, action: Option<Action>) {
        self.word_or_null(key, action.map(Action::as_str));
    }

    fn ecosystem(&mut self, ecosystem: Option<Ecosystem>) {
        self.word_or_null("ecosystem", ecosystem.map(Ecosystem::as_str));
    }

    fn decision_id_or_null(&mut self, key: &str, id: Option<DecisionId>) {
        let Some(id) = id else { return self.null(key) };
        self.key(key);
        self.print(format_args!("\"{id}\""));
    }

    fn time_or_null(&mut self, key: &str, time: Option<Timestamp>) {
        let Some(time) = time else { return self.null(key) };
        self.key(key);
        self.print(format_args!("\"{time}\""));
    }

    fn words(&mut self, key: &str, words: &Arc<[Text]>) {
        self.key(key);
        self.list(words.iter().take(MAX_WORDS), |json, word| json.text(word, SHORT_TEXT_BYTES));
    }

    fn word_list(&mut self, key: &str, words: &[String]) {
        self.key(key);
        self.list(words.iter().take(MAX_BECAUSE), |json, word| json.text(word, SHORT_TEXT_BYTES));
    }

    fn objects<T>(&mut self, key: &str, omitted: &str, items: &[T], write: impl Fn(&mut Self, &T)) {
        self.objects_after(key, omitted, items, 0, write);
    }

    /// A list of objects that ends early where the entry grows too long, and the number of those left out.
    fn objects_after<T>(
        &mut self,
        key: &str,
        omitted: &str,
        items: &[T],
        already_omitted: u64,
        write: impl Fn(&mut Self, &T),
    ) {
        self.items_after(key, omitted, items, already_omitted, |json, item| {
            json.open();
            write(json, item);
            json.close();
        });
    }

    /// The same of anything.
    fn items_after<T>(
        &mut self,
        key: &str,
        omitted: &str,
        items: &[T],
        already_omitted: u64,
        write: impl Fn(&mut Self, &T),
    ) {
        self.key(key);
        self.raw(b"[");
        let mut written = 0;
        for item in items.iter().take(MAX_OBJECTS) {
            if self.written() > LIST_BUDGET_BYTES {
                break;
            }
            if written > 0 {
                self.raw(b",");
            }
            write(self, item);
            written += 1;
        }
        self.raw(b"]");
        let left = u64::try_from(items.len() - written).unwrap_or(u64::MAX);
        self.number(omitted, already_omitted.saturating_add(left));
    }
}

/// Bare JSON.
impl Json<'_> {
    fn written(&self) -> usize {
        self.out.len() - self.start
    }

    fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    fn print(&mut self, text: std::fmt::Arguments<'_>) {
        self.out.write_fmt(text).expect("writing to memory cannot fail");
    }

    fn open(&mut self) {
        self.raw(b"{");
    }

    fn close(&mut self) {
        self.raw(b"}");
    }

    fn key(&mut self, key: &str) {
        if self.out.last() != Some(&b'{') {
            self.raw(b",");
        }
        self.raw(b"\"");
        self.raw(key.as_bytes());
        self.raw(b"\":");
    }

    fn list<T>(&mut self, items: impl Iterator<Item = T>, write: impl Fn(&mut Self, T)) {
        self.raw(b"[");
        for (i, item) in items.enumerate() {
            if i > 0 {
                self.raw(b",");
            }
            write(self, item);
        }
        self.raw(b"]");
    }

    fn digits(&mut self, mut number: u64) {
        let mut digits = [0; 20];
        let mut at = digits.len();
        loop {
            at -= 1;
            digits[at] = b'0' + (number % 10) as u8;
            number /= 10;
            if number == 0 {
                break;
            }
        }
        self.raw(&digits[at..]);
    }

    fn hex_digits(&mut self, bytes: &[u8; 32]) {
        let mut digits = [0; 64];
        hex::encode_to_slice(bytes, &mut digits).expect("64 digits hold 32 bytes");
        self.raw(&digits);
    }

    /// RFC 3339 in UTC with milliseconds, without going through a formatter.
    fn time_millis(&mut self, time: Timestamp) {
        let millis = time.unix_millis();
        let (days, of_day) = (millis.div_euclid(86_400_000), millis.rem_euclid(86_400_000));
        let (year, month, day) = civil(days);
        if !(0..=9999).contains(&year) {
            // A clock that far off is still recorded as it is.
            return self.print(format_args!("\"{}\"", Timestamp::from_unix_millis(millis)));
        }
        let mut text = *b"\"0000-00-00T00:00:00.000Z\"";
        let mut put = |at: usize, width: usize, mut value: i64| {
            for place in (at..at + width).rev() {
                text[place] = b'0' + (value % 10) as u8;
                value /= 10;
            }
        };
        put(1, 4, year);
        put(6, 2, month);
        put(9, 2, day);
        put(12, 2, of_day / 3_600_000);
        put(15, 2, of_day / 60_000 % 60);
        put(18, 2, of_day / 1000 % 60);
        put(21, 3, of_day % 1000);
        self.raw(&text);
    }

    /// A fact's value: as it is where it is short, else the beginning of its JSON as text.
    fn value(&mut self, value: Option<&Value>) {
        let Some(value) = value else { return self.raw(b"null") };
        let before = self.out.len();
        match value {
            Value::String(text) => self.text(text, SHORT_TEXT_BYTES),
            Value::Null | Value::Bool(_) | Value::Number(_) => self.print(format_args!("{value}")),
            Value::Array(_) | Value::Object(_) => self.print(format_args!("{value}")),
        }
        if self.out.len() - before > SHORT_TEXT_BYTES + 2 {
            self.out.truncate(before);
            self.text(&value.to_string(), SHORT_TEXT_BYTES);
        }
    }

    /// A string of at most `limit` bytes between its quotes as written; one that is longer ends in `…`.
    fn text(&mut self, text: &str, limit: usize) {
        self.raw(b"\"");
        let start = self.out.len();
        // Nearly every text is short and plain.
        if text.len() <= limit && text.bytes().all(|b| b >= 0x20 && b != b'"' && b != b'\\' && b != 0x7f) {
            self.raw(text.as_bytes());
            return self.raw(b"\"");
        }
        let mark = '…'.len_utf8();
        let mut fits = start;
        let mut cut = false;
        for c in text.chars() {
            self.escaped(c);
            if self.out.len() - start > limit {
                cut = true;
                break;
            }
            if self.out.len() - start + mark <= limit {
                fits = self.out.len();
            }
        }
        if cut {
            self.out.truncate(fits);
            self.raw("…".as_bytes());
        }
        self.raw(b"\"");
    }

    fn escaped(&mut self, c: char) {
        match c {
            '"' => self.raw(b"\\\""),
            '\\' => self.raw(b"\\\\"),
            '\n' => self.raw(b"\\n"),
            '\r' => self.raw(b"\\r"),
            '\t' => self.raw(b"\\t"),
            // DEL and the C1 controls move a terminal's cursor as well as the C0 ones do.
            c if c.is_control() => self.print(format_args!("\\u{:04x}", u32::from(c))),
            c => self.raw(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

const fn state_word(state: WaiverState) -> &'static str {
    match state {
        WaiverState::Requested => "requested",
        WaiverState::Approved => "approved",
        WaiverState::Rejected => "rejected",
        WaiverState::Revoked => "revoked",
    }
}

/// Year, month and day of a number of days since 1970-01-01, in the proleptic Gregorian calendar (the algorithm counts
/// years from March, so that the leap day comes last, and eras of 400 years).
fn civil(days: i64) -> (i64, i64, i64) {
    let since_0000_03_01 = days + 719_468;
    let era = since_0000_03_01.div_euclid(146_097);
    let of_era = since_0000_03_01.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day)
}
