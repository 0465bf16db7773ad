-- +goose NO TRANSACTION
-- +goose Up
-- The constraints that migration 00132 added without reading the rows.
ALTER TABLE refund_order VALIDATE CONSTRAINT refund_order_request_fkey;
ALTER TABLE refund_order VALIDATE CONSTRAINT refund_order_requested_by_fkey;

-- +goose Down
SELECT 1;
