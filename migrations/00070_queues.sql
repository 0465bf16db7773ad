-- +goose Up
-- Jobs wait in queues by their urgency (requests, syncs, sign_in, emails, bulk). Jobs that the previous release enqueued wait in the
-- queue default, which is worked too. So there is nothing to change.
SELECT 1;

-- +goose Down
-- The previous release works only the queue default.
UPDATE river_job SET queue = 'default' WHERE queue <> 'default' AND state IN ('available', 'pending', 'retryable', 'scheduled', 'running');
