//! Requests of one service to another one.

use std::fmt::Display;
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{Method, Request, StatusCode, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;

const PATIENCE: Duration = Duration::from_secs(4);
const MOST_BYTES: usize = 1 << 20;

/// What another service answered.
pub struct Answer {
    pub status: StatusCode,
    pub body: Bytes,
}

impl Answer {
    /// Return the body as what it is expected to be.
    ///
    /// # Errors
    /// It is something else, or the status is no success.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, String> {
        if !self.status.is_success() {
            let text = String::from_utf8_lossy(&self.body);
            return Err(format!("{}: {}", self.status.as_u16(), text.trim()));
        }
        serde_json::from_slice(&self.body).map_err(|error| error.to_string())
    }
}

/// Return the answer of `host:port` to one request over a connection of its own.
///
/// # Errors
/// Nobody answers, in time, in HTTP, with at most one MiB.
pub async fn ask(
    method: Method,
    address: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, String> {
    timeout(PATIENCE, exchange(method, address, path, body))
        .await
        .unwrap_or_else(|_| Err(format!("no answer within {} s", PATIENCE.as_secs())))
        .map_err(|error| format!("{address}: {error}"))
}

async fn exchange(
    method: Method,
    address: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Answer, String> {
    let stream = TcpStream::connect(address).await.map_err(told)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(told)?;
    tokio::spawn(connection);
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, address)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(
            body.map_or_else(Bytes::new, |value| value.to_string().into()),
        ))
        .map_err(told)?;
    let answer = sender.send_request(request).await.map_err(told)?;
    let status = answer.status();
    let body = Limited::new(answer.into_body(), MOST_BYTES)
        .collect()
        .await
        .map_err(told)?
        .to_bytes();
    Ok(Answer { status, body })
}

fn told(error: impl Display) -> String {
    error.to_string()
}
