//! Operations that crawl.

use super::{Operation, Started};
use crate::platform::Platform;
use crawl::classify::CustomClassifier;
use crawl::{CrawlSpec, Crawler};
use model::{ErrorKind, Result};
use serde::{Deserialize, Serialize};

/// Crawls once, without keeping a crawler.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartCrawl {
    pub(crate) spec: CrawlSpec,
}

impl Operation for StartCrawl {
    const NAME: &'static str = "start-crawl";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.crawlers.crawl_once(self.spec).await?;
        Ok(Started { run: handle.id().clone() })
    }
}

/// Keeps a crawler and its classifiers under their names; what had these names before is replaced.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct SaveCrawler {
    pub(crate) crawler: Crawler,
    pub(crate) classifiers: Vec<CustomClassifier>,
}

impl Operation for SaveCrawler {
    const NAME: &'static str = "save-crawler";
    type Answer = ();

    async fn perform(self, platform: &Platform) -> Result<()> {
        let crawlers = &platform.crawlers;
        for classifier in self.classifiers {
            match crawlers.create_classifier(classifier.clone()).await {
                Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                    crawlers.update_classifier(classifier, None).await?;
                }
                other => {
                    other?;
                }
            }
        }
        match crawlers.create_crawler(self.crawler.clone()).await {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => {
                crawlers.update_crawler(self.crawler, None).await?;
            }
            other => {
                other?;
            }
        }
        Ok(())
    }
}

/// Runs a saved crawler.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StartSavedCrawl {
    pub(crate) name: String,
}

impl Operation for StartSavedCrawl {
    const NAME: &'static str = "start-saved-crawl";
    type Answer = Started;

    async fn perform(self, platform: &Platform) -> Result<Started> {
        let handle = platform.crawlers.start(&self.name).await?;
        Ok(Started { run: handle.id().clone() })
    }
}
