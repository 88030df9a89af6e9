//! Extended headers: `length key=value\n`, each overriding a field of the next member or of all.

/// What extended headers say.
#[derive(Clone, Debug, Default)]
pub(super) struct Pax<'a> {
    pub(super) path: Option<&'a [u8]>,
    pub(super) link: Option<&'a [u8]>,
    pub(super) size: Option<u64>,
    /// The size of a sparse file with its holes.
    pub(super) real_size: Option<u64>,
    /// There are keys with values that are nobody's business: comments, attributes.
    pub(super) says_more: bool,
}

/// Keys whose values only describe the file.
const PLAIN: &[&[u8]] = &[
    b"path",
    b"linkpath",
    b"size",
    b"mtime",
    b"atime",
    b"ctime",
    b"uid",
    b"gid",
    b"uname",
    b"gname",
    b"charset",
    b"hdrcharset",
    b"LIBARCHIVE.creationtime",
    b"SCHILY.dev",
    b"SCHILY.ino",
    b"SCHILY.nlink",
];

impl<'a> Pax<'a> {
    /// What holds for one member: this, and the global headers where this is silent. This is then used up.
    pub(super) fn take_over(&mut self, global: &Self) -> Self {
        let own = std::mem::take(self);
        Self {
            path: own.path.or(global.path),
            link: own.link.or(global.link),
            size: own.size.or(global.size),
            real_size: own.real_size.or(global.real_size),
            says_more: false,
        }
    }

    /// Reads the records of one header. False if one of them is none.
    pub(super) fn read(&mut self, mut records: &'a [u8]) -> bool {
        while !records.is_empty() && records[0] != 0 {
            let Some((key, value, rest)) = record(records) else { return false };
            records = rest;
            match key {
                b"path" | b"GNU.sparse.name" => self.path = Some(value),
                b"linkpath" => self.link = Some(value),
                b"size" => match decimal(value) {
                    Some(size) => self.size = Some(size),
                    None => return false,
                },
                b"GNU.sparse.size" | b"GNU.sparse.realsize" => self.real_size = decimal(value),
                _ if key.starts_with(b"GNU.sparse.") || PLAIN.contains(&key) => {}
                _ => self.says_more = true,
            }
        }
        true
    }
}

fn record(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = memchr::memchr(b' ', &bytes[..bytes.len().min(24)])?;
    let length = usize::try_from(decimal(&bytes[..space])?).ok()?;
    let body = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = memchr::memchr(b'=', body)?;
    Some((&body[..equals], &body[equals + 1..], &bytes[length..]))
}

fn decimal(digits: &[u8]) -> Option<u64> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_override_and_what_is_none_is_told() {
        let mut pax = Pax::default();
        assert!(pax.read(b"12 path=a/b\n10 size=9\n17 comment=hello\n"));
        assert_eq!((pax.path, pax.size, pax.says_more), (Some(&b"a/b"[..]), Some(9), true));
        for records in [&b"99 path=a\n"[..], b"x", b"0 a=b\n", b"11 size=-99\n", b"8 path=a\n"] {
            assert!(!Pax::default().read(records), "{records:?}");
        }
    }
}
