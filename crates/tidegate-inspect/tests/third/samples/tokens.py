"""Tokens of the right form, drawn when the set is made; none was ever issued."""
import base64
import json
import string
import zlib

B62 = string.digits + string.ascii_uppercase + string.ascii_lowercase


def base62(n, width):
    out = ""
    while n:
        n, r = divmod(n, 62)
        out = B62[r] + out
    return out.rjust(width, "0")


def of(c, alphabet, n):
    return "".join(c.r.choice(alphabet) for _ in range(n))


def checked(c, prefix):
    """GitHub and npm: thirty random signs and their CRC-32 in base 62."""
    body = of(c, B62, 30)
    return prefix + body + base62(zlib.crc32(body.encode()), 6)


def aws(c):
    return "AKI" + "A" + of(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16), of(c, B62 + "+/", 40)


def der(tag, body):
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x82]) + n.to_bytes(2, "big")
    return bytes([tag]) + size + body


def integer(n):
    raw = n.to_bytes(n.bit_length() // 8 + 1, "big")
    return der(2, raw)


def pem(kind, data, end="\n"):
    text = base64.b64encode(data).decode()
    lines = [text[i:i + 64] for i in range(0, len(text), 64)]
    return end.join([f"-----BEGIN {kind}-----", *lines, f"-----END {kind}-----", ""])


def rsa_der(c):
    """The form of an RSA key; its numbers are random and fit no other key."""
    p, q = (c.r.getrandbits(1024) | 1 << 1023 | 1 for _ in range(2))
    return der(0x30, b"".join(map(integer, (0, p * q, 65537, c.r.getrandbits(2040), p, q, c.r.getrandbits(1020), c.r.getrandbits(1020), c.r.getrandbits(1020)))))


def rsa(c, end="\n"):
    return pem("RSA PRIVATE" + " KEY", rsa_der(c), end)


def pkcs8(c):
    return pem("PRIVATE" + " KEY", der(0x30, integer(0) + der(0x30, bytes.fromhex("06092a864886f70d0101010500")) + der(4, rsa_der(c))))


def ec(c):
    point = der(0xA1, der(3, b"\0\x04" + c.bytes(64)))
    return pem("EC PRIVATE" + " KEY", der(0x30, integer(1) + der(4, c.bytes(32)) + der(0xA0, bytes.fromhex("06082a8648ce3d030107")) + point))


def ssh(c):
    def s(b):
        return len(b).to_bytes(4, "big") + b
    public = c.bytes(32)
    check = c.bytes(4)
    inner = check * 2 + s(b"ssh-ed25519") + s(public) + s(c.bytes(32) + public) + s(b"deploy@host")
    inner += bytes(range(1, 9))[:-len(inner) % 8]
    return pem("OPENSSH PRIVATE" + " KEY", b"openssh-key-v1\0" + s(b"none") * 2 + s(b"") + (1).to_bytes(4, "big") + s(s(b"ssh-ed25519") + s(public)) + s(inner))


def gcp(c):
    project = f"{c.word()}-{c.r.randrange(10 ** 5)}"
    key = pkcs8(c)
    return {"type": "service_account", "project_id": project, "private_key_id": c.hex(40), "private_key": key, "client_email": f"robot@{project}.iam.gserviceaccount.test",
            "client_id": of(c, string.digits, 21), "token_uri": "https://oauth2.test/token"}, key


def macaroon(c):
    """A token of the Python index: a macaroon, whose place is put together here."""
    place = b"py" + b"pi.org"
    uid = "-".join(c.hex(n) for n in (8, 4, 4, 4, 12)).encode()
    caveat = json.dumps([2, uid.decode()]).encode()
    raw = b"\x02\x01" + bytes([len(place)]) + place + b"\x02\x24" + uid + b"\0\x02" + bytes([len(caveat)]) + caveat + b"\0\0\x06\x20" + c.bytes(32)
    return "py" + "pi-" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(c, kind):
    hexs = c.hex
    b64u = string.ascii_letters + string.digits + "_-"
    return {
        "github": lambda: checked(c, "gh" + "p_"),
        "github-fine": lambda: "github" + "_pat_" + of(c, B62, 22) + "_" + of(c, B62, 59),
        "npm": lambda: checked(c, "np" + "m_"),
        "gitlab": lambda: "gl" + "pat-" + of(c, b64u, 20),
        "stripe": lambda: "sk" + "_live_" + of(c, B62, 24 + 75),
        "sendgrid": lambda: "S" + "G." + of(c, b64u, 22) + "." + of(c, b64u, 43),
        "slack": lambda: "xox" + "b-" + of(c, string.digits, 12) + "-" + of(c, string.digits, 13) + "-" + of(c, B62, 24),
        "google": lambda: "AI" + "za" + of(c, b64u, 35),
        "openai": lambda: "sk-" + "proj-" + of(c, b64u, 74) + "T3Bl" + "bkFJ" + of(c, b64u, 74),
        "anthropic": lambda: "sk-" + "ant-api03-" + of(c, b64u, 93) + "AA",
        "huggingface": lambda: "h" + "f_" + of(c, string.ascii_letters, 34),
        "digitalocean": lambda: "do" + "p_v1_" + hexs(64),
        "shopify": lambda: "shp" + "at_" + hexs(32),
        "vault": lambda: "hv" + "s." + of(c, b64u, 95),
        "grafana": lambda: (lambda body: "gl" + "sa_" + body + "_" + f"{zlib.crc32(('gl' + 'sa_' + body).encode()):08x}")(of(c, B62, 32)),
        "linear": lambda: "lin" + "_api_" + of(c, B62, 40),
        "newrelic": lambda: "NR" + "AK-" + of(c, string.ascii_uppercase + string.digits, 27),
        "postman": lambda: "PM" + "AK-" + hexs(24) + "-" + hexs(34),
        "databricks": lambda: "da" + "pi" + hexs(32),
        "doppler": lambda: "d" + "p.pt." + of(c, B62, 43),
        "telegram": lambda: of(c, "123456789", 1) + of(c, string.digits, 9) + ":AA" + of(c, b64u, 33),
        "age": lambda: "AGE-SECRET" + "-KEY-1" + of(c, "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L", 58),
        "azure": lambda: base64.b64encode(c.bytes(64)).decode(),
        "pypi": lambda: macaroon(c),
    }[kind]()
