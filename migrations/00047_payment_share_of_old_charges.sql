-- +goose Up
-- Charges that were booked and have no payment get one in suspense first; then a join finds every payment.
SELECT payment_of_charge(s.entity_id, s.charge_id) FROM (SELECT DISTINCT entity_id, charge_id FROM charge_share
        UNION SELECT entity_id, charge_id FROM charge_change) s
 WHERE NOT EXISTS (SELECT FROM payment p WHERE p.entity_id = s.entity_id AND p.processor = 'stripe' AND p.charge_ref = s.charge_id);
INSERT INTO payment_share (payment_id, entity_id, fund_id, gift, fee, sponsor_fee)
SELECT p.id, s.entity_id, s.fund_id, s.gift, s.fee, s.sponsor
  FROM charge_share s LEFT JOIN payment p ON p.entity_id = s.entity_id AND p.processor = 'stripe' AND p.charge_ref = s.charge_id
    ON CONFLICT DO NOTHING;
INSERT INTO payment_change (entity_id, object_id, kind, payment_id, amount, at)
SELECT h.entity_id, h.object_id, h.kind, p.id, h.amount, h.at
  FROM charge_change h LEFT JOIN payment p ON p.entity_id = h.entity_id AND p.processor = 'stripe' AND p.charge_ref = h.charge_id
    ON CONFLICT DO NOTHING;
INSERT INTO payment_change_share (entity_id, object_id, kind, fund_id, amount, fee, sponsor_fee, absorbed)
SELECT entity_id, object_id, kind, fund_id, amount, fee, sponsor, borne FROM charge_change_share
    ON CONFLICT DO NOTHING;

-- +goose Down
-- The old tables still have every row: nothing is lost when 00046 drops its tables.
SELECT 1;
