from __future__ import annotations

import errno
import hashlib
import io
import operator
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyoxigraph import BlankNode, DefaultGraph, Literal, NamedNode, Quad, Triple

from csto_kg import CstoKgError
from csto_kg.journal import LATEST, NOTHING, Damage, Entry, Journal
from csto_kg.vocabulary import ID

KILLS = int(os.environ.get("CSTO_KG_KILLS", "20"))

#: Appends to the journal in argv[1] as often as argv[2] says, each entry telling who wrote it,
#: and prints each entry's number and hash once it is accepted.
WRITER = """
import os, sys
from pathlib import Path
from pyoxigraph import Literal, NamedNode, Quad
from csto_kg.journal import Journal
journal, name = Journal(Path(sys.argv[1])), NamedNode("http://example.org/x")
os.write(1, b"ready\\n")
for turn in range(int(sys.argv[2])):
    with journal.lock():
        quads = [Quad(name, name, Literal(f"{os.getpid()} {turn} {n}"), name) for n in range(50)]
        entry = journal.append(quads)
    os.write(1, f"{entry.number} {entry.sha256}\\n".encode())
"""


def quads(word: object, count: int = 3) -> list[Quad]:
    subject, predicate = NamedNode(f"{ID}fact/a"), NamedNode("http://example.org/says")
    graph = NamedNode(f"{ID}source/{word}")
    return [Quad(subject, predicate, Literal(f"{word} {n}"), graph) for n in range(count)]


def append(journal: Journal, *words: object) -> list[Entry]:
    entries = []
    for word in words:
        with journal.lock():
            entries.append(journal.append(quads(word)))
    return entries


def contents(folder: Path) -> dict[str, bytes]:
    """What a reader of the folder can see: hidden files are nobody's business."""
    return {path.name: path.read_bytes() for path in folder.glob("[!.]*")}


def writer(folder: Path, turns: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(folder), str(turns)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "ready\n"
    return process


def printed(output: str) -> list[tuple[int, str]]:
    """What a writer said; a line that a kill cut short says nothing."""
    lines = [line for line in output.splitlines(keepends=True) if line.endswith("\n")]
    return [(int(number), sha256) for number, sha256 in (line.split() for line in lines)]


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


def test_entries_are_plain_chained_files(journal: Journal) -> None:
    first, second = append(journal, "one", "two")
    data = first.path.read_bytes()
    assert data.startswith(f"# csto-kg journal 1, entry 000001, after sha256:{NOTHING}\n".encode())
    assert data.count(b"\n") == 4
    assert first.sha256 == hashlib.sha256(data).hexdigest()
    assert first.path.name == f"000001-{first.sha256[:16]}.nq"
    assert f"entry 000002, after sha256:{first.sha256}\n".encode() in second.path.read_bytes()
    assert second.previous == first.sha256
    assert journal.entries() == [first, second]
    assert set(first.quads()) == set(quads("one"))
    assert journal.verify() == []
    assert {path.name for path in journal.folder.iterdir()} == {
        first.path.name, second.path.name, LATEST, ".lock"
    }  # fmt: skip
    if shutil.which("sha256sum") is None:
        return
    check = ["sha256sum", "--check", "--strict", LATEST]
    assert (
        subprocess.run(check, cwd=journal.folder, capture_output=True, check=False).returncode == 0
    )


def test_reading_creates_nothing(journal: Journal) -> None:
    assert journal.entries() == []
    assert journal.verify() == []
    assert not journal.folder.exists()


def test_appending_needs_the_lock_and_the_lock_is_taken_once(journal: Journal) -> None:
    with pytest.raises(RuntimeError, match="lock"):
        journal.append(quads("a"))
    with journal.lock(), pytest.raises(RuntimeError, match="already"), journal.lock():
        pass
    append(journal, "a")


def test_a_deleted_lock_file_lets_nobody_in_twice(journal: Journal) -> None:
    inside = threading.Event()

    def wait() -> None:
        with Journal(journal.folder).lock():
            inside.set()

    waiting = threading.Thread(target=wait)
    with journal.lock():
        waiting.start()
        time.sleep(0.1)
        (journal.folder / ".lock").unlink()
    third = Journal(journal.folder)
    with third.lock():
        was_inside = inside.is_set()
        time.sleep(0.1)
        assert inside.is_set() == was_inside
    waiting.join(10)
    assert inside.is_set()


@pytest.mark.parametrize("place", ["subject", "object", "graph", "nested"])
def test_blank_nodes_are_refused(journal: Journal, place: str) -> None:
    name, blank = NamedNode("http://example.org/x"), BlankNode("b")
    quad = {
        "subject": Quad(blank, name, name, name),
        "object": Quad(name, name, blank, name),
        "graph": Quad(name, name, name, blank),
        "nested": Quad(name, name, Triple(name, name, Triple(blank, name, name)), name),
    }[place]
    with journal.lock(), pytest.raises(CstoKgError, match="blank node"):
        journal.append([*quads("a"), quad])
    assert contents(journal.folder) == {}


# Killed processes


def test_no_kill_loses_or_halves_an_entry(journal: Journal) -> None:
    chance = random.Random(5)
    accepted: dict[int, str] = {}
    interrupted = 0
    for _ in range(KILLS):
        process = writer(journal.folder, 100_000)
        time.sleep(chance.uniform(0, 0.06))
        process.send_signal(signal.SIGKILL)
        output, _ = process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL
        accepted.update(printed(output))
        assert journal.verify() == []
        entries = {entry.number: entry for entry in journal.entries()}
        assert accepted.items() <= {n: entry.sha256 for n, entry in entries.items()}.items()
        # At most the entry that was being reported may be there without having been printed.
        unheard = entries.keys() - accepted.keys()
        interrupted += len(unheard) + len(list(journal.folder.glob(".*.new")))
        assert len(unheard) <= 1
        assert all(len(entries[number].quads()) == 50 for number in unheard)
        accepted.update({number: entries[number].sha256 for number in unheard})
        if chance.random() < 0.5:
            [entry] = append(journal, "after")
            assert entry.number == len(entries) + 1
            assert not list(journal.folder.glob(".*.new"))
            assert entry.sha256 in (journal.folder / LATEST).read_text()
            accepted[entry.number] = entry.sha256
    assert len(accepted) >= KILLS
    assert interrupted, "no kill hit an append: the test shows nothing"
    print(f"{KILLS} kills, {len(accepted)} entries, {interrupted} traces of cut-off appends")


def test_writers_queue_and_readers_need_not(journal: Journal) -> None:
    processes = [writer(journal.folder, 10) for _ in range(8)]
    seen = 0
    while any(process.poll() is None for process in processes):
        assert journal.verify() == []
        count = len(journal.entries())
        assert count >= seen
        seen = count
    said = [line for process in processes for line in printed(process.communicate(timeout=30)[0])]
    assert [process.returncode for process in processes] == [0] * 8
    entries = journal.entries()
    assert [entry.number for entry in entries] == list(range(1, 81))
    assert [entry.previous for entry in entries] == [NOTHING, *[e.sha256 for e in entries[:-1]]]
    assert sorted(said) == [(entry.number, entry.sha256) for entry in entries]
    assert len({quad.object.value for entry in entries for quad in entry.quads()}) == 80 * 50  # type: ignore[union-attr]
    assert journal.verify() == []


@pytest.mark.parametrize("shared", [True, False])
def test_threads_queue_too(journal: Journal, shared: bool) -> None:
    def work(name: int) -> None:
        append(journal if shared else Journal(journal.folder), *[f"{name}-{n}" for n in range(5)])

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(journal.entries()) == 40
    assert journal.verify() == []


def test_a_listing_torn_by_appends_is_not_taken_for_damage(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, "one")
    whole = journal._list

    def torn() -> list[Path]:
        """List as a folder may that changes meanwhile: the third entry seen, the second not."""
        monkeypatch.setattr(journal, "_list", whole)
        append(Journal(journal.folder), "two", "three")
        return [path for path in whole() if not path.name.startswith("000002")]

    monkeypatch.setattr(journal, "_list", torn)
    assert len(journal.entries()) == 3
    monkeypatch.undo()

    def behind() -> list[Path]:
        """List before two others append, whom ``LATEST`` already names when it is read again."""
        monkeypatch.setattr(journal, "_list", whole)
        paths = whole()
        append(Journal(journal.folder), "four", "five")
        return paths

    monkeypatch.setattr(journal, "_list", behind)
    assert journal.verify() == []
    assert len(journal.entries()) == 5


# Disks that fail


class PowerOff(BaseException):
    """The end of the process: no handler can do anything any more."""


class Calls:
    """Counts the system calls of an append and lets some of them fail."""

    NAMES = ("open", "write", "fsync", "close", "link", "rename", "replace", "unlink", "listdir",
             "scandir", "mkdir", "stat", "lstat")  # fmt: skip

    def __init__(self, fails: Callable[[int], bool], error: BaseException, *, late: bool) -> None:
        self.fails, self.error, self.late = fails, error, late
        self.names: list[str] = []

    @contextmanager
    def watched(self) -> Iterator[None]:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(io, "open", self._wrapped("io.open", io.open))
            for name in self.NAMES:
                patch.setattr(os, name, self._wrapped(name, getattr(os, name)))
            yield

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            number = len(self.names)
            self.names.append(name)
            if not self.fails(number):
                return function(*args, **kwargs)
            if self.late or name == "close":  # a failed close has closed all the same
                result = function(*args, **kwargs)
                if isinstance(result, io.IOBase):
                    result.close()
            raise self.error

        return call


def never(_: int) -> bool:
    return False


FAILURES: dict[str, tuple[BaseException, bool, bool]] = {
    # name: the error, whether all later calls fail too, whether the call takes effect
    "full": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), False, False),
    "still full": (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), True, False),
    "read-only": (OSError(errno.EROFS, os.strerror(errno.EROFS)), True, False),
    "broken": (OSError(errno.EIO, os.strerror(errno.EIO)), False, True),
    "interrupted": (KeyboardInterrupt(), False, True),
    "killed before": (PowerOff(), True, False),
    "killed after": (PowerOff(), True, True),
}


@pytest.mark.parametrize("behind", [False, True], ids=["whole", "LATEST behind"])
@pytest.mark.parametrize("earlier", [0, 2])
@pytest.mark.parametrize("failure", FAILURES)
def test_a_failure_at_any_call_leaves_all_or_nothing(
    tmp_path: Path, failure: str, earlier: int, behind: bool
) -> None:
    error, lasting, late = FAILURES[failure]
    template = Journal(tmp_path / "template")
    template.folder.mkdir()
    append(template, *range(earlier))
    if behind:
        fall_behind(template)
    before = contents(template.folder)
    whole, names = probed(template, tmp_path / "probe")

    outcomes = set()
    for at, name in enumerate(names):
        journal = Journal(tmp_path / str(at))
        shutil.copytree(template.folder, journal.folder)
        calls = Calls(partial(operator.le if lasting else operator.eq, at), error, late=late)
        raised = failed_append(journal, calls)
        entries = set(contents(journal.folder).items())
        added = dict(entries).keys() - {LATEST} == whole.keys() - {LATEST}
        outcomes.add(added)
        assert {item for item in entries if item[0] != LATEST} == {
            item for item in (whole if added else before).items() if item[0] != LATEST
        }
        assert added or raised, f"call {at}, {name}, failed unheard"
        if isinstance(raised, CstoKgError):
            assert str(journal.folder) in str(raised)
            assert os.strerror(error.errno) in str(raised)  # type: ignore[attr-defined]
            told = "it counts if it is there" if added else "nothing was added|it counts if|verify"
            assert re.search(told, str(raised))
        if isinstance(error, OSError) and not lasting:
            assert added == (raised is None), f"call {at}, {name}"
            assert name in {"unlink", "open"} or not list(journal.folder.glob(".*.new"))
        assert journal.verify() == []
        assert len(journal.entries()) == earlier + behind + added
        [following] = append(journal, "next")
        assert journal.entries()[earlier + behind + added :] == [following]
        assert not list(journal.folder.glob(".*.new"))
        assert following.sha256 in (journal.folder / LATEST).read_text()
        assert journal.verify() == []
    assert outcomes == {True, False}


def fall_behind(journal: Journal) -> None:
    """Append as one who is killed just before ``LATEST`` is written."""
    latest = journal.folder / LATEST
    data = latest.read_bytes() if latest.exists() else None
    append(journal, "unheard")
    if data is None:
        latest.unlink()
    else:
        latest.write_bytes(data)


def probed(template: Journal, folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """What an append to a copy that nothing disturbs leaves, and the calls that it makes."""
    journal = Journal(folder)
    shutil.copytree(template.folder, folder)
    calls = Calls(never, PowerOff(), late=False)
    assert failed_append(journal, calls) is None
    assert {"open", "write", "fsync", "close", "link", "replace", "unlink"} <= set(calls.names)
    return contents(folder), calls.names


def failed_append(journal: Journal, calls: Calls) -> BaseException | None:
    with journal.lock():
        try:
            with calls.watched():
                journal.append(quads("new"))
        except (CstoKgError, KeyboardInterrupt, PowerOff) as error:
            return error
    return None


def test_an_entry_is_on_the_disk_before_it_has_its_name(journal: Journal) -> None:
    append(journal, "one")
    calls = Calls(never, PowerOff(), late=False)
    assert failed_append(journal, calls) is None
    order = [n for n in calls.names if n in {"write", "fsync", "link", "replace"}]
    assert order == ["write", "fsync", "write", "fsync", "link", "fsync", "replace", "fsync"]


def test_an_unconfirmed_entry_is_confirmed_before_another_follows(journal: Journal) -> None:
    append(journal, "one")
    fall_behind(journal)
    calls = Calls(never, PowerOff(), late=False)
    assert failed_append(journal, calls) is None
    order = [n for n in calls.names if n in {"write", "fsync", "link", "replace"}]
    assert order[:5] == ["fsync", "write", "fsync", "replace", "fsync"]
    assert len(journal.entries()) == 3


def test_a_name_that_is_taken_is_not_overwritten(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(journal, "one")
    link, taken = os.link, []

    def overtaken(source: Path, target: Path, **options: Any) -> None:
        taken.append(Path(target))
        Path(target).write_text("mine")
        link(source, target, **options)

    monkeypatch.setattr(os, "link", overtaken)
    with pytest.raises(CstoKgError, match=r"File exists: nothing was added"):
        append(journal, "two")
    assert taken[0].read_text() == "mine"
    assert [damage.number for damage in journal.verify()] == [2]


def test_writes_may_be_short(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:7]))
    [entry] = append(journal, "one")
    assert set(entry.quads()) == set(quads("one"))
    assert journal.verify() == []


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    run = partial(subprocess.run, capture_output=True, check=False)
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or run(mount).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def test_a_full_disk_is_reported_and_changes_nothing(disk: Path) -> None:
    journal = Journal(disk / "journal")
    append(journal, "one", "two")
    filler = disk / "filler"
    refused = 0
    for free in range(4):
        with filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(4096))
            except OSError:
                pass
        os.truncate(filler, filler.stat().st_size - 4096 * free)
        before = contents(journal.folder)
        try:
            append(journal, f"with {free} pages".replace(" ", "-"))
        except CstoKgError as error:
            refused += 1
            assert "No space left on device" in str(error)
            assert "nothing was added" in str(error)
            assert contents(journal.folder) == before
            assert not list(journal.folder.glob(".*.new"))
        assert journal.verify() == []
        filler.unlink()
    assert refused
    assert len(journal.entries()) == 2 + 4 - refused
    append(journal, "three")
    assert journal.verify() == []


def test_a_read_only_disk_is_reported_and_can_be_read(disk: Path) -> None:
    journal = Journal(disk / "journal")
    append(journal, "one")
    before = contents(journal.folder)
    with journal.lock():
        pass
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    with pytest.raises(CstoKgError, match="cannot be locked: Read-only file system"):
        append(journal, "two")
    assert len(journal.entries()) == 1
    assert journal.verify() == []
    other = Journal(disk / "other")
    with pytest.raises(CstoKgError, match="Read-only file system"):
        append(other, "one")
    assert not other.folder.exists()
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert contents(journal.folder) == before
    append(journal, "two")


# Damage


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    journal = Journal(tmp_path_factory.mktemp("sound") / "journal")
    append(journal, *"abcdefghijkl")
    return journal


@pytest.fixture
def copy(sound: Journal, tmp_path: Path) -> Journal:
    shutil.copytree(sound.folder, tmp_path / "copy")
    return Journal(tmp_path / "copy")


def spoiled(data: bytes, chance: random.Random) -> bytes:
    while True:
        start = chance.randrange(len(data))
        end = chance.randrange(start + 1, len(data) + 1)
        bit = bytes([data[start] ^ 1 << chance.randrange(8)])
        result = chance.choice([
            data[:start],
            data[:start] + bit + data[start + 1 :],
            data[:start] + bytes(end - start) + data[end:],
            data[:start] + data[end:],
            data + bytes(end - start),
        ])  # fmt: skip
        if result != data:
            return result


def test_every_spoiled_file_is_found_and_named(copy: Journal) -> None:
    chance = random.Random(7)
    entries = copy.entries()
    for turn in range(300):
        number = turn % (len(entries) + 1)
        path = entries[number - 1].path if number else copy.folder / LATEST
        data = path.read_bytes()
        path.write_bytes(spoiled(data, chance))
        [damage] = copy.verify()
        assert (damage.number, damage.path) == (number or None, path)
        with pytest.raises(CstoKgError, match=f"{path.name}.*csto-kg verify") as raised:
            copy.entries()
        assert not number or f"entry {number:06} " in str(raised.value)
        path.write_bytes(data)
        assert copy.verify() == []


def test_several_damages_are_all_found(copy: Journal) -> None:
    entries = copy.entries()
    for number in (2, 3, 9, 12):
        entries[number - 1].path.write_bytes(b"")
    entries[5].path.unlink()
    assert sorted(damage.number or 0 for damage in copy.verify()) == [2, 3, 6, 9, 12]


@pytest.mark.parametrize("number", range(1, 13))
def test_a_missing_entry_is_named(copy: Journal, number: int) -> None:
    copy.entries()[number - 1].path.unlink()
    [damage] = copy.verify()
    assert damage.number == number
    assert damage.reason == "is missing"
    with pytest.raises(CstoKgError, match=f"entry {number:06} is missing"):
        copy.entries()


def test_a_cut_off_tail_is_noticed(copy: Journal) -> None:
    for entry in copy.entries()[7:]:
        entry.path.unlink()
    [damage] = copy.verify()
    assert (damage.number, damage.reason) == (8, "is missing, and so are all up to 000012")
    with pytest.raises(CstoKgError, match="entry 000008 is missing"):
        append(copy, "on-top-of-the-gap")


def test_a_missing_or_old_latest_is_noticed(copy: Journal) -> None:
    latest = copy.folder / LATEST
    data = latest.read_bytes()
    latest.unlink()
    assert copy.verify() == [Damage(None, latest, "is missing")]
    with pytest.raises(CstoKgError, match="LATEST: is missing"):
        append(copy, "x")
    older = sorted(copy.folder.glob("0*"))[9]
    latest.write_text(f"{hashlib.sha256(older.read_bytes()).hexdigest()}  {older.name}\n")
    assert copy.verify() == [Damage(None, latest, "names entry 000010, but 000012 is the last")]
    latest.write_bytes(data)
    assert copy.verify() == []


def test_renamed_swapped_and_doubled_entries_are_named(copy: Journal) -> None:
    entries = copy.entries()
    third, fourth = entries[2].path, entries[3].path
    third.rename(copy.folder / fourth.name.replace("000004", "000013"))
    assert {damage.number for damage in copy.verify()} == {3, 13}
    (copy.folder / fourth.name.replace("000004", "000013")).rename(third)

    swapped = [
        third.with_name("000004" + third.name[6:]),
        fourth.with_name("000003" + fourth.name[6:]),
    ]
    third.rename(swapped[0])
    fourth.rename(swapped[1])
    assert {damage.number for damage in copy.verify()} >= {3, 4}
    swapped[0].rename(third)
    swapped[1].rename(fourth)

    double = third.with_name("000003-ffffffffffffffff.nq")
    shutil.copy(third, double)
    assert copy.verify() == [Damage(3, double, "is a second file for this entry")]
    with pytest.raises(CstoKgError, match="second file"):
        append(copy, "x")
    double.unlink()
    assert copy.verify() == []


def test_a_rewritten_entry_breaks_the_chain(copy: Journal) -> None:
    """Someone changes an entry and gives it the name that its new hash asks for."""
    for number in (1, 5, 12):
        entry = copy.entries()[number - 1]
        data = entry.path.read_bytes()
        new = data.replace(b' 0"', b' 9"')
        assert new != data
        renamed = copy.folder / f"{number:06}-{hashlib.sha256(new).hexdigest()[:16]}.nq"
        entry.path.unlink()
        renamed.write_bytes(new)
        [damage] = copy.verify()
        assert damage.number == (number + 1 if number < 12 else None)
        with pytest.raises(CstoKgError):
            copy.entries()
        renamed.unlink()
        entry.path.write_bytes(data)
        assert copy.verify() == []


def test_an_entry_under_another_number_is_named(journal: Journal) -> None:
    [entry] = append(journal, "one")
    for header in (b"entry 000002,", b"entry 1,", b"entry 000001;"):
        data = entry.path.read_bytes().replace(b"entry 000001,", header)
        sha256 = hashlib.sha256(data).hexdigest()
        path = journal.folder / f"000001-{sha256[:16]}.nq"
        entry.path.rename(journal.folder / ".aside")
        path.write_bytes(data)
        (journal.folder / LATEST).write_text(f"{sha256}  {path.name}\n")
        assert Damage(1, path, "is not that entry by its first line") in journal.verify()
        path.unlink()
        (journal.folder / ".aside").rename(entry.path)


def test_an_entry_that_is_not_rdf_is_named(journal: Journal) -> None:
    journal.folder.mkdir()
    for body in (b"<a", b"\xff\xfe\n", bytes(40), b"<http://a> <http://b> _:c .\n<"):
        data = f"# csto-kg journal 1, entry 000001, after sha256:{NOTHING}\n".encode() + body
        path = journal.folder / f"000001-{hashlib.sha256(data).hexdigest()[:16]}.nq"
        path.write_bytes(data)
        [damage] = journal.verify()
        assert damage.number == 1
        assert "not valid nquads" in damage.reason
        path.unlink()


def test_what_does_not_belong_is_reported_but_stops_nobody(copy: Journal) -> None:
    names = ["notes.txt", "000000-0123456789abcdef.nq", "0000001-0123456789abcdef.nq", ".hidden",
             "00001-0123456789abcdef.nq", "000001-0123456789ABCDEF.nq",
             "٠٠٠٠٠١-0123456789abcdef.nq",
             "000003-0123456789abcdef.nq.orig", "\udcff"]  # fmt: skip
    for name in names:
        (copy.folder / name).write_bytes(b"x")
    (copy.folder / "folder.nq").mkdir()
    (copy.folder / ".gitattributes").write_text("* -text\n")
    found = copy.verify()
    assert {damage.path.name for damage in found} == {*names, "folder.nq"}
    assert all(damage.number is None for damage in found)
    assert len(copy.entries()) == 12
    append(copy, "next")


def test_verify_never_raises(copy: Journal, tmp_path: Path) -> None:
    entries = copy.entries()
    for entry in entries[:5]:
        entry.path.unlink()
    entries[0].path.mkdir()
    entries[1].path.symlink_to("nowhere")
    entries[2].path.symlink_to(entries[2].path)
    os.mkfifo(entries[3].path)
    (copy.folder / ("9" * 200 + "-0123456789abcdef.nq")).write_bytes(b"x")
    (copy.folder / LATEST).unlink()
    (copy.folder / LATEST).mkdir()
    found = {damage.number for damage in copy.verify()}
    assert {1, 2, 3, 4, 5, int("9" * 200), None} <= found
    file = tmp_path / "file"
    file.write_text("x")
    [damage] = Journal(file).verify()
    assert damage.path == file
    for attempt in (Journal(file).entries, lambda: append(Journal(file), "x")):
        with pytest.raises(CstoKgError, match="Not a directory"):
            attempt()


def test_quads_of_a_file_changed_meanwhile_are_refused(copy: Journal) -> None:
    entry = copy.entries()[4]
    entry.path.write_bytes(entry.path.read_bytes().replace(b"e 1", b"e 7"))
    with pytest.raises(CstoKgError, match="entry 000005 was changed"):
        entry.quads()


# Round trip

NAMES = st.text("abcæж٣漢", min_size=1, max_size=4).map(lambda s: NamedNode(f"{ID}fact/{s}"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
LITERALS = st.one_of(
    TEXTS.map(Literal),
    st.builds(lambda s, tag: Literal(s, language=tag), TEXTS, st.sampled_from(["ar", "en-GB"])),
    st.builds(lambda s, kind: Literal(s, datatype=kind), TEXTS, NAMES),
    st.sampled_from(["007", "1.50", "+1"]).map(
        lambda s: Literal(s, datatype=NamedNode("http://www.w3.org/2001/XMLSchema#decimal"))
    ),
)
GRAPHS = st.one_of(NAMES, st.just(DefaultGraph()))
QUADS = st.lists(st.builds(Quad, NAMES, NAMES, st.one_of(NAMES, LITERALS), GRAPHS), max_size=12)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), submitted=QUADS)
def test_what_goes_in_comes_out_and_order_is_no_matter(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, submitted: list[Quad]
) -> None:
    folder = tmp_path_factory.mktemp("round")
    shuffled = data.draw(st.permutations(submitted))
    one, other = Journal(folder / "one"), Journal(folder / "other")
    with one.lock(), other.lock():
        one.append(submitted)
        other.append(iter([*shuffled, *submitted[:2]]))
        one.append(shuffled)
        other.append(submitted)
    assert contents(one.folder) == contents(other.folder)
    assert [set(entry.quads()) for entry in one.entries()] == [set(submitted)] * 2
    assert one.verify() == other.verify() == []
