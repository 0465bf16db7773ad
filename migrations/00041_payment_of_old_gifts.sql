-- +goose Up
-- What was paid before becomes payments; the checkers and the erasure read them. Donations that are being settled meanwhile are not
-- waited for: the triggers of 00040 write theirs.

-- A donation that was ever on its way by an event was paid by bank debit.
INSERT INTO payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency, received_at, status, created_at)
SELECT gen_random_uuid(), d.entity_id, d.id, CASE WHEN s.donation_id IS NULL THEN 'card' ELSE 'bank_debit' END, 'stripe', d.charge_id,
       d.payment_intent_id, '1010', d.amount, d.currency, d.charged_at, 'settled', d.settled_at
  FROM donation d
  LEFT JOIN (SELECT DISTINCT donation_id FROM donation_step WHERE status = 'processing' AND cause <> 'form') s ON s.donation_id = d.id
 WHERE d.status = 'settled'
    ON CONFLICT DO NOTHING;
-- Payments in suspense: as their tasks say, and one whose task is gone as its entry says.
-- +goose StatementBegin
DO $$
BEGIN
    PERFORM suspended_payment(t) FROM finance_task t
      WHERE t.kind IN ('payment_differs_from_gift', 'payment_in_other_currency', 'payment_without_gift', 'payment_of_another_entity',
            'gift_paid_twice', 'replaced_gift_paid', 'purged_gift_paid', 'payment_beyond_plan', 'payment_after_plan_ended');
END $$;
-- +goose StatementEnd
INSERT INTO payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency, received_at, status, created_at)
SELECT gen_random_uuid(), e.entity_id, (SELECT d.id FROM donation d WHERE d.entity_id = e.entity_id AND d.charge_id = e.dimensions ->> 'charge' AND d.status = 'held'),
       'card', 'stripe', e.dimensions ->> 'charge', e.source_id, '1010', p.amount, e.currency, e.recorded_at, 'suspense', e.recorded_at
  FROM journal_entry e JOIN posting p ON p.entry_id = e.id AND p.account_code = '1010' AND p.amount > 0
 WHERE e.kind = 'payment' AND e.source = 'stripe payment intent' AND NOT e.dimensions ? 'donation' AND e.dimensions ? 'charge'
    ON CONFLICT DO NOTHING;

UPDATE donation d SET tax_date = (d.charged_at AT TIME ZONE e.timezone)::date
  FROM legal_entity e WHERE e.id = d.entity_id AND d.charged_at IS NOT NULL AND d.tax_date IS NULL;
UPDATE donation d SET plan_id = i.plan_id, source = CASE WHEN d.id = i.plan_id THEN 'form' ELSE 'plan' END FROM instalment i WHERE i.donation_id = d.id;
UPDATE donation d SET plan_id = p.id FROM plan p WHERE p.id = d.id AND d.plan_id IS NULL;
SET CONSTRAINTS ALL IMMEDIATE;
ALTER TABLE donation VALIDATE CONSTRAINT donation_settled;

-- A1. A charge in Stripe's balance that is not exactly one payment, or whose payment names a donation that does not stand as the payment
-- says; and every session of the last two days that was paid and whose payment is nowhere. As before: what waits for its invoice.
CREATE OR REPLACE VIEW check_paid_without_gift AS
WITH told AS MATERIALIZED (
    SELECT e.entity_id, e.received_at, payload_json(e.payload) -> 'data' -> 'object' AS session
      FROM stripe_event e
     WHERE e.payload IS NOT NULL AND e.received_at > now() - interval '2 days' AND e.state = 'done'
       AND e.type IN ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
), session AS (
    SELECT entity_id, session ->> 'id' AS id, session ->> 'payment_intent' AS intent, min(received_at) AS since
      FROM told WHERE session ->> 'payment_status' = 'paid' AND session ->> 'payment_intent' IS NOT NULL GROUP BY 1, 2, 3
), charge AS (
    SELECT b.entity_id, b.id, b.source_id, b.created_at, count(p.id) AS payments, count(p.donation_id) AS named, count(d.id) AS gifts
      FROM balance_transaction b
      JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
      LEFT JOIN payment p ON p.entity_id = b.entity_id AND p.processor = 'stripe' AND p.charge_ref = b.source_id
      LEFT JOIN donation d ON d.id = p.donation_id AND d.status = CASE p.status WHEN 'settled' THEN 'settled' ELSE 'held' END
     WHERE b.type IN ('charge', 'payment') AND b.source_id <> ''
     GROUP BY b.entity_id, b.id HAVING count(p.id) <> 1 OR count(d.id) <> 1
), suspended AS (
    SELECT e.entity_id, e.dimensions ->> 'charge' AS charge_id FROM journal_entry e
     WHERE e.kind = 'payment' AND e.source = 'stripe payment intent' AND NOT e.dimensions ? 'donation'
)
SELECT 'A1' AS checker, s.entity_id, s.id AS subject, 'paid by ' || s.intent || ', and no gift has it' AS detail, s.since
  FROM session s
 WHERE NOT EXISTS (SELECT FROM payment p WHERE p.entity_id = s.entity_id AND p.intent_ref = s.intent)
   AND NOT EXISTS (SELECT FROM journal_entry e WHERE (e.source_id, e.kind, e.source, e.entity_id) = (s.intent, 'payment', 'stripe payment intent', s.entity_id))
   AND NOT EXISTS (SELECT FROM finance_task t WHERE t.entity_id = s.entity_id AND t.subject = s.intent)
UNION ALL
SELECT 'A1', c.entity_id, c.source_id, c.id || ' charged it, and ' || c.payments || ' payments and ' || c.gifts || ' donations have it', c.created_at
  FROM charge c
 WHERE c.payments > 1 OR c.gifts <> c.named
    OR c.gifts = 0 AND NOT EXISTS (SELECT FROM suspended s WHERE s.entity_id = c.entity_id AND s.charge_id = c.source_id)
   AND NOT EXISTS (SELECT FROM pending_charge p WHERE p.entity_id = c.entity_id AND p.charge_id = c.source_id)
   AND NOT EXISTS (SELECT FROM journal_entry e WHERE (e.source_id, e.kind, e.source, e.entity_id) = (c.id, 'movement', 'stripe balance transaction', c.entity_id))
UNION ALL
SELECT 'A1', p.entity_id, p.charge_id, 'its bill ' || p.bill || ' cannot be read: it stands in suspense', p.at
  FROM pending_charge p WHERE p.bill IS NOT NULL AND p.cleared_at IS NULL AND p.at < now() - interval '1 hour';

-- A2. A settled donation without a settled payment, or whose charge Stripe's balance does not have: not imported and not due, or due for a day.
CREATE OR REPLACE VIEW check_gift_without_charge AS
SELECT 'A2' AS checker, d.entity_id, d.id::text AS subject,
       CASE WHEN p.id IS NULL THEN 'no payment settled it'
            WHEN f.charge_id IS NULL THEN 'charge ' || p.charge_ref || ' is not in Stripe''s balance'
            ELSE 'charge ' || p.charge_ref || ' is not in Stripe''s balance yet' END AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN fee_due f ON f.entity_id = d.entity_id AND f.charge_id = p.charge_ref
 WHERE d.status = 'settled'
   AND (p.id IS NULL
        OR p.processor IS NOT NULL AND (f.charge_id IS NULL OR d.settled_at < now() - interval '1 day')
           AND NOT EXISTS (SELECT FROM balance_transaction b WHERE b.entity_id = d.entity_id AND b.source_id = p.charge_ref AND b.type IN ('charge', 'payment')));

-- A4. A settled payment, or a movement that came after it, without exactly one entry of its kind. The rest is as before.
CREATE OR REPLACE VIEW check_not_booked_once AS
SELECT 'A4' AS checker, p.entity_id, p.donation_id::text AS subject, count(e.id) || ' entries book payment ' || p.id AS detail, p.created_at AS since
  FROM payment p
  LEFT JOIN journal_entry e ON e.source_id = coalesce(p.intent_ref, p.id::text) AND e.kind = 'payment' AND e.entity_id = p.entity_id
   AND e.source = CASE WHEN p.processor IS NULL THEN 'payment' ELSE 'stripe payment intent' END
 WHERE p.status = 'settled' GROUP BY p.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', b.entity_id, b.id, count(e.id) || ' movements booked of ' || b.type || ' ' || b.source_id, b.booked_at
  FROM balance_transaction b
  JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
  LEFT JOIN journal_entry e ON e.source_id = b.id AND e.kind = 'movement' AND e.source = 'stripe balance transaction' AND e.entity_id = b.entity_id
 WHERE b.net <> 0 AND (b.type NOT IN ('charge', 'payment') OR b.source_id = '')
   AND NOT EXISTS (SELECT FROM pending_movement m WHERE m.entity_id = b.entity_id AND m.transaction_id = b.id AND m.cleared_at IS NULL)
 GROUP BY b.entity_id, b.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, 'no movement is kept of the ' || c.kind || ' about ' || c.charge_id, c.at
  FROM charge_change c
 WHERE c.kind <> 'dispute lost' AND NOT EXISTS (
       SELECT FROM balance_transaction b WHERE b.entity_id = c.entity_id AND b.source_id = c.object_id
          AND sign(b.net) = CASE WHEN c.kind IN ('refund', 'dispute withdrawn') THEN -1 ELSE 1 END)
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' losses booked of the dispute about ' || c.charge_id, c.at
  FROM charge_change c
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'lost' AND e.source = 'stripe dispute' AND e.entity_id = c.entity_id
 WHERE c.kind = 'dispute lost' GROUP BY c.entity_id, c.object_id, c.kind HAVING count(e.id) <> 1;

-- A6. As before; what was returned is found by the charge of the donation's payment.
CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.entity_id, h.charge_id, sum(h.amount) AS amount FROM charge_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM charge_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.entity_id, h.charge_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN payment p ON p.donation_id = d.id AND p.status = 'settled'
  LEFT JOIN gone g ON g.entity_id = p.entity_id AND g.charge_id = p.charge_ref
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END;

-- The name of an organisation that gives is part of the person on a receipt.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'donor_organisation' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
-- +goose StatementEnd

-- As before, but charges and intents are found in payment, and the name of an organisation goes.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    people   uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   text[] := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
    gifts    uuid[] := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    uuid[] := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts uuid[] := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects uuid[] := gifts || receipts || ARRAY[erasure] || ARRAY(SELECT id FROM plan_event WHERE plan_id = ANY(plans))
                       || ARRAY(SELECT id FROM statement WHERE donor_id = ANY(people)) || ARRAY(SELECT id FROM sign_in WHERE email = ANY(emails));
    letters  uuid[] := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    known    text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    IF EXISTS (SELECT 1 FROM receipt r WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date
                  AND NOT EXISTS (SELECT 1 FROM receipt_hold h WHERE h.receipt_id = r.id)) THEN
        RAISE EXCEPTION 'a receipt has no sealed copy' USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_is_held';
    END IF;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: what Stripe told of their gifts, by the ids in it
    SELECT string_agg(DISTINCT regexp_replace(word, '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(ARRAY[id::text, checkout_session_id]) AS word FROM donation WHERE id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[intent_ref, charge_ref]) FROM payment WHERE donation_id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails)) words WHERE word <> '';
    UPDATE stripe_event SET payload = NULL, state = CASE state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE state WHEN 'done' THEN reason ELSE concat_ws('; ', reason, 'payload erased') END
     WHERE payload IS NOT NULL AND encode(payload, 'escape') ~* known;
    -- jobs: nothing goes out any more, and what failed tells nothing
    DELETE FROM river_job WHERE state <> 'running' AND EXISTS (SELECT 1 FROM jsonb_each_text(args) a WHERE a.value = ANY(subjects::text[])
           OR a.value IN (SELECT d.id::text FROM letter_delivery d WHERE d.letter_id = ANY(letters)));
    -- mail
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE letter_id = ANY(letters) AND recipient <> '';
    UPDATE letter SET message = '' WHERE id = ANY(letters) AND message <> '';
    -- statement, receipt
    DELETE FROM statement_person p USING statement s WHERE p.statement_id = s.id AND s.donor_id = ANY(people);
    UPDATE receipt SET facts = personless(facts) WHERE id = ANY(receipts) AND facts <> personless(facts);
    -- recurring
    UPDATE plan SET card_brand = NULL, card_last4 = NULL, card_expires = NULL WHERE id = ANY(plans);
    UPDATE plan_event SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    UPDATE plan_request SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    -- donation: the dedication goes with what was typed
    DELETE FROM donation_contact WHERE donation_id = ANY(gifts);
    -- access
    DELETE FROM session WHERE email = ANY(emails);
    DELETE FROM sign_in WHERE email = ANY(emails);
    DELETE FROM mailbox_step WHERE email = ANY(emails);
    DELETE FROM mailbox WHERE email = ANY(emails);
    -- donor
    UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', organisation_name = '', news_consented_at = NULL,
           phone = '', address_line1 = '', address_line2 = '', city = '', region = '', postal_code = '', country = ''
     WHERE id = ANY(people);
    PERFORM set_config('konbit.erasing', '', true);
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION erase_people(erasure uuid, addresses text[]) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    people   uuid[] := ARRAY(SELECT donor_id FROM erasure_donor d WHERE d.erasure_id = erasure);
    emails   text[] := addresses || ARRAY(SELECT email FROM donor WHERE id = ANY(people) AND email NOT LIKE '%@invalid');
    gifts    uuid[] := ARRAY(SELECT id FROM donation WHERE donor_id = ANY(people));
    plans    uuid[] := ARRAY(SELECT id FROM plan WHERE donor_id = ANY(people));
    receipts uuid[] := ARRAY(SELECT id FROM receipt WHERE donation_id = ANY(gifts));
    subjects uuid[] := gifts || receipts || ARRAY[erasure] || ARRAY(SELECT id FROM plan_event WHERE plan_id = ANY(plans))
                       || ARRAY(SELECT id FROM statement WHERE donor_id = ANY(people)) || ARRAY(SELECT id FROM sign_in WHERE email = ANY(emails));
    letters  uuid[] := ARRAY(SELECT id FROM letter WHERE subject_id = ANY(subjects));
    known    text;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM erasure e WHERE e.id = erasure AND e.withdrawn_at IS NULL) THEN
        RAISE EXCEPTION 'erasure % was not asked for', erasure USING ERRCODE = 'check_violation', CONSTRAINT = 'erasure_was_asked';
    END IF;
    IF EXISTS (SELECT 1 FROM receipt r WHERE r.id = ANY(receipts) AND r.facts <> personless(r.facts) AND make_date(r.year + 8, 1, 1) > current_date
                  AND NOT EXISTS (SELECT 1 FROM receipt_hold h WHERE h.receipt_id = r.id)) THEN
        RAISE EXCEPTION 'a receipt has no sealed copy' USING ERRCODE = 'check_violation', CONSTRAINT = 'receipt_is_held';
    END IF;
    PERFORM set_config('konbit.erasing', 'yes', true);
    -- stripepay: what Stripe told of their gifts, by the ids in it
    SELECT string_agg(DISTINCT regexp_replace(word, '([^A-Za-z0-9_-])', '\\\1', 'g'), '|') INTO known
      FROM (SELECT unnest(ARRAY[id::text, payment_intent_id, charge_id, checkout_session_id]) AS word FROM donation WHERE id = ANY(gifts)
            UNION ALL SELECT unnest(ARRAY[customer_id, subscription_id]) FROM plan WHERE id = ANY(plans)
            UNION ALL SELECT unnest(emails)) words WHERE word <> '';
    UPDATE stripe_event SET payload = NULL, state = CASE state WHEN 'done' THEN 'done' ELSE 'set_aside' END,
           reason = CASE state WHEN 'done' THEN reason ELSE concat_ws('; ', reason, 'payload erased') END
     WHERE payload IS NOT NULL AND encode(payload, 'escape') ~* known;
    -- jobs: nothing goes out any more, and what failed tells nothing
    DELETE FROM river_job WHERE state <> 'running' AND EXISTS (SELECT 1 FROM jsonb_each_text(args) a WHERE a.value = ANY(subjects::text[])
           OR a.value IN (SELECT d.id::text FROM letter_delivery d WHERE d.letter_id = ANY(letters)));
    -- mail
    UPDATE letter_delivery SET recipient = '', smtp_reply = NULL,
           refused_at = CASE WHEN accepted_at IS NULL THEN coalesce(refused_at, now()) END WHERE letter_id = ANY(letters) AND recipient <> '';
    UPDATE letter SET message = '' WHERE id = ANY(letters) AND message <> '';
    -- statement, receipt
    DELETE FROM statement_person p USING statement s WHERE p.statement_id = s.id AND s.donor_id = ANY(people);
    UPDATE receipt SET facts = personless(facts) WHERE id = ANY(receipts) AND facts <> personless(facts);
    -- recurring
    UPDATE plan SET card_brand = NULL, card_last4 = NULL, card_expires = NULL WHERE id = ANY(plans);
    UPDATE plan_event SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    UPDATE plan_request SET detail = detail - 'reason' - 'brand' - 'last4' - 'method' WHERE plan_id = ANY(plans);
    -- donation: the dedication goes with what was typed
    DELETE FROM donation_contact WHERE donation_id = ANY(gifts);
    -- access
    DELETE FROM session WHERE email = ANY(emails);
    DELETE FROM sign_in WHERE email = ANY(emails);
    DELETE FROM mailbox_step WHERE email = ANY(emails);
    DELETE FROM mailbox WHERE email = ANY(emails);
    -- donor
    UPDATE donor SET email = 'forgotten-' || id || '@invalid', first_name = '', last_name = '', news_consented_at = NULL,
           phone = '', address_line1 = '', address_line2 = '', city = '', region = '', postal_code = '', country = ''
     WHERE id = ANY(people);
    PERFORM set_config('konbit.erasing', '', true);
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION personless(facts jsonb) RETURNS jsonb IMMUTABLE LANGUAGE sql AS $$
    SELECT facts - 'donor_address' - 'dedicated' || '{"first_name": "", "last_name": "", "email": ""}'
$$;
-- +goose StatementEnd
CREATE OR REPLACE VIEW check_gift_without_receipt AS
WITH gone AS (
    SELECT h.entity_id, h.charge_id, sum(h.amount) AS amount FROM charge_change h
     WHERE h.kind = 'refund' OR h.kind = 'dispute lost' AND NOT EXISTS (
           SELECT FROM charge_change w WHERE w.object_id = h.object_id AND w.entity_id = h.entity_id AND w.kind = 'dispute won')
     GROUP BY h.entity_id, h.charge_id
), standing AS (
    SELECT r.donation_id, count(*) AS n FROM receipt r
     WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id) GROUP BY r.donation_id
)
SELECT 'A6' AS checker, d.entity_id, d.id::text AS subject,
       coalesce(s.n, 0) || ' receipts stand of a gift of which ' || d.amount - coalesce(g.amount, 0) || ' of ' || d.amount || ' is left' AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN standing s ON s.donation_id = d.id
  LEFT JOIN gone g ON g.entity_id = d.entity_id AND g.charge_id = d.charge_id
 WHERE d.status = 'settled' AND coalesce(s.n, 0) <> CASE WHEN d.amount > coalesce(g.amount, 0) THEN 1 ELSE 0 END;
CREATE OR REPLACE VIEW check_not_booked_once AS
SELECT 'A4' AS checker, d.entity_id, d.id::text AS subject, count(e.id) || ' payments booked of ' || d.payment_intent_id AS detail, d.settled_at AS since
  FROM donation d
  LEFT JOIN journal_entry e ON e.source_id = d.payment_intent_id AND e.kind = 'payment' AND e.source = 'stripe payment intent' AND e.entity_id = d.entity_id
 WHERE d.status = 'settled' GROUP BY d.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', b.entity_id, b.id, count(e.id) || ' movements booked of ' || b.type || ' ' || b.source_id, b.booked_at
  FROM balance_transaction b
  JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
  LEFT JOIN journal_entry e ON e.source_id = b.id AND e.kind = 'movement' AND e.source = 'stripe balance transaction' AND e.entity_id = b.entity_id
 WHERE b.net <> 0 AND (b.type NOT IN ('charge', 'payment') OR b.source_id = '')
   AND NOT EXISTS (SELECT FROM pending_movement m WHERE m.entity_id = b.entity_id AND m.transaction_id = b.id AND m.cleared_at IS NULL)
 GROUP BY b.entity_id, b.id HAVING count(e.id) <> 1
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, 'no movement is kept of the ' || c.kind || ' about ' || c.charge_id, c.at
  FROM charge_change c
 WHERE c.kind <> 'dispute lost' AND NOT EXISTS (
       SELECT FROM balance_transaction b WHERE b.entity_id = c.entity_id AND b.source_id = c.object_id
          AND sign(b.net) = CASE WHEN c.kind IN ('refund', 'dispute withdrawn') THEN -1 ELSE 1 END)
UNION ALL
SELECT 'A4', c.entity_id, c.object_id, count(e.id) || ' losses booked of the dispute about ' || c.charge_id, c.at
  FROM charge_change c
  LEFT JOIN journal_entry e ON e.source_id = c.object_id AND e.kind = 'lost' AND e.source = 'stripe dispute' AND e.entity_id = c.entity_id
 WHERE c.kind = 'dispute lost' GROUP BY c.entity_id, c.object_id, c.kind HAVING count(e.id) <> 1;
CREATE OR REPLACE VIEW check_gift_without_charge AS
SELECT 'A2' AS checker, d.entity_id, d.id::text AS subject,
       'charge ' || d.charge_id || CASE WHEN f.charge_id IS NULL THEN ' is not in Stripe''s balance' ELSE ' is not in Stripe''s balance yet' END AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN fee_due f ON f.entity_id = d.entity_id AND f.charge_id = d.charge_id
 WHERE d.status = 'settled' AND (f.charge_id IS NULL OR d.settled_at < now() - interval '1 day')
   AND NOT EXISTS (SELECT FROM balance_transaction b WHERE b.entity_id = d.entity_id AND b.source_id = d.charge_id AND b.type IN ('charge', 'payment'));
CREATE OR REPLACE VIEW check_paid_without_gift AS
WITH told AS MATERIALIZED (
    SELECT e.entity_id, e.received_at, payload_json(e.payload) -> 'data' -> 'object' AS session
      FROM stripe_event e
     WHERE e.payload IS NOT NULL AND e.received_at > now() - interval '2 days' AND e.state = 'done'
       AND e.type IN ('checkout.session.completed', 'checkout.session.async_payment_succeeded')
), session AS (
    SELECT entity_id, session ->> 'id' AS id, session ->> 'payment_intent' AS intent, min(received_at) AS since
      FROM told WHERE session ->> 'payment_status' = 'paid' AND session ->> 'payment_intent' IS NOT NULL GROUP BY 1, 2, 3
), charge AS (
    SELECT b.entity_id, b.id, b.source_id, b.created_at, count(d.id) AS gifts
      FROM balance_transaction b
      JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency
      LEFT JOIN donation d ON d.entity_id = b.entity_id AND d.charge_id = b.source_id AND d.status IN ('settled', 'held')
     WHERE b.type IN ('charge', 'payment') AND b.source_id <> ''
     GROUP BY b.entity_id, b.id HAVING count(d.id) <> 1
), suspended AS (
    SELECT e.entity_id, e.dimensions ->> 'charge' AS charge_id FROM journal_entry e
     WHERE e.kind = 'payment' AND e.source = 'stripe payment intent' AND NOT e.dimensions ? 'donation'
)
SELECT 'A1' AS checker, s.entity_id, s.id AS subject, 'paid by ' || s.intent || ', and no gift has it' AS detail, s.since
  FROM session s
 WHERE NOT EXISTS (SELECT FROM donation d WHERE d.entity_id = s.entity_id AND d.payment_intent_id = s.intent AND d.status IN ('settled', 'held'))
   AND NOT EXISTS (SELECT FROM journal_entry e WHERE (e.source_id, e.kind, e.source, e.entity_id) = (s.intent, 'payment', 'stripe payment intent', s.entity_id))
   AND NOT EXISTS (SELECT FROM finance_task t WHERE t.entity_id = s.entity_id AND t.subject = s.intent)
UNION ALL
SELECT 'A1', c.entity_id, c.source_id, c.id || ' charged it, and ' || c.gifts || ' gifts have it', c.created_at
  FROM charge c
 WHERE c.gifts > 1
    OR NOT EXISTS (SELECT FROM suspended s WHERE s.entity_id = c.entity_id AND s.charge_id = c.source_id)
   AND NOT EXISTS (SELECT FROM pending_charge p WHERE p.entity_id = c.entity_id AND p.charge_id = c.source_id)
   AND NOT EXISTS (SELECT FROM journal_entry e WHERE (e.source_id, e.kind, e.source, e.entity_id) = (c.id, 'movement', 'stripe balance transaction', c.entity_id))
UNION ALL
SELECT 'A1', p.entity_id, p.charge_id, 'its bill ' || p.bill || ' cannot be read: it stands in suspense', p.at
  FROM pending_charge p WHERE p.bill IS NOT NULL AND p.cleared_at IS NULL AND p.at < now() - interval '1 hour';
