"""Tools that stand on the AWS door, as their users call them: the aws command, dbt, SQLAlchemy."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
from common import main

BIN = Path(sys.executable).parent


def called(*command, fails=False):
    """What a command of the environment prints."""
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True, timeout=100)
    assert (done.returncode != 0) == fails, (command, done.returncode, done.stdout[-3000:], done.stderr[-3000:])
    return done.stdout + done.stderr


def bucket(name):
    boto3.client("s3").create_bucket(
        Bucket=name, CreateBucketConfiguration={"LocationConstraint": os.environ["AWS_DEFAULT_REGION"]})


def aws():
    """The aws command syncs a folder up and down, and notices what is gone."""
    folder, back = Path("folder"), Path("back")
    (folder / "deep").mkdir(parents=True)
    for n in range(25):
        (folder / "deep" / f"{n:02} ä.txt").write_text(str(n) * n)
    (folder / "large.bin").write_bytes(os.urandom(8_500_000))
    called("awscli", "s3", "mb", "s3://synced")
    called("awscli", "s3", "sync", "folder", "s3://synced/here/", "--quiet")
    assert called("awscli", "s3", "sync", "folder", "s3://synced/here/").strip() == ""
    (folder / "deep/03 ä.txt").unlink()
    gone = called("awscli", "s3", "sync", "folder", "s3://synced/here/", "--delete")
    assert gone.strip() == "delete: s3://synced/here/deep/03 ä.txt", gone
    called("awscli", "s3", "sync", "s3://synced/here/", "back", "--quiet")
    files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(back) for path in back.rglob("*") if path.is_file())
    assert all((folder / path).read_bytes() == (back / path).read_bytes() for path in files)
    assert "NoSuchBucket" in called("awscli", "s3", "ls", "s3://absent/", fails=True)


PROJECT = {
    "dbt_project.yml": """
name: shop
version: "1.0"
profile: lake
flags: {send_anonymous_usage_stats: false}
seeds: {+schema: null}
""",
    "profiles.yml": """
lake:
  target: dev
  outputs:
    dev:
      type: athena
      s3_staging_dir: s3://dbt/staging/
      s3_data_dir: s3://dbt/data/
      region_name: eu-central-1
      database: awsdatacatalog
      schema: analytics
      threads: 2
      poll_interval: 0.05
""",
    "seeds/orders.csv": "id,customer,amount\n1,Ada,12.5\n2,Brian,7.25\n3,Ada,100\n",
    "models/by_customer.sql": """
{{ config(materialized='table', format='parquet') }}
SELECT customer, count(*) AS orders, sum(amount) AS total FROM {{ ref('orders') }} GROUP BY customer
""",
    "models/large.sql": "SELECT customer FROM {{ ref('by_customer') }} WHERE total > 50",
    "models/daily.sql": """
{{ config(materialized='incremental', incremental_strategy='insert_overwrite', partitioned_by=['day'],
          format='parquet') }}
SELECT id, amount, CAST(DATE '2026-01-01' + id * INTERVAL '1' DAY AS varchar) AS day FROM {{ ref('orders') }}
{% if is_incremental() %} WHERE id > 1 {% endif %}
""",
    "models/schema.yml": """
models:
  - name: by_customer
    columns:
      - name: customer
        data_tests: [unique, not_null]
""",
}


def dbt():
    """dbt builds a small project, twice: seeds, a table, a view, an incremental table, tests."""
    bucket("dbt")
    for name, text in PROJECT.items():
        path = Path("project") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.chdir("project")
    # Its packages stand in a folder of their own, before those of the environment.
    dbt_packages = BIN.parent.parent / ".venv-dbt"
    os.environ.update(DBT_PROFILES_DIR=".", DO_NOT_TRACK="1", PYTHONPATH=str(dbt_packages))
    # Twice in one process, which takes seconds to start.
    script = Path("build.py")
    script.write_text("from dbt.cli.main import dbtRunner\n"
                      "for _ in range(2): dbtRunner().invoke(['--no-version-check', 'build'])\n")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=110)
    assert done.stdout.count("PASS=6 WARN=0 ERROR=0") == 2, (done.stdout[-5000:], done.stderr[-2000:])
    import awswrangler as wr

    where = {"database": "analytics", "s3_output": "s3://dbt/read/", "ctas_approach": False}
    frame = wr.athena.read_sql_query("SELECT customer, orders, total FROM by_customer ORDER BY customer", **where)
    assert frame.values.tolist() == [["Ada", 2, 112.5], ["Brian", 1, 7.25]], frame
    frame = wr.athena.read_sql_query("SELECT customer FROM large", **where)
    assert frame["customer"].tolist() == ["Ada"], frame
    frame = wr.athena.read_sql_query("SELECT id, day FROM daily ORDER BY id", **where)
    assert frame["id"].tolist() == [1, 2, 3] and frame["day"][0].startswith("2026-01-02"), frame


def sqlalchemy():
    """SQLAlchemy reflects tables, and asks by expressions."""
    from sqlalchemy import MetaData, Table, create_engine, func, inspect, select

    bucket("alchemy")
    engine = create_engine(
        "awsathena+rest://:@athena.eu-central-1.amazonaws.com:443/reflected?s3_staging_dir=s3://alchemy/staging/")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE DATABASE reflected")
        connection.exec_driver_sql(
            "CREATE TABLE reflected.people WITH (external_location = 's3://alchemy/people/', format = 'PARQUET') "
            "AS SELECT * FROM (VALUES (1, 'Ada', DATE '1815-12-10'), (2, 'Brian', DATE '1942-01-01')) "
            "AS t(id, name, born)")
        inspector = inspect(connection)
        assert "reflected" in inspector.get_schema_names()
        assert inspector.get_table_names(schema="reflected") == ["people"]
        people = Table("people", MetaData(schema="reflected"), autoload_with=connection)
        assert [(c.name, str(c.type)) for c in people.columns] == [
            ("id", "INTEGER"), ("name", "VARCHAR(5)"), ("born", "DATE")], list(people.columns)
        query = select(people.c.name, func.year(people.c.born)).where(people.c.id > 1)
        assert connection.execute(query).fetchall() == [("Brian", 1942)]


main(globals())
