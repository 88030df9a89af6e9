//! Questions about several extensions: the gallery's `extensionquery`, Open VSX's query and search.
//!
//! Names are answered from their own indexes. For anything else (text, categories, ids that only a gallery knows) upstream is
//! asked for names, with a question made here from the parts that are understood.

use bytes::Bytes;
use http::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use tidegate_model::{Ecosystem, PackageName};
use url::form_urlencoded;

use super::{GALLERY_JSON, JSON, Service, gallery, id_of, render, rest, target};
use crate::queries::{MAX_PACKAGES, Search};
use crate::upstream::MAX_API_BYTES;
use crate::{Ask, ClientRequest, DocumentRequest, Found, IndexError, Query, RouteError, View};

/// The gallery's query.
pub(super) const GALLERY_QUERY: &str = "gallery-query";
/// Open VSX's query.
pub(super) const REST_QUERY: &str = "vsx-query";
/// Open VSX's search.
pub(super) const REST_SEARCH: &str = "vsx-search";

/// Kinds of criteria.
const TAG: u32 = 1;
const ID: u32 = 4;
const CATEGORY: u32 = 5;
const NAME: u32 = 7;
const TARGET: u32 = 8;
const FEATURED: u32 = 9;
const TEXT: u32 = 10;
const EXCLUDE_FLAGS: u32 = 12;

/// The editor, among what one large gallery holds extensions for.
const EDITOR: &str = "Microsoft.VisualStudio.Code";
/// What was taken back by its publisher, as a flag.
const UNPUBLISHED: &str = "4096";
/// The most extensions on one page of an answer.
const MAX_PAGE: u32 = 100;
const DEFAULT_PAGE: u32 = 20;
/// The longest text of a search, in bytes.
const MAX_TEXT: usize = 500;

#[derive(Deserialize)]
struct Asked {
    #[serde(default)]
    filters: Vec<Filter>,
    #[serde(default)]
    flags: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    #[serde(default)]
    criteria: Vec<Criterion>,
    #[serde(default)]
    page_number: u32,
    #[serde(default)]
    page_size: u32,
    #[serde(default)]
    sort_by: u32,
    #[serde(default)]
    sort_order: u32,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Criterion {
    filter_type: u32,
    #[serde(default)]
    value: Option<String>,
}

fn malformed(why: impl Into<String>) -> RouteError {
    RouteError::Malformed(why.into())
}

/// The question that gives a package's index.
pub(super) fn index_question(package: &PackageName) -> String {
    let flags = render::VERSIONS
        | render::FILES
        | render::CATEGORIES_AND_TAGS
        | render::PROPERTIES
        | render::ASSET_URI
        | render::STATISTICS;
    json!({
        "filters": [{
            "criteria": [
                { "filterType": TARGET, "value": EDITOR },
                { "filterType": EXCLUDE_FLAGS, "value": UNPUBLISHED },
                { "filterType": NAME, "value": id_of(package) },
            ],
            "pageNumber": 1, "pageSize": 1, "sortBy": 0, "sortOrder": 0,
        }],
        "assetTypes": [],
        "flags": flags,
    })
    .to_string()
}

/// `POST …/extensionquery`, or the same question in `?q=`.
pub(super) fn gallery(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let asked: Asked = match *request.method {
        Method::POST => serde_json::from_slice(request.body),
        Method::GET | Method::HEAD => {
            let text = value(request, "q").ok_or_else(|| malformed("a query needs a body, or `q`"))?;
            serde_json::from_str(&text)
        }
        _ => return Err(RouteError::Method { allowed: "POST and GET" }),
    }
    .map_err(|e| malformed(format!("the query cannot be read: {e}")))?;
    let mut filters = asked.filters.into_iter();
    let filter = filters.next().unwrap_or(Filter {
        criteria: Vec::new(),
        page_number: 1,
        page_size: 0,
        sort_by: 0,
        sort_order: 0,
    });
    if filters.next().is_some() {
        return Err(malformed("a query with more than one filter"));
    }
    if filter.criteria.len() > 2 * MAX_PACKAGES {
        return Err(malformed("a query with more than 1,000 criteria"));
    }
    let mut packages: Vec<PackageName> = Vec::new();
    let mut search = Search::default();
    let (mut platform, mut named) = (None, false);
    for criterion in filter.criteria {
        let value = criterion.value.unwrap_or_default();
        if value.len() > MAX_TEXT {
            return Err(malformed("a criterion of more than 500 bytes"));
        }
        match criterion.filter_type {
            NAME => {
                named = true;
                // What cannot be a name names nothing: editors ask for built-in extensions too.
                let name = PackageName::parse(Ecosystem::Vscode, &value).ok();
                packages.extend(name.filter(|name| !packages.contains(name)));
            }
            ID if is_id(&value) => search.parameters.push(("id", value)),
            ID => named = true,
            TARGET => platform = platform.or_else(|| target::parse(&value)),
            TAG => search.parameters.push(("tag", value)),
            CATEGORY => search.parameters.push(("category", value)),
            TEXT => search.parameters.push(("text", value)),
            FEATURED => search.parameters.push(("featured", value)),
            // What editors exclude, and what is not known here, narrows nothing.
            _ => {}
        }
    }
    if packages.len() > MAX_PACKAGES {
        return Err(malformed("a query that names more than 500 extensions"));
    }
    let searches = !search.parameters.is_empty() || !named;
    let page = if filter.page_size == 0 { DEFAULT_PAGE } else { filter.page_size.min(MAX_PAGE) };
    search.parameters.extend([
        ("page", filter.page_number.max(1).to_string()),
        ("size", page.to_string()),
        ("sortBy", filter.sort_by.to_string()),
        ("sortOrder", filter.sort_order.to_string()),
    ]);
    let flags = (asked.flags & render::KNOWN).to_string();
    let entry = View { form: render::ENTRY, selector: rest::selector(&flags, platform.unwrap_or_default()) };
    Ok(Ask::Query(Query { form: GALLERY_QUERY, packages, search: searches.then_some(search), entry }))
}

/// Whether text could be a gallery's own id of an extension.
fn is_id(text: &str) -> bool {
    (8..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
}

/// The one value of a parameter of the client's query.
pub(super) fn value(request: &ClientRequest<'_>, key: &str) -> Option<String> {
    form_urlencoded::parse(request.query.unwrap_or_default().as_bytes())
        .find(|(name, _)| name == key)
        .map(|(_, value)| value.into_owned())
}

/// The platform that a request is about.
///
/// # Errors
/// It names none that there is, or two.
pub(super) fn platform(request: &ClientRequest<'_>) -> Result<Option<&'static str>, RouteError> {
    let mut all = form_urlencoded::parse(request.query.unwrap_or_default().as_bytes())
        .filter(|(name, _)| name == "targetPlatform");
    let Some((_, first)) = all.next() else { return Ok(None) };
    if all.next().is_some() {
        return Err(malformed("two target platforms"));
    }
    if first.is_empty() {
        return Ok(None);
    }
    target::parse(&first).map(Some).ok_or_else(|| malformed("a target platform that there is not"))
}

/// `GET /api/-/query`.
pub(super) fn rest_query(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    let get = |key| value(request, key).filter(|text| !text.is_empty());
    let platform = platform(request)?.unwrap_or_default();
    let which = match get("includeAllVersions").as_deref() {
        Some("true" | "links") => "all",
        _ => "",
    };
    let version = get("extensionVersion").unwrap_or_default();
    if version.contains('\n') || version.len() > MAX_TEXT {
        return Err(malformed("a version of several lines"));
    }
    let entry = View { form: rest::ALL, selector: rest::selector(&format!("{which}:{platform}"), &version) };
    let named = match (get("extensionId"), get("namespaceName"), get("extensionName")) {
        (Some(id), _, _) => Some(id),
        (None, Some(namespace), Some(name)) => Some(format!("{namespace}/{name}")),
        _ => None,
    };
    if let Some(named) = named {
        let packages = PackageName::parse(Ecosystem::Vscode, &named).into_iter().collect();
        return Ok(Ask::Query(Query { form: REST_QUERY, packages, search: None, entry }));
    }
    const KNOWN: [&str; 5] = ["namespaceName", "extensionName", "extensionUuid", "namespaceUuid", "size"];
    let search = search_of(request, &KNOWN)?;
    Ok(Ask::Query(Query { form: REST_QUERY, packages: Vec::new(), search: Some(search), entry }))
}

/// `GET /api/-/search`.
pub(super) fn rest_search(request: &ClientRequest<'_>) -> Result<Ask, RouteError> {
    const KNOWN: [&str; 7] = ["query", "category", "targetPlatform", "size", "offset", "sortOrder", "sortBy"];
    let search = search_of(request, &KNOWN)?;
    let platform = platform(request)?.unwrap_or_default();
    let entry = View { form: rest::HIT, selector: rest::selector(platform, "") };
    Ok(Ask::Query(Query { form: REST_SEARCH, packages: Vec::new(), search: Some(search), entry }))
}

fn search_of(request: &ClientRequest<'_>, known: &[&'static str]) -> Result<Search, RouteError> {
    let mut search = Search::default();
    for (name, value) in form_urlencoded::parse(request.query.unwrap_or_default().as_bytes()) {
        if value.len() > MAX_TEXT {
            return Err(malformed("a parameter of more than 500 bytes"));
        }
        if let Some(name) = known.iter().find(|known| **known == name) {
            search.parameters.push((name, value.into_owned()));
        }
    }
    // A page is as long as what one answer of ours may tell of.
    search.parameters.retain(|(name, _)| *name != "size");
    let size = value(request, "size").and_then(|text| text.parse().ok()).unwrap_or(DEFAULT_PAGE);
    search.parameters.push(("size", size.clamp(1, MAX_PAGE).to_string()));
    Ok(search)
}

/// The upstream request behind a search.
pub(super) fn search_request(query: &Query, service: &Service) -> Option<DocumentRequest> {
    let search = query.search.as_ref()?;
    if query.form == GALLERY_QUERY {
        let number = |name| search.get(name).and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        let mut criteria = vec![
            json!({ "filterType": TARGET, "value": EDITOR }),
            json!({ "filterType": EXCLUDE_FLAGS, "value": UNPUBLISHED }),
        ];
        let kinds =
            [("id", ID), ("tag", TAG), ("category", CATEGORY), ("text", TEXT), ("featured", FEATURED)];
        for (name, kind) in kinds {
            criteria.extend(search.all(name).map(|value| json!({ "filterType": kind, "value": value })));
        }
        let question = json!({
            "filters": [{
                "criteria": criteria,
                "pageNumber": number("page"),
                "pageSize": number("size").max(u32::try_from(search.all("id").count()).unwrap_or(0)),
                "sortBy": number("sortBy"),
                "sortOrder": number("sortOrder"),
            }],
            "assetTypes": [],
            "flags": render::LATEST_ONLY,
        });
        let url = service.gallery.join(&["extensionquery"]);
        return Some(DocumentRequest::post_json(url, GALLERY_JSON, question.to_string(), MAX_API_BYTES));
    }
    let last = if query.form == REST_SEARCH { "search" } else { "query" };
    let mut url = service.rest.as_ref()?.join(&["api", "-", last]);
    url.query_pairs_mut().extend_pairs(&search.parameters);
    Some(DocumentRequest::get(url, JSON, MAX_API_BYTES))
}

/// The names in an upstream's answer.
pub(super) fn read_found(query: &Query, body: &[u8]) -> Result<Found, IndexError> {
    let unreadable =
        |e: serde_json::Error| IndexError::Malformed { package: "a search".to_owned(), why: e.to_string() };
    let (mut packages, total) = if query.form == GALLERY_QUERY {
        gallery::names(body).map_err(unreadable)?
    } else {
        let whole: Value = serde_json::from_slice(body).map_err(unreadable)?;
        let all = whole.get("extensions").and_then(Value::as_array);
        let name = |one: &Value| {
            let name = format!("{}/{}", one.get("namespace")?.as_str()?, one.get("name")?.as_str()?);
            PackageName::parse(Ecosystem::Vscode, &name).ok()
        };
        let names: Vec<PackageName> = all.into_iter().flatten().filter_map(name).collect();
        let total = whole.get("totalSize").and_then(Value::as_u64).unwrap_or(names.len() as u64);
        (names, total)
    };
    let mut seen = std::collections::HashSet::new();
    packages.retain(|package| seen.insert(package.clone()));
    packages.truncate(MAX_PACKAGES);
    Ok(Found { packages, total })
}

/// Puts entries together, each a list of what there is of one extension.
pub(super) fn compose(query: &Query, entries: &[Bytes], total: u64) -> Vec<u8> {
    let all: Vec<Value> = entries
        .iter()
        .filter_map(|entry| serde_json::from_slice::<Vec<Value>>(entry).ok())
        .flatten()
        .collect();
    let searched = query.search.is_some();
    let total = if searched { total.max(all.len() as u64) } else { all.len() as u64 };
    let answer = if query.form == GALLERY_QUERY {
        let count = json!({
            "metadataType": "ResultCount",
            "metadataItems": [{ "name": "TotalCount", "count": total }],
        });
        json!({ "results": [{ "extensions": all, "pagingToken": null, "resultMetadata": [count] }] })
    } else {
        let search = query.search.as_ref();
        let offset = search.and_then(|s| s.get("offset")?.parse::<u64>().ok()).unwrap_or(0);
        json!({ "offset": offset, "totalSize": total, "extensions": all })
    };
    answer.to_string().into_bytes()
}
