//! What the generated events say: a pure function of seed and index, written as
//! JSON by hand.

use crate::text::{Resolution, hex, mix, push_decimal, push_instant};

/// Sixteen draws: an action that is listed twice is twice as frequent.
const ACTIONS: [&str; 16] = [
    "phi.read",
    "phi.read",
    "phi.read",
    "phi.read",
    "phi.read",
    "phi.query",
    "phi.query",
    "phi.query",
    "phi.export",
    "phi.decrypt",
    "auth.login",
    "auth.login",
    "auth.logout",
    "admin.user_created",
    "admin.key_rotated",
    "config.updated",
];
const ROLES: [&str; 8] = [
    "data_analyst",
    "nurse",
    "physician",
    "billing_clerk",
    "auditor",
    "admin",
    "service",
    "Ärztin",
];
/// The type, and what its ids begin with.
const RESOURCES: [(&str, &str); 8] = [
    ("claim", "C-"),
    ("patient", "P-"),
    ("encounter", "E-"),
    ("document", "D-"),
    ("claim", "C-"),
    ("patient", "P-"),
    ("api_key", "K-"),
    ("report", "R-"),
];
/// JSON inside a string, quotes already escaped.
const FIELDS: [&str; 8] = [
    r#"[\"diagnosis_code\"]"#,
    r#"[]"#,
    r#"[\"name\",\"date_of_birth\"]"#,
    r#"[\"diagnosis_code\",\"procedure_code\",\"amount\"]"#,
    r#"[\"ssn\"]"#,
    r#"[\"address.street\",\"address.city\"]"#,
    r#"[\"notes\\n\"]"#,
    r#"[\"diagnosis_code\",\"größe\"]"#,
];
/// The object as a delivery carries it, and the same inside a string.
const DETAILS: [(&str, &str); 8] = [
    (r#"{"workflow":"renewal"}"#, r#"{\"workflow\":\"renewal\"}"#),
    (r#"{}"#, r#"{}"#),
    (
        r#"{"query":"select 1","rows":42}"#,
        r#"{\"query\":\"select 1\",\"rows\":42}"#,
    ),
    (
        r#"{"reason":"care","ratio":0.25}"#,
        r#"{\"reason\":\"care\",\"ratio\":0.25}"#,
    ),
    (r#"{"path":"C:\\claims"}"#, r#"{\"path\":\"C:\\\\claims\"}"#),
    (r#"{"note":"Zoë 🩺"}"#, r#"{\"note\":\"Zoë 🩺\"}"#),
    (
        r#"{"nested":{"deep":[1,2,{"x":null}]}}"#,
        r#"{\"nested\":{\"deep\":[1,2,{\"x\":null}]}}"#,
    ),
    (
        r#"{"workflow":"intake","attempt":1e2}"#,
        r#"{\"workflow\":\"intake\",\"attempt\":1e2}"#,
    ),
];
const AGENTS: [&str; 4] = [
    "Mozilla/5.0",
    "velora-etl/2.1",
    "python-httpx/0.28.1",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
];
const JUSTIFICATIONS: [&str; 4] = [
    "underwriting renewal",
    "treatment",
    "quality review",
    "patient said \\\"please\\\"",
];

const ID_BITS: u32 = 60;
const ID_MASK: u64 = (1 << ID_BITS) - 1;
/// An odd multiplier and its inverse modulo 2^60.
const SPREAD: u64 = 0x9E3_779B_97F4_A7C1;
const GATHER: u64 = inverse(SPREAD);

/// The attributes of one generated event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    seed: u64,
    index: u64,
    hash: u64,
}

impl Row {
    pub(crate) fn new(seed: u64, index: u64) -> Self {
        Self {
            seed,
            index,
            hash: mix(seed ^ mix(index)),
        }
    }

    pub(crate) fn action(self) -> &'static str {
        ACTIONS[self.bits(0, 16)]
    }

    pub(crate) fn resource_type(self) -> &'static str {
        RESOURCES[self.bits(4, 8)].0
    }

    pub(crate) fn phi_involved(self) -> bool {
        self.action().starts_with("phi.")
    }

    /// A version 4 UUID from which the index can be computed back.
    pub(crate) fn push_id(self, out: &mut Vec<u8>) {
        let high = spread(self.index ^ mix(self.seed) & ID_MASK);
        let low = mix(high ^ self.seed);
        let (front, back) = (
            hex((high >> 12) << 16 | 0x4000 | high & 0xFFF),
            hex(0xA << 60 | low >> 4),
        );
        let mut text = *b"00000000-0000-0000-0000-000000000000";
        text[..8].copy_from_slice(&front[..8]);
        text[9..13].copy_from_slice(&front[8..12]);
        text[14..18].copy_from_slice(&front[12..]);
        text[19..23].copy_from_slice(&back[..4]);
        text[24..].copy_from_slice(&back[4..]);
        out.extend_from_slice(&text);
    }

    /// The index of an id. The id may be foreign: compare it with the id of that index.
    pub(crate) fn index_of(seed: u64, id: &str) -> Option<u64> {
        let read = |range| u64::from_str_radix(id.get(range)?, 16).ok();
        let high = read(0..8)? << 28 | read(9..13)? << 12 | read(15..18)?;
        let index = gather(high) ^ mix(seed) & ID_MASK;
        let mut made = Vec::with_capacity(36);
        Self::new(seed, index).push_id(&mut made);
        (made == id.as_bytes()).then_some(index)
    }

    /// The event as `GET /events` and the export write it.
    pub(crate) fn push_listed(self, out: &mut Vec<u8>, micros: i64, shape: Shape) {
        let details = DETAILS[self.bits(20, 8)];
        // One event in eight has something unusual about it.
        let oddity = self.bits(32, 64);
        out.extend_from_slice(b"{\"event_id\":\"");
        self.push_id(out);
        out.extend_from_slice(b"\",\"timestamp\":\"");
        push_instant(out, shape.resolution.floor(micros), shape.resolution);
        push_text(out, "\",\"action\":\"", self.action());
        out.extend_from_slice(b"\",\"user_id\":\"u-");
        push_decimal(out, self.user());
        push_text(out, "\",\"user_role\":\"", ROLES[self.bits(10, 8)]);
        self.push_resource(out, "\",\"resource_type\":\"", "\",\"resource_id\":\"");
        out.push(b'"');
        match oddity {
            0 => out.extend_from_slice(b",\"fields_accessed\":null"),
            1 => {}
            _ => {
                push_text(out, ",\"fields_accessed\":\"", FIELDS[self.bits(16, 8)]);
                out.push(b'"');
            }
        }
        push_text(out, ",\"phi_involved\":", bool_text(self.phi_involved()));
        out.extend_from_slice(b",\"tenant_id\":\"acme\",\"source_ip\":\"203.0.113.");
        push_decimal(out, self.bits(40, 256) as u64);
        push_text(out, "\",\"user_agent\":\"", AGENTS[self.bits(24, 4)]);
        out.push(b'"');
        match oddity {
            2 => out.extend_from_slice(b",\"justification\":null"),
            3 => {}
            _ => {
                push_text(
                    out,
                    ",\"justification\":\"",
                    JUSTIFICATIONS[self.bits(26, 4)],
                );
                out.push(b'"');
            }
        }
        push_text(out, ",\"success\":", bool_text(self.success()));
        match oddity {
            4 => out.extend_from_slice(b",\"details\":null"),
            5 => {}
            6 if shape.object_details => push_text(out, ",\"details\":", details.0),
            _ => {
                push_text(out, ",\"details\":\"", details.1);
                out.push(b'"');
            }
        }
        match oddity {
            7 => {
                out.extend_from_slice(br#","x_region":{"name":"eu-west-1","zones":[1,2.50,-3e2]}"#)
            }
            8 => out.extend_from_slice(b",\"x_trace\":null"),
            _ => {}
        }
        out.push(b'}');
    }

    /// The event as a webhook delivers it.
    pub(crate) fn delivered(self, micros: i64, resolution: Resolution) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        push_text(&mut out, "{\"type\":\"", self.action());
        out.extend_from_slice(b"\",\"id\":\"");
        self.push_id(&mut out);
        out.extend_from_slice(b"\",\"timestamp\":\"");
        push_instant(&mut out, resolution.floor(micros), resolution);
        out.extend_from_slice(b"\",\"tenant_id\":\"acme\",\"actor\":{\"user_id\":\"u-");
        push_decimal(&mut out, self.user());
        push_text(&mut out, "\",\"user_role\":\"", ROLES[self.bits(10, 8)]);
        self.push_resource(&mut out, "\"},\"resource\":{\"type\":\"", "\",\"id\":\"");
        push_text(
            &mut out,
            "\"},\"phi_involved\":",
            bool_text(self.phi_involved()),
        );
        push_text(&mut out, ",\"success\":", bool_text(self.success()));
        push_text(&mut out, ",\"details\":", DETAILS[self.bits(20, 8)].0);
        out.extend_from_slice(b",\"schema_version\":\"1\"}");
        out
    }

    fn push_resource(self, out: &mut Vec<u8>, before_type: &str, before_id: &str) {
        let (kind, prefix) = RESOURCES[self.bits(4, 8)];
        push_text(out, before_type, kind);
        push_text(out, before_id, prefix);
        push_decimal(out, 1_000 + self.hash % 9_000);
    }

    fn user(self) -> u64 {
        1_000 + self.bits(44, 1_024) as u64
    }

    fn success(self) -> bool {
        self.bits(56, 32) != 0
    }

    /// `choices` must be a power of two.
    fn bits(self, shift: u32, choices: usize) -> usize {
        (self.hash >> shift) as usize & (choices - 1)
    }
}

/// How events are printed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Shape {
    pub(crate) resolution: Resolution,
    /// A few events have `details` as an object, not as JSON inside a string.
    pub(crate) object_details: bool,
}

fn push_text(out: &mut Vec<u8>, before: &str, text: &str) {
    out.extend_from_slice(before.as_bytes());
    out.extend_from_slice(text.as_bytes());
}

fn bool_text(value: bool) -> &'static str {
    if value { "true" } else { "false" }
}

/// A bijection on 60 bits.
fn spread(value: u64) -> u64 {
    let value = value & ID_MASK;
    let value = value ^ value >> 30;
    let value = value.wrapping_mul(SPREAD) & ID_MASK;
    value ^ value >> 30
}

fn gather(value: u64) -> u64 {
    let value = value ^ value >> 30;
    let value = value.wrapping_mul(GATHER) & ID_MASK;
    value ^ value >> 30
}

/// The inverse of an odd number modulo 2^64, hence modulo 2^60, by Newton's method.
const fn inverse(odd: u64) -> u64 {
    let mut inverse = odd;
    let mut round = 0;
    while round < 6 {
        inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        round += 1;
    }
    inverse
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test")]
mod tests {
    use super::*;
    use serde_json::Value;

    #[test]
    fn ids_lead_back_to_their_index() {
        for index in [0, 1, 9_999_999, 1 << 40] {
            let mut id = Vec::new();
            Row::new(9, index).push_id(&mut id);
            let id = String::from_utf8(id).unwrap();
            assert_eq!(Row::index_of(9, &id), Some(index));
            assert_eq!(Row::index_of(8, &id), None);
        }
        assert_eq!(
            Row::index_of(9, "8b2e5c11-1234-4abc-89de-0123456789ab"),
            None
        );
        assert_eq!(Row::index_of(9, "ü"), None);
    }

    #[test]
    fn rows_are_json_with_json_inside() {
        let shape = Shape {
            resolution: Resolution::Second,
            object_details: true,
        };
        for index in 0..2_000 {
            let row = Row::new(1, index);
            let mut text = Vec::new();
            row.push_listed(&mut text, 0, shape);
            let listed: Value = serde_json::from_slice(&text).unwrap();
            for member in ["fields_accessed", "details"] {
                if let Some(inner) = listed[member].as_str() {
                    serde_json::from_str::<Value>(inner).unwrap();
                }
            }
            let delivered: Value =
                serde_json::from_slice(&row.delivered(0, shape.resolution)).unwrap();
            assert_eq!(listed["event_id"], delivered["id"]);
            assert_eq!(listed["action"], delivered["type"]);
            if let Some(inner) = listed["details"].as_str() {
                let details: Value = serde_json::from_str(inner).unwrap();
                assert_eq!(details, delivered["details"]);
            }
        }
    }
}
