//! Converts JavaScript values to bytes and strings, and back.

use std::ffi::c_char;
use std::ptr::null_mut;
use std::{slice, str};

use napi::bindgen_prelude::Result;
use napi::{check_status, sys};
use velora_core::{HeaderName, Headers};

use crate::headers::wire_bytes;

pub(super) fn text_value(env: sys::napi_env, text: &str) -> Result<sys::napi_value> {
    let length = isize::try_from(text.len()).unwrap_or_default();
    let mut result = null_mut();
    // SAFETY: the length is the text's, and `result` is written before it is read.
    check_status!(unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), length, &mut result)
    })?;
    Ok(result)
}

/// A string with one character for each byte.
pub(super) fn latin1_value(env: sys::napi_env, text: &[u8]) -> Result<sys::napi_value> {
    let length = isize::try_from(text.len()).unwrap_or_default();
    let mut result = null_mut();
    // SAFETY: the length is the text's, and `result` is written before it is read.
    check_status!(unsafe {
        sys::napi_create_string_latin1(env, text.as_ptr().cast(), length, &mut result)
    })?;
    Ok(result)
}

pub(super) fn undefined(env: sys::napi_env) -> Result<sys::napi_value> {
    let mut result = null_mut();
    // SAFETY: `result` is written before it is read.
    check_status!(unsafe { sys::napi_get_undefined(env, &mut result) })?;
    Ok(result)
}

pub(super) fn number_of(env: sys::napi_env, value: sys::napi_value) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: for a value that is not a number, this returns a status and writes nothing.
    let status = unsafe { sys::napi_get_value_double(env, value, &mut number) };
    (status == sys::Status::napi_ok).then_some(number)
}

/// The forms in which a body may be passed.
pub(super) enum Given<'a> {
    Bytes(&'a [u8]),
    /// Bytes that another thread could write to during the call.
    Shared,
    /// Not a `Uint8Array`.
    Other,
}

/// The bytes of a `Uint8Array`.
pub(super) fn bytes_of<'a>(env: sys::napi_env, value: sys::napi_value) -> Given<'a> {
    let (mut kind, mut length, mut data, mut memory) = (0, 0, null_mut(), null_mut());
    // SAFETY: for a value that is not a typed array, this returns a status and writes nothing.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut memory,
            null_mut(),
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return Given::Other;
    }
    let mut unshared = false;
    // SAFETY: `memory` is the array's buffer. A `SharedArrayBuffer` is not an `ArrayBuffer`.
    let status = unsafe { sys::napi_is_arraybuffer(env, memory, &mut unshared) };
    if status != sys::Status::napi_ok || !unshared {
        return Given::Shared;
    }
    if data.is_null() {
        return Given::Bytes(&[]);
    }
    // SAFETY: `length` bytes are there; see the module on what could change them.
    Given::Bytes(unsafe { slice::from_raw_parts(data.cast(), length) })
}

pub(super) type ReadText = unsafe extern "C" fn(
    sys::napi_env,
    sys::napi_value,
    *mut c_char,
    usize,
    *mut usize,
) -> sys::napi_status;

/// The bytes of a string, read with one of Node-API's functions for that.
pub(super) fn text_of(
    env: sys::napi_env,
    value: sys::napi_value,
    read: ReadText,
) -> Result<Vec<u8>> {
    let mut length = 0;
    // SAFETY: without a buffer, only the length is written.
    check_status!(
        unsafe { read(env, value, null_mut(), 0, &mut length) },
        "expected a string or a Uint8Array"
    )?;
    let mut text = vec![0; length.saturating_add(1)];
    // SAFETY: the length is the buffer's.
    check_status!(unsafe {
        read(
            env,
            value,
            text.as_mut_ptr().cast(),
            text.len(),
            &mut length,
        )
    })?;
    text.truncate(length);
    Ok(text)
}

/// The values of one header: none, one, or all of several.
#[derive(Default)]
pub(super) enum Values<'s> {
    #[default]
    None,
    One(&'s [u8]),
    Own(Vec<Vec<u8>>),
}

/// Reads header values into scratch memory, as long as there is room.
pub(super) struct Reader<'s> {
    pub(super) env: sys::napi_env,
    pub(super) free: &'s mut [u8],
}

impl<'s> Reader<'s> {
    pub(super) fn values(&mut self, value: sys::napi_value) -> Result<Values<'s>> {
        let mut length = 0;
        let free = std::mem::take(&mut self.free);
        // SAFETY: the length is the buffer's.
        let status = unsafe {
            sys::napi_get_value_string_utf8(
                self.env,
                value,
                free.as_mut_ptr().cast(),
                free.len(),
                &mut length,
            )
        };
        if status != sys::Status::napi_ok {
            self.free = free;
            return self.several(value);
        }
        // A text that reaches the end of the buffer may be truncated.
        let fits = length.saturating_add(4) < free.len();
        if !fits || !free.get(..length).is_some_and(<[u8]>::is_ascii) {
            self.free = free;
            return self.own(value).map(|value| Values::Own(vec![value]));
        }
        let (used, rest) = free.split_at_mut(length);
        self.free = rest;
        Ok(Values::One(used))
    }

    fn own(&self, value: sys::napi_value) -> Result<Vec<u8>> {
        let text = text_of(self.env, value, sys::napi_get_value_string_utf8)?;
        Ok(str::from_utf8(&text)
            .map_or_else(|_| text.clone(), |text| wire_bytes(text).into_owned()))
    }

    /// An array of strings; anything else counts as no value.
    fn several(&mut self, value: sys::napi_value) -> Result<Values<'s>> {
        let mut length = 0;
        // SAFETY: for a value that is not an array, this returns a status and writes nothing.
        let status = unsafe { sys::napi_get_array_length(self.env, value, &mut length) };
        if status != sys::Status::napi_ok {
            return Ok(Values::None);
        }
        let mut values = Vec::new();
        for index in 0..length {
            let mut element = null_mut();
            // SAFETY: `element` is written before it is read.
            check_status!(unsafe { sys::napi_get_element(self.env, value, index, &mut element) })?;
            values.push(self.own(element)?);
        }
        Ok(Values::Own(values))
    }
}

/// The values, and the names that they belong to.
pub(super) struct Found<'s> {
    pub(super) names: &'s [String],
    pub(super) values: &'s [Values<'s>],
}

impl Headers for Found<'_> {
    fn each_value<'h>(&'h self, name: &HeaderName, each: &mut dyn FnMut(&'h [u8])) {
        for (known, values) in self.names.iter().zip(self.values) {
            if *known != name.as_str() {
                continue;
            }
            match values {
                Values::None => {}
                Values::One(value) => each(value),
                Values::Own(values) => values.iter().for_each(|value| each(value)),
            }
        }
    }
}
