"""Pages as a reader of their markup sees them, and reports with every chart to make pages of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise

from losscli.report.charts import KINDS, Chart, Column
from losscli.report.model import Report

VOID = frozenset(("meta", "input", "br", "path", "rect", "line", "circle"))
"""Elements without an end, or which SVG may end at once."""


class Element:
    """An element with its attributes, its text and what is in it."""

    def __init__(self, tag: str, attributes: dict[str, str | None]) -> None:
        self.tag, self.attributes = tag, attributes
        self.children: list[Element] = []
        self.words: list[str] = []

    @property
    def text(self) -> str:
        return " ".join([*self.words, *(child.text for child in self.children)]).strip()

    def all(self, *tags: str) -> Iterator[Element]:
        for child in self.children:
            if child.tag in tags or not tags:
                yield child
            yield from child.all(*tags)


class _Parser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Element("", {})
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = Element(tag, dict(attrs))
        self.open[-1].children.append(found)
        if tag not in VOID or (self.get_starttag_text() or "").startswith(("<path", "<rect")):
            self.open.append(found)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open[-1].children.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> ends <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.open[-1].words.append(data.strip())


def parsed(page: str) -> Element:
    """The page as elements, each ended where it should be."""
    parser = _Parser()
    parser.feed(page)
    parser.close()
    assert len(parser.open) == 1, f"<{parser.open[-1].tag}> is not ended"
    return parser.root


def assert_sound(page: str) -> None:
    """Assert what holds for every page: headings, names, ids, and that it fetches nothing."""
    root = parsed(page)
    levels = [int(each.tag[1]) for each in root.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    assert all(each.text for each in root.all("h1", "h2", "h3", "h4", "summary", "title", "a"))
    assert len(list(root.all("main"))) == len(list(root.all("nav"))) == len(list(root.all("header"))) == 1
    ids = Counter(each.attributes["id"] for each in root.all() if "id" in each.attributes)
    assert set(ids.values()) <= {1}, ids.most_common(3)
    for each in root.all():
        assert not each.attributes.keys() & {"src", "srcset", "action", "style"}, each.attributes
        assert not [name for name in each.attributes if name.startswith("on")], each.attributes
        references = [each.attributes.get(name) for name in ("aria-labelledby", "aria-describedby")]
        assert {reference for reference in references if reference} <= set(ids)
        assert each.tag != "a" or str(each.attributes["href"]).removeprefix("#") in ids
    for table in root.all("table"):
        headers = list(table.all("th"))
        assert headers
        assert all(header.attributes.get("scope") in ("col", "row") for header in headers)
    for svg in root.all("svg"):
        assert svg.attributes["role"] == "img"
        assert svg.attributes["aria-labelledby"]
        assert next(svg.all("desc")).text
    assert len(list(root.all("script"))) == len(list(root.all("style"))) == 1


def charts() -> Iterator[Chart]:
    """One chart of each kind with plausible numbers."""
    for name, kind in KINDS.items():
        columns = {column.name: [_value(column, place) for place in range(8)] for column in kind.columns}
        yield Chart(name=name, loss="mae", columns=columns)


def _value(column: Column, place: int) -> int | float | str:
    if column.is_text:
        return ("a", "b", "c", "d", "e")[place % 4 if column.name == "actual" else place % 5]
    if column.name == "rows":
        return 10 + place
    shift = {"_low": 0.0, "high": 1.0}.get(column.name[-4:], 0.5)
    return (place + shift) / 8


def with_charts(report: Report) -> Report:
    """The report with a chart of each kind."""
    from msgspec.structs import replace

    return replace(report, charts=tuple(charts()))
