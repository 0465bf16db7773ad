package office_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/setup"
	"konbit/internal/people/approval"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
	"konbit/migrations"
)

// place is where an object is: a legal entity, or one organisation in it.
type place struct{ entity, organisation string }

// covers reports whether a role in p is also held in other.
func (p place) covers(other place) bool {
	return p.entity == other.entity && (p.organisation == "" || p.organisation == other.organisation)
}

// places are where the objects are: a legal entity, two projects of it, and another legal entity with one organisation.
var places = []place{{"tsne", ""}, {"tsne", "csio"}, {"tsne", "selva"}, {"aina", ""}, {"aina", "aina"}}

// world is a program with an object of each kind in each place.
type world struct {
	*program.Program
	objects map[string]map[place]string // by the key of visitor.OfficeObjects
	secrets map[place][]string          // what no page shows to who has no role there
}

// newWorld makes one gift of an invented donor in each organisation, and in each place a request that waits, and a task.
func newWorld(t *testing.T) world {
	h := program.New(t, program.Options{})
	file, err := setup.Read("second.yaml", []byte(secondProject))
	require.NoError(t, err)
	_, err = setup.Apply(t.Context(), h.DB.Owner, file, time.Now(), program.NewID, false)
	require.NoError(t, err)
	require.NoError(t, migrations.Up(t.Context(), h.DB.OwnerURL, testkit.ServerRole))
	w := world{h, map[string]map[place]string{}, map[place][]string{}}
	funds := map[string]string{"csio": "general", "selva": "trees", "aina": "land"}
	for _, p := range places {
		first := office.Add(t, h.DB.Owner, "requester", office.Role{Role: "admin", Entity: p.entity, Organisation: p.organisation})
		second := office.Add(t, h.DB.Owner, "promoted"+p.entity+p.organisation, office.Role{Role: "entry", Entity: p.entity, Organisation: p.organisation})
		scope := visitor.ScopeOf(t, h, p.entity, p.organisation)
		where := "whole"
		if scope.OrganisationID.Valid {
			where = scope.OrganisationID.UUID.String()
		}
		r := approval.Request{
			ID: program.NewID(), EntityID: scope.EntityID, OrganisationID: scope.OrganisationID, Kind: approval.Roles, Subject: second.ID.String(), RequestedBy: first.ID,
			Body: strings.Join([]string{"role", "grant", second.ID.String(), "finance", scope.EntityID.String(), where}, " "),
		}
		require.NoError(t, first.InTx(t, h.DB.Server, func(tx *sqlx.Tx) error { return approval.RequestTx(t.Context(), tx, r, nil) }))
		w.secrets[p] = append(w.secrets[p], r.ID.String())
		if p.organisation != "" { // roles of the whole entity are held in its projects too, and their pages show them
			w.secrets[p] = append(w.secrets[p], second.ID.String())
		}
		if p.organisation == "" {
			subject := "canary-" + uuid.NewString()
			h.Exec(`INSERT INTO finance_task (id, entity_id, kind, subject, opened_at) SELECT gen_random_uuid(), id, 'staff_break_glass', $2, now() FROM legal_entity WHERE slug = $1`,
				p.entity, subject)
			w.secrets[p] = append(w.secrets[p], subject)
			continue
		}
		f := program.ValidForm()
		f.Fund, f.Contact.Email, f.Contact.FirstName = funds[p.organisation], "donor-of-"+p.organisation+"@example.org", "Canary"+p.organisation
		g, err := h.SubmitFor(p.organisation, f)
		require.NoError(t, err)
		h.Pay(g.Donation)
		h.DeliverNew()
		h.DrainAll()
		d := h.Gift(g.Donation.ID)
		w.secrets[p] = append(w.secrets[p], f.Contact.Email, f.Contact.FirstName, d.PublicRef, d.ID.String(), d.DonorID.String())
		w.secrets[p] = append(w.secrets[p], h.Lines(`SELECT charge_ref FROM payment WHERE donation_id = $1`, d.ID)...)
	}
	for kind, query := range visitor.OfficeObjects {
		w.objects[kind] = map[place]string{}
		for _, p := range places {
			if found := h.Lines(query, p.entity, p.organisation); len(found) > 0 {
				w.objects[kind][p] = found[0]
				w.secrets[p] = append(w.secrets[p], found[0])
			}
		}
		require.GreaterOrEqual(t, len(w.objects[kind]), 2, "objects of %s", kind)
	}
	return w
}

// asker is a browser, with a role in a place or without a full session.
type asker struct {
	*visitor.Visitor
	name  string
	role  string // "": no role
	in    place
	token string
	self  *office.Person
}

// maySee reports whether the asker may learn of an object in a place.
func (a asker) maySee(p place) bool { return a.role != "" && a.in.covers(p) }

func (w world) askers(t *testing.T) (all []asker) {
	add := func(name string, p *office.Person, role string, in place) {
		a := asker{Visitor: visitor.New(t, w.Program), name: name, role: role, in: in, self: p}
		if p != nil {
			a.Cookies["konbit-staff"] = p.Cookie
		}
		if role != "" {
			a.token = a.TokenOn("/office/account")
		}
		all = append(all, a)
	}
	person := func(role string, in place) *office.Person {
		return office.Add(t, w.DB.Owner, role, office.Role{Role: role, Entity: in.entity, Organisation: in.organisation})
	}
	for _, in := range []place{{"tsne", "csio"}, {"aina", ""}} {
		for _, role := range []string{"entry", "finance", "admin", "auditor"} {
			add(fmt.Sprintf("%s of %v", role, in), person(role, in), role, in)
		}
	}
	for _, role := range []string{"finance", "auditor", "admin"} {
		add(role+" of the sponsor", person(role, place{"tsne", ""}), role, place{"tsne", ""})
	}
	add("nobody", nil, "", place{})
	first := person("auditor", place{"tsne", ""})
	first.SignInWithPassword(t)
	add("first factor only", first, "", place{})
	ended := person("auditor", place{"tsne", ""})
	ended.EndRole(t, office.Role{Role: "auditor", Entity: "tsne"})
	add("role ended", ended, "", place{})
	return all
}

// TestIsolationOfAllRoutes asks for every object by every route of the office, in every scope of the address, as staff with
// each role in another entity, in another project of the same sponsor and in the sponsor, without a session, with the first
// factor only and after the role ended. Whoever has no role where the object is gets the answer for an object that does not
// exist, and no page shows anything of a place in which its reader has no role (STAFF 17). The routes are those of the table.
func TestIsolationOfAllRoutes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	askers := w.askers(t)
	scopes := []struct {
		place
		query string
	}{{place{"tsne", ""}, ""}, {place{"tsne", "csio"}, "?org=csio"}, {place{"tsne", "selva"}, "?org=selva"}, {place{"aina", ""}, ""}, {place{"tsne", ""}, "?org=aina"}}
	asked, hidden, shown, read := 0, 0, map[string]bool{}, map[string]bool{}
	noLeak := func(a asker, what string, got visitor.Response) {
		for p, secrets := range w.secrets {
			if a.maySee(p) {
				continue
			}
			for _, secret := range secrets {
				if strings.Contains(got.Page, secret) && !strings.Contains(what, secret) {
					assert.Fail(t, "a leak", "%s as %s shows %q of %v", what, a.name, secret, p)
				}
			}
		}
	}
	var reads, writes []string
	for _, r := range w.Server.Routes() {
		if strings.HasPrefix(r.Pattern, "/office/{entity}") {
			if r.Method == http.MethodGet {
				reads = append(reads, r.Pattern)
			} else {
				writes = append(writes, r.Pattern)
			}
		}
	}
	require.Greater(t, len(reads), 2)
	use := func(a asker, method, pattern, object, query string, entity place, headers ...string) visitor.Response {
		if asked++; asked%100 == 0 {
			w.Exec(`DELETE FROM guard_count`)
		}
		path := strings.Replace(pattern, "{entity}", entity.entity, 1)
		path = visitor.OfficeParameter.ReplaceAllString(path, "/$1/"+object) + query
		var form url.Values
		if method == http.MethodPost {
			form = url.Values{"session": {a.token}, "do": {"approve"}, "submission": {uuid.NewString()}}
		}
		got := a.Ask(method, path, form, headers...)
		noLeak(a, method+" "+path, got)
		return got
	}
	// Which object stands in a page in place of the one that was asked for.
	same := func(got visitor.Response, object string) string {
		return strings.ReplaceAll(got.Page, object, "OBJECT")
	}
	matrix := func(method, pattern string) {
		kind := ""
		if found := visitor.OfficeParameter.FindStringSubmatch(strings.TrimPrefix(pattern, "/office/{entity}")); found != nil {
			kind = found[1]
		}
		for _, a := range askers {
			for _, scope := range scopes {
				if kind == "" {
					if method == http.MethodGet {
						use(a, method, pattern, "", scope.query, scope.place)
						use(a, method, pattern, "", scope.query, scope.place, "Accept: text/csv")
						read[pattern] = true
					}
					continue
				}
				missing := uuid.NewString()
				if kind == "gifts" {
					missing = "AAAAAAAAAAAAAAAAAAAAAA"
				}
				want := use(a, method, pattern, missing, scope.query, scope.place)
				for p, object := range w.objects[kind] {
					// The address names a scope of the reader, and the object is of the reader's: it may be shown, or not.
					if a.maySee(p) && p.entity == scope.entity && scope.query != "?org=aina" {
						if method == http.MethodGet {
							got := use(a, method, pattern, object, scope.query, scope.place)
							shown[pattern] = shown[pattern] || got.StatusCode == http.StatusOK
						}
						continue
					}
					hidden++
					got := use(a, method, pattern, object, scope.query, scope.place)
					what := fmt.Sprintf("%s %s of %v as %s in %v%s", method, pattern, p, a.name, scope.place, scope.query)
					assert.Contains(t, []int{404, 401}, got.StatusCode, what)
					assert.Equal(t, want.StatusCode, got.StatusCode, what)
					assert.Equal(t, same(want, missing), same(got, object), what)
					assert.Equal(t, headersOf(want), headersOf(got), what)
				}
			}
		}
	}
	for _, pattern := range append(slices.Clone(reads), writes...) {
		for _, found := range visitor.OfficeParameter.FindAllStringSubmatch(strings.TrimPrefix(pattern, "/office/{entity}"), -1) {
			require.NotEmpty(t, visitor.OfficeObjects[found[1]], "%s names an object %s/{%s}: add its query to visitor.OfficeObjects", pattern, found[1], found[2])
		}
	}
	for _, pattern := range reads {
		matrix(http.MethodGet, pattern)
	}
	before := visitor.TableHashes(t, w.Program)
	for _, pattern := range writes {
		matrix(http.MethodPost, pattern)
	}
	after := visitor.TableHashes(t, w.Program)
	delete(before, "staff_session")
	delete(after, "staff_session") // when it was seen
	assert.Equal(t, before, after, "a form about an object of others changes nothing")
	for _, pattern := range reads {
		if strings.Count(pattern, "{") > 1 {
			assert.True(t, shown[pattern], "%s shows no object to anybody: the test proves nothing about it", pattern)
		} else {
			assert.True(t, read[pattern], pattern)
		}
	}
	t.Logf("%d requests, %d of objects of others", asked, hidden)
}

// headersOf returns the headers of a response without its date and its length.
func headersOf(a visitor.Response) http.Header {
	all := a.Header.Clone()
	all.Del("Date")
	all.Del("Content-Length")
	return all
}

// TestNoRowOfOthersWithoutAWhere reads, as konbit_office, every table that staff pages may read, whole, as a query does whose
// WHERE was left out: in the session of each asker there is no row that names anything of a place without a role; without a
// session or a full one there is no row.
func TestNoRowOfOthersWithoutAWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	columns := map[string][]string{}
	for _, line := range w.Lines(`SELECT table_name || ' ' || column_name FROM information_schema.column_privileges
		WHERE grantee = 'konbit_office' AND privilege_type = 'SELECT' AND table_schema = 'public' AND table_name <> 'account'`) {
		table, column, _ := strings.Cut(line, " ")
		columns[table] = append(columns[table], `"`+column+`"`)
	}
	require.Greater(t, len(columns), 40)
	seen := map[string]int{}
	for _, a := range w.askers(t) {
		for _, table := range slices.Sorted(maps.Keys(columns)) {
			rows := a.self.Reads(t, w.DB.Server, fmt.Sprintf(`SELECT row(%s)::text FROM %q`, strings.Join(columns[table], ", "), table))
			seen[a.name] += len(rows)
			for p, secrets := range w.secrets {
				if a.maySee(p) {
					continue
				}
				for _, secret := range secrets {
					for _, row := range rows {
						assert.NotContains(t, row, secret, "%s as %s: of %v", table, a.name, p)
					}
				}
			}
		}
	}
	for name, n := range seen {
		if name == "nobody" || name == "first factor only" || name == "role ended" {
			assert.LessOrEqual(t, n, map[string]int{"role ended": 3}[name], "%s: at most the own account and roles", name)
		} else {
			assert.Positive(t, n, name)
		}
	}
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
