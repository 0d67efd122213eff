"""The parts of the benchmark. Each gives rows: what was measured, what the machine can do, what is wanted."""

import json
import os
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from stack import BenchmarkError, Stack

CONNECTIONS = (1, 16, 64, 256)
POST_ROUNDS = 3
POST_TARGETS = {1: 3_500, 16: 32_000, 64: 62_000, 256: 75_000}
BEST_PEER_DRAIN = 5_368  # beanstalkd -f0, one in flight, measured on 2 cores
SEGMENT_BYTES = 64 << 20
MIB = 1 << 20


@dataclass
class Row:
    name: str
    value: float
    unit: str
    target: float | None = None
    at_least: bool = True
    limit: float | None = None
    limit_name: str = ""
    ratio_target: float | None = None
    note: str = ""
    details: dict = field(default_factory=dict)

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit if self.limit else None

    @property
    def is_met(self) -> bool | None:
        verdicts = []
        if self.target is not None:
            verdicts.append(self.value >= self.target if self.at_least else self.value <= self.target)
        if self.ratio_target is not None and self.ratio is not None:
            verdicts.append(self.ratio >= self.ratio_target)
        return all(verdicts) if verdicts else None


class Benchmark:
    """Runs parts against the release build; keeps the machine's own limits between them."""

    def __init__(self, programs, load, scratch, options):
        self.programs, self.load, self.scratch, self.options = programs, load, scratch, options
        # Most cores that other programs were seen to use while the disk was probed.
        self.others = 0.0

    def stack(self) -> Stack:
        return Stack(self.programs, self.load, self.scratch)

    def run_load(self, *arguments, timeout: float = 120) -> dict:
        command = [str(self.load / "load"), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        if done.returncode != 0:
            raise BenchmarkError(f"{' '.join(command[:2])}: {done.stderr.strip()[-1000:]}")
        return json.loads(done.stdout)

    def syncs(self) -> float:
        """The machine's limit now, a second and a half of it: other load on the machine moves it."""
        self.scratch.mkdir(parents=True, exist_ok=True)
        busy, own, started = busy_seconds(), children_seconds(), time.monotonic()
        rate = self.run_load("syncs", "--file", self.scratch / "syncs", "--seconds", 1.5)["rate"]
        used = busy_seconds() - busy - (children_seconds() - own)
        self.others = max(self.others, used / (time.monotonic() - started))
        return rate

    def part_syncs(self):
        yield Row("syncs of 256 bytes, file of zeros", self.syncs(), "/s")

    def closed_loop(self, address: str, connections: int) -> dict:
        return self.run_load("post", "--address", address, "--connections", connections,
                             "--warmup", 1, "--seconds", self.options.seconds)

    def http_round(self, connections: int) -> dict:
        with self.stack() as stack:
            return self.closed_loop(stack.start_front("--answer-without-queue"), connections)

    def post_round(self, connections: int) -> dict:
        with self.stack() as stack:
            address = stack.start_pair()
            before = {name: stack.cpu_seconds(name) for name in stack.children}
            result = self.closed_loop(address, connections)
            elapsed = 1 + self.options.seconds
            result["cores"] = {
                name: (stack.cpu_seconds(name) - cpu) / elapsed for name, cpu in before.items()}
            result["cores"]["client"] = result["client_cores"]
            return result

    def part_post(self):
        # Rounds without and with a queue take turns: within a minute the machine's speed moves by a quarter.
        for connections in CONNECTIONS:
            syncs = self.syncs()
            rounds = [
                (self.http_round(connections), self.post_round(connections)) for _ in range(POST_ROUNDS)]
            http, post = (middle_round(results) for results in zip(*rounds))
            yield Row(f"HTTP without a queue, {connections} connections", http["rate"], "/s",
                      note=latency_note(http), details=http)
            limit, limit_name = (syncs, "syncs") if connections == 1 else (http["rate"], "HTTP")
            rates = " ".join(f"{without['rate']:.0f}:{durable['rate']:.0f}" for without, durable in rounds)
            yield Row(f"durable POST, {connections} connections", post["rate"], "/s",
                      target=POST_TARGETS[connections], limit=limit, limit_name=limit_name,
                      ratio_target=0.6 if connections == 64 else None,
                      note=f"{latency_note(post)}; {core_note(post)}; rounds {rates}", details=post)

    def drain(self, count: int, groups: int, concurrency: int) -> dict:
        syncs = self.syncs()
        with self.stack() as stack:
            address = stack.start_pair()
            self.run_load("post", "--address", address, "--connections", 64, "--count", count,
                          "--groups", groups, timeout=300)
            stack.start_worker(concurrency)
            stack.wait("the first task", lambda: stack.entry_count() > concurrency)
            before = {name: stack.cpu_seconds(name) for name in stack.children}
            entries = stack.wait_received(count, concurrency, seconds=120)
            seconds = (entries[-1][0] - entries[0][0]) / 1e9
            cores = {name: (stack.cpu_seconds(name) - cpu) / seconds for name, cpu in before.items()}
        # Probed before and after: the better one is what the machine can do.
        syncs = max(syncs, self.syncs())
        return {"rate": (count - 1) / seconds, "seconds": seconds, "cores": cores, "syncs": syncs}

    def part_drain(self):
        result = self.drain(count=20_000, groups=0, concurrency=1)
        yield Row("strict drain, one group", result["rate"], "/s", target=1.2 * BEST_PEER_DRAIN,
                  limit=result["syncs"], limit_name="syncs", ratio_target=0.6, note=core_note(result),
                  details=result)

    def part_groups(self):
        result = self.drain(count=64_000, groups=64, concurrency=8)
        yield Row("drain of 64 groups, 8 processes", result["rate"], "/s", target=30_000,
                  limit=result["syncs"], limit_name="syncs", note=core_note(result), details=result)

    def part_latency(self):
        with self.stack() as stack:
            address = stack.start_pair()
            stack.start_worker(1)
            stack.wait("a ready processor", lambda: stack.entry_count() >= 1)
            result = self.run_load("rate", "--address", address, "--connections", 4, "--rate", 1000,
                                   "--warmup", 1, "--seconds", 10)
            entries = stack.wait_received(result["accepted"], 1, seconds=30)
        latencies = sorted(got - sent for got, number, sent in entries if number >= result["uncounted"])
        for share, target in ((0.5, 0.6), (0.99, 3.0)):
            value = latencies[min(len(latencies) - 1, int(share * len(latencies)))] / 1e6
            yield Row(f"POST to processor at 1,000/s, p{share * 100:g}", value, "ms", target=target,
                      at_least=False, details=result)

    def part_million(self):
        count = self.options.count
        with self.stack() as stack:
            address = stack.start_pair()
            result = self.run_load("post", "--address", address, "--connections", 256, "--count", count,
                                   timeout=600)
            yield Row(f"fill of {count:,} tasks, 256 connections", result["rate"], "/s", details=result,
                      note=latency_note(result))
            time.sleep(1)  # a checkpoint that has begun ends
            memory = stack.memory_bytes("broker") / MIB
            yield Row(f"memory of the broker, {count:,} waiting", memory, "MiB", target=96, at_least=False)
            payloads = count * stored_bytes()
            disk = stack.journal_bytes()
            yield Row("disk over payloads, less 2 segments", max(0, disk - 2 * SEGMENT_BYTES) / payloads, "×",
                      target=1.2, at_least=False,
                      note=f"{disk / MIB:.0f} MiB on disk for {payloads / MIB:.0f} MiB of payloads")
            yield from self.kill_to_first(stack)

    def kill_to_first(self, stack: Stack):
        stack.kill_hard("broker")
        del stack.children["broker"]
        stack.start_worker(1)
        # The worker stands ready, so that the time is the broker's alone.
        stack.wait("a ready processor", lambda: stack.entry_count() >= 1)
        started = time.monotonic_ns()
        stack.start("broker")
        stack.wait("the first task after kill -9", lambda: stack.entry_count() >= 2, seconds=60)
        yield Row("kill -9 to the first task", (stack.received()[0][0] - started) / 1e9, "s", target=0.5,
                  at_least=False)
        yield Row("memory of the broker after recovery", stack.memory_bytes("broker") / MIB, "MiB", target=96,
                  at_least=False)

    def part_idle(self):
        with self.stack() as stack:
            stack.start_pair()
            stack.start_worker(1)
            stack.wait("a ready processor", lambda: stack.entry_count() >= 1)
            time.sleep(2)
            before = {name: stack.wake_ups(name) for name in stack.children}
            time.sleep(4)
            for name, count in before.items():
                wake_ups = (stack.wake_ups(name) - count) / 4
                memory = stack.memory_bytes(name) / MIB
                yield Row(f"idle {name}, memory", memory, "MiB", target=30, at_least=False)
                yield Row(f"idle {name}, wake-ups", wake_ups, "/s", target=5, at_least=False)


def busy_seconds() -> float:
    """Processor seconds that the whole machine has worked, without idling and waiting for the disk."""
    fields = [int(field) for field in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
    return (sum(fields) - fields[3] - fields[4]) / os.sysconf("SC_CLK_TCK")


def children_seconds() -> float:
    times = os.times()
    return times.children_user + times.children_system + times.user + times.system


def middle_round(results) -> dict:
    """The round of the median rate."""
    return sorted(results, key=lambda result: result["rate"])[len(results) // 2]


def latency_note(result: dict) -> str:
    return f"p50 {result['p50_us'] / 1000:.2f} ms, p99 {result['p99_us'] / 1000:.2f} ms"


def core_note(result: dict) -> str:
    return "cores: " + " ".join(f"{name} {value:.2f}" for name, value in result["cores"].items())


def stored_bytes() -> int:
    """Bytes of one payload as the broker keeps it: the posted fields after the id, without spaces."""
    description = "bench " + "0" * 10 + " " + "0" * 20 + " " + "x" * 90
    task = {"task_id": "0" * 36, "title": "bench task", "description": description, "priority": "low",
            "due_date": None}
    return len(json.dumps(task, separators=(",", ":")))
