-- +goose Up
-- A plan follows its subscription whole: what a person or a program does at Stripe shows here.
--   ends_at         when the subscription ends, if that was set at Stripe; nothing is charged from then on
--   ended_because   what is known of the cause of a plan's end; null while it runs. A page says no other cause.
--   disputed_since  since when the donor's bank disputes a payment; nothing is charged meanwhile
-- The program of the release before does not write these columns. A plan that it ends has no cause, which every page can show.
ALTER TABLE plan
    ADD COLUMN ends_at timestamptz,
    ADD COLUMN ended_because text CHECK (ended_because IN ('completed', 'asked', 'unpaid', 'disputed', 'at_stripe', 'unexpected')),
    ADD COLUMN disputed_since timestamptz,
    ADD CHECK (ended_because IS NULL OR ended_at IS NOT NULL);

-- Of plans that have ended, the events say which of them the donor ended. Events of the kind 'cancelled' with the cause 'stripe' are of
-- subscriptions that ended there.
UPDATE plan p SET ended_because = CASE
        WHEN status = 'finished' THEN 'completed'
        WHEN status = 'cancelled' AND EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = p.id AND e.kind = 'cancelled' AND e.cause <> 'stripe') THEN 'asked'
        WHEN status = 'cancelled' THEN 'at_stripe'
        WHEN begun_at IS NULL OR EXISTS (SELECT 1 FROM plan_event e WHERE e.plan_id = p.id AND e.kind = 'given up') THEN 'unpaid'
        ELSE 'unexpected' END
 WHERE ended_at IS NOT NULL;

-- +goose Down
ALTER TABLE plan DROP COLUMN ends_at, DROP COLUMN ended_because, DROP COLUMN disputed_since;
