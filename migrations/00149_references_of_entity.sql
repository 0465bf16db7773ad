-- +goose NO TRANSACTION
-- +goose Up
-- What the office writes refers to requests and tasks of its own legal entity. Each statement may be repeated. Migration 00155 validates them.
ALTER TABLE approval_request DROP CONSTRAINT IF EXISTS approval_request_replaces_of_entity,
    ADD CONSTRAINT approval_request_replaces_of_entity FOREIGN KEY (replaces, entity_id) REFERENCES approval_request (id, entity_id) NOT VALID;
ALTER TABLE refund_order DROP CONSTRAINT IF EXISTS refund_order_request_of_entity,
    ADD CONSTRAINT refund_order_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id) NOT VALID;
ALTER TABLE refund_request DROP CONSTRAINT IF EXISTS refund_request_request_of_entity,
    ADD CONSTRAINT refund_request_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id) NOT VALID;
ALTER TABLE suspense_resolution DROP CONSTRAINT IF EXISTS suspense_resolution_request_of_entity,
    ADD CONSTRAINT suspense_resolution_request_of_entity FOREIGN KEY (request_id, entity_id) REFERENCES approval_request (id, entity_id) NOT VALID;
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_task_of_entity,
    ADD CONSTRAINT staff_note_task_of_entity FOREIGN KEY (task_id, entity_id) REFERENCES finance_task (id, entity_id) NOT VALID;

-- +goose Down
ALTER TABLE staff_note DROP CONSTRAINT IF EXISTS staff_note_task_of_entity;
ALTER TABLE suspense_resolution DROP CONSTRAINT IF EXISTS suspense_resolution_request_of_entity;
ALTER TABLE refund_request DROP CONSTRAINT IF EXISTS refund_request_request_of_entity;
ALTER TABLE refund_order DROP CONSTRAINT IF EXISTS refund_order_request_of_entity;
ALTER TABLE approval_request DROP CONSTRAINT IF EXISTS approval_request_replaces_of_entity;
