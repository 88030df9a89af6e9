"""The list of all samples, what they draw from, and the forms they are packed in."""
import base64
import gzip
import hashlib
import io
import json
import random
import re
import string
import tarfile
import zipfile
import zlib

ITEMS = []
WORDS = "amber birch cedar cobalt coral delta ember falcon fjord garnet harbor hazel indigo ivory juniper kestrel lagoon larch linden maple marble nimbus ochre onyx opal otter pebble pine quartz raven reef rowan saffron sage sierra slate sparrow spruce summit thistle topaz tundra umber velvet walnut willow zephyr".split()


class Luck:
    """Marks such as `§H§` in texts become values that the seed decides; the same mark is the same value within an item."""

    def __init__(self, seed, name):
        self.r = random.Random(f"{seed}:{name}")
        self.known = {}

    def alnum(self, n):
        return "".join(self.r.choice(string.ascii_letters + string.digits) for _ in range(n))

    def value(self, mark):
        if mark not in self.known:
            kind = mark.rstrip("0123456789")
            n = int(mark[len(kind):] or 0)
            make = {
                "H": lambda: f"{self.r.choice(WORDS)}-{self.r.choice(WORDS)}.{self.r.choice(['invalid', 'test'])}",
                "W": lambda: self.r.choice(WORDS), "AN": lambda: self.alnum(n or 20), "HEX": lambda: "".join(self.r.choice("0123456789abcdef") for _ in range(n or 40)),
                "GH": self.github, "SK": lambda: "sk-" + "ant-api03-" + self.alnum(93) + "AA", "SLACK": lambda: "xox" + f"b-{self.r.randrange(10 ** 11, 10 ** 12)}-{self.r.randrange(10 ** 12, 10 ** 13)}-{self.alnum(24)}",
            }[kind]
            self.known[mark] = make()
        return self.known[mark]

    def github(self):
        body, b62 = self.alnum(30), string.digits + string.ascii_uppercase + string.ascii_lowercase
        n, out = zlib.crc32(body.encode()), ""
        while n:
            n, d = divmod(n, 62)
            out = b62[d] + out
        return "gh" + "p_" + body + out.rjust(6, "0")

    def fill(self, value):
        if isinstance(value, str):
            return re.sub("§([A-Z]+[0-9]*)§", lambda m: self.value(m[1]), value)
        if isinstance(value, dict):
            return {self.fill(k): self.fill(v) for k, v in value.items()}
        if isinstance(value, list):
            return [self.fill(v) for v in value]
        return value

    def raw(self, value):
        if isinstance(value, bytes):
            return value
        return (json.dumps(self.fill(value), indent=2, ensure_ascii=False) + "\n" if isinstance(value, (dict, list)) else self.fill(value)).encode()


def b64(text):
    return base64.b64encode(text.encode()).decode()


def tags(text):
    """`text` in the invisible block of tags."""
    return "".join(chr(0xE0000 + ord(c)) for c in text)


def selectors(text):
    """The bytes of `text` as variation selectors."""
    return "".join(chr(0xFE00 + b) if b < 16 else chr(0xE0100 + b - 16) for b in text.encode())


def zipped(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as z:
        for name, body in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            z.writestr(info, body)
    return out.getvalue()


def tgz(root, files):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as t:
        for name, body in files.items():
            info = tarfile.TarInfo(f"{root}/{name}")
            info.size, info.mtime = len(body), 1767225600
            t.addfile(info, io.BytesIO(body))
    return gzip.compress(out.getvalue(), mtime=0)


def vsix(name, files, version="1.2.0"):
    """An extension as the marketplace serves it. `files` lie under `extension/`; `package.json` is completed."""
    def make(luck):
        publisher, short = name.split(".")
        manifest = {"name": short, "publisher": publisher, "displayName": short.replace("-", " ").title(), "description": f"{short.replace('-', ' ')} for the editor", "version": version, "engines": {"vscode": "^1.85.0"}, "categories": ["Other"], "license": "MIT",
                    "repository": {"type": "git", "url": f"https://git.example/{publisher}/{short}"}, **files.get("package.json", {})}
        xml = (f'<?xml version="1.0" encoding="utf-8"?>\n<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">\n<Metadata><Identity Language="en-US" Id="{short}" Version="{version}" Publisher="{publisher}"/>'
               f'<DisplayName>{manifest["displayName"]}</DisplayName><Description>{manifest["description"]}</Description></Metadata>\n<Installation><InstallationTarget Id="Microsoft.VisualStudio.Code"/></Installation>\n<Dependencies/>\n'
               '<Assets><Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/></Assets>\n</PackageManifest>\n')
        types = '<?xml version="1.0" encoding="utf-8"?>\n<Types><Default Extension=".json" ContentType="application/json"/><Default Extension=".js" ContentType="application/javascript"/><Default Extension=".vsixmanifest" ContentType="text/xml"/></Types>\n'
        out = {"[Content_Types].xml": types.encode(), "extension.vsixmanifest": xml.encode(), "extension/package.json": luck.raw(manifest), "extension/README.md": luck.raw(files.get("README.md", f"# {manifest['displayName']}\n\nSee the commands.\n")), "extension/LICENSE.txt": b"MIT\n"}
        out |= {f"extension/{k}": luck.raw(v) for k, v in files.items() if k not in ("package.json", "README.md")}
        return {f"{name}-{version}.vsix": zipped(out)}
    return make


def npm(name, files, version="1.0.0"):
    """A package of npm with a server in it."""
    def make(luck):
        manifest = {"name": name, "version": version, "description": f"MCP server: {name}", "type": "module", "main": "index.js", "bin": {name.split("/")[-1]: "index.js"}, "license": "MIT", "dependencies": {"@modelcontextprotocol/sdk": "1.20.0", "zod": "3.23.8"}, **files.get("package.json", {})}
        out = {"package.json": luck.raw(manifest), "README.md": luck.raw(files.get("README.md", f"# {name}\n\nAn MCP server.\n"))} | {k: luck.raw(v) for k, v in files.items() if k not in ("package.json", "README.md")}
        return {f"{name.replace('@', '').replace('/', '-')}-{version}.tgz": tgz("package", out)}
    return make


def wheel(name, files, version="1.0.0"):
    """A wheel with a server in it."""
    def make(luck):
        dist = name.replace("-", "_")
        info = f"{dist}-{version}.dist-info"
        out = {k: luck.raw(v) for k, v in files.items()}
        out[f"{info}/METADATA"] = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: MCP server {name}\nRequires-Dist: mcp>=1.10\n".encode()
        out[f"{info}/WHEEL"] = b"Wheel-Version: 1.0\nGenerator: hatchling 1.27.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        out[f"{info}/entry_points.txt"] = f"[console_scripts]\n{name} = {dist}:main\n".encode()
        rows = [f"{k},sha256={base64.urlsafe_b64encode(hashlib.sha256(v).digest()).rstrip(b'=').decode()},{len(v)}" for k, v in out.items()]
        out[f"{info}/RECORD"] = ("\n".join(rows) + f"\n{info}/RECORD,,\n").encode()
        return {f"{dist}-{version}-py3-none-any.whl": zipped(out)}
    return make


def files(tree):
    """Plain files: one, or a folder of them."""
    return lambda luck: {k: luck.raw(v) for k, v in tree.items()}


def tool(name, description, properties=None, required=None, **more):
    schema = {"type": "object", "properties": properties or {}}
    if required:
        schema["required"] = required
    return {"name": name, "description": description, "inputSchema": schema, **more}


def text(description, **more):
    return {"type": "string", "description": description, **more}


def tools(*list_of_tools, **more):
    """The answer to `tools/list`, one file."""
    return files({"tools.json": {"tools": list(list_of_tools), **more}})


def put(label, kind, name, what, *made, expect=None):
    """Two makers are a pair: what stood before, and what came."""
    ITEMS.append({"label": label, "kind": kind, "name": name, "what": what, "made": made, "expect": expect or ("held" if label == "bad" else "clean")})


def bad(kind, name, what, *made, expect="held"):
    put("bad", kind, name, what, *made, expect=expect)


def good(kind, name, what, *made):
    put("good", kind, name, what, *made)
