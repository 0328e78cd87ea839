"""A simulator with one bucket, for one measurement.

Comes in: the binary and a folder. Goes out: an environment in which that bucket can be reached. The
simulator ends with the `with` block; the folder stays.
"""

import os
import subprocess

from failure import BenchError

BUCKET = "bench"


def environment(**own):
    """This process's environment without any setting that could change what is measured."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "ESTEIRA_", "RUST_", "TOKIO_"))
    }
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        **own,
    }


class Simulator:
    def __init__(self, binary, folder, log):
        self._binary = binary
        self._folder = folder
        self._log = log

    def __enter__(self):
        fresh = not self._folder.exists()
        with open(self._log, "wb") as log:
            self.process = subprocess.Popen(
                [self._binary, "up", "--foreground", "--port", "0", "--dir", self._folder],
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                # Ctrl-C is answered by this program, which stops it in its turn.
                start_new_session=True,
            )
        try:
            self._connect(fresh)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def _connect(self, fresh):
        line = self.process.stdout.readline()
        endpoints = [word.rstrip(",") for word in line.split() if word.startswith("http://")]
        if not endpoints:
            raise BenchError("the simulator does not start", hint=f"read its log: {self._log}")
        self.env = environment(
            AWS_ENDPOINT_URL=endpoints[0],
            AWS_ACCESS_KEY_ID="dummy",
            AWS_SECRET_ACCESS_KEY="dummy",
            AWS_REGION="us-east-1",
        )
        if fresh:
            self._ask("bucket", "create", BUCKET)

    def upload(self, folder):
        self._ask("bucket", "put", BUCKET, folder, "--to", "input")

    def _ask(self, *arguments):
        done = subprocess.run(
            [self._binary, *arguments],
            env=self.env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            raise BenchError(f"`esteira {arguments[0]} {arguments[1]}` failed: {done.stderr[-2000:]}")
