-- +goose Up
-- Room payout: who looks, what operations bore, and bank debits on their way.

-- A look belongs to the process that claimed it, by this token; begun is where the first look of all began.
ALTER TABLE balance_lookup ADD COLUMN holder uuid, ADD COLUMN begun timestamptz NOT NULL DEFAULT now();
UPDATE balance_lookup SET begun = read_through;

-- What operations bore of an amount in a restricted fund's place: a lost dispute that is won after all needs it.
ALTER TABLE charge_change_share ADD COLUMN borne bigint NOT NULL DEFAULT 0 CHECK (borne BETWEEN 0 AND amount);

-- A bank debit has a balance transaction days before it succeeds or fails. Meanwhile its net stands in suspense.
CREATE TABLE pending_charge (
    charge_id      text NOT NULL,
    entity_id      uuid NOT NULL REFERENCES legal_entity (id),
    transaction_id text NOT NULL,
    amount         bigint NOT NULL, -- in suspense
    cleared_at     timestamptz,     -- since then no more: it succeeded or failed
    PRIMARY KEY (charge_id, entity_id)
);

-- +goose Down
DROP TABLE pending_charge;
ALTER TABLE charge_change_share DROP COLUMN borne;
ALTER TABLE balance_lookup DROP COLUMN holder, DROP COLUMN begun;
