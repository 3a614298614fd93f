"""The options that say how an answer is written, and the writing of it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from csto_kg.errors import CstoKgError

if TYPE_CHECKING:
    from csto_kg.results import Rows

_Function = Callable[..., Any]

# Names of formats stand here and not in an import, which would cost every start of the command.
TABLES = ("table", "csv", "tsv", "json", "xml", "markdown", "html")
RDF = ("turtle", "ntriples", "nquads", "trig", "jsonld", "rdfxml")
_SUFFIXES = {".csv": "csv", ".tsv": "tsv", ".json": "json", ".xml": "xml", ".md": "markdown",
             ".html": "html", ".txt": "table"}  # fmt: skip


def with_output(*formats: str) -> Callable[[_Function], _Function]:
    """Add the options that say where an answer goes, and in which of some formats."""

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


def show_rows(result: Rows, format_name: str | None, output: Path | None) -> None:
    """Write an answer; raises :class:`CstoKgError` for a format that it has not."""
    from csto_kg.results import Triples
    from csto_kg.serialization import SUFFIXES, replace

    as_rdf = isinstance(result, Triples)
    if format_name is None and output is not None:
        format_name = (SUFFIXES if as_rdf else _SUFFIXES).get(output.suffix)
        if format_name is None:
            raise CstoKgError(f"{output}: its ending tells no format: give --format")
    if format_name in RDF and not as_rdf:
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
