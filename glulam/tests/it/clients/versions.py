"""Buckets that keep versions, by boto3 and by the aws command. Each function is one part; it fails by an exception."""

import json
import os
import subprocess
import sys

import boto3 as amazon
from common import refused, run

HERE = {"LocationConstraint": "eu-central-1"}
s3 = amazon.client("s3")


def versioned(bucket):
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    assert s3.get_bucket_versioning(Bucket=bucket)["Status"] == "Enabled"


def body(**at):
    return s3.get_object(**at)["Body"].read()


def listed(bucket, **more):
    """Key, text (None for a delete marker) and whether it is the latest, of every version in order of the answer."""
    found = []
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, **more):
        entries = [(one, False) for one in page.get("Versions", [])]
        entries += [(one, True) for one in page.get("DeleteMarkers", [])]
        for one, is_marker in entries:
            text = None if is_marker else body(Bucket=bucket, Key=one["Key"], VersionId=one["VersionId"])
            found.append((one["Key"], text, one["IsLatest"]))
    return found


def boto3():
    s3.create_bucket(Bucket="kept", CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="kept", Key="old", Body=b"before")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    its = {"Bucket": "kept", "Key": "old"}
    first = s3.put_object(**its, Body=b"first")["VersionId"]
    second = s3.put_object(**its, Body=b"second")["VersionId"]
    assert (body(**its), body(**its, VersionId=first), body(**its, VersionId="null")) == (b"second", b"first", b"before")
    assert s3.head_object(**its)["VersionId"] == second
    assert listed("kept") == [("old", b"second", True), ("old", b"first", False), ("old", b"before", False)]
    assert listed("kept", PaginationConfig={"PageSize": 1}) == listed("kept")

    marker = s3.delete_object(**its)
    assert marker["DeleteMarker"] and marker["VersionId"] not in (first, second)
    error = refused("NoSuchKey", s3.get_object, **its)
    assert error.response["ResponseMetadata"]["HTTPHeaders"]["x-amz-delete-marker"] == "true"
    refused("MethodNotAllowed", s3.get_object, **its, VersionId=marker["VersionId"])
    refused("NoSuchVersion", s3.get_object, **its, VersionId="0" * 32)
    refused("InvalidArgument", s3.get_object, **its, VersionId="nonsense")
    assert s3.list_objects_v2(Bucket="kept")["KeyCount"] == 0
    restored = s3.delete_object(**its, VersionId=marker["VersionId"])
    assert restored["DeleteMarker"] and restored["VersionId"] == marker["VersionId"]
    assert body(**its) == b"second"
    s3.delete_object(**its, VersionId=second)
    assert body(**its) == b"first"

    copied = s3.copy_object(**its, CopySource={**its, "VersionId": "null"})
    assert copied["CopySourceVersionId"] == "null" and body(**its, VersionId=copied["VersionId"]) == b"before"
    version = amazon.resource("s3").ObjectVersion("kept", "old", first)
    assert version.get()["Body"].read() == b"first"
    s3.put_object_tagging(**its, VersionId=first, Tagging={"TagSet": [{"Key": "n", "Value": "1"}]})
    assert s3.get_object_tagging(**its)["TagSet"] == []
    assert s3.get_object_tagging(**its, VersionId=first)["TagSet"] == [{"Key": "n", "Value": "1"}]

    upload = s3.create_multipart_upload(**its)["UploadId"]
    part = s3.upload_part(**its, UploadId=upload, PartNumber=1, Body=b"parts")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    done = s3.complete_multipart_upload(**its, UploadId=upload, MultipartUpload=parts)
    assert body(**its, VersionId=done["VersionId"]) == b"parts"

    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Suspended"})
    assert s3.put_object(**its, Body=b"suspended")["VersionId"] == "null"
    texts = [text for _, text, _ in listed("kept")]
    assert texts == [b"suspended", b"parts", b"before", b"first"], texts
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    answer = s3.delete_objects(Bucket="kept", Delete={"Objects": [
        {"Key": "old", "VersionId": "null"}, {"Key": "old"}, {"Key": "never"}]})
    assert "Errors" not in answer
    assert sorted(one["Key"] for one in answer["Deleted"] if one.get("DeleteMarker")) == ["never", "old"]
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="kept")


def aws(*arguments):
    done = subprocess.run([sys.executable, "-m", "awscli", *arguments], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return json.loads(done.stdout) if done.stdout.strip().startswith("{") else done.stdout


def command():
    aws("s3", "mb", "s3://commanded")
    aws("s3api", "put-bucket-versioning", "--bucket", "commanded", "--versioning-configuration", "Status=Enabled")
    for text in ("one", "two"):
        with open("upload.txt", "w") as file:
            file.write(text)
        aws("s3", "cp", "upload.txt", "s3://commanded/folder/file.txt")
    aws("s3", "rm", "s3://commanded/folder/file.txt")
    found = aws("s3api", "list-object-versions", "--bucket", "commanded", "--prefix", "folder/")
    assert [one["IsLatest"] for one in found["Versions"]] == [False, False], found
    assert [one["IsLatest"] for one in found["DeleteMarkers"]] == [True], found
    oldest = found["Versions"][-1]["VersionId"]
    aws("s3api", "get-object", "--bucket", "commanded", "--key", "folder/file.txt", "--version-id", oldest, "back.txt")
    with open("back.txt") as file:
        assert file.read() == "one"
    marker = found["DeleteMarkers"][0]["VersionId"]
    aws("s3api", "delete-object", "--bucket", "commanded", "--key", "folder/file.txt", "--version-id", marker)
    assert body(Bucket="commanded", Key="folder/file.txt") == b"two"


def emptied():
    """How buckets with versions are emptied, also where a page was deleted before the next is asked for."""
    versioned("emptied")
    for number in range(30):
        for _ in range(3):
            s3.put_object(Bucket="emptied", Key=f"folder={number % 3}/{number}", Body=b"x")
        s3.delete_object(Bucket="emptied", Key=f"folder={number % 3}/{number}")
    folders = s3.list_object_versions(Bucket="emptied", Delimiter="/")
    assert [one["Prefix"] for one in folders["CommonPrefixes"]] == ["folder=0/", "folder=1/", "folder=2/"]
    assert len(listed("emptied", Prefix="folder=1/")) == 40
    for page in s3.get_paginator("list_object_versions").paginate(Bucket="emptied", PaginationConfig={"PageSize": 7}):
        names = [{"Key": one["Key"], "VersionId": one["VersionId"]}
                 for one in page.get("Versions", []) + page.get("DeleteMarkers", [])]
        assert "Errors" not in s3.delete_objects(Bucket="emptied", Delete={"Objects": names})
    assert listed("emptied") == []
    s3.delete_bucket(Bucket="emptied")
    s3.create_bucket(Bucket="emptied", CreateBucketConfiguration=HERE)
    assert "Status" not in s3.get_bucket_versioning(Bucket="emptied")


def platform():
    """What the platform itself writes and replaces is kept as well."""
    versioned("results")
    glue, athena = amazon.client("glue"), amazon.client("athena")
    glue.create_database(DatabaseInput={"Name": "shop"})
    for number in (1, 2):
        run(athena, f"CREATE TABLE shop.t WITH (external_location = 's3://results/t/', format = 'JSON') AS SELECT {number} AS n")
        run(athena, "DROP TABLE shop.t")
        for one in s3.list_objects_v2(Bucket="results", Prefix="t/").get("Contents", []):
            s3.delete_object(Bucket="results", Key=one["Key"])
    written = [(text, latest) for _, text, latest in listed("results", Prefix="t/")]
    assert sum(text is not None for text, _ in written) >= 2, written
    assert all(text is None for text, latest in written if latest), written


def by_hand():
    its = {"Bucket": "kept", "Key": "dropped.txt"}
    version = s3.head_object(**its)["VersionId"]
    s3.put_object(**its, Body=b"over it")
    assert body(**its, VersionId=version) == b"by hand"
    s3.delete_object(**its, VersionId=s3.head_object(**its)["VersionId"])
    assert body(**its) == b"by hand" and s3.head_object(**its)["VersionId"] == version


def afterwards():
    assert s3.get_bucket_versioning(Bucket="kept")["Status"] == "Enabled"
    assert [text for key, text, _ in listed("kept") if key == "old"].count(b"parts") == 1
    assert body(Bucket="kept", Key="dropped.txt") == b"by hand"


for function in sys.argv[1:]:
    globals()[function]()
