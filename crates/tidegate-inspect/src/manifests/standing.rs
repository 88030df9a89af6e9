//! Whose file it is, by its path: the package's own, or that of something it brings along.

/// Containers within a package that are part of its format, not something it brings along.
const WRAPPERS: &[&str] = &["data.tar", "control.tar", "metadata.gz", "checksums.yaml.gz", "debian-binary"];

/// Folders that hold other people's packages, or files that nobody uses.
const FOREIGN: &[&str] = &[
    "node_modules",
    "_vendor",
    "vendor",
    "vendored",
    "_vendored",
    "_vendored_packages",
    "third_party",
    "third-party",
    "thirdparty",
    "3rdparty",
    "3rd-party",
    "extern",
    "externals",
    "external",
    "bundled",
    "bundled_deps",
    "deps",
    "bower_components",
    "jspm_packages",
    "test",
    "tests",
    "__tests__",
    "testdata",
    "fixtures",
    "example",
    "examples",
];

/// Whose a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Standing {
    /// The package's own, where its ecosystem looks for it.
    Main,
    /// The package's own, somewhere within.
    Within,
    /// That of something the package brings along.
    Foreign,
}

impl Standing {
    /// Of a path as [`unfold`](crate::unfold) tells it.
    pub(crate) fn of(path: &str) -> Self {
        let mut containers: Vec<&str> = path.split("!/").skip(1).collect();
        let is_wrapper = |name: &str| {
            let name = name.trim_start_matches("./");
            WRAPPERS.iter().any(|wrapper| name.starts_with(wrapper))
                || (name.starts_with("pkg-") || name.starts_with("info-")) && name.contains(".tar")
        };
        let last = containers.pop().unwrap_or(path);
        if !containers.iter().all(|name| is_wrapper(name)) {
            return Self::Foreign;
        }
        let folders: Vec<&str> = folders(last).collect();
        if folders.iter().any(|folder| FOREIGN.iter().any(|name| folder.eq_ignore_ascii_case(name))) {
            return Self::Foreign;
        }
        let is_own = match folders.as_slice() {
            [] | [_] => true,
            // Licence files of wheels, of source packages, of jars, of conda and Debian packages.
            [first, ..] if first.ends_with(".dist-info") || *first == "META-INF" => true,
            [_, second] => second.eq_ignore_ascii_case("licenses") || second.eq_ignore_ascii_case("licences"),
            ["usr", "share", "doc", ..] | ["info", "licenses", ..] => true,
            _ => false,
        };
        if is_own { Self::Main } else { Self::Within }
    }
}

/// The path within the innermost container.
pub(crate) fn inner(path: &str) -> &str {
    path.rsplit("!/").next().unwrap_or(path)
}

/// The parts of a path within one container.
pub(crate) fn segments(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split(['/', '\\']).filter(|part| !part.is_empty() && *part != ".")
}

/// The last part of a path.
pub(crate) fn file_name(path: &str) -> &str {
    segments(path).next_back().unwrap_or(path)
}

fn folders(path: &str) -> impl Iterator<Item = &str> {
    let mut parts = segments(path);
    parts.next_back();
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_says_whose_a_file_is() {
        for (path, expected) in [
            ("a.tgz!/package/LICENSE", Standing::Main),
            ("a.whl!/a-1.dist-info/licenses/LICENSE", Standing::Main),
            ("a.whl!/a-1.dist-info/licenses/src/_vendor/b/LICENSE", Standing::Foreign),
            ("a.tgz!/package/src/x/LICENSE", Standing::Within),
            ("a.tgz!/package/node_modules/b/LICENSE", Standing::Foreign),
            ("a.jar!/META-INF/LICENSE", Standing::Main),
            ("a.jar!/lib/b.jar!/META-INF/LICENSE", Standing::Foreign),
            ("a.gem!/data.tar.gz!/LICENSE.txt", Standing::Main),
            ("a.deb!/data.tar.xz!/./usr/share/doc/a/copyright", Standing::Main),
            ("a.conda!/pkg-a-1.tar.zst!/info/licenses/LICENSE", Standing::Main),
            ("LICENSE", Standing::Main),
        ] {
            assert_eq!(Standing::of(path), expected, "{path}");
        }
    }
}
