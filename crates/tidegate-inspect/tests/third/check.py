#!/usr/bin/env python3
"""python3 check.py FOLDER: whether every sample is well-formed and inert, and whether the labels fit. Runs no sample."""
import ast
import base64
import bz2
import collections
import gzip
import hashlib
import io
import json
import lzma
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import urllib.parse
import zipfile
import zlib

RESERVED = re.compile(r"(^|\.)(invalid|example|test|localhost)$|^localhost$|^[\d.]+$|^db$")
HOST = re.compile(rb"\b(?:https?|wss?|sb|redis|mongodb\+srv|postgres(?:ql\+psycopg)?|git\+http|stratum\+tcp|sparse\+http)://(?:[^\s/@'\"`]+@)?([A-Za-z0-9.-]*[A-Za-z0-9])")
FOREIGN = [b"registry.npm" + b"js", b"py" + b"pi.org", b"files.python" + b"hosted", b"crates" + b".io", b"repo1.maven", b"proxy.golang", b"deb.debian"]
PARSE = """
const vm = require('vm'), fs = require('fs');
for (const f of JSON.parse(fs.readFileSync(0))) {
  const text = fs.readFileSync(f, 'utf8').replace(/^#!.*/, '');
  try { f.endsWith('.mjs') ? new vm.SourceTextModule(text) : new vm.Script('(async function () {' + text + '\\n})'); } catch (e) { console.log(f + '\\t' + e.message); }
}
"""  # compiles, never runs


def tar_files(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        return {m.name: t.extractfile(m).read() for m in t.getmembers() if m.isfile()}


def members(data):
    if data[:2] == b"PK":
        z = zipfile.ZipFile(io.BytesIO(data))
        return {n: z.read(n) for n in z.namelist()}
    return tar_files(gzip.decompress(data))


def views(data, depth=0):
    """What a reader who unpacks and decodes could see."""
    yield data
    if depth > 5:
        return
    inner = []
    if data[:2] == b"\x1f\x8b":
        inner = [gzip.decompress(data)]
    elif data[:3] == b"BZh":
        inner = [bz2.decompress(data)]
    elif data[:6] == b"\xfd7zXZ\0":
        inner = [lzma.decompress(data)]
    elif data[:2] == b"PK":
        inner = list(members(data).values())
    elif data[257:262] == b"ustar":
        inner = list(tar_files(data).values())
    elif data[:1] == b"\x78":
        inner = [zlib.decompress(data)]
    elif data[:2] == b"\xff\xfe":
        inner = [data.decode("utf-16").encode()]
    else:
        for m in re.finditer(rb"[A-Za-z0-9+/]{24,}={0,2}", data):
            try:
                inner.append(base64.b64decode(m[0], validate=True))
            except ValueError:
                pass
    for one in inner:
        try:
            yield from views(one, depth + 1)
        except (OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, tarfile.TarError, UnicodeDecodeError):
            pass


def spellings(value):
    once = json.dumps(value)[1:-1]
    yield from (value, once, json.dumps(once)[1:-1], json.dumps(json.dumps(once)[1:-1])[1:-1], urllib.parse.quote(value).replace("-", "%2D"), f"{value[:4]}' + '{value[4:]}")


def main():
    root = sys.argv[1]
    problems, scripts = [], []
    with open(f"{root}/labels.json", encoding="utf-8") as f:
        items = json.load(f)
    planted = collections.defaultdict(list)
    with open(f"{root}/planted.jsonl", encoding="utf-8") as f:
        for line in f:
            row = json.loads(line)
            planted[row["file"]].append(row["value"])
    folder = tempfile.mkdtemp()
    for item in items:
        rel = item["file"]
        with open(f"{root}/{rel}", "rb") as f:
            data = f.read()
        files = members(data)
        top = {n.split("/")[0] for n in files}
        kind = item["kind"]
        if kind == "npm":
            manifest = json.loads(files["package/package.json"])
            if not any(os.path.normpath(f"package/{manifest['main']}{e}") in files for e in ("", ".js", "/index.js")):
                problems.append((rel, "main is missing"))
            module = manifest.get("type") == "module"
        else:
            module = False
        if kind == "pypi" and rel.endswith(".whl"):
            record = next(n for n in files if n.endswith(".dist-info/RECORD"))
            for line in files[record].decode().splitlines():
                name, digest, _ = line.rsplit(",", 2)
                if digest and digest[7:] != base64.urlsafe_b64encode(hashlib.sha256(files[name]).digest()).rstrip(b"=").decode():
                    problems.append((rel, f"RECORD does not fit {name}"))
        elif len(top) != 1:
            problems.append((rel, f"more than one root: {top}"))
        for name, body in files.items():
            try:
                if name.endswith(".py") and name != "pycryptoenv_x/test.py":
                    ast.parse(body.decode())
                elif name.endswith(".toml"):
                    tomllib.loads(body.decode())
                elif name.endswith((".json", ".ipynb", ".map", ".har")) and "/.vscode/" not in name:
                    json.loads(body)
            except (SyntaxError, ValueError) as error:
                problems.append((rel, name, error))
            if name.endswith((".js", ".mjs", ".cjs")) or body.startswith(b"#!/usr/bin/env node"):
                esm = name.endswith(".mjs") or module or name.endswith("bun_environment.js")
                path = f"{folder}/{len(scripts)}{'.mjs' if esm else '.cjs'}"
                with open(path, "wb") as f:
                    f.write(body)
                scripts.append((path, rel, name))
            for view in views(body):
                problems += [(rel, name, "names a registry") for host in FOREIGN if host in view and "pypi-token" != item["family"]]
                problems += [(rel, name, f"host {m[1].decode()}") for m in HOST.finditer(view) if b"." in m[1] and not RESERVED.search(m[1].decode())]
                if b"\xc2\xa7" in view and re.search(rb"\xc2\xa7[A-Z]+\d*\xc2\xa7", view):
                    problems.append((rel, name, "a mark was left"))
        for value in planted[rel]:
            if not any(s.encode() in v for b in files.values() for v in views(b) for s in spellings(value)):
                problems.append((rel, "the planted value is not seen"))
        if (item["area"], item["label"]) == ("secret", "bad") and not planted[rel]:
            problems.append((rel, "nothing planted"))
    if shutil.which("node"):
        told = subprocess.run(["node", "--experimental-vm-modules", "--no-warnings", "-e", PARSE], input=json.dumps([s[0] for s in scripts]), capture_output=True, text=True, check=False)
        where = {path: (rel, name) for path, rel, name in scripts}
        problems += [(*where[line.split("\t")[0]], line.split("\t")[1]) for line in told.stdout.splitlines()]
        if told.returncode:
            problems.append(("node", told.stderr[-300:]))
    else:
        print("SKIPPED: no node, scripts were not parsed", file=sys.stderr)
    shutil.rmtree(folder)
    for key, n in sorted(collections.Counter((i["area"], i["kind"], i["label"]) for i in items).items()):
        print(*key, n)
    print(len(items), "items,", len(scripts), "scripts,", len({i["family"] for i in items}), "families")
    for problem in problems:
        print("PROBLEM", *problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
