"""Secrets that were left in packages, in the places and forms they are left in."""
import base64
import gzip
import io
import json
import lzma
import marshal
import importlib.util
import os
import pickle
import sqlite3
import struct
import tarfile
import tempfile
import urllib.parse
import zlib

from . import tokens as t
from .core import sample
from .pack import zipped


def secret(eco, name, family, idea, kind=None):
    """The function below answers the files and the values planted in them."""
    return sample(eco, "bad", name, family, idea, ("secret", kind))


def tar(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as out:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, io.BytesIO(data))
    return raw.getvalue()


@secret("npm", "left-npmrc", "npm-token", "the file with the token of the registry was packed along")
def _(c):
    v = t.token(c, "npm")
    return {".npmrc": f"//registry.example/:_authToken={v}\nemail=dev@corp.example\n"}, [v]


@secret("pypi", "left-pypirc", "pypi-token", ".pypirc in a source package", "sdist")
def _(c):
    v = t.token(c, "pypi")
    return {".pypirc": f"[distutils]\nindex-servers = main\n\n[main]\nrepository = https://upload.example/legacy/\nusername = __token__\npassword = {v}\n"}, [v]


@secret("npm", "left-netrc", "github-token", ".netrc for a host of sources")
def _(c):
    v = t.token(c, "github")
    return {"docker/.netrc": f"machine git.example\nlogin ci-bot\npassword {v}\n"}, [v]


@secret("npm", "left-dotenv", "stripe-key", ".env with keys of a payment and a mail service")
def _(c):
    a, b = t.token(c, "stripe"), t.token(c, "sendgrid")
    return {".env": f"NODE_ENV=production\nPAYMENTS_SECRET_KEY={a}\nexport MAIL_KEY='{b}'\nLOG_LEVEL=info\n"}, [a, b]


@secret("npm", "left-kubeconfig", "private-key", "a kubeconfig with the key of an administrator in base64")
def _(c):
    key = t.ec(c)
    return {"deploy/kubeconfig": f"apiVersion: v1\nkind: Config\nclusters:\n- name: prod\n  cluster:\n    server: https://k8s.§H§:6443\nusers:\n- name: admin\n  user:\n    client-key-data: {base64.b64encode(key.encode()).decode()}\n"}, [key]


@secret("pypi", "left-docker-config", "gitlab-token", "the login of a container registry as base64 of user and token", "sdist")
def _(c):
    v = t.token(c, "gitlab")
    return {"ci/.docker/config.json": {"auths": {"images.corp.example": {"auth": base64.b64encode(f"deploy:{v}".encode()).decode()}}}}, [v]


@secret("npm", "left-tfstate", "aws-key", "a state file of terraform with the keys it made")
def _(c):
    i, s = t.aws(c)
    return {"infra/terraform.tfstate": {"version": 4, "terraform_version": "1.9.5", "resources": [{"mode": "managed", "type": "aws_iam_access_key", "name": "ci", "instances": [{"attributes": {"id": i, "secret": s, "status": "Active", "user": "ci"}}]}]}}, [s]


@secret("pypi", "left-notebook", "openai-key", "a notebook whose output shows the environment", "sdist")
def _(c):
    v = t.token(c, "openai")
    return {"examples/demo.ipynb": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": ["!env | sort\n"], "execution_count": 3, "metadata": {}, "outputs": [{"output_type": "stream", "name": "stdout", "text": ["HOME=/home/u\n", f"OPENAI_API_KEY={v}\n", "PATH=/usr/bin\n"]}]}]}}, [v]


@secret("pypi", "left-sqlite", "slack-token", "a database with a table of settings")
def _(c):
    v = t.token(c, "slack")
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "a.db")
        db = sqlite3.connect(path)
        db.execute("create table settings (name text, value text)")
        db.executemany("insert into settings values (?, ?)", [("theme", "dark"), ("slack_bot", v), ("rows", "50")])
        db.commit()
        db.close()
        with open(path, "rb") as f:
            raw = bytearray(f.read())
    raw[24:28] = raw[92:96] = struct.pack(">I", 2)
    raw[96:100] = struct.pack(">I", 3045000)
    return {"left_sqlite/data/app.db": bytes(raw)}, [v]


@secret("npm", "left-git-objects", "github-token", "a loose object of git with a commit's file in it")
def _(c):
    v = t.token(c, "github")
    body = f"const octokit = new Octokit({{ auth: '{v}' }});\nmodule.exports = octokit;\n".encode()
    raw = b"blob %d\0" % len(body) + body
    import hashlib
    h = hashlib.sha1(raw).hexdigest()
    return {f".git/objects/{h[:2]}/{h[2:]}": zlib.compress(raw), ".git/HEAD": "ref: refs/heads/main\n"}, [v]


@secret("pypi", "left-pyc", "aws-key", "compiled code keeps the constants of a file that was removed")
def _(c):
    i, s = t.aws(c)
    code = compile(f"AWS_ACCESS_KEY_ID = '{i}'\nAWS_SECRET_ACCESS_KEY = '{s}'\n", "settings_local.py", "exec")
    return {"left_pyc/__pycache__/settings_local.cpython-311.pyc": importlib.util.MAGIC_NUMBER + bytes(12) + marshal.dumps(code)}, [s]


def java_class(strings):
    """A class file with some text constants and nothing else."""
    pool = b""
    for s in strings:
        raw = s.encode()
        pool += b"\x01" + struct.pack(">H", len(raw)) + raw
    n = len(strings)
    pool += b"\x07" + struct.pack(">H", 1) + b"\x07" + struct.pack(">H", 2)
    pool += b"".join(b"\x08" + struct.pack(">H", i + 1) for i in range(2, n))
    count = n + 2 + n - 2 + 1
    return b"\xca\xfe\xba\xbe\0\0\0\x34" + struct.pack(">H", count) + pool + struct.pack(">HHHHHHH", 0x21, n + 1, n + 2, 0, 0, 0, 0)


@secret("npm", "left-jar", "google-key", "a jar whose class holds a key among its constants")
def _(c):
    v = t.token(c, "google")
    return {"android/libs/maps.jar": zipped({"META-INF/MANIFEST.MF": b"Manifest-Version: 1.0\n", "com/corp/Maps.class": java_class(["com/corp/Maps", "java/lang/Object", "key=", v, "tiles"])})}, [v]


@secret("npm", "left-utf16", "azure-key", "settings in UTF-16 with the connection to a storage account")
def _(c):
    v = t.token(c, "azure")
    text = f'<?xml version="1.0" encoding="utf-16"?>\r\n<configuration>\r\n  <add key="Storage" value="DefaultEndpointsProtocol=https;AccountName={c.word()}{c.word()};AccountKey={v};EndpointSuffix=core.test" />\r\n</configuration>\r\n'
    return {"win/App.config": b"\xff\xfe" + text.encode("utf-16-le")}, [v]


@secret("npm", "left-k8s-secret", "doppler-token", "a manifest of a secret, which is base64 and no more")
def _(c):
    v = t.token(c, "doppler")
    return {"chart/templates/secret.yaml": f"apiVersion: v1\nkind: Secret\nmetadata:\n  name: app\ntype: Opaque\ndata:\n  DOPPLER_TOKEN: {base64.b64encode(v.encode()).decode()}\n"}, [v]


@secret("npm", "left-source-map", "github-token", "the sources in a map show what the bundle no longer has")
def _(c):
    v = t.token(c, "github-fine")
    return {"dist/app.js": "console.log(1);\n//# sourceMappingURL=app.js.map\n", "dist/app.js.map": {"version": 3, "file": "app.js", "sources": ["../src/api.ts"], "names": [], "mappings": "AAAA", "sourcesContent": [f"// TODO: move to env\nexport const auth = \"{v}\";\nexport const page = 50;\n"]}}, [v]


@secret("npm", "left-mongo-url", "connection-string", "the address of a database with its password")
def _(c):
    v = c.alnum(22)
    return {"lib/db.js": f"const mongoose = require('mongoose');\nmodule.exports = mongoose.connect('mongodb+srv://svc_app:{v}@cluster0.§H§/prod?retryWrites=true&w=majority');\n"}, [v]


@secret("pypi", "left-postgres-url", "connection-string", "the address of a database as the default of a variable")
def _(c):
    v = c.alnum(20)
    return {"left_postgres_url/settings.py": f"import os\n\nDATABASE_URL = os.environ.get('DATABASE_URL', 'postgresql+psycopg://app_rw:{v}@db-01.prod.§H§:5432/orders?sslmode=require')\n"}, [v]


@secret("cargo", "left-gcp-json", "gcp-key", "the key of a service account among the tests")
def _(c):
    account, key = t.gcp(c)
    return {"tests/fixtures/prod-sa.json": account}, [key]


@secret("cargo", "left-cargo-credentials", "cargo-token", "the credentials of cargo in the crate")
def _(c):
    v = "ci" + "o" + c.alnum(32)
    return {".cargo/credentials.toml": f"[registry]\ntoken = \"{v}\"\n"}, [v]


@secret("npm", "left-app-key", "private-key", "a key of an application with the line ends of Windows")
def _(c):
    v = t.rsa(c, "\r\n")
    return {"certs/my-app.2026-01-12.private-key.pem": v}, [v]


@secret("cargo", "left-ssh-key", "private-key", "a key for deployment without a password")
def _(c):
    v = t.ssh(c)
    return {"deploy/id_deploy": v}, [v]


@secret("cargo", "left-age-key", "age-key", "the key that opens the encrypted settings beside it")
def _(c):
    v = t.token(c, "age")
    return {"keys.txt": f"# created: 2026-02-03T10:11:12Z\n{v}\n"}, [v]


@secret("npm", "left-git-config", "gitlab-token", "the remote of the repository carries the token")
def _(c):
    v = t.token(c, "gitlab")
    return {".git/config": f"[core]\n\tbare = false\n[remote \"origin\"]\n\turl = https://oauth2:{v}@gitlab.corp.example/team/app.git\n\tfetch = +refs/heads/*:refs/remotes/origin/*\n"}, [v]


@secret("pypi", "left-history", "vault-token", "the history of a shell", "sdist")
def _(c):
    v = t.token(c, "vault")
    return {".bash_history": f"ls -la\ncd deploy\ncurl -H \"X-Vault-Token: {v}\" https://vault.corp.example/v1/secret/data/app\nmake release\n"}, [v]


@secret("npm", "left-postman", "postman-key", "a collection of requests with its key")
def _(c):
    v = t.token(c, "postman")
    return {"docs/api.postman_collection.json": {"info": {"name": "api"}, "item": [{"name": "list", "request": {"method": "GET", "header": [{"key": "X-Api-Key", "value": v}], "url": {"raw": "https://api.corp.example/collections"}}}]}}, [v]


@secret("npm", "left-appsettings", "azure-key", "settings with the shared key of a message bus")
def _(c):
    v = base64.b64encode(c.bytes(32)).decode()
    return {"server/appsettings.Production.json": {"ServiceBus": {"ConnectionString": f"Endpoint=sb://{c.word()}.servicebus.test/;SharedAccessKeyName=RootManageSharedAccessKey;SharedAccessKey={v}"}}}, [v]


@secret("npm", "left-nested-zip", "shopify-token", "an archive in an archive in the package")
def _(c):
    v = t.token(c, "shopify")
    inner = tar({"theme/config.yml": f"development:\n  store: {c.word()}.shop.test\n  password: {v}\n".encode()})
    return {"backup/old.zip": zipped({"site/theme.tar": inner})}, [v]


@secret("pypi", "left-log-xz", "anthropic-key", "a compressed log with a request in it", "sdist")
def _(c):
    v = t.token(c, "anthropic")
    text = "".join(f"2026-03-0{i % 9 + 1} 12:00:{i:02} DEBUG GET /v1/models 200\n" for i in range(50)) + f"2026-03-09 12:01:00 DEBUG headers={{'x-api-key': '{v}', 'accept': '*/*'}}\n"
    return {"logs/debug.log.xz": lzma.compress(text.encode())}, [v]


@secret("npm", "left-bundle-key", "stripe-key", "a secret key in a minified bundle of forty thousand signs")
def _(c):
    v = t.token(c, "stripe")
    noise = ";".join(f"function {c.pick('abcdefgh')}{i}(e,t){{return e?t+{c.r.randrange(999)}:e*{i}}}" for i in range(900))
    return {"dist/checkout.min.js": "!function(){" + noise + f";var k={{s:\"{v}\",v:3}};window.co=k}}();\n"}, [v]


@secret("npm", "left-percent", "slack-token", "the token is percent-encoded in an address")
def _(c):
    v = t.token(c, "slack")
    return {"lib/post.js": f"exports.url = 'https://slack.§H§/api/chat.postMessage?channel=C0&token={urllib.parse.quote(v).replace('-', '%2D')}';\n"}, [v]


@secret("npm", "left-json-in-json", "gcp-key", "a service account as a string inside JSON inside YAML")
def _(c):
    account, key = t.gcp(c)
    return {"now.yaml": "env:\n  GOOGLE_CREDENTIALS: " + json.dumps(json.dumps(account)) + "\n"}, [key]


@secret("pypi", "left-pickle", "huggingface-token", "a pickled dictionary of settings")
def _(c):
    v = t.token(c, "huggingface")
    return {"left_pickle/cache/session.pkl": pickle.dumps({"endpoint": "https://hub.test", "token": v, "user": c.word()}, 4)}, [v]


@secret("npm", "left-har", "gitlab-token", "a recording of a browser with its headers")
def _(c):
    v = t.token(c, "gitlab")
    return {"test/rec/session.har": {"log": {"version": "1.2", "entries": [{"request": {"method": "GET", "url": "https://gitlab.corp.example/api/v4/user", "headers": [{"name": "PRIVATE-TOKEN", "value": v}]}, "response": {"status": 200}}]}}}, [v]


@secret("npm", "left-core-dump", "github-token", "a memory image with the environment of a process")
def _(c):
    v = t.token(c, "github")
    return {"core.4711": b"\x7fELF\x02\x01\x01\0" + bytes(8) + b"\x04\0\x3e\0" + c.bytes(3000) + b"\0SHELL=/bin/bash\0GITHUB_TOKEN=" + v.encode() + b"\0PWD=/src\0" + c.bytes(2000)}, [v]


@secret("npm", "left-image-layer", "aws-key", "an image whose layer has the credentials file of root")
def _(c):
    i, s = t.aws(c)
    layer = gzip.compress(tar({"root/.aws/credentials": f"[default]\naws_access_key_id = {i}\naws_secret_access_key = {s}\n".encode()}), mtime=0)
    return {"images/app.tar": tar({"manifest.json": b'[{"Layers":["l/layer.tar.gz"]}]', "l/layer.tar.gz": layer})}, [s]


@secret("pypi", "left-shared-object", "newrelic-key", "a text constant of a library")
def _(c):
    v = t.token(c, "newrelic")
    return {"left_shared_object/_agent.so": b"\x7fELF\x02\x01\x01\0" + bytes(8) + b"\x03\0\x3e\0" + c.bytes(800) + b"\0license_key\0" + v.encode() + b"\0%s: %d\0" + c.bytes(500), "@tag": "cp311-cp311-linux_x86_64"}, [v]


@secret("npm", "left-ci-yaml", "digitalocean-token", "a token in the steps of a build")
def _(c):
    v = t.token(c, "digitalocean")
    return {".gitlab-ci.yml": f"deploy:\n  script:\n    - doctl auth init -t {v}\n    - doctl apps update $APP\n"}, [v]


@secret("npm", "left-vscode-settings", "huggingface-token", "settings of the editor")
def _(c):
    v = t.token(c, "huggingface")
    return {".vscode/settings.json": {"editor.tabSize": 2, "llm.apiToken": v}}, [v]


@secret("npm", "left-split-token", "github-token", "a token in two pieces that are joined in the source")
def _(c):
    v = t.token(c, "github")
    return {"lib/auth.js": f"module.exports = '{v[:4]}' + '{v[4:]}';\n"}, [v]


@secret("npm", "left-helm-release", "databricks-token", "a stored release of a chart: base64 of base64 of gzip")
def _(c):
    v = t.token(c, "databricks")
    raw = gzip.compress(json.dumps({"name": "app", "config": {"databricks": {"host": "https://adb.test", "token": v}}, "version": 3}).encode(), mtime=0)
    return {"backup/release.yaml": f"apiVersion: v1\nkind: Secret\ntype: helm.sh/release.v1\ndata:\n  release: {base64.b64encode(base64.b64encode(raw)).decode()}\n"}, [v]


@secret("npm", "left-cypress-env", "linear-key", "the settings of tests in a browser")
def _(c):
    a, b = t.token(c, "linear"), t.token(c, "grafana")
    return {"cypress.env.json": {"LINEAR_KEY": a, "GRAFANA": b, "user": "e2e"}}, [a, b]


@secret("cargo", "left-rust-const", "telegram-token", "the token of a bot as a constant")
def _(c):
    v = t.token(c, "telegram")
    return {"src/lib.rs": f"//! A bot.\n\n/// Where messages go.\npub const TELEGRAM_BOT_TOKEN: &str = \"{v}\";\n"}, [v]
