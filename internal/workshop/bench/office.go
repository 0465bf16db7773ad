package bench

import (
	_ "embed"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/office/giftlist"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
	staff "konbit/internal/workshop/testkit/office"
)

// officePages reads the pages of finance staff over HTTP, as pages reads their lists without a page around them.
var officePages = Row{
	Name: "office",
	Claim: "pages of the finance office over HTTP, by signed-in staff, with 1,000,000 gifts (quick: 50,000) while 20 gifts a second settle: median " +
		"and 99th percentile of a hundred reads of each (quick: forty, and the slowest); then settling as fast as it can while five people " +
		"each open a page every five seconds, compared with settling alone before and after",
	Large: true,
	Measure: func(t testing.TB, m *Meter) {
		l := newLarge(t, m)
		o := l.openOffice()
		reads := m.Size(100, 40)
		visits := o.visits()
		gifts := m.Size(15_000, 5_000)
		alone := func() float64 { defer l.dropEmails(); return l.settle(senders, gifts) }
		m.Interleave(
			func() {
				stop := l.settleSlowly(m.Size(6_000, 4_000)) // more than the reads need
				for _, v := range visits {
					took := o.read(v, reads)
					m.Note(v.name, percentile(took, 50))
					m.Note(v.name+", slowest", percentile(took, 99)) // of forty reads it is the slowest one
				}
				m.Note("settled", stop())
			},
			func() { // the machine's pace changes: alone is measured on both sides
				before := alone()
				stop := o.readPaced(visits, 1)
				m.Note("while staff read", alone())
				m.Note("pages", stop())
				m.Note("alone", (before+alone())/2)
			},
		)
		last := "99th percentile"
		if m.Quick {
			last = "slowest of forty"
		}
		for _, v := range visits {
			m.Absolute(v.name, "ms", v.name, AtMost(200))
			m.Absolute(v.name+", "+last, "ms", v.name+", slowest", AtMost(500))
		}
		m.Absolute("settled meanwhile", "gifts/s", "settled", AtLeast(19))
		m.Compare("settling while staff read", "gifts/s", "while staff read", "alone", AtLeast(0.95))
		m.Absolute("pages read meanwhile", "pages/s", "pages", Shown)
	},
}

// aged is what years leave beside settled gifts: refunds, and tasks that are open or closed.
//
//go:embed office.sql
var aged string

// bureau is the finance office of an entity with many gifts.
type bureau struct {
	*large
	r    *rand.Rand
	path string // of the entity's pages
}

func (l *large) openOffice() *bureau {
	l.t.Helper()
	var refunds int
	require.NoError(l.t, l.DB.Owner.Get(&refunds, `SELECT count(*) FROM payment_change`))
	if refunds == 0 {
		_, err := l.DB.Owner.Exec(aged)
		require.NoError(l.t, err)
		_, err = l.DB.Owner.Exec(`ANALYZE payment_change, payment_change_share, finance_task`)
		require.NoError(l.t, err)
	}
	b := &bureau{large: l, r: rand.New(rand.NewPCG(1, 15))}
	require.NoError(l.t, l.DB.Owner.Get(&b.path, `SELECT '/office/' || slug FROM legal_entity WHERE id = $1`, l.entity))
	return b
}

// visit is a page that staff read, at several addresses: one after the other, each time.
type visit struct {
	name  string
	paths []string
	rows  bool // the page has at least one row
}

func (b *bureau) visits() []visit {
	list, zone := b.path+"/gifts", b.zone()
	at := func(path string, values ...string) string {
		q := url.Values{}
		for i := 0; i+1 < len(values); i += 2 {
			q.Set(values[i], values[i+1])
		}
		return b.path + "/" + path + "?" + q.Encode()
	}
	search := func(path string, texts []string) (paths []string) {
		for _, text := range texts {
			paths = append(paths, at(path, "q", text))
		}
		return paths
	}
	var months, behind []string
	for _, month := range b.texts(`SELECT DISTINCT to_char(day, 'YYYY-MM') FROM ledger_day WHERE entity_id = $1 AND account_code LIKE '4%' AND day < current_date`) {
		for _, code := range b.texts(`SELECT f.code FROM fund f WHERE f.entity_id = $1 AND f.organisation_id IS NOT NULL AND f.closed_at IS NULL`) {
			months = append(months, at("gifts", "month", month, "fund", code))
		}
	}
	var first time.Time
	require.NoError(b.t, b.DB.Owner.Get(&first, `SELECT min(charged_at) FROM donation WHERE entity_id = $1`, b.entity))
	for i := range 12 {
		behind = append(behind, at("gifts", "after", desk.Cursor(giftlist.Cursor{At: first.Add(b.now.Sub(first) * time.Duration(i+1) / 13), ID: uuid.Max})))
	}
	names := b.texts(`SELECT concat_ws(' ', left(split_part(first_name, ' ', 1), 4), left(last_name, 4)) FROM donor WHERE entity_id = $1 AND last_name <> 'Example' ORDER BY md5(id::text) LIMIT 20`)
	common := b.texts(`SELECT last_name FROM donor WHERE entity_id = $1 AND last_name <> 'Example' GROUP BY last_name ORDER BY count(*) DESC LIMIT 6`)
	donors := b.texts(`SELECT id::text FROM donor WHERE entity_id = $1 AND first_gift_at IS NOT NULL AND last_name <> 'Example' ORDER BY md5(id::text) LIMIT 50`)
	return []visit{
		{"gifts, first page", []string{list}, true},
		{"gifts, 200 rows", []string{at("gifts", "rows", "200")}, true},
		{"gifts of a month and a fund", months, true},
		{"gifts, a page far behind", behind, true},
		{"gifts by name, a common word", search("gifts", common), true},
		{"gifts by name, beginnings of two words", search("gifts", names), true},
		{"gifts by receipt number", search("gifts", b.texts(`SELECT upper(e.slug) || '-' || r.year || '-' || lpad(r.number::text, 6, '0') FROM receipt r JOIN legal_entity e ON e.id = r.entity_id
			WHERE r.entity_id = $1 AND r.number % 997 = 1 ORDER BY md5(r.id::text) LIMIT 50`)), true},
		{"gifts by amount", search("gifts", b.texts(`SELECT '$' || (5 + 4 * n) || '.00' FROM generate_series(0, 45) n WHERE $1::uuid IS NOT NULL`)), true},
		{"refunded gifts", []string{at("gifts", "state", "refunded")}, true},
		{"a gift", under(b.path+"/gifts/", b.texts(`SELECT public_ref FROM donation WHERE entity_id = $1 AND settled_at < now() - interval '1 day' ORDER BY md5(id::text) LIMIT 50`)), false},
		{"donors, first page", []string{b.path + "/donors"}, true},
		{"donors by name, a common word", search("donors", common), true},
		{"donors by name, beginnings of two words", search("donors", names), true},
		{"a donor", under(b.path+"/donors/", donors), true},
		{"Today", []string{b.path}, true},
		{"refunds", []string{b.path + "/refunds"}, true},
		{"tasks", []string{b.path + "/tasks", at("tasks", "state", "closed")}, true},
		{"entries of a month", []string{at("entries", "of", "gifts", "month", b.now.In(zone).Format("2006-01")), at("entries", "of", "stripe")}, true},
	}
}

func under(path string, names []string) (paths []string) {
	for _, name := range names {
		paths = append(paths, path+name)
	}
	return paths
}

// texts returns what a query about the entity returns: at least one text.
func (b *bureau) texts(query string) (found []string) {
	b.t.Helper()
	require.NoError(b.t, b.DB.Owner.Select(&found, query, b.entity), query)
	require.NotEmpty(b.t, found, query)
	return found
}

func (b *bureau) zone() *time.Location {
	b.t.Helper()
	var name string
	require.NoError(b.t, b.DB.Owner.Get(&name, `SELECT timezone FROM legal_entity WHERE id = $1`, b.entity))
	zone, err := time.LoadLocation(name)
	require.NoError(b.t, err)
	return zone
}

// person is a member of the staff with a session. One may read 900 pages in ten minutes.
func (b *bureau) person() *staff.Person {
	b.t.Helper()
	return staff.Add(b.t, b.DB.Owner, "finance", staff.Role{Role: "finance", Entity: strings.TrimPrefix(b.path, "/office/")})
}

// read reads a page so many times as one person, and returns the milliseconds of each, up to the last byte.
func (b *bureau) read(v visit, times int) (took []float64) {
	b.t.Helper()
	in, c := b.person(), b.connect()
	defer c.Close()
	b.open(c, in, v, v.paths[0]) // the first one opens connections
	for i := range times {
		began := time.Now()
		b.open(c, in, v, v.paths[i%len(v.paths)])
		took = append(took, float64(time.Since(began).Microseconds())/1000)
	}
	return took
}

func (b *bureau) connect() *connection {
	b.t.Helper()
	c, err := dial(host(b.URL()))
	require.NoError(b.t, err)
	return c
}

// open reads a page whole.
func (b *bureau) open(c *connection, in *staff.Person, v visit, path string) {
	status, page, err := c.page(get(host(b.URL()), path, "Cookie: konbit-"+web.StaffCookie+"="+in.Cookie))
	if err != nil || status != http.StatusOK || v.rows && !strings.Contains(page, "<tbody>") {
		b.t.Errorf("bench: %s at %s: %d %v, %d bytes", v.name, path, status, err, len(page))
		b.t.FailNow()
	}
}

// readPaced lets staff open pages of all kinds at a fixed rate a second, each at a random moment of its turn, until stop is
// called, which returns how many a second were read.
func (b *bureau) readPaced(visits []visit, rate int) (stop func() float64) {
	var people []*staff.Person
	for range 5 {
		people = append(people, b.person())
	}
	ended, read := make(chan struct{}), 0
	var all sync.WaitGroup
	began := time.Now()
	all.Go(func() {
		c := b.connect()
		defer c.Close()
		for n := 0; ; n++ {
			v := visits[b.r.IntN(len(visits))]
			select {
			case <-ended:
				return
			case <-time.After(time.Until(began.Add(time.Duration(n) * time.Second / time.Duration(rate)))):
			}
			b.open(c, people[n%len(people)], v, v.paths[b.r.IntN(len(v.paths))])
			read++
		}
	})
	return func() float64 {
		close(ended)
		all.Wait()
		return float64(read) / time.Since(began).Seconds()
	}
}
