-- +goose NO TRANSACTION
-- +goose Up
-- By these, rows of the office refer to a request of their own legal entity (migration 00149).
DROP INDEX CONCURRENTLY IF EXISTS approval_request_of_entity;
CREATE UNIQUE INDEX CONCURRENTLY approval_request_of_entity ON approval_request (id, entity_id);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS approval_request_of_entity;
