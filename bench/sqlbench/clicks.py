"""One wide table of page views, after the public description of ClickBench's: some 70 columns of which most queries
touch two or three, skewed keys, mostly empty search phrases, long addresses. Scale 1 is 5 M rows."""

import sys
from pathlib import Path

# Name, SQL type, and how a row number `k` becomes its value.
COLUMNS = [
    ("watch_id", "bigint", "(hash(k) >> 1)::BIGINT"),
    ("java_enable", "smallint", "rnd(k, 1, 0, 1)::SMALLINT"),
    ("title", "varchar", "CASE WHEN rnd(k, 2, 0, 9) < 2 THEN '' ELSE 'Page ' || skew(k, 3, 40000) || ' of the ' || "
                         "(['Google', 'shop', 'forum', 'news', 'weather', 'cars'])[rnd(k, 4, 1, 6)] || ' site' END"),
    ("good_event", "smallint", "1::SMALLINT"),
    ("event_time", "timestamp", "TIMESTAMP '2013-07-01 00:00:00' + to_seconds(rnd(k, 5, 0, 30 * 86400 - 1))"),
    ("event_date", "date", "CAST(TIMESTAMP '2013-07-01 00:00:00' + to_seconds(rnd(k, 5, 0, 30 * 86400 - 1)) AS DATE)"),
    ("counter_id", "integer", "skew(k, 6, 5000)::INTEGER"),
    ("client_ip", "integer", "(skew(k, 7, 250000) * 7919)::INTEGER"),
    ("region_id", "integer", "skew(k, 8, 2500)::INTEGER"),
    ("user_id", "bigint", "(hash(skew(k, 9, 900000)) >> 1)::BIGINT"),
    ("counter_class", "smallint", "rnd(k, 10, 0, 1)::SMALLINT"),
    ("os", "smallint", "skew(k, 11, 60)::SMALLINT"),
    ("user_agent", "smallint", "skew(k, 12, 80)::SMALLINT"),
    ("url", "varchar", "'http://' || (['example.org', 'shop.example.com', 'news.google.example', 'cars.example.net'])"
                       "[1 + skew(k, 13, 4)] || '/' || skew(k, 14, 200000) || '/' || substr(md5(skew(k, 15, 300000)::VARCHAR), 1, 12)"),
    ("referer", "varchar", "CASE WHEN rnd(k, 16, 0, 9) < 4 THEN '' ELSE 'https://' || (['www.', ''])[rnd(k, 17, 1, 2)] || 'site' "
                           "|| skew(k, 18, 3000) || '.example/' || skew(k, 19, 100000) END"),
    ("is_refresh", "smallint", "(rnd(k, 20, 0, 9) = 0)::SMALLINT"),
    ("referer_region_id", "integer", "skew(k, 21, 2500)::INTEGER"),
    ("resolution_width", "smallint", "([0, 1024, 1280, 1366, 1440, 1600, 1638, 1920])[1 + skew(k, 22, 8)]::SMALLINT"),
    ("resolution_height", "smallint", "([0, 600, 768, 800, 900, 1024, 1080, 1200])[1 + skew(k, 23, 8)]::SMALLINT"),
    ("flash_major", "smallint", "rnd(k, 24, 0, 11)::SMALLINT"),
    ("net_major", "smallint", "rnd(k, 25, 0, 4)::SMALLINT"),
    ("mobile_phone", "smallint", "(CASE WHEN rnd(k, 26, 0, 9) < 9 THEN 0 ELSE rnd(k, 27, 1, 60) END)::SMALLINT"),
    ("mobile_phone_model", "varchar", "CASE WHEN rnd(k, 26, 0, 9) < 9 THEN '' ELSE 'Model ' || skew(k, 28, 150) END"),
    ("params", "varchar", "CASE WHEN rnd(k, 29, 0, 19) = 0 THEN 'p=' || k ELSE '' END"),
    ("traffic_source_id", "smallint", "(skew(k, 30, 8) - 1)::SMALLINT"),
    ("search_engine_id", "smallint", "(CASE WHEN rnd(k, 31, 0, 9) < 8 THEN 0 ELSE rnd(k, 32, 1, 30) END)::SMALLINT"),
    ("search_phrase", "varchar", "CASE WHEN rnd(k, 33, 0, 9) < 8 THEN '' ELSE (['cheap ', 'best ', 'new ', 'how to '])"
                                 "[rnd(k, 34, 1, 4)] || 'thing ' || skew(k, 35, 120000) END"),
    ("adv_engine_id", "smallint", "(CASE WHEN rnd(k, 36, 0, 99) < 97 THEN 0 ELSE rnd(k, 37, 1, 20) END)::SMALLINT"),
    ("is_artifical", "smallint", "0::SMALLINT"),
    ("window_client_width", "integer", "rnd(k, 38, 300, 2000)::INTEGER"),
    ("window_client_height", "integer", "rnd(k, 39, 200, 1200)::INTEGER"),
    ("is_link", "smallint", "(rnd(k, 40, 0, 19) = 0)::SMALLINT"),
    ("is_download", "smallint", "(rnd(k, 41, 0, 199) = 0)::SMALLINT"),
    ("is_not_bounce", "smallint", "rnd(k, 42, 0, 1)::SMALLINT"),
    ("dont_count_hits", "smallint", "(rnd(k, 43, 0, 9) = 0)::SMALLINT"),
    ("send_timing", "integer", "rnd(k, 44, 0, 30000)::INTEGER"),
    ("url_hash", "bigint", "(hash(skew(k, 14, 200000)) >> 1)::BIGINT"),
    ("referer_hash", "bigint", "(hash(skew(k, 19, 100000)) >> 1)::BIGINT"),
]
# Columns that no query asks for; a column store should not pay for them.
COLUMNS += [(f"extra_{n}", "integer", f"rnd(k, {200 + n}, 0, {10 ** (1 + n % 6)})::INTEGER") for n in range(32)]
TABLES = {"hits": [(name, kind) for name, kind, _ in COLUMNS]}


def make(folder, scale):
    """Writes the table as four Parquet files."""
    import duckdb
    connection = duckdb.connect()
    connection.sql("CREATE MACRO rnd(k, salt, low, high) AS low + (hash(k * 1009 + salt) % (high - low + 1)::UBIGINT)::BIGINT")
    # Small numbers are much more frequent than large ones.
    connection.sql("CREATE MACRO skew(k, salt, most) AS floor(pow((hash(k * 1009 + salt) % 1000003::UBIGINT)::DOUBLE / "
                   "1000003, 3) * most)::BIGINT")
    path = Path(folder) / "hits"
    path.mkdir(parents=True, exist_ok=True)
    select = ", ".join(f"{made} AS {name}" for name, _, made in COLUMNS)
    rows = int(5_000_000 * scale)
    for part in range(4):
        first, last = rows * part // 4, rows * (part + 1) // 4
        connection.sql(f"COPY (SELECT {select} FROM range({first}, {last}) t(k)) TO '{path}/part-{part}.parquet' "
                       "(FORMAT parquet, COMPRESSION zstd)")


if __name__ == "__main__":
    make(sys.argv[1], float(sys.argv[2]))
