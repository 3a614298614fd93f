"""The command line: each command is one call of the Python API."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from csto_kg.cli_exchange import COMMANDS as EXCHANGE_COMMANDS
from csto_kg.cli_gate import COMMANDS as GATE_COMMANDS
from csto_kg.cli_output import RDF, TABLES, show_rows, with_output
from csto_kg.cli_query import COMMANDS as QUERY_COMMANDS
from csto_kg.cli_table import COMMANDS as TABLE_COMMANDS
from csto_kg.cli_view import opened, view, with_store, with_view
from csto_kg.errors import CstoKgError
from csto_kg.terminal import progress

if TYPE_CHECKING:
    from csto_kg.closure import Reasoner


def main() -> None:
    """Run the command line; exit with 0 (fine), 1 (the data or the answer says no) or 2 (usage)."""
    # The engine does not look for interrupts while it evaluates; files are replaced whole.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        cli(prog_name="csto-kg")
    except CstoKgError as error:
        click.echo(f"csto-kg: {error}", err=True)
        sys.exit(2)
    except (OSError, UnicodeError) as error:
        click.echo(f"csto-kg: {error}", err=True)
        # What could not be written would be tried again at a regular exit.
        os._exit(2)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="csto-kg", prog_name="csto-kg")
def cli() -> None:
    """Who was in which alliance on a given day, how sure are we, and who says so.

    Example: csto-kg query run members-on --alliance csto --date 2000-01-01
    """


@cli.command()
@click.argument("entity")
@with_store
@with_output(*TABLES, *RDF)
def describe(
    entity: str, store: str | Path | None, format_name: str | None, output: Path | None
) -> None:
    """Tell everything that is said with an entity, and by whom; as RDF, with all it rests on.

    Example: csto-kg describe state:uzbekistan
    """
    graph = opened(store)
    name = format_name or ("turtle" if output and output.suffix == ".ttl" else None)
    as_rdf = name in RDF
    show_rows(graph.surroundings(entity) if as_rdf else graph.describe(entity), name, output)


@cli.command()
@click.argument("text")
@with_store
@with_output(*TABLES)
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
    rows = opened(store).search(text)
    show_rows(rows, format_name, output)
    ctx.exit(0 if rows else 1)


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
@with_store
@with_output(*TABLES)
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
    rows = opened(store).cite_check(article, source)
    show_rows(rows, format_name, output)
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

    text = SourceText.read(article)
    click.echo(text.citation(quote, source, name))
    click.echo(
        f"{source} itself needs: textSha256: {text.sha256}, textLength: {len(text.text)}", err=True
    )


@cli.command()
@with_store
@with_view
@click.option("--entity", help="Only this entity, with its surroundings.")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write to this file.")
@click.option("--format", "format_name", type=click.Choice(RDF),
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
    graph = opened(store)
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


for _command in (*QUERY_COMMANDS, *GATE_COMMANDS, *TABLE_COMMANDS, *EXCHANGE_COMMANDS):
    cli.add_command(_command)
