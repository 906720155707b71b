//! What a service is told by its environment, and by files where it is a secret.

use std::{env, fs};

/// What every service is told.
pub struct Settings {
    /// Port that it listens on, on all addresses.
    pub port: u16,
    /// `host:port` of discovery.
    pub discovery: String,
    /// The name by which others reach this container.
    pub host: String,
}

impl Settings {
    /// Read them from the environment.
    ///
    /// # Errors
    /// The port is none.
    pub fn read() -> Result<Self, String> {
        let port = variable("PORT", "8080");
        Ok(Self {
            port: port
                .parse()
                .map_err(|_| format!("PORT is no port: {port}"))?,
            discovery: variable("DISCOVERY", "discovery:8080"),
            // The engine sets it, and its name server knows a container by it.
            host: variable("HOSTNAME", "127.0.0.1"),
        })
    }

    /// Return a variable, or what stands for one that is not set.
    #[must_use]
    pub fn variable(name: &str, otherwise: &str) -> String {
        variable(name, otherwise)
    }

    /// Return a secret: the content of the file that the variable `NAME_FILE` names.
    ///
    /// # Errors
    /// The file cannot be read, or holds nothing.
    pub fn secret(name: &str) -> Result<String, String> {
        let path = variable(
            &format!("{name}_FILE"),
            &format!("/run/secrets/{}", name.to_lowercase()),
        );
        let text = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let value = text.trim_end_matches(['\r', '\n']);
        if value.is_empty() {
            return Err(format!("{path} is empty"));
        }
        Ok(value.to_owned())
    }
}

fn variable(name: &str, otherwise: &str) -> String {
    match env::var(name) {
        Ok(value) if !value.is_empty() => value,
        _ => otherwise.to_owned(),
    }
}
