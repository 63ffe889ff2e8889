//! What is written in Python: the starter of scripts, the checker, and the module that Glue's scripts import.

use model::{Error, Place, Result};
use std::path::{Path, PathBuf};

/// Starts a script within its limits and writes down where it failed.
const RUN: &str = include_str!("run.py");
/// Finds syntax errors and imports that are not there.
const CHECK: &str = include_str!("check.py");
/// `awsglue`, as far as Python-shell scripts use it.
const AWSGLUE: [(&str, &str); 2] = [
    ("awsglue/__init__.py", include_str!("awsglue/__init__.py")),
    ("awsglue/utils.py", include_str!("awsglue/utils.py")),
];
/// What every environment holds, with exact versions.
pub(crate) const REQUIREMENTS: &str = include_str!("requirements.txt");

/// The files in a folder of a run's own.
pub(crate) struct Support {
    /// The starter.
    pub(crate) run: PathBuf,
    /// The checker.
    pub(crate) check: PathBuf,
    /// The folder that scripts import from.
    pub(crate) modules: PathBuf,
}

/// Writes the files into a folder, which must be nobody else's.
pub(crate) fn write(folder: &Path) -> Result<Support> {
    let modules = folder.join("modules");
    let support = Support { run: folder.join("run.py"), check: folder.join("check.py"), modules };
    let put = |path: &Path, text: &str| {
        std::fs::create_dir_all(path.parent().unwrap_or(folder))
            .and_then(|()| std::fs::write(path, text))
            .map_err(|e| Error::unavailable("cannot write").at(Place::object(path.display())).source_is(e))
    };
    put(&support.run, RUN)?;
    put(&support.check, CHECK)?;
    for (name, text) in AWSGLUE {
        put(&support.modules.join(name), text)?;
    }
    Ok(support)
}
