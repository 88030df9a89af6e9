"""Deterministic archive writers, per-sample context and the sample table."""
import base64
import gzip
import hashlib
import io
import json
import random
import re
import tarfile
import zipfile

MTIME = 1735689600
ZDATE = (2025, 1, 1, 0, 0, 0)
SAMPLES = []  # (ecosystem, label, family, style, function)


def sample(eco, label, family, style=None):
    def deco(fn):
        SAMPLES.append((eco, label, family, style, fn))
        return fn
    return deco


def to_bytes(x):
    return x if isinstance(x, bytes) else x.encode("utf-8")


def gz(data, level=9):
    buf = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buf, mtime=MTIME, compresslevel=level) as f:
        f.write(data)
    return buf.getvalue()


def tar(files, order=None, fmt=tarfile.USTAR_FORMAT):
    buf = io.BytesIO()
    with tarfile.open(fileobj=buf, mode="w", format=fmt) as t:
        for name in order or sorted(files):
            data = to_bytes(files[name])
            ti = tarfile.TarInfo(name)
            ti.size, ti.mtime = len(data), MTIME
            ti.mode = 0o755 if name.endswith((".sh", "/run")) or "/bin/" in name else 0o644
            t.addfile(ti, io.BytesIO(data))
    return buf.getvalue()


def tgz(files):
    return gz(tar(files))


def zipped(files, stored=False, order=None):
    buf = io.BytesIO()
    with zipfile.ZipFile(buf, "w") as z:
        for name in order or sorted(files):
            zi = zipfile.ZipInfo(name, ZDATE)
            zi.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            zi.external_attr = 0o644 << 16
            z.writestr(zi, to_bytes(files[name]))
    return buf.getvalue()


def b64(x):
    return base64.b64encode(to_bytes(x)).decode()


def record_hash(data):
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()


WORDS = ("amber basin cedar delta ember fjord grove harbor inlet juniper kestrel lagoon meadow nimbus "
         "orchard pebble quarry ridge sable tundra umber vale willow yarrow zephyr cobalt maple onyx").split()
NOUNS = ("queue cache router parser loader matrix stream token layout socket schema bridge buffer codec "
         "logger mapper worker ledger signal vector widget panel").split()
TLDS = ("invalid", "example", "test")
ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


class Ctx:
    """Random material for one sample; every sample has its own stream."""

    def __init__(self, seed, key):
        self.r = random.Random(f"{seed}/{key}")
        self.memo = {}

    def pick(self, xs):
        return xs[self.r.randrange(len(xs))]

    def s(self, n, alphabet=ALNUM):
        return "".join(self.r.choice(alphabet) for _ in range(n))

    def hexs(self, n):
        return self.s(n, "0123456789abcdef")

    def digits(self, n):
        return self.pick("123456789") + self.s(n - 1, "0123456789")

    def raw(self, n):
        return bytes(self.r.randrange(256) for _ in range(n))

    def word(self):
        return self.pick(WORDS)

    def name(self, *stems):
        base = "-".join(stems) if stems else self.pick(NOUNS)
        return f"{self.word()}-{base}"

    def host(self, sub=None):
        sub = sub or self.pick(["api", "cdn", "static", "edge", "assets", "t", "collect", "dl", "m", "ws"])
        return f"{sub}.{self.word()}-{self.pick(NOUNS)}.{self.pick(TLDS)}"

    def eth(self):
        return "0x" + self.hexs(40)

    def sol(self):
        return self.s(44, "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")

    def btc(self):
        return "bc1q" + self.s(38, "qpzry9x8gf2tvdw0s3jn54khce6mua7l")

    def ver(self):
        return f"{self.r.randrange(0, 5)}.{self.r.randrange(0, 18)}.{self.r.randrange(1, 12)}"

    def webhook(self):
        return ("https://discord" + ".com/api/webhooks/" + self.digits(19) + "/"
                + self.s(68, ALNUM + "-_"))

    def tgbot(self):
        return self.digits(10) + ":AA" + self.s(33, ALNUM + "-_")

    def missing(self):
        """Name of a generated module that is not shipped: running the file stops right there."""
        return self.pick(["flags", "meta", "build-info", "targets", "env-map", "locale-table", "defaults-gen"])

    def fill(self, text, **kw):
        """@H@/@H2@ hosts, @W@ word, @HEX40@, @MISS@ ... stable inside one sample."""
        makers = {"H": self.host, "H2": self.host, "H3": self.host, "W": self.word, "W2": self.word,
                  "HOOK": self.webhook, "BOT": self.tgbot, "ETH": self.eth, "SOL": self.sol, "BTC": self.btc,
                  "PORT": lambda: str(self.r.randrange(4000, 9999)), "CHAT": lambda: "-100" + self.digits(10),
                  "MISS": self.missing, "HEX8": lambda: self.hexs(8), "HEX32": lambda: self.hexs(32),
                  "HEX40": lambda: self.hexs(40), "HEX64": lambda: self.hexs(64), "ID": lambda: self.s(8),
                  "ID2": lambda: self.s(12), "MISSPY": lambda: "_" + self.missing().replace("-", "_"),
                  "VER": self.ver}

        def sub(m):
            k = m.group(1)
            if k in kw:
                return str(kw[k])
            if k not in self.memo:
                self.memo[k] = makers[k]()
            return self.memo[k]
        return re.sub(r"@([A-Z]+[0-9]*)@", lambda m: sub(m) if m.group(1) in makers or m.group(1) in kw
                      else m.group(0), text)

    def fill_all(self, files, **kw):
        return {k: (self.fill(v.lstrip("\n"), **kw) if isinstance(v, str) else v) for k, v in files.items()}


# ---------------------------------------------------------------- obfuscators for inert payload text
def xor_hex(text, key):
    k = to_bytes(key)
    return bytes(c ^ k[i % len(k)] for i, c in enumerate(to_bytes(text))).hex()


def variation(text):
    """Bytes as variation selectors (U+FE00.. and U+E0100..)."""
    return "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in to_bytes(text))


def tags(text):
    return "".join(chr(0xE0000 + ord(c)) for c in text)


def squash(js):
    """Join a carefully punctuated source into one line."""
    out = []
    for line in js.strip().splitlines():
        line = line.strip()
        if line and not line.startswith("//"):
            out.append(line if line[-1] in ";{},([" else line + " ")
    return "".join(out).strip() + "\n"


def string_array(js, ctx):
    """Replace every «text» by an index call into a rotated, base64 string array."""
    strings = []

    def put(m):
        if m.group(1) not in strings:
            strings.append(m.group(1))
        return m.group(0)
    re.sub("«(.*?)»", put, js)
    decoys = [ctx.s(ctx.r.randrange(4, 11)) for _ in range(6)]
    pool = strings + decoys
    ctx.r.shuffle(pool)
    rot, base = ctx.r.randrange(3, len(pool)), ctx.r.randrange(0x80, 0x1f0)
    shipped = pool[-rot:] + pool[:-rot]
    a, d = "_0x" + ctx.hexs(4), "_0x" + ctx.hexs(6)
    body = re.sub("«(.*?)»", lambda m: f"{d}({hex(base + pool.index(m.group(1)))})", js)
    for i, v in enumerate(sorted(set(re.findall(r"\$([a-z]+)\$", body)))):
        body = body.replace(f"${v}$", "_0x" + ctx.hexs(6) if i < 40 else v)
    arr = ",".join("'" + b64(x) + "'" for x in shipped)
    head = (f"var {a}=[{arr}];(function(_0x1,_0x2){{while(--_0x2){{_0x1['push'](_0x1['shift']());}}}}({a},{hex(rot + 1)}));"
            f"var {d}=function(_0x3){{return Buffer.from({a}[_0x3-{hex(base)}],'base64').toString('utf8');}};")
    return head + squash(body)


# ---------------------------------------------------------------- package writers
def npm_pack(manifest, files):
    out = {"package/" + k: v for k, v in files.items()}
    out["package/package.json"] = json.dumps(manifest, indent=2) + "\n"
    return tgz(out)


def wheel(name, version, summary, files, extra_meta="", entry=None, tag="py3-none-any", requires=()):
    norm = name.replace("-", "_")
    di = f"{norm}-{version}.dist-info"
    out = {k: to_bytes(v) for k, v in files.items()}
    meta = [f"Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", f"Summary: {summary}", "License: MIT",
            "Requires-Python: >=3.8"] + [f"Requires-Dist: {q}" for q in requires]
    out[f"{di}/METADATA"] = to_bytes("\n".join(meta) + f"\n\n# {name}\n\n{summary}\n{extra_meta}")
    out[f"{di}/WHEEL"] = to_bytes("Wheel-Version: 1.0\nGenerator: bdist_wheel (0.43.0)\nRoot-Is-Purelib: "
                                  f"{'true' if tag.endswith('any') else 'false'}\nTag: {tag}\n")
    tops = sorted({k.split("/")[0] for k in out if "/" in k and not k.startswith(di) and k.endswith(".py")})
    out[f"{di}/top_level.txt"] = to_bytes("\n".join(tops) + "\n")
    if entry:
        out[f"{di}/entry_points.txt"] = to_bytes(entry)
    rec = [f"{k},{record_hash(v)},{len(v)}" for k, v in sorted(out.items())] + [f"{di}/RECORD,,"]
    out[f"{di}/RECORD"] = to_bytes("\n".join(rec) + "\n")
    return f"{norm}-{version}-{tag}.whl", zipped(out)


def sdist(name, version, summary, files):
    norm = name.replace("-", "_")
    root = f"{norm}-{version}"
    out = {f"{root}/{k}": v for k, v in files.items()}
    out[f"{root}/PKG-INFO"] = (f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: {summary}\n"
                               "License: MIT\n")
    if "pyproject.toml" not in files:
        out[f"{root}/pyproject.toml"] = '[build-system]\nrequires = ["setuptools>=61"]\nbuild-backend = "setuptools.build_meta"\n'
    return f"{root}.tar.gz", tgz(out)


def crate(name, version, files, toml_extra=""):
    root = f"{name}-{version}"
    toml = (f'[package]\nedition = "2021"\nname = "{name}"\nversion = "{version}"\n'
            f'description = "{files.pop("#desc", name)}"\nlicense = "MIT OR Apache-2.0"\nreadme = "README.md"\n')
    if "build.rs" in files:
        toml += 'build = "build.rs"\n'
    toml += toml_extra
    out = {f"{root}/{k}": v for k, v in files.items()}
    out[f"{root}/Cargo.toml"] = "# THIS FILE IS AUTOMATICALLY GENERATED BY CARGO\n\n" + toml
    out[f"{root}/Cargo.toml.orig"] = toml
    h = hashlib.sha1(root.encode()).hexdigest()
    out[f"{root}/.cargo_vcs_info.json"] = json.dumps({"git": {"sha1": h}, "path_in_vcs": ""}, indent=2)
    return f"{root}.crate", tgz(out)
