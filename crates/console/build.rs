//! Puts the built console (`ui/dist`, see `scripts/ui.sh`) into the crate: each file as it was compressed by the
//! build. Without one the crate still compiles, and the door serves a page that says how to build it.

#![allow(clippy::print_stdout, reason = "cargo reads what a build script prints")]

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() -> std::io::Result<()> {
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(std::io::Error::other)?;
    let dist = Path::new(&root).join("../../ui/dist");
    println!("cargo::rerun-if-changed={}", dist.display());
    let mut files = Vec::new();
    collect(&dist, &mut files)?;
    files.sort();
    let mut code =
        String::from("/// Path, compressed bytes.\npub(crate) static FILES: &[(&str, &[u8])] = &[\n");
    for file in files {
        let path = file.canonicalize()?;
        let name = file.strip_prefix(&dist).map_err(std::io::Error::other)?.to_string_lossy().into_owned();
        let name = name.strip_suffix(".gz").unwrap_or(&name).to_owned();
        writeln!(code, "    ({name:?}, include_bytes!({:?})),", path.display().to_string())
            .map_err(std::io::Error::other)?;
    }
    code.push_str("];\n");
    let out = std::env::var("OUT_DIR").map_err(std::io::Error::other)?;
    std::fs::write(Path::new(&out).join("bundle.rs"), code)
}

/// The files that the build compressed.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> std::io::Result<()> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(()) };
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "gz") {
            files.push(path);
        }
    }
    Ok(())
}
