"""Data, reports and repositories are read, and nothing in them is run."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from losscli.errors import DataError
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
