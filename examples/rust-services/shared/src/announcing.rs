//! How a service tells discovery that it is there, and that it goes.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::client::ask;
use crate::log::say;
use crate::settings::Settings;
use crate::version::Version;

/// How long discovery believes what it was told.
pub const LEASE: Duration = Duration::from_secs(10);
const AGAIN: Duration = Duration::from_secs(3);
const AFTER_A_FAILURE: Duration = Duration::from_millis(250);

/// What a service says of itself.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Announcement {
    pub service: String,
    /// `host:port` at which it answers.
    pub address: String,
    pub version: String,
    #[serde(default)]
    pub capabilities: Vec<String>,
}

/// What discovery knows of one that is there.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Instance {
    pub id: String,
    #[serde(flatten)]
    pub told: Announcement,
    /// Seconds since it came, and since it was last heard of.
    pub up_s: u64,
    pub heard_s: u64,
}

#[derive(Deserialize)]
struct Known {
    instances: Vec<Instance>,
}

/// Return who is there, as discovery knows it.
///
/// # Errors
/// Discovery does not answer.
pub async fn instances(settings: &Settings) -> Result<Vec<Instance>, String> {
    let answer = ask(Method::GET, &settings.discovery, "/instances", None).await?;
    answer.read::<Known>().map(|known| known.instances)
}

/// Keep discovery informed for as long as the task runs.
pub(crate) async fn keep(settings: Arc<Settings>, own: Announcement) {
    let body = json!(own);
    let mut known = None;
    loop {
        let told = tell(&settings, &own, Method::PUT, Some(&body)).await;
        let wait = if told.is_ok() { AGAIN } else { AFTER_A_FAILURE };
        // Once for each change: discovery may be away for long.
        if known != Some(told.is_ok()) {
            known = Some(told.is_ok());
            match told {
                Ok(()) => say("announced", json!({ "discovery": settings.discovery })),
                Err(error) => say("not announced", json!({ "error": error })),
            }
        }
        tokio::time::sleep(wait).await;
    }
}

/// Tell discovery that this service goes; where nobody hears it, the lease ends by itself.
pub(crate) async fn leave(settings: &Settings, own: &Announcement) {
    if let Err(error) = tell(settings, own, Method::DELETE, None).await {
        say("not signed off", json!({ "error": error }));
    }
}

/// Return what a service says of itself.
pub(crate) fn own(service: &str, settings: &Settings, capabilities: Vec<String>) -> Announcement {
    Announcement {
        service: service.to_owned(),
        address: format!("{}:{}", settings.host, settings.port),
        version: Version::OWN.version.to_owned(),
        capabilities,
    }
}

async fn tell(
    settings: &Settings,
    own: &Announcement,
    method: Method,
    body: Option<&Value>,
) -> Result<(), String> {
    let path = format!("/instances/{}-{}", own.service, settings.host);
    let answer = ask(method, &settings.discovery, &path, body).await?;
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(format!("discovery answered {}", answer.status.as_u16()))
    }
}
