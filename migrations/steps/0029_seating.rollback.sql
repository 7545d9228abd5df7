DROP INDEX purchase_seated;

DELETE FROM event_outbox WHERE part > 0;

ALTER TABLE event_outbox
    DROP CONSTRAINT event_outbox_one_row_per_part,
    DROP COLUMN part,
    ADD CONSTRAINT event_outbox_one_row_per_version UNIQUE (aggregate_id, version);

DROP TABLE seating_section;
DROP TABLE seating;
