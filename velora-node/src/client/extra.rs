//! Members that a type does not name: their names, and their values in JSON.

use napi_derive::napi;
use velora_core::Extra;

/// Names, each with its value in JSON; for a CSV row, with its field.
#[napi]
pub type Pairs = Vec<(String, String)>;

/// The members in their order.
pub(crate) fn pairs(extra: &Extra) -> Pairs {
    extra
        .iter()
        .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
        .collect()
}
