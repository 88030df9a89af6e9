"""Containers for settings: each takes (ctx, pairs) and returns (file name, bytes)."""
import base64
import hashlib
import json
import lzma
import bz2
import io
import marshal
import os
import pickle
import plistlib
import sqlite3
import struct
import tempfile
import urllib.parse
import zlib

from . import core, filler
from .core import b64, gz, tar, tgz, zipped

KINDS = {}  # kind -> (ecosystem, function)


def kind(name, eco=None):
    def deco(fn):
        KINDS[name] = (eco, fn)
        return fn
    return deco


def noise(c):
    return [("APP_NAME", c.name()), ("LOG_LEVEL", c.pick(["info", "debug", "warn"])), ("REGION", c.pick(["eu-west-1", "us-east-2"])),
            ("TIMEOUT_SECONDS", str(c.r.randrange(5, 90)))]


def mix(c, pairs):
    n = noise(c)
    return n[:2] + list(pairs) + n[2:]


def env(c, pairs):
    return "".join(f'{k}="{v.strip()}"\n'.replace("\n", "\\n")[:-2] + "\n" if "\n" in v else f"{k}={v}\n" for k, v in mix(c, pairs))


def js(c, pairs):
    rows = "".join(f"  {k.lower()}: {json.dumps(v)},\n" for k, v in mix(c, pairs))
    return f"'use strict';\n\nmodule.exports = {{\n{rows}}};\n"


def minjs(c, pairs):
    rows = ",".join(f"{k.lower()}:{json.dumps(v)}" for k, v in mix(c, pairs))
    return f"!function(){{var e={{{rows}}},t=function(n){{return fetch(e.base+n,{{headers:{{\"x-app\":e.app_name}}}})}};window.__cfg=e;window.__get=t}}();\n"


def py(c, pairs):
    return '"""Settings."""\n' + "".join(f"{k} = {v!r}\n" for k, v in mix(c, pairs))


def yaml(c, pairs):
    return "".join(f"  {k.lower()}: {json.dumps(v)}\n" for k, v in mix(c, pairs))


def js_pkg(c, files, **man):
    n, v = c.name(), c.ver()
    m = {"name": n, "version": v, "description": "Internal helper", "main": "index.js", "license": "MIT", **man}
    files = {"index.js": "module.exports = require('./lib/util');\n", "lib/util.js": filler.js_filler(c, False, 1).popitem()[1], **files}
    return f"{n}-{v}.tgz", core.npm_pack(m, files)


@kind("npm-dotenv", "npm")
def _(c, p):
    return js_pkg(c, {".env": env(c, p)})


@kind("npm-minified-js", "npm")
def _(c, p):
    return js_pkg(c, {"dist/app.min.js": minjs(c, p)})


@kind("npm-config-js", "npm")
def _(c, p):
    return js_pkg(c, {"config/production.js": js(c, p)})


@kind("npm-source-map", "npm")
def _(c, p):
    m = {"version": 3, "file": "app.js", "sources": ["../src/config.ts"], "names": [], "mappings": "AAAA,SAASA",
         "sourcesContent": ["export const config = {\n" + "".join(f"  {k}: {json.dumps(v)},\n" for k, v in mix(c, p)) + "};\n"]}
    return js_pkg(c, {"dist/app.js": "exports.config={};\n//# sourceMappingURL=app.js.map\n", "dist/app.js.map": json.dumps(m)})


@kind("npm-inline-source-map", "npm")
def _(c, p):
    m = {"version": 3, "sources": ["a.ts"], "names": [], "mappings": "AAAA", "sourcesContent": [js(c, p)]}
    return js_pkg(c, {"dist/a.js": "exports.a=1;\n//# sourceMappingURL=data:application/json;charset=utf-8;base64," + b64(json.dumps(m)) + "\n"})


@kind("npm-npmrc", "npm")
def _(c, p):
    rows = "".join(f"//packages.{c.word()}.example/:_authToken={v}\n" for _, v in p if "\n" not in v) or env(c, p)
    return js_pkg(c, {".npmrc": "save-exact=true\nengine-strict=true\n" + rows})


@kind("wheel-py", "pypi")
def _(c, p):
    n = c.name().replace("-", "_")
    return core.wheel(n, c.ver(), "Helper", {n + "/__init__.py": "", n + "/settings.py": py(c, p), n + "/_ttl.py": filler.PY["_ttl.py"]})


@kind("wheel-pyc", "pypi")
def _(c, p):
    n = c.name().replace("-", "_")
    code = compile(py(c, p), n + "/settings.py", "exec")
    pyc = b"\xa7\r\r\n" + struct.pack("<III", 0, core.MTIME, 300) + marshal.dumps(code)
    return core.wheel(n, c.ver(), "Helper", {n + "/__init__.py": "", n + "/__pycache__/settings.cpython-311.pyc": pyc})


@kind("sdist-pypirc", "pypi")
def _(c, p):
    rows = "".join(f"[{k.lower()}]\nrepository = https://upload.{c.word()}.example/legacy/\nusername = __token__\npassword = {v}\n" for k, v in p if "\n" not in v) or env(c, p)
    return core.sdist(c.name(), c.ver(), "Helper", {".pypirc": "[distutils]\nindex-servers = main\n\n" + rows, "setup.py": "from setuptools import setup\nsetup()\n"})


@kind("sdist-egg-cfg", "pypi")
def _(c, p):
    return core.sdist(c.name(), c.ver(), "Helper", {"setup.cfg": "[metadata]\nname = x\n\n[tool:deploy]\n" + "".join(f"{k.lower()} = {v.strip()!r}\n" for k, v in p),
                                                   "setup.py": "from setuptools import setup\nsetup()\n"})


@kind("crate-rs", "cargo")
def _(c, p):
    body = "".join(f"pub const {k}: &str = {json.dumps(v)};\n" for k, v in mix(c, p))
    return core.crate(c.name("api"), c.ver(), {"src/lib.rs": "//! Constants.\n\npub mod config;\n", "src/config.rs": body, "README.md": "# api\n"})


@kind("crate-config-toml", "cargo")
def _(c, p):
    body = "[registries.internal]\nindex = \"sparse+https://crates.%s.example/\"\n" % c.word() + "".join(f"# {k}\ntoken = {json.dumps(v)}\n" for k, v in p)
    return core.crate(c.name("tool"), c.ver(), {"src/lib.rs": "//! Tool.\n", ".cargo/credentials.toml": body, "README.md": "# tool\n"})


@kind("zip-docs")
def _(c, p):
    return f"{c.name('handover')}.zip", zipped({"docs/setup.md": "# Set-up\n\nExport these first:\n\n```sh\n" + "".join(f"export {k}='{v}'\n" for k, v in mix(c, p)) + "```\n"})


@kind("zip-in-zip-in-tgz")
def _(c, p):
    inner = zipped({"conf/app.properties": "".join(f"{k.lower().replace('_', '.')}={v.strip()!r}\n" for k, v in mix(c, p))})
    return f"{c.name('backup')}.tgz", tgz({"backup/README": "nightly\n", "backup/full.zip": zipped({"readme.txt": "x\n", "inner.zip": inner})})


@kind("jar-properties")
def _(c, p):
    return f"{c.name('service')}-1.0.jar", zipped({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nMain-Class: app.Main\r\n\r\n",
        "application.properties": "".join(f"app.{k.lower().replace('_', '-')}={v.strip()!r}\n".replace("'", "") for k, v in mix(c, p))})


@kind("jar-class")
def _(c, p):
    pool = ["app/Config", "java/lang/Object", "Code", "SourceFile", "Config.java"] + [x for kv in mix(c, p) for x in kv]
    body = b"".join(b"\x01" + struct.pack(">H", len(s.encode())) + s.encode() for s in pool) + b"\x07\0\x01\x07\0\x02"
    cls = b"\xca\xfe\xba\xbe\0\0\0\x37" + struct.pack(">H", len(pool) + 3) + body + struct.pack(">HHHHHHH", 0x21, len(pool) + 1, len(pool) + 2, 0, 0, 0, 0)
    return f"{c.name('lib')}-2.1.jar", zipped({"META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\n\r\n", "app/Config.class": cls})


@kind("war-nested-jar")
def _(c, p):
    jar = zipped({"config.yml": "app:\n" + yaml(c, p)})
    return f"{c.name('portal')}.war", zipped({"WEB-INF/web.xml": "<web-app/>\n", "WEB-INF/lib/core.jar": jar})


@kind("notebook-output")
def _(c, p):
    nb = {"cells": [{"cell_type": "code", "execution_count": 1, "metadata": {}, "source": ["%env"], "outputs": [{"output_type": "execute_result", "execution_count": 1, "metadata": {},
          "data": {"text/plain": [repr(dict(mix(c, p)))]}}]}], "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}
    return f"{c.name('analysis')}.ipynb", json.dumps(nb, indent=1).encode()


@kind("notebook-source")
def _(c, p):
    nb = {"cells": [{"cell_type": "markdown", "metadata": {}, "source": ["# Load"]}, {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
          "source": ["import os\n"] + [f"os.environ[{k!r}] = {v!r}\n" for k, v in mix(c, p)]}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return f"{c.name('train')}.ipynb", json.dumps(nb, indent=1).encode()


@kind("sqlite-rows")
def _(c, p):
    fd, path = tempfile.mkstemp()
    os.close(fd)
    os.unlink(path)
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE settings (id INTEGER PRIMARY KEY, name TEXT, value TEXT)")
    for i in range(120):
        db.execute("INSERT INTO settings (name, value) VALUES (?, ?)", (f"ui.{c.word()}.{i}", c.word()))
    for k, v in p:
        db.execute("INSERT INTO settings (name, value) VALUES (?, ?)", (k, v))
    db.commit()
    db.close()
    data = open(path, "rb").read()
    os.unlink(path)
    return f"{c.name('state')}.sqlite", data


@kind("utf16le-bom")
def _(c, p):
    return f"{c.name('export')}.txt", b"\xff\xfe" + env(c, p).replace("\n", "\r\n").encode("utf-16-le")


@kind("utf16be-bom-reg")
def _(c, p):
    rows = "".join(f'"{k}"="{v.strip()}"\r\n' for k, v in mix(c, p))
    return f"{c.name('policy')}.reg", b"\xfe\xff" + ("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Software\\App]\r\n" + rows).encode("utf-16-be")


def sections(c, blobs):
    return b"".join(c.raw(c.r.randrange(200, 900)) + b"\0" + x + b"\0\0" for x in blobs) + c.raw(300)


@kind("elf-strings")
def _(c, p):
    head = b"\x7fELF\x02\x01\x01" + b"\0" * 9 + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x401000, 64, 0, 0, 64, 56, 0, 64, 0, 0)
    return f"{c.name('agent')}.tar.gz", tgz({"opt/bin/agent": head + sections(c, [f"{k}={v}".encode() for k, v in mix(c, p)])})


@kind("pe-utf16-strings")
def _(c, p):
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 64) + b"PE\0\0\x64\x86\0\0" + b"\0" * 240
    return f"{c.name('tray')}.exe", head + sections(c, [f"{k}={v}".encode("utf-16-le") for k, v in mix(c, p)])


@kind("wasm-data")
def _(c, p):
    text = json.dumps(dict(mix(c, p))).encode()

    def leb(n):
        out = b""
        while n > 127:
            out, n = out + bytes([n & 127 | 128]), n >> 7
        return out + bytes([n])
    seg = b"\x01\x00\x41\x00\x0b" + leb(len(text)) + text
    return f"{c.name('plugin')}.wasm", b"\0asm\x01\0\0\0\x05\x03\x01\0\x01\x0b" + leb(len(seg)) + seg


def image(c, layers, env_rows, history):
    cfg = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/usr/bin"] + env_rows, "Cmd": ["/app"]},
                      "history": [{"created": "2025-01-01T00:00:00Z", "created_by": h} for h in history],
                      "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(x).hexdigest() for x in layers]}}).encode()
    cn = hashlib.sha256(cfg).hexdigest() + ".json"
    names = [hashlib.sha256(x).hexdigest() + "/layer.tar" for x in layers]
    files = {cn: cfg, "manifest.json": json.dumps([{"Config": cn, "RepoTags": [c.name() + ":latest"], "Layers": names}])}
    files.update(zip(names, layers))
    return tar(files)


@kind("docker-save-layer")
def _(c, p):
    return f"{c.name('image')}.tar", image(c, [tar({"etc/os-release": "ID=debian\n"}), tar({"app/.env.production": env(c, p), "app/run": "#!/bin/sh\n"})], [], ["COPY . /app"])


@kind("docker-save-whiteout")
def _(c, p):
    return f"{c.name('image')}.tar", image(c, [tar({"root/.config/app.json": json.dumps(dict(mix(c, p)))}), tar({"root/.config/.wh.app.json": ""})], [], ["COPY app.json", "RUN rm app.json"])


@kind("docker-save-config-env")
def _(c, p):
    rows = [f"{k}={v}" for k, v in mix(c, p)]
    return f"{c.name('image')}.tar", image(c, [tar({"app": "x\n"})], rows[:3], ["/bin/sh -c #(nop) ENV " + r for r in rows])


@kind("oci-layout-gz-layer")
def _(c, p):
    layer = gz(tar({"srv/config.yaml": "app:\n" + yaml(c, p)}))
    d = hashlib.sha256(layer).hexdigest()
    man = json.dumps({"schemaVersion": 2, "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar+gzip", "digest": "sha256:" + d, "size": len(layer)}]}).encode()
    dm = hashlib.sha256(man).hexdigest()
    return f"{c.name('oci')}.tar", tar({"oci-layout": '{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + dm, "size": len(man)}]}),
                                       "blobs/sha256/" + d: layer, "blobs/sha256/" + dm: man})


@kind("k8s-secret-base64")
def _(c, p):
    return f"{c.name('secret')}.yaml", ("apiVersion: v1\nkind: Secret\nmetadata:\n  name: " + c.name() + "\ntype: Opaque\ndata:\n" + "".join(f"  {k.lower()}: {b64(v)}\n" for k, v in mix(c, p))).encode()


@kind("double-base64")
def _(c, p):
    return f"{c.name('cloud-init')}.yaml", ("#cloud-config\nwrite_files:\n  - path: /etc/app.env\n    encoding: b64\n    content: " + b64(b64(env(c, p))) + "\n").encode()


@kind("docker-config-json")
def _(c, p):
    return "docker-" + c.word() + "-config.json", json.dumps({"auths": {f"registry.{c.word()}.example": {"auth": b64("ci:" + v)} for _, v in p}, "HttpHeaders": {"User-Agent": "Docker-Client/27"}}, indent=2).encode()


@kind("dotenv-plain")
def _(c, p):
    return f"{c.word()}-{c.digits(3)}/.env", env(c, p).encode()


@kind("tfstate")
def _(c, p):
    return f"{c.name()}.tfstate", json.dumps({"version": 4, "terraform_version": "1.9.0", "resources": [{"mode": "managed", "type": "app_setting", "name": k.lower(), "instances": [{"attributes": {"name": k, "value": v}}]} for k, v in mix(c, p)]}, indent=2).encode()


@kind("git-loose-object")
def _(c, p):
    body = env(c, p).encode()
    raw = b"blob %d\0" % len(body) + body
    h = hashlib.sha1(raw).hexdigest()
    return f"{c.name('repo')}.tar.gz", tgz({"repo/.git/HEAD": "ref: refs/heads/main\n", f"repo/.git/objects/{h[:2]}/{h[2:]}": zlib.compress(raw), "repo/README": "x\n"})


@kind("git-pack")
def _(c, p):
    body = js(c, p).encode()
    n, head = len(body), []
    b, n = (3 << 4) | (n & 15), n >> 4
    while n:
        head.append(b | 128)
        b, n = n & 127, n >> 7
    pack = b"PACK" + struct.pack(">II", 2, 1) + bytes(head + [b]) + zlib.compress(body)
    pack += hashlib.sha1(pack).digest()
    return f"{c.name('mirror')}.zip", zipped({"m.git/HEAD": "ref: refs/heads/main\n", f"m.git/objects/pack/pack-{hashlib.sha1(pack).hexdigest()}.pack": pack})


@kind("deb-xz")
def _(c, p):
    def member(name, data):
        return f"{name:<16}{core.MTIME:<12}{0:<6}{0:<6}{'100644':<8}{len(data):<10}`\n".encode() + data + (b"\n" if len(data) % 2 else b"")
    ctl = lzma.compress(tar({"./control": "Package: app\nVersion: 1\nArchitecture: all\nDescription: app\n"}))
    data = lzma.compress(tar({"./etc/app/app.conf": env(c, p)}))
    return f"{c.name('app')}_1.0_all.deb", b"!<arch>\n" + member("debian-binary", b"2.0\n") + member("control.tar.xz", ctl) + member("data.tar.xz", data)


@kind("tar-bz2-json")
def _(c, p):
    return f"{c.name('dump')}.tar.bz2", bz2.compress(tar({"dump/config.json": json.dumps(dict(mix(c, p)), indent=2)}))


@kind("cpio-newc-gz")
def _(c, p):
    out = b""
    for i, (n, d) in enumerate([("etc/init.env", env(c, p).encode()), ("TRAILER!!!", b"")]):
        f = [i + 1, 0o100644, 0, 0, 1, core.MTIME, len(d), 0, 0, 0, 0, len(n) + 1, 0]
        h = b"070701" + b"".join(b"%08X" % x for x in f) + n.encode() + b"\0"
        out += h + b"\0" * (-len(h) % 4) + d + b"\0" * (-len(d) % 4)
    return f"{c.name('initrd')}.img", gz(out)


@kind("docx")
def _(c, p):
    import html
    rows = "".join(f"<w:p><w:r><w:t>{html.escape(k)}: {html.escape(v)}</w:t></w:r></w:p>" for k, v in mix(c, p))
    return f"{c.name('runbook')}.docx", zipped({"[Content_Types].xml": '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "word/document.xml": f'<?xml version="1.0"?><w:document xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"><w:body>{rows}</w:body></w:document>'})


@kind("vsix")
def _(c, p):
    return f"{c.name('ext')}-0.1.0.vsix", zipped({"extension.vsixmanifest": "<PackageManifest/>", "extension/package.json": json.dumps({"name": c.name(), "publisher": c.word(), "version": "0.1.0", "engines": {"vscode": "^1.80.0"}, "main": "./out/main.js"}), "extension/out/main.js": minjs(c, p)})


@kind("nupkg")
def _(c, p):
    return f"{c.name('Lib')}.1.2.0.nupkg", zipped({"Lib.nuspec": "<package><metadata><id>Lib</id></metadata></package>", "content/appsettings.json": "\ufeff" + json.dumps({"Logging": {"LogLevel": "Warning"}, "Keys": dict(mix(c, p))}, indent=2)})


@kind("asar")
def _(c, p):
    data = js(c, p).encode()
    hdr = json.dumps({"files": {"config.js": {"size": len(data), "offset": "0"}}}).encode()
    pad = hdr + b"\0" * (-len(hdr) % 4)
    return f"{c.name('desktop')}.asar", struct.pack("<IIII", 4, len(pad) + 8, len(pad) + 4, len(hdr)) + pad + data


@kind("png-text")
def _(c, p):
    def ch(k, d):
        return struct.pack(">I", len(d)) + k + d + struct.pack(">I", zlib.crc32(k + d))
    return f"{c.name('shot')}.png", (b"\x89PNG\r\n\x1a\n" + ch(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)) + ch(b"tEXt", b"Comment\0" + env(c, p).encode())
                                     + ch(b"IDAT", zlib.compress(b"\0\0")) + ch(b"IEND", b""))


@kind("pdf-flate")
def _(c, p):
    text = zlib.compress(b"BT /F1 9 Tf\n" + b"".join(b"(%s) Tj T*\n" % f"{k}={v.strip()}".encode() for k, v in mix(c, p)) + b"ET\n")
    return f"{c.name('manual')}.pdf", (b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n3 0 obj\n<< /Type /Page /Parent 2 0 R /Contents 4 0 R >>\nendobj\n"
        + b"4 0 obj\n<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(text) + text + b"\nendstream\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n")


@kind("log-gz")
def _(c, p):
    rows = [f"2025-01-0{i % 9 + 1}T00:{i % 60:02}:00Z INFO {c.word()} request {c.hexs(32)} took {i}ms" for i in range(80)]
    rows[40:40] = [f"2025-01-03T00:40:01Z DEBUG env {k}={v.strip()}" for k, v in mix(c, p)]
    return f"{c.name('ci')}.log.gz", gz("\n".join(rows).encode())


@kind("har")
def _(c, p):
    h = {"log": {"version": "1.2", "entries": [{"request": {"method": "GET", "url": f"https://{c.host()}/v1", "headers": [{"name": "x-" + k.lower().replace("_", "-"), "value": v} for k, v in mix(c, p)]}, "response": {"status": 200}}]}}
    return f"{c.name('session')}.har", json.dumps(h).encode()


@kind("github-workflow")
def _(c, p):
    return f"{c.name('deploy')}.yml", ("name: deploy\non: push\njobs:\n  deploy:\n    runs-on: ubuntu-latest\n    env:\n" + "".join(f"      {k}: {json.dumps(v)}\n" for k, v in mix(c, p)) + "    steps:\n      - run: ./deploy.sh\n").encode()


@kind("xml-settings")
def _(c, p):
    import html
    return f"{c.name('settings')}.xml", ('<?xml version="1.0"?>\n<settings>\n  <servers>\n' + "".join(f"    <server><id>{k}</id><username>ci</username><password>{html.escape(v)}</password></server>\n" for k, v in mix(c, p)) + "  </servers>\n</settings>\n").encode()


@kind("js-hex-escapes", "npm")
def _(c, p):
    rows = ",".join(f"{k}:\"" + "".join(f"\\x{ord(x):02x}" for x in v) + '"' for k, v in mix(c, p))
    return js_pkg(c, {"dist/cfg.js": f"module.exports={{{rows}}};\n"})


@kind("url-encoded-form")
def _(c, p):
    return f"{c.name('replay')}.http", (f"POST /oauth HTTP/1.1\nHost: {c.host()}\ncontent-type: application/x-www-form-urlencoded\n\n" + "&".join(f"{k.lower()}={urllib.parse.quote(v, safe='').replace('_', '%5F').replace('-', '%2D')}" for k, v in mix(c, p)) + "\n").encode()


@kind("pickle-dict")
def _(c, p):
    return f"{c.name('state')}.pkl", pickle.dumps({"epoch": 3, "config": dict(mix(c, p))}, protocol=4)


@kind("binary-plist")
def _(c, p):
    return f"{c.name('com.app')}.plist", plistlib.dumps(dict(mix(c, p)), fmt=plistlib.FMT_BINARY)


@kind("eml-mime-base64")
def _(c, p):
    body = b64(env(c, p))
    return f"{c.name('mail')}.eml", (f"From: a@{c.host()}\nTo: b@{c.host()}\nSubject: keys\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: base64\n\n" + "\n".join(body[i:i + 76] for i in range(0, len(body), 76)) + "\n").encode()


@kind("shell-script")
def _(c, p):
    return f"{c.name('deploy')}.sh", ("#!/bin/bash\nset -euo pipefail\n" + "".join(f"export {k}='{v.strip()}'\n" for k, v in mix(c, p)) + f"curl -fsS -H \"Authorization: Bearer ${p[-1][0]}\" https://{c.host()}/deploy\n").encode()
