-- Who may do what. Passwords stand in a table of their own, so that reading an account never reads one.
ALTER TABLE account ADD COLUMN roles text[] NOT NULL DEFAULT '{buyer}'
    CONSTRAINT account_roles_are_known CHECK (roles <@ '{buyer,organizer,administrator}'::text[]);

CREATE TABLE credential (
    account_id    uuid        PRIMARY KEY CONSTRAINT credential_account REFERENCES account (id) ON DELETE CASCADE,
    password_hash text        NOT NULL CHECK (char_length(password_hash) BETWEEN 20 AND 500),
    changed_at    timestamptz NOT NULL DEFAULT now()
);

-- Tokens of a lower version than their account's row here are refused. No foreign key: the row outlives the account.
CREATE TABLE revocation (
    account_id uuid        PRIMARY KEY,
    version    bigint      NOT NULL CHECK (version >= 1),
    at         timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX revocation_at ON revocation (at);

-- No connector captures these tables.
ALTER TABLE credential REPLICA IDENTITY DEFAULT;
ALTER TABLE revocation REPLICA IDENTITY DEFAULT;
