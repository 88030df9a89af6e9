"""Small writers of the formats that models come in."""
import binascii
import io
import json
import struct
import tarfile
import zipfile
import zlib


def zipped(files, method=zipfile.ZIP_STORED):
    """A zip of pairs; the same name may come twice."""
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as z:
        for name, body in files:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type = method
            import warnings
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                z.writestr(info, body)
    return raw.getvalue()


def patch_zip(raw, name, flags=None, crc=None, local_name=None, method=None):
    """Changes what the headers of one member say."""
    raw = bytearray(raw)
    for magic, flag_at, method_at, crc_at, size_at, name_at in ((b"PK\x03\x04", 6, 8, 14, 26, 30), (b"PK\x01\x02", 8, 10, 16, 28, 46)):
        at = raw.find(magic)
        while at >= 0:
            n = struct.unpack_from("<H", raw, at + size_at)[0]
            if raw[at + name_at:at + name_at + n] == name.encode():
                if flags is not None:
                    struct.pack_into("<H", raw, at + flag_at, flags)
                if crc is not None:
                    struct.pack_into("<I", raw, at + crc_at, crc)
                if method is not None:
                    struct.pack_into("<H", raw, at + method_at, method)
                if local_name and magic == b"PK\x03\x04":
                    raw[at + name_at:at + name_at + n] = local_name.encode().ljust(n, b"_")[:n]
            at = raw.find(magic, at + 4)
    return bytes(raw)


def torch_zip(pickle, storages=(b"\0" * 64,), root="archive", extra=(), method=zipfile.ZIP_STORED):
    return zipped([(f"{root}/data.pkl", pickle), (f"{root}/byteorder", b"little"), *((f"{root}/data/{i}", s) for i, s in enumerate(storages)), (f"{root}/version", b"3\n"), *extra], method)


def tarred(files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, body in files:
            info = tarfile.TarInfo(name)
            info.size = len(body)
            t.addfile(info, io.BytesIO(body))
    return raw.getvalue()


def seven(name, body):
    """A 7z archive of one stored file."""
    def n(v):
        if v < 0x80:
            return bytes([v])
        if v < 0x4000:
            return bytes([0x80 | v >> 8, v & 255])
        return b"\xe0" + v.to_bytes(3, "little") if v < 0x10000000 else b"\xff" + v.to_bytes(8, "little")
    crc = struct.pack("<I", zlib.crc32(body))
    names = b"\0" + (name + "\0").encode("utf-16-le")
    header = (b"\x01\x04" + b"\x06" + n(0) + n(1) + b"\x09" + n(len(body)) + b"\0" + b"\x07\x0b" + n(1) + b"\0" + n(1) + b"\x01\0" + b"\x0c" + n(len(body)) + b"\x0a\x01" + crc + b"\0\x08\0\0"
              + b"\x05" + n(1) + b"\x11" + n(len(names)) + names + b"\0\0")
    start = struct.pack("<QQI", len(body), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\0\x04" + struct.pack("<I", zlib.crc32(start)) + start + body + header


def npy(descr, shape, body, version=1):
    header = f"{{'descr': {descr!r}, 'fortran_order': False, 'shape': {shape!r}, }}"
    size = 10 if version == 1 else 12
    header += " " * (-(size + len(header) + 1) % 64) + "\n"
    return b"\x93NUMPY" + bytes([version, 0]) + struct.pack("<H" if version == 1 else "<I", len(header)) + header.encode("latin1") + body


def safetensors(tensors, body, metadata=None, head=None):
    head = head if head is not None else json.dumps({**({"__metadata__": metadata} if metadata else {}), **tensors}, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    return struct.pack("<Q", len(head)) + head + body


# GGUF

def g_str(s):
    raw = s.encode()
    return struct.pack("<Q", len(raw)) + raw


def g_value(v):
    if isinstance(v, bool):
        return 7, struct.pack("<?", v)
    if isinstance(v, int):
        return 4, struct.pack("<I", v)
    if isinstance(v, float):
        return 6, struct.pack("<f", v)
    if isinstance(v, str):
        return 8, g_str(v)
    kinds = [g_value(i) for i in v]
    return 9, struct.pack("<IQ", kinds[0][0], len(v)) + b"".join(k[1] for k in kinds)


def gguf(values, tensors, body, version=3):
    """`tensors` are (name, dims, type, offset)."""
    out = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(values))
    for k, v in values.items():
        kind, raw = g_value(v)
        out += g_str(k) + struct.pack("<I", kind) + raw
    for name, dims, kind, offset in tensors:
        out += g_str(name) + struct.pack("<I", len(dims)) + b"".join(struct.pack("<Q", d) for d in dims) + struct.pack("<IQ", kind, offset)
    return out + b"\0" * (-len(out) % 32) + body


# Protocol buffers

def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def onnx(nodes, initializers=(), domains=(("", 17),), producer="pytorch"):
    graph = b"".join(field(1, n) for n in nodes) + field(2, "main_graph") + b"".join(field(5, i) for i in initializers)
    shape = field(2, field(1, field(1, 1)) + field(1, field(1, 8)))
    tensor = field(2, field(1, field(1, 1) + shape))
    graph += field(11, field(1, "x") + tensor) + field(12, field(1, "y") + tensor)
    return field(1, 8) + field(2, producer) + field(7, graph) + b"".join(field(8, (field(1, d) if d else b"") + field(2, v)) for d, v in domains)


def onnx_node(op, inputs, outputs, domain="", attributes=()):
    return b"".join(field(1, i) for i in inputs) + b"".join(field(2, o) for o in outputs) + field(3, f"{op}_0") + field(4, op) + b"".join(field(5, a) for a in attributes) + (field(7, domain) if domain else b"")


def onnx_raw(name, dims, body):
    return b"".join(field(1, d) for d in dims) + field(2, 1) + field(8, name) + field(9, body)


def onnx_external(name, dims, location, offset=0, length=32):
    pairs = (("location", location), ("offset", str(offset)), ("length", str(length)))
    return b"".join(field(1, d) for d in dims) + field(2, 1) + field(8, name) + b"".join(field(13, field(1, k) + field(2, v)) for k, v in pairs) + field(14, 1)


def tf_node(name, op, inputs=(), attributes=()):
    return field(1, name) + field(2, op) + b"".join(field(3, i) for i in inputs) + b"".join(field(5, field(1, k) + field(2, v)) for k, v in attributes)


def tf_function(name, nodes):
    return field(1, field(1, name)) + b"".join(field(3, n) for n in nodes)


def saved_model(nodes, functions=()):
    library = b"".join(field(1, f) for f in functions)
    graph = b"".join(field(1, n) for n in nodes) + (field(2, library) if library else b"")
    meta = field(1, field(4, "serve") + field(5, "2.16.1")) + field(2, graph)
    return field(1, 1) + field(2, meta)


# HDF5, superblock version 0

UNDEFINED = b"\xff" * 8


def pad8(b):
    return b + b"\0" * (-len(b) % 8)


def message(kind, body):
    body = pad8(body)
    return struct.pack("<HHB3x", kind, len(body), 0) + body


def header(messages):
    body = b"".join(messages)
    return struct.pack("<BBHII4x", 1, 0, len(messages), 1, len(body)) + body


SCALAR = struct.pack("<BBB5x", 1, 0, 0)


def attribute(name, kind, body, space=SCALAR):
    raw = name.encode() + b"\0"
    return message(12, struct.pack("<BBHHH", 1, 0, len(raw), len(kind), len(space)) + pad8(raw) + pad8(kind) + pad8(space) + body)


def fixed(size):
    return b"\x13\0\0\0" + struct.pack("<I", size)


class H5:
    """A file of groups, attributes and float datasets."""

    def __init__(self):
        self.raw = bytearray(96)

    def place(self, body):
        at = len(self.raw)
        self.raw += pad8(body)
        return at

    def text(self, name, value):
        """An attribute with a string of fixed length."""
        raw = value.encode()
        return attribute(name, fixed(len(raw)), raw)

    def long_text(self, name, value):
        """An attribute with a string of variable length, which lies in a global heap."""
        raw = value.encode()
        body = struct.pack("<HH4xQ", 1, 1, len(raw)) + pad8(raw)
        size = max(4096, 16 + len(body) + 16)
        free = size - 16 - len(body)
        heap = b"GCOL\1\0\0\0" + struct.pack("<Q", size) + body + struct.pack("<HH4xQ", 0, 0, free)
        at = self.place(heap.ljust(size, b"\0"))
        kind = b"\x19\x01\x01\0" + struct.pack("<I", 16) + fixed(1)
        return attribute(name, kind, struct.pack("<IQI", len(raw), at, 1))

    def names(self, name, values):
        width = max(map(len, values))
        return attribute(name, fixed(width), b"".join(v.encode().ljust(width, b"\0") for v in values), struct.pack("<BBB5xQ", 1, 1, 0, len(values)))

    def dataset(self, dims, body):
        at = self.place(body)
        kind = b"\x11\x20\x1f\0" + struct.pack("<IHHBBBBI", 4, 0, 32, 23, 8, 0, 23, 127)
        space = struct.pack("<BBB5x", 1, len(dims), 0) + b"".join(struct.pack("<Q", d) for d in dims)
        return self.place(header([message(1, space), message(3, kind), message(5, b"\x02\x01\x02\x00"), message(8, struct.pack("<BBQQ", 3, 1, at, len(body)))]))

    def group(self, children, attributes=()):
        """Address of a group of (name, address) and of what it needs: header, tree, heap."""
        names, links = b"\0" * 8, b""
        for name, address in sorted(children):
            links += struct.pack("<QQII16x", len(names), address, 0, 0)
            names += pad8(name.encode() + b"\0")
        data = self.place(names.ljust(max(88, len(names)), b"\0"))
        heap = self.place(b"HEAP\0\0\0\0" + struct.pack("<QQQ", max(88, len(names)), 1, data))
        node = self.place((b"SNOD\1\0" + struct.pack("<H", len(children)) + links).ljust(8 + 8 * 40, b"\0"))
        last = len(names) - len(pad8(sorted(children)[-1][0].encode() + b"\0")) if children else 0
        keys = struct.pack("<QQQ", 0, node, last) if children else b"\0" * 24
        tree = self.place((b"TREE\0\0" + struct.pack("<H", 1 if children else 0) + UNDEFINED * 2 + keys).ljust(544, b"\0"))
        return self.place(header([message(17, struct.pack("<QQ", tree, heap)), *attributes])), tree, heap

    def finish(self, root):
        address, tree, heap = root
        top = b"\x89HDF\r\n\x1a\n" + bytes([0, 0, 0, 0, 0, 8, 8, 0]) + struct.pack("<HHI", 4, 16, 0) + struct.pack("<Q", 0) + UNDEFINED + struct.pack("<Q", len(self.raw)) + UNDEFINED
        top += struct.pack("<QQIIQQ", 0, address, 1, 0, tree, heap)
        self.raw[:96] = top
        return bytes(self.raw)


def keras_h5(config, r, long=False, extra=()):
    """A Keras 2 file: the model as an attribute of the root, weights in groups."""
    from .core import floats
    f = H5()
    kernel = f.dataset((4, 2), floats(r, 8))
    inner = f.group([("kernel:0", kernel)])[0]
    dense = f.group([("dense", inner)], [f.names("weight_names", ["dense/kernel:0"])])[0]
    weights = f.group([("dense", dense)], [f.names("layer_names", ["dense"]), f.text("backend", "tensorflow")])[0]
    attributes = [f.text("keras_version", "2.15.0"), f.text("backend", "tensorflow"), (f.long_text if long else f.text)("model_config", json.dumps(config)), *extra]
    return f.finish(f.group([("model_weights", weights)], attributes))


def weights_h5(r):
    """The weights file inside a Keras 3 archive."""
    from .core import floats
    f = H5()
    variables = f.group([("0", f.dataset((4, 2), floats(r, 8))), ("1", f.dataset((2,), floats(r, 2)))])[0]
    dense = f.group([("vars", variables)])[0]
    layers = f.group([("dense", dense)])[0]
    return f.finish(f.group([("layers", layers)]))


def keras_zip(config, r, extra=()):
    meta = json.dumps({"keras_version": "3.8.0", "date_saved": "2026-01-01@00:00:00"})
    return zipped([("metadata.json", meta.encode()), ("config.json", json.dumps(config).encode()), ("model.weights.h5", weights_h5(r)), *extra])


def crc(data):
    return binascii.crc32(data)
