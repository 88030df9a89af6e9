//! Names that stay home: told to no upstream but their owner, answered by none but their owner.

use tidegate_model::Ecosystem;
use tidegate_testkit::{FakeUpstream, Fault, Package, Style};

use crate::support::{Setup, TestDoor, json, named, repository};

/// An organisation's own registry and a public one where somebody squats on the private names.
fn registries() -> (FakeUpstream, FakeUpstream) {
    let (own, public) = (FakeUpstream::start(), FakeUpstream::start());
    for version in ["1.0.0", "99.0.0"] {
        let registry = if version == "1.0.0" { &own } else { &public };
        registry.publish(Package::npm("@acme/tool", version));
        registry.publish(Package::pypi("acme-tool", version));
        registry.publish(Package::cargo("acme-tool", version));
    }
    public.publish(Package::npm("open", "1.0.0"));
    (own, public)
}

fn setup(own: &FakeUpstream, public: &FakeUpstream) -> Setup {
    Setup::new(public).with(|c| {
        c.upstream.connect_seconds = 2;
        for ecosystem in Ecosystem::ALL {
            let mut owner = named("own", own, ecosystem);
            owner.private = vec!["@acme/*".into(), "acme-*".into()];
            let both = repository(vec![named("public", public, ecosystem), owner]);
            c.repository.insert(ecosystem.as_str().into(), both);
        }
    })
}

/// Every way to name a private thing.
const ASKS: &[&str] = &[
    "/npm/@acme/tool",
    "/npm/@acme%2ftool",
    "/npm/@acme%2Ftool/latest",
    "/npm/@acme/tool/99.0.0",
    "/npm/-/package/@acme%2ftool/dist-tags",
    "/npm/@acme/tool/-/tool-1.0.0.tgz",
    "/npm/@acme/tool/-/tool-99.0.0.tgz",
    "/npm/@acme/missing",
    "/npm/-/npm/v1/attestations/@acme%2ftool@1.0.0",
    "/npm/-/v1/search?text=@acme/tool",
    "/npm/-/v1/search?text=scope%3Aacme",
    "/npm/-/v1/search?text=acme-tool",
    "/pypi/simple/acme-tool/",
    "/pypi/simple/Acme_Tool/",
    "/pypi/simple/acme.tool/",
    "/pypi/simple/acme-missing/",
    "/pypi/files/acme-tool/acme_tool-99.0.0-py3-none-any.whl",
    "/pypi/files/acme-tool/acme_tool-1.0.0-py3-none-any.whl.metadata",
    "/pypi/pypi/acme-tool/json",
    "/pypi/pypi/acme-tool/1.0.0/json",
    "/pypi/integrity/acme-tool/1.0.0/acme_tool-1.0.0-py3-none-any.whl/provenance",
    "/cargo/ac/me/acme-tool",
    "/cargo/ac/me/acme_tool",
    "/cargo/api/v1/crates/acme-tool/99.0.0/download",
    "/cargo/api/v1/crates/Acme-Tool/1.0.0/download",
    "/cargo/api/v1/crates/acme_tool/1.0.0/download",
    "/cargo/api/v1/crates?q=acme-tool",
    "/cargo/api/v1/crates?q=acme_tool",
    "/cargo/api/v1/crates?q=acme-&per_page=5",
];

fn ask_everything(door: &TestDoor) {
    for target in ASKS {
        let response =
            door.ask("GET", target, &["Referer: http://x.test/@acme/tool", "X-Package: acme-tool"]);
        assert!(
            !response.text().contains("99.0.0") || response.status >= 300,
            "{target}: {}",
            response.text()
        );
    }
    let bulk = br#"{"@acme/tool":["1.0.0"],"acme-tool":["1.0.0"],"open":["1.0.0"]}"#;
    door.send("POST", "/npm/-/npm/v1/security/advisories/bulk", &[], bulk);
    let tree = br#"{"name":"@acme/app","version":"1.0.0","requires":{"@acme/tool":"^1.0.0","open":"^1.0.0"},
        "dependencies":{"@acme/tool":{"version":"1.0.0","requires":{"@acme/deep":"1"}},"open":{"version":"1.0.0"}}}"#;
    for audit in ["audits", "audits/quick"] {
        let target = format!("/npm/-/npm/v1/security/{audit}");
        door.send("POST", &target, &["Content-Type: application/json"], tree);
    }
}

#[track_caller]
fn never_told(public: &FakeUpstream) {
    for secret in ["acme", "@acme/tool", "acme-tool", "acme_tool", "acme%2ftool"] {
        public.assert_never_asked(secret);
    }
}

#[test]
fn private_names_are_asked_of_their_owner_alone() {
    let (own, public) = registries();
    let door = setup(&own, &public).open();
    ask_everything(&door);
    never_told(&public);
    assert_eq!(json(&door.get("/npm/@acme/tool"))["dist-tags"]["latest"], "1.0.0");
    assert_eq!(door.get("/npm/@acme/tool/-/tool-1.0.0.tgz").status, 200);
    assert_eq!(door.get("/npm/open").status, 200, "what is public still is");
    assert!(public.count("/npm/open") > 0);
    assert!(public.count("advisories/bulk") > 0, "the audit of public packages still goes out");
}

#[test]
fn a_failing_owner_is_not_replaced() {
    for failure in [
        Fault::Status { code: 404, retry_after: None },
        Fault::Status { code: 500, retry_after: None },
        Fault::Drop,
    ] {
        let (own, public) = registries();
        let door = setup(&own, &public).open();
        own.fault("", failure);
        ask_everything(&door);
        never_told(&public);
    }
    let (own, public) = registries();
    let door = setup(&own, &public).open();
    own.stop();
    ask_everything(&door);
    never_told(&public);
    let down = door.get("/npm/@acme/tool");
    assert_eq!(down.status, 502, "{}", down.text());
}

#[test]
fn a_thin_owner_is_not_replaced_either() {
    let (_, public) = registries();
    let own = FakeUpstream::builder().style(Style::Thin).start();
    own.publish(Package::npm("@acme/tool", "1.0.0"));
    let door = setup(&own, &public).open();
    ask_everything(&door);
    never_told(&public);
}

#[test]
fn names_kept_home_by_the_repository_are_asked_of_nobody() {
    let public = registries().1;
    let door = Setup::new(&public)
        .with(|c| {
            for repository in c.repository.values_mut() {
                repository.private = vec!["@acme/*".into(), "acme-*".into()];
            }
        })
        .open();
    ask_everything(&door);
    never_told(&public);
    let kept = door.get("/npm/@acme/tool");
    assert_eq!(kept.status, 404);
    assert!(kept.text().contains("private name"), "{}", kept.text());
}

/// What an upstream said of a name is not believed once the name belongs to another.
#[test]
fn nothing_of_a_private_name_survives_a_switch_of_its_upstream() {
    let (own, public) = registries();
    let door = Setup::new(&public).open();
    for target in ["/npm/@acme/tool", "/pypi/simple/acme-tool/", "/cargo/ac/me/acme-tool"] {
        let squatted = door.get(target);
        assert_eq!(squatted.status, 200);
        assert!(squatted.text().contains("99.0.0"));
    }
    for target in ["/npm/@acme/tool/-/tool-99.0.0.tgz", "/cargo/api/v1/crates/acme-tool/99.0.0/download"] {
        assert_eq!(door.get(target).status, 200);
    }
    let data = door.close();
    public.forget_requests();
    let config = setup(&own, &public).config;
    let door = data.with(|c| *c = config).open();
    for target in ["/npm/@acme/tool", "/pypi/simple/acme-tool/", "/cargo/ac/me/acme-tool"] {
        let owned = door.get(target);
        assert_eq!(owned.status, 200, "{}", owned.text());
        assert!(!owned.text().contains("99.0.0"), "{}", owned.text());
    }
    for target in ["/npm/@acme/tool/-/tool-99.0.0.tgz", "/cargo/api/v1/crates/acme-tool/99.0.0/download"] {
        assert_eq!(door.get(target).status, 404, "{target}");
    }
    never_told(&public);
}
