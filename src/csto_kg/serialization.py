"""RDF in and out of bytes: the formats, and the one order in which they are written.

The same triples give the same bytes in every format, on any machine and under any hash seed:
they are sorted before they are written, and there are no blank nodes to be renamed.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

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
from csto_kg.vocabulary import ID, KINDS, PREFIXES, RDF, RDFS, SKOS

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

    Raises :class:`CstoKgError` for a missing file or an unknown ending; iterating raises
    ``SyntaxError``, which :func:`syntax_error` puts into words.
    """
    rdf = rdf_format(path)
    return parse(read_bytes(path), format=rdf, base_iri=ID)


def syntax_error(path: Path, error: SyntaxError) -> CstoKgError:
    """Say where in ``path`` the parser stopped and why."""
    place = f"{path}:{error.lineno}:{error.offset}" if error.lineno else str(path)
    reason = re.sub(r"^Parser error at line \d+[^:]*: ", "", error.msg)
    return CstoKgError(f"{place}: not valid {SUFFIXES[path.suffix]}: {reason}")


def dump(statements: Iterable[Triple] | Iterable[Quad], format_name: str) -> bytes:
    """Write triples or quads in a named format: each once, in a fixed order.

    The quad formats take quads, the others triples; raises ``TypeError`` when mixed up.
    """
    rdf_format = FORMATS[format_name]
    ordered: list[Any] = sorted(set(statements), key=_order)
    data = serialize(ordered, format=rdf_format, prefixes=_prefixes(ordered))
    assert data is not None
    match format_name:
        case "turtle" | "trig":
            return _laid_out(data.decode()).encode()
        case "jsonld":
            return (json.dumps(json.loads(data), ensure_ascii=False, indent=1) + "\n").encode()
        case "ntriples" | "nquads":
            return b"".join(sorted(data.splitlines(keepends=True)))
        case _:
            return data


def replace(path: Path, data: bytes) -> None:
    """Put ``data`` in place of the file at ``path``, wholly or not at all.

    Raises :class:`CstoKgError` when the folder cannot be written.
    """
    try:
        with NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as new:
            try:
                new.write(data)
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
        raise CstoKgError(f"{path}: cannot be written: {error.strerror}") from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


_KIND_ORDER = {kind: number for number, kind in enumerate(KINDS)}
_FIRST_PREDICATES = {f"{RDF}type": 0, f"{RDFS}label": 1, f"{SKOS}altLabel": 2}


def _order(statement: Any) -> tuple[object, ...]:
    graph = str(statement.graph_name) if isinstance(statement, Quad) else ""
    predicate = statement.predicate.value
    return (
        graph,
        *_node_order(statement.subject),
        _FIRST_PREDICATES.get(predicate, 3),
        predicate,
        str(statement.object),
    )


def _node_order(node: NamedNode | BlankNode | Triple) -> tuple[int, str]:
    iri = node.value if isinstance(node, NamedNode) else str(node)
    kind = iri.removeprefix(ID).partition("/")[0] if iri.startswith(ID) else ""
    return _KIND_ORDER.get(kind, len(KINDS)), iri


def _prefixes(statements: Iterable[Triple] | Iterable[Quad]) -> dict[str, str]:
    namespaces = set()
    for statement in statements:
        for term in (statement.subject, statement.predicate, statement.object):
            iri = term.datatype.value if isinstance(term, Literal) else getattr(term, "value", "")
            namespaces.add(iri[: max(iri.rfind("/"), iri.rfind("#")) + 1])
    return {
        prefix: namespace
        for prefix, namespace in sorted(PREFIXES.items())
        if namespace in namespaces
    }


def _laid_out(turtle: str) -> str:
    """Sort the prefix declarations and set a blank line before each subject.

    The serialiser escapes line ends inside literals, so that each line is structure.
    """
    lines = turtle.rstrip("\n").split("\n")
    header = sorted(line for line in lines if line.startswith("@prefix "))
    body: list[str] = []
    for line in lines[len(header) :]:
        if line != "}" and (not body or body[-1] == "}" or body[-1].endswith(" .")):
            body.append("")
        body.append(line)
    return "\n".join([*header, *body]).lstrip("\n") + "\n"
