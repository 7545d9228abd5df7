-- What is sold of an event. The price is exact, with at most the decimals of its currency.
CREATE TABLE ticket_type (
    id              uuid        PRIMARY KEY,
    event_id        uuid        NOT NULL CONSTRAINT ticket_type_event REFERENCES event (id) ON DELETE CASCADE,
    name            text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    price           numeric     NOT NULL CHECK (price >= 0 AND price < 10000000000 AND scale(price) <= 4),
    currency        char(3)     NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    quantity        integer     NOT NULL CHECK (quantity BETWEEN 0 AND 10000000),
    sale_starts_at  timestamptz,
    sale_ends_at    timestamptz,
    max_per_order   integer     CHECK (max_per_order BETWEEN 1 AND 10000000),
    max_per_account integer     CHECK (max_per_account BETWEEN 1 AND 10000000),
    position        integer     NOT NULL DEFAULT 0 CHECK (position BETWEEN 0 AND 10000),
    version         bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT ticket_type_sale_ends_after_it_starts CHECK (sale_ends_at > sale_starts_at)
);

CREATE INDEX ticket_type_event_id ON ticket_type (event_id, position, id);

-- No connector captures this table: the ledger gets ticket types with their event, from the outbox.
ALTER TABLE ticket_type REPLICA IDENTITY DEFAULT;
