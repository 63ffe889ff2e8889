//! When a crawler runs by itself.

use super::resource;
use crate::glue::Glue;
use crate::glue::databases::Done;
use crate::json::{Answered, Failed, Input};
use model::{Error, Result};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::glue) struct Scheduling {
    crawler_name: String,
    schedule: Option<String>,
}

impl Input for Scheduling {
    fn resources(&self) -> Vec<String> {
        resource(&self.crawler_name)
    }
}

async fn pause(glue: &Glue, name: &str, is_paused: bool) -> Answered<Done> {
    let stored = glue.rooms.crawlers.get_crawler(name).await?;
    if stored.definition.schedule.is_none() {
        let code = if is_paused { "SchedulerNotRunningException" } else { "NoScheduleException" };
        return Err(Failed::coded(code, Error::conflict(format!("the crawler {name} has no schedule"))));
    }
    glue.change_extra(name, |extra| extra.is_paused = is_paused).await?;
    Ok(Done {})
}

pub(in crate::glue) async fn start_schedule(glue: Glue, input: Scheduling) -> Answered<Done> {
    pause(&glue, &input.crawler_name, false).await
}

pub(in crate::glue) async fn stop_schedule(glue: Glue, input: Scheduling) -> Answered<Done> {
    pause(&glue, &input.crawler_name, true).await
}

pub(in crate::glue) async fn update_schedule(glue: Glue, input: Scheduling) -> Result<Done> {
    let stored = glue.rooms.crawlers.get_crawler(&input.crawler_name).await?;
    let mut crawler = stored.definition;
    crawler.schedule = input.schedule.filter(|text| !text.is_empty());
    glue.rooms.crawlers.update_crawler(crawler, Some(stored.version)).await?;
    Ok(Done {})
}
