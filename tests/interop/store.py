"""A bucket as the tests see it, on S3 or as a folder, and how each reader is told of it."""

import os
from dataclasses import dataclass

import boto3
from botocore.config import Config

from program import environment
from simulators import KEY_ID, REGION, SECRET


@dataclass(frozen=True)
class Written:
    """An object as a listing shows it."""

    modified_micros: int
    size: int
    tag: str


def s3_client(endpoint, region_name=REGION, secret=SECRET):
    """A boto3 client that asks nobody but `endpoint`, and once."""
    config = Config(
        s3={"addressing_style": "path"},
        signature_version="s3v4",
        retries={"total_max_attempts": 1},
        proxies={},
    )
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        region_name=region_name,
        aws_access_key_id=KEY_ID,
        aws_secret_access_key=secret,
        config=config,
    )


class S3Store:
    """A new bucket of a simulator."""

    def __init__(self, endpoint, bucket):
        self.endpoint = endpoint
        self.bucket = bucket
        self.client = s3_client(endpoint)
        self.client.create_bucket(Bucket=bucket)
        self.location = f"s3://{bucket}"
        self.env = environment(
            AWS_ENDPOINT_URL=endpoint,
            AWS_ACCESS_KEY_ID=KEY_ID,
            AWS_SECRET_ACCESS_KEY=SECRET,
            AWS_REGION=REGION,
        )
        self.storage_options = {
            "aws_endpoint_url": endpoint,
            "aws_access_key_id": KEY_ID,
            "aws_secret_access_key": SECRET,
            "aws_region": REGION,
            "aws_allow_http": "true",
            "aws_virtual_hosted_style_request": "false",
            "aws_conditional_put": "etag",
        }
        own = f"fs.s3a.bucket.{bucket}"
        self.hadoop_options = {
            f"{own}.endpoint": endpoint,
            f"{own}.endpoint.region": REGION,
            f"{own}.path.style.access": "true",
            f"{own}.connection.ssl.enabled": "false",
            f"{own}.aws.credentials.provider": (
                "org.apache.hadoop.fs.s3a.SimpleAWSCredentialsProvider"
            ),
            f"{own}.access.key": KEY_ID,
            f"{own}.secret.key": SECRET,
        }

    def put(self, key, body):
        self.client.put_object(Bucket=self.bucket, Key=key, Body=body)

    def get(self, key):
        return self.client.get_object(Bucket=self.bucket, Key=key)["Body"].read()

    def delete(self, key):
        self.client.delete_object(Bucket=self.bucket, Key=key)

    def objects(self, prefix=""):
        """Key to `Written`."""
        pages = self.client.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, Prefix=prefix
        )
        return {
            entry["Key"]: Written(_micros(entry["LastModified"]), entry["Size"], entry["ETag"])
            for page in pages
            for entry in page.get("Contents", [])
        }

    def table_url(self, path):
        return f"s3://{self.bucket}/{path}"

    def hadoop_url(self, path):
        return f"s3a://{self.bucket}/{path}"


class FolderStore:
    """A folder that plays the bucket; it is made when it is not there."""

    endpoint = None
    storage_options = {}
    hadoop_options = {}

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir(exist_ok=True)
        self.location = f"file://{folder}"
        self.env = environment()

    def put(self, key, body):
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)

    def get(self, key):
        return (self.folder / key).read_bytes()

    def delete(self, key):
        (self.folder / key).unlink()

    def objects(self, prefix=""):
        """Key to `Written`."""
        found = {}
        for parent, _, names in os.walk(self.folder):
            for name in names:
                path = os.path.join(parent, name)
                key = os.path.relpath(path, self.folder)
                if key.startswith(prefix):
                    stat = os.stat(path)
                    tag = f"{stat.st_ino}-{stat.st_mtime_ns}"
                    found[key] = Written(stat.st_mtime_ns // 1000, stat.st_size, tag)
        return found

    def table_url(self, path):
        return str(self.folder / path)

    def hadoop_url(self, path):
        return f"file://{self.folder / path}"


def _micros(instant):
    return int(instant.timestamp()) * 1_000_000 + instant.microsecond
