-- +goose Up
-- Room donation: gifts that are given again and again.
ALTER TABLE donation DROP CONSTRAINT donation_frequency_check,
    ADD CONSTRAINT donation_frequency_check CHECK (frequency IN ('once', 'weekly', 'monthly', 'quarterly', 'yearly'));

-- Room recurring: a plan has the id of its first gift, which is its form's.
CREATE TABLE plan (
    id              uuid PRIMARY KEY,
    entity_id       uuid NOT NULL,
    organisation_id uuid NOT NULL,
    donor_id        uuid NOT NULL,
    public_ref      text NOT NULL UNIQUE CHECK (length(public_ref) >= 22),
    status          text NOT NULL CHECK (status IN ('started', 'active', 'paused', 'finished', 'cancelled', 'failed')),
    frequency       text NOT NULL CHECK (frequency IN ('weekly', 'monthly', 'quarterly', 'yearly')),
    amount          bigint NOT NULL CHECK (amount > 0),
    covered         bigint NOT NULL CHECK (covered >= 0 AND covered < amount),
    currency        text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    language        text NOT NULL,
    total           integer CHECK (total > 1),                           -- NULL: until the donor stops
    paid            integer NOT NULL DEFAULT 0 CHECK (paid >= 0),
    terms           integer NOT NULL DEFAULT 1,                          -- the newest of plan_terms
    customer_id     text,
    subscription_id text,
    schedule_id     text,
    phase_start     timestamptz,                                         -- of the schedule
    iterations      integer NOT NULL DEFAULT 0,                          -- of the schedule, as last set; 0: none set
    card_brand      text,
    card_last4      text CHECK (card_last4 ~ '^[0-9]{4}$'),
    card_expires    date,                                                -- the first day it is no longer good
    next_at         timestamptz,
    paused_until    timestamptz,
    failing_since   timestamptz,
    failing_code    text,
    failing_invoice text,
    look_due        timestamptz,                                         -- what is kept here may be old: read it at Stripe
    created_at      timestamptz NOT NULL,
    begun_at        timestamptz,
    ended_at        timestamptz,
    UNIQUE (id, entity_id),
    FOREIGN KEY (id, entity_id) REFERENCES donation (id, entity_id),
    FOREIGN KEY (organisation_id, entity_id) REFERENCES organisation (id, entity_id),
    FOREIGN KEY (donor_id, entity_id) REFERENCES donor (id, entity_id),
    CHECK (total IS NULL OR paid <= total),
    CHECK ((status IN ('finished', 'cancelled', 'failed')) = (ended_at IS NOT NULL)),
    CHECK (ended_at IS NULL OR next_at IS NULL)
);
CREATE UNIQUE INDEX plan_by_subscription ON plan (entity_id, subscription_id) WHERE subscription_id IS NOT NULL;
CREATE INDEX plan_by_donor ON plan (donor_id);
CREATE INDEX plan_by_customer ON plan (entity_id, customer_id) WHERE customer_id IS NOT NULL;
CREATE INDEX plan_next ON plan (next_at) WHERE next_at IS NOT NULL;
CREATE INDEX plan_to_look_at ON plan (look_due) WHERE look_due IS NOT NULL;

-- An ended plan stays ended, and a count never goes back.
-- +goose StatementBegin
CREATE FUNCTION plan_step_is_legal() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.ended_at IS NOT NULL AND NEW.status <> OLD.status OR NEW.paid < OLD.paid OR NEW.status = 'started' AND OLD.status <> 'started' THEN
        RAISE EXCEPTION 'plan % is % with % paid and cannot become % with %', OLD.id, OLD.status, OLD.paid, NEW.status, NEW.paid
            USING ERRCODE = 'check_violation', CONSTRAINT = 'plan_step_is_legal';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER plan_step_is_legal BEFORE UPDATE ON plan FOR EACH ROW EXECUTE FUNCTION plan_step_is_legal();

-- What is given each time, and for which funds; a change is a new version, in force from then on.
CREATE TABLE plan_terms (
    plan_id uuid NOT NULL REFERENCES plan (id),
    n       integer NOT NULL CHECK (n > 0),
    since   timestamptz NOT NULL,
    amount  bigint NOT NULL CHECK (amount > 0),
    covered bigint NOT NULL CHECK (covered >= 0 AND covered < amount),
    PRIMARY KEY (plan_id, n)
);
CREATE TABLE plan_part (
    plan_id   uuid NOT NULL,
    n         integer NOT NULL,
    position  smallint NOT NULL CHECK (position BETWEEN 1 AND 50),
    entity_id uuid NOT NULL,
    fund_id   uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0),
    covered   bigint NOT NULL CHECK (covered >= 0 AND covered < amount),
    PRIMARY KEY (plan_id, n, position),
    FOREIGN KEY (plan_id, n) REFERENCES plan_terms (plan_id, n),
    FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_terms FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A bill of a plan. n counts those whose money came; a charge pays at most one, and each is one gift.
CREATE TABLE instalment (
    entity_id   uuid NOT NULL,
    invoice_id  text NOT NULL,
    plan_id     uuid NOT NULL,
    first       boolean NOT NULL,     -- the one the plan began with
    created_at  timestamptz NOT NULL, -- the bill's
    n           integer CHECK (n > 0),
    donation_id uuid UNIQUE,
    refused     boolean NOT NULL DEFAULT false, -- paid beyond the plan: given back
    PRIMARY KEY (entity_id, invoice_id),
    UNIQUE (plan_id, n),
    CHECK ((n IS NULL) = (donation_id IS NULL)),
    CHECK (NOT refused OR n IS NULL),
    FOREIGN KEY (plan_id, entity_id) REFERENCES plan (id, entity_id),
    FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id)
);

-- What was asked of Stripe for a plan, written before the call. subject tells the machine's own requests of one kind apart.
CREATE TABLE plan_request (
    id         uuid PRIMARY KEY,
    plan_id    uuid NOT NULL REFERENCES plan (id),
    kind       text NOT NULL,
    subject    text NOT NULL,
    detail     jsonb NOT NULL,
    asked_by   text NOT NULL,
    asked_at   timestamptz NOT NULL,
    tries      integer NOT NULL DEFAULT 0,
    carried_at timestamptz,
    refused    text,
    UNIQUE (plan_id, kind, subject),
    CHECK (carried_at IS NULL OR refused IS NULL)
);
CREATE INDEX plan_request_open ON plan_request (asked_at) WHERE carried_at IS NULL AND refused IS NULL;

-- What happened to a plan, append-only; a letter is about one of these.
CREATE TABLE plan_event (
    id      uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES plan (id),
    kind    text NOT NULL,
    cause   text NOT NULL,
    detail  jsonb NOT NULL,
    at      timestamptz NOT NULL,
    UNIQUE (plan_id, kind, cause)
);
CREATE INDEX plan_event_of_plan ON plan_event (plan_id, at);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON plan_event FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- +goose Down
DROP TABLE plan_event, plan_request, instalment, plan_part, plan_terms, plan;
DROP FUNCTION plan_step_is_legal;
ALTER TABLE donation DROP CONSTRAINT donation_frequency_check, ADD CONSTRAINT donation_frequency_check CHECK (frequency IN ('once'));
