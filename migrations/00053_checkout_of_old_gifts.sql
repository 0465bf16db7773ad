-- +goose Up
-- What was begun before on our form gets its checkout. Donations that change meanwhile are not waited for: the triggers of 00052 write theirs.
INSERT INTO checkout (donation_id, form_id, form_hash, try, session_id, session_url, expires_at, ended)
SELECT id, form_id, form_hash, checkout_try, checkout_session_id, checkout_url, checkout_expires_at, status IN ('expired', 'failed')
  FROM donation WHERE source = 'form' AND form_id IS NOT NULL
    ON CONFLICT (donation_id) DO NOTHING;

-- The erasure finds Stripe's events by the payment page's id, which is the checkout's now.
-- +goose StatementBegin
DO $$
DECLARE
    before text := pg_get_functiondef('erase_people'::regproc);
    after  text := replace(before, 'SELECT unnest(ARRAY[id::text, checkout_session_id]) AS word FROM donation WHERE id = ANY(gifts)',
        'SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)');
BEGIN
    IF after = before THEN
        RAISE EXCEPTION 'erase_people does not read what this migration changes';
    END IF;
    EXECUTE after;
END $$;
-- +goose StatementEnd

-- +goose Down
-- +goose StatementBegin
DO $$
DECLARE
    before text := pg_get_functiondef('erase_people'::regproc);
    after  text := replace(before, 'SELECT unnest(gifts)::text AS word UNION ALL SELECT session_id FROM checkout WHERE donation_id = ANY(gifts)',
        'SELECT unnest(ARRAY[id::text, checkout_session_id]) AS word FROM donation WHERE id = ANY(gifts)');
BEGIN
    IF after = before THEN
        RAISE EXCEPTION 'erase_people does not read what this migration changes';
    END IF;
    EXECUTE after;
END $$;
-- +goose StatementEnd
