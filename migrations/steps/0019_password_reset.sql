-- Who asked for a new password, by the hash of the mail's link. Rows are good for an hour. One is kept for addresses
-- without an account too, with an id that nobody has, so that asking takes the same for every address.
CREATE TABLE password_reset (
    link_hash  bytea       PRIMARY KEY CONSTRAINT password_reset_link_hash_bound CHECK (octet_length(link_hash) = 32),
    account_id uuid        NOT NULL,
    email      text        NOT NULL CONSTRAINT password_reset_email_bound CHECK (char_length(email) BETWEEN 3 AND 254),
    -- The version of the account's sessions (revocation) then: a higher one ends it.
    sessions   bigint      NOT NULL CONSTRAINT password_reset_sessions_bound CHECK (sessions BETWEEN 0 AND 4611686018427387904),
    created_at timestamptz NOT NULL DEFAULT now() CONSTRAINT password_reset_created_at_bound CHECK (is_moment(created_at))
);

CREATE INDEX password_reset_created_at ON password_reset (created_at);

-- No connector captures this table.
ALTER TABLE password_reset REPLICA IDENTITY DEFAULT;
