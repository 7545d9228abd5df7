-- What is held now, by account: a small part of all purchases.
CREATE INDEX purchase_held ON purchase (account_id, event_id) WHERE status = 'held';
