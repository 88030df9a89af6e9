//! The hosts of the package registries that this machine's clients know, so that no list of them stands in the tree.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};

/// Python that prints the index and file hosts built into pip.
const PIP_CONSTANTS: &str = "from pip._internal.models.index import PyPI as p; print('https://'+p.netloc+'/ https://'+p.file_storage_domain+'/')";

/// Every registry host that can be asked for here, and the domain that each belongs to. A client that is missing adds
/// none.
pub(super) fn ask() -> Vec<String> {
    let mut texts = vec![tame_index::CRATES_IO_HTTP_INDEX.to_owned()];
    texts.extend(output("npm", &["config", "get", "registry"]));
    texts.extend(output("python3", &["-I", "-c", PIP_CONSTANTS]));
    texts.extend(output("go", &["env", "GOPROXY"]));
    texts.extend(debian_sources());
    let mut hosts = BTreeSet::new();
    for host in texts.iter().flat_map(|text| hosts_in(text)) {
        if let Some((_, domain)) = host.split_once('.').filter(|(_, domain)| domain.contains('.')) {
            hosts.insert(domain.to_owned());
        }
        hosts.insert(host);
    }
    hosts.into_iter().collect()
}

/// What a client prints, asked in an empty folder so that no project's configuration answers.
fn output(program: &str, arguments: &[&str]) -> Option<String> {
    let folder = tempfile::tempdir().ok()?;
    let output = Command::new(program)
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn debian_sources() -> Vec<String> {
    let mut texts: Vec<String> = fs::read_to_string("/etc/apt/sources.list").into_iter().collect();
    for entry in fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten() {
        texts.extend(fs::read_to_string(entry.path()));
    }
    texts.retain(|text| text.contains("debian"));
    texts
}

/// The host names of all URLs in a text, but for those that stand for nothing or for this machine.
fn hosts_in(text: &str) -> Vec<String> {
    text.match_indices("://")
        .filter_map(|(at, _)| {
            let authority: &str = text[at + 3..].split(['/', ' ', '\n', ',', '|', '"']).next()?;
            let host = authority.rsplit('@').next()?.split(':').next()?.trim().to_lowercase();
            let reserved = ["localhost", "example", "test", "invalid"];
            let last = host.rsplit('.').next()?;
            let is_address = host.bytes().all(|b| b.is_ascii_digit() || b == b'.');
            (host.contains('.') && !is_address && !reserved.contains(&last)).then_some(host)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_taken_from_urls() {
        let text = "deb https://user:pw@packages.big.zone/debian stable\nhttp://127.0.0.1:4873/ http://door.test/npm/";
        assert_eq!(hosts_in(text), ["packages.big.zone"]);
    }

    #[test]
    fn cargo_always_names_at_least_one() {
        assert!(!ask().is_empty());
    }
}
