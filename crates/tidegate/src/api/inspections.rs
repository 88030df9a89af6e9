//! `GET /inspections?purl=…` or `?sha256=…`: everything that looking inside found, as it is stored: findings without what
//! they found, gaps, licences, components, and how the bytes compare with the release before and with their index.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate_inspect::inspection::INSPECTOR_VERSION;
use tidegate_model::Sha256;
use tidegate_model::coordinate::package_purl;
use tidegate_store::catalogue::{Catalogue, CatalogueError, Comparison};

use super::Handled;
use super::accesses::read_sha256;
use super::call::Call;
use super::problem::Problem;
use super::{decisions, subject};

pub(super) async fn list(call: &Call) -> Handled {
    let wanted = wanted(call)?;
    let of = match &wanted {
        Wanted::Bytes(digest) => format!("sha256:{}", digest.hex()),
        Wanted::Version { purl, .. } => purl.clone(),
    };
    let found = call.door.catalogue(move |c| found(c, &wanted)).await?;
    if found.is_empty() {
        return Err(Problem::not_found(
            format!("nothing was looked into that is {of}"),
            "bytes are looked into when somebody first asks for them; `tidegate check` looks into a file of yours",
        ));
    }
    Ok(json!({ "inspections": found }))
}

/// What is asked for.
enum Wanted {
    /// Bytes by their digest.
    Bytes(Sha256),
    /// The files of a version that this door has seen.
    Version { ecosystem: &'static str, package: String, package_purl: String, version: String, purl: String },
}

fn wanted(call: &Call) -> Result<Wanted, Problem> {
    match (call.param("purl"), call.param("sha256")) {
        (None, Some(digest)) => Ok(Wanted::Bytes(read_sha256(digest)?)),
        (Some(text), None) => {
            let read = subject::read_purl(text)?;
            let Some(version) = &read.version else {
                return Err(Problem::bad("an inspection is one of a version", "add @VERSION"));
            };
            Ok(Wanted::Version {
                ecosystem: read.name.ecosystem().as_str(),
                package: read.name.as_str().to_owned(),
                package_purl: package_purl(&read.name),
                version: version.as_str().to_owned(),
                purl: decisions::canonical(text)?,
            })
        }
        _ => Err(Problem::bad("neither or both of purl and sha256 are given", "give one")),
    }
}

fn found(catalogue: &dyn Catalogue, wanted: &Wanted) -> Result<Vec<Value>, CatalogueError> {
    match wanted {
        Wanted::Bytes(digest) => Ok(one(catalogue, digest, None, &[])?.into_iter().collect()),
        Wanted::Version { ecosystem, package, package_purl, version, purl } => {
            let pins =
                catalogue.pins_of(ecosystem, package)?.into_iter().filter(|pin| pin.version == *version);
            let compared = catalogue.comparisons_of(package_purl)?;
            let compared: Vec<Comparison> = compared.into_iter().filter(|c| c.purl == *purl).collect();
            let mut told = Vec::new();
            for (file, digest) in pins.map(|pin| (pin.file, pin.sha256)).collect::<BTreeMap<_, _>>() {
                told.extend(one(catalogue, &digest, Some(&file), &compared)?);
            }
            Ok(told)
        }
    }
}

/// What is stored of some bytes.
fn one(
    catalogue: &dyn Catalogue,
    digest: &Sha256,
    file: Option<&str>,
    compared: &[Comparison],
) -> Result<Option<Value>, CatalogueError> {
    let Some(stored) = catalogue.inspection(digest)? else { return Ok(None) };
    let read = |text: &str| serde_json::from_str::<Value>(text).unwrap_or(Value::Null);
    let report = read(&stored.report);
    let hashes = report["findings"].as_array().into_iter().flatten();
    let mut hashes: Vec<String> =
        hashes.filter_map(|finding| finding["secret_hash"].as_str().map(str::to_owned)).collect();
    hashes.sort_unstable();
    hashes.dedup();
    let asked: Vec<Value> = catalogue
        .asked_secrets(&hashes)?
        .into_iter()
        .map(|a| json!({ "secret_hash": a.secret_hash, "detector": a.detector, "state": a.state, "asked_at": a.at }))
        .collect();
    let compared: Vec<Value> = compared
        .iter()
        .filter(|c| c.sha256 == *digest)
        .map(|c| {
            json!({
                "with": c.kind.as_str(), "against": c.against.hex(), "compared_at": c.at,
                "inspector": c.inspector, "facts": read(&c.findings),
            })
        })
        .collect();
    Ok(Some(json!({
        "sha256": digest.hex(), "file": file, "inspected_at": stored.at, "inspector": stored.inspector,
        "outdated": stored.inspector < INSPECTOR_VERSION, "facts": read(&stored.facts),
        "report": report, "compared": compared, "liveness": asked,
    })))
}
