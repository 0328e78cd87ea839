"""What the numbers were measured with: the machine, the program, the day."""

import os
import platform
import re
import subprocess
from datetime import datetime, timezone
from pathlib import Path


def facts(binary):
    version = said([binary, "--version"]).removeprefix("esteira ")
    return {
        "date": datetime.now(timezone.utc).date().isoformat(),
        "cpus": os.cpu_count(),
        "cpu": cpu_model(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "kernel": f"{platform.system()} {re.match(r'[0-9.]*', platform.release())[0]}",
        "esteira": version,
    }


def revision(root):
    return said(["git", "-C", root, "describe", "--always", "--dirty"]) or None


def cpu_model():
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        text = ""
    named = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return named[1] if named else platform.processor() or platform.machine()


def said(command):
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
