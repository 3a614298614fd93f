from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
import yaml
from hypothesis import given, note, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, Literal, NamedNode, Quad, Triple, parse

from csto_kg import shipped, sourcemap
from csto_kg.serialization import FORMATS, dump
from csto_kg.sheet import Sheet, read_register
from csto_kg.sourcemap import Place, Position, SheetMap, located
from csto_kg.vocabulary import CSTO, ID, RDF, RDFS, XSD

TURTLES = sorted(shipped.DATA.glob("*.ttl"))
SHEETS = sorted(shipped.SHEETS.glob("*.yaml"))
EACH_SHEET = pytest.mark.parametrize("path", SHEETS, ids=[path.stem for path in SHEETS])

HEAD = "PREFIX : <http://e/>\n"


def at(text: str, position: Position) -> int:
    """The offset of a position, found another way than the module finds it."""
    lines = re.split(r"(\r\n|\r|\n)", text)
    return len("".join(lines[: 2 * (position.line - 1)])) + position.column - 1


def canonical(quads: list[Quad]) -> list[Quad]:
    """Name the blank nodes by the order in which they come: the parser's names are random."""
    names: dict[BlankNode, BlankNode] = {}

    def named(term: object) -> object:
        if isinstance(term, Triple):
            return Triple(named(term.subject), term.predicate, named(term.object))  # type: ignore[arg-type]
        if isinstance(term, BlankNode):
            return names.setdefault(term, BlankNode(f"b{len(names)}"))
        return term

    return [
        Quad(named(q.subject), q.predicate, named(q.object), named(q.graph_name))  # type: ignore[arg-type]
        for q in quads
    ]


def outcome(statements: Iterator[Quad]) -> tuple[list[Quad], tuple[object, ...] | None]:
    """What a reader yields, and where and why it stops."""
    quads = []
    try:
        for quad in statements:
            quads.append(quad)
    except SyntaxError as error:
        return canonical(quads), (error.lineno, error.offset, error.end_offset, error.msg)
    return canonical(quads), None


def offsets(text: str, format_name: str = "turtle") -> list[tuple[int, ...] | None]:
    """Where the terms of each triple begin."""
    return [
        tuple(at(text, position) for position in place) if place else None
        for _, place in located(text.encode(), format_name)
    ]


def words(text: str, format_name: str = "turtle") -> list[str]:
    """What stands at the places of each triple, up to the next delimiter."""
    ends = re.compile(r"<<\(|<[^>]*>|[(\[)]|[^\s;,)\]<]+")
    return [
        " ".join(ends.match(text, offset)[0] for offset in places) if places else "nowhere"  # type: ignore[index]
        for places in offsets(text, format_name)
    ]


class Writer:
    """Writes a random document in a random legal layout, noting where each term begins."""

    def __init__(self, random: Random, texts: list[str], format_name: str) -> None:
        self.random = random
        self.texts = texts
        self.rich = format_name in ("turtle", "trig")
        self.graphs = format_name in ("trig", "nquads")
        self.text = ""
        self.places: list[tuple[int, int, int]] = []
        self.spelled: dict[int, str] = {}
        self.directives = ""
        self.prefixes: dict[str, str] = {}
        self.base = ID

    # Layout.

    def gap(self) -> None:
        """White space that may be nothing."""
        if self.random.random() < 0.5:
            self.space()

    def space(self) -> None:
        notes = ("#\n", "# <a> :b 'c . \r\n", '#"""\r', "# {[(«ملاحظة»\n")
        plain = (" ", "\t", "  ")
        breaks = ("\n", "\r\n", "\r", *notes)
        for _ in range(self.random.randint(1, 3)):
            self.text += self.random.choice(plain + breaks if self.rich else plain)

    def put(self, text: str) -> int:
        self.text += text
        return len(self.text) - len(text)

    # Terms, each written in one of its ways.

    def term(self, spelling: str) -> int:
        offset = self.put(spelling)
        self.spelled[offset] = self.directives + f"<urn:s> <urn:p> {spelling} ."
        return offset

    def predicate(self) -> int:
        if self.rich and self.random.random() < 0.2:
            offset = self.put("a")
            self.spelled[offset] = f"<urn:s> <urn:p> <{RDF}type> ."
            return offset
        return self.term(self.iri())

    def iri(self) -> str:
        namespace = self.random.choice(("http://e/", "http://e/n#", ID, f"{ID}state/", XSD))
        local = self.random.choice(
            (
                "armenia",
                "a.b",
                "x-1",
                "الأمن",
                "a:b",
                "1",
                "p%C3%A9",
                "s/l",
                "end.",
                "-d",
                "",
            )
        )
        iri = namespace + local
        ways = [iri, "".join(map(self.unicode_escape, iri))]
        rest = iri.removeprefix(self.base)
        if self.rich and self.base[-1] == "/" and ":" not in rest:
            ways.append(rest)
        spelled = [f"<{way}>" for way in ways]
        if self.rich:
            spelled += [
                f"{prefix}:{self.local(iri[len(start) :])}"
                for prefix, start in self.prefixes.items()
                if iri.startswith(start)
            ] * 2
        return self.random.choice(spelled)

    def local(self, text: str) -> str:
        last = len(text) - 1
        return "".join(
            "\\" + char
            if char in "/#"
            or (char == "." and number in (0, last))
            or (char == "-" and number == 0)
            or (char in ".-" and self.random.random() < 0.2)
            else char
            for number, char in enumerate(text)
        )

    def unicode_escape(self, char: str) -> str:
        code = ord(char)
        if self.random.random() < 0.9:
            return char
        return f"\\u{code:04X}" if code < 0x10000 and code % 2 else f"\\U{code:08x}"

    def literal(self) -> str:
        text = self.random.choice(self.texts)
        if self.rich and self.random.random() < 0.3:
            return self.random.choice(
                ("1", "-1", "+2.50", ".5", "1e5", "1.e-5", "+.5E0", "true", "false")
            )
        quote = self.random.choice(('"', "'", '"""', "'''") if self.rich else ('"',))
        spelling, run = quote, 0
        for number, char in enumerate(text):
            run = run + 1 if char == quote[0] else 0
            must = char == "\\" or (len(quote) == 1 and char in "\r\n")
            if char == quote[0]:
                must = len(quote) == 1 or run == 3 or number == len(text) - 1
            if must or (char in "\\\"'\n\r\t" and self.random.random() < 0.3):
                written = "\\" + {"\n": "n", "\r": "r", "\t": "t"}.get(char, char)
            else:
                written = self.unicode_escape(char)
            run = run if len(written) == 1 else 0
            spelling += written
        spelling += quote
        match self.random.randrange(3):
            case 0:
                return spelling + self.gap_in_literal() + self.random.choice(("@en", "@ar-eg"))
            case 1:
                gaps = self.gap_in_literal(), self.gap_in_literal()
                return f"{spelling}{gaps[0]}^^{gaps[1]}{self.iri()}"
        return spelling

    def gap_in_literal(self) -> str:
        return self.random.choice(("", "", " ", "\n", "#@c ^^\r\n")) if self.rich else ""

    def node(self) -> str:
        return self.random.choice((self.iri(), self.iri(), "_:b1", "_:b.2", "_:b-3"))

    # Statements.

    def value(self, depth: int) -> int:
        choice = self.random.random()
        if not self.rich or depth > 2 or choice < 0.8:
            return self.term(self.literal() if self.random.random() < 0.5 else self.node())
        return self.properties(depth) if choice < 0.9 else self.collection(depth)

    def properties(self, depth: int) -> int:
        start = self.put("[")
        self.gap()
        if self.random.random() < 0.7:
            self.predicates(start, depth + 1)
            self.gap()
        self.put("]")
        return start

    def collection(self, depth: int) -> int:
        start = self.put("(")
        self.gap()
        empty = True
        for _ in range(self.random.randrange(4)):
            item = self.value(depth + 1)
            self.places += [(start, start, item)] * (1 if empty else 2)
            empty = False
            self.space()
        end = self.put(")")
        if not empty:
            self.places.append((start, start, end))
        return start

    def predicates(self, subject: int, depth: int = 0) -> None:
        for number in range(self.random.randint(1, 3)):
            if number:
                self.gap()
                self.put(";")
                if self.random.random() < 0.2:
                    self.gap()
                    self.put(";")
                self.gap()
            predicate = self.predicate()
            self.space()
            for order in range(self.random.choice((1, 1, 2, 3))):
                if order:
                    self.gap()
                    self.put(",")
                    self.gap()
                self.places.append((subject, predicate, self.value(depth)))
        if self.random.random() < 0.2:
            self.gap()
            self.put(";")

    def statement(self) -> None:
        choice, said = self.random.random(), len(self.places)
        if choice < 0.1:
            subject = self.properties(0)
            if len(self.places) > said and self.random.random() < 0.5:
                return
        elif choice < 0.2:
            subject = self.collection(0)
        else:
            subject = self.term(self.node())
        self.space()
        self.predicates(subject)

    def line(self) -> None:
        subject = self.term(self.node())
        self.space()
        predicate = self.term(self.iri())
        self.gap()
        self.places.append((subject, predicate, self.value(0)))
        if self.graphs and self.random.random() < 0.7:
            self.space()
            self.put(self.node())
        self.space()
        self.put(".")
        self.put(self.random.choice(("\n", "\r\n", "\n\n", " # . <a> «»\n")))

    def directive(self) -> None:
        iri = self.random.choice(("http://e/", "http://e/n#", ID, f"{ID}state/"))
        name = self.random.choice(("", "e", "prefix", "a.b-c", "تعريف"))
        keyword = self.random.choice(("@prefix", "PREFIX", "pReFiX", "@base", "BASE", "VERSION"))
        self.put(keyword)
        self.space()
        match keyword.lower().strip("@"):
            case "prefix":
                self.put(f"{name}:")
                self.gap()
                self.put(f"<{iri}>")
                self.prefixes[name] = iri
            case "base":
                self.put(f"<{iri}>")
                self.base = iri
            case _:
                self.put('"1.2"')
        if keyword[0] == "@":
            self.gap()
            self.put(".")
        self.directives = f"BASE <{self.base}>\n" + "".join(
            f"PREFIX {name}: <{iri}>\n" for name, iri in self.prefixes.items()
        )
        self.space()

    def block(self) -> None:
        if not self.graphs or self.random.random() < 0.4:
            self.statement()
            self.stop()
            return
        if self.random.random() < 0.8:
            if self.random.random() < 0.5:
                self.put(self.random.choice(("GRAPH", "graph")))
                self.space()
            self.put(self.random.choice((self.node(), "[]", "[ ]")))
            self.gap()
        self.put("{")
        self.gap()
        for _ in range(self.random.randrange(3)):
            self.statement()
            self.stop()
        if self.random.random() < 0.5:
            self.statement()
            self.gap()
        self.put("}")

    def stop(self) -> None:
        self.gap()
        self.put(".")
        # Without a space, a dot between two names would make one name of them.
        self.space()

    def document(self) -> str:
        for _ in range(self.random.randint(1, 5)):
            if not self.rich:
                self.line()
                continue
            if self.random.random() < 0.5:
                self.directive()
            self.block()
            self.gap()
        return self.text

    def said(self, quad: Quad, place: tuple[int, ...]) -> bool:
        """Whether what was written at a place, each term read on its own, is the quad."""
        subject, predicate, object_ = place
        rdf = quad.predicate.value.removeprefix(RDF)
        if rdf not in ("first", "rest"):
            written = zip(place, quad.triple, strict=True)
            return all(self.reads(offset, term) for offset, term in written)
        return (
            self.text[subject] == "("
            and subject == predicate < object_
            and isinstance(quad.subject, BlankNode)
            and (
                self.reads(object_, quad.object)
                if rdf == "first"
                else (self.text[object_] == ")") == (quad.object == NamedNode(f"{RDF}nil"))
            )
        )

    def reads(self, offset: int, term: object) -> bool:
        if offset in self.spelled:
            (alone,) = parse(self.spelled[offset], format=FORMATS["turtle"], base_iri=ID)
            return bool(alone.object == term)
        empty_list = self.text[offset] == "(" and term == NamedNode(f"{RDF}nil")
        return empty_list or (self.text[offset] in "[(" and isinstance(term, BlankNode))


TEXTS = st.lists(
    st.one_of(
        st.text(),
        st.text("\"'\\#.;,\n\r @^<>[]()ab"),
        st.sampled_from(
            ["منظمة معاهدة الأمن الجماعي", "ОДКБ . #", "𝄞\r\n𝄞 <x> .", '"""', "'' '", ""]
        ),
    ),
    min_size=1,
    max_size=4,
)


FORMAT = pytest.mark.parametrize("format_name", ["turtle", "trig", "ntriples", "nquads"])
MANY = settings(max_examples=200, deadline=None)
RANDOM = st.integers(0, 2**32).map(Random)


@FORMAT
@MANY
@given(random=RANDOM, texts=TEXTS)
def test_every_term_of_a_random_document_is_where_it_was_written(
    format_name: str, random: Random, texts: list[str]
) -> None:
    writer = Writer(random, texts, format_name)
    text = writer.document()
    note(text)
    quads = [quad for quad, _ in located(text.encode(), format_name)]
    plain = parse(text.encode(), format=FORMATS[format_name], base_iri=ID)
    assert canonical(quads) == canonical([*plain])
    places = [place for place in offsets(text, format_name) if place]
    assert sorted(places) == sorted(writer.places)
    for quad, place in zip(quads, places, strict=True):
        assert writer.said(quad, place)


@FORMAT
@MANY
@given(random=RANDOM, texts=TEXTS, data=st.data())
def test_a_broken_document_yields_what_the_parser_yields_and_the_same_error(
    format_name: str, random: Random, texts: list[str], data: st.DataObject
) -> None:
    text = Writer(random, texts, format_name).document()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 3)))
    middle = data.draw(st.text("\"'\\<>[](){}.;,#@:^~|_a1- \n", max_size=3))
    broken = (text[:start] + middle + text[end:]).encode()
    plain = parse(broken, format=FORMATS[format_name], base_iri=ID)
    assert outcome(quad for quad, _ in located(broken, format_name)) == outcome(plain)


@pytest.mark.parametrize("path", TURTLES, ids=[path.stem for path in TURTLES])
def test_every_term_of_a_shipped_file_is_where_the_map_says(path: Path) -> None:
    text = path.read_bytes().decode()
    head = text[: text.index("\n\n")]
    lines = text.split("\n")

    def read(position: Position, before: str) -> Quad:
        """Read the file on from a position: the first triple ends in what stands there."""
        here = "\n".join(
            [lines[position.line - 1][position.column - 1 :], *lines[position.line :][:2]]
        )
        quad: Quad = next(iter(parse(f"{head}\n{before} {here}", format=FORMATS["turtle"])))
        return quad

    count = 0
    for quad, place in located(text.encode(), "turtle"):
        assert place is not None
        assert read(place.object, "<urn:s> <urn:p>").object == quad.object
        assert read(place.predicate, "<urn:s>").predicate == quad.predicate
        assert read(place.subject, "").subject == quad.subject
        count += 1
    assert count == len([*parse(text, format=FORMATS["turtle"])])


def test_columns_count_code_points_and_lines_end_as_the_parser_ends_them() -> None:
    text = 'PREFIX : <http://e/>\r\n:a :p "𝄞عربي" , 5\r; :q """x\r\n\ry""" ,\n  "é" .\n'
    assert [place for _, place in located(text.encode(), "turtle")] == [
        Place(Position(2, 1), Position(2, 4), Position(2, 7)),
        Place(Position(2, 1), Position(2, 4), Position(2, 17)),
        Place(Position(2, 1), Position(3, 3), Position(3, 6)),
        Place(Position(2, 1), Position(3, 3), Position(6, 3)),
    ]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (':a :p "x"@en,"y"^^:d.', [':a :p "x"@en', ':a :p "y"^^:d.']),
        (":a a :b ; :c 1.:d :e 2.5.", [":a a :b", ":a :c 1.:d", ":d :e 2.5."]),
        (":a a <b>.<c>a<d>.", [":a a <b>", "<c> a <d>"]),
        (":a :p :b.c, :d\\., _:e.f .", [":a :p :b.c", ":a :p :d\\.", ":a :p _:e.f"]),
        (":a :-1,true .", [":a :-1 -1", ":a :-1 true"]),
        ("PREFIX a: <x> BASE <y>#:\n@base <z>. a:a a:b a:c .", ["a:a a:b a:c"]),
        ("[] :p [ :q 'r' ] .", ["[ :q 'r'", "[ :p ["]),
        ("[ :p 1 ] .", ["[ :p 1"]),
        (":a :p ( ) , () .", [":a :p (", ":a :p ("]),
        ("( 1 ) :p 2 .", ["( ( 1", "( ( )", "( :p 2"]),
        (":a :p ( 1 'x' ) .", ["( ( 1", ":a :p (", "( ( 'x'", "( ( 'x'", "( ( )"]),
        ("<..> a <.> , <#x> , <../y> .", ["<..> a <.>", "<..> a <#x>", "<..> a <../y>"]),
        (
            ":a :p ( <<( :s :q <<( :x :y [] )>> )>> ) .",
            [":a :p (", "( ( <<(", "( ( )"],
        ),
        (":a :p 'x' ~ :r .", [":a :p 'x'", "nowhere"]),
        (":a :p <<( :s :q 'x' )>> , 1 .", [":a :p <<(", ":a :p 1"]),
        (":a :p 1 . << :s :p :o >> :q 2 . :b :p 3 .", [":a :p 1", *["nowhere"] * 3]),
        (":a :p 1 ~ :r {| :q 2 |} ; :s 3 .", [":a :p 1", *["nowhere"] * 3]),
    ],
)
def test_hard_cases_of_turtle(body: str, expected: list[str]) -> None:
    # Of the triples of a list, the parser's order is not the order in which they are written.
    assert sorted(words(HEAD + body)) == sorted(expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("GRAPH :g { :a :p 1 } :b :p 2 .", [":a :p 1", ":b :p 2"]),
        (":g { :a :p 1 . :b :p 2 . } {:c :p 3}", [":a :p 1", ":b :p 2", ":c :p 3}"]),
        ("[] { :a :p 1 ; } _:g { [ :q 2 ] }", [":a :p 1", "[ :q 2"]),
    ],
)
def test_hard_cases_of_trig(body: str, expected: list[str]) -> None:
    assert words(HEAD + body, "trig") == expected


def test_the_name_of_a_graph_in_a_line_is_no_term_of_its_triple() -> None:
    text = '<a:a> <a:p> "x"@en <a:g> .\n<a:b> <a:p> <<( <a:s> <a:p> "y" )>> <a:g> .\n'
    assert words(text, "nquads") == ['<a:a> <a:p> "x"@en', "<a:b> <a:p> <<("]


def test_what_is_not_utf8_is_an_error_only_where_it_stands() -> None:
    found = located(b"<http://e/a> a <http://e/b> .\n<http://e/\xff> a <http://e/b> .", "turtle")
    assert next(found)[1] == Place(Position(1, 1), Position(1, 14), Position(1, 16))
    with pytest.raises(SyntaxError, match="UTF-8") as error:
        next(found)
    assert error.value.lineno == 2


def test_after_a_triple_that_its_tokens_do_not_fit_no_place_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = (HEAD + ":a :p 0 , 1 , 2 , 3 .").encode()
    zero, one, two, three = parse(data, format=FORMATS["turtle"], base_iri=ID)
    monkeypatch.setattr(sourcemap, "parse", lambda *_, **__: iter([zero, two, one, three]))
    found = [*located(data, "turtle")]
    assert [quad for quad, _ in found] == [zero, two, one, three]
    assert [place is not None for _, place in found] == [True, False, False, False]


@pytest.mark.parametrize("format_name", ["jsonld", "rdfxml"])
def test_formats_without_known_tokens_have_no_places(format_name: str) -> None:
    triple = Triple(NamedNode(f"{ID}state/x"), NamedNode(f"{RDFS}label"), Literal("x"))
    (found,) = located(dump([triple], format_name), format_name)
    assert (found[0].triple, found[1]) == (triple, None)


# Fact sheets.

SHEET = """\
"@context": ../../ontology/context.jsonld
graph:
- {id: source/test, type: Source, label: {en: A test, ar: ["مصدر", للتجربة], ru: x},
   issuedNotBefore: 2022-05-01, issuedNotAfter: 2022-05-31}
- id: membership/m
  type: Membership
  member: {id: state/x, type: State, label: {en: X}}
  begins: '1992-05-15'
  ends: ".."
- {id: event/e, type: Event, when: 2002, concerns: [alliance/a, alliance/b]}
- {id: membership/n, type: Membership, pastWhenIssued: true}
- {id: fact/f, type: Fact, subject: state/x, predicate: foundedBy, object: treaty/t}
"""


def values_at(lines: list[str], position: Position) -> set[str]:
    """The YAML scalar that begins at a position, read in flow and in block style."""
    rest = lines[position.line - 1][position.column - 1 :]
    more = lines[position.line : position.line + 10]
    values = set()
    for document in ("\n".join(["[" + rest, *more]), rest):
        tokens = yaml.scan(document, Loader=yaml.SafeLoader)
        values.add(next(token.value for token in tokens if isinstance(token, yaml.ScalarToken)))
    return values


def iri(value: str) -> str:
    context = json.loads((shipped.ONTOLOGY / "context.jsonld").read_text("utf-8"))["@context"]
    term = context.get(value, value)
    prefix, colon, local = (term if isinstance(term, str) else term["@id"]).partition(":")
    if not colon:
        return ID + value
    return context[prefix] + local if prefix in context else value


@EACH_SHEET
def test_every_triple_of_a_sheet_is_at_the_value_that_says_it(path: Path) -> None:
    lines = path.read_text("utf-8").split("\n")
    written = SheetMap(path.read_bytes()).written
    assert set(written) == Sheet.read(path).triples()
    for triple, position in written.items():
        found = values_at(lines, position)
        if isinstance(triple.object, Literal):
            assert triple.object.value in found
        else:
            assert isinstance(triple.object, NamedNode)
            assert triple.object.value in {iri(value) for value in found}


@EACH_SHEET
def test_what_the_build_infers_of_a_node_in_the_sheet_is_found_in_the_sheet(path: Path) -> None:
    sheet_map = SheetMap(path.read_bytes())
    nodes = {triple.subject for triple in sheet_map.written}
    for triple in Sheet.read(path).build(read_register(path.parent)):
        expected = triple.subject in nodes or triple.object in nodes
        # A fact may be about nodes that the sheet does not describe.
        assert sheet_map.position(triple) or not expected


@pytest.mark.parametrize(
    ("subject", "predicate", "object_", "line", "written"),
    [
        ("source/test", f"{RDF}type", NamedNode(f"{CSTO}Source"), 3, "Source"),
        ("source/test", f"{RDFS}label", Literal("A test", language="en"), 3, "A test"),
        ("source/test", f"{RDFS}label", Literal("للتجربة", language="ar"), 3, "للتجربة"),
        ("source/test", f"{RDFS}label", Literal("x", language="ru"), 3, "x}"),
        ("membership/m", f"{CSTO}member", NamedNode(f"{ID}state/x"), 7, "state/x"),
        ("state/x", f"{RDFS}label", Literal("X", language="en"), 7, "X"),
        ("membership/m", f"{CSTO}beginsNotAfter", "1992-05-15", 8, "'1992-05-15'"),
        ("membership/m", f"{CSTO}endsNotBefore", "2022-05-01", 9, '".."'),
        ("event/e", f"{CSTO}concerns", NamedNode(f"{ID}alliance/b"), 10, "alliance/b"),
        ("event/e", f"{CSTO}endsNotAfter", "2002-12-31", 10, "2002"),
        ("event/e", f"{CSTO}beginsNotBefore", "2002-01-01", 10, "2002"),
        ("membership/n", f"{CSTO}endsNotAfter", "2022-05-31", 11, "true"),
        ("state/x", f"{CSTO}foundedBy", NamedNode(f"{ID}treaty/t"), 12, "treaty/t"),
        (
            "derivation/test-ends-not-before-right-censoring",
            f"{CSTO}derived",
            NamedNode(f"{ID}membership/m"),
            *(5, "membership/m"),
        ),
    ],
)
def test_triples_of_a_sheet_written_and_inferred(
    tmp_path: Path,
    subject: str,
    predicate: str,
    object_: NamedNode | Literal | str,
    line: int,
    written: str,
) -> None:
    path = tmp_path / "test.yaml"
    path.write_text(SHEET, "utf-8")
    if isinstance(object_, str):
        object_ = Literal(object_, datatype=NamedNode(f"{XSD}date"))
    triple = Triple(NamedNode(ID + subject), NamedNode(predicate), object_)
    assert triple in Sheet.read(path).build(set())
    column = SHEET.split("\n")[line - 1].index(written) + 1
    assert SheetMap(path.read_bytes()).position(triple) == (line, column)


def test_what_the_sheet_does_not_say_is_at_the_node_or_nowhere() -> None:
    sheet_map = SheetMap(SHEET.encode())
    label = NamedNode(f"{RDFS}label"), Literal("not written")
    assert sheet_map.position(Triple(NamedNode(f"{ID}event/e"), *label)) == (10, 8)
    assert sheet_map.position(Triple(NamedNode(f"{ID}state/y"), *label)) is None


def test_a_triple_said_twice_is_at_its_first_place_whatever_the_line_ends() -> None:
    twice = (SHEET + "- {id: state/x, type: State}\n").replace("\n", "\r\n")
    about = Triple(NamedNode(f"{ID}state/x"), NamedNode(f"{RDF}type"), NamedNode(f"{CSTO}State"))
    assert SheetMap(twice.encode()).position(about) == (7, 31)
