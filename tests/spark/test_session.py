"""What is missing on a machine is said with a remedy."""

import socket
import subprocess
import sys

import pytest
from support.needs import needed

import losscli
from losscli import engines
from losscli.engines.spark import session
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
    needed("pyspark")
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


@pytest.mark.spark
@pytest.mark.parametrize(
    ("text", "what", "remedy"),
    [
        (
            "Total size of serialized results of 7 tasks (1025.3 MiB) is bigger than "
            "spark.driver.maxResultSize (1024.0 MiB)",
            "the results are larger than the driver takes",
            "raise spark.driver.maxResultSize",
        ),
        (
            "ExecutorLostFailure (executor 3 exited) Reason: Container killed by YARN for exceeding physical "
            "memory limits. 5.5 GB of 5.5 GB physical memory used.",
            "a worker ran out of memory",
            "spark.executor.memoryOverhead",
        ),
        (
            "ExecutorLostFailure (executor 7 exited) Reason: The executor with id 7 exited with exit code "
            "137(SIGKILL, possible container OOM).",
            "a worker ran out of memory",
            "spark.executor.memoryOverhead",
        ),
        (
            "Task 0 in stage 3.0 failed 4 times: ExecutorLostFailure (executor 2 exited) Reason: worker lost",
            "workers were lost again and again",
            "their logs say why",
        ),
        ("<_InactiveRpcError: StatusCode.UNAVAILABLE>", "the server cannot be reached", "check the address"),
        ("something else\n\tat org.apache.spark", "failed: something else", "--debug shows all"),
    ],
)
def test_what_errors_of_spark_mean(text, what, remedy):
    pyspark = needed("pyspark.errors")
    from losscli.engines.spark.session import meaning

    with pytest.raises(UsageError, match=what) as found, meaning():
        raise pyspark.PySparkException(text)
    assert remedy in found.value.problems[0].remedy


def test_another_losscli_on_the_workers_is_an_answer():
    needed("pyspark")
    from losscli.engines.spark import worker

    with pytest.raises(UsageError, match=r"the workers have losscli .*, and the driver has 0\.0\.1"):
        worker.Work("losscli.evaluation.remote", "{}", version="0.0.1").read()


def test_a_server_that_does_not_answer_is_said_at_once(monkeypatch):
    for name in ("grpc_proxy", "https_proxy", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))  # nobody listens there
        port = free.getsockname()[1]
        with pytest.raises(UsageError, match=f"no server answers at 127.0.0.1:{port}") as found:
            session._require_server(f"sc://127.0.0.1:{port}/;token=secret")
    assert "secret" not in str(found.value)
    assert "start-connect-server" in found.value.problems[0].remedy
