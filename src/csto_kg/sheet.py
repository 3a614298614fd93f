"""Fact sheets: what a source says, written in YAML-LD, and built into triples.

A sheet is JSON-LD in YAML (https://json-ld.org/spec/latest/yaml-ld/) under
``ontology/context.jsonld``, so that any JSON-LD tool reads it. The build adds what follows from
the sheet: four bounds from EDTF, the triple of each ``csto:Fact``, names of entities from the
register, and the bounds that follow from when the source was issued, marked as derived.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from datetime import date
from difflib import get_close_matches
from functools import cache
from pathlib import Path

import yaml
from pyoxigraph import Literal, NamedNode, RdfFormat, Triple, parse

from csto_kg import shipped
from csto_kg.bounds import Bounds, parse_edtf, parse_edtf_date
from csto_kg.errors import CstoKgError
from csto_kg.vocabulary import CSTO, ID, PROV, RDF, RDFS, SKOS, XSD

REGISTER = "entities"

_TYPE = NamedNode(f"{RDF}type")
_LABEL = NamedNode(f"{RDFS}label")
_DESCRIPTION = {_TYPE, _LABEL, NamedNode(f"{SKOS}altLabel")}
_SLUG = re.compile(r"[a-z-]+/[a-z0-9]+(?:-[a-z0-9]+)*")
_BOUNDS = ("beginsNotBefore", "beginsNotAfter", "endsNotBefore", "endsNotAfter")


class Sheet:
    """One fact sheet as it was written, with the line on which each node stands."""

    def __init__(self, path: Path, document: object, lines: dict[str, int]) -> None:
        """Keep a parsed sheet; use :meth:`read`."""
        self.path = path
        self.document = document
        self.lines = lines

    @classmethod
    def read(cls, path: Path) -> Sheet:
        """Read a YAML file as a sheet.

        Raises :class:`CstoKgError`, naming file and line, when the file is missing, is not YAML,
        repeats a key, uses anchors, or names a property that the context does not know.
        """
        try:
            return cls.read_data(path, path.read_bytes())
        except OSError as error:
            raise CstoKgError(f"{path}: cannot be read: {error.strerror}") from None

    @classmethod
    def read_data(cls, path: Path, data: bytes) -> Sheet:
        """Read the bytes of a sheet; ``path`` is only named in errors. See :meth:`read`."""
        return cls.composed(path, compose(path, data))

    @classmethod
    def composed(cls, path: Path, root: yaml.Node | None) -> Sheet:
        """Read a sheet from its :func:`compose`-d YAML. See :meth:`read`."""
        lines: dict[str, int] = {}
        document = _Composed(path, lines).value(root)
        if not isinstance(document, dict) or not isinstance(document.get("graph"), list):
            raise CstoKgError(f"{path}:1: a fact sheet has “@context” and “graph”, a list of nodes")
        return cls(path, document, lines)

    def triples(self) -> set[Triple]:
        """Read the sheet as plain JSON-LD: the triples that any JSON-LD tool would read."""
        assert isinstance(self.document, dict)
        linked = {**self.document, "@context": _context()}
        return {
            Triple(quad.subject, quad.predicate, quad.object)
            for quad in parse(json.dumps(linked), format=RdfFormat.JSON_LD)
        }

    def build(self, register: set[Triple]) -> set[Triple]:
        """Return the sheet's triples and all that follows from them.

        ``register`` holds the descriptions of shared entities; type and names of those that the
        sheet refers to are added, so that its file is of use on its own. Raises
        :class:`CstoKgError`, naming file, line and node, for dates that have no bounds and for
        references to nothing.
        """
        written = self.triples()
        built = written | _asserted(written)
        built |= self._bounds(written)
        mentioned = {term for triple in built for term in (triple.subject, triple.object)} - {
            triple.subject for triple in written
        }
        return built | {
            triple
            for triple in register
            if triple.subject in mentioned and triple.predicate in _DESCRIPTION
        }

    def _bounds(self, written: set[Triple]) -> set[Triple]:
        nodes = _by_subject(written)
        issue = self._issue(nodes)
        derived: dict[tuple[str, str], set[NamedNode]] = {}
        found = set()
        for node, properties in nodes.items():
            bounds = self._dated(node, properties)
            present = ".." in properties.get("endsEdtf", ()) or any(
                edtf.endswith("/..") for edtf in properties.get("edtf", ())
            )
            past = "true" in properties.get("pastWhenIssued", ())
            if present or past:
                implied = self._implied(node, bounds, issue, present=present)
                for name, rule, day in implied:
                    derived.setdefault((name, rule), set()).add(node)
                    found.add(_dated_triple(node, name, day))
            found |= {
                _dated_triple(node, name, day)
                for name, day in zip(_BOUNDS, _days(bounds), strict=True)
                if day
            }
        if derived:
            found |= _derivations(derived, issue[0])
        return found

    def _dated(self, node: NamedNode, properties: dict[str, list[str]]) -> Bounds:
        try:
            whens = [parse_edtf(edtf) for edtf in properties.get("edtf", ())]
            begins = [parse_edtf_date(edtf) for edtf in properties.get("beginsEdtf", ())]
            ends = [
                parse_edtf_date(edtf) for edtf in properties.get("endsEdtf", ()) if edtf != ".."
            ]
        except ValueError as error:
            raise self._error(node, str(error)) from None
        bounds = Bounds()
        for when in whens:
            bounds = bounds.intersect(when)
        for first, last in begins:
            bounds = bounds.intersect(Bounds(begins_not_before=first, begins_not_after=last))
        for first, last in ends:
            bounds = bounds.intersect(Bounds(ends_not_before=first, ends_not_after=last))
        if bounds.conflict:
            raise self._error(node, "its dates contradict each other: it ends before it begins")
        return bounds

    def _implied(
        self,
        node: NamedNode,
        bounds: Bounds,
        issue: tuple[NamedNode, date | None, date | None],
        *,
        present: bool,
    ) -> Iterator[tuple[str, str, date]]:
        _, first, last = issue
        needed, name = (first, "issuedNotBefore") if present else (last, "issuedNotAfter")
        if needed is None:
            raise self._error(node, f"its end hangs on when the source was issued: give {name}")
        if present:
            yield "endsNotBefore", "right-censoring", needed
        elif bounds.ends_not_after is None:
            yield "endsNotAfter", "not-later-than-issue", needed
        if last and bounds.begins_not_after is None:
            yield "beginsNotAfter", "not-later-than-issue", last

    def _issue(
        self, nodes: dict[NamedNode, dict[str, list[str]]]
    ) -> tuple[NamedNode, date | None, date | None]:
        sources = [
            (node, properties)
            for node, properties in nodes.items()
            if f"{CSTO}Source" in properties.get("type", ())
        ]
        if len(sources) != 1:
            raise CstoKgError(f"{self.path}: a sheet describes one Source, this one {len(sources)}")
        node, properties = sources[0]
        days: list[date | None] = []
        for name in ("issuedNotBefore", "issuedNotAfter"):
            value = properties.get(name, [None])[0]
            try:
                days.append(date.fromisoformat(value) if value else None)
            except ValueError:
                raise self._error(node, f"{name}: “{value}” is not a day, YYYY-MM-DD") from None
        return node, days[0], days[1]

    def _error(self, node: NamedNode, reason: str) -> CstoKgError:
        name = node.value.removeprefix(ID)
        return CstoKgError(f"{self.path}:{self.lines.get(name, 1)}: {name}: {reason}")


def compose(path: Path, data: bytes) -> yaml.Node | None:
    """Parse YAML to nodes that know their lines; plain scalars stay strings.

    A bare 1992-05-15 is EDTF, not a Python date. Raises :class:`CstoKgError` with the line.
    """
    try:
        return yaml.compose(data.decode("utf-8"), Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        raise CstoKgError(f"{path}: not UTF-8 at byte {error.start}") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise CstoKgError(f"{place}: not valid YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise CstoKgError(f"{path}: not valid YAML: {error}") from None


def read_register(folder: Path) -> set[Triple]:
    """Read the descriptions of shared entities from ``folder``, or the shipped ones."""
    path = folder / f"{REGISTER}.yaml"
    return Sheet.read(path if path.exists() else shipped.SHEETS / path.name).triples()


@cache
def _context() -> dict[str, object]:
    loaded = json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))
    context: dict[str, object] = loaded["@context"]
    return context


class _Composed:
    """Turns composed YAML into JSON values, checking keys and references on the way."""

    def __init__(self, path: Path, lines: dict[str, int]) -> None:
        self._path = path
        self._lines = lines
        self._seen: set[int] = set()

    def value(self, node: yaml.Node | None, key: str | None = None) -> object:
        if node is None:
            return None
        if id(node) in self._seen:
            raise self._error(node, "anchors and aliases are not used in fact sheets: write it out")
        self._seen.add(id(node))
        match node:
            case yaml.MappingNode():
                return self._mapping(node, key)
            case yaml.SequenceNode():
                return [self.value(item, key) for item in node.value]
        self._check_reference(node, key)
        return node.value

    def _mapping(self, node: yaml.MappingNode, parent: str | None) -> dict[str, object]:
        result: dict[str, object] = {}
        language_map = _container(parent) == "@language"
        for key_node, value_node in node.value:
            key = str(key_node.value)
            if key in result:
                raise self._error(key_node, f"“{key}” stands twice in one node")
            if not language_map and key != "@context" and key not in _context():
                near = get_close_matches(key, [*_context()], n=1)
                hint = f": did you mean “{near[0]}”?" if near else ""
                raise self._error(key_node, f"“{key}” is not a property of fact sheets{hint}")
            result[key] = self.value(value_node, key)
        if isinstance(identifier := result.get("id"), str):
            self._lines.setdefault(identifier, node.start_mark.line + 1)
        elif not language_map and parent is not None and parent != "graph":
            raise self._error(node, "a nested node needs an id: nothing is left nameless")
        elif parent == "graph":
            raise self._error(node, "a node needs an id, such as membership/sna-armenia")
        return result

    def _check_reference(self, node: yaml.Node, key: str | None) -> None:
        term = _context().get(key or "")
        coercion = term.get("@type") if isinstance(term, dict) else None
        value = str(node.value)
        if (key == "type" or coercion == "@vocab") and value not in _context():
            near = get_close_matches(value, [*_context()], n=1)
            hint = f": did you mean “{near[0]}”?" if near else ""
            raise self._error(node, f"“{value}” is not a term of the ontology{hint}")
        if key != "id" and coercion != "@id":
            return
        if not (_SLUG.fullmatch(value) or value.startswith(("http://", "https://"))):
            raise self._error(
                node, f"“{value}” is not an identifier: write kind/slug in a-z, 0-9, -"
            )

    def _error(self, node: yaml.Node, reason: str) -> CstoKgError:
        mark = node.start_mark
        return CstoKgError(f"{self._path}:{mark.line + 1}:{mark.column + 1}: {reason}")


def _container(key: str | None) -> object:
    term = _context().get(key or "")
    return term.get("@container") if isinstance(term, dict) else None


def _by_subject(triples: Iterable[Triple]) -> dict[NamedNode, dict[str, list[str]]]:
    nodes: dict[NamedNode, dict[str, list[str]]] = {}
    for triple in triples:
        assert isinstance(triple.subject, NamedNode)
        name = triple.predicate.value.removeprefix(CSTO).removeprefix(RDF)
        nodes.setdefault(triple.subject, {}).setdefault(name, []).append(
            getattr(triple.object, "value", "")
        )
    return nodes


def _asserted(triples: Iterable[Triple]) -> set[Triple]:
    parts: dict[NamedNode, dict[str, NamedNode]] = {}
    facts = set()
    for triple in triples:
        subject = triple.subject
        assert isinstance(subject, NamedNode)
        if triple.predicate == _TYPE and triple.object == NamedNode(f"{CSTO}Fact"):
            facts.add(subject)
        elif triple.predicate.value.startswith(RDF) and isinstance(triple.object, NamedNode):
            parts.setdefault(subject, {})[triple.predicate.value.removeprefix(RDF)] = triple.object
    return {
        Triple(parts[fact]["subject"], parts[fact]["predicate"], parts[fact]["object"])
        for fact in facts
        if {"subject", "predicate", "object"} <= parts.get(fact, {}).keys()
    }


def _derivations(derived: dict[tuple[str, str], set[NamedNode]], source: NamedNode) -> set[Triple]:
    """Say of the bounds that follow from the source's issue by which rule they do."""
    key = source.value.rpartition("/")[2]
    triples = set()
    for (name, rule), nodes in derived.items():
        bound = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
        node = NamedNode(f"{ID}derivation/{key}-{bound}-{rule}")
        triples |= {
            Triple(node, _TYPE, NamedNode(f"{CSTO}Derivation")),
            Triple(node, NamedNode(f"{CSTO}rule"), NamedNode(f"{ID}rule/{rule}")),
            Triple(node, NamedNode(f"{CSTO}derivedProperty"), NamedNode(CSTO + name)),
            Triple(node, NamedNode(f"{PROV}used"), source),
        }
        triples |= {Triple(node, NamedNode(f"{CSTO}derived"), target) for target in nodes}
    return triples


def _days(bounds: Bounds) -> tuple[date | None, ...]:
    return (
        bounds.begins_not_before,
        bounds.begins_not_after,
        bounds.ends_not_before,
        bounds.ends_not_after,
    )


def _dated_triple(node: NamedNode, name: str, day: date) -> Triple:
    value = Literal(day.isoformat(), datatype=NamedNode(f"{XSD}date"))
    return Triple(node, NamedNode(CSTO + name), value)
