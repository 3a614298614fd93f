"""A store on disk answers as the graph in memory does, and is whole or not there."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

import csto_kg
from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.disk import load
from csto_kg.home import saved_queries
from csto_kg.place import sources

from .conftest import ROOT, Run, quads


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("disk") / "index"
    load(folder, sources())
    return folder


@pytest.mark.parametrize("name", [*saved_queries()])
def test_a_saved_query_gives_the_same_rows_from_disk(
    kg: KnowledgeGraph, index: Path, name: str
) -> None:
    example = kg.queries[name].header.get("example") or {}
    assert isinstance(example, dict)
    given, chosen = example.get("parameters") or {}, example.get("sources") or []
    here = kg.run(name, sources=chosen, **given)
    assert csto_kg.open(index).run(name, sources=chosen, **given).text("csv") == here.text("csv")
    assert len(here)


def test_exports_are_the_same_bytes(kg: KnowledgeGraph, index: Path) -> None:
    disk = csto_kg.open(index)
    assert quads(disk) == quads(kg)
    for name in ("nquads", "turtle"):
        assert disk.export(None, name) == kg.export(None, name)
    assert disk.search("Армения").text("csv") == kg.search("Армения").text("csv")


def test_from_the_shell(csto: Run, kg: KnowledgeGraph, tmp_path: Path) -> None:
    kg.export(tmp_path / "graph.nq")
    loaded = csto("load", str(tmp_path / "index"), str(tmp_path / "graph.nq"))
    assert loaded.returncode == 0, loaded.stderr
    store = ("--store", str(tmp_path / "index"))
    members = ("query", "run", "members-on", "--alliance", "csto", "--date", "2000-01-01")
    assert csto(*members, *store).stdout == csto(*members).stdout
    by_atop = (*members, "--source", "atop-4-01")
    assert csto(*by_atop, *store).stdout == csto(*by_atop).stdout
    sheet = str(ROOT / "tests" / "second" / "invented-report-en.yaml")
    assert csto("validate", sheet, *store).stdout == f"{sheet}: conforms\n"
    twice = csto("load", str(tmp_path / "index"))
    assert (twice.returncode, "exists" in twice.stderr) == (2, True)


def test_progress_is_shown_on_a_terminal_and_nowhere_else(csto: Run, tmp_path: Path) -> None:
    terminal, screen = pty.openpty()
    command = [str(Path(sys.executable).parent / "csto-kg"), "load", str(tmp_path / "one")]
    shown = b""
    with subprocess.Popen(command, stderr=screen):
        os.close(screen)
        # Linux tells that nobody writes there any more by an error.
        with suppress(OSError):
            while piece := os.read(terminal, 1 << 16):
                shown += piece
    os.close(terminal)
    assert b"loading" in shown
    assert "loading" not in csto("load", str(tmp_path / "two")).stderr


def test_a_file_that_cannot_be_read_is_named(csto: Run, tmp_path: Path) -> None:
    for name in ("nothing.nq", "nothing.ttl"):
        said = csto("load", str(tmp_path / "index"), str(tmp_path / name))
        assert (said.returncode, f"{name}: cannot be read: No such file" in said.stderr) == (
            2,
            True,
        )
    assert not list(tmp_path.iterdir())


def test_a_file_that_is_not_rdf_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "bad.ttl").write_text("<a> <b> .\n")
    (tmp_path / "to").mkdir()
    with pytest.raises(CstoKgError, match=r"bad\.ttl:1:9: not valid turtle"):
        load(tmp_path / "to" / "index", sources([tmp_path / "bad.ttl"]))
    assert not list((tmp_path / "to").iterdir())
