-- +goose Up
-- discounted is what the next charge of a plan comes to, in minor units, if a discount or a credit at Stripe lowers it;
-- null: the next charge comes to amount. The program of the release before does not write it.
ALTER TABLE plan ADD COLUMN discounted bigint;

-- +goose Down
ALTER TABLE plan DROP COLUMN discounted;
