-- +goose Up
-- Room recurring: a plan can be moved to another of its donor's customers at Stripe, whose card was mended.
ALTER TABLE plan ADD anchor_day smallint NOT NULL DEFAULT 0 CHECK (anchor_day BETWEEN 0 AND 31); -- of the month, UTC; 0: not known

-- A bill that was not paid where its plan was charged before; nobody at Stripe collects it, it is charged from here.
ALTER TABLE instalment ADD ours boolean NOT NULL DEFAULT false;
CREATE INDEX instalment_owed ON instalment (plan_id) WHERE ours AND n IS NULL AND NOT refused;

-- +goose Down
ALTER TABLE instalment DROP ours;
ALTER TABLE plan DROP anchor_day;
