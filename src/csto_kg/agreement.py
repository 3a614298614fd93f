"""How new facts stand with what is accepted: said already by this source, or denied by another.

What is compared is taken from the graph by look-ups from the new facts outwards, so that the cost
follows them and not the graph.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from pyoxigraph import DefaultGraph, NamedNode, Quad, QuerySolutions, Store, Triple

from csto_kg import shipped
from csto_kg.catalogue import SavedQuery
from csto_kg.endpoint import Engine
from csto_kg.facts import Facts
from csto_kg.report import Finding
from csto_kg.terms import Term, value
from csto_kg.vocabulary import CSTO, OA, PREFIXES, PROV, compact

_VARIABLE = re.compile(r"\?(\w+)")
_PROPOSITION = NamedNode(f"{CSTO}proposition")
_FOUNDED_BY = NamedNode(f"{CSTO}foundedBy")
_DERIVED_FROM = NamedNode(f"{PROV}wasDerivedFrom")
_HAS_SOURCE = NamedNode(f"{OA}hasSource")

_DUPLICATES = """
SELECT DISTINCT ?new ?old WHERE {
  { ?new csto:member ?a ; csto:alliance ?b ; csto:spellNumber ?c .
    ?old csto:member ?a ; csto:alliance ?b ; csto:spellNumber ?c }
  UNION
  { ?new a csto:Fact ; rdf:subject ?a ; rdf:predicate ?b ; rdf:object ?c .
    ?old a csto:Fact ; rdf:subject ?a ; rdf:predicate ?b ; rdf:object ?c }
  ?new prov:wasDerivedFrom/oa:hasSource ?source .
  ?old prov:wasDerivedFrom/oa:hasSource ?source .
  FILTER(?new != ?old)
} ORDER BY ?new ?old
"""

# Of those who contradict one new assertion so many are named; `conflicts` lists all of them.
_MOST = 20

# What is asked of the new facts; and, given each answer, what of the graph is to be compared.
_RIVALS = (
    (
        """
        SELECT * WHERE {
          ?new csto:member ?member ; csto:alliance ?alliance ; csto:spellNumber ?spell .
          OPTIONAL { ?new csto:beginsNotBefore ?afterBegin }
          OPTIONAL { ?new csto:beginsNotAfter ?beforeBegin }
          OPTIONAL { ?new csto:endsNotBefore ?afterEnd }
          OPTIONAL { ?new csto:endsNotAfter ?beforeEnd }
        }
        """,
        f"""
        SELECT DISTINCT ?old WHERE {{
          ?old csto:member ?member ; csto:alliance ?alliance ; csto:spellNumber ?spell .
          OPTIONAL {{ ?old csto:beginsNotBefore ?beginsNotBefore }}
          OPTIONAL {{ ?old csto:beginsNotAfter ?beginsNotAfter }}
          OPTIONAL {{ ?old csto:endsNotBefore ?endsNotBefore }}
          OPTIONAL {{ ?old csto:endsNotAfter ?endsNotAfter }}
          FILTER(?beforeBegin < ?beginsNotBefore || ?beginsNotAfter < ?afterBegin ||
                 ?beforeEnd < ?endsNotBefore || ?endsNotAfter < ?afterEnd)
        }} LIMIT {_MOST}
        """,
    ),
    (
        """
        SELECT DISTINCT ?polarity ?subject ?predicate ?object WHERE {
          { ?new csto:proposition ?claim ; csto:polarity ?polarity .
            ?claim rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object }
          UNION
          { ?new a csto:Fact ; rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object
            BIND(polarity:affirmative AS ?polarity) }
        }
        """,
        f"""
        SELECT DISTINCT ?old WHERE {{
          ?claim rdf:subject ?subject ; rdf:predicate ?predicate ; rdf:object ?object .
          {{ ?old csto:proposition ?claim ; csto:polarity ?other FILTER(?other != ?polarity) }}
          UNION
          {{ ?claim a csto:Fact BIND(?claim AS ?old) FILTER(?polarity = polarity:negative) }}
        }} LIMIT {_MOST}
        """,
    ),
    (
        """
        SELECT DISTINCT ?source ?actor WHERE {
          ?new prov:wasDerivedFrom/oa:hasSource ?source .
          { ?new csto:member|rdf:subject ?actor } UNION { ?new csto:proposition/rdf:subject ?actor }
        }
        """,
        """
        SELECT DISTINCT ?old WHERE {
          ?citation oa:hasSource ?source .
          ?old prov:wasDerivedFrom ?citation .
          { ?old csto:member ?actor } UNION { ?old rdf:subject ?actor }
          UNION { ?old csto:proposition/rdf:subject ?actor }
        }
        """,
    ),
)


def check(facts: Facts, store: Engine) -> Iterator[Finding]:
    """Find duplicates within one source (D01) and conflicts (C01) of ``facts`` with a graph.

    A duplicate is a violation. A conflict is a warning: sources may disagree, and both stay.
    """
    together = _neighbourhood(facts, store)
    described = facts.subjects
    for new, old in _rows(together, _DUPLICATES):
        if new in described and (old not in described or new > old):
            english = (
                f"{compact(old)} says this already, from this source: leave {compact(new)} out"
            )
            arabic = f"تقول {compact(old)} هذا من المصدر نفسه: احذف {compact(new)}"
            yield _finding(facts, "Violation", "D01", new, old, english, arabic)
    query = SavedQuery.read(shipped.QUERIES / "conflicts.rq")
    for row in together.query(query.text):  # type: ignore[union-attr]
        assert not isinstance(row, Triple | bool)
        one, other = value(row["evidence1"]), value(row["evidence2"])
        if not {one, other} & described:
            continue
        new, old = (one, other) if one in described else (other, one)
        kind = value(row["kind"]).rpartition("/")[2].replace("-", " ")
        about = f"{value(row['about'])} of {compact(value(row['ofState']))}"
        dates = " and ".join(value(row[name]) for name in ("date1", "date2") if row[name])
        english = (
            f"{kind}: {compact(one)} ({compact(value(row['source1']))}) and {compact(other)} "
            f"({compact(value(row['source2']))}) on the {about}{': ' if dates else ''}{dates}: "
            "correct a slip; if the sources disagree, both stay"
        )
        arabic = f"تعارض بين {compact(one)} و{compact(other)}: صحح الخطأ إن وجد، وإلا بقي القولان"
        yield _finding(facts, "Warning", "C01", new, old, english, arabic)


def _neighbourhood(facts: Facts, store: Engine) -> Store:
    """Copy the facts, and of the graph what may repeat or contradict them."""
    new = Store()
    new.extend(Quad(*triple) for triple in facts.triples)
    nodes: set[Term] = set()
    for ask, rivals in _RIVALS:
        for given in _solutions(new, ask, {}):
            nodes.update(row["old"] for row in _solutions(store, rivals, given))
    together = Store()
    together.extend(new)
    claims = {claim for node in nodes for claim in _values(store, node, _PROPOSITION)}
    for node in nodes | claims:
        for quad in store.quads_for_pattern(node, None, None, DefaultGraph()):  # type: ignore[arg-type]
            together.add(Quad(*quad.triple))
            if quad.predicate == _DERIVED_FROM:
                for source in _values(store, quad.object, _HAS_SOURCE):
                    together.add(Quad(quad.object, _HAS_SOURCE, source))  # type: ignore[arg-type]
    founded = store.quads_for_pattern(None, _FOUNDED_BY, None, DefaultGraph())
    together.extend(Quad(*quad.triple) for quad in founded)
    return together


def _solutions(store: Engine, query: str, given: dict[str, Term]) -> Iterator[dict[str, Term]]:
    def bound(variable: re.Match[str]) -> str:
        return str(given.get(variable[1], variable[0]))

    result = store.query(_VARIABLE.sub(bound, query), prefixes=PREFIXES)
    assert isinstance(result, QuerySolutions)
    names = [variable.value for variable in result.variables]
    for row in result:
        yield {name: term for name, term in zip(names, row, strict=True) if term is not None}


def _values(store: Engine, node: Term, predicate: NamedNode) -> list[Term]:
    quads = store.quads_for_pattern(node, predicate, None, DefaultGraph())  # type: ignore[arg-type]
    return [quad.object for quad in quads]


def _rows(store: Engine, query: str) -> list[tuple[str, str]]:
    result = store.query(query, prefixes=PREFIXES)
    assert isinstance(result, QuerySolutions)
    return [(value(one), value(other)) for one, other in result if one and other]


def _finding(
    facts: Facts, severity: str, code: str, new: str, old: str, english: str, arabic: str
) -> Finding:
    place = facts.place(new)
    line, column = (place.line, place.column) if place else (None, None)
    messages = {"en": english, "ar": arabic}
    return Finding(severity, code, new, messages, value=old, line=line, column=column)
