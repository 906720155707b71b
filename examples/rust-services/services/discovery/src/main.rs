//! Discovery: which services are there, by leases that end where nobody renews them.

mod leases;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, put};
use axum::{Json, Router};
use meadow::{Announcement, Figure, Kind, Service, Settings, refusal};
use serde::Deserialize;
use serde_json::json;

use leases::Leases;

fn main() -> ExitCode {
    meadow::main::<Discovery>()
}

struct Discovery {
    leases: Mutex<Leases>,
}

#[derive(Deserialize)]
struct Wanted {
    service: Option<String>,
    capability: Option<String>,
}

impl Service for Discovery {
    const NAME: &'static str = "discovery";

    fn begin(_: Arc<Settings>) -> Result<Arc<Self>, String> {
        Ok(Arc::new(Self {
            leases: Mutex::default(),
        }))
    }

    fn routes(self: Arc<Self>) -> Router {
        Router::new()
            .route("/instances", get(list))
            .route("/instances/{id}", put(announce).delete(leave))
            .with_state(self)
    }

    async fn ready(&self) -> Result<(), String> {
        Ok(())
    }

    async fn figures(&self) -> Vec<Figure> {
        let mut count = BTreeMap::<String, f64>::new();
        for instance in self.leases().alive(Instant::now()) {
            *count.entry(instance.told.service).or_default() += 1.0;
        }
        vec![Figure::by(
            "meadow_instances",
            "Instances that are there.",
            Kind::Gauge,
            "service",
            count,
        )]
    }
}

impl Discovery {
    fn leases(&self) -> MutexGuard<'_, Leases> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn list(State(own): State<Arc<Discovery>>, Query(wanted): Query<Wanted>) -> Response {
    let mut found = own.leases().alive(Instant::now());
    found.retain(|each| {
        wanted
            .service
            .as_ref()
            .is_none_or(|name| *name == each.told.service)
            && wanted
                .capability
                .as_ref()
                .is_none_or(|name| each.told.capabilities.contains(name))
    });
    Json(json!({ "instances": found })).into_response()
}

async fn announce(
    State(own): State<Arc<Discovery>>,
    Path(id): Path<String>,
    Json(told): Json<Announcement>,
) -> Response {
    match own.leases().announce(id, told, Instant::now()) {
        Ok(true) => StatusCode::CREATED.into_response(),
        Ok(false) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refusal(StatusCode::UNPROCESSABLE_ENTITY, why),
    }
}

async fn leave(State(own): State<Arc<Discovery>>, Path(id): Path<String>) -> StatusCode {
    own.leases().leave(&id);
    StatusCode::NO_CONTENT
}
