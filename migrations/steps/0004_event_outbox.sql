-- What the ticket office is to learn of an event, written in the transaction that changed it.
CREATE TABLE event_outbox (
    id             uuid        PRIMARY KEY,
    aggregate_type text        NOT NULL DEFAULT 'event_status',
    aggregate_id   uuid        NOT NULL,
    event_type     text        NOT NULL,
    version        bigint      NOT NULL CHECK (version >= 1),
    payload        jsonb       NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT event_outbox_one_row_per_version UNIQUE (aggregate_id, version)
);

-- Rows are only ever inserted; old ones may be deleted, and nobody asks what was in them.
ALTER TABLE event_outbox REPLICA IDENTITY DEFAULT;
