"""The types of columns as Arrow has them."""

import pyarrow as arrow

from schemas.columns import Date, Flag, Money, Rate, Schema, Text, Type, Whole

ARROW: dict[Type, arrow.DataType] = {
    Text: arrow.string(),
    Date: arrow.date32(),
    Money: arrow.decimal128(14, 2),
    Rate: arrow.decimal128(5, 2),
    Whole: arrow.int32(),
    Flag: arrow.bool_(),
}


def arrow_types(schema: Schema) -> dict[str, arrow.DataType]:
    """Column name to Arrow type, in the order of the class."""
    return {name: ARROW[told.type] for name, told in schema.fields.items()}
