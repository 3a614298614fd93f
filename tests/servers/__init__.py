"""Real triple stores on loopback, each in a folder of its own that is thrown away.

A test that takes one of the fixtures is skipped where the store's program is not installed.
What each store needs to be told, and how, is in the fixture; what it does differently from the
others is for the client of stores to know.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator, Sequence
from configparser import ConfigParser
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest

_HERE = Path(__file__).parent
_JAVA = Path("/usr/share/java")
_PATIENCE = 60.0


@dataclass(frozen=True)
class Endpoint:
    """A running store: the addresses of its three SPARQL 1.1 services, and who may write."""

    name: str
    query: str
    update: str
    graph_store: str
    credentials: tuple[str, str] | None = None
    #: How the credentials are proved: ``basic`` or ``digest``.
    authentication: str | None = None
    #: The number of its process.
    process: int = 0


@pytest.fixture(scope="session")
def oxigraph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with run_oxigraph(tmp_path_factory.mktemp("oxigraph")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def second_oxigraph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    """Another Oxigraph, for what needs two: federation and replicas."""
    with run_oxigraph(tmp_path_factory.mktemp("oxigraph"), "second-oxigraph") as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def virtuoso(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with run_virtuoso(tmp_path_factory.mktemp("virtuoso")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def jena(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Endpoint]:
    with run_jena(tmp_path_factory.mktemp("jena")) as endpoint:
        yield endpoint


@pytest.fixture(scope="session")
def replicas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replicas]:
    with run_replicas(tmp_path_factory.mktemp("replicas")) as running:
        yield running


@pytest.fixture(scope="session", params=["oxigraph", "virtuoso", "jena"])
def endpoint(request: pytest.FixtureRequest) -> Endpoint:
    """Each of the independent stores in turn."""
    running = request.getfixturevalue(request.param)
    assert isinstance(running, Endpoint)
    return running


@contextmanager
def run_oxigraph(folder: Path, name: str = "oxigraph", serve: str = "serve") -> Iterator[Endpoint]:
    """Run Oxigraph's own server: reading and writing are open to all who reach it.

    The store is the folder ``db`` below; ``serve`` may be ``serve-read-only``.
    """
    program = _program("oxigraph", Path(sys.executable).parent)
    port = _free_port()
    command = [program, serve, "--location", folder / "db", "--bind", f"127.0.0.1:{port}"]
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder, f"{url}/query") as process:
        yield Endpoint(name, f"{url}/query", f"{url}/update", f"{url}/store", process=process)


@contextmanager
def run_virtuoso(
    folder: Path, buffers: int = 10_000, rows: int = 10_000, seconds: int = 60
) -> Iterator[Endpoint]:
    """Run Virtuoso: reading is open; the ``-auth`` services take writes by HTTP digest.

    A buffer is 8 KiB of memory; an answer has so many ``rows`` and takes so many ``seconds`` at
    most.
    """
    program = _program("virtuoso-t")
    http, sql = _free_port(), _free_port()
    settings = Template((_HERE / "virtuoso.ini").read_text()).substitute(
        http=http, sql=sql, buffers=buffers, dirty=buffers * 3 // 4, rows=rows, seconds=seconds
    )
    (folder / "virtuoso.ini").write_text(settings)
    url = f"http://127.0.0.1:{http}"
    command = [program, "-f", "-c", folder / "virtuoso.ini"]
    with _running(command, folder, f"{url}/sparql") as process:
        yield Endpoint(
            "virtuoso", f"{url}/sparql", f"{url}/sparql-auth", f"{url}/sparql-graph-crud-auth",
            ("dba", "dba"), "digest", process,
        )  # fmt: skip


def sql_port(folder: Path) -> str:
    """Return where a Virtuoso that runs in a folder takes SQL."""
    settings = ConfigParser()
    settings.read(folder / "virtuoso.ini")
    return settings["Parameters"]["ServerPort"].rpartition(":")[2]


@contextmanager
def run_jena(folder: Path, store: Path | None = None, heap: str = "512m") -> Iterator[Endpoint]:
    """Run Apache Jena behind the server of this folder: writes need HTTP basic.

    It is in memory, or reads and writes the TDB2 ``store``.
    """
    port = _free_port()
    server = [str(_HERE / "JenaServer.java"), str(port), "admin", "secret"]
    command = [*jena_command(folder, heap), *server, *([str(store)] if store else [])]
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder, f"{url}/query") as process:
        yield Endpoint(
            "jena", f"{url}/query", f"{url}/update", f"{url}/data", ("admin", "secret"), "basic",
            process,
        )  # fmt: skip


def jena_command(folder: Path, heap: str) -> list[str]:
    """Return how Java is called with Apache Jena; what it needs besides comes into a folder."""
    _program("javac")  # Java runs a program from its source only where it can compile.
    java, core = _program("java"), _JAVA / "jena-core.jar"
    if not core.exists() or not (_JAVA / "jena-tdb2.jar").exists():
        pytest.skip("Apache Jena's jar files are not installed")
    # Debian moved these files inside the jar, away from where the classes look for them.
    with zipfile.ZipFile(core) as jar:
        for name in jar.namelist():
            if name.startswith(moved := "org/apache/jena/ext/") and name.endswith(".properties"):
                resource = folder / "resources" / name.removeprefix(moved)
                resource.parent.mkdir(parents=True, exist_ok=True)
                resource.write_bytes(jar.read(name))
    # Two of these bring the same classes, and refuse to start together.
    jars = [str(jar) for jar in _JAVA.glob("*.jar") if not jar.name.startswith("log4j-over-slf4j")]
    return [
        str(java), "-Dsun.net.httpserver.nodelay=true", f"-Xmx{heap}",
        "-XX:+ExitOnOutOfMemoryError", "-cp", os.pathsep.join([str(folder / "resources"), *jars]),
    ]  # fmt: skip


@dataclass(frozen=True)
class Replicas:
    """Two Oxigraph servers, and the front that spreads reading over them."""

    front: Endpoint
    servers: tuple[Endpoint, Endpoint]


@contextmanager
def run_replicas(folder: Path) -> Iterator[Replicas]:
    """Run nginx before two Oxigraph servers."""
    with ExitStack() as stack:
        servers = []
        for name in ("one", "two"):
            (folder / name).mkdir()
            servers.append(stack.enter_context(run_oxigraph(folder / name, name)))
        front = stack.enter_context(run_front(folder, servers[0], servers[1]))
        yield Replicas(front, (servers[0], servers[1]))


@contextmanager
def run_front(folder: Path, one: Endpoint, two: Endpoint) -> Iterator[Endpoint]:
    """Run nginx before two servers: queries go to either, writes are refused."""
    program = _program("nginx", Path("/usr/sbin"))
    port = _free_port()
    settings = Template((_HERE / "nginx.conf").read_text()).substitute(
        port=port, folder=folder, one=one.query.split("/")[2], two=two.query.split("/")[2]
    )
    (folder / "nginx.conf").write_text(settings)
    command = [program, "-p", folder, "-e", "nginx.log", "-c", "nginx.conf"]
    url = f"http://127.0.0.1:{port}"
    with _running(command, folder, f"{url}/query") as process:
        yield Endpoint("nginx", f"{url}/query", f"{url}/update", f"{url}/store", process=process)


def unused() -> Endpoint:
    """Return addresses at which nothing answers."""
    url = f"http://127.0.0.1:{_free_port()}"
    return Endpoint("unused", f"{url}/query", f"{url}/update", f"{url}/store")


def _program(name: str, *folders: Path) -> Path:
    path = os.pathsep.join([*map(str, folders), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"{name} is not installed")
    return Path(found)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    assert isinstance(port, int)
    return port


@contextmanager
def _running(command: Sequence[object], folder: Path, query: str) -> Iterator[int]:
    """Run a server until the block ends, and give its number; it is up when it answers a query."""
    log = folder / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command], cwd=folder, stdin=subprocess.DEVNULL,
            stdout=output, stderr=output, start_new_session=True,
        )  # fmt: skip
    try:
        deadline = time.monotonic() + _PATIENCE
        while not _answers(query):
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"{command[0]} did not start: {log.read_text(errors='replace')}")
            time.sleep(0.1)
        yield process.pid
    finally:
        # The process leads a group of its own: workers that it started go with it.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _answers(query: str) -> bool:
    try:
        with urllib.request.urlopen(f"{query}?query=ASK%7B%7D", timeout=5) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False
