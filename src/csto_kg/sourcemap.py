"""Where a document says what it says: the line and column of each triple's terms.

What is and is not RDF, and which triples it holds, is the parser's to say; here its triples are
only met with the tokens that wrote them. The lexical grammar is that of Turtle and TriG
(https://www.w3.org/TR/rdf12-turtle/, https://www.w3.org/TR/rdf12-trig/), which covers N-Triples
and N-Quads.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import NamedTuple, TypeAlias

import yaml
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, RdfFormat, Triple, parse

from csto_kg import shipped
from csto_kg.serialization import FORMATS
from csto_kg.terms import Term
from csto_kg.vocabulary import CSTO, ID, RDF

#: Formats of which the tokens are known; in the others a triple has no place.
LOCATED = ("turtle", "trig", "ntriples", "nquads")


class Position(NamedTuple):
    """A line and a column, both from 1, the column in code points."""

    line: int
    column: int


class Place(NamedTuple):
    """Where a triple's terms begin, as they are written.

    A term shared by several triples (``;`` and ``,``) stands once, before all of them. A blank
    node or a list is at its opening bracket. The triples that link a list are not written: their
    subject and predicate are at its opening bracket, their object at the item or the closing one.
    """

    subject: Position
    predicate: Position
    object: Position


def located(data: bytes, format_name: str) -> Iterator[tuple[Quad, Place | None]]:
    """Parse a document in a named format; yield each quad, as it is read, with its place.

    The quads are those of ``pyoxigraph.parse``, in its order, and so is the ``SyntaxError`` that
    iterating raises. The place is ``None`` in JSON-LD and RDF/XML, and after the first reifier or
    annotation (``<<``, ``~``, ``{|``) of RDF 1.2 in a document.
    """
    quads = parse(data, format=FORMATS[format_name], base_iri=ID)
    if format_name not in LOCATED:
        for quad in quads:
            yield quad, None
        return
    # The parser refuses what is not UTF-8 when it gets there; until then the text is whole.
    text = data.decode(errors="replace")
    position = _positions(text)
    walk = _walk(text)
    for quad in quads:
        written = next(walk, None)
        if written is None or not _fit(written, quad):
            # No place is better than a wrong one, for this quad and for all that follow.
            walk = iter(())
            yield quad, None
        else:
            subject, predicate, object_ = written
            yield quad, Place(position(subject), position(predicate), position(object_))


class SheetMap:
    """Where a fact sheet says each triple."""

    def __init__(self, data: bytes) -> None:
        """Map the text of a sheet that :meth:`csto_kg.sheet.Sheet.read` takes.

        Raises ``yaml.YAMLError`` or ``UnicodeDecodeError`` for what is not even YAML.
        """
        root = yaml.compose(data.decode(), Loader=yaml.CSafeLoader)
        leaves = [*_leaves(root)] if isinstance(root, yaml.MappingNode) else []
        #: Each triple that the sheet writes, and where its object is: the value or its ``id``.
        self.written: dict[Triple, Position] = {}
        self._nodes: dict[NamedNode, Position] = {}
        self._properties: dict[tuple[NamedNode, str], Position] = {}
        # Read all at once, each value in a graph of its own that is named by the value's number.
        graphs = [
            {
                "id": f"{_LEAF}{number}",
                "graph": [{"id": leaf.identifier.value, leaf.key: leaf.value}],
            }
            for number, leaf in enumerate(leaves)
        ]
        linked = json.dumps({"@context": _context(), "graph": graphs})
        for quad in parse(linked, format=RdfFormat.JSON_LD):
            subject, graph = quad.subject, quad.graph_name
            assert isinstance(subject, NamedNode) and isinstance(graph, NamedNode)
            leaf = leaves[int(graph.value.removeprefix(_LEAF))]
            at = _start(leaf.at)
            self.written.setdefault(Triple(subject, quad.predicate, quad.object), at)
            self._nodes.setdefault(subject, _start(leaf.identifier))
            self._properties.setdefault((subject, quad.predicate.value), at)
        self._asserted = {
            fact: self._properties[node, f"{RDF}object"] for node, fact in _facts(self.written)
        }

    def node(self, node: Term) -> Position | None:
        """Return where the sheet first has ``node`` as an ``id`` with properties."""
        return self._nodes.get(node) if isinstance(node, NamedNode) else None

    def position(self, triple: Triple) -> Position | None:
        """Return where the sheet says ``triple``, or says that from which the build infers it.

        A bound is at the EDTF that it comes from, the triple of a ``csto:Fact`` at the fact's
        object, anything else that is inferred at the ``id`` of the node that it is about, be it
        subject or object; ``None`` when that node is not in the sheet.
        """
        found = self.written.get(triple) or self._asserted.get(triple)
        if found is None and isinstance(subject := triple.subject, NamedNode):
            places = (
                *(self._properties.get((subject, name)) for name in _origins(triple.predicate)),
                self._nodes.get(subject),
            )
            found = next((place for place in places if place), None)
        if found is None and isinstance(triple.object, NamedNode):
            found = self._nodes.get(triple.object)
        return found


# Turtle and its kin.

_NAME = r"0-9A-Za-z_\x80-\U0010ffff"  # wider than the grammar: the parser has refused the rest
_IRI = r"""<(?:[^<>"{}|^`\\\x00-\x20]++|\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8})*+>"""
_CURIE = rf"""(?:[A-Za-z\x80-\U0010ffff](?:[{_NAME}-]++|\.+(?=[{_NAME}-]))*+)?:
              (?:(?:[{_NAME}:]|%[0-9A-Fa-f]{{2}}|\\.)
                 (?:[{_NAME}:-]++|%[0-9A-Fa-f]{{2}}|\\.|\.+(?=[{_NAME}:%\\-]))*+)?+"""
_SPACE = r"(?:[ \t\r\n]++|\#[^\r\n]*+)*+"
_TOKEN = re.compile(
    rf"""
    {_SPACE}
    (?: (?P<term>{_IRI}
               | {_CURIE}
               | _:[{_NAME}](?:[{_NAME}-]++|\.+(?=[{_NAME}-]))*+
               | [+-]?(?:(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)[eE][+-]?[0-9]+|[0-9]*\.[0-9]+|[0-9]+)
               | (?:a|true|false)\b)
      | (?P<literal>(?:\"\"\"(?:[^"\\]++|\\.|"(?!""))*+\"\"\"
                     | '''(?:[^'\\]++|\\.|'(?!''))*+'''
                     | "(?:[^"\\\r\n]++|\\.)*+"
                     | '(?:[^'\\\r\n]++|\\.)*+')
                    (?P<suffix>{_SPACE}(?:@[A-Za-z]+(?:-[0-9A-Za-z-]+)?
                                        |\^\^{_SPACE}(?:{_IRI}|{_CURIE})))?+)
      | (?P<mark>[.;,{{}}])
      | (?P<open>[\[(])
      | (?P<triple><<\(|\)>>)
      | (?P<close>[\])])
      | (?P<directive>(?:@prefix|@base|@version|(?i:prefix|base|version|graph))\b)
      | (?P<other>.|\Z)
    )
    """,
    re.VERBOSE | re.DOTALL,
)
_LINE_END = re.compile(r"\r\n?|\n")

_Token: TypeAlias = re.Match[str]
_Written: TypeAlias = tuple[_Token, _Token, _Token]


def _positions(text: str) -> Callable[[_Token], Position]:
    """Return what tells a token's position; lines end where the parser ends them."""
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]

    # One subject is shared by many triples, and so may a predicate be.
    @lru_cache(maxsize=64)
    def position(token: _Token) -> Position:
        start = token.start(token.lastindex or 0)
        line = bisect_right(starts, start)
        return Position(line, start - starts[line - 1] + 1)

    return position


@dataclass(slots=True)
class _Open:
    """A statement, a property list or a list that is not yet closed, and its terms so far."""

    bracket: _Token | None
    terms: list[_Token] = field(default_factory=list)
    is_list: bool = False
    is_empty: bool = True


class _Walk:
    """What has been read of a document: the open brackets, and the triples completed.

    Of the triples that one token completes, the parser hands over the last one first. A literal
    is complete at its language or datatype, and without one only at the token that follows.
    """

    def __init__(self) -> None:
        self.ready: list[_Written] = []
        self._completed: list[_Written] = []
        self._stack = [_Open(None)]
        self._ignored = 0
        self._triples: list[_Token] = []

    def term(self, token: _Token) -> None:
        if self._ignored:
            self._ignored -= 1
        elif not self._triples:
            self._begin(token)
            self._end(token)
            self._hand_over()

    def literal(self, token: _Token) -> None:
        if self._ignored:
            self._ignored -= 1
        elif not self._triples:
            self._begin(token)
            self._hand_over()
            self._end(token)
            if token["suffix"]:
                self._hand_over()

    def mark(self, token: _Token) -> None:
        # What stood before a brace was the name of a graph.
        del self._stack[-1].terms[{",": 2, ";": 1}.get(token["mark"], 0) :]
        self._hand_over()

    def open(self, token: _Token) -> None:
        if self._triples:
            return
        self._begin(token)
        # An item of a list is the object of a triple of which the bracket is all that is written.
        is_list = token["open"] == "("
        self._stack.append(_Open(token, [token] * (1 + is_list), is_list))
        self._hand_over()

    def close(self, token: _Token) -> None:
        bracket = self._stack[-1].bracket
        if self._triples or bracket is None:
            return
        closed = self._stack.pop()
        if closed.is_list and not closed.is_empty:
            self._completed.append((bracket, bracket, token))
        else:
            self._end(bracket)
        self._hand_over()

    def triple(self, token: _Token) -> None:
        if token["triple"] == "<<(":
            if not self._triples:
                self._begin(token)
            self._triples.append(token)
        elif self._triples:
            first = self._triples.pop()
            if not self._triples:
                self._end(first)
        self._hand_over()

    def directive(self, token: _Token) -> None:
        """Expect the terms of a directive, which are no part of a triple."""
        self._ignored = {"prefix": 2, "graph": 0}.get(token["directive"].strip("@").lower(), 1)

    def other(self, _: _Token) -> None:
        self._hand_over()

    def _begin(self, token: _Token) -> None:
        """Meet the first token of a term; in a list, it links the item's cell to the list."""
        top = self._stack[-1]
        if top.is_list:
            assert top.bracket is not None
            if top.is_empty:
                top.is_empty = False
                self._add(top.bracket, self._stack[-2])
            else:
                self._completed.append((top.bracket, top.bracket, token))

    def _end(self, token: _Token) -> None:
        """Meet the end of the term that began at ``token``."""
        self._add(token, self._stack[-1])

    def _add(self, token: _Token, into: _Open) -> None:
        terms = into.terms
        if len(terms) == 2:
            self._completed.append((terms[0], terms[1], token))
        # What follows an object before the next mark, as a graph's name does, is no object.
        if not into.is_list:
            terms.append(token)

    def _hand_over(self) -> None:
        if self._completed:
            self.ready += reversed(self._completed)
            self._completed.clear()


def _walk(text: str) -> Iterator[_Written]:
    """Yield the tokens that wrote each triple of a valid document, in the parser's order."""
    walk = _Walk()
    meet = {
        "term": walk.term,
        "literal": walk.literal,
        "mark": walk.mark,
        "open": walk.open,
        "close": walk.close,
        "triple": walk.triple,
        "directive": walk.directive,
        "other": walk.other,
    }
    for token in _TOKEN.finditer(text):
        meet[token.lastgroup or ""](token)
        if walk.ready:
            yield from walk.ready
            walk.ready.clear()
        if token.lastgroup == "other":
            return


def _fit(written: _Written, quad: Quad) -> bool:
    """Tell whether tokens may stand for a quad's terms, as far as they alone can say.

    Triples met in another order than the parser's differ in their predicates or objects.
    """
    _, predicate, object_ = written
    if predicate["open"]:
        return quad.predicate == _REST or (
            quad.predicate == _FIRST and _may_be(object_, quad.object)
        )
    return _may_be(object_, quad.object) and _may_be(predicate, quad.predicate)


def _may_be(token: _Token, term: NamedNode | BlankNode | Literal | Triple) -> bool:
    text = token[token.lastindex or 0]
    if isinstance(term, Literal):
        # Only a name needs a colon, and only a string may have one.
        known = token["literal"] is not None or ":" not in text
        return "\\" in text or (known and term.value in text)
    if isinstance(term, BlankNode):
        return text in ("[", "(", f"_:{term.value}")
    if isinstance(term, Triple):
        return text == "<<("
    if text[0] == "<":
        return _ends(term, text[1:-1].rpartition("/")[2])
    if ":" in text:
        return _ends(term, text.partition(":")[2])
    return term == {"a": _TYPE, "(": _NIL}.get(text)


def _ends(node: NamedNode, written: str) -> bool:
    """Tell whether an IRI ends as it is written; escapes and dots are the parser's to resolve."""
    return "\\" in written or written in (".", "..") or node.value.endswith(written)


_TYPE = NamedNode(f"{RDF}type")
_FIRST = NamedNode(f"{RDF}first")
_REST = NamedNode(f"{RDF}rest")
_NIL = NamedNode(f"{RDF}nil")


# Fact sheets.

_LEAF = "urn:leaf:"

#: From which properties of a node the build infers each bound: the first that the node has.
_ORIGINS = {
    f"{CSTO}beginsNotBefore": ("beginsEdtf", "edtf"),
    f"{CSTO}beginsNotAfter": ("beginsEdtf", "edtf", "pastWhenIssued", "endsEdtf"),
    f"{CSTO}endsNotBefore": ("endsEdtf", "edtf"),
    f"{CSTO}endsNotAfter": ("endsEdtf", "edtf", "pastWhenIssued"),
}


@dataclass(frozen=True, slots=True)
class _Leaf:
    """One value of one property of one node, and where the node's ``id`` and the value are."""

    identifier: yaml.ScalarNode
    key: str
    value: object
    at: yaml.Node


def _leaves(node: yaml.MappingNode) -> Iterator[_Leaf]:
    """Yield the values of a node and of all nodes in it, in the order in which they are written."""
    identifier = _identifier(node)
    for key_node, value_node in node.value:
        key = str(key_node.value)
        items = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
        for item in items:
            nested = isinstance(item, yaml.MappingNode)
            name = _identifier(item)
            if key == "graph":
                yield from _leaves(item) if nested else ()
            elif identifier is None or key in ("id", "@context"):
                continue
            elif name is not None:
                yield _Leaf(identifier, key, {"id": name.value}, name)
                yield from _leaves(item)
            elif nested:
                yield from _in_languages(identifier, key, item)
            else:
                yield _Leaf(identifier, key, item.value, item)


def _in_languages(identifier: yaml.ScalarNode, key: str, node: yaml.MappingNode) -> Iterator[_Leaf]:
    for language, value_node in node.value:
        items = value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]
        for item in items:
            yield _Leaf(identifier, key, {language.value: item.value}, item)


def _identifier(node: yaml.Node) -> yaml.ScalarNode | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == "id" and isinstance(value, yaml.ScalarNode):
                return value
    return None


def _facts(triples: Iterable[Triple]) -> Iterator[tuple[NamedNode, Triple]]:
    """Yield each node that describes a triple, with the triple."""
    parts: dict[NamedNode, dict[str, NamedNode]] = {}
    for triple in triples:
        if isinstance(triple.subject, NamedNode) and isinstance(triple.object, NamedNode):
            parts.setdefault(triple.subject, {})[triple.predicate.value] = triple.object
    for node, properties in parts.items():
        match [properties.get(RDF + name) for name in ("subject", "predicate", "object")]:
            case [NamedNode() as subject, NamedNode() as predicate, NamedNode() as object_]:
                yield node, Triple(subject, predicate, object_)


def _origins(predicate: NamedNode) -> Iterable[str]:
    return (CSTO + name for name in _ORIGINS.get(predicate.value, ()))


def _start(node: yaml.Node) -> Position:
    return Position(node.start_mark.line + 1, node.start_mark.column + 1)


@cache
def _context() -> object:
    return json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))["@context"]
