//! VPP's binary trace file.
//!
//! A header (number of messages and size of the table, both u32 big-endian; 1 if older messages are missing), the message
//! table (u32 big-endian count, then id, length and characters of each `name_crc`), then each message behind its length
//! (u32 big-endian), without the header of its frame. Ids and lengths of the table are in the variable-length form of
//! VPP's `vppinfra/serialize.h`.

use crate::api::ApiTable;

/// A trace as it stands in a file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TraceFile {
    /// Whether older messages are missing.
    pub wrapped: bool,
    /// The message table of the node that recorded: id and `name_crc`.
    pub table: Vec<(u16, String)>,
    /// The messages, each beginning with its id.
    pub messages: Vec<Vec<u8>>,
}

/// Why a file is no trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TraceFileError {
    /// It ends too early.
    #[error("the file ends too early")]
    Truncated,
    /// A number or a name that cannot be.
    #[error("the file is damaged at byte {0}")]
    Damaged(usize),
}

impl TraceFile {
    /// A file without messages: the table alone.
    pub fn table_of(table: &ApiTable) -> Self {
        let names = table
            .messages()
            .map(|(id, info)| (id, info.name_crc.to_owned()));
        Self {
            table: names.collect(),
            ..Self::default()
        }
    }

    /// The bytes of the message table, which `api-trace { save-api-table FILE }` writes by itself.
    pub fn encode_table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        put_length(&mut table, self.table.len());
        for (id, name) in &self.table {
            put_varint(&mut table, u64::from(*id));
            put_varint(&mut table, name.len() as u64);
            table.extend_from_slice(name.as_bytes());
        }
        table
    }

    /// The file's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let mut table = self.encode_table();
        let mut file = Vec::new();
        put_length(&mut file, self.messages.len());
        put_length(&mut file, table.len());
        file.push(u8::from(self.wrapped));
        file.append(&mut table);
        for message in &self.messages {
            put_length(&mut file, message.len());
            file.extend_from_slice(message);
        }
        file
    }

    /// Reads a file.
    ///
    /// # Errors
    /// See [`TraceFileError`]; nothing is allocated that the file does not hold.
    pub fn decode(bytes: &[u8]) -> Result<Self, TraceFileError> {
        let mut reader = Reader { bytes, at: 0 };
        let count = reader.length()?;
        let table_size = reader.length()?;
        let wrapped = reader.take(1)? != [0];
        let table_end = reader
            .at
            .checked_add(table_size)
            .ok_or(TraceFileError::Truncated)?;
        let entries = reader.length()?;
        let mut table = Vec::new();
        for _ in 0..entries {
            let at = reader.at;
            let damaged = TraceFileError::Damaged(at);
            let id = u16::try_from(reader.varint()?).map_err(|_| damaged)?;
            let length = usize::try_from(reader.varint()?).map_err(|_| damaged)?;
            let name = std::str::from_utf8(reader.take(length)?).map_err(|_| damaged)?;
            table.push((id, name.to_owned()));
        }
        if reader.at != table_end {
            return Err(TraceFileError::Damaged(reader.at));
        }
        let mut messages = Vec::new();
        for _ in 0..count {
            let length = reader.length()?;
            messages.push(reader.take(length)?.to_vec());
        }
        Ok(Self {
            wrapped,
            table,
            messages,
        })
    }
}

/// Where the ranges of the variable-length form start: 1 byte, 2 bytes, 4 bytes, 9 bytes.
const TWO_BYTES: u64 = 1 << 7;
const FOUR_BYTES: u64 = TWO_BYTES + (1 << 14);
const NINE_BYTES: u64 = FOUR_BYTES + (1 << 29);

fn put_length(out: &mut Vec<u8>, length: usize) {
    let length = u32::try_from(length).expect("a trace has less than 4 GiB");
    out.extend(length.to_be_bytes());
}

fn put_varint(out: &mut Vec<u8>, value: u64) {
    if value < TWO_BYTES {
        out.push(low_byte(2 * value + 1));
    } else if value < FOUR_BYTES {
        out.extend_from_slice(&(4 * (value - TWO_BYTES) + 2).to_le_bytes()[..2]);
    } else if value < NINE_BYTES {
        out.extend_from_slice(&(8 * (value - FOUR_BYTES) + 4).to_le_bytes()[..4]);
    } else {
        out.push(0);
        out.extend(value.to_le_bytes());
    }
}

fn low_byte(value: u64) -> u8 {
    value.to_le_bytes()[0]
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Result<&'a [u8], TraceFileError> {
        let end = self
            .at
            .checked_add(length)
            .ok_or(TraceFileError::Truncated)?;
        let taken = self
            .bytes
            .get(self.at..end)
            .ok_or(TraceFileError::Truncated)?;
        self.at = end;
        Ok(taken)
    }

    fn length(&mut self) -> Result<usize, TraceFileError> {
        let at = self.at;
        let bytes = self.take(4)?.first_chunk().expect("four bytes were taken");
        usize::try_from(u32::from_be_bytes(*bytes)).map_err(|_| TraceFileError::Damaged(at))
    }

    fn varint(&mut self) -> Result<u64, TraceFileError> {
        let first = *self.bytes.get(self.at).ok_or(TraceFileError::Truncated)?;
        let length = match first {
            first if first & 1 == 1 => 1,
            first if first & 2 == 2 => 2,
            first if first & 4 == 4 => 4,
            0 => 9,
            _ => return Err(TraceFileError::Damaged(self.at)),
        };
        let taken = self.take(length)?;
        let digits = if length == 9 { &taken[1..] } else { taken };
        let mut value = [0; 8];
        value[..digits.len()].copy_from_slice(digits);
        let value = u64::from_le_bytes(value);
        Ok(match length {
            1 => value >> 1,
            2 => (value >> 2) + TWO_BYTES,
            4 => (value >> 3) + FOUR_BYTES,
            _ => value,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_have_the_form_of_vpp() {
        let form = |value| {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            out
        };
        assert_eq!(form(0), [1]);
        assert_eq!(form(127), [255]);
        assert_eq!(form(128), [2, 0]);
        assert_eq!(form(16_511), [0xfe, 0xff]);
        assert_eq!(form(16_512), [4, 0, 0, 0]);
        assert_eq!(form(u64::MAX), [0, 255, 255, 255, 255, 255, 255, 255, 255]);
    }

    #[test]
    fn a_file_is_laid_out_as_vpp_lays_it_out() {
        let file = TraceFile {
            wrapped: true,
            table: vec![(200, "a_1".into())],
            messages: vec![vec![0, 200, 7]],
        };
        let bytes = [
            &[0, 0, 0, 1, 0, 0, 0, 10, 1][..],
            &[0, 0, 0, 1, 0x22, 1, 7, b'a', b'_', b'1'],
            &[0, 0, 0, 3, 0, 200, 7],
        ]
        .concat();
        assert_eq!(file.encode(), bytes);
        assert_eq!(TraceFile::decode(&bytes), Ok(file));
        for end in 0..bytes.len() {
            assert!(TraceFile::decode(&bytes[..end]).is_err());
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(
            wrapped: bool,
            table in prop::collection::vec((any::<u16>(), "[a-z_0-9]{0,200}"), 0..20),
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 0..20),
        ) {
            let file = TraceFile { wrapped, table, messages };
            prop_assert_eq!(TraceFile::decode(&file.encode()), Ok(file));
        }

        #[test]
        fn no_bytes_make_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            TraceFile::decode(&bytes).ok();
        }
    }
}
