//! The receiver: the host asks the store and runs the handler, the core decides everything
//! else.

use std::rc::Rc;

use velora_core::{
    ConfigError, Delivery, Envelope, Error, EventJson, Intake, Outcome, Precheck, Reply, Tolerance,
    VerificationError, Verifier,
};

use crate::frame::{self, Items, Values};
use crate::number::whole;
use crate::store::{answered, verb};
use crate::verifier::{hashed, instant, within};
use crate::{failure, handles, scheme};

exports! {
    /// Returns, one per line, the names of the event members that hold the type and the id, if
    /// every event has them.
    fn event_names(scheme: usize) {
        let mut names = Vec::new();
        if let Ok(precheck) = scheme::numbered(scheme) {
            for name in Envelope::names(precheck.scheme().name()) {
                names.extend_from_slice(name.as_bytes());
                names.push(b'\n');
            }
        }
        frame::say(names);
    }

    /// Reads a delivery that was verified before. It is verified again, except for its age, so
    /// what is read is what was signed. Returns the result of [`items_of`], and the members in
    /// JSON if they are wanted. If only the headers are wanted, it compares the headers outside
    /// the MAC with the body, and returns nothing.
    fn read_event(scheme: usize, _: f64, headers: usize, secrets: usize, body: usize, wanted: f64) -> f64 {
        failure::number(frame::with(|heard| {
            let [headers, secrets, body] = frame::parts(heard, [headers, secrets, body]);
            let precheck = scheme::numbered(scheme)?;
            let values = Values { precheck: &precheck, items: Items(headers) };
            let no_limit = Tolerance::dangerous_no_tolerance();
            let now = instant(0.0);
            let delivery = precheck.verify_within(no_limit, body, &values, now, hashed(secrets))?;
            if wanted == wanted::HEADERS {
                delivery.check_headers()?;
                return Ok(0.0);
            }
            let mut said = items_of(&delivery, wanted)?;
            if wanted == wanted::MEMBERS {
                let members: EventJson = delivery.event()?;
                frame::item(&mut said, tag::MEMBERS, &[members.as_str().as_bytes()]);
            }
            frame::say(said);
            Ok::<_, Error>(0.0)
        }))
    }

    /// Creates a receiver from a verifier, whose hashed secrets are in the frame. The body limit
    /// is the core's default unless it is given.
    ///
    /// Errors: `invalid_option` if the limit is not a valid number of bytes.
    fn receiver(scheme: usize, tolerance: f64, secrets: usize, limited: u32, body_limit: f64) -> f64 {
        failure::number(frame::read(secrets, 0, |secrets, _| {
            let precheck = Precheck::clone(&*scheme::numbered(scheme)?).with_tolerance(within(tolerance));
            let intake = Intake::new(Verifier::of_hashed(precheck, hashed(secrets))?);
            Ok::<_, ConfigError>(handles::put(match limited {
                0 => intake,
                _ => intake.with_body_limit(whole("bodyLimit", body_limit)?),
            }))
        }))
    }

    /// The largest body that is accepted.
    fn body_limit(at: usize) -> f64 {
        handles::of::<Intake>(at).map_or(0.0, |intake| intake.body_limit() as f64)
    }

    /// Verifies the headers and the body in the frame. Returns 1 if the event is genuine, with
    /// the index of its secret, its timestamp and the result of [`items_of`]; its key must then
    /// be claimed. Else returns 0, with the reply to send at once.
    fn admit(at: usize, headers: usize, body: usize, now: f64) -> u32 {
        let Ok(intake) = handles::of::<Intake>(at) else {
            // Clears the result of the previous call.
            frame::say(Vec::new());
            return 0;
        };
        let admitted = frame::read(headers, body, |items, body| {
            let values = Values {
                precheck: intake.verifier().precheck(),
                items: Items(items),
            };
            let (delivery, _) = intake.admit_at(body, &values, instant(now))?;
            let items = items_of(&delivery, wanted::ENVELOPE)
                .map_err(|error| intake.reply(Outcome::Refused(error)))?;
            let (stamp, index) = (delivery.signed_timestamp(), delivery.secret_index());
            let stamp = stamp.map_or(f64::NAN, |time| time.as_millis() as f64);
            Ok::<_, Reply>([&frame::numbers([index as f64, stamp])[..], &items].concat())
        });
        let genuine = u32::from(admitted.is_ok());
        frame::say(admitted.unwrap_or_else(|reply| told_of(&reply)));
        genuine
    }

    /// Returns the reply that follows from the store's answer: to a claim (none if the event must
    /// be handled), to the commit of a handled event (none if it must be asked once more), to
    /// that second commit, or to the release of an unhandled event.
    fn judge(at: usize, verb: u32, state: u32, number: f64) {
        let outcome = match verb {
            verb::CLAIM => Outcome::of_claim(answered(state, number).claimed()).err(),
            verb::COMMIT => Outcome::of_first_commit(answered(state, number).ended()),
            verb::SECOND_COMMIT => Some(Outcome::of_second_commit(answered(state, number).ended())),
            _ => Some(Outcome::of_release(answered(state, number).ended(), Outcome::HandlerFailed)),
        };
        reply(at, outcome);
    }

    /// Returns the reply to a request whose body could not be read to its end.
    fn unreadable(at: usize) {
        reply(at, Some(Outcome::BodyUnreadable));
    }
}

fn reply(at: usize, outcome: Option<Outcome>) {
    let told = |intake: Rc<Intake>| Some(told_of(&intake.reply(outcome?)));
    frame::say(handles::of(at).ok().and_then(told).unwrap_or_default());
}

/// Which part of a verified delivery to read. The envelope comes with the key, and the key with
/// the envelope, if it can be read.
mod wanted {
    pub(super) const ENVELOPE: f64 = 0.0;
    pub(super) const MEMBERS: f64 = 1.0;
    pub(super) const HEADERS: f64 = 2.0;
    pub(super) const KEY: f64 = 3.0;
}

/// The items of an event.
mod tag {
    /// A digit: no type, a signed type, or a type from an unsigned header. Empty: no envelope.
    pub(super) const MARK: u8 = 0;
    pub(super) const EVENT_TYPE: u8 = 1;
    pub(super) const ID: u8 = 2;
    pub(super) const KEY: u8 = 3;
    pub(super) const MEMBERS: u8 = 4;
}

/// The envelope and the key. If one cannot be read, it is empty, or the error if it is wanted.
fn items_of(delivery: &Delivery<'_>, wanted: f64) -> Result<Vec<u8>, VerificationError> {
    let (envelope, key) = Envelope::with_key(delivery)?;
    let (envelope, key) = match wanted {
        wanted::KEY => (envelope.ok(), key?),
        _ => (Some(envelope?), key.unwrap_or_default()),
    };
    let (mark, event_type, id) = match envelope {
        None => ("", None, None),
        Some(envelope) => (mark(&envelope), envelope.event_type, envelope.id),
    };
    let mut items = Vec::new();
    frame::item(&mut items, tag::MARK, &[mark.as_bytes()]);
    frame::item(
        &mut items,
        tag::EVENT_TYPE,
        &[event_type.unwrap_or_default().as_bytes()],
    );
    frame::item(&mut items, tag::ID, &[id.unwrap_or_default().as_bytes()]);
    frame::item(&mut items, tag::KEY, &[key.as_bytes()]);
    Ok(items)
}

fn mark(envelope: &Envelope<'_>) -> &'static str {
    match &envelope.event_type {
        None => "0",
        Some(_) if envelope.type_is_signed => "1",
        Some(_) => "2",
    }
}

/// The status, the seconds until the sender should retry, and the seconds left of the lease;
/// then the outcome, the code, and the core's [`Outcome::reason`], one per line.
fn told_of(reply: &Reply) -> Vec<u8> {
    let outcome = &reply.outcome;
    let left = match outcome {
        Outcome::InFlight { retry_after } => retry_after.as_secs_f64(),
        _ => f64::NAN,
    };
    let code = outcome.code().map_or("", |code| code.as_str());
    let reason = outcome.reason().as_ref().map(failure::told);
    let numbers = frame::numbers([
        f64::from(reply.status),
        reply
            .retry_after_seconds()
            .map_or(f64::NAN, |seconds| seconds as f64),
        left,
    ]);
    [
        &numbers[..],
        outcome.as_str().as_bytes(),
        b"\n",
        code.as_bytes(),
        b"\n",
        &reason.unwrap_or_default(),
    ]
    .concat()
}
