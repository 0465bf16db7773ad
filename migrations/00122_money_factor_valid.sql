-- +goose Up
ALTER TABLE legal_entity VALIDATE CONSTRAINT legal_entity_money_factor_check;
ALTER TABLE legal_entity VALIDATE CONSTRAINT legal_entity_fiscal_year_starts_check;

-- +goose Down
SELECT 1;
