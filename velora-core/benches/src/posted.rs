//! The requests to verify.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::Failure;

/// The sizes of the bodies: from a plain event to the receiver's default limit.
pub const SIZES: [usize; 6] = [350, 1 << 10, 4 << 10, 16 << 10, 256 << 10, 1 << 20];

/// How many headers each request has, those of the signature among them.
pub const HEADERS: usize = 12;

/// What a proxy in front of a receiver passes on.
const ORDINARY: [(&str, &str); 11] = [
    ("host", "hooks.example.com"),
    ("user-agent", "Velora-Webhooks/2.0"),
    ("accept", "*/*"),
    ("accept-encoding", "gzip, deflate"),
    ("content-type", "application/json"),
    ("connection", "keep-alive"),
    ("x-forwarded-for", "203.0.113.42"),
    ("x-forwarded-proto", "https"),
    ("x-request-id", "8f14e45f-ceea-467f-a9d5-2b0c1d9a7e11"),
    (
        "traceparent",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
    ("via", "1.1 google"),
];

/// A request as it was received.
///
/// The body is text, because some peers take nothing else: what it costs them to
/// make text of the bytes received is not charged to them.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The raw body.
    pub body: String,
    /// Twelve headers, the signature's own among them.
    pub headers: HeaderMap,
}

impl Posted {
    /// A request with these headers, and as many ordinary ones as make [`HEADERS`].
    pub fn new<N: AsRef<str>>(body: String, own: &[(N, String)]) -> Result<Self, Failure> {
        let mut headers = HeaderMap::new();
        for (name, value) in own {
            headers.insert(HeaderName::try_from(name.as_ref())?, value.parse()?);
        }
        for (name, value) in ORDINARY {
            if headers.len() < HEADERS {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        Ok(Self { body, headers })
    }
}

/// A Velora Health event of just so many bytes: the one that the vendor documents,
/// with as many details as fill it up.
pub fn body(size: usize) -> String {
    const HEAD: &str = concat!(
        r#"{"type":"phi.read","id":"8b2e5c11-1234-4abc-89de-0123456789ab","#,
        r#""timestamp":"2026-05-03T14:22:01+00:00","tenant_id":"acme","#,
        r#""actor":{"user_id":"u-1234","user_role":"data_analyst"},"#,
        r#""resource":{"type":"claim","id":"C-7890"},"phi_involved":true,"success":true,"#,
        r#""details":{"workflow":"renewal","note":""#,
    );
    const TAIL: &str = r#""},"schema_version":"1"}"#;
    const NOTE: &str = "underwriting renewal, diagnosis codes and claim history reviewed; ";

    let room = size.saturating_sub(HEAD.len() + TAIL.len());
    let note: String = NOTE.chars().cycle().take(room).collect();
    format!("{HEAD}{note}{TAIL}")
}

/// A size as people write it.
pub fn size_name(size: usize) -> String {
    match size {
        0..1_024 => format!("{size} B"),
        1_024..1_048_576 => format!("{} KiB", size / 1_024),
        _ => format!("{} MiB", size / 1_048_576),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_have_the_size_asked_for() {
        assert_eq!(SIZES.map(|size| body(size).len()), SIZES);
    }

    #[test]
    fn own_headers_count_among_the_twelve() -> Result<(), Failure> {
        let own = [("x-a", "1".to_owned()), ("x-b", "2".to_owned())];
        assert_eq!(Posted::new(String::new(), &own)?.headers.len(), HEADERS);
        Ok(())
    }
}
