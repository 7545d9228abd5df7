-- The seating plan of an event, section by section as the API shows it. Its version is that of the event with which it
-- was put, NULL once it is deleted; the outbox has the pieces in which it goes to the ledger. The ledger keeps every
-- plan of an event, so these are counted.
CREATE TABLE seating (
    event_id   uuid   PRIMARY KEY REFERENCES event ON DELETE CASCADE,
    version    bigint CHECK (version BETWEEN 1 AND 4611686018427387904),
    categories uuid[] NOT NULL CHECK (cardinality(categories) <= 200),
    -- Those of them that are sold by seat.
    seated     uuid[] NOT NULL CHECK (seated <@ categories),
    plans      int    NOT NULL CHECK (plans BETWEEN 1 AND 100)
);

CREATE TABLE seating_section (
    event_id uuid NOT NULL REFERENCES seating ON DELETE CASCADE,
    position int  NOT NULL CHECK (position BETWEEN 0 AND 999),
    name     text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 16),
    title    text NOT NULL CHECK (char_length(title) <= 200),
    seats    int  NOT NULL CHECK (seats BETWEEN 0 AND 10000),
    -- As it is sent: jsonb would reorder it, and nobody looks into it here.
    section  json NOT NULL CHECK (octet_length(section::text) <= 8388608),
    PRIMARY KEY (event_id, position),
    UNIQUE (event_id, name)
);

-- No connector captures these tables.
ALTER TABLE seating REPLICA IDENTITY DEFAULT;
ALTER TABLE seating_section REPLICA IDENTITY DEFAULT;

-- The pieces of a plan have the version of the definition that they come before.
ALTER TABLE event_outbox
    ADD COLUMN part int NOT NULL DEFAULT 0 CHECK (part BETWEEN 0 AND 10000),
    DROP CONSTRAINT event_outbox_one_row_per_version,
    ADD CONSTRAINT event_outbox_one_row_per_part UNIQUE (aggregate_id, version, part);

-- Which seats are out: what has changed of an event since an offset of the ledger.
CREATE INDEX purchase_seated ON purchase (event_id, ledger_offset) WHERE lines @? '$[*].seats';
