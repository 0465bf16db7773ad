-- +goose Up
-- Corrections of addresses that were recorded before migration 00096 move their gifts: emails about a plan's receipts that were sent to another
-- address, and receipts that replace one with another address. The last one of a plan or single donation counts. A receipt of a single donation
-- that was sent elsewhere moves nothing: it may have been a copy for somebody else. If an erasure has removed the address since, the plan moves
-- to a donor without an address: nobody gets emails about it, and not the reader of the mistyped address.
-- The corrections are read before anything is locked; then each gift locks its own rows only.
-- +goose StatementBegin
DO $$
DECLARE
    c record;
BEGIN
    FOR c IN
        WITH correction AS (
            SELECT l.subject_id AS receipt_id, d.recipient AS address, d.ordered_at AS at, d.ordered_by, false AS replaced
              FROM letter_delivery d JOIN letter l ON l.id = d.letter_id WHERE d.cause = 'address' AND l.kind IN ('receipt', 'receipt_replaced', 'receipt_voided')
            UNION ALL
            SELECT n.id, coalesce(n.facts ->> 'email', ''), n.issued_at, v.ordered_by, true
              FROM receipt n JOIN receipt o ON o.id = n.replaces LEFT JOIN receipt_void v ON v.receipt_id = o.id
             WHERE coalesce(n.facts ->> 'email', '') <> coalesce(o.facts ->> 'email', '')
        )
        SELECT DISTINCT ON (coalesce(g.plan_id, i.plan_id, g.id)) x.receipt_id, nullif(lower(btrim(x.address)), '') AS address,
               coalesce(nullif(x.ordered_by, ''), 'konbit') AS ordered_by
          FROM correction x JOIN receipt r ON r.id = x.receipt_id JOIN donation g ON g.id = r.donation_id LEFT JOIN instalment i ON i.donation_id = g.id
         WHERE (x.replaced OR coalesce(g.plan_id, i.plan_id) IS NOT NULL)
           AND NOT EXISTS (SELECT FROM erasure_donor e WHERE e.donor_id = g.donor_id AND e.erased_at IS NOT NULL)
           AND (x.address = '' OR lower(btrim(x.address)) ~ '^[^@[:space:]]{1,64}@[^@[:space:]]{3,}$' AND lower(x.address) !~ '@invalid$')
         ORDER BY coalesce(g.plan_id, i.plan_id, g.id), x.at DESC, x.receipt_id
    LOOP
        PERFORM move_gift(c.receipt_id, c.address, gen_random_uuid(), c.ordered_by, 'an address that was corrected before migration 00096');
    END LOOP;
END $$;
-- +goose StatementEnd
ALTER TABLE server_limit VALIDATE CONSTRAINT server_limit_moved_a_day_check;

-- +goose Down
-- The Down of migration 00096 moves all gifts back.
SELECT 1;
