from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.entities import fold
from csto_kg.vocabulary import ID, compact, expand


@pytest.mark.parametrize(
    "name",
    [
        "csto",
        "CSTO",
        "alliance:csto",
        f"{ID}alliance/csto",
        f"<{ID}alliance/csto>",
        "Collective Security Treaty Organization",
        "collective security treaty organization",
        "ОДКБ",
        "منظمة معاهدة الأمن الجماعي",
        "منظمه معاهده الامن الجماعي",
    ],
)
def test_an_alliance_is_found_by_any_of_its_names(kg: KnowledgeGraph, name: str) -> None:
    assert kg.resolve(name, "csto:Alliance") == f"{ID}alliance/csto"


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("csto", "iri", "may be alliance:csto or organization:csto"),
        ("kstan", "csto:State", "no State is called “kstan”: candidates are .*state:"),
        ("armania", "csto:State", "candidates are .*state:armenia"),
        (
            "Atlantis",
            "csto:Alliance",
            "no Alliance is called “Atlantis”: candidates are alliance:csto",
        ),
        ("state:armenia", "csto:Alliance", "state:armenia is not a Alliance"),
        ("state:atlantis", "csto:State", "“state:atlantis” is not in the graph"),
        ("https://example.org/a b", "iri", "not a valid IRI"),
        (
            "guess",
            "scheme/modality",
            "no modality is called “guess”: candidates are .*modality:claimed",
        ),
        ("", "csto:State", "no State is called “”"),
    ],
)
def test_what_is_unknown_or_ambiguous_is_refused_with_candidates(
    kg: KnowledgeGraph, name: str, kind: str, reason: str
) -> None:
    with pytest.raises(CstoKgError, match=reason):
        kg.resolve(name, kind)


def test_a_class_takes_its_subclasses(kg: KnowledgeGraph) -> None:
    assert kg.resolve("armenia", "csto:Actor") == f"{ID}state/armenia"
    assert kg.resolve("possibility", "scheme/modality") == f"{ID}modality/possibility"
    assert kg.resolve("احتمال", "scheme/modality") == f"{ID}modality/possibility"


@pytest.mark.parametrize(
    ("written", "typed"),
    [
        ("أُوزبكِستان", "اوزبكستان"),
        ("الجماعيّة", "الجماعيه"),
        ("منظّـــمة", "منظمة"),
        ("مستشفى", "مستشفي"),
        ("Королёв", "королев"),
        ("Türkiye", "turkiye"),
        ("  two   words ", "TWO words"),
    ],
)
def test_letters_that_people_interchange_are_folded(written: str, typed: str) -> None:
    assert fold(written) == fold(typed)


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_search_finds_whole_names_first(kg: KnowledgeGraph) -> None:
    found = [compact(str(row.entity)) for row in kg.search("warsaw pact")]
    assert found[0] == "alliance:warsaw-pact"
    assert len(kg.search("")) == 0
    assert len(kg.search("no such name anywhere")) == 0


@given(st.from_regex(r"[a-z0-9]+(-[a-z0-9]+)*", fullmatch=True))
def test_curies_round_trip(slug: str) -> None:
    iri = f"{ID}state/{slug}"
    assert compact(iri) == f"state:{slug}"
    assert expand(compact(iri)) == iri


def test_what_is_no_curie_stays() -> None:
    assert compact("http://example.org/x") == "http://example.org/x"
    assert expand("ex:x") is None
    assert expand("armenia") is None
