"""The README and the pages of docs say what is there: commands, modules, links, output."""

import re
from pathlib import Path

import click
import pytest

from pipeline import __main__ as program
from pipeline.commands import saying
from pipeline.transform import sql_of
from sample_data.practice import AS_OF
from schemas.columns import name_of
from schemas.models import MODELS
from tests.practice import Result

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = ("README.md", "CHANGELOG.md", "sample_data/README.md") + tuple(
    str(page.relative_to(ROOT)) for page in sorted((ROOT / "docs").glob("*.md"))
)
LARGEST_PICTURE = 150_000


def table(heading: str, number: int = 1) -> list[list[str]]:
    """The rows of the n-th table below a heading of the README, headings left out."""
    section = README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    blocks = re.findall(r"(?:^\|.*\n)+", section, flags=re.MULTILINE)
    rows = blocks[number - 1].replace("\\|", "or").splitlines()[2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def code(page: str) -> str:
    """What a page shows as code, blocks and words alike."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return "\n".join(re.findall(r"```.*?```|`[^`\n]+`", text, flags=re.DOTALL))


def make_targets() -> set[str]:
    """The targets of the Makefile that have a description."""
    lines = (ROOT / "Makefile").read_text(encoding="utf-8")
    return set(re.findall(r"^([a-z-]+):.*## ", lines, flags=re.MULTILINE))


def test_the_readme_lists_every_command_and_no_other() -> None:
    listed = [re.findall(r"membill ([a-z]+)", row[0])[0] for row in table("Commands")]
    assert sorted(listed) == sorted(program.cli.commands)


@pytest.mark.parametrize("row", table("Commands"), ids=lambda row: row[0].split()[1])
def test_a_command_takes_what_the_readme_says(row: list[str]) -> None:
    command = program.cli.commands[row[0].split()[1]]
    if isinstance(command, click.Group):
        command = command.commands[row[0].split()[2]]
    known = {name for parameter in command.params for name in parameter.opts}
    assert set(re.findall(r"--[a-z-]+", row[0])) <= known
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    # Where a command works on a practice, its folder comes first.
    first = next((word for word in ("FOLDER", "ROOT") if word in row[0]), "FILE")
    assert arguments[0].name == first.lower()


def test_the_readme_lists_every_make_target_and_no_other() -> None:
    listed = {
        target
        for row in table("Commands", 2)
        for target in re.findall(r"`make ([a-z-]+)`", row[0])
    }
    assert listed == make_targets()


@pytest.mark.parametrize("page", PAGES)
def test_every_command_a_page_shows_exists(page: str) -> None:
    shown = code(page)
    assert set(re.findall(r"(?<![\w.-])make ([a-z-]+)", shown)) <= make_targets()
    called = set(re.findall(r"membill(?:\.exe)? ([a-z]+) ", shown))
    assert called <= set(program.cli.commands)


def test_the_readme_lists_the_exit_codes_of_the_program() -> None:
    words = {int(row[0]): row[1] for row in table("Commands", 3)}
    assert sorted(words) == [0, 1, 2, 3, 4, 5]
    assert "fault" in words[saying.CRASHED]
    assert "held" in words[saying.HELD]
    assert "refused" in words[saying.REFUSED]
    assert "another run" in words[saying.BUSY]


@pytest.mark.parametrize(
    "module", [row[1].strip("`") for row in table("How a night goes")]
)
def test_the_flow_of_the_night_names_modules_that_exist(module: str) -> None:
    assert (ROOT / module).is_file()


def test_the_readme_lists_every_billing_rule_in_its_order() -> None:
    listed = [row[1].strip("`") for row in table("How a night goes", 2)]
    rules = [f"pipeline/models/{name_of(schema)}.sql" for schema in MODELS]
    assert sorted(listed) == sorted(rules)
    assert all(sql_of(schema) for schema in MODELS)


@pytest.mark.parametrize("page", PAGES)
def test_every_path_of_the_repository_a_page_names_exists(page: str) -> None:
    folders = "pipeline|schemas|docs|benchmarks|sample_data|tests"
    named = re.findall(rf"(?<![\w./])((?:{folders})/[\w./-]*)", code(page))
    missing = [
        path
        for path in named
        if "/out/" not in path and "YYYY" not in path and not (ROOT / path).exists()
    ]
    assert not missing


@pytest.mark.parametrize("page", PAGES)
def test_every_relative_link_of_a_page_leads_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in link]
    here = (ROOT / page).parent
    missing = [link for link in links if not (here / link.partition("#")[0]).exists()]
    assert not missing


@pytest.mark.parametrize(
    "picture", sorted((ROOT / "docs" / "images").glob("*.png")), ids=lambda p: p.name
)
def test_a_picture_is_small_and_shown_somewhere(picture: Path) -> None:
    assert picture.stat().st_size < LARGEST_PICTURE
    pages = [(ROOT / page).read_text(encoding="utf-8") for page in PAGES]
    assert any(f"images/{picture.name})" in page for page in pages)


def test_the_readme_shows_what_make_bill_prints(
    sample_night: tuple[Path, Result],
) -> None:
    folder, night = sample_night
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert re.findall(r"AS_OF \?= ([0-9-]+)", makefile) == [str(AS_OF)]
    printed = night.out.replace(str(folder), "sample_data")
    shown = README.partition("<!-- what make bill prints -->\n```\n")[2]
    assert _lines(printed) == _lines(shown.partition("```")[0])


def _lines(text: str) -> list[str]:
    """To the chain head: the same sheets, day and program come to the same books."""
    return [line.rstrip() for line in text.split("\n")]
