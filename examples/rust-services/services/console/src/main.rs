//! The console: a page that shows what discovery knows and how jobs stand, and the way in for jobs.

mod page;

use std::process::ExitCode;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{Method, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use meadow::{Answer, Figure, Service, Settings, ask, instances, refusal};
use serde::Deserialize;
use serde_json::Value;

fn main() -> ExitCode {
    meadow::main::<Console>()
}

struct Console {
    settings: Arc<Settings>,
}

#[derive(Deserialize)]
struct Jobs {
    jobs: serde_json::Map<String, Value>,
}

impl Service for Console {
    const NAME: &'static str = "console";

    fn begin(settings: Arc<Settings>) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self { settings }))
    }

    fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/", get(show))
            .route("/instances", get(list))
            .route("/jobs", post(hand_in))
            .route("/jobs/{id}", get(job))
            .with_state(self)
    }

    /// It can say what is there; that something is missing is for the page to show.
    async fn ready(&self) -> Result<(), String> {
        instances(&self.settings).await.map(|_| ())
    }

    async fn figures(&self) -> Vec<Figure> {
        Vec::new()
    }
}

impl Console {
    /// Return the answer of dispatch, wherever discovery knows one.
    async fn dispatch(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, String> {
        let known = instances(&self.settings).await?;
        let found = known.iter().find(|each| each.told.service == "dispatch");
        let there = found.ok_or("discovery knows no dispatch")?;
        ask(method, &there.told.address, path, body).await
    }
}

async fn show(State(own): State<Arc<Console>>) -> Response {
    let known = instances(&own.settings).await;
    let jobs = own.dispatch(Method::GET, "/jobs", None).await;
    let jobs = jobs
        .and_then(|answer| answer.read::<Jobs>())
        .map(|told| told.jobs);
    Html(page::page(&known, &jobs)).into_response()
}

async fn list(State(own): State<Arc<Console>>) -> Response {
    handed_on(ask(Method::GET, &own.settings.discovery, "/instances", None).await)
}

async fn hand_in(State(own): State<Arc<Console>>, Json(job): Json<Value>) -> Response {
    handed_on(own.dispatch(Method::POST, "/jobs", Some(&job)).await)
}

async fn job(State(own): State<Arc<Console>>, Path(id): Path<i64>) -> Response {
    handed_on(
        own.dispatch(Method::GET, &format!("/jobs/{id}"), None)
            .await,
    )
}

fn handed_on(answer: Result<Answer, String>) -> Response {
    match answer {
        Ok(Answer { status, body }) => {
            (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
        }
        Err(why) => refusal(StatusCode::BAD_GATEWAY, why),
    }
}
