"""Plausible ordinary code which surrounds every package, good or bad."""

JS = {
    "clamp": ["""function clamp(value, low, high) {
  if (Number.isNaN(value)) return low;
  return Math.min(Math.max(value, low), high);
}
function lerp(a, b, t) {
  return a + (b - a) * clamp(t, 0, 1);
}
""", ["clamp", "lerp"]],
    "deep-merge": ["""const isObject = (v) => v !== null && typeof v === 'object' && !Array.isArray(v);
function deepMerge(target, ...sources) {
  for (const source of sources) {
    for (const key of Object.keys(source || {})) {
      if (key === '__proto__' || key === 'constructor') continue;
      target[key] = isObject(source[key]) && isObject(target[key])
        ? deepMerge({ ...target[key] }, source[key])
        : source[key];
    }
  }
  return target;
}
""", ["deepMerge"]],
    "lru": ["""class Lru {
  constructor(limit = 128) {
    this.limit = limit;
    this.map = new Map();
  }
  get(key) {
    if (!this.map.has(key)) return undefined;
    const value = this.map.get(key);
    this.map.delete(key);
    this.map.set(key, value);
    return value;
  }
  set(key, value) {
    this.map.delete(key);
    this.map.set(key, value);
    if (this.map.size > this.limit) this.map.delete(this.map.keys().next().value);
    return this;
  }
}
""", ["Lru"]],
    "format-bytes": ["""const UNITS = ['B', 'kB', 'MB', 'GB', 'TB'];
function formatBytes(n, digits = 1) {
  let i = 0;
  while (n >= 1000 && i < UNITS.length - 1) { n /= 1000; i += 1; }
  return `${n.toFixed(i ? digits : 0)} ${UNITS[i]}`;
}
""", ["formatBytes"]],
    "retry": ["""const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
async function retry(fn, { attempts = 3, delay = 50 } = {}) {
  let last;
  for (let i = 0; i < attempts; i += 1) {
    try { return await fn(i); } catch (err) { last = err; await sleep(delay * 2 ** i); }
  }
  throw last;
}
""", ["retry", "sleep"]],
    "slug": ["""function slug(text) {
  return String(text).normalize('NFKD').replace(/[\\u0300-\\u036f]/g, '')
    .toLowerCase().replace(/[^a-z0-9]+/g, '-').replace(/^-|-$/g, '');
}
""", ["slug"]],
}

PY = {
    "_text.py": '''"""Small text helpers."""
import re
import unicodedata

_WORD = re.compile(r"[^a-z0-9]+")


def slugify(value: str) -> str:
    value = unicodedata.normalize("NFKD", value).encode("ascii", "ignore").decode()
    return _WORD.sub("-", value.lower()).strip("-")


def wrap(text: str, width: int = 72) -> list:
    line, out = "", []
    for word in text.split():
        if len(line) + len(word) + 1 > width:
            out.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return out + [line]
''',
    "_ttl.py": '''"""A cache whose entries expire."""
import time
from collections import OrderedDict


class TTLCache:
    def __init__(self, limit=256, ttl=30.0):
        self.limit, self.ttl = limit, ttl
        self._data = OrderedDict()

    def get(self, key, default=None):
        try:
            value, born = self._data[key]
        except KeyError:
            return default
        if time.monotonic() - born > self.ttl:
            del self._data[key]
            return default
        return value

    def put(self, key, value):
        self._data[key] = (value, time.monotonic())
        while len(self._data) > self.limit:
            self._data.popitem(last=False)
''',
    "_stats.py": '''"""Running mean and variance after Welford."""


class Running:
    __slots__ = ("n", "mean", "m2")

    def __init__(self):
        self.n, self.mean, self.m2 = 0, 0.0, 0.0

    def add(self, x):
        self.n += 1
        delta = x - self.mean
        self.mean += delta / self.n
        self.m2 += delta * (x - self.mean)

    @property
    def variance(self):
        return self.m2 / (self.n - 1) if self.n > 1 else 0.0
''',
    "_graph.py": '''"""Topological sorting."""


def order(edges):
    seen, done, out = set(), set(), []

    def visit(node):
        if node in done:
            return
        if node in seen:
            raise ValueError("cycle at %r" % (node,))
        seen.add(node)
        for nxt in sorted(edges.get(node, ())):
            visit(nxt)
        done.add(node)
        out.append(node)

    for node in sorted(edges):
        visit(node)
    return out
''',
}

RS = {
    "ring.rs": '''//! A fixed capacity ring buffer.

pub struct Ring<T> {
    items: Vec<Option<T>>,
    head: usize,
    len: usize,
}

impl<T> Ring<T> {
    pub fn new(capacity: usize) -> Self {
        Self { items: (0..capacity).map(|_| None).collect(), head: 0, len: 0 }
    }

    pub fn push(&mut self, value: T) -> Option<T> {
        let cap = self.items.len();
        let slot = (self.head + self.len) % cap;
        let old = self.items[slot].replace(value);
        if self.len == cap {
            self.head = (self.head + 1) % cap;
        } else {
            self.len += 1;
        }
        old
    }

    pub fn len(&self) -> usize {
        self.len
    }
}
''',
    "span.rs": '''//! Half-open spans.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn new(start: usize, end: usize) -> Self {
        assert!(start <= end);
        Span { start, end }
    }

    pub fn join(self, other: Span) -> Span {
        Span::new(self.start.min(other.start), self.end.max(other.end))
    }

    pub fn contains(&self, at: usize) -> bool {
        (self.start..self.end).contains(&at)
    }
}
''',
    "units.rs": '''//! Human readable sizes.

const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];

pub fn human(mut value: f64) -> String {
    let mut i = 0;
    while value >= 1024.0 && i + 1 < UNITS.len() {
        value /= 1024.0;
        i += 1;
    }
    format!("{value:.1} {}", UNITS[i])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scales() {
        assert_eq!(human(2048.0), "2.0 KiB");
    }
}
''',
}

LICENSE = """MIT License

Copyright (c) 2025 the authors

Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
documentation files (the "Software"), to deal in the Software without restriction.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED.
"""


def readme(ctx, name, desc, install, usage):
    parts = [f"# {name}\n\n{desc}\n", f"\n## Install\n\n```sh\n{install}\n```\n", f"\n## Usage\n\n```\n{usage}\n```\n"]
    if ctx.r.random() < 0.6:
        parts.append("\n## Contributing\n\nIssues and pull requests are welcome. Please run the tests first.\n")
    if ctx.r.random() < 0.5:
        parts.append("\n## License\n\nMIT\n")
    return "".join(parts)


def changelog(ctx, version):
    lines = [f"# Changelog\n\n## {version}\n"]
    for _ in range(ctx.r.randrange(1, 4)):
        lines.append("- " + ctx.pick(["Fix edge case with empty input", "Update types", "Faster lookup for long keys",
                                      "Drop old runtime", "Document the options", "Small clean-ups"]) + "\n")
    return "".join(lines)


def js_filler(ctx, esm, count):
    out = {}
    for key in ctx.r.sample(sorted(JS), count):
        body, names = JS[key]
        tail = f"export {{ {', '.join(names)} }};\n" if esm else f"module.exports = {{ {', '.join(names)} }};\n"
        out[key] = ("" if esm else "'use strict';\n\n") + body + tail
    return out
