//! What several examples share.

use std::fmt::Write;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};
use velora_core::health::{Progress, Window};

/// A progress bar on stderr that follows an export through its window; hidden if stderr is
/// not a terminal.
pub fn progress_bar(window: Window) -> ProgressBar {
    let bar = ProgressBar::new(millis(window.until().duration_since(window.since())));
    let style = ProgressStyle::with_template("{bar:40} {share:>4} {msg}, {elapsed}");
    let share = |state: &ProgressState, out: &mut dyn Write| {
        // A failure to draw the bar must not end the export.
        let _ = write!(out, "{:.0}%", state.fraction() * 100.0);
    };
    if let Ok(style) = style {
        bar.set_style(style.with_key("share", share));
    }
    bar
}

/// Moves the bar to the progress of the export.
pub fn show(bar: &ProgressBar, progress: Progress) {
    let done = progress.done_until.duration_since(progress.window.since());
    bar.set_position(millis(done));
    bar.set_message(format!(
        "{} rows from {} windows in {} calls",
        progress.rows, progress.leaves, progress.calls
    ));
}

fn millis(duration: jiff::SignedDuration) -> u64 {
    duration.as_millis().try_into().unwrap_or(0)
}
