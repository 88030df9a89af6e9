//! apk's `installed` (`apk-package(5)`): a stanza for each package, of fields with keys of one letter.

use super::stanzas::Stanzas;
use super::{Package, Read};

pub(super) fn read(text: &[u8], read: &mut Read) {
    for stanza in Stanzas::of(text) {
        if stanza.is_cut {
            read.lacks("a package of the account is longer than is read");
        }
        let mut package = Package { kind: "apk", ..Package::default() };
        for (key, value) in stanza.fields() {
            match key {
                "P" => value.clone_into(&mut package.name),
                "V" => value.clone_into(&mut package.version),
                "A" => package.architecture = Some(value.to_owned()),
                "L" => package.licence = Some(value.to_owned()),
                "o" => package.source = Some(value.to_owned()),
                // The package's own fields come first; then its folders and files.
                "F" => break,
                _ => {}
            }
        }
        package.source = package.source.filter(|source| *source != package.name);
        if !package.name.is_empty() && !package.version.is_empty() && !read.keep(package) {
            return;
        }
    }
}
