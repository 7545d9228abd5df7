"""The names of bodies and answers, by which docs/openapi.json refers to them."""

from collections import Counter
from importlib import import_module
from pkgutil import iter_modules

from pydantic import BaseModel

import api.schemas


def test_each_name_has_one_model() -> None:
    modules = [import_module(f"api.schemas.{it.name}") for it in iter_modules(api.schemas.__path__)]
    classes = {it for module in modules for it in vars(module).values() if isinstance(it, type)}
    names = Counter(it.__name__ for it in classes if issubclass(it, BaseModel))
    assert [name for name, count in names.items() if count > 1] == []
