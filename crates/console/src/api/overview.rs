//! What the first page shows and no operation answers: how much is stored.

use crate::answer::Answer;
use crate::caller::Caller;
use crate::door::House;
use axum::extract::State;
use axum::{Extension, Json};
use futures::StreamExt;
use model::LakeUri;
use serde::Serialize;
use std::sync::Arc;

/// So many objects of a bucket are counted; then it is said that there are more.
const COUNTED: u64 = 20_000;

#[derive(Serialize)]
pub(super) struct Overview {
    buckets: Vec<Bucket>,
}

#[derive(Serialize)]
struct Bucket {
    name: String,
    objects: u64,
    bytes: u64,
    /// There are more than were counted.
    more: bool,
}

pub(super) async fn show(
    State(house): State<Arc<House>>,
    Extension(caller): Extension<Caller>,
) -> Answer<Json<Overview>> {
    caller.may("s3:ListAllMyBuckets", "*")?;
    let lake = &house.rooms.lake;
    let mut buckets = Vec::new();
    for info in lake.list_buckets().await? {
        // What a key may not list is left out.
        if caller.may_bucket("ListBucket", info.name.as_str()).is_err() {
            continue;
        }
        let root = LakeUri::new(info.name.clone(), "")?;
        let mut bucket = Bucket { name: info.name.to_string(), objects: 0, bytes: 0, more: false };
        let mut objects = lake.list(&root);
        while let Some(object) = objects.next().await {
            if bucket.objects == COUNTED {
                bucket.more = true;
                break;
            }
            bucket.objects += 1;
            bucket.bytes += object?.size;
        }
        buckets.push(bucket);
    }
    Ok(Json(Overview { buckets }))
}
