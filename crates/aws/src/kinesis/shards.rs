//! Shards: listed, split, merged, scaled.

use super::naming::{StreamRef, stream_arn};
use super::shapes::{Shard, limit};
use super::{Done, Kinesis};
use crate::json::{Answered, Call, Failed, Input, Moment};
use crate::page::{read_token, write_token};
use ::streams::{ShardFilter, ShardId, Stream, StreamMode};
use model::{Error, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Filter {
    #[serde(rename = "Type")]
    kind: String,
    shard_id: Option<String>,
    timestamp: Option<Moment>,
}

impl Filter {
    fn ours(&self) -> Result<ShardFilter> {
        let time = || {
            let missing = || Error::invalid(format!("a shard filter {} needs a Timestamp", self.kind));
            self.timestamp.map(|time| time.0).ok_or_else(missing)
        };
        Ok(match self.kind.as_str() {
            "FROM_TRIM_HORIZON" => ShardFilter::FromTrimHorizon,
            "AT_TRIM_HORIZON" => ShardFilter::AtTrimHorizon,
            "AT_LATEST" => ShardFilter::AtLatest,
            "AT_TIMESTAMP" => ShardFilter::AtTimestamp(time()?),
            "FROM_TIMESTAMP" => ShardFilter::FromTimestamp(time()?),
            "AFTER_SHARD_ID" => {
                let id = self.shard_id.as_deref();
                let missing = || Error::invalid("a shard filter AFTER_SHARD_ID needs a ShardId");
                ShardFilter::AfterShardId(id.ok_or_else(missing)?.parse()?)
            }
            other => return Err(Error::invalid(format!("there is no shard filter `{other}`"))),
        })
    }
}

// Without `flatten`, which would lose what times are.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct List {
    stream_name: Option<String>,
    #[serde(rename = "StreamARN")]
    stream_arn: Option<String>,
    stream_id: Option<String>,
    next_token: Option<String>,
    exclusive_start_shard_id: Option<String>,
    max_results: Option<i64>,
    stream_creation_timestamp: Option<Moment>,
    shard_filter: Option<Filter>,
}

impl List {
    fn stream(&self) -> StreamRef {
        StreamRef {
            stream_name: self.stream_name.clone(),
            stream_arn: self.stream_arn.clone(),
            stream_id: self.stream_id.clone(),
        }
    }
}

/// Where a listing goes on: what its first request said.
#[derive(Debug, Serialize, Deserialize)]
struct Place {
    stream: String,
    after: String,
    filter: Option<(String, Option<String>, Option<i64>)>,
}

impl Place {
    fn read(token: &str) -> Result<Self> {
        let place = read_token(token).and_then(|text| serde_json::from_str(&text).ok());
        place.ok_or_else(|| {
            Error::invalid("NextToken is not one of this server").hint("begin with the first page again")
        })
    }
}

impl Input for List {
    fn resources(&self) -> Vec<String> {
        match self.next_token.as_deref().map(Place::read) {
            Some(Ok(place)) => vec![format!("stream/{}", place.stream)],
            _ => self.stream().resources(),
        }
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    shards: Vec<Shard>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_token: Option<String>,
}

pub(super) async fn list(kinesis: Kinesis, call: Call, input: List) -> Result<Listed> {
    let most = limit("MaxResults", input.max_results, 1000, 10_000)?;
    let (name, filter, after) = match &input.next_token {
        None => (
            input.stream().name(&call)?,
            input.shard_filter.clone(),
            input.exclusive_start_shard_id.as_deref().map(str::parse::<ShardId>).transpose()?,
        ),
        Some(_) if input.stream_name.is_some() || input.stream_arn.is_some() => {
            return Err(Error::invalid("NextToken and StreamName or StreamARN cannot be given together"));
        }
        Some(token) => {
            let place = Place::read(token)?;
            let time = |millis: Option<i64>| millis.and_then(chrono::DateTime::from_timestamp_millis);
            let filter = place.filter.map(|(kind, shard_id, millis)| Filter {
                kind,
                shard_id,
                timestamp: time(millis).map(Moment),
            });
            (place.stream, filter, Some(place.after.parse()?))
        }
    };
    if let Some(wanted) = input.stream_creation_timestamp {
        let stream = kinesis.log.stream(&name).await?;
        if stream.created.timestamp() != wanted.0.timestamp() {
            return Err(Error::not_found(format!("there is no stream `{name}` of that time"))
                .why(format!("the one that is there was made at {}", stream.created)));
        }
    }
    let ours = filter.as_ref().map_or(Ok(ShardFilter::default()), Filter::ours)?;
    let mut shards = kinesis.log.list_shards(&name, ours).await?;
    shards.retain(|shard| after.is_none_or(|after| shard.id > after));
    let has_more = shards.len() > most;
    shards.truncate(most);
    let next_token = match shards.last().filter(|_| has_more) {
        None => None,
        Some(last) => {
            let filter = filter.map(|filter| {
                (filter.kind, filter.shard_id, filter.timestamp.map(|t| t.0.timestamp_millis()))
            });
            let place = Place { stream: name, after: last.id.to_string(), filter };
            let text = serde_json::to_string(&place)
                .map_err(|e| Error::internal("a page's token cannot be written").source_is(e))?;
            Some(write_token(&text))
        }
    };
    Ok(Listed { shards: shards.iter().map(Shard::from).collect(), next_token })
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Split {
    #[serde(flatten)]
    stream: StreamRef,
    shard_to_split: String,
    new_starting_hash_key: String,
}

impl Input for Split {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

/// Shards of on-demand streams are not changed by hand.
fn provisioned(stream: &Stream) -> Answered<()> {
    match stream.settings.mode {
        StreamMode::Provisioned => Ok(()),
        StreamMode::OnDemand => Err(Failed::coded(
            "ValidationException",
            Error::invalid(format!("the stream `{}` is in on-demand mode", stream.name))
                .hint("its shards are changed by hand after UpdateStreamMode to PROVISIONED"),
        )),
    }
}

impl Kinesis {
    /// A stream and one of its shards, which has to be open.
    async fn open_shards(&self, stream: &str, ids: &[&str]) -> Answered<Vec<ShardId>> {
        provisioned(&self.log.stream(stream).await?)?;
        let all = self.log.list_shards(stream, ShardFilter::FromTrimHorizon).await?;
        let mut found = Vec::with_capacity(ids.len());
        for id in ids {
            let id: ShardId = id.parse()?;
            let shard = all.iter().find(|shard| shard.id == id).ok_or_else(|| {
                Error::not_found(format!("there is no shard {id} in the stream `{stream}`"))
            })?;
            if !shard.is_open() {
                return Err(
                    Error::invalid(format!("the shard {id} of the stream `{stream}` is closed")).into()
                );
            }
            found.push(id);
        }
        Ok(found)
    }
}

pub(super) async fn split(kinesis: Kinesis, call: Call, input: Split) -> Answered<Done> {
    let name = input.stream.name(&call)?;
    let key = super::put::hash_key("NewStartingHashKey", &input.new_starting_hash_key)?;
    let ids = kinesis.open_shards(&name, &[&input.shard_to_split]).await?;
    for id in ids {
        kinesis.log.split_shard(&name, id, key).await?;
    }
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Merge {
    #[serde(flatten)]
    stream: StreamRef,
    shard_to_merge: String,
    adjacent_shard_to_merge: String,
}

impl Input for Merge {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

pub(super) async fn merge(kinesis: Kinesis, call: Call, input: Merge) -> Answered<Done> {
    let name = input.stream.name(&call)?;
    let ids = kinesis.open_shards(&name, &[&input.shard_to_merge, &input.adjacent_shard_to_merge]).await?;
    if let [shard, adjacent] = ids[..] {
        kinesis.log.merge_shards(&name, shard, adjacent).await?;
    }
    Ok(Done {})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scale {
    #[serde(flatten)]
    stream: StreamRef,
    target_shard_count: i64,
    scaling_type: String,
}

impl Input for Scale {
    fn resources(&self) -> Vec<String> {
        self.stream.resources()
    }
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Scaled {
    stream_name: String,
    #[serde(rename = "StreamARN")]
    stream_arn: String,
    current_shard_count: usize,
    target_shard_count: i64,
}

pub(super) async fn scale(kinesis: Kinesis, call: Call, input: Scale) -> Answered<Scaled> {
    let stream = kinesis.log.stream(&input.stream.name(&call)?).await?;
    provisioned(&stream)?;
    if input.scaling_type != "UNIFORM_SCALING" {
        return Err(Error::invalid(format!("there is no ScalingType `{}`", input.scaling_type))
            .hint("write UNIFORM_SCALING")
            .into());
    }
    let (now, target) = (stream.open_shards, input.target_shard_count);
    let within = usize::try_from(target).is_ok_and(|target| target <= now * 2 && target * 2 >= now);
    if !within {
        let (least, most) = (now.div_ceil(2), now * 2);
        return Err(Error::invalid(format!(
            "UpdateShardCount cannot scale from {now} open shards to {target}: at once they can become {least} to \
             {most}"
        ))
        .hint("go there in several steps")
        .into());
    }
    let count =
        u32::try_from(target).map_err(|_| Error::invalid(format!("{target} is no number of shards")))?;
    kinesis.log.update_shard_count(&stream.name, count).await?;
    Ok(Scaled {
        stream_arn: stream_arn(&call, &stream),
        stream_name: stream.name,
        current_shard_count: now,
        target_shard_count: target,
    })
}
