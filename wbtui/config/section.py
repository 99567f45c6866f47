"""What do all sections of the configuration share: how strict they are, and numbers with their bounds."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from wbtui.errors import UTF8

Finite = Annotated[float, Field(allow_inf_nan=False)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]
NonNegative = Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
AtLeastOne = Annotated[int, Field(ge=1)]


class Section(BaseModel):
    """A frozen part of the configuration that refuses unknown keys, and texts that its file cannot hold."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    @field_validator("*")
    @classmethod
    def _writable(cls, value: object) -> object:
        """A file name of other bytes than UTF-8's, which Python hands on as half characters, is no text of a TOML."""
        if isinstance(value, str) and any("\ud800" <= character <= "\udfff" for character in value):
            raise ValueError(UTF8)
        return value
