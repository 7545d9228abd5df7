DROP TRIGGER event_trace_is_told_once ON event;

DROP FUNCTION event_forgets_trace();

ALTER TABLE event DROP COLUMN traceparent;

ALTER TABLE event_outbox DROP COLUMN traceparent;
