-- +goose Up
-- What makes up the difference between clearing (1010) and Stripe's balance, for the proof of a month. Read by internal/office/clearing.

CREATE VIEW clearing_movement WITH (security_invoker = true) AS
SELECT b.entity_id, b.currency, b.type, b.net, b.created_at FROM balance_transaction b;

-- Gifts that are booked, and whose movement at Stripe is not imported yet.
CREATE VIEW clearing_ahead WITH (security_invoker = true) AS
SELECT e.entity_id, f.charge_id, e.entry_date, sum(p.amount)::bigint AS amount
  FROM fee_due f
  JOIN journal_entry e ON e.entity_id = f.entity_id AND e.kind = 'payment' AND e.source = 'stripe payment intent' AND e.dimensions ->> 'charge' = f.charge_id
   AND e.entry_date >= (SELECT min(charged_at) FROM fee_due)::date - 2
  JOIN posting p ON p.entry_id = e.id AND p.account_code = '1010'
 GROUP BY e.entity_id, f.charge_id, e.entry_date;

-- What Stripe had when its balance was read last, and was not among its movements that are stored here: money from before the first import.
CREATE VIEW clearing_unread WITH (security_invoker = true) AS
SELECT DISTINCT ON (o.entity_id) o.entity_id, o.at, o.held, (o.held - o.kept)::bigint AS amount
  FROM balance_observation o JOIN books k ON k.entity_id = o.entity_id AND k.currency = o.currency ORDER BY o.entity_id, o.at DESC;

-- +goose Down
DROP VIEW clearing_unread, clearing_ahead, clearing_movement;
