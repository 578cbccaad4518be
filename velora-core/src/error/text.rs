//! Error messages, joined from strings without `core::fmt`, which would be a large part of an
//! edge worker's code. The smallest builds (without the feature `full`) only have the codes.

/// Emits a message piece by piece.
pub(super) trait Says {
    fn say(&self, out: &mut dyn FnMut(&str));
}

pub(super) fn text_of(error: &dyn Says) -> String {
    let mut text = String::new();
    error.say(&mut |piece| text.push_str(piece));
    text
}

/// Defines the messages of an error, for `Display` and for callers that do not format.
macro_rules! says {
    ($error:ident: $($(#[$meta:meta])* $variant:pat => [$($piece:expr),+],)+) => {
        impl $crate::error::text::Says for $error {
            fn say(&self, out: &mut dyn FnMut(&str)) {
                #[cfg(not(feature = "full"))]
                out(self.code().as_str());
                #[cfg(feature = "full")]
                match self {
                    $($(#[$meta])* $variant => $crate::error::text::each(out, &[$($piece),+]),)+
                }
            }
        }

        impl std::fmt::Display for $error {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                $crate::error::text::display(self, f)
            }
        }

        impl std::error::Error for $error {}
    };
}

pub(super) use says;

#[cfg(feature = "full")]
#[inline(never)]
pub(super) fn each(out: &mut dyn FnMut(&str), pieces: &[&str]) {
    pieces.iter().for_each(|piece| out(piece));
}

pub(super) fn display(error: &dyn Says, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
    let mut result = Ok(());
    error.say(&mut |piece| result = result.and_then(|()| f.write_str(piece)));
    result
}
