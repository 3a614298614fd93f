"""A graph of somebody's own: their facts, queries and shapes on top of those that are shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from csto_kg import shipped
from csto_kg.catalogue import Catalogue
from csto_kg.errors import CstoKgError

_README = """\
# A graph of our own

What is here is read on top of what csto-kg ships.

- `data/sheets/*.yaml`: fact sheets; `csto-kg build data` turns them into `data/*.ttl`
- `queries/*.rq`: saved queries
- `shapes/*.ttl`: further shapes that submissions must satisfy; of each shape `NAME`, the file
  `shapes/NAME/invalid.ttl` has facts that it must report, tried before anything is judged
- `journal/`: accepted submissions, one immutable file each; `csto-kg verify --store .` checks them

    csto-kg query run members-on --alliance csto --date 2000-01-01 --store .
    csto-kg submit new-facts.ttl --store . --by 'Your name'
"""

# Git must not touch line ends: the hash of an entry is that of its bytes.
_ATTRIBUTES = "journal/* -text\n"
_IGNORE = "journal/.lock\njournal/.*.new\n"

_PRE_COMMIT = """\
repos:
  - repo: local
    hooks:
      - id: csto-kg-verify
        name: the journal is as it was written
        entry: csto-kg verify --store .
        language: system
        pass_filenames: false
        files: ^journal/
      - id: csto-kg-validate
        name: facts conform
        entry: csto-kg validate
        language: system
        files: ^data/.*\\.(ttl|yaml)$
"""

# The file that says which store the graph is in.
_PLACE = "store"

_FILES = {
    "README.md": _README,
    ".gitattributes": _ATTRIBUTES,
    ".gitignore": _IGNORE,
    ".pre-commit-config.yaml": _PRE_COMMIT,
}


@dataclass(frozen=True, slots=True)
class Home:
    """The folder of such a graph; it is one when it has a ``journal`` folder."""

    folder: Path

    @property
    def journal(self) -> Path:
        """Where accepted submissions are."""
        return self.folder / "journal"

    @property
    def data(self) -> Path:
        """Where RDF files are."""
        return self.folder / "data"

    @property
    def queries(self) -> Path:
        """Where saved queries are."""
        return self.folder / "queries"

    @property
    def shapes(self) -> Path:
        """Where further shapes are."""
        return self.folder / "shapes"

    @property
    def place(self) -> str | None:
        """The store that the graph is in: a folder or an address; ``None`` is in memory.

        Raises :class:`CstoKgError` when it cannot be read.
        """
        try:
            place = (self.folder / _PLACE).read_text("utf-8").strip()
        except FileNotFoundError:
            return None
        except (OSError, UnicodeError) as error:
            raise CstoKgError(f"{self.folder / _PLACE}: cannot be read: {error}") from None
        if not place:
            raise CstoKgError(f"{self.folder / _PLACE}: names no store: restore it")
        return place

    @classmethod
    def of(cls, folder: Path | None) -> Home | None:
        """Return the home at ``folder``, or ``None`` when it is none."""
        return cls(folder) if folder is not None and (folder / "journal").is_dir() else None

    @classmethod
    def init(cls, folder: Path, place: str | None = None) -> Home:
        """Make a home whose graph is in the store at ``place``, or else is read into memory.

        Raises :class:`CstoKgError` when the folder has something in it.
        """
        try:
            if folder.exists() and any(folder.iterdir()):
                raise CstoKgError(f"{folder}: not empty: name a new folder")
            for name in ("data/sheets", "queries", "shapes", "journal"):
                (folder / name).mkdir(parents=True)
                (folder / name / ".gitkeep").touch()
            for name, text in _FILES.items():
                (folder / name).write_text(text, "utf-8")
            if place is not None:
                (folder / _PLACE).write_text(f"{place}\n", "utf-8")
        except OSError as error:
            raise CstoKgError(f"{folder}: cannot be made: {error.strerror}") from None
        return cls(folder)


def saved_queries(place: str | Path | None = None) -> Catalogue:
    """Return the shipped queries, and those of a home if ``place`` is one."""
    home = Home.of(Path(place) if place else None)
    return Catalogue(shipped.QUERIES, *([home.queries] if home else []))
