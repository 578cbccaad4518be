//! The texts of schemes and errors, as far as a build has them: one with the feature `full`
//! may be given some, and says what is wrong; others know constants alone, and say codes.

#[cfg(feature = "full")]
mod chosen {
    use std::borrow::Cow;

    pub(crate) type Text = Cow<'static, str>;
    /// The header that an error is about.
    pub(crate) type Header = Text;
    /// What an error says beside its code.
    pub(crate) type Reason = &'static str;

    pub(crate) const fn text(text: &'static str) -> Text {
        Cow::Borrowed(text)
    }

    pub(crate) const fn reason(reason: &'static str) -> Reason {
        reason
    }

    pub(crate) fn header(name: &Text) -> Header {
        name.clone()
    }
}

#[cfg(not(feature = "full"))]
mod chosen {
    pub(crate) type Text = &'static str;
    pub(crate) type Header = Unsaid;
    pub(crate) type Reason = Unsaid;

    /// What an error does not say beside its code (without the feature `full`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Unsaid;

    pub(crate) const fn text(text: &'static str) -> Text {
        text
    }

    pub(crate) const fn reason(_: &'static str) -> Reason {
        Unsaid
    }

    pub(crate) fn header(_: &Text) -> Header {
        Unsaid
    }
}

#[cfg(not(feature = "full"))]
pub use chosen::Unsaid;
pub(crate) use chosen::{Header, Reason, Text, header, reason, text};
