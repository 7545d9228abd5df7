DROP TRIGGER account_is_renamed ON account;

DROP TRIGGER event_is_organized_anew ON event;

DROP TRIGGER event_is_organized ON event;

DROP TRIGGER ticket_type_is_offered ON ticket_type;

DROP FUNCTION events_learn_name();

DROP FUNCTION event_learns_organizer();

DROP FUNCTION event_learns_offers();

ALTER TABLE event DROP COLUMN stock, DROP COLUMN offers, DROP COLUMN organizer_name;
