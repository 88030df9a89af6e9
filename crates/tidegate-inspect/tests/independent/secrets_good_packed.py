"""Benign look-alikes in packages and binary files: what real packages carry."""

import json

import keys
import kit
import shapes
from kit import ALNUM, B64STD, Dice, b64

LIB = "'use strict';\nmodule.exports = require('./lib/client');\n"


def npm_packages(items):
    d = Dice("good-npm")
    g = items.good
    g("minified-vendor.tgz", "minified", "npm-tgz", shapes.npm("vendor-all", "3.0.0", [("index.js", shapes.bundle("vendor", 350_000))]), "a minified bundle of 350 kB", "npm")
    g("base64-images.tgz", "inline-asset", "npm-tgz", shapes.npm("flag-icons-css", "2.0.0", [
        ("index.js", LIB), ("flags.css", "".join(".f-%d{background:url(data:image/png;base64,%s)}\n" % (i, b64(shapes.png([], Dice("f%d" % i), 8))) for i in range(60)))]), "pictures in a style sheet", "npm")
    g("base64-font.tgz", "inline-asset", "npm-tgz", shapes.npm("inter-inline", "1.0.0", [
        ("index.js", LIB), ("inter.css", "@font-face{font-family:Inter;src:url(data:font/woff2;base64,%s)}" % b64(b"wOF2" + d.raw(40_000)))]), "a font in a style sheet", "npm")
    g("inline-wasm.tgz", "inline-asset", "npm-tgz", shapes.npm("hash-wasm-lite", "4.1.0", [
        ("index.js", "var WASM='%s';\nmodule.exports=()=>WebAssembly.compile(Buffer.from(WASM,'base64'));\n" % b64(shapes.wasm(d.raw(20_000))))]), "a module in base64", "npm")
    g("dotenv-like.tgz", "placeholder", "npm-tgz", shapes.npm("env-loader", "16.0.0", [
        ("index.js", "const fs=require('fs');\nexports.parse=(t)=>Object.fromEntries(t.split('\\n').map((l)=>l.split('=')));\n"),
        ("README.md", "```\nS3_BUCKET=\"YOURS3BUCKET\"\nSECRET_KEY=\"YOURSECRETKEYGOESHERE\"\n```\n"), ("tests/.env", "BASIC=basic\nSINGLE_QUOTES='single_quotes'\nEMPTY=\nPASSWORD=example\n")]), "a settings loader with its samples", "npm")
    g("octo-client.tgz", "parameter", "npm-tgz", shapes.npm("octo-client", "20.0.0", [
        ("index.js", '''class Client {
  constructor({ auth }) { this.auth = auth; }
  request(path) { return fetch('https://api.github.com' + path, { headers: { authorization: `token ${this.auth}` } }); }
}
module.exports = { Client };
'''),
        ("README.md", "```js\nconst c = new Client({ auth: `personal-access-token123` });\n```\n")]), "a client that takes its token as an argument", "npm")
    g("provenance.tgz", "sigstore", "npm-tgz", shapes.npm("signed-lib", "1.0.0", [
        ("index.js", LIB), ("bundle.sigstore.json", json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json", "verificationMaterial": {"certificate": {"rawBytes": b64(d.raw(600))}, "tlogEntries": [{"logId": {"keyId": b64(d.raw(32))}, "inclusionPromise": {"signedEntryTimestamp": b64(d.raw(71))}, "canonicalizedBody": b64(d.raw(900))}]}, "dsseEnvelope": {"payload": b64('{"_type":"statement"}'), "signatures": [{"sig": b64(d.raw(71))}]}}))]), "an attestation and its certificate", "npm")
    g("word-list.tgz", "word-list", "npm-tgz", shapes.npm("eff-words", "1.0.0", [("index.js", "module.exports=%s;\n" % json.dumps(kit.WORDS * 6)), ("passwords-top.txt", "\n".join(["123456", "password", "qwerty", "letmein", "dragon", "iloveyou"] + kit.WORDS) + "\n")]), "lists of words and of common passwords", "npm")
    g("sodium-like.tgz", "test-vector", "npm-tgz", shapes.npm("curve-lib", "1.6.0", [
        ("index.js", LIB), ("test/vectors.json", json.dumps([{"seed": d.hex(64), "public": d.hex(64), "message": d.hex(40), "signature": d.hex(128)} for _ in range(80)]))]), "a signature library's vectors", "npm")
    g("tz-data.tgz", "packed-data", "npm-tgz", shapes.npm("tz-packed", "2024.1.0", [("index.js", "module.exports=%s;\n" % json.dumps(["Area/%s|LMT %s|%s|%s" % (w.title(), d.text(ALNUM, 12), d.text("0123456789", 60), d.text(ALNUM + " ", 160)) for w in kit.WORDS[:150]]))]), "packed tables", "npm")
    g("unicode-regex.tgz", "packed-data", "npm-tgz", shapes.npm("xid-regex", "2.0.0", [("index.js", "module.exports=/^[%s]/;\n" % "".join("\\u%04X-\\u%04X" % (n, n + 9) for n in range(0x100, 0x9000, 37)))]), "a long character class", "npm")
    g("pdf-fixtures.tgz", "inline-asset", "npm-tgz", shapes.npm("pdf-view", "1.0.0", [("index.js", LIB), ("test/one.pdf", shapes.pdf(["Invoice 2024-031", "Password: see letter"])), ("test/inline.js", "module.exports='%s';\n" % b64(shapes.pdf(["hello"])))]), "documents without secrets", "npm")
    g("locales.tgz", "translation", "npm-tgz", shapes.npm("ui-locales", "6.0.0", [("index.js", LIB)] + [("locale/%s.json" % c, json.dumps({"login.password": "%s ****" % c, "login.token": Dice(c).words(3), "login.secret_question": Dice(c + "2").words(6)})) for c in "de fr it es pt nl sv da fi nb pl cs sk hu ro bg el tr uk ru he ar fa hi bn th vi id ms ja ko zh".split()] + [("themes/%d.css" % i, ".t%d{}\n" % i) for i in range(90)]), "more than a hundred files of texts and styles", "npm")
    g("protobuf-gen.tgz", "packed-data", "npm-tgz", shapes.npm("api-proto", "1.0.0", [("index.js", "exports.file = fileDesc('%s');\n" % b64("\n\x12auth.proto\x12\x04auth\"" + "".join(chr(d.number(9, 122)) for _ in range(4000))))]), "a descriptor in base64", "npm")


def python_packages(items):
    d = Dice("good-py")
    g = items.good
    g("records.whl", "record", "wheel", shapes.wheel("many-modules", "1.0.0", [("many_modules/m%03d.py" % i, "X = %d\n" % i) for i in range(140)] + [("many_modules/__init__.py", "")]), "a RECORD of 140 digests", "pypi")
    g("certs.whl", "certificate", "wheel", shapes.wheel("ca-certs", "2024.2.2", [("ca_certs/__init__.py", "import os\n\n\ndef where():\n    return os.path.join(os.path.dirname(__file__), 'cacert.pem')\n"), ("ca_certs/cacert.pem", "".join(keys.certificate(Dice("cc%d" % i)) for i in range(10)))]), "a bundle of certificates", "pypi")
    g("boto-like.whl", "parameter", "wheel", shapes.wheel("cloud-sdk", "1.34.0", [("cloud_sdk/__init__.py", ""), ("cloud_sdk/credentials.py", '''import os


class EnvProvider:
    ACCESS_KEY = 'AWS_ACCESS_KEY_ID'
    SECRET_KEY = 'AWS_SECRET_ACCESS_KEY'

    def load(self):
        return os.environ[self.ACCESS_KEY], os.environ[self.SECRET_KEY]
'''), ("cloud_sdk/data/examples.json", json.dumps({"AccessKeyId": "AK" "IA" "IOSFODNN7" "EXAMPLE", "SecretAccessKey": "wJalrXUtnFEMI/" + "K7MDENG/bPxRfiCYzEXAMPLEKEY"}))]), "names of variables and the documented example", "pypi")
    g("hub-client.tar.gz", "documented-format", "sdist", shapes.sdist("hub-client", "0.20.0", [("hub_client.py", "def login(token: str) -> None:\n    if not token.startswith('hf' '_'):\n        raise ValueError('Invalid token: it must start with hf' '_')\n"), ("tests/test_login.py", "TOKEN = 'hf" "_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'\n")]), "a check of a token's beginning", "pypi")
    g("tuf-root.whl", "sigstore", "wheel", shapes.wheel("trust-root", "1.0.0", [("trust_root/__init__.py", ""), ("trust_root/root.json", json.dumps({"signatures": [{"keyid": d.hex(64), "sig": d.hex(142)} for _ in range(5)], "signed": {"_type": "root", "keys": {d.hex(64): {"keytype": "ecdsa", "keyval": {"public": keys.pem("PUBLIC KEY", d.raw(91))}} for _ in range(5)}, "version": 9}}))]), "a trust root: key ids, public keys, signatures", "pypi")
    g("weights.whl", "packed-data", "wheel", shapes.wheel("tiny-model", "0.1.0", [("tiny_model/__init__.py", ""), ("tiny_model/w.safetensors", b"\x40\0\0\0\0\0\0\0" + b'{"w":{"dtype":"F32","shape":[64,64],"data_offsets":[0,16384]}}'.ljust(64) + d.raw(16384)), ("tiny_model/vocab.json", json.dumps({d.text(ALNUM, 6): i for i in range(2000)}))]), "numbers and a vocabulary", "pypi")
    g("compiled.whl", "compiled", "wheel", shapes.wheel("plain-pyc", "1.0.0", [("plain_pyc/__init__.py", ""), ("plain_pyc/__pycache__/auth.cpython-311.pyc", shapes.pyc(b"def login(user, password, token=None):\n    'Needs API_KEY and SECRET in the environment.'\n    return {'user': user, 'password': password, 'token': token}\n", "plain_pyc/auth.py"))]), "names of parameters in a compiled module", "pypi")
    g("django-like.tar.gz", "placeholder", "sdist", shapes.sdist("site-maker", "5.0.0", [("site_maker/conf/settings.py-tpl", "# SECURITY WARNING: keep the secret key used in production secret!\nSECRET_KEY = '{{ secret_key }}'\nDATABASES = {'default': {'PASSWORD': ''}}\n"), ("tests/settings.py", "SECRET_KEY = 'django_tests_secret_key'\n")]), "a template's variable and a test's constant", "pypi")
    g("notebook.whl", "inline-asset", "notebook", shapes.wheel("tutorials", "1.0.0", [("tutorials/__init__.py", ""), ("tutorials/plot.ipynb", shapes.notebook([("token = getpass('Token: ')\n", "Token: ········\n"), ("show()", "image/png %s\n" % b64(shapes.png([], d, 16)))]))]), "a prompt for a token and a picture", "pypi")
    g("spacy-like.whl", "word-list", "wheel", shapes.wheel("lang-data", "3.7.0", [("lang_data/__init__.py", ""), ("lang_data/tokens.txt", "\n".join("token_%s %s" % (w, Dice(w).words(3)) for w in kit.WORDS)), ("lang_data/tokenizer.json", json.dumps({"model": {"type": "BPE", "vocab": {d.text(B64STD, 4): i for i in range(1500)}}, "unk_token": "<unk>", "bos_token": "<s>"}))]), "tokens of language, not of access", "pypi")


def other_files(items):
    d = Dice("good-other")
    g = items.good
    g("vectors.crate", "test-vector", "crate", shapes.crate("curve-ops", "4.0.0", [("src/lib.rs", "pub const K: [u64; 80] = [%s];\n" % ", ".join("0x" + d.hex(16) for _ in range(80))), ("tests/rfc.rs", "".join('#[test]\nfn v%d() {\n    check("%s", "%s");\n}\n' % (i, d.hex(64), d.hex(128)) for i in range(20)))]), "round constants and published vectors", "cargo")
    g("pem-parser.crate", "token-regex", "crate", shapes.crate("pem-read", "3.0.0", [("src/lib.rs", '/// Reads `-----BEGIN RSA PRIVATE ' 'KEY-----` and friends.\npub fn label(line: &str) -> Option<&str> {\n    line.strip_prefix("-----BEGIN ")?.strip_suffix("-----")\n}\n'), ("README.md", "```text\n-----BEGIN RSA PRIVATE " "KEY-----\nMIIBOg%s\n...\n-----END RSA PRIVATE " "KEY-----\n```\n" % d.text(B64STD, 58))]), "a shortened key in a reader's documentation", "cargo")
    g("lock-in-crate.crate", "lock-file", "crate", shapes.crate("cli-tool", "0.5.0", [("src/main.rs", "fn main() {}\n"), ("Cargo.lock", "".join('[[package]]\nname = "%s"\nversion = "1.0.0"\nchecksum = "%s"\n\n' % (w, d.hex(64)) for w in kit.WORDS))]), "checksums", "cargo")
    g("names.jar", "identifier", "jar-class", shapes.jar([("example/Auth.class", shapes.java_class("example/Auth", {"PASSWORD_PROPERTY": "example.auth.password", "TOKEN_HEADER": "X-Auth-Token", "DEFAULT_SECRET_PROVIDER": "example.auth.EnvSecretProvider", "SERIAL": "-7034897190745766939"}))]), "names of properties in a class file")
    g("build-ids.elf", "compiled", "elf-rodata", shapes.elf(["GNU", d.hex(40), "/rustc/%s/library/core/src/fmt/mod.rs" % d.hex(40), "secret token password key", "_ZN4core3fmt9Formatter9write_str17h%sE" % d.hex(16)], d), "build ids and mangled names")
    g("strings.exe", "compiled", "pe-utf16le", shapes.pe([("%s=" % s).encode("utf-16-le") for s in ("PASSWORD", "ACCESS_TOKEN", "{6B29FC40-CA47-1067-B31D-00DD010662DA}", "Enter your API key:")], d), "labels of a dialogue")
    g("visits.sqlite", "identifier", "sqlite", shapes.sqlite("create table v (id text, etag text, token_count int);" + "".join("insert into v values ('%s','%s',%d);" % (d.uuid(), d.hex(32), i) for i in range(300))), "identifiers and counts")
    g("picture.png", "inline-asset", "png-text", shapes.png([("Software", "shot 2.0"), ("Comment", "XML:com.adobe.xmp " + d.uuid()), ("Raw profile type exif", d.hex(600))], d), "a picture's metadata")
    g("digests.docx", "content-hash", "docx", shapes.docx(["Release checksums"] + ["%s.zip SHA-256 %s" % (w, d.hex(64)) for w in kit.WORDS[:12]]), "checksums in a document")
    g("image.tar", "reference", "docker-save", kit.docker_save([kit.tar([("app/run", "#!/bin/sh\n: ${API_TOKEN:?set it}\n"), ("etc/ssl/ca.pem", keys.certificate(d))])], {"architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin", "GPG_KEY=%s" % d.hex(40).upper(), "PYTHON_SHA256=" + d.hex(64)]}, "history": [{"created_by": "RUN --mount=type=secret,id=npmrc npm ci"}, {"created_by": "COPY dir:%s in /" % d.hex(64)}]}), "key fingerprints, digests and a mounted secret")
    g("objects.pack", "content-hash", "git-pack", kit.git_pack(["tree %s\nparent %s\nauthor A <a@corp.example>\n" % (d.hex(40), d.hex(40)), "GITHUB_TOKEN=\n"]), "object ids")
    g("tool.nupkg", "content-hash", "nupkg", shapes.nupkg("Corp.Json", "13.0.0", [("lib/net6.0/Corp.Json.xml", "<doc><member name=\"P:Token\"><summary>Password of the %s</summary></member></doc>" % d.uuid()), (".signature.p7s", d.raw(9000))]), "a signature and documentation")
    g("gallery.vsix", "placeholder", "vsix", shapes.vsix("token-lens", [("package.json", kit.js({"name": "token-lens", "contributes": {"configuration": {"properties": {"tokenLens.apiKey": {"type": "string", "default": "", "description": "Your API key (starts with sk-)"}}}}})), ("syntaxes/token.tmLanguage.json", json.dumps({"scopeName": "source.token", "uuid": d.uuid()}))]), "a setting without a value")
    g("desktop.asar", "minified", "asar", kit.asar([("package.json", "{}"), ("dist/main.js", shapes.bundle("asar", 60_000))]), "a minified desktop application")
    g("sum.txt", "content-hash", "text", "".join("%s  corp-%s.tar.gz\n" % (d.hex(64), w) for w in kit.WORDS), "a checksum list")
    g("sbom.cdx.json", "content-hash", "json", json.dumps({"bomFormat": "CycloneDX", "serialNumber": "urn:uuid:" + d.uuid(), "components": [{"name": w, "hashes": [{"alg": "SHA-512", "content": d.hex(128)}]} for w in kit.WORDS[:60]]}), "an inventory's digests")
    g("utf16.strings", "translation", "utf16-text", shapes.utf16("".join('"auth.%s.password" = "%s";\n' % (w, Dice(w).words(3)) for w in kit.WORDS)), "translated texts in UTF-16")
    g("map.js.map", "content-hash", "source-map", shapes.source_map([("webpack/runtime", "var hash = '%s';\n" % d.hex(20)), ("src/api.js", "export const api = (token) => fetch('/api', { headers: { Authorization: `Bearer ${token}` } });\n"), ("src/env.js", "export const KEY = process.env.API_KEY;\n")]), "sources that take their token from outside")


def build(items):
    npm_packages(items)
    python_packages(items)
    other_files(items)
