-- +goose NO TRANSACTION
-- +goose Up
-- Orders of payments without a processor, for the list of what is owed.
DROP INDEX CONCURRENTLY IF EXISTS refund_order_without_processor;
CREATE INDEX CONCURRENTLY refund_order_without_processor ON refund_order (entity_id, payment_id) WHERE charge_ref = '';

-- +goose Down
DROP INDEX CONCURRENTLY IF EXISTS refund_order_without_processor;
