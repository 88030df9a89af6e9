//! Entries about what passed between a client and an MCP server.

use std::sync::Arc;

use tidegate_model::{Action, DecisionId, PrincipalKind, Sha256};

use super::Text;
use crate::pseudonym::{Commitment, Pseudonym};

/// How an exchange with an MCP server ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CallOutcome {
    /// The answer was passed on.
    Answered,
    /// The server answered with an error, which was passed on.
    Failed,
    /// The request was refused and did not reach the server.
    Refused,
    /// The server answered, and the answer was kept from the client.
    Withheld,
    /// No answer came.
    Unanswered,
}

impl CallOutcome {
    /// The word in entries.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Failed => "failed",
            Self::Refused => "refused",
            Self::Withheld => "withheld",
            Self::Unanswered => "unanswered",
        }
    }
}

/// One exchange between a client and an MCP server: a tool that was called, a list that was shown. Neither arguments nor results
/// stand here.
#[derive(Clone, Debug, PartialEq, serde::Deserialize)]
pub struct Call {
    /// Who asked.
    pub actor: Pseudonym,
    /// What kind of principal.
    pub actor_kind: PrincipalKind,
    /// The machine the token was minted for, where it names one.
    pub host: Option<Commitment>,
    /// The address the request came from.
    pub address: Commitment,
    /// What the client says it is, where it says so.
    pub client: Option<Commitment>,
    /// The credential used, where one was.
    pub credential: Option<Commitment>,
    /// The server's name.
    pub server: Text,
    /// `stdio` or `http`.
    pub transport: Text,
    /// Package URL of the server, where it is a package.
    pub purl: Option<Text>,
    /// The method, such as `tools/call`.
    pub method: Text,
    /// The tool or prompt.
    pub item: Option<Text>,
    /// Digest of the text under which it is pinned.
    pub definition: Option<Sha256>,
    /// `HMAC-SHA-256` of the arguments' digest under the person's key: equal arguments of one person are equal here.
    pub arguments: Option<Commitment>,
    /// Detectors that found secrets in the arguments; at most 32.
    pub secrets: Arc<[Text]>,
    /// Detectors that found secrets in the answer; at most 32.
    pub answered_secrets: Arc<[Text]>,
    /// Entries of a list that were left out of the answer.
    pub left_out: u64,
    /// How it ended.
    pub outcome: CallOutcome,
    /// What was decided.
    pub action: Option<Action>,
    /// The decision behind it.
    pub decision: Option<DecisionId>,
    /// Ids of the live rules behind the decision, most restrictive first; at most 32.
    pub rules: Arc<[Text]>,
    /// Digest of the policy in force.
    pub policy: Option<Sha256>,
    /// False where the policy only observed.
    pub enforced: bool,
    /// Controls that were off or degraded; at most 32.
    pub degraded: Arc<[Text]>,
}
