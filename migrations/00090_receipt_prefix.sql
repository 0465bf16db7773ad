-- +goose Up
-- What the numbers of an entity's receipts begin with: "GI" gives GI-2026-000001. Empty: the slug in capitals. A receipt keeps the prefix
-- it was issued with in its facts. The program of the previous release does not read the column and uses the slug.
ALTER TABLE legal_entity ADD COLUMN receipt_prefix text NOT NULL DEFAULT ''
    CONSTRAINT legal_entity_receipt_prefix_check CHECK (receipt_prefix ~ '^([A-Z0-9]+(-[A-Z0-9]+)*)?$' AND length(receipt_prefix) <= 20);
-- Two entities never issue the same number.
CREATE UNIQUE INDEX legal_entity_receipt_prefix_key ON legal_entity ((coalesce(nullif(receipt_prefix, ''), upper(slug))));

-- +goose Down
DROP INDEX legal_entity_receipt_prefix_key;
ALTER TABLE legal_entity DROP COLUMN receipt_prefix;
