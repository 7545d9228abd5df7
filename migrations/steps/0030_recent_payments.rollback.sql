DROP INDEX payment_at;
