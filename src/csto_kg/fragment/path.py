"""Property paths: where they lead from a node, and what is read on the way."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from pyoxigraph import NamedNode, Triple

from csto_kg.terms import Term
from csto_kg.vocabulary import RDF, RDFS

if TYPE_CHECKING:
    from csto_kg.fragment.union import Union

TYPE = NamedNode(f"{RDF}type")
_SUBCLASS = NamedNode(f"{RDFS}subClassOf")


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

INSTANCE_OF = Chain((Step(TYPE), Repeat(Step(_SUBCLASS), 0, True)))


def turned(path: Path) -> Path:
    """Return the path that leads back."""
    match path:
        case Step():
            return Step(path.predicate, not path.back)
        case Chain():
            return Chain(tuple(turned(part) for part in reversed(path.parts)))
        case Choice():
            return Choice(tuple(turned(part) for part in path.parts))
        case Repeat():
            return replace(path, path=turned(path.path))


def steps_of(path: Path) -> Iterator[tuple[Path, Step, Path]]:
    """Yield each step of a path with what can come before it and after it."""
    match path:
        case Step():
            yield Chain(), path, Chain()
        case Chain(parts):
            for place, part in enumerate(parts):
                for before, step, after in steps_of(part):
                    yield Chain((*parts[:place], before)), step, Chain((after, *parts[place + 1 :]))
        case Choice(parts):
            for part in parts:
                yield from steps_of(part)
        case Repeat(inner, _, many):
            again = Repeat(inner, 0, True) if many else Chain()
            for before, step, after in steps_of(inner):
                yield Chain((again, before)), step, Chain((after, again))


def nullable(path: Path) -> bool:
    """Whether a path can lead from a node to itself without a triple."""
    match path:
        case Step():
            return False
        case Chain(parts):
            return all(nullable(part) for part in parts)
        case Choice(parts):
            return any(nullable(part) for part in parts)
        case Repeat(inner, least, _):
            return not least or nullable(inner)


# The triples that were read on the way to something, the last first.
Trail = tuple[()] | tuple["Trail", Triple]


def ends_of(graph: Union, path: Path, node: Term, trail: Trail) -> Iterator[tuple[Term, Trail]]:  # noqa: PLR0912
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
            for middle, read in ends_of(graph, first, node, trail):
                yield from ends_of(graph, rest, middle, read)
        case Choice(parts):
            for part in parts:
                yield from ends_of(graph, part, node, trail)
        case Repeat(inner, least, many):
            seen: set[Term] = set()
            if not least:
                seen.add(node)
                yield node, trail
            waiting = deque([(node, trail)])
            while waiting:
                for end, read in ends_of(graph, inner, *waiting.popleft()):
                    if end not in seen:
                        seen.add(end)
                        yield end, read
                        if many:
                            waiting.append((end, read))


def meeting(graph: Union, path: Path, start: Term, end: Term, trail: Trail) -> Iterator[Trail]:
    """Yield what was read on one way by which a path leads from one node to another, if any.

    It is looked for from both nodes by turns, so that the side on which there is less decides.
    """
    sides = (
        (ends_of(graph, path, start, trail), end),
        (ends_of(graph, turned(path), end, trail), start),
    )
    while True:
        for ends, goal in sides:
            found = next(ends, None)
            if found is None:
                return
            if found[0] == goal:
                yield found[1]
                return


def parts_of(path: Path) -> tuple[Path, ...]:
    """Return the paths that a path is a chain of."""
    if isinstance(path, Chain):
        return tuple(inner for part in path.parts for inner in parts_of(part))
    return (path,)
