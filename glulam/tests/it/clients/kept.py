"""What must survive a restart."""

import boto3
from common import main, rows, run


def kept(before=False):
    """What must survive a restart."""
    client = boto3.client("athena")
    if before:
        client.create_work_group(Name="lasting", Configuration={
            "ResultConfiguration": {"OutputLocation": "s3://results/lasting/"}})
        client.create_named_query(Name="n", Database="shop", QueryString="SELECT 5", WorkGroup="lasting")
        execution = run(client, "SELECT 5 AS five", WorkGroup="lasting", ClientRequestToken="t" * 32)
        print(execution["QueryExecutionId"])
        return
    execution = run(client, "SELECT 5 AS five", WorkGroup="lasting", ClientRequestToken="t" * 32)
    print(execution["QueryExecutionId"])
    assert rows(client, execution) == [["five"], ["5"]]
    assert len(client.list_named_queries(WorkGroup="lasting")["NamedQueryIds"]) == 1


def keep():
    """What is kept is made."""
    kept(before=True)


main(globals())
