-- +goose NO TRANSACTION
-- +goose Up
-- The rows of balances that pages of staff show, newest first: accounts that few entries have. Those of every gift are found by day.
DROP INDEX CONCURRENTLY IF EXISTS posting_of_account;
CREATE INDEX CONCURRENTLY posting_of_account ON posting (entity_id, account_code, serial DESC)
 WHERE account_code IN ('1015', '1020', '1050', '1090', '1095', '1100', '2300');

-- +goose Down
DROP INDEX IF EXISTS posting_of_account;
