-- +goose NO TRANSACTION
-- +goose Up
-- The newest refunds of an entity, for the list.
DROP INDEX CONCURRENTLY IF EXISTS payment_change_refunds;
CREATE INDEX CONCURRENTLY payment_change_refunds ON payment_change (entity_id, at, object_id COLLATE "C") WHERE kind = 'refund';

-- +goose Down
DROP INDEX payment_change_refunds;
