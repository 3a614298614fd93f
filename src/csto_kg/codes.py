"""Codes of findings: what each means, why it is asked, what to do, and a small example."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from textwrap import fill, indent

from pyoxigraph import Literal, NamedNode, RdfFormat, parse

from csto_kg import shipped
from csto_kg.errors import CstoKgError
from csto_kg.vocabulary import RDFS, SHAPES

_SH = "http://www.w3.org/ns/shacl#"
_WIDTH = 88


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its title in English and Arabic, the reason, the remedy, and examples in Turtle."""

    title: str
    arabic: str
    why: str
    remedy: str
    bad: str
    good: str


def explain(code: str) -> str:
    """Return the page of a code, such as ``L01``, or of a shape, such as ``MembershipMember``.

    Raises :class:`CstoKgError` with close matches for what is neither.
    """
    name = code.strip().removeprefix("shape:").removeprefix(SHAPES)
    if found := CODES.get(name.upper()):
        return _page(name.upper(), found)
    shapes = _shapes()
    if name in shapes:
        return _shape_page(name, shapes[name])
    same = [known for known in shapes if known.casefold() == name.casefold()]
    near = same or get_close_matches(name, [*CODES, *shapes], n=3)
    hint = f": did you mean {' or '.join(near)}?" if near else f": codes are {', '.join(CODES)}"
    raise CstoKgError(f"“{code}” is neither a code nor a shape{hint}")


def _page(code: str, entry: Code) -> str:
    parts = [f"{code}  {entry.title}", entry.arabic, fill(entry.why, _WIDTH)]
    parts.append("What to do\n" + indent(fill(entry.remedy, _WIDTH - 2), "  "))
    for title, example in (("Not so", entry.bad), ("But so", entry.good)):
        if example:
            parts.append(f"{title}\n{indent(example, '  ')}")
    return "\n\n".join(parts) + "\n"


def _shape_page(name: str, shape: dict[str, dict[str, str]]) -> str:
    title = shape.get("label", {}).get("en", name)
    parts = [f"{name}  {title}"]
    parts += [fill(text, _WIDTH) for text in shape.get("comment", {}).values()]
    # No filling of Arabic: terminals and browsers break its lines better than we do.
    messages = shape.get("message", {})
    if english := messages.get("en"):
        parts.append("What to do\n" + indent(fill(english, _WIDTH - 2), "  "))
    parts += [text for language, text in sorted(messages.items()) if language != "en"]
    return "\n\n".join(parts) + "\n"


@cache
def _shapes() -> dict[str, dict[str, dict[str, str]]]:
    """Return the texts of each named shape, by what they are and by language."""
    data = (shipped.ONTOLOGY / "shapes.ttl").read_bytes()
    wanted = {f"{RDFS}label": "label", f"{RDFS}comment": "comment", f"{_SH}message": "message"}
    shapes: dict[str, dict[str, dict[str, str]]] = {}
    for quad in parse(data, format=RdfFormat.TURTLE):
        subject, what = quad.subject, wanted.get(quad.predicate.value)
        if what and isinstance(subject, NamedNode) and subject.value.startswith(SHAPES):
            assert isinstance(quad.object, Literal)
            texts = shapes.setdefault(re.sub(r".*#", "", subject.value), {}).setdefault(what, {})
            texts[quad.object.language or "en"] = quad.object.value
    return shapes


CODES: dict[str, Code] = {
    # Parsing: a document that cannot be taken in at all.
    "P01": Code(
        "The document is not well formed",
        "المستند ليس سليم الصياغة",
        "What a parser cannot read, or would skip in silence, says nothing for certain. Turtle, "
        "N-Triples, N-Quads, TriG, JSON-LD and RDF/XML are read as the W3C defines them, fact "
        "sheets as docs/sheets.md does, all of them in UTF-8.",
        "Go to the line and column of the finding; the mistake is there or just before it. In "
        "JSON-LD, a property that no @context defines counts as a mistake, since it would be lost.",
        'state:armenia rdfs:label "Armenia@en .',
        'state:armenia rdfs:label "Armenia"@en .',
    ),
    "P02": Code(
        "The document is too large or too deep",
        "المستند أكبر أو أعمق من المسموح",
        "A submission is read by people. Its limits, in bytes, in triples and in how deep brackets "
        "are nested, also keep the cost of a mistaken or hostile one small.",
        "Split it into several submissions, one for each source or part of a source, and write "
        "nodes one after the other rather than within each other.",
        "",
        "",
    ),
    "P03": Code(
        "An archive, or another file that is no document of facts",
        "أرشيف مضغوط أو ملف آخر ليس مستند وقائع",
        "A few compressed bytes can hold more than any machine has room for, and nobody can read "
        "in them what was submitted. How a document is read, its ending says.",
        "Unpack it and submit the document itself, with the ending of its format: .ttl, .nt, .nq, "
        ".trig, .jsonld, .rdf, or .yaml for a fact sheet.",
        "new-facts.ttl.gz",
        "new-facts.ttl",
    ),
    "P04": Code(
        "The document has a part of itself elsewhere",
        "جزء من المستند في مكان آخر",
        "What is fetched from elsewhere may be another thing tomorrow, and whoever makes a server "
        "fetch it chooses what it reads. Remote JSON-LD contexts and document types are refused.",
        "Write the context out in the document, or use a fact sheet, which has the project's own.",
        '"@context": "https://example.org/context.jsonld"',
        '"@context": {"csto": "https://w3id.org/csto-kg/ontology#"}',
    ),
    "P05": Code(
        "A text is too long",
        "النص أطول من المسموح",
        "Gists and labels are short. A text of thousands of characters is most likely the source's "
        "own, which is not ours to publish.",
        "Say it in your own words and in a sentence or two, and cite the place.",
        "",
        "",
    ),
    "P06": Code(
        "A node has no name",
        "عقدة بلا اسم",
        "A blank node cannot be cited, corrected or withdrawn, and is another one in each copy of "
        "the data. Triples about triples are said with csto:Fact or csto:Proposition.",
        "Give the node an identifier, kind:slug.",
        "citation:ex-1 oa:hasSelector [ oa:start 5 ; oa:end 9 ] .",
        "citation:ex-1 oa:hasSelector selector:ex-1 .\nselector:ex-1 oa:start 5 ; oa:end 9 .",
    ),
    "P07": Code(
        "The document says nothing",
        "لا يقول المستند شيئًا",
        "There is no triple in it: it is empty, has only comments and prefixes, or is JSON-LD of "
        "which nothing maps to RDF.",
        "Say what the facts are; the good examples in tests/submissions/good show how.",
        "@prefix csto: <https://w3id.org/csto-kg/ontology#> .",
        "source:example a csto:Source .",
    ),
    "P08": Code(
        "Judging the document takes too long or too much memory",
        "الحكم على المستند يتجاوز الوقت أو الذاكرة المسموحة",
        "A document is judged in a process of its own, which is ended when it takes more than its "
        "share, so that no submission keeps the others waiting.",
        "Submit less at a time: one source, or a part of one. If the document is small, tell the "
        "maintainers.",
        "",
        "",
    ),
}

CODES |= {
    # Lexical forms.
    "L01": Code(
        "A value does not have the form of its datatype",
        "قيمة ليست على صيغة نوعها",
        "Values of a wrong form are compared with nothing, or compared wrongly: a day that does "
        "not exist is neither before nor after another. Numbers and days have one way of writing "
        "each, so that an engine which rewrites 007 as 7 finds nothing to rewrite.",
        "Write days as YYYY-MM-DD and let them exist, whole numbers in digits without leading "
        "zeros, booleans as true or false, addresses whole, and dates that are not known to the "
        "day as EDTF.",
        'csto:beginsNotAfter "1999-02-30"^^xsd:date',
        'csto:beginsNotAfter "1999-02-28"^^xsd:date',
    ),
    "L02": Code(
        "A text has characters that are not seen",
        "في النص محارف لا تُرى",
        "Control and direction characters make a text look like another one than it is, and "
        "invisible ones make two names that look the same differ. Arabic and Russian names need "
        "none of them beside Latin ones; where a direction must be set, balanced isolates "
        "(U+2066 to U+2069) do it without touching what follows.",
        "Remove the character at the place that the finding gives, or type the text anew.",
        'rdfs:label "Arm\\u202Eenia"@en',
        'rdfs:label "Armenia"@en',
    ),
    "L03": Code(
        "A text is not in Unicode's normal form NFC",
        "النص ليس على صيغة NFC",
        "The same letter can be written as one character or as two. Offsets, hashes and comparing "
        "names need one way, and that is NFC.",
        "Save the text as NFC; editors and `uconv -x nfc` do.",
        'rdfs:label "Arme\\u0301nie"@en',
        'rdfs:label "Arm\\u00E9nie"@en',
    ),
    "L04": Code(
        "The letters are not those of the language",
        "الحروف ليست حروف اللغة",
        "A reader of Arabic who is shown a name tagged ar in Cyrillic letters cannot read it, and "
        "a word that mixes Latin and Cyrillic letters is found by no search. It is a warning where "
        "Latin letters stand in Arabic or Russian, as names of firms do.",
        "Correct the language tag, or write the name in that language and in its own letters.",
        'rdfs:label "Армения"@en',
        'rdfs:label "Армения"@ru',
    ),
    "L05": Code(
        "An identifier is not written as identifiers are",
        "معرّف ليس على صيغة المعرّفات",
        "Two identifiers that look alike are two nodes, and facts about the one are not found with "
        "the other. So identifiers are kind:slug, the kind one of a list and the slug in a-z, 0-9 "
        "and single hyphens; other IRIs lead into the web.",
        "Write the identifier anew, in plain Latin letters; `csto-kg search` finds those that "
        "exist.",
        "<https://w3id.org/csto-kg/id/state/Armenia>",
        "<https://w3id.org/csto-kg/id/state/armenia>",
    ),
    # Vocabulary.
    "V01": Code(
        "There is no such class",
        "لا يوجد صنف كهذا",
        "A node of a class that the ontology does not have is checked by no shape and found by no "
        "query.",
        "Use a class of ontology/csto.ttl; the finding names the nearest.",
        "membership:ex-armenia a csto:Memberhip .",
        "membership:ex-armenia a csto:Membership .",
    ),
    "V02": Code(
        "There is no such property",
        "لا توجد خاصية كهذه",
        "What is said with a property that the ontology does not have is asked for by no query.",
        "Use a property of ontology/csto.ttl; the finding names the nearest.",
        "membership:ex-armenia csto:aliance alliance:csto .",
        "membership:ex-armenia csto:alliance alliance:csto .",
    ),
    "V03": Code(
        "There is no such concept",
        "لا يوجد مفهوم كهذا",
        "Kinds, acts, offices and modalities come from closed lists, so that they can be compared.",
        "Use a concept of ontology/schemes.ttl; propose a new one to the maintainers.",
        "event:ex-signing csto:eventKind event-kind:signature .",
        "event:ex-signing csto:eventKind event-kind:signing .",
    ),
    "V04": Code(
        "A node has no type",
        "عقدة بلا نوع",
        "Shapes are applied by type: nothing would check the node, neither today nor when the "
        "submission that types it is withdrawn.",
        "Give the node its rdf:type, also when the graph has it already: repeating it changes "
        "nothing.",
        'person:example rdfs:label "Example"@en .',
        'person:example a csto:Person ; rdfs:label "Example"@en .',
    ),
    "V05": Code(
        "A term of a vocabulary that is not used here",
        "مصطلح من مفردات غير مستعملة هنا",
        "It is not wrong, and it is of no use: queries, shapes and the inference know the "
        "project's terms and those that the ontology names. This is a warning.",
        "Say it in the project's terms, or leave it out.",
        'person:example foaf:name "Example" .',
        'person:example rdfs:label "Example"@en .',
    ),
    # Policy.
    "Y01": Code(
        "The submission defines or changes terms",
        "يعرّف الإسهام مصطلحات أو يغيّرها",
        "Classes, properties, concepts and shapes decide how all data is read. They change by "
        "review of the ontology, never by a submission of facts: with an axiom of its own, it "
        "could make anything valid.",
        "Remove what is about terms. Propose a missing term to the maintainers.",
        "csto:member rdfs:range csto:Person .",
        "",
    ),
    "Y02": Code(
        "The submission declares an ontology, imports, or rebinds a prefix",
        "يعلن الإسهام أنطولوجيا أو استيرادًا أو يغيّر معنى سابقة",
        "Imports would bring in what nobody judged. A prefix such as state: that stands for "
        "another namespace deceives whoever reads the document.",
        "Remove the header; let the project's prefixes stand for their own namespaces.",
        "@prefix state: <https://w3id.org/csto-kg/id/polity/> .",
        "@prefix state: <https://w3id.org/csto-kg/id/state/> .",
    ),
    "Y03": Code(
        "The submission makes two identifiers one",
        "يجعل الإسهام معرّفين شيئًا واحدًا",
        "Identifiers are unique names. With owl:sameAs, everything that is said of one node would "
        "be said of the other, by a source that never said it.",
        "Use the identifier that exists. On a new entity, lead to Wikidata with skos:exactMatch.",
        "state:ex-armenia owl:sameAs state:armenia .",
        "membership:ex-armenia csto:member state:armenia .",
    ),
    "Y04": Code(
        "The submission writes on a node that exists",
        "يكتب الإسهام على عقدة موجودة",
        "Nodes of the graph belong to what described them; to add to them, re-type or re-date them "
        "is to put words into another source's mouth. Their types and names may be repeated.",
        "Leave the triple out. What your source says goes into its own memberships, events, "
        "lifespans, appellations and facts.",
        'membership:sna-armenia csto:endsNotAfter "2024-02-23"^^xsd:date .',
        "membership:ex-armenia csto:member state:armenia .",
    ),
    "Y05": Code(
        "The submission touches another source",
        "يمس الإسهام مصدرًا آخر",
        "Each source has its own assertions, citations and derivations; only so can sources be "
        "compared, and a submission be withdrawn without a trace. Whose a node is, its slug says: "
        "it begins with the key of the source.",
        "Describe your own source and its citations, with a key of their own in their slugs.",
        "membership:sna-georgia-2 prov:wasDerivedFrom citation:sna-p9-members .",
        "membership:ex-georgia prov:wasDerivedFrom citation:ex-1 .",
    ),
    "Y06": Code(
        "The submission writes what is only inferred or recorded",
        "يكتب الإسهام ما يُستنتج أو يُسجَّل فقط",
        "Written by hand, what follows from memberships has no source and no dates, and stays when "
        "they are corrected. The record of submissions is kept by who accepts them.",
        "Remove it; describe the csto:Membership, or the csto:Fact, from which it follows.",
        "state:armenia csto:everBelongedTo alliance:csto .",
        "membership:ex-armenia csto:member state:armenia ; csto:alliance alliance:csto .",
    ),
    "Y07": Code(
        "A relation has no csto:Fact that cites it",
        "علاقة بلا واقعة تستشهد لها",
        "A bare triple says who leads or opposes whom, and nobody answers for it.",
        "Add a csto:Fact with the same subject, predicate and object and a citation; if only a "
        "speaker says so, make it the csto:proposition of a csto:Statement and remove the triple.",
        "state:russia csto:leads alliance:csto .",
        "state:russia csto:leads alliance:csto .\n"
        "fact:ex-1 a csto:Fact ; rdf:subject state:russia ; rdf:predicate csto:leads ;\n"
        "  rdf:object alliance:csto ; prov:wasDerivedFrom citation:ex-1 .",
    ),
}

CODES |= {
    # What is found with the rest of the graph, and with the source's text.
    "O01": Code(
        "The facts contradict the ontology",
        "تناقض الوقائع الأنطولوجيا",
        "A person is no state, and a membership has one member: from a contradiction anything "
        "follows, so nothing would be inferred from the graph any more.",
        "Correct the type, or split the node into the two things that it is.",
        "state:ex-land a csto:State , csto:Person .",
        "state:ex-land a csto:State .",
    ),
    "D01": Code(
        "This source says so already",
        "قال هذا المصدر ذلك من قبل",
        "Two nodes of one source for the same spell of the same state in the same alliance, or for "
        "the same fact, are counted twice.",
        "Leave the new node out; if it is another spell, give it the next csto:spellNumber.",
        "membership:ex-armenia-again csto:spellNumber 1 .",
        "membership:ex-armenia-again csto:spellNumber 2 .",
    ),
    "C01": Code(
        "Another source says otherwise",
        "يقول مصدر آخر غير ذلك",
        "Sources do contradict each other: a date that allows no day in common, a claim against a "
        "denial. Both are kept and shown side by side. This is a warning.",
        "See whether it is a slip of yours; say with csto:beginsBy and csto:endsBy which legal act "
        "the date counts. If the sources disagree, both stay.",
        "",
        "",
    ),
    "E01": Code(
        "What is cited is not at that place of the text",
        "ليس المستشهد به في ذلك الموضع من النص",
        "A citation has offsets and a hash so that whoever has a copy of the text can see it. In "
        "the copy given here, the span at those offsets has another hash, or is beyond the end.",
        "Take the citation anew with `csto-kg cite`; offsets count code points of the NFC text.",
        "",
        "",
    ),
    "E02": Code(
        "The text given is not the one that is cited",
        "النص المعطى ليس النص المستشهد به",
        "The source's csto:textSha256 is the hash of another text: another edition, or a copy with "
        "more or less around it.",
        "Give the copy from which the citations were taken, or correct the hash and the citations.",
        "",
        "",
    ),
}
