"""Token shapes by issuer. Every value is random; each prefix is written in pieces so that no literal stands here.

`make(issuer, name)` gives a value that depends on its name alone. Checksums are computed where the rule is public
(GitHub, npm: CRC-32 in base 62; age: bech32); elsewhere the structure is plausible and the tail random.
"""

import json
import struct
import zlib

import keys
from kit import ALNUM, B64STD, B64URL, DIGITS, LOWER, UPPER, Dice, b64, b64url

BASE62 = DIGITS + UPPER + LOWER
NPM_HOST = "registry." + "example"
# The location that a publishing token of the Python index carries inside, assembled here.
PY_HOST = "pypi" + "." + "org"


def crc62(text):
    value, out = zlib.crc32(text.encode()), ""
    while value:
        value, rest = divmod(value, 62)
        out = BASE62[rest] + out
    return out.rjust(6, "0")


def checked(prefix, dice, length=30):
    body = dice.text(ALNUM, length)
    return prefix + body + crc62(body)


def macaroon(d):
    def packet(kind, data):
        return bytes([kind, len(data)]) + data
    body = b"\x02" + packet(1, PY_HOST.encode()) + packet(2, d.uuid().encode()) + b"\0"
    body += packet(2, b'[2,"' + d.uuid().encode() + b'"]') + b"\0" + b"\0" + packet(6, d.raw(32))
    return "py" "pi-" + b64url(body)


def fly(d):
    return "Fly" "V1 fm2" "_" + b64(d.raw(180))


def atlassian(d):
    body = "ATA" "TT3xFfGF0" + d.text(B64URL, 171)
    return body + "=" + "%08X" % (zlib.crc32(body.encode()) & 0xFFFFFFFF)


def telegram(d):
    return str(d.number(1100000000, 7999999999)) + ":AA" + d.text(B64URL, 33)


def discord(d):
    return b64url(str(d.number(10 ** 17, 10 ** 18))) + "." + d.text(B64URL, 6) + "." + d.text(B64URL, 38)


def grafana(d):
    body = "gl" "sa_" + d.text(ALNUM, 32)
    return body + "_" + struct.pack("<I", zlib.crc32(body.encode())).hex()


def grafana_cloud(d):
    return "gl" "c_" + b64(json.dumps({"o": str(d.number(100000, 999999)), "n": "ci-upload", "k": d.text(B64STD, 24), "m": {"r": "eu"}}))


def sentry_org(d):
    inner = json.dumps({"iat": 1709294400.1, "url": "https://sentry.corp.example", "region_url": "https://eu.sentry.corp.example", "org": "corp"})
    return "sn" "trys_" + b64(inner) + "_" + d.text(B64STD, 43)


def azure_storage(d):
    return b64(d.raw(57) + d.raw(7))


def azure_secret(d):
    return d.text(ALNUM, 3) + "8Q" "~" + d.text(ALNUM + "._-", 34)


def azure_devops(d):
    return d.text(ALNUM, 76) + "AZ" "DO" + d.text(ALNUM, 4)


def supabase(d):
    claims = {"iss": "supabase", "ref": d.text(LOWER, 20), "role": "service_role", "iat": 1709294400, "exp": 2024870400}
    return keys.jwt(d, json.dumps(claims, separators=(",", ":")))


MAKERS = {
    "npm": lambda d: checked("np" "m_", d),
    "pypi": macaroon,
    "rust-registry": lambda d: "ci" "o" + d.text(ALNUM, 32),
    "rubygems": lambda d: "ruby" "gems_" + d.hex(48),
    "nuget": lambda d: "oy" "2" + d.text(LOWER + DIGITS, 43),
    "docker-hub": lambda d: "dckr" "_pat_" + d.text(B64URL, 27),
    "docker-org": lambda d: "dckr" "_oat_" + d.text(B64URL, 32),
    "sonatype": lambda d: d.text(B64STD, 44),
    "github": lambda d: checked("gh" "p_", d),
    "github-oauth": lambda d: checked("gh" "o_", d),
    "github-app": lambda d: checked("gh" "s_", d),
    "github-fine": lambda d: "github" "_pat_11" + d.text(UPPER + DIGITS, 20) + "_" + d.text(ALNUM, 59),
    "gitlab": lambda d: "gl" "pat-" + d.text(B64URL, 20),
    "gitlab-deploy": lambda d: "gl" "dt-" + d.text(B64URL, 20),
    "gitlab-trigger": lambda d: "gl" "ptt-" + d.hex(40),
    "bitbucket": lambda d: "AT" "BB" + d.text(ALNUM, 24) + d.hex(8).upper(),
    "atlassian": atlassian,
    "huggingface": lambda d: "h" "f_" + d.text(UPPER + LOWER, 34),
    "terraform": lambda d: d.text(ALNUM, 14) + ".atlas" "v1." + d.text(ALNUM, 67),
    "openvsx": lambda d: "ovs" "xat_" + d.uuid(),
    "azure-devops": azure_devops,
    "aws-id": lambda d: "AK" "IA" + d.text(UPPER + "234567", 16),
    "aws-secret": lambda d: d.text(B64STD, 40),
    "gcp-api": lambda d: "AI" "za" + "Sy" + d.text(B64URL, 33),
    "gcp-oauth": lambda d: "GOC" "SPX-" + d.text(B64URL, 28),
    "azure-storage": azure_storage,
    "azure-ad": azure_secret,
    "digitalocean": lambda d: "do" "p_v1_" + d.hex(64),
    "cloudflare": lambda d: d.text(B64URL, 40),
    "heroku": lambda d: "HR" "KU-AA" + d.text(B64URL, 58),
    "fly": fly,
    "vercel": lambda d: d.text(ALNUM, 24),
    "netlify": lambda d: "nf" "p_" + d.text(ALNUM, 36),
    "alibaba-id": lambda d: "LT" "AI5t" + d.text(ALNUM, 18),
    "alibaba-secret": lambda d: d.text(ALNUM, 30),
    "circleci": lambda d: "CCI" "PAT_" + d.text(ALNUM, 22) + "_" + d.hex(40),
    "buildkite": lambda d: "bk" "ua_" + d.hex(40),
    "slack-bot": lambda d: "xo" "xb-" + d.text("123456789", 12) + "-" + d.text("123456789", 13) + "-" + d.text(ALNUM, 24),
    "slack-user": lambda d: "xo" "xp-" + "-".join(d.text("123456789", 12) for _ in range(3)) + "-" + d.hex(32),
    "slack-hook": lambda d: "https://hooks." "slack.com/serv" "ices/T" + d.text(UPPER + DIGITS, 10) + "/B" + d.text(UPPER + DIGITS, 10) + "/" + d.text(ALNUM, 24),
    "discord-bot": discord,
    "discord-hook": lambda d: "https://dis" "cord.com/api/web" "hooks/" + str(d.number(10 ** 18, 2 * 10 ** 18)) + "/" + d.text(B64URL, 68),
    "telegram": telegram,
    "teams": lambda d: "https://corp.web" "hook.office.com/web" "hookb2/%s@%s/Incoming" "Webhook/%s/%s" % (d.uuid(), d.uuid(), d.hex(32), d.uuid()),
    "stripe": lambda d: "sk" "_live_51" + d.text(ALNUM, 97),
    "stripe-restricted": lambda d: "rk" "_live_51" + d.text(ALNUM, 97),
    "square": lambda d: "sq" "0csp-" + d.text(B64URL, 43),
    "square-access": lambda d: "EA" "AAl" + d.text(B64URL, 59),
    "braintree": lambda d: "access_token" "$production$" + d.text(LOWER + DIGITS, 16) + "$" + d.hex(32),
    "paypal": lambda d: "E" + d.text(B64URL, 79),
    "shopify": lambda d: "shp" "at_" + d.hex(32),
    "openai": lambda d: "sk-" "proj-" + d.text(B64URL, 74) + "T3Blbk" "FJ" + d.text(B64URL, 74),
    "anthropic": lambda d: "sk-" "ant-api03-" + d.text(B64URL, 93) + "AA",
    "replicate": lambda d: "r" "8_" + d.text(ALNUM, 37),
    "groq": lambda d: "gs" "k_" + d.text(ALNUM, 52),
    "perplexity": lambda d: "pp" "lx-" + d.text(ALNUM, 48),
    "sendgrid": lambda d: "S" "G." + d.text(B64URL, 22) + "." + d.text(B64URL, 43),
    "mailgun": lambda d: "ke" "y-" + d.hex(32),
    "mailchimp": lambda d: d.hex(32) + "-us" + str(d.number(2, 21)),
    "postmark": lambda d: d.uuid(),
    "brevo": lambda d: "xkey" "sib-" + d.hex(64) + "-" + d.text(ALNUM, 16),
    "datadog": lambda d: d.hex(32),
    "newrelic": lambda d: "NR" "AK-" + d.text(UPPER + DIGITS, 27),
    "grafana": grafana,
    "grafana-cloud": grafana_cloud,
    "sentry": lambda d: "sn" "tryu_" + d.hex(64),
    "sentry-org": sentry_org,
    "dynatrace": lambda d: "dt0" "c01." + d.text(UPPER + "234567", 24) + "." + d.text(UPPER + "234567", 64),
    "twilio": lambda d: d.hex(32),
    "linear": lambda d: "lin" "_api_" + d.text(ALNUM, 40),
    "notion": lambda d: "nt" "n_" + d.text(DIGITS, 11) + d.text(ALNUM, 35),
    "airtable": lambda d: "pa" "t" + d.text(ALNUM, 14) + "." + d.hex(64),
    "planetscale": lambda d: "pscale" "_tkn_" + d.text(B64URL, 43),
    "supabase": supabase,
    "doppler": lambda d: "dp." "pt." + d.text(ALNUM, 43),
    "pulumi": lambda d: "pu" "l-" + d.hex(40),
    "vault": lambda d: "hv" "s." + d.text(B64URL, 95),
    "databricks": lambda d: "da" "pi" + d.hex(32),
    "figma": lambda d: "fi" "gd_" + d.text(B64URL, 40),
    "postman": lambda d: "PM" "AK-" + d.hex(24) + "-" + d.hex(34),
    "tailscale": lambda d: "ts" "key-auth-" + d.text(ALNUM, 16) + "-" + d.text(ALNUM, 32),
    "sonarqube": lambda d: "sq" "p_" + d.hex(40),
    "artifactory": lambda d: "AK" "Cp" + d.text(ALNUM, 69),
    "age": keys.age_secret,
    "password": lambda d: d.text(ALNUM + "_-.", 20),
}


def make(issuer, name):
    return MAKERS[issuer](Dice("token/%s/%s" % (issuer, name)))


def aws_pair(name):
    d = Dice("token/aws/" + name)
    return MAKERS["aws-id"](d), MAKERS["aws-secret"](d)


def service_account(name):
    """A cloud service account as its console writes it; the private key is what must not be shown."""
    d = Dice("token/service-account/" + name)
    key = keys.pem("PRIVATE " "KEY", keys.rsa_pkcs8(d))
    account = {
        "type": "service_account", "project_id": "corp-data-prod", "private_key_id": d.hex(40), "private_key": key,
        "client_email": "etl@corp-data-prod.iam.gserviceaccount.com", "client_id": d.text(DIGITS, 21),
        "token_uri": "https://oauth2.googleapis.com/token"}
    return account, keys.body_line(key)
