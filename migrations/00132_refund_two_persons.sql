-- +goose Up
-- Above the limit, an order executes the approval request that it names: of kind refund, with the order's id as subject and what the order is as body.
-- Every order is in the audit log, in the same transaction.
ALTER TABLE refund_order ADD CONSTRAINT refund_order_request_fkey FOREIGN KEY (request_id, request_hash) REFERENCES approval_request (id, hash) NOT VALID; -- 00133 validates it
ALTER TABLE refund_order ADD CONSTRAINT refund_order_requested_by_fkey FOREIGN KEY (requested_by) REFERENCES staff (id) NOT VALID; -- likewise

-- +goose StatementBegin
-- The sums count a human, under whichever account: an order above the limit names a request. One with a request is not in the sums, and
-- refund_order_is_whole refuses it unless the request was approved.
CREATE OR REPLACE FUNCTION refund_needs_second_person(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT greatest(
        (SELECT sum(n.amount) FROM refund_order n WHERE n.payment_id = o.payment_id AND n.request_id IS NULL
            AND (n.state <> 'refused' OR n.ordered_at > o.ordered_at - interval '24 hours')),
        (SELECT sum(n.amount) FROM refund_order n WHERE staff_person_of(n.requested_by) = staff_person_of(o.requested_by) AND n.entity_id = o.entity_id
            AND n.request_id IS NULL AND n.ordered_at > o.ordered_at - interval '24 hours'))
        > (SELECT e.two_persons_refund FROM legal_entity e WHERE e.id = o.entity_id)
$$;
DROP FUNCTION refund_is_approved(refund_order);
CREATE FUNCTION refund_is_approved(o refund_order) RETURNS boolean LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    RETURN EXISTS (SELECT FROM approval_request r WHERE r.id = o.request_id AND r.body = refund_order_body(o.id) AND r.requested_by = o.requested_by)
       AND execute_approval(o.request_id, o.request_hash, 'refund', o.entity_id, o.id::text);
END $$;

-- refund_of_erased reports whether an order is of a gift of an erased donor: its note is gone, and so is the text that was signed.
CREATE FUNCTION refund_of_erased(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT EXISTS (SELECT FROM donation g WHERE g.id = o.donation_id AND is_erased(g.donor_id))
$$;

-- As before; an order that names a request executes it, or is refused. Without a request, the passkey that was used signed this order.
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
    IF NEW.request_id IS NULL AND NOT coalesce(NEW.factor = 'totp' OR NEW.signed = sha256(convert_to(refund_order_body(NEW.id), 'UTF8')), false) THEN
        RAISE EXCEPTION 'refund order %: a passkey signs what is ordered', NEW.id USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_person';
    END IF;
    IF (NEW.request_id IS NOT NULL OR refund_needs_second_person(NEW)) AND NOT refund_is_approved(NEW) THEN
        RAISE EXCEPTION 'refund order %: it needs a second person', NEW.id USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_second_person';
    END IF;
    RETURN NULL;
END $$;

-- As before. Who orders is the person of the transaction's staff session, with the role for it and a factor used in the last five minutes; or, with
-- a request, the person who requested it: the one who approves executes. Person and factor are stored, for the session may be another one at the end of
-- the transaction.
CREATE OR REPLACE FUNCTION refund_order_begins() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    p payment;
BEGIN
    SELECT * INTO p FROM payment WHERE id = NEW.payment_id AND entity_id = NEW.entity_id AND status = 'settled' AND processor IS NOT NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'payment % of entity % is not a settled payment by a processor', NEW.payment_id, NEW.entity_id
            USING ERRCODE = 'check_violation', CONSTRAINT = 'refund_order_payment';
    END IF;
    IF staff_of_session() IS NULL OR NOT staff_has_role(staff_of_session(), '{finance}', NEW.entity_id, NULL)
       OR NEW.request_id IS NULL AND (NEW.requested_by <> staff_of_session() OR NOT staff_money_factor_is_fresh(NEW.entity_id)) THEN
        RAISE EXCEPTION 'a refund is ordered by a person of finance who used a second factor' USING ERRCODE = 'insufficient_privilege', CONSTRAINT = 'refund_order_person';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('refund_order'), hashtext(staff_person_of(NEW.requested_by)::text)); -- the limit counts what a human orders
    NEW.ordered_by  := staff_of_session();
    NEW.donation_id := p.donation_id;
    NEW.charge_ref  := p.charge_ref;
    NEW.currency    := p.currency;
    NEW.ordered_at  := clock_timestamp();
    NEW.changed_at  := NEW.ordered_at;
    NEW.recorded_in := pg_current_xact_id();
    NEW.state       := 'ordered';
    NEW.tries       := 0;
    NEW.stripe_refund_id := NULL;
    NEW.factor := NULL;
    NEW.signed := NULL;
    NEW.assertion := NULL;
    IF NEW.request_id IS NULL THEN
        SELECT f.kind, f.act, f.assertion INTO NEW.factor, NEW.signed, NEW.assertion FROM staff_factor() f;
    END IF;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE CONSTRAINT TRIGGER requires_audit AFTER INSERT ON refund_order DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION requires_audit('refund_order', 'id', 'ordered_by');

-- +goose Down
-- The functions are those of migration 00130 again, where nothing is approved; what a session has to be is no longer asked.
DROP TRIGGER requires_audit ON refund_order;
DROP FUNCTION refund_of_erased(refund_order);
ALTER TABLE refund_order DROP CONSTRAINT refund_order_request_fkey, DROP CONSTRAINT refund_order_requested_by_fkey;
-- +goose StatementBegin
DROP FUNCTION refund_is_approved(refund_order);
CREATE OR REPLACE FUNCTION refund_is_approved(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT false
$$;
CREATE OR REPLACE FUNCTION refund_needs_second_person(o refund_order) RETURNS boolean STABLE LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT greatest(
        (SELECT sum(n.amount) FROM refund_order n WHERE n.payment_id = o.payment_id AND n.request_id IS NULL
            AND (n.state <> 'refused' OR n.ordered_at > o.ordered_at - interval '24 hours')),
        (SELECT sum(n.amount) FROM refund_order n WHERE n.requested_by = o.requested_by AND n.entity_id = o.entity_id AND n.request_id IS NULL
                                                    AND n.ordered_at > o.ordered_at - interval '24 hours'))
        > (SELECT e.two_persons_refund FROM legal_entity e WHERE e.id = o.entity_id)
$$;
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
