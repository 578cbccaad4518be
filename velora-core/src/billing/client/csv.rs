//! Parses RFC 4180 from byte chunks. Pure values, no I/O: the result does not depend on how the
//! input is chunked.

use csv_core::{ReadRecordResult, Reader};

use crate::api::{malformed, too_large};
use crate::error::{ApiError, ApiErrorKind};

/// The length of a byte order mark, which is recognised only if all its bytes come at once.
const BOM: usize = 3;

/// The fields of one record.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Record {
    text: String,
    /// Where each field ends in the text.
    ends: Vec<usize>,
}

impl Record {
    pub(super) fn len(&self) -> usize {
        self.ends.len()
    }

    pub(super) fn field(&self, at: usize) -> Option<&str> {
        let end = *self.ends.get(at)?;
        let start = match at.checked_sub(1) {
            None => 0,
            Some(before) => *self.ends.get(before)?,
        };
        self.text.get(start..end)
    }
}

/// Takes in chunks and returns records.
pub(super) struct Records {
    reader: Reader,
    input: Vec<u8>,
    /// How much of the input has been read.
    at: usize,
    ended: bool,
    record: Partial,
    max_bytes: usize,
}

/// The record that is being read.
struct Partial {
    text: Vec<u8>,
    length: usize,
    ends: Vec<usize>,
    fields: usize,
}

impl Default for Partial {
    fn default() -> Self {
        Self {
            text: vec![0; 256],
            length: 0,
            ends: vec![0; 16],
            fields: 0,
        }
    }
}

impl Records {
    /// Refuses a record of more than `max_bytes`: of fields and commas, without quotes.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            reader: Reader::new(),
            input: Vec::new(),
            at: 0,
            ended: false,
            record: Partial::default(),
            max_bytes,
        }
    }

    /// Takes in the next chunk.
    pub(super) fn push(&mut self, chunk: &[u8]) {
        self.input.drain(..self.at);
        self.at = 0;
        self.input.extend_from_slice(chunk);
    }

    /// The input has ended. If the last record lacks its line end, one is added.
    pub(super) fn end(&mut self) {
        self.push(b"\n");
        self.ended = true;
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// The next record; `None` if more input is needed first, or all records were returned.
    ///
    /// Errors: `connection` if the input ends within quotes, as a truncated body does;
    /// `malformed_response` if it is not UTF-8; `response_too_large`.
    pub(super) fn next(&mut self) -> Result<Option<Record>, ApiError> {
        loop {
            let input = self.input.get(self.at..).unwrap_or_default();
            // The reader takes empty input as the end.
            let waits = match self.at {
                0 => input.len() < BOM,
                _ => input.is_empty(),
            };
            if waits && !self.ended {
                return Ok(None);
            }
            let at_end = input.is_empty();
            let record = &mut self.record;
            let (result, read, written, ends) = self.reader.read_record(
                input,
                record.text.get_mut(record.length..).unwrap_or_default(),
                record.ends.get_mut(record.fields..).unwrap_or_default(),
            );
            record.length = record.length.saturating_add(written);
            record.fields = record.fields.saturating_add(ends);
            self.at = self.at.saturating_add(read);
            let commas = record.fields.saturating_sub(1);
            if record.length.saturating_add(commas) > self.max_bytes {
                return Err(too_large("a row", self.max_bytes));
            }
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull => double(&mut record.text),
                ReadRecordResult::OutputEndsFull => double(&mut record.ends),
                // Every line has its end by now, so what continues is within quotes.
                ReadRecordResult::Record if at_end => {
                    let message = "the response ends in a quoted field";
                    return Err(ApiError::new(ApiErrorKind::Connection, message));
                }
                ReadRecordResult::Record => return self.record.take().map(Some),
                ReadRecordResult::End => return Ok(None),
            }
        }
    }
}

fn double<T: Default + Clone>(buffer: &mut Vec<T>) {
    buffer.resize(buffer.len().saturating_mul(2), T::default());
}

impl Partial {
    fn take(&mut self) -> Result<Record, ApiError> {
        let text = self.text.get(..self.length).unwrap_or_default().to_vec();
        let ends = self.ends.get(..self.fields).unwrap_or_default().to_vec();
        (self.length, self.fields) = (0, 0);
        let text = String::from_utf8(text).map_err(|_| malformed("a row is not UTF-8"))?;
        match ends.iter().all(|end| text.is_char_boundary(*end)) {
            true => Ok(Record { text, ends }),
            false => Err(malformed("a field is not UTF-8")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORDS: &str = "\u{feff}\"id\",note\r\n\
        1,\"two\r\nlines, \"\"quoted\"\"\"\r\n\
        2,\"Zoë\nline feed\"\n\
        3, blanks kept \r\n\
        4,";

    fn read(chunks: &[&[u8]], max_bytes: usize) -> Result<Vec<Vec<String>>, ApiError> {
        let mut records = Records::new(max_bytes);
        let mut read = Vec::new();
        for at in 0..=chunks.len() {
            match chunks.get(at) {
                Some(chunk) => records.push(chunk),
                None => records.end(),
            }
            while let Some(record) = records.next()? {
                let fields = (0..record.len()).filter_map(|at| record.field(at));
                read.push(fields.map(str::to_owned).collect());
            }
        }
        Ok(read)
    }

    #[test]
    fn records_are_the_same_however_they_are_chunked() {
        let bytes = RECORDS.as_bytes();
        let whole = read(&[bytes], 1_000).unwrap();
        assert_eq!(
            whole,
            [
                ["id", "note"],
                ["1", "two\r\nlines, \"quoted\""],
                ["2", "Zoë\nline feed"],
                ["3", " blanks kept "],
                ["4", ""],
            ]
        );
        for first in 0..bytes.len() {
            for second in first..bytes.len() {
                let (head, rest) = bytes.split_at(first);
                let (middle, tail) = rest.split_at(second - first);
                assert_eq!(read(&[head, middle, tail], 1_000).unwrap(), whole);
            }
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(&single, 1_000).unwrap(), whole);
    }

    #[test]
    fn an_end_within_quotes_is_a_cut() {
        let error = read(&[b"id,note\n1,\"two", b" lines\n"], 1_000).unwrap_err();
        assert_eq!(error.code().as_str(), "connection");
        for last in ["\"1\"", "5\"", "\"1\"\"\"", "\"1\"\"\"\n"] {
            let whole = read(&[b"id\n", last.as_bytes()], 1_000).unwrap();
            assert_eq!(whole.len(), 2, "{last}");
        }
        for cut in ["\"", "\"1\"\"", "1\n\"\r\n"] {
            let error = read(&[b"id\n", cut.as_bytes()], 1_000).unwrap_err();
            assert_eq!(error.code().as_str(), "connection", "{cut}");
        }
    }

    #[test]
    fn what_is_not_utf8_is_refused() {
        for bytes in [&b"id\n\xff\n"[..], b"id,b\n\xc3,\xa9\n"] {
            let error = read(&[bytes], 1_000).unwrap_err();
            assert_eq!(error.code().as_str(), "malformed_response");
        }
    }

    #[test]
    fn one_record_cannot_fill_the_memory() {
        let quoted = [&b"\""[..], &b"\n".repeat(10_000)].concat();
        for endless in [b"x".repeat(10_000), b",".repeat(10_000), quoted] {
            let error = read(&[&endless], 1_000).map(|records| records.len());
            assert_eq!(error.unwrap_err().code().as_str(), "response_too_large");
        }
        let rows = b"a,b\n".repeat(10_000);
        assert_eq!(read(&[&rows], 1_000).unwrap().len(), 10_000);
    }

    #[test]
    fn the_limit_is_of_each_record() {
        for limit in [1, 100, 256, 1_000] {
            for unit in ["x", ","] {
                let fits = unit.repeat(limit);
                let rows = format!("{fits}\r\n{fits}\n{fits}");
                assert_eq!(read(&[rows.as_bytes()], limit).unwrap().len(), 3);
                for row in [
                    format!("{fits}x"),
                    format!("{fits}x\r\n"),
                    format!("{fits},\n"),
                ] {
                    let error = read(&[format!("a\n{row}").as_bytes()], limit).unwrap_err();
                    assert_eq!(
                        error.code().as_str(),
                        "response_too_large",
                        "{limit} {unit}"
                    );
                }
            }
        }
    }

    #[test]
    fn nothing_has_no_record() {
        assert!(read(&[], 10).unwrap().is_empty());
        assert!(read(&[b"\r\n", b"\n"], 10).unwrap().is_empty());
    }
}
