//! The commands `serve`, `healthcheck` and `version`, and what each service answers besides its own.

use std::env;
use std::future::{Future, IntoFuture};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::time::timeout;

use crate::announcing;
use crate::client::ask;
use crate::figures::{self, Figure, Kind};
use crate::log::say;
use crate::settings::Settings;
use crate::version::Version;

/// How long requests in flight may take after SIGTERM.
const LAST_REQUESTS: Duration = Duration::from_secs(8);
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// A service: what it is called, what it answers, and whether it can.
pub trait Service: Send + Sync + Sized + 'static {
    const NAME: &'static str;

    /// Return it, with what it does besides answering begun.
    ///
    /// # Errors
    /// It cannot run with what it was told.
    fn begin(settings: Arc<Settings>) -> Result<Arc<Self>, String>;

    /// Return what it answers.
    fn routes(self: Arc<Self>) -> Router;

    /// Return whether it has what it needs, or what is lacking.
    fn ready(&self) -> impl Future<Output = Result<(), String>> + Send;

    /// Return its own figures.
    fn figures(&self) -> impl Future<Output = Vec<Figure>> + Send;

    /// Return which jobs it can do.
    fn capabilities(&self) -> Vec<String> {
        Vec::new()
    }
}

/// Run a service as its command line says; the exit code of its program.
#[must_use]
pub fn main<S: Service>() -> ExitCode {
    let word = env::args().nth(1);
    let done = match word.as_deref() {
        None | Some("serve") => in_runtime(serve::<S>()),
        Some("healthcheck") => in_runtime(healthcheck()),
        Some("version") => {
            let own = Version::OWN;
            println!(
                "{} {} ({}, {})",
                S::NAME,
                own.version,
                own.commit,
                own.build_date
            );
            Ok(())
        }
        Some(other) => Err(format!("{other} is none of serve, healthcheck, version")),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", S::NAME);
            ExitCode::FAILURE
        }
    }
}

/// Return an answer that says why something is not done.
pub fn refusal(status: StatusCode, why: impl Into<String>) -> Response {
    (status, Json(json!({ "error": why.into() }))).into_response()
}

fn in_runtime(work: impl Future<Output = Result<(), String>>) -> Result<(), String> {
    // One thread: a service has half a processor, and waits most of its time.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| error.to_string())?
        .block_on(work)
}

async fn healthcheck() -> Result<(), String> {
    let address = format!("127.0.0.1:{}", Settings::read()?.port);
    let answer = ask(Method::GET, &address, "/readyz", None).await?;
    println!("{}", String::from_utf8_lossy(&answer.body));
    if answer.status.is_success() {
        Ok(())
    } else {
        Err(format!("not ready: {}", answer.status.as_u16()))
    }
}

async fn serve<S: Service>() -> Result<(), String> {
    let settings = Arc::new(Settings::read()?);
    let service = S::begin(settings.clone())?;
    let listener = TcpListener::bind(("0.0.0.0", settings.port))
        .await
        .map_err(|error| format!("port {}: {error}", settings.port))?;
    say(
        "listening",
        json!({ "port": settings.port, "version": Version::OWN.version }),
    );
    let own = announcing::own(S::NAME, &settings, service.capabilities());
    let (stop, mut stopped) = watch::channel(false);
    let server = axum::serve(listener, routes(service)).with_graceful_shutdown(async move {
        // Ends too where the sender is gone.
        let _ = stopped.wait_for(|now| *now).await;
    });
    let server = tokio::spawn(server.into_future());
    let announcing = tokio::spawn(announcing::keep(settings.clone(), own.clone()));
    let name = told_to_stop().await?;
    say("stopping", json!({ "signal": name }));
    announcing.abort();
    announcing::leave(&settings, &own).await;
    let _ = stop.send(true);
    match timeout(LAST_REQUESTS, server).await {
        Ok(Ok(ended)) => ended.map_err(|error| error.to_string()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("requests in flight took too long".to_owned()),
    }
}

async fn told_to_stop() -> Result<&'static str, String> {
    let listen = |kind| signal(kind).map_err(|error| error.to_string());
    let (mut terminate, mut interrupt) = (
        listen(SignalKind::terminate())?,
        listen(SignalKind::interrupt())?,
    );
    Ok(tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    })
}

struct Common<S> {
    service: Arc<S>,
    since: Instant,
    answers: [AtomicU64; CLASSES.len()],
}

fn routes<S: Service>(service: Arc<S>) -> Router {
    let common = Arc::new(Common {
        service: service.clone(),
        since: Instant::now(),
        answers: Default::default(),
    });
    Router::new()
        .route("/healthz", get(|| async { "alive\n" }))
        .route("/readyz", get(readyz::<S>))
        .route("/metrics", get(metrics::<S>))
        .route("/version", get(|| async { Json(Version::OWN) }))
        .with_state(common.clone())
        .merge(service.routes())
        .layer(from_fn_with_state(common, count::<S>))
}

async fn readyz<S: Service>(State(common): State<Arc<Common<S>>>) -> Response {
    match common.service.ready().await {
        Ok(()) => Json(json!({ "status": "ready" })).into_response(),
        Err(why) => refusal(StatusCode::SERVICE_UNAVAILABLE, why),
    }
}

async fn metrics<S: Service>(State(common): State<Arc<Common<S>>>) -> Response {
    let counted = common
        .answers
        .iter()
        .map(|each| each.load(Ordering::Relaxed));
    let mut all = vec![
        Figure::by(
            "meadow_answers_total",
            "Answers by the class of their status.",
            Kind::Counter,
            "class",
            CLASSES.iter().zip(counted.map(as_number)),
        ),
        Figure {
            name: "meadow_up_seconds",
            help: "Time since the service began.",
            kind: Kind::Gauge,
            values: vec![(String::new(), common.since.elapsed().as_secs_f64())],
        },
    ];
    all.extend(common.service.figures().await);
    let kind = [(header::CONTENT_TYPE, "text/plain; version=0.0.4")];
    (kind, figures::text(&all)).into_response()
}

async fn count<S: Service>(
    State(common): State<Arc<Common<S>>>,
    request: Request,
    next: Next,
) -> Response {
    let answer = next.run(request).await;
    let class = usize::from(answer.status().as_u16() / 100);
    if let Some(counter) = common.answers.get(class.wrapping_sub(1)) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
    answer
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 answers")]
fn as_number(count: u64) -> f64 {
    count as f64
}
