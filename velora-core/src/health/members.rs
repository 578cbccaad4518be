//! Where the members of an event lie in its text.

#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::borrow::Cow;

use crate::json;

macro_rules! members {
    ($($index:literal $name:ident = $text:literal,)+) => {
        $(pub(crate) const $name: usize = $index;)+
        const MEMBERS: usize = [$($text),+].len();

        /// How each member begins if there are no blanks.
        const BEGINNINGS: [&str; MEMBERS] = [$(concat!("\"", $text, "\":")),+];

        fn index_of(name: &str) -> Option<usize> {
            match name {
                $($text => Some($name),)+
                _ => None,
            }
        }
    };
}

members! {
    0 EVENT_ID = "event_id",
    1 TIMESTAMP = "timestamp",
    2 ACTION = "action",
    3 USER_ID = "user_id",
    4 USER_ROLE = "user_role",
    5 RESOURCE_TYPE = "resource_type",
    6 RESOURCE_ID = "resource_id",
    7 FIELDS_ACCESSED = "fields_accessed",
    8 PHI_INVOLVED = "phi_involved",
    9 TENANT_ID = "tenant_id",
    10 SOURCE_IP = "source_ip",
    11 USER_AGENT = "user_agent",
    12 JUSTIFICATION = "justification",
    13 SUCCESS = "success",
    14 DETAILS = "details",
}

/// Where a member's value lies. No value lies at the very start of an event, so that
/// the default means "absent".
#[derive(Clone, Copy, Default)]
struct Place {
    start: u32,
    end: u32,
}

/// The places of the members that have an accessor; of a repeated one, the last.
#[derive(Clone, Default)]
pub(crate) struct Members {
    places: [Place; MEMBERS],
    /// A bit for each value that holds a backslash.
    escaped: u16,
}

impl Members {
    /// Finds them in a text that is known to be a JSON object. In any other text the result is
    /// arbitrary, but the search ends.
    pub(crate) fn find(event: &str) -> Self {
        let mut members = Self::default();
        let mut walk = Walk::new(event);
        // In the documented order, no name has to be read.
        let mut next = 0;
        loop {
            let (index, start, end) = match walk.value_behind(BEGINNINGS.get(next)) {
                Some((start, end)) => (Some(next), start, end),
                None => match walk.next() {
                    Some((name, start, end)) => (index_of(&name), start, end),
                    None => return members,
                },
            };
            if let Some(index) = index {
                next = index.saturating_add(1);
                members.set(index, start, end, walk.escaped);
            }
        }
    }

    fn set(&mut self, member: usize, start: usize, end: usize, escaped: bool) {
        let at = u32::try_from(start).ok().zip(u32::try_from(end).ok());
        if let (Some(place), Some((start, end))) = (self.places.get_mut(member), at) {
            *place = Place { start, end };
            let bit = 1_u16.checked_shl(member as u32).unwrap_or_default();
            self.escaped = if escaped {
                self.escaped | bit
            } else {
                self.escaped & !bit
            };
        }
    }

    /// The member's text, borrowed if it has no escapes; `None` if it is not a text.
    pub(crate) fn text<'e>(&self, event: &'e str, member: usize) -> Option<Cow<'e, str>> {
        let value = self.value(event, member);
        if self.escaped & 1_u16.checked_shl(member as u32).unwrap_or_default() != 0 {
            return json::text_of(value.as_bytes());
        }
        let inner = value.strip_prefix('"')?.strip_suffix('"')?;
        Some(Cow::Borrowed(inner))
    }

    /// The member's value as written; `""` if it is absent.
    pub(crate) fn value<'e>(&self, event: &'e str, member: usize) -> &'e str {
        let place = self.places.get(member).copied().unwrap_or_default();
        let at = usize::try_from(place.start)
            .ok()
            .zip(usize::try_from(place.end).ok());
        at.and_then(|(start, end)| event.get(start..end))
            .unwrap_or_default()
    }
}

/// The value of the last member of this name, as written.
pub(crate) fn value_of<'e>(event: &'e str, name: &str) -> Option<&'e str> {
    let (_, start, end) = Walk::new(event)
        .filter(|(found, ..)| found == name)
        .last()?;
    event.get(start..end)
}

const BLANKS: &[u8] = b" \t\r\n";

/// Goes over the members of a JSON object: their names, and where their values lie.
struct Walk<'e> {
    event: &'e str,
    at: usize,
    /// Whether the value that was read last holds a backslash.
    escaped: bool,
}

impl<'e> Walk<'e> {
    fn new(event: &'e str) -> Self {
        let at = event
            .find('{')
            .map_or(event.len(), |at| at.saturating_add(1));
        Self {
            event,
            at,
            escaped: false,
        }
    }

    fn byte(&self) -> Option<u8> {
        self.event.as_bytes().get(self.at).copied()
    }

    fn step(&mut self) {
        self.at = self.at.saturating_add(1);
    }

    /// Moves to the first byte that is none of these.
    fn skip(&mut self, bytes: &[u8]) {
        while self.byte().is_some_and(|byte| bytes.contains(&byte)) {
            self.step();
        }
    }

    /// Moves from after an opening quote to after the closing one.
    fn skip_text(&mut self) {
        loop {
            let rest = self.event.as_bytes().get(self.at..).unwrap_or_default();
            let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
                self.at = self.event.len();
                return;
            };
            self.at = self.at.saturating_add(found);
            let quote = self.byte() == Some(b'"');
            self.escaped |= !quote;
            self.at = self.at.saturating_add(if quote { 1 } else { 2 });
            if quote {
                return;
            }
        }
    }

    /// If the next member begins like this, here or after a comma: where its value lies.
    fn value_behind(&mut self, beginning: Option<&&str>) -> Option<(usize, usize)> {
        let rest = self.event.as_bytes().get(self.at..)?;
        let comma = usize::from(rest.first() == Some(&b','));
        let beginning = beginning?.as_bytes();
        if !rest.get(comma..)?.starts_with(beginning) {
            return None;
        }
        self.at = self
            .at
            .saturating_add(comma)
            .saturating_add(beginning.len());
        Some(self.value())
    }

    /// The value that begins here, without the blanks around it.
    fn value(&mut self) -> (usize, usize) {
        self.skip(BLANKS);
        let start = self.at;
        self.escaped = false;
        self.skip_value();
        let value = self
            .event
            .as_bytes()
            .get(start..self.at)
            .unwrap_or_default();
        let blanks = value.len().saturating_sub(value.trim_ascii_end().len());
        (start, self.at.saturating_sub(blanks))
    }

    fn skip_value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.byte() {
            match byte {
                b',' | b'}' | b']' if depth == 0 => return,
                b'"' => {
                    self.step();
                    self.skip_text();
                    continue;
                }
                b'{' | b'[' => depth = depth.saturating_add(1),
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.step();
        }
    }
}

impl<'e> Iterator for Walk<'e> {
    type Item = (Cow<'e, str>, usize, usize);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip(b" \t\r\n,");
            let quote = self.at;
            if self.byte()? != b'"' {
                return None;
            }
            self.step();
            self.skip_text();
            let name = json::text_of(self.event.get(quote..self.at)?.as_bytes());
            self.skip(b" \t\r\n:");
            let (start, end) = self.value();
            // A name with half a surrogate pair is no text, and thus no name of ours.
            if let Some(name) = name {
                return Some((name, start, end));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]

    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    fn json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            "[a-z\"\\\\{}\\[\\],: \n\u{e9}]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            let name = "[a-c\"\\\\{,]{0,3}|event_id|action";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((name, inner), 0..6)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn finds_what_a_parser_finds(value in json(), pretty in any::<bool>()) {
            prop_assume!(value.is_object());
            let text = match pretty {
                true => serde_json::to_string_pretty(&value).unwrap(),
                false => value.to_string(),
            };
            let found: serde_json::Map<String, Value> = Walk::new(&text)
                .map(|(name, start, end)| {
                    (name.into_owned(), serde_json::from_str(&text[start..end]).unwrap())
                })
                .collect();
            prop_assert_eq!(Value::Object(found), value);
        }

        /// In the documented order and in any other, with all members or with some.
        #[test]
        fn finds_each_member_and_its_text(
            mut order in Just((0..MEMBERS).collect::<Vec<_>>()).prop_shuffle(),
            documented in any::<bool>(),
            values in prop::collection::vec(json(), MEMBERS),
            gone in 0..MEMBERS,
            pretty in any::<bool>(),
        ) {
            if documented {
                order.sort_unstable();
            }
            order.retain(|member| *member != gone);
            let name = |member: &usize| BEGINNINGS[*member].trim_matches([':', '"']);
            let members = order.iter().map(|member| {
                let value = match pretty {
                    true => serde_json::to_string_pretty(&values[*member]),
                    false => serde_json::to_string(&values[*member]),
                };
                let blank = if pretty { "\n " } else { "" };
                format!("{blank}\"{}\":{blank}{}{blank}", name(member), value.unwrap())
            });
            let text = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
            let found = Members::find(&text);
            for member in &order {
                let value = found.value(&text, *member);
                prop_assert_eq!(&serde_json::from_str::<Value>(value).unwrap(), &values[*member]);
                let value = found.text(&text, *member);
                prop_assert_eq!(value.as_deref(), values[*member].as_str());
            }
            prop_assert_eq!(found.value(&text, gone), "");
        }

        /// Also past names that are no texts.
        #[test]
        fn goes_past_every_name(names in prop::collection::vec("([a-c]|\\\\ud8[0-9]{2}|\\\\u00e9){0,3}", 0..4)) {
            let others: String = names.iter().map(|name| format!("\"{name}\":[1],")).collect();
            let text = format!("{{{others}\"event_id\":\"e\"}}");
            let found = Members::find(&text);
            let id = found.text(&text, EVENT_ID);
            prop_assert_eq!(id.as_deref(), Some("e"));
        }

        #[test]
        fn comes_to_an_end_on_anything(text in "[{}\\[\\]\"\\\\,: a\u{e9}]{0,40}") {
            prop_assert!(Walk::new(&text).count() <= text.len());
            Members::find(&text);
        }
    }
}
