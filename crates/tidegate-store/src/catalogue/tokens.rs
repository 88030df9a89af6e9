//! Tokens, of which only a digest is kept.

use std::fmt;
use std::str::FromStr;

use sha2::Digest as _;
use tidegate_model::{Principal, Timestamp};

use super::CatalogueError;

/// SHA-256 of a token.
///
/// A token is 256 random bits, so there is no dictionary to run against its digest and nothing that a slow password
/// hash would slow down but our own requests. A stolen catalogue still holds no token that works. Looking a digest up
/// in an index leaks no useful timing: whoever guesses cannot choose the digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct TokenHash([u8; 32]);

impl TokenHash {
    /// The digest of a token's text.
    pub fn of(token: &str) -> Self {
        Self(sha2::Sha256::digest(token.as_bytes()).into())
    }

    pub(crate) const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for TokenHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenHash(****)")
    }
}

/// What a token may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Ask for packages.
    Read,
    /// Ask for packages, and act as an administrator.
    Admin,
}

impl Scope {
    /// The word used on the command line and in the catalogue.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Admin => "admin",
        }
    }
}

/// A word that is no scope.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a scope: expected read or admin")]
pub struct InvalidScope(String);

impl FromStr for Scope {
    type Err = InvalidScope;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Read, Self::Admin]
            .into_iter()
            .find(|s| s.as_str() == text)
            .ok_or_else(|| InvalidScope(text.chars().take(40).collect()))
    }
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// Names it in lists and commands; says nothing of the token itself.
    pub id: String,
    /// Digest of its text.
    pub hash: TokenHash,
    /// For whom it speaks, with host and run where it was minted for them.
    pub principal: Principal,
    /// What it may do.
    pub scope: Scope,
    /// Only through these repositories; empty means all.
    pub repositories: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Not valid from then on; `None` never ends.
    pub expires_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
}

impl Token {
    /// Whether it may be used at `now`.
    pub fn is_valid_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && self.expires_at.is_none_or(|end| now < end)
    }
}

/// Tokens.
pub trait Tokens: Send + Sync {
    /// Records a token. False where its id or digest is taken.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn put_token(&self, token: &Token) -> Result<bool, CatalogueError>;

    /// The token with this digest, valid or not: the caller says which of the two it is ([`Token::is_valid_at`]).
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn token(&self, hash: &TokenHash) -> Result<Option<Token>, CatalogueError>;

    /// Every token, newest first; `ended` also lists those revoked or expired at `now`.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn tokens(&self, ended: bool, now: Timestamp) -> Result<Vec<Token>, CatalogueError>;

    /// Takes a token back. False where no valid one has this id.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn revoke_token(&self, id: &str, at: Timestamp) -> Result<bool, CatalogueError>;

    /// Deletes tokens that ended before `before`; returns how many. Tokens of single runs would else pile up.
    ///
    /// # Errors
    /// [`CatalogueError`].
    fn prune_tokens(&self, before: Timestamp) -> Result<u64, CatalogueError>;
}
