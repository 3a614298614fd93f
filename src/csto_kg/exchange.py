"""A graph put into another triple store, and taken back: nothing lost, nothing else touched.

Each source is a named graph of its own, and all of them merged are one more, which is what saved
queries read; the target's default graph and everybody else's graphs stay as they are. A manifest
says how many triples each graph has, and their hash. It is emptied first and written last, so
that a push that was broken off is noticed by whoever reads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from hashlib import sha256

from pyoxigraph import (
    BlankNode,
    CanonicalizationAlgorithm,
    Dataset,
    Literal,
    NamedNode,
    Quad,
    Triple,
)

from csto_kg.endpoint import MANIFEST, MERGED, Endpoint
from csto_kg.errors import CstoKgError
from csto_kg.graph import KnowledgeGraph
from csto_kg.serialization import dump
from csto_kg.terms import Term
from csto_kg.vocabulary import CSTO, RDF, XSD

# Blank nodes travel under names of their own (RDF 1.1 Concepts, section 3.5).
_GENID = "https://w3id.org/.well-known/genid/csto-kg/"
_VOID = "http://rdfs.org/ns/void#"
_BEGUN = Triple(MANIFEST, NamedNode(f"{RDF}type"), NamedNode(f"{_VOID}Dataset"))
_COUNT = NamedNode(f"{_VOID}triples")
_SHA256 = NamedNode(f"{CSTO}graphSha256")
# Canonical names for blank nodes take time that can explode; published data has none.
_MOST_BLANK = 1_000


@dataclass(frozen=True, slots=True)
class Parcel:
    """One named graph on its way: its triples and, for comparison, their hash."""

    graph: NamedNode
    triples: frozenset[Triple]
    sha256: str

    @classmethod
    def of(cls, graph: NamedNode, triples: Iterable[Triple]) -> Parcel:
        """Pack triples that have no blank nodes."""
        packed = frozenset(triples)
        return cls(graph, packed, sha256(dump(packed, "ntriples")).hexdigest())


def parcels(graph: KnowledgeGraph) -> list[Parcel]:
    """Pack a graph: its named graphs, the vocabulary, and all of them merged.

    Raises :class:`CstoKgError` for a graph with very many blank nodes.
    """
    store = graph.store
    packed = [
        Parcel.of(name, _named(name, {quad.triple for quad in store.quads_for_pattern(
            None, None, None, name)}))
        for name in sorted(store.named_graphs(), key=str)
        if isinstance(name, NamedNode)
    ]  # fmt: skip
    merged = frozenset[Triple]().union(*(parcel.triples for parcel in packed))
    return [*packed, Parcel.of(MERGED, merged)]


def push(
    packed: Iterable[Parcel], endpoint: Endpoint, done: Callable[[Parcel], None] = lambda _: None
) -> None:
    """Put parcels into a store in place of what was pushed there before, and verify each.

    ``done`` is called for each graph that has arrived whole. Raises :class:`CstoKgError` when the
    store cannot be written, or holds something else afterwards; what was done stays, and pushing
    again sets it right.
    """
    packed = list(packed)
    before = endpoint.graph(MANIFEST)
    endpoint.put(MANIFEST, {*_listed(before), _BEGUN})
    for parcel in packed:
        endpoint.put(parcel.graph, parcel.triples)
        _verify(parcel, endpoint)
        done(parcel)
    names = {parcel.graph for parcel in packed}
    for triple in _listed(before):
        if isinstance(triple.object, NamedNode) and triple.object not in names:
            endpoint.drop(triple.object)
    endpoint.put(MANIFEST, manifest(packed))


def pull(endpoint: Endpoint) -> set[Quad]:
    """Take back what was pushed, by the manifest: the sources' graphs, without the vocabulary.

    Raises :class:`CstoKgError` when a graph is not what was pushed, and names it.
    """
    said = endpoint.graph(MANIFEST)
    hashes = {t.subject: t.object.value for t in said if t.predicate == _SHA256}  # type: ignore[union-attr]
    if not hashes:
        raise CstoKgError(f"{endpoint.query_url}: nothing was pushed there, or not to its end")
    quads = set()
    for name, known in hashes.items():
        assert isinstance(name, NamedNode)
        if name in (MERGED, NamedNode(CSTO.removesuffix("#"))):
            continue
        found = Parcel.of(name, endpoint.graph(name))
        if found.sha256 != known:
            raise CstoKgError(
                f"{endpoint.query_url}: {name} was changed since it was pushed: push again"
            )
        quads |= {
            Quad(_unnamed(triple.subject), triple.predicate, _unnamed(triple.object), name)  # type: ignore[arg-type]
            for triple in found.triples
        }
    return quads


def requests(packed: Iterable[Parcel], graph_store: str | None = None) -> list[str]:
    """Return commands for a shell that put the same graphs by the Graph Store Protocol."""
    url = graph_store or "$GRAPH_STORE"
    return [
        f"curl -f -X PUT -H 'Content-Type: text/turtle' --data-binary @{_slug(parcel.graph)}.ttl "
        f"'{url}?graph={parcel.graph.value.replace('#', '%23')}'"
        for parcel in packed
    ]


def manifest(packed: Iterable[Parcel]) -> set[Triple]:
    """Return what the manifest says of graphs that are all there."""
    said = {_BEGUN}
    for parcel in packed:
        number = Literal(str(len(parcel.triples)), datatype=NamedNode(f"{XSD}integer"))
        said |= {
            Triple(MANIFEST, NamedNode(f"{_VOID}subset"), parcel.graph),
            Triple(parcel.graph, _COUNT, number),
            Triple(parcel.graph, _SHA256, Literal(parcel.sha256)),
        }
    return said


def _listed(said: Iterable[Triple]) -> set[Triple]:
    """What of a manifest names graphs, so that a push in between forgets none."""
    return {triple for triple in said if triple.predicate.value == f"{_VOID}subset"}


def _verify(parcel: Parcel, endpoint: Endpoint) -> None:
    arrived = Parcel.of(parcel.graph, endpoint.graph(parcel.graph))
    if arrived.sha256 != parcel.sha256:
        lost, strange = parcel.triples - arrived.triples, arrived.triples - parcel.triples
        example = next(iter(sorted(map(str, lost or strange))), "")
        raise CstoKgError(
            f"{endpoint.query_url}: {parcel.graph} did not arrive as it was sent: {len(lost)} "
            f"triples are missing and {len(strange)} are strange, such as {example}"
        )


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


def _slug(graph: NamedNode) -> str:
    return graph.value.rpartition("/")[2]
