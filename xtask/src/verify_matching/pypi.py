"""The algorithm of the OSV schema over Python's own `packaging`, written without a look at the product's matcher.

Reads {"records": [...], "pairs": [[name, version], ...]} from standard input, writes for each pair either null (the version
is none) or {"found": [[id, ...], ...], "unclear": [id, ...]}: matters with a match, and ids of matters in which a boundary is
no version.
"""

import json
import sys

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version


def reaches(event, version):
    """Whether an event applies to the version, and what it says: True opens, False closes."""
    (kind, at), = event.items()
    if kind == "introduced":
        return at == "0" or version >= Version(at), True
    if kind == "fixed":
        return version >= Version(at), False
    if kind == "last_affected":
        return version > Version(at), False
    raise KeyError(kind)


def place(event):
    (kind, at), = event.items()
    return (0, Version("0")) if at == "0" and kind == "introduced" else (1, Version(at))


def in_range(events, version):
    vulnerable = False
    for event in sorted(events, key=place):
        applies, opens = reaches(event, version)
        if applies:
            vulnerable = opens
    return vulnerable


def entry_says(entry, text, version):
    if text in (entry.get("versions") or []):
        return True
    unclear = False
    for listed in entry.get("versions") or []:
        try:
            if Version(listed) == version:
                return True
        except InvalidVersion:
            pass
    for timeline in entry.get("ranges") or []:
        if timeline["type"] == "GIT":
            continue
        try:
            if in_range(timeline["events"], version):
                return True
        except InvalidVersion:
            unclear = True
    return None if unclear else False


def record_says(record, name, text, version):
    said = [
        entry_says(entry, text, version)
        for entry in record["affected"]
        if entry.get("package", {}).get("ecosystem") == "PyPI"
        and canonicalize_name(entry["package"]["name"]) == name
    ]
    return True if True in said else (None if None in said else False)


def matters(records):
    """Records joined by shared ids."""
    groups = []
    for record in records:
        ids = {record["id"], *(record.get("aliases") or [])}
        joined = [group for group in groups if group[0] & ids]
        groups = [group for group in groups if not group[0] & ids]
        members = [record]
        for other_ids, other_members in joined:
            ids |= other_ids
            members += other_members
        groups.append((ids, members))
    return groups


def main():
    given = json.load(sys.stdin)
    by_name = {}
    for record in given["records"]:
        if record.get("withdrawn"):
            continue
        names = {
            canonicalize_name(entry["package"]["name"])
            for entry in record["affected"]
            if entry.get("package", {}).get("ecosystem") == "PyPI"
        }
        for name in names:
            by_name.setdefault(name, []).append(record)
    answers = []
    for name, text in given["pairs"]:
        try:
            version = Version(text)
        except InvalidVersion:
            answers.append(None)
            continue
        name = canonicalize_name(name)
        found, unclear = [], []
        for ids, members in matters(by_name.get(name, [])):
            said = [record_says(record, name, text, version) for record in members]
            if version.local and True not in said:
                # A local build is its public version with something added.
                public = Version(version.public)
                said += [record_says(record, name, version.public, public) for record in members]
            if None in said:
                unclear += ids
            elif True in said:
                found.append(sorted(ids))
        answers.append({"found": sorted(found), "unclear": sorted(unclear)})
    json.dump(answers, sys.stdout)


main()
