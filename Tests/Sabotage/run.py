#!/usr/bin/env python3
"""Shows that every sabotage is caught: builds all of them into one simulation and switches on one at a time.

Started by `make sabotage`. Exit status: 0 every one was caught, 1 one survived or the sound program failed,
2 the table does not fit the sources or the build failed.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from document import write_document
from sabotages import Sabotage, TableError, insert, read_table, sources, write_tree

ROOT = Path(__file__).resolve().parent.parent.parent


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=ROOT / ".build/sabotage",
                        help="folder for copy and build")
    parser.add_argument("--revision", help="take the sources of this commit, not of the work tree")
    parser.add_argument("--changed", action="append", default=[],
                        help="a folder of the work tree all the same")
    parser.add_argument("--only", default="", help="names with commas between")
    parser.add_argument("--sound", type=int, default=300, help="histories without a sabotage")
    parser.add_argument("--most", type=int, default=3000, help="histories of a sabotage before it survives")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 2)
    parser.add_argument("--check", action="store_true", help="only see whether the table fits the sources")
    parser.add_argument("--no-build", action="store_true", help="run what was built before")
    parser.add_argument("--build-only", action="store_true")
    parser.add_argument("--document", type=Path, help="write the table with its results to this file")
    return parser.parse_args()


@dataclass(frozen=True)
class Finding:
    """What a run said first."""

    seed: int
    message: str
    seconds: float

    @property
    def letter(self) -> str:
        return self.message.partition(":")[0] if re.match(r"[A-Z]\d*:", self.message) else "trap"


def simulate(program: Path, sabotage: str, count: int, jobs: int) -> Finding | None:
    """The first history that failed, or None if all went well."""
    environment = {**os.environ, "TASKQ_SABOTAGE": sabotage}
    begun = time.monotonic()
    arguments = ["--first", "1", "--count", str(count), "--jobs", str(jobs), "--stop-after", "1"]
    ended = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True,
                           check=False)
    if ended.returncode == 0:
        return None
    found = re.search(r"^seed (\d+) failed: (.*)$", ended.stdout, re.MULTILINE)
    if ended.returncode != 1 or not found:
        raise TableError(f"{program} ended with {ended.returncode}:\n{ended.stdout}{ended.stderr}")
    return Finding(int(found[1]), found[2], time.monotonic() - begun)


def build(work: Path) -> Path:
    command = [
        "swift", "build", "--package-path", work / "tree", "--scratch-path", work / "build",
        "-c", "release", "--product", "taskq-sim",
        # A trap says why also in this build.
        "-Xswiftc", "-assert-config", "-Xswiftc", "Debug",
    ]  # fmt: skip
    begun = time.monotonic()
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    if ended.returncode:
        raise TableError(f"the copy with the sabotages does not build:\n{ended.stdout[-8000:]}")
    print(f"built in {time.monotonic() - begun:.0f} s", flush=True)
    return work / "build/release/taskq-sim"


def line(sabotage: Sabotage, finding: Finding | None, most: int) -> str:
    head = f"{sabotage.name:36} {sabotage.rule:8} "
    if finding is None:
        return f"{head}SURVIVED {most} histories: {sabotage.breaks}"
    message = finding.message if len(finding.message) <= 88 else finding.message[:85] + "..."
    return f"{head}{finding.seed:5} {finding.seconds:5.1f} s  {message}"


def run(options: argparse.Namespace) -> int:
    table = read_table()
    files = insert(table, sources(ROOT, options.revision, options.changed))
    if options.check:
        return 0
    program = options.work / "build/release/taskq-sim"
    if not options.no_build:
        write_tree(files, options.work / "tree")
        program = build(options.work)
    if options.build_only:
        return 0
    only = [name for name in options.only.split(",") if name]
    chosen = [sabotage for sabotage in table.sabotages if not only or sabotage.name in only]
    if options.sound and (finding := simulate(program, "", options.sound, options.jobs)):
        print(f"without a sabotage seed {finding.seed} fails: {finding.message}", file=sys.stderr)
        return 1
    print(f"without a sabotage {options.sound} histories are clean\n", flush=True)
    results: dict[str, Finding | None] = {}
    with ThreadPoolExecutor(options.jobs) as pool:
        found = pool.map(lambda sabotage: simulate(program, sabotage.name, options.most, 1), chosen)
        for sabotage, finding in zip(chosen, found):
            results[sabotage.name] = finding
            print(line(sabotage, finding, options.most), flush=True)
    caught = sum(finding is not None for finding in results.values())
    print(f"\n{caught} of {len(chosen)} sabotages caught")
    if options.document and caught == len(table.sabotages):
        write_document(options.document, table, results)
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    try:
        sys.exit(run(parse()))
    except TableError as error:
        print(f"sabotage: {error}", file=sys.stderr)
        sys.exit(2)
