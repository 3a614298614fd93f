"""Queries of shapes as joins: from SPARQL's algebra to what is read of a graph."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import rdflib
from pyoxigraph import NamedNode
from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath
from rdflib.plugins.sparql.parserutils import CompValue

from csto_kg.errors import CstoKgError
from csto_kg.fragment.join import THIS, Atom, Branch, Node, Test, atoms_along
from csto_kg.fragment.path import Chain, Choice, Path, Repeat, Step, nullable, turned
from csto_kg.terms import from_rdflib


@dataclass(frozen=True, slots=True)
class Group:
    """One alternative of a query's pattern.

    ``certain`` are the variables that each of its solutions binds, ``maybe`` those that some do.
    """

    atoms: tuple[Atom, ...] = ()
    tests: tuple[Test, ...] = ()
    branches: tuple[Branch, ...] = ()
    certain: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()

    def joined(self, other: Group) -> Group:
        """Return both, one beside the other."""
        return Group(
            self.atoms + other.atoms,
            self.tests + other.tests,
            self.branches + other.branches,
            self.certain | other.certain,
            self.maybe | other.maybe,
        )


Fresh = Callable[[str], str]


def groups_of(part: Any, fresh: Fresh, no_literal: bool) -> list[Group]:  # noqa: PLR0911
    """Return the alternatives of a part of a query, as SPARQL's algebra has it.

    A variable has one name wherever it is the same, and another where a part cannot see it.
    """

    def groups(inner: Any) -> list[Group]:
        return groups_of(inner, fresh, no_literal)

    match part.name:
        case "SelectQuery" if part.datasetClause is None:
            return groups(part.p)
        case "Project" | "Distinct" | "Reduced" | "OrderBy" | "Group":
            return groups(part.p)
        case "AggregateJoin":
            return [
                replace(one, certain=frozenset(), maybe=one.certain | one.maybe)
                for one in groups(part.p)
            ]
        case "Extend":
            return [
                replace(
                    _filtered(one, part.expr, groups, fresh, None),  # type: ignore[arg-type]
                    maybe=one.maybe | {str(part.var)},
                )
                for one in groups(part.p)
            ]
        case "BGP":
            return [_basic(part.triples, fresh)]
        case "Union":
            return groups(part.p1) + groups(part.p2)
        case "Join":
            right = groups(part.p2)
            return [one.joined(other) for one in groups(part.p1) for other in right]
        case "Filter":
            return [_filtered(one, part.expr, groups, fresh, no_literal) for one in groups(part.p)]
        case "LeftJoin":
            return [
                _optional(one, groups(part.p2), part.expr, groups, fresh) for one in groups(part.p1)
            ]
    raise CstoKgError(f"{part.name} is not supported in the query of a shape")


def _basic(triples: Iterable[tuple[Any, Any, Any]], fresh: Fresh) -> Group:
    atoms = tuple(
        atom
        for subject, predicate, object_ in triples
        for atom in (
            (Atom.of(_node(subject), str(predicate), _node(object_)),)
            if isinstance(predicate, rdflib.Variable)
            else atoms_along(
                _node(subject),
                _query_path(predicate),
                _node(object_),
                (fresh("on") for _ in count()),
            )
        )
    )
    # A path of no length leads from a node to itself if the node is in the graph.
    present = tuple(
        branch
        for atom in atoms
        if not isinstance(atom.path, str) and nullable(atom.path)
        for end in (atom.subject, atom.object)
        if isinstance(end, str)
        for branch in (
            Branch((Atom.of(end, fresh("any"), fresh("any")),), boolean=True),
            Branch((Atom.of(fresh("any"), fresh("any"), end),), boolean=True),
        )
    )
    names = frozenset(name for atom in atoms for name in atom.variables())
    return Group(atoms, (), present, names)


def _node(term: Any) -> Node:
    if isinstance(term, rdflib.BNode):
        return f"_:{term}"
    return str(term) if isinstance(term, rdflib.Variable) else from_rdflib(term)


def _query_path(path: Any) -> Path:
    match path:
        case rdflib.URIRef():
            return Step(NamedNode(path))
        case InvPath():
            return turned(_query_path(path.arg))
        case SequencePath():
            return Chain(tuple(_query_path(part) for part in path.args))
        case AlternativePath():
            return Choice(tuple(_query_path(part) for part in path.args))
        case MulPath():
            return Repeat(_query_path(path.path), int(path.mod == "+"), path.mod != "?")
    raise CstoKgError(f"the path {path} is not supported in the query of a shape")


Groups = Callable[[Any], list[Group]]


def _filtered(
    group: Group, condition: Any, groups: Groups, fresh: Fresh, no_literal: bool
) -> Group:
    """Return a group of which a condition must hold."""
    parts = list(_conjuncts(condition))
    # An equation with the focus node joins, if neither side can be one of two equal numbers.
    same = {name for part in parts if no_literal for name in _equated(part)} & group.certain
    if same:
        merged = Branch(group.atoms, group.tests, group.branches).named(
            lambda name: THIS if name in same else name
        )
        group = replace(
            group,
            atoms=merged.atoms,
            tests=merged.tests,
            branches=merged.branches,
            certain=group.certain - same,
            maybe=group.maybe | same,
        )
    tests = [
        Test(
            part,
            tuple(
                (name, name if name in group.certain | {THIS} else fresh("unknown"))
                for name in _variables(part)
            ),
        )
        for part in parts
    ]
    branches = [
        _inner(inner, group.certain, fresh, not (inner.certain | inner.maybe) & group.maybe)
        for part in parts
        for exists in _existences(part)
        for inner in groups(exists.graph)
    ]
    return replace(group, tests=(*group.tests, *tests), branches=(*group.branches, *branches))


def _optional(
    group: Group, others: list[Group], condition: Any, groups: Groups, fresh: Fresh
) -> Group:
    """Return a group with others that add to its solutions where they can."""
    branches, maybe = [], group.maybe
    for other in others:
        seeing = replace(other, certain=other.certain | group.certain)
        seeing = _filtered(seeing, condition, groups, fresh, False)
        branches.append(_inner(seeing, group.certain, fresh, False))
        maybe |= (other.certain | other.maybe) - group.certain
    return replace(group, branches=(*group.branches, *branches), maybe=maybe)


def _inner(group: Group, shared: frozenset[str], fresh: Fresh, boolean: bool) -> Branch:
    """Return a group that is looked at for each solution of another, of which it sees some."""
    names: dict[str, str] = {name: name for name in shared | {THIS}}

    def renamed(name: str) -> str:
        return names.setdefault(name, fresh(name.partition("#")[0]))

    return Branch(group.atoms, group.tests, group.branches, boolean).named(renamed)


def _conjuncts(condition: Any) -> Iterator[Any]:
    name = getattr(condition, "name", None)
    if name == "ConditionalAndExpression":
        for part in (condition.expr, *condition.other):
            yield from _conjuncts(part)
    elif name != "TrueFilter":
        yield condition


def _equated(condition: Any) -> Iterator[str]:
    """Yield the variable that a condition says is the focus node."""
    if getattr(condition, "name", None) == "RelationalExpression" and condition.op == "=":
        sides = [condition.expr, condition.other]
        if all(isinstance(side, rdflib.Variable) for side in sides):
            names = {str(side) for side in sides}
            if THIS in names:
                yield from names - {THIS}


def _variables(condition: Any) -> set[str]:
    """Return the variables of a condition, those of patterns in it left out."""
    if isinstance(condition, rdflib.Variable):
        return {str(condition)}
    if isinstance(condition, CompValue) and condition.name not in _EXISTENCES:
        return {name for part in condition.values() for name in _variables(part)}
    if isinstance(condition, list | tuple):
        return {name for part in condition for name in _variables(part)}
    return set()


_EXISTENCES = ("Builtin_EXISTS", "Builtin_NOTEXISTS")


def _existences(condition: Any) -> Iterator[Any]:
    if isinstance(condition, CompValue):
        if condition.name in _EXISTENCES:
            yield condition
        else:
            for part in condition.values():
                yield from _existences(part)
    elif isinstance(condition, list | tuple):
        for part in condition:
            yield from _existences(part)
