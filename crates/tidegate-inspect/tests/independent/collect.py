"""Where items are gathered, numbered and written, with their labels."""

import json
import os

import kit
import tokens


class Items:
    """The items of one area, in the order in which they are added."""

    def __init__(self, area):
        self.area = area
        self.rows = []

    def add(self, name, label, family, shape, data, why, planted=(), ecosystem=None):
        assert label in ("bad", "good") and why
        assert ecosystem in (None, "npm", "pypi", "cargo")
        self.rows.append((name, label, family, shape, kit.as_bytes(data), why, tuple(planted), ecosystem))

    def bad(self, name, family, shape, data, values, why, ecosystem=None):
        """A file that holds the secrets `values`."""
        values = [values] if isinstance(values, str) else list(values)
        assert values
        self.add(name, "bad", family, shape, data, why, values, ecosystem)

    def good(self, name, family, shape, data, why, ecosystem=None):
        self.add(name, "good", family, shape, data, why, (), ecosystem)

    def write(self, out_dir, labels, planted):
        folder = "secrets" if self.area == "secret" else "behaviour"
        os.makedirs(os.path.join(out_dir, folder), exist_ok=True)
        for number, (name, label, family, shape, data, why, values, ecosystem) in enumerate(self.rows, 1):
            file = "%s/%03d-%s" % (folder, number, name)
            with open(os.path.join(out_dir, file), "wb") as sink:
                sink.write(data)
            labels.append({
                "file": file, "area": self.area, "label": label, "family": family, "shape": shape, "ecosystem": ecosystem,
                "planted": [kit.sha256_hex(v) for v in values], "why": why})
            planted.extend({"file": file, "value": value} for value in values)


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8", newline="\n") as sink:
        for row in rows:
            sink.write(json.dumps(row, ensure_ascii=True) + "\n")


def token(issuer, name):
    """The value of `issuer` that belongs to the item `name`."""
    return tokens.make(issuer, name)
