//! Where a system's API is.

use std::fmt;
use std::net::IpAddr;

use crate::error::ConfigError;

/// A base URL: `https://host[:port][/path]`, or `http` on a loopback host.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// Parses a base URL very strictly: anything that two parsers could read differently is
    /// refused, so that the key goes to the intended host.
    ///
    /// Errors: `invalid_base_url`.
    pub fn new(text: &str) -> Result<Self, ConfigError> {
        let invalid = |reason| ConfigError::InvalidBaseUrl { reason };
        let (secure, rest) = if let Some(rest) = strip_prefix_any_case(text, "https://") {
            (true, rest)
        } else if let Some(rest) = strip_prefix_any_case(text, "http://") {
            (false, rest)
        } else {
            return Err(invalid("it must start with https://"));
        };
        let (authority, path) = rest.split_at(slash_in(rest).unwrap_or(rest.len()));
        let host = host_of(authority).ok_or_else(|| {
            invalid("its host or port is invalid, or it has a user, a query or a fragment")
        })?;
        if !secure && !is_loopback(host) {
            return Err(invalid("http is for loopback only; use https"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
        let dots = |segment: &str| matches!(segment, "." | "..");
        if !path.bytes().all(plain) || path.split('/').any(dots) {
            return Err(invalid(
                "its path is invalid, or it has a query or a fragment",
            ));
        }
        Ok(Self(text.trim_end_matches('/').to_owned()))
    }

    /// The text, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host, without its port.
    pub(crate) fn host(&self) -> &str {
        let authority = self.0.split('/').nth(2);
        authority.and_then(host_of).unwrap_or_default()
    }

    /// A path that starts with `/`, below this URL. If the URL ends with the first segment of
    /// the path (`…/api` and `/api/…`), the segment is not repeated.
    pub(crate) fn join(&self, path: &str) -> String {
        let slashes = self.0.bytes().filter(|byte| *byte == b'/').count();
        let last = self.0.bytes().rposition(|byte| byte == b'/');
        let base = match last.and_then(|at| self.0.split_at_checked(at)) {
            // Two slashes come before the host.
            Some((rest, last)) if slashes > 2 && starts_with(path, last) => rest,
            _ => &self.0,
        };
        [base, path].concat()
    }
}

impl fmt::Debug for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BaseUrl({})", self.0)
    }
}

fn slash_in(text: &str) -> Option<usize> {
    text.bytes().position(|byte| byte == b'/')
}

fn starts_with(path: &str, segment: &str) -> bool {
    path.strip_prefix(segment)
        .is_some_and(|rest| matches!(rest.as_bytes(), [] | [b'/' | b'?', ..]))
}

fn strip_prefix_any_case<'t>(text: &'t str, prefix: &str) -> Option<&'t str> {
    let start = text.get(..prefix.len())?;
    start
        .eq_ignore_ascii_case(prefix)
        .then(|| text.get(prefix.len()..))
        .flatten()
}

/// The host of `host`, `host:port` or `[v6]:port`; `None` for any other form.
fn host_of(authority: &str) -> Option<&str> {
    let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (host, port) = rest.split_once(']')?;
        host.parse::<std::net::Ipv6Addr>().ok()?;
        (
            host,
            port.strip_prefix(':').or(port.is_empty().then_some("")),
        )
    } else {
        let (host, port) = authority.split_once(':').unwrap_or((authority, ""));
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        (host.bytes().all(plain).then_some(host)?, Some(port))
    };
    let port = port?;
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    let numbered =
        port.is_empty() || (digits && port.parse().is_ok_and(|port: u64| port <= u16::MAX.into()));
    (!host.is_empty() && numbered).then_some(host)
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_https_and_loopback() {
        for url in [
            "https://api.velora.health",
            "HTTPS://api.velora.health:8443/",
            "https://velora-billing.vercel.app/api",
            "http://127.0.0.1:8080",
            "http://localhost",
            "http://[::1]:9000",
            "http://[0:0:0:0:0:0:0:1]",
            "https://[2001:db8::1]",
        ] {
            assert!(BaseUrl::new(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn refuses_what_could_go_elsewhere() {
        for url in [
            "",
            "api.velora.health",
            "http://api.velora.health",
            "http://127.1",
            "http://127.0.0.256",
            "http://127.0.0.01",
            "http://126.0.0.1",
            "http://[::2]",
            "http://[1::1]",
            "http://[0:1]",
            "https://[example]",
            "https://[0]",
            "http://localhost.example.com",
            "https://",
            "https://user@host",
            "https://host\\@evil",
            "https://host:port",
            "https://host:+80",
            "https://host?x",
            "https://host#x",
            "https://host/../x",
            "https://ho st",
            "https://[::1",
            "ftp://host",
        ] {
            let code = BaseUrl::new(url).map_err(|error| error.code().as_str());
            assert_eq!(code, Err("invalid_base_url"), "{url}");
        }
    }

    #[test]
    fn names_its_host() {
        let host = |url: &str| BaseUrl::new(url).unwrap().host().to_owned();
        assert_eq!(host("HTTPS://API.example.com:8443/x/y"), "API.example.com");
        assert_eq!(host("http://[::1]:9000"), "::1");
    }

    #[test]
    fn joins_without_doubling_a_segment() {
        let join = |base: &str, path: &str| BaseUrl::new(base).unwrap().join(path);
        assert_eq!(join("https://h/", "/api/x"), "https://h/api/x");
        assert_eq!(join("https://h/api", "/api/x"), "https://h/api/x");
        assert_eq!(join("https://h/api/", "/api/x"), "https://h/api/x");
        assert_eq!(join("https://h/v", "/api/x"), "https://h/v/api/x");
        assert_eq!(join("https://h/api", "/apix"), "https://h/api/apix");
        assert_eq!(join("https://api", "/api/x"), "https://api/api/x");
    }
}
