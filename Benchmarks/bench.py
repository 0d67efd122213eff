#!/usr/bin/env python3
"""Measures taskq and prints a table: rates, what the machine itself can do in the same run, and the targets.

Started by `make bench`. Parts: syncs, post, drain, groups, latency, million, idle.
"""

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
import traceback
from dataclasses import asdict
from pathlib import Path

from parts import Benchmark, Row
from stack import BenchmarkError

PARTS = ("syncs", "post", "drain", "groups", "latency", "million", "idle")
ROOT = Path(__file__).resolve().parent.parent


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", type=Path, required=True, help="folder of the release build")
    parser.add_argument("--load", type=Path, required=True, help="folder of the load generator and processor")
    parser.add_argument("--only", default="", help="parts with commas between")
    parser.add_argument("--seconds", type=float, default=3, help="counted seconds of each round of posts")
    parser.add_argument("--count", type=int, default=1_000_000, help="tasks of the part million")
    parser.add_argument("--scratch", type=Path, help="folder for state, on the disk to be measured")
    options = parser.parse_args()
    options.parts = [name for name in options.only.split(",") if name] or list(PARTS)
    unknown = [name for name in options.parts if name not in PARTS]
    if unknown:
        parser.error(f"no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    return options


def describe(row: Row) -> list[str]:
    digits = 0 if row.value >= 100 else 2
    value = f"{row.value:,.{digits}f} {row.unit}"
    ratio = f"{row.ratio:.2f} of {row.limit_name} {row.limit:,.0f}" if row.ratio is not None else ""
    wanted = []
    if row.target is not None:
        wanted.append(f"{'≥' if row.at_least else '≤'} {row.target:,g}")
    if row.ratio_target is not None:
        wanted.append(f"≥ {row.ratio_target:g} of limit")
    verdict = {True: "met", False: "MISSED", None: ""}[row.is_met]
    return [row.name, value, ratio, ", ".join(wanted), verdict, row.note]


def print_table(rows: list[Row]):
    table = [["measure", "value", "ratio", "target", "", ""]] + [describe(row) for row in rows]
    widths = [max(len(line[column]) for line in table) for column in range(6)]
    print()
    for line in table:
        cells = [line[0].ljust(widths[0]), line[1].rjust(widths[1]), line[2].ljust(widths[2]),
                 line[3].ljust(widths[3]), line[4].ljust(widths[4]), line[5]]
        print("  ".join(cells).rstrip())


def keep(rows: list[Row], started: float, others: float):
    """Appends the run as one JSON line, so that runs can be compared later."""
    folder = ROOT / "bench-results"
    folder.mkdir(exist_ok=True)
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True)
    run = {"at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started)), "commit": commit.stdout.strip(),
           "kernel": platform.release(), "cores": os.cpu_count(), "others": round(others, 2),
           "rows": [asdict(row) | {"ratio": row.ratio, "met": row.is_met} for row in rows]}
    with open(folder / "results.jsonl", "a", encoding="utf-8") as file:
        file.write(json.dumps(run) + "\n")


def main() -> int:
    options = parse()
    # Children are stopped in `finally`, which a bare SIGTERM would skip.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    scratch = (options.scratch or options.load / "state").resolve()
    benchmark = Benchmark(options.bin.resolve(), options.load.resolve(), scratch, options)
    rows: list[Row] = []
    failed = False
    started = time.time()
    for name in options.parts:
        try:
            for row in getattr(benchmark, f"part_{name}")():
                rows.append(row)
                print("  ".join(cell for cell in describe(row) if cell), flush=True)
        except Exception as error:  # one part that fails does not hide the others
            failed = True
            if not isinstance(error, BenchmarkError):
                traceback.print_exc()
            print(f"part {name} failed: {error}", file=sys.stderr, flush=True)
    print_table(rows)
    if benchmark.others >= 0.25:
        print(f"\nOther programs used up to {benchmark.others:.1f} cores: measure again on a quiet machine.")
    keep(rows, started, benchmark.others)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
