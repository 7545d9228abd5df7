DROP TABLE ticket_type;
