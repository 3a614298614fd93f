"""Every command in the README and the docs is run, and what the README shows is what comes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# The two commands of the README that set up an environment are run by .ci/run.
BLOCK = re.compile(r"(?<!<!-- run -->\n)(?<!<!-- test -->\n)```(sh|python)\n(.*?)```", re.DOTALL)
SHOWN = re.compile(r"<!-- output (\d+) -->\n```\n\$ (.*?)\n(.*?)```", re.DOTALL)


def blocks(language: str) -> list[object]:
    return [
        pytest.param(command, id=f"{page.name}:{command[:60]}")
        for page in PAGES
        for kind, block in BLOCK.findall(page.read_text("utf-8"))
        if kind == language
        for command in ([block] if language == "python" else block.splitlines())
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a copy of the data, and a text to cite."""
    path = tmp_path_factory.mktemp("docs")
    shutil.copytree(ROOT / "data", path / "data")
    (path / "article.txt").write_text("The treaty was signed in Tashkent.\n", "utf-8")
    second = ROOT / "tests" / "second"
    shutil.copy(second / "invented-report-en.yaml", path / "new-facts.yaml")
    shutil.copy(second / "report.en.txt", path / "report.txt")
    page = (ROOT / "docs" / "import.md").read_text("utf-8")
    for ending in ("csv", "yaml"):
        [example] = re.findall(rf"```{ending}\n(.*?)```", page, re.DOTALL)
        (path / f"leagues.{ending}").write_text(example, "utf-8")
    return path


def run(command: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command],
        cwd=folder,
        env={**os.environ, "PATH": path, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", blocks("sh"))
def test_a_command_of_the_docs_works(command: str, folder: Path) -> None:
    result = run(command, folder)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("code", blocks("python"))
def test_code_of_the_docs_works(code: str, folder: Path) -> None:
    (folder / "code.py").write_text(code, "utf-8")
    assert run("python code.py", folder).stdout


@pytest.mark.parametrize("columns, command, shown", SHOWN.findall(PAGES[0].read_text("utf-8")))
def test_what_is_shown_is_what_comes(columns: str, command: str, shown: str, folder: Path) -> None:
    result = run(f"{command} --format table", folder, COLUMNS=columns)
    lines = [line.rstrip() for line in result.stdout.splitlines()]
    assert "\n".join(lines).strip("\n") == shown.strip("\n")


def test_there_is_something_to_test() -> None:
    assert len(blocks("sh")) > 15
    assert len(SHOWN.findall(PAGES[0].read_text("utf-8"))) == 2


def test_the_yaml_example_of_the_docs_builds(folder: Path) -> None:
    page = (ROOT / "docs" / "sheets.md").read_text("utf-8")
    [example] = re.findall(r"```yaml\n(.*?)```", page, re.DOTALL)
    (folder / "data" / "sheets" / "example.yaml").write_text(example, "utf-8")
    result = run("csto-kg validate data/sheets/example.yaml", folder)
    assert result.returncode == 0, result.stdout + result.stderr
