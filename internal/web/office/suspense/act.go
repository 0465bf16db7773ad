package suspense

import (
	"cmp"
	"context"
	"strings"

	"github.com/google/uuid"
	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/contact"
	"konbit/internal/giving/donation"
	"konbit/internal/giving/donor"
	"konbit/internal/office/suspense"
	"konbit/internal/people/approval"
	"konbit/internal/platform/phrase"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// showGift adds to what a second person sees the gift that an amount becomes: who gives, and to which funds.
func (a *Area) showGift(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, act suspense.Act, s *desk.Shown) error {
	d, err := donation.ByID(ctx, tx, act.DonationID)
	if err != nil {
		return err
	}
	donors, err := donor.ByIDs(ctx, tx, []uuid.UUID{d.DonorID})
	if err != nil {
		return err
	}
	for _, who := range donors {
		name := cmp.Or(who.OrganisationName, strings.TrimSpace(who.FirstName+" "+who.LastName), who.Email)
		s.Pairs = append(s.Pairs, desk.Pair{
			Label: a.say(v, "office.suspense.donor"), Cell: desk.Cell{Text: name, URL: v.Path("donors/" + who.ID.String())},
		})
	}
	typed, err := donation.ContactOf(ctx, tx, d.ID)
	if err != nil {
		return err
	}
	to := contact.Contact{}
	if typed != nil {
		to = typed.Contact
	}
	add := func(label, text string) {
		if text != "" {
			s.Pairs = append(s.Pairs, desk.Pair{Label: a.say(v, "office.suspense.gift."+label), Cell: desk.Cell{Text: text}})
		}
	}
	add("typed", strings.TrimSpace(to.FirstName+" "+to.LastName))
	add("email", cmp.Or(to.Email, a.say(v, "office.suspense.gift.no_email")))
	address := []string{to.AddressLine1, to.AddressLine2, to.City, to.Region, to.PostalCode, to.Country}
	add("address", strings.Join(strings.Fields(strings.Join(address, " ")), " "))
	add("phone", to.Phone)
	add("language", phrase.Language(d.Language).Name())
	parts, err := donation.DesignationsOf(ctx, tx, []uuid.UUID{d.ID})
	for _, p := range parts[d.ID] {
		f, err := v.Catalog.Fund(p.FundID)
		if err != nil {
			return err
		}
		s.Pairs = append(s.Pairs, desk.Pair{Label: f.Name.In(v.Language), Cell: desk.AmountCell(p.Amount)})
	}
	return err
}

// title says in one line what an act does.
func (a *Area) title(v web.StaffVisit, act suspense.Act) string {
	if act.Refund {
		return a.say(v, "office.suspense.act_refund", "amount", act.Amount())
	}
	return a.say(v, "office.suspense.act", "amount", act.Amount(), "account", a.accountName(v, act.Account, false))
}

// SuspenseAct is how the pages of approvals show and execute a request of this area.
func (a *Area) SuspenseAct() desk.Act {
	return desk.Act{
		Kind: approval.Suspense,
		Title: func(v web.StaffVisit, r approval.Stored) string {
			act, err := suspense.ReadBody(r.Body)
			if err != nil {
				return a.say(v, "office.today.approval.suspense")
			}
			return a.title(v, act)
		},
		Show: func(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
			act, err := suspense.ReadBody(r.Body)
			if err != nil {
				return s, err
			}
			s.Pairs = []desk.Pair{
				{Label: a.say(v, "office.today.amount"), Cell: desk.AmountCell(act.Amount())}, {Label: a.say(v, "office.suspense.to"),
					Cell: desk.Cell{Text: a.accountName(v, act.Account, act.Refund)}},
				{Label: a.say(v, "office.suspense.reason"), Cell: desk.Cell{Text: act.Reason}},
				{Label: a.say(v, "office.suspense.subject"), Cell: desk.Cell{Text: act.Subject, URL: pageOf(v, act.Subject)}}}
			s.Button = a.title(v, act)
			if act.IsGift() {
				if err := a.showGift(ctx, tx, v, act, &s); err != nil {
					return s, err
				}
			}
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
