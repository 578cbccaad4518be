//! The deliveries of the demo, and the required answers.

use std::error::Error;

use crate::receiver::Demo;
use crate::sender::{Answer, rewritten, sign};

/// One of the four systems, as the demo plays it.
pub(crate) struct System {
    pub(crate) name: &'static str,
    pub(crate) secret: &'static str,
    signature_header: &'static str,
    /// The status of a refused delivery.
    refused: u16,
    /// The body of an event of this id, with a note to the handler.
    body: fn(id: &str, note: &str) -> String,
    /// A header that an attacker rewrites, its new value, and the required outcome.
    replay: (&'static str, &'static str, u16, &'static str),
}

pub(crate) const SYSTEMS: [System; 4] = [
    System {
        name: "health",
        secret: "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        signature_header: "X-Velora-Signature",
        refused: 401,
        body: |id, note| {
            format!(
                r#"{{"type":"phi.read","id":"{id}","timestamp":"2026-05-03T14:22:01+00:00","tenant_id":"acme","actor":{{"user_id":"u-1234","user_role":"data_analyst"}},"resource":{{"type":"claim","id":"C-7890"}},"phi_involved":true,"success":true,"details":{{"note":"{note}"}},"schema_version":"1"}}"#
            )
        },
        replay: ("X-Request-Id", "req_new", 200, "duplicate"),
    },
    System {
        name: "billing",
        secret: "whsec-billing-0123456789abcdef",
        signature_header: "X-Webhook-Signature",
        refused: 401,
        body: |id, note| {
            format!(r#"{{"event":"dispute.sla_breached","disputeId":"{id}","note":"{note}"}}"#)
        },
        // The timestamp is not under the MAC, so the attacker can make it current.
        replay: ("X-Webhook-Delivery", "del_new", 200, "duplicate"),
    },
    System {
        name: "curae",
        secret: "whsec-curae-0123456789abcdef",
        signature_header: "CuraeAI-Signature",
        refused: 400,
        body: |id, note| {
            format!(
                r#"{{"eventType":"records.export_ready","eventId":"{id}","data":{{"note":"{note}"}}}}"#
            )
        },
        replay: ("CuraeAI-Event-Id", "evt_new", 400, "header_body_mismatch"),
    },
    System {
        name: "tv",
        secret: "whsec-tv-0123456789abcdef",
        signature_header: "X-Velora-Signature",
        refused: 401,
        body: |id, note| {
            format!(
                r#"{{"id":"{id}","type":"stream.online","timestamp":"2026-01-18T15:30:00Z","data":{{"streamId":"stream_xyz","userId":"user_123","title":"{note}"}}}}"#
            )
        },
        replay: (
            "X-Velora-Event",
            "stream.offline",
            401,
            "header_body_mismatch",
        ),
    },
];

/// The normal event, the one whose handler crashes, and the slow one.
pub(crate) const EVENTS_PER_SYSTEM: usize = 3;

/// One delivery: what was sent, the required answer, and the actual one.
pub(crate) struct Scene {
    pub(crate) system: &'static str,
    pub(crate) what: &'static str,
    expected: (u16, &'static str),
    pub(crate) got: Answer,
}

impl Scene {
    pub(crate) fn is_right(&self) -> bool {
        let again_later = self.got.status == 503;
        (self.got.status, self.got.why.as_str()) == self.expected
            && self.got.retry_after.is_some() == again_later
    }
}

pub(crate) async fn play(
    system: &'static System,
    demo: &Demo,
) -> Result<Vec<Scene>, Box<dyn Error>> {
    let mut scenes = Vec::new();
    let mut record = |what, expected, got| {
        scenes.push(Scene {
            system: system.name,
            what,
            expected,
            got,
        });
    };
    let post = |delivery| demo.sender.post(system.name, delivery);
    let plain = (system.body)("evt_1", "");
    let (header, to, status, why) = system.replay;

    let sent = sign(system, &plain, 0)?;
    record(
        "a genuine delivery",
        (200, "processed"),
        post(sent.clone()).await?,
    );
    record(
        "the same again (the answer was lost)",
        (200, "duplicate"),
        post(sent.clone()).await?,
    );
    let replayed = rewritten(sign(system, &plain, 0)?, header, to);
    record(
        "a replay with an unsigned header rewritten",
        (status, why),
        post(replayed).await?,
    );

    let mut tampered = sent.clone();
    tampered.body = plain.replace("evt_1", "evt_9").into_bytes();
    record(
        "the body tampered with",
        (system.refused, "signature_mismatch"),
        post(tampered).await?,
    );
    let stale = sign(system, &(system.body)("evt_8", ""), 3600)?;
    record(
        "signed an hour ago",
        (system.refused, "timestamp_too_old"),
        post(stale).await?,
    );
    let mut unsigned = sent;
    unsigned
        .headers
        .retain(|(name, _)| !name.ends_with("-Signature"));
    record(
        "no signature at all",
        (system.refused, "missing_header"),
        post(unsigned).await?,
    );

    let garbled = rewritten(sign(system, &plain, 0)?, system.signature_header, "v1=,t");
    record(
        "a garbled signature",
        (system.refused, "malformed_header"),
        post(garbled).await?,
    );

    let crashing = || sign(system, &(system.body)("evt_2", "crash-once"), 0);
    record(
        "the handler crashes",
        (500, "handler_panicked"),
        post(crashing()?).await?,
    );
    record(
        "sent again after the crash",
        (200, "processed"),
        post(crashing()?).await?,
    );

    let slow = || sign(system, &(system.body)("evt_3", "slow"), 0);
    let first = post(slow()?);
    let second = async {
        demo.slow_handler_begins().await;
        let answer = post(slow()?).await;
        demo.slow_handler_may_end();
        answer
    };
    let (first, second) = tokio::join!(first, second);
    record("a slow one", (200, "processed"), first?);
    record(
        "the same while it is worked on",
        (503, "in_flight"),
        second?,
    );
    Ok(scenes)
}
