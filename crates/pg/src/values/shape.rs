//! Which of PostgreSQL's types carries which of the engine's.

use functions::render::Renderer;
use sql::SqlType;

/// How values travel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    Bool,
    Int2,
    Int4,
    Int8,
    Oid,
    Float4,
    Float8,
    /// With its precision and scale.
    Numeric(u8, u8),
    /// Text under one of its types' numbers; with `varchar(n)` its length.
    Text(u32, Option<u32>),
    Bytea,
    Json,
    /// What has no type of PostgreSQL's own, as JSON.
    Nested(Box<SqlType>),
    Uuid,
    Inet,
    Date,
    Time,
    Timestamp,
    TimestampTz,
    Interval,
    Array(Box<Shape>),
}

/// A column of a result.
pub(crate) struct Column {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    /// Writes what is nested.
    pub(crate) renderer: Option<Renderer>,
}

impl Column {
    pub(crate) fn new(name: impl Into<String>, sql_type: &SqlType) -> Self {
        Self::shaped(name, Shape::of(sql_type))
    }

    pub(crate) fn shaped(name: impl Into<String>, shape: Shape) -> Self {
        let renderer = match &shape {
            Shape::Nested(sql_type) => Some(Renderer::new(sql_type)),
            _ => None,
        };
        Self { name: name.into(), shape, renderer }
    }
}

impl Shape {
    /// The way in which values of this type travel.
    pub(crate) fn of(sql_type: &SqlType) -> Self {
        match sql_type {
            SqlType::Unknown | SqlType::Function(..) => Self::Text(25, None),
            SqlType::Boolean => Self::Bool,
            SqlType::TinyInt | SqlType::SmallInt => Self::Int2,
            SqlType::Integer => Self::Int4,
            SqlType::BigInt => Self::Int8,
            SqlType::Real => Self::Float4,
            SqlType::Double => Self::Float8,
            SqlType::Decimal(p, s) => Self::Numeric(*p, *s),
            SqlType::Varchar(None) => Self::Text(25, None),
            SqlType::Varchar(length) => Self::Text(1043, *length),
            SqlType::Char(length) => Self::Text(1042, Some(*length)),
            SqlType::Varbinary | SqlType::HyperLogLog => Self::Bytea,
            SqlType::Json => Self::Json,
            SqlType::Uuid => Self::Uuid,
            SqlType::IpAddress => Self::Inet,
            SqlType::Date => Self::Date,
            SqlType::Time(_) => Self::Time,
            SqlType::Timestamp(_) => Self::Timestamp,
            SqlType::TimestampTz(..) => Self::TimestampTz,
            SqlType::IntervalYearMonth | SqlType::IntervalDaySecond => Self::Interval,
            SqlType::Array(element) => match Self::of(element) {
                // Arrays of arrays must all have one length there, which is not so here.
                Self::Array(_) | Self::Nested(_) => Self::Nested(Box::new(sql_type.clone())),
                element => Self::Array(Box::new(element)),
            },
            SqlType::Map(..) | SqlType::Row(_) => Self::Nested(Box::new(sql_type.clone())),
        }
    }

    /// The number of the type.
    pub(crate) fn oid(&self) -> u32 {
        match self {
            Self::Bool => 16,
            Self::Int2 => 21,
            Self::Int4 => 23,
            Self::Int8 => 20,
            Self::Oid => 26,
            Self::Float4 => 700,
            Self::Float8 => 701,
            Self::Numeric(..) => 1700,
            Self::Text(oid, _) => *oid,
            Self::Bytea => 17,
            Self::Json | Self::Nested(_) => 114,
            Self::Uuid => 2950,
            Self::Inet => 869,
            Self::Date => 1082,
            Self::Time => 1083,
            Self::Timestamp => 1114,
            Self::TimestampTz => 1184,
            Self::Interval => 1186,
            Self::Array(element) => array_of(element.oid()),
        }
    }

    /// How many bytes a value has; -1 where that differs.
    pub(crate) fn size(&self) -> i16 {
        match self {
            Self::Bool => 1,
            Self::Int2 => 2,
            Self::Int4 | Self::Oid | Self::Float4 | Self::Date => 4,
            Self::Int8 | Self::Float8 | Self::Time | Self::Timestamp | Self::TimestampTz => 8,
            Self::Uuid | Self::Interval => 16,
            Self::Text(19, _) => 64,
            Self::Text(18, _) => 1,
            _ => -1,
        }
    }

    /// What else the type says: a length, a precision and scale; -1 for nothing.
    pub(crate) fn modifier(&self) -> i32 {
        match self {
            Self::Numeric(p, s) => ((i32::from(*p) << 16) | i32::from(*s)) + 4,
            Self::Text(_, Some(length)) => {
                i32::try_from(*length).map_or(-1, |length| length.saturating_add(4))
            }
            _ => -1,
        }
    }
}

/// The number of the type of arrays of this one.
fn array_of(oid: u32) -> u32 {
    ARRAYS.iter().find(|(element, _)| *element == oid).map_or(1009, |(_, array)| *array)
}

/// Types, and those of their arrays.
const ARRAYS: [(u32, u32); 23] = [
    (16, 1000),
    (17, 1001),
    (18, 1002),
    (19, 1003),
    (20, 1016),
    (21, 1005),
    (23, 1007),
    (25, 1009),
    (26, 1028),
    (114, 199),
    (700, 1021),
    (701, 1022),
    (869, 1041),
    (1042, 1014),
    (1043, 1015),
    (1082, 1182),
    (1083, 1183),
    (1114, 1115),
    (1184, 1185),
    (1186, 1187),
    (1700, 1231),
    (2950, 2951),
    (3802, 3807),
];

/// The way in which values of the type of that number travel; none for types that are not known here.
pub(crate) fn shape_of_oid(oid: u32) -> Option<Shape> {
    let shape = match oid {
        16 => Shape::Bool,
        17 => Shape::Bytea,
        18 | 19 | 25 | 705 | 1042 | 1043 => Shape::Text(oid, None),
        20 => Shape::Int8,
        21 => Shape::Int2,
        23 => Shape::Int4,
        26 => Shape::Oid,
        114 | 3802 => Shape::Json,
        700 => Shape::Float4,
        701 => Shape::Float8,
        869 => Shape::Inet,
        1082 => Shape::Date,
        1083 => Shape::Time,
        1114 => Shape::Timestamp,
        1184 => Shape::TimestampTz,
        1186 => Shape::Interval,
        1700 => Shape::Numeric(38, 0),
        2950 => Shape::Uuid,
        _ => {
            let (element, _) = ARRAYS.iter().find(|(_, array)| *array == oid)?;
            Shape::Array(Box::new(shape_of_oid(*element)?))
        }
    };
    Some(shape)
}
