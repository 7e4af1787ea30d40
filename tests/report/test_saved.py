"""Saved reports: judged again, as baselines, out of git, and reproduced."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, ClassVar

import pytest
from support.program import CHECKOUT, Program

import losscli
from losscli.errors import DataError, UsageError
from losscli.evaluation.hooks import Hooks
from losscli.report import saved

ROOT = Path(__file__).parent.parent.parent
GIT = ["git", "-c", "user.name=n", "-c", "user.email=e@x", "-c", "commit.gpgsign=false"]


class Unsaved(Hooks):
    """Hooks of a report that is shown and not saved."""

    kept = False


@pytest.fixture
def program(losscli, monkeypatch) -> Program:
    """The program as it runs outside of a job on GitHub."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return losscli


@pytest.fixture
def folder(program):
    program.write(
        p="id,pred\n" + "".join(f"{i},{i + 0.1 * (i % 7)}\n" for i in range(50)),
        t="id,y,r\n" + "".join(f"{i},{i},{'ab'[i % 2]}\n" for i in range(50)),
    )
    return program.folder


FILES = ("p.csv", "t.csv", "-l", "mae", "--by", "r")


@pytest.fixture
def report(program, folder):
    assert program("evaluate", *FILES, "-o", "r.json", "-q")[0] == 0
    return folder / "r.json"


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        (["-g", "mae <= 1"], 0),
        (["-g", "mae <= 0.1"], 1),
        (["-g", "mae <= 0.31", "--confident"], 0),
        (["-g", "mae <= 0.31", "--strict"], 1),
        (["-g", "mae[r=*] <= 1", "--min-n", "26"], 3),
        (["-g", "mse <= 1"], 3),
        (["-g", "mae <= base"], 3),
        (["r.json", "-g", "mae[r=*] <= base"], 0),
        (["r.json", "-g", "mae <= 1"], 2),
        ([], 2),
        (["-g", "mae <= 1", "--min-n", "x"], 2),
        (["none.json", "-g", "mae <= base"], 3),
    ],
)
def test_gate_judges_a_saved_report(program, report, argv, status):
    assert program("gate", "r.json", *argv)[0] == status


def test_gate_loads_no_engine(report):
    code = (
        "import sys; from losscli.cli.app import run\n"
        "s = run(['gate', 'r.json', '-g', 'mae <= 1', '--json'])\n"
        "sys.exit(s or bool({'polars'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_the_baseline_of_an_evaluation(program, report):
    assert program("evaluate", *FILES, "--baseline", "r.json", "-g", "mae <= base")[0] == 0
    status, out, _ = program("evaluate", *FILES, "--baseline", "r.json", "-g", "mae <= base - 50%", "--json")
    (verdict,) = json.loads(out)["gates"]
    assert status == 1
    assert verdict["limit"] == pytest.approx(verdict["base"] / 2, rel=1e-15)
    again = losscli.evaluate("p.csv", "t.csv", "mae", baseline=report, gate="mae <= base", min_n=2)
    assert again.gates[0].status == "pass"


@pytest.mark.parametrize(
    ("argv", "status", "said"),
    [
        (["--baseline", "old.parquet", "-g", "mae <= base"], 3, "old.parquet: no such file"),
        (["--baseline", "r.json", "-g", "mae <= 1"], 2, "no gate refers to base"),
        (["--baseline", "r.json", "-g", "mae <= base", "--where", "y > 5"], 2, "made with where none"),
        (["--confident"], 2, "have no effect without a gate"),
    ],
)
def test_what_makes_no_sense_is_refused(program, report, argv, status, said):
    found = program("evaluate", *FILES, *argv)
    assert (found[0], said in found[2]) == (status, True)


def test_targets_are_known_whatever_their_order(folder):
    lines = (folder / "t.csv").read_text().splitlines()
    (folder / "u.csv").write_text("\n".join([lines[0], *reversed(lines[1:])]) + "\n")
    (folder / "v.csv").write_text("\n".join([*lines[:-1], "49,48.5,b"]) + "\n")
    one, other, changed = (
        losscli.evaluate("p.csv", name, "mae", on="id").provenance["targets"]
        for name in ("t.csv", "u.csv", "v.csv")
    )
    assert one == other != changed


def test_targets_are_told_apart_only_where_reports_are_kept(program, report):
    known = saved.load(report.name).provenance["targets"]
    assert json.loads(program("evaluate", *FILES, "--json")[1])["provenance"]["targets"] == known
    assert losscli.evaluate("p.csv", "t.csv", "mae").provenance["targets"] == known
    assert "targets" not in losscli.evaluate("p.csv", "t.csv", "mae", hooks=Unsaved()).provenance
    (report.parent / "q.csv").write_text((report.parent / "p.csv").read_text())
    models = ("p.csv", "q.csv", "-t", "t.csv", "-l", "mae")
    assert json.loads(program("compare", *models, "--json")[1])["provenance"]["targets"] == known


def committed(folder: Path, *names: str) -> None:
    """Commit files, and remove them from the working tree."""
    subprocess.run([*GIT, "init", "-q"], cwd=folder, check=True, capture_output=True)
    for argv in (["add", *names], ["commit", "-qm", "files"], ["rm", "-q", "--cached", *names]):
        subprocess.run([*GIT, *argv], cwd=folder, check=True, capture_output=True)
    for name in names:
        (folder / name).unlink()


def test_predictions_may_be_those_of_a_revision(program, report, folder):
    (folder / "q.csv").write_text((folder / "p.csv").read_text().replace(".1", ".2"))
    here = program("compare", "q.csv", "p.csv", "-t", "t.csv", "-l", "mae", "--json").out
    against = ("evaluate", "p.csv", "t.csv", "-l", "mae", "-g", "mae <= base + 1%", "--json", "--baseline")
    expected = json.loads(program(*against, "q.csv").out)
    committed(folder, "q.csv")
    there = program("compare", "git:HEAD:q.csv", "p.csv", "-t", "t.csv", "-l", "mae", "--json").out
    numbers = [json.loads(each)["comparisons"][0]["difference"] for each in (here, there)]
    assert numbers[0] == numbers[1] != 0
    done = program(*against, "git:HEAD:q.csv")
    found = json.loads(done.out)
    assert (done.status, found["gates"]) == (0, expected["gates"])


def test_a_shallow_clone_is_told_how_much_to_fetch(program, report, folder, tmp_path, monkeypatch):
    committed(folder, "r.json")
    subprocess.run(
        [*GIT, "commit", "-qm", "more", "--allow-empty"], cwd=folder, check=True, capture_output=True
    )
    clone = tmp_path / "clone"
    subprocess.run([*GIT, "clone", "-q", "--depth", "1", f"file://{folder}", str(clone)], check=True)
    monkeypatch.chdir(clone)
    with pytest.raises(DataError) as error:
        saved.load("git:HEAD~1:r.json")
    (problem,) = error.value.problems
    assert problem.what == "git has no revision HEAD~1"
    assert "fetch-depth: 0 in actions/checkout" in problem.remedy
    monkeypatch.chdir(folder)
    with pytest.raises(DataError) as error:
        saved.load("git:gone:r.json")
    assert "fetch-depth" not in error.value.problems[0].remedy


@pytest.mark.parametrize(
    "place", ["old.json", "git:HEAD:old.json", "old.parquet", "git:HEAD:old.parquet", "old*.csv"]
)
def test_the_first_run_has_no_baseline_yet(program, report, folder, place):
    committed(folder, "r.json")
    argv = ["evaluate", *FILES, "-g", "mae <= base", "-g", "mae <= 1", "--baseline", place, "-o", "new.json"]
    assert program(*argv).status == 3
    done = program(*argv, "--baseline-missing", "skip", "--json")
    assert done.status == 0
    found = json.loads((folder / "new.json").read_text())
    assert [(each["status"], each["reason"]) for each in found["gates"]] == [
        ("skipped", "no baseline yet"),
        ("pass", ""),
    ]
    assert {"code": "baseline-missing", "text": f"no baseline yet: {place}"}.items() <= found["findings"][
        -1
    ].items()
    assert program(*argv, "-g", "mae <= 0.1", "--baseline-missing", "skip").status == 1


def test_only_a_missing_baseline_is_skipped(program, report, folder):
    (folder / "old.json").write_text("{")
    skips = ("-g", "mae <= base", "--baseline-missing", "skip")
    for place, said in [("old.json", "is not JSON"), ("git:gone:r.json", "git has no")]:
        done = program("gate", "r.json", place, *skips)
        assert (done.status, said in done.err) == (3, True)
    assert program("gate", "r.json", "gone.json", *skips).status == 0
    done = program("evaluate", *FILES, "-g", "mae <= 1", "--baseline-missing", "skip")
    assert (done.status, "has no effect without a baseline" in done.err) == (2, True)


def test_no_revision_has_a_file_outside_a_repository(folder, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(folder.parent))
    with pytest.raises(DataError) as error:
        saved.load("git:HEAD:r.json")
    assert str(error.value).endswith("-> run losscli inside the repository")


def test_a_baseline_out_of_git(report, folder, monkeypatch):
    for argv in (["init", "-q"], ["add", "r.json"], ["commit", "-qm", "report"]):
        subprocess.run([*GIT, *argv], check=True, capture_output=True)
    expected = saved.load("r.json")
    report.unlink()
    assert saved.load("git:HEAD:r.json") == expected
    with pytest.raises(DataError, match="git has no such file"):
        saved.load("git:HEAD:none.json")
    for wrong in ("git:HEAD", "git:--help:r.json", "git::r.json"):
        with pytest.raises(UsageError, match="git:REVISION:PATH"):
            saved.load(wrong)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(DataError, match="git does not run"):
        saved.load("git:HEAD:r.json")


@pytest.mark.parametrize(
    ("text", "kind", "said"),
    [
        ("{", DataError, "is not JSON"),
        ("[]", DataError, "r.json: is not a losscli report"),
        ('{"a": 1}', DataError, "is not a losscli report"),
        ('{"schema": 2}', DataError, "reads schema 1"),
        ('{"schema": 1}', DataError, "is a damaged report: Object missing required field `results`"),
        (
            '{"schema": 1, "signature": "", "losscli": "", "gates": [], "findings": [], "results": '
            '[{"loss": "mae", "value": "x", "rows": 1, "weight": 1}]}',
            DataError,
            r"is a damaged report at \$\.results\[0\]\.value: Expected `float \| null`, got `str`",
        ),
    ],
)
def test_a_file_that_is_no_report(folder, text, kind, said):
    (folder / "r.json").write_text(text)
    with pytest.raises(kind, match=said):
        saved.load("r.json")


def test_a_report_is_reproduced_or_it_is_said_where_not(program, report):
    assert program("check", *FILES, "--verify", "r.json") == (0, "3 results of r.json are reproduced\n", "")
    other = program("check", "p.csv", "t.csv", "-l", "mse", "--by", "r", "--verify", "r.json")
    assert (other[0], "is not reproduced" in other[2]) == (3, True)
    data = json.loads(report.read_text())
    data["results"][0]["value"] *= 1 + 1e-9
    report.write_text(json.dumps(data))
    status, _, err = program("check", *FILES, "--verify", "r.json")
    assert (status, "mean_absolute_error: value" in err) == (3, True)


def test_github_in_a_job(program, report, folder, monkeypatch):
    (folder / "s.md").write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder / "s.md"))
    status, out, err = program("gate", "r.json", "-g", "mae <= 0.1", "-o", "github", "-o", "j.xml", "--bare")
    assert (status, len(out.splitlines())) == (1, 1)
    assert err.startswith("::error title=losscli gate::mae <= 0.1: fail: value 0.294000, limit 0.1, margin ")
    assert (folder / "s.md").read_text().startswith("before\n### overall")
    assert 'failures="1"' in (folder / "j.xml").read_text()


def test_github_outside_of_a_job_is_shown(program, report, folder):
    status, out, err = program("gate", "r.json", "-g", "mae <= 0.1", "-o", "github", "--json")
    assert (status, json.loads(out)["gates"][0]["status"]) == (1, "fail")
    first, *others = err.splitlines()
    assert (
        first
        == "losscli: note: GITHUB_STEP_SUMMARY is not set, so this is no job of GitHub Actions; it would get:"
    )
    assert others[0] == "### overall"
    assert any(line.startswith("::error title=losscli gate::mae <= 0.1") for line in others)


def test_a_summary_begins_on_a_line_of_its_own_and_says_if_it_has_no_room(
    program, report, folder, monkeypatch
):
    summary = folder / "s.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    summary.write_text("no line break")
    assert program("show", "r.json", "-o", "github")[0] == 0
    assert summary.read_text().startswith("no line break\n### overall")
    summary.write_text("x" * ((1 << 20) - 3))
    status, _, err = program("show", "r.json", "-o", "github")
    assert (status, summary.stat().st_size) == (0, (1 << 20) - 3)
    assert "s.md has no room for a summary" in err


@pytest.mark.parametrize(
    "encoding", ["ascii", *(pytest.param(name, marks=pytest.mark.slow) for name in ("cp1252", "utf-16"))]
)
def test_what_programs_read_is_utf8_in_any_locale(encoding, folder):
    """A class named grün keeps its name, and a report can be read again."""
    (folder / "uni.csv").write_text("label,prob_grün,prob_rot\ngrün,0.5,0.5\nrot,0.2,0.8\n", encoding="utf-8")
    script = "losscli evaluate uni.csv -l log_loss --format {} > out"
    for form in ("json", "csv", "markdown", "junit"):
        assert bash(script.format(form), folder, PYTHONIOENCODING=encoding, PYTHONUTF8="0") == 0
        assert "grün" in (folder / "out").read_text(encoding="utf-8") or form == "junit"
    assert (
        bash(
            script.format("json") + "; losscli gate out -g 'log_loss <= 2'", folder, PYTHONIOENCODING=encoding
        )
        == 0
    )


def bash(script, folder, **env):
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "PYTHONUTF8": "1", "GITHUB_STEP_SUMMARY": str(folder / "s.md"), **CHECKOUT}
    environment |= {"LOSSCLI_ACTION": str(ROOT / ".github/actions/losscli"), **env}
    return subprocess.run(["bash", "-ec", script], env=environment, cwd=folder, timeout=60).returncode


@pytest.mark.parametrize(("limit", "status"), [("1", 0), ("0.1", 1)])
def test_the_action_runs_the_program(report, folder, limit, status):
    action = (ROOT / ".github/actions/losscli/action.yml").read_text()
    script = action.partition("run: |\n")[2]
    assert bash(script, folder, LOSSCLI_ARGS=f"gate r.json -g 'mae <= {limit}'") == status
    assert (folder / "s.md").read_text().startswith("### overall")


class Hub(BaseHTTPRequestHandler):
    """As much of GitHub as comments on a pull request need."""

    comments: ClassVar[list[dict[str, Any]]] = []
    asked: ClassVar[list[tuple[str, str]]] = []

    def answer(self) -> None:
        self.asked.append((self.command, self.path.partition("?")[0]))
        size = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(size))["body"] if size else None
        if self.command == "POST":
            self.comments.append({"id": 70 + len(self.comments), "body": body, "user": {"type": "Bot"}})
        if self.command == "PATCH":
            (found,) = (each for each in self.comments if self.path.endswith(f"/comments/{each['id']}"))
            found["body"] = body
        known = self.headers["Authorization"] == "Bearer secret"
        self.send_response(200 if known else 403)
        self.end_headers()
        self.wfile.write(json.dumps(self.comments if self.command == "GET" else {}).encode())

    do_GET = do_POST = do_PATCH = answer  # noqa: N815  # names of http.server

    def log_message(self, *words: object) -> None:
        """Say nothing."""


@pytest.fixture
def hub(folder):
    Hub.comments, Hub.asked = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    (folder / "event.json").write_text('{"pull_request": {"number": 5}}')
    yield {
        "LOSSCLI_COMMENT": "true",
        "LOSSCLI_TOKEN": "secret",
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_EVENT_PATH": str(folder / "event.json"),
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
    }
    server.shutdown()
    server.server_close()


SCRIPT = (ROOT / ".github/actions/losscli/action.yml").read_text().partition("run: |\n")[2]


def test_the_action_keeps_one_comment_on_a_pull_request(report, folder, hub):
    Hub.comments.append({"id": 1, "body": "<!-- losscli: report -->\nof a person", "user": {"type": "User"}})
    assert bash(SCRIPT, folder, LOSSCLI_ARGS="gate r.json -g 'mae <= 1'", **hub) == 0
    assert bash(SCRIPT, folder, LOSSCLI_ARGS="gate r.json -g 'mae <= 0.1'", **hub) == 1
    assert bash(SCRIPT, folder, LOSSCLI_ARGS="show r.json", LOSSCLI_COMMENT_NAME="other", **hub) == 0
    person, own, other = (each["body"] for each in Hub.comments)
    assert person.endswith("of a person")
    assert own.startswith("<!-- losscli: report -->\n### overall")
    assert "| fail | mae \\<= 0.1 |" in own
    assert other.startswith("<!-- losscli: other -->\n### overall")
    assert ("PATCH", "/repos/o/r/issues/comments/71") in Hub.asked


def test_the_action_passes_where_it_may_not_comment(report, folder, hub):
    assert (
        bash(SCRIPT, folder, LOSSCLI_ARGS="gate r.json -g 'mae <= 1'", **hub | {"LOSSCLI_TOKEN": "none"}) == 0
    )
    (folder / "event.json").write_text("{}")
    Hub.asked = []
    assert bash(SCRIPT, folder, LOSSCLI_ARGS="gate r.json -g 'mae <= 1'", **hub) == 0
    assert Hub.asked == []


def test_the_action_runs_nothing_that_is_in_its_arguments(report, folder):
    script = (ROOT / ".github/actions/losscli/action.yml").read_text().partition("run: |\n")[2]
    assert bash(script, folder, LOSSCLI_ARGS="gate r.json -g 'mae <= 1' ; touch bad $(touch bad)") == 2
    assert not (folder / "bad").exists()


def test_the_hook_calls_the_program(report, folder):
    hook = (ROOT / ".pre-commit-hooks.yaml").read_text()
    entry = re.search(r"entry: (.*)", hook)[1]
    assert bash(f"{entry} r.json -g 'mae <= 1'", folder) == 0


def test_the_recipe_for_github_runs(folder):
    (folder / "sample_data").symlink_to(ROOT / "sample_data")
    recipe = re.search(r"run: >-\n(.*?)```", (ROOT / "docs/guides/ci.md").read_text(), re.DOTALL)[1]
    assert bash(" ".join(recipe.split()), folder) == 0
    assert "mae \\<= 50" in (folder / "s.md").read_text()


def test_a_number_of_rows_beyond_every_float_is_another_number():
    assert not saved._same(10**400, 3)
    assert saved._same(10**400, 10**400)
