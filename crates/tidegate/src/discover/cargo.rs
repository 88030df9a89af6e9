//! Where cargo gets its crates.

use std::path::{Path, PathBuf};

use tidegate_model::Secret;
use toml_edit::DocumentMut;

use super::{Search, Source, SourceKind};

/// The longest chain of `replace-with` that is followed.
const MAX_REPLACEMENTS: usize = 8;

/// Looks through cargo's places. cargo has no way to say its default, so a dependency's constant stands for it.
pub(crate) fn search(search: &mut Search<'_>) {
    let Some(home) = cargo_home(search) else {
        return constant(search);
    };
    let config = read_toml(search, &home, &["config.toml", "config"]);
    let credentials = read_toml(search, &home, &["credentials.toml", "credentials"]);
    if let Some((path, config)) = &config {
        let replaced = replacement(search, path, config);
        registries(search, path, config, replaced.as_deref());
        if let Some(name) = &replaced {
            let token = token(search, credentials.as_ref().map(|(_, document)| document), name);
            search.main_credentials(token);
        }
    }
    if !search.is_over() {
        constant(search);
    }
}

fn cargo_home(search: &Search<'_>) -> Option<PathBuf> {
    search.around.file_from_var("CARGO_HOME").or_else(|| search.around.in_home(".cargo"))
}

fn read_toml(search: &mut Search<'_>, home: &Path, names: &[&str]) -> Option<(PathBuf, DocumentMut)> {
    let (path, text) = names.iter().find_map(|name| {
        let path = home.join(name);
        search.around.read(&path).map(|text| (path, text))
    })?;
    match text.parse() {
        Ok(document) => Some((path, document)),
        Err(_) => {
            search.end(format!(
                "{} is not readable as TOML, so whether it replaces the crate registry is unknown",
                path.display()
            ));
            None
        }
    }
}

fn text<'a>(document: &'a DocumentMut, keys: &[&str]) -> Option<&'a str> {
    let mut item = document.as_item();
    for key in keys {
        item = item.get(key)?;
    }
    item.as_str()
}

/// Follows `[source.crates-io] replace-with`; returns the name of the registry that it ends at, for its token.
fn replacement(search: &mut Search<'_>, path: &Path, config: &DocumentMut) -> Option<String> {
    let mut name = text(config, &["source", "crates-io", "replace-with"])?.to_owned();
    let place = format!("{} (`source.crates-io` replaced by `{name}`)", path.display());
    for _ in 0..MAX_REPLACEMENTS {
        if let Some(next) = text(config, &["source", &name, "replace-with"]) {
            name = next.to_owned();
            continue;
        }
        let variable = format!("CARGO_REGISTRIES_{}_INDEX", name.to_uppercase().replace('-', "_"));
        let index = text(config, &["source", &name, "registry"])
            .or_else(|| search.around.var(&variable))
            .or_else(|| text(config, &["registries", &name, "index"]))
            .map(str::to_owned);
        match index {
            Some(index) if index.starts_with("sparse+") => {
                search.offer(&index, Source::new(SourceKind::UserConfiguration, place));
                return Some(name);
            }
            Some(_) => search.end(format!(
                "{place} is a git index; tidegate can only ask a sparse one (`sparse+https://…`)"
            )),
            None => {
                search.end(format!("{place} is no registry with an index (a folder or a git repository)"))
            }
        }
        return None;
    }
    search.end(format!("{place} is replaced again and again without an end"));
    None
}

/// The other registries that the user has named: they stay reachable beside the door.
fn registries(search: &mut Search<'_>, path: &Path, config: &DocumentMut, replaced: Option<&str>) {
    let Some(table) = config.get("registries").and_then(|item| item.as_table_like()) else { return };
    let found: Vec<_> = table
        .iter()
        .filter(|(name, _)| Some(*name) != replaced)
        .filter_map(|(name, item)| Some((name.to_owned(), item.get("index")?.as_str()?.to_owned())))
        .collect();
    for (name, index) in found {
        if index.starts_with("sparse+") {
            search.beside(&format!("registry `{name}`"), &index, &path.display().to_string());
        } else {
            search.note(format!(
                "{} names registry `{name}` with a git index, which tidegate cannot front",
                path.display()
            ));
        }
    }
}

fn token(search: &mut Search<'_>, credentials: Option<&DocumentMut>, name: &str) -> Option<Secret<String>> {
    // cargo sends a token as it stands, without a scheme.
    let variable = format!("CARGO_REGISTRIES_{}_TOKEN", name.to_uppercase().replace('-', "_"));
    let found = search.around.var(&variable).map(str::to_owned).or_else(|| {
        credentials.and_then(|document| text(document, &["registries", name, "token"])).map(str::to_owned)
    });
    found.map(Secret::new)
}

fn constant(search: &mut Search<'_>) {
    search.offer(
        tame_index::CRATES_IO_HTTP_INDEX,
        Source::new(SourceKind::DependencyConstant, "`CRATES_IO_HTTP_INDEX` of the crate `tame-index`"),
    );
}
