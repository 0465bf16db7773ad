-- +goose Up
-- A17. A row that names a person who was erased. It has two parts:
--
--   * rows that belong to an erased donor and are not in their erased form; found here, without knowing any name;
--   * rows that contain an erased address and are older than the erasure, whoever they belong to. Only the program can compare: addresses are
--     known by hashes under SECRET_KEY, which no dump contains. It reads stored_address each night and stores what it finds in
--     erasure_trace. Whole addresses are compared, never parts of them. Names are not compared: other people have the same.

-- Rows that contain an erased address, as of the last comparison.
CREATE TABLE erasure_trace (
    place      text NOT NULL, -- the table
    subject    text NOT NULL, -- the row
    noticed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (place, subject)
);

-- The day of the last comparison, with a mark that needs SECRET_KEY: the server's role alone cannot forge it.
CREATE TABLE erasure_trace_run (
    day date NOT NULL PRIMARY KEY,
    mac bytea NOT NULL
);

-- When each address was last erased. An erasure that is repeated, or that an upgrade or a restored backup recorded anew, has the time of its
-- first run: a donor who came back later is a new person.
CREATE VIEW erased_address AS
SELECT a.mac, max(erased_at(a.erasure_id)) AS at FROM erasure_address a WHERE erased_at(a.erasure_id) IS NOT NULL GROUP BY a.mac;

-- payload_addresses returns what looks like an email address in a payload, in lower case.
-- +goose StatementBegin
CREATE FUNCTION payload_addresses(payload bytea) RETURNS SETOF text IMMUTABLE LANGUAGE plpgsql AS $$
DECLARE
    content text;
BEGIN
    BEGIN
        content := convert_from(payload, 'UTF8');
    EXCEPTION WHEN data_exception THEN
        content := encode(payload, 'escape');
    END;
    RETURN QUERY SELECT lower(m[1]) FROM regexp_matches(content, '([^[:space:]"<>(),:;\\]+@[^[:space:]"<>(),:;\\]+)', 'g') m;
END $$;
-- +goose StatementEnd

-- Every address that is stored, with the row that contains it and since when. What is about a donor is not older than the donor: a server
-- reads its clock before it waits for an erasure. It leaves out what a donor wrote about others (tribute cards) and emails to auditors.
CREATE VIEW stored_address AS
SELECT 'donor' AS place, d.id::text AS subject, d.email AS address, coalesce(d.recorded_at, d.created_at) AS since
  FROM donor d WHERE d.email IS NOT NULL AND d.email <> 'forgotten-' || d.id || '@invalid'
UNION ALL
SELECT 'donation_contact', c.donation_id::text, c.email, greatest(g.created_at, d.recorded_at)
  FROM donation_contact c JOIN donation g ON g.id = c.donation_id JOIN donor d ON d.id = g.donor_id WHERE c.email <> ''
UNION ALL
SELECT 'receipt', r.id::text, r.facts ->> 'email', greatest(r.issued_at, d.recorded_at)
  FROM receipt r JOIN donation g ON g.id = r.donation_id JOIN donor d ON d.id = g.donor_id WHERE r.facts ->> 'email' <> ''
UNION ALL
SELECT 'statement_person', s.id::text, p.person ->> 'email', s.issued_at FROM statement_person p JOIN statement s ON s.id = p.statement_id
 WHERE p.person ->> 'email' <> ''
UNION ALL
SELECT 'letter_delivery', d.id::text, d.recipient, d.ordered_at FROM letter_delivery d JOIN letter l ON l.id = d.letter_id
 WHERE d.recipient <> '' AND l.kind <> 'card' AND l.kind <> 'head'
UNION ALL
SELECT 'mailbox', m.person_id::text, m.email, m.proved_at FROM mailbox m
UNION ALL
SELECT 'mailbox_step', m.n::text, m.email, m.at FROM mailbox_step m
UNION ALL
SELECT 'sign_in', s.id::text, s.email, s.asked_at FROM sign_in s
UNION ALL
SELECT 'session', s.id::text, s.email, s.opened_at FROM session s
UNION ALL
SELECT 'stripe_event', e.id, a.address, e.received_at FROM stripe_event e CROSS JOIN LATERAL payload_addresses(e.payload) a (address)
 WHERE e.payload IS NOT NULL AND position('\x40'::bytea IN e.payload) > 0;

CREATE VIEW check_erased_person AS
WITH erased AS MATERIALIZED (
    SELECT n.donor_id AS id, max(n.erased_at) AS at FROM erasure_donor n WHERE n.erased_at IS NOT NULL GROUP BY n.donor_id
), gift AS MATERIALIZED (
    SELECT g.id, g.entity_id, x.at FROM erased x JOIN donation g ON g.donor_id = x.id
), of_plan AS MATERIALIZED (
    SELECT p.id, p.entity_id, x.at FROM erased x JOIN plan p ON p.donor_id = x.id
), receipts AS MATERIALIZED (
    SELECT r.id, g.entity_id, g.at, r.facts FROM gift g JOIN receipt r ON r.donation_id = g.id
), of_statement AS MATERIALIZED (
    SELECT s.id, s.entity_id, x.at FROM erased x JOIN statement s ON s.donor_id = x.id
), email AS MATERIALIZED (
    SELECT l.id, l.entity_id, s.at, l.message FROM (
        SELECT id, at FROM gift UNION ALL SELECT id, at FROM receipts UNION ALL SELECT id, at FROM of_statement
         UNION ALL SELECT e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id
         UNION ALL SELECT n.erasure_id, x.at FROM erased x JOIN erasure_donor n ON n.donor_id = x.id) s
      JOIN letter l ON l.subject_id = s.id
), found AS (
    SELECT d.entity_id, 'donor ' || d.id AS subject, x.at FROM erased x JOIN donor d ON d.id = x.id
     WHERE d.email IS DISTINCT FROM 'forgotten-' || d.id || '@invalid' OR d.news_consented_at IS NOT NULL
        OR concat(d.first_name, d.last_name, d.organisation_name, d.phone, d.address_line1, d.address_line2, d.city, d.region, d.postal_code, d.country) <> ''
    UNION ALL SELECT g.entity_id, 'donation_contact ' || g.id, g.at FROM gift g JOIN donation_contact c ON c.donation_id = g.id
    UNION ALL SELECT r.entity_id, 'receipt ' || r.id, r.at FROM receipts r WHERE r.facts <> personless(r.facts)
    UNION ALL SELECT s.entity_id, 'statement_person ' || s.id, s.at FROM of_statement s JOIN statement_person p ON p.statement_id = s.id
    UNION ALL SELECT l.entity_id, 'letter ' || l.id, l.at FROM email l WHERE l.message <> ''
    UNION ALL SELECT l.entity_id, 'letter_delivery ' || d.id, l.at FROM email l JOIN letter_delivery d ON d.letter_id = l.id WHERE d.recipient <> ''
    UNION ALL SELECT p.entity_id, 'plan ' || p.id, o.at FROM of_plan o JOIN plan p ON p.id = o.id
     WHERE p.card_brand IS NOT NULL OR p.card_last4 IS NOT NULL OR p.card_expires IS NOT NULL
    UNION ALL SELECT p.entity_id, 'plan_event ' || e.id, p.at FROM of_plan p JOIN plan_event e ON e.plan_id = p.id WHERE e.detail <> cardless(e.detail)
    UNION ALL SELECT p.entity_id, 'plan_request ' || q.id, p.at FROM of_plan p JOIN plan_request q ON q.plan_id = p.id WHERE q.detail <> cardless(q.detail)
    UNION ALL SELECT NULL::uuid AS uuid, t.place || ' ' || t.subject, t.noticed_at FROM erasure_trace t
)
SELECT 'A17' AS checker, f.entity_id, f.subject, 'it names a person who was erased' AS detail, max(f.at) AS since
  FROM found f GROUP BY f.entity_id, f.subject
UNION ALL -- the server's role may write the address of an erased donor; only erase_people erases
SELECT 'A17', d.entity_id, 'donor ' || d.id, 'it has the address of an erased donor, and nobody was erased', d.created_at
  FROM donor d
 WHERE d.email = 'forgotten-' || d.id || '@invalid' AND NOT EXISTS (SELECT FROM erased x WHERE x.id = d.id)
   AND EXISTS (SELECT FROM donation g WHERE g.donor_id = d.id AND g.status = 'settled');

-- +goose Down
DROP VIEW check_erased_person, stored_address, erased_address;
DROP FUNCTION payload_addresses;
DROP TABLE erasure_trace, erasure_trace_run;
