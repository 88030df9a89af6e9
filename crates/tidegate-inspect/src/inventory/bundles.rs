//! Packages inside bundled scripts: paths of their sources in source maps, and the banners that minifiers keep.

use std::sync::LazyLock;

use tidegate_model::finding::Confidence;

use super::{Found, How};

/// Banners of one file that are read.
const BANNERS: usize = 200;

/// Bytes of a banner in which name and version stand.
const BANNER_BYTES: usize = 200;

/// The package that a bundle's source belongs to: the innermost folder below `node_modules`. The version is known where the
/// package manager writes it into the path (`.pnpm/lodash@4.17.21/node_modules/lodash`).
pub(super) fn source(path: &str) -> Option<Found> {
    let (before, after) = path.rsplit_once("node_modules/")?;
    let mut parts = after.split('/');
    let first = parts.next().filter(|part| is_name(part.trim_start_matches('@')))?;
    let (namespace, name) = if first.starts_with('@') {
        (Some(first), parts.next().filter(|part| is_name(part))?)
    } else {
        (None, first)
    };
    // A file of its own is no package, and a part that the bundler makes has no name.
    parts.next()?;
    let full = namespace.map_or_else(|| name.to_owned(), |space| format!("{space}/{name}"));
    let stored = before.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let version = stored
        .strip_prefix(&full.replace('/', "+"))
        .and_then(|rest| rest.strip_prefix('@'))
        .map(|version| version.split(['_', '(']).next().unwrap_or_default())
        .filter(|version| is_version(version));
    let mut found = Found::exact("npm", namespace, name, version, How::SourceMap);
    found.confidence = if version.is_some() { Confidence::High } else { Confidence::Medium };
    Some(found)
}

fn is_name(name: &str) -> bool {
    let is_part = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.~".contains(&b);
    !name.is_empty() && name.len() <= 214 && !name.starts_with(['.', '_']) && name.bytes().all(is_part)
}

fn is_version(version: &str) -> bool {
    let mut numbers = version.splitn(3, '.');
    let is_number =
        |part: Option<&str>| part.is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
    is_number(numbers.next())
        && is_number(numbers.next())
        && numbers.next().is_some_and(|last| last.starts_with(|c: char| c.is_ascii_digit()))
}

/// `/*! name v1.2.3`: a name as packages have them, alone, and a whole version.
static BANNER: LazyLock<regex::bytes::Regex> = LazyLock::new(|| {
    let pattern = r"^/\*!?\s*(?:\*\s*)?(?:@license\s+)?(@[a-z0-9-]+/)?([A-Za-z][A-Za-z0-9._-]{0,60}?)(?:\.min)?(?:\.js)?(?:,)? (?:JavaScript Library )?[vV]?@?([0-9]+\.[0-9]+\.[0-9]+(?:-[0-9A-Za-z.-]+)?)(?:[\s|*,;]|$)";
    regex::bytes::Regex::new(pattern).expect("the pattern is constant")
});

/// The packages whose banners stand in a script. Nothing says that a banner's name is the package's: confidence is low.
pub(super) fn banners(script: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(script, b"/*!").take(BANNERS) {
        let banner = script.get(at..).unwrap_or_default();
        let banner = banner.get(..BANNER_BYTES).unwrap_or(banner);
        let Some(groups) = BANNER.captures(banner) else { continue };
        let text =
            |number: usize| groups.get(number).and_then(|group| std::str::from_utf8(group.as_bytes()).ok());
        let (Some(name), Some(version)) = (text(2), text(3)) else { continue };
        let name = name.to_ascii_lowercase();
        if is_name(&name) {
            let scope = text(1).map(|scope| scope.trim_end_matches('/'));
            let mut one = Found::exact("npm", scope, &name, Some(version), How::Banner);
            one.confidence = Confidence::Low;
            found.push(one);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(found: &Found) -> String {
        let scope = found.namespace.as_deref().map(|scope| format!("{scope}/")).unwrap_or_default();
        format!("{scope}{}@{}", found.name, found.version.as_deref().unwrap_or("-"))
    }

    #[test]
    fn sources_lie_in_packages() {
        for (path, expected) in [
            ("webpack:/app/node_modules/lodash/map.js", "lodash@-"),
            ("../node_modules/a/node_modules/@s/b/i.js", "@s/b@-"),
            ("../node_modules/.pnpm/lodash@4.17.21/node_modules/lodash/map.js", "lodash@4.17.21"),
            ("node_modules/.pnpm/@s+b@1.0.0_x@2/node_modules/@s/b/i.js", "@s/b@1.0.0"),
            ("src/index.js", "none"),
            ("node_modules/file.js", "none"),
            ("node_modules/.cache/x/y", "none"),
        ] {
            assert_eq!(source(path).as_ref().map_or_else(|| "none".to_owned(), told), expected, "{path}");
        }
    }

    #[test]
    fn banners_name_their_package() {
        for (script, expected) in [
            (&b"/*! jQuery v3.6.0 | (c) Example */x"[..], &["jquery@3.6.0"][..]),
            (b"/*!\n * clipboard.js v2.0.11\n * x", &["clipboard@2.0.11"]),
            (b"a/*! @acme/x v1.0.0 */b/*! y 2.0.1 */", &["@acme/x@1.0.0", "y@2.0.1"]),
            (b"/*! A long sentence about version 1.2.3 */", &[]),
            (b"/*! x v1 */", &[]),
        ] {
            let found: Vec<String> = banners(script).iter().map(told).collect();
            assert_eq!(found, expected, "{}", String::from_utf8_lossy(script));
        }
    }
}
