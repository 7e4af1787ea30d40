"""The page on the architecture describes the folders and layers that there are."""

import re

from test_architecture import HOUSE, LAYERS

PAGE = (HOUSE.parent / "docs" / "development" / "architecture.md").read_text(encoding="utf-8")


def test_the_layers_are_those_that_hold():
    rows = re.findall(r"^\| \d+ \| (.*) \|$", PAGE, re.MULTILINE)
    assert [set(re.findall(r"`(\w+)`", row)) for row in reversed(rows)] == LAYERS


def test_every_folder_is_described():
    described = set(re.findall(r"^`(\w+)(?:/|\.py)`\n:", PAGE, re.MULTILINE))
    assert described == {name for layer in LAYERS for name in layer}


def test_files_that_it_names_exist():
    named = re.findall(r"`((?:losscli|tests|docs)/[\w./]+)`", PAGE)
    assert [path for path in named if not (HOUSE.parent / path).exists()] == []
