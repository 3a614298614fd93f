"""Lines sorted in memory and by `sort` are the same, and what goes wrong is said."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csto_kg import CstoKgError, KnowledgeGraph, lines
from csto_kg.lines import Reader, SortedLines

LINES = st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\n", b" ") + b"\n"))


@given(LINES, st.integers(1, 30), st.sampled_from([0, 50, 1 << 20]))
def test_lines_come_in_the_order_of_their_bytes_each_once(
    given: list[bytes], length: int, held: int
) -> None:
    data = b"".join(given)
    with pytest.MonkeyPatch.context() as patch, SortedLines() as sorted_:
        patch.setattr(lines, "_HELD", held)
        for start in range(0, len(data), length):
            sorted_.write(data[start : start + length])
        ordered = [line.removesuffix(b"\n") for line in sorted_.ordered()]
        assert ordered == sorted(set(data.split(b"\n")[:-1]))


def test_line_ends_of_other_systems_are_no_ends() -> None:
    with SortedLines() as sorted_:
        sorted_.write(b"b\r\na\x0bc\x85\x1c\n")
        assert [*sorted_.ordered()] == [b"a\x0bc\x85\x1c\n", b"b\r\n"]


@pytest.mark.parametrize("name", ["turtle", "ntriples", "nquads", "trig", "rdfxml", "jsonld"])
def test_what_is_sorted_on_disk_is_the_same_export(
    kg: KnowledgeGraph, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    here = kg.export(None, name)
    monkeypatch.setattr(lines, "_HELD", 1000)
    kg.write(output := BytesIO(), name)
    assert output.getvalue() == here


def test_no_program_to_sort_with(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_HELD", 0)
    monkeypatch.setenv("PATH", "/nowhere")
    with SortedLines() as sorted_, pytest.raises(CstoKgError, match="the program sort, which is"):
        sorted_.write(b"a\n")


def test_no_room_to_sort_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_HELD", 0)
    monkeypatch.setattr(lines, "_BUFFER", "1K")
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with (
        SortedLines() as sorted_,
        pytest.raises(CstoKgError, match=r"/nowhere.*set TMPDIR to another disk"),
    ):
        for number in range(1_000_000):
            sorted_.write(b"%d\n" % number)
        list(sorted_.ordered())


def test_a_sort_that_is_not_read_to_its_end_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lines, "_HELD", 0)
    with SortedLines() as sorted_:
        sorted_.write(b"".join(b"%d\n" % number for number in range(100_000)))
        assert next(sorted_.ordered()) == b"0\n"
        process = sorted_._sort
    assert process
    assert process.returncode is not None


@given(st.lists(st.binary(max_size=9)), st.integers(1, 5))
def test_blocks_are_read_as_one_file(blocks: list[bytes], size: int) -> None:
    reader = Reader(blocks)
    read = []
    while piece := reader.read(size):
        read.append(piece)
    assert b"".join(read) == b"".join(blocks)
