"""A document of facts as somebody submits it: bounded, parsed, and each triple with its place.

What others wrote is parsed by pyoxigraph alone, which opens no files and no connections, and
within limits; a remote JSON-LD context, a document type declaration or an archive is refused.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import NamedTuple
from xml.parsers import expat

import yaml
from pyoxigraph import BlankNode, Literal, Triple

from csto_kg import jsonld, shipped
from csto_kg.errors import CstoKgError
from csto_kg.plaintext import shown
from csto_kg.report import Finding
from csto_kg.serialization import SUFFIXES
from csto_kg.sheet import Sheet, read_register
from csto_kg.sourcemap import Position, SheetMap, located
from csto_kg.terms import value


@dataclass(frozen=True, slots=True)
class Limits:
    """What a submission may cost; SECURITY.md says why and which test holds each."""

    bytes: int = 1_000_000
    triples: int = 5_000
    nesting: int = 64
    literal: int = 10_000


class Unreadable(Exception):  # noqa: N818 - it is the document that is
    """A document that cannot be taken in: the code of the reason, the place and the words."""

    def __init__(self, code: str, reason: str, line: int | None = None, column: int | None = None):
        """Keep the parts of the message; what it quotes of the document is made visible."""
        super().__init__(reason)
        self.code, self.reason, self.line, self.column = code, shown(reason, 400), line, column


@dataclass(frozen=True, slots=True)
class Prefix:
    """A short name for a namespace, as a document declares it, and the line if that is known."""

    name: str
    namespace: str
    line: int | None = None


@dataclass(frozen=True)
class Facts:
    """The triples of a document and its nodes, and where each is written, if the format tells.

    A triple is written where its object is, a node where it is first a subject.
    """

    path: Path
    places: dict[Triple, Position | None] = field(repr=False)
    nodes: dict[str, Position] = field(default_factory=dict, repr=False)
    prefixes: tuple[Prefix, ...] = field(default=(), repr=False)

    @property
    def triples(self) -> set[Triple]:
        """The triples, named graphs merged."""
        return set(self.places)

    @cached_property
    def subjects(self) -> set[str]:
        """The IRIs that the document describes."""
        return {value(triple.subject) for triple in self.places}

    @cached_property
    def _placed(self) -> dict[str, list[tuple[Position, Triple]]]:
        placed: dict[str, list[tuple[Position, Triple]]] = {}
        for triple, position in self.places.items():
            if position is not None:
                placed.setdefault(value(triple.subject), []).append((position, triple))
        return placed

    @cached_property
    def _mentions(self) -> dict[str, Position]:
        mentions: dict[str, Position] = {}
        for triple, position in self.places.items():
            if position is not None:
                node = value(triple.object)
                mentions[node] = min(position, mentions.get(node, position))
        return mentions

    def place(
        self, subject: str, predicate: str | None = None, target: str | None = None
    ) -> Position | None:
        """Return where the document says it, as exactly as it can be told.

        That is where it has the object, the predicate or else the node, as a subject or an object.
        """
        placed = self._placed.get(subject, ())
        said = [(at, triple) for at, triple in placed if triple.predicate.value == predicate]
        exact = [(at, triple) for at, triple in said if value(triple.object) == target]
        node = self.nodes.get(subject) or self._mentions.get(subject)
        return min((at for at, _ in exact or said), default=node)

    def about(self, subject: str) -> Iterator[Triple]:
        """Yield what the document says of a node."""
        return (triple for triple in self.places if value(triple.subject) == subject)

    def mention(self, node: str) -> Position | None:
        """Return where the document first names a node as the object of a triple."""
        places = (at for triple, at in self.places.items() if value(triple.object) == node)
        return min((at for at in places if at is not None), default=None)

    def finding(
        self, code: str, about: Triple | str, english: str, arabic: str, severity: str = "Violation"
    ) -> Finding:
        """Make a finding about a triple, or about a node of the document, at its place."""
        messages = {"en": english, "ar": arabic}
        if isinstance(about, str):
            node, path, target, position = about, None, None, self.place(about)
        else:
            node, path = value(about.subject), shown(about.predicate.value)
            target = shown(value(about.object))
            position = self.places.get(about) or self.place(node)
        line, column = position or (None, None)
        return Finding(
            severity, code, shown(node), messages, "", path, target, line=line, column=column
        )


def read(path: Path, data: bytes, limits: Limits | None = None) -> Facts:
    """Read a document whose format the ending of ``path`` tells; nothing else is opened.

    Raises :class:`Unreadable` for what is over the limits, reaches out, is not well formed or has
    another ending.
    """
    limits = limits or Limits()
    if len(data) > limits.bytes:
        raise Unreadable(
            "P02", f"{len(data)} bytes: a submission has at most {limits.bytes}: split it"
        )
    if data.startswith(_ARCHIVES):
        raise Unreadable("P03", "an archive: submit the document itself")
    _check_encoding(data)
    prefixes: tuple[Prefix, ...] = ()
    if path.suffix in (".yaml", ".yml"):
        written = _sheet(path, data, limits)
    elif path.suffix in SUFFIXES:
        written, prefixes = _rdf(SUFFIXES[path.suffix], data, limits)
    else:
        known = ", ".join([*SUFFIXES, ".yaml"])
        raise Unreadable("P03", f"“{path.suffix}” is no ending of documents of facts: use {known}")
    if not written.places:
        raise Unreadable("P07", "there is no triple in it: say what the facts are")
    return Facts(path, written.places, written.nodes, prefixes)


class _Written(NamedTuple):
    """Where the triples and the nodes of a document are written."""

    places: dict[Triple, Position | None]
    nodes: dict[str, Position]


def _sheet(path: Path, data: bytes, limits: Limits) -> _Written:
    _check_depth(data, limits)
    try:
        sheet = Sheet.read_data(path, data)
        _check_linked(sheet, data)
        triples = sheet.build(read_register(shipped.SHEETS))
        sheet_map = SheetMap(data)
    except CstoKgError as error:
        raise _from_message(path, str(error)) from None
    except (SyntaxError, ValueError) as error:
        raise Unreadable("P01", f"not a fact sheet: {error}") from None
    return _bounded(
        (
            (triple, sheet_map.node(triple.subject), sheet_map.position(triple))
            for triple in triples
        ),
        limits,
    )


def _rdf(name: str, data: bytes, limits: Limits) -> tuple[_Written, tuple[Prefix, ...]]:
    prefixes = tuple(_outline(name, data, limits))
    try:
        written = _bounded(
            (
                (
                    Triple(quad.subject, quad.predicate, quad.object),
                    place and place.subject,
                    place and place.object,
                )
                for quad, place in located(data, name)
            ),
            limits,
        )
    except SyntaxError as error:
        reason = re.sub(r"^Parser error (?:at|between) line \d+[^:]*: ", "", error.msg)
        raise Unreadable("P01", f"not valid {name}: {reason}", error.lineno, error.offset) from None
    return written, prefixes


def _bounded(
    located_triples: Iterable[tuple[Triple, Position | None, Position | None]], limits: Limits
) -> _Written:
    places: dict[Triple, Position | None] = {}
    nodes: dict[str, Position] = {}
    for triple, node, position in located_triples:
        if isinstance(triple.object, Literal) and len(triple.object.value) > limits.literal:
            raise _at(position, "P05", f"a text of over {limits.literal} characters: shorten it")
        if isinstance(triple.object, Triple):
            raise _at(position, "P06", "a triple about a triple: describe it as a csto:Fact")
        if any(isinstance(term, BlankNode) for term in (triple.subject, triple.object)):
            raise _at(position, "P06", "a nameless node: give it an identifier, kind:slug")
        places.setdefault(triple, position)
        if node is not None:
            nodes.setdefault(value(triple.subject), node)
        if len(places) > limits.triples:
            raise _at(
                position, "P02", f"more than {limits.triples} triples in one submission: split it"
            )
    return _Written(places, nodes)


def _at(position: Position | None, code: str, reason: str) -> Unreadable:
    line, column = (position.line, position.column) if position else (None, None)
    return Unreadable(code, reason, line, column)


def _from_message(path: Path, message: str) -> Unreadable:
    """Take file, line and column off a sheet's message, which has them in front."""
    found = re.match(rf"{re.escape(str(path))}:(?:(\d+):)?(?:(\d+):)? ?", message)
    if not found:
        return Unreadable("P01", message)
    line, column = (int(part) if part else None for part in found.groups())
    return Unreadable("P01", message[found.end() :], line, column)


def _check_depth(data: bytes, limits: Limits) -> None:
    """Refuse a deep sheet before it is composed, which recurs; the scanner of events does not."""
    depth = 0
    try:
        for event in yaml.parse(data.decode(), Loader=yaml.CSafeLoader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                if depth > limits.nesting:
                    mark = event.start_mark
                    raise _too_deep(limits, mark.line + 1 if mark else None)
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
    except yaml.YAMLError:
        return  # the reading of the sheet says where and why


def _check_encoding(data: bytes) -> None:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = _line(data, error.start)
        reason = f"not UTF-8 at byte {error.start}: save the document as UTF-8"
        raise Unreadable("P01", reason, line) from None


def _check_linked(sheet: Sheet, data: bytes) -> None:
    """Refuse a sheet with a context within, or with parts that JSON-LD would lose in silence."""
    context = json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))
    nodes = sheet.document.get("graph") if isinstance(sheet.document, dict) else sheet.document
    for node in jsonld.objects(nodes):
        if "@context" in node:
            reason = "a @context within a sheet: sheets have the project's own: remove it"
            raise Unreadable("P04", reason, sheet.lines.get(str(node.get("id"))))
    if found := jsonld.lost(nodes, jsonld.contexts(context)):
        part, reason = found
        raise Unreadable("P01", f"not a fact sheet: {reason}", _line_of(data, part))


def _outline(name: str, data: bytes, limits: Limits) -> Iterator[Prefix]:
    """Yield the prefixes that a document declares, having checked how deep it is and its reach.

    Brackets are counted outside strings, comments and IRIs, by the grammar of each format.
    """
    if name == "rdfxml":
        if found := re.search(rb"<!(DOCTYPE|ENTITY)", data, re.IGNORECASE):
            raise Unreadable(
                "P04", "a document type declaration: leave it out", _line(data, found.start())
            )
        _check_xml(data, limits)
        for found in _XML_PREFIX.finditer(data):
            yield _prefix(data, found, 1, 3)
        return
    depth = 0
    for found in (_JSON if name == "jsonld" else _TURTLE).finditer(data):
        if found.lastgroup == "open":
            depth += 1
            if depth > limits.nesting:
                raise _too_deep(limits, _line(data, found.start()))
        elif found.lastgroup == "close":
            depth = max(0, depth - 1)
        elif found.lastgroup == "iri":
            yield _prefix(data, found, "name", "iri")
    if name == "jsonld":
        yield from _json_prefixes(data)


def _check_xml(data: bytes, limits: Limits) -> None:
    """Refuse XML that is too deep, or cut off, which the parser of triples takes as it is."""
    parser = expat.ParserCreate(namespace_separator=" ")
    depth = 0

    def begin(*_: object) -> None:
        nonlocal depth
        depth += 1
        if depth > limits.nesting:
            raise _too_deep(limits, parser.CurrentLineNumber)

    def end(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        reason = f"not valid rdfxml: {expat.ErrorString(error.code)}"
        raise Unreadable("P01", reason, error.lineno, error.offset + 1) from None


def _json_prefixes(data: bytes) -> Iterator[Prefix]:
    """Check what JSON-LD has elsewhere or would lose, and yield the prefixes of its contexts."""
    try:
        document = json.loads(data.decode(), object_pairs_hook=_once)
    except ValueError as error:
        line, column = getattr(error, "lineno", None), getattr(error, "colno", None)
        raise Unreadable("P01", f"not valid jsonld: {error}", line, column) from None
    if remote := jsonld.remote(document):
        key, address = remote
        reason = f"a remote {key}, “{address}”: write the context out"
        raise Unreadable("P04", reason, _line_of(data, address))
    known = jsonld.contexts(document)
    if found := jsonld.lost(document, known):
        part, reason = found
        raise Unreadable("P01", f"not valid jsonld: {reason}", _line_of(data, part))
    for name, meaning in known.names.items():
        if meaning.endswith(("/", "#")):
            yield Prefix(name, meaning)


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    keys = dict(pairs)
    if len(keys) < len(pairs):
        names = [key for key, _ in pairs]
        twice = next(key for key in names if names.count(key) > 1)
        raise ValueError(f"“{twice}” stands twice in one object")
    return keys


def _prefix(data: bytes, found: re.Match[bytes], name: int | str, namespace: int | str) -> Prefix:
    return Prefix(
        found[name].decode(errors="replace"),
        found[namespace].decode(errors="replace"),
        _line(data, found.start()),
    )


def _too_deep(limits: Limits, line: int | None) -> Unreadable:
    return Unreadable("P02", f"nested more than {limits.nesting} deep: write it flat", line)


def _line(data: bytes, offset: int) -> int:
    return data.count(b"\n", 0, offset) + 1


def _line_of(data: bytes, part: str) -> int | None:
    """Return the line on which a key or a text first stands alone, if it stands there as it is."""
    found = re.search(rb"(?<![\w-])%b(?![\w-])" % re.escape(part.encode()), data)
    return _line(data, found.start()) if found else None


_ARCHIVES = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf")

_JSON = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|(?P<open>[\[{])|(?P<close>[\]}])', re.DOTALL)
_TURTLE = re.compile(
    rb"""
    \#[^\r\n]*+
    | (?<![^\s.])@?prefix\s++(?P<name>[^\s:<>"']*+):\s*+<(?P<iri>[^<>\s]*+)>
    | <[^<>"{}|^`\x00-\x20]*+>
    | \"\"\"(?:[^"\\]++|\\.|"(?!""))*+\"\"\" | '''(?:[^'\\]++|\\.|'(?!''))*+'''
    | "(?:[^"\\\r\n]++|\\.)*+" | '(?:[^'\\\r\n]++|\\.)*+'
    | \\.
    | (?P<open>[\[({]|<<)
    | (?P<close>[\])}]|>>)
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
_XML_PREFIX = re.compile(rb"""\sxmlns:([^\s=]++)\s*+=\s*+(["'])([^"'<]*+)\2""")
