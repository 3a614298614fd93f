"""A graph put into another triple store, and taken back: nothing lost, nothing else touched.

Each source is a named graph of its own, and all of them merged are one more, which is what saved
queries read; the target's default graph and everybody else's graphs stay as they are. A manifest
says how many triples each graph has, and their hash: that of its sorted N-Triples. It is emptied
first and written last, so that a push that was broken off is noticed by whoever reads.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from heapq import merge
from io import RawIOBase
from itertools import chain, groupby, islice, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, TYPE_CHECKING, cast
from urllib.parse import quote

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    QuerySolutions,
    RdfFormat,
    Store,
    Triple,
    parse,
)

from csto_kg.endpoint import HEAD, MANIFEST, MERGED, VOCABULARY, Endpoint
from csto_kg.errors import CstoKgError
from csto_kg.export import export
from csto_kg.graph import KnowledgeGraph
from csto_kg.lines import SortedLines
from csto_kg.serialization import SUFFIXES, rdf_format, replacing, write
from csto_kg.terms import Term, value
from csto_kg.vocabulary import CSTO, RDF, XSD

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Blank nodes travel under names of their own (RDF 1.1 Concepts, section 3.5).
_GENID = "https://w3id.org/.well-known/genid/csto-kg/"
_VOID = "http://rdfs.org/ns/void#"
_BEGUN = Triple(MANIFEST, NamedNode(f"{RDF}type"), NamedNode(f"{_VOID}Dataset"))
_COUNT = NamedNode(f"{_VOID}triples")
_SHA256 = NamedNode(f"{CSTO}graphSha256")
# Canonical names for blank nodes take time that can explode; published data has none.
_MOST_BLANK = 1_000
# Blank nodes of the default graph are none of those in named graphs.
_ALONE = """
SELECT (COUNT(*) AS ?n) {
  ?s ?p ?o FILTER(!ISBLANK(?s) && !ISBLANK(?o)) FILTER NOT EXISTS { GRAPH ?g { ?s ?p ?o } }
}"""
_BLANK = re.compile(rb"_:|\S+ \S+ _:")


@dataclass(frozen=True, slots=True)
class Parcel:
    """One named graph on its way: a file with its triples, how many they are, and their hash.

    The file is what :meth:`Endpoint.put` takes, its N-Triples sorted.
    """

    graph: NamedNode
    body: Path
    number: int
    sha256: str

    @classmethod
    def of(cls, graph: NamedNode, triples: Iterable[Triple], body: Path) -> Parcel:
        """Pack triples that have no blank nodes into a new file."""
        with _Body(body) as file:
            write(triples, "ntriples", cast("IO[bytes]", file))
            return file.sealed(graph)

    def lines(self) -> Iterator[bytes]:
        """Yield its N-Triples in order."""
        with self.body.open("rb") as file:
            yield from islice(file, 1, None)


@contextmanager
def packing(graph: KnowledgeGraph) -> Iterator[list[Parcel]]:
    """Pack a graph: its named graphs, the vocabulary, and all of them merged.

    The files are there until the context is left. Raises :class:`CstoKgError` for a graph with
    very many blank nodes, and for one with triples that no named graph has.
    """
    with TemporaryDirectory(prefix="csto-kg-") as name:
        folder = Path(name)
        names = [VOCABULARY, *graph.graphs()]
        _check_whole(graph)
        packed = [_packed(graph, one, folder / f"{n}.ttl") for n, one in enumerate(names)]
        with SortedLines() as lines, _Body(folder / "merged.ttl") as file:
            for parcel in packed:
                for line in parcel.lines():
                    lines.write(line)
            file.writelines(lines.ordered())
            packed.append(file.sealed(MERGED))
        yield [parcel for parcel in packed if parcel.number]


def push(
    packed: Iterable[Parcel], endpoint: Endpoint, done: Callable[[Parcel], object] = lambda _: None
) -> None:
    """Put parcels into a store in place of what was pushed there before, and verify each.

    ``done`` is called for each graph that has arrived whole. Raises :class:`CstoKgError` when the
    store cannot be written, or holds something else afterwards; what was done stays, and pushing
    again sets it right.
    """
    packed = list(packed)
    before = endpoint.graph(MANIFEST)
    _say({*_listed(before), _BEGUN}, endpoint)
    for parcel in packed:
        endpoint.put(parcel.graph, parcel.body)
        _verify(parcel, endpoint)
        done(parcel)
    names = {parcel.graph for parcel in packed}
    for triple in _listed(before):
        if isinstance(triple.object, NamedNode) and triple.object not in names:
            endpoint.drop(triple.object)
    _say(manifest(packed), endpoint)


def pull(
    endpoint: Endpoint, output: Path, done: Callable[[Parcel], object] = lambda _: None
) -> int:
    """Take back what was pushed, by the manifest: the sources' graphs, without the vocabulary.

    Writes ``output``, whose ending tells the format, and returns how many triples the graphs have.
    ``done`` is called for each graph that is as it was. Raises :class:`CstoKgError` when one is
    not, and names it; then nothing is written.
    """
    quads = rdf_format(output).supports_datasets
    said = endpoint.graph(MANIFEST)
    hashes = {t.subject: t.object.value for t in said if t.predicate == _SHA256}  # type: ignore[union-attr]
    if not hashes:
        raise CstoKgError(f"{endpoint.query_url}: nothing was pushed there, or not to its end")
    with TemporaryDirectory(prefix="csto-kg-") as folder:
        found = []
        for number, name in enumerate(sorted(hashes, key=str)):
            assert isinstance(name, NamedNode)
            if name in (MERGED, VOCABULARY):
                continue
            parcel = Parcel.of(name, endpoint.triples(name), Path(folder) / f"{number}.ttl")
            if parcel.sha256 != hashes[name]:
                raise CstoKgError(
                    f"{endpoint.query_url}: {name} was changed since it was pushed: push again"
                )
            found.append(parcel)
            done(parcel)
        with replacing(output) as new:
            taken = chain.from_iterable(map(_unpacked, found))
            write(taken if quads else (q.triple for q in taken), SUFFIXES[output.suffix], new)
    return sum(parcel.number for parcel in found)


def restate(endpoint: Endpoint, names: Collection[NamedNode]) -> None:
    """Say anew in the manifest what some graphs hold, which were written to since the push.

    Of the merged graph, which was written to as well, nothing is said from then on.
    """
    apart = {*names, MERGED}
    kept = {t for t in endpoint.graph(MANIFEST) if t.subject not in apart and t.object not in names}
    with TemporaryDirectory(prefix="csto-kg-") as folder:
        found = [
            Parcel.of(name, endpoint.triples(name), Path(folder) / f"{number}.ttl")
            for number, name in enumerate(names)
        ]
    _say({*kept, *manifest(parcel for parcel in found if parcel.number)}, endpoint)


def requests(
    packed: Iterable[Parcel], graph_store: str | None = None, options: Iterable[str] = ()
) -> list[str]:
    """Return commands for a shell that put the same graphs by the Graph Store Protocol.

    ``options`` are those by which ``csto-kg sparql`` asks the graph that was packed.
    """
    url = graph_store or "GRAPH_STORE"
    asked = f"{url}{'&' if '?' in url else '?'}graph="
    commands = []
    for parcel in packed:
        pattern = "?s ?p ?o" if parcel.graph == MERGED else f"GRAPH {parcel.graph} {{ ?s ?p ?o }}"
        words = (f"CONSTRUCT {{ ?s ?p ?o }} WHERE {{ {pattern} }}", "--format", "turtle", *options)
        address = shlex.quote(asked + quote(parcel.graph.value, safe=""))
        commands.append(
            f"csto-kg sparql {shlex.join(words)} | "
            f"curl -f -X PUT -H 'Content-Type: text/turtle' --data-binary @- {address}"
        )
    return commands


def manifest(packed: Iterable[Parcel]) -> set[Triple]:
    """Return what the manifest says of graphs that are all there."""
    said = {_BEGUN}
    for parcel in packed:
        number = Literal(str(parcel.number), datatype=NamedNode(f"{XSD}integer"))
        said |= {
            Triple(MANIFEST, NamedNode(f"{_VOID}subset"), parcel.graph),
            Triple(parcel.graph, _COUNT, number),
            Triple(parcel.graph, _SHA256, Literal(parcel.sha256)),
        }
    return said


def _listed(said: Iterable[Triple]) -> set[Triple]:
    """What of a manifest names graphs, so that a push in between forgets none."""
    return {triple for triple in said if triple.predicate.value == f"{_VOID}subset"}


def _say(said: Iterable[Triple], endpoint: Endpoint) -> None:
    with TemporaryDirectory(prefix="csto-kg-") as folder:
        parcel = Parcel.of(MANIFEST, said, Path(folder) / "manifest.ttl")
        endpoint.put(MANIFEST, parcel.body)


def _verify(parcel: Parcel, endpoint: Endpoint) -> None:
    body = parcel.body.with_suffix(".back")
    arrived = Parcel.of(parcel.graph, endpoint.triples(parcel.graph), body)
    if arrived.sha256 != parcel.sha256:
        ours, theirs = (
            zip(parcel.lines(), repeat("missing")),
            zip(arrived.lines(), repeat("strange")),
        )
        alone, example = Counter[str](), ""
        for line, found in groupby(merge(ours, theirs), key=lambda pair: pair[0]):
            side, *both = (pair[1] for pair in found)
            if not both:
                alone[side] += 1
                example = example or line.decode().strip()
        raise CstoKgError(
            f"{endpoint.query_url}: {parcel.graph} did not arrive as it was sent: "
            f"{alone['missing']} triples are missing and {alone['strange']} are strange, "
            f"such as {example}"
        )
    body.unlink()


def _check_whole(graph: KnowledgeGraph) -> None:
    """Refuse what would be lost, for it is in the default graph alone."""
    if not isinstance(graph.store, Store):
        return
    rows = graph.store.query(_ALONE)
    assert isinstance(rows, QuerySolutions)
    [[number]] = rows
    if lost := int(value(number)):
        raise CstoKgError(
            f"{lost} triples are in no named graph: load the files that they are from with "
            "csto-kg load"
        )


def _packed(graph: KnowledgeGraph, name: NamedNode, body: Path) -> Parcel:
    with _Body(body) as file:
        export(graph.store, [name], "ntriples", cast("IO[bytes]", file))
        if not file.blank:
            return file.sealed(name)
    quads = graph.store.quads_for_pattern(None, None, None, name)
    return Parcel.of(name, _named(name, {quad.triple for quad in quads}), body)


def _unpacked(parcel: Parcel) -> Iterator[Quad]:
    for quad in parse(path=parcel.body, format=RdfFormat.TURTLE):
        yield Quad(_unnamed(quad.subject), quad.predicate, _unnamed(quad.object), parcel.graph)  # type: ignore[arg-type]


class _Body(RawIOBase):
    """The file of a parcel: takes N-Triples line by line, in order."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        self._file = path.open("wb")
        self._file.write(HEAD)
        self._hash = sha256()
        self._number = 0
        self.blank = False

    def writable(self) -> bool:
        return True

    def write(self, piece: ReadableBuffer) -> int:
        line = bytes(piece)
        self.blank = self.blank or (b"_:" in line and bool(_BLANK.match(line)))
        self._hash.update(line)
        self._number += 1
        return self._file.write(line)

    def sealed(self, graph: NamedNode) -> Parcel:
        """Return the parcel when all is written."""
        self._file.flush()
        return Parcel(graph, self._path, self._number, self._hash.hexdigest())

    def close(self) -> None:
        self._file.close()
        super().close()


def _named(graph: NamedNode, triples: set[Triple]) -> set[Triple]:
    """Give blank nodes names that are the same every time."""
    blank = {
        term for t in triples for term in (t.subject, t.object) if isinstance(term, BlankNode)
    }  # fmt: skip
    if not blank:
        return triples
    if len(blank) > _MOST_BLANK:
        raise CstoKgError(f"{graph}: {len(blank)} blank nodes: name them")
    dataset = Dataset(Quad(*triple) for triple in triples)
    dataset.canonicalize(CanonicalizationAlgorithm.RDFC_1_0)
    key = sha256(graph.value.encode()).hexdigest()[:8]

    def name(term: Term) -> Term:
        return NamedNode(f"{_GENID}{key}/{term.value}") if isinstance(term, BlankNode) else term

    return {Triple(name(q.subject), q.predicate, name(q.object)) for q in dataset}  # type: ignore[arg-type]


def _unnamed(term: Term) -> Term:
    if isinstance(term, NamedNode) and term.value.startswith(_GENID):
        return BlankNode(term.value.removeprefix(_GENID).replace("/", ""))
    return term
