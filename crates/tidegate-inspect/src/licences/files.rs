//! Which files are about licences, by their names.

use crate::manifests;

/// Beginnings of the names of files that hold licences.
const BEGINNINGS: &[&str] = &[
    "license",
    "licence",
    "copying",
    "unlicense",
    "unlicence",
    "notice",
    "legal",
    "eula",
    "copyright",
    "third-party",
    "third_party",
    "thirdparty",
    "3rdparty",
    "3rd-party",
    "mit-license",
    "patents",
];

/// What such names may hold elsewhere: `bundle.js.LICENSE.txt`, `ThirdPartyNotices.txt`, `apache-license.md`.
const WITHIN: &[&str] = &["license", "licence", "notices", "copying"];

/// Extensions of text; code about licences is no licence.
const EXTENSIONS: &[&str] = &[
    "",
    "txt",
    "md",
    "markdown",
    "rst",
    "mit",
    "apache",
    "apache2",
    "apache-2.0",
    "apache20",
    "bsd",
    "bsd2",
    "bsd3",
    "gpl",
    "lgpl",
    "gpl2",
    "gpl3",
    "lgpl3",
    "mpl",
    "mpl2",
    "isc",
    "boost",
    "zlib",
    "cc0",
    "text",
    "rtf",
    "html",
    "htm",
    "spdx",
    "0",
    "1",
    "lesser",
    "lib",
    "third_party",
    "old",
];

/// What a licence file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The licence of what it stands with.
    Licence,
    /// Notices, which may be about others.
    Notices,
}

/// What a file is for, if it is about licences.
pub(super) fn purpose(path: &str) -> Option<Purpose> {
    let inner = manifests::inner(path);
    let name = manifests::file_name(inner).to_ascii_lowercase();
    let folder = manifests::segments(inner).rev().nth(1).unwrap_or_default().to_ascii_lowercase();
    let (stem, extension) = match name.rsplit_once('.') {
        // `LICENSE-2.0`: a version, no extension.
        Some((stem, extension)) if !stem.is_empty() => (stem, extension),
        _ => (name.as_str(), ""),
    };
    if !EXTENSIONS.contains(&extension) && !BEGINNINGS.contains(&stem.trim_end_matches(char::is_numeric)) {
        return None;
    }
    // Code again: `license.rs`, `license_test.go`.
    const CODE: &[&str] = &[
        "js", "ts", "mjs", "cjs", "rs", "py", "go", "java", "c", "h", "rb", "json", "toml", "yml", "yaml",
        "xml", "css", "sh", "class", "pyc", "map",
    ];
    if CODE.contains(&extension) {
        return None;
    }
    let notices = ["notice", "third", "3rd", "patents"];
    if notices.iter().any(|word| name.contains(word)) {
        return Some(Purpose::Notices);
    }
    let is_named =
        BEGINNINGS.iter().any(|word| stem.starts_with(word)) || WITHIN.iter().any(|word| stem.contains(word));
    let is_kept = matches!(folder.as_str(), "licenses" | "licences" | "license" | "legal");
    // A jar names what it includes in one file of licences.
    if name.contains(".js.license") {
        return Some(Purpose::Notices);
    }
    (is_named || is_kept).then_some(Purpose::Licence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_say_what_a_file_is_for() {
        for (path, expected) in [
            ("a.tgz!/package/LICENSE", Some(Purpose::Licence)),
            ("a.tgz!/package/LICENSE-MIT", Some(Purpose::Licence)),
            ("a.tgz!/package/license.md", Some(Purpose::Licence)),
            ("a.tgz!/package/COPYING.LESSER", Some(Purpose::Licence)),
            ("a.tgz!/package/LICENSES/MIT.txt", Some(Purpose::Licence)),
            ("a.tgz!/package/UNLICENSE", Some(Purpose::Licence)),
            ("a.tgz!/package/LICENCE", Some(Purpose::Licence)),
            ("a.tgz!/package/LICENSE-APACHE-2.0", Some(Purpose::Licence)),
            ("a.tgz!/package/NOTICE", Some(Purpose::Notices)),
            ("a.tgz!/package/ThirdPartyNotices.txt", Some(Purpose::Notices)),
            ("a.tgz!/package/dist/a.js.LICENSE.txt", Some(Purpose::Notices)),
            ("a.tgz!/package/license.js", None),
            ("a.tgz!/package/README.md", None),
            ("a.tgz!/package/lib/licenses.json", None),
        ] {
            assert_eq!(purpose(path), expected, "{path}");
        }
    }
}
