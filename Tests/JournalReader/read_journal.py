#!/usr/bin/env python3
"""Reads a taskq journal and says whether it is whole: a second implementation of docs/journal-format.md.

    python3 Tests/JournalReader/read_journal.py STATE_DIR [--tasks] [--json]

STATE_DIR is a state folder with a journal in it, or the journal's folder. Written from the format's page, so
that an error of the daemon's own reader is not repeated here. Nothing is changed. Every checksum is computed;
the records are replayed from each good checkpoint, and from the first record where the segments still reach
back to it; all of these must give the same state, and in it, for each queue,
accepted = completed + cancelled + purged + live (guarantee K).

Exit status: 0 whole, 1 a rule is broken (each on a line of stderr), 2 there is nothing to read.
"""

import argparse
import json
import os
import sys
import uuid

from journal_files import Damage, Journal
from journal_state import State


def replay(journal, start, violations):
    """The state at the end, from a checkpoint, or from the first record where `start` is None."""
    state = State(journal)
    if start is None:
        segment, offset, lsn = 1, 64, 1
    else:
        segment, offset, lsn = start.restore(state)
    end = journal.walk(segment, offset, lsn, state.apply)
    name = start.name if start else "the first record"
    violations += [f"from {name}: {text}" for text in state.violations + state.broken_sums()]
    return state, end


def check(folder):
    """Journal, state, end and violations."""
    journal = Journal(folder)
    violations = list(journal.violations)
    states = []
    for start in journal.starts():
        try:
            states.append((start, *replay(journal, start, violations)))
        except Damage as damage:
            violations.append(str(damage))
    if not states:
        return journal, State(journal), None, violations
    first, state, end = states[0]
    for start, other, _ in states[1:]:
        violations += [f"from {start.name if start else 'the first record'} and from {first.name}: {text}"
                       for text in state.differences(other)]
    violations += journal.evidence_against(end)
    return journal, state, end, violations


def as_json(journal, state, end, violations):
    tasks = [
        {"id": str(uuid.UUID(bytes=key)), "queue": state.queues[task.queue].name, "group": task.group,
         "sequence": task.sequence, "state": task.standing, "receives": task.receives,
         "receipt": task.receipt, "payload_bytes": task.payload_bytes, "payload_crc32": task.payload_crc}
        for key, task in state.tasks.items()]
    finished = [
        {"id": str(uuid.UUID(bytes=key)), "state": entry.state, "queue": state.queues[entry.queue].name}
        for key, entry in state.finished.items()]
    return {
        "instance": f"{journal.instance or 0:016x}", "lsn": end.lsn - 1 if end else 0,
        "sealed": bool(end and end.sealed), "notes": journal.notes + (end.notes if end else []),
        "segments": sorted(journal.segments), "checkpoints": [each.name for each in journal.good],
        "queues": list(state.sums().values()),
        "tasks": tasks, "finished": finished, "violations": violations,
    }


def main():
    parser = argparse.ArgumentParser(description="Check a taskq journal without taskq.")
    parser.add_argument("state", metavar="STATE_DIR")
    parser.add_argument("--json", action="store_true", help="queues and tasks as one JSON value")
    parser.add_argument("--tasks", action="store_true", help="a line for each task besides")
    options = parser.parse_args()
    folder = options.state
    if os.path.isdir(os.path.join(folder, "journal")):
        folder = os.path.join(folder, "journal")
    try:
        journal, state, end, violations = check(folder)
    except Damage as damage:
        print(f"violation: {damage}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"read_journal: {error}", file=sys.stderr)
        return 2
    result = as_json(journal, state, end, violations)
    if options.json:
        json.dump(result, sys.stdout, indent=1)
        print()
    else:
        print(f"instance {result['instance']}, last LSN {result['lsn']}, "
              f"{'sealed' if result['sealed'] else 'not sealed'}, {len(journal.segments)} segments, "
              f"{len(journal.good)} good checkpoints")
        for sums in result["queues"]:
            counts = " ".join(f"{name}={sums[name]}" for name in (
                "accepted", "pending", "leased", "parked", "completed", "dead", "cancelled", "purged"))
            print(f"{sums['queue']}: {counts}{' (deleted)' if sums['deleted'] else ''} "
                  f"{'ok' if sums['holds'] else 'BROKEN'}")
        for task in result["tasks"] if options.tasks else []:
            print(f"task {task['id']} {task['state']} {task['queue']} {task['sequence']} {task['receives']} "
                  f"{task['receipt'] or 0} {task['payload_bytes']} {task['payload_crc32']} {task['group']}")
        for task in result["finished"] if options.tasks else []:
            print(f"finished {task['id']} {task['state']} {task['queue']}")
        for note in result["notes"]:
            print(f"note: {note}")
    for text in violations:
        print(f"violation: {text}", file=sys.stderr)
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())
