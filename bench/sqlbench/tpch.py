"""The eight tables of a wholesale supplier, after the public description of TPC-H: the same shapes, keys and
distributions, made by our own formulas. Not the official data, so no official results. Scale 1 is 6 M order lines."""

import sys
from pathlib import Path

COLORS = ("almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse "
          "chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted "
          "gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen "
          "magenta maroon medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru "
          "pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring "
          "steel tan thistle tomato turquoise violet wheat white yellow").split()
WORDS = ("carefully quickly slowly furiously blithely deposits accounts packages theodolites foxes instructions requests "
         "pending special express regular final ironic even bold silent daring sleep wake haggle nag cajole integrate "
         "above along against among the of to platelets pinto beans ideas dependencies").split()
REGIONS = ["AFRICA", "AMERICA", "ASIA", "EUROPE", "MIDDLE EAST"]
NATIONS = [("ALGERIA", 0), ("ARGENTINA", 1), ("BRAZIL", 1), ("CANADA", 1), ("EGYPT", 4), ("ETHIOPIA", 0), ("FRANCE", 3),
           ("GERMANY", 3), ("INDIA", 2), ("INDONESIA", 2), ("IRAN", 4), ("IRAQ", 4), ("JAPAN", 2), ("JORDAN", 4), ("KENYA", 0),
           ("MOROCCO", 0), ("MOZAMBIQUE", 0), ("PERU", 1), ("CHINA", 2), ("ROMANIA", 3), ("SAUDI ARABIA", 4),
           ("VIETNAM", 2), ("RUSSIA", 3), ("UNITED KINGDOM", 3), ("UNITED STATES", 1)]
SEGMENTS = ["AUTOMOBILE", "BUILDING", "FURNITURE", "MACHINERY", "HOUSEHOLD"]
PRIORITIES = ["1-URGENT", "2-HIGH", "3-MEDIUM", "4-NOT SPECIFIED", "5-LOW"]
INSTRUCTIONS = ["DELIVER IN PERSON", "COLLECT COD", "NONE", "TAKE BACK RETURN"]
MODES = ["REG AIR", "AIR", "RAIL", "SHIP", "TRUCK", "MAIL", "FOB"]
TYPES = (["STANDARD", "SMALL", "MEDIUM", "LARGE", "ECONOMY", "PROMO"],
         ["ANODIZED", "BURNISHED", "PLATED", "POLISHED", "BRUSHED"], ["TIN", "NICKEL", "BRASS", "STEEL", "COPPER"])
CONTAINERS = (["SM", "LG", "MED", "JUMBO", "WRAP"], ["CASE", "BOX", "BAG", "JAR", "PKG", "PACK", "CAN", "DRUM"])

DECIMAL = "decimal(15,2)"
TABLES = {
    "region": [("r_regionkey", "bigint"), ("r_name", "varchar"), ("r_comment", "varchar")],
    "nation": [("n_nationkey", "bigint"), ("n_name", "varchar"), ("n_regionkey", "bigint"), ("n_comment", "varchar")],
    "supplier": [("s_suppkey", "bigint"), ("s_name", "varchar"), ("s_address", "varchar"), ("s_nationkey", "bigint"),
                 ("s_phone", "varchar"), ("s_acctbal", DECIMAL), ("s_comment", "varchar")],
    "part": [("p_partkey", "bigint"), ("p_name", "varchar"), ("p_mfgr", "varchar"), ("p_brand", "varchar"),
             ("p_type", "varchar"), ("p_size", "integer"), ("p_container", "varchar"), ("p_retailprice", DECIMAL),
             ("p_comment", "varchar")],
    "partsupp": [("ps_partkey", "bigint"), ("ps_suppkey", "bigint"), ("ps_availqty", "integer"),
                 ("ps_supplycost", DECIMAL), ("ps_comment", "varchar")],
    "customer": [("c_custkey", "bigint"), ("c_name", "varchar"), ("c_address", "varchar"), ("c_nationkey", "bigint"),
                 ("c_phone", "varchar"), ("c_acctbal", DECIMAL), ("c_mktsegment", "varchar"), ("c_comment", "varchar")],
    "orders": [("o_orderkey", "bigint"), ("o_custkey", "bigint"), ("o_orderstatus", "varchar"), ("o_totalprice", DECIMAL),
               ("o_orderdate", "date"), ("o_orderpriority", "varchar"), ("o_clerk", "varchar"),
               ("o_shippriority", "integer"), ("o_comment", "varchar")],
    "lineitem": [("l_orderkey", "bigint"), ("l_partkey", "bigint"), ("l_suppkey", "bigint"), ("l_linenumber", "integer"),
                 ("l_quantity", DECIMAL), ("l_extendedprice", DECIMAL), ("l_discount", DECIMAL), ("l_tax", DECIMAL),
                 ("l_returnflag", "varchar"), ("l_linestatus", "varchar"), ("l_shipdate", "date"), ("l_commitdate", "date"),
                 ("l_receiptdate", "date"), ("l_shipinstruct", "varchar"), ("l_shipmode", "varchar"),
                 ("l_comment", "varchar")],
}


def one_of(words, key, salt):
    """SQL: one of the words, by a key."""
    listed = ", ".join(f"'{word}'" for word in words)
    return f"([{listed}])[rnd({key}, {salt}, 1, {len(words)})]"


def words(count, key, salt, of=WORDS):
    """SQL: some words, by a key."""
    return "concat_ws(' ', " + ", ".join(one_of(of, key, salt + n) for n in range(count)) + ")"


def money(key, salt, low, high):
    """SQL: an amount between two, in cents."""
    return f"CAST(rnd({key}, {salt}, {low}, {high}) / 100.0 AS DECIMAL(15,2))"


def statements(scale):
    """The SELECT of each table."""
    suppliers, parts = max(10, int(10_000 * scale)), max(20, int(200_000 * scale))
    customers, orders = max(15, int(150_000 * scale)), max(15, int(1_500_000 * scale))
    price = "CAST((90000 + (({0} // 10) % 20001) + 100 * ({0} % 1000)) / 100.0 AS DECIMAL(15,2))"
    supplier_of = f"(({{0}} + {{1}} * ({suppliers} // 4 + ({{0}} - 1) // {suppliers})) % {suppliers}) + 1"
    phone = ("(10 + {0})::VARCHAR || '-' || rnd({1}, 21, 100, 999) || '-' || rnd({1}, 22, 100, 999) || '-' "
             "|| rnd({1}, 23, 1000, 9999)")
    address = "substr(md5('{0}' || k), 1, 10 + rnd(k, 24, 0, 20)::INT)"
    yield "region", ("SELECT k AS r_regionkey, ([" + ", ".join(f"'{r}'" for r in REGIONS) + f"])[k + 1] AS r_name, "
                     f"{words(6, 'k', 900)} AS r_comment FROM range(5) t(k)")
    names = ", ".join(f"'{name}'" for name, _ in NATIONS)
    regions = ", ".join(str(region) for _, region in NATIONS)
    yield "nation", (f"SELECT k AS n_nationkey, ([{names}])[k + 1] AS n_name, ([{regions}])[k + 1]::BIGINT AS n_regionkey, "
                     f"{words(6, 'k', 800)} AS n_comment FROM range(25) t(k)")
    yield "supplier", f"""
        SELECT k AS s_suppkey, format('Supplier#{{:09d}}', k) AS s_name, {address.format('s')} AS s_address,
            n AS s_nationkey, {phone.format('n', 'k')} AS s_phone, {money('k', 2, -99999, 999999)} AS s_acctbal,
            {words(7, 'k', 30)} || CASE WHEN k % 1901 = 7 THEN ' Customer slow Complaints' ELSE '' END AS s_comment
        FROM (SELECT k, rnd(k, 1, 0, 24) AS n FROM range(1, {suppliers + 1}) t(k))"""
    yield "part", f"""
        SELECT k AS p_partkey, {words(5, 'k', 40, COLORS)} AS p_name, 'Manufacturer#' || m AS p_mfgr,
            'Brand#' || m || rnd(k, 51, 1, 5) AS p_brand,
            {one_of(TYPES[0], 'k', 52)} || ' ' || {one_of(TYPES[1], 'k', 53)} || ' ' || {one_of(TYPES[2], 'k', 54)} AS p_type,
            rnd(k, 55, 1, 50)::INTEGER AS p_size,
            {one_of(CONTAINERS[0], 'k', 56)} || ' ' || {one_of(CONTAINERS[1], 'k', 57)} AS p_container,
            {price.format('k')} AS p_retailprice, {words(2, 'k', 58)} AS p_comment
        FROM (SELECT k, rnd(k, 50, 1, 5) AS m FROM range(1, {parts + 1}) t(k))"""
    yield "partsupp", f"""
        SELECT p AS ps_partkey, {supplier_of.format('p', 'i')} AS ps_suppkey,
            rnd(p * 4 + i, 61, 1, 9999)::INTEGER AS ps_availqty, {money('p * 4 + i', 62, 100, 100000)} AS ps_supplycost,
            {words(14, 'p * 4 + i', 63)} AS ps_comment
        FROM range(1, {parts + 1}) t(p), range(4) u(i)"""
    yield "customer", f"""
        SELECT k AS c_custkey, format('Customer#{{:09d}}', k) AS c_name, {address.format('c')} AS c_address,
            n AS c_nationkey, {phone.format('n', 'k')} AS c_phone, {money('k', 82, -99999, 999999)} AS c_acctbal,
            {one_of(SEGMENTS, 'k', 83)} AS c_mktsegment, {words(9, 'k', 84)} AS c_comment
        FROM (SELECT k, rnd(k, 81, 0, 24) AS n FROM range(1, {customers + 1}) t(k))"""
    yield "lineitem", f"""
        WITH lines AS (
            SELECT k, (k // 8) * 32 + k % 8 + 1 AS o, i, k * 8 + i AS l, DATE '1992-01-01' + rnd(k, 101, 0, 2405)::INT AS ordered
            FROM range({orders}) t(k), range(1, 8) u(i) WHERE i <= rnd(k, 100, 1, 7)
        ), shipped AS (
            SELECT *, rnd(l, 110, 1, {parts}) AS part, rnd(l, 111, 1, 50) AS quantity,
                ordered + rnd(l, 112, 1, 121)::INT AS ship, ordered + rnd(l, 113, 30, 90)::INT AS due FROM lines
        ), received AS (SELECT *, ship + rnd(l, 114, 1, 30)::INT AS received FROM shipped)
        SELECT o AS l_orderkey, part AS l_partkey, {supplier_of.format('part', 'rnd(l, 115, 0, 3)')} AS l_suppkey,
            i::INTEGER AS l_linenumber, quantity::DECIMAL(15,2) AS l_quantity,
            CAST(quantity * {price.format('part')} AS DECIMAL(15,2)) AS l_extendedprice,
            {money('l', 116, 0, 10)} AS l_discount, {money('l', 117, 0, 8)} AS l_tax,
            CASE WHEN received > DATE '1995-06-17' THEN 'N' WHEN rnd(l, 118, 0, 1) = 0 THEN 'R' ELSE 'A' END AS l_returnflag,
            CASE WHEN ship > DATE '1995-06-17' THEN 'O' ELSE 'F' END AS l_linestatus,
            ship AS l_shipdate, due AS l_commitdate, received AS l_receiptdate,
            {one_of(INSTRUCTIONS, 'l', 119)} AS l_shipinstruct, {one_of(MODES, 'l', 120)} AS l_shipmode,
            {words(4, 'l', 121)} AS l_comment
        FROM received"""
    # Every third customer never orders. The sums come from the lines just made.
    yield "orders", f"""
        WITH sums AS (
            SELECT l_orderkey, sum(l_extendedprice * (1 + l_tax) * (1 - l_discount))::DECIMAL(15,2) AS total,
                count(*) AS lines, count(*) FILTER (l_linestatus = 'F') AS done FROM lineitem GROUP BY l_orderkey
        )
        SELECT (k // 8) * 32 + k % 8 + 1 AS o_orderkey,
            (rnd(k, 130, 0, {customers // 3 - 1}) * 3 + rnd(k, 131, 1, 2)) AS o_custkey,
            CASE WHEN done = lines THEN 'F' WHEN done = 0 THEN 'O' ELSE 'P' END AS o_orderstatus, total AS o_totalprice,
            DATE '1992-01-01' + rnd(k, 101, 0, 2405)::INT AS o_orderdate, {one_of(PRIORITIES, 'k', 132)} AS o_orderpriority,
            format('Clerk#{{:09d}}', rnd(k, 133, 1, {max(1, int(1000 * scale))})) AS o_clerk, 0::INTEGER AS o_shippriority,
            {words(7, 'k', 134)} AS o_comment
        FROM range({orders}) t(k) JOIN sums ON l_orderkey = (k // 8) * 32 + k % 8 + 1 ORDER BY o_orderkey"""


def make(folder, scale):
    """Writes each table as one Parquet file in a folder of its own."""
    import duckdb
    connection = duckdb.connect()
    connection.sql("CREATE MACRO rnd(k, salt, low, high) AS low + (hash(k * 1009 + salt) % (high - low + 1)::UBIGINT)::BIGINT")
    for table, select in statements(scale):
        path = Path(folder) / table
        path.mkdir(parents=True, exist_ok=True)
        file = path / "part-0.parquet"
        connection.sql(f"COPY ({select}) TO '{file}' (FORMAT parquet, COMPRESSION zstd)")
        connection.sql(f"CREATE VIEW {table} AS SELECT * FROM '{file}'")


if __name__ == "__main__":
    make(sys.argv[1], float(sys.argv[2]))
