//! `mcp/…`: what proxies of servers ask, and what people see and say of what servers offer.

mod texts;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::Principal;
use tidegate_model::coordinate::PackageRef;

use super::Handled;
use super::call::Call;
use super::problem::Problem;
use super::subject::{self, Asker};
use crate::door::{Identity, identify};
use crate::mcp::DoorGate;
use crate::mcp::command;
use crate::mcp::gate::{Exchange, Gate as _, Listing, Server, Unavailable};

pub(crate) use texts::{approve, diff, list, revoke, show};

/// What a proxy says of itself, beside what it asks.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    server: Server,
    /// The id of the token that says for whom; the caller where left out.
    run: Option<String>,
    listing: Option<Listing>,
    exchange: Option<Exchange>,
}

impl Asked {
    fn read(call: &Call) -> Result<Self, Problem> {
        let asked: Self = call.document()?;
        if !command::is_name(&asked.server.name) {
            return Err(Problem::bad("this cannot name a server", "use letters, digits and `-_.@/`"));
        }
        if !matches!(asked.server.transport.as_str(), "stdio" | "http") {
            return Err(Problem::bad("the transport is neither stdio nor http", ""));
        }
        Ok(asked)
    }

    async fn gate(&self, call: &Call, client: Option<&str>) -> Result<DoorGate, Problem> {
        let identity = identity(call, self.run.as_deref(), client).await?;
        Ok(DoorGate::new(Arc::clone(&call.door), self.server.clone(), identity))
    }
}

/// Decides whether a server may be started, and says which version of its package is behind it.
pub(crate) async fn open(call: &Call) -> Handled {
    let mut asked = Asked::read(call)?;
    resolve(call, &mut asked.server).await;
    let ruling = asked.gate(call, None).await?.open().await.map_err(failed)?;
    Ok(json!({ "server": asked.server, "ruling": ruling }))
}

/// Decides on a page of a list.
pub(crate) async fn listed(call: &Call) -> Handled {
    let mut asked = Asked::read(call)?;
    let listing = asked.listing.take().ok_or_else(|| missing("listing"))?;
    let rulings = asked.gate(call, None).await?.list(listing).await.map_err(failed)?;
    Ok(json!(rulings))
}

/// Decides whether a request may go to the server.
pub(crate) async fn ask(call: &Call) -> Handled {
    let (gate, exchange) = exchange(call).await?;
    Ok(json!(gate.ask(exchange).await.map_err(failed)?))
}

/// Decides whether an answer may go to the client, and records the exchange.
pub(crate) async fn end(call: &Call) -> Handled {
    let (gate, exchange) = exchange(call).await?;
    Ok(json!(gate.end(exchange).await.map_err(failed)?))
}

async fn exchange(call: &Call) -> Result<(DoorGate, Exchange), Problem> {
    let mut asked = Asked::read(call)?;
    let exchange = asked.exchange.take().ok_or_else(|| missing("exchange"))?;
    let gate = asked.gate(call, exchange.client.as_deref()).await?;
    Ok((gate, exchange))
}

fn missing(what: &str) -> Problem {
    Problem::bad(format!("the body has no `{what}`"), "")
}

fn failed(error: Unavailable) -> Problem {
    Problem::failed(error.0)
}

/// The version that a client takes now where its command names none: the newest that this door lets it have.
async fn resolve(call: &Call, server: &mut Server) {
    let Some(Ok(package)) = server.purl.as_deref().map(PackageRef::parse) else { return };
    if package.version.is_some() {
        return;
    }
    let Ok(repository) = subject::repository_of(call, package.name.ecosystem(), None) else { return };
    let asker = Asker::from(&call.actor);
    let Ok(found) = subject::load(&call.door, &repository, &package.name, &asker).await else { return };
    if let Some(version) = found.newest_compliant() {
        let version = tidegate_model::Version::parse(package.name.ecosystem(), version);
        server.purl = Some(tidegate_model::Coordinate { name: package.name, version }.purl());
    }
}

/// For whom a proxy asks.
async fn identity(call: &Call, run: Option<&str>, client: Option<&str>) -> Result<Arc<Identity>, Problem> {
    let now = call.now;
    let client = client.map(str::to_owned);
    let run = run.map(str::to_owned);
    if run.is_some() && !call.actor.admin {
        return Err(Problem::forbidden("only an administrator may ask for somebody else", ""));
    }
    let principal: Principal = call.actor.principal.clone();
    call.blocking(move |door| {
        let catalogue = &*door.store.catalogue;
        let token = match &run {
            Some(id) => {
                let tokens = catalogue.tokens(false, now)?;
                let known = tokens.into_iter().find(|token| token.id == *id);
                Some(known.ok_or_else(|| {
                    Problem::not_found("this run's token has ended", "start the proxy again")
                })?)
            }
            None => None,
        };
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut identity = identify(catalogue, token.as_ref(), address, client.as_deref(), now)
            .map_err(|e| Problem::failed(e.to_string()))?;
        if token.is_none() {
            let person = crate::door::person_of(catalogue, &principal, now)
                .map_err(|e| Problem::failed(e.to_string()))?;
            identity.actor = person.pseudonym;
            identity.principal = principal;
        }
        Ok(Arc::new(identity))
    })
    .await
}

/// The server that a request names.
fn server_of(call: &Call) -> Result<String, Problem> {
    call.required("server").map(str::to_owned)
}

/// Names of a list, as they are told.
fn words(items: &[String]) -> Value {
    items.iter().map(|item| Value::from(item.as_str())).collect()
}
