-- What was mailed of which purchase, and when: whom it went to is told by the account alone.
-- Only streams/deliveries writes what was sent; the API adds what is asked for again.
CREATE TABLE notification (
    id           uuid        PRIMARY KEY,
    kind         text        NOT NULL,
    status       text        NOT NULL CHECK (status IN ('requested', 'sent', 'failed')),
    event_id     uuid        NOT NULL,
    purchase_id  uuid        NOT NULL,
    account_id   uuid        NOT NULL,
    requested_at timestamptz,
    at           timestamptz NOT NULL
);

CREATE INDEX notification_purchase ON notification (event_id, purchase_id, at);

-- No connector captures this table.
ALTER TABLE notification REPLICA IDENTITY DEFAULT;
