-- +goose Up
-- Another program, such as a shop, may use the same Stripe account. Its payments have no mark of ours. Before, each opened a task; now
-- there is one task for each source, and finance can choose to ignore a source from then on.

-- The money of ignored payments, with their fees, refunds and disputes: 1010 still equals Stripe's balance. In operations.
INSERT INTO account (code, name, kind, class) VALUES ('1095', 'Money-of-others-at-Stripe', 'asset', NULL);

-- Where a payment without a mark of ours came from. The previous release adds none.
CREATE TABLE payment_source (
    payment_id uuid PRIMARY KEY REFERENCES payment (id),
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    source     text NOT NULL CHECK (source <> ''), -- its marks: metadata keys and products at Stripe, never their values
    ignored    boolean NOT NULL -- it is booked to 1095, not to suspense
);
CREATE INDEX payment_source_by_source ON payment_source (entity_id, source, ignored);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payment_source FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- The choices of finance. The newest about a mark counts.
CREATE TABLE source_choice (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    mark      text NOT NULL CHECK (mark ~ '^(metadata|product) [^ ]'),
    ignored   boolean NOT NULL,
    chosen_by text NOT NULL,
    chosen_at timestamptz NOT NULL,
    n         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);
CREATE INDEX source_choice_newest ON source_choice (entity_id, mark, n);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON source_choice FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE source_choice, payment_source;
DELETE FROM account WHERE code = '1095'; -- entries in it make this fail, as they should
