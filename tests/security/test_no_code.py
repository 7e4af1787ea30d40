"""Data, reports and repositories are read, and nothing in them is run."""

from __future__ import annotations

import os
import pickle
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.process import process

import losscli
from losscli.errors import DataError, UsageError
from losscli.report import saved

GIT = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]


def git(folder: Path, *argv: str) -> None:
    subprocess.run([*GIT, "-C", str(folder), *argv], check=True, capture_output=True)


@pytest.fixture
def upstream(tmp_path):
    """A repository with a report, which a partial clone would fetch from."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "r.json").write_text("{}")
    for argv in ("init -q", "add r.json", "commit -qm report", "config uploadpack.allowFilter true"):
        git(folder, *argv.split())
    return folder


@pytest.mark.parametrize(
    "settings",
    [
        {"remote.origin.url": "ext::touch {ran}", "protocol.ext.allow": "always"},
        {"remote.origin.uploadpack": "touch {ran};git-upload-pack"},
        {"remote.origin.url": "ssh://host/x", "core.sshCommand": "touch {ran};"},
    ],
    ids=["a transport", "the other side's program", "ssh"],
)
def test_an_object_that_a_partial_clone_lacks_is_not_fetched(settings, upstream, tmp_path, monkeypatch):
    clone, ran = tmp_path / "clone", tmp_path / "ran"
    git(tmp_path, "clone", "-q", "--no-checkout", "--filter=blob:none", upstream.as_uri(), str(clone))
    for name, value in settings.items():
        git(clone, "config", name, value.format(ran=ran))
    monkeypatch.chdir(clone)
    with pytest.raises(DataError, match="git has no such file"):
        saved.load("git:HEAD:r.json")
    assert not ran.exists()
    # Git by itself does run it, or this test would show nothing.
    subprocess.run([*GIT, "cat-file", "blob", "HEAD:r.json"], capture_output=True)
    assert ran.exists()


def test_a_bare_repository_that_came_with_the_files_is_not_read(upstream, tmp_path, monkeypatch):
    planted = tmp_path / "files" / "planted"
    git(tmp_path, "clone", "-q", "--bare", str(upstream), str(planted))
    monkeypatch.chdir(planted)
    with pytest.raises(DataError, match="git has no such file"):
        saved.load("git:HEAD:r.json")


@pytest.mark.parametrize(
    "settings",
    [
        {"core.fsmonitor": "touch {ran}"},
        {"core.pager": "touch {ran}", "pager.cat-file": "true"},
        {"filter.x.smudge": "touch {ran}", "filter.x.required": "true"},
        {"diff.x.textconv": "touch {ran}", "diff.external": "touch {ran}"},
    ],
    ids=["fsmonitor", "pager", "filter", "textconv"],
)
def test_programs_that_a_repository_names_are_not_run(settings, upstream, tmp_path, monkeypatch):
    ran = tmp_path / "ran"
    (upstream / ".gitattributes").write_text("*.json filter=x diff=x\n")
    for name, value in settings.items():
        git(upstream, "config", name, value.format(ran=ran))
    monkeypatch.chdir(upstream)
    with pytest.raises(DataError, match="is not a losscli report"):
        saved.load("git:HEAD:r.json")
    assert not ran.exists()


class Bomb:
    """Whoever unpickles it makes a folder."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("name", ["p.npy", "p.npz", "compressed.npz", "fields.npy", "p.pkl"])
def test_a_pickle_in_data_is_not_read(name, losscli):
    array = np.array([Bomb(), Bomb()], dtype=object)
    if name == "p.npy":
        np.save(name, array, allow_pickle=True)
    elif name == "p.npz":
        np.savez(name, prediction=array)
    elif name == "compressed.npz":
        np.savez_compressed(name, prediction=array)
    elif name == "fields.npy":
        np.save(name, np.array([(1.0, Bomb())], dtype=[("prediction", "f8"), ("x", "O")]), allow_pickle=True)
    else:
        Path(name).write_bytes(pickle.dumps(array))
    losscli.write(t="target\n1\n2\n")
    for command in ("evaluate", "check", "explain"):
        argv = ["mae", name] if command == "explain" else [name]
        losscli.refuses(3, command, *argv, "t.csv", said=[f"{name}: "])
    assert not Path("ran").exists()


OWN = """
from losscli.custom import Regression

open("ran", "w").close()

def own(batch: Regression):
    return batch.abs_error
"""


@pytest.fixture
def own(losscli):
    """A folder with predictions, targets, and a loss whose file leaves a trace when it is run."""
    losscli.write(
        p="id,prediction\n1,2.5\n2,3.5\n", t="id,target\n1,2\n2,4\n", own_py=f"# {losscli.folder}{OWN}"
    )
    assert losscli("evaluate", "p.csv", "t.csv", "-l", "mae", "-o", "r.json").status == 0
    return losscli


@pytest.mark.parametrize(
    "argv",
    [
        "check p.csv t.csv -l own.py:own",
        "check p.csv t.csv -l own.py:own --public",
        "evaluate p.csv t.csv -l own.py:own --dry-run",
        "evaluate p.csv t.csv -l own.py:own -g own<=1 --dry-run",
        "compare p.csv q.csv -t t.csv -l own.py:own --dry-run",
        "evaluate p.csv t.csv -l own.py:own --baseline q.csv --dry-run",
        "gate r.json -g own<=1",
        "gate r.json -g own.py:own<=1",
    ],
)
@pytest.mark.parametrize("in_settings", [False, True], ids=["by flags", "by settings"])
def test_checks_dry_runs_and_gates_run_no_code(argv, in_settings, own):
    own.write(q=Path("p.csv").read_text())
    words = argv.split()
    if in_settings and "-l" in words:
        at = words.index("-l")
        del words[at : at + 2]
        own.write(losscli_toml='loss = "own.py:own"\n')
    done = own(*words)
    assert not Path("ran").exists(), done
    if words[0] != "gate":
        assert done.status == 0, done.err
        assert "--public" in words or "own.py:own is code and was not run" in done.out + done.err
    assert own("evaluate", "p.csv", "t.csv", "-l", "own.py:own").status == 0
    assert Path("ran").exists()


def test_the_plan_of_a_dry_run_keeps_the_losses_that_were_not_run(own):
    words = ["p.csv", "t.csv", "-l", "own.py:own:slope=2"]
    assert own("evaluate", *words, "--dry-run").err.splitlines()[0].endswith(" -l own.py:own:slope=2")
    assert " -l huber -l own.py:own:slope=2\n" in own("check", *words, "-l", "huber").out


@pytest.fixture
def other_user(monkeypatch):
    """Makes a path that of another user: the only one if root runs the tests, else all of them are."""

    def give_away(path):
        if os.getuid() == 0:
            os.chown(path, 12345, -1, follow_symlinks=False)
        else:
            monkeypatch.setattr(os, "getuid", lambda: 12345)

    return give_away


def test_settings_of_another_user_are_taken_nowhere_unless_they_are_named(own, other_user, monkeypatch):
    own.write(losscli_toml='loss = "mse"\n')
    other_user("losscli.toml")
    Path("sub").mkdir()
    said = "losscli.toml: belongs to another user\n  -> -c losscli.toml takes it anyway"
    own.refuses(2, "evaluate", "p.csv", "t.csv", said=[said])
    assert own.bare("p.csv", "t.csv", "-c", "losscli.toml") == [0.25]
    monkeypatch.chdir("sub")
    own.refuses(2, "evaluate", "../p.csv", "../t.csv", said=["../losscli.toml: belongs to another user"])


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("whose", ["the link", "the file"])
def test_a_link_is_nobody_elses_and_leads_to_nobody_elses(whose, own, other_user):
    folder = own.folder / "project"
    folder.mkdir()
    (folder / "losscli.toml").write_text('loss = "mse"\n')
    os.symlink(folder / "losscli.toml", "losscli.toml")
    assert own.bare("p.csv", "t.csv") == [0.25]
    other_user("losscli.toml" if whose == "the link" else folder / "losscli.toml")
    own.refuses(2, "evaluate", "p.csv", "t.csv", said=["losscli.toml: belongs to another user"])


def test_display_options_of_another_user_are_not_taken(own, other_user):
    path = own.folder / "own" / "losscli" / "config.toml"
    path.parent.mkdir(parents=True)
    path.write_text("json = true\n")
    assert own("evaluate", "p.csv", "t.csv", "-l", "mae").out.startswith("{")
    other_user(path)
    own.refuses(2, "evaluate", "p.csv", "t.csv", "-l", "mae", said=["config.toml: belongs to another user"])
    assert own("evaluate", "p.csv", "t.csv", "-l", "mae", "--no-config").status == 0


def test_settings_in_a_folder_of_another_user_run_no_code(own, other_user):
    own.write(losscli_toml='loss = "own.py:own"\n')
    other_user(".")
    said = [
        "losscli.toml, key loss: own.py:own is code, and the folder belongs to another user",
        "-> -l own.py",
    ]
    own.refuses(2, "evaluate", "p.csv", "t.csv", said=said)
    own.refuses(2, "evaluate", "p.csv", "t.csv", "-c", "losscli.toml", said=said)
    with pytest.raises(UsageError, match="is code"):
        losscli.evaluate("p.csv", "t.csv", config="losscli.toml")
    assert not Path("ran").exists()
    assert own.bare("p.csv", "t.csv", "-l", "own.py:own") == [0.5]


def test_the_action_takes_no_module_from_the_folder_of_the_job():
    action = (Path(__file__).parents[2] / ".github/actions/losscli/action.yml").read_text()
    assert action.count("python3") == action.count("python3 -I ") == 1


def test_no_module_is_taken_from_the_current_folder(own):
    for name in ("polars", "numpy", "typer", "rich", "fractions", "csv"):
        Path(f"{name}.py").write_text("open('ran', 'w').close()\n")
    assert process(own.folder, "evaluate", "p.csv", "t.csv", "-l", "mae", "--bare") == (0, "0.5\n", "")
    assert not Path("ran").exists()
