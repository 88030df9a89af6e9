//! Where npm, pnpm and Yarn get their packages.

use std::path::{Path, PathBuf};

use tidegate_model::Secret;
use url::Url;

use super::address::{basic, bearer};
use super::{Search, Source, SourceKind, ini};

/// One configuration file, read.
struct Config {
    place: String,
    kind: SourceKind,
    settings: Vec<(String, String)>,
}

impl Config {
    fn get(&self, key: &str) -> Option<&str> {
        // The last one stands, as in npm.
        self.settings
            .iter()
            .rev()
            .find(|(name, value)| name == key && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }
}

/// Looks through npm's places, best first.
pub(crate) fn search(search: &mut Search<'_>) {
    let configs = configs(search);
    for config in &configs {
        if let Some(value) = config.get("registry") {
            search.offer(value, Source::new(config.kind, config.place.clone()));
        }
    }
    yarn_files(search);
    if !search.is_over() {
        ask(search);
    }
    for config in &configs {
        for (key, value) in &config.settings {
            if let Some(scope) = key.strip_suffix(":registry").filter(|scope| scope.starts_with('@')) {
                search.beside(scope, value, &config.place);
            }
            if matches!(key.as_str(), "cafile" | "proxy" | "https-proxy") {
                search.note(format!(
                    "{} sets `{key}` for npm; tidegate does not take it over, set it for tidegate if the upstream needs it",
                    config.place
                ));
            }
        }
    }
    search.credentials_from(|url| configs.iter().find_map(|config| credentials(config, url)));
}

/// The environment, then the user's files, then the machine's: the order in which npm lets one win over another.
fn configs(search: &mut Search<'_>) -> Vec<Config> {
    let around = search.around;
    let mut configs = Vec::new();
    // npm hands its whole configuration, a project's part included, to the scripts it starts. Inside one, the variables are
    // a project's word.
    if around.var("npm_lifecycle_event").is_some() {
        search
            .note("run from an npm script: the `npm_config_*` variables come from a project and are ignored");
    } else {
        for (name, value) in &around.vars {
            let Some(key) =
                name.get(..11).filter(|start| start.eq_ignore_ascii_case("npm_config_")).map(|_| &name[11..])
            else {
                continue;
            };
            // npm reads `npm_config_some_key` as `some-key`, and leaves keys that begin with `//` as they are.
            let key = if key.starts_with("//") {
                key.to_owned()
            } else {
                let (first, rest) = key.split_at(key.chars().next().map_or(0, char::len_utf8));
                format!("{first}{}", rest.replace('_', "-")).to_lowercase()
            };
            let setting = vec![(key, value.clone())];
            configs.push(Config { place: name.clone(), kind: SourceKind::Environment, settings: setting });
        }
    }
    for (path, kind) in files(around) {
        let Some(text) = around.read(&path) else { continue };
        let settings = ini::parse(&text, false)
            .into_iter()
            .filter(|setting| setting.section.is_empty())
            .map(|setting| {
                let value = setting.values.first().map(String::as_str).unwrap_or_default();
                (ini::expand(&setting.key, &around.vars), ini::expand(value, &around.vars))
            })
            .collect();
        configs.push(Config { place: path.display().to_string(), kind, settings });
    }
    configs
}

fn files(around: &super::Surroundings) -> Vec<(PathBuf, SourceKind)> {
    let from_var = |lower: &str| {
        around
            .file_from_var(&format!("npm_config_{lower}"))
            .or_else(|| around.file_from_var(&format!("NPM_CONFIG_{}", lower.to_uppercase())))
    };
    let mut files = Vec::new();
    let user = from_var("userconfig").or_else(|| around.in_home(".npmrc"));
    files.extend(user.map(|path| (path, SourceKind::UserConfiguration)));
    let pnpm = around.config_home().map(|folder| folder.join("pnpm/rc"));
    files.extend(pnpm.map(|path| (path, SourceKind::UserConfiguration)));
    let beside_node = || {
        let node = around.find_program("node")?.canonicalize().ok()?;
        Some(node.parent()?.parent()?.join("etc/npmrc"))
    };
    let prefix = || Some(PathBuf::from(around.var("PREFIX")?).join("etc/npmrc"));
    let machine = from_var("globalconfig").or_else(prefix).or_else(beside_node);
    files.extend(machine.map(|path| (path, SourceKind::MachineConfiguration)));
    for path in ["/etc/npmrc", "/usr/local/etc/npmrc", "/usr/etc/npmrc"] {
        files.push((around.on_machine(path), SourceKind::MachineConfiguration));
    }
    // One file can be reached under several of these names.
    let mut seen = Vec::new();
    files.retain(|(path, _)| {
        let real = path.canonicalize().unwrap_or_else(|_| path.clone());
        let new = !seen.contains(&real);
        seen.push(real);
        new
    });
    files
}

/// Yarn's own files in the home folder. Only the one line that matters is read: `plugins` and `yarnPath` name code.
fn yarn_files(search: &mut Search<'_>) {
    let lines = [(".yarnrc.yml", "npmRegistryServer:"), (".yarnrc", "registry ")];
    for (file, key) in lines {
        let Some(path) = search.around.in_home(file) else { continue };
        let Some(text) = search.around.read(&path) else { continue };
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix(key))
            .map(|value| ini::expand(value.trim().trim_matches(['"', '\'']), &search.around.vars));
        if let Some(value) = value {
            search.offer(&value, Source::new(SourceKind::UserConfiguration, path.display().to_string()));
        }
    }
}

/// Asks the clients for what they use when nothing is configured. No configuration file takes part: they were read above.
fn ask(search: &mut Search<'_>) {
    let around = search.around;
    let none = [
        ("npm_config_userconfig", "/dev/null/user"),
        ("npm_config_globalconfig", "/dev/null/global"),
        ("npm_config_update_notifier", "false"),
        ("npm_config_manage_package_manager_versions", "false"),
        ("YARN_IGNORE_PATH", "1"),
        ("YARN_RC_FILENAME", ".tidegate-asks-without-yarnrc.yml"),
        ("YARN_ENABLE_TELEMETRY", "0"),
    ];
    let questions: [(&str, &[&str]); 4] = [
        ("npm", &["--global", "config", "get", "registry"]),
        ("pnpm", &["--global", "config", "get", "registry"]),
        ("yarn", &["config", "get", "npmRegistryServer"]),
        ("yarn", &["config", "get", "registry"]),
    ];
    for (program, args) in questions {
        let Some(answer) = around.ask(program, args, &none) else { continue };
        let line = answer
            .lines()
            .map(str::trim)
            .find(|line| line.starts_with("http://") || line.starts_with("https://"));
        if let Some(line) = line {
            let place = format!("`{program} {}`", args.join(" "));
            search.offer(line, Source::new(SourceKind::ClientDefault, place));
            return;
        }
    }
    search.missed("no client configuration names a registry, and no npm, pnpm or Yarn on `PATH` outside this project says its default");
}

/// What npm would send to an address: the entry for its longest path prefix wins.
fn credentials(config: &Config, url: &Url) -> Option<Secret<String>> {
    let host = match url.port() {
        Some(port) => format!("{}:{port}", url.host_str()?),
        None => url.host_str()?.to_owned(),
    };
    let mut path = Path::new(url.path());
    loop {
        let folder = path.to_str()?.trim_end_matches('/');
        for key in [format!("//{host}{folder}/"), format!("//{host}{folder}")] {
            let get = |name: &str| config.get(&format!("{key}:{name}"));
            if let Some(token) = get("_authToken") {
                return Some(bearer(token));
            }
            if let Some(encoded) = get("_auth") {
                return Some(Secret::new(format!("Basic {encoded}")));
            }
            if let (Some(user), Some(encoded)) = (get("username"), get("_password")) {
                use base64::Engine as _;
                let password = base64::engine::general_purpose::STANDARD.decode(encoded).ok()?;
                return Some(basic(user, &String::from_utf8(password).ok()?));
            }
        }
        path = path.parent()?;
    }
}
