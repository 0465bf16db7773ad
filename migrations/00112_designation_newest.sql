-- +goose NO TRANSACTION
-- +goose Up
-- The newest gifts to a fund, page by page. The index begins with what designation_by_fund has, which goes.
DROP INDEX CONCURRENTLY IF EXISTS designation_newest;
CREATE INDEX CONCURRENTLY designation_newest ON designation (fund_id, donation_id DESC);
DROP INDEX CONCURRENTLY IF EXISTS designation_by_fund;

-- +goose Down
CREATE INDEX IF NOT EXISTS designation_by_fund ON designation (fund_id);
DROP INDEX IF EXISTS designation_newest;
