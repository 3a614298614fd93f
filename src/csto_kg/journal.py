"""The journal of accepted submissions: one immutable file per entry, each chained to the last.

An entry is a comment that gives its number and the hash of the entry before it, and then sorted
canonical N-Quads. Its name carries its own hash. It is accepted once it is whole, chained and
fsynced under its name. ``LATEST`` names the last entry, so that a cut-off tail is noticed; it is
written second, and so it may be one entry behind after a crash. The next append puts that right.

Nothing is ever changed or deleted: a withdrawal is an entry too.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import secrets
import stat
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from operator import attrgetter, itemgetter
from pathlib import Path

from pyoxigraph import BlankNode, NamedNode, Quad, RdfFormat, Triple, parse

from csto_kg.errors import CstoKgError
from csto_kg.serialization import dump, read_bytes
from csto_kg.vocabulary import ID

#: The file that names the last entry, as ``sha256sum --check`` takes it. It is not called HEAD,
#: because ``git diff HEAD`` refuses to work in a folder that has a file of that name.
LATEST = "LATEST"

#: What the first entry gives as the hash of the entry before it.
NOTHING = "0" * 64

#: The named graph of what is on record about submissions.
RECORD = NamedNode(f"{ID}graph/submissions")


@dataclass(frozen=True)
class Entry:
    """An accepted submission: its number from 1, its file, its hash and that of the one before."""

    number: int
    path: Path
    sha256: str
    previous: str

    def quads(self) -> list[Quad]:
        """Read what was submitted; raises :class:`CstoKgError` when the file is not as accepted."""
        data = read_bytes(self.path)
        if hashlib.sha256(data).hexdigest() != self.sha256:
            raise CstoKgError(_advice(Damage(self.number, self.path, _CHANGED)))
        try:
            return list(parse(data, format=RdfFormat.N_QUADS))
        except SyntaxError as error:
            raise CstoKgError(f"{self.path}: not valid nquads: {error.msg}") from None


@dataclass(frozen=True)
class Damage:
    """Something that is not as it was written: the entry, if it is one, the file, and what."""

    number: int | None
    path: Path
    reason: str


class Journal:
    """The entries in a folder, which need not exist before the first append.

    Reading takes no lock: entries only ever appear, and appear whole.
    """

    def __init__(self, folder: Path) -> None:
        """Look at a folder without touching it."""
        self.folder = folder
        self._holder: int | None = None

    def entries(self) -> list[Entry]:
        """List the entries in order, each checked against its hash and the chain.

        Raises :class:`CstoKgError`, naming the first entry that is damaged or missing.
        """
        try:
            entries, damages = self._follow(self._look())
        except OSError as error:
            raise CstoKgError(f"{self.folder}: cannot be read: {error.strerror}") from None
        if damages:
            raise CstoKgError(_advice(damages[0]))
        return entries

    def verify(self) -> list[Damage]:
        """Find all that is not as it was written, and all that does not belong; never raises."""
        try:
            look = self._look()
            entries, damages = self._follow(look)
        except OSError as error:
            return [Damage(None, self.folder, f"cannot be read: {error.strerror}")]
        for entry in entries:
            try:
                entry.quads()
            except CstoKgError as error:
                damages.append(Damage(entry.number, entry.path, f"cannot be used: {error}"))
        return damages + [Damage(None, path, "does not belong here") for path in look.strangers]

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Be the only writer among all threads and processes; others wait their turn.

        Creates the folder. Raises :class:`CstoKgError` when that or its lock file cannot be
        written, and ``RuntimeError`` in a thread that holds the lock already.
        """
        if self._holder == threading.get_ident():
            raise RuntimeError("this thread holds the lock already")
        try:
            descriptor = self._locked()
        except OSError as error:
            raise CstoKgError(f"{self.folder}: cannot be locked: {error.strerror}") from None
        try:
            self._holder = threading.get_ident()
            yield
        finally:
            self._holder = None
            # Closing alone would leave the lock to a process forked meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
            os.close(descriptor)

    def append(self, quads: Iterable[Quad]) -> Entry:
        """Accept quads as the next entry; once this returns they are on the disk to stay.

        Raises :class:`CstoKgError` for a blank node, a damaged journal or a disk that does not
        take the entry, which then is not there; ``RuntimeError`` outside :meth:`lock`.
        """
        if self._holder != threading.get_ident():
            raise RuntimeError("append inside lock()")
        statements = list(quads)
        for quad in statements:
            if _has_blank_node(quad.triple) or isinstance(quad.graph_name, BlankNode):
                raise CstoKgError(f"{quad}: a blank node has no lasting name: give it an IRI")
        body = dump(statements, "nquads")
        try:
            last = self._last()
            number = last.number + 1 if last else 1
            data = _header(number, last.sha256 if last else NOTHING) + body
            return self._add(number, data, last.sha256 if last else NOTHING)
        except OSError as error:
            raise CstoKgError(
                f"{self.folder}: the entry cannot be written: {error.strerror}: "
                "nothing was added: put that right and append again"
            ) from None

    def _add(self, number: int, data: bytes, previous: str) -> Entry:
        sha256 = hashlib.sha256(data).hexdigest()
        entry = Entry(number, self.folder / _name(number, sha256), sha256, previous)
        # Both are written before either gets its name, so that a full disk is noticed in time.
        with self._new(data) as new, self._new(_latest(number, sha256)) as latest:
            try:
                entry.path.hardlink_to(new)  # unlike a rename, this never replaces a file
                _sync(self.folder)
            except BaseException:
                self._take_back(entry.path, new)
                raise
            # The entry is accepted now, whatever becomes of LATEST: see _last.
            with suppress(OSError):
                latest.replace(self.folder / LATEST)
                _sync(self.folder)
        return entry

    def _take_back(self, path: Path, new: Path) -> None:
        """Remove an entry that the disk did not confirm; nobody was told of it."""
        try:
            with suppress(FileNotFoundError):
                if path.samefile(new):
                    path.unlink()
        except OSError as error:
            raise CstoKgError(
                f"{path}: neither confirmed by the disk nor removed: {error.strerror}: it counts "
                "if it is there when the disk works again: look with `csto-kg verify`"
            ) from None
        with suppress(OSError):
            _sync(self.folder)

    def _last(self) -> Entry | None:
        """Tidy up after writers that were killed; returns the entry to append to.

        Raises :class:`CstoKgError` when the journal is damaged.
        """
        look = self._look()
        for path in look.unfinished:
            path.unlink()
        entries, damages = self._follow(look, only_last=True)
        if damages:
            raise CstoKgError(_advice(damages[0]))
        if not entries:
            return None
        last = entries[-1]
        latest = _latest(last.number, last.sha256)
        if look.latest != latest:
            # Whoever wrote the entry was cut off, perhaps before the folder was fsynced.
            _sync(self.folder)
            with self._new(latest) as new:
                new.replace(self.folder / LATEST)
                _sync(self.folder)
        return last

    def _look(self) -> _Look:
        """List the folder as it was at one moment, however many are appending."""
        before = self._read_latest()
        paths = self._list()
        latest = self._read_latest()
        if latest == before:
            return _Look(latest, paths)
        # Others have appended. A listing may show a later entry and miss an earlier one, but not
        # one that was there before it began: list again and stop where LATEST does.
        look = _Look(latest, self._list())
        named = _parsed_latest(latest)
        if named:
            look.entries = [(number, path) for number, path in look.entries if number <= named[0]]
        return look

    def _list(self) -> list[Path]:
        try:
            # By name: comparing paths is slow, and every append lists the folder.
            return sorted(self.folder.iterdir(), key=attrgetter("name"))
        except FileNotFoundError:
            return []

    def _read_latest(self) -> bytes | None:
        path = self.folder / LATEST
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                return b""
            with path.open("rb") as file:
                return file.read(200)
        except FileNotFoundError:
            return None

    def _follow(self, look: _Look, *, only_last: bool = False) -> tuple[list[Entry], list[Damage]]:
        """Follow the chain from the first entry to ``LATEST``.

        ``only_last`` reads the last entry alone and takes the others at their names' word.
        """
        entries: list[Entry] = []
        damages: list[Damage] = []
        hashes = {0: NOTHING}  # or as much of a hash as the name of a damaged file tells
        due = 1
        for number, path in look.entries:
            if number < due:
                damages.append(Damage(number, path, "is a second file for this entry"))
                continue
            if number > due:
                damages.append(self._missing(due, number - 1))
            due = number + 1
            hashes[number] = path.stem.partition("-")[2]
            if only_last and number < look.entries[-1][0]:
                continue
            entry = _examined(number, path, hashes.get(number - 1, ""))
            if isinstance(entry, Damage):
                damages.append(entry)
            else:
                entries.append(entry)
                hashes[number] = entry.sha256
        return entries, damages + self._end(look.latest, due - 1, hashes)

    def _end(self, latest: bytes | None, last: int, hashes: dict[int, str]) -> list[Damage]:
        """Hold the last entry against ``LATEST``, which a crash may leave one entry behind."""
        path = self.folder / LATEST
        if latest is None:
            return [Damage(None, path, "is missing")] if last > 1 else []
        named = _parsed_latest(latest)
        if named is None:
            return [Damage(None, path, "is not as it was written")]
        number, sha256 = named
        if number > last:
            return [self._missing(last + 1, number)]
        if number < last - 1:
            return [Damage(None, path, f"names entry {number:06}, but {last:06} is the last")]
        if not sha256.startswith(hashes.get(number, "")):
            return [Damage(None, path, f"names another entry {number:06} than is here")]
        return []

    def _missing(self, first: int, last: int) -> Damage:
        more = f", and so are all up to {last:06}" if last > first else ""
        return Damage(first, self.folder / f"{first:06}-*.nq", f"is missing{more}")

    def _locked(self) -> int:
        path = self.folder / ".lock"
        while True:
            self._create_folder()
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                # A lock on a file that was deleted while we waited excludes nobody.
                if path.exists() and os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return descriptor
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)

    def _create_folder(self) -> None:
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            _sync(path.parent)

    @contextmanager
    def _new(self, data: bytes) -> Iterator[Path]:
        """Write a file under a passing name, fsynced; that name is gone afterwards."""
        path = self.folder / f".{secrets.token_hex(8)}.new"
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[os.write(descriptor, rest) :]
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            yield path
        finally:
            with suppress(OSError):  # the next append clears it
                path.unlink(missing_ok=True)


class _Look:
    """What a folder holds: ``LATEST``, entries in order, unfinished files, and what is neither."""

    def __init__(self, latest: bytes | None, paths: list[Path]) -> None:
        self.latest = latest
        self.entries: list[tuple[int, Path]] = []
        self.unfinished: list[Path] = []
        self.strangers: list[Path] = []
        for path in paths:
            name = _NAME.fullmatch(path.name)
            if name and int(name[1]):
                self.entries.append((int(name[1]), path))
            elif _UNFINISHED.fullmatch(path.name):
                self.unfinished.append(path)
            elif path.name not in _BELONGS:
                self.strangers.append(path)
        self.entries.sort(key=itemgetter(0))


def _examined(number: int, path: Path, previous: str) -> Entry | Damage:
    """Read an entry; ``previous`` is the beginning of the hash that it must name."""
    try:
        if not stat.S_ISREG(path.lstat().st_mode):
            return Damage(number, path, "is not a file")
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            header = file.readline(200)
    except OSError as error:
        return Damage(number, path, f"cannot be read: {error.strerror}")
    named = header[-65:-1].decode(errors="replace")
    if path.name != _name(number, sha256):
        return Damage(number, path, _CHANGED)
    if header != _header(number, named):
        return Damage(number, path, "is not that entry by its first line")
    if not named.startswith(previous):
        return Damage(number, path, "does not follow the entry that is before it here")
    return Entry(number, path, sha256, named)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _has_blank_node(triple: Triple) -> bool:
    return any(
        isinstance(term, BlankNode) or (isinstance(term, Triple) and _has_blank_node(term))
        for term in triple
    )


def _name(number: int, sha256: str) -> str:
    return f"{number:06}-{sha256[:16]}.nq"


def _header(number: int, previous: str) -> bytes:
    return f"# csto-kg journal 1, entry {number:06}, after sha256:{previous}\n".encode()


def _latest(number: int, sha256: str) -> bytes:
    return f"{sha256}  {_name(number, sha256)}\n".encode()


def _parsed_latest(data: bytes | None) -> tuple[int, str] | None:
    line = _LINE.fullmatch(data or b"")
    if not line:
        return None
    number, sha256 = int(line[2]), line[1].decode()
    return (number, sha256) if number and data == _latest(number, sha256) else None


def _advice(damage: Damage) -> str:
    what = f"entry {damage.number:06} " if damage.number else ""
    return f"{damage.path}: {what}{damage.reason}: look with `csto-kg verify`"


_CHANGED = "was changed since it was accepted: its name does not match its hash"
_NAME = re.compile(r"([0-9]{6}|[1-9][0-9]{6,})-[0-9a-f]{16}\.nq")
_LINE = re.compile(rb"([0-9a-f]{64})  ([0-9]{6,20})-[0-9a-f]{16}\.nq\n")
_UNFINISHED = re.compile(r"\.[0-9a-f]{16}\.new")
_BELONGS = {LATEST, ".lock", ".gitattributes", ".gitignore", ".gitkeep"}
