//! The one call that has to be fast, written directly on Node-API.
//!
//! A class method of napi-rs costs several hundred nanoseconds, as much as the
//! verification itself; a bare callback costs forty. So each verifier is a function of
//! its own, which carries the verifier as its data:
//!
//! ```text
//! (body: Uint8Array | string, nowMillis: number | undefined,
//!  ...values: (string | undefined | string[])[]) => string | Failure | undefined
//! ```
//!
//! The values are those of [`Precheck::headers`](velora_core::Precheck::headers), in that
//! order; a repeated header is an array. The result is a [`Verdict`], or a failure, or
//! `undefined` if another thread could write to the body, which must then be copied first.
//! There are two such functions: one only verifies, the other reads the envelope as well.
//!
//! A third function reads a copy that nobody can write to:
//!
//! ```text
//! (copy: string, how: 0 | 1 | 2, ...values) => string[] | string | Failure
//! ```
//!
//! Each character of the copy holds one byte of the body. The copy is verified again, except
//! for its age: this costs little compared to the reading, and ensures that what is read is
//! what was signed. `how` 0 returns its [`lines`] if it has an envelope, 2 returns them if it
//! has a key, and 1 returns the members as JSON.
//!
//! # Why this is sound
//!
//! - `data` is a `Shared` that lives until the function is collected: its finalizer frees
//!   it, and no call can follow. Both run on the thread of the function's environment, so
//!   the scratch memory in it has one user.
//! - `copy` is a string, which is immutable.
//! - The body is borrowed from JavaScript for the duration of one call. During the call no
//!   JavaScript runs on its thread, and memory that is shared with other threads is never
//!   read, so nothing can detach, resize or write it.
//! - Nothing unwinds into C: the whole call is inside `catch_unwind`.

#![allow(unsafe_code)]

mod values;
mod verdict;

use std::cell::RefCell;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr::{null, null_mut};
use std::sync::Arc;

use napi::bindgen_prelude::{FromNapiValue, Function, Result, ToNapiValue, Unknown};
use napi::{Env, check_status, sys};
use velora_core::{Envelope, EventJson, VerificationError, Verifier};

use self::values::{
    Found, Given, Reader, Values, bytes_of, latin1_value, number_of, text_of, text_value, undefined,
};
pub(crate) use self::verdict::Verdict;
use self::verdict::lines;
use crate::failure::Failure;
use crate::headers::names;
use crate::verifier::instant;

/// A body, a time, and the values of the most headers that a scheme can name.
const MOST_ARGUMENTS: usize = 8;
/// How many arguments come before the headers.
const FIRST_HEADER: usize = 2;
/// Enough for the signature header of any system; a longer value is read into its own memory.
const SCRATCH_BYTES: usize = 1024;

/// What a function does.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    Verify,
    VerifyAndRead,
    Read,
}

/// The data of a function.
struct Shared {
    verifier: Arc<Verifier>,
    task: Task,
    names: Vec<String>,
    scratch: RefCell<Vec<u8>>,
    verdict: RefCell<Verdict>,
}

/// Creates the function of a verifier.
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
        verdict: RefCell::default(),
    });
    let data: *mut c_void = Box::into_raw(shared).cast();
    let raw = env.raw();
    let mut function = null_mut();
    // SAFETY: `data` is a `Shared`, as `call` assumes.
    let made =
        unsafe { sys::napi_create_function(raw, null(), 0, Some(call), data, &mut function) };
    let owned = match made {
        // SAFETY: `function` was just created, and `free` takes a `Shared`.
        sys::Status::napi_ok => unsafe {
            sys::napi_add_finalizer(raw, function, data, Some(free), null_mut(), null_mut())
        },
        failed => failed,
    };
    if owned != sys::Status::napi_ok {
        // SAFETY: nothing else owns it, and a function without finalizer is not returned.
        drop(unsafe { Box::from_raw(data.cast::<Shared>()) });
    }
    check_status!(owned, "the verifier's function could not be created")?;
    // SAFETY: `function` is a function of this environment.
    unsafe { Function::from_napi_value(raw, function) }
}

/// Runs once, when the function is collected or its environment ends.
unsafe extern "C" fn free(_: sys::napi_env, data: *mut c_void, _: *mut c_void) {
    // SAFETY: `function` passed this pointer, and nothing else uses it any more.
    drop(unsafe { Box::from_raw(data.cast::<Shared>()) });
}

unsafe extern "C" fn call(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
    contained(env, || {
        let mut arguments = [null_mut(); MOST_ARGUMENTS];
        let mut count = MOST_ARGUMENTS;
        let mut data = null_mut();
        // SAFETY: the array has room for `count` values; missing ones are filled with
        // `undefined`.
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
        // SAFETY: `function` created it, and it lives as long as the function being called.
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
        Err(_) => "the verifier panicked".to_owned(),
    };
    // SAFETY: the length is the text's, and each value is of this environment.
    unsafe {
        let (mut text, mut error) = (null_mut(), null_mut());
        let length = isize::try_from(thrown.len()).unwrap_or_default();
        sys::napi_create_string_utf8(env, thrown.as_ptr().cast(), length, &mut text);
        sys::napi_create_error(env, null_mut(), text, &mut error);
        sys::napi_throw(env, error);
    }
    null_mut()
}

/// Panics inside such a call, for the test that this becomes an error.
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
        Task::Verify | Task::VerifyAndRead => verify(env, shared, *body, option, &headers),
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
    shared: &Shared,
    body: sys::napi_value,
    now: Option<f64>,
    headers: &Found<'_>,
) -> Verified {
    let text;
    let raw = match bytes_of(env, body) {
        Given::Bytes(bytes) => bytes,
        Given::Shared => return undefined(env).map(Ok),
        Given::Other => {
            text = text_of(env, body, sys::napi_get_value_string_utf8)?;
            text.as_slice()
        }
    };
    let verified = match now {
        Some(millis) => shared.verifier.verify_at(raw, headers, instant(millis)),
        None => shared.verifier.verify(raw, headers),
    };
    let delivery = match verified {
        Ok(delivery) => delivery,
        Err(error) => return Ok(Err(error)),
    };
    let mut verdict = shared.verdict.borrow_mut();
    let read = matches!(shared.task, Task::VerifyAndRead);
    latin1_value(env, verdict.write(&delivery, read)).map(Ok)
}

const MEMBERS: f64 = 1.0;
const KEY: f64 = 2.0;

fn read(
    env: sys::napi_env,
    verifier: &Verifier,
    copy: sys::napi_value,
    how: Option<f64>,
    headers: &Found<'_>,
) -> Verified {
    let body = text_of(env, copy, sys::napi_get_value_string_latin1)?;
    let delivery = match verifier.verify(&body, headers) {
        Ok(delivery) => delivery,
        Err(error) => return Ok(Err(error)),
    };
    if how == Some(MEMBERS) {
        return match delivery.event::<EventJson>() {
            Ok(json) => text_value(env, json.as_str()).map(Ok),
            Err(error) => Ok(Err(error)),
        };
    }
    let wanted = Envelope::with_key(&delivery).and_then(|(envelope, key)| match how == Some(KEY) {
        true => Ok((envelope.ok(), key?)),
        false => Ok((Some(envelope?), key.unwrap_or_default())),
    });
    match wanted {
        Ok((envelope, key)) => {
            let lines = lines(envelope.as_ref(), &key).to_vec();
            // SAFETY: a vector of texts becomes an array of this environment.
            unsafe { Vec::to_napi_value(env, lines) }.map(Ok)
        }
        Err(error) => Ok(Err(error)),
    }
}
