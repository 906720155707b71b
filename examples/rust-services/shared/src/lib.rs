//! What every service of Meadow has: commands, health, figures, its place in discovery, an end.

mod announcing;
mod client;
mod figures;
mod log;
mod serving;
mod settings;
mod version;

pub use announcing::{Announcement, Instance, LEASE, instances};
pub use client::{Answer, ask};
pub use figures::{Figure, Kind};
pub use log::say;
pub use serving::{Service, main, refusal};
pub use settings::Settings;
pub use version::Version;
