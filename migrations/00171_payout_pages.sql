-- +goose NO TRANSACTION
-- +goose Up
-- What the pages of payouts read (internal/office/payoutlist). konbit_office reads the views: its policies apply.

-- The balance transactions that a payout pays out. One that is older than these books has no type and no amounts.
CREATE OR REPLACE VIEW payout_line WITH (security_invoker = true) AS
SELECT m.entity_id, m.payout_id, o.payout_ref, m.transaction_id, b.type, b.source_id, b.amount, b.fee, b.net, b.currency, b.created_at,
       coalesce(b.changed_charge, CASE WHEN b.type IN ('charge', 'payment') THEN b.source_id END) AS charge_ref
  FROM payout_member m JOIN payout o ON o.id = m.payout_id
  LEFT JOIN balance_transaction b ON b.entity_id = m.entity_id AND b.id = m.transaction_id;

-- A payout's own transactions: the one that pays it out, and the one that brings its money back.
CREATE OR REPLACE VIEW payout_transaction WITH (security_invoker = true) AS
SELECT o.entity_id, o.id AS payout_id, b.id AS transaction_id, b.type, b.amount, b.fee, b.net, b.currency, b.created_at, b.booked_at
  FROM payout o JOIN balance_transaction b ON b.entity_id = o.entity_id AND b.source_id = o.payout_ref AND b.type IN ('payout', 'payout_failure', 'payout_cancel');

-- What the books moved for a payout between Stripe clearing (1010) and payouts in transit (1015), by fund: positive for what it took out of
-- clearing.
CREATE OR REPLACE VIEW payout_booked WITH (security_invoker = true) AS
SELECT t.entity_id, t.payout_id, t.transaction_id, t.type, c.fund_id, -c.amount AS amount
  FROM payout_transaction t JOIN clearing_share c ON c.entity_id = t.entity_id AND c.transaction_id = t.transaction_id;

-- What moved between funds in clearing before a payout, and the payout carried, by fund: positive for what the payout took more of the fund.
CREATE OR REPLACE VIEW payout_carried WITH (security_invoker = true) AS
SELECT t.entity_id, t.payout_id, c.source_id, c.fund_id, c.amount
  FROM payout_transaction t JOIN clearing_move c ON c.entity_id = t.entity_id AND c.carried_by = t.transaction_id WHERE t.type = 'payout';

-- What each transaction of a payout left in clearing, by fund, when the payout was booked: as settlement divides it (payoutSharesTx). A charge that
-- waited then, or failed, is in operations with its whole net; so is a movement that waited.
CREATE OR REPLACE VIEW payout_part WITH (security_invoker = true) AS
SELECT l.entity_id, l.payout_id, l.transaction_id, x.fund_id, x.amount
  FROM payout_line l
  CROSS JOIN LATERAL (
       SELECT (SELECT t.booked_at FROM payout_transaction t WHERE t.payout_id = l.payout_id AND t.type = 'payout') AS at,
              (SELECT f.id FROM fund f WHERE f.entity_id = l.entity_id AND f.code = 'operations') AS operations
  ) o
  CROSS JOIN LATERAL (
       SELECT (SELECT p.id FROM payment p WHERE p.entity_id = l.entity_id AND p.processor = 'stripe' AND p.charge_ref = l.source_id
                  AND l.type IN ('charge', 'payment')) AS payment_id,
              EXISTS (SELECT FROM pending_charge w WHERE w.entity_id = l.entity_id AND w.charge_id = l.source_id AND w.transaction_id = l.transaction_id
                         AND (w.cleared_at IS NULL OR w.cleared_at > o.at)) AS waited,
              EXISTS (SELECT FROM pending_movement w WHERE w.entity_id = l.entity_id AND w.transaction_id = l.transaction_id
                         AND (w.cleared_at IS NULL OR w.cleared_at > o.at)) AS movement_waited
  ) w
  CROSS JOIN LATERAL (
       SELECT s.fund_id, s.gift - s.fee - s.sponsor_fee AS amount FROM payment_share s WHERE s.payment_id = w.payment_id AND NOT w.waited
       UNION ALL
       SELECT c.fund_id, c.amount FROM clearing_share c WHERE c.entity_id = l.entity_id AND c.transaction_id = l.transaction_id AND NOT w.waited AND NOT w.movement_waited
       UNION ALL
       SELECT o.operations, l.net WHERE w.movement_waited
       UNION ALL
       SELECT o.operations, q.amount FROM pending_charge q WHERE q.entity_id = l.entity_id AND q.charge_id = l.source_id AND q.transaction_id = l.transaction_id
          AND (w.waited OR NOT EXISTS (SELECT FROM payment_share s WHERE s.payment_id = w.payment_id))
  ) x WHERE x.amount <> 0;

-- What konbit export all writes (internal/office/takeout), as the server's role. An erased donor has no name and no address.
CREATE OR REPLACE VIEW takeout_donor WITH (security_invoker = true) AS
SELECT d.entity_id, d.id, d.kind, d.first_name, d.last_name, d.organisation_name, coalesce(nullif(d.email, 'forgotten-' || d.id || '@invalid'), '') AS email,
       d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country, d.language, d.created_at, d.first_gift_at,
       d.news_consented_at IS NOT NULL AS news
  FROM donor d;

CREATE OR REPLACE VIEW takeout_gift WITH (security_invoker = true) AS
SELECT d.entity_id, d.id, d.public_ref, d.donor_id, o.slug AS organisation, p.public_ref AS plan_ref, d.status, coalesce(d.source, 'form') AS source, d.frequency,
       y.method, y.charge_ref, d.amount, d.covered, d.currency, d.charged_at, d.tax_date, d.anonymous,
       coalesce((SELECT sum(b.amount) FROM payment_return b WHERE b.payment_id = y.id), 0)::bigint AS returned,
       coalesce((SELECT string_agg(receipt_reference(r.facts, r.year, r.number), ' ' ORDER BY r.issued_at, r.number) FROM receipt r
          WHERE r.donation_id = d.id AND NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)), '') AS receipt
  FROM donation d JOIN organisation o ON o.id = d.organisation_id
  LEFT JOIN plan p ON p.id = d.plan_id
  LEFT JOIN payment y ON y.donation_id = d.id AND y.status = 'settled'
 WHERE d.charged_at IS NOT NULL;

CREATE OR REPLACE VIEW takeout_designation WITH (security_invoker = true) AS
SELECT g.entity_id, g.donation_id, d.public_ref, g.n, f.code AS fund, g.amount, d.currency
  FROM designation g JOIN donation d ON d.id = g.donation_id JOIN fund f ON f.id = g.fund_id WHERE d.charged_at IS NOT NULL;

CREATE OR REPLACE VIEW takeout_receipt WITH (security_invoker = true) AS
SELECT r.entity_id, r.id, receipt_reference(r.facts, r.year, r.number) AS number, r.year, r.number AS n, d.public_ref, r.issued_at, v.voided_at, v.reason AS void_because
  FROM receipt r JOIN donation d ON d.id = r.donation_id LEFT JOIN receipt_void v ON v.receipt_id = r.id;

CREATE OR REPLACE VIEW takeout_plan WITH (security_invoker = true) AS
SELECT p.entity_id, p.id, p.public_ref, p.donor_id, o.slug AS organisation, p.status, p.frequency, p.amount, p.covered, p.currency, p.total, p.paid, p.begun_at, p.next_at,
       p.paused_until, p.ended_at, p.ended_because, p.customer_id, p.subscription_id, p.card_brand, p.card_last4, p.card_expires
  FROM plan p JOIN organisation o ON o.id = p.organisation_id WHERE p.begun_at IS NOT NULL;

CREATE OR REPLACE VIEW takeout_plan_part WITH (security_invoker = true) AS
SELECT a.entity_id, a.plan_id, p.public_ref, a."position" AS n, f.code AS fund, a.amount, p.currency
  FROM plan_part a JOIN plan p ON p.id = a.plan_id AND p.terms = a.n JOIN fund f ON f.id = a.fund_id WHERE p.begun_at IS NOT NULL;

-- +goose Down
DROP VIEW IF EXISTS takeout_plan_part, takeout_plan, takeout_receipt, takeout_designation, takeout_gift, takeout_donor;
DROP VIEW IF EXISTS payout_part, payout_carried, payout_booked, payout_transaction, payout_line;
