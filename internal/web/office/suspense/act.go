package suspense

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// SuspenseAct is how the pages of approvals show and execute a request of this area.
func (a *Area) SuspenseAct() desk.Act {
	return desk.Act{
		Kind: approval.Suspense,
		Title: func(v web.StaffVisit, r approval.Stored) string {
			act, err := suspense.ReadBody(r.Body)
			if err != nil {
				return a.say(v, "office.today.approval.suspense")
			}
			return a.say(v, "office.suspense.act", "amount", act.Amount(), "account", a.accountName(v, act.Account))
		},
		Show: func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
			act, err := suspense.ReadBody(r.Body)
			if err != nil {
				return s, err
			}
			s.Pairs = []desk.Pair{
				{Label: a.say(v, "office.today.amount"), Cell: desk.AmountCell(act.Amount())}, {Label: a.say(v, "office.suspense.to"),
					Cell: desk.Cell{Text: a.accountName(v, act.Account)}},
				{Label: a.say(v, "office.suspense.reason"), Cell: desk.Cell{Text: act.Reason}},
				{Label: a.say(v, "office.suspense.subject"), Cell: desk.Cell{Text: act.Subject, URL: pageOf(v, act.Subject)}}}
			s.Button = a.say(v, "office.suspense.act", "amount", act.Amount(), "account", a.accountName(v, act.Account))
			if r.State != approval.Open {
				return s, nil
			}
			now, err := suspense.Of(ctx, tx, r.EntityID, act.Subject)
			if err == nil && (now.Minor != act.Minor || now.ClearsItself) {
				s.Now = suspense.ErrAmount
			}
			return s, err
		},
		ExecuteTx: func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) error {
			return a.Resolver.ResolveTx(ctx, tx, v.Catalog, r, v.StaffID)
		},
	}
}
