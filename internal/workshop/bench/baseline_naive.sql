\set n :n + 1
\set gift :client_id * 1000000 + :n
BEGIN;
INSERT INTO event (id, body) VALUES ('evt_' || :gift, :body);
SELECT amount, fund_id FROM gift WHERE id = :gift FOR UPDATE \gset
UPDATE gift SET status = 'settled', charge = 'ch_' || :gift, settled_at = now() WHERE id = :gift;
INSERT INTO entry (gift_id) VALUES (:gift) RETURNING id AS entry \gset
INSERT INTO posting VALUES (:entry, 1, '1010', :fund_id, :amount), (:entry, 2, '4100', :fund_id, - :amount::bigint);
UPDATE balance SET amount = amount + :amount WHERE fund_id = :fund_id AND account = '1010';
UPDATE balance SET amount = amount - :amount WHERE fund_id = :fund_id AND account = '4100';
UPDATE counter SET last = last + 1 WHERE year = 2026 RETURNING last AS number \gset
INSERT INTO receipt (year, number, gift_id, facts) VALUES (2026, :number, :gift, '{"donor": "Donor Example", "amount": 2000, "currency": "USD", "charged_on": "2026-11-21", "fund": "Where it is needed most", "legal_name": "TSNE MissionWorks", "ein": "12-3456789"}');
INSERT INTO job (kind, args) VALUES ('receipt_letter', jsonb_build_object('gift', :gift::bigint));
COMMIT;
