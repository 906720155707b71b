//! Leases: who is there, until when.

use std::collections::BTreeMap;
use std::time::Instant;

use meadow::{Announcement, Instance, LEASE};

/// More than a fleet has; a loop that makes up names fills no memory.
const MOST: usize = 1000;

/// The instances that were announced.
#[derive(Default)]
pub struct Leases {
    by_id: BTreeMap<String, Lease>,
}

struct Lease {
    told: Announcement,
    since: Instant,
    heard: Instant,
}

impl Leases {
    /// Begin or renew a lease; whether it is a new one.
    pub fn announce(
        &mut self,
        id: String,
        told: Announcement,
        now: Instant,
    ) -> Result<bool, String> {
        self.drop_ended(now);
        if told.service.is_empty() || told.address.is_empty() {
            return Err("an instance has a service and an address".to_owned());
        }
        let since = self.by_id.get(&id).map_or(now, |lease| lease.since);
        let new = !self.by_id.contains_key(&id);
        if new && self.by_id.len() >= MOST {
            return Err(format!("there are {MOST} instances already"));
        }
        self.by_id.insert(
            id,
            Lease {
                told,
                since,
                heard: now,
            },
        );
        Ok(new)
    }

    /// End a lease.
    pub fn leave(&mut self, id: &str) {
        self.by_id.remove(id);
    }

    /// Return who is there now, by id.
    pub fn alive(&mut self, now: Instant) -> Vec<Instance> {
        self.drop_ended(now);
        let instance = |(id, lease): (&String, &Lease)| Instance {
            id: id.clone(),
            told: lease.told.clone(),
            up_s: now.duration_since(lease.since).as_secs(),
            heard_s: now.duration_since(lease.heard).as_secs(),
        };
        self.by_id.iter().map(instance).collect()
    }

    fn drop_ended(&mut self, now: Instant) {
        self.by_id
            .retain(|_, lease| now.duration_since(lease.heard) < LEASE);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn told(service: &str) -> Announcement {
        Announcement {
            service: service.to_owned(),
            address: "a:1".to_owned(),
            version: "1".to_owned(),
            capabilities: Vec::new(),
        }
    }

    fn ids(leases: &mut Leases, now: Instant) -> Vec<String> {
        leases.alive(now).into_iter().map(|each| each.id).collect()
    }

    #[test]
    fn a_lease_ends_unless_it_is_renewed() {
        let (mut leases, begin) = (Leases::default(), Instant::now());
        for id in ["kept", "lost"] {
            assert_eq!(leases.announce(id.to_owned(), told("x"), begin), Ok(true));
        }
        let later = begin + Duration::from_secs(LEASE.as_secs() - 1);
        assert_eq!(
            leases.announce("kept".to_owned(), told("x"), later),
            Ok(false)
        );
        assert_eq!(ids(&mut leases, begin + LEASE), ["kept"]);
        assert_eq!(leases.alive(begin + LEASE)[0].up_s, LEASE.as_secs());
        assert!(ids(&mut leases, later + LEASE).is_empty());
    }

    #[test]
    fn who_signs_off_is_gone_at_once() {
        let (mut leases, now) = (Leases::default(), Instant::now());
        leases.announce("a".to_owned(), told("x"), now).unwrap();
        leases.leave("a");
        assert!(ids(&mut leases, now).is_empty());
    }

    #[test]
    fn neither_nobody_nor_a_crowd_is_let_in() {
        let (mut leases, now) = (Leases::default(), Instant::now());
        assert!(leases.announce("a".to_owned(), told(""), now).is_err());
        for number in 0..MOST {
            leases.announce(number.to_string(), told("x"), now).unwrap();
        }
        assert!(leases.announce("more".to_owned(), told("x"), now).is_err());
        assert_eq!(leases.announce("0".to_owned(), told("x"), now), Ok(false));
    }
}
