-- +goose Up
-- Package settlement: payouts to the bank and the balance transactions that each pays out. Reconciliation stands on them.

CREATE TABLE payout (
    id             uuid PRIMARY KEY,
    entity_id      uuid NOT NULL REFERENCES legal_entity (id),
    processor      text NOT NULL CHECK (processor IN ('stripe')),
    payout_ref     text NOT NULL,                  -- the processor's id
    kind           text CHECK (kind IN ('automatic', 'manual', 'instant')), -- NULL: not read yet (read_at is NULL), or the processor no longer knows it
    amount         bigint NOT NULL,                -- in minor units; negative if the processor took money from the bank
    currency       text NOT NULL,
    arrival_on     date NOT NULL,                  -- when the bank is expected to book it
    status         text NOT NULL CHECK (status IN ('pending', 'in_transit', 'paid', 'failed', 'canceled')),
    descriptor     text NOT NULL DEFAULT '',       -- on the bank statement; empty: the processor's default
    created_at     timestamptz NOT NULL,           -- at the processor
    members_stored boolean NOT NULL DEFAULT false, -- payout_member has every member; false: the processor names none, or not yet
    read_at        timestamptz,                    -- when it was last read from the processor
    CONSTRAINT payout_once UNIQUE (entity_id, processor, payout_ref),
    UNIQUE (id, entity_id),
    CHECK (NOT members_stored OR kind IS NOT DISTINCT FROM 'automatic'),
    CHECK (kind IS NULL OR read_at IS NOT NULL)
);
CREATE INDEX payout_to_read ON payout (entity_id, read_at) WHERE read_at IS NULL OR status IN ('pending', 'in_transit');

-- A member may be older than these books: then balance_transaction does not have it.
CREATE TABLE payout_member (
    payout_id      uuid NOT NULL,
    entity_id      uuid NOT NULL,
    transaction_id text NOT NULL,
    PRIMARY KEY (payout_id, transaction_id),
    FOREIGN KEY (payout_id, entity_id) REFERENCES payout (id, entity_id)
);
CREATE INDEX payout_member_by_transaction ON payout_member (transaction_id, entity_id);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON payout_member
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- A payout that the previous release books is stored as not read; a sweep reads it. One that failed or was canceled gets
-- that status here, because a sweep does not read a paid payout again. Drop this trigger in the next release.
-- +goose StatementBegin
CREATE FUNCTION previous_release_payout() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NEW.type <> 'payout' THEN
        UPDATE public.payout SET status = CASE NEW.type WHEN 'payout_cancel' THEN 'canceled' ELSE 'failed' END
         WHERE entity_id = NEW.entity_id AND processor = 'stripe' AND payout_ref = NEW.source_id;
        RETURN NULL;
    END IF;
    INSERT INTO public.payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
    VALUES (gen_random_uuid(), NEW.entity_id, 'stripe', NEW.source_id, -NEW.net, NEW.currency, (NEW.available_on AT TIME ZONE 'UTC')::date, 'in_transit', NEW.created_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER previous_release_payout AFTER INSERT ON balance_transaction
    FOR EACH ROW WHEN (NEW.type IN ('payout', 'payout_failure', 'payout_cancel') AND NEW.source_id <> '') EXECUTE FUNCTION previous_release_payout();

-- Earlier payouts. Sweeps read kind, descriptor, arrival and members from Stripe, a few at a time.
INSERT INTO payout (id, entity_id, processor, payout_ref, amount, currency, arrival_on, status, created_at)
SELECT gen_random_uuid(), b.entity_id, 'stripe', b.source_id, -b.net, b.currency, (b.available_on AT TIME ZONE 'UTC')::date,
       CASE WHEN f.type IS NULL THEN 'paid' WHEN f.type = 'payout_cancel' THEN 'canceled' ELSE 'failed' END, b.created_at
  FROM balance_transaction b
  LEFT JOIN LATERAL (SELECT x.type FROM balance_transaction x
        WHERE x.entity_id = b.entity_id AND x.source_id = b.source_id AND x.type IN ('payout_failure', 'payout_cancel') LIMIT 1) f ON true
 WHERE b.type = 'payout' AND b.source_id <> ''
    ON CONFLICT DO NOTHING;

-- +goose Down
DROP TRIGGER previous_release_payout ON balance_transaction;
DROP FUNCTION previous_release_payout;
DROP TABLE payout_member, payout;
