//! A worker is paused for longer than its lease: another one takes over, and the first must
//! not commit when it continues.

use std::time::Duration;

use velora_servers::{Signal, signal};

use super::site::{Mode, Site};

const LEASE: Duration = Duration::from_secs(1);

fn loses_its_lease(kind: &'static str) {
    let site = Site::new(kind, Mode::Lease);
    let key = "stopped:1";
    let (mut first, at) = site.deliver(key, LEASE, Some("before_commit"));
    assert_eq!(at, "before_commit", "{site}");
    signal(first.child(), Signal::Stop);

    let (mut second, at) = site.deliver(key, LEASE, Some("before_commit"));
    assert_eq!(at, "before_commit", "{site}");
    first.go_on();
    signal(first.child(), Signal::Continue);
    assert_eq!(first.says(), "lease_lost", "{site}: the second still works");

    second.go_on();
    assert_eq!(second.says(), "processed", "{site}");
    assert_eq!(site.deliver(key, LEASE, None).1, "done", "{site}");
}

#[test]
fn who_was_taken_over_cannot_commit_sqlite() {
    loses_its_lease("sqlite");
}

#[test]
fn who_was_taken_over_cannot_commit_postgres() {
    loses_its_lease("postgres");
}

#[test]
fn who_was_taken_over_cannot_commit_redis() {
    loses_its_lease("redis");
}
