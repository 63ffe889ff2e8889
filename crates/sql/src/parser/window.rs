//! Windows: `OVER (…)`, named windows, frames; and the sort items that they share with ORDER BY.

use super::Parser;
use model::Result;
use sqlparser::ast::{
    NamedWindowDefinition, NamedWindowExpr, OrderByExpr, OrderByOptions, WindowFrame, WindowFrameBound,
    WindowFrameUnits, WindowSpec, WindowType,
};

impl Parser<'_> {
    /// What stands behind OVER.
    pub(super) fn over(&mut self) -> Result<WindowType> {
        if self.peek_symbol("(") {
            return Ok(WindowType::WindowSpec(self.window_specification()?));
        }
        Ok(WindowType::NamedWindow(self.identifier("a window's name or `(`")?))
    }

    /// `WINDOW name AS (…), …`
    pub(super) fn named_window(&mut self) -> Result<NamedWindowDefinition> {
        let name = self.identifier("a window's name")?;
        self.expect("AS")?;
        Ok(NamedWindowDefinition(name, NamedWindowExpr::WindowSpec(self.window_specification()?)))
    }

    fn window_specification(&mut self) -> Result<WindowSpec> {
        self.need("(")?;
        let begins = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"];
        let named = self.is_name_at(0)
            && (self.is_symbol_at(1, ")") || begins.iter().any(|word| self.is_word_at(1, word)))
            && !(self.is_word_at(0, "PARTITION") && self.is_word_at(1, "BY"));
        let window_name = if named { Some(self.identifier("a window's name")?) } else { None };
        let partition_by =
            if self.accept_all(&["PARTITION", "BY"]) { self.list(Self::expression)? } else { Vec::new() };
        let order_by =
            if self.accept_all(&["ORDER", "BY"]) { self.list(Self::sort_item)? } else { Vec::new() };
        let window_frame = self.frame()?;
        let token = self.token(0);
        for word in ["MEASURES", "PATTERN", "EXCLUDE", "AFTER"] {
            if self.is_word_at(0, word) {
                return self.refuse(
                    &token,
                    format!("`{word}` in a window is not supported"),
                    "use plain window functions",
                );
            }
        }
        self.need(")")?;
        Ok(WindowSpec { window_name, partition_by, order_by, window_frame })
    }

    fn frame(&mut self) -> Result<Option<WindowFrame>> {
        let units = match () {
            () if self.accept("ROWS") => WindowFrameUnits::Rows,
            () if self.accept("RANGE") => WindowFrameUnits::Range,
            () if self.accept("GROUPS") => WindowFrameUnits::Groups,
            () => return Ok(None),
        };
        if !self.accept("BETWEEN") {
            return Ok(Some(WindowFrame { units, start_bound: self.frame_bound()?, end_bound: None }));
        }
        let start_bound = self.frame_bound()?;
        self.expect("AND")?;
        let end_bound = Some(self.frame_bound()?);
        Ok(Some(WindowFrame { units, start_bound, end_bound }))
    }

    fn frame_bound(&mut self) -> Result<WindowFrameBound> {
        if self.accept_all(&["CURRENT", "ROW"]) {
            return Ok(WindowFrameBound::CurrentRow);
        }
        let unbounded = self.accept("UNBOUNDED");
        // Not a whole expression, or the AND of BETWEEN would be taken for its operator.
        let distance = if unbounded { None } else { Some(Box::new(self.nested(Self::value_expression)?)) };
        Ok(match self.one_of(&["PRECEDING", "FOLLOWING"])? {
            "PRECEDING" => WindowFrameBound::Preceding(distance),
            _ => WindowFrameBound::Following(distance),
        })
    }

    /// `expression [ASC|DESC] [NULLS FIRST|LAST]`
    pub(super) fn sort_item(&mut self) -> Result<OrderByExpr> {
        let expr = self.expression()?;
        let asc = match () {
            () if self.accept("ASC") => Some(true),
            () if self.accept("DESC") => Some(false),
            () => None,
        };
        let nulls_first = match () {
            () if self.accept_all(&["NULLS", "FIRST"]) => Some(true),
            () if self.accept_all(&["NULLS", "LAST"]) => Some(false),
            () => None,
        };
        Ok(OrderByExpr { expr, options: OrderByOptions { asc, nulls_first }, with_fill: None })
    }
}
