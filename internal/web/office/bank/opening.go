package bank

import (
	"context"
	"net/http"
	"time"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/bank"
	"konbit/internal/people/approval"
	"konbit/internal/people/staff"
	"konbit/internal/platform/money"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

func timeOf(text string) (time.Time, error) { return time.Parse(time.DateOnly, text) }

// write runs an act in a transaction of the visit's session.
func (a *Area) write(r *http.Request, v web.StaffVisit, fn func(tx *sqlx.Tx) error) error {
	return staff.InTx(r.Context(), a.DB, v.Session, fn)
}

// OpeningAct is how the pages of approvals show and execute an opening.
func (a *Area) OpeningAct() desk.Act {
	title := func(v web.StaffVisit, r approval.Stored) string {
		o, err := bank.ReadOpening(r.Body)
		if err != nil {
			return a.say(v, "office.today.approval.opening")
		}
		return a.say(v, "office.bank.opening.act", "amount", o.Amount(), "account", o.Account)
	}
	return desk.Act{
		Kind:  approval.Opening,
		Title: title,
		Show: func(_ context.Context, _ *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
			o, err := bank.ReadOpening(r.Body)
			if err != nil {
				return s, err
			}
			s.Pairs = []desk.Pair{{Label: a.say(v, "office.bank.account"), Cell: desk.Cell{Text: o.Account, URL: v.Path("bank/" + o.Account)}},
				{Label: a.say(v, "office.bank.opening.on"), Cell: desk.Cell{Day: midnight(o.On)}},
				{Label: a.say(v, "office.today.amount"), Cell: desk.AmountCell(o.Amount())}}
			for _, p := range o.Parts {
				name := p.Fund
				if f, err := v.Catalog.FundByCode(o.EntityID, p.Fund); err == nil {
					name = f.Name.In(v.Language)
				}
				s.Pairs = append(s.Pairs, desk.Pair{Label: name, Cell: desk.AmountCell(money.New(p.Amount, o.Currency))})
			}
			s.Button = title(v, r)
			return s, nil
		},
		ExecuteTx: func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) error {
			return a.Bank.OpenTx(ctx, tx, v.Catalog, r)
		},
	}
}
