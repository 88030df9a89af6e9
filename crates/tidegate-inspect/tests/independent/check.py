"""Checks the set against itself: `python3 check.py`. Needs nothing of the product.

Counts, uniqueness, the same bytes twice, archives that open, planted values where they belong and nowhere else, no
registry host, no token literal in the scripts, no reachable host in a bad package.
"""

import collections
import hashlib
import io
import json
import os
import re
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import zipfile

sys.dont_write_bytecode = True

from counts import section  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPTS = sorted(n for n in os.listdir(HERE) if n.endswith(".py"))
TEXT_LINES = 500
# Assembled, so that no registry's host stands in the tree.
REGISTRIES = [a + "." + b for a, b in (
    ("npmjs", "org"), ("npmjs", "com"), ("pypi", "org"), ("pythonhosted", "org"), ("crates", "io"), ("debian", "org"),
    ("repo1.maven", "org"), ("maven.apache", "org"), ("golang", "org"), ("maven", "org"), ("yarnpkg", "com"))]
# A prefix known to everybody, directly followed by a body of many different characters.
TOKEN_LITERAL = re.compile(
    r"(gh[pousr]_|github_pat_|npm_(?!config_|package_)|glpat-|xox[abps]-|sk_live_|rk_live_|sk-ant-|sk-proj-|AKIA|AIza|hf_|dop_v1_|pypi-|SG\.|glsa_|"
    r"shpat_|dckr_pat_|rubygems_|eyJ[A-Za-z0-9_-]{20,}\.eyJ)[A-Za-z0-9_-]{16,}")
URL = re.compile(r"(?:https?|wss?|ftp|git|ssh|stratum\+tcp|tcp)://([^\s/'\"`<>)\\]+)")
INERT_HOST = re.compile(
    r"(^|\.)(invalid|example|test)$|^localhost$|^127\.0\.0\.1$|^0\.0\.0\.0$|^169\.254\.\d+\.\d+$|^\[?::1\]?$|[{}$%+*]")


class Checks:
    def __init__(self):
        self.failed = 0

    def that(self, condition, what):
        if not condition:
            self.failed += 1
            print("FAILED: " + what)


def run_generator(out_dir, seed):
    environment = dict(os.environ, PYTHONHASHSEED=seed, PYTHONDONTWRITEBYTECODE="1")
    subprocess.run([sys.executable, os.path.join(HERE, "generate.py"), out_dir], check=True, env=environment, stdout=subprocess.DEVNULL)


def tree(folder):
    found = {}
    for root, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(root, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, folder).replace(os.sep, "/")] = file.read()
    return found


def lines(data):
    return [json.loads(line) for line in data.decode().splitlines()]


def members(name, data):
    """The files of a package or archive, by the standard library alone; `None` where it is no archive."""
    if name.endswith((".tgz", ".tar.gz", ".crate", ".gem", ".tar", ".tar.xz", ".tar.bz2")):
        with tarfile.open(fileobj=io.BytesIO(data)) as archive:
            return {m.name: archive.extractfile(m).read() for m in archive.getmembers() if m.isfile()}
    if name.endswith((".whl", ".zip", ".jar", ".nupkg", ".vsix", ".apk", ".docx", ".npz")):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            assert archive.testzip() is None
            return {n: archive.read(n) for n in archive.namelist()}
    if name.endswith(".sqlite"):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "x.sqlite")
            with open(path, "wb") as file:
                file.write(data)
            base = sqlite3.connect(path)
            assert base.execute("pragma integrity_check").fetchone() == ("ok",)
            base.close()
    return None


def scripts(check):
    for name in SCRIPTS + ["README.md"]:
        with open(os.path.join(HERE, name), encoding="utf-8") as file:
            text = file.read()
        check.that(len(text.splitlines()) < TEXT_LINES, "%s is long: %d lines" % (name, len(text.splitlines())))
        for host in REGISTRIES:
            check.that(host not in text, "%s names %s" % (name, host))
        if name != "check.py":
            for match in TOKEN_LITERAL.finditer(text):
                # Placeholders of one repeated letter are no literals.
                check.that(len(set(match.group(0))) < 12, "%s holds a literal: %s" % (name, match.group(0)[:12]))


def counts(check, labels):
    for area in ("secret", "behaviour"):
        rows = [r for r in labels if r["area"] == area]
        bad = sum(r["label"] == "bad" for r in rows)
        print("%s: %d files, %d bad, %d good" % (area, len(rows), bad, len(rows) - bad))
        check.that(len(rows) >= 130, "%s: fewer than 130 files" % area)
        check.that(0.4 <= bad / max(len(rows), 1) <= 0.6, "%s: not balanced" % area)
    with open(os.path.join(HERE, "README.md"), encoding="utf-8") as file:
        check.that(file.read().endswith(section(labels)), "README.md states other counts: see counts.py")
    secret_bad = [r for r in labels if r["area"] == "secret" and r["label"] == "bad"]
    check.that(len({r["shape"] for r in secret_bad}) >= 40, "fewer than 40 shapes")
    check.that(len({r["family"] for r in secret_bad}) >= 50, "fewer than 50 issuers")
    packages = [r for r in labels if r["area"] == "behaviour"]
    for row in packages:
        check.that(row["ecosystem"], row["file"] + " has no ecosystem")


def planted_values(check, files, labels, planted):
    by_file = collections.defaultdict(list)
    for row in planted:
        by_file[row["file"]].append(row["value"])
    everywhere = b"\n".join(files[r["file"]] for r in labels if r["label"] == "good")
    for row in labels:
        expected = [hashlib.sha256(v.encode()).hexdigest() for v in by_file[row["file"]]]
        check.that(row["planted"] == expected, row["file"] + ": planted values do not match")
        check.that(bool(expected) == (row["area"] == "secret" and row["label"] == "bad"), row["file"] + ": a value too many or too few")
    values = [row["value"] for row in planted]
    check.that(len(values) == len(set(values)), "a value is planted twice")
    for value in values:
        check.that(value.encode() not in everywhere, "a planted value stands in a good file")


def contents(check, files, labels):
    for row in labels:
        data = files[row["file"]]
        try:
            inside = members(row["file"], data) or {row["file"]: data}
        except Exception as error:  # any failure to open is the finding
            check.that(False, "%s does not open: %r" % (row["file"], error))
            continue
        for name, content in inside.items():
            text = content.decode("utf-8", "replace")
            for host in REGISTRIES:
                check.that(host not in text, "%s: %s names %s" % (row["file"], name, host))
            if row["area"] == "behaviour" and row["label"] == "bad":
                for authority in URL.findall(text):
                    host = authority.rsplit("@", 1)[-1].split(":")[0].split("?")[0].rstrip(".,;").lower()
                    check.that(INERT_HOST.search(host), "%s: %s reaches %s" % (row["file"], name, host))
        if row["area"] == "behaviour":
            check.that(len(inside) >= 3, row["file"] + " is no realistic package")


def main():
    check = Checks()
    scripts(check)
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        run_generator(first, "1")
        run_generator(second, "2")
        files, again = tree(first), tree(second)
    check.that(files == again, "two runs differ: %s" % [n for n in files if files[n] != again.get(n)][:5])
    labels, planted = lines(files["labels.jsonl"]), lines(files["planted.jsonl"])
    check.that(sorted(r["file"] for r in labels) == sorted(n for n in files if "/" in n), "labels and files differ")
    digests = collections.Counter(hashlib.sha256(files[r["file"]]).hexdigest() for r in labels)
    check.that(max(digests.values()) == 1, "two files are the same")
    counts(check, labels)
    planted_values(check, files, labels, planted)
    contents(check, files, labels)
    print("%d checks failed" % check.failed)
    sys.exit(1 if check.failed else 0)


if __name__ == "__main__":
    main()
