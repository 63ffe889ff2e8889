//! Python functions that some nodes' scripts call.

/// A function that stands at the head of a script that needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Helper {
    Aggregate,
    DropNulls,
    SqlQuery,
    Union,
}

impl Helper {
    /// The function's text.
    pub(super) fn text(self) -> &'static str {
        match self {
            Self::Aggregate => AGGREGATE,
            Self::DropNulls => DROP_NULLS,
            Self::SqlQuery => SQL_QUERY,
            Self::Union => UNION,
        }
    }
}

const AGGREGATE: &str = r#"
def sparkAggregate(glueContext, parentFrame, groups, aggs, transformation_ctx):
    """Groups by some columns and computes [column, function] pairs."""
    functions = [getattr(SqlFuncs, function)(column) for column, function in aggs]
    frame = parentFrame.toDF()
    frame = frame.groupBy(*groups) if groups else frame
    return DynamicFrame.fromDF(frame.agg(*functions), glueContext, transformation_ctx)
"#;

const DROP_NULLS: &str = r#"
def drop_nulls(glueContext, frame, null_texts, null_numbers, transformation_ctx):
    """Drops the columns in which every value is null, or one of the values that count as null."""
    data = frame.toDF()

    def is_value(name, kind):
        column = SqlFuncs.col("`" + name + "`")
        test = column.isNotNull()
        if kind == "string" and null_texts:
            test = test & ~SqlFuncs.trim(column).isin(list(null_texts))
        elif kind in ("int", "bigint", "double", "float", "smallint", "tinyint") and null_numbers:
            test = test & ~column.isin(list(null_numbers))
        return test

    empty = [name for name, kind in data.dtypes if data.filter(is_value(name, kind)).limit(1).count() == 0]
    return DynamicFrame.fromDF(data.drop(*empty), glueContext, transformation_ctx)
"#;

const SQL_QUERY: &str = r#"
def sparkSqlQuery(glueContext, query, mapping, transformation_ctx):
    """Runs a query over frames by their aliases."""
    for alias, frame in mapping.items():
        frame.toDF().createOrReplaceTempView(alias)
    return DynamicFrame.fromDF(spark.sql(query), glueContext, transformation_ctx)
"#;

const UNION: &str = r#"
def sparkUnion(glueContext, unionType, mapping, transformation_ctx):
    """The rows of two frames, with or without duplicates."""
    frames = [frame.toDF() for frame in mapping.values()]
    result = frames[0]
    for frame in frames[1:]:
        same = set(frame.columns) == set(result.columns)
        result = result.unionByName(frame) if same else result.union(frame)
    if unionType == "DISTINCT":
        result = result.distinct()
    return DynamicFrame.fromDF(result, glueContext, transformation_ctx)
"#;
