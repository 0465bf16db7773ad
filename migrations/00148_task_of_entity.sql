-- +goose NO TRANSACTION
-- +goose Up
-- By these, notes refer to a task of their own legal entity (migration 00149).
DROP INDEX CONCURRENTLY IF EXISTS finance_task_of_entity;
CREATE UNIQUE INDEX CONCURRENTLY finance_task_of_entity ON finance_task (id, entity_id);

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS finance_task_of_entity;
