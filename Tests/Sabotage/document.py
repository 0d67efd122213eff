"""docs/sabotage.md, made from the table and the results of a run."""

import re
from pathlib import Path

from sabotages import Table

HEAD = """\
# Sabotage

Each line is one rule broken on purpose, in a copy of the sources, and what the simulation said first.
`make sabotage` builds all of them into one program, switches on one at a time, and fails if one is not
caught; `make sabotage DOCUMENT=docs/sabotage.md` writes this page. The table is
`Tests/Sabotage/sabotages.toml`. A letter names a guarantee or a rule of the journal; *trap* is a check in the
program itself that ended the process.

| sabotage | what it breaks | rule | caught by |
|---|---|---|---|
"""


def write_document(path: Path, table: Table, results: dict) -> None:
    rows = [
        f"| `{sabotage.name}` | {sabotage.breaks} | {sabotage.rule} "
        f"| {catcher(results[sabotage.name].message)} |"
        for sabotage in table.sabotages
    ]
    path.write_text(HEAD + "\n".join(rows) + "\n")


def catcher(message: str) -> str:
    """What was said, without what differs from seed to seed."""
    if trap := re.search(r"Fatal error: (.*)", message):
        message = f"trap: {trap[1]}"
    message = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}\b", "…", message)
    message = re.sub(r"\b\d+\b", "n", message)
    return message.replace("|", "\\|")[:100]
