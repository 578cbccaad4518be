//! One line in, one line out, in order.

use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};

use crate::answer::{Answer, Verdict};
use crate::case::Case;

const BUFFER_BYTES: usize = 64 * 1024;

/// Answers every line that is not blank. Memory holds one line at a time.
pub(crate) fn answer_all(
    input: impl Read,
    output: impl Write,
    answer: impl Fn(&Case<'_>) -> Verdict,
) -> io::Result<()> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let mut output = BufWriter::with_capacity(BUFFER_BYTES, output);
    let mut line = Vec::new();
    while input.read_until(b'\n', &mut line)? > 0 {
        let text = line.trim_ascii();
        if !text.is_empty() {
            write_answer(&mut output, text, &answer)?;
        }
        line.clear();
        // One who waits for an answer before writing the next case gets it.
        if input.buffer().is_empty() {
            output.flush()?;
        }
    }
    output.flush()
}

fn write_answer(
    output: &mut impl Write,
    text: &[u8],
    answer: impl Fn(&Case<'_>) -> Verdict,
) -> io::Result<()> {
    let answer = match Case::read(text) {
        Ok(case) => Answer {
            id: case.id,
            verdict: answer(&case),
        },
        Err(id) => Answer {
            id,
            verdict: Verdict::Refused("invalid_case"),
        },
    };
    serde_json::to_writer(&mut *output, &answer)?;
    output.write_all(b"\n")
}
