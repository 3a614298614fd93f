"""How new facts stand with what is accepted: said already by this source, or denied by another.

What is compared is taken from the graph by look-ups from the new facts outwards, so that the cost
follows them and not the graph.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyoxigraph import DefaultGraph, NamedNode, Quad, QuerySolutions, Store, Triple

from csto_kg import shipped
from csto_kg.catalogue import SavedQuery
from csto_kg.facts import Facts
from csto_kg.report import Finding
from csto_kg.terms import Term, value
from csto_kg.vocabulary import CSTO, OA, PROV, RDF, compact

_MEMBER, _ALLIANCE = NamedNode(f"{CSTO}member"), NamedNode(f"{CSTO}alliance")
_SUBJECT = NamedNode(f"{RDF}subject")
_PROPOSITION = NamedNode(f"{CSTO}proposition")
_DERIVED_FROM = NamedNode(f"{PROV}wasDerivedFrom")
_HAS_SOURCE = NamedNode(f"{OA}hasSource")

_DUPLICATES = f"""
SELECT DISTINCT ?new ?old WHERE {{
  {{ ?new <{CSTO}member> ?a ; <{CSTO}alliance> ?b ; <{CSTO}spellNumber> ?c .
     ?old <{CSTO}member> ?a ; <{CSTO}alliance> ?b ; <{CSTO}spellNumber> ?c }}
  UNION
  {{ ?new a <{CSTO}Fact> ; <{RDF}subject> ?a ; <{RDF}predicate> ?b ; <{RDF}object> ?c .
     ?old a <{CSTO}Fact> ; <{RDF}subject> ?a ; <{RDF}predicate> ?b ; <{RDF}object> ?c }}
  ?new <{PROV}wasDerivedFrom>/<{OA}hasSource> ?source .
  ?old <{PROV}wasDerivedFrom>/<{OA}hasSource> ?source .
  FILTER(?new != ?old)
}} ORDER BY ?new ?old
"""


def check(facts: Facts, store: Store) -> Iterator[Finding]:
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


def _neighbourhood(facts: Facts, store: Store) -> Store:
    """Copy the facts, the memberships of the same state and alliance, and rival propositions."""
    together = Store()
    together.extend(Quad(*triple) for triple in facts.triples)
    nodes: set[Term] = set()
    members = {(t.subject, t.object) for t in facts.triples if t.predicate == _MEMBER}
    alliances = {(t.subject, t.object) for t in facts.triples if t.predicate == _ALLIANCE}
    for membership, member in members:
        for _, alliance in (pair for pair in alliances if pair[0] == membership):
            nodes |= {
                quad.subject
                for quad in store.quads_for_pattern(None, _MEMBER, member, DefaultGraph())
                if Quad(quad.subject, _ALLIANCE, alliance) in store
            }
    for subject in {t.object for t in facts.triples if t.predicate == _SUBJECT}:
        for quad in store.quads_for_pattern(None, _SUBJECT, subject, DefaultGraph()):
            nodes.add(quad.subject)
            saying = store.quads_for_pattern(None, _PROPOSITION, quad.subject, DefaultGraph())
            nodes |= {statement.subject for statement in saying}
    for node in nodes:
        for quad in store.quads_for_pattern(node, None, None, DefaultGraph()):  # type: ignore[arg-type]
            together.add(Quad(quad.subject, quad.predicate, quad.object))
            if quad.predicate == _DERIVED_FROM:
                found = store.quads_for_pattern(quad.object, _HAS_SOURCE, None, DefaultGraph())  # type: ignore[arg-type]
                together.extend(Quad(q.subject, q.predicate, q.object) for q in found)
    founded = store.quads_for_pattern(None, NamedNode(f"{CSTO}foundedBy"), None, DefaultGraph())
    together.extend(Quad(quad.subject, quad.predicate, quad.object) for quad in founded)
    return together


def _rows(store: Store, query: str) -> list[tuple[str, str]]:
    result = store.query(query)
    assert isinstance(result, QuerySolutions)
    return [(value(one), value(other)) for one, other in result if one and other]


def _finding(
    facts: Facts, severity: str, code: str, new: str, old: str, english: str, arabic: str
) -> Finding:
    place = facts.place(new)
    line, column = (place.line, place.column) if place else (None, None)
    messages = {"en": english, "ar": arabic}
    return Finding(severity, code, new, messages, value=old, line=line, column=column)
