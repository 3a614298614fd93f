"""Fact sheets into Turtle files: ``data/sheets/<name>.yaml`` becomes ``data/<name>.ttl``."""

from __future__ import annotations

from pathlib import Path

from csto_kg.errors import CstoKgError
from csto_kg.serialization import dump, replace
from csto_kg.sheet import Sheet, read_register


def build(folder: Path) -> list[Path]:
    """Write the Turtle file of each fact sheet in ``folder/sheets``; return those that changed.

    A file that is already right is not touched. Raises :class:`CstoKgError` when there are no
    sheets, or for the first mistake in one.
    """
    changed = stale(folder)
    for path, data in changed.items():
        replace(path, data)
    return list(changed)


def stale(folder: Path) -> dict[Path, bytes]:
    """Return the missing and outdated Turtle files, and what should be in each."""
    sheets = folder / "sheets"
    paths = sorted(sheets.glob("*.yaml"))
    if not paths:
        raise CstoKgError(
            f"{sheets}: no fact sheets (*.yaml) here: name the folder that has sheets/"
        )
    register = read_register(sheets)
    built = {
        folder / f"{path.stem}.ttl": dump(Sheet.read(path).build(register), "turtle")
        for path in paths
    }
    if orphans := sorted(set(folder.glob("*.ttl")) - built.keys()):
        names = ", ".join(map(str, orphans))
        raise CstoKgError(f"{names}: no sheet builds it: remove it, or write its sheet")
    return {
        path: data for path, data in built.items() if not path.exists() or path.read_bytes() != data
    }
