package migrations_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/setup"
	"konbit/internal/workshop/localpg"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/migrations"
)

// withoutPolicy are tables without row-level security, and why konbit_office reads nothing in them.
var withoutPolicy = map[string]string{
	"account": "the chart of accounts: read by all",

	"audit_unsealed": "of the seals", "check_progress": "how far checkers have read", "check_run": "counts",
	"donor_year_due": "ids", "donor_year_through": "how far the sums go", "email_model": "emails to an invented donor", "erasure_trace": "ids of what an erasure found", "erasure_trace_run": "one run a day",
	"event_pass": "an event's tablet", "event_pass_step": "an event's tablet", "guard_count": "keyed hashes", "guard_failure": "ids", "guard_step_used": "random numbers",
	"installation": "settings", "ledger_month_through": "how far the sums go: read by all", "ledger_day_through": "how far the sums go: read by all", "receipt_counter": "the last number", "server_limit": "settings",
}

// secondProject is another project of the sponsor of csio.
const secondProject = `
entities:
  - slug: tsne
    legal_name: TSNE MissionWorks
    ein: "12-3456789"
    address: {line1: "1 Example Street", city: Boston, region: MA, postal_code: "02111", country: US}
    timezone: America/New_York
    currency: USD
    mail_from: "TSNE MissionWorks <gifts@tsne.example>"
    processing_fee: {borne_by: fund, estimate: {basis_points: 290, fixed: 30}}
    sponsor_fee: {basis_points: 700, of: gross}
organisations:
  - slug: selva
    entity: tsne
    name: {en: Selva}
    sponsored: true
    languages: [en]
    amounts: {presets: [10, 20], minimum: 5, maximum: 25000}
    frequencies: [once, monthly]
    funds:
      - slug: trees
        name: {en: Trees}
        restriction: purpose
        purpose: {en: trees}
`

// TestEachTableIsOpenOrClosedToTheOffice: a new table is either under row-level security or listed with a reason, and
// konbit_office has no right on a table without a policy for it.
func TestEachTableIsOpenOrClosedToTheOffice(t *testing.T) {
	t.Parallel()
	db := testkit.DB(t).Owner
	var tables []struct {
		Name             string `db:"relname"`
		Secured, Forced  bool
		Server, Office   bool // policies
		Readable, Writes bool // by konbit_office
	}
	require.NoError(t, db.Select(&tables, `SELECT c.relname, c.relrowsecurity AS secured, c.relforcerowsecurity AS forced,
		EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*' AND p.polroles = ARRAY['konbit_server'::regrole::oid]
		           AND pg_get_expr(p.polqual, c.oid) = 'true' AND p.polwithcheck IS NULL AND p.polpermissive) AS server,
		EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = 'r' AND p.polroles = ARRAY['konbit_office'::regrole::oid] AND p.polpermissive) AS office,
		has_any_column_privilege('konbit_office', c.oid, 'SELECT') AS readable,
		has_table_privilege('konbit_office', c.oid, 'INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER')
		  OR has_any_column_privilege('konbit_office', c.oid, 'INSERT, UPDATE, REFERENCES') AS writes
		  FROM pg_class c WHERE `+ours+` AND c.relkind IN ('r', 'p')`))
	seen := 0
	for _, table := range tables {
		if !table.Secured {
			assert.NotEmpty(t, withoutPolicy[table.Name], "%s: add it to officeTables, or to withoutPolicy with a reason", table.Name)
			assert.Equal(t, slices.Contains([]string{"account", "ledger_month_through", "ledger_day_through"}, table.Name), table.Readable, table.Name)
		} else {
			assert.Empty(t, withoutPolicy[table.Name], "%s has policies: delete it from withoutPolicy", table.Name)
			assert.True(t, table.Server, "%s: the server's role reads every row", table.Name)
			assert.Equal(t, table.Office, table.Readable, table.Name)
			seen++
		}
		assert.False(t, table.Forced, "%s: the owner's checkers would see no row", table.Name)
		assert.False(t, table.Writes, "%s: konbit_office only reads", table.Name)
	}
	require.Greater(t, seen, 60)
	var views []string
	require.NoError(t, db.Select(&views, `SELECT c.relname FROM pg_class c WHERE c.relkind = 'v' AND c.relnamespace = 'public'::regnamespace
		AND has_any_column_privilege('konbit_office', c.oid, 'SELECT') AND NOT coalesce('security_invoker=true' = ANY (c.reloptions), false)`))
	require.Empty(t, views, "a view of the owner's shows konbit_office every row")
	var inherits, member bool
	require.NoError(t, db.QueryRow(`SELECT pg_has_role('konbit_server', 'konbit_office', 'USAGE'), pg_has_role('konbit_server', 'konbit_office', 'MEMBER')`).Scan(&inherits, &member))
	require.True(t, member && !inherits, "the server takes the role only by SET ROLE")
}

// TestOfficeReadsItsScope: staff of each scope read, as konbit_office, exactly the rows of their scope of each table that
// staff pages may read; without a session, with the first factor only, as admin, as entry, or after their role ended,
// none.
func TestOfficeReadsItsScope(t *testing.T) {
	h := program.New(t, program.Options{})
	file, err := setup.Read("second.yaml", []byte(secondProject))
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, file, time.Now(), program.NewID, false)
	require.NoError(t, err)
	give := func(org, fund, email, frequency string) uuid.UUID {
		f := program.ValidForm()
		f.Fund, f.Contact.Email, f.Frequency = fund, email, frequency
		g, err := h.SubmitFor(org, f)
		require.NoError(t, err)
		h.Pay(g.Donation)
		h.DeliverNew()
		h.DrainAll()
		return g.Donation.ID
	}
	gifts := map[string]uuid.UUID{
		"csio": give("csio", "general", "ana@example.org", "monthly"), "selva": give("selva", "trees", "ben@example.org", "monthly"),
		"aina": give("aina", "land", "ana@example.org", "once"),
	}
	both := give("selva", "trees", "ana@example.org", "once") // a donor of two projects
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))

	server, owner := h.DB.Server, h.DB.Owner
	sponsor := office.Add(t, owner, "sponsor", office.Role{Role: "finance", Entity: "tsne"})
	project := office.Add(t, owner, "project", office.Role{Role: "finance", Entity: "tsne", Organisation: "csio"})
	other := office.Add(t, owner, "other", office.Role{Role: "auditor", Entity: "tsne", Organisation: "selva"})
	entry := office.Add(t, owner, "entry", office.Role{Role: "entry", Entity: "tsne"})
	aina := office.Add(t, owner, "aina", office.Role{Role: "auditor", Entity: "aina"})
	admin := office.Add(t, owner, "admin", office.Role{Role: "admin", Entity: "tsne"})
	first := office.Add(t, owner, "first", office.Role{Role: "finance", Entity: "tsne"})
	first.SignInWithPassword(t)
	ended := office.Add(t, owner, "ended", office.Role{Role: "finance", Entity: "tsne"})
	ended.EndRole(t, office.Role{Role: "finance", Entity: "tsne"})
	expired := office.Add(t, owner, "expired", office.Role{Role: "finance", Entity: "tsne"})
	h.Exec(`UPDATE staff_session SET seen_at = seen_at - interval '61 minutes' WHERE staff_id = $1`, expired.ID)

	ids := func(list ...uuid.UUID) (texts []string) {
		for _, id := range list {
			texts = append(texts, id.String())
		}
		slices.Sort(texts)
		return texts
	}
	const donations = `SELECT id::text FROM donation ORDER BY id::text COLLATE "C"`
	require.Equal(t, ids(gifts["csio"], gifts["selva"], both), sponsor.Reads(t, server, donations))
	require.Equal(t, ids(gifts["csio"]), project.Reads(t, server, donations))
	require.Equal(t, ids(gifts["selva"], both), other.Reads(t, server, donations))
	require.Equal(t, ids(gifts["aina"]), aina.Reads(t, server, donations))
	const donors = `SELECT DISTINCT email FROM donor ORDER BY email`
	require.Equal(t, []string{"ana@example.org", "ben@example.org"}, sponsor.Reads(t, server, donors))
	require.Equal(t, []string{"ana@example.org"}, project.Reads(t, server, donors))
	require.Equal(t, []string{"ana@example.org", "ben@example.org"}, other.Reads(t, server, donors))
	require.Equal(t, []string{"Trees"}, other.Reads(t, server, `SELECT name ->> 'en' FROM fund`))
	require.Equal(t, []string{"tsne"}, other.Reads(t, server, `SELECT slug FROM legal_entity`))

	// The rows of every table with a column entity_id, organisation_id or fund_id are of the scope.
	var columns []struct{ Table, Column string }
	require.NoError(t, owner.Select(&columns, `SELECT c.relname AS table, a.attname AS column FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
		WHERE c.relrowsecurity AND has_column_privilege('konbit_office', c.oid, a.attnum, 'SELECT') AND a.attname IN ('entity_id', 'organisation_id', 'fund_id', 'donation_id', 'donor_id')`))
	require.Greater(t, len(columns), 40)
	scopes := map[*office.Person][]string{ // what a value of such a column may be
		sponsor: h.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'tsne' UNION SELECT o.id::text FROM organisation o WHERE o.slug IN ('csio', 'selva')
			UNION SELECT f.id::text FROM fund f JOIN legal_entity e ON e.id = f.entity_id WHERE e.slug = 'tsne'
			UNION SELECT d.id::text FROM donation d JOIN legal_entity e ON e.id = d.entity_id WHERE e.slug = 'tsne'
			UNION SELECT d.donor_id::text FROM donation d JOIN legal_entity e ON e.id = d.entity_id WHERE e.slug = 'tsne'`),
		project: h.Lines(`SELECT id::text FROM legal_entity WHERE slug = 'tsne' UNION SELECT id::text FROM organisation WHERE slug = 'csio'
			UNION SELECT f.id::text FROM fund f JOIN organisation o ON o.id = f.organisation_id WHERE o.slug = 'csio'
			UNION SELECT d.id::text FROM donation d JOIN organisation o ON o.id = d.organisation_id WHERE o.slug = 'csio'
			UNION SELECT d.donor_id::text FROM donation d JOIN organisation o ON o.id = d.organisation_id WHERE o.slug = 'csio'`),
	}
	filled := 0
	for _, c := range columns {
		query := fmt.Sprintf(`SELECT DISTINCT %s::text FROM %s WHERE %[1]s IS NOT NULL`, c.Column, c.Table)
		for who, scope := range scopes {
			found := who.Reads(t, server, query)
			require.Subset(t, scope, found, query)
			filled += min(len(found), 1)
		}
	}
	require.Greater(t, filled, 40, "rows were read")

	// Without a scope: no row of any table.
	var tables []string
	require.NoError(t, owner.Select(&tables, `SELECT c.relname::text FROM pg_class c WHERE c.relrowsecurity AND has_any_column_privilege('konbit_office', c.oid, 'SELECT')`))
	for _, table := range tables {
		query := `SELECT 'a row of ` + table + `' FROM ` + table + ` LIMIT 1`
		for what, who := range map[string]*office.Person{"no session": nil, "first factor": first, "expired": expired, "a session that does not exist": {Session: strings.Repeat("0", 64)}, "no hash": {Session: "x"}} {
			require.Empty(t, who.Reads(t, server, query), what)
		}
		if !slices.Contains([]string{"staff", "staff_role", "staff_person"}, table) {
			require.Empty(t, ended.Reads(t, server, query))
		}
		if !strings.HasPrefix(table, "staff") && !slices.Contains([]string{"legal_entity", "organisation", "fund", "audit_entry"}, table) {
			require.Empty(t, admin.Reads(t, server, query), "an admin has no right on money by being admin")
			require.Empty(t, entry.Reads(t, server, query), "who types gifts reads none")
		}
	}
	require.Len(t, admin.Reads(t, server, `SELECT id::text FROM staff`), 8, "those with a role in the scope, also an ended one")
	require.Equal(t, []string{project.ID.String()}, project.Reads(t, server, `SELECT id::text FROM staff`))
}

// TestServerReadsWhileTablesAreSecured: a table is given its policies while the server's role reads and writes it; in no
// moment does that role read nothing. A role of an operator's own that could read before reads afterwards.
func TestServerReadsWhileTablesAreSecured(t *testing.T) {
	db := testkit.DB(t)
	for _, sql := range []string{`ALTER TABLE legal_entity DISABLE ROW LEVEL SECURITY`, `DROP POLICY server ON legal_entity`, `DROP POLICY office ON legal_entity`,
		`INSERT INTO legal_entity (id, slug, legal_name, ein, address, timezone, currency, mail_from, created_at, updated_at)
			VALUES (gen_random_uuid(), 'x', 'x', '12-3456789', '{}', 'UTC', 'USD', 'x', now(), now())`} {
		db.Owner.MustExec(sql)
	}
	stop, read := make(chan struct{}), make(chan error, 1)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-stop:
				read <- nil
				return
			default:
			}
			var rows int
			if err := db.Server.Get(&rows, `SELECT count(*) FROM legal_entity`); err != nil || rows != 1 {
				read <- fmt.Errorf("the server read %d rows (%w)", rows, err)
				return
			}
		}
	}()
	require.NoError(t, migrations.Up(t.Context(), db.OwnerURL, testkit.ServerRole))
	close(stop)
	require.NoError(t, <-read)
	var secured bool
	require.NoError(t, db.Owner.Get(&secured, `SELECT relrowsecurity FROM pg_class WHERE oid = 'legal_entity'::regclass`))
	require.True(t, secured)
}

// TestMigratesWithoutTheOfficeRole: an owner that may not create roles migrates all the same. Then no table is under
// row-level security, and OfficeMissing returns what is to be run.
func TestMigratesWithoutTheOfficeRole(t *testing.T) {
	t.Parallel()
	cluster, err := localpg.Start(t.Context(), localpg.Options{})
	require.NoError(t, err)
	t.Cleanup(cluster.Stop)
	require.NoError(t, cluster.CreateRole(t.Context(), testkit.OwnerRole))
	require.NoError(t, cluster.CreateRole(t.Context(), testkit.ServerRole))
	require.NoError(t, cluster.CreateDatabase(t.Context(), "bare", testkit.OwnerRole))
	server := &testkit.Database{OwnerURL: cluster.URL(testkit.OwnerRole, "bare"), ServerURL: cluster.URL(testkit.ServerRole, "bare")}
	server.Owner, server.Server = sqlx.MustConnect("postgres", server.OwnerURL), sqlx.MustConnect("postgres", server.ServerURL)
	t.Cleanup(func() { _ = server.Owner.Close(); _ = server.Server.Close() })
	require.NoError(t, migrations.Up(t.Context(), server.OwnerURL, testkit.ServerRole))
	missing, err := migrations.OfficeMissing(t.Context(), server.Server.DB, testkit.ServerRole)
	require.NoError(t, err)
	require.Equal(t, migrations.OfficeStatements(testkit.ServerRole), missing)
	require.ErrorContains(t, migrations.CheckOffice(t.Context(), server.Server.DB), missing[1])
	var secured int
	require.NoError(t, server.Owner.Get(&secured, `SELECT count(*) FROM pg_class WHERE relrowsecurity`))
	require.Zero(t, secured)
	super := testkit.Superuser(t, server)
	for _, statement := range missing {
		super.MustExec(statement)
	}
	require.ErrorContains(t, migrations.CheckOffice(t.Context(), server.Server.DB), "konbit migrate")
	require.NoError(t, migrations.Up(t.Context(), server.OwnerURL, testkit.ServerRole))
	require.NoError(t, migrations.CheckOffice(t.Context(), server.Server.DB))
	missing, err = migrations.OfficeMissing(t.Context(), server.Server.DB, testkit.ServerRole)
	require.NoError(t, err)
	require.Empty(t, missing)
	require.NoError(t, server.Owner.Get(&secured, `SELECT count(*) FROM pg_class WHERE relrowsecurity`))
	require.Greater(t, secured, 60)
}
