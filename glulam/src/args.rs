//! The command line's words. Each command's help ends with examples that run as they stand.

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;

const EXIT_CODES: &str = "\
Exit codes:
  0 done   1 failed   2 wrong command or input   3 not found   4 in use, or exists already
  5 a disk, server or network failed   70 a bug of ours   124 timed out   130 stopped

Start here:
  glulam init                                       a data directory and a commented glulam.toml
  glulam crawl ./my-folder --database sales         describe files as tables
  glulam tables                                     what there is
";

/// An open data-lake platform in one binary: crawl, catalog, describe.
#[derive(Debug, Parser)]
#[command(name = "glulam", version, after_help = EXIT_CODES, disable_help_subcommand = true)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) shared: Shared,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command understands.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Shared {
    /// The data directory [default: ./glulam-data, or what GLULAM_DATA or glulam.toml says]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    pub(crate) data: Option<PathBuf>,
    /// The configuration file [default: ./glulam.toml if there is one, or GLULAM_CONFIG]
    #[arg(long, global = true, value_name = "FILE", help_heading = "Everywhere")]
    pub(crate) config: Option<PathBuf>,
    /// Sets one setting for this call; `glulam config` lists them
    #[arg(long = "set", global = true, value_name = "KEY=VALUE", help_heading = "Everywhere")]
    pub(crate) set: Vec<String>,
    /// Answers as JSON, for machines
    #[arg(long, global = true, help_heading = "Everywhere")]
    pub(crate) json: bool,
    /// No progress, no remarks; only the answer
    #[arg(short, long, global = true, help_heading = "Everywhere")]
    pub(crate) quiet: bool,
    /// How much to say about what goes on: error, warn, info, debug, trace
    #[arg(long, global = true, value_name = "LEVEL", help_heading = "Everywhere")]
    pub(crate) log: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the server on a data directory
    #[command(
        after_help = "Examples:\n  glulam up\n  glulam up --data /srv/lake --aws 127.0.0.1:0\n  AWS_ENDPOINT_URL=http://127.0.0.1:4566 aws s3 ls\n\nIt prints one line that begins with `ready` once it serves, and ends on Ctrl-C or SIGTERM."
    )]
    Up(Up),
    /// Make a data directory and a commented glulam.toml
    #[command(after_help = "Examples:\n  glulam init\n  glulam init ~/lake --bucket raw --bucket curated")]
    Init(Init),
    /// Find out what files hold and describe them as tables
    #[command(
        after_help = "Examples:\n  glulam crawl s3://metrics/ --database monitoring\n  glulam crawl ./downloads --database scratch\n  glulam crawl s3://logs/ --database monitoring --exclude '**/_tmp/**' --name logs --save\n  glulam crawl logs                       run the saved crawler again"
    )]
    Crawl(Crawl),
    /// List tables
    #[command(
        after_help = "Examples:\n  glulam tables\n  glulam tables monitoring\n  glulam tables monitoring --match 'order*' --json"
    )]
    Tables(Tables),
    /// Show a table: columns, partition keys, format, location
    #[command(
        after_help = "Examples:\n  glulam describe monitoring.metrics\n  glulam describe monitoring.metrics --versions"
    )]
    Describe(Describe),
    /// List a table's partitions
    #[command(
        after_help = "Examples:\n  glulam partitions lake.events\n  glulam partitions lake.events --where \"year = 2020 AND month IN (6, 7)\""
    )]
    Partitions(Partitions),
    /// List what ran, newest first; or show one run whole
    #[command(
        after_help = "Examples:\n  glulam runs\n  glulam runs --kind crawl --state failed\n  glulam runs 01jq…                       one run, with its outcome\n  glulam runs 01jq… --stop"
    )]
    Runs(RunsArgs),
    /// Show a run's log
    #[command(
        after_help = "Examples:\n  glulam logs 01jq…\n  glulam logs 01jq… --follow\n  glulam logs --last --level warn"
    )]
    Logs(Logs),
    /// Generate test data from a task file
    #[command(
        after_help = "Examples:\n  glulam gen task.json\n  glulam gen task.json --output ./data --seed 7\n  glulam gen task.json --output s3://metrics/     into a bucket, whole or not at all\n  glulam gen stream.json --output -               events to standard output"
    )]
    Gen(Gen),
    /// Run SQL: a statement, a file, or an interactive prompt
    #[command(
        after_help = "Examples:\n  glulam sql \"SELECT 1\"\n  glulam sql --database monitoring \"SELECT count(*) FROM metrics\"\n  glulam sql -f report.sql --format csv > report.csv\n  glulam sql \"SELECT * FROM sales.orders\" --output orders.parquet\n  glulam sql                              a prompt; \\q ends it, \\? helps"
    )]
    Sql(Sql),
    /// Convert files: any format into any other, or through a query
    #[command(
        after_help = "Examples:\n  glulam convert orders.csv orders.parquet\n  glulam convert logs/ 's3://raw/2026/*.json.gz' s3://curated/logs/ --to parquet --partition-by day\n  glulam convert events.avro events.csv.zst --select \"SELECT id, upper(name) AS name FROM input WHERE id > 7\"\n  glulam convert api.json rows.parquet --json-path '$.records[*]'\n\nTypes are told by looking at the files, as a crawler does. Folders named key=value become columns. The output appears\nwhole or not at all."
    )]
    Convert(Convert),
    /// Run ETL jobs: Glue's visual jobs, as JSON or YAML
    #[command(
        after_help = "Examples:\n  glulam job run examples/metrics-windowed/job.yaml --input s3://raw/ --output s3://curated/\n  glulam job create job.yaml\n  glulam job run nightly --job-bookmark-option job-bookmark-enable\n  glulam job preview job.yaml\n  glulam job script job.yaml --language pyspark\n  glulam job bookmark nightly --reset"
    )]
    Job(Job),
    /// Streams, and applications over them in Flink SQL
    #[command(
        after_help = "Examples:\n  glulam stream create metrics --shards 1\n  glulam stream put metrics events.json\n  glulam stream tail metrics --from-start\n  glulam stream explain windows.sql\n  glulam stream run windows.sql           until Ctrl-C; the next run goes on from there\n  glulam stream run windows.sql --until-caught-up\n  glulam stream stop windows --drain\n  glulam stream delivery show metrics     what a delivery stream has delivered, or why it does not"
    )]
    Stream(Stream),
    /// Run a Python script as a Python-shell job, without a definition; or a job
    #[command(
        after_help = "Examples:\n  glulam run convert.py --input_loc s3://raw/ --output_loc s3://curated/\n  glulam run report.py --additional-python-modules faker,scikit-learn\n  glulam --quiet run convert.py           only what the script writes\n  glulam run nightly                      a kept job\n\nThe script finds pandas, pyarrow, awswrangler, boto3 and awsglue.utils; boto3 in it reaches this platform. What follows\nits name is the script's."
    )]
    Run(JobRun),
    /// Set up Python for scripts, ahead of the first one
    #[command(
        after_help = "Examples:\n  glulam python setup\n  glulam python setup --set python.program=/usr/bin/python3.12"
    )]
    Python(Python),
    /// Find mistakes in SQL files, scripts and job definitions before anything runs
    #[command(
        after_help = "Examples:\n  glulam check queries/\n  glulam check convert.py\n  glulam check jobs/nightly.yaml\n  glulam check report.sql --database monitoring\n  glulam check --json ."
    )]
    Check(Check),
    /// Show every setting, where its value came from and what it means
    #[command(
        after_help = "Examples:\n  glulam config\n  GLULAM_LOG_LEVEL=info glulam config --json\n  glulam config --template > glulam.toml"
    )]
    Config(Config),
    /// Print completions for a shell
    #[command(
        after_help = "Examples:\n  glulam completions bash > ~/.local/share/bash-completion/completions/glulam\n  glulam completions zsh > ~/.zfunc/_glulam\n  glulam completions fish > ~/.config/fish/completions/glulam.fish"
    )]
    Completions(Completions),
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Up {
    /// Address of the AWS door (S3, STS, Glue), or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4566")]
    pub(crate) aws: String,
    /// Address of the console, for browsers, or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:4567")]
    pub(crate) console: String,
    /// Address of the PostgreSQL door, for psql, drivers and BI tools, or `off`; port 0 takes a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:5437")]
    pub(crate) pg: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Init {
    /// The folder for glulam.toml and the data directory
    #[arg(default_value = ".")]
    pub(crate) folder: PathBuf,
    /// A bucket to make; may be given several times
    #[arg(long, value_name = "NAME")]
    pub(crate) bucket: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Crawl {
    /// What to crawl: s3://bucket/prefix, a local folder or file, or the name of a saved crawler
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,
    /// The database for the tables; made if it is missing
    #[arg(short, long, value_name = "NAME")]
    pub(crate) database: Option<String>,
    /// Begins every table's name
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(crate) prefix: String,
    /// Leaves out what matches, relative to the target; `*` stays in a folder, `**` does not
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// A file of custom classifiers (JSON, as Glue's CreateClassifier takes them), tried in order before the built-in ones
    #[arg(long, value_name = "FILE")]
    pub(crate) classifiers: Vec<PathBuf>,
    /// What to do with changed schemas
    #[arg(long, value_enum, default_value_t = OnChange::Update)]
    pub(crate) on_change: OnChange,
    /// What to do with tables and partitions whose data is gone
    #[arg(long, value_enum, default_value_t = OnGone::Deprecate)]
    pub(crate) on_gone: OnGone,
    /// What to look at when it was crawled before
    #[arg(long, value_enum, default_value_t = Recrawl::Everything)]
    pub(crate) recrawl: Recrawl,
    /// One table per include path even when schemas differ, as far as they can be united
    #[arg(long)]
    pub(crate) combine: bool,
    /// The folder level at which tables begin; the bucket is level 1
    #[arg(long, value_name = "N")]
    pub(crate) table_level: Option<u32>,
    /// How many files of a folder are looked into
    #[arg(long, value_name = "N")]
    pub(crate) sample: Option<u32>,
    /// The crawler's name
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// Keeps the crawler under its name, to be run again
    #[arg(long, requires = "name")]
    pub(crate) save: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnChange {
    /// Take the new schema over
    Update,
    /// Only add columns that are new
    AddColumns,
    /// Only report
    Log,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum OnGone {
    /// Delete them from the catalog
    Delete,
    /// Mark the table as deprecated
    Deprecate,
    /// Only report
    Log,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum Recrawl {
    /// Everything again
    Everything,
    /// Only folders that were not there before
    NewFolders,
    /// Only what events say has changed
    ByEvent,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Tables {
    /// Only this database
    pub(crate) database: Option<String>,
    /// Only tables whose names match; `*` stands for anything
    #[arg(long = "match", value_name = "PATTERN")]
    pub(crate) pattern: Option<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Describe {
    /// The table, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    pub(crate) table: String,
    /// Also list the versions and what changed in each
    #[arg(long)]
    pub(crate) versions: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Partitions {
    /// The table, as DATABASE.TABLE
    #[arg(value_name = "DATABASE.TABLE")]
    pub(crate) table: String,
    /// A condition on the partition keys
    #[arg(long = "where", value_name = "CONDITION")]
    pub(crate) filter: Option<String>,
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) limit: usize,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct RunsArgs {
    /// One run
    pub(crate) id: Option<String>,
    /// Only this kind: crawl, generate, …
    #[arg(long)]
    pub(crate) kind: Option<String>,
    /// Only runs in this state; may be given several times
    #[arg(long)]
    pub(crate) state: Vec<String>,
    /// How many to list
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) limit: usize,
    /// Stop the run
    #[arg(long, requires = "id")]
    pub(crate) stop: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Logs {
    /// The run
    #[arg(required_unless_present = "last")]
    pub(crate) id: Option<String>,
    /// The newest run
    #[arg(long, conflicts_with = "id")]
    pub(crate) last: bool,
    /// Only lines of this level and worse: debug, info, warn, error
    #[arg(long)]
    pub(crate) level: Option<String>,
    /// Goes on until the run ends
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Gen {
    /// The task file
    #[arg(value_name = "TASK.json")]
    pub(crate) task: PathBuf,
    /// Where to write: a folder, a file, s3://bucket/prefix/, or `-` for standard output (stream tasks) [default: what the task says]
    #[arg(short, long, value_name = "PATH")]
    pub(crate) output: Option<String>,
    /// Makes it repeatable when the task has no randomSeed
    #[arg(long, value_name = "N")]
    pub(crate) seed: Option<u64>,
    /// Lets a realtime timer really wait between events also when they go to a file; to a stream it always does
    #[arg(long)]
    pub(crate) pace: bool,
    /// Lets a realtime timer run that many times as fast
    #[arg(long, value_name = "N", default_value_t = 1.0, conflicts_with = "no_wait")]
    pub(crate) speed: f64,
    /// Sends to a stream as fast as it takes events; their times are those of the task all the same
    #[arg(long, conflicts_with = "pace")]
    pub(crate) no_wait: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Config {
    /// Prints a commented glulam.toml instead
    #[arg(long)]
    pub(crate) template: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_declarations_hold_together_and_every_command_has_examples() {
        let command = Args::command();
        command.clone().debug_assert();
        for sub in command.get_subcommands() {
            let help = sub.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(help.contains("glulam"), "`{}` has no example", sub.get_name());
        }
    }
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Sql {
    /// The statement; several are separated by `;`
    #[arg(value_name = "STATEMENT", conflicts_with = "file")]
    pub(crate) statement: Option<String>,
    /// A file of statements; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// The database in which names are looked up
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) database: String,
    /// How rows are shown
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub(crate) format: Option<RowFormat>,
    /// Writes the rows into a file instead; its ending says the format
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// The value of the next `?`, as an SQL expression; may be given several times
    #[arg(long = "parameter", value_name = "EXPRESSION")]
    pub(crate) parameters: Vec<String>,
    /// Prints the reference of the language and ends
    #[arg(long)]
    pub(crate) reference: bool,
}

/// A form of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum RowFormat {
    /// For people
    Table,
    /// Comma-separated, with a header
    Csv,
    /// One JSON object a line
    Json,
    /// A Parquet file
    Parquet,
    /// An Arrow file
    Arrow,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Check {
    /// Files (.sql, .py, or a job's .yaml, .yml, .json), or folders with such files
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,
    /// The database in which names are looked up
    #[arg(short, long, value_name = "NAME", default_value = "default")]
    pub(crate) database: String,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Stream {
    #[command(subcommand)]
    pub(crate) command: StreamCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StreamCommand {
    /// Make a stream
    Create {
        /// Its name
        name: String,
        /// How many shards; on demand without
        #[arg(long, value_name = "N")]
        shards: Option<u32>,
        /// How long records are kept
        #[arg(long, value_name = "HOURS")]
        retention_hours: Option<u32>,
    },
    /// List streams
    List,
    /// Put lines as records
    Put {
        /// The stream
        stream: String,
        /// The lines; standard input without, or with -
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
        /// The partition key of all of them; each line's own hash without
        #[arg(long)]
        key: Option<String>,
    },
    /// Show records as they come
    Tail {
        /// The stream
        stream: String,
        /// From the oldest record that is kept
        #[arg(long)]
        from_start: bool,
        /// End after so many, or when there are no more
        #[arg(long, value_name = "N")]
        limit: Option<u64>,
    },
    /// Delete a stream with its records
    Delete {
        /// The stream
        name: String,
    },
    /// Delivery streams: from records to objects of the lake
    #[command(subcommand)]
    Delivery(DeliveryCommand),
    /// Run an application: a script's file, or one that is kept
    Run(StreamRun),
    /// Show the dataflow of a script
    Explain {
        /// The script
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List applications
    Apps,
    /// Stop an application; it goes on from there when it is run again
    Stop {
        /// The application
        name: String,
        /// Close all windows first: later events of theirs will be late
        #[arg(long)]
        drain: bool,
    },
    /// Keep the state of a running application under a name, or list what is kept
    Snapshot {
        /// The application
        name: String,
        /// The snapshot's name
        label: Option<String>,
    },
    /// Delete an application with its state; what it has written stays
    Forget {
        /// The application
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum DeliveryCommand {
    /// List delivery streams
    List,
    /// Show one: its settings, what it has delivered, why it does not
    Show {
        /// Its name
        name: String,
    },
    /// Put lines as records
    Put {
        /// The delivery stream
        name: String,
        /// The lines; standard input without, or with -
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct StreamRun {
    /// A script's file, or the name of an application that is kept
    #[arg(value_name = "APP|FILE")]
    pub(crate) app: String,
    /// The application's name; the file's without
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// How many tasks work side by side
    #[arg(long, value_name = "N")]
    pub(crate) tasks: Option<usize>,
    /// Forget what it had, and begin where its tables say
    #[arg(long, conflicts_with = "from_snapshot")]
    pub(crate) from_start: bool,
    /// Begin with this snapshot
    #[arg(long, value_name = "SNAPSHOT")]
    pub(crate) from_snapshot: Option<String>,
    /// End once everything is read; all windows close
    #[arg(long)]
    pub(crate) until_caught_up: bool,
    /// Begin although some of what it had fits nothing in the script any more
    #[arg(long)]
    pub(crate) allow_non_restored_state: bool,
    /// Leave it to the server
    #[arg(long)]
    pub(crate) detach: bool,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Job {
    #[command(subcommand)]
    pub(crate) command: JobCommand,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobCommand {
    /// Run a job: a kept one, or a definition's file
    Run(JobRun),
    /// Show the first rows at every node, and write nothing (--rows N)
    Preview(JobRun),
    /// Keep a job under its name, or change it
    Create {
        /// The definition
        #[arg(value_name = "FILE")]
        file: PathBuf,
    },
    /// List kept jobs
    List,
    /// Show a kept job's definition
    Show {
        /// The job
        name: String,
    },
    /// Delete a kept job and its bookmark
    Delete {
        /// The job
        name: String,
    },
    /// Write the job as a Glue script, or as Athena's SQL
    Script {
        /// A kept job, or a definition's file
        #[arg(value_name = "JOB|FILE")]
        job: String,
        /// pyspark or athena
        #[arg(long, default_value = "pyspark")]
        language: String,
        /// Arguments of the job: --name value
        #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
        arguments: Vec<String>,
    },
    /// Show what a job's bookmark has seen, or set it back
    Bookmark {
        /// The job
        job: String,
        /// Forget everything: the next run reads all files
        #[arg(long, conflicts_with = "rewind")]
        reset: bool,
        /// Forget what was read behind this run
        #[arg(long, value_name = "RUN")]
        rewind: Option<String>,
    },
}

#[derive(Debug, ClapArgs)]
pub(crate) struct JobRun {
    /// A kept job, a definition's file, or a script (.py)
    #[arg(value_name = "JOB|FILE")]
    pub(crate) job: String,
    /// Arguments of the job: --name value. Those of every graph: --job-bookmark-option, --reject-location s3://…,
    /// --max-rejects 100 or 2%
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    pub(crate) arguments: Vec<String>,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Python {
    #[command(subcommand)]
    pub(crate) command: PythonCommand,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum PythonCommand {
    /// Make the environment of scripts, if it is not there
    Setup,
}

#[derive(Debug, ClapArgs)]
pub(crate) struct Convert {
    /// Files, folders or patterns; local, or s3://bucket/prefix
    #[arg(required = true, value_name = "IN")]
    pub(crate) inputs: Vec<String>,
    /// A file, or a folder when its name ends with `/`, when it is partitioned or when its name says no format
    #[arg(required = true, value_name = "OUT")]
    pub(crate) output: String,
    /// The input's format: csv, tsv, json, parquet, orc, avro, text, access-log [default: found out]
    #[arg(long, value_name = "FORMAT", help_heading = "Input")]
    pub(crate) from: Option<String>,
    /// Between the fields of the input's CSV; `\t` is a tab [default: found out]
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub(crate) delimiter: Option<String>,
    /// Around the fields of the input's CSV; `none` says that quotes mean nothing
    #[arg(long, value_name = "CHAR", help_heading = "Input")]
    pub(crate) quote: Option<String>,
    /// The first line of the input's CSV names the columns
    #[arg(long, conflicts_with = "no_header", help_heading = "Input")]
    pub(crate) header: bool,
    /// The first line of the input's CSV is data
    #[arg(long, help_heading = "Input")]
    pub(crate) no_header: bool,
    /// Records go over several lines: quoted fields of CSV, documents of JSON
    #[arg(long, help_heading = "Input")]
    pub(crate) multiline: bool,
    /// The path to the rows in JSON documents, such as '$.records[*]'
    #[arg(long, value_name = "PATH", help_heading = "Input")]
    pub(crate) json_path: Option<String>,
    /// Takes lines apart by a regular expression; its groups are the columns
    #[arg(long, value_name = "REGEX", conflicts_with = "grok", help_heading = "Input")]
    pub(crate) regex: Option<String>,
    /// Takes lines apart by a grok pattern
    #[arg(long, value_name = "PATTERN", help_heading = "Input")]
    pub(crate) grok: Option<String>,
    /// Guesses no types: values of text files stay text
    #[arg(long, help_heading = "Input")]
    pub(crate) as_strings: bool,
    /// Values that do not fit their column's type become NULL instead of an error
    #[arg(long, help_heading = "Input")]
    pub(crate) lenient: bool,
    /// Leaves out what matches, relative to the folder; `*` stays in a folder, `**` does not
    #[arg(long, value_name = "GLOB", help_heading = "Input")]
    pub(crate) exclude: Vec<String>,
    /// Only the folder itself, not the folders in it
    #[arg(long, help_heading = "Input")]
    pub(crate) no_recurse: bool,
    /// A query over the table `input`
    #[arg(long, value_name = "SQL")]
    pub(crate) select: Option<String>,
    /// The output's format: csv, tsv, json, parquet, orc, avro, arrow [default: what OUT ends with]
    #[arg(long, value_name = "FORMAT", help_heading = "Output")]
    pub(crate) to: Option<String>,
    /// The output's compression: none, gzip, zstd, snappy, bzip2, lz4, … as the format has them
    #[arg(long, value_name = "NAME", help_heading = "Output")]
    pub(crate) compression: Option<String>,
    /// These columns name folders, from the outermost
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',', help_heading = "Output")]
    pub(crate) partition_by: Vec<String>,
    /// Begins another file of a folder after about so many bytes: 128MB, 1GB
    #[arg(long, value_name = "SIZE", help_heading = "Output")]
    pub(crate) max_file_size: Option<String>,
    /// Between the fields of the output's CSV
    #[arg(long, value_name = "CHAR", help_heading = "Output")]
    pub(crate) out_delimiter: Option<String>,
    /// Writes CSV without a line of names
    #[arg(long, help_heading = "Output")]
    pub(crate) out_no_header: bool,
    /// Replaces what is there
    #[arg(long, help_heading = "Output")]
    pub(crate) overwrite: bool,
}
