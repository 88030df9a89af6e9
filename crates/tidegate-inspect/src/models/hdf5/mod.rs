//! Reads HDF5, the file of Keras 2 and of weights: objects by their headers, from the root on. Configurations stand in attributes of the
//! root; what is looked for beside them are links and numbers that lie in other files.
//!
//! Numbers are not read. Where something cannot be followed (links and attributes in a heap of their own, parts that lead outside),
//! the texts of the whole file are searched for configurations instead; links that cannot be followed are told.

mod messages;
mod place;

use std::collections::{HashSet, VecDeque};

use super::keras;
use super::remark::{Told, What};
use messages::Message;
use place::File;

/// Objects of one file.
const OBJECTS: usize = 200_000;

/// Configurations of one file.
const TEXTS: u32 = 16;

/// Attributes of the root in which Keras keeps what it builds.
const CONFIGURATIONS: &[&[u8]] = &[b"model_config", b"training_config", b"keras_config"];

/// Where a file of this kind begins in some bytes. Others may stand before it: a block of the user.
pub(super) fn begin(bytes: &[u8]) -> Option<usize> {
    place::begin(bytes)
}

/// Reads a file that begins at an offset.
pub(super) fn read(bytes: &[u8], begin: usize, told: &mut Told) {
    told.is_of("hdf5");
    let mut walk = Walk { told, offset: begin, texts: 0, whole: true, unfollowed: false };
    match File::of(bytes.get(begin..).unwrap_or_default()) {
        Some(file) => walk.objects(&file),
        None => walk.whole = false,
    }
    let (whole, unfollowed) = (walk.whole, walk.unfollowed);
    if unfollowed {
        told.gap("an HDF5 file keeps links in a heap that is not followed");
    }
    if !whole || unfollowed {
        keras::read_texts(bytes, told);
    }
}

struct Walk<'t> {
    told: &'t mut Told,
    offset: usize,
    /// Configurations so far.
    texts: u32,
    /// Everything could be followed.
    whole: bool,
    /// Links lie in a heap.
    unfollowed: bool,
}

impl Walk<'_> {
    fn objects(&mut self, file: &File<'_>) {
        let mut seen = HashSet::from([file.root]);
        let mut waiting = VecDeque::from([file.root]);
        while let Some(address) = waiting.pop_front() {
            let is_root = address == file.root;
            let mut children = Vec::new();
            if self.object(file, address, is_root, &mut children).is_none() {
                self.whole = false;
            }
            for child in children {
                if seen.len() >= OBJECTS {
                    self.whole = false;
                    self.told.gap("an HDF5 file has more objects than are followed");
                    return;
                }
                if seen.insert(child) {
                    waiting.push_back(child);
                }
            }
        }
    }

    /// One object: its messages. None where it breaks off.
    fn object(
        &mut self,
        file: &File<'_>,
        address: u64,
        is_root: bool,
        children: &mut Vec<u64>,
    ) -> Option<()> {
        let mut whole = Some(());
        for (kind, body) in file.messages(address)? {
            let message = file.message(kind, body);
            match message {
                Some(Message::Attribute { name, kind, value })
                    if is_root && CONFIGURATIONS.contains(&name) =>
                {
                    self.texts += 1;
                    match file.text(kind, value).filter(|_| self.texts <= TEXTS) {
                        Some((text, at)) => self.configuration(text, at),
                        None => whole = None,
                    }
                }
                Some(Message::Group { tree }) => {
                    whole = whole.and(file.group(tree, children));
                }
                Some(Message::Link(child)) => children.push(child),
                Some(Message::Elsewhere(names)) => {
                    for name in names {
                        let name = String::from_utf8_lossy(name);
                        let what = What::OutsideFile(super::remark::shown(&name));
                        self.told.at(self.offset + usize::try_from(address).unwrap_or_default(), what, None);
                    }
                }
                Some(Message::LinkHeap) => self.unfollowed = true,
                Some(Message::AttributeHeap) if is_root => whole = None,
                Some(Message::Attribute { .. } | Message::AttributeHeap | Message::Other) => {}
                None => whole = None,
            }
        }
        whole
    }

    fn configuration(&mut self, text: &[u8], at: usize) {
        // Texts of a fixed length end in zeros.
        let end = text.iter().rposition(|byte| *byte != 0 && *byte != b' ').map_or(0, |last| last + 1);
        keras::read_json(text.get(..end).unwrap_or_default(), self.offset + at, self.told);
    }
}
