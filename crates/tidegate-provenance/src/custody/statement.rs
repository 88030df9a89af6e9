//! in-toto Statement v1: something (a predicate) about something (subjects, by digest).
//!
//! Written in one fixed order of fields and without white space, so that equal statements are equal bytes. Read as the
//! specification asks: fields that are not known are ignored.

use tidegate_model::{Algorithm, Digest, Sha256};

/// `_type` of a statement.
pub const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The DSSE payload type of statements.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

/// One statement. `P` is its predicate.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Statement<P> {
    /// [`STATEMENT_TYPE`].
    #[serde(rename = "_type")]
    pub kind: String,
    /// What it is about.
    pub subject: Vec<Subject>,
    /// Says how to read the predicate.
    #[serde(rename = "predicateType")]
    pub predicate_type: String,
    /// What is said.
    pub predicate: P,
}

/// What a statement is about.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Subject {
    /// For ours: the package URL.
    #[serde(default)]
    pub name: String,
    /// Its digests.
    pub digest: DigestSet,
}

/// An in-toto DigestSet, of the algorithms that prove something: lower-case hexadecimal digits under each name.
///
/// The specification takes two sets for equal when any one algorithm agrees. We want every one that both know to agree.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(into = "Digits", try_from = "Digits")]
pub struct DigestSet {
    /// SHA-256.
    pub sha256: Option<Digest>,
    /// SHA-512.
    pub sha512: Option<Digest>,
}

impl DigestSet {
    /// The set of one SHA-256.
    pub fn sha256(digest: Sha256) -> Self {
        Self { sha256: Some(digest.into()), sha512: None }
    }

    /// The strong digests among `digests`: the first SHA-256 and the first SHA-512.
    pub fn strong(digests: &[Digest]) -> Self {
        let first = |wanted| digests.iter().find(|digest| digest.algorithm() == wanted).cloned();
        Self { sha256: first(Algorithm::Sha256), sha512: first(Algorithm::Sha512) }
    }

    /// Whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.sha256.is_none() && self.sha512.is_none()
    }

    /// Whether both are of the same bytes: they share an algorithm, and every one that they share agrees.
    pub fn agrees(&self, other: &Self) -> bool {
        let pairs = [(&self.sha256, &other.sha256), (&self.sha512, &other.sha512)];
        let mut shared = pairs.iter().filter(|(one, two)| one.is_some() && two.is_some()).peekable();
        shared.peek().is_some() && shared.all(|(one, two)| one == two)
    }
}

impl<P: serde::Serialize> Statement<P> {
    /// A statement about one subject.
    pub fn about(subject: Subject, predicate_type: &str, predicate: P) -> Self {
        Self {
            kind: STATEMENT_TYPE.to_owned(),
            subject: vec![subject],
            predicate_type: predicate_type.to_owned(),
            predicate,
        }
    }

    /// Its bytes, always the same for the same statement.
    pub fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("INVARIANT: predicates are plain JSON with text keys")
    }
}

/// How a DigestSet stands in JSON.
#[derive(serde::Serialize, serde::Deserialize)]
struct Digits {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sha512: Option<String>,
}

impl From<DigestSet> for Digits {
    fn from(set: DigestSet) -> Self {
        let digits = |digest: Option<Digest>| digest.map(|digest| digest.hex());
        Self { sha256: digits(set.sha256), sha512: digits(set.sha512) }
    }
}

impl TryFrom<Digits> for DigestSet {
    type Error = &'static str;

    fn try_from(digits: Digits) -> Result<Self, Self::Error> {
        let read = |digits: Option<String>, algorithm| match digits {
            None => Ok(None),
            Some(digits) => Digest::from_hex(algorithm, &digits)
                // One spelling: upper case would make two texts of one digest.
                .filter(|digest| digest.hex() == digits)
                .map(Some)
                .ok_or("a digest that is not lower-case hexadecimal of its length"),
        };
        Ok(Self {
            sha256: read(digits.sha256, Algorithm::Sha256)?,
            sha512: read(digits.sha512, Algorithm::Sha512)?,
        })
    }
}

/// A URI that anybody may read: absolute, without user, password, query or fragment. So none can carry a credential.
#[derive(Clone, Debug, PartialEq, Eq, Hash, serde::Serialize)]
#[serde(transparent)]
pub struct PublicUri(String);

/// Text that is no [`PublicUri`]. The text is not repeated: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidPublicUri {
    /// It is no absolute URI, or is longer than [`PublicUri::MAX_BYTES`].
    #[error("this is not an absolute URI of at most {max} bytes, such as https://tidegate.corp.example/", max = PublicUri::MAX_BYTES)]
    NotAUri,
    /// It names a user, a password, a query or a fragment.
    #[error("this URI has a user, password, query or fragment, which could be a credential: leave them out")]
    MayHoldCredentials,
}

impl PublicUri {
    /// The longest one, in bytes.
    pub const MAX_BYTES: usize = 2048;

    /// The URI.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for PublicUri {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::str::FromStr for PublicUri {
    type Err = InvalidPublicUri;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > Self::MAX_BYTES {
            return Err(InvalidPublicUri::NotAUri);
        }
        let url = url::Url::parse(text).map_err(|_| InvalidPublicUri::NotAUri)?;
        let bare = url.username().is_empty() && url.password().is_none();
        if !bare || url.query().is_some() || url.fragment().is_some() {
            return Err(InvalidPublicUri::MayHoldCredentials);
        }
        Ok(Self(url.into()))
    }
}

impl<'de> serde::Deserialize<'de> for PublicUri {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(sha256: Option<u8>, sha512: Option<u8>) -> DigestSet {
        DigestSet {
            sha256: sha256.and_then(|b| Digest::from_bytes(Algorithm::Sha256, &[b; 32])),
            sha512: sha512.and_then(|b| Digest::from_bytes(Algorithm::Sha512, &[b; 64])),
        }
    }

    #[test]
    fn every_shared_digest_must_agree() {
        let check = |one, two, expected| assert_eq!(DigestSet::agrees(&one, &two), expected);
        check(set(Some(1), Some(2)), set(Some(1), Some(2)), true);
        check(set(Some(1), Some(2)), set(Some(1), None), true);
        check(set(Some(1), Some(2)), set(None, Some(2)), true);
        // in-toto would let these match, since one of the two agrees.
        check(set(Some(1), Some(2)), set(Some(1), Some(3)), false);
        check(set(Some(1), Some(2)), set(Some(3), Some(2)), false);
        check(set(Some(1), None), set(None, Some(1)), false);
        check(set(None, None), set(None, None), false);
    }

    #[test]
    fn uris_never_carry_credentials() {
        let check = |text: &str| text.parse::<PublicUri>().map(|uri| uri.to_string());
        assert_eq!(check("https://registry.example").unwrap(), "https://registry.example/");
        assert_eq!(check("urn:uuid:0000").unwrap(), "urn:uuid:0000");
        for secret in [
            "https://u:hunter2@r.example/",
            "https://u@r.example/",
            "https://r.example/?hunter2",
            "https://r.example/#hunter2",
        ] {
            let refused = check(secret).unwrap_err();
            assert_eq!(refused, InvalidPublicUri::MayHoldCredentials);
            assert!(!refused.to_string().contains("hunter2"));
        }
        assert_eq!(check("registry"), Err(InvalidPublicUri::NotAUri));
    }

    #[test]
    fn statements_are_written_in_one_way() {
        let subject = Subject { name: "pkg:npm/a@1".to_owned(), digest: set(Some(0xab), None) };
        let statement =
            Statement::about(subject, "https://example.test/p", serde_json::json!({"b": 1, "a": 2}));
        let bytes = statement.to_bytes();
        let ab = "ab".repeat(32);
        assert_eq!(
            String::from_utf8(bytes.clone()).unwrap(),
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{"name":"pkg:npm/a@1","digest":{{"sha256":"{ab}"}}}}],"predicateType":"https://example.test/p","predicate":{{"b":1,"a":2}}}}"#
            )
        );
        let read: Statement<serde_json::Value> = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(read, statement);
        let upper = String::from_utf8(bytes).unwrap().replace(&ab, &"AB".repeat(32));
        assert!(serde_json::from_str::<Statement<serde_json::Value>>(&upper).is_err());
    }
}
