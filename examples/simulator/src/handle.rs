//! Endpoints, deliveries and streams, by handle.

use std::time::Duration;

use crate::Simulator;
use crate::deliveries::actions::{self, History};
use crate::deliveries::registry::{DeliveryRecord, Endpoint, NewEndpoint};
use crate::deliveries::{self, Emission, Emitted};
use crate::tv::hub::Cut;

/// Endpoints and deliveries.
impl Simulator {
    /// Registers an endpoint without a call; the only way in the billing system, where
    /// it is done in the dashboard.
    pub fn register(&self, new: NewEndpoint) -> Endpoint {
        self.app().registry.add(new)
    }

    /// All endpoints, in the order of registration.
    pub fn endpoints(&self) -> Vec<Endpoint> {
        self.app().registry.endpoints()
    }

    /// Gives an endpoint a new secret beside its old ones, and tells it. `None` where
    /// there is no such endpoint.
    pub fn rotate_secret(&self, endpoint_id: &str) -> Option<String> {
        actions::rotate(self.app(), endpoint_id)
    }

    /// Delivers an event in the background; in the health system it is listed from now
    /// on, in the TV system it is streamed too.
    pub fn emit(&self, emission: &Emission) -> Emitted {
        deliveries::emit(self.app(), emission)
    }

    /// Delivers the body of an earlier attempt again. False where there is no such
    /// attempt, or its body was not retained.
    pub fn resend(&self, delivery_id: &str) -> bool {
        actions::resend(self.app(), delivery_id)
    }

    /// Every attempt so far, in the order in which they ended.
    pub fn deliveries(&self) -> Vec<DeliveryRecord> {
        self.app().registry.records()
    }

    /// Waits until every delivery has succeeded or come to the end of its ladder.
    pub async fn settled(&self) {
        self.app().under_way.settled().await;
    }

    /// Writes rows into the delivery log of an endpoint. False where there is no such
    /// endpoint.
    pub fn add_history(&self, endpoint_id: &str, history: History) -> bool {
        actions::add_history(self.app(), endpoint_id, history)
    }
}

/// Streams of the TV system.
impl Simulator {
    /// An access token that expires; with it, the streams that it has opened end.
    pub fn tv_token(&self, lifetime: Duration) -> String {
        let token = format!("tv_{}", self.app().registry.unique(32));
        self.app().tv.add_token(token.clone(), lifetime);
        token
    }

    /// Lets a token expire now.
    pub fn tv_expire(&self, token: &str) {
        self.app().tv.expire(token);
    }

    /// How many streams are open.
    pub fn tv_streams(&self) -> usize {
        self.app().tv.open_streams()
    }

    /// Ends the streams that are open now, as a server that restarts in peace.
    pub fn tv_end_streams(&self) {
        self.app().tv.cut(Cut::End);
    }

    /// Resets the connections of the streams that are open now.
    pub fn tv_reset_streams(&self) {
        self.app().tv.cut(Cut::Reset);
    }
}
