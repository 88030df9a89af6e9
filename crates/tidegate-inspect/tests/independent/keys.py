"""Private keys of the right structure, made here and belonging to nobody."""

import struct

from kit import b64, b64url

PEM_EDGE = "-" * 5


def pem(label, data, width=64):
    text = b64(data)
    lines = [text[i:i + width] for i in range(0, len(text), width)]
    edge = PEM_EDGE
    return "\n".join([edge + "BEGIN " + label + edge] + lines + [edge + "END " + label + edge]) + "\n"


def body_line(text):
    """The part of a PEM text that must never be shown: the second line of its body."""
    return text.splitlines()[2]


# --- DER ------------------------------------------------------------------------------------------------------------


def der(tag, content):
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def integer(value):
    return der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def sequence(*parts):
    return der(0x30, b"".join(parts))


RSA_OID = bytes.fromhex("06092a864886f70d010101")
EC_OID = bytes.fromhex("06072a8648ce3d0201")
P256_OID = bytes.fromhex("06082a8648ce3d030107")
ED25519_OID = bytes.fromhex("06032b6570")


def is_prime(n, dice):
    if any(n % p == 0 for p in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47)):
        return False
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    for _ in range(8):
        x = pow(dice.number(2, n - 2), d, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits, dice):
    while True:
        n = dice.random.getrandbits(bits) | 3 << (bits - 2) | 1
        if n % 65537 != 1 and is_prime(n, dice):
            return n


def rsa_numbers(dice, bits=2048):
    p, q = prime(bits // 2, dice), prime(bits // 2, dice)
    d = pow(65537, -1, (p - 1) * (q - 1))
    return p * q, d, p, q


def rsa_pkcs1(dice, bits=2048):
    n, d, p, q = rsa_numbers(dice, bits)
    parts = [0, n, 65537, d, p, q, d % (p - 1), d % (q - 1), pow(q, -1, p)]
    return sequence(*map(integer, parts))


def pkcs8(algorithm, key):
    return sequence(integer(0), algorithm, der(4, key))


def rsa_pkcs8(dice, bits=2048):
    return pkcs8(sequence(RSA_OID, b"\x05\x00"), rsa_pkcs1(dice, bits))


def rsa_public(dice, bits=2048):
    n = rsa_numbers(dice, bits)[0]
    return sequence(sequence(RSA_OID, b"\x05\x00"), der(3, b"\0" + sequence(integer(n), integer(65537))))


def ec_sec1(dice):
    public = b"\0\x04" + dice.raw(64)
    return sequence(integer(1), der(4, dice.raw(32)), der(0xA0, P256_OID), der(0xA1, der(3, public)))


def ed25519_pkcs8(dice):
    return pkcs8(sequence(ED25519_OID), der(4, dice.raw(32)))


def certificate(dice):
    """A self-signed X.509 shape with a random signature: public matter, nothing secret."""
    name = sequence(der(0x31, sequence(bytes.fromhex("0603550403"), der(12, b"ca.corp.example"))))
    algorithm = sequence(bytes.fromhex("06092a864886f70d01010b"), b"\x05\x00")
    times = sequence(der(23, b"240301120000Z"), der(23, b"340301120000Z"))
    body = sequence(der(0xA0, integer(2)), integer(dice.number(1, 1 << 62)), algorithm, name, times, name, rsa_public(dice, 1024))
    return pem("CERTIFICATE", sequence(body, algorithm, der(3, b"\0" + dice.raw(128))))


# --- OpenSSH, PGP, age ----------------------------------------------------------------------------------------------


def field(data):
    data = data if isinstance(data, bytes) else data.encode()
    return struct.pack(">I", len(data)) + data


def openssh(dice, comment="deploy@build"):
    public, seed, check = dice.raw(32), dice.raw(32), dice.raw(4)
    blob = field("ssh-ed25519") + field(public)
    private = check * 2 + blob + field(seed + public) + field(comment)
    private += bytes(range(1, 1 + -len(private) % 8))
    data = b"openssh-key-v1\0" + field("none") + field("none") + field(b"") + struct.pack(">I", 1) + field(blob) + field(private)
    return pem("OPENSSH " + "PRIVATE KEY", data, 70)


def ssh_public(dice, comment="maintainer@corp.example"):
    return "ssh-ed25519 " + b64(field("ssh-ed25519") + field(dice.raw(32))) + " " + comment


def mpi(data):
    value = int.from_bytes(data, "big")
    return struct.pack(">H", value.bit_length()) + value.to_bytes((value.bit_length() + 7) // 8, "big")


def crc24(data):
    crc = 0xB704CE
    for byte in data:
        crc ^= byte << 16
        for _ in range(8):
            crc <<= 1
            if crc & 0x1000000:
                crc ^= 0x1864CFB
    return crc & 0xFFFFFF


def pgp(dice, private):
    """A version 4 EdDSA key packet and a user id, armoured."""
    public = b"\x04" + struct.pack(">I", 1709294400) + b"\x16" + bytes.fromhex("092b06010401da470f01") + mpi(b"\x40" + dice.raw(32))
    body = public
    if private:
        secret = mpi(dice.raw(32))
        body += b"\0" + secret + struct.pack(">H", sum(secret) & 0xFFFF)
    user = b"Release Bot <release@corp.example>"
    data = bytes([0xC5 if private else 0xC6, len(body)]) + body + bytes([0xCD, len(user)]) + user
    label = "PGP " + ("PRIVATE" if private else "PUBLIC") + " KEY BLOCK"
    lines = pem(label, data).splitlines()
    lines.insert(1, "")
    lines.insert(-1, "=" + b64(crc24(data).to_bytes(3, "big")))
    return "\n".join(lines) + "\n"


BECH32 = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"


def bech32(prefix, data):
    """BIP 173, which age uses for its keys."""
    bits = "".join(format(b, "08b") for b in data)
    bits += "0" * (-len(bits) % 5)
    values = [int(bits[i:i + 5], 2) for i in range(0, len(bits), 5)]

    def polymod(items):
        check = 1
        for value in items:
            top = check >> 25
            check = (check & 0x1FFFFFF) << 5 ^ value
            for i, generator in enumerate((0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)):
                check ^= generator if top >> i & 1 else 0
        return check

    spread = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    check = polymod(spread + values + [0] * 6) ^ 1
    values += [check >> 5 * (5 - i) & 31 for i in range(6)]
    return prefix + "1" + "".join(BECH32[v] for v in values)


def age_secret(dice):
    return bech32("age-secret-key-", dice.raw(32)).upper()


def age_public(dice):
    return bech32("age", dice.raw(32))


def jwt(dice, claims, header='{"alg":"HS256","typ":"JWT"}'):
    return b64url(header) + "." + b64url(claims) + "." + b64url(dice.raw(32))
