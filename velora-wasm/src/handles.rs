//! Objects that the host holds by a number.

use std::any::Any;
use std::cell::RefCell;
use std::rc::Rc;

use velora_core::ConfigError;

thread_local! {
    static HELD: RefCell<Vec<Option<Rc<dyn Any>>>> = const { RefCell::new(Vec::new()) };
}

exports! {
    /// Drops an object that the host no longer holds; its number is reused.
    fn let_go(at: usize) {
        let gone = HELD.with_borrow_mut(|held| held.get_mut(at).and_then(Option::take));
        // Only now, because dropping it may drop other objects with a number.
        drop(gone);
    }
}

/// Keeps an object, and returns its number.
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

/// The object of this type with this number.
///
/// Errors: `invalid_option` if there is none.
pub(crate) fn of<T: Any>(at: usize) -> Result<Rc<T>, ConfigError> {
    held(at)?.downcast().map_err(|_| NOTHING)
}
