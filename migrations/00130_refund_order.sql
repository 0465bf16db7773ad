-- +goose NO TRANSACTION
-- +goose Up
-- Orders of refunds: staff order a refund of a payment by card, part by part from its funds. The row is committed before the processor is called.
-- Owned by internal/office/refund. Each statement is a transaction of its own and may be repeated: the tables refer to payment and donor, which
-- servers write.

-- What a fund has of a payment, in minor units: at first (gift, fee, sponsor_fee), now (remaining: without refunds and without disputes that
-- are open or lost), refunded and given back, owed to the donor since a refund failed, and what a receipt states (stated: without refunds and
-- without disputes that are lost for good). Without the amounts that refund_order holds.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payment_position(of_payment uuid) RETURNS TABLE (fund_id uuid, gift bigint, fee bigint, sponsor_fee bigint, remaining bigint,
    refunded bigint, fee_back bigint, sponsor_fee_back bigint, owed bigint, stated bigint) STABLE LANGUAGE sql AS $$
    SELECT c.fund_id, c.gift, c.fee, c.sponsor_fee, c.gift - coalesce(g.gone, 0), coalesce(g.refunded, 0), coalesce(g.fee, 0), coalesce(g.sponsor_fee, 0),
           coalesce(g.owed, 0), c.gift - coalesce(g.refunded, 0) - coalesce(g.lost, 0)
      FROM payment_share c
      LEFT JOIN (SELECT s.fund_id, sum(s.fee)::bigint AS fee, sum(s.sponsor_fee)::bigint AS sponsor_fee,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'refund'), 0)::bigint AS refunded,
                        coalesce(sum(s.amount) FILTER (WHERE s.kind = 'dispute lost' AND NOT EXISTS (
                            SELECT FROM payment_change w WHERE w.object_id = s.object_id AND w.entity_id = s.entity_id AND w.kind = 'dispute won')), 0)::bigint AS lost,
                        sum(CASE s.kind WHEN 'refund' THEN s.amount WHEN 'dispute withdrawn' THEN s.amount
                                        WHEN 'dispute won' THEN -s.amount ELSE 0 END)::bigint AS gone,
                        sum(CASE s.kind WHEN 'refund failed' THEN s.amount + s.owed WHEN 'refund' THEN -s.owed WHEN 'dispute withdrawn' THEN -s.owed
                                        WHEN 'dispute won' THEN s.owed ELSE 0 END)::bigint AS owed
                   FROM payment_change h
                   JOIN payment_change_share s ON s.object_id = h.object_id AND s.kind = h.kind AND s.entity_id = h.entity_id
                  WHERE h.payment_id = $1 GROUP BY s.fund_id) g ON g.fund_id = c.fund_id
     WHERE c.payment_id = $1 AND c.gift > 0
$$;
-- +goose StatementEnd

-- What went back of payments for good: refunds, and disputes that were lost and not won afterwards.
CREATE OR REPLACE VIEW payment_return WITH (security_invoker = true) AS
SELECT h.payment_id, h.object_id, h.at, h.amount, CASE h.kind WHEN 'refund' THEN 'refund' ELSE 'dispute' END AS reason FROM payment_change h
 WHERE h.amount > 0 AND (h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
       SELECT FROM payment_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won'));

-- Above this sum, in minor units, a refund needs a second person: per gift, and per staff member in 24 hours. 0: every refund.
ALTER TABLE legal_entity ADD COLUMN IF NOT EXISTS two_persons_refund bigint NOT NULL DEFAULT 0;
ALTER TABLE legal_entity DROP CONSTRAINT IF EXISTS legal_entity_two_persons_refund_check,
    ADD CONSTRAINT legal_entity_two_persons_refund_check CHECK (two_persons_refund >= 0) NOT VALID; -- migration 00131 validates it

--     ordered ── sent ──┬── pending ──┬── succeeded ── failed
--                       ├─────────────┘                  │
--                       ├── refused       pending ───────┘
--                       └── failed
CREATE TABLE IF NOT EXISTS refund_order (
    id               uuid PRIMARY KEY,
    entity_id        uuid NOT NULL,
    donation_id      uuid NOT NULL, -- this, charge_ref and currency are the payment's: refund_order_begins sets them
    payment_id       uuid NOT NULL,
    charge_ref       text NOT NULL,
    currency         text NOT NULL,
    amount           bigint NOT NULL CHECK (amount > 0), -- minor units
    reason           text NOT NULL CHECK (reason IN ('duplicate', 'requested', 'fraudulent', 'mistake')),
    note             text NOT NULL CHECK (length(note) <= 2000),
    submission       uuid NOT NULL, -- of the form: sent again, it is the same order
    requested_by     uuid NOT NULL, -- a staff member
    ordered_by       uuid, -- the person of the session (migration 00132): the one who approved, if it was requested
    request_id       uuid, -- the approval request and the hash of what was approved; both NULL: no second person is needed
    request_hash     bytea CHECK (octet_length(request_hash) = 32),
    factor           text, -- by which requested_by proved this order; NULL: the request has it
    signed           bytea, -- the hash of refund_order_body that a passkey signed, and its answer; NULL for a code
    assertion        jsonb,
    ordered_at       timestamptz NOT NULL DEFAULT clock_timestamp(),
    recorded_in      xid8 NOT NULL DEFAULT pg_current_xact_id(),
    state            text NOT NULL DEFAULT 'ordered' CHECK (state IN ('ordered', 'sent', 'pending', 'succeeded', 'failed', 'refused')),
    tries            integer NOT NULL DEFAULT 0, -- calls with a key of their own
    stripe_refund_id text CHECK (stripe_refund_id <> ''),
    problem          text CHECK (problem <> ''), -- the processor's code: why it is refused or failed
    changed_at       timestamptz NOT NULL DEFAULT clock_timestamp(), -- the state, or the number of tries
    checked_at       timestamptz, -- the processor was asked last how a pending refund stands
    UNIQUE (submission),
    UNIQUE (id, entity_id),
    CHECK (num_nulls(request_id, request_hash) IN (0, 2)),
    CHECK ((state = 'ordered') = (tries = 0)),
    CHECK (state IN ('ordered', 'sent') OR (state = 'refused') = (stripe_refund_id IS NULL))
);
ALTER TABLE refund_order DROP CONSTRAINT IF EXISTS refund_order_entity_id_fkey, ADD CONSTRAINT refund_order_entity_id_fkey FOREIGN KEY (entity_id) REFERENCES legal_entity (id);
ALTER TABLE refund_order DROP CONSTRAINT IF EXISTS refund_order_payment_id_fkey, ADD CONSTRAINT refund_order_payment_id_fkey FOREIGN KEY (payment_id) REFERENCES payment (id);
ALTER TABLE refund_order DROP CONSTRAINT IF EXISTS refund_order_donation_id_entity_id_fkey, ADD CONSTRAINT refund_order_donation_id_entity_id_fkey FOREIGN KEY (donation_id, entity_id) REFERENCES donation (id, entity_id);
CREATE INDEX IF NOT EXISTS refund_order_by_payment ON refund_order (payment_id);
CREATE INDEX IF NOT EXISTS refund_order_by_entity ON refund_order (entity_id, ordered_at);
CREATE INDEX IF NOT EXISTS refund_order_by_person ON refund_order (requested_by, ordered_at);
CREATE INDEX IF NOT EXISTS refund_order_waiting ON refund_order (changed_at) WHERE state IN ('ordered', 'sent', 'pending');
CREATE UNIQUE INDEX IF NOT EXISTS refund_order_by_refund ON refund_order (entity_id, stripe_refund_id) WHERE stripe_refund_id IS NOT NULL;
CREATE UNIQUE INDEX IF NOT EXISTS refund_order_by_request ON refund_order (request_id) WHERE request_id IS NOT NULL; -- a request is executed once

CREATE TABLE IF NOT EXISTS refund_order_part (
    order_id  uuid NOT NULL,
    entity_id uuid NOT NULL,
    fund_id   uuid NOT NULL,
    amount    bigint NOT NULL CHECK (amount > 0), -- minor units
    PRIMARY KEY (order_id, fund_id),
    FOREIGN KEY (order_id, entity_id) REFERENCES refund_order (id, entity_id)
);
ALTER TABLE refund_order_part DROP CONSTRAINT IF EXISTS refund_order_part_fund_id_entity_id_fkey, ADD CONSTRAINT refund_order_part_fund_id_entity_id_fkey FOREIGN KEY (fund_id, entity_id) REFERENCES fund (id, entity_id);

-- A new order is of a settled payment by a processor, and has its entity, donation, charge and currency. The payment's row is locked, so
-- that orders of one payment are made one after the other: not by its key, for settlement refers to it meanwhile.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p payment;
BEGIN
    SELECT * INTO p FROM payment WHERE id = NEW.payment_id AND entity_id = NEW.entity_id AND status = 'settled' AND processor IS NOT NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % of entity % is not a settled payment by a processor', NEW.payment_id, NEW.entity_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_payment';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('refund_order'), hashtext(NEW.requested_by::text)); -- the limit counts what a person orders
    NEW.donation_id := p.donation_id;
    NEW.charge_ref  := p.charge_ref;
    NEW.currency    := p.currency;
    NEW.ordered_at  := clock_timestamp();
    NEW.changed_at  := NEW.ordered_at;
    NEW.recorded_in := pg_current_xact_id();
    NEW.state       := 'ordered';
    NEW.tries       := 0;
    NEW.stripe_refund_id := NULL;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- Whether an order is not in the books yet, and may be: it counts beside what was refunded.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_counts(o refund_order) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT o.state IN ('ordered', 'sent', 'pending', 'succeeded') AND NOT EXISTS (
        SELECT FROM payment_change c WHERE c.object_id = o.stripe_refund_id AND c.kind = 'refund' AND c.entity_id = o.entity_id)
$$;
-- +goose StatementEnd

-- What staff may still order of a payment, by fund, in minor units. One statement: an order that is booked meanwhile counts once.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payment_refundable(of_payment uuid) RETURNS TABLE (fund_id uuid, amount bigint) STABLE LANGUAGE sql AS $$
    SELECT s.fund_id, s.remaining + s.owed - coalesce((SELECT sum(p.amount) FROM refund_order o JOIN refund_order_part p ON p.order_id = o.id
        WHERE o.payment_id = $1 AND p.fund_id = s.fund_id AND refund_order_counts(o)), 0)::bigint
      FROM payment_position($1) s
$$;
-- +goose StatementEnd

-- Whether the bank disputes a payment, or took it back: the processor refunds nothing of it. Not during an inquiry, which withdraws nothing.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION payment_is_disputed(of_payment uuid) RETURNS boolean STABLE LANGUAGE sql AS $$
    SELECT EXISTS (SELECT FROM payment_change c WHERE c.payment_id = $1 AND c.kind = 'dispute withdrawn' AND NOT EXISTS (
        SELECT FROM payment_change w WHERE w.object_id = c.object_id AND w.entity_id = c.entity_id AND w.kind = 'dispute won'))
$$;
-- +goose StatementEnd

-- What is approved, and executed: text, so that its hash is the same everywhere. The parts are in the order of their funds.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_body(of_order uuid) RETURNS text STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT concat_ws(E'\n', 'refund', 'entity ' || o.entity_id, 'payment ' || o.payment_id, 'amount ' || o.amount || ' ' || o.currency,
        (SELECT string_agg('part ' || p.fund_id || ' ' || p.amount, E'\n' ORDER BY p.fund_id) FROM refund_order_part p WHERE p.order_id = o.id),
        'reason ' || o.reason, 'requested by ' || o.requested_by, 'form ' || o.submission, 'note ' || o.note)
      FROM refund_order o WHERE o.id = of_order
$$;
-- +goose StatementEnd

-- Whether a second person approved what an order is. Nothing is approved before the tables of approvals are here: they replace this function,
-- and compare the request's hash with that of refund_order_body.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_is_approved(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT false
$$;
-- +goose StatementEnd

-- Whether an order is above its entity's limit: all orders of the payment, or those of the staff member in 24 hours. Orders with a request do
-- not count, which two people answer for. One that was refused counts for 24 hours: the server says that it was.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_needs_second_person(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT greatest(
        (SELECT sum(n.amount) FROM refund_order n WHERE n.payment_id = o.payment_id AND n.request_id IS NULL
            AND (n.state <> 'refused' OR n.ordered_at > o.ordered_at - interval '24 hours')),
        (SELECT sum(n.amount) FROM refund_order n WHERE n.requested_by = o.requested_by AND n.entity_id = o.entity_id AND n.request_id IS NULL
                                                    AND n.ordered_at > o.ordered_at - interval '24 hours'))
        > (SELECT e.two_persons_refund FROM legal_entity e WHERE e.id = o.entity_id)
$$;
-- +goose StatementEnd

-- At commit: an order's parts come to its amount, no fund gives back more than it has, and a second person approved what is above the limit.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_is_whole() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    short text;
BEGIN
    IF NEW.amount IS DISTINCT FROM (SELECT sum(p.amount) FROM refund_order_part p WHERE p.order_id = NEW.id) THEN
        RAISE EXCEPTION 'refund order %: its parts do not come to %', NEW.id, NEW.amount USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_parts';
    END IF;
    SELECT f.code INTO short FROM refund_order_part p JOIN fund f ON f.id = p.fund_id
     WHERE p.order_id = NEW.id AND coalesce((SELECT r.amount FROM payment_refundable(NEW.payment_id) r WHERE r.fund_id = p.fund_id), -1) < 0 LIMIT 1;
    IF FOUND THEN
        RAISE EXCEPTION 'refund order %: fund % has less of the payment', NEW.id, short USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_ceiling';
    END IF;
    IF refund_needs_second_person(NEW) AND NOT refund_is_approved(NEW) THEN
        RAISE EXCEPTION 'refund order %: it needs a second person', NEW.id USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_second_person';
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A part is written with its order. Parts never come to more than the order: once refund_order_is_whole has seen an order, also before the end
-- of the transaction, no part is added.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_part_begins() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM refund_order o WHERE o.id = NEW.order_id AND o.recorded_in = pg_current_xact_id()) THEN
        RAISE EXCEPTION 'refund order %: its parts are written with it', NEW.order_id USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_part_begins';
    END IF;
    IF NEW.amount + coalesce((SELECT sum(p.amount) FROM refund_order_part p WHERE p.order_id = NEW.order_id), 0)
       > (SELECT o.amount FROM refund_order o WHERE o.id = NEW.order_id) THEN
        RAISE EXCEPTION 'refund order %: its parts come to more', NEW.order_id USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_parts';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- The steps of an order. Its facts never change; an erasure empties the note.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_order_steps() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF (OLD.id, OLD.entity_id, OLD.donation_id, OLD.payment_id, OLD.charge_ref, OLD.currency, OLD.amount, OLD.reason, OLD.submission, OLD.requested_by,
        OLD.ordered_by, OLD.factor, OLD.signed, OLD.assertion, OLD.request_id, OLD.request_hash, OLD.ordered_at, OLD.recorded_in) IS DISTINCT FROM
       (NEW.id, NEW.entity_id, NEW.donation_id, NEW.payment_id, NEW.charge_ref, NEW.currency, NEW.amount, NEW.reason, NEW.submission, NEW.requested_by,
        NEW.ordered_by, NEW.factor, NEW.signed, NEW.assertion, NEW.request_id, NEW.request_hash, NEW.ordered_at, NEW.recorded_in)
       OR NEW.note NOT IN (OLD.note, '') OR NEW.tries NOT IN (OLD.tries, OLD.tries + 1) OR NEW.tries > OLD.tries AND NEW.state <> 'sent'
       OR OLD.stripe_refund_id IS NOT NULL AND NEW.stripe_refund_id IS DISTINCT FROM OLD.stripe_refund_id
       OR NEW.state <> OLD.state AND (OLD.state, NEW.state) NOT IN (('ordered', 'sent'), ('sent', 'pending'), ('sent', 'succeeded'), ('sent', 'failed'),
              ('sent', 'refused'), ('pending', 'succeeded'), ('pending', 'failed'), ('succeeded', 'failed')) THEN
        RAISE EXCEPTION 'refund order %: % does not become % like that', OLD.id, OLD.state, NEW.state
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_steps';
    END IF;
    IF (NEW.state, NEW.tries) IS DISTINCT FROM (OLD.state, OLD.tries) THEN
        NEW.changed_at := clock_timestamp();
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- The note may name the donor: an erasure empties it, and one that is written afterwards is empty too.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_note_stays_erased() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF are_erased(ARRAY(SELECT g.donor_id FROM payment p JOIN donation g ON g.id = p.donation_id WHERE p.id = NEW.payment_id)) THEN
        NEW.note := '';
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION refund_notes_are_erased() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE refund_order o SET note = '' FROM (SELECT n.id FROM refund_order n JOIN donation g ON g.id = n.donation_id
                                               WHERE g.donor_id = NEW.id AND n.note <> '' ORDER BY n.id FOR UPDATE OF n) theirs WHERE o.id = theirs.id;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE OR REPLACE TRIGGER sees_every_commit BEFORE INSERT ON refund_order FOR EACH STATEMENT EXECUTE FUNCTION sees_every_commit();
CREATE OR REPLACE TRIGGER erased_stays_erased BEFORE INSERT ON refund_order FOR EACH ROW WHEN (NEW.note <> '') EXECUTE FUNCTION refund_note_stays_erased();
CREATE OR REPLACE TRIGGER refund_order_begins BEFORE INSERT ON refund_order FOR EACH ROW EXECUTE FUNCTION refund_order_begins();
CREATE OR REPLACE TRIGGER refund_order_steps BEFORE UPDATE ON refund_order FOR EACH ROW EXECUTE FUNCTION refund_order_steps();
CREATE OR REPLACE TRIGGER never_deleted BEFORE DELETE OR TRUNCATE ON refund_order FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
DROP TRIGGER IF EXISTS refund_order_is_whole ON refund_order;
CREATE CONSTRAINT TRIGGER refund_order_is_whole AFTER INSERT ON refund_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refund_order_is_whole();
CREATE OR REPLACE TRIGGER refund_order_part_begins BEFORE INSERT ON refund_order_part FOR EACH ROW EXECUTE FUNCTION refund_order_part_begins();
CREATE OR REPLACE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_order_part FOR EACH STATEMENT EXECUTE FUNCTION insert_only();
CREATE OR REPLACE TRIGGER refund_notes_are_erased AFTER UPDATE ON donor FOR EACH ROW
    WHEN (NEW.email = 'forgotten-' || NEW.id || '@invalid' AND OLD.email IS DISTINCT FROM NEW.email) EXECUTE FUNCTION refund_notes_are_erased();

-- Every refund: those that staff ordered, and those that the books have without an order. A gift's refund by hand in Stripe's dashboard is
-- from 'stripe'; 'plan' refunds a payment that its plan did not accept; 'office' without a processor is paid by bank.
CREATE OR REPLACE VIEW refund_list WITH (security_invoker = true) AS
SELECT o.entity_id, o.donation_id, o.payment_id, o.id AS order_id, o.stripe_refund_id AS refund_id, 'office'::text AS origin, o.amount, o.currency, o.reason, o.note,
       o.requested_by, o.state, coalesce(c.at, o.ordered_at) AS at, o.changed_at, o.problem, c.at IS NOT NULL AS booked
  FROM refund_order o LEFT JOIN payment_change c ON c.object_id = o.stripe_refund_id AND c.kind = 'refund' AND c.entity_id = o.entity_id
UNION ALL
SELECT h.entity_id, p.donation_id, h.payment_id, NULL, h.object_id,
       CASE WHEN p.processor IS NULL THEN 'office' WHEN p.status = 'suspense' THEN 'plan' ELSE 'stripe' END, h.amount + h.owed + h.beyond, p.currency, NULL, NULL,
       NULL, CASE WHEN f.object_id IS NULL THEN 'succeeded' ELSE 'failed' END, h.at, coalesce(f.at, h.at), NULL, true
  FROM payment_change h JOIN payment p ON p.id = h.payment_id
  LEFT JOIN payment_change f ON f.object_id = h.object_id AND f.entity_id = h.entity_id AND f.kind = 'refund failed'
 WHERE h.kind = 'refund' AND NOT EXISTS (SELECT FROM refund_order o WHERE o.entity_id = h.entity_id AND o.stripe_refund_id = h.object_id);

-- A refund in another year than its gift: the donor gets an email about it.
ALTER TABLE donation_notice DROP CONSTRAINT IF EXISTS donation_notice_kind_check,
    ADD CONSTRAINT donation_notice_kind_check CHECK (kind IN ('failed', 'held', 'returned', 'refund failed', 'refunded later')) NOT VALID; -- migration 00131 validates it

-- +goose Down
DROP VIEW refund_list, payment_return;
DROP TRIGGER refund_notes_are_erased ON donor;
DROP TABLE refund_order_part;
DROP FUNCTION refund_order_counts, payment_refundable, refund_is_approved, refund_needs_second_person;
DROP TABLE refund_order;
DROP FUNCTION payment_position, payment_is_disputed, refund_order_begins, refund_order_body, refund_order_is_whole, refund_order_part_begins, refund_order_steps,
    refund_note_stays_erased, refund_notes_are_erased;
ALTER TABLE legal_entity DROP COLUMN two_persons_refund;
ALTER TABLE donation_notice DROP CONSTRAINT donation_notice_kind_check,
    ADD CONSTRAINT donation_notice_kind_check CHECK (kind IN ('failed', 'held', 'returned', 'refund failed')) NOT VALID;
