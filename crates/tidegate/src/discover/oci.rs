//! Where podman, skopeo, buildah, docker and containerd get their images.
//!
//! None of them has one registry: a name says which. So the registry that counts here is the one that is asked for names that
//! say none, with the mirror or the place that the machine's configuration puts in its stead. A registry that clients know
//! by another name than its host's is only taken where some file or client says that host.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tidegate_model::Secret;
use toml_edit::{DocumentMut, Item, TableLike};
use url::Url;

use super::{Search, Source, SourceKind, Surroundings};

/// The most files of a folder of configuration that are read.
const MAX_FILES: usize = 64;

/// Looks through `registries.conf`, `daemon.json` and `hosts.toml`, then asks docker.
pub(crate) fn search(search: &mut Search<'_>) {
    let around = search.around;
    let mut wanted = None;
    for (path, kind) in registries_files(around) {
        let Some(document) = read_toml(search, &path) else { continue };
        registries(search, &document, &Source::new(kind, path.display().to_string()), &mut wanted);
    }
    if !search.is_over() {
        docker(search);
    }
    if !search.is_over() {
        containerd(search, wanted.as_ref().map(|(name, _)| name.as_str()));
    }
    if !search.is_over() {
        ask(search);
    }
    if let Some((name, source)) = wanted.filter(|_| !search.is_over()) {
        search.offer(&address(&name, false), source);
    }
    if !search.is_over() {
        search.missed(
            "no `unqualified-search-registries` or `[[registry]]` in `registries.conf`, no `registry-mirrors` in \
             `daemon.json`, no `hosts.toml`, and no docker on `PATH` that answers",
        );
    }
    let files = credentials_files(around);
    search.credentials_from(|url| files.iter().find_map(|file| credentials(around, file, url)));
}

/// The files that libraries of containers read: one main file, and what is dropped beside it.
fn registries_files(around: &Surroundings) -> Vec<(PathBuf, SourceKind)> {
    let (user, machine) = (SourceKind::UserConfiguration, SourceKind::MachineConfiguration);
    if let Some(path) = around.file_from_var("CONTAINERS_REGISTRIES_CONF") {
        return vec![(path, SourceKind::Environment)];
    }
    let home = around.config_home().map(|folder| folder.join("containers"));
    let etc = around.on_machine("/etc/containers");
    let own = home.as_ref().map(|folder| folder.join("registries.conf")).filter(|path| path.is_file());
    let mut files = Vec::new();
    for (folder, kind) in home.iter().map(|folder| (folder, user)).chain([(&etc, machine)]) {
        files.extend(dropped(&folder.join("registries.conf.d")).into_iter().map(|path| (path, kind)));
    }
    files.push(own.map_or((etc.join("registries.conf"), machine), |path| (path, user)));
    files
}

/// Files of a folder whose names end with `.conf`, in order; the last one counts most, so it comes first.
fn dropped(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let paths = entries.take(MAX_FILES).filter_map(|entry| Some(entry.ok()?.path()));
    let mut paths: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|end| end == "conf")).collect();
    paths.sort_unstable_by(|a, b| b.cmp(a));
    paths
}

fn read_toml(search: &mut Search<'_>, path: &Path) -> Option<DocumentMut> {
    let text = search.around.read(path)?;
    match text.parse() {
        Ok(document) => Some(document),
        Err(_) => {
            search.end(format!(
                "{} is not readable as TOML, so which registry is asked is unknown",
                path.display()
            ));
            None
        }
    }
}

/// What one file says of registries. `wanted` becomes the first registry that is searched for names without one.
fn registries(
    search: &mut Search<'_>,
    document: &DocumentMut,
    source: &Source,
    wanted: &mut Option<(String, Source)>,
) {
    let first = document.get("unqualified-search-registries").and_then(Item::as_array);
    let first = first.and_then(|list| list.iter().find_map(|name| name.as_str()));
    if wanted.is_none() {
        *wanted = first.map(|name| (name.to_owned(), source.clone()));
    }
    let Some(tables) = document.get("registry").and_then(Item::as_array_of_tables) else { return };
    for table in tables {
        let text = |name: &str| table.get(name).and_then(Item::as_str).filter(|text| !text.is_empty());
        let Some(name) = text("prefix").or_else(|| text("location")) else { continue };
        if is_on(table, "blocked") {
            continue;
        }
        // A mirror is what the client asks first.
        let mirror =
            table.get("mirror").and_then(Item::as_array_of_tables).and_then(|list| list.iter().next());
        let mirror =
            mirror.and_then(|table| Some((table.get("location")?.as_str()?, is_on(table, "insecure"))));
        let place = mirror.unwrap_or((text("location").unwrap_or(name), is_on(table, "insecure")));
        let address = address(place.0, place.1);
        if wanted.as_ref().is_some_and(|(wanted, _)| wanted == name) {
            search.offer(&address, source.clone());
        } else {
            search.beside(name, &address, &source.place);
        }
    }
}

fn is_on(table: &dyn TableLike, name: &str) -> bool {
    table.get(name).and_then(Item::as_bool) == Some(true)
}

/// `host:port/path` as an address.
fn address(place: &str, insecure: bool) -> String {
    if place.contains("://") {
        return place.to_owned();
    }
    format!("{}://{place}", if insecure { "http" } else { "https" })
}

/// docker's mirror of the registry that it asks for names without one.
fn docker(search: &mut Search<'_>) {
    let around = search.around;
    let files = [
        (around.config_home().map(|folder| folder.join("docker/daemon.json")), SourceKind::UserConfiguration),
        (Some(around.on_machine("/etc/docker/daemon.json")), SourceKind::MachineConfiguration),
    ];
    for (path, kind) in files {
        let Some((path, text)) = path.and_then(|path| Some((path.clone(), around.read(&path)?))) else {
            continue;
        };
        let Ok(settings) = serde_json::from_str::<Value>(&text) else {
            return search
                .end(format!("{} is not readable as JSON, so docker's mirror is unknown", path.display()));
        };
        if let Some(mirror) = settings["registry-mirrors"].get(0).and_then(Value::as_str) {
            search.offer(mirror, Source::new(kind, path.display().to_string()));
        }
    }
}

/// containerd's host for a registry: that of the wanted one, else of all, else the only one there is.
fn containerd(search: &mut Search<'_>, wanted: Option<&str>) {
    let folder = search.around.on_machine("/etc/containerd/certs.d");
    let Ok(entries) = std::fs::read_dir(&folder) else { return };
    let mut names: Vec<String> = entries
        .take(MAX_FILES)
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| folder.join(name).join("hosts.toml").is_file())
        .collect();
    names.sort_unstable();
    let has = |name: &str| names.iter().any(|one| one == name);
    let main = match wanted {
        Some(wanted) if has(wanted) => Some(wanted.to_owned()),
        _ if has("_default") => Some("_default".to_owned()),
        None if names.len() == 1 => names.first().cloned(),
        _ => None,
    };
    for name in &names {
        let path = folder.join(name).join("hosts.toml");
        let Some(document) = read_toml(search, &path) else { continue };
        // The first host is asked first; the server, when all of them fail.
        let host = document.get("host").and_then(Item::as_table_like).and_then(|hosts| hosts.iter().next());
        let server = document.get("server").and_then(Item::as_str);
        let Some(found) = host.map(|(host, _)| host).or(server) else { continue };
        let place = path.display().to_string();
        if main.as_ref() == Some(name) {
            search.offer(found, Source::new(SourceKind::MachineConfiguration, place));
        } else {
            search.beside(name, found, &place);
        }
    }
}

/// The registry that docker asks for names without one, as its daemon says.
fn ask(search: &mut Search<'_>) {
    let args = ["info", "--format", "{{.IndexServerAddress}}"];
    let Some(answer) = search.around.ask("docker", &args, &[]) else { return };
    let Ok(mut url) = answer.trim().parse::<Url>() else { return };
    // What it says is the index of long ago, and the registry is on the same host.
    url.set_path("/");
    search.offer(url.as_str(), Source::new(SourceKind::ClientDefault, "`docker info`"));
}

/// Files in which clients keep what they log in with, the most particular first.
fn credentials_files(around: &Surroundings) -> Vec<PathBuf> {
    let docker = around.file_from_var("DOCKER_CONFIG").or_else(|| around.in_home(".docker"));
    let files = [
        around.file_from_var("REGISTRY_AUTH_FILE"),
        around.file_from_var("XDG_RUNTIME_DIR").map(|folder| folder.join("containers/auth.json")),
        around.config_home().map(|folder| folder.join("containers/auth.json")),
        docker.map(|folder| folder.join("config.json")),
    ];
    files.into_iter().flatten().collect()
}

/// What a file has for an address. Helpers that keep credentials elsewhere are programs, and are not started.
fn credentials(around: &Surroundings, file: &Path, url: &Url) -> Option<Secret<String>> {
    let kept: Value = serde_json::from_str(&around.read(file)?).ok()?;
    let host = url.host_str()?;
    let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    let is_it = |name: &str| {
        let name = name.split_once("://").map_or(name, |(_, rest)| rest);
        // Some logged in to the index of long ago, with its path behind the host.
        name.split('/').next() == Some(&host)
    };
    let (_, found) = kept["auths"].as_object()?.iter().find(|(name, _)| is_it(name))?;
    let basic = found["auth"].as_str().filter(|text| !text.is_empty())?;
    Some(Secret::new(format!("Basic {basic}")))
}
