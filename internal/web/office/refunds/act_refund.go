package refunds

import (
	"context"

	"github.com/jmoiron/sqlx"

	"konbit/internal/giving/donation"
	"konbit/internal/office/refund"
	"konbit/internal/people/approval"
	"konbit/internal/platform/money"
	"konbit/internal/processor/refundcall"
	"konbit/internal/web"
	"konbit/internal/web/office/desk"
)

// refundAct shows and executes a refund that needs a second person.
func (a *Area) refundAct() desk.Act {
	return desk.Act{Kind: approval.Refund, Title: a.refundTitle, Show: a.showAsked, ExecuteTx: a.executeRefundTx}
}

func (a *Area) refundTitle(v web.StaffVisit, r approval.Stored) string {
	q, _, currency, err := refund.ReadBody(r.Body)
	if err != nil {
		return a.phrase(v, "office.approval.unknown")
	}
	return a.phrase(v, "office.refund.act", "amount", money.New(sumOf(q.Parts), currency))
}

// showAsked shows the same as the first person saw; of an executed request, how its order stands.
func (a *Area) showAsked(ctx context.Context, tx *sqlx.Tx, v web.StaffVisit, r approval.Stored) (s desk.Shown, err error) {
	q, err := refund.AskedTx(ctx, tx, r)
	if s.Now = faultOf(err); err != nil && s.Now == nil {
		return s, err
	}
	gift, err := donation.ByID(ctx, tx, q.DonationID)
	if err != nil {
		return s, err
	}
	about := desk.Pair{Label: a.phrase(v, "office.refund.label.gift"), Cell: desk.Cell{URL: v.Path("gifts/" + gift.PublicRef)}}
	about.Text = gift.Amount().Format(string(v.Language))
	contact, err := donation.ContactOf(ctx, tx, gift.ID)
	if err != nil {
		return s, err
	}
	if contact != nil && nameOf(contact.Contact) != "" {
		about.Text += ", " + nameOf(contact.Contact)
	}
	pairs := []desk.Pair{about}
	switch r.State {
	case approval.Executed:
		s.Pairs = append(pairs, a.askedPairs(v, q, gift)...)
		order, err := refund.ByID(ctx, tx, q.ID)
		if err != nil {
			return s, err
		}
		next, booked := order.State.NextKey(), false
		of, err := refund.List(ctx, tx, refund.Filter{EntityID: r.EntityID, DonationID: gift.ID})
		if err != nil {
			return s, err
		}
		for _, l := range of {
			if l.OrderID != nil && *l.OrderID == order.ID {
				next, booked = l.NextKey(), l.Booked
			}
		}
		s.Pairs = append(s.Pairs, desk.Pair{Label: a.phrase(v, "office.refund.label.state"), Cell: desk.Cell{
			State: marks[order.State], Text: a.phrase(v, order.State.TitleKey()),
			Soft: a.phrase(v, a.nextKey(order.State, next, booked, a.Shown(order.ChangedAt))),
		}})
		return s, nil
	case approval.Open:
		if s.Now != nil {
			break
		}
		preview, refused, err := a.previewTx(ctx, tx, q)
		if err != nil {
			return s, err
		}
		if s.Now = refused; refused == nil {
			s = a.effect(v, preview, refundcall.Card{})
			s.Pairs = append(pairs, s.Pairs...)
			s.Later = func(ctx context.Context, s *desk.Shown) {
				s.Pairs[1].Text = a.cardName(v, preview, a.cardOf(ctx, v, preview))
			}
			return s, nil
		}
	}
	s.Pairs = append(pairs, a.askedPairs(v, q, gift)...)
	return s, nil //nolint:nilerr // Now is what the page shows, no error of the page
}

// previewTx returns what a refund would do now, or why it would be refused.
func (a *Area) previewTx(ctx context.Context, tx *sqlx.Tx, q refund.Request) (p refund.Preview, refused, err error) {
	p, err = a.Refunds.PreviewTx(ctx, tx, q)
	if refused = faultOf(err); refused != nil {
		err = nil
	}
	return p, refused, err
}

// askedPairs returns what a request asked for.
func (a *Area) askedPairs(v web.StaffVisit, q refund.Request, gift donation.Donation) (pairs []desk.Pair) {
	for i, text := range a.partTexts(v, q.Parts, currencyOf(gift)) {
		label := ""
		if i == 0 {
			label = a.phrase(v, "office.refund.by_fund")
		}
		pairs = append(pairs, desk.Pair{Label: label, Cell: desk.Cell{Text: text}})
	}
	pairs = append(pairs, desk.Pair{Label: a.phrase(v, "office.refund.label.reason"),
		Cell: desk.Cell{Text: a.phrase(v, "office.refund.reason."+string(q.Reason))}})
	if q.Note != "" {
		pairs = append(pairs, desk.Pair{Label: a.phrase(v, "office.refund.label.note"), Cell: desk.Cell{Text: q.Note}})
	}
	return pairs
}

func (a *Area) executeRefundTx(ctx context.Context, tx *sqlx.Tx, _ web.StaffVisit, r approval.Stored) error {
	q, err := refund.AskedTx(ctx, tx, r)
	if err != nil {
		return err
	}
	_, err = a.Refunds.OrderTx(ctx, tx, q)
	return err
}
