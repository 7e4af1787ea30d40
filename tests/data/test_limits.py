"""What inputs may demand at most: each limit is an error that says how to stay within it."""

from __future__ import annotations

import gzip
import os
import struct
import zipfile
from pathlib import Path
from threading import Thread
from types import SimpleNamespace

import numpy as np
import polars as pl
import pytest

import losscli as package
from losscli.data import limits
from losscli.errors import UsageError
from losscli.plan.options import OPTIONS

ROW = "prediction,target\n1,2\n"
LONG = "A" * 500_000


def test_links_in_a_circle_are_an_error(losscli):
    (losscli.folder / "a" / "b").mkdir(parents=True)
    (losscli.folder / "a" / "b" / "1.csv").write_text(ROW)
    (losscli.folder / "c").symlink_to(losscli.folder / "a")
    assert losscli("evaluate", "**/1.csv", "-l", "mae").status == 0  # a link alone is no circle
    for link in ("a/x", "a/b/y"):
        (losscli.folder / link).symlink_to(losscli.folder / "a")
    for argv in (("evaluate", "**/*.csv"), ("rank", "a/**/*.csv", "-t", "a/b/1.csv")):
        said = ["links lead in a circle", "-> name the folders without **"]
        losscli.refuses(3, *argv, "-l", "mae", said=said)
    assert losscli.bare("a/b/*.csv", "-l", "mae") == [1.0]


def test_links_that_lead_to_each_other_are_a_circle(losscli):
    for here, there in (("a", "b"), ("b", "a")):
        (losscli.folder / here).mkdir()
        (losscli.folder / here / "x").symlink_to(losscli.folder / there)
    losscli.refuses(3, "evaluate", "**/*.csv", said=["links lead in a circle"])


@pytest.mark.parametrize("name", ["MOST_FILES", "MOST_FOLDERS"])
def test_there_are_a_bounded_number_of_files_and_folders(name, losscli, monkeypatch):
    monkeypatch.setattr(limits, name, 2)
    for part in "abcd":
        (losscli.folder / part).mkdir()
        (losscli.folder / part / "1.csv").write_text(ROW)
    said = {"MOST_FILES": "4 files, where one table has 2 at most", "MOST_FOLDERS": "more than 2 folders"}
    losscli.refuses(3, "evaluate", "**/*.csv", said=[said[name], "->"])


@pytest.mark.parametrize("device", ["/dev/zero", "/dev/random", "/dev/null"])
def test_a_device_is_no_file(device, losscli):
    losscli.write(t=ROW)
    for files in ([device], ["t.csv", device]):
        losscli.refuses(
            3, "evaluate", *files, said=[f"{device}: cannot be read: it is a device", "-> name a"]
        )


def test_a_pipe_without_end_leaves_room_for_others(losscli, monkeypatch):
    monkeypatch.setattr(limits.shutil, "disk_usage", lambda folder: SimpleNamespace(free=1 << 20))
    os.mkfifo("p")
    Thread(target=lambda: Path("p").write_text(ROW)).start()
    losscli.refuses(3, "evaluate", "p", "-l", "mae", said=["less than 256 MiB are left", "TMPDIR"])


@pytest.mark.parametrize("suffix", ["csv", "csv.gz", "ndjson", "ndjson.gz"])
def test_a_line_has_an_end(suffix, losscli, monkeypatch):
    for module in ("losscli.data.limits", "losscli.data.formats.text"):
        monkeypatch.setattr(f"{module}.LONGEST_LINE", 1_000)
    text = (b'{"prediction": "' if "ndjson" in suffix else b"") + b"a" * 5_000
    (losscli.folder / f"p.{suffix}").write_bytes(gzip.compress(text) if suffix.endswith("gz") else text)
    said = ["the first line has more than 1,000 characters", "-> is it a table?"]
    losscli.refuses(3, "evaluate", f"p.{suffix}", said=said)


def test_a_header_of_a_million_columns_is_an_error(losscli):
    names = ",".join(["prediction", "target", *map(str, range(1_000_000))])
    losscli.write(p=f"{names}\n{names}\n")
    said = ["1,000,002 columns, where text has 100,000 at most", "-> write lists"]
    losscli.refuses(3, "evaluate", "p.csv", said=said)


# What is far smaller on disk than in memory


def bomb(folder, name):
    """A file of a few kilobytes that holds three megabytes."""
    path, rows = folder / name, "1,2\n" * 800_000
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(f"prediction,target\n{rows}".encode()))
    elif name.endswith(".zst"):
        path.write_bytes(zstd(f"prediction,target\n{rows}".encode()))
    elif name.endswith(".npz"):
        np.savez_compressed(path, prediction=np.zeros(200_000), target=np.zeros(200_000))
    else:
        pl.DataFrame({"prediction": [1.0], "target": [2.0]}).write_excel(path)
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("xl/media/image.bin", bytes(3_200_000))


def zstd(text):
    """A zstd frame of a raw block and one that repeats a character, so that it needs no compressor."""
    head, repeated = text[:100], 100_000
    blocks = [(len(head) << 3, head), *[((repeated << 3) | 2, b"\n")] * 40]
    blocks[-1] = (blocks[-1][0] | 1, b"\n")
    body = b"".join(struct.pack("<I", number)[:3] + content for number, content in blocks)
    return b"\x28\xb5\x2f\xfd" + b"\x00\x58" + body


@pytest.mark.parametrize("name", ["p.csv.gz", "p.npz", "p.xlsx"])
def test_a_small_file_that_holds_much_needs_more_memory(name, losscli):
    bomb(losscli.folder, name)
    argv = ("evaluate", name, "-l", "mae")
    said = [f"{name}: cannot be read", " MB hold ", "more than 100 times as much", "--max-memory"]
    losscli.refuses(3, *argv, "--max-memory", "1MB", said=said)
    assert losscli(*argv, "--max-memory", "4MB").status == losscli(*argv).status == 0
    (losscli.folder / "losscli.toml").write_text('max_memory = "1MB"\n')
    assert losscli(*argv).status == 3


def test_the_blocks_of_zstd_say_how_much_they_hold(losscli):
    bomb(losscli.folder, "p.csv.zst")
    losscli.refuses(
        3, "evaluate", "p.csv.zst", "--max-memory", "1MB", said=["p.csv.zst: cannot be read", "hold 4.0 MB"]
    )
    pl.DataFrame({"prediction": [1.0], "target": [2.0]}).write_csv("q.csv.zst", compression="zstd")
    assert losscli.bare("q.csv.zst", "-l", "mae", "--max-memory", "1") == [1.0]


def test_a_file_that_compresses_little_needs_no_more_memory(losscli):
    rng = np.random.default_rng(0)
    np.savez_compressed("p.npz", prediction=rng.normal(size=1_000), target=rng.normal(size=1_000))
    assert losscli("evaluate", "p.npz", "-l", "mae", "--max-memory", "1").status == 0


@pytest.mark.parametrize(
    ("text", "size"),
    {"1000": 1000, "4GiB": 4 << 30, "1.5 MB": 1_500_000, "2k": 2_000, "1TiB": 1 << 40, "7B": 7}.items(),
)
def test_sizes_have_units(text, size):
    assert OPTIONS["max_memory"].read(text) == size


@pytest.mark.parametrize("text", ["much", "-1", "1e400", "", "GiB", True])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(UsageError, match="--max-memory"):
        package.evaluate([1.0], [2.0], loss="mae", max_memory=text)


# Long text in messages

LONG_TEXT = {
    "an id": ("mae", f"id,prediction,target\n{LONG},x,2\n", None),
    "a number": ("mae", f"prediction,target\n{LONG},2\n", None),
    "a key": ("mae", f"id,prediction\na,1\n{LONG},2\n", "id,target\na,1\nb,2\n"),
    "a duplicate key": ("mae", f"id,prediction\n{LONG},1\n{LONG},2\n", f"id,target\n{LONG},1\n"),
    "a label": ("log_loss", f"prob_a,prob_b,label\n0.5,0.5,a\n0.5,0.5,{LONG}\n", None),
    "a binary label": ("log_loss", f"prob,label\n0.5,a\n0.5,{LONG}\n0.5,c\n", None),
    "a column": ("mae", f"prediction,{LONG},x\n1,2,3\n", None),
}


@pytest.mark.parametrize("case", LONG_TEXT)
def test_a_message_shows_sixty_characters_of_a_value(case, losscli):
    loss, p, t = LONG_TEXT[case]
    losscli.write(p=p, **({"t": t} if t else {}))
    done = losscli("evaluate", "p.csv", *(["t.csv"] if t else []), "-l", loss)
    assert done.status in (2, 3)
    assert "A" * 40 in done.err
    assert "A" * 61 not in done.err
