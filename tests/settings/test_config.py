"""Files of settings: what a key means, which file counts, what is wrong with one, and what init writes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest
from support.grids import some

import losscli as api
from losscli import gates
from losscli.errors import DataError, UsageError
from losscli.plan.options import OPTIONS, keys, loss_params
from losscli.settings import files

OWN = '''
from losscli.tasks.regression import Regression

def own(batch: Regression):
    """Absolute.

    l = |e|.  Unit: target.

    None
    """
    return batch.abs_error
'''

FILES = {
    "p": "id,pred,region\n1,1.5,eu\n2,2.5,us\n3,,eu\n4,2.0,us\n",
    "y": "id,y,w\n1,1.0,1\n2,2.0,2\n3,3.0,1\n4,0.5,3\n",
    "b": "id,prob\n1,.5\n2,.4\n3,.3\n",
    "z": "id,y\n1,yes\n2,no\n3,yes\n",
    "c": 'id,"owl, the",dog\n1,.8,.2\n2,.1,.8\n3,.5,.5\n',
    "l": 'id,label\n1,"owl, the"\n2,dog\n3,dog\n',
    "m": 'id,label\n1,"owl, the"\n2,"owl, the"\n3,dog\n',
    "g": "q,score,relevance\n1,.5,1\n1,.4,0\n2,.3,0\n2,.1,2\n",
    "s": "id;pred;y;w\n1;1.5;1;1\n2;2.5;2;2\n4;2.0;.5;3\n",
}

# name: (a file of settings, and the same as arguments)
MEANING = {
    "one of each": (
        'predictions="p.csv"\ntargets="y.csv"\nloss="mae"\nmissing="drop"\nci=0.9\nweight="w"',
        "p.csv y.csv -l mae --missing drop --ci 0.9 -w w",
    ),
    "several losses, with parameters": (
        'predictions="p.csv"\ntargets="y.csv"\nmissing="drop"\nloss=["huber:delta=2", "pinball"]\nalpha=0.9',
        "p.csv y.csv --missing drop -l huber:delta=2 -l pinball --alpha 0.9",
    ),
    "tables of losses": (
        'predictions="p.csv"\ntargets="y.csv"\nmissing="drop"\nci="none"\n'
        '[[loss]]\nname="huber"\ndelta=0.25\n[[loss]]\nname="poisson_nll"\nlog_input=false\nfull=true\n'
        '[[loss]]\nname="expr: abs(e)**1.5"',
        "p.csv y.csv --missing drop --ci none -l huber:delta=0.25 -l poisson_nll:log_input=false,full=true "
        "-l 'expr: abs(e)**1.5'",
    ),
    "lists of names, which may hold commas": (
        'predictions="c.csv"\ntargets="l.csv"\npred=["owl, the", "dog"]\ntarget="label"\non=["id"]\n'
        "normalize=true\nclass_weight={'owl, the'=2}",
        """c.csv l.csv -p '"owl, the",dog' -y label --on id --normalize --class-weight '"owl, the=2"'""",
    ),
    "names in one text": (
        'predictions="c.csv"\ntargets="l.csv"\npred=\'"owl, the",dog\'\nnormalize=true\nignore_label="dog"',
        """c.csv l.csv -p '"owl, the",dog' --normalize --ignore-label dog""",
    ),
    "a condition and a separator": (
        'predictions="s.csv"\nseparator=";"\nwhere="w > 1"\nthreads=1',
        "s.csv --separator ';' --where 'w > 1' --threads 1",
    ),
    "slices, each crossed or not": (
        'predictions="p.csv"\ntargets="y.csv"\nmissing="drop"\nby=["region,w:2", "w:2"]',
        "p.csv y.csv --missing drop --by region,w:2 --by w:2",
    ),
    "one slice": ('predictions="s.csv"\nseparator=";"\nby="w:2"', "s.csv --separator ';' --by w:2"),
    "groups": (
        'predictions="g.csv"\ntarget="relevance"\npred="score"\ngroup="q"\nloss="ndcg"',
        "g.csv -y relevance -p score --group q -l ndcg",
    ),
    "another library": (
        'predictions="b.csv"\ntargets="z.csv"\npositive="yes"\nlike="keras"\nloss="log_loss"',
        "b.csv z.csv --positive yes --like keras -l log_loss",
    ),
    "labels and a clip": (
        'predictions="b.csv"\ntargets="z.csv"\npositive="yes"\neps=0.45',
        "b.csv z.csv --positive yes --eps 0.45",
    ),
    "gates": (
        'predictions="b.csv"\ntargets="z.csv"\npositive="yes"\nloss="brier"\n'
        '[[gate]]\ncheck="brier <= 1"\n[[gate]]\ncheck="n > 2"',
        "b.csv z.csv --positive yes -l brier -g 'brier <= 1' -g 'n > 2'",
    ),
    "gates as text": (
        'predictions="b.csv"\ntargets="z.csv"\npositive="yes"\ngate=["brier <= 1", "n > 5"]',
        "b.csv z.csv --positive yes -g 'brier <= 1' -g 'n > 5'",
    ),
}

# name: (a file of settings, and what stderr must hold in this order)
WRONG = {
    "no TOML": ("loss = mae", "losscli.toml: not TOML: ", "line 1"),
    "not UTF-8": (b'loss = "\xff"', "losscli.toml: not UTF-8"),
    "unknown keys, all of them": (
        'class-weight = "a=2"\nlos = "mae"\nzzz = 1',
        "losscli.toml: unknown key 'class-weight'. Did you mean class_weight",
        "losscli.toml: unknown key 'los'. Did you mean loss",
        "losscli.toml: unknown key 'zzz'.",
        "-> losscli evaluate --help",
    ),
    "what is of one run": (
        "debug = true\nno_config = true",
        "unknown key 'debug'",
        "unknown key 'no_config'",
    ),
    "wrong types, all of them": (
        'normalize = "yes"\nmissing = 1\nci = [0.9]\nthreads = true\npred = [["a"]]\nweight = 2024-01-01\n'
        'predictions = ["p.csv"]\ndelta = []\nclass_weight = {cat = "two"}',
        "losscli.toml, key normalize: --normalize must be true or false, got 'yes'",
        "key missing: --missing must be error or drop, got 1",
        "key ci: --ci must be a number > 0, < 1, or none, got [0.9]",
        "key threads: --threads must be a whole number >= 1, got True",
        "key pred: --pred must be text or a list of text, got [['a']]",
        "key weight: --weight must be text, got datetime.date(2024, 1, 1)",
        "key predictions: it must be text, got ['p.csv']",
        "key delta: --delta must be text, a number, or true or false, got []",
        "key class_weight: --class-weight cat must be a number >= 0, got two",
    ),
    "values out of range": (
        'task = "regresion"\nci = 95\nmissing = "dorp"\nthreads = 0\nformat = "jsn"\ncolor = "red"',
        "losscli.toml, key task: --task must be regression",
        "Did you mean regression",
        "losscli.toml, key ci: --ci must be a number > 0, < 1, or none, got 95",
        "losscli.toml, key missing: --missing must be error or drop, got 'dorp'. Did you mean drop?",
        "losscli.toml, key threads: --threads must be a whole number >= 1, got 0",
        "losscli.toml, key format: --format must be",
        "Did you mean json?",
        "losscli.toml, key color: --color must be auto, always or never, got 'red'",
    ),
    "losses": (
        'loss = ["hubber", "no.py:f", {delta = 2}]',
        "losscli.toml, key loss: a table of a loss needs its name, as in name = 'huber', delta = 2",
    ),
    "unknown losses": (
        'loss = ["hubber", "no.py:f"]',
        "losscli.toml, key loss: unknown loss 'hubber'. Did you mean huber",
        "losscli.toml, key loss: no.py: no such file",
    ),
    "a parameter that no loss has": (
        'loss = [{name = "huber", dleta = 2}]\npredictions = "b.csv"',
        "huber has no parameter 'dleta'. Did you mean delta?",
    ),
    "empty text": (
        'weight = ""\noutput = ["r.json", ""]\nbaseline = ""\nrows = " "\non = [""]',
        *(
            f"key {key}: {flag}: the value is empty"
            for key, flag in (("weight", "--weight"), ("output", "--output"))
        ),
        *(f"key {key}: --{key}: the value is empty" for key in ("baseline", "rows", "on")),
    ),
    "text with NUL": (
        'rows = "x\\u0000.csv"\noutput = "x\\u0000.json"\nbaseline = "\\u0000.json"\nloss = "a\\u0000.py:f"',
        *(f"key {key}: --{key}: a file name cannot contain NUL" for key in ("rows", "output", "baseline")),
        "key loss: a\\x00.py: embedded null byte",
    ),
    "no gates": (
        "gate = [1.5, 07:32:00]",
        "losscli.toml, key gate: a gate must be text or a table, got 1.5",
        "losscli.toml, key gate: a gate must be text or a table, got datetime.time(7, 32)",
    ),
    "gates": (
        'gate = ["mae <=", {check = "mae < 1", chek = 2}, {mni_n = 3}, {check = 3}]',
        "losscli.toml, key gate: invalid gate: expected a number",
        "losscli.toml, key gate: a gate has no 'chek'. Did you mean check?",
        "losscli.toml, key gate: a gate has no 'mni_n'.",
        "losscli.toml, key gate: a gate in a table needs the key check, as in check = 'huber <= 0.5'",
    ),
}


@pytest.fixture
def program(losscli):
    losscli.write(**FILES)
    return losscli


def report(done) -> dict:
    assert done.out, done.err
    return json.loads(done.out)


def numbers(done) -> list[dict]:
    """The results, whatever their losses were called."""
    return [{**result, "label": ""} for result in report(done)["results"]]


@pytest.mark.parametrize(("settings", "arguments"), MEANING.values(), ids=MEANING)
def test_a_file_says_what_flags_say(settings, arguments, program):
    flags = program("evaluate", *shlex.split(arguments), "--json")
    assert flags.status in (0, 1), flags.err
    program.write(losscli_toml=settings)
    from_file = program("evaluate", "--json")
    assert from_file == flags
    program.write(losscli_toml="", other_toml=settings)
    assert program("evaluate", "-c", "other.toml", "--json") == flags
    assert api.evaluate(config="other.toml").to_dict() == report(flags)


@pytest.mark.parametrize(("settings", "said"), [(case[0], case[1:]) for case in WRONG.values()], ids=WRONG)
def test_a_wrong_file_is_told_by_file_and_key(settings, said, program):
    program.write(losscli_toml=settings)
    for command in ("evaluate", "check"):
        done = program(command, "b.csv", "z.csv", "--positive", "yes", "-q")
        assert (done.status, done.out) == (2, "")
        at = 0
        for part in said:
            assert part in done.err[at:], done.err
            at = done.err.index(part, at) + len(part)
    assert program("evaluate", "b.csv", "z.csv", "--positive", "yes", "--no-config", "-q").status == 0


def test_every_option_of_more_than_one_call_is_a_key():
    own = {option.name for option in OPTIONS.values() if "evaluate" in option.commands}
    assert own - set(keys()) == {"config", "no_config", "dry_run", "debug", "help_losses"}
    assert not set(keys()) & set(loss_params())


def test_what_a_gate_has_beside_its_text_is_a_key_of_its_table():
    gate = gates.parse_gate({"check": "mae < 1", "name": "quality"})
    assert (gate.text, gate.name) == ("mae < 1", "quality")
    with pytest.raises(UsageError, match=r"a gate has no 'nam'. Did you mean name\?"):
        gates.parse_gate({"check": "mae < 1", "nam": "quality"})


def test_flags_win_over_the_file(program):
    program.write(q=FILES["p"].replace("2.5", "9"))
    program.write(
        losscli_toml='predictions = "p.csv"\ntargets = "y.csv"\nloss = ["huber:delta=2", "rmse"]\n'
        'missing = "error"\ngate = "rmse < 0"\nformat = "csv"\n'
    )
    done = program("evaluate", "-l", "mae", "--missing", "drop", "-g", "n > 1", "--json")
    assert [result["loss"] for result in report(done)["results"]] == ["mean_absolute_error"]
    assert [verdict["gate"] for verdict in report(done)["gates"]] == ["n > 1"]
    # A flag that has the default's value is a flag all the same.
    program.write(losscli_toml='predictions = "p.csv"\ntargets = "y.csv"\nmissing = "drop"\nci = "none"\n')
    assert program("evaluate").status == 0
    assert program("evaluate", "--missing", "error").status == 3
    assert report(program("evaluate", "--ci", "0.95", "--json"))["results"][0]["level"] == 0.95
    # The one argument is the predictions; the file's targets stay.
    other = program("evaluate", "q.csv", "-v")
    assert other.status == 0
    assert "losscli.toml sets targets, missing, ci, but not predictions: set by flags" in other.err


def test_values_that_flags_take_the_place_of_are_not_looked_at(program):
    program.write(losscli_toml='loss = "gone.py:f"\npositive = "yes"\n')
    assert program("evaluate", "b.csv", "z.csv", "-l", "brier").status == 0
    assert program("evaluate", "b.csv", "z.csv").status == 2


def test_what_excludes_a_flag_gives_way_to_it(program):
    program.write(losscli_toml='bare = true\nquiet = true\nfrom_log_probs = true\npositive = "yes"\n')
    done = program("evaluate", "b.csv", "z.csv", "--from-logits", "--format", "json", "-v")
    assert report(done)["results"][0]["loss"] == "binary_cross_entropy"
    assert "but not bare, quiet, from_log_probs: set by flags, the environment or a nearer file" in done.err


def test_the_nearest_file_counts_up_to_the_root_of_the_repository(program, monkeypatch):
    deep = program.folder / "repository" / "a" / "b"
    deep.mkdir(parents=True)
    (program.folder / "repository" / ".git").mkdir()
    monkeypatch.chdir(deep)
    losses = {
        program.folder / "losscli.toml": None,  # beyond the root: not read
        program.folder / "repository" / "losscli.toml": "rmse",
        program.folder / "repository" / "pyproject.toml": "rmse",  # beside losscli.toml: not read
        deep.parent / "pyproject.toml": "mean_absolute_error",
        deep / "losscli.toml": "mean_squared_error",
    }
    argv = ["evaluate", "../../../s.csv", "--separator", ";", "--json"]
    usual = [result["loss"] for result in report(program(*argv))["results"]]
    (deep / "pyproject.toml").write_text('[project]\nname = "losscli-user"\n')  # no settings: looked past
    for path, loss in losses.items():
        table = "[tool.losscli]\n" if path.name == "pyproject.toml" else ""
        other = (
            "max_error" if path == program.folder / "repository" / "pyproject.toml" else loss or "max_error"
        )
        path.write_text(f'{table}loss = "{other}"\n')
        expected = {None: usual, "rmse": ["root_mean_squared_error"]}.get(loss, [loss])
        assert [result["loss"] for result in report(program(*argv))["results"]] == expected


def test_paths_are_relative_to_the_file(program, monkeypatch):
    program.write(own_py=OWN)
    program.write(
        losscli_toml='predictions = "p.csv"\ntargets = "y.csv"\nmissing = "drop"\nloss = "own.py:own"\n'
        'output = ["r.json", "r.md"]\n'
    )
    (program.folder / "sub").mkdir()
    monkeypatch.chdir(program.folder / "sub")
    for argv in (["-v"], ["-v", "-c", "../losscli.toml"]):
        done = program("evaluate", *argv)
        assert done.status == 0, done.err
        assert "../losscli.toml sets predictions, targets, missing, loss, output\n" in done.err
        for name in ("r.json", "r.md"):
            (program.folder / name).unlink()
    monkeypatch.chdir("/")
    result = api.evaluate(config=program.folder / "losscli.toml").results[0]
    assert (result.loss, result.value) == ("own", pytest.approx((0.5 + 0.5 + 1.5) / 3))


def test_what_is_no_path_of_a_file_stays(program, monkeypatch):
    (program.folder / "sub").mkdir()
    (program.folder / "sub" / "x.toml").write_text('predictions = "s3://bucket/p.csv"\ntargets = "-"\n')
    settings = files.read(Path("sub/x.toml"))
    assert settings.values == {"predictions": "s3://bucket/p.csv", "targets": "-"}
    absolute = str(program.folder / "p.csv")
    (program.folder / "sub" / "x.toml").write_text(f"predictions = '{absolute}'\n")
    assert files.read(Path("sub/x.toml")).values == {"predictions": absolute}


def test_what_a_file_set_is_said(program):
    program.write(losscli_toml='predictions = "b.csv"\ntargets = "z.csv"\npositive = "yes"\n')
    line = "losscli: losscli.toml sets predictions, targets, positive\n"
    for argv in (["evaluate", "-v"], ["evaluate", "--dry-run"], ["check", "-v"]):
        assert program(*argv).err.startswith(line)
    assert program("evaluate").err == ""
    done = program("evaluate", "-l", "hubber")  # an error may come from the file
    assert done.err.startswith(line + "losscli: error: unknown loss 'hubber'")
    assert program("evaluate", "-l", "hubber", "-q").err.startswith("losscli: error: ")
    (program.folder / "losscli.toml").unlink()
    program.write(pyproject_toml='[tool.losscli]\npositive = "yes"\n')
    done = program("evaluate", "b.csv", "z.csv", "-v")
    assert done.err.startswith("losscli: pyproject.toml [tool.losscli] sets positive\n")


def test_settings_of_a_user_change_looks_alone(program):
    own = program.folder / "own" / "losscli" / "config.toml"
    own.parent.mkdir(parents=True)
    argv = ["evaluate", "b.csv", "z.csv", "--positive", "yes", "-l", "brier"]
    usual = program(*argv)
    own.write_text('format = "csv"\nquiet = true\ncolor = "always"\n')
    assert program(*argv) == program(*argv, "--no-config", "--format", "csv", "-q")
    assert program(*argv, "--no-config") == usual
    program.write(losscli_toml='json = true\noutput = "r.md"\n')  # the nearer file wins, and so does a flag
    assert report(program(*argv))["schema"] == 1
    assert (program.folder / "r.md").exists()
    assert program(*argv, "--bare") == program(*argv, "--bare", "--no-config")
    own.write_text('ci = 0.9\nformat = "csv"\nloss = "gone.py:f"\ngate = "n > 1"\nquite = true\nbare = 1\n')
    program.refuses(
        2,
        *argv,
        said=(
            f"{own}: unknown key 'quite'. Did you mean quote or quiet",
            f"{own}, key bare: --bare must be true or false, got 1",
            f"{own}, key ci: not a display option",
            "may only set: format, cells, json, bare, color, quiet, verbose",
            "-> write it in a project's losscli.toml",
            f"{own}, key loss: not a display option",
            f"{own}, key gate: not a display option",
        ),
    )


def test_colour_can_be_asked_for_and_refused(program, monkeypatch):
    argv = ["evaluate", "b.csv", "z.csv", "--positive", "yes", "-g", "brier <= 1", "-l", "brier"]
    assert "\x1b[32m" not in program(*argv).out
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[32m" in program(*argv, "--color", "always").out
    program.write(losscli_toml='color = "always"\n')
    assert "\x1b[32m" in program(*argv).out
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b[" not in program(*argv, "--color", "never").out
    program.refuses(
        2, *argv, "--color", "maybe", said=("--color must be auto, always or never, got 'maybe'",)
    )


def test_which_file_cannot_be_two_things(program):
    program.write(pyproject_toml="[tool.other]\nlosscli = 1\n")
    program.refuses(2, "evaluate", "-c", "gone.toml", said=("gone.toml: cannot be read: No such file",))
    program.refuses(2, "evaluate", "-c", "pyproject.toml", said=("pyproject.toml: no table [tool.losscli]",))
    program.refuses(
        2, "evaluate", "-c", "x", "--no-config", said=("--config and --no-config exclude each other",)
    )


def test_python_reads_a_file_only_where_it_is_named(program):
    settings = 'predictions = "b.csv"\ntargets = "z.csv"\npositive = "yes"\nloss = "brier"\njson = true\n'
    program.write(losscli_toml=settings)
    with pytest.raises(UsageError, match="no predictions"):
        api.evaluate()
    assert {result.loss for result in api.evaluate(config="losscli.toml").results} == {"brier"}
    frame = pl.DataFrame({"id": [1, 2, 3], "prob": [0.0, 1.0, 0.0]})
    given = api.evaluate(frame, config="losscli.toml", loss="zero_one", gate="n > 1", positive="no")
    assert (given["zero_one"].value, given.gates[0].status) == (0.0, "pass")
    with pytest.raises(DataError, match=r"gone\.csv: no such file"):
        api.evaluate("gone.csv", config="losscli.toml")
    program.write(losscli_toml="normalise = true\n")
    with pytest.raises(UsageError, match=r"unknown key 'normalise'\. Did you mean normalize"):
        api.evaluate("b.csv", config="losscli.toml")


def test_toml_is_read_only_where_there_is_a_file(program):
    code = (
        "import sys; from losscli.cli.app import run;"
        "assert run(['evaluate', 'b.csv', 'z.csv', '--positive', 'yes', '-q', '--bare', '-l', 'brier']) == 0;"
        "assert 'tomllib' not in sys.modules"
    )
    program.write(pyproject_toml='[project]\nname = "x"\n')
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL, timeout=60)


INFERRED = {
    "regression": "p.csv y.csv --missing drop -w w --where 'w < 3'",
    "losses with parameters": "p.csv y.csv --missing drop -l huber -l 'expr: abs(e)' --delta 0.25",
    "binary": "b.csv z.csv --positive yes --eps 0.01",
    "classes with commas": """c.csv l.csv --normalize --class-weight '"owl, the=2"'""",
    "labels": "m.csv l.csv -p label -y label",
    "logits": "c.csv l.csv --from-logits --ignore-label dog",
    "slices": "p.csv y.csv --missing drop --by region,w:2 --by w:2",
    "another library": "b.csv z.csv --positive yes --like keras -l log_loss",
    "groups": "g.csv -y relevance -p score --group q -l ndcg",
    "how files are read": "s.csv --separator ';' --threads 1 -w w",
}


@pytest.mark.parametrize("name", some(INFERRED))
def test_init_writes_what_gives_the_same_results(name, program):
    arguments = INFERRED[name]
    expected = program("evaluate", *shlex.split(arguments), "--json")
    assert expected.status == 0, expected.err
    done = program("init", *shlex.split(arguments))
    assert (done.status, done.err) == (0, "")
    assert done.out == "Wrote losscli.toml, which losscli evaluate will use\n"
    assert numbers(program("evaluate", "--json")) == numbers(expected)
    text = (program.folder / "losscli.toml").read_text()
    written = set(tomllib.loads(text))
    uncommented = {line.removeprefix("# ").split(" = ")[0] for line in text.splitlines() if " = " in line}
    assert written <= uncommented
    assert set(keys()) - {"gate"} <= uncommented


def test_init_never_takes_the_place_of_settings_unless_forced(program):
    argv = ["init", "b.csv", "z.csv", "--positive", "yes"]
    program.write(losscli_toml="kept = 1")
    program.refuses(2, *argv, said=("losscli.toml: already exists", "-> --force overwrites it"))
    assert (program.folder / "losscli.toml").read_text() == "kept = 1"
    program.refuses(3, "init", "gone.csv", "--force", said=("gone.csv: no such file",))
    assert (program.folder / "losscli.toml").read_text() == "kept = 1"
    assert program(*argv, "--force", "-q") == (0, "", "")
    (program.folder / "losscli.toml").unlink()
    program.write(pyproject_toml="[tool.losscli]\n")
    program.refuses(2, *argv, said=("pyproject.toml has settings already",))
    assert "losscli.toml" not in {path.name for path in program.folder.iterdir()}
    (program.folder / "losscli.toml").symlink_to("nowhere.toml")
    program.refuses(2, *argv, said=("losscli.toml: already exists",))


def test_init_without_files_writes_comments_alone(program):
    assert program("init").out == "Wrote losscli.toml, in which every key is a comment\n"
    text = (program.folder / "losscli.toml").read_text()
    assert tomllib.loads(text) == {}
    program.refuses(
        2,
        *("init", "--force", "-y", "y", "--delta", "1"),
        said=("--target, --delta: there are no files to read", "-> losscli init PREDS TARGETS"),
    )


def test_the_baseline_and_rows_are_relative_to_the_file_too(program, monkeypatch):
    program.write(p=FILES["p"].replace("3,,eu", "3,2.5,eu"), y=FILES["y"], losscli_toml="")
    assert program("evaluate", "p.csv", "y.csv", "-l", "mae", "-o", "base.json").status == 0
    settings = 'predictions = "p.csv"\ntargets = "y.csv"\nloss = "mae"\nrows = "rows.csv"\n'
    program.write(losscli_toml=settings + 'baseline = "base.json"\ngate = "mae <= base"\n')
    (program.folder / "deep").mkdir()
    monkeypatch.chdir(program.folder / "deep")
    assert program("evaluate").status == 0
    assert (program.folder / "rows.csv").exists()
    assert files._path(Path("x"), "git:main:base.json") == "git:main:base.json"


def test_a_keyword_wins_over_a_switch_in_the_file(program):
    program.write(p=FILES["p"].replace("3,,eu", "3,2.5,eu"), y=FILES["y"])
    settings = 'predictions = "p.csv"\ntargets = "y.csv"\nloss = "mae"\ngate = "mae <= 1.2"\nstrict = true\n'
    program.write(losscli_toml=settings)
    assert api.evaluate(config="losscli.toml").gates[0].status == "fail"
    assert api.evaluate(config="losscli.toml", strict=False).gates[0].status == "pass"
    assert program("evaluate").status == 1
    assert program("evaluate", "--no-strict").status == 0


def test_what_the_environment_says_is_not_blamed_on_keys(program, monkeypatch):
    monkeypatch.setenv("LOSSCLI_DEVICE", "tpu")
    program.write(losscli_toml='predictions = "p.csv"\ntargets = "y.csv"\nci = 0.9\nmissing = "drop"\n')
    assert program("evaluate", "-l", "mae", "--device", "cpu").status == 0
    done = program("evaluate", "-l", "mae")
    assert (done.status, done.err.count("--device must be")) == (2, 1)
    assert "environment, LOSSCLI_DEVICE" in done.err
