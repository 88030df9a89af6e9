//! Clients of image registries: podman, buildah and skopeo, docker, containerd.
//!
//! An image's name says which registry it comes from, so a client is led here by saying where that registry is. Only forms
//! are used in which the door is *where the registry is*. A mirror is asked first, and when it says no, the client goes on to
//! the registry itself: such a form opens the door's own gate from the outside.

use tidegate_model::{Ecosystem, Secret};
use url::Url;

use super::Client;
use super::launch::{Launch, LaunchError};
use super::setup::{Setup, SetupFile};
use crate::discover::Surroundings;

/// A registry that a repository of the door stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registry {
    /// As images name it: `registry.example:5000`.
    pub name: String,
    /// The door's repository.
    pub repository: String,
}

impl Registry {
    /// The registries that a door stands for, by what it says of its upstreams: a host is a registry, and one with a path
    /// behind it is a part or a mirror of one, whose name only a person knows.
    pub fn of_status(status: &serde_json::Value) -> Vec<Self> {
        let repositories = status["repositories"].as_array().map(Vec::as_slice).unwrap_or_default();
        let images = repositories.iter().filter(|r| r["ecosystem"] == Ecosystem::Oci.as_str());
        let mut found = Vec::new();
        for one in images {
            let repository = one["name"].as_str().unwrap_or_default();
            let hosts = one["upstreams"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
            let hosts = hosts.filter_map(|upstream| host(&upstream["url"].as_str()?.parse().ok()?));
            let named = one["registries"].as_array().map(Vec::as_slice).unwrap_or_default().iter();
            for name in hosts.chain(named.filter_map(|name| name.as_str().map(str::to_owned))) {
                if !repository.is_empty() && !found.iter().any(|known: &Self| known.name == name) {
                    found.push(Self { name, repository: repository.to_owned() });
                }
            }
        }
        found
    }
}

/// The registry that an address is, where it is a whole one.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str().filter(|_| url.path() == "/")?;
    Some(url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}")))
}

/// The door as images name it: host and port.
fn place(door: &Url) -> String {
    let host = door.host_str().unwrap_or_default();
    // Without a port that is said, clients of images take 443 or 80 by the scheme, as everybody does.
    door.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// `registries.conf` in which the door is where these registries are. Names without a registry lead nowhere: which one is
/// meant would be a guess.
fn registries_conf(door: &Url, token: Option<&Secret<String>>, registries: &[Registry]) -> String {
    let (place, insecure) = (place(door), door.scheme() == "http");
    let path = token.map(|token| format!("t/{}/", token.expose())).unwrap_or_default();
    let mut text = format!(
        "unqualified-search-registries = []\n\n[[registry]]\nlocation = {place:?}\ninsecure = {insecure}\n"
    );
    for Registry { name, repository } in registries {
        let location = format!("{place}/{path}{repository}");
        text.push_str(&format!(
            "\n[[registry]]\nprefix = {name:?}\nlocation = {location:?}\ninsecure = {insecure}\n"
        ));
    }
    text
}

/// Leads one command of podman, buildah or skopeo through the door.
///
/// # Errors
/// The temporary configuration cannot be written.
pub fn lead(
    launch: &mut Launch,
    door: &Url,
    token: Option<&Secret<String>>,
    registries: &[Registry],
    around: &Surroundings,
) -> Result<(), LaunchError> {
    if launch.client == Some(Client::Docker) {
        launch.notes.push(
            "docker's daemon fetches images by its own settings, which no command changes: `tidegate setup docker` says them"
                .to_owned(),
        );
        return Ok(());
    }
    let conf = registries_conf(door, token, registries);
    let path = launch.write_scratch("registries.conf", &conf)?;
    // podman reads the variable; skopeo and buildah read none, and take an argument before their command.
    if !is_podman(&launch.program) {
        launch.args.splice(0..0, ["--registries-conf".into(), path.clone().into_os_string()]);
    }
    launch.set("CONTAINERS_REGISTRIES_CONF", path);
    if around.var("CONTAINERS_REGISTRIES_CONF").is_some() {
        launch.notes.push(
            "`CONTAINERS_REGISTRIES_CONF` is set in your environment and ignored in this run".to_owned(),
        );
    }
    let known: Vec<&str> = registries.iter().map(|registry| registry.name.as_str()).collect();
    for name in named(launch) {
        if name != place(door) && !known.contains(&name.as_str()) {
            launch.bypasses.push(super::Bypass {
                what: format!("no repository of the door stands for the registry `{name}`"),
                place: "the command".to_owned(),
            });
        }
    }
    if known.is_empty() {
        launch.notes.push(format!(
            "the door says of no registry that it stands for it: name images `{}/{}/…`",
            place(door),
            Ecosystem::Oci
        ));
    }
    Ok(())
}

fn is_podman(program: &std::ffi::OsStr) -> bool {
    std::path::Path::new(program).file_name().is_some_and(|name| name == "podman")
}

/// The registries that a command's arguments name.
fn named(launch: &Launch) -> Vec<String> {
    let mut found = Vec::new();
    for arg in launch.args.iter().filter_map(|arg| arg.to_str()) {
        let (is_reference, rest) = match arg.strip_prefix("docker://") {
            Some(rest) => (true, rest),
            None => (false, arg),
        };
        let Some((host, _)) = rest.split_once('/') else { continue };
        // Paths begin with a dot or a slash, other transports and addresses have a colon before two slashes.
        let looks_like_one = !host.is_empty()
            && !host.starts_with(['.', '-'])
            && !rest.contains("//")
            && (host.contains(['.', ':']) || host == "localhost")
            && host.bytes().all(|b| b.is_ascii_alphanumeric() || b".:-".contains(&b));
        let transport = ["dir:", "oci:", "docker-archive:", "oci-archive:", "containers-storage:"];
        if looks_like_one && (is_reference || !transport.iter().any(|name| rest.starts_with(name))) {
            found.push(host.to_owned());
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// What a client needs to use the door from now on.
pub(super) fn setup(setup: &mut Setup, client: Client, door: &Url, token: Option<&Secret<String>>) {
    let (place, repository) = (place(door), Ecosystem::Oci);
    let insecure = door.scheme() == "http";
    match client {
        Client::Docker => {
            if insecure {
                let content = format!("{{ \"insecure-registries\": [{place:?}] }}\n");
                setup.files.push(SetupFile::as_root("/etc/docker/daemon.json", content));
            }
            setup.commands.push(format!("docker pull {place}/{repository}/NAME:TAG"));
            setup.notes.push(format!(
                "name images by the door: `{place}/{repository}/NAME`. `registry-mirrors` stands for one registry alone, and where the \
                 mirror says no docker asks that registry itself: close the way to it"
            ));
        }
        Client::Containerd => {
            let content = format!(
                "server = {door:?}\n\n[host.{door:?}]\ncapabilities = [\"pull\", \"resolve\"]\n",
                door = door.as_str().trim_end_matches('/')
            );
            setup.files.push(SetupFile::as_root("/etc/containerd/certs.d/_default/hosts.toml", content));
            setup.notes.push(
                "containerd says in `?ns=` which registry it means: list its name under `registries` of the door's repository that \
                 stands for it. Without `server` it would go on to the registry where the door says no; a folder of a registry's own \
                 beside `_default` wins over it"
                    .to_owned(),
            );
        }
        _ => {
            let content = registries_conf(
                door,
                None,
                &[Registry { name: "REGISTRY".to_owned(), repository: repository.to_string() }],
            );
            setup.files.push(SetupFile::to_fill_in("~/.config/containers/registries.conf", content));
            setup.notes.push(
                "put the registry's name in place of `REGISTRY`, once for each repository of the door. A `[[registry.mirror]]` is no \
                 way: where the mirror says no, the registry itself is asked"
                    .to_owned(),
            );
        }
    }
    if token.is_some() {
        let login = match client {
            Client::Docker => format!("docker login --username tidegate --password-stdin {place}"),
            Client::Skopeo => format!("skopeo login --username tidegate --password-stdin {place}"),
            Client::Containerd => String::new(),
            _ => format!("podman login --username tidegate --password-stdin {place}"),
        };
        if login.is_empty() {
            setup.notes.push(
                "for a token, name the door in `hosts.toml` by `<door>/t/TOKEN/oci` with `override_path = true`, for the one registry \
                 that the repository stands for"
                    .to_owned(),
            );
        } else {
            setup.commands.push(login);
            setup.notes.push("give your token as the password".to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_must_fill_in_is_shown_and_not_written() {
        let door = "http://127.0.0.1:8484/".parse().unwrap();
        let around = Surroundings::of_process(std::env::temp_dir(), Vec::new());
        for (client, words) in [
            (Client::Podman, "location = \"127.0.0.1:8484/oci\""),
            (Client::Skopeo, "prefix = \"REGISTRY\""),
            (Client::Containerd, "server = \"http://127.0.0.1:8484\""),
            (Client::Docker, "\"insecure-registries\": [\"127.0.0.1:8484\"]"),
        ] {
            let told = super::super::setup(client, &door, None);
            let content = told.files[0].content();
            assert!(content.expose().contains(words), "{}", content.expose());
            assert!(!content.expose().contains("mirror"), "a mirror fails open");
            assert!(
                told.files[0].write(&around).unwrap_err().to_string().contains("not written by tidegate")
            );
        }
    }

    #[test]
    fn registries_are_what_the_door_stands_for() {
        let status = serde_json::json!({ "repositories": [
            { "name": "npm", "ecosystem": "npm", "upstreams": [{ "url": "https://registry.example/" }] },
            { "name": "oci", "ecosystem": "oci", "registries": ["hub.test"], "upstreams": [
                { "url": "https://images.example/" }, { "url": "https://mirror.example/hub/" },
            ] },
            { "name": "second", "ecosystem": "oci", "upstreams": [{ "url": "http://127.0.0.1:5000/" }] },
        ]});
        let found = Registry::of_status(&status);
        let shown: Vec<String> = found.iter().map(|r| format!("{} {}", r.name, r.repository)).collect();
        assert_eq!(shown, ["images.example oci", "hub.test oci", "127.0.0.1:5000 second"]);
        let token = Secret::new("tg_0a".to_owned());
        let conf = registries_conf(&"http://127.0.0.1:8484/".parse().unwrap(), Some(&token), &found);
        assert!(conf.contains(
            "prefix = \"images.example\"\nlocation = \"127.0.0.1:8484/t/tg_0a/oci\"\ninsecure = true"
        ));
        assert!(conf.contains("unqualified-search-registries = []") && !conf.contains("mirror.example"));
        assert!(conf.parse::<toml_edit::DocumentMut>().is_ok(), "{conf}");
    }
}
