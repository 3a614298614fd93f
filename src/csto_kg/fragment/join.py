"""Joins: what a shape sees, as atoms that are solved from what is known outwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from pyoxigraph import Triple

from csto_kg.fragment.condition import truth
from csto_kg.fragment.path import (
    TYPE,
    Path,
    Step,
    Trail,
    ends_of,
    meeting,
    nullable,
    parts_of,
    steps_of,
    turned,
)
from csto_kg.terms import Term

if TYPE_CHECKING:
    from csto_kg.fragment.union import Union

#: The variable of the focus node.
THIS = "this"
# A term, or the name of a variable.
Node = Term | str
Bindings = dict[str, Term]


@dataclass(frozen=True, slots=True)
class Atom:
    """That a path, or any predicate, leads from one node to another.

    ``forth`` and ``back`` tell in which directions it may be followed: never from a class to all
    of its members. An ``old`` atom is matched in the graph that was there before.
    """

    subject: Node
    path: Path | str
    object: Node
    forth: bool = True
    back: bool = True
    old: bool = False

    @classmethod
    def of(cls, subject: Node, path: Path | str, object_: Node) -> Atom:
        """Return the atom, its single step from subject to object."""
        if isinstance(path, Step) and path.back:
            return cls.of(object_, turned(path), subject)
        steps = [] if isinstance(path, str) else [step for _, step, _ in steps_of(path)]
        classes = {step.back for step in steps if step.predicate == TYPE}
        return cls(subject, path, object_, True not in classes, False not in classes)

    def named(self, names: Callable[[str], str]) -> Atom:
        """Return the atom with its variables renamed."""
        return replace(
            self,
            subject=_named(self.subject, names),
            path=_named(self.path, names) if isinstance(self.path, str) else self.path,  # type: ignore[arg-type]
            object=_named(self.object, names),
        )

    def firm(self) -> bool:
        """Whether there is no match of it but with triples that were there before."""
        return self.old and (isinstance(self.path, str) or not nullable(self.path))

    def variables(self) -> set[str]:
        """Return the names of its variables."""
        return {part for part in (self.subject, self.path, self.object) if isinstance(part, str)}


def _named(node: Node, names: Callable[[str], str]) -> Node:
    return names(node) if isinstance(node, str) else node


@dataclass(frozen=True, slots=True)
class Test:
    """A condition of a query, decided where that is certain; names are those of its variables."""

    condition: Any
    names: tuple[tuple[str, str], ...]

    def named(self, names: Callable[[str], str]) -> Test:
        """Return the test with its variables renamed."""
        return Test(self.condition, tuple((name, names(now)) for name, now in self.names))

    def holds(self, bound: Mapping[str, Term]) -> bool | None:
        """Tell whether the condition holds, ``None`` if that is not certain."""
        if any(now not in bound for _, now in self.names):
            return None
        return truth(self.condition, {name: bound[now] for name, now in self.names})


@dataclass(frozen=True, slots=True)
class Branch:
    """Joined atoms, and the branches that are looked at for each of their solutions.

    Of a ``boolean`` branch it only matters whether it has a solution.
    """

    atoms: tuple[Atom, ...]
    tests: tuple[Test, ...] = ()
    branches: tuple[Branch, ...] = ()
    boolean: bool = False

    def named(self, names: Callable[[str], str]) -> Branch:
        """Return the branch with its variables renamed."""
        return Branch(
            tuple(atom.named(names) for atom in self.atoms),
            tuple(test.named(names) for test in self.tests),
            tuple(branch.named(names) for branch in self.branches),
            self.boolean,
        )

    def variables(self) -> set[str]:
        """Return the names of the variables of its atoms."""
        return {name for atom in self.atoms for name in atom.variables()}

    def decided_by(self, solution: Mapping[str, Term]) -> bool:
        """Whether a solution of the atoms is all there is to know of the branch."""
        return (
            self.boolean
            and not self.branches
            and all(test.holds(solution) is True for test in self.tests)
        )


def read_branch(graph: Union, branch: Branch, bound: Bindings, into: set[Triple]) -> None:
    """Add the triples on which a branch rests, given some bindings."""
    for solution, trail in solve(graph, branch.atoms, branch.tests, bound):
        while trail:
            trail, triple = trail  # noqa: PLW2901
            into.add(triple)
        for inner in branch.branches:
            read_branch(graph, inner, solution, into)
        if branch.decided_by(solution):
            return


def solve(
    graph: Union,
    atoms: tuple[Atom, ...],
    tests: tuple[Test, ...],
    bound: Bindings,
    trail: Trail = (),
    unless: Callable[[Bindings], bool] | None = None,
) -> Iterator[tuple[Bindings, Trail]]:
    """Yield the solutions of a join that agree with some bindings, and what was read for each.

    Partial solutions are left where ``unless`` says so and where a test certainly fails.
    """
    verdicts = [test.holds(bound) for test in tests]
    if False in verdicts or (unless and unless(bound)):
        return
    if not atoms:
        yield bound, trail
        return
    tests = tuple(test for test, holds in zip(tests, verdicts, strict=True) if holds is None)
    for place, (more, read) in _candidates(graph, atoms, bound, trail):
        rest = atoms[:place] + atoms[place + 1 :]
        yield from solve(graph, rest, tests, bound | more, read, unless)


_FEW = 8


def _candidates(
    graph: Union, atoms: tuple[Atom, ...], bound: Bindings, trail: Trail
) -> Iterator[tuple[int, tuple[Bindings, Trail]]]:
    """Yield matches of an atom of which there are few, and the atom's place.

    Of several atoms with many matches those of each are yielded in turn, until all of one have
    been: every solution is among the matches of every atom, and the first is found early in one.
    """
    started: list[tuple[int, Iterator[tuple[Bindings, Trail]]]] = []
    for rank, place in sorted((_rank(atom, bound), place) for place, atom in enumerate(atoms)):
        if rank >= _LAST and started:
            break
        rows = _rows(graph, atoms[place], bound, trail)
        # What leads on from a subject is mostly little: then nothing else need be tried.
        few = list(islice(rows, _FEW))
        if rank == _FIRST or len(few) < _FEW:
            yield from ((place, row) for row in chain(few, rows))
            return
        started.append((place, chain(few, rows)))
    while True:
        for place, rows in started:
            few = list(islice(rows, _FEW))
            yield from ((place, row) for row in few)
            if len(few) < _FEW:
                return


# How early an atom is tried: both ends known, its subject, its object, neither in a useful way.
_FIRST, _LAST = 0, 3


def _rank(atom: Atom, bound: Bindings) -> int:
    subject, object_ = _value(atom.subject, bound), _value(atom.object, bound)
    if subject is not None and object_ is not None:
        return _FIRST
    if subject is not None and isinstance(atom.subject, str) and atom.forth:
        return 1
    if object_ is not None and isinstance(atom.object, str) and atom.back:
        return 2
    return _LAST if subject is not None or object_ is not None else _LAST + 1


def _rows(
    graph: Union, atom: Atom, bound: Bindings, trail: Trail
) -> Iterator[tuple[Bindings, Trail]]:
    """Yield what a match of an atom binds, and what was read for it."""
    graph = graph.before if atom.old else graph
    subject, object_ = _value(atom.subject, bound), _value(atom.object, bound)
    path = atom.path
    if isinstance(path, str):
        for triple in graph.match(subject, bound.get(path), object_):
            more = unified(atom.subject, path, atom.object, triple, bound)
            if more is not None:
                yield more, (trail, triple)
    elif subject is not None and object_ is not None:
        for read in meeting(graph, path, subject, object_, trail):
            yield {}, read
    elif subject is not None:
        assert isinstance(atom.object, str)
        for end, read in ends_of(graph, path, subject, trail):
            yield {atom.object: end}, read
    else:
        assert object_ is not None and isinstance(atom.subject, str)
        for end, read in ends_of(graph, turned(path), object_, trail):
            yield {atom.subject: end}, read


def unified(
    subject: Node, predicate: Node, object_: Node, triple: Triple, bound: Bindings
) -> Bindings | None:
    """Return what a triple binds, ``None`` if it disagrees with what is bound."""
    more = dict(bound)
    for node, term in zip((subject, predicate, object_), triple, strict=True):
        if (more.setdefault(node, term) if isinstance(node, str) else node) != term:
            return None
    return more


def _value(node: Node, bound: Bindings) -> Term | None:
    return bound.get(node) if isinstance(node, str) else node


def atoms_along(start: Node, path: Path, end: Node, fresh: Iterator[str]) -> Iterator[Atom]:
    """Yield the atoms that a path is the join of."""
    *parts, last = parts_of(path)
    for part in parts:
        middle = next(fresh)
        yield Atom.of(start, part, middle)
        start = middle
    yield Atom.of(start, last, end)
