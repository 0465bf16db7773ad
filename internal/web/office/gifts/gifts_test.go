package gifts_test

import (
	"crypto/sha256"
	"encoding/csv"
	"encoding/hex"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/xuri/excelize/v2"

	"konbit/internal/books/ledger"
	"konbit/internal/people/staff"
	"konbit/internal/workshop/testkit"
	"konbit/internal/workshop/testkit/many"
	"konbit/internal/workshop/testkit/program"
	"konbit/internal/workshop/testkit/visitor"
)

var rowLink = regexp.MustCompile(`<a class="open" href="([^"]+)">([^<]*)</a>`)

// rows returns the donors of the rows of a list, by the addresses of their gifts.
func rows(page string) (links, names []string) {
	for _, m := range rowLink.FindAllStringSubmatch(page, -1) {
		links, names = append(links, strings.ReplaceAll(m[1], "&amp;", "&")), append(names, m[2])
	}
	return links, names
}

func file(t *testing.T, body string) [][]string {
	t.Helper()
	text, found := strings.CutPrefix(body, "\ufeff")
	require.True(t, found)
	all, err := csv.NewReader(strings.NewReader(text)).ReadAll()
	require.NoError(t, err)
	return all
}

func newProgram(t *testing.T) (h *program.Program, finance *visitor.Member) {
	h = program.New(t, program.Options{})
	for _, name := range []string{"Ana", "Ben", "=Carla"} {
		h.SettledGift(visitor.FormOf(strings.Trim(strings.ToLower(name), "=")+"@donor.example", name))
	}
	return h, visitor.NewMember(t, h, "finance@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
}

// TestList: the list says what it has and what that adds up to; a search and filters stand in the address; a row leads to
// the gift; a page is a file too.
func TestList(t *testing.T) {
	t.Parallel()
	h, m := newProgram(t)
	got := m.Ask("GET", "/office/tsne/gifts", nil)
	require.Equal(t, 200, got.StatusCode, got.Page)
	require.Contains(t, got.Page, "3 gifts, $60.00")
	links, names := rows(got.Page)
	require.Equal(t, []string{"=Carla Pérez", "Ben Pérez", "Ana Pérez"}, names)
	require.Contains(t, m.Ask("GET", links[2], nil).Page, "Ana Pérez")
	require.Contains(t, m.Ask("GET", "/office/tsne/gifts?lang=es", nil).Page, "3 donaciones, ")
	receipt := h.Lines(`SELECT 'TSNE-' || year || '-' || lpad(number::text, 6, '0') FROM receipt r JOIN donor d ON d.first_name = 'Ben' JOIN donation g ON g.donor_id = d.id AND g.id = r.donation_id`)[0]
	charge := h.Lines(`SELECT charge_id FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.first_name = 'Ben'`)[0]
	for query, want := range map[string]string{
		"q=ben": "Ben Pérez", "q=ben%40donor.example": "Ben Pérez", "q=" + receipt: "Ben Pérez", "q=" + charge: "Ben Pérez", "q=nobody": "", "q=%2420": "=Carla Pérez Ben Pérez Ana Pérez",
		"q=4242": "=Carla Pérez Ben Pérez Ana Pérez", "q=1111&by=card": "", "q=4242&month=2001-01": "", "q=20&by=card": "=Carla Pérez Ben Pérez Ana Pérez", "state=failed": "", "state=settled": "=Carla Pérez Ben Pérez Ana Pérez", "state=refunded": "", "every=monthly": "", "source=form&q=ana": "Ana Pérez",
		"month=2001-01": "", "year=2001": "", "year=" + strconv.Itoa(time.Now().Year()): "=Carla Pérez Ben Pérez Ana Pérez", "fund=no-such": "=Carla Pérez Ben Pérez Ana Pérez", "org=csio&q=carla": "=Carla Pérez", "q=po_none": "", "q=" + strings.Repeat("x", 1000): "", "after=x": "=Carla Pérez Ben Pérez Ana Pérez",
	} {
		got := m.Ask("GET", "/office/tsne/gifts?"+query, nil)
		require.Equal(t, 200, got.StatusCode, query)
		_, names := rows(got.Page)
		require.Equal(t, want, strings.Join(names, " "), query)
		if want == "" {
			require.Contains(t, got.Page, "0 gifts", query)
		}
	}

	got = m.Ask("GET", "/office/tsne/gifts?q=carla", nil, "Accept: text/csv")
	require.Equal(t, "text/csv; charset=utf-8", got.Header.Get("Content-Type"))
	require.Equal(t, 200, m.Ask("GET", "/office/tsne/gifts?format=xlsx&state=settled&org=csio", nil).StatusCode)
	require.Equal(t, []string{`{"rows": 1, "format": "csv", "search": true}`, `{"rows": 3, "state": "settled", "format": "xlsx"}`},
		h.Lines(`SELECT after::text FROM audit_entry WHERE act = 'list.filed' AND object_kind = 'list' AND object_id = 'gifts' AND staff_id = $1 ORDER BY serial`, m.ID),
		"who took which rows of which list, and no name")
	all := file(t, got.Page)
	require.Len(t, all, 2)
	require.Equal(t, "20.00", all[1][6])
	require.Equal(t, "'=Carla", all[1][12], "no formula")
	require.Equal(t, "USD", all[1][17])
	got = m.Ask("GET", "/office/tsne/gifts?format=xlsx", nil)
	book, err := excelize.OpenReader(strings.NewReader(got.Page))
	require.NoError(t, err)
	shown, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Len(t, shown, 4)
}

// TestPagesOfTheList: a page leads to the next one; the sum of all pages is the total.
func TestPagesOfTheList(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 300, 1))
	m := visitor.NewMember(t, h, "finance@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", ""))
	n, cents := h.Count(`SELECT count(*) FROM donation g JOIN legal_entity e ON e.id = g.entity_id WHERE e.slug = 'tsne'`), 0
	seen := map[string]bool{}
	next := regexp.MustCompile(`<a href="([^"]+)" rel="next">Next page`)
	for path := "/office/tsne/gifts"; path != ""; {
		got := m.Ask("GET", path, nil)
		links, _ := rows(got.Page)
		require.NotEmpty(t, links)
		for _, link := range links {
			require.False(t, seen[link])
			seen[link] = true
		}
		mark := "?"
		if strings.Contains(path, "?") {
			mark = "&"
		}
		for _, row := range file(t, m.Ask("GET", path+mark+"format=csv", nil).Page)[1:] {
			cents += toCents(t, row[6])
		}
		path = ""
		if found := next.FindStringSubmatch(got.Page); found != nil {
			path = strings.ReplaceAll(found[1], "&amp;", "&")
		}
	}
	require.Len(t, seen, n)
	first := m.Ask("GET", "/office/tsne/gifts?every=once", nil)
	require.Contains(t, first.Page, `href="/office/tsne/gifts?every=once&amp;rows=200"`)
	links, _ := rows(m.Ask("GET", "/office/tsne/gifts?rows=200", nil).Page)
	require.Len(t, links, min(n, 200))
	require.Equal(t, h.Count(`SELECT sum(amount) FROM donation g JOIN legal_entity e ON e.id = g.entity_id WHERE e.slug = 'tsne'`), cents)
}

func toCents(t *testing.T, decimal string) (cents int) {
	t.Helper()
	require.Regexp(t, `^\d+\.\d\d$`, decimal)
	for _, digit := range strings.ReplaceAll(decimal, ".", "") {
		cents = 10*cents + int(digit-'0')
	}
	return cents
}

// TestGift: the page of a gift has its whole history, and leads to the gifts beside it in the list.
func TestGift(t *testing.T) {
	t.Parallel()
	h, m := newProgram(t)
	var gift uuid.UUID
	require.NoError(t, h.DB.Owner.Get(&gift, `SELECT g.id FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.first_name = 'Ben'`))
	_, err := h.Fake.Refund(*h.Gift(gift).PaymentIntentID, 500)
	require.NoError(t, err)
	h.DeliverNew()
	_, err = h.Sweeper.Sweep(t.Context())
	require.NoError(t, err)
	h.DrainAll()
	path := "/office/tsne/gifts/" + h.Gift(gift).PublicRef
	got := m.Ask("GET", path, nil)
	require.Equal(t, 200, got.StatusCode, got.Page)
	for _, says := range []string{"Ben Pérez", "$20.00", "Partly refunded", "$20.00 paid by card", "$5.00 refunded", "Stripe&#39;s fee", "void: refunded", "entries in the books", "Card fee", "−$5.00",
		`href="` + path + `/refund"`, `rel="prev"`, `rel="next"`, `href="/office/tsne/donors/`, "Nobody has written a note"} {
		assert.Contains(t, got.Page, says)
	}
	spanish := m.Ask("GET", path+"?lang=es", nil).Page
	require.Contains(t, spanish, "Reembolsada en parte")
	require.Contains(t, spanish, "Contribuciones con restricción")
	require.NotRegexp(t, `[a-z]-(without|with|clearing|fees)\b`, regexp.MustCompile(`(?s)<td.*</td>`).FindString(got.Page), "no identifier of an account")
	chart, err := ledger.Chart(t.Context(), h.DB.Owner)
	require.NoError(t, err)
	for account := range chart {
		require.True(t, h.Server.View.HasPhrase("office.account_name."+string(account)), account)
	}
	charged := `UPDATE donation SET charged_at = date_trunc('second', created_at) WHERE id = '` + gift.String() + `'`
	h.Exec(`ALTER TABLE donation DISABLE TRIGGER USER; ` + charged + `; ALTER TABLE donation ENABLE TRIGGER USER`)
	what := m.Ask("GET", path, nil).Page
	require.Less(t, strings.Index(what, "filled in"), strings.Index(what, "$20.00 paid by card"))
	found := regexp.MustCompile(`<a href="([^"]+)" rel="next">`).FindStringSubmatch(got.Page)
	require.Contains(t, m.Ask("GET", found[1], nil).Page, "<h1>Ana Pérez")
	require.NotContains(t, m.Ask("GET", path+"?q=ben", nil).Page, `rel="next"`, "it is alone in the list of the search")

	none := m.Ask("GET", "/office/tsne/gifts/"+program.NewRef(), nil)
	require.Equal(t, 404, none.StatusCode)
	auditor := visitor.NewMember(t, h, "auditor@staff.example", staff.Auditor, visitor.ScopeOf(t, h, "tsne", "csio"))
	require.Equal(t, path+"?org=csio", auditor.Ask("GET", path, nil).Header.Get("Location"), "the whole entity is not theirs")
	seen := auditor.Ask("GET", path+"?org=csio", nil)
	require.Equal(t, 200, seen.StatusCode)
	require.NotContains(t, seen.Page, "/refund?", "an auditor changes nothing")
	require.NotContains(t, seen.Page, `name="submission"`)
	other := visitor.NewMember(t, h, "other@staff.example", staff.Finance, visitor.ScopeOf(t, h, "aina", ""))
	require.Equal(t, 404, other.Ask("GET", strings.Replace(path, "tsne", "aina", 1), nil).StatusCode)
	admin := visitor.NewMember(t, h, "admin@staff.example", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	require.Equal(t, 404, admin.Ask("GET", path, nil).StatusCode, "no money right by being admin")
	require.Equal(t, 404, admin.Ask("GET", "/office/tsne/gifts", nil).StatusCode)
}

// TestExport: a whole list needs a reason and a fresh factor; the audit log has its rows and hash; the file ends with its
// number of rows.
func TestExport(t *testing.T) {
	t.Parallel()
	h := program.New(t, program.Options{})
	require.NoError(t, many.Fill(t.Context(), h.DB.Owner, 1500, 1))
	admin := visitor.NewMember(t, h, "admin@staff.example", staff.Admin, visitor.ScopeOf(t, h, "tsne", ""))
	m := visitor.NewMember(t, h, "finance@staff.example", staff.Finance, visitor.ScopeOf(t, h, "tsne", "")).Stale()
	path := "/office/tsne/gifts/export"
	require.Equal(t, 200, m.Ask("GET", path, nil).StatusCode)
	got := m.PostOffice(path, url.Values{"format": {"csv"}})
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "Say what the file is for")
	got = m.PostOffice(path, url.Values{"reason": {"for the board"}})
	require.NotEqual(t, "text/csv; charset=utf-8", got.Header.Get("Content-Type"), "no fresh factor")
	require.Contains(t, got.Page, `value="for the board"`, "what was typed stays")
	require.Zero(t, h.Count(`SELECT count(*) FROM audit_entry WHERE act LIKE 'gifts.%'`))

	want := h.Count(`SELECT count(*) FROM donation g JOIN legal_entity e ON e.id = g.entity_id WHERE e.slug = 'tsne'`)
	people := h.Count(`SELECT count(DISTINCT donor_id) FROM donation g JOIN legal_entity e ON e.id = g.entity_id WHERE e.slug = 'tsne'`)
	for format, code := range map[string]string{"csv": m.Code()} {
		got = m.PostOffice(path, url.Values{"reason": {"for the board"}, "format": {format}, "code": {code}})
		require.Equal(t, 200, got.StatusCode, got.Page)
	}
	all := file(t, got.Page)
	require.Len(t, all, want+2)
	require.Equal(t, []string{"end of this file", h.Lines(`SELECT $1::text`, want)[0]}, all[len(all)-1][:2])
	sum := sha256.Sum256([]byte(got.Page))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM audit_entry WHERE act = 'gifts.export' AND reason = 'for the board' AND staff_id = $1`, m.ID))
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM audit_entry WHERE act = 'gifts.exported' AND (after ->> 'rows')::int = $1 AND (after ->> 'people')::int = $2 AND after ->> 'sha256' = $3 AND after ->> 'whole' = 'true'`,
		want, people, hex.EncodeToString(sum[:])))
	require.Greater(t, people, 500)
	require.Equal(t, []string{admin.ID.String()}, h.Lines(`SELECT args ->> 'to' FROM river_job WHERE kind = 'staff_letter' AND args ->> 'email' = 'staff_export' AND args ->> 'about' = $1`, m.ID))

	got = m.PostOffice(path+"?q=donor1%40many.example", url.Values{"reason": {"one"}, "format": {"xlsx"}})
	require.Equal(t, 200, got.StatusCode, "the factor is fresh now")
	book, err := excelize.OpenReader(strings.NewReader(got.Page))
	require.NoError(t, err)
	shown, err := book.GetRows("Sheet1")
	require.NoError(t, err)
	require.Equal(t, "end of this file", shown[len(shown)-1][0])
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM river_job WHERE args ->> 'email' = 'staff_export'`), "few people")
	require.Zero(t, h.Count(`SELECT count(*) FROM audit_entry WHERE after::text LIKE '%many.example%'`), "no name or address in the log")
}

// TestNotes: a note is added once, on an object of the scope only, by finance only; what cannot be kept is shown again.
func TestNotes(t *testing.T) {
	t.Parallel()
	h, m := newProgram(t)
	var gift, ref string
	require.NoError(t, h.DB.Owner.QueryRow(`SELECT g.id::text, public_ref FROM donation g JOIN donor d ON d.id = g.donor_id WHERE d.first_name = 'Ben'`).Scan(&gift, &ref))
	form := func(text string) url.Values {
		return url.Values{"on": {"gift"}, "id": {gift}, "submission": {uuid.NewString()}, "text": {text}}
	}
	hostile := testkit.HostileTexts()[0] + "<script>alert(1)</script>"
	twice := form(hostile)
	for range 2 {
		got := m.PostOffice("/office/tsne/notes", twice)
		require.Equal(t, http.StatusSeeOther, got.StatusCode, got.Page)
		require.Equal(t, "/office/tsne/gifts/"+ref+"#notes", got.Header.Get("Location"))
	}
	page := m.Ask("GET", "/office/tsne/gifts/"+ref, nil).Page
	require.Contains(t, page, "&lt;script&gt;")
	require.Equal(t, 1, strings.Count(page, `<span class="note">`))
	require.Contains(t, page, "· Finance")
	twice.Set("text", "another text")
	got := m.PostOffice("/office/tsne/notes", twice)
	require.Equal(t, 422, got.StatusCode)
	require.Contains(t, got.Page, "another text")
	require.Equal(t, 422, m.PostOffice("/office/tsne/notes", form(" ")).StatusCode)
	require.Equal(t, 422, m.PostOffice("/office/tsne/notes", form(strings.Repeat("x", 4001))).StatusCode)

	for name, values := range map[string]url.Values{
		"kind": {"on": {"letter"}}, "id": {"id": {uuid.NewString()}}, "no id": {"id": {"x"}}, "no submission": {"submission": {""}}, "payout": {"on": {"payout"}},
	} {
		wrong := form("x")
		for key, value := range values {
			wrong[key] = value
		}
		require.Equal(t, 404, m.PostOffice("/office/tsne/notes", wrong).StatusCode, name)
	}
	other := visitor.NewMember(t, h, "other@staff.example", staff.Finance, visitor.ScopeOf(t, h, "aina", ""))
	require.Equal(t, 404, other.PostOffice("/office/aina/notes", form("x")).StatusCode)
	auditor := visitor.NewMember(t, h, "auditor@staff.example", staff.Auditor, visitor.ScopeOf(t, h, "tsne", ""))
	require.Equal(t, 404, auditor.PostOffice("/office/tsne/notes", form("x")).StatusCode)
	require.Equal(t, 1, h.Count(`SELECT count(*) FROM staff_note`))
}
