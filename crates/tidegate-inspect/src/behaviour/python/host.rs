//! Calls that ask the machine who it is, and calls into native code.

use super::super::facts::What;
use super::super::record::Taint;
use super::fold;
use super::interp::{CHANCE, Interp, LOCALE, MACHINE, TIME};
use super::library::Call;
use super::value::{Gates, Kind, Value};

impl<'a> Interp<'a> {
    /// Environment, identity, clipboard, keychain, registry, clocks and chance.
    pub(super) fn host(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        match call.name {
            "os.getenv"
            | "os.environ.get"
            | "os.environ.pop"
            | "os.environ.__getitem__"
            | "os.environ.setdefault"
            | "os.getenvb"
            | "os.environb.get"
            | "decouple.config"
            | "environ.Env()" => {
                let value = self.variable(args.pos.first()?, call.site);
                Some(match args.pos.get(1).or_else(|| args.named("default")) {
                    Some(default) => value.or(default),
                    None => value,
                })
            }
            "os.environ.items"
            | "os.environ.values"
            | "os.environ.keys"
            | "os.environ.__repr__"
            | "os.environ.__str__" => {
                self.settle(call.callee);
                Some(call.callee.blurred())
            }
            "os.environ.update" | "os.putenv" => Some(Value::default()),
            "platform.node"
            | "platform.uname"
            | "platform.platform"
            | "platform.version"
            | "platform.release"
            | "socket.gethostname"
            | "socket.getfqdn"
            | "os.uname"
            | "getpass.getuser"
            | "os.getlogin"
            | "uuid.getnode"
            | "uuid.uuid1"
            | "os.getuid"
            | "pwd.getpwuid"
            | "os.cpu_count"
            | "multiprocessing.cpu_count"
            | "psutil.cpu_count"
            | "psutil.virtual_memory"
            | "psutil.net_if_addrs"
            | "psutil.disk_usage"
            | "psutil.users"
            | "netifaces.interfaces"
            | "psutil.process_iter"
            | "psutil.pids"
            | "wmi.WMI"
            | "psutil.boot_time"
            | "win32api.GetComputerName"
            | "win32api.GetUserName"
            | "platform.processor"
            | "platform.machine"
            | "cpuinfo.get_cpu_info"
            | "GPUtil.getGPUs"
            | "machineid.id"
            | "py_machineid.id" => {
                let taint = self.rec.source(What::HostIdentity, call.name, call.site);
                Some(Value::from(taint).gated(MACHINE))
            }
            "platform.system" => Some(Value::default()),
            "sys.gettrace"
            | "sys.getprofile"
            | "ctypes.windll.kernel32.IsDebuggerPresent"
            | "os.path.ismount" => Some(Value::default().gated(MACHINE)),
            "pyperclip.paste"
            | "clipboard.paste"
            | "win32clipboard.GetClipboardData"
            | "tkinter.Tk().clipboard_get"
            | "Tkinter.Tk().clipboard_get"
            | "pandas.read_clipboard"
            | "PIL.ImageGrab.grabclipboard"
            | "ctypes.windll.user32.GetClipboardData"
            | "xerox.paste" => {
                let taint = self.rec.source(What::ClipboardRead, call.name, call.site);
                Some(Value::from(taint))
            }
            "pyperclip.copy"
            | "clipboard.copy"
            | "win32clipboard.SetClipboardData"
            | "win32clipboard.SetClipboardText"
            | "tkinter.Tk().clipboard_append"
            | "xerox.copy"
            | "ctypes.windll.user32.SetClipboardData" => {
                let text = args
                    .pos
                    .last()
                    .and_then(Value::as_text)
                    .filter(|text| text.len() >= 20)
                    .map(str::to_owned);
                let detail = text.as_deref().unwrap_or(call.name);
                self.sink(What::ClipboardWrite, detail, call.site, &args.taint());
                Some(Value::default())
            }
            "pynput.keyboard.Listener"
            | "pynput.keyboard.GlobalHotKeys"
            | "pynput.mouse.Listener"
            | "keyboard.hook"
            | "keyboard.on_press"
            | "keyboard.on_release"
            | "keyboard.on_press_key"
            | "pyxhook.HookManager"
            | "pyHook.HookManager"
            | "PyHook3.HookManager"
            | "win32api.GetAsyncKeyState"
            | "ctypes.windll.user32.GetAsyncKeyState"
            | "ctypes.windll.user32.GetKeyState"
            | "ctypes.windll.user32.SetWindowsHookExA"
            | "ctypes.windll.user32.SetWindowsHookExW"
            | "keyboard.record"
            | "keyboard.read_key"
            | "keyboard.read_event"
            | "keyboard.get_typed_strings"
            | "evdev.InputDevice" => {
                let taint = self.rec.lazy_source(What::Tapped, "keyboard", call.site);
                let callbacks: Vec<Value<'a>> = args
                    .values()
                    .filter(|value| matches!(value.kind, Kind::Func(_) | Kind::Partial(_)))
                    .cloned()
                    .collect();
                for callback in callbacks {
                    self.run_callback(&callback, vec![Value::from(taint.clone())], call.site);
                }
                let made = fold::capped(&format!("{}()", call.name));
                Some(Value::of(Kind::Name(made, None)).tainted(&taint))
            }
            "PIL.ImageGrab.grab"
            | "pyautogui.screenshot"
            | "pyscreenshot.grab"
            | "mss.mss().grab"
            | "mss.mss().shot"
            | "mss.tools.to_png"
            | "cv2.VideoCapture().read"
            | "sounddevice.rec"
            | "pyaudio.PyAudio().open().read" => {
                let device = match call.name {
                    name if name.starts_with("cv2") => "camera",
                    name if name.contains("sound") || name.contains("audio") => "microphone",
                    _ => "screen",
                };
                let taint = self.rec.lazy_source(What::Tapped, device, call.site);
                Some(
                    Value::of(Kind::Name(fold::capped(&format!("{}()", call.name)), None))
                        .tainted(&taint)
                        .tainted(&args.taint()),
                )
            }
            "keyring.get_password"
            | "keyring.get_credential"
            | "win32crypt.CryptUnprotectData"
            | "win32cred.CredRead"
            | "win32cred.CredEnumerate"
            | "secretstorage.get_default_collection"
            | "secretstorage.dbus_init"
            | "ctypes.windll.crypt32.CryptUnprotectData"
            | "keyring.get_keyring().get_password"
            | "boto3.Session().get_credentials"
            | "boto3.session.Session().get_credentials"
            | "boto3.DEFAULT_SESSION.get_credentials"
            | "botocore.session.get_session().get_credentials"
            | "botocore.session.Session().get_credentials" => {
                let taint = self.rec.source(What::KeychainRead, call.name, call.site);
                Some(Value::from(taint.with(&args.taint())))
            }
            "browser_cookie3.chrome"
            | "browser_cookie3.firefox"
            | "browser_cookie3.load"
            | "browser_cookie3.edge"
            | "browser_cookie3.brave"
            | "browser_cookie3.opera"
            | "browsercookie.chrome" => {
                let taint = self.rec.source(What::FileRead, "*/Cookies", call.site);
                Some(Value::from(taint))
            }
            "winreg.SetValueEx" | "winreg.SetValue" => {
                let key = call.args.pos.first().map(Value::shown).unwrap_or_else(|| "*".into());
                let value = args.pos.get(1).map(Value::shown).unwrap_or_else(|| "*".into());
                let detail = format!("{}/{value}", fold::path_text(&key));
                self.sink(What::RegistryWrite, &detail, call.site, &args.taint());
                Some(Value::default())
            }
            "winreg.CreateKey" | "winreg.CreateKeyEx" | "winreg.OpenKey" | "winreg.OpenKeyEx" => {
                let root = args
                    .pos
                    .first()
                    .and_then(Value::as_name)
                    .and_then(|name| name.rsplit('.').next())
                    .unwrap_or("*");
                let detail = format!("{root}/{}", fold::path_text(&call.shown(1, "sub_key")));
                let kind = Kind::Name("winreg.OpenKey()".into(), Some(detail.into()));
                Some(Value::of(kind))
            }
            _ => gates_of(call.name)
                .map(|gates| Value::default().gated(gates | args.gates() | call.callee.gates)),
        }
    }

    /// `ctypes`, `cffi`, `mmap`: libraries that are loaded, memory that is run.
    pub(super) fn native(&mut self, call: &Call<'_, 'a>) -> Option<Value<'a>> {
        let args = call.args;
        let last = call.last();
        match call.name {
            "ctypes.CDLL"
            | "ctypes.WinDLL"
            | "ctypes.OleDLL"
            | "ctypes.PyDLL"
            | "ctypes.cdll.LoadLibrary"
            | "ctypes.windll.LoadLibrary"
            | "cffi.FFI().dlopen"
            | "importlib.load_dynamic"
            | "importlib.machinery.ExtensionFileLoader"
            | "_imp.create_dynamic" => {
                let at = usize::from(matches!(last, "load_dynamic" | "ExtensionFileLoader"));
                let path = args.pos.get(at).cloned().unwrap_or_default();
                let text = fold::path_text(&path.shown());
                if !is_system_library(&text) && !args.pos.is_empty() {
                    self.sink(What::LibraryLoad, &text, &call.site_with(Some(&path)), &path.taint);
                }
                Some(Value::name("ctypes.CDLL()"))
            }
            _ if is_native_owner(call.name) => {
                let what = match last {
                    "VirtualAlloc"
                    | "VirtualAllocEx"
                    | "VirtualProtect"
                    | "VirtualProtectEx"
                    | "mprotect"
                    | "NtAllocateVirtualMemory"
                    | "CreateRemoteThread"
                    | "CreateThread"
                    | "WriteProcessMemory"
                    | "RtlMoveMemory"
                    | "QueueUserAPC"
                    | "RtlCreateUserThread"
                    | "NtCreateThreadEx"
                    | "EnumWindows"
                    | "memfd_create"
                    | "HeapCreate" => What::ExecMemory,
                    "system" | "WinExec" | "ShellExecuteW" | "ShellExecuteA" | "popen" | "execve"
                    | "CreateProcessW" | "CreateProcessA" => {
                        let taint = args.taint();
                        let line = args
                            .pos
                            .iter()
                            .map(Value::shown)
                            .find(|text| text.len() > 1)
                            .unwrap_or_else(|| "*".into());
                        self.sink(What::Exec, &line, call.site, &taint);
                        return Some(Value::default());
                    }
                    _ => return None,
                };
                self.sink(what, last, call.site, &args.taint());
                Some(Value::from(args.taint()))
            }
            "ctypes.CFUNCTYPE()" | "ctypes.WINFUNCTYPE()" | "ctypes.PYFUNCTYPE()" => {
                if args.pos.iter().any(|value| matches!(value.kind, Kind::Func(_))) || args.pos.is_empty() {
                    return None;
                }
                // An address called as a function: what was written there runs.
                let address = args.pos.first()?;
                let is_symbol = matches!(address.kind, Kind::List(_) | Kind::Text { .. });
                if !is_symbol {
                    self.sink(What::ExecMemory, "CFUNCTYPE", call.site, &args.taint());
                }
                Some(Value::from(args.taint()))
            }
            "ctypes.cast"
                if args
                    .pos
                    .get(1)
                    .and_then(Value::as_name)
                    .is_some_and(|name| name.contains("FUNCTYPE()")) =>
            {
                self.sink(What::ExecMemory, "CFUNCTYPE", call.site, &args.taint());
                Some(Value::from(args.taint()))
            }
            "ctypes.memmove"
                if args
                    .pos
                    .get(1)
                    .is_some_and(|from| matches!(from.kind, Kind::Bytes(_)) || from.taint.is_told()) =>
            {
                self.sink(What::ExecMemory, "memmove", call.site, &args.taint());
                Some(Value::default())
            }
            "mmap.mmap" => {
                let protection = args.named("prot").or_else(|| args.pos.get(2).or(args.pos.get(3)));
                let runs =
                    args.values().any(|value| value.as_name().is_some_and(|name| name.contains("PROT_EXEC")))
                        || protection.and_then(Value::as_int).is_some_and(|bits| bits & 4 != 0);
                if runs {
                    self.sink(What::ExecMemory, "mmap", call.site, &Taint::default());
                }
                None
            }
            "os.memfd_create" => {
                self.sink(What::ExecMemory, "memfd_create", call.site, &Taint::default());
                let marker = self.rec.marker();
                Some(Value::partly("/proc/self/fd/*").tainted(&marker))
            }
            _ => None,
        }
    }
}

/// Whether a name is of a native library that was loaded.
fn is_native_owner(name: &str) -> bool {
    name.starts_with("ctypes.")
        && (name.contains("windll.")
            || name.contains("CDLL()")
            || name.contains("cdll.")
            || name.contains("oledll.")
            || name.contains("pythonapi."))
}

/// Libraries that every system has.
fn is_system_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path).to_ascii_lowercase();
    let folder_known = !path.contains('/')
        || path.starts_with("/usr/")
        || path.starts_with("/lib")
        || path.starts_with("/System/");
    let stem = name.split('.').next().unwrap_or(&name);
    let known = [
        "libc",
        "libm",
        "libdl",
        "libpthread",
        "librt",
        "kernel32",
        "user32",
        "ntdll",
        "advapi32",
        "msvcrt",
        "shell32",
        "ole32",
        "gdi32",
        "libssl",
        "libcrypto",
        "libx11",
        "libobjc",
        "libsystem",
        "corefoundation",
        "security",
        "crypt32",
        "ws2_32",
        "psapi",
        "winmm",
        "dwmapi",
        "libgl",
        "libudev",
        "libnss",
        "libgcc_s",
        "none",
    ];
    folder_known && (path == "*" || known.contains(&stem) || path.starts_with('/'))
}

/// Conditions that the answer of a call carries.
fn gates_of(name: &str) -> Option<Gates> {
    let root = name.split(['.', '(']).next()?;
    Some(match root {
        "time"
            if matches!(
                name,
                "time.time" | "time.localtime" | "time.gmtime" | "time.strftime" | "time.ctime"
            ) =>
        {
            TIME
        }
        "datetime" if ["now", "today", "utcnow"].iter().any(|last| name.contains(last)) => TIME,
        "datetime" => return None,
        "locale" => LOCALE,
        "tzlocal" => LOCALE,
        "random" | "secrets"
            if !name.ends_with(".seed") && !name.contains("token") && !name.contains("choice") =>
        {
            CHANCE
        }
        _ => return None,
    })
}
