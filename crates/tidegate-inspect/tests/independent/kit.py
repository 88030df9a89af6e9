"""Seeded randomness and deterministic archive writers for the set.

Nothing here reads the clock, the environment or the file system: the same call gives the same bytes.
"""

import base64
import bz2
import gzip
import hashlib
import io
import json
import lzma
import random
import struct
import tarfile
import zipfile
import zlib

UPPER = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
LOWER = UPPER.lower()
DIGITS = "0123456789"
ALNUM = DIGITS + UPPER + LOWER
HEX = "0123456789abcdef"
B64URL = ALNUM + "-_"
B64STD = ALNUM + "+/"
# One fixed moment for every archive: 2024-03-01 12:00:00 UTC.
WHEN = 1709294400
ZIP_WHEN = (2024, 3, 1, 12, 0, 0)


class Dice:
    """A generator of its own for each name, so that adding an item changes no other."""

    def __init__(self, name):
        self.random = random.Random("tidegate independent set/" + name)

    def text(self, alphabet, length):
        return "".join(self.random.choice(alphabet) for _ in range(length))

    def hex(self, length):
        return self.text(HEX, length)

    def raw(self, length):
        return bytes(self.random.getrandbits(8) for _ in range(length))

    def number(self, low, high):
        return self.random.randint(low, high)

    def pick(self, items):
        return self.random.choice(items)

    def uuid(self):
        h = self.hex(32)
        return "-".join([h[:8], h[8:12], "4" + h[13:16], self.pick("89ab") + h[17:20], h[20:]])

    def words(self, count):
        return " ".join(self.pick(WORDS) for _ in range(count))


WORDS = (
    "able account after again amount animal answer apple around arrive autumn basket because before begin between bird "
    "boat book bottle branch bread bridge bright bring build button candle carry castle center chair change cheese "
    "choose circle clean clear climb cloud coast color common copper corner cotton count cover cross dance danger "
    "decide deep desert dinner dollar door double dream early earth either empty engine enough evening every example "
    "family famous farm father field figure finger finish flower follow forest friend garden gather gentle glass "
    "golden ground happen harbor heart heavy history hollow honest horse island journey kitchen ladder language "
    "letter library listen little machine market matter meadow measure memory middle minute mirror moment morning "
    "mother mountain narrow nature needle number ocean orange paper people picture planet pocket people present "
    "problem quiet rabbit reason record river round sailor school season second silver simple sister spring station "
    "stone story street strong summer sunday supper table teacher thunder ticket together travel valley village "
    "visit water weather window winter wonder yellow young"
).split()


def b64(data):
    return base64.b64encode(data if isinstance(data, bytes) else data.encode()).decode()


def b64url(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).decode().rstrip("=")


def sha256_hex(data):
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()


def as_bytes(data):
    return data if isinstance(data, bytes) else data.encode()


def js(value):
    """JSON as a tool would write it."""
    return json.dumps(value, indent=2) + "\n"


# --- archives -------------------------------------------------------------------------------------------------------


def tar(files, top=""):
    """An uncompressed tar of `[(name, data)]`; a tuple of three carries the mode."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for entry in files:
            name, data = entry[0], as_bytes(entry[1])
            info = tarfile.TarInfo(top + name)
            info.size = len(data)
            info.mtime = WHEN
            info.mode = entry[2] if len(entry) > 2 else 0o644
            archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def gz(data):
    return gzip.compress(as_bytes(data), mtime=WHEN)


def tgz(files, top=""):
    return gz(tar(files, top))


def tbz(files, top=""):
    return bz2.compress(tar(files, top))


def txz(files, top=""):
    return lzma.compress(tar(files, top))


def zipped(files, stored=False):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as archive:
        for entry in files:
            info = zipfile.ZipInfo(entry[0], ZIP_WHEN)
            info.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            info.external_attr = (entry[2] if len(entry) > 2 else 0o644) << 16
            archive.writestr(info, as_bytes(entry[1]))
    return out.getvalue()


def ar(files):
    """A System V `ar` archive, the outer shape of a Debian package."""
    out = b"!<arch>\n"
    for name, data in files:
        out += ("%-16s%-12d%-6d%-6d%-8s%-10d`\n" % (name, WHEN, 0, 0, "100644", len(data))).encode()
        out += data + (b"\n" if len(data) % 2 else b"")
    return out


def deb(name, files):
    control = "Package: %s\nVersion: 1.2.0\nArchitecture: all\nMaintainer: Ops <ops@corp.example>\nDescription: %s\n" % (name, name)
    return ar([
        ("debian-binary", b"2.0\n"),
        ("control.tar.gz", tgz([("./control", control)])),
        ("data.tar.xz", txz(files, "./")),
    ])


def cpio(files):
    """The "newc" form, as in initramfs and RPM payloads."""
    out = b""
    for inode, (name, data) in enumerate(list(files) + [("TRAILER!!!", b"")], 1):
        data = as_bytes(data)
        fields = [inode, 0o100644 if data else 0, 0, 0, 1, WHEN, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        head = b"070701" + "".join("%08X" % f for f in fields).encode() + name.encode() + b"\0"
        out += head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)
    return out + b"\0" * (-len(out) % 512)


def asar(files):
    """An Electron archive: a Chromium pickle with a JSON index, then the files."""
    index, body = {}, b""
    for name, data in files:
        data = as_bytes(data)
        folder = index
        *folders, last = name.split("/")
        for part in folders:
            folder = folder.setdefault(part, {"files": {}})["files"]
        folder[last] = {"size": len(data), "offset": str(len(body))}
        body += data
    text = json.dumps({"files": index}, separators=(",", ":")).encode()
    padded = text + b"\0" * (-len(text) % 4)
    return struct.pack("<IIII", 4, len(padded) + 8, len(padded) + 4, len(text)) + padded + body


def docker_save(layers, config):
    """An image as `docker save` writes it: `layers` are tars, `config` the image configuration."""
    config = dict(config, rootfs={"type": "layers", "diff_ids": ["sha256:" + sha256_hex(layer) for layer in layers]})
    text = json.dumps(config, separators=(",", ":"))
    name = sha256_hex(text)
    files, paths = [], []
    for layer in layers:
        path = sha256_hex(layer) + "/layer.tar"
        paths.append(path)
        files.append((path, layer))
    manifest = [{"Config": name + ".json", "RepoTags": ["corp/app:1.4"], "Layers": paths}]
    return tar(files + [(name + ".json", text), ("manifest.json", json.dumps(manifest))])


def oci_layout(layers, config):
    """An OCI image layout in a tar, its layers compressed."""
    blobs, listed = [], []

    def blob(data, kind):
        digest = sha256_hex(data)
        blobs.append(("blobs/sha256/" + digest, data))
        return {"mediaType": "application/vnd.oci.image." + kind, "digest": "sha256:" + digest, "size": len(data)}

    for layer in layers:
        listed.append(blob(gz(layer), "layer.v1.tar+gzip"))
    config = dict(config, rootfs={"type": "layers", "diff_ids": ["sha256:" + sha256_hex(layer) for layer in layers]})
    manifest = {"schemaVersion": 2, "config": blob(json.dumps(config).encode(), "config.v1+json"), "layers": listed}
    top = blob(json.dumps(manifest).encode(), "manifest.v1+json")
    return tar([("oci-layout", '{"imageLayoutVersion":"1.0.0"}')] + blobs + [
        ("index.json", json.dumps({"schemaVersion": 2, "manifests": [top]}))])


def git_blob(data):
    data = as_bytes(data)
    return zlib.compress(b"blob %d\0" % len(data) + data)


def git_pack(blobs):
    """A version 2 pack of whole blobs, no deltas."""
    out = b"PACK" + struct.pack(">II", 2, len(blobs))
    for data in map(as_bytes, blobs):
        size, first = len(data) >> 4, 3 << 4 | len(data) & 15
        head = []
        while size:
            head.append(first | 0x80)
            first, size = size & 0x7F, size >> 7
        out += bytes(head + [first]) + zlib.compress(data)
    return out + hashlib.sha1(out).digest()
