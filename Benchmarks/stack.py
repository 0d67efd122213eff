"""The daemons under measurement: real programs on a state folder of their own, always stopped by pid."""

import http.client
import os
import re
import shutil
import signal
import struct
import subprocess
import time
from pathlib import Path

CONFIGURATION = """\
environment = "dev"

[api]
listen = "127.0.0.1:0"
"""

PLUGIN = """\
mode = "stream"
concurrency = {concurrency}
"""

RECORD = struct.Struct("<QQQ")


class Stack:
    """A broker and an ingest, with a worker when a part asks for one. Use as a context manager."""

    def __init__(self, programs: Path, load: Path, scratch: Path):
        self.programs = programs
        self.load = load
        self.scratch = scratch
        self.children: dict[str, subprocess.Popen] = {}

    def __enter__(self):
        shutil.rmtree(self.scratch, ignore_errors=True)
        self.state.mkdir(parents=True)
        self.plugin.mkdir(parents=True)
        self.configuration.write_text(CONFIGURATION)
        shutil.copy2(self.load / "processor", self.plugin / "processor")
        return self

    def __exit__(self, *_):
        for name in ("worker", "ingest", "broker"):
            self.stop(name)
        shutil.rmtree(self.scratch, ignore_errors=True)

    @property
    def state(self) -> Path:
        return self.scratch / "state"

    @property
    def plugin(self) -> Path:
        return self.scratch / "plugins" / "tasks"

    @property
    def configuration(self) -> Path:
        return self.scratch / "taskq.toml"

    def start(self, name: str, *arguments: str) -> subprocess.Popen:
        log = open(self.scratch / f"{name}.log", "ab")
        # A relative state folder keeps the sockets' paths under the 107 bytes that they may have.
        command = [str(self.programs / f"taskq-{name}"), "--config", str(self.configuration),
                   "--state", self.state.name, *arguments]
        if shutil.which("setpriv"):
            # The kernel ends the child with this driver, even when the driver is killed.
            command = ["setpriv", "--pdeathsig", "KILL", *command]
        child = subprocess.Popen(command, cwd=self.scratch, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        self.children[name] = child
        return child

    def start_front(self, *arguments: str) -> str:
        """Starts the ingest; gives the address that it says it listens on."""
        seen = len(self.log("ingest"))
        self.start("ingest", *arguments)

        def address():
            for line in self.log("ingest")[seen:].splitlines():
                found = re.search(r"\d+\.\d+\.\d+\.\d+:[1-9]\d*", line)
                if "listening" in line and found:
                    return found.group()
            return None

        return self.wait("the ingest's address", address)

    def start_pair(self) -> str:
        """Starts broker and ingest; gives the address once posts will be taken."""
        self.start("broker")
        address = self.start_front()
        self.wait("the ingest's /readyz", lambda: status(address, "/readyz") == 200)
        return address

    def start_worker(self, concurrency: int):
        (self.plugin / "plugin.toml").write_text(PLUGIN.format(concurrency=concurrency))
        self.start("worker", "--queue", "tasks", "--plugin", str(self.plugin))

    def kill_hard(self, name: str):
        child = self.children[name]
        child.send_signal(signal.SIGKILL)
        child.wait(timeout=10)

    def stop(self, name: str):
        child = self.children.pop(name, None)
        if child is None or child.poll() is not None:
            return
        child.terminate()
        try:
            child.wait(timeout=15)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait(timeout=10)

    def log(self, name: str) -> str:
        path = self.scratch / f"{name}.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait(self, goal: str, condition, seconds: float = 30.0):
        """Polls a condition until it holds; ends the run with the logs when it does not."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            value = condition()
            if value:
                return value
            for name, child in self.children.items():
                if child.poll() is not None:
                    raise BenchmarkError(f"{name} ended with {child.returncode}:\n{self.log(name)[-2000:]}")
            time.sleep(0.02)  # seldom enough not to take part in what is measured
        logs = "\n".join(f"--- {name}\n{self.log(name)[-1500:]}" for name in self.children)
        raise BenchmarkError(f"waited {seconds} s in vain for {goal}\n{logs}")

    def received(self) -> list[tuple[int, int, int]]:
        """What the processors wrote down: (got at ns, number, sent at ns), without the marks of readiness."""
        return [entry for entry in self.entries() if entry[2] != 0]

    def entries(self) -> list[tuple[int, int, int]]:
        path = self.plugin / "received"
        content = path.read_bytes() if path.exists() else b""
        return list(RECORD.iter_unpack(content[:len(content) - len(content) % RECORD.size]))

    def entry_count(self) -> int:
        path = self.plugin / "received"
        return path.stat().st_size // RECORD.size if path.exists() else 0

    def wait_received(self, count: int, processes: int, seconds: float) -> list[tuple[int, int, int]]:
        """Waits for that many tasks, each exactly once; gives them in the order of their reception."""
        self.wait(f"{count} tasks at the processor", lambda: self.entry_count() >= count + processes, seconds)
        entries = sorted(self.received())
        numbers = {number for _, number, _ in entries}
        if len(entries) != count or len(numbers) != count:
            raise BenchmarkError(f"{len(entries)} deliveries of {len(numbers)} tasks, not {count} of each")
        return entries

    def cpu_seconds(self, name: str) -> float:
        fields = Path(f"/proc/{self.children[name].pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_bytes(self, name: str) -> int:
        """Proportional set size."""
        for line in Path(f"/proc/{self.children[name].pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        raise BenchmarkError("no Pss in smaps_rollup")

    def wake_ups(self, name: str) -> int:
        total = 0
        for thread in Path(f"/proc/{self.children[name].pid}/task").iterdir():
            for line in (thread / "status").read_text().splitlines():
                if line.startswith("voluntary_ctxt_switches"):
                    total += int(line.split()[1])
        return total

    def journal_bytes(self) -> int:
        """Blocks that the journal's files hold on disk."""
        files = (path for path in self.state.rglob("*") if path.is_file())
        return sum(path.stat().st_blocks * 512 for path in files)


class BenchmarkError(Exception):
    """The run cannot go on; the text says why."""


def status(address: str, path: str) -> int:
    connection = http.client.HTTPConnection(address, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()
