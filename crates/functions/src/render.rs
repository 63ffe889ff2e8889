//! The text form of values, as Athena's results show them.
