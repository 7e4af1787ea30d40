"""What is missing on a machine is said with a remedy."""

import subprocess
import sys

import pytest

import losscli
from losscli import engines
from losscli.errors import UsageError
from losscli.plan.options import request_of


def test_pyspark_is_named_if_it_is_missing(files, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyspark", None)
    monkeypatch.setitem(sys.modules, "pyspark.sql", None)
    with pytest.raises(UsageError, match="needs PySpark, which is not installed") as found:
        losscli.evaluate(str(files / "one.parquet"), pred="y_pred", target="y_true", engine="spark")
    assert found.value.problems[0].remedy == "pip install 'losscli[spark]'"


def test_pyarrow_is_named_if_it_is_missing(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("losscli.engines.spark")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(UsageError, match="needs pyarrow, which is not installed"):
        engines.of("spark")


def test_losscli_alone_never_imports_pyspark():
    code = "import sys, losscli; losscli.evaluate([1.0], [1.0], 'mae'); print('pyspark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("name", ["local", "spark", "spark:local[4]", "spark:sc://host:15002"])
def test_an_engine_is_chosen_by_name(name):
    assert request_of({"engine": name}).engine == name


@pytest.mark.parametrize("name", ["sparks", "spark:", "ray", "local:4"])
def test_other_names_are_refused(name):
    with pytest.raises(UsageError, match="--engine must be local"):
        request_of({"engine": name})


@pytest.mark.spark
def test_java_is_named_if_it_is_missing(files, tmp_path):
    pytest.importorskip("pyspark")
    code = (
        "import sys, losscli\ntry:\n    losscli.evaluate(sys.argv[1], pred='y_pred', target='y_true', "
        "loss='mae', engine='spark:local[1]')\nexcept losscli.UsageError as error:\n    print(error)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(files / "one.parquet")],
        env={"PATH": "/usr/bin:/bin", "JAVA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Spark needs Java" in done.stdout
    assert "openjdk-17-jre-headless" in done.stdout
