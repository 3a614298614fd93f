"""A graph in an Oxigraph store on disk: an index that can be thrown away and built again.

It holds what the graph in memory holds: each source in a named graph, and all merged in the
default graph. The files that it was built from stay the truth.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import mkdtemp

from pyoxigraph import NamedNode, Quad, Store

from csto_kg.errors import CstoKgError
from csto_kg.serialization import rdf_format, read, syntax_error
from csto_kg.vocabulary import ID


def is_disk(folder: Path) -> bool:
    """Tell whether a folder is a store on disk."""
    return (folder / "CURRENT").is_file()


def open_disk(folder: Path) -> Store:
    """Open a store on disk for reading; raises :class:`CstoKgError` when it cannot be."""
    try:
        return Store.read_only(str(folder))
    except OSError as error:
        raise CstoKgError(f"{folder}: cannot be opened: {error}: load it anew") from None


def load(
    folder: Path,
    files: Sequence[tuple[Path, NamedNode]],
    quads: Sequence[Quad] = (),
    done: Callable[[Path], None] = lambda _: None,
) -> int:
    """Build a store on disk from files, each with its named graph, and from ``quads``.

    Returns the number of quads in it. ``done`` is called after each file. Raises
    :class:`CstoKgError` when the folder exists, or a file cannot be parsed; then nothing is left.
    """
    if folder.exists():
        raise CstoKgError(f"{folder}: exists: name a new folder, or remove it")
    try:
        new = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise CstoKgError(f"{folder}: cannot be made: {error.strerror}") from None
    try:
        store = Store(str(new))
        for path, graph in files:
            try:
                _load(store, path, graph)
            except SyntaxError as error:
                raise syntax_error(path, error) from None
            done(path)
        store.bulk_extend(quads)
        store.bulk_extend(Quad(*quad.triple) for quad in quads)
        store.flush()
        number = len(store)
        del store
        new.rename(folder)
    except OSError as error:
        raise CstoKgError(f"{folder}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return number


def _load(store: Store, path: Path, graph: NamedNode) -> None:
    if not rdf_format(path).supports_datasets:
        for target in (graph, None):
            store.bulk_load(path=str(path), format=rdf_format(path), base_iri=ID, to_graph=target)
        return
    store.bulk_load(path=str(path), format=rdf_format(path), base_iri=ID, to_graph=graph)
    store.bulk_extend(Quad(*quad.triple) for quad in read(path))
