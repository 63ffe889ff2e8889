//! `glulam config`: what holds, why, and what it means.

use super::Context;
use crate::terminal;
use model::Result;

pub(super) fn template() -> u8 {
    terminal::print(&state::config::template());
    0
}

pub(super) fn run(context: &Context) -> Result<u8> {
    let rows = context.config.rows();
    if context.shared.json {
        terminal::print_json(&rows)?;
        return Ok(0);
    }
    let lines = rows.into_iter().map(|row| {
        let value = if row.value.is_empty() { "-".to_owned() } else { row.value };
        vec![row.key, value, row.origin, row.meaning.to_owned()]
    });
    terminal::print(&terminal::table(&["setting", "value", "from", "meaning"], lines));
    Ok(0)
}
