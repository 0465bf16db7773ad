-- +goose Up
-- What a scrape of the metrics and the erasing of old payloads look for, without reading what is done.
CREATE INDEX stripe_event_set_aside ON stripe_event (received_at) WHERE state = 'set_aside';
CREATE INDEX stripe_event_payload ON stripe_event (received_at) WHERE payload IS NOT NULL;
CREATE INDEX letter_delivery_unaccepted ON letter_delivery (ordered_at) WHERE accepted_at IS NULL;

-- +goose Down
DROP INDEX letter_delivery_unaccepted, stripe_event_payload, stripe_event_set_aside;
