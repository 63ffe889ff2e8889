//! What names mean at a point of a query: the columns in reach, the enclosing queries' behind them.

use datafusion::common::Column;
use datafusion::logical_expr::LogicalPlan;
use sql::SqlType;
use std::rc::Rc;

/// A column that can be named.
#[derive(Debug, Clone)]
pub(crate) struct ScopeColumn {
    /// What may stand before its name: `[catalog, database, table]` or `[alias]`.
    pub(crate) qualifier: Vec<String>,
    /// Its name in lower case, if it has one.
    pub(crate) name: Option<String>,
    /// Its name inside the plan.
    pub(crate) column: Column,
    pub(crate) sql_type: SqlType,
    /// Whether `*` leaves it out.
    pub(crate) hidden: bool,
}

/// A part of a plan with the names of its columns.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    pub(crate) plan: LogicalPlan,
    pub(crate) columns: Vec<ScopeColumn>,
}

impl Relation {
    /// The columns `*` stands for.
    pub(crate) fn visible(&self) -> impl Iterator<Item = &ScopeColumn> {
        self.columns.iter().filter(|c| !c.hidden)
    }
}

/// The columns in reach.
#[derive(Debug, Clone, Default)]
pub(crate) struct Scope {
    pub(crate) columns: Vec<ScopeColumn>,
    /// How many lambdas enclose this point: their parameters stand at the end of `columns` and come first.
    pub(crate) lambda_depth: usize,
    /// The enclosing query's columns, for correlated subqueries.
    pub(crate) outer: Option<Rc<Scope>>,
}

/// A common table expression.
#[derive(Debug)]
pub(crate) struct Cte {
    pub(crate) name: String,
    pub(crate) relation: Relation,
    pub(crate) before: Option<Rc<Cte>>,
}

/// What surrounds a query: CTEs, and the scope of the query it is part of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Env {
    pub(crate) ctes: Option<Rc<Cte>>,
    pub(crate) outer: Option<Rc<Scope>>,
}

impl Env {
    pub(crate) fn with_cte(&self, name: String, relation: Relation) -> Env {
        let cte = Cte { name, relation, before: self.ctes.clone() };
        Env { ctes: Some(Rc::new(cte)), outer: self.outer.clone() }
    }

    pub(crate) fn cte(&self, name: &str) -> Option<&Relation> {
        let mut at = self.ctes.as_deref();
        while let Some(cte) = at {
            if cte.name == name {
                return Some(&cte.relation);
            }
            at = cte.before.as_deref();
        }
        None
    }

    pub(crate) fn inside(&self, scope: Scope) -> Env {
        Env { ctes: self.ctes.clone(), outer: Some(Rc::new(scope)) }
    }
}

/// How a name was found.
pub(crate) enum Lookup<'a> {
    /// One column; so many parts of the name were used, the rest are fields of a row. `levels` scopes further out.
    One {
        column: &'a ScopeColumn,
        used: usize,
        levels: usize,
    },
    /// Several.
    Ambiguous {
        used: usize,
    },
    Nothing,
}

impl Scope {
    pub(crate) fn new(columns: Vec<ScopeColumn>, outer: Option<Rc<Scope>>) -> Scope {
        Scope { columns, lambda_depth: 0, outer }
    }

    /// Finds the column that `parts` name, the innermost query first, the longest qualifier first.
    pub(crate) fn lookup(&self, parts: &[String]) -> Lookup<'_> {
        let mut scope = self;
        let mut levels = 0;
        loop {
            match scope.lookup_here(parts, levels) {
                Lookup::Nothing => {}
                found => return found,
            }
            match &scope.outer {
                Some(outer) => scope = outer,
                None => return Lookup::Nothing,
            }
            levels += 1;
        }
    }

    fn lookup_here(&self, parts: &[String], levels: usize) -> Lookup<'_> {
        // A lambda's parameter hides the columns outside of it, the innermost first.
        if let Some(column) = self
            .columns
            .iter()
            .rev()
            .find(|c| c.is_parameter() && c.name.as_deref() == Some(parts[0].as_str()))
        {
            return Lookup::One { column, used: 1, levels };
        }
        for qualified in (0..parts.len().min(4)).rev() {
            let mut found = self.columns.iter().filter(|c| c.answers_to(&parts[..=qualified]));
            if let Some(column) = found.next() {
                if found.next().is_some() {
                    return Lookup::Ambiguous { used: qualified + 1 };
                }
                return Lookup::One { column, used: qualified + 1, levels };
            }
        }
        Lookup::Nothing
    }

    /// The names in reach, for suggestions.
    pub(crate) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> =
            self.columns.iter().filter(|c| !c.hidden).filter_map(|c| c.name.as_deref()).collect();
        if let Some(outer) = &self.outer {
            names.extend(outer.names());
        }
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl ScopeColumn {
    /// Parameters of lambdas carry their depth in a qualifier that no text can spell.
    pub(crate) fn is_parameter(&self) -> bool {
        self.qualifier.first().is_some_and(|q| q == "->")
    }

    fn answers_to(&self, parts: &[String]) -> bool {
        let Some((name, qualifier)) = parts.split_last() else { return false };
        self.name.as_deref() == Some(name.as_str()) && self.qualifier.ends_with(qualifier)
    }
}
