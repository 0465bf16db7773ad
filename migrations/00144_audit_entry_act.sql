-- +goose NO TRANSACTION
-- +goose Up
-- The audit log is searched by act.
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_act;
CREATE INDEX CONCURRENTLY audit_entry_of_act ON audit_entry (act, serial);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_act;
