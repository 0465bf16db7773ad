-- +goose Up
-- Room payout: what Stripe's balance told, and what became of charges.

-- How a booked charge lies in the clearing account, fund by fund, once its fee is known: the fund's part of the
-- gift, of the processing fee and of the sponsor's fee (negative in operations, which receives it). A charge
-- in suspense has no gift anywhere. What a fund has of the charge in 1010 is gift - fee - sponsor.
CREATE TABLE charge_share (
    charge_id text NOT NULL,
    entity_id uuid NOT NULL,
    fund_id   uuid NOT NULL,
    gift      bigint NOT NULL CHECK (gift >= 0),
    fee       bigint NOT NULL,
    sponsor   bigint NOT NULL,
    PRIMARY KEY (charge_id, entity_id, fund_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What happened to a charge afterwards, each once, and fund by fund. A refund also gives back the refunded
-- part's share of the fees, so that the fund stands as if that part had never come.
CREATE TABLE charge_change (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    object_id text NOT NULL, -- the refund's or dispute's
    kind      text NOT NULL CHECK (kind IN ('refund', 'refund failed', 'dispute withdrawn', 'dispute won', 'dispute lost')),
    charge_id text NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0),
    at        timestamptz NOT NULL,
    PRIMARY KEY (object_id, kind, entity_id)
);
CREATE INDEX charge_change_by_charge ON charge_change (charge_id, entity_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_change
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

CREATE TABLE charge_change_share (
    entity_id uuid NOT NULL,
    object_id text NOT NULL,
    kind      text NOT NULL,
    fund_id   uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount >= 0),
    fee       bigint NOT NULL,
    sponsor   bigint NOT NULL,
    PRIMARY KEY (object_id, kind, entity_id, fund_id),
    FOREIGN KEY (object_id, kind, entity_id) REFERENCES charge_change (object_id, kind, entity_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON charge_change_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- What a balance transaction that is no charge did to 1010, fund by fund: what payouts are made up of.
CREATE TABLE clearing_share (
    transaction_id text NOT NULL,
    entity_id      uuid NOT NULL,
    fund_id        uuid NOT NULL,
    amount         bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transaction_id, entity_id, fund_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON clearing_share
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- How far an entity's balance transactions were read, and when to look again.
DROP TABLE fee_lookup;
CREATE TABLE balance_lookup (
    entity_id    uuid PRIMARY KEY REFERENCES legal_entity (id),
    read_through timestamptz NOT NULL,           -- everything Stripe dated before is booked
    newest_due   timestamptz,                    -- of the charges whose fee was due at the last look
    nudged       boolean NOT NULL DEFAULT false, -- an event told of money that is not booked yet
    idle_looks   integer NOT NULL DEFAULT 0,     -- looks in a row that found nothing
    next_look    timestamptz NOT NULL,
    leased_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- What was typed with gifts nobody paid is purged after 30 days.
CREATE INDEX donation_abandoned ON donation (created_at) WHERE status IN ('started', 'expired', 'failed');

-- +goose Down
DROP INDEX donation_abandoned;
DROP TABLE balance_lookup, clearing_share, charge_change_share, charge_change, charge_share;
CREATE TABLE fee_lookup (
    entity_id    uuid PRIMARY KEY REFERENCES legal_entity (id),
    leased_until timestamptz NOT NULL
);
