"""What aws.rs has Amazon's client do. Each function is one part; it fails by an exception."""

import base64
import hashlib
import io
import sys
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import boto3
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError


def refused(code, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        found = error.response["Error"]["Code"]
        assert found == code, (code, found, error)
        assert error.response["ResponseMetadata"]["RequestId"]
        return error
    raise AssertionError(f"{code} was expected of {call} {arguments}")


def objects():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="first", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    refused("BucketAlreadyOwnedByYou", s3.create_bucket, Bucket="first")
    assert [b["Name"] for b in s3.list_buckets()["Buckets"]] == ["first"]
    assert s3.get_bucket_location(Bucket="first")["LocationConstraint"] == "eu-central-1"
    assert s3.head_bucket(Bucket="first")["BucketRegion"] == "eu-central-1"
    assert "Status" not in s3.get_bucket_versioning(Bucket="first")
    key = "folder/ä +%.txt"
    # The body goes in chunks with its checksum behind it: that is the client's own choice.
    s3.put_object(
        Bucket="first", Key=key, Body=io.BytesIO(b"by boto3"), ContentType="text/plain",
        Metadata={"origin": "sensor 7"}, CacheControl="no-store",
    )
    got = s3.get_object(Bucket="first", Key=key)
    assert got["Body"].read() == b"by boto3"
    assert (got["ContentType"], got["Metadata"], got["CacheControl"]) == ("text/plain", {"origin": "sensor 7"}, "no-store")
    assert got["ETag"] == f'"{hashlib.md5(b"by boto3").hexdigest()}"'
    assert got["ChecksumCRC32"] and got["ChecksumType"] == "FULL_OBJECT"
    assert s3.get_object(Bucket="first", Key=key, Range="bytes=3-")["Body"].read() == b"boto3"
    for algorithm in ["CRC32", "SHA1", "SHA256"]:
        put = s3.put_object(Bucket="first", Key=algorithm, Body=b"abc", ChecksumAlgorithm=algorithm)
        head = s3.head_object(Bucket="first", Key=algorithm, ChecksumMode="ENABLED")
        assert put[f"Checksum{algorithm}"] == head[f"Checksum{algorithm}"]
        s3.get_object(Bucket="first", Key=algorithm)["Body"].read()
    refused("BadDigest", s3.put_object, Bucket="first", Key="x", Body=b"abc", ContentMD5="AAAAAAAAAAAAAAAAAAAAAA==")
    refused("NoSuchKey", s3.get_object, Bucket="first", Key="x")
    refused("404", s3.head_object, Bucket="first", Key="x")
    refused("NoSuchBucket", s3.get_object, Bucket="absent", Key="x")
    refused("InvalidRange", s3.get_object, Bucket="first", Key=key, Range="bytes=100-")
    refused("NotImplemented", s3.get_bucket_website, Bucket="first")
    refused("InvalidTag", s3.put_object, Bucket="first", Key="x", Body=b"", Tagging="a=b&a=c")
    s3.copy_object(Bucket="first", Key="copy", CopySource={"Bucket": "first", "Key": key})
    assert s3.head_object(Bucket="first", Key="copy")["Metadata"] == {"origin": "sensor 7"}
    attributes = s3.get_object_attributes(Bucket="first", Key="copy", ObjectAttributes=["ETag", "ObjectSize"])
    assert attributes["ObjectSize"] == 8
    refused("BucketNotEmpty", s3.delete_bucket, Bucket="first")
    names = [{"Key": name} for name in ["CRC32", "SHA1", "SHA256", "copy", "never there"]]
    assert len(s3.delete_objects(Bucket="first", Delete={"Objects": names})["Deleted"]) == 5
    s3.create_bucket(Bucket="second", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.delete_bucket(Bucket="second")


def listing():
    s3 = boto3.client("s3", config=Config(max_pool_connections=16))
    s3.create_bucket(Bucket="many", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    keys = [f"day={n % 10}/part {n:04}&.csv" for n in range(2500)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: s3.put_object(Bucket="many", Key=key, Body=b"x"), keys))
    for operation in ["list_objects_v2", "list_objects"]:
        pages = list(s3.get_paginator(operation).paginate(Bucket="many"))
        found = [item["Key"] for page in pages for item in page["Contents"]]
        assert len(pages) == 3 and found == sorted(keys), (operation, len(pages), len(found))
        folders = s3.get_paginator(operation).paginate(Bucket="many", Delimiter="/", PaginationConfig={"PageSize": 3})
        names = [item["Prefix"] for page in folders for item in page.get("CommonPrefixes", [])]
        assert names == [f"day={n}/" for n in range(10)], names
    some = s3.list_objects_v2(Bucket="many", Prefix="day=3/", StartAfter=sorted(keys)[1000])
    assert some["KeyCount"] == len([k for k in keys if k.startswith("day=3/") and k > sorted(keys)[1000]])
    # A thousand at a time is what the protocol takes.
    for start in range(0, 2500, 1000):
        chunk = [{"Key": key} for key in keys[start:start + 1000]]
        assert "Errors" not in s3.delete_objects(Bucket="many", Delete={"Objects": chunk, "Quiet": True})
    assert s3.list_objects_v2(Bucket="many")["KeyCount"] == 0


def settings():
    """What a bucket is told about itself, tags of objects, lists of access, versions where there are none."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="told", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    of = {"Bucket": "told"}
    tags = {"TagSet": [{"Key": "team", "Value": "lake & sea"}, {"Key": "cost", "Value": ""}]}
    cors = {"CORSRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": ["https://a.example"], "MaxAgeSeconds": 5}]}
    life = {"Rules": [{"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "tmp/"}, "Expiration": {"Days": 3}}]}
    coded = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}, "BucketKeyEnabled": False}]}
    closed = {"BlockPublicAcls": True, "IgnorePublicAcls": True, "BlockPublicPolicy": True, "RestrictPublicBuckets": True}
    owned = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    for name, missing, argument, value, member in [
        ("bucket_tagging", "NoSuchTagSet", "Tagging", tags, None),
        ("bucket_cors", "NoSuchCORSConfiguration", "CORSConfiguration", cors, None),
        ("bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError", "ServerSideEncryptionConfiguration",
         coded, "ServerSideEncryptionConfiguration"),
        ("public_access_block", "NoSuchPublicAccessBlockConfiguration", "PublicAccessBlockConfiguration", closed,
         "PublicAccessBlockConfiguration"),
        ("bucket_ownership_controls", "OwnershipControlsNotFoundError", "OwnershipControls", owned, "OwnershipControls"),
    ]:
        get, put, delete = (getattr(s3, f"{verb}_{name}") for verb in ("get", "put", "delete"))
        refused(missing, get, **of)
        for _ in range(2):
            put(**of, **{argument: value})
        found = get(**of)
        found.pop("ResponseMetadata")
        assert (found[member] if member else found) == value, (name, found)
        delete(**of)
        refused(missing, get, **of)
        refused("NoSuchBucket", get, Bucket="nowhere")
    refused("NoSuchLifecycleConfiguration", s3.get_bucket_lifecycle_configuration, **of)
    s3.put_bucket_lifecycle_configuration(**of, LifecycleConfiguration=life)
    assert s3.get_bucket_lifecycle_configuration(**of)["Rules"] == life["Rules"]
    s3.delete_bucket_lifecycle(**of)
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, **of)
    policy = '{"Version": "2012-10-17", "Statement": [{"Effect": "%s", "Principal": "*", "Action": "s3:*", "Resource": "*"}]}'
    s3.put_bucket_policy(**of, Policy=policy % "Allow")
    assert s3.get_bucket_policy(**of)["Policy"] == policy % "Allow"
    refused("NotImplemented", s3.put_bucket_policy, **of, Policy=policy % "Deny")
    refused("MalformedPolicy", s3.put_bucket_policy, **of, Policy="{}")
    assert s3.get_bucket_policy(**of)["Policy"] == policy % "Allow"
    s3.put_bucket_notification_configuration(**of, NotificationConfiguration={"EventBridgeConfiguration": {}})
    queue = {"QueueConfigurations": [{"QueueArn": "arn:aws:sqs:eu-central-1:1:q", "Events": ["s3:ObjectCreated:*"]}]}
    refused("NotImplemented", s3.put_bucket_notification_configuration, **of, NotificationConfiguration=queue)
    mfa = {"Status": "Enabled", "MFADelete": "Enabled"}
    refused("NotImplemented", s3.put_bucket_versioning, **of, VersioningConfiguration=mfa)
    assert "Status" not in s3.get_bucket_versioning(**of)

    s3.put_object(**of, Key="a/ä.txt", Body=b"1", Tagging="team=lake&kind=r%C3%A9sum%C3%A9")
    its = {**of, "Key": "a/ä.txt"}
    assert s3.get_object_tagging(**its)["TagSet"] == [
        {"Key": "team", "Value": "lake"}, {"Key": "kind", "Value": "résumé"}]
    copied = {"CopySource": {"Bucket": "told", "Key": "a/ä.txt"}}
    s3.copy_object(**of, Key="b", **copied)
    assert len(s3.get_object_tagging(**of, Key="b")["TagSet"]) == 2
    s3.copy_object(**of, Key="c", **copied, TaggingDirective="REPLACE", Tagging="new=1")
    assert s3.get_object_tagging(**of, Key="c")["TagSet"] == [{"Key": "new", "Value": "1"}]
    s3.put_object_tagging(**its, Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    assert s3.get_object_tagging(**its)["TagSet"] == [{"Key": "x", "Value": "y"}]
    many = {"TagSet": [{"Key": str(number), "Value": ""} for number in range(11)]}
    refused("InvalidTag", s3.put_object_tagging, **its, Tagging=many)
    # Another object under its key has no tags; neither has one that came back.
    s3.put_object(**its, Body=b"2")
    assert s3.get_object_tagging(**its)["TagSet"] == []
    s3.put_object_tagging(**its, Tagging={"TagSet": [{"Key": "x", "Value": "y"}]})
    s3.delete_object(**its)
    refused("NoSuchKey", s3.get_object_tagging, **its)
    s3.put_object(**its, Body=b"2")
    assert s3.get_object_tagging(**its)["TagSet"] == []
    s3.delete_object_tagging(**of, Key="b")
    assert s3.get_object_tagging(**of, Key="b")["TagSet"] == []

    for acl in (s3.get_bucket_acl(**of), s3.get_object_acl(**its)):
        assert [grant["Permission"] for grant in acl["Grants"]] == ["FULL_CONTROL"], acl
        assert acl["Grants"][0]["Grantee"]["ID"] == acl["Owner"]["ID"], acl
    s3.put_bucket_acl(**of, ACL="private")
    s3.put_object_acl(**its, ACL="bucket-owner-full-control")
    refused("AccessControlListNotSupported", s3.put_bucket_acl, **of, ACL="public-read")
    refused("AccessControlListNotSupported", s3.put_object_acl, **its, GrantRead='uri="all"')
    refused("NoSuchKey", s3.get_object_acl, **of, Key="none")

    versions = s3.list_object_versions(**of, MaxKeys=2)
    assert [(v["Key"], v["VersionId"], v["IsLatest"]) for v in versions["Versions"]] == [
        ("a/ä.txt", "null", True), ("b", "null", True)], versions
    assert versions["IsTruncated"] and versions["NextKeyMarker"] == "b"
    # How a bucket is emptied by those who do not know whether it has versions.
    bucket = boto3.resource("s3").Bucket("told")
    bucket.object_versions.delete()
    assert list(bucket.objects.all()) == []
    bucket.delete()
    s3.create_bucket(Bucket="told", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    refused("NoSuchBucketPolicy", s3.get_bucket_policy, **of)
    s3.delete_bucket(**of)


def multipart():
    s3 = boto3.client("s3")
    body = bytes(range(256)) * (20 << 12)
    assert len(body) == 20 << 20
    transfer = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)
    s3.upload_fileobj(io.BytesIO(body), "first", "big", Config=transfer, ExtraArgs={"Metadata": {"a": "b"}})
    head = s3.head_object(Bucket="first", Key="big")
    assert head["ContentLength"] == len(body) and head["ETag"].endswith('-3"') and head["Metadata"] == {"a": "b"}
    back = io.BytesIO()
    s3.download_fileobj("first", "big", back, Config=transfer)
    assert hashlib.sha256(back.getvalue()).digest() == hashlib.sha256(body).digest()
    s3.copy({"Bucket": "first", "Key": "big"}, "first", "big copy", Config=transfer)
    assert s3.head_object(Bucket="first", Key="big copy")["ContentLength"] == len(body)
    upload = s3.create_multipart_upload(Bucket="first", Key="left")["UploadId"]
    s3.upload_part(Bucket="first", Key="left", UploadId=upload, PartNumber=1, Body=b"x")
    assert [u["Key"] for u in s3.list_multipart_uploads(Bucket="first")["Uploads"]] == ["left"]
    assert len(s3.list_parts(Bucket="first", Key="left", UploadId=upload)["Parts"]) == 1
    s3.abort_multipart_upload(Bucket="first", Key="left", UploadId=upload)
    refused("NoSuchUpload", s3.list_parts, Bucket="first", Key="left", UploadId=upload)


def fast_etags():
    """With `aws.etags = "fast"` ETags are no MD5s, and say so by a hyphen; what a client promises is checked still."""
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="quick", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    body = bytes(range(256)) * (20 << 12)
    put = s3.put_object(Bucket="quick", Key="small", Body=b"small")["ETag"]
    assert put.endswith('-1"') and s3.head_object(Bucket="quick", Key="small")["ETag"] == put, put
    s3.put_object(Bucket="quick", Key="small", Body=b"other", IfMatch=put)
    refused("PreconditionFailed", s3.put_object, Bucket="quick", Key="small", Body=b"third", IfMatch=put)
    transfer = TransferConfig(multipart_threshold=8 << 20, multipart_chunksize=8 << 20)
    s3.upload_fileobj(io.BytesIO(body), "quick", "big", Config=transfer)
    assert s3.head_object(Bucket="quick", Key="big")["ETag"].endswith('-3"')
    assert s3.get_object(Bucket="quick", Key="big")["Body"].read() == body
    md5 = base64.b64encode(hashlib.md5(b"small").digest()).decode()
    put = s3.put_object(Bucket="quick", Key="small", Body=b"small", ContentMD5=md5)["ETag"]
    assert put.strip('"') == hashlib.md5(b"small").hexdigest(), put
    refused("BadDigest", s3.put_object, Bucket="quick", Key="small", Body=b"large", ContentMD5=md5)


def presigned():
    # Plain HTTP, as curl sends it.
    for signature in ["s3v4"]:
        s3 = boto3.client("s3", config=Config(signature_version=signature, s3={"addressing_style": "path"}))
        put = s3.generate_presigned_url("put_object", Params={"Bucket": "first", "Key": "by url"}, ExpiresIn=60)
        request = urllib.request.Request(put, data=b"from afar", method="PUT")
        assert urllib.request.urlopen(request).status == 200
        get = s3.generate_presigned_url("get_object", Params={"Bucket": "first", "Key": "by url"}, ExpiresIn=60)
        assert urllib.request.urlopen(get).read() == b"from afar"
        for wrong in [get.replace("by%20url", "other"), get[:-1] + ("0" if get[-1] != "0" else "1"), get.split("?")[0]]:
            try:
                urllib.request.urlopen(wrong)
            except urllib.error.HTTPError as error:
                assert error.code == 403, error
            else:
                raise AssertionError(f"{wrong} was taken")


def conditions():
    s3 = boto3.client("s3")
    first = s3.put_object(Bucket="first", Key="once", Body=b"1", IfNoneMatch="*")
    refused("PreconditionFailed", s3.put_object, Bucket="first", Key="once", Body=b"2", IfNoneMatch="*")
    s3.put_object(Bucket="first", Key="once", Body=b"3", IfMatch=first["ETag"])
    refused("PreconditionFailed", s3.put_object, Bucket="first", Key="once", Body=b"4", IfMatch=first["ETag"])
    refused("304", s3.get_object, Bucket="first", Key="once", IfNoneMatch=s3.head_object(Bucket="first", Key="once")["ETag"])


def wrong_secret():
    s3 = boto3.client("s3", aws_access_key_id="glulam", aws_secret_access_key="wrong")
    refused("SignatureDoesNotMatch", s3.list_buckets)
    refused("SignatureDoesNotMatch", s3.put_object, Bucket="first", Key="x", Body=io.BytesIO(b"x" * 100_000))
    glue = boto3.client("glue", aws_access_key_id="glulam", aws_secret_access_key="wrong")
    refused("InvalidSignatureException", glue.get_databases)
    sts = boto3.client("sts", aws_access_key_id="nobody", aws_secret_access_key="wrong")
    refused("InvalidClientTokenId", sts.get_caller_identity)


def hosts():
    # `localhost` instead of the number, and the bucket before it: names below it need no entry anywhere.
    import socket
    from urllib.parse import urlsplit
    import os

    port = urlsplit(os.environ["AWS_ENDPOINT_URL"]).port
    original = socket.getaddrinfo

    def local(host, *rest, **more):
        return original("127.0.0.1" if str(host).endswith("localhost") else host, *rest, **more)

    socket.getaddrinfo = local
    s3 = boto3.client("s3", endpoint_url=f"http://s3.localhost:{port}", config=Config(s3={"addressing_style": "virtual"}))
    s3.put_object(Bucket="first", Key="by/host", Body=b"virtual")
    assert s3.get_object(Bucket="first", Key="by/host")["Body"].read() == b"virtual"
    assert boto3.client("s3").get_object(Bucket="first", Key="by/host")["Body"].read() == b"virtual"


def who():
    identity = boto3.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012" and identity["Arn"].startswith("arn:aws:iam::"), identity
    error = refused("InvalidAction", boto3.client("sts").decode_authorization_message, EncodedMessage="x")
    assert "AssumeRole, " in str(error)


def glue():
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "shop"})
    refused("AlreadyExistsException", glue.create_database, DatabaseInput={"Name": "shop"})
    glue.create_table(
        DatabaseName="shop",
        TableInput={
            "Name": "orders",
            "PartitionKeys": [{"Name": "day", "Type": "string"}],
            "StorageDescriptor": {"Columns": [{"Name": "id", "Type": "bigint"}], "Location": "s3://first/orders/"},
        },
    )
    table = glue.get_table(DatabaseName="shop", Name="orders")["Table"]
    assert table["StorageDescriptor"]["Columns"] == [{"Name": "id", "Type": "bigint"}], table
    assert table["CreateTime"].year >= 2026
    for page in glue.get_paginator("get_tables").paginate(DatabaseName="shop", PaginationConfig={"PageSize": 1}):
        assert [t["Name"] for t in page["TableList"]] == ["orders"]
    glue.create_partition(DatabaseName="shop", TableName="orders", PartitionInput={"Values": ["2026-01-01"]})
    pages = glue.get_paginator("get_partitions").paginate(DatabaseName="shop", TableName="orders", Expression="day = '2026-01-01'")
    assert [p["Values"] for page in pages for p in page["Partitions"]] == [["2026-01-01"]]
    refused("EntityNotFoundException", glue.get_table, DatabaseName="shop", Name="absent")
    error = refused("UnknownOperationException", glue.get_triggers)
    assert "GetCrawlers" in str(error), "it says what is supported"
    refused("UnknownOperationException", boto3.client("sqs").list_queues)


def dropped():
    print(boto3.client("s3").get_object(Bucket="first", Key="by-hand.txt")["Body"].read().decode())


def limited():
    s3 = boto3.client("s3")
    s3.create_bucket(Bucket="mine", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="mine", Key="a", Body=b"x")
    refused("AccessDenied", s3.list_buckets)
    refused("AccessDenied", s3.create_bucket, Bucket="theirs")
    refused("AccessDenied", s3.put_object, Bucket="theirs", Key="a", Body=b"x")
    refused("AccessDeniedException", boto3.client("glue").get_databases)


def stranger():
    refused("InvalidAccessKeyId", boto3.client("s3").list_buckets)


for function in sys.argv[1:]:
    globals()[function]()
