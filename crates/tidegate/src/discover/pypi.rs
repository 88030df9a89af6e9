//! Where pip and uv get their packages.

use std::path::{Path, PathBuf};

use tidegate_model::Secret;
use toml_edit::DocumentMut;
use url::Url;

use super::address::basic;
use super::{Search, Source, SourceKind, Surroundings, ini};

/// Looks through pip's places, then uv's, best first.
pub(crate) fn search(search: &mut Search<'_>) {
    variables(search);
    for (path, kind) in pip_files(search.around) {
        if let Some(text) = search.around.read(&path) {
            pip_file(search, &path, kind, &text);
        }
    }
    for (path, kind) in uv_files(search.around) {
        if let Some(text) = search.around.read(&path) {
            uv_file(search, &path, kind, &text);
        }
    }
    if !search.is_over() {
        ask(search);
    }
    let around = search.around;
    search.credentials_from(|url| netrc(around, url));
}

fn variables(search: &mut Search<'_>) {
    let around = search.around;
    for name in ["PIP_INDEX_URL", "UV_DEFAULT_INDEX", "UV_INDEX_URL"] {
        if let Some(value) = around.var(name) {
            search.offer(after_name(value), Source::new(SourceKind::Environment, name));
        }
    }
    for name in ["PIP_EXTRA_INDEX_URL", "UV_INDEX", "UV_EXTRA_INDEX_URL"] {
        for value in around.var(name).unwrap_or_default().split_whitespace() {
            search.beside("extra index", after_name(value), name);
        }
    }
}

/// uv allows `name=address`.
fn after_name(value: &str) -> &str {
    match value.split_once('=') {
        Some((name, address)) if !name.contains([':', '/']) => address,
        _ => value,
    }
}

fn pip_files(around: &Surroundings) -> Vec<(PathBuf, SourceKind)> {
    let mut files = Vec::new();
    let given = around.var("PIP_CONFIG_FILE");
    if given == Some("/dev/null") {
        return files;
    }
    let user = SourceKind::UserConfiguration;
    files.extend(around.file_from_var("PIP_CONFIG_FILE").map(|path| (path, user)));
    files.extend(around.config_home().map(|folder| (folder.join("pip/pip.conf"), user)));
    for path in ["Library/Application Support/pip/pip.conf", ".pip/pip.conf"] {
        files.extend(around.in_home(path).map(|path| (path, user)));
    }
    files.push((around.on_machine("/etc/pip.conf"), SourceKind::MachineConfiguration));
    for folder in around.config_dirs() {
        files.push((folder.join("pip/pip.conf"), SourceKind::MachineConfiguration));
    }
    files
}

fn pip_file(search: &mut Search<'_>, path: &Path, kind: SourceKind, text: &str) {
    let place = path.display().to_string();
    let settings = ini::parse(text, true);
    let values = |key: &str| -> Vec<String> {
        // `[install]` wins over `[global]` when pip installs.
        let mut found: Vec<_> = settings
            .iter()
            .filter(|setting| matches!(setting.section.as_str(), "global" | "install"))
            .filter(|setting| setting.key.replace('_', "-").trim_start_matches("--") == key)
            .collect();
        found.sort_by_key(|setting| setting.section != "install");
        found.into_iter().flat_map(|setting| setting.values.clone()).collect()
    };
    if let Some(value) = values("index-url").first() {
        search.offer(value, Source::new(kind, place.clone()));
    }
    for value in values("extra-index-url").iter().flat_map(|value| value.split_whitespace()) {
        search.beside("extra index", value, &place);
    }
    for value in values("find-links").iter().flat_map(|value| value.split_whitespace()) {
        search.note(format!(
            "{place} sets `find-links = {}` for pip: what comes from there is not seen",
            plain(value)
        ));
    }
    if !values("cert").is_empty() {
        search.note(format!(
            "{place} sets `cert` for pip; tidegate trusts the system's certificates, add that one there if the upstream needs it"
        ));
    }
}

/// A value for a note, without credentials.
fn plain(value: &str) -> String {
    super::address::parse(value).map_or_else(
        |_| if value.contains('@') { "…".to_owned() } else { value.to_owned() },
        |address| address.url.to_string(),
    )
}

fn uv_files(around: &Surroundings) -> Vec<(PathBuf, SourceKind)> {
    let mut files = Vec::new();
    if around.var("UV_NO_CONFIG").is_some() {
        return files;
    }
    let user = SourceKind::UserConfiguration;
    files.extend(around.file_from_var("UV_CONFIG_FILE").map(|path| (path, user)));
    files.extend(around.config_home().map(|folder| (folder.join("uv/uv.toml"), user)));
    for folder in around.config_dirs() {
        files.push((folder.join("uv/uv.toml"), SourceKind::MachineConfiguration));
    }
    files.push((around.on_machine("/etc/uv/uv.toml"), SourceKind::MachineConfiguration));
    files
}

fn uv_file(search: &mut Search<'_>, path: &Path, kind: SourceKind, text: &str) {
    let place = path.display().to_string();
    let document: DocumentMut = match text.parse() {
        Ok(document) => document,
        Err(_) => return search.note(format!("{place} is not readable as TOML; it is left out")),
    };
    let string = |table: &dyn toml_edit::TableLike, key: &str| {
        table.get(key).and_then(|item| item.as_str()).map(str::to_owned)
    };
    let mut default = None;
    for index in document.get("index").and_then(|item| item.as_array_of_tables()).into_iter().flatten() {
        let Some(value) = string(index, "url") else { continue };
        if index.get("default").and_then(toml_edit::Item::as_bool) == Some(true) {
            default = default.or(Some(value));
        } else {
            let name =
                string(index, "name").map_or("extra index".to_owned(), |name| format!("index `{name}`"));
            search.beside(&name, &value, &place);
        }
    }
    let top = document.as_table();
    let pip = document.get("pip").and_then(|item| item.as_table_like());
    let default = default
        .or_else(|| string(top, "index-url"))
        .or_else(|| pip.and_then(|table| string(table, "index-url")));
    if let Some(value) = default {
        search.offer(&value, Source::new(kind, place.clone()));
    }
    let extra = top.get("extra-index-url").and_then(|item| item.as_array()).into_iter().flatten();
    for value in extra.filter_map(|value| value.as_str()) {
        search.beside("extra index", value, &place);
    }
}

/// Asks pip, then uv, for what they use when nothing is configured. `-I` keeps Python from the folder it starts in, from
/// `PYTHON*` and from the user's own packages.
fn ask(search: &mut Search<'_>) {
    let around = search.around;
    let none =
        [("PIP_CONFIG_FILE", "/dev/null"), ("PIP_DISABLE_PIP_VERSION_CHECK", "1"), ("UV_NO_CONFIG", "1")];
    let pip: &[&str] = &["-I", "-m", "pip", "install", "--help"];
    let uv: &[&str] = &["--no-config", "pip", "install", "--help"];
    for (program, args) in [("python3", pip), ("python", pip), ("uv", uv)] {
        let Some(answer) = around.ask(program, args, &none) else { continue };
        if let Some(value) = default_in_help(&answer) {
            let place = format!("`{program} {}`", args.join(" "));
            search.offer(&value, Source::new(SourceKind::ClientDefault, place));
            return;
        }
    }
    search.missed("no client configuration names an index, and no pip or uv on `PATH` outside this project says its default");
}

/// The address behind `--index-url` (pip) or `--default-index` (uv) in a help text: `(default <address>)` or
/// `(by default: <address>)`, possibly wrapped.
fn default_in_help(help: &str) -> Option<String> {
    let start = ["--default-index", "--index-url"].iter().find_map(|option| help.find(option))?;
    let text = &help[start..];
    let found = text.find("default http").or_else(|| text.find("default: http")).or_else(|| {
        // The address may stand on the next line, or in angle brackets.
        text.find("default")
    })?;
    let text = &text[found..];
    let start = text.find("http")?;
    // An address belongs to the words right before it; further away it is another option's.
    if start > 200 {
        return None;
    }
    let value: String = text[start..]
        .chars()
        .take_while(|c| !c.is_whitespace() && !matches!(c, ')' | '>' | ']' | ','))
        .collect();
    Some(value)
}

/// The user's `~/.netrc` (or `NETRC`), which pip and uv read for hosts without other credentials.
fn netrc(around: &Surroundings, url: &Url) -> Option<Secret<String>> {
    let path = around.file_from_var("NETRC").or_else(|| around.in_home(".netrc"))?;
    let text = around.read(&path)?;
    let mut words =
        text.lines().filter(|line| !line.trim_start().starts_with('#')).flat_map(str::split_whitespace);
    let (mut applies, mut login, mut password) = (false, None, None);
    loop {
        let word = words.next();
        if applies && login.is_some() && password.is_some() {
            break;
        }
        match word? {
            "machine" => {
                applies = words.next()? == url.host_str()?;
                (login, password) = (None, None);
            }
            "default" => {
                applies = true;
                (login, password) = (None, None);
            }
            "login" => login = words.next(),
            "password" => password = words.next(),
            _ => {}
        }
    }
    Some(basic(login?, password?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_default_in_help_texts() {
        let pip = "  -i, --index-url <url>  Base URL of the index (default\n      https://index.test/simple). This should\n";
        let uv = "      --default-index <DEFAULT_INDEX>\n          The default package index (by default: <https://index.test/simple>) [env: UV_DEFAULT_INDEX=]\n";
        for help in [pip, uv] {
            assert_eq!(default_in_help(help).as_deref(), Some("https://index.test/simple"), "{help}");
        }
        assert_eq!(default_in_help("no such option"), None);
        assert_eq!(default_in_help("--index-url <url> Base URL"), None);
    }
}
