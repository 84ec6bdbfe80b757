//! Strict JSON: one object, known fields only, each once, nothing after it, no deeper than it needs to be.
//!
//! Every refusal has a [`Reason`] that can be counted. Errors hold no text of the sender.

use std::cell::Cell;
use std::fmt;

use serde::de::value::SeqDeserializer;
use serde::de::{
    self, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess, SeqAccess,
    Unexpected, VariantAccess, Visitor,
};

use crate::limits::{ENTRIES_MAX, FIELDS_MAX};

/// Why a message was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// More bytes than a message may have.
    TooLarge,
    /// Not JSON, or not UTF-8.
    Syntax,
    /// Something follows the object.
    TrailingBytes,
    /// Nested deeper than any message is.
    TooDeep,
    /// A key stands twice in one object.
    DuplicateKey,
    /// The message is not an object.
    NotAnObject,
    /// There is no `type`, or it is not a string.
    NoType,
    /// The `type` is none that we know.
    UnknownType,
    /// The client speaks another version.
    Version,
    /// A field that the message does not have.
    UnknownField,
    /// A field that the message must have is not there.
    MissingField,
    /// A field holds another kind of value, such as a string for a number.
    WrongType,
    /// A field holds a value that it must not: wrong length, character, range or word.
    BadValue,
}

impl Reason {
    /// All reasons.
    pub const ALL: [Self; 13] = [
        Self::TooLarge,
        Self::Syntax,
        Self::TrailingBytes,
        Self::TooDeep,
        Self::DuplicateKey,
        Self::NotAnObject,
        Self::NoType,
        Self::UnknownType,
        Self::Version,
        Self::UnknownField,
        Self::MissingField,
        Self::WrongType,
        Self::BadValue,
    ];

    /// The reason as fixtures, metrics and error details write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::Syntax => "syntax",
            Self::TrailingBytes => "trailing_bytes",
            Self::TooDeep => "too_deep",
            Self::DuplicateKey => "duplicate_key",
            Self::NotAnObject => "not_an_object",
            Self::NoType => "no_type",
            Self::UnknownType => "unknown_type",
            Self::Version => "version",
            Self::UnknownField => "unknown_field",
            Self::MissingField => "missing_field",
            Self::WrongType => "wrong_type",
            Self::BadValue => "bad_value",
        }
    }
}

/// A refused message: the reason, and the field where one of ours was concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DecodeError {
    /// Why.
    pub reason: Reason,
    /// Which field, if it is one that the message has.
    pub field: Option<&'static str>,
}

impl DecodeError {
    /// An error that concerns no single field.
    pub const fn new(reason: Reason) -> Self {
        Self { reason, field: None }
    }

    fn in_field(self, field: Option<&'static str>) -> Self {
        Self {
            field: self.field.or(field),
            ..self
        }
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason.as_str())?;
        match self.field {
            Some(field) => write!(formatter, ": {field}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::new(Reason::BadValue)
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new(Reason::WrongType)
    }

    fn unknown_field(_: &str, _: &'static [&'static str]) -> Self {
        Self::new(Reason::UnknownField)
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            reason: Reason::MissingField,
            field: Some(field),
        }
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self {
            reason: Reason::DuplicateKey,
            field: Some(field),
        }
    }
}

/// A JSON value that has passed the checks on shape: depth, width, duplicate keys.
#[derive(Debug)]
pub(crate) enum Node {
    Null,
    Bool(bool),
    Whole(u64),
    /// Negative or fractional. No message has such a number.
    OtherNumber,
    Text(String),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

impl Node {
    /// Reads a message and takes the word in `type` out of it.
    pub(crate) fn parse_message(json: &[u8], depth_max: usize) -> Result<(String, Self), DecodeError> {
        let Self::Object(mut fields) = Self::parse(json, depth_max)? else {
            return Err(DecodeError::new(Reason::NotAnObject));
        };
        let Some(at) = fields.iter().position(|(key, _)| key == "type") else {
            return Err(DecodeError::new(Reason::NoType));
        };
        let (_, Self::Text(kind)) = fields.remove(at) else {
            return Err(DecodeError::new(Reason::NoType));
        };
        Ok((kind, Self::Object(fields)))
    }

    /// Refuses a whole number in `version` that is not `wanted`; other faults of the field are found later.
    pub(crate) fn check_version(&self, wanted: u32) -> Result<(), DecodeError> {
        let Self::Object(fields) = self else { return Ok(()) };
        match fields.iter().find(|(key, _)| key == "version") {
            Some((_, Self::Whole(version))) if *version != u64::from(wanted) => Err(DecodeError {
                reason: Reason::Version,
                field: Some("version"),
            }),
            _ => Ok(()),
        }
    }

    fn parse(json: &[u8], depth_max: usize) -> Result<Self, DecodeError> {
        let fault = Cell::new(None);
        let mut deserializer = serde_json::Deserializer::from_slice(json);
        let seed = NodeSeed {
            depth_left: depth_max,
            fault: &fault,
        };
        let node = seed
            .deserialize(&mut deserializer)
            .map_err(|_| DecodeError::new(fault.get().unwrap_or(Reason::Syntax)))?;
        deserializer
            .end()
            .map_err(|_| DecodeError::new(Reason::TrailingBytes))?;
        Ok(node)
    }
}

/// Builds a [`Node`] from any JSON, and notes in `fault` what was wrong with its shape.
#[derive(Clone, Copy)]
struct NodeSeed<'a> {
    depth_left: usize,
    fault: &'a Cell<Option<Reason>>,
}

impl NodeSeed<'_> {
    fn refuse<E: de::Error>(self, reason: Reason) -> E {
        self.fault.set(Some(reason));
        E::custom(reason.as_str())
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        match self.depth_left.checked_sub(1) {
            Some(depth_left) => Ok(Self { depth_left, ..self }),
            None => Err(self.refuse(Reason::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_> {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Node, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for NodeSeed<'_> {
    type Value = Node;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node, E> {
        Ok(Node::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node, E> {
        Ok(Node::Whole(value))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::OtherNumber)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::OtherNumber)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(Node::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Node, E> {
        Ok(Node::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut entries = Vec::new();
        while let Some(entry) = sequence.next_element_seed(seed)? {
            if entries.len() == ENTRIES_MAX {
                return Err(self.refuse(Reason::BadValue));
            }
            entries.push(entry);
        }
        Ok(Node::List(entries))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Node, A::Error> {
        let seed = self.deeper()?;
        let mut fields: Vec<(String, Node)> = Vec::new();
        while let Some(key) = map.next_key::<String>()? {
            if fields.iter().any(|(earlier, _)| *earlier == key) {
                return Err(self.refuse(Reason::DuplicateKey));
            }
            if fields.len() == FIELDS_MAX {
                return Err(self.refuse(Reason::UnknownField));
            }
            fields.push((key, map.next_value_seed(seed)?));
        }
        Ok(Node::Object(fields))
    }
}

impl<'de> Deserializer<'de> for Node {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_unit(),
            Self::Bool(value) => visitor.visit_bool(value),
            Self::Whole(value) => visitor.visit_u64(value),
            Self::OtherNumber => Err(DecodeError::new(Reason::WrongType)),
            Self::Text(text) => visitor.visit_string(text),
            Self::List(entries) => visitor.visit_seq(SeqDeserializer::new(entries.into_iter())),
            Self::Object(fields) => visitor.visit_map(Fields::new(fields, &[])),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self {
            Self::Null => visitor.visit_none(),
            present => visitor.visit_some(present),
        }
    }

    /// Only from an object with all its fields: serde would also take a list of the fields' values, and would
    /// read an absent optional field as null.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self {
            Self::Object(fields) => {
                let missing = known
                    .iter()
                    .find(|known| !fields.iter().any(|(key, _)| key == *known));
                let value = visitor.visit_map(Fields::new(fields, known))?;
                missing.map_or(Ok(value), |field| Err(de::Error::missing_field(field)))
            }
            _ => Err(DecodeError::new(Reason::WrongType)),
        }
    }

    /// Only from a word: none of our enums inside a message carries data.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self {
            Self::Text(word) => visitor.visit_enum(Word(word)),
            _ => Err(DecodeError::new(Reason::WrongType)),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map identifier ignored_any
    }
}

impl IntoDeserializer<'_, DecodeError> for Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// The fields of an object, handed to a struct; an error inside a known field gets its name.
struct Fields {
    rest: std::vec::IntoIter<(String, Node)>,
    known: &'static [&'static str],
    next: Option<Node>,
    name: Option<&'static str>,
}

impl Fields {
    fn new(fields: Vec<(String, Node)>, known: &'static [&'static str]) -> Self {
        Self {
            rest: fields.into_iter(),
            known,
            next: None,
            name: None,
        }
    }
}

impl<'de> MapAccess<'de> for Fields {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, DecodeError> {
        let Some((key, value)) = self.rest.next() else {
            return Ok(None);
        };
        self.name = self.known.iter().copied().find(|known| *known == key);
        self.next = Some(value);
        seed.deserialize(Node::Text(key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, DecodeError> {
        let value = self.next.take().unwrap_or(Node::Null);
        seed.deserialize(value).map_err(|error| error.in_field(self.name))
    }
}

/// The word of an enum without data.
struct Word(String);

impl<'de> EnumAccess<'de> for Word {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), DecodeError> {
        let Self(word) = self;
        Ok((seed.deserialize(Node::Text(word))?, Self(String::new())))
    }
}

impl<'de> VariantAccess<'de> for Word {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, DecodeError> {
        Err(DecodeError::new(Reason::WrongType))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, DecodeError> {
        Err(DecodeError::new(Reason::WrongType))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, DecodeError> {
        Err(DecodeError::new(Reason::WrongType))
    }
}
