-- What takes place, where and when. Every change of an event or of one of its ticket types
-- raises version by one, under the row's lock.
CREATE TABLE event (
    id              uuid             PRIMARY KEY,
    organizer_id    uuid             NOT NULL CONSTRAINT event_organizer REFERENCES account (id),
    title           text             NOT NULL CHECK (char_length(title) BETWEEN 1 AND 200),
    description     text             NOT NULL DEFAULT '' CHECK (char_length(description) <= 20000),
    venue           text             NOT NULL DEFAULT '' CHECK (char_length(venue) <= 200),
    city            text             NOT NULL DEFAULT '' CHECK (char_length(city) <= 100),
    country         text             CHECK (country ~ '^[A-Z]{2}$'),
    latitude        double precision CHECK (latitude BETWEEN -90 AND 90),
    longitude       double precision CHECK (longitude BETWEEN -180 AND 180),
    tags            text[]           NOT NULL DEFAULT '{}' CHECK (cardinality(tags) <= 20),
    status          text             NOT NULL DEFAULT 'DRAFT'
        CHECK (status IN ('DRAFT', 'ACTIVE', 'ON_HOLD', 'POSTPONED', 'SOLD_OUT', 'DONE', 'CANCELED')),
    starts_at       timestamptz      NOT NULL,
    ends_at         timestamptz      NOT NULL,
    time_zone       text             NOT NULL CHECK (char_length(time_zone) BETWEEN 1 AND 64),
    capacity        integer          CHECK (capacity BETWEEN 0 AND 10000000),
    max_per_order   integer          CHECK (max_per_order BETWEEN 1 AND 10000000),
    max_per_account integer          CHECK (max_per_account BETWEEN 1 AND 10000000),
    version         bigint           NOT NULL DEFAULT 1 CHECK (version >= 1),
    created_at      timestamptz      NOT NULL DEFAULT now(),
    updated_at      timestamptz      NOT NULL DEFAULT now(),
    CONSTRAINT event_ends_after_it_starts CHECK (ends_at > starts_at),
    CONSTRAINT event_has_both_coordinates CHECK ((latitude IS NULL) = (longitude IS NULL))
);

CREATE INDEX event_organizer_id ON event (organizer_id);

-- A long description is stored out of line, and an update that leaves it alone does not log it;
-- the change would reach the search index with a placeholder in its place. FULL logs it always.
ALTER TABLE event REPLICA IDENTITY FULL;
