"""Citations against the text that they cite, when somebody gives a copy of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pyoxigraph import NamedNode

from csto_kg.citation import SourceText, Span
from csto_kg.facts import Facts
from csto_kg.report import Finding
from csto_kg.terms import value
from csto_kg.vocabulary import CSTO, OA


def check(facts: Facts, texts: Sequence[SourceText]) -> Iterator[Finding]:
    """Find citations whose span is not where they say (E01) in a copy of their source.

    A copy belongs to the source whose ``csto:textSha256`` is its hash, or to the only source with
    such a hash; a source of another text is told so (E02), and so is a copy that is of none of the
    sources, so that nothing could be checked. Without texts nothing is checked.
    """
    sources = _values(facts, f"{CSTO}textSha256")
    cited = sorted(_values(facts, f"{OA}hasSource"))
    if texts and cited and not sources:
        yield _finding(
            facts,
            "E02",
            cited[0],
            f"{OA}hasSource",
            "nothing was checked, for no source here names its text: give it "
            f"textSha256 {texts[0].sha256} and textLength {len(texts[0].text)}",
            "لم يُتحقق من شيء، إذ لا مصدر هنا يسمي نصه: أضف إليه "
            f"textSha256 {texts[0].sha256} وtextLength {len(texts[0].text)}",
        )
    for source, digest in sources.items():
        fitting = [text for text in texts if text.sha256 == digest]
        copies = fitting or (texts if len(sources) == 1 else [])
        if copies and not fitting:
            yield _finding(
                facts,
                "E02",
                source,
                f"{CSTO}textSha256",
                "the text given has another hash: give the copy that was cited, or correct it",
                "للنص المعطى بصمة أخرى: أعط النسخة المستشهد بها أو صحح البصمة",
            )
        for citation in _of_source(facts, source):
            yield from _citation(facts, citation, copies)


def _citation(facts: Facts, citation: str, copies: Sequence[SourceText]) -> Iterator[Finding]:
    selector = _values(facts, f"{OA}hasSelector").get(citation)
    start = _values(facts, f"{OA}start").get(selector or "", "")
    end = _values(facts, f"{OA}end").get(selector or "", "")
    digest = _values(facts, f"{CSTO}spanSha256").get(citation)
    if not (start.isdigit() and end.isdigit() and digest) or int(start) >= int(end):
        return  # the shapes say so
    for text in copies:
        found = text.find(Span(int(start), int(end), digest))
        if found.verdict != "found":
            there = f": it is at {found.start}-{found.end}" if found.start is not None else ""
            yield _finding(
                facts,
                "E01",
                citation,
                f"{CSTO}spanSha256",
                f"what is cited is not at {start}-{end} of the text ({found.verdict}){there}: "
                "take the citation anew with `csto-kg cite`",
                f"ما استشهد به ليس في الموضع {start}-{end} من النص: خذ الاستشهاد من جديد",
            )


def _values(facts: Facts, predicate: str) -> dict[str, str]:
    wanted = NamedNode(predicate)
    return {
        value(triple.subject): value(triple.object)
        for triple in facts.places
        if triple.predicate == wanted
    }


def _of_source(facts: Facts, source: str) -> list[str]:
    cited = _values(facts, f"{OA}hasSource")
    return sorted(citation for citation, its in cited.items() if its == source)


def _finding(
    facts: Facts, code: str, node: str, predicate: str, english: str, arabic: str
) -> Finding:
    place = facts.place(node, predicate)
    line, column = (place.line, place.column) if place else (None, None)
    messages = {"en": english, "ar": arabic}
    return Finding("Violation", code, node, messages, path=predicate, line=line, column=column)
