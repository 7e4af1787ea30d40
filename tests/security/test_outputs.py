"""What is written is whole or absent, and nothing else is left behind, however the program ends."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from support.process import LOSSCLI, PLAIN, process

from losscli.data import scratch
from losscli.data.writer import Draft, publish, write

P, T = "id,prediction\n1,2.5\n2,3.5\n", "id,target\n1,2\n2,4\n"
FILES = ("p.csv", "t.csv", "-l", "mae")
DAY = 24 * 3600


@pytest.fixture
def program(losscli):
    losscli.write(p=P, t=T)
    return losscli


def names(folder=".") -> set[str]:
    return {each.name for each in Path(folder).iterdir()} - {"p.csv", "t.csv"}


# What is replaced


def test_an_output_keeps_the_permissions_and_the_owner_of_the_file_it_replaces(program):
    for name in ("r.json", "rows.csv"):
        Path(name).write_text("old")
        os.chmod(name, 0o640)
        if os.getuid() == 0:
            os.chown(name, 12345, 54321)
    before = [(found.st_mode, found.st_uid, found.st_gid) for found in map(os.stat, ("r.json", "rows.csv"))]
    assert program("evaluate", *FILES, "-o", "r.json", "--rows", "rows.csv").status == 0
    after = [(found.st_mode, found.st_uid, found.st_gid) for found in map(os.stat, ("r.json", "rows.csv"))]
    assert before == after
    assert Path("rows.csv").read_text() == "row,id,mean_absolute_error\n1,1,0.5\n2,2,0.5\n"


def test_a_secret_file_is_secret_while_it_is_replaced(tmp_path):
    path = tmp_path / "r.json"
    path.write_text("old")
    path.chmod(0o400)
    draft = Draft(path)
    assert stat.S_IMODE(os.stat(draft.name).st_mode) == 0o600
    publish([draft])
    assert stat.S_IMODE(path.stat().st_mode) == 0o400


@pytest.mark.parametrize(
    "argv",
    [
        "evaluate p.csv t.csv -l mae -o t.csv",
        "evaluate p.csv t.csv -l mae --rows p.csv",
        "evaluate p.csv t.csv -l mae -o x.csv --rows x.csv",
        "evaluate p.csv t.csv -l mae -o x.csv -o ./x.csv",
        "evaluate p.csv t.csv -l mae -g mae<=base --baseline r.json -o r.json",
        "evaluate p.csv t.csv -l mae -o link.csv",
        "compare p.csv q.csv -t t.csv -l mae -o q.csv",
        "rank p.csv q.csv -t t.csv -l mae -o p.csv",
        "rank p.csv q.csv -t t.csv -l mae -o t.csv",
        "gate r.json -g mae<=1 -o r.json",
        "gate r.json r2.json -g mae<=base -o r2.json",
        "show r.json -o r.json",
        "show r.json r2.json -o r2.md -o r2.md",
    ],
)
def test_an_input_is_never_replaced_and_no_file_is_written_twice(argv, program):
    assert program("evaluate", *FILES, "-o", "r.json", "-o", "r2.json").status == 0
    program.write(q=P.replace("3.5", "3.75"))
    os.symlink("t.csv", "link.csv")
    before = {path: path.read_text() for path in Path().iterdir()}
    done = program(*argv.split())
    assert (done.status, done.out) == (2, ""), done
    assert "name another file" in done.err
    assert {path: path.read_text() for path in Path().iterdir()} == before


def test_what_is_no_file_is_not_replaced(program):
    os.mkfifo("pipe.json")
    program.refuses(
        3, "evaluate", *FILES, "-o", "pipe.json", said=["pipe.json: cannot be written: it is not"]
    )
    assert stat.S_ISFIFO(os.stat("pipe.json").st_mode)


@pytest.mark.parametrize("outputs", [("r.json", "r.md"), ("r.json",)])
@pytest.mark.parametrize("existing", [True, False])
def test_several_outputs_are_all_or_none(outputs, existing, program, monkeypatch):
    targets = [*outputs, "rows.csv"]
    if existing:
        for name in targets:
            Path(name).write_text("old")
    replace = os.replace

    def fails_at_last(source, target):
        if Path(target).name == targets[-2] and ".losscli." in str(source) and not fails:
            fails.append(target)
            raise PermissionError(1, "Operation not permitted", str(target))
        replace(source, target)

    fails: list[str] = []
    monkeypatch.setattr(os, "replace", fails_at_last)
    flags = [word for name in outputs for word in ("-o", name)]
    program.refuses(3, "evaluate", *FILES, *flags, "--rows", "rows.csv", said=[f"{targets[-2]}: cannot be"])
    assert names() == (set(targets) if existing else set())
    assert all(Path(name).read_text() == "old" for name in names())


@pytest.mark.parametrize("existing", [True, False])
@pytest.mark.parametrize("count", [1, 2])
def test_an_interrupt_between_two_renames_brings_back_what_was_there(count, existing, tmp_path, monkeypatch):
    paths = [tmp_path / f"{number}.json" for number in range(count)]
    if existing:
        for path in paths:
            path.write_text("old")
    replace = Draft.replace

    def interrupted(draft):
        replace(draft)
        if draft._final == paths[-1]:
            raise KeyboardInterrupt

    monkeypatch.setattr(Draft, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write([(path, "new") for path in paths])
    if count > 1:
        assert [path.read_text() for path in tmp_path.iterdir()] == (["old", "old"] if existing else [])
    else:  # which is either there or not
        assert [path.read_text() for path in tmp_path.iterdir()] == (["new"] if existing else [])


def test_an_output_that_cannot_be_rendered_leaves_nothing(program, monkeypatch):
    Path("rows.csv").write_text("old")
    monkeypatch.setattr("losscli.cli.output.render", lambda *given, **options: 1 / 0)
    assert program("evaluate", *FILES, "-o", "r.json", "--rows", "rows.csv").status == 70
    assert names() == {"rows.csv"}
    assert Path("rows.csv").read_text() == "old"


def test_rows_are_not_written_if_the_report_cannot_be(program):
    Path("rows.csv").write_text("old")
    Path("d.json").mkdir()
    program.refuses(2, "evaluate", *FILES, "--rows", "rows.csv", "-o", "d.json", said=["is a folder"])
    Path("closed").mkdir()
    os.mkfifo("closed/r.json")
    program.refuses(3, "evaluate", *FILES, "--rows", "rows.csv", "-o", "closed/r.json", said=["not a file"])
    assert Path("rows.csv").read_text() == "old"
    assert names() == {"rows.csv", "d.json", "closed"}


# What is left behind


def test_the_next_run_deletes_what_a_killed_one_left_behind(program, monkeypatch):
    old, new, other = (Path(f".losscli.{16 * sign}.json") for sign in "abc")
    folder, fresh = Path(f".losscli.{16 * 'd'}"), Path(f".losscli.{16 * 'e'}")
    keeps = [
        Path(".losscli.toml"),
        Path(f".losscli.{16 * 'g'}"),
        Path(f"losscli.{16 * 'a'}.json"),
        new,
        fresh,
    ]
    for path in (old, new, other, *keeps[:3]):
        path.write_text("left")
    for path in (folder, fresh):
        path.mkdir()
        (path / "lines").write_text("left")
    for path in (old, other, *keeps[:3], folder / "lines", folder, fresh):
        os.utime(path, times=(time.time() - DAY - 60,) * 2)
    if os.getuid() == 0:
        os.chown(other, 12345, -1)
        keeps.append(other)
    assert program("evaluate", *FILES, "-o", "r.json").status == 0
    assert names() == {"r.json", *map(str, keeps)}
    for path in (*keeps[:4], Path("r.json")):
        path.unlink()
    folder.mkdir()
    os.utime(folder, times=(time.time() - DAY - 60,) * 2)
    monkeypatch.setattr("tempfile.tempdir", str(program.folder))
    assert program("rank", "p.csv", "-t", "t.csv", "-l", "mae").status == 0
    assert not folder.exists()


def test_a_folder_of_submissions_has_no_leftovers(program):
    Path("s").mkdir()
    for name in ("a.csv", f".losscli.{16 * 'a'}.csv"):
        Path("s", name).write_text(P)
    assert ".losscli" not in program("rank", "s", "-t", "t.csv", "-l", "mae").out


SLOW = """
import time
from losscli.cli import main
from losscli.data.writer import Writer
from losscli.evaluation.ties import Lines

def slow(function):
    def slowed(*given):
        found = function(*given)
        print("half", flush=True)
        time.sleep(60)
        return found
    return slowed

Writer.put, Lines.add = slow(Writer.put), slow(Lines.add)
main()
"""
"""The program, which waits in the middle of its work."""
RANK, ROWS = "rank p.csv -t t.csv -l mae -o r.json", "evaluate p.csv t.csv -l mae --rows r.csv"


@pytest.mark.parametrize(
    ("name", "argv"),
    [
        ("SIGTERM", RANK),
        ("SIGKILL", ROWS),
        pytest.param("SIGHUP", ROWS, marks=pytest.mark.slow),
        pytest.param("SIGHUP", RANK, marks=pytest.mark.slow),
        pytest.param("SIGINT", RANK, marks=pytest.mark.slow),
        pytest.param("SIGKILL", RANK, marks=pytest.mark.slow),
        pytest.param("SIGTERM", ROWS, marks=pytest.mark.slow),
        pytest.param("SIGINT", ROWS, marks=pytest.mark.slow),
    ],
)
def test_nothing_is_left_after_a_signal(name, argv, program):
    def hangs_up():  # also where nohup started the tests
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

    Path("tmp").mkdir()
    number = getattr(signal, name)
    argv = [sys.executable, "-c", SLOW, *argv.split()]
    pipes = {"stdout": -1, "stderr": -1, "text": True, "bufsize": 1}
    with subprocess.Popen(argv, env=PLAIN | {"TMPDIR": "tmp"}, preexec_fn=hangs_up, **pipes) as running:
        assert running.stdout.readline() == "half\n"
        running.send_signal(number)
        _, err = running.communicate(timeout=30)
    left = names() - {"tmp"} | names("tmp")
    if name == "SIGKILL":
        assert len(left) == 1
        assert scratch._NAME.fullmatch(*left)
    else:
        words = {"SIGINT": "interrupted", "SIGTERM": "terminated", "SIGHUP": "hung up"}
        assert (running.returncode, err) == (128 + number, f"losscli: {words[name]}\n")
        assert left == set()


@pytest.mark.slow
def test_a_signal_that_is_ignored_stays_so(program):
    script = "trap '' HUP; exec \"$@\""
    argv = ["bash", "-c", script, "-", sys.executable, "-c", SLOW.replace("60", "1")]
    argv += [*ROWS.split(), "-q"]
    with subprocess.Popen(argv, env=PLAIN, stdout=-1, stderr=-1, text=True, bufsize=1) as running:
        assert running.stdout.readline() == "half\n"
        running.send_signal(signal.SIGHUP)
        assert running.wait(timeout=30) == 0
    assert names() == {"r.csv"}


# Full disks, and files that become shorter


def small_disk() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


@pytest.fixture
def large(program):
    numbers = np.random.default_rng(0).random(50_000)  # which no format makes smaller
    frame = pl.DataFrame({"id": range(len(numbers)), "prediction": numbers})
    program.write(p=frame, t=frame.select("id", target=pl.lit(0.0)))
    return program.folder


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        ("rank p.csv -t t.csv -l mae", "tmp: temporary files cannot be written"),
        pytest.param(
            "evaluate p.csv.gz t.csv -l mae --escape \\", "File too large in ", marks=pytest.mark.slow
        ),
        pytest.param(f"{ROWS}", "r.csv: cannot be written: ", marks=pytest.mark.slow),
        pytest.param(
            "evaluate p.csv t.csv -l mae --rows r.parquet",
            "r.parquet: cannot be written: ",
            marks=pytest.mark.slow,
        ),
    ],
)
def test_a_full_disk_is_status_3(argv, said, large):
    (large / "tmp").mkdir()
    subprocess.run(["gzip", "-k", "p.csv"], check=True)
    done = subprocess.run(
        [*LOSSCLI, *argv.split()],
        env=PLAIN | {"TMPDIR": "tmp"},
        capture_output=True,
        text=True,
        preexec_fn=small_disk,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (3, ""), done
    assert done.stderr.startswith("losscli: error: ")
    assert said in done.stderr
    assert "File too large" in done.stderr
    assert names() - {"tmp", "p.csv.gz"} | names("tmp") == set()


TRUNCATED = """
import os, sys
from losscli.evaluation import block
from losscli.cli import main
from losscli.plan import plan

plan.BLOCK_NUMBERS = 1 << 18
take, blocks = block.take, []

def truncating(*given):
    blocks.append(given)
    if len(blocks) == 2:
        os.truncate(sys.argv[2], 1000)
    return take(*given)

block.take = truncating
main()
"""
"""The program, whose first file becomes shorter while it is read."""


MORE = [pytest.param(each, marks=pytest.mark.slow) for each in ("csv", "arrow", "parquet", "ndjson")]


@pytest.mark.parametrize("suffix", ["npy", *MORE])
def test_a_file_that_becomes_shorter_is_status_3(suffix, program):
    frame = pl.DataFrame({"prediction": pl.int_range(3_000_000, eager=True) * 0.5})
    path = program.folder / f"p.{suffix}"
    if suffix == "npy":
        import numpy as np

        np.save(path, frame["prediction"].to_numpy())
        np.save("t.npy", frame["prediction"].to_numpy())
    else:
        frame = frame.with_columns(target=pl.col("prediction") + 1)
        write = {"csv": frame.write_csv, "arrow": frame.write_ipc, "parquet": frame.write_parquet}
        write.get(suffix, frame.write_ndjson)(path)
    program_ = [sys.executable, "-c", TRUNCATED]
    files = [path.name, *(["t.npy"] if suffix == "npy" else [])]
    status, out, err = process(
        program.folder, "evaluate", *files, "-l", "mae", "--threads", "1", program=program_
    )
    assert (status, out) == (3, "")
    assert err.startswith("losscli: error: ")
    assert any(word in err for word in ("became shorter", "damaged", "could be read")), err


def test_what_threads_write_after_an_interrupt_is_deleted_at_the_end(tmp_path, monkeypatch):
    delete, again = shutil.rmtree, 3

    def deleted(path, **options):
        """As if a thread that is still at work wrote to the folder as soon as it was empty."""
        nonlocal again
        delete(path, **options)
        if again:
            again -= 1
            os.mkdir(path)
            (Path(path) / "column-0").touch()

    monkeypatch.setattr(shutil, "rmtree", deleted)
    with pytest.raises(KeyboardInterrupt), scratch.folder(tmp_path):
        raise KeyboardInterrupt
    assert [*tmp_path.iterdir()]
    scratch.remove_all()
    assert not [*tmp_path.iterdir()]
