"""The options that choose a graph and a view of it, for every command that takes them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from csto_kg.terminal import progress

if TYPE_CHECKING:
    from csto_kg.closure import Reasoner
    from csto_kg.graph import KnowledgeGraph

_Function = Callable[..., Any]

#: What ``--store`` is when it is not given.
STORE = "CSTO_KG_STORE"
# Names of reasoners stand here and not in an import, which would cost every start of the command.
_REASONERS = ("owlrl", "reasonable")


class _Place(click.ParamType["str | Path"]):
    """A path, or an address, which would not survive being one."""

    name = "place"

    def convert(self, value: Any, param: object, ctx: object) -> str | Path:  # noqa: ARG002
        return value if "://" in str(value) else Path(value)


def with_store(function: _Function) -> _Function:
    """Add the option that names another graph than the shipped one."""
    return click.option(
        "--store",
        type=_Place(),
        metavar="PLACE",
        envvar=STORE,
        help="Instead of the shipped graph: a graph of your own, a store on disk, an RDF file or a "
        "folder of them, or the address of a SPARQL endpoint.",
    )(function)


def with_inferred(function: _Function) -> _Function:
    """Add the options that ask for inferred triples, and say what infers them."""
    for option in (
        click.option(
            "--reasoner",
            type=click.Choice(_REASONERS),
            help="What infers: both give the same, and reasonable is faster where there is much.  "
            "[default: the one that fits the graph]",
        ),
        click.option("--inferred", is_flag=True, help="Add what follows by OWL 2 RL."),
    ):
        function = option(function)
    return function


def with_view(function: _Function) -> _Function:
    """Add the options that choose sources and inferred triples."""
    return click.option(
        "--source", "sources", multiple=True, help="Only what this source says; repeatable."
    )(with_inferred(function))


def opened(store: str | Path | None) -> KnowledgeGraph:
    """Open the graph that ``--store`` names."""
    from csto_kg.place import open_graph

    return open_graph(store)


def view(
    graph: KnowledgeGraph,
    inferred: bool,
    reasoner: Reasoner | None,
    sources: Sequence[str] = (),
) -> KnowledgeGraph:
    """Return the view that the options choose, and say what inferred in it."""
    if not inferred:
        return graph.view(sources, reasoner=reasoner)
    with progress("inferring"), _warnings_told():
        chosen = graph.view(sources, inferred=True, reasoner=reasoner)
    click.echo(f"inferred by {chosen.reasoner}", err=True)
    return chosen


@contextmanager
def _warnings_told() -> Iterator[None]:
    """Tell a warning when it comes, and in a line of its own."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"csto-kg: {message}", err=True)
        yield
