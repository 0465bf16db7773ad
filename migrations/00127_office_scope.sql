-- +goose Up
-- What the role konbit_office may read: the policies of office.go ask these functions once a query. They read the staff session of the
-- transaction; without one, or when it has ended, they return nothing. Parallel safe: a parallel worker has the transaction's settings.

-- The legal entities that the person of the session reads whole, by one of some roles. An emergency access reads all.
-- +goose StatementBegin
CREATE FUNCTION office_entities(roles text[]) RETURNS uuid[] STABLE PARALLEL SAFE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(e.id), '{}') FROM staff m JOIN legal_entity e ON staff_has_role(m.id, roles, e.id, NULL) WHERE m.id = staff_of_session()
$$;

-- The organisations that the person of the session reads, by a role for the organisation alone.
CREATE FUNCTION office_organisations(roles text[]) RETURNS uuid[] STABLE PARALLEL SAFE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(r.organisation_id), '{}') FROM staff_role r
     WHERE r.staff_id = staff_of_session() AND r.ended_at IS NULL AND r.role = ANY (roles) AND r.organisation_id IS NOT NULL
$$;

-- The funds of these organisations.
CREATE FUNCTION office_funds(roles text[]) RETURNS uuid[] STABLE PARALLEL SAFE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT coalesce(array_agg(f.id), '{}') FROM fund f WHERE f.organisation_id = ANY (office_organisations(roles))
$$;

-- Whose role a request of kind roles changes, for the admins of its scope: the policy of staff hides a person before the first role.
CREATE FUNCTION office_person_of_request(request uuid) RETURNS TABLE (name text, email text) STABLE SECURITY DEFINER LANGUAGE sql
SET search_path = public, pg_temp AS $$
    SELECT s.name, s.email FROM approval_request r JOIN staff s ON s.id::text = r.subject
     WHERE r.id = request AND r.kind = 'roles' AND staff_has_role(staff_of_session(), '{admin}', r.entity_id, r.organisation_id)
$$;

-- Whether somebody could decide about something: konbit_office does not read factors.
CREATE FUNCTION office_can_sign_in(of_staff uuid) RETURNS boolean STABLE SECURITY DEFINER LANGUAGE sql SET search_path = public, pg_temp AS $$
    SELECT staff_can_sign_in(of_staff)
$$;
-- +goose StatementEnd

-- +goose Down
-- konbit_office reads nothing until it has its policies again (office.go).
-- +goose StatementBegin
DO $$
DECLARE
    p record;
BEGIN
    FOR p IN SELECT polrelid::regclass AS name FROM pg_policy WHERE polname = 'office' LOOP
        EXECUTE format('DROP POLICY office ON %s', p.name);
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION office_can_sign_in, office_person_of_request, office_funds, office_organisations, office_entities;
