//! An entry as clients are shown it: addresses of this door in the place of every other.

use serde_json::{Map, Value, json};
use tidegate_model::{Ecosystem, FileName, PackageName};

use super::document::OFFICIAL;
use super::offer::Offer;
use super::server::{Listing, Server};
use crate::catalogue::Listed;
use crate::{Links, Verdicts};

/// Where this door says what it did to an entry.
const DOOR: &str = "tidegate/door";

/// The members of a listing that clients are shown as they stand: text about the server.
const MEMBERS: [&str; 7] = ["$schema", "name", "title", "description", "version", "repository", "websiteUrl"];

pub(super) fn entry(
    server: &Server,
    listed: &Listed,
    verdicts: Verdicts<'_>,
    links: &Links,
) -> Option<Value> {
    let listing = server.listing_of(listed.position)?;
    let mut said = Map::new();
    let shown = if listed.is_gone {
        said.extend(server.message(listed.position, verdicts).map(|why| ("refused".to_owned(), why.into())));
        // Who follows changes must learn that it is gone, and nothing by which it could still be had.
        json!({ "name": server.name.as_str(), "description": "", "version": listed.version })
    } else {
        let (shown, left_out) = whole(server, listing, links);
        if !left_out.is_empty() {
            said.insert("leftOut".to_owned(), left_out.into());
        }
        shown
    };
    let mut official = Map::new();
    let status = if listed.is_gone { "deleted" } else { listing.status.as_str() };
    official.insert("status".to_owned(), status.into());
    if let Some(message) = listing.status_message.as_ref().filter(|_| !listed.is_gone) {
        official.insert("statusMessage".to_owned(), message.as_str().into());
    }
    for (key, time) in [("publishedAt", listing.published_at), ("updatedAt", listing.updated_at)] {
        if let Some(time) = time {
            official.insert(key.to_owned(), time.to_string().into());
        }
    }
    official.insert("isLatest".to_owned(), listed.is_latest.into());
    let mut meta = Map::new();
    meta.insert(OFFICIAL.to_owned(), official.into());
    if !said.is_empty() {
        meta.insert(DOOR.to_owned(), said.into());
    }
    Some(json!({ "server": shown, "_meta": meta }))
}

/// A listing with what of it can be had, and what was left out of it.
fn whole(server: &Server, listing: &Listing, links: &Links) -> (Value, Vec<Value>) {
    let mut shown = Map::new();
    for key in MEMBERS {
        if let Some(value) = listing.server.get(key) {
            shown.insert(key.to_owned(), value.clone());
        }
    }
    let (mut packages, mut remotes, mut left_out) = (Vec::new(), Vec::new(), Vec::new());
    for offer in &listing.offers {
        match offer {
            Offer::Package { members, part } => {
                let mut members = members.clone();
                let base = match part.name.ecosystem() {
                    Ecosystem::Pypi => format!("{}simple/", links.sibling("pypi")),
                    other => links.sibling(other.as_str()),
                };
                members.insert("registryBaseUrl".to_owned(), base.into());
                packages.push(Value::Object(members));
            }
            Offer::Bundle { members, file, .. } => {
                let mut members = members.clone();
                let address = format!("{}{}", links.base, bundle_path(&server.name, file));
                members.insert("identifier".to_owned(), address.into());
                packages.push(Value::Object(members));
            }
            Offer::Remote { members, address } => {
                let run = links.runs.iter().find(|(known, _)| Some(known) == address.as_ref());
                let Some((_, name)) = run else {
                    let why = "this door's runtime proxy does not lead to it";
                    left_out.push(json!({ "what": "a remote", "why": why }));
                    continue;
                };
                let mut members = members.clone();
                members.insert("url".to_owned(), format!("{}run/{}", links.base, encoded(name)).into());
                remotes.push(Value::Object(members));
            }
            Offer::LeftOut { what, why } => left_out.push(json!({ "what": what, "why": why })),
        }
    }
    left_out.dedup();
    for (key, list) in [("packages", packages), ("remotes", remotes)] {
        if !list.is_empty() {
            shown.insert(key.to_owned(), list.into());
        }
    }
    (Value::Object(shown), left_out)
}

/// The path of a bundle below the repository's base.
pub(super) fn bundle_path(server: &PackageName, file: &FileName) -> String {
    let parts: Vec<String> = file.as_str().split('/').map(encoded).collect();
    format!("bundles/{}/{}", encoded(server.as_str()), parts.join("/"))
}

fn encoded(text: &str) -> String {
    const KEEP: &percent_encoding::AsciiSet =
        &percent_encoding::NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');
    percent_encoding::utf8_percent_encode(text, KEEP).to_string()
}
