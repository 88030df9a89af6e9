//! What bytes are, by the bytes. Names are never asked.

use std::fmt;

use crate::formats;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident = $text:literal,)*) => {
        /// A recognised format.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format, in a stable order.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in data and on pages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

formats! {
    /// gzip, one member or several.
    Gzip = "gzip",
    /// The zip family: wheels, jars, nupkg, vsix, docx, torch models.
    Zip = "zip",
    /// tar in all its forms.
    Tar = "tar",
    /// Unix archives: Debian packages, static libraries.
    Ar = "ar",
    /// cpio, with and without checksums.
    Cpio = "cpio",
    /// RPM packages.
    Rpm = "rpm",
    /// xz.
    Xz = "xz",
    /// LZMA without a container.
    Lzma = "lzma",
    /// bzip2.
    Bzip2 = "bzip2",
    /// Zstandard.
    Zstd = "zstd",
    /// LZ4.
    Lz4 = "lz4",
    /// 7z.
    SevenZip = "7z",
    /// A container that has no reader here.
    OtherContainer = "other_container",
    /// The archive of Electron applications.
    Asar = "asar",
    /// A loose object of git.
    GitObject = "git_object",
    /// A pack of git.
    GitPack = "git_pack",
    /// A bare zlib stream.
    Zlib = "zlib",
    /// A source map.
    SourceMap = "source_map",
    /// A script with its source map inside.
    InlineSourceMap = "inline_source_map",
    /// A Jupyter notebook.
    Notebook = "notebook",
    /// The configuration of a container image.
    ImageConfig = "image_config",
    /// PNG.
    Png = "png",
    /// PDF.
    Pdf = "pdf",
    /// ELF programs and libraries.
    Elf = "elf",
    /// Windows programs and libraries.
    Pe = "pe",
    /// macOS programs and libraries.
    MachO = "mach_o",
    /// WebAssembly.
    Wasm = "wasm",
    /// Java classes.
    JavaClass = "java_class",
    /// Compiled Python.
    Pyc = "pyc",
    /// SQLite databases.
    Sqlite = "sqlite",
    /// Python pickles of protocol 2 and later.
    Pickle = "pickle",
    /// NumPy arrays.
    Npy = "npy",
    /// HDF5 (Keras).
    Hdf5 = "hdf5",
    /// GGUF models.
    Gguf = "gguf",
    /// safetensors models.
    Safetensors = "safetensors",
    /// JPEG.
    Jpeg = "jpeg",
    /// GIF.
    Gif = "gif",
    /// Text that begins like JSON.
    Json = "json",
    /// UTF-8 text without control characters at its beginning.
    Text = "text",
    /// UTF-16 text that begins with a byte order mark.
    Utf16 = "utf16",
    /// Nothing.
    Empty = "empty",
    /// Anything else.
    Binary = "binary",
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Bytes looked at to tell text from other things.
const TEXT_SAMPLE_BYTES: usize = 4096;

/// Magic bytes of formats that are not unfolded.
const MAGIC: &[(&[u8], Format)] = &[
    (b"\x7fELF", Format::Elf),
    (b"\xfe\xed\xfa\xce", Format::MachO),
    (b"\xfe\xed\xfa\xcf", Format::MachO),
    (b"\xce\xfa\xed\xfe", Format::MachO),
    (b"\xcf\xfa\xed\xfe", Format::MachO),
    (b"\0asm", Format::Wasm),
    (b"SQLite format 3\0", Format::Sqlite),
    (b"\x93NUMPY", Format::Npy),
    (b"\x89HDF\r\n\x1a\n", Format::Hdf5),
    (b"GGUF", Format::Gguf),
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"GIF87a", Format::Gif),
    (b"GIF89a", Format::Gif),
    (b"\xff\xfe", Format::Utf16),
    (b"\xfe\xff", Format::Utf16),
];

impl Format {
    /// The format of some bytes; of several at once the first container.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        formats::matching(bytes).next().map_or_else(|| Self::of_leaf(bytes), |reader| reader.format())
    }

    /// The format of bytes that no reader unfolds.
    pub(crate) fn of_leaf(bytes: &[u8]) -> Self {
        if bytes.is_empty() {
            return Self::Empty;
        }
        if let Some((_, format)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
            return *format;
        }
        match bytes {
            [b'M', b'Z', ..] if bytes.len() > 64 => return Self::Pe,
            // Universal Mach-O programs share their magic with Java classes, whose version is never so small.
            [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, n, ..] if *n < 40 => return Self::MachO,
            [0xca, 0xfe, 0xba, 0xbe, ..] => return Self::JavaClass,
            [_, _, b'\r', b'\n', _, 0, 0, 0, ..] => return Self::Pyc,
            [0x80, 2..=5, .., b'.'] => return Self::Pickle,
            _ => {}
        }
        if is_safetensors(bytes) {
            return Self::Safetensors;
        }
        if is_text(bytes) { text(bytes) } else { Self::Binary }
    }
}

/// A length, then a JSON object of that length.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = crate::bytes::u64_le(bytes, 0).unwrap_or(0);
    bytes.get(8) == Some(&b'{') && length >= 2 && length <= bytes.len() as u64 - 8
}

fn is_text(bytes: &[u8]) -> bool {
    let sample = &bytes[..bytes.len().min(TEXT_SAMPLE_BYTES)];
    let controls = sample.iter().any(|b| matches!(b, 0..=8 | 14..=26 | 28..=31 | 127));
    let is_utf8 = match std::str::from_utf8(sample) {
        Ok(_) => true,
        // The sample may end within a character.
        Err(error) => error.error_len().is_none() && sample.len() < bytes.len(),
    };
    !controls && is_utf8
}

fn text(bytes: &[u8]) -> Format {
    let start = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match start {
        [b'{', rest @ ..] if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'}')) => Format::Json,
        [b'[', rest @ ..]
            if matches!(rest.trim_ascii_start().first(), Some(b'"' | b'{' | b'[' | b']' | b'0'..=b'9')) =>
        {
            Format::Json
        }
        _ => Format::Text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        for (bytes, expected) in [
            (&b""[..], Format::Empty),
            (b"plain", Format::Text),
            (b"  {\"a\": 1}", Format::Json),
            (b"{ % template % }", Format::Text),
            (b"a\0b", Format::Binary),
            (b"\x7fELF\x02", Format::Elf),
            (b"\xca\xfe\xba\xbe\0\0\0\x34", Format::JavaClass),
            (b"\xca\xfe\xba\xbe\0\0\0\x02", Format::MachO),
            (b"\x80\x04N.", Format::Pickle),
            (b"\x02\0\0\0\0\0\0\0{}", Format::Safetensors),
            (b"\x1f\x8b\x08\0", Format::Gzip),
        ] {
            assert_eq!(Format::of(bytes), expected, "{bytes:?}");
        }
    }
}
