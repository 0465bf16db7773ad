-- +goose NO TRANSACTION
-- +goose Up
-- The constraints that migration 00130 added without reading the rows.
ALTER TABLE legal_entity VALIDATE CONSTRAINT legal_entity_two_persons_refund_check;
ALTER TABLE donation_notice VALIDATE CONSTRAINT donation_notice_kind_check;

-- +goose Down
SELECT 1;
