"""Runs a command, or unpacks what a scanner cannot: the standard library of Rust counts no CPU time of children."""

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile


def measure(output, seconds, command):
    with open(output, "wb") as out:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.DEVNULL)
        import signal

        signal.signal(signal.SIGALRM, lambda *_: child.kill())
        signal.alarm(int(seconds))
        _, status, used = os.wait4(child.pid, 0)
    print(used.ru_utime + used.ru_stime, os.waitstatus_to_exitcode(status))


def unpack(source, target):
    os.makedirs(target, exist_ok=True)
    try:
        if tarfile.is_tarfile(source):
            with tarfile.open(source) as archive:
                archive.extractall(target, filter="data")
        elif zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                archive.extractall(target)
        else:
            shutil.copy(source, target)
    except Exception:
        shutil.copy(source, target)


if sys.argv[1] == "measure":
    measure(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    for line in open(sys.argv[2], encoding="utf-8"):
        source, target = line.rstrip("\n").split("\t")
        unpack(source, target)
