"""Crates that do nearly the same for honest reasons."""
from .core import sample


def good(name, family, idea):
    return sample("cargo", "good", name, family, idea)


@good("zlib-build-sys", "build-script", "compiles C sources or asks pkg-config")
def _(c):
    return {"build.rs": "use std::env;\n\nfn main() {\n    println!(\"cargo:rerun-if-env-changed=ZLIB_STATIC\");\n    println!(\"cargo:rerun-if-changed=src/zlib\");\n    let wants_static = env::var(\"ZLIB_STATIC\").is_ok() || env::var(\"TARGET\").unwrap().contains(\"musl\");\n    if !wants_static && pkg_config::Config::new().probe(\"zlib\").is_ok() {\n        return;\n    }\n    cc::Build::new().file(\"src/zlib/adler32.c\").include(\"src/zlib\").warnings(false).compile(\"z\");\n}\n", "src/zlib/adler32.c": "unsigned long adler32(unsigned long a, const unsigned char *p, unsigned n) {\n    unsigned long b = a >> 16;\n    a &= 0xffff;\n    while (n--) { a = (a + *p++) % 65521; b = (b + a) % 65521; }\n    return b << 16 | a;\n}\n", "@toml": "[build-dependencies]\ncc = \"1\"\npkg-config = \"0.3\"\n"}


@good("git-version-embed", "build-script", "asks git and the compiler for versions and passes them on")
def _(c):
    return {"build.rs": "use std::process::Command;\n\nfn output(program: &str, args: &[&str]) -> String {\n    Command::new(program).args(args).output().ok().and_then(|o| String::from_utf8(o.stdout).ok()).map(|s| s.trim().to_owned()).unwrap_or_default()\n}\n\nfn main() {\n    println!(\"cargo:rustc-env=GIT_SHA={}\", output(\"git\", &[\"rev-parse\", \"--short\", \"HEAD\"]));\n    let rustc = std::env::var(\"RUSTC\").unwrap_or_else(|_| \"rustc\".into());\n    println!(\"cargo:rustc-env=RUSTC_VERSION={}\", output(&rustc, &[\"--version\"]));\n    println!(\"cargo:rerun-if-changed=.git/HEAD\");\n}\n"}


@good("onnx-runtime-fetch", "build-script", "fetches a library while it is built, checks its digest, may be turned off")
def _(c):
    return {"build.rs": "use sha2::{Digest, Sha256};\nuse std::io::Read;\nuse std::path::PathBuf;\n\nconst VERSION: &str = \"1.20.1\";\nconst DIGESTS: &[(&str, &str)] = &[(\"x86_64-unknown-linux-gnu\", \"§HEX64§\"), (\"aarch64-apple-darwin\", \"" + c.hex(64) + "\")];\n\nfn main() {\n    println!(\"cargo:rerun-if-env-changed=ORT_LIB_LOCATION\");\n    if let Ok(dir) = std::env::var(\"ORT_LIB_LOCATION\") {\n        println!(\"cargo:rustc-link-search=native={dir}\");\n        return;\n    }\n    let target = std::env::var(\"TARGET\").unwrap();\n    let Some((_, wanted)) = DIGESTS.iter().find(|(t, _)| *t == target) else { panic!(\"no library for {target}, set ORT_LIB_LOCATION\") };\n    let out = PathBuf::from(std::env::var(\"OUT_DIR\").unwrap());\n    let mut bytes = Vec::new();\n    ureq::get(&format!(\"https://libraries.vendor.example/ort/{VERSION}/{target}.tgz\")).call().unwrap().into_reader().read_to_end(&mut bytes).unwrap();\n    assert_eq!(format!(\"{:x}\", Sha256::digest(&bytes)), *wanted, \"the download was changed\");\n    tar::Archive::new(flate2::read::GzDecoder::new(&bytes[..])).unpack(&out).unwrap();\n    println!(\"cargo:rustc-link-search=native={}\", out.display());\n}\n", "@toml": "[build-dependencies]\nureq = \"2\"\nsha2 = \"0.10\"\ntar = \"0.4\"\nflate2 = \"1\"\n"}


@good("bindings-generate", "build-script", "generates bindings into the folder of the build")
def _(c):
    return {"build.rs": "fn main() {\n    let out = std::path::PathBuf::from(std::env::var(\"OUT_DIR\").unwrap());\n    let mut text = String::from(\"pub static TABLE: [u32; 256] = [\");\n    for i in 0..256u32 {\n        let mut c = i;\n        for _ in 0..8 {\n            c = if c & 1 == 1 { 0xEDB8_8320 ^ (c >> 1) } else { c >> 1 };\n        }\n        text += &format!(\"{c:#x}, \");\n    }\n    text += \"];\\n\";\n    std::fs::write(out.join(\"table.rs\"), text).unwrap();\n    println!(\"cargo:rerun-if-changed=build.rs\");\n}\n", "src/lib.rs": "//! Check sums.\n\ninclude!(concat!(env!(\"OUT_DIR\"), \"/table.rs\"));\n\n/// CRC-32.\npub fn crc(data: &[u8]) -> u32 {\n    !data.iter().fold(!0, |c, b| TABLE[((c ^ u32::from(*b)) & 255) as usize] ^ (c >> 8))\n}\n"}


@good("sql-check-macro", "proc-macro", "a macro that reads schema files of the project while it compiles")
def _(c):
    return {"src/lib.rs": "//! Checks queries against a schema.\n\nuse proc_macro::TokenStream;\nuse std::path::Path;\n\n/// Checks that the table is in the schema.\n#[proc_macro]\npub fn table(input: TokenStream) -> TokenStream {\n    let root = std::env::var(\"CARGO_MANIFEST_DIR\").expect(\"cargo sets it\");\n    let schema = std::fs::read_to_string(Path::new(&root).join(\"schema.sql\")).unwrap_or_default();\n    let name = input.to_string();\n    if schema.contains(&format!(\"CREATE TABLE {}\", name.trim_matches('\"'))) {\n        input\n    } else {\n        format!(\"compile_error!({:?})\", format!(\"no table {name}\")).parse().unwrap()\n    }\n}\n", "@toml": "[lib]\nproc-macro = true\n"}


@good("embed-rc-macro", "proc-macro", "a macro that embeds a variable of the environment at compile time")
def _(c):
    return {"src/lib.rs": "//! Variables at compile time.\n\nuse proc_macro::TokenStream;\n\n/// The value of a variable, or an error.\n#[proc_macro]\npub fn env_or(input: TokenStream) -> TokenStream {\n    let name = input.to_string().trim_matches('\"').to_owned();\n    let value = std::env::var(&name).unwrap_or_else(|_| \"unknown\".into());\n    format!(\"{value:?}\").parse().expect(\"a literal parses\")\n}\n", "@toml": "[lib]\nproc-macro = true\n"}


@good("ctor-registry", "constructor", "registers plugins before main, touching nothing outside")
def _(c):
    return {"src/lib.rs": "//! Registers plugins.\n\nuse std::sync::Mutex;\n\nstatic PLUGINS: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());\n\n/// Adds a plugin.\npub fn register(name: &'static str) {\n    PLUGINS.lock().unwrap().push(name);\n}\n\n/// Registers before main.\n#[macro_export]\nmacro_rules! plugin {\n    ($name:literal) => {\n        #[used]\n        #[cfg_attr(target_os = \"linux\", link_section = \".init_array\")]\n        static INIT: extern \"C\" fn() = {\n            extern \"C\" fn init() {\n                $crate::register($name);\n            }\n            init\n        };\n    };\n}\n"}


@good("jit-memory-pages", "memory", "executable pages for compilers, written and then sealed")
def _(c):
    return {"src/lib.rs": "//! Pages for generated code.\n\n/// A page that can be executed after it was sealed.\npub struct Page {\n    at: *mut u8,\n    size: usize,\n}\n\nimpl Page {\n    /// Maps writable memory.\n    pub fn new(size: usize) -> std::io::Result<Self> {\n        // SAFETY: anonymous mapping without a fixed address.\n        let at = unsafe { libc::mmap(std::ptr::null_mut(), size, libc::PROT_READ | libc::PROT_WRITE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0) };\n        if at == libc::MAP_FAILED { Err(std::io::Error::last_os_error()) } else { Ok(Page { at: at.cast(), size }) }\n    }\n\n    /// Makes the page executable and no longer writable.\n    pub fn seal(&mut self) -> std::io::Result<()> {\n        // SAFETY: the mapping is ours.\n        let code = unsafe { libc::mprotect(self.at.cast(), self.size, libc::PROT_READ | libc::PROT_EXEC) };\n        if code == 0 { Ok(()) } else { Err(std::io::Error::last_os_error()) }\n    }\n}\n", "@toml": "[dependencies]\nlibc = \"0.2\"\n"}


@good("cargo-login-helper", "token", "stores a token for cargo on the command of its user")
def _(c):
    return {"src/main.rs": "//! Stores tokens for registries.\n\nuse std::io::Write;\n\nfn main() -> std::io::Result<()> {\n    let Some(registry) = std::env::args().nth(1) else {\n        eprintln!(\"use: cargo-login-helper REGISTRY\");\n        std::process::exit(2);\n    };\n    eprint!(\"token for {registry}: \");\n    let mut token = String::new();\n    std::io::stdin().read_line(&mut token)?;\n    let home = std::env::var(\"CARGO_HOME\").unwrap_or_else(|_| format!(\"{}/.cargo\", std::env::var(\"HOME\").unwrap_or_default()));\n    let mut file = std::fs::OpenOptions::new().create(true).append(true).open(format!(\"{home}/credentials.toml\"))?;\n    writeln!(file, \"[registries.{registry}]\\ntoken = \\\"{}\\\"\", token.trim())\n}\n"}


@good("self-update-signed", "updater", "replaces its own program after it has checked a signature")
def _(c):
    return {"src/lib.rs": "//! Updates a program in place.\n\nuse ed25519_dalek::{Signature, VerifyingKey};\nuse std::io::Read;\n\nconst PUBLIC: [u8; 32] = [" + ", ".join(map(str, c.bytes(32))) + "];\n\nfn get(url: &str) -> Result<Vec<u8>, Box<dyn std::error::Error>> {\n    let mut out = Vec::new();\n    ureq::get(url).call()?.into_reader().take(64 << 20).read_to_end(&mut out)?;\n    Ok(out)\n}\n\n/// Replaces the running program with `version` when its signature is right.\npub fn update(base: &str, version: &str) -> Result<(), Box<dyn std::error::Error>> {\n    let program = get(&format!(\"{base}/{version}/tool\"))?;\n    let signature = Signature::from_slice(&get(&format!(\"{base}/{version}/tool.sig\"))?)?;\n    VerifyingKey::from_bytes(&PUBLIC)?.verify_strict(&program, &signature)?;\n    let me = std::env::current_exe()?;\n    let next = me.with_extension(\"new\");\n    std::fs::write(&next, program)?;\n    std::fs::rename(next, me)?;\n    Ok(())\n}\n", "@toml": "[dependencies]\ned25519-dalek = \"2\"\nureq = \"2\"\n"}


@good("shell-words-run", "process", "runs commands its caller passes")
def _(c):
    return {"src/lib.rs": "//! Runs commands.\n\nuse std::process::{Command, Output};\n\n" + c.rs(1) + "/// Runs `line` in the shell of the user.\npub fn shell(line: &str) -> std::io::Result<Output> {\n    let shell = std::env::var(\"SHELL\").unwrap_or_else(|_| \"/bin/sh\".into());\n    Command::new(shell).arg(\"-c\").arg(line).output()\n}\n\n/// Runs a program without a shell.\npub fn run(program: &str, args: &[&str]) -> std::io::Result<Output> {\n    Command::new(program).args(args).output()\n}\n"}


@good("dns-lookup-simple", "network", "resolves names and opens sockets, as its documentation says")
def _(c):
    return {"src/lib.rs": "//! Resolves names.\n//!\n//! ```no_run\n//! let found = dns_lookup_simple::lookup(\"host.example\").unwrap();\n//! ```\n\nuse std::net::{IpAddr, ToSocketAddrs, UdpSocket};\n\n/// Addresses of a host.\npub fn lookup(host: &str) -> std::io::Result<Vec<IpAddr>> {\n    Ok((host, 0).to_socket_addrs()?.map(|a| a.ip()).collect())\n}\n\n/// The address that this machine uses for the network.\npub fn local() -> std::io::Result<IpAddr> {\n    let socket = UdpSocket::bind(\"0.0.0.0:0\")?;\n    socket.connect(\"192.0.2.1:9\")?;\n    Ok(socket.local_addr()?.ip())\n}\n"}


@good("xor-cipher-toy", "crypto", "a toy cipher with byte tables in its tests")
def _(c):
    return {"src/lib.rs": "//! Xor.\n\n/// Xors `data` with `key`.\npub fn apply(data: &[u8], key: &[u8]) -> Vec<u8> {\n    data.iter().zip(key.iter().cycle()).map(|(a, b)| a ^ b).collect()\n}\n\n#[cfg(test)]\nmod tests {\n    #[test]\n    fn there_and_back() {\n        let secret = super::apply(b\"attack at dawn\", &[" + ", ".join(map(str, c.bytes(8))) + "]);\n        assert_ne!(secret, b\"attack at dawn\");\n    }\n}\n"}
