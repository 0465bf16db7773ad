-- +goose Up
-- Room donor: people who give, one row per legal entity and address.
CREATE TABLE donor (
    id                uuid PRIMARY KEY,
    entity_id         uuid NOT NULL REFERENCES legal_entity (id),
    email             text NOT NULL CHECK (email = lower(email)),
    first_name        text NOT NULL,
    last_name         text NOT NULL,
    language          text NOT NULL,
    news_consented_at timestamptz,
    first_gift_at     timestamptz,
    created_at        timestamptz NOT NULL,
    UNIQUE (entity_id, email),
    UNIQUE (id, entity_id)
);

-- Room donation: a gift from the pressed button to the settled charge.
CREATE TABLE donation (
    id                  uuid PRIMARY KEY,
    entity_id           uuid NOT NULL,
    organisation_id     uuid NOT NULL,
    donor_id            uuid NOT NULL,
    public_ref          text NOT NULL UNIQUE CHECK (length(public_ref) >= 22),
    form_id             uuid NOT NULL,
    form_hash           bytea NOT NULL CHECK (octet_length(form_hash) = 32),
    status              text NOT NULL CHECK (status IN ('started', 'processing', 'settled', 'held', 'failed', 'expired')),
    frequency           text NOT NULL CHECK (frequency IN ('once')),
    amount              bigint NOT NULL CHECK (amount > 0),
    currency            text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    language            text NOT NULL,
    anonymous           boolean NOT NULL,
    news                boolean NOT NULL,
    created_at          timestamptz NOT NULL,
    checkout_try        smallint NOT NULL DEFAULT 1 CHECK (checkout_try BETWEEN 1 AND 9),
    checkout_expires_at timestamptz NOT NULL,
    checkout_session_id text,
    checkout_url        text,
    payment_intent_id   text,
    charge_id           text,
    charged_at          timestamptz,
    settled_at          timestamptz,
    UNIQUE (id, entity_id),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id),
    FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id),
    CHECK (status <> 'settled' OR num_nulls(payment_intent_id, charge_id, charged_at, settled_at) = 0),
    CHECK (num_nulls(checkout_session_id, checkout_url) IN (0, 2))
);
-- One form shown is one gift: a second press finds this row, whatever it raced against.
CREATE UNIQUE INDEX donation_one_live_per_form ON donation (form_id) WHERE status IN ('started', 'processing', 'settled', 'held');
CREATE UNIQUE INDEX donation_by_session ON donation (entity_id, checkout_session_id) WHERE checkout_session_id IS NOT NULL;
CREATE UNIQUE INDEX donation_by_payment_intent ON donation (entity_id, payment_intent_id) WHERE payment_intent_id IS NOT NULL;
CREATE UNIQUE INDEX donation_by_charge ON donation (entity_id, charge_id) WHERE charge_id IS NOT NULL;
CREATE INDEX donation_unsettled ON donation (created_at) WHERE status IN ('started', 'processing');
CREATE INDEX donation_by_donor ON donation (donor_id, created_at);

-- What was typed, kept apart so that it can be purged while the gift's figures stay.
CREATE TABLE donation_contact (
    donation_id   uuid PRIMARY KEY REFERENCES donation (id),
    first_name    text NOT NULL,
    last_name     text NOT NULL,
    email         text NOT NULL,
    phone         text NOT NULL,
    address_line1 text NOT NULL,
    address_line2 text NOT NULL,
    city          text NOT NULL,
    region        text NOT NULL,
    postal_code   text NOT NULL,
    country       text NOT NULL,
    note          text NOT NULL
);

-- Which funds a gift is for. The amounts sum to the gift, checked at commit.
CREATE TABLE designation (
    donation_id uuid NOT NULL,
    n           smallint NOT NULL CHECK (n BETWEEN 1 AND 50),
    entity_id   uuid NOT NULL,
    fund_id     uuid NOT NULL,
    amount      bigint NOT NULL CHECK (amount > 0),
    PRIMARY KEY (donation_id, n),
    UNIQUE (donation_id, fund_id),
    FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);

CREATE INDEX designation_by_fund ON designation (fund_id);

-- Every change of a gift's status, append-only, with its cause (a Stripe event or object id).
CREATE TABLE donation_step (
    donation_id uuid NOT NULL REFERENCES donation (id),
    at          timestamptz NOT NULL,
    status      text NOT NULL,
    cause       text NOT NULL,
    PRIMARY KEY (donation_id, at, status)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON donation_step
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose StatementBegin
CREATE FUNCTION designations_sum_to_gift() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    total bigint;
BEGIN
    SELECT sum(d.amount) INTO total FROM public.designation d WHERE d.donation_id = NEW.id;
    IF total IS DISTINCT FROM NEW.amount THEN
        RAISE EXCEPTION 'designations of gift % sum to %, not to %', NEW.id, total, NEW.amount
            USING ERRCODE = 'check_violation', CONSTRAINT = 'designations_sum_to_gift';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER designations_sum_to_gift AFTER INSERT ON donation
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION designations_sum_to_gift();

-- A settled gift stays settled: what comes later (a refund, a dispute) is a fact of its own.
-- +goose StatementBegin
CREATE FUNCTION donation_step_is_legal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.status = 'settled' THEN
        RAISE EXCEPTION 'gift % is settled and cannot become %', OLD.id, NEW.status
            USING ERRCODE = 'check_violation', CONSTRAINT = 'donation_step_is_legal';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER donation_step_is_legal BEFORE UPDATE ON donation
    FOR EACH ROW WHEN (OLD.status = 'settled' AND NEW.status <> 'settled') EXECUTE FUNCTION donation_step_is_legal();

-- Room receipt: numbers without gaps per legal entity and year, facts frozen at issue.
CREATE TABLE receipt_counter (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    year      integer NOT NULL CHECK (year BETWEEN 2000 AND 2200),
    last      integer NOT NULL CHECK (last >= 0),
    PRIMARY KEY (entity_id, year)
);

CREATE TABLE receipt (
    id            uuid PRIMARY KEY,
    entity_id     uuid NOT NULL,
    year          integer NOT NULL,
    number        integer NOT NULL CHECK (number > 0),
    donation_id   uuid NOT NULL,
    replaces      uuid UNIQUE REFERENCES receipt (id),
    language      text NOT NULL,
    words_version smallint NOT NULL CHECK (words_version > 0),
    facts         jsonb NOT NULL,
    issued_at     timestamptz NOT NULL,
    UNIQUE (entity_id, year, number),
    FOREIGN KEY (entity_id, year) REFERENCES receipt_counter (entity_id, year),
    FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id)
);
CREATE UNIQUE INDEX receipt_one_per_gift ON receipt (donation_id) WHERE replaces IS NULL;
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON receipt
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Room payout: Stripe's balance transactions, each booked once.
CREATE TABLE balance_transaction (
    entity_id    uuid NOT NULL REFERENCES legal_entity (id),
    id           text NOT NULL,
    type         text NOT NULL,
    source_id    text NOT NULL,
    amount       bigint NOT NULL,
    fee          bigint NOT NULL,
    net          bigint NOT NULL,
    currency     text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    created_at   timestamptz NOT NULL,
    available_on timestamptz NOT NULL,
    booked_at    timestamptz NOT NULL,
    PRIMARY KEY (entity_id, id),
    CHECK (net = amount - fee)
);
CREATE INDEX balance_transaction_by_source ON balance_transaction (entity_id, source_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON balance_transaction
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A settled charge whose fee is not in the books yet; the row goes when the fee is booked.
CREATE TABLE fee_due (
    entity_id  uuid NOT NULL REFERENCES legal_entity (id),
    charge_id  text NOT NULL,
    charged_at timestamptz NOT NULL,
    PRIMARY KEY (entity_id, charge_id)
);
CREATE TABLE fee_lookup (
    entity_id    uuid PRIMARY KEY REFERENCES legal_entity (id),
    leased_until timestamptz NOT NULL
);

-- +goose Down
DROP TABLE fee_lookup, fee_due, balance_transaction, receipt, receipt_counter, donation_step, designation, donation_contact, donation, donor;
DROP FUNCTION designations_sum_to_gift, donation_step_is_legal;
