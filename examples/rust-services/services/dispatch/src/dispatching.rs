//! Gives jobs to those who can do them, as discovery knows them.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{Method, StatusCode};
use meadow::{Instance, ask, instances, say};
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};

use crate::Dispatch;
use crate::routing::route;
use crate::store::Taken;

/// What dispatch itself can do.
pub const OWN: &str = "plan";
const MOST_ATTEMPTS: i32 = 5;
/// Somebody may have come meanwhile who can do what nobody could.
const NEXT_LOOK: Duration = Duration::from_millis(500);
const AFTER_A_FAILURE: Duration = Duration::from_millis(100);

/// Return what a kind of job needs.
pub fn needs(kind: &str) -> Option<&'static str> {
    match kind {
        "route" => Some(OWN),
        "vegetation" => Some("gpu"),
        "position" => Some("rtk"),
        _ => None,
    }
}

/// What became of a job: done, impossible, or to be tried again.
enum Outcome {
    Done(Value),
    Refused(String),
    Failed(String),
}

/// Dispatch jobs for as long as the service runs.
pub async fn run(own: Arc<Dispatch>) {
    let mut told = false;
    while let Err(error) = own.store.prepare().await {
        if !told {
            say(
                "the database does not answer yet",
                json!({ "error": error }),
            );
            told = true;
        }
        sleep(AFTER_A_FAILURE).await;
    }
    say("the database is there", json!({}));
    loop {
        match next(&own).await {
            Ok(true) => {}
            Ok(false) => {
                // Whichever is first: a new job, or the time.
                let _ = timeout(NEXT_LOOK, own.came.notified()).await;
            }
            Err(error) => {
                say("not dispatched", json!({ "error": error }));
                sleep(NEXT_LOOK).await;
            }
        }
    }
}

/// Do one job, and return whether there was one.
async fn next(own: &Dispatch) -> Result<bool, String> {
    // Without discovery there is still what dispatch does itself.
    let known = instances(&own.settings).await.unwrap_or_default();
    let mut capabilities = vec![OWN.to_owned()];
    capabilities.extend(known.iter().flat_map(|each| each.told.capabilities.clone()));
    let Some(job) = own.store.take(&capabilities).await? else {
        return Ok(false);
    };
    let (worker, outcome) = done(&job, &known).await;
    let (state, kept) = match &outcome {
        Outcome::Done(result) => ("done", Ok(result)),
        Outcome::Refused(why) => ("failed", Err(why.as_str())),
        Outcome::Failed(why) if job.attempts >= MOST_ATTEMPTS => ("failed", Err(why.as_str())),
        Outcome::Failed(why) => ("waiting", Err(why.as_str())),
    };
    own.store.keep(job.id, state, &worker, kept).await?;
    say(
        "dispatched",
        json!({ "job": job.id, "kind": job.kind, "worker": worker, "state": state }),
    );
    Ok(true)
}

async fn done(job: &Taken, known: &[Instance]) -> (String, Outcome) {
    if job.needs == OWN {
        let outcome = route(&job.input).map_or_else(Outcome::Refused, Outcome::Done);
        return ("dispatch".to_owned(), outcome);
    }
    match chosen(job, known) {
        Some(worker) => (worker.id.clone(), given(job, worker).await),
        None => (
            String::new(),
            Outcome::Failed("nobody is there any more".to_owned()),
        ),
    }
}

/// Take turns, and another one with each attempt.
fn chosen<'a>(job: &Taken, known: &'a [Instance]) -> Option<&'a Instance> {
    let able: Vec<_> = known
        .iter()
        .filter(|each| each.told.capabilities.contains(&job.needs))
        .collect();
    let turn = job.id.unsigned_abs() + u64::from(job.attempts.unsigned_abs());
    let turn = usize::try_from(turn).unwrap_or_default();
    able.get(turn.checked_rem(able.len())?).copied()
}

async fn given(job: &Taken, worker: &Instance) -> Outcome {
    let body = json!({ "kind": job.kind, "input": job.input });
    let answer = match ask(Method::POST, &worker.told.address, "/work", Some(&body)).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::Failed(error),
    };
    match answer.read::<Value>() {
        Ok(result) => Outcome::Done(result),
        Err(why) if answer.status == StatusCode::UNPROCESSABLE_ENTITY => Outcome::Refused(why),
        Err(why) => Outcome::Failed(why),
    }
}

#[cfg(test)]
mod tests {
    use meadow::Announcement;

    use super::*;

    fn instance(id: &str, capability: &str) -> Instance {
        Instance {
            id: id.to_owned(),
            told: Announcement {
                service: "stand-in".to_owned(),
                address: "127.0.0.1:1".to_owned(),
                version: "1".to_owned(),
                capabilities: vec![capability.to_owned()],
            },
            up_s: 0,
            heard_s: 0,
        }
    }

    fn job(id: i64, attempts: i32) -> Taken {
        Taken {
            id,
            kind: "vegetation".to_owned(),
            needs: "gpu".to_owned(),
            attempts,
            input: json!({}),
        }
    }

    #[test]
    fn who_can_do_it_takes_turns() {
        let known = [
            instance("a", "gpu"),
            instance("r", "rtk"),
            instance("b", "gpu"),
        ];
        let who = |id, attempts| chosen(&job(id, attempts), &known).map(|each| each.id.as_str());
        assert_eq!(
            [who(1, 1), who(2, 1), who(1, 2)],
            [Some("a"), Some("b"), Some("b")]
        );
        assert!(chosen(&job(1, 1), &known[1..2]).is_none());
    }

    #[test]
    fn every_kind_needs_something_and_others_are_none() {
        assert_eq!(needs("position"), Some("rtk"));
        assert_eq!(needs("lunch"), None);
    }
}
