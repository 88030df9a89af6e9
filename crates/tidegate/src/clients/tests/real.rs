//! With the clients that this machine has, against a door made of a folder on loopback.
//!
//! A client that is not installed is left out with a line on standard error; npm, pip and cargo are on every machine that
//! builds tidegate's tests.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use sha2::{Digest as _, Sha256};

use super::*;

/// Request lines that a door got, each with its `Authorization`.
type Requests = Arc<Mutex<Vec<String>>>;

/// A door that knows one package per ecosystem. Ends with the test process.
struct Door {
    url: Url,
    requests: Requests,
}

/// The most requests that a test's door answers.
const MAX_REQUESTS: usize = 400;

fn open_door(auth: bool) -> Door {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let requests = Requests::default();
    let (base, seen) = (url.clone(), Arc::clone(&requests));
    std::thread::spawn(move || {
        for connection in listener.incoming().take(MAX_REQUESTS).flatten() {
            let (base, seen) = (base.clone(), Arc::clone(&seen));
            std::thread::spawn(move || answer(&connection, &base, &seen, auth));
        }
    });
    Door { url, requests }
}

fn answer(mut connection: &std::net::TcpStream, base: &Url, seen: &Requests, auth: bool) {
    let mut lines = BufReader::new(connection).lines().map_while(Result::ok);
    let head = lines.next().unwrap_or_default();
    let authorization = lines.take_while(|line| !line.is_empty()).find_map(|line| {
        line.to_ascii_lowercase().starts_with("authorization:").then(|| line[14..].trim().to_owned())
    });
    let known = authorization.is_some();
    seen.lock().unwrap().push(format!("{head} {}", authorization.unwrap_or_default()));
    let path = head.split(' ').nth(1).unwrap_or_default();
    let body = if auth && !known { None } else { document(path, base) };
    let (status, extra) = match (&body, auth && !known) {
        (_, true) if path.starts_with("/cargo") => {
            ("401 Unauthorized", "WWW-Authenticate: Cargo login_url=\"http://door.test\"\r\n")
        }
        (_, true) => ("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n"),
        (Some(_), _) => ("200 OK", ""),
        (None, _) => ("404 Not Found", ""),
    };
    let body = body.unwrap_or_default();
    let kind = if path.starts_with("/pypi/simple") { "text/html" } else { "application/json" };
    let head_only = head.starts_with("HEAD");
    let start = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{extra}Connection: close\r\n\r\n",
        body.len()
    );
    let _client_gone = connection.write_all(start.as_bytes());
    if !head_only {
        let _client_gone = connection.write_all(&body);
    }
}

fn document(path: &str, base: &Url) -> Option<Vec<u8>> {
    let text = match path {
        "/npm/demo" => format!(
            r#"{{"name":"demo","dist-tags":{{"latest":"1.0.0"}},"time":{{"1.0.0":"2020-01-01T00:00:00Z"}},"versions":{{"1.0.0":{{"name":"demo","version":"1.0.0","dist":{{"tarball":"{base}npm/demo/-/demo-1.0.0.tgz","integrity":"{}"}}}}}}}}"#,
            integrity(&tarball())
        ),
        "/npm/demo/-/demo-1.0.0.tgz" => return Some(tarball()),
        "/pypi/simple/demo/" => format!(
            "<a href=\"{base}pypi/files/demo-1.0-py3-none-any.whl#sha256={}\">demo-1.0-py3-none-any.whl</a>",
            hex::encode(Sha256::digest(wheel()))
        ),
        "/pypi/files/demo-1.0-py3-none-any.whl" => return Some(wheel()),
        "/cargo/config.json" => {
            format!(r#"{{"dl":"{base}cargo/dl","api":"{base}cargo","auth-required":true}}"#)
        }
        "/cargo/de/mo/demo" => format!(
            "{{\"name\":\"demo\",\"vers\":\"1.0.0\",\"deps\":[],\"cksum\":\"{}\",\"features\":{{}},\"yanked\":false}}\n",
            hex::encode(Sha256::digest(crate_file()))
        ),
        "/cargo/dl/demo/1.0.0/download" => return Some(crate_file()),
        _ => return None,
    };
    Some(text.into_bytes())
}

fn integrity(bytes: &[u8]) -> String {
    use base64::Engine as _;
    format!("sha512-{}", base64::engine::general_purpose::STANDARD.encode(sha2::Sha512::digest(bytes)))
}

fn tarball() -> Vec<u8> {
    tar_gz(&[("package/package.json", r#"{"name":"demo","version":"1.0.0"}"#)])
}

fn crate_file() -> Vec<u8> {
    tar_gz(&[
        ("demo-1.0.0/Cargo.toml", "[package]\nname=\"demo\"\nversion=\"1.0.0\"\nedition=\"2021\"\n"),
        ("demo-1.0.0/src/lib.rs", ""),
    ])
}

/// A ustar archive, gzipped.
fn tar_gz(files: &[(&str, &str)]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, text) in files {
        let mut head = [0u8; 512];
        head[..name.len()].copy_from_slice(name.as_bytes());
        head[100..108].copy_from_slice(b"0000644\0");
        head[108..116].copy_from_slice(b"0000000\0");
        head[116..124].copy_from_slice(b"0000000\0");
        head[124..136].copy_from_slice(format!("{:011o}\0", text.len()).as_bytes());
        head[136..148].copy_from_slice(b"00000000000\0");
        head[148..156].copy_from_slice(b"        ");
        head[156] = b'0';
        head[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = head.iter().map(|byte| u32::from(*byte)).sum();
        head[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&head);
        tar.extend_from_slice(text.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(&tar).unwrap();
    gz.finish().unwrap()
}

/// A wheel: a zip with stored members.
fn wheel() -> Vec<u8> {
    let files = [
        ("demo/__init__.py", ""),
        ("demo-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"),
        (
            "demo-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: x\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        ),
        (
            "demo-1.0.dist-info/RECORD",
            "demo/__init__.py,,\ndemo-1.0.dist-info/METADATA,,\ndemo-1.0.dist-info/WHEEL,,\ndemo-1.0.dist-info/RECORD,,\n",
        ),
    ];
    let (mut zip, mut directory) = (Vec::new(), Vec::new());
    for (name, text) in files {
        let mut crc = flate2::Crc::new();
        crc.update(text.as_bytes());
        let (size, at) = (u32::try_from(text.len()).unwrap(), u32::try_from(zip.len()).unwrap());
        let mut common = Vec::new();
        common.extend_from_slice(&[20, 0, 0, 0, 0, 0, 0, 0, 0x21, 0]);
        for number in [crc.sum(), size, size] {
            common.extend_from_slice(&number.to_le_bytes());
        }
        common.extend_from_slice(&u16::try_from(name.len()).unwrap().to_le_bytes());
        common.extend_from_slice(&[0, 0]);
        zip.extend_from_slice(b"PK\x03\x04");
        zip.extend_from_slice(&common);
        zip.extend_from_slice(name.as_bytes());
        zip.extend_from_slice(text.as_bytes());
        directory.extend_from_slice(b"PK\x01\x02\x14\0");
        directory.extend_from_slice(&common);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&at.to_le_bytes());
        directory.extend_from_slice(name.as_bytes());
    }
    let at = u32::try_from(zip.len()).unwrap();
    zip.extend_from_slice(&directory);
    zip.extend_from_slice(b"PK\x05\x06\0\0\0\0\x04\0\x04\0");
    zip.extend_from_slice(&u32::try_from(directory.len()).unwrap().to_le_bytes());
    zip.extend_from_slice(&at.to_le_bytes());
    zip.extend_from_slice(&[0, 0]);
    zip
}

/// An empty home with a project, and a way to run commands there.
struct Bench {
    home: tempfile::TempDir,
}

impl Bench {
    fn new(files: &[(&str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = home.path().join("project").join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Self { home }
    }

    fn project(&self) -> std::path::PathBuf {
        self.home.path().join("project")
    }

    /// Runs a command through the door with empty configuration and caches; what it printed, if it went well.
    fn run(&self, words: &str, door: &Door, token: Option<&Secret<String>>) -> Result<String, String> {
        let launch = launch(&command(words), &door.url, token, &around(self.home.path(), &[])).unwrap();
        let mut command = std::process::Command::new(&launch.program);
        command.args(&launch.args).current_dir(self.project()).env("HOME", self.home.path());
        for name in [
            "PIP_FIND_LINKS",
            "CARGO_TARGET_DIR",
            "PIP_CONFIG_FILE",
            "XDG_CONFIG_HOME",
            "npm_config_registry",
        ] {
            command.env_remove(name);
        }
        let folder = |name: &str| self.home.path().join(name);
        command.env("CARGO_HOME", folder("cargo")).env("npm_config_cache", folder("npm-cache"));
        command.env("PIP_CACHE_DIR", folder("pip-cache")).env("UV_CACHE_DIR", folder("uv-cache"));
        command.env("npm_config_update_notifier", "false").env("npm_config_audit", "false");
        if std::env::var_os("RUSTUP_HOME").is_none() {
            let real = std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".rustup"));
            command.envs(real.map(|path| ("RUSTUP_HOME", path)));
        }
        for name in &launch.remove {
            command.env_remove(name);
        }
        for (name, value) in &launch.set {
            command.env(name, value.expose());
        }
        let output = command.output().map_err(|error| error.to_string())?;
        let text =
            String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        if output.status.success() { Ok(text) } else { Err(text) }
    }
}

fn installed(program: &str) -> bool {
    let found = std::process::Command::new(program)
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success());
    if !found {
        eprintln!("left out: {program} is not installed");
    }
    found
}

fn asked(door: &Door, start: &str) -> Vec<String> {
    door.requests.lock().unwrap().iter().filter(|line| line.starts_with(start)).cloned().collect()
}

const PACKAGE: (&str, &str) =
    ("package.json", r#"{"name":"a","version":"1.0.0","dependencies":{"demo":"^1.0.0"}}"#);

#[test]
fn npm_locks_without_the_door_and_sends_its_token() {
    if !installed("npm") {
        return;
    }
    let door = open_door(true);
    let bench = Bench::new(&[PACKAGE]);
    bench.run("npm install", &door, Some(&token())).unwrap();
    let lock = std::fs::read_to_string(bench.project().join("package-lock.json")).unwrap();
    assert!(lock.contains("sha512-") && !lock.contains("127.0.0.1") && !lock.contains("resolved"), "{lock}");
    let asked = asked(&door, "GET /npm/demo");
    assert!(asked.len() >= 2 && asked.iter().all(|line| line.ends_with("Bearer tok/en")), "{asked:?}");
    // A shell drops variables whose names are no words; the token arrives through one as well.
    let count = asked.len();
    std::fs::remove_dir_all(bench.project().join("node_modules")).unwrap();
    std::fs::write(bench.project().join("install.sh"), "npm install --prefer-online demo\n").unwrap();
    bench.run("sh install.sh", &door, Some(&token())).unwrap();
    let again = asked_since(&door, count);
    assert!(!again.is_empty() && again.iter().all(|line| line.ends_with("Bearer tok/en")), "{again:?}");
}

fn asked_since(door: &Door, count: usize) -> Vec<String> {
    asked(door, "GET /npm/demo").split_off(count)
}

#[test]
fn npm_installs_a_lock_of_any_root_registry_through_the_door() {
    if !installed("npm") {
        return;
    }
    for host in ["https://registry.example", "http://127.0.0.1:9"] {
        let door = open_door(false);
        let lock = format!(
            r#"{{"name":"a","version":"1.0.0","lockfileVersion":3,"requires":true,"packages":{{"":{{"name":"a","version":"1.0.0","dependencies":{{"demo":"^1.0.0"}}}},"node_modules/demo":{{"version":"1.0.0","resolved":"{host}/demo/-/demo-1.0.0.tgz","integrity":"{}"}}}}}}"#,
            integrity(&tarball())
        );
        let bench = Bench::new(&[PACKAGE, ("package-lock.json", &lock)]);
        bench.run("npm ci", &door, None).unwrap();
        assert_eq!(asked(&door, "GET /npm/demo/-/demo-1.0.0.tgz").len(), 1);
        assert_eq!(std::fs::read_to_string(bench.project().join("package-lock.json")).unwrap(), lock);
    }
}

#[test]
fn pip_asks_the_door_alone() {
    if !installed("pip") {
        return;
    }
    let door = open_door(true);
    let bench = Bench::new(&[("x", "")]);
    let config = bench.home.path().join(".config/pip");
    std::fs::create_dir_all(&config).unwrap();
    std::fs::write(config.join("pip.conf"), "[global]\nextra-index-url = http://127.0.0.1:9/simple\n")
        .unwrap();
    let text = bench.run("pip install --target out --retries 0 demo", &door, Some(&token())).unwrap();
    assert!(bench.project().join("out/demo/__init__.py").exists());
    assert!(
        !text.contains("127.0.0.1:9") && !text.contains("tok/en") && !text.contains("tok%2Fen"),
        "{text}"
    );
    assert!(asked(&door, "GET /pypi/files/").iter().all(|line| line.ends_with("Basic dGlkZWdhdGU6dG9rL2Vu")));
}

#[test]
fn uv_keeps_the_token_out_of_its_lock() {
    if !installed("uv") {
        return;
    }
    let door = open_door(true);
    let project = "[project]\nname='a'\nversion='0.1.0'\nrequires-python='>=3.8'\ndependencies=['demo']\n";
    let bench = Bench::new(&[("pyproject.toml", project)]);
    bench.run("uv lock", &door, Some(&token())).unwrap();
    let lock = std::fs::read_to_string(bench.project().join("uv.lock")).unwrap();
    assert!(lock.contains("/pypi/simple\"") && !lock.contains("tok"), "{lock}");
    let locks = find_locks(Client::Uv, &command("lock"), &bench.project());
    assert_eq!(locks.len(), 1, "the file that has to be led back is found");
}

#[test]
fn cargo_locks_the_canonical_registry_and_sends_its_token() {
    if !installed("cargo") {
        return;
    }
    let door = open_door(true);
    let files = [
        ("Cargo.toml", "[package]\nname='a'\nversion='0.1.0'\nedition='2021'\n[dependencies]\ndemo='1'\n"),
        ("src/lib.rs", ""),
        // A project that leads elsewhere, under our own name too, does not win.
        (
            ".cargo/config.toml",
            "[source.crates-io]\nreplace-with='other'\n[source.other]\nregistry='sparse+http://127.0.0.1:9/'\n[source.tidegate]\nregistry='sparse+http://127.0.0.1:9/'\n[registries.tidegate]\nindex='sparse+http://127.0.0.1:9/'\n",
        ),
    ];
    let bench = Bench::new(&files);
    bench.run("cargo fetch", &door, Some(&token())).unwrap();
    let lock = std::fs::read_to_string(bench.project().join("Cargo.lock")).unwrap();
    assert!(lock.contains("source = \"registry+https://") && !lock.contains("127.0.0.1"), "{lock}");
    let asked = asked(&door, "GET /cargo/dl/demo/1.0.0/download");
    assert!(asked.len() == 1 && asked[0].ends_with("Bearer tok/en"), "{asked:?}");
}
