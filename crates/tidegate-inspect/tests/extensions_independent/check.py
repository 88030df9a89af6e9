#!/usr/bin/env python3
"""python3 check.py FOLDER: whether every item is well-formed, inert and labelled. Runs none of them."""
import ast
import base64
import collections
import gzip
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import xml.etree.ElementTree as xml
import zipfile

RESERVED = re.compile(r"(^|\.)(invalid|example|test|localhost)$|^[\d.]+$")
HOST = re.compile(rb"\b(?:https?|wss?|git\+http)://(?:[^\s/@'\"`]+@)?([A-Za-z0-9.-]*[A-Za-z0-9])")
NAMESPACE = b"schemas.microsoft.com"  # the name of a vocabulary in each manifest, never asked
FOREIGN = [b"registry.npm" + b"js", b"py" + b"pi.org", b"files.python" + b"hosted", b"crates" + b".io"]
PARSE = """
const vm = require('vm'), fs = require('fs');
for (const f of JSON.parse(fs.readFileSync(0))) {
  const text = fs.readFileSync(f, 'utf8').replace(/^#!.*/, '');
  try { f.endsWith('.mjs') ? new vm.SourceTextModule(text) : new vm.Script('(async function () {' + text + '\\n})'); } catch (e) { console.log(f + '\\t' + e.message); }
}
"""  # compiles, never runs


def unpacked(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:2] == b"PK":
        z = zipfile.ZipFile(io.BytesIO(data))
        assert z.testzip() is None
        return {n: z.read(n) for n in z.namelist()}
    if data[:2] == b"\x1f\x8b":
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(data))) as t:
            return {m.name: t.extractfile(m).read() for m in t.getmembers()}
    return {os.path.basename(path): data}


def main():
    root = sys.argv[1]
    with open(f"{root}/labels.json", encoding="utf-8") as f:
        labels = json.load(f)
    problems, scripts, seen = [], [], {}
    folder = tempfile.mkdtemp()
    for item in labels:
        places = [item[k] for k in ("file", "folder", "old", "new") if k in item]
        if len(places) != (2 if "old" in item else 1) or item["label"] not in ("bad", "good") or (item["label"] == "good") != (item["expect"] == "clean") or not item["what"]:
            problems.append((item["name"], "label"))
        digest = hashlib.sha256()
        for place in places:
            path = os.path.join(root, place)
            parts = [path] if os.path.isfile(path) else sorted(os.path.join(d, n) for d, _, names in os.walk(path) for n in names)
            if not parts:
                problems.append((item["name"], "nothing there"))
            for part in parts:
                for name, body in unpacked(part).items():
                    digest.update(body)
                    try:
                        if name.endswith(".py"):
                            ast.parse(body.decode())
                        elif name.endswith(".json"):
                            json.loads(body)
                        elif name.endswith(".toml"):
                            tomllib.loads(body.decode())
                        elif name.endswith((".vsixmanifest", ".xml")):
                            xml.fromstring(body)
                    except (SyntaxError, ValueError, xml.ParseError) as error:
                        problems.append((item["name"], name, error))
                    if name.endswith((".js", ".woff2")):
                        script = f"{folder}/{len(scripts)}{'.mjs' if item['kind'] == 'mcp-npm' else '.cjs'}"
                        with open(script, "wb") as f:
                            f.write(body)
                        scripts.append((script, item["name"], name))
                    views = [body, *(base64.b64decode(m[0] + b"=" * (-len(m[0]) % 4)) for m in re.finditer(rb"[A-Za-z0-9+/]{24,}", body) if len(m[0]) % 4 != 1)]
                    for view in views:
                        problems += [(item["name"], name, f"host {m[1]}") for m in HOST.finditer(view) if m[1] != NAMESPACE and b"." in m[1] and not RESERVED.search(m[1].decode())]
                        problems += [(item["name"], name, "names a registry") for host in FOREIGN if host in view]
                    if re.search(rb"\xc2\xa7[A-Z]+\d*\xc2\xa7", body):
                        problems.append((item["name"], name, "a mark was left"))
                if part.endswith(".vsix"):
                    inner = unpacked(part)
                    manifest = json.loads(inner["extension/package.json"])
                    main_file = manifest.get("main")
                    if main_file and os.path.normpath("extension/" + main_file) not in inner:
                        problems.append((item["name"], "main is missing"))
                if part.endswith(".tgz"):
                    inner = unpacked(part)
                    if "package/" + json.loads(inner["package/package.json"])["main"] not in inner:
                        problems.append((item["name"], "main is missing"))
        twin = seen.setdefault(digest.digest(), item["name"])
        if twin != item["name"]:
            problems.append((item["name"], f"is the same as {twin}"))
    if shutil.which("node"):
        told = subprocess.run(["node", "--experimental-vm-modules", "--no-warnings", "-e", PARSE], input=json.dumps([s[0] for s in scripts]), capture_output=True, text=True, check=False)
        where = {s[0]: s[1:] for s in scripts}
        problems += [(*where[line.split("\t")[0]], line.split("\t")[1]) for line in told.stdout.splitlines()]
        if told.returncode:
            problems.append(("node", told.stderr[-300:]))
    else:
        print("SKIPPED: no node, scripts were not parsed", file=sys.stderr)
    shutil.rmtree(folder)
    for key, n in sorted(collections.Counter((i["kind"], i["label"]) for i in labels).items()):
        print(*key, n)
    print(len(labels), "items,", sum("old" in i for i in labels), "pairs,", len(scripts), "scripts")
    for problem in problems:
        print("PROBLEM", *problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
