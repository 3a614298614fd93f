"""A knowledge graph: sources in named graphs, all of them merged in the default graph.

The merged default graph is a set: what two sources both say is there once, so that counting in
an ad-hoc query counts facts. (A default graph that is the *union* of named graphs yields such a
triple twice in Oxigraph.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from io import BytesIO
from pathlib import Path
from threading import Lock
from typing import IO, TYPE_CHECKING, Any

from pyoxigraph import (
    DefaultGraph,
    Literal,
    NamedNode,
    Quad,
    QueryBoolean,
    QuerySolutions,
    Store,
)

from csto_kg import entities
from csto_kg.catalogue import SUFFIX, Catalogue, SavedQuery
from csto_kg.endpoint import MERGED, VOCABULARY, Endpoint, Engine
from csto_kg.errors import CstoKgError
from csto_kg.export import export
from csto_kg.home import Home
from csto_kg.results import Rows, Triples
from csto_kg.serialization import (
    FORMATS,
    SUFFIXES,
    rdf_format,
    read_bytes,
    replacing,
)
from csto_kg.sparql import check, names_graphs, unreadable
from csto_kg.surroundings import about, surroundings
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, ID, OA, PREFIXES, RDF, compact, slug_key

if TYPE_CHECKING:
    import rdflib

    from csto_kg.closure import Reasoner
    from csto_kg.report import Report

GRAPH = f"{ID}graph/"
INFERRED = NamedNode(f"{GRAPH}inferred")

_HAS_SOURCE = NamedNode(f"{OA}hasSource")


class KnowledgeGraph:
    """What a set of sources says about alliances, ready to be asked, validated and exported."""

    #: What inferred the triples that no source has, in a view that has such.
    reasoner: Reasoner | None = None

    def __init__(
        self,
        store: Engine,
        queries: Catalogue,
        unread: Iterable[tuple[Path, NamedNode]] = (),
        home: Home | None = None,
    ) -> None:
        """Wrap an engine whose default graph merges its named graphs; use :func:`csto_kg.open`.

        ``unread`` are files that are in the default graph, and not yet in their named graphs;
        ``home`` is where the graph is somebody's own.
        """
        self._store = store
        # Where names are looked up, which a view has from the whole graph.
        self._names = store
        self._unread = list(unread)
        self._reading = Lock()
        self.queries = queries
        self.home = home

    @property
    def store(self) -> Engine:
        """The engine: sources in named graphs, all of them merged in the default graph."""
        # Saved queries read the merged graph alone, and a shell should not wait for the rest.
        with self._reading:
            while self._unread:
                assert isinstance(self._store, Store)
                path, graph = self._unread[-1]
                self._store.bulk_load(read_bytes(path), format=rdf_format(path), base_iri=ID,
                                      to_graph=graph)  # fmt: skip
                self._unread.pop()
        return self._store

    @cached_property
    def dataset(self) -> rdflib.Dataset:
        """The same store as an ``rdflib.Dataset``; not a copy. A remote one can be read only."""
        import rdflib
        from oxrdflib import OxigraphStore
        from rdflib.plugins.stores.sparqlstore import SPARQLStore

        if isinstance(self.store, Endpoint):
            default = self.store.default
            return rdflib.Dataset(
                store=SPARQLStore(
                    self.store.query_url,
                    method="POST_FORM",
                    auth=self.store.credentials,
                    params={"default-graph-uri": default.value} if default else {},
                )
            )
        return rdflib.Dataset(store=OxigraphStore(store=self.store))

    @cached_property
    def keys(self) -> Mapping[str, str]:
        """The keys with which the slugs of a source's nodes begin, and the source of each."""
        owners: dict[str, str] = {}
        for quad in self._store.quads_for_pattern(None, _HAS_SOURCE, None, DefaultGraph()):
            owners.setdefault(slug_key(value(quad.subject)), value(quad.object))
        return owners

    def resolve(self, name: str, kind: str = "iri") -> str:
        """Return the IRI that a slug, CURIE, IRI or label means; see :func:`entities.resolve`."""
        return entities.resolve(self._names, name, kind)

    def view(
        self,
        sources: Iterable[str] = (),
        *,
        inferred: bool = False,
        reasoner: Reasoner | None = None,
    ) -> KnowledgeGraph:
        """Return the graph as the chosen sources have it, with inferred triples if asked for.

        ``sources`` are names of sources as :meth:`resolve` takes them; none means all. ``reasoner``
        is what infers: without it, the one that fits the size of the graph, with a
        :class:`CstoKgWarning` if that is slow; :attr:`reasoner` of the view says which. Raises
        :class:`CstoKgError` for an unknown source, for one whose facts stand in one named graph
        with those of another, and for a reasoner that is not there or not asked to infer; and when
        the graph contradicts itself.
        """
        if reasoner and not inferred:
            raise CstoKgError(f"{reasoner} has nothing to do unless asked to infer: add --inferred")
        graph, chosen = self, tuple(sources)
        if chosen:
            copy = _merged(self.store, [*self.graphs(chosen), VOCABULARY])
            graph = KnowledgeGraph(copy, self.queries)
        if inferred:
            graph = graph._closed(reasoner)
        graph._names = self._names
        return graph

    def run(
        self,
        query: str | Path | SavedQuery,
        *,
        sources: Iterable[str] = (),
        inferred: bool = False,
        reasoner: Reasoner | None = None,
        **parameters: object,
    ) -> Rows:
        """Run a saved query by name, or one of your own by the path of its ``.rq`` file.

        Values of parameters are strings as typed in a shell, or Python dates, numbers and
        booleans; ``sources``, ``inferred`` and ``reasoner`` choose a :meth:`view`. Returns rows;
        :class:`Triples` for CONSTRUCT and DESCRIBE. Raises :class:`CstoKgError` for an unknown
        query and for missing or ill-typed parameters.
        """
        text = self.saved(query).bind(parameters, self.resolve)
        return self.view(sources, inferred=inferred, reasoner=reasoner)._evaluate(text)

    def saved(self, query: str | Path | SavedQuery) -> SavedQuery:
        """Return the saved query of a name, or the one in a ``.rq`` file of the user's."""
        if isinstance(query, SavedQuery):
            return query
        if isinstance(query, Path) or query.endswith(SUFFIX):
            return SavedQuery.read(Path(query))
        return self.queries[query]

    def sparql(
        self,
        text: str,
        *,
        sources: Iterable[str] = (),
        inferred: bool = False,
        reasoner: Reasoner | None = None,
    ) -> Rows:
        """Run a read-only SPARQL 1.1 query; our prefixes need not be declared.

        ``sources``, ``inferred`` and ``reasoner`` choose a :meth:`view`. Raises
        :class:`CstoKgError` for a syntax error, an update, and what :func:`sparql.check` refuses.
        """
        return self.view(sources, inferred=inferred, reasoner=reasoner)._evaluate(text)

    def search(self, text: str) -> Rows:
        """Find entities by any of their names, best first: columns ``entity``, ``name``, ``class``.

        Letter case, diacritics and interchangeable Arabic and Russian letters make no difference.
        """
        return Rows(
            ("entity", "name", "class"),
            [
                (NamedNode(match.iri), Literal(match.name), self._class(match.iri))
                for match in entities.search(self._store, text)
            ],
        )

    def describe(self, entity: str) -> Rows:
        """Tell everything that is said with an entity, in both directions, and by whom."""
        return self.run("describe", entity=entity)

    def surroundings(self, entity: str) -> Triples:
        """Return an entity's own triples and the assertions about it with all they rest on.

        An assertion's citations, selectors, propositions, derivations and sources come whole; of
        what else is mentioned, type and names.
        """
        found = surroundings(self._store, NamedNode(self.resolve(entity)))
        return Triples(sorted(found, key=str))

    def cite_check(self, copy: Path, source: str | None = None) -> Rows:
        """Check each citation of a text source against a copy of the text.

        ``source`` may be left out when the graph has one text source. Columns: ``citation``,
        ``verdict`` (found, moved, ambiguous, gone), ``paragraph``, ``start``, ``end`` as cited,
        ``foundAt`` where the span is now.
        """
        from csto_kg.citation import SourceText, Span

        text = SourceText.read(copy)
        iri = self.resolve(source, "csto:Source") if source else self._text_source()
        cited = self._evaluate(_CITATIONS.replace("$source", str(NamedNode(iri))))
        rows = []
        for citation, paragraph, start, end, digest in cited.solutions:
            assert start is not None and end is not None and digest is not None
            finding = text.find(Span(int(value(start)), int(value(end)), value(digest)))
            place = None if finding.start is None else Literal(finding.start)
            rows.append((citation, Literal(finding.verdict), paragraph, start, end, place))
        return Rows(("citation", "verdict", "paragraph", "start", "end", "foundAt"), rows)

    def validate(self, path: str | Path) -> Report:
        """Judge a file of facts as the gate does, this graph being what it may refer to.

        Takes RDF in any format read here, or a fact sheet in YAML. It is judged in this process:
        for what strangers wrote use :func:`csto_kg.gate.validate`. Raises :class:`CstoKgError` if
        the file is missing.
        """
        from csto_kg.gate import judge

        return judge(Path(path), read_bytes(Path(path)), self)[0]

    def export(
        self, path: str | Path | None = None, format_name: str | None = None, **choice: Any
    ) -> bytes:
        """Write to a file what :meth:`write` does, or return the bytes if there is no ``path``.

        The ending of ``path`` tells the format unless ``format_name`` does. The file is replaced
        wholly or not at all. ``choice`` is as for :meth:`write`.
        """
        name = format_name or SUFFIXES.get(Path(path).suffix if path else ".ttl", "")
        if name not in FORMATS:
            raise CstoKgError(f"unknown format “{name or path}”: use one of {', '.join(FORMATS)}")
        if path is None:
            self.write(output := BytesIO(), name, **choice)
            return output.getvalue()
        with replacing(Path(path)) as new:
            self.write(new, name, **choice)
        return b""

    def write(
        self,
        output: IO[bytes],
        format_name: str = "turtle",
        *,
        sources: Iterable[str] = (),
        entity: str | None = None,
        inferred: bool = False,
        reasoner: Reasoner | None = None,
        done: Callable[[int], object] = lambda _: None,
    ) -> None:
        """Write the graph, the chosen sources or one entity with its surroundings as RDF.

        The bytes are the same every time and from every engine. Quad formats keep named graphs,
        the others merge them. The ontology is not written: it is published by itself. ``done`` is
        called with 1 for each of :meth:`graphs` that has been read.
        """
        graph, chosen = self, tuple(sources)
        if entity or inferred or reasoner:
            graph, chosen = self.view(chosen, inferred=inferred, reasoner=reasoner), ()
        if entity:
            output.write(graph.surroundings(entity).text(format_name).encode())
        else:
            export(graph.store, graph.graphs(chosen), format_name, output, done)

    def graphs(self, sources: Iterable[str] = ()) -> list[NamedNode]:
        """Return the named graphs of all sources or of those chosen, without the vocabulary.

        Raises :class:`CstoKgError` as :meth:`view` does.
        """
        chosen = {NamedNode(self.resolve(source, "csto:Source")) for source in sources}
        named = self._graphs_of(chosen) if chosen else set(self.store.named_graphs())
        ours = {graph for graph in named if isinstance(graph, NamedNode)} - {VOCABULARY}
        if len(ours) < len(named - {VOCABULARY}):
            raise CstoKgError("a named graph has a blank node for its name: give it an IRI")
        if not ours and isinstance(self.store, Endpoint):
            raise CstoKgError(
                f"{self.store.query_url}: has no named graph for each source: csto-kg push puts "
                "them there, or ask for what you want with csto-kg sparql 'CONSTRUCT ...'"
            )
        if not named and any(self.store.quads_for_pattern(None, None, None, DefaultGraph())):
            raise CstoKgError("all is in the default graph, and no named graph tells its source")
        return sorted(ours, key=str)

    def _evaluate(self, text: str) -> Rows:
        check(text)
        store = self.store if names_graphs(text) else self._store
        try:
            result = store.query(text, prefixes=PREFIXES)
        except SyntaxError as error:
            raise unreadable(text, error.msg, PREFIXES) from None
        if isinstance(result, QuerySolutions | QueryBoolean):
            return Rows.of(result)
        return Triples(list(result))

    def _graphs_of(self, sources: set[NamedNode]) -> set[NamedNode]:
        graphs = {
            quad.graph_name
            for source in sources
            for quad in self.store.quads_for_pattern(None, _HAS_SOURCE, source)
            if isinstance(quad.graph_name, NamedNode)
        } - {MERGED}
        for graph in graphs:
            held = {
                quad.object for quad in self.store.quads_for_pattern(None, _HAS_SOURCE, None, graph)
            }
            if others := held - sources:
                names = ", ".join(sorted(compact(value(other)) for other in others))
                raise CstoKgError(f"{graph} holds {names} too: choose it as well")
        return graphs

    def _closed(self, reasoner: Reasoner | None) -> KnowledgeGraph:
        from csto_kg.closure import infer

        copy = _merged(self.store, [*self.graphs(), VOCABULARY])
        inference = infer(copy, reasoner)
        copy.bulk_extend(
            Quad(t.subject, t.predicate, t.object, INFERRED) for t in inference.triples
        )
        copy.bulk_extend(Quad(*triple) for triple in inference.triples)
        closed = KnowledgeGraph(copy, self.queries)
        closed.reasoner = inference.reasoner
        return closed

    def _class(self, iri: str) -> NamedNode | None:
        types = sorted(
            value(triple.object)
            for triple in about(self._store, NamedNode(iri))
            if triple.predicate.value == f"{RDF}type" and isinstance(triple.object, NamedNode)
        )
        ours = [name for name in types if name.startswith(CSTO)] or types
        return NamedNode(ours[0]) if ours else None

    def _text_source(self) -> str:
        hashed = self._store.quads_for_pattern(
            None, NamedNode(f"{CSTO}textSha256"), None, DefaultGraph()
        )
        match sorted(value(quad.subject) for quad in hashed):
            case [source]:
                return source
            case []:
                raise CstoKgError("no source in the graph has a text that is cited by offsets")
            case several:
                raise CstoKgError(f"say which source: {', '.join(map(compact, several))}")


def _merged(store: Engine, graphs: Iterable[NamedNode]) -> Store:
    copy = Store()
    copy.bulk_extend(
        each
        for graph in graphs
        for quad in store.quads_for_pattern(None, None, None, graph)
        for each in (quad, Quad(*quad.triple))
    )
    return copy


_CITATIONS = f"""
SELECT ?citation ?paragraph ?start ?end ?sha256 WHERE {{
  ?citation <{OA}hasSource> $source ; <{OA}hasSelector> ?selector ;
    <{CSTO}paragraph> ?paragraph ; <{CSTO}spanSha256> ?sha256 .
  ?selector <{OA}start> ?start ; <{OA}end> ?end .
}} ORDER BY ?start ?end ?citation
"""
