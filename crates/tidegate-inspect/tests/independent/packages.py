"""Realistic packages around a given behaviour: manifests, readmes and ordinary modules, chosen by the package's name.

Bad and good packages come from the same builders, so nothing but their behaviour tells them apart.
"""

import json

import kit
import shapes
from kit import Dice

LICENCE = (
    "MIT License\n\nCopyright (c) 2024 the authors\n\nPermission is hereby granted, free of charge, to any person obtaining a "
    "copy of this software, to deal in the Software without restriction. THE SOFTWARE IS PROVIDED \"AS IS\".\n")

JS_MODULES = {
    "chunk": "'use strict';\n\n/** Splits a list into parts of at most `size`. */\nmodule.exports = function chunk(list, size = 1) {\n  if (size < 1) throw new RangeError('size');\n  const out = [];\n  for (let i = 0; i < list.length; i += size) out.push(list.slice(i, i + size));\n  return out;\n};\n",
    "debounce": "'use strict';\n\nmodule.exports = function debounce(fn, wait) {\n  let timer;\n  return function (...args) {\n    clearTimeout(timer);\n    timer = setTimeout(() => fn.apply(this, args), wait);\n  };\n};\n",
    "merge": "'use strict';\n\nconst isObject = (x) => x !== null && typeof x === 'object' && !Array.isArray(x);\n\nmodule.exports = function merge(a, b) {\n  const out = { ...a };\n  for (const [key, value] of Object.entries(b)) {\n    if (key === '__proto__') continue;\n    out[key] = isObject(value) && isObject(out[key]) ? merge(out[key], value) : value;\n  }\n  return out;\n};\n",
    "slug": "'use strict';\n\nmodule.exports = function slug(text) {\n  return String(text)\n    .normalize('NFKD')\n    .replace(/[\\u0300-\\u036f]/g, '')\n    .toLowerCase()\n    .replace(/[^a-z0-9]+/g, '-')\n    .replace(/^-|-$/g, '');\n};\n",
    "lru": "'use strict';\n\nmodule.exports = class Lru {\n  constructor(max = 100) {\n    this.max = max;\n    this.map = new Map();\n  }\n  get(key) {\n    if (!this.map.has(key)) return undefined;\n    const value = this.map.get(key);\n    this.map.delete(key);\n    this.map.set(key, value);\n    return value;\n  }\n  set(key, value) {\n    this.map.delete(key);\n    this.map.set(key, value);\n    if (this.map.size > this.max) this.map.delete(this.map.keys().next().value);\n  }\n};\n",
    "duration": "'use strict';\n\nconst UNITS = { ms: 1, s: 1000, m: 60000, h: 3600000, d: 86400000 };\n\nmodule.exports = function duration(text) {\n  const match = /^(\\d+(?:\\.\\d+)?)\\s*(ms|s|m|h|d)$/.exec(text);\n  if (!match) throw new TypeError(`not a duration: ${text}`);\n  return Number(match[1]) * UNITS[match[2]];\n};\n",
    "emitter": "'use strict';\n\nmodule.exports = class Emitter {\n  #listeners = new Map();\n  on(name, fn) {\n    (this.#listeners.get(name) ?? this.#listeners.set(name, new Set()).get(name)).add(fn);\n    return () => this.#listeners.get(name).delete(fn);\n  }\n  emit(name, ...args) {\n    for (const fn of this.#listeners.get(name) ?? []) fn(...args);\n  }\n};\n",
    "retry": "'use strict';\n\nmodule.exports = async function retry(fn, { times = 3, wait = 200 } = {}) {\n  for (let attempt = 1; ; attempt++) {\n    try {\n      return await fn(attempt);\n    } catch (error) {\n      if (attempt >= times) throw error;\n      await new Promise((resolve) => setTimeout(resolve, wait * 2 ** attempt));\n    }\n  }\n};\n",
    "table": "'use strict';\n\nmodule.exports = function table(rows) {\n  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => String(r[i]).length)));\n  return rows.map((r) => r.map((cell, i) => String(cell).padEnd(widths[i])).join('  ')).join('\\n');\n};\n",
}

PY_MODULES = {
    "text": '"""Helpers for text."""\n\nimport re\nimport unicodedata\n\n\ndef slugify(value):\n    value = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()\n    return re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-")\n\n\ndef truncate(value, width, mark="…"):\n    return value if len(value) <= width else value[: width - len(mark)] + mark\n',
    "iterators": '"""Helpers for iterables."""\n\nfrom itertools import islice\n\n\ndef batched(iterable, n):\n    it = iter(iterable)\n    while batch := list(islice(it, n)):\n        yield batch\n\n\ndef unique(iterable, key=None):\n    seen = set()\n    for item in iterable:\n        mark = key(item) if key else item\n        if mark not in seen:\n            seen.add(mark)\n            yield item\n',
    "cache": '"""A cache that forgets."""\n\nimport time\nfrom collections import OrderedDict\n\n\nclass TTLCache:\n    def __init__(self, size=128, ttl=60.0, clock=time.monotonic):\n        self._data, self._size, self._ttl, self._clock = OrderedDict(), size, ttl, clock\n\n    def get(self, key, default=None):\n        value, when = self._data.get(key, (default, None))\n        if when is not None and self._clock() - when > self._ttl:\n            del self._data[key]\n            return default\n        return value\n\n    def set(self, key, value):\n        self._data[key] = (value, self._clock())\n        self._data.move_to_end(key)\n        while len(self._data) > self._size:\n            self._data.popitem(last=False)\n',
    "intervals": '"""Arithmetic on intervals."""\n\nfrom dataclasses import dataclass\n\n\n@dataclass(frozen=True)\nclass Interval:\n    low: float\n    high: float\n\n    def __contains__(self, x):\n        return self.low <= x < self.high\n\n    def overlaps(self, other):\n        return self.low < other.high and other.low < self.high\n',
    "graph": '"""Ordering by dependency."""\n\n\ndef order(edges):\n    """Nodes so that each follows what it needs; raises on a circle."""\n    done, out = {}, []\n\n    def visit(node):\n        state = done.get(node)\n        if state is False:\n            raise ValueError("circle at %r" % (node,))\n        if state is None:\n            done[node] = False\n            for need in edges.get(node, ()):\n                visit(need)\n            done[node] = True\n            out.append(node)\n\n    for node in edges:\n        visit(node)\n    return out\n',
    "stats": '"""Small statistics."""\n\nimport math\n\n\ndef mean(values):\n    values = list(values)\n    return sum(values) / len(values)\n\n\ndef stddev(values):\n    values = list(values)\n    m = mean(values)\n    return math.sqrt(sum((v - m) ** 2 for v in values) / len(values))\n',
}

RS_MODULES = {
    "ring": "//! A ring buffer.\n\n/// Keeps the last `N` items.\n#[derive(Debug)]\npub struct Ring<T, const N: usize> {\n    items: Vec<T>,\n    next: usize,\n}\n\nimpl<T, const N: usize> Ring<T, N> {\n    /// An empty ring.\n    pub fn new() -> Self {\n        Self { items: Vec::with_capacity(N), next: 0 }\n    }\n\n    /// Adds an item, forgetting the oldest.\n    pub fn push(&mut self, item: T) {\n        if self.items.len() < N {\n            self.items.push(item);\n        } else {\n            self.items[self.next] = item;\n        }\n        self.next = (self.next + 1) % N;\n    }\n}\n",
    "words": "//! Cases of identifiers.\n\n/// `some_name` from `SomeName`.\npub fn snake(text: &str) -> String {\n    let mut out = String::new();\n    for (i, c) in text.chars().enumerate() {\n        if c.is_uppercase() && i > 0 {\n            out.push('_');\n        }\n        out.extend(c.to_lowercase());\n    }\n    out\n}\n",
    "range": "//! Half-open ranges.\n\nuse std::ops::Range;\n\n/// Whether two ranges share a point.\npub fn overlaps(a: &Range<u64>, b: &Range<u64>) -> bool {\n    a.start < b.end && b.start < a.end\n}\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn neighbours_do_not_overlap() {\n        assert!(!overlaps(&(0..2), &(2..3)));\n    }\n}\n",
    "fnv": "//! FNV-1a.\n\nconst OFFSET: u64 = 0xcbf2_9ce4_8422_2325;\nconst PRIME: u64 = 0x0000_0100_0000_01b3;\n\n/// The 64-bit hash of `bytes`.\npub fn hash(bytes: &[u8]) -> u64 {\n    bytes.iter().fold(OFFSET, |h, b| (h ^ u64::from(*b)).wrapping_mul(PRIME))\n}\n",
}


def _filler(dice, pool, low=3):
    names = sorted(pool)
    dice.random.shuffle(names)
    return sorted(names[:dice.number(low, len(names))])


def _pairs(files):
    """The given files; the line break with which a long literal begins is no part of its file."""
    return [(p, c[1:] if isinstance(c, str) and c.startswith("\n") and not p.startswith("+") else c) for p, c in dict(files).items()]


def readme(name, dice, install):
    what = "%s %s for %s" % (dice.pick(["Small", "Fast", "Typed", "Tested"]), dice.pick(["helpers", "tools", "utilities"]), dice.pick(["services", "command line tools", "web pages", "pipelines"]))
    return "# %s\n\n%s.\n\n## Install\n\n```sh\n%s %s\n```\n\n## Use\n\nSee `docs`. %s.\n\n## Licence\n\nMIT\n" % (name, what, install, name, dice.words(9).capitalize())


def npm(name, version, files, manifest=None, many=0):
    """A tarball of the npm registry. `files` replace or add to the ordinary ones; `many` adds that many data files."""
    dice = Dice("npm/" + name)
    modules = _filler(dice, JS_MODULES)
    base = {
        "name": name, "version": version, "description": dice.words(5), "main": "index.js", "license": "MIT",
        "repository": {"type": "git", "url": "git+https://git.example/%s.git" % name.strip("@")},
        "author": "%s <dev@%s.example>" % (dice.words(2).title(), dice.pick(kit.WORDS)), "keywords": dice.words(4).split(),
        "engines": {"node": ">=%d" % dice.pick([14, 16, 18])}, "files": ["lib", "index.js"],
        "dependencies": {dice.pick(["ms", "semver", "picocolors"]): "^%d.0.0" % dice.number(1, 7)}}
    base.update(manifest or {})
    made = {"package.json": kit.js(base), "README.md": readme(name, dice, "npm install"), "LICENSE": LICENCE}
    made["index.js"] = "'use strict';\n\nmodule.exports = {\n%s};\n" % "".join("  %s: require('./lib/%s'),\n" % (m, m) for m in modules)
    for module in modules:
        made["lib/%s.js" % module] = JS_MODULES[module]
    for number in range(many):
        made["data/%03d.json" % number] = json.dumps({"id": number, "name": dice.words(2), "tags": dice.words(3).split()})
    made.update(_pairs(files))
    return kit.tgz(sorted(made.items(), key=lambda p: (p[0] != "package.json", p[0])), "package/")


def _python_files(name, files, many):
    dice = Dice("pypi/" + name)
    folder = name.replace("-", "_")
    modules = _filler(dice, PY_MODULES)
    made = {folder + "/__init__.py": '"""%s."""\n\n%s\n__version__ = "1.0"\n' % (dice.words(4).capitalize(), "".join("from . import %s\n" % m for m in modules))}
    for module in modules:
        made["%s/%s.py" % (folder, module)] = PY_MODULES[module]
    for number in range(many):
        made["%s/data/%03d.json" % (folder, number)] = json.dumps({"id": number, "text": dice.words(5)})
    made.update(_pairs(files))
    return dice, made


def _metadata(name, version, dice):
    return "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\nAuthor: %s\nLicense: MIT\nRequires-Python: >=3.8\n" % (
        name, version, dice.words(5), dice.words(2).title())


def wheel(name, version, files, entry_points="", many=0):
    dice, made = _python_files(name, files, many)
    info = "%s-%s.dist-info/" % (name.replace("-", "_"), version)
    made[info + "METADATA"] = _metadata(name, version, dice) + "\n" + readme(name, dice, "pip install")
    made[info + "WHEEL"] = "Wheel-Version: 1.0\nGenerator: bdist_wheel (0.42.0)\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    made[info + "LICENSE"] = LICENCE
    if entry_points:
        made[info + "entry_points.txt"] = entry_points
    tops = {n.split("/")[0][:-3] if n.count("/") == 0 and n.endswith(".py") else n.split("/")[0] for n in made if "dist-info" not in n and "/" in n or n.endswith(".py")}
    made[info + "top_level.txt"] = "\n".join(sorted(tops)) + "\n"
    listed = sorted(made.items())
    return kit.zipped(listed + [(info + "RECORD", shapes.record(listed, info + "RECORD"))])


SETUP = "from setuptools import setup, find_packages\n\nsetup(\n    name=\"%s\",\n    version=\"%s\",\n    packages=find_packages(),\n    python_requires=\">=3.8\",\n)\n"


def sdist(name, version, files, many=0, setup=True):
    """A source distribution; `{NAME}` and `{VERSION}` in its setup.py stand for the package's own."""
    dice, made = _python_files(name, files, many)
    if setup and "setup.py" not in made:
        made["setup.py"] = SETUP % (name, version)
    made["PKG-INFO"] = _metadata(name, version, dice)
    made["README.md"] = readme(name, dice, "pip install")
    made["LICENSE"] = LICENCE
    for path, content in made.items():
        if path in ("setup.py", "pyproject.toml", "setup.cfg"):
            made[path] = content.replace("{NAME}", name).replace("{VERSION}", version)
    return kit.tgz(sorted(made.items()), "%s-%s/" % (name, version))


def crate(name, version, files, manifest="", dependencies=None, many=0):
    """A crate as cargo packs it. `manifest` is added to `[package]`; `dependencies` are lines of its table."""
    dice = Dice("crate/" + name)
    modules = _filler(dice, RS_MODULES, 2)
    table = "" if dependencies is None else "\n[dependencies]\n" + dependencies
    section = manifest if manifest.startswith("[") else ""
    toml = '[package]\nname = "%s"\nversion = "%s"\nedition = "2021"\ndescription = "%s"\nlicense = "MIT"\nrepository = "https://git.example/%s"\n%s%s%s' % (
        name, version, dice.words(5), name, "" if section else manifest, table, "\n" + section if section else "")
    made = {"Cargo.toml": toml, "Cargo.toml.orig": toml, "README.md": readme(name, dice, "cargo add"), "LICENSE-MIT": LICENCE}
    made["src/lib.rs"] = "//! %s.\n\n%s" % (dice.words(4).capitalize(), "".join("pub mod %s;\n" % m for m in modules))
    for module in modules:
        made["src/%s.rs" % module] = RS_MODULES[module]
    for number in range(many):
        made["data/%03d.txt" % number] = dice.words(12)
    extra = dict(_pairs(files))
    # `+` before a path adds to the ordinary file rather than replacing it.
    for path, content in extra.items():
        if path.startswith("+"):
            made[path[1:]] += content
        else:
            made[path] = content
    made[".cargo_vcs_info.json"] = json.dumps({"git": {"sha1": dice.hex(40)}, "path_in_vcs": ""}, indent=2)
    return kit.tgz(sorted(made.items()), "%s-%s/" % (name, version))


def appended(name, code):
    """The ordinary entry module of an npm package, with `code` after it."""
    modules = _filler(Dice("npm/" + name), JS_MODULES)
    return "'use strict';\n\nmodule.exports = {\n%s};\n%s" % ("".join("  %s: require('./lib/%s'),\n" % (m, m) for m in modules), code)


class Writer:
    """Adds packages of one label to the items."""

    def __init__(self, items, label):
        self.items, self.label = items, label

    def _add(self, file, family, shape, data, why, ecosystem):
        self.items.add(file, self.label, family, shape, data, why, (), ecosystem)

    def npm(self, name, version, family, why, files, manifest=None, many=0, shape="npm-tgz"):
        if isinstance(files, str):
            files = {"index.js": appended(name, files)}
        file = "%s-%s.tgz" % (name.strip("@").replace("/", "-"), version)
        self._add(file, family, shape, npm(name, version, files, manifest, many), why, "npm")

    def wheel(self, name, version, family, why, files, entry_points="", many=0):
        folder = name.replace("-", "_")
        if isinstance(files, str):
            files = {folder + "/core.py": files, folder + "/__init__.py": "from .core import *\n"}
        files = {k.replace("PKG", folder): v for k, v in files.items()}
        self._add("%s-%s-py3-none-any.whl" % (folder, version), family, "wheel", wheel(name, version, files, entry_points, many), why, "pypi")

    def sdist(self, name, version, family, why, files, many=0, setup=True):
        if isinstance(files, str):
            files = {"setup.py": files}
        files = {k.replace("PKG", name.replace("-", "_")): v for k, v in files.items()}
        self._add("%s-%s.tar.gz" % (name, version), family, "sdist", sdist(name, version, files, many, setup), why, "pypi")

    def crate(self, name, version, family, why, files, manifest="", dependencies=None, many=0):
        if isinstance(files, str):
            files = {"build.rs": files}
        self._add("%s-%s.crate" % (name, version), family, "crate", crate(name, version, files, manifest, dependencies, many), why, "cargo")
