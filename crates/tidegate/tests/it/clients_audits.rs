//! Audits of ordinary clients show what the door knows, with links to the door.

use serde_json::json;
use tidegate_testkit::Package;
use tidegate_testkit::process::{Finished, Home, Program};
use tidegate_testkit::{Style, tools};

use crate::clients_support::{Site, npm_project, publish};

/// A site that knows a critical flaw in `leaf-of-test` 1.1.0 of both ecosystems, mended in a version to come.
fn site_that_knows(package: &str, ecosystem: &str) -> Site {
    let site = Site::open(Style::Rich);
    let record = json!({
        "id": "GHSA-aaaa-bbbb-cccc", "aliases": ["CVE-2026-1000"], "modified": "2026-01-01T00:00:00Z",
        "summary": "reads any file",
        "severity": [{ "type": "CVSS_V3", "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" }],
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": package },
            "ranges": [{ "type": "ECOSYSTEM", "events": [{ "introduced": "0" }, { "fixed": "7.0.0" }] }],
        }],
    });
    let file = site.operator.path().join("advisory.json");
    std::fs::write(&file, record.to_string()).unwrap();
    let import = ["intel", "import", "--feed", "osv", "--kind", "osv"];
    site.tidegate(&site.operator, &import).arg(&file).run().expect_success();
    site
}

fn shows_the_finding(done: &Finished, with_link: bool) {
    let told = format!("{}{}", done.stdout, done.stderr);
    assert!(told.contains("CVE-2026-1000"), "{told}");
    assert!(told.contains("reads any file"), "{told}");
    assert_eq!(told.contains("/advisories/CVE-2026-1000"), with_link, "{told}");
}

#[test]
fn npm_audit_shows_what_the_door_knows() {
    let Some(npm) = tools::npm() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let project = npm_project(&home, "project", "^1.0.0");
    site.run(&home, &npm).args(["install", "--no-fund"]).in_folder(&project).run().expect_success();
    drop(site);
    let site = site_that_knows("leaf-of-test", "npm");
    publish(&site.upstream, Package::npm, "^1.0.0");
    let done = site.run(&home, &npm).arg("audit").in_folder(&project).run().expect_failure();
    shows_the_finding(&done, true);
    assert!(done.stdout.contains("critical"), "{}", done.stdout);
}

#[test]
fn pnpm_audit_shows_what_the_door_knows() {
    let Some(pnpm) = tools::pnpm() else { return };
    let site = Site::open(Style::Rich);
    publish(&site.upstream, Package::npm, "^1.0.0");
    let home = Home::new();
    let project = npm_project(&home, "project", "^1.0.0");
    site.run(&home, &pnpm).arg("install").in_folder(&project).run().expect_success();
    drop(site);
    let site = site_that_knows("leaf-of-test", "npm");
    let done = site.run(&home, &pnpm).arg("audit").in_folder(&project).run().expect_failure();
    shows_the_finding(&done, true);
}

#[test]
fn pip_audit_shows_what_the_door_knows() {
    let Some(pip_audit) = tools::pip_audit() else { return };
    let site = site_that_knows("leaf-of-test", "PyPI");
    let home = Home::new();
    let requirements = home.path().join("requirements.txt");
    let audit = |version: &str| {
        std::fs::write(&requirements, format!("leaf-of-test=={version}\n")).unwrap();
        pip_audit
            .called_by(&home)
            .args(["--vulnerability-service", "osv", "--no-deps", "--disable-pip", "--desc", "on"])
            .args(["--progress-spinner", "off", "--osv-url"])
            .arg(format!("{}osv/v1/query", site.address()))
            .arg("-r")
            .arg(&requirements)
            .run()
    };
    let done = audit("1.1.0").expect_failure();
    let told = format!("{}{}", done.stdout, done.stderr);
    assert!(told.contains("GHSA-aaaa-bbbb-cccc") || told.contains("CVE-2026-1000"), "{told}");
    assert!(told.contains("7.0.0"), "the version that mends it: {told}");
    audit("7.0.0").expect_success();
}

/// What pip-audit itself reads out of PyPI's JSON documents; where it asks cannot be set, so that it is told here.
const PYPI_SERVICE: &str = "
import sys
from packaging.version import Version
from pip_audit._service.interface import ResolvedDependency, ServiceError
from pip_audit._service.pypi import PyPIService
door, name, version = sys.argv[1:]
service = PyPIService()
get = service.session.get
service.session.get = lambda url, timeout: get(door + 'pypi/' + url.split('/pypi/', 1)[1], timeout=timeout)
try:
    dependency, found = service.query(ResolvedDependency(name, Version(version)))
except ServiceError as error:
    sys.exit('ServiceError: %s' % error.__cause__)
for one in found:
    print(one.id, sorted(one.aliases), one.description, [str(v) for v in one.fix_versions])
print('skipped' if dependency.is_skipped() else 'audited')
";

#[test]
fn pip_audit_reads_vulnerabilities_of_the_json_api() {
    let Some(pip_audit) = tools::pip_audit() else { return };
    let python = pip_audit.path().with_file_name("python");
    let site = site_that_knows("leaf-of-test", "PyPI");
    publish(&site.upstream, Package::pypi, ">=1");
    let home = Home::new();
    let audit = |site: &Site, name: &str, version: &str| {
        Program::new(&python, &home)
            .args(["-c", PYPI_SERVICE, &format!("{}pypi/", site.address()), name, version])
            .run()
    };
    // The version that is asked for, which policy withholds, and not only the upstream's latest.
    for version in ["1.1.0", "1.0.0"] {
        let done = audit(&site, "leaf-of-test", version).expect_success();
        assert_eq!(
            done.stdout, "CVE-2026-1000 ['GHSA-aaaa-bbbb-cccc'] reads any file ['7.0.0']\naudited\n",
            "{}",
            done.stderr
        );
    }
    assert_eq!(audit(&site, "twig-of-test", "1.0.0").expect_success().stdout, "audited\n");
    let link = format!("{}pypi/pypi/leaf-of-test/1.1.0/json", site.address());
    let raw = Program::new(&python, &home)
        .args([
            "-c",
            "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1]).read().decode())",
            &link,
        ])
        .run()
        .expect_success();
    assert!(raw.stdout.contains(&format!("{}advisories/CVE-2026-1000", site.address())), "{}", raw.stdout);
    // Nothing is loaded, and the upstream knows nothing of vulnerabilities: an error, and no good news.
    let bare = Site::open(Style::Thin);
    publish(&bare.upstream, Package::pypi, ">=1");
    let done = audit(&bare, "leaf-of-test", "1.1.0");
    assert!(!done.stdout.contains("audited"), "{}", done.output());
}
