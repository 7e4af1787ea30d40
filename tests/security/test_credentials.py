"""Credentials in URLs are in no message, whatever option names the URL; `tests/data` reads from such URLs."""

from __future__ import annotations

import pytest

import losscli as package
from losscli.errors import LossCliError
from losscli.text import without_credentials

URL = "https://me:hunter2@localhost/models/x.{}?sig=abcdef"
P, T = "id,prediction\n1,2.5\n2,3.5\n", "id,target\n1,2\n2,4\n"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:pass@host/x.csv", "https://***@host/x.csv"),
        ("https://token@host/x.csv", "https://***@host/x.csv"),
        ("https://me:p@ss@host/x.csv", "https://***@host/x.csv"),
        ("https://host/x.csv?sig=a&b=c", "https://host/x.csv?***"),
        ("https://host/x.csv?token", "https://host/x.csv?***"),
        ("s3://key:secret@bucket/x.csv", "s3://***@bucket/x.csv"),
        ("az://box/x.csv?sv=1&sig=2", "az://box/x.csv?***"),
        ("https:/me:pass@host/x.csv?a=b", "https:/***@host/x.csv?***"),
        ("C:/me@host/x.csv", "C:/me@host/x.csv"),
        ("s3://bucket/part-?.csv", "s3://bucket/part-?.csv"),
        ("s3://bucket/year=2024/x.csv", "s3://bucket/year=2024/x.csv"),
        ("me@host: 'https://a:b@c/d?e=f' and 'x@y?z=1'", "me@host: 'https://***@c/d?***' and 'x@y?z=1'"),
    ],
)
def test_what_is_shown_of_a_url(url, shown):
    assert without_credentials(url) == shown


@pytest.mark.parametrize(
    "argv",
    [
        "evaluate URL.unknown t.csv",
        "evaluate p.csv URL.unknown",
        "evaluate URL.xlsx t.csv",
        "evaluate URL.csv URL.csv --on position --by nothing --separator no",
        "evaluate p.csv t.csv -l mae -o URL.json",
        "evaluate p.csv t.csv -l mae --rows URL.csv",
        "evaluate p.csv t.csv -l URL.py:f",
        "evaluate p.csv t.csv -l mae -g mae<=base --baseline URL.json",
        "evaluate p.csv t.csv -l mae -g mae<=base --baseline git:HEAD:URL.json",
        "evaluate p.csv t.csv -c URL.toml",
        "check p.csv t.csv --verify URL.json",
        "check p.csv URL.unknown --public",
        "compare URL.csv URL.csv -t t.csv",
        "rank URL.csv URL.csv -t t.csv",
        "rank URL.unknown -t t.csv -l mae",
        "gate URL.json -g mae<=1",
        "gate p.csv URL.json -g mae<=base",
        "show URL.json",
        "explain mae URL.unknown",
        "init URL.csv t.csv",
        "evaluate p.csv t.csv --task URL.csv",
        "evaluate p.csv t.csv -l URL.csv",
    ],
)
@pytest.mark.parametrize("debug", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_a_message_shows_no_credentials(argv, debug, losscli):
    losscli.write(p=P, t=T)
    words = []
    for word in argv.split():
        before, url, suffix = word.partition("URL.")
        words.append(before + URL.format(suffix) if url else word)
    done = losscli(*words, *(["--debug"] if debug else []))
    assert done.status in (2, 3), done
    for secret in ("hunter2", "abcdef"):
        assert secret not in done.out + done.err
    assert "Traceback" not in done.err or debug


def test_an_exception_shows_no_credentials(tmp_path):
    with pytest.raises(LossCliError) as error:
        package.rank(URL.format("unknown"), targets=[1.0], loss="mae")
    assert "hunter2" not in f"{error.value}{error.value.problems}"


def test_settings_do_not_keep_credentials(losscli):
    losscli.write(t=T)
    losscli.refuses(2, "init", URL.format("csv"), "t.csv", said=["has credentials, which losscli.toml would"])
    assert not (losscli.folder / "losscli.toml").exists()


def test_what_is_hidden_of_targets_is_hidden_whatever_they_are_called(losscli):
    name = "t\x1b[31m.csv"
    losscli.write(p=P)
    (losscli.folder / name).write_text("id,target\n1,secret\n2,4\n")
    losscli.refuses(3, "check", "p.csv", name, "--public", "--task", "regression", said=["not shown"])
    assert "secret" not in losscli("check", "p.csv", name, "--public", "--task", "regression").err
