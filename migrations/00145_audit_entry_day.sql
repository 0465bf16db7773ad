-- +goose NO TRANSACTION
-- +goose Up
-- The audit log is searched by day.
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_day;
CREATE INDEX CONCURRENTLY audit_entry_of_day ON audit_entry (at);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_day;
