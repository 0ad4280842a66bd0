"""JSON schemas that do not say less than the types they come from."""

from __future__ import annotations

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import DecimalSchema


class ExactSchema(GenerateJsonSchema):
    """Pydantic's, but a text that stands for a decimal is not any text, and is told the same way by every version."""

    def decimal_schema(self, schema: DecimalSchema) -> JsonSchemaValue:
        found = super().decimal_schema(schema)
        choices = [_exact(choice) for choice in found.get("anyOf", ())]
        return {**found, "anyOf": choices} if choices else found


def _exact(choice: JsonSchemaValue) -> JsonSchemaValue:
    return {"type": "string", "format": "decimal"} if choice.get("type") == "string" else choice
