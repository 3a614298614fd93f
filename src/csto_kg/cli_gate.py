"""The commands of the gate: submitting facts, and keeping what was accepted."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from csto_kg.errors import CstoKgError
from csto_kg.home import Home

_home = click.option(
    "--store",
    type=click.Path(),
    default=".",
    envvar="CSTO_KG_STORE",
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
def list_submissions(store: str) -> None:
    """List every submission, withdrawn ones too.

    Example: csto-kg submissions list
    """
    from csto_kg.submissions import Submissions

    click.echo("number\taccepted\tby\tfile\ttriples\twithdrawn")
    for found in Submissions(_at(store).folder).listed():
        columns = (found.number, found.accepted, found.by, found.file, found.triples)
        click.echo("\t".join(map(str, (*columns, found.withdrawn or ""))))


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


COMMANDS = (init, submit, submissions, verify, explain)
