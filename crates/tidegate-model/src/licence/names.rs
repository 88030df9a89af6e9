//! Names of licences: the list's identifiers and full names, and the table of corrections.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Deprecated identifiers of which the list says what replaces them.
const RENAMED: &[(&str, &str)] = &[
    ("BSD-2-Clause-FreeBSD", "BSD-2-Clause"),
    ("BSD-2-Clause-NetBSD", "BSD-2-Clause"),
    ("StandardML-NJ", "SMLNJ"),
    ("bzip2-1.0.5", "bzip2-1.0.6"),
    ("eCos-2.0", "GPL-2.0-or-later WITH eCos-exception-2.0"),
    ("wxWindows", "LGPL-2.0-or-later WITH WxWindows-exception-3.1"),
];

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// An expression.
    Is(String),
    /// One of several.
    OneOf(Vec<String>),
    /// No licence.
    Proprietary,
}

pub(super) static CORRECTIONS: &str = include_str!("corrections.txt");

/// Words of the longest name in the table; no longer phrase needs to be tried.
pub(super) static LONGEST_NAME_WORDS: LazyLock<usize> =
    LazyLock::new(|| NAMES.keys().map(|key| key.split(' ').count()).max().unwrap_or(1));

static NAMES: LazyLock<HashMap<String, Meaning>> = LazyLock::new(|| {
    let mut names = HashMap::new();
    for (key, meaning) in listed().chain(gnu()).chain(corrections()) {
        names.entry(key).or_insert(meaning);
    }
    names
});

/// What a name stands for, if it is known.
pub(super) fn find(words: &str) -> Option<&'static Meaning> {
    NAMES.get(words)
}

/// Identifiers, then full names. Where two licences have one full name, the name says nothing.
fn listed() -> impl Iterator<Item = (String, Meaning)> {
    let all = || spdx::identifiers::LICENSES.iter().filter(|licence| licence.name != "NOASSERTION");
    let mut full: HashMap<String, Vec<&'static str>> = HashMap::new();
    for licence in all() {
        full.entry(key(licence.full_name)).or_default().push(licence.name);
    }
    let unique = all().filter_map(move |licence| {
        let key = key(licence.full_name);
        let is_one = full.get(&key).is_some_and(|names| names.len() == 1);
        (is_one && !key.is_empty()).then(|| (key, Meaning::Is(in_force(licence.name))))
    });
    all().map(|licence| (key(licence.name), Meaning::Is(in_force(licence.name)))).chain(unique)
}

/// The identifier in force for one that may be deprecated, as the list explains it.
pub(super) fn in_force(name: &str) -> String {
    let deprecated = spdx::license_id(name).is_some_and(|id| id.is_deprecated()) || name.ends_with('+');
    if !deprecated {
        return name.to_owned();
    }
    let (base, later) = name.strip_suffix('+').map_or((name, false), |base| (base, true));
    if let Some(id) = spdx::gnu_license_id(base, later) {
        return id.name.to_owned();
    }
    for (old, new) in RENAMED {
        if *old == name {
            return (*new).to_owned();
        }
    }
    for (exception, written) in [
        ("-with-autoconf-exception", "Autoconf-exception"),
        ("-with-bison-exception", "Bison-exception-2.2"),
        ("-with-classpath-exception", "Classpath-exception-2.0"),
        ("-with-font-exception", "Font-exception-2.0"),
        ("-with-GCC-exception", "GCC-exception"),
    ] {
        if let Some(base) = name.strip_suffix(exception) {
            let version = match (written, base) {
                ("Autoconf-exception", "GPL-2.0") => "-2.0",
                ("Autoconf-exception", _) => "-3.0",
                ("GCC-exception", "GPL-2.0") => "-2.0",
                ("GCC-exception", _) => "-3.1",
                _ => "",
            };
            return format!("{base}-only WITH {written}{version}");
        }
    }
    name.to_owned()
}

/// The spellings of GNU licences with a version, which are too many for a table.
fn gnu() -> impl Iterator<Item = (String, Meaning)> {
    let families: [(&str, &[&str], &[&str]); 3] = [
        ("GPL", &["GPL", "GNU GPL", "GNU General Public", "General Public"], &["1.0", "2.0", "3.0"]),
        (
            "LGPL",
            &[
                "LGPL",
                "GNU LGPL",
                "GNU Lesser General Public",
                "Lesser General Public",
                "GNU Library General Public",
                "GNU Library or Lesser General Public",
            ],
            &["2.0", "2.1", "3.0"],
        ),
        (
            "AGPL",
            &["AGPL", "GNU AGPL", "GNU Affero General Public", "Affero General Public"],
            &["1.0", "3.0"],
        ),
    ];
    let mut all = Vec::new();
    for (short, names, versions) in families {
        for (name, version) in names.iter().flat_map(|name| versions.iter().map(move |v| (name, v))) {
            let plain = version.trim_end_matches(".0");
            let only = Meaning::Is(format!("{short}-{version}-only"));
            let later = Meaning::Is(format!("{short}-{version}-or-later"));
            for tail in ["", " only"] {
                all.push((key(&format!("{name} {version}{tail}")), only.clone()));
                all.push((key(&format!("{name} {version}{tail} ({short}v{plain})")), only.clone()));
            }
            for tail in
                [" +", " or later", " or any later", " or newer", " or above", " or greater", " and later"]
            {
                all.push((key(&format!("{name} {version}{tail}")), later.clone()));
                all.push((key(&format!("{name} {version}{tail} ({short}v{plain}+)")), later.clone()));
            }
        }
    }
    all.into_iter()
}

fn corrections() -> impl Iterator<Item = (String, Meaning)> {
    entries().map(|(name, meaning)| (key(name), meaning))
}

/// The table, as it stands.
pub(super) fn entries() -> impl Iterator<Item = (&'static str, Meaning)> {
    CORRECTIONS.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).map(|line| {
        if let Some((name, expression)) = line.split_once(" = ") {
            (name, Meaning::Is(expression.to_owned()))
        } else if let Some((name, several)) = line.split_once(" ? ") {
            (name, Meaning::OneOf(several.split(", ").map(str::to_owned).collect()))
        } else {
            (line.trim_end_matches(" !"), Meaning::Proprietary)
        }
    })
}

/// A name with what does not matter taken away: the words that are left, one space between them.
pub(super) fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for word in words(name) {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(&word);
    }
    key
}

/// The words of a name that matter, in lower case: runs of letters, numbers without `.0` at the end, and `+`.
fn words(name: &str) -> impl Iterator<Item = String> {
    const IDLE: [&str; 9] =
        ["the", "version", "ver", "v", "license", "licence", "licenses", "licensed", "software"];
    let mut words = Vec::new();
    let mut rest = name;
    while let Some(first) = rest.chars().next() {
        let is_number = |c: char| c.is_ascii_digit() || c == '.';
        let end = match first {
            '+' => 1,
            c if c.is_ascii_digit() => rest.find(|c| !is_number(c)).unwrap_or(rest.len()),
            c if c.is_alphabetic() => rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len()),
            c => {
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
                continue;
            }
        };
        let (word, tail) = rest.split_at(end);
        let word = word.to_lowercase();
        let mut word = word.trim_end_matches('.').trim_end_matches(".0");
        // `GPLv3`
        if tail.starts_with(|c: char| c.is_ascii_digit()) && word.len() > 1 {
            word = word.strip_suffix('v').unwrap_or(word);
        }
        let word = word.to_owned();
        if !word.is_empty() && !IDLE.contains(&word.as_str()) {
            words.push(word);
        }
        rest = tail;
    }
    words.into_iter()
}
