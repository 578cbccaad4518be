//! What JavaScript holds by a number.

use std::cell::RefCell;
use std::rc::Rc;

/// Things by their numbers; a number is used again once its thing is dropped.
pub(crate) struct Handles<T>(RefCell<Vec<Option<Rc<T>>>>);

impl<T> Handles<T> {
    pub(crate) const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    pub(crate) fn put(&self, thing: T) -> usize {
        let mut held = self.0.borrow_mut();
        let thing = Some(Rc::new(thing));
        match held.iter_mut().enumerate().find(|(_, slot)| slot.is_none()) {
            Some((at, slot)) => {
                *slot = thing;
                at
            }
            None => {
                held.push(thing);
                held.len() - 1
            }
        }
    }

    pub(crate) fn of(&self, at: usize) -> Option<Rc<T>> {
        self.0.borrow().get(at)?.clone()
    }

    pub(crate) fn remove(&self, at: usize) {
        if let Some(slot) = self.0.borrow_mut().get_mut(at) {
            *slot = None;
        }
    }
}
