-- What is done once an address is confirmed: an account made, or its address changed. Rows live a day.
-- Signing up looks at no account, so it answers alike for every address.
CREATE TABLE confirmation (
    code_hash     bytea       PRIMARY KEY,
    account_id    uuid        NOT NULL,
    email         text        NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    account       jsonb,
    password_hash text        CHECK (char_length(password_hash) BETWEEN 20 AND 500),
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX confirmation_created_at ON confirmation (created_at);

-- No connector captures this table.
ALTER TABLE confirmation REPLICA IDENTITY DEFAULT;

-- Lists go by the moment of creation, newest first, which no change moves.
CREATE INDEX account_created_at ON account (created_at, id);
CREATE INDEX event_created_at ON event (created_at, id);
