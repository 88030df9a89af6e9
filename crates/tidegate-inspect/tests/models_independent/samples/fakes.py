"""Stand-ins for the classes of machine learning libraries, so that pickle itself writes streams with their names."""
import io
import pickle
import struct
import sys
import types

MADE = set()


def module(name):
    if name not in sys.modules:
        parts = name.split(".")
        for i in range(1, len(parts) + 1):
            part = ".".join(parts[:i])
            if part not in sys.modules:
                sys.modules[part] = types.ModuleType(part)
                sys.modules[part].__path__ = []
                MADE.add(part)
    return sys.modules[name]


def cls(where, name, base=object):
    """A class of that module and name."""
    m = module(where)
    if not hasattr(m, name):
        setattr(m, name, type(name, (base,), {"__module__": where, "__qualname__": name}))
    return getattr(m, name)


def fn(where, name):
    m = module(where)
    if not hasattr(m, name):
        def f(*_):
            return None
        f.__module__, f.__name__, f.__qualname__ = where, name, name
        setattr(m, name, f)
    return getattr(m, name)


def obj(where, name, state=None, base=object):
    """An instance with these attributes."""
    out = cls(where, name, base).__new__(cls(where, name, base))
    out.__dict__.update(state or {})
    return out


class Reduced:
    """Pickles as the call of a function, with a state when there is one."""

    def __init__(self, function, args, state=None, items=None):
        self.parts = (function, args, state, None, items)

    def __reduce__(self):
        f, a, s, _, d = self.parts
        return (f, a, s, None, iter(d.items())) if d is not None else (f, a, s) if s is not None else (f, a)


def forget():
    """Takes the stand-ins out of the interpreter again."""
    for name in MADE:
        sys.modules.pop(name, None)
    MADE.clear()


def dtype(code):
    return Reduced(cls("numpy", "dtype"), (code, False, True), (3, "<", None, None, None, -1, -1, 0))


def ndarray(values, code="f8", place="numpy.core.multiarray"):
    fmt = {"f8": "d", "f4": "f", "i8": "q"}[code]
    return Reduced(fn(place, "_reconstruct"), (cls("numpy", "ndarray"), (0,), b"b"), (1, (len(values),), dtype(code), False, struct.pack(f"<{len(values)}{fmt}", *values)))


def objects(values):
    """An array of Python objects."""
    d = Reduced(cls("numpy", "dtype"), ("O8", False, True), (3, "|", None, None, None, -1, -1, 63))
    return Reduced(fn("numpy._core.multiarray", "_reconstruct"), (cls("numpy", "ndarray"), (0,), b"b"), (1, (len(values),), d, False, list(values)))


def scalar(value):
    return Reduced(fn("numpy.core.multiarray", "scalar"), (dtype("f8"), struct.pack("<d", value)))


class Tensor:
    """Pickles as torch does: a call around a persistent id."""

    def __init__(self, key, shape, kind="FloatStorage", parameter=False):
        self.key, self.shape, self.kind, self.parameter = key, shape, kind, parameter

    def __reduce__(self):
        import collections
        n = 1
        for d in self.shape:
            n *= d
        stride, step = [], n
        for d in self.shape:
            step //= d
            stride.append(step)
        tensor = (fn("torch._utils", "_rebuild_tensor_v2"), (Storage(self.key, n, self.kind), 0, tuple(self.shape), tuple(stride), False, collections.OrderedDict()))
        if self.parameter:
            return fn("torch._utils", "_rebuild_parameter"), (Reduced(*tensor), True, collections.OrderedDict())
        return tensor


class Storage:
    def __init__(self, key, size, kind):
        self.key, self.size, self.kind = key, size, kind


class Pickler(pickle.Pickler):
    def persistent_id(self, o):
        if isinstance(o, Storage):
            return "storage", cls("torch", o.kind), str(o.key), "cpu", o.size
        return None


def dumps(value, protocol=2):
    out = io.BytesIO()
    Pickler(out, protocol).dump(value)
    return out.getvalue()
