//! Who asks: from a token to a principal, its pseudonym and the commitments that stand in entries.

use std::net::IpAddr;
use std::sync::Arc;

use http::HeaderMap;
use http::header::AUTHORIZATION;
use tidegate_ledger::pseudonym::{Commitment, PersonKey, Pseudonym, Salt};
use tidegate_model::{Principal, Secret, Timestamp};
use tidegate_store::catalogue::{
    Catalogue, CatalogueError, ContextKind, NewContext, NewPerson, Person, Scope, Token, TokenHash,
};

/// A principal as entries know it.
#[derive(Clone, Debug)]
pub struct Identity {
    /// Who.
    pub principal: Principal,
    /// The token's id, where one was shown.
    pub token_id: Option<Arc<str>>,
    /// Whether the token may act as an administrator.
    pub admin: bool,
    /// Only through these repositories; empty means all.
    pub repositories: Vec<String>,
    /// When the token ends.
    pub expires_at: Option<Timestamp>,
    /// Pseudonym of the principal.
    pub actor: Pseudonym,
    /// Commitment to the network address.
    pub address: Commitment,
    /// The client program's bare name, as rules read it: `npm`, `pip`, `cargo`.
    pub client_name: Option<String>,
    /// Commitment to the client's name.
    pub client: Option<Commitment>,
    /// Commitment to the machine the token was minted for.
    pub host: Option<Commitment>,
    /// Commitment to the token's id.
    pub credential: Option<Commitment>,
}

/// The tenant of a single-tenant door, part of every pseudonym.
pub const TENANT: &str = "default";
/// What an anonymous principal is called in the private table.
pub const ANONYMOUS: &str = "anonymous";
/// The longest client name that is kept, in bytes.
const MAX_CLIENT_BYTES: usize = 300;

/// Reads a token from a request: Bearer, Basic (the password is the token) or, as cargo sends it, the bare token.
pub fn token_of(headers: &HeaderMap) -> Option<Secret<String>> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?.trim();
    let (scheme, rest) = value.split_once(' ').unwrap_or(("", value));
    let token = match scheme.to_ascii_lowercase().as_str() {
        "bearer" => rest.trim().to_owned(),
        "basic" => {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(rest.trim()).ok()?;
            let text = String::from_utf8(decoded).ok()?;
            let (user, password) = text.split_once(':')?;
            // pip and npm users put the token into either place.
            if password.is_empty() { user.to_owned() } else { password.to_owned() }
        }
        "" => value.to_owned(),
        _ => return None,
    };
    (!token.is_empty()).then(|| Secret::new(token))
}

/// Makes the identity of a request known. Blocks on the catalogue; the caller caches the result.
///
/// # Errors
/// The catalogue's, or no randomness for new keys.
pub fn identify(
    catalogue: &dyn Catalogue,
    token: Option<&Token>,
    address: IpAddr,
    client: Option<&str>,
    now: Timestamp,
) -> Result<Identity, IdentityError> {
    let principal = token.map_or_else(Principal::anonymous, |t| t.principal.clone());
    let person = person_of(catalogue, &principal, now)?;
    let commit = |kind, value: &str| context(catalogue, person.pseudonym, kind, value);
    let client = client.map(|c| truncated(c, MAX_CLIENT_BYTES));
    Ok(Identity {
        address: commit(ContextKind::Address, &address.to_string())?,
        client_name: client.as_deref().map(bare_name),
        client: client.as_deref().map(|c| commit(ContextKind::Client, c)).transpose()?,
        host: principal.host.as_deref().map(|h| commit(ContextKind::Host, h)).transpose()?,
        credential: token
            .map(|t| commit(ContextKind::Credential, principal.run.as_deref().unwrap_or(&t.id)))
            .transpose()?,
        actor: person.pseudonym,
        token_id: token.map(|t| t.id.as_str().into()),
        admin: token.is_some_and(|t| t.scope == Scope::Admin),
        repositories: token.map(|t| t.repositories.clone()).unwrap_or_default(),
        expires_at: token.and_then(|t| t.expires_at),
        principal,
    })
}

/// The person behind a principal, made known where it is new. Blocks on the catalogue.
///
/// # Errors
/// The catalogue's, or no randomness for a new key.
pub fn person_of(
    catalogue: &dyn Catalogue,
    principal: &Principal,
    now: Timestamp,
) -> Result<Person, IdentityError> {
    let name = if principal.id.is_empty() { ANONYMOUS } else { &principal.id };
    if let Some(person) = catalogue.person(name)? {
        return Ok(person);
    }
    let key = PersonKey::generate().map_err(|_| IdentityError::Randomness)?;
    let pseudonym = Pseudonym::of(&key, TENANT, name);
    let new = NewPerson { principal: name, kind: principal.kind, pseudonym, key, at: now };
    Ok(catalogue.person_or_insert(&new)?)
}

fn context(
    catalogue: &dyn Catalogue,
    pseudonym: Pseudonym,
    kind: ContextKind,
    value: &str,
) -> Result<Commitment, IdentityError> {
    if let Some(known) = catalogue.context(&pseudonym, kind, value)? {
        return Ok(known.commitment);
    }
    let salt = Salt::generate().map_err(|_| IdentityError::Randomness)?;
    let commitment = Commitment::to(&salt, value);
    let kept = catalogue.context_or_insert(&NewContext { pseudonym, kind, value, salt, commitment })?;
    Ok(kept.commitment)
}

/// The program's name without version and comments, lower case: `npm/11.0 node/…` is `npm`.
fn bare_name(agent: &str) -> String {
    let end = agent.find(|c: char| c == '/' || c.is_whitespace()).unwrap_or(agent.len());
    agent[..end].to_ascii_lowercase()
}

fn truncated(text: &str, max: usize) -> String {
    let mut end = text.len().min(max);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].to_owned()
}

/// A token as it is handed out: `tg_` and 256 random bits.
///
/// # Errors
/// The system gives no randomness.
pub fn new_token() -> Result<(Secret<String>, TokenHash, String), IdentityError> {
    let mut bytes = [0u8; 32];
    getrandom::fill(&mut bytes).map_err(|_| IdentityError::Randomness)?;
    let mut id = [0u8; 6];
    getrandom::fill(&mut id).map_err(|_| IdentityError::Randomness)?;
    let text = format!("tg_{}", hex::encode(bytes));
    let hash = TokenHash::of(&text);
    Ok((Secret::new(text), hash, hex::encode(id)))
}

/// Why an identity could not be made known.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// The catalogue failed.
    #[error(transparent)]
    Catalogue(#[from] CatalogueError),
    /// No random bytes.
    #[error("the system gives no random bytes")]
    Randomness,
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    #[test]
    fn tokens_are_read_in_every_form_clients_send() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            token_of(&headers).map(|t| t.expose().clone())
        };
        assert_eq!(read("Bearer tg_x").as_deref(), Some("tg_x"));
        assert_eq!(read("bearer  tg_x").as_deref(), Some("tg_x"));
        assert_eq!(read("tg_x").as_deref(), Some("tg_x"));
        assert_eq!(read("Basic X190b2tlbl9fOnRnX3g=").as_deref(), Some("tg_x"));
        assert_eq!(read("Basic dGdfeDo=").as_deref(), Some("tg_x"));
        assert_eq!(read("Digest x"), None);
        assert_eq!(read("Basic !!!"), None);
        assert_eq!(token_of(&HeaderMap::new()), None);
    }
}
