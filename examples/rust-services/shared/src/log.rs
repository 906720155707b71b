//! Lines of the log: one JSON object each, on standard output.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

/// Write one line; `fields` is an object.
pub fn say(message: &str, fields: Value) {
    let seconds = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |since| since.as_secs_f64());
    let mut line = json!({ "time": seconds, "msg": message });
    if let (Some(line), Value::Object(fields)) = (line.as_object_mut(), fields) {
        line.extend(fields);
    }
    println!("{line}");
}
