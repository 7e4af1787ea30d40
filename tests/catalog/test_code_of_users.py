"""Losses of users that misbehave: an error of this loss, and no other number changes."""

from __future__ import annotations

import json
import signal
import subprocess
import time

import numpy as np
import polars as pl
import pytest
from support.process import LOSSCLI, PLAIN, process

N = 200
RNG = np.random.default_rng(4)
ROWS = pl.DataFrame({"prediction": RNG.normal(size=N), "target": RNG.normal(size=N)})
MAE = float(np.abs(ROWS["prediction"] - ROWS["target"]).mean())
HEAD = """
import os, sys, threading, time
import numpy as np
from losscli.custom import Reduction, Regression, loss

class Stop(BaseException):
    pass

class Silent(Exception):
    def __str__(self):
        sys.exit()

class Odd(np.ndarray):
    def astype(self, *args, **options):
        return np.zeros(len(self))

"""
FAILS = {
    "writes an error": ("e = batch.error; e *= 0; return e", "ValueError: output array is read-only"),
    "writes a target": ("batch.target[:] = batch.prediction; return batch.error", "destination is read-only"),
    "writes with out=": ("return np.abs(batch.error, out=batch.error)", "read-only"),
    "sets the flag": ("e = batch.error; e.setflags(write=True); return e", "cannot set WRITEABLE flag"),
    "writes the array below": ("batch.abs_error.base[:] = 0", "read-only"),
    "sets a field": ("batch.target = batch.prediction; return batch.error", "AttributeError"),
    "exits": ("sys.exit(0)", "SystemExit: 0"),
    "interrupts itself": ("raise KeyboardInterrupt", "KeyboardInterrupt"),
    "stops": ("raise Stop('enough')", "Stop: enough"),
    "closes a generator": ("raise GeneratorExit", "GeneratorExit"),
    "says nothing": ("raise Silent", "Silent: "),
    "closes a pipe": ("raise BrokenPipeError", "BrokenPipeError"),
    "masks rows": ("return np.ma.masked_greater(batch.abs_error, 1)", "it returned a masked array"),
    "masks no row": ("return np.ma.masked_array(batch.abs_error)", "it returned a masked array"),
    "is complex": ("return batch.error + 0j", "it returned an array of type complex128"),
    "is text": ("return batch.error.astype(str)", "it returned an array of type <U"),
    "is Python": ("return batch.error.astype(object)", "it returned an array of type object"),
    "is time": ("return batch.error.astype('m8[s]')", "it returned an array of type timedelta64[s]"),
    "is a matrix": ("return batch.error[None]", "it returned an array of shape (1, 200)"),
    "lacks a row": ("return batch.error[1:]", "it returned an array of shape (199,)"),
    "yields": ("yield batch.error", "it returned a generator"),
    "has no end": ("return f(batch)", "RecursionError"),
    "takes all memory": ("return np.zeros(10**16)", "MemoryError"),
}
REDUCTIONS = {
    "keeps the columns": ("lambda xp, m: m", "returned numbers of type float64 and shape"),
    "is complex": ("lambda xp, m: m[..., 0] + 0j", "returned numbers of type complex128"),
    "masks": ("lambda xp, m: np.ma.masked_array(m[..., 0])", "returned a masked array"),
    "writes": (
        "lambda xp, m: m.fill(0)",
        "ValueError: assignment destination is read",
    ),
    "exits": ("lambda xp, m: sys.exit(0)", "SystemExit: 0"),
}
TOP = {
    "exits": ("sys.exit(0)", "l.py: line 2: SystemExit: 0"),
    "interrupts itself": ("raise KeyboardInterrupt", "l.py: line 2: KeyboardInterrupt"),
    "stops": ("raise BaseException('x')", "l.py: line 2: BaseException: x"),
}
BESIDE = {
    "its own numbers": "batch.__dict__['abs_error'] = 0 * batch.error; return batch.abs_error",
    "an odd array": "return batch.abs_error.view(Odd)",
    "one number for all rows": "return np.broadcast_to(np.float64(0), N)",
    "what it reads": "return batch.error",
}
LINE = HEAD.count("\n") + 3
"""The line of the body of a loss."""
ARGV = ("evaluate", "rows.csv", "-l", "l.py:f", "-l", "mae", "-g", "mae <= 0.5")


def loss(body, before=""):
    return f"{HEAD}N = {N}\n{before}def f(batch: Regression):\n    {body}\n"


@pytest.fixture
def program(losscli):
    losscli.write(rows=ROWS)
    return losscli


@pytest.mark.parametrize("case", FAILS)
def test_a_loss_that_fails_is_a_usage_error_with_its_line(case, program):
    body, said = FAILS[case]
    program.write(l_py=loss(body))
    program.refuses(
        2, *ARGV, said=["l.py:f: ", "" if said.startswith("it returned") else f"line {LINE}: ", said]
    )


@pytest.mark.parametrize("case", REDUCTIONS)
def test_a_reduction_that_fails_is_a_usage_error(case, program):
    source, said = REDUCTIONS[case]
    program.write(l_py=loss("return batch.abs_error", f"@loss(reduction=Reduction({source}))\n"))
    program.refuses(2, *ARGV, said=["l.py:f: its reduction", said])


@pytest.mark.parametrize("case", TOP)
def test_a_file_that_fails_is_a_usage_error(case, program):
    source, said = TOP[case]
    program.write(l_py=f"import sys\n{source}\n")
    program.refuses(2, *ARGV, said=[said])


@pytest.mark.parametrize("case", BESIDE)
def test_no_loss_changes_another(case, program):
    program.write(l_py=loss(BESIDE[case]))
    done = program(*ARGV, "--bare")
    assert done.status == 1, done.err
    assert float(done.out.splitlines()[1]) == pytest.approx(MAE, rel=1e-14)


def test_undefined_losses_are_wrong_data(program):
    for body in ("return batch.error * np.nan", "return batch.error - np.inf"):
        program.write(l_py=loss(body))
        program.refuses(3, *ARGV, said=[f"{N} rows outside the domain of l.py:f"])


def test_a_state_that_exits_is_no_success(program):
    program.write(
        l_py=f"""{HEAD}
from losscli.states.moments import Moments
class Gone(Moments, frozen=True):
    @classmethod
    def of(cls, *rows):
        sys.exit(0)
@loss(state=Gone)
def f(batch: Regression):
    return batch.abs_error
"""
    )
    program.refuses(2, *ARGV, said=["code of a loss ended the program: SystemExit: 0"])


def test_an_error_in_a_state_is_one_of_its_file(program):
    program.write(
        l_py=f"""{HEAD}
from losscli.states.moments import Moments
class Wrong(Moments, frozen=True):
    @classmethod
    def of(cls, *rows):
        return 1 / 0
@loss(state=Wrong)
def f(batch: Regression):
    return batch.abs_error
"""
    )
    program.refuses(2, *ARGV, said=["l.py: line ", "ZeroDivisionError: division by zero"])


PRINTS = """
print("at the top")
threading.Thread(target=lambda: print("of a thread")).start()
"""
SAYS = """print("of the loss")
    sys.stdout.write("written ")
    sys.__stdout__.write("below ")
    os.write(1, b"raw ")
    os.system("echo of a child")
    sys.stdout = None
    return batch.abs_error"""


def test_what_it_prints_is_no_result(tmp_path):
    ROWS.write_csv(tmp_path / "rows.csv")
    (tmp_path / "l.py").write_text(loss(SAYS, PRINTS))
    status, out, err = process(tmp_path, *ARGV, "--json")
    assert status == 1
    assert [each["loss"] for each in json.loads(out)["results"]] == ["f", "mean_absolute_error"]
    for text in ("at the top", "of a thread", "of the loss", "written", "raw", "of a child"):
        assert text in err
    _, out, _ = process(tmp_path, *ARGV, "--bare")
    assert len(out.splitlines()) == 2


def test_an_interrupt_of_the_user_ends_the_program(tmp_path):
    ROWS.write_csv(tmp_path / "rows.csv")
    (tmp_path / "l.py").write_text("open('ready', 'w').close()\nimport time\ntime.sleep(60)\n")
    argv = [*LOSSCLI, *ARGV]
    with subprocess.Popen(argv, cwd=tmp_path, env=PLAIN, stdout=-1, stderr=-1, text=True) as running:
        while not (tmp_path / "ready").exists():
            time.sleep(0.02)
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=20)
    assert (running.returncode, out) == (130, "")
    assert err.strip() == "losscli: interrupted"
