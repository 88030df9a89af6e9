//! dpkg's `status` (`dpkg(1)`, Debian policy §5.3): a stanza for each package that it knows, installed or not.

use super::stanzas::Stanzas;
use super::{Package, Read};

pub(super) fn read(text: &[u8], read: &mut Read) {
    for stanza in Stanzas::of(text) {
        if stanza.is_cut {
            read.lacks("a package of the account is longer than is read");
        }
        let (mut package, mut status, mut source) = (Package { kind: "deb", ..Package::default() }, "", "");
        for (key, value) in stanza.fields() {
            match key {
                "Package" => value.clone_into(&mut package.name),
                "Version" => value.clone_into(&mut package.version),
                "Architecture" => package.architecture = Some(value.to_owned()),
                "Status" => status = value,
                "Source" => source = value,
                _ => {}
            }
        }
        package.source = source_of(source, &package);
        let is_package = !package.name.is_empty() && !package.version.is_empty();
        if is_package && is_there(status) && !read.keep(package) {
            return;
        }
    }
}

/// Whether files of the package are there: its status is `want flag state`. Parts of images without dpkg state none.
fn is_there(status: &str) -> bool {
    match status.split_ascii_whitespace().nth(2) {
        Some(state) => !matches!(state, "not-installed" | "config-files"),
        None => status.is_empty(),
    }
}

/// `openssl (3.0.11-1)`, `openssl`, or nothing where the source is called like the package.
fn source_of(source: &str, package: &Package) -> Option<String> {
    let (name, version) = match source.split_once('(') {
        Some((name, rest)) => (name.trim(), rest.trim_end_matches(')').trim()),
        None => (source.trim(), ""),
    };
    let name = if name.is_empty() { package.name.as_str() } else { name };
    if !version.is_empty() && version != package.version {
        return Some(format!("{name}@{version}"));
    }
    (name != package.name).then(|| name.to_owned())
}
