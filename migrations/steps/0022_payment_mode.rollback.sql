ALTER TABLE purchase DROP COLUMN paid_worth, DROP COLUMN payment_reference;
ALTER TABLE event DROP COLUMN payment;
