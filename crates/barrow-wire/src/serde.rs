//! Serialisation of the wire types, for bindings generated with serde derives. Feature `serde`.

use crate::{FixedString, VarString};
use serde::de::{Error, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;
use std::marker::PhantomData;

impl<const N: usize> Serialize for FixedString<N> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string_lossy())
    }
}

impl<'de, const N: usize> Deserialize<'de> for FixedString<N> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(D::Error::custom)
    }
}

impl Serialize for VarString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_string_lossy())
    }
}

impl<'de> Deserialize<'de> for VarString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::from)
    }
}

/// For `#[serde(with = "barrow_wire::serde::array")]` on arrays of any length; serde itself stops at 32.
pub mod array {
    use super::*;

    /// Writes the elements as a tuple.
    ///
    /// # Errors
    /// As the serializer.
    pub fn serialize<S: Serializer, T: Serialize, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(N)?;
        for element in array {
            tuple.serialize_element(element)?;
        }
        tuple.end()
    }

    /// Reads exactly `N` elements.
    ///
    /// # Errors
    /// As the deserializer, and when there are fewer or more.
    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>, const N: usize>(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        deserializer.deserialize_tuple(N, Elements(PhantomData))
    }

    struct Elements<T, const N: usize>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>, const N: usize> Visitor<'de> for Elements<T, N> {
        type Value = [T; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            write!(f, "an array of {N} elements")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<[T; N], A::Error> {
            let mut slots = [const { None }; N];
            for (found, slot) in slots.iter_mut().enumerate() {
                let element = elements.next_element()?;
                *slot =
                    Some(element.ok_or_else(|| A::Error::invalid_length(found, &"more elements"))?);
            }
            Ok(slots.map(|slot| slot.expect("the loop filled every slot")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize, Deserialize, Debug, PartialEq)]
    struct Sample {
        name: FixedString<8>,
        text: VarString,
        #[serde(with = "super::array")]
        key: [u8; 40],
    }

    #[test]
    fn wire_types_go_through_json_and_back() {
        let sample = Sample {
            name: "ab".try_into().unwrap(),
            text: "cd".into(),
            key: [3; 40],
        };
        let json = serde_json::to_string(&sample).unwrap();
        assert!(json.starts_with(r#"{"name":"ab","text":"cd","key":[3,3,"#));
        assert_eq!(serde_json::from_str::<Sample>(&json).unwrap(), sample);
    }

    #[test]
    fn a_short_array_is_refused() {
        let json = r#"{"name":"","text":"","key":[1,2]}"#;
        assert!(serde_json::from_str::<Sample>(json).is_err());
    }
}
