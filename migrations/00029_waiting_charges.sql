-- +goose Up
-- A charge whose bill nobody told of and Stripe does not tell stands in suspense as a bank debit does that is on its way: what it is
-- for is not known, and nothing else waits for it.
ALTER TABLE pending_charge
    ADD COLUMN bill text,                               -- the one it pays; NULL: a bank debit
    ADD COLUMN at timestamptz NOT NULL DEFAULT now();   -- since when
CREATE INDEX pending_charge_open ON pending_charge (entity_id) WHERE cleared_at IS NULL;

-- A refund or a dispute of such a charge, in suspense for as long as it.
CREATE TABLE pending_movement (
    transaction_id text NOT NULL,
    entity_id      uuid NOT NULL,
    charge_id      text NOT NULL,
    category       text NOT NULL, -- Stripe's reporting category
    cleared_at     timestamptz,   -- since then it is booked by its rule
    PRIMARY KEY (transaction_id, entity_id),
    FOREIGN KEY (charge_id, entity_id) REFERENCES pending_charge (charge_id, entity_id)
);
CREATE INDEX pending_movement_open ON pending_movement (charge_id, entity_id) WHERE cleared_at IS NULL;

-- Since when no look came to its end, and why the last did not.
ALTER TABLE balance_lookup ADD COLUMN failing_since timestamptz, ADD COLUMN failure text;

-- A1. As before; and a charge whose bill is waited for for an hour.
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

-- A4. As before, but for what is in suspense until its charge is booked.
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

-- A10. As before; and a balance that no look has booked to its end for two sweeps: what is missing then is missing on both sides.
CREATE OR REPLACE VIEW check_clearing_differs AS
WITH clearing AS (
    SELECT entity_id, sum(amount) AS amount FROM posting WHERE account_code = '1010' GROUP BY entity_id
), kept AS (
    SELECT b.entity_id, sum(b.net) AS amount FROM balance_transaction b JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency GROUP BY b.entity_id
), ahead AS (
    SELECT e.entity_id, sum(p.amount) AS amount
      FROM fee_due f
      JOIN journal_entry e ON e.entity_id = f.entity_id AND e.kind = 'payment' AND e.source = 'stripe payment intent' AND e.dimensions ->> 'charge' = f.charge_id
       AND e.entry_date >= (SELECT min(charged_at) FROM fee_due)::date - 2
      JOIN posting p ON p.entry_id = e.id AND p.account_code = '1010'
     GROUP BY e.entity_id
), observed AS (
    SELECT DISTINCT ON (o.entity_id) o.entity_id, o.at, o.held, o.kept
      FROM balance_observation o JOIN books k ON k.entity_id = o.entity_id AND k.currency = o.currency ORDER BY o.entity_id, o.at DESC
), compared AS (
    SELECT k.entity_id, k.currency, o.at, coalesce(c.amount, 0) AS clearing,
           coalesce(o.held - o.kept, 0) + coalesce(b.amount, 0) + coalesce(a.amount, 0) AS stripe
      FROM books k
      LEFT JOIN clearing c ON c.entity_id = k.entity_id
      LEFT JOIN kept b ON b.entity_id = k.entity_id
      LEFT JOIN ahead a ON a.entity_id = k.entity_id
      LEFT JOIN observed o ON o.entity_id = k.entity_id
)
SELECT 'A10' AS checker, entity_id, currency AS subject,
       'the books have ' || clearing || ' minor units in 1010, Stripe ' || stripe || ': out by ' || clearing - stripe AS detail, coalesce(at, now()) AS since
  FROM compared WHERE clearing <> stripe
UNION ALL
SELECT 'A10', entity_id, currency, 'Stripe''s balance was not seen for a day', at FROM compared WHERE at < now() - interval '26 hours'
UNION ALL
SELECT 'A10', l.entity_id, k.currency, 'Stripe''s balance is not booked to its end: ' || l.failure, l.failing_since
  FROM balance_lookup l JOIN books k ON k.entity_id = l.entity_id WHERE l.failing_since < now() - interval '30 minutes';

-- +goose Down
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
   AND NOT EXISTS (SELECT FROM journal_entry e WHERE (e.source_id, e.kind, e.source, e.entity_id) = (c.id, 'movement', 'stripe balance transaction', c.entity_id));

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

CREATE OR REPLACE VIEW check_clearing_differs AS
WITH clearing AS (
    SELECT entity_id, sum(amount) AS amount FROM posting WHERE account_code = '1010' GROUP BY entity_id
), kept AS (
    SELECT b.entity_id, sum(b.net) AS amount FROM balance_transaction b JOIN books k ON k.entity_id = b.entity_id AND k.currency = b.currency GROUP BY b.entity_id
), ahead AS (
    SELECT e.entity_id, sum(p.amount) AS amount
      FROM fee_due f
      JOIN journal_entry e ON e.entity_id = f.entity_id AND e.kind = 'payment' AND e.source = 'stripe payment intent' AND e.dimensions ->> 'charge' = f.charge_id
       AND e.entry_date >= (SELECT min(charged_at) FROM fee_due)::date - 2
      JOIN posting p ON p.entry_id = e.id AND p.account_code = '1010'
     GROUP BY e.entity_id
), observed AS (
    SELECT DISTINCT ON (o.entity_id) o.entity_id, o.at, o.held, o.kept
      FROM balance_observation o JOIN books k ON k.entity_id = o.entity_id AND k.currency = o.currency ORDER BY o.entity_id, o.at DESC
), compared AS (
    SELECT k.entity_id, k.currency, o.at, coalesce(c.amount, 0) AS clearing,
           coalesce(o.held - o.kept, 0) + coalesce(b.amount, 0) + coalesce(a.amount, 0) AS stripe
      FROM books k
      LEFT JOIN clearing c ON c.entity_id = k.entity_id
      LEFT JOIN kept b ON b.entity_id = k.entity_id
      LEFT JOIN ahead a ON a.entity_id = k.entity_id
      LEFT JOIN observed o ON o.entity_id = k.entity_id
)
SELECT 'A10' AS checker, entity_id, currency AS subject,
       'the books have ' || clearing || ' minor units in 1010, Stripe ' || stripe || ': out by ' || clearing - stripe AS detail, coalesce(at, now()) AS since
  FROM compared WHERE clearing <> stripe
UNION ALL
SELECT 'A10', entity_id, currency, 'Stripe''s balance was not seen for a day', at FROM compared WHERE at < now() - interval '26 hours';

ALTER TABLE balance_lookup DROP COLUMN failing_since, DROP COLUMN failure;
DROP TABLE pending_movement;
DROP INDEX pending_charge_open;
ALTER TABLE pending_charge DROP COLUMN bill, DROP COLUMN at;
