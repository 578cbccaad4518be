//! Decides which deliveries of a log to re-fire. Pure values, no I/O.
//!
//! An attempt that re-fires another one refers to it (`retryOfId`). All attempts that are
//! linked in this way belong to one event. If any of them was accepted, the event has
//! arrived; if none was, re-firing one of them is enough.

use std::collections::{HashMap, HashSet};

use super::log::{DeliveryStatus, LoggedDelivery};

/// The rows that matter, newest first.
#[derive(Debug, Default)]
pub(super) struct Chains {
    rows: Vec<Row>,
    /// The ids that the rows read so far refer to.
    referenced: HashSet<String>,
}

#[derive(Debug)]
struct Row {
    id: String,
    retry_of: Option<String>,
    failed: bool,
    retryable: bool,
}

/// What to do about one event that has not arrived.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    /// Re-fire this attempt.
    Fire(String),
    /// No payload was retained. This is the oldest attempt.
    Lost(String),
}

impl Chains {
    /// Takes in a row of the log, in the log's order (newest first). Rows that were accepted
    /// at the first attempt are not kept.
    pub(super) fn push(&mut self, delivery: LoggedDelivery) {
        let arrived = delivery.status == DeliveryStatus::Ok;
        let single = delivery.retry_of_id.is_none() && !self.referenced.contains(&delivery.id);
        if arrived && single {
            return;
        }
        self.referenced.extend(delivery.retry_of_id.clone());
        self.rows.push(Row {
            failed: delivery.status == DeliveryStatus::Failed,
            id: delivery.id,
            retry_of: delivery.retry_of_id,
            retryable: delivery.retryable,
        });
    }

    /// One decision for each event that has not arrived, oldest first. An attempt whose
    /// status is neither `ok` nor `failed` may still arrive: its event is left alone.
    pub(super) fn due(self) -> Vec<Due> {
        let mut events = Groups::default();
        for row in &self.rows {
            let event = events.of(&row.id);
            if let Some(earlier) = &row.retry_of {
                let earlier = events.of(earlier);
                events.join(event, earlier);
            }
        }
        let mut rows_of: HashMap<usize, Vec<&Row>> = HashMap::new();
        let mut order = Vec::new();
        for row in self.rows.iter().rev() {
            let event = events.of(&row.id);
            let rows = rows_of.entry(event).or_default();
            if rows.is_empty() {
                order.push(event);
            }
            rows.push(row);
        }
        let rows = order.iter().filter_map(|event| rows_of.get(event));
        rows.filter_map(|rows| due(rows)).collect()
    }
}

fn due(attempts: &[&Row]) -> Option<Due> {
    if !attempts.iter().all(|attempt| attempt.failed) {
        return None;
    }
    let retryable = attempts.iter().find(|attempt| attempt.retryable);
    Some(match retryable {
        Some(attempt) => Due::Fire(attempt.id.clone()),
        None => Due::Lost(attempts.first()?.id.clone()),
    })
}

/// Groups of ids that are linked, in whatever direction.
#[derive(Default)]
struct Groups {
    places: HashMap<String, usize>,
    parents: Vec<usize>,
}

impl Groups {
    /// The group of an id, identified by one of its members.
    fn of(&mut self, id: &str) -> usize {
        let place = match self.places.get(id) {
            Some(place) => *place,
            None => {
                let place = self.parents.len();
                self.parents.push(place);
                self.places.insert(id.to_owned(), place);
                place
            }
        };
        self.root(place)
    }

    fn root(&mut self, mut place: usize) -> usize {
        while let Some(parent) = self.parents.get(place).copied()
            && parent != place
        {
            // Halves the path for the next lookup.
            let grandparent = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(entry) = self.parents.get_mut(place) {
                *entry = grandparent;
            }
            place = grandparent;
        }
        place
    }

    fn join(&mut self, one: usize, other: usize) {
        if let Some(parent) = self.parents.get_mut(one) {
            *parent = other;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows as `id status retryable retry_of`, newest first.
    fn due(rows: &[&str]) -> Vec<String> {
        let mut chains = Chains::default();
        for row in rows {
            let mut parts = row.split(' ').map(str::to_owned);
            let mut part = || parts.next().unwrap();
            chains.push(LoggedDelivery {
                id: part(),
                status: part().into(),
                retryable: part() == "y",
                retry_of_id: parts.next(),
                status_code: None,
                duration: None,
                error_message: None,
                extra: Default::default(),
            });
        }
        let decision = |due| match due {
            Due::Fire(id) => format!("fire {id}"),
            Due::Lost(id) => format!("lost {id}"),
        };
        chains.due().into_iter().map(decision).collect()
    }

    #[test]
    fn fires_each_failed_event_oldest_first() {
        assert_eq!(
            due(&["c failed y", "b ok y", "a failed y", "z failed n"]),
            ["lost z", "fire a", "fire c"]
        );
    }

    #[test]
    fn leaves_alone_what_a_later_attempt_brought() {
        assert!(due(&["b ok y a", "a failed y"]).is_empty());
        assert!(due(&["c ok y b", "b failed y a", "a failed y"]).is_empty());
        // Re-fired twice, in either order of success.
        assert!(due(&["c failed y a", "b ok y a", "a failed y"]).is_empty());
        assert!(due(&["c ok y a", "b failed y a", "a failed y"]).is_empty());
        assert!(due(&["b failed y a", "a ok y"]).is_empty());
        assert!(due(&["b pending y a", "a failed y"]).is_empty());
    }

    #[test]
    fn fires_one_attempt_of_an_event() {
        assert_eq!(
            due(&["c failed y a", "b failed y a", "a failed y"]),
            ["fire a"]
        );
        assert_eq!(
            due(&["c failed y b", "b failed y a", "a failed n"]),
            ["fire b"]
        );
        assert_eq!(due(&["b failed n a", "a failed n"]), ["lost a"]);
        // The original is no longer in the log.
        assert_eq!(due(&["c failed y a", "b failed y a"]), ["fire b"]);
    }

    #[test]
    fn is_not_caught_in_a_circle() {
        assert_eq!(due(&["b failed y a", "a failed y b"]), ["fire a"]);
        assert_eq!(due(&["a failed y a"]), ["fire a"]);
    }
}
