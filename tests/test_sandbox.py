"""What judging may cost, what a judge may do, and submitters that come all at once."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import csto_kg
from csto_kg.home import Home
from csto_kg.submissions import Submissions

from .conftest import ROOT, Run

SHEET = ROOT / "tests" / "second" / "invented-report-en.yaml"
SUBMITTERS = int(os.environ.get("CSTO_KG_SUBMITTERS", "4"))
EACH = int(os.environ.get("CSTO_KG_SUBMISSIONS", "2"))
COMMAND = Path(sys.executable).parent / "csto-kg"


def judge(code: str) -> subprocess.CompletedProcess[str]:
    """Run what a judge might do once its limits are set."""
    prepared = (
        "import socket, subprocess, sys\n"
        "from csto_kg import sandbox\n"
        "sandbox.SECONDS, sandbox.MEMORY = 1, 64 << 20\n"
        "sandbox._limit(1); sandbox._close_doors()\n"
    )
    return subprocess.run(
        [sys.executable, "-c", prepared + code], capture_output=True, text=True, check=False
    )


def test_a_judge_that_takes_too_long_is_ended_by_the_kernel() -> None:
    assert judge("while True: pass").returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_judge_that_takes_too_much_memory_is_refused_it() -> None:
    assert "MemoryError" in judge("bytearray(128 << 20)").stderr
    assert judge("bytearray(16 << 20)").returncode == 0


@pytest.mark.parametrize(
    "code",
    [
        "socket.create_connection(('127.0.0.1', 9))",
        "socket.getaddrinfo('localhost', 80)",
        "subprocess.run(['true'])",
        "open('written', 'w')",
        "open('written', 'ab')",
        "import os; os.system('true')",
        "import os; os.fork()",
    ],
)
def test_a_judge_that_reaches_out_is_stopped(code: str, tmp_path: Path) -> None:
    refused = judge(f"import os; os.chdir({str(tmp_path)!r})\n{code}")
    assert "PermissionError" in refused.stderr
    assert not list(tmp_path.iterdir())


# -- All at once -------------------------------------------------------------------


def spelled(number: int) -> str:
    """The invented report as another source would have it."""
    text = SHEET.read_text("utf-8").replace("invented-report-en", f"invented-report-{number}")
    return text.replace("inven-", f"inven{number}-")


def test_submitters_queue_and_none_is_turned_away(tmp_path: Path) -> None:
    home = Home.init(tmp_path / "ours")
    loops = []
    for submitter in range(SUBMITTERS):
        commands = []
        for each in range(EACH):
            sheet = tmp_path / f"{submitter}-{each}.yaml"
            sheet.write_text(spelled(submitter * EACH + each), "utf-8")
            commands.append(
                f"{COMMAND} submit {sheet} --store {home.folder} --yes --by {submitter}"
            )
        loops.append(
            subprocess.Popen(["sh", "-ec", "\n".join(commands)], stderr=subprocess.PIPE, text=True)
        )
    said = [process.communicate()[1] for process in loops]
    assert [process.returncode for process in loops] == [0] * SUBMITTERS, said
    submissions = Submissions(home.folder)
    listed = submissions.listed()
    assert len(listed) == SUBMITTERS * EACH
    assert {one.by for one in listed} == {str(n) for n in range(SUBMITTERS)}
    assert len({one.file for one in listed}) == SUBMITTERS * EACH
    sources = {str(row.source) for row in csto_kg.open(home.folder).run("sources")}
    told = {f"https://w3id.org/csto-kg/id/source/invented-report-{n}" for n in range(len(listed))}
    assert told <= sources
    assert submissions.verify() == []


# -- Disks ---------------------------------------------------------------------------


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 96 KiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False).returncode:
        pytest.skip("mounting a small file system is not permitted here")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def test_a_full_or_read_only_disk_is_reported_and_nothing_is_accepted(
    disk: Path, csto: Run
) -> None:
    home = Home.init(disk / "ours")
    store = ("--store", str(home.folder), "--yes")
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(4096))
        except OSError:
            pass
    before = files(home.folder)
    refused = csto("submit", str(SHEET), *store)
    assert refused.returncode == 2
    assert "No space left on device" in refused.stderr
    assert "nothing was added" in refused.stderr
    assert files(home.folder) == before
    filler.unlink()

    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    refused = csto("submit", str(SHEET), *store)
    assert refused.returncode == 2
    assert "Read-only file system" in refused.stderr
    subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
    assert files(home.folder) == before

    assert csto("submit", str(SHEET), *store).returncode == 0
    assert csto("verify", "--store", str(home.folder)).returncode == 0
