//! Real advisories behind a door: an older state of the feeds, a newer one, and what was taken back. The decisions on what
//! is served follow at once, in every view and for bytes that lie in the store.

use std::path::Path;

use serde_json::Value;
use tidegate::intel::sync;
use tidegate_intel::import::{self, ReadOptions};
use tidegate_testkit::data::{self, shared_data};
use tidegate_testkit::{FakeUpstream, Package};

use crate::support::{Setup, TestDoor, days_ago, json};

/// The files that speak of packages which this door has, and of exploitation.
const FILES: [&str; 4] = [
    "malicious-packages.osv.jsonl.zst",
    "pypa.osv.jsonl.zst",
    "gemnasium.osv.jsonl.zst",
    "cisa-kev.jsonl.zst",
];
/// How many reports of malice of each ecosystem and delivery are tried.
const TRIED: usize = 6;

/// A version that a record names.
struct Named {
    ecosystem: &'static str,
    name: String,
    version: String,
    record: String,
}

impl Named {
    /// Where its file and its index are.
    fn paths(&self) -> [String; 2] {
        let Self { name, version, .. } = self;
        match self.ecosystem {
            "npm" => [format!("/npm/{name}/-/{name}-{version}.tgz"), format!("/npm/{name}")],
            _ => {
                let file = format!("{}-{version}-py3-none-any.whl", name.replace('-', "_"));
                [format!("/pypi/files/{name}/{file}"), format!("/pypi/simple/{name}/")]
            }
        }
    }
}

fn records(folder: &Path, file: &str) -> Vec<String> {
    data::read(&folder.join(file)).lines().map(str::to_owned).collect()
}

/// Reports of malice that list versions, under names and versions that need no escapes.
fn malicious(folder: &Path) -> Vec<Named> {
    let plain =
        |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.".contains(c));
    let mut found: Vec<Named> = Vec::new();
    for text in records(folder, FILES[0]) {
        let record: Value = serde_json::from_str(&text).unwrap();
        let affected = &record["affected"][0];
        let (Some(name), Some(version)) =
            (affected["package"]["name"].as_str(), affected["versions"][0].as_str())
        else {
            continue;
        };
        let ecosystem = match affected["package"]["ecosystem"].as_str() {
            Some("npm") => "npm",
            Some("PyPI") => "pypi",
            _ => continue,
        };
        let is_release =
            version.split('.').count() == 3 && version.split('.').all(|n| n.parse::<u32>().is_ok());
        let tried = found.iter().filter(|known| known.ecosystem == ecosystem).count();
        let single = record["affected"].as_array().unwrap().len() == 1 && record.get("withdrawn").is_none();
        if tried < TRIED && single && is_release && plain(name) && !name.contains('.') {
            let (name, version) = (name.to_owned(), version.to_owned());
            found.push(Named { ecosystem, name, version, record: text });
        }
    }
    found
}

fn load(door: &TestDoor, folder: &Path) {
    let paths: Vec<_> = FILES.iter().map(|file| folder.join(file)).collect();
    apply(door, import::read(&paths, &ReadOptions::default()).unwrap());
}

fn apply(door: &TestDoor, deliveries: Vec<import::Delivery>) {
    let applied = sync::put_in_force(&door.door, deliveries, Vec::new(), None).unwrap();
    for report in &applied.reports {
        assert!(!report.refused && report.rejected == 0, "{}: {:?}", report.feed, report.alarms);
        assert_eq!((report.changed.len(), report.older), (0, 0), "{}", report.feed);
    }
}

/// Whether a version is served and listed, which must be the same.
#[track_caller]
fn is_had(door: &TestDoor, what: &Named) -> bool {
    let [file, index] = what.paths();
    let status = door.get(&file).status;
    assert!(matches!(status, 200 | 403), "{file}: {status}");
    assert_eq!(door.ask("HEAD", &file, &[]).status, status, "{file}");
    let part = door.ask("GET", &file, &["Range: bytes=0-3"]).status;
    assert_eq!(part == 206, status == 200, "{file}: {part}");
    let listing = door.get(&index);
    let listed = match what.ecosystem {
        "npm" => json(&listing)["versions"].get(&what.version).is_some(),
        _ => {
            listing.text().contains(&format!("-{}-", what.version)) && !listing.text().contains("data-yanked")
        }
    };
    assert_eq!(listed, status == 200, "{index}: {}", listing.text());
    status == 200
}

#[test]
fn decisions_follow_the_update_of_real_feeds_and_what_is_taken_back() {
    let (Some(base), Some(update)) = (shared_data("advisories"), shared_data("advisories-update")) else {
        return;
    };
    let upstream = FakeUpstream::start();
    let publish = |package: Package| upstream.publish(package.published(&days_ago(200)));
    let (old, new) = (malicious(&base), malicious(&update));
    assert_eq!(old.len(), 2 * TRIED);
    assert_eq!(new.len(), 2 * TRIED);
    let exploited = Named {
        ecosystem: "npm",
        name: "mongo-express".into(),
        version: "0.53.0".into(),
        record: records(&update, FILES[2])
            .into_iter()
            .find(|r| r.contains("\"mongo-express\"") && r.contains("CVE-2019-10758"))
            .unwrap(),
    };
    for named in old.iter().chain(&new).chain([&exploited]) {
        publish(match named.ecosystem {
            "npm" => Package::npm(&named.name, &named.version),
            _ => Package::pypi(&named.name, &named.version),
        });
    }
    let door = Setup::new(&upstream).open();
    let changing: Vec<&Named> = new.iter().chain([&exploited]).collect();

    load(&door, &base);
    for named in &old {
        assert!(!is_had(&door, named), "{} is in the older delivery", named.name);
    }
    for named in &changing {
        assert!(is_had(&door, named), "{} is in the newer delivery", named.name);
    }

    load(&door, &update);
    for named in old.iter().chain(&new) {
        assert!(!is_had(&door, named), "{}", named.name);
    }
    // Somebody took it before anybody knew: it warns for a day.
    let warned = door.get(&exploited.paths()[0]);
    let said = warned.header("x-tidegate-warning").unwrap_or_default().to_owned();
    assert!(warned.status == 200 && said.contains("CVE-2019-10758"), "{} {said}", warned.status);
    door.clock().advance(86_400 + 60);
    assert!(!is_had(&door, &exploited));

    // Taken back, as publishers do it: the same records, with a later time.
    let lines: Vec<(usize, String)> = changing
        .iter()
        .map(|named| {
            let mut record: Value = serde_json::from_str(&named.record).unwrap();
            let at = days_ago(0);
            record["modified"] = at.as_str().into();
            record["withdrawn"] = at.as_str().into();
            (if named.record.contains("GLAD-") { 2 } else { 0 }, record.to_string())
        })
        .collect();
    for file in [0, 2] {
        let of_file: Vec<&str> = lines.iter().filter(|(f, _)| *f == file).map(|(_, line)| &**line).collect();
        let options = ReadOptions {
            feed: Some(FILES[file].split('.').next().unwrap().into()),
            ..ReadOptions::default()
        };
        let name = FILES[file].trim_end_matches(".zst");
        let deliveries = import::read_bytes(name, of_file.join("\n").into_bytes(), &options).unwrap();
        let applied = sync::put_in_force(&door.door, deliveries, Vec::new(), None).unwrap();
        let withdrawn: usize = applied.reports.iter().map(|report| report.withdrawn.len()).sum();
        assert_eq!(withdrawn, of_file.len(), "{:?}", applied.reports);
    }
    for named in &changing {
        assert!(is_had(&door, named), "{} was taken back", named.name);
    }
    for named in &old {
        assert!(!is_had(&door, named), "{} was not taken back", named.name);
    }
}
