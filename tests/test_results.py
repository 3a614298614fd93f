from __future__ import annotations

from datetime import date

import rdflib

from csto_kg import KnowledgeGraph, Rows, Triples
from csto_kg.vocabulary import ID

ARTICLE = "skynewsarabia-2022-csto-summit"


def members(kg: KnowledgeGraph) -> Rows:
    return kg.run("members-on", sources=[ARTICLE], alliance="csto", date=date(2000, 1, 1))


def test_rows_are_rdflib_terms_by_name_and_by_place(kg: KnowledgeGraph) -> None:
    rows = members(kg)
    assert len(rows) == 9
    first = rows[0]
    assert first.state == rdflib.URIRef(f"{ID}state/armenia")
    assert first["name"] == rdflib.Literal("Armenia", lang="en")
    assert first.endsNotAfter is None
    assert [str(row.status) for row in rows[4:6]] == ["certain", "possible"]


def test_a_date_given_as_a_date_is_the_day_given_as_text(kg: KnowledgeGraph) -> None:
    as_text = kg.run("members-on", sources=[ARTICLE], alliance="csto", date="2000-01-01")
    assert list(as_text) == list(members(kg))


def test_frames_have_python_values(kg: KnowledgeGraph) -> None:
    rows = members(kg)
    pandas, polars = rows.to_pandas(), rows.to_polars()
    assert list(pandas.columns) == polars.columns == list(rows.columns)
    for frame in (pandas.to_dict("list"), polars.to_dict(as_series=False)):
        assert frame["beginsNotBefore"][0] == date(1992, 5, 15)
        assert frame["status"].count("certain") == 5
        assert frame["assumed"][0] is True
        assert frame["state"][0] == f"{ID}state/armenia"


def test_integers_are_integers_in_frames(kg: KnowledgeGraph) -> None:
    frame = kg.run("counts-by-class", sources=[ARTICLE]).to_pandas()
    assert frame["nodes"].sum() > 300


def test_a_notebook_shows_a_table_whose_text_is_escaped(kg: KnowledgeGraph) -> None:
    html = kg.sparql('SELECT ("<script>" AS ?x) {}')._repr_html_()
    assert "<table>" in html
    assert "<script>" not in html


def test_a_pipe_in_a_cell_does_not_end_it(kg: KnowledgeGraph) -> None:
    assert "a\\|b" in kg.sparql('SELECT ("a|b" AS ?x) {}').text("markdown")


def test_an_empty_answer_still_has_its_columns(kg: KnowledgeGraph) -> None:
    rows = kg.run("alliances-of", state="china", date="2000-01-01")
    assert len(rows) == 0
    assert "status" in str(rows)
    assert rows.text("csv").startswith("name,status")


def test_ask_has_an_answer_and_rows_have_none(kg: KnowledgeGraph) -> None:
    assert kg.sparql("ASK { state:armenia a csto:State }").answer is True
    assert kg.sparql("ASK { state:armenia a csto:Person }").answer is False
    assert members(kg).answer is None


def test_construct_gives_a_graph(kg: KnowledgeGraph) -> None:
    result = kg.sparql("CONSTRUCT { ?s csto:member ?o } WHERE { ?s csto:member ?o }")
    assert isinstance(result, Triples)
    assert len(result.to_graph()) == len(result) > 100
    assert "csto:member state:armenia" in str(result)
    assert result.text("csv").startswith("subject,predicate,object")


def test_standard_formats_keep_language_datatype_and_absence(kg: KnowledgeGraph) -> None:
    rows = kg.sparql('SELECT ?a ?b ?c { VALUES (?a ?b ?c) { ("x"@ar 1 UNDEF) } }')
    assert rows.text("tsv") == '?a\t?b\t?c\n"x"@ar\t1\t\n'
    assert '"xml:lang":"ar"' in rows.text("json").replace(" ", "")
    assert "<unbound" not in rows.text("xml")
