//! How much, and how strictly, a codec reads.

/// How much a message may bring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Values: fields and elements, at any depth. Arrays of octets and texts count as one.
    pub values: usize,
}

/// How strictly the JSON form is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct JsonRules {
    /// Give fields that are missing their default, else zeros. Otherwise they are an error.
    pub fill_missing: bool,
    /// Ignore members that are no fields. Otherwise they are an error.
    pub ignore_unknown: bool,
    /// Take the message by its name although its CRC is another. Otherwise that is an error.
    pub other_crc: bool,
}

impl Default for Limits {
    /// A million values: no message of VPP's comes near.
    fn default() -> Self {
        Self { values: 1 << 20 }
    }
}

impl JsonRules {
    /// For recordings: what VPP's `replay-json` takes. Nothing may be missing; what is too much and
    /// another CRC are no error.
    pub const REPLAY: Self = Self {
        fill_missing: false,
        ignore_unknown: true,
        other_crc: true,
    };

    /// For people: what is missing takes its default, but what is misspelt is an error.
    pub const BY_HAND: Self = Self {
        fill_missing: true,
        ignore_unknown: false,
        other_crc: false,
    };
}
