"""What is shipped: the article alone, whole, and in nobody else's words."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from csto_kg import KnowledgeGraph, Rows, shipped
from csto_kg.citation import SourceText

from .conftest import ROOT, Run

ARTICLE = "skynewsarabia-2022-csto-summit"


def by_status(result: Rows) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for row in result:
        found.setdefault(str(row.status), set()).add(str(row.name))
    return found


def test_members_of_the_article_at_the_turn_of_the_century(kg: KnowledgeGraph) -> None:
    call: dict[str, Any] = {"alliance": "csto", "date": "2000-01-01"}
    assert by_status(kg.run("members-on", sources=[ARTICLE], **call)) == {
        "certain": {"Armenia", "Kazakhstan", "Kyrgyzstan", "Russia", "Tajikistan"},
        "possible": {"Azerbaijan", "Belarus", "Georgia", "Uzbekistan"},
    }
    doubted = by_status(kg.run("members-on", sources=[ARTICLE], continuity=False, **call))
    assert doubted.keys() == {"possible"}
    assert len(doubted["possible"]) == 9


def test_the_conflicts_that_must_not_be_resolved(kg: KnowledgeGraph) -> None:
    found = {
        (str(row.kind).rpartition("/")[2], str(row.ofState).rpartition("/")[2], str(row.about))
        for row in (kg.run("conflicts", alliance="csto"))
    }
    assert {
        ("different-acts", state, "end") for state in ("azerbaijan", "georgia", "uzbekistan")
    } <= found
    assert ("same-act-different-date", "georgia", "beginning") in found
    assert ("self-contradiction", "belarus", "signatoryOf") in found
    assert ("fact-against-denial", "armenia", "suspends") in found


def test_triples_is_the_article_alone(kg: KnowledgeGraph) -> None:
    text = (shipped.DATA / "triples.ttl").read_text("utf-8")
    assert set(re.findall(r"^source:[\w-]+", text, re.M)) == {f"source:{ARTICLE}"}
    assert "everBelongedTo" not in text
    # No membership in an alliance for which the report names no member in its own voice.
    memberships = kg.sparql("SELECT DISTINCT ?a { ?m csto:alliance ?a }", sources=[ARTICLE])
    assert [str(row.a).rpartition("/")[2] for row in memberships] == ["csto"]


def test_the_article_gives_no_day_of_the_summit(kg: KnowledgeGraph) -> None:
    [row] = kg.sparql(
        """SELECT ?first ?last ?rule { event:sna-summit csto:beginsNotBefore ?first ;
            csto:endsNotAfter ?last . ?d csto:derived event:sna-summit ; csto:rule ?rule }"""
    )
    assert (str(row.first), str(row.last)) == ("2022-05-01", "2022-05-31")
    assert str(row.rule).endswith("anniversary-month")


def test_what_is_only_said_is_not_so(kg: KnowledgeGraph) -> None:
    for triple in (
        "state:china csto:joins alliance:csto",
        "state:china csto:everBelongedTo alliance:csto",
        "polity:abkhazia csto:joins alliance:csto",
        "?event csto:hasOutcome ?outcome",
        "?cause csto:causes ?effect",
    ):
        answer = kg.sparql(f"ASK {{ {triple} }}")
        assert answer.answer is False, triple


def test_events_known_only_from_statements_are_never_said_to_have_occurred(
    kg: KnowledgeGraph,
) -> None:
    wrong = kg.sparql(
        """SELECT ?e { ?e csto:accordingTo ?s ;
        csto:status <https://w3id.org/csto-kg/id/status/occurred> }"""
    )
    assert len(wrong) == 0


def test_every_citation_is_found_in_the_article(kg: KnowledgeGraph, article: Path) -> None:
    checked = kg.cite_check(article)
    assert len(checked) >= 80
    assert {str(row.verdict) for row in checked} == {"found"}
    [source] = kg.sparql("SELECT ?s ?h ?n { ?s csto:textSha256 ?h ; csto:textLength ?n }")
    text = SourceText.read(article)
    assert (str(source.h), int(source.n)) == (text.sha256, len(text.text))


@pytest.mark.parametrize("position", [0, 20, 700, 1500, 2600, 3200, 3720])
def test_a_changed_letter_is_noticed_by_the_citations_that_cover_it(
    kg: KnowledgeGraph, article: Path, tmp_path: Path, position: int
) -> None:
    text = SourceText.read(article).text
    copy = tmp_path / "copy.txt"
    copy.write_text(text[:position] + "Ω" + text[position + 1 :], "utf-8")
    for row in kg.cite_check(copy):
        covered = int(row.start) <= position < int(row.end)
        assert (str(row.verdict) != "found") == covered


def test_an_inserted_letter_moves_what_follows(
    kg: KnowledgeGraph, article: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.txt"
    copy.write_text("Ω" + SourceText.read(article).text, "utf-8")
    verdicts = {str(row.verdict) for row in (kg.cite_check(copy))}
    assert verdicts <= {"moved", "ambiguous"}


def test_no_sentence_of_the_article_is_in_the_repository(article: Path) -> None:
    """No run of six of its words; names of institutions alone are as long."""
    words = re.findall(r"\w+", SourceText.read(article).text)
    runs = {" ".join(words[index : index + 6]) for index in range(len(words) - 5)}
    names = {"مركز الأمصار للدراسات الاستراتيجية والاقتصادية"}
    for folder in ("data", "ontology", "queries", "docs", "src", "tests"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".yaml", ".ttl", ".rq", ".md", ".py", ".jsonld", ".tsv"):
                text = re.findall(r"\w+", path.read_text("utf-8", "replace"))
                for index in range(len(text) - 5):
                    run = " ".join(text[index : index + 6])
                    assert run not in runs or any(name in run for name in names), (path, run)


def test_all_shipped_data_conform(csto: Run) -> None:
    files = sorted(str(path) for path in shipped.DATA.glob("*.ttl"))
    result = csto("validate", *files)
    assert result.returncode == 0, result.stdout
    assert not result.stderr
