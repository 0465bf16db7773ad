package week_test

import (
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"konbit/internal/app"
)

// A check is what lies on the desk.
type check struct {
	first, last string
	email       string // empty: the papers go by mail
	minor       int64
	number      string
	isNew       bool
	split       bool // a part of it is for the second fund
}

func (c check) amount() string { return decimal(c.minor) }

// decimal writes an amount as a person types it: without cents if there are none.
func decimal(minor int64) string {
	if minor%100 == 0 {
		return fmt.Sprint(minor / 100)
	}
	return fmt.Sprintf("%d.%02d", minor/100, minor%100)
}

var (
	firsts = strings.Fields("Rosa Ben Carla Diego Elena Frank Gloria Henry Irma Jonah Karen Luis Mabel Nora Omar")
	lasts  = strings.Fields(`Abreu Acosta Alvarado Arango Baptiste Barros Benoit Brennan Cabrera Castellanos Chen Cordero Delgado Dominguez Duarte Escobar
		Espinal Fagan Ferreira Figueroa Galvez Gomes Guerrero Haddad Herrera Hurley Iglesias Jean Joseph Kaplan Laurent Leblanc Lopes Machado Marte Mendes
		Moreno Nguyen Okafor Ortega Pacheco Paredes Pierre Quintana Ramos Rivas Salazar Santos Silva Solano Tavares Toussaint Ureña Valdez Vasquez Vieira
		Walsh Xavier Yates Zamora`)
)

// desk returns the checks of Monday: 40 of known donors, 15 of new ones, and 5 of known donors that are for two funds.
func desk() (all []check) {
	for i, last := range lasts {
		c := check{first: firsts[i%len(firsts)], last: last, minor: 2500 + int64(i%7)*1500, number: fmt.Sprint(2001 + 37*i), isNew: i%4 == 1, split: i%12 == 6}
		if c.split {
			c.minor += 1000
		}
		if i%9 == 3 {
			c.minor += 50
		}
		if i%3 != 0 {
			c.email = strings.ToLower(c.first) + "." + fmt.Sprint(i) + "@donor.example"
		}
		all = append(all, c)
	}
	return all
}

func sumOf(all []check) (sum int64) {
	for _, c := range all {
		sum += c.minor
	}
	return sum
}

// know adds the donors whom the office knows already: each gave before.
func (w *week) know(all []check) {
	w.t.Helper()
	tx := w.s.DB.Owner.MustBegin()
	for i, c := range all {
		if c.isNew {
			continue
		}
		id, gift := uuid.New(), uuid.New()
		tx.MustExec(`INSERT INTO donor (id, entity_id, email, first_name, last_name, language, created_at)
			SELECT $1, id, nullif($2, ''), $3, $4, 'en', now() - interval '90 days' FROM legal_entity WHERE slug = 'tsne'`, id, c.email, c.first, c.last)
		tx.MustExec(`UPDATE donor SET address_line1 = $2, city = 'Boston', region = 'MA', postal_code = $3, country = 'US' WHERE id = $1`,
			id, fmt.Sprintf("%d Centre St", 10+i), fmt.Sprintf("0213%d", i%10))
		tx.MustExec(`INSERT INTO donation (id, entity_id, organisation_id, donor_id, public_ref, status, frequency, amount, currency, language, anonymous, news,
				created_at, charged_at, source)
			SELECT $1, o.entity_id, o.id, $2, $3, 'started', 'once', 1000, 'USD', 'en', false, false, now() - interval '90 days', now() - interval '90 days', 'office'
			FROM organisation o WHERE o.slug = 'csio'`, gift, id, app.NewRef())
		tx.MustExec(`INSERT INTO designation (donation_id, n, entity_id, fund_id, amount)
			SELECT $1, 1, f.entity_id, f.id, 1000 FROM fund f JOIN organisation o ON o.id = f.organisation_id WHERE o.slug = 'csio' AND f.slug = 'general'`, gift)
	}
	require.NoError(w.t, tx.Commit())
}

// A count is how much work a kind of checks is.
type count struct {
	checks, keys int
	took         time.Duration
}

// each returns the keys of a check.
func (c count) each() float64 { return float64(c.keys) / float64(max(c.checks, 1)) }

func (c count) String() string {
	return fmt.Sprintf("%d checks, %.1f keys and %.2f s each", c.checks, c.each(), c.took.Seconds()/float64(max(c.checks, 1)))
}

// counted adds what fn does to the work of a kind of checks.
func (w *week) counted(kind string, fn func()) {
	began, keys := time.Now(), w.june.keys
	fn()
	c := w.work[kind]
	c.checks, c.keys, c.took = c.checks+1, c.keys+w.june.keys-keys, c.took+time.Since(began)
	w.work[kind] = c
}

// begin begins a batch from any page: n leads to its form.
func begin(p *person, count int, total, account string) {
	p.t.Helper()
	p.leads("n")
	p.on("received_on")
	p.to("#count")
	p.press(fmt.Sprint(count), kb.Tab, total, kb.Tab)
	p.choose("Center to Support Immigrant Organizing: Where")
	p.leads(kb.Tab, account, kb.Enter)
	p.on("donor")
}

// known types a check of a known donor: part of the name, the amount, the number. Enter stores it.
func (w *week) known(c check, amount string) {
	w.june.on("donor")
	w.june.leads(strings.ToLower(c.last), kb.Tab, amount, kb.Tab, c.number, kb.Enter)
}

// new types a check of a donor whom nobody knows: Enter opens the fields of a new donor in the row.
func (w *week) new(c check) {
	p := w.june
	p.on("donor")
	p.leads(c.first+" "+c.last, kb.Tab, c.amount(), kb.Tab, c.number, kb.Enter)
	p.on("email") // the name is read already
	if c.email != "" {
		p.leads(c.email, kb.Enter)
		return
	}
	p.leads(kb.Tab, "8 Elm St", kb.Tab, kb.Tab, "Boston", kb.Tab, "MA", kb.Tab, "02130", kb.Enter)
}

// split types a check that is for two funds: the fund is "Several funds", and each has a field.
func (w *week) split(c check) {
	p := w.june
	p.on("donor")
	p.press(strings.ToLower(c.last), kb.Tab, c.amount(), kb.Tab, c.number, kb.Tab, kb.Tab)
	p.choose("S")
	p.leads(kb.Tab, decimal(c.minor-1000), kb.Tab, "10", kb.Enter)
}
