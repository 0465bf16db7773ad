-- +goose NO TRANSACTION
-- +goose Up
-- The audit log is searched by act, and by the id of an object of any kind.
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_act;
CREATE INDEX CONCURRENTLY audit_entry_of_act ON audit_entry (act, serial);
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_object_id;
CREATE INDEX CONCURRENTLY audit_entry_of_object_id ON audit_entry (object_id, serial);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_object_id;
DROP INDEX CONCURRENTLY IF EXISTS audit_entry_of_act;
