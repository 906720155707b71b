//! The version that a build was given: by Git, and never by a file.

use serde::Serialize;

/// What a program says of itself. Without a build's variables it is `dev` of nobody knows what.
#[derive(Serialize)]
pub struct Version {
    pub version: &'static str,
    pub commit: &'static str,
    pub build_date: &'static str,
}

impl Version {
    /// The version of this program.
    pub const OWN: Self = Self {
        version: given(option_env!("VERSION"), "dev"),
        commit: given(option_env!("GIT_COMMIT"), "unknown"),
        build_date: given(option_env!("BUILD_DATE"), "unknown"),
    };
}

const fn given(value: Option<&'static str>, otherwise: &'static str) -> &'static str {
    match value {
        Some(value) if !value.is_empty() => value,
        _ => otherwise,
    }
}
