"""Hostile values cannot change the shape of a query, in either engine."""

from __future__ import annotations

import pyoxigraph as ox
import pytest
import rdflib
from hypothesis import example, given
from hypothesis import strategies as st

from csto_kg import CstoKgError, KnowledgeGraph
from csto_kg.catalogue import Parameter, quote
from csto_kg.sparql import check, prologue, substitute, tokens, variables

# Letters that end strings, IRIs, groups, lines and comments, that start escapes, and that
# reorder what people see.
hostile = st.text(
    st.one_of(
        st.sampled_from(
            "\"'\\{}<>()[]#$?.;,@^|/uU0 \n\r\t\u202e\u2066\u2069\u200f\u2028\ufeff\x00"
        ),
        st.characters(codec="utf-8"),
    ),
    max_size=40,
)

TEMPLATE = """
SELECT ?answer WHERE { # a comment with $value
  BIND("a string with $value" AS ?fixed)
  BIND($value AS ?answer)
}
"""


@given(hostile)
@example('" } SERVICE <http://example.org/> { ?s ?p "')
@example("\\u0022 } #")
@example("\\\\u0022")
@example("\\U00000022")
@example("'''\"\"\"")
def test_a_text_arrives_as_it_was_given(value: str) -> None:
    text = substitute(TEMPLATE, {"value": quote(value)})
    [row] = list(ox.Store().query(text))  # type: ignore[arg-type]
    assert row["answer"].value == value
    [result] = list(rdflib.Graph().query(text))
    assert str(result[0]) == value  # type: ignore[index]


@given(hostile)
def test_the_shape_of_the_query_stays(value: str) -> None:
    plain = [token.lastgroup for token in tokens(substitute(TEMPLATE, {"value": quote("x")}))]
    hurt = [token.lastgroup for token in tokens(substitute(TEMPLATE, {"value": quote(value)}))]
    assert hurt == plain


@given(hostile, st.sampled_from(["date", "integer", "boolean", "concept", "iri", "csto:Alliance"]))
def test_other_types_take_a_value_of_their_type_or_none(
    kg: KnowledgeGraph, value: str, kind: str
) -> None:
    parameter = Parameter("value", kind, scheme="modality" if kind == "concept" else None)
    try:
        term = parameter.term(value, kg.resolve)
    except CstoKgError:
        return
    [token] = list(tokens(term.split("^^")[0]))
    assert token.lastgroup in ("iri", "string")


@given(hostile)
def test_tokens_are_the_whole_text(text: str) -> None:
    assert "".join(token[0] for token in tokens(text)) == text


def test_variables_in_strings_iris_and_comments_are_not_variables() -> None:
    text = 'SELECT ?a { ?a <http://e/$no> "$no" . # $no\n FILTER($yes < ?b) }'
    assert variables(text, "$") == {"yes"}
    assert variables(text, "?") == {"a", "b"}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT * { SERVICE <http://example.org/> { ?s ?p ?o } }", "query:1:12.*SERVICE"),
        ("SELECT *\n{ service silent <http://example.org/> {} }", "query:2:3.*service"),
        ("SELECT * { SERV\\u0049CE <http://example.org/> {} }", "backslash"),
        ("ASK " + "{" * 200 + "}" * 200, "nested more than 100"),
        ("ASK { FILTER(" + "!" * 6000 + "true) }", "more than 5000 operators"),
        ("SELECT (" + "+".join("1" * 6000) + " AS ?x) {}", "more than 5000 operators"),
    ],
)
def test_queries_that_reach_out_or_overflow_are_refused(text: str, reason: str) -> None:
    with pytest.raises(CstoKgError, match=reason):
        check(text)


def test_words_inside_strings_and_long_lists_of_values_are_fine() -> None:
    check('SELECT * { ?s ?p "SERVICE" }')
    check("ASK { VALUES ?s {" + " <http://example.org/a>" * 20_000 + "} }")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("SELECT ?x { ?x a cs:State }", "the prefix cs: is not declared"),
        ("PREFIX cs: <urn:c> SELECT ?x { ?x a cs:State", "error at"),
        ("DELETE WHERE { ?s ?p ?o }", "it is an update, and the graph is only read here"),
        ("query.rq", "none of SELECT, ASK, CONSTRUCT"),
    ],
)
def test_what_is_no_query_is_explained(kg: KnowledgeGraph, text: str, reason: str) -> None:
    with pytest.raises(CstoKgError, match=reason):
        kg.sparql(text)


def test_a_prefix_in_a_comment_is_not_declared() -> None:
    text = "# PREFIX csto: <x>\nSELECT ?s { ?s a csto:State }"
    assert prologue(text, {"csto": "urn:c"}) == "PREFIX csto: <urn:c>\n"
    assert not prologue(f"PREFIX csto: <urn:d>\n{text}", {"csto": "urn:c"})
