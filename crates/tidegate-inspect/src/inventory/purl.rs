//! Package URLs, written (<https://github.com/package-url/purl-spec>).

use std::fmt::Write as _;

/// The package URL of a package. Names are spelt as their type wants them.
pub(super) fn purl(kind: &str, namespace: Option<&str>, name: &str, version: Option<&str>) -> String {
    let mut purl = format!("pkg:{kind}");
    for part in namespace.into_iter().flat_map(|all| all.split('/')).filter(|part| !part.is_empty()) {
        purl.push('/');
        encode(&mut purl, part);
    }
    purl.push('/');
    if kind == "pypi" {
        encode(&mut purl, &python_name(name))
    } else {
        encode(&mut purl, name)
    }
    if let Some(version) = version {
        purl.push('@');
        encode(&mut purl, version);
    }
    purl
}

/// Adds qualifiers, which come in the order of their keys.
pub(super) fn qualify(purl: &mut String, qualifiers: &[(&str, String)]) {
    for (at, (key, value)) in qualifiers.iter().enumerate() {
        purl.push(if at == 0 { '?' } else { '&' });
        purl.push_str(key);
        purl.push('=');
        encode(purl, value);
    }
}

/// A Python project's name in its normal form: lower case, runs of `-`, `_` and `.` as one `-`.
pub(super) fn python_name(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for part in name.split(['-', '_', '.']).filter(|part| !part.is_empty()) {
        if !normal.is_empty() {
            normal.push('-');
        }
        normal.push_str(&part.to_lowercase());
    }
    normal
}

pub(super) fn encode(out: &mut String, part: &str) {
    for byte in part.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b':') {
            out.push(byte as char);
        } else {
            write!(out, "%{byte:02X}").expect("a String takes everything");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_encoded_and_names_are_normal() {
        for (kind, namespace, name, version, expected) in [
            ("npm", Some("@acme"), "a", Some("1.0.0"), "pkg:npm/%40acme/a@1.0.0"),
            ("pypi", None, "Zope.Interface_x", Some("1"), "pkg:pypi/zope-interface-x@1"),
            (
                "golang",
                Some("github.com/Acme"),
                "a",
                Some("v1.0.0+incompatible"),
                "pkg:golang/github.com/Acme/a@v1.0.0%2Bincompatible",
            ),
            ("maven", Some("org.acme"), "a", None, "pkg:maven/org.acme/a"),
            ("deb", Some("debian"), "a", Some("1:2-3"), "pkg:deb/debian/a@1:2-3"),
        ] {
            assert_eq!(purl(kind, namespace, name, version), expected);
        }
    }
}
