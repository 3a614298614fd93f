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

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain
from typing import Any

import rdflib
from pyoxigraph import NamedNode, Triple
from pyshacl.errors import ConstraintLoadError, ReportableRuntimeError, ValidationFailure
from pyshacl.pytypes import SHACLExecutor
from pyshacl.validator import Validator

from csto_kg.endpoint import Engine
from csto_kg.errors import CstoKgError
from csto_kg.fragment.compilation import Compiler
from csto_kg.fragment.join import THIS, read_branch
from csto_kg.fragment.path import INSTANCE_OF, ends_of
from csto_kg.fragment.probe import Probe, View, probes_of
from csto_kg.fragment.union import Union
from csto_kg.nativequery import native_query_graph
from csto_kg.terms import Term, to_rdflib


class Reach:
    """How far shapes see: what a submission affects, and what the judgement of it rests on."""

    def __init__(self, shapes: rdflib.Graph) -> None:
        """Compile the views of a shapes graph.

        Raises :class:`CstoKgError` for a shape whose cost would be the graph, for a recursive
        one, and for what is neither SHACL Core nor SHACL-SPARQL.
        """
        compiler = Compiler(shapes)
        self._shapes = compiler.shapes
        self._arrange(compiler.views())

    def _arrange(self, views: list[View]) -> None:
        self._views = views
        self._aimed: dict[tuple[str, Term], list[View]] = defaultdict(list)
        self._probes: dict[NamedNode | None, list[Probe]] = defaultdict(list)
        for view in self._views:
            for target in view.targets:
                self._aimed[target].append(view)
            for branch in view.branches:
                for probe in probes_of(view, branch, (), ()):
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
        return self._affected(Union(store, triples))

    def fragment(
        self, nodes: Iterable[Term], triples: Iterable[Triple], store: Engine
    ) -> set[Triple]:
        """Return the triples of the store on which the nodes' results rest, in the union."""
        return self._fragment(nodes, Union(store, triples))

    def targets(self, triples: Iterable[Triple], store: Engine) -> dict[Term, set[str]]:
        """Return, for each subject of the triples, the shapes that have it as a target."""
        union = Union(store, triples)
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
        union = Union(store, triples)
        nodes = self._affected(union) if nodes is None else set(nodes)
        data = native_query_graph(union.submitted | self._fragment(nodes, union))
        focus: dict[View, set[Any]] = defaultdict(set)
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

    def _affected(self, union: Union) -> set[Term]:
        nodes: set[Term] = {triple.subject for triple in union.submitted}
        tried: set[tuple[View, Term]] = set()
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

    def _fragment(self, nodes: Iterable[Term], union: Union) -> set[Triple]:
        read: set[Triple] = set()
        for node in nodes:
            for view in self._aimed_at(node, union):
                for branch in view.branches:
                    read_branch(union, branch, {THIS: node}, read)
        return read - union.added

    def _aimed_at(self, node: Term, union: Union) -> list[View]:
        """Return the views of the shapes that have the node as a target."""
        known = union.aimed.get(node)
        if known is None:
            aims: set[tuple[str, Term]] = {("node", node)}
            aims |= {("class", end) for end, _ in ends_of(union, INSTANCE_OF, node, ())}
            aims |= {
                ("subject", name) for name in union.predicates_from(node, self._aims["subject"])
            }
            aims |= {
                ("object", name) for name in self._aims["object"] if union.is_value(node, name)
            }
            found = dict.fromkeys(v for aim in aims for v in self._aimed.get(aim, ()))
            known = union.aimed[node] = list(found)
        return known
