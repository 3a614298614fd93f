"""Where a graph is kept, and opening it from there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pyoxigraph import DefaultGraph, NamedNode, Quad, Store

from csto_kg import shipped
from csto_kg.disk import is_disk, open_disk
from csto_kg.endpoint import MANIFEST, MERGED, VOCABULARY, Endpoint
from csto_kg.errors import CstoKgError
from csto_kg.graph import GRAPH, INFERRED, KnowledgeGraph
from csto_kg.home import Home, saved_queries
from csto_kg.journal import RECORD
from csto_kg.serialization import SUFFIXES, rdf_format, read, read_bytes, syntax_error
from csto_kg.vocabulary import ID

# Graphs that are not a file's.
_TAKEN = (MERGED, MANIFEST, INFERRED, RECORD)


def open_graph(path: str | Path | None = None) -> KnowledgeGraph:
    """Open the shipped graph, a graph of the user's own on top of it, or another one.

    ``path`` is a folder made by ``csto-kg init``, a store on disk made by ``csto-kg load``, a
    folder of RDF files, one RDF file, or the address of a SPARQL 1.1 endpoint. Raises
    :class:`CstoKgError` for a missing or unparsable file, for a damaged journal, and for a store
    that holds nothing of ours.
    """
    if isinstance(path, str) and path.lower().startswith(("http://", "https://")):
        return KnowledgeGraph(Endpoint.of(path), saved_queries())
    folder = None if path is None else Path(path)
    if folder and is_disk(folder):
        return KnowledgeGraph(open_disk(folder), saved_queries())
    home = Home.of(folder)
    if home and home.place:
        from csto_kg.index import opened

        return KnowledgeGraph(opened(home), saved_queries(folder), home=home)
    given = [*_files(shipped.DATA if folder is None or home else folder)]
    if home and home.data.is_dir():
        given += _rdf_files(home.data)
    store = Store()
    files = sources(given)
    unread = [(file, graph) for file, graph in files if not _load(store, file, graph)]
    if home:
        from csto_kg.submissions import Submissions

        quads = Submissions(home.folder).quads()
        store.bulk_extend(quads)
        store.bulk_extend(Quad(quad.subject, quad.predicate, quad.object) for quad in quads)
    return KnowledgeGraph(store, saved_queries(folder), unread, home)


def sources(files: Sequence[Path] = ()) -> list[tuple[Path, NamedNode]]:
    """Name the graph of each file of RDF, by default of the shipped ones, the ontology first.

    Raises :class:`CstoKgError` for a file whose name is that of another's graph.
    """
    ontology = [(shipped.ONTOLOGY / name, VOCABULARY) for name in ("csto.ttl", "schemes.ttl")]
    named: dict[NamedNode, Path] = {}
    for file in files or _files(shipped.DATA):
        graph = NamedNode(GRAPH + quote(os.fsencode(file.stem)))
        other = named.setdefault(graph, file)
        if graph in _TAKEN or other is not file:
            reason = "csto-kg keeps" if graph in _TAKEN else f"{other} has"
            raise CstoKgError(f"{file}: its graph would be {graph}, which {reason}: rename it")
    return [*ontology, *((file, graph) for graph, file in named.items())]


def _files(path: Path) -> Sequence[Path]:
    if path.is_dir():
        files = _rdf_files(path)
        if not files:
            raise CstoKgError(f"{path}: no RDF files: their names end in {', '.join(SUFFIXES)}")
        return files
    if not path.exists():
        hint = ": an address begins with http:// or https://" if ":" in str(path) else ""
        raise CstoKgError(f"{path}: no such file or folder{hint}")
    return [path]


def _rdf_files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES)


def _load(store: Store, path: Path, graph: NamedNode) -> bool:
    """Read a file into the default graph; tell whether it is in named graphs as well."""
    try:
        if not rdf_format(path).supports_datasets:
            store.load(read_bytes(path), format=rdf_format(path), base_iri=ID)
            return False
        quads = list(read(path))
    except SyntaxError as error:
        raise syntax_error(path, error) from None
    store.bulk_extend(
        Quad(q.subject, q.predicate, q.object, graph) if q.graph_name == DefaultGraph() else q
        for q in quads
    )
    store.bulk_extend(Quad(q.subject, q.predicate, q.object) for q in quads)
    return True
