"""A page is sound, small and whole: headings, names, ids, nothing fetched, text from files only as text."""

import importlib.util
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest
from msgspec.structs import replace
from support.needs import needed
from support.pages import assert_sound, parsed, with_charts

from losscli import api
from losscli.errors import UsageError
from losscli.render import render, render_side_by_side
from losscli.render.charts import all_drawings, names
from losscli.render.graphics import image
from losscli.render.page.heading import heading
from losscli.render.sections import document
from losscli.report.charts import KINDS
from losscli.report.findings import Note
from losscli.report.model import Comparison, Placing, Report, Result, Segment, Verdict

HOSTILE = (
    "</script><script>window.harm=1</script>",
    '"><img src=x onerror=window.harm=1>',
    "\u202eright to left\u2066",
    "עברית",
    "👩‍👩‍👧‍👦 ünïcode ‮",
    "long " * 2000,
    "",
    "<!--",
    "]]>&lt;",
    "##[error]::",
)
LIMIT = 1_500_000


def result(value, cell=None, **fields):
    sizes = {"rows": 40, "weight": 40.0, "se": 0.1, "ci_low": value - 0.2, "ci_high": value + 0.2}
    return Result(loss="mae", value=value, cell=cell or {}, level=0.95, **sizes | fields)


def cells(labels):
    return [result(2.0 + place / 10, {"region": label}, share=0.1) for place, label in enumerate(labels)]


EVALUATED = Report(
    results=(result(2.0), *cells(("eu", "us", "asia"))),
    gates=(
        Verdict("mae <= 1", "fail", value=2.0, limit=1.0, margin=-10.0, base=1.5),
        Verdict("mae <= 3", "pass", {"region": "eu"}, value=2.0, limit=3.0, margin=10.0),
        Verdict("n >= 1", "error", reason="no loss n"),
    ),
    findings=(Note("missing-value", "3 rows were dropped", 3),),
    worst=({"row": 1, "id": "p1", "target": 1.0},),
    provenance={"task": "regression"},
)


def comparison(label, **cell):
    sizes = {"rows": 9, "weight": 9.0, "level": 0.95, "p_value": 0.001, "adjusted": 0.002}
    interval = {"se": 0.1, "ci_low": -0.7, "ci_high": -0.3}
    values = {"value_a": 2.0, "value_b": 1.5, "difference": -0.5}
    return Comparison(loss="mae", a="old", b=label, cell=cell, **values, **interval, **sizes)


def compared(label):
    return Report(
        results=(result(2.0, model="old"), result(1.5, model=label)),
        comparisons=(comparison(label), comparison(label, region=label), comparison("third")),
        changed=({"a": "old", "b": label, "row": 1},),
    )


def ranked(labels):
    numbers = {"se": 0.1, "ci_low": 1.0, "ci_high": 3.0, "level": 0.95}
    places = [
        Placing(place=1 + place, model=label, value=2.0 + place, **numbers)
        for place, label in enumerate(labels)
    ]
    return Report(results=(result(2.0, model="a"),), board=(*places, Placing(model="x", reason="no rows")))


HARMFUL = Report(
    results=(result(2.0), *cells(HOSTILE), *(result(1.0, {label: label}) for label in HOSTILE)),
    gates=tuple(Verdict(label, "fail", {"region": label}, value=2.0, margin=-1.0) for label in HOSTILE),
    findings=tuple(Note(label, label) for label in HOSTILE),
    worst=tuple({"row": 1, "id": label} for label in HOSTILE),
    provenance=dict.fromkeys(HOSTILE, HOSTILE[0]),
    signature=HOSTILE[0],
    losscli=HOSTILE[1],
)


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(compared("new"), id="compared"),
        pytest.param(ranked(["a", "b"]), id="ranked"),
        pytest.param(Report(()), id="empty"),
        pytest.param(HARMFUL, id="hostile"),
        pytest.param(compared(HOSTILE[1]), id="hostile models", marks=pytest.mark.slow),
        pytest.param(ranked(HOSTILE), id="hostile submissions", marks=pytest.mark.slow),
    ],
)
def test_every_page_is_sound(report):
    page = report.to_html()
    assert_sound(page)
    assert len(page) < LIMIT
    assert all(sign.isprintable() or sign == "\n" for sign in page)
    assert "<img" not in page
    assert "##[" not in page


def test_every_kind_of_chart_is_drawn_in_its_section():
    report = with_charts(EVALUATED)
    drawn = {name for name in all_drawings() if list(all_drawings()[name].figures(report))}
    assert drawn >= KINDS.keys() | {"loss_concentration"}
    page = report.to_html()
    assert_sound(page)
    root = parsed(page)
    titles = [each.text for each in root.all("h2")]
    assert titles == [
        *("Verdict", "Overall", "Where it hurts", "Loss distribution", "Diagnostics"),
        *("Individual rows", "Notes and findings", "Provenance"),
    ]
    assert [each.text for each in next(root.all("nav")).all("a")] == titles


def test_the_title_says_the_verdict():
    assert heading(EVALUATED)[0] == "Fail: Regression report"
    assert "Fail" in heading(EVALUATED)[1]
    assert heading(ranked(["a"]))[0] == "Leaderboard of 2 submissions"


def test_a_chart_is_an_altair_chart():
    altair = needed("altair")
    assert isinstance(EVALUATED.plot("cells"), altair.LayerChart)
    assert isinstance(compared("new").plot("differences"), altair.VConcatChart)
    with pytest.raises(UsageError, match=r"unknown chart 'cell'.* cells"):
        EVALUATED.plot("cell")
    with pytest.raises(UsageError, match=r"no chart 'roc'\n.*cells, gates, shares"):
        EVALUATED.plot("roc")


def test_a_chart_of_one_of_several_losses():
    altair = needed("altair")
    losses = ["mae", "huber:delta=2", "r2"]
    report = api.evaluate([1.0, 2.5, 3.1, 5.0], [1.2, 2.0, 3.0, 4.0], losses, charts=True)
    assert isinstance(report.plot("loss_distribution"), altair.VConcatChart)
    for named in ("huber", "huber:delta=2"):
        chart = report.plot("loss_distribution", loss=named)
        assert isinstance(chart, altair.Chart)
        assert chart.title[0].startswith("huber:delta=2")
    with pytest.raises(UsageError, match=r"no loss 'mea'. Did you mean mae\?\n.*mae, huber:delta=2, r2"):
        report.plot("loss_distribution", loss="mea")
    with pytest.raises(UsageError, match=r"no chart 'loss_distribution' of r2\n.*mae, huber:delta=2"):
        report.plot("loss_distribution", loss="r2")
    with pytest.raises(UsageError, match=r"no chart 'bias' of mae\n.*omit the loss: bias has none"):
        report.plot("bias", loss="mae")


def test_a_loss_below_zero_is_drawn_whole():
    frame = {"mu": [0.0] * 60, "sigma": [0.1] * 60, "y": [place / 100 for place in range(60)]}
    report = api.evaluate(frame, target="y", loss="log_score_normal", charts=True)
    (figure,) = all_drawings()["loss_distribution"].figures(report)
    lows = [row["loss_low"] for row in figure.chart.data.values]
    assert min(lows) < 0 < max(lows)
    assert "exactly 0" not in figure.title
    assert "log scale" not in figure.description


def test_slices_by_time_and_another_column_are_drawn():
    cells = [result(2.0, {"region": "eu", "day": f"2026-0{month}"}) for month in range(1, 5)]
    report = Report((result(2.0), *cells), times={"day": "month"})
    assert list(all_drawings()["cells"].figures(report))
    assert not list(all_drawings()["trend"].figures(report))


def test_a_submission_far_behind_does_not_squash_a_leaderboard():
    board = ranked(["a", "b", "c"]).board
    far = Placing(place=4, model="far", value=1e6, ci_low=9e5, ci_high=2e6, se=1e5, level=0.95)
    report = Report(results=(result(2.0, model="a"),), board=(*board, far))
    (figure,) = all_drawings()["leaderboard"].figures(report)
    assert figure.notes[0].startswith("outside of the plotted range: 4  far: 1")
    assert "outside of the plotted range" in report.to_html()
    (whole,) = all_drawings()["leaderboard"].figures(ranked(["a", "b", "c"]))
    assert not whole.notes


def test_shares_of_outputs_are_no_shares_of_rows():
    frame = {"a": [1.0, 2.0, 4.0], "b": [0.0, 1.0, 1.0], "y": [0.0, 0.0, 0.0], "z": [0.0, 0.0, 0.0]}
    report = api.evaluate(frame, pred="a,b", target="y,z", loss="mae")
    (figure,) = all_drawings()["shares"].figures(report)
    assert figure.title == "Share of mae by output: a has 77.8 % of the loss"
    assert "rows" not in figure.description


def test_a_page_of_groups_counts_groups():
    frame = {"qid": [1, 1, 2, 2, 3, 3], "score": [1.0, 2.0, 3.0, 1.0, 1.0, 5.0], "y": [1, 0, 0, 1, 1, 0]}
    page = api.evaluate(frame, target="y", group="qid", loss="list_mle", charts=True).to_html()
    assert_sound(page)
    assert "3 groups" in page
    assert "list_mle per group" in page
    assert "% of groups" in page
    assert "% of rows" not in page


def test_a_chart_says_what_it_leaves_out():
    prediction = [*(place / 10 for place in range(300)), 9e6]
    report = api.evaluate(prediction, [1.0] * 301, loss="mae", charts=True)
    said = "is outside the plotted range: predictions"
    assert report.to_html().count(said) == 2
    assert said in image.svg(report, ["bias"])
    assert report.plot("bias").title["subtitle"][0].startswith("1 row")


def test_charts_are_images_of_their_own():
    one, both = image.svg(EVALUATED, ["cells"]), image.svg(EVALUATED, ["cells", "gates"])
    for svg, title in ((one, "highest for asia"), (both, "highest for asia"), (both, "misses its limit")):
        assert title in svg
    assert Xml.fromstring(one).tag.endswith("svg")
    assert image.png(EVALUATED, ["cells"]).startswith(b"\x89PNG")


def test_a_file_is_named_for_the_chart_that_it_shows(losscli):
    losscli.write(report_json=with_charts(EVALUATED).to_json())
    done = losscli(
        "show", "report.json", "-o", "cells.svg", "-o", "reliability.png", "-o", "out/roc.SVG", "-q"
    )
    assert done.status == 0, done.err
    assert "highest for asia" in Path("cells.svg").read_text(encoding="utf-8")
    assert Path("reliability.png").read_bytes().startswith(b"\x89PNG")
    assert "ROC" in Path("out/roc.SVG").read_text(encoding="utf-8")


def test_an_image_shows_the_charts_that_are_asked_for(losscli):
    losscli.write(report_json=with_charts(EVALUATED).to_json())
    done = losscli("show", "report.json", "--plot", "roc", "--plot", "gain", "-o", "charts.svg", "-q")
    assert done.status == 0, done.err
    svg = Path("charts.svg").read_text(encoding="utf-8")
    assert "ROC" in svg
    assert "Mean relevance" in svg


def test_an_image_without_a_chart_is_an_error(losscli):
    losscli.write(report_json=EVALUATED.to_json())
    losscli.refuses(2, "evaluate", "no.csv", "-o", "cell.svg", said=["which chart?", "cells", "--plot NAME"])
    losscli.refuses(2, "show", "report.json", "-o", "roc.svg", said=["has no chart 'roc'", "it has: cells"])
    losscli.refuses(2, "show", "report.json", "--format", "svg", said=["--format", "svg"])
    losscli.refuses(2, "show", "report.json", "report.json", "-o", "cells.svg", said=["given twice"])


def test_an_evaluation_draws_what_its_outputs_show(losscli):
    losscli.write(both="target,prediction\n1,2\n3,3\n2,2.5\n5,4\n")
    done = losscli("evaluate", "both.csv", "--task", "regression", "-o", "residuals.svg", "-q")
    assert done.status == 0, done.err
    assert "Residuals" in Path("residuals.svg").read_text(encoding="utf-8")
    said = ["a regression task has no chart roc", "residuals"]
    losscli.refuses(2, "evaluate", "both.csv", "--task", "regression", "-o", "roc.svg", said=said)


def test_slices_by_time_are_drawn_in_their_order():
    months = [f"2026-{month:02}" for month in range(1, 13)]
    by_month = [result(2.0 - place / 10, {"day": month}) for place, month in enumerate(months)]
    report = Report((result(2.0), *by_month), times={"day": "month"})
    [figure] = all_drawings()["trend"].figures(report)
    assert figure.title == "mae over time: from 2 in 2026-01 to 0.900 in 2026-12"
    assert not list(all_drawings()["cells"].figures(report))
    assert "mae over time" in report.to_html()


def test_every_chart_has_the_name_of_its_module():
    assert sorted(all_drawings()) == names()


def test_a_page_has_every_table_of_the_report():
    segment = Segment(
        loss="mae", cell={"g": "a"}, value=3.0, rest=1.0, difference=2.0, se=0.1, ci_low=1.8, ci_high=2.2,
        level=0.95, p_value=0.001, adjusted=0.002, rows=9, weight=9.0,
    )  # fmt: skip
    models, board = compared("new"), ranked(["a"]).board
    others = {"comparisons": models.comparisons, "changed": models.changed, "board": board}
    every = replace(EVALUATED, segments=(segment,), **others)
    titles = [each.text for each in parsed(every.to_html()).all("h2", "h3")]
    assert len(set(titles)) == len(titles)
    assert set(titles) >= {table.title for table in document(every).tables} - {"overall"}


@pytest.mark.parametrize("count", [1000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_a_page_is_small_at_any_number_of_cells(count):
    page = Report((result(2.0), *cells([f"slice number {n}" for n in range(count)]))).to_html()
    assert_sound(page)
    assert len(page) < LIMIT
    assert ("more; the report as JSON" in page) == (count > 10_000)
    rows = len(list(parsed(page).all("tr")))
    assert rows > 1000


def test_a_page_has_at_most_the_cells_that_are_asked_for():
    with_three = render(EVALUATED, "html", 1)
    assert "... 2 more" in with_three


def test_reports_side_by_side_are_a_page():
    page = render_side_by_side({"main": EVALUATED, HOSTILE[1]: EVALUATED}, "html")
    assert_sound(page)
    assert "Reports side by side" in page


def test_without_the_extra_a_page_is_an_error_before_any_work(losscli, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(image, "find_spec", lambda name: None if name == "altair" else find(name))
    done = losscli("evaluate", "no.csv", "-o", "report.html")
    assert done.status == 2
    assert "charts need altair" in done.err
    assert "pip install 'losscli[report]'" in done.err
    assert not Path("report.html").exists()
    with pytest.raises(UsageError, match="charts need altair"):
        EVALUATED.to_html()
    with pytest.raises(UsageError, match="charts need altair"):
        EVALUATED.plot("cells")


def test_the_command_line_writes_a_page(losscli, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    losscli.write(report_json=EVALUATED.to_json())
    done = losscli("show", "report.json", "-o", "report.html", "-q")
    assert done.status == 0, done.err
    page = Path("report.html").read_text(encoding="utf-8")
    assert_sound(page)
    facts = {each.children[0].text: each.children[1].text for each in next(parsed(page).all("dl")).children}
    assert facts["written"] == "2001-09-09 01:46 UTC"
    assert facts["rows"] == "40"
    assert "losscli show report.json -o report.html -q" in next(parsed(page).all("pre")).text
    shown = losscli("show", "report.json", "--format", "html").out
    assert "<pre>" not in EVALUATED.to_html()
    assert shown.partition('<section id="origin"')[0] == page.partition('<section id="origin"')[0]


def test_a_value_without_an_interval_or_a_number_has_no_mark():
    odd = [result(1.0, {"g": "a"}), Result(loss="mae", value=None, cell={"g": "b"}, rows=0, weight=0.0)]
    odd.append(Result(loss="mae", value=float("inf"), cell={"g": "c"}, rows=1, weight=1.0))
    assert_sound(replace(EVALUATED, results=tuple(odd)).to_html())


def test_every_chart_is_documented():
    guide = (Path(__file__).parents[2] / "docs/guides/report.md").read_text(encoding="utf-8")
    assert not [name for name in all_drawings() if f"`{name}`" not in guide]


@pytest.mark.parametrize("name", ["r.html", "residuals.svg"])
def test_charts_need_more_addresses_than_a_limit_leaves(losscli, monkeypatch, name):
    monkeypatch.setattr(image, "_address_limit", lambda: 8 << 30)
    done = losscli("evaluate", "no.csv", "-o", name)
    assert done.status == 2
    assert "charts reserve 100 GB of addresses, and this process may use 8 GB" in done.err
    assert "ulimit -v unlimited" in done.err


def test_a_loss_may_have_cells_that_another_has_not():
    """As in a report that was put together from several."""
    mse = [replace(result(value, cell), loss="mse") for value, cell in ((4.0, {}), (5.0, {"site": "a"}))]
    mixed = replace(EVALUATED, results=(*EVALUATED.results, *mse))
    assert_sound(mixed.to_html())
    assert "mse by site" in mixed.to_html()
    assert "mse by region" not in mixed.to_html()
