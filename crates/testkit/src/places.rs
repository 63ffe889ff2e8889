//! Where things are: the checkout, the binary built from it, the Python environment that `make setup` lays.

use std::path::{Path, PathBuf};

/// The root of the checkout these tests were built from.
pub fn project_root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).expect("the testkit lies two folders below the root").to_path_buf()
}

/// The `glulam` binary that was built together with the running test.
///
/// Test binaries lie in `<target>/<profile>/deps`, the binary one folder above. Building one crate's tests alone does
/// not build it: `cargo nextest run --workspace` does, as does `cargo build -p glulam`.
#[track_caller]
pub fn glulam() -> PathBuf {
    if let Some(path) = std::env::var_os("NEXTEST_BIN_EXE_glulam") {
        return path.into();
    }
    let test = std::env::current_exe().expect("a test knows its own path");
    let path = test.ancestors().nth(2).expect("tests lie two folders deep").join("glulam");
    assert!(
        path.is_file(),
        "the binary {} is not built; run `cargo build -p glulam` (or `make test`)",
        path.display()
    );
    path
}

/// The project's Python environment.
#[track_caller]
pub fn venv() -> PathBuf {
    let path = project_root().join(".venv");
    assert!(
        path.join("bin/python").exists(),
        "the Python environment {} is missing; run `make setup`",
        path.display()
    );
    path
}

/// The folder with the Python environment's packages, sample data among them.
#[track_caller]
pub fn site_packages() -> PathBuf {
    let lib = venv().join("lib");
    let found = std::fs::read_dir(&lib).ok().and_then(|mut entries| {
        entries.find_map(|e| Some(e.ok()?.path().join("site-packages")).filter(|p| p.is_dir()))
    });
    found.unwrap_or_else(|| panic!("no site-packages below {}; run `make setup`", lib.display()))
}

/// A program of the Python environment, or a panic that says how to install it.
#[track_caller]
pub(crate) fn venv_program(name: &str) -> PathBuf {
    let path = venv().join("bin").join(name);
    assert!(path.is_file(), "the program {} is missing; run `make setup`", path.display());
    path
}
