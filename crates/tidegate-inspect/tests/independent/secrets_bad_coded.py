"""Secrets in compiled files, databases and documents, and secrets that are escaped or encoded."""

import binascii
import json
import urllib.parse

import kit
import keys
import shapes
import tokens
from collect import token
from kit import Dice, b64


def compiled(items):
    d = Dice("elf")
    v = token("stripe", "elf")
    items.bad("billing.elf", "stripe", "elf-rodata", shapes.elf(["usage: billing [options]", "Authorization: Bearer " + v, "GLIBC_2.34"], d), v, "a header string in a program's read-only data")
    v = token("openai", "pe16")
    items.bad("assistant.exe", "openai", "pe-utf16le", shapes.pe(["Software\\Corp".encode("utf-16-le"), ("OPENAI_API_KEY=" + v).encode("utf-16-le")], Dice("pe1")), v, "a wide string in a Windows program")
    v = token("slack-user", "pebe")
    items.bad("resource.dll", "slack", "pe-utf16be", shapes.pe([b"RSRC", v.encode("utf-16-be")], Dice("pe2")), v, "a big-endian wide string in a resource section")
    v = token("gcp-oauth", "wasm")
    items.bad("module.wasm", "gcp", "wasm-data", shapes.wasm(b"client_id\0client_secret\0" + v.encode() + b"\0grant_type"), v, "a string in a WebAssembly data segment")
    v = token("shopify", "utf16")
    items.bad("export.txt", "shopify", "utf16-text", shapes.utf16("shop;token\r\ncorp-outlet;%s\r\n" % v), v, "an export in UTF-16 with a byte order mark")
    v = token("notion", "sqlite")
    items.bad("cache.sqlite", "notion", "sqlite", shapes.sqlite(
        "create table kv (k text primary key, v text);" + "".join("insert into kv values ('k%d', '%s');" % (i, Dice("kv%d" % i).words(6)) for i in range(300)) +
        "insert into kv values ('integration', '%s');" % v), v, "a row of an application's database")
    v = token("perplexity", "npz")
    items.bad("prompts.npz", "perplexity", "npz", kit.zipped([("arr_0.npy", shapes.npy(["pplx", v, "end"]))]), v, "a text in an array file, four bytes a character")


def documents(items):
    v = token("mailchimp", "pdf")
    items.bad("handbook.pdf", "mailchimp", "pdf", shapes.pdf(["Onboarding", "1. Export MAILCHIMP_API_KEY=" + v, "2. Run the sync"]), v, "a key in a page's deflated content")
    v = token("linear", "png")
    items.bad("diagram.png", "linear", "png-text", shapes.png([("Software", "shot 1.0"), ("Comment", "LINEAR_API_KEY=" + v)], Dice("png")), v, "a key in a picture's text chunk")
    v = token("gitlab-trigger", "docx")
    items.bad("runbook.docx", "gitlab", "docx", shapes.docx(["Release runbook", "Trigger with token %s and wait." % v]), v, "a trigger token in a document")
    v = token("sendgrid", "html")
    items.bad("page.html", "sendgrid", "html", "<html><body><script>window.__CFG__={\"mail\":{\"sendgridApiKey\":\"%s\"}};</script></body></html>\n" % v, v, "a key in a page's start-up data")
    v = token("teams", "ini")
    items.bad("alerts.conf", "teams", "ini", "[alerts]\nlevel = error\nurl = %s\n" % v, v, "an incoming webhook: whoever knows it can post")
    v = token("discord-hook", "yml")
    items.bad("release.yml", "discord", "yaml", "steps:\n  - uses: corp/announce@v1\n    with:\n      webhook: %s\n" % v, v, "an incoming webhook: whoever knows it can post")


def encoded(items):
    identity, v = tokens.aws_pair("b64")
    items.bad("values-b64.yaml", "aws", "base64-file", "apiVersion: v1\nkind: Secret\nmetadata: {name: aws}\ndata:\n  credentials: %s\n" % b64(
        "[default]\naws_access_key_id = %s\naws_secret_access_key = %s\n" % (identity, v)), v, "a cluster secret: base64 is no protection")
    v = token("replicate", "hex")
    items.bad("blob.py", "replicate", "hex-encoded", "import binascii\n\n# the service's key, so that greps do not find it\nKEY = binascii.unhexlify('%s').decode()\n" % binascii.hexlify(("REPLICATE_API_TOKEN=" + v).encode()).decode(), v, "hex digits decoded at start")
    v = token("password", "pct")
    url = "postgresql://svc_report:%s@db.corp.example:5432/report" % v
    items.bad("redirect.txt", "password", "percent-encoded", "next=https://admin.corp.example/connect?dsn=%s\n" % urllib.parse.quote(url, safe=""), v, "a database address percent-encoded in a query")
    v = token("github", "jsx")
    items.bad("escaped.js", "github", "js-hex-escapes", "var t=\"%s\";\nmodule.exports={auth:t};\n" % "".join("\\x%02x" % ord(c) for c in v), v, "a token in \\x escapes")
    v = token("npm", "jsu")
    items.bad("escaped-u.js", "npm", "js-unicode-escapes", "exports.token = '%s';\n" % "".join("\\u%04x" % ord(c) for c in v), v, "a token in \\u escapes")
    v = token("vault", "json")
    inner = json.dumps({"auth": {"client_token": v, "url": "https://vault.corp.example/"}})
    items.bad("event.json", "vault", "json-in-json", json.dumps({"source": "vault", "payload": json.dumps({"body": inner})}), v, "JSON in a string in JSON in a string")
    account, v = tokens.service_account("b64")
    items.bad("ci.env", "gcp", "base64-file", "GCLOUD_KEYFILE_B64=%s\n" % b64(json.dumps(account)), v, "a whole service account in base64")
    v = token("digitalocean", "twice")
    items.bad("twice.env", "digitalocean", "base64-twice", "CFG=%s\n" % b64(b64("DO_TOKEN=%s\nregion=ams3\n" % v)), v, "base64 of base64")
    v = token("docker-hub", "b64wrapped")
    text = b64(json.dumps({"auths": {"docker.example": {"auth": b64("bot:" + v)}}}))
    items.bad("pull-secret.yaml", "docker-hub", "base64-file", "kind: Secret\ntype: kubernetes.io/dockerconfigjson\ndata:\n  .dockerconfigjson: %s\n" % text, v, "a pull secret: base64 of JSON of base64")
    v = token("pypi", "gzb64")
    items.bad("state.txt", "pypi", "base64-gzip", b64(kit.gz("[pypi]\nusername=__token__\npassword=%s\n" % v)) + "\n", v, "gzip in base64")
    v = token("paypal", "basic")
    items.bad("curl.txt", "paypal", "http-basic-header", "curl https://api.corp.example/v1/oauth2/token \\\n  -H 'Authorization: Basic %s'\n" % b64("A" + Dice("pp").text(kit.B64URL, 79) + ":" + v), v, "a basic authorisation header")
    v = token("password", "url")
    items.bad("mirror.list", "password", "basic-auth-url", "https://mirror-sync:%s@artifacts.corp.example/deb stable main\n" % v, v, "user and password in an address")
    v = token("alibaba-secret", "xml")
    items.bad("oss.xml", "alibaba", "xml", "<configuration><property><name>fs.oss.accessKeyId</name><value>%s</value></property><property><name>fs.oss.accessKeySecret</name><value>%s</value></property></configuration>\n" % (token("alibaba-id", "xml"), v), v, "a cloud key pair in a Hadoop configuration")
    v = token("square-access", "entity")
    items.bad("feed.xml", "square", "xml-entities", "<feed><auth value=\"%s\"/></feed>\n" % "".join("&#%d;" % ord(c) for c in "Bearer " + v), v, "a token written in character entities")
    d = Dice("jwt")
    v = keys.jwt(d, '{"sub":"svc-deploy","aud":"https://api.corp.example","scope":"admin","iat":1709294400,"exp":2024654400}')
    items.bad("smoke-test.http", "jwt", "http-file", "GET https://api.corp.example/v1/admin/users\nAuthorization: Bearer %s\n" % v, v, "a service's bearer token valid for ten years")
    v = token("grafana-cloud", "parts")
    items.bad("split.ts", "grafana", "concatenated", "const a = '%s';\nconst b = '%s';\nexport const GRAFANA_TOKEN = '%s' +\n  '%s';\nexport { a, b };\n" % ("left", "right", v[:40], v[40:]), v, "a token written as two literals added together")


def build(items):
    compiled(items)
    documents(items)
    encoded(items)
