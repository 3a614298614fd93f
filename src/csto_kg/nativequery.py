"""An rdflib graph whose SPARQL is evaluated by Oxigraph.

pyshacl walks a graph triple by triple, which rdflib's memory store does best, and runs a query
for each focus node of each SPARQL constraint, which takes rdflib's evaluator fifty milliseconds
to parse alone. Holding the triples in both is several times faster than either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pyoxigraph as ox
import rdflib
from rdflib.query import Result

from csto_kg.terms import Term, from_rdflib, to_rdflib


def native_query_graph(triples: Iterable[ox.Triple]) -> rdflib.Graph:
    """Return a graph of ``triples``, not to be changed, that answers SELECT and ASK natively."""
    return _NativeQueryGraph(set(triples))


class _NativeQueryGraph(rdflib.Graph):
    def __init__(self, triples: set[ox.Triple]) -> None:
        super().__init__()
        self._engine = ox.Store()
        self._engine.bulk_extend(ox.Quad(*triple) for triple in triples)
        for triple in triples:
            self.add(
                (to_rdflib(triple.subject), to_rdflib(triple.predicate), to_rdflib(triple.object))
            )

    def query(
        self,
        query_object: Any,
        processor: object = "sparql",  # noqa: ARG002
        result: object = "sparql",  # noqa: ARG002
        initNs: object = None,  # noqa: ARG002, N803
        initBindings: Mapping[str, Any] | None = None,  # noqa: N803
        use_store_provided: bool = True,  # noqa: ARG002
        **kwargs: Any,  # noqa: ARG002
    ) -> Result:
        """Evaluate a query with terms for some variables; other arguments change nothing."""
        bound: dict[ox.Variable, Term] = {
            ox.Variable(str(name)): from_rdflib(term) for name, term in (initBindings or {}).items()
        }
        answer = self._engine.query(str(query_object), substitutions=bound)
        if isinstance(answer, ox.QueryBoolean):
            asked = Result("ASK")
            asked.askAnswer = bool(answer)
            return asked
        assert isinstance(answer, ox.QuerySolutions)
        selected = Result("SELECT")
        selected.vars = [rdflib.Variable(variable.value) for variable in answer.variables]
        selected.bindings = [
            {
                name: to_rdflib(term)
                for name, term in zip(selected.vars, solution, strict=True)
                if term is not None
            }
            for solution in answer
        ]
        return selected
