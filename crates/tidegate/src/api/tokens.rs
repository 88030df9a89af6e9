//! Tokens: made once, shown once, taken back at once.

use std::sync::atomic::Ordering;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::{Principal, PrincipalKind, Timestamp};
use tidegate_store::catalogue::{Scope, Token};

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use crate::door::{ANONYMOUS, Door, new_token};

/// The longest name, host, run or group, in bytes.
const MAX_NAME_BYTES: usize = 200;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    /// For whom it speaks.
    person: String,
    #[serde(default = "human")]
    kind: PrincipalKind,
    #[serde(default)]
    groups: Vec<String>,
    host: Option<String>,
    run: Option<String>,
    #[serde(default = "read")]
    scope: String,
    #[serde(default)]
    repositories: Vec<String>,
    expires_at: Option<Timestamp>,
    expires_in_seconds: Option<u32>,
}

const fn human() -> PrincipalKind {
    PrincipalKind::Human
}

fn read() -> String {
    "read".into()
}

pub(crate) async fn create(call: &Call) -> Handled {
    let new: New = call.document()?;
    let token = check(call, &new)?;
    let (secret, hash, id) = new_token().map_err(|e| Problem::failed(e.to_string()))?;
    let token = Token { id, hash, ..token };
    let kept = token.clone();
    if !call.door.catalogue(move |c| c.put_token(&kept)).await? {
        return Err(Problem::conflict("a token with this id exists already", "ask again"));
    }
    let mut told = shown(&token, call.now);
    told["token"] = Value::String(secret.expose().clone());
    Ok(told)
}

fn check(call: &Call, new: &New) -> Result<Token, Problem> {
    let names = [Some(&new.person), new.host.as_ref(), new.run.as_ref()].into_iter().flatten();
    for name in names.chain(&new.groups) {
        if name.trim().is_empty() || name.len() > MAX_NAME_BYTES || name.chars().any(char::is_control) {
            return Err(Problem::bad(
                format!("`{}` cannot name anybody", name.escape_debug()),
                format!("use up to {MAX_NAME_BYTES} printable characters"),
            ));
        }
    }
    if new.person == ANONYMOUS || new.kind == PrincipalKind::Anonymous {
        return Err(Problem::bad(
            "a token names somebody",
            "choose another name, and kind human, ci or agent",
        ));
    }
    let scope: Scope = new.scope.parse().map_err(|e| Problem::bad(format!("{e}"), ""))?;
    for repository in &new.repositories {
        if !call.door.repositories.contains_key(repository) {
            let known: Vec<_> = call.door.repositories.keys().cloned().collect();
            return Err(Problem::bad(
                format!("there is no repository `{}`", repository.escape_debug()),
                format!("there are: {}", known.join(", ")),
            ));
        }
    }
    let expires_at = new.expires_at.or(new.expires_in_seconds.map(|s| call.now.plus_seconds(i64::from(s))));
    if expires_at.is_some_and(|end| end <= call.now) {
        return Err(Problem::bad("this token would have ended already", "choose a later end"));
    }
    Ok(Token {
        id: String::new(),
        hash: tidegate_store::catalogue::TokenHash::of(""),
        principal: Principal {
            id: new.person.clone(),
            kind: new.kind,
            groups: new.groups.clone(),
            host: new.host.clone(),
            run: new.run.clone(),
        },
        scope,
        repositories: new.repositories.clone(),
        created_at: call.now,
        expires_at,
        revoked_at: None,
    })
}

pub(crate) async fn list(call: &Call) -> Handled {
    let (all, now) = (call.flag("ended"), call.now);
    let tokens = call.door.catalogue(move |c| c.tokens(all, now)).await?;
    Ok(json!({ "tokens": tokens.iter().map(|t| shown(t, now)).collect::<Vec<_>>() }))
}

pub(crate) async fn revoke(call: &Call, id: &str) -> Handled {
    let (wanted, now) = (id.to_owned(), call.now);
    let found = call.door.catalogue(move |c| c.revoke_token(&wanted, now)).await?;
    if !found {
        return Err(Problem::not_found(
            format!("there is no valid token `{}`", id.escape_debug()),
            "`tidegate token list` shows their ids",
        ));
    }
    forget_identities(&call.door);
    Ok(json!({ "id": id, "revoked_at": now }))
}

/// Makes every request ask the catalogue again who it comes from.
pub(crate) fn forget_identities(door: &Door) {
    door.revocations.fetch_add(1, Ordering::SeqCst);
    door.caches.identities.clear();
}

fn shown(token: &Token, now: Timestamp) -> Value {
    json!({
        "id": token.id, "person": token.principal.id, "kind": token.principal.kind,
        "groups": token.principal.groups, "host": token.principal.host, "run": token.principal.run,
        "scope": token.scope.as_str(), "repositories": token.repositories, "created_at": token.created_at,
        "expires_at": token.expires_at, "revoked_at": token.revoked_at, "valid": token.is_valid_at(now),
    })
}
