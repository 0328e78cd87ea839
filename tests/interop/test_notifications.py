"""New objects that moto's SQS tells of, and an input that is cleaned."""

import json
import os
import signal
import subprocess
import time
import urllib.parse
from contextlib import contextmanager

import boto3
import pytest
from botocore.config import Config

from canonical import TABLES, difference, rows_of
from expected import Expected
from lake import path_of, read
from matrix import note
from pipeline_folders import BUILT_IN
from program import ask_oracle
from readers import version_of
from simulators import KEY_ID, REGION, SECRET
from waves import event, item

PATIENCE = 90


@pytest.fixture
def store(new_store):
    return new_store("moto")


@pytest.fixture
def sqs(request, store):
    note(request, f"moto {version_of('moto')} (SQS)")
    return boto3.client(
        "sqs",
        endpoint_url=store.endpoint,
        region_name=REGION,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=SECRET,
        config=Config(retries={"total_max_attempts": 1}, proxies={}),
    )


@pytest.fixture
def queue(sqs, store):
    """A new queue's URL, as SQS gives it."""
    return sqs.create_queue(QueueName=store.bucket)["QueueUrl"]


def pipeline(folder, source):
    """A copy of the built-in pipeline with other settings of the source."""
    folder.mkdir()
    for path in BUILT_IN.rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(BUILT_IN)
            copy.parent.mkdir(exist_ok=True)
            copy.write_bytes(path.read_bytes())
    file = folder / "pipeline.toml"
    text = file.read_text()
    path = 'path = "input/*.json"'
    assert path in text
    file.write_text(text.replace(path, source))
    return str(folder)


def waiting(sqs, queue):
    """Messages in the queue, seen or hidden."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    told = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=names)["Attributes"]
    return sum(int(told[name]) for name in names)


def told_of(bucket, key):
    """The message of S3 about a new object (Amazon S3 User Guide, *Event message structure*)."""
    return {
        "eventVersion": "2.1",
        "eventSource": "aws:s3",
        "awsRegion": REGION,
        "eventName": "ObjectCreated:Put",
        "s3": {
            "s3SchemaVersion": "1.0",
            "bucket": {"name": bucket, "arn": f"arn:aws:s3:::{bucket}"},
            "object": {"key": urllib.parse.quote_plus(key, safe="/"), "sequencer": "00"},
        },
    }


@contextmanager
def job(program, store, folder, log):
    """The job, running until the test is done with it."""
    command = [program.binary, "run", folder, "--log", "json", "--bucket", store.location]
    with open(log, "wb") as out:
        process = subprocess.Popen(
            command, env=store.env, stdin=subprocess.DEVNULL, stdout=out, stderr=out
        )
        try:
            yield process
            assert process.poll() is None, log.read_text()
            os.kill(process.pid, signal.SIGTERM)
            assert process.wait(PATIENCE) == 0, log.read_text()
        finally:
            process.kill()
            process.wait()


def until(what, is_so):
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what} did not come"
        time.sleep(0.1)


def taken(program, store):
    history = program.history(store)
    return history[-1]["totals"]["objects"]["discovered"] if history else 0


def check(store, oracle, uploads, modified, folder):
    for key, body in uploads.items():
        path = folder / key.removeprefix("input/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    expected = Expected.of_answer(ask_oracle(oracle, folder, modified))
    for table in TABLES:
        found = rows_of(read(store, path_of(table)))
        problem = difference(expected.table(table), found)
        assert problem is None, f"{table}: {problem}"


def order(number):
    at = f"2024-05-01T12:00:{number:02}Z"
    return event(f"order-{number}", at, list_item_pedi=f"[{item(f'i{number}')}]").encode()


@pytest.mark.parametrize("by_name", [False, True], ids=["url", "name"])
def test_objects_are_taken_by_messages_without_a_listing(
    program, oracle, store, sqs, queue, tmp_path, by_name
):
    named = store.bucket if by_name else queue
    folder = pipeline(
        tmp_path / "pipeline",
        f'path = "input/**"\n\n[source.notifications]\nqueue = "{named}"\nlist_every_seconds = 86400',
    )
    uploads = {"input/first.json": order(0)}
    store.put("input/first.json", uploads["input/first.json"])
    with job(program, store, folder, tmp_path / "log"):
        until("the first batch", lambda: taken(program, store) == 1)
        for number, key in enumerate(["input/a b+c.json", "input/é/ü.json", "input/x.json"], 1):
            uploads[key] = order(number)
            store.put(key, uploads[key])
            body = json.dumps({"Records": [told_of(store.bucket, key)]})
            # Whatever is said twice, late or of nobody's objects changes nothing.
            sqs.send_message(QueueUrl=queue, MessageBody=body)
            sqs.send_message(QueueUrl=queue, MessageBody=body)
            until(key, lambda number=number: taken(program, store) == number + 1)
        strange = [told_of(store.bucket, "input/absent"), told_of("another", "input/x.json")]
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps({"Records": strange}))
        test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": store.bucket}
        sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(test))
        until("an empty queue", lambda: waiting(sqs, queue) == 0)
    modified = {key: it.modified_micros for key, it in store.objects("input/").items()}
    check(store, oracle, uploads, modified, tmp_path / "uploads")


def test_notifications_that_the_bucket_sends_itself_are_understood(
    program, store, sqs, queue, tmp_path
):
    names = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    store.client.put_bucket_notification_configuration(
        Bucket=store.bucket,
        NotificationConfiguration={
            "QueueConfigurations": [
                {"QueueArn": names["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
            ]
        },
    )
    folder = pipeline(
        tmp_path / "pipeline",
        f'path = "input/**"\n\n[source.notifications]\nqueue = "{queue}"\nlist_every_seconds = 86400',
    )
    with job(program, store, folder, tmp_path / "log"):
        until("the ledger", lambda: store.objects("analytics/"))
        for number in range(12):
            store.put(f"input/{number} +.json", order(number))
        until("all objects", lambda: taken(program, store) == 12)
        # What the job writes is told of, too, and is none of its input.
        until("an empty queue", lambda: waiting(sqs, queue) == 0)


def test_queue_that_is_not_there_is_told_at_once(program, store, tmp_path):
    folder = pipeline(
        tmp_path / "pipeline", 'path = "input/**"\n\n[source.notifications]\nqueue = "absent"'
    )
    done = subprocess.run(
        [program.binary, "run", folder, "--bucket", store.location],
        env=store.env,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 4, done.stderr
    assert "error: queue `absent` does not exist" in done.stderr
    assert "source.notifications.queue" in done.stderr


@pytest.mark.parametrize("after", ["delete", "archive"])
def test_input_is_clean_when_everything_was_taken(
    kind, program, oracle, new_store, tmp_path, after
):
    store = new_store(kind)
    folder = pipeline(tmp_path / "pipeline", f'path = "input/**"\nafter = "{after}"')
    keys = ["input/a.json", "input/b c+d.json", "input/e/é.json"]
    uploads = {key: order(number) for number, key in enumerate(keys)}
    uploads["input/empty"] = b""
    for key, body in uploads.items():
        store.put(key, body)
    modified = {key: it.modified_micros for key, it in store.objects("input/").items()}
    program.run("run", folder, "--once", "--bucket", store.location, env=store.env)
    assert not store.objects("input/")
    archived = store.objects("archive/marketing_place/")
    wanted = sorted(uploads.values()) if after == "archive" else []
    assert sorted(map(store.get, archived)) == wanted
    check(store, oracle, uploads, modified, tmp_path / "uploads")
    verified = program.run("verify", folder, "--bucket", store.location, env=store.env)
    assert verified
