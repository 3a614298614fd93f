"""The shapes that facts are judged by: ours, and those that a graph of somebody's own adds.

Every shape has a *canary*: an example that it must report. All are tried before anything is
judged, so that an engine that passes over a constraint is found out first.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyoxigraph import NamedNode, Store, Triple

from csto_kg import shipped
from csto_kg.errors import CstoKgError
from csto_kg.serialization import SUFFIXES, read, read_bytes, syntax_error
from csto_kg.terms import to_rdflib, value
from csto_kg.vocabulary import CSTO, ID, SHAPES

if TYPE_CHECKING:
    import rdflib

    from csto_kg.fragment import Reach
    from csto_kg.home import Home


@dataclass(frozen=True)
class Shapes:
    """Shapes from several files, and the folders that hold a canary for each of them.

    A canary is the file ``<shape>/invalid.ttl``, the folder being named as the shape.
    """

    files: Sequence[Path]
    canaries: Sequence[Path]

    @classmethod
    def of(cls, home: Home | None) -> Shapes:
        """Return our shapes, with those of a graph of somebody's own if there is one."""
        folder = home.shapes if home else None
        own = _files(folder) if folder and folder.is_dir() else ()
        canaries = (shipped.EXAMPLES, *((folder,) if folder and own else ()))
        return _read((shipped.ONTOLOGY / "shapes.ttl", *own), canaries)

    @cached_property
    def sha256(self) -> str:
        """The hash that tells one version of the shapes from another."""
        return sha256(b"".join(read_bytes(file) for file in self.files)).hexdigest()

    @cached_property
    def graph(self) -> rdflib.Graph:
        """The shapes graph.

        Raises :class:`CstoKgError` for a file that is not RDF, and for one of somebody's own that
        speaks of our shapes or terms.
        """
        import rdflib

        graph = rdflib.Graph(identifier=rdflib.URIRef(SHAPES))
        for number, file in enumerate(self.files):
            for triple in _triples(file):
                if number and value(triple.subject).startswith((SHAPES, CSTO, ID)):
                    raise CstoKgError(
                        f"{file}: speaks of {value(triple.subject)}, which is ours: "
                        "give your shapes a namespace of your own"
                    )
                graph.add((
                    to_rdflib(triple.subject),
                    to_rdflib(triple.predicate),
                    to_rdflib(triple.object),
                ))  # fmt: skip
        return graph

    @cached_property
    def reach(self) -> Reach:
        """What the shapes see; raises :class:`CstoKgError` for shapes that are not supported."""
        from csto_kg.fragment import Reach

        return Reach(self.graph)

    def code(self, shape: Any) -> str:
        """Return the code of a shape's findings: its name, or of a nameless one its owner's."""
        import rdflib
        from rdflib import SH

        while isinstance(shape, rdflib.BNode):
            owners = (self.graph.value(None, link, shape) for link in (SH.property, SH.node))
            shape = next((owner for owner in owners if owner is not None), "")
        return str(shape).replace("#", "/").rpartition("/")[2]

    def try_canaries(self) -> None:
        """Raise :class:`CstoKgError` unless every shape that can report reports its canary."""
        from rdflib import SH

        examples = {name: file for folder in self.canaries for name, file in _examples(folder)}
        reporting = self._reporting()
        if missing := sorted(reporting.keys() - examples.keys()):
            raise CstoKgError(
                f"{self.canaries[-1]}: no canary for {_listed(missing)}: "
                f"add {missing[0]}/invalid.ttl, facts that the shape must report"
            )
        facts = _apart(examples)
        triples = {triple for example in facts.values() for triple in example}
        store = Store()
        for file in ("csto.ttl", "schemes.ttl"):
            store.load(path=str(shipped.ONTOLOGY / file))
        targets = self.reach.targets(triples, store)
        # The other nodes of an example are there to make it whole.
        nodes = {
            triple.subject
            for code, example in facts.items()
            for triple in example
            if reporting.get(code, set()) & targets[triple.subject]
        }
        results = self.reach.validate(triples, store, nodes)
        reported = {self.code(shape) for shape in results.objects(None, SH.sourceShape)}
        if silent := sorted(reporting.keys() - reported):
            raise CstoKgError(
                f"the validator passes over {_listed(silent)}: their canaries are not reported, "
                "so nothing is judged: mend the shapes, or install csto-kg and pyshacl anew"
            )

    def _reporting(self) -> dict[str, set[str]]:
        """Return the codes that results can have, and whose targets the shapes are for."""
        from rdflib import RDF, RDFS, SH

        targets = (SH.targetClass, SH.targetNode, SH.targetSubjectsOf, SH.targetObjectsOf)
        about = {RDF.type, RDFS.label, RDFS.comment, SH.message, SH.severity, SH.path, SH.property}
        reporting: dict[str, set[str]] = defaultdict(set)
        for owner in {shape for target in targets for shape in self.graph.subjects(target)}:
            for shape in (owner, *self.graph.objects(owner, SH.property)):
                if set(self.graph.predicates(shape)) - about - {*targets}:
                    reporting[self.code(shape)].add(str(owner))
        return reporting


@cache
def _read(files: tuple[Path, ...], canaries: tuple[Path, ...]) -> Shapes:
    return Shapes(files, canaries)


def _listed(names: Sequence[str], most: int = 5) -> str:
    more = [f"{len(names) - most} more"] if len(names) > most else []
    return ", ".join([*names[:most], *more])


def _files(folder: Path) -> tuple[Path, ...]:
    return tuple(sorted(file for file in folder.iterdir() if file.suffix in SUFFIXES))


def _triples(file: Path) -> Iterator[Triple]:
    try:
        for quad in read(file):
            yield Triple(quad.subject, quad.predicate, quad.object)
    except SyntaxError as error:
        raise syntax_error(file, error) from None


def _examples(folder: Path) -> Iterator[tuple[str, Path]]:
    for example in sorted(folder.glob("*/invalid.ttl")):
        yield example.parent.name, example


def _apart(examples: Mapping[str, Path]) -> dict[str, set[Triple]]:
    """Return the triples of the examples, no two of which share an entity that they describe."""
    facts: dict[str, set[Triple]] = {}
    for number, (code, file) in enumerate(examples.items()):
        found = list(_triples(file))
        names = {
            triple.subject: NamedNode(f"{triple.subject.value}-{number}")
            for triple in found
            if isinstance(triple.subject, NamedNode) and triple.subject.value.startswith(ID)
        }
        facts[code] = {
            Triple(
                names.get(triple.subject, triple.subject),  # type: ignore[arg-type]
                triple.predicate,
                names.get(triple.object, triple.object),  # type: ignore[arg-type]
            )
            for triple in found
        }
    return facts
