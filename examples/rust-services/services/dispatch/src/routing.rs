//! The one kind of job that dispatch does itself: in which order to fly to some points.

use serde::Deserialize;
use serde_json::{Value, json};

const EARTH_M: f64 = 6_371_008.8;
const MOST: usize = 500;

#[derive(Clone, Copy, Deserialize)]
struct Point {
    latitude: f64,
    longitude: f64,
}

#[derive(Deserialize)]
struct Input {
    points: Vec<Point>,
}

/// Return the order of points from the first one on, always to the nearest one, and its length.
pub fn route(input: &Value) -> Result<Value, String> {
    let Input { points } = Input::deserialize(input).map_err(|error| error.to_string())?;
    if !(2..=MOST).contains(&points.len()) {
        return Err(format!("a route has 2 to {MOST} points"));
    }
    let mut left: Vec<usize> = (1..points.len()).collect();
    let (mut order, mut metres) = (vec![0], 0.0);
    let mut here = points[0];
    while let Some((at, distance)) = nearest(here, &points, &left) {
        let next = left.remove(at);
        order.push(next);
        metres += distance;
        here = points[next];
    }
    Ok(json!({ "order": order, "metres": metres.round() }))
}

fn nearest(here: Point, points: &[Point], left: &[usize]) -> Option<(usize, f64)> {
    left.iter()
        .map(|&index| distance_m(here, points[index]))
        .enumerate()
        .min_by(|one, other| one.1.total_cmp(&other.1))
}

/// Return the length of the great circle (haversine).
fn distance_m(one: Point, other: Point) -> f64 {
    let half = |a: f64, b: f64| ((b - a).to_radians() / 2.0).sin().powi(2);
    let parallel = one.latitude.to_radians().cos() * other.latitude.to_radians().cos();
    let chord =
        half(one.latitude, other.latitude) + parallel * half(one.longitude, other.longitude);
    2.0 * EARTH_M * chord.sqrt().asin()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(places: &[(f64, f64)]) -> Value {
        let each = |&(latitude, longitude): &(f64, f64)| json!({ "latitude": latitude, "longitude": longitude });
        json!({ "points": places.iter().map(each).collect::<Vec<_>>() })
    }

    #[test]
    fn the_nearest_comes_next() {
        let told = route(&points(&[(0.0, 0.0), (0.0, 3.0), (0.0, 1.0), (0.0, 2.0)])).unwrap();
        assert_eq!(told["order"], json!([0, 2, 3, 1]));
        // Three degrees of the equator.
        assert_eq!(told["metres"], 333_585.0);
    }

    #[test]
    fn one_point_is_no_route() {
        assert!(route(&points(&[(0.0, 0.0)])).is_err());
        assert!(route(&json!({ "points": "none" })).is_err());
    }
}
