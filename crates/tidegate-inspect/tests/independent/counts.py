"""The counts that README.md states: `python3 counts.py OUT_DIR` prints the section for a generated set."""

import collections
import json
import os
import sys
import textwrap

HEADING = "## Counts\n"


def section(labels):
    out = [HEADING, "| Area | Label | npm | PyPI | cargo | no package | all |", "| --- | --- | --- | --- | --- | --- | --- |"]
    groups = [(a, l, [r for r in labels if (r["area"], r["label"]) == (a, l)]) for a in ("secret", "behaviour") for l in ("bad", "good")]
    for area, label, rows in groups:
        kinds = collections.Counter(r["ecosystem"] for r in rows)
        out.append("| %s | %s | %d | %d | %d | %d | %d |" % (area, label, kinds["npm"], kinds["pypi"], kinds["cargo"], kinds[None], len(rows)))
    secrets = groups[0][2]
    out.append("\nBad secrets stand in %d shapes and come from %d issuers or kinds. Families, with their number of items:" % (
        len({r["shape"] for r in secrets}), len({r["family"] for r in secrets})))
    for area, label, rows in groups:
        families = sorted(collections.Counter(r["family"] for r in rows).items())
        text = "**%s, %s:** %s." % (area, label, ", ".join("%s\u00a0%d" % f for f in families))
        out.append("\n" + "\n".join(textwrap.wrap(text, 120, break_on_hyphens=False)).replace("\u00a0", " "))
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    with open(os.path.join(sys.argv[1], "labels.jsonl"), encoding="utf-8") as file:
        print(section([json.loads(line) for line in file]), end="")
