//! The in-toto statement inside an envelope: what is said of which subjects.

use std::collections::BTreeMap;

use serde::Deserialize;
use tidegate_model::{Algorithm, Digest};

use crate::subject::Subject;
use crate::verification::{Claim, Failure, Reason, bounded};

/// The only payload type that a statement comes in.
pub(crate) const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// The most subjects of a statement. Real ones of monorepos and releases have some hundreds.
const MAX_SUBJECTS: usize = 10_000;

/// An in-toto statement, version 0.1 or 1.
#[derive(Clone, Debug, Deserialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<StatementSubject>,
    /// What kind of thing is said.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    #[serde(default)]
    pub predicate: serde_json::Value,
}

#[derive(Clone, Debug, Deserialize)]
struct StatementSubject {
    #[serde(default)]
    name: String,
    #[serde(default)]
    digest: BTreeMap<String, String>,
}

/// A subject of a statement that is the artifact in question.
#[derive(Debug)]
pub(crate) struct Matched {
    pub(crate) name: String,
    pub(crate) digest: Digest,
    pub(crate) name_accepted: bool,
}

impl Statement {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self, Failure> {
        let statement: Self = serde_json::from_slice(payload)
            .map_err(|e| Failure::malformed(format!("the payload is no in-toto statement: {e}")))?;
        let known = ["https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1"];
        if !known.contains(&statement.kind.as_str()) {
            return Err(Failure::malformed(format!("`{}` is no in-toto statement", statement.kind)));
        }
        if statement.subject.is_empty() || statement.subject.len() > MAX_SUBJECTS {
            let many = statement.subject.len();
            return Err(Failure::malformed(format!(
                "a statement has 1 to {MAX_SUBJECTS} subjects, this one {many}"
            )));
        }
        bounded(&statement.predicate_type)?;
        Ok(statement)
    }

    /// The digest of `subject` that this statement can be asked for: of the stronger of the two algorithms that statements
    /// use and that both know.
    pub(crate) fn common_digest<'a>(&self, subject: &'a Subject) -> Option<&'a Digest> {
        [Algorithm::Sha512, Algorithm::Sha256].into_iter().find_map(|algorithm| {
            let ours = subject.digest(algorithm)?;
            self.subject.iter().any(|s| s.digest.contains_key(algorithm.as_str())).then_some(ours)
        })
    }

    /// Name and SHA-256 of the subject, where there is exactly one.
    pub(crate) fn only_subject(&self) -> Result<(&str, Digest), Failure> {
        let odd = || Failure::malformed("the statement has not exactly one subject with a SHA-256");
        let [only] = self.subject.as_slice() else { return Err(odd()) };
        let digest = only.digest.get("sha256").and_then(|hex| Digest::from_hex(Algorithm::Sha256, hex));
        Ok((&only.name, digest.ok_or_else(odd)?))
    }

    /// The subject with the artifact's digest, preferring one with an accepted name. Every digest that both sides know has
    /// to agree: a statement that names one right and one wrong is about something else.
    pub(crate) fn find(&self, subject: &Subject) -> Result<Matched, Failure> {
        let mut found: Option<Matched> = None;
        for stated in &self.subject {
            let Some(digest) = agreed_digest(&stated.digest, subject) else { continue };
            let name_accepted = subject.accepts_name(&stated.name);
            let matched = Matched { name: bounded(&stated.name)?, digest, name_accepted };
            if name_accepted {
                return Ok(matched);
            }
            found.get_or_insert(matched);
        }
        found.ok_or_else(|| {
            Failure::invalid(
                Reason::ArtifactDigest,
                "no subject of the statement has the digest of this artifact",
            )
        })
    }
}

fn agreed_digest(stated: &BTreeMap<String, String>, subject: &Subject) -> Option<Digest> {
    let mut agreed = None;
    for ours in subject.digests.iter().filter(|d| d.algorithm().is_strong()) {
        match stated.get(ours.algorithm().as_str()) {
            Some(hex) if *hex == ours.hex() => agreed = agreed.or(Some(ours.clone())),
            Some(_) => return None,
            None => {}
        }
    }
    agreed
}

impl Matched {
    /// The demand that is missed where the name is none of the accepted ones.
    pub(crate) fn mismatch(&self, subject: &Subject) -> Option<(Claim, String)> {
        (!self.name_accepted).then(|| (Claim::SubjectName, subject.names.join("` or `")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::State;

    fn statement(subjects: &str) -> Statement {
        let text = format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":{subjects},"predicateType":"p","predicate":{{}}}}"#
        );
        Statement::parse(text.as_bytes()).unwrap()
    }

    fn artifact() -> Subject {
        let digest = |algorithm, len| Digest::from_bytes(algorithm, &vec![0xab; len]).unwrap();
        Subject::new([digest(Algorithm::Sha256, 32), digest(Algorithm::Sha512, 64)]).named("pkg:npm/a@1")
    }

    #[test]
    fn name_and_digest_belong_to_one_subject() {
        let right = "ab".repeat(32);
        let other = "cd".repeat(32);
        let of = |subjects: &str| statement(subjects).find(&artifact());
        let matched = of(&format!(r#"[{{"name":"pkg:npm/a@1","digest":{{"sha256":"{right}"}}}}]"#)).unwrap();
        assert!(matched.name_accepted);
        // The name of one subject with the digest of another.
        let crossed = format!(
            r#"[{{"name":"pkg:npm/a@1","digest":{{"sha256":"{other}"}}}},{{"name":"pkg:npm/b@1","digest":{{"sha256":"{right}"}}}}]"#
        );
        assert!(!of(&crossed).unwrap().name_accepted);
        // One right digest beside a wrong one.
        let torn = format!(
            r#"[{{"name":"pkg:npm/a@1","digest":{{"sha256":"{right}","sha512":"{}"}}}}]"#,
            "cd".repeat(64)
        );
        let refused = of(&torn).unwrap_err();
        assert_eq!(refused.state, State::Invalid { reason: Reason::ArtifactDigest });
    }

    #[test]
    fn what_is_no_statement_is_malformed() {
        for text in [
            "",
            "[]",
            r#"{"_type":"x","subject":[{}],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","subject":[],"predicateType":"p"}"#,
            r#"{"_type":"https://in-toto.io/Statement/v1","_type":"x","subject":[{}],"predicateType":"p"}"#,
        ] {
            assert_eq!(Statement::parse(text.as_bytes()).unwrap_err().state, State::Malformed, "{text}");
        }
    }
}
