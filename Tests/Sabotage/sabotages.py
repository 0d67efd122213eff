"""The table of sabotages, and the tree that they are built into."""

import io
import re
import subprocess
import tarfile
import tomllib
from dataclasses import dataclass
from pathlib import Path

TABLE = Path(__file__).with_name("sabotages.toml")

SWITCH = """\
import Glibc

/// Which sabotage is on in this process; one at most.
enum Sabotage {{
    static let variable = "TASKQ_SABOTAGE=" + name
    private static let name = getenv("TASKQ_SABOTAGE").map {{ String(cString: $0) }} ?? ""
{flags}
}}
"""


class TableError(Exception):
    """The table does not fit the sources."""


@dataclass(frozen=True)
class Edit:
    file: str
    find: str
    replace: str


@dataclass(frozen=True)
class Sabotage:
    name: str
    rule: str
    breaks: str
    edits: tuple[Edit, ...]

    @property
    def flag(self) -> str:
        """The name as a Swift constant."""
        first, *rest = self.name.split("-")
        return first + "".join(word.capitalize() for word in rest)


@dataclass(frozen=True)
class Table:
    sabotages: tuple[Sabotage, ...]
    plumbing: tuple[Edit, ...]


def read_table() -> Table:
    with TABLE.open("rb") as file:
        data = tomllib.load(file)
    sabotages = tuple(
        Sabotage(
            entry["name"],
            entry["rule"],
            entry["breaks"],
            tuple(edit(part) for part in (entry, *entry.get("also", ()))),
        )
        for entry in data["sabotage"]
    )
    names = [sabotage.name for sabotage in sabotages]
    for name in names:
        if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) or names.count(name) > 1:
            raise TableError(f'"{name}" is no name of its own in kebab-case')
    return Table(sabotages, tuple(edit(part) for part in data["plumbing"]))


def edit(part: dict) -> Edit:
    return Edit(part["file"], part["find"], part["replace"])


def sources(root: Path, revision: str | None, changed: list[str]) -> dict[str, bytes]:
    """Every file of the tree by its path: of the work tree, or of a commit but for the folders `changed`."""

    def git(*arguments: str) -> bytes:
        return subprocess.run(["git", "-C", root, *arguments], check=True, capture_output=True).stdout

    names = git("ls-files", "-z", "--cached", "--others", "--exclude-standard").decode().split("\0")
    present = {name: (root / name).read_bytes() for name in names if name and (root / name).is_file()}
    if revision is None:
        return present

    def is_changed(name: str) -> bool:
        return any(name.startswith(f"{folder}/") for folder in changed)

    with tarfile.open(fileobj=io.BytesIO(git("archive", "--format=tar", revision))) as archive:
        files = {
            member.name: archive.extractfile(member).read()
            for member in archive
            if member.isfile() and not is_changed(member.name)
        }
    return files | {name: content for name, content in present.items() if is_changed(name)}


def insert(table: Table, files: dict[str, bytes]) -> dict[str, bytes]:
    """The files with every sabotage in them, each behind its switch."""
    files = dict(files)
    problems: list[str] = []
    modules: set[str] = set()
    parts = [("plumbing", part, "") for part in table.plumbing]
    parts += [
        (sabotage.name, part, f"Sabotage.{sabotage.flag}")
        for sabotage in table.sabotages
        for part in sabotage.edits
    ]
    for name, part, flag in parts:
        text = files.get(part.file, b"").decode()
        if (count := text.count(part.find)) != 1:
            problems.append(f"{name}: found {count} times in {part.file}:\n{part.find}")
            continue
        replacement = re.sub(r"\bSABOTAGED\b", flag, part.replace)
        files[part.file] = text.replace(part.find, replacement).encode()
        modules.add("/".join(part.file.split("/")[:2]))
    if problems:
        raise TableError(
            "\n\n".join(problems)
            + "\n\nThe sources have changed: give each of these the text that stands there now, in "
            + f"{TABLE.parent.name}/{TABLE.name}, so that it breaks the same rule."
        )
    flags = "\n".join(
        f'    static let {sabotage.flag} = name == "{sabotage.name}"' for sabotage in table.sabotages
    )
    for module in modules:
        files[f"{module}/Sabotage.swift"] = SWITCH.format(flags=flags).encode()
    return files


def write_tree(files: dict[str, bytes], folder: Path) -> None:
    """Makes `folder` hold these files; what is the same already keeps its time, for the next build."""
    for name, content in files.items():
        path = folder / name
        if path.is_file() and path.read_bytes() == content:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    for path in folder.rglob("*"):
        if path.is_file() and path.relative_to(folder).as_posix() not in files:
            path.unlink()
