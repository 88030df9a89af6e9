//! The pages of detectors, and that catalogue, fixtures and pages know the same detectors.
//!
//! `UPDATE_SNAPSHOTS=1 cargo test -p tidegate-inspect detector_pages` writes `docs/detectors/`. Pages of behaviour, archives and models are the
//! heads of the detectors' files; pages of secrets are made of the rule files, one page each, with an anchor for every rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidegate_inspect::catalogue::{self, Listed};
use tidegate_inspect::secrets::{Rule, Rules};
use tidegate_inspect::{
    Budgets, Request, TemporaryFiles, archive, behaviour, extensions, inspect, licences, mcp, models,
};

use crate::support::{gzip, tar};

const WRITTEN_BY: &str = "Written by `UPDATE_SNAPSHOTS=1 cargo test -p tidegate-inspect detector_pages`";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/detectors")
}

/// Compares pages of one folder with what they should be, or writes them; pages that nobody made are wrong.
fn check(folder: &Path, made: &BTreeMap<String, String>) {
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        std::fs::create_dir_all(folder).unwrap();
        for (name, text) in made {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    for (name, text) in made {
        let kept = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(kept == *text, "{name} is old: run the test with UPDATE_SNAPSHOTS=1");
    }
    let kept = pages_in(folder);
    assert_eq!(kept, made.keys().cloned().collect(), "pages of detectors that are gone");
}

fn pages_in(folder: &Path) -> BTreeSet<String> {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}

fn of_family(family: &str) -> Vec<Listed> {
    catalogue::all().into_iter().filter(|listed| listed.family() == family).collect()
}

fn name_of(listed: &Listed) -> &'static str {
    listed.id.split_once('/').unwrap().1
}

fn table(family: &[Listed]) -> String {
    let mut table = String::from("| detector | what it finds | at most |\n| --- | --- | --- |\n");
    for listed in family {
        let name = name_of(listed);
        let _ = writeln!(table, "| [`{}`]({name}.md) | {} | {} |", listed.id, listed.title, listed.severity);
    }
    table
}

#[test]
fn detector_pages_of_archives() {
    let family = of_family("archive");
    let mut made = BTreeMap::new();
    for listed in &family {
        let about = format!(
            "At most {}, for all ecosystems. Catalogue id: `{}`.",
            listed.severity,
            listed.catalogue.unwrap()
        );
        let head = catalogue::head(listed.id).unwrap();
        let text = format!("# `{}`\n\n*{}*\n\n{about}\n\n{head}\n", listed.id, listed.title);
        made.insert(format!("{}.md", name_of(listed)), text);
    }
    let index = format!(
        "# Detectors of archives\n\n{WRITTEN_BY} from the heads of the detectors' files.\n\nWhat the form of an archive tells. In the artifact's own container it weighs, because nobody builds that by hand; in \
         containers within it is told mildly.\n\n{}",
        table(&family)
    );
    made.insert("README.md".to_owned(), index);
    check(&folder().join("archive"), &made);
}

#[test]
fn detector_pages_of_models() {
    let family = of_family("model");
    let mut made = BTreeMap::new();
    for listed in &family {
        let head = catalogue::head(listed.id).unwrap();
        let text =
            format!("# `{}`\n\n*{}*\n\nAt most {}.\n\n{head}\n", listed.id, listed.title, listed.severity);
        made.insert(format!("{}.md", name_of(listed)), text);
    }
    let index = format!(
        "# Detectors of models\n\n{WRITTEN_BY} from the heads of the detectors' files.\n\nWhat happens when a program loads a model. Content decides what is read, never a name; nothing is \
         loaded.\n\n{}",
        table(&family)
    );
    made.insert("README.md".to_owned(), index);
    check(&folder().join("model"), &made);
}

#[test]
fn detector_pages_of_extensions_and_servers() {
    for (name, title, about) in [
        (
            "extension",
            "Detectors of extensions",
            "What an extension of an editor says of itself beside what its code can do. Its code is read by the detectors of behaviour as well: what `activate` does happens unasked.",
        ),
        (
            "mcp",
            "Detectors of servers, tools and rules",
            "What assistants obey and what clients start: texts of tools, rules, configurations, listings, and the code of servers. No server is started or asked.",
        ),
    ] {
        let family = of_family(name);
        let mut made = BTreeMap::new();
        for listed in &family {
            let head = catalogue::head(listed.id).unwrap();
            let text = format!(
                "# `{}`\n\n*{}*\n\nAt most {}.\n\n{head}\n",
                listed.id, listed.title, listed.severity
            );
            made.insert(format!("{}.md", name_of(listed)), text);
        }
        let index = format!(
            "# {title}\n\n{WRITTEN_BY} from the heads of the detectors' files.\n\n{about}\n\n{}",
            table(&family)
        );
        made.insert("README.md".to_owned(), index);
        check(&folder().join(name), &made);
    }
}

#[test]
fn detector_pages_of_licences() {
    let family = of_family("licence");
    let mut made = BTreeMap::new();
    for listed in &family {
        let help = catalogue::help(listed.id).unwrap();
        let text = format!(
            "# `{}`\n\n*{}*\n\nAlways {}: what it means is policy's.\n\n{}\n\n**What to do:** {}\n",
            listed.id, listed.title, listed.severity, help.why, help.remedy
        );
        made.insert(format!("{}.md", name_of(listed)), text);
    }
    let index = format!("# Detectors of licences\n\n{WRITTEN_BY}.\n\n{}", table(&family));
    made.insert("README.md".to_owned(), index);
    check(&folder().join("licence"), &made);
}

/// The rules of each rule file, by its name.
fn rule_files() -> BTreeMap<String, Vec<&'static Rule>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules/secrets");
    let mut files = BTreeMap::new();
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let text: toml::Table = std::fs::read_to_string(&path).unwrap().parse().unwrap();
        let ids: Vec<String> = text["rule"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| format!("secrets/{}", rule["id"].as_str().unwrap()))
            .collect();
        let rule = |id: &String| Rules::builtin().all().iter().find(|rule| rule.id == *id).unwrap();
        let rules = ids.iter().map(rule).collect();
        files.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), rules);
    }
    files
}

fn anchor(rule: &Rule) -> &str {
    rule.id.strip_prefix("secrets/").unwrap()
}

/// The page of one rule file: a table, then what each group of them opens and how it is revoked.
fn page_of_rules(file: &str, rules: &[&Rule]) -> String {
    let mut page = format!(
        "# Secrets: {}\n\n{WRITTEN_BY} from the rule file `{file}.toml`.\n\n| detector | what it finds | issuer | at most | how sure |\n| --- | --- | --- | --- | --- |\n",
        file.replace('-', " ")
    );
    for rule in rules {
        let _ = writeln!(
            page,
            "| <a id=\"{}\"></a>`{}` | {} | {} | {} | {} |",
            anchor(rule),
            rule.id,
            rule.title,
            rule.issuer,
            rule.severity,
            rule.confidence
        );
    }
    let mut groups: Vec<(&str, &str, Vec<&str>)> = Vec::new();
    for rule in rules {
        match groups.iter_mut().find(|(lets, revoke, _)| (*lets, *revoke) == (&rule.lets, &rule.revoke)) {
            Some((_, _, ids)) => ids.push(anchor(rule)),
            None => groups.push((&rule.lets, &rule.revoke, vec![anchor(rule)])),
        }
    }
    page.push_str("\n## What it opens, and what to do\n\n");
    for (lets, revoke, ids) in groups {
        let ids: Vec<String> = ids.iter().map(|id| format!("`{id}`")).collect();
        let _ = writeln!(page, "* {}: {lets} **What to do:** {revoke}", ids.join(", "));
    }
    let asked: Vec<String> = rules
        .iter()
        .filter(|rule| rule.liveness.is_some())
        .map(|rule| format!("`{}`", anchor(rule)))
        .collect();
    if !asked.is_empty() {
        let _ = write!(
            page,
            "\nThe rule says how its issuer is asked whether it is still good: {}.\n",
            asked.join(", ")
        );
    }
    page
}

#[test]
fn detector_pages_of_secrets() {
    let files = rule_files();
    let mut made = BTreeMap::new();
    let mut index = format!(
        "# Detectors of secrets\n\n{WRITTEN_BY} from the rule files.\n\nA value is told by its kind, its place and its length, and never kept or shown. A wrong checksum makes a finding low, it never deletes it; \
         examples, placeholders and template markers are left out.\n\n| rules | detectors |\n| --- | --- |\n"
    );
    for (file, rules) in &files {
        made.insert(format!("{file}.md"), page_of_rules(file, rules));
        let links: Vec<String> =
            rules.iter().map(|rule| format!("[`{0}`]({file}.md#{0})", anchor(rule))).collect();
        let _ = writeln!(index, "| [{}]({file}.md) | {} |", file.replace('-', " "), links.join(", "));
    }
    made.insert("README.md".to_owned(), index);
    check(&folder().join("secrets"), &made);
    let known: usize = files.values().map(Vec::len).sum();
    assert_eq!(known, Rules::builtin().all().len(), "rules outside the rule files");
}

#[test]
fn detector_pages_index() {
    let mut index = format!(
        "# Detectors\n\n{WRITTEN_BY}.\n\nEverything that is looked for inside packages; `tidegate detectors` lists the same. A finding names its detector, where it is, how bad it is if it is true, \
         and how sure that is.\n\n| family | detectors | what they see |\n| --- | --- | --- |\n"
    );
    for (family, what) in [
        (
            "behaviour",
            "what code does, when that runs, and what a release can do that the one before could not",
        ),
        ("secrets", "what opens other doors"),
        ("archive", "what the form of an archive tells, and what was not looked at"),
        ("model", "what happens when a program loads a model"),
        ("extension", "what an extension of an editor says of itself beside what its code can do"),
        ("mcp", "what assistants obey and clients start: tools, rules, configurations, servers"),
        ("licence", "what is declared, what is there, and where the two differ"),
    ] {
        let count = of_family(family).len();
        let _ = writeln!(index, "| [{family}]({family}/README.md) | {count} | {what} |");
    }
    index.push_str(
        "\nWhat they come to: a critical finding without doubt of code that runs unasked, or two critical ones of different detectors, are malicious; a grave finding that is at least likely, of behaviour or of the \
         artifact's own form, is suspicious, and so is a release that gained such an ability; all else never holds a package. A model that does harm when it is loaded is malicious, one that calls what is not on the safe list suspicious. A text that hides its orders from whoever reads it, or a configuration that starts what nobody looked at, is held as behaviour is. Secrets and licences are facts of their own, on which policy decides.\n",
    );
    check(&folder(), &BTreeMap::from([("README.md".to_owned(), index)]));
}

/// Every page and anchor, as the detector that it stands for.
fn documented() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for family in ["behaviour", "archive", "model", "extension", "mcp", "licence"] {
        for page in pages_in(&folder().join(family)) {
            let name = page.strip_suffix(".md").unwrap();
            if name != "README" {
                ids.insert(format!("{family}/{name}"));
            }
        }
    }
    for page in pages_in(&folder().join("secrets")) {
        let text = std::fs::read_to_string(folder().join("secrets").join(page)).unwrap();
        for part in text.split("<a id=\"").skip(1) {
            let id = format!("secrets/{}", part.split('"').next().unwrap());
            assert!(ids.insert(id.clone()), "{id} has two anchors");
        }
    }
    ids
}

/// What each detector is shown by, as `family/name`: folders of fixtures, examples of rules, cases.
fn with_fixtures_both_ways() -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/behaviour");
    for path in std::fs::read_dir(fixtures).unwrap().map(|entry| entry.unwrap().path()) {
        let cases: Vec<String> = std::fs::read_dir(&path)
            .unwrap()
            .map(|case| case.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        let has = |kind: &str| cases.iter().any(|case| case.starts_with(kind));
        if has("bad_") && has("clean_") {
            ids.insert(format!("behaviour/{}", path.file_name().unwrap().to_string_lossy()));
        }
    }
    for rule in Rules::builtin().all() {
        if !rule.examples.found.is_empty() && !rule.examples.clean.is_empty() {
            ids.insert(rule.id.clone());
        }
    }
    ids.extend(crate::archives::covered_both_ways().into_iter().map(str::to_owned));
    ids.extend(crate::model_files::covered_both_ways().into_iter().map(str::to_owned));
    ids.extend(crate::assistants::covered_both_ways().into_iter().map(str::to_owned));
    ids.extend(LICENCES.iter().map(|case| case.detector.to_owned()));
    ids
}

#[test]
fn catalogue_fixtures_and_pages_know_the_same_detectors() {
    let listed: BTreeSet<String> = catalogue::all().iter().map(|listed| listed.id.to_owned()).collect();
    let defined: BTreeSet<String> = behaviour::detectors::DETECTORS
        .iter()
        .map(|detector| detector.id)
        .chain(archive::DETECTORS.iter().map(|detector| detector.id))
        .chain(models::detectors::DETECTORS.iter().map(|detector| detector.id))
        .chain(extensions::detectors::DETECTORS.iter().map(|detector| detector.id))
        .chain(mcp::detectors::DETECTORS.iter().map(|detector| detector.id))
        .chain(licences::DETECTORS.iter().map(|detector| detector.id))
        .map(str::to_owned)
        .chain(Rules::builtin().all().iter().map(|rule| rule.id.clone()))
        .collect();
    let same = |what: &str, other: &BTreeSet<String>| {
        let missing: Vec<_> = listed.difference(other).collect();
        let extra: Vec<_> = other.difference(&listed).collect();
        assert!(missing.is_empty() && extra.is_empty(), "{what}: without {missing:?}, of nobody {extra:?}");
    };
    same("detectors", &defined);
    same("pages", &documented());
    same("fixtures both ways", &with_fixtures_both_ways());
}

/// A package that a detector of licences tells of, and one that it leaves alone: what the two say.
struct LicenceCase {
    detector: &'static str,
    bad: Stated,
    clean: Stated,
}

/// What the manifest says, and the licence of which the text is there.
type Stated = (Option<&'static str>, Option<&'static str>);

const LICENCES: &[LicenceCase] = &[
    LicenceCase {
        detector: "licence/conflict",
        bad: (Some("GPL-3.0-only"), Some("ISC")),
        clean: (Some("ISC"), Some("ISC")),
    },
    LicenceCase { detector: "licence/not-spdx", bad: (Some("Acme EULA"), None), clean: (Some("MIT"), None) },
    LicenceCase { detector: "licence/none-stated", bad: (None, None), clean: (None, Some("ISC")) },
];

#[test]
fn every_detector_of_licences_finds_what_it_is_for() {
    let told = |(declared, file): Stated| -> BTreeSet<String> {
        let texts = spdx::text::LICENSE_TEXTS;
        let text = |id: &str| texts.iter().find(|(known, _)| *known == id).unwrap().1;
        let mut manifest = serde_json::json!({ "name": "x", "version": "1.0.0" });
        if let Some(declared) = declared {
            manifest["license"] = declared.into();
        }
        let mut members = vec![tar::file("package/package.json", manifest.to_string().as_bytes())];
        members.extend(file.map(|id| tar::file("package/LICENSE", text(id).as_bytes())));
        let request = Request { name: "x-1.0.0.tgz".into(), ..Request::default() };
        let bytes = gzip(&tar::archive(&members));
        let inspection = inspect(&request, &bytes, &Budgets::default(), &TemporaryFiles::default());
        inspection.findings.into_iter().map(|finding| finding.detector).collect()
    };
    for case in LICENCES {
        assert!(told(case.bad).contains(case.detector), "{}: {:?}", case.detector, told(case.bad));
        assert!(!told(case.clean).contains(case.detector), "{}: {:?}", case.detector, told(case.clean));
    }
}
