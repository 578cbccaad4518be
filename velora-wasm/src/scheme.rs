//! Schemes, by their numbers.

use velora_core::{ConfigError, Precheck, Scheme};

use crate::{failure, frame};

exports! {
    /// The number of the scheme that the core has by the name in the frame.
    ///
    /// Errors: `unknown_scheme`.
    fn named_scheme(length: usize) -> f64 {
        failure::number(frame::with(|heard| {
            let name = heard.get(..length).unwrap_or_default();
            number(Scheme::named(frame::text(name))?)
        }))
    }

    /// Leaves the name of the header at this place, whose values must be passed, and returns its
    /// length; 0 if there is none.
    fn header(scheme: usize, place: usize) -> usize {
        numbered(scheme).map_or(0, |precheck| {
            let name = precheck.headers().nth(place);
            let name = name.map_or("", |name| name.as_str());
            frame::with(|heard| frame::leave(heard, name.as_bytes()));
            name.len()
        })
    }
}

/// Only the core's schemes: the number is the position in the list, and nothing is held.
#[cfg(not(feature = "receiver"))]
mod chosen {
    use velora_core::Unsaid;

    use super::*;

    pub(super) fn number(scheme: Scheme) -> Result<f64, ConfigError> {
        let mut all = Scheme::all().iter();
        let place = all.position(|known| known.name() == scheme.name());
        Ok(place.unwrap_or_default() as f64)
    }

    pub(crate) fn numbered(number: usize) -> Result<Precheck, ConfigError> {
        match Scheme::all().get(number) {
            Some(scheme) => Precheck::new(scheme.clone()),
            None => Err(ConfigError::UnknownScheme { known: Unsaid }),
        }
    }
}

/// Each scheme is held, because there may also be schemes of the caller's own.
#[cfg(feature = "receiver")]
mod chosen {
    use std::rc::Rc;

    use super::*;
    use crate::handles;

    #[inline(never)]
    pub(crate) fn number(scheme: Scheme) -> Result<f64, ConfigError> {
        Ok(handles::put(Precheck::new(scheme)?))
    }

    pub(crate) fn numbered(number: usize) -> Result<Rc<Precheck>, ConfigError> {
        handles::of(number)
    }
}

#[cfg(feature = "receiver")]
pub(crate) use chosen::number;
#[cfg(not(feature = "receiver"))]
use chosen::number;
/// The checks of the scheme of this number, with the default tolerance.
pub(crate) use chosen::numbered;
