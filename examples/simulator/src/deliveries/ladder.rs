//! When each system retries, and when it disables an endpoint.

use std::time::Duration;

use super::registry::System;
use crate::text::unit_interval;

/// Failed attempts in a row after which the health system disables an endpoint.
pub(crate) const HEALTH_FAILURES: u32 = 10;

/// The waits after failed attempts, in seconds; the first attempt is made at once.
const fn waits(system: System) -> &'static [u64] {
    match system {
        System::Health => &[60, 300, 1_800, 7_200, 43_200],
        // Documented as "0s, 5s, …", which counts the first attempt.
        System::Billing => &[5, 30, 300, 1_800],
        // Not documented; these are the simulator's own.
        System::Curae => &[60, 300, 1_800, 7_200],
        System::Tv | System::TvBodyOnly => &[0, 60, 300, 1_800, 7_200],
    }
}

/// How long to wait after the `failed`-th failed attempt, counted from 1; `None`
/// at the end of the ladder. `draw` decides the health system's jitter.
pub(crate) fn wait(system: System, failed: u32, draw: u64) -> Option<Duration> {
    let place = failed.checked_sub(1)? as usize;
    let seconds = *waits(system).get(place)? as f64;
    let jitter = match system {
        System::Health => 0.8 + 0.4 * unit_interval(draw),
        _ => 1.0,
    };
    Some(Duration::from_secs_f64(seconds * jitter))
}

/// Whether this answer ends the ladder early.
pub(crate) fn is_final(system: System, status: Option<u16>) -> bool {
    system == System::Curae && status.is_some_and(|status| (400..500).contains(&status))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ladder(system: System, draw: u64) -> Vec<u64> {
        let waits = (1..).map_while(|failed| wait(system, failed, draw));
        waits.map(|wait| wait.as_secs()).collect()
    }

    #[test]
    fn ladders_are_those_of_the_vendors() {
        assert_eq!(ladder(System::Billing, 9), [5, 30, 300, 1_800]);
        assert_eq!(ladder(System::Tv, 9), [0, 60, 300, 1_800, 7_200]);
        assert_eq!(ladder(System::Health, 0), [48, 240, 1_440, 5_760, 34_560]);
        let latest = ladder(System::Health, u64::MAX);
        // The vendor's last retry, 14.6 h, 20 % later.
        assert_eq!(latest.iter().sum::<u64>(), 63_072);
    }

    #[test]
    fn only_curae_stops_at_a_4xx() {
        assert!(is_final(System::Curae, Some(400)));
        assert!(!is_final(System::Curae, Some(500)));
        assert!(!is_final(System::Curae, None));
        assert!(!is_final(System::Health, Some(401)));
    }
}
