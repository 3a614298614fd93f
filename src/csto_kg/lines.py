"""Lines in the order of their bytes, each once, however many there are.

What fits is sorted in memory; more goes through the ``sort`` of the operating system (POSIX.1-2017,
https://pubs.opengroup.org/onlinepubs/9699919799/utilities/sort.html), which merges from disk.
"""

from __future__ import annotations

import io
import os
import subprocess
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from csto_kg.errors import CstoKgError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer, WriteableBuffer

# Bytes that are held before `sort` takes over, and its own buffer.
_HELD = 8 << 20
_BUFFER = "256M"


class SortedLines(io.RawIOBase):
    """A binary file to write lines to in any order, and to read them from sorted.

    Lines may be written in pieces. Writing and reading raise :class:`CstoKgError` when ``sort`` is
    not there or has no room on its disk; ``TMPDIR`` says where that is.
    """

    def __init__(self) -> None:
        """Begin without any lines."""
        super().__init__()
        self._held: list[bytes] = []
        self._size = 0
        self._sort: subprocess.Popen[bytes] | None = None

    def writable(self) -> bool:
        """Whether it can be written to: yes."""
        return True

    def write(self, piece: ReadableBuffer) -> int:
        """Take some more bytes; together they must be whole lines."""
        data = bytes(piece)
        if self._sort is not None:
            self._feed(data)
        else:
            self._held.append(data)
            self._size += len(data)
            if self._size > _HELD:
                self._sort = _started()
                self._feed(b"".join(self._held))
                self._held.clear()
        return len(data)

    def ordered(self) -> Iterator[bytes]:
        """Yield the lines in order; nothing can be written afterwards."""
        if self._sort is None:
            whole = b"".join(self._held).split(b"\n")[:-1]
            yield from (line + b"\n" for line in sorted(set(whole)))
            return
        assert self._sort.stdin and self._sort.stdout
        try:
            self._sort.stdin.close()
        except BrokenPipeError:
            raise self._failed() from None
        yield from self._sort.stdout
        if self._sort.wait():
            raise self._failed()

    def close(self) -> None:
        """Let go of the lines."""
        if self._sort is not None and self._sort.poll() is None:
            self._sort.kill()
        if self._sort is not None:
            for pipe in (self._sort.stdin, self._sort.stdout, self._sort.stderr):
                assert pipe
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue
            self._sort.wait()
            self._sort = None
        self._held.clear()
        super().close()

    def _feed(self, data: bytes) -> None:
        assert self._sort and self._sort.stdin
        try:
            self._sort.stdin.write(data)
        except BrokenPipeError:
            raise self._failed() from None

    def _failed(self) -> CstoKgError:
        assert self._sort and self._sort.stderr
        said = self._sort.stderr.read().decode(errors="replace").strip()
        return CstoKgError(f"{said or 'sort failed'}: make room, or set TMPDIR to another disk")


class Reader(io.RawIOBase):
    """A binary file to read blocks of bytes from as they come."""

    def __init__(self, blocks: Iterable[bytes]) -> None:
        """Take the blocks; they are asked for one by one."""
        super().__init__()
        self._blocks = iter(blocks)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        """Whether it can be read from: yes."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Fill a buffer with what comes next; returns how many bytes, 0 at the end."""
        while not self._left:
            block = next(self._blocks, None)
            if block is None:
                return 0
            self._left = memoryview(block)
        into = memoryview(buffer).cast("B")
        number = min(len(into), len(self._left))
        into[:number] = self._left[:number]
        self._left = self._left[number:]
        return number


def _started() -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            ["sort", "-u", "-S", _BUFFER], env={**os.environ, "LC_ALL": "C"},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
    except OSError:
        raise CstoKgError("so much is sorted by the program sort, which is not here") from None
