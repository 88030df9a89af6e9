"""PyPI, good: import and call time."""

from .core import sample
from .pypi_bad_b import one

good = lambda family: sample("pypi", "good", family)  # noqa: E731


@good("requests-instrumentation")
def _(c):
    return one(c, "otel http", "Traces for requests", r'''
import functools
import time

import requests

_exporter = None
SENSITIVE = {"authorization", "cookie", "x-api-key", "proxy-authorization"}


def instrument(exporter):
    """Patch requests.Session.send; exporter gets one dictionary for each call, without credentials."""
    global _exporter
    _exporter = exporter
    if hasattr(requests.Session.send, "_plain"):
        return
    plain = requests.Session.send

    @functools.wraps(plain)
    def send(self, request, **kwargs):
        begin = time.perf_counter()
        response = plain(self, request, **kwargs)
        headers = {k: v for k, v in request.headers.items() if k.lower() not in SENSITIVE}
        _exporter({"method": request.method, "url": request.url.split("?")[0], "status": response.status_code, "headers": headers,
                   "seconds": time.perf_counter() - begin})
        return response

    send._plain = plain
    requests.Session.send = send


def uninstrument():
    requests.Session.send = getattr(requests.Session.send, "_plain", requests.Session.send)
''', requires=["requests"])


@good("keyring-store")
def _(c):
    return one(c, "key store", "Store passwords in the system keyring", r'''
import getpass
import platform
import subprocess


class MacKeychain:
    def get(self, service, user):
        return subprocess.run(["security", "find-generic-password", "-w", "-s", service, "-a", user], capture_output=True, text=True).stdout.strip()

    def set(self, service, user, password):
        subprocess.run(["security", "add-generic-password", "-U", "-s", service, "-a", user, "-w", password], check=True)


class SecretTool:
    def get(self, service, user):
        return subprocess.run(["secret-tool", "lookup", "service", service, "user", user], capture_output=True, text=True).stdout

    def set(self, service, user, password):
        subprocess.run(["secret-tool", "store", "--label", service, "service", service, "user", user], input=password, text=True, check=True)


def backend():
    return MacKeychain() if platform.system() == "Darwin" else SecretTool()


def ask(service, user=None):
    user = user or getpass.getuser()
    return backend().get(service, user) or getpass.getpass(f"Password of {user} for {service}: ")
''')


@good("secret-scanner")
def _(c):
    return one(c, "leak check", "Find credentials in a folder", r'''
import argparse
import json
import math
import os
import re
from collections import Counter
from pathlib import Path

RULES = {
    "aws": r"\bAKIA[0-9A-Z]{16}\b",
    "slack": r"xox[abpr]-[0-9A-Za-z-]{10,}",
    "key": r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    "telegram": r"\b\d{9,10}:AA[\w-]{33}\b",
    "discord": r"https://discord\.com/api/webhooks/\d+/[\w-]+",
}
INTERESTING = ("~/.ssh", "~/.aws/credentials", "~/.netrc", "~/.config/gcloud", "~/.docker/config.json")


def entropy(text):
    n = len(text)
    return -sum(v / n * math.log2(v / n) for v in Counter(text).values()) if n else 0.0


def scan(root):
    for p in Path(root).rglob("*"):
        if p.is_file() and p.stat().st_size < 1 << 20:
            text = p.read_text(errors="ignore")
            for name, rx in RULES.items():
                for m in re.finditer(rx, text):
                    yield {"file": str(p), "rule": name, "offset": m.start(), "entropy": round(entropy(m[0]), 2)}


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("paths", nargs="*", default=[os.path.expanduser(p) for p in INTERESTING])
    for p in ap.parse_args().paths:
        for hit in scan(p):
            print(json.dumps(hit))
''')


@good("emoji-table")
def _(c):
    seq = ["\u2764\ufe0f", "\U0001F441\ufe0f\u200d\U0001F5E8\ufe0f", "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F"]
    return one(c, "emoji names", "Names of emoji", "NAMES = {\n" + "".join(f'    "{s}": "{n}",\n' for s, n in zip(seq, ("heart", "eye in speech bubble", "flag: England"))) + "}\n\n\ndef demojize(text):\n    for s, n in NAMES.items():\n        text = text.replace(s, ':' + n.replace(' ', '_') + ':')\n    return text\n")


@good("browser-cookie-reader-own-app")
def _(c):
    return one(c, "session file", "Session storage of this application", r'''
import json
import os
import sqlite3
from pathlib import Path


def folder(app):
    base = os.environ.get("LOCALAPPDATA") or os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / app


class Sessions:
    def __init__(self, app):
        path = folder(app) / "sessions.db"
        path.parent.mkdir(parents=True, exist_ok=True)
        self.db = sqlite3.connect(path)
        self.db.execute("CREATE TABLE IF NOT EXISTS cookies (host TEXT, name TEXT, value TEXT, PRIMARY KEY (host, name))")

    def put(self, host, name, value):
        with self.db:
            self.db.execute("REPLACE INTO cookies VALUES (?, ?, ?)", (host, name, value))

    def header(self, host):
        return "; ".join(f"{n}={v}" for n, v in self.db.execute("SELECT name, value FROM cookies WHERE host = ?", (host,)))

    def dump(self):
        return json.dumps(self.db.execute("SELECT * FROM cookies").fetchall())
''')


@good("self-update-tool")
def _(c):
    return one(c, "tool update", "Update a tool from signed releases", r'''
import hashlib
import json
import os
import stat
import sys
import tempfile
from urllib.request import urlopen

INDEX = "https://releases.@H@/index.json"


def latest(channel="stable"):
    with urlopen(INDEX, timeout=10) as r:
        return json.load(r)[channel]


def update(target, yes=False):
    info = latest()
    if not yes and input(f"Update {target} to {info['version']}? [y/N] ").lower() != "y":
        return False
    data = urlopen(info["url"]).read()
    if hashlib.sha256(data).hexdigest() != info["sha256"]:
        sys.exit("The digest of the download is wrong; nothing was changed.")
    fd, tmp = tempfile.mkstemp(dir=os.path.dirname(target))
    with os.fdopen(fd, "wb") as f:
        f.write(data)
    os.chmod(tmp, os.stat(target).st_mode | stat.S_IXUSR)
    os.replace(tmp, target)
    return True
''')


@good("notebook-magic-shell")
def _(c):
    return one(c, "notebook tools", "Magics for notebooks", r'''
import subprocess

from IPython.core.magic import Magics, line_cell_magic, line_magic, magics_class


@magics_class
class Tools(Magics):
    @line_magic
    def pipq(self, line):
        """Install packages quietly."""
        subprocess.check_call([__import__("sys").executable, "-m", "pip", "install", "-q", *line.split()])

    @line_cell_magic
    def bashx(self, line, cell=None):
        out = subprocess.run(["bash", "-c", cell or line], capture_output=True, text=True)
        print(out.stdout + out.stderr)

    @line_magic
    def timeitx(self, line):
        import timeit
        return timeit.timeit(lambda: eval(line, self.shell.user_ns), number=100)


def load_ipython_extension(ip):
    ip.register_magics(Tools)
''')


@good("hotkey-library")
def _(c):
    return one(c, "key bind", "Key bindings for desktop applications", r'''
from collections import defaultdict


class Keys:
    """Listens only for the combinations which were bound."""

    def __init__(self):
        self._bound = defaultdict(list)
        self._listener = None

    def bind(self, combo, fn):
        self._bound[frozenset(combo.lower().split("+"))].append(fn)

    def start(self):
        from pynput import keyboard
        down = set()

        def press(key):
            down.add(getattr(key, "char", None) or key.name)
            for fn in self._bound.get(frozenset(down), ()):
                fn()

        def release(key):
            down.discard(getattr(key, "char", None) or key.name)

        self._listener = keyboard.Listener(on_press=press, on_release=release)
        self._listener.start()

    def stop(self):
        if self._listener:
            self._listener.stop()
''', requires=["pynput"])


@good("smtp-report-mailer")
def _(c):
    return one(c, "mail report", "Send reports by mail", r'''
import os
import smtplib
import ssl
from email.message import EmailMessage


def send(to, subject, body, attachments=(), host=None, user=None, password=None):
    msg = EmailMessage()
    msg["From"] = user = user or os.environ["SMTP_USER"]
    msg["To"], msg["Subject"] = to, subject
    msg.set_content(body)
    for path in attachments:
        with open(path, "rb") as f:
            msg.add_attachment(f.read(), maintype="application", subtype="octet-stream", filename=os.path.basename(path))
    with smtplib.SMTP_SSL(host or os.environ["SMTP_HOST"], 465, context=ssl.create_default_context()) as s:
        s.login(user, password or os.environ["SMTP_PASSWORD"])
        s.send_message(msg)
''')
