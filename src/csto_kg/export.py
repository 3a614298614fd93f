"""Named graphs of an engine written as RDF: the same bytes from every engine."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import RawIOBase
from typing import IO, TYPE_CHECKING, cast

from pyoxigraph import NamedNode, RdfFormat, Store

from csto_kg.lines import SortedLines
from csto_kg.serialization import FORMATS, write

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

    from csto_kg.endpoint import Engine


def export(
    engine: Engine,
    graphs: Iterable[NamedNode],
    format_name: str,
    output: IO[bytes],
    done: Callable[[int], object] = lambda _: None,
) -> None:
    """Write named graphs, apart in the quad formats and merged in the others.

    They are not held in memory, but for JSON-LD. ``done`` is called with 1 for each graph read.
    Raises :class:`CstoKgError` as the engine and :class:`SortedLines` do.
    """
    quads = FORMATS[format_name].supports_datasets
    if isinstance(engine, Store) and format_name in ("ntriples", "nquads"):
        with SortedLines() as lines:
            for graph in graphs:
                into = cast("IO[bytes]", _Labelled(lines, graph) if quads else lines)
                engine.dump(into, format=RdfFormat.N_TRIPLES, from_graph=graph)
                done(1)
            output.writelines(lines.ordered())
        return
    found = (
        quad
        for graph in _told(graphs, done)
        for quad in engine.quads_for_pattern(None, None, None, graph)
    )
    write(found if quads else (quad.triple for quad in found), format_name, output)


def _told(graphs: Iterable[NamedNode], done: Callable[[int], object]) -> Iterable[NamedNode]:
    for graph in graphs:
        yield graph
        done(1)


class _Labelled(RawIOBase):
    """Makes N-Quads of N-Triples: a line ends nowhere but where its statement does."""

    def __init__(self, lines: SortedLines, graph: NamedNode) -> None:
        super().__init__()
        self._lines = lines
        self._end = f" {graph} .\n".encode()
        self._rest = b""

    def writable(self) -> bool:
        return True

    def write(self, piece: ReadableBuffer) -> int:
        data = bytes(piece)
        whole, newline, rest = data.rpartition(b"\n")
        if newline:
            self._lines.write((self._rest + whole + newline).replace(b" .\n", self._end))
            self._rest = rest
        else:
            self._rest += rest
        return len(data)
