DROP INDEX event_created_at;

DROP INDEX account_created_at;

DROP TABLE confirmation;
