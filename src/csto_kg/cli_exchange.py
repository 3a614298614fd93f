"""The commands that put the graph into other stores and take it back."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from csto_kg.cli_view import STORE, opened, view, with_inferred
from csto_kg.errors import CstoKgError
from csto_kg.terminal import progress

if TYPE_CHECKING:
    from csto_kg.closure import Reasoner

_from = click.option(
    "--store", metavar="PLACE", envvar=STORE,
    help="The graph to put there; by default the shipped one.",
)  # fmt: skip
_graph_store = click.option(
    "--graph-store", metavar="URL", envvar="CSTO_KG_GRAPH_STORE",
    help="Where the Graph Store Protocol is spoken.",
)  # fmt: skip


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
def load(folder: Path, files: tuple[Path, ...]) -> None:
    """Build a store on disk in a new FOLDER, from FILES of RDF or from the shipped graph.

    Any command takes it with --store. It is an index: keep the files, and build it again.

    Example: csto-kg load index atop.nt our-graph/data/*.ttl
    """
    from csto_kg.disk import load as build
    from csto_kg.place import sources

    named = sources(files)
    size = sum(path.stat().st_size for path, _ in named if path.is_file())
    with progress("loading", size) as done:
        build(folder, named, done)
    click.echo(f"{folder}: built from {len(named)} files, the ontology's among them", err=True)


@click.command()
@click.argument("url")
@click.option("--update", metavar="URL", envvar="CSTO_KG_UPDATE",
              help="Where SPARQL Update is spoken, if there is no --graph-store.")  # fmt: skip
@_graph_store
@with_inferred
@click.option("--dry-run", is_flag=True, help="Say what would be put there, and send nothing.")
@click.option("--show", is_flag=True, help="Print requests that do the same, and send nothing.")
@_from
def push(
    url: str,
    update: str | None,
    graph_store: str | None,
    inferred: bool,
    reasoner: Reasoner | None,
    dry_run: bool,
    show: bool,
    store: str | None,
) -> None:
    """Put the graph into the store whose SPARQL query service is at URL, and verify it.

    Each source becomes a named graph, and all merged one more; other graphs are not touched. Every
    graph is read back and compared. Pushing again replaces what was pushed before. CSTO_KG_USER and
    CSTO_KG_PASSWORD are sent if the server asks who you are.

    Example: csto-kg push http://127.0.0.1:7878/query --graph-store http://127.0.0.1:7878/store
    """
    from csto_kg.endpoint import Endpoint
    from csto_kg.exchange import Parcel, packing, requests
    from csto_kg.exchange import push as put

    if not (update or graph_store or show or dry_run):
        raise CstoKgError("say where to write: --graph-store URL, or --update URL")

    def tell(parcel: Parcel) -> None:
        click.echo(f"{parcel.graph.value}: {parcel.number} triples", err=True)

    with packing(view(opened(store), inferred, reasoner)) as packed:
        if show:
            options = [*(["--store", store] if store else []), *(["--inferred"] * inferred)]
            click.echo("\n".join(requests(packed, graph_store, options)))
        elif dry_run:
            for parcel in packed:
                tell(parcel)
        else:
            endpoint = Endpoint(url, update, graph_store, Endpoint.of(url).credentials)
            with progress("pushing", sum(parcel.number for parcel in packed)) as done:

                def arrived(parcel: Parcel) -> None:
                    tell(parcel)
                    done(parcel.number)

                put(packed, endpoint, arrived)
            click.echo(f"{url}: {len(packed)} graphs are there, and as they should be", err=True)


@click.command()
@click.argument("url")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="Write to this file; .nq and .trig keep the graphs apart.")  # fmt: skip
def pull(url: str, output: Path) -> None:
    """Take back from the store at URL what was pushed there, and verify it.

    The vocabulary is not taken: it comes with csto-kg.

    Example: csto-kg pull http://127.0.0.1:7878/query -o graph.nq
    """
    from csto_kg.endpoint import Endpoint
    from csto_kg.exchange import pull as take

    with progress("pulling") as done:
        number = take(Endpoint.of(url), output, lambda parcel: done(parcel.number))
    click.echo(f"{output}: {number} triples, counted graph by graph", err=True)


COMMANDS = (load, push, pull)
