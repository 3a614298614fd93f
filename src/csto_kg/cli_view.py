"""The options that choose a view of the graph, for every command that takes one."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from csto_kg.terminal import progress

if TYPE_CHECKING:
    from csto_kg.closure import Reasoner
    from csto_kg.graph import KnowledgeGraph

_Function = Callable[..., Any]

# Names of reasoners stand here and not in an import, which would cost every start of the command.
_REASONERS = ("owlrl", "reasonable")

of_sources = click.option(
    "--source", "sources", multiple=True, help="Only what this source says; repeatable."
)


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
