//! Jobs in PostgreSQL.

use std::time::Duration;

use meadow::Settings;
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions, PgRow};
use sqlx::{Executor, Row};

/// Everybody who makes the tables waits for this lock of the database.
const MAKING: i64 = 0x6d65_6164_6f77;
/// What runs longer was lost with whoever gave it away.
const LOST: &str = "30 seconds";
/// What failed waits so long for its next attempt. Other jobs come first meanwhile, and all attempts
/// together outlast the lease of a worker that died without signing off.
const AGAIN: &str = "3 seconds";
const PATIENCE: Duration = Duration::from_secs(3);

/// The table of jobs.
pub struct Store {
    pool: PgPool,
}

/// A job that was taken to be done.
pub struct Taken {
    pub id: i64,
    pub kind: String,
    pub needs: String,
    pub attempts: i32,
    pub input: Value,
}

impl Store {
    /// Return the store; nothing is connected yet.
    ///
    /// # Errors
    /// The file with the password cannot be read.
    pub fn new() -> Result<Self, String> {
        let options = PgConnectOptions::new_without_pgpass()
            .host(&Settings::variable("DATABASE_HOST", "db"))
            .port(5432)
            .database(&Settings::variable("DATABASE_NAME", "meadow"))
            .username(&Settings::variable("DATABASE_USER", "meadow"))
            .password(&Settings::secret("POSTGRES_PASSWORD")?);
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(PATIENCE)
            .connect_lazy_with(options);
        Ok(Self { pool })
    }

    /// Make the table where there is none; as often as one likes, from anywhere at once.
    pub async fn prepare(&self) -> Result<(), String> {
        let mut making = self.pool.begin().await.map_err(told)?;
        sqlx::query("SELECT pg_advisory_xact_lock($1)")
            .bind(MAKING)
            .execute(&mut *making)
            .await
            .map_err(told)?;
        making
            .execute(sqlx::raw_sql(include_str!("schema.sql")))
            .await
            .map_err(told)?;
        making.commit().await.map_err(told)
    }

    /// Return whether the table can be read.
    pub async fn answers(&self) -> Result<(), String> {
        let asked = sqlx::query("SELECT 1 FROM jobs LIMIT 1")
            .execute(&self.pool)
            .await;
        asked.map(|_| ()).map_err(told)
    }

    /// Add a job and return its number.
    pub async fn add(&self, kind: &str, needs: &str, input: &Value) -> Result<i64, String> {
        sqlx::query("INSERT INTO jobs (kind, needs, input) VALUES ($1, $2, $3::jsonb) RETURNING id")
            .bind(kind)
            .bind(needs)
            .bind(input.to_string())
            .fetch_one(&self.pool)
            .await
            .and_then(|row| row.try_get("id"))
            .map_err(told)
    }

    /// Return what is known of a job.
    pub async fn job(&self, id: i64) -> Result<Option<Value>, String> {
        let row = sqlx::query(
            "SELECT id, kind, needs, state, attempts, worker, error, result::text FROM jobs WHERE id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await
        .map_err(told)?;
        row.map(|row| shown(&row).map_err(told)).transpose()
    }

    /// Return how many jobs are in each state.
    pub async fn counts(&self) -> Result<Vec<(String, i32)>, String> {
        sqlx::query("SELECT state, count(*)::int4 AS n FROM jobs GROUP BY state ORDER BY state")
            .try_map(|row: PgRow| Ok((row.try_get("state")?, row.try_get("n")?)))
            .fetch_all(&self.pool)
            .await
            .map_err(told)
    }

    /// Take the oldest job that somebody who is there can do; nobody else gets it.
    pub async fn take(&self, capabilities: &[String]) -> Result<Option<Taken>, String> {
        sqlx::query(
            "UPDATE jobs SET state = 'running', attempts = attempts + 1, changed = now()
             WHERE id = (
                 SELECT id FROM jobs
                 WHERE needs = ANY($1)
                     AND ((state = 'waiting' AND (attempts = 0 OR changed < now() - $2::interval))
                         OR (state = 'running' AND changed < now() - $3::interval))
                 ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
             )
             RETURNING id, kind, needs, attempts, input::text",
        )
        .bind(capabilities)
        .bind(AGAIN)
        .bind(LOST)
        .try_map(|row: PgRow| {
            Ok(Taken {
                id: row.try_get("id")?,
                kind: row.try_get("kind")?,
                needs: row.try_get("needs")?,
                attempts: row.try_get("attempts")?,
                input: parsed(row.try_get("input")?),
            })
        })
        .fetch_optional(&self.pool)
        .await
        .map_err(told)
    }

    /// Keep what became of a job.
    pub async fn keep(
        &self,
        id: i64,
        state: &str,
        worker: &str,
        outcome: Result<&Value, &str>,
    ) -> Result<(), String> {
        sqlx::query(
            "UPDATE jobs SET state = $2, worker = $3, result = $4::jsonb, error = $5, changed = now()
             WHERE id = $1",
        )
        .bind(id)
        .bind(state)
        .bind(worker)
        .bind(outcome.ok().map(Value::to_string))
        .bind(outcome.err())
        .execute(&self.pool)
        .await
        .map(|_| ())
        .map_err(told)
    }
}

fn shown(row: &PgRow) -> Result<Value, sqlx::Error> {
    Ok(json!({
        "id": row.try_get::<i64, _>("id")?,
        "kind": row.try_get::<String, _>("kind")?,
        "needs": row.try_get::<String, _>("needs")?,
        "state": row.try_get::<String, _>("state")?,
        "attempts": row.try_get::<i32, _>("attempts")?,
        "worker": row.try_get::<Option<String>, _>("worker")?,
        "error": row.try_get::<Option<String>, _>("error")?,
        "result": row.try_get::<Option<&str>, _>("result")?.map(parsed),
    }))
}

/// The database holds nothing but JSON there.
fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_default()
}

fn told(error: impl std::fmt::Display) -> String {
    format!("the database: {error}")
}
