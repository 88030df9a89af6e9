//! What Python's own readers read is read here too, from archives that it wrote and from damaged copies of them.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use crate::support::look;

/// Writes archives into the folder that it is given, and damaged copies; prints what it can read of each.
const SCRIPT: &str = r#"
import io, os, random, sys, tarfile, zipfile
folder, rng = sys.argv[1], random.Random(7)
names = ['plain.txt', 'dir/deep/' + 'n' * 80 + '.txt', 'caf\u00e9.txt', 'd/' * 60 + 'x']
contents = [('content %d ' % n * (n * 40 + 1)).encode() for n in range(len(names))]
made = {}
for label, method in [('stored', 0), ('deflated', 8), ('bzip2', 12), ('lzma', 14)]:
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', method) as z:
        for n, c in zip(names, contents): z.writestr(n, c)
    made[label + '.zip'] = out.getvalue()
class Pipe(io.RawIOBase):
    def __init__(self): self.out = b''
    def writable(self): return True
    def write(self, b): self.out += bytes(b); return len(b)
pipe = Pipe()
with zipfile.ZipFile(pipe, 'w', 8) as z:
    for n, c in zip(names, contents): z.writestr(n, c)
made['streamed.zip'] = pipe.out
for label, form in [('ustar', 0), ('gnu', 1), ('pax', 2)]:
    for packing in ['', 'gz', 'bz2', 'xz']:
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode='w:' + packing, format=form) as t:
            for n, c in zip(names, contents):
                info = tarfile.TarInfo(n); info.size = len(c)
                t.addfile(info, io.BytesIO(c))
        made[label + '.tar' + packing] = out.getvalue()
for name in sorted(made):
    for copy in range(25):
        data = bytearray(made[name])
        if copy:
            data[rng.randrange(len(data))] = rng.randrange(256)
        path = os.path.join(folder, '%s-%d' % (name, copy))
        with open(path, 'wb') as f: f.write(data)
        read = []
        try:
            if '.zip' in name:
                with zipfile.ZipFile(path) as z:
                    for info in z.infolist():
                        try: read.append(z.read(info))
                        except Exception: pass
            else:
                with tarfile.open(path) as t:
                    for info in t:
                        if info.isreg(): read.append(t.extractfile(info).read())
        except Exception: pass
        for c in read: print('%s-%d\t%s' % (name, copy, c.hex()))
"#;

fn python(folder: &Path) -> Option<String> {
    let output = Command::new("python3").args(["-I", "-c", SCRIPT]).arg(folder).output().ok()?;
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).ok()
}

#[test]
fn whatever_python_reads_is_a_leaf() {
    let folder = tempfile::tempdir().unwrap();
    let Some(listing) = python(folder.path()) else {
        eprintln!("SKIPPED: whatever_python_reads_is_a_leaf: there is no python3");
        return;
    };
    let mut compared = 0;
    let mut current: Option<(&str, BTreeSet<String>, bool)> = None;
    let mut missing = Vec::new();
    for line in listing.lines() {
        let (file, content) = line.split_once('\t').unwrap();
        if current.as_ref().is_none_or(|(name, ..)| *name != file) {
            let told = look("x", &std::fs::read(folder.path().join(file)).unwrap());
            let leaves = told.leaves.iter().map(|leaf| hex(&leaf.bytes)).collect();
            // Decoders of xz differ in which damage they notice first. Then the gap must be told.
            let is_excused = file.contains(".tarxz-") && !told.gaps.is_empty();
            current = Some((file, leaves, is_excused));
        }
        let (_, leaves, is_excused) = current.as_ref().unwrap();
        compared += 1;
        if !leaves.contains(content) && !is_excused {
            missing.push(format!("{file}: {} bytes", content.len() / 2));
        }
    }
    assert!(compared > 700, "only {compared} members were compared");
    assert!(missing.is_empty(), "Python reads, and we do not: {missing:#?}");
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut out, byte| {
        write!(out, "{byte:02x}").unwrap();
        out
    })
}
