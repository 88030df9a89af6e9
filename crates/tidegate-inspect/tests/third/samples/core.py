"""What every sample draws from: names, hosts, digits, harmless filler, and the list of all samples."""
import base64
import json
import random
import re
import string
import zlib

MTIME = 1767225600
SAMPLES = []

WORDS = ("amber anchor birch canyon cedar cobalt comet copper coral delta ember falcon fjord garnet glacier harbor hazel heron indigo ivory jasper juniper "
         "kestrel lagoon lantern larch linden maple marble meadow nimbus nova ochre onyx opal orchid otter pebble pine plume prairie quartz raven reef ridge "
         "river rowan saffron sage sequoia sierra slate sparrow spruce stone summit tamarack thistle timber topaz tundra umber velvet violet walnut willow zephyr").split()


class Sample:
    """One registered sample: where it belongs and the function that writes its files."""

    def __init__(self, ecosystem, label, name, family, idea, kind, make):
        self.ecosystem, self.label, self.name, self.family, self.idea, self.kind, self.make = ecosystem, label, name, family, idea, kind, make


def sample(ecosystem, label, name, family, idea, kind=None):
    """Registers the function below it."""
    def put(make):
        SAMPLES.append(Sample(ecosystem, label, name, family, idea, kind, make))
        return make
    return put


class Ctx:
    """The luck of one sample: the same seed and the same name give the same bytes."""

    def __init__(self, seed, key):
        self.r = random.Random(f"{seed}:{key}")
        self.known = {}

    def pick(self, items):
        return self.r.choice(items)

    def word(self):
        return self.r.choice(WORDS)

    def hex(self, n):
        return "".join(self.r.choice("0123456789abcdef") for _ in range(n))

    def alnum(self, n):
        return "".join(self.r.choice(string.ascii_letters + string.digits) for _ in range(n))

    def bytes(self, n):
        return self.r.randbytes(n)

    def host(self):
        return f"{self.word()}-{self.word()}.{self.pick(['invalid', 'test', 'example'])}"

    def field(self, kind):
        """One value for `§KIND§`; the same mark means the same value within a sample."""
        if kind not in self.known:
            base = kind.rstrip("0123456789")
            n = int(kind[len(base):] or 0)
            make = {"H": self.host, "W": self.word, "HEX": lambda: self.hex(n or 32), "ID": lambda: str(self.r.randrange(10 ** 17, 10 ** 18)),
                    "BOT": lambda: f"{self.r.randrange(10 ** 9, 10 ** 10)}:AA{self.alnum(33)}", "AN": lambda: self.alnum(n or 24), "N": lambda: str(self.r.randrange(1000, 9999)),
                    "ETH": lambda: "0x" + self.hex(40), "BTC": lambda: "bc1q" + "".join(self.r.choice("023456789acdefghjklmnpqrstuvwxyz") for _ in range(38)),
                    "KEY": lambda: self.hex(64)}[base]
            self.known[kind] = make()
        return self.known[kind]

    def fill(self, text):
        return re.sub("§([A-Z]+[0-9]*)§", lambda m: self.field(m[1]), text)

    def b64(self, text):
        return base64.b64encode(self.fill(text).encode() if isinstance(text, str) else text).decode()

    def hexed(self, text):
        return self.fill(text).encode().hex()

    def xor(self, text, key):
        data = self.fill(text).encode()
        return [b ^ key[i % len(key)] for i, b in enumerate(data)]

    def deflated(self, text):
        return base64.b64encode(zlib.compress(self.fill(text).encode(), 9)).decode()

    def split(self, text, n=6):
        """`text` as a list of short pieces."""
        return [text[i:i + n] for i in range(0, len(text), n)]

    def js(self, n=3):
        """Honest JavaScript functions, and the names that they bind."""
        chosen = self.r.sample(sorted(JS), n)
        return "\n".join(JS[k] for k in chosen), chosen

    def py(self, n=3):
        return "\n\n".join(self.r.sample(PY, n)) + "\n"

    def rs(self, n=2):
        return "\n".join(self.r.sample(RS, n))

    def lib(self, n=3):
        """A CommonJS module of nothing but honest functions."""
        body, names = self.js(n)
        return f"'use strict';\n\n{body}\nmodule.exports = {{ {', '.join(names)} }};\n"


JS = {
    "chunk": "function chunk(list, size) {\n  const out = [];\n  for (let i = 0; i < list.length; i += size) out.push(list.slice(i, i + size));\n  return out;\n}\n",
    "clamp": "function clamp(value, low, high) {\n  return Math.min(Math.max(value, low), high);\n}\n",
    "debounce": "function debounce(fn, wait) {\n  let timer;\n  return function (...args) {\n    clearTimeout(timer);\n    timer = setTimeout(() => fn.apply(this, args), wait);\n  };\n}\n",
    "slug": "function slug(text) {\n  return text.toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');\n}\n",
    "pick": "function pick(object, keys) {\n  const out = {};\n  for (const key of keys) if (Object.hasOwn(object, key)) out[key] = object[key];\n  return out;\n}\n",
    "groupBy": "function groupBy(list, by) {\n  const out = new Map();\n  for (const item of list) {\n    const key = by(item);\n    if (!out.has(key)) out.set(key, []);\n    out.get(key).push(item);\n  }\n  return out;\n}\n",
    "parseQuery": "function parseQuery(text) {\n  return Object.fromEntries(text.replace(/^\\?/, '').split('&').filter(Boolean).map((p) => p.split('=').map(decodeURIComponent)));\n}\n",
    "humanSize": "function humanSize(bytes) {\n  const units = ['B', 'KiB', 'MiB', 'GiB'];\n  let at = 0;\n  while (bytes >= 1024 && at < units.length - 1) {\n    bytes /= 1024;\n    at += 1;\n  }\n  return `${bytes.toFixed(1)} ${units[at]}`;\n}\n",
    "retry": "async function retry(fn, times = 3) {\n  for (let i = 0; ; i += 1) {\n    try {\n      return await fn();\n    } catch (error) {\n      if (i >= times) throw error;\n    }\n  }\n}\n",
    "deepEqual": "function deepEqual(a, b) {\n  if (a === b) return true;\n  if (typeof a !== 'object' || typeof b !== 'object' || !a || !b) return false;\n  const keys = Object.keys(a);\n  return keys.length === Object.keys(b).length && keys.every((k) => deepEqual(a[k], b[k]));\n}\n",
    "wrapLines": "function wrapLines(text, width) {\n  return text.replace(new RegExp(`(.{1,${width}})(\\\\s|$)`, 'g'), '$1\\n').trimEnd();\n}\n",
}
PY = [
    "def chunks(items, size):\n    \"\"\"Lists of at most `size` items.\"\"\"\n    for at in range(0, len(items), size):\n        yield items[at:at + size]",
    "def slugify(text):\n    \"\"\"Lower case, with dashes.\"\"\"\n    return \"-\".join(part for part in \"\".join(c if c.isalnum() else \" \" for c in text.lower()).split())",
    "class Ring:\n    \"\"\"Keeps the newest items.\"\"\"\n\n    def __init__(self, size):\n        self.size = size\n        self.items = []\n\n    def push(self, item):\n        self.items = (self.items + [item])[-self.size:]",
    "def flatten(nested):\n    \"\"\"One flat list out of nested ones.\"\"\"\n    out = []\n    for item in nested:\n        out.extend(flatten(item) if isinstance(item, (list, tuple)) else [item])\n    return out",
    "def human_size(count):\n    \"\"\"Bytes for people.\"\"\"\n    for unit in (\"B\", \"KiB\", \"MiB\"):\n        if count < 1024:\n            return f\"{count:.1f} {unit}\"\n        count /= 1024\n    return f\"{count:.1f} GiB\"",
    "def moving_average(values, width):\n    \"\"\"Means of neighbours.\"\"\"\n    return [sum(values[i:i + width]) / width for i in range(len(values) - width + 1)]",
    "def parse_pairs(text):\n    \"\"\"`a=1;b=2` as a dictionary.\"\"\"\n    return dict(pair.split(\"=\", 1) for pair in text.split(\";\") if \"=\" in pair)",
    "def retry(call, times=3):\n    \"\"\"Calls again after an error.\"\"\"\n    for attempt in range(times):\n        try:\n            return call()\n        except OSError:\n            if attempt == times - 1:\n                raise",
]
RS = [
    "/// Splits `text` into words.\npub fn words(text: &str) -> Vec<&str> {\n    text.split_whitespace().collect()\n}\n",
    "/// Greatest common divisor.\npub fn gcd(a: u64, b: u64) -> u64 {\n    if b == 0 { a } else { gcd(b, a % b) }\n}\n",
    "/// A value between two others.\npub fn clamp(value: i64, low: i64, high: i64) -> i64 {\n    value.max(low).min(high)\n}\n",
    "/// Levels of a message.\n#[derive(Clone, Copy, Debug, PartialEq, Eq)]\npub enum Level {\n    Info,\n    Warn,\n    Error,\n}\n",
    "/// Mean of some numbers.\npub fn mean(values: &[f64]) -> Option<f64> {\n    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)\n}\n",
    "/// Hexadecimal digits of `bytes`.\npub fn hex(bytes: &[u8]) -> String {\n    bytes.iter().map(|b| format!(\"{b:02x}\")).collect()\n}\n",
]


def dumps(value):
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
