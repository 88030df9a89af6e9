use super::*;

/// A header as databases keep it: tag, kind, content.
fn header(rows: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let (mut table, mut store) = (Vec::new(), Vec::new());
    for (tag, kind, content) in rows {
        for number in [*tag, *kind, store.len() as u32, 1] {
            table.extend(number.to_be_bytes());
        }
        store.extend_from_slice(content);
    }
    [(rows.len() as u32).to_be_bytes().as_slice(), &(store.len() as u32).to_be_bytes(), &table, &store]
        .concat()
}

fn package(name: &str) -> Vec<u8> {
    let name = format!("{name}\0");
    header(&[
        (1000, 6, name.as_bytes()),
        (1001, 6, b"3.0.7\0"),
        (1002, 6, b"27.el9\0"),
        (1003, 4, &1_u32.to_be_bytes()),
        (1014, 6, b"Apache-2.0\0"),
        (1022, 6, b"x86_64\0"),
        (1044, 6, b"openssl-3.0.7-27.el9.src.rpm\0"),
    ])
}

/// A package that lists so many files that its header is long.
fn long_package(name: &str, bytes: usize) -> Vec<u8> {
    let name = format!("{name}\0");
    header(&[(1000, 6, name.as_bytes()), (1001, 6, b"1\0"), (1002, 6, b"2\0"), (1117, 8, &vec![b'f'; bytes])])
}

fn key() -> Vec<u8> {
    header(&[(1000, 6, b"gpg-pubkey\0"), (1001, 6, b"abc\0"), (1002, 6, b"def\0")])
}

const OPENSSL: &str =
    "pkg:rpm/openssl-libs@3.0.7-27.el9?arch=x86_64&epoch=1&upstream=openssl-3.0.7-27.el9.src.rpm Apache-2.0";

fn check(account: Account, bytes: &[u8], packages: &[&str], gaps: &[&str]) {
    let (found, lacks) = told(account, bytes);
    assert_eq!(found, packages);
    assert_eq!(lacks.len(), gaps.len(), "{lacks:?}");
    for (gap, expected) in lacks.iter().zip(gaps) {
        assert!(gap.contains(expected), "{gap}");
    }
}

/// A database that SQLite itself wrote.
fn sqlite(headers: &[Vec<u8>]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("rpmdb.sqlite");
    let database = rusqlite::Connection::open(&path).unwrap();
    database
        .execute_batch(
            "create table Packages (hnum integer primary key autoincrement, blob blob not null);
             create table Name (key text not null, hnum integer not null, idx integer not null);
             create index Name_key_idx on Name (key asc);",
        )
        .unwrap();
    for header in headers {
        database.execute("insert into Packages (blob) values (?1)", [header]).unwrap();
    }
    drop(database);
    std::fs::read(path).unwrap()
}

#[test]
fn databases_of_sqlite() {
    check(Account::RpmSqlite, &sqlite(&[key(), package("openssl-libs")]), &[OPENSSL], &[]);
    // Headers that lie on many pages, and a table of many leaves.
    let mut all: Vec<Vec<u8>> =
        (0..2_000).map(|n| long_package(&format!("p{n}"), 100 + n * 7 % 9_000)).collect();
    all.push(long_package("longest", 5 << 20));
    let (found, gaps) = told(Account::RpmSqlite, &sqlite(&all));
    assert_eq!((found.len(), gaps.len()), (2_001, 0), "{gaps:?}");
    assert_eq!(found[2_000], "pkg:rpm/longest@1-2");
    check(Account::RpmSqlite, &sqlite(&[]), &[], &[]);
    check(
        Account::RpmSqlite,
        &sqlite(&[b"no header".to_vec(), package("openssl-libs")]),
        &[OPENSSL],
        &["cannot be read"],
    );
    check(Account::RpmSqlite, b"SQLite format 3\0", &[], &["no SQLite database"]);
    check(Account::RpmLog, b"", &[], &[]);
    check(Account::RpmLog, b"7", &[], &["log beside"]);
}

#[test]
fn databases_of_sqlite_that_lead_in_circles() {
    let all: Vec<Vec<u8>> = (0..400).map(|n| long_package(&format!("p{n}"), 900)).collect();
    let whole = sqlite(&all);
    let page_bytes = usize::from(u16::from_be_bytes([whole[16], whole[17]]));
    let interior = (0..whole.len() / page_bytes).map(|page| page * page_bytes).find(|at| whole[*at] == 5);
    let at = interior.expect("a table of so many rows has an inner page");
    // Its last child is the page itself.
    let mut circle = whole.clone();
    let own = (at / page_bytes + 1) as u32;
    circle[at + 8..at + 12].copy_from_slice(&own.to_be_bytes());
    let (found, gaps) = told(Account::RpmSqlite, &circle);
    assert!(found.len() <= PACKAGES && gaps.iter().any(|gap| gap.contains("circles")), "{gaps:?}");
    // Every byte that is cut off, and every page that is changed, gives something or a gap, and never an endless walk.
    for cut in (0..whole.len()).step_by(997) {
        let (found, gaps) = told(Account::RpmSqlite, &whole[..cut]);
        assert!(!gaps.is_empty() && found.len() < 400, "{cut}");
    }
    for at in (0..whole.len()).step_by(211) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        assert!(told(Account::RpmSqlite, &changed).0.len() <= 401);
    }
}

fn ndb(headers: &[Vec<u8>]) -> Vec<u8> {
    let mut file = vec![0; 4096];
    file[..4].copy_from_slice(b"RpmP");
    file[12..16].copy_from_slice(&1_u32.to_le_bytes());
    for (number, header) in headers.iter().enumerate() {
        let (slot, blob) = (32 + 16 * number, file.len() / 16);
        file[slot..slot + 4].copy_from_slice(b"Slot");
        file[slot + 4..slot + 8].copy_from_slice(&(number as u32 + 1).to_le_bytes());
        file[slot + 8..slot + 12].copy_from_slice(&(blob as u32).to_le_bytes());
        file.extend(b"BlbS");
        file.extend((number as u32 + 1).to_le_bytes());
        file.extend(0_u32.to_le_bytes());
        file.extend((header.len() as u32).to_le_bytes());
        file.extend(header);
        file.extend([0; 12]);
        file.resize(file.len().next_multiple_of(16), 0);
    }
    file
}

#[test]
fn databases_of_rpms_own_form() {
    check(Account::RpmNdb, &ndb(&[key(), package("openssl-libs")]), &[OPENSSL], &[]);
    let mut wrong = ndb(&[package("a"), package("openssl-libs")]);
    let first = 4096;
    wrong[first] = b'x';
    check(Account::RpmNdb, &wrong, &[OPENSSL], &["cannot be found"]);
    check(Account::RpmNdb, b"RpmP", &[], &["breaks off"]);
    let mut endless = ndb(&[]);
    endless[12..16].copy_from_slice(&u32::MAX.to_le_bytes());
    check(Account::RpmNdb, &endless, &[], &["breaks off"]);
}

const PAGE: usize = 4096;

fn berkeley_page(number: u32, kind: u8, entries: u16, free: u16, next: u32, is_big: bool) -> Vec<u8> {
    let mut page = vec![0; PAGE];
    let u32 = |n: u32| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    let u16 = |n: u16| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    page[8..12].copy_from_slice(&u32(number));
    page[16..20].copy_from_slice(&u32(next));
    page[20..22].copy_from_slice(&u16(entries));
    page[22..24].copy_from_slice(&u16(free));
    page[25] = kind;
    page
}

/// A hash with one page of items; each header on pages of its own.
fn berkeley(headers: &[Vec<u8>], is_big: bool) -> Vec<u8> {
    let u32 = |n: u32| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    let u16 = |n: u16| if is_big { n.to_be_bytes() } else { n.to_le_bytes() };
    let mut meta = vec![0; PAGE];
    meta[12..16].copy_from_slice(&u32(0x0006_1561));
    meta[20..24].copy_from_slice(&u32(PAGE as u32));
    meta[25] = 8;
    let mut long_pages: Vec<Vec<u8>> = Vec::new();
    // The number of the last package, in place, then the packages.
    let mut items: Vec<Vec<u8>> = vec![[&[1][..], &u32(0)].concat(), [&[1][..], &u32(9)].concat()];
    for (number, header) in headers.iter().enumerate() {
        let first = 2 + long_pages.len() as u32;
        let chunks: Vec<&[u8]> = header.chunks(PAGE - 26).collect();
        for (at, chunk) in chunks.iter().enumerate() {
            let own = first + at as u32;
            let next = if at + 1 < chunks.len() { own + 1 } else { 0 };
            let mut page = berkeley_page(own, 7, 1, chunk.len() as u16, next, is_big);
            page[26..26 + chunk.len()].copy_from_slice(chunk);
            long_pages.push(page);
        }
        items.push([&[1][..], &u32(number as u32 + 1)].concat());
        items.push([&[3, 0, 0, 0][..], &u32(first), &u32(header.len() as u32)].concat());
    }
    let mut page = berkeley_page(1, 13, items.len() as u16, 0, 0, is_big);
    let mut end = PAGE;
    for (number, item) in items.iter().enumerate() {
        end -= item.len();
        page[end..end + item.len()].copy_from_slice(item);
        page[26 + 2 * number..28 + 2 * number].copy_from_slice(&u16(end as u16));
    }
    [meta, page, long_pages.concat()].concat()
}

#[test]
fn databases_of_berkeley_db() {
    for is_big in [false, true] {
        let all = [key(), package("openssl-libs"), long_package("long", 50_000)];
        check(Account::RpmBerkeley, &berkeley(&all, is_big), &[OPENSSL, "pkg:rpm/long@1-2"], &[]);
    }
    // A chain of pages that leads back to its first, which is not long enough.
    let mut circle = berkeley(&[long_package("long", 50_000), package("openssl-libs")], false);
    circle[3 * PAGE + 16..3 * PAGE + 20].copy_from_slice(&2_u32.to_le_bytes());
    let (found, gaps) = told(Account::RpmBerkeley, &circle);
    assert_eq!((found.last().map(String::as_str), gaps.len()), (Some(OPENSSL), 0), "{gaps:?}");
    // Pages that are empty, and lead on.
    let mut empty = berkeley(&[long_package("long", 50_000), package("openssl-libs")], false);
    empty[3 * PAGE + 22..3 * PAGE + 24].copy_from_slice(&0_u16.to_le_bytes());
    check(Account::RpmBerkeley, &empty, &[OPENSSL], &["break off"]);
    check(Account::RpmBerkeley, &[0; 8192], &[], &["no hash"]);
    let whole = berkeley(&[package("openssl-libs")], false);
    for at in (0..whole.len()).step_by(3) {
        let mut changed = whole.clone();
        changed[at] ^= 0xff;
        assert!(told(Account::RpmBerkeley, &changed).0.len() <= 64);
    }
}
