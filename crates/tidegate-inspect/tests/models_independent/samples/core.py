"""The list of all samples, and the luck of each."""
import random

ITEMS = []


class Item:
    """One model file, or a folder of files when `make` answers a dictionary."""

    def __init__(self, label, file, kind, what, expect, make):
        self.label, self.file, self.kind, self.what, self.expect, self.make = label, file, kind, what, expect, make


def bad(file, kind, what, make, expect="held"):
    ITEMS.append(Item("bad", file, kind, what, expect, make))


def good(file, kind, what, make):
    ITEMS.append(Item("good", file, kind, what, "clean", make))


def luck(seed, name):
    return random.Random(f"{seed}:{name}")


def floats(r, n):
    """Bytes of `n` small 32-bit floats, as weights are."""
    import struct
    return struct.pack(f"<{n}f", *(r.gauss(0, 0.05) for _ in range(n)))
