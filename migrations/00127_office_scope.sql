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
DROP FUNCTION office_funds, office_organisations, office_entities;
