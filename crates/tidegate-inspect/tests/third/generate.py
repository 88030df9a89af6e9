#!/usr/bin/env python3
"""python3 generate.py FOLDER [--seed N]: writes the set and its labels. Needs the standard library alone."""
import argparse
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from samples import core, pack  # noqa: E402

MODULES = ["npm_bad", "npm_bad_b", "npm_good", "pypi_bad", "pypi_good", "cargo_bad", "cargo_good", "secrets_bad", "secrets_good"]


def write(folder, rel, data):
    path = os.path.join(folder, rel)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        raise SystemExit(f"two samples want `{rel}`")
    with open(path, "wb") as f:
        f.write(data)


def build(sample, seed):
    """File name, bytes and planted values."""
    ctx = core.Ctx(seed, f"{sample.ecosystem}/{sample.name}")
    if not isinstance(sample.kind, tuple):
        return (*pack.build(sample, ctx), [])
    planted = []
    inner = sample.make

    def files_alone(c):
        made = inner(c)
        if isinstance(made, tuple):
            made, values = made
            planted.extend(values)
        return made

    carrier = core.Sample(sample.ecosystem, sample.label, sample.name, sample.family, sample.idea, sample.kind[1], files_alone)
    return (*pack.build(carrier, ctx), planted)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    if os.path.isdir(args.folder) and os.listdir(args.folder):
        raise SystemExit("FOLDER is not empty")
    for module in MODULES:
        importlib.import_module("samples." + module)
    items, planted = [], []
    for sample in core.SAMPLES:
        name, data, values = build(sample, args.seed)
        area = "secret" if isinstance(sample.kind, tuple) else "behaviour"
        rel = f"{area}/{sample.ecosystem}/{name}"
        write(args.folder, rel, data)
        expect = {("secret", "bad"): "a secret finding of at least medium severity and confidence", ("behaviour", "bad"): "a verdict above clean"}.get((area, sample.label), "clean, and no secret told")
        items.append({"name": sample.name, "file": rel, "kind": sample.ecosystem, "area": area, "label": sample.label, "family": sample.family, "what": sample.idea, "expect": expect})
        planted += [{"file": rel, "value": v} for v in values]
    items.sort(key=lambda i: i["file"])
    planted.sort(key=lambda p: (p["file"], p["value"]))
    write(args.folder, "labels.json", (json.dumps(items, indent=1, ensure_ascii=False) + "\n").encode())
    # The same once more, a line each, as the other sets have it.
    rows = [{"file": i["file"], "area": i["area"], "label": i["label"], "family": i["family"], "ecosystem": i["kind"]} for i in items]
    for name, lines in (("labels.jsonl", rows), ("planted.jsonl", planted)):
        write(args.folder, name, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
    print(len(items), "items,", len(planted), "planted values")


if __name__ == "__main__":
    main()
