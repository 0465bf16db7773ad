-- +goose NO TRANSACTION
-- +goose Up
ALTER TABLE approval_request VALIDATE CONSTRAINT approval_request_replaces_of_entity;
ALTER TABLE refund_order VALIDATE CONSTRAINT refund_order_request_of_entity;
ALTER TABLE refund_request VALIDATE CONSTRAINT refund_request_request_of_entity;
ALTER TABLE suspense_resolution VALIDATE CONSTRAINT suspense_resolution_request_of_entity;
ALTER TABLE staff_note VALIDATE CONSTRAINT staff_note_task_of_entity;

-- +goose Down
SELECT 1; -- validated or not, the constraints check the same writes
