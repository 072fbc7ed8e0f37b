"""The kind of value that everything here is made of: frozen, named fields, no unknown ones."""

from typing import Any, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(msgspec.field,))
class _Kind(msgspec.StructMeta):
    """Passes `frozen` and `kw_only` on to every subclass (msgspec itself inherits only the first)."""

    def __new__(mcs, name: str, bases: tuple[type, ...], space: dict[str, Any], **options: Any) -> Any:
        return super().__new__(mcs, name, bases, space, **{"frozen": True, "kw_only": True, **options})


class Value(msgspec.Struct, metaclass=_Kind, forbid_unknown_fields=True):
    """A frozen struct with named fields; what it does not know it does not decode."""


class Tagged(Value, tag=True):
    """A value that names its own type where several kinds travel together."""
