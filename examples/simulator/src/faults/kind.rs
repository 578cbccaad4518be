//! The faults by name.

use std::fmt;

/// What goes wrong. By header and control call a fault is `name` or `name=value`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FaultKind {
    /// `rate_limited[=1]`: 429 with `Retry-After` in seconds.
    RateLimited(u64),
    /// `rate_limited_date[=1]`: 429 with `Retry-After` as an HTTP date, so many seconds ahead.
    RateLimitedDate(u64),
    /// `rate_limited_hour`: 429 with `Retry-After: 3600`.
    RateLimitedHour,
    /// `rate_limited_bare`: 429 without `Retry-After`.
    RateLimitedBare,
    /// `status[=500]`: any status, with an error body.
    Status(u16),
    /// `reset`: the connection is reset before anything is answered. The call is not
    /// carried out.
    Reset,
    /// `reset_after`: the same, but the call has been carried out.
    ResetAfter,
    /// `hang`: no answer at all.
    Hang,
    /// `latency[=100]`: the answer comes so many milliseconds later.
    Latency(u64),
    /// `cut_length`: `Content-Length` promises the whole body, half of it comes.
    CutLength,
    /// `cut_chunked`: half of a chunked body, without the last chunk.
    CutChunked,
    /// `cut_row`: as `cut_chunked`, right behind a line's end.
    CutRow,
    /// `cut_reset`: half of a body, then a reset.
    CutReset,
    /// `stall`: half of a body, then silence.
    Stall,
    /// `drip[=20]`: 64 bytes of the body every so many milliseconds.
    Drip(u64),
    /// `endless`: a body that never ends: blanks behind JSON, else the body again and again.
    Endless,
    /// `gzip`: the body in gzip, whether or not the client accepts it.
    Gzip,
    /// `gzip_bomb[=64]`: the body in gzip, with so many MiB of blanks behind it.
    GzipBomb(u64),
    /// `wrong_content_type`: the body as it should be, called `text/html`.
    WrongContentType,
    /// `not_json`: a page of HTML under the right content type.
    NotJson,
    /// `pretty`: the JSON of the body over many lines, each member on its own. Not of an
    /// export.
    Pretty,
    /// `bad_row`: the middle line of the body is no JSON.
    BadRow,
    /// `no_truncation_header`: the export's header is stripped.
    NoTruncationHeader,
    /// `truncation_header=yes`: the export's header in another style (`1`, `yes`, `TRUE`,
    /// `True`: with its opposite where nothing was cut), or any text as it is.
    TruncationHeader(String),
    /// `repeat_cursor`: the next cursor is the one that was asked for.
    RepeatCursor,
    /// `loop_cursor`: the next cursor leads from A to B and from B to A.
    LoopCursor,
    /// `no_cursor`: there is more, but no cursor.
    NoCursor,
    /// `empty_page`: no rows, and a new cursor that stands for the same place.
    EmptyPage,
    /// `duplicate_rows`: a page begins with the last row of the page before; an export
    /// gives some rows twice.
    DuplicateRows,
    /// `redirect[=url]`, `redirect_307[=url]`, `redirect_308[=url]`: 302, 307 or 308 to the
    /// same path at another host, [`other_host`](crate::Simulator::other_host) unless given.
    Redirect(u16, Option<String>),
}

/// Why a fault could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFault(pub(crate) String);

impl fmt::Display for UnknownFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no such fault, or not a value of it: {}", self.0)
    }
}

impl std::error::Error for UnknownFault {}

impl FaultKind {
    /// The name, and the value where it differs from the default.
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

    /// The name that [`parse`](Self::parse) reads.
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

    /// Every name is read back, and stands in the README.
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
