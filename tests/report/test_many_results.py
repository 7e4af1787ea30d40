"""The results of many cells, which are created on access."""

from __future__ import annotations

import pickle

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

import losscli
from losscli import Report, gates
from losscli.render.sections import document
from losscli.render.sections.results import sections
from losscli.report import codec, model
from losscli.report.model import Columns, Results, by_note, representatives

SLICES = 23
ROWS = 300


@pytest.fixture
def report(monkeypatch):
    """A report of two losses in slices of two kinds, of which one has a single row and no interval."""
    monkeypatch.setattr(model, "_CHUNK", 5)
    monkeypatch.setattr(codec, "_CHUNK", 7)
    rng = np.random.default_rng(0)
    region = [f"r{place}" for place in rng.integers(0, SLICES - 1, ROWS - 1)] + ["alone"]
    targets = pl.DataFrame({"y": rng.normal(size=ROWS), "region": region, "kind": np.arange(ROWS) % 2})
    predictions = pl.DataFrame({"p": rng.normal(size=ROWS)})
    return losscli.evaluate(predictions, targets, ["mae", "rmse"], by=["region", "region,kind"])


@pytest.fixture
def created(report, monkeypatch):
    """The cells of the results of slices that have been created."""
    cells = []

    def replaced(common, **fields):
        cells.append(fields["cell"])
        return replace(common, **fields)

    monkeypatch.setattr(model, "replace", replaced)
    return cells


def test_slices_are_stored_as_columns(report):
    assert isinstance(report.results, Results)
    assert sum(isinstance(part, Columns) for part in report.results.parts) == 4


def test_results_behave_as_a_tuple(report):
    made = (*report.results,)
    assert report.results == made
    assert made == report.results
    assert report.results != made[1:]
    assert report.results != made[1:] + made[:1]
    assert report.results != [*made]
    assert len(report.results) == len(made) > 4 * SLICES
    for place in (0, 1, 7, len(made) - 1, -1, -len(made)):
        assert report.results[place] == made[place]
    for places in (
        slice(None),
        slice(3, 17),
        slice(1, -1, 3),
        slice(None, None, -1),
        slice(9, 2),
        slice(-4, None),
    ):
        assert report.results[places] == made[places]
        assert isinstance(report.results[places], tuple)
    with pytest.raises(IndexError):
        report.results[len(made)]
    assert [*reversed(report.results)] == [*reversed(made)]
    assert repr(report.results) == repr(made)
    with pytest.raises(TypeError, match="unhashable"):
        hash(report.results)


def test_a_report_of_slices_is_that_of_made_results(report):
    made = replace(report, results=(*report.results,))
    assert report == made
    assert report.to_json() == made.to_json()
    assert str(report) == str(made)
    assert report.to_frame().equals(made.to_frame())
    assert Report.from_json(report.to_json()) == report
    assert pickle.loads(pickle.dumps(report)) == report


def test_notes_come_with_all_results_that_have_them(report):
    made = (*report.results,)
    expected = {note: [each for each in made if note in each.notes] for each in made for note in each.notes}
    assert len(expected) > 1
    for results in (report.results, made):
        noted = {}
        for note, part in by_note(results):
            noted.setdefault(note, []).extend(part)
        assert [*noted.items()] == [*expected.items()]


def test_a_short_table_creates_few_results(report, created):
    made = replace(report, results=(*report.results,))
    assert len(created) == len(made.results) - 2 > 5 * SLICES
    for width in (40, 200):
        created.clear()
        short = document(report, width, cells=2)
        assert len(created) < 3 * SLICES
        assert short == document(made, width, cells=2)
        assert short != document(made, width, cells=3)


def test_losses_in_other_cells_and_orders_are_side_by_side(report):
    alone = {"region": "alone"}
    results = [each for each in report.results if each.label == "mae" or each.cell != alone]
    mixed = replace(report, results=(*results[::-1], results[0]))
    for section in sections(mixed):
        for loss in section.losses:
            for cell, result in zip(section.cells, section.of(loss), strict=True):
                where = dict(zip(section.columns, cell, strict=True))
                if (loss, where) == ("rmse", alone):
                    assert result is None
                else:
                    assert result == report[loss, where]
    assert section.of("none of them") == (None,) * len(section.cells)


def test_representatives_are_of_all_losses_in_order(report):
    few, made = [*representatives(report.results)], [*representatives((*report.results,))]
    assert len(few) == 6
    assert [*dict.fromkeys(each.label for each in few)] == [*dict.fromkeys(each.label for each in made)]


def test_a_frame_has_the_columns_of_all_cells(report):
    frame = report.to_frame()
    assert frame.columns[-2:] == ["cell.region", "cell.kind"]
    alone = frame.row(
        by_predicate=(pl.col("cell") == "region=alone") & (pl.col("label") == "mae"), named=True
    )
    assert (alone["cell.region"], alone["cell.kind"], alone["rows"], alone["se"]) == ("alone", None, 1, None)
    assert alone["notes"]
    empty = Columns(
        report.results.parts[1].common,
        {"city": pl.Series([], dtype=pl.String)},
        {name: array[:0] for name, array in report.results.parts[1].numbers.items()},
        report.results.parts[1].noted[:0],
        ((),),
    )
    assert Report(Results([empty])).to_frame().schema.names()[-1] == "cell.city"
    assert Report(()).to_frame().height == 0


def test_a_cell_is_found_by_its_columns(report):
    assert [each.cell for each in report.overall] == [{}, {}]
    alone = report["mae", {"region": "alone"}]
    assert (alone.rows, alone.se, alone.level) == (1, None, None)
    crossed = report["rmse", {"kind": 1, "region": "r3"}]
    assert crossed.cell == {"region": "r3", "kind": "1"}
    with pytest.raises(KeyError, match="no result of 'mae'"):
        report["mae", {"kind": 1}]


def test_gates_judge_all_slices(report):
    judged = gates.judged([gates.parse("mae[region=*] < 100", lambda name: (report.names[name],))], report)
    assert [verdict.status for verdict in judged.gates] == ["pass"] * SLICES


def test_gates_on_all_rows_create_few_results_of_slices(report, created):
    gate = gates.parse("mae < base + 100", lambda name: (report.names[name],))
    assert [verdict.status for verdict in gates.judged([gate], report, report).gates] == ["pass"]
    assert len(created) < SLICES


def test_results_without_slices_are_a_tuple():
    report = losscli.evaluate([0.2, 0.9], [0, 1], "log_loss", task="binary")
    assert isinstance(report.results, tuple)
