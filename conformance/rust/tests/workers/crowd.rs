//! Many processes that get the same events at the same time.

use std::collections::HashSet;
use std::process::Command;

use super::site::{Mode, Site, Worker};

const PROCESSES: usize = 8;

const KEYS: usize = 10_000;

/// Two processes at a time are given the same keys: half of all claims are duplicates.
fn each_key_is_fresh_once(kind: &'static str) {
    let site = Site::new(kind, Mode::Lease);
    let workers: Vec<_> = (0..PROCESSES)
        .map(|process| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_velora-worker"));
            command.args(["crowd", site.url()]);
            command.arg((process / 2 * KEYS).to_string());
            command.arg(KEYS.to_string());
            Worker::start(command)
        })
        .collect();
    let mut fresh = HashSet::new();
    for mut worker in workers {
        for key in worker.all() {
            assert!(fresh.insert(key.clone()), "{site}: {key} was fresh twice");
        }
    }
    assert_eq!(fresh.len(), PROCESSES / 2 * KEYS, "{site}");
}

#[test]
fn each_key_is_fresh_once_sqlite() {
    each_key_is_fresh_once("sqlite");
}

#[test]
fn each_key_is_fresh_once_postgres() {
    each_key_is_fresh_once("postgres");
}

#[test]
fn each_key_is_fresh_once_redis() {
    each_key_is_fresh_once("redis");
}
