-- What the operator does about two accounts that were joined to one person by mistake.

-- +goose Up
-- +goose StatementBegin
-- split_staff makes an account a person of its own again, and returns the account that is its own person now and the one it was joined with; no row if
-- it was joined with none. Only the owner's role may: two accounts that count as two persons can approve what the other requests. Other accounts
-- that were joined with a person's first account stay one person when that account is split off.
CREATE FUNCTION split_staff(account uuid) RETURNS TABLE (alone uuid, other uuid) LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT is_owner() OR staff_actor() IS NOT NULL THEN
        PERFORM refuse_staff('staff_is_operator', 'the operator alone splits joined accounts');
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('konbit staff persons'), 0);
    DELETE FROM staff_person p WHERE p.staff_id = account RETURNING p.staff_id, p.person_id INTO alone, other;
    IF alone IS NULL THEN -- the others' person is this account: the first of them takes its place
        DELETE FROM staff_person p WHERE p.staff_id = (SELECT f.staff_id FROM staff_person f WHERE f.person_id = account ORDER BY f.joined_at, f.staff_id LIMIT 1)
            RETURNING p.staff_id, p.person_id INTO alone, other;
        UPDATE staff_person p SET person_id = alone WHERE p.person_id = account;
    END IF;
    IF alone IS NOT NULL THEN
        RETURN NEXT;
    END IF;
END $$;
-- +goose StatementEnd

CREATE CONSTRAINT TRIGGER split_requires_audit AFTER DELETE ON staff_person DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION requires_audit('staff', 'staff_id');

-- +goose Down
DROP TRIGGER split_requires_audit ON staff_person;
DROP FUNCTION split_staff(uuid);
