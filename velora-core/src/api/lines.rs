//! Parses NDJSON from byte chunks into rows: each line is one JSON object.

use std::ops::Range;

use super::Body;
use super::response::{malformed, too_large, unreadable};
use crate::error::ApiError;
use crate::json;

/// Rows as they arrived, one after the other in one piece of memory.
#[derive(Default)]
pub(crate) struct Lines {
    text: Vec<u8>,
    rows: Vec<Range<usize>>,
    /// The start of the line that has not ended yet.
    open: usize,
}

impl Lines {
    /// Reads a body, up to `max_rows` rows and `max_bytes` bytes, and returns whether that was
    /// all of it. The rest is not read.
    ///
    /// Errors: `connection` if the body is cut off; `response_too_large` if not even one row
    /// fits; and those of the transport.
    pub(crate) async fn read(
        mut body: Body,
        max_rows: usize,
        max_bytes: usize,
    ) -> Result<(Self, bool), ApiError> {
        let mut lines = Self::default();
        while let Some(chunk) = body.chunk().await {
            lines.push(&chunk?);
            let full = lines.rows.len() >= max_rows || lines.text.len() > max_bytes;
            if full && lines.rows.is_empty() {
                return Err(too_large("a row", max_bytes));
            }
            if full {
                lines.rows.truncate(max_rows);
                return Ok((lines, false));
            }
        }
        lines.finish()?;
        Ok((lines, true))
    }

    /// Adds the next chunk.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let start = self.text.len();
        self.text.extend_from_slice(chunk);
        for at in memchr::memchr_iter(b'\n', chunk) {
            self.close(start.saturating_add(at));
        }
    }

    /// The last line may lack its line end, but only if its row is complete.
    pub(crate) fn finish(&mut self) -> Result<(), ApiError> {
        let before = self.rows.len();
        self.close(self.text.len());
        if self.rows.len() > before {
            let last = self.rows().last().unwrap_or_default();
            check(last)?;
        }
        Ok(())
    }

    /// The rows in order, each without the blanks around it.
    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.rows
            .iter()
            .map(|row| self.text.get(row.clone()).unwrap_or_default())
    }

    /// The memory and the places of the rows in it.
    pub(crate) fn into_parts(self) -> (Vec<u8>, Vec<Range<usize>>) {
        (self.text, self.rows)
    }

    fn close(&mut self, end: usize) {
        let line = self.text.get(self.open..end).unwrap_or_default();
        let row = line.trim_ascii();
        if !row.is_empty() {
            let blanks = line.len().saturating_sub(line.trim_ascii_start().len());
            let start = self.open.saturating_add(blanks);
            self.rows.push(start..start.saturating_add(row.len()));
        }
        self.open = end.saturating_add(1);
    }
}

/// Checks that the last row of a body is complete. Only the last row can be cut off.
fn check(row: &[u8]) -> Result<(), ApiError> {
    let (text, whole) = match str::from_utf8(row) {
        Ok(text) => (text, true),
        Err(error) if error.error_len().is_none() => {
            let text = row.get(..error.valid_up_to()).unwrap_or_default();
            (str::from_utf8(text).unwrap_or_default(), false)
        }
        Err(_) => return Err(not_a_row()),
    };
    match json::check(text) {
        Ok(()) if whole => Ok(()),
        Err(fault) if fault.is_cut(text) => Err(unreadable(text, fault)),
        _ => Err(not_a_row()),
    }
}

pub(crate) fn not_a_row() -> ApiError {
    malformed("a row is not a JSON object")
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};

    use super::*;

    fn read(chunks: &[&str]) -> Result<Vec<String>, ApiError> {
        let mut lines = Lines::default();
        chunks.iter().for_each(|chunk| lines.push(chunk.as_bytes()));
        lines.finish()?;
        let text = |row: &[u8]| String::from_utf8_lossy(row).into_owned();
        Ok(lines.rows().map(text).collect())
    }

    #[test]
    fn rows_come_whole_however_they_are_chunked() {
        let body = "{\"n\":1}\r\n\n  {\"n\":2} \n{\"n\":3}";
        let whole = read(&[body]).unwrap();
        assert_eq!(whole, ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"]);
        for at in 0..body.len() {
            let (head, tail) = body.split_at(at);
            assert_eq!(read(&[head, tail]).unwrap(), whole);
        }
    }

    #[test]
    fn a_cut_row_is_a_connection_fault() {
        let code = |chunks: &[&str]| read(chunks).unwrap_err().code().as_str();
        assert_eq!(code(&["{\"n\":1}\n{\"n\":"]), "connection");
        assert_eq!(code(&["{\"n\":1}\n<html>"]), "malformed_response");
    }

    #[test]
    fn what_is_beyond_the_limit_is_not_read() {
        let chunks = [Ok("{}\n{}\n".into()), Ok("{}\n".into())];
        let body = |further: &'static str| {
            let never = stream::poll_fn(move |_| panic!("{further} was read"));
            Body::new(stream::iter(chunks.clone()).chain(never))
        };
        let read = |body, rows, bytes| Lines::read(body, rows, bytes).now_or_never().unwrap();
        let (lines, ended) = read(body("a row too many"), 3, 100).unwrap();
        assert_eq!((lines.rows().len(), ended), (3, false));
        let (lines, ended) = read(body("a byte too many"), 9, 8).unwrap();
        assert_eq!((lines.rows().len(), ended), (3, false));
        let (lines, ended) = read(Body::new(stream::iter(chunks.clone())), 9, 100).unwrap();
        assert_eq!((lines.rows().len(), ended), (3, true));
        let (lines, ended) = read(body("a row too many"), 1, 100).unwrap();
        assert_eq!((lines.rows().len(), ended), (1, false));
        let one_row = Body::from(b"{\"a\":".to_vec());
        let error = read(one_row, 9, 3).map(|_| ()).unwrap_err();
        assert_eq!(error.code().as_str(), "response_too_large");
    }

    #[test]
    fn blank_bodies_have_no_rows() {
        assert!(read(&[]).unwrap().is_empty());
        assert!(read(&["\n", "\r\n"]).unwrap().is_empty());
    }
}
