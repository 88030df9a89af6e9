"""Pairs every container with a planted secret and with a look-alike."""
import json

from . import containers, lookalikes, tokens
from .core import Ctx

FORCED = {"npm-npmrc": "npm-token", "sdist-pypirc": "pypi-token", "docker-config-json": "docker-pat", "crate-config-toml": "crates-token",
          "npm-dotenv": "aws-pair", "npm-minified-js": "stripe-live", "github-workflow": "github-classic", "log-gz": "github-server", "js-hex-escapes": "telegram-bot"}
FORCED_GOOD = {"npm-npmrc": "env-reference", "sdist-pypirc": "x-run-mixed", "docker-config-json": "angle-placeholder", "crate-config-toml": "env-reference",
               "github-workflow": "template-reference", "js-hex-escapes": "css-module-names", "zip-docs": "aws-documentation-pair"}
EXTRA_CONTAINERS = ("dotenv-plain", "zip-docs", "wheel-py", "npm-config-js", "shell-script", "tar-bz2-json", "notebook-source")


def assign(r, kinds, families, forced):
    left = [f for f in families if f not in forced.values()]
    r.shuffle(left)
    pool, out, refilled = list(left), [], False
    for k in kinds:
        if k in forced:
            out.append((k, forced[k]))
        else:
            if not pool:
                pool, refilled = list(families), True
                r.shuffle(pool)
            out.append((k, pool.pop()))
    return out, [] if refilled else pool


def planted_values(family, pairs):
    if family == "gcp-service-account":
        return [json.loads(pairs[0][1])["private_key"]]
    if family == "twilio-pair":
        return [pairs[1][1]]
    return [v for _, v in pairs]


def generate(seed):
    r = Ctx(seed, "secrets/assignment").r
    kinds = sorted(containers.KINDS)
    bad, rest = assign(r, kinds, sorted(tokens.MAKERS), FORCED)
    bad += [(EXTRA_CONTAINERS[i % len(EXTRA_CONTAINERS)], f) for i, f in enumerate(sorted(rest))]
    good, rest = assign(r, kinds, sorted(lookalikes.LOOK), FORCED_GOOD)
    good += [(EXTRA_CONTAINERS[i % len(EXTRA_CONTAINERS)], f) for i, f in enumerate(sorted(rest))]
    jobs = [("bad", k, f) for k, f in bad] + [("good", k, f) for k, f in good]
    r.shuffle(jobs)
    items, n = [], 100
    for label, kind, family in jobs:
        n += 1
        c = Ctx(seed, f"secret/{label}/{kind}/{family}")
        pairs = tokens.make(family, c) if label == "bad" else lookalikes.LOOK[family](c)
        eco, fn = containers.KINDS[kind]
        name, data = fn(c, pairs)
        items.append({"file": f"secrets/{n}/{name}", "data": data, "label": label, "family": family, "container": kind,
                      "ecosystem": eco, "values": planted_values(family, pairs) if label == "bad" else []})
    for family in sorted(lookalikes.FILES):
        n += 1
        name, data = lookalikes.FILES[family](Ctx(seed, "secret/whole/" + family))
        items.append({"file": f"secrets/{n}/{name}", "data": data, "label": "good", "family": family, "container": "plain-file",
                      "ecosystem": None, "values": []})
    return items
