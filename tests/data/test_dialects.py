"""Delimited text as people and programs write it: read as it was meant, or refused with the remedy."""

from __future__ import annotations

import csv
import gzip
import io
import json
import zlib

import polars as pl
import pytest

import losscli
from losscli.data import load
from losscli.data import table as tables
from losscli.data.dialect import header_shows
from losscli.data.formats import csv as delimited
from losscli.data.formats import text as texts
from losscli.data.request import Reading

ITEMS = 'id,pred,item\n1,2.5,5" pipe\n2,3.5,valve\n3,6.5,6" pipe\n4,8.5,8" pipe\n'
ESCAPED = 'id,pred,item\n1,2.5,"5\\" pipe, long"\n2,3.5,valve\n3,6.5,C:\\new\n4,8.5,"\\\\"\n'
Y = "id,y\n1,2\n2,4\n3,6\n4,8\n"
P = "id,pred\n1,2.5\n2,3.5\n3,6.5\n4,8.5\n"
MULTILINE = 'id,item,pred\n1,"two\nlines, ""quoted""",2.5\n2,a,3.5\n3,"\n\n",6.5\n4,b,8.5\n'

# name: (its name, its content, options)
READ: dict[str, tuple[str, str | bytes, str]] = {
    "stray quotes": ("p.csv", ITEMS, ""),
    "stray quotes, tabs": ("p.tsv", ITEMS.replace(",", "\t"), ""),
    "stray quotes, gzip": ("p.csv.gz", gzip.compress(ITEMS.encode()), ""),
    "escaped quotes": ("p.csv", ESCAPED, "--escape \\"),
    "escaped quotes, gzip": ("p.csv.gz", gzip.compress(ESCAPED.encode()), "--escape \\"),
    "an open quote, taken as it is": (
        "p.csv",
        'id,pred,n\n1,2.5,"a\n2,3.5,b\n3,6.5,c\n4,8.5,d\n',
        "--quote none",
    ),
    "single quotes": ("p.csv", "id,n,pred\n1,'a,b',2.5\n2,c,3.5\n3,'d''e',6.5\n4,f,8.5\n", "--quote '"),
    "fields of several lines": ("p.csv", MULTILINE, ""),
    "fields of several lines, gzip": ("p.csv.gz", gzip.compress(MULTILINE.encode()), ""),
    "UTF-16": ("p.csv", P.encode("utf-16"), ""),
    "UTF-16, big end first": ("p.csv", b"\xfe\xff" + P.encode("utf-16-be"), ""),
    "UTF-32": ("p.csv", P.encode("utf-32"), ""),
    "a byte order mark": ("p.csv", P.encode("utf-8-sig"), ""),
    "a byte order mark in NDJSON": (
        "p.ndjson",
        pl.read_csv(io.StringIO(P)).write_ndjson().encode("utf-8-sig"),
        "",
    ),
    "CR line ends": ("p.csv", P.replace("\n", "\r"), ""),
    "CRLF line ends": ("p.csv", P.replace("\n", "\r\n"), ""),
    "a separator that the file names": ("p.csv", "sep=;\r\n" + P.replace(",", ";"), ""),
    "a separator on one side": ("p.csv", P.replace(",", ";"), "--separator ;"),
    "comments": ("p.csv", f'# it is "made"\n{P}# end\n', "--comment #"),
    "padded fields": ("p.csv", 'id, pred, n\n1, 2.5, "a, b"\n2, 3.5, c\n3, 6.5 , d\n4, 8.5, e\n', ""),
    "decimal commas": ("p.csv", P.replace(",", ";").replace(".", ","), "--separator ; --decimal ,"),
    "no header": ("p.csv", P.partition("\n")[2], "--no-header -p column_2 -y y"),
    "no header, one column": ("p.csv", "2.5\n3.5\n6.5\n8.5\n", "--no-header"),
    "no header, one column of .txt": ("p.txt", "2.5\n3.5\n6.5\n8.5\n", "--no-header"),
    "no header, exponents": ("p.csv", "2.5e+00\n3.5e+00\n6.5e+00\n8.5e+00\n", "--no-header"),
    "JSON lines named .json": ("p.json", pl.read_csv(io.StringIO(P)).write_ndjson(), ""),
    "0 and 1 above fractions": ("p.csv", "0,1\n.5,2.5\n.5,3.5\n.5,6.5\n.5,8.5\n", "-p 1"),
    "a number as a header": ("p.csv", "7\n2.5\n3.5\n6.5\n8.5\n", "--header"),
}


@pytest.mark.parametrize(("name", "content", "options"), READ.values(), ids=READ)
def test_text_is_read_as_it_was_meant(name, content, options, losscli):
    (losscli.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    losscli.write(t=Y)
    report = losscli("evaluate", name, "t.csv", "-l", "mae", "--json", *options.split())
    assert '"value": 0.5,' in report.out, report.err
    assert '"rows": 4,' in report.out


REFUSED: dict[str, tuple[str, str | bytes, tuple[str, ...]]] = {
    "an open quote": (
        "p.csv",
        'id,pred,n\n1,2.5,a\n2,3.5,"b\n3,6.5,c\n4,8.5,d\n',
        ('p.csv: row 2: a quote " neither opens nor closes a field', "--quote none"),
    ),
    "two open quotes": (
        "p.csv",
        'id,pred,n\n1,2.5,a\n2,3.5,"b\n3,6.5,"c\n4,8.5,d\n',
        ("p.csv: row 2: a quote",),
    ),
    "escaped quotes": ("p.csv", ESCAPED, ("p.csv: row 1: a quote", "--escape '\\'", "--quote none")),
    "two escaped quotes in each row": (
        "p.csv",
        'n,m,pred,id,k\n"5\\" x","6\\" x",2.5,1,7\n"5\\" x","6\\" x",3.5,2,7\n',
        ("p.csv: row 1: a quote", "--escape '\\'"),
    ),
    "escaped quotes, gzip": (
        "p.csv.gz",
        gzip.compress(ESCAPED.encode()),
        ("p.csv.gz: row 1: a quote", "--escape '\\'"),
    ),
    "a quote within a quoted field of several lines": (
        "p.csv",
        'id,n,pred\n1,"a\nb",2.5\n2,"c "q" \n\n d",3.5\n',
        ("p.csv: row 2: a quote",),
    ),
    "no header": ("p.csv", "2.5\n3.5\n6.5\n8.5\n", ("p.csv: the first line looks like a row", "--no-header")),
    "no header, whole numbers": ("p.csv", "0\n1\n0\n1\n", ("line 1: 0", "--no-header", "--header")),
    "no header, several columns": ("p.csv", "1,2.5\n2,3.5\n", ("line 1: 1,2.5", "--no-header")),
    "no header, text first": ("p.csv", "a,2.5\nb,3.5\n", ("line 1: a,2.5", "--no-header")),
    "no header, labels": ("p.csv", "cat\ndog\ncat\n", ("line 1: cat", "--no-header")),
    "no header, truth": ("p.csv", "True\nFalse\nFalse\n", ("line 1: True", "--no-header")),
    "comments": ("p.csv", f"# made by a tool\n{P}", ("looks like a comment", "--comment '#'")),
    "a header in a comment": ("p.csv", f"# {P}", ("looks like a comment", "# id,pred", "--comment '#'")),
    "comments at the end": ("p.csv", f"{P}# end, of, file\n", ("row 5: 3 fields", "--comment '#'")),
    "single quotes": ("p.csv", "id,n,pred\n1,'a,b',2.5\n", ("row 1: 4 fields", """--quote "'\"""")),
    "decimal commas": ("p.csv", 'id,pred\n1,"2,5"\n2,"3,5"\n', ("row 1 (id 1): '2,5'", "--decimal ,")),
    "thousands": ("p.csv", 'id,pred\n1,"2,005.5"\n2,3\n', ("'2,005.5'", "--thousands ,")),
    "thousands or decimals": ("p.csv", 'id,pred\n1,"2,005"\n2,3\n', ("--thousands ,", "--decimal ,")),
    "points between thousands": ("p.csv", 'id,pred\n1,"2.005,5"\n2,3\n', ("--decimal , --thousands .",)),
    "an error of a spreadsheet": ("p.csv", "id,pred\n1,#DIV/0!\n2,3\n", ("'#DIV/0!'", "fix its formulas")),
    "compressed by zlib": (
        "p.csv",
        zlib.compress(b'id,pred\n1,"2"\n'),
        ("p.csv: compressed by zlib", "gzip"),
    ),
    "compressed by zlib, fast": ("p.csv", zlib.compress(P.encode(), 3), ("p.csv: begins with x^", "by gzip")),
    "text that begins like zlib": (
        "p.csv",
        "x^2,pred\n1,2.5\n",
        ("p.csv: begins with x^", "quote its first"),
    ),
    "Latin 1": (
        "p p.csv",
        b"id,pred,n\n1,2,caf\xe9\n",
        ("line 2: 1,2,caf", "iconv -f latin1 -t utf-8 'p p.csv'"),
    ),
    "Latin 1, gzip": (
        "p.csv.gz",
        gzip.compress(b"id,pred,n\n1,2,caf\xe9\n"),
        ("line 2: 1,2,caf", "iconv -f latin1 -t utf-8\n"),
    ),
    "UTF-16 without a mark": ("p.csv", P.encode("utf-16-le"), ("holds null characters", "iconv -f utf-16le")),
    "a quote within a quoted field of one line": (
        "p.csv",
        'id,pred,n\n1,2.5,a\n2,3.5,"b"c\n',
        ("p.csv: row 2: a quote",),
    ),
    "quotes around whole rows": ("p.csv", '"id,pred"\n"1,2.5"\n', ("one column, 'id,pred'", "whole rows")),
    "CR line ends, gzip": (
        "p.csv.gz",
        gzip.compress(P.replace("\n", "\r").encode()),
        ("p.csv.gz: cannot be read: lines end with CR", "tr '\\r' '\\n'"),
    ),
    "CR line ends beside LF": ("p.csv", 'id,pred,n\r1,2.5,"a\nb"\r', ("lines end with CR", "tr '\\r' '\\n'")),
    "percent": ("p.csv", "id,pred\n1,12 %\n2,3 %\n", ("12 % is 0.12",)),
    "currency": ("p.csv", "id,pred\n1,$12.5\n2,$3\n", ("without currency signs",)),
    "a word for a missing value": ("p.csv", "id,pred\n1,2.5\n2,-\n", ("'-'", "--null-values -")),
    "an array of JSON": ("p.json", '[{"id": 1, "pred": 2}]', ("jq -c '.[]' p.json > p.ndjson",)),
    "an indented array": ("p.json", '[\n  {"id": 1, "pred": 2}\n]', ("jq -c '.[]' p.json > p.ndjson",)),
    "columns of JSON": (
        "p.json",
        '{"id":{"0":1,"1":2},"pred":{"0":2.5,"1":3.5}}',
        ("pandas.read_json('p.json').to_json('p.ndjson', orient='records', lines=True)",),
    ),
    "indented JSON": ("p.json", '{\n  "id": [1]\n}', ("pandas.read_json",)),
}


@pytest.mark.parametrize(("name", "content", "said"), REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_what_cannot_be_told_is_refused_with_the_remedy(command, name, content, said, losscli):
    (losscli.folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    losscli.write(t=Y)
    losscli.refuses(3, command, name, "t.csv", "-l", "mae", said=said)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
def test_a_line_end_within_a_name_is_the_same_in_all_encodings(encoding, losscli):
    losscli.write(p='id,pred\r\n"a\r\nb",2\r\nc,3\r\n'.encode(encoding), t='id,y\nc,1\n"a\r\nb",5\n')
    assert losscli.bare("p.csv", "t.csv", "--on", "id", "-l", "mae") == [2.5]


def test_a_row_does_not_vanish_late_in_a_long_file(losscli):
    rows = [f"{i},{i},item {i}" for i in range(200_000)]
    rows[150_000] += ' 5" pipe'
    rows[150_003] += ' 6" pipe'
    losscli.write(p="id,pred,item\n" + "\n".join(rows) + "\n")
    report = losscli("evaluate", "p.csv", "-y", "id", "-p", "pred", "-l", "mae", "--json")
    assert '"rows": 200000,' in report.out, report.err
    rows[150_000] = '150000,"150000,x'
    losscli.write(p="id,pred,item\n" + "\n".join(rows) + "\n")
    losscli.refuses(3, "evaluate", "p.csv", "-y", "id", "-p", "pred", said=["p.csv: row 150001: a quote"])


@pytest.mark.parametrize("text", ["{i}", '"{i}\nmore, ""and"" more"', "{i}" + "x" * 1000])
def test_the_start_of_a_large_file_has_its_first_rows(text, tmp_path):
    path = tmp_path / "large.csv"
    path.write_text("a,b\n" + "".join(f"{i},{text.format(i=i)}\n" for i in range(30_000)))
    table, _ = load.tables(path, None, Reading())
    found = table.files.format.first_rows(table.files, table.types, 1000)
    assert path.stat().st_size > delimited._START
    assert found.equals(table.scan.head(1000).collect())


def test_a_sign_is_found_by_short_reads(tmp_path, monkeypatch):
    class Short(io.FileIO):
        def readinto(self, buffer):
            return super().readinto(memoryview(buffer)[:4096])

    def opened(path, mode, buffering=-1):
        return Short(path) if buffering == 0 else io.BufferedReader(Short(path))

    path = tmp_path / "large.csv"
    path.write_bytes(b"x" * (1 << 20) + b'"')
    monkeypatch.setattr(texts, "open", opened, raising=False)
    monkeypatch.setattr(texts, "_PIECE", 1 << 21)
    assert texts.holds(str(path), '"')


def test_text_is_small_by_its_bytes(tmp_path, monkeypatch):
    """Not by its first line, which may be much longer than the others."""
    monkeypatch.setattr(tables, "SMALL", 1 << 17)
    for name, rows in (("few", 10), ("many", 50_000)):
        path = tmp_path / f"{name}.csv"
        path.write_text("note,y,p\n" + "x" * 70_000 + ",1,2\n" + "a,1,2\n" * rows)
        table, _ = load.tables(path, None, Reading())
        assert table.is_small() == (name == "few")


@pytest.mark.parametrize("place", [None, 0, texts.CHUNK - 1, texts.CHUNK, 5 * texts.CHUNK // 2])
def test_a_sign_is_found_wherever_it_is(place, tmp_path, monkeypatch):
    monkeypatch.setattr(texts, "_PIECE", texts.CHUNK)
    text = bytearray(b"x") * (5 * texts.CHUNK // 2 + 1)
    if place is not None:
        text[place] = ord('"')
    path = tmp_path / "large.csv"
    path.write_bytes(text)
    assert texts.holds(str(path), '"') == (place is not None)


def test_sides_may_have_different_dialects(losscli):
    losscli.write(p=P.replace(",", ";"), t=Y, q=P.partition("\n")[2])
    done = losscli("evaluate", "p.csv", "t.csv", "-l", "mae", "--bare", "-v", "--separator", ";")
    assert done.out == "0.5\n"
    assert "t.csv: separator ','" in done.err
    done = losscli("evaluate", "q.csv", "t.csv", "-l", "mae", "--bare", "-v", "--no-header", "-p", "column_2")
    assert done.out == "0.5\n", done.err
    assert "q.csv: no header: columns are column_1, column_2" in done.err
    assert "t.csv: with a header" in done.err


@pytest.mark.parametrize("suffix", ["csv", "ndjson", "parquet", "xlsx"])
def test_sides_may_have_different_decimal_signs(suffix, losscli):
    losscli.write(p=P.replace(",", ";").replace(".", ","))
    targets = pl.DataFrame({"id": [1, 2, 3, 4], "y": [2.25, 3.25, 6.25, 9.5]})
    getattr(targets, f"write_{'excel' if suffix == 'xlsx' else suffix}")(f"t.{suffix}")
    done = losscli(
        "evaluate", "p.csv", f"t.{suffix}", "-l", "mae", "--bare", "-v", "--separator", ";", "--decimal", ","
    )
    assert done.out == "0.4375\n", done.err
    assert ("decimal point" in done.err) == (suffix in ("csv", "ndjson"))
    losscli.write(t="id,y\n1,2.001\n2,3.001\n3,4.001\n4,5.001\n")  # thousands?
    said = ["t.csv, column y: 4 values that are not a number"]
    losscli.refuses(
        3, "evaluate", "p.csv", "t.csv", "-l", "mae", "--separator", ";", "--decimal", ",", said=said
    )


def test_parts_in_another_order_of_columns_are_not_mixed_up(losscli):
    rows = list(csv.reader(io.StringIO(P)))
    for i, order in enumerate(((0, 1), (1, 0))):
        part = [rows[0], *rows[1 + 2 * i : 3 + 2 * i]]
        text = "".join(",".join(row[k] for k in order) + "\n" for row in part)
        losscli.write(**{f"part-{i}": text})
    losscli.write(t=Y)
    assert losscli.bare("part-*.csv", "t.csv", "-l", "mae") == [0.5]


@pytest.mark.parametrize("first", ["plain", "quoted"])
def test_parts_whose_quotes_mean_different_things_are_refused(first, losscli):
    parts = {"plain": 'id,pred,n\n1,2,5" pipe\n3,4,6" pipe\n', "quoted": 'id,pred,n\n5,6,"a, b"\n'}
    names = dict(zip(sorted(parts, key=lambda kind: kind != first), ("part-1", "part-2"), strict=True))
    losscli.write(**{name: parts[kind] for kind, name in names.items()}, t="id,y\n1,2\n3,4\n5,6\n")
    said = [f"{names['plain']}.csv: row 1: a quote", "--quote none"]
    losscli.refuses(3, "evaluate", "part-*.csv", "t.csv", "-l", "mae", said=said)


def test_parts_without_a_header(losscli):
    for i, rows in enumerate(("1,2.5\n2,3.5\n", "3,6.5\n4,8.5\n")):
        losscli.write(**{f"part-{i}": rows})
    losscli.write(t="y\n2\n4\n6\n8\n")
    losscli.refuses(
        3,
        "evaluate",
        "part-*.csv",
        "t.csv",
        said=["part-0.csv: the first line", "part-1.csv: the first line"],
    )
    given = ["--no-header", "-p", "column_2", "-l", "mae"]
    assert losscli.bare("part-*.csv", "t.csv", *given) == [0.5]
    losscli.write(**{"part-0": "a,b\n1,2.5\n2,3.5\n"})
    losscli.refuses(
        3, "evaluate", "part-*.csv", "t.csv", *given, said=["part-1.csv: columns differ", "has no header"]
    )


def test_rows_are_counted_without_a_header(losscli):
    losscli.write(p="2.5\n3.5\nbad\n8.5\n", t="y\n2\n4\n6\n8\n")
    said = ["p.csv, column column_1: 1 value that is not a number", "row 3: 'bad'"]
    losscli.refuses(3, "evaluate", "p.csv", "t.csv", "-l", "mae", "--no-header", said=said)


def test_python_takes_the_options_of_text(tmp_path):
    (tmp_path / "p.csv").write_text('2,5;"a\\"b"\n3,5;c\n')
    (tmp_path / "t.csv").write_text("y\n2\n4\n")
    report = losscli.evaluate(
        tmp_path / "p.csv",
        tmp_path / "t.csv",
        loss="mae",
        pred="column_1",
        separator=";",
        escape="\\",
        header=False,
        decimal=",",
    )
    assert report["mae"].value == 0.5


@pytest.mark.parametrize(
    ("option", "said"),
    {
        "--quote ab": "--quote must be one character or none, got 'ab'",
        "--escape x": "--escape must be one character, got 'x'",
        "--comment manycharacters": "--comment must be 1 to 5 characters",
        "--decimal ;": "--decimal must be . or ,, got ';'",
        "--thousands ;": "--thousands must be",
        "--thousands .": "--thousands .: . is the decimal sign",
        "--decimal , --thousands ,": "--thousands ,: , is the decimal sign",
    }.items(),
)
def test_wrong_options_of_text_are_refused(option, said, losscli):
    losscli.write(p=P, t=Y)
    losscli.refuses(2, "evaluate", "p.csv", "t.csv", *option.split(), said=[said])


def test_options_of_text_need_text(losscli):
    pl.read_csv(io.StringIO(P)).write_parquet("p.parquet")
    pl.read_csv(io.StringIO(Y)).write_parquet("t.parquet")
    said = [
        "--quote is for text, and no input is CSV, TSV or .txt",
        "--decimal is for text, and no input is text",
    ]
    losscli.refuses(2, "evaluate", "p.parquet", "t.parquet", "--quote", "none", "--decimal", ",", said=said)


@pytest.mark.parametrize(
    ("text", "shows"),
    {
        "id,pred\n1,2\n": True,
        "id,pred\na,b\n": None,
        "2.5\n3.5\n": False,
        "0\n1.5\n": False,
        "nan\n1.5\n": False,
        "0,1\n0.5,0.5\n0.5,0.5\n0.5,0.5\n": True,
        "0,1\n0.5,0.5\n": False,
        "0\n1.5\n2.5\n3.5\n4.5\n5.5\n6.5\n": True,
        "0\n1.5\n2.5\n3.5\n4.5\n5.5\n6\n": False,
        ",0.1,0.9\n0,3,4\n1,3,4\n": True,
        ",0.1,0.9\n5.1,3,4\n5.2,3,4\n": False,
        "0,1\n1,0\n": False,
        "label,0,1,2\ncat,.1,.2,.7\ndog,.1,.2,.7\n": True,
        "0,1,2,3,4\n0,0,1,0,0\n": True,
        "id,0.1,0.5\n7,3,4\n": True,
        "id,0.1,0.5\na,3,4\n": False,
        "id,pred\n1,2\nid,pred\n3,4\n": True,
        "label\ncat\nlabel\n": False,
        ",0,1\n0,.5,.5\n1,.2,.8\n": True,
        "3.5\n": False,
        "pred\n": None,
    }.items(),
)
def test_a_header_is_told_from_a_row(text, shows):
    assert header_shows(list(csv.reader(io.StringIO(text)))) is shows


MIXED = {
    "rank": ("rank", "p.csv", "q.parquet", "-t", "t.parquet"),
    "rank, by commas": ("rank", "p.csv", "c.csv", "-t", "c-targets.csv"),
    "compare": ("compare", "q.parquet", "p.csv", "-t", "t.parquet"),
    "compare, by commas": ("compare", "c.csv", "p.csv", "-t", "c-targets.csv"),
    "models in one file": ("compare", "m.csv", "-t", "t.parquet", "--model-column", "model"),
    "a baseline": ("evaluate", "q.parquet", "t.parquet", "--baseline", "p.csv"),
}


@pytest.mark.parametrize("argv", MIXED.values(), ids=MIXED)
def test_options_of_text_are_for_any_input_of_a_command(argv, losscli):
    commas = P.replace(",", ";").replace(".", ",")
    header, *rows = commas.splitlines()
    models = [f"{row};{model}" for model in "ab" for row in rows]
    losscli.write(p=commas, c=P, m="\n".join([f"{header};model", *models, ""]))
    (losscli.folder / "c-targets.csv").write_text(Y)
    pl.read_csv(io.StringIO(P)).write_parquet("q.parquet")
    pl.read_csv(io.StringIO(Y)).write_parquet("t.parquet")
    done = losscli(*argv, "-l", "mae", "--separator", ";", "--decimal", ",", "--json")
    assert done.status == 0, done.err
    assert {result["value"] for result in json.loads(done.out)["results"]} == {0.5}


@pytest.mark.parametrize(
    ("text", "options"),
    [
        ("id\tpred\ty\n1\t2\t4\n", ["--separator", "\t"]),
        ("id pred y\n1 2 4\n", ["--separator", " "]),
        ("id;pred;y\n1;1 002;1 004\n", ["--separator", ";", "--thousands", " "]),
    ],
)
def test_a_blank_is_a_sign(text, options, losscli):
    losscli.write(p=text)
    asked = ["p.csv", "-l", "mean_absolute_error", "-p", "pred", "-y", "y", *options]
    assert losscli.bare(*asked) == [2.0]
    losscli.pastes_back(*asked)
