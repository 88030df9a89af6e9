//! Percent-encoding (RFC 3986), with the text around it.

use super::escapes::{around, number};
use super::{Source, View, ViewKind};

pub(super) fn make(source: &Source<'_>, visit: &mut dyn FnMut(&View<'_>)) {
    // One is as likely a format of printf as anything else; there are few letters behind a sign in ordinary text.
    let marks = memchr::memchr_iter(b'%', source.bytes).filter(|&at| byte(&source.bytes[at..]).is_some());
    if marks.take(3).count() == 3 {
        around(source, ViewKind::Percent, b'%', byte, visit);
    }
}

/// The encoded byte that `text` begins with.
fn byte(text: &[u8]) -> Option<(usize, char)> {
    let value = number(text.get(1..3)?)?;
    Some((3, char::from(u8::try_from(value).ok()?)))
}
