-- When an event was to start before it was postponed.
ALTER TABLE event ADD COLUMN former_starts_at timestamptz
    CONSTRAINT event_former_starts_at_bound CHECK (is_moment(former_starts_at));

COMMENT ON COLUMN event.former_starts_at IS 'the start before the last postponement, unless it is the start again';
