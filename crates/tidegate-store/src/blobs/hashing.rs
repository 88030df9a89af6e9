//! The digests an index may promise, computed side by side.

use sha2::Digest as _;
use tidegate_model::{Algorithm, Digest, Sha256};
use tidegate_sys::map::FileBytes;

/// The digest of a file that may be large.
pub(super) fn sha256_of_file(bytes: &FileBytes) -> Sha256 {
    let mut hasher = sha2::Sha256::new();
    for block in bytes.chunks(super::BLOCK_BYTES) {
        hasher.update(block);
        bytes.pass(block.len());
    }
    Sha256::new(hasher.finalize().into())
}

#[cfg(test)]
pub(super) fn sha256(bytes: &[u8]) -> Sha256 {
    Sha256::new(sha2::Sha256::digest(bytes).into())
}

/// One running digest.
enum Hasher {
    Sha512(sha2::Sha512),
    Sha384(sha2::Sha384),
    Sha256(sha2::Sha256),
    Sha1(sha1::Sha1),
    Md5(md5::Md5),
    /// Begun with the header that git puts before a file.
    GitBlob(sha1::Sha1),
}

impl Hasher {
    /// For bytes of this length; only [`Algorithm::GitBlob`] has to know it.
    fn new(algorithm: Algorithm, length: usize) -> Self {
        match algorithm {
            Algorithm::GitBlob => Self::GitBlob(sha1::Sha1::new_with_prefix(format!("blob {length}\0"))),
            Algorithm::Sha512 => Self::Sha512(sha2::Sha512::new()),
            Algorithm::Sha384 => Self::Sha384(sha2::Sha384::new()),
            Algorithm::Sha256 => Self::Sha256(sha2::Sha256::new()),
            Algorithm::Sha1 => Self::Sha1(sha1::Sha1::new()),
            Algorithm::Md5 => Self::Md5(md5::Md5::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha512(h) => h.update(bytes),
            Self::Sha384(h) => h.update(bytes),
            Self::Sha256(h) => h.update(bytes),
            Self::Sha1(h) => h.update(bytes),
            Self::Md5(h) => h.update(bytes),
            Self::GitBlob(h) => h.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        let digest = match self {
            Self::Sha512(h) => Digest::from_bytes(Algorithm::Sha512, &h.finalize()),
            Self::Sha384(h) => Digest::from_bytes(Algorithm::Sha384, &h.finalize()),
            Self::Sha256(h) => Digest::from_bytes(Algorithm::Sha256, &h.finalize()),
            Self::Sha1(h) => Digest::from_bytes(Algorithm::Sha1, &h.finalize()),
            Self::Md5(h) => Digest::from_bytes(Algorithm::Md5, &h.finalize()),
            Self::GitBlob(h) => Digest::from_bytes(Algorithm::GitBlob, &h.finalize()),
        };
        digest.expect("a hasher yields the length of its algorithm")
    }
}

/// SHA-256, and whatever else was asked for.
pub(super) struct Hashers {
    sha256: sha2::Sha256,
    others: Vec<Hasher>,
}

impl Hashers {
    /// [`Algorithm::GitBlob`] begins with a length that is not known while bytes stream: it is computed when they are here.
    pub(super) fn new(algorithms: &[Algorithm]) -> Self {
        let streams = |a: &Algorithm| !matches!(a, Algorithm::Sha256 | Algorithm::GitBlob);
        let mut others: Vec<Algorithm> = algorithms.iter().copied().filter(streams).collect();
        others.sort_unstable();
        others.dedup();
        Self { sha256: sha2::Sha256::new(), others: others.into_iter().map(|a| Hasher::new(a, 0)).collect() }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.sha256.update(bytes);
        for hasher in &mut self.others {
            hasher.update(bytes);
        }
    }

    /// SHA-256, and every digest including it, strongest first.
    pub(super) fn finish(self) -> (Sha256, Vec<Digest>) {
        let sha256 = Sha256::new(self.sha256.finalize().into());
        let mut digests: Vec<Digest> = self.others.into_iter().map(Hasher::finish).collect();
        digests.push(sha256.into());
        digests.sort_unstable_by_key(Digest::algorithm);
        (sha256, digests)
    }
}

/// One digest of whole bytes.
pub(super) fn digest(algorithm: Algorithm, bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::new(algorithm, bytes.len());
    hasher.update(bytes);
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_the_id_that_git_gives_it() {
        // `printf abc | git hash-object --stdin`, and the same of nothing.
        assert_eq!(digest(Algorithm::GitBlob, b"abc").hex(), "f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f");
        assert_eq!(digest(Algorithm::GitBlob, b"").hex(), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }

    #[test]
    fn every_algorithm_gives_its_published_value_for_abc() {
        // FIPS 180-4 and RFC 1321 appendix A.5.
        for (algorithm, expected) in [
            (Algorithm::Md5, "900150983cd24fb0d6963f7d28e17f72"),
            (Algorithm::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
            (Algorithm::Sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                Algorithm::Sha384,
                "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
            ),
            (
                Algorithm::Sha512,
                "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            ),
        ] {
            assert_eq!(digest(algorithm, b"abc").hex(), expected);
            let mut hashers = Hashers::new(&[algorithm, algorithm]);
            hashers.update(b"a");
            hashers.update(b"bc");
            let (sha256, digests) = hashers.finish();
            assert_eq!(sha256, super::sha256(b"abc"));
            assert!(digests.iter().any(|d| d.hex() == expected));
        }
    }
}
