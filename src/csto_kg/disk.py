"""A graph in an Oxigraph store on disk: an index that can be thrown away and built again.

It holds what the graph in memory holds: each source in a named graph, and all merged in the
default graph. The files that it was built from stay the truth.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BufferedReader, FileIO
from pathlib import Path
from tempfile import mkdtemp
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode, Quad, Store, parse

from csto_kg.errors import CstoKgError
from csto_kg.serialization import rdf_format, syntax_error
from csto_kg.vocabulary import ID

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_BLOCK = 1 << 20


def is_disk(folder: Path) -> bool:
    """Tell whether a folder is a store on disk."""
    return (folder / "CURRENT").is_file()


def open_disk(folder: Path) -> Store:
    """Open a store on disk for reading; raises :class:`CstoKgError` when it cannot be."""
    try:
        return Store.read_only(str(folder))
    except (OSError, RuntimeError) as error:
        raise CstoKgError(f"{folder}: cannot be opened: {error}: load it anew") from None


def load(
    folder: Path,
    files: Sequence[tuple[Path, NamedNode]],
    done: Callable[[int], object] = lambda _: None,
) -> None:
    """Build a store on disk from files, each with the named graph for its triples.

    The files are not held in memory; ``done`` is called with the number of bytes of them that were
    read since. Raises :class:`CstoKgError` when the folder exists, or a file cannot be read or
    parsed; then nothing is left.
    """
    if folder.exists():
        raise CstoKgError(f"{folder}: exists: name a new folder, or remove it")
    try:
        new = Path(mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise CstoKgError(f"{folder}: cannot be made: {error.strerror}") from None
    try:
        store = Store(str(new))
        # Each is nearly as much work for one processor as the whole is for bare Oxigraph.
        with ThreadPoolExecutor(2) as threads:
            work = [
                threads.submit(_named, store, files),
                threads.submit(_merged, store, files, done),
            ]
            for part in work:
                part.result()
        store.flush()
        del store
        new.rename(folder)
    except OSError as error:
        raise CstoKgError(f"{folder}: cannot be written: {error}") from None
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _named(store: Store, files: Sequence[tuple[Path, NamedNode]]) -> None:
    for path, graph in files:
        with _faults_of(path):
            store.bulk_load(path=path, format=rdf_format(path), base_iri=ID, to_graph=graph)


def _merged(
    store: Store, files: Sequence[tuple[Path, NamedNode]], done: Callable[[int], object]
) -> None:
    for path, _ in files:
        rdf = rdf_format(path)
        with _faults_of(path), BufferedReader(_Counted(path, done), _BLOCK) as file:
            if rdf.supports_datasets:
                quads = parse(file, format=rdf, base_iri=ID, rename_blank_nodes=True)
                store.bulk_extend(Quad(*quad.triple) for quad in quads)
            else:
                store.bulk_load(file, rdf, base_iri=ID)


@contextmanager
def _faults_of(path: Path) -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise CstoKgError(f"{path}: cannot be read: {error.strerror or error}") from None
    except SyntaxError as error:
        raise syntax_error(path, error) from None


class _Counted(FileIO):
    """A file that tells how much of it was read."""

    def __init__(self, path: Path, done: Callable[[int], object]) -> None:
        super().__init__(path)
        self._done = done

    def readinto(self, buffer: WriteableBuffer) -> int:
        number = super().readinto(buffer) or 0
        self._done(number)
        return number
