"""Turn the short description of a sample into a full package."""
import json

from . import core, filler


def build(eco, label, family, style, fn, ctx):
    spec = fn(ctx)
    spec.setdefault("version", ctx.ver())
    spec["files"] = ctx.fill_all(spec.get("files", {}))
    spec["manifest"] = json.loads(ctx.fill(json.dumps(spec.get("manifest", {}))))
    return {"npm": npm, "pypi": pypi, "cargo": cargo}[eco](spec, ctx)


def npm(spec, ctx):
    name, version, desc = spec["name"], spec["version"], spec["desc"]
    files = dict(spec["files"])
    man = {"name": name, "version": version, "description": desc}
    esm = spec["manifest"].get("type") == "module"
    man["main"] = spec["manifest"].get("main", "index.js" if "index.js" in files else
                                       next((k for k in ("lib/index.js", "dist/index.js", "src/index.js", "index.mjs",
                                                         "index.cjs") if k in files), "index.js"))
    man.update({"keywords": sorted({ctx.word(), ctx.pick(core.NOUNS), name.split("-")[-1]}), "license": "MIT",
                "author": f"{ctx.word().title()} {ctx.pick(core.NOUNS).title()} <dev@{ctx.word()}.example>",
                "repository": {"type": "git", "url": f"git+https://github.com/{ctx.word()}-labs/{name.split('/')[-1]}.git"}})
    if "scripts" not in spec["manifest"] and ctx.r.random() < 0.5:
        man["scripts"] = {"test": "node --test"}
    man.update(spec["manifest"])
    if not spec.get("bare"):
        fill = filler.js_filler(ctx, esm, ctx.r.randrange(1, 4))
        base = "dist" if any(k.startswith("dist/") for k in files) else "lib"
        for key, text in fill.items():
            files.setdefault(f"{base}/{key}.js", text)
        if man["main"] not in files:
            rel = f"./{base}/"
            if esm:
                files[man["main"]] = "".join(f"export * from '{rel}{k}.js';\n" for k in sorted(fill))
            else:
                files[man["main"]] = "'use strict';\n\nmodule.exports = Object.assign({},\n" + ",\n".join(
                    f"  require('{rel}{k}')" for k in sorted(fill)) + ");\n"
    files.setdefault("README.md", filler.readme(ctx, name, desc, f"npm install {name}",
                                                f"import x from '{name}'" if esm else f"const x = require('{name}')"))
    files.setdefault("LICENSE", filler.LICENSE)
    if ctx.r.random() < 0.5:
        files.setdefault("CHANGELOG.md", filler.changelog(ctx, version))
    fn = f"{name.replace('@', '').replace('/', '-')}-{version}.tgz"
    return fn, core.npm_pack(man, files)


def pypi(spec, ctx):
    name, version, desc = spec["name"], spec["version"], spec["desc"]
    mod = spec.get("module", name.replace("-", "_"))
    files = dict(spec["files"])
    kind = spec.get("kind", "wheel")
    if not spec.get("bare"):
        pref = ("src/" if any(k.startswith("src/") for k in files) else "") + mod + "/"
        for key in ctx.r.sample(sorted(filler.PY), ctx.r.randrange(1, 4)):
            files.setdefault(pref + key, filler.PY[key])
        files.setdefault(pref + "__init__.py", f'"""{desc}"""\n\n__version__ = "{version}"\n')
    if kind == "sdist":
        files.setdefault("README.md", filler.readme(ctx, name, desc, f"pip install {name}", f"import {mod}"))
        files.setdefault("LICENSE", filler.LICENSE)
        if "setup.py" not in files and "pyproject.toml" not in files:
            files["setup.py"] = (f'from setuptools import find_packages, setup\n\nsetup(\n    name="{name}",\n'
                                 f'    version="{version}",\n    packages=find_packages(),\n)\n')
        return core.sdist(name, version, desc, files)
    return core.wheel(name, version, desc, files, entry=ctx.fill(spec["entry"]) if "entry" in spec else None,
                      tag=spec.get("tag", "py3-none-any"), requires=spec.get("requires", ()),
                      extra_meta="\n" + filler.readme(ctx, name, desc, f"pip install {name}", f"import {mod}"))


def cargo(spec, ctx):
    name, version, desc = spec["name"], spec["version"], spec["desc"]
    files = dict(spec["files"])
    if not spec.get("bare"):
        mods = ctx.r.sample(sorted(filler.RS), ctx.r.randrange(1, 3))
        for key in mods:
            files.setdefault("src/" + key, filler.RS[key])
        decl = "".join(f"pub mod {k[:-3]};\n" for k in mods)
        lib = files.get("src/lib.rs", f"//! {desc}\n\n#MODS#")
        files["src/lib.rs"] = lib.replace("#MODS#", decl)
    files.setdefault("README.md", filler.readme(ctx, name, desc, f"cargo add {name}", f"use {name.replace('-', '_')};"))
    files.setdefault("LICENSE-MIT", filler.LICENSE)
    files["#desc"] = desc
    return core.crate(name, version, files, ctx.fill(spec.get("toml", "")))
