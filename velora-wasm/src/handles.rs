//! What the host holds by a number.

use std::any::Any;
use std::cell::Cell;
use std::rc::Rc;

use velora_core::ConfigError;

thread_local! {
    static HELD: Cell<Vec<Option<Rc<dyn Any>>>> = const { Cell::new(Vec::new()) };
}

exports! {
    /// Nobody holds it any more; its number is used again.
    fn let_go(at: usize) {
        let mut held = HELD.take();
        let gone = held.get_mut(at).and_then(Option::take);
        HELD.set(held);
        // Only now, as it may itself hold what has a number.
        drop(gone);
    }
}

/// The number to hold it by.
pub(crate) fn put(thing: impl Any) -> f64 {
    hold(Rc::new(thing))
}

#[inline(never)]
fn hold(thing: Rc<dyn Any>) -> f64 {
    let mut held = HELD.take();
    let thing = Some(thing);
    let at = held.iter().position(Option::is_none).unwrap_or(held.len());
    match held.get_mut(at) {
        Some(slot) => *slot = thing,
        None => held.push(thing),
    }
    HELD.set(held);
    at as f64
}

#[inline(never)]
fn held_by(at: usize) -> Option<Rc<dyn Any>> {
    let held = HELD.take();
    let thing = held.get(at).cloned().flatten();
    HELD.set(held);
    thing
}

/// What has this number.
///
/// Errors: `invalid_option` where nothing of this kind has.
pub(crate) fn of<T: Any>(at: usize) -> Result<Rc<T>, ConfigError> {
    held_by(at)
        .and_then(|thing| thing.downcast().ok())
        .ok_or(ConfigError::InvalidOption {
            option: "number",
            reason: "nothing has it",
        })
}
