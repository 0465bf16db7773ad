-- +goose Up
-- A bank may take back more than is left of a payment: a dispute's amount is not bound to the charge's, and a refunded charge can be
-- disputed. Before, such a movement went to suspense as a whole, and the receipt was valid.

-- amount is what a change took of the gift, as before. The previous release reads and writes it with the same meaning.
ALTER TABLE payment_change ADD COLUMN owed bigint NOT NULL DEFAULT 0; -- of 2300: owed to the donor since the bank could not deliver a refund
ALTER TABLE payment_change ADD COLUMN beyond bigint NOT NULL DEFAULT 0; -- paid by operations: more than was left
ALTER TABLE payment_change DROP CONSTRAINT payment_change_amount_check;
ALTER TABLE payment_change ADD CONSTRAINT payment_change_amount_check CHECK (amount >= 0 AND owed >= 0 AND beyond >= 0 AND amount + owed + beyond > 0) NOT VALID;
ALTER TABLE payment_change VALIDATE CONSTRAINT payment_change_amount_check;
ALTER TABLE payment_change_share ADD COLUMN owed bigint NOT NULL DEFAULT 0 CONSTRAINT payment_change_share_owed_check CHECK (owed >= 0);

-- The charge that a refund, a dispute or a failed bank debit changed; NULL for any other transaction, and for those that the previous
-- release stored.
ALTER TABLE balance_transaction ADD COLUMN changed_charge text;

-- A18. A valid receipt that states more than Stripe left us of its charge. A dispute counts from the moment when its money is withdrawn
-- without being recorded as withheld, or when it is lost.
CREATE VIEW check_receipt_beyond_charge AS
WITH movement AS (
    SELECT b.entity_id, b.id, b.source_id, b.amount, b.booked_at, b.changed_charge AS charge_ref
      FROM balance_transaction b WHERE b.changed_charge IS NOT NULL
    UNION ALL
    SELECT b.entity_id, b.id, b.source_id, b.amount, b.booked_at, p.charge_ref
      FROM (SELECT DISTINCT entity_id, object_id, payment_id FROM payment_change) c
      JOIN balance_transaction b ON b.entity_id = c.entity_id AND b.source_id = c.object_id AND b.changed_charge IS NULL
      JOIN payment p ON p.id = c.payment_id
), withheld AS (
    SELECT w.entity_id, w.object_id FROM payment_change w
     WHERE w.kind = 'dispute withdrawn' AND NOT EXISTS (
           SELECT FROM payment_change e WHERE e.entity_id = w.entity_id AND e.object_id = w.object_id AND e.kind IN ('dispute won', 'dispute lost'))
       AND (SELECT count(*) FROM balance_transaction b WHERE b.entity_id = w.entity_id AND b.source_id = w.object_id) = 1
), gone AS (
    SELECT m.entity_id, m.charge_ref, -sum(m.amount) AS amount, max(m.booked_at) AS since
      FROM movement m
     WHERE NOT EXISTS (SELECT FROM withheld w WHERE w.entity_id = m.entity_id AND w.object_id = m.source_id)
       AND NOT EXISTS (SELECT FROM pending_movement w WHERE w.entity_id = m.entity_id AND w.transaction_id = m.id AND w.cleared_at IS NULL)
     GROUP BY m.entity_id, m.charge_ref
)
SELECT 'A18' AS checker, r.entity_id, r.id::text AS subject,
       'Stripe left ' || p.amount - g.amount || ' of ' || p.amount || ' of charge ' || p.charge_ref || ', in minor units' AS detail, g.since
  FROM gone g
  JOIN payment p ON p.entity_id = g.entity_id AND p.charge_ref = g.charge_ref AND p.processor = 'stripe'
  JOIN receipt r ON r.donation_id = p.donation_id
 WHERE NOT EXISTS (SELECT FROM receipt_void v WHERE v.receipt_id = r.id)
   AND CASE jsonb_typeof(r.facts #> '{amount,minor}') WHEN 'number' THEN (r.facts #> '{amount,minor}')::numeric <= p.amount - g.amount END IS NOT TRUE;
-- The program of the previous release goes on without waiting for grants.sql: it reads no new column and no new view.

-- +goose Down
DROP VIEW check_receipt_beyond_charge;
ALTER TABLE balance_transaction DROP COLUMN changed_charge;
ALTER TABLE payment_change_share DROP COLUMN owed;
-- This fails on purpose if a change took nothing from the gift.
ALTER TABLE payment_change DROP CONSTRAINT payment_change_amount_check;
ALTER TABLE payment_change DROP COLUMN beyond, DROP COLUMN owed;
ALTER TABLE payment_change ADD CONSTRAINT payment_change_amount_check CHECK (amount > 0);
