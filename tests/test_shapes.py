"""Every shape has its pair of examples: one that conforms, one that it alone reports."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, cast

import pyshacl
import pytest
from pyshacl.shapes_graph import ShapesGraph
from rdflib import RDF, RDFS, SH, Graph, Namespace, URIRef
from rdflib.collection import Collection
from rdflib.plugins.sparql import prepareQuery
from rdflib.query import Result
from rdflib.term import Node

ROOT = Path(__file__).parents[1]
ONTOLOGY = ROOT / "ontology"
EXAMPLES = Path(__file__).parent / "shapes"
SHAPE = Namespace("https://w3id.org/csto-kg/shapes#")

TARGETS = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
LISTS = (SH["or"], SH["and"], SH.xone)
NO_CONSTRAINT = {
    RDF.type,
    RDFS.label,
    RDFS.comment,
    SH.message,
    SH.severity,
    SH.path,
    SH.property,
    *TARGETS,
}


class ParsedOnce(Graph):
    """A graph that parses each query once: pyshacl asks the same one for every focus node."""

    _parsed = staticmethod(cache(prepareQuery))

    def query(self, query_object: Any, *args: Any, **kwargs: Any) -> Result:
        parsed = self._parsed(query_object) if isinstance(query_object, str) else query_object
        return super().query(parsed, *args, **kwargs)


SHAPES = Graph().parse(ONTOLOGY / "shapes.ttl")
NAMED = sorted(
    {
        shape
        for kind in (SH.NodeShape, SH.PropertyShape)
        for shape in SHAPES.subjects(RDF.type, kind)
        if isinstance(shape, URIRef)
    }
)
TARGETED = {shape for target in TARGETS for shape in SHAPES.subjects(target)}
PARENT = {prop: node for node, prop in SHAPES.subject_objects(SH.property)}


def name(shape: Node) -> str:
    return str(shape).removeprefix(SHAPE)


def can_report(shape: Node) -> bool:
    """Whether results can name this shape: it constrains nodes that a target selects."""
    selected = shape in TARGETED or PARENT.get(shape) in TARGETED
    return selected and bool(set(SHAPES.predicates(shape)) - NO_CONSTRAINT)


REPORTING = [shape for shape in NAMED if can_report(shape)]


@cache
def vocabulary() -> Graph:
    graph = ParsedOnce()
    for file in ("csto.ttl", "schemes.ttl"):
        graph.parse(ONTOLOGY / file)
    return graph


@contextmanager
def data(example: Path) -> Iterator[Graph]:
    """The triples of an example among those of the ontology, where validation wants them."""
    graph = vocabulary()
    added = [triple for triple in Graph().parse(example) if triple not in graph]
    for triple in added:
        graph.add(triple)
    try:
        yield graph
    finally:
        for triple in added:
            graph.remove(triple)


def findings(graph: Graph) -> list[tuple[str, str]]:
    """The shape and the focus node of each result; details of a result are not results."""
    _, report, _ = pyshacl.validate(
        graph, shacl_graph=SHAPES, inference="none", advanced=False, js=False
    )
    return sorted(
        (
            name(cast(Node, report.value(result, SH.sourceShape))),
            str(report.value(result, SH.focusNode)),
        )
        for result in report.objects(None, SH.result)
    )


@pytest.mark.parametrize("shape", REPORTING, ids=name)
def test_valid_example_conforms_and_exercises_the_shape(shape: URIRef) -> None:
    with data(EXAMPLES / name(shape) / "valid.ttl") as graph:
        assert findings(graph) == []
        shapes: Any = ShapesGraph(SHAPES)
        list(shapes.shapes)
        selecting = shapes.lookup_shape_from_node(shape if shape in TARGETED else PARENT[shape])
        focus = selecting.focus_nodes(graph)
        assert focus, "no focus node"
        maximum = SHAPES.value(shape, SH.maxCount)
        if maximum is None or int(str(maximum)) > 0:
            values = shapes.lookup_shape_from_node(shape).value_nodes(graph, focus)
            assert any(values.values()), "no value"


@pytest.mark.parametrize("shape", REPORTING, ids=name)
def test_invalid_example_is_reported_by_the_shape_alone(shape: URIRef) -> None:
    with data(EXAMPLES / name(shape) / "invalid.ttl") as graph:
        assert {reporting for reporting, _ in findings(graph)} == {name(shape)}


def test_each_folder_of_examples_belongs_to_a_shape() -> None:
    assert sorted(folder.name for folder in EXAMPLES.iterdir()) == [name(s) for s in REPORTING]


@pytest.mark.parametrize("shape", NAMED, ids=name)
def test_shape_says_what_it_is_why_and_what_to_do(shape: URIRef) -> None:
    messages = {getattr(m, "language", None): str(m) for m in SHAPES.objects(shape, SH.message)}
    assert set(messages) == {"en", "ar"}
    assert all(len(message) > 20 for message in messages.values())
    assert SHAPES.value(shape, SH.severity) in {SH.Violation, SH.Warning}
    assert getattr(SHAPES.value(shape, RDFS.label), "language", None) == "en"
    assert getattr(SHAPES.value(shape, RDFS.comment), "language", None) == "en"


def test_each_shape_is_used_and_none_is_anonymous_outside_a_list() -> None:
    in_lists = {
        member
        for parameter in LISTS
        for head in SHAPES.objects(None, parameter)
        for member in Collection(SHAPES, head)
    }
    referred = {
        shape
        for parameter in (SH.property, SH.node, SH.qualifiedValueShape, SH["not"])
        for shape in SHAPES.objects(None, parameter)
    }
    assert set(NAMED) <= TARGETED | referred | in_lists
    anonymous = {shape for shape in referred if not isinstance(shape, URIRef)}
    negated = {shape for shape in anonymous if (None, SH["not"], shape) in SHAPES}
    assert anonymous == negated


def test_a_comparison_of_mixed_types_never_stops_the_validation(tmp_path: Path) -> None:
    example = tmp_path / "mixed.ttl"
    example.write_text(
        """
        PREFIX csto: <https://w3id.org/csto-kg/ontology#>
        PREFIX xsd: <http://www.w3.org/2001/XMLSchema#>
        <https://w3id.org/csto-kg/id/lifespan/mixed>
            csto:beginsNotBefore "1999"^^xsd:gYear, [], "1999-01-01"^^xsd:date, 7 ;
            csto:beginsNotAfter "1998-12-31T00:00:00Z"^^xsd:dateTime, <urn:day>, "1998"@en ;
            csto:endsNotBefore true ;
            csto:endsNotAfter "1998-01"^^xsd:gYearMonth .
        """,
        encoding="utf-8",
    )
    with data(example) as graph:
        checks = {check for check, _ in findings(graph)}
    assert "IntervalBoundsOrder" not in checks
    assert {"IntervalBeginsNotBefore", "IntervalEndsNotAfter"} <= checks
