"""What looks like a secret and is none: places for one, references, public halves, digests."""
import base64
import hashlib

from . import tokens as t
from .core import sample
from .npm_bad import png


def clean(eco, name, family, idea, kind=None):
    return sample(eco, "good", name, family, idea, ("secret", kind))


@clean("npm", "env-example-file", "placeholder", "an example of .env with places to fill")
def _(c):
    return {".env.example": "API_KEY=your_api_key_here\nSTRIPE_SECRET_KEY=sk" + "_live_" + "x" * 24 + "\nJWT_SECRET=change-me-please\nDATABASE_URL=postgres://user:password@localhost:5432/mydb\nGITHUB_TOKEN=<token>\n"}


@clean("npm", "npmrc-reference", "reference", ".npmrc that names a variable")
def _(c):
    return {".npmrc": "//registry.example/:_authToken=${NPM_TOKEN}\nsave-exact=true\n"}


@clean("npm", "workflow-references", "reference", "a workflow that takes its secrets from where they are kept")
def _(c):
    return {".github/workflows/release.yml": "jobs:\n  publish:\n    steps:\n      - run: npm publish\n        env:\n          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}\n          AWS_SECRET_ACCESS_KEY: ${{ secrets.AWS_SECRET }}\n"}


@clean("pypi", "aws-docs-example", "placeholder", "the example keys of a manual", "sdist")
def _(c):
    return {"docs/setup.md": "# Setup\n\n```ini\n[default]\naws_access_key_id = AKIA" + "IOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCY" + "EXAMPLEKEY\n```\n"}


@clean("npm", "lockfile-integrity", "digest", "a lock file full of digests")
def _(c):
    return {"package-lock.json": {"name": "x", "lockfileVersion": 3, "packages": {f"node_modules/{c.word()}{i}": {"version": "1.0.0", "resolved": f"https://registry.example/p{i}/-/p{i}-1.0.0.tgz", "integrity": "sha512-" + base64.b64encode(c.bytes(64)).decode()} for i in range(60)}}}


@clean("pypi", "hash-vectors", "digest", "test vectors of digests", "sdist")
def _(c):
    rows = "\n".join(f"    ({c.hex(32)!r}, {hashlib.sha256(str(i).encode()).hexdigest()!r})," for i in range(40))
    return {"tests/test_vectors.py": f"VECTORS = [\n{rows}\n]\nkey = '{'00' * 32}'\n"}


@clean("npm", "public-keys-only", "public-key", "public keys, certificates and known hosts")
def _(c):
    return {"keys/authorized_keys": f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI{c.alnum(43)} ops@corp.example\nssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQ{c.alnum(330)} ops\n", "keys/release.pem": t.pem("PUBLIC KEY", c.bytes(294)), "keys/ca.crt": t.pem("CERTIFICATE", c.bytes(900)), "keys/age.txt": "age1" + c.hex(58).replace("1", "q").replace("b", "z") + "\n"}


@clean("npm", "kubeconfig-exec", "reference", "a kubeconfig whose login is a program")
def _(c):
    return {"deploy/kubeconfig": f"apiVersion: v1\nkind: Config\nclusters:\n- name: c\n  cluster:\n    server: https://k8s.corp.example\n    certificate-authority-data: {base64.b64encode(t.pem('CERTIFICATE', c.bytes(700)).encode()).decode()}\nusers:\n- name: u\n  user:\n    exec:\n      command: aws\n      args: [eks, get-token, --cluster-name, c]\n"}


@clean("npm", "docker-helpers", "reference", "a docker configuration with helpers instead of passwords")
def _(c):
    return {"docker/config.json": {"auths": {"images.example": {}}, "credsStore": "desktop", "credHelpers": {"ecr.example": "ecr-login"}}}


@clean("npm", "password-translations", "words", "the words password, secret and token in many languages")
def _(c):
    return {"i18n/en.json": {"password": "Password", "secret": "Client secret", "api_key": "API key", "token_hint": "Paste the token that was mailed to you", "password_repeat": "Repeat your new password"}, "i18n/de.json": {"password": "Kennwort", "secret": "Geheimer Schlüssel", "api_key": "API-Schlüssel"}}


@clean("npm", "uuid-and-sri", "digest", "identifiers and integrity values in a page")
def _(c):
    uid = "-".join(c.hex(n) for n in (8, 4, 4, 4, 12))
    return {"demo/index.html": f"<!doctype html><script src=\"https://cdn.example/a.js\" integrity=\"sha384-{base64.b64encode(c.bytes(48)).decode()}\" crossorigin=\"anonymous\"></script><div id=\"{uid}\"></div>\n"}


@clean("npm", "publishable-key", "public-key", "keys that are meant for browsers")
def _(c):
    return {"demo/pay.js": "const stripe = Stripe('pk_" + "live_" + c.alnum(24) + "');\nconst sentry = 'https://" + c.hex(32) + "@o1.ingest.reports.example/7';\n"}


@clean("pypi", "scanner-patterns", "rules", "a scanner with patterns and made-up examples")
def _(c):
    return {"scanner_patterns/rules.py": "import re\n\nRULES = {\n    'github': re.compile(r'gh[pousr]_[A-Za-z0-9]{36}'),\n    'slack': re.compile(r'xox[baprs]-[0-9A-Za-z-]{10,48}'),\n    'pem': re.compile(r'-----BEGIN (RSA|EC|OPENSSH)? ?PRIVATE KEY-----'),\n}\nEXAMPLES = ['ghp_' + 'x' * 36, 'xox' + 'b-' + '0' * 12 + '-' + 'X' * 24]\n"}


@clean("npm", "base64-assets", "data", "pictures and fonts as base64")
def _(c):
    return {"css/icons.css": "".join(f".i{i}{{background:url(data:image/png;base64,{base64.b64encode(png(b'')).decode()})}}\n" for i in range(5)) + f"@font-face{{src:url(data:font/woff2;base64,{base64.b64encode(b'wOF2' + c.bytes(4000)).decode()})}}\n"}


@clean("pypi", "local-databases", "local", "addresses of databases that only a developer's machine has", "sdist")
def _(c):
    return {"docker-compose.yml": "services:\n  db:\n    image: postgres:16\n    environment:\n      POSTGRES_PASSWORD: postgres\n  app:\n    environment:\n      DATABASE_URL: postgres://postgres:postgres@db:5432/app\n      REDIS_URL: redis://localhost:6379/0\n"}


@clean("npm", "tfvars-variables", "reference", "variables of terraform without values")
def _(c):
    return {"infra/variables.tf": "variable \"db_password\" {\n  type      = string\n  sensitive = true\n}\n\nprovider \"aws\" {\n  access_key = var.access_key\n  secret_key = var.secret_key\n}\n", "infra/terraform.tfvars.example": "db_password = \"REPLACE_ME\"\n"}


@clean("cargo", "redacted-logs", "redacted", "tokens that were cut before they were written")
def _(c):
    return {"tests/snapshots/log.txt": "authorization: Bearer ghp_****************\nx-api-key: sk-ant-***REDACTED***\npassword=[FILTERED]\nset-cookie: session=<redacted>\n"}


@clean("cargo", "config-env-reader", "code", "code that reads its secrets from the environment")
def _(c):
    return {"src/lib.rs": "//! Settings.\n\n/// The secret key of the service.\npub fn secret_key() -> Option<String> {\n    std::env::var(\"APP_SECRET_KEY\").ok()\n}\n\n/// Checks a password.\npub fn check(password: &str) -> bool {\n    const MINIMUM_PASSWORD_LENGTH: usize = 12;\n    password.len() >= MINIMUM_PASSWORD_LENGTH\n}\n"}


@clean("npm", "eth-addresses-list", "data", "addresses and transactions of a chain, which are public")
def _(c):
    return {"lib/contracts.json": {f"{c.word()}{i}": {"address": "0x" + c.hex(40), "tx": "0x" + c.hex(64)} for i in range(25)}}


@clean("pypi", "notebook-getpass", "reference", "a notebook that asks for its key", "sdist")
def _(c):
    return {"examples/start.ipynb": {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [{"cell_type": "code", "source": ["import getpass, os\n", "os.environ['OPENAI_API_KEY'] = getpass.getpass('key: ')\n", "api_key = os.environ['OPENAI_API_KEY']  # sk-...\n"], "execution_count": 1, "metadata": {}, "outputs": []}]}}
