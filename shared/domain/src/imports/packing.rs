//! Files that aren't plain text as it is read: archives of gzip, text in UTF-16, and Excel workbooks. What they say is written again as plain text before it is
//! planned.

use std::io::Write;

use encoding_rs::{Decoder, UTF_16BE, UTF_16LE};
use flate2::write::MultiGzDecoder;

use super::dialect::FileProblem;

/// As many bytes of a packed file as are to be unpacked at once: deflate makes at most about 8 MB of them.
pub const PACKED_SLICE: usize = 8 * 1024;

/// An archive may unpack to so many times its size…
pub const MOST_TIMES: u64 = 100;
/// …and to so many bytes.
pub const MOST_UNPACKED: u64 = 5 * 1024 * 1024 * 1024;

/// So many unpacked bytes tell whether they are UTF-16.
const TOLD_BY: usize = 4 * 1024;

const GZIP: &[u8] = b"\x1F\x8B";
const ZIP: &[u8] = b"PK\x03\x04";

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// By gzip; what is in it may be UTF-16.
    Gzip,
    /// Not packed, but two bytes a character.
    Utf16(ByteOrder),
    /// An archive of zip, which may be an Excel workbook: [`super::write_first_sheet`] tells.
    Workbook,
}

/// Which byte of a character comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByteOrder {
    /// The lower one.
    Little,
    /// The higher one.
    Big,
}

impl ByteOrder {
    fn decoder(self) -> Decoder {
        match self {
            Self::Little => UTF_16LE.new_decoder_with_bom_removal(),
            Self::Big => UTF_16BE.new_decoder_with_bom_removal(),
        }
    }
}

/// How a file is packed, told from its beginning and not from its name; none when it is plain text, or nothing that is read at all.
#[must_use]
pub fn packing(sample: &[u8]) -> Option<Packing> {
    if sample.starts_with(GZIP) {
        return Some(Packing::Gzip);
    }
    if sample.starts_with(ZIP) {
        return Some(Packing::Workbook);
    }
    if known_binary(sample).is_some() {
        return None;
    }
    utf16(sample).map(Packing::Utf16)
}

/// UTF-16 has a byte order mark, or tells itself by the NULs that every other byte of Western text then is.
fn utf16(sample: &[u8]) -> Option<ByteOrder> {
    match sample {
        [0xFF, 0xFE, ..] => return Some(ByteOrder::Little),
        [0xFE, 0xFF, ..] => return Some(ByteOrder::Big),
        _ => {}
    }
    let (pairs, rest) = sample.as_chunks::<2>();
    let first = pairs.iter().filter(|pair| pair[0] == 0).count();
    let second = pairs.iter().filter(|pair| pair[1] == 0).count();
    let is_one_in_three = |nuls: usize| rest.is_empty() && nuls > 1 && nuls * 3 >= pairs.len();
    if is_one_in_three(second) && first * 10 <= second {
        Some(ByteOrder::Little)
    } else if is_one_in_three(first) && second * 10 <= first {
        Some(ByteOrder::Big)
    } else {
        None
    }
}

/// What a file is that is certainly no text, from how it begins.
pub(super) fn known_binary(sample: &[u8]) -> Option<&'static str> {
    let signatures: [(&[u8], &str); 10] = [
        (b"\x89PNG", "a PNG picture"),
        (b"\xFF\xD8\xFF", "a JPEG picture"),
        (b"GIF8", "a GIF picture"),
        (b"%PDF", "a PDF document"),
        (ZIP, "a zip archive or an Excel workbook"),
        (b"\xD0\xCF\x11\xE0", "an old or a protected Excel workbook"),
        (GZIP, "a gzip archive"),
        (b"\x7FELF", "a program"),
        (b"\xFF\xFE\0\0", "text in UTF-32"),
        (b"\0\0\xFE\xFF", "text in UTF-32"),
    ];
    signatures.into_iter().find(|(signature, _)| sample.starts_with(signature)).map(|(_, kind)| kind)
}

/// Takes a packed file's bytes in order and says what they say. Its memory doesn't grow with the file.
pub struct Unpacker {
    archive: Option<MultiGzDecoder<Vec<u8>>>,
    text: Text,
    unpacked: u64,
    most: u64,
}

impl Unpacker {
    /// One for a file of so many bytes; none for a workbook, whose parts aren't in the order in which they are read.
    #[must_use]
    pub fn new(packing: Packing, file_bytes: u64) -> Option<Self> {
        match packing {
            Packing::Gzip => {
                let most = file_bytes.saturating_mul(MOST_TIMES).min(MOST_UNPACKED);
                Some(Self { archive: Some(MultiGzDecoder::new(Vec::new())), text: Text::Unknown(Vec::new()), unpacked: 0, most })
            }
            Packing::Utf16(order) => Some(Self { archive: None, text: Text::Utf16(order.decoder()), unpacked: 0, most: u64::MAX }),
            Packing::Workbook => None,
        }
    }

    /// Takes the next bytes, at most [`PACKED_SLICE`] of them, and writes what they say behind `out`.
    ///
    /// # Errors
    /// When the file is a damaged archive, or one that unpacks to more than it may.
    pub fn feed(&mut self, slice: &[u8], out: &mut Vec<u8>) -> Result<(), FileProblem> {
        let Some(archive) = &mut self.archive else {
            self.text.feed(slice, out);
            return Ok(());
        };
        archive.write_all(slice).map_err(|_| FileProblem::DamagedArchive)?;
        let unpacked = std::mem::take(archive.get_mut());
        self.take(&unpacked, out)
    }

    /// Ends the file.
    ///
    /// # Errors
    /// As [`Self::feed`]; an archive that was cut off is damaged.
    pub fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), FileProblem> {
        if let Some(archive) = self.archive.take() {
            let unpacked = archive.finish().map_err(|_| FileProblem::DamagedArchive)?;
            self.take(&unpacked, out)?;
        }
        self.text.finish(out);
        Ok(())
    }

    fn take(&mut self, unpacked: &[u8], out: &mut Vec<u8>) -> Result<(), FileProblem> {
        self.unpacked = self.unpacked.saturating_add(unpacked.len() as u64);
        if self.unpacked > self.most {
            return Err(if self.most == MOST_UNPACKED { FileProblem::TooLargeUnpacked } else { FileProblem::Inflated });
        }
        self.text.feed(unpacked, out);
        Ok(())
    }
}

/// The encoding of what was unpacked.
enum Text {
    /// Not told yet by the bytes that came.
    Unknown(Vec<u8>),
    /// One that is read as it is.
    Plain,
    /// Two bytes a character.
    Utf16(Decoder),
}

impl Text {
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::Plain => out.extend_from_slice(bytes),
            Self::Utf16(decoder) => decode(decoder, bytes, false, out),
            Self::Unknown(before) => {
                before.extend_from_slice(bytes);
                if before.len() >= TOLD_BY {
                    self.settle(out);
                }
            }
        }
    }

    /// Decides by the bytes that came.
    fn settle(&mut self, out: &mut Vec<u8>) {
        let Self::Unknown(before) = self else { return };
        let bytes = std::mem::take(before);
        // An even number of bytes is whole characters.
        let told_by = &bytes[..bytes.len().min(TOLD_BY)];
        *self = match packing(told_by) {
            Some(Packing::Utf16(order)) => Self::Utf16(order.decoder()),
            Some(Packing::Gzip | Packing::Workbook) | None => Self::Plain,
        };
        self.feed(&bytes, out);
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.settle(out);
        if let Self::Utf16(mut decoder) = std::mem::replace(self, Self::Plain) {
            decode(&mut decoder, &[], true, out);
        }
    }
}

/// Half a character at the end and one of a pair without the other become the sign for what can't be read.
fn decode(decoder: &mut Decoder, bytes: &[u8], last: bool, out: &mut Vec<u8>) {
    let mut text = String::with_capacity(decoder.max_utf8_buffer_length(bytes.len()).unwrap_or_default());
    let _ = decoder.decode_to_string(bytes, &mut text, last);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use proptest::prelude::*;

    use super::*;

    fn little(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn big(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_be_bytes).collect()
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    /// A list that isn't too much alike for an archive.
    fn list() -> String {
        (0..500).map(|row: u32| format!("514-555-{row:04},Zoé {},{}\n", row.wrapping_mul(2_654_435_761), row * 7)).collect()
    }

    /// What a file says that comes in slices of this size.
    fn unpacked(file: &[u8], slice: usize) -> Result<Vec<u8>, FileProblem> {
        let mut unpacker = Unpacker::new(packing(file).unwrap(), file.len() as u64).unwrap();
        let mut out = Vec::new();
        for slice in file.chunks(slice) {
            unpacker.feed(slice, &mut out)?;
        }
        unpacker.finish(&mut out)?;
        Ok(out)
    }

    #[test]
    fn utf_16_is_told_by_its_mark_or_by_its_nuls() {
        let text = "phone,name\r\n514-555-0123,Zoé Œuvrard\r\n";
        assert_eq!(packing(&little(text)), Some(Packing::Utf16(ByteOrder::Little)));
        assert_eq!(packing(&big(text)), Some(Packing::Utf16(ByteOrder::Big)));
        assert_eq!(packing(&little("\u{feff}名前\n")), Some(Packing::Utf16(ByteOrder::Little)));
        assert_eq!(packing(&big("\u{feff}名前\n")), Some(Packing::Utf16(ByteOrder::Big)));
        assert_eq!(packing(&little("phone,имя\n514-555-0123,Зоя\n")), Some(Packing::Utf16(ByteOrder::Little)));
    }

    #[test]
    fn a_workbook_is_told_by_its_archive_and_is_not_read_in_its_order() {
        assert_eq!(packing(b"PK\x03\x04\x14\0\x06\0"), Some(Packing::Workbook));
        assert!(Unpacker::new(Packing::Workbook, 1_000).is_none());
        assert_eq!(unpacked(&packed(b"PK\x03\x04\x14\0"), 5).as_deref(), Ok(b"PK\x03\x04\x14\0".as_slice()), "in a gzip archive it is refused as what it is");
        for file in [b"PK\x05\x06".as_slice(), b"PK\x03", b"PK,phone\n", b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1"] {
            assert_eq!(packing(file), None, "{file:?}");
        }
    }

    #[test]
    fn what_is_not_packed_is_left_alone() {
        for file in [b"".as_slice(), b"phone,name\n", b"a", b"a\0b", b"a\0", b"\0\0\0\0\0\0\0\0", b"a,b\n1,\0\0\n", b"\x89PNG\0\0\0\r\0I\0H", b"\xFF\xFE\0\0p\0\0\0"] {
            assert_eq!(packing(file), None, "{file:?}");
        }
    }

    #[test]
    fn an_archive_is_unpacked_however_it_is_cut_and_of_however_many_parts_it_is() {
        let text = list();
        let (first, second) = text.as_bytes().split_at(5_000);
        let archive = [packed(first), packed(b""), packed(second)].concat();
        for slice in [1, 7, PACKED_SLICE] {
            assert_eq!(unpacked(&archive, slice).as_deref(), Ok(text.as_bytes()), "{slice}");
        }
        assert_eq!(unpacked(&packed(b""), 5).as_deref(), Ok(b"".as_slice()));
        assert_eq!(unpacked(&packed(&little("\u{feff}phone\r\n1\r\n")), 5).as_deref(), Ok(b"phone\r\n1\r\n".as_slice()));
        assert_eq!(unpacked(&packed(&big(&text)), 100).as_deref(), Ok(text.as_bytes()));
        assert_eq!(unpacked(&packed(b"t\xE9l,nom\n"), 5).as_deref(), Ok(b"t\xE9l,nom\n".as_slice()), "what is read as it is stays as it is");
    }

    #[test]
    fn an_archive_that_is_cut_or_damaged_is_refused() {
        let archive = packed(list().as_bytes());
        for end in [2, 9, 10, 11, archive.len() / 2, archive.len() - 8, archive.len() - 1] {
            assert_eq!(unpacked(&archive[..end], 50), Err(FileProblem::DamagedArchive), "cut at {end}");
        }
        let mut damaged = archive.clone();
        let middle = damaged.len() / 2;
        damaged[middle] ^= 0xFF;
        assert_eq!(unpacked(&damaged, 50), Err(FileProblem::DamagedArchive));
        assert_eq!(unpacked(&[archive.as_slice(), b"and more"].concat(), 50), Err(FileProblem::DamagedArchive));
    }

    #[test]
    fn an_archive_unpacks_to_at_most_100_times_its_size_and_no_further() {
        let archive = packed(&vec![b','; 5_000_000]);
        let mut unpacker = Unpacker::new(Packing::Gzip, archive.len() as u64).unwrap();
        let mut out = Vec::new();
        let fed = archive.chunks(64).try_for_each(|slice| unpacker.feed(slice, &mut out));
        assert_eq!(fed, Err(FileProblem::Inflated));
        assert!(out.len() <= 100 * archive.len(), "{} bytes of an archive of {}", out.len(), archive.len());
    }

    proptest! {
        #[test]
        fn utf_16_says_what_the_text_says_however_it_is_cut(text in "\\PC{0,60}", slice in 1_usize..9) {
            let marked = format!("\u{feff}{text}");
            prop_assume!(!text.starts_with('\u{feff}') && !text.starts_with('\0'));
            prop_assert_eq!(unpacked(&little(&marked), slice).unwrap(), text.as_bytes());
            prop_assert_eq!(unpacked(&big(&marked), slice).unwrap(), text.as_bytes());
            let plain = format!("phone,name,city,e-mail\r\n514-555-0123,{text}\r\n514-555-0124,Zoe,Paris,zoe@example.com\r\n");
            for bytes in [little(&plain), big(&plain)] {
                if packing(&bytes).is_some() {
                    prop_assert_eq!(unpacked(&bytes, slice).unwrap(), plain.as_bytes());
                }
            }
            prop_assert!(!text.is_ascii() || packing(&little(&plain)).is_some());
        }

        #[test]
        fn no_file_is_too_strange(file in prop::collection::vec(any::<u8>(), 0..300), slice in 1_usize..50) {
            for packing in [Packing::Gzip, Packing::Utf16(ByteOrder::Little), Packing::Utf16(ByteOrder::Big)] {
                let mut unpacker = Unpacker::new(packing, file.len() as u64).unwrap();
                let mut out = Vec::new();
                let fed = file.chunks(slice).try_for_each(|slice| unpacker.feed(slice, &mut out));
                let _ = fed.and_then(|()| unpacker.finish(&mut out));
                prop_assert!(packing == Packing::Gzip || std::str::from_utf8(&out).is_ok());
            }
        }
    }
}
