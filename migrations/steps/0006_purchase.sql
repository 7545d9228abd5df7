-- The sales projection: purchases as the ledger decided them. Only streams/sales writes it, and it
-- can be rebuilt from the outcomes. No foreign keys: an outcome is never refused for lack of a row here.
CREATE TABLE purchase (
    id            uuid        NOT NULL,
    event_id      uuid        NOT NULL,
    account_id    uuid        NOT NULL,
    status        text        NOT NULL
        CHECK (status IN ('held', 'confirmed', 'rejected', 'cancelled', 'expired', 'refunded')),
    reason        text,
    figures       jsonb       NOT NULL DEFAULT '{}',
    lines         jsonb       NOT NULL DEFAULT '[]',
    total         numeric,
    currency      char(3),
    deadline      timestamptz,
    ledger_offset bigint      NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (event_id, id)
);

CREATE INDEX purchase_account_id ON purchase (account_id, at);

-- No connector captures this table.
ALTER TABLE purchase REPLICA IDENTITY DEFAULT;
