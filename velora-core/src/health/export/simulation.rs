//! Runs the plan against simulated systems: whatever their clock, bounds, order and headers,
//! the output is correct or `incomplete_window`.

#![allow(clippy::arithmetic_side_effects, clippy::indexing_slicing)]

use std::collections::HashSet;

use proptest::prelude::*;

use super::leaf::{Leaf, Shape, Stamp};
use super::plan::{Ask, CAP, How, Outcome, Plan};
use super::split::{Micros, SECOND, floor_to};
use crate::error::ApiError;

const PAGE: usize = 1_000;

/// Nanoseconds, finer than any bound.
type Nanos = i64;

const MICRO: Nanos = 1_000;
const MILLI: Nanos = 1_000_000;
const WHOLE: Nanos = 1_000_000_000;

/// Its time and its number.
type Row = (Nanos, u32);

fn stamp(row: &Row) -> Stamp {
    Stamp {
        micros: row.0.div_euclid(MICRO),
        finer: row.0 % MICRO != 0,
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Order {
    Rising,
    Falling,
    Shuffled,
}

/// How a coarse clock treats the bounds of a window.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bounds {
    /// Compared as given, with timestamps that are whole ticks.
    Exact,
    /// Rounded down to a tick.
    Rounded,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Listing {
    /// A cursor that is a position.
    Offset,
    /// A cursor that is a timestamp: the next page skips all events that share it.
    Skipping,
    /// The same, but the next page starts with those events, so the cursor may repeat forever.
    Looping,
}

#[derive(Clone, Debug)]
struct System {
    /// In time order; each timestamp is a whole tick.
    events: Vec<Row>,
    tick: Nanos,
    inclusive: bool,
    header: bool,
    /// Rows per response; fewer than documented only if the header reports it.
    cap: usize,
    order: Order,
    /// A truncated response keeps rows from all over the window, whatever its order.
    keeps_any: bool,
    bounds: Bounds,
    listing: Listing,
    /// How many calls run concurrently.
    concurrency: usize,
}

impl System {
    fn window(&self, since: Micros, until: Micros) -> &[Row] {
        let (since, until) = (since * MICRO, until * MICRO);
        let (since, until) = match self.bounds {
            Bounds::Exact => (since, until),
            Bounds::Rounded => (floor_to(since, self.tick), floor_to(until, self.tick)),
        };
        let start = self.events.partition_point(|row| row.0 < since);
        let inside = |row: &Row| row.0 < until || (self.inclusive && row.0 == until);
        let end = self.events.partition_point(inside).max(start);
        &self.events[start..end]
    }

    /// Whether the response was truncated, and its rows.
    fn export(&self, since: Micros, until: Micros) -> (bool, Vec<Row>) {
        let window = self.window(since, until);
        let cut = window.len() > self.cap;
        let random = |row: &Row| row.1.wrapping_mul(2_654_435_761);
        let kept = window.len().min(self.cap);
        let mut rows = match self.order {
            _ if self.keeps_any && cut => {
                let at = |index: usize| window[index * window.len() / kept];
                (0..kept).map(at).collect()
            }
            Order::Falling => window[window.len() - kept..].to_vec(),
            _ => window[..kept].to_vec(),
        };
        match self.order {
            Order::Rising => {}
            Order::Falling => rows.reverse(),
            Order::Shuffled => rows.sort_by_key(random),
        }
        (cut, rows)
    }
}

/// The rows that were read, and how many requests it took.
struct Run {
    rows: Vec<u32>,
    requests: usize,
}

fn run(
    system: &System,
    since: Micros,
    until: Micros,
    random: &mut u64,
) -> Result<Run, (usize, ApiError)> {
    let mut plan = Plan::new(since, until);
    let mut running: Vec<Ask> = Vec::new();
    let mut done: Vec<(u64, Vec<Row>)> = Vec::new();
    let mut given = Vec::new();
    let mut requests = 0;
    loop {
        while let Some((id, _)) = plan.take_done() {
            let at = done.iter().position(|(done, _)| *done == id);
            given.extend(at.map(|at| done.swap_remove(at).1).unwrap_or_default());
        }
        while let Some(ask) = plan.next(system.concurrency) {
            running.push(ask);
        }
        if running.is_empty() {
            break;
        }
        *random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let ask = running.swap_remove((*random >> 33) as usize % running.len());
        let inside = |row: &Row| (since..until).contains(&stamp(row).micros);
        let outcome = match ask.how {
            How::Pages { .. } => {
                let (cost, outcome) = page_through(system, &mut plan, ask);
                requests += cost;
                outcome.map(|rows| done.push((ask.id, rows.into_iter().filter(inside).collect())))
            }
            How::Export { until, sample } => {
                requests += 1;
                let (outcome, rows) = export(system, ask.leaf, until, sample);
                plan.exported(ask.id, outcome).map(|kept| {
                    if kept {
                        done.push((ask.id, rows.into_iter().filter(inside).collect()));
                    }
                })
            }
        };
        outcome.map_err(|error| (requests, error))?;
    }
    assert!(plan.is_finished(), "nothing runs, and not all is done");
    let rows = given.iter().map(|row: &Row| row.1).collect();
    Ok(Run { rows, requests })
}

fn export(system: &System, leaf: Leaf, until: Micros, sample: bool) -> (Outcome, Vec<Row>) {
    let (cut, rows) = system.export(leaf.since, until);
    let said = cut && system.header;
    if said || rows.len() >= CAP {
        let read = if said && !sample { &[] } else { &rows[..] };
        let claimed = sample && rows.len() < CAP;
        let sample = read.iter().map(|row| stamp(row).micros).collect();
        return (Outcome::Truncated { sample, claimed }, Vec::new());
    }
    let mut shape = Shape::default();
    let keep = |row: &Row| shape.add(leaf, Some(stamp(row)));
    let rows = rows.into_iter().filter(keep).collect();
    (Outcome::Whole(shape), rows)
}

fn page_through(system: &System, plan: &mut Plan, ask: Ask) -> (usize, Result<Vec<Row>, ApiError>) {
    let mut window = system.window(ask.leaf.since, ask.leaf.until).to_vec();
    window.reverse();
    let mut listed: Vec<Row> = Vec::new();
    let mut at = 0;
    // One export, whose ids the pages must have.
    let mut requests = 1;
    let mut shape = Shape::default();
    loop {
        requests += 1;
        let page = &window[at..(at + PAGE).min(window.len())];
        let begun = !listed.is_empty();
        let keep = |row: &&Row| shape.add(ask.leaf, Some(stamp(row)));
        listed.extend(page.iter().filter(keep));
        if !begun && shape.unit < ask.leaf.width() {
            return (
                requests,
                plan.paged(ask.id, shape, false).map(|_| Vec::new()),
            );
        }
        let Some(last) = page.last().filter(|_| at + PAGE < window.len()) else {
            break;
        };
        at = match system.listing {
            Listing::Offset => at + PAGE,
            Listing::Skipping => window.partition_point(|row| row.0 >= last.0),
            Listing::Looping if window[at].0 == last.0 => {
                return (requests, Err(super::plan::incomplete("a cursor loop")));
            }
            Listing::Looping => window.partition_point(|row| row.0 > last.0),
        };
    }
    let mut known = HashSet::new();
    let before = listed.len();
    listed.retain(|row| known.insert(row.1));
    shape.rows -= before - listed.len();
    let begun = !listed.is_empty();
    (requests, plan.paged(ask.id, shape, begun).map(|_| listed))
}

/// Bursts over a stretch of time: (start in ms, width in µs, events).
fn bursts() -> impl Strategy<Value = Vec<(u32, u32, u32)>> {
    let width = prop_oneof![
        3 => Just(0_u32),
        2 => 1..3_000_u32,
        2 => 1..5_000_000_u32,
        1 => any::<u32>(),
    ];
    let events = prop_oneof![
        4 => 0..500_u32,
        3 => 0..12_000_u32,
        1 => 9_990..10_010_u32,
        2 => 0..50_000_u32,
    ];
    prop::collection::vec(
        (any::<u32>().prop_map(|at| at % 600_000_000), width, events),
        0..8,
    )
}

fn systems() -> impl Strategy<Value = (System, u64)> {
    let ticks = prop_oneof![Just(WHOLE), Just(MILLI), Just(MICRO), Just(1)];
    let orders = prop_oneof![
        Just(Order::Rising),
        Just(Order::Falling),
        Just(Order::Shuffled)
    ];
    let listings = prop_oneof![
        3 => Just(Listing::Offset),
        1 => Just(Listing::Skipping),
        1 => Just(Listing::Looping),
    ];
    let bounds = prop_oneof![Just(Bounds::Exact), Just(Bounds::Rounded)];
    let concurrency = prop_oneof![2 => Just(4_usize), 1 => 1..64_usize];
    let caps = prop_oneof![2 => Just(CAP), 1 => 1_000..CAP];
    let spread = prop_oneof![3 => 0..20_000_u32, 1 => 0..500_000_u32];
    (
        (
            bursts(),
            spread,
            ticks,
            orders,
            listings,
            bounds,
            concurrency,
            caps,
        ),
        (any::<bool>(), any::<bool>(), any::<bool>(), any::<u64>()),
    )
        .prop_map(
            |((bursts, spread, tick, order, listing, bounds, concurrency, cap), flags)| {
                let (inclusive, header, keeps_any, seed) = flags;
                let events = events(&bursts, spread, tick, seed);
                let system = System {
                    events,
                    tick,
                    inclusive,
                    header,
                    cap: if header { cap } else { CAP },
                    order,
                    keeps_any,
                    bounds,
                    listing,
                    concurrency,
                };
                (system, seed)
            },
        )
}

fn events(bursts: &[(u32, u32, u32)], spread: u32, tick: Nanos, seed: u64) -> Vec<Row> {
    let mut random = seed | 1;
    let mut below = |bound: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((random >> 24) % bound.max(1)) as Nanos
    };
    let week = 7 * 24 * 3_600 * WHOLE as u64;
    let mut stamps: Vec<Nanos> = (0..spread).map(|_| below(week)).collect();
    for &(start, width, count) in bursts {
        let finer = if count % 3 == 0 { 0 } else { count % 1_000 };
        let start = Nanos::from(start) * MILLI + Nanos::from(width % 1_000) * MICRO;
        let start = start + Nanos::from(finer);
        let width = u64::from(width) * MICRO as u64;
        stamps.extend((0..count).map(|_| start + below(width)));
    }
    stamps
        .iter_mut()
        .for_each(|stamp| *stamp = floor_to(*stamp, tick));
    stamps.sort_unstable();
    stamps.into_iter().zip(0..).collect()
}

/// The output is correct, or could not be, and the requests are within the bound. An instant
/// over the cap may add what it costs beyond 50 pages, because nothing reads it cheaper.
fn check(system: &System, since: Micros, until: Micros, seed: u64) -> Result<usize, TestCaseError> {
    let truth: Vec<u32> = system
        .events
        .iter()
        .filter(|row| (since..until).contains(&stamp(row).micros))
        .map(|row| row.1)
        .collect();
    let mut random = seed;
    let requests = match run(system, since, until, &mut random) {
        Ok(mut done) => {
            done.rows.sort_unstable();
            prop_assert!(
                done.rows == truth,
                "{} of {} rows",
                done.rows.len(),
                truth.len()
            );
            done.requests
        }
        Err((requests, error)) => {
            prop_assert_eq!(error.code().as_str(), "incomplete_window");
            let listed = system.listing == Listing::Offset || pages_needed(system) == 0;
            prop_assert!(
                !listed || hides_its_end(system),
                "it could have been read: {error}"
            );
            requests
        }
    };
    let paged = pages_needed(system);
    let bound = 4 * truth.len().div_ceil(system.cap) + 128;
    prop_assert!(
        requests <= bound.max(paged + bound - 50),
        "{requests} requests, bound {bound}"
    );
    Ok(requests)
}

/// If the end is inclusive, a crowd of rows at it leaves no room for rows before it, and no
/// bound leaves out that crowd alone.
fn hides_its_end(system: &System) -> bool {
    let instants = system.events.chunk_by(|a, b| a.0 == b.0);
    let mut crowds = instants.filter(|instant| instant.len() >= system.cap / 2);
    system.inclusive && system.tick == 1 && crowds.any(|instant| !stamp(&instant[0]).finer)
}

/// What the instants over the cap cost: a request per thousand events, and an export.
fn pages_needed(system: &System) -> usize {
    system
        .events
        .chunk_by(|a, b| stamp(a).micros == stamp(b).micros)
        .filter(|instant| instant.len() >= system.cap)
        .map(|instant| instant.len().div_ceil(PAGE) + 1)
        .sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases()))]

    #[test]
    fn the_output_is_the_truth((system, seed) in systems()) {
        check(&system, 0, 7 * 24 * 3_600 * SECOND, seed)?;
    }

    #[test]
    fn the_output_is_the_truth_within_any_bounds(
        (system, seed) in systems(),
        from in 0..600_000_000_i64,
        length in prop_oneof![0..3_000_000_i64, 0..600_000_000_000_i64],
    ) {
        let near = system.events.get(seed as usize % system.events.len().max(1));
        let since = near.map_or(from, |row| stamp(row).micros - from % 1_000_000);
        check(&system, since, since + length, seed)?;
    }
}

fn cases() -> u32 {
    let cases = std::env::var("VELORA_SOAK_CASES").ok();
    cases.and_then(|cases| cases.parse().ok()).unwrap_or(48)
}

fn plain(events: Vec<Row>, tick: Nanos) -> System {
    System {
        events,
        tick,
        inclusive: false,
        header: true,
        cap: CAP,
        order: Order::Falling,
        keeps_any: false,
        bounds: Bounds::Exact,
        listing: Listing::Offset,
        concurrency: 4,
    }
}

#[test]
fn a_million_events_and_one_instant_of_fifty_thousand() {
    for tick in [WHOLE, MILLI, MICRO, 1] {
        let events = events(&[(300_000_000, 0, 50_000)], 1_000_000, tick, 7);
        let system = plain(events, tick);
        check(&system, 0, 7 * 24 * 3_600 * SECOND, 7).unwrap();
    }
}

#[test]
fn a_hundred_clusters_that_each_just_overflow() {
    let clusters: Vec<_> = (0..99).map(|at| (at * 6_000_000, 500, 10_001)).collect();
    for order in [Order::Rising, Order::Falling, Order::Shuffled] {
        for header in [true, false] {
            let mut system = plain(events(&clusters, 0, MICRO, 3), MICRO);
            (system.order, system.header) = (order, header);
            let requests = check(&system, 0, 7 * 24 * 3_600 * SECOND, 3).unwrap();
            println!("{order:?} header {header}: {requests} requests");
        }
    }
}

#[test]
fn a_system_that_calls_everything_cut_is_given_up() {
    let mut plan = Plan::new(0, 3_600 * SECOND);
    let (mut error, mut asked) = (None, 0);
    while let Some(ask) = plan.next(1).filter(|_| error.is_none()) {
        error = match ask.how {
            How::Pages { .. } => plan.paged(ask.id, Shape::default(), false).err(),
            How::Export { .. } => {
                asked += 1;
                let (sample, claimed) = (Vec::new(), true);
                let outcome = Outcome::Truncated { sample, claimed };
                plan.exported(ask.id, outcome).err()
            }
        };
        plan.take_done();
    }
    assert_eq!(error.unwrap().code().as_str(), "incomplete_window");
    assert!(asked < 200, "{asked}");
}

/// The same if it returns rows, all of them for a small window, and lists them correctly.
#[test]
fn a_system_that_calls_all_of_its_rows_a_part_is_given_up() {
    for count in [500, 50_000] {
        let system = plain(events(&[], count, WHOLE, 3), WHOLE);
        let mut plan = Plan::new(0, 7 * 24 * 3_600 * SECOND);
        let (mut error, mut asked) = (None, 0);
        while let Some(ask) = plan.next(4).filter(|_| error.is_none()) {
            error = match ask.how {
                How::Pages { .. } => page_through(&system, &mut plan, ask).1.err(),
                How::Export { until, .. } => {
                    asked += 1;
                    let (_, rows) = system.export(ask.leaf.since, until);
                    let claimed = rows.len() < CAP;
                    let sample = rows.iter().map(|row| stamp(row).micros).collect();
                    let outcome = Outcome::Truncated { sample, claimed };
                    plan.exported(ask.id, outcome).err()
                }
            };
            plan.take_done();
        }
        let error = error.unwrap();
        assert_eq!(error.code().as_str(), "incomplete_window", "{count}");
        assert!(asked < 300, "{asked}");
    }
}

/// An event a second for a week, with caps smaller than documented.
#[test]
fn a_smaller_cap_of_the_system_is_as_good() {
    for cap in [500, 1_000, 2_000] {
        let events = (0..604_800).map(|second| (i64::from(second) * WHOLE, second));
        for order in [Order::Rising, Order::Falling, Order::Shuffled] {
            let mut system = plain(events.clone().collect(), WHOLE);
            (system.cap, system.order) = (cap, order);
            check(&system, 0, 7 * 24 * 3_600 * SECOND, 3).unwrap();
        }
    }
}

/// A hundred-odd events a second for a while. A truncated response has rows from the whole
/// window, up to its last second, in any order.
#[test]
fn what_was_seen_up_to_its_last_tick_is_halved() {
    let events: Vec<_> = (0..150_000)
        .map(|number| (i64::from(number / 137) * WHOLE, number))
        .collect();
    for order in [Order::Rising, Order::Falling, Order::Shuffled] {
        let mut system = plain(events.clone(), WHOLE);
        (system.cap, system.order, system.keeps_any) = (1_000, order, true);
        check(&system, 0, 7 * 24 * 3_600 * SECOND, 3).unwrap();
    }
}

#[test]
fn an_empty_window_asks_for_nothing() {
    let mut plan = Plan::new(5, 5);
    assert!(plan.is_finished() && plan.next(4).is_none());
}
