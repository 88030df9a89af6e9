//! Models from a hub that breaks, lies or is gone.

use tidegate_testkit::{Fault, HubFile};

use crate::models::{AT, FIRST, Hub, SECOND, file, safetensors};
use crate::support::Setup;

#[test]
fn what_came_once_is_served_while_the_hub_is_gone() {
    let hub = Hub::start();
    let model = safetensors(1, 9_000);
    hub.commit(
        FIRST,
        vec![("config.json", HubFile::small("{}")), ("x.safetensors", HubFile::large(model.clone()))],
    );
    hub.hub.catalog().renamed("older", "org/m");
    let door = Setup::new(&hub.hub).open();
    let targets = [
        "/huggingface/api/models/org/m/revision/main".to_owned(),
        format!("/huggingface/api/models/org/m/tree/{FIRST}?recursive=true"),
        file("main", "config.json"),
        file("main", "x.safetensors"),
        file(FIRST, "x.safetensors"),
        "/huggingface/older/resolve/main/x.safetensors".into(),
    ];
    let before: Vec<Vec<u8>> = targets.iter().map(|target| door.get(target).body).collect();
    hub.stop();
    let door = door.restart();
    for (target, body) in targets.iter().zip(&before) {
        let response = door.get(target);
        assert_eq!(response.status, 200, "{target}: {}", response.text());
        assert_eq!(response.body, *body, "{target}");
    }
    door.clock().advance(86_400);
    let stale = door.get(&file("main", "x.safetensors"));
    assert_eq!((stale.status, stale.body == model), (200, true));
    assert!(stale.header("x-tidegate-degraded").is_some(), "that the hub did not answer is said");
    let absent = door.get(&file("main", "none.txt"));
    assert_eq!(absent.status, 404);
    assert_eq!(door.get("/huggingface/org/other/resolve/main/x").status, 502, "a failure is no absence");
}

#[test]
fn bytes_that_a_commit_does_not_promise_are_refused() {
    for (path, large) in [("notes.txt", false), ("x.safetensors", true)] {
        let hub = Hub::start();
        let bytes = safetensors(1, 9_000);
        let kept = if large { HubFile::large(bytes.clone()) } else { HubFile::small(bytes.clone()) };
        hub.commit(FIRST, vec![(path, kept)]);
        let other = Fault::OtherBytes(safetensors(2, 9_000).into());
        hub.hub.fault("/resolve-cache/", other.clone());
        hub.content.fault("/cdn/", other);
        let door = Setup::new(&hub.hub).open();
        let response = door.get(&file("main", path));
        assert_eq!((response.status, response.header("x-error-code")), (403, Some("GatedRepo")), "{path}");
        assert!(response.header("x-error-message").unwrap().contains("promises"), "{path}");
        assert_eq!(door.alarms(), ["integrity"], "{path}");
        hub.hub.clear_faults();
        hub.content.clear_faults();
        let response = door.get(&file("main", path));
        assert_eq!((response.status, response.body == bytes), (200, true), "{path}");
    }
}

#[test]
fn a_transfer_that_breaks_off_leaves_nothing() {
    let hub = Hub::start();
    let model = safetensors(1, 900_000);
    hub.commit(FIRST, vec![("x.safetensors", HubFile::large(model.clone()))]);
    let door = Setup::new(&hub.hub).open();
    for fault in [Fault::Truncate(1_000), Fault::ResetMidBody, Fault::Status { code: 500, retry_after: None }]
    {
        hub.content.fault("/cdn/", fault.clone());
        let response = door.get(&file("main", "x.safetensors"));
        assert_eq!(response.status, 502, "{fault:?}");
        hub.content.clear_faults();
    }
    let response = door.get(&file("main", "x.safetensors"));
    assert_eq!((response.status, response.body == model), (200, true));
}

#[test]
fn lists_that_lie_are_refused() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("a.txt", HubFile::small("a"))]);
    let door = Setup::new(&hub.hub).open();
    for (fault, what) in [
        (Fault::OtherBytes("[".into()), "half a list"),
        (
            Fault::OtherBytes(
                r#"[{"type":"file","path":"a","oid":"1"},{"type":"file","path":"a","oid":"2"}]"#.into(),
            ),
            "twice",
        ),
        (Fault::GzipBomb(1 << 30), "a bomb"),
        (Fault::DeepJson(100_000), "a deep one"),
        (Fault::Status { code: 404, retry_after: None }, "none"),
    ] {
        hub.hub.fault("/tree/", fault);
        let response = door.get(&file("main", "a.txt"));
        assert_eq!(response.status, 502, "{what}: {}", response.text());
        hub.hub.clear_faults();
    }
    let other = format!(r#"{{"id":"org/m","sha":"{SECOND}"}}"#);
    hub.hub.fault(&format!("/revision/{FIRST}"), Fault::OtherBytes(other.into()));
    assert_eq!(door.get(&file(FIRST, "a.txt")).status, 502, "another commit than the one that was asked for");
    hub.hub.clear_faults();
    assert_eq!(door.get(&file(FIRST, "a.txt")).status, 200);
}

#[test]
fn names_that_stay_home_are_never_asked_about() {
    let hub = Hub::start();
    hub.commit(FIRST, vec![("a.txt", HubFile::small("a"))]);
    hub.hub.catalog().commit("acme/secret", "main", (SECOND, AT), [("a.txt", HubFile::small("secret"))]);
    hub.hub.catalog().renamed("org/public", "acme/secret");
    let setup = Setup::new(&hub.hub)
        .with(|config| config.repository.get_mut("huggingface").unwrap().private = vec!["acme/*".into()]);
    let door = setup.open();
    for target in [
        "/huggingface/acme/secret/resolve/main/a.txt",
        "/huggingface/api/models/acme/secret",
        "/huggingface/api/models/acme/secret/refs",
        "/huggingface/ACME/secret/resolve/main/a.txt",
    ] {
        assert_eq!(door.get(target).status, 404, "{target}");
    }
    hub.hub.assert_never_asked("acme");
    // Another name for it upstream is no way around.
    assert_eq!(door.get("/huggingface/org/public/resolve/main/a.txt").status, 404);
    hub.hub.assert_never_asked("/resolve/");
}

#[test]
fn sixty_four_clients_fetch_a_model_once() {
    let hub = Hub::start();
    let model = safetensors(7, 16 << 20);
    hub.commit(FIRST, vec![("x.safetensors", HubFile::large(model.clone()))]);
    let door = Setup::new(&hub.hub).with(|config| config.upstream.hold_seconds = Some(120)).open();
    std::thread::scope(|scope| {
        for _ in 0..64 {
            scope.spawn(|| {
                let response = door.get(&file("main", "x.safetensors"));
                assert_eq!((response.status, response.body == model), (200, true), "{}", response.reason);
            });
        }
    });
    assert_eq!(hub.content.count("/cdn/"), 1);
}
