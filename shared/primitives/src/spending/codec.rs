//! Decoding a policy with a limit on its depth: serde's derived code would recurse as deep as hostile bytes say.
//! (Encoding is derived; the two are each other's inverse.)

use core::fmt;

use serde::de::{DeserializeSeed, EnumAccess, Error, MapAccess, SeqAccess, VariantAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{MAX_DECODED_DEPTH, SpendingPolicy};

/// The variants, by index in the binary encoding and by name for people.
#[derive(Deserialize)]
#[serde(variant_identifier, rename_all = "snake_case")]
enum Kind {
    Key,
    Threshold,
    Preimage,
    After,
    Older,
    Opaque,
}

/// The fields of a threshold.
#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "snake_case")]
enum Field {
    Required,
    Of,
}

const VARIANTS: &[&str] = &["key", "threshold", "preimage", "after", "older", "opaque"];
const FIELDS: &[&str] = &["required", "of"];

impl<'de> Deserialize<'de> for SpendingPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SpendingPolicy, D::Error> {
        AtDepth(1).deserialize(deserializer)
    }
}

/// A policy at this depth; the root has depth 1.
#[derive(Clone, Copy)]
struct AtDepth(usize);

impl<'de> DeserializeSeed<'de> for AtDepth {
    type Value = SpendingPolicy;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<SpendingPolicy, D::Error> {
        if self.0 > MAX_DECODED_DEPTH {
            return Err(D::Error::custom(format_args!("a policy nested deeper than {MAX_DECODED_DEPTH} levels")));
        }
        deserializer.deserialize_enum("SpendingPolicy", VARIANTS, self)
    }
}

impl<'de> Visitor<'de> for AtDepth {
    type Value = SpendingPolicy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a spending policy")
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<SpendingPolicy, A::Error> {
        let (kind, fields) = data.variant()?;
        Ok(match kind {
            Kind::Key => SpendingPolicy::Key(fields.newtype_variant()?),
            Kind::Threshold => fields.struct_variant(FIELDS, ThresholdFields(self.0))?,
            Kind::Preimage => SpendingPolicy::Preimage(fields.newtype_variant()?),
            Kind::After => SpendingPolicy::After(fields.newtype_variant()?),
            Kind::Older => SpendingPolicy::Older(fields.newtype_variant()?),
            Kind::Opaque => SpendingPolicy::Opaque(fields.newtype_variant()?),
        })
    }
}

/// The fields of a threshold at this depth.
struct ThresholdFields(usize);

impl<'de> Visitor<'de> for ThresholdFields {
    type Value = SpendingPolicy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a threshold: how many are required, and of which")
    }

    /// The binary encoding: the fields in order.
    fn visit_seq<A: SeqAccess<'de>>(self, mut fields: A) -> Result<SpendingPolicy, A::Error> {
        let required = fields.next_element()?.ok_or_else(|| A::Error::missing_field("required"))?;
        let of = fields.next_element_seed(Children(self.0 + 1))?.ok_or_else(|| A::Error::missing_field("of"))?;
        Ok(SpendingPolicy::Threshold { required, of })
    }

    /// Formats for people: the fields by name.
    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<SpendingPolicy, A::Error> {
        let (mut required, mut of) = (None, None);
        while let Some(field) = fields.next_key()? {
            match field {
                Field::Required => required = Some(fields.next_value()?),
                Field::Of => of = Some(fields.next_value_seed(Children(self.0 + 1))?),
            }
        }
        Ok(SpendingPolicy::Threshold {
            required: required.ok_or_else(|| A::Error::missing_field("required"))?,
            of: of.ok_or_else(|| A::Error::missing_field("of"))?,
        })
    }
}

/// A threshold's children, all at this depth, item by item: the length prefix is not trusted.
struct Children(usize);

impl<'de> DeserializeSeed<'de> for Children {
    type Value = Vec<SpendingPolicy>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<SpendingPolicy>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Children {
    type Value = Vec<SpendingPolicy>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of spending policies")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Vec<SpendingPolicy>, A::Error> {
        let mut children = Vec::new();
        while let Some(child) = items.next_element_seed(AtDepth(self.0))? {
            children.push(child);
        }
        Ok(children)
    }
}
