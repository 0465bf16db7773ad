-- +goose Up
-- A15. An event of Stripe that failed and is set aside. An event whose payload is erased cannot be applied any more: nothing is left to do.
CREATE VIEW check_event_set_aside AS
SELECT 'A15' AS checker, entity_id, id AS subject, 'event ' || type || ' was set aside after ' || failures || ' failures' AS detail, received_at AS since
  FROM stripe_event WHERE state = 'set_aside' AND payload IS NOT NULL;

-- +goose Down
DROP VIEW check_event_set_aside;
