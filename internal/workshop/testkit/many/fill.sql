-- The gifts konbit.before + 1 to konbit.before + konbit.gifts, settled.
-- STABLE lets the planner write a function's body in its place; a body must use each expensive argument once.
CREATE OR REPLACE FUNCTION pg_temp.id(at timestamptz, what text) RETURNS uuid STABLE LANGUAGE sql AS $$
    SELECT overlay(overlay(overlay(md5(what) PLACING lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') FROM 1) PLACING '7' FROM 13) PLACING '8' FROM 17)::uuid
$$;
CREATE OR REPLACE FUNCTION pg_temp.number(hash text, place integer) RETURNS integer STABLE LANGUAGE sql AS $$
    SELECT ('x' || substr(hash, place, 7))::bit(28)::integer
$$;
CREATE OR REPLACE FUNCTION pg_temp.field(name text, value text) RETURNS text STABLE LANGUAGE sql AS $$ -- of a fact's hash: ledger.Fact
    SELECT octet_length(name) || ':' || name || octet_length(value) || ':' || value
$$;

CREATE TEMPORARY TABLE gift ON COMMIT DROP AS
WITH place AS (
    SELECT f.id AS fund_id, f.name->>'en' AS fund_name, f.purpose->>'en' AS purpose, f.restriction <> 'none' AS restricted,
           o.id AS organisation_id, o.slug AS organisation_slug, o.name->>'en' AS organisation, o.sponsored, o.accent,
           e.id AS entity_id, e.slug AS entity_slug, e.legal_name, e.ein, e.address, e.timezone, e.currency, e.mail_from, e.sponsor_of,
           e.fee_basis_points, e.fee_fixed, e.sponsor_basis_points,
           operations.id AS operations_id, row_number() OVER (ORDER BY f.id) - 1 AS place, count(*) OVER () AS places
      FROM fund f JOIN organisation o ON o.id = f.organisation_id JOIN legal_entity e ON e.id = f.entity_id
      JOIN fund operations ON operations.entity_id = e.id AND operations.organisation_id IS NULL
     WHERE f.closed_at IS NULL AND e.fee_borne_by = 'fund'
), pressed AS (
    SELECT k, md5(current_setting('konbit.seed') || ' ' || k) AS hash, start + k * interval '30 seconds' AS at,
           start + (k - 1) / 30000 * 30000 * interval '30 seconds' AS donor_at
      FROM generate_series(current_setting('konbit.before')::integer + 1, current_setting('konbit.before')::integer + current_setting('konbit.gifts')::integer) k,
           (SELECT date_trunc('day', now()) - interval '400 days' AS start) s
), given AS (
    SELECT p.*, g.*, 100 * (5 + pg_temp.number(g.hash, 1) % 196) AS amount, (k - 1) / 30000 * 10000 + pg_temp.number(g.hash, 8) % 10000 AS donor -- ten thousand people give thirty thousand gifts
      FROM pressed g JOIN place p ON p.place = pg_temp.number(g.hash, 15) % p.places
), named AS ( -- a person has one name, whatever the seed of the gift; every fourth one has two last names
    SELECT g.*, pg_temp.first_name(pg_temp.number(name, 1)) AS first_name,
           pg_temp.last_name(pg_temp.number(name, 8)) || CASE WHEN pg_temp.number(name, 15) % 4 = 0 THEN ' ' || pg_temp.last_name(pg_temp.number(name, 22)) ELSE '' END AS last_name
      FROM given g CROSS JOIN LATERAL (SELECT md5('name ' || donor) AS name) n
), charged AS (
    SELECT g.*, (amount * fee_basis_points + 5000) / 10000 + fee_fixed AS fee FROM named g
), shared AS (
    SELECT g.*, (CASE sponsor_of WHEN 'net' THEN amount - fee ELSE amount END * sponsor_basis_points + 5000) / 10000 AS sponsor FROM charged g
)
SELECT g.*, 'en' AS language, 'donor' || donor || '@many.example' AS email,
       pg_temp.id(donor_at, entity_id || ' donor ' || donor) AS donor_id, pg_temp.id(at, hash || ' donation') AS id,
       pg_temp.id(at, hash || ' receipt') AS receipt_id, pg_temp.id(at, hash || ' letter') AS letter_id,
       at + interval '40 seconds' AS charged_at, at + interval '41 seconds' AS settled_at, (at + interval '40 seconds') AT TIME ZONE timezone AS local_at,
       'pi_' || left(md5(hash || 'pi'), 24) AS intent, 'ch_' || left(md5(hash || 'ch'), 24) AS charge, 'txn_' || left(md5(hash || 'txn'), 24) AS txn,
       'cs_test_' || md5(hash || 'cs') || hash AS session,
       round(amount / 100.0, 2)::text AS amount_text, round(fee / 100.0, 2)::text AS fee_text
  FROM shared g ORDER BY k;
ANALYZE gift (k, entity_id);

WITH added AS (
    INSERT INTO donor (id, entity_id, email, first_name, last_name, language, first_gift_at, created_at)
    SELECT DISTINCT ON (entity_id, donor) donor_id, entity_id, email, first_name, last_name, language, charged_at, at FROM gift ORDER BY entity_id, donor, k
        ON CONFLICT (entity_id, email) DO NOTHING RETURNING id, entity_id, email, first_name, last_name
), by_email AS (
    INSERT INTO donor_email_word (donor_id, entity_id, word) SELECT DISTINCT a.id, a.entity_id, w FROM added a CROSS JOIN LATERAL unnest(words_of_email(a.email)) w
)
INSERT INTO donor_word (donor_id, entity_id, word)
SELECT DISTINCT a.id, a.entity_id, w FROM added a CROSS JOIN LATERAL unnest(words_of_name(a.first_name, a.last_name, '')) w;

INSERT INTO checkout (donation_id, form_id, form_hash, session_id, session_url, expires_at)
SELECT id, pg_temp.id(at, hash || ' form'), sha256(hash::bytea), session, 'https://checkout.stripe.example/c/pay/' || session, at + interval '35 minutes' FROM gift;
INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency, language, anonymous, news,
    created_at, payment_intent_id, charge_id, charged_at, settled_at, source, tax_date)
SELECT id, entity_id, organisation_id, donor_id, left(md5(hash || 'ref'), 22), 'settled', 'once', amount,
       currency, language, false, false, at, intent, charge, charged_at, settled_at, 'form', local_at::date
  FROM gift;
INSERT INTO payment (id, entity_id, donation_id, method, processor, charge_ref, intent_ref, asset_account, amount, currency, received_at, status, created_at)
SELECT pg_temp.id(settled_at, hash || ' payment'), entity_id, id, 'card', 'stripe', charge, intent, '1010', amount, currency, charged_at, 'settled', settled_at FROM gift;
INSERT INTO donation_contact (donation_id, first_name, last_name, email, phone, address_line1, address_line2, city, region, postal_code, country, note)
SELECT id, first_name, last_name, email, '', '', '', '', '', '', '', '' FROM gift;
INSERT INTO designation (donation_id, n, entity_id, fund_id, amount) SELECT id, 1, entity_id, fund_id, amount FROM gift;
INSERT INTO donation_step (donation_id, at, status, cause)
SELECT id, s.at, s.status, s.cause FROM gift CROSS JOIN LATERAL (VALUES (gift.at, 'started', 'form'), (settled_at, 'settled', charge)) s (at, status, cause);

INSERT INTO stripe_event (entity_id, id, type, api_version, created_at, payload_sha256, received_at, state, tries, due_at, done_at)
SELECT entity_id, 'evt_' || left(md5(hash || type), 24), type, '2023-10-16', charged_at, sha256((hash || type)::bytea), charged_at, 'done', 1, charged_at, settled_at
  FROM gift CROSS JOIN (VALUES ('charge.succeeded'), ('checkout.session.completed')) e (type);

CREATE TEMPORARY TABLE entry ON COMMIT DROP AS
SELECT g.k, g.entity_id, g.fund_id, g.operations_id, g.currency, g.restricted, g.local_at::date AS day, g.amount, g.fee, g.sponsor, e.kind, e.source,
       e.source_id, e.fact, e.dimensions, e.lines, pg_temp.id(g.settled_at, g.hash || e.kind) AS id, s.base + row_number() OVER (ORDER BY g.k, e.place) AS serial
  FROM (SELECT nextval('journal_entry_serial') AS base) s, gift g CROSS JOIN LATERAL (
       VALUES (1, 'payment', 'stripe payment intent', g.intent, 2,
               pg_temp.field('amount', g.amount_text) || pg_temp.field('charge', g.charge) || pg_temp.field('currency', g.currency),
               jsonb_build_object('charge', g.charge, 'donation', g.id, 'donor', g.donor_id)),
              (2, 'processing fee', 'stripe balance transaction', g.txn, CASE WHEN g.restricted THEN 4 ELSE 2 END, NULL, jsonb_build_object('of', g.charge, 'donation', g.id)),
              (3, 'sponsor fee', 'stripe balance transaction', g.txn, CASE WHEN g.restricted THEN 6 ELSE 4 END, NULL, jsonb_build_object('of', g.charge, 'donation', g.id))
       ) v (place, kind, source, source_id, lines, fact, dimensions)
       CROSS JOIN LATERAL (SELECT v.place, v.kind, v.source, v.source_id, v.lines, v.dimensions, sha256(convert_to(coalesce(v.fact,
               pg_temp.field('amount', g.amount_text) || pg_temp.field('currency', g.currency) || pg_temp.field('fee', g.fee_text)
               || pg_temp.field('of', g.charge) || pg_temp.field('type', 'charge')), 'UTF8')) AS fact) e
 WHERE e.place < 3 OR g.sponsor > 0;
SELECT setval('journal_entry_serial', max(serial)) FROM entry;
INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count, dimensions, serial)
SELECT id, entity_id, currency, day, day, source, source_id, kind, fact, lines, dimensions, serial FROM entry ORDER BY serial;
INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
SELECT e.id, p.n, e.entity_id, e.currency, e.lines, e.serial, p.account, p.fund, p.amount
  FROM entry e CROSS JOIN LATERAL (
       SELECT n, account, CASE WHEN operations THEN e.operations_id ELSE e.fund_id END AS fund, l.amount
         FROM (VALUES ('payment', 1, '1010', false, e.amount), ('payment', 2, CASE WHEN e.restricted THEN '4100' ELSE '4000' END, false, -e.amount),
                      ('processing fee', 1, '5100', false, e.fee), ('processing fee', 2, '1010', false, -e.fee),
                      ('processing fee', 3, '4900', false, e.fee), ('processing fee', 4, '4910', false, -e.fee),
                      ('sponsor fee', 1, '3900', false, e.sponsor), ('sponsor fee', 2, '1010', false, -e.sponsor),
                      ('sponsor fee', e.lines - 1, '3900', true, -e.sponsor), ('sponsor fee', e.lines, '1010', true, e.sponsor),
                      ('sponsor fee', CASE WHEN e.restricted THEN 3 END, '4900', false, e.sponsor), ('sponsor fee', CASE WHEN e.restricted THEN 4 END, '4910', false, -e.sponsor)
              ) l (kind, n, account, operations, amount)
        WHERE l.kind = e.kind AND l.n <= e.lines) p
 ORDER BY e.serial, p.n;

INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
SELECT entity_id, txn, 'charge', charge, amount, fee, amount - fee, currency, charged_at, date_trunc('day', charged_at) + interval '2 days', settled_at FROM gift;
INSERT INTO payment_share (payment_id, entity_id, fund_id, gift, fee, sponsor_fee)
SELECT pg_temp.id(settled_at, hash || ' payment'), entity_id, s.fund, s.gift, s.fee, s.sponsor
  FROM gift g CROSS JOIN LATERAL (VALUES (g.fund_id, g.amount, g.fee, g.sponsor), (g.operations_id, 0, 0, -g.sponsor)) s (fund, gift, fee, sponsor)
 WHERE s.gift > 0 OR s.sponsor <> 0;

-- What came to Stripe is paid out, an entity's at once.
CREATE TEMPORARY TABLE payout ON COMMIT DROP AS
SELECT p.*, left(md5(key || entity_id), 24) AS stripe_id, pg_temp.id(at, key || entity_id) AS id,
       (SELECT max(serial) FROM entry) + row_number() OVER (ORDER BY entity_id) AS serial
  FROM (SELECT entity_id, currency, max(at) + interval '1 minute' AS at, (max(local_at) + interval '1 minute')::date AS day, sum(amount - fee) AS net,
               'payout ' || min(hash) AS key FROM gift GROUP BY entity_id, currency) p;
CREATE TEMPORARY TABLE payout_share ON COMMIT DROP AS
SELECT p.*, s.fund, s.amount, row_number() OVER (PARTITION BY p.id ORDER BY s.fund) AS n, 2 * count(*) OVER (PARTITION BY p.id) AS lines
  FROM payout p JOIN (SELECT entity_id, fund, sum(amount) AS amount FROM (
                          SELECT entity_id, fund_id AS fund, amount - fee - sponsor AS amount FROM gift
                          UNION ALL SELECT entity_id, operations_id, sponsor FROM gift) parts
                       GROUP BY entity_id, fund HAVING sum(amount) <> 0) s USING (entity_id);
INSERT INTO balance_transaction (entity_id, id, type, source_id, amount, fee, net, currency, created_at, available_on, booked_at)
SELECT entity_id, 'txn_' || stripe_id, 'payout', 'po_' || stripe_id, -net, 0, -net, currency, at, at, at FROM payout;
INSERT INTO clearing_share (transaction_id, entity_id, fund_id, amount) SELECT 'txn_' || stripe_id, entity_id, fund, -amount FROM payout_share;
SELECT setval('journal_entry_serial', max(serial)) FROM payout;
INSERT INTO journal_entry (id, entity_id, currency, entry_date, fact_date, source, source_id, kind, fact_hash, line_count, dimensions, serial)
SELECT id, entity_id, currency, day, day, 'stripe balance transaction', 'txn_' || stripe_id, 'movement', sha256(convert_to(
           pg_temp.field('amount', '-' || money) || pg_temp.field('currency', currency) || pg_temp.field('fee', '0.00') || pg_temp.field('of', 'po_' || stripe_id)
           || pg_temp.field('type', 'payout'), 'UTF8')), lines, jsonb_build_object('of', 'po_' || stripe_id, 'payout', 'po_' || stripe_id), serial
  FROM (SELECT p.*, round(net / 100.0, 2)::text AS money FROM payout_share p WHERE n = 1) p ORDER BY serial;
INSERT INTO posting (entry_id, n, entity_id, currency, line_count, serial, account_code, fund_id, amount)
SELECT id, 2 * n - side, entity_id, currency, lines, serial, account, fund, sign * amount
  FROM payout_share CROSS JOIN (VALUES (1, '1015', 1), (0, '1010', -1)) v (side, account, sign) ORDER BY serial, 2 * n - side;

CREATE TEMPORARY TABLE number ON COMMIT DROP AS
SELECT g.k, g.year, coalesce(c.last, 0) + row_number() OVER (PARTITION BY g.entity_id, g.year ORDER BY g.k) AS number
  FROM (SELECT k, entity_id, extract(year FROM local_at)::integer AS year FROM gift) g LEFT JOIN receipt_counter c ON c.entity_id = g.entity_id AND c.year = g.year;
INSERT INTO receipt_counter (entity_id, year, last) SELECT entity_id, year, max(number) FROM gift JOIN number USING (k) GROUP BY entity_id, year
    ON CONFLICT (entity_id, year) DO UPDATE SET last = excluded.last;
INSERT INTO receipt (id, entity_id, year, number, donation_id, language, words_version, facts, issued_at)
SELECT receipt_id, entity_id, year, number, id, language, 1, jsonb_build_object(
           'ein', ein, 'email', email, 'accent', accent, 'amount', money, 'timezone', timezone, 'charge_id', charge, 'last_name', last_name,
           'first_name', first_name, 'mail_from', mail_from, 'sponsored', sponsored, 'charged_on', local_at::date, 'legal_name', legal_name,
           'entity_slug', entity_slug, 'organisation', organisation, 'organisation_slug', organisation_slug,
           'lines', jsonb_build_array(jsonb_build_object('fund', fund_name, 'amount', money, 'fund_id', fund_id, 'purpose', coalesce(purpose, ''))),
           'address', array_remove(ARRAY[address->>'line1', address->>'line2', concat(address->>'city', ', ', address->>'region', ' ', address->>'postal_code'), address->>'country'], NULL)
       ), settled_at
  FROM gift JOIN number USING (k) CROSS JOIN LATERAL (SELECT jsonb_build_object('minor', amount, 'currency', currency) AS money) m;

INSERT INTO letter (id, entity_id, kind, subject_id, sender, message_id, message, rendered_at)
SELECT letter_id, entity_id, 'receipt', receipt_id, mail_from, message_id, convert_to(concat_ws(E'\r\n', 'Auto-Submitted: auto-generated', 'Content-Language: en',
           'Message-ID: <' || message_id || '>', 'From: ' || mail_from, 'To: <' || email || '>', 'Subject: Your receipt', '',
           'Thank you for your gift of ' || amount_text || ' ' || currency || ' to ' || organisation || '.', legal_name, ein, ''), 'UTF8'), settled_at
  FROM gift CROSS JOIN LATERAL (SELECT 'receipt.' || receipt_id || '@' || rtrim(split_part(mail_from, '@', 2), '>') AS message_id) m;
INSERT INTO letter_delivery (id, letter_id, recipient, cause, ordered_by, ordered_at, tries, smtp_reply, accepted_at)
SELECT pg_temp.id(settled_at, hash || ' delivery'), letter_id, email, 'first', 'konbit', settled_at, 1, '2.0.0 OK: queued', settled_at + interval '1 second' FROM gift;
