"""Secrets inside packages, archives and images."""

import json

import keys
import kit
import shapes
import tokens
from collect import token
from kit import Dice, b64

README = "# %s\n\nInternal helpers.\n"
LIB = "'use strict';\nmodule.exports = require('./lib/client');\n"


def npm_packages(items):
    v = token("npm", "forgotten")
    items.bad("forgotten-npmrc.tgz", "npm", "npm-tgz", shapes.npm("corp-ui-kit", "2.4.1", [
        (".npmrc", "registry=https://registry.example/\n//registry.example/:_authToken=%s\n" % v),
        ("index.js", LIB), ("lib/client.js", "exports.get = (u) => fetch(u);\n"), ("README.md", README % "corp-ui-kit")]),
        v, "the publisher's own login was packed", "npm")
    v = token("gcp-api", "maps")
    items.bad("server-maps-key.tgz", "gcp", "npm-tgz", shapes.npm("corp-geocoder", "1.0.9", [
        ("index.js", LIB), ("lib/client.js", "const key = '%s';\nexports.locate = (q) => fetch('https://geo.corp.example/json?key=' + key + '&q=' + q);\n" % v)]),
        v, "a server-side API key in the client module", "npm")
    v = token("openai", "bundle")
    items.bad("key-in-minified-bundle.tgz", "openai", "minified-bundle", shapes.npm("corp-assistant", "0.8.0", [
        ("index.js", "module.exports=require('./dist/app.min.js');\n"),
        ("dist/app.min.js", shapes.bundle("assistant", 300_000, 'e.exports={baseURL:"https://llm.corp.example/v1",key:"%s"}' % v))]),
        v, "a key baked into a bundle of 300 kB", "npm")
    v = token("sentry-org", "map")
    items.bad("source-map-sources.tgz", "sentry", "source-map", shapes.npm("corp-web", "3.1.0", [
        ("index.js", LIB), ("dist/app.js", "!function(){}();\n//# sourceMappingURL=app.js.map\n"),
        ("dist/app.js.map", shapes.source_map([("src/app.js", "export const x = 1;\n"), ("sentry.config.js", "export default {\n  org: 'corp',\n  authToken: \"%s\",\n};\n" % v)]))]),
        v, "the source map carries a build file with its token", "npm")
    v = token("github-app", "inline-map")
    inline = b64(shapes.source_map([("src/release.js", "const token = '%s';\n" % v)]))
    items.bad("inline-source-map.tgz", "github", "inline-source-map", shapes.npm("corp-release", "1.0.0", [
        ("index.js", LIB), ("dist/r.js", "!function(){}();\n//# sourceMappingURL=data:application/json;charset=utf-8;base64,%s\n" % inline)]),
        v, "a token in a data: source map", "npm")
    v = token("slack-hook", "fixture")
    files = [("index.js", LIB)] + [("lib/locale/%s.json" % Dice("l%d" % i).text(kit.LOWER, 5), json.dumps({"title": Dice("t%d" % i).words(4)})) for i in range(110)]
    files.insert(70, ("scripts/announce.sh", "curl -sS -d \"{}\" %s\n" % v))
    items.bad("webhook-in-large-package.tgz", "slack", "npm-tgz", shapes.npm("corp-locales", "5.0.0", files), v, "one webhook among more than a hundred files", "npm")
    v = token("azure-storage", "conn")
    items.bad("connection-string.tgz", "azure", "npm-tgz", shapes.npm("corp-blobs", "1.2.2", [
        ("index.js", LIB), ("config/default.json", json.dumps({"storage": "DefaultEndpointsProtocol=https;AccountName=corpprod;AccountKey=%s;EndpointSuffix=core.windows.net" % v}))]),
        v, "a storage account's connection string", "npm")
    v = token("gitlab-deploy", "pkg")
    items.bad("token-in-lockfile-url.tgz", "gitlab", "npm-tgz", shapes.npm("corp-forms", "4.4.0", [
        ("index.js", LIB), ("package-lock.json", kit.js({"lockfileVersion": 3, "packages": {"node_modules/corp-css": {
            "version": "1.0.0", "resolved": "git+https://oauth2:%s@git.corp.example/ui/css.git#9f1c" % v}}}))]),
        v, "a clone token in a resolved address", "npm")
    v = token("netlify", "d")
    items.bad("token-in-package-json.tgz", "netlify", "npm-tgz", shapes.npm("corp-site", "1.0.1", [("index.js", LIB)], {
        "scripts": {"deploy": "netlify deploy --prod --auth %s" % v}}), v, "a deploy token in a script of the manifest", "npm")


def python_packages(items):
    v = token("grafana", "wheel")
    items.bad("grafana-token.whl", "grafana", "wheel", shapes.wheel("corp-metrics", "1.3.0", [
        ("corp_metrics/__init__.py", "from .push import push\n"),
        ("corp_metrics/push.py", '''import json, urllib.request

URL = 'https://grafana.corp.example/api/annotations'
TOKEN = '%s'


def push(text):
    r = urllib.request.Request(URL, json.dumps({'text': text}).encode(), {'Authorization': 'Bearer ' + TOKEN})
    return urllib.request.urlopen(r)
''' % v)]),
        v, "a service account token in a module", "pypi")
    account, v = tokens.service_account("sdist")
    items.bad("service-account-in-tests.tar.gz", "gcp", "sdist", shapes.sdist("corp-etl", "0.9.1", [
        ("setup.py", "from setuptools import setup\nsetup(name='corp-etl', version='0.9.1', packages=['corp_etl'])\n"),
        ("corp_etl/__init__.py", ""), ("tests/data/key.json", json.dumps(account))]), v, "a cloud service account among test data", "pypi")
    v = token("anthropic", "env")
    items.bad("env-in-wheel.whl", "anthropic", "wheel", shapes.wheel("corp-rag", "0.2.0", [
        ("corp_rag/__init__.py", "from dotenv import load_dotenv\nload_dotenv()\n"), ("corp_rag/.env", "ANTHROPIC_API_KEY=%s\nMODEL=assistant\n" % v)]),
        v, "an environment file was packed", "pypi")
    v = token("pypi", "workflow")
    items.bad("upload-token-in-makefile.tar.gz", "pypi", "sdist", shapes.sdist("corp-dates", "1.1.0", [
        ("Makefile", "release:\n\ttwine upload -u __token__ -p %s dist/*\n" % v), ("corp_dates.py", "def today():\n    import datetime\n    return datetime.date.today()\n")]),
        v, "an upload token in the release target", "pypi")
    v = token("huggingface", "pyc")
    source = b"import requests\n\nHUB_TOKEN = '%s'\n\n\ndef pull(name):\n    return requests.get(name, headers={'Authorization': 'Bearer ' + HUB_TOKEN})\n" % v.encode()
    items.bad("stale-pyc.whl", "huggingface", "pyc", shapes.wheel("corp-models", "2.0.0", [
        ("corp_models/__init__.py", "HUB_TOKEN = None\n"), ("corp_models/__pycache__/hub.cpython-311.pyc", shapes.pyc(source, "corp_models/hub.py"))]),
        v, "the source was cleaned, the compiled module was not", "pypi")
    v = token("groq", "nb")
    items.bad("notebook-output.whl", "groq", "notebook", shapes.wheel("corp-notes", "0.1.0", [
        ("corp_notes/__init__.py", ""), ("corp_notes/demo.ipynb", shapes.notebook([("import os\n", ""), ("!env | grep -i key", "GROQ_API_KEY=%s\nKEYBOARD=us\n" % v)]))]),
        v, "the output of a notebook cell shows the environment", "pypi")


def other_packages(items):
    v = token("rust-registry", "crate")
    items.bad("cargo-config.crate", "rust-registry", "crate", shapes.crate("corp-codec", "0.3.1", [
        (".cargo/credentials.toml", '[registries.corp]\ntoken = "%s"\n' % v), ("src/lib.rs", "pub fn id(x: u8) -> u8 { x }\n")]), v, "cargo's credentials were packed", "cargo")
    v = token("mailgun", "crate")
    items.bad("mailgun-in-example.crate", "mailgun", "crate", shapes.crate("corp-mail", "1.0.0", [
        ("src/lib.rs", "pub mod send;\n"), ("src/send.rs", "pub fn send(_k: &str) {}\n"),
        ("examples/send.rs", 'fn main() {\n    // MAILGUN_API_KEY\n    corp_mail::send::send("%s");\n}\n' % v)]), v, "a working key in an example", "cargo")
    v = token("braintree", "jar")
    items.bad("class-constant.jar", "braintree", "jar-class", shapes.jar([
        ("example/pay/Gateway.class", shapes.java_class("example/pay/Gateway", {"HOST": "https://pay.corp.example", "ACCESS_TOKEN": v}))]), v, "a payment token in a class file's constants")
    v = token("rubygems", "gem")
    items.bad("credentials.gem", "rubygems", "gem", shapes.gem("corp-tasks", "1.0.0", [
        ("lib/corp_tasks.rb", "module CorpTasks; end\n"), (".gem/credentials", "---\n:rubygems_api_key: %s\n" % v)]), v, "the publisher's own login was packed")
    v = token("nuget", "nupkg")
    items.bad("push-key.nupkg", "nuget", "nupkg", shapes.nupkg("Corp.Tools", "1.0.0", [
        ("tools/publish.cmd", "nuget push *.nupkg -ApiKey %s -Source https://feed.example/v3\r\n" % v)]), v, "a publishing key in a script")
    v = token("azure-devops", "vsix")
    items.bad("marketplace.vsix", "azure-devops", "vsix", shapes.vsix("corp-snippets", [
        ("package.json", kit.js({"name": "corp-snippets", "publisher": "corp", "scripts": {"publish": "vsce publish -p %s" % v}}))]), v, "a marketplace token in the manifest")
    v = token("openvsx", "vsix")
    items.bad("openvsx.vsix", "openvsx", "vsix", shapes.vsix("corp-theme", [
        ("package.json", kit.js({"name": "corp-theme", "publisher": "corp"})), (".vscode/tasks.json", '{"tasks":[{"label":"publish","command":"ovsx publish --pat %s"}]}' % v)]), v, "an extension registry's token in a task")
    v = token("square", "apk")
    items.bad("strings.apk", "square", "apk", kit.zipped([
        ("AndroidManifest.xml", b"\x03\0\x08\0" + b"\0" * 60), ("res/values/strings.xml", '<resources>\n  <string name="app_name">Till</string>\n  <string name="square_secret">%s</string>\n</resources>\n' % v)]), v, "an application secret among the texts")
    v = token("figma", "asar")
    items.bad("desktop.asar", "figma", "asar", kit.asar([("package.json", '{"name":"desk","main":"main.js"}'), ("src/main.js", "const FIGMA = '%s';\n" % v)]), v, "a design tool's token in a desktop application")


def archives(items):
    v = token("dynatrace", "nested")
    inner = kit.zipped([("agent/conf.properties", "server=https://apm.corp.example\ntoken=%s\n" % v)])
    items.bad("zip-in-tar.tar.gz", "dynatrace", "zip-in-tar-in-gzip", kit.tgz([("dist/agent.zip", inner), ("dist/README", "agent\n")]), v, "a zip inside a tar inside gzip")
    v = token("doppler", "nested")
    level = kit.zipped([("doppler.yaml", "scoped:\n  /:\n    token: %s\n" % v)])
    for depth in range(3):
        level = kit.zipped([("level%d.zip" % depth, level)], stored=depth == 1)
    items.bad("nested.zip", "doppler", "nested-zip", level, v, "four zips one in another")
    v = token("tailscale", "xz")
    items.bad("host.tar.xz", "tailscale", "tar-xz", kit.txz([("etc/default/vpn", "AUTHKEY=%s\n" % v)]), v, "a machine's settings in tar.xz")
    v = token("buildkite", "bz2")
    items.bad("agent.tar.bz2", "buildkite", "tar-bz2", kit.tbz([("agent.cfg", 'name="a1"\ntoken="%s"\n' % v)]), v, "an agent's settings in tar.bz2")
    v = token("docker-org", "image")
    layers = [kit.tar([("bin/app", "#!/bin/sh\n"), ("root/.docker/token", v + "\n")]), kit.tar([("root/.docker/.wh.token", "")])]
    items.bad("whiteout-image.tar", "docker-hub", "docker-save", kit.docker_save(layers, {
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["app"]}, "history": [{"created_by": "COPY . /"}, {"created_by": "RUN rm ~/.docker/token"}]}),
        v, "a file deleted in a later layer still stands in the earlier one")
    v = token("sonarqube", "image")
    items.bad("history-image.tar", "sonarqube", "docker-save", kit.docker_save([kit.tar([("bin/app", "#!/bin/sh\n")])], {
        "architecture": "amd64", "os": "linux", "config": {"Env": ["PATH=/bin"]}, "history": [{"created_by": "RUN |1 SONAR_TOKEN=%s /bin/sh -c make scan" % v}]}),
        v, "a build argument in the image's history")
    v = token("newrelic", "oci")
    items.bad("oci-layout.tar", "newrelic", "oci-layout", kit.oci_layout([kit.tar([("app/newrelic.js", "exports.config = { app_name: ['shop'], license_key: '', user_key: '%s' };\n" % v)])], {
        "architecture": "amd64", "os": "linux", "config": {"Env": ["NODE_ENV=production"]}}), v, "a key in a layer of an OCI layout")
    v = token("brevo", "oci")
    items.bad("oci-env.tar", "brevo", "oci-layout", kit.oci_layout([kit.tar([("app/x", "x")])], {
        "architecture": "amd64", "os": "linux", "config": {"Env": ["BREVO_API_KEY=" + v]}}), v, "a key in the environment of an OCI configuration")
    d = Dice("deb")
    key = keys.pem("RSA " "PRIVATE KEY", keys.rsa_pkcs1(d))
    items.bad("agent_1.2.0_all.deb", "private-key", "deb", kit.deb("agent", [("etc/agent/client.key", key), ("usr/bin/agent", "#!/bin/sh\n", 0o755)]), keys.body_line(key), "a client key in a Debian package")
    v = token("telegram", "cpio")
    items.bad("initrd.cpio", "telegram", "cpio", kit.cpio([("init", "#!/bin/sh\n"), ("etc/alert.conf", "TELEGRAM_BOT_TOKEN=%s\n" % v)]), v, "an alert bot's token in an initramfs")
    v = token("github-oauth", "loose")
    items.bad("git-loose-object", "github", "git-object", kit.git_blob("export GH_TOKEN=%s\n" % v), v, "a loose object of a shipped repository")
    v = token("atlassian", "pack")
    items.bad("git.pack", "atlassian", "git-pack", kit.git_pack(["# notes\n", "jira:\n  user: bot@corp.example\n  token: %s\n" % v]), v, "a blob in a shipped pack")


def build(items):
    npm_packages(items)
    python_packages(items)
    other_packages(items)
    archives(items)
