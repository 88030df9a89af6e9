//! Which feeds a door follows: those of its configuration, else the publishers' public ones.

use tidegate_ecosystems::UpstreamBase;
use tidegate_intel::FeedKind;
use tidegate_model::Ecosystem;
use url::Url;

use crate::config::{self, IntelSection};
use crate::upstream::{NamePatterns, Upstream};

/// Where the OSV project publishes every database that speaks its schema, a folder for each ecosystem.
const OSV: &str = "https://osv-vulnerabilities.storage.googleapis.com/";
/// CISA's catalogue of exploited vulnerabilities.
const KEV: &str = "https://www.cisa.gov/sites/default/files/feeds/known_exploited_vulnerabilities.json";
/// FIRST's exploit prediction scores of today.
const EPSS: &str = "https://epss.empiricalsecurity.com/epss_scores-current.csv.gz";
/// The Go vulnerability database, whole.
const GO: &str = "https://vuln.go.dev/vulndb.zip";
/// Databases that live in repositories; the newest state of each as an archive.
const GHSA: &str = "https://codeload.github.com/github/advisory-database/zip/refs/heads/main";
const RUSTSEC: &str = "https://codeload.github.com/rustsec/advisory-db/zip/refs/heads/osv";
const MALICIOUS: &str = "https://codeload.github.com/ossf/malicious-packages/zip/refs/heads/main";
const SSVC: &str = "https://codeload.github.com/cisagov/vulnrichment/zip/refs/heads/develop";

/// Where the publisher of a kind of feed has all of it. OSV has a folder for each ecosystem, and VEX statements come from
/// everybody: those have no one address.
pub fn published_at(kind: FeedKind) -> Option<Url> {
    let address = match kind {
        FeedKind::Ghsa => GHSA,
        FeedKind::Rustsec => RUSTSEC,
        // Its own repository holds YAML; OSV publishes the same records as JSON, beside others that are left out.
        FeedKind::Pypa => return Some(fixed(OSV).join("PyPI/all.zip").expect("a file's name")),
        FeedKind::Go => GO,
        FeedKind::Malicious => MALICIOUS,
        FeedKind::Kev => KEV,
        FeedKind::Epss => EPSS,
        FeedKind::Ssvc => SSVC,
        FeedKind::Osv | FeedKind::Openvex | FeedKind::Csaf => return None,
    };
    Some(fixed(address))
}

fn fixed(text: &str) -> Url {
    Url::parse(text).expect("the publishers' addresses are valid")
}

/// A feed and where it comes from.
#[derive(Debug)]
pub struct FeedSource {
    /// Its name, by which it is loaded and cited.
    pub name: String,
    /// What it is.
    pub kind: FeedKind,
    /// All of it.
    pub whole: Url,
    /// For OSV: the list of what changed since, beside which each record has a file of its own.
    pub changes: Option<Url>,
    /// The host that serves it, and how it is asked.
    pub host: Upstream,
}

/// The feeds that a configuration names; where it names none, the public ones for these ecosystems.
pub fn sources(section: &IntelSection, ecosystems: &[Ecosystem]) -> Vec<FeedSource> {
    match &section.feed {
        Some(feeds) => feeds.iter().map(configured).collect(),
        None => public(ecosystems),
    }
}

fn configured(feed: &config::Feed) -> FeedSource {
    let changes = feed.changes_url.clone();
    let whole = feed.url.clone().or_else(|| published_at(feed.kind)).expect("the configuration was checked");
    source(feed.name.clone(), feed.kind, whole, changes, &feed.file_hosts)
}

fn public(ecosystems: &[Ecosystem]) -> Vec<FeedSource> {
    let mut all: Vec<FeedSource> = ecosystems
        .iter()
        .filter_map(|ecosystem| {
            let folder = fixed(OSV).join(&format!("{}/", osv_folder(*ecosystem)?)).expect("a folder's name");
            let [whole, changes] =
                ["all.zip", "modified_id.csv"].map(|file| folder.join(file).expect("a file's name"));
            Some(source(format!("osv-{ecosystem}"), FeedKind::Osv, whole, Some(changes), &[]))
        })
        .collect();
    all.push(source("cisa-kev".into(), FeedKind::Kev, fixed(KEV), None, &[]));
    all.push(source("first-epss".into(), FeedKind::Epss, fixed(EPSS), None, &[]));
    all
}

/// The folder of an ecosystem at OSV. That of Rust packages is named after the domain of their registry, which cargo's
/// own index address ends with. There is none of models and images, nor of listings of
/// servers: advisories speak of their packages.
fn osv_folder(ecosystem: Ecosystem) -> Option<String> {
    Some(match ecosystem {
        Ecosystem::Huggingface | Ecosystem::Oci | Ecosystem::Mcp => return None,
        Ecosystem::Vscode => "VSCode".into(),
        Ecosystem::Npm => "npm".into(),
        Ecosystem::Pypi => "PyPI".into(),
        Ecosystem::Cargo => {
            let index = tame_index::CRATES_IO_HTTP_INDEX.trim_start_matches("sparse+");
            let host = Url::parse(index).ok().and_then(|url| url.host_str().map(str::to_owned));
            let host = host.expect("cargo's own index has a host");
            host.strip_prefix("index.").unwrap_or(&host).to_owned()
        }
    })
}

fn source(
    name: String,
    kind: FeedKind,
    whole: Url,
    changes: Option<Url>,
    file_hosts: &[String],
) -> FeedSource {
    let host = Upstream::new(
        name.clone(),
        UpstreamBase { url: whole.clone() },
        None,
        NamePatterns::default(),
        file_hosts,
        "feed".into(),
    );
    FeedSource { name, kind, whole, changes, host }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_door_without_configuration_follows_the_publishers() {
        let all = sources(&IntelSection::default(), &Ecosystem::ALL);
        let names: Vec<&str> = all.iter().map(|feed| feed.name.as_str()).collect();
        assert_eq!(names, ["osv-npm", "osv-pypi", "osv-cargo", "osv-vscode", "cisa-kev", "first-epss"]);
        assert!(all.iter().all(|feed| feed.whole.scheme() == "https" && feed.host.allows(&feed.whole)));
        let cargo = all[2].whole.path_segments().unwrap().next().unwrap().to_owned();
        assert!(cargo.starts_with("crates.") && !cargo.contains("index"), "{cargo}");
        let changes = all[0].changes.as_ref().unwrap();
        assert_eq!(changes.path(), "/npm/modified_id.csv");
    }

    #[test]
    fn a_feed_without_an_address_is_had_from_its_publisher() {
        for kind in FeedKind::ALL {
            let text = format!("name = \"x\"\nkind = \"{}\"", kind.as_str());
            let feed: config::Feed = toml::from_str(&text).unwrap();
            let Some(address) = published_at(kind) else {
                assert!(matches!(kind, FeedKind::Osv | FeedKind::Openvex | FeedKind::Csaf));
                continue;
            };
            assert_eq!(configured(&feed).whole, address);
            assert_eq!(address.scheme(), "https");
        }
    }
}
