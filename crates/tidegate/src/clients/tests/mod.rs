//! Clients made ready: what is set, what is written, what is found, how a child ends; and with the real ones.

mod child;
mod locks;
mod pure;
mod real;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use super::*;
use crate::discover::Surroundings;

pub(super) fn around(home: &Path, vars: &[(&str, &str)]) -> Surroundings {
    Surroundings {
        vars: vars.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        home: Some(home.to_owned()),
        work_dir: home.join("project"),
        machine_root: home.join("root"),
        own_addresses: Vec::new(),
        explicit: BTreeMap::new(),
        ask_timeout: std::time::Duration::from_secs(10),
    }
}

pub(super) fn command(words: &str) -> Vec<OsString> {
    words.split_whitespace().map(OsString::from).collect()
}

pub(super) fn door() -> Url {
    Url::parse("http://127.0.0.1:8484/").unwrap()
}

pub(super) fn token() -> Secret<String> {
    Secret::new("tok/en".to_owned())
}

#[test]
fn the_name_of_a_program_names_its_client() {
    for client in Client::ALL {
        assert_eq!(client.as_str().parse(), Ok(client));
    }
    for (word, client) in [
        ("hf", Client::Huggingface),
        ("huggingface-cli", Client::Huggingface),
        ("buildah", Client::Podman),
        ("code", Client::Vscode),
        ("codium", Client::Vscodium),
        ("pip3", Client::Pip),
    ] {
        assert_eq!(word.parse(), Ok(client), "{word}");
    }
    let error = "make".parse::<Client>().unwrap_err().to_string();
    assert!(error.contains("`make`") && error.contains("buildah"), "{error}");
}
