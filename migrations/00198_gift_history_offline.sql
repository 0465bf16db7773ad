-- What happened to a gift without a payment processor, in the words of staff: typed, deposited, on the bank's statement, returned, repaid.

-- +goose Up
-- +goose StatementBegin
-- office_gift_history returns what happened to a gift, in no order, if the person of the staff session sees it; without the role for the entity no
-- fee and no payout.
--
--     step       status of the gift, cause                       payment   method, amount, charge, or the number of the check or transfer
--     fee        amount, balance transaction                      payout    status, reference, day of arrival
--     change     kind of payment_change, amount, its object       order     state of a refund's order, amount, who ordered it, who approved it
--     receipt    number                                           void      number, reason
--     email      kind of email, address, what became of it        moved     to another donor: who ordered it
--     deposit    open or closed, number of the deposit            bank      kind of item that a line of the bank's statement has, name of the account
--     repaid     method, amount, number of a repayment
--
-- A gift without a processor begins with a row that staff typed; a check that came back, and a gift that is void, are changes of their own kind.
CREATE OR REPLACE FUNCTION office_gift_history(of_gift uuid) RETURNS TABLE (at timestamptz, what text, name text, amount bigint, ref text, person text, detail text)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    whole boolean;
BEGIN
    SELECT d.entity_id = ANY(entities) INTO whole FROM donation d WHERE d.id = of_gift
       AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
    IF whole IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE paper AS ( -- the first receipt, and each that replaces one
        SELECT r.id, r.year, r.number, r.facts, r.issued_at FROM receipt r WHERE r.donation_id = of_gift AND r.replaces IS NULL
        UNION ALL SELECT n.id, n.year, n.number, n.facts, n.issued_at FROM paper p JOIN receipt n ON n.replaces = p.id
    )
    SELECT s.at, 'step', CASE WHEN s.status = 'started' AND d.source = 'office' THEN 'typed' ELSE s.status END, NULL::bigint, s.cause, NULL::text, NULL::text FROM donation_step s JOIN donation d ON d.id = s.donation_id WHERE s.donation_id = of_gift
    UNION ALL SELECT p.received_at, 'payment', p.method, p.amount, coalesce(nullif(p.charge_ref, ''), o.number), NULL, NULL
      FROM payment p LEFT JOIN offline_gift o ON o.id = p.id WHERE p.donation_id = of_gift AND p.status = 'settled'
    UNION ALL SELECT b.created_at, 'fee', b.type, b.fee, b.id, NULL, NULL
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref WHERE p.donation_id = of_gift AND p.status = 'settled' AND b.fee <> 0 AND whole
    UNION ALL SELECT (o.arrival_on + time '12:00') AT TIME ZONE e.timezone, 'payout', o.status, NULL, o.payout_ref, NULL, o.id::text
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref
      JOIN payout_member m ON m.transaction_id = b.id AND m.entity_id = b.entity_id JOIN payout o ON o.id = m.payout_id JOIN legal_entity e ON e.id = o.entity_id
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND whole
    UNION ALL SELECT h.at, 'change', c.kind, h.amount + h.owed + h.beyond, CASE WHEN p.processor IS NOT NULL THEN h.object_id END, NULL, NULL
      FROM payment p JOIN payment_change h ON h.payment_id = p.id
      CROSS JOIN LATERAL (SELECT CASE WHEN p.processor IS NOT NULL THEN h.kind
                                      WHEN h.object_id LIKE 'check %' THEN CASE h.kind WHEN 'dispute lost' THEN 'check returned' WHEN 'dispute won' THEN 'check paid' END
                                      WHEN h.object_id LIKE 'void %' THEN CASE h.kind WHEN 'dispute lost' THEN 'void' END
                                      ELSE h.kind END AS kind) c
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND c.kind IS NOT NULL
    UNION ALL SELECT (t.deposited_on + time '12:00') AT TIME ZONE e.timezone, 'deposit', 'closed', NULL, t.n::text, NULL, NULL
      FROM payment p JOIN deposit_item i ON i.gift_id = p.id AND i.left_at IS NULL JOIN deposit t ON t.id = i.deposit_id AND t.closed_at IS NOT NULL
      JOIN legal_entity e ON e.id = t.entity_id WHERE p.donation_id = of_gift AND whole
    UNION ALL SELECT (m.on_date + time '12:00') AT TIME ZONE e.timezone, 'bank', i.kind, NULL, a.slug, NULL, NULL
      FROM payment p JOIN donation d ON d.id = p.donation_id LEFT JOIN deposit_item w ON w.gift_id = p.id AND w.left_at IS NULL LEFT JOIN deposit t ON t.id = w.deposit_id
      JOIN bank_match_item i ON i.entity_id = p.entity_id AND NOT i.undone AND (i.kind = 'gift' AND i.ref = d.public_ref OR i.kind = 'deposit' AND i.ref = t.n::text)
      JOIN bank_match m ON m.id = i.match_id JOIN bank_account a ON a.id = m.account_id JOIN legal_entity e ON e.id = p.entity_id
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND p.processor IS NULL AND whole
    UNION ALL SELECT (y.paid_on + time '12:00') AT TIME ZONE e.timezone, 'repaid', y.method, y.amount, y.number, NULL, NULL
      FROM repayment y JOIN legal_entity e ON e.id = y.entity_id WHERE y.donation_id = of_gift AND y.withdrawn_at IS NULL
    UNION ALL SELECT r.ordered_at, 'order', r.state, r.amount, r.stripe_refund_id, CASE WHEN whole THEN m.name END,
                     CASE WHEN whole THEN (SELECT string_agg(s.name, ', ' ORDER BY y.n) FROM approval y JOIN staff s ON s.id = y.staff_id
                                            WHERE y.request_id = r.request_id AND y.decision = 'approve') END
      FROM refund_order r LEFT JOIN staff m ON m.id = r.requested_by WHERE r.donation_id = of_gift
    UNION ALL SELECT r.issued_at, 'receipt', '', NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text FROM paper r
    UNION ALL SELECT v.voided_at, 'void', v.reason, NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text
      FROM paper r JOIN receipt_void v ON v.receipt_id = r.id
    UNION ALL SELECT y.ordered_at, 'email', l.kind, NULL, y.recipient, NULL,
                     CASE WHEN y.accepted_at IS NOT NULL THEN 'accepted' WHEN y.refused_at IS NOT NULL THEN 'refused' WHEN y.declined_at IS NOT NULL THEN 'declined' ELSE 'waiting' END
      FROM (SELECT of_gift AS id UNION ALL SELECT r.id FROM paper r
            UNION ALL SELECT n.id FROM donation_notice n WHERE n.donation_id = of_gift
            UNION ALL SELECT t.id FROM payment p JOIN thank_you t ON t.gift_id = p.id WHERE p.donation_id = of_gift) s
      JOIN letter l ON l.subject_id = s.id JOIN letter_delivery y ON y.letter_id = l.id
    UNION ALL SELECT c.at, 'moved', '', NULL, NULL, c.ordered_by, NULL FROM donation_owner_change c WHERE c.donation_id = of_gift;
END $$;

-- office_gift_entries returns the postings about a gift that the person of the staff session may see: all, with the role for the entity; those in
-- the funds of their organisations otherwise. It finds entries by the ids of the facts that they book; the entry of a deposit, which books many gifts, is
-- not among them.
CREATE OR REPLACE FUNCTION office_gift_entries(of_gift uuid) RETURNS TABLE (entry_id uuid, entry_date date, kind text, serial bigint, n smallint, account_code text, fund_id uuid, amount bigint)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    funds         uuid[] := office_funds('{finance,auditor}');
BEGIN
    RETURN QUERY
    WITH gift AS (
        SELECT d.id, d.entity_id, d.payment_intent_id, d.entity_id = ANY(entities) AS whole
          FROM donation d WHERE d.id = of_gift AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations))
    ), fact AS (
        SELECT g.payment_intent_id AS id FROM gift g
        UNION SELECT p.intent_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.charge_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.id::text FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT h.object_id FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled' JOIN payment_change h ON h.payment_id = p.id
        UNION SELECT r.id::text FROM gift g JOIN refund_order r ON r.donation_id = g.id
        UNION SELECT i.match_id::text FROM gift g JOIN donation d ON d.id = g.id JOIN bank_match_item i ON i.entity_id = g.entity_id AND i.kind IN ('returned', 'gift') AND i.ref = d.public_ref
        UNION SELECT i.match_id::text FROM gift g JOIN repayment y ON y.donation_id = g.id JOIN bank_match_item i ON i.entity_id = g.entity_id AND i.kind = 'refund' AND i.ref = y.n::text
    ), source AS (
        SELECT f.id FROM fact f WHERE f.id IS NOT NULL
        UNION SELECT b.id FROM gift g JOIN fact f ON true JOIN balance_transaction b ON b.entity_id = g.entity_id AND b.source_id = f.id
    )
    SELECT e.id, e.entry_date, e.kind, e.serial, p.n, p.account_code, p.fund_id, p.amount
      FROM gift g JOIN source s ON true JOIN journal_entry e ON e.source_id = s.id AND e.entity_id = g.entity_id JOIN posting p ON p.entry_id = e.id
     WHERE g.whole OR p.fund_id = ANY(funds);
END $$;
-- +goose StatementEnd


-- +goose Down
-- +goose StatementBegin
-- office_gift_history returns what happened to a gift, in no order, if the person of the staff session sees it; without the role for the entity no
-- fee and no payout.
--
--     step       status of the gift, cause                       payment   method, amount, charge
--     fee        amount, balance transaction                      payout    status, reference, day of arrival
--     change     kind of payment_change, amount, its object       order     state of a refund's order, amount, who ordered it, who approved it
--     receipt    number                                           void      number, reason
--     email      kind of email, address, what became of it        moved     to another donor: who ordered it
CREATE OR REPLACE FUNCTION office_gift_history(of_gift uuid) RETURNS TABLE (at timestamptz, what text, name text, amount bigint, ref text, person text, detail text)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    whole boolean;
BEGIN
    SELECT d.entity_id = ANY(entities) INTO whole FROM donation d WHERE d.id = of_gift
       AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations));
    IF whole IS NULL THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH RECURSIVE paper AS ( -- the first receipt, and each that replaces one
        SELECT r.id, r.year, r.number, r.facts, r.issued_at FROM receipt r WHERE r.donation_id = of_gift AND r.replaces IS NULL
        UNION ALL SELECT n.id, n.year, n.number, n.facts, n.issued_at FROM paper p JOIN receipt n ON n.replaces = p.id
    )
    SELECT s.at, 'step', s.status, NULL::bigint, s.cause, NULL::text, NULL::text FROM donation_step s WHERE s.donation_id = of_gift
    UNION ALL SELECT p.received_at, 'payment', p.method, p.amount, p.charge_ref, NULL, NULL FROM payment p WHERE p.donation_id = of_gift AND p.status = 'settled'
    UNION ALL SELECT b.created_at, 'fee', b.type, b.fee, b.id, NULL, NULL
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref WHERE p.donation_id = of_gift AND p.status = 'settled' AND b.fee <> 0 AND whole
    UNION ALL SELECT (o.arrival_on + time '12:00') AT TIME ZONE e.timezone, 'payout', o.status, NULL, o.payout_ref, NULL, o.id::text
      FROM payment p JOIN balance_transaction b ON b.entity_id = p.entity_id AND b.source_id = p.charge_ref
      JOIN payout_member m ON m.transaction_id = b.id AND m.entity_id = b.entity_id JOIN payout o ON o.id = m.payout_id JOIN legal_entity e ON e.id = o.entity_id
     WHERE p.donation_id = of_gift AND p.status = 'settled' AND whole
    UNION ALL SELECT h.at, 'change', h.kind, h.amount + h.owed + h.beyond, h.object_id, NULL, NULL
      FROM payment p JOIN payment_change h ON h.payment_id = p.id WHERE p.donation_id = of_gift AND p.status = 'settled'
    UNION ALL SELECT r.ordered_at, 'order', r.state, r.amount, r.stripe_refund_id, CASE WHEN whole THEN m.name END,
                     CASE WHEN whole THEN (SELECT string_agg(s.name, ', ' ORDER BY y.n) FROM approval y JOIN staff s ON s.id = y.staff_id
                                            WHERE y.request_id = r.request_id AND y.decision = 'approve') END
      FROM refund_order r LEFT JOIN staff m ON m.id = r.requested_by WHERE r.donation_id = of_gift
    UNION ALL SELECT r.issued_at, 'receipt', '', NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text FROM paper r
    UNION ALL SELECT v.voided_at, 'void', v.reason, NULL, receipt_reference(r.facts, r.year, r.number), NULL, r.id::text
      FROM paper r JOIN receipt_void v ON v.receipt_id = r.id
    UNION ALL SELECT y.ordered_at, 'email', l.kind, NULL, y.recipient, NULL,
                     CASE WHEN y.accepted_at IS NOT NULL THEN 'accepted' WHEN y.refused_at IS NOT NULL THEN 'refused' WHEN y.declined_at IS NOT NULL THEN 'declined' ELSE 'waiting' END
      FROM (SELECT of_gift AS id UNION ALL SELECT r.id FROM paper r
            UNION ALL SELECT n.id FROM donation_notice n WHERE n.donation_id = of_gift) s
      JOIN letter l ON l.subject_id = s.id JOIN letter_delivery y ON y.letter_id = l.id
    UNION ALL SELECT c.at, 'moved', '', NULL, NULL, c.ordered_by, NULL FROM donation_owner_change c WHERE c.donation_id = of_gift;
END $$;

-- office_gift_entries returns the postings about a gift that the person of the staff session may see: all, with the role for the entity; those in
-- the funds of their organisations otherwise. It finds entries by the ids of the facts that they book.
CREATE OR REPLACE FUNCTION office_gift_entries(of_gift uuid) RETURNS TABLE (entry_id uuid, entry_date date, kind text, serial bigint, n smallint, account_code text, fund_id uuid, amount bigint)
STABLE SECURITY DEFINER LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
#variable_conflict use_column
DECLARE
    entities      uuid[] := office_entities('{finance,auditor}');
    organisations uuid[] := office_organisations('{finance,auditor}');
    funds         uuid[] := office_funds('{finance,auditor}');
BEGIN
    RETURN QUERY
    WITH gift AS (
        SELECT d.id, d.entity_id, d.payment_intent_id, d.entity_id = ANY(entities) AS whole
          FROM donation d WHERE d.id = of_gift AND (d.entity_id = ANY(entities) OR d.organisation_id = ANY(organisations))
    ), fact AS (
        SELECT g.payment_intent_id AS id FROM gift g
        UNION SELECT p.intent_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.charge_ref FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT p.id::text FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled'
        UNION SELECT h.object_id FROM gift g JOIN payment p ON p.donation_id = g.id AND p.status = 'settled' JOIN payment_change h ON h.payment_id = p.id
        UNION SELECT r.id::text FROM gift g JOIN refund_order r ON r.donation_id = g.id
    ), source AS (
        SELECT f.id FROM fact f WHERE f.id IS NOT NULL
        UNION SELECT b.id FROM gift g JOIN fact f ON true JOIN balance_transaction b ON b.entity_id = g.entity_id AND b.source_id = f.id
    )
    SELECT e.id, e.entry_date, e.kind, e.serial, p.n, p.account_code, p.fund_id, p.amount
      FROM gift g JOIN source s ON true JOIN journal_entry e ON e.source_id = s.id AND e.entity_id = g.entity_id JOIN posting p ON p.entry_id = e.id
     WHERE g.whole OR p.fund_id = ANY(funds);
END $$;
-- +goose StatementEnd
