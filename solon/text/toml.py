"""A constitution as TOML, which ``parse`` reads back word for word."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import fields

from solon.text.constitution import Constitution
from solon.text.principle import Principle, Value


def toml(law: Constitution) -> str:
    """The file's text; what stands at its default is left out."""
    top = [f"name = {_value(law.name)}"]
    top += [f"source = {_value(law.source)}"] if law.source else []
    tables = ["\n".join(["[[principles]]", *_lines(one)]) for one in law.principles]
    return "\n\n".join(["\n".join(top), *tables]) + "\n"


def _lines(principle: Principle) -> Iterator[str]:
    for field in fields(principle):
        value = getattr(principle, field.name)
        if value != field.default:
            yield f"{field.name} = {_value(value)}"


def _value(value: Value) -> str:
    match value:
        case str():  # JSON's escapes are TOML's, but for DEL, which TOML allows only escaped
            return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")
        case tuple():
            return f"[{', '.join(map(_value, value))}]"
        case bool():
            return str(value).lower()
        case _:
            return repr(float(value))
