-- +goose Up
ALTER TABLE donation VALIDATE CONSTRAINT donation_given_by_check;

-- +goose Down
SELECT 1;
