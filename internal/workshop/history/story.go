package history

import (
	"context"
	"math/rand/v2"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/dedication"
	"konbit/internal/giving/donation"
	"konbit/internal/platform/phrase"
	"konbit/internal/workshop/stripefake"
)

// length is how long the history is. Its story has whole days, so it ends up to a day and a half before that.
const length, days = 62 * 24 * time.Hour, 61

// morning is when the days of the story begin, in hours of UTC: seven o'clock in Boston, or six.
const morning = 11

// The entities of demo.yaml, which are accounts at the stand-in too, and their organisations.
const (
	tsne, csio = "tsne", "csio"
	gi         = "grassroots-international" // both
)

// step is one act of the story.
type step struct {
	at time.Time
	do func(ctx context.Context, m *maker) error
}

// gift is a form, and what its donor does on the payment page.
type gift struct {
	organisation string
	donor        person
	form         donation.Form
	card         string // number; empty: any good card
	declined     bool   // the card is declined, and the donor gives up
	bank         string // pays by bank debit: "pays" or "fails"
	leaves       bool   // leaves the payment page open
}

func (g gift) account() string {
	if g.organisation == csio {
		return tsne
	}
	return g.organisation
}

// writer writes the story. Its random source has a fixed seed: a history that goes on after a restart has the same steps.
type writer struct {
	from   time.Time // the first morning
	chance *rand.Rand
	people crowd
	steps  []step
	forms  int
}

// story returns the steps of a history that begins at from, oldest first.
func story(from time.Time) []step {
	first := time.Date(from.UTC().Year(), from.UTC().Month(), from.UTC().Day(), morning, 0, 0, 0, time.UTC)
	if first.Before(from) {
		first = first.AddDate(0, 0, 1)
	}
	w := &writer{from: first, chance: rand.New(rand.NewPCG(15, 2)), people: crowd{given: map[string]int{}}}
	w.oneTimeGifts()
	w.plans()
	w.endings()
	w.atTheBank()
	slices.SortStableFunc(w.steps, func(x, y step) int { return x.at.Compare(y.at) })
	return w.steps
}

// on returns a moment of a day of the story, some hours after the morning. The first day is 0.
func (w *writer) on(day, hour float64) time.Time {
	return w.from.Add(time.Duration((day*24 + hour) * float64(time.Hour))).Truncate(time.Second)
}

// sometime returns a moment of a day between morning and evening.
func (w *writer) sometime(day int) time.Time { return w.on(float64(day), 1+13*w.chance.Float64()) }

func (w *writer) add(at time.Time, do func(ctx context.Context, m *maker) error) {
	w.steps = append(w.steps, step{at, do})
}

// give adds a gift.
func (w *writer) give(at time.Time, g gift) {
	w.forms++
	g.form.FormID = uuid.NewSHA1(uuid.NameSpaceOID, []byte("a form of the demo's history "+strconv.Itoa(w.forms)))
	g.form.Language = phrase.Language(g.donor.language)
	g.form.Contact.Contact = contact.Contact{FirstName: g.donor.first, LastName: g.donor.last, Email: g.donor.email(), Details: g.donor.home}
	if g.form.Frequency == "" {
		g.form.Frequency = "once"
	}
	w.add(at, func(ctx context.Context, m *maker) error { return m.give(ctx, g) })
}

// pick returns one of several values.
func pick[T any](w *writer, from ...T) T { return from[w.chance.IntN(len(from))] }

var funds = map[string][]string{
	csio: {"general", "general", "grassroots-leadership-network", "immigrant-movement-building"},
	gi:   {"where-needed-most", "where-needed-most", "global-peasant-solidarity", "haiti-dessalines-brigade", "southern-africa-samora-machel-brigade"},
}

// formOf returns the form of a gift to one fund; the amount is as typed.
func formOf(amount, fund string) donation.Form {
	return donation.Form{Amount: "other", AmountOther: amount, Fund: fund}
}

// visitor returns a donor of an organisation, in one of its languages.
func (w *writer) visitor(organisation string) person {
	if organisation == csio {
		return w.people.next(pick(w, "en", "en", "es"))
	}
	return w.people.next(pick(w, "en", "en", "es", "pt", "ht"))
}

// amount returns what a person gives, as typed.
func (w *writer) amount() string {
	return pick(w, "10", "20", "20", "25", "30", "35", "40", "50", "50", "60", "75", "100", "100", "120", "150", "250", "500")
}

const oneTime = 106

var notes = []string{
	"", "", "", "", "", "Thank you for standing with our neighbors.", "I heard about you at the community meeting.",
	"Please use it where it helps most.", "Matching what my sister gave.",
}

// oneTimeGifts adds the gifts of people who give once; some of them give again.
func (w *writer) oneTimeGifts() {
	var before []gift
	for n := range oneTime {
		g := gift{organisation: pick(w, csio, csio, gi)}
		g.donor = w.visitor(g.organisation)
		if len(before) > 20 && n%9 == 0 {
			again := pick(w, before...)
			g.organisation, g.donor = again.organisation, again.donor
		}
		g.form = donation.Form{Amount: "other", AmountOther: w.amount(), Fund: pick(w, funds[g.organisation]...), CoverFees: n%3 == 0, News: n%4 == 0}
		g.form.Anonymous = n%17 == 5
		g.form.Contact.Note = pick(w, notes...)
		g.card = pick(w, "", "", "5555555555554444", "4000056655665556", "6011111111111117")
		if n%13 == 4 {
			g.form.Dedication.Kind = pick(w, dedication.Honour, dedication.Memory)
			g.form.Dedication.Name = pick(w, "Abuela Teresa", "Mr. Alvin Brooks", "Dona Celeste")
		}
		before = append(before, g)
		w.give(w.sometime(n*days/oneTime), g)
	}
	large := w.people.next("en")
	w.give(w.on(9, 4), gift{organisation: gi, donor: large, form: formOf("2500", "global-peasant-solidarity")})
	bank := w.people.next("en")
	w.give(w.on(27, 6), gift{organisation: csio, donor: bank, bank: "pays", form: formOf("1200", "general")})
	empty := w.people.next("es")
	w.give(w.on(41, 6), gift{organisation: csio, donor: empty, bank: "fails", form: formOf("80", "general")})

	ana := person{first: "Ana", last: "Pérez", language: "es", home: homes[1]}
	w.give(w.on(55, 9), gift{organisation: csio, donor: ana, form: donation.Form{Amount: "other", AmountOther: "120", CoverFees: true, Split: map[string]string{
		"general": "60", "grassroots-leadership-network": "40", "immigrant-movement-building": "20"}}})

	for n, day := range []int{6, 24, 50} { // the page is left open, and expires
		g := gift{organisation: pick(w, csio, gi), leaves: true, form: donation.Form{Amount: strconv.Itoa(10 * (n + 1))}}
		g.donor = w.visitor(g.organisation)
		w.give(w.sometime(day), g)
	}
	w.give(w.sometime(18), gift{organisation: gi, donor: w.visitor(gi), card: "4000000000009995", declined: true, form: donation.Form{Amount: "30"}})
}

// plans adds the gifts that repeat. Their renewals come by themselves.
func (w *writer) plans() {
	for n := range 22 {
		g := gift{organisation: pick(w, csio, gi)}
		g.donor = w.visitor(g.organisation)
		g.form = donation.Form{Amount: "other", AmountOther: pick(w, "10", "15", "20", "25", "30", "50"), Frequency: "monthly",
			Fund: pick(w, funds[g.organisation]...), CoverFees: n%2 == 0, News: true}
		if n%7 == 3 {
			g.form.Occurrences = "12"
		}
		w.give(w.sometime(1+n*2), g)
		switch n {
		case 2: // one charge is declined, and paid three days later
			w.add(w.on(30, 0), func(_ context.Context, m *maker) error {
				return m.past.FailCard(g.account(), g.donor.email(), "insufficient_funds", 1)
			})
		case 13: // every charge is declined from now on
			w.add(w.on(50, 0), func(_ context.Context, m *maker) error {
				return m.past.FailCard(g.account(), g.donor.email(), "expired_card", 0)
			})
		}
	}
	yearly := w.people.next("en")
	g := gift{organisation: gi, donor: yearly, form: formOf("300", "where-needed-most")}
	g.form.Frequency = "yearly"
	w.give(w.on(12, 5), g)
}

// endings adds refunds, disputes, payouts and what finance has to look at.
func (w *writer) endings() {
	for _, r := range []struct {
		organisation, amount string
		given, refunded      int   // days
		failed               int   // the day on which the bank returns it; 0: it arrives
		cents                int64 // 0: all
		reason               string
	}{
		{csio, "50", 10, 11, 0, 0, "duplicate"},
		{gi, "100", 19, 22, 0, 2500, "requested_by_customer"},
		{csio, "75", 31, 36, 49, 0, "requested_by_customer"},
		{csio, "300", 39, 44, 0, 10000, "requested_by_customer"},
		{gi, "60", 53, 57, 0, 0, "fraudulent"},
	} {
		g := gift{organisation: r.organisation, donor: w.visitor(r.organisation), form: formOf(r.amount, funds[r.organisation][2])}
		w.give(w.on(float64(r.given), 3), g)
		w.add(w.on(float64(r.refunded), 6), func(_ context.Context, m *maker) error {
			return m.past.Refund(g.account(), g.donor.email(), r.cents, r.reason)
		})
		if r.failed > 0 {
			w.add(w.on(float64(r.failed), 6), func(_ context.Context, m *maker) error { return m.past.FailRefund(g.account(), g.donor.email()) })
		}
	}
	w.disputed(gift{organisation: gi, donor: w.visitor(gi), form: formOf("200", "haiti-dessalines-brigade")}, 14, 25, 37)
	monthly := gift{organisation: csio, donor: w.visitor(csio), form: formOf("150", "general")}
	monthly.form.Frequency = "monthly"
	w.disputed(monthly, 23, 57, 0)

	for _, p := range []struct {
		account string
		day     int
	}{{tsne, 21}, {gi, 40}, {tsne, 48}} {
		w.add(w.on(float64(p.day), 2), func(_ context.Context, m *maker) error { return m.past.Payout(p.account) })
	}
	w.add(w.on(33, 8), func(_ context.Context, m *maker) error {
		return m.past.PayByHand(gi, 4500, card(person{first: "Unknown", last: "Payer"}, ""), "unknown.payer@donor.example", "Bake sale")
	})
	w.add(w.on(52, 8), func(_ context.Context, m *maker) error {
		return m.past.Adjust(tsne, "adjustment", "other_adjustment", 1240, "Correction by Stripe")
	})
}

// atTheBank adds what the bank's statements have besides payouts: a deposit of checks, transfers of donors, among them two equal ones
// of one day, what is spent, and what the bank charges.
func (w *writer) atTheBank() {
	for _, l := range []struct {
		account   string
		day       int
		cents     int64
		text      string
		reference string
	}{
		{tsne, 3, -145000, "ACH DEBIT CHAUNCY PROPERTIES RENT", ""},
		{tsne, 5, 5000, "ZELLE FROM MARISOL QUISPE", ""},
		{tsne, 5, 5000, "ZELLE FROM MARISOL QUISPE", ""},
		{tsne, 12, 500000, "WIRE IN BAYSTATE CHARITABLE GIFT FUND GRANT 20931", "20931"},
		{tsne, 16, 31500, "DEPOSIT", "0031"},
		{tsne, 23, 10000, "ZELLE FROM HAROLD WHITCOMB", ""},
		{tsne, 29, -1500, "MONTHLY SERVICE FEE", ""},
		{tsne, 33, -145000, "ACH DEBIT CHAUNCY PROPERTIES RENT", ""},
		{tsne, 35, -21840, "CARD PURCHASE TRANSIT AUTHORITY", ""},
		{tsne, 44, -10000, "DEPOSITED ITEM RETURNED CHECK 1187", "1187"},
		{tsne, 58, -1500, "MONTHLY SERVICE FEE", ""},
		{tsne, 59, 312, "INTEREST PAID", ""},
		{gi, 8, 250000, "WIRE IN HARBOR FAMILY FOUNDATION", "H-7781"},
		{gi, 27, 82000, "DEPOSIT", "0114"},
		{gi, 30, -1200, "MONTHLY SERVICE FEE", ""},
		{gi, 46, 10000, "ACH CREDIT WORKPLACE GIVING MATCH", ""},
	} {
		w.add(w.on(float64(l.day), 5), func(_ context.Context, m *maker) error { return m.past.AtBank(l.account, l.cents, l.text, l.reference) })
	}
}

// disputed adds a gift and the dispute of its last payment. closed is the day on which it is lost; 0: it is open.
func (w *writer) disputed(g gift, given, opened, closed int) {
	w.give(w.on(float64(given), 5), g)
	w.add(w.on(float64(opened), 7), func(_ context.Context, m *maker) error {
		return m.past.Dispute(g.account(), g.donor.email(), "fraudulent")
	})
	if closed > 0 {
		w.add(w.on(float64(closed), 7), func(_ context.Context, m *maker) error {
			return m.past.CloseDispute(g.account(), g.donor.email(), "lost")
		})
	}
}

// card returns a person's card.
func card(p person, number string) stripefake.Card {
	good := stripefake.GoodCard
	good.Name = p.name()
	if number != "" {
		good.Number = number
	}
	return good
}
