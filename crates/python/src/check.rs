//! Mistakes of scripts that are known before they run.

use crate::environment::{Environment, Python};
use crate::{process, support};
use model::{Error, Place, Result, SourcePlace};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tokio_util::sync::CancellationToken;

/// What our environment lets scripts import, for when it is not made yet.
const KNOWN: [&str; 12] = [
    "pandas",
    "pyarrow",
    "awswrangler",
    "boto3",
    "botocore",
    "numpy",
    "fsspec",
    "dateutil",
    "jmespath",
    "packaging",
    "s3transfer",
    "urllib3",
];

/// A script to look at.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Checked {
    /// What it is called in mistakes.
    pub name: String,
    /// Its text.
    pub text: String,
    /// The folders from which it may import, beside its environment.
    pub folders: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Found {
    name: String,
    #[serde(default)]
    message: Option<String>,
    #[serde(default)]
    module: Option<String>,
    line: u32,
    column: usize,
    end: usize,
}

impl Python {
    /// Syntax errors, and imports of what is not there. Nothing of the scripts is carried out. `modules` are names that
    /// will be there when the script runs.
    pub async fn check(&self, scripts: &[Checked], modules: &[String], own: &Path) -> Result<Vec<Error>> {
        let support = support::write(own)?;
        let made = self.made().await?;
        let mut known: Vec<&str> = modules.iter().map(String::as_str).collect();
        if made.is_none() {
            known.extend(KNOWN);
        }
        let environment = made.unwrap_or_else(|| Environment { interpreter: self.options.program.clone() });
        let request = own.join("check.json");
        let bytes = serde_json::to_vec(scripts)
            .map_err(|e| Error::internal("scripts to check cannot be written").source_is(e))?;
        std::fs::write(&request, bytes).map_err(|e| {
            Error::unavailable("cannot write").at(Place::object(request.display())).source_is(e)
        })?;
        let mut command = process::command(&environment.interpreter);
        command.arg(&support.check).arg(&request).args(known).env("PYTHONPATH", &support.modules);
        let (status, output, complaint) = process::output(command, &CancellationToken::new()).await?;
        let found: Vec<Found> = match serde_json::from_str(&output) {
            Ok(found) if status.success() => found,
            _ => return Err(Error::internal("scripts cannot be checked").why(complaint.join("\n"))),
        };
        Ok(found.into_iter().map(|found| mistake(found, scripts)).collect())
    }
}

fn mistake(found: Found, scripts: &[Checked]) -> Error {
    let text =
        scripts.iter().find(|script| script.name == found.name).map_or("", |script| script.text.as_str());
    let error = match &found.module {
        Some(module) if module.starts_with("awsglue") => {
            Error::unsupported(format!("`{module}` is not there for Python-shell scripts"))
                .hint("of awsglue they have awsglue.utils")
        }
        Some(module) => Error::not_found(format!("the module `{module}` is not there")).hint(format!(
            "give the job --additional-python-modules {}, by the name that PyPI has for it",
            module.split('.').next().unwrap_or(module)
        )),
        None => {
            Error::invalid(format!("SyntaxError: {}", found.message.as_deref().unwrap_or("invalid syntax")))
        }
    };
    error.at(place(&found, text))
}

/// Columns that Python gives here count characters.
fn place(found: &Found, text: &str) -> SourcePlace {
    let index = usize::try_from(found.line.saturating_sub(1)).unwrap_or(usize::MAX);
    let line = text.lines().nth(index).unwrap_or_default();
    let whole = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    SourcePlace {
        file: found.name.clone(),
        line: found.line,
        column: whole(found.column + 1),
        length: whole(found.end.saturating_sub(found.column).max(1)),
        excerpt: line.to_owned(),
    }
}
