"""The Spark session, and the meaning of its errors; one of the two modules that import PySpark."""

from __future__ import annotations

import os
import re
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

from losscli.data.load import of_frame
from losscli.data.table import Table
from losscli.errors import DataError, UsageError
from losscli.report.findings import Code, problem
from losscli.text import shortened

CONNECT = "sc://"
_PORT = 15_002
"""The default port of a server."""
_PATIENCE = 10.0
"""Seconds to wait for a server to answer."""
_PROXIES = ("grpc_proxy", "https_proxy", "http_proxy")
"""The environment variables that set a proxy for gRPC."""
INSTALL = "pip install 'losscli[spark]'"
_SETTINGS = {"spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
"""Settings of a session created here: the program has its own progress bar."""
_BATCH, ROWS = "spark.sql.execution.arrow.maxRecordsPerBatch", 65_536
_SAME_PYTHON = "PYSPARK_PYTHON, or an environment in spark.archives, gives workers the Python of the driver"
_MEANINGS: tuple[tuple[str, str, str], ...] = (
    (
        r"JAVA_GATEWAY_EXITED|Java gateway process exited|JAVA_HOME is not set",
        "Spark needs Java, which is not found",
        "install Java 17 (apt-get install openjdk-17-jre-headless), or set JAVA_HOME",
    ),
    (
        r"PYTHON_VERSION_MISMATCH|different version .{0,40}than",
        "workers run another version of Python",
        _SAME_PYTHON,
    ),
    (
        r"No module named '(losscli|polars|numpy|msgspec|pyarrow|scipy|typer|rich)",
        "workers lack losscli, or what it needs",
        "install losscli[spark] on all workers, or send an environment by spark.archives",
    ),
    (
        r"OutOfMemory|code:? 137|Container killed|exceeded memory limits",
        "a worker ran out of memory",
        "raise spark.executor.memoryOverhead, which holds the memory of Python",
    ),
    (
        r"Python worker exited unexpectedly|ExecutorLostFailure|worker lost|Lost executor",
        "workers were lost again and again",
        "their logs say why; spark.executor.memoryOverhead holds the memory of Python",
    ),
    (r"maxResultSize", "the results are larger than the driver takes", "raise spark.driver.maxResultSize"),
    (
        r"UNAVAILABLE|failed to connect|Connection refused",
        "the server cannot be reached",
        "check the address",
    ),
)
"""The meaning of Spark errors: a pattern in their text, what is wrong, and the remedy."""


def session(master: str) -> Any:
    """The session of a master (local[4], spark://HOST:7077, yarn, sc://HOST:15002).

    Without a master, it is the active session, or a new one as configured by the environment.
    Raises UsageError, with a remedy, if PySpark, Java or the master is missing.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        what = (
            "is not installed" if (error.name or "").startswith("pyspark") else f"cannot be imported: {error}"
        )
        raise UsageError(f"--engine spark needs PySpark, which {what}", remedy=INSTALL) from None
    builder = SparkSession.builder
    with meaning():
        if master.startswith(CONNECT):
            _require_server(master)
            return builder.remote(master).getOrCreate()
        active = SparkSession.getActiveSession()
        if active is not None:
            return active
        if master.startswith("local"):
            # Otherwise Spark would use the python3 in PATH.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        for name, value in _SETTINGS.items():
            builder = builder.config(name, value)
        with _kept_handler():
            return (builder.master(master) if master else builder).getOrCreate()


def _require_server(master: str) -> None:
    """Raise UsageError if no server answers at the address, as PySpark would retry for minutes."""
    address = urlsplit(master)
    if any(os.environ.get(name) for name in _PROXIES):
        return  # the server is reached through a proxy
    host, port = address.hostname or "", address.port or _PORT
    try:
        socket.create_connection((host, port), timeout=_PATIENCE).close()
    except OSError as error:
        raise UsageError(
            f"--engine spark: no server answers at {host}:{port}: {error.strerror or error}",
            remedy="check the address, and that the server runs: sbin/start-connect-server.sh",
        ) from None


def table_of(master: str, name: str, shown: str) -> Table:
    """The table with this name in a session; messages call it `shown`.

    Raises DataError if it is missing or empty.
    """
    spark = session(master)
    with meaning():
        from pyspark.errors import AnalysisException

        try:
            return of_frame(spark.table(name), shown)
        except AnalysisException as error:
            raise DataError(problem(Code.NO_SUCH_FILE, shown, remedy="SHOW TABLES lists them")) from error


@contextmanager
def large_batches(spark: Any) -> Iterator[None]:
    """Hand rows to tasks in larger batches, if the session allows changing its settings.

    The default batches of 10,000 rows take twice the time.
    """
    before = None
    with suppress(Exception):  # any exception: some sessions do not allow changes, and work without
        before = spark.conf.get(_BATCH)
        spark.conf.set(_BATCH, str(ROWS))
    try:
        yield
    finally:
        with suppress(Exception):
            if before is not None:
                spark.conf.set(_BATCH, before)


def is_connect(spark: Any) -> bool:
    """Whether a session is one of Spark Connect, whose jobs run on a server."""
    return ".connect." in type(spark).__module__


def inheriting(spark: Any, function: Callable[[], None]) -> Callable[[], None]:
    """The function for another thread with the settings of this one, such as its scheduler pool."""
    from pyspark import __version__
    from pyspark.util import inheritable_thread_target

    is_named = is_connect(spark) or __version__ >= "4"  # older versions have only the session of the process
    inherited: Callable[[], None]
    inherited = (
        inheritable_thread_target(spark)(function) if is_named else inheritable_thread_target(function)
    )
    return inherited


@contextmanager
def _kept_handler() -> Iterator[None]:
    """Keep the interrupt handler of the program, which a new session would replace."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if before is not signal.default_int_handler:
            signal.signal(signal.SIGINT, before)


@contextmanager
def meaning() -> Iterator[None]:
    """Turn an error of Spark into a UsageError with a remedy."""
    from pyspark.errors import PySparkException

    known: tuple[type[Exception], ...] = (PySparkException, OSError)
    with suppress(ImportError):  # pure Spark Connect clients have no py4j
        from py4j.protocol import Py4JError

        known += (Py4JError,)
    try:
        yield
    except known as error:
        text = str(error)
        for pattern, what, remedy in _MEANINGS:
            if re.search(pattern, text):
                raise UsageError(f"--engine spark: {what}", remedy=remedy) from error
        lines = [line for line in text.splitlines() if line.strip()]
        reason = shortened(lines[0]) if lines else type(error).__name__
        raise UsageError(
            f"--engine spark failed: {reason}", remedy="--debug shows all of the error"
        ) from error
