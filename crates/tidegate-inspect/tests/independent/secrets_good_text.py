"""Benign look-alikes in text: placeholders, documented examples, public identifiers, hashes."""

import json

import keys
import kit
from kit import ALNUM, B64STD, B64URL, DIGITS, LOWER, UPPER, Dice, b64

EXAMPLE_AWS = "AK" "IA" "IOSFODNN7" "EXAMPLE", "wJalrXUtn" "FEMI/K7MDENG/bPxRfiCY" "EXAMPLEKEY"
# The token that every introduction to the format shows.
WELL_KNOWN_JWT = (
    "eyJhbGciOiJIUzI1NiIs" + "InR5cCI6IkpXVCJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6"
    + "IkpvaG4gRG9lIiwiaWF0IjoxNTE2MjM5MDIyfQ." + "SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c")


def placeholders(items):
    g = items.good
    g("env.example", "placeholder", "dotenv", "# copy to .env\nDATABASE_URL=\nSTRIPE_SECRET_KEY=%s\nOPENAI_API_KEY=%s\nSLACK_BOT_TOKEN=%s\nSESSION_SECRET=change-me\n" % (
        "sk_" "test_xxxxxxxxxxxxxxxxxxxxxxxx", "sk-" "your-key-here", "xoxb" "-your-token"), "a template without values")
    g("dot.npmrc", "placeholder", "npmrc", "@corp:registry=https://registry.example/\n//registry.example/:_authToken=${NPM_TOKEN}\n", "the token comes from the environment", "npm")
    g("dot.pypirc", "placeholder", "pypirc", "[pypi]\nusername = __token__\npassword = <your-api-token>\n", "angle brackets, not a token", "pypi")
    g("aws-docs.md", "documented-example", "markdown", "# Configure\n\n```ini\naws_access_key_id = %s\naws_secret_access_key = %s\n```\n" % EXAMPLE_AWS, "the provider's documented example pair")
    g("stripe-docs.md", "documented-example", "markdown", "Use the sample key:\n\n    curl -u %s: https://api.corp.example/v1/charges\n" % ("sk_" + "test_4eC39HqLy" + "jWDarjtT1zdp7dc"), "the sample key printed in every payment tutorial")
    g("jwt-docs.md", "documented-example", "markdown", "Decode this:\n\n```\n%s\n```\n" % WELL_KNOWN_JWT, "the introductory token of the format")
    g("github-docs.md", "placeholder", "markdown", "export GITHUB_TOKEN=%s\nexport GH_TOKEN=%s\n" % ("gh" "p_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", "gh" "p_YOUR_PERSONAL_ACCESS_TOKEN_GOES_HERE_OK"), "x instead of a token")
    g("zero-tokens.test.js", "test-vector", "source-javascript", "test('masks', () => {\n  expect(mask('%s')).toBe('***');\n  expect(mask('%s')).toBe('***');\n  expect(mask('%s')).toBe('***');\n});\n" % (
        "gh" "p_" + "0" * 36, "glp" "at-" + "a" * 20, "xo" "xb-" + "1" * 12 + "-" + "2" * 12 + "-" + "a" * 24), "bodies of one repeated letter")
    g("sequential.test.ts", "test-vector", "source-typescript", "it('finds tokens', () => {\n  expect(scan('%s')).toHaveLength(1);\n  expect(scan('%s')).toHaveLength(1);\n});\n" % (
        "gh" "p_" + LOWER + DIGITS, "np" "m_" + "abcdefghij" * 3 + "123456"), "alphabets in order, as written by hand in tests")
    g("fake-tokens.py", "test-vector", "source-python", "FAKE = [\n    '%s',\n    '%s',\n    '%s',\n]\n" % (
        "sk-" "ant-api03-" + "fake-key-for-testing-" * 4, "hf" "_" + "EXAMPLE" * 5, "SG" ".EXAMPLEEXAMPLEEXAMPLE1.EXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLEEXAMPLE12"), "they say that they are not real")
    g("workflow.yml", "reference", "ci-workflow", '''on: {release: {types: [published]}}
jobs:
  publish:
    runs-on: ubuntu-latest
    permissions: {id-token: write}
    steps:
      - uses: actions/checkout@%s
      - run: npm publish
        env:
          NODE_AUTH_TOKEN: ${{ secrets.NPM_TOKEN }}
          GITHUB_TOKEN: ${{ secrets.GITHUB_TOKEN }}
''' % Dice("wf").hex(40), "references to secrets and an action pinned by commit")
    g("main.tf", "reference", "hcl", '''variable "token" { sensitive = true }

provider "registry" {
  token    = var.token
  password = data.vault_generic_secret.db.data["password"]
}
''', "references, no values")
    g("secret.yaml", "reference", "helm", "apiVersion: v1\nkind: Secret\ndata:\n  token: {{ .Values.token | b64enc | quote }}\n  password: {{ randAlphaNum 32 | b64enc }}\n", "a template that makes its values at install")
    g("application.properties", "reference", "java-properties", "spring.datasource.password=${DB_PASSWORD}\njwt.secret=${JWT_SECRET:}\n", "references, no values")
    g("compose.yaml", "local-default", "yaml", '''services:
  db:
    image: postgres:16
    environment:
      POSTGRES_USER: postgres
      POSTGRES_PASSWORD: postgres
  app:
    environment:
      DATABASE_URL: postgres://postgres:postgres@db:5432/app_test
''', "the default login of a local test database")
    g("urls.test.js", "documented-example", "source-javascript", '''assert.equal(parse('https://user:pass@example.com:8080/p?q#h').password, 'pass');
assert.equal(parse('http://a:b@c:29/d').user, 'a');
assert.throws(() => parse('mongodb://<user>:<password>@host'));
''', "addresses in a parser's tests")
    g("README-db.md", "documented-example", "markdown", "Connect with `postgresql://username:password@localhost:5432/mydb` or `redis://:password@127.0.0.1:6379/0`.\nFor Atlas: `mongodb+srv://<username>:<password>@cluster0.example.net/`.\n", "addresses that show the form")
    g("aws.test.py", "documented-example", "source-python", '''@pytest.fixture(autouse=True)
def aws(monkeypatch):
    monkeypatch.setenv('AWS_ACCESS_KEY_ID', 'testing')
    monkeypatch.setenv('AWS_SECRET_ACCESS_KEY', 'testing')
    monkeypatch.setenv('AWS_SESSION_TOKEN', 'testing')
''', "stand-ins of a mocked cloud")
    g("config.sample.json", "placeholder", "json", json.dumps({"token": "INSERT_TOKEN_HERE", "clientSecret": "********", "apiKey": "{{API_KEY}}", "password": "hunter2"}, indent=1), "words that stand for values")
    g("cassette.yaml", "placeholder", "yaml", '''interactions:
- request:
    headers:
      Authorization: [Bearer REDACTED]
      X-Api-Key: ['**********']
    uri: https://api.corp.example/v1/me
  response: {status: {code: 200}, body: {string: '{"id": "%s"}'}}
''' % Dice("cas").uuid(), "a recorded exchange with its credentials taken out")
    g("azurite.env", "documented-example", "dotenv", "CONN=DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;AccountKey=%s;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1;\n" % (
        "Eby8vdM02xNOcqFlqUwJPLlmEtl" + "CDXJ1OUzFT50uSRZ6IFsuFq2UVE" + "rCz4I6tq/K1SZFPTOtr/KBHBeks" + "oGMGw=="), "the storage emulator's published key")
    g("hardhat.md", "documented-example", "markdown", "Account #0 of the local node: `0x%s`. Never send real funds.\n" % ("ac0974bec39a17e36ba4a6b4d238ff94" + "4bacb478cbed5efcae784d7bf4f2ff80"), "the published key of a local development chain")
    g("mnemonic.test.js", "documented-example", "source-javascript", "const M = '%s';\ntest('seed', () => expect(toSeed(M).length).toBe(64));\n" % ("abandon " * 11 + "about"), "the standard's first test vector")


def parsers(items):
    g = items.good
    g("rules.toml", "token-regex", "toml", "\n".join('[[rules]]\nid = "%s"\nregex = \'\'\'%s\'\'\'\nkeywords = ["%s"]\n' % row for row in (
        ("github-pat", "gh" "p_[0-9a-zA-Z]{36}", "gh" "p_"), ("aws", "(?:A3T[A-Z0-9]|AK" "IA|ASIA)[A-Z0-9]{16}", "ak" "ia"), ("slack", "xo" "xb-[0-9]{10,13}-[0-9]{10,13}[a-zA-Z0-9-]*", "xo" "xb"),
        ("pem", "-----BEGIN[ A-Z]{0,20}PRIVATE " "KEY-----", "private"))), "a scanner's patterns")
    g("redact.ts", "token-regex", "source-typescript", "const PATTERNS = [/gh[pousr]_[A-Za-z0-9]{36}/g, /sk_live_[0-9a-zA-Z]{24,}/g, /AIza[0-9A-Za-z_-]{35}/g, /Bearer\\s+[\\w.-]+/gi];\nexport const redact = (s: string) => PATTERNS.reduce((t, p) => t.replace(p, '[redacted]'), s);\n", "code that removes tokens")
    g("prefix.go", "token-regex", "source-go", 'package auth\n\nimport "strings"\n\nfunc Kind(t string) string {\n\tswitch {\n\tcase strings.HasPrefix(t, "gh' 'p_"):\n\t\treturn "classic"\n\tcase strings.HasPrefix(t, "github' '_pat_"):\n\t\treturn "fine"\n\tcase strings.HasPrefix(t, "gh' 's_"):\n\t\treturn "app"\n\t}\n\treturn "unknown"\n}\n', "code that tells token kinds apart")
    g("pem.rs", "token-regex", "source-rust", 'const BEGIN: &str = "-----BEGIN PRIVATE ' 'KEY-----";\nconst END: &str = "-----END PRIVATE ' 'KEY-----";\n\npub fn body(text: &str) -> Option<&str> {\n    text.split_once(BEGIN)?.1.split_once(END).map(|p| p.0.trim())\n}\n', "a PEM reader's constants: no key between them")
    g("TOKENS.md", "documented-format", "markdown", "| Kind | Form |\n|---|---|\n| personal | `gh" "p_` and 36 letters and digits |\n| bot | `xo" "xb-` numbers `-` letters |\n| hub | `hf" "_` and 34 letters |\n\nTokens of the old form (40 hex digits) were revoked in 2021.\n", "a table of token forms")
    g("generate.py", "token-regex", "source-python", '''import secrets
import string


def new_token(prefix='corp_'):
    body = ''.join(secrets.choice(string.ascii_letters + string.digits) for _ in range(36))
    return prefix + body
''', "makes tokens, holds none")
    g("i18n.json", "translation", "json", json.dumps({"password": "Mot de passe", "token": "Jeton d'accès", "secret": "Clé secrète", "api_key": "Votre clé d'API", "passwordHelp": "Au moins 12 caractères, dont !@#$%"}, ensure_ascii=False, indent=1), "translated labels of a form")
    g("password.test.js", "test-vector", "source-javascript", '''test.each(['P@ssw0rd!', 'correct horse battery staple', 'Tr0ub4dor&3'])('%s is weak', (password) => {
  expect(strength(password)).toBeLessThan(3);
});
''', "sample passwords of a strength meter")
    g("form.vue", "identifier", "source-vue", '''<template><input v-model="password" type="password" autocomplete="current-password" /></template>
<script setup>
const password = ref('')
const passwordVisibilityToggleButtonLabel = 'toggle-password-visibility-button-label'
</script>
''', "long names that speak of passwords")


def public_matter(items):
    g, d = items.good, Dice("public")
    g("ca-bundle.crt", "certificate", "pem", "".join("# CA %d\n%s" % (i, keys.certificate(Dice("ca%d" % i))) for i in range(6)), "certificates are public")
    g("public.pem", "public-key", "pem", keys.pem("PUBLIC KEY", keys.rsa_public(d)), "a public key")
    g("authorized_keys", "public-key", "ssh", "".join(keys.ssh_public(Dice("ak%d" % i), "user%d@corp.example" % i) + "\n" for i in range(8)), "login keys, public halves")
    g("known_hosts", "public-key", "ssh", "".join("|1|%s|%s %s\n" % (b64(d.raw(20)), b64(d.raw(20)), keys.ssh_public(d, "")) for _ in range(12)), "hashed host names and public keys")
    g("KEYS.asc", "public-key", "pgp", keys.pgp(d, False), "a release key, public half")
    g("jwks.json", "public-key", "json", json.dumps({"keys": [{"kty": "RSA", "use": "sig", "alg": "RS256", "kid": d.hex(32), "n": d.text(B64URL, 342), "e": "AQAB"} for _ in range(3)]}, indent=1), "public signing keys of an identity provider")
    g("sops.yaml", "ciphertext", "yaml", "db_password: ENC[AES256_GCM,data:%s,iv:%s,tag:%s,type:str]\nsops:\n  age:\n  - recipient: %s\n" % (b64(d.raw(24)), b64(d.raw(32)), b64(d.raw(16)), keys.age_public(d)), "encrypted values and a public recipient")
    g("vault.yml", "ciphertext", "yaml", "$ANSIBLE_VAULT;1.1;AES256\n" + "\n".join(d.hex(80) for _ in range(8)) + "\n", "an encrypted file")
    g("sealed.yaml", "ciphertext", "yaml", "apiVersion: bitnami.com/v1alpha1\nkind: SealedSecret\nspec:\n  encryptedData:\n    password: AgB%s\n" % d.text(B64STD, 500), "encrypted for a cluster's controller")
    g("dkim.txt", "public-key", "dns", 'mail._domainkey IN TXT ( "v=DKIM1; k=rsa; p=%s" )\ngoogle-site-verification=%s\n' % (d.text(B64STD, 216), d.text(B64URL, 43)), "records that are published")
    g("manifest.json", "public-key", "json", json.dumps({"manifest_version": 3, "name": "Reader", "version": "1.0", "key": "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA" + d.text(B64STD, 340) + "IDAQAB"}), "the public key that fixes an extension's id")
    g("app.config", "public-key", "xml", '<assemblyIdentity name="Corp.Core" publicKeyToken="b77a5c561934e089" culture="neutral" />\n<add assembly="System, Version=4.0.0.0, PublicKeyToken=31bf3856ad364e35"/>\n', "assembly identities")
    g("client-config.js", "public-client-id", "source-javascript", '''export default {
  oauthClientId: '%s-%s.apps.googleusercontent.com',
  stripePublishableKey: '%s',
  sentryDsn: 'https://%s@o%d.ingest.sentry.example/%d',
  mapbox: '%s',
  recaptchaSiteKey: '6Le%s',
};
''' % (
        d.text(DIGITS, 12), d.text(LOWER + DIGITS, 32), "pk" "_live_51" + d.text(ALNUM, 97), d.hex(32), 450001, 450002, "pk" "." + kit.b64url('{"u":"corp","a":"' + d.text(LOWER + DIGITS, 25) + '"}') + "." + d.text(B64URL, 22), d.text(B64URL, 37)), "identifiers that every page visitor sees")
    g("docusaurus.config.js", "public-client-id", "source-javascript", '''module.exports = {
  title: 'Corp Docs',
  themeConfig: {
    // search-only key, safe to commit
    algolia: { appId: 'R2IYF7ETH7', apiKey: '%s', indexName: 'corp-docs', contextualSearch: true },
    posthog: { apiKey: '%s' },
  },
};
''' % (d.hex(32), "ph" "c_" + d.text(ALNUM, 43)), "a search-only key and a write-only project key")
    g("rum.html", "public-client-id", "html", "<script>DD_RUM.init({applicationId:'%s',clientToken:'pub%s',site:'datadoghq.example',sampleRate:10});gtag('config','G-%s');</script>\n" % (d.uuid(), d.hex(32), d.text(UPPER + DIGITS, 10)), "client tokens of page analytics")
    g("cosign.pub", "public-key", "pem", keys.pem("PUBLIC KEY", bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + b"\x04" + d.raw(64)), "a signature verification key")
    g("request.csr", "certificate", "pem", keys.pem("CERTIFICATE REQUEST", d.raw(600)), "a certificate request")
    g("dhparam.pem", "public-key", "pem", keys.pem("DH PARAMETERS", keys.sequence(keys.integer(int.from_bytes(d.raw(256), "big")), keys.integer(2))), "key exchange parameters")


def hashes(items):
    g, d = items.good, Dice("hashes")

    def sri(bits=512):
        return "sha%d-%s" % (bits, b64(d.raw(bits // 8)))
    names = ["left-pad", "token-types", "secret-stack", "password-prompt", "auth-header", "key-tree", "api-kit"] + kit.WORDS[:120]
    g("package-lock.json", "lock-file", "json", kit.js({"lockfileVersion": 3, "packages": {"node_modules/" + n: {"version": "1.0.%d" % i, "resolved": "https://registry.example/%s/-/%s-1.0.%d.tgz" % (n, n, i), "integrity": sri()} for i, n in enumerate(names)}}), "integrity digests", "npm")
    g("yarn.lock", "lock-file", "lock", "".join('%s@^1.0.0:\n  version "1.0.0"\n  resolved "https://registry.example/%s/-/%s-1.0.0.tgz#%s"\n  integrity %s\n\n' % (n, n, n, d.hex(40), sri()) for n in names), "integrity digests", "npm")
    g("pnpm-lock.yaml", "lock-file", "yaml", "lockfileVersion: '9.0'\npackages:\n" + "".join("  %s@1.0.0:\n    resolution: {integrity: %s}\n" % (n, sri()) for n in names), "integrity digests", "npm")
    g("Cargo.lock", "lock-file", "toml", "version = 3\n" + "".join('\n[[package]]\nname = "%s"\nversion = "1.0.0"\nsource = "registry+https://registry.example/index"\nchecksum = "%s"\n' % (n, d.hex(64)) for n in names), "checksums", "cargo")
    g("go.sum", "lock-file", "lock", "".join("git.example/%s/v2 v2.0.1 h1:%s\ngit.example/%s/v2 v2.0.1/go.mod h1:%s\n" % (n, b64(d.raw(32)), n, b64(d.raw(32))) for n in names), "module digests")
    g("poetry.lock", "lock-file", "toml", "".join('[[package]]\nname = "%s"\nversion = "1.0.0"\nfiles = [\n    {file = "%s-1.0.0.tar.gz", hash = "sha256:%s"},\n]\n\n' % (n, n, d.hex(64)) for n in names), "file digests", "pypi")
    g("requirements.txt", "lock-file", "requirements", "".join("%s==1.0.0 \\\n    --hash=sha256:%s \\\n    --hash=sha256:%s\n" % (n, d.hex(64), d.hex(64)) for n in names[:40]), "file digests", "pypi")
    g("flake.lock", "lock-file", "json", json.dumps({"nodes": {n: {"locked": {"narHash": sri(256), "rev": d.hex(40), "type": "github"}} for n in names[:20]}}, indent=1), "revisions and digests")
    g("verification-metadata.xml", "lock-file", "xml", "<components>\n" + "".join('<component group="example" name="%s"><artifact><sha256 value="%s"/><pgp value="%s"/></artifact></component>\n' % (n, d.hex(64), d.hex(40).upper()) for n in names[:40]) + "</components>\n", "artifact digests and key fingerprints")
    g("index.html", "sri", "html", "<!doctype html>\n" + "".join('<script src="/js/%s.js" integrity="%s" crossorigin nonce="%s"></script>\n' % (n, sri(384), b64(d.raw(16))) for n in names[:12]), "subresource integrity and nonces")
    g("uuids.json", "uuid", "json", json.dumps([{"id": d.uuid(), "token_id": d.uuid(), "key": d.uuid()} for _ in range(150)], indent=1), "identifiers")
    g("access.log", "log", "log", "".join('10.0.0.%d - - [01/Mar/2024:12:00:%02d +0000] "GET /assets/%s.js HTTP/1.1" 200 512 etag="%s" trace=00-%s-%s-01\n' % (i % 250, i % 60, d.hex(20), d.hex(32), d.hex(32), d.hex(16)) for i in range(200)), "request and trace identifiers")
    g("asset-manifest.json", "content-hash", "json", json.dumps({"static/js/%s.js" % n: "/static/js/%s.%s.chunk.js" % (n, d.hex(8)) for n in names}, indent=1), "content hashes of built files")
    g("styles.module.css", "content-hash", "css", "".join("._%s_%s_%d{color:#%s}\n.css-%s{margin:0}\n" % (d.text(ALNUM, 7), d.text(LOWER + DIGITS, 5), i, d.hex(6), d.text(LOWER + DIGITS, 7)) for i in range(200)), "generated class names")
    g("images.lock", "content-hash", "yaml", "".join("- image: ghcr.example/corp/%s@sha256:%s\n" % (n, d.hex(64)) for n in names[:30]), "image digests")
    g("project.pbxproj", "identifier", "pbxproj", "".join("\t\t%s /* %s.swift in Sources */ = {isa = PBXBuildFile; fileRef = %s; };\n" % (d.hex(24).upper(), n, d.hex(24).upper()) for n in names), "object identifiers of a project file")
    g("baseline.json", "content-hash", "json", json.dumps({"version": "1.4.0", "results": {"a.py": [{"type": "Secret Keyword", "filename": "a.py", "hashed_secret": d.hex(40), "line_number": 3}]}}), "a scanner's baseline holds hashes")
    g("snapshot.snap", "content-hash", "snap", "".join("exports[`renders %s 1`] = `\n<div class=\"sc-%s %s\" id=\"%s\" />\n`;\n\n" % (n, d.text(LOWER, 6), d.text(ALNUM, 6), d.uuid()) for n in names[:40]), "generated names in a snapshot")
    g("bcrypt.test.js", "test-vector", "source-javascript", "const vectors = [\n%s];\n" % "".join("  ['%s', '$2b$10$%s'],\n" % (d.words(1), d.text(ALNUM + "./", 53)) for _ in range(10)), "a hashing library's vectors")
    g("aes-vectors.rsp", "test-vector", "text", "".join("COUNT = %d\nKEY = %s\nIV = %s\nPLAINTEXT = %s\nCIPHERTEXT = %s\n\n" % (i, d.hex(64), d.hex(32), d.hex(32), d.hex(32)) for i in range(60)), "a cipher's published vectors")
    g("addresses.json", "identifier", "json", json.dumps({n: {"eth": "0x" + d.hex(40), "tx": "0x" + d.hex(64), "cid": "bafybei" + d.text(LOWER + "234567", 52), "btc": "bc1q" + d.text(keys.BECH32, 38)} for n in names[:25]}), "public addresses and transactions")


def build(items):
    placeholders(items)
    parsers(items)
    public_matter(items)
    hashes(items)
