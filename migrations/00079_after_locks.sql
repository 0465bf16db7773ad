-- +goose Up
-- These statements scan tables. They run after the migrations that prepared them have released their locks, so that settling goes on.

-- Neither reads nor writes wait for these.
ALTER TABLE journal_entry VALIDATE CONSTRAINT journal_entry_dates;
ALTER TABLE posting VALIDATE CONSTRAINT posting_amount_is_possible;

-- Receipts of organisations that were erased before migration 00077 lose the name.
SELECT set_config('konbit.erasing', 'yes', true);
UPDATE receipt r SET facts = personless(r.facts) FROM donation g
 WHERE g.id = r.donation_id AND r.facts ? 'donor_organisation'
   AND EXISTS (SELECT FROM erasure_donor n WHERE n.donor_id = g.donor_id AND n.erased_at IS NOT NULL);
SELECT set_config('konbit.erasing', '', true);

-- +goose Down
-- The rules stay as they are for new rows. An erased name does not come back.
ALTER TABLE posting DROP CONSTRAINT posting_amount_is_possible;
ALTER TABLE posting ADD CONSTRAINT posting_amount_is_possible CHECK (amount BETWEEN -1000000000000000 AND 1000000000000000) NOT VALID;
ALTER TABLE journal_entry DROP CONSTRAINT journal_entry_dates;
ALTER TABLE journal_entry ADD CONSTRAINT journal_entry_dates CHECK (fact_date >= '2000-01-01' AND entry_date < '2100-01-01') NOT VALID;
