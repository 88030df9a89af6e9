//! What a proxy asks of whoever decides, in plain values: they travel over the door's socket as JSON.

use std::future::Future;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tidegate_model::Action;

use super::methods::Kind;

/// A server as its user knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Server {
    /// Its name: under it tools are pinned.
    pub name: String,
    /// `stdio` or `http`.
    pub transport: String,
    /// The package that its command starts, where it names one: a package URL, with a version where it names that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purl: Option<String>,
}

/// What is decided.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ruling {
    /// Whether it goes on: also true of a refusal that a policy only observes.
    pub passes: bool,
    /// What the policy says.
    pub action: Action,
    /// The leading rule's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// Why, for people and models.
    pub reason: String,
    /// What to do about it.
    pub remedy: String,
    /// The recorded decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
}

impl Ruling {
    /// A ruling that lets pass.
    pub fn allow() -> Self {
        Self { passes: true, ..Self::default() }
    }
}

/// One page of a list, as the server told it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// Which list.
    pub kind: Kind,
    /// The entries with all their members.
    pub items: Vec<Value>,
}

/// What is decided on one entry of a list.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRuling {
    /// The digest of its text, by which it is pinned; none where it is no entry at all.
    #[serde(default)]
    pub digest: Option<String>,
    /// What is decided.
    pub ruling: Ruling,
}

/// A request that is about to go to the server, or what came of one.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// Of which list the entry is that it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// The entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// The digest of the text under which the server last told this client of the entry, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<String>,
    /// Digest of the arguments' canonical JSON; recorded under a key of the person alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<String>,
    /// Detectors that found secrets in the arguments.
    #[serde(default)]
    pub secrets: Vec<String>,
    /// Detectors that found secrets in the answer.
    #[serde(default)]
    pub answered_secrets: Vec<String>,
    /// Entries of a list that were left out of the answer.
    #[serde(default)]
    pub left_out: u64,
    /// How it ended; none before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
    /// What was decided before it began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decision: Option<String>,
    /// The name that the client gives itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
}

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// With a result.
    Answered,
    /// With an error, or a result that says it is one.
    Failed,
    /// It never came: the connection ended, or the client took the request back.
    Unanswered,
}

/// Nothing could be decided or recorded: then nothing passes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unavailable(pub String);

/// Whoever decides and records.
pub trait Gate: Send + Sync {
    /// Decides on one page of a list, and remembers what was seen.
    fn list(&self, listing: Listing) -> impl Future<Output = Result<Vec<ItemRuling>, Unavailable>> + Send;

    /// Decides whether a request may go to the server. One that may not is recorded here.
    fn ask(&self, exchange: Exchange) -> impl Future<Output = Result<Ruling, Unavailable>> + Send;

    /// Decides whether an answer may go to the client, and records the exchange. Resolves once the record is durable.
    fn end(&self, exchange: Exchange) -> impl Future<Output = Result<Ruling, Unavailable>> + Send;
}
