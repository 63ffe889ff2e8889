//! What a script needs on this machine's disk: itself, files beside it, wheels.

use super::{Extras, Source};
use lake::Lake;
use model::{Error, LakeUri, Place, Result};
use python::{Module, Script};
use std::path::{Path, PathBuf};

/// The largest script, module file or wheel that is fetched.
const MAX_FILE: u64 = 512 << 20;

/// A script on disk, and what has to be installed for it.
pub(super) struct Fetched {
    pub(super) script: Script,
    pub(super) modules: Vec<Module>,
}

/// Fetches everything into a folder of the run's own.
pub(super) async fn fetch(lake: &Lake, source: &Source, extras: &Extras, own: &Path) -> Result<Fetched> {
    let mut script = match source {
        Source::Local { file, name, folder } => Script {
            file: file.clone(),
            name: Some(name.clone()),
            folder: folder.clone(),
            ..Script::default()
        },
        Source::Lake(uri) => {
            let folder = made(own.join("work"))?;
            let file = take(lake, uri, &own.join("script"), "script.py").await?;
            Script { file, name: Some(uri.to_string()), folder, ..Script::default() }
        }
    };
    let mut modules = Vec::new();
    // Files of one name may come from many folders: each gets a folder of its own.
    for (at, word) in extras.modules.iter().enumerate() {
        modules.push(match word.ends_with(".whl") {
            true => Module::Wheel(file_of(lake, word, &own.join(format!("modules/{at}"))).await?),
            false => Module::Named(word.clone()),
        });
    }
    for (at, word) in extras.files.iter().enumerate() {
        let file = file_of(lake, word, &own.join(format!("files/{at}"))).await?;
        match file.extension().and_then(|ending| ending.to_str()) {
            Some("whl") => modules.push(Module::WheelAlone(file)),
            Some("zip" | "egg") => script.modules.push(file),
            Some("py") => {
                let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
                if !script.modules.contains(&folder) {
                    script.modules.push(folder);
                }
            }
            _ => {
                return Err(Error::unsupported("--extra-py-files takes .py, .zip, .egg and .whl")
                    .at(Place::object(word)));
            }
        }
    }
    Ok(Fetched { script, modules })
}

/// A file of the lake, fetched; or one of this machine.
async fn file_of(lake: &Lake, word: &str, folder: &Path) -> Result<PathBuf> {
    if word.contains("://") {
        let uri: LakeUri = word.parse()?;
        return take(lake, &uri, folder, "module.py").await;
    }
    let path = PathBuf::from(word);
    match path.is_absolute() && path.is_file() {
        true => Ok(path),
        false => Err(Error::not_found("there is no such file")
            .at(Place::object(word))
            .hint("write s3://bucket/key, or the whole path of a file on this machine")),
    }
}

async fn take(lake: &Lake, uri: &LakeUri, folder: &Path, unnamed: &str) -> Result<PathBuf> {
    let size = lake.head(uri).await?.size;
    if size > MAX_FILE {
        return Err(Error::invalid(format!(
            "it has {size} bytes, more than the {MAX_FILE} that are fetched"
        ))
        .at(Place::object(uri)));
    }
    let bytes = lake.read(uri).await?;
    let name =
        uri.key().rsplit('/').next().filter(|name| !matches!(*name, "" | "." | "..")).unwrap_or(unnamed);
    let path = made(folder.to_path_buf())?.join(name);
    std::fs::write(&path, &bytes)
        .map_err(|e| Error::unavailable("cannot write").at(Place::object(path.display())).source_is(e))?;
    Ok(path)
}

fn made(folder: PathBuf) -> Result<PathBuf> {
    match std::fs::create_dir_all(&folder) {
        Ok(()) => Ok(folder),
        Err(e) => {
            Err(Error::unavailable("cannot make a folder").at(Place::object(folder.display())).source_is(e))
        }
    }
}
