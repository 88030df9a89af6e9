#!/usr/bin/env python3
"""python3 check.py FOLDER: whether the models are well-formed where they should be, inert, and labelled. Loads and runs none of them."""
import ast
import bz2
import collections
import gzip
import hashlib
import io
import json
import lzma
import os
import pickletools
import re
import struct
import sys
import tarfile
import zipfile
import zlib

RESERVED = re.compile(r"(^|\.)(invalid|example|test)$")
HOST = re.compile(rb"\bhttps?://([A-Za-z0-9.-]*[A-Za-z0-9])")
FOREIGN = [b"registry.npm" + b"js", b"py" + b"pi.org", b"files.python" + b"hosted", b"crates" + b".io"]
PACKED = {b"\x1f\x8b": gzip.decompress, b"BZ": bz2.decompress, b"\xfd7": lzma.decompress, b"\x5d\0": lzma.decompress, b"\x78\x9c": zlib.decompress}


def pickles(data, raw_after=()):
    """Reads streams one after the other until the end; an error is the caller's."""
    stream = io.BytesIO(data)
    n = 0
    while stream.tell() < len(data):
        for op, _, _ in pickletools.genops(stream):
            if op.name == "BUILD" and raw_after:
                return n
        n += 1
    return n


def check_good(rel, kind, data):
    if kind == "joblib" or kind == "pickle":
        data = PACKED.get(data[:2], bytes)(data)
        pickles(data, raw_after=rel.endswith(".joblib"))
    elif kind == "torch" and data[:2] == b"PK":
        z = zipfile.ZipFile(io.BytesIO(data))
        assert z.testzip() is None and len(set(z.namelist())) == len(z.namelist())
        pickles(z.read(next(n for n in z.namelist() if n.endswith("/data.pkl"))))
    elif kind == "keras" and data[:2] == b"PK":
        z = zipfile.ZipFile(io.BytesIO(data))
        assert z.testzip() is None and z.read("model.weights.h5").startswith(b"\x89HDF")
        json.loads(z.read("config.json"))
    elif kind == "keras":
        assert data.startswith(b"\x89HDF") and struct.unpack_from("<Q", data, 40)[0] == len(data)
    elif kind == "gguf":
        assert data.startswith(b"GGUF\3")
    elif kind == "safetensors":
        n = struct.unpack_from("<Q", data)[0]
        head = json.loads(data[8:8 + n])
        assert 8 + n + max(t["data_offsets"][1] for k, t in head.items() if k != "__metadata__") == len(data)
    elif kind == "numpy" and data[:2] != b"PK":
        assert data.startswith(b"\x93NUMPY")
    elif kind == "archive" and data[:2] == b"\x1f\x8b":
        tarfile.open(fileobj=io.BytesIO(data)).getnames()


def main():
    root = sys.argv[1]
    problems, seen = [], {}
    with open(f"{root}/labels.json", encoding="utf-8") as f:
        labels = json.load(f)
    for item in labels:
        rel = item.get("file") or item["folder"]
        path = os.path.join(root, rel)
        parts = [path] if "file" in item else [os.path.join(d, n) for d, _, names in os.walk(path) for n in names]
        digest = hashlib.sha256()
        for part in sorted(parts):
            with open(part, "rb") as f:
                data = f.read()
            digest.update(part[len(path):].encode() + data)
            try:
                if part.endswith(".py"):
                    ast.parse(data.decode())
                elif part.endswith(".json"):
                    json.loads(data)
                if item["label"] == "good" and "file" in item:
                    check_good(rel, item["kind"], data)
            except (SyntaxError, ValueError, AssertionError, OSError, KeyError, zipfile.BadZipFile) as error:
                problems.append((part, repr(error)))
            views = [data]
            if data[:2] == b"PK":
                try:
                    z = zipfile.ZipFile(io.BytesIO(data))
                    views += [z.read(n) for n in z.namelist()]
                except (zipfile.BadZipFile, RuntimeError, NotImplementedError):
                    pass  # broken on purpose
            elif data[:2] in PACKED:
                views.append(PACKED[data[:2]](data))
            for view in views:
                problems += [(part, f"host {m[1]}") for m in HOST.finditer(view) if not RESERVED.search(m[1].decode())]
                problems += [(part, "names a registry") for host in FOREIGN if host in view]
        twin = seen.setdefault(digest.digest(), item["name"])
        if twin != item["name"] and item["kind"] != "pickle":
            problems.append((item["name"], f"is the same as {twin}"))
        if item["label"] not in ("bad", "good") or item["expect"] not in ("held", "told", "clean") or not item["what"] or (item["label"] == "good") != (item["expect"] == "clean"):
            problems.append((item["name"], "label"))
    for key, n in sorted(collections.Counter((i["kind"], i["label"]) for i in labels).items()):
        print(*key, n)
    print(len(labels), "items")
    for problem in problems:
        print("PROBLEM", *problem)
    sys.exit(bool(problems))


if __name__ == "__main__":
    main()
