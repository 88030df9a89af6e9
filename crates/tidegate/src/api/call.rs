//! A call: who makes it, with what right, and what it says.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use http::StatusCode;
use http::header::{self, HeaderMap};
use http::request::Parts;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use tidegate_ledger::pseudonym::Pseudonym;
use tidegate_ledger::{Body, EntryDraft};
use tidegate_model::{Principal, PrincipalKind, Timestamp};

use super::Caller;
use super::problem::Problem;
use crate::door::{Door, Identity, Repository, TENANT, person_of, token_of};
use crate::http::packages::{self, NoIdentity};

/// What a resource takes to be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Right {
    /// Names nobody and changes nothing.
    Read,
    /// Names people, or changes something.
    Administer,
}

/// An authorised call.
pub(crate) struct Call {
    /// The door.
    pub(crate) door: Arc<Door>,
    /// Who calls.
    pub(crate) actor: Actor,
    /// The query string.
    pub(crate) query: BTreeMap<String, String>,
    /// The body, unpacked.
    pub(crate) body: Bytes,
    /// When it came.
    /// Revocations before it was found out who calls.
    revocations: u64,
    pub(crate) now: Timestamp,
}

/// Who calls.
#[derive(Clone, Debug)]
pub(crate) struct Actor {
    /// As whom decisions are asked for and changes are recorded.
    pub(crate) principal: Principal,
    /// Whether everything is allowed.
    pub(crate) admin: bool,
    /// The id of the token shown.
    pub(crate) token_id: Option<Arc<str>>,
    /// Only these repositories; empty means all.
    pub(crate) repositories: Vec<String>,
    /// The client program's bare name.
    pub(crate) client: Option<String>,
}

/// That somebody did something is noted once a day.
const NOTE_SEEN_SECONDS: i64 = 86_400;

impl Call {
    /// Finds out who calls, checks the right, reads the body.
    pub(crate) async fn read(
        door: &Arc<Door>,
        parts: &Parts,
        body: Incoming,
        caller: &Caller,
        right: Right,
    ) -> Result<Self, Problem> {
        same_origin(&parts.headers)?;
        let revocations = door.revocations.load(Ordering::SeqCst);
        let actor = match caller {
            Caller::Socket { uid } => Actor::owner(*uid),
            Caller::Remote { arrival } => {
                let identity = identify(door, parts, arrival).await?;
                if identity.token_id.is_none() {
                    own_host(door, &parts.headers)?;
                }
                Actor::of(&identity)
            }
        };
        if right == Right::Administer && !actor.admin {
            return Err(if actor.token_id.is_some() {
                Problem::forbidden(
                    "this token may not do that",
                    "use one of scope admin: `tidegate token create NAME --scope admin` on the machine of the door",
                )
            } else {
                unauthenticated(
                    "what names people or changes anything needs an administrator's token",
                    "make one with `tidegate token create NAME --scope admin` on the machine of the door, and give it with --token or TIDEGATE_TOKEN",
                )
            });
        }
        let body = packages::read_body(door, parts, body).await?;
        let query = url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
            .map(|(k, v)| (k.into_owned(), v.into_owned()))
            .collect();
        Ok(Self { door: Arc::clone(door), actor, query, body, revocations, now: door.clock.now() })
    }

    /// A value of the query string; empty reads as absent.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// A value of the query string that must be there.
    pub(crate) fn required(&self, name: &str) -> Result<&str, Problem> {
        self.param(name).ok_or_else(|| {
            Problem::bad(
                format!("the parameter `{name}` is missing"),
                format!("add ?{name}=… to the address"),
            )
        })
    }

    /// A value of the query string, parsed.
    pub(crate) fn parsed<T>(&self, name: &str) -> Result<Option<T>, Problem>
    where
        T: std::str::FromStr<Err: std::fmt::Display>,
    {
        self.param(name)
            .map(|text| text.parse().map_err(|e: T::Err| Problem::bad(format!("`{name}`: {e}"), "")))
            .transpose()
    }

    /// Whether a parameter is there and not `false`.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.query.get(name).is_some_and(|v| v != "false")
    }

    /// The body as the described document.
    pub(crate) fn document<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        serde_json::from_slice(&self.body).map_err(|e| {
            Problem::bad(
                format!("the body cannot be read: {e}"),
                "it is one JSON object with the documented keys",
            )
        })
    }

    /// Runs an operation that blocks.
    pub(crate) async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Arc<Door>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        let door = Arc::clone(&self.door);
        self.door.blocking(move || work(&door)).await
    }

    /// What the ledger calls whoever calls. Blocks on the catalogue.
    pub(crate) async fn pseudonym(&self) -> Result<Pseudonym, Problem> {
        let (principal, token) = (self.actor.principal.clone(), self.actor.token_id.clone());
        let (now, revocations) = (self.now, self.revocations);
        self.blocking(move |door| {
            let catalogue = &*door.store.catalogue;
            // Whoever was forgotten since must not be written down again.
            let _not_now = door.forgetting.read().unwrap_or_else(std::sync::PoisonError::into_inner);
            if let Some(token) = token
                && door.revocations.load(Ordering::SeqCst) != revocations
                && !catalogue.tokens(false, now)?.iter().any(|known| *known.id == *token)
            {
                return Err(unauthenticated("this token is not valid here any more", ""));
            }
            let person = person_of(catalogue, &principal, now).map_err(|e| Problem::failed(e.to_string()))?;
            if now.seconds_since(person.seen_at) >= NOTE_SEEN_SECONDS {
                catalogue.note_person_seen(&person.principal, now)?;
            }
            Ok(person.pseudonym)
        })
        .await
    }

    /// Refuses repositories that the token is not for.
    pub(crate) fn may_use(&self, repository: &Repository) -> Result<(), Problem> {
        let allowed = &self.actor.repositories;
        if allowed.is_empty() || allowed.iter().any(|r| **r == *repository.name) {
            return Ok(());
        }
        Err(Problem::forbidden(format!("this token is not for the repository {}", repository.name), ""))
    }
}

impl Actor {
    /// The owner of the data directory, by the operating system's word.
    fn owner(uid: Option<u32>) -> Self {
        let principal = Principal { id: user_name(uid), kind: PrincipalKind::Human, ..Principal::default() };
        Self { principal, admin: true, token_id: None, repositories: Vec::new(), client: None }
    }

    fn of(identity: &Identity) -> Self {
        Self {
            principal: identity.principal.clone(),
            admin: identity.admin,
            token_id: identity.token_id.clone(),
            repositories: identity.repositories.clone(),
            client: identity.client_name.clone(),
        }
    }

    /// The name that lists and histories show.
    pub(crate) fn name(&self) -> &str {
        if self.principal.id.is_empty() { crate::door::ANONYMOUS } else { &self.principal.id }
    }
}

async fn identify(
    door: &Arc<Door>,
    parts: &Parts,
    arrival: &packages::Arrival,
) -> Result<Arc<Identity>, Problem> {
    let token = token_of(&parts.headers);
    packages::who(door, token, &parts.headers, arrival, arrival.auth_required).await.map_err(|e| match e {
        NoIdentity::Wrong => {
            unauthenticated("this token is not valid here: it may have ended or been revoked", "")
        }
        NoIdentity::Missing => unauthenticated(
            "this door demands a token",
            "make one with `tidegate token create` on the machine of the door, and give it with --token or TIDEGATE_TOKEN",
        ),
        NoIdentity::NotHere => Problem::forbidden("this token is not for this repository", ""),
        NoIdentity::Failed(why) => Problem::failed(why),
    })
}

fn unauthenticated(title: &str, detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", title, detail)
}

/// Appends an entry and waits until it is durable.
pub(crate) async fn append(call: &Call, body: Body) -> Result<(), Problem> {
    let draft = EntryDraft { time: call.now, tenant: TENANT.into(), body };
    let appended = call.door.recorder.append(&draft).map_err(|e| cannot_record(&e))?;
    appended.durable.wait().await.map_err(|e| cannot_record(&e))
}

fn cannot_record(error: &tidegate_ledger::RecordError) -> Problem {
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "cannot_record",
        format!("the ledger cannot record this: {error}"),
        "see /readyz and `tidegate doctor`",
    )
}

/// Pages of other sites may not call: a browser says where a request comes from.
fn same_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let text = |name: &header::HeaderName| headers.get(name).map(|v| v.to_str().unwrap_or("?"));
    let refused = || {
        Problem::forbidden(
            "the API does not answer pages of other sites",
            "this request carries the `Origin` of another site",
        )
    };
    if let Some(origin) = text(&header::ORIGIN) {
        let host = origin.split_once("://").map(|(_, host)| host);
        if host.is_none() || host != text(&header::HOST) {
            return Err(refused());
        }
    }
    match headers.get("sec-fetch-site").and_then(|v| v.to_str().ok()) {
        None | Some("same-origin" | "none") => Ok(()),
        Some(_) => Err(refused()),
    }
}

/// Who shows no token must call this door by a name of its own. A page whose name somebody pointed at loopback (DNS
/// rebinding) sends that name.
fn own_host(door: &Door, headers: &HeaderMap) -> Result<(), Problem> {
    let host = headers.get(header::HOST).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let bare = name.trim_start_matches('[').trim_end_matches(']');
    let public = door.config.server.public_url.as_ref().and_then(|u| u.host_str());
    if bare.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok() || public == Some(name) {
        return Ok(());
    }
    Err(Problem::forbidden(
        "the API does not answer without a token under this host name",
        "use 127.0.0.1 or localhost, or set public_url in [server]",
    ))
}

/// The name of a user of this machine; the number where the machine's list of users does not say.
fn user_name(uid: Option<u32>) -> String {
    let Some(uid) = uid else { return "local-owner".into() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let wanted = uid.to_string();
    users
        .lines()
        .map(|line| line.split(':'))
        .find_map(|mut fields| {
            let name = fields.next()?;
            (fields.nth(1)? == wanted && !name.is_empty()).then(|| name.to_owned())
        })
        .unwrap_or_else(|| format!("uid-{uid}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (header::HeaderName::from_static(n), v.parse().unwrap())).collect()
    }

    #[test]
    fn pages_of_other_sites_are_refused() {
        let ok = |pairs: &[(&'static str, &str)]| same_origin(&headers(pairs)).is_ok();
        assert!(ok(&[("host", "127.0.0.1:8484")]));
        assert!(ok(&[("host", "127.0.0.1:8484"), ("origin", "http://127.0.0.1:8484")]));
        assert!(!ok(&[("host", "127.0.0.1:8484"), ("origin", "http://evil.test")]));
        assert!(!ok(&[("host", "127.0.0.1:8484"), ("origin", "http://127.0.0.1:9999")]));
        assert!(!ok(&[("host", "127.0.0.1:8484"), ("origin", "null")]));
        assert!(!ok(&[("host", "127.0.0.1:8484"), ("sec-fetch-site", "cross-site")]));
        assert!(ok(&[("host", "127.0.0.1:8484"), ("sec-fetch-site", "none")]));
    }

    #[test]
    fn users_have_names() {
        assert_eq!(user_name(Some(0)), "root");
        assert_eq!(user_name(Some(3_999_999_999)), "uid-3999999999");
    }
}
