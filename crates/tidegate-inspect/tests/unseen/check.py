#!/usr/bin/env python3
"""python3 check.py OUTDIR: layouts, parsing, counts, planted values present. Reads only; runs no sample."""
import ast
import base64
import bz2
import collections
import gzip
import io
import json
import lzma
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import zipfile
import zlib
import hashlib

out = sys.argv[1]
problems = []
labels = [json.loads(x) for x in open(out + "/labels.jsonl")]
planted = collections.defaultdict(list)
for x in open(out + "/planted.jsonl"):
    x = json.loads(x)
    planted[x["file"]].append(x["value"])


def tar_members(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as t:
        return {m.name: t.extractfile(m).read() for m in t.getmembers() if m.isfile()}


def unfold(data, depth=0, deep=True):
    """Every byte view this simple reader can reach."""
    yield data
    if depth > 6:
        return
    subs = []
    try:
        if data[:2] == b"\x1f\x8b":
            subs.append(gzip.decompress(data))
        elif data[:3] == b"BZh":
            subs.append(bz2.decompress(data))
        elif data[:6] == b"\xfd7zXZ\0":
            subs.append(lzma.decompress(data))
        elif data[:2] == b"PK":
            z = zipfile.ZipFile(io.BytesIO(data))
            assert z.testzip() is None
            subs += [z.read(n) for n in z.namelist()]
        elif data[257:262] == b"ustar":
            subs += list(tar_members(data).values())
        elif data[:8] == b"!<arch>\n":
            at = 8
            while at + 60 <= len(data):
                n = int(data[at + 48:at + 58])
                subs.append(data[at + 60:at + 60 + n])
                at += 60 + n + n % 2
        elif deep:
            for m in re.finditer(rb"\x78[\x01\x9c\xda]", data):
                try:
                    subs.append(zlib.decompressobj().decompress(data[m.start():]))
                except zlib.error:
                    pass
            if b"\0" in data[:200]:
                for codec in ("utf-16-le", "utf-16-be"):
                    for off in (0, 1):
                        subs.append(data[off:].decode(codec, "ignore").encode("utf-8", "ignore"))
            for m in re.finditer(rb"(?:[A-Za-z0-9+/]{76}\n)+[A-Za-z0-9+/=]*|[A-Za-z0-9+/]{24,}={0,2}", data):
                raw = m[0].replace(b"\n", b"")
                raw = raw.rstrip(b"=")
                raw = raw[:-1] if len(raw) % 4 == 1 else raw
                subs.append(base64.b64decode(raw + b"=" * (-len(raw) % 4)))
    except Exception as e:
        problems.append(("unfold", repr(e)))
    for s in subs:
        if s and s != data:
            yield from unfold(s, depth + 1, deep)


def forms(value):
    v = value.strip()
    yield from {v, v.replace("\n", "\\n"), json.dumps(v)[1:-1], json.dumps(json.dumps(v)[1:-1])[1:-1], json.dumps(json.dumps(json.dumps(v)[1:-1])[1:-1])[1:-1],
                repr(v)[1:-1], json.dumps(repr(v)[1:-1])[1:-1], v.replace("&", "&amp;"), v.replace('"', "&quot;"),
                urllib.parse.quote(v, safe="").replace("_", "%5F").replace("-", "%2D"), "".join(f"\\x{ord(x):02x}" for x in v),
                json.dumps(repr(json.dumps(v)[1:-1])[1:-1])[1:-1], repr(json.dumps(v)[1:-1])[1:-1], json.dumps(json.dumps(v)).strip('"'),
                json.dumps(v)[1:-1].replace('"', "&quot;"), repr(repr(v)[1:-1])[1:-1], json.dumps(v)[1:-1].replace("\\n", "\\\\n")}


js_jobs, n_py = [], 0
tmp = tempfile.mkdtemp()


def parse_tree(rel, members, esm_default):
    global n_py
    for name, data in members.items():
        if name.endswith((".py", ".pyi")):
            try:
                ast.parse(data.decode())
                n_py += 1
            except SyntaxError as e:
                problems.append((rel, name, repr(e)))
        if name.endswith((".js", ".mjs", ".cjs")) or (b"#!/usr/bin/env node" in data[:40]):
            ext = ".mjs" if name.endswith(".mjs") or (esm_default and not name.endswith(".cjs")) else ".cjs"
            f = f"{tmp}/{len(js_jobs)}{ext}"
            open(f, "wb").write(data)
            js_jobs.append((rel, name, f))
        if name.endswith(".json"):
            json.loads(data)


for row in labels:
    rel = row["file"]
    data = open(f"{out}/{rel}", "rb").read()
    base = os.path.basename(rel)
    if row["ecosystem"] == "npm":
        m = tar_members(data)
        man = json.loads(m["package/package.json"])
        if row["area"] == "behaviour":
            if "package/" + man["main"] not in m:
                problems.append((rel, "main missing", man["main"]))
            for k, v in man.get("bin", {}).items() if isinstance(man.get("bin"), dict) else ():
                if os.path.normpath("package/" + v) not in m:
                    problems.append((rel, "bin missing", v))
            for k in ("preinstall", "install", "postinstall"):
                s = man.get("scripts", {}).get(k, "")
                for f in re.findall(r"^node (?!-)(\S+)", s):
                    if not any(os.path.normpath("package/" + f) + e in m for e in ("", ".js")):
                        problems.append((rel, "script missing", f))
        parse_tree(rel, m, man.get("type") == "module")
    elif row["ecosystem"] == "pypi" and base.endswith(".whl"):
        z = zipfile.ZipFile(io.BytesIO(data))
        names = z.namelist()
        for want in ("METADATA", "WHEEL", "RECORD"):
            if sum(n.endswith(".dist-info/" + want) for n in names) != 1:
                problems.append((rel, want))
        rec = next(n for n in names if n.endswith("/RECORD"))
        for line in z.read(rec).decode().splitlines():
            f, h, size = line.rsplit(",", 2)
            if h:
                d = z.read(f)
                if h[7:] != base64.urlsafe_b64encode(hashlib.sha256(d).digest()).rstrip(b"=").decode():
                    problems.append((rel, "record", f))
        parse_tree(rel, {n: z.read(n) for n in names}, False)
    elif row["ecosystem"] == "pypi":
        m = tar_members(data)
        root = base[:-7]
        if f"{root}/PKG-INFO" not in m:
            problems.append((rel, "PKG-INFO"))
        parse_tree(rel, m, False)
    elif row["ecosystem"] == "cargo":
        m = tar_members(data)
        root = base[:-6]
        import tomllib
        tomllib.loads(m[f"{root}/Cargo.toml"].decode())
        if not (f"{root}/src/lib.rs" in m or f"{root}/src/main.rs" in m):
            problems.append((rel, "no target"))
        for n, d in m.items():
            if n.endswith(".rs"):
                f = f"{tmp}/r{len(os.listdir(tmp))}.rs"
                open(f, "wb").write(d)
                open(tmp + "/rust.list", "a").write(f"{f} {rel} {n}\n")
    leaf = [b for b in unfold(data)] if row["area"] == "secret" else [data]
    for v in planted.get(rel, []):
        if not any(f.encode() in b or f.encode() in re.sub(rb"[^ -~]", b"", b) for b in leaf for f in forms(v)):
            problems.append((rel, row["family"], "planted value not seen by the simple reader", v[:30]))
    if row["area"] == "secret" and row["label"] == "bad" and rel not in planted:
        problems.append((rel, "bad without planted"))
    views = leaf if row["area"] == "secret" else list(unfold(data, deep=False))
    for blob in views:
        for host in (b"registry.npm" + b"js", b"py" + b"pi.org", b"files.python" + b"hosted", b"crates" + b".io", b"repo1.maven", b"proxy.golang", b"deb.debian"):
            if host in blob and not (host == b"py" + b"pi.org" and row["family"] == "pypi-token"):
                problems.append((rel, "registry host", host))
    left = row["area"] == "behaviour" and re.findall(rb"@(?:H[23]?|W2?|HEX\d+|MISS(?:PY)?|ID2?|HOOK|BOT|CHAT|ETH|BTC|SOL|PORT|VER|HX|KEY|ENC|B|K|P|U|N|T)@", b"".join(views[1:]))
    if left:
        problems.append((rel, "unfilled", set(left)))

PARSER = """
const vm = require('vm'), fs = require('fs');
for (const f of JSON.parse(fs.readFileSync(0))) {
  const src = fs.readFileSync(f, 'utf8').replace(/^#!.*/, '');
  try {
    if (f.endsWith('.mjs')) new vm.SourceTextModule(src);
    else new vm.Script('(async function(exports,require,module,__filename,__dirname){})(function(exports,require,module,__filename,__dirname){' + src + '\\n});');
  } catch (e) { console.log(f + '\\t' + e.message); }
}
"""  # compiles only: neither a Script nor a module is ever run
p = subprocess.run(["node", "--experimental-vm-modules", "--no-warnings", "-e", PARSER], input=json.dumps([f for _, _, f in js_jobs]),
                   capture_output=True, text=True)
names = {f: (rel, name) for rel, name, f in js_jobs}
for line in p.stdout.splitlines():
    f, msg = line.split("\t")
    problems.append((*names[f], msg))
if p.returncode:
    problems.append(("node", p.stderr[-400:]))
print("js files", len(js_jobs), "python files", n_py)
print(collections.Counter((x["area"], x["label"], x["ecosystem"] if x["area"] == "behaviour" else None) for x in labels))
print("containers", len({json.loads(x)["container"] for x in open(out + "/containers.jsonl")}), "planted", sum(map(len, planted.values())))
for p in problems:
    print("PROBLEM", p)
print(tmp)
