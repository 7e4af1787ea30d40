"""The generated reference is whole: a page for each loss, and every option of every command."""

from __future__ import annotations

import re
from pathlib import Path

import losscli_docs
import pytest
from losscli_docs import losses, options

from losscli.catalog import registry
from losscli.cli.parser import COMMANDS
from losscli.plan.options import options_of

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGES = losses.pages()


def test_each_loss_has_a_page():
    assert PAGES.keys() == {"index.md", *(f"{entry.name}.md" for entry in registry.list_losses())}


def test_a_page_has_names_parameters_and_source():
    for entry in registry.list_losses():
        page = PAGES[f"{entry.name}.md"]
        words = (*entry.aliases, *(param.name for param in entry.params))
        assert [word for word in words if f"`{word}`" not in page] == [], entry.name
        assert f"def {entry.function.__name__}(" in page, entry.name


def test_the_index_links_every_page():
    links = re.findall(r"\]\((\w+\.md)\)", PAGES["index.md"])
    assert sorted(links) == sorted(PAGES.keys() - {"index.md"})


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_is_in_the_table(command):
    shown = {option.name for option, commands in options.options_table() if command in commands}
    assert shown == {option.name for option in options_of(command) if not option.argument}


def test_pages_include_every_fragment(tmp_path):
    (tmp_path / "reference").mkdir()
    losscli_docs.write(tmp_path)
    written = {path.name for path in (tmp_path / "_generated").iterdir()}
    texts = (path.read_text(encoding="utf-8") for path in (DOCS / "reference").glob("*.md"))
    assert {name for text in texts for name in re.findall(r"\.\./_generated/([\w.-]+)", text)} == written


def test_pages_that_nothing_generates_any_more_are_removed(tmp_path):
    (tmp_path / "reference" / "losses").mkdir(parents=True)
    old = tmp_path / "reference" / "losses" / "old_loss.md"
    old.write_text("# old_loss\n")
    losscli_docs.write(tmp_path)
    assert not old.exists()
