"""PyPI, good: build and start-up."""
import hashlib

from .core import sample

good = lambda family: sample("pypi", "good", family)  # noqa: E731


@good("numpy-style-setup")
def _(c):
    return dict(name=c.name("fast", "array"), desc="Array kernels", kind="sdist", files={"src/kernels.c": "int tg_add(int a, int b) { return a + b; }\n", "setup.py": r'''
#!/usr/bin/env python
import os
import subprocess
import sys

from setuptools import Extension, find_packages, setup
from setuptools.command.build_ext import build_ext


def git_version():
    env = {k: os.environ[k] for k in ("SYSTEMROOT", "PATH", "HOME") if k in os.environ}
    env["LC_ALL"] = "C"
    try:
        return subprocess.check_output(["git", "rev-parse", "HEAD"], env=env, stderr=subprocess.DEVNULL).decode().strip()
    except (OSError, subprocess.SubprocessError):
        return "unknown"


def write_version(path="src/fast_array/_version.py"):
    with open(path, "w") as f:
        f.write("git_revision = %r\n" % git_version())


class BuildExt(build_ext):
    def build_extensions(self):
        flags = ["-O3"] + (["-march=native"] if os.environ.get("NATIVE") else [])
        if subprocess.call([os.environ.get("CC", "cc"), "-fopenmp", "-E", "-"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) == 0:
            flags.append("-fopenmp")
        for ext in self.extensions:
            ext.extra_compile_args = flags
        super().build_extensions()


if "--help" not in sys.argv:
    os.makedirs("src/fast_array", exist_ok=True)
    write_version()

exec(open("src/fast_array/_version.py").read())
setup(name="fast-array", version="1.4.2", package_dir={"": "src"}, packages=find_packages("src"),
      ext_modules=[Extension("fast_array._kernels", ["src/kernels.c"])], cmdclass={"build_ext": BuildExt})
'''})


@good("setup-exec-version")
def _(c):
    return dict(name=c.name("conf", "tree"), desc="Trees of settings", kind="sdist", files={"setup.py": r'''
import os
import re
from setuptools import find_packages, setup

here = os.path.abspath(os.path.dirname(__file__))
about = {}
with open(os.path.join(here, "conf_tree", "__about__.py"), encoding="utf-8") as f:
    exec(compile(f.read(), "__about__.py", "exec"), about)

with open(os.path.join(here, "README.md"), encoding="utf-8") as f:
    text = re.sub(r"\[!\[.*?\)\]\(.*?\)", "", f.read())

setup(name=about["__title__"], version=about["__version__"], long_description=text, packages=find_packages(exclude=["tests"]),
      install_requires=["typing-extensions>=4; python_version<'3.11'"])
''', "conf_tree/__about__.py": '__title__ = "conf-tree"\n__version__ = "3.1"\n', "conf_tree/__init__.py": ""}, bare=True)


@good("setup-download-checksum")
def _(c):
    return dict(name=c.name("zst", "codec"), desc="Compression bindings", kind="sdist", files={"setup.py": r'''
import hashlib
import io
import os
import tarfile
from urllib.request import urlopen

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

VERSION = "1.5.6"
URL = os.environ.get("ZST_SOURCE", "https://sources.@H@/zst-%s.tar.gz" % VERSION)
SHA256 = "@HEX64@"


class BuildWithSource(build_ext):
    def run(self):
        if not os.path.isdir("vendor/zst"):
            data = urlopen(URL, timeout=60).read()
            digest = hashlib.sha256(data).hexdigest()
            if digest != SHA256:
                raise SystemExit("wrong digest of %s: %s" % (URL, digest))
            with tarfile.open(fileobj=io.BytesIO(data)) as tar:
                tar.extractall("vendor", filter="data")
        build_ext.run(self)


setup(name="zst-codec", version="0.9", ext_modules=[Extension("_zst", ["src/_zst.c"])], cmdclass={"build_ext": BuildWithSource})
''', "src/_zst.c": "int zst(void) { return 0; }\n"}, bare=True)


@good("in-tree-backend")
def _(c):
    return dict(name=c.name("docs", "theme"), desc="Theme with compiled styles", kind="sdist", files={
        "pyproject.toml": '[build-system]\nrequires = ["flit_core>=3.2"]\nbuild-backend = "theme_backend"\nbackend-path = ["tools"]\n\n[project]\nname = "docs-theme"\nversion = "@VER@"\n',
        "tools/theme_backend.py": r'''
"""Wraps flit and compiles the style sheets first."""
import shutil
import subprocess
from pathlib import Path

from flit_core import buildapi
from flit_core.buildapi import build_sdist, get_requires_for_build_sdist  # noqa: F401

ROOT = Path(__file__).resolve().parent.parent


def _styles():
    npm = shutil.which("npm")
    if npm and (ROOT / "package.json").exists():
        subprocess.run([npm, "run", "build"], cwd=ROOT, check=True)


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _styles()
    return buildapi.build_wheel(wheel_directory, config_settings, metadata_directory)


def get_requires_for_build_wheel(config_settings=None):
    return buildapi.get_requires_for_build_wheel(config_settings)
'''})


@good("pth-known-idioms")
def _(c):
    return dict(name=c.name("cov", "start"), desc="Start coverage in subprocesses", files={
        "cov_start.pth": "import coverage; coverage.process_startup()\n"})


@good("pth-namespace-paths")
def _(c):
    mod = c.word() + c.word()
    return dict(name=mod + "-legacy", desc="Namespace package", module=mod, files={
        f"{mod}_legacy-nspkg.pth": f"import sys, types, os;has_mfs = sys.version_info > (3, 5);p = os.path.join(sys._getframe(1).f_locals['sitedir'], *('{mod}',));importlib = has_mfs and __import__('importlib.util');has_mfs and __import__('importlib.machinery');m = has_mfs and sys.modules.setdefault('{mod}', importlib.util.module_from_spec(importlib.machinery.PathFinder.find_spec('{mod}', [os.path.dirname(p)])));m = m or sys.modules.setdefault('{mod}', types.ModuleType('{mod}'));mp = (m or []) and m.__dict__.setdefault('__path__',[]);(p not in mp) and mp.append(p)\n",
        "extra_paths.pth": "./vendor_libs\n../shared/python\n", f"{mod}/legacy/__init__.py": "VALUE = 1\n"}, bare=True)


@good("editable-finder-pth")
def _(c):
    n = c.name("dev", "hook").replace("-", "_")
    return dict(name=n, desc="Editable install helper", module=n, files={f"__editable__.{n}-0.1.pth": f"import __editable___{n}_finder; __editable___{n}_finder.install()\n",
        f"__editable___{n}_finder.py": r'''
import sys
from importlib.machinery import PathFinder

MAPPING = {"demo_pkg": "/work/src/demo_pkg"}


class Finder:
    @classmethod
    def find_spec(cls, fullname, path=None, target=None):
        root = fullname.partition(".")[0]
        if root in MAPPING:
            return PathFinder.find_spec(fullname, [MAPPING[root].rpartition("/")[0]])
        return None


def install():
    if Finder not in sys.meta_path:
        sys.meta_path.append(Finder)
'''})


@good("cmdclass-post-install-message")
def _(c):
    return dict(name=c.name("shell", "complete"), desc="Completion for shells", kind="sdist", files={"setup.py": r'''
import os
from setuptools import find_packages, setup
from setuptools.command.install import install


class Install(install):
    user_options = install.user_options + [("completion-dir=", None, "where completion files go")]

    def initialize_options(self):
        super().initialize_options()
        self.completion_dir = None

    def run(self):
        super().run()
        if self.completion_dir:
            self.copy_tree("completions", os.path.expanduser(self.completion_dir))
        self.announce("Add 'eval \"$(shell-complete init)\"' to your shell configuration.", level=2)


setup(name="shell-complete", version="0.6.1", packages=find_packages(), cmdclass={"install": Install},
      entry_points={"console_scripts": ["shell-complete = shell_complete.cli:main"]})
''', "completions/_tool": "#compdef tool\n_arguments '--help'\n", "shell_complete/cli.py": "import sys\n\n\ndef main():\n    sys.stdout.write('complete -F _tool tool\\n')\n", "shell_complete/__init__.py": ""}, bare=True)


@good("fake-tokens-in-tests")
def _(c):
    return dict(name=c.name("mask", "log"), desc="Mask secrets in log records", kind="sdist", files={"mask_log/__init__.py": r'''
import logging
import re

SHAPES = [re.compile(p) for p in (r"gh[pousr]_\w{36}", r"AKIA[0-9A-Z]{16}", r"(?i)(?<=password=)\S+", r"xox[bp]-[\w-]+")]


class Mask(logging.Filter):
    def filter(self, record):
        text = record.getMessage()
        for shape in SHAPES:
            text = shape.sub("***", text)
        record.msg, record.args = text, ()
        return True
''', "tests/test_mask.py": r'''
import logging
import os

from mask_log import Mask

FAKE = {"github": "ghp_" + "0" * 36, "aws": "AKIA" + "X" * 16, "db": "postgres://user:password=hunter2@localhost/x"}


def test_all(caplog, monkeypatch):
    monkeypatch.setenv("GITHUB_TOKEN", FAKE["github"])
    rec = logging.LogRecord("n", 20, "p", 1, "%s %s", (FAKE["aws"], os.environ["GITHUB_TOKEN"]), None)
    assert Mask().filter(rec) and "AKIA" not in rec.msg
'''}, bare=True)


@good("proto-compile-setup")
def _(c):
    return dict(name=c.name("rpc", "stubs"), desc="Generated stubs", kind="sdist", files={"setup.py": r'''
import glob
import shutil
import subprocess
import sys
from setuptools import Command, find_packages, setup
from setuptools.command.build_py import build_py


class Protoc(Command):
    user_options = []

    def initialize_options(self):
        self.protoc = shutil.which("protoc")

    def finalize_options(self):
        if not self.protoc:
            sys.exit("protoc is not installed")

    def run(self):
        for p in sorted(glob.glob("proto/*.proto")):
            subprocess.check_call([self.protoc, "-Iproto", "--python_out=rpc_stubs", p])


class Build(build_py):
    def run(self):
        self.run_command("protoc")
        super().run()


setup(name="rpc-stubs", version="2.0", packages=find_packages(), cmdclass={"protoc": Protoc, "build_py": Build})
''', "proto/echo.proto": 'syntax = "proto3";\nmessage Echo { string text = 1; }\n', "rpc_stubs/__init__.py": ""}, bare=True)


@good("binary-wheel-launcher")
def _(c):
    n = c.name("lint", "bin").replace("-", "_")
    exe = b"\x7fELF\x02\x01\x01\x00" + b"\0" * 8 + b"\x02\0\x3e\0\x01\0\0\0" + c.raw(2600)
    return dict(name=n, desc="A linter written in another language", module=n, tag="py3-none-manylinux_2_17_x86_64", entry=f"[console_scripts]\nlint = {n}.__main__:main\n",
                files={f"{n}/bin/lint": exe, f"{n}/__main__.py": f'''
import os
import subprocess
import sys
from pathlib import Path

SHA256 = "{hashlib.sha256(exe).hexdigest()}"


def main():
    exe = Path(__file__).parent / "bin" / ("lint.exe" if os.name == "nt" else "lint")
    if os.name == "nt":
        sys.exit(subprocess.call([str(exe), *sys.argv[1:]]))
    os.execv(exe, [str(exe), *sys.argv[1:]])


if __name__ == "__main__":
    main()
'''})
