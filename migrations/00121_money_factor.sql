-- +goose Up
-- The factor that acts on money of an entity need, and the month in which its fiscal year starts. Owned by internal/books/org; written by konbit apply.
ALTER TABLE legal_entity ADD COLUMN money_factor text NOT NULL DEFAULT 'passkey';
ALTER TABLE legal_entity ADD CONSTRAINT legal_entity_money_factor_check CHECK (money_factor IN ('passkey', 'totp')) NOT VALID;
ALTER TABLE legal_entity ADD COLUMN fiscal_year_starts smallint NOT NULL DEFAULT 1;
ALTER TABLE legal_entity ADD CONSTRAINT legal_entity_fiscal_year_starts_check CHECK (fiscal_year_starts BETWEEN 1 AND 12) NOT VALID;

-- +goose StatementBegin
-- staff_money_factor_is_fresh reports whether the person of this transaction's session used in the last five minutes a factor that acts on money
-- of an entity need: a passkey, or where the entity allows it a code. A passkey must have signed the act: the caller compares staff_factor.
CREATE FUNCTION staff_money_factor_is_fresh(entity_id uuid) RETURNS boolean STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT staff_factor_is_fresh() AND EXISTS (SELECT FROM staff_factor() f JOIN legal_entity e ON e.id = $1
        WHERE f.kind = 'passkey' AND f.assertion IS NOT NULL OR f.kind = 'totp' AND e.money_factor = 'totp')
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION staff_money_factor_is_fresh(uuid);
ALTER TABLE legal_entity DROP COLUMN fiscal_year_starts, DROP COLUMN money_factor;
