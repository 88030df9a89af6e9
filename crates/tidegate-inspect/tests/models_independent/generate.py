#!/usr/bin/env python3
"""python3 generate.py FOLDER [--seed N]: writes the models and their labels. Needs the standard library alone."""
import argparse
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from samples import core, fakes  # noqa: E402

MODULES = ["bad_pickles", "bad_containers", "bad_others", "good_pickles", "good_others"]


def write(folder, rel, data):
    path = os.path.join(folder, rel)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.exists(path):
        raise SystemExit(f"two samples want `{rel}`")
    with open(path, "wb") as f:
        f.write(data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--seed", type=int, default=20261122)
    args = parser.parse_args()
    if os.path.isdir(args.folder) and os.listdir(args.folder):
        raise SystemExit("FOLDER is not empty")
    for module in MODULES:
        importlib.import_module("samples." + module)
    labels = []
    for item in core.ITEMS:
        made = item.make(core.luck(args.seed, f"{item.label}/{item.file}"))
        name = item.file.split("/")[0]
        rel = f"{item.label}/{name}"
        if isinstance(made, dict):
            for inner, data in made.items():
                write(args.folder, f"{rel}/{inner}", data)
        else:
            write(args.folder, rel, made)
        labels.append({"name": f"{item.label}-{name}", "folder" if isinstance(made, dict) else "file": rel, "kind": item.kind, "label": item.label, "what": item.what, "expect": item.expect})
    fakes.forget()
    labels.sort(key=lambda i: i["name"])
    write(args.folder, "labels.json", (json.dumps(labels, indent=1, ensure_ascii=False) + "\n").encode())
    print(len(labels), "items:", sum(i["label"] == "bad" for i in labels), "bad,", sum(i["label"] == "good" for i in labels), "good")


if __name__ == "__main__":
    main()
