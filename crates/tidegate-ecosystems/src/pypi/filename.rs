//! What a distribution's file name says of it: whose it is, which version, and whether installing it runs its code.
//!
//! Wheels: PEP 427. Source distributions: PEP 625 and the names from before it, where name and version are told apart
//! by the project whose page lists the file. Eggs and installers as far as their names can be read.

use tidegate_model::{Ecosystem, PackageName, Version};

/// What kind of distribution a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Built; installing it unpacks it.
    Wheel,
    /// Source; installing it runs its build.
    Source,
    /// Eggs, Windows installers: built, of another time.
    Legacy,
}

const SOURCE_SUFFIXES: &[&str] =
    &[".tar.gz", ".zip", ".tar.bz2", ".tgz", ".tar.xz", ".tbz", ".txz", ".tar.Z", ".tar"];
/// Where the platform begins in the names of installers and of "dumb" binary archives.
const PLATFORMS: &[&str] = &[".win32", ".win-", ".linux-", ".macosx-", ".cygwin", ".freebsd", ".darwin"];

/// Kind and version of `file` on the page of `package`; `None` where the name belongs to another project or cannot be
/// read.
pub(super) fn read(file: &str, package: &PackageName) -> Option<(Kind, Version)> {
    if let Some(stem) = file.strip_suffix(".whl") {
        return Some((Kind::Wheel, wheel(stem, package)?));
    }
    if let Some(stem) = SOURCE_SUFFIXES.iter().find_map(|suffix| file.strip_suffix(suffix)) {
        return Some((Kind::Source, source(stem, package)?));
    }
    if let Some(stem) = file.strip_suffix(".egg") {
        return Some((Kind::Legacy, egg(stem, package)?));
    }
    let stem = file.strip_suffix(".exe").or_else(|| file.strip_suffix(".msi"))?;
    Some((Kind::Legacy, source(stem, package)?))
}

/// `name-version(-build)?-python-abi-platform`.
fn wheel(stem: &str, package: &PackageName) -> Option<Version> {
    let parts: Vec<&str> = stem.split('-').collect();
    let build_is_one = |build: &str| build.starts_with(|c: char| c.is_ascii_digit());
    let shape = match parts.as_slice() {
        [_, _, _, _, _] => true,
        [_, _, build, _, _, _] => build_is_one(build),
        _ => false,
    };
    if !shape || parts.iter().any(|part| part.is_empty()) || !is_name(parts[0], package) {
        return None;
    }
    escaped_version(parts[1])
}

/// `name-version-pyX.Y(-platform)?`.
fn egg(stem: &str, package: &PackageName) -> Option<Version> {
    let mut parts = stem.split('-');
    parts.next().filter(|name| is_name(name, package))?;
    escaped_version(parts.next()?)
}

/// `name-version`, where both may hold hyphens: the name is the part that normalises to the project's.
fn source(stem: &str, package: &PackageName) -> Option<Version> {
    let rests = || {
        stem.match_indices('-')
            .filter(|(at, _)| is_name(&stem[..*at], package))
            .map(|(at, _)| &stem[at + 1..])
    };
    rests()
        .find_map(valid)
        .or_else(|| rests().find_map(without_platform))
        .or_else(|| rests().find_map(opaque))
}

fn is_name(text: &str, package: &PackageName) -> bool {
    PackageName::parse(Ecosystem::Pypi, text).is_ok_and(|name| name == *package)
}

/// Characters that a version may hold, in and outside PEP 440.
fn is_version_text(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._+!-".contains(&b))
}

fn valid(text: &str) -> Option<Version> {
    let version = Version::parse(Ecosystem::Pypi, text);
    (is_version_text(text) && version.is_valid()).then_some(version)
}

fn without_platform(text: &str) -> Option<Version> {
    let end = PLATFORMS.iter().filter_map(|platform| text.find(platform)).min()?;
    valid(&text[..end]).or_else(|| opaque(&text[..end]))
}

/// A version from before PEP 440, such as `2004d`: kept as text, as long as it looks like a version at all.
fn opaque(text: &str) -> Option<Version> {
    let looks_like_one = is_version_text(text) && text.starts_with(|c: char| c.is_ascii_digit());
    looks_like_one.then(|| Version::parse(Ecosystem::Pypi, text))
}

/// A version whose hyphens, and in old wheels whose `+`, were written as underscores.
fn escaped_version(text: &str) -> Option<Version> {
    valid(text)
        .or_else(|| valid(&text.replace('_', "-")))
        .or_else(|| valid(&text.replacen('_', "+", 1)))
        .or_else(|| opaque(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(package: &str, file: &str, expected: Option<(Kind, &str)>) {
        let package = PackageName::parse(Ecosystem::Pypi, package).unwrap();
        let found = read(file, &package);
        let found = found.as_ref().map(|(kind, version)| (*kind, version.as_str()));
        assert_eq!(found, expected, "{file}");
    }

    #[test]
    fn wheels() {
        use Kind::Wheel;
        check("foo", "foo-1.0-py3-none-any.whl", Some((Wheel, "1.0")));
        check("foo", "foo-1.0-1build-py3-none-any.whl", Some((Wheel, "1.0")));
        check("zope-interface", "zope.interface-5.0-cp39-cp39-linux_x86_64.whl", Some((Wheel, "5.0")));
        check("zope-interface", "Zope_Interface-5.0-cp39-cp39-linux_x86_64.whl", Some((Wheel, "5.0")));
        check("torch", "torch-2.1.0+cpu-cp311-cp311-linux_x86_64.whl", Some((Wheel, "2.1.0+cpu")));
        check("torch", "torch-2.1.0_cpu-cp311-cp311-linux_x86_64.whl", Some((Wheel, "2.1.0+cpu")));
        check("foo", "foo-1!2.0-py3-none-any.whl", Some((Wheel, "1!2.0")));
        for bad in [
            "bar-1.0-py3-none-any.whl",
            "foo-1.0-none-any.whl",
            "foo-1.0-build-py3-none-any.whl",
            "foo-1.0-1-2-py3-none-any.whl",
            "foo--py3-none-any.whl",
            "foo-1.0-py3-none-.whl",
            "foo-latest-py3-none-any.whl",
            "foo- 1.0-py3-none-any.whl",
            ".whl",
            "foo-1.0-py3-none-any.whl.exe.",
        ] {
            check("foo", bad, None);
        }
    }

    #[test]
    fn source_distributions() {
        use Kind::Source;
        check("foo", "foo-1.0.tar.gz", Some((Source, "1.0")));
        check("foo-bar", "foo-bar-1.0.zip", Some((Source, "1.0")));
        check("foo-bar", "Foo_Bar-1.0rc1.tar.bz2", Some((Source, "1.0rc1")));
        check("foo-2", "foo-2-1.0.tar.gz", Some((Source, "1.0")));
        check("foo", "foo-2-1.tar.gz", Some((Source, "2-1")));
        check("foo", "foo-1.0-beta2.tar.gz", Some((Source, "1.0-beta2")));
        check("pytz", "pytz-2004d.tar.gz", Some((Source, "2004d")));
        check("foo", "foo-1.0.linux-x86_64.tar.gz", Some((Source, "1.0")));
        for bad in
            ["foo.tar.gz", "foo-bar-1.0.tar.gz", "bar-1.0.tar.gz", "foo-.tar.gz", "foo-1.0.rpm", "foo-1.0"]
        {
            check("foo", bad, None);
        }
    }

    #[test]
    fn what_came_before() {
        use Kind::Legacy;
        check("foo", "foo-1.0-py2.7.egg", Some((Legacy, "1.0")));
        check("foo", "foo-1.0_beta1-py2.7-linux-x86_64.egg", Some((Legacy, "1.0_beta1")));
        check("foo", "foo-1.0.win32-py2.7.exe", Some((Legacy, "1.0")));
        check("foo", "foo-1.0.win-amd64.msi", Some((Legacy, "1.0")));
        check("foo", "foo-setup.exe", None);
        check("foo", "bar-1.0-py2.7.egg", None);
    }
}
