//! Ratios that can be trusted on a machine that is not quiet.
//!
//! What is compared runs in turns of a few milliseconds: whatever slows the machine
//! down for longer than a turn slows all of a round alike, and the median over the
//! rounds drops the turns that were hit alone.

use std::time::{Duration, Instant};

/// Long beside the clock's own cost, short beside the disturbances.
const TURN: Duration = Duration::from_millis(2);

/// Something to be timed.
pub struct Task<'a> {
    /// Runs it so many times and says how long that took.
    run: Box<dyn FnMut(u64) -> Duration + 'a>,
}

impl<'a> Task<'a> {
    /// A task that times itself.
    pub fn timing_itself(run: impl FnMut(u64) -> Duration + 'a) -> Self {
        Self { run: Box::new(run) }
    }

    /// A task that is timed from its first to its last repetition.
    pub fn new(mut once: impl FnMut() + 'a) -> Self {
        Self::timing_itself(move |times| {
            let start = Instant::now();
            for _ in 0..times {
                once();
            }
            start.elapsed()
        })
    }

    /// How often it fits into a turn: at least once.
    fn repetitions(&mut self) -> u64 {
        let mut times = 1;
        loop {
            let elapsed = (self.run)(times);
            if elapsed >= TURN / 2 {
                let fitting = TURN.as_secs_f64() / elapsed.as_secs_f64() * times as f64;
                return (fitting as u64).max(1);
            }
            times *= 2;
        }
    }
}

/// Nanoseconds a repetition, of every task in every round: `[task][round]`.
///
/// Each round begins with another task, so that none always follows the same one.
pub fn interleave(mut tasks: Vec<Task<'_>>, rounds: usize) -> Vec<Vec<f64>> {
    let mut turns: Vec<_> = tasks
        .iter_mut()
        .map(|task| (task.repetitions(), Vec::with_capacity(rounds)))
        .collect();
    let count = tasks.len();
    for round in 0..rounds {
        let mut order: Vec<_> = tasks.iter_mut().zip(&mut turns).collect();
        order.rotate_left(round % count.max(1));
        for (task, (times, taken)) in order {
            let elapsed = (task.run)(*times);
            taken.push(elapsed.as_secs_f64() * 1e9 / *times as f64);
        }
    }
    turns.into_iter().map(|(_, taken)| taken).collect()
}

/// The middle one; NaN of nothing.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// How many times as long the first took as the second: the median of the rounds.
pub fn ratio(first: &[f64], second: &[f64]) -> f64 {
    let ratios: Vec<_> = first.iter().zip(second).map(|(a, b)| a / b).collect();
    median(&ratios)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disturbed_round_does_not_count() {
        let (first, second) = ([2.0, 90.0, 4.0], [1.0, 3.0, 2.0]);
        assert_eq!((median(&first), ratio(&first, &second)), (4.0, 2.0));
    }

    #[test]
    fn every_task_has_its_turn_in_every_round() {
        let task = |nanos| Task::timing_itself(move |times| Duration::from_nanos(nanos * times));
        let taken = interleave(vec![task(1_000), task(4_000_000)], 3);
        assert_eq!(taken, [vec![1_000.0; 3], vec![4_000_000.0; 3]]);
    }
}
