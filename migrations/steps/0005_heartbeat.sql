-- One row per connector. Writing to it moves the connector's slot on while its own tables are quiet,
-- or the server would keep write-ahead log for it without end.
CREATE TABLE heartbeat (
    connector text        PRIMARY KEY,
    at        timestamptz NOT NULL
);

-- The key is enough: nobody reads the row's past.
ALTER TABLE heartbeat REPLICA IDENTITY DEFAULT;
