"""More containers for secrets, and the benign likes of each."""

import base64
import gzip
import json
import pickle
import plistlib
import quopri
import struct
import zlib

import keys
import kit
import shapes
import tokens
from collect import token
from kit import Dice, b64


def bad(items):
    add = items.bad
    v = token("openai", "plist")
    add("settings.plist", "openai", "binary-plist", plistlib.dumps({"model": "large", "openai": {"key": v}, "window": [1, 2]}, fmt=plistlib.FMT_BINARY), v, "a key in a binary property list")
    v = token("npm", "reg")
    add("export.reg", "npm", "registry-export", shapes.utf16("Windows Registry Editor Version 5.00\r\n\r\n[HKEY_CURRENT_USER\\Environment]\r\n\"NPM_TOKEN\"=\"%s\"\r\n" % v), v, "an exported user environment in UTF-16")
    v = token("sendgrid", "eml")
    add("handover.eml", "sendgrid", "mail-base64", "From: a@corp.example\r\nTo: b@corp.example\r\nSubject: handover\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b1\r\n\r\n--b1\r\nContent-Type: text/plain\r\n\r\nsee attachment\r\n--b1\r\nContent-Type: text/plain; name=prod.env\r\nContent-Transfer-Encoding: base64\r\n\r\n%s--b1--\r\n" % base64.encodebytes(("MAIL_HOST=smtp.corp.example\nSENDGRID_API_KEY=%s\nMAIL_FROM=hello@corp.example\n" % v).encode()).decode().replace("\n", "\r\n"), v, "an attachment in base64 of several lines")
    v = token("github-fine", "qp")
    add("note.mht", "github", "quoted-printable", b"MIME-Version: 1.0\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n" + quopri.encodestring(("<p>Übergabe: der Token für das Archiv lautet bis auf weiteres %s und gilt bis Mai</p>" % v).encode()), v, "a token broken over lines by quoted-printable")
    v = token("slack-bot", "pickle")
    add("session.pkl", "slack", "pickle", pickle.dumps({"team": "corp", "token": v, "seen": list(range(50))}, protocol=4), v, "a saved session")
    v = token("vault", "rtf")
    add("notes.rtf", "vault", "rtf", "{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}\\f0\\fs20 Login:\\par VAULT_TOKEN=%s\\par}\n" % v.replace("_", "\\'5f"), v, "a note in rich text, its underscores written as character codes")
    v = token("gitlab", "docker")
    add("Dockerfile", "gitlab", "dockerfile", "FROM alpine:3.20\nARG VERSION=1\nRUN git clone https://oauth2:%s@git.corp.example/infra/base.git /src\nENV MODE=prod\n" % v, v, "a clone token in a build step")
    v = token("circleci", "jenkins")
    add("Jenkinsfile", "circleci", "jenkinsfile", "pipeline {\n  agent any\n  environment { CIRCLE_TOKEN = '%s' }\n  stages { stage('go') { steps { sh 'make' } } }\n}\n" % v, v, "a token in a pipeline's environment")
    v = token("datadog", "unit")
    add("agent.service", "datadog", "systemd-unit", "[Service]\nEnvironment=DD_API_KEY=%s\nExecStart=/usr/bin/agent run\nRestart=always\n" % v, v, "a key in a service's environment")
    v = token("stripe", "sqlblob")
    blob = gzip.compress(json.dumps({"gateway": "card", "secret": v}).encode(), mtime=0).hex()
    add("shop.sqlite", "stripe", "gzip-in-sqlite", shapes.sqlite("create table options (id integer primary key, name text, value blob); insert into options (name, value) values ('theme', 'plain'), ('gateway', x'%s');" % blob), v, "a compressed value in a database")
    v = token("anthropic", "heredoc")
    add("install.run", "anthropic", "self-extracting", b"#!/bin/sh\ntail -n +4 \"$0\" | tar xz -C /opt\nexit 0\n# data\n" + kit.tgz([("app/config.ini", "[llm]\nkey = %s\n" % v), ("app/run", "#!/bin/sh\n")]), v, "an archive after a shell script")
    v = token("shopify", "png-tail")
    add("banner.png", "shopify", "appended-zip", shapes.png([], Dice("banner")) + kit.zipped([("theme/config.yml", "production:\n  password: %s\n  store: corp-outlet\n" % v)]), v, "a zip after the end of a picture")
    v = token("telegram", "svg")
    add("chart.svg", "telegram", "data-uri", "<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"data:application/json;base64,%s\"/></svg>\n" % b64(json.dumps({"bot": v, "chat": -1001})), v, "JSON in a data address in a drawing")
    v = token("supabase", "env64url")
    add("cookie.txt", "supabase", "base64url", "sb-auth=%s; Path=/\n" % kit.b64url(json.dumps({"role": "service", "access_token": v})), v, "a token in a cookie in URL-safe base64")
    v = token("pulumi", "crontab")
    add("crontab.txt", "pulumi", "crontab", "MAILTO=ops@corp.example\n15 3 * * * PULUMI_ACCESS_TOKEN=%s /opt/drift.sh\n" % v, v, "a token in a cron line")
    v = token("password", "gpp")
    add("odbc.ini", "password", "ini", "[warehouse]\nDriver=PostgreSQL\nServername=10.1.0.7\nUserName=loader\nPassword=%s\n" % v, v, "a database password in a driver's settings")
    identity, v = tokens.aws_pair("concat")
    add("s3.go", "aws", "source-go", 'package s3\n\nvar creds = credentials.NewStaticCredentials("%s", "%s", "")\n' % (identity, v), v, "a key pair as arguments, without names beside it")
    v = token("heroku", "zlib")
    add("state.bin", "heroku", "zlib-stream", struct.pack("<II", 7, 1) + zlib.compress(("machine api.heroku.com\n  login ops@corp.example\n  password %s\n" % v).encode()), v, "a deflated state file with a short head")
    key = keys.openssh(Dice("key/zip"), "root@prod")
    add("backup.zip", "private-key", "zip", kit.zipped([("home/.ssh/known_hosts", "git.corp.example ssh-ed25519 AAAA\n"), ("home/.ssh/id_ed25519", key), ("home/.bashrc", "alias ll='ls -l'\n")]), key.splitlines()[3], "a login key in a backup of a home folder")


def good(items):
    add, d = items.good, Dice("good-variants")
    add("prefs.plist", "identifier", "binary-plist", plistlib.dumps({"uuid": d.uuid(), "bookmark": d.raw(400), "token": "", "passwordSaved": False}, fmt=plistlib.FMT_BINARY), "preferences: an id and an opaque bookmark")
    add("classes.reg", "identifier", "registry-export", shapes.utf16("Windows Registry Editor Version 5.00\r\n\r\n" + "".join("[HKEY_CLASSES_ROOT\\CLSID\\{%s}]\r\n@=\"Token Provider\"\r\n\"Digest\"=hex:%s\r\n\r\n" % (d.uuid().upper(), ",".join(d.hex(2) for _ in range(32))) for _ in range(30))), "class ids and digests")
    add("newsletter.eml", "inline-asset", "mail-base64", "From: news@corp.example\r\nMIME-Version: 1.0\r\nDKIM-Signature: v=1; a=rsa-sha256; bh=%s; b=%s\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n%s" % (b64(d.raw(32)), b64(d.raw(256)), base64.encodebytes(shapes.png([], d)).decode().replace("\n", "\r\n")), "a signature header and a picture")
    add("metrics.pkl", "packed-data", "pickle", pickle.dumps({"ids": [d.uuid() for _ in range(40)], "loss": [i / 9 for i in range(300)], "token_ids": list(range(300))}, protocol=4), "numbers and ids")
    add("letter.rtf", "inline-asset", "rtf", "{\\rtf1{\\pict\\pngblip\n%s}\\par Your password was sent by post.\\par}\n" % d.hex(4000), "a picture in hex")
    add("Dockerfile", "reference", "dockerfile", '''FROM python:3.12-slim@sha256:%s
ARG PIP_TOKEN
ENV GPG_KEY=%s
RUN --mount=type=secret,id=token TOKEN=$(cat /run/secrets/token) pip install -r requirements.txt
''' % (d.hex(64), d.hex(40).upper()), "a mounted secret, a digest and a fingerprint")
    add("Jenkinsfile", "reference", "jenkinsfile", '''pipeline {
  environment { TOKEN = credentials('npm-token'); SHA = '%s' }
  stages { stage('go') { steps { withCredentials([string(credentialsId: '%s', variable: 'API_KEY')]) { sh 'make' } } } }
}
''' % (d.hex(40), d.uuid()), "ids of stored credentials")
    add("app.service", "reference", "systemd-unit", '''[Service]
EnvironmentFile=/etc/app/secret.env
LoadCredential=token:/etc/app/token
ExecStart=/usr/bin/app --token-file ${CREDENTIALS_DIRECTORY}/token
''', "names of files that hold secrets elsewhere")
    add("history.sqlite", "content-hash", "sqlite", shapes.sqlite("create table files (path text, sha256 text, body blob);" + "".join("insert into files values ('%s', '%s', x'%s');" % (w, d.hex(64), zlib.compress(Dice(w).words(30).encode()).hex()) for w in kit.WORDS)), "digests and compressed texts")
    add("setup.run", "minified", "self-extracting", b"#!/bin/sh\n# md5 %s\ntail -n +5 \"$0\" | tar xz\nexit 0\n\n" % d.hex(32).encode() + kit.tgz([("app/readme", "API keys go to ~/.config/app/key\n"), ("app/app.js", shapes.bundle("run", 30_000))]), "an installer that carries an application")
    add("map.svg", "inline-asset", "data-uri", "<svg xmlns=\"http://www.w3.org/2000/svg\"><image href=\"data:image/png;base64,%s\"/><path d=\"%s\"/></svg>\n" % (b64(shapes.png([], d)), " ".join("M%d.%dl%d.%d" % (d.number(0, 900), d.number(0, 9), d.number(0, 90), d.number(0, 9)) for _ in range(400))), "a picture and paths")
    add("cookies.test.js", "test-vector", "source-javascript", '''const jar = new Jar();
jar.set('session=%s; Path=/; HttpOnly');
expect(jar.get('csrf')).toBe('test-csrf-token');
expect(sign('tobi', 'tobiiscool')).toBe('tobi.%s');
''' % ("abc123" * 4, d.text(kit.B64STD, 43)), "values of a cookie library's tests")
    add("openapi.yaml", "documented-format", "yaml", '''components:
  securitySchemes:
    bearer: {type: http, scheme: bearer, bearerFormat: JWT}
    key: {type: apiKey, in: header, name: X-API-Key}
  schemas:
    Login: {properties: {password: {type: string, format: password, example: 'S3cure-p4ss'}, token: {type: string, example: 'eyJhbGciOi...'}}}
''', "a description of an interface with sample values")
    add("settings.gradle.kts", "reference", "source-kotlin", '''val token: String? by settings
repositories {
    maven {
        url = uri("https://maven.corp.example")
        credentials { username = System.getenv("CI_USER"); password = token ?: System.getenv("CI_JOB_TOKEN") }
    }
}
includeBuild("build-logic-%s")
''' % d.hex(7), "references, no values")
    add("blockchain.test.ts", "test-vector", "source-typescript", "".join("expect(keccak('%s')).toBe('0x%s');\n" % (w, d.hex(64)) for w in kit.WORDS[:40]), "digests of words")
    add("dictionary.bin", "packed-data", "zlib-stream", struct.pack("<II", 7, 1) + zlib.compress("\n".join(kit.WORDS * 20).encode()), "deflated words")
    add("photos.zip", "inline-asset", "zip", kit.zipped([("p%d.png" % i, shapes.png([("Title", Dice("ph%d" % i).words(2))], Dice("ph%d" % i))) for i in range(12)] + [(".ssh/id_ed25519.pub", keys.ssh_public(d) + "\n")]), "pictures and a public key")


def build(items):
    bad(items)
    good(items)
