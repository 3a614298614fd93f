"""RDF in and out of bytes: the formats, and the one order in which they are written.

The same triples give the same bytes in every format, on any machine and under any hash seed:
they are sorted before they are written, and there are no blank nodes to be renamed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO, RawIOBase
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO, TYPE_CHECKING, Any, cast

from pyoxigraph import (
    BlankNode,
    Literal,
    NamedNode,
    Quad,
    QuadParser,
    RdfFormat,
    Triple,
    parse,
    serialize,
)

from csto_kg.errors import CstoKgError
from csto_kg.lines import Reader, SortedLines
from csto_kg.vocabulary import ID, KINDS, PREFIXES, RDF, RDFS, SKOS

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

#: Names of the formats, as ``--format`` takes them.
FORMATS: dict[str, RdfFormat] = {
    "turtle": RdfFormat.TURTLE,
    "ntriples": RdfFormat.N_TRIPLES,
    "nquads": RdfFormat.N_QUADS,
    "trig": RdfFormat.TRIG,
    "jsonld": RdfFormat.JSON_LD,
    "rdfxml": RdfFormat.RDF_XML,
}

#: File name endings and the format that each stands for.
SUFFIXES: dict[str, str] = {
    ".ttl": "turtle",
    ".nt": "ntriples",
    ".nq": "nquads",
    ".trig": "trig",
    ".jsonld": "jsonld",
    ".rdf": "rdfxml",
    ".xml": "rdfxml",
    ".owl": "rdfxml",
}


def rdf_format(path: Path) -> RdfFormat:
    """Tell a file's format by its ending; raises :class:`CstoKgError` for an unknown one."""
    if path.suffix not in SUFFIXES:
        raise CstoKgError(f"{path}: unknown ending: use one of {', '.join(SUFFIXES)}")
    return FORMATS[SUFFIXES[path.suffix]]


def read_bytes(path: Path) -> bytes:
    """Read a file; raises :class:`CstoKgError` when it is missing or cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None


def read(path: Path) -> QuadParser:
    """Parse an RDF file, its format told by its ending; yields quads as they are read.

    Blank nodes get names of their own, for those of two files are not the same.

    Raises :class:`CstoKgError` for a missing file or an unknown ending; iterating raises
    ``SyntaxError``, which :func:`syntax_error` puts into words.
    """
    rdf = rdf_format(path)
    try:
        return parse(path=path, format=rdf, base_iri=ID, rename_blank_nodes=True)
    except OSError as error:
        raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None


def syntax_error(path: Path, error: SyntaxError) -> CstoKgError:
    """Say where in ``path`` the parser stopped and why."""
    place = f"{path}:{error.lineno}:{error.offset}" if error.lineno else str(path)
    reason = re.sub(r"^Parser error at line \d+[^:]*: ", "", error.msg)
    return CstoKgError(f"{place}: not valid {SUFFIXES[path.suffix]}: {reason}")


def dump(statements: Iterable[Triple] | Iterable[Quad], format_name: str) -> bytes:
    """Return what :func:`write` writes."""
    output = BytesIO()
    write(statements, format_name, output)
    return output.getvalue()


def write(
    statements: Iterable[Triple] | Iterable[Quad], format_name: str, output: IO[bytes]
) -> None:
    """Write triples or quads in a named format: each once, in a fixed order.

    The quad formats take quads, the others triples; raises ``TypeError`` when mixed up, and
    :class:`CstoKgError` for what RDF/XML cannot say. However many there are, they are not held in
    memory, but for JSON-LD, which is one document.
    """
    rdf = FORMATS[format_name]
    with SortedLines() as lines:
        if format_name in ("ntriples", "nquads"):
            serialize(statements, output=cast("IO[bytes]", lines), format=rdf)
            output.writelines(lines.ordered())
            return
        namespaces: set[str] = set()
        for statement in statements:
            if format_name == "rdfxml":
                _check_xml(statement)
            namespaces |= _namespaces(statement)
            lines.write(_keyed(statement))
        prefixes = {name: iri for name, iri in sorted(PREFIXES.items()) if iri in namespaces}
        ordered: Any = parse(_unkeyed(lines), format=RdfFormat.N_QUADS)
        if not rdf.supports_datasets:
            ordered = (quad.triple for quad in ordered)
        if format_name in ("turtle", "trig"):
            serialize(
                ordered, output=cast("IO[bytes]", _Layout(output)), format=rdf, prefixes=prefixes
            )
        elif format_name == "jsonld":
            document = json.loads(serialize(ordered, format=rdf, prefixes=prefixes) or b"")
            output.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")
        else:
            serialize(ordered, output=output, format=rdf, prefixes=prefixes)


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in place of the file at ``path``, wholly or not at all.

    Raises :class:`CstoKgError` when the folder cannot be written.
    """
    with replacing(path) as new:
        new.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write what is to be in place of the file at ``path``, wholly or not at all.

    What is no plain file, such as a pipe, is written to as it is. Raises :class:`CstoKgError` when
    the folder cannot be written.
    """
    path = path.resolve()
    try:
        if path.exists() and not path.is_file():
            with path.open("wb") as straight:
                yield straight
            return
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            try:
                yield new.file
                new.flush()
                os.fsync(new.fileno())
                # NamedTemporaryFile makes private files; a result is as readable as any other.
                os.fchmod(new.fileno(), 0o666 & ~_umask())
                Path(new.name).replace(path)
            except BaseException:
                Path(new.name).unlink(missing_ok=True)
                raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise CstoKgError(f"{path}: cannot be written: {error.strerror or error}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


# A predicate ends in the name of an element; some characters no XML document has.
_XML_NAME = re.compile(r"[^\W\d][\w.-]*$")
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_KIND_ORDER = {kind: number for number, kind in enumerate(KINDS)}
_FIRST_PREDICATES = {f"{RDF}type": 0, f"{RDFS}label": 1, f"{SKOS}altLabel": 2}


def _keyed(statement: Triple | Quad) -> bytes:
    """Write a statement as a line behind the key that it is sorted by."""
    predicate = statement.predicate.value
    graph = str(statement.graph_name) if isinstance(statement, Quad) else ""
    kind, subject = _node_order(statement.subject)
    first = _FIRST_PREDICATES.get(predicate, 3)
    return f"{graph}\t{kind:02}\t{subject}\t{first}\t{predicate}\t{statement} .\n".encode()


def _check_xml(statement: Triple | Quad) -> None:
    """Refuse what RDF/XML cannot say (RDF 1.1 XML Syntax, section 4)."""
    predicate, said = statement.predicate.value, statement.object
    if not _XML_NAME.search(predicate):
        raise CstoKgError(f"RDF/XML has no way to write <{predicate}>: choose another format")
    if isinstance(said, Literal) and _NOT_XML.search(said.value):
        raise CstoKgError(f"RDF/XML cannot hold a character of {said}: choose another format")


def _unkeyed(lines: SortedLines) -> BufferedReader:
    return BufferedReader(Reader(line.split(b"\t", 5)[5] for line in lines.ordered()))


def _node_order(node: NamedNode | BlankNode | Triple) -> tuple[int, str]:
    iri = node.value if isinstance(node, NamedNode) else str(node)
    kind = iri.removeprefix(ID).partition("/")[0] if iri.startswith(ID) else ""
    return _KIND_ORDER.get(kind, len(KINDS)), iri


def _namespaces(statement: Triple | Quad) -> set[str]:
    iris = (
        term.datatype.value if isinstance(term, Literal) else getattr(term, "value", "")
        for term in (statement.subject, statement.predicate, statement.object)
    )
    return {iri[: max(iri.rfind("/"), iri.rfind("#")) + 1] for iri in iris}


class _Layout(RawIOBase):
    """Sorts the prefix declarations of Turtle and sets a blank line before each subject.

    The serialiser escapes line ends inside literals, so that each line is structure.
    """

    def __init__(self, output: IO[bytes]) -> None:
        super().__init__()
        self._output = output
        self._rest = b""
        self._header: list[bytes] = []
        self._last: bytes | None = None

    def writable(self) -> bool:
        return True

    def write(self, piece: ReadableBuffer) -> int:
        data = bytes(piece)
        *lines, self._rest = (self._rest + data).split(b"\n")
        self._output.writelines(self._laid_out(lines))
        return len(data)

    def _laid_out(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        for line in lines:
            if self._last is None and line.startswith(b"@prefix "):
                self._header.append(line + b"\n")
                continue
            if self._last is None:
                yield from sorted(self._header)
                begins = bool(self._header)
            else:
                begins = line != b"}" and (self._last == b"}" or self._last.endswith(b" ."))
            if begins:
                yield b"\n"
            yield line + b"\n"
            self._last = line
