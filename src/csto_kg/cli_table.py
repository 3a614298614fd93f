"""The command that reads membership tables of other people."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("import")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--mapping", required=True, metavar="MAPPING",
              help="What its columns mean: a file, or one of ours: atop-member-level, "
              "cow-alliance-member.")  # fmt: skip
@click.option("-o", "--output", type=click.Path(path_type=Path),
              help="Write to this file, in the format of its name.")  # fmt: skip
@click.pass_context
def import_(ctx: click.Context, table: Path, mapping: str, output: Path | None) -> None:
    """Turn TABLE, a CSV file of memberships, into facts of ours.

    Prints Turtle, or writes to --output. Every row is counted: as a spell, as a further phase that
    was merged into one, or as refused. Exits with 1 if rows were refused: they are listed, and the
    others are written all the same.

    Example: csto-kg import atop-member-level.csv --mapping atop-member-level -o atop.ttl
    """
    from csto_kg.mapping import Mapping
    from csto_kg.serialization import SUFFIXES, dump, rdf_format, replace
    from csto_kg.table import Table

    if output is not None:
        rdf_format(output)
    read = Table.read(table, Mapping.read(mapping))
    data = dump(read.triples(), SUFFIXES[output.suffix] if output else "turtle")
    if output is not None:
        replace(output, data)
    else:
        sys.stdout.buffer.write(data)
    for refusal in read.refused:
        click.echo(f"{table}:{refusal.line}: refused: {refusal.reason}", err=True)
    click.echo(
        f"{read.rows} rows: {len(read.spells)} spells, {read.merged} merged as phases, "
        f"{len(read.refused)} refused",
        err=True,
    )
    if divided := len(read.memberships) - len(read.spells):
        click.echo(
            f"{len(read.memberships)} memberships: {divided} more than spells, "
            "where one state succeeded another",
            err=True,
        )
    ctx.exit(1 if read.refused else 0)


COMMANDS = (import_,)
