package gifts

import (
	"context"
	"net/http"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/office/giftlist"
	"konbit/internal/office/refund"
	"konbit/internal/platform/money"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// ListPage is the list of gifts.
type ListPage struct {
	desk.Page
	List   desk.List
	Payout string // address of the page of the payout that is searched for; empty: there is none
}

// listGet shows a page of the gifts of a scope, or its rows as a file.
func (a *Area) listGet(w http.ResponseWriter, r *http.Request, v web.StaffVisit) error {
	var what chosen
	var total giftlist.Total
	var rows []giftlist.Gift
	var next *giftlist.Cursor
	var after giftlist.Cursor
	behind := desk.ReadCursor(r, &after)
	payout := uuid.Nil
	err := a.reading(r, v, func(tx *sqlx.Tx, c chosen) (err error) {
		what = c
		var page []giftlist.Key
		if page, next, err = giftlist.Keys(r.Context(), tx, c.Query, after, desk.RowsOf(r)); err != nil {
			return err
		}
		if rows, err = giftlist.ByKeys(r.Context(), tx, page); err != nil {
			return err
		}
		if what.Underway, err = underway(r.Context(), tx, v); err != nil {
			return err
		}
		ids := make([]uuid.UUID, len(rows))
		for i, g := range rows {
			ids[i] = g.ID
		}
		if what.Voided, err = giftlist.VoidedOf(r.Context(), tx, ids); err != nil {
			return err
		}
		if total, err = giftlist.Sum(r.Context(), tx, c.Query); err == nil && c.As == giftlist.AsPayout && v.Organisation == nil {
			payout, err = giftlist.PayoutID(r.Context(), tx, v.Entity.ID, c.Text)
		}
		return err
	})
	if err != nil {
		return err
	}
	if done, err := a.WriteFile(w, r, v, "gifts", a.file(v, what, rows)); done || err != nil {
		return err
	}
	p := ListPage{Page: a.PageOf(r, v, "gifts")}
	if payout != uuid.Nil {
		p.Payout = v.Path("payouts/" + what.Text)
	}
	p.List = desk.List{
		Says: a.says(v, what, total),
		Search: &desk.Search{Action: v.Path("gifts"), Label: a.say(v, "search"), Hint: a.say(v, "search_hint"), Value: what.Text, Long: what.LongText,
			Kept: desk.Kept(r.URL, "q", "by")},
		Table:  a.table(r, v, what, rows),
		Empty:  a.empty(v, what, next != nil),
		Larger: desk.Larger(r), CSV: file(r, "csv"), XLSX: file(r, "xlsx"), Export: exportPath(r, v),
	}
	p.List.Unknown, p.List.Narrow = what.Unknown, a.narrow(r, v, what)
	p.List.Filters, p.List.More = a.filters(r, v, what, a.Now().In(desk.ZoneOf(v)))
	if behind {
		p.List.First = desk.With(r.URL)
	}
	if next != nil {
		p.List.Next = desk.With(r.URL, "after", desk.Cursor(next))
	}
	return a.Write(w, http.StatusOK, "gifts", v.Language, p)
}

// underway returns the gifts of which a refund was sent and has not reached the donor.
func underway(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit) (map[uuid.UUID]bool, error) {
	gifts := map[uuid.UUID]bool{}
	waiting, err := refund.List(ctx, tx, refund.Filter{EntityID: v.Entity.ID, Waiting: true})
	for _, l := range waiting {
		if l.DonationID != nil && (l.State == refund.Ordered || l.State == refund.Sent || l.State == refund.Pending) {
			gifts[*l.DonationID] = true
		}
	}
	return gifts, err
}

// say returns a phrase of these pages. Amounts have their decimals.
func (a *Area) say(v web.StaffVisit, key string, args ...any) string {
	for i, arg := range args {
		if amount, ok := arg.(money.Amount); ok {
			args[i] = amount.FormatExact(string(v.Language))
		}
	}
	return a.View.Phrase(v.Language, "office.gifts."+key, args...)
}

// file returns the address of the rows of this page in a format.
func file(r *http.Request, format string) string {
	after := r.URL.Query().Get("after")
	return desk.With(r.URL, "after", after, "format", format)
}

// says returns the sentence that says what the list has, and what it adds up to.
func (a *Area) says(v web.StaffVisit, c chosen, t giftlist.Total) string {
	var parts []string
	add := func(key string, args ...any) { parts = append(parts, a.say(v, key, args...)) }
	if c.As != "" {
		add("says.by."+string(c.As), "text", c.Text)
	}
	if !c.Month.IsZero() {
		add("says.month", "month", phrase.Month(v.Language, c.Month))
	}
	if c.Year != 0 {
		add("says.month", "month", yearName(v, c.Year))
	}
	parts = append(parts, a.saysNarrow(v, c)...)
	if c.Fund != nil {
		add("says.fund", "fund", c.Fund.Name.In(v.Language))
	}
	if c.State != "" {
		add("says.state", "state", strings.ToLower(a.say(v, "state."+c.State)))
	}
	if c.Source != "" {
		add("says.source", "source", strings.ToLower(a.say(v, "source."+c.Source)))
	}
	if c.Frequency != "" {
		add("says.source", "source", strings.ToLower(a.say(v, "every."+c.Frequency)))
	}
	which := strings.Join(parts, "")
	switch {
	case t.More:
		return a.say(v, "says.more", "which", which)
	case c.More:
		which += a.say(v, "says.more_donors")
	case c.As == giftlist.AsCard && c.Cards != nil && c.Cards.Failed:
		which += a.say(v, "says.cards_failed")
	case c.As == giftlist.AsCard && c.Cards != nil && c.Cards.More:
		which += a.say(v, "says.more_cards")
	}
	return a.View.PhraseN(v.Language, "office.gifts.says", t.Gifts, "which", which, "total",
		money.New(t.Amount, v.Entity.Currency).FormatExact(string(v.Language)))
}

// empty returns what an empty list says.
func (a *Area) empty(v web.StaffVisit, c chosen, more bool) string {
	switch {
	case more:
		return a.say(v, "empty.more")
	case c.As != "" || c.LongText:
		return a.say(v, "empty.search")
	case c.Query.Status+c.Source+c.Frequency+c.State != "" || c.Fund != nil || !c.Query.From.IsZero() || c.Query.Least+c.Query.Most != 0:
		return a.say(v, "empty.filter")
	}
	return a.say(v, "empty")
}
