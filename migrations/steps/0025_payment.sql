-- What the pages and the API show of a payment. Only the role payments writes it, from its own table.
CREATE TABLE payment (
    event_id      uuid        NOT NULL,
    purchase_id   uuid        NOT NULL,
    account_id    uuid        NOT NULL,
    state         text        NOT NULL,
    provider      text        NOT NULL,
    reference     text        NOT NULL,
    url           text        NOT NULL,
    due           numeric     NOT NULL CHECK (due >= 0),
    captured      numeric     NOT NULL CHECK (captured >= 0),
    refunded      numeric     NOT NULL CHECK (refunded >= 0),
    currency      text        NOT NULL,
    deadline      timestamptz,
    detail        text        NOT NULL,
    disputed      boolean     NOT NULL,
    record_offset bigint      NOT NULL,
    at            timestamptz NOT NULL,
    PRIMARY KEY (event_id, purchase_id)
);

-- No connector captures this table.
ALTER TABLE payment REPLICA IDENTITY DEFAULT;
