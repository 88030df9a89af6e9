#!/usr/bin/env python3
"""python3 generate.py FOLDER [--seed N]: writes extensions, servers, tool lists, configurations and rules, and their labels. Needs the standard library alone."""
import argparse
import importlib
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

from samples import core  # noqa: E402

MODULES = ["vsix_bad", "vsix_good", "mcp_bad", "mcp_good", "tools_bad", "tools_good", "config_bad", "config_good"]


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
        home = f"{item['kind']}/{item['label']}-{item['name']}"
        row = {"name": f"{item['kind']}-{item['label']}-{item['name']}", "kind": item["kind"], "label": item["label"]}
        stages = ["old", "new"] if len(item["made"]) == 2 else [None]
        for stage, make in zip(stages, item["made"]):
            # A pair shares its luck, so that only what was changed differs.
            made = make(core.Luck(args.seed, home))
            base = f"{home}/{stage}" if stage else home
            for inner, data in made.items():
                write(args.folder, f"{base}/{inner}", data)
            where = f"{base}/{next(iter(made))}" if len(made) == 1 and item["kind"] != "workspace" else base
            row[stage or ("folder" if where == base else "file")] = where
        labels.append({**row, "what": item["what"], "expect": item["expect"]})
    labels.sort(key=lambda i: i["name"])
    write(args.folder, "labels.json", (json.dumps(labels, indent=1, ensure_ascii=False) + "\n").encode())
    print(len(labels), "items:", sum(i["label"] == "bad" for i in labels), "bad,", sum(i["label"] == "good" for i in labels), "good")


if __name__ == "__main__":
    main()
