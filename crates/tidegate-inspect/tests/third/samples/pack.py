"""Turns the files of a sample into what a registry would serve: npm tarball, wheel, sdist or crate."""
import base64
import gzip
import hashlib
import io
import tarfile
import zipfile

from .core import MTIME, dumps


def to_bytes(ctx, value):
    if isinstance(value, (dict, list)):
        value = dumps(value)
    return ctx.fill(value).encode() if isinstance(value, str) else value


def tar_gz(root, files):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(f"{root}/{name}")
            info.size, info.mtime = len(data), MTIME
            info.mode = 0o755 if data[:2] == b"#!" else 0o644
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), mtime=0)


def zipped(files, method=zipfile.ZIP_DEFLATED):
    raw = io.BytesIO()
    with zipfile.ZipFile(raw, "w", method) as z:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            info.compress_type, info.external_attr = method, 0o644 << 16
            z.writestr(info, data)
    return raw.getvalue()


def title(name):
    return name.replace("-", " ").replace("_", " ")


def npm(sample, ctx, files, version):
    manifest = {"name": sample.name, "version": version, "description": f"{title(sample.name)} for Node and browsers", "main": "index.js", "license": "MIT",
                "repository": {"type": "git", "url": f"git+https://git.example/{ctx.word()}/{sample.name}.git"}, **files.pop("package.json", {})}
    manifest = {k: v for k, v in manifest.items() if v is not None}
    out = {"package.json": manifest, "README.md": f"# {sample.name}\n\nSmall and without surprises.\n\n## Use\n\nSee the types.\n", "LICENSE": "MIT License\n", **files}
    if "index.js" not in out and manifest.get("main") == "index.js":
        out["index.js"] = ctx.lib()
    return f"{sample.name.replace('@', '').replace('/', '-')}-{version}.tgz", tar_gz("package", {k: to_bytes(ctx, v) for k, v in out.items()})


def metadata(sample, version, extra):
    return f"Metadata-Version: 2.1\nName: {sample.name}\nVersion: {version}\nSummary: {title(sample.name)}\nLicense: MIT\nRequires-Python: >=3.9\n{extra}\n# {sample.name}\n"


def wheel(sample, ctx, files, version):
    dist = sample.name.replace("-", "_")
    info = f"{dist}-{version}.dist-info"
    extra, points = files.pop("@requires", ""), files.pop("@entry_points", None)
    tag = files.pop("@tag", "py3-none-any")
    out = {k.replace("@data", f"{dist}-{version}.data"): to_bytes(ctx, v) for k, v in files.items()}
    if not any(k == f"{dist}/__init__.py" or k == f"{dist}.py" for k in out):
        out[f"{dist}/__init__.py"] = (f'"""{title(sample.name)}."""\n\n\n' + ctx.py()).encode()
    out[f"{info}/METADATA"] = to_bytes(ctx, metadata(sample, version, extra))
    out[f"{info}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: bdist_wheel (0.45.1)\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    if points:
        out[f"{info}/entry_points.txt"] = to_bytes(ctx, points)
    rows = [f"{k},sha256={base64.urlsafe_b64encode(hashlib.sha256(v).digest()).rstrip(b'=').decode()},{len(v)}" for k, v in out.items()]
    out[f"{info}/RECORD"] = ("\n".join(rows) + f"\n{info}/RECORD,,\n").encode()
    return f"{dist}-{version}-{tag}.whl", zipped(out)


def sdist(sample, ctx, files, version):
    dist = sample.name.replace("-", "_")
    extra = files.pop("@requires", "")
    out = {"PKG-INFO": metadata(sample, version, extra), **files}
    if "setup.py" not in out and "pyproject.toml" not in out:
        out["setup.py"] = f'from setuptools import find_packages, setup\n\nsetup(name="{sample.name}", version="{version}", packages=find_packages())\n'
    if not any(k.endswith(f"{dist}/__init__.py") or k == f"{dist}.py" for k in out):
        out[f"{dist}/__init__.py"] = f'"""{title(sample.name)}."""\n\n\n' + ctx.py()
    return f"{dist}-{version}.tar.gz", tar_gz(f"{dist}-{version}", {k: to_bytes(ctx, v) for k, v in out.items()})


def crate(sample, ctx, files, version):
    extra = files.pop("@toml", "")
    package = files.pop("@package", "")
    build = 'build = "build.rs"\n' if "build.rs" in files and "build =" not in package else ""
    toml = (f'[package]\nname = "{sample.name}"\nversion = "{version}"\nedition = "2021"\ndescription = "{title(sample.name)}"\nlicense = "MIT"\n'
            f'repository = "https://git.example/{ctx.word()}/{sample.name}"\n{build}{package}\n{extra}')
    out = {"Cargo.toml": toml, "README.md": f"# {sample.name}\n", **files}
    if "src/lib.rs" not in out and "src/main.rs" not in out:
        out["src/lib.rs"] = f"//! {title(sample.name)}.\n\n" + ctx.rs(3)
    return f"{sample.name}-{version}.crate", tar_gz(f"{sample.name}-{version}", {k: to_bytes(ctx, v) for k, v in out.items()})


def build(sample, ctx):
    """File name and bytes of a sample."""
    version = f"{ctx.r.randrange(0, 6)}.{ctx.r.randrange(0, 20)}.{ctx.r.randrange(1, 30)}"
    files = dict(sample.make(ctx))
    how = {"npm": npm, "cargo": crate}.get(sample.ecosystem) or (sdist if sample.kind == "sdist" else wheel)
    return how(sample, ctx, files, version)
