"""What some tests need: a skip says what is missing, and how to get it."""

from __future__ import annotations

import shutil
from types import ModuleType

import pytest

INSTALL = {
    "altair": "pip install 'losscli[report]'",
    "cloudpickle": "pip install 'losscli[test]'",
    "cupy": "pip install 'losscli[gpu]'",
    "grpc_status": "pip install 'losscli[spark]'",
    "pyspark": "pip install 'losscli[spark]'",
}


def needed(module: str) -> ModuleType:
    """The module; without its package the test is skipped."""
    package = module.partition(".")[0]
    pytest.importorskip(package, reason=f"needs {package}: {INSTALL[package]}")
    found: ModuleType = pytest.importorskip(module)
    return found


def need_java() -> None:
    """Skip the test without a Java for Spark."""
    if shutil.which("java") is None:
        pytest.skip("needs Java, which Spark runs on: apt-get install openjdk-17-jre-headless")
