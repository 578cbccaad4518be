//! What the plan makes of one answer.

use super::leaf::Shape;
use super::plan::{CAP, How, Outcome, Plan};
use super::split::SECOND;
use crate::error::ApiError;

/// Lists an instant that fills a response; the listing has this shape.
fn listed(shape: Shape) -> Result<bool, ApiError> {
    let mut plan = Plan::new(0, 10 * SECOND);
    let whole = plan.next(1).unwrap();
    let (sample, claimed) = (vec![3 * SECOND; CAP], false);
    plan.exported(whole.id, Outcome::Truncated { sample, claimed })
        .unwrap();
    let before = plan.next(1).unwrap();
    let empty = Outcome::Whole(Shape::default());
    assert!(plan.exported(before.id, empty).unwrap());
    plan.take_done().unwrap();
    let crowd = plan.next(1).unwrap();
    assert_eq!(crowd.how, How::Pages { at_least: CAP });
    plan.paged(crowd.id, shape, true)
}

#[test]
fn a_listing_is_judged_as_an_export_is() {
    let rows = CAP + 7;
    let whole = Shape {
        rows,
        ..Shape::default()
    };
    assert!(listed(whole).unwrap());
    // Rows at its end, which the listing may include: the next leaf has them.
    assert!(listed(Shape { above: 7, ..whole }).unwrap());
    for (shape, code) in [
        (Shape { above: 8, ..whole }, "incomplete_window"),
        (Shape { below: 1, ..whole }, "incomplete_window"),
        (Shape { far: 1, ..whole }, "incomplete_window"),
        (Shape { unit: 1, ..whole }, "incomplete_window"),
        (
            Shape {
                unreadable: 1,
                ..whole
            },
            "malformed_response",
        ),
    ] {
        let error = listed(shape).unwrap_err();
        assert_eq!(error.code().as_str(), code, "{shape:?}");
    }
}

fn seen(rows: usize, above: usize, past: usize) -> Outcome {
    Outcome::Whole(Shape {
        rows,
        above,
        past,
        ..Shape::default()
    })
}

fn cut(sample: Vec<i64>) -> Outcome {
    let claimed = false;
    Outcome::Truncated { sample, claimed }
}

/// The id of the next export, and the end that it requests.
fn until(plan: &mut Plan) -> (u64, i64) {
    let ask = plan.next(1).unwrap();
    match ask.how {
        How::Export { until, .. } => (ask.id, until),
        How::Pages { .. } => panic!("nothing is crowded"),
    }
}

/// If a system is known to include the end, rows at the end are expected. Rows after it are
/// requested again, and may hide none before it.
#[test]
fn rows_behind_an_end_are_looked_at_again() {
    let end = 100 * SECOND;
    for (again, code) in [
        (seen(1, 0, 0), None),
        (seen(0, 0, 0), Some("incomplete_window")),
        (seen(2, 1, 1), Some("incomplete_window")),
    ] {
        let mut plan = Plan::new(0, end);
        let (whole, _) = until(&mut plan);
        plan.exported(whole, cut(Vec::new())).unwrap();
        let (half, middle) = until(&mut plan);
        assert!(!plan.exported(half, seen(2, 1, 0)).unwrap());
        assert_eq!(until(&mut plan), (half, middle - 1));
        assert!(plan.exported(half, seen(1, 0, 0)).unwrap());
        plan.take_done().unwrap();

        let (rest, at) = until(&mut plan);
        assert_eq!(at, end);
        assert!(!plan.exported(rest, seen(2, 1, 1)).unwrap());
        assert_eq!(until(&mut plan), (rest, end - 1));
        let read = plan.exported(rest, again);
        assert_eq!(read.err().map(|error| error.code().as_str()), code);
    }
}

/// If so many rows are at the end that they hide all others, no part that ends there is
/// requested with them.
#[test]
fn a_crowd_at_an_end_stays_left_out_where_the_rest_is_cut() {
    let end = 4 * SECOND;
    let mut plan = Plan::new(0, end);
    let (whole, _) = until(&mut plan);
    plan.exported(whole, cut(vec![end; 10])).unwrap();
    assert_eq!(until(&mut plan), (whole, end - 1));
    let sample = (0..4).map(|second| second * SECOND).collect();
    plan.exported(whole, cut(sample)).unwrap();
    let asked: Vec<_> = std::iter::from_fn(|| plan.next(9)).collect();
    assert!(asked.len() > 1);
    for ask in asked {
        let short = i64::from(ask.leaf.until == end);
        let How::Export { until, .. } = ask.how else {
            panic!("nothing is crowded");
        };
        assert_eq!(until, ask.leaf.until - short);
    }
}

#[test]
fn a_row_of_a_cut_answer_that_is_far_behind_is_astray() {
    let end = 4 * SECOND;
    for (stamp, code) in [
        (end + SECOND - 1, None),
        (end + SECOND, Some("incomplete_window")),
    ] {
        let mut plan = Plan::new(0, end);
        let (whole, _) = until(&mut plan);
        let read = plan.exported(whole, cut(vec![0, SECOND, stamp]));
        assert_eq!(read.err().map(|error| error.code().as_str()), code);
    }
}

/// Requested without its last microsecond, a part has no row at its end.
#[test]
fn a_cut_answer_with_rows_behind_a_short_end_is_astray() {
    let mut plan = Plan::new(0, 100 * SECOND);
    let (whole, _) = until(&mut plan);
    plan.exported(whole, cut(Vec::new())).unwrap();
    let (half, middle) = until(&mut plan);
    plan.exported(half, cut(vec![middle; 10])).unwrap();
    assert_eq!(until(&mut plan), (half, middle - 1));
    let error = plan.exported(half, cut(vec![0, 1, middle])).unwrap_err();
    assert_eq!(error.code().as_str(), "incomplete_window");
}
