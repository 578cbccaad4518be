//! When the generated events happened: a pure, monotone function of their index.
//!
//! The span is cut into buckets whose counts follow from the seed: some stretches
//! are empty, some buckets burst, most trickle. Inside a bucket events come in
//! small groups that share an instant, and some buckets begin with a crowd in one
//! instant. Nothing but the counts is held in memory, so ten million events cost
//! a few hundred KiB, and any instant is found by two binary searches.

use std::ops::Range;

use crate::text::{mix, unit_interval};

const MAX_BUCKETS: u64 = 16_384;
/// Long enough for an empty stretch to be seen from outside.
const STRETCHES: u64 = 64;
/// Natural crowds stay far below the export cap; larger ones must be requested.
const MAX_NATURAL_CROWD: u64 = 400;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The index of its first event.
    first: u64,
    /// How many of its events happen in its first instant.
    crowd: u64,
    /// How many of the others share an instant.
    group: u64,
}

#[derive(Debug)]
pub(crate) struct Timeline {
    seed: u64,
    start: i64,
    /// Microseconds.
    width: i64,
    /// One more than there are buckets: the last holds the total.
    buckets: Vec<Bucket>,
}

impl Timeline {
    /// `events` in `[span.start, span.end)` (microseconds); `crowds` are sizes of
    /// single instants and part of `events`.
    pub(crate) fn new(seed: u64, events: u64, span: Range<i64>, crowds: &[u64]) -> Self {
        let length = (span.end - span.start).max(1);
        let count = (events / 32)
            .clamp(STRETCHES, MAX_BUCKETS)
            .next_power_of_two()
            .min(length as u64);
        let mut asked = vec![0; count as usize];
        let mut left = events;
        for (number, crowd) in crowds.iter().enumerate() {
            let place = mix(seed ^ 0xC0DE ^ (number as u64) << 32) % count;
            let crowd = (*crowd).min(left);
            asked[place as usize] += crowd;
            left -= crowd;
        }
        Self {
            seed,
            start: span.start,
            width: length / count as i64,
            buckets: buckets(seed, left, &asked),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.buckets.last().map_or(0, |end| end.first)
    }

    /// The instant of one event; an index past the end counts as the last.
    pub(crate) fn at(&self, index: u64) -> i64 {
        let number = self.buckets.partition_point(|bucket| bucket.first <= index);
        self.in_bucket(number.saturating_sub(1), index)
    }

    /// How many events happened before `micros`.
    pub(crate) fn count_before(&self, micros: i64) -> u64 {
        if micros <= self.start {
            return 0;
        }
        let number = ((micros - self.start) / self.width) as usize;
        let (Some(bucket), Some(next)) = (self.buckets.get(number), self.buckets.get(number + 1))
        else {
            return self.len();
        };
        let (mut low, mut high) = (bucket.first, next.first);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.in_bucket(number, middle) < micros {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The instants of `range`, in either direction, without a search for each.
    pub(crate) fn walk(&self) -> Walk<'_> {
        Walk {
            timeline: self,
            bucket: 0,
        }
    }

    fn in_bucket(&self, number: usize, index: u64) -> i64 {
        let last = self.buckets.len().saturating_sub(2);
        let number = number.min(last);
        let bucket = self.buckets[number];
        let start = self.start + number as i64 * self.width;
        let place = index - bucket.first;
        if place < bucket.crowd {
            return start;
        }
        let others = self.buckets[number + 1].first - bucket.first - bucket.crowd;
        let place = place - bucket.crowd;
        let group = place - place % bucket.group;
        // Each step of this is monotone in `group`, rounding included.
        let shift = unit_interval(mix(self.seed ^ (bucket.first + group).wrapping_mul(3)));
        let offset = (group as f64 + shift) / others as f64 * self.width as f64;
        start + (offset as i64).min(self.width - 1)
    }
}

/// Remembers the bucket it was in: neighbouring indices mostly share one.
#[derive(Debug)]
pub(crate) struct Walk<'t> {
    timeline: &'t Timeline,
    bucket: usize,
}

impl Walk<'_> {
    pub(crate) fn at(&mut self, index: u64) -> i64 {
        let buckets = &self.timeline.buckets;
        let here = |number: usize| {
            buckets[number].first <= index
                && buckets.get(number + 1).is_some_and(|end| index < end.first)
        };
        if !here(self.bucket) {
            let number = buckets.partition_point(|bucket| bucket.first <= index);
            self.bucket = number.saturating_sub(1);
        }
        self.timeline.in_bucket(self.bucket, index)
    }
}

fn buckets(seed: u64, ordinary: u64, asked: &[u64]) -> Vec<Bucket> {
    let count = asked.len() as u64;
    let hash = |number: u64| mix(seed ^ 0xB0C_4E7 ^ number << 20);
    let weight = |number: u64| {
        let stretch = mix(seed ^ 0x57_2E7C ^ (number / (count / STRETCHES).max(1)));
        match (stretch % 8, hash(number) % 64) {
            (0, _) | (_, 0..=5) => 0,
            (_, 6) => 80,
            (_, draw) => 1 + draw % 4,
        }
    };
    let total: u64 = (0..count).map(weight).sum();
    let mut buckets = Vec::with_capacity(asked.len() + 1);
    let (mut first, mut weights, mut given) = (0, 0, 0);
    for number in 0..count {
        // With all weights zero the last bucket takes everything.
        weights += weight(number);
        let upto = match total {
            0 => ordinary * u64::from(number + 1 == count),
            _ => (u128::from(ordinary) * u128::from(weights) / u128::from(total)) as u64,
        };
        let own = upto - given;
        given = upto;
        let draw = hash(number) >> 8;
        let natural = match draw % 32 {
            0 => (own / 4).min(MAX_NATURAL_CROWD),
            _ => 0,
        };
        let extra = asked[number as usize];
        buckets.push(Bucket {
            first,
            crowd: natural + extra,
            group: [1, 1, 1, 2, 1, 3, 7, 25][(draw >> 8) as usize % 8],
        });
        first += own + extra;
    }
    buckets.push(Bucket {
        first,
        crowd: 0,
        group: 1,
    });
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPAN: Range<i64> = 1_000_000_000..1_000_000_000 + 604_800_000_000;

    #[test]
    fn instants_never_go_back_and_stay_inside() {
        for (events, crowds) in [
            (0, &[][..]),
            (1, &[]),
            (10, &[]),
            (50_000, &[]),
            (70_000, &[50_000]),
        ] {
            for seed in 0..5 {
                let timeline = Timeline::new(seed, events, SPAN, crowds);
                assert_eq!(timeline.len(), events);
                let mut walk = timeline.walk();
                let mut last = SPAN.start;
                for index in 0..events {
                    let at = walk.at(index);
                    assert!(
                        at >= last && at < SPAN.end,
                        "{index} of {events}, seed {seed}"
                    );
                    assert_eq!(at, timeline.at(index));
                    last = at;
                }
            }
        }
    }

    #[test]
    fn counts_agree_with_a_scan() {
        let timeline = Timeline::new(3, 5_000, SPAN, &[700]);
        let instants: Vec<i64> = (0..5_000).map(|index| timeline.at(index)).collect();
        for step in 0..2_000 {
            let at = SPAN.start - 1_000 + step * 302_500_000;
            let scanned = instants.iter().filter(|instant| **instant < at).count() as u64;
            assert_eq!(timeline.count_before(at), scanned);
        }
        for instant in instants {
            let scanned = timeline.count_before(instant + 1) - timeline.count_before(instant);
            assert!(scanned > 0);
        }
    }

    #[test]
    fn has_ties_bursts_and_empty_stretches() {
        let timeline = Timeline::new(7, 100_000, SPAN, &[]);
        let instants: Vec<i64> = (0..100_000).map(|index| timeline.at(index)).collect();
        let gap = instants.windows(2).map(|pair| pair[1] - pair[0]).max();
        assert!(
            gap > Some(3_600_000_000),
            "an hour without an event: {gap:?}"
        );
        assert!(instants.windows(2).any(|pair| pair[0] == pair[1]));
    }
}
