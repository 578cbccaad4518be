//! The audit events: generated ones, which are never stored, and those that were
//! emitted while the simulator ran.

use std::ops::Range;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Value, json};

use super::row::{Row, Shape};
use super::timeline::{Timeline, Walk};
use crate::text::{Resolution, hex_id, iso_offset, mix, now_micros};

/// What the data set consists of.
#[derive(Clone, Debug)]
pub(crate) struct DataOptions {
    pub(crate) seed: u64,
    pub(crate) events: u64,
    /// Microseconds since the epoch.
    pub(crate) span: Range<i64>,
    /// Sizes of single instants, beside the natural ties.
    pub(crate) crowds: Vec<u64>,
    pub(crate) resolution: Resolution,
    pub(crate) object_details: bool,
}

/// A pure function of its options, plus what was emitted.
#[derive(Debug)]
pub(crate) struct Dataset {
    seed: u64,
    shape: Shape,
    timeline: Timeline,
    live: RwLock<Arc<Vec<LiveEvent>>>,
}

/// An event that was emitted while the simulator ran.
#[derive(Clone, Debug)]
pub(crate) struct LiveEvent {
    id: String,
    /// At the server's resolution.
    micros: i64,
    action: String,
    resource_type: String,
    phi_involved: bool,
    row: Vec<u8>,
}

/// Which events a request asks for, beside the window.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) action: Option<String>,
    pub(crate) resource_type: Option<String>,
    pub(crate) phi_involved: Option<bool>,
}

impl Filter {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Dataset {
    pub(crate) fn new(options: &DataOptions) -> Self {
        Self {
            seed: options.seed,
            shape: Shape {
                resolution: options.resolution,
                object_details: options.object_details,
            },
            timeline: Timeline::new(
                options.seed,
                options.events,
                options.span.clone(),
                &options.crowds,
            ),
            live: RwLock::default(),
        }
    }

    /// The events as they are now; later ones don't show in it.
    pub(crate) fn view(self: &Arc<Self>) -> View {
        let live = self.live.read().unwrap_or_else(PoisonError::into_inner);
        View {
            data: Arc::clone(self),
            live: Arc::clone(&live),
        }
    }

    /// Adds an event that happens now, and gives the body of its delivery.
    /// Members that are not given are made up.
    pub(crate) fn emit(&self, given: &Value) -> (String, String, Value) {
        let mut live = self.live.write().unwrap_or_else(PoisonError::into_inner);
        let number = live.len() as u64;
        let text = |name: &str, default: &str| given[name].as_str().unwrap_or(default).to_owned();
        let action = text("type", "phi.read");
        let made_id = || {
            let hex = hex_id(mix(self.seed ^ 0x11FE) ^ number, 32);
            let parts = [&hex[..8], &hex[8..12], "4abc", "89de", &hex[20..]];
            parts.join("-")
        };
        let id = given["id"].as_str().map_or_else(made_id, str::to_owned);
        let last = match (live.last(), self.timeline.len()) {
            (Some(event), _) => event.micros,
            (None, 0) => i64::MIN,
            (None, len) => self.timeline.at(len - 1),
        };
        let micros = self.shape.resolution.floor(now_micros().max(last));
        let delivered = json!({
            "type": action,
            "id": id,
            "timestamp": iso_offset(micros),
            "tenant_id": "acme",
            "actor": {"user_id": "u-1234", "user_role": "data_analyst"},
            "resource": {"type": "claim", "id": "C-7890"},
            "phi_involved": given["phi_involved"].as_bool().unwrap_or(action.starts_with("phi.")),
            "success": true,
            "details": given.get("details").cloned().unwrap_or(json!({"live": number})),
            "schema_version": "1",
        });
        let row = json!({
            "event_id": id,
            "timestamp": delivered["timestamp"],
            "action": action,
            "user_id": "u-1234",
            "user_role": "data_analyst",
            "resource_type": "claim",
            "resource_id": "C-7890",
            "fields_accessed": "[]",
            "phi_involved": delivered["phi_involved"],
            "tenant_id": "acme",
            "success": true,
            "details": delivered["details"].to_string(),
        });
        Arc::make_mut(&mut live).push(LiveEvent {
            id: id.clone(),
            micros,
            action: action.clone(),
            resource_type: "claim".to_owned(),
            phi_involved: delivered["phi_involved"] == true,
            row: row.to_string().into_bytes(),
        });
        (id, action, delivered)
    }
}

/// The events at one moment, oldest first, numbered from 0.
#[derive(Clone, Debug)]
pub(crate) struct View {
    data: Arc<Dataset>,
    live: Arc<Vec<LiveEvent>>,
}

impl View {
    fn generated(&self) -> u64 {
        self.data.timeline.len()
    }

    pub(crate) fn has_live(&self) -> bool {
        !self.live.is_empty()
    }

    fn live(&self, index: u64) -> Option<&LiveEvent> {
        let place = index.checked_sub(self.generated())?;
        self.live.get(place as usize)
    }

    /// How many events are printed with an instant before `micros`.
    pub(crate) fn count_before(&self, micros: i64) -> u64 {
        let micros = self.data.shape.resolution.ceil(micros);
        let live = self.live.partition_point(|event| event.micros < micros);
        self.data.timeline.count_before(micros) + live as u64
    }

    /// The printed instant.
    pub(crate) fn micros(&self, index: u64) -> i64 {
        match self.live(index) {
            Some(event) => event.micros,
            None => self
                .data
                .shape
                .resolution
                .floor(self.data.timeline.at(index)),
        }
    }

    pub(crate) fn id(&self, index: u64) -> String {
        if let Some(event) = self.live(index) {
            return event.id.clone();
        }
        let mut id = Vec::with_capacity(36);
        Row::new(self.data.seed, index).push_id(&mut id);
        String::from_utf8(id).unwrap_or_default()
    }

    pub(crate) fn index_of(&self, id: &str) -> Option<u64> {
        let live = || {
            let place = self.live.iter().position(|event| event.id == id)?;
            Some(self.generated() + place as u64)
        };
        Row::index_of(self.data.seed, id)
            .filter(|index| *index < self.generated())
            .or_else(live)
    }

    pub(crate) fn matches(&self, index: u64, filter: &Filter) -> bool {
        let (action, resource_type, phi) = match self.live(index) {
            Some(event) => (&*event.action, &*event.resource_type, event.phi_involved),
            None => {
                let row = Row::new(self.data.seed, index);
                (row.action(), row.resource_type(), row.phi_involved())
            }
        };
        filter.action.as_deref().is_none_or(|asked| asked == action)
            && filter
                .resource_type
                .as_deref()
                .is_none_or(|asked| asked == resource_type)
            && filter.phi_involved.is_none_or(|asked| asked == phi)
    }

    /// Writes events; neighbouring indices are cheapest.
    pub(crate) fn writer(&self) -> RowWriter<'_> {
        RowWriter {
            walk: self.data.timeline.walk(),
            view: self,
        }
    }

    /// The body of the delivery of a generated event.
    pub(crate) fn delivered(&self, index: u64) -> Option<Vec<u8>> {
        (index < self.generated()).then(|| {
            Row::new(self.data.seed, index)
                .delivered(self.data.timeline.at(index), self.data.shape.resolution)
        })
    }

    pub(crate) fn action(&self, index: u64) -> String {
        match self.live(index) {
            Some(event) => event.action.clone(),
            None => Row::new(self.data.seed, index).action().to_owned(),
        }
    }
}

#[derive(Debug)]
pub(crate) struct RowWriter<'v> {
    view: &'v View,
    walk: Walk<'v>,
}

impl RowWriter<'_> {
    pub(crate) fn push(&mut self, out: &mut Vec<u8>, index: u64) {
        match self.view.live(index) {
            Some(event) => out.extend_from_slice(&event.row),
            None => Row::new(self.view.data.seed, index).push_listed(
                out,
                self.walk.at(index),
                self.view.data.shape,
            ),
        }
    }
}

/// What the events of a window are, whatever the server's faults and modes: what a
/// complete read must give.
///
/// The window is `[since, until)` over the printed timestamps.
#[derive(Clone, Debug)]
pub struct Truth {
    view: View,
    range: Range<u64>,
    filter: Filter,
}

impl Truth {
    pub(crate) fn new(view: View, since: Option<i64>, until: Option<i64>, filter: Filter) -> Self {
        let first = since.map_or(0, |at| view.count_before(at));
        let end = until.map_or(u64::MAX, |at| view.count_before(at));
        let all = view.generated() + view.live.len() as u64;
        let end = end.min(all);
        Self {
            view,
            range: first.min(end)..end,
            filter,
        }
    }

    /// Only those with, or without, protected health information.
    #[must_use]
    pub fn phi_involved(mut self, asked: bool) -> Self {
        self.filter.phi_involved = Some(asked);
        self
    }

    /// Only those of one action.
    #[must_use]
    pub fn action(mut self, asked: &str) -> Self {
        self.filter.action = Some(asked.to_owned());
        self
    }

    /// Only those of one resource type.
    #[must_use]
    pub fn resource_type(mut self, asked: &str) -> Self {
        self.filter.resource_type = Some(asked.to_owned());
        self
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        match self.filter.is_empty() {
            true => self.range.end - self.range.start,
            false => self.indices().count() as u64,
        }
    }

    /// Their ids, oldest first; reverse it for the order of `GET /events`.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = String> + '_ {
        self.indices().map(|index| self.view.id(index))
    }

    /// `(event_id, action)`: what deduplication keys are made of, oldest first.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = (String, String)> + '_ {
        self.indices()
            .map(|index| (self.view.id(index), self.view.action(index)))
    }

    /// The events as the server writes them, oldest first.
    pub fn rows(&self) -> impl Iterator<Item = Vec<u8>> + '_ {
        let mut writer = self.view.writer();
        self.indices().map(move |index| {
            let mut row = Vec::with_capacity(640);
            writer.push(&mut row, index);
            row
        })
    }

    /// Some of their ids or rows, one a line.
    pub(crate) fn lines(&self, from: usize, count: usize, rows: bool) -> Vec<u8> {
        let mut out = Vec::new();
        let mut writer = self.view.writer();
        for index in self.indices().skip(from).take(count) {
            match rows {
                true => writer.push(&mut out, index),
                false => out.extend_from_slice(self.view.id(index).as_bytes()),
            }
            out.push(b'\n');
        }
        out
    }

    /// The printed timestamps in microseconds since the epoch, oldest first.
    pub fn instants(&self) -> impl DoubleEndedIterator<Item = i64> + '_ {
        self.indices().map(|index| self.view.micros(index))
    }

    fn indices(&self) -> impl DoubleEndedIterator<Item = u64> + '_ {
        self.range
            .clone()
            .filter(|index| self.filter.is_empty() || self.view.matches(*index, &self.filter))
    }
}
