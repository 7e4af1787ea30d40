"""Names of files and columns, and values, that are empty, not UTF-8, long or would steer a terminal."""

from __future__ import annotations

import json
import os
import sys

import pytest

P, T = "id,prediction\n1,2.5\n2,3.5\n", "id,target\n1,2\n2,4\n"
ODD = os.fsdecode(b"caf\xe9.csv")
STEERING = "a\x1b]52;c;aGk=\x07\n::add-mask::e\n::error::x\u202e\x9b"
needs_bytes = pytest.mark.skipif(sys.platform == "darwin", reason="names of files are UTF-8")


@needs_bytes
@pytest.mark.parametrize(
    "argv",
    [f"evaluate {ODD} t.csv", f"check {ODD} t.csv", f"compare {ODD} p.csv -t t.csv", "evaluate odd t.csv"],
)
def test_a_name_that_is_not_utf_8_is_an_error(argv, losscli):
    losscli.write(p=P, t=T)
    (losscli.folder / "odd").mkdir()
    for path in (losscli.folder / ODD, losscli.folder / "odd" / ODD):
        path.write_text(P)
    losscli.refuses(
        3, *argv.split(), said=["caf\\udce9.csv: cannot be read: its name is not UTF-8", "rename"]
    )


@needs_bytes
def test_a_submission_with_such_a_name_is_not_ranked(losscli):
    losscli.write(t=T)
    folder = losscli.folder / "odd"
    folder.mkdir()
    for name in (ODD, "good.csv"):
        (folder / name).write_text(P)
    report = json.loads(losscli("rank", "odd", "-t", "t.csv", "-l", "mae", "--json").out)
    board = {each["model"]: each for each in report["board"]}
    assert board["good.csv"]["value"] == 0.5
    assert "its name is not UTF-8" in board["caf\ufffd.csv"]["reason"]


def test_a_long_name_is_an_error(losscli):
    losscli.write(t=T)
    losscli.refuses(3, "evaluate", "x" * 131_072, "t.csv", said=["File name too long"])


def test_a_name_with_a_line_break_is_a_name(losscli):
    losscli.write(**{"p\n::error::x": P}, t=T)
    assert losscli.bare("p\n::error::x.csv", "t.csv", "-l", "mae") == [0.5]
    losscli.refuses(
        2, "evaluate", "p\n::error::x.csv", "p\n::error::x.csv", said=["p\\n::error::x.csv was given"]
    )


@pytest.mark.parametrize(
    "files",
    [
        {"p": f'id,prediction\n"{STEERING}",\n', "t": f'id,target\n"{STEERING}",1\n'},
        {"p": f'"{STEERING}","b{STEERING}"\n1,2\n', "t": "target\n1\n"},
        {"p": f'id,prediction\n1,"{STEERING}"\n', "t": "id,target\n1,1\n"},
        {"p": "prediction\nyes\n", "t": f'target\n"{STEERING}"\nno\nmaybe\n'},
    ],
    ids=["a key", "columns", "a value", "labels"],
)
@pytest.mark.parametrize("command", ["evaluate", "check"])
def test_text_of_files_does_not_steer_a_terminal_or_a_log(command, files, losscli):
    losscli.write(**files)
    for argv in (
        ["p.csv", "t.csv", "-v"],
        ["p.csv", "t.csv", "-l", "mae"],
        ["p.csv", "t.csv", "--task", "binary"],
    ):
        done = losscli(command, *argv)
        assert done.status in (0, 2, 3)
        shown = done.out + done.err
        assert all(sign.isprintable() or sign == "\n" for sign in shown), shown
        assert not any(line.strip().startswith("::") for line in shown.splitlines()), shown


def test_a_value_that_is_not_utf_8_is_an_error(losscli):
    losscli.write(p=P, t=T)
    for option in ("--comment", "--pred", "--where", "--positive"):
        done = losscli("evaluate", "p.csv", "t.csv", option, os.fsdecode(b"caf\xe9"))
        assert done.status == 2, done.err
        assert f"{option} must be text in UTF-8, got 'caf\\udce9'" in done.err


@pytest.mark.parametrize(
    ("name", "content", "status"),
    {
        "a header that is long": ("p.csv", "x" * 140_000 + ",y\n1,2\n", 0),
        "a field that is long": ("p.csv", "x,y\n1,2\n" + "3" * 200_000 + ",4\n", 3),
        "a line that is long": ("p.csv", "x,y\n1,2," + "z" * 2_000_000 + "\n", 3),
        "a first line that is long": ("p.csv", "x,y" + "z" * 17_000_000, 3),
        "lists within lists": ("p.ndjson", '{"x": 1, "y": 2}\n{"x": ' + "[" * 2000 + "]" * 2000 + "}\n", 3),
    }.values(),
    ids=["a long header", "a long number", "a long line", "a long first line", "lists within lists"],
)
def test_long_and_deep_text_is_no_bug(name, content, status, losscli):
    (losscli.folder / name).write_text(content)
    argv = ["-l", "mae", "-y", "y", "-p", "x" * 140_000 if status == 0 else "x"]
    assert losscli("evaluate", name, *argv).status == status
