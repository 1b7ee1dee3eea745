"""The documentation that is made from the code says what the code says."""

import re
from pathlib import Path

import pytest

from pipeline.choices import PACKAGES
from pipeline.exports.input_docs import markdown
from pipeline.exports.input_words import csv_name
from pipeline.exports.layout_faults import FIELDS
from pipeline.exports.layouts import Unready, layout_of
from schemas import INPUTS, Practice
from schemas.columns import Schema, columns, title_of

DOCS = Path(__file__).parent.parent / "docs"


def test_the_page_of_input_files_is_current() -> None:
    page = (DOCS / "input-files.md").read_text(encoding="utf-8")
    again = "python -m pipeline.exports.input_docs > docs/input-files.md"
    assert page == markdown(), f"write it again: {again}"


@pytest.mark.parametrize("schema", INPUTS, ids=title_of)
def test_the_page_names_every_column_of_the_sheet(schema: Schema) -> None:
    section = markdown().partition(f"\n### {title_of(schema)}\n")[2]
    section = section.partition("\n### ")[0]
    assert f"`{csv_name(schema)}`" in section
    for column in columns(schema):
        required = "yes" if column.required else ""
        assert f"| {column.title} | {required} | " in section


def test_the_page_names_every_setting_with_its_default() -> None:
    for setting in columns(Practice):
        default = f"`{setting.default}`" if setting.default else ""
        needed = "yes" if setting.required and not setting.default else ""
        assert f"| {setting.title} | {needed} | {default} | " in markdown()


def test_the_page_says_what_holds_a_row() -> None:
    assert "- the End date is before the Start date\n" in markdown()
    assert "- Valid to is before Valid from\n" in markdown()
    assert "- the same Product code and Effective from stands in" in markdown()
    assert "{" not in markdown()


def test_the_page_for_accountants_names_every_target_and_field() -> None:
    page = (DOCS / "for-accountants.md").read_text(encoding="utf-8")
    assert all(f"| `{target}` |" in page for target in PACKAGES)
    assert [
        field for of in FIELDS.values() for field in of if f"`{field}`" not in page
    ] == []


def test_the_examples_of_the_page_for_accountants_can_be_used(tmp_path: Path) -> None:
    page = (DOCS / "for-accountants.md").read_text(encoding="utf-8")
    first, columns = re.findall(r"```toml\n(.*?)```", page, flags=re.DOTALL)
    (tmp_path / "accounting.toml").write_text(first, encoding="utf-8")
    layouts = {target: layout_of(target, tmp_path) for target in PACKAGES}
    assert layouts["xero"].headings[0] == "*Contact"
    (tmp_path / "accounting.toml").write_text(columns, encoding="utf-8")
    with pytest.raises(Unready) as refused:
        layout_of("sage50", tmp_path)
    found = [problem.found for problem in refused.value.problems]
    assert found and all("no column has the field" in text for text in found)
