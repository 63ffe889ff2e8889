"""The PostgreSQL door, by psycopg, SQLAlchemy and pandas. Arguments: the URL, then names of functions."""

import datetime
import decimal
import sys
import threading
import uuid

import psycopg
from psycopg import sql

URL = sys.argv[1]
# It takes longer than anybody waits.
LONG_QUERY = """SELECT count(*) FROM UNNEST(sequence(1, 9000)) a(x) CROSS JOIN UNNEST(sequence(1, 9000)) b(x)
    CROSS JOIN UNNEST(sequence(1, 900)) c(x) WHERE (a.x * b.x + c.x) % 7 = 3"""


def connect(**more):
    arguments = {"user": "test", "password": "test", **more}
    return psycopg.connect(URL, autocommit=True, **arguments)


def refused(code, call, *arguments):
    try:
        call(*arguments)
    except psycopg.Error as error:
        assert error.sqlstate == code, (code, error.sqlstate, error)
        return error
    raise AssertionError(f"{code} was expected of {arguments}")


def types():
    """Every type, as text and in binary form, as a result and as a parameter."""
    query = """SELECT true AS a, CAST(1 AS smallint) AS b, 2 AS c, CAST(3 AS bigint) AS d, CAST(1.5 AS real) AS e,
        0.1e0 AS f, CAST('12.50' AS decimal(10,2)) AS g, 'text' AS h, X'00ff' AS i, DATE '2024-02-29' AS j,
        TIMESTAMP '2024-02-29 12:30:00.250' AS k, TIMESTAMP '2024-02-29 12:30:00 UTC' AS l, TIME '01:02:03' AS m,
        ARRAY[1, NULL, 3] AS n, ARRAY['a', 'b c'] AS o, UUID '12345678-1234-1234-1234-123456789abc' AS p,
        JSON '{"x": [1]}' AS q, MAP(ARRAY['k'], ARRAY[1]) AS r, INTERVAL '1' DAY AS s, CAST(NULL AS integer) AS t,
        CAST(ROW(1, 'z') AS ROW(u integer, v varchar)) AS w"""
    expected = (
        True, 1, 2, 3, 1.5, 0.1, decimal.Decimal("12.50"), "text", b"\x00\xff", datetime.date(2024, 2, 29),
        datetime.datetime(2024, 2, 29, 12, 30, 0, 250000),
        datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc), datetime.time(1, 2, 3), [1, None, 3],
        ["a", "b c"], uuid.UUID("12345678-1234-1234-1234-123456789abc"), {"x": [1]}, {"k": 1},
        datetime.timedelta(days=1), None, {"u": 1, "v": "z"},
    )
    with connect() as connection:
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            row = cursor.execute(query).fetchone()
            assert row == expected, (binary, row)
        for value in expected[:12] + (["x", None, "y,z"], [1, 2], decimal.Decimal("-0.001"), "", "it's \\ ok"):
            for binary in (False, True):
                marker = "%b" if binary else "%t"
                if isinstance(value, str) or value == ["x", None, "y,z"]:
                    marker += "::text[]" if isinstance(value, list) else "::text"
                (found,) = connection.cursor(binary=binary).execute(f"SELECT {marker}", (value,)).fetchone()
                assert found == value, (binary, value, found)


def spellings():
    """PostgreSQL's way of writing."""
    with connect() as connection:
        def one(text, values=None):
            return connection.execute(text, values).fetchone()[0]

        assert one("SELECT '5'::int + 1") == 6
        assert one("SELECT 'Ada' ILIKE 'a%'") is True
        assert one("SELECT 'Ada' ~ '^A' AND 'Ada' ~* '^a' AND 'Ada' !~ 'x'") is True
        assert one("SELECT E'a\\tb'") == "a\tb"
        assert one("SELECT to_char(TIMESTAMP '2024-03-01 05:06:07', 'YYYY-MM-DD HH24:MI:SS')") == "2024-03-01 05:06:07"
        assert one("SELECT date_trunc('month', DATE '2024-03-15')::text") == "2024-03-01"
        assert one("SELECT extract(dow FROM DATE '2024-03-03')") == 0
        assert one("SELECT string_agg(x, '-' ORDER BY x DESC) FROM (VALUES 'a', 'b') t(x)") == "b-a"
        assert one("SELECT DATE '2024-03-01' - INTERVAL '1 day'") == datetime.date(2024, 2, 29)
        assert one("SELECT count(*) FROM shop.orders WHERE customer = ANY(%s)", (["Ada", "Dennis"],)) == 2
        assert one("SELECT count(*) FROM shop.orders WHERE id > %s AND customer LIKE %s", (1, "A%")) == 1
        for first in (2, "2"):
            rows = connection.execute("SELECT id FROM shop.orders ORDER BY id LIMIT %s::INTEGER", (first,)).fetchall()
            assert rows == [(1,), (2,)], rows
        rows = connection.execute("SELECT g FROM generate_series(1, 10) g ORDER BY g LIMIT 3 OFFSET 2").fetchall()
        assert rows == [(3,), (4,), (5,)]
        assert one('SELECT max(amount) FROM glulam.shop."orders"') == 100.0
        assert one("SELECT current_schema()") == "default" and one("SHOW search_path")
        assert "PostgreSQL" in one("SELECT version()") and one("SELECT current_user") == "test"
        connection.execute("SET search_path TO shop, public")
        assert one("SELECT current_schema()") == "shop" and one("SELECT count(*) FROM orders") == 4
        with connect(dbname="shop") as other:
            assert other.execute("SELECT count(*) FROM orders").fetchone() == (4,)
        assert one(r"SELECT 'a_bc' LIKE 'a\_b%' AND 'A_bc' ILIKE 'a\_b%' AND 'axbc' NOT LIKE 'a\_b%'") is True
        assert one(r"SELECT regexp_replace('2024-03', '(\d+)-(\d+)', '\2/\1$', 'g')") == "03/2024$"
        assert one("SELECT count(*) FROM generate_series(1, 0) g") == 0
        assert one("SELECT sum(g) FROM shop.orders, generate_series(1, id) g WHERE id <= 3") == 10
        amounts = [decimal.Decimal("12.50"), decimal.Decimal("1.125")]
        for text, found in (("12.50", True), ("13", False), ("1.125", True), ("1.13", False)):
            for marker in ("%t", "%b"):
                assert one(f"SELECT DECIMAL '{text}' = ANY({marker})", (amounts,)) is found, (text, marker)
        connection.execute("PREPARE halves(numeric) AS SELECT $1")
        assert connection.execute("EXECUTE halves(1.5)").fetchone() == (decimal.Decimal("1.5"),)
        assert connection.cursor(binary=True).execute("EXECUTE halves('1.25')").fetchone() == (decimal.Decimal("1.25"),)


def nothing():
    """NULL without a type is NULL, whichever way it goes."""
    with connect() as connection:
        for binary in (False, True):
            row = connection.cursor(binary=binary).execute("SELECT NULL, 1, NULL AS x").fetchone()
            assert row == (None, 1, None), (binary, row)
        for form, expected in (("text", b"\\N\t1\n"), ("csv", b",1\n")):
            with connection.cursor().copy(f"COPY (SELECT NULL, 1) TO STDOUT (FORMAT {form})") as copy:
                assert b"".join(copy) == expected, form
        with connection.cursor().copy("COPY (SELECT NULL, 1) TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["text", "int4"])
            assert list(copy.rows()) == [(None, 1)]


def modes():
    """What is promised to read only does; what is set for a block ends with it."""
    with psycopg.connect(URL, user="test", password="test") as connection:
        connection.read_only = True
        assert connection.execute("SELECT count(*) FROM shop.orders").fetchone() == (4,)
        assert connection.execute("SHOW transaction_read_only").fetchone() == ("on",)
        error = refused("25006", connection.execute, "DROP TABLE shop.orders")
        assert "cannot execute DROP TABLE in a read-only transaction" in str(error), error
        connection.rollback()
        refused("25006", connection.execute, "CREATE TABLE shop.kept AS SELECT %s AS x", (1,))
        connection.rollback()
        connection.read_only = False
        connection.execute("CREATE TABLE shop.kept AS SELECT 1 AS x")
        connection.commit()
    with connect() as connection:
        connection.execute("PREPARE keep FROM INSERT INTO shop.kept SELECT ? AS x")
        for setting in (
            "SET default_transaction_read_only = on",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
        ):
            connection.execute(setting)
            refused("25006", connection.execute, "DROP TABLE shop.kept")
            refused("25006", connection.execute, "EXECUTE keep USING 2")
            connection.execute("RESET default_transaction_read_only")
        connection.execute("BEGIN")
        connection.execute("SET LOCAL application_name = 'block'")
        assert connection.execute("SHOW application_name").fetchone() == ("block",)
        connection.execute("SET TRANSACTION READ ONLY")
        refused("25006", connection.execute, "DROP TABLE shop.kept")
        connection.execute("ROLLBACK")
        assert connection.execute("SHOW application_name").fetchone() != ("block",)
        done = connection.execute("EXECUTE keep USING 2")
        assert done.statusmessage == "INSERT 0 1", done.statusmessage
        assert connection.execute("SELECT sum(x) FROM shop.kept").fetchone() == (3,)
        connection.execute("DROP TABLE shop.kept")
    with connect(options="-c search_path=shop,public -c statement_timeout=7s") as connection:
        assert connection.execute("SELECT count(*) FROM orders").fetchone() == (4,)
        assert connection.execute("SHOW statement_timeout").fetchone() == ("7s",)


def breaks():
    """A client that waits for an error gets it; what is too much is refused, and the connection goes on."""
    with connect() as connection:
        with connection.pipeline():
            cursor = connection.execute("SELECT * FROM shop.nothing WHERE x = %s", (1,))
            refused("42P01", cursor.fetchone)
        assert connection.execute("SELECT 1").fetchone() == (1,)
        for call in (connection.pgconn.exec_, lambda text: connection.pgconn.exec_params(text, None)):
            result = call(b"SELECT '\xff'")
            assert result.error_field(psycopg.pq.DiagnosticField.SQLSTATE), result.error_message
        assert connection.execute("SELECT 1").fetchone() == (1,)
        refused("54001", connection.execute, "SELECT pg_backend_pid()" + "+1" * 32_000)
        refused("0A000", connection.execute, "SELECT string_agg(string_agg(customer, ','), ',') FROM shop.orders")
        refused("22023", connection.execute, "SET statement_timeout = '100000000000d'")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def mistakes():
    """Codes, places and hints."""
    with connect() as connection:
        error = refused("42601", connection.execute, "SELECT 1 FORM x y")
        assert error.diag.statement_position, error
        error = refused("42P01", connection.execute, "SELECT * FROM shop.ordes")
        assert "orders" in error.diag.message_hint, error.diag.message_hint
        error = refused("42703", connection.execute, "SELECT id,\n   custmer FROM shop.orders")
        assert error.diag.statement_position == "15", error.diag.statement_position
        refused("22012", connection.execute, "SELECT 1 / (id - id) FROM shop.orders")
        refused("0A000", connection.execute, "COPY shop.orders FROM STDIN")
        refused("22P02", connection.execute, "SELECT count(*) FROM shop.orders WHERE id = %s", ("five",))
        assert connection.execute("SELECT 1").fetchone() == (1,)
    refused_login = None
    try:
        connect(password="wrong")
    except psycopg.OperationalError as error:
        refused_login = str(error)
    assert refused_login and "password authentication failed" in refused_login, refused_login
    try:
        connect(dbname="nowhere")
    except psycopg.OperationalError as error:
        assert "does not exist" in str(error), error
    else:
        raise AssertionError("a database that does not exist was opened")


def ends():
    """The server ends while rows are coming, while a query has none yet, and while nothing runs."""
    codes = []
    idle, other = connect(), connect()

    def count():
        try:
            other.execute(LONG_QUERY)
        except psycopg.Error as error:
            codes.append(error.sqlstate)

    with connect() as connection:
        rows = connection.cursor().stream(
            "SELECT a.x, b.x, c.x FROM UNNEST(sequence(1, 9000)) a(x) CROSS JOIN UNNEST(sequence(1, 9000)) b(x) "
            "CROSS JOIN UNNEST(sequence(1, 9000)) c(x)"
        )
        next(rows)
        counting = threading.Thread(target=count)
        counting.start()
        print("rows are coming", flush=True)
        try:
            for _ in rows:
                pass
        except psycopg.Error as error:
            codes.append(error.sqlstate)
        counting.join()
        refused("57P01", idle.execute, "SELECT 1")
    assert codes == ["57P01", "57P01"], codes


def zones():
    """The zone of a session: what is told, what is read, what follows it."""
    instant = "TIMESTAMP '2024-01-01 10:00:00 UTC'"
    with connect() as connection:
        def one(text, values=None):
            return connection.execute(text, values).fetchone()[0]

        def text(query):
            return connection.pgconn.exec_(query.encode()).get_value(0, 0).decode()

        # As a real PostgreSQL answers.
        for zone, query, expected in [
            ("Europe/Berlin", f"SELECT {instant}", "2024-01-01 11:00:00+01"),
            ("Asia/Kolkata", f"SELECT {instant}", "2024-01-01 15:30:00+05:30"),
            ("America/St_Johns", f"SELECT {instant}", "2024-01-01 06:30:00-03:30"),
            ("Europe/Berlin", "SELECT '2024-07-01 10:00'::timestamptz", "2024-07-01 10:00:00+02"),
            ("Europe/Berlin", "SELECT timestamptz '2024-07-01 10:00Z'", "2024-07-01 12:00:00+02"),
            ("Europe/Berlin", "SELECT '2024-01-01 10:00'::timestamp::timestamptz", "2024-01-01 10:00:00+01"),
            ("Europe/Berlin", "SELECT DATE '2024-01-01'::timestamptz", "2024-01-01 00:00:00+01"),
            ("Europe/Berlin", f"SELECT ({instant})::timestamp", "2024-01-01 11:00:00"),
            ("Europe/Berlin", "SELECT '2024-01-01 23:30Z'::timestamptz::date", "2024-01-02"),
            ("Europe/Berlin", f"SELECT extract(hour FROM {instant})", "11"),
            ("Europe/Berlin", "SELECT date_trunc('day', '2024-01-01 23:30Z'::timestamptz)", "2024-01-02 00:00:00+01"),
            ("Europe/Berlin", "SELECT '2024-01-01 10:00'::timestamp = '2024-01-01 09:00Z'::timestamptz", "t"),
            ("Europe/Berlin", f"SELECT ARRAY[{instant}]", '{"2024-01-01 11:00:00+01"}'),
            ("Europe/Berlin", "SELECT to_timestamp(0)", "1970-01-01 01:00:00+01"),
            ("Europe/Berlin", f"SELECT to_char({instant}, 'HH24:MI TZ OF')", "11:00 CET +01"),
            ("Europe/Berlin", "SELECT timestamp '2024-01-01 10:00' AT TIME ZONE 'America/New_York'",
             "2024-01-01 16:00:00+01"),
            ("Europe/Berlin", f"SELECT {instant} AT TIME ZONE 'America/New_York'", "2024-01-01 05:00:00"),
            ("Europe/Berlin", "SELECT '2024-01-01 10:00' AT TIME ZONE 'America/New_York'", "2024-01-01 04:00:00"),
            ("Europe/Berlin", "SELECT timestamp '2024-01-01 10:00' AT TIME ZONE 'UTC' AT TIME ZONE 'Europe/Berlin'",
             "2024-01-01 11:00:00"),
            ("Europe/Berlin", "SELECT timestamp '2024-01-01 10:00' AT TIME ZONE 'UTC+2'", "2024-01-01 13:00:00+01"),
            ("Europe/Berlin", "SELECT timestamp '2024-01-01 10:00' AT TIME ZONE INTERVAL '2 hours'",
             "2024-01-01 09:00:00+01"),
            ("UTC", "SELECT DATE '2024-01-01' AT TIME ZONE 'Europe/Berlin'", "2024-01-01 01:00:00"),
            ("Europe/Berlin", "SELECT date_trunc('day', '2024-01-01 23:30Z'::timestamptz, 'Asia/Tokyo')",
             "2024-01-01 16:00:00+01"),
            ("Europe/Berlin", f"SELECT max(x) FROM (VALUES ({instant})) t(x) GROUP BY date_trunc('hour', x)",
             "2024-01-01 11:00:00+01"),
            ("Europe/Berlin", f"SELECT x FROM (VALUES ({instant}), ({instant})) t(x) GROUP BY x ORDER BY x",
             "2024-01-01 11:00:00+01"),
        ]:
            connection.execute(sql.SQL("SET TIME ZONE {}").format(zone))
            assert text(query) == expected, (zone, query, text(query))
        for written, shown in [
            ("TIME ZONE 'asia/tokyo'", "Asia/Tokyo"), ("TIME ZONE -7", "<-07>+07"), ("timezone = 5.5", "<+05:30>-05:30"),
            ("timezone TO '+05:30'", "+05:30"), ("TIME ZONE INTERVAL '-08:00' HOUR TO MINUTE", "<-08>+08"),
            ("TIME ZONE LOCAL", "UTC"), ("timezone = DEFAULT", "UTC"),
        ]:
            connection.execute(f"SET {written}")
            assert one("SHOW timezone") == one("SHOW TIME ZONE") == shown, (written, one("SHOW timezone"))
            assert connection.info.parameter_status("TimeZone") == shown, written
        refused("22023", connection.execute, "SET timezone = 'Mars/Base'")
        refused("42601", connection.execute, "SELECT now() AT TIME ZONE 'Mars/Base'")
        refused("0A000", connection.execute, "CREATE VIEW shop.local AS SELECT now() AT TIME ZONE 'UTC' AS x")

        connection.execute("SET TIME ZONE 'Europe/Berlin'")
        moment = datetime.datetime(2024, 1, 1, 10, tzinfo=datetime.timezone.utc)
        for binary in (False, True):
            cursor = connection.cursor(binary=binary)
            (found,) = cursor.execute(f"SELECT {instant}").fetchone()
            assert found == moment and found.utcoffset() == datetime.timedelta(hours=1), (binary, found)
            marker = "%b" if binary else "%t"
            (found,) = cursor.execute(f"SELECT {marker}::timestamptz", (moment,)).fetchone()
            assert found == moment, (binary, found)
        assert one("SELECT %s::timestamptz", ("2024-01-01 11:00",)) == moment
        assert one("SELECT now() - localtimestamp::timestamptz < INTERVAL '1 minute'") is True
        with connection.cursor().copy(f"COPY (SELECT {instant}) TO STDOUT") as copy:
            assert b"".join(copy) == b"2024-01-01 11:00:00+01\n"
        # The columns of tables and what views say of them.
        connection.execute("CREATE VIEW shop.moments AS SELECT TIMESTAMP '2024-01-01 23:30:00 UTC' AS x")
        assert text("SELECT x FROM shop.moments") == "2024-01-02 00:30:00+01"
        assert text("SELECT CAST(x AS date) FROM shop.moments") == "2024-01-02"
        connection.execute("DROP VIEW shop.moments")
        started = one("SELECT extract(hour FROM started) - extract(hour FROM started AT TIME ZONE 'UTC') "
                      "FROM system.runs LIMIT 1")
        assert started in (1, 2, -22, -23), started

        connection.execute("BEGIN")
        connection.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
        assert text(f"SELECT {instant}") == "2024-01-01 19:00:00+09"
        connection.execute("COMMIT")
        assert text(f"SELECT {instant}") == "2024-01-01 11:00:00+01"
    with connect(options="-c timezone=Asia/Tokyo") as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)
        connection.execute("SET timezone = 'UTC'")
        connection.execute("RESET ALL")
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)
    try:
        connect(options="-c timezone=Mars/Base")
    except psycopg.OperationalError as error:
        assert "invalid value for parameter" in str(error), error
    else:
        raise AssertionError("a zone that does not exist was taken")


def meaning():
    """What means another thing in PostgreSQL than in Athena's language, or is spelled otherwise."""
    time = "timestamp '2024-03-01 15:06:07.123456'"
    with connect() as connection:
        for query, expected in [
            ("regexp_replace('abcabc', 'b', 'X')", "aXcabc"),
            ("regexp_replace('abcABC', 'B', 'X', 'gi')", "aXcAXC"),
            (r"regexp_replace('foobarbaz', 'b(..)', 'X\1Y', 'g')", "fooXarYXazY"),
            ("regexp_replace('a.b', '.', '$', 'g')", "$$$"),
            ("regexp_replace('abc', 'x*', '-', 'g')", "-a-b-c-"),
            (r"regexp_replace('abc', 'b', x)", "abbc"),
            ("substring('foobar' from 'o(.)b')", "o"),
            ("substring('foobar' from 'o.b')", "oob"),
            ("substring('foobar' from 'zz')", None),
            ("substring('foobar' from -1 for 3)", "f"),
            ("substring('foobar' for 2)", "fo"),
            ("'ab\nc' ~ 'b.c' AND 'a1' ~ '[[:alpha:]][[:digit:]]' AND 'x[' ~ '[[]'", True),
            ("'abc' ~* 'B' AND 'abc' !~ 'B' AND NOT 'abc' !~* 'B'", True),
            ("'abc' ~~ 'a%' AND 'ABC' ~~* 'a%' AND 'abc' !~~ 'b%'", True),
            ("split_part('a,b', ',', 5)", ""),
            ("split_part('a,b,c', ',', -1)", "c"),
            ("left('abc', -1) || right('abc', 1) || lpad('5', 3)", "abc  5"),
            ("position('b' in 'abc')", 2),
            ("char_length('äb') + octet_length('äb')", 5),
            ("encode(decode('616263', 'hex'), 'hex')", "616263"),
            (f"to_char({time}, 'FMDay, DD Mon YYYY HH12:MI:SS.MS AM')", "Friday, 01 Mar 2024 03:06:07.123 PM"),
            (f"to_char({time}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", "2024-03-01T15:06:07.123456"),
            ("to_char(DATE '2024-03-01', 'IYYY-IW Q FMDDth')", "2024-09 1 1st"),
            (f"extract(second from {time})", 7.123456),
            ("extract(epoch from INTERVAL '90 minutes')", 5400.0),
            ("extract(century from DATE '2024-03-01')", 21.0),
            (f"date_trunc('month', {time})", datetime.datetime(2024, 3, 1)),
            ("'{1,2}'::int[]", [1, 2]),
            ("current_date - 1 < current_date", True),
            ("CAST('1 day' AS interval)", datetime.timedelta(days=1)),
            ("now() > current_timestamp - INTERVAL '1 hour'", True),
            ("(1 = 2) IS NOT TRUE AND NULL IS UNKNOWN AND 1 NOTNULL", True),
            ("'b' COLLATE \"C\"", "b"),
            ("pg_typeof(1)::text || '/' || pg_typeof(now())", "integer/timestamp with time zone"),
            ("pg_typeof(ARRAY[1.5])", "numeric[]"),
            ("$q$it's$q$ || E'\\x41'", "it'sA"),
            ("coalesce(NULL, 'a')", "a"),
            ("greatest(1, NULL, 3) - least(NULL, 2)", 1),
            ("greatest(CAST(NULL AS integer), NULL)", None),
            ("repeat('ab', 2)", "abab"),
        ]:
            from_x = r" FROM (VALUES ('\&\&')) t(x)" if "'b', x)" in query else ""
            found = connection.execute(f"SELECT {query}{from_x}").fetchone()[0]
            assert found == expected, (query, found)
        for query, expected in [
            ("SELECT string_agg(x, ',' ORDER BY x) FILTER (WHERE x <> 'b') FROM (VALUES ('b'), ('c'), ('a')) t(x)",
             [("a,c",)]),
            ("SELECT array_agg(x ORDER BY x) FILTER (WHERE x > 1) FROM (VALUES 3, 1, 2) t(x)", [([2, 3],)]),
            ("SELECT x FROM generate_series(1, 7, 3) AS g(x)", [(1,), (4,), (7,)]),
            ("SELECT u FROM unnest(ARRAY['x', 'y']) AS t(u)", [("x",), ("y",)]),
            ("SELECT x FROM (VALUES (1), (2), (3)) t(x) ORDER BY x OFFSET 1 ROWS FETCH NEXT 1 ROWS ONLY", [(2,)]),
            ("SELECT 1 LIMIT ALL", [(1,)]),
            ("VALUES (1, 'a'), (2, 'b')", [(1, "a"), (2, "b")]),
            ("WITH t AS MATERIALIZED (SELECT 1 AS a) SELECT a FROM t", [(1,)]),
        ]:
            assert connection.execute(query).fetchall() == expected, query
        # Refused by name.
        for query, word in [
            ("SELECT DISTINCT ON (x) x FROM (VALUES 1) t(x)", "DISTINCT ON"),
            ("SELECT unnest(ARRAY[1])", "unnest"),
            ("SELECT generate_series(1, 3)", "generate_series"),
            ("SELECT 'a' SIMILAR TO 'a'", "SIMILAR TO"),
            ("SELECT 1 FOR UPDATE", "FOR UPDATE"),
            ("SELECT 'a' COLLATE \"de_DE\"", "collation"),
            ("SELECT '{}'::jsonb #>> '{a}'", "operator"),
            ("SELECT to_char(DATE '2024-01-01', 'RM')", "RM"),
            ("SELECT regexp_replace('a', 'a', 'b', 'w')", "flag"),
            ("PREPARE TRANSACTION 'a'", "two phases"),
        ]:
            error = refused("0A000", connection.execute, query)
            assert word in str(error), (query, error)
        error = refused("42804", connection.execute, "SELECT to_char(5, '999')")
        assert "the function to_char cannot be applied to integer" in str(error), error


def transactions():
    """Blocks that follow each other, savepoints, and what is set in them."""
    with connect() as connection:
        def run(text):
            return connection.execute(text).statusmessage

        def shown(name):
            return connection.execute(f"SHOW {name}").fetchone()[0]

        refused("25P01", connection.execute, "COMMIT AND CHAIN")
        assert run("BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY") == "BEGIN"
        assert (shown("transaction_isolation"), shown("transaction_read_only")) == ("serializable", "on")
        assert run("COMMIT AND CHAIN") == "COMMIT"
        assert (shown("transaction_isolation"), shown("transaction_read_only")) == ("serializable", "on")
        refused("42P01", connection.execute, "SELECT * FROM shop.nothing")
        assert run("COMMIT AND CHAIN") == "ROLLBACK"
        assert shown("TRANSACTION ISOLATION LEVEL") == "serializable"
        assert run("ROLLBACK AND NO CHAIN") == "ROLLBACK"
        assert shown("transaction_isolation") == "read committed"
        assert run("START TRANSACTION") == "START TRANSACTION"

        # What is set goes back with what it was set in.
        connection.execute("SET work_mem = '8MB'")
        connection.execute("SAVEPOINT a")
        connection.execute("SET work_mem = '16MB'")
        connection.execute("SET LOCAL TIME ZONE 'Asia/Tokyo'")
        connection.execute("DECLARE c CURSOR FOR VALUES (1), (2)")
        connection.execute("SAVEPOINT b")
        connection.execute("ROLLBACK TO SAVEPOINT a")
        assert (shown("work_mem"), shown("timezone")) == ("8MB", "UTC")
        assert connection.info.parameter_status("TimeZone") == "UTC"
        refused("34000", connection.execute, "FETCH ALL FROM c")
        refused("3B001", connection.execute, "ROLLBACK TO b")
        refused("25P02", connection.execute, "SELECT 1")
        assert run("ROLLBACK TO a") == "ROLLBACK"
        assert run("RELEASE a") == "RELEASE"
        refused("3B001", connection.execute, "RELEASE a")
        assert run("ROLLBACK") == "ROLLBACK"
        assert shown("work_mem") == "4MB"
        refused("25P01", connection.execute, "SAVEPOINT a")

        connection.execute("BEGIN")
        refused("25001", connection.execute, "DISCARD ALL")
        connection.execute("ROLLBACK")
        connection.execute("SET TIME ZONE 'Asia/Tokyo'")
        connection.execute("PREPARE a AS SELECT 1")
        assert run("DISCARD ALL") == "DISCARD ALL"
        assert connection.info.parameter_status("TimeZone") == shown("timezone") == "UTC"
        refused("26000", connection.execute, "EXECUTE a")
        assert [run(f"DISCARD {what}") for what in ("PLANS", "TEMP", "SEQUENCES")] == [
            "DISCARD PLANS", "DISCARD TEMP", "DISCARD SEQUENCES"]
        assert (run("RESET ALL"), run("DEALLOCATE ALL")) == ("RESET", "DEALLOCATE ALL")
        settings = {row[0]: row[1] for row in connection.execute("SHOW ALL").fetchall()}
        assert settings["TimeZone"] == "UTC" and settings["DateStyle"] == "ISO, MDY", settings
        with connection.transaction():
            with connection.transaction():
                assert connection.execute("SELECT 1").fetchone() == (1,)


def cursors():
    """Cursors on the server, portals with limits, blocks of transactions."""
    with psycopg.connect(URL, user="test", password="test") as connection:
        with connection.cursor(name="many") as cursor:
            cursor.itersize = 1000
            cursor.execute("SELECT a.x * 1000 + b.x FROM UNNEST(sequence(0, 99)) a(x), UNNEST(sequence(0, 999)) b(x)")
            assert cursor.fetchone() is not None
            count = 1 + sum(1 for _ in cursor)
            assert count == 100_000, count
        with connection.cursor(name="bound") as cursor:
            cursor.execute("SELECT id FROM shop.orders WHERE id >= %s ORDER BY id", (2,))
            assert cursor.fetchmany(2) == [(2,), (3,)] and cursor.fetchall() == [(4,)]
        connection.rollback()
        connection.execute("SAVEPOINT a")
        refused("42P01", connection.execute, "SELECT * FROM shop.nothing")
        refused("25P02", connection.execute, "SELECT 1")
        connection.execute("ROLLBACK TO a")
        assert connection.execute("SELECT 1").fetchone() == (1,)
        connection.commit()
    with connect() as connection:
        with connection.pipeline():
            first = connection.execute("SELECT %s::int", (1,))
            second = connection.execute("SELECT %s::int", (2,))
        assert (first.fetchone(), second.fetchone()) == ((1,), (2,))
        for _ in range(8):
            assert connection.execute("SELECT %s::bigint + 1", (5,), prepare=True).fetchone() == (6,)


def copies():
    """COPY TO STDOUT in its three formats."""
    with connect() as connection:
        def copied(text):
            with connection.cursor().copy(text) as copy:
                return b"".join(copy)

        query = "(SELECT id, customer, CAST(NULL AS integer) AS n FROM shop.orders ORDER BY id)"
        lines = copied(f"COPY {query} TO STDOUT").decode().splitlines()
        assert lines[:2] == ["1\tAda\t\\N", "2\tAda, the second\t\\N"], lines
        lines = copied(f"COPY {query} TO STDOUT WITH (FORMAT csv, HEADER)").decode().splitlines()
        assert lines[:3] == ["id,customer,n", "1,Ada,", '2,"Ada, the second",'], lines
        assert copied("COPY shop.orders (id) TO STDOUT CSV").decode().split() == ["1", "2", "3", "4"]
        assert copied(f"COPY {query} TO STDOUT (FORMAT binary)").startswith(b"PGCOPY\n\xff\r\n\0")
        with connection.cursor().copy(f"COPY {query} TO STDOUT (FORMAT binary)") as copy:
            copy.set_types(["int8", "text", "int4"])
            assert next(iter(list(copy.rows()))) == (1, "Ada", None)


def cancels():
    """A long query is stopped from another connection; the connection goes on."""
    with connect() as connection:
        timer = threading.Timer(1.0, connection.cancel)
        timer.start()
        refused("57014", connection.execute, LONG_QUERY)
        timer.join()
        assert connection.execute("SELECT 1").fetchone() == (1,)
        connection.execute("SET statement_timeout = 300")
        refused("57014", connection.execute, LONG_QUERY)
        connection.execute("RESET statement_timeout")
        assert connection.execute("SELECT 1").fetchone() == (1,)


def writes():
    """Statements that change something are runs, and say how many rows they wrote."""
    with connect() as connection:
        done = connection.execute("CREATE TABLE shop.copied AS SELECT * FROM shop.orders")
        assert done.statusmessage == "SELECT 4", done.statusmessage
        done = connection.execute("INSERT INTO shop.copied SELECT * FROM shop.orders WHERE id = %s", (1,))
        assert done.statusmessage == "INSERT 0 1", done.statusmessage
        assert connection.execute("SELECT count(*) FROM shop.copied").fetchone() == (5,)
        assert connection.execute("DROP TABLE shop.copied").statusmessage == "DROP TABLE"
        kinds = connection.execute(
            "SELECT kind, state, count(*) FROM system.runs WHERE name LIKE 'INSERT%%' GROUP BY 1, 2"
        ).fetchall()
        assert kinds == [("query", "succeeded", 1)], kinds
        assert connection.execute("SELECT count(*) FROM system.partitions").fetchone() == (0,)


def catalog():
    """What SQLAlchemy reads of the catalog, and pandas of a table."""
    import pandas
    import sqlalchemy

    engine = sqlalchemy.create_engine(URL.replace("postgresql://", "postgresql+psycopg://test:test@"))
    inspector = sqlalchemy.inspect(engine)
    assert "shop" in inspector.get_schema_names(), inspector.get_schema_names()
    assert inspector.get_table_names(schema="shop") == ["orders"]
    assert inspector.get_view_names(schema="shop") == ["totals"]
    assert inspector.has_table("orders", schema="shop") and not inspector.has_table("nothing", schema="shop")
    columns = {c["name"]: str(c["type"]) for c in inspector.get_columns("orders", schema="shop")}
    assert columns == {"id": "BIGINT", "customer": "TEXT", "amount": "DOUBLE PRECISION", "day": "DATE"}, columns
    assert inspector.get_pk_constraint("orders", schema="shop")["constrained_columns"] == []
    assert inspector.get_foreign_keys("orders", schema="shop") == []
    assert inspector.get_indexes("orders", schema="shop") == []
    assert inspector.get_unique_constraints("orders", schema="shop") == []
    frame = pandas.read_sql("SELECT * FROM shop.orders ORDER BY id", engine)
    assert list(frame["customer"]) == ["Ada", "Ada, the second", "Brian", "Dennis"]
    table = sqlalchemy.Table("orders", sqlalchemy.MetaData(), autoload_with=engine, schema="shop")
    with engine.connect() as connection:
        statement = sqlalchemy.select(table.c.customer).where(table.c.id.in_([1, 3])).order_by(table.c.id).limit(5)
        assert connection.execute(statement).fetchall() == [("Ada",), ("Brian",)]
    assert sql.Identifier("x").as_string(None) == '"x"'


for name in sys.argv[2:]:
    globals()[name]()
    print(name, "ok")
