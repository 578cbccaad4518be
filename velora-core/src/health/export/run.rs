//! Executes a plan: reads leaves concurrently, and returns rows in time order.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::{FutureExt, Stream, StreamExt};
use jiff::Timestamp;

use super::call::{Asked, ask};
use super::leaf::{Leaf, Shape};
use super::plan::{Ask, How, Known, Plan, incomplete};
use super::query::{ExportQuery, Progress};
use super::rows::Rows;
use super::split::Micros;
use crate::api::{Api, Exchange, Task};
use crate::error::{ApiError, ApiErrorKind};
use crate::health::window::instant;
use crate::health::{AuditEvent, Client, EventQuery, Page, Pages, RawEvent};

impl Client {
    /// Exports a window completely, despite the cap of 10,000 rows a call: the window is
    /// split until every part is proven to have fitted into one response. Needs the scope
    /// `audit:export`, and `audit:read` if a single instant holds more events than a call
    /// can return.
    ///
    /// Each row comes once, oldest first; rows without a timestamp come before all others.
    /// The timestamp of an event decides whether it belongs to the window. Rows just outside,
    /// which the system includes when it rounds the bounds, are dropped. A row a second or
    /// more outside is `incomplete_window`, because others may then be missing; so is a row
    /// before a start on a whole second, which no rounding explains, and a row after an end
    /// that is not inclusive. Memory use does not grow with the number of rows.
    ///
    /// If a single instant holds 10,000 events or more, they are listed page by page, and
    /// every row that an export of that instant returns must be in the listing. If one is
    /// missing, the listing has skipped rows at the edge of a page, and the error is
    /// `incomplete_window`. Rows that both the listing and that export leave out cannot be
    /// detected.
    ///
    /// ```no_run
    /// # use velora_core::health::{Client, ExportQuery, Window};
    /// # async fn read(client: Client) -> Result<(), Box<dyn std::error::Error>> {
    /// let window = Window::new("2026-05-01T00:00:00Z".parse()?, "2026-05-08T00:00:00Z".parse()?)?;
    /// let mut events = client.export(ExportQuery::new(window).with_phi_involved(true));
    /// while let Some(event) = events.next().await {
    ///     println!("{}", event?.raw().as_str());
    /// }
    /// # Ok(()) }
    /// ```
    ///
    /// Errors: `incomplete_window` if the rows so far are not complete, or cannot be proven
    /// to be; those of any call. After an error the stream ends.
    pub fn export(&self, query: ExportQuery) -> Export {
        Export {
            blocks: Blocks::new(self.api.clone(), query),
            rows: Rows::default(),
            at: 0,
            read: RawEvent::parse,
        }
    }
}

/// The rows of an export: a stream of [`AuditEvent`], or of [`RawEvent`] after
/// [`raw`](Export::raw). [`next`](Self::next) needs no trait in scope.
pub struct Export<E = AuditEvent> {
    blocks: Blocks,
    rows: Rows,
    at: usize,
    read: fn(RawEvent) -> E,
}

impl Export {
    /// The same rows as unparsed text.
    pub fn raw(self) -> Export<RawEvent> {
        Export {
            blocks: self.blocks,
            rows: self.rows,
            at: self.at,
            read: |raw| raw,
        }
    }
}

impl<E> Export<E> {
    /// The next row; `None` at the end.
    pub async fn next(&mut self) -> Option<Result<E, ApiError>> {
        StreamExt::next(self).await
    }

    /// The rows that have arrived: at least one, at most `most`; `None` at the end. For
    /// languages in which a call costs more than a row.
    pub async fn next_chunk(&mut self, most: usize) -> Option<Result<Vec<E>, ApiError>> {
        let first = match self.next().await? {
            Ok(row) => row,
            Err(error) => return Some(Err(error)),
        };
        let mut rows = vec![first];
        while rows.len() < most
            && let Some(row) = self.rows.at(self.at)
        {
            self.at = self.at.saturating_add(1);
            rows.push((self.read)(row));
        }
        Some(Ok(rows))
    }
}

impl<E> Stream for Export<E> {
    type Item = Result<E, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(row) = self.rows.at(self.at) {
                self.at = self.at.saturating_add(1);
                return Poll::Ready(Some(Ok((self.read)(row))));
            }
            match ready!(self.blocks.poll_next_unpin(context)) {
                Some(Ok(block)) => (self.rows, self.at) = (block.rows, 0),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                None => return Poll::Ready(None),
            }
        }
    }
}

impl<E> fmt::Debug for Export<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("query", &self.blocks.query)
            .finish_non_exhaustive()
    }
}

/// Some rows of a leaf, the leaf's last ones if `ends`.
#[cfg_attr(
    not(feature = "client-reqwest"),
    expect(dead_code, reason = "a file needs to know where a leaf ends")
)]
pub(crate) struct Block {
    pub(crate) leaf: Leaf,
    pub(crate) rows: Rows,
    pub(crate) ends: bool,
    pub(crate) known: Known,
    /// What happened before this instant is in the rows: the earliest that the system was asked,
    /// by its own clock.
    pub(crate) as_of: Timestamp,
}

type Answered = (u64, Result<Asked, ApiError>);
type Exported = Task<Asked>;

/// The rows of an export in blocks.
pub(crate) struct Blocks {
    api: Api,
    query: ExportQuery,
    plan: Plan,
    running: Vec<(u64, Exported)>,
    read: Vec<(u64, Rows)>,
    paging: Option<Paging>,
    progress: Progress,
    as_of: Timestamp,
    /// What was judged last.
    exchange: Option<Exchange>,
    failed: bool,
}

/// A leaf that is being read page by page. `witnesses` is one export of it, which shows whether
/// the system left out rows at the edge of a page.
struct Paging {
    id: u64,
    leaf: Leaf,
    pages: Pages,
    ended: bool,
    witnesses: Exported,
    shape: Shape,
    begun: bool,
}

impl Paging {
    /// The next page. At the end, checks that the listing has every row of the export.
    ///
    /// Errors: `incomplete_window`, and those of the calls.
    fn poll_page(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Page, ApiError>>> {
        if !self.ended {
            match ready!(self.pages.poll_next_unpin(context)) {
                None => self.ended = true,
                page => return Poll::Ready(page),
            }
        }
        let witnesses = ready!(self.witnesses.poll_unpin(context));
        let is_known = |event| self.pages.has_given(event);
        let listed = witnesses.and_then(|asked| asked.rows.are_known(self.leaf, is_known));
        Poll::Ready(match listed {
            Ok(true) => None,
            Ok(false) => Some(Err(incomplete(
                "the listing lacks events that the export returned",
            ))),
            Err(error) => Some(Err(error)),
        })
    }
}

impl Blocks {
    pub(crate) fn new(api: Api, query: ExportQuery) -> Self {
        let window = query.window;
        Self {
            plan: plan_of(window.since(), window.until()),
            progress: Progress {
                window,
                done_until: window.since(),
                rows: 0,
                leaves: 0,
                calls: 0,
            },
            api,
            query,
            running: Vec::new(),
            read: Vec::new(),
            paging: None,
            as_of: Timestamp::MAX,
            exchange: None,
            failed: false,
        }
    }

    /// Resumes after this many rows of this many leaves.
    #[cfg(feature = "client-reqwest")]
    pub(crate) fn resume(
        mut self,
        done_until: Timestamp,
        known: Known,
        (rows, leaves): (u64, u64),
    ) -> Self {
        let window = self.query.window;
        let since = window.since().as_microsecond();
        self.plan = plan_of(done_until, window.until()).behind(since, known);
        self.progress = Progress {
            done_until,
            rows,
            leaves,
            ..self.progress
        };
        self
    }

    fn fail(&mut self) {
        self.failed = true;
        self.running.clear();
        self.read.clear();
        self.paging = None;
    }

    /// Starts all calls that may run now.
    fn start(&mut self) {
        while let Some(next) = self.plan.next(self.query.concurrency) {
            self.progress.calls = self.progress.calls.saturating_add(1);
            match next.how {
                How::Pages { .. } => self.paging = Some(self.page_through(next)),
                How::Export { until, sample } => {
                    let exported = self.export(next.leaf, (until, sample));
                    self.running.push((next.id, exported));
                }
            }
        }
    }

    fn export(&self, leaf: Leaf, asked: (Micros, bool)) -> Exported {
        let (api, query) = (self.api.clone(), &self.query);
        let work = ask(api, leaf, asked, query.window, query.phi_involved);
        Task::spawn(self.api.runtime(), work)
    }

    fn page_through(&self, ask: Ask) -> Paging {
        let mut query = EventQuery::new()
            .with_since(instant(ask.leaf.since))
            .with_until(instant(ask.leaf.until));
        if let Some(phi_involved) = self.query.phi_involved {
            query = query.with_phi_involved(phi_involved);
        }
        Paging {
            id: ask.id,
            leaf: ask.leaf,
            pages: Pages::new(self.api.clone(), query).remember_all(),
            ended: false,
            witnesses: self.export(ask.leaf, (ask.leaf.until, true)),
            shape: Shape::default(),
            begun: false,
        }
    }

    fn block(&mut self, leaf: Leaf, rows: Rows, ends: bool) -> Block {
        let progress = &mut self.progress;
        let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        progress.rows = progress.rows.saturating_add(count);
        if ends {
            progress.leaves = progress.leaves.saturating_add(1);
            let until = instant(leaf.until);
            progress.done_until = until.min(progress.window.until());
        }
        if let Some(tell) = &self.query.progress {
            tell(self.progress);
        }
        let known = self.plan.known();
        Block {
            leaf,
            rows,
            ends,
            known,
            as_of: self.as_of,
        }
    }

    /// The next block of a leaf that is read by pages; `None` if it is to be read another way.
    fn paged(
        &mut self,
        mut paging: Paging,
        page: Option<Result<Page, ApiError>>,
    ) -> Result<Option<Block>, ApiError> {
        let Some(page) = page else {
            let done = self.plan.paged(paging.id, paging.shape, paging.begun)?;
            self.plan.take_done();
            return Ok(done.then(|| self.block(paging.leaf, Rows::default(), true)));
        };
        self.exchange = paging.pages.exchange().cloned();
        let page = page.map_err(unproven)?;
        self.progress.calls = self.progress.calls.saturating_add(1);
        let (rows, shape) = page.into_rows().judge(paging.leaf, self.query.window)?;
        paging.shape.merge(shape);
        if paging.shape.unit < paging.leaf.width() && !paging.begun {
            self.plan.paged(paging.id, paging.shape, false)?;
            return Ok(None);
        }
        paging.begun |= rows.len() > 0;
        let leaf = paging.leaf;
        self.paging = Some(paging);
        Ok(Some(self.block(leaf, rows, false)))
    }

    fn answered(&mut self, (id, asked): Answered) -> Result<(), ApiError> {
        let Asked {
            outcome,
            rows,
            asked_at,
            exchange,
        } = asked?;
        self.exchange = Some(exchange);
        self.as_of = asked_at.map_or(self.as_of, |asked_at| asked_at.min(self.as_of));
        if self.plan.exported(id, outcome)? {
            self.read.push((id, rows));
        }
        Ok(())
    }

    /// The answer of any call that has finished.
    fn poll_running(&mut self, context: &mut Context<'_>) -> Poll<Option<Answered>> {
        for at in 0..self.running.len() {
            let polled = self
                .running
                .get_mut(at)
                .map(|(_, task)| task.poll_unpin(context));
            if let Some(Poll::Ready(answer)) = polled {
                let (id, _) = self.running.swap_remove(at);
                return Poll::Ready(Some((id, answer)));
            }
        }
        match self.running.is_empty() {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    }

    fn poll_block(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Block>, ApiError>> {
        loop {
            if self.paging.is_none()
                && let Some((id, leaf)) = self.plan.take_done()
            {
                let read = self.read.iter().position(|(read, _)| *read == id);
                let rows = read.map(|at| self.read.swap_remove(at).1);
                return Poll::Ready(Ok(Some(self.block(leaf, rows.unwrap_or_default(), true))));
            }
            self.start();
            if let Some(mut paging) = self.paging.take() {
                let Poll::Ready(page) = paging.poll_page(context) else {
                    self.paging = Some(paging);
                    // The other running calls are polled after this leaf.
                    return Poll::Pending;
                };
                match self.paged(paging, page)? {
                    Some(block) => return Poll::Ready(Ok(Some(block))),
                    None => continue,
                }
            }
            if self.plan.is_finished() {
                return Poll::Ready(Ok(None));
            }
            match ready!(self.poll_running(context)) {
                Some(answer) => self.answered(answer)?,
                None => return Poll::Ready(Err(incomplete("the export stalled"))),
            }
        }
    }
}

/// In microseconds, with the end rounded up so that no row of the window is left out. An empty
/// window stays empty.
fn plan_of(since: Timestamp, until: Timestamp) -> Plan {
    let finer = until.subsec_nanosecond().rem_euclid(1_000) != 0 && since < until;
    let up = until.as_microsecond().saturating_add(i64::from(finer));
    Plan::new(since.as_microsecond(), up)
}

impl Stream for Blocks {
    type Item = Result<Block, ApiError>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.failed {
            return Poll::Ready(None);
        }
        let block = ready!(self.poll_block(context));
        if !matches!(block, Ok(Some(_))) {
            self.fail();
        }
        let block = block.map_err(|error| match &self.exchange {
            Some(exchange) => error.found_in(exchange),
            None => error,
        });
        Poll::Ready(block.transpose())
    }
}

/// A loop in the pages of one instant means that the instant cannot be read completely.
fn unproven(error: ApiError) -> ApiError {
    match error.kind() {
        ApiErrorKind::CursorLoop => error.with_kind(ApiErrorKind::IncompleteWindow),
        _ => error,
    }
}
