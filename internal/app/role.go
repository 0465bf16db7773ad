package app

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"
)

// errRole means that the role of DATABASE_URL could change the constraints and rights that limit it.
var errRole = errors.New("the role of DATABASE_URL must own nothing and have only the rights of konbit migrate: " +
	"use another role there, or take the rights away, and run konbit migrate as the owner")

// CheckRole reports errRole if the server's role is, or can become by membership in any number of steps, a role that
//
//   - owns the database, its schema or a table in it,
//   - is a superuser, bypasses row security, creates roles, or may replicate, which reads everything,
//   - reads or writes all data, or files and programs of the database's machine,
//   - changes or deletes rows that are written once.
//
// It ignores the right to inherit, because a member can SET ROLE. A right counts if it was granted to the role, to a
// role of which it is a member, or to PUBLIC.
func CheckRole(ctx context.Context, db *sqlx.DB) error {
	const query = `/* app.CheckRole */
		SELECT format('%s: %s', r.rolname, concat_ws(', ',
		           CASE WHEN r.rolsuper THEN 'superuser' END, CASE WHEN r.rolbypassrls THEN 'bypasses row security' END,
		           CASE WHEN r.rolcreaterole THEN 'creates roles' END, CASE WHEN p.powerful THEN 'has rights on everything' END,
		           CASE WHEN r.rolreplication THEN 'replicates' END, CASE WHEN o.owns THEN 'owns the database or what is in it' END,
		           'changes ' || w.tables))
		  FROM pg_roles r
		 CROSS JOIN LATERAL (SELECT r.rolname IN ('pg_read_all_data', 'pg_write_all_data', 'pg_read_server_files', 'pg_write_server_files',
		           'pg_execute_server_program', 'pg_create_subscription') AS powerful) p
		 CROSS JOIN LATERAL (SELECT EXISTS (SELECT FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relowner = r.oid)
		           OR EXISTS (SELECT FROM pg_proc f WHERE f.pronamespace = 'public'::regnamespace AND f.proowner = r.oid)
		           OR EXISTS (SELECT FROM pg_database d WHERE d.datname = current_database() AND d.datdba = r.oid)
		           OR EXISTS (SELECT FROM pg_namespace n WHERE n.nspname = 'public' AND n.nspowner = r.oid) AS owns) o
		 CROSS JOIN LATERAL (SELECT string_agg(c.relname, ', ' ORDER BY c.relname) AS tables FROM pg_class c
		                      WHERE c.relnamespace = 'public'::regnamespace AND c.relname IN ('journal_entry', 'posting', 'ledger_seal', 'ledger_head', 'receipt')
		                        AND (has_table_privilege(r.oid, c.oid, 'UPDATE, DELETE, TRUNCATE, TRIGGER')
		                          OR has_any_column_privilege(r.oid, c.oid, 'UPDATE'))) w
		 WHERE pg_has_role(current_user, r.oid, 'MEMBER')
		   AND (r.rolsuper OR r.rolbypassrls OR r.rolcreaterole OR r.rolreplication OR p.powerful OR o.owns OR w.tables IS NOT NULL)
		 ORDER BY r.rolname = current_user DESC, r.rolname LIMIT 5`
	var found []string
	if err := db.SelectContext(ctx, &found, query); err != nil || len(found) == 0 {
		return err
	}
	return fmt.Errorf("%w (%s)", errRole, strings.Join(found, "; "))
}
