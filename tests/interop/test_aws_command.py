"""The `aws` command against Esteira's simulator."""

import hashlib
import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from matrix import note
from names import PLAIN
from readers import version_of

PATIENCE = 120


@pytest.fixture(autouse=True)
def told(request):
    note(request, f"aws command {version_of('awscli')}")


@pytest.fixture
def store(new_store):
    return new_store("esteira")


@pytest.fixture
def aws(store):
    """Runs the command; gives its standard output, or its standard error when it is to fail."""
    command = [sys.executable, str(Path(sys.executable).with_name("aws"))]

    def run(*arguments, fails=False):
        done = subprocess.run(
            [*command, "--endpoint-url", store.endpoint, *arguments],
            env=store.env | {"PYTHONUTF8": "1", "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PATIENCE,
        )
        assert (done.returncode != 0) == fails, f"{arguments}: {done.stderr.decode()}"
        return (done.stderr if fails else done.stdout).decode()

    return run


def test_buckets_are_made_listed_and_removed(store, aws):
    name = f"{store.bucket}-aws"
    aws("s3", "mb", f"s3://{name}")
    assert name in aws("s3", "ls")
    assert "NoSuchBucket" in aws("s3", "ls", "s3://no-such-bucket", fails=True)
    aws("s3", "rb", f"s3://{name}")
    assert f"{name}\n" not in aws("s3", "ls")


def test_folder_of_odd_names_goes_up_and_comes_back(store, aws, tmp_path):
    there, back = tmp_path / "there", tmp_path / "back"
    files = {name: name.encode() for name in PLAIN}
    for name, body in files.items():
        (there / name).parent.mkdir(parents=True, exist_ok=True)
        (there / name).write_bytes(body)
    aws("s3", "sync", str(there), f"s3://{store.bucket}/input")
    assert {key: store.get(key) for key in store.objects()} == {
        f"input/{name}": body for name, body in files.items()
    }
    aws("s3", "sync", f"s3://{store.bucket}/input", str(back))
    paths = [path for path in back.rglob("*") if path.is_file()]
    assert {str(path.relative_to(back)): path.read_bytes() for path in paths} == files
    assert aws("s3", "sync", str(there), f"s3://{store.bucket}/input") == ""
    aws("s3", "rm", f"s3://{store.bucket}/input", "--recursive")
    assert store.objects() == {}


def test_large_file_is_copied_moved_and_removed(store, aws, tmp_path):
    file = tmp_path / "grande.bin"
    file.write_bytes(b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(600_000)))
    here = f"s3://{store.bucket}"
    aws("s3", "cp", str(file), f"{here}/grande ção.bin")
    tag = json.loads(
        aws("s3api", "head-object", "--bucket", store.bucket, "--key", "grande ção.bin")
    )["ETag"]
    assert tag.strip('"').endswith("-3"), "it was to go up in parts"
    aws("s3", "cp", f"{here}/grande ção.bin", f"{here}/cópia/1.bin")
    aws("s3", "mv", f"{here}/cópia/1.bin", f"{here}/cópia/2.bin")
    aws("s3", "cp", f"{here}/cópia/2.bin", str(tmp_path / "back.bin"))
    assert (tmp_path / "back.bin").read_bytes() == file.read_bytes()
    assert "PRE cópia/" in aws("s3", "ls", f"{here}/")
    aws("s3", "rm", f"{here}/grande ção.bin")
    assert set(store.objects()) == {"cópia/2.bin"}


def test_write_on_condition_is_refused_when_there_is_something(store, aws, tmp_path):
    file = tmp_path / "a"
    file.write_bytes(b"1")
    put = (
        "s3api",
        "put-object",
        "--bucket",
        store.bucket,
        "--key",
        "a",
        "--body",
        str(file),
        "--if-none-match",
        "*",
    )
    aws(*put)
    assert "PreconditionFailed" in aws(*put, fails=True)


def test_presigned_address_is_read_without_credentials(store, aws):
    store.put("a b.json", b"{}")
    address = aws("s3", "presign", f"s3://{store.bucket}/a b.json").strip()
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(address) as answer:
        assert answer.read() == b"{}"


def test_esteira_bucket_and_aws_see_the_same(store, aws, program, tmp_path):
    (tmp_path / "pasta").mkdir()
    (tmp_path / "pasta" / "á é.json").write_bytes(b"{}")
    program.run("bucket", "put", store.location, str(tmp_path), "--to", "input", env=store.env)
    assert "pasta/á é.json" in aws("s3", "ls", "--recursive", f"{store.location}/input/")
    listed = program.run("bucket", "list", store.location, "--format", "json", env=store.env)
    assert [json.loads(line)["key"] for line in listed.splitlines()] == ["input/pasta/á é.json"]
