-- +goose Up
-- A line's amount in another currency (foreign_currency, foreign_amount, rate: all or none, since 00003) says the same money: it has the
-- line's sign and another currency than the books. The program writes these columns and the dimensions of a line from now on.
ALTER TABLE posting
    ADD CONSTRAINT posting_foreign_amount CHECK (foreign_currency <> currency AND sign(foreign_amount) = sign(amount)),
    ADD CONSTRAINT posting_dimensions_are_named CHECK (jsonb_typeof(dimensions) = 'object');

-- +goose Down
ALTER TABLE posting DROP CONSTRAINT posting_foreign_amount, DROP CONSTRAINT posting_dimensions_are_named;
