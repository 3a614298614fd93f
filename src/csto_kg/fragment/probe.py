"""From a triple back to the nodes that see it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

from pyoxigraph import Triple

from csto_kg.fragment.join import (
    THIS,
    Atom,
    Bindings,
    Branch,
    Node,
    Test,
    atoms_along,
    solve,
    unified,
)
from csto_kg.fragment.path import Chain, Path, parts_of, steps_of, turned
from csto_kg.fragment.union import Union
from csto_kg.terms import Term


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What a shape sees from each of its targets."""

    shape: Any
    targets: frozenset[tuple[str, Term]]
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class Probe:
    """One place in a view where a triple may come in, and the joins from there to the focus.

    Of what is new in a solution the first is found here: the atoms before it are old.
    """

    view: View
    source: Node
    predicate: Node
    target: Node
    atoms: tuple[Atom, ...]
    tests: tuple[Test, ...]
    # A boolean branch that had a solution before has one still, and says nothing new.
    branch: Branch | None
    shared: frozenset[str]
    # Whether old atoms join the source, and the target.
    old_source: bool
    old_target: bool

    def origins(self, triple: Triple, union: Union, known: set[Term]) -> Iterator[Term]:
        """Yield focus nodes that see a new triple here, and are not known yet."""
        if (self.old_source and triple.subject in union.fresh) or (
            self.old_target and triple.object in union.fresh
        ):
            return
        bound = unified(self.source, self.predicate, self.target, triple, {})
        if bound is None or bound.get(THIS) in known:
            return

        def settled(solution: Bindings) -> bool:
            return solution.get(THIS) in known or (
                self.shared <= solution.keys() and self._was_decided(solution, union)
            )

        for solution, _ in solve(union, self.atoms, self.tests, bound, unless=settled):
            yield solution[THIS]

    def _was_decided(self, bound: Bindings, union: Union) -> bool:
        if self.branch is None:
            return False
        outer = {name: bound[name] for name in self.shared}
        key = (id(self.branch), *sorted(outer.items()))
        known = union.decided.get(key)
        if known is None:
            solutions = solve(union.before, self.branch.atoms, self.branch.tests, outer)
            known = union.decided[key] = any(
                self.branch.decided_by(solution) for solution, _ in solutions
            )
        return known


def probes_of(
    view: View, branch: Branch, atoms: tuple[Atom, ...], tests: tuple[Test, ...]
) -> Iterator[Probe]:
    """Yield the probes of a branch, to the focus from which old ``atoms`` lead."""
    outer = {THIS, *(name for atom in atoms for name in atom.variables())}
    shared = frozenset(outer & branch.variables())
    decisive = branch if branch.boolean and not branch.branches else None
    tests = tests + branch.tests
    for place, atom in enumerate(branch.atoms):
        before = atoms + tuple(replace(other, old=True) for other in branch.atoms[:place])
        after = branch.atoms[place + 1 :]
        for source, predicate, target, more in _entries(atom):
            # The subject of a triple is affected anyway.
            if source != THIS:
                joins = before + more + after
                ends = {end for one in joins if one.firm() for end in (one.subject, one.object)}
                yield Probe(
                    *(view, source, predicate, target, joins, tests, decisive, shared),
                    *(source in ends, target in ends),
                )
    old = tuple(replace(atom, old=True) for atom in branch.atoms)
    for inner in branch.branches:
        yield from probes_of(view, inner, atoms + old, tests)


def _entries(atom: Atom) -> Iterator[tuple[Node, Node, Node, tuple[Atom, ...]]]:
    """Yield each triple that a match of an atom may rest on, and the rest of the match."""
    if isinstance(atom.path, str):
        yield atom.subject, atom.path, atom.object, ()
        return
    for before, step, after in steps_of(atom.path):
        source, first = _joined(atom.subject, before, "source")
        target, last = _joined(atom.object, turned(after), "target")
        start, end = (target, source) if step.back else (source, target)
        yield start, step.predicate, end, (*(replace(one, old=True) for one in first), *last)


def _joined(node: Node, path: Path, name: str) -> tuple[Node, tuple[Atom, ...]]:
    """Return where a path leads from a node, and the atoms that say so."""
    parts = parts_of(path)
    if not parts:
        return node, ()
    return name, tuple(atoms_along(node, Chain(parts), name, (f"{name}.{n}" for n in count())))
