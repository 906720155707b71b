//! How green a field is: NDVI, (near infrared - red) / (near infrared + red), of each pixel.

use serde::Deserialize;
use serde_json::{Value, json};

/// From here on a pixel counts as covered by plants.
const COVERED: f64 = 0.4;

#[derive(Deserialize)]
struct Bands {
    red: Vec<f64>,
    infrared: Vec<f64>,
}

/// Return the mean index of an image's pixels, and the share of those with plants.
pub fn index(input: &Value) -> Result<Value, String> {
    let bands = Bands::deserialize(input).map_err(|error| error.to_string())?;
    if bands.red.is_empty() || bands.red.len() != bands.infrared.len() {
        return Err("both bands have the same pixels, one or more".to_owned());
    }
    let of = |(red, infrared): (f64, f64)| {
        let sum = infrared + red;
        if sum > 0.0 {
            (infrared - red) / sum
        } else {
            0.0
        }
    };
    let pixels: Vec<f64> = bands.red.into_iter().zip(bands.infrared).map(of).collect();
    let count = f64::from(u32::try_from(pixels.len()).map_err(|error| error.to_string())?);
    let covered = pixels
        .iter()
        .map(|&each| f64::from(u8::from(each >= COVERED)));
    Ok(json!({
        "mean": rounded(pixels.iter().sum::<f64>() / count),
        "covered": rounded(covered.sum::<f64>() / count),
    }))
}

fn rounded(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plants_are_bright_in_the_infrared() {
        let told = index(&json!({ "red": [0.1, 0.4, 0.0], "infrared": [0.5, 0.4, 0.0] })).unwrap();
        assert_eq!(told, json!({ "mean": 0.2222, "covered": 0.3333 }));
    }

    #[test]
    fn bands_of_different_images_are_refused() {
        assert!(index(&json!({ "red": [0.1], "infrared": [] })).is_err());
        assert!(index(&json!({ "red": [], "infrared": [] })).is_err());
    }
}
