"""Opcodes of pickle, to write streams that no pickler would."""
import struct

STOP, REDUCE, BUILD, NEWOBJ, NEWOBJ_EX, POP, DUP, MARK, EMPTY_TUPLE, NONE, MEMOIZE, STACK_GLOBAL = b".", b"R", b"b", b"\x81", b"\x92", b"0", b"2", b"(", b")", b"N", b"\x94", b"\x93"


def proto(n):
    return b"\x80" + bytes([n])


def text(s):
    """A string in the opcode of protocol 1."""
    raw = s.encode()
    return b"X" + struct.pack("<I", len(raw)) + raw


def short(s):
    """A string in the opcode of protocol 4."""
    raw = s.encode()
    return b"\x8c" + bytes([len(raw)]) + raw


def data(raw):
    return b"B" + struct.pack("<I", len(raw)) + raw


def old(s):
    """A string in the opcode of protocol 0."""
    return b"S" + repr(s).encode() + b"\n"


def num(n):
    return b"J" + struct.pack("<i", n)


def named(module, name):
    """GLOBAL."""
    return f"c{module}\n{name}\n".encode()


def stacked(module, name):
    """STACK_GLOBAL."""
    return short(module) + short(name) + STACK_GLOBAL


def tup(*parts):
    return MARK + b"".join(parts) + b"t"


def lst(*parts):
    return b"](" + b"".join(parts) + b"e"


def dic(*parts):
    return b"}(" + b"".join(parts) + b"u"


def call(function, *args):
    return function + tup(*args) + REDUCE


def put(n):
    return b"q" + bytes([n])


def get(n):
    return b"h" + bytes([n])


def frame(body):
    return b"\x95" + struct.pack("<Q", len(body)) + body


def whole(body, version=2):
    return proto(version) + body + STOP


ECHO = "echo inert"
SYSTEM = named("os", "system")
HARM = call(SYSTEM, text(ECHO))
"""Runs `echo inert` for whoever loads it."""
EVIL = whole(HARM)
