-- Who organizes events and buys tickets.
CREATE TABLE account (
    id          uuid        PRIMARY KEY,
    first_name  text        NOT NULL CHECK (char_length(first_name) BETWEEN 1 AND 100),
    last_name   text        NOT NULL CHECK (char_length(last_name) BETWEEN 1 AND 100),
    email       text        NOT NULL CHECK (char_length(email) BETWEEN 3 AND 254),
    phone       text        CHECK (char_length(phone) BETWEEN 5 AND 32),
    birth_date  date        CHECK (birth_date >= DATE '1900-01-01'),
    locale      text        NOT NULL DEFAULT 'en' CHECK (char_length(locale) BETWEEN 2 AND 35),
    version     bigint      NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX account_email ON account (lower(email));

-- The key is all a consumer needs of an old row; and FULL would put phone numbers and
-- birth dates, which the publication leaves out, into the write-ahead log's old rows.
ALTER TABLE account REPLICA IDENTITY DEFAULT;
