//! Upstreams behind the proxy that a network demands.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use tidegate_testkit::process::{Home, Program};
use tidegate_testkit::{FakeUpstream, Package};

use crate::clients_support::TIDEGATE;
use crate::support::{PATIENCE, Setup};

const UPSTREAM: &str = "https://registry.test/npm/";

/// A proxy that leads every `CONNECT` to one address, and remembers what it was asked. It ends with the test's process.
struct Proxy {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    fn before(upstream: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let kept = Arc::clone(&kept);
                std::thread::spawn(move || lead(stream, upstream, &kept));
            }
        });
        Self { address, heads }
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Answers one `CONNECT` and passes bytes on in both directions until one side ends.
fn lead(mut client: TcpStream, upstream: SocketAddr, heads: &Mutex<Vec<String>>) {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.push(byte[0]);
    }
    heads.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let Ok(mut server) = TcpStream::connect(upstream) else { return };
    client.write_all(b"HTTP/1.1 200 here you are\r\n\r\n").unwrap();
    let (mut from, mut to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(std::net::Shutdown::Write);
    });
    let _ = std::io::copy(&mut server, &mut client);
    let _ = client.shutdown(std::net::Shutdown::Both);
}

/// A registry with a certificate for `registry.test`, in front of a plain one; returns its address and its certificate.
fn encrypted(plain: SocketAddr, runtime: &tokio::runtime::Runtime) -> (SocketAddr, String) {
    let made = rcgen::generate_simple_self_signed(vec!["registry.test".into()]).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let acceptor = tidegate::http::tls::acceptor(&chain, &key).unwrap();
    let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut secured) = acceptor.accept(stream).await else { return };
                let Ok(mut inner) = tokio::net::TcpStream::connect(plain).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut secured, &mut inner).await;
            });
        }
    });
    (address, made.cert.pem())
}

fn upstream() -> FakeUpstream {
    let upstream = FakeUpstream::start();
    upstream.publish(Package::npm("alpha", "1.0.0").published("2020-01-01T00:00:00Z"));
    upstream
}

fn address_of(upstream: &FakeUpstream) -> SocketAddr {
    upstream.npm_url().parse::<url::Url>().unwrap().socket_addrs(|| None).unwrap()[0]
}

#[test]
fn a_door_behind_the_proxy_of_its_environment_fetches_through_it() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let upstream = upstream();
    let (secured, certificate) = encrypted(address_of(&upstream), &runtime);
    let proxy = Proxy::before(secured);
    let home = Home::new();
    let roots = home.path().join("roots.pem");
    std::fs::write(&roots, certificate).unwrap();
    let data = home.folder("data");
    let open = |no_proxy: &str| {
        let mut door = Program::new(TIDEGATE, &home)
            .args(["up", "--listen", "127.0.0.1:0", "--data"])
            .arg(&data)
            .env("NO_COLOR", "1")
            .env("TIDEGATE_UPSTREAM_NPM", UPSTREAM)
            .env("HTTPS_PROXY", format!("http://user:secret@{}", proxy.address))
            .env("NO_PROXY", no_proxy)
            .env("SSL_CERT_FILE", &roots)
            .spawn();
        door.wait_for_line("tidegate is open on", PATIENCE);
        let address = std::fs::read_to_string(data.join("address")).unwrap();
        let address: SocketAddr =
            address.trim().trim_start_matches("http://").trim_end_matches('/').parse().unwrap();
        (door, address)
    };
    {
        let (mut door, address) = open("elsewhere.test");
        let got = tidegate_testkit::client::get(address, "/npm/alpha").unwrap();
        assert_eq!(got.status, 200, "{}", got.text());
        let heads = proxy.heads();
        assert!(
            !heads.is_empty() && heads.iter().all(|h| h.starts_with("CONNECT registry.test:443 ")),
            "{heads:?}"
        );
        // "user:secret"
        assert!(
            heads[0].to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpzzwnyzxq="),
            "{heads:?}"
        );
        assert!(got.text().contains("1.0.0") && !upstream.requests().is_empty());
        let (stdout, stderr) = door.output_so_far();
        assert!(!stdout.contains("secret") && !stderr.contains("secret"), "{stdout}{stderr}");
    }
    let asked = proxy.heads().len();
    let (_door, address) = open("registry.test");
    let refused = tidegate_testkit::client::get(address, "/npm/beta").unwrap();
    assert_eq!(refused.status, 502, "nothing else knows that name: {}", refused.text());
    assert_eq!(proxy.heads().len(), asked);
}

#[test]
fn the_configuration_names_a_proxy_and_what_is_asked_without_it() {
    let upstream = upstream();
    // It is asked, and leads to something that speaks no TLS: that is enough to see which way was taken.
    let proxy = Proxy::before(address_of(&upstream));
    let asked = |setting: &str, straight: &[&str]| {
        let before = proxy.heads().len();
        let door = Setup::new(&upstream)
            .with(|c| {
                c.repository.get_mut("npm").unwrap().upstream[0].url = UPSTREAM.parse().unwrap();
                c.upstream.proxy = setting.into();
                c.upstream.no_proxy = straight.iter().map(|s| (*s).to_owned()).collect();
            })
            .open();
        assert_eq!(door.get("/npm/alpha").status, 502);
        proxy.heads().len() > before
    };
    let address = format!("http://{}", proxy.address);
    assert!(asked(&address, &[]));
    assert!(!asked(&address, &["registry.test"]));
    assert!(!asked("none", &[]));
}
