//! The faults and their names.

use std::fmt;

/// What goes wrong. In a header or a control request, a fault is written `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// `rate_limited[=1]`: 429 with `Retry-After` in seconds.
    RateLimited(u64),
    /// `rate_limited_date[=1]`: 429 with `Retry-After` as an HTTP date, this many seconds
    /// ahead.
    RateLimitedDate(u64),
    /// `rate_limited_hour`: 429 with `Retry-After: 3600`.
    RateLimitedHour,
    /// `rate_limited_bare`: 429 without `Retry-After`.
    RateLimitedBare,
    /// `status[=500]`: any status, with an error body.
    Status(u16),
    /// `reset`: the connection is reset before any response. The request has no effect.
    Reset,
    /// `reset_after`: the same, but the request has taken effect.
    ResetAfter,
    /// `hang`: no response at all.
    Hang,
    /// `latency[=100]`: the response is delayed by this many milliseconds.
    Latency(u64),
    /// `cut_length`: `Content-Length` is that of the whole body, but only half of it is sent.
    CutLength,
    /// `cut_chunked`: half of a chunked body, without the last chunk.
    CutChunked,
    /// `cut_row`: like `cut_chunked`, but cut right after a line break.
    CutRow,
    /// `cut_reset`: half of a body, then a reset.
    CutReset,
    /// `stall`: half of a body, then silence.
    Stall,
    /// `drip[=20]`: 64 bytes of the body at a time, this many milliseconds apart.
    Drip(u64),
    /// `endless`: a body that never ends: spaces after JSON, otherwise the body repeated.
    Endless,
    /// `gzip`: the body is compressed with gzip, whether or not the client accepts it.
    Gzip,
    /// `gzip_bomb[=64]`: the body is compressed with gzip, followed by this many MiB of spaces.
    GzipBomb(u64),
    /// `wrong_content_type`: the correct body with the content type `text/html`.
    WrongContentType,
    /// `not_json`: an HTML page with the correct content type.
    NotJson,
    /// `pretty`: the JSON of the body over several lines, one member per line. Not for exports.
    Pretty,
    /// `bad_row`: the middle line of the body is not JSON.
    BadRow,
    /// `no_truncation_header`: the export's header is omitted.
    NoTruncationHeader,
    /// `truncation_header=yes`: the export's header in another style (`1`, `yes`, `TRUE`,
    /// `True`; their opposite if nothing was truncated), or any other text verbatim.
    TruncationHeader(String),
    /// `repeat_cursor`: the next cursor is the one in the request.
    RepeatCursor,
    /// `loop_cursor`: the next cursor leads from A to B and from B to A.
    LoopCursor,
    /// `no_cursor`: there is more, but no cursor.
    NoCursor,
    /// `empty_page`: no rows, and a new cursor for the same position.
    EmptyPage,
    /// `duplicate_rows`: a page starts with the last row of the previous page; an export
    /// contains some rows twice.
    DuplicateRows,
    /// `redirect[=url]`, `redirect_307[=url]`, `redirect_308[=url]`: 302, 307 or 308 to the
    /// same path on another host, by default [`other_host`](crate::Simulator::other_host).
    Redirect(u16, Option<String>),
}

/// The text names no known fault, or has an invalid value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(pub(crate) String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "unknown fault, or invalid value: {}", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FaultKind {
    /// Parses a fault's name and its value, if it is not the default.
    pub fn parse(name: &str, value: Option<&str>) -> Result<Self, UnknownFault> {
        let unknown = || UnknownFault(format!("{name}={}", value.unwrap_or_default()));
        let number = |default: u64| match value {
            Some(text) => text.parse().map_err(|_| unknown()),
            None => Ok(default),
        };
        let text = || value.map(str::to_owned);
        Ok(match name {
            "rate_limited" => Self::RateLimited(number(1)?),
            "rate_limited_date" => Self::RateLimitedDate(number(1)?),
            "rate_limited_hour" => Self::RateLimitedHour,
            "rate_limited_bare" => Self::RateLimitedBare,
            "status" => match number(500)? {
                status @ 200..=599 => Self::Status(status as u16),
                _ => return Err(unknown()),
            },
            "reset" => Self::Reset,
            "reset_after" => Self::ResetAfter,
            "hang" => Self::Hang,
            "latency" => Self::Latency(number(100)?),
            "cut_length" => Self::CutLength,
            "cut_chunked" => Self::CutChunked,
            "cut_row" => Self::CutRow,
            "cut_reset" => Self::CutReset,
            "stall" => Self::Stall,
            "drip" => Self::Drip(number(20)?),
            "endless" => Self::Endless,
            "gzip" => Self::Gzip,
            "gzip_bomb" => Self::GzipBomb(number(64)?),
            "wrong_content_type" => Self::WrongContentType,
            "not_json" => Self::NotJson,
            "pretty" => Self::Pretty,
            "bad_row" => Self::BadRow,
            "no_truncation_header" => Self::NoTruncationHeader,
            "truncation_header" => Self::TruncationHeader(text().ok_or_else(unknown)?),
            "repeat_cursor" => Self::RepeatCursor,
            "loop_cursor" => Self::LoopCursor,
            "no_cursor" => Self::NoCursor,
            "empty_page" => Self::EmptyPage,
            "duplicate_rows" => Self::DuplicateRows,
            "redirect" | "redirect_302" => Self::Redirect(302, text()),
            "redirect_307" => Self::Redirect(307, text()),
            "redirect_308" => Self::Redirect(308, text()),
            _ => return Err(unknown()),
        })
    }

    /// The name, as [`parse`](Self::parse) accepts it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::RateLimited(_) => "rate_limited",
            Self::RateLimitedDate(_) => "rate_limited_date",
            Self::RateLimitedHour => "rate_limited_hour",
            Self::RateLimitedBare => "rate_limited_bare",
            Self::Status(_) => "status",
            Self::Reset => "reset",
            Self::ResetAfter => "reset_after",
            Self::Hang => "hang",
            Self::Latency(_) => "latency",
            Self::CutLength => "cut_length",
            Self::CutChunked => "cut_chunked",
            Self::CutRow => "cut_row",
            Self::CutReset => "cut_reset",
            Self::Stall => "stall",
            Self::Drip(_) => "drip",
            Self::Endless => "endless",
            Self::Gzip => "gzip",
            Self::GzipBomb(_) => "gzip_bomb",
            Self::WrongContentType => "wrong_content_type",
            Self::NotJson => "not_json",
            Self::Pretty => "pretty",
            Self::BadRow => "bad_row",
            Self::NoTruncationHeader => "no_truncation_header",
            Self::TruncationHeader(_) => "truncation_header",
            Self::RepeatCursor => "repeat_cursor",
            Self::LoopCursor => "loop_cursor",
            Self::NoCursor => "no_cursor",
            Self::EmptyPage => "empty_page",
            Self::DuplicateRows => "duplicate_rows",
            Self::Redirect(307, _) => "redirect_307",
            Self::Redirect(308, _) => "redirect_308",
            Self::Redirect(..) => "redirect",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every name can be parsed, and is in the README.
    #[test]
    fn names_are_documented() {
        let readme = include_str!("../../README.md");
        let names: Vec<&str> = include_str!("kind.rs")
            .lines()
            .filter_map(|line| line.trim().strip_suffix("\",")?.split(" => \"").nth(1))
            .collect();
        assert_eq!(names.len(), 32);
        for name in names {
            let value = (name == "truncation_header").then_some("yes");
            let parsed = FaultKind::parse(name, value);
            assert_eq!(parsed.map(|kind| kind.name()), Ok(name));
            assert!(readme.contains(&format!("`{name}")), "{name}");
        }
        assert!(FaultKind::parse("status", Some("99")).is_err());
        assert!(FaultKind::parse("truncation_header", None).is_err());
    }
}
