//! Which lock files a command uses, and leading them there and back.

use super::*;
use crate::clients::locks::LockFileError;

#[test]
fn the_lock_file_of_a_command() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for path in [
        "js/package.json",
        "js/package-lock.json",
        "js/src/x",
        "shrunk/package.json",
        "shrunk/npm-shrinkwrap.json",
        "shrunk/package-lock.json",
        "rs/Cargo.toml",
        "rs/Cargo.lock",
        "rs/member/Cargo.toml",
        "rs/member/src/x",
        "py/pyproject.toml",
        "py/uv.lock",
        "py/a/pyproject.toml",
        "py/dev.txt",
        "new/pyproject.toml",
    ] {
        std::fs::create_dir_all(root.join(path).parent().unwrap()).unwrap();
        std::fs::write(root.join(path), "").unwrap();
    }
    for (client, place, args, expected) in [
        (Client::Npm, "js/src", "ci", "js/package-lock.json"),
        (Client::Npm, "py", "ci --prefix ../js", "js/package-lock.json"),
        (Client::Npm, "shrunk", "install", "shrunk/npm-shrinkwrap.json"),
        (Client::Npm, "js", "install -g x", ""),
        (Client::Cargo, "rs/member/src", "build", "rs/Cargo.lock"),
        (Client::Cargo, "py", "build --manifest-path=../rs/Cargo.toml", "rs/Cargo.lock"),
        (Client::Cargo, "js", "install x", ""),
        (Client::Uv, "py/a", "sync --frozen", "py/uv.lock"),
        (Client::Uv, "new", "lock", "new/uv.lock"),
        (Client::Uv, "py", "pip sync dev.txt", "py/dev.txt"),
        (Client::Uv, "js", "run x", ""),
        (Client::Pip, "py", "install -rdev.txt", "py/dev.txt"),
        (Client::Pip, "py", "install --requirement=dev.txt", "py/dev.txt"),
        (Client::Pip, "py", "install -r https://a.example/r.txt", ""),
        (Client::Pip, "py", "install x -- -r dev.txt", ""),
    ] {
        let found = find_locks(client, &command(args), &root.join(place));
        let found: Vec<_> =
            found.iter().map(|lock| lock.path.canonicalize().unwrap_or_else(|_| lock.path.clone())).collect();
        let expected: Vec<_> = if expected.is_empty() {
            Vec::new()
        } else {
            let path = root.join(expected);
            vec![path.canonicalize().unwrap_or(path)]
        };
        assert_eq!(found, expected, "{client:?} {args} in {place}");
    }
}

/// Swaps two words.
struct Swap;

impl LockMender for Swap {
    fn before(&self, _: &LockFile, bytes: &[u8]) -> Result<Option<Vec<u8>>, String> {
        let text = String::from_utf8_lossy(bytes);
        if text.contains("broken") {
            return Err("it is broken".to_owned());
        }
        Ok(text.contains("upstream").then(|| text.replace("upstream", "door").into_bytes()))
    }

    fn after(&self, _: &LockFile, bytes: &[u8], _: Option<&[u8]>) -> Result<Option<Vec<u8>>, String> {
        let text = String::from_utf8_lossy(bytes);
        Ok(text.contains("door").then(|| text.replace("door", "upstream").into_bytes()))
    }
}

#[test]
fn lock_files_go_there_and_back() {
    let folder = tempfile::tempdir().unwrap();
    let lock = |name: &str| LockFile { kind: LockKind::Uv, path: folder.path().join(name) };
    let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let locks = [lock("same"), lock("changed"), lock("new"), lock("gone"), lock("never")];
    for name in ["same", "changed", "gone"] {
        write(name, "upstream 1 door-like\n");
    }
    let session = LockSession::begin(&locks, &Swap).unwrap();
    assert_eq!(read("same"), "door 1 door-like\n");
    write("changed", "door 2\n");
    write("new", "door 3\n");
    std::fs::remove_file(folder.path().join("gone")).unwrap();
    assert!(session.finish().is_empty());
    assert_eq!(read("same"), "upstream 1 door-like\n", "an untouched file gets its very bytes back");
    assert_eq!((read("changed"), read("new")), ("upstream 2\n".to_owned(), "upstream 3\n".to_owned()));
    assert!(!folder.path().join("gone").exists() && !folder.path().join("never").exists());

    write("changed", "broken");
    let error = LockSession::begin(&locks, &Swap).err().unwrap();
    assert!(matches!(error, LockFileError::Mend { .. }), "{error}");
    assert_eq!(read("same"), "upstream 1 door-like\n", "what was changed before the failure is put back");
    let leftovers = std::fs::read_dir(folder.path()).unwrap().count();
    assert_eq!(leftovers, 3);
}
