//! Target platforms: for which machines a package is built.

/// Built for every machine.
pub(super) const UNIVERSAL: &str = "universal";

/// Every platform that galleries know.
const ALL: [&str; 13] = [
    UNIVERSAL,
    "win32-x64",
    "win32-ia32",
    "win32-arm64",
    "linux-x64",
    "linux-arm64",
    "linux-armhf",
    "alpine-x64",
    "alpine-arm64",
    "darwin-x64",
    "darwin-arm64",
    "web",
    "unknown",
];

/// The platform that a word names.
pub(super) fn parse(text: &str) -> Option<&'static str> {
    ALL.into_iter().find(|known| *known == text)
}

/// The name of a package's file, in lower case but for the version: `publisher.name-1.0.0@linux-x64.vsix`.
pub(super) fn package_file(package: &tidegate_model::PackageName, version: &str, target: &str) -> String {
    let id = super::id_of(package);
    match target {
        UNIVERSAL => format!("{id}-{version}.vsix"),
        target => format!("{id}-{version}@{target}.vsix"),
    }
}
