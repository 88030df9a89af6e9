"""PyPI, good: import and call time."""
import base64
import zlib

from .core import sample
from .pypi_bad_b import one

good = lambda family: sample("pypi", "good", family)  # noqa: E731


@good("ctypes-wrapper")
def _(c):
    return one(c, "lib usb", "Bindings for a C library", r'''
import ctypes
import ctypes.util
import os
import sys


def _find():
    for name in filter(None, (os.environ.get("USBX_LIB"), ctypes.util.find_library("usb-1.0"))):
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    raise ImportError("libusb was not found")


if sys.platform == "win32":
    kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
    kernel32.VirtualLock.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


class Context:
    def __init__(self):
        self._lib = _find()
        self._ptr = ctypes.c_void_p()
        self._lib.libusb_init(ctypes.byref(self._ptr))

    def read(self, handle, size):
        buf = (ctypes.c_ubyte * size)()
        got = ctypes.c_int()
        self._lib.libusb_bulk_transfer(handle, 0x81, buf, size, ctypes.byref(got), 1000)
        return bytes(buf[:got.value])
''')


@good("cloud-sdk-credentials")
def _(c):
    return one(c, "cloud auth", "Credentials for the cloud API", r'''
import configparser
import json
import os
import urllib.request
from pathlib import Path

TOKEN_URI = "https://oauth2.googleapis.com/token"
METADATA = "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"


class Credentials:
    def __init__(self, token=None, key=None, secret=None):
        self.token, self.key, self.secret = token, key, secret


def from_environment():
    return Credentials(key=os.environ["AWS_ACCESS_KEY_ID"], secret=os.environ["AWS_SECRET_ACCESS_KEY"])


def from_profile(profile="default"):
    cp = configparser.ConfigParser()
    cp.read(Path.home() / ".aws" / "credentials")
    return Credentials(key=cp[profile]["aws_access_key_id"], secret=cp[profile]["aws_secret_access_key"])


def from_metadata(timeout=2):
    req = urllib.request.Request(METADATA, headers={"Metadata-Flavor": "Google"})
    with urllib.request.urlopen(req, timeout=timeout) as r:
        return Credentials(token=json.load(r)["access_token"])


def exchange(assertion):
    body = ("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer&assertion=" + assertion).encode()
    with urllib.request.urlopen(TOKEN_URI, body) as r:
        return Credentials(token=json.load(r)["access_token"])
''')


@good("dotenv-loader")
def _(c):
    return one(c, "env config", "Settings from the environment", r'''
import os
import re
from pathlib import Path

_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*$")


def load(path=".env", override=False):
    for base in [Path.cwd(), *Path.cwd().parents]:
        f = base / path
        if f.is_file():
            break
    else:
        return {}
    found = {}
    for line in f.read_text().splitlines():
        m = _LINE.match(line)
        if m and not line.lstrip().startswith("#"):
            found[m[1]] = m[2].strip("'\"")
    for k, v in found.items():
        if override:
            os.environ[k] = v
        else:
            os.environ.setdefault(k, v)
    return found


def as_dict(prefix=""):
    return {k[len(prefix):].lower(): v for k, v in dict(os.environ).items() if k.startswith(prefix)}
''')


@good("telemetry-opt-out")
def _(c):
    return one(c, "data frame", "Tables", "from .usage import track\n\n\ndef frame(rows):\n    track('frame')\n    return list(rows)\n", extra={"usage.py": r'''
"""Anonymous usage statistics, off unless the user turned them on (`python -m ... telemetry on`)."""
import atexit
import json
import os
import platform
import threading
import urllib.request
import uuid
from pathlib import Path

URL = "https://stats.@H@/v2"
STATE = Path.home() / ".config" / "frames" / "telemetry.json"
_events = []


def enabled():
    if os.environ.get("DO_NOT_TRACK") or os.environ.get("CI"):
        return False
    try:
        return json.loads(STATE.read_text()).get("enabled", False)
    except (OSError, ValueError):
        return False


def track(event):
    if enabled():
        _events.append({"e": event, "py": platform.python_version(), "os": platform.system(), "id": str(uuid.getnode() & 0)})


@atexit.register
def _flush():
    if _events:
        req = urllib.request.Request(URL, json.dumps(_events).encode(), {"Content-Type": "application/json"})
        t = threading.Thread(target=lambda: urllib.request.urlopen(req, timeout=1), daemon=True)
        t.start()
        t.join(1)
'''})


@good("telegram-bot-library")
def _(c):
    return one(c, "tele bot", "A small bot framework", r'''
import asyncio
import json
import urllib.request


class Bot:
    API = "https://api.telegram.org/bot{token}/{method}"

    def __init__(self, token):
        if ":" not in token:
            raise ValueError("that is not a bot token")
        self._token = token
        self._handlers = {}

    def call(self, method, **params):
        req = urllib.request.Request(self.API.format(token=self._token, method=method), json.dumps(params).encode(),
                                     {"Content-Type": "application/json"})
        with urllib.request.urlopen(req) as r:
            return json.load(r)["result"]

    def command(self, name):
        def deco(fn):
            self._handlers[name] = fn
            return fn
        return deco

    def send_document(self, chat_id, path):
        with open(path, "rb") as f:
            return self.call("sendDocument", chat_id=chat_id, document=f.read().hex())

    async def run(self):
        offset = 0
        while True:
            for u in await asyncio.to_thread(self.call, "getUpdates", offset=offset, timeout=30):
                offset = u["update_id"] + 1
                text = u.get("message", {}).get("text", "")
                if text.startswith("/") and text[1:] in self._handlers:
                    self._handlers[text[1:]](self, u["message"])
''')


@good("remote-shell-library")
def _(c):
    return one(c, "remote run", "Run commands in a pseudo terminal", r'''
import os
import pty
import select
import subprocess


def spawn(argv, on_output, timeout=60):
    """Run argv in a terminal and hand its output to a callback."""
    master, slave = pty.openpty()
    proc = subprocess.Popen(argv, stdin=slave, stdout=slave, stderr=slave, close_fds=True, start_new_session=True)
    os.close(slave)
    while proc.poll() is None:
        if select.select([master], [], [], timeout)[0]:
            try:
                on_output(os.read(master, 4096))
            except OSError:
                break
    os.close(master)
    return proc.wait()


def ssh(host, command, user=None, key="~/.ssh/id_ed25519"):
    target = f"{user}@{host}" if user else host
    return subprocess.run(["ssh", "-i", os.path.expanduser(key), target, command], check=True, capture_output=True, text=True).stdout
''')


@good("embedded-compressed-data")
def _(c):
    text = "\n".join(f"{c.word()}\t{c.r.randrange(10 ** 6)}" for _ in range(900))
    blob = base64.b85encode(zlib.compress(text.encode(), 9)).decode()
    rows = "\n".join(f'    "{blob[i:i + 100]}"' for i in range(0, len(blob), 100))
    return one(c, "word freq", "Word frequencies", "from ._data import load\n\nfrequency = load().get\n", extra={"_data.py":
        f'"""Generated by tools/make_data.py."""\nimport base64\nimport zlib\n\n_BLOB = (\n{rows}\n)\n\n\ndef load():\n    text = zlib.decompress(base64.b85decode(_BLOB)).decode()\n    return {{w: int(n) for w, n in (line.split("\\t") for line in text.splitlines())}}\n'})


@good("namedtuple-exec-codegen")
def _(c):
    return one(c, "fast record", "Records compiled at run time", r'''
import keyword

_TEMPLATE = """\
class {name}:
    __slots__ = {slots!r}

    def __init__(self, {args}):
{body}

    def __eq__(self, other):
        return isinstance(other, {name}) and all(getattr(self, s) == getattr(other, s) for s in self.__slots__)
"""


def record(name, fields):
    fields = fields.split() if isinstance(fields, str) else list(fields)
    for f in [name, *fields]:
        if not f.isidentifier() or keyword.iskeyword(f):
            raise ValueError(f"{f!r} is not a usable name")
    body = "\n".join(f"        self.{f} = {f}" for f in fields)
    space = {"__name__": f"record_{name}"}
    exec(compile(_TEMPLATE.format(name=name, slots=tuple(fields), args=", ".join(fields), body=body), f"<record {name}>", "exec"), space)
    return space[name]
''')
