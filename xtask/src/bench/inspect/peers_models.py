"""Leads a scanner of models over files and folders, one after another in one process, through the library that it is.

`python -c … TOOL LIST`: a line of JSON for each line of LIST: what it was, whether the tool tells of it, and the error it ended with.
"""

import contextlib
import io
import json
import logging
import os
import sys
import warnings


def picklescan(strict):
    from picklescan.scanner import scan_directory_path, scan_file_path

    def told(path):
        scan = scan_directory_path if os.path.isdir(path) else scan_file_path
        result = scan(path, strict=strict)
        return result.infected_files > 0, "scan error" if result.scan_err else None

    return told


def modelscan():
    from modelscan.modelscan import ModelScan

    def told(path):
        result = ModelScan().scan(path)
        errors = [error.get("description") or error.get("message") for error in result.get("errors", [])]
        return result["summary"]["total_issues"] > 0, "; ".join(map(str, errors)) or None

    return told


def fickling():
    from fickling import scan_file
    from fickling.analysis import Severity

    def one(path):
        result = scan_file(path, graceful=True)
        return result.severity > Severity.LIKELY_SAFE, "; ".join(map(str, result.errors)) or None

    def told(path):
        if not os.path.isdir(path):
            return one(path)
        files = [os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names]
        results = [one(file) for file in files if file.endswith((".pkl", ".pickle", ".pt", ".pth", ".bin", ".joblib"))]
        return any(result[0] for result in results), next((result[1] for result in results if result[1]), None)

    return told


TOOLS = {"picklescan": lambda: picklescan(False), "strict": lambda: picklescan(True), "modelscan": modelscan, "fickling": fickling}


def main():
    tool, listed = sys.argv[1:]
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    told = TOOLS[tool]()
    with open(listed, encoding="utf-8") as paths:
        for path in paths.read().splitlines():
            try:
                with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                    found, error = told(path)
            except Exception as failure:
                found, error = False, f"{type(failure).__name__}: {failure}"
            print(json.dumps({"input": path, "told": bool(found), "error": error}), flush=True)


main()
