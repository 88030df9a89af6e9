//! Who asks.

/// What kind of principal asks.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum PrincipalKind {
    /// A person.
    Human,
    /// A build.
    Ci,
    /// An AI agent acting for a person.
    Agent,
    /// Nobody named themselves.
    #[default]
    Anonymous,
}

impl PrincipalKind {
    /// The word used in policies, output and records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Ci => "ci",
            Self::Agent => "agent",
            Self::Anonymous => "anonymous",
        }
    }
}

/// The authenticated user, service or workload behind a request.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Principal {
    /// A stable name: an account, a service, a CI job. Empty for an anonymous principal.
    pub id: String,
    /// What kind it is.
    pub kind: PrincipalKind,
    /// Groups it belongs to.
    pub groups: Vec<String>,
    /// The machine the token was minted for, where it names one.
    pub host: Option<String>,
    /// The build run the token was minted for, where it names one.
    pub run: Option<String>,
}

impl Principal {
    /// A principal that did not name itself.
    pub fn anonymous() -> Self {
        Self::default()
    }
}
