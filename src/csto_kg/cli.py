"""The command line: each command is one call of the Python API."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from csto_kg.cli_exchange import COMMANDS as EXCHANGE_COMMANDS
from csto_kg.cli_gate import COMMANDS as GATE_COMMANDS
from csto_kg.cli_table import COMMANDS as TABLE_COMMANDS
from csto_kg.cli_view import of_sources, view, with_inferred
from csto_kg.errors import CstoKgError
from csto_kg.terminal import progress

if TYPE_CHECKING:
    from csto_kg.catalogue import Catalogue, Parameter, SavedQuery
    from csto_kg.closure import Reasoner
    from csto_kg.graph import KnowledgeGraph
    from csto_kg.results import Rows

_ROW_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".xml": "xml", ".md": "markdown",
                 ".html": "html", ".txt": "table"}  # fmt: skip

_Function = Callable[..., Any]


def main() -> None:
    """Run the command line; exit with 0 (fine), 1 (the data or the answer says no) or 2 (usage)."""
    # The engine does not look for interrupts while it evaluates; files are replaced whole.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        cli(prog_name="csto-kg")
    except CstoKgError as error:
        click.echo(f"csto-kg: {error}", err=True)
        sys.exit(2)


class _Place(click.ParamType["str | Path"]):
    """A path, or an address, which would not survive being one."""

    name = "place"

    def convert(self, value: Any, param: object, ctx: object) -> str | Path:  # noqa: ARG002
        return value if "://" in str(value) else Path(value)


_PLACE = _Place()
# What --store is when it is not given.
_STORE = "CSTO_KG_STORE"


def _store(function: _Function) -> _Function:
    return click.option(
        "--store",
        type=_PLACE,
        metavar="PLACE",
        envvar=_STORE,
        help="Instead of the shipped graph: a graph of your own, a store on disk, an RDF file or a "
        "folder of them, or the address of a SPARQL endpoint.",
    )(function)


def _choice(function: _Function) -> _Function:
    return of_sources(with_inferred(function))


def _output(*formats: str) -> Callable[[_Function], _Function]:
    def decorate(function: _Function) -> _Function:
        for option in (
            click.option(
                "-o", "--output", type=click.Path(path_type=Path), help="Write to this file."
            ),
            click.option(
                "--format",
                "format_name",
                type=click.Choice(formats),
                help="Default: table on a terminal, tsv when piped, or as the file's name ends.",
            ),
        ):
            function = option(function)
        return function

    return decorate


# Names of formats stand here and not in an import, which would cost every start of the command.
_TABLES = ("table", "csv", "tsv", "json", "xml", "markdown", "html")
_RDF = ("turtle", "ntriples", "nquads", "trig", "jsonld", "rdfxml")
_REPORTS = ("text", "json", "turtle", "sarif", "junit", "github")


def _open(store: str | Path | None) -> KnowledgeGraph:
    from csto_kg.graph import open_graph

    return open_graph(store)


def _show(result: Rows, format_name: str | None, output: Path | None) -> None:
    from csto_kg.results import Triples
    from csto_kg.serialization import SUFFIXES, replace

    as_rdf = isinstance(result, Triples)
    if format_name is None and output is not None:
        format_name = (SUFFIXES if as_rdf else _ROW_SUFFIXES).get(output.suffix)
        if format_name is None:
            raise CstoKgError(f"{output}: its ending tells no format: give --format")
    if format_name in _RDF and not as_rdf:
        raise CstoKgError(f"rows are not RDF: --format {format_name} is for CONSTRUCT queries")
    if format_name is None:
        format_name = "turtle" if as_rdf else "table" if sys.stdout.isatty() else "tsv"
    if output is not None:
        replace(output, result.text(format_name).encode())
    elif format_name == "table":
        from rich.console import Console

        Console().print(result)
    else:
        sys.stdout.buffer.write(result.text(format_name).encode())
    if sys.stderr.isatty():
        unit = "triple" if as_rdf else "row"
        click.echo(f"{len(result)} {unit}{'' if len(result) == 1 else 's'}", err=True)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="csto-kg", prog_name="csto-kg")
def cli() -> None:
    """Who was in which alliance on a given day, how sure are we, and who says so.

    Example: csto-kg query run members-on --alliance csto --date 2000-01-01
    """


@cli.group()
def query() -> None:
    """List, show and run saved queries.

    Example: csto-kg query run members-on --alliance csto --date 2000-01-01
    """


@query.command("list")
@click.option("--tag", help="Only queries with this tag.")
@click.option("--language", type=click.Choice(["en", "ar", "ru"]), default="en", show_default=True)
@_store
@_output(*_TABLES)
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
    _show(Rows(("query", "title", "tags"), rows), format_name, output)


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

        return saved_queries(ctx.obj or os.environ.get(_STORE))

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
        result = view(_open(store), inferred, reasoner, sources).run(saved, **values)
        _show(result, format_name, output)
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
    for decorate in (_output(*_TABLES, *_RDF), _choice, _store):
        for option in _options(decorate):
            command.params.append(option)
    return command


def _show_command(saved: SavedQuery) -> click.Command:
    def show(store: str | Path | None, **values: str | None) -> None:
        given = {name: value for name, value in values.items() if value is not None}
        text = saved.text
        if given:
            bound = saved.bind(given, _open(store).resolve).splitlines(keepends=True)
            # What the header declares is no longer there to be given.
            text = "".join(line for line in bound if not line.startswith("#+"))
        click.echo(text, nl=False)

    parameters = [_parameter_option(parameter) for parameter in saved.parameters.values()]
    for option in parameters:
        option.required = False
    return click.Command(
        saved.name,
        params=[*parameters, *_options(_store)],
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


@cli.command()
@click.argument("text")
@_store
@_choice
@_output(*_TABLES, *_RDF)
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
    result = view(_open(store), inferred, reasoner, sources).sparql(words)
    _show(result, format_name, output)
    _exit_with_answer(ctx, result)


def _exit_with_answer(ctx: click.Context, result: Rows) -> None:
    """Exit with 1 when an ASK query is answered no."""
    if result.answer is False:
        ctx.exit(1)


@cli.command()
@click.argument("entity")
@_store
@_output(*_TABLES, *_RDF)
def describe(
    entity: str, store: str | Path | None, format_name: str | None, output: Path | None
) -> None:
    """Tell everything that is said with an entity, and by whom; as RDF, with all it rests on.

    Example: csto-kg describe state:uzbekistan
    """
    graph = _open(store)
    name = format_name or ("turtle" if output and output.suffix == ".ttl" else None)
    as_rdf = name in _RDF
    _show(graph.surroundings(entity) if as_rdf else graph.describe(entity), name, output)


@cli.command()
@click.argument("text")
@_store
@_output(*_TABLES)
@click.pass_context
def search(
    ctx: click.Context,
    text: str,
    store: str | Path | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Find entities by any of their names, in any language; exits with 1 if there are none.

    Letter case, diacritics and interchangeable Arabic letters make no difference.

    Example: csto-kg search 'الامن الجماعي'
    """
    rows = _open(store).search(text)
    _show(rows, format_name, output)
    ctx.exit(0 if rows else 1)


def _report_options(function: _Function) -> _Function:
    for option in (
        click.option(
            "--fail-on",
            type=click.Choice(["violation", "warning", "info", "never"]),
            default="violation",
            show_default=True,
            help="Exit with 1 from this severity on.",
        ),
        click.option(
            "--language", type=click.Choice(["en", "ar"]), default="en", show_default=True
        ),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(_REPORTS),
            default="text",
            show_default=True,
        ),
    ):
        function = option(function)
    return function


@cli.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_report_options
@_store
@click.pass_context
def validate(
    ctx: click.Context,
    files: tuple[Path, ...],
    format_name: str,
    language: str,
    fail_on: str,
    store: str | Path | None,
) -> None:
    """Validate files of facts; exits with 1 if one has violations, 2 if one cannot be read.

    Each is judged as a submission would be, by a process that is ended if it takes too long.
    `csto-kg explain CODE` explains a finding. Takes RDF (.ttl, .nt, .nq, .trig, .jsonld, .rdf) and
    fact sheets (.yaml).

    Example: csto-kg validate data/triples.ttl
    """
    from csto_kg.gate import validate as validate_files
    from csto_kg.report import write

    with progress("validating"):
        reports = validate_files(files, store)
    click.echo(write(reports, format_name, language), nl=False)
    # A file that cannot be read is not invalid: it is wrong usage, like one that is missing.
    unreadable = any(
        finding.check.startswith("P0") for report in reports for finding in report.findings
    )
    passed = all(report.passes(fail_on) for report in reports)
    ctx.exit(2 if unreadable else 0 if passed else 1)


@cli.command()
@click.argument("file", type=click.Path(path_type=Path))
@_report_options
@click.pass_context
def report(ctx: click.Context, file: Path, format_name: str, language: str, fail_on: str) -> None:
    """Look again at a report that was written with --format json.

    Example: csto-kg report report.json --format github
    """
    from csto_kg.report import read, write

    reports = read(file)
    click.echo(write(reports, format_name, language), nl=False)
    ctx.exit(0 if all(report.passes(fail_on) for report in reports) else 1)


@cli.command()
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a file is stale.")
@click.pass_context
def build(ctx: click.Context, folder: Path, check: bool) -> None:
    """Turn the fact sheets in FOLDER/sheets into Turtle files in FOLDER (by default, data).

    Example: csto-kg build --check
    """
    from csto_kg.build import build as build_files
    from csto_kg.build import stale

    paths = list(stale(folder)) if check else build_files(folder)
    for path in paths:
        click.echo(f"{path}: {'stale: run csto-kg build' if check else 'written'}", err=True)
    ctx.exit(1 if check and paths else 0)


@cli.command("cite-check")
@click.argument("article", type=click.Path(path_type=Path))
@click.option("--source", help="Which source it is a copy of, if the graph has several texts.")
@_store
@_output(*_TABLES)
@click.pass_context
def cite_check(
    ctx: click.Context,
    article: Path,
    source: str | None,
    store: str | Path | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Check every citation of a source against ARTICLE, a copy of its text.

    Says found, moved, ambiguous or gone for each; exits with 1 unless all are found.

    Example: csto-kg cite-check article.txt
    """
    rows = _open(store).cite_check(article, source)
    _show(rows, format_name, output)
    verdicts = [str(row.verdict) for row in rows]
    counts = ", ".join(f"{verdicts.count(word)} {word}" for word in dict.fromkeys(verdicts))
    click.echo(f"{len(verdicts)} citations: {counts}", err=True)
    ctx.exit(0 if set(verdicts) == {"found"} else 1)


@cli.command()
@click.argument("article", type=click.Path(path_type=Path))
@click.argument("quote")
@click.option("--source", required=True, help="The source's identifier, such as source/my-report.")
@click.option("--name", required=True, help="The citation's slug, such as mr-p1-signing.")
def cite(article: Path, quote: str, source: str, name: str) -> None:
    """Print the citation of QUOTE in ARTICLE as a node for a fact sheet.

    Example: csto-kg cite article.txt 'signed in Tashkent' --source source/my-report --name mr-p1
    """
    from csto_kg.citation import SourceText

    click.echo(SourceText.read(article).citation(quote, source, name))


@cli.command()
@_store
@_choice
@click.option("--entity", help="Only this entity, with its surroundings.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--format", "format_name", type=click.Choice(_RDF),
              help="Default: as the file's name ends, or turtle.")  # fmt: skip
def export(
    store: str | Path | None,
    sources: tuple[str, ...],
    inferred: bool,
    reasoner: Reasoner | None,
    entity: str | None,
    format_name: str | None,
    output: Path | None,
) -> None:
    """Write the graph as RDF for other triple stores: the same bytes every time.

    Turtle unless --format or the file's name says otherwise. N-Quads and TriG keep each source
    in its named graph.

    Example: csto-kg export --format nquads -o csto-kg.nq
    """
    graph = _open(store)
    if inferred or reasoner:
        graph, sources = view(graph, inferred, reasoner, sources), ()
    with progress("exporting") as done:
        if output is None:
            name = format_name or "turtle"
            graph.write(sys.stdout.buffer, name, sources=sources, entity=entity, done=done)
        else:
            graph.export(output, format_name, sources=sources, entity=entity, done=done)


@cli.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands, query names and parameters in a shell.

    Example: eval "$(csto-kg completion bash)"
    """
    from click.shell_completion import get_completion_class

    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(cli, {}, "csto-kg", "_CSTO_KG_COMPLETE").source())


for _command in (*GATE_COMMANDS, *TABLE_COMMANDS, *EXCHANGE_COMMANDS):
    cli.add_command(_command)
