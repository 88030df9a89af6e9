"""Crates, good."""
from .core import sample

good = lambda family: sample("cargo", "good", family)  # noqa: E731
PM = "\n[lib]\nproc-macro = true\n"


@good("build-rs-cc")
def _(c):
    return dict(name=c.name("zlib", "sys"), desc="Bindings to a C library", toml='links = "z"\n\n[build-dependencies]\ncc = "1"\npkg-config = "0.3"\n', files={"src/z.c": "int tg_z(void) { return 1; }\n", "build.rs": r'''
use std::env;
use std::process::Command;

fn main() {
    println!("cargo:rerun-if-env-changed=Z_SYS_STATIC");
    let statically = env::var("Z_SYS_STATIC").is_ok();
    if !statically && pkg_config::Config::new().atleast_version("1.2").probe("zlib").is_ok() {
        return;
    }
    let target = env::var("TARGET").unwrap();
    let out = Command::new(env::var("RUSTC").unwrap()).arg("--version").output().unwrap();
    println!("cargo:rustc-env=RUSTC_VERSION={}", String::from_utf8_lossy(&out.stdout).trim());
    let mut build = cc::Build::new();
    build.file("src/z.c").opt_level(3);
    if target.contains("musl") {
        build.flag("-fPIC");
    }
    build.compile("z");
}
'''})


@good("build-rs-protoc-download")
def _(c):
    return dict(name=c.name("proto", "vendored"), desc="Protocol compiler for build scripts", toml='\n[build-dependencies]\nureq = "2"\nsha2 = "0.10"\nhex = "0.4"\nzip = "2"\n', files={"build.rs": r'''
use sha2::{Digest, Sha256};
use std::io::Read;
use std::{env, fs, path::PathBuf, process::Command};

const VERSION: &str = "27.1";
const SUMS: &[(&str, &str)] = &[
    ("linux-x86_64", "@HEX64@"),
    ("osx-aarch_64", "@SUM2@"),
];

fn platform() -> &'static str {
    if cfg!(target_os = "macos") { "osx-aarch_64" } else { "linux-x86_64" }
}

fn main() {
    println!("cargo:rerun-if-env-changed=PROTOC");
    if env::var_os("PROTOC").is_some() {
        return;
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap());
    let exe = out.join("bin/protoc");
    if !exe.exists() {
        let url = format!("https://github.com/protocolbuffers/protobuf/releases/download/v{VERSION}/protoc-{VERSION}-{}.zip", platform());
        let mut body = Vec::new();
        ureq::get(&url).call().expect("download").into_reader().read_to_end(&mut body).unwrap();
        let want = SUMS.iter().find(|(p, _)| *p == platform()).unwrap().1;
        assert_eq!(hex::encode(Sha256::digest(&body)), want, "digest of {url}");
        zip::ZipArchive::new(std::io::Cursor::new(body)).unwrap().extract(&out).unwrap();
    }
    let ok = Command::new(&exe).args(["--rust_out", out.to_str().unwrap(), "proto/echo.proto"]).status().unwrap().success();
    assert!(ok);
    fs::metadata(out.join("echo.rs")).unwrap();
}
'''.replace("@SUM2@", c.hexs(64)), "proto/echo.proto": 'syntax = "proto3";\nmessage Echo { string text = 1; }\n'})


@good("build-rs-git-version")
def _(c):
    return dict(name=c.name("build", "stamp"), desc="Build information", files={"build.rs": r'''
use std::process::Command;

fn run(cmd: &str, args: &[&str]) -> Option<String> {
    let out = Command::new(cmd).args(args).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    let commit = run("git", &["rev-parse", "--short", "HEAD"]).unwrap_or_else(|| "unknown".into());
    let dirty = run("git", &["status", "--porcelain"]).map_or(false, |s| !s.is_empty());
    let host = run("hostname", &[]).unwrap_or_default();
    println!("cargo:rustc-env=STAMP_COMMIT={commit}{}", if dirty { "+" } else { "" });
    println!("cargo:rustc-env=STAMP_HOST={host}");
    for key in ["CI", "GITHUB_RUN_ID", "SOURCE_DATE_EPOCH"] {
        println!("cargo:rustc-env=STAMP_{key}={}", std::env::var(key).unwrap_or_default());
    }
}
'''})


@good("build-rs-env-features")
def _(c):
    return dict(name=c.name("cfg", "probe"), desc="Compiler probes", files={"build.rs": r'''
use std::env;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

fn compiles(out: &Path, source: &str) -> bool {
    let file = out.join("probe.rs");
    fs::write(&file, source).unwrap();
    Command::new(env::var_os("RUSTC").unwrap())
        .args(["--edition=2021", "--crate-type=lib", "--emit=metadata", "--out-dir"])
        .arg(out)
        .arg(&file)
        .stderr(Stdio::null())
        .status()
        .map(|s| s.success())
        .unwrap_or(false)
}

fn main() {
    let out = env::var_os("OUT_DIR").map(std::path::PathBuf::from).unwrap();
    let mut table = String::from("pub const FEATURES: &[&str] = &[");
    for (name, _) in env::vars().filter(|(k, _)| k.starts_with("CARGO_FEATURE_")) {
        table.push_str(&format!("{:?}, ", name["CARGO_FEATURE_".len()..].to_lowercase()));
    }
    table.push_str("];\n");
    fs::write(out.join("features.rs"), table).unwrap();
    if compiles(&out, "pub fn f() -> impl Fn() { || () }") {
        println!("cargo:rustc-cfg=has_closures");
    }
}
'''})


@good("proc-macro-include-sql")
def _(c):
    return dict(name=c.name("sql", "files"), desc="Include SQL files at compile time", toml=PM, files={"src/lib.rs": r'''
//! Include SQL files at compile time.
extern crate proc_macro;

use proc_macro::{Literal, TokenStream, TokenTree};
use std::path::PathBuf;

fn path_of(input: TokenStream) -> PathBuf {
    let text = input.to_string();
    PathBuf::from(std::env::var("CARGO_MANIFEST_DIR").unwrap()).join(text.trim_matches('"'))
}

/// Expands to the text of the file, checked for balanced quotes.
#[proc_macro]
pub fn sql(input: TokenStream) -> TokenStream {
    let path = path_of(input);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    if text.matches('\'').count() % 2 != 0 {
        panic!("{}: unbalanced quote", path.display());
    }
    TokenTree::Literal(Literal::string(&text)).into()
}

/// Expands to the names of the migrations in a folder.
#[proc_macro]
pub fn migrations(input: TokenStream) -> TokenStream {
    let mut names: Vec<_> = std::fs::read_dir(path_of(input)).unwrap().flatten().map(|e| e.file_name().into_string().unwrap()).collect();
    names.sort();
    format!("&{names:?}").parse().unwrap()
}
'''}, bare=True)


@good("proc-macro-database-check")
def _(c):
    return dict(name=c.name("query", "check"), desc="Queries checked against the database of the developer", toml=PM, files={"src/lib.rs": r'''
//! Queries checked against the database named by DATABASE_URL, or against saved answers.
extern crate proc_macro;

use proc_macro::TokenStream;
use std::env;
use std::fs;
use std::path::Path;

fn saved(query: &str) -> Option<String> {
    let dir = env::var("QUERY_OFFLINE_DIR").unwrap_or_else(|_| ".query".into());
    let hash: u64 = query.bytes().fold(5381, |h, b| h.wrapping_mul(33) ^ b as u64);
    fs::read_to_string(Path::new(&dir).join(format!("query-{hash:016x}.json"))).ok()
}

#[proc_macro]
pub fn checked(input: TokenStream) -> TokenStream {
    let query = input.to_string();
    if saved(&query).is_none() && env::var("DATABASE_URL").is_err() {
        return r#"compile_error!("set DATABASE_URL or prepare the queries")"#.parse().unwrap();
    }
    query.parse().unwrap()
}
'''}, bare=True)


@good("cli-runs-commands")
def _(c):
    return dict(name=c.name("task", "run"), desc="A task runner", files={"src/main.rs": r'''
use std::env;
use std::process::{exit, Command};

fn main() {
    let file = env::var("TASKFILE").unwrap_or_else(|_| "tasks.txt".into());
    let text = std::fs::read_to_string(&file).unwrap_or_else(|e| {
        eprintln!("{file}: {e}");
        exit(2)
    });
    let wanted = env::args().nth(1).unwrap_or_else(|| "default".into());
    for line in text.lines() {
        if let Some((name, command)) = line.split_once(':') {
            if name.trim() == wanted {
                let status = Command::new("sh").arg("-c").arg(command.trim()).envs(env::vars()).status().expect("sh");
                exit(status.code().unwrap_or(1));
            }
        }
    }
    eprintln!("no task {wanted}");
    exit(1);
}
'''})


@good("http-client-env-token")
def _(c):
    return dict(name=c.name("forge", "api"), desc="Client of a code forge", toml='\n[dependencies]\nureq = { version = "2", features = ["json"] }\nserde_json = "1"\n', files={"src/lib.rs": r'''
//! Client of a code forge.

#MODS#
pub struct Client {
    token: String,
    base: String,
}

impl Client {
    /// Takes the token from GITHUB_TOKEN, or from the file of the official tool.
    pub fn from_env() -> Option<Self> {
        let token = std::env::var("GITHUB_TOKEN").ok().or_else(|| {
            let home = std::env::var("HOME").ok()?;
            let text = std::fs::read_to_string(format!("{home}/.config/gh/hosts.yml")).ok()?;
            text.lines().find_map(|l| l.trim().strip_prefix("oauth_token: ").map(str::to_owned))
        })?;
        Some(Client { token, base: "https://api.github.com".into() })
    }

    pub fn user(&self) -> Result<serde_json::Value, ureq::Error> {
        let r = ureq::get(&format!("{}/user", self.base)).set("Authorization", &format!("Bearer {}", self.token)).call()?;
        Ok(r.into_json()?)
    }
}
'''})


@good("ctor-logger-init")
def _(c):
    return dict(name=c.name("test", "log"), desc="Start the logger before tests", toml='\n[dependencies]\nctor = "0.2"\nenv_logger = "0.11"\n', files={"src/lib.rs": r'''
//! Start the logger before tests.

#MODS#
#[ctor::ctor]
fn init() {
    if std::env::var_os("RUST_LOG").is_some() {
        let _ = env_logger::builder().is_test(true).try_init();
    }
}

#[ctor::dtor]
fn done() {
    eprintln!("tests ended");
}
'''})


@good("tcp-shell-server-example")
def _(c):
    return dict(name=c.name("pty", "io"), desc="Pseudo terminals", files={"src/lib.rs": r'''
//! Pseudo terminals.

#MODS#
use std::io;
use std::os::unix::io::{FromRawFd, OwnedFd, RawFd};
use std::process::{Child, Command, Stdio};

/// Starts a program on the slave side of a terminal.
pub fn spawn(program: &str, slave: RawFd) -> io::Result<Child> {
    let dup = |fd: RawFd| -> io::Result<Stdio> {
        let new = unsafe { libc::dup(fd) };
        if new < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(Stdio::from(unsafe { OwnedFd::from_raw_fd(new) }))
    };
    Command::new(program).stdin(dup(slave)?).stdout(dup(slave)?).stderr(dup(slave)?).spawn()
}

pub fn shell() -> String {
    std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into())
}
''', "examples/echo.rs": "use std::net::TcpListener;\n\nfn main() -> std::io::Result<()> {\n    let l = TcpListener::bind(\"127.0.0.1:7000\")?;\n    for s in l.incoming() {\n        let mut s = s?;\n        std::io::copy(&mut s.try_clone()?, &mut s)?;\n    }\n    Ok(())\n}\n"})


@good("key-scanner-tool")
def _(c):
    return dict(name=c.name("leak", "grep"), desc="Find keys in a working copy", toml='\n[dependencies]\nregex = "1"\nwalkdir = "2"\n', files={"src/main.rs": r'''
use regex::Regex;
use std::path::PathBuf;

fn main() {
    let root = std::env::args().nth(1).map(PathBuf::from).unwrap_or_else(|| ".".into());
    let rules = [
        ("hex key", Regex::new(r#""0x[0-9a-fA-F]{64}""#).unwrap()),
        ("pem", Regex::new("-----BEGIN [A-Z ]*PRIVATE KEY-----").unwrap()),
        ("aws", Regex::new(r"\bAKIA[0-9A-Z]{16}\b").unwrap()),
    ];
    let mut count = 0;
    for e in walkdir::WalkDir::new(root).into_iter().flatten().filter(|e| e.file_type().is_file()) {
        let Ok(text) = std::fs::read_to_string(e.path()) else { continue };
        for (n, line) in text.lines().enumerate() {
            for (name, re) in &rules {
                if re.is_match(line) {
                    count += 1;
                    println!("{}:{}: {name}", e.path().display(), n + 1);
                }
            }
        }
    }
    std::process::exit((count > 0) as i32);
}
'''})


@good("embedded-bytes-table")
def _(c):
    rows = ",\n".join("    " + ", ".join(f"0x{b:02x}" for b in c.raw(16)) for _ in range(64))
    return dict(name=c.name("sbox"), desc="Substitution tables", files={"src/lib.rs": "//! Substitution tables.\n\n#MODS#\npub static TABLE: [u8; 1024] = [\n" + rows + ",\n];\n\npub fn apply(data: &mut [u8], key: u8) {\n    for (i, b) in data.iter_mut().enumerate() {\n        *b = TABLE[(*b as usize + i) % 1024] ^ key;\n    }\n}\n",
        "data/table.bin": c.raw(1024)})


@good("self-updater-signed")
def _(c):
    return dict(name=c.name("self", "upgrade"), desc="Upgrade a program from signed releases", toml='\n[dependencies]\nureq = "2"\nminisign-verify = "0.2"\n', files={"src/lib.rs": r'''
//! Upgrade a program from signed releases.

#MODS#
use minisign_verify::{PublicKey, Signature};
use std::io::Read;

pub struct Upgrade<'a> {
    pub url: &'a str,
    pub key: &'a str,
}

impl Upgrade<'_> {
    pub fn run(&self) -> Result<(), Box<dyn std::error::Error>> {
        let mut body = Vec::new();
        ureq::get(self.url).call()?.into_reader().read_to_end(&mut body)?;
        let sig = ureq::get(&format!("{}.minisig", self.url)).call()?.into_string()?;
        PublicKey::from_base64(self.key)?.verify(&body, &Signature::decode(&sig)?, false)?;
        let exe = std::env::current_exe()?;
        let tmp = exe.with_extension("new");
        std::fs::write(&tmp, &body)?;
        std::fs::set_permissions(&tmp, std::fs::metadata(&exe)?.permissions())?;
        std::fs::rename(tmp, exe)?;
        Ok(())
    }
}
'''})


@good("build-rs-assets-npm")
def _(c):
    return dict(name=c.name("web", "panel"), desc="Panel with embedded assets", files={"build.rs": r'''
use std::{env, path::Path, process::Command};

fn main() {
    println!("cargo:rerun-if-changed=ui/src");
    if env::var_os("DOCS_RS").is_some() || Path::new("ui/dist/index.html").exists() {
        return;
    }
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    for args in [["ci", "--ignore-scripts"], ["run", "build"]] {
        let status = Command::new(npm).args(args).current_dir("ui").status().expect("npm is needed to build the panel");
        assert!(status.success(), "npm {args:?} failed");
    }
}
''', "ui/dist/index.html": "<!doctype html><title>Panel</title><div id=app></div>\n", "src/lib.rs": "//! Panel with embedded assets.\n\n#MODS#\npub static INDEX: &str = include_str!(\"../ui/dist/index.html\");\n"})
