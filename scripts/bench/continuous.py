"""The job as it runs for good, fed one object after another, each as soon as the last is done.

Comes in: the binary, a bucket in a local folder. Goes out: what each batch took, from the moment its
object appears until the record of its batch is printed, and until the process is quiet: its tables
are tidied behind the record, and that counts too. A consumed object is removed, so that listing what
comes in stays the same. Needs Linux: the figures are those of proc(5).
"""

import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from statistics import median

from failure import BenchError
from measure import machine_cpu
from store import environment

# How long nothing must happen before the process counts as quiet, and how long it may take.
QUIET_S, PATIENCE_S = 0.3, 600
LOOK_EVERY_S = 0.05
# What a quiet process may still do in that time besides looking for new objects: the kernel's wake-ups.
QUIET_CPU_S, QUIET_BYTES = 0.003, 4096
# Started is what looks for new objects and does nothing else: so many times in a row it took about the
# same, and not more than this share of a processor.
ALIKE, ALIKE_S, IDLE_CPU = 4, 0.5, 0.25
KIB_PER_MIB = 1024


class Continuous:
    """`esteira run` over one bucket; a context."""

    def __init__(self, binary, pipeline, bucket, log):
        self._command = [
            binary, "run", pipeline, "--log", "json", "--bucket", f"file://{bucket}"
        ]
        self._input = bucket / "input"
        # On the same file system, out of the job's sight.
        self._waiting = bucket.with_name(bucket.name + "-next")
        self._log = log
        self._unread = b""
        # CPU seconds that looking for new objects takes in a second.
        self.idle_cpu = 0.0

    def __enter__(self):
        self._input.mkdir(exist_ok=True)
        with open(self._log, "wb") as errors:
            self._process = subprocess.Popen(
                self._command, env=environment(), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=errors,
                # Ctrl-C is answered by this program, which stops it in its turn.
                start_new_session=True,
            )
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._waiting.unlink(missing_ok=True)

    def settled(self):
        """Waits until it has started and only looks for new objects; what the start took."""
        deadline = time.monotonic() + PATIENCE_S
        shares, last = [], self.figures()
        while time.monotonic() < deadline:
            time.sleep(ALIKE_S)
            now = self.figures()
            shares = [*shares, (now["cpu_s"] - last["cpu_s"]) / ALIKE_S][-ALIKE:]
            last = now
            # Something at all: at first it may wait for the disk.
            if len(shares) == ALIKE and 0 < min(shares) and max(shares) < min(
                IDLE_CPU, 2 * min(shares) + 0.005
            ):
                self.idle_cpu = median(shares)
                return now["cpu_s"] - sum(shares) * ALIKE_S
        raise BenchError(f"it has not started within {PATIENCE_S} s", self._hint())

    def feed(self, name, lines, until_quiet=True):
        """One object in, its record out, with what that took."""
        self._waiting.write_bytes(lines)
        busy = machine_cpu()
        before = self.figures()
        start = time.perf_counter()
        placed = self._input / name
        self._waiting.rename(placed)
        record = self._record()
        wall = time.perf_counter() - start
        at_record = self.figures()
        if until_quiet:
            self._quiet()
        after = self.figures() if until_quiet else at_record
        elapsed = time.perf_counter() - start
        placed.unlink()
        taken = record["events"]
        if taken["discovered"] != taken["applied"]:
            raise BenchError(f"of {name}'s events not all were applied: {taken}")
        cpu = after["cpu_s"] - before["cpu_s"]
        return {
            "wall_s": wall,
            "cpu_s": max(0.0, cpu - self.idle_cpu * elapsed),
            "cpu_to_record_s": max(0.0, at_record["cpu_s"] - before["cpu_s"] - self.idle_cpu * wall),
            "read_bytes": after["read_bytes"] - before["read_bytes"],
            "written_bytes": after["written_bytes"] - before["written_bytes"],
            "rss_mib": after["rss_mib"],
            "peak_mib": after["peak_mib"],
            "elapsed_s": elapsed,
            "others_cpu_s": max(0.0, machine_cpu() - busy - cpu),
            "record": record,
        }

    def figures(self):
        """What the process took so far, as the kernel counts it."""
        pid = self._process.pid
        try:
            status = fields(f"/proc/{pid}/status")
            io = fields(f"/proc/{pid}/io")
            return {
                # clock_getcpuclockid(3): to the nanosecond, of all threads, also those that ended.
                "cpu_s": time.clock_gettime((~pid << 3) | 2),
                "read_bytes": int(io["rchar"]),
                "written_bytes": int(io["wchar"]),
                "rss_mib": kib(status["VmRSS"]) / KIB_PER_MIB,
                "peak_mib": kib(status["VmHWM"]) / KIB_PER_MIB,
            }
        except (OSError, KeyError) as error:
            raise self._ended() from error

    def _record(self):
        """The next line of its standard output."""
        deadline = time.monotonic() + PATIENCE_S
        pipe = self._process.stdout.fileno()
        while b"\n" not in self._unread:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise BenchError(f"no record of a batch within {PATIENCE_S} s", self._hint())
            piece = os.read(pipe, 1 << 16)
            if not piece:
                raise self._ended()
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return json.loads(line)

    def _quiet(self):
        """Waits until for a while it has done nothing but look for new objects."""
        deadline = time.monotonic() + PATIENCE_S
        allowed = QUIET_CPU_S + 2 * self.idle_cpu * QUIET_S
        while time.monotonic() < deadline:
            before = self.figures()
            until = time.monotonic() + QUIET_S
            while True:
                time.sleep(LOOK_EVERY_S)
                now = self.figures()
                if (
                    now["cpu_s"] - before["cpu_s"] > allowed
                    or now["written_bytes"] - before["written_bytes"] > QUIET_BYTES
                ):
                    break
                if time.monotonic() >= until:
                    return
        raise BenchError(f"not quiet within {PATIENCE_S} s", self._hint())

    def _ended(self):
        self._process.wait()
        said = self._log.read_text(errors="replace")[-2000:]
        return BenchError(f"the job ended with {self._process.returncode}:\n{said}")

    def _hint(self):
        return f"read its log: {self._log}"


def fields(path):
    return dict(
        line.split(":", 1) for line in Path(path).read_text().splitlines() if ":" in line
    )


def kib(text):
    return int(text.removesuffix("kB"))


def pipeline_copy(source, folder, poll_milliseconds):
    """The pipeline, looking so often."""
    shutil.copytree(source, folder, dirs_exist_ok=True)
    settings = folder / "pipeline.toml"
    settings.write_text(
        f"{settings.read_text()}\n[limits]\npoll_milliseconds = {poll_milliseconds}\n"
    )
    return folder
