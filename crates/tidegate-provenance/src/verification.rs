//! The outcome of checking one attestation or signature.

use std::fmt;

use tidegate_model::{Digest, Timestamp};

use crate::roots::Instance;

/// The most bytes of a claim that is read out of a certificate or a statement; longer ones make it malformed.
pub(crate) const MAX_CLAIM_BYTES: usize = 2048;

/// The most bytes of an explanation.
const MAX_DETAIL_BYTES: usize = 400;

/// How far a signed time may lie in the future of the caller's time, for clocks that disagree.
pub(crate) const MAX_CLOCK_SKEW_SECONDS: i64 = 300;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident => $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every word, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable word, used in records, policies and output.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

words! {
    /// Why something that is there does not hold. None of these is ever the fault of a policy.
    Reason {
        /// No subject of the statement has the digest of the artifact.
        ArtifactDigest => "artifact_digest",
        /// The signature does not verify over what it is said to sign.
        Signature => "signature",
        /// The certificate does not chain to an authority of the root, or was not issued for signing code.
        CertificateChain => "certificate_chain",
        /// The certificate was not valid at the signed time, or no authority of the root was.
        CertificateTime => "certificate_time",
        /// The certificate cannot be read.
        Certificate => "certificate",
        /// The certificate was not logged: its signed certificate timestamp is missing or wrong.
        Sct => "sct",
        /// The entry names a log that the root does not know.
        UnknownLog => "unknown_log",
        /// The inclusion proof does not lead to the signed root of the log.
        InclusionProof => "inclusion_proof",
        /// The log's checkpoint is not signed by the log.
        Checkpoint => "checkpoint",
        /// The log's promise is not signed by the log.
        InclusionPromise => "inclusion_promise",
        /// Nothing shows that the signature was logged, where that is demanded.
        NoLogEvidence => "no_log_evidence",
        /// Only the log's promise is there, at a time from which a proof is demanded.
        PromiseOnly => "promise_only",
        /// The entry of the log is about something else.
        LogEntry => "log_entry",
        /// The time of the entry is in the future or outside the certificate's validity.
        IntegratedTime => "integrated_time",
        /// An RFC 3161 timestamp does not verify.
        Timestamp => "timestamp",
        /// No authenticated time says when this was signed.
        NoSignedTime => "no_signed_time",
        /// The signed time lies in the future.
        FutureTime => "future_time",
        /// Signed by a key that nobody vouched for.
        UnknownKey => "unknown_key",
        /// Signed outside the time in which the key was in use.
        KeyWindow => "key_window",
        /// The key has expired or was revoked.
        KeyExpired => "key_expired",
        /// A digest or a key that is too weak to prove anything.
        Weak => "weak",
        /// What the index says of the publisher is not what the certificate says.
        Publisher => "publisher",
        /// The payload names other content than the one asked for.
        Payload => "payload",
        /// A file of the signed list is missing.
        MissingFile => "missing_file",
        /// A file is there that the signed list does not name.
        ExtraFile => "extra_file",
    }
}

words! {
    /// The demand that a genuine attestation does not meet.
    Claim {
        /// The OIDC issuer.
        Issuer => "issuer",
        /// The subject alternative name of the certificate.
        Identity => "identity",
        /// The source repository.
        SourceRepository => "source_repository",
        /// The workflow.
        Workflow => "workflow",
        /// The commit.
        SourceDigest => "source_digest",
        /// The ref.
        SourceRef => "source_ref",
        /// The event that started the build.
        Trigger => "trigger",
        /// The predicate type.
        PredicateType => "predicate_type",
        /// The name of the subject.
        SubjectName => "subject_name",
        /// The key.
        Key => "key",
        /// The instance: no root of it is configured.
        Instance => "instance",
    }
}

words! {
    /// What kind of proof there is that the signature existed when it says it did.
    Evidence {
        /// Included in a transparency log, proven against its signed checkpoint.
        InclusionProof => "inclusion_proof",
        /// A transparency log promised to include it.
        PromiseOnly => "promise_only",
        /// A timestamp authority saw it; no log.
        TimestampOnly => "timestamp_only",
        /// A signature by a known key, and nothing about when.
        SignatureOnly => "signature_only",
        /// Nothing was verified.
        None => "none",
    }
}

words! {
    /// How the signature was packed.
    Format {
        /// One entry of an npm registry's attestations.
        Npm => "npm",
        /// The npm registry's signature over `name@version:integrity`.
        NpmSignature => "npm_signature",
        /// PEP 740.
        Pep740 => "pep740",
        /// A Sigstore bundle.
        Bundle => "bundle",
        /// A cosign signature over a manifest digest.
        Cosign => "cosign",
        /// An Open VSX signature archive.
        OpenVsx => "open_vsx",
        /// OpenSSF model signing.
        Model => "model",
        /// An OpenPGP signature.
        Pgp => "pgp",
        /// A checksum database's signed note.
        GoSumdb => "go_sumdb",
    }
}

/// The eight things that can be said of an attestation. `absent`, `not_offered` and `invalid` never stand in for one
/// another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum State {
    /// It holds, and meets every demand.
    Verified,
    /// The registry offers attestations, and has none for this artifact.
    Absent,
    /// The registry offers no attestations at all.
    NotOffered,
    /// It may hold; this version cannot check its kind.
    Unsupported,
    /// It cannot be read as what it is said to be.
    Malformed,
    /// It does not hold.
    Invalid {
        /// Why.
        reason: Reason,
    },
    /// It holds, and is not what was demanded.
    PolicyMismatch {
        /// Which demand it does not meet.
        claim: Claim,
    },
    /// Whether it holds cannot be said with a root this old: what signed it is not known to the root.
    StaleRoot,
}

impl State {
    /// The word without reason or claim.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Absent => "absent",
            Self::NotOffered => "not_offered",
            Self::Unsupported => "unsupported",
            Self::Malformed => "malformed",
            Self::Invalid { .. } => "invalid",
            Self::PolicyMismatch { .. } => "policy_mismatch",
            Self::StaleRoot => "stale_root",
        }
    }

    /// Which of several states of one artifact counts: lower counts first. That something does not hold is never hidden
    /// by something else that does.
    const fn rank(self) -> u8 {
        match self {
            Self::Invalid { .. } => 0,
            Self::Verified => 1,
            Self::PolicyMismatch { .. } => 2,
            Self::StaleRoot => 3,
            Self::Malformed => 4,
            Self::Unsupported => 5,
            Self::Absent => 6,
            Self::NotOffered => 7,
        }
    }
}

/// `invalid(signature)`, `policy_mismatch(issuer)`, `verified`.
impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Invalid { reason } => write!(f, "invalid({reason})"),
            Self::PolicyMismatch { claim } => write!(f, "policy_mismatch({claim})"),
            other => f.write_str(other.as_str()),
        }
    }
}

/// Who signed.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Signer {
    /// OIDC issuer that the certificate names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// Subject alternative name of the certificate, or the user id of a PGP key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Id or fingerprint of a key that needs no certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// The outcome of checking one attestation or signature. Fields about the signer are filled in only from what was
/// verified: an `invalid` outcome has none.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Verification {
    /// How it was packed.
    pub format: Format,
    /// What is to be thought of it.
    #[serde(flatten)]
    pub state: State,
    /// What kind of proof of time there is.
    pub evidence: Evidence,
    /// The state in a sentence, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The name that was signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_name: Option<String>,
    /// The digest that was signed and is the artifact's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_digest: Option<Digest>,
    /// Who signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signer: Option<Signer>,
    /// Who built: the identity of the build that asked for the certificate, never what the statement says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub builder: Option<String>,
    /// URL of the source repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_repository: Option<String>,
    /// Commit that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_digest: Option<String>,
    /// Ref that was built.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_ref: Option<String>,
    /// Path of the workflow within the source repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workflow: Option<String>,
    /// Event that started the build.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<String>,
    /// Address of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<String>,
    /// `github-hosted`, `self-hosted` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runner_environment: Option<String>,
    /// When it was signed: the earliest authenticated time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_at: Option<Timestamp>,
    /// The statement's predicate type.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate_type: Option<String>,
    /// The instance whose root vouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<Instance>,
    /// Index of the entry in the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_index: Option<u64>,
    /// Digest of the trust root that vouched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub root: Option<Digest>,
    /// What was *not* proven, in plain sentences.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_proven: Vec<String>,
}

impl Verification {
    /// An outcome of which nothing is known but its state.
    pub fn of(format: Format, state: State) -> Self {
        Self {
            format,
            state,
            evidence: Evidence::None,
            detail: None,
            subject_name: None,
            subject_digest: None,
            signer: None,
            builder: None,
            source_repository: None,
            source_digest: None,
            source_ref: None,
            workflow: None,
            trigger: None,
            run: None,
            runner_environment: None,
            signed_at: None,
            predicate_type: None,
            instance: None,
            log_index: None,
            root: None,
            not_proven: Vec::new(),
        }
    }

    /// Whether it holds and meets every demand.
    pub fn is_verified(&self) -> bool {
        self.state == State::Verified
    }

    /// The one outcome that stands for several of the same artifact: an invalid one before a verified one, and a verified
    /// one before one that misses a demand.
    pub fn summary(all: &[Self]) -> Option<&Self> {
        all.iter().min_by_key(|v| v.state.rank())
    }

    /// Turns a genuine outcome into one that misses a demand. The first miss is the one that is told.
    pub(crate) fn mismatch(&mut self, claim: Claim, expected: &str, actual: Option<&str>) {
        if self.state != State::Verified {
            return;
        }
        self.state = State::PolicyMismatch { claim };
        let actual = actual.map_or_else(|| "none".to_owned(), |a| format!("`{a}`"));
        let words = claim.as_str().replace('_', " ");
        self.detail = Some(printable(&format!("the {words} is {actual}, not `{expected}`")));
    }

    pub(crate) fn not_proven(&mut self, sentence: impl Into<String>) {
        self.not_proven.push(sentence.into());
    }
}

/// A check that failed, on its way to becoming a [`Verification`].
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) state: State,
    pub(crate) detail: String,
}

impl Failure {
    pub(crate) fn malformed(detail: impl Into<String>) -> Self {
        Self { state: State::Malformed, detail: detail.into() }
    }

    pub(crate) fn unsupported(detail: impl Into<String>) -> Self {
        Self { state: State::Unsupported, detail: detail.into() }
    }

    pub(crate) fn invalid(reason: Reason, detail: impl Into<String>) -> Self {
        Self { state: State::Invalid { reason }, detail: detail.into() }
    }

    pub(crate) fn into_verification(self, format: Format) -> Verification {
        Verification { detail: Some(printable(&self.detail)), ..Verification::of(format, self.state) }
    }
}

/// A claim as it stands, or a refusal where it is longer than any honest one or holds control characters.
pub(crate) fn bounded(claim: &str) -> Result<String, Failure> {
    if claim.len() > MAX_CLAIM_BYTES || claim.chars().any(char::is_control) {
        return Err(Failure::malformed("a claim is longer than 2048 bytes or holds control characters"));
    }
    Ok(claim.to_owned())
}

/// Text of the outside, fit for one line of output.
pub(crate) fn printable(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if out.len() + c.len_utf8() > MAX_DETAIL_BYTES {
            out.push('…');
            break;
        }
        out.push(if c.is_control() { ' ' } else { c });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_read_as_words() {
        assert_eq!(State::Invalid { reason: Reason::Signature }.to_string(), "invalid(signature)");
        assert_eq!(State::PolicyMismatch { claim: Claim::Issuer }.to_string(), "policy_mismatch(issuer)");
        let json = serde_json::to_string(&Verification::of(
            Format::Npm,
            State::Invalid { reason: Reason::KeyWindow },
        ))
        .unwrap();
        assert_eq!(json, r#"{"format":"npm","state":"invalid","reason":"key_window","evidence":"none"}"#);
        let back: Verification = serde_json::from_str(&json).unwrap();
        assert_eq!(back.state, State::Invalid { reason: Reason::KeyWindow });
    }

    #[test]
    fn an_invalid_one_is_never_hidden() {
        let of = |state| Verification::of(Format::Npm, state);
        let invalid = State::Invalid { reason: Reason::Signature };
        let all = [of(State::Absent), of(State::Verified), of(invalid), of(State::Malformed)];
        assert_eq!(Verification::summary(&all).unwrap().state, invalid);
        assert_eq!(Verification::summary(&all[..2]).unwrap().state, State::Verified);
        assert!(Verification::summary(&[]).is_none());
    }

    #[test]
    fn text_of_the_outside_is_one_bounded_line() {
        assert_eq!(printable("a\nb\u{1b}[31m"), "a b [31m");
        assert!(printable(&"ü".repeat(5000)).len() <= MAX_DETAIL_BYTES + 3);
        assert!(bounded("x\ny").is_err());
    }
}
