//! The door's side: decides on what a server offers and on what passes, and records it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tidegate_inspect::mcp::canonical::canonical;
use tidegate_inspect::mcp::tools::{TOOLS, Tool};
use tidegate_ledger::entry::{Access, Call, CallOutcome, DecisionMade, Text};
use tidegate_ledger::pseudonym::{Commitment, Pseudonym};
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::coordinate::PackageRef;
use tidegate_model::decision::Decision;
use tidegate_model::{Action, DecisionId, Sha256, Timestamp};
use tidegate_store::catalogue::{DecisionRecord, McpTool};

use super::facts::{self, Part, REPOSITORY};
use super::gate::{Exchange, Gate, ItemRuling, Listing, Outcome, Ruling, Server, Unavailable};
use super::http::{Remote, Sessions};
use super::listed::{self, LISTING_RULE, Listings, Unit};
use super::look;
use super::methods::Kind;
use super::pins::{self, Offered, Pin};
use crate::door::{Door, Identity, TENANT};
use crate::inspection::Seen;
use crate::pipeline::decide::{Ruleset, past_tense};

/// Decisions that are remembered so that they are recorded once.
const MAX_REMEMBERED: usize = 4_096;

/// How often what is decided with is taken anew because rules changed meanwhile.
const MAX_GROUNDS: usize = 4;

/// The longest name of an entry, in bytes.
const MAX_ITEM_BYTES: usize = 256;

/// What the door remembers of servers between requests.
#[derive(Debug, Default)]
pub struct Desk {
    /// Servers elsewhere, by name.
    pub(super) remotes: BTreeMap<String, Arc<Remote>>,
    /// Their sessions.
    pub(super) sessions: Sessions,
    /// What was decided on the listings of servers.
    pub(super) listings: Listings,
    decided: Mutex<HashMap<Key, Arc<Made>>>,
    /// One reading and writing of what is pinned at a time.
    pinning: Mutex<()>,
}

/// What a decision is about.
type Key = (String, &'static str, Option<String>, Option<Sha256>);

/// A recorded decision.
#[derive(Debug)]
struct Made {
    id: DecisionId,
    decision: Decision,
}

impl Desk {
    /// A desk for these servers elsewhere.
    pub fn new(remotes: BTreeMap<String, Arc<Remote>>) -> Self {
        Self { remotes, ..Self::default() }
    }

    fn remembered(&self) -> MutexGuard<'_, HashMap<Key, Arc<Made>>> {
        self.decided.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is decided with, taken at one moment.
#[derive(Clone)]
struct Ground {
    rules: Arc<Ruleset>,
    /// What is decided on the listing of the server, where it has one.
    unit: Option<Arc<Unit>>,
}

/// Decides for one person and one server.
#[derive(Clone, Debug)]
pub struct DoorGate {
    door: Arc<Door>,
    server: Server,
    identity: Arc<Identity>,
}

impl DoorGate {
    /// A gate.
    pub const fn new(door: Arc<Door>, server: Server, identity: Arc<Identity>) -> Self {
        Self { door, server, identity }
    }

    /// Decides whether the server may be used at all, and records that somebody begins to use it.
    ///
    /// # Errors
    /// Nothing could be recorded.
    pub async fn open(&self) -> Result<Ruling, Unavailable> {
        let ground = self.ground().await?;
        let gate = self.clone();
        let (made, ruling) = self.door.blocking(move || gate.decide(&ground, &Part::SERVER)).await?;
        if !ruling.passes {
            let purl = facts::purl_of(&self.server);
            tracing::info!(package.purl = %purl, "refused to begin {}: {}", self.server.name, ruling.reason);
        }
        let access = self.access(&made, if ruling.passes { 200 } else { 403 });
        self.record(Body::Access(Box::new(access))).await?;
        Ok(ruling)
    }

    /// The rules in force, and what they say of the server's listing.
    async fn ground(&self) -> Result<Ground, Unavailable> {
        for _ in 0..MAX_GROUNDS {
            let rules = self.door.rules();
            let unit = listed::unit(&self.door, &self.server, &self.identity, &rules).await?;
            // The first who asks waits for the registry, and what came into force meanwhile counts.
            if self.door.rules().epoch == rules.epoch {
                return Ok(Ground { rules, unit });
            }
        }
        Err(Unavailable("rules change faster than they can be applied".to_owned()))
    }

    /// Decides, and records the decision where it is another than the last about the same. Blocks.
    fn decide(&self, ground: &Ground, part: &Part<'_>) -> Result<(Arc<Made>, Ruling), Unavailable> {
        let (door, now) = (&self.door, self.door.clock.now());
        let Ground { rules, unit } = ground;
        let mut facts = facts::assemble(rules, &self.server, &self.identity, part, now);
        if let (Some(unit), Some(mcp)) = (unit, &mut facts.mcp.value) {
            mcp.parts = vec![unit.facts()];
        }
        let mut decision = tidegate_policy::decide(&rules.policy, &facts, &rules.waivers, now);
        if let Some(unit) = unit {
            unit.hold(&mut decision);
        }
        let key: Key = (self.server.name.clone(), part.part, part.item.map(str::to_owned), part.digest);
        let known = door.mcp.remembered().get(&key).cloned();
        let made = match known.filter(|made| made.decision == decision) {
            Some(made) => made,
            None => {
                let made = Arc::new(self.keep(part, decision, &facts.artifact.purl, now)?);
                let mut remembered = door.mcp.remembered();
                if remembered.len() >= MAX_REMEMBERED {
                    remembered.clear();
                }
                remembered.insert(key, Arc::clone(&made));
                made
            }
        };
        let ruling = self.ruling(&made, part);
        Ok((made, ruling))
    }

    fn keep(
        &self,
        part: &Part<'_>,
        decision: Decision,
        purl: &str,
        now: Timestamp,
    ) -> Result<Made, Unavailable> {
        let door = &self.door;
        let id = door.new_decision_id().map_err(|e| Unavailable(e.to_string()))?;
        let file = part.item.map(|item| format!("{}:{item}", part.part));
        let entry = DecisionMade {
            id,
            decided_at: now,
            repository: REPOSITORY.into(),
            ecosystem: PackageRef::parse(purl).ok().map(|package| package.name.ecosystem()),
            purl: Some(purl.into()),
            file: file.as_deref().map(Text::from),
            sha256: part.digest,
            upstream: None,
            promised: Vec::new(),
            decision: decision.clone(),
        };
        let draft = EntryDraft { time: now, tenant: TENANT.into(), body: Body::Decision(Box::new(entry)) };
        drop(door.recorder.append(&draft).map_err(|e| Unavailable(e.to_string()))?);
        let record = DecisionRecord {
            id,
            at: now,
            purl: purl.to_owned(),
            file,
            // The digest is that of a text: no bytes of a package were admitted by this.
            sha256: None,
            repository: REPOSITORY.to_owned(),
            action: decision.action,
            served: decision.serves(),
            seek: 0,
            json: serde_json::to_string(&decision).map_err(|e| Unavailable(e.to_string()))?,
        };
        door.store.catalogue.put_decision(&record).map_err(|e| Unavailable(format!("{e}: {}", e.cause)))?;
        Ok(Made { id, decision })
    }

    fn ruling(&self, made: &Made, part: &Part<'_>) -> Ruling {
        let decision = &made.decision;
        let leading = decision.leading_reason();
        let what = match part.item {
            Some(item) => format!("{item} of {}", self.server.name),
            None => self.server.name.clone(),
        };
        let what = match part.part {
            "call" => format!("a call of {what}"),
            "answer" => format!("the answer of {what}"),
            "instructions" => format!("the instructions of {}", self.server.name),
            _ => what,
        };
        let mut why = leading.map_or_else(String::new, |reason| reason.message.clone());
        if let Some(listing) = decision.reasons.iter().find(|reason| reason.rule == LISTING_RULE) {
            why = format!("{why}; {}", listing.message);
        }
        let rule = leading.map(|reason| reason.rule.clone());
        Ruling {
            passes: decision.serves(),
            action: decision.action,
            reason: match &rule {
                Some(rule) => format!("{what} is {} by {rule}: {why}", past_tense(decision.action)),
                None => format!("{what} is {}", past_tense(decision.action)),
            },
            rule,
            remedy: leading.and_then(|reason| reason.remediation.clone()).unwrap_or_default(),
            decision: Some(made.id.to_string()),
        }
    }

    /// Appends an entry and waits until it survives a power cut.
    async fn record(&self, body: Body) -> Result<(), Unavailable> {
        let draft = EntryDraft { time: self.door.clock.now(), tenant: TENANT.into(), body };
        let appended = self.door.recorder.append(&draft).map_err(|e| Unavailable(e.to_string()))?;
        appended.durable.wait().await.map_err(|e| Unavailable(e.to_string()))
    }

    fn access(&self, made: &Made, status: u16) -> Access {
        let purl = facts::purl_of(&self.server);
        let who = &self.identity;
        Access {
            actor: who.actor,
            actor_kind: who.principal.kind,
            host: who.host,
            address: who.address,
            client: who.client,
            credential: who.credential,
            repository: REPOSITORY.into(),
            ecosystem: PackageRef::parse(&purl).ok().map(|package| package.name.ecosystem()),
            method: "CONNECT".into(),
            operation: "mcp".into(),
            purl: Some(purl.into()),
            file: Some(self.server.name.as_str().into()),
            sha256: None,
            status,
            range: None,
            bytes: 0,
            action: Some(made.decision.action),
            decision: Some(made.id),
            rules: rules_of(&made.decision),
            policy: Some(made.decision.policy_digest),
            cache: None,
            upstream: None,
            enforced: made.decision.enforced,
            degraded: self.door.degraded(),
        }
    }

    fn call(
        &self,
        exchange: &Exchange,
        made: Option<&Made>,
        definition: Option<Sha256>,
        outcome: CallOutcome,
    ) -> Call {
        let who = &self.identity;
        let words = |words: &[String]| words.iter().map(|word| Text::from(word.as_str())).collect();
        Call {
            actor: who.actor,
            actor_kind: who.principal.kind,
            host: who.host,
            address: who.address,
            client: who.client,
            credential: who.credential,
            server: self.server.name.as_str().into(),
            transport: self.server.transport.as_str().into(),
            purl: self.server.purl.as_deref().map(Text::from),
            method: exchange.method.as_str().into(),
            item: exchange.item.as_deref().map(Text::from),
            definition,
            arguments: self.committed(exchange.arguments.as_deref()),
            secrets: words(&exchange.secrets),
            answered_secrets: words(&exchange.answered_secrets),
            left_out: exchange.left_out,
            outcome,
            action: made.map(|made| made.decision.action),
            decision: made.map(|made| made.id),
            rules: made.map(|made| rules_of(&made.decision)).unwrap_or_default(),
            policy: Some(self.door.rules().policy.digest()),
            enforced: made.is_none_or(|made| made.decision.enforced),
            degraded: self.door.degraded(),
        }
    }

    /// A digest of arguments under the person's key: whoever lacks the key cannot tell what they were by trying. Blocks.
    fn committed(&self, digest: Option<&str>) -> Option<Commitment> {
        let person = self.door.store.catalogue.person_by_pseudonym(&self.identity.actor).ok().flatten()?;
        Some(Commitment::new(*Pseudonym::of(&person.key, "mcp-arguments", digest?).as_bytes()))
    }

    /// How the text stands that a client means by a name.
    fn standing(
        &self,
        kind: Kind,
        name: &str,
        shown: Option<Sha256>,
    ) -> Result<Option<(Pin, McpTool)>, Unavailable> {
        let known = self.known()?;
        let of_name = known.iter().filter(|tool| tool.kind == kind.as_str() && tool.name == name);
        let tool = match shown {
            Some(digest) => of_name.clone().find(|tool| tool.digest == digest),
            None => of_name.max_by_key(|tool| tool.last_seen_at),
        };
        let now = self.door.clock.now();
        Ok(tool.map(|tool| (pins::of_kept(tool, &known, now), tool.clone())))
    }

    fn known(&self) -> Result<Vec<McpTool>, Unavailable> {
        self.door
            .store
            .catalogue
            .mcp_tools(&self.server.name)
            .map_err(|e| Unavailable(format!("{e}: {}", e.cause)))
    }

    /// Takes note of what is offered, and says how each of it stands. Blocks.
    fn note(&self, offered: &[Option<Offered>]) -> Result<Vec<Option<Pin>>, Unavailable> {
        let failed = |e: tidegate_store::catalogue::CatalogueError| Unavailable(format!("{e}: {}", e.cause));
        let _one_at_a_time = self.door.mcp.pinning.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut known, now) = (self.known()?, self.door.clock.now());
        let (mut pins, mut kept) = (Vec::new(), Vec::new());
        for one in offered {
            let noted = one.as_ref().and_then(|one| pins::note(&mut known, &self.server.name, one, now));
            pins.push(noted.as_ref().map(|(pin, _)| *pin));
            kept.extend(noted.map(|(_, tool)| tool));
        }
        self.door.store.catalogue.put_mcp_tools(&kept).map_err(failed)?;
        self.door.store.catalogue.forget_mcp_tools(&pins::forgotten(&known)).map_err(failed)?;
        Ok(pins)
    }

    /// What is decided about a request: the server and the entry that it uses, then what passes. Blocks.
    fn judge(
        &self,
        ground: &Ground,
        exchange: &Exchange,
        (seen, standing): (Option<&Seen>, Option<&(Pin, McpTool)>),
        is_answer: bool,
    ) -> Result<(Arc<Made>, Ruling), Unavailable> {
        let secrets = if is_answer { &exchange.answered_secrets } else { &exchange.secrets };
        let passing = Part {
            part: if is_answer { "answer" } else { "call" },
            item: exchange.item.as_deref(),
            digest: standing.map(|(_, tool)| tool.digest),
            pin: standing.map(|(pin, _)| *pin),
            seen,
            inspects: self.door.config.inspection.enabled,
            secrets: Some(secrets),
        };
        // What uses no entry and holds no secret is the server's own affair.
        if exchange.item.is_none() && secrets.is_empty() {
            self.decide(ground, &Part::SERVER)
        } else {
            self.decide(ground, &passing)
        }
    }

    async fn judged(
        &self,
        exchange: &Exchange,
        is_answer: bool,
    ) -> Result<(Arc<Made>, Ruling, Option<(Pin, McpTool)>), Unavailable> {
        let mut standing = None;
        let mut seen = None;
        if let (Some(kind), Some(item)) = (exchange.kind, exchange.item.clone()) {
            // One server elsewhere answers every client: what it last told any of them is what it is now.
            let is_own = self.server.transport == "stdio";
            let shown = exchange.shown.as_deref().filter(|_| is_own);
            let shown = shown.and_then(|digest| digest.parse::<Sha256>().ok());
            let gate = self.clone();
            standing = self.door.blocking(move || gate.standing(kind, &item, shown)).await?;
            if let Some((_, tool)) = &standing {
                seen = look::into(&self.door, &offered_again(kind, tool)).await;
            }
        }
        let ground = self.ground().await?;
        let (gate, exchange, kept) = (self.clone(), exchange.clone(), standing.clone());
        let (made, ruling) = self
            .door
            .blocking(move || gate.judge(&ground, &exchange, (seen.as_ref(), kept.as_ref()), is_answer))
            .await?;
        Ok((made, ruling, standing))
    }

    async fn record_call(
        &self,
        exchange: Exchange,
        made: Option<Arc<Made>>,
        definition: Option<Sha256>,
        outcome: CallOutcome,
    ) -> Result<(), Unavailable> {
        let gate = self.clone();
        let call =
            self.door.blocking(move || gate.call(&exchange, made.as_deref(), definition, outcome)).await;
        self.record(Body::Call(Box::new(call))).await
    }
}

impl Gate for DoorGate {
    async fn list(&self, listing: Listing) -> Result<Vec<ItemRuling>, Unavailable> {
        if listing.items.len() > TOOLS {
            let why = format!("a page of a list has more than {TOOLS} entries");
            return Err(Unavailable(why));
        }
        let kind = listing.kind;
        let mut names = HashSet::new();
        let offered: Vec<Option<Offered>> = listing
            .items
            .iter()
            // A name that stands twice says nothing: which of the two a client takes is up to it.
            .map(|item| offered(kind, item).filter(|offered| names.insert(offered.name.clone())))
            .collect();
        let gate = self.clone();
        let to_note = offered.clone();
        let pins = self.door.blocking(move || gate.note(&to_note)).await?;
        let ground = self.ground().await?;
        let mut rulings = Vec::with_capacity(offered.len());
        for (offered, pin) in offered.into_iter().zip(pins) {
            let (Some(offered), Some(pin)) = (offered, pin) else {
                rulings.push(ItemRuling { digest: None, ruling: nothing_to_decide_on() });
                continue;
            };
            let seen = look::into(&self.door, &offered).await;
            let (gate, ground) = (self.clone(), ground.clone());
            let ruling = self
                .door
                .blocking(move || {
                    let part = Part {
                        part: offered.kind.as_str(),
                        item: Some(&offered.name),
                        digest: Some(offered.digest),
                        pin: Some(pin),
                        seen: seen.as_ref(),
                        inspects: gate.door.config.inspection.enabled,
                        secrets: None,
                    };
                    let (_, ruling) = gate.decide(&ground, &part)?;
                    Ok(ItemRuling { digest: Some(offered.digest.to_string()), ruling })
                })
                .await?;
            rulings.push(ruling);
        }
        Ok(rulings)
    }

    async fn ask(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        let (made, ruling, standing) = self.judged(&exchange, false).await?;
        let definition = standing.as_ref().map(|(_, tool)| tool.digest);
        if exchange.item.is_some() && standing.is_none() {
            let ruling = never_listed(&self.server.name, &exchange);
            self.record_call(exchange, None, None, CallOutcome::Refused).await?;
            return Ok(ruling);
        }
        if !ruling.passes {
            self.record_call(exchange, Some(made), definition, CallOutcome::Refused).await?;
        }
        Ok(ruling)
    }

    async fn end(&self, exchange: Exchange) -> Result<Ruling, Unavailable> {
        let (made, ruling, standing) = self.judged(&exchange, true).await?;
        let definition = standing.as_ref().map(|(_, tool)| tool.digest);
        let outcome = match exchange.outcome {
            _ if !ruling.passes => CallOutcome::Withheld,
            Some(Outcome::Answered) => CallOutcome::Answered,
            Some(Outcome::Failed) => CallOutcome::Failed,
            Some(Outcome::Unanswered) | None => CallOutcome::Unanswered,
        };
        self.record_call(exchange, Some(made), definition, outcome).await?;
        Ok(ruling)
    }
}

fn rules_of(decision: &Decision) -> Arc<[Text]> {
    decision.reasons.iter().map(|reason| Text::from(reason.rule.as_str())).collect()
}

/// An entry as it is pinned; none where it is no entry.
fn offered(kind: Kind, item: &Value) -> Option<Offered> {
    let name = item.get("name")?.as_str()?;
    if name.is_empty() || name.len() > MAX_ITEM_BYTES {
        return None;
    }
    let tool = Tool::of(item)?;
    let definition = canonical(tool.definition.as_ref()?);
    if definition.len() > pins::MAX_DEFINITION_BYTES {
        return None;
    }
    Some(Offered { kind, name: name.to_owned(), digest: tool.digest.parse().ok()?, definition })
}

/// What is kept of an entry, as it was offered.
fn offered_again(kind: Kind, tool: &McpTool) -> Offered {
    Offered { kind, name: tool.name.clone(), digest: tool.digest, definition: tool.definition.clone() }
}

fn nothing_to_decide_on() -> Ruling {
    Ruling {
        passes: false,
        action: Action::Block,
        reason: "it is no entry of a list, or one too many or too large".to_owned(),
        ..Ruling::default()
    }
}

fn never_listed(server: &str, exchange: &Exchange) -> Ruling {
    let item = exchange.item.as_deref().unwrap_or_default();
    Ruling {
        passes: false,
        action: Action::Block,
        rule: None,
        reason: format!("{item} is in no list that {server} gave through this door"),
        remedy: "ask for the server's list first; what is held there can be seen with `tidegate mcp show`"
            .to_owned(),
        decision: None,
    }
}
