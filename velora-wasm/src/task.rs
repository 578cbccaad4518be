//! Asynchronous work: futures of the core, which the host drives.
//!
//! The host starts a task, and then calls [`turn`] repeatedly. Each turn advances every task
//! that can go on, and returns items: which tasks have ended, and what the host must do next,
//! each with a number. The host passes the results in with [`answer`] before the next turn. The
//! module never calls the host, and work that nobody waits for any more is cancelled. With
//! [`end_task`], a host can say that what a task asked for will never come.

use std::cell::Cell;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use velora_core::{ConfigError, Error};

use crate::{clock, failure, frame};

/// The result of a task.
pub(crate) type Ended = Result<Vec<u8>, Error>;

type Boxed<T> = Pin<Box<dyn Future<Output = T>>>;

enum Work {
    /// A task whose end is reported to the host.
    Told(Boxed<Ended>),
    /// A task that nobody waits for.
    Alone(Boxed<()>),
}

/// The tags of a turn's items. Each item starts with a number of four bytes.
pub(crate) mod tell {
    /// A task has ended; its result follows.
    pub(crate) const DONE: u8 = 0;
    /// A task has failed; the failure follows.
    pub(crate) const FAILED: u8 = 1;
    /// The request with this number is cancelled.
    pub(crate) const CALLED_OFF: u8 = 2;
    /// Wait for this many milliseconds. In this and the next two items, the number of the task
    /// that asks comes first.
    pub(crate) const WAIT: u8 = 3;
    /// Send a request.
    pub(crate) const SEND: u8 = 4;
    /// Read more of the response to the request with a number.
    pub(crate) const READ: u8 = 5;
    /// The progress of an export.
    pub(crate) const PROGRESS: u8 = 6;
}

#[derive(Default)]
struct Host {
    tasks: Vec<(u32, Work)>,
    woken: Vec<u32>,
    asked: Vec<(u32, State)>,
    told: Vec<u8>,
    last: u32,
    /// The task that is running.
    current: u32,
}

enum State {
    Waiting(Waker),
    Answered(u32, Vec<u8>),
}

thread_local! {
    static HOST: Cell<Option<Box<Host>>> = const { Cell::new(None) };
}

/// `call` must not call this function again.
fn host<T>(call: impl FnOnce(&mut Host) -> T) -> T {
    let mut host = HOST.take().unwrap_or_default();
    let result = call(&mut host);
    HOST.set(Some(host));
    result
}

exports! {
    /// Advances all tasks that can go on, with the current time in milliseconds since 1970, and
    /// the time of a monotonic clock.
    fn turn(now: f64, monotonic: f64) {
        clock::set(now);
        clock::tick(monotonic);
        while let Some(number) = host(|host| (!host.woken.is_empty()).then(|| host.woken.remove(0))) {
            go_on(number);
        }
        frame::say(host(|host| std::mem::take(&mut host.told)));
    }

    /// Passes in the host's answer to the request with this number: its outcome, and bytes in the
    /// frame.
    fn answer(number: u32, outcome: u32, bytes: usize) {
        let bytes = frame::read(bytes, 0, |bytes, _| bytes.to_vec());
        let before = host(|host| {
            let (_, state) = host.asked.iter_mut().find(|(asked, _)| *asked == number)?;
            Some(std::mem::replace(state, State::Answered(outcome, bytes)))
        });
        if let Some(State::Waiting(waker)) = before {
            waker.wake();
        }
    }

    /// Ends a task at once. Its requests in progress are cancelled, and its end is not reported.
    fn end_task(number: u32) {
        drop(taken(number));
    }
}

fn taken(number: u32) -> Option<Work> {
    host(|host| {
        let at = host.tasks.iter().position(|(task, _)| *task == number)?;
        Some(host.tasks.swap_remove(at).1)
    })
}

fn go_on(number: u32) {
    let Some(mut work) = taken(number) else {
        return;
    };
    host(|host| host.current = number);
    let waker = Waker::from(Arc::new(Bell(number)));
    let mut context = Context::from_waker(&waker);
    let ended = match &mut work {
        Work::Told(work) => work.as_mut().poll(&mut context).map(Some),
        Work::Alone(work) => work.as_mut().poll(&mut context).map(|()| None),
    };
    match ended {
        Poll::Pending => host(|host| host.tasks.push((number, work))),
        Poll::Ready(None) => {}
        Poll::Ready(Some(Ok(bytes))) => tell_of(tell::DONE, number, &[&bytes]),
        Poll::Ready(Some(Err(error))) => tell_of(tell::FAILED, number, &[&failure::told(&error)]),
    }
}

struct Bell(u32);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        host(|host| host.woken.push(self.0));
    }
}

/// Starts a task whose end is reported to the host, and returns its number.
pub(crate) fn start(work: impl Future<Output = Ended> + 'static) -> u32 {
    begin(Work::Told(Box::pin(work)))
}

/// A task that failed before it began.
pub(crate) fn refused(error: ConfigError) -> u32 {
    start(ready(Err(error.into())))
}

/// Starts a task that nobody waits for.
pub(crate) fn spawn(work: impl Future<Output = ()> + 'static) {
    begin(Work::Alone(Box::pin(work)));
}

fn begin(work: Work) -> u32 {
    let number = next();
    host(|host| {
        host.tasks.push((number, work));
        host.woken.push(number);
    });
    number
}

fn next() -> u32 {
    host(|host| {
        host.last = host.last.wrapping_add(1);
        host.last
    })
}

/// Tells the host something that needs no answer.
pub(crate) fn tell_of(kind: u8, number: u32, parts: &[&[u8]]) {
    host(|host| {
        frame::item(
            &mut host.told,
            kind,
            &[&[&number.to_le_bytes()[..]], parts].concat(),
        )
    });
}

/// Asks the host for something.
pub(crate) fn ask(kind: u8, parts: &[&[u8]]) -> Asked {
    let number = next();
    let task = host(|host| {
        host.asked
            .push((number, State::Waiting(Waker::noop().clone())));
        host.current.to_le_bytes()
    });
    tell_of(kind, number, &[&[&task[..]], parts].concat());
    Asked(number)
}

/// A request to the host. It is cancelled when nobody waits for it any more.
pub(crate) struct Asked(u32);

impl Asked {
    /// The number of the request.
    pub(crate) fn number(&self) -> u32 {
        self.0
    }
}

impl Future for Asked {
    /// Its outcome, and its bytes.
    type Output = (u32, Vec<u8>);

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        host(|host| {
            let Some((_, state)) = host.asked.iter_mut().find(|(asked, _)| *asked == self.0) else {
                return Poll::Pending;
            };
            match state {
                State::Waiting(waker) => {
                    waker.clone_from(context.waker());
                    Poll::Pending
                }
                State::Answered(outcome, bytes) => Poll::Ready((*outcome, std::mem::take(bytes))),
            }
        })
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        let state = host(|host| {
            let at = host.asked.iter().position(|(asked, _)| *asked == self.0)?;
            Some(host.asked.swap_remove(at).1)
        });
        if let Some(State::Waiting(_)) = state {
            tell_of(tell::CALLED_OFF, self.0, &[]);
        }
    }
}
