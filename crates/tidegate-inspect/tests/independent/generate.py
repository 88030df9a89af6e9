"""Writes the independent labelled set: `python3 generate.py OUT_DIR`.

Files go to OUT_DIR/secrets and OUT_DIR/behaviour, labels to OUT_DIR/labels.jsonl, the planted secret values to
OUT_DIR/planted.jsonl. The same bytes each time; nothing that is written is ever run.
"""

import os
import sys

sys.dont_write_bytecode = True

import behaviour_bad_cargo  # noqa: E402
import behaviour_bad_npm_hidden  # noqa: E402
import behaviour_bad_npm_install  # noqa: E402
import behaviour_bad_pypi_import  # noqa: E402
import behaviour_bad_pypi_install  # noqa: E402
import behaviour_bad_variants  # noqa: E402
import behaviour_good_cargo  # noqa: E402
import behaviour_good_npm_code  # noqa: E402
import behaviour_good_npm_install  # noqa: E402
import behaviour_good_pypi_build  # noqa: E402
import behaviour_good_pypi_library  # noqa: E402
import behaviour_good_pypi_system  # noqa: E402
import behaviour_good_variants  # noqa: E402
import collect  # noqa: E402
import secrets_bad_coded  # noqa: E402
import secrets_bad_packed  # noqa: E402
import secrets_bad_text  # noqa: E402
import secrets_good_packed  # noqa: E402
import secrets_good_text  # noqa: E402
import secrets_variants  # noqa: E402

AREAS = (
    ("secret", (
        secrets_bad_text, secrets_bad_packed, secrets_bad_coded, secrets_good_text, secrets_good_packed, secrets_variants)),
    ("behaviour", (
        behaviour_bad_npm_install, behaviour_bad_npm_hidden, behaviour_bad_pypi_install, behaviour_bad_pypi_import,
        behaviour_bad_cargo, behaviour_good_npm_install, behaviour_good_npm_code, behaviour_good_pypi_build,
        behaviour_good_pypi_library, behaviour_good_pypi_system, behaviour_good_cargo, behaviour_bad_variants,
        behaviour_good_variants)),
)


def generate(out_dir):
    labels, planted = [], []
    for area, modules in AREAS:
        items = collect.Items(area)
        for module in modules:
            module.build(items)
        items.write(out_dir, labels, planted)
    collect.write_lines(os.path.join(out_dir, "labels.jsonl"), labels)
    collect.write_lines(os.path.join(out_dir, "planted.jsonl"), planted)
    return labels


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: generate.py OUT_DIR")
    labels = generate(sys.argv[1])
    print("%d files" % len(labels))


if __name__ == "__main__":
    main()
