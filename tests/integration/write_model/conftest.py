"""Databases of their own on the stack's PostgreSQL server: an empty one, and one with the write model."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from api.adapters.postgres.database import Database
from lab.trial_stack import TrialStack
from migrations.apply import apply_steps
from stack.postgres import CAPTURE, OWNER, SUPERUSER, Postgres


@dataclass(frozen=True, slots=True)
class Scratch:
    """A database that belongs to the owner, as the deployed one does."""

    name: str
    url: str
    superuser_url: str

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        return self._run(self.url, query, values)

    def rows_as_capture(self, query: str) -> list[tuple[Any, ...]]:
        """What the role of change data capture gets; raises what it is refused with."""
        return self._run(self.superuser_url, query, (), role=CAPTURE)

    def _run(self, url: str, query: str, values: tuple[Any, ...], role: str | None = None) -> list[tuple[Any, ...]]:
        with psycopg.connect(url) as connection:
            if role is not None:
                connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
            cursor = connection.execute(query.encode(), values)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def made(stack: TrialStack, template: str = "template1") -> Iterator[Scratch]:
    """A new database, a copy of ``template``."""
    server = Postgres(stack.settings)
    name = f"scratch_{uuid4().hex[:12]}"
    with psycopg.connect(server.url(SUPERUSER, "postgres"), autocommit=True) as connection:
        names = {each: sql.Identifier(word) for each, word in (("name", name), ("owner", OWNER), ("of", template))}
        connection.execute(sql.SQL("CREATE DATABASE {name} OWNER {owner} TEMPLATE {of}").format(**names))
        yield Scratch(name, server.url(OWNER, name), server.url(SUPERUSER, name))
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def empty(stack: TrialStack) -> Iterator[Scratch]:
    with made(stack) as scratch:
        yield scratch


@pytest.fixture(scope="module")
def write_model(stack: TrialStack) -> Iterator[Scratch]:
    """The database that those of the tests are copies of: all steps are applied once a module, not for each test."""
    with made(stack) as scratch:
        apply_steps(scratch.url, CAPTURE)
        yield scratch


@pytest.fixture
def scratch(stack: TrialStack, write_model: Scratch) -> Iterator[Scratch]:
    with made(stack, write_model.name) as scratch:
        yield scratch


@pytest.fixture
def database(scratch: Scratch) -> Iterator[Database]:
    database = Database(scratch.url)
    database.open()
    yield database
    database.close()
