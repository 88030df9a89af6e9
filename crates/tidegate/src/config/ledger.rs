//! `[ledger]`: when answers end, and who cosigns.

use tidegate_ledger::note::VerifierKey;
use url::Url;

/// When a response may end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LedgerMode {
    /// Not before its entry survives a power cut.
    #[default]
    Durable,
    /// Once its entry is written; a power cut may lose the window that `status` shows.
    Batched,
}

/// `[ledger]`
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LedgerSection {
    /// `durable` or `batched`.
    pub mode: LedgerMode,
    /// Who is asked to cosign each checkpoint.
    pub witnesses: Vec<WitnessAt>,
}

/// One of `ledger.witnesses`
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WitnessAt {
    /// Its submission prefix: `add-checkpoint` is asked below it.
    pub url: Url,
    /// Its verifier key, of kind `cosignature/v1`.
    pub key: VerifierKey,
}
