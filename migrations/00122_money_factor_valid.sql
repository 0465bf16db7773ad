-- +goose Up
ALTER TABLE legal_entity VALIDATE CONSTRAINT legal_entity_money_factor_check;

-- +goose Down
SELECT 1;
