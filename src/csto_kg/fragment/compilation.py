"""Shapes as views: what each sees of a graph from a focus node."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Any

import rdflib
from pyoxigraph import BlankNode, Literal, NamedNode
from pyshacl.helper.sparql_query_helper import SPARQLQueryHelper
from pyshacl.shapes_graph import ShapesGraph
from rdflib import SH
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery

from csto_kg.errors import CstoKgError
from csto_kg.fragment.algebra import groups_of
from csto_kg.fragment.join import THIS, Atom, Branch, Node, atoms_along
from csto_kg.fragment.path import INSTANCE_OF, Chain, Choice, Path, Repeat, Step
from csto_kg.fragment.probe import View
from csto_kg.terms import Term, from_rdflib

_SHACL = str(SH)
_LOGICAL = (SH["and"], SH["or"], SH.xone)
_NESTED = (SH.node, SH.property, SH["not"], SH.qualifiedValueShape)
_PAIRS = (SH.equals, SH.disjoint, SH.lessThan, SH.lessThanOrEquals)
_TARGETS = {
    SH.targetNode: "node",
    SH.targetClass: "class",
    SH.targetSubjectsOf: "subject",
    SH.targetObjectsOf: "object",
}
# What asks nothing of the values.
_ABOUT = {SH.path, SH.message, SH.severity, SH.name, SH.description, SH.order, SH.group, *_TARGETS}
# What asks something of the values themselves, not of what else is said of them.
_OWN = {
    *(SH.datatype, SH.nodeKind, SH.minCount, SH.maxCount, SH.hasValue, SH["in"], SH.pattern),
    *(SH.flags, SH.minLength, SH.maxLength, SH.languageIn, SH.uniqueLang, SH.minInclusive),
    *(SH.maxInclusive, SH.minExclusive, SH.maxExclusive, SH.ignoredProperties, SH.deactivated),
    *(SH.qualifiedMinCount, SH.qualifiedMaxCount, SH.qualifiedValueShapesDisjoint),
}
_KNOWN = {*_ABOUT, *_OWN, *_LOGICAL, *_NESTED, *_PAIRS, SH["class"], SH.closed, SH.sparql}


class Compiler:
    """Reads the views of shapes off a shapes graph."""

    def __init__(self, graph: rdflib.Graph) -> None:
        """Take the shapes graph; it is copied without labels and comments."""
        # pyshacl goes through all that is said of a shape whenever it applies it.
        self.graph = rdflib.Graph(store="SimpleMemory", identifier=graph.identifier)
        for triple in graph:
            if triple[1] not in (rdflib.RDFS.label, rdflib.RDFS.comment):
                self.graph.add(triple)
        self.shapes = ShapesGraph(self.graph)
        self._numbers = count()

    def views(self) -> list[View]:
        """Return the view of each shape that has targets.

        Raises :class:`CstoKgError` for a shape that cannot be judged node by node.
        """
        if self.shapes.custom_constraints:
            raise CstoKgError("shapes: constraint components of one's own are not supported")
        views = []
        for shape in self.shapes.shapes:
            targets = frozenset(
                (kind, from_rdflib(target))
                for predicate, kind in _TARGETS.items()
                for target in self.graph.objects(shape.node, predicate)
            ) | {("class", from_rdflib(name)) for name in shape.implicit_class_targets()}
            if targets and not shape.deactivated:
                branches = (*map(self._target, *zip(*sorted(targets, key=str), strict=True)),)
                literals = any(kind in ("object", "node") for kind, _ in targets)
                seen = self._constraints(shape, THIS, (), not literals)
                views.append(View(shape, targets, (*branches, *seen)))
                for branch in seen:
                    _check(branch, {THIS}, str(shape.node))
        return views

    def _fresh(self, name: str = "value") -> str:
        return f"{name}#{next(self._numbers)}"

    def _freshly(self, name: str) -> Iterator[str]:
        return (self._fresh(name) for _ in count())

    def _along(self, start: Node, path: Path, end: Node) -> tuple[Atom, ...]:
        return tuple(atoms_along(start, path, end, self._freshly("on")))

    def _target(self, kind: str, target: Term) -> Branch:
        """Return what makes a node a target."""
        assert isinstance(target, NamedNode | BlankNode | Literal)
        match kind:
            case "class":
                atoms = self._along(THIS, INSTANCE_OF, target)
            case "subject":
                atoms = (Atom.of(THIS, Step(target), self._fresh()),)  # type: ignore[arg-type]
            case "object":
                atoms = (Atom.of(self._fresh(), Step(target), THIS),)  # type: ignore[arg-type]
            case _:
                atoms = ()
        return Branch(atoms, boolean=True)

    def _constraints(
        self, shape: Any, focus: str, within: tuple[Any, ...], no_literal: bool = False
    ) -> tuple[Branch, ...]:
        """Return what a shape sees from a focus node."""
        node = shape.node
        if shape.deactivated:
            return ()
        if node in within:
            raise CstoKgError(f"shape {node}: recursive shapes are not supported")
        asked = set(self.graph.predicates(node))
        for predicate in asked - _KNOWN:
            if predicate.startswith(_SHACL):  # type: ignore[attr-defined]
                raise CstoKgError(f"shape {node}: {predicate} is not supported")
        value = self._fresh() if shape.is_property_shape else focus
        seen = [
            *(
                Branch(self._along(value, INSTANCE_OF, from_rdflib(name)), boolean=True)
                for name in self.graph.objects(node, SH["class"])
            ),
            *(
                branch
                for other in self._nested(node)
                for branch in self._constraints(
                    self.shapes.lookup_shape_from_node(other), value, (*within, node)
                )
            ),
        ]
        if any(closed.value for closed in self.graph.objects(node, SH.closed)):  # type: ignore[attr-defined]
            seen.append(Branch((Atom.of(value, self._fresh(), self._fresh()),)))
        beside = [
            Branch((Atom.of(focus, Step(from_rdflib(other)), self._fresh()),))  # type: ignore[arg-type]
            for pair in _PAIRS
            for other in self.graph.objects(node, pair)
        ]
        for constraint in self.graph.objects(node, SH.sparql):
            beside += self._query(shape, constraint, focus, no_literal)
        if not shape.is_property_shape:
            return (*seen, *beside)
        path = self._path(shape.path(), node)
        return (
            Branch(self._along(focus, path, value), (), tuple(seen), self._counted(node)),
            *beside,
        )

    def _counted(self, node: Any) -> bool:
        """Whether a property shape only asks if there is a value."""
        asked = set(self.graph.predicates(node, None)) & (_KNOWN - _ABOUT)
        least = {int(str(n)) for n in self.graph.objects(node, SH.minCount)}
        most = {int(str(n)) for n in self.graph.objects(node, SH.maxCount)}
        return asked <= {SH.minCount, SH.maxCount} and least <= {0, 1} and most <= {0}

    def _nested(self, node: Any) -> Iterator[Any]:
        """Yield the shapes that the values of a shape are checked against."""
        for parameter in _NESTED:
            yield from self.graph.objects(node, parameter)
        for parameter in _LOGICAL:
            for members in self.graph.objects(node, parameter):
                yield from self.graph.items(members)
        if any(flag.value for flag in self.graph.objects(node, SH.qualifiedValueShapesDisjoint)):  # type: ignore[attr-defined]
            for parent in self.graph.subjects(SH.property, node):
                for sibling in self.graph.objects(parent, SH.property):
                    yield from self.graph.objects(sibling, SH.qualifiedValueShape)

    def _path(self, node: Any, shape: Any, back: bool = False) -> Path:  # noqa: PLR0911
        if isinstance(node, rdflib.URIRef):
            return Step(NamedNode(node), back)
        part = {str(p).removeprefix(_SHACL): o for p, o in self.graph.predicate_objects(node)}
        match part:
            case {"inversePath": inner}:
                return self._path(inner, shape, not back)
            case {"alternativePath": members}:
                parts = self.graph.items(members)
                return Choice(tuple(self._path(one, shape, back) for one in parts))
            case {"zeroOrMorePath": inner}:
                return Repeat(self._path(inner, shape, back), 0, True)
            case {"oneOrMorePath": inner}:
                return Repeat(self._path(inner, shape, back), 1, True)
            case {"zeroOrOnePath": inner}:
                return Repeat(self._path(inner, shape, back), 0, False)
        # pyshacl walks the inverse of a sequence in the order of the sequence.
        if back or not self.graph.value(node, rdflib.RDF.first):
            raise CstoKgError(f"shape {shape}: the path is not supported: turn each step around")
        return Chain(tuple(self._path(one, shape) for one in self.graph.items(node)))

    def _query(
        self, shape: Any, constraint: Any, focus: str, no_literal: bool
    ) -> tuple[Branch, ...]:
        """Return what a query sees, its ``$this`` being the focus."""
        select = str(self.graph.value(constraint, SH.select))
        try:
            helper = SPARQLQueryHelper(shape, constraint, select)
            helper.collect_prefixes()
            _, text = helper.pre_bind_variables(rdflib.URIRef("urn:x-focus"))
            algebra = translateQuery(parseQuery(helper.apply_prefixes(text))).algebra
            groups = groups_of(algebra, self._fresh, no_literal)
        except Exception as error:
            raise CstoKgError(f"shape {shape.node}: {error}") from None
        names: dict[str, str] = {THIS: focus}

        def renamed(name: str) -> str:
            return names.setdefault(name, self._fresh(name))

        return tuple(
            Branch(group.atoms, group.tests, group.branches).named(renamed) for group in groups
        )


def _check(branch: Branch, bound: set[str], shape: str) -> None:
    """Refuse a branch of which an atom cannot be joined from what is bound."""
    waiting, bound = list(branch.atoms), set(bound)
    while waiting:
        for atom in waiting:
            if (atom.subject in bound and atom.forth) or (atom.object in bound and atom.back):
                bound |= atom.variables()
                waiting.remove(atom)
                break
        else:
            atom = waiting[0]
            names = [str(part).partition("#")[0] for part in (atom.subject, atom.path, atom.object)]
            raise CstoKgError(
                f"shape {shape}: “{' '.join(names)}” cannot be joined from the focus node: "
                "to check one node would cost as much as the graph is large"
            )
    for inner in branch.branches:
        _check(inner, bound, shape)
