//! A position corrected by a base station: what the base measures wrongly of its own known place
//! at the same moment, a receiver near it measures wrongly, too.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Clone, Copy, Deserialize, Serialize)]
struct Position {
    latitude: f64,
    longitude: f64,
    height_m: f64,
}

#[derive(Deserialize)]
struct Input {
    measured: Position,
    base_measured: Position,
    base_known: Position,
}

/// Return the measured position, less the error of the base station.
pub fn corrected(input: &Value) -> Result<Value, String> {
    let told = Input::deserialize(input).map_err(|error| error.to_string())?;
    let by = |of: fn(&Position) -> f64| of(&told.base_known) - of(&told.base_measured);
    let position = Position {
        latitude: rounded(told.measured.latitude + by(|at| at.latitude), 9),
        longitude: rounded(told.measured.longitude + by(|at| at.longitude), 9),
        height_m: rounded(told.measured.height_m + by(|at| at.height_m), 3),
    };
    if position.latitude.abs() > 90.0 || position.longitude.abs() > 180.0 {
        return Err("that is nowhere on Earth".to_owned());
    }
    Ok(json!({ "position": position }))
}

fn rounded(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(latitude: f64, longitude: f64, height_m: f64) -> Value {
        json!(Position {
            latitude,
            longitude,
            height_m
        })
    }

    #[test]
    fn the_error_of_the_base_is_taken_away() {
        let input = json!({
            "measured": at(54.000_021, 13.4, 17.5),
            "base_measured": at(54.100_020, 13.500_010, 22.25),
            "base_known": at(54.1, 13.5, 20.0),
        });
        let told = corrected(&input).unwrap();
        assert_eq!(
            told,
            json!({ "position": at(54.000_001, 13.399_99, 15.25) })
        );
    }

    #[test]
    fn what_is_nowhere_is_refused() {
        let [pole, base] = [at(89.9, 0.0, 0.0), at(0.0, 0.0, 0.0)];
        let input = json!({
            "measured": pole, "base_measured": base, "base_known": at(1.0, 0.0, 0.0),
        });
        assert!(corrected(&input).is_err());
    }
}
