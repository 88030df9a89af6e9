//! The line-based files that npm (`.npmrc`) and pip (`pip.conf`) read, as far as discovery needs them.
//!
//! A line that is neither a section, a comment nor a setting is skipped, as both clients do with much of what they do
//! not know; one odd line must not hide the registry on the next.

use std::collections::BTreeMap;

/// The longest client configuration file that is read: 1 MiB.
pub(crate) const MAX_CONFIG_BYTES: u64 = 1 << 20;

/// One setting: the section it stands in (empty before the first), its key and its values, one per line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) section: String,
    pub(crate) key: String,
    pub(crate) values: Vec<String>,
}

/// Reads the settings of a file in order. An indented line continues the value before it when `continued` is set (pip's
/// form; in an `.npmrc` indentation means nothing).
pub(crate) fn parse(text: &str, continued: bool) -> Vec<Setting> {
    let mut settings: Vec<Setting> = Vec::new();
    let mut section = String::new();
    for line in text.lines() {
        let trimmed = line.trim();
        if trimmed.is_empty() || trimmed.starts_with(['#', ';']) {
            continue;
        }
        let open = settings.last_mut().filter(|setting| setting.section == section);
        if let Some(setting) = open.filter(|_| continued && line.starts_with([' ', '\t'])) {
            setting.values.push(unquote(trimmed).to_owned());
            continue;
        }
        if let Some(name) = trimmed.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.trim().to_owned();
            continue;
        }
        let split = if continued { trimmed.split_once(['=', ':']) } else { trimmed.split_once('=') };
        let Some((key, value)) = split else { continue };
        let value = unquote(value.trim());
        settings.push(Setting {
            section: section.clone(),
            key: key.trim().trim_end_matches("[]").to_owned(),
            values: if value.is_empty() { Vec::new() } else { vec![value.to_owned()] },
        });
    }
    settings
}

fn unquote(value: &str) -> &str {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

/// Replaces `${NAME}` and `${NAME?}` as npm does: an unset `NAME` stays as written, an unset `NAME?` becomes nothing,
/// and a backslash before it keeps it.
pub(crate) fn expand(value: &str, vars: &BTreeMap<String, String>) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else { break };
        let (before, name) = (&rest[..start], &rest[start + 2..start + end]);
        let whole = &rest[start..=start + end];
        rest = &rest[start + end + 1..];
        if let Some(kept) = before.strip_suffix('\\') {
            out.push_str(kept);
            out.push_str(whole);
            continue;
        }
        out.push_str(before);
        let (name, optional) = name.strip_suffix('?').map_or((name, false), |name| (name, true));
        match vars.get(name) {
            Some(found) => out.push_str(found),
            None if optional => {}
            None => out.push_str(whole),
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_pip_and_npm_forms() {
        let pip = "[global]\nindex-url = http://a.test/simple\nextra-index-url =\n    http://b.test/simple\n    \"http://c.test/simple\"\n; no\n[install]\nno-index: true\n";
        let settings = parse(pip, true);
        assert_eq!(settings.len(), 3);
        assert_eq!(settings[0].values, ["http://a.test/simple"]);
        assert_eq!(settings[1].values, ["http://b.test/simple", "http://c.test/simple"]);
        assert_eq!((settings[2].section.as_str(), settings[2].key.as_str()), ("install", "no-index"));

        let npm = "# c\n  registry=http://a.test/\n//a.test/:_authToken=\"x=y\"\nca[]=one\nstray\n";
        let settings = parse(npm, false);
        assert_eq!(settings[0].key, "registry");
        assert_eq!(settings[1].key, "//a.test/:_authToken");
        assert_eq!(settings[1].values, ["x=y"]);
        assert_eq!(settings[2].key, "ca");
    }

    #[test]
    fn expands_variables_like_npm() {
        let vars = BTreeMap::from([("T".to_owned(), "tok".to_owned())]);
        for (input, expected) in [
            ("${T}", "tok"),
            ("a${T}b${T}", "atokbtok"),
            ("${U}", "${U}"),
            ("x${U?}y", "xy"),
            ("\\${T}", "${T}"),
            ("${T", "${T"),
            ("$T", "$T"),
        ] {
            assert_eq!(expand(input, &vars), expected, "{input}");
        }
    }
}
