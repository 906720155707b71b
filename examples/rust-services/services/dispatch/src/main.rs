//! Dispatch: keeps jobs in PostgreSQL, and gives each to somebody who can do it.

mod dispatching;
mod routing;
mod store;

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use meadow::{Figure, Kind, Service, Settings, refusal};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Notify;

use store::Store;

fn main() -> ExitCode {
    meadow::main::<Dispatch>()
}

struct Dispatch {
    settings: Arc<Settings>,
    store: Store,
    /// Told of each new job, so that none waits for the next look.
    came: Notify,
}

#[derive(Deserialize)]
struct Asked {
    kind: String,
    input: Value,
}

impl Service for Dispatch {
    const NAME: &'static str = "dispatch";

    fn begin(settings: Arc<Settings>) -> Result<Arc<Self>, String> {
        let own = Arc::new(Self {
            settings,
            store: Store::new()?,
            came: Notify::new(),
        });
        tokio::spawn(dispatching::run(own.clone()));
        Ok(own)
    }

    fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/jobs", get(counts).post(accept))
            .route("/jobs/{id}", get(job))
            .with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        self.store.answers().await
    }

    async fn figures(&self) -> Vec<Figure> {
        let Ok(counts) = self.store.counts().await else {
            return Vec::new();
        };
        vec![Figure::by(
            "meadow_jobs",
            "Jobs by state.",
            Kind::Gauge,
            "state",
            counts.into_iter().map(|(state, n)| (state, f64::from(n))),
        )]
    }

    fn capabilities(&self) -> Vec<String> {
        vec![dispatching::OWN.to_owned()]
    }
}

async fn accept(State(own): State<Arc<Dispatch>>, Json(asked): Json<Asked>) -> Response {
    let Some(needs) = dispatching::needs(&asked.kind) else {
        let why = format!("nobody knows what {} is", asked.kind);
        return refusal(StatusCode::UNPROCESSABLE_ENTITY, why);
    };
    match own.store.add(&asked.kind, needs, &asked.input).await {
        Ok(id) => {
            own.came.notify_one();
            let told = json!({ "id": id, "state": "waiting", "needs": needs });
            (StatusCode::ACCEPTED, Json(told)).into_response()
        }
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

async fn job(State(own): State<Arc<Dispatch>>, Path(id): Path<i64>) -> Response {
    match own.store.job(id).await {
        Ok(Some(job)) => Json(job).into_response(),
        Ok(None) => refusal(StatusCode::NOT_FOUND, "no job has that number"),
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}

async fn counts(State(own): State<Arc<Dispatch>>) -> Response {
    match own.store.counts().await {
        Ok(counts) => {
            let counts: serde_json::Map<_, _> = counts
                .into_iter()
                .map(|(state, n)| (state, json!(n)))
                .collect();
            Json(json!({ "jobs": counts })).into_response()
        }
        Err(error) => refusal(StatusCode::SERVICE_UNAVAILABLE, error),
    }
}
