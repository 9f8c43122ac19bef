//! Writes what can be serialised as a value of an item in DynamoDB's JSON, at once: the same that `serde_dynamo` makes of it, without the
//! values in between.

use serde::Serialize;
use serde::ser::{self, Error as _, Serializer};
use serde_json::Error;

use super::super::body::{encoded, quoted, tagged};

/// Where the value goes.
pub(super) struct ValueSerializer<'a>(pub(super) &'a mut Vec<u8>);

/// The elements of a list or the entries of a map, until they end.
pub(super) struct Nested<'a> {
    json: &'a mut Vec<u8>,
    is_first: bool,
    end: &'static [u8],
}

impl<'a> Nested<'a> {
    fn new(json: &'a mut Vec<u8>, begin: &'static [u8], end: &'static [u8]) -> Self {
        json.extend_from_slice(begin);
        Self { json, is_first: true, end }
    }

    fn list(json: &'a mut Vec<u8>) -> Self {
        Self::new(json, br#"{"L":["#, b"]}")
    }

    fn map(json: &'a mut Vec<u8>) -> Self {
        Self::new(json, br#"{"M":{"#, b"}}")
    }

    /// The only entry of a map, which is a list or a map itself.
    fn variant(json: &'a mut Vec<u8>, variant: &'static str, begin: &'static [u8], end: &'static [u8]) -> Result<Self, Error> {
        json.extend_from_slice(br#"{"M":{"#);
        quoted(json, variant)?;
        json.push(b':');
        Ok(Self::new(json, begin, end))
    }

    fn separate(&mut self) {
        if !std::mem::replace(&mut self.is_first, false) {
            self.json.push(b',');
        }
    }

    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.separate();
        value.serialize(ValueSerializer(self.json))
    }

    fn entry<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) -> Result<(), Error> {
        self.separate();
        quoted(self.json, name)?;
        self.json.push(b':');
        value.serialize(ValueSerializer(self.json))
    }

    fn close(self) {
        self.json.extend_from_slice(self.end);
    }
}

fn number(json: &mut Vec<u8>, number: &impl Serialize) -> Result<(), Error> {
    json.extend_from_slice(br#"{"N":""#);
    serde_json::to_writer(&mut *json, number)?;
    json.extend_from_slice(br#""}"#);
    Ok(())
}

/// Numbers, each by its own method.
macro_rules! numbers {
    ($($method:ident: $of:ty),* $(,)?) => {
        $(fn $method(self, value: $of) -> Result<(), Error> {
            number(self.0, &value)
        })*
    };
}

impl<'a> Serializer for ValueSerializer<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Nested<'a>;
    type SerializeTuple = Nested<'a>;
    type SerializeTupleStruct = Nested<'a>;
    type SerializeTupleVariant = Nested<'a>;
    type SerializeMap = Nested<'a>;
    type SerializeStruct = Nested<'a>;
    type SerializeStructVariant = Nested<'a>;

    numbers! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64, serialize_i128: i128,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64, serialize_u128: u128,
    }

    fn serialize_f32(self, value: f32) -> Result<(), Error> {
        self.serialize_f64(value.into())
    }

    fn serialize_f64(self, value: f64) -> Result<(), Error> {
        if value.is_finite() { number(self.0, &value) } else { Err(Error::custom("it is no number that an item can hold")) }
    }

    fn serialize_bool(self, value: bool) -> Result<(), Error> {
        self.0.extend_from_slice(if value { br#"{"BOOL":true}"# } else { br#"{"BOOL":false}"# });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), Error> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), Error> {
        tagged(self.0, "S", |json| quoted(json, value))
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), Error> {
        tagged(self.0, "B", |json| encoded(json, value));
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), Error> {
        self.0.extend_from_slice(br#"{"NULL":true}"#);
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), Error> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), Error> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(self, _: &'static str, _: u32, variant: &'static str, value: &T) -> Result<(), Error> {
        let mut map = Nested::map(self.0);
        map.entry(variant, value)?;
        map.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(Nested::list(self.0))
    }

    fn serialize_tuple(self, _: usize) -> Result<Nested<'a>, Error> {
        Ok(Nested::list(self.0))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        Ok(Nested::list(self.0))
    }

    fn serialize_tuple_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        Nested::variant(self.0, variant, br#"{"L":["#, b"]}}}")
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Nested<'a>, Error> {
        Ok(Nested::map(self.0))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        Ok(Nested::map(self.0))
    }

    fn serialize_struct_variant(self, _: &'static str, _: u32, variant: &'static str, _: usize) -> Result<Nested<'a>, Error> {
        Nested::variant(self.0, variant, br#"{"M":{"#, b"}}}}")
    }
}

/// Lists, which have elements.
macro_rules! lists {
    ($($list:ident::$method:ident),* $(,)?) => {
        $(impl ser::$list for Nested<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

lists! { SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field }

/// Maps whose names are known.
macro_rules! structures {
    ($($structure:ident),*) => {
        $(impl ser::$structure for Nested<'_> {
            type Ok = ();
            type Error = Error;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Error> {
                self.entry(name, value)
            }

            fn end(self) -> Result<(), Error> {
                self.close();
                Ok(())
            }
        })*
    };
}

structures! { SerializeStruct, SerializeStructVariant }

impl ser::SerializeMap for Nested<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, name: &T) -> Result<(), Error> {
        self.separate();
        let start = self.json.len();
        serde_json::to_writer(&mut *self.json, name)?;
        if self.json.get(start) != Some(&b'"') {
            return Err(Error::custom("the names of a map are texts"));
        }
        self.json.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        value.serialize(ValueSerializer(self.json))
    }

    fn end(self) -> Result<(), Error> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use aws_sdk_dynamodb::types::AttributeValue;
    use serde_json::{Value, json};

    use super::super::written;
    use super::*;

    #[derive(Serialize)]
    enum Each {
        Alone,
        Of(u8),
        Two(i64, char),
        Named { text: &'static str, none: Option<u8> },
    }

    #[derive(Serialize)]
    struct Everything {
        each: Vec<Each>,
        #[serde(with = "switchboard_domain::audit::bytes")]
        bytes: Vec<u8>,
        pair: (bool, f64),
        unit: (),
        #[serde(flatten)]
        others: BTreeMap<String, Value>,
    }

    fn by_hand(value: &impl Serialize) -> Value {
        let mut json = Vec::new();
        value.serialize(ValueSerializer(&mut json)).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    /// As `serde_dynamo` has it.
    fn by_library(value: &impl Serialize) -> Value {
        let value: AttributeValue = serde_dynamo::to_attribute_value(value).unwrap();
        let mut json = Vec::new();
        written(&mut json, &value).unwrap();
        serde_json::from_slice(&json).unwrap()
    }

    #[test]
    fn what_is_serialised_is_what_the_library_makes_of_it() {
        let others = BTreeMap::from([
            ("a \"name\"\n".to_owned(), json!({"list": [1, -2, 0.25, null, true, "\u{1}\\ \u{1f4de}"], "empty": {}, "none": []})),
            ("text".to_owned(), json!("")),
        ]);
        let each = vec![Each::Alone, Each::Of(7), Each::Two(i64::MIN, 'é'), Each::Named { text: "x", none: None }];
        let everything = Everything { each, bytes: vec![0, 255, 1], pair: (false, 1.5), unit: (), others };
        assert_eq!(by_hand(&everything), by_library(&everything));
    }

    #[test]
    fn what_items_cannot_hold_is_refused() {
        let mut json = Vec::new();
        assert!(f64::NAN.serialize(ValueSerializer(&mut json)).is_err());
        assert!(BTreeMap::from([(1, 2)]).serialize(ValueSerializer(&mut json)).is_err());
    }
}
