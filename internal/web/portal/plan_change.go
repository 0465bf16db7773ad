package portal

import (
	"cmp"
	"context"
	"errors"
	"net/url"
	"time"

	"github.com/google/uuid"

	"konbit/internal/giving/donation"
	"konbit/internal/giving/plan"
	"konbit/internal/giving/planlink"
	"konbit/internal/giving/recurring"
	"konbit/internal/platform/fault"
	"konbit/internal/platform/money"
	"konbit/internal/view"
	"konbit/internal/web"
	"konbit/internal/web/portal/giftpage"
)

// planChange is a change that a donor asks for: its result, and how to request it.
type planChange struct {
	do      string
	typed   url.Values
	result  giftpage.PlanChange
	request func(ctx context.Context, r recurring.DonorRequest) (uuid.UUID, error)
}

// confirm returns the explanation of the change with the button that makes it.
func (c planChange) confirm(submissionID string) *giftpage.PlanConfirm {
	return &giftpage.PlanConfirm{
		PlanChange: c.result, Do: c.do, SubmissionID: submissionID,
		Values: giftpage.TypedValues(c.typed, "months", "amount", "frequency", "fund", "date", "cover_fees"),
	}
}

// changeValues returns a typed change, to show it again in a session.
func changeValues(typed url.Values) []view.FormValue {
	return giftpage.TypedValues(typed, "do", "months", "amount", "frequency", "fund", "date", "cover_fees")
}

// planChange reads a change and works out its result. It changes nothing. It returns fault.Invalid for bad fields and
// fault.Conflict if the plan's present state does not allow the change, and planlink.ErrNeedsSession if the donor came
// by a link that may not make it.
func (a *Area) planChange(p planView, do string, typed url.Values) (planChange, error) {
	plans, loc := a.Plans, p.offer.Entity.Location()
	c := planChange{do: do, typed: typed, result: giftpage.PlanChange{Kind: do, Amount: p.plan.NextCharge(), Every: string(p.plan.Frequency)}}
	switch do {
	case "pause":
		_, next, err := p.plan.PauseFor(giftpage.Months(typed), a.Now())
		c.result.Next, c.result.Months = next.In(loc), giftpage.Months(typed)
		c.request = func(ctx context.Context, r recurring.DonorRequest) (uuid.UUID, error) {
			return plans.Pause(ctx, r, giftpage.Months(typed))
		}
		return c, err
	case "skip":
		_, next, err := p.plan.SkipNext()
		c.result.Next, c.request = next.In(loc), plans.Skip
		return c, err
	case "resume":
		c.request = plans.Resume
		return c, planlink.CheckKind(p.via, do)
	case "cancel":
		c.request = func(ctx context.Context, r recurring.DonorRequest) (uuid.UUID, error) {
			return plans.Cancel(ctx, r, typed.Get("reason"))
		}
		return c, nil
	case "change":
		return a.termsChange(p, c, typed)
	}
	return c, fault.New(fault.Invalid, "problem.400.text", nil)
}

// termsChange completes a change of amount, frequency, fund or date.
func (a *Area) termsChange(p planView, c planChange, typed url.Values) (planChange, error) {
	to, next, err := p.terms(typed, a.Now())
	if err != nil {
		return c, err
	}
	detail, err := p.plan.ChangeDetail(to, next, a.Now())
	if err == nil && !p.waits && !p.plan.IsChange(p.parts, detail) {
		err = plan.ErrUnchanged
	}
	if err != nil {
		return c, err
	}
	if err := p.plan.CheckChannel(p.via, p.parts, detail); err != nil {
		return c, err
	}
	c.result.Amount, c.result.Every = money.New(detail.Amount, p.offer.Entity.Currency), detail.Frequency
	c.result.Next = p.plan.NextAt.In(p.offer.Entity.Location())
	if next != nil {
		c.result.Next = next.In(p.offer.Entity.Location())
	}
	c.result.Funds = giftpage.FundNames(p.lang, p.catalog, to.Designations)
	c.request = func(ctx context.Context, r recurring.DonorRequest) (uuid.UUID, error) {
		return a.Plans.Change(ctx, r, to, next)
	}
	return c, nil
}

// terms reads new terms and, if the donor typed one, the date of the next charge. Without a fund the amount is divided
// among the funds as it is now. It reports fault.Invalid with all bad fields.
func (p planView) terms(typed url.Values, now time.Time) (donation.Request, *time.Time, error) {
	f := donation.Form{
		Language: p.lang, Amount: "other", AmountOther: typed.Get("amount"), Frequency: typed.Get("frequency"), Fund: typed.Get("fund"),
		CoverFees: web.IsChecked(typed.Get("cover_fees")),
	}
	if amount, err := money.Parse(f.AmountOther, p.offer.Entity.Currency, string(p.lang)); f.Fund == "" && err == nil && len(p.parts) > 0 {
		f.Split = donation.SplitLike(p.parts, amount, p.catalog)
	}
	to, err := f.CheckTerms(p.offer)
	next, dateErr := p.plan.ReadNext(typed.Get("date"), p.offer.Entity.Location(), now)
	var terms, date *fault.Error
	if errors.As(err, &terms) && errors.As(dateErr, &date) {
		err = fault.Fields(append(terms.Fields, date.Fields...))
	}
	return to, next, cmp.Or(err, dateErr)
}
