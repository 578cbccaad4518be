//! The receiver: the host runs the handler, the core decides everything else.

use std::cell::Cell;
use std::sync::Arc;

use velora_core::{
    ConfigError, Delivery, Envelope, EventJson, Outcome, Receiver, Reply, VerificationError, Work,
};

use crate::frame::{self, Items, Values};
use crate::number::whole;
use crate::store::{Kept, key_of};
use crate::task::{self, tell};
use crate::verifier::{held, instant};
use crate::{failure, handles};

exports! {
    /// Says, a line each, the members of an event that hold its type and its id, as far as
    /// it always has them.
    fn event_names(at: usize) {
        let mut names = Vec::new();
        if let Ok(held) = held(at) {
            for name in Envelope::names(held.verifier.scheme().name()) {
                names.extend_from_slice(name.as_bytes());
                names.push(b'\n');
            }
        }
        frame::say(names);
    }

    /// Reads a delivery that was verified before, which is verified once more but for its age:
    /// so what is read is what is signed. Says what [`envelope`] gives, and the members in
    /// JSON if they are wanted.
    fn read_event(at: usize, headers: usize, body: usize, members: f64) -> f64 {
        failure::number(again(at, headers, body, |delivery| {
            let mut said = envelope(delivery)?;
            if members > 0.0 {
                let members: EventJson = delivery.event()?;
                frame::item(&mut said, tag::MEMBERS, &[members.as_str().as_bytes()]);
            }
            frame::say(said);
            Ok(())
        }))
    }

    /// The same, to compare the headers outside the MAC with the body alone.
    fn check_headers(at: usize, headers: usize, body: usize) -> f64 {
        failure::number(again(at, headers, body, |delivery| delivery.check_headers()))
    }

    /// Makes a receiver of a verifier and a store; the limit is the core's unless it is given.
    ///
    /// Errors: `invalid_option` where the limit is no number of bytes.
    fn receiver(verifier: usize, store: usize, limited: u32, body_limit: f64) -> f64 {
        let receiver = || {
            let verifier = held(verifier)?.verifier.clone();
            let receiver = Receiver::new(verifier, Arc::clone(&handles::of::<Kept>(store)?.store));
            Ok::<_, ConfigError>(handles::put(match limited {
                0 => receiver,
                _ => receiver.with_body_limit(whole("bodyLimit", body_limit)?),
            }))
        };
        failure::number(receiver())
    }

    /// The largest body that is looked at.
    fn body_limit(at: usize) -> f64 {
        handles::of::<Receiver>(at).map_or(0.0, |receiver| receiver.body_limit() as f64)
    }

    /// Starts to receive the headers and the body in the frame: ends with the work to do, its
    /// secret and its timestamp, and what [`envelope`] gives; or, where there is none, with the
    /// reply to give at once.
    fn begin(at: usize, headers: usize, body: usize) -> u32 {
        let receiver = handles::of::<Receiver>(at);
        let (items, body) = frame::read(headers, body, |items, body| (items.to_vec(), body.to_vec()));
        task::start(async move {
            let receiver = receiver?;
            let values = Values {
                precheck: receiver.verifier().precheck(),
                items: Items(&items),
            };
            let begun = receiver.begin_event::<_, Envelope>(&body, &values).await;
            let told = begun.and_then(|(work, _)| {
                let delivery = work.delivery();
                let envelope = envelope(delivery).map_err(|error| receiver.reply(Outcome::Refused(error)))?;
                let (stamp, index) = (delivery.signed_timestamp(), delivery.secret_index());
                let stamp = stamp.map_or(f64::NAN, |time| time.as_millis() as f64);
                let work = handles::put(Cell::new(Some(work.into_owned())));
                Ok([&frame::numbers([work, index as f64, stamp])[..], &envelope].concat())
            });
            Ok(told.unwrap_or_else(|reply| [&frame::numbers([f64::NAN])[..], &told_of(&reply)].concat()))
        })
    }

    /// Starts to end work, which was or was not done: ends with the reply; with nothing where
    /// it had ended before.
    fn end_work(at: usize, done: u32) -> u32 {
        let work = handles::of::<Cell<Option<Work<'static>>>>(at).map(|work| work.take());
        task::start(async move {
            Ok(match work? {
                Some(work) if done != 0 => told_of(&work.done().await),
                Some(work) => told_of(&work.release().await),
                None => Vec::new(),
            })
        })
    }

    /// Says the reply to a request whose body broke off.
    fn unreadable(at: usize) {
        if let Ok(receiver) = handles::of::<Receiver>(at) {
            frame::say(told_of(&receiver.reply(Outcome::BodyUnreadable)));
        }
    }

    /// Starts to handle a listed event, by the key in the frame, under the rules of a
    /// delivered one. The host is asked to run the handler that it knows by this number.
    fn backfill(at: usize, key: usize, handler: u32) -> u32 {
        let receiver = handles::of::<Receiver>(at);
        let key = key_of(key);
        task::start(async move {
            let handle = async || match task::ask(tell::HANDLE, &[&handler.to_le_bytes()]).await {
                (1, _) => Ok(()),
                _ => Err(()),
            };
            let outcome = receiver?.backfill(key, handle).await;
            let retry_after = match &outcome {
                Outcome::InFlight { retry_after } => Some(retry_after.as_secs_f64()),
                _ => None,
            };
            Ok(parts(0, retry_after, &outcome))
        })
    }
}

fn again(
    at: usize,
    headers: usize,
    body: usize,
    read: impl FnOnce(&Delivery<'_>) -> Result<(), VerificationError>,
) -> Result<f64, velora_core::Error> {
    let held = held(at)?;
    frame::read(headers, body, |items, body| {
        let values = Values {
            precheck: held.again.precheck(),
            items: Items(items),
        };
        read(&held.again.verify_at(body, &values, instant(0.0))?)
    })?;
    Ok(0.0)
}

/// The items of an event.
mod tag {
    /// A digit: no type, a signed one, or one of an unsigned header.
    pub(super) const MARK: u8 = 0;
    pub(super) const EVENT_TYPE: u8 = 1;
    pub(super) const ID: u8 = 2;
    pub(super) const KEY: u8 = 3;
    pub(super) const MEMBERS: u8 = 4;
}

fn envelope(delivery: &Delivery<'_>) -> Result<Vec<u8>, VerificationError> {
    let (envelope, key) = Envelope::with_key(delivery)?;
    let mark = match &envelope.event_type {
        None => b"0",
        Some(_) if envelope.type_is_signed => b"1",
        Some(_) => b"2",
    };
    let mut items = Vec::new();
    frame::item(&mut items, tag::MARK, &[mark]);
    frame::item(
        &mut items,
        tag::EVENT_TYPE,
        &[envelope.event_type.unwrap_or_default().as_bytes()],
    );
    frame::item(
        &mut items,
        tag::ID,
        &[envelope.id.unwrap_or_default().as_bytes()],
    );
    frame::item(&mut items, tag::KEY, &[key.as_bytes()]);
    Ok(items)
}

fn told_of(reply: &Reply) -> Vec<u8> {
    let retry_after = reply.retry_after_seconds().map(|seconds| seconds as f64);
    parts(reply.status, retry_after, &reply.outcome)
}

/// Status and seconds to wait; outcome and code, a line each.
fn parts(status: u16, retry_after: Option<f64>, outcome: &Outcome) -> Vec<u8> {
    let code = outcome.code().map_or("", |code| code.as_str());
    let numbers = frame::numbers([f64::from(status), retry_after.unwrap_or(f64::NAN)]);
    [
        &numbers[..],
        outcome.as_str().as_bytes(),
        b"\n",
        code.as_bytes(),
    ]
    .concat()
}
