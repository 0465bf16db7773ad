-- +goose NO TRANSACTION
-- +goose Up
-- Gifts of an amount, the newest first: staff search by what stands on a bank statement.
DROP INDEX CONCURRENTLY IF EXISTS donation_of_amount;
CREATE INDEX CONCURRENTLY donation_of_amount ON donation (organisation_id, amount, charged_at DESC, id DESC) WHERE charged_at IS NOT NULL;

-- +goose Down
DROP INDEX IF EXISTS donation_of_amount;
