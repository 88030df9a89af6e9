//! Findings: what was observed inside an artifact, with its place and how sure it is (SARIF "result").
//!
//! A finding belongs to a digest. What is said of a name, a publisher or an age is a [fact](crate::facts), kept apart.

use std::fmt;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
        )]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// All of them, in order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word in data and on pages.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }
    };
}

words! {
    /// What a finding is about.
    FindingKind {
        /// A credential.
        Secret = "secret",
        /// Behaviour of code.
        Malware = "malware",
        /// A model file.
        Model = "model",
        /// An advisory.
        Vulnerability = "vulnerability",
        /// A licence.
        Licence = "licence",
        /// Origin.
        Provenance = "provenance",
        /// An editor extension.
        Extension = "extension",
        /// An MCP server.
        Mcp = "mcp",
        /// The container itself.
        Archive = "archive",
    }
}

words! {
    /// How bad a finding is if it is true, lowest first.
    FindingSeverity {
        /// Of note, no harm by itself.
        Info = "info",
        /// Little harm.
        Low = "low",
        /// Harm under conditions.
        Medium = "medium",
        /// Harm.
        High = "high",
        /// Harm to whoever installs or loads it.
        Critical = "critical",
    }
}

words! {
    /// How sure a finding is, lowest first.
    Confidence {
        /// A hint.
        Low = "low",
        /// Likely.
        Medium = "medium",
        /// Structure, checksum or flow leave little doubt.
        High = "high",
    }
}

/// Where in an artifact.
#[derive(
    Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct Location {
    /// The nested path: `x.tgz!/package/a.js`.
    pub path: String,
    /// Line, from 1, where the file is text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Offset in bytes from the start of the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offset: Option<u64>,
}

/// One observation inside an artifact.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
pub struct Finding {
    /// Which detector: `family/name`.
    pub detector: String,
    /// What it is about.
    pub kind: FindingKind,
    /// How bad.
    pub severity: FindingSeverity,
    /// How sure.
    pub confidence: Confidence,
    /// Where.
    pub location: Location,
    /// What was seen, as one sentence without a full stop, for the person who is stopped by it.
    pub message: String,
    /// What it rests on; of secrets never more than the public prefix.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// Of a secret: its keyed hash, so that equal ones are recognised without being kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret_hash: Option<String>,
    /// How many alike this one stands for.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub count: u64,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
fn is_one(count: &u64) -> bool {
    *count == 1
}
