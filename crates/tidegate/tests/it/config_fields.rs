//! Every field of the configuration changes what the door does. A new field does not compile here until it has a row.

use std::num::NonZeroUsize;
use std::time::Duration;

use tidegate::config::{
    Cache, Config, CustodySection, EventsSection, FileSink, InspectionSection, IntelSection, LedgerMode,
    LedgerSection, Log, McpSection, McpServer, Pkcs11Key, PolicySection, Provenance, Repository, Retention,
    Server, SigstoreInstance, Upstream, UpstreamSection, WebhookSink, WitnessAt,
};
use tidegate_ledger::Mode;
use tidegate_model::Ecosystem;
use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{FakeUpstream, Fault, Package};

use crate::support::{PATIENCE, Setup, days_ago, json, named, repository};

/// Takes every struct apart: where a field is added, this stops compiling, and the new field needs a name in the list
/// behind it, and a test.
#[expect(dead_code, reason = "compiled, never called")]
fn every_field_has_a_test((config, repository, upstream): (Config, Repository, Upstream)) {
    let Config {
        server,
        policy,
        cache,
        ledger,
        retention,
        upstream: upstreams,
        inspection,
        provenance,
        custody,
        intel,
        events,
        mcp,
        log,
        repository: _,
    } = config;
    // operations.rs: max_connections, max_head_bytes, max_body_bytes, idle_seconds, write_seconds, drain_seconds; here: the
    // rest.
    let Server {
        listen: _,
        public_url: _,
        require_token: _,
        tls_certificate: _,
        tls_key: _,
        max_connections: _,
        max_head_bytes: _,
        max_body_bytes: _,
        idle_seconds: _,
        write_seconds: _,
        drain_seconds: _,
    } = server;
    let PolicySection { pack: _, file: _ } = policy;
    let Cache {
        fresh_seconds: _,
        stale_while_revalidate_seconds: _,
        stale_if_error_seconds: _,
        absent_seconds: _,
        memory_mib: _,
        disk_gib: _,
    } = cache;
    // witnessing.rs: witnesses.
    let LedgerSection { mode: _, witnesses } = ledger;
    let Some(WitnessAt { url: _, key: _ }) = witnesses.into_iter().next() else { return };
    // forgetting.rs
    let Retention { access_days: _, names_days: _ } = retention;
    let UpstreamSection {
        connect_seconds: _,
        idle_seconds: _,
        min_bytes_per_second: _,
        max_artifact_bytes: _,
        hold_seconds: _,
        allow_private_addresses: _,
        // proxy.rs
        proxy: _,
        no_proxy: _,
    } = upstreams;
    // inspecting.rs: enabled, ahead; comparing.rs: compare; liveness.rs: issuers, ask_hours; here: the rest.
    let InspectionSection {
        enabled: _,
        workers: _,
        memory_mib: _,
        compare: _,
        ahead: _,
        issuers: _,
        ask_hours: _,
    } = inspection;
    // provenance.rs: enabled, instance; trust.rs: refresh, refresh_seconds.
    let Provenance { enabled: _, refresh: _, refresh_seconds: _, instance } = provenance;
    for SigstoreInstance { root: _, mirror: _, mirror_root: _ } in instance.into_values() {}
    // custody.rs: enabled, deployment, key, program, program_key, program_seconds; the crate of keys: pkcs11.
    let CustodySection {
        enabled: _,
        deployment: _,
        key: _,
        pkcs11,
        program: _,
        program_key: _,
        program_seconds: _,
    } = custody;
    if let Some(Pkcs11Key { module: _, token: _, label: _, pin_file: _, pin_env: _ }) = pkcs11 {}
    // bundles.rs: trusted_bundle_keys; advisories.rs: the rest.
    let IntelSection {
        sync: _,
        refresh_seconds: _,
        stale_hours: _,
        trusted_vex: _,
        trusted_bundle_keys: _,
        feed: _,
    } = intel;
    // events.rs, and the tests of sinks beside their code.
    let EventsSection { webhook, file } = events;
    for WebhookSink { url: _, secret_env: _, secret_file: _, types: _, begin: _ } in webhook.into_values() {}
    for FileSink { path: _, max_mib: _, keep: _, types: _, begin: _ } in file.into_values() {}
    // mcp_http.rs: url, purl, methods; here: token_env.
    let McpSection { methods: _, server } = mcp;
    for McpServer { url: _, token_env: _, purl: _ } in server.into_values() {}
    let Log { format: _, filter: _ } = log;
    // models.rs: hold_at_approved; images.rs: registries; mcp_registry.rs: listing; provenance_builds.rs: sigstore;
    // provenance_images.rs: cosign_keys; here: the rest.
    let Repository {
        ecosystem: _,
        private: _,
        hold_at_approved: _,
        registries: _,
        listing: _,
        sigstore: _,
        cosign_keys: _,
        upstream: _,
    } = repository;
    let Upstream { name: _, url: _, private: _, file_hosts: _, token_env: _, basic_env: _ } = upstream;
}

const INDEX: &str = "/npm/alpha";
const FILE: &str = "/npm/alpha/-/alpha-1.0.0.tgz";

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").padded(20_000));
    upstream.publish(Package::npm("alpha", "2.0.0").published(&days_ago(1)));
    upstream
}

fn npm(change: impl FnOnce(&mut Repository)) -> impl FnOnce(&mut Config) {
    |c| change(c.repository.get_mut("npm").unwrap())
}

#[test]
fn server_public_url_stands_in_links() {
    let upstream = upstream();
    let plain = Setup::new(&upstream).open().get(INDEX).text();
    assert!(plain.contains("\"http://door.test/npm/alpha/-/"));
    let setup =
        Setup::new(&upstream).with(|c| c.server.public_url = Some("https://in.example/x".parse().unwrap()));
    assert!(setup.open().get(INDEX).text().contains("\"https://in.example/x/npm/alpha/-/"));
}

#[test]
fn server_require_token_demands_one() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.server.require_token = true).open();
    let token = door.token("dev", &[]);
    let elsewhere = door.token("other", &["pypi"]);
    for target in [INDEX, FILE, "/npm/-/ping"] {
        let refused = door.get(target);
        assert_eq!(refused.status, 401, "{target}");
        assert!(refused.header("www-authenticate").is_some());
        assert_eq!(door.get(&format!("/t/{token}{target}")).status, 200, "{target}");
        assert_eq!(door.ask("GET", target, &[&format!("Authorization: Bearer {token}")]).status, 200);
        assert_eq!(door.get(&format!("/t/tg_wrong{target}")).status, 401);
        assert_eq!(door.get(&format!("/t/{elsewhere}{target}")).status, 403);
    }
    assert!(door.get(&format!("/t/{token}{INDEX}")).text().contains(&format!("/t/{token}/npm/alpha/-/")));
}

#[test]
fn policy_pack_and_file_decide() {
    let upstream = upstream();
    let latest = |setup: Setup| json(&setup.open().get(INDEX))["dist-tags"]["latest"].clone();
    assert_eq!(latest(Setup::new(&upstream)), "1.0.0");
    assert_eq!(latest(Setup::new(&upstream).with(|c| c.policy.pack = "observe".into())), "2.0.0");
    let rule = "[[rule]]\nid = \"no-alpha\"\naction = \"block\"\nunknown = \"allow\"\nmessage = \"no alpha\"\n\
        [rule.when]\n\"artifact.name\" = \"alpha\"\n";
    let door = Setup::new(&upstream).policy(rule).open();
    let refused = door.get(FILE);
    assert_eq!(refused.status, 403);
    assert!(refused.reason.contains("no-alpha"), "{}", refused.reason);
}

#[test]
fn cache_fresh_seconds_spares_the_upstream() {
    let asked = |fresh: u64| {
        let upstream = upstream();
        let setup = Setup::new(&upstream).with(|c| {
            c.cache.fresh_seconds = fresh;
            c.cache.stale_while_revalidate_seconds = 0;
        });
        let door = setup.open();
        door.get(INDEX);
        door.clock().advance(100);
        door.get(INDEX);
        upstream.count(INDEX)
    };
    assert_eq!((asked(200), asked(50)), (1, 2));
}

#[test]
fn cache_stale_while_revalidate_answers_before_asking() {
    let seen = |stale: u64| {
        let upstream = upstream();
        let door = Setup::new(&upstream).with(|c| c.cache.stale_while_revalidate_seconds = stale).open();
        door.get(INDEX);
        upstream.publish(Package::npm("alpha", "1.5.0"));
        upstream.fault(INDEX, Fault::Slow(Duration::from_millis(300)));
        door.clock().advance(100);
        let now = json(&door.get(INDEX))["versions"].get("1.5.0").is_some();
        door.until("the new version shows", || json(&door.get(INDEX))["versions"].get("1.5.0").is_some());
        now
    };
    assert_eq!((seen(600), seen(0)), (false, true));
}

#[test]
fn cache_stale_if_error_bounds_an_old_index() {
    let status = |seconds: u64| {
        let upstream = upstream();
        let door = Setup::new(&upstream).with(|c| c.cache.stale_if_error_seconds = seconds).open();
        door.get(INDEX);
        upstream.fault("", Fault::Status { code: 500, retry_after: None });
        door.clock().advance(2_000);
        door.get(INDEX).status
    };
    assert_eq!((status(3_000), status(1_000)), (200, 502));
}

#[test]
fn cache_absent_seconds_bounds_a_not_found() {
    let asked = |seconds: u64| {
        let upstream = upstream();
        let door = Setup::new(&upstream).with(|c| c.cache.absent_seconds = seconds).open();
        door.get("/npm/gone");
        door.clock().advance(10);
        door.get("/npm/gone");
        upstream.count("/npm/gone")
    };
    assert_eq!((asked(20), asked(5)), (1, 2));
}

#[test]
fn cache_memory_mib_bounds_what_is_kept_in_memory() {
    let kept = |mebibytes: u64| {
        let upstream = FakeUpstream::start();
        for n in 0..12 {
            for version in 0..150 {
                upstream.publish(Package::npm(&format!("many-{n}"), &format!("1.0.{version}")));
            }
        }
        let door = Setup::new(&upstream).with(|c| c.cache.memory_mib = mebibytes).open();
        for n in 0..12 {
            assert_eq!(door.get(&format!("/npm/many-{n}")).status, 200);
        }
        door.door.caches.views.len()
    };
    let (little, much) = (kept(1), kept(64));
    assert!(little < much && much == 12, "{little} {much}");
}

#[test]
fn cache_disk_gib_bounds_what_is_kept_on_disk() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(|c| c.cache.disk_gib = 0).open();
    let refused = door.get(FILE);
    assert_eq!(refused.status, 503, "{}", refused.text());
    assert_eq!(Setup::new(&upstream).open().get(FILE).status, 200);
}

#[test]
fn ledger_mode_is_the_recorders() {
    let upstream = upstream();
    let started = |mode: LedgerMode| {
        let door = Setup::new(&upstream).with(|c| c.ledger.mode = mode).open();
        door.door.recorder.mode()
    };
    assert_eq!((started(LedgerMode::Durable), started(LedgerMode::Batched)), (Mode::Durable, Mode::Batched));
}

#[test]
fn inspection_workers_and_memory_mib_bound_the_pool() {
    let upstream = upstream();
    let pool = |workers: usize, mebibytes: u64| {
        let change = |c: &mut Config| {
            c.inspection.workers = NonZeroUsize::new(workers);
            c.inspection.memory_mib = mebibytes;
        };
        let status = Setup::new(&upstream).with(change).open().door.inspection.status().unwrap();
        (status.workers, status.memory_mib)
    };
    assert_eq!((pool(1, 200), pool(3, 256)), ((1, 200), (3, 256)));
}

#[test]
fn upstream_idle_seconds_bound_a_wait() {
    let upstream = upstream();
    upstream.fault(INDEX, Fault::Slow(Duration::from_secs(3)));
    let status = |seconds: u64| {
        Setup::new(&upstream).with(|c| c.upstream.idle_seconds = seconds).open().get(INDEX).status
    };
    assert_eq!((status(1), status(30)), (504, 200));
}

/// A listener whose queue is full accepts no connection.
#[test]
fn upstream_connect_seconds_bound_a_connection() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = std::net::TcpStream::connect_timeout(&address, Duration::from_millis(300)) {
        held.push(stream);
        assert!(held.len() < 10_000);
    }
    let upstream = upstream();
    let setup = Setup::new(&upstream).with(|c| {
        c.upstream.connect_seconds = 1;
        c.upstream.idle_seconds = 600;
        c.repository.get_mut("npm").unwrap().upstream[0].url = format!("http://{address}/").parse().unwrap();
    });
    let refused = setup.open().get(INDEX);
    assert!(matches!(refused.status, 502 | 504), "{}", refused.text());
}

#[test]
fn upstream_min_bytes_per_second_gives_up_a_trickle() {
    let upstream = upstream();
    upstream.fault(".tgz", Fault::Trickle(8_000));
    let status = |rate: u64| {
        let setup = Setup::new(&upstream).with(|c| {
            c.upstream.idle_seconds = 1;
            c.upstream.min_bytes_per_second = rate;
        });
        setup.open().get(FILE).status
    };
    assert_eq!((status(100), status(1 << 20)), (200, 504));
}

#[test]
fn upstream_max_artifact_bytes_bounds_a_file() {
    let upstream = upstream();
    let ask =
        |bytes: u64| Setup::new(&upstream).with(|c| c.upstream.max_artifact_bytes = bytes).open().get(FILE);
    let refused = ask(10_000);
    assert_eq!(refused.status, 502);
    assert!(refused.text().contains("larger than 10000 bytes"), "{}", refused.text());
    assert_eq!(ask(100_000).status, 200);
}

#[test]
fn upstream_hold_seconds_bound_a_first_download() {
    let upstream = upstream();
    let ask = |seconds: u64| {
        upstream.fault_times(".tgz", Fault::Slow(Duration::from_secs(2)), 1);
        Setup::new(&upstream).with(|c| c.upstream.hold_seconds = Some(seconds)).open().get(FILE).status
    };
    assert_eq!((ask(60), ask(0)), (200, 503));
}

/// The upstream has a public name that leads to loopback here; its files stand at a literal private address.
#[test]
fn upstream_allow_private_addresses_lets_files_come_from_them() {
    use tidegate::upstream::{Client, ClientSettings, NamePatterns, Upstream as Live, UpstreamError};
    let files = upstream();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let ask = |allow_private: bool| {
        let settings = ClientSettings {
            proxies: tidegate::upstream::proxy::Proxies::new("none", &[]),
            connect: PATIENCE,
            idle: PATIENCE,
            min_bytes_per_second: 1,
            allow_private,
            via: "test".into(),
        };
        let base = tidegate_ecosystems::UpstreamBase { url: "http://registry.example/".parse().unwrap() };
        let hosts = ["127.0.0.1".to_owned()];
        let live = Live::new("r".into(), base, None, NamePatterns::default(), &hosts, String::new());
        let url = format!("{}alpha/-/alpha-1.0.0.tgz", files.npm_url()).parse().unwrap();
        runtime.block_on(async { Client::new(settings).unwrap().artifact(&live, &url).await.map(drop) })
    };
    assert!(matches!(ask(false), Err(UpstreamError::ForeignHost { .. })));
    assert!(ask(true).is_ok());
}

#[test]
fn repository_ecosystem_names_what_a_repository_speaks() {
    let upstream = upstream();
    let setup = Setup::new(&upstream).with(|c| {
        let mut mine = repository(vec![named("main", &upstream, Ecosystem::Npm)]);
        mine.ecosystem = Some(Ecosystem::Npm);
        c.repository.insert("frontend".into(), mine);
    });
    let door = setup.open();
    assert_eq!(door.get("/frontend/alpha").status, 200);
    assert_eq!(door.get("/backend/alpha").status, 404);
}

#[test]
fn repository_private_and_upstream_private_are_tested_with_private_names() {
    let upstream = upstream();
    let ask = |private: &str| {
        let kept = vec![private.to_owned()];
        Setup::new(&upstream).with(npm(|r| r.private = kept)).open().get(INDEX).status
    };
    assert_eq!((ask("other*"), ask("al*")), (200, 404));
}

#[test]
fn upstream_name_stands_in_messages() {
    let upstream = upstream();
    let door = Setup::new(&upstream).with(npm(|r| r.upstream[0].name = Some("mirror-7".into()))).open();
    assert!(door.get("/npm/gone").text().contains("mirror-7"));
    let door = Setup::new(&upstream).with(npm(|r| r.upstream[0].name = None)).open();
    assert!(door.get("/npm/gone").text().contains("127.0.0.1"));
}

#[test]
fn upstream_file_hosts_may_be_redirected_to() {
    let (upstream, files) = (upstream(), upstream());
    let target = files.url().replace("127.0.0.1", "localhost");
    upstream.fault(".tgz", Fault::Redirect(format!("{target}{FILE}")));
    let ask = |hosts: &[&str]| {
        let hosts = hosts.iter().map(|h| (*h).to_owned()).collect();
        let setup = Setup::new(&upstream).with(npm(|r| r.upstream[0].file_hosts = hosts));
        setup.with(|c| c.upstream.allow_private_addresses = true).open().get(FILE).status
    };
    assert_eq!((ask(&[]), ask(&["localhost"])), (502, 200));
}

/// The environment variables of this process cannot be changed safely, so those that every test has are used.
#[test]
fn upstream_token_env_and_basic_env_are_sent_to_the_upstream_alone() {
    let path = std::env::var("CARGO_PKG_NAME").unwrap();
    use base64::Engine as _;
    let basic = format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(&path));
    for (expected, token) in [(format!("Bearer {path}"), true), (basic, false)] {
        let upstream = FakeUpstream::builder().requires_authorization(&expected).start();
        upstream.publish(Package::npm("alpha", "1.0.0"));
        let variable = Some("CARGO_PKG_NAME".to_owned());
        let with = Setup::new(&upstream).with(npm(|r| match token {
            true => r.upstream[0].token_env = variable,
            false => r.upstream[0].basic_env = variable,
        }));
        let door = with.open();
        assert_eq!((door.get(INDEX).status, door.get(FILE).status), (200, 200), "{expected}");
        assert_eq!(Setup::new(&upstream).open().get(INDEX).status, 502, "{expected}");
    }
}

/// What only a process of its own shows: its address, its certificate, its log.
#[test]
fn listen_tls_and_log_are_what_a_process_does() {
    let home = Home::new();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
    let (chain, key) = (home.path().join("chain.pem"), home.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let text = format!(
        "[server]\nlisten = \"127.0.0.2:0\"\ntls_certificate = {chain:?}\ntls_key = {key:?}\n\
         [log]\nformat = \"json\"\nfilter = \"info\"\n"
    );
    let config = home.path().join("tidegate.toml");
    std::fs::write(&config, &text).unwrap();
    let start = || {
        Program::new(env!("CARGO_BIN_EXE_tidegate"), &home)
            .args(["up", "--config"])
            .arg(&config)
            .arg("--data")
            .arg(home.path().join("d"))
            .spawn()
    };
    let mut running = start();
    let line = running.wait_for_line("is open on", PATIENCE);
    assert!(line.contains("https://127.0.0.2:"), "{line}");
    assert!(serde_json::from_str::<serde_json::Value>(&line).is_ok(), "{line}");
    running.signal(15);
    assert!(running.wait(PATIENCE).is_some());
    std::fs::write(&config, text.replace("json", "text").replace("\"info\"", "\"warn\"")).unwrap();
    let mut running = start();
    let socket = home.path().join("d/tidegate.sock");
    let end = std::time::Instant::now() + PATIENCE;
    while std::os::unix::net::UnixStream::connect(&socket).is_err() {
        assert!(std::time::Instant::now() < end);
        std::thread::sleep(Duration::from_millis(20));
    }
    running.signal(15);
    assert!(running.wait(PATIENCE).is_some());
    let (out, err) = running.output_so_far();
    assert!(!format!("{out}{err}").contains("is open on"), "{err}");
}
