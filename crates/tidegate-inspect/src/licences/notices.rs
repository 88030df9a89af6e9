//! Notices: sentences that put a file under a licence by its name, as licences themselves recommend them.

use super::words::{Word, words};

/// The sentences, as they are in use, and what each says.
const NOTICES: &[(&str, &str)] = &[
    ("licensed under the apache license version 2.0", "Apache-2.0"),
    ("subject to the terms of the mozilla public license v. 2.0", "MPL-2.0"),
    ("distributed under the boost software license, version 1.0", "BSL-1.0"),
    ("licensed under the mit license", "MIT"),
    ("released under the mit license", "MIT"),
    ("licensed under the isc license", "ISC"),
    (
        "gnu general public license as published by the free software foundation either version 2 of the license or at your option any later version",
        "GPL-2.0-or-later",
    ),
    (
        "gnu general public license as published by the free software foundation either version 3 of the license or at your option any later version",
        "GPL-3.0-or-later",
    ),
    ("gnu general public license version 2 as published by the free software foundation", "GPL-2.0-only"),
    ("gnu general public license version 3 as published by the free software foundation", "GPL-3.0-only"),
    (
        "gnu lesser general public license as published by the free software foundation either version 2.1 of the license or at your option any later version",
        "LGPL-2.1-or-later",
    ),
    (
        "gnu lesser general public license as published by the free software foundation either version 3 of the license or at your option any later version",
        "LGPL-3.0-or-later",
    ),
    (
        "gnu lesser general public license version 2.1 as published by the free software foundation",
        "LGPL-2.1-only",
    ),
    (
        "gnu lesser general public license version 3 as published by the free software foundation",
        "LGPL-3.0-only",
    ),
    (
        "gnu affero general public license as published by the free software foundation either version 3 of the license or at your option any later version",
        "AGPL-3.0-or-later",
    ),
    (
        "gnu affero general public license version 3 as published by the free software foundation",
        "AGPL-3.0-only",
    ),
];

/// A notice in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Notice {
    /// The licence.
    pub(super) id: &'static str,
    /// Where, as places among the file's words.
    pub(super) at: usize,
    /// Its lines.
    pub(super) lines: (u32, u32),
}

/// The sentences as words.
#[derive(Debug)]
pub(super) struct Notices(Vec<(Vec<u32>, &'static str)>);

impl Notices {
    pub(super) fn new() -> Self {
        let hashes = |text: &str| words(text, usize::MAX).iter().map(|word| word.hash).collect();
        Self(NOTICES.iter().map(|(text, id)| (hashes(text), *id)).collect())
    }

    /// The notices in a text, in its order.
    pub(super) fn find(&self, words: &[Word]) -> Vec<Notice> {
        let mut found: Vec<Notice> = Vec::new();
        for (at, word) in words.iter().enumerate() {
            for (sentence, id) in self.0.iter().filter(|(sentence, _)| sentence.first() == Some(&word.hash)) {
                let place = words.get(at..at + sentence.len()).unwrap_or_default();
                if place.len() == sentence.len() && place.iter().zip(sentence).all(|(a, b)| a.hash == *b) {
                    let last = place.last().map_or(word.line, |word| word.line);
                    found.push(Notice { id, at, lines: (word.line, last) });
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notices_name_their_licence() {
        let notices = Notices::new();
        let find =
            |text: &str| notices.find(&words(text, 1000)).into_iter().map(|n| n.id).collect::<Vec<_>>();
        let gpl = "This program is free software; you can redistribute it and/or modify it under the terms of the GNU
            General Public License as published by the Free Software Foundation; either version 2 of the License, or (at
            your option) any later version.";
        assert_eq!(find(gpl), ["GPL-2.0-or-later"]);
        assert_eq!(find("Licensed under the Apache License, Version 2.0 (the \"License\");"), ["Apache-2.0"]);
        assert_eq!(find("not licensed under anything"), [""; 0]);
        for (sentence, id) in &notices.0 {
            assert!(sentence.len() > 3 && tidegate_model::licence::is_valid(id));
        }
    }
}
