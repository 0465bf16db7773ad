-- +goose NO TRANSACTION
-- +goose Up
-- The newest refunds of an entity, for the list.
DROP INDEX CONCURRENTLY IF EXISTS payment_change_refunds;
CREATE INDEX CONCURRENTLY payment_change_refunds ON payment_change (entity_id, at, object_id COLLATE "C") WHERE kind = 'refund';
-- Those that wait for somebody: Today reads them.
DROP INDEX CONCURRENTLY IF EXISTS payment_change_failed;
CREATE INDEX CONCURRENTLY payment_change_failed ON payment_change (entity_id, object_id) WHERE kind = 'refund failed';
DROP INDEX CONCURRENTLY IF EXISTS refund_order_unfinished;
CREATE INDEX CONCURRENTLY refund_order_unfinished ON refund_order (entity_id, ordered_at) WHERE state <> 'succeeded';

-- +goose Down
DROP INDEX refund_order_unfinished;
DROP INDEX payment_change_failed;
DROP INDEX payment_change_refunds;
