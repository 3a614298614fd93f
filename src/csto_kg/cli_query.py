"""The commands that ask: saved queries, and SPARQL of one's own."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from csto_kg.cli_output import RDF, TABLES, show_rows, with_output
from csto_kg.cli_view import STORE, opened, view, with_store, with_view

if TYPE_CHECKING:
    from csto_kg.catalogue import Catalogue, Parameter, SavedQuery
    from csto_kg.closure import Reasoner
    from csto_kg.results import Rows

_Function = Callable[..., Any]


@click.group()
def query() -> None:
    """List, show and run saved queries.

    Example: csto-kg query run members-on --alliance csto --date 2000-01-01
    """


@query.command("list")
@click.option("--tag", help="Only queries with this tag.")
@click.option("--language", type=click.Choice(["en", "ar", "ru"]), default="en", show_default=True)
@with_store
@with_output(*TABLES)
def list_queries(
    tag: str | None,
    language: str,
    store: str | Path | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """List the saved queries, those of a graph of your own with --store.

    Example: csto-kg query list --tag membership
    """
    from pyoxigraph import Literal

    from csto_kg.home import saved_queries
    from csto_kg.results import Rows

    rows = [
        (Literal(saved.name), Literal(saved.title(language)), Literal(", ".join(saved.tags)))
        for saved in saved_queries(store).values()
        if tag is None or tag in saved.tags
    ]
    show_rows(Rows(("query", "title", "tags"), rows), format_name, output)


class _SavedQueries(click.Group):
    """A command for each saved query, with an option for each of its parameters."""

    def __init__(self, make: Callable[[SavedQuery], click.Command], **settings: Any) -> None:
        super().__init__(**settings)
        self._make = make

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        # Which queries there are depends on an option that follows their names.
        ctx.obj = _option(args, "--store")
        return super().resolve_command(ctx, args)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._saved(ctx))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        from csto_kg.catalogue import SUFFIX, SavedQuery

        if cmd_name.endswith(SUFFIX):
            return self._make(SavedQuery.read(Path(cmd_name)))
        return self._make(self._saved(ctx)[cmd_name])

    def _saved(self, ctx: click.Context) -> Catalogue:
        from csto_kg.home import saved_queries

        return saved_queries(ctx.obj or os.environ.get(STORE))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Queries (also: the path of a .rq file of yours)"):
            formatter.write_dl([(name, self._title(ctx, name)) for name in self.list_commands(ctx)])

    def _title(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return (command.short_help or "") if command else ""


def _option(arguments: Sequence[str], name: str) -> str | None:
    for argument, following in pairwise([*arguments, ""]):
        if argument == name:
            return following
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
    return None


def _parameter_option(parameter: Parameter) -> click.Option:
    kind = parameter.scheme or parameter.type.removeprefix("csto:")
    return click.Option(
        [f"--{parameter.name}"],
        required=parameter.required,
        default=None,
        type=click.Choice(parameter.values) if parameter.values else str,
        metavar=None if parameter.values else kind.upper(),
        help=parameter.description
        + (f"  [default: {parameter.default}]" if parameter.default is not None else ""),
    )


def _example(saved: SavedQuery, command: str) -> str:
    example = saved.header.get("example") or {}
    assert isinstance(example, dict)
    call = {**(example.get("parameters") or {})}
    words = [word for name, value in call.items() for word in (f"--{name}", _quoted(value))]
    words += [word for source in example.get("sources") or [] for word in ("--source", source)]
    return " ".join(["csto-kg query", command, saved.name, *words])


def _quoted(value: str) -> str:
    from shlex import quote

    return quote(value)


def _run_command(saved: SavedQuery) -> click.Command:
    @click.pass_context
    def run(
        ctx: click.Context,
        /,
        store: str | Path | None,
        sources: tuple[str, ...],
        inferred: bool,
        reasoner: Reasoner | None,
        format_name: str | None,
        output: Path | None,
        **values: Any,
    ) -> None:
        graph = opened(store)
        # Before anything is inferred, which takes a while.
        text = saved.bind(values, graph.resolve)
        result = view(graph, inferred, reasoner, sources).sparql(text)
        show_rows(result, format_name, output)
        _exit_with_answer(ctx, result)

    columns = "\n".join(f"  {name}: {meaning}" for name, meaning in saved.columns.items())
    command = click.Command(
        saved.name,
        params=[_parameter_option(parameter) for parameter in saved.parameters.values()],
        callback=run,
        short_help=saved.title(),
        help=f"{saved.title()}.\n\n{saved.description}\n\n"
        f"Example: {_example(saved, 'run')}\n\n\b\nColumns:\n{columns}",
    )
    for decorate in (with_output(*TABLES, *RDF), with_view, with_store):
        for option in _options(decorate):
            command.params.append(option)
    return command


def _show_command(saved: SavedQuery) -> click.Command:
    def show(store: str | Path | None, **values: str | None) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        text = saved.text
        if given:
            bound = saved.bind(given, opened(store).resolve).splitlines(keepends=True)
            # What the header declares is no longer there to be given.
            text = "".join(line for line in bound if not line.startswith("#+"))
        click.echo(text, nl=False)

    parameters = [_parameter_option(parameter) for parameter in saved.parameters.values()]
    for option in parameters:
        option.required = False
    return click.Command(
        saved.name,
        params=[*parameters, *_options(with_store)],
        callback=show,
        short_help=saved.title(),
        help="Print the query as it is in its file, or with values in place of parameters, "
        f"ready for any SPARQL 1.1 tool.\n\nExample: {_example(saved, 'show')}",
    )


def _options(decorate: Callable[[_Function], _Function]) -> list[click.Parameter]:
    def carrier() -> None: ...

    options: list[click.Parameter] = getattr(decorate(carrier), "__click_params__", [])
    return options[::-1]


query.add_command(
    _SavedQueries(
        _run_command,
        name="run",
        help="Run a saved query by name, or one of your own by the path of its .rq file.\n\n"
        "Example: csto-kg query run members-on --alliance csto --date 2000-01-01",
        short_help="Run a saved query.",
    )
)
query.add_command(
    _SavedQueries(
        _show_command,
        name="show",
        help="Print the SPARQL of a saved query; with parameters, ready for any SPARQL tool.\n\n"
        "Example: csto-kg query show members-on --alliance csto --date 2000-01-01",
        short_help="Print the SPARQL of a saved query.",
    )
)


@click.command()
@click.argument("text")
@with_store
@with_view
@with_output(*TABLES, *RDF)
@click.pass_context
def sparql(
    ctx: click.Context,
    text: str,
    store: str | Path | None,
    sources: tuple[str, ...],
    inferred: bool,
    reasoner: Reasoner | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Run a read-only SPARQL query; TEXT is the query, or - for standard input.

    Our prefixes (csto:, state:, alliance:, ...) need not be declared.

    Example: csto-kg sparql 'SELECT ?state { ?state a csto:State } ORDER BY ?state'
    """
    words = sys.stdin.read() if text == "-" else text
    result = view(opened(store), inferred, reasoner, sources).sparql(words)
    show_rows(result, format_name, output)
    _exit_with_answer(ctx, result)


def _exit_with_answer(ctx: click.Context, result: Rows) -> None:
    """Exit with 1 when an ASK query is answered no."""
    if result.answer is False:
        ctx.exit(1)


COMMANDS = (query, sparql)
