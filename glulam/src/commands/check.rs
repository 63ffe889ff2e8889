//! `glulam check`: mistakes in files, found before anything runs. SQL, scripts, and definitions of jobs.

use super::Context;
use crate::args;
use crate::operations::{CheckJobs, CheckScripts, CheckSql, CheckedText};
use crate::terminal;
use model::{Error, Place, Result};
use python::Checked;
use std::path::{Path, PathBuf};

/// How many files one call takes.
const MAX_FILES: usize = 10_000;

pub(super) async fn run(context: &Context, wanted: &args::Check) -> Result<u8> {
    let mut files = Vec::new();
    for path in &wanted.paths {
        gather(path, true, &mut files)?;
    }
    if files.is_empty() {
        return Err(Error::not_found("there is no file to check")
            .hint("files to check end in .sql or .py, or are definitions of jobs: .yaml, .yml, .json"));
    }
    let texts = files
        .iter()
        .map(|file| {
            let text = std::fs::read_to_string(file).map_err(|e| unreadable(file, e))?;
            Ok(CheckedText { name: file.display().to_string(), text })
        })
        .collect::<Result<Vec<_>>>()?;
    let count = texts.len();
    let (jobs, texts): (Vec<CheckedText>, Vec<CheckedText>) =
        texts.into_iter().partition(|text| may_be_job(Path::new(&text.name)));
    let (scripts, texts): (Vec<CheckedText>, Vec<CheckedText>) =
        texts.into_iter().partition(|text| is_python(Path::new(&text.name)));
    let scripts = scripts.into_iter().map(|script| python_script(script, &wanted.paths)).collect();
    let check = CheckSql { texts, database: wanted.database.clone() };
    let findings = context
        .with_session(async |session| {
            let mut findings = session.perform(check).await?;
            findings.extend(session.perform(CheckScripts { scripts }).await?);
            findings.extend(session.perform(CheckJobs { texts: jobs }).await?);
            Ok(findings)
        })
        .await?;
    if context.shared.json {
        terminal::print_json(&findings)?;
    } else {
        for finding in &findings {
            terminal::print(&format!("{}\n", finding.diagnosis));
        }
        let files = if count == 1 { "file".to_owned() } else { format!("{count} files") };
        let text = match findings.len() {
            0 => format!("no mistakes in {files}"),
            1 => format!("1 mistake in {files}"),
            n => format!("{n} mistakes in {files}"),
        };
        terminal::remark(context.shared.quiet, &text);
    }
    Ok(if findings.is_empty() { 0 } else { crate::exit::WRONG_USE })
}

/// The files of a path: itself if it was named, else those whose ending we know.
fn gather(path: &Path, named: bool, files: &mut Vec<PathBuf>) -> Result<()> {
    let kind = std::fs::metadata(path).map_err(|e| unreadable(path, e))?;
    if kind.is_file() {
        let is_sql = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("sql"));
        if named || is_sql || is_python(path) || (may_be_job(path) && is_job(path)) {
            files.push(path.to_owned());
        }
        if files.len() > MAX_FILES {
            return Err(Error::invalid(format!("there are more than {MAX_FILES} files")));
        }
        return Ok(());
    }
    // Others' packages are not what is meant.
    if path.join("pyvenv.cfg").exists() || path.ends_with("node_modules") {
        return Ok(());
    }
    let mut inside: Vec<PathBuf> = std::fs::read_dir(path)
        .map_err(|e| unreadable(path, e))?
        .filter_map(|entry| entry.ok().map(|e| e.path()))
        .filter(|p| !p.file_name().is_some_and(|n| n.to_string_lossy().starts_with('.')))
        .collect();
    inside.sort();
    // A link back up would never end; links are followed only where they are named.
    for entry in inside.iter().filter(|p| !p.is_symlink()) {
        gather(entry, false, files)?;
    }
    Ok(())
}

fn is_python(path: &Path) -> bool {
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("py"))
}

/// A script with the folders that it may import from: its own, and those that were named.
fn python_script(script: CheckedText, named: &[PathBuf]) -> Checked {
    let own = Path::new(&script.name).parent().map(Path::to_path_buf);
    let folders = own.into_iter().chain(named.iter().filter(|path| path.is_dir()).cloned());
    let folders = folders.filter_map(|folder| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".").to_path_buf() } else { folder };
        std::fs::canonicalize(folder).ok()
    });
    Checked { folders: folders.collect(), name: script.name, text: script.text }
}

/// Whether a file may define a job, going by its name.
fn may_be_job(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_ascii_lowercase());
    ending.is_some_and(|e| e == "yaml" || e == "yml" || e == "json")
}

/// Whether it does: other files of these endings lie everywhere.
fn is_job(path: &Path) -> bool {
    std::fs::read_to_string(path)
        .is_ok_and(|text| text.contains("CodeGenConfigurationNodes") || text.contains("pythonshell"))
}

fn unreadable(path: &Path, error: std::io::Error) -> Error {
    let place = Place::object(path.display());
    match error.kind() {
        std::io::ErrorKind::NotFound => Error::not_found("the file does not exist").at(place),
        std::io::ErrorKind::InvalidData => Error::invalid("the file is not UTF-8 text").at(place),
        _ => Error::unavailable("the file cannot be read").at(place).source_is(error),
    }
}
