//! Stands in for a service whose hardware is not in every machine: the same interface, by plain
//! arithmetic on the processor, and known by discovery as what it stands in for.

mod position;
mod vegetation;

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use meadow::{Figure, Service, Settings, refusal};
use serde::Deserialize;
use serde_json::Value;

fn main() -> ExitCode {
    meadow::main::<StandIn>()
}

struct StandIn {
    capability: Capability,
}

#[derive(Clone, Copy)]
enum Capability {
    Gpu,
    Rtk,
}

#[derive(Deserialize)]
struct Job {
    kind: String,
    input: Value,
}

impl Service for StandIn {
    const NAME: &'static str = "stand-in";

    fn begin(_: Arc<Settings>) -> Result<Arc<Self>, String> {
        let named = Settings::variable("CAPABILITY", "");
        let capability = match named.as_str() {
            "gpu" => Capability::Gpu,
            "rtk" => Capability::Rtk,
            _ => return Err(format!("CAPABILITY is none of gpu, rtk: {named}")),
        };
        Ok(Arc::new(Self { capability }))
    }

    fn routes(self: Arc<Self>) -> Router {
        Router::new().route("/work", post(work)).with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }

    fn capabilities(&self) -> Vec<String> {
        let name = match self.capability {
            Capability::Gpu => "gpu",
            Capability::Rtk => "rtk",
        };
        vec![name.to_owned()]
    }
}

async fn work(State(own): State<Arc<StandIn>>, Json(job): Json<Job>) -> Response {
    let done = match (own.capability, job.kind.as_str()) {
        (Capability::Gpu, "vegetation") => vegetation::index(&job.input),
        (Capability::Rtk, "position") => position::corrected(&job.input),
        _ => Err(format!("{} is not done here", job.kind)),
    };
    match done {
        Ok(result) => Json(result).into_response(),
        Err(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, why),
    }
}
