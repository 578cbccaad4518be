//! A worker is killed at each point of its work, and the event comes again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::site::{Mode, Site};

const POINTS: [&str; 6] = [
    "before_claim",
    "after_claim",
    "mid_effect",
    "after_effect",
    "before_commit",
    "after_commit",
];

/// Short, so that the next delivery need not wait for long. Work that takes longer is
/// committed all the same, as nobody else delivers its event.
const LEASE: Duration = Duration::from_millis(500);

const AT_A_TIME: usize = 4;

fn survives(kind: &'static str, mode: Mode) {
    let site = Site::new(kind, mode);
    let kills = match std::env::var("VELORA_SOAK_KILLS") {
        Ok(kills) => kills.parse().unwrap(),
        Err(_) => 2 * POINTS.len(),
    };
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..AT_A_TIME {
            scope.spawn(|| {
                loop {
                    let kill = next.fetch_add(1, Ordering::Relaxed);
                    if kill >= kills {
                        break;
                    }
                    kill_and_deliver_again(&site, &key(kill), point(kill));
                }
            });
        }
    });

    let effects = site.effects();
    assert_eq!(effects.len(), kills, "{site}: an event was lost");
    for kill in 0..kills {
        let times = match (mode, point(kill)) {
            // It died between its effect and its commit: a repeat.
            (Mode::Lease, "after_effect" | "before_commit") => 2,
            _ => 1,
        };
        assert_eq!(effects[&key(kill)], times, "{site} at {}", point(kill));
    }
    println!("{site}: {kills} kills");
}

fn kill_and_deliver_again(site: &Site, key: &str, point: &str) {
    let (worker, at) = site.deliver(key, LEASE, Some(point));
    assert_eq!(at, point, "{site}");
    drop(worker);
    let end = match point {
        "after_commit" => "done",
        _ => "processed",
    };
    assert_eq!(site.deliver(key, LEASE, None).1, end, "{site} at {point}");
    assert_eq!(
        site.deliver(key, LEASE, None).1,
        "done",
        "{site} at {point}"
    );
}

fn point(kill: usize) -> &'static str {
    POINTS[kill % POINTS.len()]
}

fn key(kill: usize) -> String {
    format!("killed:{kill}")
}

#[test]
fn a_kill_costs_a_repeat_never_an_event_sqlite() {
    survives("sqlite", Mode::Lease);
}

#[test]
fn a_kill_costs_a_repeat_never_an_event_postgres() {
    survives("postgres", Mode::Lease);
}

#[test]
fn a_kill_costs_a_repeat_never_an_event_redis() {
    survives("redis", Mode::Lease);
}

#[test]
fn in_a_transaction_each_event_has_one_effect_sqlite() {
    survives("sqlite", Mode::Transaction);
}

#[test]
fn in_a_transaction_each_event_has_one_effect_postgres() {
    survives("postgres", Mode::Transaction);
}
