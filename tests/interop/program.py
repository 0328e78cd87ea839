"""The `esteira` command and the oracle, as processes.

Comes in: where the binaries are, an environment. Goes out: what they printed, parsed. What it means
is judged by the tests.
"""

import json
import os
import subprocess
from pathlib import Path

PATIENCE = 300


def environment(**own):
    """This process's environment without any AWS setting but those given.

    The empty shared files keep a developer's own profile out of the tests; loopback is never asked
    for through a proxy.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    return kept | {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        **own,
    }


class Program:
    """The `esteira` binary."""

    def __init__(self, binary):
        self.binary = Path(binary)

    def run(self, *arguments, env):
        """Its standard output; fails with what it said when it does not end well."""
        done = subprocess.run(
            [self.binary, *arguments],
            env=env,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, (
            f"`esteira {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr[-4000:]}"
        )
        return done.stdout

    def run_once(self, store, *arguments):
        """Runs the pipeline over what is there now; the records of its batches."""
        printed = self.run(
            "run", "--once", "--log", "json", "--bucket", store.location, *arguments, env=store.env
        )
        return [json.loads(line) for line in printed.splitlines()]

    def history(self, store):
        """The records of all batches, the newest last."""
        printed = self.run(
            "history",
            "--last",
            "1000",
            "--format",
            "json",
            "--bucket",
            store.location,
            env=store.env,
        )
        return [json.loads(line) for line in printed.splitlines()]

    def status(self, store):
        """`esteira status` as JSON."""
        return json.loads(
            self.run("status", "--format", "json", "--bucket", store.location, env=store.env)
        )

    def sql(self, store, question):
        """The answer as a list of rows."""
        printed = self.run(
            "sql", "--format", "json", "--bucket", store.location, question, env=store.env
        )
        return [json.loads(line) for line in printed.splitlines()]

    def tidy(self, verb, store, *arguments):
        """`optimize`, `vacuum` or `upgrade`: table name to what was done."""
        printed = self.run(
            verb, "--format", "json", "--bucket", store.location, *arguments, env=store.env
        )
        told = [json.loads(line) for line in printed.splitlines()]
        return {line["table"]: line for line in told}

    def generate(self, folder, **options):
        """Sample events in `folder`; object name to bytes."""
        arguments = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        self.run("generate", "--out", str(folder), *arguments, env=environment())
        return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def ask_oracle(binary, folder, modified, prefix="input/"):
    """What the oracle expects of the files in `folder`; `modified` is key to microseconds UTC."""
    times = folder.with_name(folder.name + ".modified.json")
    times.write_text(json.dumps(modified))
    done = subprocess.run(
        [binary, folder, "--prefix", prefix, "--modified-from", times],
        capture_output=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, f"the oracle failed: {done.stderr.decode()}"
    return json.loads(done.stdout)
