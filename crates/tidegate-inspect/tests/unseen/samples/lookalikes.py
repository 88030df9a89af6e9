"""Values which look like secrets and are not: each returns a list of (name, value)."""
import base64
import hashlib
import hmac
import json

from . import keys
from .core import ALNUM, b64
from .tokens import HEX, u64

LOOK = {}  # family -> function


def look(family):
    def deco(fn):
        LOOK[family] = fn
        return fn
    return deco


def const(family, *pairs):
    LOOK[family] = lambda c: [(k, v) for k, v in pairs]


X = "x" * 36
const("x-run-github", ("GITHUB_TOKEN", "ghp_" + X))
const("x-run-mixed", ("NPM_TOKEN", "npm_" + "X" * 36), ("HF_TOKEN", "hf_" + "x" * 34))
const("x-run-stripe", ("STRIPE_SECRET_KEY", "sk_live_" + "X" * 24), ("SLACK_TOKEN", "xoxb-" + "0" * 12 + "-" + "x" * 24))
const("aws-documentation-pair", ("AWS_ACCESS_KEY_ID", "AKIA" + "IOSFODNN7" + "EXAMPLE"),
      ("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI" + "/K7MDENG/" + "bPxRfiCY" + "EXAMPLEKEY"))
const("angle-placeholder", ("GITHUB_TOKEN", "<your-github-token>"), ("DATABASE_URL", "postgres://<user>:<password>@<host>:5432/<db>"))
const("env-reference", ("NPM_TOKEN", "${NPM_TOKEN}"), ("DATABASE_URL", "postgres://${DB_USER}:${DB_PASSWORD}@${DB_HOST}/app"))
const("template-reference", ("API_TOKEN", "{{ .Values.apiToken }}"), ("GITHUB_TOKEN", "${{ secrets.GITHUB_TOKEN }}"))
const("code-lookup", ("TOKEN_SOURCE", "process.env.GITHUB_TOKEN || os.environ['GITHUB_TOKEN']"), ("PASSWORD", "getpass.getpass()"))
const("vault-reference", ("DB_PASSWORD", "vault:secret/data/app#password"), ("KEY", "op://Private/deploy/credential"), ("ARN", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"))
const("local-database", ("DATABASE_URL", "postgres://postgres:postgres@localhost:5432/test"), ("REDIS_URL", "redis://:password@127.0.0.1:6379/0"))
const("user-password-example", ("MONGO_URI", "mongodb://user:password@localhost/app"), ("AMQP_URL", "amqp://guest:guest@rabbitmq:5672/"))
const("alphabet-sequence", ("GITHUB_TOKEN", "ghp_" + "abcdefghijklmnopqrstuvwxyz0123456789"), ("AWS_ACCESS_KEY_ID", "AKIA" + "1234567890ABCDEF"))
const("stars-masked", ("GITHUB_TOKEN", "ghp_" + "*" * 32 + "9f2c"), ("STRIPE_SECRET_KEY", "sk_live_" + "*" * 20 + "Ab3d"))
const("words-not-tokens", ("CLASS", "sk-circle-fade-dot-animation-wrapper-element"), ("HELPER", "hf_compute_local_attention_window_size"), ("OPTION", "npm_config_update_notifier_disabled_flag"))
const("changeme", ("ADMIN_PASSWORD", "changeme"), ("JWT_SECRET", "your-256-bit-secret"), ("API_KEY", "REPLACE_ME_WITH_YOUR_API_KEY"))
const("regex-source", ("GITHUB_PATTERN", r"gh[pousr]_[A-Za-z0-9]{36}"), ("AWS_PATTERN", r"(?:A3T[A-Z0-9]|AKIA|ASIA)[A-Z0-9]{16}"), ("PEM_PATTERN", "-----BEGIN (RSA |EC )?PRIVATE KEY-----"))
const("pem-header-only", ("KEY_PREFIX", "-----BEGIN PRIVATE KEY-----"), ("KEY_SUFFIX", "-----END PRIVATE KEY-----"))
const("pem-ellipsis", ("TLS_KEY", "-----BEGIN RSA PRIVATE KEY-----\n...\n-----END RSA PRIVATE KEY-----\n"))
const("empty-hashes", ("EMPTY_SHA256", hashlib.sha256(b"").hexdigest()), ("EMPTY_MD5", hashlib.md5(b"").hexdigest()), ("ZERO_TOKEN", "0" * 40))
const("example-hosts", ("WEBHOOK_URL", "https://hooks.slack.com/services/T00000000/B00000000/" + "X" * 24), ("DISCORD", "https://discord.com/api/webhooks/000000000000000000/your-token-here"))


@look("sha256-digests")
def _(c):
    return [("CONTENT_SHA256", c.hexs(64)), ("IMAGE", "app@sha256:" + c.hexs(64)), ("COMMIT", c.hexs(40))]


@look("sri-integrity")
def _(c):
    return [("INTEGRITY", "sha512-" + base64.b64encode(c.raw(64)).decode()), ("STYLE_INTEGRITY", "sha384-" + base64.b64encode(c.raw(48)).decode())]


@look("uuids")
def _(c):
    u = lambda: "-".join(c.hexs(n) for n in (8, 4, 4, 4, 12))  # noqa: E731
    return [("CLIENT_ID", u()), ("TENANT_ID", u()), ("KEY_ID", u()), ("SESSION_GROUP", u())]


@look("public-key-pem")
def _(c):
    return [("VERIFY_KEY", keys.Rsa(c.r, 1024).public())]


@look("ssh-public-key")
def _(c):
    return [("AUTHORIZED_KEY", keys.openssh_ed25519(c.r, "dev@" + c.word())[1])]


@look("certificate")
def _(c):
    return [("CA_BUNDLE", keys.Rsa(c.r, 1024).certificate(c.r, "root." + c.word() + ".test"))]


@look("jwt-documentation")
def _(c):
    h, p = u64(b'{"alg":"HS256","typ":"JWT"}'), u64(b'{"sub":"1234567890","name":"John Doe","iat":1516239022}')
    return [("EXAMPLE_JWT", f"{h}.{p}." + u64(hmac.new(b"your-256-bit-" + b"secret", f"{h}.{p}".encode(), hashlib.sha256).digest()))]


@look("rfc8037-jwk")
def _(c):
    seed = bytes.fromhex("9d61b19deffd5a60ba844af492ec2cc4" + "4449c5697b326919703bac031cae7f60")
    return [("RFC8037_APPENDIX_A_TEST_KEY", json.dumps({"kty": "OKP", "crv": "Ed25519", "d": u64(seed), "x": u64(keys.ed_public(seed))}))]


@look("rfc8410-test-key")
def _(c):
    return [("RFC8410_SECTION_10_3_TEST_VECTOR", keys.ed_pkcs8(bytes.fromhex("d4ee72dbf913584ad5b6d8f1f769f8ad" + "3afe7c28cbf1d4fbe097a88f44755842")))]


@look("publishable-keys")
def _(c):
    return [("STRIPE_PUBLISHABLE_KEY", "pk_" + "live_" + c.s(24)), ("SENTRY_DSN", f"https://{c.hexs(32)}@o{c.digits(6)}.ingest.sentry.io/{c.digits(7)}"), ("ANALYTICS_ID", "G-" + c.s(10, ALNUM[:36]))]


@look("encrypted-values")
def _(c):
    return [("DB_PASSWORD", f"ENC[AES256_GCM,data:{base64.b64encode(c.raw(24)).decode()},iv:{base64.b64encode(c.raw(32)).decode()},tag:{base64.b64encode(c.raw(16)).decode()},type:str]"),
            ("SEALED", "AgB" + base64.b64encode(c.raw(200)).decode())]


@look("ansible-vault")
def _(c):
    return [("VAULTED", "$ANSIBLE_VAULT;1.1;AES256\n" + "\n".join(c.hexs(80) for _ in range(4)) + "\n")]


@look("pgp-public")
def _(c):
    return [("RELEASE_KEY", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n" + base64.encodebytes(c.raw(300)).decode() + "=" + c.s(4) + "\n-----END PGP PUBLIC KEY BLOCK-----\n")]


@look("encrypted-header-csr")
def _(c):
    return [("REQUEST", keys.pem("CERTIFICATE REQUEST", keys.seq(c.raw(300)))), ("PARAMS", keys.pem("DH PARAMETERS", keys.seq(c.raw(260))))]


@look("chain-addresses")
def _(c):
    return [("TREASURY", c.eth()), ("SOL_PROGRAM", c.sol()), ("BTC_DONATIONS", c.btc()), ("TX", "0x" + c.hexs(64))]


@look("data-uri-image")
def _(c):
    return [("LOGO", "data:image/png;base64," + b64(b"\x89PNG\r\n\x1a\n" + c.raw(700)))]


@look("font-base64")
def _(c):
    return [("ICON_FONT", "data:font/woff2;base64," + b64(b"wOF2" + c.raw(1500)))]


@look("trace-ids")
def _(c):
    return [("TRACEPARENT", f"00-{c.hexs(32)}-{c.hexs(16)}-01"), ("ETAG", f'W/"{c.hexs(40)}"'), ("REQUEST_ID", c.s(28, ALNUM[:36]))]


@look("minisign-public")
def _(c):
    return [("UPDATE_PUBKEY", "RW" + base64.b64encode(c.raw(40)).decode()), ("SIGNIFY", "untrusted comment: public key\nRWQ" + base64.b64encode(c.raw(39)).decode())]


@look("age-recipient")
def _(c):
    return [("SOPS_AGE_RECIPIENTS", keys.bech32("age", c.raw(32))), ("NPUB", "npub1" + c.s(58, keys.CH))]


@look("css-module-names")
def _(c):
    return [("STYLES", " ".join(f"{c.word()}__{c.pick(['root', 'item'])}___{c.s(5)}" for _ in range(9))), ("CHUNKS", json.dumps({str(i): c.hexs(20) for i in range(12)}))]


@look("placeholder-jwt-parts")
def _(c):
    return [("TOKEN", "eyJhbGciOi...header.eyJzdWIi...payload.signature"), ("BEARER", "Bearer <token>")]


@look("test-prefix-keys")
def _(c):
    return [("STRIPE_TEST_KEY", "sk_test_" + "your_test_key_here"), ("PAYPAL_MODE", "sandbox"), ("GITHUB_TOKEN", "ghp_" + "exampleexampleexampleexampleexample1")]


@look("docs-fake")
def _(c):
    return [("OPENAI_API_KEY", "sk-..."), ("ANTHROPIC_API_KEY", "sk-ant-api03-..."), ("SLACK_BOT_TOKEN", "xoxb-your-token"), ("TELEGRAM_TOKEN", "123456789:ABCDEF-your-bot-token-here")]


@look("tokenizer-vocabulary")
def _(c):
    return [("MERGES", json.dumps([f"{c.s(3)} {c.s(4)}" for _ in range(60)]))]


@look("license-hash-ids")
def _(c):
    return [("BUILD_ID", c.hexs(40)), ("APPLE_TEAM", c.s(10, ALNUM[:36])), ("ONION", c.s(56, "abcdefghijklmnopqrstuvwxyz234567") + ".onion")]


@look("aws-resource-ids")
def _(c):
    return [("ROLE_ID", "AROA" + "EXAMPLE" + "ROLEID" + "ABC"), ("BUCKET_ARN", f"arn:aws:s3:::{c.word()}-assets"), ("INSTANCE", "i-0" + c.hexs(16)), ("AMI", "ami-0" + c.hexs(16))]


# ---------------------------------------------------------------- whole files
FILES = {}  # family -> (file name stem, function returning (name, bytes) )


def whole(family):
    def deco(fn):
        FILES[family] = fn
        return fn
    return deco


def sri(c):
    return "sha512-" + base64.b64encode(c.raw(64)).decode()


@whole("package-lock")
def _(c):
    pk = {"": {"name": c.name(), "version": "1.0.0"}}
    for _ in range(40):
        n = c.name() + c.s(2, "abcdef")
        pk["node_modules/" + n] = {"version": c.ver(), "resolved": f"https://npm.{c.word()}.example/{n}/-/{n}-1.0.0.tgz", "integrity": sri(c)}
    return "package-lock.json", json.dumps({"name": "app", "lockfileVersion": 3, "packages": pk}, indent=2).encode()


@whole("go-sum")
def _(c):
    return "go.sum", "".join(f"github.com/{c.word()}/{c.word()} v{c.ver()} h1:{base64.b64encode(c.raw(32)).decode()}\n" for _ in range(60)).encode()


@whole("poetry-lock")
def _(c):
    return "poetry.lock", "".join(f'[[package]]\nname = "{c.name()}"\nversion = "{c.ver()}"\nfiles = [\n    {{file = "{c.word()}.whl", hash = "sha256:{c.hexs(64)}"}},\n]\n\n' for _ in range(30)).encode()


@whole("tuf-root")
def _(c):
    ks = {c.hexs(64): {"keytype": "ed25519", "scheme": "ed25519", "keyval": {"public": c.hexs(64)}} for _ in range(5)}
    return "root.json", json.dumps({"signatures": [{"keyid": k, "sig": c.hexs(128)} for k in ks], "signed": {"_type": "root", "version": 3, "keys": ks}}, indent=1).encode()


@whole("known-hosts")
def _(c):
    return "known_hosts", "".join(f"|1|{base64.b64encode(c.raw(20)).decode()}|{base64.b64encode(c.raw(20)).decode()} {keys.openssh_ed25519(c.r, '')[1].strip()}\n" for _ in range(6)).encode()


@whole("env-sample")
def _(c):
    return ".env.example", ("# copy to .env and fill in\nDATABASE_URL=postgres://user:pass@localhost:5432/app\nSTRIPE_SECRET_KEY=sk_live_...\nGITHUB_TOKEN=\nJWT_SECRET=change-me-please-change-me-please\n"
        "AWS_ACCESS_KEY_ID=AKIA" + "IOSFODNN7EXAMPLE\nSENDGRID_API_KEY=SG.xxxxxxxxxxxxxxxxxxxxxx." + "x" * 43 + "\n").encode()


@whole("scanner-rules-toml")
def _(c):
    rows = [("aws", r"\b(?:AKIA|ASIA)[A-Z2-7]{16}\b", "AKIA"), ("github", r"gh[pousr]_[0-9A-Za-z]{36}", "ghp_"), ("slack", r"xox[bap]-[0-9A-Za-z-]{20,}", "xoxb"), ("openai", r"sk-proj-[\w-]{74}T3BlbkFJ[\w-]{74}", "T3BlbkFJ")]
    return "rules.toml", "".join(f"[[rules]]\nid = \"{a}\"\nregex = '''{b}'''\nkeywords = [\"{k}\"]\nentropy = 3.5\n\n" for a, b, k in rows).encode()


@whole("cosign-bundle")
def _(c):
    return "artifact.sigstore.json", json.dumps({"mediaType": "application/vnd.dev.sigstore.bundle+json;version=0.2", "verificationMaterial": {"tlogEntries": [{"logIndex": c.digits(8), "logId": {"keyId": b64(c.raw(32))}, "canonicalizedBody": b64(c.raw(300))}]}, "messageSignature": {"signature": b64(c.raw(70))}}).encode()


@whole("redacted-ci-log")
def _(c):
    return "build.log", "".join(f"##[group]Run step {i}\nenv:\n  GITHUB_TOKEN: ***\n  NPM_TOKEN: [REDACTED]\ncommit {c.hexs(40)} digest sha256:{c.hexs(64)}\n" for i in range(12)).encode()
