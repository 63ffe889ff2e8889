//! `glulam init`: a commented configuration file, the data directory, buckets.

use super::Context;
use crate::args::Init;
use crate::platform::Platform;
use crate::terminal;
use model::{BucketName, Error, Place, Result};
use serde_json::json;
use state::config::Sources;
use state::{Config, DataDir};
use std::io::Write;
use std::path::Path;

pub(super) async fn run(context: &Context, init: &Init) -> Result<u8> {
    let buckets = init.bucket.iter().map(BucketName::new).collect::<Result<Vec<_>>>()?;
    let folder = &init.folder;
    std::fs::create_dir_all(folder).map_err(|e| cannot("make", folder, e))?;
    let file = folder.join("glulam.toml");
    let made_file = write_new(&file)?;
    // A folder of its own has its data beside its file, unless somebody said where the data is.
    let config = if context.shared.data.is_some() || folder == Path::new(".") {
        context.config.clone()
    } else {
        let data = ("data".to_owned(), folder.join("glulam-data").display().to_string(), "init".to_owned());
        Config::load(&Sources { file: None, environment: Vec::new(), flags: vec![data] })?
    };
    let platform = Platform::open(&config, DataDir::open(config.data())?).await?;
    let mut made = Vec::new();
    for bucket in &buckets {
        if !platform.lake.bucket_exists(bucket).await? {
            platform.lake.create_bucket(bucket).await?;
            made.push(bucket.to_string());
        }
    }
    let data = platform.data().root().to_path_buf();
    platform.close().await;
    if context.shared.json {
        terminal::print_json(
            &json!({ "data": data, "config": file, "config_made": made_file, "buckets_made": made }),
        )?;
        return Ok(0);
    }
    let mut lines = vec![format!("data directory  {}", data.display())];
    lines.push(format!(
        "configuration   {}{}",
        file.display(),
        if made_file { "" } else { " (was there, left as it is)" }
    ));
    if !buckets.is_empty() {
        lines.push(format!(
            "buckets         {}",
            buckets.iter().map(BucketName::as_str).collect::<Vec<_>>().join(", ")
        ));
    }
    lines.push(format!(
        "Put files into {}/buckets/<bucket>/ and run `glulam crawl s3://<bucket>/ --database <name>`.",
        data.display()
    ));
    terminal::print(&lines.join("\n"));
    Ok(0)
}

fn write_new(path: &Path) -> Result<bool> {
    match std::fs::OpenOptions::new().write(true).create_new(true).open(path) {
        Ok(mut file) => {
            file.write_all(state::config::template().as_bytes()).map_err(|e| cannot("write", path, e))?;
            Ok(true)
        }
        Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(cannot("write", path, e)),
    }
}

fn cannot(verb: &str, path: &Path, error: std::io::Error) -> Error {
    Error::unavailable(format!("cannot {verb} it")).at(Place::object(path.display())).source_is(error)
}
