//! Members that have no name of their own: names, and values in JSON.

use napi_derive::napi;
use velora_core::Extra;

/// Names, each with a value in JSON.
#[napi]
pub type Pairs = Vec<(String, String)>;

/// The members in their order.
pub(crate) fn pairs(extra: &Extra) -> Pairs {
    extra
        .iter()
        .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
        .collect()
}
