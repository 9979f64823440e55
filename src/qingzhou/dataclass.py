"""Dataclasses that are cheap to define: what `dataclasses` does for each class took a tenth of a whole conversion.

Python's own writes six functions as text for every class, and compiles them. Here all classes share theirs. The rest is
the same: `fields`, `asdict` and `replace` of the standard library take these as its own, for which type checkers do.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

__all__ = ["dataclass", "field", "replace"]
MISSING: Any = object()


class _Field(NamedTuple):
    """One of a class, as it is asked for: without a default, with one, or with what makes one."""

    kind: Any = None
    default: Any = MISSING
    make: Callable[[], Any] | None = None
    shown: bool = True
    compared: bool = True
    keyword: bool = False


def _field(*, default_factory: Callable[[], Any], repr: bool = True, compare: bool = True) -> Any:
    """As dataclasses.field(); plain defaults stand in the class."""
    return _Field(None, MISSING, default_factory, repr, compare)


def _dataclass(cls: type | None = None, *, frozen: bool = False, eq: bool = True, kw_only: bool = False) -> Any:
    """As dataclasses.dataclass(), of whose options these are all that there are."""

    def made(cls: type) -> type:
        fields = _fields(cls, kw_only)
        init = _init(fields, hasattr(cls, "__post_init__"))
        own: dict[str, Any] = {"__init__": init, "__repr__": _repr, "__replace__": replace}
        if eq:
            own.update(__eq__=_eq, __hash__=_hash if frozen else None)
        if frozen:
            own.update(__setattr__=_refuse, __delattr__=_refuse)
        for name, value in own.items():
            if vars(cls).get(name) is None:  # what is written in the class stays
                setattr(cls, name, value)
        compared = [name for name, one in fields.items() if one.compared]
        places = tuple(name for name, one in fields.items() if not one.keyword)
        told = {
            "_fields_of": fields,
            "_values_of": attrgetter(*compared) if compared else bool,
            "__match_args__": places,
        }
        for name, value in {**told, **_ASKED}.items():
            setattr(cls, name, value)
        return cls

    return made if cls is None else made(cls)


def _replace(*objects: Any, **changes: Any) -> Any:
    """The same object with other values; an object, so that it is a method as well."""
    (old,) = objects
    values, cls = vars(old), type(old)
    new: Any = object.__new__(cls)
    fields = getattr(cls, "_fields_of", None) or cls.__dataclass_fields__
    vars(new).update({name: changes.pop(name) if name in changes else values[name] for name in fields})
    if changes:
        raise TypeError(f"{cls.__name__} has no field {next(iter(changes))!r}")
    if hasattr(cls, "__post_init__"):
        new.__post_init__()
    return new


def _fields(cls: type, keyword: bool) -> dict[str, _Field]:
    """Of its bases, then its own, which lose the defaults that are made anew."""
    found: dict[str, _Field] = {}
    for base in cls.__mro__[:0:-1]:
        found.update(vars(base).get("_fields_of", {}))
    for name, kind in cls.__annotations__.items():
        default = vars(cls).get(name, MISSING)
        one = default if isinstance(default, _Field) else _Field(None, default)
        found[name] = one._replace(kind=kind, keyword=keyword)
        if one is default:
            delattr(cls, name)
    return found


def _init(fields: dict[str, _Field], goes_on: bool) -> Callable[..., None]:
    """Takes its fields by their places or by their names."""
    places = sum(not one.keyword for one in fields.values())
    order = sorted(fields.items(), key=lambda item: item[1].keyword)
    table = [(name, one.default, one.make) for name, one in order]
    by_place = [name for name, _ in order[:places]]

    def __init__(self: Any, *given: Any, **named: Any) -> None:
        values = vars(self)  # also of one that is frozen
        values.update(zip(by_place, given, strict=False))
        for name, default, make in table[len(given) :]:
            if name in named:
                values[name] = named.pop(name)
            elif make is not None:
                values[name] = make()
            elif default is not MISSING:
                values[name] = default
            else:
                raise TypeError(f"{type(self).__name__}() misses {name!r}")
        if named or len(given) > places:
            raise TypeError(f"{type(self).__name__}() takes no {', '.join(named) or f'{len(given)} values'}")
        if goes_on:
            self.__post_init__()

    return __init__


def _repr(self: Any) -> str:
    shown = [f"{name}={getattr(self, name)!r}" for name, one in self._fields_of.items() if one.shown]
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: Any) -> bool:
    return self._values_of(self) == self._values_of(other) if type(self) is type(other) else NotImplemented


def _hash(self: Any) -> int:
    return hash(self._values_of(self))


def _refuse(self: Any, name: str, *_: Any) -> None:
    from dataclasses import FrozenInstanceError

    raise FrozenInstanceError(f"cannot change field {name!r}")


class _Asked:
    """What the standard library looks for in a dataclass: made by it, when it looks."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, _: Any, cls: Any) -> Any:
        import dataclasses

        specs = [(name, one.kind, _standard(one)) for name, one in cls._fields_of.items()]
        twin = dataclasses.make_dataclass(cls.__name__, specs, frozen=cls.__setattr__ is _refuse)
        for name in _ASKED:
            setattr(cls, name, getattr(twin, name))
        return getattr(twin, self.name)


_ASKED = {name: _Asked(name) for name in ("__dataclass_fields__", "__dataclass_params__")}


def _standard(one: _Field) -> Any:
    """A field of the standard library's."""
    import dataclasses

    told: dict[str, Any] = {"repr": one.shown, "compare": one.compared}
    if one.keyword:
        told["kw_only"] = True
    if one.make is not None:
        told["default_factory"] = one.make
    elif one.default is not MISSING:
        told["default"] = one.default
    return dataclasses.field(**told)


if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    dataclass, field, replace = _dataclass, _field, _replace
