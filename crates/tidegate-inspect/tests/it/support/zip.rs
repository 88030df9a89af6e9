//! Writes zip files whose headers say what they are told to say.

use super::{crc32, deflate};

/// A member. What is `None` is what is right.
#[derive(Clone, Debug, Default)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) local_name: Option<Vec<u8>>,
    pub(crate) content: Vec<u8>,
    pub(crate) method: u16,
    pub(crate) local_method: Option<u16>,
    pub(crate) flags: u16,
    pub(crate) crc: Option<u32>,
    pub(crate) local_crc: Option<u32>,
    pub(crate) size: Option<u32>,
    pub(crate) mode: u32,
    pub(crate) comment: Vec<u8>,
    /// The packed content, where it is not made from `content`.
    pub(crate) packed: Option<Vec<u8>>,
    /// Not in the central directory.
    pub(crate) unlisted: bool,
}

impl Member {
    pub(crate) fn stored(name: &str, content: &[u8]) -> Self {
        Self { name: name.into(), content: content.to_vec(), ..Self::default() }
    }

    pub(crate) fn deflated(name: &str, content: &[u8]) -> Self {
        Self { method: 8, ..Self::stored(name, content) }
    }

    fn pack(&self) -> Vec<u8> {
        match (&self.packed, self.method) {
            (Some(packed), _) => packed.clone(),
            (None, 8) => deflate(&self.content),
            _ => self.content.clone(),
        }
    }

    /// What both headers say from the flags to the sizes.
    fn middle(&self, local: bool, packed: usize) -> Vec<u8> {
        let crc = self.crc.unwrap_or_else(|| crc32(&self.content));
        let size = self.size.unwrap_or_else(|| u32::try_from(self.content.len()).unwrap());
        let method = if local { self.local_method.unwrap_or(self.method) } else { self.method };
        let crc = if local { self.local_crc.unwrap_or(crc) } else { crc };
        let late = local && self.flags & 8 != 0;
        let number = |n: u32| if late { [0; 4] } else { n.to_le_bytes() };
        let mut out = vec![20, 0];
        out.extend(self.flags.to_le_bytes());
        out.extend(method.to_le_bytes());
        out.extend([0; 4]);
        out.extend(number(crc));
        out.extend(number(u32::try_from(packed).unwrap()));
        out.extend(number(size));
        out
    }

    pub(crate) fn local(&self) -> Vec<u8> {
        let packed = self.pack();
        let name = self.local_name.as_ref().unwrap_or(&self.name);
        let mut out = b"PK\x03\x04".to_vec();
        out.extend(self.middle(true, packed.len()));
        out.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        out.extend([0; 2]);
        out.extend(name);
        out.extend(&packed);
        if self.flags & 8 != 0 {
            out.extend(b"PK\x07\x08");
            out.extend(crc32(&self.content).to_le_bytes());
            out.extend(u32::try_from(packed.len()).unwrap().to_le_bytes());
            out.extend(u32::try_from(self.content.len()).unwrap().to_le_bytes());
        }
        out
    }

    pub(crate) fn central(&self, at: usize) -> Vec<u8> {
        let mut out = b"PK\x01\x02\x14\x03".to_vec();
        out.extend(self.middle(false, self.pack().len()));
        out.extend(u16::try_from(self.name.len()).unwrap().to_le_bytes());
        out.extend([0; 2]);
        out.extend(u16::try_from(self.comment.len()).unwrap().to_le_bytes());
        out.extend([0; 4]);
        out.extend((self.mode << 16).to_le_bytes());
        out.extend(u32::try_from(at).unwrap().to_le_bytes());
        out.extend(&self.name);
        out.extend(&self.comment);
        out
    }
}

/// An archive of these members.
pub(crate) fn archive(members: &[Member]) -> Vec<u8> {
    archive_with_comment(members, b"")
}

pub(crate) fn archive_with_comment(members: &[Member], comment: &[u8]) -> Vec<u8> {
    let (mut out, mut directory, mut count) = (Vec::new(), Vec::new(), 0);
    for member in members {
        if !member.unlisted {
            directory.extend(member.central(out.len()));
            count += 1;
        }
        out.extend(member.local());
    }
    finish(out, &directory, count, comment)
}

/// Puts a directory and the end behind local members.
pub(crate) fn finish(mut out: Vec<u8>, directory: &[u8], count: u16, comment: &[u8]) -> Vec<u8> {
    let at = u32::try_from(out.len()).unwrap();
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(at.to_le_bytes());
    out.extend(u16::try_from(comment.len()).unwrap().to_le_bytes());
    out.extend(comment);
    out
}
