//! Faults of cursors, the same for every list.

use super::FaultKind;

/// Everything after this mark in a cursor is ignored: two cursors that differ only
/// there stand for the same place. Cursors are opaque to clients.
const MARK: char = '~';

/// The place that a cursor stands for; `None` is the beginning.
pub(crate) fn place(cursor: &str) -> Option<&str> {
    let place = cursor.split(MARK).next().unwrap_or_default();
    (!place.is_empty()).then_some(place)
}

/// What a page tells about the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Onward {
    pub(crate) has_more: bool,
    pub(crate) cursor: Option<String>,
}

/// Whether the page is returned without its rows.
pub(crate) fn is_emptied(fault: Option<&FaultKind>) -> bool {
    fault == Some(&FaultKind::EmptyPage)
}

/// The row that a page begins with: `first`, unless the last row of the page before
/// is repeated.
pub(crate) fn beginning(first: usize, fault: Option<&FaultKind>) -> usize {
    first.saturating_sub(usize::from(fault == Some(&FaultKind::DuplicateRows)))
}

/// Applies a fault of paging; `asked` is the cursor of the request.
pub(crate) fn bend(onward: Onward, asked: Option<&str>, fault: Option<&FaultKind>) -> Onward {
    let cursor = match fault {
        Some(FaultKind::RepeatCursor) => asked.map(str::to_owned).or(onward.cursor),
        Some(FaultKind::LoopCursor) => match asked.map(|asked| asked.split_once(MARK)) {
            None => onward.cursor,
            Some(None) => asked.map(|asked| format!("{asked}{MARK}b")),
            Some(Some((first, _))) => Some(first.to_owned()),
        },
        Some(FaultKind::NoCursor) => None,
        Some(FaultKind::EmptyPage) => {
            let (place, turn) = match asked.and_then(|asked| asked.split_once(MARK)) {
                Some((place, turn)) => (place, turn.parse().unwrap_or(0)),
                None => (asked.unwrap_or_default(), 0),
            };
            Some(format!("{place}{MARK}{}", turn + 1))
        }
        _ => return onward,
    };
    Onward {
        has_more: true,
        cursor,
    }
}
