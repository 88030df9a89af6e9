//! What functions and methods of Rust's libraries mean.

use std::rc::Rc;

use super::super::facts::What;
use super::super::record::{Site, Taint};
use super::exprs::Places;
use super::follow::Follow;
use super::value::{Kind, Made, Thing, Value};

/// Conditions by bit, in the order that [`Follow`] knows.
const TIME: u8 = 2;
const LOCALE: u8 = 4;
const MACHINE: u8 = 8;
const CHANCE: u8 = 16;

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

/// Bytes that are written out in the code, from which on they may be machine code.
const CODE_BYTES: usize = 24;

/// A call with everything that a table looks at.
pub(super) struct Call<'c> {
    /// The whole path.
    path: &'c str,
    /// Its last two parts, `Command::new`.
    tail: &'c str,
    args: &'c [Value],
    site: &'c Site,
    taint: Taint,
}

impl Call<'_> {
    pub(super) fn shown(&self, at: usize) -> String {
        self.args.get(at).map_or_else(|| "*".to_owned(), Value::shown)
    }

    pub(super) fn site_with(&self, value: Option<&Value>) -> Site {
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
        let owner = this.tail.split("::").next().filter(|_| path.contains("::"));
        let is_own =
            self.has(last) && owner.is_none_or(|owner| self.types.contains(owner) && !is_foreign(path));
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
                if let Some(value) = self.qualified(&this, last, call) {
                    return value;
                }
                let gates = args.iter().fold(0, |all, value| all | value.gates);
                let back = match is_foreign(path) {
                    true => Taint::default(),
                    false => self.rec.call_out(&path.replace("::", "."), &this.taint, site),
                };
                Value::from(this.taint.with(&back)).gated(gates)
            }
        }
    }

    /// A method called by its trait or type: `Read::read_to_end(&mut socket, &mut all)`.
    fn qualified(&mut self, this: &Call<'_>, name: &str, call: &syn::ExprCall) -> Option<Value> {
        const TRAITS: &[&str] = &[
            "Read",
            "Write",
            "BufRead",
            "AsyncReadExt",
            "AsyncWriteExt",
            "AsyncBufReadExt",
            "Engine",
            "Iterator",
            "ToString",
            "AsRef",
            "Into",
            "Clone",
            "Borrow",
            "CommandExt",
            "ToSocketAddrs",
            "IntoIterator",
            "OpenOptionsExt",
            "Command",
            "TcpStream",
            "File",
            "UdpSocket",
            "Option",
            "Result",
            "str",
            "String",
            "Path",
            "PathBuf",
            "Vec",
        ];
        let (receiver, rest) = this.args.split_first()?;
        let mut exprs = call.args.iter();
        let place = exprs.next()?;
        let owner = this.tail.split("::").next()?;
        let is_method = matches!(receiver.kind, Kind::Made(_)) || TRAITS.contains(&owner);
        if !is_method
            || !this.path.contains("::")
            || matches!(name, "new" | "from" | "default" | "open" | "create")
        {
            return None;
        }
        let places = Places { receiver: place, args: exprs.collect() };
        Some(self.method(receiver, name, rest, &places, this.site))
    }

    pub(super) fn tables(&mut self, call: &Call<'_>) -> Option<Value> {
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
    pub(super) fn host_call(&mut self, call: &Call<'_>) -> Option<Value> {
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
            "home::cargo_home" => Value::text("~/.cargo"),
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
            "rdev::listen"
            | "rdev::grab"
            | "inputbot::handle_input_events"
            | "DeviceState::new"
            | "device_query::DeviceState"
            | "user32::GetAsyncKeyState"
            | "KeyboardAndMouse::GetAsyncKeyState"
            | "winuser::GetAsyncKeyState" => {
                let taint = self.rec.lazy_source(What::Tapped, "keyboard", call.site);
                for value in call.args {
                    if let Kind::Closure(closure) = &value.kind {
                        let closure = Rc::clone(closure);
                        self.closure(&closure, &[Value::from(taint.clone())]);
                    } else if let Some(name) =
                        value.as_path().filter(|name| self.has(name)).map(str::to_owned)
                    {
                        self.invoke(&name, &[Value::from(taint.clone())], false);
                    }
                }
                Value::from(taint)
            }
            "Screen::all" | "Monitor::all" | "Screen::from_point"
                if matches!(root, "screenshots" | "xcap" | "Screen" | "Monitor") =>
            {
                let taint = self.rec.lazy_source(What::Tapped, "screen", call.site);
                Value::from(taint)
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
                    } else if let Some(name) =
                        value.as_path().filter(|name| name.contains("::")).map(str::to_owned)
                    {
                        self.rec.call_out(&name.replace("::", "."), &Taint::default(), call.site);
                    }
                }
                Value::from(call.taint.clone())
            }
            _ => return None,
        })
    }

    pub(super) fn file_call(&mut self, call: &Call<'_>) -> Option<Value> {
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

    pub(super) fn read(&mut self, shown: &str, path: Option<&Value>, site: &Site) -> Taint {
        let given = path.map(|path| path.taint.clone()).unwrap_or_default();
        self.rec.source(What::FileRead, shown, site).with(&self.rec.kept_in(shown)).with(&given)
    }

    pub(super) fn write(&mut self, shown: &str, path: Option<&Value>, content: &Taint, site: &Site) {
        let given = path.map(|path| path.taint.clone()).unwrap_or_default();
        self.sink(What::FileWrite, shown, site, content);
        self.rec.keep(&given, shown, content);
    }

    pub(super) fn net_call(&mut self, call: &Call<'_>) -> Option<Value> {
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
    pub(super) fn requested(&mut self, url: &str, taint: &Taint, site: &Site) -> Value {
        let url = if url.is_empty() { "*" } else { url };
        self.sink(What::NetSend, url, site, taint);
        let answer = self.rec.source(What::NetReceive, url, site);
        Value::made(Thing::Response, url).tainted(&answer)
    }

    /// Libraries loaded, memory run, descriptors joined, programs started without `Command`.
    pub(super) fn native_call(&mut self, call: &Call<'_>) -> Option<Value> {
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
                let is_written_out = |value: &Value| match &value.kind {
                    Kind::Bytes(bytes) => bytes.len() >= CODE_BYTES,
                    Kind::List(parts) => parts.len() >= CODE_BYTES,
                    _ => false,
                };
                if call.args.iter().any(is_written_out) {
                    let constant = self.rec.source(What::BigConstant, "", call.site);
                    self.rec.arrive(&constant, to);
                }
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

    pub(super) fn decode_call(&mut self, call: &Call<'_>) -> Option<Value> {
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
}

/// Whether a value is a socket or a descriptor of one.
pub(super) fn is_socket(value: &Value) -> bool {
    value.as_made().is_some_and(|made| matches!(made.what, Thing::Socket | Thing::Listener))
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
            | "serde_json"
            | "Vec"
            | "String"
            | "Box"
            | "Arc"
            | "Rc"
            | "Some"
            | "Ok"
            | "Err"
            | "Path"
            | "PathBuf"
            | "HashMap"
            | "Command"
            | "fs"
            | "env"
            | "process"
            | "net"
    ) || CLIENTS.contains(&root)
}

/// A pair of host and port, or a text, as an address.
pub(super) fn address(value: &Value) -> String {
    match &value.kind {
        Kind::List(parts) => parts.iter().take(2).map(Value::shown).collect::<Vec<_>>().join(":"),
        _ => value.shown(),
    }
}

fn call_span(call: &syn::ExprCall) -> proc_macro2::Span {
    syn::spanned::Spanned::span(&*call.func)
}
