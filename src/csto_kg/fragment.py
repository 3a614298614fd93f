"""SHACL validation whose cost follows what is new, not the graph that it is added to.

A shape sees of a graph only what its paths, classes, nested shapes and queries reach from a focus
node: its *view*. Views are read off the shapes once, as trees of joins. On every graph that holds
a node's view, its results are the same. So to judge a node, its view is all of the graph that is
needed; and new triples can change the results only of nodes whose views they are in, which are
found by solving the joins backwards from each triple.

A shape whose joins cannot be solved from the focus node outwards is refused, for judging one node
by it would cost as much as the graph is large.
"""

from __future__ import annotations

import operator
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain, count, islice
from typing import Any

import rdflib
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Store, Triple
from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ValidationFailure
from pyshacl.helper.sparql_query_helper import SPARQLQueryHelper
from pyshacl.pytypes import SHACLExecutor
from pyshacl.shapes_graph import ShapesGraph
from pyshacl.validator import Validator
from rdflib import SH
from rdflib.paths import AlternativePath, InvPath, MulPath, SequencePath
from rdflib.plugins.sparql.algebra import translateQuery
from rdflib.plugins.sparql.parser import parseQuery
from rdflib.plugins.sparql.parserutils import CompValue

from csto_kg.endpoint import Engine
from csto_kg.errors import CstoKgError
from csto_kg.nativequery import native_query_graph
from csto_kg.terms import Term, from_rdflib, to_rdflib
from csto_kg.vocabulary import RDF, RDFS, XSD

_DEFAULT = DefaultGraph()
_TYPE = NamedNode(f"{RDF}type")
_SUBCLASS = NamedNode(f"{RDFS}subClassOf")
_DATE = NamedNode(f"{XSD}date")
_INTEGER = NamedNode(f"{XSD}integer")
_THIS = "this"


class Reach:
    """How far shapes see: what a submission affects, and what the judgement of it rests on."""

    def __init__(self, shapes: rdflib.Graph) -> None:
        """Compile the views of a shapes graph.

        Raises :class:`CstoKgError` for a shape whose cost would be the graph, for a recursive
        one, and for what is neither SHACL Core nor SHACL-SPARQL.
        """
        compiler = _Compiler(shapes)
        self._shapes = compiler.shapes
        self._arrange(compiler.views())

    def _arrange(self, views: list[_View]) -> None:
        self._views = views
        self._aimed: dict[tuple[str, Term], list[_View]] = defaultdict(list)
        self._probes: dict[NamedNode | None, list[_Probe]] = defaultdict(list)
        for view in self._views:
            for target in view.targets:
                self._aimed[target].append(view)
            for branch in view.branches:
                for probe in _probes(view, branch, (), ()):
                    constant = isinstance(probe.predicate, NamedNode)
                    self._probes[probe.predicate if constant else None].append(probe)  # type: ignore[index]
        #: The predicates whose subjects, and those whose objects, are targets.
        self._aims: dict[str, set[Any]] = defaultdict(set)
        for kind, name in self._aimed:
            self._aims[kind].add(name)

    def affected(self, triples: Iterable[Triple], store: Engine) -> set[Term]:
        """Return the nodes whose results can change when the triples join the store.

        The subjects of the triples are always among them.
        """
        return self._affected(_Union(store, triples))

    def fragment(
        self, nodes: Iterable[Term], triples: Iterable[Triple], store: Engine
    ) -> set[Triple]:
        """Return the triples of the store on which the nodes' results rest, in the union."""
        return self._fragment(nodes, _Union(store, triples))

    def targets(self, triples: Iterable[Triple], store: Engine) -> dict[Term, set[str]]:
        """Return, for each subject of the triples, the shapes that have it as a target."""
        union = _Union(store, triples)
        return {
            node: {str(view.shape.node) for view in self._aimed_at(node, union)}
            for node in {triple.subject for triple in union.submitted}
        }

    def validate(
        self, triples: Iterable[Triple], store: Engine, nodes: Iterable[Term] | None = None
    ) -> rdflib.Graph:
        """Validate what the triples affect when they join the store's default graph.

        Returns the SHACL results of the affected nodes, or of ``nodes`` if they are given, the
        same that validation of the whole union gives them. Raises :class:`CstoKgError` when the
        shapes cannot be applied.
        """
        union = _Union(store, triples)
        nodes = self._affected(union) if nodes is None else set(nodes)
        data = native_query_graph(union.submitted | self._fragment(nodes, union))
        focus: dict[_View, set[Any]] = defaultdict(set)
        for node in nodes:
            for view in self._aimed_at(node, union):
                focus[view].add(to_rdflib(node))
        executor, conforms, reports = SHACLExecutor(), True, []
        try:
            for view in self._views:
                if view in focus:
                    passed, found = view.shape.validate(executor, data, focus=sorted(focus[view]))
                    conforms = conforms and passed
                    reports.extend(found)
        except (ValidationFailure, ReportableRuntimeError, ConstraintLoadError) as error:
            raise CstoKgError(f"the shapes could not be applied: {error}") from None
        report, _ = Validator.create_validation_report(self._shapes, conforms, reports)
        assert isinstance(report, rdflib.Graph)
        return report

    def _affected(self, union: _Union) -> set[Term]:
        nodes: set[Term] = {triple.subject for triple in union.submitted}
        tried: set[tuple[_View, Term]] = set()
        for triple in union.changed:
            for probe in chain(self._probes[triple.predicate], self._probes[None]):
                for node in probe.origins(triple, union, nodes):
                    if (probe.view, node) not in tried:
                        tried.add((probe.view, node))
                        nodes |= {
                            form
                            for form in union.forms(node)
                            if probe.view in self._aimed_at(form, union)
                        }
        return nodes

    def _fragment(self, nodes: Iterable[Term], union: _Union) -> set[Triple]:
        read: set[Triple] = set()
        for node in nodes:
            for view in self._aimed_at(node, union):
                for branch in view.branches:
                    _read(union, branch, {_THIS: node}, read)
        return read - union.added

    def _aimed_at(self, node: Term, union: _Union) -> list[_View]:
        """Return the views of the shapes that have the node as a target."""
        known = union.aimed.get(node)
        if known is None:
            aims: set[tuple[str, Term]] = {("node", node)}
            aims |= {("class", end) for end, _ in _ends(union, _INSTANCE_OF, node, ())}
            aims |= {
                ("subject", name) for name in union.predicates_from(node, self._aims["subject"])
            }
            aims |= {
                ("object", name) for name in self._aims["object"] if union.is_value(node, name)
            }
            found = dict.fromkeys(v for aim in aims for v in self._aimed.get(aim, ()))
            known = union.aimed[node] = list(found)
        return known


# -- Paths: what leads from a node to others -------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """One triple, from its subject to its object or back."""

    predicate: NamedNode
    back: bool = False


@dataclass(frozen=True, slots=True)
class Chain:
    """One path after the other; of none, the node itself."""

    parts: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """Any of some paths."""

    parts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A path at least 0 or 1 times, at most once or as often as it leads on."""

    path: Path
    least: int
    many: bool


Path = Step | Chain | Choice | Repeat

_INSTANCE_OF = Chain((Step(_TYPE), Repeat(Step(_SUBCLASS), 0, True)))


def _turned(path: Path) -> Path:
    match path:
        case Step():
            return Step(path.predicate, not path.back)
        case Chain():
            return Chain(tuple(_turned(part) for part in reversed(path.parts)))
        case Choice():
            return Choice(tuple(_turned(part) for part in path.parts))
        case Repeat():
            return replace(path, path=_turned(path.path))


def _steps(path: Path) -> Iterator[tuple[Path, Step, Path]]:
    """Yield each step of a path with what can come before it and after it."""
    match path:
        case Step():
            yield Chain(), path, Chain()
        case Chain(parts):
            for place, part in enumerate(parts):
                for before, step, after in _steps(part):
                    yield Chain((*parts[:place], before)), step, Chain((after, *parts[place + 1 :]))
        case Choice(parts):
            for part in parts:
                yield from _steps(part)
        case Repeat(inner, _, many):
            again = Repeat(inner, 0, True) if many else Chain()
            for before, step, after in _steps(inner):
                yield Chain((again, before)), step, Chain((after, again))


def _nullable(path: Path) -> bool:
    match path:
        case Step():
            return False
        case Chain(parts):
            return all(_nullable(part) for part in parts)
        case Choice(parts):
            return any(_nullable(part) for part in parts)
        case Repeat(inner, least, _):
            return not least or _nullable(inner)


# The triples that were read on the way to something, the last first.
Trail = tuple[()] | tuple["Trail", Triple]


def _ends(graph: _Union, path: Path, node: Term, trail: Trail) -> Iterator[tuple[Term, Trail]]:  # noqa: PLR0912
    """Yield where a path leads from a node, as it is found, and what was read on the way."""
    match path:
        case Step(predicate, False):
            for triple in graph.match(node, predicate, None):
                yield triple.object, (trail, triple)
        case Step(predicate, True):
            for triple in graph.match(None, predicate, node):
                yield triple.subject, (trail, triple)
        case Chain(()):
            yield node, trail
        case Chain((first, *others)):
            rest = Chain(tuple(others))
            for middle, read in _ends(graph, first, node, trail):
                yield from _ends(graph, rest, middle, read)
        case Choice(parts):
            for part in parts:
                yield from _ends(graph, part, node, trail)
        case Repeat(inner, least, many):
            seen: set[Term] = set()
            if not least:
                seen.add(node)
                yield node, trail
            waiting = deque([(node, trail)])
            while waiting:
                for end, read in _ends(graph, inner, *waiting.popleft()):
                    if end not in seen:
                        seen.add(end)
                        yield end, read
                        if many:
                            waiting.append((end, read))


def _meeting(graph: _Union, path: Path, start: Term, end: Term, trail: Trail) -> Iterator[Trail]:
    """Yield what was read on one way by which a path leads from one node to another, if any.

    It is looked for from both nodes by turns, so that the side on which there is less decides.
    """
    sides = (
        (_ends(graph, path, start, trail), end),
        (_ends(graph, _turned(path), end, trail), start),
    )
    while True:
        for ends, goal in sides:
            found = next(ends, None)
            if found is None:
                return
            if found[0] == goal:
                yield found[1]
                return


# -- Joins -----------------------------------------------------------------------

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
            return cls.of(object_, _turned(path), subject)
        steps = [] if isinstance(path, str) else [step for _, step, _ in _steps(path)]
        classes = {step.back for step in steps if step.predicate == _TYPE}
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
        return self.old and (isinstance(self.path, str) or not _nullable(self.path))

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
        return _truth(self.condition, {name: bound[now] for name, now in self.names})


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


def _read(graph: _Union, branch: Branch, bound: Bindings, into: set[Triple]) -> None:
    """Add the triples on which a branch rests, given some bindings."""
    for solution, trail in _solve(graph, branch.atoms, branch.tests, bound):
        while trail:
            trail, triple = trail  # noqa: PLW2901
            into.add(triple)
        for inner in branch.branches:
            _read(graph, inner, solution, into)
        if branch.decided_by(solution):
            return


def _solve(
    graph: _Union,
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
        yield from _solve(graph, rest, tests, bound | more, read, unless)


_FEW = 8


def _candidates(
    graph: _Union, atoms: tuple[Atom, ...], bound: Bindings, trail: Trail
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
    graph: _Union, atom: Atom, bound: Bindings, trail: Trail
) -> Iterator[tuple[Bindings, Trail]]:
    """Yield what a match of an atom binds, and what was read for it."""
    graph = graph.before if atom.old else graph
    subject, object_ = _value(atom.subject, bound), _value(atom.object, bound)
    path = atom.path
    if isinstance(path, str):
        for triple in graph.match(subject, bound.get(path), object_):
            more = _unified(atom.subject, path, atom.object, triple, bound)
            if more is not None:
                yield more, (trail, triple)
    elif subject is not None and object_ is not None:
        for read in _meeting(graph, path, subject, object_, trail):
            yield {}, read
    elif subject is not None:
        assert isinstance(atom.object, str)
        for end, read in _ends(graph, path, subject, trail):
            yield {atom.object: end}, read
    else:
        assert object_ is not None and isinstance(atom.subject, str)
        for end, read in _ends(graph, _turned(path), object_, trail):
            yield {atom.subject: end}, read


def _unified(
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


# -- Conditions ------------------------------------------------------------------

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,18}", re.ASCII)


def _truth(condition: Any, bound: Mapping[str, Term]) -> bool | None:
    """Decide a condition of a query for some bindings; ``None`` where that is not certain."""
    match getattr(condition, "name", None):
        case "ConditionalAndExpression":
            parts = {_truth(part, bound) for part in (condition.expr, *condition.other)}
            return False if False in parts else None if None in parts else True
        case "ConditionalOrExpression":
            parts = {_truth(part, bound) for part in (condition.expr, *condition.other)}
            return True if True in parts else None if None in parts else False
        case "UnaryNot":
            inner = _truth(condition.expr, bound)
            return None if inner is None else not inner
        case "RelationalExpression" if condition.op in _COMPARE:
            return _compared(condition.op, condition.expr, condition.other, bound)
        case "RelationalExpression" if condition.op == "IN":
            equal = {_compared("=", condition.expr, one, bound) for one in condition.other}
            return True if True in equal else None if None in equal else False
    return None


def _compared(op: str, left: Any, right: Any, bound: Mapping[str, Term]) -> bool | None:
    one, other = _operand(left, bound), _operand(right, bound)
    if one is None or other is None:
        return None
    if isinstance(one, NamedNode) and isinstance(other, NamedNode):
        return _COMPARE[op](one, other) if op in ("=", "!=") else None
    first, second = _plain(one), _plain(other)
    return None if first is None or type(first) is not type(second) else _COMPARE[op](first, second)


def _operand(operand: Any, bound: Mapping[str, Term]) -> Term | None:
    match operand:
        case rdflib.Variable():
            return bound.get(str(operand))
        case rdflib.URIRef() | rdflib.Literal():
            return from_rdflib(operand)
        case CompValue(name="Builtin_DATATYPE"):
            literal = _operand(operand.arg, bound)
            return literal.datatype if isinstance(literal, Literal) else None
    return None


def _plain(term: Term) -> date | int | None:
    """Return a day or a number of which every engine thinks the same."""
    if isinstance(term, Literal):
        if term.datatype == _DATE and _DAY.fullmatch(term.value):
            with suppress(ValueError):
                return date.fromisoformat(term.value)
        if term.datatype == _INTEGER and _NUMBER.fullmatch(term.value):
            return int(term.value)
    return None


# -- The graph that is, and what is added to it ----------------------------------


# Of how many triples it is cheaper to read all than to look some predicates up.
_MOST = 100


class _Union:
    """A store's default graph with submitted triples, its look-ups remembered.

    Literals are matched as the engine keeps them, in their canonical form; of shapes that read
    them as they were written this finds all that they see, and perhaps more.
    """

    def __init__(self, store: Engine, triples: Iterable[Triple] = ()) -> None:
        self._store = store
        self.submitted = set(triples)
        self._canonical = _canonical(self.submitted)
        kept = {triple: self._kept(triple) for triple in self.submitted}
        #: What is new to the engine; and with it what is new to whoever reads literals as written.
        self.added = {triple for triple in kept.values() if Quad(*triple) not in store}
        self.changed = self.added | {now for triple, now in kept.items() if triple != now}
        self._subjects: dict[Term, list[Triple]] = defaultdict(list)
        self._objects: dict[Term, list[Triple]] = defaultdict(list)
        for triple in self.added:
            self._subjects[triple.subject].append(triple)
            self._objects[triple.object].append(triple)
        self._found: dict[tuple[Any, Any, Any], list[Triple]] = {}
        #: What :meth:`Reach._aimed_at` and :meth:`_Probe.origins` found out.
        self.aimed: dict[Term, list[_View]] = {}
        self.decided: dict[tuple[Any, ...], bool] = {}
        self.before = _Union(store) if self.submitted else self
        #: Nodes that the store does not know.
        self.fresh = {
            node
            for triple in self.added
            for node in (triple.subject, triple.object)
            if not (self.before.is_known(node))
        }

    def _kept(self, triple: Triple) -> Triple:
        object_ = self._canonical.get(triple.object)
        return Triple(triple.subject, triple.predicate, object_) if object_ else triple

    def forms(self, node: Term) -> set[Term]:
        """Return the forms in which a term may have been written."""
        return {node, *(raw for raw, kept in self._canonical.items() if kept == node)}

    def match(self, subject: Any, predicate: Any, object_: Any) -> Iterable[Triple]:
        """Yield the triples of a pattern, of whose subject and object one at least is given."""
        object_ = self._canonical.get(object_, object_)
        found = self._found.get((subject, predicate, object_))
        return self._look_up(subject, predicate, object_) if found is None else found

    def _look_up(self, subject: Any, predicate: Any, object_: Any) -> Iterator[Triple]:
        assert subject is not None or object_ is not None
        if isinstance(subject, Literal) or not isinstance(predicate, NamedNode | None):
            return
        found = []
        for quad in self._store.quads_for_pattern(subject, predicate, object_, _DEFAULT):
            found.append(quad.triple)
            yield found[-1]
        near = self._objects.get(object_) if subject is None else self._subjects.get(subject)
        for triple in near or ():
            if predicate in (None, triple.predicate) and object_ in (None, triple.object):
                found.append(triple)
                yield triple
        self._found[subject, predicate, object_] = found

    def is_known(self, node: Term) -> bool:
        """Whether any triple is about the node."""
        return any(True for _ in chain(self.match(node, None, None), self.match(None, None, node)))

    def predicates_from(self, node: Term, wanted: set[Any]) -> set[Any]:
        """Return those of the wanted predicates by which triples lead from the node."""
        some = [triple.predicate for triple in islice(self.match(node, None, None), _MOST)]
        missing = wanted.difference(some) if len(some) == _MOST else ()
        return wanted.intersection(some) | {
            predicate
            for predicate in missing
            if any(True for _ in self.match(node, predicate, None))
        }

    def is_value(self, node: Term, predicate: NamedNode) -> bool:
        """Whether a triple leads to the node by a predicate, a literal being as it is written."""
        if not isinstance(node, Literal):
            return any(True for _ in self.match(None, predicate, node))
        found = chain(self.submitted, self.before.match(None, predicate, node))
        return any(triple.predicate == predicate and triple.object == node for triple in found)


def _canonical(triples: Iterable[Triple]) -> dict[Any, Literal]:
    """Return the literals to which the engine gives another form than they were written in."""
    literals = list({t.object for t in triples if isinstance(t.object, Literal)})
    scratch = Store()
    scratch.extend(Quad(BlankNode(f"l{n}"), _TYPE, literal) for n, literal in enumerate(literals))
    kept = {quad.subject.value: quad.object for quad in scratch}
    return {raw: kept[f"l{n}"] for n, raw in enumerate(literals) if kept[f"l{n}"] != raw}


# -- From a triple back to the nodes that see it ---------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class _View:
    """What a shape sees from each of its targets."""

    shape: Any
    targets: frozenset[tuple[str, Term]]
    branches: tuple[Branch, ...]


@dataclass(frozen=True, slots=True)
class _Probe:
    """One place in a view where a triple may come in, and the joins from there to the focus.

    Of what is new in a solution the first is found here: the atoms before it are old.
    """

    view: _View
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

    def origins(self, triple: Triple, union: _Union, known: set[Term]) -> Iterator[Term]:
        """Yield focus nodes that see a new triple here, and are not known yet."""
        if (self.old_source and triple.subject in union.fresh) or (
            self.old_target and triple.object in union.fresh
        ):
            return
        bound = _unified(self.source, self.predicate, self.target, triple, {})
        if bound is None or bound.get(_THIS) in known:
            return

        def settled(solution: Bindings) -> bool:
            return solution.get(_THIS) in known or (
                self.shared <= solution.keys() and self._was_decided(solution, union)
            )

        for solution, _ in _solve(union, self.atoms, self.tests, bound, unless=settled):
            yield solution[_THIS]

    def _was_decided(self, bound: Bindings, union: _Union) -> bool:
        if self.branch is None:
            return False
        outer = {name: bound[name] for name in self.shared}
        key = (id(self.branch), *sorted(outer.items()))
        known = union.decided.get(key)
        if known is None:
            solutions = _solve(union.before, self.branch.atoms, self.branch.tests, outer)
            known = union.decided[key] = any(
                self.branch.decided_by(solution) for solution, _ in solutions
            )
        return known


def _probes(
    view: _View, branch: Branch, atoms: tuple[Atom, ...], tests: tuple[Test, ...]
) -> Iterator[_Probe]:
    """Yield the probes of a branch, to the focus from which old ``atoms`` lead."""
    outer = {_THIS, *(name for atom in atoms for name in atom.variables())}
    shared = frozenset(outer & branch.variables())
    decisive = branch if branch.boolean and not branch.branches else None
    tests = tests + branch.tests
    for place, atom in enumerate(branch.atoms):
        before = atoms + tuple(replace(other, old=True) for other in branch.atoms[:place])
        after = branch.atoms[place + 1 :]
        for source, predicate, target, more in _entries(atom):
            # The subject of a triple is affected anyway.
            if source != _THIS:
                joins = before + more + after
                ends = {end for one in joins if one.firm() for end in (one.subject, one.object)}
                yield _Probe(
                    *(view, source, predicate, target, joins, tests, decisive, shared),
                    *(source in ends, target in ends),
                )
    old = tuple(replace(atom, old=True) for atom in branch.atoms)
    for inner in branch.branches:
        yield from _probes(view, inner, atoms + old, tests)


def _entries(atom: Atom) -> Iterator[tuple[Node, Node, Node, tuple[Atom, ...]]]:
    """Yield each triple that a match of an atom may rest on, and the rest of the match."""
    if isinstance(atom.path, str):
        yield atom.subject, atom.path, atom.object, ()
        return
    for before, step, after in _steps(atom.path):
        source, first = _joined(atom.subject, before, "source")
        target, last = _joined(atom.object, _turned(after), "target")
        start, end = (target, source) if step.back else (source, target)
        yield start, step.predicate, end, (*(replace(one, old=True) for one in first), *last)


def _joined(node: Node, path: Path, name: str) -> tuple[Node, tuple[Atom, ...]]:
    """Return where a path leads from a node, and the atoms that say so."""
    parts = _parts(path)
    if not parts:
        return node, ()
    return name, tuple(_atoms(node, Chain(parts), name, (f"{name}.{n}" for n in count())))


def _parts(path: Path) -> tuple[Path, ...]:
    """Return the paths that a path is a chain of."""
    if isinstance(path, Chain):
        return tuple(inner for part in path.parts for inner in _parts(part))
    return (path,)


def _atoms(start: Node, path: Path, end: Node, fresh: Iterator[str]) -> Iterator[Atom]:
    """Yield the atoms that a path is the join of."""
    *parts, last = _parts(path)
    for part in parts:
        middle = next(fresh)
        yield Atom.of(start, part, middle)
        start = middle
    yield Atom.of(start, last, end)


# -- Shapes to views -------------------------------------------------------------

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


class _Compiler:
    def __init__(self, graph: rdflib.Graph) -> None:
        # pyshacl goes through all that is said of a shape whenever it applies it.
        self.graph = rdflib.Graph(store="SimpleMemory", identifier=graph.identifier)
        for triple in graph:
            if triple[1] not in (rdflib.RDFS.label, rdflib.RDFS.comment):
                self.graph.add(triple)
        self.shapes = ShapesGraph(self.graph)
        self._numbers = count()

    def views(self) -> list[_View]:
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
                seen = self._constraints(shape, _THIS, (), not literals)
                views.append(_View(shape, targets, (*branches, *seen)))
                for branch in seen:
                    _check(branch, {_THIS}, str(shape.node))
        return views

    def _fresh(self, name: str = "value") -> str:
        return f"{name}#{next(self._numbers)}"

    def _freshly(self, name: str) -> Iterator[str]:
        return (self._fresh(name) for _ in count())

    def _along(self, start: Node, path: Path, end: Node) -> tuple[Atom, ...]:
        return tuple(_atoms(start, path, end, self._freshly("on")))

    def _target(self, kind: str, target: Term) -> Branch:
        """Return what makes a node a target."""
        assert isinstance(target, NamedNode | BlankNode | Literal)
        match kind:
            case "class":
                atoms = self._along(_THIS, _INSTANCE_OF, target)
            case "subject":
                atoms = (Atom.of(_THIS, Step(target), self._fresh()),)  # type: ignore[arg-type]
            case "object":
                atoms = (Atom.of(self._fresh(), Step(target), _THIS),)  # type: ignore[arg-type]
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
                Branch(self._along(value, _INSTANCE_OF, from_rdflib(name)), boolean=True)
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
            groups = _groups(algebra, self._fresh, no_literal)
        except Exception as error:
            raise CstoKgError(f"shape {shape.node}: {error}") from None
        names: dict[str, str] = {_THIS: focus}

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


# -- Queries to joins ------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Group:
    """One alternative of a query's pattern.

    ``certain`` are the variables that each of its solutions binds, ``maybe`` those that some do.
    """

    atoms: tuple[Atom, ...] = ()
    tests: tuple[Test, ...] = ()
    branches: tuple[Branch, ...] = ()
    certain: frozenset[str] = frozenset()
    maybe: frozenset[str] = frozenset()

    def joined(self, other: _Group) -> _Group:
        return _Group(
            self.atoms + other.atoms,
            self.tests + other.tests,
            self.branches + other.branches,
            self.certain | other.certain,
            self.maybe | other.maybe,
        )


Fresh = Callable[[str], str]


def _groups(part: Any, fresh: Fresh, no_literal: bool) -> list[_Group]:  # noqa: PLR0911
    """Return the alternatives of a part of a query, as SPARQL's algebra has it.

    A variable has one name wherever it is the same, and another where a part cannot see it.
    """

    def groups(inner: Any) -> list[_Group]:
        return _groups(inner, fresh, no_literal)

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


def _basic(triples: Iterable[tuple[Any, Any, Any]], fresh: Fresh) -> _Group:
    atoms = tuple(
        atom
        for subject, predicate, object_ in triples
        for atom in (
            (Atom.of(_node(subject), str(predicate), _node(object_)),)
            if isinstance(predicate, rdflib.Variable)
            else _atoms(
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
        if not isinstance(atom.path, str) and _nullable(atom.path)
        for end in (atom.subject, atom.object)
        if isinstance(end, str)
        for branch in (
            Branch((Atom.of(end, fresh("any"), fresh("any")),), boolean=True),
            Branch((Atom.of(fresh("any"), fresh("any"), end),), boolean=True),
        )
    )
    names = frozenset(name for atom in atoms for name in atom.variables())
    return _Group(atoms, (), present, names)


def _node(term: Any) -> Node:
    if isinstance(term, rdflib.BNode):
        return f"_:{term}"
    return str(term) if isinstance(term, rdflib.Variable) else from_rdflib(term)


def _query_path(path: Any) -> Path:
    match path:
        case rdflib.URIRef():
            return Step(NamedNode(path))
        case InvPath():
            return _turned(_query_path(path.arg))
        case SequencePath():
            return Chain(tuple(_query_path(part) for part in path.args))
        case AlternativePath():
            return Choice(tuple(_query_path(part) for part in path.args))
        case MulPath():
            return Repeat(_query_path(path.path), int(path.mod == "+"), path.mod != "?")
    raise CstoKgError(f"the path {path} is not supported in the query of a shape")


Groups = Callable[[Any], list[_Group]]


def _filtered(
    group: _Group, condition: Any, groups: Groups, fresh: Fresh, no_literal: bool
) -> _Group:
    """Return a group of which a condition must hold."""
    parts = list(_conjuncts(condition))
    # An equation with the focus node joins, if neither side can be one of two equal numbers.
    same = {name for part in parts if no_literal for name in _equated(part)} & group.certain
    if same:
        merged = Branch(group.atoms, group.tests, group.branches).named(
            lambda name: _THIS if name in same else name
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
                (name, name if name in group.certain | {_THIS} else fresh("unknown"))
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
    group: _Group, others: list[_Group], condition: Any, groups: Groups, fresh: Fresh
) -> _Group:
    """Return a group with others that add to its solutions where they can."""
    branches, maybe = [], group.maybe
    for other in others:
        seeing = replace(other, certain=other.certain | group.certain)
        seeing = _filtered(seeing, condition, groups, fresh, False)
        branches.append(_inner(seeing, group.certain, fresh, False))
        maybe |= (other.certain | other.maybe) - group.certain
    return replace(group, branches=(*group.branches, *branches), maybe=maybe)


def _inner(group: _Group, shared: frozenset[str], fresh: Fresh, boolean: bool) -> Branch:
    """Return a group that is looked at for each solution of another, of which it sees some."""
    names: dict[str, str] = {name: name for name in shared | {_THIS}}

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
            if _THIS in names:
                yield from names - {_THIS}


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
