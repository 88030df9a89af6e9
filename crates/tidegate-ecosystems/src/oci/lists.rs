//! Lists that registries give: tags of a repository, and what refers to an image. Both are only names here: whatever they
//! name is decided on when it is asked for.

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Value, json};
use tidegate_model::PackageName;
use url::Url;

use super::manifest::broken;
use super::{JSON, strict};
use crate::{Answer, IndexError, Links};

/// What the registry is asked for.
pub(super) const ACCEPT: &str = "application/json, application/vnd.oci.image.index.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// The most entries of a list.
const MAX_ENTRIES: usize = 100_000;

/// The answer of a registry that knows no referrers of something.
pub(super) fn no_referrers() -> Bytes {
    Bytes::from_static(b"{\"schemaVersion\":2,\"manifests\":[]}")
}

/// The list of tags, under the name that the client knows the repository by.
pub(super) fn tags(
    package: &PackageName,
    body: &[u8],
    link: Option<&str>,
    links: &Links,
) -> Result<Answer, IndexError> {
    let list = strict::read(body).map_err(|why| broken(package, why))?;
    let tags: Vec<&str> = match list.get("tags") {
        Some(Value::Array(tags)) if tags.len() <= MAX_ENTRIES => {
            tags.iter().filter_map(Value::as_str).collect()
        }
        Some(Value::Null) => Vec::new(),
        _ => return Err(broken(package, "its list of tags is none")),
    };
    let base = Url::parse(&links.base).map(|url| url.path().to_owned()).unwrap_or_else(|_| "/".into());
    let name = format!("{}{package}", base.trim_start_matches("/v2/"));
    let answer = Answer::new(StatusCode::OK, JSON, json!({ "name": name, "tags": tags }).to_string());
    Ok(match link.and_then(next) {
        Some(query) => answer
            .with_header(http::header::LINK, &format!("<{base}{package}/tags/list?{query}>; rel=\"next\"")),
        None => answer,
    })
}

/// Where a list goes on: of the registry's address only the place in the list is taken.
fn next(link: &str) -> Option<String> {
    let address = link.trim().strip_prefix('<')?.split('>').next()?;
    let (_, query) = address.split_once('?')?;
    let value = |name: &str| {
        let found = url::form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        found.map(|(_, value)| value.into_owned()).filter(|value| !value.is_empty() && value.len() <= 256)
    };
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("last", &value("last")?);
    if let Some(count) = value("n") {
        pairs.append_pair("n", &count);
    }
    Some(pairs.finish())
}

/// What refers to an image, of the types that were asked for.
pub(super) fn referrers(
    package: &PackageName,
    body: &[u8],
    query: &[(String, String)],
) -> Result<Answer, IndexError> {
    let list = strict::read(body).map_err(|why| broken(package, why))?;
    let Some(Value::Array(all)) = list.get("manifests").filter(|all| all.as_array().is_some()) else {
        return Err(broken(package, "its list of referrers is none"));
    };
    if all.len() > MAX_ENTRIES {
        return Err(broken(package, "its list of referrers has no end"));
    }
    let types: Vec<&str> = query.iter().map(|(_, value)| value.as_str()).collect();
    let wanted =
        |one: &&Value| types.is_empty() || one["artifactType"].as_str().is_some_and(|t| types.contains(&t));
    let manifests: Vec<Value> = all.iter().filter(wanted).filter_map(plain).collect();
    let body = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": manifests }).to_string();
    let answer = Answer::new(StatusCode::OK, INDEX, body);
    if types.is_empty() {
        return Ok(answer);
    }
    Ok(answer.with_header(http::HeaderName::from_static("oci-filters-applied"), "artifactType"))
}

/// A descriptor without what would lead past the door or stand in for bytes that are decided on when they are asked for.
fn plain(descriptor: &Value) -> Option<Value> {
    let object = descriptor.as_object()?;
    let kept = ["mediaType", "digest", "size", "annotations", "artifactType", "platform"];
    let kept = kept.iter().filter_map(|name| Some(((*name).to_owned(), object.get(*name)?.clone())));
    Some(Value::Object(kept.collect()))
}
