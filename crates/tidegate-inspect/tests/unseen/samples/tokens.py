"""Tokens in the format of real services, random, checksummed where the format says so."""
import base64
import hashlib
import hmac
import json
import struct
import zlib

from . import keys
from .core import ALNUM

B62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
URL = ALNUM + "-_"
LOW = "abcdefghijklmnopqrstuvwxyz0123456789"
B32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
MAKERS = {}  # family -> (usual names, function)


def tok(family, *names):
    def deco(fn):
        MAKERS[family] = (names, fn)
        return fn
    return deco


def u64(b):
    return base64.urlsafe_b64encode(b).rstrip(b"=").decode()


def crc62(body):
    n, out = zlib.crc32(body.encode()), ""
    while n:
        n, k = divmod(n, 62)
        out = B62[k] + out
    return out.rjust(6, "0")


def simple(family, names, prefix, *parts):
    def fn(c):
        return prefix + "".join(p if isinstance(p, str) else c.s(*p) for p in parts)
    MAKERS[family] = (names if isinstance(names, tuple) else (names,), fn)


for fam, pre in (("github-classic", "ghp_"), ("github-oauth", "gho_"), ("github-server", "ghs_"), ("npm-token", "npm_")):
    def _make(pre):
        def fn(c):
            body = c.s(30)
            return pre + body + crc62(body)
        return fn
    MAKERS[fam] = ((("NPM_TOKEN", "NODE_AUTH_TOKEN") if pre == "npm_" else ("GITHUB_TOKEN", "GH_PAT")), _make(pre))

HEX = "0123456789abcdef"
simple("github-fine-grained", "GH_TOKEN", "github_" + "pat_", (22,), "_", (59,))
simple("crates-token", "CARGO_REGISTRY_TOKEN", "cio", (32,))
simple("rubygems", "GEM_HOST_API_KEY", "rubygems" + "_", (48, HEX))
simple("docker-pat", "DOCKER_PAT", "dckr" + "_pat_", (27, URL))
simple("digitalocean", "DIGITALOCEAN_TOKEN", "dop_" + "v1_", (64, HEX))
simple("gitlab-pat", "GITLAB_TOKEN", "glpat" + "-", (20, URL))
simple("google-api-key", "GOOGLE_MAPS_SERVER_KEY", "AI" + "za", (35, URL))
simple("google-oauth-secret", "GOOGLE_CLIENT_SECRET", "GOC" + "SPX-", (28, URL))
simple("stripe-live", "STRIPE_SECRET_KEY", "sk_" + "live_", (24,))
simple("stripe-live-long", "STRIPE_API_KEY", "rk_" + "live_51", (97,))
simple("sendgrid", "SENDGRID_API_KEY", "SG.", (22, URL), ".", (43, URL))
simple("openai-project", "OPENAI_API_KEY", "sk-" + "proj-", (74, URL), "T3Blbk" + "FJ", (74, URL))
simple("anthropic", "ANTHROPIC_API_KEY", "sk-" + "ant-api03-", (93, URL), "AA")
simple("huggingface", "HF_TOKEN", "hf" + "_", (34, ALNUM[10:]))
simple("databricks", "DATABRICKS_TOKEN", "da" + "pi", (32, HEX))
simple("shopify", "SHOPIFY_ACCESS_TOKEN", "shp" + "at_", (32, HEX))
simple("vault-service", "VAULT_TOKEN", "hv" + "s.CAES", (92, URL))
simple("doppler", "DOPPLER_TOKEN", "dp." + "pt.", (43,))
simple("linear", "LINEAR_API_KEY", "lin_" + "api_", (40,))
simple("pulumi", "PULUMI_ACCESS_TOKEN", "pul" + "-", (40, HEX))
simple("terraform-cloud", "TFE_TOKEN", "", (14,), ".atlas" + "v1.", (67,))
simple("mailgun", "MAILGUN_API_KEY", "key" + "-", (32, HEX))
simple("new-relic", "NEW_RELIC_USER_KEY", "NR" + "AK-", (27, LOW.upper()))
simple("azure-ad-secret", "AZURE_CLIENT_SECRET", "", (3,), (1, "0123456789"), "Q" + "~", (34, ALNUM + "~._-"))
simple("planetscale", "PLANETSCALE_TOKEN", "pscale" + "_tkn_", (43, URL))
simple("notion", "NOTION_TOKEN", "nt" + "n_", (11, "0123456789"), (35,))
simple("telegram-bot", "TELEGRAM_BOT_TOKEN", "", (1, "123456789"), (9, "0123456789"), ":AA", (33, URL))
simple("supabase", "SUPABASE_ACCESS_TOKEN", "sb" + "p_", (40, HEX))
simple("buildkite", "BUILDKITE_API_TOKEN", "bk" + "ua_", (40, HEX))
simple("postman", "POSTMAN_API_KEY", "PM" + "AK-", (24, HEX), "-", (34, HEX))
simple("nuget", "NUGET_API_KEY", "oy" + "2", (43, LOW))
simple("mailchimp", "MAILCHIMP_API_KEY", "", (32, HEX), "-us", "17")


@tok("pypi-token", "TWINE_PASSWORD", "PYPI_API_TOKEN")
def _(c):
    loc = b"py" + b"pi" + b"." + b"org"
    ident = json.dumps(["%s-%s-4%s-a%s-%s" % (c.hexs(8), c.hexs(4), c.hexs(3), c.hexs(3), c.hexs(12))]).encode()
    perm = json.dumps([3, "%s-%s-4%s-b%s-%s" % (c.hexs(8), c.hexs(4), c.hexs(3), c.hexs(3), c.hexs(12))]).encode()

    def pkt(t, d):
        return bytes([t, len(d)]) + d
    body = b"\x02" + pkt(1, loc) + pkt(2, ident[2:-2]) + b"\0" + pkt(2, perm) + b"\0\0" + b"\x06\x20" + c.raw(32)
    return "py" + "pi-" + u64(body)


@tok("aws-pair", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
def _(c):
    return ["AK" + "IA" + c.s(16, B32), c.s(40, ALNUM + "+/")]


@tok("slack-bot", "SLACK_BOT_TOKEN")
def _(c):
    return "xo" + "xb-" + c.digits(12) + "-" + c.digits(13) + "-" + c.s(24)


@tok("slack-webhook", "SLACK_WEBHOOK_URL")
def _(c):
    return "https://hooks.slack" + ".com/services/T" + c.s(10, LOW.upper()) + "/B" + c.s(10, LOW.upper()) + "/" + c.s(24)


@tok("discord-bot", "DISCORD_TOKEN")
def _(c):
    return u64(c.digits(18).encode()) + "." + c.s(6, URL) + "." + c.s(38, URL)


@tok("discord-webhook", "ALERT_WEBHOOK")
def _(c):
    return c.webhook()


@tok("grafana-service-account", "GRAFANA_TOKEN")
def _(c):
    s = c.s(32)
    return "gl" + "sa_" + s + "_" + struct.pack("<I", zlib.crc32(s.encode())).hex()


@tok("atlassian", "JIRA_API_TOKEN")
def _(c):
    s = "ATA" + "TT3xFfGF0" + c.s(170, URL)
    return s + "=" + "%08X" % zlib.crc32(s.encode())


@tok("azure-storage", "AZURE_STORAGE_CONNECTION_STRING")
def _(c):
    return ("DefaultEndpointsProtocol=https;AccountName=" + c.word() + "store;AccountKey=" + base64.b64encode(c.raw(64)).decode()
            + ";EndpointSuffix=core.windows.net")


@tok("azure-devops", "AZURE_DEVOPS_PAT")
def _(c):
    return c.s(76) + "AZ" + "DO" + c.s(4)


@tok("postgres-url", "DATABASE_URL")
def _(c):
    return (f"postgresql://{c.word()}_app:{c.s(20)}@ep-{c.word()}-{c.digits(8)}.eu-central-1.aws.neon.tech/{c.word()}?sslmode=require")


@tok("mongodb-url", "MONGO_URI")
def _(c):
    return f"mongodb+srv://{c.word()}:{c.s(18)}@cluster0.{c.s(5, LOW)}.mongodb.net/{c.word()}?retryWrites=true"


@tok("redis-url", "REDIS_URL")
def _(c):
    return f"rediss://default:{c.s(32)}@redis-{c.digits(5)}.c{c.digits(2)}.eu-west-1-3.ec2.cloud.redislabs.com:{c.digits(5)}"


@tok("jwt", "SERVICE_JWT")
def _(c):
    h = u64(b'{"alg":"HS256","typ":"JWT"}')
    p = u64(json.dumps({"sub": c.hexs(24), "role": "service_role", "iss": c.word(), "iat": 1735000000, "exp": 2050000000}).encode())
    return f"{h}.{p}." + u64(hmac.new(c.raw(32), f"{h}.{p}".encode(), hashlib.sha256).digest())


@tok("rsa-private-key", "SIGNING_KEY")
def _(c):
    return keys.Rsa(c.r).pkcs1()


@tok("pkcs8-private-key", "TLS_KEY")
def _(c):
    return keys.Rsa(c.r).pkcs8()


@tok("ec-private-key", "JWT_SIGNING_KEY")
def _(c):
    return keys.ec_private(c.r)


@tok("openssh-private-key", "DEPLOY_KEY")
def _(c):
    return keys.openssh_ed25519(c.r, "deploy@" + c.word())[0]


@tok("age-key", "SOPS_AGE_KEY")
def _(c):
    return keys.bech32("age-secret-key-", c.raw(32)).upper()


@tok("gcp-service-account", "GOOGLE_CREDENTIALS")
def _(c):
    proj = c.word() + "-" + c.digits(6)
    return json.dumps({"type": "service_account", "project_id": proj, "private_key_id": c.hexs(40), "private_key": keys.Rsa(c.r).pkcs8(),
                       "client_email": f"ci@{proj}.iam.gserviceaccount.com", "client_id": c.digits(21),
                       "token_uri": "https://oauth2.googleapis.com/token"})


@tok("twilio-pair", "TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN")
def _(c):
    return ["AC" + c.hexs(32), c.hexs(32)]


@tok("datadog-context", "DD_API_KEY")
def _(c):
    return c.hexs(32)


@tok("cloudflare-context", "CLOUDFLARE_API_TOKEN")
def _(c):
    return c.s(40, URL)


@tok("basic-auth-url", "PACKAGE_INDEX_URL")
def _(c):
    return f"https://ci-{c.word()}:{c.s(24)}@artifacts.{c.word()}-corp.test/simple/"


def make(family, c):
    names, fn = MAKERS[family]
    value = fn(c)
    values = value if isinstance(value, list) else [value]
    return list(zip(names, values))
