-- +goose Up
-- A task closed by mistake, or about a thing that happens again, opens again: how often it was opened.
ALTER TABLE finance_task ADD COLUMN times integer NOT NULL DEFAULT 1 CHECK (times > 0), ADD CHECK (closed_at >= opened_at);
CREATE INDEX finance_task_open ON finance_task (opened_at) WHERE closed_at IS NULL;

-- +goose Down
DROP INDEX finance_task_open;
ALTER TABLE finance_task DROP COLUMN times, DROP CONSTRAINT finance_task_check;
