"""Workbooks: cells have types, text is read as in text formats, and the first sheet counts."""

from __future__ import annotations

import sys

import polars as pl
import pytest
import xlsxwriter

P = pl.DataFrame({"id": ["00001", "2", "3"], "pred": [1.5, 2.5, 3.5]})
T = pl.DataFrame({"id": ["00001", "2", "3"], "y": [1, 2, 3]})


def test_a_workbook_is_read_as_csv_is(losscli):
    P.write_excel("p.xlsx")
    T.write_excel("t.xlsx")
    T.write_csv("t.csv")
    for targets in ("t.xlsx", "t.csv"):
        assert losscli.bare("p.xlsx", targets, "-l", "mae") == [0.5]
        assert "aligned by key id" in losscli("evaluate", "p.xlsx", targets, "-v").err


def test_numbers_that_are_text_are_read_and_what_is_none_is_named(losscli):
    P.cast(pl.String).write_excel("p.xlsx")
    T.write_csv("t.csv")
    assert losscli.bare("p.xlsx", "t.csv", "-l", "mae") == [0.5]
    P.with_columns(pred=pl.Series(["1,5", "2,5", "3,5"])).write_excel("p.xlsx")
    said = ["p.xlsx, column pred: 3 values that are not a number", "row 1 (id 00001): '1,5'", "--decimal ,"]
    losscli.refuses(3, "evaluate", "p.xlsx", "t.csv", "-l", "mae", said=said)
    assert losscli.bare("p.xlsx", "t.csv", "-l", "mae", "--decimal", ",") == [0.5]


def test_a_sheet_without_a_header_does_not_lose_its_first_row(losscli):
    P.select("pred").write_excel("p.xlsx", include_header=False)
    T.write_csv("t.csv")
    losscli.refuses(
        3, "evaluate", "p.xlsx", "t.csv", said=["p.xlsx: the first line looks like a row", "row 1: 1.5"]
    )
    assert losscli.bare("p.xlsx", "t.csv", "-l", "mae", "--no-header") == [0.5]


def test_the_first_of_several_sheets_is_read_and_named(losscli):
    with xlsxwriter.Workbook("p.xlsx") as book:
        P.write_excel(book, "scores")
        T.write_excel(book, "notes")
    T.write_csv("t.csv")
    done = losscli("evaluate", "p.xlsx", "t.csv", "-l", "mae", "--bare", "-v")
    assert done.out == "0.5\n"
    assert "p.xlsx: sheet 'scores', the first of 2" in done.err


def test_workbooks_in_folders_are_one_table(losscli):
    for i in range(3):
        folder = losscli.folder / "d" / f"day={i}"
        folder.mkdir(parents=True)
        P[i : i + 1].write_excel(folder / "part.xlsx")
    T.write_csv("t.csv")
    assert losscli.bare("d", "t.csv", "-l", "mae") == [0.5]
    assert losscli.bare("d", "t.csv", "-l", "mae", "--where", "day = 1") == [0.5]


def test_columns_of_one_name_are_an_error(losscli):
    with xlsxwriter.Workbook("p.xlsx") as book:
        sheet = book.add_worksheet()
        for row, values in enumerate((["pred", "pred"], [1.5, 2.5], [3.5, 4.5])):
            sheet.write_row(row, 0, values)
    pl.DataFrame({"y": [1, 2]}).write_csv("t.csv")
    losscli.refuses(
        3, "evaluate", "p.xlsx", "t.csv", "-p", "pred", said=["p.xlsx: several columns are named pred"]
    )


def test_without_the_extra_the_error_names_it(losscli, monkeypatch):
    P.write_excel("p.xlsx")
    monkeypatch.setitem(sys.modules, "fastexcel", None)
    losscli.refuses(
        2, "evaluate", "p.xlsx", said=["p.xlsx: Excel files need", "pip install 'losscli[excel]'"]
    )


@pytest.mark.parametrize("value", [0, 1.5, True, None])
def test_cells_keep_their_types(value, losscli):
    pl.DataFrame({"pred": [value, value], "y": [1.0, 2.0]}).write_excel("d.xlsx")
    pl.DataFrame({"pred": [value, value], "y": [1.0, 2.0]}).write_parquet("d.parquet")
    found, expected = (
        losscli("evaluate", f"d.{suffix}", "-l", "mae", "--json") for suffix in ("xlsx", "parquet")
    )
    assert (found.status, found.out) == (expected.status, expected.out)
