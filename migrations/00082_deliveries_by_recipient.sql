-- +goose Up
-- An operator corrects the address of a receipt. The plan then belongs to the person who reads the corrected address (internal/mail/plan_address.go), so
-- each sign-in asks to whom emails were sent.
CREATE INDEX letter_delivery_of_recipient ON letter_delivery (lower(recipient));

-- +goose Down
DROP INDEX letter_delivery_of_recipient;
