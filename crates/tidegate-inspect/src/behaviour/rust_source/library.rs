//! What functions and methods of Rust's libraries mean.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::follow::{Follow, element};
use super::value::{Kind, Made, Thing, Value};

/// Conditions by bit, in the order that [`Follow`] knows.
const TIME: u8 = 2;
const LOCALE: u8 = 4;
const MACHINE: u8 = 8;
const CHANCE: u8 = 16;

/// Streams of a command that go nowhere.
const NO_OUT: u8 = 1;
const NO_ERR: u8 = 2;
const APART: u8 = 4;

/// Crates whose functions and clients make HTTP requests.
const CLIENTS: &[&str] = &[
    "reqwest",
    "ureq",
    "minreq",
    "attohttpc",
    "isahc",
    "surf",
    "curl",
    "hyper",
    "http_req",
    "ehttp",
    "hyper_util",
    "awc",
    "reqwest_middleware",
    "chttp",
    "wreq",
];

/// A call with everything that a table looks at.
struct Call<'c> {
    /// The whole path.
    path: &'c str,
    /// Its last two parts, `Command::new`.
    tail: &'c str,
    args: &'c [Value],
    site: &'c Site,
    taint: Taint,
}

impl Call<'_> {
    fn shown(&self, at: usize) -> String {
        self.args.get(at).map_or_else(|| "*".to_owned(), Value::shown)
    }

    fn site_with(&self, value: Option<&Value>) -> Site {
        Site { folded: value.is_some_and(|value| value.folded), ..self.site.clone() }
    }
}

impl Follow<'_> {
    /// A function called by its path.
    pub(super) fn function(
        &mut self,
        path: &str,
        args: &[Value],
        call: &syn::ExprCall,
        site: &Site,
    ) -> Value {
        let last = path.rsplit("::").next().unwrap_or(path);
        let tail_at = path.rmatch_indices("::").nth(1).map_or(0, |(at, _)| at + 2);
        let taint = args.iter().fold(Taint::default(), |all, value| all.with(&value.taint));
        let this = Call { path, tail: path.get(tail_at..).unwrap_or(path), args, site, taint };
        let is_own = self.has(last) && (!path.contains("::") || !is_foreign(path));
        if !is_own && let Some(value) = self.tables(&this) {
            return value;
        }
        if is_own {
            return self.invoke(last, args, false);
        }
        // A function of the file that is handed on is run by whom it is handed to.
        for value in args {
            if let Some(name) = value.as_path().filter(|name| self.has(name)).map(str::to_owned) {
                self.invoke(&name, &[Value::from(this.taint.clone())], false);
            }
            if let Kind::Closure(closure) = &value.kind {
                let closure = Rc::clone(closure);
                self.closure(&closure, &[Value::from(this.taint.clone())]);
            }
        }
        let _ = call;
        match (last, args) {
            // Wrappers: `Some(x)`, `Ok(x)`, `Box::new(x)`, `Arc::new(x)`.
            ("Some" | "Ok" | "Err", [one]) => one.clone(),
            ("new" | "from" | "pin" | "clone" | "from_ref", [one])
                if [
                    "Box::",
                    "Arc::",
                    "Rc::",
                    "Cow::",
                    "Mutex::",
                    "RwLock::",
                    "String::",
                    "BufReader::",
                    "BufWriter::",
                    "Cursor::",
                    "OsString::",
                    "CString::",
                    "Pin::",
                    "Vec::",
                    "Bytes::",
                ]
                .iter()
                .any(|name| this.tail.starts_with(name)) =>
            {
                one.clone()
            }
            ("from_utf8" | "from_utf8_lossy" | "from_utf8_unchecked", [one]) => {
                match one.as_bytes().and_then(|bytes| String::from_utf8(bytes).ok()) {
                    Some(text) => {
                        self.telling(&text, call_span(call), true);
                        Value::text(&text)
                            .tainted(&one.taint)
                            .fold(one.folded || matches!(one.kind, Kind::List(_) | Kind::Bytes(_)))
                    }
                    None => one.blurred(),
                }
            }
            ("drop" | "size_of" | "type_name", _) => Value::default(),
            _ => {
                let gates = args.iter().fold(0, |all, value| all | value.gates);
                Value::from(this.taint).gated(gates)
            }
        }
    }

    fn tables(&mut self, call: &Call<'_>) -> Option<Value> {
        self.host_call(call)
            .or_else(|| self.file_call(call))
            .or_else(|| self.net_call(call))
            .or_else(|| self.native_call(call))
            .or_else(|| self.decode_call(call))
    }

    /// A call of which only the path and constant arguments are known. A command counts as started, since nobody sees what
    /// becomes of it.
    pub(super) fn known_call(&mut self, path: &str, args: &[Value], site: &Site) {
        let tail_at = path.rmatch_indices("::").nth(1).map_or(0, |(at, _)| at + 2);
        let tail = path.get(tail_at..).unwrap_or(path);
        let value = self.tables(&Call { path, tail, args, site, taint: Taint::default() });
        if let Some(Made { what: Thing::Command, about, .. }) = value.as_ref().and_then(Value::as_made) {
            self.sink(What::Exec, about, site, &Taint::default());
        }
        if let Some(Made { what: Thing::Request, about, .. }) = value.as_ref().and_then(Value::as_made) {
            self.sink(What::NetSend, about, site, &Taint::default());
        }
    }

    /// Environment, identity, folders, clocks, commands.
    fn host_call(&mut self, call: &Call<'_>) -> Option<Value> {
        let root = call.path.split("::").next().unwrap_or_default();
        Some(match call.tail {
            "env::var" | "env::var_os" => {
                let name = call.args.first()?.clone();
                self.variable(&name, call.site)
            }
            "env::vars" | "env::vars_os" => {
                let taint = self.rec.lazy_source(What::EnvAll, "", call.site);
                Value::from(taint)
            }
            "env::home_dir"
            | "dirs::home_dir"
            | "home::home_dir"
            | "dirs_next::home_dir"
            | "dirs_sys::home_dir"
            | "BaseDirs::new"
            | "UserDirs::new"
            | "simple_home_dir::home_dir"
            | "etcetera::home_dir"
            | "homedir::my_home" => Value::text("~"),
            "dirs::config_dir" | "dirs_next::config_dir" => Value::text("~/.config"),
            "dirs::data_local_dir" | "dirs::cache_dir" | "dirs::data_dir" => Value::partly("~/*"),
            "env::temp_dir" | "tempfile::tempdir" | "TempDir::new" => {
                let marker = self.rec.marker();
                Value::text("%TEMP%").tainted(&marker)
            }
            "env::current_dir" | "env::current_exe" => Value::partly("*"),
            "Command::new" | "process::Command" | "CommandWrap::new" | "duct::cmd" => {
                let program = call.args.first().cloned().unwrap_or_default();
                let made = Value::made(Thing::Command, &program.shown());
                made.tainted(&program.taint).fold(program.folded)
            }
            "Stdio::null" => Value::made(Thing::Nowhere, "/dev/null"),
            "Stdio::piped" | "Stdio::inherit" => Value::default(),
            "Stdio::from"
            | "Stdio::from_raw_fd"
            | "File::from_raw_fd"
            | "OwnedFd::from_raw_fd"
            | "FromRawFd::from_raw_fd"
            | "OwnedFd::from"
            | "File::from"
            | "Stdio::from_raw_handle" => call.args.first()?.clone(),
            "hostname::get"
            | "gethostname::gethostname"
            | "whoami::username"
            | "whoami::hostname"
            | "whoami::devicename"
            | "whoami::realname"
            | "whoami::fallible::hostname"
            | "libc::gethostname"
            | "libc::uname"
            | "System::host_name"
            | "System::new_all"
            | "machine_uid::get"
            | "mac_address::get_mac_address"
            | "sys_info::hostname"
            | "num_cpus::get"
            | "uname::uname"
            | "nix::gethostname"
            | "unistd::gethostname"
            | "users::get_current_username"
            | "local_ip_address::local_ip"
            | "thread::available_parallelism"
            | "libc::getlogin"
            | "libc::getuid"
            | "hostname::hostname" => {
                let taint = self.rec.source(What::HostIdentity, call.tail, call.site);
                Value::from(taint).gated(MACHINE)
            }
            "SystemTime::now"
            | "Utc::now"
            | "Local::now"
            | "OffsetDateTime::now_utc"
            | "Zoned::now"
            | "Timestamp::now" => Value::default().gated(TIME),
            "rand::random" | "rand::thread_rng" | "rand::rng" | "fastrand::u32" | "fastrand::bool" => {
                Value::default().gated(CHANCE)
            }
            "sys_locale::get_locale" | "current_locale::current_locale" | "iana_time_zone::get_timezone" => {
                Value::default().gated(LOCALE)
            }
            "Clipboard::new" | "ClipboardContext::new" | "ClipboardProvider::new" => {
                Value::made(Thing::Clipboard, call.path)
            }
            "clipboard_win::get_clipboard" | "cli_clipboard::get_contents" => {
                let taint = self.rec.source(What::ClipboardRead, call.tail, call.site);
                Value::from(taint)
            }
            "Entry::new" if root == "keyring" => Value::made(Thing::Keychain, &call.shown(0)),
            "passwords::get_generic_password" => {
                let taint = self.rec.source(What::KeychainRead, &call.shown(0), call.site);
                Value::from(taint)
            }
            "RegKey::predef" => Value::made(Thing::Registry, &call.shown(0)),
            "thread::spawn"
            | "tokio::spawn"
            | "task::spawn"
            | "task::spawn_blocking"
            | "rayon::spawn"
            | "thread::scope" => {
                for value in call.args {
                    if let Kind::Closure(closure) = &value.kind {
                        let closure = Rc::clone(closure);
                        self.closure(&closure, &[]);
                    } else if let Some(name) =
                        value.as_path().filter(|name| self.has(name)).map(str::to_owned)
                    {
                        self.invoke(&name, &[], false);
                    }
                }
                Value::from(call.taint.clone())
            }
            _ => return None,
        })
    }

    fn file_call(&mut self, call: &Call<'_>) -> Option<Value> {
        let path = call.args.first();
        let shown = super::super::python::path_text(&call.shown(0));
        let site = call.site_with(path);
        Some(match call.tail {
            "fs::read"
            | "fs::read_to_string"
            | "File::open"
            | "fs_err::read"
            | "fs_err::read_to_string"
            | "fs::read_link"
            | "Connection::open" => {
                let taint = self.read(&shown, path, &site);
                if call.tail == "File::open" {
                    return Some(Value::made(Thing::File, &shown).tainted(&taint));
                }
                Value::from(taint)
            }
            "fs::write" | "fs_err::write" => {
                let content = call.args.get(1).map(|value| value.taint.clone()).unwrap_or_default();
                self.write(&shown, path, &content, &site);
                Value::default()
            }
            "File::create" | "File::create_new" | "File::options" | "NamedTempFile::new" => {
                if call.tail == "File::options" {
                    return Some(Value::made(Thing::OpenOptions, ""));
                }
                let fact = self.sink(What::FileWrite, &shown, &site, &Taint::default());
                let made = Made { what: Thing::File, about: shown, fact, ..Made::default() };
                Value::of(Kind::Made(Rc::new(made)))
            }
            "OpenOptions::new" => Value::made(Thing::OpenOptions, ""),
            "fs::copy" | "fs::rename" | "fs::hard_link" | "unix::symlink" | "fs::soft_link" => {
                let to = call.args.get(1)?;
                let text = super::super::python::path_text(&to.shown());
                let content = if call.tail == "fs::copy" {
                    self.read(&shown, path, &site)
                } else {
                    self.rec.kept_in(&shown)
                };
                self.write(&text, Some(to), &content, &site);
                Value::default()
            }
            "fs::remove_file" | "fs::remove_dir_all" | "fs::remove_dir" => {
                self.sink(What::FileDelete, &shown, &site, &call.taint);
                Value::default()
            }
            "fs::read_dir" | "WalkDir::new" | "glob::glob" | "Walk::new" => {
                let taint = self.rec.source(What::FolderRead, &shown, &site);
                Value::partly(&format!("{}/*", shown.trim_end_matches('/'))).tainted(&taint.with(&call.taint))
            }
            "fs::metadata" | "fs::symlink_metadata" => Value::made(Thing::Permissions, &shown),
            "fs::set_permissions" => {
                let mode = call.args.get(1)?;
                let runs = match &mode.kind {
                    Kind::Int(bits) => bits & 0o111 != 0,
                    Kind::Made(made) => made.what == Thing::Permissions && made.hidden == 1,
                    _ => false,
                };
                if runs {
                    self.sink(What::MakeExecutable, &shown, &site, &Taint::default());
                }
                Value::default()
            }
            "libc::chmod" | "stat::fchmodat" => {
                self.sink(What::MakeExecutable, &shown, &site, &Taint::default());
                Value::default()
            }
            "Permissions::from_mode" | "PermissionsExt::from_mode" => call.args.first()?.clone(),
            "Path::new" | "PathBuf::from" | "PathBuf::new" | "Utf8PathBuf::from" | "Utf8Path::new" => {
                let text = if call.args.is_empty() { String::new() } else { shown };
                let exact = path.is_none_or(|path| path.as_text().is_some());
                let value = Value::of(Kind::Text { text: text.into(), exact }).tainted(&call.taint);
                value.fold(path.is_some_and(|path| path.folded))
            }
            "shellexpand::tilde" | "shellexpand::full" => Value::partly(&shown).tainted(&call.taint),
            _ => return None,
        })
    }

    fn read(&mut self, shown: &str, path: Option<&Value>, site: &Site) -> Taint {
        let given = path.map(|path| path.taint.clone()).unwrap_or_default();
        self.rec.source(What::FileRead, shown, site).with(&self.rec.kept_in(shown)).with(&given)
    }

    fn write(&mut self, shown: &str, path: Option<&Value>, content: &Taint, site: &Site) {
        let given = path.map(|path| path.taint.clone()).unwrap_or_default();
        self.sink(What::FileWrite, shown, site, content);
        self.rec.keep(&given, shown, content);
    }

    fn net_call(&mut self, call: &Call<'_>) -> Option<Value> {
        let root = call.path.split("::").next().unwrap_or_default();
        let last = call.path.rsplit("::").next().unwrap_or_default();
        Some(match call.tail {
            "TcpStream::connect" | "TcpStream::connect_timeout" | "UnixStream::connect_remote" => {
                let address = address(call.args.first()?);
                self.sink(What::NetSend, &address, &call.site_with(call.args.first()), &call.taint);
                Value::made(Thing::Socket, &address)
            }
            "UdpSocket::bind" => Value::made(Thing::Socket, ""),
            "TcpListener::bind" => {
                let address = address(call.args.first()?);
                self.sink(What::Listen, &address, call.site, &Taint::default());
                Value::made(Thing::Listener, &address)
            }
            "tungstenite::connect" | "tokio_tungstenite::connect_async" | "ClientBuilder::from_url" => {
                let address = call.shown(0);
                self.sink(What::NetSend, &address, call.site, &call.taint);
                Value::made(Thing::Socket, &address)
            }
            "net::lookup_host" | "dns_lookup::lookup_host" => {
                let name = address(call.args.first()?);
                self.sink(What::DnsQuery, &name, call.site, &call.taint);
                Value::default()
            }
            "SmtpTransport::relay" | "SmtpTransport::builder_dangerous" => {
                Value::made(Thing::Request, &format!("smtp://{}", call.shown(0)))
            }
            _ if CLIENTS.contains(&root) => match last {
                "get" | "post" | "put" | "patch" | "delete" | "head" | "request" => {
                    let url = call
                        .args
                        .iter()
                        .map(Value::shown)
                        .find(|text| text.contains("://"))
                        .unwrap_or_else(|| call.shown(0));
                    let folded = call.args.iter().any(|value| value.folded);
                    let at_once = matches!(root, "isahc" | "chttp")
                        || root == "reqwest" && !call.path.contains("Client");
                    if at_once {
                        return Some(self.requested(
                            &url,
                            &call.taint,
                            &Site { folded, ..call.site.clone() },
                        ));
                    }
                    Value::made(Thing::Request, &url).tainted(&call.taint).fold(folded)
                }
                "new" | "builder" | "agent" | "default" | "build" => {
                    let url = call
                        .args
                        .iter()
                        .map(Value::shown)
                        .find(|text| text.contains("://"))
                        .unwrap_or_default();
                    if call.tail.starts_with("Request") {
                        return Some(Value::made(Thing::Request, &url).tainted(&call.taint));
                    }
                    Value::made(Thing::Client, &url).tainted(&call.taint)
                }
                _ => return None,
            },
            "Request::builder" | "Request::get" | "Request::post" => {
                let url = call.args.first().map(Value::shown).unwrap_or_default();
                Value::made(Thing::Request, &url).tainted(&call.taint)
            }
            _ => return None,
        })
    }

    /// A request goes out and an answer comes back.
    fn requested(&mut self, url: &str, taint: &Taint, site: &Site) -> Value {
        let url = if url.is_empty() { "*" } else { url };
        self.sink(What::NetSend, url, site, taint);
        let answer = self.rec.source(What::NetReceive, url, site);
        Value::made(Thing::Response, url).tainted(&answer)
    }

    /// Libraries loaded, memory run, descriptors joined, programs started without `Command`.
    fn native_call(&mut self, call: &Call<'_>) -> Option<Value> {
        let last = call.path.rsplit("::").next().unwrap_or_default();
        let executable = || {
            call.args.iter().any(|value| match &value.kind {
                Kind::Path(path) => {
                    path.contains("PROT_EXEC")
                        || path.contains("PAGE_EXECUTE")
                        || path.contains("ProtFlags::all")
                }
                Kind::Int(bits) => matches!(bits, 0x40 | 0x20 | 0x10 | 7 | 5),
                _ => false,
            })
        };
        Some(match last {
            "new" if call.tail == "Library::new" => {
                let path = call.args.first()?;
                self.sink(What::LibraryLoad, &path.shown(), &call.site_with(Some(path)), &path.taint);
                Value::default()
            }
            "dlopen" | "LoadLibraryA" | "LoadLibraryW" | "LoadLibraryExW" => {
                self.sink(What::LibraryLoad, &call.shown(0), call.site, &call.taint);
                Value::default()
            }
            "mmap" | "mprotect" | "VirtualAlloc" | "VirtualAllocEx" | "VirtualProtect"
            | "VirtualProtectEx" | "mmap_anonymous"
                if executable() =>
            {
                let fact = self.sink(What::ExecMemory, last, call.site, &Taint::default());
                Value::of(Kind::Made(Rc::new(Made {
                    what: Thing::Other,
                    about: last.to_owned(),
                    fact,
                    hidden: 1,
                })))
            }
            "map_exec" => {
                self.sink(What::ExecMemory, last, call.site, &call.taint);
                Value::default()
            }
            "CreateThread" | "CreateRemoteThread" | "QueueUserAPC" | "NtCreateThreadEx"
            | "WriteProcessMemory" | "memfd_create" => {
                self.sink(What::ExecMemory, last, call.site, &call.taint);
                let marker = self.rec.marker();
                Value::default().tainted(&marker)
            }
            "copy_nonoverlapping" | "copy" | "RtlMoveMemory" | "memcpy" => {
                let to = call.args.iter().find_map(|value| {
                    value.as_made().filter(|made| made.hidden == 1).and_then(|made| made.fact)
                })?;
                self.rec.arrive(&call.taint, to);
                Value::default()
            }
            "transmute" | "transmute_copy" => {
                let one = call.args.first()?;
                if one.as_made().is_some_and(|made| made.hidden == 1) || matches!(one.kind, Kind::Bytes(_)) {
                    self.sink(What::ExecMemory, "transmute", call.site, &one.taint);
                }
                one.clone()
            }
            "dup2" | "dup3" | "dup2_stdin" | "dup2_stdout" | "dup2_stderr" => {
                if call.args.iter().any(is_socket) {
                    self.sink(What::SocketToProcess, last, call.site, &Taint::default());
                }
                Value::default()
            }
            "system" | "execv" | "execve" | "execvp" | "execl" | "execlp" | "popen" | "WinExec"
            | "ShellExecuteW" | "ShellExecuteA" | "CreateProcessA" | "CreateProcessW" | "posix_spawn"
            | "fexecve" => {
                let line = match call.args.get(1).map(|value| &value.kind) {
                    Some(Kind::List(parts)) => parts.iter().map(Value::shown).collect::<Vec<_>>().join(" "),
                    _ => call
                        .args
                        .iter()
                        .map(Value::shown)
                        .find(|text| text != "*" && text.len() > 1)
                        .unwrap_or_else(|| "*".to_owned()),
                };
                self.sink(What::Exec, line.trim_end_matches('\0'), call.site, &call.taint);
                Value::default()
            }
            _ => return None,
        })
    }

    fn decode_call(&mut self, call: &Call<'_>) -> Option<Value> {
        let input = call.args.first();
        let (kind, plain) = match call.tail {
            "base64::decode" | "base64::decode_config" | "BASE64::decode" => (
                "base64",
                input.and_then(Value::as_bytes).and_then(|bytes| super::super::python::base64(&bytes)),
            ),
            "hex::decode" | "hex::decode_to_slice" | "faster_hex::hex_decode" => {
                ("hex", input.and_then(Value::as_bytes).and_then(|bytes| super::super::python::hex(&bytes)))
            }
            "GzDecoder::new"
            | "ZlibDecoder::new"
            | "DeflateDecoder::new"
            | "XzDecoder::new"
            | "BzDecoder::new"
            | "zstd::decode_all"
            | "Decoder::new"
            | "lzma_rs::xz_decompress"
            | "inflate::decompress_to_vec"
            | "inflate::decompress_to_vec_zlib"
            | "brotli::Decompressor" => ("zlib", None),
            "u8::from_str_radix" if self.loops > 0 => ("hex", None),
            "urlencoding::decode" => ("percent", None),
            "bs58::decode" | "base85::decode" | "base32::decode" => ("base64", None),
            _ => return None,
        };
        let taint = self.decoder(kind, &call.taint, call.site);
        let value = match plain {
            Some(plain) => Value::of(Kind::Bytes(plain.into())).fold(true),
            None => Value::default(),
        };
        Some(value.tainted(&taint))
    }

    // ---- Methods ---------------------------------------------------------------------------------------------------------

    /// A method call; what the receiver becomes is kept with it.
    pub(super) fn method(
        &mut self,
        receiver: &Value,
        name: &str,
        args: &[Value],
        call: &syn::ExprMethodCall,
        site: &Site,
    ) -> Value {
        let taint = args.iter().fold(Taint::default(), |all, value| all.with(&value.taint));
        let site = Site { folded: receiver.folded || args.iter().any(|value| value.folded), ..site.clone() };
        if let Kind::Made(made) = &receiver.kind {
            let made = Rc::clone(made);
            if let Some((value, becomes)) = self.made_method(&made, receiver, name, args, &taint, &site) {
                if let Some(becomes) = becomes {
                    self.put(&call.receiver, becomes, true);
                }
                if name.starts_with("read") || name.starts_with("recv") {
                    // What is read goes into the buffer that is given.
                    for arg in &call.args {
                        self.enrich(arg, &value.taint);
                    }
                }
                return value;
            }
        }
        if let Some(value) = self.text_method(receiver, name, args, &taint, &site) {
            return value;
        }
        let all = receiver.taint.with(&taint);
        match name {
            "decode" | "decode_vec" | "decode_slice" if is_base64_engine(receiver) => {
                let hex = receiver.as_path().is_some_and(|path| path.contains("HEX"));
                let plain = args.first().and_then(Value::as_bytes);
                let plain = if hex {
                    plain.and_then(|b| super::super::python::hex(&b))
                } else {
                    plain.and_then(|b| super::super::python::base64(&b))
                };
                let out = self.decoder(if hex { "hex" } else { "base64" }, &all, &site);
                if let [_, target, ..] = call.args.iter().collect::<Vec<_>>().as_slice() {
                    self.enrich(target, &out);
                }
                plain
                    .map_or_else(Value::default, |plain| Value::of(Kind::Bytes(plain.into())).fold(true))
                    .tainted(&out)
            }
            "decrypt"
            | "decrypt_in_place"
            | "apply_keystream"
            | "decrypt_padded_mut"
            | "decrypt_padded_vec_mut" => {
                let out = self.decoder("cipher", &all, &site);
                for arg in &call.args {
                    self.enrich(arg, &out);
                }
                Value::from(out)
            }
            "to_socket_addrs" => {
                let name = match &receiver.kind {
                    Kind::List(parts) => parts.first().map(Value::shown).unwrap_or_default(),
                    _ => receiver.shown().split(':').next().unwrap_or_default().to_owned(),
                };
                self.sink(What::DnsQuery, &name, &site, &receiver.taint);
                receiver.clone()
            }
            // What is put into the receiver is in it from now on.
            "push" | "push_str" | "extend" | "extend_from_slice" | "insert" | "append" | "write_all"
            | "write" | "send" | "set" | "insert_header" => {
                let grown = match (&receiver.kind, name) {
                    (Kind::Text { text, exact }, "push_str" | "push") => {
                        let more = args.first().map(Value::shown).unwrap_or_default();
                        Some(Kind::Text {
                            text: format!("{text}{more}").into(),
                            exact: *exact && args.iter().all(|a| a.as_text().is_some()),
                        })
                    }
                    _ => None,
                };
                match grown {
                    Some(kind) => {
                        let value = Value { kind, ..receiver.clone() }.tainted(&taint);
                        self.put(&call.receiver, value, true);
                    }
                    None => self.enrich(&call.receiver, &taint),
                }
                Value::from(all)
            }
            _ if self.has(name)
                && !matches!(
                    name,
                    "new" | "get" | "read" | "write" | "clone" | "from" | "len" | "iter" | "next"
                ) =>
            {
                let mut given = vec![receiver.clone()];
                given.extend(args.iter().cloned());
                self.invoke(name, &given, false).tainted(&receiver.taint)
            }
            "len" | "is_empty" | "is_some" | "is_none" | "is_ok" | "is_err" | "exists" | "is_file"
            | "is_dir" | "contains" | "starts_with" | "ends_with" | "eq" => {
                Value::default().gated(receiver.gates)
            }
            _ => {
                if matches!(name, "collect" | "map" | "filter" | "to_string" | "for_each") {
                    self.rec.settle(&receiver.taint);
                }
                Value::from(all)
                    .gated(receiver.gates | args.iter().fold(0, |gates, value| gates | value.gates))
            }
        }
    }

    /// Methods that pass a text, path or list on, or make another of it.
    fn text_method(
        &mut self,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<Value> {
        let _ = site;
        let passes = matches!(
            name,
            "unwrap"
                | "expect"
                | "unwrap_or_default"
                | "ok"
                | "clone"
                | "to_string"
                | "to_owned"
                | "into"
                | "as_str"
                | "as_bytes"
                | "as_ref"
                | "to_str"
                | "to_string_lossy"
                | "display"
                | "to_path_buf"
                | "as_path"
                | "into_string"
                | "into_os_string"
                | "as_os_str"
                | "iter"
                | "into_iter"
                | "bytes"
                | "to_vec"
                | "into_bytes"
                | "trim"
                | "as_mut"
                | "by_ref"
                | "borrow"
                | "cloned"
                | "copied"
                | "as_slice"
                | "collect"
                | "map_err"
                | "context"
                | "with_context"
                | "ok_or"
                | "ok_or_else"
                | "lock"
                | "home_dir"
                | "deref"
                | "as_deref"
                | "unwrap_unchecked"
                | "into_boxed_slice"
                | "leak"
                | "into_owned"
                | "chars"
                | "lines"
                | "expect_err"
                | "inspect"
                | "as_ptr"
                | "as_mut_ptr"
                | "flatten"
                | "as_c_str"
                | "into_inner"
                | "path"
                | "rev"
        );
        if passes && !matches!(receiver.kind, Kind::Made(_)) {
            let value = receiver.clone().tainted(taint);
            if matches!(name, "collect" | "to_string") {
                self.rec.settle(&value.taint);
            }
            if name == "rev" && matches!(value.kind, Kind::Bytes(_) | Kind::List(_)) {
                let kind = match &value.kind {
                    Kind::Bytes(bytes) => Kind::Bytes(bytes.iter().rev().copied().collect()),
                    Kind::List(all) => Kind::List(all.iter().rev().cloned().collect()),
                    kind => kind.clone(),
                };
                return Some(Value { kind, ..value }.fold(true));
            }
            return Some(value);
        }
        match (&receiver.kind, name) {
            (Kind::Made(made), _) if passes && made.what != Thing::Command => Some(receiver.clone()),
            (_, "unwrap_or" | "unwrap_or_else" | "or_else" | "or") => {
                Some(args.first().map_or_else(|| receiver.clone(), |other| receiver.or(other)))
            }
            (Kind::Text { text, exact }, "join" | "push")
                if text.is_empty() || name == "join" || text.contains(['/', '~', '%']) =>
            {
                let more = args.first()?;
                let separator = if text.is_empty() || text.ends_with('/') { "" } else { "/" };
                let text = format!("{}{separator}{}", text, more.shown().replace('\\', "/"));
                let value =
                    Value::of(Kind::Text { text: text.into(), exact: *exact && more.as_text().is_some() });
                Some(value.tainted(&receiver.taint.with(taint)))
            }
            (Kind::Unknown, "join") => {
                let more = args.first()?;
                matches!(more.kind, Kind::Text { .. }).then(|| {
                    Value::partly(&format!("*/{}", more.shown())).tainted(&receiver.taint.with(taint))
                })
            }
            (Kind::List(parts), "join" | "concat") => {
                let by = args.first().map(Value::shown).unwrap_or_default();
                let text = parts.iter().map(Value::shown).collect::<Vec<_>>().join(&by);
                let exact = parts.iter().all(|part| part.as_text().is_some());
                Some(
                    Value::of(Kind::Text { text: text.into(), exact })
                        .tainted(&receiver.taint)
                        .fold(by.is_empty()),
                )
            }
            (Kind::Text { text, exact: true }, "replace") => {
                let (from, to) = (args.first()?.as_text()?, args.get(1)?.as_text()?);
                (!from.is_empty() && text.len() < 65_536 && to.len() < 64)
                    .then(|| Value::text(&text.replace(from, to)).fold(true))
            }
            (Kind::List(_), "get" | "first" | "next" | "last" | "pop") => Some(element(receiver)),
            (Kind::Text { .. }, "parent" | "with_extension" | "with_file_name") => Some(receiver.blurred()),
            _ => None,
        }
    }

    /// Methods of commands, requests, sockets, files. The second value is what the receiver becomes.
    fn made_method(
        &mut self,
        made: &Made,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<(Value, Option<Value>)> {
        let grown = |about: String, hidden: u8| {
            let kind = Kind::Made(Rc::new(Made { about, hidden, ..made.clone() }));
            let value =
                Value { kind, ..receiver.clone() }.tainted(taint).fold(args.iter().any(|value| value.folded));
            Some((value.clone(), Some(value)))
        };
        match made.what {
            Thing::Command => self.command_method(made, receiver, name, args, taint, site),
            Thing::Client => match name {
                "get" | "post" | "put" | "patch" | "delete" | "head" | "request" | "request_url" => {
                    let url = args.iter().map(Value::shown).find(|text| text.contains("://"));
                    let url = url.or_else(|| args.last().map(Value::shown)).unwrap_or_default();
                    let value = Value::made(Thing::Request, &url).tainted(&receiver.taint.with(taint));
                    Some((value.fold(args.iter().any(|value| value.folded)), None))
                }
                "url" => grown(args.first().map(Value::shown).unwrap_or_default(), made.hidden),
                "perform" | "execute" | "call" | "transfer" => {
                    let about = args
                        .first()
                        .and_then(Value::as_made)
                        .map_or_else(|| made.about.clone(), |made| made.about.clone());
                    Some((self.requested(&about, &receiver.taint.with(taint), site), None))
                }
                _ => grown(made.about.clone(), made.hidden),
            },
            Thing::Request => match name {
                "send" | "call" | "send_string" | "send_json" | "send_form" | "send_bytes" | "send_empty"
                | "send_async" | "execute" | "recv_string" => {
                    Some((self.requested(&made.about, &receiver.taint.with(taint), site), None))
                }
                "uri" | "url" => grown(args.first().map(Value::shown).unwrap_or_default(), made.hidden),
                _ => grown(made.about.clone(), made.hidden),
            },
            Thing::Socket => match name {
                "write" | "write_all" | "send" | "send_to" | "write_fmt" | "write_message" | "write_buf"
                | "send_all" => {
                    let to = if name == "send_to" { args.get(1).map(address) } else { None };
                    let to = to.unwrap_or_else(|| made.about.clone());
                    self.sink(What::NetSend, if to.is_empty() { "*" } else { &to }, site, taint);
                    Some((Value::default(), None))
                }
                "connect" => {
                    let to = args.first().map(address).unwrap_or_default();
                    self.sink(What::NetSend, &to, site, taint);
                    grown(to, made.hidden)
                }
                "read" | "read_to_end" | "read_to_string" | "read_exact" | "recv" | "recv_from"
                | "read_line" | "read_message" | "lines" | "bytes" | "next" => {
                    let got = self.rec.source(What::ChannelReceive, &made.about, site);
                    Some((Value::from(got.clone()), Some(receiver.clone().tainted(&got))))
                }
                _ => Some((receiver.clone(), None)),
            },
            Thing::Listener if matches!(name, "accept" | "incoming") => {
                let socket = Value::made(Thing::Socket, &made.about);
                Some((
                    if name == "accept" {
                        Value::list(vec![socket, Value::default()])
                    } else {
                        Value::list(vec![socket])
                    },
                    None,
                ))
            }
            Thing::OpenOptions => match name {
                "write" | "append" | "create" | "create_new" | "truncate" => grown(String::new(), 1),
                "open" => {
                    let path = args.first()?;
                    let text = super::super::python::path_text(&path.shown());
                    if made.hidden == 1 {
                        let fact = self.sink(What::FileWrite, &text, site, &Taint::default());
                        let file = Made { what: Thing::File, about: text, fact, ..Made::default() };
                        return Some((Value::of(Kind::Made(Rc::new(file))), None));
                    }
                    let taint = self.read(&text, Some(path), site);
                    Some((Value::made(Thing::File, &text).tainted(&taint), None))
                }
                _ => grown(String::new(), made.hidden),
            },
            Thing::File => match name {
                "write_all" | "write" | "write_fmt" => {
                    if let Some(fact) = made.fact {
                        self.rec.arrive(taint, fact);
                        self.rec.keep(&Taint::default(), &made.about, taint);
                    }
                    Some((Value::default(), None))
                }
                "set_permissions" => {
                    if args.first().and_then(Value::as_int).is_some_and(|bits| bits & 0o111 != 0) {
                        self.sink(What::MakeExecutable, &made.about, site, &Taint::default());
                    }
                    Some((Value::default(), None))
                }
                "metadata" | "permissions" => Some((Value::made(Thing::Permissions, &made.about), None)),
                _ => Some((receiver.clone(), None)),
            },
            Thing::Permissions if matches!(name, "permissions" | "unwrap" | "expect") => {
                Some((receiver.clone(), None))
            }
            Thing::Permissions if name == "set_mode" => {
                let runs = args.first().and_then(Value::as_int).is_none_or(|bits| bits & 0o111 != 0);
                grown(made.about.clone(), u8::from(runs))
            }
            Thing::Registry => match name {
                "open_subkey" | "open_subkey_with_flags" | "create_subkey" => {
                    let key = args.first().map(Value::shown).unwrap_or_default().replace('\\', "/");
                    let value = Value::made(Thing::Registry, &format!("{}/{key}", made.about));
                    Some((Value::list(vec![value.clone(), Value::default()]).or(&value), None))
                }
                "set_value" | "set_raw_value" => {
                    let detail =
                        format!("{}/{}", made.about, args.first().map(Value::shown).unwrap_or_default());
                    self.sink(What::RegistryWrite, &detail, site, taint);
                    Some((Value::default(), None))
                }
                _ => None,
            },
            Thing::Clipboard => match name {
                "get_text" | "get_contents" | "get_image" => {
                    let taint = self.rec.source(What::ClipboardRead, name, site);
                    Some((Value::from(taint), None))
                }
                "set_text" | "set_contents" => {
                    self.sink(What::ClipboardWrite, name, site, taint);
                    Some((Value::default(), None))
                }
                _ => None,
            },
            Thing::Keychain if matches!(name, "get_password" | "get_secret") => {
                let taint = self.rec.source(What::KeychainRead, &made.about, site);
                Some((Value::from(taint), None))
            }
            _ => None,
        }
    }

    fn command_method(
        &mut self,
        made: &Made,
        receiver: &Value,
        name: &str,
        args: &[Value],
        taint: &Taint,
        site: &Site,
    ) -> Option<(Value, Option<Value>)> {
        let mut next = made.clone();
        let mut passed = taint.clone();
        match name {
            "arg" | "raw_arg" => {
                next.about.push_str(&format!(" {}", args.first().map(Value::shown).unwrap_or_default()))
            }
            "args" => {
                let parts = match args.first().map(|list| &list.kind) {
                    Some(Kind::List(parts)) => parts.iter().map(Value::shown).collect::<Vec<_>>().join(" "),
                    Some(_) => args.first().map(Value::shown).unwrap_or_default(),
                    None => String::new(),
                };
                next.about.push_str(&format!(" {parts}"));
            }
            "stdin" | "stdout" | "stderr" => {
                let target = args.first();
                if target.is_some_and(is_socket) {
                    self.sink(What::SocketToProcess, name, site, &Taint::default());
                }
                if target.and_then(Value::as_made).is_some_and(|made| made.what == Thing::Nowhere) {
                    next.hidden |= match name {
                        "stdout" => NO_OUT,
                        "stderr" => NO_ERR,
                        _ => 0,
                    };
                }
            }
            "creation_flags" => {
                let hiding = args.first().is_some_and(|flags| match &flags.kind {
                    Kind::Int(bits) => bits & 0x0800_0208 != 0,
                    Kind::Path(path) => ["DETACHED_PROCESS", "CREATE_NO_WINDOW", "CREATE_NEW_PROCESS_GROUP"]
                        .iter()
                        .any(|flag| path.contains(flag)),
                    _ => false,
                });
                if hiding {
                    next.hidden |= APART;
                }
            }
            "process_group" | "setsid" => next.hidden |= APART,
            // The child's own environment and folder are no part of what is run.
            "env" | "envs" | "current_dir" | "env_clear" | "env_remove" | "uid" | "gid" | "pre_exec"
            | "kill_on_drop" => passed = Taint::default(),
            "spawn" | "output" | "status" | "exec" | "read" | "run" | "spawn_detached" => {
                super::super::facts::cut(&mut next.about, super::super::facts::DETAIL_BYTES);
                let apart = name == "spawn"
                    && (made.hidden & APART != 0 || made.hidden & (NO_OUT | NO_ERR) == NO_OUT | NO_ERR)
                    || name == "spawn_detached";
                let what = if apart { What::ExecDetached } else { What::Exec };
                self.sink(what, &next.about, site, &receiver.taint);
                let mut value = Value::made(Thing::Child, &next.about);
                if matches!(name, "output" | "read") {
                    let out = self.rec.source(What::ExecOutput, &next.about, site);
                    value = value.tainted(&out);
                    value.kind = Kind::Unknown;
                }
                return Some((value, None));
            }
            "get_args" | "get_program" => return None,
            _ => return Some((receiver.clone(), None)),
        }
        super::super::facts::cut(&mut next.about, super::super::facts::DETAIL_BYTES * 2);
        let folded = receiver.folded || args.iter().any(|value| value.folded);
        let value =
            Value { kind: Kind::Made(Rc::new(next)), ..receiver.clone() }.tainted(&passed).fold(folded);
        Some((value.clone(), Some(value)))
    }
}

/// Whether a value is a socket or a descriptor of one.
fn is_socket(value: &Value) -> bool {
    value.as_made().is_some_and(|made| matches!(made.what, Thing::Socket | Thing::Listener))
}

/// Whether a value is an engine that decodes base64 or hex.
fn is_base64_engine(value: &Value) -> bool {
    value.as_path().is_some_and(|path| {
        [
            "STANDARD",
            "URL_SAFE",
            "BASE64",
            "general_purpose",
            "HEXLOWER",
            "HEXUPPER",
            "BCRYPT",
            "BASE32",
            "base64",
        ]
        .iter()
        .any(|name| path.contains(name))
    })
}

/// Whether a path is of another crate rather than a module or type of the file.
fn is_foreign(path: &str) -> bool {
    let root = path.split("::").next().unwrap_or_default();
    matches!(
        root,
        "std"
            | "core"
            | "alloc"
            | "libc"
            | "tokio"
            | "async_std"
            | "nix"
            | "windows"
            | "winapi"
            | "fs"
            | "env"
            | "process"
            | "net"
    ) || CLIENTS.contains(&root)
}

/// A pair of host and port, or a text, as an address.
fn address(value: &Value) -> String {
    match &value.kind {
        Kind::List(parts) => parts.iter().take(2).map(Value::shown).collect::<Vec<_>>().join(":"),
        _ => value.shown(),
    }
}

fn call_span(call: &syn::ExprCall) -> proc_macro2::Span {
    syn::spanned::Spanned::span(&*call.func)
}
