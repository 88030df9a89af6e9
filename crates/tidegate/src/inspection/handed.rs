//! Scratch files that were opened by someone else, for a process that can open none.

use std::cell::RefCell;
use std::fs::File;
use std::io::{self, Seek as _};

use tidegate_inspect::Scratch;

/// A fixed number of files, each used again and again.
#[derive(Debug)]
pub struct HandedFiles {
    files: Vec<File>,
    /// Which of them hold nothing that anyone looks at.
    free: RefCell<Vec<usize>>,
}

impl HandedFiles {
    /// These files: empty, readable, writable, and nobody else's.
    #[must_use]
    pub fn new(files: Vec<File>) -> Self {
        let free = RefCell::new((0..files.len()).collect());
        Self { files, free }
    }

    /// Empties every file, whether it was taken back or not: what one artifact held is nothing to the next.
    ///
    /// # Errors
    /// A file cannot be emptied.
    pub fn clear(&mut self) -> io::Result<()> {
        self.free.replace((0..self.files.len()).collect());
        self.files.iter().try_for_each(|file| file.set_len(0))
    }
}

impl Scratch for HandedFiles {
    fn file(&self) -> io::Result<File> {
        let number = self.free.borrow_mut().pop();
        let number = number.ok_or_else(|| io::Error::other("every scratch file is in use"))?;
        let mut file = &self.files[number];
        file.set_len(0)?;
        file.rewind()?;
        file.try_clone()
    }

    fn take_back(&self, file: File) {
        // A copy shares its file with the original, so the system knows which one it is.
        let same =
            |a: &File, b: &File| Some(rustix::fs::fstat(a).ok()?.st_ino == rustix::fs::fstat(b).ok()?.st_ino);
        let number = self.files.iter().position(|original| same(original, &file) == Some(true));
        let mut free = self.free.borrow_mut();
        if let Some(number) = number.filter(|number| !free.contains(number)) {
            free.push(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};

    use super::*;

    fn files(count: usize) -> HandedFiles {
        HandedFiles::new((0..count).map(|_| tempfile::tempfile().unwrap()).collect())
    }

    fn content(mut file: &File) -> Vec<u8> {
        let mut bytes = Vec::new();
        file.rewind().unwrap();
        file.read_to_end(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn what_is_taken_back_is_empty_when_it_is_given_out_again() {
        let handed = files(2);
        let (mut one, mut two) = (handed.file().unwrap(), handed.file().unwrap());
        assert!(handed.file().is_err());
        one.write_all(b"one").unwrap();
        two.write_all(b"two").unwrap();
        handed.take_back(one);
        let again = handed.file().unwrap();
        assert_eq!((&*content(&again), &*content(&two)), (&b""[..], &b"two"[..]));
        assert!(handed.file().is_err());
    }

    #[test]
    fn what_was_never_taken_back_is_there_for_the_next_artifact() {
        let mut handed = files(1);
        handed.file().unwrap().write_all(b"secret").unwrap();
        assert!(handed.file().is_err());
        handed.clear().unwrap();
        assert_eq!(content(&handed.files[0]), b"");
        handed.file().unwrap();
    }

    #[test]
    fn a_stranger_is_not_taken() {
        let handed = files(1);
        let file = handed.file().unwrap();
        handed.take_back(tempfile::tempfile().unwrap());
        assert!(handed.file().is_err());
        handed.take_back(file.try_clone().unwrap());
        handed.take_back(file);
        assert_eq!(handed.free.borrow().len(), 1);
    }
}
