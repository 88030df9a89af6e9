//! What is known to be bad, through the clients that people use: each gets what is left, and whoever pins what is refused
//! reads why.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tidegate_testkit::Style;

use crate::clients_any::{Client, clients, shows};
use crate::clients_support::{Site, hours_ago};

impl Client {
    /// A site on which `leaf-of-test` has versions 1.0.0 and 1.1.0 of old and 1.2.0 from an hour ago, and which knows these
    /// records and that this CVE is exploited.
    fn site(&self, records: &[Value]) -> Site {
        let site = Site::open(Style::Rich);
        site.upstream.publish((self.make)("leaf-of-test", "1.0.0"));
        site.upstream.publish((self.make)("leaf-of-test", "1.1.0"));
        site.upstream.publish((self.make)("leaf-of-test", "1.2.0").published(&hours_ago(1)));
        let exploited = json!({
            "title": "t", "catalogVersion": "2026.11.01", "dateReleased": "2026-11-01T00:00:00Z", "count": 1,
            "vulnerabilities": [{ "cveID": "CVE-2026-1000", "dateAdded": "2026-11-01", "dueDate": "2026-11-20" }],
        });
        load(&site, "kev", &exploited.to_string());
        let other = json!({
            "id": "OTHER-1", "modified": "2026-01-01T00:00:00Z",
            "affected": [{ "package": { "ecosystem": self.osv, "name": "other" }, "versions": ["1.0.0"] }],
        });
        let lines: Vec<String> = records.iter().chain([&other]).map(Value::to_string).collect();
        load(&site, "osv", &lines.join("\n"));
        site
    }

    /// An advisory about a span of versions of `leaf-of-test`.
    fn record(&self, id: &str, introduced: &str, fixed: Option<&str>) -> Value {
        let events: Vec<Value> = [json!({ "introduced": introduced })]
            .into_iter()
            .chain(fixed.map(|f| json!({ "fixed": f })))
            .collect();
        json!({
            "id": id, "modified": "2026-01-02T00:00:00Z", "summary": "reads any file",
            "affected": [{
                "package": { "ecosystem": self.osv, "name": "leaf-of-test" },
                "ranges": [{ "type": "ECOSYSTEM", "events": events }],
            }],
        })
    }

    /// A report that one version is malicious.
    fn malware(&self, id: &str, version: &str) -> Value {
        json!({
            "id": id, "modified": "2026-01-02T00:00:00Z", "summary": "takes credentials",
            "affected": [{
                "package": { "ecosystem": self.osv, "name": "leaf-of-test" }, "versions": [version],
            }],
        })
    }
}

fn load(site: &Site, kind: &str, text: &str) {
    let file: PathBuf = site.operator.path().join(format!("{kind}.json"));
    fs::write(&file, text).unwrap();
    let import = ["intel", "import", "--feed", kind, "--kind", kind];
    site.tidegate(&site.operator, &import).arg(&file).run().expect_success();
}

/// A vector that is critical, and one that is low.
const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
const LOW: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";

fn scored(mut record: Value, vector: &str) -> Value {
    record["severity"] = json!([{ "type": "CVSS_V3", "score": vector }]);
    record
}

#[test]
fn an_exploited_version_is_refused_and_the_one_before_is_taken() {
    for client in clients() {
        let mut record = scored(client.record("GHSA-kkkk-eeee-vvvv", "1.1.0", None), LOW);
        record["aliases"] = json!(["CVE-2026-1000"]);
        let site = client.site(&[record]);
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.0.0"), "{}: {}", client.tool.name(), done.output());
        let steered = format!("steered: pkg:{}/leaf-of-test@1.0.0 instead of 1.", client.ecosystem);
        shows(&done.expect_success().stderr, &[&steered, "exploited"]);
        shows(&client.pinned(&site, "1.1.0"), &["exploited", "CVE-2026-1000"]);
    }
}

#[test]
fn a_critical_flaw_that_is_mended_steers_to_the_mended_version() {
    for client in clients() {
        let mut record = scored(client.record("GHSA-cccc-rrrr-tttt", "0", Some("1.1.0")), CRITICAL);
        record["aliases"] = json!(["CVE-2026-2000"]);
        let site = client.site(&[record]);
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.1.0"), "{}: {}", client.tool.name(), done.output());
        shows(&client.pinned(&site, "1.0.0"), &["critical", "CVE-2026-2000", "1.1.0"]);
    }
}

#[test]
fn a_malicious_version_is_refused_and_comes_back_when_the_report_is_taken_back() {
    for client in clients() {
        let record = client.malware("MAL-2026-7", "1.1.0");
        let site = client.site(std::slice::from_ref(&record));
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.0.0"), "{}: {}", client.tool.name(), done.output());
        shows(&client.pinned(&site, "1.1.0"), &["malicious", "MAL-2026-7"]);

        let mut withdrawn = record;
        withdrawn["withdrawn"] = "2026-01-03T00:00:00Z".into();
        withdrawn["modified"] = "2026-01-03T00:00:00Z".into();
        load(&site, "osv", &withdrawn.to_string());
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.1.0"), "{}: {}", client.tool.name(), done.output());
    }
}

#[test]
fn only_a_proven_fix_leaves_the_cool_down_early() {
    for client in clients() {
        let record = |reviewed: bool, introduced: &str| {
            let mut record =
                scored(client.record("GHSA-ffff-iiii-xxxx", introduced, Some("1.2.0")), CRITICAL);
            record["database_specific"] = json!({ "github_reviewed": reviewed });
            record
        };
        // Everything old is touched, and nobody but its publisher says so: nothing is left to take.
        let site = client.site(&[record(false, "0")]);
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version, None, "{}: {}", client.tool.name(), done.output());
        done.expect_failure();
        // Others have looked at it: the fix is what a range gets.
        let site = client.site(&[record(true, "0")]);
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.2.0"), "{}: {}", client.tool.name(), done.output());
        // An older version is not touched: there is no hurry.
        let site = client.site(&[record(true, "1.1.0")]);
        let (done, version) = client.install(&site, client.any);
        assert_eq!(version.as_deref(), Some("1.0.0"), "{}: {}", client.tool.name(), done.output());
    }
}
