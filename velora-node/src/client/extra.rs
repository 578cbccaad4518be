//! Members that have no name of their own: names, and values in JSON.

use velora_core::Extra;

/// A name, and a value in JSON.
pub(crate) type Pairs = Vec<(String, String)>;

/// The members in their order.
pub(crate) fn pairs(extra: &Extra) -> Pairs {
    extra
        .iter()
        .map(|(name, value)| (name.to_owned(), value.as_str().to_owned()))
        .collect()
}
