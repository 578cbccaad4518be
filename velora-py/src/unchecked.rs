//! The code that the compiler cannot check. Two parts of it save a third of the cost of a
//! verification: reading a dict without counting references, and keeping a delivery next to what
//! it borrows. The third asks which interpreter this is.
#![expect(unsafe_code, reason = "see the comments at each")]

use std::mem::transmute;
use std::ptr;
use std::slice;

use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use velora_core::{Delivery, Verifier as CoreVerifier};

use crate::verifier::Verifier;

/// Whether this is the interpreter that the process began with.
pub(crate) fn is_main_interpreter(_: Python<'_>) -> bool {
    // SAFETY: this thread is attached, so it has an interpreter. Its number is plain data.
    unsafe { ffi::PyInterpreterState_GetID(ffi::PyInterpreterState_Get()) == 0 }
}

/// Whether a dict has entries that [`matching`] does not look at.
pub(crate) struct OtherKeys(pub(crate) bool);

/// Passes on the values of the wanted keys. Keys that are not plain `str` are left out.
///
/// `wanted` must not call Python, and cannot, because it has no handle to Python.
#[cfg(not(Py_GIL_DISABLED))]
#[inline]
pub(crate) fn matching<'py, K>(
    dict: &Bound<'py, PyDict>,
    wanted: impl Fn(&[u8]) -> Option<K>,
    mut found: impl FnMut(K, Bound<'py, PyAny>),
) -> OtherKeys {
    let py = dict.py();
    let mut position = 0;
    let (mut key, mut value) = (ptr::null_mut(), ptr::null_mut());
    let mut others = false;
    // SAFETY: the dict is alive, and `position` is of this loop alone. `key` and `value` are
    // borrowed from the dict: they are used before anything below could run Python code, and
    // no other thread runs any while this one holds the global lock.
    while unsafe { ffi::PyDict_Next(dict.as_ptr(), &mut position, &mut key, &mut value) } != 0 {
        // SAFETY: an object has a type, and the type of `str` is never freed.
        if !ptr::eq(unsafe { ffi::Py_TYPE(key) }, &raw const ffi::PyUnicode_Type) {
            others = true;
            continue;
        }
        let mut length = 0;
        // SAFETY: `key` is a `str`. Its UTF-8 lives as long as it does.
        let utf8 = unsafe { ffi::PyUnicode_AsUTF8AndSize(key, &mut length) };
        if utf8.is_null() {
            // A lone surrogate is not part of any header's name. Creating the error may have
            // run Python code, so nothing borrowed in this round is used again.
            // SAFETY: this thread is attached to Python.
            unsafe { ffi::PyErr_Clear() };
            continue;
        }
        let length = usize::try_from(length).unwrap_or_default();
        // SAFETY: Python has just said where the text is and how long.
        let name = unsafe { slice::from_raw_parts(utf8.cast(), length) };
        if let Some(wanted) = wanted(name) {
            // SAFETY: `value` is borrowed from the dict; this counts one more reference.
            found(wanted, unsafe { Bound::from_borrowed_ptr(py, value) });
        }
    }
    OtherKeys(others)
}

/// The same if other threads may change the dict meanwhile: references are counted.
#[cfg(Py_GIL_DISABLED)]
pub(crate) fn matching<'py, K>(
    dict: &Bound<'py, PyDict>,
    wanted: impl Fn(&[u8]) -> Option<K>,
    mut found: impl FnMut(K, Bound<'py, PyAny>),
) -> OtherKeys {
    let mut others = false;
    for (key, value) in dict.iter().collect::<Vec<_>>() {
        match key.cast_exact::<pyo3::types::PyString>() {
            Ok(name) => {
                if let Some(wanted) = name.to_str().ok().and_then(|name| wanted(name.as_bytes())) {
                    found(wanted, value);
                }
            }
            Err(_) => others = true,
        }
    }
    OtherKeys(others)
}

/// A delivery, and the Python objects that it borrows from, if any.
pub(crate) struct Kept {
    /// Not really `'static` if there is a verifier: see [`Kept::new`]. Dropped before the
    /// objects are.
    delivery: Delivery<'static>,
    body: Py<PyBytes>,
    _verifier: Option<Py<Verifier>>,
}

impl Kept {
    /// The result of `verify`, together with what it borrows from.
    #[inline]
    pub(crate) fn new<E>(
        verifier: &Bound<'_, Verifier>,
        body: Bound<'_, PyBytes>,
        verify: impl for<'b> FnOnce(&'b CoreVerifier, &'b [u8]) -> Result<Delivery<'b>, E>,
    ) -> Result<Self, E> {
        let delivery = verify(&verifier.get().0, body.as_bytes())?;
        // SAFETY: it borrows from the verifier and from the bytes alone, as the signature of
        // `verify` says. Neither moves or changes while its Python object lives, as `bytes`
        // and a frozen class do not, and both objects are kept here. No one is given a
        // reference that outlives `self`.
        let delivery = unsafe { transmute::<Delivery<'_>, Delivery<'static>>(delivery) };
        Ok(Self {
            delivery,
            body: body.unbind(),
            _verifier: Some(verifier.clone().unbind()),
        })
    }

    /// A delivery that borrows from nothing, and the object that its body came in.
    pub(crate) fn owned(delivery: Delivery<'static>, body: Py<PyBytes>) -> Self {
        Self {
            delivery,
            body,
            _verifier: None,
        }
    }

    pub(crate) fn delivery(&self) -> &Delivery<'_> {
        &self.delivery
    }

    pub(crate) fn body(&self) -> &Py<PyBytes> {
        &self.body
    }
}
