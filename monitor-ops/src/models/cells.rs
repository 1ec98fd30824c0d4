//! The columns and rows of a result. Cells are deserialized by the names of their columns.

use serde::{
    Deserialize, Deserializer,
    de::{IntoDeserializer, Visitor, value::MapDeserializer},
    forward_to_deserialize_any,
};
use serde_json::{Error, Value};

/// A column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[non_exhaustive]
pub struct LogColumn {
    /// The name.
    pub name: String,
    /// The type of its cells.
    #[serde(rename = "type")]
    pub kind: ColumnType,
}

arm_core::open_enum! {
    /// The type of a column.
    pub enum ColumnType {
        /// True or false.
        Bool = "bool",
        /// An instant.
        DateTime = "datetime",
        /// JSON, as a string.
        Dynamic = "dynamic",
        /// A 32-bit integer.
        Int = "int",
        /// A 64-bit integer.
        Long = "long",
        /// A floating-point number.
        Real = "real",
        /// A string.
        String = "string",
        /// A GUID.
        Guid = "guid",
        /// A decimal number.
        Decimal = "decimal",
        /// A span of time.
        Timespan = "timespan",
    }
}

/// The cells of a row, by the names of their columns.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) columns: &'a [LogColumn],
    pub(super) cells: &'a [Value],
}

impl<'de> Deserializer<'de> for Row<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let cells = self.columns.iter().zip(self.cells);
        visitor
            .visit_map(MapDeserializer::new(cells.map(|(column, cell)| (column.name.as_str(), Cell(cell)))))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

/// One cell. The service writes some numbers as strings: `NaN`, `Infinity`, decimals, and long numbers.
struct Cell<'a>(&'a Value);

impl<'de> IntoDeserializer<'de, Error> for Cell<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! number {
    ($($method:ident $number:ty => $visit:ident),+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.as_str().and_then(|text| text.trim().parse::<$number>().ok()) {
                Some(number) => visitor.$visit(number),
                None => self.0.$method(visitor),
            }
        })+
    };
}

impl<'de> Deserializer<'de> for Cell<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.0.deserialize_any(visitor)
    }

    number! {
        deserialize_f32 f64 => visit_f64, deserialize_f64 f64 => visit_f64,
        deserialize_i8 i64 => visit_i64, deserialize_i16 i64 => visit_i64, deserialize_i32 i64 => visit_i64,
        deserialize_i64 i64 => visit_i64, deserialize_u8 u64 => visit_u64, deserialize_u16 u64 => visit_u64,
        deserialize_u32 u64 => visit_u64, deserialize_u64 u64 => visit_u64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let word = self.0.as_str().map(str::to_ascii_lowercase).and_then(|text| text.trim().parse().ok());
        match word.or(self.0.as_u64().filter(|number| *number < 2).map(|number| number == 1)) {
            Some(value) => visitor.visit_bool(value),
            None => self.0.deserialize_bool(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
