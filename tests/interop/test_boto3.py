"""boto3 against Esteira's simulator: the S3 that people know, in small."""

import hashlib
import io
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest
from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from matrix import note
from names import BEYOND_FILES, DOTS, LONG, LONGEST_OF_FILE, NOT_IN_MOTO, PLAIN
from readers import version_of
from store import s3_client

NAMES = [*PLAIN, LONGEST_OF_FILE, *LONG, *BEYOND_FILES, *NOT_IN_MOTO, *DOTS]
MEBIBYTE = 1024 * 1024


@pytest.fixture(autouse=True)
def told(request):
    note(request, f"boto3 {version_of('boto3')}")


@pytest.fixture
def store(new_store):
    return new_store("esteira")


@pytest.fixture
def s3(store):
    return store.client


@pytest.fixture
def bucket(store):
    return store.bucket


def refusal(call, **arguments):
    """The status and code a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**arguments)
    answer = refused.value.response
    return answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Code"]


def keys(s3, **arguments):
    pages = s3.get_paginator("list_objects_v2").paginate(**arguments)
    return [entry["Key"] for page in pages for entry in page.get("Contents", [])]


def test_bucket_is_created_found_and_deleted_when_empty(s3, bucket):
    assert bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    s3.head_bucket(Bucket=bucket)
    assert refusal(s3.create_bucket, Bucket=bucket) == (409, "BucketAlreadyOwnedByYou")
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert refusal(s3.delete_bucket, Bucket=bucket) == (409, "BucketNotEmpty")
    s3.delete_object(Bucket=bucket, Key="a")
    s3.delete_bucket(Bucket=bucket)
    assert refusal(s3.head_bucket, Bucket=bucket) == (404, "404")
    assert refusal(s3.list_objects_v2, Bucket=bucket) == (404, "NoSuchBucket")


def test_object_comes_back_with_what_was_told_about_it(s3, bucket):
    body = b'{"a": "\xc3\xa7"}'
    put = s3.put_object(
        Bucket=bucket,
        Key="a.json",
        Body=body,
        ContentType="application/json",
        Metadata={"origem": "loja 1"},
    )
    assert put["ETag"] == f'"{hashlib.md5(body).hexdigest()}"'
    got = s3.get_object(Bucket=bucket, Key="a.json")
    assert got["Body"].read() == body
    head = s3.head_object(Bucket=bucket, Key="a.json")
    for answer in (got, head):
        assert answer["ContentLength"] == len(body)
        assert answer["ContentType"] == "application/json"
        assert answer["Metadata"] == {"origem": "loja 1"}
        assert answer["ETag"] == put["ETag"]
    [entry] = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert (entry["ETag"], entry["Size"]) == (put["ETag"], len(body))
    assert entry["LastModified"].replace(microsecond=0) == head["LastModified"]


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", None])
def test_checksums_of_a_client_are_accepted(s3, bucket, algorithm):
    extra = {"ChecksumAlgorithm": algorithm} if algorithm else {}
    s3.put_object(Bucket=bucket, Key="a", Body=b"abc", **extra)
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"abc"


def test_parts_of_an_object_are_read_by_range(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"0123456789")
    for wanted, part in (("bytes=2-4", b"234"), ("bytes=7-", b"789"), ("bytes=-2", b"89")):
        got = s3.get_object(Bucket=bucket, Key="a", Range=wanted)
        assert (got["Body"].read(), got["ResponseMetadata"]["HTTPStatusCode"]) == (part, 206)
    assert refusal(s3.get_object, Bucket=bucket, Key="a", Range="bytes=10-") == (
        416,
        "InvalidRange",
    )


def test_missing_object_is_told_from_missing_bucket(s3, bucket):
    assert refusal(s3.get_object, Bucket=bucket, Key="none") == (404, "NoSuchKey")
    assert refusal(s3.head_object, Bucket=bucket, Key="none")[0] == 404
    assert refusal(s3.get_object, Bucket="no-such-bucket", Key="a") == (404, "NoSuchBucket")
    s3.delete_object(Bucket=bucket, Key="none")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_odd_name_is_put_listed_read_copied_and_deleted(s3, bucket, name):
    key, copy, body = f"input/{name}", f"kopie/{name}", name.encode()
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    assert keys(s3, Bucket=bucket) == [key]
    assert keys(s3, Bucket=bucket, Prefix=key[:-1]) == [key]
    assert s3.head_object(Bucket=bucket, Key=key)["ContentLength"] == len(body)
    s3.copy_object(Bucket=bucket, Key=copy, CopySource={"Bucket": bucket, "Key": key})
    assert s3.get_object(Bucket=bucket, Key=copy)["Body"].read() == body
    s3.delete_object(Bucket=bucket, Key=key)
    assert keys(s3, Bucket=bucket) == [copy]
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": copy}]})
    assert [entry["Key"] for entry in answer["Deleted"]] == [copy]
    assert keys(s3, Bucket=bucket) == []


def test_all_odd_names_live_beside_each_other_in_order(s3, bucket):
    for name in NAMES:
        s3.put_object(Bucket=bucket, Key=f"input/{name}", Body=name.encode())
    wanted = sorted((f"input/{name}" for name in NAMES), key=str.encode)
    paged = {"PageSize": 3}
    assert keys(s3, Bucket=bucket, PaginationConfig=paged) == wanted
    after = wanted[10]
    assert keys(s3, Bucket=bucket, StartAfter=after, PaginationConfig=paged) == wanted[11:]
    first = s3.get_paginator("list_objects").paginate(Bucket=bucket, PaginationConfig=paged)
    assert [entry["Key"] for page in first for entry in page["Contents"]] == wanted
    for name in NAMES:
        assert s3.get_object(Bucket=bucket, Key=f"input/{name}")["Body"].read() == name.encode()


def test_key_beyond_1024_bytes_is_refused(s3, bucket):
    s3.put_object(Bucket=bucket, Key="k" * 1024, Body=b"")
    assert refusal(s3.put_object, Bucket=bucket, Key="k" * 1025, Body=b"") == (
        400,
        "KeyTooLongError",
    )


def test_listing_by_delimiter_shows_folders_once(s3, bucket):
    for key in ("a/1", "a/2", "b c/1", "d", "e%2F/1"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")
    prefixes, files, token = [], [], {}
    while True:
        page = s3.list_objects_v2(Bucket=bucket, Delimiter="/", MaxKeys=1, **token)
        prefixes += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
        files += [entry["Key"] for entry in page.get("Contents", [])]
        assert page["KeyCount"] == 1
        if not page["IsTruncated"]:
            break
        token = {"ContinuationToken": page["NextContinuationToken"]}
    assert (prefixes, files) == (["a/", "b c/", "e%2F/"], ["d"])


def test_write_on_condition_never_overwrites(s3, bucket):
    put = s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
    precondition = (412, "PreconditionFailed")
    assert (
        refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfNoneMatch="*") == precondition
    )
    other = '"00000000000000000000000000000000"'
    assert refusal(s3.put_object, Bucket=bucket, Key="a", Body=b"2", IfMatch=other) == precondition
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"
    s3.put_object(Bucket=bucket, Key="a", Body=b"2", IfMatch=put["ETag"])
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"
    assert refusal(s3.put_object, Bucket=bucket, Key="b", Body=b"", IfMatch=other)[0] == 404


def test_writers_on_condition_at_once_have_one_winner(store):
    def write(number):
        client = s3_client(store.endpoint)
        try:
            client.put_object(
                Bucket=store.bucket, Key="fence", Body=str(number).encode(), IfNoneMatch="*"
            )
            return number
        except ClientError as error:
            assert error.response["ResponseMetadata"]["HTTPStatusCode"] in (409, 412)
            return None

    with ThreadPoolExecutor(16) as pool:
        winners = [number for number in pool.map(write, range(32)) if number is not None]
    assert len(winners) == 1
    assert store.get("fence") == str(winners[0]).encode()


def test_read_on_condition_tells_whether_it_changed(s3, bucket):
    tag = s3.put_object(Bucket=bucket, Key="a", Body=b"1")["ETag"]
    assert refusal(s3.get_object, Bucket=bucket, Key="a", IfNoneMatch=tag)[0] == 304
    s3.put_object(Bucket=bucket, Key="a", Body=b"2")
    assert refusal(s3.get_object, Bucket=bucket, Key="a", IfMatch=tag) == (
        412,
        "PreconditionFailed",
    )
    assert s3.get_object(Bucket=bucket, Key="a", IfNoneMatch=tag)["Body"].read() == b"2"


def test_large_file_goes_up_and_down_in_parts(s3, bucket):
    body = b"".join(hashlib.sha256(str(n).encode()).digest() for n in range(400_000))
    settings = TransferConfig(multipart_threshold=5 * MEBIBYTE, multipart_chunksize=5 * MEBIBYTE)
    s3.upload_fileobj(io.BytesIO(body), bucket, "grande ç.bin", Config=settings)
    tag = s3.head_object(Bucket=bucket, Key="grande ç.bin")["ETag"]
    parts = [body[at : at + 5 * MEBIBYTE] for at in range(0, len(body), 5 * MEBIBYTE)]
    digests = b"".join(hashlib.md5(part).digest() for part in parts)
    assert tag == f'"{hashlib.md5(digests).hexdigest()}-{len(parts)}"'
    back = io.BytesIO()
    s3.download_fileobj(bucket, "grande ç.bin", back, Config=settings)
    assert back.getvalue() == body


def test_upload_in_parts_is_seen_when_complete_and_not_when_aborted(s3, bucket):
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
    at = {"Bucket": bucket, "Key": "a", "UploadId": upload}
    first = s3.upload_part(**at, PartNumber=1, Body=b"x" * 5 * MEBIBYTE)["ETag"]
    second = s3.upload_part(**at, PartNumber=2, Body=b"y")["ETag"]
    assert [part["Size"] for part in s3.list_parts(**at)["Parts"]] == [5 * MEBIBYTE, 1]
    [pending] = s3.list_multipart_uploads(Bucket=bucket)["Uploads"]
    assert pending["UploadId"] == upload and keys(s3, Bucket=bucket) == []
    chosen = [{"PartNumber": 1, "ETag": first}, {"PartNumber": 2, "ETag": second}]
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": chosen})
    assert s3.head_object(Bucket=bucket, Key="a")["ContentLength"] == 5 * MEBIBYTE + 1
    other = s3.create_multipart_upload(Bucket=bucket, Key="b")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="b", UploadId=other, PartNumber=1, Body=b"x")
    s3.abort_multipart_upload(Bucket=bucket, Key="b", UploadId=other)
    assert keys(s3, Bucket=bucket) == ["a"]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    assert refusal(s3.list_parts, Bucket=bucket, Key="b", UploadId=other) == (404, "NoSuchUpload")


def test_upload_in_parts_on_condition_never_overwrites(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    upload = s3.create_multipart_upload(Bucket=bucket, Key="a")["UploadId"]
    at = {"Bucket": bucket, "Key": "a", "UploadId": upload}
    part = s3.upload_part(**at, PartNumber=1, Body=b"2")["ETag"]
    complete = {"Parts": [{"PartNumber": 1, "ETag": part}]}
    assert refusal(
        s3.complete_multipart_upload, **at, MultipartUpload=complete, IfNoneMatch="*"
    ) == (412, "PreconditionFailed")
    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"1"


def test_copy_keeps_or_replaces_what_is_told_about_it(s3, bucket):
    s3.put_object(Bucket=bucket, Key="a", Body=b"1", Metadata={"x": "1"}, ContentType="text/x")
    source = {"Bucket": bucket, "Key": "a"}
    s3.copy_object(Bucket=bucket, Key="b", CopySource=source)
    assert s3.head_object(Bucket=bucket, Key="b")["Metadata"] == {"x": "1"}
    s3.copy_object(
        Bucket=bucket, Key="c", CopySource=source, MetadataDirective="REPLACE", Metadata={"y": "2"}
    )
    assert s3.head_object(Bucket=bucket, Key="c")["Metadata"] == {"y": "2"}
    missing = {"Bucket": bucket, "Key": "none"}
    assert refusal(s3.copy_object, Bucket=bucket, Key="d", CopySource=missing) == (404, "NoSuchKey")


@pytest.mark.parametrize("name", ["simples.json", "ação %2F + 📦.json"])
def test_presigned_addresses_read_and_write(store, name):
    client = s3_client(store.endpoint)
    where = {"Bucket": store.bucket, "Key": name}
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    write = client.generate_presigned_url("put_object", Params=where)
    direct.open(urllib.request.Request(write, data=b"abc", method="PUT")).close()
    read = client.generate_presigned_url("get_object", Params=where)
    with direct.open(read) as answer:
        assert answer.read() == b"abc"
    with pytest.raises(urllib.error.HTTPError) as refused:
        direct.open(read[:-1] + ("1" if read[-1] == "0" else "0"))
    assert refused.value.code == 403


def test_wrong_secret_is_refused(store):
    client = s3_client(store.endpoint, secret="wrong")
    assert refusal(client.list_objects_v2, Bucket=store.bucket) == (403, "SignatureDoesNotMatch")


def test_any_region_is_served(store):
    client = s3_client(store.endpoint, region_name="sa-east-1")
    name = f"{store.bucket}-sa"
    client.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "sa-east-1"})
    client.put_object(Bucket=name, Key="a", Body=b"1")
    assert [entry["Key"] for entry in client.list_objects_v2(Bucket=name)["Contents"]] == ["a"]
