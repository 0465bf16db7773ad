package office_test

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"konbit/internal/workshop/testkit/office"
	"konbit/internal/workshop/testkit/visitor"
)

// asker is a browser, with a role in a place or without a full session.
type asker struct {
	*visitor.Visitor
	name  string
	role  string // "": no role
	in    place
	token string
	self  *office.Person
}

// mayRead reports whether the asker may learn of something of a kind (readers) in a place.
func (a asker) mayRead(of string, p place) bool {
	return a.in.covers(p) && slices.Contains(readers[of], a.role)
}

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
	for _, in := range []place{{"tsne", "csio"}, {"aina", ""}, {"tsne", ""}} {
		for _, role := range []string{"entry", "finance", "admin", "auditor"} {
			add(fmt.Sprintf("%s of %v", role, in), person(role, in), role, in)
		}
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

// TestT10IsolationOfAllRoutes asks for every object by every route of the office, in every scope of the address, as staff with
// each role in another entity, in another project of the same sponsor and in the sponsor, without a session, with the first
// factor only and after the role ended. Whoever may not read the object gets the answer for an object that does not exist, and
// no page or file shows anything that its reader may not read (STAFF 17). Where an address names two objects, each is asked
// for beside the asker's own one too. The routes are those of the table.
func TestT10IsolationOfAllRoutes(t *testing.T) {
	t.Parallel()
	m := &matrix{world: newWorld(t), t: t, shown: map[string]bool{}}
	var reads, writes []string
	for _, r := range m.Server.Routes() {
		if strings.HasPrefix(r.Pattern, "/office/{entity}") {
			if r.Method == http.MethodGet {
				reads = append(reads, r.Pattern)
			} else {
				writes = append(writes, r.Pattern)
			}
			for _, kind := range kindsIn(r.Pattern) {
				require.NotEmpty(t, visitor.OfficeObjects[kind], "%s names an object of %s: add its query to visitor.OfficeObjects", r.Pattern, kind)
			}
		}
	}
	require.Greater(t, len(reads), 15)
	askers := m.askers(t)
	for _, pattern := range reads {
		for _, a := range askers {
			m.ask(a, http.MethodGet, pattern)
		}
		assert.True(t, m.shown[pattern], "%s shows nothing to anybody: the test proves nothing about it", pattern)
	}
	before := visitor.TableHashes(t, m.Program)
	for _, pattern := range writes {
		for _, a := range askers {
			m.ask(a, http.MethodPost, pattern)
		}
	}
	m.notes(askers)
	after := visitor.TableHashes(t, m.Program)
	delete(before, "staff_session")
	delete(after, "staff_session") // when it was seen
	assert.Equal(t, before, after, "a form about an object of others changes nothing")
	t.Logf("%d requests, %d of objects of others", m.asked, m.hidden)
}

// matrix asks for every object.
type matrix struct {
	world
	t             *testing.T
	asked, hidden int
	shown         map[string]bool // the routes that answered somebody with 200
}

// kindsIn returns the objects that a pattern names, as keys of visitor.OfficeObjects.
func kindsIn(pattern string) (kinds []string) {
	for _, found := range visitor.OfficeParameter.FindAllStringSubmatch(strings.TrimPrefix(pattern, "/office/{entity}"), -1) {
		kinds = append(kinds, found[1])
	}
	return kinds
}

// scopes are the addresses in which each object is asked for.
var scopes = []struct {
	place
	query string
}{{place{"tsne", ""}, ""}, {place{"tsne", "csio"}, "?org=csio"}, {place{"tsne", "selva"}, "?org=selva"}, {place{"aina", ""}, ""}, {place{"tsne", ""}, "?org=aina"}}

// use requests a route with objects and reports an error if the answer has what the asker may not read.
func (m *matrix) use(a asker, method, pattern string, objects []string, entity, query string, headers ...string) visitor.Response {
	if m.asked++; m.asked%50 == 0 {
		m.Exec(`DELETE FROM guard_count`)
	}
	path, n := strings.Replace(pattern, "{entity}", entity, 1), -1
	path = visitor.OfficeParameter.ReplaceAllStringFunc(path, func(found string) string {
		n++
		return "/" + visitor.OfficeParameter.FindStringSubmatch(found)[1] + "/" + objects[n]
	})
	path = strings.Replace(path, "{month}", visitor.OfficeMonth, 1) + query
	var form url.Values
	if method == http.MethodPost {
		form = url.Values{"session": {a.token}, "do": {"approve"}, "submission": {uuid.NewString()}, "reason": {"x"}}
	}
	got := a.Ask(method, path, form, headers...)
	m.noLeak(a, method+" "+path, got)
	if to := got.Header.Get("Location"); method == http.MethodGet && query == "" && strings.HasPrefix(to, path+"?org=") { // of their only project
		got = a.Ask(method, to, form, headers...)
		m.noLeak(a, method+" "+to, got)
	}
	return got
}

func (m *matrix) noLeak(a asker, what string, got visitor.Response) {
	for p, secrets := range m.secrets {
		for _, s := range secrets {
			if !a.mayRead(s.of, p) && strings.Contains(got.Page, s.text) && !strings.Contains(what, s.text) {
				assert.Fail(m.t, "a leak", "%s as %s shows %q of %v", what, a.name, s.text, p)
			}
		}
	}
}

// nothing returns the name of no object of a kind.
func nothing(kind string) string {
	switch kind {
	case "gifts":
		return "AAAAAAAAAAAAAAAAAAAAAA"
	case "bank":
		return "none"
	case "disputes":
		return "dp_AAAAAAAAAAAAAAAAAAAAAAAA"
	case "deposits", "imports":
		return "9999991"
	case "payouts":
		return "po_AAAAAAAAAAAAAAAAAAAAAAAA"
	case "suspense":
		return "txn_AAAAAAAAAAAAAAAAAAAAAAAA"
	}
	return uuid.NewString()
}

// ask uses a route as one asker with all objects in all scopes.
func (m *matrix) ask(a asker, method, pattern string) {
	kinds := kindsIn(pattern)
	for _, scope := range scopes {
		if len(kinds) == 0 {
			if method == http.MethodGet {
				got := m.use(a, method, pattern, nil, scope.entity, scope.query)
				m.shown[pattern] = m.shown[pattern] || got.StatusCode == http.StatusOK
				m.use(a, method, pattern, nil, scope.entity, scope.query, "Accept: text/csv")
			}
			continue
		}
		missing := make([]string, len(kinds))
		for i, kind := range kinds {
			missing[i] = nothing(kind)
		}
		want := m.use(a, method, pattern, missing, scope.entity, scope.query)
		for p := range m.objects[kinds[0]] {
			objects := make([]string, len(kinds))
			for i, kind := range kinds {
				objects[i] = m.objects[kind][p]
			}
			if objects[len(objects)-1] == "" {
				continue
			}
			// The address names a scope of the reader, and the object is of the reader's: it may be shown, or not.
			if a.mayRead(kindOf(kinds[0]), p) && p.entity == scope.entity && scope.query != "?org=aina" {
				if method == http.MethodGet {
					got := m.use(a, method, pattern, objects, scope.entity, scope.query)
					m.shown[pattern] = m.shown[pattern] || got.StatusCode == http.StatusOK
				}
				continue
			}
			what := fmt.Sprintf("%s %s of %v as %s in %v%s", method, pattern, p, a.name, scope.place, scope.query)
			m.same(what, want, missing, m.use(a, method, pattern, objects, scope.entity, scope.query), objects)
			if own := m.objects[kinds[0]][a.in]; len(kinds) == 2 && own != "" && a.mayRead("money", a.in) {
				foreign, none := []string{own, objects[1]}, []string{own, missing[1]}
				m.same(what+", beside the own one", m.use(a, method, pattern, none, scope.entity, scope.query), none,
					m.use(a, method, pattern, foreign, scope.entity, scope.query), foreign)
				foreign, none = []string{objects[0], m.objects[kinds[1]][a.in]}, []string{missing[0], m.objects[kinds[1]][a.in]}
				m.same(what+", before the own one", m.use(a, method, pattern, none, scope.entity, scope.query), none,
					m.use(a, method, pattern, foreign, scope.entity, scope.query), foreign)
			}
		}
	}
}

// same reports an error if the answer about an object of others differs from that about one that does not exist.
func (m *matrix) same(what string, want visitor.Response, missing []string, got visitor.Response, objects []string) {
	m.hidden++
	assert.Contains(m.t, []int{404, 401}, got.StatusCode, what)
	assert.Equal(m.t, want.StatusCode, got.StatusCode, what)
	without := func(r visitor.Response, names []string) (http.Header, string) {
		page := r.Page
		for i, name := range names {
			page = strings.ReplaceAll(page, name, fmt.Sprintf("OBJECT %d", i))
		}
		return headersOf(r), page
	}
	wantHeaders, wantPage := without(want, missing)
	gotHeaders, gotPage := without(got, objects)
	assert.Equal(m.t, wantPage, gotPage, what)
	assert.Equal(m.t, wantHeaders, gotHeaders, what)
}

// notes writes notes on objects of others, which the form names and not the address.
func (m *matrix) notes(askers []asker) {
	queries := map[string]string{
		"gift":  `SELECT g.id FROM donation g JOIN organisation o ON o.id = g.organisation_id WHERE o.slug = $1`,
		"donor": `SELECT g.donor_id FROM donation g JOIN organisation o ON o.id = g.organisation_id WHERE o.slug = $1`,
		"task":  `SELECT k.id FROM finance_task k JOIN legal_entity e ON e.id = k.entity_id WHERE e.slug = $1`,
	}
	for _, a := range askers {
		for _, scope := range scopes {
			for on, query := range queries {
				for _, p := range places {
					slug := p.organisation
					if on == "task" {
						slug = map[bool]string{true: p.entity}[p.organisation == ""]
					}
					ids := m.Lines(query, slug)
					if len(ids) == 0 || a.mayRead("money", p) && p.entity == scope.entity && scope.query != "?org=aina" {
						continue
					}
					path := "/office/" + scope.entity + "/notes" + scope.query
					post := func(id string) visitor.Response {
						got := a.Ask("POST", path, url.Values{"session": {a.token}, "on": {on}, "id": {id}, "submission": {uuid.NewString()}, "text": {"a note"}})
						m.noLeak(a, "POST "+path+" "+id, got)
						return got
					}
					missing := uuid.NewString()
					m.same(fmt.Sprintf("a note on a %s of %v as %s in %v%s", on, p, a.name, scope.place, scope.query), post(missing), []string{missing}, post(ids[0]), ids[:1])
				}
			}
			m.Exec(`DELETE FROM guard_count`)
		}
	}
}

// headersOf returns the headers of a response without its date and its length.
func headersOf(a visitor.Response) http.Header {
	all := a.Header.Clone()
	all.Del("Date")
	all.Del("Content-Length")
	return all
}

// TestNoRowOfOthersWithoutAWhere reads, as konbit_office, every table that staff pages may read, whole, as a query does whose
// WHERE was left out: in the session of each asker there is no row that names anything that the asker may not read; without a
// session or a full one there is no row.
func TestT11NoRowOfOthersWithoutAWhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	columns := map[string][]string{}
	for _, line := range w.Lines(`SELECT table_name || ' ' || column_name FROM information_schema.column_privileges
		WHERE grantee = 'konbit_office' AND privilege_type = 'SELECT' AND table_schema = 'public' 
		AND table_name NOT IN ('account', 'ledger_month_through', 'ledger_day_through')`) { // names of accounts; how far sums are made
		table, column, _ := strings.Cut(line, " ")
		columns[table] = append(columns[table], `"`+column+`"`)
	}
	require.Greater(t, len(columns), 40)
	seen := map[string]int{}
	for _, a := range w.askers(t) {
		for _, table := range slices.Sorted(maps.Keys(columns)) {
			rows := a.self.Reads(t, w.DB.Server, fmt.Sprintf(`SELECT row(%s)::text FROM %q`, strings.Join(columns[table], ", "), table))
			seen[a.name] += len(rows)
			all := strings.Join(rows, "\n")
			for p, secrets := range w.secrets {
				for _, s := range secrets {
					if !a.mayRead(s.of, p) && strings.Contains(all, s.text) {
						assert.Fail(t, "a leak", "%s as %s: %q of %v", table, a.name, s.text, p)
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
