//! Where to cut a window that is too large: a pure function over the timestamps seen in it.

/// A stamp or a boundary, in microseconds since the epoch.
pub(crate) type Micros = i64;

pub(crate) const SECOND: Micros = 1_000_000;
pub(crate) const MILLISECOND: Micros = 1_000;

/// The coarsest clock resolution that could have made this timestamp.
///
/// A system whose clock ticks in seconds may round the bounds of a window to seconds too. A
/// boundary within a tick would then lose rows, or return them twice. So no boundary is finer
/// than the clock that the timestamps seen so far prove.
pub(crate) fn unit_of(stamp: Micros) -> Micros {
    if stamp.rem_euclid(SECOND) == 0 {
        SECOND
    } else if stamp.rem_euclid(MILLISECOND) == 0 {
        MILLISECOND
    } else {
        1
    }
}

pub(crate) fn floor_to(stamp: Micros, unit: Micros) -> Micros {
    stamp.saturating_sub(stamp.rem_euclid(unit.max(1)))
}

/// Cuts a window of more than two seconds in half, on a whole second.
pub(crate) fn halve(since: Micros, until: Micros) -> Vec<Micros> {
    let middle = since.midpoint(until);
    inside(since, until, &[floor_to(middle, SECOND)])
}

/// Cuts a window by the timestamps of a truncated response, in the order received. Empty if
/// there is nothing to cut.
///
/// - Most rows at one instant: that instant is cut out.
/// - Rows in order: the system kept one end of the window, and that end, without its
///   last and perhaps partial instant, is a part that fits.
/// - Otherwise: half of the rows on either side.
pub(crate) fn by_sample(
    since: Micros,
    until: Micros,
    sample: &[Micros],
    unit: Micros,
) -> Vec<Micros> {
    let falling = sample.is_sorted_by(|a, b| a >= b);
    let rising = sample.is_sorted();
    let mut stamps: Vec<Micros> = sample.to_vec();
    stamps.retain(|stamp| (since..until).contains(stamp));
    stamps.sort_unstable();
    let (Some(&first), Some(&last)) = (stamps.first(), stamps.last()) else {
        return Vec::new();
    };
    let middle = stamps.get(stamps.len() / 2).copied().unwrap_or(first);
    let at_middle = stamps.iter().filter(|stamp| **stamp == middle).count();
    if at_middle > stamps.len() / 2 {
        let start = floor_to(middle, unit);
        return inside(since, until, &[start, start.saturating_add(unit)]);
    }
    // If less than a twentieth of the width is unseen, all of it counts as seen. A timestamp
    // stands for its whole unit.
    let near = last.saturating_sub(first) / 20;
    let above = |bound: Micros| stamps.iter().copied().find(|stamp| *stamp > bound);
    let cut = if falling && first.saturating_sub(since) > near {
        above(first)
    } else if rising && until.saturating_sub(last) > near.saturating_add(unit) {
        Some(last)
    } else if middle > first {
        Some(middle)
    } else {
        above(first)
    };
    inside(since, until, cut.map(|cut| floor_to(cut, unit)).as_slice())
}

/// The cuts that leave something on either side.
pub(crate) fn inside(since: Micros, until: Micros, cuts: &[Micros]) -> Vec<Micros> {
    let mut cuts = cuts.to_vec();
    cuts.retain(|cut| since < *cut && *cut < until);
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_as_fine_as_its_stamps() {
        assert_eq!(unit_of(-2 * SECOND), SECOND);
        assert_eq!(unit_of(5_000), MILLISECOND);
        assert_eq!(unit_of(-1), 1);
    }

    #[test]
    fn halves_on_whole_seconds() {
        assert_eq!(halve(0, 7 * SECOND), [3 * SECOND]);
        assert_eq!(halve(-7 * SECOND, 0), [-4 * SECOND]);
    }

    #[test]
    fn takes_the_end_that_was_kept() {
        let falling: Vec<Micros> = (900..1_000).rev().collect();
        assert_eq!(by_sample(0, 1_000, &falling, 1), [901]);
        let rising: Vec<Micros> = (0..100).collect();
        assert_eq!(by_sample(0, 1_000, &rising, 1), [99]);
        let whole: Vec<Micros> = (0..1_000).rev().collect();
        assert_eq!(by_sample(0, 1_000, &whole, 1), [500]);
    }

    #[test]
    fn cuts_out_an_instant_that_holds_most() {
        let mut sample = vec![500; 90];
        sample.extend(0..10);
        assert_eq!(by_sample(0, 1_000, &sample, 1), [500, 501]);
        assert_eq!(by_sample(500, 1_000, &[500; 9], 1), [501]);
        assert!(by_sample(500, 501, &[500; 9], 1).is_empty());
        assert_eq!(
            by_sample(0, 3 * SECOND, &[SECOND; 9], SECOND),
            [SECOND, 2 * SECOND]
        );
    }

    #[test]
    fn always_leaves_rows_on_both_sides() {
        let sample = [5, 5, 5, 9, 9, 5, 9, 9, 3, 3];
        let cut = by_sample(0, 10, &sample, 1);
        assert!(
            cut.iter().all(|cut| (4..10).contains(cut)) && !cut.is_empty(),
            "{cut:?}"
        );
    }
}
