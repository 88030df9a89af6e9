"""File shapes that are more than text: compiled code, databases, documents, pictures, packages."""

import base64
import hashlib
import importlib.util
import json
import marshal
import os
import sqlite3
import struct
import tempfile
import zlib

import kit
from kit import Dice, as_bytes

# --- compiled code --------------------------------------------------------------------------------------------------


def java_class(name, constants):
    """A class with one `static final String` per constant, version 52, no methods."""
    pool = []

    def add(data):
        pool.append(data)
        return len(pool)

    def utf8(text):
        data = text.encode()
        return add(b"\x01" + struct.pack(">H", len(data)) + data)

    this = add(b"\x07" + struct.pack(">H", utf8(name)))
    parent = add(b"\x07" + struct.pack(">H", utf8("java/lang/Object")))
    kind, attribute = utf8("Ljava/lang/String;"), utf8("ConstantValue")
    fields = b""
    for field, value in constants.items():
        label = utf8(field)
        index = add(b"\x08" + struct.pack(">H", utf8(value)))
        fields += struct.pack(">HHHHHIH", 0x19, label, kind, 1, attribute, 2, index)
    head = struct.pack(">IHHH", 0xCAFEBABE, 0, 52, len(pool) + 1) + b"".join(pool)
    return head + struct.pack(">HHHHH", 0x21, this, parent, 0, len(constants)) + fields + struct.pack(">HH", 0, 0)


def pyc(source, name):
    code = compile(source, name, "exec", dont_inherit=True, optimize=0)
    return importlib.util.MAGIC_NUMBER + struct.pack("<III", 0, kit.WHEN, len(source)) + marshal.dumps(code)


def elf(strings, dice):
    """A 64-bit little-endian ELF with .text, .rodata and .shstrtab; the code is random bytes and never runs."""
    names = b"\0.text\0.rodata\0.shstrtab\0"
    text, rodata = dice.raw(6000), b"\0".join(map(as_bytes, strings)) + b"\0"
    offset = 64
    headers, body = [b"\0" * 64], b""
    for name, kind, flags, data in ((1, 1, 6, text), (7, 1, 2, rodata), (15, 3, 0, names)):
        headers.append(struct.pack("<IIQQQQIIQQ", name, kind, flags, 0x400000 + offset, offset, len(data), 0, 0, 16, 0))
        padded = data + b"\0" * (-len(data) % 16)
        body, offset = body + padded, offset + len(padded)
    ident = b"\x7fELF\x02\x01\x01" + b"\0" * 9
    head = ident + struct.pack("<HHIQQQIHHHHHH", 2, 62, 1, 0x400040, 0, offset, 0, 64, 56, 0, 64, 4, 3)
    return head + body + b"".join(headers)


def pe(parts, dice):
    """A PE32+ file with one .text and one .rdata section; `parts` are bytes, put in .rdata as they are."""
    rdata = b"\0\0".join(parts)
    rdata += b"\0" * (-len(rdata) % 512)
    text = dice.raw(2048)
    head = b"MZ" + b"\0" * 58 + struct.pack("<I", 128)
    head += b"\0" * (128 - len(head)) + b"PE\0\0" + struct.pack("<HHIIIHH", 0x8664, 2, kit.WHEN, 0, 0, 240, 0x22)
    head += struct.pack("<H", 0x20B) + b"\0" * 238
    offset = 1024
    for name, data, flags in ((b".text", text, 0x60000020), (b".rdata", rdata, 0x40000040)):
        head += struct.pack("<8sIIIIIIHHI", name, len(data), 0x1000 + offset, len(data), offset, 0, 0, 0, 0, flags)
        offset += len(data)
    return head + b"\0" * (1024 - len(head)) + text + rdata


def wasm(data):
    """A module with one memory and one data segment."""
    def leb(n):
        out = b""
        while True:
            n, low = n >> 7, n & 0x7F
            out += bytes([low | (0x80 if n else 0)])
            if not n:
                return out

    def section(kind, content):
        return bytes([kind]) + leb(len(content)) + content
    segment = b"\x01\x00\x41\x08\x0b" + leb(len(data)) + data
    return b"\0asm\x01\0\0\0" + section(5, b"\x01\x00\x02") + section(11, segment)


# --- databases, documents, pictures ---------------------------------------------------------------------------------


def sqlite(script):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "set.db")
        base = sqlite3.connect(path)
        base.executescript(script)
        base.close()
        with open(path, "rb") as file:
            data = bytearray(file.read())
    # The writing library's version stands in the header: the same bytes everywhere.
    data[96:100] = struct.pack(">I", 3040001)
    return bytes(data)


def png(texts, dice, side=24):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + dice.raw(side * 3) for _ in range(side))
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0))
    for key, value in texts:
        out += chunk(b"tEXt", key.encode() + b"\0" + value.encode("latin-1"))
    return out + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def pdf(lines):
    """One page; its content stream is deflated, as every writer does."""
    content = b"BT /F1 10 Tf 40 780 Td 14 TL\n" + b"".join(b"(" + as_bytes(l) + b") Tj T*\n" for l in lines) + b"ET"
    stream = zlib.compress(content)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n" % len(stream) + stream + b"\nendstream",
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"]
    out, places = b"%PDF-1.4\n", []
    for number, data in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n" % number + data + b"\nendobj\n"
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    return out + b"xref\n0 6\n0000000000 65535 f \n" + table + b"trailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(out)


def docx(paragraphs):
    ns = "http://schemas.openxmlformats.org/"
    body = "".join("<w:p><w:r><w:t>%s</w:t></w:r></w:p>" % p.replace("&", "&amp;").replace("<", "&lt;") for p in paragraphs)
    return kit.zipped([
        ("[Content_Types].xml", '<Types xmlns="%spackage/2006/content-types"><Default Extension="xml" ContentType="application/xml"/></Types>' % ns),
        ("_rels/.rels", '<Relationships xmlns="%spackage/2006/relationships"/>' % ns),
        ("word/document.xml", '<w:document xmlns:w="%swordprocessingml/2006/main"><w:body>%s</w:body></w:document>' % (ns, body))])


def npy(texts):
    """A NumPy array of fixed-width Unicode, four bytes a character."""
    width = max(map(len, texts))
    head = "{'descr': '<U%d', 'fortran_order': False, 'shape': (%d,), }" % (width, len(texts))
    head += " " * (-(len(head) + 11) % 64) + "\n"
    data = b"".join(t.ljust(width, "\0").encode("utf-32-le") for t in texts)
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data


def notebook(cells):
    made = []
    for number, (source, output) in enumerate(cells, 1):
        outputs = [{"name": "stdout", "output_type": "stream", "text": output.splitlines(True)}] if output else []
        made.append({"cell_type": "code", "execution_count": number, "metadata": {}, "outputs": outputs, "source": source.splitlines(True)})
    return json.dumps({"cells": made, "metadata": {"kernelspec": {"name": "python3"}}, "nbformat": 4, "nbformat_minor": 5}, indent=1)


# --- packages -------------------------------------------------------------------------------------------------------


def npm(name, version, files, manifest=None):
    base = {"name": name, "version": version, "description": name + " for services", "main": "index.js", "license": "MIT"}
    base.update(manifest or {})
    return kit.tgz([("package.json", kit.js(base))] + files, "package/")


def record(files, path):
    rows = []
    for entry in files:
        digest = base64.urlsafe_b64encode(hashlib.sha256(as_bytes(entry[1])).digest()).decode().rstrip("=")
        rows.append("%s,sha256=%s,%d" % (entry[0], digest, len(as_bytes(entry[1]))))
    return "\n".join(rows + [path + ",,"]) + "\n"


def wheel(name, version, files, extra="", entry_points=""):
    info = "%s-%s.dist-info/" % (name.replace("-", "_"), version)
    files = list(files) + [
        (info + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\n%s\n# %s\n" % (name, version, name, extra, name)),
        (info + "WHEEL", "Wheel-Version: 1.0\nGenerator: setuptools (70.1.0)\nRoot-Is-Purelib: true\nTag: py3-none-any\n"),
        (info + "top_level.txt", files[0][0].split("/")[0].replace(".py", "") + "\n")]
    if entry_points:
        files.append((info + "entry_points.txt", entry_points))
    return kit.zipped(files + [(info + "RECORD", record(files, info + "RECORD"))])


def sdist(name, version, files, extra=""):
    info = "Metadata-Version: 2.1\nName: %s\nVersion: %s\nSummary: %s\n%s" % (name, version, name, extra)
    return kit.tgz([("PKG-INFO", info)] + list(files), "%s-%s/" % (name, version))


def crate(name, version, files, manifest=""):
    toml = '[package]\nname = "%s"\nversion = "%s"\nedition = "2021"\nlicense = "MIT"\n%s' % (name, version, manifest)
    return kit.tgz([("Cargo.toml", toml)] + list(files), "%s-%s/" % (name, version))


def gem(name, version, files):
    spec = "--- !ruby/object:Gem::Specification\nname: %s\nversion: !ruby/object:Gem::Version\n  version: %s\n" % (name, version)
    return kit.tar([("metadata.gz", kit.gz(spec)), ("data.tar.gz", kit.tgz(files)), ("checksums.yaml.gz", kit.gz("---\n"))])


def nupkg(name, version, files):
    spec = '<?xml version="1.0"?>\n<package><metadata><id>%s</id><version>%s</version><authors>Corp</authors></metadata></package>\n' % (name, version)
    return kit.zipped([(name + ".nuspec", spec), ("[Content_Types].xml", "<Types/>")] + list(files))


def vsix(name, files):
    manifest = '<PackageManifest Version="2.0.0"><Metadata><Identity Id="%s" Version="1.0.0" Publisher="corp"/></Metadata></PackageManifest>' % name
    return kit.zipped([("extension.vsixmanifest", manifest)] + [("extension/" + n, d) for n, d in files])


def jar(files):
    return kit.zipped([("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\r\nCreated-By: 17.0.2\r\n\r\n")] + list(files))


# --- filler ---------------------------------------------------------------------------------------------------------


def bundle(name, size, module=""):
    """A minified bundle of about `size` bytes; `module` stands in its middle."""
    d = Dice("bundle/" + name)
    out, length, index = ['!function(e,t){"object"==typeof exports?module.exports=t():e.lib=t()}(this,function(){var m={'], 0, 0
    placed = not module
    while length < size:
        a, b, c = d.text(kit.LOWER, 2), d.text(kit.LOWER, 2), d.pick(kit.WORDS)
        part = d.pick([
            '%d:function(e,t,n){"use strict";var %s=n(%d),%s=0;e.exports=function(e){return %s.%s(e)?e+%s:"%s"}},',
            '%d:function(e,t,n){var %s=n(%d);function %s(e){for(var t=[],n=0;n<e.length;n++)t.push(%s(e[n].%s));return t}t.%s=t.map("%s")},',
        ]) % (index, a, index // 2, b, a, c, b, c)
        out.append(part)
        length += len(part)
        index += 1
        if not placed and length > size // 2:
            out.append("%d:function(e,t,n){%s}," % (index, module))
            index, placed = index + 1, True
    return "".join(out) + '9999:0};return m[0]});\n'


def source_map(sources):
    return json.dumps({
        "version": 3, "file": "app.js", "sources": ["webpack:///./" + n for n, _ in sources],
        "sourcesContent": [t for _, t in sources], "names": [], "mappings": "AAAA,SAASA,GAAGC"}, separators=(",", ":"))


def utf16(text, big=False, bom=True):
    data = text.encode("utf-16-be" if big else "utf-16-le")
    return ((b"\xfe\xff" if big else b"\xff\xfe") if bom else b"") + data


