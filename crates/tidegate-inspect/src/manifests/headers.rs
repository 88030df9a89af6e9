//! Manifests in header fields: Python's core metadata, Debian's control files, the manifest of a jar.

use super::{Manifest, believable};

/// Fields that are read of one file.
const FIELDS: usize = 2_000;

/// The fields of the first paragraph, or of all of them; lines that begin with white space go on with the field before.
fn fields(text: &str, all: bool) -> Vec<(String, String)> {
    let mut fields: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        // A line of white space goes on with the field before.
        if line.is_empty() {
            if all || fields.is_empty() {
                continue;
            }
            break;
        }
        if line.starts_with([' ', '\t']) {
            if let Some((_, value)) = fields.last_mut() {
                value.push('\n');
                value.push_str(line.trim());
            }
            continue;
        }
        if fields.len() >= FIELDS {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    fields
}

fn first<'a>(fields: &'a [(String, String)], name: &str) -> Option<&'a str> {
    fields.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str())
}

/// Core metadata of a wheel (<https://packaging.python.org/en/latest/specifications/core-metadata/>).
pub(super) fn metadata(text: &str) -> Option<Manifest> {
    python(text, "METADATA")
}

/// Core metadata of a source package or an egg.
pub(super) fn pkg_info(text: &str) -> Option<Manifest> {
    python(text, "PKG-INFO")
}

fn python(text: &str, source: &'static str) -> Option<Manifest> {
    let fields = fields(text, false);
    let mut manifest = Manifest::new("pypi", source);
    manifest.name = Some(believable(first(&fields, "name")?)?);
    manifest.version = first(&fields, "version").and_then(believable);
    for (field, name) in [("License-Expression", "license-expression"), ("License", "license")] {
        if let Some(text) = first(&fields, name) {
            manifest.state(field, text);
        }
    }
    for (_, classifier) in fields.iter().filter(|(name, _)| name == "classifier") {
        let parts: Vec<&str> = classifier.split(" :: ").collect();
        // `License` and `License :: OSI Approved` alone name none.
        if let ["License", .., last] = parts.as_slice()
            && *last != "OSI Approved"
        {
            manifest.state("Classifier", last);
        }
    }
    Some(manifest)
}

/// A binary package's control file (Debian policy §5.3). It names no licence.
pub(super) fn debian(text: &str) -> Option<Manifest> {
    let fields = fields(text, false);
    let mut manifest = Manifest::new("deb", "control");
    manifest.name = Some(believable(first(&fields, "package")?)?);
    manifest.version = Some(believable(first(&fields, "version")?)?);
    Some(manifest)
}

/// A machine-readable copyright file (Debian policy, `copyright-format/1.0`): the licences of each paragraph of files.
pub(super) fn debian_copyright(text: &str) -> Option<Manifest> {
    let fields = fields(text, true);
    let is_machine_readable =
        first(&fields, "format").is_some_and(|format| format.contains("copyright-format"));
    let mut manifest = Manifest::new("deb", "copyright");
    let mut names: Vec<&str> = Vec::new();
    // A paragraph that stands alone repeats names with their texts.
    let mut of_files = false;
    for (field, value) in &fields {
        match field.as_str() {
            "files" => of_files = true,
            "license" if of_files => {
                of_files = false;
                let name = value.lines().next().unwrap_or_default().trim();
                if !name.is_empty() && !names.contains(&name) {
                    names.push(name);
                }
            }
            _ => {}
        }
    }
    for name in names {
        manifest.state("License", name);
    }
    is_machine_readable.then_some(manifest)
}

/// The manifest of a jar, where it is that of an OSGi bundle (OSGi Core §3.2): other names in it follow no rule.
pub(super) fn jar(text: &str) -> Option<Manifest> {
    // A line that is continued begins with one space, which is not part of the value.
    let joined = text.replace("\r\n", "\n").replace("\n ", "");
    let fields = fields(&joined, false);
    let mut manifest = Manifest::new("osgi", "MANIFEST.MF");
    let plain = |value: &str| value.split(';').next().unwrap_or_default().trim().to_owned();
    manifest.name = first(&fields, "bundle-symbolicname").and_then(|name| believable(&plain(name)));
    manifest.version = first(&fields, "bundle-version").and_then(believable);
    for one in first(&fields, "bundle-license").into_iter().flat_map(|value| value.split(',')) {
        let name = plain(one);
        manifest.state("Bundle-License", name.trim_matches('"'));
    }
    Some(manifest)
}
