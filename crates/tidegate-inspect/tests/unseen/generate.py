#!/usr/bin/env python3
"""python3 generate.py OUTDIR [--seed N]: writes the labelled set."""
import argparse
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from samples import core, pack, secrets_set  # noqa: E402

MODULES = ["npm_bad_install", "npm_bad_install_b", "npm_bad_runtime", "npm_bad_runtime_b", "npm_good_a", "npm_good_b", "npm_good_c",
           "pypi_bad", "pypi_bad_b", "pypi_bad_c", "pypi_good", "pypi_good_b", "pypi_good_c", "cargo_bad", "cargo_good", "extra"]


def write(out, rel, data):
    path = os.path.join(out, rel)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        raise SystemExit(f"two samples want the path {rel}")
    with open(path, "wb") as f:
        f.write(data)
    os.utime(path, (core.MTIME, core.MTIME))


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("outdir")
    ap.add_argument("--seed", type=int, default=20261121)
    args = ap.parse_args()
    if os.path.isdir(args.outdir) and os.listdir(args.outdir):
        raise SystemExit("OUTDIR is not empty")
    os.makedirs(args.outdir, exist_ok=True)
    labels, planted, details = [], [], []
    for m in MODULES:
        importlib.import_module("samples." + m)
    for n, (eco, label, family, style, fn) in enumerate(core.SAMPLES):
        ctx = core.Ctx(args.seed, f"{eco}/{label}/{family}/{fn.__module__}/{n}")
        fname, data = pack.build(eco, label, family, style, fn, ctx)
        rel = f"packages/{eco}/{fname}"
        write(args.outdir, rel, data)
        labels.append({"file": rel, "area": "behaviour", "label": label, "family": family, "ecosystem": eco})
    for item in secrets_set.generate(args.seed):
        write(args.outdir, item["file"], item["data"])
        labels.append({"file": item["file"], "area": "secret", "label": item["label"], "family": item["family"],
                       "ecosystem": item["ecosystem"]})
        details.append({"file": item["file"], "container": item["container"]})
        planted += [{"file": item["file"], "value": v} for v in item["values"]]
    for name, rows in (("labels.jsonl", labels), ("planted.jsonl", planted), ("containers.jsonl", details)):
        rows.sort(key=lambda r: (r["file"], r.get("value", "")))
        write(args.outdir, name, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows).encode())
    print(len(labels), "labels,", len(planted), "planted values")


if __name__ == "__main__":
    main()
