"""Data frames: awswrangler and PyAthena."""

from decimal import Decimal

from common import main


def wrangler():
    """awswrangler reads by each of its ways, and writes a table."""
    import awswrangler as wr
    import pandas as pd

    where = {"database": "shop", "s3_output": "s3://results/wr/", "workgroup": "primary"}
    sql = "SELECT id, customer, cast(amount AS decimal(10, 2)) AS amount FROM orders ORDER BY id"
    for way in ({"ctas_approach": False}, {"ctas_approach": True},
                {"ctas_approach": False, "unload_approach": True, "s3_output": "s3://results/wr-unload/"}):
        frame = wr.athena.read_sql_query(sql, **{**where, **way})
        frame = frame.sort_values("id", ignore_index=True)
        assert list(frame["id"]) == [1, 2, 3, 4], (way, frame)
        assert list(frame["amount"]) == [Decimal("12.50"), Decimal("7.25"), Decimal("100.00"), Decimal("0.05")], frame
        assert frame["customer"][1] == "Ada, the second", frame
    chunks = list(wr.athena.read_sql_query("SELECT id FROM orders", ctas_approach=False, chunksize=3, **where))
    assert [len(chunk) for chunk in chunks] == [3, 1], chunks
    frame = pd.DataFrame({"k": [1, 2, 3], "v": ["a", None, "c"], "day": ["x", "x", "y"]})
    wr.s3.to_parquet(frame, path="s3://results/frame/", dataset=True, database="shop", table="frame",
                     partition_cols=["day"])
    back = wr.athena.read_sql_query("SELECT * FROM frame ORDER BY k", ctas_approach=False, **where)
    assert list(back["k"]) == [1, 2, 3] and back["v"].isna().tolist() == [False, True, False], back
    assert list(back["day"]) == ["x", "x", "y"], back
    described = wr.athena.describe_table(table="orders", database="shop", s3_output="s3://results/wr/")
    assert list(described["Column Name"]) == ["id", "customer", "amount", "day"], described
    try:
        wr.athena.read_sql_query("SELECT nothing FROM orders", ctas_approach=False, **where)
        raise AssertionError("a wrong query was answered")
    except wr.exceptions.QueryFailed as error:
        assert "nothing" in str(error), error
    assert "frame" in list(wr.catalog.tables(database="shop")["Table"])


def pyathena():
    """PyAthena's plain cursor, its dictionary cursor, and the one that reads the CSV by Arrow."""
    from pyathena import connect
    from pyathena.cursor import DictCursor
    from pyathena.error import OperationalError
    from pyathena.pandas.cursor import PandasCursor

    connection = connect(s3_staging_dir="s3://results/py/", region_name="eu-central-1", schema_name="shop")
    cursor = connection.cursor()
    cursor.execute("SELECT id, customer, DATE '2026-01-02' AS day, 1.50 AS price, id = 2 AS is_two FROM orders ORDER BY id")
    assert [column[:2] for column in cursor.description] == [
        ("id", "integer"), ("customer", "varchar"), ("day", "date"), ("price", "decimal"), ("is_two", "boolean"),
    ], cursor.description
    found = cursor.fetchall()
    assert found[1][0] == 2 and found[1][3] == Decimal("1.50") and found[1][4] is True, found
    assert len(found) == 4 and str(found[0][2]) == "2026-01-02"
    cursor.execute("SELECT %(name)s AS name", {"name": "it's"})
    assert cursor.fetchone() == ("it's",)
    dictionary = connection.cursor(DictCursor).execute("SELECT max(id) AS most FROM orders").fetchone()
    assert dictionary == {"most": 4}, dictionary
    frame = connection.cursor(PandasCursor).execute("SELECT id, customer FROM orders ORDER BY id").as_pandas()
    assert list(frame["id"]) == [1, 2, 3, 4], frame
    cursor.execute("SHOW TABLES")
    assert ("orders",) in cursor.fetchall()
    try:
        cursor.execute("SELECT nothing FROM orders")
        raise AssertionError("a wrong query was answered")
    except OperationalError as error:
        assert "nothing" in str(error), error


main(globals())
