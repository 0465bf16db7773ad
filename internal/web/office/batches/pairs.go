package batches

import (
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/offline"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// twins says which rows have number and amount of another row, or of a gift that another batch brought.
func (a *Area) twins(r *http.Request, v web.StaffVisit, b offline.Batch) (says []string, err error) {
	var found []offline.Twin
	err = a.Read(r, v, func(tx *sqlx.Tx) (err error) {
		found, err = offline.TwinsOf(r.Context(), tx, b)
		return err
	})
	for _, t := range found {
		key := "office.batch.twin_row"
		if t.IsOther {
			key = "office.batch.twin_batch"
		}
		says = append(says, a.say(v, key, "row", t.RowN, "other", t.OtherN, "batch", t.BatchN))
	}
	return says, err
}

// pairs returns what a batch's head says, and how far it is.
func (a *Area) pairs(v web.StaffVisit, b offline.Batch) []desk.Pair {
	so, paper := money.New(b.SumMinor, b.Currency), money.New(b.TotalMinor, b.Currency)
	lang := string(v.Language)
	text := func(key string, args ...any) desk.Cell { return desk.Cell{Text: a.say(v, key, args...)} }
	rows := func(n int, amount money.Amount) desk.Cell {
		return desk.Cell{Text: a.View.PhraseN(v.Language, "office.batch.rows_of", n, "amount", amount.FormatExact(lang))}
	}
	difference := text("office.batch.agrees")
	difference.State = "good"
	if !b.Agrees() {
		difference = rows(b.Counted-b.Rows, money.New(b.TotalMinor-b.SumMinor, b.Currency))
		difference.State = "hold"
	}
	pairs := []desk.Pair{
		{Label: a.say(v, "office.batch.so_far"), Cell: rows(b.Rows, so)},
		{Label: a.say(v, "office.batch.on_paper"), Cell: rows(b.Counted, paper)},
		{Label: a.say(v, "office.batch.difference"), Cell: difference},
		{Label: a.say(v, "office.batch.field.received_on"), Cell: desk.Cell{Day: b.ReceivedOn.In(time.UTC)}},
	}
	if f, err := v.Catalog.Fund(b.FundID.UUID); err == nil && b.FundID.Valid {
		pairs = append(pairs, desk.Pair{Label: a.say(v, "office.batch.field.fund"), Cell: desk.Cell{Text: f.Name.In(v.Language)}})
	}
	if b.Account != "" {
		pairs = append(pairs, desk.Pair{Label: a.say(v, "office.batch.field.account"), Cell: desk.Cell{Text: b.Account}})
	}
	if b.PostedAt != nil {
		pairs = append(pairs, desk.Pair{Label: a.say(v, "office.batch.posted_at"), Cell: desk.Cell{At: a.Moment(*b.PostedAt, desk.ZoneOf(v))}})
	}
	if b.Reason != "" {
		pairs = append(pairs, desk.Pair{Label: a.say(v, "office.batch.field.reason"), Cell: desk.Cell{Text: b.Reason}})
	}
	return pairs
}
