//! What each operation needs to be allowed to whoever has logged in to the console, in the actions of AWS where there is
//! one. An operation that is not here is refused to them; this machine's user may do all.

use super::{
    BookmarkMove, CheckJobs, CheckScripts, CheckSql, CheckedText, CompletionNames, CreateStream,
    DeleteApplication, DeleteJob, DeleteSnapshot, DeleteStream, Describe, DescribeStream, ExplainApplication,
    FollowRun, ListApplications, ListDeliveries, ListJobs, ListPartitions, ListRuns, ListStreams, ListTables,
    MoveBookmark, Operation, PutDelivery, PutEvents, PutRecords, ReadLog, ReadShard, ReadStream,
    SaveApplication, SaveCrawler, SaveJob, SetUpPython, ShowApplication, ShowDelivery, ShowJob,
    SnapshotApplication, StartApplication, StartConvert, StartCrawl, StartGenerate, StartJob,
    StartJobPreview, StartQuery, StartSavedCrawl, StartScript, StopApplication, StopRun, WatchApplications,
    WriteJobScript,
};
use crate::platform::{Platform, table_name};
use apps::Touched;
use console::{Caller, may_change_anything, may_query};
use crawl::Target;
use engine::FilePath;
use jobs::JobRequest;
use model::{Error, ErrorKind, Result};
use serde::de::DeserializeOwned;
use streams::ShardIterator;

/// Refuses an operation that the caller may not have done, before it is begun.
pub(crate) async fn check(name: &str, body: &[u8], caller: &Caller, platform: &Platform) -> Result<()> {
    if caller.is_owner() {
        return Ok(());
    }
    match name {
        StartQuery::NAME => {
            let query: StartQuery = read(body)?;
            may_query(caller, &platform.engine, &query.text, &query.database).await
        }
        CheckSql::NAME => {
            let check: CheckSql = read(body)?;
            for text in &check.texts {
                match apps::is_script(&text.text) {
                    // What a check tells of schemas is not worked out for scripts.
                    true => caller.may_on("glue", "GetTable", "*")?,
                    false => {
                        may_query(caller, &platform.engine, &text.text, &check.database).await?;
                    }
                }
            }
            Ok(())
        }
        other => {
            plain(other, body, &Asking(caller))?;
            looked_up(other, body, &Asking(caller), platform).await
        }
    }
}

/// What only a look at the platform tells: what addresses mean, what is kept under a name.
async fn looked_up(name: &str, body: &[u8], asking: &Asking<'_>, platform: &Platform) -> Result<()> {
    let caller = asking.0;
    match name {
        StartConvert::NAME => {
            for path in read::<StartConvert>(body)?.request.input.paths {
                if let FilePath::Lake(uri) = path {
                    caller.may_read(&platform.lake, &uri).await?;
                }
            }
        }
        StartCrawl::NAME | SaveCrawler::NAME => {
            let targets = match name {
                StartCrawl::NAME => read::<StartCrawl>(body)?.spec.targets,
                _ => read::<SaveCrawler>(body)?.crawler.targets,
            };
            for target in targets {
                if let Target::S3 { path, .. } = target {
                    caller.may_read(&platform.lake, &path).await?;
                }
            }
        }
        StartGenerate::NAME => {
            caller.may_make_bucket(&platform.lake, read::<StartGenerate>(body)?.output.bucket()).await?;
        }
        SaveJob::NAME | StartJob::NAME | StartJobPreview::NAME | CheckJobs::NAME => {
            let given = |text: CheckedText| JobRequest {
                name: None,
                definition: Some((text.text, text.name)),
                arguments: Default::default(),
            };
            let requests = match name {
                SaveJob::NAME => vec![given(read::<SaveJob>(body)?.definition)],
                CheckJobs::NAME => read::<CheckJobs>(body)?.texts.into_iter().map(given).collect(),
                StartJob::NAME => vec![read::<StartJob>(body)?.request],
                _ => vec![read::<StartJobPreview>(body)?.request],
            };
            for request in &requests {
                if platform.jobs.is_script(request).await? {
                    caller.must_be_owner("a job that is a script")?;
                }
            }
        }
        StartApplication::NAME => {
            let request: StartApplication = read(body)?;
            if request.script.is_none() {
                let kept = platform.apps.get(&request.name).await?;
                for touched in platform.apps.touches(&kept.script, &kept.source_name).await? {
                    asking.touched(&touched)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The caller, with the services' words.
struct Asking<'a>(&'a Caller);

impl Asking<'_> {
    fn glue(&self, action: &str, rest: &str) -> Result<()> {
        self.0.may_on("glue", action, rest)
    }

    fn stream(&self, action: &str, stream: &str) -> Result<()> {
        self.0.may_on("kinesis", action, &format!("stream/{stream}"))
    }

    fn application(&self, action: &str, name: &str) -> Result<()> {
        self.0.may_on("kinesisanalytics", action, &format!("application/{name}"))
    }

    fn delivery(&self, action: &str, name: &str) -> Result<()> {
        self.0.may_on("firehose", action, &format!("deliverystream/{name}"))
    }

    fn runs(&self, action: &str) -> Result<()> {
        self.0.may(&format!("glulam:{action}"), "*")
    }

    /// The files that are read or written; those of this machine's disk are for its user alone.
    fn file(&self, action: &str, path: &FilePath) -> Result<()> {
        match path {
            FilePath::Lake(uri) => self.0.may_object(action, uri),
            FilePath::Disk(path) => self.0.must_be_owner(&format!("the path {}", path.display())),
        }
    }

    fn target(&self, target: &Target) -> Result<()> {
        match target {
            Target::S3 { path, .. } => self.0.may_object("GetObject", path),
            _ => self.0.must_be_owner("a crawl that is not of the lake"),
        }
    }

    /// An application works for whoever starts it.
    fn touched(&self, touched: &Touched) -> Result<()> {
        match touched {
            Touched::ReadsStream(stream) => self.stream("GetRecords", stream),
            Touched::WritesStream(stream) => self.stream("PutRecords", stream),
            Touched::WritesFiles(folder) => self.0.may_object("PutObject", &folder.as_folder()),
            Touched::WritesTable { database, table, location } => {
                self.glue("GetTable", &format!("table/{database}/{table}"))?;
                self.0.may_object("PutObject", &location.as_folder())
            }
        }
    }

    /// A crawl makes, changes and may delete the tables of its database.
    fn crawled(&self, database: &str) -> Result<()> {
        ["CreateTable", "UpdateTable", "DeleteTable"]
            .iter()
            .try_for_each(|action| self.glue(action, &format!("table/{database}/*")))
    }

    /// What a definition that comes along touches is not worked out: who sends one may read and write all.
    fn anything(&self) -> Result<()> {
        self.glue("GetTable", "*")?;
        self.0.may("s3:GetObject", "arn:aws:s3:::*")?;
        may_change_anything(self.0)
    }

    fn job(&self, action: &str, request: &JobRequest) -> Result<()> {
        self.glue(action, &format!("job/{}", request.name.as_deref().unwrap_or("*")))?;
        if request.definition.is_some() { self.anything() } else { Ok(()) }
    }

    fn script(&self, script: Option<&CheckedText>) -> Result<()> {
        if script.is_none() {
            return Ok(());
        }
        self.stream("GetRecords", "*")?;
        self.stream("PutRecords", "*")?;
        self.anything()
    }
}

/// Operations whose request says what they touch.
fn plain(name: &str, body: &[u8], asking: &Asking<'_>) -> Result<()> {
    match name {
        ListTables::NAME => {
            let list: ListTables = read(body)?;
            let database = list.database.as_ref().map_or("*", |name| name.as_str());
            asking.glue("GetTables", &format!("database/{database}"))
        }
        Describe::NAME => {
            let (database, table) = table_name(&read::<Describe>(body)?.table)?;
            asking.glue("GetTable", &format!("table/{database}/{table}"))
        }
        ListPartitions::NAME => {
            let (database, table) = table_name(&read::<ListPartitions>(body)?.table)?;
            asking.glue("GetPartitions", &format!("table/{database}/{table}"))
        }
        CompletionNames::NAME => asking.glue("GetTables", "database/*"),
        StartCrawl::NAME => {
            let spec = read::<StartCrawl>(body)?.spec;
            spec.targets.iter().try_for_each(|target| asking.target(target))?;
            asking.glue("StartCrawler", "crawler/*")?;
            asking.crawled(spec.database.as_str())
        }
        SaveCrawler::NAME => {
            let crawler = read::<SaveCrawler>(body)?.crawler;
            crawler.targets.iter().try_for_each(|target| asking.target(target))?;
            asking.glue("CreateCrawler", &format!("crawler/{}", crawler.name))?;
            asking.glue("UpdateCrawler", &format!("crawler/{}", crawler.name))?;
            asking.crawled(crawler.database.as_str())?;
            // It goes on with the rights of the platform.
            asking.0.may("iam:PassRole", "*")
        }
        StartSavedCrawl::NAME => {
            asking.glue("StartCrawler", &format!("crawler/{}", read::<StartSavedCrawl>(body)?.name))
        }
        StartGenerate::NAME => {
            asking.0.may_object("PutObject", &read::<StartGenerate>(body)?.output.as_folder())
        }
        StartConvert::NAME => {
            let request = read::<StartConvert>(body)?.request;
            request.input.paths.iter().try_for_each(|path| asking.file("GetObject", path))?;
            asking.file("PutObject", &request.output.at)
        }
        StartScript::NAME | SetUpPython::NAME | CheckScripts::NAME => {
            asking.0.must_be_owner("a script of this machine")
        }
        _ if name.ends_with("-job") || name.ends_with("-jobs") || JOBS.contains(&name) => {
            jobs(name, body, asking)
        }
        FollowRun::NAME | ReadLog::NAME => asking.runs("GetRun"),
        ListRuns::NAME => asking.runs("ListRuns"),
        StopRun::NAME => asking.runs("StopRun"),
        _ => streams_and_applications(name, body, asking),
    }
}

/// Operations on jobs whose names do not end so.
const JOBS: [&str; 3] = [StartJobPreview::NAME, WriteJobScript::NAME, MoveBookmark::NAME];

fn jobs(name: &str, body: &[u8], asking: &Asking<'_>) -> Result<()> {
    match name {
        // The name stands in the definition.
        SaveJob::NAME => {
            asking.glue("CreateJob", "job/*")?;
            asking.glue("UpdateJob", "job/*")?;
            asking.anything()
        }
        StartJob::NAME => asking.job("StartJobRun", &read::<StartJob>(body)?.request),
        StartJobPreview::NAME => {
            asking.job("StartJobRun", &read::<StartJobPreview>(body)?.request)?;
            asking.anything()
        }
        WriteJobScript::NAME => asking.job("GetJob", &read::<WriteJobScript>(body)?.request),
        ListJobs::NAME => asking.glue("GetJobs", "*"),
        CheckJobs::NAME => {
            asking.glue("GetTable", "*")?;
            asking.0.may("s3:GetObject", "arn:aws:s3:::*")
        }
        ShowJob::NAME => asking.glue("GetJob", &format!("job/{}", read::<ShowJob>(body)?.name)),
        DeleteJob::NAME => asking.glue("DeleteJob", &format!("job/{}", read::<DeleteJob>(body)?.name)),
        MoveBookmark::NAME => {
            let request: MoveBookmark = read(body)?;
            let action = match request.to {
                BookmarkMove::Stay => "GetJobBookmark",
                _ => "ResetJobBookmark",
            };
            asking.glue(action, &format!("job/{}", request.job))
        }
        _ => Err(unlisted(name)),
    }
}

fn streams_and_applications(name: &str, body: &[u8], asking: &Asking<'_>) -> Result<()> {
    match name {
        CreateStream::NAME => asking.stream("CreateStream", &read::<CreateStream>(body)?.name),
        ListStreams::NAME => asking.0.may("kinesis:ListStreams", "*"),
        DeleteStream::NAME => asking.stream("DeleteStream", &read::<DeleteStream>(body)?.name),
        DescribeStream::NAME => asking.stream("DescribeStream", &read::<DescribeStream>(body)?.name),
        PutRecords::NAME => asking.stream("PutRecords", &read::<PutRecords>(body)?.stream),
        PutEvents::NAME => asking.stream("PutRecords", &read::<PutEvents>(body)?.stream),
        ListDeliveries::NAME => asking.0.may("firehose:ListDeliveryStreams", "*"),
        ShowDelivery::NAME => asking.delivery("DescribeDeliveryStream", &read::<ShowDelivery>(body)?.name),
        PutDelivery::NAME => asking.delivery("PutRecordBatch", &read::<PutDelivery>(body)?.name),
        ReadShard::NAME => asking.stream("GetRecords", &read::<ReadShard>(body)?.stream),
        ReadStream::NAME => {
            let request: ReadStream = read(body)?;
            asking.stream("GetRecords", &request.stream)?;
            // Where it reads on counts, not what it is called.
            for place in request.places.iter().flatten() {
                asking.stream("GetRecords", &place.parse::<ShardIterator>()?.stream)?;
            }
            Ok(())
        }
        ListApplications::NAME | WatchApplications::NAME => {
            asking.0.may("kinesisanalytics:ListApplications", "*")?;
            asking.application("DescribeApplication", "*")
        }
        ShowApplication::NAME => {
            asking.application("DescribeApplication", &read::<ShowApplication>(body)?.name)
        }
        StartApplication::NAME => {
            let request: StartApplication = read(body)?;
            asking.application("StartApplication", &request.name)?;
            if request.script.is_some() {
                asking.application("CreateApplication", &request.name)?;
                asking.application("UpdateApplication", &request.name)?;
            }
            asking.script(request.script.as_ref())
        }
        SaveApplication::NAME => {
            let request: SaveApplication = read(body)?;
            asking.application("CreateApplication", &request.name)?;
            asking.application("UpdateApplication", &request.name)?;
            asking.script(Some(&request.script))
        }
        StopApplication::NAME => asking.application("StopApplication", &read::<StopApplication>(body)?.name),
        DeleteApplication::NAME => {
            asking.application("DeleteApplication", &read::<DeleteApplication>(body)?.name)
        }
        SnapshotApplication::NAME => {
            let request: SnapshotApplication = read(body)?;
            let action = match request.label {
                Some(_) => "CreateApplicationSnapshot",
                None => "ListApplicationSnapshots",
            };
            asking.application(action, &request.name)
        }
        DeleteSnapshot::NAME => {
            asking.application("DeleteApplicationSnapshot", &read::<DeleteSnapshot>(body)?.name)
        }
        ExplainApplication::NAME => asking.glue("GetTable", "*"),
        _ => Err(unlisted(name)),
    }
}

fn unlisted(name: &str) -> Error {
    Error::new(ErrorKind::Denied, format!("the operation `{name}` is not for those who log in"))
        .hint("use the command line on the server's machine")
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|e| Error::invalid("the request cannot be read").source_is(e))
}

#[cfg(test)]
mod tests;
