"""Files behind URLs: an S3 server on this machine; credentials come from the environment and never show."""

from __future__ import annotations

import json
import os

import boto3
import polars as pl
import pytest
from moto.server import ThreadedMotoServer

SECRET = "wJalrXUtnFEMI-never-shown"
FRAME = pl.DataFrame({"id": range(40), "pred": [i / 7 for i in range(40)], "y": [i / 8 for i in range(40)]})
ARGUMENTS = ("-p", "pred", "-y", "y", "-l", "huber")


@pytest.fixture(scope="module")
def server():
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def bucket(server, losscli, monkeypatch):
    for name, value in {
        "AWS_ENDPOINT_URL": server,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIANEVERSHOWN",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }.items():
        monkeypatch.setenv(name, value)
    client = boto3.client("s3", endpoint_url=server, region_name="us-east-1")
    client.create_bucket(Bucket="models")
    writers = {
        "csv": FRAME.write_csv,
        "csv.gz": lambda path: FRAME.write_csv(path, compression="gzip"),
        "parquet": FRAME.write_parquet,
        "arrow": FRAME.write_ipc,
        "ndjson": FRAME.write_ndjson,
    }
    for suffix, write in writers.items():
        write(f"d.{suffix}")
        client.upload_file(f"d.{suffix}", "models", f"run/d.{suffix}")
    for i, part in enumerate((FRAME[:25], FRAME[25:])):
        part.write_parquet("part.parquet")
        client.upload_file("part.parquet", "models", f"parts/{i}.parquet")
    return "s3://models"


@pytest.mark.parametrize(
    "name",
    ["run/d.csv", "run/d.csv.gz", "run/d.parquet", "run/d.arrow", "run/d.ndjson", "parts/*.parquet"],
)
def test_a_bucket_is_read_like_a_folder(name, bucket, losscli):
    assert losscli.bare(f"{bucket}/{name}", *ARGUMENTS) == losscli.bare("d.parquet", *ARGUMENTS)


def test_a_folder_behind_a_url_and_a_local_file(bucket, losscli):
    argv = (f"{bucket}/parts/", "d.csv", "--input-format", "parquet", *ARGUMENTS)
    assert losscli.bare(*argv) == losscli.bare("d.parquet", *ARGUMENTS)


def test_files_at_urls_are_read_further_ahead(bucket, losscli, monkeypatch):
    name = "POLARS_ROW_GROUP_PREFETCH_KBYTES_BUDGET"
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)
    losscli.bare(f"{bucket}/run/d.parquet", *ARGUMENTS)
    assert name not in os.environ
    losscli.bare("d.parquet", *ARGUMENTS)
    assert name in os.environ


def test_a_web_address(bucket, server, losscli):
    address = f"{server}/models/run/d.parquet?X-Amz-Signature=signed"
    assert losscli.bare(address, *ARGUMENTS) == losscli.bare("d.parquet", *ARGUMENTS)


def test_a_condition_on_a_file_behind_a_url(bucket, losscli):
    FRAME.filter(pl.col("id") > 30).write_csv("kept.csv")
    found = losscli.bare(f"{bucket}/run/d.parquet", *ARGUMENTS, "--where", "id > 30")
    assert found == losscli.bare("kept.csv", *ARGUMENTS)


@pytest.mark.parametrize(
    ("name", "said"),
    {
        "run/none.parquet": ["s3://models/run/none.parquet: no such file", "check the address"],
        "run/none.csv": ["s3://models/run/none.csv: no such file"],
        "none/*.parquet": ["s3://models/none/*.parquet: no file matches this pattern"],
        "run/d.npy": ["npy is only read from local files"],
        "run/d": ["the name does not tell the format", "--input-format parquet"],
    }.items(),
)
def test_what_is_not_there_is_named(name, said, bucket, losscli):
    losscli.refuses(3, "evaluate", f"{bucket}/{name}", *ARGUMENTS, said=said)


def test_a_bucket_that_is_not_there(bucket, losscli):
    losscli.refuses(3, "evaluate", "s3://others/d.parquet", said=["s3://others/d.parquet: no such bucket"])


@pytest.mark.parametrize("name", ["none.parquet", "none.csv"])
def test_credentials_never_show(name, bucket, server, losscli):
    url = f"{server.replace('://', '://me:hunter2@')}/models/{name}?X-Amz-Signature=abcdef&X-Amz-Credential=k"
    done = losscli("evaluate", url, *ARGUMENTS, "--debug")
    assert done.status == 3
    assert "://***@127.0.0.1" in done.err
    for secret in ("hunter2", "abcdef", SECRET, "AKIANEVERSHOWN"):
        assert secret not in done.out + done.err


def test_credentials_are_in_no_report_and_no_name(bucket, server, losscli):
    query = "X-Amz-Signature=abcdef&X-Amz-Credential=k"
    models = server.replace("://", "://me:hunter2@") + "/models"
    one, two = (f"{models}/{name}.parquet?{query}" for name in ("run/d", "parts/0"))
    FRAME[:25].write_parquet("t.parquet")
    columns = ("-y", "y", "--on", "id", "-l", "huber")
    outputs = [word for suffix in ("json", "csv", "md", "txt", "xml") for word in ("-o", f"r.{suffix}")]
    commands = (
        ["evaluate", two, "-p", "pred", *columns, "-g", "huber < 1", "--rows", "rows.csv", *outputs, "-v"],
        ["compare", "t.parquet", two, "-t", "t.parquet", "-p", "pred", *columns, *outputs, "-v"],
        ["rank", "t.parquet", one, two, "-t", "t.parquet", "-p", "pred", *columns, *outputs, "-v"],
        ["check", two, "t.parquet", "-p", "pred", *columns],
        ["explain", "huber", two, "t.parquet", "-p", "pred", *columns[:-2]],
    )
    for argv in commands:
        done = losscli(*argv)
        assert done.status == 0, done.err
        texts = [done.out, done.err]
        if argv[0] in ("evaluate", "compare", "rank"):
            texts += [(losscli.folder / f"r.{suffix}").read_text() for suffix in ("json", "csv", "md", "txt")]
        for secret in ("hunter2", "abcdef", "Credential", SECRET):
            assert not any(secret in text for text in texts), (argv, secret)
    signature = json.loads((losscli.folder / "r.json").read_text())["signature"]
    assert losscli("rank", "t.parquet", "-t", "t.parquet", "-p", "pred", *columns, "-o", "r.json").status == 0
    assert json.loads((losscli.folder / "r.json").read_text())["signature"] == signature
