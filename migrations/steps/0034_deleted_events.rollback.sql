DROP TRIGGER event_announces_its_end ON event;

DROP FUNCTION event_announces_its_end();
