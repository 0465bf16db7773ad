package gifts

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/books/fund"
	"konbit/internal/books/org"
	"konbit/internal/office/giftlist"
	"konbit/internal/platform/fault"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// The values of the filters, as they stand in an address; the first one chooses nothing.
var (
	states      = []string{"", "settled", "processing", "held", "failed", string(giftlist.Refunded), string(giftlist.Disputed)}
	sources     = []string{"", "form", "plan", "office", "import"}
	frequencies = []string{"", "once", "weekly", "monthly", "quarterly", "yearly"}
)

// chosen is what an address asks a list for.
type chosen struct {
	Month                    time.Time // its first day; zero: any
	Year                     int       // the fiscal year; 0: any, or a month is chosen
	FromDay, ToDay           time.Time // the first and the last day; zero: any, or a month or a year is chosen
	Fund                     *fund.Fund
	State, Source, Frequency string
	Text                     string             // that is searched for
	Readings                 []giftlist.Reading // what it can mean
	As                       giftlist.Reading   // what it is taken for
	More                     bool               // more donors match than are found
	Cards                    *cards             // what the processor said of the digits; nil: it was not asked
	Query                    giftlist.Query
	Unknown                  desk.Unknown
	LongText                 bool               // Text is too long, and finds nothing
	Wrong                    []fault.Field      // what is wrong with the fields of the form
	Underway                 map[uuid.UUID]bool // gifts of which a refund is on its way
	Voided                   map[uuid.UUID]bool // gifts that were recorded by mistake
}

// cards are the charges that a card paid, by the processor.
type cards struct {
	Charges []string
	More    bool // there are more
	Failed  bool // it did not answer
}

// processorTimeout bounds how long a page waits for the payment processor.
const processorTimeout = 2 * time.Second

// reading runs fn with what the address asks for, in a transaction of Desk.Read. Where the text is the digits of a card, it asks the
// processor between two transactions, so that none waits for it.
func (a *Area) reading(r *http.Request, v web.StaffVisit, fn func(tx *sqlx.Tx, c chosen) error) error {
	var known *cards
	for {
		var c chosen
		err := a.Read(r, v, func(tx *sqlx.Tx) (err error) {
			if c, err = a.read(r, v, tx, known); err != nil || c.asksForCards() {
				return err
			}
			return fn(tx, c)
		})
		if err != nil || !c.asksForCards() {
			return err
		}
		known = a.cardsOf(r.Context(), v, c)
	}
}

// asksForCards reports whether the processor is to be asked before the list can be read.
func (c chosen) asksForCards() bool {
	return c.As == giftlist.AsCard && c.Cards == nil && giftlist.CardDigits(c.Text) != ""
}

func (a *Area) cardsOf(ctx context.Context, v web.StaffVisit, c chosen) *cards {
	ctx, cancel := context.WithTimeout(ctx, processorTimeout)
	defer cancel()
	charges, more, err := a.Cards.ChargesOfCard(ctx, v.Entity.Slug, giftlist.CardDigits(c.Text), c.Query.From, c.Query.Until)
	if err != nil {
		a.Log.WarnContext(ctx, "charges were not found by the digits of their card", "error", err)
	}
	return &cards{Charges: charges, More: more, Failed: err != nil}
}

// read reads what an address asks for. tx is a transaction of Desk.Read. known is what the processor said of the digits of a card; nil if
// it was not asked.
func (a *Area) read(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, known *cards) (c chosen, err error) {
	values := r.URL.Query()
	c = chosen{Cards: known, State: desk.Chosen(r, "state", states...), Source: desk.Chosen(r, "source", sources...),
		Frequency: desk.Chosen(r, "every", frequencies...)}
	c.Query = giftlist.Query{EntityID: v.Entity.ID, Source: c.Source, Frequency: c.Frequency}
	for _, o := range organisations(v) {
		c.Query.Organisations = append(c.Query.Organisations, o.ID)
	}
	if v.Organisation != nil {
		c.Query.OrganisationID, c.Query.Organisations = v.Organisation.ID, []uuid.UUID{v.Organisation.ID}
	}
	c.Unknown.Names(r, "q", "by", "state", "source", "every", "month", "year", "from", "to", "least", "most", "fund")
	c.Unknown.Check(r, "state", states...)
	c.Unknown.Check(r, "source", sources...)
	c.Unknown.Check(r, "every", frequencies...)
	c.readPeriod(r, v)
	c.readAmounts(r, v)
	if f := fundOf(v, values.Get("fund")); f != nil {
		c.Fund, c.Query.FundID = f, f.ID
		c.Query.OrganisationID = f.OrganisationID // its gifts are among those of its organisation, which an index has
	} else {
		c.Unknown.Add("fund", values.Get("fund"))
	}
	switch change := giftlist.Change(c.State); change {
	case giftlist.Refunded, giftlist.Disputed:
		if c.Query.Changed, err = giftlist.ChangedGifts(r.Context(), tx, v.Entity.ID, change); err != nil {
			return c, err
		}
	default:
		c.Query.Status = c.State
	}
	return c, a.search(r, v, tx, &c)
}

// search adds what is searched for. Unless the address says how the text is read, it is what finds a gift first.
func (a *Area) search(r *http.Request, v web.StaffVisit, tx *sqlx.Tx, c *chosen) error {
	if c.Text, c.LongText = desk.SearchText(r); c.LongText {
		c.Query.Search.Gifts = []uuid.UUID{}
		return nil
	}
	c.Readings = giftlist.Readings(c.Text, v.Entity.Currency, string(v.Language))
	try := c.Readings
	if as := giftlist.Reading(r.URL.Query().Get("by")); slices.Contains(try, as) {
		try = []giftlist.Reading{as}
	}
	in := c.Query
	var charges []string
	if c.Cards != nil {
		charges = c.Cards.Charges
	}
	for i, as := range try {
		if asks := (chosen{As: as, Text: c.Text, Cards: c.Cards}); asks.asksForCards() {
			c.As = as
			return nil
		}
		found, err := giftlist.Look(r.Context(), tx, in, c.Text, as, v.Entity.Currency, string(v.Language), charges)
		if err != nil {
			return err
		}
		if i > 0 && as == giftlist.AsDonor && len(found.Donors) == 0 {
			break // nothing is found: what it looks like stands in the sentence
		}
		query := in
		query.Search = found.Search
		if i == 0 {
			c.As, c.More, c.Query = as, found.More, query
		}
		keys, _, err := giftlist.Keys(r.Context(), tx, query, giftlist.Cursor{}, 1)
		if err != nil {
			return err
		}
		if len(keys) > 0 {
			c.As, c.More, c.Query = as, found.More, query
			break
		}
	}
	return nil
}

// organisations returns the organisations of the visit's entity, by name.
func organisations(v web.StaffVisit) (all []org.Organisation) {
	for _, o := range v.Catalog.Organisations() {
		if o.EntityID == v.Entity.ID {
			all = append(all, o)
		}
	}
	return all
}

// fundOf returns the fund of the visit's scope with a code; nil if there is none.
func fundOf(v web.StaffVisit, code string) *fund.Fund {
	if code == "" {
		return nil
	}
	for _, f := range fundsOf(v) {
		if f.Code == code {
			return &f
		}
	}
	return nil
}

// fundsOf returns the open funds of the visit's organisation, or of all organisations of its entity.
func fundsOf(v web.StaffVisit) (all []fund.Fund) {
	for _, o := range organisations(v) {
		if v.Organisation == nil || o.ID == v.Organisation.ID {
			all = append(all, v.Catalog.Open(o.ID)...)
		}
	}
	return all
}
