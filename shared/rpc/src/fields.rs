//! How compact targets and targets are written in JSON, for `#[serde(with = …)]`: as Bitcoin Core writes them.

/// A compact target as 8 hex digits, e.g. `"1d00ffff"`.
pub mod bits {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tally_primitives::pow::CompactTarget;

    /// Writes 8 hex digits.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(bits: &CompactTarget, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{:08x}", bits.to_bits()))
    }

    /// Reads 8 hex digits.
    ///
    /// # Errors
    /// If the text is not 8 hex digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<CompactTarget, D::Error> {
        let text = String::deserialize(from)?;
        let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        match u32::from_str_radix(&text, 16) {
            Ok(bits) if digits => Ok(CompactTarget::from_bits(bits)),
            _ => Err(D::Error::custom(format!("a compact target is 8 hex digits, not {text:?}"))),
        }
    }
}

/// A target as 64 hex digits, most significant first.
pub mod target {
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use tally_primitives::pow::Target;

    /// Writes 64 hex digits.
    ///
    /// # Errors
    /// Those of the serializer.
    pub fn serialize<S: Serializer>(target: &Target, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(target.to_be_bytes()))
    }

    /// Reads 64 hex digits.
    ///
    /// # Errors
    /// If the text is not 64 hex digits.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Target, D::Error> {
        let text = String::deserialize(from)?;
        let mut bytes = [0; 32];
        hex::decode_to_slice(&text, &mut bytes)
            .map_err(|_| D::Error::custom(format!("a target is 64 hex digits, not {text:?}")))?;
        Ok(Target::from_be_bytes(bytes))
    }
}
