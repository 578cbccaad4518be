//! The one call that has to be quick, by hand on Node-API.
//!
//! A class method of napi-rs costs several hundred nanoseconds, as much as the
//! verification itself; a bare callback costs forty. So each verifier is a function of
//! its own, whose data is the verifier:
//!
//! ```text
//! (body: Uint8Array | string, nowMillis: number | undefined,
//!  ...values: (string | undefined | string[])[]) => number | [number, number] | Failure
//! ```
//!
//! The values are those of [`Precheck::headers`](velora_core::Precheck::headers), in that order; several make an
//! array. The result is the signed timestamp in milliseconds, NaN where none is signed;
//! with the secret's index behind it where that is not 0; or what failed.
//!
//! A second function reads what was verified before, of a copy that nobody can write to:
//!
//! ```text
//! (copy: string, how: 0 | 1 | 2, ...values) => string | string[] | Failure
//! ```
//!
//! The copy has a byte of the body in each character. `how` 0 gives the envelope; 1 does
//! after verifying the copy once more, but for the age; 2 gives the members, as JSON. An
//! envelope is four lines: a digit (0: no type, 1: a signed one, 2: one of an unsigned
//! header), the type, the id, the key; an array of these where one has a line's end in it.
//!
//! # Why this is sound
//!
//! - `data` is a `Shared` that lives until the function is collected: its finalizer frees
//!   it, and no call can follow. Both run on the thread of the function's environment, so
//!   the scratch memory in it has one user.
//! - `copy` is a text, which does not change.
//! - The body is borrowed from JavaScript for the length of one call, in which no
//!   JavaScript runs: nothing can detach, resize or write it. (A body in shared memory is
//!   copied before it comes here.)
//! - Nothing unwinds into C: the whole call is inside `catch_unwind`.

#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::slice;
use std::str;
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Function, Result, ToNapiValue, Unknown};
use napi::{Env, check_status, sys};
use velora_core::{Delivery, EventJson, HeaderName, Headers, VerificationError, Verifier};

use crate::failure::Failure;
use crate::headers::{names, wire_bytes};
use crate::verifier::{DeliveryParts, instant};

/// A body, a time, and the values of as many headers as a scheme can name.
const MOST_ARGUMENTS: usize = 8;
/// What comes before the headers.
const FIRST_HEADER: usize = 2;
/// Enough for the signature header of any system; what is longer is read into memory of its own.
const SCRATCH_BYTES: usize = 1024;

/// What a function does.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    Verify,
    Read,
}

/// The data of a function.
struct Shared {
    verifier: Arc<Verifier>,
    task: Task,
    names: Vec<String>,
    scratch: RefCell<Vec<u8>>,
}

/// Makes the function of a verifier.
pub(crate) fn function<'env>(
    env: &'env Env,
    verifier: Arc<Verifier>,
    task: Task,
) -> Result<Function<'env, Unknown<'env>, Unknown<'env>>> {
    let shared = Box::new(Shared {
        names: names(&verifier),
        verifier,
        task,
        scratch: RefCell::new(vec![0; SCRATCH_BYTES]),
    });
    let data: *mut c_void = Box::into_raw(shared).cast();
    let raw = env.raw();
    let mut function = null_mut();
    // SAFETY: `data` is a `Shared`, as `call` takes it to be.
    let made =
        unsafe { sys::napi_create_function(raw, null(), 0, Some(call), data, &mut function) };
    let owned = match made {
        // SAFETY: `function` was made just now, and `free` takes a `Shared`.
        sys::Status::napi_ok => unsafe {
            sys::napi_add_finalizer(raw, function, data, Some(free), null_mut(), null_mut())
        },
        failed => failed,
    };
    if owned != sys::Status::napi_ok {
        // SAFETY: nobody else owns it, and a function without finalizer is not given out.
        drop(unsafe { Box::from_raw(data.cast::<Shared>()) });
    }
    check_status!(owned, "the verifier's function could not be made")?;
    // SAFETY: it is a function of this environment.
    unsafe { Function::from_napi_value(raw, function) }
}

/// Runs once, when the function is collected or its environment ends.
unsafe extern "C" fn free(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `function` gave it this pointer, and nobody has it any more.
    drop(unsafe { Box::from_raw(data.cast::<Shared>()) });
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    contained(env, || {
        let mut arguments = [null_mut(); MOST_ARGUMENTS];
        let mut count = MOST_ARGUMENTS;
        let mut data = null_mut();
        // SAFETY: the array has room for `count` values; what is not given is filled
        // with `undefined`.
        check_status!(unsafe {
            sys::napi_get_cb_info(
                env,
                info,
                &mut count,
                arguments.as_mut_ptr(),
                null_mut(),
                &mut data,
            )
        })?;
        // SAFETY: `function` made it, and it lives as long as the function that is called.
        let shared = unsafe { &*data.cast::<Shared>() };
        run(env, shared, &arguments)
    })
}

/// Turns an error and a panic into an exception.
fn contained(
    env: sys::napi_env,
    call: impl FnOnce() -> Result<sys::napi_value>,
) -> sys::napi_value {
    let thrown = match catch_unwind(AssertUnwindSafe(call)) {
        Ok(Ok(value)) => return value,
        Ok(Err(error)) => error.reason.clone(),
        Err(_) => "a panic in the verifier".to_owned(),
    };
    // SAFETY: the text is as long as is said, and each value is of this environment.
    unsafe {
        let (mut text, mut error) = (null_mut(), null_mut());
        let length = isize::try_from(thrown.len()).unwrap_or_default();
        sys::napi_create_string_utf8(env, thrown.as_ptr().cast(), length, &mut text);
        sys::napi_create_error(env, null_mut(), text, &mut error);
        sys::napi_throw(env, error);
    }
    null_mut()
}

/// Panics where a call would: for the test that this is an error.
#[cfg(feature = "panics")]
pub(crate) fn panicking(env: &Env) -> Result<()> {
    contained(env.raw(), || panic!("a test asked for it"));
    Err(napi::Error::new(napi::Status::PendingException, ""))
}

fn run(
    env: sys::napi_env,
    shared: &Shared,
    arguments: &[sys::napi_value; MOST_ARGUMENTS],
) -> Result<sys::napi_value> {
    let [body, option, values @ ..] = arguments;
    let mut values = values.iter().copied();
    let mut scratch = shared.scratch.borrow_mut();
    let mut reader = Reader {
        env,
        free: &mut scratch,
    };
    let mut found: [Values<'_>; MOST_ARGUMENTS - FIRST_HEADER] = Default::default();
    for (found, _) in found.iter_mut().zip(&shared.names) {
        if let Some(value) = values.next() {
            *found = reader.values(value)?;
        }
    }
    let headers = Found {
        names: &shared.names,
        values: &found,
    };

    let option = number_of(env, *option);
    let result = match shared.task {
        Task::Verify => verify(env, &shared.verifier, *body, option, &headers),
        Task::Read => read(env, &shared.verifier, *body, option, &headers),
    }?;
    match result {
        Ok(value) => Ok(value),
        // SAFETY: a plain object of this environment.
        Err(error) => unsafe { Failure::to_napi_value(env, Failure::of_verification(&error)) },
    }
}

type Verified = Result<std::result::Result<sys::napi_value, VerificationError>>;

fn verify(
    env: sys::napi_env,
    verifier: &Verifier,
    body: sys::napi_value,
    now: Option<f64>,
    headers: &Found<'_>,
) -> Verified {
    let text;
    let body = match bytes_of(env, body) {
        Some(bytes) => bytes,
        None => {
            text = text_of(env, body, sys::napi_get_value_string_utf8)?;
            text.as_slice()
        }
    };
    let verified = match now {
        Some(millis) => verifier.verify_at(body, headers, instant(millis)),
        None => verifier.verify(body, headers),
    };
    match verified {
        Ok(delivery) => verdict(env, &delivery).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

const VERIFY_AGAIN: f64 = 1.0;
const MEMBERS: f64 = 2.0;

fn read(
    env: sys::napi_env,
    verifier: &Verifier,
    copy: sys::napi_value,
    how: Option<f64>,
    headers: &Found<'_>,
) -> Verified {
    let body = text_of(env, copy, sys::napi_get_value_string_latin1)?;
    let delivery = match how {
        Some(VERIFY_AGAIN) => match verifier.verify(&body, headers) {
            Ok(delivery) => delivery,
            Err(error) => return Ok(Err(error)),
        },
        _ => verifier.dangerous_verified_before(&body, headers),
    };
    if how == Some(MEMBERS) {
        return match delivery.event::<EventJson>() {
            Ok(json) => text_value(env, json.as_str()).map(Ok),
            Err(error) => Ok(Err(error)),
        };
    }
    match DeliveryParts::of(&delivery) {
        Ok(parts) => lines_of(env, &parts).map(Ok),
        Err(error) => Ok(Err(error)),
    }
}

fn verdict(env: sys::napi_env, delivery: &Delivery<'_>) -> Result<sys::napi_value> {
    let stamp = delivery
        .signed_timestamp()
        .map_or(f64::NAN, |time| time.as_millis() as f64);
    match delivery.secret_index() {
        0 => number(env, stamp),
        // SAFETY: a vector of numbers becomes an array of this environment.
        index => unsafe { Vec::to_napi_value(env, vec![stamp, index as f64]) },
    }
}

/// The digit, the type, the id, the key.
fn lines_of(env: sys::napi_env, parts: &DeliveryParts) -> Result<sys::napi_value> {
    let (digit, event_type) = match &parts.event_type {
        None => ("0", ""),
        Some(event_type) if parts.type_is_signed => ("1", event_type.as_str()),
        Some(event_type) => ("2", event_type.as_str()),
    };
    let id = parts.id.as_deref().unwrap_or_default();
    let lines = [digit, event_type, id, parts.key.as_str()];
    match lines.iter().any(|line| line.contains('\n')) {
        false => text_value(env, &lines.join("\n")),
        // SAFETY: a vector of texts becomes an array of this environment.
        true => unsafe { Vec::to_napi_value(env, lines.to_vec()) },
    }
}

fn text_value(env: sys::napi_env, text: &str) -> Result<sys::napi_value> {
    let length = isize::try_from(text.len()).unwrap_or_default();
    let mut result = null_mut();
    // SAFETY: the text is as long as is said, and `result` is written before it is read.
    check_status!(unsafe {
        sys::napi_create_string_utf8(env, text.as_ptr().cast(), length, &mut result)
    })?;
    Ok(result)
}

fn number(env: sys::napi_env, value: f64) -> Result<sys::napi_value> {
    let mut result = null_mut();
    // SAFETY: `result` is written before it is read.
    check_status!(unsafe { sys::napi_create_double(env, value, &mut result) })?;
    Ok(result)
}

fn number_of(env: sys::napi_env, value: sys::napi_value) -> Option<f64> {
    let mut number = 0.0;
    // SAFETY: a value that is no number is a status, and writes nothing.
    let status = unsafe { sys::napi_get_value_double(env, value, &mut number) };
    (status == sys::Status::napi_ok).then_some(number)
}

/// The bytes of a `Uint8Array`; `None` where it is none.
fn bytes_of<'a>(env: sys::napi_env, value: sys::napi_value) -> Option<&'a [u8]> {
    let (mut kind, mut length, mut data) = (0, 0, null_mut());
    // SAFETY: a value that is no typed array is a status, and writes nothing.
    let status = unsafe {
        sys::napi_get_typedarray_info(
            env,
            value,
            &mut kind,
            &mut length,
            &mut data,
            null_mut(),
            null_mut(),
        )
    };
    if status != sys::Status::napi_ok || kind != sys::TypedarrayType::uint8_array {
        return None;
    }
    if data.is_null() {
        return Some(&[]);
    }
    // SAFETY: so many bytes lie there; see the module on who could change them.
    Some(unsafe { slice::from_raw_parts(data.cast(), length) })
}

type ReadText = unsafe extern "C" fn(
    sys::napi_env,
    sys::napi_value,
    *mut c_char,
    usize,
    *mut usize,
) -> sys::napi_status;

/// The bytes of a text, as one of the functions of Node-API for that gives them.
fn text_of(env: sys::napi_env, value: sys::napi_value, read: ReadText) -> Result<Vec<u8>> {
    let mut length = 0;
    // SAFETY: without a buffer the length alone is written.
    check_status!(
        unsafe { read(env, value, null_mut(), 0, &mut length) },
        "a text or a Uint8Array is expected"
    )?;
    let mut text = vec![0; length.saturating_add(1)];
    // SAFETY: the buffer is as long as is said.
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
enum Values<'s> {
    #[default]
    None,
    One(&'s [u8]),
    Own(Vec<Vec<u8>>),
}

/// Reads header values, into scratch memory while there is room.
struct Reader<'s> {
    env: sys::napi_env,
    free: &'s mut [u8],
}

impl<'s> Reader<'s> {
    fn values(&mut self, value: sys::napi_value) -> Result<Values<'s>> {
        let mut length = 0;
        let free = std::mem::take(&mut self.free);
        // SAFETY: the buffer is as long as is said.
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
        // A text that reaches the last byte may have been cut.
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

    /// An array of texts; whatever else it is, it is no value.
    fn several(&mut self, value: sys::napi_value) -> Result<Values<'s>> {
        let mut length = 0;
        // SAFETY: a value that is no array is a status, and writes nothing.
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

/// The values beside the names they belong to.
struct Found<'s> {
    names: &'s [String],
    values: &'s [Values<'s>],
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
