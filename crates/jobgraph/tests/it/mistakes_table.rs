//! One right job, and the mistakes that newcomers make most: what is changed in it, and what is said of it.

/// The right job.
pub(crate) const RIGHT: &str = r#"Name: totals
DefaultArguments: {--least: "10"}
CodeGenConfigurationNodes:
  orders:
    CatalogSource: {Name: Orders, Database: shop, Table: orders}
  people:
    CatalogSource: {Name: People, Database: shop, Table: customers, PartitionPredicate: id > 0}
  named:
    RenameField: {Name: Named, Inputs: [people], SourcePath: [id], TargetPath: [customer]}
  big:
    Filter:
      Name: Big orders
      Inputs: [orders]
      LogicalOperator: AND
      Filters:
        - {Operation: GTE, Values: [{Type: COLUMNEXTRACTED, Value: [amount]}, {Type: CONSTANT, Value: ["${least}"]}]}
  typed:
    ApplyMapping:
      Name: Typed
      Inputs: [big]
      Mapping:
        - {FromPath: [customer], FromType: int, ToKey: customer, ToType: int}
        - {FromPath: [amount], FromType: double, ToKey: amount, ToType: double}
        - {FromPath: [note], FromType: string, ToKey: note, ToType: string}
  both:
    Join:
      Name: Both
      Inputs: [typed, named]
      JoinType: equijoin
      Columns: [{From: typed, Keys: [customer]}, {From: named, Keys: [customer]}]
  totals:
    SparkSQL:
      Name: Totals
      Inputs: [both]
      SqlAliases: [{From: both, Alias: sales}]
      SqlQuery: |
        SELECT customer,
               sum(amount) AS total
        FROM sales
        GROUP BY customer
  written:
    S3CatalogTarget: {Name: Written, Inputs: [totals], Database: shop, Table: totals}
  copy:
    S3DirectTarget: {Name: Copy, Inputs: [totals], Path: "s3://lake/totals/", Format: parquet, PartitionKeys: [customer]}
"#;

/// What is changed, into what, the line of the mistake, and what the message and its hints say.
pub(crate) type Mistake = (&'static str, &'static str, u32, &'static str, &'static str);

/// The mistakes.
pub(crate) const MISTAKES: &[Mistake] = &[
    ("    Filter:", "    Fitler:", 11, "there is no node type `Fitler`", "did you mean `Filter`?"),
    (
        "LogicalOperator: AND",
        "LogicalOperater: AND",
        14,
        "unknown setting `LogicalOperater`",
        "did you mean `LogicalOperator`?",
    ),
    ("      LogicalOperator: AND\n", "", 11, "`LogicalOperator` is missing", ""),
    (
        "LogicalOperator: AND",
        "LogicalOperator: And",
        14,
        "`And` is no LogicalOperator",
        "did you mean `AND`?",
    ),
    ("Inputs: [big]", "Inputs: [bigg]", 20, "there is no such node", "did you mean `big`?"),
    (
        "Inputs: [big]",
        "Inputs: [Big orders]",
        20,
        "there is no such node",
        "inputs are ids, not names: write `big`",
    ),
    ("Inputs: [both]", "Inputs: []", 32, "takes at least 1 inputs, but has 0", "by their ids"),
    ("Inputs: [typed, named]", "Inputs: [typed, typed]", 28, "names its input `typed` twice", "SelectFields"),
    ("Inputs: [big]", "Inputs: [big, orders]", 20, "takes one input, but has 2", "join or unite them"),
    (
        "Inputs: [orders]",
        "Inputs: [typed]",
        13,
        "form a cycle: typed -> big -> typed",
        "take one of these inputs out",
    ),
    ("Name: Typed", "Name: Both", 27, "two nodes are named `Both`", "a name of its own"),
    (
        "Inputs: [typed, named]",
        "Inputs: [typed, people]",
        8,
        "nothing reads from `named`",
        "make it an input",
    ),
    (
        "Value: [amount]",
        "Value: [amuont]",
        16,
        "there is no column `amuont` at `big`",
        "did you mean `amount`?",
    ),
    (
        "FromPath: [note], FromType: string",
        "FromPath: [amount], FromType: string",
        24,
        "`amount` is double here, but the mapping takes it for string",
        "FromType",
    ),
    ("ToType: double", "ToType: duoble", 23, "`duoble` is no type", "did you mean `double`?"),
    ("\"${least}\"", "ten", 16, "`amount` is double, but it is compared with `ten`", "of type double"),
    ("${least}", "${leest}", 16, "the argument `--leest` is not given", "did you mean `least`?"),
    ("JoinType: equijoin", "JoinType: inner", 29, "`inner` is no JoinType", "equijoin"),
    (
        "{From: named, Keys: [customer]}",
        "{From: named, Keys: [name]}",
        30,
        "they are never equal",
        "cast one of them",
    ),
    ("TargetPath: [customer]", "TargetPath: [name]", 9, "there is a column `name` already", "drop it before"),
    ("sum(amount)", "sum(amuont)", 38, "there is no column `amuont`", "did you mean `amount`?"),
    ("        FROM sales", "        FORM sales", 39, "unexpected `FORM`", ""),
    ("FROM sales", "FROM sale", 39, "there is no table `sale`", "did you mean `sales`?"),
    ("sum(amount)", "collect_list(amount)", 38, "`collect_list` is Spark's function", "array_agg"),
    ("AS total", "AS totale", 42, "`shop.totals` has no column `totale`", "is it `total`?"),
    ("Table: orders", "Table: order", 5, "there is no table `shop.order`", "did you mean `shop.orders`?"),
    ("\"s3://lake/totals/\"", "/lake/totals/", 44, "is no lake address", "s3://bucket/key"),
    ("Format: parquet", "Format: Parquet", 44, "`Parquet` is no Format", "did you mean `parquet`?"),
    (
        "PartitionKeys: [customer]",
        "PartitionKeys: [custmer]",
        44,
        "there is no column `custmer`",
        "did you mean `customer`?",
    ),
    ("id > 0", "idd > 0", 7, "there is no column `idd`", "did you mean `id`?"),
    ("  big:\n    Filter:", "  big:\n    Filter:\n      Inputs: [orders]", 14, "stands twice", "remove one"),
    (
        "    Filter:\n      Name: Big orders",
        "    Name: Big orders\n    Filter:",
        10,
        "settings, but no type around them",
        "write `id:",
    ),
    (
        "        - {FromPath: [customer]",
        "       - {FromPath: [customer]",
        23,
        "no valid YAML",
        "spaces, never tabs",
    ),
];
