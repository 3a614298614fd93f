"""The commands of the gate: judging facts, and keeping those that were accepted."""

from __future__ import annotations

import getpass
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from csto_kg.cli_output import TABLES, show_rows, with_output
from csto_kg.cli_view import STORE, with_store
from csto_kg.errors import CstoKgError
from csto_kg.home import Home
from csto_kg.terminal import progress

_Function = Callable[..., Any]

_REPORTS = ("text", "json", "turtle", "sarif", "junit", "github")

_home = click.option(
    "--store",
    type=click.Path(),
    default=".",
    envvar=STORE,
    show_default="here",
    help="The folder of your graph, made by csto-kg init.",
)
_by = click.option("--by", help="Who you are, for the record; by default your login name.")


def _at(folder: str) -> Home:
    home = Home.of(Path(folder))
    if home is None:
        from csto_kg.disk import is_disk

        on = f" --on {folder}" if "://" in str(folder) or is_disk(Path(folder)) else ""
        raise CstoKgError(
            f"{folder}: not a graph of your own, which keeps a journal: make one with "
            f"`csto-kg init DIR{on}`"
        )
    return home


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


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_report_options
@with_store
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


@click.command()
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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--on", "place", metavar="PLACE", help="The graph is in this store on disk or SPARQL endpoint."
)
def init(folder: Path, place: str | None) -> None:
    """Start a graph of your own in a new FOLDER: facts, queries and shapes on top of ours.

    With --on the graph is the one in that store, and what is accepted goes there as well as into
    the journal in FOLDER. Fill the store first, with csto-kg load or push.

    Example: csto-kg init our-graph --on http://127.0.0.1:7878/query
    """
    from csto_kg.disk import is_disk

    if place and "://" not in place:
        place = str(Path(place).resolve())
        if not is_disk(Path(place)):
            raise CstoKgError(f"{place}: not a store on disk: make one with `csto-kg load`")
    Home.init(folder, place)
    click.echo(f"{folder}: ready: see {folder / 'README.md'}", err=True)


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--text", "texts", multiple=True, type=click.Path(path_type=Path),
              help="A copy of a cited text, to check citations; repeatable.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Accept it if nothing is wrong.")
@click.option("--language", type=click.Choice(["en", "ar"]), default="en", show_default=True)
@_by
@_home
@click.pass_context
def submit(
    ctx: click.Context,
    file: Path,
    texts: tuple[Path, ...],
    yes: bool,
    language: str,
    by: str | None,
    store: str,
) -> None:
    """Judge FILE and show what it would add; with --yes, accept it.

    Exits with 1 if something is wrong with it, and then nothing is accepted.

    Example: csto-kg submit new-facts.ttl --yes --by 'Research desk'
    """
    from csto_kg.citation import SourceText
    from csto_kg.gate import submit as submit_file
    from csto_kg.report import write
    from csto_kg.results import Triples

    copies = [SourceText.read(text).text for text in texts]
    outcome = submit_file(file, _at(store), by=by or getpass.getuser(), texts=copies, accept=yes)
    for line in str(Triples(outcome.new)).splitlines():
        if line and not line.startswith("@prefix"):
            click.echo(f"+ {line}")
    click.echo(write([outcome.report], "text", language), nl=False, err=True)
    if outcome.number is not None:
        click.echo(f"accepted as submission {outcome.number}", err=True)
    elif outcome.report.conforms:
        click.echo("nothing is accepted yet: say so with --yes", err=True)
    ctx.exit(0 if outcome.report.conforms else 1)


@click.group()
def submissions() -> None:
    """List, show and withdraw what was accepted.

    Example: csto-kg submissions list
    """


@submissions.command("list")
@_home
@with_output(*TABLES)
def list_submissions(store: str, format_name: str | None, output: Path | None) -> None:
    """List every submission, withdrawn ones too.

    Example: csto-kg submissions list
    """
    from pyoxigraph import Literal

    from csto_kg.results import Rows
    from csto_kg.submissions import Submissions

    columns = ("number", "accepted", "by", "withdrawn", "reason", "triples", "file")
    rows = [
        tuple(None if cell is None else Literal(cell) for cell in attrgetter(*columns)(found))
        for found in Submissions(_at(store).folder).listed()
    ]
    show_rows(Rows(columns, rows), format_name, output)


@submissions.command()
@click.argument("number", type=int)
@_home
def show(number: int, store: str) -> None:
    """Print the facts of a submission as Turtle, withdrawn or not.

    Example: csto-kg submissions show 1
    """
    from csto_kg.results import Triples
    from csto_kg.submissions import Submissions

    click.echo(str(Triples(Submissions(_at(store).folder).show(number))), nl=False)


@submissions.command()
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why, for the record.")
@_by
@_home
def withdraw(number: int, reason: str, by: str | None, store: str) -> None:
    """Take a submission's facts out of the answers; they stay on record.

    Example: csto-kg submissions withdraw 1 --reason 'the report was retracted'
    """
    from csto_kg.submissions import Submissions

    Submissions(_at(store).folder).withdraw(number, by=by or getpass.getuser(), reason=reason)
    click.echo(f"submission {number} is withdrawn", err=True)


@submissions.command()
@_home
def index(store: str) -> None:
    """Bring the store that the graph is in up to the journal, after it could not be written.

    Example: csto-kg submissions index --store our-graph
    """
    from csto_kg.submissions import Submissions

    submitted = Submissions(_at(store).folder)
    with submitted.journal.lock():
        number = submitted.index()
    click.echo(f"{number} entries taken in", err=True)


@click.command()
@_home
@click.pass_context
def verify(ctx: click.Context, store: str) -> None:
    """Check that the journal of submissions is as it was written; exits with 1 if not.

    Example: csto-kg verify
    """
    from csto_kg.submissions import Submissions

    submitted = Submissions(_at(store).folder)
    damages = submitted.verify()
    for damage in damages:
        entry = f"submission {damage.number}: " if damage.number else ""
        click.echo(f"{damage.path}: {entry}{damage.reason}")
    if not damages:
        click.echo(
            f"{len(submitted.journal.entries())} entries, all as they were written", err=True
        )
    ctx.exit(1 if damages else 0)


@click.command()
@click.argument("code")
def explain(code: str) -> None:
    """Explain the code of a finding: what is wrong, why it matters, what to do.

    Example: csto-kg explain MembershipMember
    """
    from csto_kg.codes import explain as page

    click.echo(page(code))


COMMANDS = (validate, report, init, submit, submissions, verify, explain)
