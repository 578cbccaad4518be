//! What the host holds by a number.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use velora_core::ConfigError;

thread_local! {
    static HELD: RefCell<Vec<Option<Rc<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

exports! {
    /// Nobody holds it any more; its number is used again.
    fn let_go(at: usize) {
        let gone = HELD.with_borrow_mut(|held| held.get_mut(at).and_then(Option::take));
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
    HELD.with_borrow_mut(|held| {
        let mut slots = held.iter_mut().enumerate();
        let at = match slots.find(|(_, slot)| slot.is_none()) {
            Some((at, slot)) => {
                *slot = Some(thing);
                at
            }
            None => {
                held.push(Some(thing));
                held.len() - 1
            }
        };
        at as f64
    })
}

const NOTHING: ConfigError = ConfigError::InvalidOption {
    option: "number",
    reason: "nothing has this number",
};

#[inline(never)]
fn held(at: usize) -> Result<Rc<dyn Any>, ConfigError> {
    HELD.with_borrow(|held| held.get(at).cloned().flatten())
        .ok_or(NOTHING)
}

/// What of this kind has this number.
///
/// Errors: `invalid_option` where nothing of it has.
pub(crate) fn of<T: Any>(at: usize) -> Result<Rc<T>, ConfigError> {
    held(at)?.downcast().map_err(|_| NOTHING)
}
