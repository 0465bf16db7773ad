-- +goose Up
-- The checkers: what must never be, as views, each empty while the promise it guards is kept. Every row says what is wrong in the
-- same columns: checker, entity_id (NULL: of the whole program), subject (the object, by its id), detail, since. They belong to
-- no room: each looks across several. Their owner's rights read the tables; the server's role may read the views and no more.
-- Room check reads them.

-- Room payout: what Stripe says it holds, and the net of the balance transactions kept at that moment.
CREATE TABLE balance_observation (
    entity_id uuid NOT NULL REFERENCES legal_entity (id),
    at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    currency  text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    held      bigint NOT NULL, -- available and pending
    kept      bigint NOT NULL,
    PRIMARY KEY (entity_id, at)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON balance_observation
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- Room check: what the nightly look found, once a day.
CREATE TABLE check_run (
    day        date NOT NULL,
    checker    text NOT NULL,
    found      bigint NOT NULL CHECK (found >= 0), -- rows
    took       interval NOT NULL,
    checked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (day, checker)
);
CREATE TRIGGER insert_only BEFORE UPDATE OR DELETE OR TRUNCATE ON check_run
    FOR EACH STATEMENT EXECUTE FUNCTION insert_only();

-- An event's payload; NULL when it cannot be read.
-- +goose StatementBegin
CREATE FUNCTION payload_json(payload bytea) RETURNS json LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN convert_from(payload, 'UTF8')::json;
EXCEPTION WHEN data_exception THEN
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- A1. A payment that neither is one gift's, settled or held, nor stands in suspense: every charge that Stripe's balance has, and
-- every session the last two days told of whose charge is nowhere.
CREATE VIEW check_paid_without_gift AS
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

-- A2. A settled gift whose charge Stripe's balance does not have: not kept and not awaited, or awaited for a day.
CREATE VIEW check_gift_without_charge AS
SELECT 'A2' AS checker, d.entity_id, d.id::text AS subject,
       'charge ' || d.charge_id || CASE WHEN f.charge_id IS NULL THEN ' is not in Stripe''s balance' ELSE ' is not in Stripe''s balance yet' END AS detail,
       d.settled_at AS since
  FROM donation d
  LEFT JOIN fee_due f ON f.entity_id = d.entity_id AND f.charge_id = d.charge_id
 WHERE d.status = 'settled' AND (f.charge_id IS NULL OR d.settled_at < now() - interval '1 day')
   AND NOT EXISTS (SELECT FROM balance_transaction b WHERE b.entity_id = d.entity_id AND b.source_id = d.charge_id AND b.type IN ('charge', 'payment'));

-- A3. An entry whose debits are not its credits. A currency is an entry's.
CREATE VIEW check_uneven_entry AS
SELECT 'A3' AS checker, u.entity_id, u.entry_id::text AS subject, 'out by ' || u.total || ' minor units of ' || u.currency AS detail, e.recorded_at AS since
  FROM (SELECT p.entry_id, p.entity_id, p.currency, sum(p.amount) AS total FROM posting p
         GROUP BY p.entry_id, p.entity_id, p.currency HAVING sum(p.amount) <> 0) u
  LEFT JOIN journal_entry e ON e.id = u.entry_id;

-- A4. A settled gift, or a movement that came after it, without exactly one entry of its kind. What moved in another currency than
-- the books' is nowhere but in a task.
CREATE VIEW check_not_booked_once AS
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

-- A5. A series of receipts whose numbers are not 1 … n.
CREATE VIEW check_receipt_gap AS
SELECT 'A5' AS checker, s.entity_id, s.year::text AS subject,
       s.issued || ' receipts, the last has number ' || s.last || ', the counter stands at ' || coalesce(c.last::text, 'nothing') AS detail,
       s.since
  FROM (SELECT entity_id, year, count(*) AS issued, max(number) AS last, max(issued_at) AS since FROM receipt GROUP BY entity_id, year) s
  LEFT JOIN receipt_counter c ON c.entity_id = s.entity_id AND c.year = s.year
 WHERE s.issued <> s.last OR c.last IS DISTINCT FROM s.last
UNION ALL
SELECT 'A5', c.entity_id, c.year::text, 'no receipts, the counter stands at ' || c.last, now()
  FROM receipt_counter c
 WHERE c.last <> 0 AND NOT EXISTS (SELECT FROM receipt r WHERE r.entity_id = c.entity_id AND r.year = c.year);

-- A6. A settled gift of which something is left, without exactly one receipt that stands; or of which nothing is left, with one.
CREATE VIEW check_gift_without_receipt AS
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

-- A7. A receipt that stands, issued a quarter of an hour ago, that no mail server has taken or refused for good.
CREATE VIEW check_receipt_not_mailed AS
SELECT 'A7' AS checker, r.entity_id, r.id::text AS subject,
       'receipt ' || r.number || ' of ' || r.year || CASE WHEN l.id IS NULL THEN ' has no letter' ELSE ' has a letter that is not handed over' END AS detail,
       r.issued_at AS since
  FROM receipt r
  LEFT JOIN letter l ON l.subject_id = r.id AND l.kind IN ('receipt', 'receipt_replaced')
 WHERE r.issued_at < now() - interval '15 minutes' AND r.facts ->> 'email' <> ''
   AND NOT EXISTS (SELECT FROM letter_delivery d WHERE d.letter_id = l.id AND num_nonnulls(d.accepted_at, d.refused_at) > 0)
   AND NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id);

-- A8. A job whose time came five minutes ago, one that runs for longer than any may, and one that nobody tries again.
CREATE VIEW check_job_overdue AS
SELECT 'A8' AS checker,
       coalesce((SELECT r.entity_id FROM receipt r WHERE r.id = j.receipt_id), (SELECT d.entity_id FROM donation d WHERE d.id = j.donation_id),
                (SELECT l.entity_id FROM letter_delivery o JOIN letter l ON l.id = o.letter_id WHERE o.id = j.delivery_id),
                (SELECT h.entity_id FROM ledger_head h WHERE h.id = j.head_id)) AS entity_id,
       j.id::text AS subject, j.kind || ' is ' || j.state || CASE j.state WHEN 'running' THEN ' since its lease ended' WHEN 'discarded' THEN ': nobody tries it again'
           ELSE ' and due' END || ' (' || j.attempt || ' tries)' AS detail,
       CASE j.state WHEN 'running' THEN j.attempted_at WHEN 'discarded' THEN j.finalized_at ELSE j.scheduled_at END AS since
  FROM (SELECT id, kind, state, attempt, attempted_at, finalized_at, scheduled_at,
               substring(args ->> 'receipt_id' FROM '^[0-9a-f-]{36}$')::uuid AS receipt_id, substring(args ->> 'donation_id' FROM '^[0-9a-f-]{36}$')::uuid AS donation_id,
               substring(args ->> 'delivery_id' FROM '^[0-9a-f-]{36}$')::uuid AS delivery_id, substring(args ->> 'head_id' FROM '^[0-9a-f-]{36}$')::uuid AS head_id
          FROM river_job
         WHERE state IN ('available', 'scheduled', 'pending', 'retryable') AND scheduled_at < now() - interval '5 minutes'
            OR state = 'running' AND attempted_at < now() - interval '1 minute'
            OR state = 'discarded') j;

-- A9. An event whose time came five minutes ago. One that is parked waits for its time; one that was set aside waits for a person.
CREATE VIEW check_event_overdue AS
SELECT 'A9' AS checker, e.entity_id, e.id AS subject, e.type || ' is ' || e.state || ' and due (' || e.tries || ' tries)' AS detail, e.due_at AS since
  FROM stripe_event e
 WHERE e.state IN ('new', 'parked') AND e.due_at < now() - interval '5 minutes';

-- A10. Clearing that is not what Stripe holds. Gifts flow while Stripe is asked, so both sides are brought to this moment: what
-- Stripe held when it was last asked, and the net of what was kept since; the books also have payments whose charge is told and
-- not kept yet (their fee is due). What Stripe held before the books began is out until its opening balance is booked.
CREATE VIEW check_clearing_differs AS
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

-- A11. A seal that does not follow from its entry and the seal before, as ledger/seal_hash.go defines it; an entry behind the seals
-- without one; a head that was told and is not the chain's.
CREATE VIEW check_chain_broken AS
WITH link AS (
    SELECT s.entity_id, s.n, s.entry_id, s.serial, s.hash, s.sealed_at,
           lag(s.n, 1, 0::bigint) OVER chain AS n_before, lag(s.serial, 1, 0::bigint) OVER chain AS serial_before,
           lag(s.hash, 1, decode(repeat('00', 32), 'hex')) OVER chain AS hash_before
      FROM ledger_seal s WINDOW chain AS (PARTITION BY s.entity_id ORDER BY s.n)
), judged AS (
    SELECT l.entity_id, l.n, l.entry_id, l.sealed_at, CASE
           WHEN e.id IS NULL THEN 'is gone'
           WHEN l.n <> l.n_before + 1 THEN 'follows seal ' || l.n_before
           WHEN e.entity_id <> l.entity_id OR e.serial <> l.serial OR l.serial <= l.serial_before THEN 'is sealed out of order'
           WHEN l.hash <> sha256(convert_to(
               '14:konbit entry 164:' || encode(l.hash_before, 'hex') || octet_length(l.n::text) || ':' || l.n::text
               || octet_length(e.entity_id::text) || ':' || e.entity_id::text
               || octet_length(e.id::text) || ':' || e.id::text
               || octet_length(e.serial::text) || ':' || e.serial::text
               || octet_length(e.currency) || ':' || e.currency
               || octet_length(to_char(e.entry_date, 'YYYY-MM-DD')) || ':' || to_char(e.entry_date, 'YYYY-MM-DD')
               || octet_length(to_char(e.fact_date, 'YYYY-MM-DD')) || ':' || to_char(e.fact_date, 'YYYY-MM-DD')
               || octet_length(e.source) || ':' || e.source
               || octet_length(e.source_id) || ':' || e.source_id
               || octet_length(e.kind) || ':' || e.kind
               || octet_length(encode(e.fact_hash, 'hex')) || ':' || encode(e.fact_hash, 'hex')
               || octet_length(e.line_count::text) || ':' || e.line_count::text
               || coalesce(octet_length(e.reverses::text) || ':' || e.reverses::text, '0:')
               || octet_length(e.dimensions::text) || ':' || e.dimensions::text
               || octet_length(to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')) || ':' || to_char(e.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
               || octet_length(e.recorded_by::text) || ':' || e.recorded_by::text
               || coalesce((SELECT string_agg(
                      octet_length(p.n::text) || ':' || p.n::text
                      || octet_length(p.account_code) || ':' || p.account_code
                      || octet_length(p.fund_id::text) || ':' || p.fund_id::text
                      || octet_length(p.amount::text) || ':' || p.amount::text
                      || coalesce(octet_length(p.dimensions::text) || ':' || p.dimensions::text, '0:')
                      || coalesce(octet_length(p.foreign_currency) || ':' || p.foreign_currency, '0:')
                      || coalesce(octet_length(p.foreign_amount::text) || ':' || p.foreign_amount::text, '0:')
                      || coalesce(octet_length(p.rate::text) || ':' || p.rate::text, '0:'), '' ORDER BY p.n)
                    FROM posting p WHERE p.entry_id = e.id), ''), 'UTF8')) THEN 'or its seal was changed'
           END AS wrong
      FROM link l LEFT JOIN journal_entry e ON e.id = l.entry_id
)
SELECT 'A11' AS checker, j.entity_id, j.entry_id::text AS subject, 'entry ' || j.n || ' of the chain ' || j.wrong AS detail, j.sealed_at AS since
  FROM judged j WHERE j.wrong IS NOT NULL
UNION ALL
SELECT 'A11', e.entity_id, e.id::text, 'recorded with serial ' || e.serial || ' and not sealed', e.recorded_at
  FROM journal_entry e
 WHERE NOT EXISTS (SELECT FROM ledger_seal s WHERE s.entry_id = e.id)
   AND (e.serial <= (SELECT max(serial) FROM ledger_seal) OR e.recorded_at < now() - interval '5 minutes')
UNION ALL
SELECT 'A11', h.entity_id, h.id::text, 'head ' || h.n || ' of ' || h.day || ' was told with another hash', h.kept_at
  FROM ledger_head h LEFT JOIN ledger_seal s ON s.entity_id = h.entity_id AND s.n = h.n
 WHERE s.hash IS DISTINCT FROM h.hash;

-- +goose Down
DROP VIEW check_chain_broken, check_clearing_differs, check_event_overdue, check_job_overdue, check_receipt_not_mailed,
    check_gift_without_receipt, check_receipt_gap, check_not_booked_once, check_uneven_entry, check_gift_without_charge, check_paid_without_gift;
DROP FUNCTION payload_json;
DROP TABLE check_run, balance_observation;
