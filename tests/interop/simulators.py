"""S3 simulators as processes: Esteira's own and moto's.

Goes out: an endpoint that answers, and a process that ends with the tests. What is put into their
buckets belongs to `store`.
"""

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager

from program import environment

PATIENCE = 60
KEY_ID = SECRET = "dummy"
REGION = "us-east-1"


@contextmanager
def esteira_simulator(binary, folder):
    """Esteira's simulator on a free port, its data in `folder`; gives the endpoint."""
    process = subprocess.Popen(
        [binary, "up", "--foreground", "--port", "0", "--dir", folder],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with _ended(process):
        line = process.stdout.readline()
        words = [word.rstrip(",") for word in line.split() if word.startswith("http://")]
        assert words, f"the simulator did not name its endpoint: {line!r}"
        yield words[0]


@contextmanager
def moto_simulator(log):
    """moto's server on a free port; gives the endpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    endpoint = f"http://127.0.0.1:{port}"
    with open(log, "wb") as out:
        process = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from moto.server import main; main()",
                "-H",
                "127.0.0.1",
                "-p",
                str(port),
            ],
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
        )
        with _ended(process):
            _wait_for(endpoint, process)
            yield endpoint


def _wait_for(endpoint, process):
    deadline = time.monotonic() + PATIENCE
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    while time.monotonic() < deadline:
        assert process.poll() is None, "moto's server ended at once"
        try:
            direct.open(endpoint, timeout=1).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"moto's server does not answer after {PATIENCE} seconds")


@contextmanager
def _ended(process):
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout:
            process.stdout.close()
