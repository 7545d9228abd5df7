-- The trace (W3C traceparent) of the request that made a change, so that what follows from it is told as one.
ALTER TABLE event_outbox ADD COLUMN traceparent text NOT NULL DEFAULT '' CHECK (char_length(traceparent) <= 64);

ALTER TABLE event ADD COLUMN traceparent text CHECK (char_length(traceparent) <= 64);

-- Who changes a row for another reason brings no trace, and must not go on with the one that is there.
CREATE FUNCTION event_forgets_trace() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.traceparent := NULL;
    RETURN NEW;
END
$$;

CREATE TRIGGER event_trace_is_told_once
    BEFORE UPDATE ON event
    FOR EACH ROW WHEN (NEW.traceparent = OLD.traceparent) EXECUTE FUNCTION event_forgets_trace();
