-- +goose Up
-- Stripe dates by the second, and a dispute may be withdrawn and won within one: movements are booked in the order in which they were listed.
ALTER TABLE pending_movement ADD COLUMN n bigint GENERATED ALWAYS AS IDENTITY;

-- +goose Down
ALTER TABLE pending_movement DROP COLUMN n;
