"""Random key material in real encodings, standard library only."""
import base64
import hashlib
import struct


def der_len(n):
    if n < 128:
        return bytes([n])
    b = n.to_bytes((n.bit_length() + 7) // 8, "big")
    return bytes([0x80 | len(b)]) + b


def tlv(tag, body):
    return bytes([tag]) + der_len(len(body)) + body


def seq(*xs):
    return tlv(0x30, b"".join(xs))


def integer(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def oid(text):
    a = [int(x) for x in text.split(".")]
    out = bytes([a[0] * 40 + a[1]])
    for v in a[2:]:
        part = [v & 127]
        while v > 127:
            v >>= 7
            part.append(128 | v & 127)
        out += bytes(reversed(part))
    return tlv(6, out)


def pem(label, der, width=64):
    text = base64.b64encode(der).decode()
    lines = "\n".join(text[i:i + width] for i in range(0, len(text), width))
    return f"-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n"


SMALL = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p ** .5) + 1, 2))]


def prime(r, bits):
    while True:
        n = r.getrandbits(bits) | 1 | (3 << (bits - 2))
        if any(n % p == 0 for p in SMALL) or pow(2, n - 1, n) != 1:
            continue
        d, s = n - 1, 0
        while d % 2 == 0:
            d, s = d // 2, s + 1
        for _ in range(6):
            x = pow(r.randrange(2, n - 2), d, n)
            if x in (1, n - 1):
                continue
            for _ in range(s - 1):
                x = x * x % n
                if x == n - 1:
                    break
            else:
                break
        else:
            return n


class Rsa:
    def __init__(self, r, bits=2048):
        e = 65537
        while True:
            p, q = prime(r, bits // 2), prime(r, bits // 2)
            if p != q and (p - 1) % e and (q - 1) % e:
                break
        self.n, self.e = p * q, e
        d = pow(e, -1, (p - 1) * (q - 1))
        self.der = seq(*map(integer, (0, self.n, e, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p))))

    ALG = seq(oid("1.2.840.113549.1.1.1"), b"\x05\x00")

    def pkcs1(self):
        return pem("RSA PRIVATE KEY", self.der)

    def pkcs8(self):
        return pem("PRIVATE KEY", seq(integer(0), self.ALG, tlv(4, self.der)))

    def spki_der(self):
        return seq(self.ALG, tlv(3, b"\0" + seq(integer(self.n), integer(self.e))))

    def public(self):
        return pem("PUBLIC KEY", self.spki_der())

    def ssh_public(self, comment):
        body = b"".join(struct.pack(">I", len(x)) + x for x in (
            b"ssh-rsa", b"\x01\0\x01", self.n.to_bytes(self.n.bit_length() // 8 + 1, "big")))
        return "ssh-rsa " + base64.b64encode(body).decode() + " " + comment

    def certificate(self, r, cn):
        name = seq(tlv(0x31, seq(oid("2.5.4.3"), tlv(12, cn.encode()))))
        alg = seq(oid("1.2.840.113549.1.1.11"), b"\x05\0")
        tbs = seq(tlv(0xA0, integer(2)), integer(r.getrandbits(120)), alg, name,
                  seq(tlv(23, b"250101000000Z"), tlv(23, b"350101000000Z")), name, self.spki_der())
        return pem("CERTIFICATE", seq(tbs, alg, tlv(3, b"\0" + r.getrandbits(2048).to_bytes(256, "big"))))


P = 2 ** 256 - 2 ** 224 + 2 ** 192 + 2 ** 96 - 1
N = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
G = (0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)


def _add(a, b):
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        m = (3 * a[0] * a[0] - 3) * pow(2 * a[1], -1, P)
    else:
        m = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (m * m - a[0] - b[0]) % P
    return x, (m * (a[0] - x) - a[1]) % P


def ec_private(r):
    d = r.randrange(1, N)
    q, base, k = None, G, d
    while k:
        if k & 1:
            q = _add(q, base)
        base, k = _add(base, base), k >> 1
    pub = b"\x04" + q[0].to_bytes(32, "big") + q[1].to_bytes(32, "big")
    der = seq(integer(1), tlv(4, d.to_bytes(32, "big")), tlv(0xA0, oid("1.2.840.10045.3.1.7")), tlv(0xA1, tlv(3, b"\0" + pub)))
    return pem("EC PRIVATE KEY", der)


Q = 2 ** 255 - 19
D = -121665 * pow(121666, -1, Q) % Q


def _ed_add(a, b):
    x1, y1 = a
    x2, y2 = b
    t = D * x1 * x2 * y1 * y2 % Q
    return ((x1 * y2 + x2 * y1) * pow(1 + t, -1, Q) % Q, (y1 * y2 + x1 * x2) * pow(1 - t, -1, Q) % Q)


def ed_public(seed):
    h = bytearray(hashlib.sha512(seed).digest()[:32])
    h[0] &= 248
    h[31] = h[31] & 127 | 64
    k = int.from_bytes(h, "little")
    by = 4 * pow(5, -1, Q) % Q
    xx = (by * by - 1) * pow(D * by * by + 1, -1, Q) % Q
    bx = pow(xx, (Q + 3) // 8, Q)
    if (bx * bx - xx) % Q:
        bx = bx * pow(2, (Q - 1) // 4, Q) % Q
    if bx & 1:
        bx = Q - bx
    acc, base = (0, 1), (bx, by)
    while k:
        if k & 1:
            acc = _ed_add(acc, base)
        base, k = _ed_add(base, base), k >> 1
    return (acc[1] | (acc[0] & 1) << 255).to_bytes(32, "little")


def _s(x):
    return struct.pack(">I", len(x)) + x


def openssh_ed25519(r, comment):
    seed = r.getrandbits(256).to_bytes(32, "big")
    pub = ed_public(seed)
    blob = _s(b"ssh-ed25519") + _s(pub)
    check = struct.pack(">I", r.getrandbits(32)) * 2
    priv = check + _s(b"ssh-ed25519") + _s(pub) + _s(seed + pub) + _s(comment.encode())
    priv += bytes(range(1, 1 + (-len(priv)) % 8))
    body = b"openssh-key-v1\0" + _s(b"none") + _s(b"none") + _s(b"") + struct.pack(">I", 1) + _s(blob) + _s(priv)
    return pem("OPENSSH PRIVATE KEY", body, 70), "ssh-ed25519 " + base64.b64encode(blob).decode() + " " + comment


def ed_pkcs8(seed):
    return pem("PRIVATE KEY", seq(integer(0), seq(oid("1.3.101.112")), tlv(4, tlv(4, seed))))


# ---------------------------------------------------------------- bech32 (age)
CH = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(hrp, data):
    acc = int.from_bytes(data, "big") << (-len(data) * 8 % 5)
    n = (len(data) * 8 + 4) // 5
    vals = [(acc >> 5 * (n - 1 - i)) & 31 for i in range(n)]

    def poly(v):
        gen, c = (0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3), 1
        for x in v:
            top, c = c >> 25, (c & 0x1ffffff) << 5 ^ x
            for i in range(5):
                c ^= gen[i] if top >> i & 1 else 0
        return c
    ex = [ord(x) >> 5 for x in hrp] + [0] + [ord(x) & 31 for x in hrp]
    m = poly(ex + vals + [0] * 6) ^ 1
    return hrp + "1" + "".join(CH[x] for x in vals + [(m >> 5 * (5 - i)) & 31 for i in range(6)])
