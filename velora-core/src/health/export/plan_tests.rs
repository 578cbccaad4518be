//! What the plan makes of one answer.

use super::leaf::Shape;
use super::plan::{CAP, How, Outcome, Plan};
use super::split::SECOND;
use crate::error::ApiError;

/// What comes of an instant of as many rows as an answer holds, once it was listed, and they
/// were so.
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
    // At its end, which the listing may count as inside: the next leaf has them.
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
