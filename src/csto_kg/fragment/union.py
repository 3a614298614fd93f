"""The graph that is, and what is added to it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Store, Triple

from csto_kg.endpoint import Engine
from csto_kg.fragment.path import TYPE
from csto_kg.terms import Term

if TYPE_CHECKING:
    from csto_kg.fragment.probe import View

_DEFAULT = DefaultGraph()
# Of how many triples it is cheaper to read all than to look some predicates up.
_MOST = 100


class Union:
    """A store's default graph with submitted triples, its look-ups remembered.

    Literals are matched as the engine keeps them, in their canonical form; of shapes that read
    them as they were written this finds all that they see, and perhaps more.
    """

    def __init__(self, store: Engine, triples: Iterable[Triple] = ()) -> None:
        """Take the store and the submitted triples, literals as they were written."""
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
        #: What :meth:`Reach.validate` and :meth:`Probe.origins` found out.
        self.aimed: dict[Term, list[View]] = {}
        self.decided: dict[tuple[Any, ...], bool] = {}
        self.before = Union(store) if self.submitted else self
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
    scratch.extend(Quad(BlankNode(f"l{n}"), TYPE, literal) for n, literal in enumerate(literals))
    kept = {quad.subject.value: quad.object for quad in scratch}
    return {raw: kept[f"l{n}"] for n, raw in enumerate(literals) if kept[f"l{n}"] != raw}
