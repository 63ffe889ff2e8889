"""Temporary keys, as Amazon's client and the aws command get and use them. Each function is one part."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config
from common import refused, rows, run, wait

ROLE = "arn:aws:iam::123456789012:role/analyst"
HERE = {"LocationConstraint": "eu-central-1"}


def policy(*statements):
    return json.dumps({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]})


READ = policy(("s3:GetObject", "*"))


def session_of(answer):
    keys = answer["Credentials"]
    return boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], "eu-central-1")


def assumed(sts=None, role=ROLE, **more):
    sts = sts or boto3.client("sts")
    return session_of(sts.assume_role(RoleArn=role, RoleSessionName="one", **more))


def body(session, **at):
    return session.client("s3").get_object(**at)["Body"].read()


def buckets():
    s3 = boto3.client("s3")
    for bucket in ("raw", "results"):
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=HERE)
    s3.put_object(Bucket="raw", Key="k", Body=b"kept")


def role():
    """A role for which nothing is configured: the caller's own rights under another name."""
    answer = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="one", SourceIdentity="ada",
                                             Tags=[{"Key": "team", "Value": "lake"}], ExternalId="any")
    keys, user = answer["Credentials"], answer["AssumedRoleUser"]
    assert keys["AccessKeyId"].startswith("ASIA") and len(keys["AccessKeyId"]) == 20, answer
    left = keys["Expiration"] - datetime.now(timezone.utc)
    assert timedelta(minutes=55) < left <= timedelta(hours=1), left
    assert user["Arn"] == "arn:aws:sts::123456789012:assumed-role/analyst/one", user
    assert answer["SourceIdentity"] == "ada" and "PackedPolicySize" not in answer, answer
    session = session_of(answer)
    me = session.client("sts").get_caller_identity()
    assert (me["Arn"], me["UserId"], me["Account"]) == (user["Arn"], user["AssumedRoleId"], "123456789012"), me
    # In chunks with a trailer, and in parts.
    s3 = session.client("s3")
    s3.put_object(Bucket="raw", Key="by/role", Body=b"by role")
    assert body(session, Bucket="raw", Key="by/role") == b"by role"
    upload = s3.create_multipart_upload(Bucket="raw", Key="parts")["UploadId"]
    part = s3.upload_part(Bucket="raw", Key="parts", UploadId=upload, PartNumber=1, Body=b"parts")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(Bucket="raw", Key="parts", UploadId=upload, MultipartUpload=parts)
    athena = session.client("athena")
    assert rows(athena, run(athena, "SELECT 40 + 2 AS n")) == [["n"], ["42"]]
    assert session.client("kinesis").list_streams()["StreamNames"] == []
    error = refused("ValidationError", boto3.client("sts").assume_role, RoleArn=ROLE, RoleSessionName="one",
                    PolicyArns=[{"arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"}])
    assert "PolicyArns" in str(error), error
    refused("AccessDenied", boto3.client("sts").assume_role, RoleArn=ROLE.replace("123456789012", "210987654321"),
            RoleSessionName="one")
    # The next role holds an hour, with the same source.
    sts = session.client("sts")
    chained = sts.assume_role(RoleArn=ROLE, RoleSessionName="two")
    assert chained["SourceIdentity"] == "ada", chained
    refused("ValidationError", sts.assume_role, RoleArn=ROLE, RoleSessionName="two", DurationSeconds=7200)
    for call in (sts.get_session_token, lambda: sts.get_federation_token(Name="Bob")):
        refused("AccessDenied", call)


def narrowed():
    """A policy of a session takes away, also from the sessions that it makes."""
    answer = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="one", Policy=policy(
        (["s3:GetObject", "sts:AssumeRole"], "*")))
    assert 0 < answer["PackedPolicySize"] < 100, answer
    session = session_of(answer)
    for reader in (session, assumed(session.client("sts"))):
        s3 = reader.client("s3")
        assert body(reader, Bucket="raw", Key="k") == b"kept"
        error = refused("AccessDenied", s3.put_object, Bucket="raw", Key="k", Body=b"x")
        assert "assumed-role/analyst/one" in str(error), error
        refused("AccessDenied", s3.list_objects_v2, Bucket="raw")
        refused("AccessDeniedException", reader.client("glue").get_databases)
    refused("MalformedPolicyDocument", boto3.client("sts").assume_role, RoleArn=ROLE, RoleSessionName="one", Policy="{}")


def user():
    """Sessions of the user itself and of others."""
    sts = boto3.client("sts")
    me = sts.get_caller_identity()
    session = session_of(sts.get_session_token(DurationSeconds=900))
    own = session.client("sts").get_caller_identity()
    assert (own["Arn"], own["UserId"]) == (me["Arn"], me["UserId"]), own
    assert body(session, Bucket="raw", Key="k") == b"kept"
    error = refused("ValidationError", sts.get_session_token, SerialNumber="arn:aws:iam::123456789012:mfa/ada",
                    TokenCode="123456")
    assert "MFA" in str(error), error
    answer = sts.get_federation_token(Name="Bob", Policy=READ)
    assert answer["FederatedUser"] == {"FederatedUserId": "123456789012:Bob",
                                       "Arn": "arn:aws:sts::123456789012:federated-user/Bob"}, answer
    bob = session_of(answer)
    assert bob.client("sts").get_caller_identity()["UserId"] == "123456789012:Bob"
    assert body(bob, Bucket="raw", Key="k") == b"kept"
    refused("AccessDenied", bob.client("s3").put_object, Bucket="raw", Key="k", Body=b"x")
    bare = session_of(sts.get_federation_token(Name="Bob"))
    refused("AccessDenied", bare.client("s3").get_object, Bucket="raw", Key="k")
    info = session.client("sts").get_access_key_info(AccessKeyId=session.get_credentials().access_key)
    assert info["Account"] == "123456789012", info


def profile():
    """What people have in ~/.aws/config, for boto3 and for the aws command; and the three variables."""
    with open("config", "w") as file:
        file.write(f"[profile analyst]\nrole_arn = {ROLE}\nsource_profile = base\nrole_session_name = desk\n"
                   "region = eu-central-1\n[profile base]\nregion = eu-central-1\n")
    with open("credentials", "w") as file:
        file.write("[base]\naws_access_key_id = glulam\naws_secret_access_key = glulam\n")
    files = {"AWS_CONFIG_FILE": os.path.abspath("config"), "AWS_SHARED_CREDENTIALS_FILE": os.path.abspath("credentials")}
    before = {name: os.environ[name] for name in files}
    os.environ.update(files)
    try:
        session = boto3.Session(profile_name="analyst")
        assert session.client("sts").get_caller_identity()["Arn"].endswith(":assumed-role/analyst/desk")
        assert body(session, Bucket="raw", Key="k") == b"kept"
        assert json.loads(aws("sts", "get-caller-identity", "--profile", "analyst"))["Arn"].endswith("/desk")
        assert aws("s3", "cp", "s3://raw/k", "-", "--profile", "analyst") == "kept"
    finally:
        os.environ.update(before)
    keys = json.loads(aws("sts", "assume-role", "--role-arn", ROLE, "--role-session-name", "shell"))["Credentials"]
    variables = {"AWS_ACCESS_KEY_ID": keys["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                 "AWS_SESSION_TOKEN": keys["SessionToken"]}
    me = json.loads(aws("sts", "get-caller-identity", **variables))
    assert me["Arn"] == "arn:aws:sts::123456789012:assumed-role/analyst/shell", me


def aws(*arguments, **variables):
    # At home it would keep the keys of roles for the next time.
    done = subprocess.run([sys.executable, "-m", "awscli", *arguments], capture_output=True, text=True,
                          env={**os.environ, "HOME": os.getcwd(), **variables})
    assert done.returncode == 0, (arguments, done.stdout, done.stderr)
    return done.stdout


def presigned():
    s3 = assumed(Policy=READ).client("s3", config=Config(signature_version="s3v4", s3={"addressing_style": "path"}))
    get = s3.generate_presigned_url("get_object", Params={"Bucket": "raw", "Key": "k"}, ExpiresIn=60)
    assert "X-Amz-Security-Token" in get, get
    assert urllib.request.urlopen(get).read() == b"kept"
    put = s3.generate_presigned_url("put_object", Params={"Bucket": "raw", "Key": "k"}, ExpiresIn=60)
    begin, token = get.split("X-Amz-Security-Token=")
    for url, method, code in [
        (put, "PUT", "AccessDenied"),
        (begin + "X-Amz-Security-Token=AAAA" + token[4:], "GET", "InvalidToken"),
        (begin.rstrip("&") + "&" + token.partition("&")[2], "GET", "InvalidAccessKeyId"),
    ]:
        try:
            urllib.request.urlopen(urllib.request.Request(url, data=b"x" if method == "PUT" else None, method=method))
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            assert f"<Code>{code}</Code>" in text, (code, text)
        else:
            raise AssertionError(f"{url} was taken")


def tampered():
    good = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="one")["Credentials"]
    other = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="one")["Credentials"]
    key, secret, token = good["AccessKeyId"], good["SecretAccessKey"], good["SessionToken"]
    at = len(token) // 2
    changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1:]
    unknown = ("InvalidAccessKeyId", "InvalidClientTokenId", "UnrecognizedClientException")
    wrong = ("InvalidToken", "InvalidClientTokenId", "UnrecognizedClientException")
    mismatch = ("SignatureDoesNotMatch", "SignatureDoesNotMatch", "InvalidSignatureException")
    for parts, codes in [
        ((key, secret, changed), wrong),
        ((key, secret, token[:-4]), wrong),
        ((key, secret, other["SessionToken"]), wrong),
        ((other["AccessKeyId"], secret, token), wrong),
        ((key, secret, None), unknown),
        ((key, other["SecretAccessKey"], token), mismatch),
    ]:
        session = boto3.Session(*parts, "eu-central-1")
        calls = [session.client("s3").list_buckets, session.client("sts").get_caller_identity,
                 session.client("glue").get_databases]
        for code, call in zip(codes, calls):
            refused(code, call)
    # Set-ups for local work name some token beside the keys that everybody knows.
    boto3.Session("test", "test", "test", "eu-central-1").client("s3").list_buckets()


def kept():
    """Written down for `afterwards`, which another server will be asked."""
    keys = boto3.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="one", Policy=READ)["Credentials"]
    with open("session.json", "w") as file:
        json.dump({"Credentials": {**keys, "Expiration": str(keys["Expiration"])}}, file)


def afterwards():
    with open("session.json") as file:
        session = session_of(json.load(file))
    assert body(session, Bucket="raw", Key="k") == b"kept"
    refused("AccessDenied", session.client("s3").put_object, Bucket="raw", Key="k", Body=b"x")


def script():
    """A job's script may do what the session may that started it: it gets the session's token beside the key."""
    lines = ["import boto3", "s3 = boto3.client('s3')",
             "print(boto3.client('sts').get_caller_identity()['Arn'])",
             "print(s3.get_object(Bucket='raw', Key='k')['Body'].read().decode())",
             "s3.put_object(Bucket='raw', Key='k', Body=b'x')"]
    boto3.client("s3").put_object(Bucket="raw", Key="job.py", Body="\n".join(lines).encode())
    boto3.client("glue").create_job(Name="look", Role="r", Command={
        "Name": "pythonshell", "ScriptLocation": "s3://raw/job.py", "PythonVersion": "3.9"})
    glue = assumed(Policy=policy((["s3:GetObject", "glue:StartJobRun", "glue:GetJobRun"], "*"))).client("glue")
    run_id = glue.start_job_run(JobName="look")["JobRunId"]

    def ended():
        found = glue.get_job_run(JobName="look", RunId=run_id)["JobRun"]
        return found["JobRunState"] in ("SUCCEEDED", "FAILED", "ERROR", "STOPPED", "TIMEOUT") and found

    found = wait(ended, 90)
    assert found["JobRunState"] == "FAILED" and "AccessDenied" in found["ErrorMessage"], found
    assert "PutObject" in found["ErrorMessage"], found
    assert boto3.client("s3").get_object(Bucket="raw", Key="k")["Body"].read() == b"kept"


def roles():
    """Where roles are configured there are no others, and each has rights of its own."""
    s3, sts = boto3.client("s3"), boto3.client("sts")
    refused("AccessDenied", s3.get_object, Bucket="raw", Key="k")
    session = assumed(sts)
    assert body(session, Bucket="raw", Key="k") == b"kept"
    refused("AccessDenied", session.client("s3").put_object, Bucket="raw", Key="k", Body=b"x")
    for name in ("writer", "other", "path/analyst"):
        arn = ROLE.replace("analyst", name)
        refused("AccessDenied", sts.assume_role, RoleArn=arn, RoleSessionName="one")
    # One role leads to another, where its policy says so.
    writer = assumed(session.client("sts"), ROLE.replace("analyst", "writer"))
    writer.client("s3").put_object(Bucket="raw", Key="new", Body=b"x")
    refused("AccessDenied", writer.client("s3").get_object, Bucket="raw", Key="k")


for function in sys.argv[1:]:
    globals()[function]()
